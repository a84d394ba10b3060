//! notify_all, and who gets in its way.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use super::one::{assert_permit, assert_waiters, owned};
use crate::cx::{Cx, DynIo};
use crate::erased::BoxFuture;
use crate::laws::hand::Hand;
use crate::subject::{Promise, Subject};
use crate::wakers::{Event, poll_noop, reentrant};

pub(super) async fn all_wakes_exactly_those_before(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();

    // More than any batch of wakers holds.
    const WAITS: usize = 80;
    let notify = subject.notify();
    let newcomers: Arc<Mutex<Vec<BoxFuture<'static, ()>>>> = Arc::default();
    let mut waits: Vec<_> = (0..WAITS).map(|_| notify.wait(&io)).collect();
    let (weak, list) = (Arc::downgrade(&notify), Arc::clone(&newcomers));
    let waker = reentrant(&[Event::Wake], move || {
        let Some(notify) = weak.upgrade() else { return };
        let mut newcomer = owned(&notify, DynIo::bare());
        let polled = poll_noop(newcomer.as_mut());
        assert!(polled.is_pending(), "notify_all reached a wait inside it");
        let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(newcomer);
    });
    for wait in &mut waits {
        let polled = crate::wakers::poll(wait.as_mut(), &waker);
        assert!(polled.is_pending(), "a wait is ready early");
    }
    notify.notify_all();
    let polled = waits.iter_mut().map(|wait| poll_noop(wait.as_mut()));
    let ready = polled.filter(Poll::is_ready).count();
    assert_eq!(
        ready, WAITS,
        "how many of those before it notify_all reached"
    );
    let mut newcomers = {
        let mut list = newcomers.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *list)
    };
    assert_eq!(newcomers.len(), WAITS, "each waker was woken once");
    assert_waiters(&*notify, WAITS);
    for newcomer in &mut newcomers {
        let polled = poll_noop(newcomer.as_mut());
        assert!(
            polled.is_pending(),
            "notify_all reached a wait that had queued from inside a waker"
        );
    }
    drop(newcomers);
    cx.yield_turns(1).await;

    // Whoever comes after it.
    let notify = subject.notify();
    let mut before = Hand::queued(notify.wait(&io));
    notify.notify_all();
    let mut after = Hand::new(notify.wait(&io));
    after.assert_pending("a wait that was created after notify_all");
    before.assert_ready("the wait that was there before");
    after.assert_pending("a wait that was created after notify_all");
    notify.notify_all();
    after.assert_ready("a wait that was there before the second notify_all");

    if subject.promises().contains(&Promise::CountsFromCreation) {
        let notify = subject.notify();
        let mut unpolled = Hand::new(notify.wait(&io));
        notify.notify_all();
        let mut after = Hand::new(notify.wait(&io));
        after.assert_pending("a wait that was created after notify_all");
        unpolled.assert_ready("a wait that was created before notify_all");
        notify.notify_one();
        after.assert_ready("the wait that notify_one chose");
        assert_permit(&*notify, false);
    }

    // On the executor.
    let notify = subject.notify();
    for round in 0..5 {
        let mut tasks = Vec::new();
        for task in 0..8 {
            let wait = owned(&notify, cx.io());
            tasks.push(
                cx.spawn_queued(format!("task {task} of {round}"), wait)
                    .await,
            );
        }
        notify.notify_all();
        let late = cx
            .spawn_queued("the late task", owned(&notify, cx.io()))
            .await;
        for task in tasks {
            task.join().await;
        }
        assert_waiters(&*notify, 1);
        notify.notify_one();
        late.join().await;
    }
}

pub(super) async fn all_stores_no_permit(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let notify = subject.notify();
    notify.notify_all();
    notify.notify_all();
    assert_permit(&*notify, false);
    Hand::new(notify.wait(&io)).assert_pending("a wait after a notify_all that met nobody");

    let mut wait = Hand::queued(notify.wait(&io));
    notify.notify_all();
    assert_permit(&*notify, false);
    Hand::new(notify.wait(&io)).assert_pending("a wait after a notify_all that met another");
    wait.assert_ready("the wait that notify_all met");

    // Nor does a wait leave one that it reached and that was dropped.
    let mut wait = Hand::queued(notify.wait(&io));
    notify.notify_all();
    wait.cancel();
    assert_permit(&*notify, false);
    Hand::new(notify.wait(&io)).assert_pending("a wait after the drop of one that notify_all met");
}

pub(super) async fn all_keeps_a_stored_permit(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let notify = subject.notify();
    notify.notify_one();
    notify.notify_all();
    assert_permit(&*notify, true);
    Hand::new(notify.wait(&io)).assert_ready("a wait that finds the permit from before notify_all");
    Hand::new(notify.wait(&io)).assert_pending("the wait behind the one that took the permit");

    // A wait that notify_all reaches before its first poll leaves the permit to
    // another.
    if subject.promises().contains(&Promise::CountsFromCreation) {
        let mut reached = Hand::new(notify.wait(&io));
        notify.notify_one();
        notify.notify_all();
        reached.assert_ready("a wait that was created before notify_all");
        assert_permit(&*notify, true);
        Hand::new(notify.wait(&io)).assert_ready("a wait that finds the permit");
    }
}

pub(super) async fn one_does_not_steal_from_all(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();

    // With nobody else: it is stored.
    let notify = subject.notify();
    let mut hands = [0; 3].map(|_| Hand::queued(notify.wait(&io)));
    notify.notify_all();
    notify.notify_one();
    assert_permit(&*notify, true);
    for hand in &mut hands {
        hand.assert_ready("a wait that notify_all reached");
    }
    Hand::new(notify.wait(&io)).assert_ready("the wait for which notify_one was stored");
    Hand::new(notify.wait(&io)).assert_pending("the wait behind that");

    // With somebody else: it is theirs.
    let notify = subject.notify();
    let mut reached = Hand::queued(notify.wait(&io));
    notify.notify_all();
    let mut other = Hand::queued(notify.wait(&io));
    notify.notify_one();
    assert!(other.is_woken(), "notify_one hit a wait of notify_all");
    other.assert_ready("the wait that notify_one chose");
    reached.assert_ready("the wait that notify_all reached");
    assert_permit(&*notify, false);

    // The other way round, and with the drop of both.
    let notify = subject.notify();
    let mut hands = [0; 2].map(|_| Hand::queued(notify.wait(&io)));
    notify.notify_one();
    notify.notify_all();
    let mut other = Hand::queued(notify.wait(&io));
    hands[1].cancel();
    assert!(!other.is_woken(), "notify_all's signal was passed on");
    hands[0].cancel();
    assert!(other.is_woken(), "notify_one's signal was lost");
    other.assert_ready("the wait to which notify_one's signal went on");
    assert_permit(&*notify, false);

    // notify_one from inside a waker that notify_all wakes.
    let notify = subject.notify();
    let weak = Arc::downgrade(&notify);
    let waker = reentrant(&[Event::Wake], move || {
        if let Some(notify) = weak.upgrade() {
            notify.notify_one();
        }
    });
    let mut waits = [0; 2].map(|_| notify.wait(&io));
    let first = crate::wakers::poll(waits[0].as_mut(), &waker);
    let second = crate::wakers::poll(waits[1].as_mut(), Waker::noop());
    assert_eq!((first, second), (Poll::Pending, Poll::Pending), "early");
    notify.notify_all();
    for wait in &mut waits {
        let polled = poll_noop(wait.as_mut());
        assert!(polled.is_ready(), "notify_one took a wait from notify_all");
    }
    assert_permit(&*notify, true);
    Hand::new(notify.wait(&io)).assert_ready("the wait for which notify_one was stored");
}
