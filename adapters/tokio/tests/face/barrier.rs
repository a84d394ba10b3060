// Included for each side, see `main.rs`.

use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::sync::Arc;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use sync::{Barrier, BarrierWaitResult};

use crate::support::{Task, is_send, now, panic_of, runtime};

assert_impl_all!(Barrier: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug);
assert_not_impl_any!(Barrier: Clone, Default);
assert_impl_all!(BarrierWaitResult: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug, Clone);
assert_not_impl_any!(BarrierWaitResult: Copy, PartialEq);

#[test]
fn nobody_passes_before_the_last_who_leads() {
    let barrier = Barrier::new(3);
    // It is used again and again.
    for _ in 0..3 {
        let (first, second) = (Task::new(), Task::new());
        let (mut one, mut two) = (pin!(is_send(barrier.wait())), pin!(barrier.wait()));
        first.pending(one.as_mut());
        second.pending(two.as_mut());
        assert!(!first.woken() && !second.woken());
        assert!(now(barrier.wait()).is_leader());
        assert!(first.woken() && second.woken());
        assert!(!first.ready(one).is_leader());
        assert!(!second.ready(two).is_leader());
    }
}

#[test]
fn none_and_one_never_wait() {
    for barrier in [Barrier::new(0), Barrier::new(1)] {
        assert!(now(barrier.wait()).is_leader());
        assert!(now(barrier.wait()).is_leader());
    }
}

#[test]
fn a_wait_arrives_at_its_first_poll() {
    let barrier = Barrier::new(2);
    let unpolled = barrier.wait();
    Task::new().pending(pin!(barrier.wait()));
    drop(unpolled);
}

#[test]
fn a_fast_task_does_not_lap_a_slow_one() {
    let barrier = Barrier::new(2);
    let (slow, fast) = (Task::new(), Task::new());
    let mut waits = pin!(barrier.wait());
    slow.pending(waits.as_mut());
    assert!(fast.ready(pin!(barrier.wait())).is_leader());
    // The next generation, while the slow one has not looked yet.
    let mut again = pin!(barrier.wait());
    fast.pending(again.as_mut());
    assert!(!slow.ready(waits).is_leader());
    assert!(slow.ready(pin!(barrier.wait())).is_leader());
    assert!(!fast.ready(again).is_leader());
}

#[test]
fn dropped_after_the_release_it_changes_nothing() {
    let barrier = Barrier::new(2);
    let mut released = Box::pin(barrier.wait());
    Task::new().pending(released.as_mut());
    assert!(now(barrier.wait()).is_leader());
    drop(released);
    let task = Task::new();
    let mut first = pin!(barrier.wait());
    task.pending(first.as_mut());
    assert!(now(barrier.wait()).is_leader());
    assert!(!task.ready(first).is_leader());
}

#[test]
fn one_leads_across_tasks() {
    runtime().block_on(async {
        let barrier = Arc::new(Barrier::new(10));
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let barrier = barrier.clone();
                tokio::spawn(async move { barrier.wait().await.clone().is_leader() })
            })
            .collect();
        let mut leaders = 0;
        for task in tasks {
            leaders += usize::from(task.await.unwrap());
        }
        assert_eq!(leaders, 10);
    });
}

#[test]
fn a_second_poll_panics() {
    let barrier = Barrier::new(1);
    let mut wait = pin!(barrier.wait());
    now(wait.as_mut());
    assert_eq!(panic_of(|| now(wait)), "`async fn` resumed after completion");
}

#[test]
fn debug_is_as_it_is() {
    assert!(format!("{:?}", Barrier::new(2)).starts_with("Barrier {"));
    assert_eq!(format!("{:?}", now(Barrier::new(1).wait())), "BarrierWaitResult(true)");
}
