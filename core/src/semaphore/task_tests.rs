//! Several waits of one task, and waiters without a task.

use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use super::{Acquire, GRANTS, QUEUE, Semaphore, SemaphorePermit, Waiter};
use crate::fairness::Fairness;
use crate::io::Io;
use crate::test_util::{counting_waker, panic_message, poll, poll_noop, poll_thrice};

/// A queued wait, polled as the task of `waker`.
fn queued<'a>(semaphore: &'a Semaphore, n: usize, waker: &Waker) -> Pin<Box<Acquire<'a>>> {
    let mut wait = Box::pin(semaphore.acquire_many_future(n));
    assert!(poll(wait.as_mut(), waker).is_pending());
    wait
}

#[track_caller]
fn won<'a>(wait: &mut Pin<Box<Acquire<'a>>>, waker: &Waker) -> SemaphorePermit<'a> {
    match poll(wait.as_mut(), waker) {
        Poll::Ready(Ok(permit)) => permit,
        _ => panic!("it ought to be granted"),
    }
}

/// What [`won`] gives, at the third poll beside a grant of the same task.
#[track_caller]
fn won_over<'a>(wait: &mut Pin<Box<Acquire<'a>>>, waker: &Waker) -> SemaphorePermit<'a> {
    match poll_thrice(wait.as_mut(), waker) {
        Poll::Ready(Ok(permit)) => permit,
        _ => panic!("its task waits for itself"),
    }
}

#[track_caller]
fn is_idle(semaphore: &Semaphore, free: usize) {
    let list = semaphore.list.lock();
    assert_eq!((list.count(QUEUE), list.count(GRANTS)), (0, 0));
    assert_eq!(semaphore.available_permits(), free);
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task() {
    let semaphore = Semaphore::new(0);
    let (wakes, task) = counting_waker();
    let mut left_alone = queued(&semaphore, 1, &task);
    semaphore.add_permits(1);
    assert_eq!(wakes.count(), 1);

    // The task goes on in another branch, and waits for a permit there.
    let mut polled = Box::pin(semaphore.acquire_future());
    let permit = won_over(&mut polled, &task);
    let before = wakes.count();
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    assert_eq!(semaphore.waiter_count(), 1);
    drop(permit);
    assert_eq!(wakes.count(), before + 1);
    drop(won(&mut left_alone, &task));
    is_idle(&semaphore, 1);
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task_that_has_queued() {
    let semaphore = Semaphore::new(0);
    let (task, stranger) = (counting_waker().1, counting_waker().1);
    let mut left_alone = queued(&semaphore, 1, &task);
    let mut other = queued(&semaphore, 1, &stranger);
    // In the queue with another waker, so that the poll has to renew it too.
    let mut polled = queued(&semaphore, 1, &counting_waker().1);
    semaphore.add_permits(1);

    assert!(poll(other.as_mut(), &stranger).is_pending(), "not its task");
    let permit = won_over(&mut polled, &task);
    // The one that gave way is the first again, once it is polled.
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drop(permit);
    assert!(poll(other.as_mut(), &stranger).is_pending());
    drop(won(&mut left_alone, &task));
    drop(won(&mut other, &stranger));
    is_idle(&semaphore, 1);
}

#[test]
fn a_larger_grant_leaves_its_surplus() {
    let semaphore = Semaphore::new(0);
    let (wakes, task) = counting_waker();
    let mut left_alone = queued(&semaphore, 3, &task);
    semaphore.add_permits(3);
    let mut polled = Box::pin(semaphore.acquire_future());
    let permit = won_over(&mut polled, &task);
    assert_eq!(semaphore.available_permits(), 2);
    // Two are left, promised to the one that gave way, once it is polled.
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    assert_eq!(
        (semaphore.available_permits(), semaphore.waiter_count()),
        (0, 1)
    );
    let before = wakes.count();
    drop(permit);
    assert_eq!(wakes.count(), before + 1);
    drop(won(&mut left_alone, &task));
    is_idle(&semaphore, 3);
}

#[test]
fn grants_that_are_too_small_go_on() {
    // Both are of one task, which polls neither, and waits for three in another branch.
    let semaphore = Semaphore::new(0);
    let (task, stranger) = (counting_waker().1, counting_waker().1);
    let mut first = queued(&semaphore, 1, &task);
    let mut second = queued(&semaphore, 2, &task);
    let mut other = queued(&semaphore, 1, &stranger);
    semaphore.add_permits(3);
    let mut polled = Box::pin(semaphore.acquire_many_future(3));
    let polls = (0..).take_while(|_| poll(polled.as_mut(), &task).is_pending());
    assert_eq!(polls.count(), 4);
    // It has all three, which go on to the others when it ends.
    drop(polled);
    drop(won(&mut other, &stranger));
    drop((won(&mut first, &task), won(&mut second, &task)));
    is_idle(&semaphore, 3);
}

#[test]
fn abandoned_win_goes_on_beside_any_number_of_grants() {
    for others in [0, 1, 62, 63, 64, 65, 200, 1_000] {
        for place in [0, others / 2, others] {
            let semaphore = Semaphore::new(0);
            let task = counting_waker().1;
            let stranger = || queued(&semaphore, 1, &counting_waker().1);
            let before: Vec<_> = (0..place).map(|_| stranger()).collect();
            let mut left_alone = queued(&semaphore, 1, &task);
            let behind: Vec<_> = (place..others).map(|_| stranger()).collect();
            semaphore.add_permits(others + 1);
            let mut polled = Box::pin(semaphore.acquire_future());
            let polls = (0..).take_while(|_| poll(polled.as_mut(), &task).is_pending());
            let polls = polls.count();
            assert!(polls <= 2 + others / 64, "{polls} polls beside {others}");
            drop((polled, before, behind));
            drop(won(&mut left_alone, &task));
            is_idle(&semaphore, others + 1);
        }
    }
}

#[test]
fn abandoned_wins_of_one_task_all_go_on() {
    for abandoned in [1, 63, 64, 65, 1_000] {
        let semaphore = Semaphore::new(0);
        let task = counting_waker().1;
        let mut left_alone: Vec<_> = (0..abandoned)
            .map(|_| queued(&semaphore, 1, &task))
            .collect();
        semaphore.add_permits(abandoned);
        for _ in 0..abandoned {
            let mut polled = Box::pin(semaphore.acquire_future());
            won_over(&mut polled, &task).forget();
        }
        semaphore.add_permits(abandoned);
        for wait in &mut left_alone {
            drop(won(wait, &task));
        }
        is_idle(&semaphore, abandoned);
    }
}

#[test]
fn noop_waker_is_nobody() {
    let semaphore = Semaphore::new(0);
    let mut granted = Box::pin(semaphore.acquire_future());
    assert!(poll_noop(granted.as_mut()).is_pending());
    semaphore.add_permits(1);
    let mut other = Box::pin(semaphore.acquire_future());
    for _ in 0..100 {
        assert!(poll_noop(other.as_mut()).is_pending());
    }
    assert!(poll_noop(granted.as_mut()).is_ready());
}

#[test]
fn kept_wait_stops_no_task() {
    // In order a wait of another task is passed over after many polls; else at once.
    for (fairness, expected) in [(Fairness::Fifo, 128), (Fairness::Eventual, 0)] {
        let semaphore = Semaphore::with_fairness(0, fairness);
        let (task, other) = (counting_waker().1, counting_waker().1);
        let mut kept = queued(&semaphore, 1, &task);
        semaphore.add_permits(1);
        let mut polled = Box::pin(semaphore.acquire_future());
        let polls = (0..).take_while(|_| poll(polled.as_mut(), &other).is_pending());
        assert_eq!(polls.count(), expected);
        drop(polled);
        drop(won(&mut kept, &task));
        is_idle(&semaphore, 1);
    }
}

#[test]
fn siblings_take_turns() {
    // Two looping branches of one task and a third of another, as `join!` polls them.
    for fairness in [Fairness::Fifo, Fairness::Eventual] {
        for rotates in [false, true] {
            let semaphore = Semaphore::with_fairness(1, fairness);
            let (task, other) = (counting_waker(), counting_waker());
            let mut waits = [0, 1, 2].map(|_| Some(Box::pin(semaphore.acquire_future())));
            let mut held = [const { None }; 3];
            let mut shares = [0_usize; 3];
            for round in 0..3_000 {
                let mut turn = |branch: usize, waker: &Waker| {
                    if held[branch].take().is_some() {
                        waits[branch] = Some(Box::pin(semaphore.acquire_future()));
                    }
                    let Some(wait) = &mut waits[branch] else {
                        return;
                    };
                    if let Poll::Ready(permit) = poll(wait.as_mut(), waker) {
                        held[branch] = Some(permit);
                        waits[branch] = None;
                        shares[branch] += 1;
                    }
                };
                let first = if rotates { round % 2 } else { 0 };
                turn(first, &task.1);
                turn(1 - first, &task.1);
                turn(2, &other.1);
            }
            // In order all three are alike; else those of one task are.
            let alike = if fairness == Fairness::Fifo { 3 } else { 2 };
            let least = *shares.iter().min().unwrap();
            assert!(least > 100, "{shares:?}");
            assert!(
                shares[..alike].iter().all(|&share| share <= 2 * least),
                "{shares:?}"
            );
        }
    }
}

/// Never has a budget.
struct Broke;

impl Io for Broke {
    fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

#[test]
fn a_win_kept_for_lack_of_budget_can_be_taken_over() {
    let semaphore = Semaphore::new(1);
    let task = counting_waker().1;
    let mut left_alone = Box::pin(semaphore.acquire(Broke));
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    let mut polled = Box::pin(semaphore.acquire_future());
    drop(won_over(&mut polled, &task));
    drop(left_alone);
    is_idle(&semaphore, 1);
}

#[test]
fn a_wait_that_gave_way_may_be_dropped() {
    let semaphore = Semaphore::new(0);
    let (wakes, task) = counting_waker();
    let gave_way = queued(&semaphore, 1, &task);
    let too_small = queued(&semaphore, 1, &task);
    semaphore.add_permits(2);
    let mut polled = Box::pin(semaphore.acquire_future());
    let one = won_over(&mut polled, &task);
    let wants_more = queued(&semaphore, 2, &task);
    drop((gave_way, too_small, wants_more));
    drop(one);
    is_idle(&semaphore, 2);
    drop(task);
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

#[test]
fn waits_of_one_task_in_any_order_all_finish() {
    // A `join` of many waits for different numbers, polled from either end.
    for reversed in [false, true] {
        let semaphore = Semaphore::new(3);
        let task = counting_waker().1;
        let mut held = Some(semaphore.try_acquire_many(3).unwrap());
        let mut waits: Vec<_> = [1, 3, 2, 1, 3]
            .into_iter()
            .map(|n| Some(Box::pin(semaphore.acquire_many_future(n))))
            .collect();
        let mut finished = 0;
        for _ in 0..20 {
            if reversed {
                waits.reverse();
            }
            for slot in &mut waits {
                let Some(wait) = slot else { continue };
                if let Poll::Ready(permit) = poll(wait.as_mut(), &task) {
                    drop(permit.unwrap());
                    finished += 1;
                    *slot = None;
                }
            }
            if reversed {
                waits.reverse();
            }
            drop(held.take());
        }
        assert_eq!(finished, 5);
        is_idle(&semaphore, 3);
    }
}

// The third way to wait.

#[test]
fn raw_waiter_reports_state() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.try_acquire().unwrap();
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(Waiter::with_waker(waker.clone()));
    assert!(!waiter.is_ready());
    assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
    assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
    assert_eq!((semaphore.waiter_count(), waiter.is_ready()), (1, false));
    drop(permit);
    assert_eq!((wakes.count(), waiter.is_ready()), (1, true));
    let permit = semaphore.acquire_with(1, waiter.as_mut()).unwrap().unwrap();
    assert!(!waiter.is_ready());

    // It may be used again, with the same waker, and be reset.
    assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
    waiter.as_mut().reset();
    assert_eq!(semaphore.waiter_count(), 0);
    assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
    drop(permit);
    assert_eq!(wakes.count(), 2);
    // Granted, and not fetched: passed on.
    waiter.as_mut().reset();
    is_idle(&semaphore, 1);

    assert!(semaphore.acquire_with(2, waiter.as_mut()).is_none());
    semaphore.close();
    assert_eq!((wakes.count(), waiter.is_ready()), (3, true));
    assert!(semaphore.acquire_with(2, waiter.as_mut()).unwrap().is_err());
    assert!(semaphore.acquire_with(1, waiter.as_mut()).unwrap().is_err());
}

#[test]
fn a_waiter_is_of_one_semaphore_and_one_number() {
    let (semaphore, other) = (Semaphore::new(0), Semaphore::new(1));
    let mut waiter = pin!(Waiter::new());
    assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
    let message = panic_message(|| drop(other.acquire_with(1, waiter.as_mut())));
    assert!(message.contains("another `Semaphore`"));
    let message = panic_message(|| drop(semaphore.acquire_with(3, waiter.as_mut())));
    assert!(message.contains("waits for 1 permits, not for 3"));
    assert_eq!(semaphore.waiter_count(), 1);
    waiter.as_mut().reset();
    assert!(other.acquire_with(1, waiter.as_mut()).is_some());
}

#[test]
fn a_waiter_takes_a_new_waker_at_any_time() {
    let semaphore = Semaphore::new(0);
    let (first, first_waker) = counting_waker();
    let (second, second_waker) = counting_waker();
    let (third, third_waker) = counting_waker();
    let mut waiter = pin!(Waiter::new());
    waiter.as_mut().set_waker(first_waker);
    assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
    waiter.as_mut().set_waker(second_waker);
    semaphore.add_permits(1);
    assert_eq!((first.count(), second.count()), (0, 1));
    // It is ready: the new waker learns it at once, and names its task.
    waiter.as_mut().set_waker(third_waker.clone());
    assert_eq!(third.count(), 1);
    let mut sibling = Box::pin(semaphore.acquire_future());
    let permit = won_over(&mut sibling, &third_waker);
    let before = third.count();
    assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
    drop(permit);
    assert_eq!(third.count(), before + 1);
    assert!(semaphore.acquire_with(1, waiter.as_mut()).is_some());

    assert!(semaphore.acquire_with(2, waiter.as_mut()).is_none());
    semaphore.close();
    let (late, late_waker) = counting_waker();
    waiter.as_mut().set_waker(late_waker);
    assert_eq!(late.count(), 1);
}

#[test]
fn waiters_with_one_callback_are_of_one_task() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn call(calls: &'static AtomicUsize) {
        calls.fetch_add(1, Ordering::Relaxed);
    }

    let semaphore = Semaphore::new(0);
    let mut small = pin!(Waiter::with_callback(&CALLS, call));
    let mut large = pin!(Waiter::with_callback(&CALLS, call));
    let mut silent = pin!(Waiter::new());
    assert!(semaphore.acquire_with(1, small.as_mut()).is_none());
    semaphore.add_permits(1);
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    assert!(
        semaphore.acquire_with(1, silent.as_mut()).is_none(),
        "no task"
    );
    silent.as_mut().reset();
    // Too small for the other one, which is the first from its third call on.
    for _ in 0..4 {
        assert!(semaphore.acquire_with(2, large.as_mut()).is_none());
    }
    assert!(small.is_ready(), "it is to be called");
    semaphore.add_permits(1);
    assert!(large.is_ready());
    let permits = semaphore.acquire_with(2, large.as_mut()).unwrap();
    assert!(semaphore.acquire_with(1, small.as_mut()).is_none());
    let before = CALLS.load(Ordering::Relaxed);
    drop(permits);
    assert_eq!(CALLS.load(Ordering::Relaxed), before + 1);
    assert!(semaphore.acquire_with(1, small.as_mut()).is_some());
    is_idle(&semaphore, 2);
}
