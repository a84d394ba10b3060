use core::cell::Cell;
use core::pin::pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::boxed::Box;
use std::string::String;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use std::vec::Vec;
use std::{format, thread};

use super::*;
use crate::io::block_on;
use crate::test_util::{
    WAKER_PANIC, allocations, counting_waker, panic_message, panicking_waker, poll, poll_noop,
    reentrant_waker, scope,
};

/// `count` waits that have arrived.
pub(super) fn arrive(barrier: &Barrier, count: usize) -> Vec<Pin<Box<Wait<'_>>>> {
    (0..count)
        .map(|_| {
            let mut wait = Box::pin(barrier.wait_future());
            assert!(poll_noop(wait.as_mut()).is_pending());
            wait
        })
        .collect()
}

/// The message with which a poll panics.
pub(super) fn poll_panic<F: Future>(future: Pin<&mut F>) -> String {
    panic_message(|| {
        let _ = poll_noop(future);
    })
}

pub(super) fn all_released(waits: &mut [Pin<Box<Wait<'_>>>]) -> bool {
    waits
        .iter_mut()
        .all(|wait| poll_noop(wait.as_mut()) == Poll::Ready(false))
}

#[test]
fn nobody_passes_before_the_last() {
    for parties in [2, 3, 33, 70] {
        let barrier = Barrier::new(parties);
        let mut waits = arrive(&barrier, parties - 1);
        assert_eq!(barrier.arrived(), parties - 1);
        for wait in &mut waits {
            assert!(poll_noop(wait.as_mut()).is_pending());
        }
        let mut last = pin!(barrier.wait_future());
        assert_eq!(poll_noop(last.as_mut()), Poll::Ready(true));
        assert!(all_released(&mut waits));
        assert_eq!(barrier.arrived(), 0);
    }
}

#[test]
fn leader_arrives_without_waiting() {
    let barrier = Barrier::new(2);
    let (wakes, waker) = counting_waker();
    let mut first = pin!(barrier.wait_future());
    assert!(poll(first.as_mut(), &waker).is_pending());
    let (own_wakes, own_waker) = counting_waker();
    let mut last = pin!(barrier.wait_future());
    assert_eq!(poll(last.as_mut(), &own_waker), Poll::Ready(true));
    assert_eq!((wakes.count(), own_wakes.count()), (1, 0));
    assert_eq!(Arc::strong_count(&own_wakes), 2, "its waker was dropped");
}

#[test]
fn exactly_one_leader_per_generation() {
    const PARTIES: usize = 4;
    const GENERATIONS: usize = 300;
    let barrier = Barrier::new(PARTIES);
    let leaders: Vec<AtomicUsize> = (0..GENERATIONS).map(|_| AtomicUsize::new(0)).collect();
    scope(|scope| {
        for _ in 0..PARTIES {
            scope.spawn(|| {
                for leaders in &leaders {
                    if block_on(barrier.wait_future()) {
                        leaders.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(
        leaders
            .iter()
            .all(|count| count.load(Ordering::Relaxed) == 1)
    );
}

#[test]
fn is_reusable() {
    // A fast wait that comes back does not stand for a slow one.
    let barrier = Barrier::new(2);
    let mut slow = arrive(&barrier, 1);
    let mut fast = pin!(barrier.wait_future());
    assert_eq!(poll_noop(fast.as_mut()), Poll::Ready(true));
    let mut again = pin!(barrier.wait_future());
    assert!(poll_noop(again.as_mut()).is_pending());
    assert!(all_released(&mut slow), "released in its own generation");
    assert!(poll_noop(again.as_mut()).is_pending());
    drop(slow);
    assert_eq!(poll_noop(pin!(barrier.wait_future())), Poll::Ready(true));
    assert_eq!(poll_noop(again.as_mut()), Poll::Ready(false));
    for _ in 0..100 {
        let mut waits = arrive(&barrier, 1);
        assert_eq!(poll_noop(pin!(barrier.wait_future())), Poll::Ready(true));
        assert!(all_released(&mut waits));
    }
}

#[test]
fn of_one_never_waits() {
    let barrier = Barrier::new(1);
    for _ in 0..3 {
        assert_eq!(poll_noop(pin!(barrier.wait_future())), Poll::Ready(true));
        assert!(barrier.wait_with(pin!(Waiter::new())));
        let ran = Cell::new(false);
        let wait = pin!(barrier.wait_then(Bare, || ran.set(true)));
        assert_eq!(poll_noop(wait), Poll::Ready(true));
        assert!(ran.get());
    }
}

#[test]
fn of_zero_behaves_as_one() {
    let barrier = Barrier::new(0);
    assert_eq!(barrier.parties(), 1);
    assert_eq!(poll_noop(pin!(barrier.wait_future())), Poll::Ready(true));
}

#[test]
fn of_usize_max_never_opens() {
    for parties in [usize::MAX, usize::MAX - 1, u32::MAX as usize] {
        let barrier = Barrier::new(parties);
        assert_eq!(barrier.parties(), parties);
        let mut waits = arrive(&barrier, 100);
        assert_eq!(barrier.arrived(), 100);
        for wait in &mut waits {
            assert!(poll_noop(wait.as_mut()).is_pending());
        }
        drop(waits);
        assert_eq!(barrier.arrived(), 0);
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn more_waits_than_are_counted_are_refused() {
    let barrier = Barrier::new(usize::MAX);
    barrier.list.lock().members = u32::MAX;
    let message = panic_message(|| {
        let _ = poll_noop(pin!(barrier.wait_future()));
    });
    assert_eq!(
        message,
        "too many waits on a `Barrier`: there are 4294967295 already"
    );
    assert_eq!(barrier.arrived(), u32::MAX as usize);
    // One less, and there is room.
    barrier.list.lock().members -= 1;
    assert!(poll_noop(pin!(barrier.wait_future())).is_pending());
}

#[test]
fn dropped_arrival_withdraws() {
    let barrier = Barrier::new(3);
    let mut stays = arrive(&barrier, 1);
    let mut goes = arrive(&barrier, 1);
    goes.clear();
    assert_eq!(barrier.arrived(), 1);
    let mut second = arrive(&barrier, 1);
    assert!(poll_noop(stays[0].as_mut()).is_pending());
    let mut last = pin!(barrier.wait_future());
    assert_eq!(poll_noop(last.as_mut()), Poll::Ready(true));
    assert!(all_released(&mut stays) && all_released(&mut second));
}

#[test]
fn drop_after_the_release_changes_nothing() {
    let barrier = Barrier::new(3);
    let mut released = arrive(&barrier, 2);
    let mut last = Box::pin(barrier.wait_future());
    assert!(poll_noop(last.as_mut()).is_ready());
    let mut next = arrive(&barrier, 1);
    drop(last);
    drop(released.pop());
    assert_eq!(barrier.arrived(), 1);
    assert!(all_released(&mut released));
    let mut more = arrive(&barrier, 1);
    assert_eq!(poll_noop(pin!(barrier.wait_future())), Poll::Ready(true));
    assert!(all_released(&mut next) && all_released(&mut more));
}

#[test]
fn dropped_wait_leaves_no_trace() {
    let barrier = Barrier::new(2);
    drop(barrier.wait_future());
    drop(arrive(&barrier, 1));
    drop(barrier.wait_then(Bare, || unreachable!("nobody led")));
    let mut first = arrive(&barrier, 1);
    {
        let mut last = pin!(barrier.wait_future());
        assert!(poll_noop(last.as_mut()).is_ready());
    }
    assert!(all_released(&mut first));
    drop(first);
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn last_waker_is_the_one_woken() {
    let barrier = Barrier::new(2);
    let (first, first_waker) = counting_waker();
    let (second, second_waker) = counting_waker();
    let mut wait = pin!(barrier.wait_future());
    assert!(poll(wait.as_mut(), &first_waker).is_pending());
    assert!(poll(wait.as_mut(), &second_waker).is_pending());
    assert!(poll(wait.as_mut(), &second_waker).is_pending());
    assert_eq!(Arc::strong_count(&first), 2, "the first waker was dropped");
    assert!(poll_noop(pin!(barrier.wait_future())).is_ready());
    assert_eq!((first.count(), second.count()), (0, 1));
    assert_eq!(Arc::strong_count(&second), 2, "the waker was used up");
}

#[test]
fn spurious_poll_is_harmless() {
    let barrier = Barrier::new(3);
    let mut waits = arrive(&barrier, 2);
    for _ in 0..5 {
        for wait in &mut waits {
            assert!(poll_noop(wait.as_mut()).is_pending());
        }
        assert_eq!(barrier.arrived(), 2);
    }
    assert!(poll_noop(pin!(barrier.wait_future())).is_ready());
    assert!(all_released(&mut waits));
}

#[test]
fn completed_future_is_fused_or_panics_clearly() {
    const MESSAGE: &str = "a wait on a `Barrier` was polled after it had finished";
    let barrier = Barrier::new(1);
    let mut wait = pin!(barrier.wait_future());
    assert!(poll_noop(wait.as_mut()).is_ready());
    assert_eq!(poll_panic(wait.as_mut()), MESSAGE);

    let mut then = pin!(barrier.wait_then(Bare, || ()));
    assert!(poll_noop(then.as_mut()).is_ready());
    assert_eq!(poll_panic(then.as_mut()), MESSAGE);

    let mut failed = pin!(barrier.try_wait_then(Bare, || Err(())));
    assert_eq!(poll_noop(failed.as_mut()), Poll::Ready(Err(())));
    assert_eq!(poll_panic(failed.as_mut()), MESSAGE);

    let mut panicked = pin!(barrier.wait_then(Bare, || panic!("action")));
    assert_eq!(poll_panic(panicked.as_mut()), "action");
    assert_eq!(poll_panic(panicked.as_mut()), MESSAGE);
    assert!(poll_noop(pin!(barrier.wait_future())).is_ready());
}

#[test]
fn waker_may_reenter() {
    static BARRIER: Barrier = Barrier::new(2);
    static ENTRIES: AtomicUsize = AtomicUsize::new(0);
    let waker = reentrant_waker(|| {
        ENTRIES.fetch_add(1, Ordering::SeqCst);
        assert!(BARRIER.arrived() <= 2);
        let _ = format!("{BARRIER:?}");
        // Arrives, and withdraws or completes a generation.
        let _ = poll_noop(pin!(BARRIER.wait_future()));
    });
    let other = reentrant_waker(|| {
        let _ = BARRIER.arrived();
    });
    for _ in 0..3 {
        let mut wait = Box::pin(BARRIER.wait_future());
        let _ = poll(wait.as_mut(), &waker);
        if poll(wait.as_mut(), &other).is_pending() {
            drop(wait);
        }
    }
    {
        let mut wait = pin!(Waiter::with_waker(waker.clone()));
        BARRIER.wait_with(wait.as_mut());
        let _ = poll_noop(pin!(BARRIER.wait_future()));
        assert!(wait.is_released());
    }
    assert_eq!(BARRIER.arrived(), 0);
    assert!(ENTRIES.load(Ordering::SeqCst) > 0);
}

#[test]
fn waker_that_arrives_belongs_to_the_next_generation() {
    static BARRIER: Barrier = Barrier::new(40);
    static LAPPED: AtomicBool = AtomicBool::new(false);
    let waker = reentrant_waker(|| {
        // In the midst of a release of more than one batch.
        if poll_noop(pin!(BARRIER.wait_future())).is_ready() {
            LAPPED.store(true, Ordering::SeqCst);
        }
    });
    let mut waits: Vec<_> = (0..39).map(|_| Box::pin(BARRIER.wait_future())).collect();
    for wait in &mut waits {
        let _ = poll(wait.as_mut(), &waker);
    }
    assert_eq!(BARRIER.arrived(), 39);
    assert_eq!(poll_noop(pin!(BARRIER.wait_future())), Poll::Ready(true));
    assert!(all_released(&mut waits));
    assert!(!LAPPED.load(Ordering::SeqCst));
    assert_eq!(BARRIER.arrived(), 0);
}

/// While a release of several batches is under way, those in the later ones are
/// released already: polled or dropped in between, they behave so.
#[test]
fn release_is_one_event_for_all_batches() {
    struct Shared {
        barrier: Barrier,
        tail: std::sync::Mutex<Vec<Pin<Box<Wait<'static>>>>>,
        polled: AtomicUsize,
    }
    let shared: &'static Shared = Box::leak(Box::new(Shared {
        barrier: Barrier::new(100),
        tail: std::sync::Mutex::new(Vec::new()),
        polled: AtomicUsize::new(0),
    }));
    let meddler = crate::test_util::hooked_waker(|event| {
        if event == crate::test_util::Event::Wake {
            let mut tail = core::mem::take(&mut *shared.tail.lock().unwrap());
            // Half of those that are not woken yet are polled, half dropped.
            for wait in tail.iter_mut().step_by(2) {
                assert_eq!(poll_noop(wait.as_mut()), Poll::Ready(false));
                shared.polled.fetch_add(1, Ordering::SeqCst);
            }
            drop(tail);
            assert_eq!(shared.barrier.arrived(), 0);
        }
    });
    let mut head = Box::pin(shared.barrier.wait_future());
    assert!(poll(head.as_mut(), &meddler).is_pending());
    let mut middle = arrive(&shared.barrier, 49);
    *shared.tail.lock().unwrap() = arrive(&shared.barrier, 49);
    assert_eq!(
        poll_noop(pin!(shared.barrier.wait_future())),
        Poll::Ready(true)
    );
    assert_eq!(shared.polled.load(Ordering::SeqCst), 25);
    assert!(all_released(&mut middle));
    assert_eq!(poll_noop(head.as_mut()), Poll::Ready(false));
    assert_eq!(shared.barrier.arrived(), 0);
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let barrier = Barrier::new(40);
    let mut bad = Box::pin(barrier.wait_future());
    assert!(poll(bad.as_mut(), &panicking_waker()).is_pending());
    let (wakes, waker) = counting_waker();
    let mut waits: Vec<_> = (0..38).map(|_| Box::pin(barrier.wait_future())).collect();
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    let mut last = Box::pin(barrier.wait_future());
    assert_eq!(poll_panic(last.as_mut()), WAKER_PANIC);
    assert_eq!(wakes.count(), 38);
    assert!(all_released(&mut waits));
    assert_eq!(poll_noop(bad.as_mut()), Poll::Ready(false));
    assert_eq!(
        poll_noop(last.as_mut()),
        Poll::Ready(true),
        "it leads all the same"
    );
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn wait_arrives_when_it_is_first_polled() {
    let barrier = Barrier::new(2);
    let mut wait = pin!(barrier.wait_future());
    assert_eq!(barrier.arrived(), 0);
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(barrier.arrived(), 1);
}

/// An `Io` that has so many units to give.
struct Budget(Cell<usize>);

impl Io for Budget {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(left) = self.0.get().checked_sub(1) {
            self.0.set(left);
            Poll::Ready(())
        } else {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
}

#[test]
fn spends_budget_after_winning() {
    let budget = Budget(Cell::new(0));
    let barrier = Barrier::new(2);
    let mut first = pin!(barrier.wait(&budget));
    assert!(poll_noop(first.as_mut()).is_pending());
    assert_eq!(barrier.arrived(), 1, "it arrives without a budget");
    let ran = Cell::new(false);
    let mut last = pin!(barrier.wait_then(&budget, || ran.set(true)));
    let (wakes, waker) = counting_waker();
    assert!(poll(last.as_mut(), &waker).is_pending());
    assert!(ran.get());
    assert_eq!(wakes.count(), 1, "asked to come again");
    assert_eq!(barrier.arrived(), 0, "the release does not wait for it");
    budget.0.set(1);
    assert_eq!(poll_noop(first.as_mut()), Poll::Ready(false));
    assert!(poll_noop(last.as_mut()).is_pending());
    budget.0.set(1);
    assert_eq!(poll_noop(last.as_mut()), Poll::Ready(true));
    assert_eq!(budget.0.get(), 0);
}

#[test]
fn raw_waiter_reports_state() {
    let barrier = Barrier::new(2);
    let (wakes, waker) = counting_waker();
    let mut first = pin!(Waiter::with_waker(waker.clone()));
    assert!(!first.is_released() && !first.is_leader());
    assert!(!barrier.wait_with(first.as_mut()));
    assert!(!barrier.wait_with(first.as_mut()), "it stays where it is");
    assert_eq!(barrier.arrived(), 1);
    {
        let mut last = pin!(Waiter::default());
        assert!(barrier.wait_with(last.as_mut()));
        assert!(last.is_released() && last.is_leader());
        assert!(barrier.wait_with(last.as_mut()), "and stays released");
    }
    assert!(first.is_released() && !first.is_leader());
    assert!(
        !barrier.wait_with(first.as_mut()),
        "released, not the leader"
    );
    assert_eq!((wakes.count(), barrier.arrived()), (1, 0));

    // It keeps its waker.
    first.as_mut().reset();
    assert!(!first.is_released());
    assert!(!barrier.wait_with(first.as_mut()));
    assert!(poll_noop(pin!(barrier.wait_future())).is_ready());
    assert_eq!(wakes.count(), 2);
    // A waker that comes after the release is woken at once.
    first.as_mut().set_waker(waker);
    assert_eq!(wakes.count(), 3);

    first.as_mut().reset();
    assert!(!barrier.wait_with(first.as_mut()));
    first.as_mut().reset();
    assert_eq!(barrier.arrived(), 0);
    assert!(!barrier.wait_with(first.as_mut()));
    let (newest, newest_waker) = counting_waker();
    first.as_mut().set_waker(newest_waker);
    assert!(poll_noop(pin!(barrier.wait_future())).is_ready());
    assert_eq!((wakes.count(), newest.count()), (3, 1));
    assert!(first.is_released());
}

#[test]
fn dropped_waiter_withdraws() {
    let barrier = Barrier::new(2);
    {
        let mut waiter = pin!(Waiter::new());
        barrier.wait_with(waiter.as_mut());
        assert_eq!(barrier.arrived(), 1);
    }
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn waiter_on_two_barriers_is_refused() {
    let (one, other) = (Barrier::new(2), Barrier::new(2));
    let mut waiter = pin!(Waiter::new());
    one.wait_with(waiter.as_mut());
    let message = panic_message(|| {
        other.wait_with(waiter.as_mut());
    });
    assert_eq!(
        message,
        "this `Waiter` waits on another `Barrier`: `reset` it first"
    );
    assert_eq!((one.arrived(), other.arrived()), (1, 0));
    waiter.as_mut().reset();
    assert!(!other.wait_with(waiter.as_mut()));
    assert_eq!((one.arrived(), other.arrived()), (0, 1));
}

#[test]
fn moves_between_executors() {
    let barrier = Arc::new(Barrier::new(2));
    let (wakes, waker) = counting_waker();
    let mut wait = Box::pin({
        let barrier = barrier.clone();
        async move { barrier.wait_future().await }
    });
    assert!(poll(wait.as_mut(), &waker).is_pending());
    let (ready, told) = mpsc::channel();
    // Polled here, then parked on another thread, then released from this one.
    let thread = thread::spawn(move || {
        ready.send(()).unwrap();
        block_on(wait)
    });
    told.recv().unwrap();
    assert!(block_on(barrier.wait_future()));
    assert!(!thread.join().unwrap());
    assert!(wakes.count() <= 1);
}

#[test]
fn happens_before() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 200;
    let barrier = Barrier::new(THREADS);
    let cells: Vec<AtomicUsize> = (0..THREADS).map(|_| AtomicUsize::new(0)).collect();
    let sum = AtomicUsize::new(0);
    scope(|scope| {
        for own in &cells {
            let (barrier, cells, sum) = (&barrier, &cells, &sum);
            scope.spawn(move || {
                for round in 1..=ROUNDS {
                    own.store(round, Ordering::Relaxed);
                    let add = || {
                        let all = cells.iter().map(|cell| cell.load(Ordering::Relaxed));
                        sum.store(all.sum(), Ordering::Relaxed);
                    };
                    block_on(barrier.wait_then(Bare, add));
                    assert_eq!(sum.load(Ordering::Relaxed), round * THREADS);
                    block_on(barrier.wait_future());
                }
            });
        }
    });
}

#[test]
fn waits_without_allocation() {
    let barrier = Barrier::new(3);
    let (_, waker) = counting_waker();
    let count = allocations(|| {
        for _ in 0..3 {
            let mut first = pin!(barrier.wait_future());
            let mut second = pin!(Waiter::with_waker(waker.clone()));
            let mut third = pin!(barrier.wait_then_async(Bare, async || ()));
            assert!(poll(first.as_mut(), &waker).is_pending());
            assert!(!barrier.wait_with(second.as_mut()));
            assert_eq!(poll(third.as_mut(), &waker), Poll::Ready(true));
            assert_eq!(poll(first.as_mut(), &waker), Poll::Ready(false));
            assert!(second.is_released());
        }
        let _ = Barrier::new(usize::MAX);
    });
    assert_eq!(count, 0);
}

/// A thousand waits in the middle of a hundred thousand leave about as fast as
/// they leave a queue of their own. A walk would be hundreds of times slower.
#[test]
fn cancel_is_constant_time() {
    fn cancel(queued: usize) -> Duration {
        let barrier = Barrier::new(usize::MAX);
        let before = arrive(&barrier, queued / 2);
        let middle = arrive(&barrier, 1000);
        let after = arrive(&barrier, queued / 2);
        let start = Instant::now();
        drop(middle);
        let took = start.elapsed();
        assert_eq!(barrier.arrived(), before.len() + after.len());
        took
    }
    let fastest = |queued| (0..5).map(|_| cancel(queued)).min().expect("five runs");
    let (few, many) = (fastest(0), fastest(100_000));
    assert!(many < few * 50, "{few:?} alone, {many:?} among 100,000");
}

static IN_A_STATIC: Barrier = Barrier::new(2);

#[test]
fn usable_in_a_static() {
    let thread = thread::spawn(|| block_on(IN_A_STATIC.wait_future()));
    let leader = block_on(IN_A_STATIC.wait_future());
    assert_ne!(leader, thread.join().unwrap(), "one of the two leads");
}

#[test]
#[cfg(target_pointer_width = "64")]
fn sizes_are_as_published() {
    if cfg!(all(feature = "std", target_os = "linux")) {
        assert_eq!(size_of::<Barrier>(), 32);
    }
    assert_eq!(size_of::<Wait<'static>>(), 48);
    assert_eq!(size_of::<Waiter<'static>>(), 64);
}

#[test]
fn debug_tells_how_it_stands() {
    let barrier = Barrier::new(2);
    let mut wait = pin!(barrier.wait_future());
    assert_eq!(format!("{wait:?}"), "Wait { status: \"idle\", .. }");
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(format!("{wait:?}"), "Wait { status: \"arrived\", .. }");
    assert_eq!(format!("{barrier:?}"), "Barrier { parties: 2, arrived: 1 }");
    let then = barrier.wait_then(Bare, || ());
    assert_eq!(format!("{then:?}"), "WaitThen { status: \"idle\", .. }");
    let mut waiter = pin!(Waiter::new());
    barrier.wait_with(waiter.as_mut());
    assert_eq!(format!("{waiter:?}"), "Waiter { status: \"released\", .. }");
}

/// A wait of one generation is not taken for one of another.
#[test]
fn each_generation_has_its_own_number() {
    let mut state = super::State {
        members: 2,
        phase: 0,
    };
    for generation in 1..100 {
        assert_eq!(state.release(), if generation == 1 { 2 } else { 0 });
        assert_eq!(state.generation(), generation);
    }
}
