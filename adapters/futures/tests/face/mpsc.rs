// Included for the original and for ours, with `channel` for its module.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use anysync_adapter_tests::face::Task;
use channel::mpsc::{
    self, Receiver, Recv, RecvError, SendError, Sender, TryRecvError, TrySendError,
    UnboundedReceiver, UnboundedSender,
};
use futures::future::FusedFuture;
use futures::stream::FusedStream;
use futures::{Sink, SinkExt, Stream, StreamExt};
use static_assertions::{assert_impl_all, assert_not_impl_any};

fn next<S: Stream + Unpin>(task: &Task, stream: &mut S) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut task.context())
}

#[test]
fn each_sender_has_a_slot_beside_the_buffer() {
    for buffer in [0, 1, 3] {
        for senders in [1, 2, 3] {
            let (sender, mut receiver): (Sender<usize>, Receiver<usize>) = mpsc::channel(buffer);
            let mut all: Vec<_> = (1..senders).map(|_| sender.clone()).collect();
            all.push(sender);
            let mut sent = 0;
            // As long as anybody can.
            while let Some(place) = (0..senders).find(|place| all[*place].try_send(sent).is_ok()) {
                let _ = place;
                sent += 1;
            }
            assert_eq!(sent, buffer + senders, "{buffer} and {senders}");
            for sender in &mut all {
                let error = sender.try_send(9).unwrap_err();
                assert!(error.is_full() && !error.is_disconnected());
            }
            // Each that is received lets one go.
            for number in 0..10 {
                assert_eq!(receiver.try_recv(), Ok(number));
                let may = all.iter_mut().filter_map(|all| all.try_send(sent).ok());
                assert_eq!(may.take(1).count(), 1);
                sent += 1;
                assert!(all.iter_mut().all(|sender| sender.try_send(9).is_err()));
            }
        }
    }
}

#[test]
fn a_parked_sender_is_woken_in_its_turn() {
    let (mut first, mut receiver) = mpsc::channel(0);
    let mut second = first.clone();
    let (one, two) = (Task::new(), Task::new());
    assert!(first.poll_ready(&mut one.context()).is_ready());
    first.start_send(1).unwrap();
    second.start_send(2).unwrap();
    assert!(first.poll_ready(&mut one.context()).is_pending());
    assert!(second.poll_ready(&mut two.context()).is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(one.woken() && !two.woken());
    assert_eq!(first.poll_ready(&mut one.context()), Poll::Ready(Ok(())));
    assert!(second.poll_ready(&mut two.context()).is_pending());
    assert_eq!(receiver.try_recv(), Ok(2));
    assert!(two.woken());
    assert_eq!(second.poll_ready(&mut two.context()), Poll::Ready(Ok(())));
}

#[test]
fn a_stream_waits_and_ends() {
    let (mut sender, mut receiver) = mpsc::channel(1);
    let task = Task::new();
    assert_eq!(receiver.size_hint(), (0, None));
    assert!(next(&task, &mut receiver).is_pending());
    sender.try_send(1).unwrap();
    assert!(task.woken());
    assert_eq!(receiver.size_hint(), (1, None));
    assert_eq!(next(&task, &mut receiver), Poll::Ready(Some(1)));
    assert!(next(&task, &mut receiver).is_pending());
    drop(sender);
    assert!(!receiver.is_terminated());
    assert_eq!(next(&task, &mut receiver), Poll::Ready(None));
    assert!(receiver.is_terminated());
    assert_eq!(receiver.size_hint(), (0, Some(0)));
    assert_eq!(next(&task, &mut receiver), Poll::Ready(None));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
#[allow(deprecated)]
fn receives_in_every_way() {
    let (mut sender, mut receiver) = mpsc::channel(4);
    let task = Task::new();
    assert_eq!(receiver.try_next(), Err(TryRecvError::Empty));
    let error = receiver.try_recv().unwrap_err();
    assert!(error.is_empty() && !error.is_closed());
    assert_eq!(error.to_string(), "receive failed because channel is empty");
    assert_eq!(format!("{error:?}"), "Empty");
    {
        let mut recv: Pin<Box<Recv<'_, Receiver<i32>>>> = Box::pin(receiver.recv());
        assert!(!recv.is_terminated());
        task.pending(recv.as_mut());
        sender.try_send(1).unwrap();
        assert_eq!(task.ready(recv.as_mut()), Ok(1));
    }
    sender.try_send(2).unwrap();
    assert_eq!(receiver.try_next(), Ok(Some(2)));
    drop(sender);
    assert_eq!(receiver.try_next(), Ok(None));
    let error = task.ready(pin!(receiver.recv())).unwrap_err();
    assert_eq!(error, RecvError);
    assert_eq!(
        error.to_string(),
        "receive failed because channel is empty and closed"
    );
    let error = receiver.try_recv().unwrap_err();
    assert!(error.is_closed());
    assert_eq!(
        error.to_string(),
        "receive failed because channel is closed"
    );
}

#[test]
fn closed_it_refuses_and_still_delivers() {
    let (mut sender, mut receiver) = mpsc::channel(0);
    let mut parked = sender.clone();
    let task = Task::new();
    sender.try_send(1).unwrap();
    parked.try_send(2).unwrap();
    assert!(parked.poll_ready(&mut task.context()).is_pending());
    assert!(!sender.is_closed());
    receiver.close();
    assert!(task.woken(), "a parked sender is told");
    let refused: Result<(), SendError> = match parked.poll_ready(&mut task.context()) {
        Poll::Ready(refused) => refused,
        Poll::Pending => panic!("it is closed"),
    };
    let error = refused.unwrap_err();
    assert!(error.is_disconnected() && !error.is_full());
    assert_eq!(error.to_string(), "send failed because receiver is gone");
    assert_eq!(format!("{error:?}"), "SendError { kind: Disconnected }");
    assert!(sender.is_closed());
    let error: TrySendError<i32> = sender.try_send(3).unwrap_err();
    assert_eq!(format!("{error:?}"), "TrySendError { kind: Disconnected }");
    assert_eq!(
        error.clone().into_send_error(),
        sender.start_send(3).unwrap_err()
    );
    assert_eq!(error.into_inner(), 3);
    assert_eq!(receiver.size_hint(), (2, Some(2)));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(next(&task, &mut receiver), Poll::Ready(None));
}

#[test]
fn a_sender_closes_for_all_or_goes_alone() {
    let (mut sender, mut receiver) = mpsc::channel(1);
    let mut other = sender.clone();
    sender.disconnect();
    assert!(sender.is_closed() && !other.is_closed());
    assert!(sender.try_send(1).unwrap_err().is_disconnected());
    let mut poll = Task::new();
    assert!(matches!(
        sender.poll_ready(&mut poll.context()),
        Poll::Ready(Err(error)) if error.is_disconnected()
    ));
    other.try_send(2).unwrap();
    let mut third = other.clone();
    other.close_channel();
    assert!(third.try_send(3).is_err());
    poll = Task::new();
    assert_eq!(next(&poll, &mut receiver), Poll::Ready(Some(2)));
    assert_eq!(next(&poll, &mut receiver), Poll::Ready(None));
}

#[test]
fn a_receiver_that_goes_tells_the_senders() {
    let (mut sender, receiver) = mpsc::channel(0);
    let task = Task::new();
    let value = Arc::new(());
    sender.try_send(value.clone()).unwrap();
    assert!(sender.poll_ready(&mut task.context()).is_pending());
    drop(receiver);
    assert!(task.woken());
    assert_eq!(Arc::strong_count(&value), 1, "dropped with the receiver");
    assert!(sender.is_closed());
}

#[test]
fn the_ends_know_each_other() {
    let (sender, receiver) = mpsc::channel::<u8>(1);
    let (stranger, other) = mpsc::channel::<u8>(1);
    assert!(sender.same_receiver(&sender.clone()) && !sender.same_receiver(&stranger));
    assert!(sender.is_connected_to(&receiver) && !sender.is_connected_to(&other));
    let state = RandomState::new();
    let hash = |sender: &Sender<u8>| {
        let mut hasher = state.build_hasher();
        sender.hash_receiver(&mut hasher);
        hasher.finish()
    };
    assert_eq!(hash(&sender), hash(&sender.clone()));
    assert_ne!(hash(&sender), hash(&stranger));
    let mut gone = sender.clone();
    gone.disconnect();
    assert!(!gone.same_receiver(&sender) && !gone.is_connected_to(&receiver));
    assert_eq!(format!("{sender:?}"), "Sender { closed: false }");
    assert_eq!(format!("{receiver:?}"), "Receiver { closed: false }");
    drop(receiver);
    assert_eq!(format!("{sender:?}"), "Sender { closed: true }");
}

#[test]
fn as_a_sink_it_waits_until_it_may_send_again() {
    let (mut sender, mut receiver) = mpsc::channel(0);
    let task = Task::new();
    {
        let mut send = pin!(sender.send(1));
        task.pending(send.as_mut());
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(task.ready(send), Ok(()));
    }
    assert!(
        Pin::new(&mut sender)
            .poll_flush(&mut task.context())
            .is_ready()
    );
    assert!(
        Pin::new(&mut sender)
            .poll_close(&mut task.context())
            .is_ready()
    );
    assert_eq!(next(&task, &mut receiver), Poll::Ready(None));
}

#[test]
fn unbounded_it_takes_everything() {
    let (sender, mut receiver): (UnboundedSender<i32>, UnboundedReceiver<i32>) = mpsc::unbounded();
    let mut other = sender.clone();
    let task = Task::new();
    assert!(sender.is_empty());
    assert!(next(&task, &mut receiver).is_pending());
    for number in 0..100 {
        sender.unbounded_send(number).unwrap();
    }
    assert!(task.woken());
    assert_eq!((sender.len(), sender.is_empty()), (100, false));
    assert!(other.poll_ready(&mut task.context()).is_ready());
    other.start_send(100).unwrap();
    task.ready(pin!(other.send(101))).unwrap();
    task.ready(pin!((&sender).send(102))).unwrap();
    let mut seen = 0;
    while let Ok(number) = receiver.try_recv() {
        assert_eq!(number, seen);
        seen += 1;
    }
    assert_eq!(seen, 103);
    assert!(sender.same_receiver(&other) && sender.is_connected_to(&receiver));
    let hash = |sender: &UnboundedSender<i32>| {
        let mut hasher = std::hash::DefaultHasher::new();
        sender.hash_receiver(&mut hasher);
        hasher.finish()
    };
    assert_eq!(hash(&sender), hash(&other));
    other.disconnect();
    assert!(other.is_closed() && !sender.is_closed());
    assert_eq!(format!("{other:?}"), "UnboundedSender { closed: true }");
    sender.unbounded_send(7).unwrap();
    sender.close_channel();
    let error = sender.unbounded_send(8).unwrap_err();
    assert!(error.is_disconnected());
    assert_eq!(error.into_inner(), 8);
    assert_eq!(task.ready(pin!(receiver.recv())), Ok(7));
    assert_eq!(task.ready(pin!(receiver.next())), None);
    assert!(receiver.is_terminated());
}

#[test]
fn unbounded_it_is_closed_from_either_side() {
    let (sender, mut receiver) = mpsc::unbounded();
    sender.unbounded_send(1).unwrap();
    receiver.close();
    assert!(sender.is_closed());
    assert!(sender.unbounded_send(2).is_err());
    assert_eq!(receiver.size_hint(), (1, Some(1)));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    let (sender, receiver) = mpsc::unbounded::<u8>();
    drop(receiver);
    assert!(sender.unbounded_send(1).is_err());
}

#[test]
fn threads_share_a_channel() {
    const EACH: u64 = 2_000;
    let (sender, receiver) = mpsc::channel(3);
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let mut sender = sender.clone();
            std::thread::spawn(move || {
                futures::executor::block_on(async {
                    for place in 0..EACH {
                        sender.send((number, place)).await.unwrap();
                    }
                });
            })
        })
        .collect();
    drop(sender);
    let mut newest = [0; 4];
    let received = futures::executor::block_on(receiver.fold(0, |count, (number, place)| {
        let next: &mut u64 = &mut newest[number];
        assert_eq!(place, *next, "in order");
        *next += 1;
        async move { count + 1 }
    }));
    assert_eq!(received, 4 * EACH);
    for thread in threads {
        thread.join().unwrap();
    }
}

assert_impl_all!(Sender<Cell<u8>>: Send, Sync, Unpin);
assert_impl_all!(Receiver<Cell<u8>>: Send, Sync, Unpin);
assert_impl_all!(UnboundedSender<Cell<u8>>: Send, Sync, Unpin);
assert_impl_all!(UnboundedReceiver<Cell<u8>>: Send, Sync, Unpin);
assert_not_impl_any!(Sender<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Receiver<Rc<u8>>: Send, Sync);
assert_not_impl_any!(UnboundedSender<Rc<u8>>: Send, Sync);
assert_not_impl_any!(UnboundedReceiver<Rc<u8>>: Send, Sync);
