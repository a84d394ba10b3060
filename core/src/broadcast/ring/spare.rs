//! Blocks that no message needs: kept for later ones, or on their way to be freed.

use core::mem;

use super::block::Link;

/// So many bytes of blocks are kept in any case.
const BYTES: usize = 16 * 1024;

/// Blocks that are kept for later messages.
///
/// How many are kept follows what is needed again. It starts with 16 KiB, or one
/// block; doubles when a block has to be allocated although one was freed; and is
/// halved when more than half of them have not been needed for a turn, in which four
/// times as many have come as were kept or in use. So a rhythm allocates nothing after
/// its first bursts, and what a single burst leaves is freed as it drains.
pub(super) struct Spare<T> {
    first: Option<Link<T>>,
    count: u32,
    /// How many may be kept.
    keep: u32,
    /// How many the messages have.
    used: u32,
    /// The most that they had in this turn.
    most_used: u32,
    /// The fewest that were spare in this turn.
    fewest: u32,
    /// How many have come in this turn.
    came: u32,
    /// Whether some have been freed since one was allocated.
    has_freed: bool,
}

impl<T> Spare<T> {
    const FEWEST: u32 = match BYTES / Link::<T>::BYTES {
        0 => 1,
        fit => fit as u32,
    };
    const MOST: u32 = 1 << 28;

    pub(super) const fn new() -> Self {
        Self {
            first: None,
            count: 0,
            keep: Self::FEWEST,
            used: 0,
            most_used: 0,
            fewest: 0,
            came: 0,
            has_freed: false,
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// How many there are, and those of the messages.
    #[cfg(all(test, feature = "std", not(anysync_loom)))]
    pub(super) fn blocks(&self) -> usize {
        (self.count + self.used) as usize
    }

    /// Takes one for messages.
    pub(super) fn take(&mut self) -> Option<Link<T>> {
        let block = self.pop()?;
        self.used += 1;
        self.most_used = self.most_used.max(self.used);
        self.fewest = self.fewest.min(self.count);
        Some(block)
    }

    /// Adds one that was allocated because there was none.
    pub(super) fn supply(&mut self, block: Fresh<T>) {
        if mem::take(&mut self.has_freed) {
            self.keep = (self.keep * 2).min(Self::MOST);
        }
        self.push(block.into_link());
    }

    /// Adds one whose messages have been swept out.
    pub(super) fn recycle(&mut self, block: Fresh<T>) -> Freed<T> {
        self.used += 1;
        self.put(block.into_link())
    }

    /// The messages of a block have left, but something holds it still.
    pub(super) fn leave(&mut self) {
        self.used -= 1;
    }

    /// Adds one whose messages have left; the result is what is too much, to be freed:
    /// two at a time.
    pub(super) fn put(&mut self, block: Link<T>) -> Freed<T> {
        self.push(block);
        self.used -= 1;
        self.came += 1;
        if self.came >= self.keep.max(self.most_used).saturating_mul(4) {
            self.end_turn();
        }
        let first = self.pop_surplus();
        if let Some(block) = first {
            // SAFETY: invariant PLACED: nothing else holds it.
            unsafe { block.get() }.next.set(self.pop_surplus());
        }
        Freed(first)
    }

    fn pop_surplus(&mut self) -> Option<Link<T>> {
        if self.count <= self.keep {
            return None;
        }
        self.has_freed = true;
        self.pop()
    }

    fn end_turn(&mut self) {
        if self.fewest > self.keep / 2 {
            self.keep = (self.keep / 2).max(Self::FEWEST);
        }
        self.came = 0;
        self.fewest = self.count;
        self.most_used = self.used;
    }

    fn push(&mut self, block: Link<T>) {
        // SAFETY: invariant PLACED: nothing else holds it.
        unsafe { block.get() }.next.set(self.first);
        self.first = Some(block);
        self.count += 1;
    }

    fn pop(&mut self) -> Option<Link<T>> {
        let block = self.first?;
        // SAFETY: invariant PLACED: it is spare.
        self.first = unsafe { block.get() }.next.take();
        self.count -= 1;
        Some(block)
    }
}

impl<T> Drop for Spare<T> {
    fn drop(&mut self) {
        drop(Freed(self.first.take()));
    }
}

/// Blocks that nothing holds, linked to each other: freed when this is dropped.
pub(in crate::broadcast) struct Freed<T>(Option<Link<T>>);

impl<T> Freed<T> {
    #[inline]
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// # Safety
    ///
    /// By PLACED nothing holds the block, and by SHARED its slots are free.
    pub(super) unsafe fn of(block: Link<T>) -> Self {
        Self(Some(block))
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    #[cold]
    fn free_all(&mut self) {
        while let Some(block) = self.0 {
            // SAFETY: invariant PLACED: nothing else holds it.
            self.0 = unsafe { block.get() }.next.take();
            // SAFETY: invariants PLACED, the same; and SHARED: its slots are free.
            unsafe { block.free() };
        }
    }
}

impl<T> Drop for Freed<T> {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.free_all();
        }
    }
}

/// A block that belongs to nothing else: allocated while the lock was open.
pub(in crate::broadcast) struct Fresh<T>(Freed<T>);

impl<T> Fresh<T> {
    pub(in crate::broadcast) fn new() -> Self {
        Self(Freed(Some(Link::new())))
    }

    /// # Safety
    ///
    /// By PLACED nothing holds the block, and by SHARED its slots are free.
    pub(super) unsafe fn of(block: Link<T>) -> Self {
        Self(Freed(Some(block)))
    }

    fn into_link(mut self) -> Link<T> {
        self.0.0.take().expect("it was allocated")
    }
}
