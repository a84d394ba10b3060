// Included for the original and for ours, with `channel` for its module.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;

use anysync_adapter_tests::face::Task;
use channel::oneshot::{self, Canceled, Cancellation, Receiver, Sender};
use futures::future::FusedFuture;
use static_assertions::{assert_impl_all, assert_not_impl_any};

#[test]
fn what_is_sent_comes_once() {
    let (sender, mut receiver): (Sender<i32>, Receiver<i32>) = oneshot::channel();
    let task = Task::new();
    assert_eq!(receiver.try_recv(), Ok(None));
    task.pending(Pin::new(&mut receiver));
    assert!(!receiver.is_terminated());
    assert_eq!(sender.send(7), Ok(()));
    assert!(task.woken());
    assert!(!receiver.is_terminated());
    assert_eq!(task.ready(Pin::new(&mut receiver)), Ok(7));
    assert!(receiver.is_terminated());
    assert_eq!(task.ready(Pin::new(&mut receiver)), Err(Canceled));
    assert_eq!(receiver.try_recv(), Err(Canceled));

    let (sender, mut receiver) = oneshot::channel();
    sender.send(7).unwrap();
    assert_eq!(receiver.try_recv(), Ok(Some(7)));
    assert_eq!(receiver.try_recv(), Err(Canceled));
}

#[test]
fn a_sender_that_goes_cancels() {
    let (sender, mut receiver) = oneshot::channel::<u8>();
    let task = Task::new();
    task.pending(Pin::new(&mut receiver));
    drop(sender);
    assert!(task.woken());
    let error = task.ready(Pin::new(&mut receiver)).unwrap_err();
    assert_eq!(error.to_string(), "oneshot canceled");
    assert_eq!(format!("{error:?}"), "Canceled");
    assert!(receiver.is_terminated());
}

#[test]
fn a_sender_is_told_that_nobody_waits() {
    let (mut sender, receiver) = oneshot::channel();
    let (task, other) = (Task::new(), Task::new());
    assert!(!sender.is_canceled());
    assert!(sender.poll_canceled(&mut task.context()).is_pending());
    {
        let mut cancellation: Pin<Box<Cancellation<'_, u8>>> = Box::pin(sender.cancellation());
        other.pending(cancellation.as_mut());
        drop(receiver);
        assert!(other.woken());
        other.ready(cancellation.as_mut());
    }
    assert!(sender.is_canceled());
    assert!(sender.poll_canceled(&mut task.context()).is_ready());
    assert_eq!(sender.send(1), Err(1));
}

#[test]
fn closed_it_keeps_what_was_sent() {
    let (sender, mut receiver) = oneshot::channel();
    sender.send(1).unwrap();
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(Some(1)));
    let (sender, mut receiver) = oneshot::channel();
    receiver.close();
    assert!(sender.is_canceled());
    assert_eq!(sender.send(1), Err(1));
    assert_eq!(Task::new().ready(pin!(receiver)), Err(Canceled));
}

#[test]
fn closed_by_another_task_the_one_that_waits_is_told_when_the_sender_goes() {
    for sends in [false, true] {
        let (sender, mut receiver) = oneshot::channel();
        let task = Task::new();
        task.pending(Pin::new(&mut receiver));
        std::thread::scope(|scope| {
            scope.spawn(|| receiver.close());
        });
        assert_eq!(receiver.try_recv(), Err(Canceled));
        assert!(sender.is_connected_to(&receiver));
        if sends {
            assert_eq!(sender.send(1), Err(1));
        } else {
            drop(sender);
        }
        assert_eq!(task.wakes(), 1);
        assert_eq!(task.ready(Pin::new(&mut receiver)), Err(Canceled));
    }
}

#[test]
fn the_ends_know_each_other() {
    let (sender, receiver) = oneshot::channel::<u8>();
    let (_other, stranger) = oneshot::channel::<u8>();
    assert!(sender.is_connected_to(&receiver));
    assert!(!sender.is_connected_to(&stranger));
    assert_eq!(format!("{sender:?}"), "Sender { complete: false }");
    assert_eq!(format!("{receiver:?}"), "Receiver { complete: false }");
    drop(receiver);
    assert_eq!(format!("{sender:?}"), "Sender { complete: true }");
}

#[test]
fn nothing_is_leaked() {
    let value = Arc::new(());
    for taken in [true, false] {
        let (sender, mut receiver) = oneshot::channel();
        sender.send(value.clone()).unwrap();
        if taken {
            assert!(receiver.try_recv().unwrap().is_some());
        }
        drop(receiver);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}

assert_impl_all!(Sender<Cell<u8>>: Send, Sync, Unpin);
assert_impl_all!(Receiver<Cell<u8>>: Send, Sync, Unpin);
assert_not_impl_any!(Sender<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Receiver<Rc<u8>>: Send, Sync);
