//! [`Hold`]: what makes a guard hold its lock.

use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr;

use super::raw::{HasRaw, Raw};

/// A part in the lock, of the given kind (the constants of [`raw`](super::raw)),
/// that is given back when this is dropped. `L` leads to the lock, and is a
/// reference or a share of an `Arc`.
pub(super) struct Hold<L: Deref<Target: HasRaw>, const KIND: usize> {
    lock: L,
}

impl<L: Deref<Target: HasRaw>, const KIND: usize> Hold<L, KIND> {
    /// For a caller that has won such a part; see invariant HELD.
    #[inline]
    pub(super) fn new(lock: L) -> Self {
        Self { lock }
    }

    #[inline]
    pub(super) fn lock(&self) -> &L {
        &self.lock
    }

    #[inline]
    pub(super) fn raw(&self) -> &Raw {
        self.lock.raw()
    }

    /// The way to the lock, of which the caller has the part now.
    #[inline]
    pub(super) fn into_lock(self) -> L {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither used again nor dropped.
        unsafe { ptr::read(&this.lock) }
    }

    /// The same part, with another way to the lock.
    #[inline]
    pub(super) fn map<M: Deref<Target: HasRaw>>(self, lead: impl FnOnce(L) -> M) -> Hold<M, KIND> {
        Hold::new(lead(self.into_lock()))
    }

    /// Makes it a part that lets in no more than this one did, and lets in the waits
    /// for no more than the difference.
    #[inline]
    pub(super) fn downgrade<const TO: usize>(self) -> Hold<L, TO> {
        let hold = Hold::<L, TO>::new(self.into_lock());
        // A waker that panics in here finds the word changed already.
        hold.raw().downgrade(KIND, TO);
        hold
    }
}

impl<L: Deref<Target: HasRaw>, const KIND: usize> Drop for Hold<L, KIND> {
    #[inline]
    fn drop(&mut self) {
        self.raw().release(KIND);
    }
}
