//! What is dropped leaves nothing behind and takes nothing with it.

use std::sync::Arc;
use std::time::Duration;

use crate::cx::{Cx, Gate};
use crate::erased::BoxFuture;
use crate::laws::hand::{Hand, all_through};
use crate::subject::{Reach, Waitable, Waiting, owned_wait};

pub(super) async fn dropped_wait_leaves_no_trace(cx: Cx, waiting: Arc<dyn Waiting>) {
    let io = cx.io();
    let reach = waiting.reach();

    let primitive = waiting.fresh(1);
    drop(primitive.wait(&io));
    assert_queued(&*primitive, 0, "an unpolled wait was dropped");
    let mut hands = [Hand::queued(primitive.wait(&io))];
    all_through(&*primitive, reach, &mut hands);
    primitive.check_later(&io);
    cx.yield_turns(1).await;

    for place in 0..3 {
        let primitive = waiting.fresh(3);
        let mut hands: Vec<_> = (0..3).map(|_| Hand::queued(primitive.wait(&io))).collect();
        assert_queued(&*primitive, 3, "three waits have queued");
        hands.remove(place).cancel();
        assert_queued(&*primitive, 2, "one of three was dropped");
        let mut newcomer = Hand::new(primitive.wait(&io));
        newcomer.assert_pending("a wait that comes after one was dropped, and before the signal,");
        hands.push(newcomer);
        let woken = hands.iter().any(Hand::is_woken);
        assert!(!woken, "dropping a queued wait woke another");
        all_through(&*primitive, reach, &mut hands);
        primitive.check_later(&io);
        cx.yield_turns(1).await;
    }

    let primitive = waiting.fresh(1);
    let mut woken = Hand::queued(primitive.wait(&io));
    primitive.signal();
    assert!(woken.is_woken(), "the signal woke nobody");
    woken.cancel();
    assert_queued(&*primitive, 0, "a woken wait was dropped");
    primitive.check_later(&io);
    cx.yield_turns(1).await;

    let primitive = waiting.fresh(1);
    let mut done = Hand::queued(primitive.wait(&io));
    primitive.signal();
    done.assert_ready("a wait that was signalled");
    done.cancel();
    assert_queued(&*primitive, 0, "a finished wait was dropped");
    primitive.check_later(&io);

    aborted_task_leaves_no_trace(cx, &*waiting).await;
}

pub(super) async fn timed_out_wait_leaves_no_trace(cx: Cx, waiting: Arc<dyn Waiting>) {
    let io = cx.io();
    let primitive = waiting.fresh(2);
    let mut before = Hand::queued(primitive.wait(&io));
    let timed = cx.timeout(Duration::from_millis(1), primitive.wait(&io));
    assert!(timed.await.is_err(), "a wait ended, and nobody signalled");
    assert_queued(&*primitive, 1, "one of two was timed out");
    assert!(
        !before.is_woken(),
        "a timeout of a queued wait woke another"
    );
    before.assert_pending("a wait that comes before one that was timed out");
    let mut hands = [before, Hand::queued(primitive.wait(&io))];
    all_through(&*primitive, waiting.reach(), &mut hands);
    primitive.check_later(&io);
}

#[track_caller]
fn assert_queued(primitive: &dyn Waitable, expected: usize, when: &str) {
    if let Some(queued) = primitive.queued() {
        assert_eq!(queued, expected, "how many are queued after {when}");
    }
}

/// The same on the executor: a task that is aborted while it waits.
async fn aborted_task_leaves_no_trace(cx: Cx, waiting: &dyn Waiting) {
    let primitive = waiting.fresh(3);
    let wait = || owned_wait(&primitive, cx.io());
    let first = cx.spawn_queued("first", wait()).await;
    let dropped = Gate::new();
    let announced = announcing_drop(wait(), dropped.clone());
    let second = cx.spawn_queued("second, aborted", announced).await;
    let third = cx.spawn_queued("third", wait()).await;
    second.abort();
    cx.waiting("the drop of the aborted wait", dropped.passed())
        .await;
    assert!(second.await.is_err(), "an aborted wait cannot have ended");
    let fourth = cx.spawn_queued("fourth", wait()).await;
    let tasks = [first, third, fourth];
    match waiting.reach() {
        Reach::First => tasks.iter().for_each(|_| primitive.signal()),
        Reach::FirstThenNext | Reach::All => primitive.signal(),
    }
    for task in tasks {
        task.join().await;
    }
    primitive.check_later(&cx.io());
}

/// Opens `dropped` when `wait` is over and dropped.
async fn announcing_drop(wait: BoxFuture<'static, ()>, dropped: Gate) {
    let _open = dropped.open_on_drop();
    wait.await;
}

pub(super) async fn dropped_win_is_passed_on(cx: Cx, waiting: Arc<dyn Waiting>) {
    let io = cx.io();
    let primitive = waiting.fresh(3);
    let mut hands: Vec<_> = (0..3).map(|_| Hand::queued(primitive.wait(&io))).collect();
    primitive.signal();
    // Each but the last is dropped with its win.
    for place in 0..2 {
        assert!(hands[place].is_woken(), "the win did not reach the next");
        hands[place].cancel();
        assert!(
            hands[place + 1].is_woken(),
            "the win of a dropped wait did not reach the next in the queue"
        );
    }
    hands[2].assert_ready("the wait to which a dropped win was passed on");
    hands[2].cancel();
    primitive.check_later(&io);

    // On the executor, where the winner may have returned before it is aborted.
    for round in 0..20 {
        let primitive = waiting.fresh(2);
        let wait = || owned_wait(&primitive, cx.io());
        let first = cx.spawn_queued(format!("first of {round}"), wait()).await;
        let second = cx.spawn_queued(format!("second of {round}"), wait()).await;
        primitive.signal();
        first.abort();
        let returned = first.await.is_ok();
        if returned && waiting.reach() == Reach::First {
            primitive.signal();
        }
        second.join().await;
        primitive.check_later(&cx.io());
    }
}
