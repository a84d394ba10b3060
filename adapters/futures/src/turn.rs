//! Turns: a task of a pool that wakes itself while it runs goes behind the
//! tasks that are ready.
//!
//! A `ThreadPool` polls such a task again at once, on the same thread; as many
//! tasks as there are threads, each in a loop of `yield_now`, would keep all the
//! others from running.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::executor::ThreadPool;
use pin_project_lite::pin_project;

pin_project! {
    /// A task that takes turns.
    pub(crate) struct Turns<F> {
        #[pin]
        future: F,
        turn: Arc<Turn>,
        pool: ThreadPool,
    }
}

impl<F> Turns<F> {
    pub(crate) fn new(pool: &ThreadPool, future: F) -> Self {
        Self {
            future,
            turn: Arc::default(),
            pool: pool.clone(),
        }
    }
}

/// The waker that the task sees.
#[derive(Default)]
struct Turn {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_polled: bool,
    was_woken: bool,
    /// The pool's waker of the task, between two polls.
    waker: Option<Waker>,
}

impl Turn {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.is_polled {
            state.was_woken = true;
            return;
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<F: Future<Output = ()>> Future for Turns<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let outdated = {
            let mut state = this.turn.lock();
            state.is_polled = true;
            state.was_woken = false;
            state.waker.take()
        };
        drop(outdated);
        let own = Waker::from(Arc::clone(this.turn));
        let polled = this.future.poll(&mut Context::from_waker(&own));
        if polled.is_ready() {
            return polled;
        }
        let waker = cx.waker().clone();
        let mut state = this.turn.lock();
        state.is_polled = false;
        if !state.was_woken {
            state.waker = Some(waker);
            return Poll::Pending;
        }
        drop(state);
        // A job of its own, behind those that are queued: when it is done, the
        // task is behind them too.
        this.pool.spawn_ok(async move { waker.wake() });
        Poll::Pending
    }
}
