use core::cell::{Cell, RefCell};
use core::fmt::Debug;
use core::mem::size_of;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::format;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::vec::Vec;

use super::{
    Fairness, Lock, LockOwned, MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard,
    OwnedMutexGuard, Waiter,
};
use crate::io::{Bare, Block, Io};
use crate::test_util::{
    counting_waker, panic_message, panicking_waker, poll, poll_noop, poll_thrice, scope,
};

mod any;
mod eventual;
mod guards;
mod waiter;

/// A wait on the heap, so that a test can drop it when it likes.
fn boxed<T: ?Sized>(mutex: &Mutex<T>) -> Pin<Box<Lock<'_, T>>> {
    Box::pin(mutex.lock_future())
}

/// `count` waits, queued in order, each of a task of its own.
fn queued<T: ?Sized>(mutex: &Mutex<T>, count: usize) -> Vec<Pin<Box<Lock<'_, T>>>> {
    (0..count)
        .map(|_| {
            let mut wait = boxed(mutex);
            assert!(poll(wait.as_mut(), &counting_waker().1).is_pending());
            wait
        })
        .collect()
}

fn is_untouched<T: ?Sized>(mutex: &Mutex<T>) -> bool {
    mutex.raw.is_untouched()
}

/// The guard that a poll has returned.
fn ready<G>(polled: Poll<G>) -> G {
    match polled {
        Poll::Ready(guard) => guard,
        Poll::Pending => panic!("the lock was not won"),
    }
}

/// An executor whose tasks have spent their budget while `broke` says so.
#[derive(Default)]
struct Budget {
    broke: Cell<bool>,
    asked: Cell<usize>,
}

impl Io for Budget {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.asked.set(self.asked.get() + 1);
        if self.broke.get() {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

#[test]
fn excludes() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 2_000;
    // A counter that loses steps if two have it at once.
    let mutex = Mutex::new(0_usize);
    let inside = AtomicUsize::new(0);
    scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let mut count = Bare.block_on(mutex.lock_future());
                    assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                    *count += 1;
                    assert_eq!(inside.fetch_sub(1, Ordering::Relaxed), 1);
                }
            });
        }
    });
    assert!(is_untouched(&mutex));
    assert_eq!(mutex.into_inner(), THREADS * ROUNDS);
}

#[test]
fn unlocks_on_drop_and_unwind() {
    let mutex = Mutex::new(1);
    drop(mutex.try_lock().unwrap());
    assert!(!mutex.is_locked());

    let message = panic_message(|| {
        let mut guard = mutex.try_lock().unwrap();
        *guard = 2;
        std::panic::panic_any("with the guard in hand");
    });
    assert_eq!(message, "with the guard in hand");
    // No poison: the next finds what was written.
    assert_eq!(*mutex.try_lock().unwrap(), 2);
}

#[test]
fn unwinding_hands_over_to_the_next() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (wakes, waker) = counting_waker();
    let mut wait = boxed(&mutex);
    assert!(poll(wait.as_mut(), &waker).is_pending());
    panic_message(move || {
        let _guard = guard;
        std::panic::panic_any("with the guard in hand");
    });
    assert_eq!(wakes.count(), 1);
    assert!(poll(wait.as_mut(), &waker).is_ready());
}

#[test]
fn a_waker_that_panics_while_unwinding_does_not_abort() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let mut wait = boxed(&mutex);
    assert!(poll(wait.as_mut(), &panicking_waker()).is_pending());
    let message = panic_message(move || {
        let _guard = guard;
        std::panic::panic_any("the first panic");
    });
    assert_eq!(message, "the first panic");
    assert!(poll_noop(wait.as_mut()).is_ready());
}

#[test]
fn try_lock_never_waits() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    assert!(guard.is_some());
    assert!(mutex.try_lock().is_none());
    assert_eq!(mutex.waiter_count(), 0);
    drop(guard);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn is_fifo() {
    let mutex = Mutex::new(());
    let mut guard = mutex.try_lock();
    let mut waits = queued(&mutex, 100);
    let tasks: Vec<Waker> = waits.iter().map(|_| counting_waker().1).collect();
    for served in 0..waits.len() {
        assert_eq!(mutex.waiter_count(), waits.len() - served);
        drop(guard.take());
        // Polled last to first: their order is that of the queue.
        for later in (served + 1..waits.len()).rev() {
            assert!(poll(waits[later].as_mut(), &tasks[later]).is_pending());
        }
        let Poll::Ready(won) = poll_noop(waits[served].as_mut()) else {
            panic!("the first in the queue was not served");
        };
        guard = Some(won);
    }
}

#[test]
fn no_barging_past_a_queue() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let mut first = queued(&mutex, 1).pop().unwrap();
    drop(guard);
    // Handed over, not free: neither a try nor a newcomer comes first.
    assert!(mutex.is_locked());
    assert!(mutex.try_lock().is_none());
    let mut newcomer = boxed(&mutex);
    assert!(poll_noop(newcomer.as_mut()).is_pending());
    let Poll::Ready(guard) = poll_noop(first.as_mut()) else {
        panic!("the lock was handed to it");
    };
    drop(guard);
    assert!(poll_noop(newcomer.as_mut()).is_ready());
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (wakes, task) = counting_waker();
    let mut left_alone = boxed(&mutex);
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drop(guard);
    assert_eq!(wakes.count(), 1);

    // The task goes on in another branch, and waits for the same lock there.
    let mut polled = boxed(&mutex);
    let Poll::Ready(guard) = poll_thrice(polled.as_mut(), &task) else {
        panic!("the task waits for itself");
    };
    assert_eq!(wakes.count(), 3, "it has to be polled again");
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    assert_eq!(mutex.waiter_count(), 1);
    drop(guard);
    assert_eq!(wakes.count(), 4);
    assert!(poll(left_alone.as_mut(), &task).is_ready());
    assert!(is_untouched(&mutex));
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task_that_has_queued() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (_, task) = counting_waker();
    let (_, stranger) = counting_waker();
    let mut left_alone = boxed(&mutex);
    let mut other = boxed(&mutex);
    let mut polled = boxed(&mutex);
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    assert!(poll(other.as_mut(), &stranger).is_pending());
    // In the queue with another waker, so that the poll has to renew it too.
    assert!(poll(polled.as_mut(), &counting_waker().1).is_pending());
    drop(guard);

    assert!(poll(other.as_mut(), &stranger).is_pending(), "not its task");
    let Poll::Ready(guard) = poll_thrice(polled.as_mut(), &task) else {
        panic!("the task waits for itself");
    };
    assert_eq!(mutex.waiter_count(), 1);
    // The one that gave way is the first again, once it is polled.
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    assert_eq!(mutex.waiter_count(), 2);
    drop(guard);
    assert!(poll(other.as_mut(), &stranger).is_pending());
    let Poll::Ready(guard) = poll(left_alone.as_mut(), &task) else {
        panic!("the wait that gave way lost its place");
    };
    drop(guard);
    assert!(poll(other.as_mut(), &stranger).is_ready());
    assert!(is_untouched(&mutex));
}

#[test]
fn a_wait_that_gave_way_may_be_dropped() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (wakes, task) = counting_waker();
    let mut left_alone = boxed(&mutex);
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drop(guard);
    let guard = poll_thrice(boxed(&mutex).as_mut(), &task);
    assert!(guard.is_ready());
    drop(left_alone);
    assert_eq!(mutex.waiter_count(), 0);
    drop(guard);
    assert!(is_untouched(&mutex));
    drop(task);
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

// The value and its faces.

#[test]
fn holds_values_without_a_size() {
    let slice: &Mutex<[u8]> = &Mutex::new([1, 2, 3]);
    slice.try_lock().unwrap()[0] = 9;
    let mut wait = boxed(slice);
    let Poll::Ready(guard) = poll_noop(wait.as_mut()) else {
        panic!("the lock is free");
    };
    assert_eq!(*guard, [9, 2, 3]);
    let mut waiter = Box::pin(Waiter::new());
    assert!(slice.lock_with(waiter.as_mut()).is_none());
    drop(guard);
    assert_eq!(slice.lock_with(waiter.as_mut()).unwrap().len(), 3);

    let shown: Arc<Mutex<dyn Debug + Send>> = Arc::new(Mutex::new(5));
    assert_eq!(format!("{:?}", shown.try_lock().unwrap()), "5");
}

#[test]
fn gives_the_value_back() {
    let mut mutex = Mutex::from(RefCell::new(1));
    *mutex.get_mut().get_mut() += 1;
    assert_eq!(mutex.into_inner().into_inner(), 2);
    assert_eq!(Mutex::<u8>::default().into_inner(), 0);

    // Dropped once, with the lock or with the value.
    let alive = Arc::new(());
    drop(Mutex::new(alive.clone()));
    drop(Mutex::new(alive.clone()).into_inner());
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn shows_itself() {
    let mutex = Mutex::new("value");
    assert_eq!(format!("{mutex:?}"), r#"Mutex { data: "value" }"#);
    let guard = mutex.try_lock().unwrap();
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), r#""value" value"#);
    let mut wait = boxed(&mutex);
    assert_eq!(format!("{wait:?}"), r#"Lock { status: "idle", .. }"#);
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(format!("{wait:?}"), r#"Lock { status: "queued", .. }"#);
    drop(guard);
    assert_eq!(format!("{wait:?}"), r#"Lock { status: "ready", .. }"#);
    assert!(poll_noop(wait.as_mut()).is_ready());
    assert_eq!(format!("{wait:?}"), r#"Lock { status: "finished", .. }"#);
    assert_eq!(
        format!("{:?}", Waiter::<'_, u8>::new()),
        r#"Waiter { status: "idle", .. }"#
    );
}

#[test]
fn guard_leads_to_its_mutex() {
    let mutex = Mutex::new(1);
    let guard = mutex.try_lock().unwrap();
    let found = MutexGuard::mutex(&guard);
    drop(guard);
    assert!(core::ptr::eq(found, &mutex));
    assert!(found.try_lock().is_some());
}

#[test]
fn leaked_guard_stays_locked() {
    let mutex = Mutex::new(());
    core::mem::forget(mutex.try_lock());
    let mut wait = boxed(&mutex);
    assert!(poll_noop(wait.as_mut()).is_pending());
    drop(wait);
    assert!(mutex.is_locked());
    assert_eq!(mutex.waiter_count(), 0);
}

#[test]
#[cfg(target_pointer_width = "64")]
fn sizes() {
    assert!(size_of::<Mutex<()>>() <= 48);
    assert_eq!(size_of::<Mutex<u64>>(), size_of::<Mutex<()>>() + 8);
    assert!(size_of::<Lock<'_, u64>>() <= 48);
    assert_eq!(size_of::<MutexGuard<'_, u64>>(), 8);
    assert_eq!(size_of::<MappedMutexGuard<'_, u64>>(), 16);
    assert_eq!(size_of::<OwnedMutexGuard<u64>>(), 16);
    assert_eq!(size_of::<OwnedMappedMutexGuard<u64, Mutex<u8>>>(), 24);
    assert!(size_of::<LockOwned<u64>>() <= 56);
    assert!(size_of::<Waiter<'_, u64>>() <= 64);
}

#[test]
fn stormed_by_threads_that_give_up() {
    storm(&Mutex::new(0));
    storm(&Mutex::with_fairness(0, Fairness::Eventual));
}

fn storm(mutex: &Mutex<usize>) {
    // Waits that are dropped at any moment, tries, and waits to the end, all on
    // one lock: nothing is lost, and the value counts each that had it.
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| {
        std::env::var("ANYSYNC_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or(0x5eed)
    });
    let had = AtomicUsize::new(0);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        scope(|scope| {
            for thread in 0..4_u64 {
                let had = &had;
                scope.spawn(move || {
                    let mut random = seed ^ (thread + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let (_, waker) = counting_waker();
                    for _ in 0..3_000 {
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        let guard = match random % 4 {
                            0 => mutex.try_lock(),
                            1 => {
                                let mut wait = pin!(mutex.lock_future());
                                match poll(wait.as_mut(), &waker) {
                                    Poll::Ready(guard) => Some(guard),
                                    Poll::Pending => None,
                                }
                            }
                            _ => Some(Bare.block_on(mutex.lock_future())),
                        };
                        if let Some(mut guard) = guard {
                            *guard += 1;
                            had.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
    }));
    assert!(outcome.is_ok(), "seed: ANYSYNC_SEED={seed}");
    assert!(is_untouched(mutex));
    assert_eq!(*mutex.try_lock().unwrap(), had.load(Ordering::Relaxed));
}
