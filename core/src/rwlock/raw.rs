//! [`Raw`]: the lock without its value. All that is queued, granted and counted
//! is here, once for every type of value; states and invariants are in
//! [`rwlock`](super).
//!
//! What is won is a [`Won`] from that moment on, so that foreign code which
//! panics (a waker, an `Io`) leaves nothing locked.

use core::mem;
use core::task::Waker;

use crate::fairness::{Fairness, Queue};
use crate::limit::out_of_range;
use crate::primitive::{AtomicUsize, Ordering, const_fn};
use crate::wait_list::{Locked, Ring, TicketOf, VERDICT, WaitList, has_list};
use crate::wake_batch::{Panicked, wake_in_rounds, wake_one};

// The state word: flags, the number of readers in the rest of the lower 32 bits, and,
// where a word has 64, the largest such number above them and two flags at the top.
const WRITER: usize = 1;
pub(super) const UPGRADABLE: usize = 2;
pub(super) const WAITING: usize = 4;
/// No task passes the queue.
#[cfg(target_pointer_width = "64")]
pub(super) const RESERVED: usize = 1 << 63;
#[cfg(not(target_pointer_width = "64"))]
pub(super) const RESERVED: usize = 8;
/// It keeps no order: in the word where that has 64 bits, else beside the limit.
const EVENTUAL: usize = 1 << (usize::BITS - 2);
#[cfg(target_pointer_width = "64")]
const READER: usize = 8;
#[cfg(not(target_pointer_width = "64"))]
const READER: usize = 16;
#[cfg(target_pointer_width = "64")]
const LIMIT_SHIFT: u32 = 32;

/// The largest limit of readers.
pub(super) const MAX_READERS: usize = u32::MAX as usize / READER;

/// The queue's ring, and the ring of grants that no task has fetched yet.
pub(super) const QUEUE: usize = 0;
pub(super) const GRANTS: usize = 1;

// What a wait is for, or a guard has: the tag of a node.
pub(super) const READ: usize = 0;
pub(super) const UPGRADABLE_READ: usize = 1;
pub(super) const WRITE: usize = 2;
/// To write, by the holder of an upgradable read.
pub(super) const UPGRADE: usize = 3;

/// The verdict on a node whose outcome has been handed out.
pub(super) const TAKEN: usize = VERDICT;

pub(super) type Rings = [Ring; 2];
pub(super) type List<'a> = Locked<'a, Queue, Rings>;
pub(super) type Ticket<'a> = TicketOf<'a, Raw>;
pub(super) type LockedTicket<'a> = crate::wait_list::LockedTicket<'a, Queue, Rings>;

pub(super) struct Raw {
    pub(super) state: AtomicUsize,
    pub(super) list: WaitList<Queue, Rings>,
    #[cfg(not(target_pointer_width = "64"))]
    limit: usize,
}

has_list!([] Raw, list: WaitList<Queue, [Ring; 2]>);

/// What contains a [`Raw`].
pub(super) trait HasRaw {
    fn raw(&self) -> &Raw;
}

impl HasRaw for Raw {
    #[inline]
    fn raw(&self) -> &Raw {
        self
    }
}

/// A part in the lock that has been won, and is given back when this is dropped.
#[must_use]
pub(super) struct Won<'a> {
    pub(super) raw: &'a Raw,
    pub(super) kind: usize,
}

impl Won<'_> {
    /// For a caller that makes a guard of it.
    #[inline]
    pub(super) fn accept(self) {
        mem::forget(self);
    }
}

impl Drop for Won<'_> {
    #[inline]
    fn drop(&mut self) {
        self.raw.release(self.kind);
    }
}

impl Raw {
    const_fn! {
        #[track_caller]
        pub(super) const fn new(max_readers: usize, fairness: Fairness) -> Self {
            if max_readers == 0 || max_readers > MAX_READERS {
                out_of_range("a limit of readers", max_readers, 1, MAX_READERS);
            }
            let flag = if matches!(fairness, Fairness::Eventual) { EVENTUAL } else { 0 };
            Self {
                #[cfg(target_pointer_width = "64")]
                state: AtomicUsize::new((max_readers << LIMIT_SHIFT) | flag),
                #[cfg(not(target_pointer_width = "64"))]
                state: AtomicUsize::new(0),
                list: WaitList::new([Ring::new(), Ring::new()], Queue::new(fairness)),
                #[cfg(not(target_pointer_width = "64"))]
                limit: max_readers | flag,
            }
        }
    }

    /// How many readers are in at most, by a word of this lock.
    #[inline]
    fn limit(&self, _state: usize) -> usize {
        #[cfg(target_pointer_width = "64")]
        return (_state >> LIMIT_SHIFT) & MAX_READERS;
        #[cfg(not(target_pointer_width = "64"))]
        return self.limit & MAX_READERS;
    }

    #[inline]
    pub(super) fn max_readers(&self) -> usize {
        self.limit(self.state.load(Ordering::Relaxed))
    }

    pub(super) fn fairness(&self) -> Fairness {
        self.list.lock().fairness()
    }

    pub(super) fn waiter_count(&self) -> usize {
        self.list.lock().count(QUEUE)
    }

    #[cfg(all(test, not(anysync_loom)))]
    pub(super) fn word(&self) -> usize {
        self.state.load(Ordering::Relaxed)
    }

    #[cfg(all(test, not(anysync_loom)))]
    pub(super) fn grant_count(&self) -> usize {
        self.list.lock().count(GRANTS)
    }

    /// The word with one more `kind` in it, if that is compatible with what is
    /// in. Of waits it knows nothing.
    #[inline]
    pub(super) fn with(&self, kind: usize, state: usize) -> Option<usize> {
        let allowed = match kind {
            READ => state & WRITER == 0 && readers(state) < self.limit(state),
            UPGRADABLE_READ => {
                state & (WRITER | UPGRADABLE) == 0 && readers(state) < self.limit(state)
            }
            WRITE => state & WRITER == 0 && readers(state) == 0,
            // The one reader is the one that upgrades.
            _ => readers(state) == 1,
        };
        allowed.then(|| match kind {
            UPGRADE => state - held(UPGRADABLE_READ) + held(WRITE),
            _ => state + held(kind),
        })
    }

    /// [`try_take`](Self::try_take) for the user: in an eventual lock it may also have
    /// what was granted to a wait that does not come for it.
    #[inline]
    pub(super) fn attempt(&self, kind: usize) -> bool {
        self.try_take(kind) || self.is_eventual() && self.take_unclaimed(kind)
    }

    #[inline]
    pub(super) fn is_eventual(&self) -> bool {
        #[cfg(target_pointer_width = "64")]
        return self.state.load(Ordering::Relaxed) & EVENTUAL != 0;
        #[cfg(not(target_pointer_width = "64"))]
        return self.limit & EVENTUAL != 0;
    }

    /// Takes a part in the lock, by one step and without the inner lock; not
    /// when that is reserved for the queue.
    #[inline]
    pub(super) fn try_take(&self, kind: usize) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while !is_reserved(state) {
            let Some(next) = self.with(kind, state) else {
                return false;
            };
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(actual) => state = actual,
            }
        }
        false
    }

    /// [`try_take`](Self::try_take) of an [`UPGRADE`], which passes the queue.
    #[inline]
    pub(super) fn try_upgrade(&self) -> bool {
        self.try_take(UPGRADE) || {
            let list = self.list.lock();
            if list.is_eventual() {
                return self.upgrade_unclaimed(list);
            }
            self.change(&list, |state| self.with(UPGRADE, state))
        }
    }

    /// The end of a guard.
    #[inline]
    pub(super) fn release(&self, kind: usize) {
        self.put(|state| state - held(kind));
    }

    /// Makes one `kind` of what is held into another, which lets in no more than
    /// the first did.
    #[inline]
    pub(super) fn downgrade(&self, from: usize, to: usize) {
        self.put(|state| state - held(from) + held(to));
    }

    /// Changes the word to one with less in it, and grants that to the waits in the
    /// queue.
    #[inline]
    fn put(&self, less: impl Fn(usize) -> usize) {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & WAITING == 0 {
            match self.state.compare_exchange_weak(
                state,
                less(state),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(actual) => state = actual,
            }
        }
        self.put_queued(less);
    }

    /// The path with the lock: a wait is queued, or was a moment ago.
    #[cold]
    fn put_queued(&self, less: impl Fn(usize) -> usize) {
        let list = self.list.lock();
        if list.is_eventual() {
            self.change(&list, |state| Some(less(state)));
            return self.call(list).resume();
        }
        let state = self.state.load(Ordering::Acquire);
        if state & WAITING != 0 {
            self.grant_from(list, less(state)).resume();
        } else {
            self.change(&list, |state| Some(less(state)));
        }
    }

    /// Changes the word, unless `new` says `None`.
    pub(super) fn change(&self, _: &List<'_>, new: impl Fn(usize) -> Option<usize>) -> bool {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let Some(next) = new(state) else {
                return false;
            };
            if is_reserved(state) {
                // By WAITING, it is not changed by others meanwhile.
                self.state.store(next, Ordering::Release);
                return true;
            }
            match self
                .state
                .compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return true,
                Err(actual) => state = actual,
            }
        }
    }

    /// Grants to the first in the queue, as long as they are compatible, and
    /// clears the flag when no wait is left. Opens the lock and wakes.
    pub(super) fn grant<'a>(&'a self, list: List<'a>) -> Panicked {
        if list.is_eventual() {
            return self.call(list);
        }
        let state = self.state.load(Ordering::Acquire);
        if state & WAITING == 0 {
            return Panicked::none();
        }
        self.grant_from(list, state)
    }

    /// The same out of `state`, in which WAITING is set: so no other thread changes the
    /// word until this stores it.
    fn grant_from<'a>(&'a self, mut list: List<'a>, mut state: usize) -> Panicked {
        let first = self.grant_first(&mut list, &mut state);
        if self.next(&list, state).is_some() {
            return self.grant_many(list, state, first.flatten());
        }
        self.open(list, state);
        wake_one(first.flatten())
    }

    /// The word with what the first in the queue waits for, if that is compatible.
    #[inline]
    pub(super) fn next(&self, list: &List<'_>, state: usize) -> Option<usize> {
        let kind = list.first_tag(QUEUE)?;
        self.with(kind, state)
    }

    /// Grants what the first in the queue waits for, if that is compatible. The
    /// result is its waker.
    #[inline]
    fn grant_first(&self, list: &mut List<'_>, state: &mut usize) -> Option<Option<Waker>> {
        *state = self.next(list, *state)?;
        list.grant_front(QUEUE, GRANTS)
    }

    /// Opens the lock, with this for the word.
    #[inline]
    fn open(&self, list: List<'_>, mut state: usize) {
        if list.is_empty(QUEUE) {
            state &= !(WAITING | RESERVED);
        }
        self.state.store(state, Ordering::Release);
    }

    /// Goes on with more than one, of which `first` is to be woken.
    #[cold]
    fn grant_many<'a>(&'a self, list: List<'a>, state: usize, first: Option<Waker>) -> Panicked {
        let mut begun = Some((list, state));
        let again = || {
            let list = self.list.lock();
            let state = self.state.load(Ordering::Acquire);
            (state & WAITING != 0).then_some((list, state))
        };
        wake_in_rounds(
            first,
            |batch| {
                let Some((mut list, mut state)) = begun.take().or_else(again) else {
                    return true;
                };
                batch.fill(|| self.grant_first(&mut list, &mut state));
                let was_last = self.next(&list, state).is_none();
                self.open(list, state);
                was_last
            },
            || self.grant(self.list.lock()).resume(),
        )
    }
}

/// How many readers are in: an upgradable one is among them.
#[inline]
pub(super) fn readers(state: usize) -> usize {
    state as u32 as usize / READER
}

/// What a guard of `kind` adds to the word.
#[inline]
pub(super) const fn held(kind: usize) -> usize {
    match kind {
        READ => READER,
        UPGRADABLE_READ => READER + UPGRADABLE,
        _ => WRITER,
    }
}

/// The word as it was before a grant of `kind`.
#[inline]
pub(super) fn without(kind: usize, state: usize) -> usize {
    match kind {
        UPGRADE => state - held(WRITE) + held(UPGRADABLE_READ),
        _ => state - held(kind),
    }
}

/// Whether no task passes the queue, and the word changes only under the inner lock.
#[inline]
pub(super) fn is_reserved(state: usize) -> bool {
    state & RESERVED != 0
}
