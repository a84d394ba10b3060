//! Who gets a slot, and who a message.

use std::sync::Arc;

use super::{assert_full, put, take};
use crate::cx::Cx;
use crate::laws::hand::Hand;
use crate::subject::{Message, NoMessage, Subject};

pub(super) async fn capacity_is_a_bound(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    for capacity in [1, 2, 3, 5, 64, 100] {
        let (sender, receiver) = subject.channel(capacity);
        for number in 0..capacity as u64 {
            put(&*sender, number);
        }
        assert_full(&*sender, "with as many messages as it holds,");
        let mut sends: Vec<_> = (0..3)
            .map(|place| Hand::queued(sender.send(&io, Message::new(1_000 + place))))
            .collect();
        take(&*receiver, 0);
        let mut ready = 0;
        for send in &mut sends {
            ready += usize::from(send.poll().is_ready());
        }
        assert_eq!(ready, 1, "sends that found a slot after one receive");
        assert_full(&*sender, "after one receive and one send,");
        drop(sends);

        let mut count = 0;
        while receiver.try_recv().is_ok() {
            count += 1;
        }
        assert_eq!(count, capacity, "messages in a full channel");
        cx.yield_turns(1).await;
    }
}

pub(super) async fn waiting_senders_are_fifo(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let (sender, receiver) = subject.channel(1);
    let another = sender.another();
    put(&*sender, 0);
    let mut sends: Vec<_> = (1..=4)
        .map(|number| {
            let sender = if number % 2 == 0 { &sender } else { &another };
            Hand::queued(sender.send(&io, Message::new(number)))
        })
        .collect();
    // One that leaves the queue changes nothing for the others.
    sends.remove(1).cancel();
    let expected = [1, 3, 4];
    for (place, number) in expected.into_iter().enumerate() {
        if place == 0 {
            take(&*receiver, 0);
        } else {
            take(&*receiver, expected[place - 1]);
        }
        for (other, send) in sends.iter().enumerate().skip(place) {
            assert_eq!(
                send.is_woken_anew(),
                other == place,
                "whom receive {place} woke"
            );
        }
        assert_full(&*another, "while a slot is for who waited,");
        for send in sends.iter_mut().skip(place + 1).rev() {
            send.assert_pending("a send behind the one whose turn it is");
        }
        let sent = sends[place].assert_ready(&format!("the send of message {number}"));
        assert!(sent.is_ok(), "the channel is open");
    }
    take(&*receiver, 4);
}

pub(super) async fn waiting_receivers_are_fifo(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let (sender, receiver) = subject.channel(4);
    let another = receiver.another().expect("it promises many receivers");
    let mut receives: Vec<_> = (0..4)
        .map(|place| {
            let receiver = if place % 2 == 0 { &receiver } else { &another };
            Hand::queued(receiver.recv(&io))
        })
        .collect();
    receives.remove(1).cancel();
    for place in 0..3 {
        put(&*sender, place as u64);
        for (other, receive) in receives.iter().enumerate().skip(place) {
            assert_eq!(
                receive.is_woken_anew(),
                other == place,
                "whom send {place} woke"
            );
        }
        let passed = another.try_recv();
        assert_eq!(
            passed.err(),
            Some(NoMessage::Empty),
            "a newcomer took a message that is for who waited"
        );
        for receive in receives.iter_mut().skip(place + 1).rev() {
            receive.assert_pending("a receive behind the one whose turn it is");
        }
        let message = receives[place].assert_ready("the receive whose turn it is");
        assert_eq!(message.map(|message| message.number()), Some(place as u64));
    }

    // Two at once: each message to one of them.
    let mut first = Hand::queued(receiver.recv(&io));
    let mut second = Hand::queued(another.recv(&io));
    put(&*sender, 10);
    put(&*sender, 11);
    assert!(
        first.is_woken() && second.is_woken(),
        "two messages woke not both"
    );
    let mut numbers: Vec<_> = [&mut second, &mut first]
        .into_iter()
        .filter_map(|receive| receive.assert_ready("a receive with a message for it"))
        .map(|message| message.number())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [10, 11], "what the two received");
}

pub(super) async fn reserved_slot_is_returned_on_drop(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let (sender, receiver) = subject.channel(1);
    let reserve = || sender.reserve(&io).expect("it promises to reserve");

    let permit = Hand::new(reserve()).assert_ready("a reserve of a free slot");
    assert_full(&*sender, "with its slot reserved,");
    assert_eq!(receiver.try_recv().err(), Some(NoMessage::Empty));
    drop(permit.expect("the channel is open"));
    put(&*sender, 1);
    take(&*receiver, 1);

    // To the next in the queue, be it a send or a reserve.
    let permit = Hand::new(reserve()).assert_ready("a reserve of a free slot");
    let mut send = Hand::queued(sender.send(&io, Message::new(2)));
    let mut second = Hand::queued(reserve());
    drop(permit.expect("the channel is open"));
    assert!(
        send.is_woken(),
        "a permit was dropped, and the next not woken"
    );
    assert!(send.assert_ready("the send that has the slot").is_ok());
    second.assert_pending("a reserve in a full channel");
    take(&*receiver, 2);
    assert!(second.is_woken(), "a free slot woke nobody");
    let permit = second.assert_ready("the reserve that has the slot");

    // Used, it is a message.
    permit.expect("the channel is open").send(Message::new(3));
    assert_full(&*sender, "after a permit was used,");
    take(&*receiver, 3);

    // A reserve that has a slot, and is dropped before it has seen it.
    put(&*sender, 4);
    let mut woken = Hand::queued(reserve());
    take(&*receiver, 4);
    assert!(woken.is_woken(), "a free slot woke nobody");
    woken.cancel();
    put(&*sender, 5);
    take(&*receiver, 5);
}
