//! How a channel ends, and what it costs while it is idle.

use std::sync::Arc;

use super::{put, take};
use crate::cx::{Cx, Dropped};
use crate::laws::hand::Hand;
use crate::subject::{ChannelSender, Message, NoMessage, SendRefused, Subject};

#[track_caller]
fn assert_closed(sender: &dyn ChannelSender) {
    match sender.try_send(Message::new(9)) {
        Err(SendRefused::Closed(message)) => assert_eq!(message.number(), 9, "what is given back"),
        other => panic!("try_send on a closed channel returned {other:?}"),
    }
}

pub(super) async fn drains_after_close(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let (sender, receiver) = subject.channel(3);
    (0..3).for_each(|number| put(&*sender, number));
    let mut waits: Vec<_> = (3..5)
        .map(|number| (number, Hand::queued(sender.send(&io, Message::new(number)))))
        .collect();
    receiver.close();
    for (number, wait) in &mut waits {
        assert!(wait.is_woken(), "the close did not wake who waits to send");
        match wait.assert_ready("a send that a close has ended") {
            Err(message) => assert_eq!(message.number(), *number, "what is given back"),
            Ok(()) => panic!("message {number} was sent after the close"),
        }
    }
    assert_closed(&*sender);
    let late = Hand::new(sender.send(&io, Message::new(7))).assert_ready("a send after the close");
    assert_eq!(late.err().map(|message| message.number()), Some(7));
    take(&*receiver, 0);
    for number in 1..3 {
        let message = Hand::new(receiver.recv(&io)).assert_ready("a receive of what is left");
        assert_eq!(message.map(|message| message.number()), Some(number));
    }
    let over = Hand::new(receiver.recv(&io)).assert_ready("a receive when nothing is left");
    assert!(over.is_none(), "a message came after the last: {over:?}");
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Closed));

    // Without a message, who waits to receive is told: where another can close
    // the channel meanwhile.
    let (_sender, receiver) = subject.channel(1);
    let Some(another) = receiver.another() else {
        return;
    };
    let mut receives = [&receiver, &another].map(|receiver| Hand::queued(receiver.recv(&io)));
    receiver.close();
    for receive in &mut receives {
        assert!(
            receive.is_woken(),
            "the close did not wake who waits to receive"
        );
        let over = receive.assert_ready("a receive that a close has ended");
        assert!(over.is_none(), "a message came from nowhere: {over:?}");
    }
}

pub(super) async fn last_handle_closes(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();

    // The senders go.
    let (sender, receiver) = subject.channel(2);
    let another = sender.another();
    let mut receive = Hand::queued(receiver.recv(&io));
    drop(sender);
    receive.assert_pending("a receive with a sender left");
    put(&*another, 1);
    let message = receive.assert_ready("a receive with a message");
    assert_eq!(message.map(|message| message.number()), Some(1));
    drop(receive);
    put(&*another, 2);
    drop(another);
    take(&*receiver, 2);
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Closed));

    let (sender, receiver) = subject.channel(2);
    let mut receive = Hand::queued(receiver.recv(&io));
    drop(sender);
    assert!(
        receive.is_woken(),
        "the last sender went, and who waits sleeps on"
    );
    let over = receive.assert_ready("a receive without a sender");
    assert!(over.is_none(), "a message came from nowhere: {over:?}");

    // The receivers go.
    let drops = Dropped::new();
    let (sender, receiver) = subject.channel(2);
    for number in 0..2 {
        let sent = sender.try_send(Message::counted(number, &drops));
        assert!(sent.is_ok(), "there is a slot");
    }
    let mut send = Hand::queued(sender.send(&io, Message::new(3)));
    if let Some(another) = receiver.another() {
        drop(another);
        send.assert_pending("a send with a receiver left");
    }
    drop(receiver);
    assert!(
        send.is_woken(),
        "the last receiver went, and who waits sleeps on"
    );
    match send.assert_ready("a send without a receiver") {
        Err(message) => assert_eq!(message.number(), 3, "what is given back"),
        Ok(()) => panic!("a message was sent to nobody"),
    }
    assert_closed(&*sender);
    drop(send);
    drop(sender);
    assert_eq!(drops.count(), 2, "drops of messages that nobody received");
}

#[cfg(not(feature = "count-allocations"))]
pub(super) async fn idle_size_is_bounded(cx: Cx, _: Arc<dyn Subject>) {
    cx.skip("the kit was built without its feature `count-allocations`");
}

#[cfg(feature = "count-allocations")]
pub(super) async fn idle_size_is_bounded(_: Cx, subject: Arc<dyn Subject>) {
    /// Bytes: handles and boxes of the kit's are among them.
    const FRESH: i64 = 1_024;
    /// What is at hand for the next burst.
    const DRAINED: i64 = 36 * 1_024;
    const CAPACITY: usize = 100_000;
    let mut ends = None;
    let fresh = allocation_counter::measure(|| ends = Some(subject.channel(CAPACITY)));
    let used = allocation_counter::measure(|| {
        let (sender, receiver) = ends.as_ref().expect("it was made");
        for round in 0..4 {
            for number in 0..10_000 {
                put(&**sender, round * number);
            }
            for number in 0..10_000 {
                take(&**receiver, round * number);
            }
        }
    });
    for (what, bytes, enough) in [
        ("a fresh channel", fresh.bytes_current, FRESH),
        (
            "a channel that was drained",
            fresh.bytes_current + used.bytes_current,
            DRAINED,
        ),
    ] {
        assert!(
            bytes <= enough,
            "{what} keeps {bytes} bytes, and at most {enough} would do"
        );
    }
}
