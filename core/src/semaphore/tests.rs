use core::cell::Cell;
use core::mem::size_of;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::format;
use std::string::ToString;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::{
    Acquire, AcquireError, AcquireOwned, GRANTS, OwnedSemaphorePermit, Semaphore, SemaphorePermit,
    TryAcquireError, WAITING, Waiter,
};
use crate::Fairness;
use crate::io::{Bare, Block, Io};
use crate::test_util::{
    WAKER_PANIC, Wakes, allocations, counting_waker, panic_message, panicking_waker, poll,
    poll_noop, reentrant_waker, scope,
};
use crate::wake_batch::BATCH;

mod any;

const MAX: usize = Semaphore::MAX_PERMITS;

/// A queued wait of a task of its own.
struct Queued<'a> {
    wait: Pin<Box<Acquire<'a>>>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl<'a> Queued<'a> {
    fn new(semaphore: &'a Semaphore, permits: usize) -> Self {
        let (wakes, waker) = counting_waker();
        let mut wait = Box::pin(semaphore.acquire_many_future(permits));
        assert!(poll(wait.as_mut(), &waker).is_pending());
        Self { wait, wakes, waker }
    }

    fn poll(&mut self) -> Poll<Result<SemaphorePermit<'a>, AcquireError>> {
        poll(self.wait.as_mut(), &self.waker)
    }

    /// The permit of a wait that has been woken.
    fn won(&mut self) -> SemaphorePermit<'a> {
        assert_eq!(self.wakes.count(), 1);
        match self.poll() {
            Poll::Ready(Ok(permit)) => permit,
            other => panic!("it was woken, and is {other:?}"),
        }
    }

    fn is_woken(&self) -> bool {
        self.wakes.count() > 0
    }
}

fn all(semaphore: &Semaphore) -> SemaphorePermit<'_> {
    semaphore
        .try_acquire_many(semaphore.available_permits())
        .unwrap()
}

/// No task waits and no grant is left; the number of free permits.
#[track_caller]
fn idle(semaphore: &Semaphore) -> usize {
    let list = semaphore.list.lock();
    assert_eq!((list.count(super::QUEUE), list.count(GRANTS)), (0, 0));
    assert_eq!(semaphore.state.load(Ordering::Relaxed) & WAITING, 0);
    semaphore.available_permits()
}

/// An executor whose tasks have spent their budget while `broke` says so.
#[derive(Default)]
struct Budget {
    broke: Cell<bool>,
    asked: Cell<usize>,
}

impl Io for Budget {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.asked.set(self.asked.get() + 1);
        if self.broke.get() {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

// semaphore::

#[test]
fn never_over_issues() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 2_000;
    const PERMITS: usize = 3;
    let semaphore = Semaphore::new(PERMITS);
    let out = AtomicUsize::new(0);
    scope(|scope| {
        for thread in 0..THREADS {
            let (semaphore, out) = (&semaphore, &out);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let n = (thread + round) % PERMITS + 1;
                    let permit = if round % 5 == 0 {
                        semaphore.try_acquire_many(n).ok()
                    } else {
                        Bare.block_on(semaphore.acquire_many_future(n)).ok()
                    };
                    let Some(permit) = permit else { continue };
                    assert!(out.fetch_add(n, Ordering::Relaxed) + n <= PERMITS);
                    out.fetch_sub(n, Ordering::Relaxed);
                    drop(permit);
                }
            });
        }
    });
    assert_eq!(idle(&semaphore), PERMITS);
}

#[test]
fn is_fifo_even_for_many() {
    let semaphore = Semaphore::new(3);
    let permits = all(&semaphore);
    let mut many = Queued::new(&semaphore, 3);
    let mut few = Queued::new(&semaphore, 1);
    semaphore.add_permits(2);
    // There is enough for `few`, but `many` is before it, and no other passes.
    assert!(!many.is_woken() && !few.is_woken());
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(
        semaphore.try_acquire().unwrap_err(),
        TryAcquireError::NoPermits
    );
    let mut newcomer = Queued::new(&semaphore, 1);
    drop(permits);
    drop(many.won());
    drop((few.won(), newcomer.won()));
    assert_eq!(idle(&semaphore), 5);
}

#[test]
fn is_fifo() {
    let semaphore = Semaphore::new(1);
    let mut permit = Some(all(&semaphore));
    let mut waits: Vec<_> = (0..100).map(|_| Queued::new(&semaphore, 1)).collect();
    for served in 0..waits.len() {
        assert_eq!(semaphore.waiter_count(), waits.len() - served);
        drop(permit.take());
        // Polled last to first: their order is that of the queue.
        for later in (served + 1..waits.len()).rev() {
            assert!(waits[later].poll().is_pending());
        }
        permit = Some(waits[served].won());
    }
}

#[test]
fn nobody_passes_a_grant_that_is_not_fetched() {
    let semaphore = Semaphore::new(1);
    let permit = all(&semaphore);
    let mut first = Queued::new(&semaphore, 1);
    drop(permit);
    assert_eq!(semaphore.available_permits(), 0);
    assert!(semaphore.try_acquire().is_err());
    let mut newcomer = Queued::new(&semaphore, 1);
    drop(first.won());
    drop(newcomer.won());
}

#[test]
fn cancelled_partial_acquire_returns_its_share() {
    let semaphore = Semaphore::new(4);
    let permits = all(&semaphore);
    let many = Queued::new(&semaphore, 10);
    let mut few: Vec<_> = (0..5).map(|_| Queued::new(&semaphore, 1)).collect();
    drop(permits);
    assert!(few.iter().all(|wait| !wait.is_woken()));
    drop(many);
    // What had added up goes to the next ones at once, as far as it reaches.
    let woken: Vec<_> = few.iter().map(Queued::is_woken).collect();
    assert_eq!(woken, [true, true, true, true, false]);
    let permits: Vec<_> = few[..4].iter_mut().map(Queued::won).collect();
    drop(permits);
    drop(few.pop().unwrap().won());
    assert_eq!(idle(&semaphore), 4);

    // The same with no wait behind it.
    let permits = all(&semaphore);
    let many = Queued::new(&semaphore, 5);
    drop(permits);
    drop(many);
    assert_eq!(idle(&semaphore), 4);
}

#[test]
fn close_wakes_all_with_an_error() {
    let semaphore = Semaphore::new(1);
    let permit = all(&semaphore);
    let mut waits: Vec<_> = (1..2 * BATCH).map(|n| Queued::new(&semaphore, n)).collect();
    semaphore.close();
    assert!(semaphore.is_closed());
    for wait in &mut waits {
        assert_eq!(wait.wakes.count(), 1);
        assert!(matches!(wait.poll(), Poll::Ready(Err(AcquireError))));
    }
    assert_eq!(
        semaphore.try_acquire().unwrap_err(),
        TryAcquireError::Closed
    );
    assert_eq!(
        semaphore.try_acquire_many(0).unwrap_err(),
        TryAcquireError::Closed
    );
    assert!(Bare.block_on(semaphore.acquire_future()).is_err());
    assert!(Bare.block_on(semaphore.acquire_many_future(0)).is_err());
    drop(permit);
    semaphore.close();
    assert_eq!(idle(&semaphore), 1);
}

#[test]
fn close_leaves_what_was_granted() {
    let semaphore = Semaphore::new(0);
    let (mut granted, mut refused) = (Queued::new(&semaphore, 1), Queued::new(&semaphore, 1));
    let abandoned = Queued::new(&semaphore, 1);
    semaphore.add_permits(1);
    semaphore.close();
    assert!(matches!(refused.poll(), Poll::Ready(Err(AcquireError))));
    drop(granted.won());
    drop(abandoned);
    assert_eq!(idle(&semaphore), 1);
}

#[test]
fn close_from_within_its_own_wakers_refuses_everybody() {
    // While the first batch is woken the rest is aside: polled or dropped there,
    // they are refused, or leave.
    static SEMAPHORE: Semaphore = Semaphore::new(0);
    std::thread_local! {
        static LATE: Cell<Option<(Queued<'static>, Queued<'static>)>> = const { Cell::new(None) };
        static SEEN: Cell<bool> = const { Cell::new(false) };
    }
    let waker = crate::test_util::hooked_waker(|event| {
        if event == crate::test_util::Event::Wake {
            let (mut polled, dropped) = LATE.take().expect("woken once");
            assert!(!polled.is_woken());
            assert!(matches!(polled.poll(), Poll::Ready(Err(AcquireError))));
            drop(dropped);
            SEMAPHORE.close();
            SEEN.set(true);
        }
    });
    let mut first = pin!(SEMAPHORE.acquire_future());
    assert!(poll(first.as_mut(), &waker).is_pending());
    let between: Vec<_> = (0..BATCH).map(|_| Queued::new(&SEMAPHORE, 1)).collect();
    LATE.set(Some((
        Queued::new(&SEMAPHORE, 1),
        Queued::new(&SEMAPHORE, 1),
    )));
    SEMAPHORE.close();
    assert!(SEEN.get());
    assert!(between.iter().all(Queued::is_woken));
    assert_eq!(idle(&SEMAPHORE), 0);
}

#[test]
fn release_after_close_keeps_it_closed() {
    let semaphore = Semaphore::new(2);
    let permit = semaphore.try_acquire().unwrap();
    semaphore.close();
    drop(permit);
    semaphore.add_permits(3);
    assert!(semaphore.is_closed());
    assert_eq!(idle(&semaphore), 5);
    assert_eq!(
        semaphore.try_acquire().unwrap_err(),
        TryAcquireError::Closed
    );
    assert_eq!(semaphore.forget_permits(4), 4);
}

#[test]
fn forget_and_add_change_the_total() {
    let semaphore = Semaphore::new(2);
    semaphore.try_acquire().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 1);
    semaphore.add_permits(4);
    assert_eq!(semaphore.available_permits(), 5);
    assert_eq!(semaphore.forget_permits(2), 2);
    assert_eq!(semaphore.forget_permits(usize::MAX), 3);
    assert_eq!(semaphore.forget_permits(1), 0);
    assert_eq!(semaphore.forget_permits(0), 0);

    // What has added up is promised.
    let mut wait = Queued::new(&semaphore, 2);
    semaphore.add_permits(1);
    assert_eq!(semaphore.forget_permits(1), 0);
    semaphore.add_permits(1);
    wait.won().forget();
    assert_eq!(idle(&semaphore), 0);
}

#[test]
fn add_permits_grants_all_that_fit() {
    let semaphore = Semaphore::new(0);
    let mut waits: Vec<_> = (0..3 * BATCH).map(|_| Queued::new(&semaphore, 1)).collect();
    semaphore.add_permits(3 * BATCH - 1);
    let last = waits.pop().unwrap();
    let permits: Vec<_> = waits.iter_mut().map(Queued::won).collect();
    assert!(!last.is_woken());
    drop(last);
    drop(permits);
    semaphore.add_permits(0);
    assert_eq!(idle(&semaphore), 3 * BATCH - 1);
}

#[test]
fn overflow_is_an_error() {
    let semaphore = Semaphore::new(MAX);
    let error = semaphore.try_add_permits(7).unwrap_err();
    assert_eq!(error.permits(), 7);
    assert!(error.to_string().contains("7 more permits"));
    assert!(error.to_string().contains(&MAX.to_string()));
    assert!(semaphore.try_add_permits(usize::MAX).is_err());
    assert_eq!(semaphore.try_add_permits(0), Ok(()));
    assert_eq!(
        panic_message(|| semaphore.add_permits(7)),
        error.to_string()
    );
    assert_eq!(semaphore.available_permits(), MAX);

    // With a task waiting, and for a closed one.
    let permits = semaphore.try_acquire_many(1).unwrap();
    let wait = Queued::new(&semaphore, MAX);
    assert!(semaphore.try_add_permits(2).is_err());
    assert!(!wait.is_woken());
    drop(wait);
    drop(permits);
    semaphore.close();
    assert!(semaphore.try_add_permits(1).is_err());
    assert_eq!(idle(&semaphore), MAX);
    assert!(semaphore.is_closed());
}

#[test]
fn a_release_above_the_limit_stays_at_the_limit() {
    let semaphore = Semaphore::new(MAX);
    let held = semaphore.try_acquire_many(5).unwrap();
    semaphore.add_permits(5);
    drop(held);
    assert_eq!(semaphore.available_permits(), MAX);
    semaphore.close();
    assert!(semaphore.is_closed());
}

#[test]
fn counts_above_the_limit_are_refused_clearly() {
    let message = panic_message(|| _ = Semaphore::new(MAX + 1));
    assert_eq!(
        message,
        format!(
            "a number of permits of {} is out of range: it may be 0 to {MAX}",
            MAX + 1
        )
    );
    let message = panic_message(|| _ = Semaphore::new(usize::MAX));
    assert!(message.contains(&usize::MAX.to_string()));

    let semaphore = Semaphore::new(1);
    let message = panic_message(|| drop(semaphore.acquire_many_future(usize::MAX)));
    assert!(message.contains(&usize::MAX.to_string()) && message.contains(&MAX.to_string()));
    assert_eq!(
        semaphore.try_acquire_many(usize::MAX).unwrap_err(),
        TryAcquireError::NoPermits
    );
}

#[test]
fn none_are_had_at_once() {
    let semaphore = Semaphore::new(0);
    let mut head = Queued::new(&semaphore, 1);
    let nothing = semaphore.try_acquire_many(0).unwrap();
    assert_eq!(nothing.num_permits(), 0);
    let more = Bare.block_on(semaphore.acquire_many_future(0)).unwrap();
    drop((nothing, more));
    semaphore.add_permits(1);
    drop(head.won());
    assert_eq!(idle(&semaphore), 1);
}

#[test]
fn split_and_merge_conserve() {
    let semaphore = Arc::new(Semaphore::new(5));
    let other = Semaphore::new(5);
    let mut permits = semaphore.try_acquire_many(4).unwrap();
    let mut two = permits.split(2).unwrap();
    assert!(two.split(3).is_none());
    assert_eq!((permits.num_permits(), two.num_permits()), (2, 2));
    two.merge(semaphore.try_acquire().unwrap());
    assert_eq!(two.num_permits(), 3);
    drop(two.split(3).unwrap());
    assert_eq!((two.num_permits(), semaphore.available_permits()), (0, 3));
    let message = panic_message(|| permits.merge(other.try_acquire().unwrap()));
    assert!(message.contains("different semaphores"));
    assert_eq!((permits.num_permits(), other.available_permits()), (2, 5));
    drop((two, permits));

    let mut permits = semaphore.clone().try_acquire_many_owned(4).unwrap();
    let mut two = permits.split(2).unwrap();
    assert!(two.split(3).is_none());
    two.merge(semaphore.clone().try_acquire_owned().unwrap());
    assert_eq!((permits.num_permits(), two.num_permits()), (2, 3));
    let stranger = Arc::new(other).try_acquire_owned().unwrap();
    let message = panic_message(|| two.merge(stranger));
    assert!(message.contains("different semaphores"));
    drop(two);
    assert_eq!(semaphore.available_permits(), 3);
    permits.forget();
    assert_eq!(idle(&semaphore), 3);
    assert_eq!(Arc::strong_count(&semaphore), 1);
}

#[test]
fn a_merge_above_the_limit_gives_both_back() {
    let semaphore = Semaphore::new(MAX);
    let mut permits = semaphore.try_acquire_many(MAX).unwrap();
    semaphore.add_permits(1);
    let one = semaphore.try_acquire().unwrap();
    let message = panic_message(|| permits.merge(one));
    assert!(message.contains("too many to merge"));
    assert_eq!(semaphore.available_permits(), 1);
    permits.forget();
}

#[test]
fn owned_permit_keeps_the_semaphore_alive() {
    struct Server {
        name: &'static str,
        slots: Semaphore,
    }

    let server: Arc<Server> = Arc::new(Server {
        name: "one",
        slots: Semaphore::new(2),
    });
    let wait = Semaphore::acquire_owned_by(server.clone(), |server| &server.slots, Bare, 2);
    let mut permits = Bare.block_on(wait).unwrap();
    assert_eq!(Arc::strong_count(&server), 2);
    let one = permits.split(1).unwrap();
    let weak = Arc::downgrade(&server);
    drop((server, permits));
    assert_eq!(one.owner().name, "one");
    assert_eq!(one.semaphore().available_permits(), 1);
    let again = Semaphore::try_acquire_owned_by(one.owner().clone(), |server| &server.slots, 1);
    assert_eq!(
        Semaphore::try_acquire_owned_by(one.owner().clone(), |server| &server.slots, 1)
            .unwrap_err(),
        TryAcquireError::NoPermits
    );
    drop(one);
    assert!(weak.upgrade().is_some());
    drop(again);
    assert!(weak.upgrade().is_none());
}

#[test]
fn an_owner_may_be_a_trait_object() {
    trait HasSlots: Send + Sync {
        fn slots(&self) -> &Semaphore;
    }
    impl HasSlots for Semaphore {
        fn slots(&self) -> &Semaphore {
            self
        }
    }
    let owner: Arc<dyn HasSlots> = Arc::new(Semaphore::new(1));
    let permit = Semaphore::try_acquire_owned_by(owner.clone(), |owner| owner.slots(), 1).unwrap();
    assert!(owner.slots().try_acquire().is_err());
    let mut wait = pin!(Semaphore::acquire_owned_by(
        owner,
        |owner| owner.slots(),
        Bare,
        1
    ));
    assert!(poll_noop(wait.as_mut()).is_pending());
    drop(permit);
    assert!(poll_noop(wait.as_mut()).is_ready());
}

#[test]
fn an_owned_wait_holds_its_share_until_it_is_done() {
    let semaphore = Arc::new(Semaphore::new(0));
    let wait = semaphore.clone().acquire_owned(Bare);
    assert_eq!(Arc::strong_count(&semaphore), 2);
    drop(wait);
    assert_eq!(Arc::strong_count(&semaphore), 1);

    let (wakes, waker) = counting_waker();
    let mut wait = Box::pin(semaphore.clone().acquire_many_owned(Bare, 2));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    semaphore.add_permits(2);
    assert_eq!(wakes.count(), 1);
    let Poll::Ready(Ok(permit)) = poll(wait.as_mut(), &waker) else {
        panic!("it was granted");
    };
    // The share has gone over to the permit.
    assert_eq!(Arc::strong_count(&semaphore), 2);
    let message = panic_message(|| drop(poll(wait.as_mut(), &waker)));
    assert!(message.contains("after it had finished"));
    drop(wait);
    drop(permit);
    assert_eq!(Arc::strong_count(&semaphore), 1);
    assert_eq!(idle(&semaphore), 2);

    // Queued and granted ones that are dropped.
    let held = all(&semaphore);
    let mut queued = Box::pin(semaphore.clone().acquire_owned(Bare));
    let mut granted = Box::pin(semaphore.clone().acquire_owned(Bare));
    assert!(poll(granted.as_mut(), &waker).is_pending());
    assert!(poll_noop(queued.as_mut()).is_pending());
    drop(held);
    drop((queued, granted));
    assert_eq!(idle(&semaphore), 2);
    assert_eq!(Arc::strong_count(&semaphore), 1);

    semaphore.close();
    let mut refused = Box::pin(semaphore.clone().acquire_owned(Bare));
    assert!(matches!(poll_noop(refused.as_mut()), Poll::Ready(Err(_))));
    let message = panic_message(|| drop(poll_noop(refused.as_mut())));
    assert!(message.contains("after it had finished"));
}

#[test]
fn a_second_close_changes_nothing() {
    let semaphore = Semaphore::new(1);
    semaphore.close();
    semaphore.close();
    assert!(semaphore.is_closed());
    assert_eq!(
        semaphore.try_acquire().unwrap_err(),
        TryAcquireError::Closed
    );
}

/// Given back beyond the limit, permits are lost; the close is not.
#[test]
fn a_permit_beyond_the_limit_leaves_it_closed() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    let permit = semaphore.try_acquire().unwrap();
    semaphore.add_permits(1);
    semaphore.close();
    drop(permit);
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    assert!(semaphore.is_closed());
}

/// The last wait in the queue is handed a permit and does not come for it.
#[test]
fn abandoned_win_goes_on_to_attempts() {
    let semaphore = Semaphore::with_fairness(1, Fairness::Eventual);
    let (_, waker) = counting_waker();
    let mut kept = Box::pin(semaphore.acquire_future());
    let mut permit = semaphore.try_acquire();
    assert!(poll(kept.as_mut(), &waker).is_pending());
    while semaphore.list.lock().is_empty(GRANTS) {
        drop(permit);
        permit = semaphore.try_acquire();
        if permit.is_ok() {
            assert!(poll(kept.as_mut(), &waker).is_pending());
        }
    }
    let taken = (0..4).find_map(|_| semaphore.try_acquire().ok());
    assert!(
        taken.is_some(),
        "attempts stand still beside a wait that does not come"
    );
    drop(taken);
    assert!(poll(kept.as_mut(), &waker).is_ready());
}
