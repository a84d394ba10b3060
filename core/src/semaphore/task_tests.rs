//! Several waits of one task, and waiters without a task.

use core::cell::Cell;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use super::{Acquire, GRANTS, QUEUE, Semaphore, SemaphorePermit, Waiter};
use crate::io::Io;
use crate::test_util::{
    Event, WAKER_PANIC, counting_waker, hooked_waker, panic_message, panicking_waker, poll,
    poll_noop,
};

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
    let permit = won(&mut polled, &task);
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    assert_eq!(semaphore.waiter_count(), 1);
    drop(permit);
    assert_eq!(wakes.count(), 2);
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
    drop(won(&mut polled, &task));
    // The one that gave way is the first again.
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
    let permit = won(&mut polled, &task);
    // Two are left, promised to the one that gave way.
    assert_eq!(
        (semaphore.available_permits(), semaphore.waiter_count()),
        (0, 1)
    );
    drop(permit);
    assert_eq!(wakes.count(), 2);
    drop(won(&mut left_alone, &task));
    is_idle(&semaphore, 3);
}

#[test]
fn a_grant_that_is_too_small_does_not_block_its_own_task() {
    // Three permits, two of them held; `left_alone` has been granted the third.
    // If it kept it, `other` and so `polled` would wait for ever.
    let semaphore = Semaphore::new(2);
    let held = semaphore.try_acquire_many(2).unwrap();
    let ((wakes, task), (_, stranger)) = (counting_waker(), counting_waker());
    let mut left_alone = queued(&semaphore, 1, &task);
    semaphore.add_permits(1);
    let mut other = queued(&semaphore, 3, &stranger);
    let mut polled = queued(&semaphore, 2, &task);
    let mut last = queued(&semaphore, 1, &stranger);
    drop(held);
    let permits = won(&mut other, &stranger);

    // Nobody of another task was passed, and the order behind is polled, then
    // the one that gave way, then the last.
    assert!(poll(last.as_mut(), &stranger).is_pending());
    let woken_before = wakes.count();
    drop(permits);
    assert!(wakes.count() > woken_before);
    let two = won(&mut polled, &task);
    let one = won(&mut left_alone, &task);
    assert!(poll(last.as_mut(), &stranger).is_pending());
    drop((one, two));
    drop(won(&mut last, &stranger));
    is_idle(&semaphore, 3);
}

#[test]
fn grants_that_are_too_small_add_up() {
    let semaphore = Semaphore::new(0);
    let (wakes, task) = counting_waker();
    let mut first = queued(&semaphore, 1, &task);
    let mut second = queued(&semaphore, 2, &task);
    semaphore.add_permits(3);
    assert_eq!(wakes.count(), 2);
    let mut polled = Box::pin(semaphore.acquire_many_future(3));
    let permits = won(&mut polled, &task);
    assert_eq!(semaphore.waiter_count(), 2);
    semaphore.add_permits(1);
    // They have kept their order among themselves.
    let one = won(&mut first, &task);
    assert!(poll(second.as_mut(), &task).is_pending());
    drop(permits);
    drop((one, won(&mut second, &task)));
    is_idle(&semaphore, 4);
}

#[test]
fn one_grant_that_suffices_is_preferred_to_several() {
    let semaphore = Semaphore::new(0);
    let task = counting_waker().1;
    let mut large = queued(&semaphore, 2, &task);
    let mut small = queued(&semaphore, 1, &task);
    semaphore.add_permits(3);
    let mut polled = Box::pin(semaphore.acquire_many_future(2));
    let permits = won(&mut polled, &task);
    drop(won(&mut small, &task));
    drop(permits);
    drop(won(&mut large, &task));
    is_idle(&semaphore, 3);
}

#[test]
fn a_grant_among_the_latest_64_is_found() {
    let semaphore = Semaphore::new(0);
    for strangers in [63, 64] {
        let task = counting_waker().1;
        let mut left_alone = queued(&semaphore, 1, &task);
        let others: Vec<_> = (0..strangers)
            .map(|_| queued(&semaphore, 1, &counting_waker().1))
            .collect();
        semaphore.add_permits(strangers + 1);
        let mut polled = Box::pin(semaphore.acquire_future());
        let found = poll(polled.as_mut(), &task).is_ready();
        assert_eq!(found, strangers == 63);
        drop((polled, others));
        drop(won(&mut left_alone, &task));
        is_idle(&semaphore, strangers + 1);
        semaphore.forget_permits(strangers + 1);
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
fn a_win_of_no_permits_that_gave_way_comes_back() {
    let semaphore = Semaphore::new(0);
    let task = counting_waker().1;
    let mut left_alone = Box::pin(semaphore.acquire_many(Broke, 0));
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    let mut polled = queued(&semaphore, 1, &task);
    assert_eq!(semaphore.waiter_count(), 2);
    // Enough for both, as one wants none.
    semaphore.add_permits(1);
    assert_eq!(semaphore.waiter_count(), 0);
    drop(won(&mut polled, &task));
    drop(left_alone);
    is_idle(&semaphore, 1);
}

#[test]
fn a_win_kept_for_lack_of_budget_can_be_taken_over() {
    let semaphore = Semaphore::new(1);
    let task = counting_waker().1;
    let mut left_alone = Box::pin(semaphore.acquire(Broke));
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    let mut polled = Box::pin(semaphore.acquire_future());
    drop(won(&mut polled, &task));
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
    let one = won(&mut polled, &task);
    let wants_more = queued(&semaphore, 2, &task);
    drop((gave_way, too_small, wants_more));
    drop(one);
    is_idle(&semaphore, 2);
    drop(task);
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

#[test]
fn a_panicking_waker_loses_no_permit_that_was_taken_over() {
    // The surplus goes to a wait whose waker panics, in the poll that takes over.
    let semaphore = Semaphore::new(0);
    let task = counting_waker().1;
    let left_alone = queued(&semaphore, 5, &task);
    semaphore.add_permits(5);
    let mut bad = Box::pin(semaphore.acquire_many_future(1));
    assert!(poll(bad.as_mut(), &panicking_waker()).is_pending());
    semaphore.add_permits(0);
    let mut polled = queued_unless(&semaphore, 6, &task);
    // `left_alone` gave its five back: the first in the queue is `bad`.
    assert_eq!(polled.1, WAKER_PANIC);
    assert!(poll_noop(bad.as_mut()).is_ready());
    drop(left_alone);
    semaphore.add_permits(1);
    assert_eq!(won(&mut polled.0, &task).num_permits(), 6);
    drop(bad);
    is_idle(&semaphore, 6);
}

/// A wait whose first poll panics, and the message.
fn queued_unless<'a>(
    semaphore: &'a Semaphore,
    n: usize,
    waker: &Waker,
) -> (Pin<Box<Acquire<'a>>>, std::string::String) {
    let mut wait = Box::pin(semaphore.acquire_many_future(n));
    let message = panic_message(|| drop(poll(wait.as_mut(), waker)));
    (wait, message)
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
    let permit = won(&mut sibling, &third_waker);
    assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
    drop(permit);
    assert_eq!(third.count(), 2);
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
    // Too small for the other one, which needs a clone of the waker for it.
    assert!(semaphore.acquire_with(2, large.as_mut()).is_none());
    assert!(!small.is_ready());
    semaphore.add_permits(1);
    assert!(large.is_ready());
    let permits = semaphore.acquire_with(2, large.as_mut()).unwrap();
    let before = CALLS.load(Ordering::Relaxed);
    drop(permits);
    assert_eq!(CALLS.load(Ordering::Relaxed), before + 1);
    assert!(semaphore.acquire_with(1, small.as_mut()).is_some());
    is_idle(&semaphore, 2);
}

#[test]
fn a_grant_while_the_waker_is_being_cloned_is_found() {
    // A waiter that has to clone its own waker takes it out of the queue for
    // that; a grant at this moment wakes nobody.
    static SEMAPHORE: Semaphore = Semaphore::new(0);
    std::thread_local! {
        static GRANT: Cell<bool> = const { Cell::new(false) };
    }
    let waker = hooked_waker(|event| {
        if event == Event::Clone && GRANT.take() {
            SEMAPHORE.add_permits(2);
        }
    });
    let mut small = pin!(Waiter::with_waker(waker.clone()));
    let mut large = pin!(Waiter::with_waker(waker.clone()));
    assert!(SEMAPHORE.acquire_with(1, small.as_mut()).is_none());
    assert!(SEMAPHORE.acquire_with(2, large.as_mut()).is_none());
    SEMAPHORE.add_permits(1);
    assert!(small.is_ready());
    GRANT.set(true);
    let permits = SEMAPHORE.acquire_with(2, large.as_mut());
    assert_eq!(permits.unwrap().unwrap().num_permits(), 2);
    assert!(!GRANT.get());
    assert!(SEMAPHORE.acquire_with(1, small.as_mut()).is_some());
    is_idle(&SEMAPHORE, 3);
}
