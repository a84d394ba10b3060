use core::cell::Cell;
use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::sync::{Arc, Barrier};
use std::vec::Vec;

use super::machine::{EMPTY, INITIALISERS, ONLOOKERS, READY, RUNNING, WAITING};
use super::*;
use crate::Block;
use crate::test_util::{
    WAKER_PANIC, Wakes, allocations, counting_waker, panic_message, panicking_waker, poll,
    poll_noop, reentrant_waker, scope,
};

/// An initialiser that is pending until its gate is opened, then makes `value`.
fn gated<T: Copy>(gate: &Cell<bool>, value: T) -> impl Future<Output = T> {
    poll_fn(move |_| {
        if gate.get() {
            Poll::Ready(value)
        } else {
            Poll::Pending
        }
    })
}

/// No bit and no ring is left behind.
pub(super) fn assert_untouched<T>(cell: &OnceCell<T>) {
    assert_eq!(cell.state.load(Ordering::Acquire), EMPTY);
    let locked = cell.list.lock();
    assert!(locked.is_empty(INITIALISERS) && locked.is_empty(ONLOOKERS));
}

// once_cell::

#[test]
fn initialises_once() {
    const CALLERS: usize = 100;
    let cell = OnceCell::new();
    let runs = AtomicUsize::new(0);
    let start = Barrier::new(CALLERS);
    let addresses: Vec<usize> = scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (cell, runs, start) = (&cell, &runs, &start);
                scope.spawn(move || {
                    start.wait();
                    let value: &usize = Bare.block_on(cell.get_or_init(Bare, || {
                        runs.fetch_add(1, Ordering::Relaxed);
                        caller
                    }));
                    core::ptr::from_ref(value).addr()
                })
            })
            .collect();
        callers.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert!(addresses.iter().all(|it| *it == addresses[0]));
}

#[test]
fn get_is_lock_free_and_ordered() {
    let cell = OnceCell::new();
    scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let value: &[usize; 64] = loop {
                    if let Some(value) = cell.get() {
                        break value;
                    }
                    std::thread::yield_now();
                };
                assert_eq!(*value, [7; 64]);
            });
        }
        cell.set([7; 64]);
    });
    // The inner lock is held, and `get` does not mind.
    let _locked = cell.list.lock();
    assert!(cell.get().is_some());
}

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
    assert!(!cell.set(9), "the turn is not free in between");
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
    /// Notes whether nobody had the turn as yet when it was dropped.
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
fn set_wins_or_gives_back() {
    let cell = OnceCell::new();
    let gate = Cell::new(false);
    let mut init = pin!(cell.get_or_init_async(Bare, || gated(&gate, 1)));
    assert!(poll_noop(init.as_mut()).is_pending());
    assert_eq!(cell.try_set(2), Err(SetError::Initializing(2)));
    assert!(!cell.set(2));
    gate.set(true);
    assert_eq!(poll_noop(init.as_mut()), Poll::Ready(&1));
    let error = cell.try_set(2).unwrap_err();
    assert_eq!(error, SetError::AlreadyInitialized(2));
    assert_eq!(error.into_inner(), 2);
    assert_eq!(cell.get(), Some(&1));

    let cell = OnceCell::new();
    assert!(cell.set(1));
    assert_eq!(cell.get(), Some(&1));
}

#[test]
fn is_initializing_also_while_a_turn_is_not_polled() {
    let cell = OnceCell::new();
    assert!(!cell.is_initializing());
    let mut first = Box::pin(cell.get_or_init_async(Bare, pending));
    let mut next = pin!(cell.get_or_init(Bare, || 1));
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll_noop(next.as_mut()).is_pending());
    assert!(cell.is_initializing(), "an initialiser runs, and one waits");
    drop(first);
    assert!(cell.is_initializing(), "the next has the turn");
    assert_eq!(poll_noop(next.as_mut()), Poll::Ready(&1));
    assert!(!cell.is_initializing());
}

#[test]
fn set_wakes_everybody_who_waits_on_an_empty_cell() {
    let cell = OnceCell::new();
    let (wakes, waker) = counting_waker();
    // More than one batch.
    let mut waits: Vec<_> = (0..100).map(|_| Box::pin(cell.wait(Bare))).collect();
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    assert!(cell.set(7));
    assert_eq!(wakes.count(), 100);
    for wait in &mut waits {
        assert_eq!(poll(wait.as_mut(), &waker), Poll::Ready(&7));
    }
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

/// Counts its drops; may panic in them.
struct Dropped<'a>(&'a Cell<usize>, bool);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
        if self.1 {
            panic!("in its drop");
        }
    }
}

#[test]
fn drops_its_value_once() {
    let drops = Cell::new(0);
    let value = || Dropped(&drops, false);

    drop(OnceCell::with_value(value()));
    assert_eq!(drops.take(), 1);

    let mut cell = OnceCell::new();
    assert!(cell.set(value()));
    assert!(!cell.set(value()));
    assert_eq!(drops.take(), 1, "the one that was not stored");
    let taken = cell.take();
    assert!(cell.get().is_none() && cell.take().is_none());
    assert_eq!(drops.take(), 0);
    drop(taken);
    assert!(cell.set(value()), "it may be initialised again");
    assert_eq!(drops.take(), 1);
    drop(cell.into_inner());
    assert_eq!(drops.take(), 1);

    drop(OnceCell::<Dropped<'_>>::new());
    assert_eq!(drops.take(), 0);

    // A running initialiser that was forgotten: there is no value to drop.
    let cell = OnceCell::<Dropped<'_>>::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(init.as_mut()).is_pending());
    core::mem::forget(init);
    assert!({ cell }.take().is_none());
    assert_eq!(drops.take(), 0);
}

#[test]
fn value_that_panics_in_its_drop_is_dropped_once() {
    let drops = Cell::new(0);
    let cell = OnceCell::with_value(Dropped(&drops, true));
    assert_eq!(panic_message(|| drop(cell)), "in its drop");
    assert_eq!(drops.take(), 1);

    let mut cell = OnceCell::with_value(Dropped(&drops, true));
    assert_eq!(panic_message(|| drop(cell.take())), "in its drop");
    drop(cell);
    assert_eq!(drops.take(), 1);

    let cell = OnceCell::with_value(Dropped(&drops, false));
    assert_eq!(
        panic_message(|| _ = cell.set(Dropped(&drops, true))),
        "in its drop"
    );
    assert_eq!(drops.take(), 1);
    drop(cell);
    assert_eq!(drops.take(), 1);
}

#[test]
fn reentrant_init_is_reported() {
    let cell = OnceCell::<u32>::new();
    let (_, waker) = counting_waker();

    let init = || async { *cell.get_or_init(Bare, || 1).await + 1 };
    let mut wait = Box::pin(cell.get_or_init_async(Bare, init));
    let message = panic_message(|| _ = poll(wait.as_mut(), &waker));
    assert!(message.contains("waits for that same cell"), "{message}");
    drop(wait);
    assert_untouched(&cell);

    let init = || async { *cell.wait(Bare).await + 1 };
    let mut wait = Box::pin(cell.get_or_init_async(Bare, init));
    panic_message(|| _ = poll(wait.as_mut(), &waker));
    drop(wait);
    assert_untouched(&cell);

    // Queued before, awaited by the initialiser.
    let mut onlooker = Box::pin(cell.wait(Bare));
    assert!(poll(onlooker.as_mut(), &waker).is_pending());
    let mut wait = Box::pin(cell.get_or_init_async(Bare, || async move { *onlooker.await + 1 }));
    panic_message(|| _ = poll(wait.as_mut(), &waker));
    drop(wait);
    assert_untouched(&cell);
    assert!(cell.set(7), "it can still be initialised");
}

#[test]
fn reentrant_init_is_seen_after_a_pause_and_through_another_cell() {
    let (inner, outer) = (OnceCell::<u32>::new(), OnceCell::<u32>::new());
    let gate = Cell::new(false);
    let mut wait = Box::pin(outer.get_or_init_async(Bare, || async {
        gated(&gate, ()).await;
        *inner
            .get_or_init_async(Bare, || async { *outer.get_or_init(Bare, || 1).await })
            .await
    }));
    assert!(poll_noop(wait.as_mut()).is_pending());
    gate.set(true);
    panic_message(|| _ = poll_noop(wait.as_mut()));
    drop(wait);
    assert_untouched(&inner);
    assert_untouched(&outer);
}

#[test]
fn what_is_not_reentrant_is_not_reported() {
    let (_, waker) = counting_waker();
    // Another cell within, deeper than the thread remembers.
    let cells: Vec<_> = (0..12).map(|_| OnceCell::<usize>::new()).collect();
    fn nested(cells: &[OnceCell<usize>]) -> std::pin::Pin<Box<dyn Future<Output = usize> + '_>> {
        match cells {
            [] => Box::pin(async { 0 }),
            [first, rest @ ..] => {
                Box::pin(async { *first.get_or_init_async(Bare, || nested(rest)).await + 1 })
            }
        }
    }
    assert_eq!(poll(nested(&cells).as_mut(), &waker), Poll::Ready(12));

    // The same cell beside its initialiser, in the same task.
    let cell = OnceCell::new();
    let gate = Cell::new(false);
    let mut init = pin!(cell.get_or_init_async(Bare, || gated(&gate, 7)));
    let mut beside = pin!(cell.get_or_init(Bare, || 8));
    assert!(poll(init.as_mut(), &waker).is_pending());
    assert!(poll(beside.as_mut(), &waker).is_pending());

    // The same cell within its initialiser, in another task.
    let other = OnceCell::new();
    let (_, stranger) = counting_waker();
    let mut within = Box::pin(other.wait(Bare));
    let init = || {
        assert!(poll(within.as_mut(), &stranger).is_pending());
        1
    };
    assert_eq!(
        poll(pin!(other.get_or_init(Bare, init)), &waker),
        Poll::Ready(&1)
    );
    assert_eq!(poll(within.as_mut(), &stranger), Poll::Ready(&1));
}

// any::

#[test]
fn dropped_wait_leaves_no_trace() {
    let cell = OnceCell::new();
    // Unpolled.
    drop(cell.get_or_init(Bare, || 1));
    drop(cell.wait(Bare));
    assert_untouched(&cell);
    // Queued.
    let mut wait = Box::pin(cell.wait(Bare));
    assert!(poll_noop(wait.as_mut()).is_pending());
    drop(wait);
    assert_untouched(&cell);
    // Queued behind an initialiser, woken with the value, not polled.
    let gate = Cell::new(false);
    let mut init = pin!(cell.get_or_init_async(Bare, || gated(&gate, 7)));
    assert!(poll_noop(init.as_mut()).is_pending());
    let mut waits: Vec<_> = (0..3)
        .map(|_| Box::pin(cell.get_or_init(Bare, || 1)))
        .collect();
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    drop(waits.pop());
    assert_ne!(cell.state.load(Ordering::Relaxed) & WAITING, 0);
    gate.set(true);
    assert_eq!(poll_noop(init.as_mut()), Poll::Ready(&7));
    drop(waits);
    assert_eq!(cell.state.load(Ordering::Relaxed), READY);
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

#[test]
fn last_waker_is_the_one_woken() {
    for initialiser in [true, false] {
        let cell = OnceCell::new();
        let mut init = Box::pin(cell.get_or_init_async(Bare, pending::<u32>));
        assert!(poll_noop(init.as_mut()).is_pending());
        let mut wait: std::pin::Pin<Box<dyn Future<Output = &u32> + '_>> = if initialiser {
            Box::pin(cell.get_or_init(Bare, || 7))
        } else {
            Box::pin(cell.wait(Bare))
        };
        let (old, first) = counting_waker();
        let (new, second) = counting_waker();
        assert!(poll(wait.as_mut(), &first).is_pending());
        assert!(poll(wait.as_mut(), &second).is_pending());
        drop(first);
        assert_eq!(Arc::strong_count(&old), 1, "the outdated one was dropped");
        drop(init);
        cell.set(7);
        assert_eq!((old.count(), new.count()), (0, 1));
        assert!(poll(wait.as_mut(), &second).is_ready());
    }
}

#[test]
fn spurious_poll_is_harmless() {
    let cell = OnceCell::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    let mut first = pin!(cell.get_or_init(Bare, || 1));
    let mut second = pin!(cell.get_or_init(Bare, || 2));
    assert!(poll_noop(init.as_mut()).is_pending());
    for _ in 0..3 {
        assert!(poll_noop(first.as_mut()).is_pending());
        assert!(poll_noop(second.as_mut()).is_pending());
        assert!(poll_noop(init.as_mut()).is_pending());
    }
    drop(init);
    assert!(poll_noop(second.as_mut()).is_pending());
    assert_eq!(poll_noop(first.as_mut()), Poll::Ready(&1));
    assert_eq!(poll_noop(second.as_mut()), Poll::Ready(&1));
}

#[test]
fn completed_future_is_fused_or_panics_clearly() {
    fn refuses<F: Future>(mut wait: core::pin::Pin<&mut F>) {
        assert!(poll_noop(wait.as_mut()).is_ready());
        let message = panic_message(|| _ = poll_noop(wait.as_mut()));
        assert!(message.contains("after it had finished"), "{message}");
    }
    let cell = OnceCell::new();
    refuses(pin!(cell.get_or_try_init(Bare, || Err(()))));
    refuses(pin!(cell.get_or_init(Bare, || 7)));
    refuses(pin!(cell.get_or_init(Bare, || 8)));
    refuses(pin!(cell.get_or_init_async(Bare, || async { 9 })));
    refuses(pin!(cell.wait(Bare)));
}

#[test]
fn waker_may_reenter() {
    let cell: &'static OnceCell<u32> = Box::leak(Box::new(OnceCell::new()));
    let reenter = || {
        reentrant_waker(move || {
            cell.get();
            cell.set(1);
            let _ = format!("{cell:?}");
            let mut wait = pin!(cell.wait(Bare));
            let _ = poll_noop(wait.as_mut());
            let mut waiter = pin!(InitWaiter::new());
            cell.get_or_init_with(waiter.as_mut(), || 2);
        })
    };
    // With an initialiser that runs on, and is then dropped.
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(init.as_mut()).is_pending());
    let mut waits: Vec<_> = (0..3)
        .map(|_| Box::pin(cell.get_or_init(Bare, || 3)))
        .collect();
    let mut onlooker = pin!(cell.wait(Bare));
    assert!(poll(onlooker.as_mut(), &reenter()).is_pending());
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &reenter()).is_pending());
        assert!(poll(wait.as_mut(), &reenter()).is_pending());
    }
    drop(waits.remove(1));
    drop(init);
    assert_eq!(poll(waits[0].as_mut(), &reenter()), Poll::Ready(&3));
    assert_eq!(poll(onlooker.as_mut(), &reenter()), Poll::Ready(&3));
    assert_eq!(poll(waits[1].as_mut(), &reenter()), Poll::Ready(&3));
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let cell = OnceCell::new();
    let gate = Cell::new(false);
    let mut init = pin!(cell.get_or_init_async(Bare, || gated(&gate, 7)));
    assert!(poll_noop(init.as_mut()).is_pending());
    let (wakes, waker) = counting_waker();
    let mut waits: Vec<_> = (0..40)
        .map(|_| Box::pin(cell.get_or_init(Bare, || 1)))
        .collect();
    let mut onlookers: Vec<_> = (0..40).map(|_| Box::pin(cell.wait(Bare))).collect();
    for (index, wait) in waits.iter_mut().enumerate() {
        let panics = index % 20 == 3;
        let waker = if panics {
            panicking_waker()
        } else {
            waker.clone()
        };
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    for (index, wait) in onlookers.iter_mut().enumerate() {
        let panics = index % 20 == 3;
        let waker = if panics {
            panicking_waker()
        } else {
            waker.clone()
        };
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    gate.set(true);
    assert_eq!(panic_message(|| _ = poll_noop(init.as_mut())), WAKER_PANIC);
    assert_eq!(wakes.count(), 76);
    assert_eq!(poll_noop(init.as_mut()), Poll::Ready(&7));
    for wait in &mut waits {
        assert_eq!(poll_noop(wait.as_mut()), Poll::Ready(&7));
    }
    for wait in &mut onlookers {
        assert_eq!(poll_noop(wait.as_mut()), Poll::Ready(&7));
    }
}

#[test]
fn panicking_waker_does_not_lose_the_turn() {
    let cell = OnceCell::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    let mut next = pin!(cell.get_or_init(Bare, || 7));
    assert!(poll_noop(init.as_mut()).is_pending());
    assert!(poll(next.as_mut(), &panicking_waker()).is_pending());
    assert_eq!(panic_message(|| drop(init)), WAKER_PANIC);
    assert_eq!(poll_noop(next.as_mut()), Poll::Ready(&7));
}

#[test]
fn happens_before() {
    // What an initialiser does, failing or not, is seen by the next and by all
    // who get the value.
    for _ in 0..100 {
        let cell = OnceCell::new();
        let trace = [const { AtomicUsize::new(0) }; 3];
        let sum = || {
            trace
                .iter()
                .map(|it| it.load(Ordering::Relaxed))
                .sum::<usize>()
        };
        let start = Barrier::new(3);
        scope(|scope| {
            for me in 0..3 {
                let (cell, start, trace, sum) = (&cell, &start, &trace, &sum);
                scope.spawn(move || {
                    start.wait();
                    let outcome = Bare.block_on(cell.get_or_try_init(Bare, || {
                        let before = sum();
                        trace[me].store(1, Ordering::Relaxed);
                        if before == 2 { Ok(before + 1) } else { Err(()) }
                    }));
                    if let Ok(value) = outcome {
                        assert_eq!((*value, sum()), (3, 3));
                    }
                });
            }
        });
        assert_eq!(cell.get(), Some(&3));
    }
}

#[test]
fn turns_survive_threads_that_cancel() {
    // Everybody drops its first wait after one poll; nobody is left behind.
    const THREADS: usize = 4;
    for _ in 0..200 {
        let cell = OnceCell::new();
        let start = Barrier::new(THREADS);
        scope(|scope| {
            for me in 0..THREADS {
                let (cell, start) = (&cell, &start);
                scope.spawn(move || {
                    start.wait();
                    {
                        let yielded = Cell::new(false);
                        let init = || {
                            poll_fn(|_| match yielded.replace(true) {
                                true => Poll::Ready(me),
                                false => Poll::Pending,
                            })
                        };
                        let _ = poll_noop(pin!(cell.get_or_init_async(Bare, init)));
                    }
                    assert!(*Bare.block_on(cell.get_or_init(Bare, || me)) < THREADS);
                });
            }
            scope.spawn(|| assert!(*Bare.block_on(cell.wait(Bare)) < THREADS));
        });
    }
}

#[test]
fn waits_without_allocation() {
    let cell = OnceCell::new();
    let gate = Cell::new(false);
    let mut init = pin!(cell.get_or_init_async(Bare, || gated(&gate, 7)));
    let mut wait = pin!(cell.get_or_init(Bare, || 1));
    let mut onlooker = pin!(cell.wait(Bare));
    let mut waiter = pin!(InitWaiter::new());
    let (_, waker) = counting_waker();
    let count = allocations(|| {
        assert!(poll(init.as_mut(), &waker).is_pending());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        assert!(poll(onlooker.as_mut(), &waker).is_pending());
        assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 1), None);
        gate.set(true);
        assert!(poll(init.as_mut(), &waker).is_ready());
        assert!(poll(wait.as_mut(), &waker).is_ready());
        assert!(poll(onlooker.as_mut(), &waker).is_ready());
        assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 1), Some(&7));
    });
    assert_eq!(count, 0);
}

#[test]
fn cancel_is_constant_time() {
    // If each cancel walked the queue, this would take hours.
    const WAITS: usize = 100_000;
    let cell = OnceCell::new();
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending::<u32>));
    assert!(poll_noop(init.as_mut()).is_pending());
    let mut waits: Vec<_> = (0..WAITS)
        .map(|_| Some(Box::pin(cell.get_or_init(Bare, || 1))))
        .collect();
    for wait in waits.iter_mut().flatten() {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    for step in 0..WAITS / 2 {
        waits[WAITS / 2 + step] = None;
        waits[WAITS / 2 - 1 - step] = None;
    }
    assert_eq!(cell.state.load(Ordering::Relaxed), RUNNING);
}

/// Has budget for as many waits as it says.
struct Budget(Cell<usize>);

impl Io for Budget {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.0.get().checked_sub(1) {
            Some(rest) => {
                self.0.set(rest);
                Poll::Ready(())
            }
            None => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

#[test]
fn spends_budget_after_winning() {
    let cell = OnceCell::new();
    let io = Budget(Cell::new(0));
    let mut init = pin!(cell.get_or_init(&io, || 7));
    let (wakes, waker) = counting_waker();
    assert!(poll(init.as_mut(), &waker).is_pending());
    assert_eq!(wakes.count(), 1);
    assert_eq!(
        cell.get(),
        Some(&7),
        "the others need not wait for our turn"
    );
    io.0.set(1);
    assert_eq!(poll(init.as_mut(), &waker), Poll::Ready(&7));

    // As good as `get`.
    assert_eq!(
        poll_noop(pin!(cell.get_or_init(&io, || 8))),
        Poll::Ready(&7)
    );
    // A loop of waits yields.
    io.0.set(2);
    assert!(poll_noop(pin!(cell.wait(&io))).is_ready());
    assert!(poll_noop(pin!(cell.wait(&io))).is_ready());
    let mut third = pin!(cell.wait(&io));
    assert!(poll_noop(third.as_mut()).is_pending());
    io.0.set(1);
    assert!(poll_noop(third.as_mut()).is_ready());
}

#[test]
fn usable_in_a_static() {
    static EMPTY_CELL: OnceCell<String> = OnceCell::new();
    static FULL_CELL: OnceCell<u32> = OnceCell::with_value(7);
    let value: &'static String =
        Bare.block_on(EMPTY_CELL.get_or_init_future(|| "made".to_string()));
    assert_eq!(value, "made");
    assert_eq!(FULL_CELL.get(), Some(&7));
}

#[test]
fn moves_between_threads_while_it_waits() {
    let cell = OnceCell::new();
    let mut wait = Box::pin(cell.get_or_init(Bare, || 1));
    let mut init = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(init.as_mut()).is_pending());
    assert!(poll_noop(wait.as_mut()).is_pending());
    scope(|scope| {
        scope.spawn(move || assert_eq!(Bare.block_on(wait), &1));
        scope.spawn(move || drop(init));
    });
}

// What std's cell does too.

#[test]
fn behaves_like_the_cell_of_std() {
    let cell = OnceCell::from(7);
    assert_eq!(format!("{cell:?}"), "OnceCell(7)");
    assert_eq!(
        format!("{:?}", OnceCell::<u32>::new()),
        "OnceCell(<uninit>)"
    );
    assert_eq!(cell.clone(), cell);
    assert_ne!(cell, OnceCell::default());
    assert_eq!(OnceCell::<u32>::new().clone(), OnceCell::new());
    let error = OnceCell::with_value(1).try_set(2).unwrap_err();
    assert_eq!(error.to_string(), "the cell is initialised already");
    assert_eq!(format!("{error:?}"), "AlreadyInitialized(..)");
    let error: &dyn core::error::Error = &SetError::Initializing(2);
    assert_eq!(error.to_string(), "the cell is being initialised");
}

#[test]
fn futures_say_what_they_do() {
    let cell = OnceCell::new();
    let gate = Cell::new(false);
    let mut init = pin!(cell.get_or_init_async(Bare, || gated(&gate, 1)));
    let mut next = pin!(cell.wait(Bare));
    let status = |wait: &dyn fmt::Debug| format!("{wait:?}");
    assert_eq!(status(&init), r#"GetOrInit { status: "idle", .. }"#);
    assert!(poll_noop(init.as_mut()).is_pending());
    assert!(poll_noop(next.as_mut()).is_pending());
    assert_eq!(status(&init), r#"GetOrInit { status: "initialising", .. }"#);
    assert_eq!(status(&next), r#"Wait { status: "queued", .. }"#);
    gate.set(true);
    assert!(poll_noop(init.as_mut()).is_ready());
    assert_eq!(status(&init), r#"GetOrInit { status: "finished", .. }"#);
    assert_eq!(status(&next), r#"Wait { status: "ready", .. }"#);
}

#[test]
#[cfg(target_pointer_width = "64")]
fn sizes_are_what_is_published() {
    let overhead = size_of::<OnceCell<()>>();
    assert!(overhead <= 40, "{overhead}");
    assert_eq!(size_of::<OnceCell<u64>>(), overhead + 8);
    assert!(size_of::<Wait<'_, u64>>() <= 56);
    assert!(size_of::<InitWaiter<'_, u64>>() <= 72);
}

#[test]
fn value_is_dropped_outside_the_lock() {
    /// Uses its cell while it is being dropped.
    struct Nosy<'a>(&'a OnceCell<Self>, &'a AtomicBool);

    impl Drop for Nosy<'_> {
        fn drop(&mut self) {
            assert!(self.0.get().is_some());
            let _locked = self.0.list.lock();
            self.1.store(true, Ordering::Relaxed);
        }
    }

    let dropped = AtomicBool::new(false);
    // Leaked, so that the value in it is not dropped with a borrow of itself.
    let cell = Box::leak(Box::new(OnceCell::new()));
    assert!(cell.set(Nosy(cell, &dropped)));
    assert!(!cell.set(Nosy(cell, &dropped)));
    assert!(dropped.load(Ordering::Relaxed));
}
