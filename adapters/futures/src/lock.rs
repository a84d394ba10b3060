//! The drop-in for [`futures::lock`]: change `use futures::lock` to
//! `use anysync_futures::lock`.
//!
//! ```
//! use anysync_futures::lock::Mutex;
//!
//! # futures::executor::block_on(async {
//! let total = Mutex::new(0);
//! let add = |number: u32| {
//!     let total = &total;
//!     async move { *total.lock().await += number }
//! };
//! futures::join!(add(1), add(2));
//! assert_eq!(total.into_inner(), 3);
//! # });
//! ```
//!
//! # Better than the original
//!
//! | | futures 0.3 | here |
//! |-|-|-|
//! | order | the first that comes; a waiter that is woken may find the lock taken, again and again | the first that comes; a waiter that has found it taken four times is handed it |
//! | memory of a wait | a place in the mutex's list | allocated when it has to queue; a lock that is free allocates nothing |
//! | to wake the next of many | looks for it in the list, from the start | takes the first |
//! | a waker that locks the same mutex | runs under the list's lock, and waits for ever | is fine |
//!
//! # Differences
//!
//! - While the lock has been handed to a wait that has not come, [`try_lock`](Mutex::try_lock)
//!   gets it at its third try.
//! - What `Debug` shows of a lock is what can be known: see each type.

use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use anysync::mutex as core;
use anysync::{Bare, Fairness};
use futures::future::FusedFuture;

/// Gives one task at a time access to a value: the drop-in for
/// `futures::lock::Mutex`.
///
/// # Fairness
///
/// First come, first served, as in the original: an unlock frees the lock and wakes the
/// first wait in the queue. Unlike there, no wait starves: [`anysync::Mutex`] with
/// [`Fairness::Eventual`]. A wait that is not polled stops no other.
///
/// # Cancel safety
///
/// A wait may be dropped or moved at any moment. Dropped, it leaves the queue in constant time, and a
/// lock that it had been handed goes to the next.
///
/// # Memory ordering
///
/// Locking acquires what the holder before released.
pub struct Mutex<T: ?Sized>(anysync::Mutex<T>);

impl<T> Mutex<T> {
    /// A mutex that nobody holds.
    ///
    /// ```
    /// static TOTAL: anysync_futures::lock::Mutex<u32> = anysync_futures::lock::Mutex::new(0);
    /// assert_eq!(*TOTAL.try_lock().unwrap(), 0);
    /// ```
    pub const fn new(t: T) -> Self {
        Self(anysync::Mutex::with_fairness(t, Fairness::Eventual))
    }

    /// The value, with the mutex used up.
    ///
    /// ```
    /// assert_eq!(anysync_futures::lock::Mutex::new(5).into_inner(), 5);
    /// ```
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock if it is free and nobody waits for it. Never waits.
    ///
    /// ```
    /// let mutex = anysync_futures::lock::Mutex::new(5);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_none());
    /// # drop(guard);
    /// ```
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let inner = self.0.try_lock()?;
        Some(MutexGuard { inner })
    }

    /// [`try_lock`](Mutex::try_lock) with a guard that owns a share of the mutex.
    pub fn try_lock_owned(self: &Arc<Self>) -> Option<OwnedMutexGuard<T>> {
        let inner = anysync::Mutex::try_lock_owned_by(self.clone(), |mutex: &Self| &mutex.0)?;
        Some(OwnedMutexGuard { inner })
    }

    /// Waits for the lock.
    ///
    /// ```
    /// let mutex = anysync_futures::lock::Mutex::new(5);
    /// futures::executor::block_on(async { *mutex.lock().await += 1 });
    /// assert_eq!(mutex.into_inner(), 6);
    /// ```
    #[inline]
    pub fn lock(&self) -> MutexLockFuture<'_, T> {
        MutexLockFuture {
            mutex: Some(&self.0),
            place: None,
        }
    }

    /// [`lock`](Mutex::lock) with a guard that owns a share of the mutex, and so has
    /// no lifetime.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let mutex = Arc::new(anysync_futures::lock::Mutex::new(5));
    /// let guard = futures::executor::block_on(mutex.clone().lock_owned());
    /// std::thread::spawn(move || drop(guard)).join().unwrap();
    /// assert!(mutex.try_lock().is_some());
    /// ```
    #[inline]
    pub fn lock_owned(self: Arc<Self>) -> OwnedMutexLockFuture<T> {
        OwnedMutexLockFuture(Owned::Fresh(self))
    }

    /// The value, which nobody else can have now.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
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

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.0).fmt(f)
    }
}

/// The mutex inside, shown as a [`Mutex`]: futures and guards know no other.
struct Shown<'a, T: ?Sized>(&'a anysync::Mutex<T>);

impl<T: ?Sized> fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex")
            .field("is_locked", &self.0.is_locked())
            .field("has_waiters", &(self.0.waiter_count() > 0))
            .finish()
    }
}

/// The future of [`Mutex::lock`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct MutexLockFuture<'a, T: ?Sized> {
    /// `None` once it has returned its guard.
    mutex: Option<&'a anysync::Mutex<T>>,
    /// Where it waits, since it had to. In a box, so that the future may be moved.
    place: Option<Pin<Box<core::Lock<'a, T>>>>,
}

impl<'a, T: ?Sized> Future for MutexLockFuture<'a, T> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mutex) = self.mutex else {
            finished("MutexLockFuture");
        };
        let inner = if self.place.is_some() {
            ready!(self.poll_place(mutex, cx))
        } else {
            match mutex.try_lock() {
                Some(inner) => inner,
                None => ready!(self.poll_place(mutex, cx)),
            }
        };
        self.mutex = None;
        Poll::Ready(MutexGuard { inner })
    }
}

impl<'a, T: ?Sized> MutexLockFuture<'a, T> {
    #[inline(never)]
    fn poll_place(
        &mut self,
        mutex: &'a anysync::Mutex<T>,
        cx: &mut Context<'_>,
    ) -> Poll<anysync::MutexGuard<'a, T>> {
        let place = self
            .place
            .get_or_insert_with(|| Box::pin(mutex.lock_future()));
        let inner = ready!(place.as_mut().poll(cx));
        self.place = None;
        Poll::Ready(inner)
    }
}

impl<T: ?Sized> FusedFuture for MutexLockFuture<'_, T> {
    #[inline]
    fn is_terminated(&self) -> bool {
        self.mutex.is_none()
    }
}

impl<T: ?Sized> fmt::Debug for MutexLockFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits_for = self.mutex.map(Shown);
        f.debug_struct("MutexLockFuture")
            .field("was_acquired", &waits_for.is_none())
            .field("mutex", &waits_for)
            .finish_non_exhaustive()
    }
}

#[cold]
fn finished(future: &str) -> ! {
    panic!("polled {future} after completion");
}

/// The future of [`Mutex::lock_owned`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OwnedMutexLockFuture<T: ?Sized>(Owned<T>);

enum Owned<T: ?Sized> {
    /// It has not waited yet.
    Fresh(Arc<Mutex<T>>),
    /// In a box, so that the future may be moved.
    Waits(Pin<Box<core::LockOwned<T, Mutex<T>>>>),
    /// It has returned its guard.
    Done,
}

impl<T: ?Sized> OwnedMutexLockFuture<T> {
    fn mutex(&self) -> Option<&Arc<Mutex<T>>> {
        match &self.0 {
            Owned::Fresh(mutex) => Some(mutex),
            Owned::Waits(place) => place.owner(),
            Owned::Done => None,
        }
    }

    /// Makes it one that waits.
    fn queue(&mut self) {
        if let Owned::Fresh(mutex) = mem::replace(&mut self.0, Owned::Done) {
            let place = anysync::Mutex::lock_owned_by(mutex, |mutex: &Mutex<T>| &mutex.0, Bare);
            self.0 = Owned::Waits(Box::pin(place));
        }
    }
}

impl<T: ?Sized> Future for OwnedMutexLockFuture<T> {
    type Output = OwnedMutexGuard<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Owned::Fresh(mutex) = &self.0 {
            if let Some(guard) = mutex.try_lock_owned() {
                self.0 = Owned::Done;
                return Poll::Ready(guard);
            }
            self.queue();
        }
        let Owned::Waits(place) = &mut self.0 else {
            finished("OwnedMutexLockFuture");
        };
        let inner = ready!(place.as_mut().poll(cx));
        self.0 = Owned::Done;
        Poll::Ready(OwnedMutexGuard { inner })
    }
}

impl<T: ?Sized> FusedFuture for OwnedMutexLockFuture<T> {
    #[inline]
    fn is_terminated(&self) -> bool {
        matches!(self.0, Owned::Done)
    }
}

impl<T: ?Sized> fmt::Debug for OwnedMutexLockFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedMutexLockFuture")
            .field("was_acquired", &self.is_terminated())
            .field("mutex", &self.mutex())
            .finish_non_exhaustive()
    }
}

/// The lock of a [`Mutex`], until it is dropped.
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    inner: anysync::MutexGuard<'a, T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// A guard of a part of the value.
    ///
    /// ```
    /// use anysync_futures::lock::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, 2));
    /// *MutexGuard::map(mutex.try_lock().unwrap(), |pair| &mut pair.1) = 3;
    /// assert_eq!(mutex.into_inner(), (1, 3));
    /// ```
    pub fn map<U: ?Sized, F>(this: Self, f: F) -> MappedMutexGuard<'a, T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard {
            mutex: anysync::MutexGuard::mutex(&this.inner),
            inner: anysync::MutexGuard::map(this.inner, f),
        }
    }
}

/// The lock of a [`Mutex`], and access to a part of its value.
#[clippy::has_significant_drop]
pub struct MappedMutexGuard<'a, T: ?Sized, U: ?Sized> {
    inner: anysync::MappedMutexGuard<'a, U>,
    mutex: &'a anysync::Mutex<T>,
}

impl<'a, T: ?Sized, U: ?Sized> MappedMutexGuard<'a, T, U> {
    /// A guard of a part of the part.
    pub fn map<V: ?Sized, F>(this: Self, f: F) -> MappedMutexGuard<'a, T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        MappedMutexGuard {
            inner: anysync::MappedMutexGuard::map(this.inner, f),
            mutex: this.mutex,
        }
    }
}

/// The lock of a [`Mutex`], which it owns a share of, until it is dropped.
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    inner: anysync::OwnedMutexGuard<T, Mutex<T>>,
}

/// What the guards have in common: the value, and how they show themselves.
macro_rules! guard {
    ([$($generics:tt)*] $guard:ty => $value:ident, $name:literal, |$this:ident| $mutex:expr) => {
        impl<$($generics)*> Deref for $guard {
            type Target = $value;

            #[inline]
            fn deref(&self) -> &$value {
                &self.inner
            }
        }

        impl<$($generics)*> DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut $value {
                &mut self.inner
            }
        }

        impl<$($generics)*> fmt::Debug for $guard
        where
            $value: fmt::Debug,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $this = self;
                f.debug_struct($name)
                    .field("value", &&**self)
                    .field("mutex", $mutex)
                    .finish()
            }
        }
    };
}

guard!([T: ?Sized] MutexGuard<'_, T> => T, "MutexGuard",
    |this| &Shown(anysync::MutexGuard::mutex(&this.inner)));
guard!([T: ?Sized, U: ?Sized] MappedMutexGuard<'_, T, U> => U, "MappedMutexGuard",
    |this| &Shown(this.mutex));
guard!([T: ?Sized] OwnedMutexGuard<T> => T, "OwnedMutexGuard",
    |this| anysync::OwnedMutexGuard::owner(&this.inner));
