//! Sends that wait for a place.

use core::cell::Cell;
use core::pin::pin;
use core::task::Poll;
use std::boxed::Box;
use std::vec::Vec;

use super::tests::UsedUp;
use super::{Overflow, SendError, Sender, TryRecvError, channel_with};
use crate::io::Bare;
use crate::test_util::{counting_waker, poll, poll_noop};

#[test]
fn waiting_send_waits_for_the_slowest() {
    let (sender, mut quick) = channel_with(2, Overflow::Wait);
    let mut slow = sender.subscribe();
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert_eq!(sender.send(3), Err(SendError::Full(3)));
    let (wakes, waker) = counting_waker();
    let mut wait = pin!(sender.send_wait(Bare, 3));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!(quick.try_recv(), Ok(1));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!(slow.try_recv(), Ok(1));
    assert_eq!(wakes.count(), 1);
    // No other send comes before it.
    assert_eq!(sender.send(4), Err(SendError::Full(4)));
    assert_eq!(poll(wait, &waker), Poll::Ready(Ok(2)));
    for n in 2..=3 {
        assert_eq!(slow.try_recv(), Ok(n));
    }
}

#[test]
fn waiting_senders_are_fifo() {
    let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    sender.send(0).unwrap();
    // Each is a task of its own: one task's waits may change places.
    let mut waits: Vec<_> = (1..5)
        .map(|n| (counting_waker().1, Box::pin(sender.send_wait(Bare, n))))
        .collect();
    for (waker, wait) in &mut waits {
        assert!(poll(wait.as_mut(), waker).is_pending());
    }
    // One in the middle gives up.
    drop(waits.remove(1));
    for n in [0, 1, 3, 4] {
        assert_eq!(receiver.try_recv(), Ok(n));
        // Whichever is polled first, the first in the queue sends first.
        for (waker, wait) in waits.iter_mut().skip(1).rev() {
            assert!(poll(wait.as_mut(), waker).is_pending());
        }
        if let Some((waker, first)) = waits.first_mut() {
            assert_eq!(poll(first.as_mut(), waker), Poll::Ready(Ok(1)));
            drop(waits.remove(0));
        }
    }
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(sender.send(9), Ok(1), "no waiting sender is left behind");
}

#[test]
fn cancelled_send_gives_its_turn_on() {
    let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    sender.send(0).unwrap();
    let (wakes, waker) = counting_waker();
    let mut first = Box::pin(sender.send_wait(Bare, 1));
    let mut second = Box::pin(sender.send_wait(Bare, 2));
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll(second.as_mut(), &waker).is_pending());
    assert_eq!(receiver.try_recv(), Ok(0));
    // Woken, and gone before it sent.
    drop(first);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(second.as_mut(), &waker), Poll::Ready(Ok(1)));
    assert_eq!(receiver.try_recv(), Ok(2));
    drop(second);
    assert_eq!(sender.send(3), Ok(1));
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task() {
    let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    sender.send(0).unwrap();
    let (_, waker) = counting_waker();
    let mut unpolled = Box::pin(sender.send_wait(Bare, 1));
    assert!(poll(unpolled.as_mut(), &waker).is_pending());
    // The place is given to the first, which its task polls no more.
    assert_eq!(receiver.try_recv(), Ok(0));
    let mut polled = Box::pin(sender.send_wait(Bare, 2));
    for _ in 0..2 {
        assert!(poll(polled.as_mut(), &waker).is_pending());
    }
    assert_eq!(poll(polled.as_mut(), &waker), Poll::Ready(Ok(1)));
    assert!(poll(unpolled.as_mut(), &waker).is_pending());
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(poll(unpolled.as_mut(), &waker), Poll::Ready(Ok(1)));
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn place_kept_for_a_budget_does_not_block_its_own_task() {
    let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    let (_, waker) = counting_waker();
    // It has won the place, and its task polls it no more.
    let mut unpolled = Box::pin(sender.send_wait(UsedUp(Cell::new(true)), 1));
    assert!(poll(unpolled.as_mut(), &waker).is_pending());
    let mut polled = Box::pin(sender.send_wait(Bare, 2));
    for _ in 0..2 {
        assert!(poll(polled.as_mut(), &waker).is_pending());
    }
    assert_eq!(poll(polled.as_mut(), &waker), Poll::Ready(Ok(1)));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(poll(unpolled.as_mut(), &waker), Poll::Ready(Ok(1)));
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn last_receiver_ends_waiting_sends() {
    let (sender, receiver) = channel_with(1, Overflow::Wait);
    sender.send(0).unwrap();
    let (wakes, waker) = counting_waker();
    let mut first = Box::pin(sender.send_wait(Bare, 1));
    let mut second = Box::pin(sender.send_wait(Bare, 2));
    assert!(poll(first.as_mut(), &waker).is_pending());
    assert!(poll(second.as_mut(), &waker).is_pending());
    drop(receiver);
    assert_eq!(wakes.count(), 1);
    let error = Poll::Ready(Err(SendError::Closed(1)));
    assert_eq!(poll(first.as_mut(), &waker), error);
    assert_eq!(wakes.count(), 2);
    let error = Poll::Ready(Err(SendError::Closed(2)));
    assert_eq!(poll(second.as_mut(), &waker), error);
}

#[test]
fn refused_send_leaves_what_waits_elsewhere() {
    let elsewhere = crate::Semaphore::new(0);
    let sender = Sender::with_overflow(1, Overflow::Wait);
    let mut waiter = pin!(crate::semaphore::Waiter::new());
    assert!(elsewhere.acquire_with(1, waiter.as_mut()).is_none());
    let sent = sender.send_with(waiter.as_mut(), 1);
    assert_eq!(sent, Err(SendError::Closed(1)));
    assert_eq!(elsewhere.waiter_count(), 1);

    // What waits here waits no more when the last receiver has gone.
    let receiver = sender.subscribe();
    sender.send(1).unwrap();
    let mut waiter = pin!(crate::semaphore::Waiter::new());
    let sent = sender.send_with(waiter.as_mut(), 2);
    assert_eq!(sent, Err(SendError::Full(2)));
    drop(receiver);
    let sent = sender.send_with(waiter.as_mut(), 2);
    assert_eq!(sent, Err(SendError::Closed(2)));
    assert_eq!(sender.shared.room.waiter_count(), 0);
    assert_eq!(sender.shared.room.available_permits(), 1);
}
