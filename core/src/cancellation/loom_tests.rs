//! What the laws of `cancellation::` promise, in every interleaving of two or
//! three threads. Each model says what it proves; the number that it is given
//! bounds the forced switches between threads.

use core::pin::pin;
use std::boxed::Box;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::*;
use crate::loom_util::{block_on, counting_waker, model, poll};

/// A cancel ends every wait, of the token and of its child, and what was written
/// before it is read after.
#[test]
fn loom_cancel_ends_the_wait() {
    for below in [false, true] {
        model(3, move || {
            let root = CancellationToken::new();
            let token = if below {
                root.child_token()
            } else {
                root.clone()
            };
            let cell = Arc::new(UnsafeCell::new(0));
            let shared = cell.clone();
            let waiting = thread::spawn(move || {
                block_on(token.cancelled_future());
                // SAFETY: no thread writes after the cancel.
                assert_eq!(shared.with(|value| unsafe { *value }), 7);
            });
            // SAFETY: no thread reads before the cancel.
            cell.with_mut(|value| unsafe { *value = 7 });
            root.cancel();
            waiting.join().unwrap();
        });
    }
}

/// A poll with a new waker beside the cancel: it is ready, or the new one is woken.
#[test]
fn loom_the_last_waker_is_the_one_woken() {
    model(3, || {
        let token = CancellationToken::new();
        let mut wait = pin!(token.cancelled_future());
        assert!(poll(wait.as_mut(), &counting_waker().1).is_pending());
        let clone = token.clone();
        let cancelling = thread::spawn(move || clone.cancel());
        let (wakes, waker) = counting_waker();
        let ready = poll(wait.as_mut(), &waker).is_ready();
        cancelling.join().unwrap();
        assert!(ready || wakes.count() == 1);
        assert!(poll(wait.as_mut(), &waker).is_ready());
    });
}

/// A child that is made beside the cancel is cancelled, whether the parent was in a
/// tree before or not.
#[test]
fn loom_child_of_a_token_being_cancelled() {
    for has_children in [false, true] {
        model(3, move || {
            let root = CancellationToken::new();
            let first = has_children.then(|| root.child_token());
            let clone = root.clone();
            let making = thread::spawn(move || clone.child_token());
            root.cancel();
            assert!(making.join().unwrap().is_cancelled());
            assert!(first.is_none_or(|child| child.is_cancelled()));
        });
    }
}

/// Two threads make the first children at once: they are in one tree.
#[test]
fn loom_first_children_share_a_tree() {
    model(3, || {
        let root = CancellationToken::new();
        let clone = root.clone();
        let making = thread::spawn(move || clone.child_token());
        let child = root.child_token();
        let other = making.join().unwrap();
        assert!(!child.is_cancelled() && !other.is_cancelled());
        root.cancel();
        assert!(child.is_cancelled() && other.is_cancelled());
    });
}

/// A token between the one that is cancelled and another is dropped meanwhile: the
/// other is cancelled all the same. With two below it leaves a light entry.
#[test]
fn loom_drop_of_a_token_beside_a_cancel() {
    for wide in [false, true] {
        model(3, move || {
            let root = CancellationToken::new();
            let middle = root.child_token();
            let leaf = middle.child_token();
            let other = wide.then(|| middle.child_token());
            let dropping = thread::spawn(move || drop(middle));
            root.cancel();
            assert!(leaf.is_cancelled());
            assert!(other.as_ref().is_none_or(CancellationToken::is_cancelled));
            dropping.join().unwrap();
        });
    }
}

/// Leaves of a token that is gone are dropped at once, beside a cancel from above.
#[test]
fn loom_drops_of_leaves_meet() {
    model(3, || {
        let root = CancellationToken::new();
        let middle = root.child_token();
        let (left, right) = (middle.child_token(), middle.child_token());
        drop(middle);
        let dropping = thread::spawn(move || drop(left));
        root.cancel();
        assert!(right.is_cancelled());
        drop(right);
        dropping.join().unwrap();
    });
}

/// A token and one above it are cancelled at once: whichever call returns, all that
/// is below its token is cancelled.
#[test]
fn loom_cancels_help_each_other() {
    model(3, || {
        let root = CancellationToken::new();
        let middle = root.child_token();
        let leaf = middle.child_token().child_token();
        let shared = leaf.clone();
        let cancelling = thread::spawn(move || {
            middle.cancel();
            assert!(shared.is_cancelled());
        });
        root.cancel();
        assert!(leaf.is_cancelled());
        cancelling.join().unwrap();
    });
}

/// An owned wait is dropped beside the cancel of the parent: nothing is lost of the
/// others.
#[test]
fn loom_dropped_wait_beside_a_cancel() {
    model(3, || {
        let root = CancellationToken::new();
        let child = root.child_token();
        let (wakes, waker) = counting_waker();
        let mut stays = Box::pin(child.clone().cancelled_owned(Bare));
        let mut goes = Box::pin(child.cancelled_owned(Bare));
        assert!(poll(goes.as_mut(), &counting_waker().1).is_pending());
        assert!(poll(stays.as_mut(), &waker).is_pending());
        let dropping = thread::spawn(move || drop(goes));
        root.cancel();
        assert_eq!(wakes.count(), 1);
        dropping.join().unwrap();
    });
}
