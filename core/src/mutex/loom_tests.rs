//! Models of the lock for loom: each runs a few operations of two or three
//! threads in every order (where it names a bound, with no more preemptions
//! than that) under the memory model of C11. The value is a tracked cell, and
//! so are the links and wakers of the queue: an access that the orderings do
//! not order fails.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::{Fairness, Lock, Mutex, Waiter};
use crate::fairness::PATIENCE;
use crate::io::Io;
use crate::loom_util::{block_on, counting_waker, model, model_unbounded, poll};

/// A lock for threads that are not scoped. It is leaked: a few bytes for each
/// order that is tried.
fn shared(value: usize) -> &'static Mutex<usize> {
    Box::leak(Box::new(Mutex::new(value)))
}

/// The same, made [`Fairness::Eventual`].
fn shared_eventual() -> &'static Mutex<usize> {
    Box::leak(Box::new(Mutex::with_fairness(0, Fairness::Eventual)))
}

type Wait<I = crate::io::Bare> = Pin<Box<Lock<'static, usize, I>>>;

/// A wait that is queued.
fn queued(mutex: &'static Mutex<usize>, waker: &Waker) -> Wait {
    let mut wait = Box::pin(mutex.lock_future());
    assert!(poll(wait.as_mut(), waker).is_pending());
    wait
}

/// All is over: no task holds the lock, and no task waits.
fn assert_free(mutex: &Mutex<usize>) {
    assert!(mutex.raw.is_untouched());
    assert!(mutex.try_lock().is_some());
}

/// Proves, for two threads that lock twice and once: one at a time has the
/// value, what one wrote the next sees, and no wake-up is lost.
#[test]
fn loom_excludes_and_happens_before() {
    model(3, || {
        let mutex = shared(0);
        let other = thread::spawn(move || {
            for _ in 0..2 {
                *block_on(mutex.lock_future()) += 1;
            }
        });
        *block_on(mutex.lock_future()) += 1;
        other.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 3);
        assert_free(mutex);
    });
}

/// The same for three threads that lock once, with at most 2 preemptions.
#[test]
fn loom_excludes_three() {
    model(2, || {
        let mutex = shared(0);
        let others: [_; 2] =
            core::array::from_fn(|_| thread::spawn(move || *block_on(mutex.lock_future()) += 1));
        *block_on(mutex.lock_future()) += 1;
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(*mutex.try_lock().unwrap(), 3);
        assert_free(mutex);
    });
}

/// Proves: a `try_lock` beside an unlock gets nothing, or the lock and all that
/// was written.
#[test]
fn loom_try_lock_against_unlock() {
    model_unbounded(|| {
        let mutex = shared(0);
        let mut guard = mutex.try_lock().unwrap();
        let other = thread::spawn(move || mutex.try_lock().map(|value| *value));
        *guard = 1;
        drop(guard);
        if let Some(seen) = other.join().unwrap() {
            assert_eq!(seen, 1);
        }
        assert_free(mutex);
    });
}

/// Proves: a `try_lock` does not pass the queue while the lock is handed over.
#[test]
fn loom_try_lock_against_hand_over() {
    model_unbounded(|| {
        let mutex = shared(0);
        let guard = mutex.try_lock().unwrap();
        let (wakes, waker) = counting_waker();
        let mut wait = queued(mutex, &waker);
        let other = thread::spawn(move || mutex.try_lock().is_some());
        drop(guard);
        assert!(!other.join().unwrap());
        assert_eq!(wakes.count(), 1);
        assert!(poll(wait.as_mut(), &waker).is_ready());
        drop(wait);
        assert_free(mutex);
    });
}

/// Proves: a wait that is dropped while it is handed the lock passes it on; the
/// next is woken once, whichever comes first.
#[test]
fn loom_cancel_against_hand_over() {
    model_unbounded(|| {
        let mutex = shared(0);
        let guard = mutex.try_lock().unwrap();
        let (_, waker) = counting_waker();
        let (next_wakes, next_waker) = counting_waker();
        let wait = queued(mutex, &waker);
        let mut next = queued(mutex, &next_waker);
        let other = thread::spawn(move || drop(wait));
        drop(guard);
        other.join().unwrap();
        assert_eq!(next_wakes.count(), 1);
        assert!(poll(next.as_mut(), &next_waker).is_ready());
        drop(next);
        assert_free(mutex);
    });
}

/// Proves: the only waiter, dropped while the holder unlocks, leaves a lock
/// that is free, and the thread that takes it next sees what the holder wrote.
#[test]
fn loom_cancel_of_the_last_against_unlock() {
    model_unbounded(|| {
        let mutex = shared(0);
        let mut guard = mutex.try_lock().unwrap();
        let (_, waker) = counting_waker();
        let wait = queued(mutex, &waker);
        let other = thread::spawn(move || {
            drop(wait);
            mutex.try_lock().map(|value| *value)
        });
        *guard = 1;
        drop(guard);
        if let Some(seen) = other.join().unwrap() {
            assert_eq!(seen, 1);
        }
        assert_free(mutex);
    });
}

/// Proves: a wait that is polled with another waker while it is handed the lock
/// has it, or the newest waker is woken.
#[test]
fn loom_renew_against_hand_over() {
    model_unbounded(|| {
        let mutex = shared(0);
        let guard = mutex.try_lock().unwrap();
        let (_, old) = counting_waker();
        let (wakes, new) = counting_waker();
        let mut wait = queued(mutex, &old);
        let other = thread::spawn(move || drop(guard));
        let won = poll(wait.as_mut(), &new).is_ready();
        other.join().unwrap();
        assert!(won || wakes.count() == 1);
        assert!(won || poll(wait.as_mut(), &new).is_ready());
        drop(wait);
        assert_free(mutex);
    });
}

/// Two waits of one task, polled on two threads, while the lock is in the seat
/// of the first. Proves: one at a time has the lock, also when it is handed
/// back to a wait whose owner has been looking at its seat meanwhile, and in
/// the end both have had it.
#[test]
fn loom_unseat_against_claim() {
    model(4, || {
        let mutex = shared(0);
        let guard = mutex.try_lock().unwrap();
        let (_, waker) = counting_waker();
        let waits = [queued(mutex, &waker), queued(mutex, &waker)];
        drop(guard);
        let [first, second] = waits.map(|mut wait| {
            let waker = waker.clone();
            thread::spawn(move || {
                let had = match poll(wait.as_mut(), &waker) {
                    Poll::Ready(mut value) => {
                        *value += 1;
                        true
                    }
                    Poll::Pending => false,
                };
                (wait, had)
            })
        });
        let served = [first.join().unwrap(), second.join().unwrap()];
        let had = served.iter().filter(|(_, had)| *had).count();
        // The one that was served last has handed the lock to the one that is left.
        assert!(had >= 1);
        for (mut wait, had) in served {
            assert!(had || poll(wait.as_mut(), &waker).is_ready());
        }
        assert_eq!(*mutex.try_lock().unwrap(), had);
        assert_free(mutex);
    });
}

/// Proves: a seated wait that is dropped while another of its task takes over
/// passes the lock on or leaves the queue; the other gets it either way.
#[test]
fn loom_unseat_against_drop() {
    model_unbounded(|| {
        let mutex = shared(0);
        let guard = mutex.try_lock().unwrap();
        let (wakes, waker) = counting_waker();
        let seated = queued(mutex, &waker);
        let mut second = queued(mutex, &waker);
        drop(guard);
        let other = thread::spawn(move || drop(seated));
        let won = poll(second.as_mut(), &waker).is_ready();
        other.join().unwrap();
        // The first wake-up was for the seated one.
        assert!(won || wakes.count() == 2, "nobody wakes it");
        assert!(won || poll(second.as_mut(), &waker).is_ready());
        drop(second);
        assert_free(mutex);
    });
}

/// Proves: the same for a wait that has not queued yet, and a `Waiter` in the
/// seat that asks whether it is ready.
#[test]
fn loom_unseat_on_first_poll_against_waiter() {
    model(3, || {
        let mutex = shared(0);
        let guard = mutex.try_lock().unwrap();
        let (wakes, waker) = counting_waker();
        let mut waiter = Box::pin(Waiter::with_waker(waker.clone()));
        assert!(mutex.lock_with(waiter.as_mut()).is_none());
        drop(guard);
        let other = thread::spawn(move || {
            if waiter.is_ready() {
                drop(mutex.lock_with(waiter.as_mut()));
            }
        });
        let mut wait = Box::pin(mutex.lock_future());
        let won = poll(wait.as_mut(), &waker).is_ready();
        other.join().unwrap();
        // The first wake-up was for the waiter.
        assert!(won || wakes.count() == 2, "nobody wakes it");
        assert!(won || poll(wait.as_mut(), &waker).is_ready());
        drop(wait);
        assert_free(mutex);
    });
}

/// Proves: a win that waits for budget is claimed by its owner or taken over by
/// another wait of its task, and by one of them only.
#[test]
fn loom_kept_without_budget_against_unseat() {
    /// No budget for the first win.
    #[derive(Default)]
    struct Once(AtomicUsize);

    impl Io for Once {
        fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => Poll::Pending,
                _ => Poll::Ready(()),
            }
        }
    }

    model(4, || {
        let mutex = shared(0);
        let (_, waker) = counting_waker();
        let mut kept: Wait<Once> = Box::pin(mutex.lock(Once::default()));
        assert!(poll(kept.as_mut(), &waker).is_pending());
        let other = {
            let waker = waker.clone();
            thread::spawn(move || {
                let had = match poll(kept.as_mut(), &waker) {
                    Poll::Ready(mut value) => {
                        *value += 1;
                        true
                    }
                    Poll::Pending => false,
                };
                (kept, had)
            })
        };
        let mut second = Box::pin(mutex.lock_future());
        let mut had = 0;
        if let Poll::Ready(mut value) = poll(second.as_mut(), &waker) {
            *value += 1;
            had += 1;
        }
        let (mut kept, kept_had) = other.join().unwrap();
        had += usize::from(kept_had);
        assert!(had >= 1);
        if had == 1 && kept_had {
            assert!(poll(second.as_mut(), &waker).is_ready());
        } else if had == 1 {
            assert!(poll(kept.as_mut(), &waker).is_ready());
        }
        assert_eq!(*mutex.try_lock().unwrap(), had);
        drop((kept, second));
        assert_free(mutex);
    });
}

/// Proves, for two threads that lock an eventual lock twice and once: one at a
/// time has the value, what one wrote the next sees, and no wake-up is lost.
#[test]
fn loom_eventual_excludes_and_happens_before() {
    model(3, || {
        let mutex = shared_eventual();
        let other = thread::spawn(move || {
            for _ in 0..2 {
                *block_on(mutex.lock_future()) += 1;
            }
        });
        *block_on(mutex.lock_future()) += 1;
        other.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 3);
        assert_free(mutex);
    });
}

/// The same for three threads that lock once, with at most 2 preemptions.
#[test]
fn loom_eventual_excludes_three() {
    model(2, || {
        let mutex = shared_eventual();
        let others: [_; 2] =
            core::array::from_fn(|_| thread::spawn(move || *block_on(mutex.lock_future()) += 1));
        *block_on(mutex.lock_future()) += 1;
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(*mutex.try_lock().unwrap(), 3);
        assert_free(mutex);
    });
}

/// Proves: a told wait that is dropped beside a runner that takes the free lock
/// and unlocks it leaves the next one told, once, by one of the two.
#[test]
fn loom_eventual_cancel_of_the_told_against_a_runner() {
    model_unbounded(|| {
        let mutex = shared_eventual();
        let guard = mutex.try_lock().unwrap();
        let (_, waker) = counting_waker();
        let (next_wakes, next_waker) = counting_waker();
        let told = queued(mutex, &waker);
        let mut next = queued(mutex, &next_waker);
        drop(guard);
        let other = thread::spawn(move || drop(told));
        drop(mutex.try_lock());
        other.join().unwrap();
        assert_eq!(next_wakes.count(), 1);
        assert!(poll(next.as_mut(), &next_waker).is_ready());
        drop(next);
        assert_free(mutex);
    });
}

/// Proves: a wait that is dropped while the holder unlocks, and may or may not
/// be told by it, leaves the next one told, once.
#[test]
fn loom_eventual_cancel_against_unlock() {
    model_unbounded(|| {
        let mutex = shared_eventual();
        let mut guard = mutex.try_lock().unwrap();
        let (_, waker) = counting_waker();
        let (next_wakes, next_waker) = counting_waker();
        let first = queued(mutex, &waker);
        let mut next = queued(mutex, &next_waker);
        let other = thread::spawn(move || drop(first));
        *guard = 1;
        drop(guard);
        other.join().unwrap();
        assert_eq!(next_wakes.count(), 1);
        match poll(next.as_mut(), &next_waker) {
            Poll::Ready(value) => assert_eq!(*value, 1),
            Poll::Pending => panic!("the lock is free"),
        }
        drop(next);
        assert_free(mutex);
    });
}

/// Proves: a told wait that comes while a runner has the lock gets it, or is
/// woken again by the runner; after [`PATIENCE`] times in vain by a hand-over,
/// against which no `try_lock` wins.
#[test]
fn loom_eventual_told_against_a_runner() {
    model(4, || {
        let mutex = shared_eventual();
        let guard = mutex.try_lock().unwrap();
        let (wakes, waker) = counting_waker();
        let mut told = queued(mutex, &waker);
        drop(guard);
        let runner = thread::spawn(move || {
            for _ in 0..=PATIENCE {
                if let Some(mut value) = mutex.try_lock() {
                    *value += 1;
                }
            }
        });
        let won = poll(told.as_mut(), &waker).is_ready();
        runner.join().unwrap();
        assert!(won || wakes.count() == 2, "woken again");
        assert!(won || poll(told.as_mut(), &waker).is_ready());
        drop(told);
        assert_free(mutex);
    });
}

/// Proves: a queued wait that was not told may take the free lock beside the one
/// that was, and both have it in the end.
#[test]
fn loom_eventual_told_against_another_of_the_queue() {
    model_unbounded(|| {
        let mutex = shared_eventual();
        let guard = mutex.try_lock().unwrap();
        let waits = [counting_waker(), counting_waker()]
            .map(|(wakes, waker)| (queued(mutex, &waker), wakes, waker));
        drop(guard);
        let served = waits.map(|(mut wait, wakes, waker)| {
            thread::spawn(move || {
                let had = match poll(wait.as_mut(), &waker) {
                    Poll::Ready(mut value) => {
                        *value += 1;
                        true
                    }
                    Poll::Pending => false,
                };
                (wait, wakes, waker, had)
            })
        });
        let served = served.map(|thread| thread.join().unwrap());
        assert!(served.iter().any(|(_, _, _, had)| *had));
        let mut had_it = served.iter().filter(|(_, _, _, had)| *had).count();
        let last_told = served
            .iter()
            .any(|(_, wakes, _, had)| !*had && wakes.count() > 0);
        assert!(had_it == 2 || last_told, "nobody is on its way");
        for (mut wait, _, waker, had) in served {
            if !had {
                assert!(poll(wait.as_mut(), &waker).is_ready());
                had_it += 1;
            }
        }
        assert_eq!(had_it, 2);
        assert_free(mutex);
    });
}
