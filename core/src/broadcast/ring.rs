//! The ring: the messages, and the slots in which they lie. All unsafe code of the
//! broadcast is in this file.
//!
//! ```text
//!   slots:    free │ 2+1 │ 3+1 │ 3+1 │ free      shares, and one for the message
//!                     ▲ oldest             ▲ next
//! ```
//!
//! Each receiver has a share of each message that it has not read. It takes the
//! share out under the lock, clones the value when that is open, and gives the
//! share back. So a message may leave the ring while somebody clones it: its slot
//! is then filled again only when that has ended.
//!
//! # Invariants
//!
//! - **PLACED**: a slot stays where it is until its ring is dropped. What points
//!   to one is in the ring, or borrows it.
//! - **SHARED**: the count of a slot is 0, and then it is empty and belongs to who
//!   has the lock; or it holds a value, and the count is one more than its shares.
//!   Who has a share may look at the value. Who has the last of them owns the
//!   value: nobody else changes the count then, until it is 0.
//!
//! # Memory ordering
//!
//! The lock orders everything but the end of a share, which is released, and
//! acquired by who takes the value out; and the end of that, which is released,
//! and acquired by who fills the slot again.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::{self, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::TryRecvError;
use crate::primitive::{AtomicUsize, Lock, LockGuard, Ordering, TrackedCell};

/// No sender is left.
const CLOSED: usize = 1;
/// From one message to the next. In tests it leaves few bits of a position, so that
/// they wrap.
const STEP: usize = if cfg!(test) {
    1 << (usize::BITS - 4)
} else {
    2
};

/// The messages that somebody has not read, and how many there are who send and
/// receive.
pub(super) struct Ring<T> {
    lock: Lock<Inner<T>>,
    /// What is looked at without the lock: the position that is next, in as many
    /// bits as there are, and [`CLOSED`].
    tail: AtomicUsize,
}

/// How many there are who send.
pub(super) struct Counts {
    pub(super) senders: usize,
    pub(super) weak_senders: usize,
}

/// A receiver's: the position of the message that it reads next. It has a share of
/// each from there on.
pub(super) struct Place(u64);

struct Inner<T> {
    counts: Counts,
    /// How many places there are.
    receivers: usize,
    /// The position of the oldest message.
    oldest: u64,
    /// The position of the message that is sent next; positions count from 0
    /// and do not wrap within any program's life.
    next: u64,
    /// The message at a position is in the entry of that number, by the length,
    /// which is a power of two, or 0.
    entries: Box<[Entry<T>]>,
    /// All slots, as they were allocated.
    chunks: Vec<NonNull<[Slot<T>]>>,
}

/// A message, or room for one.
pub(super) struct Entry<T> {
    slot: NonNull<Slot<T>>,
    /// How many receivers have not begun to read it.
    unread: usize,
}

struct Slot<T> {
    count: AtomicUsize,
    value: TrackedCell<MaybeUninit<T>>,
}

// SAFETY: by SHARED, a ring hands values from thread to thread, and lends one to
// several at once; by PLACED its pointers lead to what it owns.
unsafe impl<T: Send + Sync> Send for Inner<T> {}

impl<T> Ring<T> {
    pub(super) fn new() -> Self {
        Self {
            lock: Lock::new(Inner {
                counts: Counts {
                    senders: 1,
                    weak_senders: 0,
                },
                receivers: 0,
                oldest: 0,
                next: 0,
                entries: Box::new([]),
                chunks: Vec::new(),
            }),
            tail: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn lock(&self) -> Locked<'_, T> {
        Locked {
            inner: self.lock.lock(),
            ring: self,
        }
    }

    /// Whether a receiver finds anything but an open and empty ring, as far as it
    /// can be seen without the lock: behind by as many messages as the bits of `tail`
    /// tell apart it finds nothing, and has to look under the lock.
    #[inline]
    pub(super) fn shows_news(&self, place: &Place) -> bool {
        // ORDERING: Acquire for CLOSED; what was sent is read under the lock.
        self.tail.load(Ordering::Acquire) != (place.0 as usize).wrapping_mul(STEP)
    }
}

/// The ring while it is locked: the only way to the messages.
pub(super) struct Locked<'a, T> {
    inner: LockGuard<'a, Inner<T>>,
    ring: &'a Ring<T>,
}

impl<T> Deref for Locked<'_, T> {
    type Target = Counts;

    #[inline]
    fn deref(&self) -> &Counts {
        &self.inner.counts
    }
}

impl<T> DerefMut for Locked<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Counts {
        &mut self.inner.counts
    }
}

impl<'a, T> Locked<'a, T> {
    /// How many messages there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.inner.len()
    }

    #[inline]
    pub(super) fn receivers(&self) -> usize {
        self.inner.receivers
    }

    /// How many messages a receiver has not read, and those that it will miss.
    #[inline]
    pub(super) fn unread(&self, place: &Place) -> u64 {
        self.inner.next - place.0
    }

    /// The place of another receiver.
    pub(super) fn join(&mut self) -> Place {
        self.inner.receivers += 1;
        Place(self.inner.next)
    }

    /// How many messages there is memory for.
    #[cfg(all(test, feature = "std", not(anysync_loom)))]
    pub(super) fn room(&self) -> usize {
        self.inner.entries.len()
    }

    /// Says that the last sender has gone.
    pub(super) fn close(&mut self) {
        // ORDERING: Release, for who sees it without the lock.
        self.ring.tail.fetch_or(CLOSED, Ordering::Release);
    }

    /// Adds a message that each receiver is to read; there is one.
    #[inline]
    pub(super) fn push(&mut self, value: T) {
        let inner = &mut *self.inner;
        if !inner.has_free_slot(inner.next) {
            inner.find_free_slot();
        }
        let receivers = inner.receivers;
        let entry = inner.entry(inner.next);
        entry.unread = receivers;
        // SAFETY: invariants PLACED, and SHARED: it is free, and the lock is held.
        unsafe {
            let slot = entry.slot.as_ref();
            slot.value.with_mut(|place| (*place).write(value));
            slot.count.store(receivers + 1, Ordering::Relaxed);
        }
        inner.next += 1;
        // A sender is there, so it is not closed.
        let tail = (inner.next as usize).wrapping_mul(STEP);
        // ORDERING: as of `shows_news`.
        self.ring.tail.store(tail, Ordering::Release);
    }

    /// Takes a receiver's share of its next message, and says whether the message
    /// has left the ring, as all have begun to read it.
    #[inline]
    pub(super) fn read(&mut self, place: &mut Place) -> Result<(Share<'a, T>, bool), TryRecvError> {
        let inner = &mut *self.inner;
        if place.0 == inner.next {
            return Err(if inner.counts.senders != 0 {
                TryRecvError::Empty
            } else {
                TryRecvError::Closed
            });
        }
        if place.0 < inner.oldest {
            let missed = inner.oldest - place.0;
            place.0 = inner.oldest;
            return Err(TryRecvError::Lagged(missed));
        }
        let entry = inner.entry(place.0);
        entry.unread -= 1;
        let was_last = entry.unread == 0;
        // SAFETY: invariant PLACED: the share borrows the ring. By SHARED it is the
        // receiver's, which goes on to the next message.
        let slot = unsafe { &*entry.slot.as_ptr() };
        if was_last {
            // By COUNTED, as everybody has read it.
            debug_assert_eq!(inner.oldest, place.0, "COUNTED");
            inner.oldest += 1;
        }
        place.0 += 1;
        Ok((Share { slot }, was_last))
    }

    /// Takes out the oldest message, for which nobody has room any more. If somebody
    /// still clones it, they drop it.
    #[inline]
    pub(super) fn pop_oldest(&mut self) -> Option<T> {
        let inner = &mut *self.inner;
        let entry = inner.entry(inner.oldest);
        let unread = mem::take(&mut entry.unread);
        // SAFETY: invariants PLACED, and SHARED: nobody comes to use these shares.
        let value = unsafe { entry.slot.as_ref().give_back(unread) };
        inner.oldest += 1;
        value
    }

    /// Gives back the shares of a receiver that goes; the result is the values that
    /// nobody else has a share in, and the number of messages that have left the ring.
    pub(super) fn leave(&mut self, place: &mut Place) -> (Vec<T>, usize) {
        let inner = &mut *self.inner;
        inner.receivers -= 1;
        let mut gone = Vec::new();
        let before = inner.oldest;
        let first = mem::replace(&mut place.0, inner.next).max(before);
        for position in first..inner.next {
            let entry = inner.entry(position);
            entry.unread -= 1;
            let is_read = entry.unread == 0;
            // SAFETY: invariants PLACED, and SHARED: the receiver uses it no more.
            gone.extend(unsafe { entry.slot.as_ref().give_back(1) });
            // By COUNTED, these are the first.
            inner.oldest += u64::from(is_read);
        }
        (gone, (inner.oldest - before) as usize)
    }
}

impl<T> Inner<T> {
    #[inline]
    fn len(&self) -> usize {
        (self.next - self.oldest) as usize
    }

    #[inline]
    fn entry(&mut self, position: u64) -> &mut Entry<T> {
        let index = position as usize & self.entries.len().wrapping_sub(1);
        &mut self.entries[index]
    }

    /// Whether a message can be put at a position that is none's.
    #[inline]
    fn has_free_slot(&mut self, position: u64) -> bool {
        // SAFETY: invariant PLACED.
        // ORDERING: Acquire: what emptied it comes before it is filled.
        self.len() < self.entries.len()
            && unsafe { self.entry(position).slot.as_ref() }
                .count
                .load(Ordering::Acquire)
                == 0
    }

    /// Gives the next position a free slot, in place of one that it has not, or that
    /// somebody reads still.
    #[cold]
    fn find_free_slot(&mut self) {
        let end = self.oldest + self.entries.len() as u64;
        let mut others = self.next..end;
        if let Some(other) = others.find(|position| self.has_free_slot(*position)) {
            let free = self.entry(other).slot;
            let busy = mem::replace(&mut self.entry(self.next).slot, free);
            self.entry(other).slot = busy;
        } else {
            self.grow();
        }
    }

    /// Doubles the room, so that the next position has a free slot.
    fn grow(&mut self) {
        let more = self.entries.len().max(1);
        let chunk: Vec<_> = (0..more).map(|_| Slot::free()).collect();
        let chunk = NonNull::from(Box::leak(chunk.into_boxed_slice()));
        self.chunks.push(chunk);
        let mut entries = Vec::with_capacity(self.entries.len() + more);
        let mut add = |slot, unread| entries.push(Entry { slot, unread });
        for position in self.oldest..self.next {
            let entry = self.entry(position);
            add(entry.slot, entry.unread);
        }
        // SAFETY: invariant PLACED.
        let new = unsafe { chunk.as_ref() };
        new.iter().for_each(|slot| add(NonNull::from(slot), 0));
        for position in self.next..self.oldest + self.entries.len() as u64 {
            add(self.entry(position).slot, 0);
        }
        // From the order of positions to their places.
        let oldest = self.oldest as usize & (entries.len() - 1);
        entries.rotate_right(oldest);
        self.entries = entries.into_boxed_slice();
    }
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        // There is no receiver, and so no message.
        debug_assert_eq!(self.len(), 0);
        for chunk in &self.chunks {
            // SAFETY: invariant PLACED, up to here. It was a `Box`.
            drop(unsafe { Box::from_raw(chunk.as_ptr()) });
        }
    }
}

impl<T> Slot<T> {
    fn free() -> Self {
        Self {
            count: AtomicUsize::new(0),
            value: TrackedCell::new(MaybeUninit::uninit()),
        }
    }

    /// Whether there are no shares but so many.
    #[inline]
    fn has_only(&self, shares: usize) -> bool {
        // ORDERING: Acquire, for what others did before they gave theirs back.
        self.count.load(Ordering::Acquire) == shares + 1
    }

    /// Gives shares back, of which there is one at least; the result is the value,
    /// if there are no others.
    ///
    /// # Safety
    ///
    /// By SHARED the caller has them, and uses them no more.
    #[inline]
    unsafe fn give_back(&self, shares: usize) -> Option<T> {
        // ORDERING: Release: the caller has looked at the value before. Acquire, as
        // of `has_only`.
        let were_last =
            self.has_only(shares) || self.count.fetch_sub(shares, Ordering::AcqRel) == shares + 1;
        // SAFETY: invariant SHARED: they were the last.
        were_last.then(|| unsafe { self.take() })
    }

    /// Takes the value out, and frees the slot.
    ///
    /// # Safety
    ///
    /// By SHARED the caller has the last share, or had.
    #[inline]
    unsafe fn take(&self) -> T {
        // SAFETY: the caller's promise.
        let value = self
            .value
            .with_mut(|place| unsafe { (*place).assume_init_read() });
        // ORDERING: Release: it comes before the slot is filled again.
        self.count.store(0, Ordering::Release);
        value
    }
}

/// The right to look at a message once, outside the lock.
pub(super) struct Share<'a, T> {
    slot: &'a Slot<T>,
}

impl<T: Clone> Share<'_, T> {
    /// The message, or a clone of it if others have not read it.
    #[inline]
    pub(super) fn into_value(self) -> T {
        if self.slot.has_only(1) {
            let slot = self.slot;
            mem::forget(self);
            // SAFETY: invariant SHARED: it was the last.
            return unsafe { slot.take() };
        }
        // SAFETY: invariant SHARED.
        self.slot
            .value
            .with(|place| unsafe { (*place).assume_init_ref() }.clone())
    }
}

impl<T> Drop for Share<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: invariant SHARED: it is one, and is not used any more.
        drop(unsafe { self.slot.give_back(1) });
    }
}
