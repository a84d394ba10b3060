//! The laws of the watch.

use core::cell::Cell;
use core::mem::size_of;
use core::pin::pin;
use core::task::{Context, Poll};
use std::format;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::vec::Vec;

use super::{Changed, Closed, Receiver, RecvError, Sender, Shared, channel};
use crate::io::{Bare, Block, Io};
use crate::notify::Waiter;
use crate::test_util::{
    Brittle, DROP_PANIC, WAKER_PANIC, allocations, counting_waker, panic_message, panicking_waker,
    poll, poll_noop, reentrant_waker, scope,
};

#[test]
fn latest_value_wins() {
    let (sender, mut receiver) = channel(0);
    for n in 1..=3 {
        sender.send(n).unwrap();
    }
    assert_eq!(Bare.block_on(receiver.changed_future()), Ok(()));
    assert_eq!(*receiver.borrow(), 3);
    assert_eq!(receiver.has_changed(), Ok(false));
}

#[test]
fn change_is_seen_once() {
    let (sender, mut receiver) = channel(0);
    let mut other = receiver.clone();
    sender.send(1).unwrap();
    assert!(poll_noop(pin!(receiver.changed_future())).is_ready());
    assert!(poll_noop(pin!(receiver.changed_future())).is_pending());
    // What one has seen another has not.
    assert!(other.borrow().has_changed());
    assert!(other.borrow_and_update().has_changed());
    assert!(!other.borrow_and_update().has_changed());
    assert!(poll_noop(pin!(other.changed_future())).is_pending());
    // A clone has seen what the original has.
    assert_eq!(receiver.clone().has_changed(), Ok(false));
    assert_eq!(sender.subscribe().has_changed(), Ok(false));
}

#[test]
fn no_lost_change_between_check_and_wait() {
    let (sender, mut receiver) = channel(0);
    // Between the creation of the wait and its first poll.
    let wait = receiver.changed_future();
    sender.send(1).unwrap();
    assert!(poll_noop(pin!(wait)).is_ready());

    // Between two polls.
    let (wakes, waker) = counting_waker();
    {
        let mut wait = pin!(receiver.changed_future());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        sender.send(2).unwrap();
        assert_eq!(wakes.count(), 1);
        assert!(poll(wait, &waker).is_ready());
    }

    // Between a look and a wait.
    assert_eq!(*receiver.borrow_and_update(), 2);
    sender.send(3).unwrap();
    assert!(poll_noop(pin!(receiver.changed_future())).is_ready());
}

#[test]
fn closed_still_shows_last() {
    let (sender, mut receiver) = channel(0);
    let second = sender.clone();
    sender.send(1).unwrap();
    drop(sender);
    assert!(!receiver.is_closed());
    second.send(2).unwrap();
    drop(second);
    assert!(receiver.is_closed());
    // A change that came before the end is still a change.
    assert_eq!(Bare.block_on(receiver.changed_future()), Ok(()));
    assert_eq!(Bare.block_on(receiver.changed_future()), Err(RecvError(())));
    assert_eq!(receiver.has_changed(), Err(RecvError(())));
    assert_eq!(*receiver.borrow(), 2);
    assert!(Bare.block_on(receiver.wait_for(Bare, |n| *n == 3)).is_err());
    assert_eq!(
        Bare.block_on(receiver.wait_for(Bare, |n| *n == 2))
            .map(|n| *n),
        Ok(2)
    );
}

#[test]
fn dropping_the_last_sender_wakes_all() {
    let (sender, receiver) = channel(0);
    let mut receivers: Vec<_> = (0..3).map(|_| receiver.clone()).collect();
    let (wakes, waker) = counting_waker();
    let mut waits: Vec<_> = receivers
        .iter_mut()
        .map(|receiver| std::boxed::Box::pin(receiver.changed_future()))
        .collect();
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    drop(sender);
    assert_eq!(wakes.count(), 3);
    for wait in &mut waits {
        assert_eq!(poll(wait.as_mut(), &waker), Poll::Ready(Err(RecvError(()))));
    }
}

#[test]
fn send_to_nobody_gives_the_value_back() {
    let (sender, receiver) = channel(0);
    drop(receiver);
    let error = sender.send(1).unwrap_err();
    assert_eq!(std::format!("{error}"), "nobody watches the value");
    assert_eq!(error.into_inner(), 1);
    assert_eq!(*sender.borrow(), 0);
    assert_eq!(sender.send_replace(2), 0);
    assert_eq!(*sender.subscribe().borrow(), 2);
}

#[test]
fn modify_tells_whether_it_changed() {
    let (sender, receiver) = channel(0);
    assert!(!sender.send_if_modified(|n| {
        *n = 1;
        false
    }));
    assert_eq!(receiver.has_changed(), Ok(false));
    assert_eq!(*receiver.borrow(), 1);
    assert!(sender.send_if_modified(|_| true));
    assert_eq!(receiver.has_changed(), Ok(true));
}

#[test]
fn panicking_modify_is_no_change_and_locks_nobody_out() {
    let (sender, receiver) = channel(0);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        sender.send_modify(|_| panic!("on purpose"));
    }));
    assert!(outcome.is_err());
    assert_eq!(receiver.has_changed(), Ok(false));
    sender.send(1).unwrap();
    assert_eq!(*receiver.borrow(), 1);
}

#[test]
fn mark_changed_and_unchanged() {
    let (sender, mut receiver) = channel(0);
    receiver.mark_changed();
    assert_eq!(receiver.has_changed(), Ok(true));
    assert!(poll_noop(pin!(receiver.changed_future())).is_ready());
    sender.send(1).unwrap();
    receiver.mark_unchanged();
    assert!(poll_noop(pin!(receiver.changed_future())).is_pending());
}

#[test]
fn wait_for_looks_once_at_each_value() {
    let (sender, mut receiver) = channel(0);
    let looks = Cell::new(0);
    let (wakes, waker) = counting_waker();
    {
        let mut wait = pin!(receiver.wait_for(Bare, |n| {
            looks.set(looks.get() + 1);
            *n == 2
        }));
        assert!(poll(wait.as_mut(), &waker).is_pending());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        assert_eq!(looks.get(), 1, "a spurious poll looks at nothing");
        sender.send(1).unwrap();
        assert_eq!(wakes.count(), 1);
        assert!(poll(wait.as_mut(), &waker).is_pending());
        sender.send(2).unwrap();
        assert_eq!(wakes.count(), 2);
        assert!(matches!(poll(wait, &waker), Poll::Ready(Ok(value)) if *value == 2));
    }
    assert_eq!(looks.get(), 3);
    assert_eq!(receiver.has_changed(), Ok(false));
}

/// An `Io` whose budget is used up once.
struct UsedUp(Cell<bool>);

impl Io for UsedUp {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.replace(false) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

#[test]
fn budget_is_spent_after_winning() {
    let (sender, mut receiver) = channel(0);
    sender.send(1).unwrap();
    {
        let mut wait = pin!(receiver.changed(UsedUp(Cell::new(true))));
        assert!(poll_noop(wait.as_mut()).is_pending());
        assert_eq!(poll_noop(wait), Poll::Ready(Ok(())));
    }
    sender.send(2).unwrap();
    // Dropped with the budget used up: the change stays unseen.
    assert!(poll_noop(pin!(receiver.changed(UsedUp(Cell::new(true))))).is_pending());
    assert_eq!(receiver.has_changed(), Ok(true));
    {
        let mut wait = pin!(receiver.wait_for(UsedUp(Cell::new(true)), |n| *n == 2));
        assert!(poll_noop(wait.as_mut()).is_pending());
        // The lock is not kept meanwhile.
        sender.send_modify(|n| *n += 0);
        assert!(matches!(poll_noop(wait), Poll::Ready(Ok(_))));
    }
    sender.send(3).unwrap();
    // Dropped with the budget used up: the value that it found stays unseen.
    assert!(
        poll_noop(pin!(
            receiver.wait_for(UsedUp(Cell::new(true)), |n| *n == 3)
        ))
        .is_pending()
    );
    assert_eq!(receiver.has_changed(), Ok(true));
    drop(receiver);
    let mut wait = pin!(sender.closed(UsedUp(Cell::new(true))));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(poll_noop(wait).is_ready());
}

#[test]
fn dropped_wait_leaves_no_trace() {
    let (sender, mut receiver) = channel(0);
    {
        let mut wait = pin!(receiver.changed_future());
        assert!(poll_noop(wait.as_mut()).is_pending());
        sender.send(1).unwrap();
    }
    // Woken and not polled: the change is unseen.
    assert_eq!(receiver.has_changed(), Ok(true));
    assert_eq!(Bare.block_on(receiver.changed_future()), Ok(()));
    {
        let mut wait = pin!(receiver.changed_future());
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    assert_eq!(sender.shared.changed.waiter_count(), 0);
}

#[test]
fn last_waker_is_the_one_woken() {
    let (sender, mut receiver) = channel(0);
    let (first, first_waker) = counting_waker();
    let (last, last_waker) = counting_waker();
    let mut wait = pin!(receiver.changed_future());
    assert!(poll(wait.as_mut(), &first_waker).is_pending());
    assert!(poll(wait.as_mut(), &last_waker).is_pending());
    sender.send(1).unwrap();
    assert_eq!((first.count(), last.count()), (0, 1));
}

#[test]
fn waker_may_reenter() {
    let (sender, mut receiver) = channel(0);
    let sender = Arc::new(sender);
    let inner = sender.clone();
    let waker = reentrant_waker(move || {
        let other = inner.subscribe();
        assert_eq!(*other.borrow(), *inner.borrow());
        inner.send_if_modified(|_| false);
    });
    let mut wait = pin!(receiver.changed_future());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    sender.send(1).unwrap();
    assert!(poll(wait, &waker).is_ready());
}

#[test]
fn closed_waits_for_the_last_receiver() {
    let (sender, receiver) = channel(0);
    let second = receiver.clone();
    let (wakes, waker) = counting_waker();
    let mut wait = pin!(sender.closed_future());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(receiver);
    assert_eq!(wakes.count(), 0);
    assert_eq!(sender.receiver_count(), 1);
    drop(second);
    assert_eq!(wakes.count(), 1);
    assert!(poll(wait, &waker).is_ready());
    assert!(sender.is_closed());
    // A receiver may come later.
    let _third = sender.subscribe();
    assert!(!sender.is_closed());
    assert!(poll_noop(pin!(sender.closed_future())).is_pending());
}

#[test]
fn receiver_that_comes_back_keeps_closed_waiting() {
    let (sender, receiver) = channel(0);
    let (_wakes, waker) = counting_waker();
    let mut wait = pin!(sender.closed_future());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(receiver);
    let again = sender.subscribe();
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(again);
    assert!(poll(wait, &waker).is_ready());
}

#[test]
fn raw_waiter_is_told_of_changes_and_of_the_end() {
    let (sender, mut receiver) = channel(0);
    let (wakes, waker) = counting_waker();
    {
        let mut waiter = pin!(Waiter::with_waker(waker));
        assert!(!receiver.changed_with(waiter.as_mut()));
        sender.send(1).unwrap();
        assert_eq!(wakes.count(), 1);
        assert!(receiver.changed_with(waiter.as_mut()));
    }
    receiver.mark_unchanged();
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(Waiter::with_waker(waker));
    assert!(!receiver.changed_with(waiter.as_mut()));
    drop(sender);
    assert_eq!(wakes.count(), 1);
    assert!(receiver.changed_with(waiter.as_mut()));
}

#[test]
fn waits_without_allocation() {
    let (sender, mut receiver) = channel(0);
    let (_wakes, waker) = counting_waker();
    let count = allocations(|| {
        let mut wait = pin!(receiver.changed_future());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        sender.send(1).unwrap();
        assert!(poll(wait, &waker).is_ready());
    });
    assert_eq!(count, 0);
}

#[test]
fn happens_before() {
    let (sender, mut receiver) = channel((0_u64, 0_u64));
    scope(|scope| {
        scope.spawn(move || {
            for n in 1..=10_000 {
                sender.send((n, !n)).unwrap();
            }
        });
        let mut last = 0;
        while Bare.block_on(receiver.changed_future()).is_ok() {
            let value = receiver.borrow_and_update();
            assert_eq!(value.0, !value.1);
            assert!(value.0 > last, "versions go forward");
            last = value.0;
        }
        assert_eq!(last, 10_000);
    });
}

#[test]
fn completed_future_panics_clearly() {
    let (sender, mut receiver) = channel(0);
    sender.send(1).unwrap();
    let mut wait = pin!(receiver.changed_future());
    assert!(poll_noop(wait.as_mut()).is_ready());
    let message = panic_message(|| {
        let _ = poll_noop(wait.as_mut());
    });
    assert!(
        message.contains("polled after it had finished"),
        "{message}"
    );
}

#[test]
fn counts_and_identity() {
    let (sender, receiver) = channel(0);
    let (other, _) = channel(0);
    assert!(sender.same_channel(&sender.clone()));
    assert!(!sender.same_channel(&other));
    assert!(receiver.same_channel(&receiver.clone()));
    assert!(!receiver.same_channel(&other.subscribe()));
    let second = sender.clone();
    assert_eq!((sender.sender_count(), sender.receiver_count()), (2, 1));
    drop(second);
    assert_eq!(sender.sender_count(), 1);
    sender.send_modify(|_| ());
    sender.send_modify(|_| ());
    assert_eq!(
        format!("{sender:?}"),
        "Sender { version: 2, receiver_count: 1, .. }"
    );
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let (sender, mut first) = channel(0);
    let mut second = first.clone();
    let (wakes, waker) = counting_waker();
    {
        let mut panics = pin!(first.changed_future());
        let mut other = pin!(second.changed_future());
        assert!(poll(panics.as_mut(), &panicking_waker()).is_pending());
        assert!(poll(other.as_mut(), &waker).is_pending());
        assert_eq!(panic_message(|| sender.send(1).unwrap()), WAKER_PANIC);
        assert_eq!(wakes.count(), 1);
        assert!(poll(panics, &waker).is_ready());
        assert!(poll(other, &waker).is_ready());
    }
    // The value was sent before any task was woken.
    assert_eq!(*first.borrow(), 1);
    {
        let mut panics = pin!(first.changed_future());
        let mut other = pin!(second.changed_future());
        assert!(poll(panics.as_mut(), &panicking_waker()).is_pending());
        assert!(poll(other.as_mut(), &waker).is_pending());
        assert_eq!(panic_message(|| drop(sender)), WAKER_PANIC);
        assert_eq!(wakes.count(), 2);
        assert_eq!(poll(other, &waker), Poll::Ready(Err(RecvError(()))));
    }
}

#[test]
fn dropping_an_old_value_that_panics_loses_no_change() {
    let drops = Arc::new(AtomicUsize::new(0));
    let new = |panics| Brittle {
        drops: Arc::clone(&drops),
        panics,
    };
    let (sender, mut receiver) = channel(new(true));
    let (wakes, waker) = counting_waker();
    {
        let mut changed = pin!(receiver.changed_future());
        assert!(poll(changed.as_mut(), &waker).is_pending());
        assert_eq!(panic_message(|| drop(sender.send(new(false)))), DROP_PANIC);
        assert_eq!(wakes.count(), 1);
        assert!(poll(changed, &waker).is_ready());
    }
    assert!(!receiver.borrow().panics, "the new one is there");
    sender.send(new(true)).ok().unwrap();
    // The last value goes with the last handle.
    drop(sender);
    assert_eq!(panic_message(|| drop(receiver)), DROP_PANIC);
    assert_eq!(drops.load(Ordering::Relaxed), 3);
}

#[test]
fn panicking_condition_locks_nobody_out() {
    let (sender, mut receiver) = channel(0);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _ = poll_noop(pin!(receiver.wait_for(Bare, |_| panic!("on purpose"))));
    }));
    assert!(outcome.is_err());
    sender.send(1).unwrap();
    assert_eq!(*receiver.borrow(), 1);
    assert_eq!(sender.shared.changed.waiter_count(), 0);
}

#[test]
fn spurious_poll_is_harmless() {
    let (sender, mut receiver) = channel(0);
    {
        let mut wait = pin!(receiver.changed_future());
        for _ in 0..3 {
            assert!(poll_noop(wait.as_mut()).is_pending());
            assert_eq!(sender.shared.changed.waiter_count(), 1);
        }
        sender.send(1).unwrap();
        assert_eq!(poll_noop(wait), Poll::Ready(Ok(())));
    }
    let mut closed = pin!(sender.closed_future());
    for _ in 0..3 {
        assert!(poll_noop(closed.as_mut()).is_pending());
    }
    drop(receiver);
    assert!(poll_noop(closed).is_ready());
}

#[test]
fn moves_between_executors() {
    let (sender, mut receiver) = channel(0);
    scope(|scope| {
        let mut wait = std::boxed::Box::pin(receiver.changed_future());
        assert!(poll(wait.as_mut(), &counting_waker().1).is_pending());
        let waiting = scope.spawn(move || Bare.block_on(wait));
        sender.send(1).unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(()));
    });
}

/// Borrows that overlap all the time keep no sender out. The reader that waits for
/// its turn while it has the value lent is what makes them overlap.
#[test]
fn readers_do_not_stop_a_sender() {
    let (sender, receiver) = channel(0);
    let is_over = AtomicBool::new(false);
    scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let value = receiver.borrow();
                    std::thread::yield_now();
                    drop(value);
                }
            });
        }
        for n in 1..=200 {
            sender.send(n).unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(*receiver.borrow(), 200);
}

/// A sender that waits for a thread's first borrow to end does not stop its second
/// one for ever.
#[test]
fn borrowing_again_beside_a_waiting_sender_goes_on() {
    let (sender, receiver) = channel(0);
    scope(|scope| {
        let first = receiver.borrow();
        let sending = scope.spawn(|| sender.send(1).unwrap());
        while !sender.shared.value.is_wanted() {
            std::thread::yield_now();
        }
        let second = receiver.borrow();
        assert_eq!((*first, *second), (0, 0));
        drop((first, second));
        sending.join().unwrap();
    });
    assert_eq!(*receiver.borrow(), 1);
}

/// Linear would be a thousand times as slow for each: a factor of twenty tells
/// the two apart on a machine that has other things to do.
#[test]
fn cancel_is_constant_time() {
    fn cancel_all(waits: usize) -> core::time::Duration {
        let (_sender, receiver) = channel(0);
        let mut receivers: Vec<_> = (0..waits).map(|_| receiver.clone()).collect();
        let waker = counting_waker().1;
        let mut queued: Vec<_> = receivers
            .iter_mut()
            .map(|receiver| std::boxed::Box::pin(receiver.changed_future()))
            .collect();
        for wait in &mut queued {
            assert!(poll(wait.as_mut(), &waker).is_pending());
        }
        let start = std::time::Instant::now();
        while !queued.is_empty() {
            drop(queued.swap_remove(queued.len() / 2));
        }
        start.elapsed()
    }
    let few = (0..5).map(|_| cancel_all(100)).min().unwrap();
    let many = (0..3).map(|_| cancel_all(100_000)).min().unwrap();
    assert!(many < few * 1_000 * 20, "100: {few:?}, 100,000: {many:?}");
}

/// The published numbers; the one allocation adds an `Arc`'s two counts.
#[cfg(target_pointer_width = "64")]
#[test]
fn idle_size_is_bounded() {
    assert_eq!(size_of::<Sender<u64>>(), 8);
    assert_eq!(size_of::<Receiver<u64>>(), 16);
    assert!(size_of::<Shared<u64>>() <= 160);
    assert!(size_of::<Changed<'_, u64>>() <= 72);
    assert!(size_of::<Closed<'_, u64>>() <= 64);
}
