//! The guards: the proof that the lock is held, borrowed and owned.

use core::fmt;
use core::mem;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

#[cfg(feature = "alloc")]
use alloc::sync::Arc;

#[cfg(feature = "alloc")]
use super::OwnedMappedMutexGuard;
use super::raw::Held;
use super::{MappedMutexGuard, Mutex};
#[cfg(feature = "alloc")]
use crate::owner::Projected;

/// Access to the value of a [`Mutex`]; unlocks when it is dropped, also by a
/// panic that unwinds.
///
/// It may be held across an `.await`, sent to another thread and dropped there.
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
}

// `Send` where `T` is, by the reference to a `Mutex`: the lock is bound to no
// thread, and the thread that drops the guard may drop or keep no more than a `&mut T`
// lets it.

// SAFETY: by HELD a shared guard gives out `&T`, for which `T: Sync` would do, and
// `&Mutex<T>`, by which another thread can come to a `&mut T` once this guard is
// gone: for that `T: Send` is needed.
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Takes over from `held`, which is of the same lock.
    #[inline]
    pub(super) fn new(mutex: &'a Mutex<T>, held: Held<'a>) -> Self {
        held.into_raw();
        Self { mutex }
    }

    /// The opposite of [`new`](Self::new).
    #[inline]
    fn into_held(self) -> Held<'a> {
        let mutex = self.mutex;
        mem::forget(self);
        Held::from_raw(&mutex.raw)
    }

    /// The lock that this guard holds.
    ///
    /// An associated function, so that it hides no method of the value's.
    ///
    /// ```
    /// use anysync::{Mutex, MutexGuard};
    ///
    /// /// Lets the tasks that wait have their turn.
    /// async fn step_back<'a>(guard: MutexGuard<'a, u32>) -> MutexGuard<'a, u32> {
    ///     let mutex = MutexGuard::mutex(&guard);
    ///     drop(guard);
    ///     mutex.lock_future().await
    /// }
    /// ```
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.mutex
    }

    /// A guard of a part of the value, which `part` finds. The whole stays
    /// locked.
    ///
    /// ```
    /// use anysync::{MappedMutexGuard, Mutex, MutexGuard};
    ///
    /// struct Account { balance: i64, owner: String }
    ///
    /// fn balance(account: &Mutex<Account>) -> Option<MappedMutexGuard<'_, i64>> {
    ///     let guard = account.try_lock()?;
    ///     Some(MutexGuard::map(guard, |account| &mut account.balance))
    /// }
    ///
    /// let account = Mutex::new(Account { balance: 5, owner: "Ada".into() });
    /// *balance(&account).unwrap() += 1;
    /// assert_eq!(account.into_inner().balance, 6);
    /// ```
    ///
    /// # Panics
    ///
    /// Where `part` does; the lock is free then.
    #[inline]
    pub fn map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> MappedMutexGuard<'a, U> {
        let value = NonNull::from(part(&mut this));
        MappedMutexGuard::new(this.into_held(), value)
    }

    /// [`map`](MutexGuard::map) where the part may be missing: then the guard
    /// comes back, as the error.
    ///
    /// ```
    /// use anysync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new(vec![1]);
    /// let guard = MutexGuard::try_map(mutex.try_lock().unwrap(), |all| all.get_mut(7));
    /// let mut whole = guard.unwrap_err();
    /// whole.push(2);
    /// let guard = MutexGuard::try_map(whole, |all| all.get_mut(1));
    /// assert_eq!(*guard.unwrap(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// Where `part` does; the lock is free then.
    #[inline]
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedMutexGuard<'a, U>, Self> {
        match part(&mut this).map(NonNull::from) {
            Some(value) => Ok(MappedMutexGuard::new(this.into_held(), value)),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: invariant HELD, this guard is the only one.
        self.mutex.value.with(|value| unsafe { &*value })
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: invariant HELD, this guard is the only one, and it is borrowed
        // for as long as the value is.
        self.mutex.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.raw.unlock();
    }
}

/// Shows a guard as the value that it gives access to.
macro_rules! forward_fmt {
    ([$($generics:tt)*] $guard:ty, $value:ty) => {
        impl<$($generics)*> fmt::Debug for $guard
        where
            $value: fmt::Debug,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($generics)*> fmt::Display for $guard
        where
            $value: fmt::Display,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}
pub(super) use forward_fmt;

forward_fmt!([T: ?Sized] MutexGuard<'_, T>, T);

/// A [`MutexGuard`] that owns a share of an `Arc` in which its [`Mutex`] lies:
/// the `Arc` of the mutex itself ([`Mutex::lock_owned`]), or of any `O` that has
/// one ([`Mutex::lock_owned_by`]).
///
/// It has no lifetime, so a task that is spawned may take it along.
#[cfg(feature = "alloc")]
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized, O: ?Sized = Mutex<T>> {
    mutex: Projected<O, Mutex<T>>,
}

// `Send` where `T` is, and `O` may be both sent and shared: by `Projected`, which
// is an `Arc<O>` (the thread that drops it last drops the `O`) and a `&Mutex<T>`.

#[cfg(feature = "alloc")]
// SAFETY: by HELD a shared guard gives out `&T`, `&Arc<O>` and `&Mutex<T>`; for the
// first `T: Sync` is needed, for the second `O: Send + Sync`, for the last
// `T: Send`.
unsafe impl<T: ?Sized + Send + Sync, O: ?Sized + Send + Sync> Sync for OwnedMutexGuard<T, O> {}

#[cfg(feature = "alloc")]
impl<T: ?Sized, O: ?Sized> OwnedMutexGuard<T, O> {
    /// For a caller that has the lock, by invariant HELD, and gives that up to this.
    #[inline]
    pub(super) fn new(mutex: Projected<O, Mutex<T>>) -> Self {
        Self { mutex }
    }

    /// The share of the owner; the lock stays held.
    #[inline]
    fn into_projected(self) -> Projected<O, Mutex<T>> {
        let this = mem::ManuallyDrop::new(self);
        // SAFETY: moved out once: `this` is neither dropped nor used again.
        unsafe { core::ptr::read(&this.mutex) }
    }

    /// The lock that this guard holds.
    #[inline]
    pub fn mutex(this: &Self) -> &Mutex<T> {
        &this.mutex
    }

    /// What keeps the lock alive.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Mutex, OwnedMutexGuard};
    ///
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = mutex.clone().try_lock_owned().unwrap();
    /// assert!(Arc::ptr_eq(OwnedMutexGuard::owner(&guard), &mutex));
    /// ```
    #[inline]
    pub fn owner(this: &Self) -> &Arc<O> {
        this.mutex.owner()
    }

    /// A guard of a part of the value, which `part` finds. The whole stays
    /// locked, and alive.
    ///
    /// A guard of a part does not know the lifetimes in the whole, so there may be
    /// none: `T: 'static`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Mutex, OwnedMutexGuard};
    ///
    /// let mutex = Arc::new(Mutex::new((1, "one")));
    /// let guard = mutex.clone().try_lock_owned().unwrap();
    /// let mut number = OwnedMutexGuard::map(guard, |pair| &mut pair.0);
    /// *number += 1;
    /// drop(number);
    /// assert_eq!(mutex.try_lock().unwrap().0, 2);
    /// ```
    ///
    /// # Panics
    ///
    /// Where `part` does; the lock is free then.
    #[inline]
    pub fn map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> OwnedMappedMutexGuard<U, O>
    where
        T: 'static,
    {
        let value = NonNull::from(part(&mut this));
        OwnedMappedMutexGuard::new(this.into_projected().map(|mutex| &mutex.raw), value)
    }

    /// [`map`](OwnedMutexGuard::map) where the part may be missing: then the
    /// guard comes back, as the error.
    ///
    /// # Panics
    ///
    /// Where `part` does; the lock is free then.
    #[inline]
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<OwnedMappedMutexGuard<U, O>, Self>
    where
        T: 'static,
    {
        match part(&mut this).map(NonNull::from) {
            Some(value) => Ok(OwnedMappedMutexGuard::new(
                this.into_projected().map(|mutex| &mutex.raw),
                value,
            )),
            None => Err(this),
        }
    }
}

#[cfg(feature = "alloc")]
impl<T: ?Sized, O: ?Sized> Deref for OwnedMutexGuard<T, O> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: invariant HELD, this guard is the only one.
        self.mutex.value.with(|value| unsafe { &*value })
    }
}

#[cfg(feature = "alloc")]
impl<T: ?Sized, O: ?Sized> DerefMut for OwnedMutexGuard<T, O> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: invariant HELD, this guard is the only one, and it is borrowed
        // for as long as the value is.
        self.mutex.value.with_mut(|value| unsafe { &mut *value })
    }
}

#[cfg(feature = "alloc")]
impl<T: ?Sized, O: ?Sized> Drop for OwnedMutexGuard<T, O> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.raw.unlock();
    }
}

#[cfg(feature = "alloc")]
forward_fmt!([T: ?Sized, O: ?Sized] OwnedMutexGuard<T, O>, T);
