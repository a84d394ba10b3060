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

// The state word: two flags, and the number of queued waits, which cannot overflow:
// each takes more than four bytes of memory. The tag of a node is how often its wait has
// been called in vain.
const LOCKED: usize = 1;
const EVENTUAL: usize = 2;
const WAITER: usize = 4;

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

    /// As it was made: free, and no wait is queued.
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

    /// Takes the lock if it is free, whatever is queued: by COUNTED no wait is, in
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
        while state < WAITER {
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

    /// An unlock while a wait is queued, or was a moment ago.
    #[cold]
    fn serve(&self) {
        let mut list = self.list.lock();
        // We have both locks, so the word changes here alone.
        let state = self.state.load(Ordering::Relaxed);
        let Some(front) = list.front(0) else {
            self.state.store(state - LOCKED, Ordering::Release);
            return;
        };
        let waker = if state & EVENTUAL != 0 && front.tag() < PATIENCE {
            let waker = list.pop_front(0, CALLED);
            let free = state - WAITER - LOCKED;
            self.state.store(free, Ordering::Release);
            waker
        } else {
            // Counted out first: the wait that is seated may unlock at once.
            self.state.store(state - WAITER, Ordering::Relaxed);
            list.seat_front(0, &self.seat)
        };
        drop(list);
        wake(waker.flatten());
    }

    /// Calls the first in the queue. The result is its waker.
    fn call_front(&self, list: &mut Locked<'_, Watch>) -> Option<Waker> {
        let waker = list.pop_front(0, CALLED)?;
        self.state.fetch_sub(WAITER, Ordering::Relaxed);
        waker
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
            IDLE => self
                .try_lock()
                .or_else(|| self.queue(ticket.again(), Some(waker), false)),
            CALLED => self
                .try_lock()
                .or_else(|| self.come(ticket.again(), Some(waker))),
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

    /// Queues an idle wait, unless it can have the lock; with a clone of `waker`, unless it
    /// has one.
    #[cold]
    pub(super) fn queue(
        &self,
        mut ticket: Ticket<'_, Watch>,
        waker: Option<&Waker>,
        has_waker: bool,
    ) -> Option<Held<'_>> {
        if !has_waker {
            ticket.give_waker(waker);
        }
        let mut locked = ticket.lock();
        if self.join() {
            drop(locked);
            return Some(self.win_at_once(ticket));
        }
        locked.push_back(0, 0);
        self.meet(locked, waker, true)
    }

    /// A wait that was CALLED comes: it gets the lock, or queues as the first.
    #[cold]
    fn come(&self, mut ticket: Ticket<'_, Watch>, waker: Option<&Waker>) -> Option<Held<'_>> {
        ticket.bring_waker(waker);
        let mut locked = ticket.lock();
        if self.join() {
            drop(locked);
            return Some(self.win_at_once(ticket));
        }
        let in_vain = locked.tag() + usize::from(self.is_eventual());
        locked.push_front(0, in_vain);
        self.meet(locked, waker, true)
    }

    /// A wait that was about to queue has the lock: its waker is not needed.
    #[cold]
    fn win_at_once(&self, mut ticket: Ticket<'_, Watch>) -> Held<'_> {
        let held = Held(self);
        discard(ticket.replace_waker(None));
        held
    }

    /// A queued wait meets a lock that has been handed to another one and is not
    /// claimed, if that is so. Opens the list. `first`: it has just queued.
    #[inline]
    fn meet<'a>(
        &'a self,
        locked: LockedTicket<'_, Watch>,
        waker: Option<&Waker>,
        first: bool,
    ) -> Option<Held<'a>> {
        if self.seat.is_taken() {
            self.meet_seated(locked, waker, first)
        } else {
            None
        }
    }

    #[cold]
    fn meet_seated<'a>(
        &'a self,
        mut locked: LockedTicket<'_, Watch>,
        waker: Option<&Waker>,
        first: bool,
    ) -> Option<Held<'a>> {
        let met = locked.meet_seated(&self.seat, first, self.is_eventual());
        match met {
            Met::Nothing => None,
            Met::Again(yields) => {
                drop(locked);
                wake_again(waker, yields);
                None
            }
            Met::Own | Met::Stale => {
                // LOCKED is ours, and we have the inner lock: no other thread changes the
                // word, from which one queued wait is counted out.
                let state = self.state.load(Ordering::Relaxed);
                self.state.store(state - WAITER, Ordering::Relaxed);
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
                if let Met::Again(yields) = again {
                    wake_again(waker, yields);
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
        // A clone of the waker, made while the list was open.
        let mut spare = None;
        let held = loop {
            let mut locked = ticket.lock();
            if locked.claim(&self.seat) {
                break Some(Held(self));
            }
            if locked.status() == CALLED {
                drop(locked);
                break self.come(ticket.again(), waker);
            }
            if self.take_queued() {
                let held = Held(self);
                let own = locked.remove();
                drop(locked);
                discard(own);
                break Some(held);
            }
            let known = waker.is_none_or(|waker| locked.will_wake(waker));
            if !known && spare.is_none() {
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

    /// Takes a free lock for a queued wait, and counts it out.
    fn take_queued(&self) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & LOCKED == 0 {
            match self.state.compare_exchange_weak(
                state,
                (state | LOCKED) - WAITER,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(actual) => state = actual,
            }
        }
        false
    }

    /// Leaves a lock that is won in the seat: the budget is spent, and `waker`
    /// will be woken to come back for it.
    #[cold]
    fn keep(held: Held<'_>, ticket: &mut Ticket<'_, Watch>, waker: &Waker) {
        let mutex = held.into_raw();
        ticket.lock().sit(&mutex.seat, waker);
    }

    /// Takes a wait out of the queue, or passes on the lock that it was handed
    /// or called for.
    #[inline]
    pub(super) fn abandon(&self, ticket: Ticket<'_, Watch>) {
        if matches!(ticket.status(), QUEUED | SEATED | CALLED) {
            self.abandon_place(ticket);
        }
    }

    #[cold]
    fn abandon_place(&self, mut ticket: Ticket<'_, Watch>) {
        let mut locked = ticket.lock();
        if locked.claim(&self.seat) {
            drop(locked);
            return self.unlock();
        }
        if let Some((_, own)) = locked.try_remove() {
            self.state.fetch_sub(WAITER, Ordering::Relaxed);
            drop(locked);
            return discard(own);
        }
        // If the lock is held, the unlock calls the next.
        let next = if self.is_locked() {
            None
        } else {
            self.call_front(&mut locked)
        };
        drop(locked);
        wake(next);
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

    /// For a caller that holds the lock by invariant HELD, and gives that up to this.
    #[inline]
    pub(super) fn from_raw(mutex: &'a RawMutex) -> Self {
        Self(mutex)
    }
}
