//! The laws of the broadcast.

use core::cell::Cell;
use core::mem::size_of;
use core::pin::pin;
use core::task::{Context, Poll};
use std::boxed::Box;
use std::format;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::vec::Vec;

use super::ring::SLOT;
use super::{
    Overflow, Receiver, Recv, RecvError, SendError, SendWait, Sender, Shared, TryRecvError,
    channel, channel_with,
};
use crate::io::{Bare, Block, Io};
use crate::notify::Waiter;
use crate::test_util::{
    Brittle, DROP_PANIC, WAKER_PANIC, allocations, counting_waker, panic_message, panicking_waker,
    poll, poll_noop, reentrant_waker, scope,
};

#[test]
fn everyone_gets_everything_in_order() {
    let (sender, receiver) = channel(64);
    let mut receivers: Vec<_> = (0..3).map(|_| sender.subscribe()).collect();
    receivers.push(receiver);
    for n in 0..50 {
        assert_eq!(sender.send(n), Ok(4));
    }
    for receiver in &mut receivers {
        for n in 0..50 {
            assert_eq!(receiver.try_recv(), Ok(n));
        }
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn lag_is_counted_exactly() {
    for capacity in [1, 2, 3, 5, 7] {
        let (sender, mut receiver) = channel(capacity);
        assert_eq!(sender.capacity(), capacity);
        for sent in [capacity, capacity + 1, 3 * capacity + 2] {
            for n in 0..sent {
                sender.send(n).unwrap();
            }
            assert_eq!(receiver.len(), sent);
            let missed = sent - capacity;
            if missed > 0 {
                assert_eq!(
                    receiver.try_recv(),
                    Err(TryRecvError::Lagged(missed as u64))
                );
            }
            for n in missed..sent {
                assert_eq!(Bare.block_on(receiver.recv_future()), Ok(n));
            }
            assert!(receiver.is_empty());
        }
    }
}

/// As far behind as the bits that are looked at without the lock tell apart.
#[test]
fn lag_of_a_whole_turn_is_seen() {
    let (sender, mut receiver) = channel(1);
    (0..16).for_each(|n| assert_eq!(sender.send(n), Ok(1)));
    let lagged = poll_noop(pin!(receiver.recv_future()));
    assert_eq!(lagged, Poll::Ready(Err(RecvError::Lagged(15))));
}

#[test]
fn slow_receiver_blocks_nobody() {
    let (sender, mut slow) = channel(2);
    let mut quick = sender.subscribe();
    for n in 0..100 {
        sender.send(n).unwrap();
        assert_eq!(quick.try_recv(), Ok(n));
    }
    assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(98)));
    assert_eq!(slow.try_recv(), Ok(98));
}

/// Counts its clones and drops.
#[derive(Debug)]
struct Counted {
    clones: Arc<AtomicUsize>,
    drops: Arc<AtomicUsize>,
}

impl Counted {
    fn new() -> (Self, Arc<AtomicUsize>, Arc<AtomicUsize>) {
        let (clones, drops) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let counted = Self {
            clones: clones.clone(),
            drops: drops.clone(),
        };
        (counted, clones, drops)
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, Ordering::SeqCst);
        Self {
            clones: self.clones.clone(),
            drops: self.drops.clone(),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn value_dropped_after_last_reader() {
    let (sender, mut first) = channel(8);
    let mut second = sender.subscribe();
    let (value, clones, drops) = Counted::new();
    sender.send(value).unwrap();
    drop(first.try_recv().unwrap());
    assert_eq!(drops.load(Ordering::SeqCst), 1, "the clone");
    assert_eq!(sender.len(), 1);
    // The last reader takes the value itself.
    let last = second.try_recv().unwrap();
    assert_eq!(sender.len(), 0);
    assert_eq!(clones.load(Ordering::SeqCst), 1);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
    drop(last);
    assert_eq!(drops.load(Ordering::SeqCst), 2);
}

#[test]
fn dropped_receiver_counts_as_a_reader() {
    let (sender, first) = channel(8);
    let mut second = sender.subscribe();
    let (one, _, one_drops) = Counted::new();
    let (two, _, two_drops) = Counted::new();
    sender.send(one).unwrap();
    sender.send(two).unwrap();
    drop(second.try_recv().unwrap());
    assert_eq!(one_drops.load(Ordering::SeqCst), 1);
    drop(first);
    // The first message has been read by all that are left; the second not.
    assert_eq!(one_drops.load(Ordering::SeqCst), 2);
    assert_eq!(two_drops.load(Ordering::SeqCst), 0);
    assert_eq!(sender.len(), 1);
    drop(second);
    assert_eq!(two_drops.load(Ordering::SeqCst), 1);
    assert_eq!(sender.len(), 0);
}

#[test]
fn overwritten_value_is_dropped() {
    let (sender, _receiver) = channel(1);
    let (value, _, drops) = Counted::new();
    sender.send(value).unwrap();
    assert_eq!(drops.load(Ordering::SeqCst), 0);
    sender.send(Counted::new().0).unwrap();
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn last_sender_closes_after_what_is_there() {
    let (sender, mut receiver) = channel(4);
    let second = sender.clone();
    assert_eq!(receiver.sender_strong_count(), 2);
    sender.send(1).unwrap();
    drop(sender);
    assert!(!receiver.is_closed());
    let (wakes, waker) = counting_waker();
    assert_eq!(receiver.try_recv(), Ok(1));
    {
        let mut wait = pin!(receiver.recv_future());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        second.send(2).unwrap();
        drop(second);
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll(wait, &waker), Poll::Ready(Ok(2)));
    }
    assert!(receiver.is_closed());
    assert_eq!(
        Bare.block_on(receiver.recv_future()),
        Err(RecvError::Closed)
    );
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn send_to_nobody_gives_the_value_back() {
    let (sender, receiver) = channel(4);
    drop(receiver);
    let error = sender.send(1).unwrap_err();
    assert_eq!(error, SendError::Closed(1));
    assert_eq!(
        format!("{error} {error:?}"),
        "the broadcast has no receiver Closed(..)"
    );
    assert_eq!(error.into_inner(), 1);
    assert_eq!(sender.len(), 0);
    let mut late = sender.subscribe();
    sender.send(2).unwrap();
    assert_eq!(late.try_recv(), Ok(2));
}

#[test]
fn subscriber_gets_what_is_sent_from_then_on() {
    let (sender, receiver) = channel(4);
    sender.send(1).unwrap();
    let mut late = sender.subscribe();
    let mut again = receiver.resubscribe();
    assert_eq!(late.try_recv(), Err(TryRecvError::Empty));
    sender.send(2).unwrap();
    assert_eq!(late.try_recv(), Ok(2));
    assert_eq!(again.try_recv(), Ok(2));
}

#[test]
fn capacity_of_zero_is_refused() {
    for message in [
        panic_message(|| drop(channel::<u8>(0))),
        panic_message(|| drop(Sender::<u8>::new(0))),
    ] {
        assert_eq!(
            message,
            format!(
                "a capacity of 0 is out of range: it may be 1 to {}",
                usize::MAX
            )
        );
    }
}

/// An `Io` whose budget is used up once.
pub(super) struct UsedUp(pub(super) Cell<bool>);

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
fn cancelled_recv_loses_no_message() {
    let (sender, mut receiver) = channel(4);
    sender.send(1).unwrap();
    assert!(poll_noop(pin!(receiver.recv(UsedUp(Cell::new(true))))).is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    {
        let mut wait = pin!(receiver.recv_future());
        assert!(poll_noop(wait.as_mut()).is_pending());
        sender.send(2).unwrap();
    }
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(sender.shared.sent.waiter_count(), 0);
}

#[test]
fn budget_is_spent_after_winning() {
    let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    {
        let mut wait = pin!(sender.send_wait(UsedUp(Cell::new(true)), 1));
        assert!(poll_noop(wait.as_mut()).is_pending());
        assert_eq!(sender.len(), 0);
        assert_eq!(poll_noop(wait), Poll::Ready(Ok(1)));
    }
    {
        let mut wait = pin!(receiver.recv(UsedUp(Cell::new(true))));
        assert!(poll_noop(wait.as_mut()).is_pending());
        assert_eq!(poll_noop(wait), Poll::Ready(Ok(1)));
    }
    drop(receiver);
    let mut wait = pin!(sender.closed(UsedUp(Cell::new(true))));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(poll_noop(wait).is_ready());
}

#[test]
fn waker_may_reenter() {
    let (sender, mut receiver) = channel(4);
    let sender = Arc::new(sender);
    let inner = sender.clone();
    let waker = reentrant_waker(move || {
        drop(inner.subscribe());
        let _ = inner.len();
        drop(inner.downgrade().upgrade());
    });
    let mut wait = pin!(receiver.recv_future());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    sender.send(1).unwrap();
    assert_eq!(poll(wait, &waker), Poll::Ready(Ok(1)));
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    // Of the receivers that wait for one message.
    let (sender, mut first) = channel(4);
    let mut second = sender.subscribe();
    let (wakes, waker) = counting_waker();
    {
        let mut panics = pin!(first.recv_future());
        let mut other = pin!(second.recv_future());
        assert!(poll(panics.as_mut(), &panicking_waker()).is_pending());
        assert!(poll(other.as_mut(), &waker).is_pending());
        assert_eq!(
            panic_message(|| assert_eq!(sender.send(1), Ok(2))),
            WAKER_PANIC,
            "the panic goes on"
        );
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll(other, &waker), Poll::Ready(Ok(1)));
        assert_eq!(poll(panics, &waker), Poll::Ready(Ok(1)));
    }

    // Of the tasks that wait for the last receiver to go, in either way.
    let (sender, receiver) = channel_with(1, Overflow::Wait);
    sender.send(0).unwrap();
    let (wakes, waker) = counting_waker();
    let mut panics = pin!(sender.closed(Bare));
    let mut send = pin!(sender.send_wait(Bare, 1));
    assert!(poll(panics.as_mut(), &panicking_waker()).is_pending());
    assert!(poll(send.as_mut(), &waker).is_pending());
    assert_eq!(panic_message(|| drop(receiver)), WAKER_PANIC);
    assert_eq!(wakes.count(), 1, "the sender is woken all the same");
    assert_eq!(poll(send, &waker), Poll::Ready(Err(SendError::Closed(1))));
}

#[test]
fn user_code_runs_outside_the_lock() {
    /// Looks at the broadcast when it is cloned and when it is dropped.
    struct Nosy(super::WeakSender<Nosy>);

    impl Nosy {
        fn look(&self) {
            if let Some(sender) = self.0.upgrade() {
                let _ = sender.len();
            }
        }
    }

    impl Clone for Nosy {
        fn clone(&self) -> Self {
            self.look();
            Self(self.0.clone())
        }
    }

    impl Drop for Nosy {
        fn drop(&mut self) {
            self.look();
        }
    }

    let (sender, mut first) = channel(1);
    let second = sender.subscribe();
    let nosy = || Nosy(sender.downgrade());
    assert!(sender.send(nosy()).is_ok());
    assert!(first.try_recv().is_ok());
    // Overwrites, and then a receiver goes that has not read.
    assert!(sender.send(nosy()).is_ok());
    assert!(sender.send(nosy()).is_ok());
    drop(second);
    drop(first);
    assert!(sender.send(nosy()).is_err());
}

#[test]
fn message_that_is_cloned_stays_where_it_is() {
    /// Sends others while it is cloned.
    struct Chatty(u32, super::WeakSender<Chatty>, Arc<AtomicUsize>);

    impl Clone for Chatty {
        fn clone(&self) -> Self {
            if let Some(sender) = self.1.upgrade() {
                for number in 1..=4 {
                    let next = Self(self.0 + number, self.1.clone(), self.2.clone());
                    assert!(sender.send(next).is_ok());
                }
                assert_eq!(self.2.load(Ordering::Relaxed), 3, "pushed out");
            }
            Self(self.0, self.1.clone(), self.2.clone())
        }
    }

    impl Drop for Chatty {
        fn drop(&mut self) {
            self.2.fetch_add(1, Ordering::Relaxed);
        }
    }

    let drops = Arc::new(AtomicUsize::new(0));
    let (sender, mut first) = channel(1);
    let mut second = sender.subscribe();
    let message = Chatty(10, sender.downgrade(), drops.clone());
    assert!(sender.send(message).is_ok());
    let clone = first.try_recv().ok().unwrap();
    assert_eq!(clone.0, 10);
    assert_eq!(
        drops.load(Ordering::Relaxed),
        4,
        "now the message itself, too"
    );
    // Two blocks of two.
    assert_eq!(sender.shared.lock().room(), 4);
    assert!(matches!(second.try_recv(), Err(TryRecvError::Lagged(4))));
    drop((first, second));
    assert_eq!(drops.load(Ordering::Relaxed), 5);
}

#[test]
fn sends_and_receives_without_allocation_once_there_is_room() {
    let (sender, mut first) = channel::<u32>(4);
    let mut second = sender.subscribe();
    let mut round = || {
        for number in 0..6 {
            sender.send(number).unwrap();
        }
        for receiver in [&mut first, &mut second] {
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(2)));
            (2..6).for_each(|number| assert_eq!(receiver.try_recv(), Ok(number)));
        }
    };
    round();
    assert_eq!(allocations(round), 0);
}

#[test]
fn waits_without_allocation() {
    let (sender, mut receiver) = channel::<u32>(4);
    let (_wakes, waker) = counting_waker();
    let count = allocations(|| {
        let mut wait = pin!(receiver.recv_future());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        assert!(poll(wait.as_mut(), &waker).is_pending());
    });
    assert_eq!(count, 0);
    drop(sender);
}

#[test]
fn closed_waits_for_the_last_receiver() {
    let (sender, receiver) = channel::<u8>(1);
    let second = sender.subscribe();
    assert_eq!(sender.receiver_count(), 2);
    let (wakes, waker) = counting_waker();
    let mut wait = pin!(sender.closed(Bare));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(receiver);
    assert_eq!(wakes.count(), 0);
    drop(second);
    assert_eq!(wakes.count(), 1);
    assert!(poll(wait, &waker).is_ready());
}

#[test]
fn weak_senders_are_counted_and_upgrade_while_open() {
    let (sender, receiver) = channel::<u8>(1);
    let weak = sender.downgrade();
    let other = receiver.weak_sender();
    assert_eq!((sender.strong_count(), sender.weak_count()), (1, 2));
    assert!(weak.upgrade().unwrap().same_channel(&sender));
    drop(other);
    assert_eq!(receiver.sender_weak_count(), 1);
    assert_eq!((weak.strong_count(), weak.weak_count()), (1, 1));
    assert!(receiver.same_channel(&sender.subscribe()));
    drop(sender);
    assert!(weak.upgrade().is_none());
    assert_eq!(weak.strong_count(), 0);
}

#[test]
fn sender_alone_has_no_receiver() {
    let sender = Sender::new(2);
    assert_eq!((sender.receiver_count(), sender.capacity()), (0, 2));
    assert_eq!(sender.send(1), Err(SendError::Closed(1)));
    assert!(poll_noop(pin!(sender.closed(Bare))).is_ready());
    let sender = Sender::with_overflow(1, Overflow::Wait);
    let mut receiver = sender.subscribe();
    sender.send(1).unwrap();
    assert_eq!(sender.send(2), Err(SendError::Full(2)));
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn threads_get_everything_in_order() {
    const COUNT: u64 = 2_000;
    let (sender, receiver) = channel_with(3, Overflow::Wait);
    let receivers: Vec<_> = (0..2).map(|_| sender.subscribe()).collect();
    drop(receiver);
    scope(|scope| {
        for mut receiver in receivers {
            scope.spawn(move || {
                let mut last = [0; 2];
                let mut count = 0;
                while let Ok((who, n)) = receiver.blocking_recv() {
                    let last: &mut u64 = &mut last[who];
                    assert_eq!(n, *last + 1, "in order, and nothing is missing");
                    *last = n;
                    count += 1;
                }
                assert_eq!(count, 2 * COUNT);
            });
        }
        for who in 0..2 {
            let sender = sender.clone();
            scope.spawn(move || {
                for n in 1..=COUNT {
                    Bare.block_on(sender.send_wait(Bare, (who, n))).unwrap();
                }
            });
        }
        drop(sender);
    });
}

#[test]
fn last_waker_is_the_one_woken() {
    let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    let (first, first_waker) = counting_waker();
    let (last, last_waker) = counting_waker();
    {
        let mut wait = pin!(receiver.recv_future());
        assert!(poll(wait.as_mut(), &first_waker).is_pending());
        assert!(poll(wait.as_mut(), &last_waker).is_pending());
        sender.send(1).unwrap();
        assert_eq!((first.count(), last.count()), (0, 1));
    }
    let mut wait = pin!(sender.send_wait(Bare, 2));
    assert!(poll(wait.as_mut(), &first_waker).is_pending());
    assert!(poll(wait.as_mut(), &last_waker).is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!((first.count(), last.count()), (0, 2));
}

#[test]
fn spurious_poll_is_harmless() {
    let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    {
        let mut wait = pin!(receiver.recv_future());
        for _ in 0..3 {
            assert!(poll_noop(wait.as_mut()).is_pending());
            assert_eq!(sender.shared.sent.waiter_count(), 1);
        }
        sender.send(1).unwrap();
        assert_eq!(poll_noop(wait), Poll::Ready(Ok(1)));
    }
    sender.send(2).unwrap();
    let mut waits = [3, 4].map(|n| (counting_waker().1, Box::pin(sender.send_wait(Bare, n))));
    for _ in 0..3 {
        for (waker, wait) in &mut waits {
            assert!(poll(wait.as_mut(), waker).is_pending());
        }
        assert_eq!(sender.shared.room.waiter_count(), 2);
    }
    // Each keeps its place.
    for n in 2..=4 {
        assert_eq!(receiver.try_recv(), Ok(n));
        for (waker, wait) in waits.iter_mut().filter(|_| n < 4).skip(n - 2).take(1) {
            assert_eq!(poll(wait.as_mut(), waker), Poll::Ready(Ok(1)));
        }
    }
}

#[test]
fn completed_future_panics_clearly() {
    let (sender, mut receiver) = channel(1);
    let mut send = pin!(sender.send_wait(Bare, 1));
    assert!(poll_noop(send.as_mut()).is_ready());
    let mut recv = pin!(receiver.recv_future());
    assert!(poll_noop(recv.as_mut()).is_ready());
    for message in [
        panic_message(|| assert!(poll_noop(send.as_mut()).is_ready())),
        panic_message(|| assert!(poll_noop(recv.as_mut()).is_ready())),
    ] {
        assert!(
            message.contains("polled after it had finished"),
            "{message}"
        );
    }
    assert_eq!(sender.len(), 0, "nothing was sent twice");
}

#[test]
fn moves_between_executors() {
    let (sender, mut receiver) = channel(1);
    scope(|scope| {
        let mut wait = Box::pin(receiver.recv_future());
        assert!(poll(wait.as_mut(), &counting_waker().1).is_pending());
        let waiting = scope.spawn(move || Bare.block_on(wait));
        sender.send(5).unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(5));
    });
}

#[test]
fn cancel_is_constant_time() {
    fn cancel_all(waits: usize) -> core::time::Duration {
        let (sender, receiver) = channel_with(1, Overflow::Wait);
        sender.send(0).unwrap();
        let waker = counting_waker().1;
        let mut sends: Vec<_> = (0..waits)
            .map(|n| Box::pin(sender.send_wait(Bare, n)))
            .collect();
        for send in &mut sends {
            assert!(poll(send.as_mut(), &waker).is_pending());
        }
        let start = std::time::Instant::now();
        while !sends.is_empty() {
            drop(sends.swap_remove(sends.len() / 2));
        }
        let took = start.elapsed();
        drop(receiver);
        took
    }
    // Linear would be a thousand times as slow for each: a factor of twenty
    // tells the two apart on a machine that has other things to do.
    let few = (0..5).map(|_| cancel_all(100)).min().unwrap();
    let many = (0..3).map(|_| cancel_all(100_000)).min().unwrap();
    assert!(many < few * 1_000 * 20, "100: {few:?}, 100,000: {many:?}");
}

#[test]
fn panicking_clone_locks_nobody_out() {
    #[derive(Debug)]
    struct Brittle;

    impl Clone for Brittle {
        fn clone(&self) -> Self {
            panic!("on purpose")
        }
    }

    let (sender, mut first) = channel(2);
    let mut second = sender.subscribe();
    sender.send(Brittle).unwrap();
    assert_eq!(panic_message(|| drop(first.try_recv())), "on purpose");
    assert!(first.is_empty(), "it counts as read");
    // The last reader takes it without a clone.
    assert!(second.try_recv().is_ok());
    assert!(sender.is_empty());
}

#[test]
fn counts_and_identity() {
    let (sender, receiver) = channel(4);
    let (stranger, strange) = channel(4);
    assert!(sender.same_channel(&sender.clone()) && !sender.same_channel(&stranger));
    assert!(receiver.same_channel(&receiver.resubscribe()));
    assert!(!receiver.same_channel(&strange));
    let weak = sender.downgrade();
    assert_eq!((weak.strong_count(), weak.weak_count()), (1, 1));
    let more = (sender.clone(), weak.clone(), receiver.weak_sender());
    assert_eq!((weak.strong_count(), weak.weak_count()), (2, 3));
    assert_eq!((sender.strong_count(), sender.weak_count()), (2, 3));
    assert_eq!(
        (receiver.sender_strong_count(), receiver.sender_weak_count()),
        (2, 3)
    );
    drop(more);
    assert_eq!(
        (sender.strong_count(), receiver.sender_weak_count()),
        (1, 1)
    );

    assert!(sender.is_empty() && receiver.is_empty());
    sender.send(1).unwrap();
    assert!(!sender.is_empty() && !receiver.is_empty());
    assert_eq!(
        format!("{sender:?}"),
        "Sender { len: 1, capacity: 4, receiver_count: 1, .. }"
    );
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { len: 1, is_closed: false, .. }"
    );
    assert_eq!(format!("{weak:?}"), "WeakSender { .. }");
}

#[test]
fn waits_without_a_future_until_there_is_news() {
    let (sender, receiver) = channel(4);
    let mut waiter = pin!(Waiter::new());
    assert!(!receiver.recv_with(waiter.as_mut()));
    assert!(!waiter.is_ready());
    sender.send(1).unwrap();
    assert!(waiter.is_ready());
    let mut second = pin!(Waiter::new());
    assert!(receiver.recv_with(second.as_mut()), "it is still there");
}

#[test]
fn dropping_a_message_that_panics_loses_no_other() {
    let drops = Arc::new(AtomicUsize::new(0));
    let new = |panics| Brittle {
        drops: Arc::clone(&drops),
        panics,
    };
    // Pushed out by the next.
    let (sender, mut slow) = channel(1);
    sender.send(new(true)).ok().unwrap();
    let mut fast = sender.subscribe();
    let (wakes, waker) = counting_waker();
    {
        let mut recv = pin!(fast.recv_future());
        assert!(poll(recv.as_mut(), &waker).is_pending());
        assert_eq!(panic_message(|| drop(sender.send(new(false)))), DROP_PANIC);
        assert_eq!(wakes.count(), 1, "the new one is there");
        assert!(matches!(poll(recv, &waker), Poll::Ready(Ok(_))));
    }
    assert!(matches!(slow.try_recv(), Err(TryRecvError::Lagged(1))));
    assert!(slow.try_recv().is_ok());

    // Left behind by the last receiver, with others, and with a task that waits for it
    // to go.
    drop(fast);
    let sender = {
        let (sender, receiver) = channel(4);
        for number in 0..4 {
            sender.send(new(number == 1)).ok().unwrap();
        }
        let before = drops.load(Ordering::Relaxed);
        let mut closed = pin!(sender.closed(Bare));
        assert!(poll(closed.as_mut(), &waker).is_pending());
        assert_eq!(panic_message(|| drop(receiver)), DROP_PANIC);
        assert_eq!(drops.load(Ordering::Relaxed), before + 4);
        assert!(poll(closed, &waker).is_ready());
        sender.clone()
    };
    assert!(sender.is_empty());
    assert_eq!(sender.receiver_count(), 0);
    let mut anew = sender.subscribe();
    sender.send(new(false)).ok().unwrap();
    assert!(anew.try_recv().is_ok());
}

static_assertions::assert_impl_all!(Receiver<Cell<u8>>: std::panic::UnwindSafe);
static_assertions::assert_impl_all!(Receiver<Cell<u8>>: std::panic::RefUnwindSafe);

/// The published numbers; the one allocation of a channel adds an `Arc`'s two
/// counts, and so does each message's.
#[cfg(target_pointer_width = "64")]
#[test]
fn idle_size_is_bounded() {
    assert_eq!(size_of::<Sender<u64>>(), 8);
    assert_eq!(size_of::<Receiver<u64>>(), 24);
    assert_eq!(SLOT, 24);
    assert!(size_of::<Shared<u64>>() <= 288);
    assert!(size_of::<Recv<'_, u64>>() <= 72);
    assert!(size_of::<SendWait<'_, [u64; 9]>>() <= 128);
    // The ring is not allocated before it is needed.
    assert_eq!(Sender::<u64>::new(1 << 20).shared.lock().room(), 0);
}
