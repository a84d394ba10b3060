// Included for each side, see `main.rs`.

use std::collections::HashSet;
use std::fmt::Debug;
use std::future::{Future, pending, poll_fn, ready};
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use util::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture,
    WaitForCancellationFutureOwned,
};

use crate::support::{Task, now, panic_of, runtime};

assert_impl_all!(CancellationToken: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(CancellationToken: Clone, Default, Debug, Eq, Hash);
assert_not_impl_any!(CancellationToken: Copy, PartialOrd);
assert_impl_all!(WaitForCancellationFuture<'static>: Send, Sync, Debug, Future<Output = ()>);
assert_not_impl_any!(WaitForCancellationFuture<'static>: Unpin, Clone);
assert_impl_all!(WaitForCancellationFutureOwned: Send, Sync, Debug, Future<Output = ()>);
assert_not_impl_any!(WaitForCancellationFutureOwned: Unpin, Clone);
assert_impl_all!(DropGuard: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug);
assert_not_impl_any!(DropGuard: Clone);
assert_impl_all!(DropGuardRef<'static>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug);
assert_not_impl_any!(DropGuardRef<'static>: Clone);

fn is_send<F: Send>(future: F) -> F {
    future
}

#[test]
fn it_is_sticky() {
    let token = CancellationToken::new();
    assert!(!token.is_cancelled());
    token.cancel();
    token.cancel();
    assert!(token.is_cancelled());
    now(token.cancelled());
    now(token.clone().cancelled_owned());
    assert!(token.child_token().is_cancelled());
    assert!(!CancellationToken::default().is_cancelled());
}

#[test]
fn all_who_wait_are_woken() {
    let token = CancellationToken::new();
    let tasks = [Task::new(), Task::new(), Task::new()];
    let mut borrowed = pin!(token.cancelled());
    let mut owned = pin!(token.clone().cancelled_owned());
    let child = token.child_token();
    let mut of_child = pin!(child.cancelled());
    tasks[0].pending(borrowed.as_mut());
    tasks[1].pending(owned.as_mut());
    tasks[2].pending(of_child.as_mut());
    token.clone().cancel();
    assert!(tasks.iter().all(|task| task.wakes() == 1));
    tasks[0].ready(borrowed.as_mut());
    tasks[1].ready(owned.as_mut());
    tasks[2].ready(of_child);
    // Once ready they stay so.
    tasks[0].ready(borrowed);
    tasks[1].ready(owned);
}

#[test]
fn the_waker_of_the_latest_poll_is_woken() {
    let token = CancellationToken::new();
    let (first, second) = (Task::new(), Task::new());
    let mut cancelled = pin!(token.cancelled());
    first.pending(cancelled.as_mut());
    second.pending(cancelled.as_mut());
    token.cancel();
    assert!(!first.woken() && second.woken());
}

#[test]
fn a_child_follows_its_parent_and_not_the_reverse() {
    let parent = CancellationToken::new();
    let (child, sibling) = (parent.child_token(), parent.child_token());
    let grandchild = child.child_token();
    child.cancel();
    assert!(child.is_cancelled() && grandchild.is_cancelled());
    assert!(!parent.is_cancelled() && !sibling.is_cancelled());
    parent.cancel();
    assert!(sibling.is_cancelled());
}

#[test]
fn dropping_a_token_cancels_nothing() {
    let grandparent = CancellationToken::new();
    let parent = grandparent.child_token();
    let child = parent.child_token();
    drop(parent);
    assert!(!child.is_cancelled());
    // It is its grandparent's now.
    grandparent.cancel();
    assert!(child.is_cancelled());
    let child = {
        let orphaned = CancellationToken::new();
        orphaned.child_token()
    };
    assert!(!child.is_cancelled());
    child.cancel();
}

#[test]
fn an_owned_wait_keeps_its_token() {
    let grandparent = CancellationToken::new();
    let wait = grandparent.child_token().cancelled_owned();
    let task = Task::new();
    let mut wait = pin!(wait);
    task.pending(wait.as_mut());
    grandparent.cancel();
    assert!(task.woken());
    task.ready(wait);
}

#[test]
#[allow(clippy::mutable_key_type, reason = "its hash does not change")]
fn clones_are_equal_and_children_are_not() {
    let token = CancellationToken::new();
    let child = token.child_token();
    assert_eq!(token, token.clone());
    assert_ne!(token, child);
    assert_ne!(child, token.child_token());
    assert_ne!(token, CancellationToken::new());
    let tokens = HashSet::from([token.clone(), token.clone(), child.clone()]);
    assert_eq!(tokens.len(), 2);
    token.cancel();
    assert!(tokens.contains(&token) && tokens.contains(&child));
}

#[test]
fn a_guard_cancels_unless_it_is_disarmed() {
    let token = CancellationToken::new();
    let guard = token.clone().drop_guard();
    assert_eq!(guard.token(), &token);
    assert_eq!(guard.disarm(), token);
    let guard = token.drop_guard_ref();
    assert_eq!(guard.token(), &token);
    assert_eq!(guard.disarm(), &token);
    assert!(!token.is_cancelled());
    let child = token.child_token();
    drop(child.drop_guard_ref());
    assert!(child.is_cancelled() && !token.is_cancelled());
    drop(token.clone().drop_guard());
    assert!(token.is_cancelled());
}

#[test]
fn a_guard_cancels_also_in_a_panic() {
    let token = CancellationToken::new();
    let guard = token.clone().drop_guard();
    let text = panic_of(move || {
        let _guard = guard;
        panic!("by the user");
    });
    assert_eq!(text, "by the user");
    assert!(token.is_cancelled());
}

#[test]
fn run_until_cancelled_gives_the_output() {
    let token = CancellationToken::new();
    assert_eq!(now(is_send(token.run_until_cancelled(ready(1)))), Some(1));
    let owned = is_send(token.clone().run_until_cancelled_owned(ready(2)));
    assert_eq!(now(owned), Some(2));
}

#[test]
fn run_until_cancelled_drops_the_future() {
    let held = Arc::new(());
    let token = CancellationToken::new();
    let task = Task::new();
    for owned in [false, true] {
        let token = token.child_token();
        let future = {
            let held = held.clone();
            async move {
                pending::<()>().await;
                drop(held);
            }
        };
        let mut run: std::pin::Pin<Box<dyn Future<Output = Option<()>>>> = if owned {
            Box::pin(token.clone().run_until_cancelled_owned(future))
        } else {
            Box::pin(token.run_until_cancelled(future))
        };
        task.pending(run.as_mut());
        let before = task.wakes();
        token.cancel();
        assert_eq!(task.wakes(), before + 1);
        assert_eq!(task.ready(run.as_mut()), None);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

#[test]
fn in_a_tie_the_future_wins() {
    let token = CancellationToken::new();
    let task = Task::new();
    for owned in [false, true] {
        let token = token.child_token();
        let mut polls = 0;
        let second = poll_fn(|_| {
            polls += 1;
            if polls == 1 { Poll::Pending } else { Poll::Ready(polls) }
        });
        let mut run: std::pin::Pin<Box<dyn Future<Output = Option<u32>>>> = if owned {
            Box::pin(token.clone().run_until_cancelled_owned(second))
        } else {
            Box::pin(token.run_until_cancelled(second))
        };
        task.pending(run.as_mut());
        token.cancel();
        assert_eq!(task.ready(run.as_mut()), Some(2));
    }
    // One that cancels in its first poll, and is ready in the same.
    let cancels = poll_fn(|_| {
        token.cancel();
        Poll::Ready(1)
    });
    assert_eq!(now(token.run_until_cancelled(cancels)), Some(1));
}

#[test]
fn a_token_that_was_cancelled_before_polls_no_future() {
    let token = CancellationToken::new();
    token.cancel();
    let never = || poll_fn(|_| -> Poll<()> { panic!("it is polled") });
    assert_eq!(now(token.run_until_cancelled(never())), None);
    assert_eq!(now(token.clone().run_until_cancelled_owned(never())), None);
    // Also if that comes between the call and the first poll.
    let token = CancellationToken::new();
    let run = token.run_until_cancelled(never());
    token.cancel();
    assert_eq!(now(run), None);
}

#[test]
fn a_cancelled_token_is_ready_whatever_the_budget() {
    let token = CancellationToken::new();
    token.cancel();
    runtime().block_on(poll_fn(|cx| {
        for _ in 0..1_000 {
            assert!(pin!(token.cancelled()).poll(cx).is_ready());
            assert!(pin!(token.clone().cancelled_owned()).poll(cx).is_ready());
        }
        Poll::Ready(())
    }));
}

#[test]
fn cancels_across_threads() {
    let token = CancellationToken::new();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let child = token.child_token();
            thread::spawn(move || runtime().block_on(child.cancelled()))
        })
        .collect();
    token.cancel();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn all_are_debug() {
    let token = CancellationToken::new();
    let text = "CancellationToken { is_cancelled: false }";
    assert_eq!(format!("{token:?}"), text);
    assert_eq!(format!("{:?}", token.cancelled()), "WaitForCancellationFuture");
    let owned = token.clone().cancelled_owned();
    assert_eq!(format!("{owned:?}"), "WaitForCancellationFutureOwned");
    let guard = token.drop_guard_ref();
    assert_eq!(format!("{guard:?}"), format!("DropGuardRef {{ inner: Some({text}) }}"));
    let guard = token.clone().drop_guard();
    assert_eq!(format!("{guard:?}"), format!("DropGuard {{ inner: Some({text}) }}"));
    token.cancel();
    assert_eq!(format!("{token:?}"), "CancellationToken { is_cancelled: true }");
}
