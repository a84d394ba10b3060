//! Laws of tasks, and of running a future on a thread.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use anysync::{Bare, Join, Notify, SpawnBlocking};

use crate::{Executor, SignalOnDrop};

/// Nobody polls the handle while the task runs.
pub fn spawned_task_runs_without_being_awaited<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let done = Arc::new(Notify::new());
        let handle = rt.start({
            let done = done.clone();
            async move { done.notify_one() }
        });
        done.wait(rt.io()).await;
        handle.await.unwrap();
    });
}

/// The task goes on when its handle is gone.
pub fn dropped_handle_detaches<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let (go, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handle = rt.start({
            let (go, done) = (go.clone(), done.clone());
            async move {
                done.notify_one();
                go.wait(Bare).await;
                done.notify_one();
            }
        });
        done.wait(rt.io()).await;
        drop(handle);
        go.notify_one();
        done.wait(rt.io()).await;
    });
}

/// A task that waits for ever ends when it is aborted: its future is dropped,
/// and then its handle says so.
pub fn abort_drops_the_future<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handle = rt.start({
            let started = started.clone();
            let signal = SignalOnDrop(dropped.clone());
            async move {
                let _signal = signal;
                started.notify_one();
                pending::<()>().await;
            }
        });
        started.wait(rt.io()).await;
        assert!(!dropped.has_permit());
        handle.abort();
        let error = handle.await.unwrap_err();
        assert!(error.is_cancelled(), "{error:?}");
        assert!(dropped.has_permit(), "the handle ended before the future");
    });
}

/// Abort and drop the handle at once: the abort still counts.
pub fn abort_outlives_the_handle<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let never = Arc::new(Notify::new());
        let handle = rt.start({
            let (started, never) = (started.clone(), never.clone());
            let signal = SignalOnDrop(dropped.clone());
            async move {
                let _signal = signal;
                started.notify_one();
                never.wait(Bare).await;
            }
        });
        started.wait(rt.io()).await;
        handle.abort();
        drop(handle);
        dropped.wait(rt.io()).await;
    });
}

/// An abort after the end changes nothing.
pub fn finished_task_survives_abort<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let finished = Arc::new(Notify::new());
        let signal = SignalOnDrop(finished.clone());
        let handle = rt.start(async move {
            let _signal = signal;
            42
        });
        finished.wait(rt.io()).await;
        handle.abort();
        assert_eq!(handle.await.unwrap(), 42);
    });
}

/// The payload comes through the handle, and the executor goes on.
pub fn panic_becomes_join_error<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let error = rt
            .start(async { panic_any(42_u32) })
            .await
            .map(|()| "no panic")
            .unwrap_err();
        assert!(error.is_panic(), "{error:?}");
        let payload = error.try_into_panic().unwrap();
        assert_eq!(payload.downcast_ref::<u32>(), Some(&42));
        assert_eq!(rt.start(async { 1 }).await.unwrap(), 1);
    });
}

struct PanicsWhenDropped(Arc<Notify>);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        self.0.notify_one();
        panic!("this value panics when it is dropped");
    }
}

/// A task whose output nobody wants, and which panics when it is dropped, is the
/// only one that suffers.
pub fn panic_of_a_detached_output_stays_in_its_task<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let (go, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handle = rt.start({
            let (go, output) = (go.clone(), PanicsWhenDropped(dropped.clone()));
            async move {
                go.wait(Bare).await;
                output
            }
        });
        drop(handle);
        go.notify_one();
        dropped.wait(rt.io()).await;
        assert_eq!(rt.start(async { 1 }).await.unwrap(), 1);
    });
}

/// A future that panics when an abort drops it: the handle tells of the panic.
pub fn panic_in_a_dropped_future_becomes_join_error<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let handle = rt.start({
            let (started, value) = (started.clone(), PanicsWhenDropped(dropped.clone()));
            async move {
                let _value = value;
                started.notify_one();
                pending::<()>().await;
            }
        });
        started.wait(rt.io()).await;
        handle.abort();
        let error = handle.await.unwrap_err();
        assert!(error.is_panic(), "{error:?}");
    });
}

/// A plain thread ends the wait of a task.
pub fn task_is_woken_from_another_thread<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    let signal = Arc::new(Notify::new());
    let waker = thread::spawn({
        let signal = signal.clone();
        move || {
            while signal.waiter_count() == 0 {
                thread::yield_now();
            }
            signal.notify_one();
        }
    });
    rt.run(async {
        rt.start(async move { signal.wait(Bare).await })
            .await
            .unwrap();
    });
    waker.join().unwrap();
}

/// Also when the value is borrowed from outside.
pub fn block_on_returns_the_value<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    let text = String::from("outside");
    assert_eq!(rt.run(async { text.as_str() }), "outside");
}

/// A panic of the future goes on in the caller, and the thread may block again,
/// with its tasks.
pub fn block_on_works_after_a_panic<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    let outcome = catch_unwind(AssertUnwindSafe(|| rt.run(async { panic_any(42_u32) })));
    assert_eq!(outcome.unwrap_err().downcast_ref::<u32>(), Some(&42));
    let answer = rt.run(async { rt.start(async { 42 }).await });
    assert_eq!(answer.unwrap(), 42);
}

/// Blocking code waits for what a task does.
pub fn spawn_blocking_does_not_stall_tasks<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let (tell, told) = mpsc::channel();
        let job = rt.io().spawn_blocking(move || told.recv().unwrap());
        rt.start(async move { tell.send(42).unwrap() })
            .await
            .unwrap();
        assert_eq!(job.await.unwrap(), 42);
    });
}

/// Blocking code runs when its handle is gone.
pub fn dropped_blocking_handle_detaches<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let done = Arc::new(Notify::new());
        drop(rt.io().spawn_blocking({
            let done = done.clone();
            move || done.notify_one()
        }));
        done.wait(rt.io()).await;
    });
}

/// The payload comes through the handle.
pub fn blocking_panic_becomes_join_error<E: Executor>(make: impl FnOnce() -> E) {
    let rt = make();
    rt.run(async {
        let error = rt
            .io()
            .spawn_blocking(|| panic_any(42_u32))
            .await
            .map(|()| "no panic")
            .unwrap_err();
        let payload = error.try_into_panic().unwrap();
        assert_eq!(payload.downcast_ref::<u32>(), Some(&42));
    });
}
