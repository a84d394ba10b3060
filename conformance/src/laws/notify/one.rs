//! notify_one and its permit.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cx::{Cx, DynIo};
use crate::erased::BoxFuture;
use crate::laws::hand::Hand;
use crate::subject::{NotifySubject, Promise, Subject};

/// A wait with everything that it borrows, for a task.
pub(super) fn owned(notify: &Arc<dyn NotifySubject>, io: DynIo) -> BoxFuture<'static, ()> {
    let notify = Arc::clone(notify);
    Box::pin(async move { notify.wait(&io).await })
}

#[track_caller]
pub(super) fn assert_permit(notify: &dyn NotifySubject, expected: bool) {
    if let Some(permit) = notify.has_permit() {
        assert_eq!(permit, expected, "whether a permit is stored");
    }
}

#[track_caller]
pub(super) fn assert_waiters(notify: &dyn NotifySubject, expected: usize) {
    if let Some(count) = notify.waiter_count() {
        assert_eq!(count, expected, "how many wait");
    }
}

pub(super) async fn permit_is_stored(cx: Cx, subject: Arc<dyn Subject>) {
    let notify = subject.notify();
    notify.notify_one();
    assert_permit(&*notify, true);
    let io = cx.io();
    Hand::new(notify.wait(&io)).assert_ready("the first poll of a wait that finds a permit");
    assert_permit(&*notify, false);
    Hand::new(notify.wait(&io)).assert_pending("the wait behind the one that took the permit");

    // The same on the executor.
    notify.notify_one();
    cx.waiting("the wait that finds a permit", notify.wait(&io))
        .await;
    let second = cx.spawn_queued("second", owned(&notify, cx.io())).await;
    assert_waiters(&*notify, 1);
    notify.notify_one();
    second.join().await;
    assert_permit(&*notify, false);
}

pub(super) async fn permits_do_not_accumulate(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    for signals in [2, 3, 100] {
        let notify = subject.notify();
        (0..signals).for_each(|_| notify.notify_one());
        Hand::new(notify.wait(&io)).assert_ready("the wait that finds a permit");
        assert_permit(&*notify, false);
        let mut second = Hand::queued(notify.wait(&io));
        notify.notify_one();
        second.assert_ready("a wait that was signalled");
        assert_permit(&*notify, false);
    }
}

pub(super) async fn one_wakes_exactly_one(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let notify = subject.notify();
    let mut hands = [0; 4].map(|_| Hand::queued(notify.wait(&io)));
    for through in 1..=hands.len() {
        notify.notify_one();
        let woken = hands.iter().filter(|hand| hand.is_woken()).count();
        assert_eq!(woken, through, "how many {through} signals woke");
        assert_waiters(&*notify, hands.len() - through);
    }
    let mut ready = hands.iter_mut().map(|hand| hand.poll().is_ready());
    assert!(
        ready.all(|ready| ready),
        "a wait was woken and is not ready"
    );
    assert_permit(&*notify, false);

    // Tasks that nobody woke are polled all the same, and have to stay.
    const TASKS: usize = 8;
    let ended = Arc::new(Mutex::new(0));
    let count = || *ended.lock().unwrap_or_else(PoisonError::into_inner);
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let (wait, ended) = (owned(&notify, cx.io()), Arc::clone(&ended));
        let task = cx.spawn_queued(format!("task {task}"), async move {
            wait.await;
            *ended.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        });
        tasks.push(task.await);
    }
    for through in 1..=TASKS {
        notify.notify_one();
        cx.until("a signal lets a task through", || count() >= through)
            .await;
        cx.yield_turns(5).await;
        assert_eq!(
            count(),
            through,
            "how many tasks {through} signals let through"
        );
        assert_waiters(&*notify, TASKS - through);
    }
    for task in tasks {
        task.join().await;
    }
}

pub(super) async fn one_wakes_in_fifo_order(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let notify = subject.notify();
    // Created in one order and queued in another: the second counts.
    let mut waits: Vec<_> = (0..5).map(|_| Hand::new(notify.wait(&io))).collect();
    let order = [3, 0, 4, 1, 2];
    for place in order {
        waits[place].assert_pending("a wait that nobody has signalled");
    }
    for (signals, place) in order.into_iter().enumerate() {
        notify.notify_one();
        let woken: Vec<usize> = (0..5).filter(|at| waits[*at].is_woken()).collect();
        let mut expected = order[..=signals].to_vec();
        expected.sort_unstable();
        assert_eq!(woken, expected, "which waits {} signals woke", signals + 1);
        waits[place].assert_ready("the wait that has queued for longest");
    }
    drop(waits);

    const TASKS: usize = 10;
    let ended = Arc::new(Mutex::new(Vec::new()));
    let order = || ended.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut tasks = Vec::new();
    for number in 0..TASKS {
        let (wait, ended) = (owned(&notify, cx.io()), Arc::clone(&ended));
        let task = cx.spawn_queued(format!("task {number}"), async move {
            wait.await;
            let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.push(number);
        });
        tasks.push(task.await);
    }
    for through in 1..=TASKS {
        notify.notify_one();
        // One at a time: an executor may run two woken tasks in any order.
        cx.until("a signal lets a task through", || order().len() >= through)
            .await;
    }
    for task in tasks {
        task.join().await;
    }
    assert_eq!(order(), Vec::from_iter(0..TASKS), "the order of the tasks");
}

pub(super) async fn cancelled_one_goes_to_the_next(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let notify = subject.notify();
    let mut hands = [0; 3].map(|_| Hand::queued(notify.wait(&io)));
    notify.notify_one();
    for place in 0..2 {
        hands[place].cancel();
        assert!(
            hands[place + 1].is_woken(),
            "a signal was lost with the wait that it had chosen"
        );
        let further = hands[place + 2..].iter().any(Hand::is_woken);
        assert!(!further, "one signal became two");
    }
    hands[2].cancel();
    assert_permit(&*notify, true);
    Hand::new(notify.wait(&io)).assert_ready("a wait after the signal came back as a permit");
    Hand::new(notify.wait(&io)).assert_pending("the wait behind the one that took the permit");

    // A wait that has returned has used the signal up.
    let mut hands = [0; 2].map(|_| Hand::queued(notify.wait(&io)));
    notify.notify_one();
    hands[0].assert_ready("the wait that was signalled");
    hands[0].cancel();
    assert!(!hands[1].is_woken(), "a used signal was passed on");
    hands[1].cancel();
    assert_permit(&*notify, false);

    if !subject.promises().contains(&Promise::EnabledWinIsPassedOn) {
        return;
    }
    // A permit that `enable` took comes back as well.
    notify.notify_one();
    let mut enabled = notify.wait(&io);
    assert!(enabled.as_mut().enable(), "`enable` takes a permit");
    assert_permit(&*notify, false);
    let mut behind = Hand::queued(notify.wait(&io));
    drop(enabled);
    behind.assert_ready("the wait behind one that was enabled, won and was dropped");
    assert_permit(&*notify, false);
}
