//! How the word changes: what is taken out of it, what is put back, and what is
//! granted to those who wait.

use core::task::Waker;

use super::{CLOSED, GRANTS, List, QUEUE, SHIFT, Semaphore, TryAcquireError, WAITING};
use crate::primitive::Ordering;
use crate::wake_batch::{Panicked, wake_in_rounds, wake_one};

/// What has become of a change of the word.
pub(super) enum Changed {
    Done,
    Refused,
    /// Nothing yet, since somebody waits: what the word is to be, if the inner lock
    /// is held.
    Waiting(usize),
}

impl Semaphore {
    /// Takes `n` permits, in one step.
    #[inline]
    pub(super) fn try_take(&self, n: usize) -> Result<(), TryAcquireError> {
        self.take_free(n).or_else(|state| {
            if state & CLOSED != 0 {
                Err(TryAcquireError::Closed)
            } else if n == 0 {
                Ok(())
            } else {
                Err(TryAcquireError::NoPermits)
            }
        })
    }

    /// Takes `n` permits if they are free and nobody waits; else the error is the
    /// word.
    #[inline]
    pub(super) fn take_free(&self, n: usize) -> Result<(), usize> {
        // Acquire also for the error: what came before `close` is visible.
        let mut state = self.state.load(Ordering::Acquire);
        while state & (CLOSED | WAITING) == 0 && state >> SHIFT >= n {
            match self.state.compare_exchange_weak(
                state,
                state - (n << SHIFT),
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Ok(()),
                Err(actual) => state = actual,
            }
        }
        Err(state)
    }

    /// Changes the word, unless `new` says `None`. While somebody waits it is left
    /// to the holder of the inner lock, who grants out of it.
    #[inline]
    pub(super) fn change(&self, new: impl Fn(usize) -> Option<usize>) -> Changed {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let Some(next) = new(state) else {
                return Changed::Refused;
            };
            if state & WAITING != 0 {
                return Changed::Waiting(next);
            }
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => return Changed::Done,
                Err(actual) => state = actual,
            }
        }
    }

    /// The end of a permit.
    #[inline]
    pub(super) fn release(&self, permits: usize) {
        if permits != 0 {
            self.put(|state| Some(with_more(state, permits)));
        }
    }

    /// Changes the word to one with more permits, unless `more` says `None`, and
    /// grants them if somebody waits.
    #[inline]
    pub(super) fn put(&self, more: impl Fn(usize) -> Option<usize>) -> bool {
        match self.change(&more) {
            Changed::Done => true,
            Changed::Refused => false,
            Changed::Waiting(_) => self.put_queued(more),
        }
    }

    /// The path with the lock: somebody waits, or did a moment ago.
    #[cold]
    fn put_queued(&self, more: impl Fn(usize) -> Option<usize>) -> bool {
        let list = self.list.lock();
        match self.change(more) {
            Changed::Done => true,
            Changed::Refused => false,
            Changed::Waiting(state) => {
                self.grant(list, state).resume();
                true
            }
        }
    }

    /// Gives permits back under the lock, and grants what is free to who waits.
    pub(super) fn give(&self, list: List<'_>, permits: usize) -> Panicked {
        match self.change(|state| Some(with_more(state, permits))) {
            Changed::Waiting(state) => self.grant(list, state),
            _ => Panicked::none(),
        }
    }

    /// Grants what the first in the queue wait for out of `state`, as long as there
    /// is enough, and clears the flag when nobody is left. Opens the lock and wakes.
    ///
    /// By WAITING, which is set, nobody changes the word until this stores it.
    #[inline]
    fn grant<'a>(&'a self, mut list: List<'a>, state: usize) -> Panicked {
        // Nearly always there is one to wake, or none.
        let mut free = state >> SHIFT;
        let first = Self::grant_first(&mut list, &mut free);
        if Self::has_next(&list, free) {
            return self.grant_many(list, free, first.flatten());
        }
        self.open(list, free);
        wake_one(first.flatten())
    }

    /// Grants what the first in the queue waits for, out of what is free. The result
    /// is its waker.
    #[inline]
    fn grant_first(list: &mut List<'_>, free: &mut usize) -> Option<Option<Waker>> {
        let wanted = list.first_tag(QUEUE).filter(|wanted| wanted <= free)?;
        *free -= wanted;
        list.grant_front(QUEUE, GRANTS)
    }

    #[inline]
    fn has_next(list: &List<'_>, free: usize) -> bool {
        list.first_tag(QUEUE).is_some_and(|wanted| wanted <= free)
    }

    /// Opens the lock, with so many permits free.
    #[inline]
    fn open(&self, list: List<'_>, free: usize) {
        let flag = if list.is_empty(QUEUE) { 0 } else { WAITING };
        self.state.store((free << SHIFT) | flag, Ordering::Release);
    }

    /// Opens the lock, when the last has left the queue.
    #[inline]
    pub(super) fn clear_flag(&self, list: List<'_>) {
        let state = self.state.load(Ordering::Acquire);
        if state & WAITING != 0 {
            self.state.store(state & !WAITING, Ordering::Release);
        }
        drop(list);
    }

    /// Goes on with more than one, of which `first` is to be woken.
    #[cold]
    fn grant_many<'a>(&'a self, list: List<'a>, free: usize, first: Option<Waker>) -> Panicked {
        let mut begun = Some((list, free));
        let again = || {
            let list = self.list.lock();
            let state = self.state.load(Ordering::Acquire);
            (state & WAITING != 0).then_some((list, state >> SHIFT))
        };
        wake_in_rounds(
            first,
            |batch| {
                let Some((mut list, mut free)) = begun.take().or_else(again) else {
                    return true;
                };
                batch.fill(|| Self::grant_first(&mut list, &mut free));
                let was_last = !Self::has_next(&list, free);
                self.open(list, free);
                was_last
            },
            || self.give(self.list.lock(), 0).resume(),
        )
    }
}

/// The word with `n` more permits, as far as the limit allows.
#[inline]
fn with_more(state: usize, n: usize) -> usize {
    let sum = state + (n << SHIFT);
    if sum >> SHIFT <= Semaphore::MAX_PERMITS {
        sum
    } else {
        with_all(state)
    }
}

#[cold]
fn with_all(state: usize) -> usize {
    (Semaphore::MAX_PERMITS << SHIFT) | (state & (CLOSED | WAITING))
}
