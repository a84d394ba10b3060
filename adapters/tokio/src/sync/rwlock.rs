//! [`RwLock`] over [`anysync::RwLock`].

use std::fmt;
use std::sync::Arc;

use super::trace::{Hold, Resource, What};
use super::{TryLockError, blocking};
use crate::Tokio;

mod guard;
mod owned;

pub use guard::{RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use owned::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

/// As many read at once as the original lets.
const MAX_READS: u32 = u32::MAX >> 3;

/// Lets many tasks read a value at once, or one write it: the drop-in for
/// [`tokio::sync::RwLock`].
///
/// ```
/// use anysync_tokio::sync::RwLock;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let lock = RwLock::new(5);
/// {
///     let (one, other) = (lock.read().await, lock.read().await);
///     assert_eq!(*one + *other, 10);
/// }
/// *lock.write().await += 1;
/// assert_eq!(*lock.read().await, 6);
/// # }
/// ```
///
/// # Fairness
///
/// First in, first out: a writer that waits stops new readers, and readers that
/// wait are let in before the next writer. Nobody passes the queue, the `try_`
/// methods included. So a task that reads already and reads again may wait for
/// itself, if a writer has come in between.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment: it leaves the queue, those whom it alone
/// held up are let in, and what it was granted goes to the next.
///
/// # Memory ordering
///
/// What a writer did before it unlocked is visible to all who read and write after
/// it; what was done before a read ended, to the writers after it.
///
/// # Better than the original
///
/// - A task that waits in two branches of a `select!` and polls one of them only
///   does not wait for itself.
/// - A waker that panics keeps nobody else from being woken; one that uses this
///   same lock, when it is cloned, woken or dropped, is fine.
/// - [`new`](RwLock::new) and [`with_max_readers`](RwLock::with_max_readers) are
///   `const` too.
///
/// # Differences
///
/// - `map` of an owned guard that reads, or of a part, asks for parts without lifetimes
///   (`U: 'static`), and so does `downgrade_map`. Without that a guard could outlive what
///   its part borrows.
pub struct RwLock<T: ?Sized> {
    resource: Resource,
    inner: anysync::RwLock<T>,
}

impl<T> RwLock<T> {
    /// A lock that nobody holds, for up to 2^29 - 1 readers at once.
    ///
    /// ```
    /// let lock = anysync_tokio::sync::RwLock::new(5);
    /// # assert_eq!(lock.into_inner(), 5);
    /// ```
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self::limited(value, MAX_READS)
    }

    /// A lock that nobody holds, for up to `max_reads` readers at once; who wants
    /// to read beyond that waits.
    ///
    /// ```
    /// use anysync_tokio::sync::RwLock;
    ///
    /// let lock = RwLock::with_max_readers(5, 1);
    /// let reader = lock.try_read().unwrap();
    /// assert!(lock.try_read().is_err());
    /// # drop(reader);
    /// ```
    ///
    /// # Panics
    ///
    /// If `max_reads` is 0, or above 2^29 - 1 (`u32::MAX >> 3`).
    #[track_caller]
    pub const fn with_max_readers(value: T, max_reads: u32) -> Self {
        assert!(max_reads != 0, "a RwLock may not be created with 0 readers");
        assert!(
            max_reads <= MAX_READS,
            "a RwLock may not be created with more than 536870911 readers"
        );
        Self::limited(value, max_reads)
    }

    #[track_caller]
    const fn limited(value: T, max_readers: u32) -> Self {
        // Where a word has 32 bits, core counts fewer.
        let most = anysync::RwLock::<()>::MAX_READERS;
        let limit = max_readers as usize;
        let limit = if limit > most { most } else { limit };
        Self {
            resource: Resource::new(What::RwLock { max_readers }),
            inner: anysync::RwLock::with_max_readers(value, limit),
        }
    }

    /// [`new`](RwLock::new), by the name that the original has for constants.
    ///
    /// ```
    /// use anysync_tokio::sync::RwLock;
    ///
    /// static LOCK: RwLock<u32> = RwLock::const_new(5);
    /// # let _ = &LOCK;
    /// ```
    #[inline]
    #[track_caller]
    pub const fn const_new(value: T) -> Self {
        Self::new(value)
    }

    /// [`with_max_readers`](RwLock::with_max_readers), by the name that the
    /// original has for constants.
    ///
    /// ```
    /// use anysync_tokio::sync::RwLock;
    ///
    /// static LOCK: RwLock<u32> = RwLock::const_with_max_readers(5, 1024);
    /// # let _ = &LOCK;
    /// ```
    ///
    /// # Panics
    ///
    /// If `max_reads` is 0, or above 2^29 - 1; in a constant this is an error of
    /// the compiler.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> Self {
        Self::with_max_readers(value, max_reads)
    }

    /// The value, with the lock used up.
    ///
    /// ```
    /// assert_eq!(anysync_tokio::sync::RwLock::new(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until it may read.
    ///
    /// ```
    /// use anysync_tokio::sync::RwLock;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = RwLock::new(1);
    /// let guard = lock.read().await;
    /// assert_eq!(*guard, 1);
    /// assert!(lock.try_write().is_err());
    /// # }
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time, or gives back what it
    /// was granted.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the writers before it released.
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        let read = self.inner.read(Tokio);
        let inner = self.resource.wait("RwLock::read", read).await;
        RwLockReadGuard::new(inner, self.resource.hold(Hold::Read))
    }

    /// [`read`](RwLock::read) for threads: it blocks, in one queue with the tasks.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let other = lock.clone();
    /// std::thread::spawn(move || {
    ///     let guard = other.blocking_read();
    ///     assert_eq!(*guard, 1);
    /// })
    /// .join()
    /// .unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks. There, use [`read`](RwLock::read); or call
    /// this within [`tokio::task::spawn_blocking`] or
    /// [`tokio::task::block_in_place`].
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        blocking::block_on(self.read())
    }

    /// [`read`](RwLock::read) with a guard that owns a share of the lock, and so
    /// has no lifetime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::RwLock;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(1));
    /// let guard = lock.clone().read_owned().await;
    /// tokio::spawn(async move { assert_eq!(*guard, 1) }).await.unwrap();
    /// # }
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`read`](RwLock::read).
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        let resource = self.resource.handle();
        let read = anysync::RwLock::read_owned_by(self, |lock: &Self| &lock.inner, Tokio);
        let inner = resource.wait("RwLock::read_owned", read).await;
        OwnedRwLockReadGuard::new(inner, resource.hold(Hold::Read))
    }

    /// Reads if nobody writes and nobody waits. Never waits.
    ///
    /// ```
    /// use anysync_tokio::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let guard = lock.try_read().unwrap();
    /// assert_eq!(*guard, 1);
    /// assert!(lock.try_write().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If somebody writes, or waits.
    #[inline]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        let inner = self.inner.try_read().ok_or(TryLockError(()))?;
        Ok(RwLockReadGuard::new(inner, self.resource.hold(Hold::Read)))
    }

    /// [`try_read`](RwLock::try_read) with a guard that owns a share of the lock.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let guard = lock.clone().try_read_owned().unwrap();
    /// assert_eq!(*guard, 1);
    /// assert!(lock.try_write().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If somebody writes, or waits.
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        let guard = anysync::RwLock::try_read_owned_by(self, |lock: &Self| &lock.inner);
        let inner = guard.ok_or(TryLockError(()))?;
        let lock = anysync::rwlock::OwnedRwLockReadGuard::owner(&inner);
        let held = lock.resource.hold(Hold::Read);
        Ok(OwnedRwLockReadGuard::new(inner, held))
    }

    /// Waits until it may write.
    ///
    /// ```
    /// use anysync_tokio::sync::RwLock;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = RwLock::new(1);
    /// let mut guard = lock.write().await;
    /// *guard = 2;
    /// assert!(lock.try_read().is_err());
    /// # }
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on; see [`RwLock`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time, or gives back what it
    /// was granted.
    ///
    /// # Memory ordering
    ///
    /// Acquires what readers and writers before it released.
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        let write = self.inner.write(Tokio);
        let inner = self.resource.wait("RwLock::write", write).await;
        RwLockWriteGuard::new(inner, self.resource.hold(Hold::Write))
    }

    /// [`write`](RwLock::write) for threads: it blocks, in one queue with the tasks.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let other = lock.clone();
    /// std::thread::spawn(move || {
    ///     let mut guard = other.blocking_write();
    ///     *guard = 2;
    /// })
    /// .join()
    /// .unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks. There, use [`write`](RwLock::write); or call
    /// this within [`tokio::task::spawn_blocking`] or
    /// [`tokio::task::block_in_place`].
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        blocking::block_on(self.write())
    }

    /// [`write`](RwLock::write) with a guard that owns a share of the lock, and so
    /// has no lifetime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::RwLock;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let lock = Arc::new(RwLock::new(1));
    /// let mut guard = lock.clone().write_owned().await;
    /// tokio::spawn(async move { *guard = 2 }).await.unwrap();
    /// # }
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`write`](RwLock::write).
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        let resource = self.resource.handle();
        let write = anysync::RwLock::write_owned_by(self, |lock: &Self| &lock.inner, Tokio);
        let inner = resource.wait("RwLock::write_owned", write).await;
        OwnedRwLockWriteGuard::new(inner, resource.hold(Hold::Write))
    }

    /// Writes if nobody holds the lock or waits for it. Never waits.
    ///
    /// ```
    /// use anysync_tokio::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let mut guard = lock.try_write().unwrap();
    /// *guard = 2;
    /// assert!(lock.try_read().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If somebody reads, writes, or waits.
    #[inline]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        let inner = self.inner.try_write().ok_or(TryLockError(()))?;
        Ok(RwLockWriteGuard::new(
            inner,
            self.resource.hold(Hold::Write),
        ))
    }

    /// [`try_write`](RwLock::try_write) with a guard that owns a share of the lock.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let mut guard = lock.clone().try_write_owned().unwrap();
    /// *guard = 2;
    /// assert!(lock.try_read().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If somebody reads, writes, or waits.
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        let guard = anysync::RwLock::try_write_owned_by(self, |lock: &Self| &lock.inner);
        let inner = guard.ok_or(TryLockError(()))?;
        let lock = anysync::rwlock::OwnedRwLockWriteGuard::owner(&inner);
        let held = lock.resource.hold(Hold::Write);
        Ok(OwnedRwLockWriteGuard::new(inner, held))
    }

    /// The value, which nobody else can have now.
    ///
    /// ```
    /// let mut lock = anysync_tokio::sync::RwLock::new(1);
    /// *lock.get_mut() = 2;
    /// # assert_eq!(lock.into_inner(), 2);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::guard::show_lock("RwLock", self.try_read().ok().as_deref(), f)
    }
}
