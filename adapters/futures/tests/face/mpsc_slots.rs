// Included for the original and for ours, with `channel` for its module.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;

use anysync_adapter_tests::face::Task;
use channel::mpsc::{self, Sender};
use futures::executor::block_on;
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
                        for i in 0..30_000 {
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
fn a_sender_that_another_task_disconnected_is_told_in_its_turn() {
    let (mut sender, mut receiver) = mpsc::channel::<u32>(0);
    let _other = sender.clone();
    let task = Task::new();
    sender.try_send(1).unwrap();
    assert!(sender.poll_ready(&mut task.context()).is_pending());
    sender.disconnect();
    assert!(!task.woken());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(task.wakes(), 1);
    assert!(matches!(
        sender.poll_ready(&mut task.context()),
        Poll::Ready(Err(error)) if error.is_disconnected()
    ));
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

/// Threads that send in every way, and clone and drop senders as they go: what was
/// taken is received, in the order of each, and all of them end.
#[test]
fn a_storm_loses_nothing() {
    let seed = match std::env::var("ANYSYNC_SEED") {
        Ok(seed) => seed.parse().expect("ANYSYNC_SEED is a number"),
        Err(_) => RandomState::new().build_hasher().finish(),
    };
    println!("to repeat it: ANYSYNC_SEED={seed}");
    for round in 0..20 {
        let draw = seed.wrapping_add(round).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (sender, mut receiver) = mpsc::channel::<(u64, u32)>((draw >> 60) as usize % 4);
        let threads: Vec<_> = (0..3_u64)
            .map(|number| {
                let sender = sender.clone();
                let random = draw ^ (number + 1).wrapping_mul(0x2545_f491_4f6c_dd1d) | 1;
                thread::spawn(move || stormy(sender, number, random))
            })
            .collect();
        drop(sender);
        let mut received = [0; 3];
        let closes_after = (draw >> 50) as u32 % 2_000;
        block_on(async {
            while let Some((number, count)) = receiver.next().await {
                let newest = &mut received[number as usize];
                assert_eq!(count, *newest, "in its order");
                *newest += 1;
                if received.iter().sum::<u32>() == closes_after {
                    receiver.close();
                }
            }
        });
        let sent: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(received[..], sent);
    }
}

/// How many messages this sent until it had sent enough, or the channel was closed.
fn stormy(mut sender: Sender<(u64, u32)>, number: u64, mut random: u64) -> u32 {
    let mut sent = 0;
    while sent < 500 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let message = (number, sent);
        let task = Task::new();
        let outcome = match random % 6 {
            0 | 1 => block_on(sender.send(message)),
            2 => block_on(sender.feed(message)),
            3 => {
                sender = sender.clone();
                sender.start_send(message)
            }
            // A wait that is given up: another task waits for the sender's turn.
            4 => match sender.poll_ready(&mut task.context()) {
                Poll::Ready(Ok(())) => sender.start_send(message),
                Poll::Ready(Err(error)) => Err(error),
                Poll::Pending => continue,
            },
            _ => sender
                .try_send(message)
                .map_err(|error| error.into_send_error()),
        };
        match outcome {
            Ok(()) => sent += 1,
            Err(error) if error.is_full() => thread::yield_now(),
            Err(_) => break,
        }
    }
    sent
}
