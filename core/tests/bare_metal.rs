//! What a program without an operating system links: the primitives, a waker of
//! its own, no heap and no `std`. Under each set of features the inner lock is
//! another (the system's, a spin lock, a critical section), so this is run under
//! each:
//!
//! ```text
//! cargo test -p anysync --test bare_metal
//! cargo test -p anysync --test bare_metal --no-default-features
//! cargo test -p anysync --test bare_metal --no-default-features --features critical-section
//! ```
//!
//! The harness of the test has threads, and uses them to contend for the lock.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use anysync::{Barrier, Mutex, Notify, OnceCell, notify};

/// An executor for one future: it polls until the future is done, as a loop
/// around `wfi` does.
fn spin_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll_once(future.as_mut()) {
            return output;
        }
        thread::yield_now();
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn interrupt_notifies_the_main_loop() {
    static BUTTON: Notify = Notify::new();
    static CALLS: AtomicUsize = AtomicUsize::new(0);

    let mut waiter = pin!(notify::Waiter::with_callback(&CALLS, |calls| {
        calls.fetch_add(1, Ordering::Relaxed);
    }));
    assert!(!BUTTON.wait_with(waiter.as_mut()));
    BUTTON.notify_one();
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    assert!(waiter.is_notified());
    BUTTON.notify_one();
    spin_on(BUTTON.wait_future());
    assert!(!BUTTON.has_permit());
}

#[test]
fn inner_lock_excludes() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 500;

    static NOTIFY: Notify = Notify::new();
    static TOTAL: Mutex<usize> = Mutex::new(0);
    static SCALE: OnceCell<usize> = OnceCell::new();
    static START: Barrier = Barrier::new(THREADS);

    let leaders: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let leads = spin_on(START.wait_future());
                    for _ in 0..ROUNDS {
                        let scale = *spin_on(SCALE.get_or_init_future(|| 2));
                        *spin_on(TOTAL.lock_future()) += scale;
                        // Joins and leaves the queue under the others' feet.
                        let mut wait = pin!(NOTIFY.wait_future());
                        let reached = poll_once(wait.as_mut()).is_ready();
                        NOTIFY.notify_all();
                        assert!(reached || poll_once(wait).is_ready());
                    }
                    usize::from(leads)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(leaders, 1);
    assert_eq!(*spin_on(TOTAL.lock_future()), 2 * THREADS * ROUNDS);
    assert_eq!(NOTIFY.waiter_count(), 0);
}

#[cfg(feature = "alloc")]
#[test]
fn channel_hands_over_every_message() {
    use anysync::channel;

    const MESSAGES: usize = 1_000;
    let (sender, receiver) = channel::bounded(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            let sender = sender.clone();
            scope.spawn(move || {
                for number in 1..=MESSAGES {
                    spin_on(sender.send_future(number)).expect("there are receivers");
                }
            });
        }
        drop(sender);
        let receiving = [(); 2].map(|()| {
            let receiver = receiver.clone();
            scope.spawn(move || {
                let mut sum = 0;
                while let Ok(number) = spin_on(receiver.recv_future()) {
                    sum += number;
                }
                sum
            })
        });
        let sum: usize = receiving
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum();
        assert_eq!(sum, MESSAGES * (MESSAGES + 1));
    });
}

/// Without `std` a panic cannot be caught: what is left is woken as it unwinds.
#[test]
fn panicking_waker_loses_no_wakeup() {
    /// Panics when it is woken, if it is to.
    struct Alarm(AtomicUsize, bool);

    impl Wake for Alarm {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert!(!self.1, "this waker panics");
        }
    }

    // More than one batch, with the panic in the first, at its end, in the last.
    const WAITS: usize = 100;
    for panics in [0, 31, 32, 99] {
        let notify = Notify::new();
        let alarms: Vec<_> = (0..WAITS)
            .map(|index| Arc::new(Alarm(AtomicUsize::new(0), index == panics)))
            .collect();
        let mut waits: Vec<_> = (0..WAITS).map(|_| Box::pin(notify.wait_future())).collect();
        for (wait, alarm) in waits.iter_mut().zip(&alarms) {
            let waker = Waker::from(alarm.clone());
            let polled = wait.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
        }
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| notify.notify_all()));
        assert!(outcome.is_err(), "the panic goes on");
        for (index, alarm) in alarms.iter().enumerate() {
            assert_eq!(alarm.0.load(Ordering::Relaxed), 1, "waker {index}");
        }
        for wait in &mut waits {
            assert!(poll_once(wait.as_mut()).is_ready());
        }
    }
}
