//! The ring: the messages, and the blocks in which they lie. All unsafe code of the
//! broadcast is in this file and in `ring/block.rs`.
//!
//! ```text
//!            first                                         last
//!   blocks:  │ gone │ gone │ 1 │ 2 │ ──► │ 3 │ 4 │ 5 │ 6 │ ──► │ 7 │ 8 │ free │ free │
//!                            ▲ oldest                                    ▲ next
//! ```
//!
//! A receiver that is not the last to read a message takes a share of it under the
//! lock, clones the value when that is open, and gives the share back. So a message
//! may leave the ring while a receiver clones it: its slot, and the block of that,
//! stay until that has ended. The last to read it takes it out under the lock.
//!
//! # Short critical sections
//!
//! Nothing under the lock takes longer when there is more in the ring: a receiver is
//! counted in one place, COUNTED says where, and when it goes it is counted there no
//! more. If then no receiver needs the oldest messages, they are swept out block by
//! block, and the lock is opened after each. Blocks are allocated and freed while it is
//! open.
//!
//! # Memory
//!
//! When the last message of a block has left, the block is kept for later messages, if
//! fewer are kept already than [`Spare`] allows, or it is freed.
//!
//! # Invariants
//!
//! - **COUNTED**: each receiver is counted once: in `slowest` if what it reads next is
//!   the oldest message, or has gone before (it lags), or if there is no message; else
//!   in `last_read_by` of the message before. So no receiver needs the oldest message
//!   when `slowest` is 0. Then a thread is [sweeping](Locked::sweep), or there is none.
//! - **PLACED**: a block is freed when nothing holds it. The ring does, as long as a
//!   message of the block has not left, or one will come, or it is spare; and so does
//!   each message that has left while it was cloned, until it is taken out, and the
//!   thread that sweeps messages out, until they are dropped. The block in a receiver's
//!   place is that of the message before the one that it reads next, if it reads later
//!   than the oldest; it is its own if it was given a message back.
//! - **SHARED**: a slot is free; or its message is in the ring, and its shares are
//!   `begun` + `ended`; or it has left, and they are `ended`. The holder of a share may
//!   look at the value. When there are none any more and it leaves, it belongs to the
//!   thread that took it out of the ring under the lock; when it has left, to the
//!   holder of the last share. A slot is filled once while its block is in the ring.
//!
//! # Memory ordering
//!
//! The lock orders everything but the end of a share, which is released, and
//! acquired by the thread that takes the value out; and the end of that, which is
//! released when the hold is given back, and acquired by the thread that uses the block
//! again.

use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};

use super::TryRecvError;
use crate::primitive::{AtomicUsize, Lock, LockGuard, Ordering};

mod block;
mod spare;

use block::{Link, Slot};
pub(super) use block::{Share, Swept};
use spare::Spare;
pub(super) use spare::{Freed, Fresh};

/// The bytes of a slot, beside those of the message.
#[cfg(all(test, feature = "std", not(anysync_loom)))]
pub(super) const SLOT: usize = size_of::<Slot<()>>();

/// No sender is left.
const CLOSED: usize = 1;
/// From one message to the next. In tests it leaves few bits of a position, so that
/// they wrap.
const STEP: usize = if cfg!(test) {
    1 << (usize::BITS - 4)
} else {
    2
};

/// The messages that some receiver has not read, and how many senders and receivers
/// there are.
pub(super) struct Ring<T> {
    lock: Lock<Inner<T>>,
    /// What is looked at without the lock: the position that is next, in as many
    /// bits as there are, and [`CLOSED`].
    tail: AtomicUsize,
}

/// How many senders there are.
pub(super) struct Counts {
    pub(super) senders: usize,
    pub(super) weak_senders: usize,
}

/// A receiver's.
pub(super) struct Place<T> {
    /// The position of the message that it reads next, and [`HAS_OWN`].
    next: u64,
    /// See PLACED.
    block: Option<Link<T>>,
}

/// It was given the message before its position back, and reads that first.
const HAS_OWN: u64 = 1 << 63;

// SAFETY: by PLACED a place points at what the ring owns, which is looked at under the
// lock; or it owns a message, and lends it to no other.
unsafe impl<T: Send> Send for Place<T> {}
// SAFETY: the same, by PLACED.
unsafe impl<T: Send> Sync for Place<T> {}

// As of the ring's lock: a panic leaves nothing half done.
impl<T> UnwindSafe for Place<T> {}
impl<T> RefUnwindSafe for Place<T> {}

impl<T> Place<T> {
    fn position(&self) -> u64 {
        self.next & !HAS_OWN
    }
}

struct Inner<T> {
    counts: Counts,
    /// How many places there are.
    receivers: usize,
    /// See COUNTED.
    slowest: usize,
    /// The position of the oldest message.
    oldest: u64,
    /// The position of the message that is sent next; positions count from 0
    /// and come to [`HAS_OWN`] in no program's life.
    next: u64,
    /// The block of the oldest message, or of the next, if one of its slots has been
    /// filled and not all have been left.
    first: Option<Link<T>>,
    /// The block of the latest message, if there is a first.
    last: Option<Link<T>>,
    spare: Spare<T>,
}

// SAFETY: by SHARED, a ring hands values from thread to thread, and lends one to
// several at once; by PLACED its pointers lead to what it owns.
unsafe impl<T: Send + Sync> Send for Inner<T> {}

/// What a receiver reads.
pub(super) enum Read<'a, T> {
    /// The message itself, which has left the ring.
    Last(T),
    /// A share of a message, to be cloned when the lock is open.
    Share(Share<'a, T>),
    /// A share of a message that has left the ring, as others clone it still.
    LastShare(Share<'a, T>),
    /// A message that it was given back.
    Own(T),
    Nothing(TryRecvError),
}

/// A message that has left the ring, unless a receiver clones it still, and what is to be
/// freed when the lock is open.
pub(super) struct Popped<T> {
    pub(super) value: Option<T>,
    pub(super) freed: Freed<T>,
}

impl<T> Ring<T> {
    pub(super) fn new() -> Self {
        Self {
            lock: Lock::new(Inner {
                counts: Counts {
                    senders: 1,
                    weak_senders: 0,
                },
                receivers: 0,
                slowest: 0,
                oldest: 0,
                next: 0,
                first: None,
                last: None,
                spare: Spare::new(),
            }),
            tail: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn lock(&self) -> Locked<'_, T> {
        let inner = self.lock.lock();
        #[cfg(all(test, feature = "std", not(anysync_loom)))]
        visits::begin();
        Locked { inner, ring: self }
    }

    /// Whether a receiver finds anything but an open and empty ring, as far as it
    /// can be seen without the lock: behind by as many messages as the bits of `tail`
    /// tell apart it finds nothing, and has to look under the lock.
    #[inline]
    pub(super) fn shows_news(&self, place: &Place<T>) -> bool {
        // ORDERING: Acquire for CLOSED; what was sent is read under the lock.
        self.tail.load(Ordering::Acquire) != (place.next as usize).wrapping_mul(STEP)
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
        (self.inner.next - self.inner.oldest) as usize
    }

    #[inline]
    pub(super) fn receivers(&self) -> usize {
        self.inner.receivers
    }

    /// How many messages a receiver has not read, and those that it will miss.
    #[inline]
    pub(super) fn unread(&self, place: &Place<T>) -> u64 {
        let own = u64::from(place.next & HAS_OWN != 0);
        self.inner.next - place.position() + own
    }

    /// The place of another receiver.
    pub(super) fn join(&mut self) -> Place<T> {
        let inner = &mut *self.inner;
        inner.receivers += 1;
        inner.count(inner.next, inner.last, 1);
        Place {
            next: inner.next,
            block: inner.last,
        }
    }

    /// How many messages there is memory for.
    #[cfg(all(test, feature = "std", not(anysync_loom)))]
    pub(super) fn room(&self) -> usize {
        self.inner.spare.blocks() * Link::<T>::LEN
    }

    /// Says that the last sender has gone.
    pub(super) fn close(&mut self) {
        // ORDERING: Release, for a thread that sees it without the lock.
        self.ring.tail.fetch_or(CLOSED, Ordering::Release);
    }

    /// Whether there is a slot for the next message. If not a block is to be
    /// [supplied](Locked::supply).
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        !is_first_of_block::<T>(self.inner.next) || !self.inner.spare.is_empty()
    }

    /// Takes a block that was allocated while the lock was open.
    pub(super) fn supply(&mut self, block: Fresh<T>) {
        self.inner.spare.supply(block);
    }

    /// Adds a message that each receiver is to read; there is one, and there is room.
    #[inline]
    pub(super) fn push(&mut self, value: T) {
        let inner = &mut *self.inner;
        if is_first_of_block::<T>(inner.next) {
            inner.add_block();
        }
        let block = inner.last.expect("there is room");
        // SAFETY: invariants PLACED, and SHARED: it is free, and the lock is held.
        unsafe { slot(block, inner.next).fill(value) };
        inner.next += 1;
        // A sender is there, so it is not closed.
        let tail = (inner.next as usize).wrapping_mul(STEP);
        // ORDERING: as of `shows_news`.
        self.ring.tail.store(tail, Ordering::Release);
    }

    /// Reads a receiver's next message, if there is one, and it does not take long. Then
    /// the result is [`Read::Last`], or [`Read::Share`].
    #[inline]
    pub(super) fn read_quick(&mut self, place: &mut Place<T>) -> Option<Read<'a, T>> {
        let inner = &mut *self.inner;
        if place.next != inner.oldest {
            return inner.read_later(place).map(Read::Share);
        }
        if inner.oldest == inner.next {
            return None;
        }
        // SAFETY: invariant PLACED: the message is in the ring, and so its block is.
        let (block, slot) = unsafe {
            let block = inner.first.unwrap_unchecked();
            (block, slot(block, inner.oldest))
        };
        if inner.slowest != 1 {
            inner.slowest -= 1;
            return Some(Read::Share(begin(block, slot, place)));
        }
        let next = inner.oldest + 1;
        if slot.is_shared() || is_first_of_block::<T>(next) {
            return None;
        }
        // The others, and the one that reads.
        inner.slowest = slot.last_read_by.get() + 1;
        inner.oldest = next;
        place.next = next;
        // SAFETY: invariant SHARED: there are no shares, and it leaves.
        Some(Read::Last(unsafe { slot.take() }))
    }

    /// Reads what [`read_quick`](Locked::read_quick) does not, and opens the lock.
    #[inline(never)]
    pub(super) fn read(mut self, place: &mut Place<T>) -> Read<'a, T> {
        let inner = &mut *self.inner;
        if place.next == inner.oldest && inner.oldest != inner.next {
            place.next += 1;
            let (read, freed) = inner.read_last();
            drop(self);
            drop(freed);
            return read;
        }
        if let Some((value, freed)) = place.take_own() {
            drop(self);
            drop(freed);
            return Read::Own(value);
        }
        Read::Nothing(if place.next != inner.next {
            let missed = inner.oldest - place.next;
            place.next = inner.oldest;
            TryRecvError::Lagged(missed)
        } else if inner.counts.senders != 0 {
            TryRecvError::Empty
        } else {
            TryRecvError::Closed
        })
    }

    /// Takes out the oldest message, for which there is no room any more. If a receiver
    /// still clones it, that drops it.
    #[inline]
    pub(super) fn pop_oldest(&mut self) -> Popped<T> {
        let inner = &mut *self.inner;
        let block = inner.first.expect("there is a message");
        // SAFETY: invariant PLACED: the message is in the ring.
        let slot = unsafe { slot(block, inner.oldest) };
        inner.slowest += slot.last_read_by.get();
        // SAFETY: invariant PLACED: its block is.
        let is_own = unsafe { block.get() }.leaves(slot, 0);
        // SAFETY: invariant SHARED.
        let value = is_own.then(|| unsafe { slot.take() });
        let freed = inner.pass_oldest();
        Popped { value, freed }
    }

    /// A receiver goes; the result is the message that it was given back. What no
    /// receiver needs any more is to be [swept](Locked::sweep) out.
    pub(super) fn leave(&mut self, place: &mut Place<T>) -> Popped<T> {
        let inner = &mut *self.inner;
        let own = place.take_own();
        inner.receivers -= 1;
        inner.count(place.next, place.block, usize::MAX);
        let (value, freed) =
            own.map_or((None, Freed::none()), |(value, freed)| (Some(value), freed));
        Popped { value, freed }
    }

    /// Takes messages that no receiver needs out of the ring, if there are any: no more
    /// than a block has. It opens the lock.
    pub(super) fn sweep(mut self) -> Option<Swept<T>> {
        let inner = &mut *self.inner;
        if inner.slowest != 0 || inner.oldest == inner.next {
            return None;
        }
        let link = inner.first.expect("there is a message");
        // SAFETY: invariant PLACED: the message is in the ring.
        let block = unsafe { link.get() };
        let mut swept = Swept::new(link, block);
        loop {
            // SAFETY: invariant PLACED: the message is in the ring.
            let slot = unsafe { slot(link, inner.oldest) };
            swept.add(inner.oldest, block.leaves(slot, 0));
            inner.slowest += slot.last_read_by.get();
            let is_over = is_first_of_block::<T>(inner.oldest + 1);
            let freed = inner.pass_oldest();
            debug_assert!(freed.is_none(), "it is swept");
            if is_over || inner.slowest != 0 || inner.oldest == inner.next {
                return Some(swept);
            }
        }
    }

    /// Takes the block of what was swept out, and opens the lock.
    pub(super) fn recycle(mut self, block: Fresh<T>) {
        let freed = self.inner.spare.recycle(block);
        drop(self);
        drop(freed);
    }
}

impl<T> Inner<T> {
    /// Adds to the count of those that read next what is at a position, by COUNTED;
    /// `block` is that of the message before, if that is in the ring.
    fn count(&mut self, position: u64, block: Option<Link<T>>, change: usize) {
        if position <= self.oldest {
            self.slowest = self.slowest.wrapping_add(change);
        } else {
            // SAFETY: invariant PLACED: the message before is in the ring.
            let slot = unsafe { slot(block.expect("by PLACED"), position - 1) };
            let count = slot.last_read_by.get().wrapping_add(change);
            slot.last_read_by.set(count);
        }
    }

    /// Reads the oldest message for the last that has not read it.
    fn read_last<'a>(&mut self) -> (Read<'a, T>, Freed<T>) {
        let link = self.first.expect("there is a message");
        // SAFETY: invariant PLACED: the message is in the ring.
        let (block, slot) = unsafe { (link.get(), slot(link, self.oldest)) };
        // The others, and the one that reads.
        self.slowest = slot.last_read_by.get() + 1;
        let is_own = block.leaves(slot, 1);
        // SAFETY: invariant SHARED: it is the reader's, or has a share for it.
        let read = unsafe {
            if is_own {
                Read::Last(slot.take())
            } else {
                Read::LastShare(Share::new(link, slot))
            }
        };
        (read, self.pass_oldest())
    }

    /// Reads for a receiver that is not among the slowest, if there is a message.
    #[inline]
    fn read_later<'a>(&mut self, place: &mut Place<T>) -> Option<Share<'a, T>> {
        if place.next.wrapping_sub(self.oldest) >= self.next - self.oldest {
            return None;
        }
        // SAFETY: invariant PLACED: the message before is in the ring, and so is this.
        let (link, slot) = unsafe {
            let link = place.block.unwrap_unchecked();
            let before = slot(link, place.next - 1);
            before.last_read_by.set(before.last_read_by.get() - 1);
            let link = if is_first_of_block::<T>(place.next) {
                link.get().next.get().unwrap_unchecked()
            } else {
                link
            };
            (link, slot(link, place.next))
        };
        Some(begin(link, slot, place))
    }

    #[cold]
    fn add_block(&mut self) {
        let block = self.spare.take().expect("there is room");
        match self.last {
            // SAFETY: invariant PLACED: the latest message is in the ring.
            Some(last) => unsafe { last.get() }.next.set(Some(block)),
            None => self.first = Some(block),
        }
        self.last = Some(block);
    }

    /// The oldest message has left.
    #[inline]
    fn pass_oldest(&mut self) -> Freed<T> {
        self.oldest += 1;
        if is_first_of_block::<T>(self.oldest) {
            self.pass_block()
        } else {
            Freed::none()
        }
    }

    /// All messages of the first block have left.
    #[cold]
    fn pass_block(&mut self) -> Freed<T> {
        let passed = self.first.expect("a message has left");
        // SAFETY: invariant PLACED: the ring has its hold.
        let block = unsafe { passed.get() };
        self.first = block.next.take();
        if self.first.is_none() {
            self.last = None;
        }
        if block.let_go() {
            block.hold();
            self.spare.put(passed)
        } else {
            self.spare.leave();
            Freed::none()
        }
    }
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        // There is no receiver, and so no message.
        debug_assert_eq!(self.oldest, self.next);
        if let Some(block) = self.first {
            // SAFETY: invariants PLACED, up to here, and SHARED: no receiver can clone.
            unsafe { block.free() };
        }
    }
}

/// Whether a message is the first in its block.
#[inline]
fn is_first_of_block<T>(position: u64) -> bool {
    position as usize & (Link::<T>::LEN - 1) == 0
}

/// The slot at a position, in the block of that.
///
/// # Safety
///
/// By PLACED the block is there for as long as `'a`.
#[inline]
unsafe fn slot<'a, T>(block: Link<T>, position: u64) -> &'a Slot<T> {
    #[cfg(all(test, feature = "std", not(anysync_loom)))]
    visits::count();
    // SAFETY: the caller's promise.
    unsafe { block.get() }.slot(position)
}

/// A share for a receiver that begins to read its next message, which stays in the ring.
#[inline]
fn begin<'a, T>(block: Link<T>, slot: &Slot<T>, place: &mut Place<T>) -> Share<'a, T> {
    place.next += 1;
    place.block = Some(block);
    slot.last_read_by.set(slot.last_read_by.get() + 1);
    slot.begin();
    // SAFETY: invariant SHARED: it has begun.
    unsafe { Share::new(block, slot) }
}

impl<T> Place<T> {
    /// Gives a message back that its receiver has just read, but cannot return.
    pub(super) fn give_back(&mut self, value: T) {
        let own = Link::new();
        // SAFETY: invariants PLACED: it is new; and SHARED: so it is free, and there
        // is no lock to it.
        unsafe {
            own.get().next.set(self.block);
            slot(own, self.next).fill(value);
        }
        self.block = Some(own);
        self.next |= HAS_OWN;
    }

    /// Takes what was given back, and its block, which is free then.
    fn take_own(&mut self) -> Option<(T, Freed<T>)> {
        if self.next & HAS_OWN == 0 {
            return None;
        }
        self.next &= !HAS_OWN;
        let own = self.block.expect("by PLACED");
        // SAFETY: invariants PLACED, and SHARED: both are its own.
        let (value, block) = unsafe { (slot(own, self.next).take(), own.get().next.take()) };
        self.block = block;
        // SAFETY: the same.
        Some((value, unsafe { Freed::of(own) }))
    }
}

/// How many slots are looked at while the lock is held once.
#[cfg(all(test, feature = "std", not(anysync_loom)))]
pub(super) mod visits {
    use core::cell::Cell;

    std::thread_local! {
        static NOW: Cell<usize> = const { Cell::new(0) };
        static MOST: Cell<usize> = const { Cell::new(0) };
        static ALL: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn begin() {
        NOW.set(0);
    }

    pub(super) fn count() {
        NOW.set(NOW.get() + 1);
        ALL.set(ALL.get() + 1);
        MOST.set(MOST.get().max(NOW.get()));
    }

    /// The most at a time that this thread has looked at in `code`.
    pub(in crate::broadcast) fn most(code: impl FnOnce()) -> usize {
        MOST.set(0);
        code();
        MOST.get()
    }

    /// All that this thread has looked at in `code`.
    pub(in crate::broadcast) fn total(code: impl FnOnce()) -> usize {
        ALL.set(0);
        code();
        ALL.get()
    }
}
