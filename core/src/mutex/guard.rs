//! The guard: the proof that the lock is held.

use core::fmt;
use core::ops::{Deref, DerefMut};

use super::Mutex;

/// Access to the value of a [`Mutex`]; unlocks when it is dropped, also by a
/// panic that unwinds.
///
/// It may be held across an `.await`, sent to another thread and dropped there.
#[must_use = "a guard that is not kept unlocks at once"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
}

// `Send` where `T` is, by the reference to a `Mutex`: the lock is bound to no
// thread, and who drops the guard may drop or keep no more than a `&mut T` lets
// them.

// SAFETY: a shared guard gives out `&T`, for which `T: Sync` would do, and
// `&Mutex<T>`, by which another thread can come to a `&mut T` once this guard is
// gone: for that `T: Send` is needed.
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// For whoever has the lock; see invariant HELD.
    #[inline]
    pub(super) fn new(mutex: &'a Mutex<T>) -> Self {
        Self { mutex }
    }

    /// The lock that this guard holds.
    ///
    /// An associated function, so that it hides no method of the value's.
    ///
    /// ```
    /// use anysync::{Mutex, MutexGuard};
    ///
    /// /// Lets those who wait have their turn.
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
        self.mutex.unlock();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
