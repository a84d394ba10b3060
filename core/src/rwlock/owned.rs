//! The guards that own a share of an `Arc` in which the lock lies.

use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::RwLock;
use super::futures::UpgradeOwned;
use super::guard::{lends_value, shows_value};
use super::hold::Hold;
use super::raw::{HasRaw, READ, Raw, UPGRADABLE_READ, WRITE};
use crate::io::Io;
use crate::owner::Projected;

/// A share of `O`, in which the lock lies, and the lifetimes of the value, or of
/// the part of it, that a guard of type `T` gives access to; see
/// [`PROJECTED`](Projected).
struct Share<T: ?Sized, O: ?Sized> {
    lock: Projected<O, Raw>,
    // Invariant, and named in the drop of what has a `Share`.
    value: PhantomData<*mut T>,
}

impl<T: ?Sized, O: ?Sized> Share<T, O> {
    #[inline]
    fn of(lock: Projected<O, RwLock<T>>) -> Self {
        Self {
            lock: lock.map(|lock| lock.raw()),
            value: PhantomData,
        }
    }

    /// For a guard of a part. `T` has no lifetimes, so that none is left out.
    #[inline]
    fn part<U: ?Sized>(self) -> Share<U, O>
    where
        T: 'static,
    {
        Share {
            lock: self.lock,
            value: PhantomData,
        }
    }

    #[inline]
    fn owner(&self) -> &Arc<O> {
        self.lock.owner()
    }
}

impl<T: ?Sized, O: ?Sized> Deref for Share<T, O> {
    type Target = Raw;

    #[inline]
    fn deref(&self) -> &Raw {
        &self.lock
    }
}

/// A [`RwLockReadGuard`](super::RwLockReadGuard) that owns a share of an `Arc` in
/// which the lock lies: the `Arc` of the lock itself, or of any `O` that has one
/// ([`RwLock::read_owned_by`]).
///
/// A guard of a part does not know the lifetimes in the whole, so only a value
/// without any can be mapped (`T: 'static`).
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct OwnedRwLockReadGuard<T: ?Sized, O: ?Sized = RwLock<T>> {
    value: NonNull<T>,
    hold: Hold<Share<T, O>, READ>,
}

// SAFETY: by HELD it is an `&T`, and an `Arc<O>`, whose share of `O` may be the last.
unsafe impl<T: ?Sized + Sync, O: ?Sized + Send + Sync> Send for OwnedRwLockReadGuard<T, O> {}
// SAFETY: as above, by HELD.
unsafe impl<T: ?Sized + Sync, O: ?Sized + Send + Sync> Sync for OwnedRwLockReadGuard<T, O> {}

impl<T: ?Sized, O: ?Sized> OwnedRwLockReadGuard<T, O> {
    /// For a caller that has won such a part; see invariant HELD.
    #[inline]
    pub(super) fn new(lock: Projected<O, RwLock<T>>) -> Self {
        let value = lock.value_ptr();
        Self::of(value, Hold::new(Share::of(lock)))
    }

    #[inline]
    fn of(value: NonNull<T>, hold: Hold<Share<T, O>, READ>) -> Self {
        Self { value, hold }
    }

    #[inline]
    fn value(&self) -> NonNull<T> {
        self.value
    }

    #[inline]
    pub(super) fn raw(&self) -> &Raw {
        self.hold.raw()
    }

    /// The share, and where the lock and the value are; for the holder of the part now.
    #[inline]
    pub(super) fn into_parts(self) -> (Arc<O>, NonNull<Raw>, NonNull<T>) {
        let share = self.hold.into_lock();
        let raw = NonNull::from(&*share);
        (share.lock.into_owner(), raw, self.value)
    }

    /// What keeps the lock alive.
    #[inline]
    pub fn owner(this: &Self) -> &Arc<O> {
        this.hold.lock().owner()
    }

    /// A guard of a part of the value.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{OwnedRwLockReadGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new((1, "one")));
    /// let pair = lock.try_read_owned().unwrap();
    /// let name: OwnedRwLockReadGuard<&str, RwLock<(i32, &str)>> =
    ///     OwnedRwLockReadGuard::map(pair, |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// ```
    pub fn map<U: ?Sized>(this: Self, part: impl FnOnce(&T) -> &U) -> OwnedRwLockReadGuard<U, O>
    where
        T: 'static,
    {
        let value = NonNull::from(part(&this));
        OwnedRwLockReadGuard::of(value, this.hold.map(Share::part))
    }

    /// A guard of a part of the value, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    pub fn try_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<OwnedRwLockReadGuard<U, O>, Self>
    where
        T: 'static,
    {
        match part(&this).map(NonNull::from) {
            Some(value) => Ok(OwnedRwLockReadGuard::of(value, this.hold.map(Share::part))),
            None => Err(this),
        }
    }
}

shows_value!([T: ?Sized, O: ?Sized] OwnedRwLockReadGuard<T, O> => T);

/// A [`RwLockUpgradableReadGuard`](super::RwLockUpgradableReadGuard) that owns a
/// share of an `Arc` in which the lock lies.
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct OwnedRwLockUpgradableReadGuard<T: ?Sized, O: ?Sized = RwLock<T>> {
    hold: Hold<Projected<O, RwLock<T>>, UPGRADABLE_READ>,
}

impl<T: ?Sized, O: ?Sized> OwnedRwLockUpgradableReadGuard<T, O> {
    /// For a caller that has won such a part; see invariant HELD.
    #[inline]
    pub(super) fn new(lock: Projected<O, RwLock<T>>) -> Self {
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
    pub fn rwlock(this: &Self) -> &RwLock<T> {
        this.hold.lock()
    }

    /// What keeps the lock alive.
    #[inline]
    pub fn owner(this: &Self) -> &Arc<O> {
        this.hold.lock().owner()
    }

    /// Makes it a plain read guard, and so lets in the next task that wants to read
    /// upgradably. No task writes in between.
    pub fn downgrade(this: Self) -> OwnedRwLockReadGuard<T, O> {
        let value = this.value();
        let hold = this.hold.map(Share::of);
        OwnedRwLockReadGuard::of(value, hold.downgrade())
    }

    /// Makes it a write guard if no other task reads. Those that wait are passed:
    /// they see what has been written.
    ///
    /// # Errors
    ///
    /// Gives the guard back when another task reads.
    pub fn try_upgrade(this: Self) -> Result<OwnedRwLockWriteGuard<T, O>, Self> {
        if this.hold.raw().try_upgrade() {
            Ok(OwnedRwLockWriteGuard::new(this.hold.into_lock()))
        } else {
            Err(this)
        }
    }

    /// Waits until no other task reads, and returns a write guard; `io` is the
    /// executor that it runs on. From the guard that is used up here to the one
    /// that is returned no other task writes.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Bare, Block, OwnedRwLockUpgradableReadGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let upgradable = lock.clone().try_upgradable_read_owned().unwrap();
    /// let upgrade = OwnedRwLockUpgradableReadGuard::upgrade(upgradable, Bare);
    /// *Bare.block_on(upgrade) += 1;
    /// assert_eq!(*lock.try_read().unwrap(), 2);
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
    /// in.
    ///
    /// # Memory ordering
    ///
    /// Acquires what the readers before it released.
    ///
    /// # Panics
    ///
    /// When the future is polled after it has returned the guard.
    #[inline]
    pub fn upgrade<I: Io>(this: Self, io: I) -> UpgradeOwned<T, O, I> {
        UpgradeOwned::new(this.hold.into_lock(), io)
    }
}

shows_value!([T: ?Sized, O: ?Sized] OwnedRwLockUpgradableReadGuard<T, O> => T);

/// A [`RwLockWriteGuard`](super::RwLockWriteGuard) that owns a share of an `Arc`
/// in which the lock lies.
///
/// As with [`OwnedRwLockReadGuard`], only a value without lifetimes can be mapped.
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct OwnedRwLockWriteGuard<T: ?Sized, O: ?Sized = RwLock<T>> {
    hold: Hold<Projected<O, RwLock<T>>, WRITE>,
}

impl<T: ?Sized, O: ?Sized> OwnedRwLockWriteGuard<T, O> {
    /// For a caller that has won such a part; see invariant HELD.
    #[inline]
    pub(super) fn new(lock: Projected<O, RwLock<T>>) -> Self {
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
    pub fn rwlock(this: &Self) -> &RwLock<T> {
        this.hold.lock()
    }

    /// What keeps the lock alive.
    #[inline]
    pub fn owner(this: &Self) -> &Arc<O> {
        this.hold.lock().owner()
    }

    /// Makes it a read guard. No task writes in between; readers that wait before
    /// the next writer are let in.
    pub fn downgrade(this: Self) -> OwnedRwLockReadGuard<T, O> {
        let value = this.value();
        let hold = this.hold.map(Share::of);
        OwnedRwLockReadGuard::of(value, hold.downgrade())
    }

    /// Makes it an upgradable read guard. No task writes in between; readers that wait
    /// before the next writer are let in.
    pub fn downgrade_to_upgradable(this: Self) -> OwnedRwLockUpgradableReadGuard<T, O> {
        OwnedRwLockUpgradableReadGuard {
            hold: this.hold.downgrade(),
        }
    }

    /// [`downgrade`](Self::downgrade) to a guard of a part of the value.
    pub fn downgrade_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&T) -> &U,
    ) -> OwnedRwLockReadGuard<U, O>
    where
        T: 'static,
    {
        let value = NonNull::from(part(&this));
        let hold = this.hold.map(|lock| Share::of(lock).part());
        OwnedRwLockReadGuard::of(value, hold.downgrade())
    }

    /// [`downgrade_map`](Self::downgrade_map), if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    pub fn try_downgrade_map<U: ?Sized>(
        this: Self,
        part: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<OwnedRwLockReadGuard<U, O>, Self>
    where
        T: 'static,
    {
        match part(&this).map(NonNull::from) {
            Some(value) => {
                let hold = this.hold.map(|lock| Share::of(lock).part());
                Ok(OwnedRwLockReadGuard::of(value, hold.downgrade()))
            }
            None => Err(this),
        }
    }

    /// A guard of a part of the value.
    pub fn map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> OwnedRwLockMappedWriteGuard<U, O>
    where
        T: 'static,
    {
        let value = NonNull::from(part(&mut this));
        let hold = this.hold.map(|lock| Share::of(lock).part());
        OwnedRwLockMappedWriteGuard::of(value, hold)
    }

    /// A guard of a part of the value, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<OwnedRwLockMappedWriteGuard<U, O>, Self>
    where
        T: 'static,
    {
        match part(&mut this).map(NonNull::from) {
            Some(value) => {
                let hold = this.hold.map(|lock| Share::of(lock).part());
                Ok(OwnedRwLockMappedWriteGuard::of(value, hold))
            }
            None => Err(this),
        }
    }

    /// The same access, as the type of [`map`](Self::map).
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T, O> {
        let value = this.value();
        OwnedRwLockMappedWriteGuard::of(value, this.hold.map(Share::of))
    }
}

shows_value!([T: ?Sized, O: ?Sized] OwnedRwLockWriteGuard<T, O> => T);
lends_value!([T: ?Sized, O: ?Sized] OwnedRwLockWriteGuard<T, O>);

/// A [`RwLockMappedWriteGuard`](super::RwLockMappedWriteGuard) that owns a share
/// of an `Arc` in which the lock lies; made by [`OwnedRwLockWriteGuard::map`].
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, O: ?Sized = RwLock<T>> {
    value: NonNull<T>,
    hold: Hold<Share<T, O>, WRITE>,
    // A `&mut T`, of which another may not be made by another type.
    writes: PhantomData<*mut T>,
}

// SAFETY: by HELD it is a `&mut T`, and an `Arc<O>`, whose share of `O` may be the last.
unsafe impl<T: ?Sized + Send, O: ?Sized + Send + Sync> Send for OwnedRwLockMappedWriteGuard<T, O> {}
// SAFETY: by HELD, shared it gives out no more than a `&T` and an `&Arc<O>`.
unsafe impl<T: ?Sized + Sync, O: ?Sized + Send + Sync> Sync for OwnedRwLockMappedWriteGuard<T, O> {}

impl<T: ?Sized, O: ?Sized> OwnedRwLockMappedWriteGuard<T, O> {
    #[inline]
    fn of(value: NonNull<T>, hold: Hold<Share<T, O>, WRITE>) -> Self {
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

    /// What keeps the lock alive.
    #[inline]
    pub fn owner(this: &Self) -> &Arc<O> {
        this.hold.lock().owner()
    }

    /// A guard of a part of this part.
    pub fn map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> OwnedRwLockMappedWriteGuard<U, O>
    where
        T: 'static,
    {
        let value = NonNull::from(part(&mut this));
        OwnedRwLockMappedWriteGuard::of(value, this.hold.map(Share::part))
    }

    /// A guard of a part of this part, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    pub fn try_map<U: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<OwnedRwLockMappedWriteGuard<U, O>, Self>
    where
        T: 'static,
    {
        match part(&mut this).map(NonNull::from) {
            Some(value) => Ok(OwnedRwLockMappedWriteGuard::of(
                value,
                this.hold.map(Share::part),
            )),
            None => Err(this),
        }
    }
}

shows_value!([T: ?Sized, O: ?Sized] OwnedRwLockMappedWriteGuard<T, O> => T);
lends_value!([T: ?Sized, O: ?Sized] OwnedRwLockMappedWriteGuard<T, O>);
