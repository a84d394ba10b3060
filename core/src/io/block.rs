//! Running one future on one thread.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

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
    let output = parker.run(future);
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

    fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(&self.waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            // `park` may also return by itself or for somebody else's `unpark`;
            // the flag tells.
            while !self.signal.woken.swap(false, Ordering::Acquire) {
                thread::park();
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
