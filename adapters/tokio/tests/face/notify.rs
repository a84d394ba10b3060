// Included for each side, see `main.rs`.

use std::fmt::Debug;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::sync::Arc;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use sync::Notify;
use sync::futures::{Notified, OwnedNotified};

use crate::support::{poll_without_budget, Task, is_send, now};

assert_impl_all!(Notify: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, Default);
assert_not_impl_any!(Notify: Clone);
assert_impl_all!(Notified<'static>: Send, Sync, Debug, Future<Output = ()>);
assert_not_impl_any!(Notified<'static>: Unpin);
assert_impl_all!(OwnedNotified: Send, Sync, Debug, Future<Output = ()>);
assert_not_impl_any!(OwnedNotified: Unpin);

static READY: Notify = Notify::const_new();

#[test]
fn works_in_a_static() {
    READY.notify_one();
    now(READY.notified());
}

#[test]
fn permit_is_stored_and_does_not_accumulate() {
    for notify in [Notify::new(), Notify::default(), Notify::const_new()] {
        notify.notify_one();
        notify.notify_one();
        notify.notify_last();
        now(notify.notified());
        Task::new().pending(pin!(notify.notified()));
    }
}

#[test]
fn one_wakes_in_order_and_last_from_behind() {
    let notify = Notify::new();
    let tasks = [(); 4].map(|()| Task::new());
    let mut waits = [(); 4].map(|()| Box::pin(notify.notified()));
    for (task, wait) in tasks.iter().zip(&mut waits) {
        task.pending(wait.as_mut());
    }
    let woken = || tasks.iter().map(Task::woken).collect::<Vec<_>>();
    notify.notify_one();
    assert_eq!(woken(), [true, false, false, false]);
    notify.notify_last();
    assert_eq!(woken(), [true, false, false, true]);
    notify.notify_one();
    assert_eq!(woken(), [true, true, false, true]);
    for index in [0, 1, 3] {
        tasks[index].ready(waits[index].as_mut());
    }
    tasks[2].pending(waits[2].as_mut());
}

#[test]
fn waiters_are_those_created_before() {
    let notify = Arc::new(Notify::new());
    let (mut unpolled, mut owned) = (pin!(notify.notified()), pin!(notify.clone().notified_owned()));
    let mut polled = pin!(notify.notified());
    let task = Task::new();
    task.pending(polled.as_mut());
    notify.notify_waiters();
    assert_eq!(task.wakes(), 1);
    task.ready(polled);
    Task::new().ready(unpolled.as_mut());
    Task::new().ready(owned.as_mut());
    // And nothing is left.
    Task::new().pending(pin!(notify.notified()));
}

#[test]
fn waiters_keep_a_stored_permit() {
    let notify = Notify::new();
    let before = notify.notified();
    notify.notify_one();
    notify.notify_waiters();
    now(before);
    now(notify.notified());
    Task::new().pending(pin!(notify.notified()));
}

#[test]
fn dropped_winner_passes_it_on() {
    let notify = Arc::new(Notify::new());
    let (first, second) = (Task::new(), Task::new());
    let mut winner = Box::pin(notify.notified());
    let mut next = pin!(notify.clone().notified_owned());
    first.pending(winner.as_mut());
    second.pending(next.as_mut());
    notify.notify_one();
    assert!(first.woken() && !second.woken());
    drop(winner);
    assert!(second.woken());
    second.ready(next);

    // With nobody behind, it becomes the permit.
    let mut winner = Box::pin(notify.clone().notified_owned());
    first.pending(winner.as_mut());
    notify.notify_one();
    drop(winner);
    now(notify.notified());
}

#[test]
fn dropped_winner_of_last_passes_it_to_the_last() {
    let notify = Notify::new();
    let tasks = [(); 3].map(|()| Task::new());
    let mut waits = [(); 3].map(|()| Some(Box::pin(notify.notified())));
    for (task, wait) in tasks.iter().zip(&mut waits) {
        task.pending(wait.as_mut().unwrap().as_mut());
    }
    notify.notify_last();
    assert!(tasks[2].woken());
    waits[2] = None;
    assert!(!tasks[0].woken() && tasks[1].woken());
}

#[test]
fn dropped_waiter_of_all_passes_nothing_on() {
    let notify = Notify::new();
    let mut wait = Box::pin(notify.notified());
    Task::new().pending(wait.as_mut());
    notify.notify_waiters();
    drop(wait);
    Task::new().pending(pin!(notify.notified()));

    let mut unpolled_and_queued = Box::pin(notify.notified());
    Task::new().pending(unpolled_and_queued.as_mut());
    drop(unpolled_and_queued);
    notify.notify_one();
    now(notify.notified());
}

#[test]
fn enable_queues_and_says_whether_it_is_ready() {
    let notify = Arc::new(Notify::new());
    let mut first = pin!(notify.notified());
    assert!(!first.as_mut().enable() && !first.as_mut().enable());
    notify.notify_one();
    assert!(first.as_mut().enable() && first.as_mut().enable());
    now(first.as_mut());

    // It takes the permit, and has used it up.
    notify.notify_one();
    let mut taken = Box::pin(notify.clone().notified_owned());
    assert!(taken.as_mut().enable());
    Task::new().pending(pin!(notify.notified()));
    drop(taken);
    Task::new().pending(pin!(notify.notified()));

    // And keeps its place.
    let (mut enabled, mut polled) = (pin!(notify.notified()), pin!(notify.notified()));
    let task = Task::new();
    assert!(!enabled.as_mut().enable());
    task.pending(polled.as_mut());
    notify.notify_one();
    assert!(!task.woken() && enabled.as_mut().enable());

    let mut before = pin!(notify.clone().notified_owned());
    notify.notify_waiters();
    assert!(before.as_mut().enable());
    now(before);
}

#[test]
fn an_enabled_winner_that_was_not_asked_passes_it_on() {
    let notify = Notify::new();
    let mut enabled = Box::pin(notify.notified());
    assert!(!enabled.as_mut().enable());
    notify.notify_one();
    drop(enabled);
    now(notify.notified());
}

#[test]
fn what_is_enabled_and_ready_stays_ready_without_budget() {
    let notify = Notify::new();
    notify.notify_one();
    let mut wait = pin!(notify.notified());
    assert!(wait.as_mut().enable());
    assert!(poll_without_budget(wait).is_ready());
}

#[test]
fn a_signal_that_cannot_be_paid_for_is_not_lost() {
    let notify = Notify::new();
    notify.notify_one();
    let mut wait = Box::pin(notify.notified());
    let paid = poll_without_budget(wait.as_mut()).is_ready();
    drop(wait);
    let task = Task::new();
    assert_eq!(task.poll(pin!(notify.notified())).is_pending(), paid);
}

#[test]
fn a_second_poll_is_ready_again() {
    let notify = Arc::new(Notify::new());
    notify.notify_one();
    let mut wait = pin!(notify.notified());
    now(wait.as_mut());
    now(wait.as_mut());
    assert!(wait.as_mut().enable());
    notify.notify_one();
    let mut wait = pin!(notify.clone().notified_owned());
    now(wait.as_mut());
    now(wait.as_mut());
    assert!(wait.as_mut().enable());
    // It took nothing more.
    notify.notify_one();
    now(notify.notified());
}

#[test]
fn wakes_the_task_that_polled_last() {
    let notify = Notify::new();
    let (first, second) = (Task::new(), Task::new());
    let mut wait = pin!(notify.notified());
    first.pending(wait.as_mut());
    second.pending(wait.as_mut());
    second.pending(wait.as_mut());
    notify.notify_one();
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
}

#[test]
fn owned_wait_keeps_it_alive() {
    let notify = Arc::new(Notify::new());
    let weak = Arc::downgrade(&notify);
    let wait = Box::pin(is_send(notify.notified_owned()));
    assert!(weak.upgrade().is_some());
    weak.upgrade().unwrap().notify_waiters();
    now(wait);
    assert!(weak.upgrade().is_none());
}

#[test]
fn debug_begins_with_the_name() {
    let notify = Arc::new(Notify::new());
    assert!(format!("{notify:?}").starts_with("Notify {"));
    assert!(format!("{:?}", notify.notified()).starts_with("Notified {"));
    assert!(format!("{:?}", notify.clone().notified_owned()).starts_with("OwnedNotified {"));
}
