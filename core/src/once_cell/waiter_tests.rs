use core::future::pending;
use core::pin::pin;
use core::task::Poll;
use std::boxed::Box;

use super::tests::assert_untouched;
use super::*;
use crate::test_util::{counting_waker, panic_message, poll_noop};

#[test]
fn init_waiter_takes_its_turn() {
    let cell = OnceCell::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(init.as_mut()).is_pending());
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(InitWaiter::with_waker(waker));
    let mut behind = pin!(cell.get_or_init(Bare, || 9));
    for _ in 0..2 {
        assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 7), None);
        assert!(!waiter.is_ready());
    }
    assert!(poll_noop(behind.as_mut()).is_pending());
    drop(init);
    assert_eq!(wakes.count(), 1);
    assert!(waiter.is_ready());
    assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 7), Some(&7));
    assert!(waiter.is_ready());
    assert_eq!(poll_noop(behind.as_mut()), Poll::Ready(&7));
}

#[test]
fn init_waiter_that_is_dropped_passes_its_turn() {
    let cell = OnceCell::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(init.as_mut()).is_pending());
    let mut first = Box::pin(InitWaiter::new());
    let mut second = pin!(InitWaiter::new());
    let mut third = pin!(InitWaiter::new());
    assert_eq!(cell.get_or_init_with(first.as_mut(), || 1), None);
    assert_eq!(cell.get_or_init_with(second.as_mut(), || 2), None);
    assert_eq!(cell.get_or_init_with(third.as_mut(), || 3), None);
    drop(init);
    drop(first);
    assert!(second.is_ready() && !third.is_ready());
    second.as_mut().reset();
    assert!(!second.is_ready() && third.is_ready());
    let message = panic_message(|| {
        cell.get_or_init_with(third.as_mut(), || panic!("no value"));
    });
    assert_eq!(message, "no value");
    assert_untouched(&cell);
    assert!(!third.is_ready());
    assert_eq!(cell.get_or_init_with(second.as_mut(), || 2), Some(&2));
}

#[test]
fn init_waiter_is_not_on_two_cells() {
    let (one, other) = (OnceCell::new(), OnceCell::new());
    let mut init = Box::pin(one.get_or_init_async(Bare, pending));
    assert!(poll_noop(init.as_mut()).is_pending());
    let mut waiter = pin!(InitWaiter::new());
    assert_eq!(one.get_or_init_with(waiter.as_mut(), || 1), None);
    assert!(
        panic_message(|| {
            other.get_or_init_with(waiter.as_mut(), || 2);
        })
        .contains("waits on another")
    );
    drop(init);
    // It has the turn there.
    panic_message(|| {
        other.get_or_init_with(waiter.as_mut(), || 2);
    });
    assert_eq!(one.get_or_init_with(waiter.as_mut(), || 1), Some(&1));
    // Done with one, it may go to the other.
    assert_eq!(other.get_or_init_with(waiter.as_mut(), || 2), Some(&2));
}

#[test]
fn init_waiter_changes_its_waker() {
    let cell = OnceCell::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(init.as_mut()).is_pending());
    let (old, first) = counting_waker();
    let (new, second) = counting_waker();
    let mut waiter = pin!(InitWaiter::with_waker(first));
    assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 1), None);
    waiter.as_mut().set_waker(second);
    drop(init);
    assert_eq!((old.count(), new.count()), (0, 1));
}
