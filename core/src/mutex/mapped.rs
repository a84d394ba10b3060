//! Guards of a part of the value. They hold the whole lock, of which they know
//! no more than how to unlock it.
//!
//! Invariant **PART**: the pointer of a mapped guard was a `&mut` that a function
//! of the user's made of the `&mut` that another guard of the lock gave out for
//! as long as the lock is held: so it is one, for as long as this guard exists.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

#[cfg(feature = "alloc")]
use alloc::sync::Arc;

#[cfg(feature = "alloc")]
use super::Mutex;
use super::guard::forward_fmt;
use super::raw::Held;
#[cfg(feature = "alloc")]
use super::raw::RawMutex;
#[cfg(feature = "alloc")]
use crate::owner::Projected;

/// Access to a part of the value of a [`Mutex`](super::Mutex), by
/// [`MutexGuard::map`](super::MutexGuard::map); unlocks when it is dropped.
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct MappedMutexGuard<'a, U: ?Sized> {
    value: NonNull<U>,
    held: Held<'a>,
    // For the variance, and that the part outlives the guard.
    part: PhantomData<&'a mut U>,
}

// SAFETY: by PART it is a `&mut U`, and a lock that is bound to no thread. What
// the rest of the value is does not matter: the guard cannot reach it.
unsafe impl<U: ?Sized + Send> Send for MappedMutexGuard<'_, U> {}
// SAFETY: by PART a shared one gives out `&U`, and nothing else.
unsafe impl<U: ?Sized + Sync> Sync for MappedMutexGuard<'_, U> {}

impl<'a, U: ?Sized> MappedMutexGuard<'a, U> {
    #[inline]
    pub(super) fn new(held: Held<'a>, value: NonNull<U>) -> Self {
        Self {
            value,
            held,
            part: PhantomData,
        }
    }

    /// A guard of a part of the part.
    ///
    /// ```
    /// use anysync::{MappedMutexGuard, Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, (2, 3)));
    /// let pair = MutexGuard::map(mutex.try_lock().unwrap(), |all| &mut all.1);
    /// let three = MappedMutexGuard::map(pair, |pair| &mut pair.1);
    /// assert_eq!(*three, 3);
    /// assert!(mutex.is_locked());
    /// # drop(three);
    /// ```
    ///
    /// # Panics
    ///
    /// Where `part` does; the lock is free then.
    #[inline]
    pub fn map<V: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut U) -> &mut V,
    ) -> MappedMutexGuard<'a, V> {
        let value = NonNull::from(part(&mut this));
        MappedMutexGuard::new(this.held, value)
    }

    /// [`map`](MappedMutexGuard::map) where the part may be missing: then the
    /// guard comes back, as the error.
    ///
    /// # Panics
    ///
    /// Where `part` does; the lock is free then.
    #[inline]
    pub fn try_map<V: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<MappedMutexGuard<'a, V>, Self> {
        match part(&mut this).map(NonNull::from) {
            Some(value) => Ok(MappedMutexGuard::new(this.held, value)),
            None => Err(this),
        }
    }
}

impl<U: ?Sized> Deref for MappedMutexGuard<'_, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: invariant PART.
        unsafe { self.value.as_ref() }
    }
}

impl<U: ?Sized> DerefMut for MappedMutexGuard<'_, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: invariant PART, and the guard is borrowed for as long.
        unsafe { self.value.as_mut() }
    }
}

forward_fmt!([U: ?Sized] MappedMutexGuard<'_, U>, U);

/// A [`MappedMutexGuard`] that owns a share of the `Arc` in which the lock lies,
/// by [`OwnedMutexGuard::map`](super::OwnedMutexGuard::map).
#[cfg(feature = "alloc")]
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct OwnedMappedMutexGuard<U: ?Sized, O: ?Sized = Mutex<U>> {
    value: NonNull<U>,
    held: OwnedHeld<O>,
    // For the variance.
    part: PhantomData<*mut U>,
}

#[cfg(feature = "alloc")]
// SAFETY: by PART it is a `&mut U`, and an `Arc<O>`: the thread that drops it last drops
// the `O`. The lock is bound to no thread.
unsafe impl<U: ?Sized + Send, O: ?Sized + Send + Sync> Send for OwnedMappedMutexGuard<U, O> {}
#[cfg(feature = "alloc")]
// SAFETY: by PART a shared one gives out `&U`, and `&Arc<O>`.
unsafe impl<U: ?Sized + Sync, O: ?Sized + Send + Sync> Sync for OwnedMappedMutexGuard<U, O> {}

/// The lock, held, and a share of its owner.
#[cfg(feature = "alloc")]
struct OwnedHeld<O: ?Sized>(Projected<O, RawMutex>);

#[cfg(feature = "alloc")]
impl<O: ?Sized> Drop for OwnedHeld<O> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock();
    }
}

#[cfg(feature = "alloc")]
impl<U: ?Sized, O: ?Sized> OwnedMappedMutexGuard<U, O> {
    #[inline]
    pub(super) fn new(mutex: Projected<O, RawMutex>, value: NonNull<U>) -> Self {
        Self {
            value,
            held: OwnedHeld(mutex),
            part: PhantomData,
        }
    }

    /// What keeps the lock alive.
    #[inline]
    pub fn owner(this: &Self) -> &Arc<O> {
        this.held.0.owner()
    }

    /// A guard of a part of the part.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
    ///
    /// let mutex = Arc::new(Mutex::new((1, (2, 3))));
    /// let pair = OwnedMutexGuard::map(mutex.try_lock_owned().unwrap(), |all| &mut all.1);
    /// let three = OwnedMappedMutexGuard::map(pair, |pair| &mut pair.1);
    /// assert_eq!(*three, 3);
    /// ```
    ///
    /// # Panics
    ///
    /// Where `part` does; the lock is free then.
    #[inline]
    pub fn map<V: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut U) -> &mut V,
    ) -> OwnedMappedMutexGuard<V, O>
    where
        U: 'static,
    {
        OwnedMappedMutexGuard {
            value: NonNull::from(part(&mut this)),
            held: this.held,
            part: PhantomData,
        }
    }

    /// [`map`](OwnedMappedMutexGuard::map) where the part may be missing: then
    /// the guard comes back, as the error.
    ///
    /// # Panics
    ///
    /// Where `part` does; the lock is free then.
    #[inline]
    pub fn try_map<V: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<OwnedMappedMutexGuard<V, O>, Self>
    where
        U: 'static,
    {
        match part(&mut this).map(NonNull::from) {
            Some(value) => Ok(OwnedMappedMutexGuard {
                value,
                held: this.held,
                part: PhantomData,
            }),
            None => Err(this),
        }
    }
}

#[cfg(feature = "alloc")]
impl<U: ?Sized, O: ?Sized> Deref for OwnedMappedMutexGuard<U, O> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: invariant PART; the share of the owner keeps it alive.
        unsafe { self.value.as_ref() }
    }
}

#[cfg(feature = "alloc")]
impl<U: ?Sized, O: ?Sized> DerefMut for OwnedMappedMutexGuard<U, O> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: invariant PART, and the guard is borrowed for as long; the
        // share of the owner keeps it alive.
        unsafe { self.value.as_mut() }
    }
}

#[cfg(feature = "alloc")]
forward_fmt!([U: ?Sized, O: ?Sized] OwnedMappedMutexGuard<U, O>, U);
