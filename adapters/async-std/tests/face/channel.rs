//! The channel, of which async-std shows version 1.9.

/// The body, with the module that it is about by the name `channel`.
macro_rules! faces {
    ($($side:ident: $channel:path;)*) => {$(
        mod $side {
            use std::pin::pin;

            use anysync_adapter_tests::face::Task;
            use async_std::stream::Stream;
            use $channel as channel;
            use channel::{
                Receiver, Recv, RecvError, Send, SendError, Sender, TryRecvError, TrySendError,
                WeakReceiver, WeakSender, bounded, unbounded,
            };

            #[test]
            fn what_is_sent_is_received_in_order() {
                let (sender, receiver): (Sender<i32>, Receiver<i32>) = bounded(2);
                assert_eq!((sender.capacity(), receiver.capacity()), (Some(2), Some(2)));
                sender.try_send(1).unwrap();
                assert!(!sender.is_full() && !receiver.is_empty());
                sender.try_send(2).unwrap();
                assert!(receiver.is_full() && !sender.is_empty());
                assert_eq!((sender.len(), receiver.len()), (2, 2));
                let error = sender.try_send(3).unwrap_err();
                assert_eq!(error, TrySendError::Full(3));
                assert!(error.is_full() && !error.is_closed());
                assert_eq!(error.to_string(), "sending into a full channel");
                assert_eq!(format!("{error:?}"), "Full(..)");
                assert_eq!(error.into_inner(), 3);
                assert_eq!(receiver.try_recv(), Ok(1));
                assert_eq!(receiver.recv_blocking(), Ok(2));
                let error = receiver.try_recv().unwrap_err();
                assert_eq!(error, TryRecvError::Empty);
                assert!(error.is_empty() && !error.is_closed());
                assert_eq!(error.to_string(), "receiving from an empty channel");
            }

            #[test]
            fn waits_end_when_the_other_side_comes() {
                let (sender, receiver) = bounded(1);
                let (first, second) = (Task::new(), Task::new());
                let mut recv: std::pin::Pin<Box<Recv<'_, i32>>> = Box::pin(receiver.recv());
                first.pending(recv.as_mut());
                sender.send_blocking(1).unwrap();
                assert_eq!(first.ready(recv.as_mut()), Ok(1));
                sender.try_send(2).unwrap();
                let mut send: std::pin::Pin<Box<Send<'_, i32>>> = Box::pin(sender.send(3));
                second.pending(send.as_mut());
                assert_eq!(receiver.try_recv(), Ok(2));
                assert_eq!(second.ready(send.as_mut()), Ok(()));
                assert_eq!(receiver.try_recv(), Ok(3));
            }

            #[test]
            fn closed_it_refuses_and_still_delivers() {
                let (sender, receiver) = unbounded();
                assert_eq!(sender.capacity(), None);
                sender.try_send(1).unwrap();
                assert!(sender.close() && !receiver.close());
                assert!(sender.is_closed() && receiver.is_closed());
                let error = sender.try_send(2).unwrap_err();
                assert_eq!(error, TrySendError::Closed(2));
                assert!(error.is_closed() && !error.is_full());
                assert_eq!(error.to_string(), "sending into a closed channel");
                let task = Task::new();
                let error = task.ready(pin!(sender.send(3))).unwrap_err();
                assert_eq!(error, SendError(3));
                assert_eq!(error.to_string(), "sending into a closed channel");
                assert_eq!(format!("{error:?}"), "SendError(..)");
                assert_eq!(error.into_inner(), 3);
                assert_eq!(receiver.try_recv(), Ok(1));
                let error = receiver.try_recv().unwrap_err();
                assert_eq!(error, TryRecvError::Closed);
                assert!(error.is_closed());
                assert_eq!(
                    error.to_string(),
                    "receiving from an empty and closed channel"
                );
                let error = task.ready(pin!(receiver.recv())).unwrap_err();
                assert_eq!(error, RecvError);
                assert_eq!(
                    error.to_string(),
                    "receiving from an empty and closed channel"
                );
            }

            #[test]
            fn handles_are_counted_and_may_be_weak() {
                let (sender, receiver) = bounded::<u8>(1);
                let more = (sender.clone(), receiver.clone());
                assert_eq!((sender.sender_count(), sender.receiver_count()), (2, 2));
                assert_eq!((receiver.sender_count(), receiver.receiver_count()), (2, 2));
                drop(more);
                let weak: (WeakSender<u8>, WeakReceiver<u8>) =
                    (sender.downgrade(), receiver.downgrade());
                assert!(weak.0.upgrade().is_some() && weak.1.upgrade().is_some());
                drop(sender);
                assert!(weak.0.upgrade().is_none());
                assert!(receiver.is_closed(), "with its last sender");
                assert!(format!("{receiver:?}").starts_with("Receiver"));
            }

            #[test]
            fn is_a_stream() {
                let (sender, receiver) = bounded(1);
                let mut receiver = pin!(receiver);
                let task = Task::new();
                assert!(receiver.as_mut().poll_next(&mut task.context()).is_pending());
                sender.try_send(1).unwrap();
                assert_eq!(
                    receiver.as_mut().poll_next(&mut task.context()),
                    std::task::Poll::Ready(Some(1))
                );
                drop(sender);
                assert_eq!(
                    receiver.as_mut().poll_next(&mut task.context()),
                    std::task::Poll::Ready(None)
                );
            }

            #[test]
            #[should_panic(expected = "capacity cannot be zero")]
            fn nothing_fits_into_nothing() {
                let _ = bounded::<u8>(0);
            }
        }
    )*};
}

faces! {
    original: async_std::channel;
    ours: anysync_async_std::channel;
}
