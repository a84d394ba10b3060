//! The guards that borrow the lock.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::pin::Pin;
use core::ptr::NonNull;

use super::futures::Upgrade;
use super::hold::Hold;
use super::raw::{HasRaw, READ, Raw, UPGRADABLE_READ, WRITE};
use super::{RwLock, Waiter};
use crate::io::Io;

/// Gives a guard the traits of a shared pointer. The guard has a method `value`
/// that says where the value is, and by HELD nothing writes to it meanwhile.
macro_rules! shows_value {
    ([$($generics:tt)*] $guard:ty => $value:ty) => {
        impl<$($generics)*> Deref for $guard {
            type Target = $value;

            #[inline]
            fn deref(&self) -> &$value {
                // SAFETY: invariant HELD: the value is there for as long as the
                // guard is, and but for the guard itself nothing writes to it.
                unsafe { self.value().as_ref() }
            }
        }

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
#[cfg(feature = "alloc")]
pub(super) use shows_value;

/// Gives a guard that writes access to its value.
macro_rules! lends_value {
    ([$($generics:tt)*] $guard:ty) => {
        impl<$($generics)*> DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut Self::Target {
                // SAFETY: invariant HELD: a guard that writes is the only one,
                // and it is borrowed for as long as the value is.
                unsafe { self.value().as_mut() }
            }
        }
    };
}
#[cfg(feature = "alloc")]
pub(super) use lends_value;

/// Shared access to the value of a [`RwLock`], or to a part of it
/// ([`map`](RwLockReadGuard::map)); ends when it is dropped, also by a panic that
/// unwinds.
///
/// It may be held across an `.await`, sent to another thread and dropped there.
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    value: NonNull<T>,
    hold: Hold<&'a Raw, READ>,
    reads: PhantomData<&'a T>,
}

// SAFETY: by HELD it is an `&T`; of the lock it has the part without the value, which is
// bound to no thread.
unsafe impl<T: ?Sized + Sync> Send for RwLockReadGuard<'_, T> {}
// SAFETY: as above, by HELD.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// For a caller that has won such a part; see invariant HELD.
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>) -> Self {
        Self::of(lock.value_ptr(), Hold::new(lock.raw()))
    }

    #[inline]
    pub(super) fn of(value: NonNull<T>, hold: Hold<&'a Raw, READ>) -> Self {
        Self {
            value,
            hold,
            reads: PhantomData,
        }
    }

    #[inline]
    fn value(&self) -> NonNull<T> {
        self.value
    }

    /// A guard of a part of the value.
    ///
    /// An associated function, so that it hides no method of the value's.
    ///
    /// ```
    /// use anysync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.try_read().unwrap(), |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// ```
    pub fn map<U: ?Sized>(this: Self, part: impl FnOnce(&T) -> &U) -> RwLockReadGuard<'a, U> {
        let value = NonNull::from(part(&this));
        RwLockReadGuard::of(value, this.hold)
    }

    /// A guard of a part of the value, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    ///
    /// ```
    /// use anysync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new(vec![1, 2]);
    /// let all = lock.try_read().unwrap();
    /// let all = RwLockReadGuard::try_map(all, |list| list.get(7)).unwrap_err();
    /// let second = RwLockReadGuard::try_map(all, |list| list.get(1)).unwrap();
    /// assert_eq!(*second, 2);
    /// ```
    pub fn try_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<RwLockReadGuard<'a, U>, Self> {
        match part(&this).map(NonNull::from) {
            Some(value) => Ok(RwLockReadGuard::of(value, this.hold)),
            None => Err(this),
        }
    }
}

shows_value!([T: ?Sized] RwLockReadGuard<'_, T> => T);

/// Shared access to the value of a [`RwLock`], which can become exclusive access
/// without any write in between ([`upgrade`](Self::upgrade)).
///
/// There is at most one such guard at a time, beside any number of
/// [`RwLockReadGuard`]s, among which it counts for the limit of readers.
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct RwLockUpgradableReadGuard<'a, T: ?Sized> {
    // `Send` and `Sync` where the lock may be shared: the guard leads to it, and
    // to exclusive access.
    hold: Hold<&'a RwLock<T>, UPGRADABLE_READ>,
}

impl<'a, T: ?Sized> RwLockUpgradableReadGuard<'a, T> {
    /// For a caller that has won such a part; see invariant HELD.
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>) -> Self {
        Self {
            hold: Hold::new(lock),
        }
    }

    #[inline]
    fn value(&self) -> NonNull<T> {
        self.hold.lock().value_ptr()
    }

    /// The lock that this guard holds.
    #[inline]
    pub fn rwlock(this: &Self) -> &'a RwLock<T> {
        this.hold.lock()
    }

    /// Makes it a plain read guard, and so lets in the next task that wants to read
    /// upgradably. No task writes in between.
    ///
    /// ```
    /// use anysync::{RwLock, RwLockUpgradableReadGuard};
    ///
    /// let lock = RwLock::new(1);
    /// let upgradable = lock.try_upgradable_read().unwrap();
    /// let reader = RwLockUpgradableReadGuard::downgrade(upgradable);
    /// assert!(lock.try_upgradable_read().is_some());
    /// assert_eq!(*reader, 1);
    /// ```
    pub fn downgrade(this: Self) -> RwLockReadGuard<'a, T> {
        let value = this.value();
        let hold = this.hold.map(|lock| lock.raw());
        RwLockReadGuard::of(value, hold.downgrade())
    }

    /// Makes it a write guard if no other task reads. Those that wait are passed:
    /// they see what has been written.
    ///
    /// # Errors
    ///
    /// Gives the guard back when another task reads.
    ///
    /// ```
    /// use anysync::{RwLock, RwLockUpgradableReadGuard as Upgradable};
    ///
    /// let lock = RwLock::new(1);
    /// let upgradable = lock.try_upgradable_read().unwrap();
    /// let reader = lock.try_read().unwrap();
    /// let upgradable = Upgradable::try_upgrade(upgradable).unwrap_err();
    /// drop(reader);
    /// *Upgradable::try_upgrade(upgradable).unwrap() = 2;
    /// ```
    pub fn try_upgrade(this: Self) -> Result<RwLockWriteGuard<'a, T>, Self> {
        if this.hold.raw().try_upgrade() {
            Ok(RwLockWriteGuard::new(this.hold.into_lock()))
        } else {
            Err(this)
        }
    }

    /// Waits until no other task reads, and returns a write guard; `io` is the
    /// executor that it runs on. From the guard that is used up here to the one
    /// that is returned no other task writes.
    ///
    /// ```
    /// use anysync::{Io, RwLock, RwLockUpgradableReadGuard};
    ///
    /// async fn init(io: impl Io, config: &RwLock<Option<String>>) {
    ///     let current = config.upgradable_read(&io).await;
    ///     if current.is_none() {
    ///         // Readers went on up to here; no other task has set it.
    ///         let mut current = RwLockUpgradableReadGuard::upgrade(current, &io).await;
    ///         *current = Some("default".to_owned());
    ///     }
    /// }
    /// ```
    ///
    /// # Fairness
    ///
    /// Passes all that wait: while it waits for those that read, from its first poll
    /// on, no other task is let in.
    ///
    /// # Cancel safety
    ///
    /// Dropped at any time, also before the first poll, it gives back the
    /// upgradable read as well, since the guard was used up; those that wait are let
    /// in. To go on reading use [`try_upgrade`](Self::try_upgrade).
    ///
    /// # Memory ordering
    ///
    /// Acquires what the readers before it released.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    pub fn upgrade<I: Io>(this: Self, io: I) -> Upgrade<'a, T, I> {
        Upgrade::new(this.hold.into_lock(), io)
    }

    /// [`upgrade`](Self::upgrade) without a future: returns a write guard if no other
    /// task reads, else queues `waiter` as the first and returns `None` at once. Its
    /// waker or callback is called when it may write; call [`RwLock::write_with`] with
    /// it then, as often as you like.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{RwLock, RwLockUpgradableReadGuard, rwlock::Waiter};
    ///
    /// let lock = RwLock::new(7);
    /// let reader = lock.try_read().unwrap();
    /// let upgradable = lock.try_upgradable_read().unwrap();
    /// let mut waiter = pin!(Waiter::new());
    /// let none = RwLockUpgradableReadGuard::upgrade_with(upgradable, waiter.as_mut());
    /// assert!(none.is_none());
    /// drop(reader);
    /// *lock.write_with(waiter.as_mut()).unwrap() += 1;
    /// ```
    ///
    /// # Fairness
    ///
    /// As [`upgrade`](Self::upgrade).
    ///
    /// # Cancel safety
    ///
    /// Dropped or [`reset`](Waiter::reset), the waiter gives back the upgradable read
    /// as well, or what became of it.
    ///
    /// # Memory ordering
    ///
    /// As [`upgrade`](Self::upgrade).
    ///
    /// # Panics
    ///
    /// If the waiter is queued, or has been granted something; the guard ends then.
    pub fn upgrade_with(
        this: Self,
        waiter: Pin<&mut Waiter<'a>>,
    ) -> Option<RwLockWriteGuard<'a, T>> {
        let lock = Self::rwlock(&this);
        waiter.upgrade(this.hold)?.accept();
        Some(RwLockWriteGuard::new(lock))
    }
}

shows_value!([T: ?Sized] RwLockUpgradableReadGuard<'_, T> => T);

/// Exclusive access to the value of a [`RwLock`]; ends when it is dropped, also
/// by a panic that unwinds.
///
/// It may be held across an `.await`, sent to another thread and dropped there.
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    // `Send` and `Sync` where the lock may be shared, as the guard leads to it.
    hold: Hold<&'a RwLock<T>, WRITE>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// For a caller that has won such a part; see invariant HELD.
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>) -> Self {
        Self {
            hold: Hold::new(lock),
        }
    }

    #[inline]
    fn value(&self) -> NonNull<T> {
        self.hold.lock().value_ptr()
    }

    /// The lock that this guard holds.
    #[inline]
    pub fn rwlock(this: &Self) -> &'a RwLock<T> {
        this.hold.lock()
    }

    /// Makes it a read guard. No task writes in between; readers that wait before
    /// the next writer are let in.
    ///
    /// ```
    /// use anysync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(1);
    /// let mut writer = lock.try_write().unwrap();
    /// *writer = 2;
    /// let reader = RwLockWriteGuard::downgrade(writer);
    /// assert_eq!(*lock.try_read().unwrap() + *reader, 4);
    /// ```
    pub fn downgrade(this: Self) -> RwLockReadGuard<'a, T> {
        Self::downgrade_map(this, |value| value)
    }

    /// Makes it an upgradable read guard. No task writes in between; readers that wait
    /// before the next writer are let in.
    pub fn downgrade_to_upgradable(this: Self) -> RwLockUpgradableReadGuard<'a, T> {
        RwLockUpgradableReadGuard {
            hold: this.hold.downgrade(),
        }
    }

    /// [`downgrade`](Self::downgrade) to a guard of a part of the value.
    ///
    /// ```
    /// use anysync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockWriteGuard::downgrade_map(lock.try_write().unwrap(), |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// assert!(lock.try_read().is_some());
    /// ```
    pub fn downgrade_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&T) -> &U,
    ) -> RwLockReadGuard<'a, U> {
        let value = NonNull::from(part(&this));
        let hold = this.hold.map(|lock| lock.raw());
        RwLockReadGuard::of(value, hold.downgrade())
    }

    /// [`downgrade_map`](Self::downgrade_map), if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    pub fn try_downgrade_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<RwLockReadGuard<'a, U>, Self> {
        match part(&this).map(NonNull::from) {
            Some(value) => {
                let hold = this.hold.map(|lock| lock.raw());
                Ok(RwLockReadGuard::of(value, hold.downgrade()))
            }
            None => Err(this),
        }
    }

    /// A guard of a part of the value.
    ///
    /// ```
    /// use anysync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// *RwLockWriteGuard::map(lock.try_write().unwrap(), |pair| &mut pair.0) += 1;
    /// assert_eq!(lock.try_read().unwrap().0, 2);
    /// ```
    pub fn map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> RwLockMappedWriteGuard<'a, U> {
        let value = NonNull::from(part(&mut this));
        RwLockMappedWriteGuard::of(value, this.hold.map(|lock| lock.raw()))
    }

    /// A guard of a part of the value, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<RwLockMappedWriteGuard<'a, U>, Self> {
        match part(&mut this).map(NonNull::from) {
            Some(value) => {
                let hold = this.hold.map(|lock| lock.raw());
                Ok(RwLockMappedWriteGuard::of(value, hold))
            }
            None => Err(this),
        }
    }

    /// The same access, as the type of [`map`](Self::map).
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        Self::map(this, |value| value)
    }
}

shows_value!([T: ?Sized] RwLockWriteGuard<'_, T> => T);
lends_value!([T: ?Sized] RwLockWriteGuard<'_, T>);

/// Exclusive access to a part of the value of a [`RwLock`]; made by
/// [`RwLockWriteGuard::map`].
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    value: NonNull<T>,
    hold: Hold<&'a Raw, WRITE>,
    writes: PhantomData<&'a mut T>,
}

// SAFETY: by HELD it is a `&mut T`; of the lock it has the part without the value, which
// is bound to no thread.
unsafe impl<T: ?Sized + Send> Send for RwLockMappedWriteGuard<'_, T> {}
// SAFETY: shared it gives out no more than a `&T`, by HELD.
unsafe impl<T: ?Sized + Sync> Sync for RwLockMappedWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    #[inline]
    fn of(value: NonNull<T>, hold: Hold<&'a Raw, WRITE>) -> Self {
        Self {
            value,
            hold,
            writes: PhantomData,
        }
    }

    #[inline]
    fn value(&self) -> NonNull<T> {
        self.value
    }

    /// A guard of a part of this part.
    pub fn map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> RwLockMappedWriteGuard<'a, U> {
        let value = NonNull::from(part(&mut this));
        RwLockMappedWriteGuard::of(value, this.hold)
    }

    /// A guard of a part of this part, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<RwLockMappedWriteGuard<'a, U>, Self> {
        match part(&mut this).map(NonNull::from) {
            Some(value) => Ok(RwLockMappedWriteGuard::of(value, this.hold)),
            None => Err(this),
        }
    }
}

shows_value!([T: ?Sized] RwLockMappedWriteGuard<'_, T> => T);
lends_value!([T: ?Sized] RwLockMappedWriteGuard<'_, T>);
