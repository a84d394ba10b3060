//! Tasks for executors that can run a `Future<Output = ()>` and nothing else.
//!
//! [`package`] turns a future into one that an executor runs and forgets, and a
//! handle that joins and aborts it: what [`Spawn`](super::Spawn) promises, on
//! executors that cancel on drop, resume panics in the task that awaits, or have no
//! handles at all.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::{Join, JoinError};
use crate::wake_batch::{discard, wake};

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
///
/// # Examples
///
/// ```
/// use anysync::{io::package_blocking, Bare, Block};
///
/// let (run, handle) = package_blocking(|| 6 * 7);
/// std::thread::spawn(run);
/// assert_eq!(Bare.block_on(handle).unwrap(), 42);
/// ```
pub fn package_blocking<T, F>(work: F) -> (impl FnOnce() + use<T, F>, TaskHandle<T>)
where
    F: FnOnce() -> T,
{
    let shared = Arc::new(Shared::new());
    let handle = TaskHandle {
        shared: Arc::clone(&shared),
    };
    let job = Job {
        work,
        outcome: Outcome { shared },
    };
    (move || job.run(), handle)
}

/// Blocking code that waits for its thread.
struct Job<F, T> {
    // Dropped before `outcome` reports, as in `Packaged`.
    work: F,
    outcome: Outcome<T>,
}

impl<F: FnOnce() -> T, T> Job<F, T> {
    fn run(self) {
        let Self { work, outcome } = self;
        if outcome.shared.lock().aborted {
            drop_quietly(work);
        } else {
            outcome.settle(catch_unwind(AssertUnwindSafe(work)).map_err(JoinError::panicked));
        }
    }
}

/// What the two halves share.
///
/// The task's waker is kept only as long as there is a handle that could abort:
/// on an executor whose tasks are owned by their wakers alone, a task that owned
/// its own waker would never be freed.
struct Shared<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    result: Option<Result<T, JoinError>>,
    settled: bool,
    aborted: bool,
    /// The handle is gone.
    detached: bool,
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
                detached: false,
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
    /// Makes sure that an abort from now on wakes the task; `false` if it has
    /// been aborted already.
    fn renew_waker(&self, waker: &Waker) -> bool {
        let state = self.shared.lock();
        let is_current = |own: &Waker| own.will_wake(waker);
        if state.aborted || state.detached || state.task.as_ref().is_some_and(is_current) {
            return !state.aborted;
        }
        drop(state);
        // Cloned, and the old one dropped, outside the lock: it is foreign code.
        let waker = waker.clone();
        let mut state = self.shared.lock();
        let aborted = state.aborted;
        let outdated = if state.detached {
            Some(waker)
        } else {
            state.task.replace(waker)
        };
        drop(state);
        discard(outdated);
        !aborted
    }

    /// Reports how the task ended; only the first report counts.
    fn settle(&self, result: Result<T, JoinError>) {
        let mut state = self.shared.lock();
        if state.settled {
            return;
        }
        state.settled = true;
        let mut unwanted = None;
        if state.detached {
            unwanted = Some(result);
        } else {
            state.result = Some(result);
        }
        let joiner = state.joiner.take();
        let own = state.task.take();
        drop(state);
        discard(own);
        drop_quietly(unwanted);
        wake(joiner);
    }
}

impl<T> Drop for Outcome<T> {
    fn drop(&mut self) {
        self.settle(Err(JoinError::cancelled()));
    }
}

/// Drops a value of the task's whose panic no task is left to be told of: it
/// must not reach the executor.
fn drop_quietly<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // A payload may panic in its own `Drop`.
        std::mem::forget(payload);
    }
}

pin_project! {
    /// The half of [`package`] that an executor runs.
    #[must_use = "a task does nothing unless an executor polls it"]
    pub struct Packaged<F: Future> {
        // Dropped before `outcome` reports, so that a task that joins finds the
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
        let mut result = if this.outcome.renew_waker(cx.waker()) {
            match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(output)) => Ok(output),
                Err(payload) => Err(JoinError::panicked(payload)),
            }
        } else {
            Err(JoinError::cancelled())
        };
        // A value inside may panic in its own `Drop`: then that is the panic
        // that is reported, unless there was one already.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| this.future.set(None))) {
            if matches!(&result, Err(error) if error.is_panic()) {
                std::mem::forget(payload);
            } else {
                drop_quietly(std::mem::replace(
                    &mut result,
                    Err(JoinError::panicked(payload)),
                ));
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
        let mut state = self.shared.lock();
        if !state.settled {
            let is_current = |joiner: &Waker| joiner.will_wake(cx.waker());
            if state.joiner.as_ref().is_some_and(is_current) {
                return Poll::Pending;
            }
            drop(state);
            let waker = cx.waker().clone();
            state = self.shared.lock();
            let spare = if state.settled {
                Some(waker)
            } else {
                state.joiner.replace(waker)
            };
            let pending = !state.settled;
            drop(state);
            discard(spare);
            if pending {
                return Poll::Pending;
            }
            state = self.shared.lock();
        }
        let result = state.result.take();
        drop(state);
        Poll::Ready(result.expect("`TaskHandle` was polled after it had finished"))
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
        wake(task);
    }
}

impl<T> Drop for TaskHandle<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.detached = true;
        let joiner = state.joiner.take();
        let task = state.task.take();
        let result = state.result.take();
        drop(state);
        discard(joiner);
        discard(task);
        drop(result);
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
