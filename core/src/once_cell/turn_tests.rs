//! Turns: which wait gets the next, and when.

use core::cell::Cell;
use core::future::{Future, pending};
use core::pin::pin;
use core::sync::atomic::Ordering;
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::vec::Vec;

use super::machine::{EMPTY, WAITING};
use super::tests::{assert_untouched, gated};
use super::*;
use crate::test_util::{Wakes, counting_waker, panic_message, poll, poll_noop};

#[test]
fn panicking_init_leaves_it_empty() {
    let cell = OnceCell::new();
    let message = panic_message(|| {
        let _ = poll_noop(pin!(cell.get_or_init(Bare, || panic!("no value"))));
    });
    assert_eq!(message, "no value");
    assert_untouched(&cell);

    let message = panic_message(|| {
        let init = || async { panic!("no value yet") };
        let _ = poll_noop(pin!(cell.get_or_init_async(Bare, init)));
    });
    assert_eq!(message, "no value yet");
    assert_untouched(&cell);
    assert!(poll_noop(pin!(cell.get_or_init(Bare, || 7))) == Poll::Ready(&7));
}

#[test]
fn panicking_init_passes_the_turn() {
    let cell = OnceCell::new();
    let gate = Cell::new(false);
    let mut first = Box::pin(cell.get_or_init_async(Bare, || async {
        gated(&gate, 0).await;
        panic!("no value")
    }));
    let (wakes, waker) = counting_waker();
    let mut next = pin!(cell.get_or_init(Bare, || 7));
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll(next.as_mut(), &waker).is_pending());
    gate.set(true);
    panic_message(|| {
        let _ = poll_noop(first.as_mut());
    });
    assert_eq!(wakes.count(), 1);
    assert!(!cell.is_initializing(), "the turn is free");
    assert_eq!(poll(next.as_mut(), &waker), Poll::Ready(&7));
    // The one that panicked is over.
    assert!(panic_message(|| _ = poll_noop(first.as_mut())).contains("after it had finished"));
}

#[test]
fn failed_init_passes_the_turn() {
    let cell = OnceCell::new();
    let gate = Cell::new(false);
    let mut first = pin!(cell.get_or_try_init_async(Bare, || async {
        gated(&gate, ()).await;
        Err("first")
    }));
    let mut second = pin!(cell.get_or_try_init(Bare, || Err("second")));
    let mut onlooker = pin!(cell.wait(Bare));
    let mut third = pin!(cell.get_or_try_init_async(Bare, || async { Ok::<_, ()>(3) }));
    let mut fourth = pin!(cell.get_or_init(Bare, || 4));
    let (wakes_of_second, second_waker) = counting_waker();
    let (wakes_of_third, third_waker) = counting_waker();
    let (wakes_of_fourth, fourth_waker) = counting_waker();
    let (wakes_of_onlooker, onlooker_waker) = counting_waker();
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll(second.as_mut(), &second_waker).is_pending());
    assert!(poll(onlooker.as_mut(), &onlooker_waker).is_pending());
    assert!(poll(third.as_mut(), &third_waker).is_pending());
    assert!(poll(fourth.as_mut(), &fourth_waker).is_pending());

    gate.set(true);
    assert_eq!(poll_noop(first.as_mut()), Poll::Ready(Err("first")));
    assert_eq!((wakes_of_second.count(), wakes_of_third.count()), (1, 0));
    assert_eq!(poll_noop(second.as_mut()), Poll::Ready(Err("second")));
    assert_eq!((wakes_of_third.count(), wakes_of_fourth.count()), (1, 0));
    assert_eq!(wakes_of_onlooker.count(), 0);
    assert_eq!(poll_noop(third.as_mut()), Poll::Ready(Ok(&3)));
    assert_eq!((wakes_of_fourth.count(), wakes_of_onlooker.count()), (1, 1));
    assert_eq!(poll_noop(fourth.as_mut()), Poll::Ready(&3));
    assert_eq!(poll_noop(onlooker.as_mut()), Poll::Ready(&3));
}

#[test]
fn cancelled_init_passes_the_turn() {
    /// Notes whether no other had the turn as yet when it was dropped.
    struct Resource<'a>(&'a OnceCell<u32>, &'a Wakes, &'a Cell<bool>);

    impl Drop for Resource<'_> {
        fn drop(&mut self) {
            let busy = self.0.try_set(0) == Err(SetError::Initializing(0));
            self.2.set(busy && self.1.count() == 0);
        }
    }

    fn passes<'a, O>(
        cell: &'a OnceCell<u32>,
        first: impl Future<Output = O> + 'a,
        wakes: &Wakes,
        waker: &Waker,
    ) {
        let mut first = Box::pin(first);
        let mut next = pin!(cell.get_or_init(Bare, || 7));
        assert!(poll_noop(first.as_mut()).is_pending());
        assert!(poll(next.as_mut(), waker).is_pending());
        drop(first);
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll(next.as_mut(), waker), Poll::Ready(&7));
    }

    let held_its_turn = Cell::new(false);
    let (wakes, waker) = counting_waker();
    let cell = OnceCell::new();
    let init = || async {
        let _resource = Resource(&cell, &wakes, &held_its_turn);
        pending().await
    };
    passes(&cell, cell.get_or_init_async(Bare, init), &wakes, &waker);
    assert!(
        held_its_turn.replace(false),
        "the initialiser goes before the turn"
    );

    let (wakes, waker) = counting_waker();
    let cell = OnceCell::new();
    let init = || async {
        let _resource = Resource(&cell, &wakes, &held_its_turn);
        pending::<Result<u32, ()>>().await
    };
    passes(
        &cell,
        cell.get_or_try_init_async(Bare, init),
        &wakes,
        &waker,
    );
    assert!(held_its_turn.get(), "the initialiser goes before the turn");
}

#[test]
fn cancelled_init_with_nobody_waiting_leaves_it_empty() {
    let cell = OnceCell::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending::<u32>));
    assert!(poll_noop(init.as_mut()).is_pending());
    drop(init);
    assert_untouched(&cell);
    assert!(cell.set(7));
}

#[test]
fn initialiser_that_panics_in_its_drop_passes_the_turn() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in its drop");
        }
    }

    let cell = OnceCell::new();
    let mut first = Box::pin(cell.get_or_init_async(Bare, || async {
        let _bomb = Bomb;
        pending().await
    }));
    let mut next = pin!(cell.get_or_init(Bare, || 7));
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll_noop(next.as_mut()).is_pending());
    assert_eq!(panic_message(|| drop(first)), "in its drop");
    assert_eq!(poll_noop(next.as_mut()), Poll::Ready(&7));
}

#[test]
fn is_initializing_while_an_initialiser_runs() {
    let cell = OnceCell::new();
    assert!(!cell.is_initializing());
    let mut first = Box::pin(cell.get_or_init_async(Bare, pending));
    let mut next = pin!(cell.get_or_init(Bare, || 1));
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll_noop(next.as_mut()).is_pending());
    assert!(cell.is_initializing(), "an initialiser runs, and one waits");
    drop(first);
    assert!(
        !cell.is_initializing(),
        "the next has been offered the turn"
    );
    assert_eq!(poll_noop(next.as_mut()), Poll::Ready(&1));
    assert!(!cell.is_initializing());
}

#[test]
fn cancelled_waiter_does_not_cancel_init() {
    let cell = OnceCell::new();
    let gate = Cell::new(false);
    let mut init = pin!(cell.get_or_init_async(Bare, || gated(&gate, 1)));
    assert!(poll_noop(init.as_mut()).is_pending());
    let mut waits: Vec<_> = (2..5)
        .map(|value| Box::pin(cell.get_or_init(Bare, move || value)))
        .collect();
    let mut onlooker = Box::pin(cell.wait(Bare));
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    assert!(poll_noop(onlooker.as_mut()).is_pending());
    drop(onlooker);
    drop(waits.remove(1));
    gate.set(true);
    assert_eq!(poll_noop(init.as_mut()), Poll::Ready(&1));
    for wait in &mut waits {
        assert_eq!(poll_noop(wait.as_mut()), Poll::Ready(&1));
    }
}

#[test]
fn dropped_win_is_passed_on() {
    let cell = OnceCell::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    let mut waits: Vec<_> = (0..4)
        .map(|value| Some(Box::pin(cell.get_or_init(Bare, move || value))))
        .collect();
    let wakes: Vec<_> = (0..4).map(|_| counting_waker()).collect();
    assert!(poll_noop(init.as_mut()).is_pending());
    for (wait, (_, waker)) in waits.iter_mut().zip(&wakes) {
        assert!(poll(wait.as_mut().unwrap().as_mut(), waker).is_pending());
    }
    drop(init);
    for turn in 0..3 {
        assert_eq!(wakes[turn].0.count(), 1);
        assert_eq!(wakes[turn + 1].0.count(), 0);
        waits[turn] = None;
    }
    let mut last = waits[3].take().unwrap();
    assert_eq!(poll_noop(last.as_mut()), Poll::Ready(&3));
}

#[test]
fn dropped_win_of_the_last_leaves_it_empty_for_the_onlookers() {
    let cell = OnceCell::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    let mut next = Box::pin(cell.get_or_init(Bare, || 1));
    let mut onlooker = pin!(cell.wait(Bare));
    assert!(poll_noop(init.as_mut()).is_pending());
    assert!(poll_noop(next.as_mut()).is_pending());
    assert!(poll_noop(onlooker.as_mut()).is_pending());
    drop(init);
    drop(next);
    assert!(poll_noop(onlooker.as_mut()).is_pending());
    assert_eq!(cell.state.load(Ordering::Relaxed), EMPTY | WAITING);
    // The cell is free, and a newcomer finds it so.
    assert_eq!(
        poll_noop(pin!(cell.get_or_init(Bare, || 7))),
        Poll::Ready(&7)
    );
    assert_eq!(poll_noop(onlooker.as_mut()), Poll::Ready(&7));
}

// An initialiser that waits for its own cell.

#[test]
fn a_wait_for_its_own_cell_may_be_given_up() {
    let (_, waker) = counting_waker();
    // Once by each form; another branch then makes the value.
    let cell = OnceCell::<u32>::new();
    let init = || async {
        let mut within = pin!(cell.get_or_init(Bare, || 1));
        let mut onlooker = pin!(cell.wait(Bare));
        for _ in 0..2 {
            assert!(poll(within.as_mut(), &waker).is_pending());
            assert!(poll(onlooker.as_mut(), &waker).is_pending());
        }
        assert_eq!(cell.try_set(3), Err(SetError::Initializing(3)));
        7
    };
    let mut wait = Box::pin(cell.get_or_init_async(Bare, init));
    assert_eq!(poll(wait.as_mut(), &waker), Poll::Ready(&7));

    // Given up with the initialiser.
    let cell = OnceCell::<u32>::new();
    let init = || async { *cell.get_or_init(Bare, || 1).await + 1 };
    let mut wait = Box::pin(cell.get_or_init_async(Bare, init));
    for _ in 0..2 {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    drop(wait);
    assert_untouched(&cell);

    // Queued before, awaited by the initialiser.
    let mut onlooker = Box::pin(cell.wait(Bare));
    assert!(poll(onlooker.as_mut(), &waker).is_pending());
    let mut wait = Box::pin(cell.get_or_init_async(Bare, || async move { *onlooker.await + 1 }));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(wait);
    assert_untouched(&cell);
    assert!(cell.set(7), "it can still be initialised");
}

#[test]
fn cells_within_cells() {
    let (_, waker) = counting_waker();
    let cells: Vec<_> = (0..12).map(|_| OnceCell::<usize>::new()).collect();
    fn nested(cells: &[OnceCell<usize>]) -> Pin<Box<dyn Future<Output = usize> + '_>> {
        match cells {
            [] => Box::pin(async { 0 }),
            [first, rest @ ..] => {
                Box::pin(async { *first.get_or_init_async(Bare, || nested(rest)).await + 1 })
            }
        }
    }
    assert_eq!(poll(nested(&cells).as_mut(), &waker), Poll::Ready(12));
}
