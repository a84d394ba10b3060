//! Models of the lock for loom: each runs a few operations of two or three
//! threads in every order, up to the bound of preemptions that it names, under
//! the memory model of C11. The value is a tracked cell, and so are the links and
//! wakers of the queue: an access that the orderings do not order fails.

use core::future::Future;
use core::pin::Pin;
use core::task::{Poll, Waker};
use std::boxed::Box;

use loom::cell::UnsafeCell;
use loom::thread;

use super::{
    Fairness, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard as Upgradable, RwLockWriteGuard,
};
use crate::io::Bare;
use crate::loom_util::{block_on, counting_waker, model, poll, poll_noop};

/// A value that notices when reading and writing meet.
struct Guarded(UnsafeCell<usize>);

// SAFETY: the models write with a guard that writes, and read with any; that this
// is enough is what loom checks.
unsafe impl Sync for Guarded {}
// SAFETY: a number may be sent.
unsafe impl Send for Guarded {}

impl Guarded {
    fn get(&self) -> usize {
        // SAFETY: see above.
        self.0.with(|value| unsafe { *value })
    }

    fn bump(&self) -> usize {
        self.0.with_mut(|value| {
            // SAFETY: see above.
            unsafe {
                *value += 1;
                *value
            }
        })
    }
}

type Lock = RwLock<Guarded>;

/// A lock for threads that are not scoped. It is leaked: a few bytes for each
/// order that is tried.
fn shared() -> &'static Lock {
    Box::leak(Box::new(RwLock::new(Guarded(UnsafeCell::new(0)))))
}

fn queued<F: Future>(wait: F, waker: &Waker) -> Pin<Box<F>> {
    let mut wait = Box::pin(wait);
    assert!(poll(wait.as_mut(), waker).is_pending());
    wait
}

#[track_caller]
fn won<F: Future>(wait: &mut Pin<Box<F>>) -> F::Output {
    match poll_noop(wait.as_mut()) {
        Poll::Ready(guard) => guard,
        Poll::Pending => panic!("it has been granted"),
    }
}

/// The same, fair in the end. A wait that has come in vain once is handed the lock, and a
/// grant that is met goes on.
fn eventual() -> &'static Lock {
    let lock = RwLock::with_fairness(Guarded(UnsafeCell::new(0)), Fairness::Eventual);
    Box::leak(Box::new(lock))
}

#[track_caller]
fn is_free(lock: &'static Lock) -> usize {
    assert_eq!(lock.waiter_count(), 0);
    let guard = lock.try_write().expect("nobody holds it");
    guard.get()
}

/// Writers exclude readers and each other, each sees what was written before, and
/// no wake-up is lost between a wait that queues and a guard that ends.
#[test]
fn loom_writers_exclude_readers() {
    model(1, || {
        let lock = shared();
        let reading = thread::spawn(|| block_on(lock.read_future()).get());
        let writing = thread::spawn(|| block_on(lock.write_future()).bump());
        block_on(lock.write_future()).bump();
        assert!(reading.join().unwrap() <= 2);
        writing.join().unwrap();
        assert_eq!(is_free(lock), 2);
    });
}

/// The writer that comes after two readers has their reading behind it.
#[test]
fn loom_a_read_happens_before_the_write_after_it() {
    model(3, || {
        let lock = shared();
        let readers = [(); 2].map(|()| lock.try_read().unwrap());
        let reading = readers.map(|guard| {
            thread::spawn(move || {
                assert_eq!(guard.get(), 0);
                drop(guard);
            })
        });
        block_on(lock.write_future()).bump();
        for thread in reading {
            thread.join().unwrap();
        }
        assert_eq!(is_free(lock), 1);
    });
}

/// The `try_` forms beside a guard that ends.
#[test]
fn loom_try_read_and_try_write_meet_an_unlock() {
    model(3, || {
        let lock = shared();
        let guard = lock.try_write().unwrap();
        let trying = thread::spawn(|| lock.try_write().map(|guard| guard.bump()).is_some());
        let reading = thread::spawn(|| lock.try_read().map(|guard| guard.get()));
        guard.bump();
        drop(guard);
        let tried = usize::from(trying.join().unwrap());
        if let Some(seen) = reading.join().unwrap() {
            assert!((1..=2).contains(&seen), "what the writer did is seen");
        }
        assert_eq!(is_free(lock), 1 + tried);
    });
}

/// A writer at the head is dropped while the reader before it ends: any wait behind it
/// is woken, once.
#[test]
fn loom_cancel_of_a_writer_meets_an_unlock() {
    model(3, || {
        let lock = shared();
        let reader = lock.try_read().unwrap();
        let writer = queued(lock.write_future(), &counting_waker().1);
        let (wakes, waker) = counting_waker();
        let mut behind = queued(lock.read_future(), &waker);
        let cancelling = thread::spawn(move || drop(writer));
        drop(reader);
        cancelling.join().unwrap();
        assert_eq!(wakes.count(), 1, "the wake-up was lost");
        drop(won(&mut behind));
        is_free(lock);
    });
}

/// An upgrade beside the end of the last other reader, and a writer that waits:
/// no other task writes between the upgradable read and the write.
#[test]
fn loom_upgrade_meets_the_end_of_a_reader() {
    model(1, || {
        let lock = shared();
        let guard = lock.try_upgradable_read().unwrap();
        let reader = lock.try_read().unwrap();
        let reading = thread::spawn(move || {
            let seen = reader.get();
            drop(reader);
            seen
        });
        let writing = thread::spawn(|| block_on(lock.write_future()).bump());
        assert_eq!(guard.get(), 0);
        let guard = block_on(Upgradable::upgrade(guard, Bare));
        assert_eq!(guard.bump(), 1, "somebody wrote in between");
        drop(guard);
        assert_eq!(reading.join().unwrap(), 0);
        assert_eq!(writing.join().unwrap(), 2);
        is_free(lock);
    });
}

/// An upgrade that waits is dropped beside the end of the reader for which it
/// waits.
#[test]
fn loom_cancel_of_an_upgrade_meets_the_end_of_a_reader() {
    model(3, || {
        let lock = shared();
        let guard = lock.try_upgradable_read().unwrap();
        let reader = lock.try_read().unwrap();
        let upgrading = queued(Upgradable::upgrade(guard, Bare), &counting_waker().1);
        let (wakes, waker) = counting_waker();
        let mut behind = queued(lock.upgradable_read_future(), &waker);
        let ending = thread::spawn(move || drop(reader));
        drop(upgrading);
        ending.join().unwrap();
        assert_eq!(wakes.count(), 1, "the wake-up was lost");
        drop(won(&mut behind));
        is_free(lock);
    });
}

/// A writer that becomes a reader beside a reader and a writer that come: the
/// value does not change before it ends.
#[test]
fn loom_downgrade_lets_no_writer_in() {
    model(1, || {
        let lock = shared();
        let guard = lock.try_write().unwrap();
        let reading = thread::spawn(|| block_on(lock.read_future()).get());
        let writing = thread::spawn(|| block_on(lock.write_future()).bump());
        guard.bump();
        let guard: RwLockReadGuard<'_, _> = RwLockWriteGuard::downgrade(guard);
        assert_eq!(guard.get(), 1);
        drop(guard);
        assert!((1..=2).contains(&reading.join().unwrap()));
        assert_eq!(writing.join().unwrap(), 2);
        is_free(lock);
    });
}

/// A granted wait is dropped beside a poll of another of its task: one of them has
/// the lock, or it is free.
#[test]
fn loom_a_grant_goes_to_one() {
    model(3, || {
        let lock = shared();
        let (_, task) = counting_waker();
        let guard = lock.try_write().unwrap();
        let left_alone = queued(lock.write_future(), &task);
        drop(guard);
        let sibling_task = task.clone();
        let sibling = thread::spawn(move || {
            let mut sibling = Box::pin(lock.read_future());
            match poll(sibling.as_mut(), &sibling_task) {
                Poll::Ready(guard) => assert_eq!(guard.get(), 0),
                Poll::Pending => panic!("it takes the grant over, or the lock is free"),
            }
        });
        drop(left_alone);
        sibling.join().unwrap();
        is_free(lock);
    });
}

/// Both waits of one task are polled at once, of which one has been granted the lock: one
/// has it, and the other gets it afterwards.
#[test]
fn loom_siblings_have_a_grant_one_after_the_other() {
    model(3, || {
        let lock = shared();
        let (_, task) = counting_waker();
        let guard = lock.try_write().unwrap();
        let mut first = queued(lock.write_future(), &task);
        drop(guard);
        let sibling_task = task.clone();
        let sibling = thread::spawn(move || {
            let mut sibling = Box::pin(lock.write_future());
            let seen = match poll(sibling.as_mut(), &sibling_task) {
                Poll::Ready(guard) => Some(guard.bump()),
                Poll::Pending => None,
            };
            (sibling, seen)
        });
        let own = match poll(first.as_mut(), &task) {
            Poll::Ready(guard) => Some(guard.bump()),
            Poll::Pending => None,
        };
        let (mut sibling, others) = sibling.join().unwrap();
        assert!(own.is_some() || others.is_some());
        if own.is_none() {
            assert_eq!(won(&mut first).bump(), 2);
        } else if others.is_none() {
            assert_eq!(won(&mut sibling).bump(), 2);
        }
        assert_eq!(is_free(lock), 2);
    });
}

/// A wait that has been granted the lock is polled beside one of an unknown task, to which
/// the grant goes on.
#[test]
fn loom_a_grant_goes_on_to_a_wait_of_another_task() {
    model(3, || {
        let lock = shared();
        let (wakes, task) = counting_waker();
        let guard = lock.try_write().unwrap();
        let mut left_alone = queued(lock.write_future(), &task);
        let (first_wakes, first_task) = counting_waker();
        let mut first = queued(lock.read_future(), &first_task);
        drop(guard);
        assert_eq!(wakes.count(), 1);
        let polling = thread::spawn(move || poll(left_alone.as_mut(), &task).is_ready());
        let mut stranger = Box::pin(lock.read_future());
        drop(poll_noop(stranger.as_mut()));
        polling.join().unwrap();
        // Granted it, or let in by the end of the one that came after all.
        assert!(first_wakes.count() >= 1, "the wake-up was lost");
        drop(won(&mut first));
        drop(stranger);
        is_free(lock);
    });
}

/// A poll with a new waker beside the unlock: the wait has been granted when it is
/// polled, or the new waker is woken.
#[test]
fn loom_the_last_waker_is_the_one_woken() {
    model(3, || {
        let lock = shared();
        let guard = lock.try_write().unwrap();
        let mut wait = queued(lock.read_future(), &counting_waker().1);
        let ending = thread::spawn(move || {
            guard.bump();
            drop(guard);
        });
        let (wakes, waker) = counting_waker();
        match poll(wait.as_mut(), &waker) {
            Poll::Ready(guard) => assert_eq!(guard.get(), 1),
            Poll::Pending => {
                ending.join().unwrap();
                assert_eq!(wakes.count(), 1, "the wake-up went to an old waker");
                assert_eq!(won(&mut wait).get(), 1);
                return;
            }
        }
        ending.join().unwrap();
    });
}

/// The only wait is dropped while the writer unlocks: the lock is free, and the thread
/// that takes it next, without the inner lock, sees what the writer wrote.
#[test]
fn loom_cancel_of_the_last_meets_an_unlock() {
    model(3, || {
        let lock = shared();
        let guard = lock.try_write().unwrap();
        let wait = queued(lock.read_future(), &counting_waker().1);
        let cancelling = thread::spawn(move || {
            drop(wait);
            lock.try_read().map(|guard| guard.get())
        });
        guard.bump();
        drop(guard);
        let seen = cancelling.join().unwrap();
        assert!(seen.is_none_or(|seen| seen == 1));
        assert_eq!(is_free(lock), 1);
    });
}

/// The only wait is dropped while both readers unlock: each of them is counted out,
/// whether by the inner lock or past it.
#[test]
fn loom_cancel_of_the_last_meets_two_unlocks() {
    model(3, || {
        let lock = shared();
        let (one, other) = (lock.try_read().unwrap(), lock.try_read().unwrap());
        let wait = queued(lock.write_future(), &counting_waker().1);
        let cancelling = thread::spawn(move || drop(wait));
        let unlocking = thread::spawn(move || drop(one));
        drop(other);
        cancelling.join().unwrap();
        unlocking.join().unwrap();
        assert_eq!(is_free(lock), 0);
    });
}

/// The only wait is dropped beside a downgrade: the thread that reads next, without the
/// inner lock, sees what the writer wrote, also if the lock was opened by the drop.
#[test]
fn loom_cancel_of_the_last_passes_on_a_downgrade() {
    model(2, || {
        let lock = shared();
        let guard = lock.try_write().unwrap();
        let wait = queued(lock.write_future(), &counting_waker().1);
        let cancelling = thread::spawn(move || drop(wait));
        let reading = thread::spawn(|| lock.try_read().map(|guard| guard.get()));
        guard.bump();
        let guard = RwLockWriteGuard::downgrade(guard);
        assert!(reading.join().unwrap().is_none_or(|seen| seen == 1));
        cancelling.join().unwrap();
        drop(guard);
        assert_eq!(is_free(lock), 1);
    });
}

// Fair in the end.

/// Writers exclude readers and each other, and no wake-up is lost.
#[test]
fn loom_eventual_writers_exclude_readers() {
    model(1, || {
        let lock = eventual();
        let reading = thread::spawn(|| block_on(lock.read_future()).get());
        let writing = thread::spawn(|| block_on(lock.write_future()).bump());
        block_on(lock.write_future()).bump();
        assert!(reading.join().unwrap() <= 2);
        writing.join().unwrap();
        assert_eq!(is_free(lock), 2);
    });
}

/// A wait that is being called is dropped: the call goes to the next.
#[test]
fn loom_eventual_cancel_of_the_called_meets_an_unlock() {
    model(3, || {
        let lock = eventual();
        let guard = lock.try_write().unwrap();
        let first = queued(lock.write_future(), &counting_waker().1);
        let (wakes, waker) = counting_waker();
        let mut second = queued(lock.write_future(), &waker);
        let cancelling = thread::spawn(move || drop(first));
        guard.bump();
        drop(guard);
        cancelling.join().unwrap();
        assert_eq!(wakes.count(), 1, "the call was lost");
        assert_eq!(won(&mut second).get(), 1);
        is_free(lock);
    });
}

/// One that runs takes the lock that is free between an unlock and the wait that is called
/// for it. That wait is called again.
#[test]
fn loom_eventual_barging_meets_a_call() {
    model(2, || {
        let lock = eventual();
        let guard = lock.try_write().unwrap();
        let barging = thread::spawn(|| lock.try_write().map(|guard| guard.bump()).is_some());
        let waiting = thread::spawn(|| block_on(lock.write_future()).bump());
        guard.bump();
        drop(guard);
        let barged = usize::from(barging.join().unwrap());
        waiting.join().unwrap();
        assert_eq!(is_free(lock), 2 + barged);
    });
}

/// A writer queues while readers come and go past the inner lock: it gets in.
#[test]
fn loom_eventual_a_writer_queues_beside_readers() {
    model(2, || {
        let lock = eventual();
        let reader = lock.try_read().unwrap();
        let writing = thread::spawn(|| block_on(lock.write_future()).bump());
        let reading = thread::spawn(|| lock.try_read().map(|guard| guard.get()));
        assert_eq!(reader.get(), 0);
        drop(reader);
        reading.join().unwrap();
        writing.join().unwrap();
        assert_eq!(is_free(lock), 1);
    });
}

/// The same with a reader that waits.
#[test]
fn loom_eventual_a_writer_and_a_reader_queue() {
    model(2, || {
        let lock = eventual();
        let guard = lock.try_write().unwrap();
        let writing = thread::spawn(|| block_on(lock.write_future()).bump());
        let reading = thread::spawn(|| block_on(lock.read_future()).get());
        guard.bump();
        drop(RwLockWriteGuard::downgrade(guard));
        assert!((1..=2).contains(&reading.join().unwrap()));
        writing.join().unwrap();
        assert_eq!(is_free(lock), 2);
    });
}

/// An upgrade beside the end of the last other reader, and a writer that waits.
#[test]
fn loom_eventual_upgrade_meets_the_end_of_a_reader() {
    model(1, || {
        let lock = eventual();
        let guard = lock.try_upgradable_read().unwrap();
        let reader = lock.try_read().unwrap();
        let reading = thread::spawn(move || reader.get());
        let writing = thread::spawn(|| block_on(lock.write_future()).bump());
        assert_eq!(guard.get(), 0);
        let guard = block_on(Upgradable::upgrade(guard, Bare));
        assert_eq!(guard.bump(), 1, "somebody wrote in between");
        drop(guard);
        assert_eq!(reading.join().unwrap(), 0);
        assert_eq!(writing.join().unwrap(), 2);
        is_free(lock);
    });
}

/// A wait that is handed the lock, after it has come in vain, is polled beside an attempt
/// that does not wait: one of them has it.
#[test]
fn loom_eventual_a_hand_over_meets_an_attempt() {
    model(2, || {
        let lock = eventual();
        let guard = lock.try_write().unwrap();
        let (_, task) = counting_waker();
        let mut wait = queued(lock.write_future(), &task);
        drop(guard);
        let guard = lock.try_write().unwrap();
        assert!(poll(wait.as_mut(), &task).is_pending(), "it comes in vain");
        let trying = thread::spawn(|| lock.try_write().map(|guard| guard.bump()).is_some());
        guard.bump();
        drop(guard);
        let own = match poll(wait.as_mut(), &task) {
            Poll::Ready(guard) => Some(guard.bump()),
            Poll::Pending => None,
        };
        let tried = usize::from(trying.join().unwrap());
        if own.is_none() {
            won(&mut wait).bump();
        }
        assert_eq!(is_free(lock), 2 + tried);
    });
}
