//! The machine of a single wait: from its first poll to its outcome, or to its
//! drop. It is the same for a borrowing future, an owning one and a
//! [`Waiter`](super::Waiter).
//!
//! What is won becomes a [`SemaphorePermit`] before foreign code runs (a waker, an
//! [`Io`]): if that panics, no permits are lost.

use core::mem;
use core::task::{Context, Poll, Waker};

use super::{
    AcquireError, CLOSED, GRANTS, List, LockedTicket, Outcome, QUEUE, REFUSED, RESERVED, SHIFT,
    Semaphore, SemaphorePermit, TAKEN, Ticket, WAITING, is_reserved,
};
use crate::io::Io;
use crate::primitive::Ordering;
use crate::wait_list::{CALLED, Met, QUEUED, SEATED};
use crate::wake_batch::{discard, wake_again};

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
            return match self.queue(ticket.again(), cx.waker()) {
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
            SEATED if ticket.lock().take_grant(GRANTS) => Some(Won::Permits),
            CALLED if self.take_free(ticket.tag()).is_ok() => Some(Won::Permits),
            CALLED => self.come(ticket.again(), Some(cx.waker())),
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

    /// Queues the idle wait of a future, unless it need not wait.
    #[cold]
    fn queue(&self, mut ticket: Ticket<'_>, waker: &Waker) -> Option<Won> {
        ticket.give_waker(Some(waker));
        self.queue_with(ticket, Some(waker))
    }

    /// Queues an idle wait, unless it need not wait, with the waker that is in its node.
    #[inline(always)]
    pub(super) fn queue_with(&self, mut ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won> {
        let wanted = ticket.tag();
        let mut locked = ticket.lock();
        if let Some(won) = self.take_or_wait(&locked, wanted) {
            drop(locked);
            return Some(self.win_at_once(won, ticket));
        }
        locked.push_back(QUEUE, wanted);
        if locked.is_empty(GRANTS) {
            return None;
        }
        match self.meet(locked, true) {
            Met::Nothing => None,
            Met::Again(yields) => {
                wake_again(waker, yields);
                None
            }
            Met::Own | Met::Stale => self.look(ticket, waker),
        }
    }

    /// A wait that was CALLED comes: it need not wait, or queues as the first.
    #[cold]
    fn come(&self, mut ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won> {
        let wanted = ticket.tag();
        ticket.bring_waker(waker);
        let mut locked = ticket.lock();
        if let Some(won) = self.take_or_wait(&locked, wanted) {
            drop(locked);
            return Some(self.win_at_once(won, ticket));
        }
        locked.push_front(QUEUE, wanted);
        if self.is_eventual {
            locked.count_in_vain();
            drop(locked);
        } else {
            // It may be content with less than the one that was the first.
            self.give(locked.into_locked(), 0).resume();
        }
        self.look(ticket, waker)
    }

    /// A wait that was about to queue need not wait: its waker is not needed.
    #[cold]
    fn win_at_once(&self, won: Won, mut ticket: Ticket<'_>) -> Won {
        let own = ticket.replace_waker(None);
        self.discard_beside(won, ticket.tag(), own);
        won
    }

    /// A queued wait meets the permits that have been granted and are not claimed.
    /// Opens the lock. Whether it is to look again, since some have gone on.
    #[cold]
    fn meet(&self, mut locked: LockedTicket<'_>, first: bool) -> Met {
        let met = locked.meet_grants(GRANTS, first, self.is_eventual);
        if matches!(met, Met::Own | Met::Stale) {
            let permits = locked.call_watched(GRANTS);
            if met == Met::Own {
                locked.move_to_front(QUEUE);
            }
            self.give(locked.into_locked(), permits).resume();
        }
        met
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
    fn take_or_wait(&self, _: &List<'_>, n: usize) -> Option<Won> {
        let flags = if self.is_eventual {
            WAITING
        } else {
            WAITING | RESERVED
        };
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            if state & CLOSED != 0 {
                return Some(Won::Refused);
            }
            if is_reserved(state) {
                return (n == 0).then_some(Won::Permits);
            }
            let (next, won) = if state >> SHIFT < n {
                (state | flags, None)
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

    /// A wait that is or was queued: how it has ended. Else it makes sure that
    /// `waker`, if there is one, is the one that will be woken.
    #[inline(never)]
    pub(super) fn look(&self, mut ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won> {
        let wanted = ticket.tag();
        // A clone of the waker, made while the lock was open.
        let mut spare: Option<Waker> = None;
        let mut renewed = false;
        let won = loop {
            let mut locked = ticket.lock();
            if locked.take_grant(GRANTS) {
                break Some(Won::Permits);
            }
            match locked.status() {
                QUEUED => {}
                CALLED => {
                    drop(locked);
                    break self.come(ticket.again(), waker);
                }
                _ => break Some(Won::Refused),
            }
            if self.is_closed() {
                // By CLOSED, a refusal is on its way to this wait.
                let own = locked.remove();
                drop(locked);
                discard(own);
                break Some(Won::Refused);
            }
            if self.is_eventual {
                if let Some(won) = self.take_or_wait(&locked, wanted) {
                    let own = locked.remove();
                    self.leave(locked.into_locked(), won, wanted);
                    self.discard_beside(won, wanted, own);
                    break Some(won);
                }
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
            if locked.is_empty(GRANTS) {
                break None;
            }
            match self.meet(locked, false) {
                Met::Nothing => break None,
                Met::Again(yields) => {
                    wake_again(waker, yields);
                    break None;
                }
                Met::Own | Met::Stale => {}
            }
        };
        match won {
            Some(won) if spare.is_some() => self.discard_beside(won, wanted, spare),
            _ => discard(spare),
        }
        won
    }

    /// Opens the lock after a queued wait has taken what is free, or was refused.
    fn leave(&self, list: List<'_>, won: Won, permits: usize) {
        if list.is_empty(QUEUE) {
            return self.clear_flag(list);
        }
        let outcome = won.outcome(self, permits);
        self.give(list, 0).resume();
        mem::forget(outcome);
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
        if matches!(ticket.status(), QUEUED | SEATED | CALLED) {
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
                // It alone waited: no other wait is granted anything.
                self.clear_flag(locked.into_locked());
                return discard(waker);
            }
        } else if locked.take_grant(GRANTS) {
            given_back = locked.tag();
        }
        let panicked = self.give(locked.into_locked(), given_back);
        discard(waker);
        panicked.resume();
    }
}
