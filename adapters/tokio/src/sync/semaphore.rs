//! [`Semaphore`] over [`anysync::Semaphore`].

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use anysync::semaphore as core;

use super::blocking;
use super::trace::{Change, Resource, What};
use crate::Tokio;

mod permit;

pub use permit::{OwnedSemaphorePermit, SemaphorePermit};

/// Permits, so many that so many may do something at once: the drop-in for
/// [`tokio::sync::Semaphore`].
///
/// ```
/// use anysync_tokio::sync::Semaphore;
///
/// static DOWNLOADS: Semaphore = Semaphore::const_new(3);
///
/// async fn download(n: u32) -> u32 {
///     let _permit = DOWNLOADS.acquire().await.expect("never closed");
///     n
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let tasks = (1..=4).map(|n| tokio::spawn(download(n)));
/// let mut total = 0;
/// for task in tasks.collect::<Vec<_>>() {
///     total += task.await.unwrap();
/// }
/// assert_eq!(total, 10);
/// # }
/// ```
///
/// # Fairness
///
/// First in, first out, also for many permits at once: a large request at the head
/// is not overtaken by smaller ones. Nobody passes the queue, the `try_` methods
/// included.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment. It loses its place, and what it had been
/// granted goes to the next.
///
/// # Memory ordering
///
/// What was done before permits were released or added is visible to who acquires
/// them.
///
/// # Better than the original
///
/// - A task that waits in two branches of a `select!` and polls one of them only
///   does not wait for itself.
/// - A waker that panics keeps nobody else from being woken; one that uses this
///   same semaphore, when it is cloned, woken or dropped, is fine.
/// - [`add_permits`](Semaphore::add_permits) of too many changes nothing. In the
///   original the count is wrong afterwards.
///
/// # Differences
///
/// A permit that was granted before the semaphore was closed, to a wait that has
/// not been polled since, is still returned by that wait. In the original the wait
/// fails, and the permit goes back.
pub struct Semaphore {
    resource: Resource,
    inner: anysync::Semaphore,
}

// A number that a request may ask for; only where a `usize` is small it may not.
#[track_caller]
fn wanted(n: u32) -> usize {
    let n = n as usize;
    assert_most(n);
    n
}

#[track_caller]
fn assert_most(permits: usize) {
    assert!(
        permits <= Semaphore::MAX_PERMITS,
        "a semaphore may not have more than MAX_PERMITS permits ({})",
        Semaphore::MAX_PERMITS
    );
}

impl Semaphore {
    /// As many permits as there can be: `usize::MAX >> 3`.
    pub const MAX_PERMITS: usize = usize::MAX >> 3;

    /// A semaphore with so many free permits.
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(3);
    /// assert_eq!(semaphore.available_permits(), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// With more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        assert_most(permits);
        Self::const_new(permits)
    }

    /// [`new`](Semaphore::new) for constants.
    ///
    /// ```
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// static SLOTS: Semaphore = Semaphore::const_new(3);
    /// assert_eq!(SLOTS.available_permits(), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// With more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS); in a constant this is
    /// an error of the compiler.
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        Self {
            resource: Resource::new(What::Semaphore { permits }),
            inner: anysync::Semaphore::new(permits),
        }
    }

    /// How many permits could be acquired without waiting, at this moment.
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(3);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.available_permits(), 2);
    /// # drop(permit);
    /// ```
    #[inline]
    pub fn available_permits(&self) -> usize {
        self.inner.available_permits()
    }

    /// Adds `n` permits, for the first in the queue.
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(1);
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If there would be more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS) free
    /// ones; nothing has changed then.
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        if self.inner.try_add_permits(n).is_err() {
            let most = Self::MAX_PERMITS;
            assert!(
                n <= most,
                "cannot add more than MAX_PERMITS permits ({most})"
            );
            panic!("number of added permits ({n}) would overflow MAX_PERMITS ({most})");
        }
        self.resource.change(Change::PermitsAdded(n));
    }

    /// Takes up to `n` of the available permits away for good, and returns how many.
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(3);
    /// assert_eq!(semaphore.forget_permits(2), 2);
    /// assert_eq!(semaphore.forget_permits(2), 1);
    /// ```
    pub fn forget_permits(&self, n: usize) -> usize {
        let forgotten = self.inner.forget_permits(n);
        self.resource.change(Change::PermitsForgotten(forgotten));
        forgotten
    }

    /// Waits for a permit.
    ///
    /// ```
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Semaphore::new(3);
    /// let permit = semaphore.acquire().await.unwrap();
    /// assert_eq!(semaphore.available_permits(), 2);
    /// # drop(permit);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Semaphore::close).
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time; what it had been granted
    /// goes to the next.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was done before the permits were released.
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.unless_closed()?;
        let permits = self.inner.acquire(Tokio);
        match self.resource.wait("Semaphore::acquire", permits).await {
            Ok(permits) => Ok(SemaphorePermit::new(permits, self)),
            Err(_) => Err(AcquireError(())),
        }
    }

    /// [`acquire`](Semaphore::acquire) without waiting.
    ///
    /// ```
    /// use anysync_tokio::sync::{Semaphore, TryAcquireError};
    ///
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    /// # drop(permit);
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`](TryAcquireError::Closed) if the semaphore is closed, else
    /// [`NoPermits`](TryAcquireError::NoPermits) if there is no free one, or somebody
    /// waits.
    #[inline]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        let permits = self.inner.try_acquire().map_err(refusal)?;
        Ok(SemaphorePermit::new(permits, self))
    }

    /// [`acquire`](Semaphore::acquire) for threads: it blocks, in one queue with
    /// the tasks.
    ///
    /// ```
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(3);
    /// let permit = semaphore.blocking_acquire().unwrap();
    /// assert_eq!(semaphore.available_permits(), 2);
    /// # drop(permit);
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Semaphore::close).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks. There, use [`acquire`](Semaphore::acquire); or
    /// call this within [`tokio::task::spawn_blocking`] or
    /// [`tokio::task::block_in_place`].
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        blocking::block_on(self.acquire())
    }

    /// Waits for `n` permits, which come all at once.
    ///
    /// ```
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Semaphore::new(3);
    /// let permit = semaphore.acquire_many(2).await.unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(permit);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Semaphore::close).
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Panics
    ///
    /// Where a `usize` has 32 bits: if `n` is above
    /// [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.unless_closed()?;
        let permits = self.inner.acquire_many(Tokio, wanted(n));
        match self.resource.wait("Semaphore::acquire_many", permits).await {
            Ok(permits) => Ok(SemaphorePermit::new(permits, self)),
            Err(_) => Err(AcquireError(())),
        }
    }

    /// [`acquire_many`](Semaphore::acquire_many) without waiting.
    ///
    /// ```
    /// use anysync_tokio::sync::{Semaphore, TryAcquireError};
    ///
    /// let semaphore = Semaphore::new(2);
    /// let permit = semaphore.try_acquire_many(2).unwrap();
    /// assert_eq!(semaphore.try_acquire_many(2).unwrap_err(), TryAcquireError::NoPermits);
    /// # drop(permit);
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`](TryAcquireError::Closed) if the semaphore is closed, else
    /// [`NoPermits`](TryAcquireError::NoPermits) if there are too few free ones, or somebody
    /// waits.
    ///
    /// # Panics
    ///
    /// Where a `usize` has 32 bits: if `n` is above
    /// [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    #[inline]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        let permits = self.inner.try_acquire_many(wanted(n)).map_err(refusal)?;
        Ok(SemaphorePermit::new(permits, self))
    }

    /// [`acquire_many`](Semaphore::acquire_many) for threads: it blocks, in one queue with
    /// the tasks.
    ///
    /// ```
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// let semaphore = Semaphore::new(3);
    /// let permit = semaphore.blocking_acquire_many(2).unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(permit);
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Semaphore::close).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks. There, use [`acquire_many`](Semaphore::acquire_many); or
    /// call this within [`tokio::task::spawn_blocking`] or
    /// [`tokio::task::block_in_place`].
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        blocking::block_on(self.acquire_many(n))
    }

    /// [`acquire`](Semaphore::acquire) with a permit that owns a share of the
    /// semaphore, and so has no lifetime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// let permit = semaphore.clone().acquire_owned().await.unwrap();
    /// assert_eq!(semaphore.available_permits(), 2);
    /// # drop(permit);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Semaphore::close).
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`acquire`](Semaphore::acquire).
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.unless_closed()?;
        let resource = self.resource.handle();
        let permits = anysync::Semaphore::acquire_owned_by(self, Self::inner, Tokio, 1);
        resource
            .wait("Semaphore::acquire_owned", permits)
            .await
            .map(OwnedSemaphorePermit::new)
            .map_err(|_| AcquireError(()))
    }

    /// [`acquire_owned`](Semaphore::acquire_owned) without waiting.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{Semaphore, TryAcquireError};
    ///
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = semaphore.clone().try_acquire_owned().unwrap();
    /// assert_eq!(semaphore.try_acquire_owned().unwrap_err(), TryAcquireError::NoPermits);
    /// # drop(permit);
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`](TryAcquireError::Closed) if the semaphore is closed, else
    /// [`NoPermits`](TryAcquireError::NoPermits) if there is no free one, or somebody
    /// waits.
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        anysync::Semaphore::try_acquire_owned_by(self, Self::inner, 1)
            .map(OwnedSemaphorePermit::new)
            .map_err(refusal)
    }

    /// [`acquire_owned`](Semaphore::acquire_owned) for threads: it blocks, in one queue with
    /// the tasks.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// let permit = semaphore.clone().blocking_acquire_owned().unwrap();
    /// assert_eq!(semaphore.available_permits(), 2);
    /// # drop(permit);
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Semaphore::close).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks. There, use [`acquire_owned`](Semaphore::acquire_owned); or
    /// call this within [`tokio::task::spawn_blocking`] or
    /// [`tokio::task::block_in_place`].
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        blocking::block_on(self.acquire_owned())
    }

    /// [`acquire_many`](Semaphore::acquire_many) with a permit that owns a share of the
    /// semaphore, and so has no lifetime.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// let permit = semaphore.clone().acquire_many_owned(2).await.unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(permit);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Semaphore::close).
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Panics
    ///
    /// Where a `usize` has 32 bits: if `n` is above
    /// [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    pub async fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.unless_closed()?;
        let resource = self.resource.handle();
        let permits = anysync::Semaphore::acquire_owned_by(self, Self::inner, Tokio, wanted(n));
        resource
            .wait("Semaphore::acquire_many_owned", permits)
            .await
            .map(OwnedSemaphorePermit::new)
            .map_err(|_| AcquireError(()))
    }

    /// [`acquire_many_owned`](Semaphore::acquire_many_owned) without waiting.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{Semaphore, TryAcquireError};
    ///
    /// let semaphore = Arc::new(Semaphore::new(2));
    /// let permit = semaphore.clone().try_acquire_many_owned(2).unwrap();
    /// assert_eq!(semaphore.try_acquire_many_owned(2).unwrap_err(), TryAcquireError::NoPermits);
    /// # drop(permit);
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`](TryAcquireError::Closed) if the semaphore is closed, else
    /// [`NoPermits`](TryAcquireError::NoPermits) if there are too few free ones, or somebody
    /// waits.
    ///
    /// # Panics
    ///
    /// Where a `usize` has 32 bits: if `n` is above
    /// [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        anysync::Semaphore::try_acquire_owned_by(self, Self::inner, wanted(n))
            .map(OwnedSemaphorePermit::new)
            .map_err(refusal)
    }

    /// [`acquire_many_owned`](Semaphore::acquire_many_owned) for threads: it blocks, in one queue with
    /// the tasks.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// let permit = semaphore.clone().blocking_acquire_many_owned(2).unwrap();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(permit);
    /// ```
    ///
    /// # Errors
    ///
    /// If the semaphore is [closed](Semaphore::close).
    ///
    /// # Panics
    ///
    /// On a thread that runs tasks. There, use [`acquire_many_owned`](Semaphore::acquire_many_owned); or
    /// call this within [`tokio::task::spawn_blocking`] or
    /// [`tokio::task::block_in_place`].
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        blocking::block_on(self.acquire_many_owned(n))
    }

    /// Closes the semaphore for good: all that wait fail, and so does every acquire
    /// from now on. Permits that are held stay valid, and go back as before.
    ///
    /// ```
    /// use anysync_tokio::sync::{Semaphore, TryAcquireError};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let semaphore = Semaphore::new(1);
    /// semaphore.close();
    /// assert_eq!(semaphore.acquire().await.unwrap_err().to_string(), "semaphore closed");
    /// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    /// # }
    /// ```
    pub fn close(&self) {
        self.inner.close();
    }

    /// Whether it is [closed](Semaphore::close).
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(1);
    /// assert!(!semaphore.is_closed());
    /// semaphore.close();
    /// assert!(semaphore.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// As in the original, a wait that is refused at once spends nothing.
    #[inline]
    fn unless_closed(&self) -> Result<(), AcquireError> {
        if self.is_closed() {
            return Err(AcquireError(()));
        }
        Ok(())
    }

    fn inner(&self) -> &anysync::Semaphore {
        &self.inner
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As the original shows it, which is a semaphore in a semaphore.
        struct Inner(usize);

        impl fmt::Debug for Inner {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("Semaphore")
                    .field("permits", &self.0)
                    .finish()
            }
        }

        f.debug_struct("Semaphore")
            .field("ll_sem", &Inner(self.available_permits()))
            .finish()
    }
}

/// The [`Semaphore`] is [closed](Semaphore::close).
#[derive(Debug)]
pub struct AcquireError(());

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("semaphore closed")
    }
}

impl Error for AcquireError {}

/// Why [`Semaphore::try_acquire`] and its kin got nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore is [closed](Semaphore::close).
    Closed,
    /// There are too few free permits, or others wait for them.
    NoPermits,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "semaphore closed",
            Self::NoPermits => "no permits available",
        })
    }
}

impl Error for TryAcquireError {}

fn refusal(error: core::TryAcquireError) -> TryAcquireError {
    match error {
        core::TryAcquireError::Closed => TryAcquireError::Closed,
        core::TryAcquireError::NoPermits => TryAcquireError::NoPermits,
    }
}
