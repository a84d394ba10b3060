//! Sends and receives that were granted a slot or a message, and are not polled.

use std::sync::Arc;
use std::task::Waker;

use crate::cx::{Cx, DynIo};
use crate::erased::BoxFuture;
use crate::laws::hand::{Hand, TURNS};
use crate::subject::{ChannelReceiver, ChannelSender, Message, Promise, Subject};
use crate::wakers::{Wakes, counting};

/// Which task's wait is polled while the other is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Of the task that keeps the other: it is polled when it is woken.
    SameTask,
    /// Of another task: it is polled again and again.
    AnotherTask,
}

/// Makes waits of a task that keeps one and polls another, or of two tasks.
struct Hands {
    whose: Whose,
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl Hands {
    fn of(whose: Whose) -> Self {
        let (wakes, waker) = counting();
        Self {
            whose,
            wakes,
            waker,
        }
    }

    fn kept<'a, T>(&self, wait: BoxFuture<'a, T>) -> Hand<'a, T> {
        Hand::with_waker(wait, Arc::clone(&self.wakes), self.waker.clone())
    }

    fn polled<'a, T>(&self, wait: BoxFuture<'a, T>) -> Hand<'a, T> {
        match self.whose {
            Whose::SameTask => self.kept(wait),
            Whose::AnotherTask => Hand::new(wait),
        }
    }

    #[track_caller]
    fn end<T>(&self, hand: &mut Hand<'_, T>, what: &str) -> T {
        match self.whose {
            Whose::SameTask => hand.goes_on(what),
            Whose::AnotherTask => hand.gets_in(TURNS, what),
        }
    }
}

pub(super) async fn kept_wait_stops_nobody(cx: Cx, subject: Arc<dyn Subject>) {
    for whose in [Whose::SameTask, Whose::AnotherTask] {
        for queued_before in [false, true] {
            cx.note(format_args!("{whose:?}, queued before: {queued_before}"));
            a_kept_send(&*subject, whose, queued_before);
            a_kept_reserve(&*subject, whose, queued_before);
            a_kept_receive(&*subject, whose, queued_before);
        }
    }
    nobody_is_bound(&*subject);
}

fn send<'a>(sender: &'a dyn ChannelSender, io: &'a DynIo, n: u64) -> BoxFuture<'a, bool> {
    let send = sender.send(io, Message::new(n));
    Box::pin(async move { send.await.is_ok() })
}

fn receive<'a>(receiver: &'a dyn ChannelReceiver, io: &'a DynIo) -> BoxFuture<'a, Option<u64>> {
    let receive = receiver.recv(io);
    Box::pin(async move { Some(receive.await?.number()) })
}

#[track_caller]
fn take(receiver: &dyn ChannelReceiver) -> u64 {
    receiver.try_recv().expect("there is a message").number()
}

fn a_kept_send(subject: &dyn Subject, whose: Whose, queued_before: bool) {
    let (io, hands) = (DynIo::bare(), Hands::of(whose));
    let (sender, receiver) = subject.channel(1);
    sender.try_send(Message::new(0)).expect("a free slot");
    let mut kept = hands.kept(send(&*sender, &io, 1));
    kept.assert_pending("a send without a slot");
    let mut other = hands.polled(send(&*sender, &io, 2));
    if queued_before {
        other.assert_pending("a send without a slot");
    }
    assert_eq!(take(&*receiver), 0);
    if other.poll().is_pending() {
        let sent = hands.end(&mut other, "a send, with another kept that has the slot,");
        assert!(sent, "an open channel");
    }
    other.cancel();
    // A channel may have taken the message of the kept one before.
    let mut got = vec![take(&*receiver)];
    assert!(kept.goes_on("the send that was kept"), "an open channel");
    while let Ok(message) = receiver.try_recv() {
        got.push(message.number());
    }
    got.sort_unstable();
    assert_eq!(got, [1, 2], "each message, once");
}

fn a_kept_reserve(subject: &dyn Subject, whose: Whose, queued_before: bool) {
    if !subject.promises().contains(&Promise::Reserve) {
        return;
    }
    let (io, hands) = (DynIo::bare(), Hands::of(whose));
    let (sender, receiver) = subject.channel(1);
    sender.try_send(Message::new(0)).expect("a free slot");
    let mut kept = hands.kept(sender.reserve(&io).expect("it is promised"));
    assert!(kept.poll().is_pending(), "a full channel has a slot");
    let mut other = hands.polled(send(&*sender, &io, 2));
    if queued_before {
        other.assert_pending("a send without a slot");
    }
    assert_eq!(take(&*receiver), 0);
    let sent = hands.end(
        &mut other,
        "a send, with a kept `reserve` that has the slot,",
    );
    assert!(sent, "an open channel");
    assert_eq!(take(&*receiver), 2);
    let permit = kept.goes_on("the `reserve` that was kept");
    permit.expect("an open channel").send(Message::new(1));
    assert_eq!(take(&*receiver), 1);
}

fn a_kept_receive(subject: &dyn Subject, whose: Whose, queued_before: bool) {
    let (io, hands) = (DynIo::bare(), Hands::of(whose));
    let (sender, receiver) = subject.channel(2);
    let Some(second) = receiver.another() else {
        return;
    };
    let mut kept = hands.kept(receive(&*second, &io));
    kept.assert_pending("a receive without a message");
    let mut other = hands.polled(receive(&*receiver, &io));
    if queued_before {
        other.assert_pending("a receive without a message");
    }
    sender.try_send(Message::new(1)).expect("a free slot");
    let got = hands.end(
        &mut other,
        "a receive, with another kept that has the message,",
    );
    assert_eq!(got, Some(1), "the message");
    sender.try_send(Message::new(2)).expect("a free slot");
    assert_eq!(kept.goes_on("the receive that was kept"), Some(2));
}

/// Where no order is kept a slot and a message are there for the first that comes.
fn nobody_is_bound(subject: &dyn Subject) {
    let (io, promises) = (DynIo::bare(), subject.promises());
    if !promises.contains(&Promise::FifoSenders) {
        let (sender, receiver) = subject.channel(1);
        sender.try_send(Message::new(0)).expect("a free slot");
        let mut kept = Hand::new(send(&*sender, &io, 1));
        kept.assert_pending("a send without a slot");
        assert_eq!(take(&*receiver), 0);
        // Unless the slot was given to the message of the one that waits.
        if sender.try_send(Message::new(2)).is_err() {
            assert_eq!(take(&*receiver), 1, "a channel without a message is full");
        }
    }
    if !promises.contains(&Promise::FifoReceivers) {
        let (sender, receiver) = subject.channel(1);
        let Some(second) = receiver.another() else {
            return;
        };
        let mut kept = Hand::new(receive(&*second, &io));
        kept.assert_pending("a receive without a message");
        sender.try_send(Message::new(1)).expect("a free slot");
        assert_eq!(take(&*receiver), 1);
    }
}
