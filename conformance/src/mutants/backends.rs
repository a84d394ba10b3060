//! Broken executors and adapters: each has one flaw, as adapters have had them.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use anysync::io::{TaskHandle, package};
use anysync::{Bare, Block, Io, Join, JoinError, Spawn, SpawnBlocking, Timer};

use super::{Broken, Mutant};
use crate::backend::{Backend, Face, Root};
use crate::backends::threads::{Sleep, Threads};

/// One flaw of a runtime of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    SleepEndsEarly,
    SleepsEndInReverse,
    SleepForgetsToWake,
    PastDeadlinePanics,
    SpawnIsLazy,
    DropCancels,
    AbortLeaksTheFuture,
    AbortKillsTheOutput,
    PanicLooksCancelled,
    BlockOnLosesAWake,
    BudgetIsEndless,
}

pub(super) fn all() -> Vec<Mutant> {
    use Flaw::*;
    let flawed = |name, flaw, what, killed_by| Mutant {
        name,
        flaw,
        what: Broken::Backend(Arc::new(OnFlawed(name, what))),
        killed_by,
    };
    let toy = |name, flaw, what: super::toy::Flaw, killed_by| Mutant {
        name,
        flaw,
        what: Broken::Backend(Arc::new(super::toy::OnToy(name, what))),
        killed_by,
    };
    vec![
        flawed(
            "sleep-ends-early",
            "rounds each deadline down to the millisecond",
            SleepEndsEarly,
            &["io::sleep_never_ends_early"],
        ),
        flawed(
            "sleeps-end-in-reverse",
            "fires the latest deadline first",
            SleepsEndInReverse,
            &["io::sleeps_end_in_deadline_order"],
        ),
        flawed(
            "sleep-forgets-to-wake",
            "drops the waker of a sleep that waits",
            SleepForgetsToWake,
            &["io::timeout_cancels_the_inner_future"],
        ),
        flawed(
            "past-deadline-panics",
            "computes how much time is left without looking whether there is any",
            PastDeadlinePanics,
            &["io::ready_future_beats_an_elapsed_timeout"],
        ),
        flawed(
            "spawn-is-lazy",
            "starts a task when its handle is polled",
            SpawnIsLazy,
            &["io::spawned_task_runs_without_being_awaited"],
        ),
        flawed(
            "drop-cancels",
            "cancels a task whose handle is dropped",
            DropCancels,
            &["io::dropped_handle_detaches"],
        ),
        flawed(
            "abort-leaks-the-future",
            "ends the handle of an aborted task and lets its future live",
            AbortLeaksTheFuture,
            &["io::abort_drops_the_future"],
        ),
        flawed(
            "abort-kills-the-output",
            "forgets the output of a finished task that is aborted",
            AbortKillsTheOutput,
            &["io::finished_task_survives_abort"],
        ),
        flawed(
            "panic-looks-cancelled",
            "reports a task's panic as a cancellation",
            PanicLooksCancelled,
            &["io::panic_becomes_join_error"],
        ),
        flawed(
            "block-on-loses-a-wake",
            "forgets a wake-up that comes while the future is polled",
            BlockOnLosesAWake,
            &["io::block_on_returns_the_value"],
        ),
        flawed(
            "budget-is-endless",
            "claims to have a budget and never ends it",
            BudgetIsEndless,
            &["io::budget_is_finite"],
        ),
        toy(
            "yield-starves",
            "runs a task that has yielded before all others",
            super::toy::Flaw::YieldStarves,
            &["io::yield_now_lets_others_run"],
        ),
        toy(
            "foreign-wakes-are-lost",
            "ignores wake-ups from other threads",
            super::toy::Flaw::ForeignWakesAreLost,
            &["io::wake_from_another_thread"],
        ),
        toy(
            "blocking-runs-inline",
            "runs blocking code on the executor's own thread",
            super::toy::Flaw::BlockingRunsInline,
            &["io::spawn_blocking_does_not_stall_tasks"],
        ),
        toy(
            "local-tasks-elsewhere",
            "spawns the local tasks on another thread than the one that polls",
            super::toy::Flaw::LocalTasksElsewhere,
            &["io::local_tasks_stay_on_their_thread"],
        ),
    ]
}

struct OnFlawed(&'static str, Flaw);

impl Backend for OnFlawed {
    fn name(&self) -> &str {
        self.0
    }

    fn run(&self, root: Root) {
        let runtime = Flawed {
            threads: Threads::new(),
            flaw: self.1,
        };
        let mut face = Face::runtime(runtime);
        if self.1 == Flaw::BudgetIsEndless {
            face = face.budget();
        }
        Bare.block_on(root.on(face));
    }
}

#[derive(Clone)]
struct Flawed {
    threads: Threads,
    flaw: Flaw,
}

impl Io for Flawed {}

impl Timer for Flawed {
    type Instant = Instant;
    type Sleep = FlawedSleep;

    fn now(&self) -> Instant {
        self.threads.now()
    }

    fn deadline(&self, after: Duration) -> Instant {
        self.threads.deadline(after)
    }

    fn sleep_until(&self, at: Instant) -> FlawedSleep {
        let now = Instant::now();
        let left = at.saturating_duration_since(now);
        let at = match self.flaw {
            Flaw::SleepEndsEarly => now + Duration::from_millis(left.as_millis() as u64),
            // Of what is due within 40 ms, and not at once, the earlier comes the
            // later.
            Flaw::SleepsEndInReverse if left > Duration::from_millis(4) => {
                at + Duration::from_millis(40).saturating_sub(left) * 10
            }
            Flaw::PastDeadlinePanics => {
                let left = at
                    .checked_duration_since(now)
                    .filter(|left| !left.is_zero());
                now + left.expect("the deadline is in the past")
            }
            _ => at,
        };
        FlawedSleep {
            sleep: self.threads.sleep_until(at),
            forgets: self.flaw == Flaw::SleepForgetsToWake,
        }
    }
}

struct FlawedSleep {
    sleep: Sleep,
    forgets: bool,
}

impl Future for FlawedSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.forgets {
            true => Pin::new(&mut self.sleep).poll(&mut Context::from_waker(Waker::noop())),
            false => Pin::new(&mut self.sleep).poll(cx),
        }
    }
}

impl Spawn for Flawed {
    type Handle<T: Send + 'static> = FlawedHandle<T>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = package(future);
        let runs = self.threads.clone();
        let start = move || drop(runs.spawn(task));
        let mut later: Option<Box<dyn FnOnce() + Send>> = None;
        match self.flaw {
            Flaw::SpawnIsLazy => later = Some(Box::new(start)),
            _ => start(),
        }
        FlawedHandle {
            handle,
            later,
            flaw: self.flaw,
            aborted: AtomicBool::new(false),
        }
    }
}

struct FlawedHandle<T> {
    handle: TaskHandle<T>,
    later: Option<Box<dyn FnOnce() + Send>>,
    flaw: Flaw,
    aborted: AtomicBool,
}

impl<T> Future for FlawedHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(start) = this.later.take() {
            start();
        }
        let forgets = matches!(
            this.flaw,
            Flaw::AbortLeaksTheFuture | Flaw::AbortKillsTheOutput
        );
        if forgets && this.aborted.load(Ordering::Relaxed) {
            return Poll::Ready(Err(JoinError::cancelled()));
        }
        let polled = Pin::new(&mut this.handle).poll(cx);
        match (this.flaw, polled) {
            (Flaw::PanicLooksCancelled, Poll::Ready(Err(_))) => {
                Poll::Ready(Err(JoinError::cancelled()))
            }
            (_, polled) => polled,
        }
    }
}

impl<T> Join<T> for FlawedHandle<T> {
    fn abort(&self) {
        self.aborted.store(true, Ordering::Relaxed);
        if self.flaw != Flaw::AbortLeaksTheFuture {
            self.handle.abort();
        }
    }
}

impl<T> Drop for FlawedHandle<T> {
    fn drop(&mut self) {
        if self.flaw == Flaw::DropCancels {
            self.handle.abort();
        }
    }
}

impl SpawnBlocking for Flawed {
    type BlockingHandle<T: Send + 'static> = TaskHandle<T>;

    fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.threads.spawn_blocking(work)
    }
}

impl Block for Flawed {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        if self.flaw != Flaw::BlockOnLosesAWake {
            return Bare.block_on(future);
        }
        let woken = Arc::new(Woken {
            flag: AtomicBool::new(false),
            thread: thread::current(),
        });
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            // The flaw: what was set while it was polled is cleared.
            woken.flag.store(false, Ordering::Release);
            while !woken.flag.load(Ordering::Acquire) {
                thread::park();
            }
        }
    }
}

struct Woken {
    flag: AtomicBool,
    thread: Thread,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.flag.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
