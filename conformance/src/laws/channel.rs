//! The laws of Channel.

use std::sync::Arc;

use crate::backend::Capability::Spawn;
use crate::law::{About, Law};
use crate::run;
use crate::subject::{ChannelReceiver, ChannelSender, Kind, Message, Promise, SendRefused};

mod delivery;
mod ends;
mod kept;
mod memory;
mod slots;

const ABOUT: About = About::Kinds(&[Kind::Channel]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "channel::each_message_once",
        ABOUT,
        "Each message reaches one receiver, once.",
        "Take a message out of its slot under the lock under which it was found.",
        run!(delivery::each_message_once),
    )
    .because("It is what a channel is for.")
    .needs(&[Spawn]),
    Law::must(
        "channel::fifo_per_producer",
        ABOUT,
        "A receiver sees the messages of one sender in the order in which they were sent.",
        "Queue messages, not the tasks that bring them, and take the oldest.",
        run!(delivery::fifo_per_producer),
    )
    .because("\"Open\" before \"close\".")
    .needs(&[Spawn]),
    Law::must(
        "channel::capacity_is_a_bound",
        ABOUT,
        "A channel takes as many messages as its capacity says, from 1 on, and not one more.",
        "Round no capacity; a slot that is promised to a waiting send is not free.",
        run!(slots::capacity_is_a_bound),
    )
    .because("The bound is what keeps a slow consumer from filling the memory.")
    .seen_in(&["tokio-rs/tokio#2637"]),
    Law::must(
        "channel::cancelled_send_gives_back_or_never_sent",
        ABOUT,
        "The message of a send that is dropped was not sent, and its slot is the next one's.",
        "Keep the message in the future until it has a slot; in `Drop`, give the slot on.",
        run!(delivery::cancelled_send_gives_back_or_never_sent),
    )
    .because(
        "Whoever retries after a timeout must not have sent it twice, and a message that \
         vanished was somebody's.",
    )
    .seen_in(&["smol-rs/async-channel#87", "zesterer/flume#104"])
    .needs(&[Spawn]),
    Law::must(
        "channel::cancelled_recv_loses_no_message",
        ABOUT,
        "A receive that is dropped takes no message with it, and the next one is woken for it.",
        "Keep the message in the channel until the receive returns it; in `Drop`, wake the next.",
        run!(delivery::cancelled_recv_loses_no_message),
    )
    .because("In a `select!` loop the receive is dropped at every turn of the other branch.")
    .seen_in(&[
        "fereidani/kanal#24",
        "zesterer/flume#104",
        "n0-computer/iroh#2536",
        "jeikabu/runng#65",
    ])
    .needs(&[Spawn]),
    Law::must(
        "channel::drains_after_close",
        ABOUT,
        "After a close nothing more is sent, what is in the channel can be received, and then \
         receivers are told that it is over.",
        "Look for messages before the flag; wake everybody on both sides when it is set.",
        run!(ends::drains_after_close),
    )
    .because("A graceful shutdown handles what was accepted, and then ends.")
    .seen_in(&[
        "tokio-rs/tokio#8074",
        "tokio-rs/tokio#2854",
        "tokio-rs/tokio#7920",
        "Abso1ut3Zer0/nexus#737",
    ])
    .promised(Promise::CloseChannel),
    Law::must(
        "channel::waiting_senders_are_fifo",
        ABOUT,
        "Slots that become free go to those who wait to send, in the order in which they came, \
         and no newcomer passes them.",
        "Hand the slot to the first in the queue, so that it is never free in between.",
        run!(slots::waiting_senders_are_fifo),
    )
    .because("Backpressure is only fair in order.")
    .promised(Promise::FifoSenders),
    Law::must(
        "channel::waiting_receivers_are_fifo",
        ABOUT,
        "Messages go to those who wait to receive, in the order in which they came, and no \
         newcomer passes them.",
        "Promise the message to the first in the queue; who comes without a promise waits.",
        run!(slots::waiting_receivers_are_fifo),
    )
    .because("Otherwise the same worker gets all the work.")
    .promised(Promise::FifoReceivers),
    Law::must(
        "channel::reserved_slot_is_returned_on_drop",
        ABOUT,
        "A slot that was reserved is nobody else's until the permit is used or dropped; then it \
         is the next one's.",
        "Count a permit as a message; in its `Drop`, wake the next sender.",
        run!(slots::reserved_slot_is_returned_on_drop),
    )
    .because(
        "A permit that is given back or cancelled must wake whoever waits for the slot, or \
         for the end.",
    )
    .seen_in(&["tokio-rs/tokio#2854", "tokio-rs/tokio#8260"])
    .promised(Promise::Reserve),
    Law::must(
        "channel::last_handle_closes",
        ABOUT,
        "The last sender that goes ends the receivers when they have drained the channel; the \
         last receiver that goes refuses all sends, and what is left is dropped.",
        "Count the handles of each side, and wake the other side when there is none.",
        run!(ends::last_handle_closes),
    )
    .because(
        "The other side waits for somebody who has gone, and messages in between must not be \
         kept for nobody.",
    )
    .seen_in(&[
        "rust-lang/futures-rs#909",
        "rust-lang/futures-rs#1241",
        "tokio-rs/tokio#7714",
        "tokio-rs/tokio#4118",
    ]),
    Law::should(
        "channel::idle_size_is_bounded",
        ABOUT,
        "A channel that has been drained keeps little memory, whatever its capacity is and \
         whatever has gone through it.",
        "Allocate for what is sent, not for the capacity, and give it back.",
        run!(ends::idle_size_is_bounded),
    )
    .because("One burst must not cost memory for good, in each of a hundred thousand connections.")
    .seen_in(&["rust-lang/futures-rs#2052", "tokio-rs/tokio#2637"]),
    Law::should(
        "channel::memory_follows_its_content",
        ABOUT,
        "A channel that was full, and is never quite empty since, gives back what its messages \
         took.",
        "Keep messages in blocks of some dozens, and give back those that have been read.",
        run!(memory::memory_follows_its_content),
    )
    .because(
        "A channel that is in use is seldom empty: what is given back only then is never given \
         back.",
    )
    .once(),
    Law::should(
        "channel::steady_rhythm_allocates_nothing",
        ABOUT,
        "Bursts of the same size that are drained each time allocate nothing, once the channel \
         knows them.",
        "Keep a block or two that have been read for what is sent next.",
        run!(memory::steady_rhythm_allocates_nothing),
    )
    .because("An allocation for each few messages costs more than they do.")
    .once(),
    Law::should(
        "channel::kept_wait_stops_nobody",
        ABOUT,
        "A send that was given a slot, or a receive that was given a message, and is not polled, \
         stops no other that is: of its own task, woken as tasks are, or of another that asks \
         again and again.",
        "Pass on what nobody comes for when the same wait has met it several times, waking itself \
         meanwhile; or give nothing, wake, and let who comes have it.",
        run!(kept::kept_wait_stops_nobody),
    )
    .because(
        "A stream that was polled once, or an arm of a `select!` that is kept, holds a message \
         that everybody else waits for.",
    )
    .once(),
];

/// Both ends, for several tasks.
type Ends = (Arc<dyn ChannelSender>, Arc<dyn ChannelReceiver>);

fn shared(subject: &dyn crate::subject::Subject, capacity: usize) -> Ends {
    let (sender, receiver) = subject.channel(capacity);
    (Arc::from(sender), Arc::from(receiver))
}

#[track_caller]
fn put(sender: &dyn ChannelSender, number: u64) {
    if let Err(refused) = sender.try_send(Message::new(number)) {
        panic!("a message was refused, and there is a slot: {refused:?}");
    }
}

#[track_caller]
fn assert_full(sender: &dyn ChannelSender, when: &str) {
    match sender.try_send(Message::new(99)) {
        Err(SendRefused::Full(message)) => assert_eq!(message.number(), 99, "what is given back"),
        other => panic!("{when} try_send returned {other:?}"),
    }
}

#[track_caller]
fn take(receiver: &dyn ChannelReceiver, expected: u64) {
    match receiver.try_recv() {
        Ok(message) => assert_eq!(message.number(), expected, "the message that is next"),
        Err(why) => panic!("message {expected} is not there: {why:?}"),
    }
}
