//! What is signalled: notifications, generations, a value, a cancellation.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use anysync::yield_now;

use super::{Scene, Sums, Worker};
use crate::cx::{Dropped, DynIo, Gate};
use crate::subject::{InitFailed, Token};

/// `future`, unless the gate opens before it is ready.
async fn until_open<F: Future>(gate: &Gate, future: F) -> Option<F::Output> {
    let (mut gate, mut future) = (pin!(gate.passed()), pin!(future));
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        gate.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// A queue beside a Notify: each item is taken once, and nobody sleeps while there
/// is one.
pub(super) async fn notify(mut scene: Scene) -> Sums {
    const TEAM: usize = 5;
    let notify = scene.subject.notify();
    let items: Arc<Mutex<VecDeque<u64>>> = Arc::default();
    let take = {
        let items = Arc::clone(&items);
        move || {
            let mut items = items.lock().unwrap_or_else(PoisonError::into_inner);
            items.pop_front()
        }
    };
    let size = scene.size;
    let all = size * 2;
    let took = Arc::new(AtomicUsize::new(0));

    let done = Gate::new();
    // Who is chosen and not aborted passes it on.
    let aborted = scene.aborted(&done, {
        let notify = Arc::clone(&notify);
        move |own: Worker| {
            let notify = Arc::clone(&notify);
            async move {
                notify.wait(&own.io).await;
                notify.notify_one();
            }
        }
    });
    let team = scene.team(TEAM, |mut own| {
        let (notify, items) = (Arc::clone(&notify), Arc::clone(&items));
        let (take, took, done) = (take.clone(), Arc::clone(&took), done.clone());
        async move {
            let io = own.io.clone();
            let (mut put, mut taken, mut given_up) = (0, 0, 0);
            if own.number < 2 {
                for number in 0..size as u64 {
                    items
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push_back(number);
                    put += 1;
                    notify.notify_one();
                    own.dawdle().await;
                }
                return (put, taken, given_up);
            }
            loop {
                let wait = notify.wait(&io);
                if take().is_some() {
                    drop(wait);
                    taken += 1;
                    let taken_by_all = took.fetch_add(1, Ordering::Relaxed) + 1;
                    assert!(taken_by_all <= all, "more was taken than was put");
                    if taken_by_all == all {
                        done.open();
                    }
                    continue;
                }
                if done.is_open() {
                    return (put, taken, given_up);
                }
                let wait = until_open(&done, wait);
                if own.try_wait(wait).await.is_none() {
                    given_up += 1;
                }
            }
        }
    });
    let team = team.await;
    let aborted = aborted.join().await;

    assert_eq!(notify.waiter_count().unwrap_or(0), 0, "who still waits");
    Sums::default()
        .equal(
            &[("put", team.iter().map(|(put, ..)| put).sum())],
            &[("taken", team.iter().map(|(_, taken, _)| taken).sum())],
        )
        .note("given up", team.iter().map(|(.., given_up)| given_up).sum())
        .note("aborted", aborted)
}

/// As many tasks as the barrier has parties: each generation has one leader, also
/// when arrivals are given up and made again.
pub(super) async fn barrier(mut scene: Scene) -> Sums {
    let parties = scene.rng.pick(2..6);
    let barrier = scene.subject.barrier(parties);
    let gives_up = scene.rng.coin();
    let generations = scene.size as u64;
    let led = Arc::new(AtomicUsize::new(0));

    let over = Gate::new();
    let team = scene.team(parties, |mut own| {
        let (barrier, over, led) = (Arc::clone(&barrier), over.clone(), Arc::clone(&led));
        async move {
            // A leader whose budget is used up is told only at its next poll; who
            // gives up before that has led unseen.
            let io = if gives_up {
                DynIo::bare()
            } else {
                own.io.clone()
            };
            let (mut leads, mut passes, mut given_up) = (0, 0, 0);
            while !over.is_open() {
                let wait = until_open(&over, barrier.wait(&io));
                let arrived = if gives_up {
                    own.try_wait(wait).await
                } else {
                    Some(wait.await)
                };
                match arrived {
                    Some(Some(is_leader)) => {
                        passes += 1;
                        if is_leader {
                            leads += 1;
                            let led = led.fetch_add(1, Ordering::Relaxed) as u64 + 1;
                            if led == generations {
                                over.open();
                            }
                        }
                    }
                    Some(None) => {}
                    None => {
                        given_up += 1;
                        yield_now().await;
                    }
                }
            }
            (leads, passes, given_up)
        }
    });
    let team = team.await;
    assert_eq!(barrier.arrived().unwrap_or(0), 0, "who still waits");
    let passes: u64 = team.iter().map(|(_, passes, _)| passes).sum();
    let given_up: u64 = team.iter().map(|(.., given_up)| given_up).sum();
    // Who was released and gave up without a look has not passed; and who sees that
    // it is over may leave with its release unseen.
    let missed = (parties as u64 * generations).checked_sub(passes);
    let missed = missed.unwrap_or_else(|| panic!("{passes} passes of {generations} generations"));
    let may_miss = given_up + parties as u64 - 1;
    assert!(missed <= may_miss, "{missed} releases have come to nobody");
    Sums::default()
        .equal(
            &[("generations", generations)],
            &[("leaders", team.iter().map(|(leads, ..)| leads).sum())],
        )
        .note("passes", passes)
        .note("given up", given_up)
}

/// Many cells, each initialised once, by initialisers that fail and that are given
/// up.
pub(super) async fn once_cell(mut scene: Scene) -> Sums {
    const TEAM: usize = 4;
    let count = scene.size;
    let cells: Vec<_> = (0..count).map(|_| scene.subject.once_cell()).collect();
    let cells = Arc::new(cells);
    let values: Arc<Vec<AtomicUsize>> = Arc::new((0..count).map(|_| AtomicUsize::new(0)).collect());
    let drops = Dropped::new();

    let team = scene.team(TEAM, |mut own| {
        let (cells, values, drops) = (Arc::clone(&cells), Arc::clone(&values), drops.clone());
        async move {
            let io = own.io.clone();
            let (mut made, mut failed, mut given_up) = (0, 0, 0);
            for (cell, value) in cells.iter().zip(&*values) {
                loop {
                    let (fails, turns) = (own.rng.pick(0..3) == 0, own.rng.pick(0..3));
                    let (own_number, made, drops) = (own.number + 1, &mut made, &drops);
                    let init = async move {
                        for _ in 0..turns {
                            yield_now().await;
                        }
                        if fails {
                            return Err(InitFailed);
                        }
                        *made += 1;
                        value.fetch_add(own_number, Ordering::Relaxed);
                        Ok(Token::counted(own_number as u64, drops))
                    };
                    let wait = cell.get_or_try_init(&io, Box::pin(init));
                    match own.try_wait(wait).await {
                        Some(Ok(token)) => {
                            let number = token.number() as usize;
                            let by = value.load(Ordering::Relaxed);
                            assert_eq!(number, by, "whose value it is, if there is one only");
                            break;
                        }
                        Some(Err(InitFailed)) => failed += 1,
                        None => given_up += 1,
                    }
                }
            }
            (made, failed, given_up)
        }
    });
    let team = team.await;
    assert_eq!(drops.count(), 0, "values dropped that their cells have");
    drop(cells);
    Sums::default()
        .equal(
            &[("cells", count as u64)],
            &[("initialised", team.iter().map(|(made, ..)| made).sum())],
        )
        .equal(
            &[("initialised", count as u64)],
            &[("dropped in the end", drops.count() as u64)],
        )
        .note("failed", team.iter().map(|(_, failed, _)| failed).sum())
        .note("given up", team.iter().map(|(.., given_up)| given_up).sum())
}

/// Trees of tokens: who waits on a token is told when it or what is above it was
/// cancelled, and not when a sibling was.
pub(super) async fn cancellation(mut scene: Scene) -> Sums {
    let (mut waits, mut told, mut given_up) = (0, 0, 0);
    for _ in 0..scene.size / 10 + 1 {
        let root = scene.subject.cancellation();
        let (left, right) = (root.child(), root.child());
        // Set before the token is cancelled.
        let (left_may, right_may) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let sides = [
            (left.child(), Arc::clone(&left_may)),
            (left.another(), Arc::clone(&left_may)),
            (right.child(), Arc::clone(&right_may)),
            (right.another(), Arc::clone(&right_may)),
        ];
        let mut sides = sides.into_iter();
        let io = scene.cx.io();
        let mut tasks = Vec::new();
        for number in 0..sides.len() {
            let (token, may) = sides.next().expect("one for each");
            let mut own = scene.worker(number, io.clone());
            tasks.push(scene.cx.spawn(format!("waiter {number}"), async move {
                let mut given_up = 0;
                let io = own.io.clone();
                while own.try_wait(token.cancelled(&io)).await.is_none() {
                    given_up += 1;
                }
                assert!(may.load(Ordering::Relaxed), "nobody has cancelled it");
                assert!(token.is_cancelled(), "told of what is not so");
                given_up
            }));
            waits += 1;
        }
        let mut own = scene.worker(0, io);
        own.dawdle().await;
        left_may.store(true, Ordering::Relaxed);
        left.cancel();
        own.dawdle().await;
        assert!(!right.is_cancelled(), "it went with its sibling");
        right_may.store(true, Ordering::Relaxed);
        if own.rng.coin() {
            drop(root.drop_guard());
        } else {
            root.cancel();
        }
        for task in tasks {
            given_up += task.join().await;
            told += 1;
        }
    }
    Sums::default()
        .equal(&[("waits", waits)], &[("told", told)])
        .note("given up", given_up)
}
