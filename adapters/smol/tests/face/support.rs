//! What the bodies share.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// A task: it polls with a waker of its own, which counts.
pub(crate) struct Task {
    wakes: Arc<Wakes>,
    waker: Waker,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    pub(crate) fn new() -> Self {
        let wakes = Arc::<Wakes>::default();
        let waker = Waker::from(wakes.clone());
        Self { wakes, waker }
    }

    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut self.context())
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    #[track_caller]
    pub(crate) fn ready<F: Future>(&self, future: Pin<&mut F>) -> F::Output {
        match self.poll(future) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("this wait should be over"),
        }
    }

    #[track_caller]
    pub(crate) fn pending<F: Future>(&self, future: Pin<&mut F>) {
        assert!(self.poll(future).is_pending(), "this should still wait");
    }

    pub(crate) fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }

    pub(crate) fn woken(&self) -> bool {
        self.wakes() > 0
    }
}

/// The outcome of a future that need not wait.
#[track_caller]
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    Task::new().ready(std::pin::pin!(future))
}

/// What `work` panics with.
#[track_caller]
pub(crate) fn panic_of<R>(work: impl FnOnce() -> R) -> String {
    let payload = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(_) => panic!("this should have panicked"),
        Err(payload) => payload,
    };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
    }
}

/// Runs `work` on a thread of its own; fails if it takes a minute.
#[track_caller]
pub(crate) fn within_a_minute<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, finished) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        done.send(()).ok();
        result
    });
    finished
        .recv_timeout(Duration::from_secs(60))
        .expect("blocked for more than a minute");
    match thread.join().expect("caught") {
        Ok(result) => result,
        Err(payload) => std::panic::resume_unwind(payload),
    }
}
