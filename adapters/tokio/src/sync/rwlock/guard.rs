//! The guards of [`RwLock`](super::RwLock) that borrow it.

use std::marker::PhantomData;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

use anysync::rwlock as core;

use crate::sync::guard::{guard, guard_mut};
use crate::sync::trace::Held;

/// Shared access to the value of a [`RwLock`](super::RwLock), or to a part of it;
/// ends when it is dropped, also by a panic that unwinds. There is no poisoning.
///
/// ```
/// let lock = anysync_tokio::sync::RwLock::new(vec![1]);
/// let list = lock.try_read().unwrap();
/// assert_eq!((list.len(), format!("{list:?}")), (1, "[1]".to_owned()));
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    inner: core::RwLockReadGuard<'a, T>,
    held: Held,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline]
    pub(super) fn new(inner: core::RwLockReadGuard<'a, T>, held: Held) -> Self {
        Self { inner, held }
    }

    /// A guard of a part of the value, which `f` finds.
    ///
    /// An associated function, so that it hides no method of the value's.
    ///
    /// ```
    /// use anysync_tokio::sync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.try_read().unwrap(), |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard::new(core::RwLockReadGuard::map(this.inner, f), this.held)
    }

    /// [`map`](RwLockReadGuard::map) where the part may be missing.
    ///
    /// ```
    /// use anysync_tokio::sync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new(vec![1, 2]);
    /// let all = lock.try_read().unwrap();
    /// let all = RwLockReadGuard::try_map(all, |list| list.get(7)).unwrap_err();
    /// assert_eq!(*RwLockReadGuard::try_map(all, |list| list.get(1)).unwrap(), 2);
    /// ```
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match core::RwLockReadGuard::try_map(this.inner, f) {
            Ok(inner) => Ok(RwLockReadGuard::new(inner, this.held)),
            Err(inner) => Err(Self::new(inner, this.held)),
        }
    }
}

guard!([T: ?Sized] RwLockReadGuard<'_, T> => T);

/// Exclusive access to the value of a [`RwLock`](super::RwLock); ends when it is
/// dropped, also by a panic that unwinds. There is no poisoning.
///
/// ```
/// let lock = anysync_tokio::sync::RwLock::new(vec![1]);
/// lock.try_write().unwrap().push(2);
/// assert_eq!(lock.into_inner(), [1, 2]);
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    inner: core::RwLockWriteGuard<'a, T>,
    held: Held,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline]
    pub(super) fn new(inner: core::RwLockWriteGuard<'a, T>, held: Held) -> Self {
        Self { inner, held }
    }

    /// A guard of a part of the value, which `f` finds. The whole stays locked.
    ///
    /// ```
    /// use anysync_tokio::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// *RwLockWriteGuard::map(lock.try_write().unwrap(), |pair| &mut pair.0) += 1;
    /// assert_eq!(lock.into_inner().0, 2);
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard::new(core::RwLockWriteGuard::map(this.inner, f), this.held)
    }

    /// [`map`](RwLockWriteGuard::map) where the part may be missing.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match core::RwLockWriteGuard::try_map(this.inner, f) {
            Ok(inner) => Ok(RwLockMappedWriteGuard::new(inner, this.held)),
            Err(inner) => Err(Self::new(inner, this.held)),
        }
    }

    /// [`downgrade`](RwLockWriteGuard::downgrade) to a guard of a part of the value.
    ///
    /// ```
    /// use anysync_tokio::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let writer = lock.try_write().unwrap();
    /// let name = RwLockWriteGuard::downgrade_map(writer, |pair| &pair.1);
    /// assert_eq!((*name, lock.try_read().unwrap().0), ("one", 1));
    /// ```
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard::new(
            core::RwLockWriteGuard::downgrade_map(this.inner, f),
            this.held.downgrade(),
        )
    }

    /// [`downgrade_map`](RwLockWriteGuard::downgrade_map) where the part may be
    /// missing.
    ///
    /// # Errors
    ///
    /// Gives the guard back, which still writes, when `f` returns `None`.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match core::RwLockWriteGuard::try_downgrade_map(this.inner, f) {
            Ok(inner) => Ok(RwLockReadGuard::new(inner, this.held.downgrade())),
            Err(inner) => Err(Self::new(inner, this.held)),
        }
    }

    /// The same access, as the type of [`map`](RwLockWriteGuard::map).
    ///
    /// ```
    /// use anysync_tokio::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(1);
    /// *RwLockWriteGuard::into_mapped(lock.try_write().unwrap()) = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    #[inline]
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard::new(core::RwLockWriteGuard::into_mapped(this.inner), this.held)
    }

    /// Makes it a read guard. Nobody writes in between; readers who wait before
    /// the next writer are let in.
    ///
    /// ```
    /// let lock = anysync_tokio::sync::RwLock::new(1);
    /// let reader = lock.try_write().unwrap().downgrade();
    /// assert!(lock.try_read().is_ok() && lock.try_write().is_err());
    /// # drop(reader);
    /// ```
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard::new(
            core::RwLockWriteGuard::downgrade(self.inner),
            self.held.downgrade(),
        )
    }
}

guard_mut!([T: ?Sized] RwLockWriteGuard<'_, T> => T);

/// Exclusive access to a part of the value of a [`RwLock`](super::RwLock), by
/// [`RwLockWriteGuard::map`].
///
/// ```
/// use anysync_tokio::sync::{RwLock, RwLockMappedWriteGuard, RwLockWriteGuard};
///
/// fn first<'a>(list: RwLockWriteGuard<'a, Vec<u8>>) -> RwLockMappedWriteGuard<'a, u8> {
///     RwLockWriteGuard::map(list, |list| &mut list[0])
/// }
///
/// let lock = RwLock::new(vec![1]);
/// assert_eq!(*first(lock.try_write().unwrap()), 1);
/// ```
#[clippy::has_significant_drop]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    inner: core::RwLockMappedWriteGuard<'a, T>,
    held: Held,
    // Sent and shared where the original is: it asks both of the part.
    part: PhantomData<Arc<T>>,
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    #[inline]
    fn new(inner: core::RwLockMappedWriteGuard<'a, T>, held: Held) -> Self {
        Self {
            inner,
            held,
            part: PhantomData,
        }
    }

    /// A guard of a part of the part.
    ///
    /// ```
    /// use anysync_tokio::sync::{RwLock, RwLockMappedWriteGuard, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new((1, (2, 3)));
    /// let pair = RwLockWriteGuard::map(lock.try_write().unwrap(), |all| &mut all.1);
    /// assert_eq!(*RwLockMappedWriteGuard::map(pair, |pair| &mut pair.1), 3);
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard::new(core::RwLockMappedWriteGuard::map(this.inner, f), this.held)
    }

    /// [`map`](RwLockMappedWriteGuard::map) where the part may be missing.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match core::RwLockMappedWriteGuard::try_map(this.inner, f) {
            Ok(inner) => Ok(RwLockMappedWriteGuard::new(inner, this.held)),
            Err(inner) => Err(Self::new(inner, this.held)),
        }
    }
}

guard_mut!([T: ?Sized] RwLockMappedWriteGuard<'_, T> => T);

// As the original: neither leads to the lock. What is held is only shown.
impl<T: ?Sized + RefUnwindSafe> RefUnwindSafe for RwLockWriteGuard<'_, T> {}
