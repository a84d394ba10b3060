//! The machine of a single wait: how it wins, queues, gets the turn and passes
//! it on. The same for a future and a `Waiter`.

use core::mem;
use core::task::Waker;

use super::{OnceCell, reentrancy};
use crate::primitive::Ordering;
use crate::wait_list::{IDLE, Locked, QUEUED, Ring, Ticket, VERDICT};
use crate::wake_batch::{discard, wake};

// The kinds of the state word.
pub(super) const EMPTY: usize = 0;
pub(super) const RUNNING: usize = 1;
pub(super) const READY: usize = 2;
pub(super) const KIND: usize = 0b11;
/// A bit beside the kind, see invariant WAITING.
pub(super) const WAITING: usize = 0b100;

// The rings.
pub(super) const INITIALISERS: usize = 0;
pub(super) const ONLOOKERS: usize = 1;

// The verdicts on a node.
/// It is this wait's turn to initialise.
pub(super) const TURN: usize = VERDICT;
/// The wait's initialiser has been started and is pending.
pub(super) const RUNNING_INIT: usize = VERDICT + 1;
/// The value is there.
pub(super) const WON: usize = VERDICT + 2;
/// The wait has returned, or has panicked.
pub(super) const FINISHED: usize = VERDICT + 3;

pub(super) type Rings = [Ring; 2];
pub(super) type CellTicket<'a> = Ticket<'a, (), Rings>;

impl<T> OnceCell<T> {
    /// Takes the turn if the cell is empty, without the lock.
    #[inline]
    pub(super) fn begin(&self) -> Begun<'_, T> {
        let mut state = EMPTY;
        loop {
            match self.state.compare_exchange(
                state,
                state | RUNNING,
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Begun::Turn(Turn::of(self)),
                Err(actual) => state = actual,
            }
            match state & KIND {
                EMPTY => {}
                READY => return Begun::Ready,
                _ => return Begun::Busy,
            }
        }
    }

    /// Queues an idle wait, with a clone of a waker if it has none of its own,
    /// unless the value is there, or the turn is free and wanted.
    pub(super) fn join(
        &self,
        mut ticket: CellTicket<'_>,
        ring: usize,
        waker: Option<&Waker>,
    ) -> Progress<'_, T> {
        ticket.give_waker(waker);
        let mut locked = ticket.lock();
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let change = match state & KIND {
                READY => {
                    drop(locked);
                    ticket.set(WON, 0);
                    discard(ticket.replace_waker(None));
                    return Progress::Ready;
                }
                EMPTY if ring == INITIALISERS => RUNNING,
                // While the bit is set and we hold the lock, the state may
                // become READY, but then the lock is awaited to wake us.
                _ if state & WAITING != 0 => break,
                _ => WAITING,
            };
            match self.state.compare_exchange_weak(
                state,
                state | change,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) if change == RUNNING => {
                    let turn = Turn::of(self);
                    drop(locked);
                    discard(ticket.replace_waker(None));
                    return Progress::Turn(turn);
                }
                Ok(_) => break,
                Err(actual) => state = actual,
            }
        }
        locked.push_back(ring, 0);
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
            IDLE => {
                if ring == INITIALISERS {
                    if let Begun::Turn(turn) = self.begin() {
                        return Progress::Turn(turn);
                    }
                }
                if self.is_initialized() {
                    ticket.set(WON, 0);
                    return Progress::Ready;
                }
                self.refuse_to_wait_for_itself(waker);
                self.join(ticket, ring, Some(waker))
            }
            QUEUED => self.renew(ticket, waker),
            TURN | RUNNING_INIT => Progress::Turn(Turn::of(self)),
            WON => Progress::Ready,
            _ => panic!("a wait on a `OnceCell` was polled after it had finished"),
        }
    }

    /// A queued wait is polled again: what has become of it, else makes sure
    /// that `waker` is the one that will be woken.
    #[cold]
    fn renew(&self, mut ticket: CellTicket<'_>, waker: &Waker) -> Progress<'_, T> {
        let mut fresh = None;
        loop {
            let mut locked = ticket.lock();
            if locked.status() != QUEUED {
                drop(locked);
                discard(fresh);
                return match ticket.status() {
                    TURN => Progress::Turn(Turn::of(self)),
                    _ => Progress::Ready,
                };
            }
            if self.is_initialized() {
                // Whoever wakes us is on the way.
                let own = locked.remove();
                drop(locked);
                ticket.set(WON, 0);
                discard(own);
                discard(fresh);
                return Progress::Ready;
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
                self.refuse_to_wait_for_itself(waker);
                return Progress::Waiting;
            }
            fresh = Some(waker.clone());
        }
    }

    /// Ends a wait that is not initialising: takes it out of its queue, or
    /// passes on its turn.
    #[inline]
    pub(super) fn abandon(&self, ticket: &mut CellTicket<'_>) {
        if ticket.status() == QUEUED {
            self.unqueue(ticket);
        }
        let turn = (ticket.status() == TURN).then(|| Turn::of(self));
        ticket.set(IDLE, 0);
        drop(turn);
    }

    pub(super) fn unqueue(&self, ticket: &mut CellTicket<'_>) {
        let mut locked = ticket.lock();
        if let Some((_, waker)) = locked.try_remove() {
            self.forget_waiting(&locked);
            drop(locked);
            discard(waker);
        }
    }

    /// Clears the bit WAITING if nobody waits any more.
    #[inline]
    fn forget_waiting(&self, locked: &Locked<'_, (), Rings>) {
        if locked.is_empty(INITIALISERS) && locked.is_empty(ONLOOKERS) {
            // The state may become READY at this very moment, which this
            // leaves as it is.
            self.state.fetch_and(!WAITING, Ordering::Relaxed);
        }
    }

    /// The turn has ended without a value, and somebody waits.
    #[cold]
    fn pass_turn(&self) {
        let mut locked = self.list.lock();
        if locked.is_empty(INITIALISERS) {
            let waiting = if locked.is_empty(ONLOOKERS) {
                0
            } else {
                WAITING
            };
            // By TURN and WAITING nobody else changes the state meanwhile.
            self.state.store(EMPTY | waiting, Ordering::Release);
            return;
        }
        let waker = locked.pop_front(INITIALISERS, TURN);
        // From here on the state is in the hands of the one who was popped.
        self.forget_waiting(&locked);
        drop(locked);
        wake(waker.flatten());
    }

    /// The cell is initialised, and somebody waits.
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

    #[inline]
    fn refuse_to_wait_for_itself(&self, waker: &Waker) {
        if reentrancy::is_within(self, waker) {
            itself();
        }
    }

    /// The value of a wait that has won.
    #[inline]
    pub(super) fn won(&self) -> &T {
        self.get().expect("a wait has won, and there is no value")
    }
}

#[cold]
fn itself() -> ! {
    panic!("the initialiser of a `OnceCell` waits for that same cell, which would never end");
}

/// The right to initialise a cell, see invariant TURN. Dropped without a value,
/// it passes to the next.
pub(super) struct Turn<'a, T> {
    cell: &'a OnceCell<T>,
}

impl<'a, T> Turn<'a, T> {
    /// The turn of whoever has just taken it, or of a wait whose status says
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
