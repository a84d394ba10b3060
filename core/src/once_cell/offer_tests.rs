//! A free turn is offered, and not bound to the wait that it is offered to.

use core::cell::Cell;
use core::future::{Future, pending};
use core::pin::{Pin, pin};
use core::sync::atomic::Ordering;
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::vec::Vec;

use super::machine::{EMPTY, OFFER, RUNNING};
use super::runner::Runner;
use super::tests::{assert_untouched, gated};
use super::*;
use crate::test_util::{
    Event, WAKER_PANIC, counting_waker, hooked_waker, panic_message, panicking_waker, poll,
    poll_noop,
};
use crate::yield_now;

/// How a turn ends without a value.
#[derive(Clone, Copy, Debug)]
enum End {
    Fails,
    Panics,
    IsDropped,
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<usize, ()>> + 'a>>;

/// A call whose turn ends, in one way or another, when it is told to.
fn ends<'a>(cell: &'a OnceCell<usize>, end: End, gate: &'a Cell<bool>) -> Call<'a> {
    Box::pin(async move {
        let init = || async {
            gated(gate, ()).await;
            match end {
                End::Fails => Err(()),
                End::Panics => std::panic::resume_unwind(Box::new("no value")),
                End::IsDropped => pending().await,
            }
        };
        cell.get_or_try_init_async(Bare, init).await.copied()
    })
}

fn end(mut call: Call<'_>, end: End, gate: &Cell<bool>) {
    gate.set(true);
    match end {
        End::Fails => assert_eq!(poll_noop(call.as_mut()), Poll::Ready(Err(()))),
        End::Panics => assert_eq!(panic_message(|| _ = poll_noop(call.as_mut())), "no value"),
        End::IsDropped => drop(call),
    }
}

/// Calls `check` with a cell whose turn has ended while `kept` waits stood in line
/// that are not polled, each with a waker of its own or all with that of `waker`.
fn with_kept(
    kept: usize,
    same_task: bool,
    mut check: impl FnMut(&OnceCell<usize>, &Waker, Vec<Call<'_>>),
) {
    for how in [End::Fails, End::Panics, End::IsDropped] {
        let cell = OnceCell::new();
        let gate = Cell::new(false);
        let (_, waker) = counting_waker();
        let mut first = ends(&cell, how, &gate);
        assert!(poll(first.as_mut(), &waker).is_pending());
        let waits: Vec<Call<'_>> = (0..kept)
            .map(|_| {
                let own = if same_task {
                    waker.clone()
                } else {
                    counting_waker().1
                };
                let mut wait: Call<'_> =
                    Box::pin(async { Ok(*cell.get_or_init(Bare, || 9_000).await) });
                assert!(poll(wait.as_mut(), &own).is_pending());
                wait
            })
            .collect();
        end(first, how, &gate);
        check(&cell, &waker, waits);
    }
}

/// Polls until it is ready, each time but the first because it has been woken.
fn ready_within<F: Future>(polls: usize, future: F) -> F::Output {
    let mut future = pin!(future);
    let (wakes, waker) = counting_waker();
    for polled in 0..polls {
        assert_eq!(wakes.count(), polled);
        if let Poll::Ready(output) = poll(future.as_mut(), &waker) {
            return output;
        }
    }
    panic!("not ready within {polls} polls");
}

#[test]
fn abandoned_turn_goes_on() {
    for same_task in [true, false] {
        for kept in [1, 2, 63, 64, 65, 1_000] {
            // To a new call, again and again while they fail.
            with_kept(kept, same_task, |cell, _, waits| {
                for call in 0..kept + 2 {
                    let failing = cell.get_or_try_init(Bare, || Err(()));
                    // The line is passed once at once.
                    let most = if call == 0 { 1 } else { 9 };
                    assert_eq!(ready_within(most, failing), Err(()));
                }
                let last = cell.get_or_init(Bare, || 3);
                assert_eq!(ready_within(1, last), &3);
                drop(waits);
            });
            // To the last in line, which was not woken.
            with_kept(kept, same_task, |cell, waker, mut waits| {
                let last = waits.last_mut().expect("a wait that is kept");
                assert_eq!(poll(last.as_mut(), waker), Poll::Ready(Ok(9_000)));
                for wait in &mut waits[..kept - 1] {
                    assert_eq!(poll_noop(wait.as_mut()), Poll::Ready(Ok(9_000)));
                }
                assert_eq!(cell.get(), Some(&9_000));
            });
            // To a value from outside.
            with_kept(kept, same_task, |cell, _, mut waits| {
                assert!(!cell.is_initializing());
                assert_eq!(cell.try_set(4), Ok(()));
                for wait in &mut waits {
                    assert_eq!(poll_noop(wait.as_mut()), Poll::Ready(Ok(4)));
                }
            });
            // To a waiter without a future.
            with_kept(kept, same_task, |cell, _, waits| {
                let mut waiter = pin!(InitWaiter::new());
                assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 5), Some(&5));
                drop(waits);
            });
            // And nothing is left when they all go.
            with_kept(kept, same_task, |cell, _, waits| {
                drop(waits);
                assert_untouched(cell);
            });
        }
    }
}

#[test]
fn a_kept_arm_of_a_select_stops_no_other() {
    // The program of which this is about, in the order in which it runs.
    let cell = OnceCell::<u8>::new();
    let mut first = Box::pin(cell.get_or_try_init_async(Bare, || async {
        yield_now().await;
        Err::<u8, _>("refused")
    }));
    let mut second = Box::pin(cell.get_or_init_async(Bare, || async { 2 }));
    let (_, waker) = counting_waker();
    assert!(poll(first.as_mut(), &waker).is_pending());
    assert!(poll(second.as_mut(), &waker).is_pending());
    assert_eq!(poll(first.as_mut(), &waker), Poll::Ready(Err("refused")));
    let third = pin!(cell.get_or_init_async(Bare, || async { 3 }));
    assert_eq!(poll(third, &waker), Poll::Ready(&3));
    assert_eq!(poll(second.as_mut(), &waker), Poll::Ready(&3));
}

#[test]
fn the_next_is_woken_at_the_end_of_each_turn() {
    let cell = OnceCell::<u32>::new();
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(running.as_mut()).is_pending());
    let mut waits: Vec<_> = (0..3)
        .map(|number| Box::pin(cell.get_or_init(Bare, move || number)))
        .collect();
    let wakers: Vec<_> = (0..3).map(|_| counting_waker()).collect();
    for (wait, (_, waker)) in waits.iter_mut().zip(&wakers) {
        assert!(poll(wait.as_mut(), waker).is_pending());
    }
    let woken = || [0, 1, 2].map(|index: usize| wakers[index].0.count());
    drop(running);
    assert_eq!(woken(), [1, 0, 0]);
    // The first does not come, and others do.
    for woken_then in [[1, 1, 0], [1, 1, 1], [1, 1, 1]] {
        let failing = cell.get_or_try_init(Bare, || Err(()));
        assert_eq!(ready_within(9, failing), Err(()));
        assert_eq!(woken(), woken_then);
    }
    assert_untouched(&cell);
    assert_eq!(poll(waits[2].as_mut(), &wakers[2].1), Poll::Ready(&2));
}

#[test]
fn a_wait_that_comes_in_vain_keeps_its_place() {
    let cell = OnceCell::<usize>::new();
    let hold = || {
        let mut call = Box::pin(cell.get_or_init_async(Bare, pending));
        for polls in 0.. {
            assert!(poll_noop(call.as_mut()).is_pending());
            assert!(polls < 10);
            if cell.is_initializing() {
                break;
            }
        }
        call
    };
    let mut running = hold();
    let mut waits: Vec<_> = (0..6)
        .map(|number| Box::pin(cell.get_or_try_init(Bare, move || Err(number))))
        .collect();
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    // Three offers are outstanding when another has the turn.
    for _ in 0..3 {
        drop(running);
        running = hold();
    }
    // In whichever order they come.
    for index in [1, 2, 0] {
        assert!(poll_noop(waits[index].as_mut()).is_pending());
    }
    for (number, wait) in waits.iter_mut().enumerate() {
        if number == 0 {
            drop(core::mem::replace(
                &mut running,
                Box::pin(cell.get_or_init_async(Bare, pending)),
            ));
        }
        let status = std::format!("{wait:?}");
        assert!(status.contains("offered the turn"), "{number}: {status}");
        assert_eq!(poll_noop(wait.as_mut()), Poll::Ready(Err(number)));
    }
    assert_untouched(&cell);
}

#[test]
fn an_offer_that_is_dropped_goes_to_the_next_if_the_turn_is_free() {
    let cell = OnceCell::<u32>::new();
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(running.as_mut()).is_pending());
    let mut first = Box::pin(cell.get_or_init(Bare, || 1));
    let mut second = Box::pin(cell.get_or_init(Bare, || 2));
    let mut third = Box::pin(cell.get_or_init(Bare, || 3));
    let (second_wakes, second_waker) = counting_waker();
    let (third_wakes, third_waker) = counting_waker();
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll(second.as_mut(), &second_waker).is_pending());
    assert!(poll(third.as_mut(), &third_waker).is_pending());
    drop(running);
    let mut newcomer = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(newcomer.as_mut()).is_pending());
    drop(first);
    assert_eq!(second_wakes.count(), 0, "the turn is taken");
    drop(newcomer);
    assert_eq!(second_wakes.count(), 1);
    drop(second);
    assert_eq!(third_wakes.count(), 1);
    assert_eq!(poll(third.as_mut(), &third_waker), Poll::Ready(&3));
}

#[test]
fn an_offer_after_waiting_in_vain_holds_others_off_for_a_while() {
    let cell = OnceCell::<u32>::new();
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(running.as_mut()).is_pending());
    let mut kept = Box::pin(cell.get_or_init(Bare, || 1));
    let mut behind = Box::pin(cell.get_or_init(Bare, || 2));
    assert!(poll_noop(kept.as_mut()).is_pending());
    assert!(poll_noop(behind.as_mut()).is_pending());
    let mut most = 0;
    for times in 1..12 {
        // Another is quicker.
        drop(running);
        running = Box::pin(cell.get_or_init_async(Bare, pending));
        let mut polls = 0;
        let (wakes, waker) = counting_waker();
        while poll(running.as_mut(), &waker).is_pending()
            && cell.state.load(Ordering::Relaxed) & RUNNING == 0
        {
            polls += 1;
            assert_eq!(wakes.count(), polls, "it wakes itself");
            assert!(polls <= 1_024);
        }
        assert!(polls >= most, "{times}: {polls}");
        most = polls;
        assert!(poll_noop(kept.as_mut()).is_pending());
    }
    assert_eq!(most, 1_024);
    // A value from outside is not held off, nor what is no future.
    drop(running);
    assert_eq!(cell.state.load(Ordering::Relaxed) & OFFER, OFFER);
    assert!(cell.set(7));
    assert_eq!(poll_noop(kept.as_mut()), Poll::Ready(&7));
    assert_eq!(poll_noop(behind.as_mut()), Poll::Ready(&7));
}

#[test]
fn a_reserved_offer_that_is_dropped_leaves_nothing() {
    let cell = OnceCell::<u32>::new();
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(running.as_mut()).is_pending());
    let mut vain = Box::pin(cell.get_or_init(Bare, || 1));
    assert!(poll_noop(vain.as_mut()).is_pending());
    drop(running);
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(running.as_mut()).is_pending());
    assert!(poll_noop(vain.as_mut()).is_pending());
    drop(running);
    assert_eq!(cell.state.load(Ordering::Relaxed), EMPTY | OFFER);
    drop(vain);
    assert_untouched(&cell);
}

#[test]
fn held_off_newcomer_may_go() {
    let cell = OnceCell::<u32>::new();
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(running.as_mut()).is_pending());
    let mut vain = Box::pin(cell.get_or_init(Bare, || 1));
    assert!(poll_noop(vain.as_mut()).is_pending());
    drop(running);
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(running.as_mut()).is_pending());
    assert!(poll_noop(vain.as_mut()).is_pending());
    drop(running);
    // New calls that look once and go, as by `now_or_never`.
    let mut looks = 0;
    while poll_noop(pin!(cell.get_or_try_init(Bare, || Err(())))).is_pending() {
        looks += 1;
        assert!(looks <= 16);
    }
    assert_eq!(poll_noop(vain.as_mut()), Poll::Ready(&1));
}

#[test]
fn waiter_without_a_future_takes_a_free_turn() {
    let cell = OnceCell::new();
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(running.as_mut()).is_pending());
    let mut kept = pin!(cell.get_or_init(Bare, || 1));
    assert!(poll_noop(kept.as_mut()).is_pending());
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(InitWaiter::with_waker(waker));
    assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 2), None);
    drop(running);
    // It is not its turn, and no other comes.
    assert!(!waiter.is_ready());
    let message = panic_message(|| {
        cell.get_or_init_with(waiter.as_mut(), || panic!("no value"));
    });
    assert_eq!(message, "no value");
    // It comes in vain, queues again, with its waker, and is woken once more.
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    assert!(poll_noop(running.as_mut()).is_pending());
    for woken in 1..3 {
        assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 2), None);
        assert!(!waiter.is_ready());
        drop(running);
        assert!(waiter.is_ready());
        assert_eq!(wakes.count(), woken);
        running = Box::pin(cell.get_or_init_async(Bare, pending));
        assert!(poll_noop(running.as_mut()).is_pending());
    }
    drop(running);
    waiter.as_mut().reset();
    assert_untouched(&cell);
    assert_eq!(poll_noop(kept.as_mut()), Poll::Ready(&1));
    assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 2), Some(&1));
}

#[test]
fn a_panicking_waker_passes_the_offer_on() {
    let cell = OnceCell::new();
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    let mut broken = pin!(cell.get_or_init(Bare, || 1));
    let mut next = pin!(cell.get_or_init(Bare, || 2));
    let (wakes, waker) = counting_waker();
    assert!(poll_noop(running.as_mut()).is_pending());
    assert!(poll(broken.as_mut(), &panicking_waker()).is_pending());
    assert!(poll(next.as_mut(), &waker).is_pending());
    assert_eq!(panic_message(|| drop(running)), WAKER_PANIC);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(next.as_mut(), &waker), Poll::Ready(&2));
    assert_eq!(poll_noop(broken.as_mut()), Poll::Ready(&2));
}

#[test]
fn a_waker_that_panics_as_it_is_cloned_does_not_lose_the_offer() {
    let cell = OnceCell::new();
    let hold = || {
        let mut call = Box::pin(cell.get_or_init_async(Bare, pending));
        assert!(poll_noop(call.as_mut()).is_pending());
        call
    };
    let running = hold();
    let mut offered = Box::pin(cell.get_or_init(Bare, || 1));
    let mut next = pin!(cell.get_or_init(Bare, || 2));
    let (wakes, waker) = counting_waker();
    assert!(poll_noop(offered.as_mut()).is_pending());
    assert!(poll(next.as_mut(), &waker).is_pending());
    drop(running);
    // While it is cloned, the turn is freed; another's offer is not ours.
    let running = Cell::new(Some(hold()));
    let broken = hooked_waker(|event| {
        if event == Event::Clone {
            std::panic::panic_any("not cloned");
        }
    });
    assert_eq!(
        panic_message(|| _ = poll(offered.as_mut(), &broken)),
        "not cloned"
    );
    drop(running);
    assert_eq!(wakes.count(), 1);
    drop(offered);
    assert_eq!(poll(next.as_mut(), &waker), Poll::Ready(&2));
}

#[test]
fn wakers_may_initialise_when_they_are_woken() {
    // The waker of the one that is offered the turn takes it.
    let cell: &'static OnceCell<u32> = Box::leak(Box::new(OnceCell::new()));
    let takes = hooked_waker(move |event| {
        if event == Event::Wake {
            assert_eq!(
                poll_noop(pin!(cell.get_or_init(Bare, || 9))),
                Poll::Ready(&9)
            );
        }
    });
    let mut running = Box::pin(cell.get_or_init_async(Bare, pending));
    let mut next = Box::pin(cell.get_or_init(Bare, || 1));
    let mut last = Box::pin(cell.get_or_init(Bare, || 2));
    let (wakes, waker) = counting_waker();
    assert!(poll_noop(running.as_mut()).is_pending());
    assert!(poll(next.as_mut(), &takes).is_pending());
    assert!(poll(last.as_mut(), &waker).is_pending());
    drop(running);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll_noop(next.as_mut()), Poll::Ready(&9));
    assert_eq!(poll_noop(last.as_mut()), Poll::Ready(&9));
}

// Those that try again and again.

/// Tries until another has made a value, and counts in `turns` how often its turn came.
async fn tries(cell: &OnceCell<u8>, turns: &Cell<usize>) {
    let init = || async {
        yield_now().await;
        turns.set(turns.get() + 1);
        Err::<u8, ()>(())
    };
    while cell.get_or_try_init_async(Bare, init).await.is_err() {}
}

/// Polls all its branches whenever it is polled, beginning with another each time if
/// it `rotates`.
async fn together(mut branches: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>, rotates: bool) {
    core::future::poll_fn(move |cx| {
        for branch in &mut branches {
            assert!(branch.as_mut().poll(cx).is_pending());
        }
        if rotates {
            branches.rotate_left(1);
        }
        Poll::Pending
    })
    .await
}

#[test]
fn siblings_take_turns() {
    for rotates in [false, true] {
        for siblings in 2..6 {
            for others in 0..3 {
                let cell = OnceCell::new();
                let turns: Vec<_> = (0..siblings + others).map(|_| Cell::new(0)).collect();
                let mut branches: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
                for turns in &turns[..siblings] {
                    branches.push(Box::pin(tries(&cell, turns)));
                }
                let mut runner = Runner::new();
                runner.spawn(together(branches, rotates));
                for turns in &turns[siblings..] {
                    runner.spawn(tries(&cell, turns));
                }
                assert_eq!(runner.run(siblings * 3_000), None, "it goes on");
                let turns: Vec<_> = turns.iter().map(Cell::get).collect();
                let (least, most) = (turns.iter().min(), turns.iter().max());
                assert!(
                    least.unwrap() * 5 >= most.unwrap() * 4 && *least.unwrap() > 100,
                    "{siblings} branches, rotating: {rotates}, {others} others: {turns:?}"
                );
            }
        }
    }
}

#[test]
fn one_that_succeeds_gets_its_turn_beside_one_that_fails_again_and_again() {
    let cell = OnceCell::new();
    let turns = Cell::new(0);
    let mut runner = Runner::new();
    runner.spawn(Box::pin(tries(&cell, &turns)));
    runner.spawn(async { assert_eq!(*cell.get_or_init(Bare, || 7).await, 7) });
    assert_eq!(runner.run(100), Some(0));
    assert_eq!(cell.get(), Some(&7));
}
