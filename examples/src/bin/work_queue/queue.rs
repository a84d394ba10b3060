//! [`WorkQueue`]: first in, first out, for any number of producers and
//! consumers on any executor.
//!
//! A consumer looks, then waits, then looks again. To wait first would lose
//! items: a permit says that there *is* work, not how much, and two pushes
//! before anybody waits leave one permit for two items. Nor is it enough to
//! take one item per wake-up and go: what keeps every item moving is this.
//!
//! Invariant **SIGNAL**: while the queue has items and a consumer sleeps, a
//! signal is under way: the permit, a wake-up not yet seen, or a [`Signal`] in
//! the hands of a consumer who is about to look. Each push sends one; whoever
//! gets it looks, and passes it on if he leaves items behind.

use std::collections::VecDeque;
use std::mem;

use anysync::{Io, Mutex, Notify};

#[cfg(test)]
mod tests;

/// A queue whose consumers sleep while it is empty.
pub(crate) struct WorkQueue<T> {
    state: Mutex<State<T>>,
    /// Says to one consumer: there may be work. Says to all: it is the end.
    ready: Notify,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

/// The queue takes no more; here is the item back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed<T>(pub(crate) T);

impl<T> WorkQueue<T> {
    pub(crate) const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                items: VecDeque::new(),
                closed: false,
            }),
            ready: Notify::new(),
        }
    }

    /// Puts `item` at the end and wakes the consumer that has waited longest.
    ///
    /// Dropped before it is done, it has pushed nothing.
    pub(crate) async fn push(&self, io: impl Io, item: T) -> Result<(), Closed<T>> {
        let mut state = self.state.lock(io).await;
        if state.closed {
            return Err(Closed(item));
        }
        state.items.push_back(item);
        // Whoever is woken wants the lock at once: let go of it first.
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// Takes the item that is first, and waits for one if there is none. `None`
    /// once the queue is closed and empty.
    ///
    /// Dropped before it is done, it has taken nothing, and a signal that it had
    /// got goes on to the next.
    pub(crate) async fn pop(&self, io: impl Io) -> Option<T> {
        let mut signal: Option<Signal<'_>> = None;
        loop {
            // Made before the look, awaited after it: a wait hears of `close`
            // from the moment it is made, so none falls between the two.
            let wait = self.ready.wait(&io);

            let mut state = self.state.lock(&io).await;
            let item = state.items.pop_front();
            let closed = state.closed;
            if state.items.is_empty() {
                if let Some(signal) = signal.take() {
                    signal.discard();
                }
            }
            drop(state);

            if item.is_some() || closed {
                // If more items are there, `signal` goes on to the next.
                return item;
            }
            wait.await;
            signal = Some(Signal(&self.ready));
        }
    }

    /// Takes the item that is first, without waiting. `None` when there is none
    /// and also when somebody else is busy with the queue at this moment.
    pub(crate) fn try_pop(&self) -> Option<T> {
        self.state.try_lock()?.items.pop_front()
    }

    /// Ends it: nothing more is pushed, and every consumer returns as soon as
    /// it finds the queue empty.
    pub(crate) async fn close(&self, io: impl Io) {
        self.state.lock(io).await.closed = true;
        self.ready.notify_all();
    }
}

/// A wake-up that a consumer has got. Dropped, it goes on to the next consumer,
/// also when the `pop` is cancelled that holds it.
struct Signal<'a>(&'a Notify);

impl Signal<'_> {
    /// Ends it here: there is no work for another.
    fn discard(self) {
        mem::forget(self);
    }
}

impl Drop for Signal<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
