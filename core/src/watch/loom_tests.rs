//! What the laws of `watch::` promise, in every interleaving of two threads.
//! Each model says what it proves; the number bounds the forced switches.

use loom::thread;

use super::*;
use crate::loom_util::{block_on, model};

/// Proves: a change that is sent at any moment ends a wait, and what was written
/// before it is seen.
#[test]
fn loom_no_lost_change_between_check_and_wait() {
    for spawns_sender in [false, true] {
        model(3, move || {
            let (sender, mut receiver) = channel(0);
            let send = move || {
                sender.send_modify(|n| *n = 1);
                sender
            };
            let wait = move || {
                block_on(receiver.changed_future()).unwrap();
                assert_eq!(*receiver.borrow(), 1);
                receiver
            };
            if spawns_sender {
                let other = thread::spawn(send);
                let _receiver = wait();
                other.join().unwrap();
            } else {
                let other = thread::spawn(wait);
                let _sender = send();
                other.join().unwrap();
            }
        });
    }
}

/// Proves: a change just before the end is seen as a change, and the end ends a
/// wait whenever it comes.
#[test]
fn loom_closed_still_shows_last() {
    for spawns_sender in [false, true] {
        model(3, move || {
            let (sender, mut receiver) = channel(0);
            let send = move || {
                sender.send_modify(|n| *n = 1);
                drop(sender);
            };
            let mut wait = move || {
                block_on(receiver.changed_future()).unwrap();
                assert_eq!(*receiver.borrow(), 1);
                block_on(receiver.changed_future()).unwrap_err();
                assert_eq!(*receiver.borrow(), 1);
            };
            if spawns_sender {
                let other = thread::spawn(send);
                wait();
                other.join().unwrap();
            } else {
                let other = thread::spawn(wait);
                send();
                other.join().unwrap();
            }
        });
    }
}

/// Proves: the drop of the last receiver ends `closed` whenever it comes.
#[test]
fn loom_sender_sees_the_last_receiver_go() {
    for spawns_drop in [false, true] {
        model(3, move || {
            let (sender, receiver) = channel(0);
            let wait = move || {
                block_on(sender.closed_future());
                assert_eq!(sender.receiver_count(), 0);
            };
            if spawns_drop {
                let other = thread::spawn(move || drop(receiver));
                wait();
                other.join().unwrap();
            } else {
                let other = thread::spawn(wait);
                drop(receiver);
                other.join().unwrap();
            }
        });
    }
}

/// Proves VERSIONED: a value that is looked at and marked is never older than
/// its mark, so that no change is skipped.
#[test]
fn loom_mark_belongs_to_the_value() {
    model(3, || {
        let (sender, mut receiver) = channel(0);
        let other = thread::spawn(move || {
            sender.send_modify(|n| *n = 1);
            sender
        });
        let looked = *receiver.borrow_and_update();
        let sender = other.join().unwrap();
        let has_changed = receiver.has_changed().unwrap();
        assert_eq!(has_changed, looked == 0);
        drop(sender);
    });
}

/// Proves: a thread that sleeps because the value is locked is woken, a sender by
/// the last reader, a reader by a sender; and a sender has the value alone.
#[test]
fn loom_readers_do_not_stop_a_sender() {
    for readers in [1, 2] {
        model(if readers == 1 { 4 } else { 2 }, move || {
            let (sender, receiver) = channel((0, 0));
            let readers: std::vec::Vec<_> = (0..readers)
                .map(|_| {
                    let receiver = receiver.clone();
                    thread::spawn(move || {
                        let value = receiver.borrow();
                        assert_eq!(value.0, value.1);
                    })
                })
                .collect();
            for _ in 0..if readers.len() == 1 { 2 } else { 1 } {
                sender.send_modify(|value| {
                    value.0 += 1;
                    value.1 += 1;
                });
            }
            for reader in readers {
                reader.join().unwrap();
            }
        });
    }
}

/// Proves: of several senders that wait none is forgotten.
#[test]
fn loom_senders_wake_each_other() {
    model(2, || {
        let (sender, receiver) = channel(0);
        let senders: [_; 2] = core::array::from_fn(|_| {
            let sender = sender.clone();
            thread::spawn(move || sender.send_modify(|n| *n += 1))
        });
        let _ = *receiver.borrow();
        for sender in senders {
            sender.join().unwrap();
        }
        assert_eq!(*receiver.borrow(), 2);
    });
}
