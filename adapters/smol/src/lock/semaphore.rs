//! [`Semaphore`] over [`anysync::Semaphore`].

use ::core::fmt;
use alloc::sync::Arc;

#[cfg(feature = "std")]
use anysync::Block;
use anysync::semaphore as core;
use anysync::{AcquireError, Bare, Fairness, OwnedSemaphorePermit, SemaphorePermit};

use crate::translate::future;

/// Lets a number of tasks at once do something.
///
/// ```
/// use anysync_smol::lock::Semaphore;
///
/// /// At most eight downloads at a time, however many ask.
/// static DOWNLOADS: Semaphore = Semaphore::new(8);
///
/// async fn download(url: &str) {
///     let _permit = DOWNLOADS.acquire().await;
///     // ..
/// }
/// ```
///
/// # Fairness
///
/// First come, first served, as in the original: a release wakes the first wait in the
/// queue, and whichever task comes first has the permit. Unlike there, no wait starves,
/// also not one for many permits: [`anysync::Semaphore`] with [`Fairness::Eventual`]. A
/// wait that is not polled stops no other.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment: it leaves the queue, and permits that it
/// had been granted go to the next.
///
/// # Better than the original
///
/// - No wait starves: one that has come too late four times is handed its permit.
/// - [`acquire_many`](Semaphore::acquire_many) and its kin take several permits
///   as one.
/// - A wait allocates nothing.
///
/// # Differences
///
/// - At most [`MAX_PERMITS`](Semaphore::MAX_PERMITS) permits: [`new`](Semaphore::new)
///   takes more for that many, and [`add_permits`](Semaphore::add_permits) panics
///   where the original's count wraps around.
/// - `Debug` shows the count and not what is inside.
pub struct Semaphore(anysync::Semaphore);

impl Semaphore {
    /// The largest number of free permits: `usize::MAX / 8`.
    pub const MAX_PERMITS: usize = anysync::Semaphore::MAX_PERMITS;

    /// A semaphore with `n` permits, or [`MAX_PERMITS`](Semaphore::MAX_PERMITS)
    /// if `n` is above.
    ///
    /// ```
    /// static SLOTS: anysync_smol::lock::Semaphore = anysync_smol::lock::Semaphore::new(3);
    /// assert_eq!(SLOTS.available_permits(), 3);
    /// ```
    pub const fn new(n: usize) -> Self {
        let permits = if n > Self::MAX_PERMITS {
            Self::MAX_PERMITS
        } else {
            n
        };
        Self(anysync::Semaphore::with_fairness(
            permits,
            Fairness::Eventual,
        ))
    }

    /// How many permits could be acquired at this moment.
    pub fn available_permits(&self) -> usize {
        self.0.available_permits()
    }

    /// Adds `n` permits, and grants what the first in the queue wait for.
    ///
    /// ```
    /// let semaphore = anysync_smol::lock::Semaphore::new(1);
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
        self.0.add_permits(n);
    }

    /// Takes a permit if one is free. Never waits.
    ///
    /// ```
    /// let semaphore = anysync_smol::lock::Semaphore::new(1);
    /// let permit = semaphore.try_acquire().unwrap();
    /// assert!(semaphore.try_acquire().is_none());
    /// # drop(permit);
    /// ```
    #[inline]
    pub fn try_acquire(&self) -> Option<SemaphoreGuard<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits as one if they are free; not in the original.
    ///
    /// ```
    /// let semaphore = anysync_smol::lock::Semaphore::new(3);
    /// let two = semaphore.try_acquire_many(2).unwrap();
    /// assert!(semaphore.try_acquire_many(2).is_none());
    /// # drop(two);
    /// ```
    #[inline]
    pub fn try_acquire_many(&self, n: usize) -> Option<SemaphoreGuard<'_>> {
        let permits = self.0.try_acquire_many(n).ok()?;
        Some(SemaphoreGuard { permits })
    }

    /// Waits for a permit.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let semaphore = anysync_smol::lock::Semaphore::new(2);
    /// let permit = semaphore.acquire().await;
    /// assert_eq!(semaphore.available_permits(), 1);
    /// # })
    /// ```
    ///
    /// # Fairness
    ///
    /// First in, first out, from its first poll on.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the wait leaves the queue in constant time; a permit that it had
    /// been granted goes to the next.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was released with the permit.
    #[inline]
    pub fn acquire(&self) -> Acquire<'_> {
        self.acquire_many(1)
    }

    /// Waits for `n` permits, which come all at once; not in the original.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let semaphore = anysync_smol::lock::Semaphore::new(3);
    /// let all = semaphore.acquire_many(3).await;
    /// assert_eq!(semaphore.available_permits(), 0);
    /// # drop(all);
    /// # })
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`acquire`](Semaphore::acquire); smaller requests behind it do not
    /// overtake it.
    ///
    /// # Panics
    ///
    /// If `n` is above [`MAX_PERMITS`](Semaphore::MAX_PERMITS), as there never are
    /// so many.
    #[inline]
    #[track_caller]
    pub fn acquire_many(&self, n: usize) -> Acquire<'_> {
        Acquire {
            inner: self.0.acquire_many(Bare, n),
        }
    }

    /// Blocks the thread until it has a permit. For threads, not for tasks.
    ///
    /// ```
    /// let semaphore = anysync_smol::lock::Semaphore::new(2);
    /// let permit = semaphore.acquire_blocking();
    /// # drop(permit);
    /// ```
    ///
    /// # Fairness
    ///
    /// In one queue with the tasks, as [`acquire`](Semaphore::acquire).
    #[inline]
    #[cfg(feature = "std")]
    pub fn acquire_blocking(&self) -> SemaphoreGuard<'_> {
        Bare.block_on(self.acquire())
    }

    /// [`try_acquire`](Semaphore::try_acquire), with a permit that owns a share
    /// of the semaphore.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_smol::lock::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = semaphore.try_acquire_arc().unwrap();
    /// assert!(semaphore.try_acquire_arc().is_none());
    /// # drop(permit);
    /// ```
    #[inline]
    pub fn try_acquire_arc(self: &Arc<Self>) -> Option<SemaphoreGuardArc> {
        self.try_acquire_many_arc(1)
    }

    /// [`try_acquire_many`](Semaphore::try_acquire_many), with permits that own
    /// a share of the semaphore; not in the original.
    #[inline]
    pub fn try_acquire_many_arc(self: &Arc<Self>, n: usize) -> Option<SemaphoreGuardArc> {
        let permits = anysync::Semaphore::try_acquire_owned_by(self.clone(), Self::inner, n);
        permits.ok().map(|permits| SemaphoreGuardArc { permits })
    }

    /// [`acquire`](Semaphore::acquire), with a permit that owns a share of the
    /// semaphore.
    ///
    /// ```
    /// # smol::block_on(async {
    /// use std::sync::Arc;
    /// use anysync_smol::lock::Semaphore;
    ///
    /// let semaphore = Arc::new(Semaphore::new(2));
    /// let permit = semaphore.acquire_arc().await;
    /// # drop(permit);
    /// # })
    /// ```
    ///
    /// # Fairness, cancel safety, memory ordering
    ///
    /// As [`acquire`](Semaphore::acquire).
    #[inline]
    pub fn acquire_arc(self: &Arc<Self>) -> AcquireArc {
        self.acquire_many_arc(1)
    }

    /// [`acquire_many`](Semaphore::acquire_many), with permits that own a share
    /// of the semaphore; not in the original.
    ///
    /// # Fairness, cancel safety, memory ordering, panics
    ///
    /// As [`acquire_many`](Semaphore::acquire_many).
    #[inline]
    #[track_caller]
    pub fn acquire_many_arc(self: &Arc<Self>, n: usize) -> AcquireArc {
        AcquireArc {
            inner: anysync::Semaphore::acquire_owned_by(self.clone(), Self::inner, Bare, n),
        }
    }

    /// Blocks the thread as [`acquire_blocking`](Semaphore::acquire_blocking);
    /// the permit owns a share of the semaphore.
    #[inline]
    #[cfg(feature = "std")]
    pub fn acquire_arc_blocking(self: &Arc<Self>) -> SemaphoreGuardArc {
        Bare.block_on(self.acquire_arc())
    }

    #[inline]
    fn inner(&self) -> &anysync::Semaphore {
        &self.0
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("count", &self.available_permits())
            .finish_non_exhaustive()
    }
}

/// Nothing here closes the semaphore inside.
#[inline]
fn open<T>(acquired: Result<T, AcquireError>) -> T {
    acquired.expect("a semaphore that nobody can close is closed")
}

future! {
    /// The future of [`Semaphore::acquire`] and [`Semaphore::acquire_many`].
    Acquire ['a] ['a] ()
    core::Acquire<'a, Bare> => SemaphoreGuard<'a>,
    |acquired| SemaphoreGuard { permits: open(acquired) }, shown "Acquire { .. }"
}

future! {
    /// The future of [`Semaphore::acquire_arc`] and
    /// [`Semaphore::acquire_many_arc`].
    AcquireArc [] [] ()
    core::AcquireOwned<Semaphore, Bare> => SemaphoreGuardArc,
    |acquired| SemaphoreGuardArc { permits: open(acquired) }, shown "AcquireArc { .. }"
}

/// One permit of a [`Semaphore`], or as many as were acquired as one; they go back
/// when this is dropped.
#[clippy::has_significant_drop]
pub struct SemaphoreGuard<'a> {
    permits: SemaphorePermit<'a>,
}

/// A [`SemaphoreGuard`] that owns a share of the semaphore.
#[clippy::has_significant_drop]
pub struct SemaphoreGuardArc {
    permits: OwnedSemaphorePermit<Semaphore>,
}

macro_rules! permits {
    ($([$($generics:tt)*] $guard:ty, $name:literal;)*) => {$(
        impl<$($generics)*> $guard {
            /// Keeps the permits from going back: the semaphore has that many
            /// fewer from now on.
            #[inline]
            pub fn forget(self) {
                self.permits.forget();
            }
        }

        impl<$($generics)*> fmt::Debug for $guard {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name)
                    .field("permits", &self.permits.num_permits())
                    .finish_non_exhaustive()
            }
        }
    )*};
}

permits! {
    [] SemaphoreGuard<'_>, "SemaphoreGuard";
    [] SemaphoreGuardArc, "SemaphoreGuardArc";
}
