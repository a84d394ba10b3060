// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use sync::broadcast::error::{RecvError, SendError, TryRecvError};
use sync::broadcast::{Receiver, Sender, WeakSender, channel};

use crate::support::{MAY_NOT_BLOCK, Task, blamed_panic_of, now, panic_of, runtime};

// A message need not be `Sync`.
assert_impl_all!(Sender<Cell<u8>>: Send, Sync, Unpin, Clone, Debug, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Sender<Rc<u8>>: Send, Sync);
assert_impl_all!(WeakSender<Cell<u8>>: Send, Sync, Unpin, Clone, UnwindSafe, RefUnwindSafe);
assert_impl_all!(WeakSender<Rc<u8>>: Debug);
assert_not_impl_any!(WeakSender<Rc<u8>>: Send, Sync);
assert_impl_all!(Receiver<Cell<u8>>: Send, Sync, Unpin, Debug, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Receiver<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Receiver<u8>: Clone);
assert_impl_all!(SendError<u8>: Error, Send, Sync);
assert_not_impl_any!(SendError<u8>: Clone, PartialEq);
assert_impl_all!(RecvError: Error, Clone, Eq, Send, Sync);
assert_not_impl_any!(RecvError: Copy);
assert_impl_all!(TryRecvError: Error, Clone, Eq, Send, Sync);
assert_not_impl_any!(TryRecvError: Copy);

fn is_send<F: Send>(future: F) -> F {
    future
}

#[test]
fn everyone_gets_everything_in_order() {
    let (sender, mut first) = channel(4);
    assert_eq!(sender.send(1).unwrap(), 1);
    let mut second = sender.subscribe();
    let clone = sender.clone();
    assert_eq!(clone.send(2).unwrap(), 2);
    assert_eq!(now(first.recv()), Ok(1));
    assert_eq!(first.try_recv(), Ok(2));
    assert_eq!(first.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(now(second.recv()), Ok(2));
    assert_eq!(second.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn all_who_wait_are_woken() {
    let (sender, mut first) = channel(4);
    let mut second = first.resubscribe();
    let (one, two) = (Task::new(), Task::new());
    let mut receiving = pin!(is_send(first.recv()));
    let mut also = pin!(second.recv());
    one.pending(receiving.as_mut());
    two.pending(also.as_mut());
    two.pending(also.as_mut());
    sender.send(1).unwrap();
    assert_eq!((one.wakes(), two.wakes()), (1, 1));
    assert_eq!(one.ready(receiving), Ok(1));
    assert_eq!(two.ready(also), Ok(1));
}

#[test]
fn a_receive_that_is_given_up_loses_nothing() {
    let (sender, mut receiver) = channel(4);
    let task = Task::new();
    let mut given_up = Box::pin(receiver.recv());
    task.pending(given_up.as_mut());
    sender.send(1).unwrap();
    drop(given_up);
    assert_eq!(receiver.len(), 1);
    assert_eq!(receiver.try_recv(), Ok(1));
    Task::new().pending(pin!(receiver.recv()));
}

#[test]
fn lag_is_counted_exactly() {
    let (sender, mut slow) = channel(2);
    let mut fast = sender.subscribe();
    for n in 0..5 {
        sender.send(n).unwrap();
        assert_eq!(fast.try_recv(), Ok(n));
    }
    assert_eq!((slow.len(), sender.len()), (5, 2));
    assert_eq!(now(slow.recv()), Err(RecvError::Lagged(3)));
    assert_eq!(slow.len(), 2);
    assert_eq!(now(slow.recv()), Ok(3));
    sender.send(5).unwrap();
    sender.send(6).unwrap();
    assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(1)));
    assert_eq!(slow.try_recv(), Ok(5));
    assert_eq!(slow.try_recv(), Ok(6));
    assert_eq!(slow.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn capacities_are_rounded_up_to_a_power_of_two() {
    for (capacity, holds) in [(1, 1), (2, 2), (3, 4), (5, 8), (8, 8)] {
        let (sender, mut receiver) = channel(capacity);
        for n in 0..holds {
            sender.send(n).unwrap();
        }
        assert_eq!(receiver.try_recv(), Ok(0));
        sender.send(holds).unwrap();
        sender.send(holds).unwrap();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(1)), "{capacity}");
    }
}

#[test]
fn the_end_comes_after_the_messages() {
    let (sender, mut receiver) = channel(2);
    for n in 0..3 {
        sender.send(n).unwrap();
    }
    let clone = sender.clone();
    drop(sender);
    assert!(!receiver.is_closed());
    drop(clone);
    assert!(receiver.is_closed());
    assert_eq!(now(receiver.recv()), Err(RecvError::Lagged(1)));
    assert_eq!(now(receiver.recv()), Ok(1));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(now(receiver.recv()), Err(RecvError::Closed));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    // Who comes now sees the end too.
    assert_eq!(receiver.resubscribe().try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn the_end_wakes_who_waits() {
    let (sender, mut receiver) = channel::<u8>(2);
    let task = Task::new();
    let mut receiving = pin!(receiver.recv());
    task.pending(receiving.as_mut());
    drop(sender);
    assert!(task.woken());
    assert_eq!(task.ready(receiving), Err(RecvError::Closed));
}

#[test]
fn send_without_receivers_gives_back() {
    let (sender, receiver) = channel(2);
    drop(receiver);
    assert_eq!(sender.send("value".to_owned()).unwrap_err().0, "value");
    // Another opens it again.
    let mut receiver = sender.subscribe();
    assert_eq!(sender.send("again".to_owned()).unwrap(), 1);
    assert_eq!(receiver.try_recv().unwrap(), "again");

    let sender = Sender::new(2);
    assert_eq!(sender.receiver_count(), 0);
    assert_eq!(sender.send(1).unwrap_err().0, 1);
    assert_eq!(sender.subscribe().try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn lengths_are_those_of_the_slowest_and_of_each() {
    let (sender, mut first) = channel(4);
    let mut second = sender.subscribe();
    assert!(sender.is_empty() && first.is_empty());
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    first.try_recv().unwrap();
    assert_eq!((sender.len(), first.len(), second.len()), (2, 1, 2));
    second.try_recv().unwrap();
    assert_eq!((sender.len(), second.len()), (1, 1));
    first.try_recv().unwrap();
    assert!(first.is_empty() && !sender.is_empty());
    drop(second);
    assert!(sender.is_empty());
    sender.send(3).unwrap();
    drop(first);
    assert_eq!((sender.len(), sender.is_empty()), (0, true));
}

#[test]
fn a_message_is_dropped_when_all_have_read_it() {
    let value = Arc::new(());
    let (sender, mut first) = channel(4);
    let second = sender.subscribe();
    sender.send(value.clone()).unwrap();
    drop(first.try_recv().unwrap());
    assert_eq!(Arc::strong_count(&value), 2);
    drop(second);
    assert_eq!(Arc::strong_count(&value), 1);
    // Overwritten.
    let (sender, _receiver) = channel(1);
    sender.send(value.clone()).unwrap();
    sender.send(Arc::new(())).unwrap();
    assert_eq!(Arc::strong_count(&value), 1);
    // With the channel.
    let (sender, receiver) = channel(1);
    sender.send(value.clone()).unwrap();
    drop((sender, receiver));
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn closed_waits_for_the_last_receiver() {
    let (sender, receiver) = channel::<u8>(2);
    let other = sender.subscribe();
    let task = Task::new();
    let mut closed = pin!(is_send(sender.closed()));
    task.pending(closed.as_mut());
    drop(receiver);
    task.pending(closed.as_mut());
    drop(other);
    assert!(task.woken());
    // Another came meanwhile.
    let third = sender.subscribe();
    task.pending(closed.as_mut());
    drop(third);
    task.ready(closed);
    now(sender.closed());
    now(Sender::<u8>::new(1).closed());
}

#[test]
fn handles_are_counted() {
    let (sender, receiver) = channel::<u8>(2);
    let weak = sender.downgrade();
    let more = (sender.clone(), weak.clone(), receiver.resubscribe(), sender.subscribe());
    assert_eq!((sender.strong_count(), sender.weak_count()), (2, 2));
    assert_eq!((weak.strong_count(), weak.weak_count()), (2, 2));
    assert_eq!((receiver.sender_strong_count(), receiver.sender_weak_count()), (2, 2));
    assert_eq!(sender.receiver_count(), 3);
    drop(more);
    assert_eq!((weak.strong_count(), weak.weak_count()), (1, 1));
    assert_eq!(sender.receiver_count(), 1);
}

#[test]
fn weak_senders_keep_nothing_open() {
    let (sender, mut receiver) = channel(2);
    let weak = sender.downgrade();
    let strong = weak.upgrade().unwrap();
    assert!(strong.same_channel(&sender));
    drop(sender);
    strong.send(1).unwrap();
    drop(strong);
    assert!(weak.upgrade().is_none() && receiver.is_closed());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn handles_know_their_channel() {
    let (sender, receiver) = channel::<u8>(2);
    let (other_sender, other_receiver) = channel::<u8>(2);
    assert!(sender.same_channel(&sender.clone()));
    assert!(!sender.same_channel(&other_sender));
    assert!(receiver.same_channel(&sender.subscribe()));
    assert!(!receiver.same_channel(&other_receiver));
}

#[test]
fn threads_receive_too() {
    let (sender, mut receiver) = channel(16);
    let sends = thread::spawn(move || (0..10).for_each(|n| assert!(sender.send(n).is_ok())));
    for n in 0..10 {
        assert_eq!(receiver.blocking_recv(), Ok(n));
    }
    assert_eq!(receiver.blocking_recv(), Err(RecvError::Closed));
    sends.join().unwrap();
}

#[test]
fn blocking_recv_panics_in_a_task() {
    let (sender, mut receiver) = channel(2);
    sender.send(1).unwrap();
    let text = runtime().block_on(async { panic_of(|| receiver.blocking_recv()) });
    assert_eq!(text, MAY_NOT_BLOCK);
    assert_eq!(receiver.blocking_recv(), Ok(1));
}

#[test]
fn impossible_capacities_panic() {
    let zero = "broadcast channel capacity cannot be zero";
    let (text, blamed) = blamed_panic_of(|| channel::<u8>(0));
    assert_eq!((text.as_str(), blamed), (zero, true));
    let (text, blamed) = blamed_panic_of(|| Sender::<u8>::new(0));
    assert_eq!((text.as_str(), blamed), (zero, true));
    let (text, blamed) = blamed_panic_of(|| channel::<u8>((usize::MAX >> 1) + 1));
    let much = "broadcast channel capacity exceeded `usize::MAX / 2`";
    assert_eq!((text.as_str(), blamed), (much, true));
}

/// Panics when it is cloned, if it is told to.
#[derive(Debug)]
struct Touchy(Arc<AtomicBool>);

impl Clone for Touchy {
    fn clone(&self) -> Self {
        assert!(!self.0.load(Ordering::SeqCst), "by the user");
        Self(self.0.clone())
    }
}

#[test]
fn a_panic_of_clone_reads_the_message() {
    let panics = Arc::new(AtomicBool::new(true));
    let (sender, mut first) = channel(4);
    let mut second = sender.subscribe();
    sender.send(Touchy(panics.clone())).unwrap();
    assert_eq!(panic_of(|| first.try_recv().is_ok()), "by the user");
    assert!(first.is_empty());
    assert_eq!(first.try_recv().unwrap_err(), TryRecvError::Empty);
    // The others are as before.
    panics.store(false, Ordering::SeqCst);
    assert!(second.try_recv().is_ok());
    assert!(sender.is_empty());
    sender.send(Touchy(panics)).unwrap();
    assert!(first.try_recv().is_ok() && second.try_recv().is_ok());
}

/// Counts how often it was cloned.
struct Counted(usize);

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self(self.0 + 1)
    }
}

#[test]
fn every_receiver_gets_a_clone() {
    let (sender, mut first) = channel(2);
    assert!(sender.send(Counted(0)).is_ok());
    assert_eq!(now(first.recv()).unwrap().0, 1);
    let mut second = sender.subscribe();
    assert!(sender.send(Counted(0)).is_ok());
    assert_eq!(first.try_recv().unwrap().0, 1);
    assert_eq!(second.try_recv().unwrap().0, 1);
    assert!(sender.is_empty());
}

#[test]
fn receives_within_the_budget_of_a_task() {
    let (sender, mut receiver) = channel(2);
    runtime().block_on(poll_fn(|cx| {
        let mut polls = 0;
        loop {
            sender.send(1).unwrap();
            if pin!(receiver.recv()).poll(cx).is_pending() {
                // What could not be paid for is still there.
                assert_eq!(receiver.len(), 1);
                return Poll::Ready(());
            }
            polls += 1;
            assert!(polls < 10_000, "no budget is spent");
        }
    }));
}

#[test]
fn a_message_that_is_only_send_goes_to_many_threads() {
    let (sender, receiver) = channel(1_024);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let mut receiver = receiver.resubscribe();
            thread::spawn(move || {
                runtime().block_on(async {
                    let mut sum = 0;
                    while let Ok(value) = receiver.recv().await {
                        let value: Cell<u32> = value;
                        sum += value.get();
                    }
                    sum
                })
            })
        })
        .collect();
    drop(receiver);
    for n in 1..=1_000 {
        sender.send(Cell::new(n)).unwrap();
    }
    drop(sender);
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 500_500);
    }
}

#[test]
fn errors_read_as_they_do() {
    let error = SendError(1);
    assert_eq!(error.to_string(), "channel closed");
    assert_eq!(format!("{error:?}"), "SendError(1)");
    assert_eq!(RecvError::Closed.to_string(), "channel closed");
    assert_eq!(RecvError::Lagged(3).to_string(), "channel lagged by 3");
    assert_eq!(format!("{:?}", RecvError::Lagged(3)), "Lagged(3)");
    assert_eq!(TryRecvError::Empty.to_string(), "channel empty");
    assert_eq!(TryRecvError::Closed.to_string(), "channel closed");
    assert_eq!(TryRecvError::Lagged(3).to_string(), "channel lagged by 3");
    assert_eq!(format!("{:?}", TryRecvError::Empty), "Empty");
}

#[test]
fn handles_are_debug() {
    let (sender, receiver) = channel::<Rc<u8>>(2);
    assert_eq!(format!("{sender:?}"), "broadcast::Sender");
    assert_eq!(format!("{receiver:?}"), "broadcast::Receiver");
    assert_eq!(format!("{:?}", sender.downgrade()), "broadcast::WeakSender");
}
