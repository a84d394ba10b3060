//! The laws of Oneshot.

use std::sync::Arc;

use anysync::yield_now;

use crate::backend::Capability::Spawn;
use crate::cx::{Cx, Dropped};
use crate::law::{About, Law};
use crate::laws::hand::Hand;
use crate::run;
use crate::subject::{Kind, Message, NoMessage, OneshotReceiver, Subject};

const ABOUT: About = About::Kinds(&[Kind::Oneshot]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "oneshot::delivers_once",
        ABOUT,
        "What was sent is received, before or after the receiver came to wait, and once.",
        "Take the value out by the change of state that ends the receiver's wait.",
        run!(delivers_once),
    )
    .because("It is what the channel is for.")
    .seen_in(&["irrustible/async-oneshot#9"])
    .needs(&[Spawn]),
    Law::must(
        "oneshot::dropped_sender_is_an_error",
        ABOUT,
        "A sender that is dropped unused ends the receiver's wait with an error.",
        "In the sender's `Drop`, change the state and wake the receiver.",
        run!(dropped_sender_is_an_error),
    )
    .because("The task that was to answer has panicked, and the caller waits.")
    .seen_in(&["rust-lang/futures-rs#909"]),
    Law::must(
        "oneshot::send_to_dropped_receiver_gives_back",
        ABOUT,
        "A send that nobody can receive gives the value back.",
        "Decide by one change of state whether the send or the close was first.",
        run!(send_to_dropped_receiver_gives_back),
    )
    .because("The answer may be a connection that its maker wants back.")
    .seen_in(&["rust-lang/futures-rs#624"]),
    Law::must(
        "oneshot::value_is_dropped_once",
        ABOUT,
        "The value is dropped once: by who received it, by who got it back, or with the \
         receiver.",
        "Whoever leaves second owns a value that nobody took.",
        run!(value_is_dropped_once),
    )
    .because("Three may drop it: sender, receiver, and the channel, and they race.")
    .seen_in(&["tokio-rs/tokio#4225"]),
    Law::must(
        "oneshot::sender_sees_closing",
        ABOUT,
        "A sender sees, and can wait for, that the receiver was closed or dropped.",
        "Keep a waker for the sender as well, and wake it when the receiver goes.",
        run!(sender_sees_closing),
    )
    .because(
        "Nobody wants the answer any more: the work can stop, and what the receiver's task \
         held can go.",
    )
    .seen_in(&["tokio-rs/tokio#7884", "restatedev/restate#4327"]),
];

#[track_caller]
fn assert_receives(receiver: &mut dyn OneshotReceiver, cx: &Cx, expected: u64) {
    let io = cx.io();
    let message = Hand::new(receiver.recv(&io)).assert_ready("a receive of what was sent");
    let number = message.map(|message| message.number());
    assert_eq!(number, Some(expected), "what was received");
}

async fn delivers_once(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();

    // Sent before.
    let (sender, mut receiver) = subject.oneshot();
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Empty));
    assert!(sender.send(Message::new(1)).is_ok(), "there is a receiver");
    assert_receives(&mut *receiver, &cx, 1);
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Closed));

    let (sender, mut receiver) = subject.oneshot();
    assert!(sender.send(Message::new(2)).is_ok(), "there is a receiver");
    let number = receiver.try_recv().map(|message| message.number());
    assert_eq!(number, Ok(2), "what was received");
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Closed));

    // Sent to one that waits; a wait that was given up takes nothing away.
    let (sender, mut receiver) = subject.oneshot();
    Hand::queued(receiver.recv(&io)).cancel();
    let recv = Hand::queued(receiver.recv(&io));
    assert!(sender.send(Message::new(3)).is_ok(), "there is a receiver");
    assert!(recv.is_woken(), "the send woke nobody");
    drop(recv);
    assert_receives(&mut *receiver, &cx, 3);
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Closed));

    // By tasks.
    for round in 0..100 {
        let (sender, receiver) = subject.oneshot();
        let io = cx.io();
        let recv = async move { receiver.into_recv(&io).await };
        let recv = cx.spawn(format!("receiver {round}"), recv);
        let send = cx.spawn(format!("sender {round}"), async move {
            if round % 3 == 0 {
                yield_now().await;
            }
            sender.send(Message::new(round)).is_ok()
        });
        assert!(send.join().await, "there is a receiver");
        let number = recv.join().await.map(|message| message.number());
        assert_eq!(number, Some(round), "what was received");
    }
}

async fn dropped_sender_is_an_error(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let (sender, mut receiver) = subject.oneshot();
    let mut recv = Hand::queued(receiver.recv(&io));
    drop(sender);
    assert!(recv.is_woken(), "the sender went, and who waits sleeps on");
    let message = recv.assert_ready("a receive without a sender");
    assert!(
        message.is_none(),
        "a message came from nowhere: {message:?}"
    );
    drop(recv);
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Closed));

    let (sender, mut receiver) = subject.oneshot();
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Empty));
    drop(sender);
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Closed));

    let (sender, mut receiver) = subject.oneshot();
    drop(sender);
    let message = Hand::new(receiver.recv(&io)).assert_ready("a receive without a sender");
    assert!(
        message.is_none(),
        "a message came from nowhere: {message:?}"
    );
}

async fn send_to_dropped_receiver_gives_back(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let (sender, receiver) = subject.oneshot();
    drop(receiver);
    let refused = sender.send(Message::new(1)).err();
    assert_eq!(refused.map(|message| message.number()), Some(1));

    // Closed, it is there still, and gets nothing.
    let (sender, mut receiver) = subject.oneshot();
    Hand::queued(receiver.recv(&io)).cancel();
    receiver.close();
    let refused = sender.send(Message::new(2)).err();
    assert_eq!(refused.map(|message| message.number()), Some(2));
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Closed));

    // With the wait goes the receiver that it had.
    let (sender, receiver) = subject.oneshot();
    let mut recv = Hand::queued(receiver.into_recv(&io));
    recv.cancel();
    let refused = sender.send(Message::new(3)).err();
    assert_eq!(refused.map(|message| message.number()), Some(3));

    // What was sent before the close is there.
    let (sender, mut receiver) = subject.oneshot();
    assert!(sender.send(Message::new(4)).is_ok(), "there is a receiver");
    receiver.close();
    let number = receiver.try_recv().map(|message| message.number());
    assert_eq!(number, Ok(4), "what was sent before the close");
}

async fn value_is_dropped_once(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let drops = Dropped::new();
    let message = || Message::counted(1, &drops);

    let (sender, mut receiver) = subject.oneshot();
    assert!(sender.send(message()).is_ok(), "there is a receiver");
    let received = receiver.try_recv();
    assert_eq!(drops.count(), 0, "drops, as the value is with its receiver");
    drop(received);
    drop(receiver);
    assert_eq!(drops.count(), 1, "drops of a value that was received");

    let (sender, receiver) = subject.oneshot();
    assert!(sender.send(message()).is_ok(), "there is a receiver");
    assert_eq!(drops.count(), 1, "drops, as the value waits");
    drop(receiver);
    assert_eq!(drops.count(), 2, "drops of a value that was not received");

    let (sender, receiver) = subject.oneshot();
    let mut recv = Hand::queued(receiver.into_recv(&io));
    assert!(sender.send(message()).is_ok(), "there is a receiver");
    recv.cancel();
    assert_eq!(drops.count(), 3, "drops of a value whose wait was dropped");

    let (sender, receiver) = subject.oneshot();
    drop(receiver);
    let refused = sender.send(message());
    assert_eq!(drops.count(), 3, "drops, as the value is given back");
    drop(refused);
    assert_eq!(drops.count(), 4, "drops of a value that was given back");
}

async fn sender_sees_closing(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    for by_drop in [true, false] {
        let (mut sender, receiver) = subject.oneshot();
        let mut receiver = Some(receiver);
        assert!(!sender.is_closed(), "there is a receiver");
        Hand::queued(sender.closed(&io)).cancel();
        let mut closed = Hand::queued(sender.closed(&io));
        match by_drop {
            true => drop(receiver.take()),
            false => receiver.as_mut().expect("it is there").close(),
        }
        assert!(
            closed.is_woken(),
            "the receiver went, and the sender sleeps on"
        );
        closed.assert_ready("a wait for a close that has come");
        drop(closed);
        assert!(sender.is_closed(), "there is no receiver");
        Hand::new(sender.closed(&io)).assert_ready("a wait for a close that was before");
    }
}
