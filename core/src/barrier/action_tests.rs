//! The laws of a leader that brings an action.

use core::cell::{Cell, RefCell};
use core::pin::pin;
use std::boxed::Box;
use std::vec::Vec;

use super::tests::{all_released, arrive, poll_panic};
use super::*;
use crate::test_util::{
    Event, WAKER_PANIC, counting_waker, hooked_waker, panic_message, panicking_waker, poll,
    poll_noop,
};

/// A future that is pending until its gate is opened.
async fn gate(open: &Cell<bool>) {
    core::future::poll_fn(|_| {
        if open.get() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// The next leader is woken even if a waker of the released ones panics.
#[test]
fn panicking_waker_does_not_keep_the_lead() {
    let barrier = Barrier::new(2);
    let mut bad = Box::pin(barrier.wait_future());
    assert!(poll(bad.as_mut(), &panicking_waker()).is_pending());
    let open = Cell::new(false);
    let mut leader = Box::pin(barrier.wait_then_async(Bare, async || gate(&open).await));
    assert!(poll_noop(leader.as_mut()).is_pending());
    let mut member = arrive(&barrier, 1);
    let (wakes, waker) = counting_waker();
    let ran = Cell::new(false);
    let mut next = Box::pin(barrier.wait_then(Bare, || ran.set(true)));
    assert!(poll(next.as_mut(), &waker).is_pending());
    open.set(true);
    assert_eq!(poll_panic(leader.as_mut()), WAKER_PANIC);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(next.as_mut(), &waker), Poll::Ready(true));
    assert!(ran.get() && all_released(&mut member));
}

/// A wait that came late completes its generation while another leader acts. The news
/// that it leads is on its way when it is polled: it leads.
#[test]
fn leader_polled_on_its_way_to_be_woken_leads() {
    type Late = std::sync::Mutex<Option<Pin<Box<Wait<'static>>>>>;
    static BARRIER: std::sync::LazyLock<Barrier> = std::sync::LazyLock::new(|| Barrier::new(40));
    static LATE: Late = std::sync::Mutex::new(None);

    let mut first = Box::pin(BARRIER.wait_future());
    let polls_the_late_one = hooked_waker(|event| {
        if event == Event::Wake {
            let mut late = LATE.lock().unwrap().take().unwrap();
            assert_eq!(poll_noop(late.as_mut()), Poll::Ready(true));
        }
    });
    assert!(poll(first.as_mut(), &polls_the_late_one).is_pending());
    let mut members = arrive(&BARRIER, 38);
    let open = Cell::new(false);
    let mut leader = Box::pin(BARRIER.wait_then_async(Bare, async || gate(&open).await));
    assert!(poll_noop(leader.as_mut()).is_pending());
    members.extend(arrive(&BARRIER, 39));
    // It is in a later batch.
    *LATE.lock().unwrap() = arrive(&BARRIER, 1).pop();
    open.set(true);
    assert_eq!(poll_noop(leader.as_mut()), Poll::Ready(true));
    assert!(LATE.lock().unwrap().is_none());
    assert!(all_released(&mut members));
    assert_eq!(poll_noop(first.as_mut()), Poll::Ready(false));
}

#[test]
fn leader_action_runs_before_release() {
    let barrier = Barrier::new(3);
    let (wakes, waker) = counting_waker();
    let runs = Cell::new(0);
    let mut waits: Vec<_> = (0..2)
        .map(|_| Box::pin(barrier.wait_then(Bare, || runs.set(runs.get() + 100))))
        .collect();
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    let waits = RefCell::new(waits);
    let last = pin!(barrier.wait_then(Bare, || {
        runs.set(runs.get() + 1);
        assert_eq!(barrier.arrived(), 3);
        assert_eq!(wakes.count(), 0);
        for wait in &mut *waits.borrow_mut() {
            assert!(poll(wait.as_mut(), &waker).is_pending());
        }
    }));
    assert_eq!(poll_noop(last), Poll::Ready(true));
    assert_eq!((runs.get(), wakes.count()), (1, 2));
    for wait in &mut *waits.borrow_mut() {
        assert_eq!(poll_noop(wait.as_mut()), Poll::Ready(false));
    }
}

#[test]
fn leader_action_runs_before_release_across_await_points() {
    let barrier = Barrier::new(2);
    let open = Cell::new(false);
    let (wakes, waker) = counting_waker();
    let mut member = pin!(barrier.wait_future());
    assert!(poll(member.as_mut(), &waker).is_pending());
    let mut leader = pin!(barrier.try_wait_then_async(Bare, async || {
        gate(&open).await;
        Ok::<(), ()>(())
    }));
    assert!(poll_noop(leader.as_mut()).is_pending());
    assert!(poll_noop(leader.as_mut()).is_pending());
    assert!(poll(member.as_mut(), &waker).is_pending());
    assert_eq!((barrier.arrived(), wakes.count()), (2, 0));
    open.set(true);
    assert_eq!(poll_noop(leader.as_mut()), Poll::Ready(Ok(true)));
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(member.as_mut(), &waker), Poll::Ready(false));
}

#[test]
fn failed_leader_action_withdraws() {
    let barrier = Barrier::new(2);
    let mut member = arrive(&barrier, 1);

    let failed = poll_noop(pin!(barrier.try_wait_then(Bare, || Err("no space"))));
    assert_eq!(failed, Poll::Ready(Err("no space")));
    assert_eq!(barrier.arrived(), 1);

    let message = poll_panic(pin!(barrier.wait_then(Bare, || panic!("broken"))));
    assert_eq!(message, "broken");
    assert_eq!(barrier.arrived(), 1);

    let message = poll_panic(pin!(barrier.wait_then_async(Bare, async || panic!("late"))));
    assert_eq!(message, "late");
    assert_eq!(barrier.arrived(), 1);

    let mut cancelled = Box::pin(barrier.wait_then_async(Bare, core::future::pending::<()>));
    assert!(poll_noop(cancelled.as_mut()).is_pending());
    assert_eq!(barrier.arrived(), 2);
    drop(cancelled);
    assert_eq!(barrier.arrived(), 1);

    assert!(poll_noop(member[0].as_mut()).is_pending(), "not released");
    assert_eq!(poll_noop(pin!(barrier.wait_future())), Poll::Ready(true));
    assert!(all_released(&mut member));
}

#[test]
fn cancelled_action_is_gone_before_the_next_runs() {
    struct Guard<'a>(&'a Cell<u32>);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }
    let running = Cell::new(0);
    let act = async || {
        running.set(running.get() + 1);
        assert_eq!(running.get(), 1, "two actions at once");
        let _guard = Guard(&running);
        core::future::pending::<()>().await;
    };
    let barrier = Barrier::new(1);
    let mut first = Box::pin(barrier.wait_then_async(Bare, act));
    assert!(poll_noop(first.as_mut()).is_pending());
    let mut second = Box::pin(barrier.wait_then_async(Bare, act));
    let (wakes, waker) = counting_waker();
    assert!(poll(second.as_mut(), &waker).is_pending());
    assert_eq!((running.get(), wakes.count()), (1, 0));
    drop(first);
    assert_eq!((running.get(), wakes.count()), (0, 1));
    assert!(poll(second.as_mut(), &waker).is_pending());
    assert_eq!(running.get(), 1);
}

#[test]
fn action_that_panics_when_it_is_cancelled_withdraws() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped badly");
        }
    }
    let barrier = Barrier::new(2);
    let mut member = arrive(&barrier, 1);
    let mut leader = Box::pin(barrier.wait_then_async(Bare, async || {
        let _bomb = Bomb;
        core::future::pending::<()>().await;
    }));
    assert!(poll_noop(leader.as_mut()).is_pending());
    let mut late = arrive(&barrier, 1);
    assert_eq!(panic_message(|| drop(leader)), "dropped badly");
    // The late one completed the generation, and leads it.
    assert_eq!(poll_noop(late[0].as_mut()), Poll::Ready(true));
    assert!(all_released(&mut member));
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn latecomers_form_the_next_generation() {
    let barrier = Barrier::new(3);
    let mut members = arrive(&barrier, 2);
    let open = Cell::new(false);
    let mut leader = pin!(barrier.wait_then_async(Bare, async || gate(&open).await));
    assert!(poll_noop(leader.as_mut()).is_pending());
    let mut late = arrive(&barrier, 2);
    assert_eq!(barrier.arrived(), 3, "the late are not counted");
    open.set(true);
    assert_eq!(poll_noop(leader.as_mut()), Poll::Ready(true));
    assert!(all_released(&mut members));
    assert_eq!(barrier.arrived(), 2);
    assert!(poll_noop(late[0].as_mut()).is_pending());
    assert_eq!(poll_noop(pin!(barrier.wait_future())), Poll::Ready(true));
    assert!(all_released(&mut late));
}

#[test]
fn latecomers_of_several_generations_are_released_at_once() {
    let barrier = Barrier::new(2);
    let mut members = arrive(&barrier, 1);
    let open = Cell::new(false);
    let mut leader = pin!(barrier.wait_then_async(Bare, async || gate(&open).await));
    assert!(poll_noop(leader.as_mut()).is_pending());
    let mut late = arrive(&barrier, 71);
    open.set(true);
    assert_eq!(poll_noop(leader.as_mut()), Poll::Ready(true));
    assert!(all_released(&mut members));
    let rest = late.pop().expect("71 of them");
    for (index, wait) in late.iter_mut().enumerate() {
        let leads = index % 2 == 1;
        assert_eq!(poll_noop(wait.as_mut()), Poll::Ready(leads), "{index}");
    }
    assert_eq!(barrier.arrived(), 1);
    drop(rest);
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn latecomer_takes_the_lead_after_a_failure() {
    let barrier = Barrier::new(2);
    let (member_wakes, member_waker) = counting_waker();
    let mut member = pin!(barrier.wait_future());
    assert!(poll(member.as_mut(), &member_waker).is_pending());
    let open = Cell::new(false);
    let mut fails = pin!(barrier.try_wait_then_async(Bare, async || {
        gate(&open).await;
        Err(7)
    }));
    assert!(poll_noop(fails.as_mut()).is_pending());

    let ran = Cell::new(false);
    let (late_wakes, late_waker) = counting_waker();
    let mut late = pin!(barrier.wait_then(Bare, || ran.set(true)));
    assert!(poll(late.as_mut(), &late_waker).is_pending());
    let mut later = arrive(&barrier, 1);

    open.set(true);
    assert_eq!(poll_noop(fails.as_mut()), Poll::Ready(Err(7)));
    assert_eq!((member_wakes.count(), late_wakes.count()), (0, 1));
    assert!(!ran.get());
    assert!(poll(member.as_mut(), &member_waker).is_pending());

    assert_eq!(poll(late.as_mut(), &late_waker), Poll::Ready(true));
    assert!(ran.get());
    assert_eq!(poll(member.as_mut(), &member_waker), Poll::Ready(false));
    assert!(poll_noop(later[0].as_mut()).is_pending());
    assert_eq!(barrier.arrived(), 1);
}

/// A wait that was given the lead and is dropped before it looks.
#[test]
fn dropped_win_is_passed_on() {
    let barrier = Barrier::new(2);
    let mut member = arrive(&barrier, 1);
    let mut fails = Box::pin(barrier.wait_then_async(Bare, core::future::pending::<()>));
    assert!(poll_noop(fails.as_mut()).is_pending());
    let (wakes, waker) = counting_waker();
    let mut candidates: Vec<_> = (0..3)
        .map(|_| Box::pin(barrier.wait_then(Bare, || ())))
        .collect();
    for wait in &mut candidates {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    drop(fails);
    assert_eq!(wakes.count(), 1);
    drop(candidates.remove(0));
    assert_eq!(wakes.count(), 2);
    drop(candidates.remove(0));
    assert_eq!(wakes.count(), 3);
    assert!(poll_noop(member[0].as_mut()).is_pending());
    assert_eq!(poll(candidates[0].as_mut(), &waker), Poll::Ready(true));
    assert!(all_released(&mut member));
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn member_dropped_while_the_action_runs() {
    let barrier = Barrier::new(3);
    let open = Cell::new(false);
    // It ends well: the others are released.
    let mut members = arrive(&barrier, 2);
    let lead = || Box::pin(barrier.wait_then_async(Bare, || gate(&open)));
    let mut leader = lead();
    assert!(poll_noop(leader.as_mut()).is_pending());
    drop(members.pop());
    let mut late = arrive(&barrier, 1);
    open.set(true);
    assert_eq!(poll_noop(leader.as_mut()), Poll::Ready(true));
    assert!(all_released(&mut members));
    assert_eq!(barrier.arrived(), 1);
    // It fails: a wait that went no longer counts.
    members = arrive(&barrier, 1);
    leader = lead();
    open.set(false);
    assert!(poll_noop(leader.as_mut()).is_pending());
    drop(members);
    drop(leader);
    assert_eq!(barrier.arrived(), 1);
    assert!(poll_noop(late[0].as_mut()).is_pending());
    let mut second = arrive(&barrier, 1);
    assert_eq!(poll_noop(pin!(barrier.wait_future())), Poll::Ready(true));
    assert!(all_released(&mut late) && all_released(&mut second));
}

#[test]
fn waiter_that_completes_a_generation_releases_it() {
    let barrier = Barrier::new(2);
    let mut member = arrive(&barrier, 1);
    let mut fails = Box::pin(barrier.wait_then_async(Bare, core::future::pending::<()>));
    assert!(poll_noop(fails.as_mut()).is_pending());
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(Waiter::with_waker(waker));
    assert!(!barrier.wait_with(waiter.as_mut()));
    drop(fails);
    assert!(waiter.is_released() && waiter.is_leader());
    assert_eq!(wakes.count(), 1);
    assert!(all_released(&mut member));
}
