// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::future::{Future, pending, ready};
use std::marker::PhantomPinned;
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use sync::{OnceCell, SetError};

use crate::support::{poll_without_budget, Task, Unsent, is_send, now, panic_of, ready_in_a_budget, runtime};

assert_impl_all!(OnceCell<u8>: Send, Sync, Unpin, UnwindSafe, Debug, Default, Clone, Eq, From<u8>);
assert_impl_all!(OnceCell<Cell<u8>>: Send);
assert_not_impl_any!(OnceCell<Cell<u8>>: Sync);
assert_not_impl_any!(OnceCell<Rc<u8>>: Send, Sync);
assert_not_impl_any!(OnceCell<Unsent>: Send, Sync);
assert_not_impl_any!(OnceCell<PhantomPinned>: Unpin);
assert_not_impl_any!(OnceCell<Unsent>: Clone);
assert_impl_all!(OnceCell<Unsent>: Default);
assert_impl_all!(SetError<u8>: Send, Sync, Unpin, UnwindSafe, Debug, Eq, Error);
assert_not_impl_any!(SetError<u8>: Clone);
assert_not_impl_any!(SetError<PhantomPinned>: Unpin);
assert_not_impl_any!(SetError<Unsent>: Send);

static EMPTY: OnceCell<u8> = OnceCell::const_new();
static FULL: OnceCell<u8> = OnceCell::const_new_with(1);

#[test]
fn works_in_a_static() {
    assert_eq!(*now(EMPTY.get_or_init(|| ready(7))), 7);
    assert_eq!(FULL.get(), Some(&1));
}

#[test]
fn is_made_empty_or_full() {
    for mut cell in [
        OnceCell::new(),
        OnceCell::const_new(),
        OnceCell::default(),
        OnceCell::new_with(None),
    ] {
        assert!(!cell.initialized());
        assert!(cell.get().is_none() && cell.get_mut().is_none());
        assert_eq!(cell.take(), None::<u8>);
        assert_eq!(cell.into_inner(), None);
    }
    for mut cell in [
        OnceCell::new_with(Some(1)),
        OnceCell::const_new_with(1),
        OnceCell::from(1),
    ] {
        assert!(cell.initialized());
        *cell.get_mut().unwrap() += 1;
        assert_eq!(cell.get(), Some(&2));
        assert_eq!(cell.clone().into_inner(), Some(2));
        assert_eq!(cell.take(), Some(2));
        assert!(!cell.initialized());
        assert_eq!(cell.set(3), Ok(()));
        assert_eq!(cell.into_inner(), Some(3));
    }
}

#[test]
fn cells_are_equal_by_their_values() {
    assert_eq!(OnceCell::<u8>::new(), OnceCell::new());
    assert_eq!(OnceCell::from(1), OnceCell::from(1));
    assert_ne!(OnceCell::from(1), OnceCell::from(2));
    assert_ne!(OnceCell::from(1), OnceCell::new());
    assert_eq!(OnceCell::<u8>::new().clone(), OnceCell::new());
}

#[test]
fn initialises_once() {
    let cell = OnceCell::new();
    assert_eq!(*now(is_send(cell.get_or_init(|| ready(1)))), 1);
    assert_eq!(*now(cell.get_or_init(|| -> std::future::Ready<u8> { unreachable!() })), 1);
    let tried = now(is_send(cell.get_or_try_init(|| ready(Err::<u8, u8>(2)))));
    assert_eq!(tried, Ok(&1));
}

#[test]
fn an_error_may_stay_on_its_thread() {
    let cell = OnceCell::<u8>::new();
    let failed = now(is_send(cell.get_or_try_init(|| async { Err(Rc::new(1)) })));
    assert_eq!(failed, Err(Rc::new(1)));
}

#[test]
fn set_gives_back_and_says_why() {
    let cell = OnceCell::new();
    let task = Task::new();
    let mut init = Box::pin(cell.get_or_init(pending::<String>));
    task.pending(init.as_mut());
    let error = cell.set("set".to_owned()).unwrap_err();
    assert_eq!(error, SetError::InitializingError("set".to_owned()));
    assert!(error.is_initializing_err() && !error.is_already_init_err());
    assert_eq!(error.to_string(), "InitializingError");
    assert_eq!(format!("{error:?}"), "InitializingError(\"set\")");
    assert!(error.source().is_none());
    drop(init);
    assert_eq!(cell.set("set".to_owned()), Ok(()));
    let error = cell.set("again".to_owned()).unwrap_err();
    assert_eq!(error, SetError::AlreadyInitializedError("again".to_owned()));
    assert!(!error.is_initializing_err() && error.is_already_init_err());
    assert_eq!(error.to_string(), "AlreadyInitializedError");
    assert_eq!(format!("{error:?}"), "AlreadyInitializedError(\"again\")");
    assert_eq!(cell.get().unwrap(), "set");
}

#[test]
fn failed_init_passes_the_turn() {
    let cell = OnceCell::new();
    let gate = sync::Notify::new();
    let (first, second, third) = (Task::new(), Task::new(), Task::new());
    let mut fails = pin!(cell.get_or_try_init(|| async {
        gate.notified().await;
        Err("no")
    }));
    first.pending(fails.as_mut());
    let mut makes = pin!(cell.get_or_init(|| ready(2)));
    second.pending(makes.as_mut());
    let mut late = pin!(cell.get_or_try_init(|| ready(Ok::<_, ()>(3))));
    third.pending(late.as_mut());
    gate.notify_one();
    assert_eq!(first.ready(fails), Err("no"));
    assert!(second.woken() && !third.woken() && !cell.initialized());
    assert_eq!(*second.ready(makes), 2);
    assert!(third.woken());
    assert_eq!(third.ready(late), Ok(&2));
}

#[test]
fn cancelled_or_panicking_init_passes_the_turn() {
    let cell = OnceCell::new();
    let (first, second) = (Task::new(), Task::new());
    let mut cancelled = Box::pin(cell.get_or_init(pending));
    first.pending(cancelled.as_mut());
    let mut next = pin!(cell.get_or_init(|| ready(2)));
    second.pending(next.as_mut());
    drop(cancelled);
    assert!(second.woken());
    assert_eq!(*second.ready(next), 2);

    let cell = OnceCell::new();
    let panics = catch_unwind(AssertUnwindSafe(|| {
        now(cell.get_or_init(|| async { panic!("in the initialiser") }));
    }));
    assert!(panics.is_err() && !cell.initialized());
    assert_eq!(*now(cell.get_or_init(|| ready(3))), 3);
}

#[test]
fn a_wait_that_had_the_turn_and_is_dropped_passes_it_on() {
    let cell = OnceCell::new();
    let tasks = [(); 3].map(|()| Task::new());
    let mut running = Box::pin(cell.get_or_init(pending));
    let mut next = Box::pin(cell.get_or_init(|| ready(1)));
    let mut last = Box::pin(cell.get_or_init(|| ready(2)));
    tasks[0].pending(running.as_mut());
    tasks[1].pending(next.as_mut());
    tasks[2].pending(last.as_mut());
    drop(running);
    assert!(tasks[1].woken() && !tasks[2].woken());
    drop(next);
    assert!(tasks[2].woken());
    assert_eq!(*tasks[2].ready(last.as_mut()), 2);
}

#[test]
fn value_is_dropped_once() {
    let value = Arc::new(());
    let cell = OnceCell::from(value.clone());
    assert_eq!(Arc::strong_count(&value), 2);
    drop(cell);
    assert_eq!(Arc::strong_count(&value), 1);
    let mut cell = OnceCell::from(value.clone());
    drop(cell.take());
    assert_eq!(Arc::strong_count(&value), 1);
    drop(OnceCell::from(value.clone()).into_inner());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn waits_spend_budget_and_looks_do_not() {
    let made = ready_in_a_budget(|cx| {
        let cell = OnceCell::new();
        pin!(cell.get_or_init(|| ready(1))).poll(cx).map(|_| ())
    });
    assert!(made.is_some());
    let failed = ready_in_a_budget(|cx| {
        let cell = OnceCell::<u8>::new();
        pin!(cell.get_or_try_init(|| ready(Err("no")))).poll(cx).map(drop)
    });
    assert!(failed.is_some_and(|count| count > 0));
    let cell = OnceCell::from(1);
    let looked = ready_in_a_budget(|cx| pin!(cell.get_or_init(|| ready(1))).poll(cx).map(|_| ()));
    assert!(looked.is_none());
}

#[test]
fn who_has_no_budget_waits_and_loses_nothing() {
    let cell = OnceCell::new();
    let mut init = pin!(cell.get_or_init(|| ready(1)));
    assert!(poll_without_budget(init.as_mut()).is_pending());
    assert_eq!(*now(init), 1);

    let cell = OnceCell::new();
    let mut dropped = Box::pin(cell.get_or_try_init(|| ready(Err::<u8, _>("no"))));
    assert!(poll_without_budget(dropped.as_mut()).is_pending());
    drop(dropped);
    assert_eq!(*now(cell.get_or_init(|| ready(2))), 2);
}

#[test]
fn a_second_poll_panics() {
    let cell = OnceCell::from(1);
    let mut wait = pin!(cell.get_or_init(|| ready(1)));
    now(wait.as_mut());
    assert_eq!(panic_of(|| now(wait)), "`async fn` resumed after completion");
}

#[test]
fn works_across_tasks() {
    runtime().block_on(async {
        let cell = Arc::new(OnceCell::new());
        let tasks: Vec<_> = (0..100)
            .map(|number| {
                let cell = cell.clone();
                tokio::spawn(async move {
                    *cell
                        .get_or_init(|| async {
                            tokio::task::yield_now().await;
                            number
                        })
                        .await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 0);
        }
    });
}

#[test]
fn debug_shows_the_value() {
    assert_eq!(format!("{:?}", OnceCell::<u8>::new()), "OnceCell { value: None }");
    assert_eq!(format!("{:?}", OnceCell::from(1)), "OnceCell { value: Some(1) }");
}

#[test]
fn a_wait_for_its_own_cell_may_have_a_bound() {
    static CELL: OnceCell<u32> = OnceCell::const_new();
    async fn value_or(number: u32) -> u32 {
        let made = CELL.get_or_init(|| async { 7 });
        let limit = std::time::Duration::from_millis(20);
        tokio::time::timeout(limit, made).await.map_or(number, |value| *value)
    }
    runtime().block_on(async {
        assert_eq!(*CELL.get_or_init(|| async { value_or(42).await }).await, 42);

        // Bounded from outside.
        let cell = OnceCell::<u32>::new();
        let within = async { *cell.get_or_init(|| async { 7 }).await };
        let limit = std::time::Duration::from_millis(5);
        assert!(tokio::time::timeout(limit, cell.get_or_init(|| within)).await.is_err());
        assert_eq!(*cell.get_or_init(|| async { 8 }).await, 8);

        // By another branch.
        let cell = OnceCell::<u32>::new();
        let first = || async {
            tokio::select! {
                biased;
                value = cell.get_or_init(|| async { 1 }) => *value,
                () = tokio::task::yield_now() => 2,
            }
        };
        assert_eq!(*cell.get_or_init(first).await, 2);
    });
}
