//! What the lock does in each state, one thread after the other; the wakers show
//! which threads it would have run.

use core::pin::pin;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use super::park::Parked;
use super::*;
use crate::test_util::{counting_waker, poll, scope};

impl<T> Lock<T> {
    /// Whether a sender waits.
    pub(in super::super) fn is_wanted(&self) -> bool {
        self.word() & WANTED != 0
    }

    fn word(&self) -> usize {
        self.raw.word.load(Relaxed)
    }
}

fn sleep_for<T>(lock: &Lock<T>, wish: Wish) -> Parked<'_> {
    Parked::new(&lock.raw, wish)
}

#[test]
fn waiting_sender_stops_new_readers() {
    let lock = Lock::new(0);
    let (wakes, waker) = counting_waker();
    let (first, second) = (lock.read(), lock.read());
    let mut sender = pin!(sleep_for(&lock, Wish::Write));
    assert!(poll(sender.as_mut(), &waker).is_pending());
    assert!(!lock.raw.try_enter(Wish::Read));
    drop(first);
    assert_eq!(wakes.count(), 0);
    assert!(!lock.raw.try_enter(Wish::Read));
    drop(second);
    assert_eq!(wakes.count(), 1);
    assert!(poll(sender, &waker).is_ready());
    // Until the sender has been, which it may now.
    assert!(!lock.raw.try_enter(Wish::Read));
    assert_eq!(lock.word(), WANTED);
    drop(lock.write());
    assert_eq!(lock.word(), 0);
    assert!(lock.raw.try_enter(Wish::Read));
}

#[test]
fn what_is_free_is_kept_for_no_sleeper() {
    let lock = Lock::new(0);
    let (wakes, waker) = counting_waker();
    let held = lock.write();
    let mut reader = pin!(sleep_for(&lock, Wish::Read));
    let mut sender = pin!(sleep_for(&lock, Wish::Write));
    assert!(poll(reader.as_mut(), &waker).is_pending());
    assert!(poll(sender.as_mut(), &waker).is_pending());
    drop(held);
    assert_eq!(wakes.count(), 2);
    // Both are woken, and neither has run yet.
    for n in 1..=3 {
        *lock.write().value() = n;
    }
    assert_eq!(*lock.read(), 3);
    assert_eq!(lock.word(), 0);
    assert!(poll(reader, &waker).is_ready());
    assert!(poll(sender, &waker).is_ready());
}

#[test]
fn last_reader_wakes_one_sender() {
    let lock = Lock::new(0);
    let (readers, reader_waker) = counting_waker();
    let (senders, sender_waker) = counting_waker();
    let held = lock.read();
    let mut first = pin!(sleep_for(&lock, Wish::Write));
    let mut second = pin!(sleep_for(&lock, Wish::Write));
    let mut reader = pin!(sleep_for(&lock, Wish::Read));
    assert!(poll(first.as_mut(), &sender_waker).is_pending());
    assert!(poll(second.as_mut(), &sender_waker).is_pending());
    assert!(poll(reader.as_mut(), &reader_waker).is_pending());
    drop(held);
    assert_eq!((senders.count(), readers.count()), (1, 0));
    assert!(poll(first, &sender_waker).is_ready());
    drop(lock.write());
    assert_eq!((senders.count(), readers.count()), (2, 1));
    assert!(poll(second, &sender_waker).is_ready());
    assert!(poll(reader, &reader_waker).is_ready());
    assert_eq!(lock.word(), 0);
}

/// A sender that is awake and wants the lock wakes the readers when it leaves: the
/// last reader before it would wake them for nothing.
#[test]
fn readers_behind_an_awake_sender_are_woken_by_it() {
    let lock = Lock::new(0);
    let (wakes, waker) = counting_waker();
    let held = lock.read();
    lock.raw.word.fetch_or(WANTED, Relaxed);
    let mut reader = pin!(sleep_for(&lock, Wish::Read));
    assert!(poll(reader.as_mut(), &waker).is_pending());
    drop(held);
    assert_eq!(wakes.count(), 0);
    drop(lock.write());
    assert_eq!(wakes.count(), 1);
    assert!(poll(reader, &waker).is_ready());
    assert_eq!(lock.word(), 0);
}

/// No sender wants the lock any more: then the last reader wakes those that sleep.
#[test]
fn readers_whose_sender_was_passed_are_woken() {
    let lock = Lock::new(0);
    let (wakes, waker) = counting_waker();
    let held = lock.read();
    lock.raw.word.fetch_or(WANTED, Relaxed);
    let mut reader = pin!(sleep_for(&lock, Wish::Read));
    assert!(poll(reader.as_mut(), &waker).is_pending());
    assert!(lock.raw.try_enter(Wish::ReadNow));
    lock.raw.end_read();
    drop(held);
    assert_eq!(wakes.count(), 1);
    assert!(poll(reader, &waker).is_ready());
}

#[test]
fn reader_without_patience_heeds_a_sender_that_has_the_lock() {
    let lock = Lock::new(0);
    let held = lock.read();
    lock.raw.word.fetch_or(WANTED, Relaxed);
    assert!(!lock.raw.try_enter(Wish::Read));
    assert!(lock.raw.try_enter(Wish::ReadNow));
    assert!(!lock.is_wanted());
    lock.raw.end_read();
    drop(held);
    let _held = lock.write();
    assert!(!lock.raw.try_enter(Wish::ReadNow));
}

#[test]
fn sleeper_that_need_not_wait_is_not_queued() {
    let lock = Lock::new(0);
    let (wakes, waker) = counting_waker();
    assert!(poll(pin!(sleep_for(&lock, Wish::Write)), &waker).is_ready());
    let held = lock.read();
    assert!(poll(pin!(sleep_for(&lock, Wish::Read)), &waker).is_ready());
    assert_eq!(lock.word(), READER);
    drop(held);
    assert_eq!((lock.word(), wakes.count()), (0, 0));
}

#[test]
fn sleeper_that_gives_up_leaves_no_trace() {
    let lock = Lock::new(0);
    let (wakes, waker) = counting_waker();
    let held = lock.write();
    for wish in [Wish::Read, Wish::ReadNow, Wish::Write] {
        let mut sleeper = pin!(sleep_for(&lock, wish));
        assert!(poll(sleeper.as_mut(), &waker).is_pending());
        assert!(poll(sleeper.as_mut(), &waker).is_pending());
    }
    {
        let list = lock.raw.list.lock();
        assert!(list.is_empty(READERS) && list.is_empty(SENDERS));
    }
    drop(held);
    assert_eq!(wakes.count(), 0);
    assert_eq!(lock.word() & PARKED, 0);
}

#[test]
fn panic_frees_the_lock() {
    let lock = Lock::new(0);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _held = lock.write();
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(*lock.read(), 0);
}

#[test]
#[should_panic = "too many `Ref`s of a watch are kept"]
fn too_many_readers_are_noticed() {
    let lock = Lock::new(0);
    lock.raw.word.store(TOO_MANY, Relaxed);
    drop(lock.read());
}

/// One that sleeps in vain looks again in time, although nothing wakes it.
#[test]
fn sleep_ends_in_time() {
    let lock = Lock::new(0);
    let _held = lock.read();
    let start = Instant::now();
    let woken = park::sleep(&lock.raw, Wish::Write, park::deadline());
    assert!(!woken);
    assert!(start.elapsed() >= park::PATIENCE);
}

#[test]
fn excludes() {
    const EACH: u32 = 200;
    let lock = Lock::new((0, 0));
    let done = AtomicBool::new(false);
    scope(|scope| {
        let senders: [_; 2] = core::array::from_fn(|_| {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let mut held = lock.write();
                    let value = held.value();
                    value.0 += 1;
                    // The others come to wait, and see what they should not.
                    thread::yield_now();
                    value.1 += 1;
                }
            })
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let seen = lock.read();
                    thread::yield_now();
                    assert_eq!(seen.0, seen.1);
                }
            });
        }
        for sender in senders {
            sender.join().unwrap();
        }
        done.store(true, Relaxed);
    });
    assert_eq!(*lock.read(), (2 * EACH, 2 * EACH));
    assert_eq!(lock.word() & !PARKED, 0);
}
