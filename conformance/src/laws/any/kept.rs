//! Waits that were granted their turn, live, and are not polled.

use std::future::Future;
use std::sync::Arc;
use std::task::Waker;

use futures::future::{Either, select};
use futures::stream::{self, FuturesUnordered, StreamExt};

use anysync::yield_now;

use super::super::floor::{End, Floor};
use super::super::hand::{Hand, TURNS};
use super::by_hand;
use crate::cx::{Cx, DynIo, Gate};
use crate::erased::BoxFuture;
use crate::subject::{Contended, Contending};
use crate::wakers::{Wakes, counting};

/// How many grants are outstanding at the same time: around the edges of what may be
/// searched or kept at once.
const SIZES: [usize; 5] = [1, 63, 64, 65, 1_000];

/// How many of them are in a `FuturesUnordered`, where each grant may take thousands of
/// polls to go on.
const MOST_UNORDERED: usize = 64;

fn sizes(contending: &Contending) -> &'static [usize] {
    match contending.has_room {
        true => &SIZES,
        false => &SIZES[..1],
    }
}

/// Far more polls than the small programs of this file take.
const POLLS: usize = 1_000_000;

fn ready() -> BoxFuture<'static, ()> {
    Box::pin(async {})
}

/// A turn that ends when the gate is open.
fn until<'a>(place: &'a dyn Contended, io: &'a DynIo, gate: &Gate) -> BoxFuture<'a, ()> {
    let gate = gate.clone();
    place.turn(io, 0, Box::pin(async move { gate.passed().await }))
}

/// The tasks that have all turns that there are at the same time.
struct Holders<'a> {
    gate: Gate,
    hands: Vec<Hand<'a>>,
}

impl<'a> Holders<'a> {
    fn of(place: &'a dyn Contended, io: &'a DynIo, count: usize) -> Self {
        let gate = Gate::new();
        let mut hands: Vec<_> = (0..count)
            .map(|_| Hand::new(until(place, io, &gate)))
            .collect();
        for hand in &mut hands {
            hand.assert_pending("a turn that has not ended");
        }
        Self { gate, hands }
    }

    /// Ends their turns, so that as many others are granted one.
    fn end(mut self) {
        self.gate.open();
        for hand in &mut self.hands {
            hand.assert_ready("a turn that has ended");
            hand.cancel();
        }
    }
}

/// Waits of one task.
struct Own {
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl Own {
    fn task() -> Self {
        let (wakes, waker) = counting();
        Self { wakes, waker }
    }

    fn hand<'a, T>(&self, wait: BoxFuture<'a, T>) -> Hand<'a, T> {
        Hand::with_waker(wait, Arc::clone(&self.wakes), self.waker.clone())
    }
}

pub(super) async fn abandoned_win_goes_on(cx: Cx, contending: Contending) {
    let of = cx.clone();
    by_hand(&cx, move || abandoned(&of, &contending)).await;
}

fn abandoned(cx: &Cx, contending: &Contending) {
    for size in sizes(contending) {
        for queued_before in [false, true] {
            cx.note(format_args!("{size} kept; queued before: {queued_before}"));
            all_are_kept(contending, *size, queued_before);
            the_oldest_is_kept(contending, *size, queued_before);
        }
        if *size <= MOST_UNORDERED {
            cx.note(format_args!("{size} in a FuturesUnordered"));
            in_unordered(contending, *size);
        }
    }
    cx.note("an arm of a select");
    in_select(contending);
    cx.note("buffered");
    in_buffered(contending);
    cx.note("a body between the futures of a FuturesUnordered");
    in_body(contending);
}

/// A task keeps all that were granted a turn, and polls one more.
fn all_are_kept(contending: &Contending, size: usize, queued_before: bool) {
    let (place, io) = ((contending.fresh)(size), DynIo::bare());
    let holders = Holders::of(&*place, &io, size);
    let task = Own::task();
    let turn = || task.hand(place.turn(&io, 0, ready()));
    let mut kept: Vec<_> = (0..size).map(|_| turn()).collect();
    for hand in &mut kept {
        hand.assert_pending("a wait without a free turn");
    }
    let mut other = turn();
    if queued_before {
        other.assert_pending("a wait without a free turn");
    }
    holders.end();
    other.goes_on("the wait that its task polls, with others kept,");
    for mut hand in kept {
        hand.goes_on("a wait that was kept");
    }
}

/// Of the waits that are granted a turn, the first is kept, and the others take theirs
/// for good.
fn the_oldest_is_kept(contending: &Contending, size: usize, queued_before: bool) {
    let (place, io) = ((contending.fresh)(size), DynIo::bare());
    let (holders, task, never) = (Holders::of(&*place, &io, size), Own::task(), Gate::new());
    let mut kept = task.hand(place.turn(&io, 0, ready()));
    kept.assert_pending("a wait without a free turn");
    let mut others: Vec<_> = (1..size)
        .map(|_| Hand::queued(until(&*place, &io, &never)))
        .collect();
    let mut polled = task.hand(place.turn(&io, 0, ready()));
    if queued_before {
        polled.assert_pending("a wait without a free turn");
    }
    holders.end();
    // While all the grants are there; from then on it is polled when it is woken.
    let is_early = polled.poll().is_ready();
    for other in &mut others {
        other.assert_pending("a turn that does not end");
    }
    if is_early {
        return;
    }
    polled.goes_on("the wait that its task polls, with the oldest grant kept,");
    kept.goes_on("the wait that was kept");
}

/// Runs these tasks, the first of which has the place until the gate is open, which
/// opens when all the others are queued.
fn run(place: &Arc<dyn Contended>, holders: usize, task: BoxFuture<'_, ()>, gate: &Gate) {
    let io = DynIo::bare();
    let mut floor = Floor::new();
    for _ in 0..holders {
        floor.add("who has it at first", until(&**place, &io, gate));
    }
    floor.add("the task of many", task);
    for _ in 0..=holders {
        floor.step();
    }
    gate.open();
    let end = floor.run(POLLS);
    assert_eq!(end, End::Done, "a task that keeps what it was granted");
}

/// What is open when the tasks that had the place at first have ended.
async fn after(gate: &Gate) {
    gate.passed().await;
    for _ in 0..2 {
        yield_now().await;
    }
}

fn in_unordered(contending: &Contending, size: usize) {
    let (place, io, gate) = ((contending.fresh)(size), DynIo::bare(), Gate::new());
    let task = async {
        let mut all: FuturesUnordered<_> = (0..size).map(|_| place.turn(&io, 0, ready())).collect();
        // One poll, for all of them.
        let Either::Right(_) = select(all.next(), futures::future::ready(())).await else {
            panic!("one of them had a turn before there was one");
        };
        after(&gate).await;
        place.turn(&io, 0, ready()).await;
        while all.next().await.is_some() {}
    };
    run(&place, size, Box::pin(task), &gate);
}

fn in_select(contending: &Contending) {
    let (place, io, gate) = ((contending.fresh)(1), DynIo::bare(), Gate::new());
    let task = async {
        let first = place.turn(&io, 0, ready());
        let now = futures::future::ready(());
        let Either::Right((_, kept)) = select(first, now).await else {
            panic!("it had a turn before there was one");
        };
        after(&gate).await;
        place.turn(&io, 0, ready()).await;
        kept.await;
    };
    run(&place, 1, Box::pin(task), &gate);
}

/// A turn with a yield in it.
fn yielding<'a>(place: &'a dyn Contended, io: &'a DynIo) -> impl Future<Output = ()> + 'a {
    place.turn(io, 0, Box::pin(yield_now()))
}

fn in_buffered(contending: &Contending) {
    let (place, io, gate) = ((contending.fresh)(1), DynIo::bare(), Gate::new());
    let task = async {
        let turns = stream::iter(0..9).map(|_| yielding(&*place, &io));
        let mut turns = turns.buffered(3);
        while turns.next().await.is_some() {
            place.turn(&io, 0, ready()).await;
        }
    };
    run(&place, 1, Box::pin(task), &gate);
}

fn in_body(contending: &Contending) {
    let (place, io, gate) = ((contending.fresh)(1), DynIo::bare(), Gate::new());
    let task = async {
        let mut turns: FuturesUnordered<_> = (0..9).map(|_| yielding(&*place, &io)).collect();
        while turns.next().await.is_some() {
            place.turn(&io, 0, ready()).await;
        }
    };
    run(&place, 1, Box::pin(task), &gate);
}

pub(super) async fn kept_wait_stops_no_task(cx: Cx, contending: Contending) {
    let of = cx.clone();
    by_hand(&cx, move || kept_stops_none(&of, &contending)).await;
}

fn kept_stops_none(cx: &Cx, contending: &Contending) {
    for size in sizes(contending) {
        for queued_before in [false, true] {
            cx.note(format_args!("{size} kept; queued before: {queued_before}"));
            let (place, io) = ((contending.fresh)(*size), DynIo::bare());
            let holders = Holders::of(&*place, &io, *size);
            let turn = || Hand::new(place.turn(&io, 0, ready()));
            let mut kept: Vec<_> = (0..*size).map(|_| turn()).collect();
            for hand in &mut kept {
                hand.assert_pending("a wait without a free turn");
            }
            let mut other = turn();
            if queued_before {
                other.assert_pending("a wait without a free turn");
            }
            holders.end();
            watch_and_go(&*place, &io);
            // A primitive that keeps no order has nothing to keep for a wait that does
            // not come.
            let at_once = !contending.is_ordered && !queued_before;
            let within = if at_once { 3 } else { TURNS };
            other.gets_in(within, "a wait, with those of other tasks kept,");
            for mut hand in kept {
                hand.goes_on("a wait that was kept");
            }
        }
    }
}

/// A wait that meets what was granted to another, and is given up soon after.
fn watch_and_go(place: &dyn Contended, io: &DynIo) {
    let mut hand = Hand::new(place.turn(io, 0, ready()));
    for _ in 0..2 {
        if hand.poll().is_ready() {
            return;
        }
    }
}

pub(super) async fn noop_waker_is_nobody(cx: Cx, contending: Contending) {
    by_hand(&cx, move || nobody_keeps_its_own(&contending)).await;
}

/// Whether turns go in order, and a wait has its turn as soon as it is granted: one that
/// locks again gives the lock up in between.
pub(super) fn keeps_one_turn(contending: &Contending) -> bool {
    contending.is_ordered && !contending.name.starts_with("Condvar")
}

fn nobody_keeps_its_own(contending: &Contending) {
    for waker in [Waker::noop().clone(), futures::task::noop_waker()] {
        for size in [1, 3] {
            let size = if contending.has_room { size } else { 1 };
            let (place, io) = ((contending.fresh)(size), DynIo::bare());
            let holders = Holders::of(&*place, &io, size);
            let nobody = || {
                let (wakes, _) = counting();
                Hand::with_waker(place.turn(&io, 0, ready()), wakes, waker.clone())
            };
            let mut winners: Vec<_> = (0..size).map(|_| nobody()).collect();
            for hand in &mut winners {
                hand.assert_pending("a wait without a free turn");
            }
            let mut late = nobody();
            holders.end();
            for _ in 0..3 {
                late.assert_pending("a wait, polled by nobody, whose turn another was granted,");
            }
            for mut hand in winners {
                hand.gets_in(
                    3,
                    "a wait that nobody polls, after it was granted its turn,",
                );
                hand.cancel();
            }
            late.gets_in(3, "the last wait of nobody");
        }
    }
}
