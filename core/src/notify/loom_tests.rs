//! What the laws of `notify::` promise, in every interleaving of two or three
//! threads. Each model says what it proves; its bound is the number of forced
//! switches that `model` is given.

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use std::boxed::Box;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::*;
use crate::loom_util::{block_on, model, poll_noop};

const SIGNALS: [fn(&Notify); 3] = [Notify::notify_one, Notify::notify_last, Notify::notify_all];

/// A thread that gives a signal; join it before the model ends.
fn signaller(notify: &Arc<Notify>, signal: fn(&Notify)) -> thread::JoinHandle<()> {
    let notify = notify.clone();
    thread::spawn(move || signal(&notify))
}

/// What is written before a signal is read after the wait, whether the signal is
/// stored, reaches a created wait, or a queued one.
#[test]
fn loom_happens_before() {
    for signal in SIGNALS {
        model(3, move || {
            let shared = Arc::new((Notify::new(), UnsafeCell::new(0)));
            let wait = shared.0.wait_future();
            let writer = {
                let shared = shared.clone();
                thread::spawn(move || {
                    // SAFETY: nobody reads before the signal.
                    shared.1.with_mut(|value| unsafe { *value = 1 });
                    signal(&shared.0);
                })
            };
            block_on(wait);
            // SAFETY: the writer is done with it since it gave the signal.
            assert_eq!(shared.1.with(|value| unsafe { *value }), 1);
            writer.join().unwrap();
        });
    }
}

/// Two signals that merge into one permit both come before the wait that takes
/// it.
#[test]
fn loom_merged_permits_both_happen_before() {
    model(3, || {
        let shared = Arc::new((
            Notify::new(),
            AtomicBool::new(false),
            AtomicBool::new(false),
        ));
        let writer = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.1.store(true, Ordering::Relaxed);
                shared.0.notify_one();
            })
        };
        shared.2.store(true, Ordering::Relaxed);
        shared.0.notify_one();
        // If the signals did not merge, the wait for the second ends as well; if
        // they did, one wait sees both.
        while !(shared.1.load(Ordering::Relaxed) && shared.2.load(Ordering::Relaxed)) {
            block_on(shared.0.wait_future());
        }
        writer.join().unwrap();
    });
}

/// A signal that meets the drop of the wait that it had chosen reaches the other
/// wait, and is neither lost nor doubled.
#[test]
fn loom_cancelled_one_goes_to_the_next() {
    for last_in in [false, true] {
        let signal = if last_in {
            Notify::notify_last
        } else {
            Notify::notify_one
        };
        model(3, move || {
            let notify = Arc::new(Notify::new());
            let mut waits = [
                Box::pin(notify.wait_future()),
                Box::pin(notify.wait_future()),
            ];
            for wait in &mut waits {
                assert!(poll_noop(wait.as_mut()).is_pending());
            }
            let [first, last] = waits;
            let (dropped, kept) = if last_in {
                (last, first)
            } else {
                (first, last)
            };
            let thread = signaller(&notify, signal);
            drop(dropped);
            block_on(kept);
            thread.join().unwrap();
            assert!(!notify.has_permit());
            assert_eq!(notify.waiter_count(), 0);
        });
    }
}

/// A signal that meets the drop of the only wait is stored, or had been used.
#[test]
fn loom_cancelled_alone_stores_the_permit() {
    model(3, || {
        let notify = Arc::new(Notify::new());
        let mut wait = Box::pin(notify.wait_future());
        assert!(poll_noop(wait.as_mut()).is_pending());
        let thread = signaller(&notify, Notify::notify_one);
        let ready = poll_noop(wait.as_mut()).is_ready();
        drop(wait);
        thread.join().unwrap();
        assert_eq!(notify.has_permit(), !ready);
        assert_eq!(notify.waiter_count(), 0);
    });
}

/// A wait dropped while `notify_all` is under way leaves no trace; the others
/// are reached, and nothing is stored.
#[test]
fn loom_drop_meets_notify_all() {
    model(3, || {
        let notify = Arc::new(Notify::new());
        let mut waits = [(); 3].map(|()| Box::pin(notify.wait_future()));
        for wait in &mut waits {
            assert!(poll_noop(wait.as_mut()).is_pending());
        }
        let thread = signaller(&notify, Notify::notify_all);
        let [first, middle, last] = waits;
        drop(middle);
        block_on(last);
        block_on(first);
        assert!(!notify.has_permit());
        assert_eq!(notify.waiter_count(), 0);
        thread.join().unwrap();
    });
}

/// `notify_all` is one event: who sees it reach one wait sees it reach all, and
/// nobody who comes after that is swept in.
#[test]
fn loom_all_wakes_exactly_those_before() {
    model(3, || {
        let notify = Arc::new(Notify::new());
        let mut first = Box::pin(notify.wait_future());
        let mut second = Box::pin(notify.wait_future());
        let created = Box::pin(notify.wait_future());
        for wait in [&mut first, &mut second] {
            assert!(poll_noop(wait.as_mut()).is_pending());
        }
        let thread = signaller(&notify, Notify::notify_all);
        if poll_noop(first.as_mut()).is_ready() {
            let mut late = Box::pin(notify.wait_future());
            assert!(poll_noop(late.as_mut()).is_pending());
            assert!(poll_noop(second.as_mut()).is_ready());
            assert!(poll_noop({ created }.as_mut()).is_ready());
            assert!(poll_noop(late.as_mut()).is_pending());
            thread.join().unwrap();
            assert!(poll_noop(late.as_mut()).is_pending());
            assert_eq!(notify.waiter_count(), 1);
        } else {
            block_on(created);
            block_on(second);
            block_on(first);
            thread.join().unwrap();
        }
    });
}

/// Enabled before the condition is read, a wait misses no signal, though the
/// condition itself is read and written without any order.
#[test]
fn loom_wait_before_check_misses_nothing() {
    for signal in SIGNALS {
        model(3, move || {
            let shared = Arc::new((Notify::new(), AtomicBool::new(false)));
            let writer = {
                let shared = shared.clone();
                thread::spawn(move || {
                    shared.1.store(true, Ordering::Relaxed);
                    signal(&shared.0);
                })
            };
            let mut wait = pin!(shared.0.wait_future());
            wait.as_mut().enable();
            if !shared.1.load(Ordering::Relaxed) {
                block_on(wait.as_mut());
                assert!(shared.1.load(Ordering::Relaxed));
            }
            writer.join().unwrap();
        });
    }
}

/// For `notify_all` it is enough that the wait was created before.
#[test]
fn loom_created_before_check_misses_no_notify_all() {
    model(3, || {
        let shared = Arc::new((Notify::new(), AtomicBool::new(false)));
        let writer = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.1.store(true, Ordering::Relaxed);
                shared.0.notify_all();
            })
        };
        let wait = shared.0.wait_future();
        if !shared.1.load(Ordering::Relaxed) {
            block_on(wait);
            assert!(shared.1.load(Ordering::Relaxed));
        }
        writer.join().unwrap();
    });
}

/// Two signals from two threads reach two waits, one each.
#[test]
fn loom_one_wakes_exactly_one() {
    model(3, || {
        let notify = Arc::new(Notify::new());
        let mut first = Box::pin(notify.wait_future());
        let mut second = Box::pin(notify.wait_future());
        assert!(poll_noop(first.as_mut()).is_pending());
        assert!(poll_noop(second.as_mut()).is_pending());
        let threads = [
            signaller(&notify, Notify::notify_one),
            signaller(&notify, Notify::notify_one),
        ];
        block_on(first);
        block_on(second);
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(!notify.has_permit());
        assert_eq!(notify.waiter_count(), 0);
    });
}

/// Two waits on two threads, two signals: if the signals do not merge both pass,
/// and never does a third.
#[test]
fn loom_no_double_passing() {
    model(2, || {
        let notify = Arc::new(Notify::new());
        let waits = [(); 2].map(|()| {
            let notify = notify.clone();
            thread::spawn(move || {
                let mut wait = Box::pin(notify.wait_future());
                poll_noop(wait.as_mut()).is_ready()
            })
        });
        notify.notify_one();
        let mut passed = 0;
        for wait in waits {
            passed += usize::from(wait.join().unwrap());
        }
        passed += usize::from(poll_noop(Box::pin(notify.wait_future()).as_mut()).is_ready());
        assert_eq!(
            passed, 1,
            "one signal, one pass, however often it was handed on"
        );
        assert_eq!(notify.waiter_count(), 0);
    });
}

/// `notify_one` after `notify_all` takes nothing from it: the waits of the one
/// are reached, and the signal is stored or reaches a later wait.
#[test]
fn loom_one_does_not_steal_from_all() {
    model(3, || {
        let notify = Arc::new(Notify::new());
        let mut queued = Box::pin(notify.wait_future());
        assert!(poll_noop(queued.as_mut()).is_pending());
        let created = Box::pin(notify.wait_future());
        let thread = signaller(&notify, |notify| {
            notify.notify_all();
            notify.notify_one();
        });
        block_on(created);
        block_on(queued);
        block_on(notify.wait_future());
        thread.join().unwrap();
        assert!(!notify.has_permit());
    });
}

/// A raw waiter whose waker is set while it is being notified is woken, and what
/// it has been told of is not passed on.
#[test]
fn loom_raw_waiter_set_waker_loses_no_notification() {
    for signal in SIGNALS {
        model(3, move || {
            let notify = Arc::new(Notify::new());
            let mut waiter = Box::pin(Waiter::new());
            assert!(!notify.wait_with(waiter.as_mut()));
            let thread = signaller(&notify, signal);
            block_on(poll_fn(|cx| {
                if waiter.is_notified() {
                    return Poll::Ready(());
                }
                waiter.as_mut().set_waker(cx.waker().clone());
                Poll::Pending
            }));
            drop(waiter);
            thread.join().unwrap();
            assert!(!notify.has_permit());
            assert_eq!(notify.waiter_count(), 0);
        });
    }
}

/// What a waiter says of a signal and a `notify_all` behind it agrees with what
/// it passes on.
#[test]
fn loom_raw_waiter_told_of_one_passes_nothing_on() {
    model(3, || {
        let notify = Arc::new(Notify::new());
        let mut waiter = Box::pin(Waiter::new());
        assert!(!notify.wait_with(waiter.as_mut()));
        let thread = signaller(&notify, |notify| {
            notify.notify_one();
            notify.notify_all();
        });
        let told = waiter.is_notified();
        drop(waiter);
        thread.join().unwrap();
        assert_eq!(notify.has_permit(), !told);
    });
}
