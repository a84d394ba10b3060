// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use sync::watch::error::{RecvError, SendError};
use sync::watch::{Receiver, Ref, Sender, channel};

use crate::support::{Task, now, panic_of, runtime};

assert_impl_all!(Sender<u8>: Send, Sync, Unpin, Clone, Default, Debug, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Receiver<u8>: Send, Sync, Unpin, Clone, Debug, UnwindSafe, RefUnwindSafe);
// A value that is looked at from many threads.
assert_not_impl_any!(Sender<Cell<u8>>: Send, Sync);
assert_not_impl_any!(Receiver<Cell<u8>>: Send, Sync);
assert_not_impl_any!(Sender<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Receiver<u8>: Default);
assert_impl_all!(Ref<'static, u8>: Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, std::ops::Deref<Target = u8>);
assert_not_impl_any!(Ref<'static, u8>: Send, std::ops::DerefMut);
assert_not_impl_any!(Ref<'static, Cell<u8>>: Sync);
assert_impl_all!(SendError<u8>: Error, Copy, Eq, Send, Sync);
assert_impl_all!(SendError<Rc<u8>>: Clone, Eq);
assert_impl_all!(RecvError: Error, Clone, Send, Sync);
assert_not_impl_any!(RecvError: Copy, PartialEq);

fn is_send<F: Send>(future: F) -> F {
    future
}

#[test]
fn latest_value_wins() {
    let (sender, mut receiver) = channel(1);
    assert_eq!(*receiver.borrow(), 1);
    sender.send(2).unwrap();
    sender.send(3).unwrap();
    assert_eq!(*receiver.borrow(), 3);
    now(receiver.changed()).unwrap();
    Task::new().pending(pin!(receiver.changed()));
}

#[test]
fn a_change_is_seen_once() {
    let (sender, mut receiver) = channel(1);
    assert!(!receiver.has_changed().unwrap());
    sender.send(2).unwrap();
    assert!(receiver.has_changed().unwrap());
    assert_eq!(*receiver.borrow(), 2);
    assert!(receiver.has_changed().unwrap());
    assert_eq!(*receiver.borrow_and_update(), 2);
    assert!(!receiver.has_changed().unwrap());
    sender.send(2).unwrap();
    now(receiver.changed()).unwrap();
    assert!(!receiver.has_changed().unwrap());
}

#[test]
fn a_reference_tells_whether_it_is_new() {
    let (sender, mut receiver) = channel(1);
    assert!(!receiver.borrow().has_changed());
    sender.send(2).unwrap();
    assert!(!sender.borrow().has_changed());
    assert!(receiver.borrow().has_changed());
    assert!(receiver.borrow_and_update().has_changed());
    assert!(!receiver.borrow().has_changed());
    sender.send(3).unwrap();
    assert!(now(receiver.wait_for(|_| true)).unwrap().has_changed());
    assert!(!now(receiver.wait_for(|_| true)).unwrap().has_changed());
}

#[test]
fn changed_waits_and_is_woken_once_per_change() {
    let (sender, mut receiver) = channel(1);
    let mut other = receiver.clone();
    let (one, two) = (Task::new(), Task::new());
    {
        let mut first = pin!(is_send(receiver.changed()));
        let mut second = pin!(other.changed());
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        sender.send(2).unwrap();
        assert_eq!((one.wakes(), two.wakes()), (1, 1));
        one.ready(first).unwrap();
        two.ready(second).unwrap();
    }
    Task::new().pending(pin!(receiver.changed()));
    // Unlike a wait that is given up, which leaves the change unseen.
    let mut given_up = Box::pin(other.changed());
    two.pending(given_up.as_mut());
    sender.send(3).unwrap();
    drop(given_up);
    assert!(other.has_changed().unwrap());
    now(other.changed()).unwrap();
}

#[test]
fn the_last_value_outlives_its_senders() {
    let (sender, mut receiver) = channel(1);
    let clone = sender.clone();
    sender.send(2).unwrap();
    drop(sender);
    assert!(!receiver.is_closed() && receiver.has_changed().unwrap());
    drop(clone);
    assert!(receiver.is_closed());
    assert!(receiver.has_changed().is_err());
    // The last change can be seen before the end is.
    assert!(now(receiver.changed()).is_ok());
    assert!(now(receiver.changed()).is_err());
    assert!(receiver.has_changed().is_err());
    assert_eq!(*receiver.borrow(), 2);
    receiver.mark_changed();
    assert!(now(receiver.changed()).is_ok());
    receiver.mark_changed();
    receiver.mark_unchanged();
    assert!(now(receiver.changed()).is_err());
}

#[test]
fn the_end_wakes_who_waits() {
    let (sender, mut receiver) = channel(1);
    let task = Task::new();
    let mut changed = pin!(receiver.changed());
    task.pending(changed.as_mut());
    drop(sender);
    assert!(task.woken());
    assert!(task.ready(changed).is_err());
}

#[test]
fn send_without_receivers_gives_back() {
    let (sender, receiver) = channel(1);
    assert!(!sender.is_closed());
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send(2), Err(SendError(2)));
    assert_eq!(*sender.borrow(), 1);
    assert_eq!(sender.send_replace(3), 1);
    sender.send_modify(|value| *value += 1);
    assert!(sender.send_if_modified(|value| {
        *value += 1;
        true
    }));
    assert_eq!(*sender.borrow(), 5);
    // Who comes now has seen it.
    let receiver = sender.subscribe();
    assert!(!receiver.has_changed().unwrap());
    assert!(!sender.is_closed());
    assert_eq!(sender.send(6), Ok(()));
}

#[test]
fn a_sender_may_come_before_its_receivers() {
    let sender = Sender::new(1);
    assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 0));
    let receiver = sender.subscribe();
    let more = (sender.clone(), receiver.clone());
    assert_eq!((sender.sender_count(), sender.receiver_count()), (2, 2));
    drop(more);
    assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 1));
    assert_eq!(*Sender::<u8>::default().borrow(), 0);
}

#[test]
fn modifying_counts_as_it_says() {
    let (sender, receiver) = channel(vec![1]);
    assert!(!sender.send_if_modified(|list| {
        list.push(2);
        false
    }));
    assert!(!receiver.has_changed().unwrap());
    assert_eq!(*receiver.borrow(), [1, 2]);
    sender.send_modify(|list| list.push(3));
    assert!(receiver.has_changed().unwrap());
}

#[test]
fn a_panic_of_modify_is_no_change() {
    let (sender, receiver) = channel(1);
    let text = panic_of(|| {
        sender.send_modify(|value| {
            *value = 2;
            panic!("by the user");
        });
    });
    assert_eq!(text, "by the user");
    assert!(!receiver.has_changed().unwrap());
    assert_eq!(*receiver.borrow(), 2);
    // The lock is not poisoned.
    sender.send(3).unwrap();
    assert_eq!(*receiver.borrow(), 3);
}

#[test]
fn wait_for_looks_at_the_present_value_first() {
    let (sender, mut receiver) = channel(1);
    assert_eq!(*now(receiver.wait_for(|value| *value == 1)).unwrap(), 1);
    sender.send(2).unwrap();
    let task = Task::new();
    let mut looks = 0;
    {
        let mut wait = pin!(is_send(receiver.wait_for(|value| {
            looks += 1;
            *value > 3
        })));
        task.pending(wait.as_mut());
        sender.send(3).unwrap();
        assert!(task.woken());
        task.pending(wait.as_mut());
        task.pending(wait.as_mut());
        sender.send(4).unwrap();
        assert_eq!(*task.ready(wait).unwrap(), 4);
    }
    assert_eq!(looks, 3);
    assert!(!receiver.has_changed().unwrap());
}

#[test]
fn wait_for_marks_as_seen_what_it_looked_at() {
    let (sender, mut receiver) = channel(1);
    sender.send(2).unwrap();
    Task::new().pending(pin!(receiver.wait_for(|_| false)));
    assert!(!receiver.has_changed().unwrap());
}

#[test]
fn wait_for_ends_with_the_senders() {
    let (sender, mut receiver) = channel(1);
    sender.send(2).unwrap();
    drop(sender);
    assert_eq!(*now(receiver.wait_for(|value| *value == 2)).unwrap(), 2);
    // The last value is looked at also after the end.
    assert_eq!(*now(receiver.wait_for(|value| *value == 2)).unwrap(), 2);
    let mut looks = 0;
    let wait = receiver.wait_for(|_| {
        looks += 1;
        false
    });
    assert!(now(wait).is_err());
    assert_eq!(looks, 1);
}

#[test]
fn a_panic_of_wait_for_leaves_the_watch_whole() {
    let (sender, mut receiver) = channel(1);
    sender.send(2).unwrap();
    let text = panic_of(|| now(receiver.wait_for(|_| panic!("by the user"))).is_ok());
    assert_eq!(text, "by the user");
    assert!(!receiver.has_changed().unwrap());
    assert_eq!(*receiver.borrow(), 2);
    sender.send(3).unwrap();
    assert_eq!(*now(receiver.wait_for(|value| *value == 3)).unwrap(), 3);
}

#[test]
fn a_panic_while_it_is_borrowed_poisons_nothing() {
    let (sender, receiver) = channel(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _value = receiver.borrow();
        panic!("by the user");
    }));
    assert!(panicked.is_err());
    sender.send(2).unwrap();
    assert_eq!(*receiver.borrow(), 2);
}

#[test]
fn marking_changes_what_is_seen() {
    let (sender, mut receiver) = channel(1);
    receiver.mark_changed();
    assert!(receiver.has_changed().unwrap() && receiver.borrow().has_changed());
    now(receiver.changed()).unwrap();
    sender.send(2).unwrap();
    receiver.mark_changed();
    receiver.mark_changed();
    now(receiver.changed()).unwrap();
    assert!(!receiver.has_changed().unwrap());
    sender.send(3).unwrap();
    receiver.mark_unchanged();
    Task::new().pending(pin!(receiver.changed()));
}

#[test]
fn a_clone_has_seen_the_same() {
    let (sender, mut receiver) = channel(1);
    sender.send(2).unwrap();
    let unseen = receiver.clone();
    receiver.mark_unchanged();
    let seen = receiver.clone();
    assert!(unseen.has_changed().unwrap());
    assert!(!seen.has_changed().unwrap());
}

#[test]
fn closed_waits_for_the_last_receiver() {
    let (sender, receiver) = channel(1);
    let clone = receiver.clone();
    let task = Task::new();
    let mut closed = pin!(is_send(sender.closed()));
    task.pending(closed.as_mut());
    drop(receiver);
    task.pending(closed.as_mut());
    drop(clone);
    assert!(task.woken());
    // Another came meanwhile.
    let third = sender.subscribe();
    task.pending(closed.as_mut());
    drop(third);
    task.ready(closed);
    now(sender.closed());
}

#[test]
fn handles_know_their_channel() {
    let (sender, receiver) = channel(1);
    let (other_sender, other_receiver) = channel(1);
    assert!(sender.same_channel(&sender.clone()));
    assert!(!sender.same_channel(&other_sender));
    assert!(receiver.same_channel(&sender.subscribe()));
    assert!(!receiver.same_channel(&other_receiver));
}

#[test]
fn a_borrow_holds_up_a_send() {
    let (sender, receiver) = channel(1);
    let sender = Arc::new(sender);
    let value = receiver.borrow();
    let also = receiver.borrow();
    let (begun, begin) = std::sync::mpsc::channel();
    let sends = thread::spawn({
        let sender = sender.clone();
        move || {
            begun.send(()).unwrap();
            sender.send(2).unwrap();
        }
    });
    begin.recv().unwrap();
    assert_eq!((*value, *also), (1, 1));
    drop((value, also));
    sends.join().unwrap();
    assert_eq!(*receiver.borrow(), 2);
}

#[test]
fn waits_within_the_budget_of_a_task() {
    let (sender, mut receiver) = channel(1);
    runtime().block_on(poll_fn(|cx| {
        let mut polls = 0;
        loop {
            receiver.mark_changed();
            polls += 1;
            assert!(polls < 10_000, "no budget is spent");
            if pin!(receiver.changed()).poll(cx).is_pending() {
                // What could not be paid for is unseen.
                assert!(receiver.has_changed().unwrap());
                return Poll::Ready(());
            }
        }
    }));
    runtime().block_on(poll_fn(|cx| {
        let mut polls = 0;
        while pin!(receiver.wait_for(|_| true)).poll(cx).is_ready() {
            polls += 1;
            assert!(polls < 10_000, "no budget is spent");
        }
        Poll::Ready(())
    }));
    drop(receiver);
    runtime().block_on(poll_fn(|cx| {
        let mut polls = 0;
        while Pin::new(&mut Box::pin(sender.closed())).poll(cx).is_ready() {
            polls += 1;
            assert!(polls < 10_000, "no budget is spent");
        }
        Poll::Ready(())
    }));
}

#[test]
fn follows_across_threads() {
    let (sender, mut receiver) = channel(0);
    let follower = thread::spawn(move || {
        runtime().block_on(async {
            let mut last = 0;
            while receiver.changed().await.is_ok() {
                let value = *receiver.borrow_and_update();
                assert!(value > last);
                last = value;
            }
            last
        })
    });
    for value in 1..=2_000 {
        sender.send(value).unwrap();
    }
    drop(sender);
    assert_eq!(follower.join().unwrap(), 2_000);
}

#[test]
fn errors_read_as_they_do() {
    let (sender, receiver) = channel(Rc::new(1));
    drop(receiver);
    let error = sender.send(Rc::new(2)).unwrap_err();
    assert_eq!(error.to_string(), "channel closed");
    assert_eq!(format!("{error:?}"), "SendError { .. }");
    assert_eq!(*error.0, 2);
    let receiver = sender.subscribe();
    drop(sender);
    let error = receiver.has_changed().unwrap_err();
    assert_eq!(error.to_string(), "channel closed");
    assert_eq!(format!("{error:?}"), "RecvError(())");
}

#[test]
fn handles_and_references_are_debug() {
    let (sender, receiver) = channel(1);
    assert!(format!("{sender:?}").starts_with("Sender {"));
    assert!(format!("{receiver:?}").starts_with("Receiver {"));
    let text = format!("{:?}", receiver.borrow());
    assert_eq!(text, "Ref { inner: 1, has_changed: false }");
}
