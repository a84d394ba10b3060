//! The laws of Notify.

use crate::backend::Capability::{Spawn, Threads};
use crate::law::{About, Law};
use crate::run;
use crate::subject::{Kind, Promise};

mod all;
mod model;
mod one;
mod races;
mod raw;

const NOTIFY: About = About::Kinds(&[Kind::Notify]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "notify::permit_is_stored",
        NOTIFY,
        "notify_one with nobody waiting lets the next wait through at once.",
        "Store a permit when the queue is empty, and let a wait take it before it queues.",
        run!(one::permit_is_stored),
    )
    .because(
        "The consumer that is not waiting yet is the usual case in a queue that empties \
         itself.",
    )
    .needs(&[Spawn]),
    Law::must(
        "notify::permits_do_not_accumulate",
        NOTIFY,
        "However often notify_one is called with nobody waiting, one permit is stored.",
        "The permit is a flag and not a count.",
        run!(one::permits_do_not_accumulate),
    )
    .because(
        "A consumer empties the whole queue at one signal; further permits would make it turn \
         for nothing.",
    )
    .seen_in(&["tokio-rs/tokio#5305"]),
    Law::must(
        "notify::one_wakes_exactly_one",
        NOTIFY,
        "notify_one ends one wait and no other.",
        "Take one node out of the queue under the lock, and wake it alone.",
        run!(one::one_wakes_exactly_one),
    )
    .because("Two for one is a thundering herd, none for one is a hang.")
    .needs(&[Spawn]),
    Law::must(
        "notify::one_wakes_in_fifo_order",
        NOTIFY,
        "notify_one ends the wait that has queued for longest.",
        "Queue at one end and take from the other.",
        run!(one::one_wakes_in_fifo_order),
    )
    .because("A stack of waits starves its first.")
    .needs(&[Spawn]),
    Law::must(
        "notify::all_wakes_exactly_those_before",
        NOTIFY,
        "notify_all ends every wait that was there before it, and nobody's who comes later, even \
         from inside a waker that it wakes.",
        "Move the whole queue aside under the lock, and wake from there.",
        run!(all::all_wakes_exactly_those_before),
    )
    .because(
        "Whoever is woken and waits again must wait for the next signal, and a wait made \
         before the flag was read must not miss this one.",
    )
    .seen_in(&["tokio-rs/tokio#5396", "tokio-rs/tokio#5458"])
    .needs(&[Spawn]),
    Law::must(
        "notify::all_stores_no_permit",
        NOTIFY,
        "notify_all leaves nothing for a wait that comes later.",
        "notify_all never sets the permit.",
        run!(all::all_stores_no_permit),
    )
    .because("A later wait, for something else, would pass."),
    Law::must(
        "notify::all_keeps_a_stored_permit",
        NOTIFY,
        "A permit that is stored when notify_all is called is there afterwards.",
        "notify_all never clears the permit.",
        run!(all::all_keeps_a_stored_permit),
    )
    .because(
        "The permit of a notify_one that nobody has taken is a message, and must not be \
         overwritten.",
    )
    .seen_in(&["tokio-rs/tokio#3660", "tokio-rs/tokio#3652"]),
    Law::must(
        "notify::one_does_not_steal_from_all",
        NOTIFY,
        "notify_one after notify_all reaches a wait of its own, or is stored.",
        "A wait that notify_all has reached is out of the queue before notify_one looks at it.",
        run!(all::one_does_not_steal_from_all),
    )
    .because(
        "Otherwise of two signals one is lost: the second goes to somebody who has had the \
         first.",
    )
    .seen_in(&["tokio-rs/tokio#7965", "tokio-rs/tokio#3652"]),
    Law::must(
        "notify::cancelled_one_goes_to_the_next",
        NOTIFY,
        "A wait that notify_one had chosen and that is dropped gives the signal to the next, or \
         stores it.",
        "In `Drop`, call notify_one once more if the verdict is its, and not if it is \
         notify_all's.",
        run!(one::cancelled_one_goes_to_the_next),
    )
    .because(
        "The item is in the queue, its signal went with a consumer that has gone, and nobody \
         comes for it.",
    )
    .seen_in(&["tokio-rs/tokio#3652", "tenzir/tenzir#6432"]),
    Law::must(
        "notify::wait_before_check_misses_nothing",
        NOTIFY,
        "A wait that is enabled before the condition is read misses no signal that comes in \
         between.",
        "`enable` queues as the first poll does, or takes the permit and remembers it.",
        run!(races::wait_before_check_misses_nothing),
    )
    .because(
        "\"Look, then wait\" has a gap in which the signal comes; being queued before the \
         look closes it.",
    )
    .seen_in(&["smol-rs/event-listener#139", "smol-rs/event-listener#123"])
    .needs(&[Spawn, Threads]),
    Law::must(
        "notify::raw_waiter_reports_state",
        NOTIFY,
        "A waiter that is no future tells whether it was notified, and can be reset and \
         cancelled.",
        "Keep the verdict in the node until `is_notified` takes it or the waiter is reset.",
        run!(raw::raw_waiter_reports_state),
    )
    .because("Hand-written futures and interrupt handlers build on it, and have no task to ask.")
    .promised(Promise::RawWaiters),
    Law::must(
        "notify::agrees_with_the_model",
        NOTIFY,
        "Any sequence of operations does what it does in a sequential model.",
        "Repeat it with the seed: the dump lists the operations; the last one went wrong.",
        run!(model::agrees_with_the_model),
    )
    .because("Single properties leave room between them; a sequential model does not."),
];
