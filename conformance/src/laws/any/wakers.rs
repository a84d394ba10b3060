//! What wakers do, and what polls do that nobody asked for.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::cx::{Cx, DynIo, Gate, is_planned};
use crate::erased::BoxFuture;
use crate::laws::hand::{Hand, all_through};
use crate::log::message_of;
use crate::subject::{Reach, Waiting, owned_wait};
use crate::wakers::{Event, caught, counting, panicking, poll, poll_noop, reentrant};

pub(super) async fn last_waker_is_the_one_woken(cx: Cx, waiting: Arc<dyn Waiting>) {
    let io = cx.io();
    let (old, new) = (counting(), counting());
    // The newest may be one that was there before.
    for order in [&[&old, &new][..], &[&old, &new, &old]] {
        let primitive = waiting.fresh(1);
        let mut wait = primitive.wait(&io);
        for (_, waker) in order {
            assert!(poll(wait.as_mut(), waker).is_pending(), "it is ready early");
        }
        let (wakes, waker) = order[order.len() - 1];
        let before = wakes.count();
        primitive.signal();
        assert!(
            wakes.count() > before,
            "the waker of the latest poll was not woken"
        );
        assert!(
            poll(wait.as_mut(), waker).is_ready(),
            "the signal reached nobody"
        );
    }

    // A wait that moves from one task to another.
    let primitive = waiting.fresh(1);
    let (moved, polled, queued) = (Arc::new(Mutex::new(None)), Gate::new(), Gate::new());
    let giver = {
        let (moved, polled) = (Arc::clone(&moved), polled.clone());
        let mut wait = owned_wait(&primitive, cx.io());
        cx.spawn("the task that polls first", async move {
            let first = poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx))).await;
            assert!(first.is_pending(), "it is ready early");
            *moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(wait);
            polled.open();
        })
    };
    let taker = {
        let (cx, queued) = (cx.clone(), queued.clone());
        async move {
            polled.passed().await;
            let wait = moved.lock().unwrap_or_else(PoisonError::into_inner).take();
            let wait = wait.expect("the first task has left it");
            cx.queued("the moved wait", &queued, wait).await;
        }
    };
    let taker = cx.spawn("the task that polls last", taker);
    giver.join().await;
    cx.waiting("the wait's arrival", queued.passed()).await;
    primitive.signal();
    taker.join().await;
}

pub(super) async fn waker_may_reenter(cx: Cx, waiting: Arc<dyn Waiting>) {
    const CASES: [(&str, &[Event]); 4] = [
        ("clone", &[Event::Clone]),
        ("wake", &[Event::Wake]),
        ("drop", &[Event::Drop]),
        (
            "clone, wake and drop",
            &[Event::Clone, Event::Wake, Event::Drop],
        ),
    ];
    for (case, events) in CASES {
        for code in [Code::Waits, Code::Touches] {
            for end in [End::Through, End::Cancelled] {
                cx.note(format_args!("{case}: {code:?}, {end:?}"));
                let calls = reenter(&cx.io(), &*waiting, events, code, end);
                if end == End::Through {
                    assert!(calls > 0, "no {case} of a waker: does the wait keep it?");
                }
                cx.yield_turns(1).await;
            }
        }
    }
}

/// What a waker does to the primitive that has it.
#[derive(Clone, Copy, Debug)]
enum Code {
    /// Queues a wait and drops it.
    Waits,
    /// Calls everything, signals too.
    Touches,
}

/// What becomes of the wait whose waker calls back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Through,
    Cancelled,
}

/// How often a waker has called back.
fn reenter(
    io: &DynIo,
    waiting: &dyn Waiting,
    events: &'static [Event],
    code: Code,
    end: End,
) -> usize {
    let primitive = waiting.fresh(3);
    let calls = Arc::new(AtomicUsize::new(0));
    let waker = || {
        let (primitive, calls) = (Arc::clone(&primitive), Arc::clone(&calls));
        reentrant(events, move || {
            calls.fetch_add(1, Ordering::SeqCst);
            let io = DynIo::bare();
            match code {
                Code::Waits => {
                    let _ = primitive.queued();
                    let _ = poll_noop(primitive.wait(&io).as_mut());
                }
                Code::Touches => primitive.touch(&io),
            }
        })
    };
    let (early, late, other) = (waker(), waker(), waker());
    let mut wait = primitive.wait(io);
    let mut behind = primitive.wait(io);
    // The second poll replaces the waker: it clones one and drops the other.
    let mut done = poll(wait.as_mut(), &early).is_ready() || poll(wait.as_mut(), &late).is_ready();
    let _ = poll(behind.as_mut(), &other);
    if end == End::Through {
        // What the waker did may have ended the wait, or used up a signal.
        for _ in 0..6 {
            if done {
                break;
            }
            primitive.signal();
            done = poll(wait.as_mut(), &late).is_ready();
        }
        assert!(done, "a wait whose waker calls back is never ready");
    }
    drop(wait);
    drop(behind);
    drop((early, late, other));
    calls.load(Ordering::SeqCst)
}

pub(super) async fn panicking_waker_loses_no_wakeup(cx: Cx, waiting: Arc<dyn Waiting>) {
    let io = cx.io();
    match waiting.reach() {
        Reach::All => {
            // More than any batch of wakers holds; and few enough that an
            // executor's budget lasts.
            const WAITS: usize = 80;
            const PANICS: [usize; 4] = [0, 1, 50, WAITS - 1];
            let primitive = waiting.fresh(WAITS);
            let mut hands: Vec<_> = (0..WAITS)
                .map(|place| hand(primitive.wait(&io), PANICS.contains(&place)))
                .collect();
            assert_panic_goes_on(caught(|| primitive.signal()));
            let woken = hands.iter().filter(|hand| hand.is_woken()).count();
            assert_eq!(woken, WAITS, "how many were woken, as some panicked");
            for hand in &mut hands {
                hand.assert_ready("a wait whose batch had a waker that panicked");
            }
            drop(hands);
            cx.yield_turns(1).await;
            primitive.check_later(&io);
        }
        reach @ (Reach::First | Reach::FirstThenNext) => {
            let primitive = waiting.fresh(3);
            let [mut first, mut second, mut third] =
                [false, true, false].map(|panics| hand(primitive.wait(&io), panics));
            primitive.signal();
            first.assert_ready("the first in the queue");
            assert_panic_goes_on(caught(|| {
                first.cancel();
                if reach == Reach::First {
                    primitive.signal();
                }
            }));
            assert!(second.is_woken(), "the second in the queue was not woken");
            // Its task may have died of the panic: then its win goes on.
            second.cancel();
            assert!(
                third.is_woken(),
                "the win of a wait whose waker panicked is lost"
            );
            third.assert_ready("the wait behind one whose waker panicked");
            third.cancel();
            primitive.check_later(&io);
        }
    }
}

fn hand(wait: BoxFuture<'_, ()>, panics: bool) -> Hand<'_> {
    let (wakes, waker) = if panics { panicking() } else { counting() };
    let mut hand = Hand::with_waker(wait, wakes, waker);
    hand.assert_pending("a wait that nobody has signalled");
    hand
}

#[track_caller]
fn assert_panic_goes_on(result: std::thread::Result<()>) {
    match result {
        Ok(()) => panic!("the panic of a waker was swallowed"),
        Err(payload) if is_planned(&*payload) => {}
        Err(payload) => panic!("another panic came of it: {}", message_of(&*payload)),
    }
}

pub(super) async fn spurious_poll_is_harmless(cx: Cx, waiting: Arc<dyn Waiting>) {
    let io = cx.io();
    let reach = waiting.reach();
    let primitive = waiting.fresh(3);
    let mut hands: Vec<_> = (0..3).map(|_| Hand::queued(primitive.wait(&io))).collect();
    for _ in 0..5 {
        // The last first: whoever queues anew changes places.
        for hand in hands.iter_mut().rev() {
            hand.assert_pending("a wait that was polled without a wake-up");
        }
    }
    if let Some(queued) = primitive.queued() {
        assert_eq!(queued, 3, "three are queued, however often they are polled");
    }
    assert!(
        !hands.iter().any(Hand::is_woken),
        "a poll woke another wait"
    );
    // In the order in which they came.
    all_through(&*primitive, reach, &mut hands);
    primitive.check_later(&io);

    // On the executor: tasks that wake themselves for no reason.
    let primitive = waiting.fresh(3);
    let ended = Arc::new(Mutex::new(Vec::new()));
    let order = || ended.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut tasks = Vec::new();
    for place in 0..3 {
        let (ended, restless) = (Arc::clone(&ended), Gate::new());
        let (primitive, io) = (Arc::clone(&primitive), cx.io());
        let opens = restless.clone();
        let task = async move {
            let mut wait = primitive.wait(&io);
            let mut polls = 0;
            poll_fn(|cx: &mut Context<'_>| {
                polls += 1;
                let polled = wait.as_mut().poll(cx);
                if polled.is_ready() {
                    // What the wait has won it still has: the next comes later.
                    let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                    ended.push(place);
                } else if polls < 20 {
                    cx.waker().wake_by_ref();
                } else {
                    opens.open();
                }
                polled
            })
            .await;
        };
        tasks.push(cx.spawn_queued(format!("restless {place}"), task).await);
        cx.waiting("the polls for no reason", restless.passed())
            .await;
    }
    assert!(order().is_empty(), "a wait ended that nobody had signalled");
    match reach {
        Reach::All | Reach::FirstThenNext => primitive.signal(),
        Reach::First => {
            for through in 1..=3 {
                primitive.signal();
                cx.until("a signal lets one through", || order().len() == through)
                    .await;
            }
        }
    }
    for task in tasks {
        task.join().await;
    }
    // A poll by chance may have had the win of another, if the primitive lets it:
    // then each still had its own, for all have ended.
    if reach != Reach::All && waiting.is_ordered() {
        assert_eq!(
            order(),
            [0, 1, 2],
            "they keep the places in which they came"
        );
    }
}

pub(super) async fn completed_future_is_fused_or_panics_clearly(cx: Cx, waiting: Arc<dyn Waiting>) {
    let io = cx.io();
    let reach = waiting.reach();
    let primitive = waiting.fresh(2);
    let mut done = primitive.wait(&io);
    assert!(
        poll(done.as_mut(), Waker::noop()).is_pending(),
        "it is ready early"
    );
    let mut second = Hand::queued(primitive.wait(&io));
    primitive.signal();
    assert!(
        poll(done.as_mut(), Waker::noop()).is_ready(),
        "the signal reached nobody"
    );
    if reach == Reach::All {
        second.assert_ready("a wait that the signal woke");
        second.cancel();
        // For these the primitive goes on as new, or is done for good.
        poll_after_end(done.as_mut());
        poll_after_end(done.as_mut());
        drop(done);
        primitive.check_later(&io);
        return;
    }
    // Others may by now use what the finished wait had.
    let mut third = Hand::queued(primitive.wait(&io));
    let queued = primitive.queued();
    poll_after_end(done.as_mut());
    poll_after_end(done.as_mut());
    assert_eq!(
        primitive.queued(),
        queued,
        "a finished wait queued once more"
    );
    assert!(
        !second.is_woken() && !third.is_woken(),
        "a poll of a finished wait woke another"
    );
    drop(done);
    if reach == Reach::First {
        primitive.signal();
    }
    assert!(second.is_woken(), "the second in the queue was forgotten");
    second.assert_ready("the second in the queue");
    second.cancel();
    if reach == Reach::First {
        primitive.signal();
    }
    assert!(third.is_woken(), "the third in the queue was forgotten");
    third.assert_ready("the third in the queue");
    third.cancel();
    primitive.check_later(&io);
}

fn poll_after_end(done: Pin<&mut (dyn Future<Output = ()> + Send + '_)>) {
    if let Err(payload) = caught(|| poll(done, Waker::noop())) {
        let message = message_of(&*payload);
        assert!(
            !is_planned(&*payload) && !message.is_empty(),
            "a poll after the end panics without saying why"
        );
        for unclear in ["index out of bounds", "unwrap()", "unreachable", "overflow"] {
            assert!(
                !message.contains(unclear),
                "a poll after the end panics unclearly: {message}"
            );
        }
    }
}
