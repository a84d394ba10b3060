//! Tasks for executors that can run a `Future<Output = ()>` and nothing else.
//!
//! [`package`] turns a future into one that an executor runs and forgets, and a
//! handle that joins and aborts it: what [`Spawn`](super::Spawn) promises, on
//! executors that cancel on drop, resume panics in whoever awaits, or have no
//! handles at all.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::{Join, JoinError};

/// Splits `future` into what an executor runs and the handle that joins it.
///
/// The first part catches the future's panics and drops it when it is aborted;
/// it has no output and may be detached. If the executor drops it unfinished,
/// the handle ends with a cancellation.
///
/// # Examples
///
/// An executor that knows only threads:
///
/// ```
/// use anysync::{io::package, Bare, Block};
///
/// let (task, handle) = package(async { 6 * 7 });
/// std::thread::spawn(move || Bare.block_on(task));
/// assert_eq!(Bare.block_on(handle).unwrap(), 42);
/// ```
pub fn package<F: Future>(future: F) -> (Packaged<F>, TaskHandle<F::Output>) {
    let shared = Arc::new(Shared::new());
    let handle = TaskHandle {
        shared: Arc::clone(&shared),
    };
    let task = Packaged {
        future: Some(future),
        outcome: Outcome { shared },
    };
    (task, handle)
}

/// Splits blocking code into what a thread runs and the handle that joins it;
/// see [`package`]. Aborting works until the code has started.
pub fn package_blocking<T, F>(work: F) -> (impl FnOnce(), TaskHandle<T>)
where
    F: FnOnce() -> T,
{
    let shared = Arc::new(Shared::new());
    let handle = TaskHandle {
        shared: Arc::clone(&shared),
    };
    let outcome = Outcome { shared };
    let run = move || {
        if !outcome.shared.lock().aborted {
            outcome.settle(catch_unwind(AssertUnwindSafe(work)).map_err(JoinError::panicked));
        }
    };
    (run, handle)
}

/// What the two halves share.
struct Shared<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    result: Option<Result<T, JoinError>>,
    settled: bool,
    aborted: bool,
    joiner: Option<Waker>,
    task: Option<Waker>,
}

impl<T> Shared<T> {
    fn new() -> Self {
        Self {
            state: Mutex::new(State {
                result: None,
                settled: false,
                aborted: false,
                joiner: None,
                task: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task's half of [`Shared`]; dropped unsettled, it reports a cancellation.
struct Outcome<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Outcome<T> {
    /// Reports how the task ended; only the first report counts.
    fn settle(&self, result: Result<T, JoinError>) {
        let mut state = self.shared.lock();
        if state.settled {
            return;
        }
        state.settled = true;
        state.result = Some(result);
        let joiner = state.joiner.take();
        let own = state.task.take();
        drop(state);
        drop(own);
        if let Some(joiner) = joiner {
            joiner.wake();
        }
    }
}

impl<T> Drop for Outcome<T> {
    fn drop(&mut self) {
        self.settle(Err(JoinError::cancelled()));
    }
}

pin_project! {
    /// The half of [`package`] that an executor runs.
    #[must_use = "a task does nothing unless an executor polls it"]
    pub struct Packaged<F: Future> {
        // Dropped before `outcome` reports, so that whoever joins finds the
        // task's own values gone.
        #[pin]
        future: Option<F>,
        outcome: Outcome<F::Output>,
    }
}

impl<F: Future> Future for Packaged<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(());
        };
        let waker = cx.waker().clone();
        let (aborted, previous) = {
            let mut state = this.outcome.shared.lock();
            (state.aborted, state.task.replace(waker))
        };
        drop(previous);
        let polled = if aborted {
            Poll::Ready(Err(JoinError::cancelled()))
        } else {
            match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
                Err(payload) => Poll::Ready(Err(JoinError::panicked(payload))),
            }
        };
        let Poll::Ready(mut result) = polled else {
            return Poll::Pending;
        };
        // A value inside may panic in its own `Drop`: then that is the panic
        // that is reported, unless there was one already.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| this.future.set(None))) {
            if !matches!(&result, Err(error) if error.is_panic()) {
                result = Err(JoinError::panicked(payload));
            }
        }
        this.outcome.settle(result);
        Poll::Ready(())
    }
}

/// The half of [`package`] that waits for the output.
///
/// Dropping it detaches the task.
#[must_use = "a handle does nothing unless it is awaited; drop it to detach the task"]
pub struct TaskHandle<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Future for TaskHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = cx.waker().clone();
        let mut state = self.shared.lock();
        let outdated;
        let polled = match state.result.take() {
            Some(result) => {
                outdated = state.joiner.take();
                Poll::Ready(result)
            }
            None if state.settled => {
                drop(state);
                panic!("`TaskHandle` was polled after it had finished");
            }
            None => {
                outdated = state.joiner.replace(waker);
                Poll::Pending
            }
        };
        drop(state);
        drop(outdated);
        polled
    }
}

impl<T> Join<T> for TaskHandle<T> {
    fn abort(&self) {
        let mut state = self.shared.lock();
        if state.settled {
            return;
        }
        state.aborted = true;
        let task = state.task.take();
        drop(state);
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl<T> std::fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let settled = self.shared.lock().settled;
        f.debug_struct("TaskHandle")
            .field("is_finished", &settled)
            .finish()
    }
}

impl<F: Future> std::fmt::Debug for Packaged<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packaged").finish_non_exhaustive()
    }
}
