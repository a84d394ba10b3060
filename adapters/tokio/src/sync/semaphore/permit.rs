//! The permits of a [`Semaphore`], borrowed and owned.

use std::fmt;
use std::ptr;
use std::sync::Arc;

use super::Semaphore;
use crate::sync::trace::{Held, Hold};

const STRANGERS: &str = "merging permits from different semaphore instances";

/// Permits of a [`Semaphore`], one or many, which go back to it when this is
/// dropped.
///
/// ```
/// let semaphore = anysync_tokio::sync::Semaphore::new(2);
/// let permit = semaphore.try_acquire().unwrap();
/// assert_eq!(permit.num_permits(), 1);
/// drop(permit);
/// assert_eq!(semaphore.available_permits(), 2);
/// ```
#[must_use = "a permit goes back as soon as it is dropped: bind it, as in `let _permit = ..`"]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    permits: anysync::SemaphorePermit<'a>,
    held: Held,
    // Core's permit knows core's semaphore only.
    semaphore: &'a Semaphore,
}

impl<'a> SemaphorePermit<'a> {
    #[inline]
    pub(super) fn new(permits: anysync::SemaphorePermit<'a>, semaphore: &'a Semaphore) -> Self {
        let held = semaphore
            .resource
            .hold(Hold::Permits(permits.num_permits()));
        Self {
            permits,
            held,
            semaphore,
        }
    }

    /// Keeps the permits from going back: the semaphore has that many fewer from
    /// now on.
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(2);
    /// semaphore.try_acquire().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn forget(self) {
        self.held.forget();
        self.permits.forget();
    }

    /// Adds the permits of `other` to these.
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(3);
    /// let mut permits = semaphore.try_acquire().unwrap();
    /// permits.merge(semaphore.try_acquire_many(2).unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If `other` is of another semaphore, or these would be more than
    /// [`MAX_PERMITS`](Semaphore::MAX_PERMITS); `other` goes back to its semaphore
    /// then.
    #[track_caller]
    pub fn merge(&mut self, other: Self) {
        assert!(ptr::eq(self.semaphore, other.semaphore), "{STRANGERS}");
        self.permits.merge(other.permits);
        self.held.merge(other.held);
    }

    /// Takes `n` permits out into a value of their own; `None` if there are fewer
    /// than `n` here.
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(3);
    /// let mut permits = semaphore.try_acquire_many(3).unwrap();
    /// let one = permits.split(1).unwrap();
    /// assert_eq!((permits.num_permits(), one.num_permits()), (2, 1));
    /// assert!(permits.split(3).is_none());
    /// ```
    pub fn split(&mut self, n: usize) -> Option<Self> {
        let permits = self.permits.split(n)?;
        Some(Self {
            permits,
            held: self.held.split(n),
            semaphore: self.semaphore,
        })
    }

    /// The semaphore that they go back to.
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert!(std::ptr::eq(permit.semaphore(), &semaphore));
    /// ```
    pub fn semaphore(&self) -> &Semaphore {
        self.semaphore
    }

    /// How many permits these are.
    ///
    /// ```
    /// let semaphore = anysync_tokio::sync::Semaphore::new(3);
    /// assert_eq!(semaphore.try_acquire_many(2).unwrap().num_permits(), 2);
    /// ```
    pub fn num_permits(&self) -> usize {
        self.permits.num_permits()
    }
}

impl fmt::Debug for SemaphorePermit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SemaphorePermit")
            .field("sem", self.semaphore)
            .field("permits", &self.num_permits())
            .finish()
    }
}

/// A [`SemaphorePermit`] that owns a share of the semaphore, and has no lifetime.
///
/// ```
/// use std::sync::Arc;
/// use anysync_tokio::sync::Semaphore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let semaphore = Arc::new(Semaphore::new(1));
/// let permit = semaphore.clone().acquire_owned().await.unwrap();
/// tokio::spawn(async move { drop(permit) }).await.unwrap();
/// assert_eq!(semaphore.available_permits(), 1);
/// # }
/// ```
#[must_use = "a permit goes back as soon as it is dropped: bind it, as in `let _permit = ..`"]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    permits: anysync::OwnedSemaphorePermit<Semaphore>,
    held: Held,
}

impl OwnedSemaphorePermit {
    #[inline]
    pub(super) fn new(permits: anysync::OwnedSemaphorePermit<Semaphore>) -> Self {
        let resource = &permits.owner().resource;
        let held = resource.hold(Hold::Permits(permits.num_permits()));
        Self { permits, held }
    }

    /// Keeps the permits from going back: the semaphore has that many fewer from
    /// now on.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(2));
    /// semaphore.clone().try_acquire_owned().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn forget(self) {
        self.held.forget();
        self.permits.forget();
    }

    /// Adds the permits of `other` to these.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// let mut permits = semaphore.clone().try_acquire_owned().unwrap();
    /// permits.merge(semaphore.try_acquire_many_owned(2).unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If `other` is of another semaphore, or these would be more than
    /// [`MAX_PERMITS`](Semaphore::MAX_PERMITS); `other` goes back to its semaphore
    /// then.
    #[track_caller]
    pub fn merge(&mut self, other: Self) {
        assert!(
            Arc::ptr_eq(self.semaphore(), other.semaphore()),
            "{STRANGERS}"
        );
        self.permits.merge(other.permits);
        self.held.merge(other.held);
    }

    /// Takes `n` permits out into a value of their own, with its own share of the
    /// semaphore; `None` if there are fewer than `n` here.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// let mut permits = semaphore.try_acquire_many_owned(3).unwrap();
    /// let one = permits.split(1).unwrap();
    /// assert_eq!((permits.num_permits(), one.num_permits()), (2, 1));
    /// ```
    pub fn split(&mut self, n: usize) -> Option<Self> {
        let permits = self.permits.split(n)?;
        let held = self.held.split(n);
        Some(Self { permits, held })
    }

    /// The semaphore that they go back to.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = semaphore.clone().try_acquire_owned().unwrap();
    /// assert!(Arc::ptr_eq(permit.semaphore(), &semaphore));
    /// ```
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        self.permits.owner()
    }

    /// How many permits these are.
    pub fn num_permits(&self) -> usize {
        self.permits.num_permits()
    }
}

impl fmt::Debug for OwnedSemaphorePermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedSemaphorePermit")
            .field("sem", self.semaphore())
            .field("permits", &self.num_permits())
            .finish()
    }
}
