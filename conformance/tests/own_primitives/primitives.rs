//! A channel as one makes it at home, of a lock and queues: what comes is handed to
//! who has waited longest. A mutex is one with the value as its only message.

use std::collections::VecDeque;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

struct State<T> {
    messages: VecDeque<T>,
    capacity: usize,
    senders: usize,
    receivers: usize,
    closed: bool,
    next: u64,
    /// Slots of those who may send, and have not yet.
    reserved: usize,
    sending: VecDeque<(u64, Waker)>,
    receiving: VecDeque<(u64, Waker)>,
    /// Whose wait is over, and what came of it.
    over: Vec<(u64, Got<T>)>,
}

/// What comes of a wait.
enum Got<T> {
    Slot,
    Message(T),
    Closed,
}

impl<T> State<T> {
    /// Serves everybody that can be served, and says who is to be woken.
    fn settle(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        let mut end = |over: &mut Vec<_>, (id, waker), got| {
            over.push((id, got));
            wakers.push(waker);
        };
        while !self.receiving.is_empty() && (self.closed || !self.messages.is_empty()) {
            let first = self.receiving.pop_front().expect("not empty");
            let got = self.messages.pop_front().map_or(Got::Closed, Got::Message);
            end(&mut self.over, first, got);
        }
        while !self.sending.is_empty() && (self.closed || !self.is_full()) {
            let first = self.sending.pop_front().expect("not empty");
            if self.closed {
                end(&mut self.over, first, Got::Closed);
            } else {
                self.reserved += 1;
                end(&mut self.over, first, Got::Slot);
            }
        }
        wakers
    }

    fn is_full(&self) -> bool {
        self.messages.len() + self.reserved >= self.capacity
    }

    /// Takes a wait that is over.
    fn ended(&mut self, id: u64) -> Option<Got<T>> {
        let place = self.over.iter().position(|(of, _)| *of == id)?;
        Some(self.over.swap_remove(place).1)
    }

    fn queue(&mut self, sends: bool) -> &mut VecDeque<(u64, Waker)> {
        match sends {
            true => &mut self.sending,
            false => &mut self.receiving,
        }
    }
}

struct Shared<T>(Mutex<State<T>>);

impl<T> Shared<T> {
    fn new(capacity: usize, messages: VecDeque<T>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            messages,
            capacity,
            senders: 1,
            receivers: 1,
            closed: false,
            next: 0,
            reserved: 0,
            sending: VecDeque::new(),
            receiving: VecDeque::new(),
            over: Vec::new(),
        })))
    }

    fn is_over(&self, id: u64) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.over.iter().any(|(of, _)| *of == id)
    }

    /// Changes it, and wakes whom that serves when it is unlocked: all of them, before
    /// the first panic goes on.
    fn change<R>(&self, change: impl FnOnce(&mut State<T>) -> R) -> R {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let returned = change(&mut state);
        let wakers = state.settle();
        drop(state);
        let wake = |waker: Waker| catch_unwind(AssertUnwindSafe(|| waker.wake())).err();
        let panics: Vec<_> = wakers.into_iter().filter_map(wake).collect();
        if let Some(first) = panics.into_iter().next() {
            resume_unwind(first);
        }
        returned
    }
}

/// A wait for a slot or for a message. Dropped, it passes on what it had won.
struct Wait<T, S: Deref<Target = Shared<T>>> {
    shared: S,
    message: Option<T>,
    sends: bool,
    id: Option<u64>,
}

impl<T, S: Deref<Target = Shared<T>>> Wait<T, S> {
    fn new(shared: S, message: Option<T>) -> Self {
        let sends = message.is_some();
        let id = None;
        Self {
            shared,
            message,
            sends,
            id,
        }
    }
}

impl<T: Unpin, S: Deref<Target = Shared<T>> + Unpin> Future for Wait<T, S> {
    /// What was received, or could not be sent.
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        // Cloned and dropped outside of the lock: it is foreign code.
        let mut waker = cx.waker().clone();
        let ended = this.shared.change(|state| {
            let Some(id) = this.id else {
                state.next += 1;
                this.id = Some(state.next);
                let entry = (
                    state.next,
                    std::mem::replace(&mut waker, Waker::noop().clone()),
                );
                state.queue(this.sends).push_back(entry);
                return None;
            };
            let mut queued = state.queue(this.sends).iter_mut();
            if let Some((_, mine)) = queued.find(|(of, _)| *of == id) {
                std::mem::swap(mine, &mut waker);
            }
            let ended = state.ended(id)?;
            this.id = None;
            Some(match ended {
                Got::Message(message) => Some(message),
                Got::Closed => this.message.take(),
                Got::Slot => {
                    state.reserved -= 1;
                    let message = this.message.take();
                    match state.closed {
                        true => message,
                        false => {
                            state.messages.extend(message);
                            None
                        }
                    }
                }
            })
        });
        // One that queues may have been served at once.
        match (ended, this.id) {
            (Some(ended), _) => Poll::Ready(ended),
            (None, Some(id)) if this.shared.is_over(id) => self.poll(cx),
            (None, _) => Poll::Pending,
        }
    }
}

impl<T, S: Deref<Target = Shared<T>>> Drop for Wait<T, S> {
    fn drop(&mut self) {
        let Some(id) = self.id else {
            return;
        };
        let sends = self.sends;
        let waker = self.shared.change(|state| {
            match state.ended(id) {
                Some(Got::Message(message)) => state.messages.push_front(message),
                Some(Got::Slot) => state.reserved -= 1,
                Some(Got::Closed) | None => {}
            }
            let queue = state.queue(sends);
            let place = queue.iter().position(|(of, _)| *of == id)?;
            queue.remove(place)
        });
        drop(waker);
    }
}

pub(crate) struct HomeMutex<T>(Arc<Shared<T>>);

impl<T: Unpin> HomeMutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Shared::new(1, VecDeque::from([value])))
    }

    pub(crate) fn try_lock(&self) -> Option<HomeGuard<T, &Self>> {
        let value = self.0.change(|state| state.messages.pop_front())?;
        Some(HomeGuard::new(value, self))
    }

    pub(crate) async fn lock(&self) -> HomeGuard<T, &Self> {
        let value = Wait::new(&*self.0, None).await;
        HomeGuard::new(value.expect("it is never closed"), self)
    }

    pub(crate) async fn lock_owned(self: Arc<Self>) -> HomeGuard<T, Arc<Self>> {
        let value = Wait::new(&*self.0, None).await;
        HomeGuard::new(value.expect("it is never closed"), self)
    }
}

/// Has the value, and brings it back.
pub(crate) struct HomeGuard<T, M: Deref<Target = HomeMutex<T>>> {
    value: Option<T>,
    mutex: M,
}

impl<T, M: Deref<Target = HomeMutex<T>>> HomeGuard<T, M> {
    fn new(value: T, mutex: M) -> Self {
        let value = Some(value);
        Self { value, mutex }
    }
}

impl<T, M: Deref<Target = HomeMutex<T>>> Deref for HomeGuard<T, M> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is here until the drop")
    }
}

impl<T, M: Deref<Target = HomeMutex<T>>> DerefMut for HomeGuard<T, M> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is here until the drop")
    }
}

impl<T, M: Deref<Target = HomeMutex<T>>> Drop for HomeGuard<T, M> {
    fn drop(&mut self) {
        let value = self.value.take();
        self.mutex.0.change(|state| state.messages.extend(value));
    }
}

pub(crate) struct HomeSender<T>(Arc<Shared<T>>);
pub(crate) struct HomeReceiver<T>(Arc<Shared<T>>);

pub(crate) fn channel<T>(capacity: usize) -> (HomeSender<T>, HomeReceiver<T>) {
    let shared = Shared::new(capacity, VecDeque::new());
    (HomeSender(Arc::clone(&shared)), HomeReceiver(shared))
}

/// Why a message comes back.
pub(crate) enum Refused<T> {
    Full(T),
    Closed(T),
}

impl<T: Unpin> HomeSender<T> {
    pub(crate) fn try_send(&self, message: T) -> Result<(), Refused<T>> {
        self.0.change(|state| {
            if state.closed {
                return Err(Refused::Closed(message));
            }
            if state.is_full() {
                return Err(Refused::Full(message));
            }
            state.messages.push_back(message);
            Ok(())
        })
    }

    pub(crate) async fn send(&self, message: T) -> Result<(), T> {
        Wait::new(&*self.0, Some(message)).await.map_or(Ok(()), Err)
    }
}

impl<T: Unpin> HomeReceiver<T> {
    /// `Err(true)` when none will come.
    pub(crate) fn try_recv(&self) -> Result<T, bool> {
        self.0
            .change(|state| state.messages.pop_front().ok_or(state.closed))
    }

    pub(crate) async fn recv(&self) -> Option<T> {
        Wait::new(&*self.0, None).await
    }

    pub(crate) fn close(&self) {
        self.0.change(|state| state.closed = true);
    }
}

impl<T> Clone for HomeSender<T> {
    fn clone(&self) -> Self {
        self.0.change(|state| state.senders += 1);
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for HomeSender<T> {
    fn drop(&mut self) {
        self.0.change(|state| {
            state.senders -= 1;
            state.closed |= state.senders == 0;
        });
    }
}

impl<T> Clone for HomeReceiver<T> {
    fn clone(&self) -> Self {
        self.0.change(|state| state.receivers += 1);
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for HomeReceiver<T> {
    fn drop(&mut self) {
        let left = self.0.change(|state| {
            state.receivers -= 1;
            state.closed |= state.receivers == 0;
            match state.receivers {
                0 => std::mem::take(&mut state.messages),
                _ => VecDeque::new(),
            }
        });
        // Messages may be foreign code.
        drop(left);
    }
}
