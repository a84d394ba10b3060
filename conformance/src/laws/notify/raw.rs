//! Waiters that are no futures.

use std::sync::Arc;
use std::task::Waker;

use super::one::{assert_permit, assert_waiters};
use crate::cx::Cx;
use crate::laws::hand::Hand;
use crate::subject::{NotifySubject, RawNotifyWaiter, Subject};
use crate::wakers::counting;

fn raw(notify: &dyn NotifySubject, waker: Waker) -> Box<dyn RawNotifyWaiter + '_> {
    notify.raw_waiter(waker).expect("the subject promises it")
}

pub(super) async fn raw_waiter_reports_state(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let notify = &*subject.notify();
    let (wakes, waker) = counting();

    // Waits, is notified, is reset, and waits again; its waker stays.
    let mut waiter = raw(notify, waker);
    for round in 1..=3 {
        assert!(
            !waiter.is_notified() && !waiter.is_ready(),
            "an idle waiter"
        );
        assert!(!waiter.wait(), "there is nothing to win");
        assert!(!waiter.is_notified() && !waiter.is_ready(), "a queued one");
        assert_waiters(notify, 1);
        assert!(!waiter.wait(), "a queued waiter stays where it is");
        assert_waiters(notify, 1);
        match round {
            1 => notify.notify_one(),
            _ => notify.notify_all(),
        }
        assert_eq!(wakes.count(), round, "how often its waker was woken");
        assert_waiters(notify, 0);
        assert!(waiter.is_ready(), "`is_ready` of a notified waiter");
        assert!(waiter.is_notified(), "`is_notified` of a notified waiter");
        assert!(waiter.is_notified(), "it stays notified until it is reset");
        waiter.reset();
        assert_permit(notify, false);
    }

    // A stored permit is taken at once.
    notify.notify_one();
    assert!(waiter.wait(), "the waiter takes the permit");
    assert!(waiter.is_notified(), "`is_notified` after the permit");
    assert_permit(notify, false);
    waiter.reset();
    assert_permit(notify, false);

    // Cancelled while it waits.
    assert!(!waiter.wait(), "there is nothing to win");
    assert!(waiter.cancel(), "it was still waiting");
    assert_waiters(notify, 0);
    assert!(!waiter.cancel(), "it does not wait any more");
    notify.notify_one();
    assert!(!waiter.is_notified(), "a cancelled waiter was notified");
    assert!(waiter.wait(), "the permit is there for the next");
    waiter.reset();

    // Cancelled, reset or dropped after it was notified, and before it looked:
    // the next gets the signal.
    for end in ["cancel", "reset", "drop"] {
        let mut first = raw(notify, Waker::noop().clone());
        assert!(!first.wait(), "there is nothing to win");
        let mut next = Hand::queued(notify.wait(&io));
        notify.notify_one();
        assert!(first.is_ready(), "`is_ready` of a notified waiter");
        assert!(!next.is_woken(), "one signal became two");
        match end {
            "cancel" => assert!(!first.cancel(), "it had been notified"),
            "reset" => first.reset(),
            _ => drop(first),
        }
        assert!(next.is_woken(), "{end} lost a signal that nobody had seen");
        next.assert_ready("the wait to which the signal went on");
        assert_permit(notify, false);
    }

    // Futures and waiters share one queue.
    let mut future = Hand::queued(notify.wait(&io));
    let mut behind = raw(notify, Waker::noop().clone());
    assert!(!behind.wait(), "there is nothing to win");
    notify.notify_one();
    assert!(
        future.is_woken() && !behind.is_ready(),
        "the first is first"
    );
    notify.notify_one();
    assert!(behind.is_notified(), "the second is second");
    future.assert_ready("the first in the queue");
}
