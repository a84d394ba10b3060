//! The laws of Semaphore.

use crate::backend::Capability::Spawn;
use crate::cx::DynIo;
use crate::law::{About, Law};
use crate::laws::hand::Hand;
use crate::run;
use crate::subject::{Closed, Kind, Permits, Promise, SemaphoreSubject};

mod count;
mod queue;

const SEMAPHORE: About = About::Kinds(&[Kind::Semaphore]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "semaphore::never_over_issues",
        SEMAPHORE,
        "Of n permits at most n are held, whoever and wherever the holders are; what is given \
         back can be had again.",
        "Take permits by one compare-exchange out of a count that has enough, and give a wait its \
         permits in the same step in which they are counted off.",
        run!(count::never_over_issues),
    )
    .because("One permit too many is one connection too many, under load only.")
    .seen_in(&["tokio-rs/tokio#2957", "redisson/redisson#7206"])
    .needs(&[Spawn]),
    Law::must(
        "semaphore::is_fifo_even_for_many",
        SEMAPHORE,
        "Who waits is served in the order of the first polls; nobody passes a large request at \
         the head, and nobody who comes later passes the queue.",
        "Let what is given back add up for the first in the queue; while somebody waits, a \
         request queues, and try_acquire fails, however many are free.",
        run!(queue::is_fifo_even_for_many),
    )
    .because("Who wants many at once starves, if those who want few may pass.")
    .seen_in(&["tokio-rs/tokio#1973"]),
    Law::must(
        "semaphore::cancelled_partial_acquire_returns_its_share",
        SEMAPHORE,
        "A request for many that gives up leaves the permits that were laid by for it to those \
         behind it, at once.",
        "In `Drop` of a queued wait, give back its share, and serve from the front of the queue \
         as a release does.",
        run!(queue::cancelled_partial_acquire_returns_its_share),
    )
    .because(
        "The permits that were laid by for the one at the head belong to those behind it when \
         it goes.",
    )
    .seen_in(&[
        "embassy-rs/embassy#6964",
        "tokio-rs/tokio#8260",
        "tokio-rs/tokio#2325",
    ])
    .needs(&[Spawn])
    .promised(Promise::AcquireMany),
    Law::must(
        "semaphore::close_wakes_all_with_an_error",
        SEMAPHORE,
        "A close ends every wait with an error, and every later one.",
        "Set the flag and take the whole queue under one lock; wake all of it afterwards.",
        run!(queue::close_wakes_all_with_an_error),
    )
    .because("At shutdown nobody gives permits back any more.")
    .needs(&[Spawn])
    .promised(Promise::CloseSemaphore),
    Law::must(
        "semaphore::release_after_close_keeps_it_closed",
        SEMAPHORE,
        "Permits that are given back or added after a close let nobody in.",
        "Keep the flag in the word of the count, and leave it alone when the count changes.",
        run!(queue::release_after_close_keeps_it_closed),
    )
    .because("The guards that end during the shutdown must not open it again.")
    .promised(Promise::CloseSemaphore),
    Law::must(
        "semaphore::forget_and_add_change_the_total",
        SEMAPHORE,
        "A permit that is forgotten does not come back; one that is added is there for those who \
         wait.",
        "Serve the queue in `add` as a release does; let `forget` skip what `Drop` gives back.",
        run!(count::forget_and_add_change_the_total),
    )
    .because("Pools shrink and grow by it."),
    Law::must(
        "semaphore::overflow_is_an_error",
        SEMAPHORE,
        "More permits than can be counted are refused by an error or a panic, and nothing else \
         changes.",
        "Look before the count is changed: a sum that is written and then found too large is too \
         late.",
        run!(count::overflow_is_an_error),
    )
    .because("A count that wraps hands out permits without end, or none."),
    Law::must(
        "semaphore::split_and_merge_conserve",
        SEMAPHORE,
        "However permits are split and merged, as many go back as were taken.",
        "Move the count from one value to the other, and let the one that is empty give back \
         nothing.",
        run!(count::split_and_merge_conserve),
    )
    .because("Permits that are counted twice or not at all show up days later.")
    .promised(Promise::SplitPermits),
    Law::should(
        "semaphore::granted_but_unpolled_does_not_block_its_own_task",
        SEMAPHORE,
        "A task that leaves a wait unpolled after it was granted its permit, and waits for one \
         elsewhere, gets it there after a few turns.",
        "When a permit is granted and not yet taken, let a wait that meets that grant wake itself; \
         when it meets it again and again, pass the permit on, and put the former back at the \
         front.",
        run!(queue::granted_but_unpolled_does_not_block_its_own_task),
    )
    .because("The same as for the mutex: a permit that lies with a future that nobody polls.")
    .seen_in(&["tokio-rs/tokio#6450", "hephbuild/heph#238"]),
];

type Outcome<'a> = Result<Permits<'a>, Closed>;

/// A permit that is free.
#[track_caller]
fn take<'a>(semaphore: &'a dyn SemaphoreSubject, when: &str) -> Permits<'a> {
    match semaphore.try_acquire() {
        Ok(permit) => permit,
        Err(error) => panic!("there is no permit {when}: {error:?}"),
    }
}

/// A wait for so many.
fn hand<'a>(semaphore: &'a dyn SemaphoreSubject, io: &'a DynIo, n: usize) -> Hand<'a, Outcome<'a>> {
    Hand::new(match n {
        1 => semaphore.acquire(io),
        _ => semaphore.acquire_many(io, n).expect("it is promised"),
    })
}

/// The same, when it has queued.
#[track_caller]
fn queued<'a>(
    semaphore: &'a dyn SemaphoreSubject,
    io: &'a DynIo,
    n: usize,
) -> Hand<'a, Outcome<'a>> {
    let mut hand = hand(semaphore, io, n);
    hand.assert_pending(&format!("a request for {n}, which is to wait,"));
    hand
}

/// What a wait has got.
#[track_caller]
fn got<'a>(hand: &mut Hand<'a, Outcome<'a>>, what: &str) -> Permits<'a> {
    match hand.assert_ready(what) {
        Ok(permits) => permits,
        Err(Closed) => panic!("{what} is told that the semaphore is closed"),
    }
}
