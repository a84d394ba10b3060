//! What the laws of `oneshot::` promise, in every interleaving of two threads.
//! Each model says what it proves; the number that it is given bounds the forced
//! switches between threads.

use core::pin::pin;
use std::boxed::Box;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::*;
use crate::loom_util::{block_on, counting_waker, model, poll, poll_noop};

/// Runs `one` against `other`, each of them once on the thread that is spawned:
/// loom remembers an atomic's latest access only, and sees different races.
fn race<A, B>(
    preemptions: usize,
    one: impl Fn(Sender<Arc<u32>>, Arc<UnsafeCell<u32>>) -> A + Copy + Send + Sync + 'static,
    other: impl Fn(Receiver<Arc<u32>>, Arc<UnsafeCell<u32>>) -> B + Copy + Send + Sync + 'static,
    check: impl Fn(A, B) + Copy + Send + Sync + 'static,
) where
    A: Send + 'static,
    B: Send + 'static,
{
    for spawn_sender in [false, true] {
        model(preemptions, move || {
            let (sender, receiver) = channel();
            let cell = Arc::new(UnsafeCell::new(0));
            let shared = cell.clone();
            let (first, second) = if spawn_sender {
                let spawned = thread::spawn(move || one(sender, shared));
                let second = other(receiver, cell);
                (spawned.join().unwrap(), second)
            } else {
                let spawned = thread::spawn(move || other(receiver, shared));
                let first = one(sender, cell);
                (first, spawned.join().unwrap())
            };
            check(first, second);
        });
    }
}

fn write(cell: &UnsafeCell<u32>) {
    // SAFETY: the other thread reads only after it was told, and loom looks.
    cell.with_mut(|value| unsafe { *value = 7 });
}

fn read(cell: &UnsafeCell<u32>) -> u32 {
    // SAFETY: the other thread does not write after it has told, and loom looks.
    cell.with(|value| unsafe { *value })
}

/// What is written before the send is read after the receive, which gets the
/// value, waiting or not; and the value is dropped once.
#[test]
fn loom_send_happens_before_recv() {
    race(
        4,
        |sender, cell| {
            write(&cell);
            let value = Arc::new(7);
            sender.send(value.clone()).unwrap();
            value
        },
        |receiver, cell| {
            let value = block_on(receiver).unwrap();
            assert_eq!((*value, read(&cell)), (7, 7));
        },
        |value, ()| assert_eq!(Arc::strong_count(&value), 1),
    );
}

/// The drop of a sender ends a wait, after what was done before.
#[test]
fn loom_drop_of_the_sender_ends_the_wait() {
    race(
        4,
        |sender, cell| {
            write(&cell);
            drop(sender);
        },
        |mut receiver, cell| {
            assert!(block_on(receiver.recv(Bare)).is_err());
            assert_eq!(read(&cell), 7);
        },
        |(), ()| {},
    );
}

/// A send beside a receiver that is polled and then dropped, or closed and asked:
/// the value is received, given back or dropped, and never more than one of them.
#[test]
fn loom_send_and_close_agree() {
    for waits in [false, true] {
        for closes in [false, true] {
            race(
                4,
                |mut sender, _| {
                    let (wakes, waker) = counting_waker();
                    let value = Arc::new(7);
                    let was_closed = sender.closed_with(&waker);
                    let sent = sender.send(value.clone());
                    assert!(!was_closed || sent.is_err());
                    let given_back = sent.is_err();
                    drop(sent);
                    (value, given_back, wakes, was_closed)
                },
                move |mut receiver, _| {
                    let (wakes, waker) = counting_waker();
                    if waits {
                        let _ = receiver.recv_with(&waker);
                    }
                    if closes {
                        receiver.close();
                        return (receiver.try_recv().is_ok(), wakes);
                    }
                    (false, wakes)
                },
                move |(value, given_back, tx_wakes, was_closed), (received, rx_wakes)| {
                    assert_eq!(Arc::strong_count(&value), 1);
                    assert!(!(received && given_back));
                    if closes && !waits {
                        assert!(received || given_back, "it was lost");
                    }
                    if given_back && !was_closed {
                        assert!(tx_wakes.count() <= 1);
                    }
                    // The test's own clones are gone, so all wakers are.
                    assert_eq!(Arc::strong_count(&tx_wakes), 1);
                    assert_eq!(Arc::strong_count(&rx_wakes), 1);
                },
            );
        }
    }
}

/// `closed` ends when the receiver is dropped or closed, after what was done
/// before.
#[test]
fn loom_closed_sees_the_receiver_go() {
    for closes in [false, true] {
        race(
            4,
            |mut sender, cell| {
                block_on(sender.closed_future());
                assert_eq!(read(&cell), 7);
                assert!(sender.send(Arc::new(7)).is_err());
            },
            move |mut receiver, cell| {
                write(&cell);
                if closes {
                    receiver.close();
                }
                drop(receiver);
            },
            |(), ()| {},
        );
    }
}

/// A receiver that one task has polled and another closes, beside the sender that
/// goes: the first is woken, and its waker is let go. Or it finds the outcome.
#[test]
fn loom_closing_keeps_the_waker_of_another_task() {
    for fetches in [false, true] {
        model(4, move || {
            let (sender, mut receiver) = channel::<u32>();
            let (wakes, waker) = counting_waker();
            assert!(poll(pin!(&mut receiver), &waker).is_pending());
            drop(waker);
            let dropping = thread::spawn(move || drop(sender));
            receiver.close();
            if fetches {
                assert!(receiver.try_recv().is_err());
            }
            dropping.join().unwrap();
            assert!(fetches || wakes.count() == 1);
            assert!(wakes.count() <= 1);
            assert_eq!(Arc::strong_count(&wakes), 1);
            drop(receiver);
        });
    }
}

/// A poll with a new waker beside the send: the value is there, or the new waker
/// is woken.
#[test]
fn loom_the_last_waker_is_the_one_woken() {
    model(4, || {
        let (sender, mut receiver) = channel();
        assert!(poll_noop(pin!(&mut receiver)).is_pending());
        let sending = thread::spawn(move || sender.send(7).unwrap());
        let (wakes, waker) = counting_waker();
        match poll(pin!(&mut receiver), &waker) {
            Poll::Ready(outcome) => {
                assert_eq!(outcome, Ok(7));
                sending.join().unwrap();
            }
            Poll::Pending => {
                sending.join().unwrap();
                assert_eq!(wakes.count(), 1, "the wake-up went to an old waker");
                assert_eq!(receiver.try_recv(), Ok(7));
            }
        }
        drop(waker);
        assert_eq!(Arc::strong_count(&wakes), 1);
    });
}

/// The same for the sender's waker beside the drop of the receiver.
#[test]
fn loom_the_last_waker_of_closed_is_the_one_woken() {
    model(4, || {
        let (mut sender, receiver) = channel::<u32>();
        assert!(!sender.closed_with(Waker::noop()));
        let dropping = thread::spawn(move || drop(receiver));
        let (wakes, waker) = counting_waker();
        let closed = sender.closed_with(&waker);
        dropping.join().unwrap();
        assert!(closed || wakes.count() == 1);
        assert!(sender.is_closed());
        drop((sender, waker));
        assert_eq!(Arc::strong_count(&wakes), 1);
    });
}

/// A wait that is given up beside the send leaves the value to the next, and its waker
/// to no other.
#[test]
fn loom_dropped_wait_leaves_the_value() {
    model(4, || {
        let (sender, mut receiver) = channel();
        let (wakes, waker) = counting_waker();
        let mut recv = receiver.recv(Bare);
        assert!(poll(pin!(&mut recv), &waker).is_pending());
        let sending = thread::spawn(move || sender.send(7).unwrap());
        drop(recv);
        assert_eq!(block_on(receiver), Ok(7));
        sending.join().unwrap();
        drop(waker);
        assert_eq!(Arc::strong_count(&wakes), 1);
    });
}

/// A slot is lent again when both ends have gone, on whatever thread: what the
/// former ends did is over.
#[test]
fn loom_a_slot_is_lent_after_both_have_left() {
    model(3, || {
        let slot = Arc::new(Slot::new());
        let (ours, theirs) = (slot.clone(), slot);
        let round = |slot: &Slot<u32>| {
            if let Some((sender, mut receiver)) = slot.lend() {
                assert!(poll_noop(pin!(&mut receiver)).is_pending());
                sender.send(7).unwrap();
                assert_eq!(receiver.try_recv(), Ok(7));
            }
        };
        let other = thread::spawn(move || round(&theirs));
        round(&ours);
        other.join().unwrap();
        assert!(ours.lend().is_some());
    });
}

/// The same where the ends have gone on two threads, and the next ends begin with
/// the value.
#[test]
fn loom_a_slot_is_lent_after_its_ends_parted() {
    let before_its_drop: [fn(&mut SlotReceiver<'_, u32>); 3] = [
        |_| {},
        |receiver| _ = receiver.try_recv(),
        |receiver| receiver.close(),
    ];
    for action in before_its_drop {
        model(4, move || {
            // Leaked: a few bytes for each order that is tried.
            let slot: &'static Slot<u32> = Box::leak(Box::new(Slot::new()));
            let (sender, mut receiver) = slot.lend().unwrap();
            let sending = thread::spawn(move || _ = sender.send(7));
            action(&mut receiver);
            drop(receiver);
            if let Some((sender, mut receiver)) = slot.lend() {
                sender.send(8).unwrap();
                assert_eq!(receiver.try_recv(), Ok(8));
            }
            sending.join().unwrap();
            assert!(slot.lend().is_some());
        });
    }
}
