//! [`Buffer`]: where the messages are. The only part of a channel that knows how
//! they are stored.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

/// How many bytes a drained channel keeps for the next messages.
const KEPT_BYTES: usize = 1024;

/// How many messages it keeps room for even if they take more than that.
const FIRST: usize = 4;

/// A queue of messages that grows as it is filled, never beyond its limit, and
/// keeps little when it has been drained.
pub(super) struct Buffer<T> {
    ring: VecDeque<T>,
}

impl<T> Buffer<T> {
    /// Room for how many messages is kept by an empty buffer, at most.
    pub(super) const KEPT: usize = match size_of::<T>() {
        0 => usize::MAX,
        size if KEPT_BYTES / size > FIRST => KEPT_BYTES / size,
        _ => FIRST,
    };

    pub(super) const fn new() -> Self {
        Self {
            ring: VecDeque::new(),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Adds a message as the newest. Room is made for `limit` messages at most.
    #[inline]
    pub(super) fn push(&mut self, message: T, limit: usize) {
        if self.ring.len() == self.ring.capacity() {
            self.grow(limit);
        }
        self.ring.push_back(message);
    }

    /// Twice the room.
    #[cold]
    fn grow(&mut self, limit: usize) {
        let len = self.ring.len();
        self.ring
            .reserve_exact(len.max(FIRST).min(limit.saturating_sub(len)));
    }

    /// Takes the oldest message.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        self.ring.pop_front()
    }

    /// Moves the `count` oldest messages to the end of `target`.
    pub(super) fn pop_many(&mut self, count: usize, target: &mut Vec<T>) {
        target.extend(self.ring.drain(..count));
    }

    /// Takes all messages, and the memory with them.
    pub(super) fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }

    /// Whether it is empty, and has more memory than is kept.
    #[inline]
    pub(super) fn has_surplus(&self) -> bool {
        self.ring.is_empty() && self.ring.capacity() > Self::KEPT
    }

    /// For how many messages there is room.
    #[cfg(all(test, not(anysync_loom)))]
    pub(super) fn room(&self) -> usize {
        self.ring.capacity()
    }
}
