use core::cell::Cell;
use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll};
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::sync::{Arc, Barrier};
use std::vec::Vec;

use super::machine::{EMPTY, INITIALISERS, ONLOOKERS, READY, RUNNING, WAITING};
use super::*;
use crate::Block;
use crate::test_util::{
    WAKER_PANIC, allocations, counting_waker, panic_message, panicking_waker, poll, poll_noop,
    reentrant_waker, scope,
};

/// An initialiser that is pending until its gate is opened, then makes `value`.
pub(super) fn gated<T: Copy>(gate: &Cell<bool>, value: T) -> impl Future<Output = T> {
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
    // The turn is free, and the first does not come.
    assert_eq!(poll_noop(second.as_mut()), Poll::Ready(&2));
    assert_eq!(poll_noop(first.as_mut()), Poll::Ready(&2));
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
    // The waker of the one that is offered the turn sets a value.
    drop(init);
    assert_eq!(poll(waits[0].as_mut(), &reenter()), Poll::Ready(&1));
    assert_eq!(poll(onlooker.as_mut(), &reenter()), Poll::Ready(&1));
    assert_eq!(poll(waits[1].as_mut(), &reenter()), Poll::Ready(&1));
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
    // What an initialiser does, failing or not, is seen by the next and by all that get
    // the value.
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
    // Each thread drops its first wait after one poll; none is left behind.
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
    let status = |wait: &dyn core::fmt::Debug| format!("{wait:?}");
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
