//! Handles: counts, weak forms, errors, and a handle's own place in the queue.

use super::*;

#[test]
fn counts_follow_the_handles() {
    let (sender, receiver) = unbounded::<u8>();
    let (weak_sender, weak_receiver) = (sender.downgrade(), receiver.downgrade());
    let handles = (sender.clone(), receiver.clone(), receiver.clone());
    let weak = weak_sender.clone();
    assert_eq!((sender.sender_count(), sender.receiver_count()), (2, 3));
    assert_eq!(
        (receiver.weak_sender_count(), receiver.weak_receiver_count()),
        (2, 1)
    );
    assert_eq!(
        (weak.sender_count(), weak_receiver.receiver_count()),
        (2, 3)
    );
    drop((handles, weak));
    assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 1));
    assert_eq!(sender.weak_sender_count(), 1);
    assert!(sender.same_channel(&weak_sender.upgrade().unwrap()));
    assert!(receiver.same_channel(&weak_receiver.upgrade().unwrap()));
    assert!(sender.same_channel_as(&receiver));
    assert!(!sender.same_channel(&unbounded().0));
    assert!(weak_sender.same_channel(&sender.downgrade()));
    // `close` is not the end of the handles.
    sender.close();
    assert!(weak_sender.upgrade().is_some());
    drop(sender);
    assert!(weak_sender.upgrade().is_none());
    drop(receiver);
    assert!(weak_receiver.upgrade().is_none());
}

#[test]
fn errors_give_back_and_explain() {
    assert_eq!(SendError("m").into_inner(), "m");
    assert_eq!(TrySendError::Full(1).into_inner(), 1);
    assert!(TrySendError::Full(1).is_full() && !TrySendError::Full(1).is_closed());
    assert!(TrySendError::Closed(1).is_closed() && !TrySendError::Closed(1).is_full());
    assert_eq!(TrySendError::from(SendError(1)), TrySendError::Closed(1));
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Closed);
    assert!(TryRecvError::Empty.is_empty() && TryRecvError::Closed.is_closed());
    // A message need not be `Debug` for its error to be.
    struct Opaque;
    assert_eq!(format!("{:?}", SendError(Opaque)), "SendError { .. }");
    assert_eq!(format!("{:?}", TrySendError::Full(Opaque)), "Full(..)");
    assert_eq!(
        TrySendError::Full(Opaque).to_string(),
        "the channel is full"
    );
    assert_eq!(RecvError.to_string(), "the channel is closed and empty");
    fn is_error<E: core::error::Error>(_: E) {}
    is_error(SendError(Opaque));
    is_error(TrySendError::Closed(Opaque));
    is_error(RecvError);
    is_error(TryRecvError::Empty);
}

#[test]
fn debug_shows_the_state() {
    let (sender, receiver) = bounded(3);
    sender.try_send(1).unwrap();
    assert_eq!(
        format!("{sender:?}"),
        "Sender { len: 1, capacity: Some(3), is_closed: false, .. }"
    );
    drop(sender);
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { len: 1, capacity: Some(3), is_closed: true, .. }"
    );
    let mut recv = pin!(receiver.recv_future());
    assert_eq!(format!("{recv:?}"), r#"Recv { status: "idle", .. }"#);
    assert!(poll_noop(recv.as_mut()).is_ready());
    assert_eq!(format!("{recv:?}"), r#"Recv { status: "finished", .. }"#);
}

#[test]
fn another_receive_ends_the_handles_own_wait() {
    let (sender, mut receiver) = bounded(2);
    let (wakes, waker) = counting_waker();
    let mut cx = Context::from_waker(&waker);
    assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
    sender.try_send(1).unwrap();
    assert_eq!(wakes.count(), 1);
    // What its own wait has been promised is this receive's.
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
    sender.try_send(2).unwrap();
    let mut batch = Vec::new();
    assert_eq!(
        receiver.poll_recv_many(&Bare, &mut cx, &mut batch, 0),
        Poll::Ready(0)
    );
    assert_eq!(
        receiver.poll_recv_many(&Bare, &mut cx, &mut batch, 9),
        Poll::Ready(1)
    );
    // A handle that is dropped while it waits passes its promise on.
    let other = receiver.clone();
    assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
    let mut next = Queued::new(other.recv_future());
    sender.try_send(3).unwrap();
    drop(receiver);
    assert_eq!(next.won(), Ok(3));
    idle(other.chan());
}

#[test]
fn a_waker_may_use_the_handle_whose_own_wait_ends() {
    let (sender, mut receiver) = bounded(1);
    let waker = counting_waker().1;
    assert!(
        receiver
            .poll_recv(&Bare, &mut Context::from_waker(&waker))
            .is_pending()
    );
    let receiver: &'static Receiver<u8> = Box::leak(Box::new(receiver));
    let waker = reentrant_waker(|| {
        let _ = receiver.try_recv();
    });
    let other = receiver.clone();
    let mut next = pin!(other.recv_future());
    assert!(poll(next.as_mut(), &waker).is_pending());
    sender.try_send(1).unwrap();
    // Its own wait passes the promise on, which wakes the next.
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(poll(next.as_mut(), &waker), Poll::Ready(Ok(1)));
}

/// Several threads may end the wait of one handle at once.
#[test]
fn a_wait_of_a_handle_ends_once() {
    for round in 0..300 {
        let (sender, mut receiver) = bounded(1);
        let other = receiver.clone();
        let waker = counting_waker().1;
        let mut cx = Context::from_waker(&waker);
        assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
        let mut next = Queued::new(other.recv_future());
        sender.try_send(round).unwrap();
        scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| assert!(receiver.try_recv().is_err()));
            }
        });
        assert_eq!(next.won(), Ok(round));
        assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
        sender.try_send(round).unwrap();
        assert_eq!(receiver.poll_recv(&Bare, &mut cx), Poll::Ready(Ok(round)));
        idle(sender.chan());
    }
}
