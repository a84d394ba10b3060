//! What becomes of messages.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use anysync::yield_now;

use super::{put, shared, take};
use crate::cx::{Cx, Dropped};
use crate::laws::hand::Hand;
use crate::subject::{ChannelReceiver, Message, NoMessage, Subject};

const PRODUCERS: u64 = 3;
const EACH: u64 = 50;

/// What receivers have seen, each for itself.
type Seen = Vec<Vec<u64>>;

/// Sends by several tasks and receives by several, where the channel has more
/// than one receiver.
async fn run_through(cx: &Cx, subject: &dyn Subject, capacity: usize, drops: &Dropped) -> Seen {
    let (sender, receiver) = subject.channel(capacity);
    let mut receivers = vec![receiver];
    while receivers.len() < 3 {
        match receivers[0].another() {
            Some(another) => receivers.push(another),
            None => break,
        }
    }
    let receivers: Vec<_> = receivers
        .into_iter()
        .enumerate()
        .map(|(place, receiver)| {
            let io = cx.io();
            cx.spawn(format!("receiver {place}"), async move {
                let mut seen = Vec::new();
                while let Some(message) = receiver.recv(&io).await {
                    seen.push(message.number());
                }
                seen
            })
        })
        .collect();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let (sender, io, drops) = (sender.another(), cx.io(), drops.clone());
            cx.spawn(format!("producer {producer}"), async move {
                for number in 0..EACH {
                    let message = Message::counted(producer * EACH + number, &drops);
                    // Without waiting now and then.
                    let refused = match number % 3 {
                        0 => sender.try_send(message).err().map(|refused| match refused {
                            crate::subject::SendRefused::Full(message) => message,
                            refused => panic!("the channel is open: {refused:?}"),
                        }),
                        _ => Some(message),
                    };
                    if let Some(message) = refused {
                        let sent = sender.send(&io, message).await;
                        assert!(sent.is_ok(), "the channel is open");
                    }
                    if number % 16 == 0 {
                        yield_now().await;
                    }
                }
            })
        })
        .collect();
    drop(sender);
    for producer in producers {
        producer.join().await;
    }
    let mut seen = Vec::new();
    for receiver in receivers {
        seen.push(receiver.join().await);
    }
    seen
}

pub(super) async fn each_message_once(cx: Cx, subject: Arc<dyn Subject>) {
    for capacity in [1, 2, 7] {
        let drops = Dropped::new();
        let seen = run_through(&cx, &*subject, capacity, &drops).await;
        let mut all = seen.concat();
        all.sort_unstable();
        let expected: Vec<u64> = (0..PRODUCERS * EACH).collect();
        assert_eq!(all, expected, "what was received at capacity {capacity}");
        assert_eq!(drops.count(), expected.len(), "messages that were dropped");
    }
}

pub(super) async fn fifo_per_producer(cx: Cx, subject: Arc<dyn Subject>) {
    let (sender, receiver) = subject.channel(4);
    (0..4).for_each(|number| put(&*sender, number));
    take(&*receiver, 0);
    take(&*receiver, 1);
    (4..6).for_each(|number| put(&*sender, number));
    (2..6).for_each(|number| take(&*receiver, number));

    for capacity in [1, 2, 7] {
        let seen = run_through(&cx, &*subject, capacity, &Dropped::new()).await;
        for (receiver, seen) in seen.iter().enumerate() {
            for producer in 0..PRODUCERS {
                let mut of_one = seen.iter().filter(|number| *number / EACH == producer);
                assert!(
                    of_one
                        .clone()
                        .zip(of_one.by_ref().skip(1))
                        .all(|(a, b)| a < b),
                    "receiver {receiver} has seen the messages of producer {producer} in \
                     another order: {seen:?}"
                );
            }
        }
    }
}

pub(super) async fn cancelled_send_gives_back_or_never_sent(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let drops = Dropped::new();

    // Unpolled, and in the queue.
    let (sender, receiver) = subject.channel(1);
    drop(sender.send(&io, Message::counted(1, &drops)));
    assert_eq!(drops.count(), 1, "drops of an unpolled send's message");
    put(&*sender, 0);
    let mut queued = Hand::queued(sender.send(&io, Message::counted(1, &drops)));
    queued.cancel();
    assert_eq!(drops.count(), 2, "drops of a queued send's message");
    take(&*receiver, 0);
    let left = receiver.try_recv();
    assert!(left.is_err(), "a send was dropped, and sent {left:?}");

    // With a slot that it has not seen: that is the next one's.
    put(&*sender, 0);
    let mut woken = Hand::queued(sender.send(&io, Message::counted(1, &drops)));
    let mut next = Hand::queued(sender.send(&io, Message::new(2)));
    take(&*receiver, 0);
    assert!(woken.is_woken(), "a free slot woke nobody");
    woken.cancel();
    assert_eq!(drops.count(), 3, "drops of a woken send's message");
    assert!(next.is_woken(), "the slot did not reach the next");
    assert!(
        next.assert_ready("the send to which the slot was passed on")
            .is_ok()
    );
    take(&*receiver, 2);

    // A send that has returned is done.
    let mut done = Hand::new(sender.send(&io, Message::counted(3, &drops)));
    assert!(done.assert_ready("a send with a slot").is_ok());
    done.cancel();
    assert_eq!(drops.count(), 3, "a send took back what it had sent");
    take(&*receiver, 3);

    // Whatever moment an abort comes at: what returned was sent, what did not
    // was not.
    for round in 0..20 {
        let (sender, receiver) = shared(&*subject, 1);
        put(&*sender, 0);
        let (own, io) = (Arc::clone(&sender), cx.io());
        let task = async move { own.send(&io, Message::new(1)).await.is_ok() };
        let task = cx
            .spawn_queued(format!("send of round {round}"), task)
            .await;
        take(&*receiver, 0);
        if round % 2 == 1 {
            yield_now().await;
        }
        task.abort();
        match task.await {
            Ok(sent) => {
                assert!(sent, "the channel is open");
                take(&*receiver, 1);
            }
            Err(_) => {
                let left = receiver.try_recv();
                assert!(left.is_err(), "an aborted send sent {left:?}");
            }
        }
        put(&*sender, 2);
        take(&*receiver, 2);
    }
}

pub(super) async fn cancelled_recv_loses_no_message(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let (sender, receiver) = subject.channel(2);
    let mut queued = Hand::queued(receiver.recv(&io));
    queued.cancel();
    let mut woken = Hand::queued(receiver.recv(&io));
    put(&*sender, 1);
    assert!(woken.is_woken(), "a message woke nobody");
    woken.cancel();
    take(&*receiver, 1);
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Empty));

    if let Some(another) = receiver.another() {
        let mut woken = Hand::queued(receiver.recv(&io));
        let mut next = Hand::queued(another.recv(&io));
        put(&*sender, 2);
        assert!(woken.is_woken(), "a message woke nobody");
        woken.cancel();
        assert!(next.is_woken(), "the message did not reach the next");
        let message = next.assert_ready("the receive to which the message was passed on");
        assert_eq!(message.map(|message| message.number()), Some(2));
    }

    // By tasks that are aborted at any moment.
    let (sender, receiver) = shared(&*subject, 4);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut expected = Vec::new();
    for round in 0..20 {
        let task = recv_into(Arc::clone(&receiver), Arc::clone(&seen), cx.io());
        let task = cx
            .spawn_queued(format!("receive of round {round}"), task)
            .await;
        put(&*sender, round);
        expected.push(round);
        if round % 2 == 1 {
            yield_now().await;
        }
        task.abort();
        let _ = task.await;
        while let Ok(message) = receiver.try_recv() {
            record(&seen, message.number());
        }
    }
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(
        seen, expected,
        "what was received by receives that were aborted"
    );
}

fn record(seen: &Mutex<Vec<u64>>, number: u64) {
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(number);
}

/// Writes a message down in the poll that returned it.
async fn recv_into(
    receiver: Arc<dyn ChannelReceiver>,
    seen: Arc<Mutex<Vec<u64>>>,
    io: crate::cx::DynIo,
) {
    let mut recv = receiver.recv(&io);
    poll_fn(|cx| {
        let polled = recv.as_mut().poll(cx);
        if let Poll::Ready(Some(message)) = &polled {
            record(&seen, message.number());
        }
        polled.map(drop)
    })
    .await;
}
