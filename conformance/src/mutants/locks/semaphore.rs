//! The Semaphore.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::{Flaw, Flawed, Line, lock, wake};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{Closed, HeldPermits, NoPermits, Permits, SemaphoreSubject, TooMany};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "one-permit-too-many",
        Flaw::OnePermitTooMany,
        "a permit more is given out than there are",
        &[
            "semaphore::never_over_issues",
            "pattern::rate_limiter_bounds_concurrency",
        ],
    ),
    (
        "permit-comes-back-silently",
        Flaw::ReturnsSilently,
        "a permit comes back without a word to who waits for it",
        &["pattern::rate_limiter_bounds_concurrency"],
    ),
    (
        "small-ones-pass",
        Flaw::SmallOnesPass,
        "a request is served as soon as so many are free, whoever is before it",
        &["semaphore::is_fifo_even_for_many"],
    ),
    (
        "share-goes-silently",
        Flaw::DropIsSilent,
        "a request that gives up leaves its share without a word to those behind it",
        &["semaphore::cancelled_partial_acquire_returns_its_share"],
    ),
    (
        "close-is-not-told",
        Flaw::CloseWakesNobody,
        "a close wakes none of those who wait",
        &["semaphore::close_wakes_all_with_an_error"],
    ),
    (
        "release-reopens",
        Flaw::ReleaseReopens,
        "a permit that comes back opens a closed semaphore",
        &["semaphore::release_after_close_keeps_it_closed"],
    ),
    (
        "forgotten-permits-come-back",
        Flaw::ForgetReturns,
        "a permit that is forgotten goes back",
        &["semaphore::forget_and_add_change_the_total"],
    ),
    (
        "add-wraps",
        Flaw::AddWraps,
        "the count of permits begins anew when it is too large",
        &["semaphore::overflow_is_an_error"],
    ),
    (
        "split-doubles",
        Flaw::SplitDoubles,
        "permits that are split off are left as well",
        &["semaphore::split_and_merge_conserve"],
    ),
    (
        "unpolled-keeps-its-permit",
        Flaw::UnpolledBlocks,
        "who can go on is waited for, though its task polls another wait",
        &["semaphore::granted_but_unpolled_does_not_block_its_own_task"],
    ),
];

/// The largest number of permits.
const LIMIT: usize = usize::MAX / 4;

pub(super) fn new(permits: usize, flaw: Flaw) -> Arc<dyn SemaphoreSubject> {
    assert!(permits <= LIMIT, "{permits} permits are too many");
    Arc::new(Semaphore {
        flaw,
        state: Mutex::new(State {
            flaw,
            free: permits + usize::from(flaw == Flaw::OnePermitTooMany),
            closed: false,
            line: Line::default(),
        }),
    })
}

struct Semaphore {
    flaw: Flaw,
    state: Mutex<State>,
}

struct State {
    flaw: Flaw,
    free: usize,
    closed: bool,
    line: Line<usize>,
}

impl State {
    /// What is left when the first ones of the line are served, as many as can be
    /// but not more than `most`; and how many these are.
    fn after_first(&self, most: usize) -> (usize, usize) {
        let (mut free, mut count) = (self.free, 0);
        for wants in self.line.wants().take(most) {
            match free.checked_sub(*wants) {
                Some(left) => free = left,
                None => break,
            }
            count += 1;
        }
        (free, count)
    }

    /// Whether the wait of this ticket has its permits: in its own place, or in
    /// that of a wait of its task that could go on and is not polled.
    fn serves(&self, ticket: Option<u64>, wants: usize, waker: Option<&Waker>) -> bool {
        if self.flaw == Flaw::SmallOnesPass {
            return self.free >= wants;
        }
        let mut place = self.line.before(ticket);
        let of_task = waker.and_then(|waker| self.line.first_of_task(waker));
        let (_, lucky) = self.after_first(self.line.len());
        if let Some(unpolled) = of_task.filter(|place| *place < lucky) {
            if self.flaw != Flaw::UnpolledBlocks {
                place = place.min(unpolled);
            }
        }
        let (free, count) = self.after_first(place);
        count == place && free >= wants
    }

    fn lucky(&self) -> Vec<Waker> {
        if self.closed {
            return self.line.all();
        }
        let (_, count) = self.after_first(self.line.len());
        self.line.first(count)
    }

    fn put(&mut self, permits: usize) {
        self.free += permits;
        if self.flaw == Flaw::ReleaseReopens {
            self.closed = false;
        }
    }
}

impl Semaphore {
    /// Changes the state, and wakes who can go on by it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let output = change(&mut state);
        let wakers = state.lucky();
        drop(state);
        wake(wakers);
        output
    }

    fn wait(&self, wants: usize) -> BoxFuture<'_, Result<Permits<'_>, Closed>> {
        Box::pin(Acquire {
            semaphore: self,
            wants,
            ticket: None,
        })
    }

    fn try_take(&self, wants: usize) -> Result<Held<'_>, NoPermits> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(NoPermits::Closed);
        }
        if !state.serves(None, wants, None) {
            return Err(NoPermits::Few);
        }
        state.free -= wants;
        Ok(Held {
            semaphore: self,
            count: wants,
        })
    }
}

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        self.wait(1)
    }

    fn acquire_many<'a>(
        &'a self,
        _: &'a DynIo,
        n: usize,
    ) -> Option<BoxFuture<'a, Result<Permits<'a>, Closed>>> {
        Some(self.wait(n))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        let held = self.try_take(1)?;
        Ok(Box::new(held))
    }

    fn available(&self) -> usize {
        let state = lock(&self.state);
        match state.line.len() {
            0 => state.free,
            _ => 0,
        }
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.change(|state| {
            if self.flaw == Flaw::AddWraps {
                state.free = state.free.wrapping_add(n);
                return Ok(());
            }
            if n > LIMIT - state.free {
                return Err(TooMany);
            }
            state.put(n);
            Ok(())
        })
    }

    fn forget(&self, n: usize) -> Option<usize> {
        let mut state = lock(&self.state);
        let forgotten = n.min(state.free);
        state.free -= forgotten;
        Some(forgotten)
    }

    fn limit(&self) -> Option<usize> {
        Some(LIMIT)
    }

    fn close(&self) {
        if self.flaw == Flaw::CloseWakesNobody {
            lock(&self.state).closed = true;
            return;
        }
        self.change(|state| state.closed = true);
    }

    fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }
}

struct Acquire<'a> {
    semaphore: &'a Semaphore,
    wants: usize,
    ticket: Option<u64>,
}

impl<'a> Future for Acquire<'a> {
    type Output = Result<Permits<'a>, Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let waker = cx.waker().clone();
        let (semaphore, wants) = (this.semaphore, this.wants);
        semaphore.change(|state| {
            if state.closed {
                let _own = state.line.leave(&mut this.ticket);
                return Poll::Ready(Err(Closed));
            }
            if !state.serves(this.ticket, wants, Some(&waker)) {
                let _old = state.line.stand(&mut this.ticket, wants, waker);
                return Poll::Pending;
            }
            let _own = state.line.leave(&mut this.ticket);
            state.free -= wants;
            let held = Held {
                semaphore,
                count: wants,
            };
            Poll::Ready(Ok(Box::new(held) as Permits<'a>))
        })
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if self.ticket.is_none() {
            return;
        }
        let mut leave = |state: &mut State| state.line.leave(&mut self.ticket);
        drop(match self.semaphore.flaw {
            Flaw::DropIsSilent => leave(&mut lock(&self.semaphore.state)),
            _ => self.semaphore.change(leave),
        });
    }
}

struct Held<'a> {
    semaphore: &'a Semaphore,
    count: usize,
}

impl<'a> HeldPermits<'a> for Held<'a> {
    fn count(&self) -> usize {
        self.count
    }

    fn forget(mut self: Box<Self>) {
        if self.semaphore.flaw != Flaw::ForgetReturns {
            self.count = 0;
        }
    }

    fn split(&mut self, n: usize) -> Option<Permits<'a>> {
        let left = self.count.checked_sub(n)?;
        if self.semaphore.flaw != Flaw::SplitDoubles {
            self.count = left;
        }
        Some(Box::new(Self {
            semaphore: self.semaphore,
            count: n,
        }))
    }

    fn grow(&mut self, n: usize) -> bool {
        let more = self.semaphore.try_take(n);
        more.map(|mut more| self.count += mem::take(&mut more.count))
            .is_ok()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let put = |state: &mut State| state.put(self.count);
        match self.semaphore.flaw {
            Flaw::ReturnsSilently => put(&mut lock(&self.semaphore.state)),
            _ => self.semaphore.change(put),
        }
    }
}
