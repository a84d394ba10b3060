//! Models of the semaphore for loom: each runs a few operations of two or three
//! threads in every order, up to the bound of preemptions that it names, under
//! the memory model of C11. What the permits guard is a tracked cell, and so are
//! the links and wakers of the queue: an access that the orderings do not order
//! fails.

use core::pin::Pin;
use core::task::{Poll, Waker};
use std::boxed::Box;

use loom::cell::UnsafeCell;
use loom::thread;

use super::{Acquire, AcquireError, Semaphore, SemaphorePermit};
use crate::loom_util::{block_on, counting_waker, model, poll};

/// A semaphore for threads that are not scoped. It is leaked: a few bytes for
/// each order that is tried.
fn shared(permits: usize) -> &'static Semaphore {
    Box::leak(Box::new(Semaphore::new(permits)))
}

fn queued(semaphore: &'static Semaphore, n: usize, waker: &Waker) -> Pin<Box<Acquire<'static>>> {
    let mut wait = Box::pin(semaphore.acquire_many_future(n));
    assert!(poll(wait.as_mut(), waker).is_pending());
    wait
}

fn take(wait: &mut Pin<Box<Acquire<'static>>>) -> SemaphorePermit<'static> {
    match poll(wait.as_mut(), Waker::noop()) {
        Poll::Ready(Ok(permit)) => permit,
        _ => panic!("it has been granted"),
    }
}

/// What only the holder of the single permit touches.
struct Guarded(UnsafeCell<usize>);

// SAFETY: the models touch the cell with the only permit in hand; that this is
// enough is what loom checks.
unsafe impl Sync for Guarded {}
// SAFETY: a number may be sent.
unsafe impl Send for Guarded {}

impl Guarded {
    fn shared() -> &'static Self {
        Box::leak(Box::new(Self(UnsafeCell::new(0))))
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

/// One permit, two threads that wait for it and one that only tries: they have it
/// one after the other, each sees what the one before wrote, and no wake-up is
/// lost between an acquire that queues and a release.
#[test]
fn loom_acquire_and_release_lose_no_wakeup() {
    model(2, || {
        let (semaphore, guarded) = (shared(1), Guarded::shared());
        let enter = || {
            let permit = block_on(semaphore.acquire_future()).unwrap();
            guarded.bump();
            drop(permit);
        };
        let waiting = thread::spawn(enter);
        let trying = thread::spawn(|| match semaphore.try_acquire() {
            Ok(_permit) => {
                guarded.bump();
                1
            }
            Err(_) => 0,
        });
        enter();
        waiting.join().unwrap();
        let tried = trying.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
        assert_eq!(guarded.bump(), 3 + tried);
    });
}

/// A request for two, while two threads release one each: what is released beside
/// the queue, under its lock and as it is being formed adds up.
#[test]
fn loom_releases_add_up_for_many() {
    model(3, || {
        let semaphore = shared(2);
        let permits = [(); 2].map(|()| semaphore.try_acquire().unwrap());
        let releasing = permits.map(|permit| thread::spawn(move || drop(permit)));
        let two = block_on(semaphore.acquire_many_future(2)).unwrap();
        assert_eq!(two.num_permits(), 2);
        for thread in releasing {
            thread.join().unwrap();
        }
        drop(two);
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// A wait at the head is dropped while permits are released: if it was granted
/// them, or only held up the next, the next gets what suffices for it.
#[test]
fn loom_cancel_and_release_pass_on() {
    model(3, || {
        let semaphore = shared(0);
        let first = queued(semaphore, 2, &counting_waker().1);
        let (wakes, waker) = counting_waker();
        let mut second = queued(semaphore, 1, &waker);
        let cancelling = thread::spawn(move || drop(first));
        semaphore.add_permits(2);
        cancelling.join().unwrap();
        assert_eq!(wakes.count(), 1, "the wake-up was lost");
        drop(take(&mut second));
        assert_eq!(semaphore.available_permits(), 2);
        assert_eq!(semaphore.waiter_count(), 0);
    });
}

/// A close beside an acquire that may be before, in or after its first poll, and
/// a release: the acquire ends, by a permit or by the error.
#[test]
fn loom_close_and_acquire_leave_nobody_waiting() {
    model(2, || {
        let semaphore = shared(1);
        let permit = semaphore.try_acquire().unwrap();
        let closing = thread::spawn(|| semaphore.close());
        let waiting = thread::spawn(|| match block_on(semaphore.acquire_future()) {
            Ok(permit) => drop(permit),
            Err(AcquireError) => assert!(semaphore.is_closed()),
        });
        drop(permit);
        closing.join().unwrap();
        waiting.join().unwrap();
        assert!(semaphore.is_closed());
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// A close beside the drop and the poll of waits that it is about to refuse.
#[test]
fn loom_close_and_cancel_meet() {
    model(3, || {
        let semaphore = shared(0);
        let dropped = queued(semaphore, 1, &counting_waker().1);
        let mut polled = queued(semaphore, 1, &counting_waker().1);
        let closing = thread::spawn(|| semaphore.close());
        drop(dropped);
        let (wakes, waker) = counting_waker();
        match poll(polled.as_mut(), &waker) {
            Poll::Ready(outcome) => {
                assert!(outcome.is_err());
                closing.join().unwrap();
            }
            Poll::Pending => {
                closing.join().unwrap();
                assert_eq!(wakes.count(), 1);
                assert!(matches!(
                    poll(polled.as_mut(), &waker),
                    Poll::Ready(Err(AcquireError))
                ));
            }
        }
        assert_eq!(semaphore.waiter_count(), 0);
    });
}

/// A granted wait is dropped, polled by its own task, or gives way to another
/// wait of it, while more is released: each permit is had once.
#[test]
fn loom_a_grant_goes_to_one() {
    model(3, || {
        let semaphore = shared(0);
        let (_, task) = counting_waker();
        let mut left_alone = queued(semaphore, 1, &task);
        semaphore.add_permits(1);
        let sibling_task = task.clone();
        let sibling = thread::spawn(move || {
            let mut sibling = Box::pin(semaphore.acquire_future());
            match poll(sibling.as_mut(), &sibling_task) {
                Poll::Ready(permit) => {
                    assert!(permit.is_ok());
                    1
                }
                Poll::Pending => 0,
            }
        });
        let own = match poll(left_alone.as_mut(), &task) {
            Poll::Ready(permit) => {
                assert!(permit.is_ok());
                1
            }
            Poll::Pending => 0,
        };
        assert!(own + sibling.join().unwrap() >= 1, "nobody had the permit");
        drop(left_alone);
        assert_eq!(semaphore.available_permits(), 1);
        assert_eq!(semaphore.waiter_count(), 0);
    });
}

/// A poll with a new waker beside the release: the wait has been granted its
/// permit when it is polled, or the new waker is woken.
#[test]
fn loom_the_last_waker_is_the_one_woken() {
    model(3, || {
        let semaphore = shared(0);
        let mut wait = queued(semaphore, 1, &counting_waker().1);
        let releasing = thread::spawn(|| semaphore.add_permits(1));
        let (wakes, waker) = counting_waker();
        if poll(wait.as_mut(), &waker).is_pending() {
            releasing.join().unwrap();
            assert_eq!(wakes.count(), 1, "the wake-up went to an old waker");
            assert!(poll(wait.as_mut(), &waker).is_ready());
        } else {
            releasing.join().unwrap();
        }
    });
}

/// Permits are forgotten and tried for beside a release: the count comes out.
#[test]
fn loom_the_count_is_conserved() {
    model(3, || {
        let semaphore = shared(1);
        let permit = semaphore.try_acquire().unwrap();
        let forgetting = thread::spawn(|| semaphore.forget_permits(1));
        let trying = thread::spawn(|| drop(semaphore.try_acquire()));
        drop(permit);
        let forgotten = forgetting.join().unwrap();
        trying.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1 - forgotten);
    });
}

/// The only wait is dropped while the permit is released: it is free, and the thread
/// that takes it next, without the inner lock, sees what its holder wrote.
#[test]
fn loom_cancel_of_the_last_and_release_meet() {
    model(3, || {
        let (semaphore, guarded) = (shared(1), Guarded::shared());
        let permit = semaphore.try_acquire().unwrap();
        let wait = queued(semaphore, 1, &counting_waker().1);
        let cancelling = thread::spawn(move || {
            drop(wait);
            semaphore.try_acquire().map(|_permit| guarded.bump())
        });
        guarded.bump();
        drop(permit);
        if let Ok(bumped) = cancelling.join().unwrap() {
            assert_eq!(bumped, 2);
        }
        assert_eq!(semaphore.available_permits(), 1);
        assert_eq!(semaphore.waiter_count(), 0);
    });
}

/// A wait for more than there is is dropped beside a release: the thread that takes the
/// permit, without the inner lock, sees what its holder wrote, also if it was the drop
/// that freed it.
#[test]
fn loom_cancel_of_the_last_passes_on_a_release() {
    model(2, || {
        let (semaphore, guarded) = (shared(1), Guarded::shared());
        let permit = semaphore.try_acquire().unwrap();
        let wait = queued(semaphore, 2, &counting_waker().1);
        let cancelling = thread::spawn(move || drop(wait));
        let trying = thread::spawn(|| semaphore.try_acquire().map(|_permit| guarded.bump()));
        guarded.bump();
        drop(permit);
        if let Ok(bumped) = trying.join().unwrap() {
            assert_eq!(bumped, 2);
        }
        cancelling.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// A thread that sees that the semaphore is closed sees what was done before the close,
/// whether a task waits or not.
#[test]
fn loom_close_happens_before_is_closed() {
    for queues in [false, true] {
        model(3, move || {
            let (semaphore, guarded) = (shared(0), Guarded::shared());
            let wait = queues.then(|| queued(semaphore, 1, &counting_waker().1));
            let closing = thread::spawn(|| {
                guarded.bump();
                semaphore.close();
            });
            if semaphore.is_closed() {
                assert_eq!(guarded.bump(), 2);
            }
            closing.join().unwrap();
            drop(wait);
            assert_eq!(semaphore.waiter_count(), 0);
        });
    }
}
