//! How the word changes: what is taken out of it, what is put back, and what is
//! granted to the waits in the queue.

use core::task::Waker;

use super::{
    CLOSED, GRANTS, List, QUEUE, RESERVED, SHIFT, Semaphore, TryAcquireError, WAITING, is_reserved,
};
use crate::primitive::Ordering;
use crate::wait_list::CALLED;
use crate::wake_batch::{Panicked, wake_in_rounds, wake_one};

/// What has become of a change of the word.
pub(super) enum Changed {
    Done,
    Refused,
    /// Nothing yet, since waits are queued: what the word is to be, if the inner lock
    /// is held.
    Waiting(usize),
    /// It is changed, and waits are to be called.
    Open,
}

impl Semaphore {
    /// Takes `n` permits, in one step.
    #[inline]
    pub(super) fn try_take(&self, n: usize) -> Result<(), TryAcquireError> {
        self.take_free(n).or_else(|state| {
            if state & CLOSED != 0 {
                Err(TryAcquireError::Closed)
            } else if n == 0 || self.is_eventual && self.take_unclaimed(n) {
                Ok(())
            } else {
                Err(TryAcquireError::NoPermits)
            }
        })
    }

    /// In an eventual semaphore, an attempt may have what was granted to a wait that
    /// does not come for it.
    #[cold]
    fn take_unclaimed(&self, n: usize) -> bool {
        let mut list = self.list.lock();
        if !list.attempt_granted(GRANTS) {
            return false;
        }
        let permits = list.call_watched(GRANTS);
        let suffices = permits >= n;
        self.give(list, if suffices { permits - n } else { permits })
            .resume();
        suffices
    }

    /// Takes `n` permits if they are free, and not reserved for the queue; else the
    /// error is the word.
    #[inline]
    pub(super) fn take_free(&self, n: usize) -> Result<(), usize> {
        // Acquire also for the error: what came before `close` is visible.
        let mut state = self.state.load(Ordering::Acquire);
        while may_take(state) && state >> SHIFT >= n {
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

    /// Changes the word, unless `new` says `None`. While a task waits it is left to the
    /// holder of the inner lock, which grants out of it.
    #[inline]
    pub(super) fn change(&self, new: impl Fn(usize) -> Option<usize>) -> Changed {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let Some(next) = new(state) else {
                return Changed::Refused;
            };
            if is_reserved(state) {
                return Changed::Waiting(next);
            }
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) if state & WAITING != 0 => return Changed::Open,
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
    /// grants them if a task waits.
    #[inline]
    pub(super) fn put(&self, more: impl Fn(usize) -> Option<usize>) -> bool {
        let mut state = self.state.load(Ordering::Acquire);
        while state & WAITING == 0 {
            let Some(next) = more(state) else {
                return false;
            };
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(actual) => state = actual,
            }
        }
        self.put_queued(more)
    }

    /// The path with the lock: a wait is queued, or was a moment ago.
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
            Changed::Open => {
                self.call(list).resume();
                true
            }
        }
    }

    /// Gives permits back under the lock, and grants what is free to the waits in the
    /// queue.
    pub(super) fn give(&self, list: List<'_>, permits: usize) -> Panicked {
        match self.change(|state| Some(with_more(state, permits))) {
            Changed::Waiting(state) => self.grant(list, state),
            Changed::Open => self.call(list),
            _ => Panicked::none(),
        }
    }

    /// Grants what the first in the queue wait for out of `state`, as long as there
    /// is enough, and clears the flag when no wait is left. Opens the lock and wakes.
    ///
    /// By WAITING, which is set, no other thread changes the word until this stores it.
    #[inline]
    fn grant<'a>(&'a self, mut list: List<'a>, state: usize) -> Panicked {
        // Nearly always there is one to wake, or none.
        let mut free = state >> SHIFT;
        let first = Self::grant_first(&mut list, &mut free);
        if self.is_eventual && first.is_some() {
            // It has been served in order: the others are called.
            self.store(&list, free, 0);
            return self.call_many(list, free, first.flatten());
        }
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
        self.store(&list, free, RESERVED);
    }

    #[inline]
    fn store(&self, list: &List<'_>, free: usize, reserved: usize) {
        let flags = if list.is_empty(QUEUE) {
            0
        } else {
            WAITING | reserved
        };
        self.state.store((free << SHIFT) | flags, Ordering::Release);
    }

    /// Opens the lock, when the last has left the queue.
    #[inline]
    pub(super) fn clear_flag(&self, list: List<'_>) {
        let state = self.state.load(Ordering::Acquire);
        if is_reserved(state) {
            let flags = WAITING | RESERVED;
            self.state.store(state & !flags, Ordering::Release);
        } else if state & WAITING != 0 {
            self.state.fetch_and(!WAITING, Ordering::Release);
        }
        drop(list);
    }

    // What follows is of an eventual semaphore while RESERVED is clear: then the word changes
    // also without the lock, and only by read-modify-writes.

    /// Calls the first in the queue, as many as the free permits suffice for. Opens
    /// the lock and wakes. A queue that has been called in vain too often is served in
    /// order.
    #[cold]
    fn call<'a>(&'a self, mut list: List<'a>) -> Panicked {
        if list.is_empty(QUEUE) {
            return Panicked::none();
        }
        if list.is_out_of_patience() {
            list.end_patience();
            let state = self.state.fetch_or(RESERVED, Ordering::AcqRel);
            return self.grant(list, state | RESERVED);
        }
        let mut free = self.state.load(Ordering::Acquire) >> SHIFT;
        let first = Self::call_first(&mut list, &mut free);
        if Self::has_next(&list, free) {
            return self.call_many(list, free, first.flatten());
        }
        if first.is_none() {
            // The first waits for more than there is.
            list.count_in_vain();
        }
        self.end_call(list);
        wake_one(first.flatten())
    }

    /// Takes the first out of the queue, if what is free suffices for it. The result
    /// is its waker.
    #[inline]
    fn call_first(list: &mut List<'_>, free: &mut usize) -> Option<Option<Waker>> {
        let wanted = list.first_tag(QUEUE).filter(|wanted| wanted <= free)?;
        *free -= wanted;
        list.pop_front(QUEUE, CALLED)
    }

    /// Opens the lock.
    fn end_call(&self, list: List<'_>) {
        if list.is_empty(QUEUE) {
            self.state.fetch_and(!WAITING, Ordering::Release);
        }
    }

    /// Goes on with more than one, of which `first` is to be woken.
    #[cold]
    fn call_many<'a>(&'a self, list: List<'a>, mut free: usize, first: Option<Waker>) -> Panicked {
        let mut begun = Some(list);
        wake_in_rounds(
            first,
            |batch| {
                let mut list = begun.take().unwrap_or_else(|| self.list.lock());
                batch.fill(|| Self::call_first(&mut list, &mut free));
                let was_last = !Self::has_next(&list, free);
                self.end_call(list);
                was_last
            },
            || self.call(self.list.lock()).resume(),
        )
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
    match state.checked_add(n << SHIFT) {
        Some(sum) => sum,
        None => with_all(state),
    }
}

#[cold]
fn with_all(state: usize) -> usize {
    (Semaphore::MAX_PERMITS << SHIFT) | (state & (CLOSED | WAITING | RESERVED))
}

/// Whether free permits may be taken by the first that comes.
#[inline]
fn may_take(state: usize) -> bool {
    state & (CLOSED | RESERVED) == 0
}
