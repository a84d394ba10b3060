//! What the laws of `notify::` promise, in every interleaving of two or three
//! threads. Each model says what it proves; the number that it is given bounds
//! the forced switches between threads.

use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::Poll;
use std::boxed::Box;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::*;
use crate::loom_util::{block_on, model, poll_noop};

const SIGNALS: [fn(&Notify); 3] = [Notify::notify_one, Notify::notify_last, Notify::notify_all];

type Owned = Pin<Box<OwnedWait>>;

fn created(notify: &Arc<Notify>) -> Owned {
    Box::pin(notify.clone().wait_owned(Bare))
}

fn queued(notify: &Arc<Notify>) -> Owned {
    let mut wait = created(notify);
    assert!(poll_noop(wait.as_mut()).is_pending());
    wait
}

/// Runs `wait` against `signal`, on what `prepare` has made of a new `Notify`;
/// `check` looks at the result when both have ended.
///
/// Each of the two is once the thread that is spawned and once the one that
/// spawns it: loom runs the latter first, and it takes a forced switch to have it
/// otherwise.
fn race<W: Send + 'static, R: Send + 'static>(
    prepare: fn(&Arc<Notify>) -> W,
    signal: fn(&Notify),
    wait: fn(&Arc<Notify>, W) -> R,
    check: fn(&Notify, R),
) {
    for spawn_signal in [false, true] {
        model(3, move || {
            let notify = Arc::new(Notify::new());
            let prepared = prepare(&notify);
            let shared = notify.clone();
            let result = if spawn_signal {
                let other = thread::spawn(move || signal(&shared));
                let result = wait(&notify, prepared);
                other.join().unwrap();
                result
            } else {
                let other = thread::spawn(move || wait(&shared, prepared));
                signal(&notify);
                other.join().unwrap()
            };
            check(&notify, result);
        });
    }
}

/// No task waits and nothing is stored.
fn nothing_is_left(notify: &Notify, (): ()) {
    assert!(!notify.has_permit());
    assert_eq!(notify.waiter_count(), 0);
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
                    // SAFETY: no thread reads before the signal.
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
    race(
        |notify| [queued(notify), queued(notify)],
        Notify::notify_one,
        |_, [first, second]| {
            drop(first);
            block_on(second);
        },
        nothing_is_left,
    );
    race(
        |notify| [queued(notify), queued(notify)],
        Notify::notify_last,
        |_, [first, second]| {
            drop(second);
            block_on(first);
        },
        nothing_is_left,
    );
}

/// A signal that meets the drop of the only wait is stored, or had been used.
#[test]
fn loom_cancelled_alone_stores_the_permit() {
    race(
        queued,
        Notify::notify_one,
        |_, mut wait| poll_noop(wait.as_mut()).is_ready(),
        |notify, ready| {
            assert_eq!(notify.has_permit(), !ready);
            assert_eq!(notify.waiter_count(), 0);
        },
    );
}

/// A wait dropped while `notify_all` is under way leaves no trace; the others
/// are reached, and nothing is stored.
#[test]
fn loom_drop_meets_notify_all() {
    race(
        |notify| [queued(notify), queued(notify), queued(notify)],
        Notify::notify_all,
        |_, [first, middle, last]| {
            drop(middle);
            block_on(last);
            block_on(first);
        },
        nothing_is_left,
    );
}

/// `notify_all` is one event: a thread that sees it reach one wait sees it reach all,
/// and no wait that comes after that is swept in.
#[test]
fn loom_all_wakes_exactly_those_before() {
    race(
        |notify| [queued(notify), queued(notify), created(notify)],
        Notify::notify_all,
        |notify, [mut first, mut second, mut unpolled]| {
            if poll_noop(first.as_mut()).is_ready() {
                let mut late = queued(notify);
                assert!(poll_noop(second.as_mut()).is_ready());
                assert!(poll_noop(unpolled.as_mut()).is_ready());
                assert!(poll_noop(late.as_mut()).is_pending());
                Some(late)
            } else {
                block_on(unpolled);
                block_on(second);
                block_on(first);
                None
            }
        },
        |notify, late| {
            assert_eq!(notify.waiter_count(), usize::from(late.is_some()));
            if let Some(mut late) = late {
                assert!(poll_noop(late.as_mut()).is_pending());
            }
            assert!(!notify.has_permit());
        },
    );
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
    model(2, || {
        let notify = Arc::new(Notify::new());
        let [first, second] = [queued(&notify), queued(&notify)];
        let threads = [(); 2].map(|()| {
            let notify = notify.clone();
            thread::spawn(move || notify.notify_one())
        });
        block_on(first);
        block_on(second);
        for thread in threads {
            thread.join().unwrap();
        }
        nothing_is_left(&notify, ());
    });
}

/// One signal against two waits that come, look once and go: it lets one of
/// them pass, or is still there, however often it was handed on.
#[test]
fn loom_no_double_passing() {
    model(2, || {
        let notify = Arc::new(Notify::new());
        let waits = [(); 2].map(|()| {
            let notify = notify.clone();
            thread::spawn(move || poll_noop(created(&notify).as_mut()).is_ready())
        });
        notify.notify_one();
        let mut passed = 0;
        for wait in waits {
            passed += usize::from(wait.join().unwrap());
        }
        passed += usize::from(poll_noop(created(&notify).as_mut()).is_ready());
        assert_eq!(passed, 1);
        nothing_is_left(&notify, ());
    });
}

/// `notify_one` after `notify_all` takes nothing from it: the waits of the one
/// are reached, and the signal is stored or reaches a later wait.
#[test]
fn loom_one_does_not_steal_from_all() {
    race(
        |notify| [queued(notify), created(notify)],
        |notify| {
            notify.notify_all();
            notify.notify_one();
        },
        |notify, [queued, unpolled]| {
            block_on(unpolled);
            block_on(queued);
            block_on(created(notify));
        },
        nothing_is_left,
    );
}

/// A raw waiter. Its `Notify` is kept alive beside it, as it is borrowed.
struct Raw {
    waiter: Option<Pin<Box<Waiter<'static>>>>,
    notify: Arc<Notify>,
}

impl Raw {
    fn queued(notify: &Arc<Notify>) -> Self {
        let mut waiter: Pin<Box<Waiter<'static>>> = Box::pin(Waiter::new());
        // SAFETY: `Drop` drops the waiter before the share of its `Notify`.
        let borrowed: &'static Notify = unsafe { &*Arc::as_ptr(notify) };
        assert!(!borrowed.wait_with(waiter.as_mut()));
        Self {
            waiter: Some(waiter),
            notify: notify.clone(),
        }
    }

    fn waiter(&mut self) -> &mut Pin<Box<Waiter<'static>>> {
        self.waiter.as_mut().expect("not dropped yet")
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.waiter = None;
        let _ = &self.notify;
    }
}

/// A raw waiter whose waker is set while it is being notified is woken, and what
/// it has been told of is not passed on.
#[test]
fn loom_raw_waiter_set_waker_loses_no_notification() {
    for signal in SIGNALS {
        race(
            Raw::queued,
            signal,
            |_, mut raw| {
                block_on(poll_fn(|cx| {
                    if raw.waiter().is_notified() {
                        return Poll::Ready(());
                    }
                    raw.waiter().as_mut().set_waker(cx.waker().clone());
                    Poll::Pending
                }));
            },
            nothing_is_left,
        );
    }
}

/// What a waiter says of a signal and a `notify_all` behind it agrees with what
/// it passes on.
#[test]
fn loom_raw_waiter_told_of_one_passes_nothing_on() {
    race(
        Raw::queued,
        |notify| {
            notify.notify_one();
            notify.notify_all();
        },
        |_, mut raw| raw.waiter().is_notified(),
        |notify, told| {
            // Untold, it passed the signal on, or left before there was one.
            assert_eq!(notify.has_permit(), !told);
            assert_eq!(notify.waiter_count(), 0);
        },
    );
}
