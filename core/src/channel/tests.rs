use core::cell::Cell;
use core::future::Future;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::format;
use std::string::ToString;
use std::sync::Arc;
use std::time::Instant;
use std::vec;
use std::vec::Vec;

use super::chan::{Chan, PROMISES, RECEIVERS, SENDERS, SLOTS, WATCHERS};
use super::*;
use crate::io::{Bare, Block, Io};
use crate::test_util::{
    WAKER_PANIC, Wakes, allocations, counting_waker, panic_message, panicking_waker, poll,
    poll_noop, reentrant_waker, scope,
};
use crate::wake_batch::BATCH;

mod any;
mod buffer;
mod handles;
mod laws;
mod memory;
mod messages;
mod poll_traits;

/// A queued wait of a task of its own.
struct Queued<F: Future> {
    wait: Pin<Box<F>>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl<F: Future> Queued<F> {
    #[track_caller]
    fn new(wait: F) -> Self {
        let (wakes, waker) = counting_waker();
        let mut wait = Box::pin(wait);
        assert!(poll(wait.as_mut(), &waker).is_pending());
        Self { wait, wakes, waker }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        poll(self.wait.as_mut(), &self.waker)
    }

    fn is_woken(&self) -> bool {
        self.wakes.count() > 0
    }

    /// The outcome of a wait that has been woken once.
    #[track_caller]
    fn won(&mut self) -> F::Output {
        assert_eq!(self.wakes.count(), 1);
        match self.poll() {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("it was woken, and is pending"),
        }
    }
}

/// A channel that is full of the numbers from 0 on.
fn full(capacity: usize) -> (Sender<usize>, Receiver<usize>) {
    let (sender, receiver) = bounded(capacity);
    for number in 0..capacity {
        sender.try_send(number).unwrap();
    }
    (sender, receiver)
}

/// No task waits, nothing is granted, and the hints are right.
#[track_caller]
fn idle<T>(chan: &Chan<T>) {
    let list = chan.lock();
    for ring in [SENDERS, RECEIVERS, SLOTS, PROMISES, WATCHERS] {
        assert_eq!(list.count(ring), 0, "ring {ring}");
    }
    assert_eq!(list.promised, 0);
    assert_eq!(list.reserved, 0);
    let can_send = list.closed || chan.free(&list) != 0;
    let can_receive = list.is_over() || !list.buffer.is_empty();
    drop(list);
    assert_eq!(chan.can_send(), can_send);
    assert_eq!(chan.can_receive(), can_receive);
}

fn drain<T>(receiver: &Receiver<T>) -> Vec<T> {
    core::iter::from_fn(|| receiver.try_recv().ok()).collect()
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

// channel::

#[test]
fn each_message_once() {
    const THREADS: usize = 3;
    const MESSAGES: usize = 3_000;
    for capacity in [Some(1), Some(3), None] {
        let (sender, receiver) = capacity.map_or_else(unbounded, bounded);
        let seen: Vec<_> = (0..THREADS * MESSAGES)
            .map(|_| AtomicUsize::new(0))
            .collect();
        scope(|scope| {
            for thread in 0..THREADS {
                let (sender, receiver, seen) = (sender.clone(), receiver.clone(), &seen);
                scope.spawn(move || {
                    for number in thread * MESSAGES..(thread + 1) * MESSAGES {
                        match number % 3 {
                            0 => Bare.block_on(sender.reserve(Bare)).unwrap().send(number),
                            _ => sender.send_blocking(number).unwrap(),
                        }
                    }
                });
                scope.spawn(move || {
                    let mut batch = Vec::new();
                    while Bare.block_on(receiver.recv_many(Bare, &mut batch, 1 + thread)) != 0 {
                        for number in batch.drain(..) {
                            seen[number].fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
            drop(sender);
        });
        assert!(seen.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        idle(receiver.chan());
    }
}

#[test]
fn fifo_per_producer() {
    const MESSAGES: usize = 3_000;
    let (sender, receiver) = bounded(4);
    scope(|scope| {
        for producer in 0..3 {
            let sender = sender.clone();
            scope.spawn(move || {
                for number in 0..MESSAGES {
                    sender.send_blocking((producer, number)).unwrap();
                }
            });
        }
        drop(sender);
        for _ in 0..2 {
            let receiver = receiver.clone();
            scope.spawn(move || {
                let mut last = [None; 3];
                let mut polled = 0_usize;
                loop {
                    polled += 1;
                    if polled % 7 == 0 {
                        // Queued and dropped: it takes nothing out of order.
                        let mut cancelled = pin!(receiver.recv_future());
                        if let Poll::Ready(Ok((producer, number))) = poll_noop(cancelled.as_mut()) {
                            assert!(last[producer].replace(number) < Some(number));
                        }
                    }
                    let Ok((producer, number)) = receiver.recv_blocking() else {
                        break;
                    };
                    assert!(last[producer].replace(number) < Some(number));
                }
            });
        }
    });
}

#[test]
fn capacity_is_a_bound() {
    for capacity in [1, 2, 3, 5, 100] {
        let (sender, receiver) = full(capacity);
        assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
        assert_eq!(sender.try_reserve().unwrap_err(), TrySendError::Full(()));
        assert!(sender.is_full() && receiver.is_full());
        assert_eq!(
            (receiver.len(), sender.capacity()),
            (capacity, Some(capacity))
        );
        assert_eq!(receiver.try_recv(), Ok(0));
        // What is reserved counts, whether by a permit or by a grant.
        let permit = sender.try_reserve().unwrap();
        assert_eq!(sender.free_slots(), Some(0));
        let mut granted = Queued::new(sender.send_future(7));
        drop(permit);
        assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
        granted.won().unwrap();
        assert_eq!(receiver.len(), capacity);
    }
    let (sender, receiver) = unbounded();
    for number in 0..10_000 {
        sender.try_send(number).unwrap();
    }
    assert!(!sender.is_full());
    assert_eq!((receiver.len(), sender.free_slots()), (10_000, None));
}

#[test]
fn capacity_of_zero_is_refused() {
    let message = panic_message(|| drop(bounded::<u8>(0)));
    assert!(message.contains("at least 1, not 0"), "{message}");
    assert!(message.contains("oneshot"), "{message}");
    let message = panic_message(|| drop(bounded::<u8>(MAX_CAPACITY + 1)));
    assert!(message.contains(&MAX_CAPACITY.to_string()), "{message}");
    assert_eq!(bounded::<u8>(MAX_CAPACITY).0.capacity(), Some(MAX_CAPACITY));
}

#[test]
fn cancelled_send_gives_back_or_never_sent() {
    let (sender, receiver) = full(1);
    let mut queued = Queued::new(sender.send_future(1));
    assert_eq!(queued.wait.as_mut().take_value(), Some(1));
    assert_eq!(queued.wait.as_mut().take_value(), None);
    let granted = Queued::new(sender.send_future(2));
    let mut next = Queued::new(sender.send_future(3));
    assert_eq!(receiver.try_recv(), Ok(0));
    assert!(granted.is_woken() && !next.is_woken());
    drop(granted);
    next.won().unwrap();
    let mut sent = Box::pin(sender.send_future(4));
    assert_eq!(receiver.try_recv(), Ok(3));
    assert_eq!(poll_noop(sent.as_mut()), Poll::Ready(Ok(())));
    assert_eq!(sent.as_mut().take_value(), None, "it was sent");
    drop(sent);
    assert_eq!(drain(&receiver), [4]);
    idle(sender.chan());
}

#[test]
fn a_send_whose_budget_is_spent_has_not_sent() {
    let io = Budget::default();
    let (sender, receiver) = bounded(1);
    io.broke.set(true);
    let mut send = Box::pin(sender.send(&io, 1));
    assert!(poll_noop(send.as_mut()).is_pending());
    // It has its slot, and keeps it.
    assert_eq!((sender.free_slots(), sender.len()), (Some(0), 0));
    drop(send);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    idle(sender.chan());
}

#[test]
fn cancelled_recv_loses_no_message() {
    let (sender, receiver) = bounded(4);
    let promised = Queued::new(receiver.recv_future());
    sender.try_send(1).unwrap();
    assert!(promised.is_woken());
    assert_eq!(receiver.len(), 1);
    assert_eq!(
        receiver.try_recv(),
        Err(TryRecvError::Empty),
        "it is promised"
    );
    let mut next = Queued::new(receiver.recv_future());
    drop(promised);
    assert_eq!(next.won(), Ok(1));

    // No task waits: it is for any receive again, and the oldest still.
    let promised = Queued::new(receiver.recv_future());
    sender.try_send(2).unwrap();
    sender.try_send(3).unwrap();
    drop(promised);
    assert_eq!(drain(&receiver), [2, 3]);

    // The budget was spent when it had won.
    let io = Budget::default();
    io.broke.set(true);
    sender.try_send(4).unwrap();
    let mut broke = Box::pin(receiver.recv(&io));
    assert!(poll_noop(broke.as_mut()).is_pending());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    drop(broke);
    assert_eq!(drain(&receiver), [4]);
    idle(sender.chan());
}

#[test]
fn drains_after_close() {
    let (sender, receiver) = bounded(3);
    let permit = sender.try_reserve().unwrap();
    let mut granted = Queued::new(sender.reserve_many(Bare, 3));
    drop(permit);
    assert!(granted.is_woken());
    let mut queued = Queued::new(sender.send_future(9));
    let mut watcher = Queued::new(sender.closed(Bare));
    assert!(sender.close());
    assert!(!receiver.close(), "it was closed before");
    assert_eq!(queued.won(), Err(SendError(9)));
    watcher.won();
    assert_eq!(sender.try_send(1), Err(TrySendError::Closed(1)));
    assert_eq!(sender.force_send(1), Err(SendError(1)));
    assert_eq!(sender.try_reserve().unwrap_err(), TrySendError::Closed(()));
    // Slots that were reserved before still send, and receivers wait for that.
    let mut waiting = Queued::new(receiver.recv_future());
    let mut second = Queued::new(receiver.recv_future());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let mut permits = granted.won().unwrap();
    permits.next().unwrap().send(1);
    permits.next().unwrap().send(2);
    assert!(waiting.is_woken() && second.is_woken());
    let mut third = Queued::new(receiver.recv_future());
    assert_eq!(waiting.won(), Ok(1));
    drop(permits);
    assert!(!third.is_woken(), "the last message may still come to it");
    assert_eq!(second.won(), Ok(2));
    assert_eq!(third.won(), Err(RecvError));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(
        poll_noop(pin!(receiver.recv_future())),
        Poll::Ready(Err(RecvError))
    );
    let mut batch = vec![];
    assert_eq!(
        poll_noop(pin!(receiver.recv_many(Bare, &mut batch, 5))),
        Poll::Ready(0)
    );
    idle(sender.chan());
}

#[test]
fn a_promise_that_is_dropped_after_close_is_not_lost() {
    let (sender, receiver) = bounded(2);
    let promised = Queued::new(receiver.recv_future());
    let mut waiting = Queued::new(receiver.recv_future());
    sender.try_send(1).unwrap();
    drop(sender);
    assert!(!waiting.is_woken());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    drop(promised);
    assert_eq!(waiting.won(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn waiting_senders_are_fifo() {
    let (sender, receiver) = full(2);
    let mut waits: Vec<_> = (2..40)
        .map(|n| Queued::new(sender.send_future(n)))
        .collect();
    for served in 0..waits.len() {
        assert_eq!(receiver.try_recv(), Ok(served));
        // No newcomer passes, and no other has a slot.
        assert_eq!(sender.try_send(99), Err(TrySendError::Full(99)));
        for later in (served + 1..waits.len()).rev() {
            assert!(waits[later].poll().is_pending());
        }
        waits[served].won().unwrap();
    }
    assert_eq!(drain(&receiver), [38, 39]);
    idle(sender.chan());
}

#[test]
fn reserve_many_is_not_overtaken() {
    let (sender, receiver) = full(3);
    let mut many = Queued::new(sender.reserve_many(Bare, 3));
    let mut few = Queued::new(sender.send_future(7));
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(!many.is_woken() && !few.is_woken());
    assert_eq!(sender.free_slots(), Some(0));
    assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
    assert_eq!(receiver.try_recv(), Ok(2));
    for (number, permit) in many.won().unwrap().enumerate() {
        assert!(!few.is_woken());
        permit.send(number);
    }
    assert_eq!(drain(&receiver), [0, 1, 2]);
    few.won().unwrap();
    assert_eq!(drain(&receiver), [7]);

    // Cancelled, what it alone held up goes to the next at once.
    let (sender, receiver) = full(3);
    let many = Queued::new(sender.reserve_many(Bare, 3));
    let mut few = [7, 8].map(|n| Queued::new(sender.send_future(n)));
    let _ = (receiver.try_recv(), receiver.try_recv());
    drop(many);
    assert!(few.iter().all(Queued::is_woken));
    for send in &mut few {
        send.won().unwrap();
    }
    assert_eq!(drain(&receiver), [2, 7, 8]);
    idle(sender.chan());
}

#[test]
fn waiting_receivers_are_fifo() {
    let (sender, receiver) = bounded(4);
    let mut waits: Vec<_> = (0..40)
        .map(|_| Queued::new(receiver.recv_future()))
        .collect();
    for served in 0..waits.len() {
        sender.try_send(served).unwrap();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        for later in (served + 1..waits.len()).rev() {
            assert!(waits[later].poll().is_pending());
        }
        assert_eq!(waits[served].won(), Ok(served));
    }
    idle(sender.chan());
}

#[test]
fn nobody_passes_a_promise_that_is_not_fetched() {
    let (sender, receiver) = bounded(4);
    let mut promised = Queued::new(receiver.recv_future());
    sender.try_send(1).unwrap();
    let mut newcomer = Queued::new(receiver.recv_future());
    let mut batch = Vec::new();
    sender.try_send(2).unwrap();
    sender.try_send(3).unwrap();
    assert_eq!(
        poll_noop(pin!(receiver.recv_many(Bare, &mut batch, 9))),
        Poll::Ready(1)
    );
    assert_eq!(batch, [1]);
    assert_eq!(promised.won(), Ok(2));
    assert_eq!(newcomer.won(), Ok(3));
}

#[test]
fn reserved_slot_is_returned_on_drop() {
    let (sender, receiver) = bounded(3);
    let mut permits = sender.try_reserve_many(3).unwrap();
    assert_eq!(permits.len(), 3);
    let one = permits.next().unwrap();
    let mut waiting = Queued::new(sender.send_future(1));
    drop(permits);
    waiting.won().unwrap();
    drop(waiting);
    assert_eq!(sender.free_slots(), Some(1));
    drop(one);
    assert_eq!(sender.free_slots(), Some(2));
    let owned = sender.clone().try_reserve_owned().unwrap();
    assert!(owned.same_channel_as_sender(&sender));
    drop(owned);
    assert_eq!((sender.free_slots(), sender.sender_count()), (Some(2), 1));
    let owned = Bare.block_on(sender.reserve_owned(Bare)).unwrap();
    let sender = owned.send(2);
    let sender = sender.try_reserve_owned().unwrap().release();
    let mut none = Bare.block_on(sender.reserve_many(Bare, 0)).unwrap();
    assert!(none.next().is_none());
    drop(none);
    assert_eq!(drain(&receiver), [1, 2]);
    idle(sender.chan());
}

#[test]
fn slots_that_go_to_several_refuse_no_receiver() {
    let (sender, receiver) = bounded(3);
    let permits = sender.try_reserve_many(3).unwrap();
    let mut sends = [1, 2].map(|n| Queued::new(sender.send_future(n)));
    let mut waits = [(); 3].map(|()| Queued::new(receiver.recv_future()));
    drop(permits);
    assert!(waits.iter().all(|wait| !wait.is_woken()));
    for send in &mut sends {
        send.won().unwrap();
    }
    sender.try_send(3).unwrap();
    for (wait, message) in waits.iter_mut().zip(1..) {
        assert_eq!(wait.won(), Ok(message));
    }
    idle(sender.chan());
}

#[test]
fn reserve_many_beyond_the_capacity_is_refused() {
    let (sender, _receiver) = bounded::<u8>(3);
    let message = panic_message(|| drop(sender.reserve_many(Bare, 4)));
    assert_eq!(
        message,
        "4 slots cannot be reserved at once: the channel has 3"
    );
    assert_eq!(
        sender.try_reserve_many(4).unwrap_err(),
        TrySendError::Full(())
    );
    assert_eq!(
        sender.try_reserve_many(usize::MAX).unwrap_err(),
        TrySendError::Full(())
    );
}

#[test]
fn more_slots_than_can_be_counted_are_refused() {
    let (sender, receiver) = unbounded();
    for n in [MAX_CAPACITY + 1, usize::MAX - 1, usize::MAX] {
        let refused = sender.try_reserve_many(n).unwrap_err();
        assert_eq!(refused, TrySendError::Full(()));
        let message = panic_message(|| drop(sender.reserve_many(Bare, n)));
        assert!(message.contains(&MAX_CAPACITY.to_string()), "{message}");
    }
    let permits = sender.try_reserve_many(MAX_CAPACITY).unwrap();
    assert_eq!(permits.len(), MAX_CAPACITY);
    assert_eq!(sender.try_send(1), Ok(()));
    drop(permits);
    assert_eq!(drain(&receiver), [1]);
    idle(sender.chan());
    drop(receiver);
    let refused = sender.try_reserve_many(usize::MAX).unwrap_err();
    assert_eq!(refused, TrySendError::Closed(()));
}

#[test]
fn last_handle_closes() {
    // The last sender.
    let (sender, receiver) = bounded(2);
    let other = sender.clone();
    sender.try_send(1).unwrap();
    drop(sender);
    assert!(!receiver.is_closed());
    drop(other);
    assert!(receiver.is_closed());
    assert_eq!(receiver.recv_blocking(), Ok(1));
    assert_eq!(receiver.recv_blocking(), Err(RecvError));

    let (sender, receiver) = bounded::<u8>(2);
    let mut waits = [(); 3].map(|()| Queued::new(receiver.recv_future()));
    drop(sender);
    assert!(waits.iter_mut().all(|wait| wait.won() == Err(RecvError)));

    // The last receiver.
    let (sender, receiver) = full(1);
    let other = receiver.clone();
    let mut waiting = Queued::new(sender.send_future(5));
    let mut watcher = Queued::new(sender.closed(Bare));
    let mut owned = Queued::new(sender.clone().reserve_owned(Bare));
    drop(receiver);
    assert!(!waiting.is_woken() && !watcher.is_woken());
    drop(other);
    assert_eq!(waiting.won(), Err(SendError(5)));
    watcher.won();
    assert!(owned.won().unwrap_err().into_inner().same_channel(&sender));
    assert_eq!(sender.send_blocking(6), Err(SendError(6)));
    assert_eq!(sender.len(), 0);
    assert!(poll_noop(pin!(sender.closed(Bare))).is_ready());
    idle(sender.chan());
}

#[test]
fn a_granted_send_without_receivers_gives_back() {
    let (sender, receiver) = full(1);
    let mut granted = Queued::new(sender.send_future(5));
    let permit = Queued::new(sender.reserve(Bare));
    receiver.try_recv().unwrap();
    drop(receiver);
    assert_eq!(granted.won(), Err(SendError(5)));
    drop(permit);
    idle(sender.chan());
}

#[test]
fn force_send_replaces_the_oldest() {
    let (sender, receiver) = full(3);
    assert_eq!(sender.force_send(3), Ok(Some(0)));
    assert_eq!(sender.force_send(4), Ok(Some(1)));
    // It takes no slot that is waited for, and breaks no promise.
    let mut waiting = Queued::new(sender.send_future(9));
    assert_eq!(sender.force_send(5), Ok(Some(2)));
    assert_eq!(receiver.try_recv(), Ok(3));
    assert!(waiting.is_woken());
    assert_eq!(sender.force_send(6), Ok(Some(4)));
    waiting.won().unwrap();
    assert_eq!(drain(&receiver), [5, 6, 9]);

    let mut promised = Queued::new(receiver.recv_future());
    for number in 0..4 {
        sender.force_send(number).unwrap();
    }
    assert_eq!(promised.won(), Ok(1));

    // All slots are reserved: there is nothing to replace.
    let (sender, receiver) = bounded(1);
    let permit = sender.try_reserve().unwrap();
    assert_eq!(sender.force_send(1), Ok(Some(1)));
    permit.send(2);
    assert_eq!(drain(&receiver), [2]);
}

#[test]
fn recv_many_takes_what_is_there() {
    let (sender, receiver) = full(5);
    let mut batch = vec![100];
    let mut waiting: Vec<_> = (5..9).map(|n| Queued::new(sender.send_future(n))).collect();
    assert_eq!(Bare.block_on(receiver.recv_many(Bare, &mut batch, 0)), 0);
    assert_eq!(Bare.block_on(receiver.recv_many(Bare, &mut batch, 3)), 3);
    let woken: Vec<_> = waiting.iter().map(Queued::is_woken).collect();
    assert_eq!(woken, [true, true, true, false]);
    assert_eq!(Bare.block_on(receiver.recv_many(Bare, &mut batch, 100)), 2);
    assert_eq!(batch, [100, 0, 1, 2, 3, 4]);
    for send in &mut waiting {
        send.won().unwrap();
    }
    batch.clear();
    assert_eq!(Bare.block_on(receiver.recv_many(Bare, &mut batch, 2)), 2);
    assert_eq!(drain(&receiver), [7, 8]);
    let mut queued = Queued::new(receiver.recv_many(Bare, &mut batch, 9));
    sender.try_send(20).unwrap();
    sender.try_send(21).unwrap();
    assert_eq!(queued.won(), 2);
    drop(queued);
    assert_eq!(batch, [5, 6, 20, 21]);
    idle(sender.chan());
}

#[test]
fn granted_but_unpolled_does_not_block_its_own_task() {
    let (wakes, task) = counting_waker();
    // A receive.
    let (sender, receiver) = full(1);
    drain(&receiver);
    let mut left_alone = Box::pin(receiver.recv_future());
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    sender.try_send(1).unwrap();
    assert_eq!(wakes.count(), 1);
    let mut polled = Box::pin(receiver.recv_future());
    assert!(poll(polled.as_mut(), &task).is_pending());
    assert!(poll(polled.as_mut(), &task).is_pending());
    assert_eq!(wakes.count(), 3, "it wakes itself");
    assert_eq!(poll(polled.as_mut(), &task), Poll::Ready(Ok(1)));
    // The other is the first in the queue again when it is polled.
    let mut newcomer = Queued::new(receiver.recv_future());
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    sender.try_send(2).unwrap();
    assert_eq!(poll(left_alone.as_mut(), &task), Poll::Ready(Ok(2)));
    sender.try_send(3).unwrap();
    assert_eq!(newcomer.won(), Ok(3));
    drop(newcomer);

    // A send; and a reserve of more than the other was granted.
    let (sender, receiver) = full(3);
    let mut left_alone = Box::pin(sender.send_future(7));
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drain(&receiver);
    let mut polled = Box::pin(sender.reserve_many(Bare, 3));
    assert!(poll(polled.as_mut(), &task).is_pending());
    assert!(poll(polled.as_mut(), &task).is_pending());
    let permits = match poll(polled.as_mut(), &task) {
        Poll::Ready(permits) => permits.unwrap(),
        Poll::Pending => panic!("it waits for its own task"),
    };
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drop(permits);
    assert_eq!(poll(left_alone.as_mut(), &task), Poll::Ready(Ok(())));
    assert_eq!(drain(&receiver), [7]);
    idle(sender.chan());
}
