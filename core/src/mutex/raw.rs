//! [`RawMutex`]: the lock without its value, and the machine of a single wait.
//!
//! The machine is the same for a future, for a `Waiter`, and for any owner that
//! leads to the lock. A lock that is won is a [`Held`] from that moment on, so
//! that foreign code which panics (a waker, an `Io`) loses nothing.

use core::mem;
use core::task::{Context, Poll, Waker};

use crate::fairness::{Fairness, PATIENCE};
use crate::io::Io;
use crate::primitive::{AtomicUsize, Ordering, const_fn};
use crate::wait_list::{
    CALLED, IDLE, Locked, LockedTicket, Met, QUEUED, Ring, SEATED, Seat, Ticket, VERDICT, WaitList,
    Watch,
};
use crate::wake_batch::{discard, wake, wake_again};

// The state word: three flags, and the number of queued waits, which cannot
// overflow: each takes more than eight bytes of memory.
const LOCKED: usize = 1;
const EVENTUAL: usize = 2;
/// A queued wait has been told that the lock is free, and has not answered yet.
const WOKEN: usize = 4;
const WAITER: usize = 8;

// The tag of a queued node: a flag, and how often it has been told in vain.
/// It is the one that WOKEN is about.
const TOLD: usize = 1;
const IN_VAIN: usize = 2;

/// The verdict on a node whose guard has been handed out.
pub(super) const TAKEN: usize = VERDICT;

pub(crate) struct RawMutex {
    state: AtomicUsize,
    pub(super) list: WaitList<Watch>,
    pub(super) seat: Seat,
}

/// The lock, held; unlocks when it is dropped.
///
/// By invariant HELD there is one at a time.
#[must_use]
pub(super) struct Held<'a>(&'a RawMutex);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock();
    }
}

impl RawMutex {
    const_fn! {
        pub(super) const fn new(fairness: Fairness) -> Self {
            let state = match fairness {
                Fairness::Fifo => 0,
                Fairness::Eventual => EVENTUAL,
            };
            Self {
                state: AtomicUsize::new(state),
                list: WaitList::new([Ring::new()], Watch::new()),
                seat: Seat::new(),
            }
        }
    }

    pub(super) fn fairness(&self) -> Fairness {
        if self.is_eventual() {
            Fairness::Eventual
        } else {
            Fairness::Fifo
        }
    }

    #[inline]
    pub(super) fn is_locked(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LOCKED != 0
    }

    #[inline]
    pub(super) fn waiter_count(&self) -> usize {
        self.state.load(Ordering::Relaxed) / WAITER
    }

    /// As it was made: free, and nobody waits.
    #[cfg(test)]
    pub(super) fn is_untouched(&self) -> bool {
        self.state.load(Ordering::Relaxed) & !EVENTUAL == 0 && !self.seat.is_taken()
    }

    /// [`try_lock`](Self::try_lock) for the user: in a lock that is fair in the end it
    /// may also have one that was handed over and is not claimed.
    #[inline]
    pub(super) fn attempt(&self) -> Option<Held<'_>> {
        self.try_lock().or_else(|| {
            let is_handed_over = self.seat.is_taken() && self.is_eventual();
            (is_handed_over && self.list.lock().attempt_seated(&self.seat)).then(|| Held(self))
        })
    }

    #[inline]
    fn is_eventual(&self) -> bool {
        self.state.load(Ordering::Relaxed) & EVENTUAL != 0
    }

    /// Takes the lock if it is free, whoever is queued: by COUNTED nobody is, in
    /// a lock that is fair in order.
    #[inline]
    pub(super) fn try_lock(&self) -> Option<Held<'_>> {
        // Looked at first: an attempt that fails takes the cache line as well.
        let mut state = self.state.load(Ordering::Relaxed);
        while state & LOCKED == 0 {
            match self.state.compare_exchange_weak(
                state,
                state | LOCKED,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Held(self)),
                Err(actual) => state = actual,
            }
        }
        None
    }

    /// The end of a [`Held`], or of a guard.
    #[inline]
    pub(super) fn unlock(&self) {
        let mut state = self.state.load(Ordering::Relaxed);
        // Nobody is to be told: nobody is queued, or one has been told already.
        while state < WAITER || state & WOKEN != 0 {
            match self.state.compare_exchange_weak(
                state,
                state & !LOCKED,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(actual) => state = actual,
            }
        }
        self.serve();
    }

    /// An unlock with somebody waiting, or who was a moment ago.
    #[cold]
    fn serve(&self) {
        let mut list = self.list.lock();
        // We have both locks, so nobody else changes the word.
        let state = self.state.load(Ordering::Relaxed);
        let Some(front) = list.front(0) else {
            self.state.store(state - LOCKED, Ordering::Release);
            return;
        };
        // By TOLD nobody is told while the lock is held, so nobody is now.
        let waker = if state & EVENTUAL != 0 && front.tag() < PATIENCE * IN_VAIN {
            let waker = Self::tell_front(&mut list);
            // Sets one flag and clears the other.
            self.state.store(state + WOKEN - LOCKED, Ordering::Release);
            waker
        } else {
            // Counted out first: who is seated may unlock at once.
            self.state.store(state - WAITER, Ordering::Relaxed);
            list.seat_front(0, &self.seat).flatten()
        };
        drop(list);
        wake(waker);
    }

    /// Says to the first in the queue that the lock is free. The result is the
    /// waker to wake once the list is open.
    fn tell_front(list: &mut Locked<'_, Watch>) -> Option<Waker> {
        let mut front = list.front(0)?;
        let tag = front.tag();
        front.set_tag(tag | TOLD);
        front.take_waker()
    }

    /// A poll of a future.
    #[inline]
    pub(super) fn poll_lock<I: Io>(
        &self,
        ticket: &mut Ticket<'_, Watch>,
        io: &I,
        cx: &mut Context<'_>,
    ) -> Poll<Held<'_>> {
        let Some(held) = self.poll_won(ticket, cx.waker()) else {
            return Poll::Pending;
        };
        if io.poll_spend(cx).is_pending() {
            Self::keep(held, ticket, cx.waker());
            return Poll::Pending;
        }
        ticket.set(TAKEN, 0);
        Poll::Ready(held)
    }

    /// The lock, or a place in the queue with the newest waker.
    #[inline]
    fn poll_won(&self, ticket: &mut Ticket<'_, Watch>, waker: &Waker) -> Option<Held<'_>> {
        match ticket.status() {
            IDLE | CALLED => self
                .try_lock()
                .or_else(|| self.queue(ticket.again(), Some(waker))),
            TAKEN => panic!("a wait for a `Mutex` was polled after it had finished"),
            _ => self
                .claim(ticket)
                .or_else(|| self.look(ticket.again(), Some(waker))),
        }
    }

    /// Takes the lock that was handed to this wait, without the inner lock.
    #[inline]
    pub(super) fn claim(&self, ticket: &mut Ticket<'_, Watch>) -> Option<Held<'_>> {
        ticket.claim(&self.seat).then(|| Held(self))
    }

    /// Queues an idle wait, with a clone of a waker if it has none of its own,
    /// unless it can have the lock. One that was CALLED queues as the first.
    #[cold]
    pub(super) fn queue(
        &self,
        mut ticket: Ticket<'_, Watch>,
        waker: Option<&Waker>,
    ) -> Option<Held<'_>> {
        let was_called = ticket.status() == CALLED;
        ticket.set(IDLE, 0);
        ticket.give_waker(waker);
        let mut locked = ticket.lock();
        if !self.join() {
            if was_called {
                locked.push_front(0, 0);
            } else {
                locked.push_back(0, 0);
            }
            return self.meet(locked, waker, true);
        }
        let held = Held(self);
        drop(locked);
        discard(ticket.replace_waker(None));
        Some(held)
    }

    /// A queued wait meets a lock that has been handed to another one and is not
    /// claimed, if that is so. Opens the list. `first`: it has just queued.
    fn meet<'a>(
        &'a self,
        mut locked: LockedTicket<'_, Watch>,
        waker: Option<&Waker>,
        first: bool,
    ) -> Option<Held<'a>> {
        let met = locked.meet_seated(&self.seat, first, self.is_eventual());
        match met {
            Met::Nothing => None,
            Met::Again => {
                drop(locked);
                wake_again(waker);
                None
            }
            Met::Own | Met::Stale => {
                // LOCKED is ours, and we have the inner lock: nobody else changes the
                // word, from which one queued wait is counted out.
                let state = self.state.load(Ordering::Relaxed);
                self.state.store(state - WAITER, Ordering::Relaxed);
                // By TOLD the first in the queue of an eventual lock may be on its way.
                if met == Met::Own || self.is_eventual() || locked.is_front(0) {
                    let own = locked.remove();
                    drop(locked);
                    let held = Held(self);
                    discard(own);
                    return Some(held);
                }
                let next = locked.seat_front(0, &self.seat).flatten();
                let again = locked.meet_seated(&self.seat, true, false);
                drop(locked);
                wake(next);
                if again == Met::Again {
                    wake_again(waker);
                }
                None
            }
        }
    }

    /// Locks (`true`) or counts one more waiter. The caller has the inner lock.
    #[inline]
    fn join(&self) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        if state >= WAITER && state & (EVENTUAL | LOCKED) == LOCKED {
            // Whoever unlocks it awaits us at the inner lock.
            self.state.store(state + WAITER, Ordering::Relaxed);
            return false;
        }
        loop {
            let free = state & LOCKED == 0;
            let next = if free { state | LOCKED } else { state + WAITER };
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return free,
                Err(actual) => state = actual,
            }
        }
    }

    /// Whether a queued wait can have the lock now. If not, and there is a
    /// `waker`, that is the one that says of which task the wait is, and that
    /// will be woken.
    #[cold]
    pub(super) fn look(
        &self,
        mut ticket: Ticket<'_, Watch>,
        waker: Option<&Waker>,
    ) -> Option<Held<'_>> {
        // A clone of the waker, made while the list was open. A wait that was told
        // has none any more, and needs one if it was told in vain.
        let in_vain = is_told(ticket.tag()) && self.is_locked();
        let mut spare = waker.filter(|_| in_vain).cloned();
        let held = loop {
            let mut locked = ticket.lock();
            if locked.claim(&self.seat) {
                break Some(Held(self));
            }
            if locked.status() == CALLED {
                drop(locked);
                break self.queue(ticket.again(), waker);
            }
            let known = waker.is_none_or(|waker| locked.will_wake(waker));
            let renewable = known || spare.is_some();
            if self.take_or_rest(&mut locked, renewable) {
                let held = Held(self);
                let own = locked.remove();
                drop(locked);
                discard(own);
                break Some(held);
            }
            if !renewable {
                drop(locked);
                spare = waker.cloned();
                continue;
            }
            if !known {
                spare = locked.replace_waker(spare);
            }
            break self.meet(locked, waker, false);
        };
        discard(spare);
        held
    }

    /// Takes a free lock for a queued wait, and counts it out (`true`). Else, if
    /// `rest` says so, it has been told in vain, and will be told again.
    fn take_or_rest(&self, locked: &mut LockedTicket<'_, Watch>, rest: bool) -> bool {
        let tag = locked.tag();
        let told = tag & TOLD != 0;
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let free = state & LOCKED == 0;
            let mut next = state;
            if free {
                next = (next | LOCKED) - WAITER;
            }
            if told && (free || rest) {
                next &= !WOKEN;
            }
            if next == state {
                return false;
            }
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    let in_vain = if free { 0 } else { IN_VAIN };
                    locked.set_queued_tag((tag & !TOLD) + in_vain);
                    return free;
                }
                Err(actual) => state = actual,
            }
        }
    }

    /// Leaves a lock that is won in the seat: the budget is spent, and `waker`
    /// will be woken to come back for it.
    #[cold]
    fn keep(held: Held<'_>, ticket: &mut Ticket<'_, Watch>, waker: &Waker) {
        let mutex = held.into_raw();
        ticket.lock().sit(&mutex.seat, waker);
    }

    /// Takes a wait out of the queue, or passes on the lock that it was handed
    /// or told of.
    #[inline]
    pub(super) fn abandon(&self, ticket: Ticket<'_, Watch>) {
        if matches!(ticket.status(), QUEUED | SEATED) {
            self.abandon_place(ticket);
        }
    }

    #[cold]
    fn abandon_place(&self, mut ticket: Ticket<'_, Watch>) {
        let mut locked = ticket.lock();
        if locked.claim(&self.seat) {
            drop(locked);
            self.unlock();
            return;
        }
        let Some((tag, own)) = locked.try_remove() else {
            // It was CALLED a moment ago: it owes nothing.
            return;
        };
        let next = if self.count_out(tag & TOLD != 0) {
            Self::tell_front(&mut locked)
        } else {
            None
        };
        drop(locked);
        // First, lest the other's panic lose it.
        wake(next);
        discard(own);
    }

    /// Counts out a queued wait that leaves, under the inner lock. Whether
    /// somebody else is to be told in its place.
    fn count_out(&self, told: bool) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let mut next = state - WAITER;
            let pass_on = told && next & LOCKED == 0 && next >= WAITER;
            if told && !pass_on {
                next &= !WOKEN;
            }
            match self.state.compare_exchange_weak(
                state,
                next,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return pass_on,
                Err(actual) => state = actual,
            }
        }
    }
}

impl<'a> Held<'a> {
    /// The lock, which stays held.
    #[inline]
    pub(super) fn into_raw(self) -> &'a RawMutex {
        let mutex = self.0;
        mem::forget(self);
        mutex
    }

    /// For whoever holds the lock by invariant HELD, and gives that up to this.
    #[inline]
    pub(super) fn from_raw(mutex: &'a RawMutex) -> Self {
        Self(mutex)
    }
}

/// Whether a queued node, by its tag, has been told that the lock is free.
pub(super) fn is_told(tag: usize) -> bool {
    tag & TOLD != 0
}
