//! Running one future on one thread.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use super::Elapsed;

/// Runs `future` to its end on this thread, parking the thread while it is
/// pending.
///
/// The waker is kept per thread, so from its second call on a thread allocates
/// nothing. Nested calls are allowed: the inner one blocks the outer.
///
/// # Examples
///
/// ```
/// assert_eq!(anysync::io::block_on(async { 42 }), 42);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    match with_parker(|parker| parker.run(future, None)) {
        Some(output) => output,
        None => unreachable!("without a deadline it waits for the output"),
    }
}

/// [`block_on`] until `deadline`: at that instant it polls once more, and drops the
/// future if it is still pending.
///
/// ```
/// use std::future::{pending, ready};
/// use std::time::{Duration, Instant};
/// use anysync::io::block_on_until;
///
/// let soon = Instant::now() + Duration::from_millis(1);
/// assert!(block_on_until(pending::<()>(), soon).is_err());
/// assert_eq!(block_on_until(ready(42), soon).unwrap(), 42);
/// ```
///
/// # Errors
///
/// If the future is not done by then.
pub fn block_on_until<F: Future>(future: F, deadline: Instant) -> Result<F::Output, Elapsed> {
    with_parker(|parker| parker.run(future, Some(deadline))).ok_or(Elapsed(()))
}

fn with_parker<R>(work: impl FnOnce(&Parker) -> R) -> R {
    std::thread_local! {
        static PARKER: RefCell<Option<Parker>> = const { RefCell::new(None) };
    }
    // A nested call finds the slot empty and makes a parker of its own, so that
    // a wake-up meant for the outer future is not eaten by the inner one.
    let parker = PARKER
        .try_with(|slot| slot.borrow_mut().take())
        .ok()
        .flatten()
        .unwrap_or_else(Parker::new);
    let output = work(&parker);
    let _ = PARKER.try_with(|slot| *slot.borrow_mut() = Some(parker));
    output
}

struct Parker {
    signal: Arc<Signal>,
    waker: Waker,
}

struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

impl Parker {
    fn new() -> Self {
        let signal = Arc::new(Signal {
            woken: AtomicBool::new(false),
            thread: thread::current(),
        });
        let waker = Waker::from(Arc::clone(&signal));
        Self { signal, waker }
    }

    /// The output; `None` if there is none by the deadline.
    fn run<F: Future>(&self, future: F, deadline: Option<Instant>) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(&self.waker);
        loop {
            // First, so that a future is polled once more after its deadline.
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Some(output);
            }
            if left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            // `park` may also return by itself or for another's `unpark`;
            // the flag tells.
            while !self.signal.woken.swap(false, Ordering::Acquire) {
                match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                    None => thread::park(),
                    Some(left) if left.is_zero() => break,
                    Some(left) => thread::park_timeout(left),
                }
            }
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}
