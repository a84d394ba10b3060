//! What the tests of the drop-ins use: tasks that are polled by hand, and the texts
//! of panics.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A task: it polls with a waker of its own, which counts.
#[derive(Debug)]
pub struct Task {
    wakes: Arc<Wakes>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    /// One that nobody has woken.
    #[expect(clippy::new_without_default, reason = "each is a task of its own")]
    pub fn new() -> Self {
        let wakes = Arc::<Wakes>::default();
        let waker = Waker::from(wakes.clone());
        Self { wakes, waker }
    }

    /// Polls a future in this task.
    pub fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut self.context())
    }

    /// With its waker.
    pub fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// The outcome of a wait that is over.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn ready<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> F::Output {
        match self.poll(future) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("this wait should be over"),
        }
    }

    /// Polls what still waits.
    ///
    /// # Panics
    ///
    /// If it does not.
    #[track_caller]
    pub fn pending<F: Future + ?Sized>(&self, future: Pin<&mut F>) {
        assert!(self.poll(future).is_pending(), "this should still wait");
    }

    /// How often it was woken.
    pub fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }

    /// Whether it was woken at all.
    pub fn woken(&self) -> bool {
        self.wakes() > 0
    }
}

/// The outcome of a future that need not wait.
///
/// # Panics
///
/// If it has to.
#[track_caller]
pub fn now<F: Future>(future: F) -> F::Output {
    Task::new().ready(std::pin::pin!(future))
}

/// The text that `work` panics with.
///
/// # Panics
///
/// If it does not, or with something else.
#[track_caller]
pub fn panic_of<R>(work: impl FnOnce() -> R) -> String {
    let payload = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(_) => panic!("this should have panicked"),
        Err(payload) => payload,
    };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
    }
}
