//! Several waits of one task, and waits that their task does not poll any more.

use core::cell::Cell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::vec::Vec;

use super::raw::{MAX_READERS, Raw};
use super::{RwLock, RwLockUpgradableReadGuard as Upgradable, RwLockWriteGuard};
use crate::Fairness;
use crate::fairness::PATIENCE;
use crate::io::Bare;
use crate::primitive::TrackedCell;
use crate::test_util::tasks::{Branch, Order, Task, have_equal_shares, looping, run, yield_now};
use crate::test_util::{Event, counting_waker, hooked_waker, panic_message, poll, poll_noop};

const BOTH: [Fairness; 2] = [Fairness::Fifo, Fairness::Eventual];

/// More polls than it takes until a grant goes on, whatever the wakers are.
const MANY: usize = 200;

fn lock_of(fairness: Fairness, max_readers: usize) -> RwLock<()> {
    RwLock {
        raw: Raw::new(max_readers, fairness),
        value: TrackedCell::new(()),
    }
}

type Wait<'a> = Pin<Box<dyn Future<Output = Box<dyn Guard + 'a>> + 'a>>;

/// A guard of any kind.
trait Guard {}
impl<T> Guard for T {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Upgradable,
    Write,
}

const KINDS: [Kind; 3] = [Kind::Read, Kind::Upgradable, Kind::Write];

fn wait(lock: &RwLock<()>, kind: Kind) -> Wait<'_> {
    match kind {
        Kind::Read => Box::pin(async { Box::new(lock.read_future().await) as _ }),
        Kind::Upgradable => Box::pin(async { Box::new(lock.upgradable_read_future().await) as _ }),
        Kind::Write => Box::pin(async { Box::new(lock.write_future().await) as _ }),
    }
}

fn attempt(lock: &RwLock<()>, kind: Kind) -> bool {
    match kind {
        Kind::Read => lock.try_read().is_some(),
        Kind::Upgradable => lock.try_upgradable_read().is_some(),
        Kind::Write => lock.try_write().is_some(),
    }
}

fn is_ready(wait: &mut Wait<'_>, waker: &Waker) -> bool {
    poll(wait.as_mut(), waker).is_ready()
}

/// How many polls it takes.
#[track_caller]
fn polls(wait: &mut Wait<'_>, waker: &Waker) -> usize {
    let polls = (1..=10 * MANY).find(|_| is_ready(wait, waker));
    polls.expect("it waits for a wait that is not polled")
}

/// A wait that is granted what it waits for, and then is not polled any more.
fn granted<'a>(lock: &'a RwLock<()>, kind: Kind, waker: &Waker) -> Wait<'a> {
    let guard = lock.try_write().expect("it is free");
    let mut left_alone = wait(lock, kind);
    assert!(!is_ready(&mut left_alone, waker));
    if lock.fairness() == Fairness::Eventual {
        // It comes in vain so often that it is handed the lock.
        let mut guard = Some(guard);
        for _ in 0..PATIENCE {
            drop(guard.take());
            guard = lock.try_write();
            assert!(!is_ready(&mut left_alone, waker));
        }
        drop(guard);
    } else {
        drop(guard);
    }
    assert_eq!(lock.raw.grant_count(), 1);
    left_alone
}

/// Two branches of one task in a loop, and if there is to be, a second task.
fn shares(lock: &RwLock<()>, kind: Kind, order: Order, has_other: bool) {
    let counts = [const { Cell::new(0) }; 3];
    let counts = if has_other { &counts[..] } else { &counts[..2] };
    let once = || async move {
        let guard = wait(lock, kind).await;
        yield_now().await;
        drop(guard);
    };
    let mut branches: Vec<Branch<'_>> = counts.iter().map(|count| looping(count, once)).collect();
    let other = branches.split_off(2);
    let mut tasks = Vec::from([Task::new(order, branches)]);
    if has_other {
        tasks.push(Task::new(order, other));
    }
    run(&mut tasks, 3_000);
    let factor = if has_other && lock.fairness() == Fairness::Eventual {
        3
    } else {
        2
    };
    have_equal_shares(counts, 500, factor);
}

#[test]
fn siblings_take_turns() {
    for fairness in BOTH {
        for kind in KINDS {
            for order in [Order::Fixed, Order::Rotating] {
                shares(&lock_of(fairness, 1), kind, order, false);
            }
        }
    }
}

#[test]
fn a_task_of_many_waits_takes_no_more_than_its_shares() {
    for fairness in BOTH {
        for kind in KINDS {
            for order in [Order::Fixed, Order::Rotating] {
                shares(&lock_of(fairness, 1), kind, order, true);
            }
        }
    }
}

#[test]
fn abandoned_win_goes_on() {
    let task = counting_waker().1;
    for fairness in BOTH {
        for left in KINDS {
            for polled in KINDS {
                let lock = lock_of(fairness, 1);
                let left_alone = granted(&lock, left, &task);
                assert_eq!(
                    polls(&mut wait(&lock, polled), &task),
                    3,
                    "{left:?} {polled:?}"
                );
                drop(left_alone);
                assert!(attempt(&lock, polled));
            }
        }
    }
}

/// So many reads that have been granted to tasks that do not poll them; the last of them
/// is of `own`.
fn many_granted<'a>(lock: &'a RwLock<()>, count: usize, own: &Waker) -> Vec<(Wait<'a>, Waker)> {
    let guard = lock.try_write().expect("it is free");
    let waits = (1..=count).map(|number| {
        let waker = if number == count {
            own.clone()
        } else {
            counting_waker().1
        };
        let mut read = wait(lock, Kind::Read);
        assert!(!is_ready(&mut read, &waker));
        (read, waker)
    });
    let waits = waits.collect();
    drop(guard);
    assert_eq!(lock.raw.grant_count(), count);
    waits
}

#[test]
fn abandoned_win_goes_on_among_many() {
    for count in [1, 63, 64, 65, 1_000] {
        let lock = lock_of(Fairness::Fifo, count);
        let (wakes, task) = counting_waker();
        let left_alone = many_granted(&lock, count, &task);
        let mut read = wait(&lock, Kind::Read);
        // It looks through 64 at a time for one of its own task.
        let before = wakes.count();
        let polls = polls(&mut read, &task);
        assert!(polls <= 3 + count / 64 + 1, "{polls} of {count}");
        assert!(wakes.count() - before >= polls - 1, "it is polled again");
        drop((left_alone, read));
        assert!(attempt(&lock, Kind::Write));
    }
}

#[test]
fn abandoned_wins_of_one_task_all_go_on() {
    for count in [1, 63, 64, 65, 1_000] {
        let lock = lock_of(Fairness::Fifo, MAX_READERS);
        let task = counting_waker().1;
        let guard = lock.try_write();
        let mut reads: Vec<_> = (0..count).map(|_| wait(&lock, Kind::Read)).collect();
        for read in &mut reads {
            assert!(!is_ready(read, &task));
        }
        drop(guard);
        let mut write = wait(&lock, Kind::Write);
        let polls = (1..)
            .find(|_| is_ready(&mut write, &task))
            .expect("it ends");
        assert!(polls <= 3 * count, "{polls} for {count}");
        assert_eq!(lock.raw.grant_count(), 0);
        drop((reads, write));
        assert!(attempt(&lock, Kind::Write));
    }
}

#[test]
fn abandoned_win_goes_on_though_wakers_differ() {
    // Of a combinator that gives each branch a waker of its own; and of another task.
    let (own, other) = (counting_waker().1, hooked_waker(|_: Event| {}));
    let strangers = [other, counting_waker().1, Waker::noop().clone()];
    for fairness in BOTH {
        for kind in KINDS {
            for stranger in &strangers {
                let lock = lock_of(fairness, 1);
                let left_alone = granted(&lock, kind, stranger);
                assert!(polls(&mut wait(&lock, kind), &own) <= MANY);
                drop(left_alone);
                assert!(attempt(&lock, kind));
            }
        }
    }
}

#[test]
fn a_grant_that_goes_on_goes_to_the_first_in_the_queue() {
    let lock = RwLock::new(());
    let (own, (wakes, first_waker)) = (counting_waker().1, counting_waker());
    let mut left_alone = granted(&lock, Kind::Write, &counting_waker().1);
    let mut first = wait(&lock, Kind::Write);
    assert!(!is_ready(&mut first, &first_waker));
    let mut polled = wait(&lock, Kind::Write);
    for _ in 0..MANY {
        assert!(!is_ready(&mut polled, &own));
        if wakes.count() != 0 {
            break;
        }
    }
    let guard = match poll(first.as_mut(), &first_waker) {
        Poll::Ready(guard) => guard,
        Poll::Pending => panic!("it is the first"),
    };
    // The one that did not come is the next when it does.
    assert!(!is_ready(&mut left_alone, &own));
    drop(guard);
    assert!(!is_ready(&mut polled, &own));
    assert!(is_ready(&mut left_alone, &own));
    drop(left_alone);
    assert!(is_ready(&mut polled, &own));
}

#[test]
fn noop_waker_is_nobody() {
    for kind in KINDS {
        let lock = lock_of(Fairness::Fifo, 1);
        let mut left_alone = granted(&lock, kind, Waker::noop());
        let mut other = wait(&lock, kind);
        for _ in 0..100 {
            assert!(
                poll_noop(other.as_mut()).is_pending(),
                "it is another task's"
            );
        }
        assert!(poll_noop(left_alone.as_mut()).is_ready());
        drop(left_alone);
        assert!(poll_noop(other.as_mut()).is_ready());
    }
}

#[test]
fn a_granted_wait_is_not_passed_over_while_its_task_comes() {
    // Other tasks come and queue; each of them meets the grant once.
    let lock = RwLock::new(());
    let (_, task) = counting_waker();
    let mut granted = granted(&lock, Kind::Write, &task);
    let others: Vec<_> = (0..2 * MANY)
        .map(|_| {
            let (wakes, waker) = counting_waker();
            let mut other = wait(&lock, Kind::Write);
            assert!(!is_ready(&mut other, &waker));
            assert_eq!(wakes.count(), 0, "it sleeps");
            other
        })
        .collect();
    assert!(is_ready(&mut granted, &task));
    drop((granted, others));
    assert!(attempt(&lock, Kind::Write));
}

#[test]
fn kept_wait_stops_no_task() {
    let (own, stranger) = (counting_waker().1, counting_waker().1);
    for kind in KINDS {
        // Called: others get in at once, by a poll or an attempt.
        let lock = lock_of(Fairness::Eventual, 1);
        let guard = lock.try_write();
        let mut left_alone = wait(&lock, kind);
        assert!(!is_ready(&mut left_alone, &stranger));
        drop(guard);
        assert!(is_ready(&mut wait(&lock, kind), &own));
        assert!(attempt(&lock, kind));
        assert!(is_ready(&mut left_alone, &stranger));
        drop(left_alone);

        // Handed over: at the third poll, or attempt.
        let left_alone = granted(&lock, kind, &stranger);
        assert_eq!(polls(&mut wait(&lock, kind), &own), 3);
        drop(left_alone);
        let left_alone = granted(&lock, kind, &stranger);
        let attempts = (1..=3).find(|_| attempt(&lock, kind));
        assert_eq!(attempts, Some(3));
        drop(left_alone);
        assert!(attempt(&lock, Kind::Write));

        // Granted in order: after a bounded number of its own turns.
        let lock = lock_of(Fairness::Fifo, 1);
        let left_alone = granted(&lock, kind, &stranger);
        assert!(polls(&mut wait(&lock, kind), &own) <= MANY);
        drop(left_alone);
    }
}

#[test]
fn kept_wait_stops_no_upgrade() {
    let (own, stranger) = (counting_waker().1, counting_waker().1);
    for fairness in BOTH {
        let lock = lock_of(fairness, 2);
        let mut left_alone = granted(&lock, Kind::Read, &stranger);
        let guard = lock.try_upgradable_read().expect("it may be read");
        let mut upgrade = Box::pin(Upgradable::upgrade(guard, Bare));
        let is_in = (0..MANY).any(|_| poll(upgrade.as_mut(), &own).is_ready());
        assert!(is_in);
        drop(upgrade);
        assert!(is_ready(&mut left_alone, &stranger));
    }
    let lock = lock_of(Fairness::Eventual, 2);
    let left_alone = granted(&lock, Kind::Read, &stranger);
    let mut guard = lock.try_upgradable_read().expect("it may be read");
    for _ in 0..2 {
        guard = Upgradable::try_upgrade(guard).expect_err("one reads, it is said");
    }
    let guard = Upgradable::try_upgrade(guard).ok();
    drop(guard.expect("the one who reads does not come"));
    drop(left_alone);
    assert!(attempt(&lock, Kind::Write));
}

// What an eventual lock does beside that.

#[test]
fn a_called_wait_that_is_dropped_calls_the_next() {
    let lock = lock_of(Fairness::Eventual, 1);
    let guard = lock.try_write();
    let mut first = wait(&lock, Kind::Write);
    assert!(!is_ready(&mut first, &counting_waker().1));
    let (wakes, waker) = counting_waker();
    let mut second = wait(&lock, Kind::Write);
    assert!(!is_ready(&mut second, &waker));
    drop(guard);
    assert_eq!(wakes.count(), 0, "one is called at a time");
    drop(first);
    assert_eq!(wakes.count(), 1);
    assert!(is_ready(&mut second, &waker));
}

#[test]
fn a_release_calls_readers_behind_a_writer() {
    let lock = RwLock::with_fairness((), Fairness::Eventual);
    let guard = lock.try_write().unwrap();
    let mut writer = wait(&lock, Kind::Write);
    assert!(!is_ready(&mut writer, &counting_waker().1));
    let (wakes, waker) = counting_waker();
    let mut readers: Vec<_> = (0..3).map(|_| wait(&lock, Kind::Read)).collect();
    for reader in &mut readers {
        assert!(!is_ready(reader, &waker));
    }
    drop(guard);
    assert_eq!(wakes.count(), 3, "the writer may not come");
    let guards = readers
        .iter_mut()
        .map(|read| match poll(read.as_mut(), &waker) {
            Poll::Ready(guard) => guard,
            Poll::Pending => panic!("it was called"),
        });
    let guards: Vec<_> = guards.collect();
    // The writer comes after all: no reader is to join them.
    assert!(!is_ready(&mut writer, &waker));
    assert!(lock.try_read().is_none());
    drop(guards);
    assert!(is_ready(&mut writer, &waker));
}

#[test]
fn no_wait_starves() {
    // A task that locks again and again without a break, beside one that comes when it
    // is woken.
    for kind in KINDS {
        let lock = lock_of(Fairness::Eventual, 1);
        let (wakes, waker) = counting_waker();
        let mut guard = lock.try_write();
        let mut patient = wait(&lock, kind);
        assert!(!is_ready(&mut patient, &waker));
        let mut rounds = 0;
        loop {
            drop(guard.take());
            guard = lock.try_write();
            assert_ne!(wakes.count(), rounds, "a release wakes it");
            rounds = wakes.count();
            if is_ready(&mut patient, &waker) {
                break;
            }
            assert!(guard.is_some());
            assert!(rounds <= PATIENCE);
        }
        assert!(guard.is_none());
    }
}

#[test]
fn a_waker_that_panics_when_it_is_cloned_loses_no_call() {
    let lock = lock_of(Fairness::Eventual, 1);
    let guard = lock.try_write();
    let bad = hooked_waker(|event| assert!(event != Event::Clone, "no clone"));
    let mut first = wait(&lock, Kind::Write);
    assert!(!is_ready(&mut first, &counting_waker().1));
    let (wakes, waker) = counting_waker();
    let mut second = wait(&lock, Kind::Write);
    assert!(!is_ready(&mut second, &waker));
    drop(guard);
    let quicker = lock.try_write();
    let message = panic_message(|| drop(poll(first.as_mut(), &bad)));
    assert_eq!(message, "no clone");
    drop(quicker);
    drop(first);
    assert_eq!(wakes.count(), 1, "the call was lost");
    assert!(is_ready(&mut second, &waker));
}

#[test]
fn a_downgrade_calls_readers() {
    let lock = RwLock::with_fairness((), Fairness::Eventual);
    let guard = lock.try_write().unwrap();
    let (wakes, waker) = counting_waker();
    let mut reader = wait(&lock, Kind::Read);
    assert!(!is_ready(&mut reader, &waker));
    let guard = RwLockWriteGuard::downgrade(guard);
    assert_eq!(wakes.count(), 1);
    assert!(is_ready(&mut reader, &waker));
    drop(guard);
}
