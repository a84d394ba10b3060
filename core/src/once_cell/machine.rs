//! The machine of a single wait: how it takes the turn, queues, is offered the
//! turn and passes that on. The same for a future and a `Waiter`.

use core::mem;
use core::task::Waker;

use super::OnceCell;
use super::line::{self, Line};
use crate::primitive::Ordering;
use crate::wait_list::{IDLE, Locked, LockedTicket, QUEUED, Ring, Ticket, VERDICT};
use crate::wake_batch::{Finally, discard, wake};

// The kinds of the state word.
pub(super) const EMPTY: usize = 0;
pub(super) const RUNNING: usize = 1;
pub(super) const READY: usize = 2;
pub(super) const KIND: usize = 0b11;
// The bits beside the kind.
/// See invariant WAITING.
pub(super) const WAITING: usize = 0b100;
/// See invariant OFFER.
pub(super) const OFFER: usize = 0b1000;

// The rings.
pub(super) const INITIALISERS: usize = 0;
pub(super) const ONLOOKERS: usize = 1;

// The verdicts on a node.
/// The wait was the first in its queue when the turn ended: it has been woken to
/// take the turn, if it is still free when it comes.
pub(super) const OFFERED: usize = VERDICT;
/// The wait's initialiser has been started and is pending.
pub(super) const RUNNING_INIT: usize = VERDICT + 1;
/// The value is there.
pub(super) const WON: usize = VERDICT + 2;
/// The wait has returned, or has panicked.
pub(super) const FINISHED: usize = VERDICT + 3;

pub(super) type Rings = [Ring; 2];
pub(super) type CellTicket<'a> = Ticket<'a, Line, Rings>;
type LockedCell<'a> = Locked<'a, Line, Rings>;
type LockedOwn<'a> = LockedTicket<'a, Line, Rings>;

impl<T> OnceCell<T> {
    /// Takes the turn if the cell is empty and has none of the bits `but`, without
    /// the lock.
    #[inline]
    pub(super) fn begin(&self, but: usize) -> Begun<'_, T> {
        let mut state = EMPTY;
        loop {
            match self.state.compare_exchange(
                state,
                state & WAITING | RUNNING,
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Begun::Turn(Turn::of(self)),
                Err(actual) => state = actual,
            }
            match state & KIND {
                EMPTY if state & but == 0 => {}
                READY => return Begun::Ready,
                _ => return Begun::Busy,
            }
        }
    }

    /// Queues an idle wait, with a clone of a waker if it has none of its own,
    /// unless the value is there, or the turn is free and wanted. One that was
    /// `offered` the turn has the tag of its place. One that has its own waker
    /// already is not held off: it was offered the turn, or is no future and does
    /// not come again by itself.
    pub(super) fn join(
        &self,
        mut ticket: CellTicket<'_>,
        ring: usize,
        waker: Option<&Waker>,
        offered: Option<usize>,
    ) -> Progress<'_, T> {
        ticket.give_waker(waker);
        let mut locked = ticket.lock();
        let polite = waker.is_some();
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let next = match state & KIND {
                READY => {
                    drop(locked);
                    ticket.set(WON, 0);
                    discard(ticket.replace_waker(None));
                    return Progress::Ready;
                }
                EMPTY if ring == INITIALISERS && !(polite && holds_off(state, &locked)) => {
                    state | RUNNING
                }
                // While the bit is set and we hold the lock, the state may
                // become READY, but then the lock is awaited to wake us.
                _ if state & WAITING != 0 => break,
                _ => state | WAITING,
            };
            match self
                .state
                .compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) if next & KIND != state & KIND => {
                    // Ours from here on: it ends if the waker panics.
                    let turn = Turn::of(self);
                    drop(locked);
                    discard(ticket.replace_waker(None));
                    return Progress::Turn(turn);
                }
                Ok(_) => break,
                Err(actual) => state = actual,
            }
        }
        let held_off = ring == INITIALISERS && state & KIND == EMPTY;
        match offered {
            Some(tag) => locked.push_in_order(ring, line::in_vain(tag)),
            None => {
                let is_first = ring == INITIALISERS && locked.is_empty(ring);
                if is_first && state & OFFER == 0 {
                    locked.passed = false;
                }
                let tag = locked.next_place();
                locked.push_back(ring, tag);
            }
        }
        if let (true, Some(waker)) = (held_off, waker) {
            locked.polls -= 1;
            drop(locked);
            waker.wake_by_ref();
        }
        Progress::Waiting
    }

    /// How far a wait has come; queues it, or renews its waker, if it has to
    /// wait.
    pub(super) fn advance(
        &self,
        mut ticket: CellTicket<'_>,
        ring: usize,
        waker: &Waker,
    ) -> Progress<'_, T> {
        match ticket.status() {
            IDLE if ring == ONLOOKERS => {
                if self.is_initialized() {
                    ticket.set(WON, 0);
                    return Progress::Ready;
                }
                self.join(ticket, ring, Some(waker), None)
            }
            IDLE => match self.begin(OFFER) {
                Begun::Turn(turn) => Progress::Turn(turn),
                Begun::Ready => {
                    ticket.set(WON, 0);
                    Progress::Ready
                }
                Begun::Busy => self.join(ticket, INITIALISERS, Some(waker), None),
            },
            OFFERED => self.come(ticket, waker),
            QUEUED => self.renew(ticket, ring, waker),
            RUNNING_INIT => Progress::Turn(Turn::of(self)),
            WON => Progress::Ready,
            _ => panic!("a wait on a `OnceCell` was polled after it had finished"),
        }
    }

    /// A wait with an initialiser that was offered the turn takes it, or queues.
    #[cold]
    fn come(&self, mut ticket: CellTicket<'_>, waker: &Waker) -> Progress<'_, T> {
        match self.begin(0) {
            Begun::Turn(turn) => Progress::Turn(turn),
            Begun::Ready => {
                ticket.set(WON, 0);
                Progress::Ready
            }
            Begun::Busy => {
                let place = ticket.tag();
                // Cloned while the offer is still ours to pass on, if this panics.
                ticket.bring_waker(Some(waker));
                self.join(ticket, INITIALISERS, None, Some(place))
            }
        }
    }

    /// A queued wait is polled again: what has become of it, else makes sure
    /// that `waker` is the one that will be woken.
    #[cold]
    fn renew(&self, mut ticket: CellTicket<'_>, ring: usize, waker: &Waker) -> Progress<'_, T> {
        let mut fresh = None;
        let mut held_off = false;
        loop {
            let mut locked = ticket.lock();
            if locked.status() != QUEUED {
                drop(locked);
                discard(fresh);
                return match ticket.status() {
                    OFFERED => self.come(ticket, waker),
                    _ => Progress::Ready,
                };
            }
            if let Some((progress, own)) = self.look(&mut locked, ring, Some(&mut held_off)) {
                drop(locked);
                discard(own);
                discard(fresh);
                return progress;
            }
            let renewed = locked.will_wake(waker);
            let outdated = match fresh.take() {
                Some(fresh) if !renewed => locked.replace_waker(Some(fresh)),
                unused => unused,
            };
            let replaced = outdated.is_some();
            drop(locked);
            discard(outdated);
            if renewed || replaced {
                if held_off {
                    waker.wake_by_ref();
                }
                return Progress::Waiting;
            }
            fresh = Some(waker.clone());
        }
    }

    /// What a queued wait finds: the value, or the turn, with which it leaves its
    /// queue, and its waker. `held_off` is told when an offer holds it off, at most
    /// once in a poll; nothing holds off a wait without it.
    pub(super) fn look(
        &self,
        locked: &mut LockedOwn<'_>,
        ring: usize,
        mut held_off: Option<&mut bool>,
    ) -> Option<(Progress<'_, T>, Option<Waker>)> {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            match state & KIND {
                READY => {
                    // The caller that wakes us is on the way.
                    let own = locked.remove();
                    locked.set(WON, 0);
                    return Some((Progress::Ready, own));
                }
                EMPTY if ring == INITIALISERS => {}
                _ => return None,
            }
            if let Some(already) = &mut held_off {
                if state & OFFER != 0 && (**already || locked.polls > 0) {
                    locked.polls -= u16::from(!mem::replace(*already, true));
                    return None;
                }
            }
            match self.state.compare_exchange_weak(
                state,
                state | RUNNING,
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    let turn = Turn::of(self);
                    let own = locked.remove();
                    self.forget_waiting(locked);
                    return Some((Progress::Turn(turn), own));
                }
                Err(actual) => state = actual,
            }
        }
    }

    /// Ends a wait that is not initialising: takes it out of its queue, or
    /// passes on what it was offered.
    #[inline]
    pub(super) fn abandon(&self, ticket: &mut CellTicket<'_>) {
        if ticket.status() == QUEUED {
            self.unqueue(ticket);
        }
        let offered = ticket.status() == OFFERED;
        ticket.set(IDLE, 0);
        if offered {
            self.pass_offer();
        }
    }

    fn unqueue(&self, ticket: &mut CellTicket<'_>) {
        let mut locked = ticket.lock();
        if let Some((_, waker)) = locked.try_remove() {
            self.forget_waiting(&locked);
            drop(locked);
            discard(waker);
        }
    }

    /// Clears the bit WAITING if no wait is left.
    #[inline]
    fn forget_waiting(&self, locked: &LockedCell<'_>) {
        if locked.is_empty(INITIALISERS) && locked.is_empty(ONLOOKERS) {
            // The state may become READY at this very moment, which this
            // leaves as it is.
            self.state.fetch_and(!WAITING, Ordering::Relaxed);
        }
    }

    /// The turn has ended without a value, and there are waits.
    #[cold]
    fn pass_turn(&self) {
        let mut locked = self.list.lock();
        // With the bit it was taken by another than the one that was offered it.
        locked.passed |= self.state.load(Ordering::Relaxed) & OFFER != 0;
        let (bits, waker) = offer(&mut locked);
        // By TURN and WAITING nothing else changes the state meanwhile.
        self.state.store(EMPTY | bits, Ordering::Release);
        drop(locked);
        self.wake_offered(waker);
    }

    /// A wait that was offered the turn does not want it: the next is offered it,
    /// if it is still free.
    #[cold]
    fn pass_offer(&self) {
        let mut locked = self.list.lock();
        if self.state.load(Ordering::Relaxed) & KIND != EMPTY {
            // It is offered when the turn that is taken ends.
            return;
        }
        let (bits, waker) = offer(&mut locked);
        let free = |state| (state & KIND == EMPTY).then_some(EMPTY | bits);
        let order = Ordering::Relaxed;
        if self.state.fetch_update(order, order, free).is_err() {
            self.forget_waiting(&locked);
        }
        drop(locked);
        self.wake_offered(waker);
    }

    /// Wakes the wait that has been offered the turn; if its waker panics, the next
    /// is offered it, too.
    fn wake_offered(&self, waker: Option<Waker>) {
        let next = Finally(|| self.pass_offer());
        wake(waker);
        mem::forget(next);
    }

    /// The cell is initialised, and there are waits.
    #[cold]
    fn wake_waiting(&self) {
        /// Wakes the second ring, also if a waker of the first panics.
        struct Rest<'a, T>(&'a OnceCell<T>);

        impl<T> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                self.0.settle(ONLOOKERS);
            }
        }

        let _rest = Rest(self);
        self.settle(INITIALISERS);
    }

    fn settle(&self, ring: usize) {
        let locked = self.list.lock();
        if !locked.is_empty(ring) {
            locked.settle_all(ring, WON);
        }
    }

    /// The value of a wait that has won.
    #[inline]
    pub(super) fn won(&self) -> &T {
        self.get().expect("a wait has won, and there is no value")
    }
}

/// Whether an offer keeps others than its owner from taking the turn.
#[inline]
fn holds_off(state: usize, locked: &LockedCell<'_>) -> bool {
    state & OFFER != 0 && locked.polls > 0
}

/// Takes the first initialiser out of its queue to offer it the turn; what the bits
/// of the state become, and its waker.
fn offer(locked: &mut LockedCell<'_>) -> (usize, Option<Waker>) {
    let mut bits = 0;
    let first = locked.front(INITIALISERS).map(|first| first.tag());
    if let Some(tag) = first {
        locked.offer(tag);
        bits |= OFFER;
    }
    let waker = locked.pop_front(INITIALISERS, OFFERED).flatten();
    if !(locked.is_empty(INITIALISERS) && locked.is_empty(ONLOOKERS)) {
        bits |= WAITING;
    }
    (bits, waker)
}

/// The right to initialise a cell, see invariant TURN. Dropped without a value,
/// it is free again, and offered to the next.
pub(super) struct Turn<'a, T> {
    cell: &'a OnceCell<T>,
}

impl<'a, T> Turn<'a, T> {
    /// The turn of a caller that has just taken it, or of a wait whose status says
    /// that it has it.
    #[inline]
    pub(super) fn of(cell: &'a OnceCell<T>) -> Self {
        Self { cell }
    }

    #[inline]
    pub(super) fn publish(self, value: T) {
        let cell = self.cell;
        mem::forget(self);
        // SAFETY: invariant TURN: the place is ours alone, and nothing is in it.
        cell.value.with_mut(|slot| unsafe {
            (*slot).write(value);
        });
        let state = cell.state.swap(READY, Ordering::AcqRel);
        debug_assert_eq!(state & KIND, RUNNING);
        if state & WAITING != 0 {
            cell.wake_waiting();
        }
    }

    /// Leaves the turn with the wait whose status says that it has it.
    #[inline]
    pub(super) fn keep(self) {
        mem::forget(self);
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        let ended =
            self.cell
                .state
                .compare_exchange(RUNNING, EMPTY, Ordering::Release, Ordering::Relaxed);
        if ended.is_err() {
            self.cell.pass_turn();
        }
    }
}

/// What came of trying to initialise without waiting.
pub(super) enum Begun<'a, T> {
    Turn(Turn<'a, T>),
    Busy,
    Ready,
}

/// How far a wait has come.
pub(super) enum Progress<'a, T> {
    Turn(Turn<'a, T>),
    Waiting,
    Ready,
}
