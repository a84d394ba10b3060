//! A block: slots for a few messages that follow each other, in one allocation.

use alloc::boxed::Box;
use core::array;
use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::{self, NonNull};

use super::Fresh;
use crate::broadcast::Gone;
use crate::primitive::{AtomicUsize, Ordering, TrackedCell};

/// About as many bytes has a block, unless one message has more.
const BYTES: usize = 1024;

/// Slots that follow each other in the order of positions.
pub(super) struct Block<T, S: ?Sized = [Slot<T>]> {
    /// By PLACED: 1 of the ring, and 1 of each message that has left it and is
    /// cloned still.
    holds: AtomicUsize,
    /// The block after this one, in the ring or among the spare ones.
    pub(super) next: Cell<Option<Link<T>>>,
    slots: S,
}

/// Room for a message. The lock guards what is not an atomic.
pub(super) struct Slot<T> {
    /// How many receivers have read this message, and none after it.
    pub(super) last_read_by: Cell<usize>,
    /// How many have begun to clone it.
    begun: Cell<usize>,
    /// 0 less how many have ended; when it leaves the ring those that have begun are
    /// added. So it is 0 in the end, and never before but when no receiver has cloned.
    ended: AtomicUsize,
    value: TrackedCell<MaybeUninit<T>>,
}

/// Points at a block.
pub(super) struct Link<T> {
    block: NonNull<Block<T, [Slot<T>; 0]>>,
    owns: PhantomData<Box<Block<T>>>,
}

impl<T> Clone for Link<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Link<T> {}

impl<T> Link<T> {
    /// How many slots a block has: a power of two. In tests few messages fill one.
    pub(super) const LEN: usize = if cfg!(any(test, anysync_loom)) {
        2
    } else {
        match BYTES / size_of::<Slot<T>>() {
            0 => 1,
            fit if fit >= 32 => 32,
            fit => 1 << fit.ilog2(),
        }
    };

    /// The bytes of a block.
    pub(super) const BYTES: usize =
        size_of::<Block<T, [Slot<T>; 0]>>() + Self::LEN * size_of::<Slot<T>>();

    /// Allocates a block, whose slots are free.
    pub(super) fn new() -> Self {
        let block = match Self::LEN {
            1 => Block::<T>::new::<1>(),
            2 => Block::<T>::new::<2>(),
            4 => Block::<T>::new::<4>(),
            8 => Block::<T>::new::<8>(),
            16 => Block::<T>::new::<16>(),
            _ => Block::<T>::new::<32>(),
        };
        debug_assert_eq!(block.slots.len(), Self::LEN);
        Self {
            block: NonNull::from(Box::leak(block)).cast(),
            owns: PhantomData,
        }
    }

    #[inline]
    fn as_ptr(self) -> *mut Block<T> {
        ptr::slice_from_raw_parts_mut(self.block.as_ptr().cast::<Slot<T>>(), Self::LEN)
            as *mut Block<T>
    }

    /// The block.
    ///
    /// # Safety
    ///
    /// By PLACED it is there for as long as `'a`.
    #[inline]
    pub(super) unsafe fn get<'a>(self) -> &'a Block<T> {
        // SAFETY: the caller's promise; `new` has made so many slots.
        unsafe { &*self.as_ptr() }
    }

    /// Frees the block.
    ///
    /// # Safety
    ///
    /// By PLACED nothing holds it, and by SHARED its slots are free.
    pub(super) unsafe fn free(self) {
        // SAFETY: the caller's promise; it was a `Box` in `new`.
        drop(unsafe { Box::from_raw(self.as_ptr()) });
    }
}

impl<T> Block<T> {
    fn new<const LEN: usize>() -> Box<Self> {
        let slots = array::from_fn::<_, LEN, _>(|_| Slot {
            last_read_by: Cell::new(0),
            begun: Cell::new(0),
            ended: AtomicUsize::new(0),
            value: TrackedCell::new(MaybeUninit::uninit()),
        });
        Box::new(Block {
            holds: AtomicUsize::new(1),
            next: Cell::new(None),
            slots,
        })
    }

    /// The slot of the message at a position.
    #[inline]
    pub(super) fn slot(&self, position: u64) -> &Slot<T> {
        &self.slots[position as usize & (Link::<T>::LEN - 1)]
    }

    /// A message leaves the ring; the result says whether its slot belongs to the
    /// caller now, which may be one that is to clone it (`clones` is 1). Else the last of
    /// the receivers that clone it takes it out.
    #[inline]
    pub(super) fn leaves(&self, slot: &Slot<T>, clones: usize) -> bool {
        !slot.is_shared() || self.leaves_to_others(slot, clones)
    }

    #[cold]
    fn leaves_to_others(&self, slot: &Slot<T>, clones: usize) -> bool {
        // Before one of them can give it back.
        self.holds.fetch_add(1, Ordering::Relaxed);
        let shares = slot.begun.get() + clones;
        // ORDERING: Release: the hold comes before. Acquire: as of `leaves`.
        let left = slot
            .ended
            .fetch_add(shares, Ordering::AcqRel)
            .wrapping_add(shares);
        let is_own = left == clones;
        if is_own {
            // They have all ended meanwhile. The ring has its hold still.
            self.holds.fetch_sub(1, Ordering::Relaxed);
        }
        is_own
    }

    /// Gives a hold back; the result says whether it was the last.
    #[inline]
    pub(super) fn let_go(&self) -> bool {
        // ORDERING: Acquire, for what others did before they let go; Release, for the
        // same.
        self.holds.load(Ordering::Acquire) == 1 || self.holds.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Gives the ring's hold, which was the last and was given back, again.
    pub(super) fn hold(&self) {
        self.holds.store(1, Ordering::Relaxed);
    }
}

impl<T> Slot<T> {
    /// Whether a receiver clones the message, while it is in the ring; call it under the
    /// lock.
    #[inline]
    pub(super) fn is_shared(&self) -> bool {
        // ORDERING: Acquire, for what others did before they ended.
        let ended = self.ended.load(Ordering::Acquire);
        ended.wrapping_add(self.begun.get()) != 0
    }

    /// Counts one more that clones the message; call it under the lock.
    #[inline]
    pub(super) fn begin(&self) {
        self.begun.set(self.begun.get() + 1);
    }

    /// Puts a message in.
    ///
    /// # Safety
    ///
    /// By SHARED the slot is free, and the lock is held.
    #[inline]
    pub(super) unsafe fn fill(&self, value: T) {
        self.last_read_by.set(0);
        self.begun.set(0);
        self.ended.store(0, Ordering::Relaxed);
        self.value.with_mut(|place| {
            // SAFETY: the caller's promise.
            unsafe { (*place).write(value) };
        });
    }

    /// Takes the message out; the slot is free then.
    ///
    /// # Safety
    ///
    /// By SHARED the slot belongs to the caller, and holds a message.
    #[inline]
    pub(super) unsafe fn take(&self) -> T {
        self.value.with_mut(|place| {
            // SAFETY: the caller's promise.
            unsafe { (*place).assume_init_read() }
        })
    }
}

/// The right to look at a message once, outside the lock, while the ring lives.
pub(in crate::broadcast) struct Share<'a, T> {
    // Not a reference: the block may be gone as soon as the share has ended.
    slot: NonNull<Slot<T>>,
    block: Link<T>,
    ring: PhantomData<&'a T>,
}

impl<T> Share<'_, T> {
    /// The share of one that has begun to read.
    ///
    /// # Safety
    ///
    /// By SHARED it is counted, as of [`Slot::begin`] or [`Block::leaves`], and the
    /// slot is one of the block's.
    #[inline]
    pub(super) unsafe fn new(block: Link<T>, slot: &Slot<T>) -> Self {
        Self {
            slot: NonNull::from(slot),
            block,
            ring: PhantomData,
        }
    }

    /// A clone of the message, which stays the share's.
    #[inline]
    pub(in crate::broadcast) fn cloned(&self) -> T
    where
        T: Clone,
    {
        // SAFETY: invariants PLACED, and SHARED.
        let slot = unsafe { self.slot.as_ref() };
        slot.value.with(|place| {
            // SAFETY: invariant SHARED.
            unsafe { (*place).assume_init_ref() }.clone()
        })
    }

    /// Gives the share back. If the message has left the ring, and this was the last,
    /// the result is the message.
    #[inline]
    pub(in crate::broadcast) fn end(self) -> Option<T> {
        let this = ManuallyDrop::new(self);
        Self::give_back(this.slot, this.block)
    }

    /// To be called once.
    #[inline]
    fn give_back(slot: NonNull<Slot<T>>, block: Link<T>) -> Option<T> {
        // SAFETY: invariants PLACED, and SHARED.
        let ended = unsafe { &slot.as_ref().ended };
        // ORDERING: Release: it has been looked at before. Acquire, for what others
        // did before they ended.
        let was_last = ended.fetch_sub(1, Ordering::AcqRel) == 1;
        was_last.then(|| Self::take(slot, block))
    }

    #[cold]
    fn take(slot: NonNull<Slot<T>>, block: Link<T>) -> T {
        // SAFETY: invariants PLACED: `leaves` has left its hold to the last share; and
        // SHARED: this was it.
        let value = unsafe { slot.as_ref().take() };
        // SAFETY: invariant PLACED: the same hold.
        if unsafe { block.get() }.let_go() {
            // SAFETY: invariant PLACED: nothing else holds it.
            unsafe { block.free() };
        }
        value
    }
}

impl<T> Drop for Share<'_, T> {
    /// After a panic of the message's `Clone`.
    fn drop(&mut self) {
        drop(Gone(Self::give_back(self.slot, self.block)));
    }
}

/// Messages of one block that no receiver needs, and that have left the ring.
pub(in crate::broadcast) struct Swept<T> {
    block: Link<T>,
    /// How many have left.
    pub(in crate::broadcast) count: usize,
    /// Which slots are to be emptied; the receivers that clone the others do that.
    slots: u32,
}

impl<T> Swept<T> {
    /// None yet, of a block of which a message is in the ring.
    pub(super) fn new(link: Link<T>, block: &Block<T>) -> Self {
        block.holds.fetch_add(1, Ordering::Relaxed);
        Self {
            block: link,
            count: 0,
            slots: 0,
        }
    }

    /// Adds a message that [leaves](Block::leaves), and is its own or not.
    pub(super) fn add(&mut self, position: u64, is_own: bool) {
        self.count += 1;
        let at = position as usize & (Link::<T>::LEN - 1);
        self.slots |= u32::from(is_own) << at;
    }

    /// The block, if it can be used again; the messages were dropped.
    pub(in crate::broadcast) fn into_block(self) -> Option<Fresh<T>> {
        let this = ManuallyDrop::new(self);
        debug_assert_eq!(this.slots, 0);
        this.let_go()
    }

    /// To be called once, when the messages were dropped.
    fn let_go(&self) -> Option<Fresh<T>> {
        // SAFETY: invariant PLACED: it has its hold.
        let block = unsafe { self.block.get() };
        block.let_go().then(|| {
            block.hold();
            // SAFETY: invariants PLACED: that was the last hold; and SHARED: so all of
            // its messages have left, and were taken out.
            unsafe { Fresh::of(self.block) }
        })
    }
}

impl<T> Iterator for Swept<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.slots == 0 {
            return None;
        }
        let at = self.slots.trailing_zeros();
        self.slots &= self.slots - 1;
        // SAFETY: invariant PLACED: it has its hold.
        let slot = unsafe { self.block.get() }.slot(at.into());
        // SAFETY: invariant SHARED: it was the one to take it out of the ring, and does
        // so once.
        Some(unsafe { slot.take() })
    }
}

impl<T> Drop for Swept<T> {
    /// After a panic of a message's `Drop`, or of a waker.
    fn drop(&mut self) {
        self.by_ref().for_each(|value| drop(Gone(Some(value))));
        drop(self.let_go());
    }
}
