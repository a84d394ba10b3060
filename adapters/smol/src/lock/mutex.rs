//! [`Mutex`] over [`anysync::Mutex`].

use ::core::fmt;
use ::core::marker::PhantomData;
use alloc::sync::Arc;

#[cfg(feature = "std")]
use anysync::Block;
use anysync::face::Exclusive;
use anysync::mutex as core;
use anysync::{Bare, Fairness};

use crate::translate::{future, guard_mut};

/// Gives one task at a time access to a value.
///
/// ```
/// use anysync_smol::lock::Mutex;
///
/// static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
///
/// smol::block_on(async {
///     LINES.lock().await.push("first".to_owned());
///     assert_eq!(LINES.lock().await.len(), 1);
/// });
/// ```
///
/// # Fairness
///
/// Fair in the end, as the original: an unlock wakes the first in the queue,
/// and a task that runs already may be quicker. The first in the queue that has
/// come too late four times is handed the lock by the next unlock. So a wait is
/// passed a bounded number of times, and the bound needs no clock. It is an
/// [`anysync::Mutex`] with [`Fairness::Eventual`]; one that is strictly in
/// order is `anysync::Mutex::new`.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment: it leaves the queue, and what it had
/// been told or handed goes on to the next.
///
/// # Better than the original
///
/// - A wait lies in its future. `async_lock` allocates for each that queues.
/// - Cancelling costs the same at any length of the queue.
/// - A task that waits in two branches of a `select!` and polls one of them only
///   does not wait for itself.
///
/// # Differences
///
/// - A future that is polled after it has returned panics; the original's `Lock`
///   may lock once more.
/// - [`MutexGuard`] and [`MutexGuardArc`] are `Sync` where `T` is `Send + Sync`; in the
///   original where `T` is `Sync`, though [`source`](MutexGuard::source) leads another
///   thread to the lock, and so to a `&mut T`.
pub struct Mutex<T: ?Sized>(anysync::Mutex<T>);

impl<T> Mutex<T> {
    /// A mutex that nobody holds.
    ///
    /// ```
    /// static TOTAL: anysync_smol::lock::Mutex<u64> = anysync_smol::lock::Mutex::new(0);
    /// # let _ = &TOTAL;
    /// ```
    pub const fn new(data: T) -> Self {
        Self(anysync::Mutex::with_fairness(data, Fairness::Eventual))
    }

    /// The value, with the mutex used up.
    ///
    /// ```
    /// assert_eq!(anysync_smol::lock::Mutex::new(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let mutex = anysync_smol::lock::Mutex::new(10);
    /// assert_eq!(*mutex.lock().await, 10);
    /// # })
    /// ```
    ///
    /// # Fairness
    ///
    /// The wait queues at its first poll; see [`Mutex`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time, and passes on what it
    /// had been told or handed. To wait again is to queue again, as the last.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the holder before it released.
    #[inline]
    pub fn lock(&self) -> Lock<'_, T> {
        Lock {
            inner: Exclusive::new(self.0.lock(Bare)),
            source: Exclusive::new(self),
            value: PhantomData,
        }
    }

    /// Blocks the thread until it has the lock. For threads, not for tasks.
    ///
    /// ```
    /// let mutex = anysync_smol::lock::Mutex::new(10);
    /// assert_eq!(*mutex.lock_blocking(), 10);
    /// ```
    ///
    /// # Fairness
    ///
    /// In one queue with the tasks, as [`lock`](Mutex::lock).
    #[inline]
    #[cfg(feature = "std")]
    pub fn lock_blocking(&self) -> MutexGuard<'_, T> {
        Bare.block_on(self.lock())
    }

    /// Takes the lock if it is free. Never waits.
    ///
    /// ```
    /// let mutex = anysync_smol::lock::Mutex::new(10);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_none());
    /// # drop(guard);
    /// ```
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let inner = self.0.try_lock()?;
        Some(MutexGuard {
            inner,
            source: self,
        })
    }

    /// The value, which nobody else can have now.
    ///
    /// ```
    /// let mut mutex = anysync_smol::lock::Mutex::new(0);
    /// *mutex.get_mut() = 10;
    /// assert_eq!(mutex.into_inner(), 10);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// [`lock`](Mutex::lock), with a guard that owns a share of the mutex.
    ///
    /// ```
    /// # smol::block_on(async {
    /// use std::sync::Arc;
    /// use anysync_smol::lock::Mutex;
    ///
    /// let mutex = Arc::new(Mutex::new(10));
    /// let guard = mutex.lock_arc().await;
    /// drop(mutex);
    /// assert_eq!(*guard, 10);
    /// # })
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`lock`](Mutex::lock).
    #[inline]
    pub fn lock_arc(self: &Arc<Self>) -> LockArc<T> {
        LockArc {
            inner: Exclusive::new(anysync::Mutex::lock_owned_by(
                self.clone(),
                |mutex: &Self| &mutex.0,
                Bare,
            )),
            value: PhantomData,
        }
    }

    /// Blocks the thread as [`lock_blocking`](Mutex::lock_blocking); the guard
    /// owns a share of the mutex.
    ///
    /// ```
    /// let mutex = std::sync::Arc::new(anysync_smol::lock::Mutex::new(10));
    /// assert_eq!(*mutex.lock_arc_blocking(), 10);
    /// ```
    #[inline]
    #[cfg(feature = "std")]
    pub fn lock_arc_blocking(self: &Arc<Self>) -> MutexGuardArc<T> {
        Bare.block_on(self.lock_arc())
    }

    /// [`try_lock`](Mutex::try_lock), with a guard that owns a share of the
    /// mutex.
    ///
    /// ```
    /// let mutex = std::sync::Arc::new(anysync_smol::lock::Mutex::new(10));
    /// let guard = mutex.try_lock_arc().unwrap();
    /// assert!(mutex.try_lock_arc().is_none());
    /// # drop(guard);
    /// ```
    #[inline]
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<MutexGuardArc<T>> {
        let inner = anysync::Mutex::try_lock_owned_by(self.clone(), |mutex: &Self| &mutex.0)?;
        Some(MutexGuardArc { inner })
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Mutex");
        match self.try_lock() {
            None => shown.field("data", &format_args!("<locked>")),
            Some(guard) => shown.field("data", &&*guard),
        };
        shown.finish()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(data: T) -> Self {
        Self::new(data)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

// A shared future shows nothing, and could be shared whatever the value is; it is where
// the original's is.

future! {
    /// The future of [`Mutex::lock`].
    Lock ['a, T: ?Sized] ['a, T] (source: Exclusive<&'a Mutex<T>>, value: PhantomData<T>)
    Exclusive<core::Lock<'a, T, Bare>> => MutexGuard<'a, T>,
    |inner, source| MutexGuard { inner, source: source.get_mut() }, shown "Lock { .. }"
}

future! {
    /// The future of [`Mutex::lock_arc`].
    LockArc [T: ?Sized] [T] (value: PhantomData<T>)
    Exclusive<core::LockOwned<T, Mutex<T>, Bare>> => MutexGuardArc<T>,
    |inner| MutexGuardArc { inner }, shown "LockArc { .. }"
}

/// Access to the value of a [`Mutex`]; unlocks when it is dropped, also by a
/// panic that unwinds. There is no poisoning.
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    pub(super) inner: anysync::MutexGuard<'a, T>,
    // Core's guard knows core's mutex only.
    source: &'a Mutex<T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex that `guard` holds.
    ///
    /// ```
    /// # smol::block_on(async {
    /// use anysync_smol::lock::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new(10);
    /// let guard = mutex.lock().await;
    /// assert!(std::ptr::eq(MutexGuard::source(&guard), &mutex));
    /// # })
    /// ```
    pub fn source(guard: &Self) -> &'a Mutex<T> {
        guard.source
    }
}

guard_mut!([T: ?Sized] MutexGuard<'_, T> => T);

/// A [`MutexGuard`] that owns a share of the mutex, and has no lifetime.
#[clippy::has_significant_drop]
pub struct MutexGuardArc<T: ?Sized> {
    inner: anysync::OwnedMutexGuard<T, Mutex<T>>,
}

impl<T: ?Sized> MutexGuardArc<T> {
    /// The mutex that `guard` holds.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_smol::lock::{Mutex, MutexGuardArc};
    ///
    /// let mutex = Arc::new(Mutex::new(10));
    /// let guard = mutex.lock_arc_blocking();
    /// assert!(Arc::ptr_eq(MutexGuardArc::source(&guard), &mutex));
    /// ```
    pub fn source(guard: &Self) -> &Arc<Mutex<T>> {
        anysync::OwnedMutexGuard::owner(&guard.inner)
    }
}

guard_mut!([T: ?Sized] MutexGuardArc<T> => T);
