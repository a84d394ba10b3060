//! The machine of a single wait, from its first poll to its outcome or its drop: the
//! same for a borrowing future, an owning one and a [`Waiter`](super::Waiter). The tag
//! of its node is its kind.

use core::task::{Context, Poll, Waker};

use super::raw::{
    GRANTS, LockedTicket, QUEUE, RESERVED, Raw, TAKEN, Ticket, UPGRADABLE_READ, UPGRADE, WAITING,
    WRITE, Won, held, is_reserved, without,
};
use crate::io::Io;
use crate::primitive::Ordering;
use crate::wait_list::{CALLED, IDLE, Met, QUEUED, SEATED};
use crate::wake_batch::{Finally, discard, wake_again};

impl Raw {
    /// A poll of a future. The first, if it need not wait, is kept apart: this
    /// is the path that ought to be short.
    #[inline]
    pub(super) fn poll<I: Io>(
        &self,
        kind: usize,
        mut ticket: Ticket<'_>,
        io: &I,
        cx: &mut Context<'_>,
    ) -> Poll<Won<'_>> {
        if let Some(idle) = ticket.idle() {
            if self.try_take(kind) {
                idle.set(TAKEN, kind);
                return self.finish(kind, ticket, io, cx);
            }
        }
        match self.poll_queued(ticket.again(), cx.waker()) {
            Some(won) => {
                won.accept();
                self.finish(kind, ticket, io, cx)
            }
            None => Poll::Pending,
        }
    }

    /// Returns what the wait has just taken, or keeps it if the budget is spent.
    #[inline]
    fn finish<I: Io>(
        &self,
        kind: usize,
        mut ticket: Ticket<'_>,
        io: &I,
        cx: &mut Context<'_>,
    ) -> Poll<Won<'_>> {
        let won = self.won(kind);
        if io.poll_spend(cx).is_pending() {
            won.accept();
            ticket.lock().keep_grant(GRANTS, kind, cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(won)
    }

    /// For a wait of `kind` that has its part.
    #[inline]
    fn won(&self, kind: usize) -> Won<'_> {
        let kind = if kind == UPGRADE { WRITE } else { kind };
        Won { raw: self, kind }
    }

    /// What the wait has won, or a place in the queue with the newest waker.
    #[cold]
    fn poll_queued(&self, mut ticket: Ticket<'_>, waker: &Waker) -> Option<Won<'_>> {
        match ticket.status() {
            IDLE => self.queue(ticket, Some(waker), false),
            CALLED if self.try_take(ticket.tag()) => {
                let kind = ticket.tag();
                ticket.set(TAKEN, kind);
                Some(self.won(kind))
            }
            CALLED => self.come(ticket, Some(waker)),
            SEATED => self
                .fetch(ticket.again())
                .or_else(|| self.look(ticket, Some(waker))),
            TAKEN => panic!("a wait for a `RwLock` was polled after it had finished"),
            _ => self.look(ticket, Some(waker)),
        }
    }

    /// Takes what the wait has been granted, unless another one of its task has it
    /// by now.
    #[inline]
    fn fetch(&self, mut ticket: Ticket<'_>) -> Option<Won<'_>> {
        let mut locked = ticket.lock();
        let granted = locked.take_grant(GRANTS);
        granted.then(|| {
            let kind = locked.tag();
            locked.set(TAKEN, kind);
            self.won(kind)
        })
    }

    /// A call for a `Waiter`.
    pub(super) fn poll_waiter(&self, ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won<'_>> {
        let kind = ticket.tag();
        match ticket.status() {
            IDLE if self.try_take(kind) => Some(self.won(kind)),
            IDLE => self.queue(ticket, waker, true),
            _ => self.look(ticket, waker),
        }
    }

    /// Queues an idle wait, unless it need not wait; with a clone of `waker`, unless it has
    /// one.
    fn queue(
        &self,
        mut ticket: Ticket<'_>,
        waker: Option<&Waker>,
        has_waker: bool,
    ) -> Option<Won<'_>> {
        let kind = ticket.tag();
        if !has_waker {
            ticket.give_waker(waker);
        }
        let mut locked = ticket.lock();
        if self.take_or_wait(kind, false) {
            drop(locked);
            return Some(self.win_at_once(kind, ticket));
        }
        if kind == UPGRADE {
            locked.push_front(QUEUE, kind);
        } else {
            locked.push_back(QUEUE, kind);
        }
        if locked.is_eventual() {
            self.set_flags(&locked);
        }
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

    /// A wait that was CALLED comes: it gets in, or queues as the first; none passes one
    /// that upgrades.
    #[cold]
    fn come(&self, mut ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won<'_>> {
        let kind = ticket.tag();
        ticket.bring_waker(waker);
        let mut locked = ticket.lock();
        let passes = locked.is_eventual();
        if self.take_or_wait(kind, passes) {
            if passes && kind == UPGRADABLE_READ {
                self.set_flags(&locked);
            }
            drop(locked);
            return Some(self.win_at_once(kind, ticket));
        }
        if locked.first_tag(QUEUE) == Some(UPGRADE) {
            locked.push_second(QUEUE, kind);
        } else {
            locked.push_front(QUEUE, kind);
        }
        if locked.is_eventual() {
            locked.count_in_vain();
            self.set_flags(&locked);
            drop(locked);
        } else {
            // It may be content with less than the one that was the first.
            self.grant(locked.into_locked()).resume();
        }
        self.look(ticket, waker)
    }

    /// A wait that was about to queue gets in: its waker is not needed.
    #[cold]
    fn win_at_once(&self, kind: usize, mut ticket: Ticket<'_>) -> Won<'_> {
        ticket.set(TAKEN, kind);
        let won = self.won(kind);
        discard(ticket.replace_waker(None));
        won
    }

    /// A queued wait meets what has been granted and is not claimed. Opens the lock.
    #[cold]
    fn meet(&self, mut locked: LockedTicket<'_>, first: bool) -> Met {
        let is_eventual = locked.is_eventual();
        let met = locked.meet_grants(GRANTS, first, is_eventual);
        if matches!(met, Met::Own | Met::Stale) {
            let granted = locked.call_watched(GRANTS);
            if met == Met::Own && locked.first_tag(QUEUE) != Some(UPGRADE) {
                locked.move_to_front(QUEUE);
            }
            self.change(&locked, |state| Some(without(granted, state)));
            self.grant(locked.into_locked()).resume();
        }
        met
    }

    /// Takes a part (`true`), or sets the flag. The caller has the inner lock.
    fn take_or_wait(&self, kind: usize, passes: bool) -> bool {
        let flags = if self.is_eventual() {
            WAITING
        } else {
            WAITING | RESERVED
        };
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let queued = is_reserved(state);
            // No wait passes the queue but one that upgrades, and in an eventual lock
            // one that has been called.
            let passes = kind == UPGRADE || passes;
            let next = if queued && !passes {
                None
            } else {
                self.with(kind, state)
            };
            if queued && next.is_none() {
                return false;
            }
            match self.state.compare_exchange_weak(
                state,
                next.unwrap_or(state | flags),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return next.is_some(),
                Err(actual) => state = actual,
            }
        }
    }

    /// A wait that is or was queued: what it has won. Else it makes sure that `waker`,
    /// if there is one, is the one that will be woken.
    #[inline(never)]
    fn look(&self, mut ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won<'_>> {
        let kind = ticket.tag();
        // A clone of the waker, made while the lock was open.
        let mut spare: Option<Waker> = None;
        let mut renewed = false;
        let won = loop {
            let mut locked = ticket.lock();
            if locked.take_grant(GRANTS) {
                locked.set(TAKEN, kind);
                break Some(self.won(kind));
            }
            if locked.status() == CALLED {
                drop(locked);
                break self.come(ticket.again(), waker);
            }
            if locked.is_eventual() && self.take_queued(&locked, locked.is_front(QUEUE), kind) {
                let own = locked.remove();
                locked.set(TAKEN, kind);
                let won = self.won(kind);
                self.call(locked.into_locked()).resume();
                discard(own);
                break Some(won);
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
            match self.meet(locked, false) {
                Met::Nothing => break None,
                Met::Again(yields) => {
                    // Also if the waker panics.
                    let _spare = Finally(|| discard(spare.take()));
                    wake_again(waker, yields);
                    return None;
                }
                Met::Own | Met::Stale => {}
            }
        };
        discard(spare);
        won
    }

    /// Takes a wait out of the queue, or passes on what it was granted.
    #[inline]
    pub(super) fn abandon(&self, ticket: Ticket<'_>) {
        if matches!(ticket.status(), QUEUED | SEATED | CALLED) {
            self.abandon_place(ticket);
        }
    }

    /// The end of an upgrade, which from its beginning on holds an upgradable
    /// read, or what became of it.
    #[inline]
    pub(super) fn abandon_upgrade(&self, mut ticket: Ticket<'_>) {
        if let Some(idle) = ticket.idle() {
            idle.set(TAKEN, UPGRADE);
            self.release(UPGRADABLE_READ);
        } else {
            self.abandon(ticket);
        }
    }

    #[cold]
    fn abandon_place(&self, mut ticket: Ticket<'_>) {
        let mut locked = ticket.lock();
        let kind = locked.tag();
        let mut waker = None;
        let granted = locked.take_grant(GRANTS);
        if !granted {
            waker = locked.try_remove().and_then(|(_, waker)| waker);
        }
        let given_back = match (granted, kind) {
            (true, UPGRADE) => held(WRITE),
            (true, _) => held(kind),
            (false, UPGRADE) => held(UPGRADABLE_READ),
            (false, _) => 0,
        };
        locked.set(TAKEN, kind);
        self.change(&locked, |state| Some(state - given_back));
        let panicked = self.grant(locked.into_locked());
        discard(waker);
        panicked.resume();
    }
}
