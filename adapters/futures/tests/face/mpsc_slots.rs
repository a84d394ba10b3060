// Included for the original and for ours, with `channel` for its module.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;

use anysync_adapter_tests::face::Task;
use channel::mpsc::{self, Sender};
use futures::{Sink, SinkExt, Stream, StreamExt};

/// How many messages `sender` sends before it is full.
fn room(sender: &mut Sender<u32>) -> usize {
    (0..1_000)
        .take_while(|&i| sender.try_send(i).is_ok())
        .count()
}

#[test]
fn an_empty_channel_keeps_its_bound_after_a_race() {
    for buffer in [0, 1, 3] {
        let (sender, mut receiver) = mpsc::channel::<u32>(buffer);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let senders: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        for i in 0..5_000 {
                            let _ = sender.clone().try_send(i);
                        }
                    })
                })
                .collect();
            let receive = scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let _ = receiver.try_recv();
                }
                while receiver.try_recv().is_ok() {}
                receiver
            });
            for sender in senders {
                sender.join().unwrap();
            }
            is_over.store(true, Ordering::SeqCst);
            let _receiver = receive.join().unwrap();
            assert_eq!(room(&mut sender.clone()), buffer + 1);
        });
    }
}

#[test]
fn a_sender_that_is_dropped_keeps_its_message_in_the_count() {
    let (sender, mut receiver) = mpsc::channel::<u32>(1);
    for i in 0..10 {
        sender.clone().try_send(i).unwrap();
    }
    let mut stays = sender.clone();
    stays.try_send(10).unwrap();
    for i in 0..10 {
        assert!(stays.try_send(9).unwrap_err().is_full(), "before {i}");
        assert_eq!(receiver.try_recv(), Ok(i));
    }
    assert_eq!(room(&mut stays), 1);
}

#[test]
fn each_sender_keeps_its_own_slot() {
    let (mut mine, mut receiver) = mpsc::channel::<u32>(0);
    let mut other = mine.clone();
    mine.try_send(1).unwrap();
    assert_eq!(receiver.try_recv(), Ok(1));
    other.try_send(2).unwrap();
    assert_eq!(mine.try_send(3), Ok(()));
    assert!(other.try_send(4).unwrap_err().is_full());
}

#[test]
fn each_sender_keeps_its_own_slot_when_it_feeds() {
    let (mut mine, mut receiver) = mpsc::channel::<u32>(0);
    let mut other = mine.clone();
    let task = Task::new();
    task.ready(pin!(mine.feed(1))).unwrap();
    assert_eq!(task.ready(pin!(receiver.next())), Some(1));
    task.ready(pin!(other.feed(2))).unwrap();
    task.ready(pin!(mine.feed(3))).unwrap();
    task.pending(pin!(other.feed(4)));
    assert_eq!(task.ready(pin!(receiver.next())), Some(2));
    assert!(task.woken());
    task.ready(pin!(other.feed(5))).unwrap();
}

#[test]
fn a_sender_is_let_go_although_it_moved_to_another_task() {
    let (mut sender, mut receiver) = mpsc::channel::<u32>(0);
    let (before, now) = (Task::new(), Task::new());
    sender.try_send(1).unwrap();
    assert!(sender.poll_ready(&mut before.context()).is_pending());
    assert!(sender.poll_ready(&mut now.context()).is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!((before.wakes(), now.wakes()), (0, 1));
}

#[test]
fn closed_by_a_sender_the_parked_are_still_parked() {
    let (mut parked, mut receiver) = mpsc::channel::<u32>(0);
    let mut other = parked.clone();
    let task = Task::new();
    parked.try_send(1).unwrap();
    other.close_channel();
    assert!(parked.try_send(2).unwrap_err().is_full());
    assert!(other.try_send(2).unwrap_err().is_disconnected());
    assert!(matches!(
        parked.poll_ready(&mut task.context()),
        Poll::Ready(Err(error)) if error.is_disconnected()
    ));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(parked.try_send(2).unwrap_err().is_disconnected());
}

#[test]
fn a_receiver_that_another_task_closed_is_told_when_the_last_sender_goes() {
    macro_rules! told {
        ($channel:expr) => {
            for by_closing in [true, false] {
                #[allow(unused_mut)]
                let (mut sender, mut receiver) = $channel;
                let other = sender.clone();
                let task = Task::new();
                assert!(
                    Pin::new(&mut receiver)
                        .poll_next(&mut task.context())
                        .is_pending()
                );
                receiver.close();
                drop(other);
                assert!(!task.woken(), "there is another sender");
                if by_closing {
                    sender.close_channel();
                } else {
                    drop(sender);
                }
                assert_eq!(task.wakes(), 1);
                assert_eq!(
                    Pin::new(&mut receiver).poll_next(&mut task.context()),
                    Poll::Ready(None)
                );
            }
        };
    }
    told!(mpsc::channel::<u32>(1));
    told!(mpsc::unbounded::<u32>());
}

#[test]
fn a_sink_is_flushed_when_it_is_not_parked() {
    let (mut sender, mut receiver) = mpsc::channel::<u32>(1);
    let mut cx = Task::new();
    let mut flush = |sender: &mut Sender<u32>| {
        cx = Task::new();
        Pin::new(sender).poll_flush(&mut cx.context())
    };
    sender.try_send(1).unwrap();
    assert_eq!(flush(&mut sender), Poll::Ready(Ok(())));
    sender.try_send(2).unwrap();
    assert_eq!(flush(&mut sender), Poll::Pending);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(flush(&mut sender), Poll::Ready(Ok(())));
    sender.try_send(3).unwrap();
    receiver.close();
    assert_eq!(flush(&mut sender), Poll::Ready(Ok(())));
}
