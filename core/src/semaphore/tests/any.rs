//! The laws of every primitive that waits.

use super::*;

#[test]
fn dropped_wait_leaves_no_trace() {
    let semaphore = Semaphore::new(1);
    let (wakes, waker) = counting_waker();
    let queue = |wait: &mut Pin<Box<Acquire<'_>>>| {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    };

    drop(semaphore.acquire_future());
    assert_eq!(idle(&semaphore), 1);

    let permit = all(&semaphore);
    let mut wait = Box::pin(semaphore.acquire_future());
    queue(&mut wait);
    drop(wait);
    assert_eq!(idle(&semaphore), 0);

    let mut wait = Box::pin(semaphore.acquire_future());
    queue(&mut wait);
    drop(permit);
    drop(wait);
    assert_eq!(idle(&semaphore), 1);

    let mut wait = Box::pin(semaphore.acquire_future());
    drop(poll(wait.as_mut(), &waker));
    drop(wait);
    assert_eq!(idle(&semaphore), 1);

    drop(waker);
    assert_eq!(wakes.count(), 1);
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

#[test]
fn dropped_from_the_middle_the_others_keep_their_order() {
    let semaphore = Semaphore::new(0);
    let mut waits: Vec<_> = (0..5).map(|_| Queued::new(&semaphore, 1)).collect();
    drop(waits.remove(2));
    drop(waits.remove(0));
    drop(waits.remove(2));
    assert_eq!(semaphore.waiter_count(), 2);
    semaphore.add_permits(1);
    waits[0].won().forget();
    semaphore.add_permits(1);
    waits[1].won().forget();
    assert_eq!(idle(&semaphore), 0);
}

#[test]
fn dropped_win_is_passed_on() {
    let semaphore = Semaphore::new(2);
    let permits = all(&semaphore);
    let first = Queued::new(&semaphore, 2);
    let mut next = [Queued::new(&semaphore, 1), Queued::new(&semaphore, 1)];
    drop(permits);
    assert!(first.is_woken() && !next[0].is_woken());
    drop(first);
    drop(next.each_mut().map(Queued::won));
    assert_eq!(idle(&semaphore), 2);
}

#[test]
fn last_waker_is_the_one_woken() {
    let semaphore = Semaphore::new(0);
    let (old_wakes, old) = counting_waker();
    let (new_wakes, new) = counting_waker();
    let mut wait = pin!(semaphore.acquire_future());
    assert!(poll(wait.as_mut(), &old).is_pending());
    assert!(poll(wait.as_mut(), &new).is_pending());
    drop(old);
    assert_eq!(Arc::strong_count(&old_wakes), 1, "the old one was kept");
    semaphore.add_permits(1);
    assert_eq!((old_wakes.count(), new_wakes.count()), (0, 1));
}

#[test]
fn a_waker_may_deny_its_own_clones() {
    let semaphore = Semaphore::new(0);
    let waker = crate::test_util::denying_waker();
    let mut wait = pin!(semaphore.acquire_future());
    for _ in 0..3 {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    semaphore.add_permits(1);
    assert!(poll(wait.as_mut(), &waker).is_ready());
}

#[test]
fn spurious_poll_is_harmless() {
    let semaphore = Semaphore::new(0);
    let (mut first, mut second) = (Queued::new(&semaphore, 1), Queued::new(&semaphore, 1));
    for _ in 0..3 {
        assert!(second.poll().is_pending());
        assert!(first.poll().is_pending());
    }
    assert_eq!(semaphore.waiter_count(), 2);
    semaphore.add_permits(1);
    assert!(second.poll().is_pending());
    first.won().forget();
}

#[test]
fn waker_may_reenter() {
    static SEMAPHORE: Semaphore = Semaphore::new(0);
    static RAN: AtomicUsize = AtomicUsize::new(0);

    let waker = || {
        reentrant_waker(|| {
            RAN.fetch_add(1, Ordering::Relaxed);
            SEMAPHORE.add_permits(1);
            let mut inner = Box::pin(SEMAPHORE.acquire_future());
            drop(poll(inner.as_mut(), &counting_waker().1));
            drop(inner);
            drop(SEMAPHORE.try_acquire_many(1));
            SEMAPHORE.forget_permits(1);
            let mut waiter = Box::pin(Waiter::new());
            drop(SEMAPHORE.acquire_with(1, waiter.as_mut()));
            let _ = (SEMAPHORE.available_permits(), SEMAPHORE.waiter_count());
            let _ = format!("{SEMAPHORE:?}");
        })
    };

    let mut wait = Box::pin(SEMAPHORE.acquire_many_future(100));
    assert!(poll(wait.as_mut(), &waker()).is_pending()); // cloned
    assert!(poll(wait.as_mut(), &waker()).is_pending()); // replaced, dropped
    SEMAPHORE.add_permits(100); // woken
    assert!(poll(wait.as_mut(), &waker()).is_ready());
    let mut wait = Box::pin(SEMAPHORE.acquire_many_future(1_000));
    assert!(poll(wait.as_mut(), &waker()).is_pending());
    drop(wait); // dropped while queued
    let mut wait = Box::pin(SEMAPHORE.acquire_many_future(1_000));
    assert!(poll(wait.as_mut(), &waker()).is_pending());
    SEMAPHORE.close();
    assert!(poll(wait.as_mut(), &waker()).is_ready());
    assert!(RAN.load(Ordering::Relaxed) >= 6);
    idle(&SEMAPHORE);
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    for close in [false, true] {
        let semaphore = Semaphore::new(0);
        let mut waits = Vec::new();
        let mut bad = Box::pin(semaphore.acquire_future());
        assert!(poll(bad.as_mut(), &panicking_waker()).is_pending());
        waits.extend((0..2 * BATCH).map(|_| Queued::new(&semaphore, 1)));
        let message = panic_message(|| {
            if close {
                semaphore.close();
            } else {
                semaphore.add_permits(2 * BATCH + 1);
            }
        });
        assert_eq!(message, WAKER_PANIC);
        assert!(poll_noop(bad.as_mut()).is_ready());
        for wait in &mut waits {
            assert!(wait.is_woken());
            assert!(wait.poll().is_ready());
        }
    }
}

#[test]
fn a_waker_that_panics_while_unwinding_does_not_abort() {
    let semaphore = Semaphore::new(1);
    let permit = all(&semaphore);
    let mut wait = Box::pin(semaphore.acquire_future());
    assert!(poll(wait.as_mut(), &panicking_waker()).is_pending());
    let message = panic_message(move || {
        let _permit = permit;
        std::panic::panic_any("the first panic");
    });
    assert_eq!(message, "the first panic");
    assert!(poll_noop(wait.as_mut()).is_ready());
}

#[test]
fn completed_future_is_fused_or_panics_clearly() {
    let semaphore = Semaphore::new(1);
    let mut wait = pin!(semaphore.acquire_future());
    assert!(poll_noop(wait.as_mut()).is_ready());
    let message = panic_message(|| drop(poll_noop(wait.as_mut())));
    assert!(message.contains("after it had finished"));
    assert_eq!(idle(&semaphore), 1);
}

#[test]
fn moves_between_executors() {
    let semaphore = Arc::new(Semaphore::new(0));
    let (wakes, waker) = counting_waker();
    let mut wait = Box::pin(semaphore.clone().acquire_owned(Bare));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    let waiting = thread::spawn(move || Bare.block_on(wait).unwrap().num_permits());
    // Granted from a third thread, whether or not the second has polled yet.
    let granter = {
        let semaphore = semaphore.clone();
        thread::spawn(move || semaphore.add_permits(1))
    };
    granter.join().unwrap();
    assert_eq!(waiting.join().unwrap(), 1);
    assert!(wakes.count() <= 1);
    assert_eq!(idle(&semaphore), 1);
}

#[test]
fn waits_without_allocation() {
    let semaphore = Semaphore::new(1);
    let waker = counting_waker().1;
    let counted = allocations(|| {
        let permit = semaphore.try_acquire().unwrap();
        let mut first = pin!(semaphore.acquire_future());
        let mut second = pin!(semaphore.acquire_many_future(2));
        let mut waiter = pin!(Waiter::new());
        assert!(poll(first.as_mut(), &waker).is_pending());
        assert!(poll(second.as_mut(), &waker).is_pending());
        assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
        drop(permit);
        assert!(poll(first.as_mut(), &waker).is_ready());
        semaphore.close();
        assert!(poll(second.as_mut(), &waker).is_ready());
        assert!(semaphore.acquire_with(1, waiter.as_mut()).is_some());
    });
    assert_eq!(counted, 0);
}

#[test]
fn an_owned_wait_allocates_nothing_either() {
    let semaphore = Arc::new(Semaphore::new(0));
    let counted = allocations(|| {
        let mut wait = pin!(semaphore.clone().acquire_owned(Bare));
        assert!(poll_noop(wait.as_mut()).is_pending());
        semaphore.add_permits(1);
        assert!(poll_noop(wait.as_mut()).is_ready());
    });
    assert_eq!(counted, 0);
}

#[test]
fn cancel_is_constant_time() {
    // The middle one of many against one of one, both many times over: a scan of
    // the queue would take tens of thousands of times as long.
    fn time_of_cancels(semaphore: &Semaphore, behind: usize) -> Duration {
        let _before: Vec<_> = (0..behind).map(|_| Queued::new(semaphore, 1)).collect();
        let cancelled: Vec<_> = (0..100).map(|_| Queued::new(semaphore, 1)).collect();
        let _after: Vec<_> = (0..behind).map(|_| Queued::new(semaphore, 1)).collect();
        let start = Instant::now();
        drop(cancelled);
        start.elapsed()
    }

    let semaphore = Semaphore::new(0);
    let alone = (0..5)
        .map(|_| time_of_cancels(&semaphore, 0))
        .min()
        .unwrap();
    let among_many = (0..3)
        .map(|_| time_of_cancels(&semaphore, 50_000))
        .min()
        .unwrap();
    assert!(
        among_many < alone * 100 + Duration::from_millis(1),
        "{among_many:?} against {alone:?}"
    );
    assert_eq!(idle(&semaphore), 0);
}

#[test]
fn spends_budget_after_winning() {
    let semaphore = Semaphore::new(1);
    let budget = Budget::default();
    let (wakes, waker) = counting_waker();
    budget.broke.set(true);

    // Won without waiting: kept, and counted as held.
    let mut wait = Box::pin(semaphore.acquire(&budget));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!((budget.asked.get(), wakes.count()), (1, 1));
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(semaphore.waiter_count(), 0);
    let mut behind = Queued::new(&semaphore, 1);
    assert_eq!(budget.asked.get(), 1, "queueing costs nothing");
    budget.broke.set(false);
    let Poll::Ready(Ok(permit)) = poll(wait.as_mut(), &waker) else {
        panic!("the win was lost");
    };
    drop(permit);

    // Won from the queue.
    let permit = behind.won();
    budget.broke.set(true);
    let mut wait = Box::pin(semaphore.acquire(&budget));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!(budget.asked.get(), 2, "nothing is spent before it is won");
    let mut behind = Queued::new(&semaphore, 1);
    drop(permit);
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert!(!behind.is_woken(), "it lost its place");
    drop(wait);
    drop(behind.won());

    // A refusal is kept as well.
    semaphore.close();
    let mut wait = Box::pin(semaphore.acquire(&budget));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    budget.broke.set(false);
    assert!(matches!(poll(wait.as_mut(), &waker), Poll::Ready(Err(_))));
    assert_eq!(idle(&semaphore), 1);
}

#[test]
fn an_io_that_panics_loses_no_permit() {
    struct Broken;
    impl Io for Broken {
        fn poll_spend(&self, _: &mut Context<'_>) -> Poll<()> {
            std::panic::panic_any("no budget");
        }
    }
    let semaphore = Semaphore::new(1);
    let mut wait = Box::pin(semaphore.acquire(Broken));
    assert_eq!(
        panic_message(|| drop(poll_noop(wait.as_mut()))),
        "no budget"
    );
    assert_eq!(idle(&semaphore), 1);
}

#[test]
fn usable_in_a_static() {
    static SEMAPHORE: Semaphore = Semaphore::new(2);
    static LIMIT: Semaphore = Semaphore::new(MAX);
    assert!(Bare.block_on(SEMAPHORE.acquire_future()).is_ok());
    assert_eq!(LIMIT.available_permits(), MAX);
}

#[test]
fn happens_before() {
    use core::cell::UnsafeCell;

    struct Shared(UnsafeCell<u64>);
    // SAFETY: the test has one thread at a time in `bump`: the holder of the only
    // permit.
    unsafe impl Sync for Shared {}
    impl Shared {
        fn bump(&self) {
            // SAFETY: see above.
            unsafe { *self.0.get() += 1 };
        }
    }

    const THREADS: u64 = 3;
    const ROUNDS: u64 = 3_000;
    let semaphore = Semaphore::new(1);
    let shared = Shared(UnsafeCell::new(0));
    scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let _permit = Bare.block_on(semaphore.acquire_future()).unwrap();
                    shared.bump();
                }
            });
        }
    });
    assert_eq!(shared.0.into_inner(), THREADS * ROUNDS);
}

#[test]
fn sizes_are_as_documented() {
    #[cfg(target_pointer_width = "64")]
    {
        assert!(size_of::<Semaphore>() <= 72);
        assert!(size_of::<Acquire<'static>>() <= 48);
        assert!(size_of::<AcquireOwned>() <= 56);
        assert!(size_of::<SemaphorePermit<'static>>() == 16);
        assert!(size_of::<OwnedSemaphorePermit>() <= 24);
    }
    assert_eq!(size_of::<AcquireError>(), 0);
}

#[test]
fn errors_and_values_say_what_they_are() {
    assert_eq!(AcquireError.to_string(), "the semaphore is closed");
    assert_eq!(
        TryAcquireError::Closed.to_string(),
        AcquireError.to_string()
    );
    assert_eq!(
        TryAcquireError::NoPermits.to_string(),
        "not enough permits are available"
    );
    let semaphore = Arc::new(Semaphore::new(3));
    assert!(format!("{semaphore:?}").contains("available_permits: 3"));
    let permit = semaphore.try_acquire_many(2).unwrap();
    assert!(format!("{permit:?}").contains("num_permits: 2"));
    let owned = semaphore.clone().try_acquire_owned().unwrap();
    assert!(format!("{owned:?}").contains("num_permits: 1"));
    let mut wait = pin!(semaphore.acquire_future());
    assert!(format!("{wait:?}").contains("idle"));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(format!("{wait:?}").contains("queued"));
    drop(owned);
    assert!(format!("{wait:?}").contains("granted"));
    assert!(poll_noop(wait.as_mut()).is_ready());
    assert!(format!("{wait:?}").contains("finished"));
}
