//! The laws of Broadcast.

use std::sync::Arc;

use anysync::yield_now;

use crate::backend::Capability::{Spawn, Threads};
use crate::cx::{Cx, Dropped};
use crate::law::{About, Law};
use crate::laws::hand::Hand;
use crate::run;
use crate::subject::{
    BroadcastReceiver, BroadcastSender, Kind, Missed, Subject, Token, broadcast_leave,
};

const ABOUT: About = About::Kinds(&[Kind::Broadcast]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "broadcast::everyone_gets_everything_in_order",
        ABOUT,
        "Each receiver gets each message that was sent since it came, in one order for all.",
        "Number the messages under one lock; a receiver remembers the number of its next.",
        run!(everyone_gets_everything_in_order),
    )
    .because("Receivers that saw different orders come to different states.")
    .seen_in(&["tokio-rs/tokio#2123"])
    .needs(&[Spawn]),
    Law::must(
        "broadcast::lag_is_counted_exactly",
        ABOUT,
        "A receiver that was left behind is told how many messages it has missed, and goes on \
         with the oldest that is left.",
        "The difference of two numbers: of its next, and of the oldest in the ring.",
        run!(lag_is_counted_exactly),
    )
    .because("Who has missed something must know how much, to load the rest or give up.")
    .seen_in(&["tokio-rs/tokio#2123", "tokio-rs/tokio#2448"]),
    Law::must(
        "broadcast::slow_receiver_blocks_nobody",
        ABOUT,
        "A receiver that does not read keeps nobody from sending, and nobody else from \
         receiving.",
        "Let the oldest message go when the ring is full.",
        run!(slow_receiver_blocks_nobody),
    )
    .because("One stalled client must not stop the others."),
    Law::must(
        "broadcast::value_dropped_after_last_reader",
        ABOUT,
        "A message is dropped when the last receiver that it was for has read it, has gone, or \
         was left behind.",
        "Count down those who are still to read it, and take it out at zero.",
        run!(value_dropped_after_last_reader),
    )
    .because(
        "A message that nobody will read is memory, and a receiver that goes must not panic \
         over those that it has not read.",
    )
    .seen_in(&["tokio-rs/tokio#2533", "tokio-rs/tokio#3434"]),
    Law::should(
        "broadcast::lagging_receiver_leaves_at_once",
        ABOUT,
        "A receiver that is far behind leaves without holding up those who send and receive.",
        "Count it off the messages that it has not read some dozens at a time, and let go of the \
         lock in between.",
        run!(lagging_receiver_leaves_at_once),
    )
    .because("The slowest client is the one that goes away, and nobody else may wait for it.")
    .needs(&[Threads])
    .once()
    .timed(),
];

async fn lagging_receiver_leaves_at_once(cx: Cx, subject: Arc<dyn Subject>) {
    let held_up = cx.thread("a receiver that leaves", move || {
        super::stalls::held_up(&|size| broadcast_leave(&subject, size))
    });
    if let Some(story) = held_up.join().await {
        panic!("{story}");
    }
}

#[track_caller]
fn send(sender: &dyn BroadcastSender, number: u64) {
    let sent = sender.send(Arc::new(Token::new(number)));
    assert!(sent.is_ok(), "there is a receiver");
}

#[track_caller]
fn assert_next(receiver: &mut dyn BroadcastReceiver, expected: Result<u64, Missed>) {
    let next = receiver.try_recv().map(|message| message.number());
    assert_eq!(next, expected, "what a receiver got");
}

async fn everyone_gets_everything_in_order(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let sender = subject.broadcast(4);
    let mut receivers = [sender.subscribe(), sender.subscribe()];
    for round in 0..3 {
        for number in 0..4 {
            send(&*sender, 10 * round + number);
        }
        // One has it all at once; each message is for the other, too.
        for receiver in &mut receivers {
            for number in 0..4 {
                assert_next(&mut **receiver, Ok(10 * round + number));
            }
            assert_next(&mut **receiver, Err(Missed::Empty));
        }
    }
    // To those who wait, and not to who comes later.
    let [first, second] = &mut receivers;
    let mut waits = [first, second].map(|receiver| Hand::queued(receiver.recv(&io)));
    send(&*sender, 77);
    let mut late = sender.subscribe();
    for wait in &mut waits {
        assert!(wait.is_woken(), "a message woke not all who wait");
        let message = wait.assert_ready("a receive with a message");
        assert_eq!(message.map(|message| message.number()), Ok(77));
    }
    assert_next(&mut *late, Err(Missed::Empty));
    drop(waits);
    drop(sender);
    let closed = Hand::new(late.recv(&io)).assert_ready("a receive without a sender");
    assert_eq!(closed.err(), Some(Missed::Closed));

    // By tasks; nobody can be left behind.
    const SENDERS: u64 = 2;
    const EACH: u64 = 100;
    let sender = subject.broadcast(256);
    let receivers: Vec<_> = (0..3)
        .map(|place| {
            let (mut receiver, io) = (sender.subscribe(), cx.io());
            cx.spawn(format!("receiver {place}"), async move {
                let mut seen = Vec::new();
                loop {
                    match receiver.recv(&io).await {
                        Ok(message) => seen.push(message.number()),
                        Err(Missed::Closed) => return seen,
                        Err(other) => panic!("a receiver got {other:?}"),
                    }
                }
            })
        })
        .collect();
    for place in 0..SENDERS {
        let sender = sender.another();
        let sends = async move {
            for number in 0..EACH {
                send(&*sender, place * EACH + number);
                if number % 10 == 0 {
                    yield_now().await;
                }
            }
        };
        cx.spawn(format!("sender {place}"), sends).detach();
    }
    drop(sender);
    let mut orders = Vec::new();
    for receiver in receivers {
        orders.push(receiver.join().await);
    }
    let first = &orders[0];
    assert!(
        orders.iter().all(|order| order == first),
        "receivers have seen different orders: {orders:?}"
    );
    for place in 0..SENDERS {
        let of_one = first.iter().filter(|number| **number / EACH == place);
        let expected = place * EACH..(place + 1) * EACH;
        assert!(
            of_one.copied().eq(expected),
            "the messages of sender {place} in another order: {first:?}"
        );
    }
}

async fn lag_is_counted_exactly(cx: Cx, subject: Arc<dyn Subject>) {
    const CAPACITY: u64 = 4;
    let io = cx.io();
    for read in [0, 1, 4] {
        for missed in [0, 1, 3, 4, 5, 100] {
            let sender = subject.broadcast(CAPACITY as usize);
            let mut receiver = sender.subscribe();
            (0..read).for_each(|number| send(&*sender, number));
            (0..read).for_each(|number| assert_next(&mut *receiver, Ok(number)));
            let first = read + missed;
            let end = first + CAPACITY;
            (read..end).for_each(|number| send(&*sender, number));
            if missed > 0 {
                assert_next(&mut *receiver, Err(Missed::Lagged(missed)));
            }
            (first..end).for_each(|number| assert_next(&mut *receiver, Ok(number)));
            assert_next(&mut *receiver, Err(Missed::Empty));
        }
        cx.yield_turns(1).await;
    }

    // Again and again, and by a receive that waits.
    let sender = subject.broadcast(CAPACITY as usize);
    let mut receiver = sender.subscribe();
    (0..6).for_each(|number| send(&*sender, number));
    assert_next(&mut *receiver, Err(Missed::Lagged(2)));
    (6..8).for_each(|number| send(&*sender, number));
    assert_next(&mut *receiver, Err(Missed::Lagged(2)));
    assert_next(&mut *receiver, Ok(4));
    (5..8).for_each(|number| assert_next(&mut *receiver, Ok(number)));
    let mut wait = Hand::queued(receiver.recv(&io));
    (8..15).for_each(|number| send(&*sender, number));
    let missed = wait.assert_ready("a receive that was left behind");
    assert_eq!(missed.err(), Some(Missed::Lagged(3)));
    drop(wait);
    assert_next(&mut *receiver, Ok(11));

    // What is left is there after the last sender, too.
    (15..17).for_each(|number| send(&*sender, number));
    drop(sender);
    assert_next(&mut *receiver, Err(Missed::Lagged(1)));
    (13..17).for_each(|number| assert_next(&mut *receiver, Ok(number)));
    assert_next(&mut *receiver, Err(Missed::Closed));
}

async fn slow_receiver_blocks_nobody(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let sender = subject.broadcast(4);
    let mut slow = sender.subscribe();
    let mut fast = sender.subscribe();
    for number in 0..100 {
        let mut wait = Hand::queued(fast.recv(&io));
        send(&*sender, number);
        assert!(wait.is_woken(), "a message woke nobody, as another is slow");
        let message = wait.assert_ready("a receive, as another is slow");
        assert_eq!(message.map(|message| message.number()), Ok(number));
    }
    assert_next(&mut *slow, Err(Missed::Lagged(96)));
    (96..100).for_each(|number| assert_next(&mut *slow, Ok(number)));
    assert_next(&mut *slow, Err(Missed::Empty));

    // One that has given up its wait is no different.
    Hand::queued(slow.recv(&io)).cancel();
    (100..110).for_each(|number| send(&*sender, number));
    drop(slow);
    assert_next(&mut *fast, Err(Missed::Lagged(6)));
    (106..110).for_each(|number| assert_next(&mut *fast, Ok(number)));
}

async fn value_dropped_after_last_reader(_: Cx, subject: Arc<dyn Subject>) {
    let drops = Dropped::new();
    let counted = |number| Arc::new(Token::counted(number, &drops));
    let sender = subject.broadcast(4);

    let refused = sender.send(counted(0));
    assert_eq!(refused.map_err(|message| message.number()), Err(0));
    assert_eq!(
        drops.count(),
        1,
        "drops of a message that nobody could read"
    );

    // Read by both.
    let mut first = sender.subscribe();
    let mut second = sender.subscribe();
    assert!(sender.send(counted(1)).is_ok(), "there are receivers");
    assert_next(&mut *first, Ok(1));
    assert_eq!(drops.count(), 1, "drops, as one is still to read");
    assert_next(&mut *second, Ok(1));
    assert_eq!(drops.count(), 2, "drops, as the last has read");

    // Read by one, and the other goes.
    assert!(sender.send(counted(2)).is_ok(), "there are receivers");
    assert!(sender.send(counted(3)).is_ok(), "there are receivers");
    assert_next(&mut *first, Ok(2));
    drop(second);
    assert_eq!(drops.count(), 3, "drops, as who had not read has gone");
    assert_next(&mut *first, Ok(3));
    assert_eq!(drops.count(), 4, "drops, as the last has read");

    // Left behind.
    for number in 0..6 {
        assert!(sender.send(counted(number)).is_ok(), "there is a receiver");
    }
    assert_eq!(drops.count(), 6, "drops, as two of six had to go");
    drop(first);
    assert_eq!(drops.count(), 10, "drops, as the last receiver has gone");

    // Read after the sender has gone.
    let mut last = sender.subscribe();
    assert!(sender.send(counted(7)).is_ok(), "there is a receiver");
    assert!(sender.send(counted(8)).is_ok(), "there is a receiver");
    drop(sender);
    assert_next(&mut *last, Ok(7));
    drop(last);
    assert_eq!(drops.count(), 12, "drops, as all have gone");
}
