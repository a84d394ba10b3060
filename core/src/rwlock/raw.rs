//! [`Raw`]: the lock without its value. All that is queued, granted and counted
//! is here, once for every type of value; states and invariants are in
//! [`rwlock`](super).
//!
//! What is won is a [`Won`] from that moment on, so that foreign code which
//! panics (a waker, an [`Io`]) leaves nothing locked.

use core::mem;
use core::task::{Context, Poll, Waker};

use crate::io::Io;
use crate::limit::out_of_range;
use crate::primitive::{AtomicUsize, Ordering, const_fn};
use crate::wait_list::{
    IDLE, Locked, LockedTicket, QUEUED, Ring, SEATED, TicketOf, VERDICT, WaitList, has_list,
};
use crate::wake_batch::{Panicked, discard, wake_in_rounds, wake_one};

// The state word: three flags, the number of readers in the rest of the lower
// 32 bits, and, where a word has 64, the largest such number in the upper 32.
const WRITER: usize = 1;
const UPGRADABLE: usize = 2;
pub(super) const WAITING: usize = 4;
const READER: usize = 8;
#[cfg(target_pointer_width = "64")]
const LIMIT_SHIFT: u32 = 32;

/// The largest limit of readers.
pub(super) const MAX_READERS: usize = u32::MAX as usize / READER;

/// The queue's ring, and the ring of grants that nobody has fetched yet.
pub(super) const QUEUE: usize = 0;
pub(super) const GRANTS: usize = 1;

// What a wait is for, or a guard has: the tag of a node.
pub(super) const READ: usize = 0;
pub(super) const UPGRADABLE_READ: usize = 1;
pub(super) const WRITE: usize = 2;
/// To write, by who holds an upgradable read.
pub(super) const UPGRADE: usize = 3;

/// The verdict on a node whose outcome has been handed out.
pub(super) const TAKEN: usize = VERDICT;

type Rings = [Ring; 2];
type List<'a> = Locked<'a, (), Rings>;
pub(super) type Ticket<'a> = TicketOf<'a, Raw>;

pub(super) struct Raw {
    state: AtomicUsize,
    pub(super) list: WaitList<(), Rings>,
    #[cfg(not(target_pointer_width = "64"))]
    limit: usize,
}

has_list!([] Raw, list: WaitList<(), [Ring; 2]>);

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
    raw: &'a Raw,
    kind: usize,
}

impl Won<'_> {
    /// For who makes a guard of it.
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
        pub(super) const fn new(max_readers: usize) -> Self {
            if max_readers == 0 || max_readers > MAX_READERS {
                out_of_range("a limit of readers", max_readers, 1, MAX_READERS);
            }
            Self {
                #[cfg(target_pointer_width = "64")]
                state: AtomicUsize::new(max_readers << LIMIT_SHIFT),
                #[cfg(not(target_pointer_width = "64"))]
                state: AtomicUsize::new(0),
                list: WaitList::new([Ring::new(), Ring::new()], ()),
                #[cfg(not(target_pointer_width = "64"))]
                limit: max_readers,
            }
        }
    }

    /// How many readers are in at most, by a word of this lock.
    #[inline]
    fn limit(&self, _state: usize) -> usize {
        #[cfg(target_pointer_width = "64")]
        return _state >> LIMIT_SHIFT;
        #[cfg(not(target_pointer_width = "64"))]
        return self.limit;
    }

    #[inline]
    pub(super) fn max_readers(&self) -> usize {
        self.limit(self.state.load(Ordering::Relaxed))
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
    /// in. Of who waits it knows nothing.
    #[inline]
    fn with(&self, kind: usize, state: usize) -> Option<usize> {
        let allowed = match kind {
            READ => state & WRITER == 0 && readers(state) < self.limit(state),
            UPGRADABLE_READ => {
                state & (WRITER | UPGRADABLE) == 0 && readers(state) < self.limit(state)
            }
            WRITE => state & WRITER == 0 && readers(state) == 0,
            // The one reader is who upgrades.
            _ => readers(state) == 1,
        };
        allowed.then(|| match kind {
            UPGRADE => state - held(UPGRADABLE_READ) + held(WRITE),
            _ => state + held(kind),
        })
    }

    /// Takes a part in the lock, by one step and without the inner lock; not
    /// when somebody waits.
    #[inline]
    pub(super) fn try_take(&self, kind: usize) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & WAITING == 0 {
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

    /// Changes the word to one with less in it, and grants that to who waits.
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

    /// The path with the lock: somebody waits, or did a moment ago.
    #[cold]
    fn put_queued(&self, less: impl Fn(usize) -> usize) {
        let list = self.list.lock();
        let state = self.state.load(Ordering::Acquire);
        if state & WAITING != 0 {
            self.grant_from(list, less(state)).resume();
        } else {
            self.change(&list, |state| Some(less(state)));
        }
    }

    /// Changes the word, unless `new` says `None`.
    fn change(&self, _: &List<'_>, new: impl Fn(usize) -> Option<usize>) -> bool {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let Some(next) = new(state) else {
                return false;
            };
            if state & WAITING != 0 {
                // By WAITING, nobody else changes it meanwhile.
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
    /// clears the flag when nobody is left. Opens the lock and wakes.
    fn grant(&self, list: List<'_>) -> Panicked {
        let state = self.state.load(Ordering::Acquire);
        if state & WAITING == 0 {
            return Panicked::none();
        }
        self.grant_from(list, state)
    }

    /// The same out of `state`, in which WAITING is set: so nobody changes the word
    /// until this stores it.
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
    fn next(&self, list: &List<'_>, state: usize) -> Option<usize> {
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
            state &= !WAITING;
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

    // What follows is the machine of a single wait, the same for a borrowing
    // future, an owning one and a `Waiter`. The tag of its node is its kind.

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
            IDLE => self.queue(ticket, Some(waker)),
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
        let granted = locked.take_grant();
        granted.then(|| {
            let kind = locked.tag();
            locked.set(TAKEN, kind);
            self.won(kind)
        })
    }

    /// A call for a `Waiter`.
    pub(super) fn poll_waiter(&self, ticket: Ticket<'_>) -> Option<Won<'_>> {
        let kind = ticket.tag();
        match ticket.status() {
            IDLE if self.try_take(kind) => Some(self.won(kind)),
            IDLE => self.queue(ticket, None),
            _ => self.look(ticket, None),
        }
    }

    /// Queues an idle wait, unless it need not wait; with `waker`, or with the one
    /// that it has.
    fn queue(&self, mut ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won<'_>> {
        ticket.give_waker(waker);
        let kind = ticket.tag();
        let mut locked = ticket.lock();
        if self.take_or_wait(kind) {
            locked.set(TAKEN, kind);
            drop(locked);
            let won = self.won(kind);
            discard(ticket.replace_waker(None));
            return Some(won);
        }
        if kind == UPGRADE {
            locked.push_front(QUEUE, kind);
        } else {
            locked.push_back(QUEUE, kind);
        }
        if locked.granted_sibling(GRANTS, |_| true).is_some() {
            drop(locked);
            return self.look(ticket, None);
        }
        None
    }

    /// Takes a part (`true`), or sets the flag. The caller has the inner lock.
    fn take_or_wait(&self, kind: usize) -> bool {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let queued = state & WAITING != 0;
            // Nobody passes the queue but who upgrades.
            let next = if queued && kind != UPGRADE {
                None
            } else {
                self.with(kind, state)
            };
            if queued && next.is_none() {
                return false;
            }
            match self.state.compare_exchange_weak(
                state,
                next.unwrap_or(state | WAITING),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return next.is_some(),
                Err(actual) => state = actual,
            }
        }
    }

    /// A wait that is or was queued: what it has won, by a grant or instead of
    /// another wait of the same task. Else it makes sure that `waker`, if there
    /// is one, is the one that will be woken.
    #[inline(never)]
    fn look(&self, mut ticket: Ticket<'_>, waker: Option<&Waker>) -> Option<Won<'_>> {
        let kind = ticket.tag();
        // A clone of the waker, made while the lock was open.
        let mut spare: Option<Waker> = None;
        let mut renewed = false;
        let won = loop {
            let mut locked = ticket.lock();
            if locked.take_grant() {
                locked.set(TAKEN, kind);
                break Some(self.won(kind));
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
            if self.take_over(kind, &mut locked) {
                self.grant(locked.into_locked()).resume();
                continue;
            }
            let Some(sibling) = locked.granted_sibling(GRANTS, |granted| granted != UPGRADE) else {
                break None;
            };
            let Some(fresh) = spare.take() else {
                drop(locked);
                spare = match waker {
                    Some(waker) => Some(waker.clone()),
                    None => ticket.clone_waker(),
                };
                continue;
            };
            let granted = sibling.tag();
            sibling.requeue(fresh);
            self.change(&locked, |state| Some(without(granted, state)));
            self.grant(locked.into_locked()).resume();
        };
        discard(spare);
        won
    }

    /// Whether a queued wait has the grant of another one of its task, now.
    fn take_over(&self, kind: usize, locked: &mut LockedTicket<'_, (), Rings>) -> bool {
        if locked.first_tag(QUEUE) == Some(UPGRADE) {
            // What gives way would be before it: nobody passes who upgrades.
            return false;
        }
        let two_readers = self.max_readers() >= 2;
        let covers = |granted| match granted {
            READ => kind == READ,
            UPGRADABLE_READ => kind != WRITE,
            WRITE => true,
            // It goes on with its upgradable read.
            _ => kind == READ && two_readers,
        };
        let Some(sibling) = locked.granted_sibling(GRANTS, covers) else {
            return false;
        };
        let granted = sibling.tag();
        sibling.exchange(QUEUE);
        let changed = self.change(locked, |state| self.with(kind, without(granted, state)));
        debug_assert!(changed, "what covers it is compatible with what it is");
        true
    }

    /// Takes a wait out of the queue, or passes on what it was granted.
    #[inline]
    pub(super) fn abandon(&self, ticket: Ticket<'_>) {
        if matches!(ticket.status(), QUEUED | SEATED) {
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
        let granted = locked.take_grant();
        if !granted {
            waker = locked.remove();
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

/// How many readers are in: an upgradable one is among them.
#[inline]
pub(super) fn readers(state: usize) -> usize {
    state as u32 as usize / READER
}

/// What a guard of `kind` adds to the word.
#[inline]
const fn held(kind: usize) -> usize {
    match kind {
        READ => READER,
        UPGRADABLE_READ => READER + UPGRADABLE,
        _ => WRITER,
    }
}

/// The word as it was before a grant of `kind`.
#[inline]
fn without(kind: usize, state: usize) -> usize {
    match kind {
        UPGRADE => state - held(WRITE) + held(UPGRADABLE_READ),
        _ => state - held(kind),
    }
}
