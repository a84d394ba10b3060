//! The machine of a single wait: from its first poll to its outcome, or to its
//! drop. It is the same for senders, receivers and waits for the close,
//! for futures, for the standing wait of a `Stream` or `Sink`, and for a
//! [`Waiter`](super::Waiter).

use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::chan::{
    Chan, List, PROMISES, RECEIVERS, REFUSED, SENDERS, SLOTS, TAKEN, Ticket, WATCHERS,
};
use crate::io::Io;
use crate::wait_list::{
    CALLED, Entry, IDLE, Kept, Leave, LockedTicket, Met, NewTicket, Owner, QUEUED, SEATED,
};
use crate::wake_batch::{Finally, discard, wake_again};

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

    /// What a newcomer gets without waiting, fetched by `act`.
    #[inline]
    pub(super) fn take_now<O>(
        &self,
        side: Side,
        act: impl FnOnce(List<'_, T>) -> O,
    ) -> Option<Result<O, Refused>> {
        let mut list = self.lock();
        let taken = self.take(&mut list, side, 1)?;
        Some(taken.map(|()| act(list)))
    }

    /// Polls a wait. Once it is won `act` gets the locked list, in which the win
    /// is counted, and opens it.
    #[inline]
    pub(super) fn poll_wait<I: Io, O>(
        &self,
        side: Side,
        ticket: Ticket<'_, T>,
        turn: Option<Turn<'_, '_, I>>,
        act: impl FnOnce(List<'_, T>) -> O,
    ) -> Poll<Result<O, Refused>> {
        self.poll_wait_as(side, ticket, turn, None, act)
    }

    /// [`poll_wait`](Self::poll_wait). Without a turn it is the wait of a `Waiter`,
    /// which is as new when it has ended, and whose waker is in its node and `own`.
    #[inline]
    pub(super) fn poll_wait_as<I: Io, O>(
        &self,
        side: Side,
        mut ticket: Ticket<'_, T>,
        mut turn: Option<Turn<'_, '_, I>>,
        own: Option<&Waker>,
        act: impl FnOnce(List<'_, T>) -> O,
    ) -> Poll<Result<O, Refused>> {
        let wanted = ticket.tag();
        let ended = if turn.is_some() { TAKEN } else { IDLE };
        if let Some(idle) = ticket.idle() {
            if wanted == 0 || self.seems_won(side) {
                if !spend(&mut turn) {
                    // The budget is spent: it takes its place all the same.
                    if wanted != 0 {
                        self.queue(side, ticket, waker_of(&turn), false);
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
            let waker = waker_of(&turn).or(own);
            if !self.queue(side, ticket.again(), waker, turn.is_none()) {
                return Poll::Pending;
            }
        }
        self.poll_queued(side, ticket, turn, own, act)
    }

    /// Polls a wait that is or was queued.
    #[inline]
    fn poll_queued<I: Io, O>(
        &self,
        side: Side,
        mut ticket: Ticket<'_, T>,
        mut turn: Option<Turn<'_, '_, I>>,
        own: Option<&Waker>,
        act: impl FnOnce(List<'_, T>) -> O,
    ) -> Poll<Result<O, Refused>> {
        let wanted = ticket.tag();
        let ended = if turn.is_some() { TAKEN } else { IDLE };
        loop {
            match ticket.status() {
                TAKEN => panic!("{FINISHED}"),
                CALLED => {
                    if self.seems_won(side) {
                        if !spend(&mut turn) {
                            // The budget is spent: it takes its place all the same.
                            self.come(side, ticket, waker_of(&turn));
                            return Poll::Pending;
                        }
                        let mut list = self.lock();
                        if let Some(taken) = self.take_called(side, &mut list, wanted) {
                            ticket.set(ended, wanted);
                            return Poll::Ready(taken.map(|()| act(list)));
                        }
                    }
                    if !self.come(side, ticket.again(), waker_of(&turn).or(own)) {
                        return Poll::Pending;
                    }
                }
                QUEUED => {
                    if !self.look(side, ticket.again(), waker_of(&turn).or(own)) {
                        return Poll::Pending;
                    }
                }
                _ if !spend(&mut turn) => return Poll::Pending,
                SEATED => {
                    let mut locked = ticket.lock();
                    if !side
                        .grants()
                        .is_some_and(|grants| locked.take_grant(grants))
                    {
                        // It has gone on to another wait.
                        continue;
                    }
                    locked.set(ended, wanted);
                    let mut list = locked.into_locked();
                    if side == Side::Sender && list.receiverless {
                        self.free_slots(&mut list, wanted);
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
    pub(super) fn seems_won(&self, side: Side) -> bool {
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
            Side::Receiver if list.unpromised() != 0 && self.may_receive(list) => {
                list.promised += 1;
            }
            _ => return None,
        }
        Some(Ok(()))
    }

    /// What a wait that was CALLED gets, unless it has to queue as the first.
    fn take_called(
        &self,
        side: Side,
        list: &mut List<'_, T>,
        wanted: usize,
    ) -> Option<Result<(), Refused>> {
        let taken = if self.refuses(list, side) {
            Err(Refused)
        } else if self.is_there(side, list, wanted) {
            match side {
                Side::Sender => list.reserved += wanted,
                _ => list.promised += 1,
            }
            Ok(())
        } else {
            return None;
        };
        self.end_call(side, list, wanted);
        if taken.is_err() {
            self.publish(list);
        }
        Some(taken)
    }

    /// Whether a wait on this side waits for nothing.
    #[inline]
    fn refuses(&self, list: &List<'_, T>, side: Side) -> bool {
        match side {
            Side::Sender | Side::Watcher => list.closed,
            Side::Receiver => list.is_over(),
        }
    }

    /// Queues an idle wait, as the last, with a clone of `waker` unless it has one. If it
    /// is the first and there is what it waits for, it is granted that at once. Whether it
    /// is worth looking at.
    #[inline(never)]
    pub(super) fn queue(
        &self,
        side: Side,
        mut ticket: Ticket<'_, T>,
        waker: Option<&Waker>,
        has_waker: bool,
    ) -> bool {
        ticket.give_waker(waker.filter(|_| !has_waker));
        let wanted = ticket.tag();
        let mut locked = ticket.lock();
        if self.refuses(&locked, side) {
            locked.set(REFUSED, wanted);
            drop(locked);
            discard(ticket.replace_waker(None));
            return true;
        }
        let is_first = locked.is_empty(side.queue());
        locked.push_back(side.queue(), wanted);
        if is_first && self.is_there(side, &locked, wanted) {
            self.grant_to_first(side, locked, wanted);
            return true;
        }
        self.meet(side, locked, waker, true)
    }

    /// A queued wait meets what has been granted on its side and is not claimed. Opens
    /// the lock. Whether the wait is worth looking at, since a grant has gone on.
    #[inline]
    fn meet(&self, side: Side, locked: Locked<'_, T>, waker: Option<&Waker>, first: bool) -> bool {
        match side.grants() {
            Some(grants) if !locked.is_empty(grants) => {
                self.meet_grants(side, grants, locked, waker, first)
            }
            _ => {
                self.publish(&locked);
                false
            }
        }
    }

    #[cold]
    fn meet_grants(
        &self,
        side: Side,
        grants: usize,
        mut locked: Locked<'_, T>,
        waker: Option<&Waker>,
        first: bool,
    ) -> bool {
        let is_eventual = locked.senders.queue.is_eventual();
        let met = locked.meet_grants(grants, first, is_eventual);
        if matches!(met, Met::Nothing | Met::Again(_)) {
            self.publish(&locked);
            drop(locked);
            if let Met::Again(yields) = met {
                wake_again(waker, yields);
            }
            return false;
        }
        let tag = locked.call_watched(grants);
        if side == Side::Sender {
            self.free_slots(&mut locked, tag);
        } else {
            self.free_promise(&mut locked);
        }
        if met == Met::Own {
            locked.move_to_front(side.queue());
        }
        self.open(locked.into_locked());
        true
    }

    /// A wait that was CALLED comes: it gets what is there, or queues as the first.
    /// Whether it is worth looking at.
    #[cold]
    fn come(&self, side: Side, mut ticket: Ticket<'_, T>, waker: Option<&Waker>) -> bool {
        let wanted = ticket.tag();
        ticket.bring_waker(waker);
        let mut locked = ticket.lock();
        self.end_call(side, &mut locked, wanted);
        if self.refuses(&locked, side) {
            locked.set(REFUSED, wanted);
            self.publish(&locked);
            drop(locked);
            discard(ticket.replace_waker(None));
            return true;
        }
        locked.push_front(side.queue(), wanted);
        if self.is_there(side, &locked, wanted) {
            self.grant_to_first(side, locked, wanted);
            return true;
        }
        match side {
            Side::Sender => locked.senders.queue.count_in_vain(),
            _ => locked.receivers.queue.count_in_vain(),
        }
        self.meet(side, locked, waker, false)
    }

    /// Whether a queued wait may have what is there, also if it is not the first.
    #[inline]
    fn is_open(&self, side: Side, list: &List<'_, T>) -> bool {
        match side {
            Side::Sender => list.senders.is_open(),
            Side::Receiver => list.receivers.is_open(),
            Side::Watcher => false,
        }
    }

    /// Whether what a wait waits for is there and free.
    #[inline]
    fn is_there(&self, side: Side, list: &List<'_, T>, wanted: usize) -> bool {
        match side {
            Side::Sender => wanted <= self.free(list),
            Side::Receiver => list.unpromised() != 0,
            Side::Watcher => false,
        }
    }

    /// Grants what there is to this wait, which is the first in its queue. Opens the
    /// lock.
    fn grant_to_first(&self, side: Side, mut locked: Locked<'_, T>, wanted: usize) {
        let own = match side {
            Side::Sender => {
                locked.reserved += wanted;
                locked.grant_front(SENDERS, SLOTS)
            }
            _ => {
                locked.promised += 1;
                locked.grant_front(RECEIVERS, PROMISES)
            }
        };
        // Also if a waker panics. It need not be woken.
        let mut own = own.flatten();
        let _own = Finally(|| discard(own.take()));
        self.open(locked.into_locked());
    }

    /// A wait that was called has come, or does not come any more.
    fn end_call(&self, side: Side, list: &mut List<'_, T>, wanted: usize) {
        let state = match side {
            Side::Sender => &mut list.senders,
            _ => &mut list.receivers,
        };
        state.called = state.called.saturating_sub(wanted);
    }

    /// Looks at a queued wait, and makes sure that `waker`, if there is one, is
    /// the one that will be woken. Whether the wait is not queued any more: by a
    /// grant or a refusal.
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
            let wanted = locked.tag();
            if self.is_open(side, &locked) && self.is_there(side, &locked, wanted) {
                locked.move_to_front(side.queue());
                self.grant_to_first(side, locked, wanted);
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
            // Also if the waker panics.
            let _spare = Finally(|| discard(spare.take()));
            if !self.meet(side, locked, waker, false) {
                return false;
            }
        };
        discard(spare);
        settled
    }
}

/// A poll of a future for one message or slot that is not over at first sight; `act`
/// fetches what is won. It takes a share of the channel only to queue.
#[inline(always)]
pub(super) fn poll_kept<T, I: Io, O, const SIDE: usize>(
    side: Side,
    mut entry: Pin<&mut Kept<'_, Chan<T>, SIDE>>,
    io: &I,
    cx: &mut Context<'_>,
    mut act: impl FnMut(&Chan<T>, List<'_, T>) -> O,
) -> Poll<Result<O, Refused>>
where
    Chan<T>: Leave<SIDE>,
{
    let mut spent = entry.has_paid();
    let first = entry.as_mut().first_parts();
    let is_first = first.is_some();
    if let Some((chan, ticket)) = first.filter(|(chan, _)| chan.seems_won(side)) {
        let turn = Turn {
            io,
            cx: &mut *cx,
            spent: &mut spent,
        };
        let attempt = || chan.take_now(side, |list| act(chan, list));
        match Chan::<T>::poll_plainly(ticket, turn, attempt) {
            Plain::Won(outcome) => return Poll::Ready(outcome),
            Plain::Unpaid => {
                queue_unpaid(side, entry, cx);
                return Poll::Pending;
            }
            Plain::Not => {}
        }
    }
    let (chan, mut ticket) = entry.as_mut().parts();
    let mut polled = Poll::Pending;
    if !is_first || chan.queue(side, ticket.again(), Some(cx.waker()), false) {
        let turn = Turn {
            io,
            cx,
            spent: &mut spent,
        };
        polled = chan.poll_queued(side, ticket, Some(turn), None, |list| act(chan, list));
    }
    if spent && polled.is_pending() {
        entry.set_paid();
    }
    polled
}

/// Queues a new wait for which there is no budget: it takes its place all the same.
#[cold]
pub(super) fn queue_unpaid<T, const SIDE: usize>(
    side: Side,
    entry: Pin<&mut Kept<'_, Chan<T>, SIDE>>,
    cx: &mut Context<'_>,
) where
    Chan<T>: Leave<SIDE>,
{
    let (chan, ticket) = entry.parts();
    chan.queue(side, ticket, Some(cx.waker()), false);
}

/// Takes a wait out of the queue, or passes on what it was granted.
#[inline]
pub(super) fn abandon<T>(side: Side, entry: Pin<&mut Entry<impl Owner<Target = Chan<T>>>>) {
    if matches!(entry.status(), QUEUED | SEATED | CALLED) {
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
            // It was in no other wait's way.
            chan.publish(&locked);
            drop(locked);
            return discard(own);
        }
        waker = own;
    } else if locked.status() == CALLED {
        let wanted = locked.tag();
        locked.set(IDLE, wanted);
        chan.end_call(side, &mut locked, wanted);
    } else if side
        .grants()
        .is_some_and(|grants| locked.take_grant(grants))
    {
        match side {
            Side::Sender => {
                let slots = locked.tag();
                chan.free_slots(&mut locked, slots);
            }
            Side::Receiver => chan.free_promise(&mut locked),
            Side::Watcher => {}
        }
    }
    // Also if a waker panics.
    let _own = Finally(|| discard(waker.take()));
    chan.open(locked.into_locked());
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
