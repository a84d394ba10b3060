//! What the laws of `broadcast::` promise, in every interleaving of two threads.
//! Each model says what it proves; the number bounds the forced switches.

use core::mem;
use std::boxed::Box;

use loom::thread;

use super::*;
use crate::Bare;
use crate::loom_util::{block_on, model};

type Side = Box<dyn FnOnce() + Send>;

/// Runs the two sides at once, each once as the thread that is spawned: loom may
/// overlook races of one thread's later access with the other's earlier one.
fn race(sides: impl Fn() -> (Side, Side) + Copy + Send + Sync + 'static) {
    for swapped in [false, true] {
        model(2, move || {
            let (mut here, mut there) = sides();
            if swapped {
                mem::swap(&mut here, &mut there);
            }
            let there = thread::spawn(there);
            here();
            there.join().unwrap();
        });
    }
}

/// The result of `run` while `other` runs on the other of two threads.
fn beside<R: 'static>(
    swapped: bool,
    run: impl FnOnce() -> R + Send + 'static,
    other: impl FnOnce() + Send + 'static,
) -> R {
    if swapped {
        let run = thread::spawn(run);
        other();
        return run.join().unwrap();
    }
    let other = thread::spawn(other);
    let result = run();
    other.join().unwrap();
    result
}

/// Proves: messages that are sent at any moment end a receiver's wait, in order,
/// and so does the end.
#[test]
fn loom_everyone_gets_everything_in_order() {
    race(|| {
        let (sender, mut receiver) = channel(2);
        let send = move || {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        };
        let receive = move || {
            assert_eq!(block_on(receiver.recv_future()), Ok(1));
            assert_eq!(block_on(receiver.recv_future()), Ok(2));
            assert_eq!(block_on(receiver.recv_future()), Err(RecvError::Closed));
        };
        (Box::new(send), Box::new(receive))
    });
}

/// Proves: a sender that waits for a place gets it when the slow receiver reads,
/// whenever that is.
#[test]
fn loom_waiting_send_is_woken_by_a_read() {
    race(|| {
        let (sender, mut receiver) = channel_with(1, Overflow::Wait);
        sender.send(1).unwrap();
        let send = move || {
            block_on(sender.send_wait(Bare, 2)).unwrap();
        };
        let receive = move || {
            assert_eq!(block_on(receiver.recv_future()), Ok(1));
            assert_eq!(block_on(receiver.recv_future()), Ok(2));
        };
        (Box::new(send), Box::new(receive))
    });
}

/// Proves: a sender that waits is told when the last receiver goes, whenever
/// that is.
#[test]
fn loom_waiting_send_is_ended_by_the_last_receiver() {
    race(|| {
        let (sender, receiver) = channel_with(1, Overflow::Wait);
        sender.send(1).unwrap();
        let send = move || {
            let sent = block_on(sender.send_wait(Bare, 2));
            assert_eq!(sent, Err(SendError::Closed(2)));
            block_on(sender.closed(Bare));
        };
        (Box::new(send), Box::new(move || drop(receiver)))
    });
}

/// Proves: of two receivers that read, or go, at once one is the last, whichever
/// it is: the message leaves the ring, and each copy is dropped once.
#[test]
fn loom_value_dropped_after_last_reader() {
    for (second_reads, swapped) in [(true, false), (true, true), (false, false), (false, true)] {
        model(2, move || {
            // Not loom's: its count is looked at when all is over.
            let value = std::sync::Arc::new(());
            let (sender, mut first) = channel_with(1, Overflow::Wait);
            let mut second = sender.subscribe();
            sender.send(value.clone()).unwrap();
            let read = move || {
                first.try_recv().unwrap();
                first
            };
            let end = move || {
                if second_reads {
                    second.try_recv().unwrap();
                }
                drop(second);
            };
            let first = beside(swapped, read, end);
            assert!(sender.is_empty());
            assert_eq!(std::sync::Arc::strong_count(&value), 1);
            assert_eq!(sender.send(value.clone()), Ok(1));
            drop((first, sender));
            assert_eq!(std::sync::Arc::strong_count(&value), 1);
        });
    }
}

/// Proves: a message that is pushed out while it is read stays until that has ended,
/// and its slot is not filled before; each is dropped once.
#[test]
fn loom_message_stays_for_who_reads_it() {
    for swapped in [false, true] {
        model(2, move || {
            // Not loom's: their counts are looked at when all is over.
            let values = [(); 3].map(|()| std::sync::Arc::new(()));
            let (sender, mut reads) = channel(1);
            let mut waits = sender.subscribe();
            sender.send(values[0].clone()).unwrap();
            let [_, second, third] = values.clone();
            let send = move || {
                sender.send(second).unwrap();
                sender.send(third).unwrap();
                assert!(
                    waits
                        .try_recv()
                        .is_err_and(|e| e == TryRecvError::Lagged(2))
                );
                waits.try_recv().unwrap();
                sender
            };
            let read = move || {
                let _ = reads.try_recv();
                drop(reads);
            };
            let sender = beside(swapped, send, read);
            assert_eq!(sender.receiver_count(), 0);
            let counts = values.each_ref().map(std::sync::Arc::strong_count);
            assert_eq!(counts, [1; 3]);
            drop(sender);
        });
    }
}

/// Proves: a receiver that goes, with messages of two blocks unread, beside one that
/// reads them: each leaves the ring once, and a sender that waits gets its place.
#[test]
fn loom_receiver_leaves_beside_one_that_reads() {
    for swapped in [false, true] {
        model(2, move || {
            // Not loom's: its count is looked at when all is over.
            let value = std::sync::Arc::new(());
            let (sender, slow) = channel_with(3, Overflow::Wait);
            let mut reads = sender.subscribe();
            (0..3).for_each(|_| assert_eq!(sender.send(value.clone()), Ok(2)));
            let read = move || {
                (0..3).for_each(|_| drop(reads.try_recv().unwrap()));
                reads
            };
            let reads = beside(swapped, read, move || drop(slow));
            assert!(sender.is_empty() && reads.is_empty());
            assert_eq!(sender.shared.room.available_permits(), 3);
            assert_eq!(std::sync::Arc::strong_count(&value), 1);
        });
    }
}

/// Proves: a receiver comes, and gets what is sent from then on, while the last of the
/// others goes and what it leaves is swept out.
#[test]
fn loom_receiver_comes_while_the_last_goes() {
    for swapped in [false, true] {
        model(2, move || {
            let (sender, slow) = channel(2);
            (0..2).for_each(|n| assert_eq!(sender.send(n), Ok(1)));
            let come = move || {
                let mut late = sender.subscribe();
                sender.send(2).unwrap();
                sender.send(3).unwrap();
                assert_eq!(late.try_recv(), Ok(2));
                assert_eq!(late.try_recv(), Ok(3));
                assert!(late.try_recv().is_err_and(|e| e == TryRecvError::Empty));
                drop(late);
                sender
            };
            let sender = beside(swapped, come, move || drop(slow));
            assert_eq!((sender.len(), sender.receiver_count()), (0, 0));
        });
    }
}
