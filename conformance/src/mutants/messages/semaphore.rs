//! The Semaphore.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use super::{Flaw, Flawed, Line, lock, wake};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{SemaphorePermit, SemaphoreSubject};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "one-permit-too-many",
        Flaw::OnePermitTooMany,
        "a permit more is given out than there are",
        &["pattern::rate_limiter_bounds_concurrency"],
    ),
    (
        "permit-comes-back-silently",
        Flaw::ReturnsSilently,
        "a permit comes back without a word to who waits for it",
        &["pattern::rate_limiter_bounds_concurrency"],
    ),
];

pub(super) fn new(permits: usize, flaw: Flaw) -> Arc<dyn SemaphoreSubject> {
    Arc::new(Semaphore {
        flaw,
        state: Mutex::new(State {
            free: permits + usize::from(flaw == Flaw::OnePermitTooMany),
            waiting: Line::default(),
        }),
    })
}

struct Semaphore {
    flaw: Flaw,
    state: Mutex<State>,
}

struct State {
    free: usize,
    waiting: Line,
}

impl Semaphore {
    /// Changes the state, and wakes who can go on by it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let output = change(&mut state);
        let wakers = state.waiting.first(state.free);
        drop(state);
        wake(wakers);
        output
    }
}

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, SemaphorePermit<'a>> {
        Box::pin(Acquire {
            semaphore: self,
            ticket: None,
        })
    }

    fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.change(|state| {
            if state.waiting.before(None) >= state.free {
                return None;
            }
            state.free -= 1;
            Some(Box::new(Permit(self)) as SemaphorePermit<'_>)
        })
    }
}

struct Acquire<'a> {
    semaphore: &'a Semaphore,
    ticket: Option<u64>,
}

impl<'a> Future for Acquire<'a> {
    type Output = SemaphorePermit<'a>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SemaphorePermit<'a>> {
        let this = &mut *self;
        let waker = cx.waker().clone();
        let semaphore = this.semaphore;
        semaphore.change(|state| {
            if state.waiting.before(this.ticket) >= state.free {
                let _old = state.waiting.stand(&mut this.ticket, waker);
                return Poll::Pending;
            }
            let _own = state.waiting.leave(&mut this.ticket);
            state.free -= 1;
            Poll::Ready(Box::new(Permit(semaphore)) as SemaphorePermit<'a>)
        })
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let leave = |state: &mut State| state.waiting.leave(&mut self.ticket);
            drop(self.semaphore.change(leave));
        }
    }
}

struct Permit<'a>(&'a Semaphore);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.0.flaw == Flaw::ReturnsSilently {
            lock(&self.0.state).free += 1;
            return;
        }
        self.0.change(|state| state.free += 1);
    }
}
