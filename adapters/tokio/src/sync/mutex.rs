//! [`Mutex`] over [`anysync::Mutex`].

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::blocking;
use super::trace::{Resource, What};
use crate::Tokio;

mod guard;

pub use guard::{MappedMutexGuard, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};

/// Gives one task at a time access to a value, also across an `.await`: the
/// drop-in for [`tokio::sync::Mutex`].
///
/// ```
/// use std::sync::Arc;
/// use anysync_tokio::sync::Mutex;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let total = Arc::new(Mutex::new(0));
/// let adders = (1..=4).map(|n| {
///     let total = total.clone();
///     tokio::spawn(async move { *total.lock().await += n })
/// });
/// for adder in adders.collect::<Vec<_>>() {
///     adder.await.unwrap();
/// }
/// assert_eq!(*total.lock().await, 10);
/// # }
/// ```
///
/// Where no guard is held across an `.await`, a mutex of the standard library
/// does, and is quicker.
///
/// # Fairness
///
/// First in, first out, from the first poll of each wait on. Nobody passes the
/// queue, [`try_lock`](Mutex::try_lock) included.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. It loses its place; if it had been handed
/// the lock, the next in the queue has it.
///
/// # Memory ordering
///
/// What one holder did before it unlocked is visible to all that hold the lock
/// after it.
///
/// # Better than the original
///
/// - A task that waits in two branches of a `select!` and polls one of them only
///   does not wait for itself: the lock that the other was handed is its own.
/// - A waker that panics keeps nobody else from being woken; one that uses this
///   same mutex, when it is cloned, woken or dropped, is fine.
/// - [`new`](Mutex::new) is `const` too.
/// - A lock that is a field of what an `Arc` holds can have owned guards, with
///   [`anysync::Mutex::lock_owned_by`].
///
/// # Differences
///
/// `map` of an owned guard of a part asks for a part without lifetimes (`U: 'static`).
/// Without that a guard could outlive what its part borrows:
/// [an example](OwnedMappedMutexGuard::map).
pub struct Mutex<T: ?Sized> {
    resource: Resource,
    inner: anysync::Mutex<T>,
}

impl<T> Mutex<T> {
    /// A mutex that nobody holds.
    ///
    /// ```
    /// let mutex = anysync_tokio::sync::Mutex::new(5);
    /// # assert_eq!(mutex.into_inner(), 5);
    /// ```
    #[inline]
    #[track_caller]
    pub const fn new(t: T) -> Self {
        Self {
            resource: Resource::new(What::Mutex),
            inner: anysync::Mutex::new(t),
        }
    }

    /// [`new`](Mutex::new), by the name that the original has for constants.
    ///
    /// ```
    /// use anysync_tokio::sync::Mutex;
    ///
    /// static TOTAL: Mutex<u64> = Mutex::const_new(0);
    /// # let _ = &TOTAL;
    /// ```
    #[inline]
    #[track_caller]
    pub const fn const_new(t: T) -> Self {
        Self::new(t)
    }

    /// The value, with the mutex used up.
    ///
    /// ```
    /// assert_eq!(anysync_tokio::sync::Mutex::new(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    ///
    /// ```
    /// use anysync_tokio::sync::Mutex;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = Mutex::new(1);
    /// *mutex.lock().await = 2;
    /// # assert_eq!(mutex.into_inner(), 2);
    /// # }
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time; a lock that it had
    /// been handed goes to the next.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the holder before it released.
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        let lock = self.inner.lock(Tokio);
        let inner = self.resource.wait("Mutex::lock", lock).await;
        MutexGuard::new(inner, self)
    }

    /// [`lock`](Mutex::lock) for threads: it blocks, in one queue with the tasks.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Mutex;
    ///
    /// let mutex = Arc::new(Mutex::new(1));
    /// let other = mutex.clone();
    /// std::thread::spawn(move || *other.blocking_lock() += 1).join().unwrap();
    /// assert_eq!(*mutex.blocking_lock(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks. There, use [`lock`](Mutex::lock); or call this
    /// within [`tokio::task::spawn_blocking`] or [`tokio::task::block_in_place`].
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        blocking::block_on(self.lock())
    }

    /// [`blocking_lock`](Mutex::blocking_lock) with a guard that owns a share of
    /// the mutex.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Mutex;
    ///
    /// let mutex = Arc::new(Mutex::new(1));
    /// *mutex.clone().blocking_lock_owned() += 1;
    /// assert_eq!(*mutex.blocking_lock(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`blocking_lock`](Mutex::blocking_lock).
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        blocking::block_on(self.lock_owned())
    }

    /// [`lock`](Mutex::lock) with a guard that owns a share of the mutex, and so
    /// has no lifetime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Mutex;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = Arc::new(Mutex::new(1));
    /// let mut guard = mutex.clone().lock_owned().await;
    /// tokio::spawn(async move { *guard += 1 }).await.unwrap();
    /// assert_eq!(*mutex.lock().await, 2);
    /// # }
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`lock`](Mutex::lock).
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let resource = self.resource.handle();
        let lock = anysync::Mutex::lock_owned_by(self, |mutex: &Self| &mutex.inner, Tokio);
        OwnedMutexGuard::new(resource.wait("Mutex::lock_owned", lock).await)
    }

    /// Takes the lock if it is free and nobody waits for it. Never waits.
    ///
    /// ```
    /// use anysync_tokio::sync::Mutex;
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert_eq!(mutex.try_lock().unwrap_err().to_string(), "operation would block");
    /// # drop(guard);
    /// ```
    ///
    /// # Errors
    ///
    /// If somebody holds the lock.
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let inner = self.inner.try_lock().ok_or(TryLockError(()))?;
        Ok(MutexGuard::new(inner, self))
    }

    /// [`try_lock`](Mutex::try_lock) with a guard that owns a share of the mutex.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Mutex;
    ///
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = mutex.clone().try_lock_owned().unwrap();
    /// assert!(mutex.try_lock_owned().is_err());
    /// # drop(guard);
    /// ```
    ///
    /// # Errors
    ///
    /// If somebody holds the lock.
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        anysync::Mutex::try_lock_owned_by(self, |mutex: &Self| &mutex.inner)
            .map(OwnedMutexGuard::new)
            .ok_or(TryLockError(()))
    }

    /// The value, which nobody else can have now.
    ///
    /// ```
    /// let mut mutex = anysync_tokio::sync::Mutex::new(1);
    /// *mutex.get_mut() = 2;
    /// # assert_eq!(mutex.into_inner(), 2);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(t: T) -> Self {
        Self::new(t)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::guard::show_lock("Mutex", self.try_lock().ok().as_deref(), f)
    }
}

/// A lock that a `try_` method of [`Mutex`] or [`RwLock`](super::RwLock) wanted
/// could not be had without waiting.
#[derive(Debug)]
pub struct TryLockError(pub(super) ());

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("operation would block")
    }
}

impl Error for TryLockError {}
