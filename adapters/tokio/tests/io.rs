//! The laws of `Io`'s capabilities on tokio.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use anysync::{Bare, Block, Io, Join, Notify, Spawn, SpawnBlocking, SpawnLocal, Timer};
use anysync_adapter_tests::{Executor, Local, Sending, laws};
use anysync_tokio::{Tokio, TokioHandle, TokioLocal, TokioRuntime};
use tokio::runtime::{Builder, Handle, Runtime};

laws!(ambient: Sending(Tokio));
laws!(current_thread: Sending(TokioRuntime::current_thread().unwrap()));
laws!(multi_thread: Sending(TokioRuntime::multi_thread().unwrap()));
laws!(local: Local(TokioLocal::new().unwrap()));
laws!(handle: Foreign::new());

/// A handle of a runtime that lives beside it, used from outside.
struct Foreign {
    io: TokioHandle,
    _runtime: Runtime,
}

impl Foreign {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread().enable_time().build().unwrap();
        Self {
            io: TokioHandle::from(&runtime),
            _runtime: runtime,
        }
    }
}

impl Executor for Foreign {
    type Io = TokioHandle;
    type Handle<T: Send + 'static> = <TokioHandle as Spawn>::Handle<T>;

    fn io(&self) -> &TokioHandle {
        &self.io
    }

    fn start<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.io.spawn(future)
    }

    /// On no runtime at all.
    fn run<F: Future>(&self, future: F) -> F::Output {
        Bare.block_on(future)
    }
}

fn paused() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

/// Runs `code`, which panics; returns the message.
fn message_of(code: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(code)).unwrap_err();
    match payload.downcast::<&'static str>() {
        Ok(text) => text.to_string(),
        Err(payload) => *payload.downcast::<String>().unwrap(),
    }
}

mod clock {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// A day of the paused clock passes at once, to the millisecond.
    #[test]
    fn paused_clock_is_followed() {
        let begin = Instant::now();
        paused().block_on(async {
            let start = Tokio.now();
            Tokio.sleep(DAY).await;
            assert_eq!(Tokio.now(), start + DAY);
            let late = Tokio.timeout(DAY, pending::<()>()).await;
            assert!(late.is_err());
            assert_eq!(Tokio.now(), start + 2 * DAY);
            assert_eq!(Tokio.deadline(DAY), start + 3 * DAY);
        });
        assert!(begin.elapsed() < DAY);
    }

    /// Outside the runtime, its handle still reads its clock and not the
    /// system's.
    #[test]
    fn paused_clock_is_read_from_outside() {
        let runtime = paused();
        let rt = TokioHandle::from(&runtime);
        let start = rt.now();
        runtime.block_on(tokio::time::advance(DAY));
        assert_eq!(rt.now(), start + DAY);
        assert_eq!(rt.deadline(DAY), start + 2 * DAY);
        // Past on the paused clock, though not on the system's.
        Bare.block_on(rt.sleep_until(start + DAY));
    }

    #[test]
    fn deadline_saturates() {
        for rt in [Tokio.deadline(Duration::MAX), Tokio.deadline(1000 * DAY)] {
            assert!(rt > Tokio.now() + 999 * DAY);
        }
    }
}

mod budget {
    use super::*;

    /// A loop of waits that are all ready lets another task of its thread run.
    #[test]
    fn exhausted_budget_yields() {
        let rt = TokioRuntime::current_thread().unwrap();
        rt.block_on(async {
            let stop = Arc::new(AtomicBool::new(false));
            let other = Tokio.spawn({
                let stop = stop.clone();
                async move { stop.store(true, Ordering::Relaxed) }
            });
            let notify = Notify::new();
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) {
                notify.notify_one();
                notify.wait(Tokio).await;
                rounds += 1;
                assert!(rounds < 100_000, "the other task never ran");
            }
            assert!(rounds > 1, "the budget is more than one unit");
            other.await.unwrap();
        });
    }

    /// `Bare` spends nothing, on purpose.
    #[test]
    fn bare_spends_nothing() {
        let rt = TokioRuntime::current_thread().unwrap();
        rt.block_on(async {
            let ran = Arc::new(AtomicBool::new(false));
            let other = Tokio.spawn({
                let ran = ran.clone();
                async move { ran.store(true, Ordering::Relaxed) }
            });
            let notify = Notify::new();
            for _ in 0..10_000 {
                notify.notify_one();
                notify.wait(Bare).await;
            }
            assert!(!ran.load(Ordering::Relaxed));
            other.await.unwrap();
        });
    }

    #[test]
    fn outside_a_task_there_is_no_budget() {
        let mut cx = Context::from_waker(Waker::noop());
        let rt = TokioRuntime::current_thread().unwrap();
        for _ in 0..10_000 {
            assert!(Tokio.poll_spend(&mut cx).is_ready());
            assert!(rt.poll_spend(&mut cx).is_ready());
        }
    }

    /// The inner future has used up the budget whenever the time is looked at.
    #[test]
    fn timeout_ends_beside_a_future_that_uses_up_the_budget() {
        let rt = TokioRuntime::current_thread().unwrap();
        let notify = Notify::new();
        let busy = async {
            loop {
                notify.notify_one();
                notify.wait(Tokio).await;
            }
        };
        let outcome: Result<(), _> =
            rt.block_on(async { Tokio.timeout(Duration::from_millis(1), busy).await });
        assert!(outcome.is_err());
    }

    /// Sleeps that are all over let another task run too.
    #[test]
    fn sleep_spends_budget() {
        let rt = TokioRuntime::current_thread().unwrap();
        rt.block_on(async {
            let stop = Arc::new(AtomicBool::new(false));
            let other = Tokio.spawn({
                let stop = stop.clone();
                async move { stop.store(true, Ordering::Relaxed) }
            });
            let past = Tokio.now();
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) {
                Tokio.sleep_until(past).await;
                rounds += 1;
                assert!(rounds < 100_000, "the other task never ran");
            }
            other.await.unwrap();
        });
    }

    #[test]
    fn finished_sleep_stays_ready() {
        let rt = TokioRuntime::current_thread().unwrap();
        rt.block_on(async {
            let mut sleep = pin!(Tokio.sleep(Duration::from_millis(1)));
            sleep.as_mut().await;
            let again = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx))).await;
            assert!(again.is_ready());
        });
    }
}

mod misuse {
    use super::*;

    #[test]
    fn missing_timer_says_so() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let rt = TokioHandle::from(&runtime);
        let messages = [
            message_of(|| runtime.block_on(Tokio.sleep(Duration::ZERO))),
            message_of(|| runtime.block_on(async { Tokio.sleep(Duration::ZERO).await })),
            message_of(|| drop(rt.sleep(Duration::ZERO))),
        ];
        assert!(
            messages[0].contains("only inside a tokio runtime"),
            "{messages:?}"
        );
        for message in &messages[1..] {
            assert!(message.contains("enable_time"), "{message}");
        }
    }

    #[test]
    fn missing_runtime_says_so() {
        let messages = [
            message_of(|| drop(Tokio.sleep(Duration::ZERO))),
            message_of(|| drop(Tokio.spawn(async {}))),
            message_of(|| drop(Tokio.spawn_blocking(|| ()))),
        ];
        for message in messages {
            assert!(message.contains("use a `TokioHandle`"), "{message}");
        }
    }

    #[test]
    fn local_task_without_a_local_set_says_so() {
        let message = message_of(|| {
            Tokio.block_on(async { drop(Tokio.spawn_local(async {})) });
        });
        assert!(message.contains("`task::LocalSet`"), "{message}");
    }

    #[test]
    fn nested_block_on_keeps_the_message_of_tokio() {
        const MESSAGE: &str = "Cannot start a runtime from within a runtime";

        let rt = TokioRuntime::current_thread().unwrap();
        let local = TokioLocal::new().unwrap();
        let handle = TokioHandle::from(rt.runtime());
        let messages = [
            message_of(|| Tokio.block_on(async { Tokio.block_on(async {}) })),
            message_of(|| rt.block_on(async { rt.block_on(async {}) })),
            message_of(|| rt.block_on(async { handle.block_on(async {}) })),
            message_of(|| local.block_on(async { local.block_on(async {}) })),
        ];
        for message in messages {
            assert!(message.contains(MESSAGE), "{message}");
        }
    }

    #[test]
    fn sleep_after_the_shutdown_says_so() {
        let runtime = Builder::new_multi_thread().enable_time().build().unwrap();
        let rt = TokioHandle::from(&runtime);
        let mut sleep = Box::pin(rt.sleep(Duration::from_secs(3600)));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        drop(runtime);
        let message = message_of(|| assert!(sleep.as_mut().poll(&mut cx).is_ready()));
        assert!(message.contains("being shutdown"), "{message}");
    }
}

mod lifetime {
    use super::*;

    #[test]
    fn shutdown_cancels_tasks() {
        let runtime = Builder::new_multi_thread().enable_time().build().unwrap();
        let rt = TokioHandle::from(&runtime);
        let pending = rt.spawn(pending::<()>());
        drop(runtime);
        assert!(Bare.block_on(pending).unwrap_err().is_cancelled());
    }

    #[test]
    fn spawning_after_the_shutdown_is_cancelled() {
        let runtime = Builder::new_multi_thread().enable_time().build().unwrap();
        let rt = TokioHandle::from(&runtime);
        drop(runtime);
        let task = rt.spawn(async {});
        assert!(Bare.block_on(task).unwrap_err().is_cancelled());
        let job = rt.spawn_blocking(|| ());
        assert!(Bare.block_on(job).unwrap_err().is_cancelled());
    }

    #[test]
    fn dropped_local_runtime_cancels_its_tasks() {
        let rt = TokioLocal::new().unwrap();
        let never_polled = rt.spawn_local(async {});
        drop(rt);
        assert!(Bare.block_on(never_polled).unwrap_err().is_cancelled());
    }

    #[test]
    fn task_aborted_before_its_first_poll_is_never_polled() {
        let rt = TokioRuntime::current_thread().unwrap();
        let task = rt.spawn(async { panic!("polled after an abort") });
        task.abort();
        let outcome: Result<(), _> = rt.block_on(task);
        assert!(outcome.unwrap_err().is_cancelled());
    }

    /// tokio panics when a runtime is dropped where blocking is forbidden.
    #[test]
    fn last_handle_may_be_dropped_inside_a_task() {
        let inner = TokioRuntime::multi_thread().unwrap();
        let local = TokioLocal::new().unwrap();
        let outer = TokioRuntime::multi_thread().unwrap();
        outer
            .block_on(outer.spawn(async move { drop(inner) }))
            .unwrap();
        outer.block_on(async move { drop(local) });
    }

    /// Its own worker is the one that drops the runtime.
    #[test]
    fn last_handle_may_be_dropped_by_its_own_task() {
        let rt = TokioRuntime::multi_thread().unwrap();
        let (go, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let clone = rt.clone();
        drop(rt.spawn({
            let (go, dropped) = (go.clone(), dropped.clone());
            async move {
                go.wait(Bare).await;
                drop(clone);
                dropped.notify_one();
            }
        }));
        drop(rt);
        go.notify_one();
        Bare.block_on(dropped.wait_future());
    }

    #[test]
    fn block_on_uses_the_current_runtime() {
        let rt = TokioRuntime::current_thread().unwrap();
        let inside = rt.block_on(async {
            let id = Handle::current().id();
            let job = Tokio.spawn_blocking(|| Tokio.block_on(async { Handle::current().id() }));
            (id, job.await.unwrap())
        });
        assert_eq!(inside.0, inside.1);
    }

    #[test]
    fn block_on_builds_a_runtime_of_several_threads() {
        Tokio.block_on(async {
            let flavor = Handle::current().runtime_flavor();
            assert_eq!(flavor, tokio::runtime::RuntimeFlavor::MultiThread);
        });
        assert!(Handle::try_current().is_err(), "it has ended");
    }

    #[test]
    fn local_tasks_stay_on_their_thread() {
        let rt = TokioLocal::new().unwrap();
        let count = std::rc::Rc::new(Cell::new(0));
        rt.block_on(async {
            // The ambient handle finds the same set.
            let task = Tokio.spawn_local({
                let count = count.clone();
                async move {
                    anysync::yield_now().await;
                    count.set(count.get() + 1);
                    thread::current().id()
                }
            });
            assert_eq!(task.await.unwrap(), thread::current().id());
        });
        assert_eq!(count.get(), 1);
    }

    #[test]
    fn handles_convert_into_tokios() {
        let rt = TokioRuntime::current_thread().unwrap();
        let task: tokio::task::JoinHandle<u32> = rt.spawn(async { 42 }).into();
        assert_eq!(rt.block_on(task).unwrap(), 42);
    }
}
