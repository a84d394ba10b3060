//! What a lock does that is [`Eventual`](crate::Fairness::Eventual): it frees, and calls
//! waits from the queue, which then try to get in like any other.
//!
//! While RESERVED is clear, the word also changes without the inner lock. A release or a
//! wait that queues sets it if a writer is the first in the queue and readers are in,
//! which no other is to join then; or if waits have been called in vain so often that
//! the next release is handed over.

use core::task::Waker;

use super::raw::{
    GRANTS, List, QUEUE, RESERVED, Raw, UPGRADABLE, UPGRADABLE_READ, UPGRADE, WAITING, WRITE, held,
    is_reserved, readers, without,
};
use crate::primitive::Ordering;
use crate::wake_batch::{Panicked, wake_in_rounds, wake_one};

impl Raw {
    /// Calls the first in the queue that would get in now. If the lock is free, it also
    /// calls those behind them that write where the first reads, or the other way round:
    /// in case that the first do not come. Opens the lock and wakes.
    #[cold]
    pub(super) fn call<'a>(&'a self, mut list: List<'a>) -> Panicked {
        let first_writes = list.first_tag(QUEUE).is_some_and(writes);
        let granted = self.hand_over(&mut list);
        // What the word would be if those that have been called were in.
        let mut supposed = self.state.load(Ordering::Acquire);
        let first = granted.or_else(|| self.call_first(&mut list, &mut supposed));
        if self.next(&list, supposed).is_some() || self.has_others(&list, first_writes) {
            return self.call_many(list, supposed, first_writes, first.flatten());
        }
        self.set_flags(&list);
        drop(list);
        wake_one(first.flatten())
    }

    /// Goes on with more than one, of which `first` is to be woken.
    #[cold]
    fn call_many<'a>(
        &'a self,
        list: List<'a>,
        mut supposed: usize,
        first_writes: bool,
        first: Option<Waker>,
    ) -> Panicked {
        let mut is_second = false;
        let mut begun = Some(list);
        wake_in_rounds(
            first,
            |batch| {
                let mut list = begun.take().unwrap_or_else(|| self.list.lock());
                batch.fill(|| self.call_first(&mut list, &mut supposed));
                let is_over = self.next(&list, supposed).is_none();
                if is_over && !is_second && self.has_others(&list, first_writes) {
                    is_second = true;
                    supposed = self.state.load(Ordering::Acquire);
                    batch.fill(|| self.call_first(&mut list, &mut supposed));
                }
                let was_last = self.next(&list, supposed).is_none();
                self.set_flags(&list);
                was_last
            },
            || self.call(self.list.lock()).resume(),
        )
    }

    /// Whether the lock is free, and the first in the queue now writes where the first
    /// one reads, or the other way round.
    fn has_others(&self, list: &List<'_>, first_writes: bool) -> bool {
        is_free(self.state.load(Ordering::Acquire))
            && list
                .first_tag(QUEUE)
                .is_some_and(|next| writes(next) != first_writes)
    }

    /// Takes the first out of the queue, if it would get in. The result is its waker.
    fn call_first(&self, list: &mut List<'_>, supposed: &mut usize) -> Option<Option<Waker>> {
        *supposed = self.next(list, *supposed)?;
        list.pop_front(QUEUE, crate::wait_list::CALLED)
    }

    /// Grants to the first in the queue, if it gets in, where that is due: waits have been
    /// called in vain too often, or a writer that has stopped new readers comes next, as
    /// they have ended. The result is its waker.
    fn hand_over(&self, list: &mut List<'_>) -> Option<Option<Waker>> {
        let has_stopped = is_reserved(self.state.load(Ordering::Acquire));
        if !has_stopped && !list.is_out_of_patience() {
            return None;
        }
        let kind = list.first_tag(QUEUE)?;
        if !self.change(list, |state| self.with(kind, state)) {
            return None;
        }
        list.end_patience();
        list.grant_front(QUEUE, GRANTS)
    }

    /// Brings the flags up to date with the queue.
    pub(super) fn set_flags(&self, list: &List<'_>) {
        let first = list.first_tag(QUEUE);
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let is_open = first.is_none_or(|kind| {
                let stops = writes(kind) && readers(state) > 0;
                waits_for_upgradable(kind, state)
                    || !list.is_out_of_patience() && (!stops || self.with(kind, state).is_some())
            });
            let mut next = state & !(WAITING | RESERVED);
            if first.is_some() {
                next |= WAITING;
            }
            if !is_open {
                next |= RESERVED;
            }
            if next == state {
                return;
            }
            match self
                .state
                .compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return,
                Err(actual) => state = actual,
            }
        }
    }

    /// Whether a queued wait of `kind` gets in now, which it does if it is the first,
    /// or the lock is open to all.
    pub(super) fn take_queued(&self, list: &List<'_>, is_front: bool, kind: usize) -> bool {
        self.change(list, |state| {
            let may = is_front || !is_reserved(state);
            self.with(kind, state).filter(|_| may)
        })
    }

    /// An attempt that does not wait found the lock taken: it may have what was granted
    /// to a wait that does not come for it.
    #[cold]
    pub(super) fn take_unclaimed(&self, kind: usize) -> bool {
        let mut list = self.list.lock();
        if !list.is_eventual() || !self.take_back(&mut list) {
            return false;
        }
        // Beside others it would pass the queue.
        let taken = self.change(&list, |state| {
            self.with(kind, state).filter(|_| is_free(state))
        });
        self.call(list).resume();
        taken
    }

    /// The same for an upgrade, which passes the queue.
    #[cold]
    pub(super) fn upgrade_unclaimed(&self, mut list: List<'_>) -> bool {
        self.take_back(&mut list);
        let taken = self.change(&list, |state| self.with(UPGRADE, state));
        self.call(list).resume();
        taken
    }

    /// Takes back a grant that attempts have met often enough.
    fn take_back(&self, list: &mut List<'_>) -> bool {
        let is_due = list.attempt_granted(GRANTS);
        if is_due {
            let granted = list.call_watched(GRANTS);
            self.change(list, |state| Some(without(granted, state)));
        }
        is_due
    }
}

/// Whether a wait is for the end of an upgradable read, whose task may ask for another
/// read before. So it stops no readers.
fn waits_for_upgradable(kind: usize, state: usize) -> bool {
    matches!(kind, WRITE | UPGRADABLE_READ) && state & UPGRADABLE != 0
}

fn writes(kind: usize) -> bool {
    matches!(kind, WRITE | UPGRADE)
}

/// Whether no part is held.
fn is_free(state: usize) -> bool {
    readers(state) == 0 && state & held(WRITE) == 0
}
