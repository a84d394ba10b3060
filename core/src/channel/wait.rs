//! The machine of a single wait: from its first poll to its outcome, or to its
//! drop. It is the same for senders, receivers and those who wait for the close,
//! for futures, for the standing wait of a `Stream` or `Sink`, and for a
//! [`Waiter`](super::Waiter).

use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::chan::{
    Chan, List, PROMISES, RECEIVERS, REFUSED, SENDERS, SLOTS, TAKEN, Ticket, WATCHERS,
};
use crate::io::Io;
use crate::wait_list::{Entry, IDLE, LockedTicket, NewTicket, Owner, QUEUED, SEATED};
use crate::wake_batch::{Finally, discard};

/// What a future panics with that is polled once too often.
pub(super) const FINISHED: &str = "a wait of a channel was polled after it had finished";

/// What a wait waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// As many slots as its tag says.
    Sender,
    /// A message.
    Receiver,
    /// The close, by which it is refused.
    Watcher,
}

impl Side {
    #[inline]
    const fn queue(self) -> usize {
        match self {
            Self::Sender => SENDERS,
            Self::Receiver => RECEIVERS,
            Self::Watcher => WATCHERS,
        }
    }

    #[inline]
    pub(super) const fn grants(self) -> Option<usize> {
        match self {
            Self::Sender => Some(SLOTS),
            Self::Receiver => Some(PROMISES),
            Self::Watcher => None,
        }
    }
}

/// What became of the first poll of a future.
pub(super) enum Plain<O> {
    /// It is over.
    Won(O),
    /// There is no budget: it takes its place all the same.
    Unpaid,
    /// There is something to heed.
    Not,
}

/// The channel is closed for this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused;

/// A poll of a future: the executor, and whether the wait has paid.
///
/// The budget is spent when the wait is won, or seems to be: by the hint a wait
/// pays first, and then needs the lock once. If another was faster it queues, and
/// does not pay again.
pub(super) struct Turn<'t, 'cx, I> {
    pub(super) io: &'t I,
    pub(super) cx: &'t mut Context<'cx>,
    pub(super) spent: &'t mut bool,
}

/// Whether a wait has paid, if need be now.
#[inline]
fn pay<I: Io>(io: &I, cx: &mut Context<'_>, spent: &mut bool) -> bool {
    *spent = *spent || io.poll_spend(cx).is_ready();
    *spent
}

type Locked<'a, T> = LockedTicket<'a, super::chan::State<T>, super::chan::Rings>;

impl<T> Chan<T> {
    /// The first poll of a future for which it seems that it has nothing to heed, if
    /// `attempt` finds that so; small enough to be inlined.
    #[inline(always)]
    pub(super) fn poll_plainly<O>(
        ticket: NewTicket<'_>,
        turn: Turn<'_, '_, impl Io>,
        attempt: impl FnOnce() -> Option<O>,
    ) -> Plain<O> {
        if !pay(turn.io, turn.cx, turn.spent) {
            return Plain::Unpaid;
        }
        match attempt() {
            Some(won) => {
                ticket.set(TAKEN, 1);
                Plain::Won(won)
            }
            None => Plain::Not,
        }
    }

    /// Polls a wait. Once it is won `act` gets the locked list, in which the win
    /// is counted, and opens it.
    ///
    /// Without a turn it is the wait of a `Waiter`, which is as new when it has
    /// ended, and whose waker is in its node.
    #[inline]
    pub(super) fn poll_wait<I: Io, O>(
        &self,
        side: Side,
        mut ticket: Ticket<'_, T>,
        mut turn: Option<Turn<'_, '_, I>>,
        act: impl FnOnce(List<'_, T>) -> O,
    ) -> Poll<Result<O, Refused>> {
        let wanted = ticket.tag();
        let ended = if turn.is_some() { TAKEN } else { IDLE };
        if let Some(idle) = ticket.idle() {
            if wanted == 0 || self.seems_won(side) {
                if !spend(&mut turn) {
                    // The budget is spent: it takes its place all the same.
                    if wanted != 0 {
                        self.queue_first(side, ticket, waker_of(&turn));
                    }
                    return Poll::Pending;
                }
                let mut list = self.lock();
                match self.take(&mut list, side, wanted) {
                    Some(Ok(())) => {
                        idle.set(ended, wanted);
                        return Poll::Ready(Ok(act(list)));
                    }
                    Some(Err(refused)) => {
                        idle.set(ended, wanted);
                        return Poll::Ready(Err(refused));
                    }
                    None => {}
                }
            }
            if !self.queue_first(side, ticket.again(), waker_of(&turn)) {
                return Poll::Pending;
            }
        }
        loop {
            match ticket.status() {
                TAKEN => panic!("{FINISHED}"),
                QUEUED => {
                    if !self.look(side, ticket.again(), waker_of(&turn)) {
                        return Poll::Pending;
                    }
                }
                _ if !spend(&mut turn) => return Poll::Pending,
                SEATED => {
                    let mut locked = ticket.lock();
                    if !locked.take_grant() {
                        // Another wait of its task took the grant over.
                        continue;
                    }
                    locked.set(ended, wanted);
                    let mut list = locked.into_locked();
                    if side == Side::Sender && list.receiverless {
                        list.reserved -= wanted;
                        self.open(list);
                        return Poll::Ready(Err(Refused));
                    }
                    return Poll::Ready(Ok(act(list)));
                }
                _ => {
                    ticket.set(ended, wanted);
                    return Poll::Ready(Err(Refused));
                }
            }
        }
    }

    /// Whether a newcomer would not wait.
    #[inline]
    fn seems_won(&self, side: Side) -> bool {
        match side {
            Side::Sender => self.can_send(),
            Side::Receiver => self.can_receive(),
            Side::Watcher => self.is_closed(),
        }
    }

    /// What a newcomer gets without waiting.
    #[inline]
    fn take(
        &self,
        list: &mut List<'_, T>,
        side: Side,
        wanted: usize,
    ) -> Option<Result<(), Refused>> {
        if self.refuses(list, side) {
            return Some(Err(Refused));
        }
        match side {
            Side::Sender if self.admits(list, wanted).is_ok() => list.reserved += wanted,
            Side::Receiver if list.unpromised() != 0 && list.is_empty(RECEIVERS) => {
                list.promised += 1;
            }
            _ => return None,
        }
        Some(Ok(()))
    }

    /// Whether whoever waits on this side waits for nothing.
    #[inline]
    fn refuses(&self, list: &List<'_, T>, side: Side) -> bool {
        match side {
            Side::Sender | Side::Watcher => list.closed,
            Side::Receiver => list.is_over(),
        }
    }

    /// Queues an idle wait, with `waker` or with the one that it has. If it is the
    /// first and there is what it waits for, it is granted that at once. Whether it
    /// is worth looking at.
    #[inline(never)]
    pub(super) fn queue_first(
        &self,
        side: Side,
        mut ticket: Ticket<'_, T>,
        waker: Option<&Waker>,
    ) -> bool {
        ticket.give_waker(waker);
        let wanted = ticket.tag();
        let mut locked = ticket.lock();
        if self.refuses(&locked, side) {
            locked.set(REFUSED, wanted);
            drop(locked);
            discard(ticket.replace_waker(None));
            return true;
        }
        let first = locked.is_empty(side.queue());
        locked.push_back(side.queue(), wanted);
        let granted = match side {
            Side::Sender if first => self.grant_slots(&mut locked),
            Side::Receiver if first => self.grant_message(&mut locked),
            _ => None,
        };
        let has_sibling = granted.is_none()
            && side
                .grants()
                .is_some_and(|ring| locked.granted_sibling(ring, |_| true).is_some());
        self.publish(&locked);
        drop(locked);
        let Some(own) = granted else {
            return has_sibling;
        };
        // It need not be woken.
        discard(own);
        true
    }

    /// Looks at a queued wait, and makes sure that `waker`, if there is one, is
    /// the one that will be woken. Whether the wait is not queued any more: by a
    /// grant, a refusal, or instead of another wait of the same task.
    #[inline(never)]
    fn look(&self, side: Side, mut ticket: Ticket<'_, T>, waker: Option<&Waker>) -> bool {
        // A clone of the waker, made while the lock was open.
        let mut spare: Option<Waker> = None;
        let mut renewed = false;
        let settled = loop {
            let mut locked = ticket.lock();
            if locked.status() != QUEUED {
                break true;
            }
            if self.refuses(&locked, side) {
                // By CLOSED, a refusal is on its way to this wait.
                let wanted = locked.tag();
                let own = locked.remove();
                locked.set(REFUSED, wanted);
                drop(locked);
                discard(own);
                break true;
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
            match self.change_places(side, &mut locked, &mut spare) {
                Sibling::None => break false,
                Sibling::Exchanged => {
                    self.open(locked.into_locked());
                    break true;
                }
                Sibling::Requeued => self.open(locked.into_locked()),
                Sibling::NeedsWaker => {
                    drop(locked);
                    spare = match waker {
                        Some(waker) => Some(waker.clone()),
                        None => ticket.clone_waker(),
                    };
                }
            }
        };
        discard(spare);
        settled
    }

    /// Lets a queued wait have what another wait of its task has been granted and
    /// not fetched: as `Semaphore` does.
    fn change_places(
        &self,
        side: Side,
        locked: &mut Locked<'_, T>,
        spare: &mut Option<Waker>,
    ) -> Sibling {
        let Some(grants) = side.grants() else {
            return Sibling::None;
        };
        let wanted = locked.tag();
        if let Some(sibling) = locked.granted_sibling(grants, |granted| granted >= wanted) {
            let surplus = sibling.tag() - wanted;
            sibling.exchange(side.queue());
            // A receiver's is 0.
            locked.reserved -= surplus;
            return Sibling::Exchanged;
        }
        let Some(sibling) = locked.granted_sibling(grants, |_| true) else {
            return Sibling::None;
        };
        let Some(waker) = spare.take() else {
            return Sibling::NeedsWaker;
        };
        let slots = sibling.tag();
        sibling.requeue(waker);
        locked.reserved -= slots;
        Sibling::Requeued
    }
}

/// Takes a wait out of the queue, or passes on what it was granted.
#[inline]
pub(super) fn abandon<T>(side: Side, entry: Pin<&mut Entry<impl Owner<Target = Chan<T>>>>) {
    if matches!(entry.status(), QUEUED | SEATED) {
        abandon_place(side, entry);
    }
}

#[cold]
fn abandon_place<T>(side: Side, entry: Pin<&mut Entry<impl Owner<Target = Chan<T>>>>) {
    let (chan, ticket) = entry.parts();
    leave(side, chan, ticket);
}

/// Takes a wait that is queued, or has been granted something, out. It touches no
/// message.
pub(super) fn leave<T>(side: Side, chan: &Chan<T>, mut ticket: Ticket<'_, T>) {
    let mut waker = None;
    let mut locked = ticket.lock();
    if let Some((_, own)) = locked.try_remove() {
        if side != Side::Sender {
            // It was in nobody's way.
            chan.publish(&locked);
            drop(locked);
            return discard(own);
        }
        waker = own;
    } else if locked.take_grant() {
        match side {
            Side::Sender => {
                let slots = locked.tag();
                locked.reserved -= slots;
            }
            Side::Receiver => locked.promised -= 1,
            Side::Watcher => {}
        }
    }
    // Also if a waker panics.
    let _own = Finally(|| discard(waker.take()));
    chan.open(locked.into_locked());
}

/// What a queued wait found among the grants.
enum Sibling {
    /// None of its own task.
    None,
    /// It has the sibling's grant now.
    Exchanged,
    /// The sibling's grant was too small and went back.
    Requeued,
    /// The sibling must be queued again, for which a waker is needed.
    NeedsWaker,
}

#[inline]
fn waker_of<'t, I>(turn: &'t Option<Turn<'_, '_, I>>) -> Option<&'t Waker> {
    turn.as_ref().map(|turn| turn.cx.waker())
}

#[inline]
fn spend<I: Io>(turn: &mut Option<Turn<'_, '_, I>>) -> bool {
    turn.as_mut()
        .is_none_or(|turn| pay(turn.io, turn.cx, turn.spent))
}
