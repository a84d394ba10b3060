//! The machine of a single wait: from its first poll to its outcome, or to its
//! drop. It is the same for a borrowing future, an owning one and a
//! [`Waiter`](super::Waiter).
//!
//! Permits that are won are a [`SemaphorePermit`] from that moment on, so that
//! foreign code which panics (a waker, an [`Io`]) loses none.

use core::task::{Context, Poll, Waker};

use super::{
    AcquireError, CLOSED, GRANTS, Outcome, QUEUE, REFUSED, SHIFT, Semaphore, SemaphorePermit,
    TAKEN, Ticket, WAITING, with_more,
};
use crate::io::Io;
use crate::primitive::Ordering;
use crate::wait_list::{IDLE, QUEUED, SEATED};
use crate::wake_batch::discard;

impl Semaphore {
    /// A poll of a future. The first, if it need not wait, is kept apart: this
    /// is the path that ought to be short.
    #[inline]
    pub(super) fn poll_acquire<I: Io>(
        &self,
        ticket: &mut Ticket<'_>,
        io: &I,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome<'_>> {
        let permits = ticket.tag();
        if ticket.status() == IDLE && self.try_take(permits).is_ok() {
            let permit = SemaphorePermit::new(self, permits);
            return Self::finish(Ok(permit), ticket, io, cx);
        }
        match self.poll_won(ticket, cx.waker()) {
            Some(outcome) => Self::finish(outcome, ticket, io, cx),
            None => Poll::Pending,
        }
    }

    /// Returns the outcome, or keeps it if the budget is spent.
    #[inline]
    fn finish<'a, I: Io>(
        outcome: Outcome<'a>,
        ticket: &mut Ticket<'_>,
        io: &I,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome<'a>> {
        if io.poll_spend(cx).is_pending() {
            Self::keep(outcome, ticket, cx.waker());
            return Poll::Pending;
        }
        ticket.set(TAKEN, 0);
        Poll::Ready(outcome)
    }

    /// The outcome, or a place in the queue with the newest waker.
    #[cold]
    fn poll_won(&self, ticket: &mut Ticket<'_>, waker: &Waker) -> Option<Outcome<'_>> {
        match ticket.status() {
            IDLE => self.first_poll(ticket, waker),
            TAKEN => panic!("an acquire of a `Semaphore` was polled after it had finished"),
            _ => self.look(ticket, Some(waker)),
        }
    }

    fn first_poll(&self, ticket: &mut Ticket<'_>, waker: &Waker) -> Option<Outcome<'_>> {
        // Cloned before the lock is taken: it is foreign code.
        discard(ticket.replace_waker(Some(waker.clone())));
        let outcome = self.queue(ticket);
        if outcome.is_some() {
            discard(ticket.replace_waker(None));
        }
        outcome
    }

    /// Queues an idle wait, unless there is an outcome.
    pub(super) fn queue(&self, ticket: &mut Ticket<'_>) -> Option<Outcome<'_>> {
        let wanted = ticket.tag();
        let mut locked = ticket.lock();
        if let Some(outcome) = self.take_or_wait(wanted) {
            return Some(outcome);
        }
        locked.push_back(QUEUE, wanted);
        let granted = !locked.is_empty(GRANTS);
        drop(locked);
        if granted {
            self.look(ticket, None)
        } else {
            None
        }
    }

    /// Takes `n` permits, or sets the flag. The caller has the inner lock.
    fn take_or_wait(&self, n: usize) -> Option<Outcome<'_>> {
        loop {
            if let Some(outcome) = self.take(n) {
                return Some(outcome);
            }
            let state = self.state.load(Ordering::Relaxed);
            if state & WAITING != 0 {
                return None;
            }
            let too_few = state & CLOSED == 0 && state >> SHIFT < n;
            if too_few
                && self
                    .state
                    .compare_exchange(state, state | WAITING, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
            {
                return None;
            }
        }
    }

    /// A wait that is or was queued: its outcome, by a grant, a refusal, or
    /// instead of another wait of the same task. Else it makes sure that `waker`,
    /// if there is one, is the one that will be woken.
    pub(super) fn look(
        &self,
        ticket: &mut Ticket<'_>,
        waker: Option<&Waker>,
    ) -> Option<Outcome<'_>> {
        let wanted = ticket.tag();
        // A clone of the waker, made while the lock was open.
        let mut spare: Option<Waker> = None;
        let mut renewed = false;
        let outcome = loop {
            let mut locked = ticket.lock();
            if locked.take_grant() {
                break Some(Ok(SemaphorePermit::new(self, wanted)));
            }
            if locked.status() != QUEUED {
                break Some(Err(AcquireError));
            }
            if self.is_closed() {
                // By CLOSED, a refusal is on its way to this wait.
                let own = locked.remove();
                drop(locked);
                discard(own);
                break Some(Err(AcquireError));
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
            if let Some(sibling) = locked.granted_sibling(GRANTS, |granted| granted >= wanted) {
                let surplus = sibling.tag() - wanted;
                sibling.exchange(QUEUE);
                self.change(&locked, |state| Some(with_more(state, surplus)));
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
                self.change(&locked, |state| Some(with_more(state, permits)));
            } else {
                break None;
            }
            self.grant(locked.into_locked()).resume();
        };
        discard(spare);
        outcome
    }

    /// Leaves an outcome with the wait: the budget is spent, and `waker` will be
    /// woken to come back for it.
    #[cold]
    fn keep(outcome: Outcome<'_>, ticket: &mut Ticket<'_>, waker: &Waker) {
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
    pub(super) fn abandon(&self, ticket: &mut Ticket<'_>) {
        if matches!(ticket.status(), QUEUED | SEATED) {
            self.abandon_place(ticket);
        }
    }

    #[cold]
    fn abandon_place(&self, ticket: &mut Ticket<'_>) {
        let mut locked = ticket.lock();
        let mut waker = None;
        if locked.status() == QUEUED {
            waker = locked.remove();
        } else if locked.take_grant() {
            let permits = locked.tag();
            self.change(&locked, |state| Some(with_more(state, permits)));
        }
        let panicked = self.grant(locked.into_locked());
        discard(waker);
        panicked.resume();
    }
}
