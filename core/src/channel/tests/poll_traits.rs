//! The channel polled by hand, as a `Stream` and as a `Sink`.

use super::*;

#[test]
fn a_try_in_place_keeps_the_wait() {
    let (sender, mut receiver) = bounded(2);
    let other = receiver.clone();
    let (wakes, waker) = counting_waker();
    let mut cx = Context::from_waker(&waker);
    assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
    let mut behind = Queued::new(other.recv_future());
    assert_eq!(receiver.try_recv_in_place(), Err(TryRecvError::Empty));
    // It is still the first.
    sender.try_send(1).unwrap();
    assert_eq!(wakes.count(), 1);
    sender.try_send(2).unwrap();
    assert_eq!(receiver.try_recv_in_place(), Ok(1));
    assert_eq!(receiver.try_recv_in_place(), Err(TryRecvError::Empty));
    assert_eq!(behind.won(), Ok(2));
    assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
    sender.close();
    assert_eq!(wakes.count(), 2);
    assert_eq!(receiver.try_recv_in_place(), Err(TryRecvError::Closed));
    assert_eq!(receiver.try_recv_in_place(), Err(TryRecvError::Closed));
    idle(sender.chan());
}

#[cfg(feature = "futures-core")]
#[test]
fn a_receiver_is_a_stream() {
    use futures_core::Stream;
    use futures_core::stream::FusedStream;

    let (sender, mut receiver) = bounded(2);
    let (wakes, waker) = counting_waker();
    let mut cx = Context::from_waker(&waker);
    let mut next = |receiver: &mut Receiver<u8>| Pin::new(receiver).poll_next(&mut cx);
    assert!(next(&mut receiver).is_pending());
    sender.try_send(1).unwrap();
    assert_eq!(wakes.count(), 1);
    sender.try_send(2).unwrap();
    assert_eq!(next(&mut receiver), Poll::Ready(Some(1)));
    drop(sender);
    assert!(!receiver.is_terminated());
    assert_eq!(next(&mut receiver), Poll::Ready(Some(2)));
    assert!(receiver.is_terminated());
    assert_eq!(next(&mut receiver), Poll::Ready(None));
    assert_eq!(next(&mut receiver), Poll::Ready(None));
}

#[cfg(feature = "futures-sink")]
#[test]
fn a_sender_is_a_sink() {
    use futures_sink::Sink;

    let (mut sender, receiver) = bounded(1);
    let (wakes, waker) = counting_waker();
    let mut cx = Context::from_waker(&waker);
    let message = panic_message(|| {
        let _ = Pin::new(&mut sender).start_send(0);
    });
    assert!(message.contains("before `poll_ready`"), "{message}");
    let mut ready = |sender: &mut Sender<u8>| Pin::new(sender).poll_ready(&mut cx);
    assert_eq!(ready(&mut sender), Poll::Ready(Ok(())));
    assert_eq!(ready(&mut sender), Poll::Ready(Ok(())));
    assert_eq!(receiver.free_slots(), Some(0));
    assert_eq!(Pin::new(&mut sender).start_send(1), Ok(()));
    // It waits in the queue like any other.
    assert!(ready(&mut sender).is_pending());
    let other = sender.clone();
    let mut later = Queued::new(other.send_future(3));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(wakes.count(), 1);
    assert_eq!(ready(&mut sender), Poll::Ready(Ok(())));
    assert_eq!(Pin::new(&mut sender).start_send(2), Ok(()));
    assert_eq!(drain(&receiver), [2]);
    later.won().unwrap();
    assert_eq!(drain(&receiver), [3]);
    // Dropped, or closed as a sink, it gives its slot back.
    assert_eq!(ready(&mut sender), Poll::Ready(Ok(())));
    assert!(
        Pin::new(&mut sender)
            .poll_close(&mut Context::from_waker(&waker))
            .is_ready()
    );
    assert_eq!(receiver.free_slots(), Some(1));
    assert_eq!(ready(&mut sender), Poll::Ready(Ok(())));
    drop(sender);
    assert_eq!(receiver.free_slots(), Some(1));

    let mut sender = other.clone();
    assert_eq!(ready(&mut sender), Poll::Ready(Ok(())));
    drop(receiver);
    assert_eq!(Pin::new(&mut sender).start_send(4), Err(SendError(Some(4))));
    assert_eq!(ready(&mut sender), Poll::Ready(Err(SendError(None))));
    idle(other.chan());
}
