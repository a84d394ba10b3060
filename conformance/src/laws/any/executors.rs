//! Across executors and threads.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use anysync::{Bare, Block};

use crate::cx::{Cx, DynIo, Gate};
use crate::erased::BoxFuture;
use crate::log::yield_thread;
use crate::subject::{Waiting, owned_wait};
use crate::wakers::poll_noop;

pub(super) async fn moves_between_executors(cx: Cx, waiting: Arc<dyn Waiting>) {
    // From the backend to a thread with an executor of its own; the signal comes
    // from the backend.
    let primitive = waiting.fresh(1);
    let wait = polled_once(owned_wait(&primitive, DynIo::bare()));
    let wait = cx.spawn("the first poll", wait).join().await;
    let queued = Gate::new();
    let rest = cx.queued("the moved wait", &queued, wait);
    let rest = cx.thread("another executor", move || Bare.block_on(rest));
    cx.waiting("the wait's arrival", queued.passed()).await;
    primitive.signal();
    rest.join().await;

    // From a thread to the backend; the signal comes from a plain thread.
    let primitive = waiting.fresh(1);
    let wait = polled_once(owned_wait(&primitive, DynIo::bare()));
    let wait = cx.thread("the first poll", move || Bare.block_on(wait));
    let wait = wait.join().await;
    let rest = cx.spawn_queued("the moved wait", wait).await;
    let signal = cx.thread("the signal", move || primitive.signal());
    rest.join().await;
    signal.join().await;

    // On the backend all the time, with its own `Io`.
    let primitive = waiting.fresh(1);
    let wait = owned_wait(&primitive, cx.io());
    let wait = cx.spawn_queued("a wait of the backend's", wait).await;
    let signal = cx.thread("the signal", move || primitive.signal());
    wait.join().await;
    signal.join().await;
}

async fn polled_once(mut wait: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
    let first = poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx))).await;
    assert!(first.is_pending(), "it is ready early");
    wait
}

pub(super) async fn happens_before(cx: Cx, waiting: Arc<dyn Waiting>) {
    const ROUNDS: usize = 300;
    struct Round {
        primitive: Arc<dyn crate::subject::Waitable>,
        queued: AtomicBool,
        data: [AtomicUsize; 2],
    }
    let rounds: Arc<Vec<Round>> = Arc::new(
        (0..ROUNDS)
            .map(|_| Round {
                primitive: waiting.fresh(1),
                queued: AtomicBool::new(false),
                data: [const { AtomicUsize::new(0) }; 2],
            })
            .collect(),
    );
    let gone = Gate::new();
    let signals = {
        let (rounds, gone) = (Arc::clone(&rounds), gone.clone());
        cx.thread("the signals", move || {
            for (number, round) in rounds.iter().enumerate() {
                // Relaxed: the signal has to order it all.
                while !round.queued.load(Ordering::Relaxed) {
                    if gone.is_open() {
                        return;
                    }
                    yield_thread();
                }
                for data in &round.data {
                    data.store(number + 1, Ordering::Relaxed);
                }
                round.primitive.signal();
            }
        })
    };
    let io = cx.io();
    let waits = cx.spawn("the waits", async move {
        // The signals are not to wait for waits that do not come.
        let _gone = gone.open_on_drop();
        for (number, round) in rounds.iter().enumerate() {
            let mut wait = round.primitive.wait(&io);
            poll_fn(|cx| {
                let polled = wait.as_mut().poll(cx);
                round.queued.store(true, Ordering::Relaxed);
                polled
            })
            .await;
            for data in round.data.iter().rev() {
                assert_eq!(
                    data.load(Ordering::Relaxed),
                    number + 1,
                    "what was written before the signal is not there after the wait"
                );
            }
        }
    });
    waits.join().await;
    signals.join().await;
}

pub(super) async fn spends_budget_after_winning(cx: Cx, waiting: Arc<dyn Waiting>) {
    /// More than any executor lets a task do in one turn.
    const ROUNDS: usize = 2_000;
    if !waiting.spends() {
        return;
    }
    let io = cx.io();
    let task = async move {
        let mut yields = 0;
        for _ in 0..ROUNDS {
            let primitive = waiting.fresh(2);
            let mut wait = polled_once(owned_wait(&primitive, io.clone())).await;
            // Without a budget: it queues, and must be behind.
            let mut behind = owned_wait(&primitive, DynIo::bare());
            assert!(poll_noop(behind.as_mut()).is_pending(), "it is ready early");
            primitive.signal();
            // From here on the wait has won: it is pending only to yield, and
            // then gets another turn without another signal.
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                wait.as_mut().poll(cx)
            })
            .await;
            yields += usize::from(polls > 1);
        }
        yields
    };
    let yields = cx.spawn("a loop of ready waits", task).join().await;
    assert!(
        yields > 0,
        "{ROUNDS} ready waits in a row, and the executor was never let in between"
    );
}
