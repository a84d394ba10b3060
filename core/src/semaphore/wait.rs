//! The machine of a single wait: from its first poll to its outcome, or to its
//! drop. It is the same for a borrowing future, an owning one and a
//! [`Waiter`](super::Waiter).
//!
//! What is won becomes a [`SemaphorePermit`] before foreign code runs (a waker, an
//! [`Io`]): if that panics, no permits are lost.

use core::mem;
use core::task::{Context, Poll, Waker};

use super::{
    AcquireError, CLOSED, GRANTS, Outcome, QUEUE, REFUSED, SHIFT, Semaphore, SemaphorePermit,
    TAKEN, Ticket, WAITING,
};
use crate::io::Io;
use crate::primitive::Ordering;
use crate::wait_list::{QUEUED, SEATED};
use crate::wake_batch::discard;

/// How a wait has ended: what its outcome is to be made of.
#[derive(Clone, Copy)]
#[must_use]
pub(super) enum Won {
    /// The permits that it waits for are its own.
    Permits,
    Refused,
}

impl Won {
    #[inline]
    pub(super) fn outcome(self, semaphore: &Semaphore, permits: usize) -> Outcome<'_> {
        match self {
            Self::Permits => Ok(SemaphorePermit::new(semaphore, permits)),
            Self::Refused => Err(AcquireError),
        }
    }
}

impl Semaphore {
    /// A poll of a future. The first, if it need not wait, is kept apart: this
    /// is the path that ought to be short.
    #[inline]
    pub(super) fn poll_acquire<I: Io>(
        &self,
        mut ticket: Ticket<'_>,
        io: &I,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome<'_>> {
        let Some(idle) = ticket.idle() else {
            return self.poll_again(ticket, io, cx);
        };
        let permits = idle.tag();
        if self.take_free(permits).is_err() {
            return match self.queue(ticket.again(), Some(cx.waker())) {
                Some(won) => self.poll_won(won, ticket, io, cx),
                None => Poll::Pending,
            };
        }
        idle.set(TAKEN, 0);
        Self::finish(Ok(SemaphorePermit::new(self, permits)), ticket, io, cx)
    }

    #[cold]
    fn poll_again<I: Io>(
        &self,
        mut ticket: Ticket<'_>,
        io: &I,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome<'_>> {
        let won = match ticket.status() {
            SEATED if ticket.lock().take_grant() => Some(Won::Permits),
            TAKEN => panic!("an acquire of a `Semaphore` was polled after it had finished"),
            _ => self.look(ticket.again(), Some(cx.waker())),
        };
        match won {
            Some(won) => self.poll_won(won, ticket, io, cx),
            None => Poll::Pending,
        }
    }

    /// The end of a wait that was not won by its first poll alone.
    #[cold]
    fn poll_won<I: Io>(
        &self,
        won: Won,
        mut ticket: Ticket<'_>,
        io: &I,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome<'_>> {
        let permits = ticket.tag();
        ticket.set(TAKEN, 0);
        Self::finish(won.outcome(self, permits), ticket, io, cx)
    }

    /// Returns the outcome of a wait that is over, or keeps it if the budget is spent.
    #[inline]
    fn finish<'a, I: Io>(
        outcome: Outcome<'a>,
        ticket: Ticket<'_>,
        io: &I,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome<'a>> {
        if io.poll_spend(cx).is_pending() {
            Self::keep(outcome, ticket, cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(outcome)
    }

    /// Queues an idle wait, unless it need not wait; with `waker`, or with the one
    /// that it has.
    #[cold]
    pub(super) fn queue(&self, mut ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won> {
        ticket.give_waker(waker);
        let wanted = ticket.tag();
        let mut locked = ticket.lock();
        if let Some(won) = self.take_or_wait(wanted) {
            drop(locked);
            let own = ticket.replace_waker(None);
            self.discard_beside(won, wanted, own);
            return Some(won);
        }
        locked.push_back(QUEUE, wanted);
        if locked.granted_sibling(GRANTS, |_| true).is_some() {
            drop(locked);
            return self.look(ticket, None);
        }
        None
    }

    /// Drops a waker. If it panics, what was won goes back.
    #[cold]
    fn discard_beside(&self, won: Won, permits: usize, waker: Option<Waker>) {
        let outcome = won.outcome(self, permits);
        discard(waker);
        mem::forget(outcome);
    }

    /// Takes `n` permits, or sets the flag. The caller has the inner lock.
    #[inline]
    fn take_or_wait(&self, n: usize) -> Option<Won> {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            if state & CLOSED != 0 {
                return Some(Won::Refused);
            }
            if state & WAITING != 0 {
                return (n == 0).then_some(Won::Permits);
            }
            let (next, won) = if state >> SHIFT < n {
                (state | WAITING, None)
            } else {
                (state - (n << SHIFT), Some(Won::Permits))
            };
            match self
                .state
                .compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return won,
                Err(actual) => state = actual,
            }
        }
    }

    /// A wait that is or was queued: how it has ended, by a grant, a refusal, or
    /// instead of another wait of the same task. Else it makes sure that `waker`,
    /// if there is one, is the one that will be woken.
    #[inline(never)]
    pub(super) fn look(&self, mut ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won> {
        let wanted = ticket.tag();
        // A clone of the waker, made while the lock was open.
        let mut spare: Option<Waker> = None;
        let mut renewed = false;
        let won = loop {
            let mut locked = ticket.lock();
            if locked.take_grant() {
                break Some(Won::Permits);
            }
            if locked.status() != QUEUED {
                break Some(Won::Refused);
            }
            if self.is_closed() {
                // By CLOSED, a refusal is on its way to this wait.
                let own = locked.remove();
                drop(locked);
                discard(own);
                break Some(Won::Refused);
            }
            if let Some(waker) = waker {
                if !renewed && !locked.will_wake(waker) {
                    let Some(fresh) = spare.take() else {
                        drop(locked);
                        spare = Some(waker.clone());
                        continue;
                    };
                    // Once: of its own clone, too, a waker may say that it wakes
                    // another.
                    renewed = true;
                    let outdated = locked.replace_waker(Some(fresh));
                    drop(locked);
                    discard(outdated);
                    continue;
                }
            }
            let enough = |granted| granted >= wanted;
            let given_back = if let Some(sibling) = locked.granted_sibling(GRANTS, enough) {
                let surplus = sibling.tag() - wanted;
                sibling.exchange(QUEUE);
                surplus
            } else if let Some(sibling) = locked.granted_sibling(GRANTS, |_| true) {
                let Some(fresh) = spare.take() else {
                    drop(locked);
                    spare = match waker {
                        Some(waker) => Some(waker.clone()),
                        None => ticket.clone_waker(),
                    };
                    continue;
                };
                let permits = sibling.tag();
                sibling.requeue(fresh);
                permits
            } else {
                break None;
            };
            self.give(locked.into_locked(), given_back).resume();
        };
        match won {
            Some(won) if spare.is_some() => self.discard_beside(won, wanted, spare),
            _ => discard(spare),
        }
        won
    }

    /// Leaves an outcome with the wait: the budget is spent, and `waker` will be
    /// woken to come back for it.
    #[cold]
    fn keep(outcome: Outcome<'_>, mut ticket: Ticket<'_>, waker: &Waker) {
        match outcome {
            Ok(mut permit) => {
                let permits = permit.take();
                ticket.lock().keep_grant(GRANTS, permits, waker);
            }
            Err(AcquireError) => ticket.set(REFUSED, 0),
        }
    }

    /// Takes a wait out of the queue, or passes on what it was granted.
    #[inline]
    pub(super) fn abandon(&self, ticket: Ticket<'_>) {
        if matches!(ticket.status(), QUEUED | SEATED) {
            self.abandon_place(ticket);
        }
    }

    #[cold]
    fn abandon_place(&self, mut ticket: Ticket<'_>) {
        let mut locked = ticket.lock();
        let (mut waker, mut given_back) = (None, 0);
        if let Some((_, own)) = locked.try_remove() {
            waker = own;
            if locked.is_empty(QUEUE) {
                // It alone waited: nobody is granted anything.
                self.clear_flag(locked.into_locked());
                return discard(waker);
            }
        } else if locked.take_grant() {
            given_back = locked.tag();
        }
        let panicked = self.give(locked.into_locked(), given_back);
        discard(waker);
        panicked.resume();
    }
}
