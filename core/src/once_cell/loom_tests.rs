//! Every interleaving of a few threads, under loom's memory model. Each model
//! says what it proves.

use core::pin::pin;
use core::task::Poll;
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use loom::cell::UnsafeCell;
use loom::thread;

use super::*;
use crate::Bare;
use crate::loom_util::{block_on, counting_waker, model, poll, poll_noop};

/// A `get` that sees a value sees all of it: the read of the value is ordered
/// after its write (loom would report the race), against `set` and against an
/// initialiser.
#[test]
fn loom_get_is_lock_free_and_ordered() {
    model(2, || {
        let cell = Arc::new(OnceCell::new());
        let setter = {
            let cell = cell.clone();
            thread::spawn(move || cell.set([1, 1]))
        };
        let maker = {
            let cell = cell.clone();
            thread::spawn(move || _ = poll_noop(pin!(cell.get_or_init(Bare, || [2, 2]))))
        };
        if let Some(value) = cell.get() {
            assert_eq!(value[0], value[1]);
        }
        let set = setter.join().unwrap();
        maker.join().unwrap();
        let value = cell.get().unwrap();
        assert_eq!(*value, if set { [1, 1] } else { [2, 2] });
    });
}

/// Of `set` and two `get_or_init` exactly one stores, and both waits end with
/// what it stored, whether they queue before or after.
#[test]
fn loom_initialises_once() {
    model(2, || {
        let cell = Arc::new(OnceCell::new());
        let runs = Arc::new(AtomicUsize::new(0));
        let maker = |value: usize| {
            let (cell, runs) = (cell.clone(), runs.clone());
            thread::spawn(move || {
                *block_on(cell.get_or_init(Bare, || {
                    runs.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
                    value
                }))
            })
        };
        let makers = [maker(1), maker(2)];
        let set = cell.set(3);
        let [first, second] = makers.map(|maker| maker.join().unwrap());
        assert_eq!(first, second);
        assert_eq!(first == 3, set);
        let runs = runs.load(core::sync::atomic::Ordering::Relaxed);
        assert_eq!(runs + usize::from(set), 1);
    });
}

/// An initialiser that panics while another wait queues: the other never sleeps
/// on, it finds the cell empty or is offered the turn.
#[test]
fn loom_panicking_init_passes_the_turn() {
    model(3, || {
        let cell = Arc::new(OnceCell::new());
        let other = {
            let cell = cell.clone();
            thread::spawn(move || assert_eq!(*block_on(cell.get_or_init(Bare, || 7)), 7))
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            // It resumes, so that nothing is printed for each interleaving.
            let fail = || std::panic::resume_unwind(Box::new("no value"));
            _ = poll_noop(pin!(cell.get_or_init(Bare, fail)));
        }));
        other.join().unwrap();
        // It did not run if the other was first.
        let _ = outcome;
        assert_eq!(cell.get(), Some(&7));
    });
}

/// An initialiser that is dropped unfinished while another wait queues and a
/// third only looks on: neither sleeps on.
#[test]
fn loom_cancelled_init_passes_the_turn() {
    model(2, || {
        let cell = Arc::new(OnceCell::new());
        let mut init = Box::pin(cell.get_or_init_async(Bare, core::future::pending));
        assert!(poll_noop(init.as_mut()).is_pending());
        let maker = {
            let cell = cell.clone();
            thread::spawn(move || *block_on(cell.get_or_init(Bare, || 7)))
        };
        let onlooker = {
            let cell = cell.clone();
            thread::spawn(move || *block_on(cell.wait(Bare)))
        };
        drop(init);
        assert_eq!(maker.join().unwrap(), 7);
        assert_eq!(onlooker.join().unwrap(), 7);
    });
}

/// A wait that is dropped at the moment at which it is offered the turn: the next is
/// offered it and never sleeps on.
#[test]
fn loom_dropped_win_is_passed_on() {
    model(3, || {
        // It is leaked: a few bytes for each order that is tried.
        let cell: &'static OnceCell<u32> = Box::leak(Box::new(OnceCell::new()));
        let mut init = Box::pin(cell.get_or_init_async(Bare, core::future::pending));
        assert!(poll_noop(init.as_mut()).is_pending());
        let mut fickle = Box::pin(cell.get_or_init(Bare, || 6));
        assert!(poll_noop(fickle.as_mut()).is_pending());
        let mut last = Box::pin(cell.get_or_init(Bare, || 7));
        assert!(poll_noop(last.as_mut()).is_pending());
        let dropping = thread::spawn(move || drop(fickle));
        let last = thread::spawn(move || *block_on(last));
        drop(init);
        dropping.join().unwrap();
        assert_eq!(last.join().unwrap(), 7);
    });
}

/// A wait that was offered the turn is dropped while a newcomer takes the turn, fails
/// and so ends it: the one that stands in line is offered it by one of the two.
#[test]
fn loom_dropped_offer_against_a_newcomer() {
    for newcomer_waits in [false, true] {
        model(3, move || {
            let cell: &'static OnceCell<u32> = Box::leak(Box::new(OnceCell::new()));
            let mut init = Box::pin(cell.get_or_init_async(Bare, core::future::pending));
            assert!(poll_noop(init.as_mut()).is_pending());
            let mut offered = Box::pin(cell.get_or_init(Bare, || 6));
            assert!(poll_noop(offered.as_mut()).is_pending());
            let (wakes, waker) = counting_waker();
            let mut last = Box::pin(cell.get_or_init(Bare, || 7));
            assert!(poll(last.as_mut(), &waker).is_pending());
            drop(init);
            let dropping = thread::spawn(move || drop(offered));
            let newcomer = thread::spawn(move || {
                let attempt = pin!(cell.get_or_try_init(Bare, || Err::<u32, ()>(())));
                if newcomer_waits {
                    assert!(block_on(attempt).is_err());
                } else {
                    _ = poll_noop(attempt);
                }
            });
            dropping.join().unwrap();
            newcomer.join().unwrap();
            assert!(wakes.count() >= 1, "the last is not offered the turn");
            assert_eq!(poll_noop(last.as_mut()).map(|value| *value), Poll::Ready(7));
        });
    }
}

/// A wait that was offered the turn comes for it while another takes and ends it: it
/// takes it, or queues again at its place and is offered it once more.
#[test]
fn loom_offer_against_another() {
    model(2, || {
        let cell: &'static OnceCell<u32> = Box::leak(Box::new(OnceCell::new()));
        let mut init = Box::pin(cell.get_or_init_async(Bare, core::future::pending));
        assert!(poll_noop(init.as_mut()).is_pending());
        let mut offered = Box::pin(cell.get_or_init(Bare, || 7));
        assert!(poll_noop(offered.as_mut()).is_pending());
        let offered = thread::spawn(move || *block_on(offered));
        let other = thread::spawn(move || {
            let fail = || Err::<u32, ()>(());
            _ = block_on(cell.get_or_try_init(Bare, fail)).is_err();
        });
        drop(init);
        assert_eq!(offered.join().unwrap(), 7);
        other.join().unwrap();
    });
}

/// A queued wait is polled while the turn ends and is offered to another, which takes
/// it: one has it at a time, and each gets it.
#[test]
fn loom_queued_wait_that_is_polled_excludes_the_offered() {
    model(2, || {
        let shared: &'static (OnceCell<u32>, UnsafeCell<u32>) =
            Box::leak(Box::new((OnceCell::new(), UnsafeCell::new(0))));
        let fail = || {
            // SAFETY: the initialiser has the turn; that this is enough is what
            // loom checks.
            shared.1.with_mut(|count| unsafe { *count += 1 });
            Err::<u32, ()>(())
        };
        let cell = &shared.0;
        let mut init = Box::pin(cell.get_or_init_async(Bare, core::future::pending));
        assert!(poll_noop(init.as_mut()).is_pending());
        let mut offered = Box::pin(cell.get_or_try_init(Bare, fail));
        assert!(poll_noop(offered.as_mut()).is_pending());
        let mut queued = Box::pin(cell.get_or_try_init(Bare, fail));
        assert!(poll_noop(queued.as_mut()).is_pending());
        let offered = thread::spawn(move || assert!(block_on(offered).is_err()));
        let queued = thread::spawn(move || assert!(block_on(queued).is_err()));
        drop(init);
        offered.join().unwrap();
        queued.join().unwrap();
        // SAFETY: both threads are done with it.
        assert_eq!(shared.1.with(|count| unsafe { *count }), 2);
        assert!(cell.set(7));
    });
}

/// A value from outside while an offer is outstanding, and the wait that was offered
/// the turn comes or is dropped: all get the one value.
#[test]
fn loom_set_against_an_offer() {
    for dropped in [false, true] {
        model(2, move || {
            let cell: &'static OnceCell<u32> = Box::leak(Box::new(OnceCell::new()));
            let mut init = Box::pin(cell.get_or_init_async(Bare, core::future::pending));
            assert!(poll_noop(init.as_mut()).is_pending());
            let mut offered = Box::pin(cell.get_or_init(Bare, || 1));
            assert!(poll_noop(offered.as_mut()).is_pending());
            let mut last = Box::pin(cell.get_or_init(Bare, || 2));
            assert!(poll_noop(last.as_mut()).is_pending());
            drop(init);
            let offered = thread::spawn(move || match dropped {
                true => drop(offered),
                false => _ = *block_on(offered),
            });
            let last = thread::spawn(move || *block_on(last));
            let set = cell.set(3);
            offered.join().unwrap();
            let value = last.join().unwrap();
            assert_eq!(value == 3, set);
            assert_eq!(cell.get(), Some(&value));
        });
    }
}

/// Attempts that fail have the turn one after another, and each sees what the one
/// before did, whether it takes the turn, finds it free when it queues, or is
/// offered it; with an onlooker that waits and without.
#[test]
fn loom_failed_attempts_exclude_each_other() {
    for watched in [false, true] {
        model(3, move || {
            let shared = Arc::new((OnceCell::<u32>::new(), UnsafeCell::new(0)));
            let onlooker = shared.clone();
            let mut onlooker = pin!(onlooker.0.wait(Bare));
            if watched {
                assert!(poll_noop(onlooker.as_mut()).is_pending());
            }
            let attempt = |shared: &(OnceCell<u32>, UnsafeCell<u32>)| {
                let fail = || {
                    // SAFETY: the initialiser has the turn; that this is enough
                    // is what loom checks.
                    shared.1.with_mut(|count| unsafe { *count += 1 });
                    Err(())
                };
                assert!(block_on(shared.0.get_or_try_init(Bare, fail)).is_err());
            };
            let other = {
                let shared = shared.clone();
                thread::spawn(move || attempt(&shared))
            };
            attempt(&shared);
            other.join().unwrap();
            // SAFETY: both threads are done with it.
            assert_eq!(shared.1.with(|count| unsafe { *count }), 2);
            assert!(shared.0.set(7));
        });
    }
}

/// The last wait leaves its queue, and the bit WAITING with it, while `set`
/// publishes and another wait queues: the other is not forgotten.
#[test]
fn loom_leaving_loses_no_other() {
    model(2, || {
        let cell = Arc::new(OnceCell::new());
        let leaver = {
            let cell = cell.clone();
            thread::spawn(move || _ = poll_noop(pin!(cell.wait(Bare))))
        };
        let other = {
            let cell = cell.clone();
            thread::spawn(move || *block_on(cell.wait(Bare)))
        };
        assert!(cell.set(7));
        leaver.join().unwrap();
        assert_eq!(other.join().unwrap(), 7);
    });
}

/// A queued wait is polled with a new waker, by another thread than the one
/// that initialises: the new waker is woken, or the poll is ready.
#[test]
fn loom_last_waker_is_the_one_woken() {
    model(3, || {
        let cell = Arc::new(OnceCell::new());
        let waiting = {
            let cell = cell.clone();
            thread::spawn(move || {
                let mut wait = pin!(cell.wait(Bare));
                if poll_noop(wait.as_mut()).is_pending() {
                    assert_eq!(*block_on(wait), 7);
                }
            })
        };
        assert!(cell.set(7));
        waiting.join().unwrap();
    });
}
