//! What the ends of a channel share.
//!
//! Each operation is one critical section: what it does to the messages, to their
//! count and to the senders that are parked is seen by all at once. So whatever
//! threads do at a time, the channel goes through the states that the original goes
//! through when they take turns.
//!
//! # Which senders are parked
//!
//! A sender whose message exceeds the buffer draws a *ticket*, one more than the last.
//! Each message that is received lets the next ticket go, if there is one, whether its
//! sender lives or not. So a sender is parked while its ticket has not been let go, and
//! it can be told without a list of those that are. There are always as many tickets
//! that were not let go as messages beyond the buffer:
//!
//! - a send that exceeds the buffer adds one to both, any other leaves both at 0;
//! - a receive takes one from both, or finds both at 0.
//!
//! A sender has one ticket at a time, so that there are never more messages than the
//! buffer has places and senders have sent that are parked, or were dropped so.
//!
//! # Wakers
//!
//! None is cloned, woken or dropped under the lock. That of a task that waits stays
//! when its end is closed, disconnected or dropped, since another task may have done
//! that: it is woken when the ticket is let go, or the last sender goes.

use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::fifo::Fifo;
use super::wakers::wake_all;

/// A sender's place among those that are parked.
pub(super) type Ticket = u64;

pub(super) struct Chan<T> {
    /// How many messages there may be before a sender is parked.
    buffer: usize,
    /// Whether there may be more messages. It is changed, once, under the lock.
    is_open: AtomicBool,
    senders: AtomicUsize,
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    messages: Fifo<T>,
    /// Of the task that polled the receiver last, and was not woken since.
    receiver: Option<Waker>,
    /// The ticket that is drawn next.
    next: Ticket,
    /// Those before it were let go.
    first: Ticket,
    /// Of the tasks that polled parked senders, and were not woken since.
    parked: BTreeMap<Ticket, Waker>,
}

/// Why a message was not sent.
pub(super) enum Refused {
    Full,
    Closed,
}

impl<T> Chan<T> {
    /// One with a sender.
    fn new(buffer: usize) -> Self {
        Self {
            buffer,
            is_open: AtomicBool::new(true),
            senders: AtomicUsize::new(1),
            inner: Mutex::new(Inner {
                messages: Fifo::new(),
                receiver: None,
                next: 0,
                first: 0,
                parked: BTreeMap::new(),
            }),
        }
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing foreign runs under the lock, so nothing is half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// How many messages are there.
    pub(super) fn len(&self) -> usize {
        self.lock().messages.len()
    }

    /// How many messages are there, and whether there may be more.
    pub(super) fn content(&self) -> (usize, bool) {
        let inner = self.lock();
        (inner.messages.len(), self.is_open())
    }

    /// Sends, unless the sender is parked or the channel closed.
    #[inline]
    pub(super) fn send(&self, ticket: &mut Option<Ticket>, message: T) -> Result<(), (Refused, T)> {
        let mut inner = self.lock();
        if !inner.goes(ticket) {
            return Err((Refused::Full, message));
        }
        if !self.is_open() {
            return Err((Refused::Closed, message));
        }
        inner.messages.push(message);
        if inner.messages.len() > self.buffer {
            *ticket = Some(inner.next);
            inner.next += 1;
        }
        let receiver = inner.receiver.take();
        drop(inner);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Ok(())
    }

    /// Whether the sender is not parked; else `waker` is woken when it is let go.
    #[inline]
    pub(super) fn poll_unparked(&self, ticket: &mut Option<Ticket>, waker: &Waker) -> Poll<()> {
        let Some(place) = *ticket else {
            return Poll::Ready(());
        };
        let mut inner = self.lock();
        if inner.goes(ticket) {
            return Poll::Ready(());
        }
        let known = inner.parked.get(&place);
        if known.is_some_and(|known| known.will_wake(waker)) {
            return Poll::Pending;
        }
        drop(inner);
        // Foreign code, which may use the channel: look again.
        let waker = waker.clone();
        inner = self.lock();
        if inner.goes(ticket) {
            drop(inner);
            return Poll::Ready(());
        }
        let outdated = inner.parked.insert(place, waker);
        drop(inner);
        drop(outdated);
        Poll::Pending
    }

    /// A message, and lets a sender go. `Ready(None)` if there is none, and none will
    /// come. If it is pending, `waker` is woken when it may not be any more.
    #[inline]
    pub(super) fn receive(&self, waker: Option<&Waker>) -> Poll<Option<T>> {
        let mut inner = self.lock();
        let Some(message) = inner.messages.pop() else {
            return self.nothing(inner, waker);
        };
        let sender = inner.let_one_go();
        drop(inner);
        match sender {
            Some(sender) => Poll::Ready(Some(self.wake_with(sender, message))),
            None => Poll::Ready(Some(message)),
        }
    }

    /// There is no message.
    fn nothing(&self, inner: MutexGuard<'_, Inner<T>>, waker: Option<&Waker>) -> Poll<Option<T>> {
        if !self.is_open() {
            return Poll::Ready(None);
        }
        let Some(waker) = waker else {
            return Poll::Pending;
        };
        let known = inner.receiver.as_ref();
        if known.is_some_and(|known| known.will_wake(waker)) {
            return Poll::Pending;
        }
        drop(inner);
        self.register(waker.clone())
    }

    /// Keeps the receiver's waker, unless it need not wait by now: it was cloned by
    /// foreign code, which may have used the channel.
    fn register(&self, waker: Waker) -> Poll<Option<T>> {
        let mut inner = self.lock();
        if inner.messages.len() > 0 || !self.is_open() {
            drop(inner);
            return self.receive(None);
        }
        let outdated = inner.receiver.replace(waker);
        drop(inner);
        drop(outdated);
        Poll::Pending
    }

    /// Wakes the task of a sender that was let go. If that panics, the message is the
    /// next to be received.
    fn wake_with(&self, sender: Waker, message: T) -> T {
        let mut kept = Kept {
            chan: self,
            message: Some(message),
        };
        sender.wake();
        kept.message.take().expect("it was put there")
    }

    /// Lets the receiver know that a sender has closed the channel, or the last is gone.
    pub(super) fn close_by_sender(&self) {
        let mut inner = self.lock();
        self.is_open.store(false, Ordering::Release);
        let receiver = inner.receiver.take();
        drop(inner);
        wake_all(receiver);
    }

    /// Lets all senders go, for good.
    pub(super) fn close_by_receiver(&self) {
        let mut inner = self.lock();
        let parked = self.close(&mut inner);
        drop(inner);
        wake_all(parked.into_values());
    }

    /// The receiver goes: closes, and drops the messages.
    pub(super) fn leave(&self) {
        let mut inner = self.lock();
        let parked = self.close(&mut inner);
        let _messages = mem::replace(&mut inner.messages, Fifo::new());
        drop(inner);
        wake_all(parked.into_values());
    }

    fn close(&self, inner: &mut Inner<T>) -> BTreeMap<Ticket, Waker> {
        self.is_open.store(false, Ordering::Release);
        inner.first = inner.next;
        mem::take(&mut inner.parked)
    }
}

impl<T> Inner<T> {
    /// Whether the sender with this ticket, if any, is not parked.
    #[inline]
    fn goes(&self, ticket: &mut Option<Ticket>) -> bool {
        if ticket.is_some_and(|ticket| ticket >= self.first) {
            return false;
        }
        *ticket = None;
        true
    }

    /// Lets the first ticket go, if there is one.
    #[inline]
    fn let_one_go(&mut self) -> Option<Waker> {
        if self.first == self.next {
            return None;
        }
        let ticket = self.first;
        self.first += 1;
        self.parked.remove(&ticket)
    }
}

/// A message that was taken, and is put back unless it is given out.
struct Kept<'a, T> {
    chan: &'a Chan<T>,
    message: Option<T>,
}

impl<T> Drop for Kept<'_, T> {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.chan.lock().messages.unpop(message);
        }
    }
}

/// A sender's share of a channel: the last to go closes it.
pub(super) struct Tx<T> {
    chan: Arc<Chan<T>>,
    /// Of a sender that may be parked.
    pub(super) ticket: Option<Ticket>,
}

impl<T> Tx<T> {
    /// The first of a channel.
    pub(super) fn new(buffer: usize) -> Self {
        Self {
            chan: Arc::new(Chan::new(buffer)),
            ticket: None,
        }
    }

    #[inline]
    pub(super) fn chan(&self) -> &Arc<Chan<T>> {
        &self.chan
    }

    #[inline]
    pub(super) fn send(&mut self, message: T) -> Result<(), (Refused, T)> {
        self.chan.send(&mut self.ticket, message)
    }

    #[inline]
    pub(super) fn poll_unparked(&mut self, waker: &Waker) -> Poll<()> {
        self.chan.poll_unparked(&mut self.ticket, waker)
    }
}

impl<T> Clone for Tx<T> {
    /// Another sender, which is not parked.
    fn clone(&self) -> Self {
        // ORDERING: Relaxed. The one that is cloned is counted meanwhile.
        self.chan.senders.fetch_add(1, Ordering::Relaxed);
        Self {
            chan: Arc::clone(&self.chan),
            ticket: None,
        }
    }
}

impl<T> Drop for Tx<T> {
    fn drop(&mut self) {
        // ORDERING: AcqRel. What the other senders did comes before the closing.
        if self.chan.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.chan.close_by_sender();
        }
    }
}
