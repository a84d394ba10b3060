//! The permits that an acquire returns, borrowed and owned.

use core::fmt;
use core::mem;
use core::ptr;

#[cfg(feature = "alloc")]
use alloc::sync::Arc;

use super::Semaphore;
#[cfg(feature = "alloc")]
use crate::owner::Projected;

/// The sum of two counts of permits of one semaphore.
fn sum(own: usize, others: usize) -> usize {
    match own.checked_add(others) {
        Some(sum) if sum <= Semaphore::MAX_PERMITS => sum,
        _ => panic!(
            "{own} and {others} permits are too many to merge: the limit is {}",
            Semaphore::MAX_PERMITS
        ),
    }
}

const STRANGERS: &str = "permits of different semaphores cannot be merged";

/// Permits of a [`Semaphore`], one or many, which go back to it when this is
/// dropped.
#[must_use = "permits go back to the semaphore as soon as this is dropped: bind it, as in `let _permit = ..`"]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl<'a> SemaphorePermit<'a> {
    #[inline]
    pub(super) fn new(semaphore: &'a Semaphore, permits: usize) -> Self {
        Self { semaphore, permits }
    }

    /// Keeps the permits from going back: the semaphore has that many fewer from
    /// now on.
    ///
    /// ```
    /// let semaphore = anysync::Semaphore::new(2);
    /// semaphore.try_acquire().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    #[inline]
    pub fn forget(mut self) {
        self.take();
    }

    /// How many permits these are.
    #[inline]
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// The semaphore that they go back to.
    #[inline]
    pub fn semaphore(&self) -> &'a Semaphore {
        self.semaphore
    }

    /// Adds the permits of `other` to these.
    ///
    /// ```
    /// let semaphore = anysync::Semaphore::new(3);
    /// let mut permits = semaphore.try_acquire().unwrap();
    /// permits.merge(semaphore.try_acquire_many(2).unwrap());
    /// assert_eq!(permits.num_permits(), 3);
    /// ```
    ///
    /// # Panics
    ///
    /// If `other` is of another semaphore, or the sum is above
    /// [`Semaphore::MAX_PERMITS`]; `other` goes back to its semaphore then.
    pub fn merge(&mut self, mut other: Self) {
        assert!(ptr::eq(self.semaphore, other.semaphore), "{STRANGERS}");
        self.permits = sum(self.permits, other.permits);
        other.take();
    }

    /// Takes `n` permits out into a value of their own; `None` if there are
    /// fewer than `n` here. Taking all leaves none, and is no error.
    ///
    /// ```
    /// let semaphore = anysync::Semaphore::new(3);
    /// let mut permits = semaphore.try_acquire_many(3).unwrap();
    /// let two = permits.split(2).unwrap();
    /// assert!(permits.split(2).is_none());
    /// drop(permits);
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(two);
    /// ```
    pub fn split(&mut self, n: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(n)?;
        Some(Self::new(self.semaphore, n))
    }

    /// The count, with nothing left to go back.
    #[inline]
    pub(super) fn take(&mut self) -> usize {
        mem::take(&mut self.permits)
    }
}

impl Drop for SemaphorePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release(self.permits);
    }
}

impl fmt::Debug for SemaphorePermit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SemaphorePermit")
            .field("num_permits", &self.permits)
            .field("semaphore", self.semaphore)
            .finish()
    }
}

/// Permits that own a share of an `Arc` in which their [`Semaphore`] lies: the
/// `Arc` of the semaphore itself, or of any `O` that has one
/// ([`Semaphore::acquire_owned_by`]).
#[cfg(feature = "alloc")]
#[must_use = "permits go back to the semaphore as soon as this is dropped: bind it, as in `let _permit = ..`"]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit<O: ?Sized = Semaphore> {
    semaphore: Projected<O, Semaphore>,
    permits: usize,
}

#[cfg(feature = "alloc")]
impl<O: ?Sized> OwnedSemaphorePermit<O> {
    #[inline]
    pub(super) fn new(semaphore: Projected<O, Semaphore>, permits: usize) -> Self {
        Self { semaphore, permits }
    }

    /// Keeps the permits from going back: the semaphore has that many fewer from
    /// now on.
    #[inline]
    pub fn forget(mut self) {
        self.take();
    }

    /// How many permits these are.
    #[inline]
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// The semaphore that they go back to.
    #[inline]
    pub fn semaphore(&self) -> &Semaphore {
        &self.semaphore
    }

    /// What keeps the semaphore alive.
    #[inline]
    pub fn owner(&self) -> &Arc<O> {
        self.semaphore.owner()
    }

    /// Adds the permits of `other` to these.
    ///
    /// # Panics
    ///
    /// If `other` is of another semaphore, or the sum is above
    /// [`Semaphore::MAX_PERMITS`]; `other` goes back to its semaphore then.
    pub fn merge(&mut self, mut other: Self) {
        assert!(ptr::eq(self.semaphore(), other.semaphore()), "{STRANGERS}");
        self.permits = sum(self.permits, other.permits);
        other.take();
    }

    /// Takes `n` permits out into a value of their own, with its own share of
    /// the owner; `None` if there are fewer than `n` here. Taking all leaves
    /// none, and is no error.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// let mut permits = semaphore.clone().try_acquire_many_owned(3).unwrap();
    /// let two = permits.split(2).unwrap();
    /// drop(permits);
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # drop(two);
    /// ```
    pub fn split(&mut self, n: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(n)?;
        Some(Self::new(self.semaphore.clone(), n))
    }

    #[inline]
    fn take(&mut self) -> usize {
        mem::take(&mut self.permits)
    }
}

#[cfg(feature = "alloc")]
impl<O: ?Sized> Drop for OwnedSemaphorePermit<O> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release(self.permits);
    }
}

#[cfg(feature = "alloc")]
impl<O: ?Sized> fmt::Debug for OwnedSemaphorePermit<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedSemaphorePermit")
            .field("num_permits", &self.permits)
            .field("semaphore", self.semaphore())
            .finish_non_exhaustive()
    }
}
