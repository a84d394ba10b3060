// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::marker::PhantomPinned;
use std::panic::UnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Barrier};
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use sync::{SetOnce, SetOnceError};

use crate::support::{Task, Unsent, is_send, now, panic_of, runtime};

assert_impl_all!(SetOnce<u8>: Send, Sync, Unpin, UnwindSafe, Debug, Default, Clone, Eq, From<u8>);
assert_impl_all!(SetOnce<Cell<u8>>: Send);
assert_not_impl_any!(SetOnce<Cell<u8>>: Sync);
assert_not_impl_any!(SetOnce<Rc<u8>>: Send, Sync);
assert_not_impl_any!(SetOnce<Unsent>: Send, Sync);
assert_not_impl_any!(SetOnce<PhantomPinned>: Unpin);
assert_not_impl_any!(SetOnce<Unsent>: Clone);
assert_impl_all!(SetOnceError<u8>: Send, Sync, Unpin, UnwindSafe, Debug, Eq, Error);
assert_not_impl_any!(SetOnceError<u8>: Clone);

static EMPTY: SetOnce<u8> = SetOnce::const_new();
static FULL: SetOnce<u8> = SetOnce::const_new_with(1);

#[test]
fn works_in_a_static() {
    assert_eq!(EMPTY.set(7), Ok(()));
    assert_eq!((*now(EMPTY.wait()), *now(FULL.wait())), (7, 1));
}

#[test]
fn is_made_empty_or_full() {
    for cell in [
        SetOnce::new(),
        SetOnce::const_new(),
        SetOnce::default(),
        SetOnce::new_with(None),
    ] {
        assert!(!cell.initialized());
        assert_eq!(cell.get(), None);
        assert_eq!(cell.into_inner(), None::<u8>);
    }
    for cell in [
        SetOnce::new_with(Some(1)),
        SetOnce::const_new_with(1),
        SetOnce::from(1),
    ] {
        assert!(cell.initialized());
        assert_eq!((cell.get(), cell.clone().into_inner()), (Some(&1), Some(1)));
        assert_eq!(cell.set(2), Err(SetOnceError(2)));
        assert_eq!(cell.into_inner(), Some(1));
    }
}

#[test]
fn cells_are_equal_by_their_values() {
    assert_eq!(SetOnce::<u8>::new(), SetOnce::new());
    assert_eq!(SetOnce::from(1), SetOnce::from(1));
    assert_ne!(SetOnce::from(1), SetOnce::from(2));
    assert_ne!(SetOnce::from(1), SetOnce::new());
}

#[test]
fn reaches_all_that_wait() {
    let cell = SetOnce::new();
    let (first, second) = (Task::new(), Task::new());
    let (mut one, mut two) = (pin!(is_send(cell.wait())), pin!(cell.wait()));
    first.pending(one.as_mut());
    second.pending(two.as_mut());
    let mut gone = Box::pin(cell.wait());
    Task::new().pending(gone.as_mut());
    drop(gone);
    assert_eq!(cell.set("value".to_owned()), Ok(()));
    assert!(first.woken() && second.woken());
    assert!(std::ptr::eq(first.ready(one), second.ready(two)));
    assert_eq!(now(cell.wait()), "value");
}

#[test]
fn error_gives_the_value_back() {
    let cell = SetOnce::from("first".to_owned());
    let error = cell.set("second".to_owned()).unwrap_err();
    assert_eq!(error.to_string(), "SetOnceError");
    assert_eq!(format!("{error:?}"), "SetOnceError(\"second\")");
    assert!(error.source().is_none());
    assert_eq!(error.0, "second");
}

#[test]
fn who_comes_too_late_finds_the_value() {
    for _ in 0..200 {
        let (cell, start) = (SetOnce::new(), Barrier::new(3));
        let set = |number: usize| -> usize {
            start.wait();
            match cell.set(number) {
                Ok(()) => 1,
                Err(SetOnceError(own)) => {
                    assert_eq!(own, number);
                    assert!(cell.get().is_some());
                    0
                }
            }
        };
        let won: usize = thread::scope(|scope| {
            let threads = [1, 2, 3].map(|number| scope.spawn(move || set(number)));
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }
}

#[test]
fn value_is_dropped_once() {
    let value = Arc::new(());
    let cell = SetOnce::from(value.clone());
    drop(cell.set(value.clone()));
    drop(cell);
    assert_eq!(Arc::strong_count(&value), 1);
    drop(SetOnce::from(value.clone()).into_inner());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_second_poll_panics() {
    let cell = SetOnce::from(1);
    let mut wait = pin!(cell.wait());
    now(wait.as_mut());
    assert_eq!(panic_of(|| now(wait)), "`async fn` resumed after completion");
}

#[test]
fn works_across_tasks() {
    runtime().block_on(async {
        let cell = Arc::new(SetOnce::new());
        let readers = [(); 10].map(|()| {
            let cell = cell.clone();
            tokio::spawn(async move { *cell.wait().await })
        });
        tokio::task::yield_now().await;
        cell.set(5).unwrap();
        for reader in readers {
            assert_eq!(reader.await.unwrap(), 5);
        }
    });
}

#[test]
fn debug_shows_the_value() {
    assert_eq!(format!("{:?}", SetOnce::<u8>::new()), "SetOnce { value: None }");
    assert_eq!(format!("{:?}", SetOnce::from(1)), "SetOnce { value: Some(1) }");
}
