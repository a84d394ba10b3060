use core::future::{pending, poll_fn, ready};
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::panic::panic_any;
use std::sync::{Arc, Mutex};
use std::task::Wake;

use crate::Notify;
use crate::io::{Join, JoinError, Packaged, TaskHandle, package, package_blocking};
use crate::test_util::{counting_waker, poll, poll_noop};

/// What a handle says at once.
fn outcome<T>(mut handle: TaskHandle<T>) -> Result<T, JoinError> {
    match poll_noop(pin!(&mut handle)) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("the task has not ended"),
    }
}

/// Counts how often it is dropped, and may panic then.
struct Dropped(Arc<AtomicUsize>, Option<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        if let Some(message) = self.1 {
            panic!("{message}");
        }
    }
}

fn counted() -> (Arc<AtomicUsize>, Dropped) {
    let drops = Arc::new(AtomicUsize::new(0));
    (drops.clone(), Dropped(drops, None))
}

fn explosive() -> (Arc<AtomicUsize>, Dropped) {
    let drops = Arc::new(AtomicUsize::new(0));
    (drops.clone(), Dropped(drops, Some("dropped")))
}

fn count(drops: &AtomicUsize) -> usize {
    drops.load(Ordering::SeqCst)
}

#[test]
fn output_reaches_the_handle() {
    let (task, mut handle) = package(ready(42));
    let (wakes, waker) = counting_waker();
    assert!(poll(pin!(&mut handle), &waker).is_pending());
    assert!(poll_noop(pin!(task)).is_ready());
    assert_eq!(wakes.count(), 1);
    assert_eq!(outcome(handle).unwrap(), 42);
}

#[test]
fn last_waker_is_the_one_woken() {
    let (task, mut handle) = package(ready(()));
    let (first, first_waker) = counting_waker();
    let (second, second_waker) = counting_waker();
    assert!(poll(pin!(&mut handle), &first_waker).is_pending());
    assert!(poll(pin!(&mut handle), &second_waker).is_pending());
    assert_eq!(Arc::strong_count(&first), 2, "it was let go");
    assert!(poll_noop(pin!(task)).is_ready());
    assert_eq!((first.count(), second.count()), (0, 1));
}

#[test]
#[should_panic(expected = "polled after it had finished")]
fn completed_handle_panics_clearly() {
    let (task, mut handle) = package(ready(()));
    assert!(poll_noop(pin!(task)).is_ready());
    assert!(poll_noop(pin!(&mut handle)).is_ready());
    let _ = poll_noop(pin!(&mut handle));
}

#[test]
fn finished_task_is_fused() {
    let (task, handle) = package(ready(42));
    let mut task = pin!(task);
    assert!(poll_noop(task.as_mut()).is_ready());
    assert!(poll_noop(task.as_mut()).is_ready());
    assert_eq!(outcome(handle).unwrap(), 42);
}

#[test]
fn abort_drops_the_future() {
    let (drops, value) = counted();
    let (task, handle) = package(async move {
        let _value = value;
        pending::<()>().await;
    });
    let (wakes, waker) = counting_waker();
    let mut task = pin!(task);
    assert!(poll(task.as_mut(), &waker).is_pending());
    handle.abort();
    assert_eq!(wakes.count(), 1, "the task is woken to end");
    handle.abort();
    assert_eq!(wakes.count(), 1);
    assert_eq!(count(&drops), 0, "its future is dropped in its own turn");
    assert!(poll(task.as_mut(), &waker).is_ready());
    assert_eq!(count(&drops), 1);
    assert!(outcome(handle).unwrap_err().is_cancelled());
}

#[test]
fn abort_before_the_first_poll_polls_nothing() {
    let (task, handle) = package(async { panic!("polled after an abort") });
    handle.abort();
    assert!(poll_noop(pin!(task)).is_ready());
    let outcome: Result<(), _> = outcome(handle);
    assert!(outcome.unwrap_err().is_cancelled());
}

#[test]
fn abort_from_inside_ends_the_task_in_its_next_turn() {
    let slot = Arc::new(Mutex::new(None::<TaskHandle<()>>));
    let (task, handle) = package({
        let slot = slot.clone();
        async move {
            slot.lock().unwrap().as_ref().unwrap().abort();
            pending::<()>().await;
        }
    });
    *slot.lock().unwrap() = Some(handle);
    let (wakes, waker) = counting_waker();
    let mut task = pin!(task);
    assert!(poll(task.as_mut(), &waker).is_pending());
    assert_eq!(wakes.count(), 1);
    assert!(poll(task.as_mut(), &waker).is_ready());
    let handle = slot.lock().unwrap().take().unwrap();
    assert!(outcome(handle).unwrap_err().is_cancelled());
}

#[test]
fn abort_outlives_the_handle() {
    let (drops, value) = counted();
    let (task, handle) = package(async move {
        let _value = value;
        pending::<()>().await;
    });
    let mut task = pin!(task);
    assert!(poll_noop(task.as_mut()).is_pending());
    handle.abort();
    drop(handle);
    assert!(poll_noop(task.as_mut()).is_ready());
    assert_eq!(count(&drops), 1);
}

#[test]
fn finished_task_survives_abort() {
    let (task, handle) = package(ready(42));
    assert!(poll_noop(pin!(task)).is_ready());
    handle.abort();
    assert_eq!(outcome(handle).unwrap(), 42);
}

#[test]
fn dropped_handle_detaches() {
    let notify = Notify::new();
    let (task, handle) = package(async {
        notify.wait_future().await;
        notify.notify_one();
    });
    let mut task = pin!(task);
    assert!(poll_noop(task.as_mut()).is_pending());
    drop(handle);
    notify.notify_one();
    assert!(poll_noop(task.as_mut()).is_ready());
    assert!(notify.has_permit(), "it ran to its end");
}

#[test]
fn unfinished_task_that_is_dropped_is_cancelled() {
    let (drops, value) = counted();
    let (task, mut handle) = package(async move {
        let _value = value;
        pending::<()>().await;
    });
    let (wakes, waker) = counting_waker();
    assert!(poll(pin!(&mut handle), &waker).is_pending());
    drop(task);
    assert_eq!((count(&drops), wakes.count()), (1, 1));
    assert!(outcome(handle).unwrap_err().is_cancelled());
}

#[test]
fn panic_becomes_join_error() {
    let (task, handle) = package(async { panic_any(42_u32) });
    assert!(poll_noop(pin!(task)).is_ready());
    let payload = outcome::<()>(handle).unwrap_err().try_into_panic().unwrap();
    assert_eq!(payload.downcast_ref::<u32>(), Some(&42));
}

#[test]
fn panic_of_the_future_hides_that_of_its_drop() {
    // Unlike an async block, it keeps its values when it panics.
    let (drops, value) = explosive();
    let (task, handle) = package(poll_fn(move |_| -> Poll<()> {
        let _value = &value;
        panic!("polled")
    }));
    assert!(poll_noop(pin!(task)).is_ready());
    assert_eq!(count(&drops), 1);
    let error = outcome(handle).unwrap_err();
    assert_eq!(std::format!("{error}"), "the task panicked: polled");
}

#[test]
fn panic_in_the_drop_of_an_aborted_future_is_reported() {
    let (_, value) = explosive();
    let (task, handle) = package(async move {
        let _value = value;
        pending::<()>().await;
    });
    let mut task = pin!(task);
    assert!(poll_noop(task.as_mut()).is_pending());
    handle.abort();
    assert!(poll_noop(task.as_mut()).is_ready());
    let error = outcome(handle).unwrap_err();
    assert_eq!(std::format!("{error}"), "the task panicked: dropped");
}

#[test]
fn output_is_dropped_once() {
    // Taken.
    let (drops, value) = counted();
    let (task, handle) = package(ready(value));
    assert!(poll_noop(pin!(task)).is_ready());
    assert_eq!(count(&drops), 0);
    drop(outcome(handle));
    assert_eq!(count(&drops), 1);
    // Never asked for.
    let (drops, value) = counted();
    let (task, handle) = package(ready(value));
    assert!(poll_noop(pin!(task)).is_ready());
    drop(handle);
    assert_eq!(count(&drops), 1);
    // Detached before.
    let (drops, value) = counted();
    let (task, handle) = package(ready(value));
    drop(handle);
    assert!(poll_noop(pin!(task)).is_ready());
    assert_eq!(count(&drops), 1);
}

#[test]
fn panic_of_a_detached_output_stays_in_its_task() {
    let (drops, value) = explosive();
    let (task, handle) = package(ready(value));
    drop(handle);
    assert!(poll_noop(pin!(task)).is_ready());
    assert_eq!(count(&drops), 1);
}

/// The smallest executor: a task that only its wakers own.
struct Owned(Mutex<Option<core::pin::Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for Owned {
    fn wake(self: Arc<Self>) {
        let mut slot = self.0.lock().unwrap();
        let task = slot.as_mut().unwrap();
        if poll(task.as_mut(), &Waker::from(self.clone())).is_ready() {
            *slot = None;
        }
    }
}

fn spawn<F>(task: Packaged<F>)
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    Arc::new(Owned(Mutex::new(Some(Box::pin(task))))).wake();
}

#[test]
fn detached_task_that_nobody_can_wake_is_freed() {
    let (drops, value) = counted();
    let (task, handle) = package(async move {
        let _value = value;
        pending::<()>().await;
    });
    spawn(task);
    assert_eq!(count(&drops), 0, "the handle may abort it yet");
    drop(handle);
    assert_eq!(count(&drops), 1);
}

#[test]
fn detached_task_keeps_no_waker() {
    let notify = Notify::new();
    let (task, handle) = package(async {
        notify.wait_future().await;
        pending::<()>().await;
    });
    drop(handle);
    let (wakes, waker) = counting_waker();
    let mut task = pin!(task);
    assert!(poll(task.as_mut(), &waker).is_pending());
    notify.notify_one();
    assert!(poll(task.as_mut(), &waker).is_pending());
    assert_eq!(Arc::strong_count(&wakes), 2);
}

#[test]
fn detached_task_clones_no_waker() {
    let (task, handle) = package(pending::<()>());
    drop(handle);
    let waker = crate::test_util::hooked_waker(|event| {
        assert_ne!(event, crate::test_util::Event::Clone);
    });
    assert!(poll(pin!(task), &waker).is_pending());
}

#[test]
fn same_waker_is_cloned_once() {
    let (task, mut handle) = package(pending::<()>());
    let (wakes, waker) = counting_waker();
    let mut task = pin!(task);
    for _ in 0..3 {
        assert!(poll(task.as_mut(), &waker).is_pending());
        assert!(poll(pin!(&mut handle), &waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&wakes), 4, "one here, one in each half");
}

#[test]
fn blocking_output_reaches_the_handle() {
    let (run, mut handle) = package_blocking(|| 42);
    assert!(poll_noop(pin!(&mut handle)).is_pending());
    run();
    assert_eq!(outcome(handle).unwrap(), 42);
}

#[test]
fn blocking_code_is_aborted_until_it_has_started() {
    let (drops, value) = counted();
    let (run, handle) = package_blocking(move || {
        let _value = value;
        panic!("run after an abort")
    });
    handle.abort();
    run();
    assert_eq!(count(&drops), 1);
    let outcome: Result<(), _> = outcome(handle);
    assert!(outcome.unwrap_err().is_cancelled());
}

#[test]
fn blocking_code_that_has_started_survives_abort() {
    let slot = Arc::new(Mutex::new(None::<TaskHandle<u32>>));
    let (run, handle) = package_blocking({
        let slot = slot.clone();
        move || {
            slot.lock().unwrap().as_ref().unwrap().abort();
            42
        }
    });
    *slot.lock().unwrap() = Some(handle);
    run();
    let handle = slot.lock().unwrap().take().unwrap();
    assert_eq!(outcome(handle).unwrap(), 42);
}

#[test]
fn blocking_panic_becomes_join_error() {
    let (run, handle) = package_blocking(|| panic_any(42_u32));
    run();
    let payload = outcome::<()>(handle).unwrap_err().try_into_panic().unwrap();
    assert_eq!(payload.downcast_ref::<u32>(), Some(&42));
}

#[test]
fn blocking_code_that_never_runs_is_cancelled() {
    let (drops, value) = counted();
    let (run, mut handle) = package_blocking(move || drop(value));
    // A task that joins finds the code's own values gone.
    let seen = Arc::new(AtomicUsize::new(usize::MAX));
    let waker = {
        let (drops, seen) = (drops.clone(), seen.clone());
        crate::test_util::hooked_waker(move |event| {
            if event == crate::test_util::Event::Wake {
                seen.store(count(&drops), Ordering::SeqCst);
            }
        })
    };
    assert!(poll(pin!(&mut handle), &waker).is_pending());
    drop(run);
    assert_eq!(count(&seen), 1);
    assert!(outcome(handle).unwrap_err().is_cancelled());
}

#[test]
fn aborted_blocking_code_panics_in_nobodys_face() {
    let (drops, value) = explosive();
    let (run, handle) = package_blocking(move || drop(value));
    handle.abort();
    run();
    assert_eq!(count(&drops), 1);
    assert!(outcome(handle).unwrap_err().is_cancelled());
}
