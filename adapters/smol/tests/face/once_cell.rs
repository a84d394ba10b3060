// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::future::pending;
use std::panic::UnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use lock::OnceCell;

use crate::support::{Task, now, panic_of, within_a_minute};

static IN_A_STATIC: OnceCell<u8> = OnceCell::new();

assert_impl_all!(OnceCell<u8>: Send, Sync, Unpin, UnwindSafe);
assert_impl_all!(OnceCell<Cell<u8>>: Send);
assert_not_impl_any!(OnceCell<Cell<u8>>: Sync);
assert_not_impl_any!(OnceCell<Rc<u8>>: Send, Sync);

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn values_go_in_and_come_out() {
    assert!(!IN_A_STATIC.is_initialized());
    let mut cell = OnceCell::from(1);
    assert!(cell.is_initialized());
    *cell.get_mut().unwrap() += 1;
    assert_eq!(cell.get(), Some(&2));
    assert_eq!(cell.take(), Some(2));
    assert_eq!(cell.take(), None);
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_mut(), None);
    assert_eq!(cell.try_set(3), Ok(()));
    assert_eq!(cell.into_inner(), Some(3));
    assert_eq!(OnceCell::<u8>::default().into_inner(), None);
    // Unsafe in the original, so it is only named here.
    let _ = OnceCell::<u8>::get_unchecked;
}

#[test]
fn every_form_initialises() {
    let cell = OnceCell::new();
    assert_eq!(now(is_send(cell.get_or_init(|| async { 1 }))), &1);
    assert_eq!(now(is_send(cell.wait())), &1);
    assert_eq!(cell.wait_blocking(), &1);
    let cell = OnceCell::new();
    assert_eq!(
        now(is_send(cell.get_or_try_init(|| async { Err("no") }))),
        Err("no")
    );
    assert_eq!(
        now(cell.get_or_try_init(|| async { Ok::<_, ()>(1) })),
        Ok(&1)
    );
    let cell = OnceCell::new();
    assert_eq!(now(is_send(cell.set(1))), Ok(&1));
    assert_eq!(now(cell.set(2)), Err(2));
    let cell = OnceCell::new();
    assert_eq!(cell.set_blocking(1), Ok(&1));
    assert_eq!(cell.set_blocking(2), Err(2));
    assert_eq!(cell.try_set(3), Err(3));
    let cell = OnceCell::new();
    assert_eq!(cell.get_or_try_init_blocking(|| Err("no")), Err("no"));
    assert_eq!(cell.get_or_try_init_blocking(|| Ok::<_, ()>(1)), Ok(&1));
    let cell = OnceCell::new();
    assert_eq!(cell.get_or_init_blocking(|| 1), &1);
    assert_eq!(cell.get_or_init_blocking(|| 2), &1);
}

#[test]
fn shows_as_text() {
    let cell = OnceCell::new();
    assert_eq!(format!("{cell:?}"), "OnceCell(<uninitialized>)");
    {
        let mut init = pin!(cell.get_or_init(pending::<u8>));
        Task::new().pending(init.as_mut());
        assert_eq!(format!("{cell:?}"), "OnceCell(<initializing>)");
    }
    cell.try_set(5).unwrap();
    assert_eq!(format!("{cell:?}"), "OnceCell(5)");
}

#[test]
fn a_value_reaches_all() {
    let cell = OnceCell::new();
    let (one, two) = (Task::new(), Task::new());
    let (mut first, mut second) = (pin!(cell.wait()), pin!(cell.wait()));
    one.pending(first.as_mut());
    two.pending(second.as_mut());
    assert_eq!(cell.try_set(1), Ok(()));
    assert!(one.woken() && two.woken());
    assert_eq!((one.ready(first), two.ready(second)), (&1, &1));
}

#[test]
fn a_cancelled_initialiser_passes_the_turn() {
    let cell = OnceCell::new();
    let (one, two) = (Task::new(), Task::new());
    let mut second = pin!(cell.get_or_init(|| async { 2 }));
    {
        let mut first = pin!(cell.get_or_init(pending));
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        assert_eq!(cell.try_set(3), Err(3));
    }
    assert!(two.woken());
    assert_eq!(two.ready(second), &2);
}

#[test]
fn a_failed_initialiser_passes_the_turn() {
    let cell = OnceCell::new();
    let gate = Cell::new(false);
    let (one, two) = (Task::new(), Task::new());
    let mut first = pin!(cell.get_or_try_init(|| async {
        std::future::poll_fn(|_| match gate.get() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        })
        .await;
        Err("no")
    }));
    let mut second = pin!(cell.get_or_init(|| async { 2 }));
    one.pending(first.as_mut());
    two.pending(second.as_mut());
    gate.set(true);
    assert_eq!(one.ready(first), Err("no"));
    assert!(two.woken());
    assert_eq!(two.ready(second), &2);
}

#[test]
fn a_panicking_initialiser_leaves_it_empty() {
    let cell = OnceCell::<u8>::new();
    let text = panic_of(|| {
        cell.get_or_init_blocking(|| panic!("in the initialiser"))
            .to_owned()
    });
    assert_eq!(text, "in the initialiser");
    let text = panic_of(|| now(cell.get_or_init(|| async { panic!("in the future") })).to_owned());
    assert_eq!(text, "in the future");
    assert_eq!(cell.get(), None);
    assert_eq!(cell.try_set(1), Ok(()));
}

#[test]
fn drops_its_value_once() {
    let value = Arc::new(());
    let mut cell = OnceCell::from(value.clone());
    assert_eq!(Arc::strong_count(&value), 2);
    drop(cell.take());
    assert_eq!(Arc::strong_count(&value), 1);
    cell.try_set(value.clone()).unwrap();
    drop(cell);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn threads_initialise_once() {
    within_a_minute(|| {
        let cell = Arc::new(OnceCell::new());
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let cell = cell.clone();
                thread::spawn(move || match n % 2 {
                    0 => *cell.get_or_init_blocking(|| n),
                    _ => smol::block_on(async { *cell.get_or_init(|| async { n }).await }),
                })
            })
            .collect();
        let value = *cell.wait_blocking();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), value);
        }
    });
}

#[test]
fn a_wait_for_its_own_cell_may_have_a_bound() {
    let cell = OnceCell::<u8>::new();
    let within = || async {
        smol::future::or(async { *cell.wait().await }, async {
            smol::future::yield_now().await;
            7
        })
        .await
    };
    assert_eq!(smol::block_on(cell.get_or_init(within)), &7);
}

#[test]
fn a_kept_wait_stops_no_other() {
    let cell = OnceCell::<u8>::new();
    let task = Task::new();
    let mut first = Box::pin(cell.get_or_init(pending));
    let mut second = pin!(cell.get_or_init(|| async { 2 }));
    let mut third = pin!(cell.get_or_init(|| async { 3 }));
    task.pending(first.as_mut());
    task.pending(second.as_mut());
    drop(first);
    assert_eq!(task.ready(third.as_mut()), &3);
    assert_eq!(task.ready(second.as_mut()), &3);
}
