// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::error::Error;
use std::future::Future;
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use futures_core::stream::{FusedStream, Stream};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use channel::{
    Closed, Receiver, Recv, RecvError, Send as Sending, SendError, Sender, TryRecvError,
    TrySendError, WeakReceiver, WeakSender, bounded, unbounded,
};

use crate::support::{Task, now, panic_of, within_a_minute};

assert_impl_all!(Sender<Cell<u8>>: Send, Sync, Unpin, Clone);
assert_not_impl_any!(Sender<Rc<u8>>: Send, Sync);
assert_impl_all!(Receiver<Cell<u8>>: Send, Sync, Clone, Stream<Item = Cell<u8>>, FusedStream);
assert_not_impl_any!(Receiver<Rc<u8>>: Send, Sync);
assert_impl_all!(WeakSender<Cell<u8>>: Send, Sync, Unpin, Clone);
assert_not_impl_any!(WeakSender<Rc<u8>>: Send, Sync);
assert_impl_all!(WeakReceiver<Cell<u8>>: Send, Sync, Unpin, Clone);
assert_not_impl_any!(WeakReceiver<Rc<u8>>: Send, Sync);
assert_impl_all!(Sender<u8>: UnwindSafe);
assert_impl_all!(Receiver<u8>: UnwindSafe);
assert_impl_all!(Sending<'static, u8>: Send, Sync, Future<Output = Result<(), SendError<u8>>>);
assert_impl_all!(Sending<'static, Cell<u8>>: Send);
assert_not_impl_any!(Sending<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(Sending<'static, u8>: Unpin);
assert_impl_all!(Recv<'static, Cell<u8>>: Send, Sync, Future<Output = Result<Cell<u8>, RecvError>>);
assert_not_impl_any!(Recv<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(Recv<'static, u8>: Unpin);
assert_impl_all!(Closed<'static, Cell<u8>>: Send, Sync, Future<Output = ()>);
assert_not_impl_any!(Closed<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(Closed<'static, u8>: Unpin);
assert_impl_all!(SendError<u8>: Error, Copy, Eq);
assert_impl_all!(TrySendError<u8>: Error, Copy, Eq);
assert_impl_all!(RecvError: Error, Copy, Eq);
assert_impl_all!(TryRecvError: Error, Copy, Eq);

/// A poll of a receiver as a stream.
fn next<T>(task: &Task, receiver: &mut Pin<&mut Receiver<T>>) -> Poll<Option<T>> {
    receiver.as_mut().poll_next(&mut task.context())
}

#[test]
fn every_form_sends_and_receives_in_order() {
    let (sender, receiver) = bounded(8);
    assert_eq!(now(sender.send(1)), Ok(()));
    assert_eq!(sender.send_blocking(2), Ok(()));
    assert_eq!(sender.try_send(3), Ok(()));
    assert_eq!(sender.force_send(4), Ok(None));
    assert_eq!(now(receiver.recv()), Ok(1));
    assert_eq!(receiver.recv_blocking(), Ok(2));
    assert_eq!(receiver.try_recv(), Ok(3));
    let mut receiver = pin!(receiver);
    assert_eq!(next(&Task::new(), &mut receiver), Poll::Ready(Some(4)));
}

#[test]
fn counts_tell() {
    let (sender, receiver) = bounded(2);
    assert_eq!((sender.capacity(), receiver.capacity()), (Some(2), Some(2)));
    assert!(sender.is_empty() && receiver.is_empty());
    now(sender.send(1)).unwrap();
    assert_eq!((sender.len(), receiver.len()), (1, 1));
    assert!(!sender.is_full() && !receiver.is_full());
    now(sender.send(2)).unwrap();
    assert!(sender.is_full() && receiver.is_full());
    assert!(!sender.is_empty() && !receiver.is_empty());

    let (other, others) = (sender.clone(), (receiver.clone(), receiver.clone()));
    assert_eq!((sender.sender_count(), receiver.sender_count()), (2, 2));
    assert_eq!((sender.receiver_count(), receiver.receiver_count()), (3, 3));
    assert!(sender.same_channel(&other) && receiver.same_channel(&others.0));
    drop((other, others));
    assert_eq!((sender.sender_count(), receiver.receiver_count()), (1, 1));

    let (unbound, unbounded_receiver) = unbounded::<i32>();
    assert_eq!(
        (unbound.capacity(), unbounded_receiver.capacity()),
        (None, None)
    );
    assert!(!unbound.is_full() && !unbounded_receiver.is_full());
    assert!(!unbound.same_channel(&sender) && !unbounded_receiver.same_channel(&receiver));
}

#[test]
fn errors_have_their_texts() {
    let errors: [(&dyn Error, &str, &str); 6] = [
        (
            &SendError(1),
            "sending into a closed channel",
            "SendError(..)",
        ),
        (
            &TrySendError::Full(1),
            "sending into a full channel",
            "Full(..)",
        ),
        (
            &TrySendError::Closed(1),
            "sending into a closed channel",
            "Closed(..)",
        ),
        (
            &RecvError,
            "receiving from an empty and closed channel",
            "RecvError",
        ),
        (
            &TryRecvError::Empty,
            "receiving from an empty channel",
            "Empty",
        ),
        (
            &TryRecvError::Closed,
            "receiving from an empty and closed channel",
            "Closed",
        ),
    ];
    for (error, display, debug) in errors {
        assert_eq!(
            (error.to_string(), format!("{error:?}")),
            (display.to_owned(), debug.to_owned())
        );
    }
    assert_eq!(SendError(1).into_inner(), 1);
    assert_eq!(SendError(1).0, 1);
    assert_eq!(
        (
            TrySendError::Full(1).into_inner(),
            TrySendError::Closed(2).into_inner()
        ),
        (1, 2)
    );
    assert!(TrySendError::Full(1).is_full() && !TrySendError::Full(1).is_closed());
    assert!(!TrySendError::Closed(1).is_full() && TrySendError::Closed(1).is_closed());
    assert!(TryRecvError::Empty.is_empty() && !TryRecvError::Empty.is_closed());
    assert!(!TryRecvError::Closed.is_empty() && TryRecvError::Closed.is_closed());
}

#[test]
fn a_capacity_of_zero_panics() {
    assert_eq!(panic_of(|| bounded::<u8>(0)), "capacity cannot be zero");
}

#[test]
fn shows_as_text() {
    let (sender, receiver) = bounded(1);
    assert_eq!(
        format!("{sender:?} {receiver:?}"),
        "Sender { .. } Receiver { .. }"
    );
    let weak = (sender.downgrade(), receiver.downgrade());
    assert_eq!(
        format!("{weak:?}"),
        "(WeakSender { .. }, WeakReceiver { .. })"
    );
    assert!(format!("{:?}", sender.send(1)).starts_with("Send {"));
    assert!(format!("{:?}", receiver.recv()).starts_with("Recv {"));
    assert!(format!("{:?}", sender.closed()).starts_with("Closed {"));
}

#[test]
fn close_ends_sending_and_leaves_what_is_there() {
    let (sender, receiver) = bounded(2);
    now(sender.send(1)).unwrap();
    assert!(!sender.is_closed() && !receiver.is_closed());
    assert!(sender.close());
    assert!(!sender.close() && !receiver.close());
    assert!(sender.is_closed() && receiver.is_closed());
    assert_eq!(now(sender.send(2)), Err(SendError(2)));
    assert_eq!(sender.send_blocking(2), Err(SendError(2)));
    assert_eq!(sender.try_send(2), Err(TrySendError::Closed(2)));
    assert_eq!(sender.force_send(2), Err(SendError(2)));
    assert!(!receiver.is_terminated());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(receiver.is_terminated());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(now(receiver.recv()), Err(RecvError));
    assert_eq!(receiver.recv_blocking(), Err(RecvError));
    now(sender.closed());
    let mut receiver = pin!(receiver);
    assert_eq!(next(&Task::new(), &mut receiver), Poll::Ready(None));
}

#[test]
fn the_last_sender_closes() {
    let (sender, receiver) = unbounded();
    let other = sender.clone();
    now(other.send(1)).unwrap();
    drop(sender);
    assert!(!receiver.is_closed());
    let (task, mut recv) = (Task::new(), pin!(receiver.recv()));
    assert_eq!(receiver.try_recv(), Ok(1));
    task.pending(recv.as_mut());
    drop(other);
    assert!(task.woken() && receiver.is_closed());
    assert_eq!(task.ready(recv), Err(RecvError));
}

#[test]
fn the_last_receiver_closes() {
    let (sender, receiver) = bounded(1);
    let other = receiver.clone();
    now(sender.send(1)).unwrap();
    drop(receiver);
    let (one, two) = (Task::new(), Task::new());
    let (mut send, mut closed) = (pin!(sender.send(2)), pin!(sender.closed()));
    one.pending(send.as_mut());
    two.pending(closed.as_mut());
    drop(other);
    assert!(one.woken() && two.woken() && sender.is_closed());
    assert_eq!(one.ready(send), Err(SendError(2)));
    two.ready(closed);
}

#[test]
fn weak_handles_do_not_keep_it_open() {
    let (sender, receiver) = bounded::<i32>(1);
    let (weak_sender, weak_receiver) = (sender.downgrade(), receiver.downgrade());
    assert!(weak_sender.clone().upgrade().unwrap().same_channel(&sender));
    assert!(
        weak_receiver
            .clone()
            .upgrade()
            .unwrap()
            .same_channel(&receiver)
    );
    assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 1));
    drop(sender);
    assert!(receiver.is_closed());
    assert!(weak_sender.upgrade().is_none() && weak_receiver.upgrade().is_none());

    let (sender, receiver) = bounded::<i32>(1);
    let (weak_sender, weak_receiver) = (sender.downgrade(), receiver.downgrade());
    sender.close();
    assert!(weak_sender.upgrade().is_none() && weak_receiver.upgrade().is_none());
}

#[test]
fn a_full_channel_makes_sends_wait_in_order() {
    let (sender, receiver) = bounded(1);
    now(sender.send(1)).unwrap();
    assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
    let (one, two) = (Task::new(), Task::new());
    let mut first = Box::pin(sender.send(2));
    let mut second = Box::pin(sender.send(3));
    one.pending(first.as_mut());
    two.pending(second.as_mut());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(one.woken() && !two.woken());
    assert_eq!(one.ready(first.as_mut()), Ok(()));
    drop(first);
    assert_eq!(receiver.try_recv(), Ok(2));
    assert!(two.woken());
    assert_eq!(two.ready(second.as_mut()), Ok(()));
    assert_eq!(receiver.try_recv(), Ok(3));
}

#[test]
fn receives_wait_in_order() {
    let (sender, receiver) = unbounded();
    let (one, two) = (Task::new(), Task::new());
    let mut first = Box::pin(receiver.recv());
    let mut second = Box::pin(receiver.recv());
    one.pending(first.as_mut());
    two.pending(second.as_mut());
    sender.try_send(1).unwrap();
    assert!(one.woken() && !two.woken());
    sender.try_send(2).unwrap();
    assert!(two.woken());
    assert_eq!(
        (one.ready(first.as_mut()), two.ready(second.as_mut())),
        (Ok(1), Ok(2))
    );
}

#[test]
fn dropped_winners_pass_on() {
    let (sender, receiver) = bounded(1);
    let (one, two) = (Task::new(), Task::new());
    let mut second = pin!(receiver.recv());
    {
        let mut first = pin!(receiver.recv());
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        sender.try_send(1).unwrap();
        assert!(one.woken() && !two.woken());
    }
    assert!(two.woken());
    assert_eq!(two.ready(second.as_mut()), Ok(1));

    sender.try_send(1).unwrap();
    let (one, two) = (Task::new(), Task::new());
    let mut second = pin!(sender.send(3));
    {
        let mut first = pin!(sender.send(2));
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        assert_eq!(receiver.try_recv(), Ok(1));
        assert!(one.woken() && !two.woken());
    }
    assert!(two.woken());
    assert_eq!(two.ready(second), Ok(()));
    assert_eq!(receiver.try_recv(), Ok(3));
}

#[test]
fn dropped_waits_leave_no_trace() {
    let (sender, receiver) = bounded(1);
    let task = Task::new();
    task.pending(pin!(receiver.recv()));
    task.pending(pin!(sender.closed()));
    drop(sender.send(9));
    sender.try_send(1).unwrap();
    task.pending(pin!(sender.send(9)));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.close();
    assert!(!task.woken());
}

#[test]
fn close_wakes_all() {
    let (sender, receiver) = bounded(1);
    sender.try_send(1).unwrap();
    let tasks = [Task::new(), Task::new(), Task::new()];
    let mut sends = (Box::pin(sender.send(2)), Box::pin(sender.send(3)));
    let mut closed = Box::pin(sender.closed());
    tasks[0].pending(sends.0.as_mut());
    tasks[1].pending(sends.1.as_mut());
    tasks[2].pending(closed.as_mut());
    receiver.close();
    assert!(tasks.iter().all(Task::woken));
    assert_eq!(tasks[0].ready(sends.0.as_mut()), Err(SendError(2)));
    assert_eq!(tasks[1].ready(sends.1.as_mut()), Err(SendError(3)));
    tasks[2].ready(closed.as_mut());

    let (sender, receiver) = unbounded::<u8>();
    let tasks = [Task::new(), Task::new(), Task::new()];
    let mut recvs = (Box::pin(receiver.recv()), Box::pin(receiver.recv()));
    let mut stream = pin!(receiver.clone());
    tasks[0].pending(recvs.0.as_mut());
    tasks[1].pending(recvs.1.as_mut());
    assert!(next(&tasks[2], &mut stream).is_pending());
    sender.close();
    assert!(tasks.iter().all(Task::woken));
    assert_eq!(tasks[0].ready(recvs.0.as_mut()), Err(RecvError));
    assert_eq!(tasks[1].ready(recvs.1.as_mut()), Err(RecvError));
    assert_eq!(next(&tasks[2], &mut stream), Poll::Ready(None));
}

#[test]
fn a_stream_waits_and_ends() {
    let (sender, receiver) = unbounded();
    let mut stream = pin!(receiver);
    let task = Task::new();
    assert!(next(&task, &mut stream).is_pending());
    sender.try_send(1).unwrap();
    assert!(task.woken());
    assert_eq!(next(&task, &mut stream), Poll::Ready(Some(1)));
    assert!(next(&task, &mut stream).is_pending());
    assert!(!stream.is_terminated());
    drop(sender);
    assert_eq!(task.wakes(), 2);
    assert_eq!(next(&task, &mut stream), Poll::Ready(None));
    assert!(stream.is_terminated());
    assert_eq!(next(&task, &mut stream), Poll::Ready(None));
}

#[test]
fn force_send_replaces_the_oldest() {
    let (sender, receiver) = bounded(2);
    assert_eq!(sender.force_send(1), Ok(None));
    assert_eq!(sender.force_send(2), Ok(None));
    assert_eq!(sender.force_send(3), Ok(Some(1)));
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(2), Ok(3)));
    let (sender, receiver) = unbounded();
    assert_eq!(sender.force_send(1), Ok(None));
    let (task, mut recv) = (Task::new(), pin!(receiver.recv()));
    assert_eq!(task.ready(recv.as_mut()), Ok(1));
}

#[test]
fn messages_are_dropped_once() {
    let message = Arc::new(());
    let (sender, receiver) = bounded(2);
    sender.try_send(message.clone()).unwrap();
    sender.try_send(message.clone()).unwrap();
    Task::new().pending(pin!(sender.send(message.clone())));
    assert_eq!(Arc::strong_count(&message), 3);
    drop(receiver.try_recv());
    assert_eq!(Arc::strong_count(&message), 2);
    drop((sender, receiver));
    assert_eq!(Arc::strong_count(&message), 1);
}

#[test]
fn a_panic_with_handles_closes() {
    let (sender, receiver) = bounded(1);
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        sender.try_send(1).unwrap();
        panic!("with the sender in hand");
    }));
    assert!(unwound.is_err());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn tasks_and_threads_share_a_channel() {
    within_a_minute(|| {
        let (sender, receiver) = bounded(3);
        let senders: Vec<_> = (0..4)
            .map(|n| {
                let sender = sender.clone();
                thread::spawn(move || {
                    for number in 0..100 {
                        match n % 2 {
                            0 => sender.send_blocking(number).unwrap(),
                            _ => smol::block_on(sender.send(number)).unwrap(),
                        }
                    }
                })
            })
            .collect();
        drop(sender);
        let receivers: Vec<_> = (0..4)
            .map(|n| {
                let receiver = receiver.clone();
                thread::spawn(move || {
                    use smol::stream::StreamExt;

                    match n % 3 {
                        0 => std::iter::from_fn(|| receiver.recv_blocking().ok()).sum::<i32>(),
                        1 => smol::block_on(receiver.fold(0, |sum, number| sum + number)),
                        _ => smol::block_on(async {
                            let mut sum = 0;
                            while let Ok(number) = receiver.recv().await {
                                sum += number;
                            }
                            sum
                        }),
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        let sum: i32 = receivers.into_iter().map(|it| it.join().unwrap()).sum();
        assert_eq!(sum, 4 * (0..100).sum::<i32>());
    });
}
