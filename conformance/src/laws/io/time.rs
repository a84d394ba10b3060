//! Sleeps and timeouts.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::cx::{Cx, Dropped};
use crate::subject::Subject;

pub(super) async fn sleep_never_ends_early(cx: Cx, _: Arc<dyn Subject>) {
    let mut rng = cx.rng();
    for _ in 0..12 {
        let length = Duration::from_micros(rng.pick(0..4_000) as u64);
        let deadline = cx.now() + length;
        cx.waiting(format!("a sleep of {length:?}"), cx.sleep(length))
            .await;
        assert!(cx.now() >= deadline, "a sleep of {length:?} ended early");

        let deadline = cx.now() + length;
        let label = format!("a sleep until {length:?} from now");
        cx.waiting(label, cx.sleep_until(&deadline)).await;
        assert!(cx.now() >= deadline, "a sleep until {length:?} ended early");
    }
}

pub(super) async fn sleeps_end_in_deadline_order(cx: Cx, _: Arc<dyn Subject>) {
    const SLEEPS: usize = 8;
    /// More than a timer's tick.
    const STEP: Duration = Duration::from_millis(4);

    let start = cx.now();
    let mut order: Vec<usize> = (0..SLEEPS).collect();
    cx.rng().shuffle(&mut order);
    let mut sleeps: Vec<_> = order
        .into_iter()
        .map(|place| {
            let at = start.clone() + STEP * (place as u32 + 1);
            (place, cx.sleep_until(&at))
        })
        .collect();
    // From the latest to the earliest: what is ready at some point in time is
    // looked at before what must be ready too.
    sleeps.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    // The first poll of a sleep is when some timers take it on.
    let all_ended = poll_fn(|task| {
        let mut ended = None;
        sleeps.retain_mut(|(place, sleep)| match sleep.as_mut().poll(task) {
            Poll::Ready(()) => {
                ended.get_or_insert(*place);
                false
            }
            Poll::Pending => {
                if let Some(later) = ended {
                    panic!("sleep {later} ended before sleep {place}, whose deadline is earlier");
                }
                true
            }
        });
        match sleeps.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    });
    cx.waiting(format!("{SLEEPS} sleeps"), all_ended).await;
}

pub(super) async fn timeout_cancels_the_inner_future(cx: Cx, _: Arc<dyn Subject>) {
    let dropped = Dropped::new();
    let guard = dropped.guard();
    let inner = Box::pin(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    let mut timeout = cx.boxed_timeout(Duration::from_millis(2), inner);
    assert!(!dropped.is_dropped(), "dropped before the time was over");
    let result = cx
        .waiting(
            "a timeout of 2 ms",
            poll_fn(|task| timeout.as_mut().poll(task)),
        )
        .await;
    assert!(result.is_err(), "a future that never ends ended in time");
    assert!(
        dropped.is_dropped(),
        "the timeout is over, and its future still exists"
    );
    drop(timeout);
    assert_eq!(dropped.count(), 1, "the future was dropped more than once");
}

pub(super) async fn ready_future_beats_an_elapsed_timeout(cx: Cx, _: Arc<dyn Subject>) {
    let at_once = cx.timeout(Duration::ZERO, async { 1 }).await;
    assert_eq!(
        at_once,
        Ok(1),
        "no time at all, and ready at the first poll"
    );

    // Pending once and without a waker, so that only the timer can wake it, and
    // ready when it does.
    let mut polls = 0;
    let when_woken = poll_fn(|_| {
        polls += 1;
        match polls {
            1 => Poll::Pending,
            _ => Poll::Ready(2),
        }
    });
    let timeout = cx.timeout(Duration::from_millis(2), when_woken);
    let woken = cx.waiting("a timeout of 2 ms", timeout).await;
    assert_eq!(woken, Ok(2), "ready in the poll in which the time is over");

    let never = cx.timeout(Duration::ZERO, pending::<()>());
    let never = cx.waiting("a timeout of no time", never).await;
    assert!(never.is_err(), "a future that never ends ended in no time");

    let far = cx.timeout(Duration::MAX, async { 3 }).await;
    assert_eq!(far, Ok(3), "a time that no clock can count to");
}
