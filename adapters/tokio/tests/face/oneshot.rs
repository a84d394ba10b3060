// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use sync::oneshot::error::{RecvError, TryRecvError};
use sync::oneshot::{Receiver, Sender, channel};

use crate::support::{MAY_NOT_BLOCK, Task, blamed_panic_of, now, panic_of, runtime};

assert_impl_all!(Sender<Cell<u8>>: Send, Sync, Unpin, Debug);
assert_not_impl_any!(Sender<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Sender<u8>: Clone);
assert_impl_all!(Receiver<Cell<u8>>: Send, Sync, Unpin, Debug);
assert_impl_all!(Receiver<u8>: Future<Output = Result<u8, RecvError>>);
assert_not_impl_any!(Receiver<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Receiver<u8>: Clone);
assert_impl_all!(RecvError: Error, Clone, Eq, Send, Sync, Unpin);
assert_not_impl_any!(RecvError: Copy);
assert_impl_all!(TryRecvError: Error, Clone, Eq, Send, Sync, Unpin);
assert_not_impl_any!(TryRecvError: Copy);

fn is_send<F: Send>(future: F) -> F {
    future
}

#[test]
fn delivers_once() {
    let (sender, mut receiver) = channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert!(receiver.is_empty() && !receiver.is_terminated());
    assert_eq!(sender.send(1), Ok(()));
    assert!(!receiver.is_empty());
    assert_eq!(now(&mut receiver), Ok(1));
    assert!(receiver.is_empty() && receiver.is_terminated());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn wakes_the_task_that_polled_last() {
    let (sender, mut receiver) = channel();
    let (first, second) = (Task::new(), Task::new());
    first.pending(pin!(&mut receiver));
    second.pending(pin!(&mut receiver));
    second.pending(pin!(&mut receiver));
    assert_eq!(sender.send(1), Ok(()));
    assert!(!first.woken() && second.woken());
    assert_eq!(second.ready(pin!(&mut receiver)), Ok(1));
}

#[test]
fn dropped_sender_is_an_error() {
    let (sender, mut receiver) = channel::<u8>();
    let task = Task::new();
    task.pending(pin!(&mut receiver));
    drop(sender);
    assert!(task.woken() && !receiver.is_terminated());
    assert!(task.ready(pin!(&mut receiver)).is_err());
    assert!(receiver.is_terminated());

    let (sender, mut receiver) = channel::<u8>();
    drop(sender);
    assert!(receiver.is_empty());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn send_to_a_dropped_receiver_gives_back() {
    let (sender, receiver) = channel();
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send("value".to_owned()), Err("value".to_owned()));
}

#[test]
fn close_leaves_what_was_sent_before() {
    let (sender, mut receiver) = channel();
    sender.send(1).unwrap();
    receiver.close();
    assert!(!receiver.is_empty());
    assert_eq!(receiver.try_recv(), Ok(1));
    receiver.close();

    let (sender, mut receiver) = channel();
    receiver.close();
    receiver.close();
    assert!(!receiver.is_terminated());
    assert_eq!(sender.send(1), Err(1));
    assert!(now(&mut receiver).is_err());

    let (_sender, mut receiver) = channel::<u8>();
    receiver.close();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert!(receiver.is_terminated());
}

#[test]
fn sender_sees_closing() {
    let (mut sender, mut receiver) = channel::<u8>();
    let task = Task::new();
    {
        let mut closed = pin!(is_send(sender.closed()));
        task.pending(closed.as_mut());
        receiver.close();
        assert!(task.woken());
        task.ready(closed);
    }
    now(sender.closed());
    assert!(sender.is_closed());

    let (mut sender, receiver) = channel::<u8>();
    let (first, second) = (Task::new(), Task::new());
    assert!(sender.poll_closed(&mut first.context()).is_pending());
    assert!(sender.poll_closed(&mut second.context()).is_pending());
    drop(receiver);
    assert!(!first.woken() && second.woken());
    assert!(sender.poll_closed(&mut first.context()).is_ready());
    now(poll_fn(|cx| sender.poll_closed(cx)));
}

#[test]
fn closed_may_be_given_up_and_the_value_be_sent() {
    let (mut sender, receiver) = channel();
    Task::new().pending(pin!(sender.closed()));
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(now(receiver), Ok(1));
}

#[test]
fn value_is_dropped_with_the_receiver() {
    let value = Arc::new(());
    let (sender, receiver) = channel();
    sender.send(value.clone()).unwrap();
    assert_eq!(Arc::strong_count(&value), 2);
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);

    let (sender, mut receiver) = channel();
    sender.send(value.clone()).unwrap();
    receiver.close();
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_second_poll_after_the_end_panics() {
    let (sender, mut receiver) = channel();
    sender.send(1).unwrap();
    assert_eq!(now(&mut receiver), Ok(1));
    assert_eq!(panic_of(|| now(&mut receiver)), "called after complete");

    let (sender, mut receiver) = channel::<u8>();
    drop(sender);
    receiver.try_recv().unwrap_err();
    assert_eq!(panic_of(|| now(receiver)), "called after complete");
}

#[test]
fn threads_wait_for_the_value() {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || sender.send(1));
    assert_eq!(receiver.blocking_recv(), Ok(1));
    assert_eq!(thread.join().unwrap(), Ok(()));

    let (sender, receiver) = channel::<u8>();
    drop(sender);
    assert!(receiver.blocking_recv().is_err());
}

#[test]
fn blocking_recv_panics_in_a_task_and_not_on_a_blocking_thread() {
    let (sender, receiver) = channel();
    sender.send(1).unwrap();
    let (text, blamed) = runtime().block_on(async {
        blamed_panic_of(|| receiver.blocking_recv())
    });
    assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));

    let (sender, receiver) = channel();
    let received = runtime().block_on(async {
        let blocked = tokio::task::spawn_blocking(|| receiver.blocking_recv());
        sender.send(1).unwrap();
        blocked.await.unwrap()
    });
    assert_eq!(received, Ok(1));
}

#[test]
fn receives_within_the_budget_of_a_task() {
    runtime().block_on(async {
        let mut received = 0;
        let ready = poll_fn(|cx| {
            loop {
                let (sender, mut receiver) = channel();
                sender.send(()).unwrap();
                match std::pin::Pin::new(&mut receiver).poll(cx) {
                    std::task::Poll::Ready(outcome) => outcome.unwrap(),
                    std::task::Poll::Pending => {
                        // What could not be paid for is still there.
                        assert!(!receiver.is_empty());
                        return std::task::Poll::Ready(());
                    }
                }
                received += 1;
                assert!(received < 10_000, "no budget is spent");
            }
        });
        tokio::task::spawn(async {}).await.unwrap();
        ready.await;
        assert!(received > 0);

        let (mut sender, receiver) = channel::<u8>();
        drop(receiver);
        let mut polls = 0;
        poll_fn(|cx| {
            while sender.poll_closed(cx).is_ready() {
                polls += 1;
                assert!(polls < 10_000, "no budget is spent");
            }
            std::task::Poll::Ready(())
        })
        .await;
    });
}

#[test]
fn works_across_tasks() {
    let values = runtime().block_on(async {
        let mut values = Vec::new();
        for value in 0..200 {
            let (sender, receiver) = channel();
            let task = tokio::spawn(is_send(async move { sender.send(value) }));
            values.push(receiver.await.unwrap());
            task.await.unwrap().unwrap();
        }
        values
    });
    assert_eq!(values, Vec::from_iter(0..200));
}

#[test]
fn errors_read_as_they_do() {
    let (sender, receiver) = channel::<u8>();
    drop(sender);
    let error = now(receiver).unwrap_err();
    assert_eq!(error.to_string(), "channel closed");
    assert_eq!(format!("{error:?}"), "RecvError(())");
    assert!(error.source().is_none());
    assert_eq!(TryRecvError::Empty.to_string(), "channel empty");
    assert_eq!(TryRecvError::Closed.to_string(), "channel closed");
    assert_eq!(format!("{:?}", TryRecvError::Empty), "Empty");
    assert_eq!(format!("{:?}", TryRecvError::Closed), "Closed");
}

#[test]
fn handles_are_debug() {
    let (sender, receiver) = channel::<u8>();
    assert!(format!("{sender:?}").starts_with("Sender {"));
    assert!(format!("{receiver:?}").starts_with("Receiver {"));
}
