//! [`Chan`]: what the handles of one channel share. The slots and messages under
//! the inner lock, and the waits that they are granted to.

use core::mem;
use core::task::Waker;

use super::buffer::Buffer;
use super::{SendError, TryRecvError, TrySendError};
use crate::fairness::{Fairness, Queue};
use crate::primitive::{AtomicUsize, Ordering};
use crate::wait_list::{
    CALLED, GrantWatch, Grants, Locked, Ring, TicketOf, VERDICT, WaitList, has_list,
};
use crate::wake_batch::{Finally, Panicked, wake, wake_in_rounds};

/// The capacity of a channel without a bound.
pub(super) const UNBOUNDED: usize = usize::MAX;

// The rings. A sender's node is tagged with the number of slots that it waits
// for, a receiver's with 1.
pub(super) const SENDERS: usize = 0;
pub(super) const RECEIVERS: usize = 1;
/// Senders whose slots are reserved and that have not looked yet.
pub(super) const SLOTS: usize = 2;
/// Receivers that have a message promised and have not looked yet.
pub(super) const PROMISES: usize = 3;
/// The waits for the channel to be closed.
pub(super) const WATCHERS: usize = 4;

// The verdicts.
/// The channel was closed, or is over.
pub(super) const REFUSED: usize = VERDICT;
/// The outcome has been handed out.
pub(super) const TAKEN: usize = VERDICT + 1;

// The hints.
/// A send would not wait.
const CAN_SEND: usize = 1;
/// A receive would not wait.
const CAN_RECEIVE: usize = 2;
/// The channel is closed.
const IS_CLOSED: usize = 4;
/// It is open and no task waits: a send or a receive that need not wait has nothing
/// to heed but the counts.
const IS_PLAIN: usize = 8;

pub(super) type Rings = [Ring; 5];
pub(super) type List<'a, T> = Locked<'a, State<T>, Rings>;
pub(super) type Ticket<'a, T> = TicketOf<'a, Chan<T>>;

/// What the handles share.
///
/// `hints` is written under the inner lock whenever the lock is opened with
/// something changed, so there it is exact. It is also read without the lock: by a
/// wait that wants to know whether it is worth spending from the budget before it
/// locks, for which a stale value does, and by `is_closed`, for which Release and
/// Acquire make visible what came before the close.
///
/// The counts of handles only matter when they become zero: each decrement is
/// AcqRel, so the thread that brings one to zero has seen all that the other handles did,
/// and a weak handle's upgrade never leaves zero.
///
/// In this order, so that what each message needs lies together.
#[repr(C)]
pub(super) struct Chan<T> {
    hints: AtomicUsize,
    list: WaitList<State<T>, Rings>,
    capacity: usize,
    pub(super) senders: AtomicUsize,
    pub(super) receivers: AtomicUsize,
    pub(super) weak_senders: AtomicUsize,
    pub(super) weak_receivers: AtomicUsize,
}

has_list!([T] Chan<T>, list: WaitList<State<T>, Rings>);

/// What the inner lock guards.
///
/// In this order, as the [`Chan`].
#[repr(C)]
pub(super) struct State<T> {
    pub(super) buffer: Buffer<T>,
    /// Slots that are neither free nor hold a message.
    pub(super) reserved: usize,
    /// How many messages are promised to receives that have been woken.
    pub(super) promised: usize,
    pub(super) senders: SideState,
    pub(super) receivers: SideState,
    pub(super) closed: bool,
    /// The last sender is gone.
    senderless: bool,
    /// The last receiver is gone.
    pub(super) receiverless: bool,
}

/// What is counted of the waits of one side.
pub(super) struct SideState {
    pub(super) queue: Queue,
    /// What the waits that have been called and have not come yet wait for.
    pub(super) called: usize,
}

impl SideState {
    const fn new(fairness: Fairness) -> Self {
        Self {
            queue: Queue::new(fairness),
            called: 0,
        }
    }

    /// Whether the task that comes first has what is there, also while waits are queued.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.queue.is_eventual() && !self.queue.is_out_of_patience()
    }
}

impl<T> Grants for State<T> {
    #[inline]
    fn watch(&mut self, grants: usize) -> &mut GrantWatch {
        let side = if grants == SLOTS {
            &mut self.senders
        } else {
            &mut self.receivers
        };
        side.queue.watch(grants)
    }
}

impl<T> State<T> {
    /// Whether no message will come any more.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.closed
            && (self.receiverless
                || self.buffer.is_empty() && (self.reserved == 0 || self.senderless))
    }

    /// How many messages are promised to no receive.
    #[inline]
    pub(super) fn unpromised(&self) -> usize {
        // A wait that was leaked keeps its promise when the messages are gone.
        self.buffer.len().saturating_sub(self.promised)
    }
}

impl<T> Chan<T> {
    pub(super) fn new(capacity: usize, fairness: Fairness) -> Self {
        Self {
            list: WaitList::new(
                [const { Ring::new() }; 5],
                State {
                    buffer: Buffer::new(),
                    reserved: 0,
                    promised: 0,
                    senders: SideState::new(fairness),
                    receivers: SideState::new(fairness),
                    closed: false,
                    senderless: false,
                    receiverless: false,
                },
            ),
            capacity,
            hints: AtomicUsize::new(IS_PLAIN | CAN_SEND),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(1),
            weak_senders: AtomicUsize::new(0),
            weak_receivers: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn lock(&self) -> List<'_, T> {
        self.list.lock()
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        (self.capacity != UNBOUNDED).then_some(self.capacity)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.hints.load(Ordering::Acquire) & IS_CLOSED != 0
    }

    /// Whether a send of one message would not wait.
    #[inline]
    pub(super) fn can_send(&self) -> bool {
        self.hints.load(Ordering::Relaxed) & CAN_SEND != 0
    }

    /// Whether a receive would not wait.
    #[inline]
    pub(super) fn can_receive(&self) -> bool {
        self.hints.load(Ordering::Relaxed) & CAN_RECEIVE != 0
    }

    /// Whether a send would not wait, and would have nothing to heed.
    #[inline]
    pub(super) fn can_send_plainly(&self) -> bool {
        !self.hints.load(Ordering::Relaxed) & (IS_PLAIN | CAN_SEND) == 0
    }

    /// Whether a receive would not wait, and would have nothing to heed.
    #[inline]
    pub(super) fn can_receive_plainly(&self) -> bool {
        !self.hints.load(Ordering::Relaxed) & (IS_PLAIN | CAN_RECEIVE) == 0
    }

    /// How many slots are free.
    #[inline]
    pub(super) fn free(&self, list: &List<'_, T>) -> usize {
        // There may be one more than the capacity: see `InHand`.
        let taken = list.buffer.len() + list.reserved;
        self.capacity.saturating_sub(taken)
    }

    /// Whether a newcomer need not queue behind other senders.
    #[inline]
    pub(super) fn may_send(&self, list: &List<'_, T>) -> bool {
        list.is_empty(SENDERS) || list.senders.is_open()
    }

    /// Whether a newcomer need not queue behind other receivers.
    #[inline]
    pub(super) fn may_receive(&self, list: &List<'_, T>) -> bool {
        list.is_empty(RECEIVERS) || list.receivers.is_open()
    }

    /// Whether a newcomer may have `n` slots.
    #[inline]
    pub(super) fn admits(&self, list: &List<'_, T>, n: usize) -> Result<(), TrySendError<()>> {
        if list.closed {
            Err(TrySendError::Closed(()))
        } else if n == 0 || (self.may_send(list) && n <= self.free(list)) {
            Ok(())
        } else {
            Err(TrySendError::Full(()))
        }
    }

    #[inline]
    pub(super) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let list = self.lock();
        if self.can_send_plainly() && list.buffer.is_ready_here() {
            self.push(list, message);
            Ok(())
        } else {
            self.try_send_heeding(list, message)
        }
    }

    #[inline(never)]
    fn try_send_heeding(&self, list: List<'_, T>, message: T) -> Result<(), TrySendError<T>> {
        let mut list = list;
        loop {
            if let Err(error) = self.admits_attempt(&mut list, 1) {
                self.open_unchanged(list);
                return Err(error.map(|()| message));
            }
            if list.buffer.is_ready() {
                break;
            }
            list = self.make_room(list);
        }
        self.add(&mut list, message);
        self.open(list);
        Ok(())
    }

    /// Whether an attempt may have `n` slots: in an eventual channel also ones that were
    /// granted to a wait that does not come for them.
    fn admits_attempt(&self, list: &mut List<'_, T>, n: usize) -> Result<(), TrySendError<()>> {
        let admitted = self.admits(list, n);
        let is_full = matches!(admitted, Err(TrySendError::Full(())));
        if !is_full || !list.senders.queue.is_eventual() || !list.attempt_granted(SLOTS) {
            return admitted;
        }
        let slots = list.call_watched(SLOTS);
        self.free_slots(list, slots);
        if n <= self.free(list) {
            Ok(())
        } else {
            admitted
        }
    }

    /// Opens the lock after an attempt that has got nothing.
    #[inline]
    fn open_unchanged(&self, list: List<'_, T>) {
        if list.senders.queue.is_eventual() {
            // A grant may have been taken back.
            self.open(list);
        }
    }

    /// Sends the message if there is nothing to heed.
    #[inline]
    pub(super) fn send_plainly(&self, message: &mut Option<T>) -> bool {
        let mut list = self.lock();
        if !self.can_send_plainly() || !list.buffer.is_ready() {
            return false;
        }
        match message.take() {
            Some(message) => self.push(list, message),
            None => return false,
        }
        true
    }

    /// Puts a message into a free slot, with nothing to heed; there is room for it.
    #[inline]
    fn push(&self, mut list: List<'_, T>, message: T) {
        list.buffer.push(message);
        self.hint(IS_PLAIN | self.count_hints(&list));
    }

    /// Adds a message, for which one more receiver is called, even if those that have
    /// been called have not come.
    #[inline]
    fn add(&self, list: &mut List<'_, T>, message: T) {
        list.buffer.push(message);
        Self::free_messages(list, 1);
    }

    /// So many messages are promised to no wait any more, or have come.
    #[inline]
    pub(super) fn free_messages(list: &mut List<'_, T>, n: usize) {
        if list.receivers.called != 0 {
            let called_for = list.unpromised().saturating_sub(n);
            list.receivers.called = list.receivers.called.min(called_for);
        }
    }

    /// So many slots are reserved no more.
    #[inline]
    pub(super) fn free_slots(&self, list: &mut List<'_, T>, n: usize) {
        list.reserved -= n;
        self.call_for_slots(list, n);
    }

    /// So many slots have become free, for which senders are called, even if those that
    /// have been called have not come.
    #[inline]
    pub(super) fn call_for_slots(&self, list: &mut List<'_, T>, n: usize) {
        if list.senders.called != 0 {
            let called_for = self.free(list).saturating_sub(n);
            list.senders.called = list.senders.called.min(called_for);
        }
    }

    /// A message that was promised is so no more.
    #[inline]
    pub(super) fn free_promise(&self, list: &mut List<'_, T>) {
        list.promised -= 1;
        Self::free_messages(list, 1);
    }

    pub(super) fn force_send(&self, message: T) -> Result<Option<T>, SendError<T>> {
        let mut list = self.lock();
        loop {
            match self.admits_attempt(&mut list, 1) {
                Err(TrySendError::Closed(())) => {
                    drop(list);
                    return Err(SendError(message));
                }
                Ok(()) if list.buffer.is_ready() => {
                    self.add(&mut list, message);
                    self.open(list);
                    return Ok(None);
                }
                Err(TrySendError::Full(())) if list.buffer.is_empty() => {
                    // All slots are reserved.
                    self.open_unchanged(list);
                    return Ok(Some(message));
                }
                Err(TrySendError::Full(())) if list.buffer.can_replace() => {
                    return Ok(Some(self.replace(list, message)));
                }
                _ => list = self.make_room(list),
            }
        }
    }

    pub(super) fn try_reserve(&self, n: usize) -> Result<(), TrySendError<()>> {
        let mut list = self.lock();
        if let Err(error) = self.admits_attempt(&mut list, n) {
            self.open_unchanged(list);
            return Err(error);
        }
        list.reserved += n;
        self.open(list);
        Ok(())
    }

    /// Sends by a slot that is reserved. Without receivers the message comes
    /// back.
    #[inline]
    pub(super) fn send_reserved(&self, list: List<'_, T>, message: T) -> Option<T> {
        let mut list = list;
        while !list.receiverless && !list.buffer.is_ready() {
            // Its slot stays reserved meanwhile.
            list = self.make_room(list);
        }
        if list.receiverless {
            // No task waits that could go on now, so no waker runs, and none can panic
            // with the message in hand.
            self.free_slots(&mut list, 1);
            self.publish(&list);
            return Some(message);
        }
        list.reserved -= 1;
        self.add(&mut list, message);
        self.open(list);
        None
    }

    /// Gives slots back that were reserved.
    pub(super) fn release(&self, n: usize) {
        if n != 0 {
            let mut list = self.lock();
            self.free_slots(&mut list, n);
            self.open(list);
        }
    }

    #[inline]
    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        let list = self.lock();
        if self.can_receive_plainly() {
            Ok(self.pop(list))
        } else {
            self.try_recv_heeding(list)
        }
    }

    #[inline(never)]
    fn try_recv_heeding(&self, mut list: List<'_, T>) -> Result<T, TryRecvError> {
        if list.unpromised() != 0 && self.may_receive(&list) {
            Ok(self.take_oldest(list))
        } else if list.receivers.queue.is_eventual() && list.attempt_granted(PROMISES) {
            // It was promised to a wait that does not come for it.
            list.call_watched(PROMISES);
            list.promised -= 1;
            Ok(self.take_oldest(list))
        } else if list.is_over() {
            Err(TryRecvError::Closed)
        } else {
            Err(TryRecvError::Empty)
        }
    }

    /// Takes a message if there is nothing to heed.
    #[inline]
    pub(super) fn receive_plainly(&self) -> Option<T> {
        let list = self.lock();
        self.can_receive_plainly().then(|| self.pop(list))
    }

    /// Takes the oldest message, which is available, with nothing to heed.
    #[inline]
    fn pop(&self, mut list: List<'_, T>) -> T {
        let Some(message) = list.buffer.pop_here() else {
            return self.take_turning(list);
        };
        self.hint(IS_PLAIN | self.count_hints(&list));
        drop(list);
        message
    }

    /// Takes a message that was promised.
    #[inline]
    pub(super) fn take_promised(&self, mut list: List<'_, T>) -> T {
        list.promised -= 1;
        self.take_oldest(list)
    }

    /// Takes the oldest message; there is one.
    #[inline]
    fn take_oldest(&self, mut list: List<'_, T>) -> T {
        match list.buffer.pop_here() {
            Some(message) => {
                self.call_for_slots(&mut list, 1);
                self.open_with(list, message)
            }
            None => self.take_turning(list),
        }
    }

    /// Closes the channel; whether it was open.
    pub(super) fn close(&self) -> bool {
        let mut list = self.lock();
        let was_open = !mem::replace(&mut list.closed, true);
        if was_open {
            self.end(list);
        }
        was_open
    }

    /// The last sender is gone.
    pub(super) fn lose_senders(&self) {
        let mut list = self.lock();
        list.closed = true;
        list.senderless = true;
        self.end(list);
    }

    /// The last receiver is gone, and the messages with it.
    pub(super) fn lose_receivers(&self) {
        let mut list = self.lock();
        list.closed = true;
        list.receiverless = true;
        let messages = list.buffer.take();
        self.end(list);
        drop(messages);
    }

    /// After the channel was closed: refuses all waits that cannot go on.
    fn end(&self, list: List<'_, T>) {
        self.publish(&list);
        // Each is done also if a waker panics in the one before.
        let _receivers = Finally(|| self.open(self.lock()));
        let _watchers = Finally(|| self.lock().settle_all(WATCHERS, REFUSED));
        list.settle_all(SENDERS, REFUSED);
    }

    /// Opens the lock after a change, grants what can be granted, and wakes.
    #[inline]
    pub(super) fn open(&self, list: List<'_, T>) {
        if list.is_empty(SENDERS) && list.is_empty(RECEIVERS) {
            self.publish(&list);
        } else {
            self.settle(list).resume();
        }
    }

    /// Nearly always there is one to wake, or none.
    pub(super) fn settle<'a>(&'a self, mut list: List<'a, T>) -> Panicked {
        let first = self.grant(&mut list);
        if self.is_settled(&list) {
            self.publish(&list);
            drop(list);
            wake(first.flatten());
            return Panicked::none();
        }
        self.settle_many(list, first.flatten())
    }

    /// Goes on with more than one, of which `first` is to be woken.
    #[cold]
    fn settle_many<'a>(&'a self, list: List<'a, T>, first: Option<Waker>) -> Panicked {
        let mut begun = Some(list);
        wake_in_rounds(
            first,
            |batch| {
                let mut list = begun.take().unwrap_or_else(|| self.lock());
                batch.fill(|| self.grant(&mut list));
                let was_last = self.is_settled(&list);
                self.publish(&list);
                if !list.is_empty(RECEIVERS) && list.is_over() {
                    list.settle_all(RECEIVERS, REFUSED);
                }
                was_last
            },
            || self.settle(self.lock()).resume(),
        )
    }

    /// Whether no wait in the queues can go on, by invariant WAITING.
    #[inline]
    fn is_settled(&self, list: &List<'_, T>) -> bool {
        let slots = list.first_tag(SENDERS);
        slots.is_none_or(|wanted| wanted > self.grantable_slots(list))
            && (list.is_empty(RECEIVERS) || (self.grantable_messages(list) == 0 && !list.is_over()))
    }

    /// Grants what the first in one of the queues waits for. The result is its
    /// waker.
    #[inline]
    fn grant(&self, list: &mut List<'_, T>) -> Option<Option<Waker>> {
        self.grant_slots(list).or_else(|| self.grant_message(list))
    }

    /// Reserves what the first of the senders waits for, if it is there. The
    /// result is its waker.
    #[inline]
    fn grant_slots(&self, list: &mut List<'_, T>) -> Option<Option<Waker>> {
        let wanted = list.first_tag(SENDERS)?;
        if wanted > self.grantable_slots(list) {
            return None;
        }
        if list.senders.is_open() {
            list.senders.called += wanted;
            return list.pop_front(SENDERS, CALLED);
        }
        list.reserved += wanted;
        list.senders.queue.end_patience();
        list.grant_front(SENDERS, SLOTS)
    }

    /// Promises a message to the first of the receivers, if there is one.
    #[inline]
    fn grant_message(&self, list: &mut List<'_, T>) -> Option<Option<Waker>> {
        if self.grantable_messages(list) == 0 {
            return None;
        }
        if list.receivers.is_open() {
            let waker = list.pop_front(RECEIVERS, CALLED)?;
            list.receivers.called += 1;
            return Some(waker);
        }
        let waker = list.grant_front(RECEIVERS, PROMISES)?;
        list.promised += 1;
        list.receivers.queue.end_patience();
        Some(waker)
    }

    /// How many slots are there for the first in the queue: free ones, but for those for
    /// which waits have been called that may take them.
    #[inline]
    fn grantable_slots(&self, list: &List<'_, T>) -> usize {
        let free = self.free(list);
        if list.senders.is_open() {
            free.saturating_sub(list.senders.called)
        } else {
            free
        }
    }

    /// How many messages are there for the first in the queue.
    #[inline]
    fn grantable_messages(&self, list: &List<'_, T>) -> usize {
        let unpromised = list.unpromised();
        if list.receivers.is_open() {
            unpromised.saturating_sub(list.receivers.called)
        } else {
            unpromised
        }
    }

    /// Brings the hints up to date, as the last before the lock is opened.
    #[inline]
    pub(super) fn publish(&self, list: &List<'_, T>) {
        let mut hints = self.count_hints(list) | IS_PLAIN;
        if !list.is_empty(SENDERS) {
            hints &= !IS_PLAIN;
            if !list.senders.is_open() {
                hints &= !CAN_SEND;
            }
        }
        if !list.is_empty(RECEIVERS) {
            hints &= !IS_PLAIN;
            if !list.receivers.is_open() {
                hints &= !CAN_RECEIVE;
            }
        }
        if list.closed {
            hints = (hints | IS_CLOSED | CAN_SEND) & !IS_PLAIN;
            if list.is_over() {
                hints |= CAN_RECEIVE;
            }
        }
        self.hint(hints);
    }

    /// What the counts alone say.
    #[inline]
    fn count_hints(&self, list: &List<'_, T>) -> usize {
        let messages = list.buffer.len();
        let can_send = usize::from(messages + list.reserved < self.capacity) * CAN_SEND;
        let can_receive = usize::from(messages > list.promised) * CAN_RECEIVE;
        can_send | can_receive
    }

    /// The lock is held.
    #[inline]
    fn hint(&self, hints: usize) {
        if self.hints.load(Ordering::Relaxed) != hints {
            self.hints.store(hints, Ordering::Release);
        }
    }
}
