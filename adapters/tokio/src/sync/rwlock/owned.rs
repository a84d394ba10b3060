//! The guards of [`RwLock`] that own a share of it.

use std::marker::PhantomData;
use std::sync::Arc;

use anysync::face::{Part, PartMut};
use anysync::rwlock as core;

use super::RwLock;
use crate::sync::guard::{guard, guard_mut};
use crate::sync::trace::Held;

/// A [`RwLockReadGuard`](super::RwLockReadGuard) that owns a share of the lock: of a
/// [`RwLock<T>`], with access to a `U` in the value.
///
/// ```
/// use std::sync::Arc;
/// use anysync_tokio::sync::RwLock;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let guard = Arc::new(RwLock::new(1)).read_owned().await;
/// tokio::spawn(async move { assert_eq!(*guard, 1) }).await.unwrap();
/// # }
/// ```
#[clippy::has_significant_drop]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    inner: Part<U, Whole<T>>,
    held: Held,
}

type Whole<T> = core::OwnedRwLockReadGuard<T, RwLock<T>>;

impl<T: ?Sized> OwnedRwLockReadGuard<T> {
    #[inline]
    pub(super) fn new(whole: Whole<T>, held: Held) -> Self {
        let inner = Part::whole(whole);
        Self { inner, held }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// A guard of a part, which `f` finds in what `this` gives access to. Neither has
    /// lifetimes (`U: 'static`, `V: 'static`), since those of a guard may be taken for
    /// shorter ones, or in the argument of a function for longer ones.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{OwnedRwLockReadGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new((1, "one")));
    /// let name = OwnedRwLockReadGuard::map(lock.try_read_owned().unwrap(), |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// ```
    #[inline]
    pub fn map<F, V>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        U: 'static,
        V: ?Sized + 'static,
        F: FnOnce(&U) -> &V,
    {
        OwnedRwLockReadGuard {
            inner: Part::map(this.inner, f),
            held: this.held,
        }
    }

    /// [`map`](OwnedRwLockReadGuard::map) where the part may be missing.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{OwnedRwLockReadGuard, RwLock};
    ///
    /// let all = Arc::new(RwLock::new(vec![1, 2])).try_read_owned().unwrap();
    /// let all = OwnedRwLockReadGuard::try_map(all, |list| list.get(7)).unwrap_err();
    /// assert_eq!(*OwnedRwLockReadGuard::try_map(all, |list| list.get(1)).unwrap(), 2);
    /// ```
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<F, V>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        U: 'static,
        V: ?Sized + 'static,
        F: FnOnce(&U) -> Option<&V>,
    {
        let Self { inner, held } = this;
        match Part::try_map(inner, f) {
            Ok(inner) => Ok(OwnedRwLockReadGuard { inner, held }),
            Err(inner) => Err(Self { inner, held }),
        }
    }

    /// The lock that `this` holds.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{OwnedRwLockReadGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let guard = lock.clone().try_read_owned().unwrap();
    /// assert!(Arc::ptr_eq(OwnedRwLockReadGuard::rwlock(&guard), &lock));
    /// ```
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        core::OwnedRwLockReadGuard::owner(Part::guard(&this.inner))
    }
}

guard!([T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U> => U);

/// A [`RwLockWriteGuard`](super::RwLockWriteGuard) that owns a share of the lock,
/// and has no lifetime.
///
/// ```
/// use std::sync::Arc;
/// use anysync_tokio::sync::RwLock;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let lock = Arc::new(RwLock::new(1));
/// let mut guard = lock.clone().write_owned().await;
/// tokio::spawn(async move { *guard += 1 }).await.unwrap();
/// assert_eq!(*lock.read().await, 2);
/// # }
/// ```
#[clippy::has_significant_drop]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    inner: core::OwnedRwLockWriteGuard<T, RwLock<T>>,
    held: Held,
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    #[inline]
    pub(super) fn new(inner: core::OwnedRwLockWriteGuard<T, RwLock<T>>, held: Held) -> Self {
        Self { inner, held }
    }

    /// A guard of a part of the value, which `f` finds. The whole stays locked, and
    /// alive.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new((1, "one")));
    /// let writer = lock.clone().try_write_owned().unwrap();
    /// *OwnedRwLockWriteGuard::map(writer, |pair| &mut pair.0) += 1;
    /// assert_eq!(lock.try_read().unwrap().0, 2);
    /// ```
    #[inline]
    pub fn map<F, U>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedRwLockMappedWriteGuard::new(PartMut::of(this.inner, f), this.held)
    }

    /// [`map`](OwnedRwLockWriteGuard::map) where the part may be missing.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<F, U>(this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match PartMut::try_of(this.inner, f) {
            Ok(inner) => Ok(OwnedRwLockMappedWriteGuard::new(inner, this.held)),
            Err(inner) => Err(Self::new(inner, this.held)),
        }
    }

    /// [`downgrade`](OwnedRwLockWriteGuard::downgrade) to a guard of a part of the
    /// value, which has no lifetimes (`U: 'static`), as in
    /// [`OwnedRwLockReadGuard::map`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new((1, "one")));
    /// let writer = lock.clone().try_write_owned().unwrap();
    /// let name = OwnedRwLockWriteGuard::downgrade_map(writer, |pair| &pair.1);
    /// assert_eq!((*name, lock.try_read().unwrap().0), ("one", 1));
    /// ```
    #[inline]
    pub fn downgrade_map<F, U>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        U: ?Sized + 'static,
        F: FnOnce(&T) -> &U,
    {
        OwnedRwLockReadGuard {
            inner: Part::downgrade(Part::of(this.inner, f)),
            held: this.held.downgrade(),
        }
    }

    /// [`downgrade_map`](OwnedRwLockWriteGuard::downgrade_map) where the part may
    /// be missing.
    ///
    /// # Errors
    ///
    /// Gives the guard back, which still writes, when `f` returns `None`.
    #[inline]
    pub fn try_downgrade_map<F, U>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        U: ?Sized + 'static,
        F: FnOnce(&T) -> Option<&U>,
    {
        match Part::try_of(this.inner, f) {
            Ok(part) => Ok(OwnedRwLockReadGuard {
                inner: Part::downgrade(part),
                held: this.held.downgrade(),
            }),
            Err(inner) => Err(Self::new(inner, this.held)),
        }
    }

    /// The same access, as the type of [`map`](OwnedRwLockWriteGuard::map).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let writer = Arc::new(RwLock::new(1)).try_write_owned().unwrap();
    /// assert_eq!(*OwnedRwLockWriteGuard::into_mapped(writer), 1);
    /// ```
    #[inline]
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockMappedWriteGuard::new(PartMut::of(this.inner, |value| value), this.held)
    }

    /// Makes it a read guard. Nobody writes in between; readers who wait before
    /// the next writer are let in.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::RwLock;
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let reader = lock.clone().try_write_owned().unwrap().downgrade();
    /// assert!(lock.try_read().is_ok() && lock.try_write().is_err());
    /// # drop(reader);
    /// ```
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard::new(
            core::OwnedRwLockWriteGuard::downgrade(self.inner),
            self.held.downgrade(),
        )
    }

    /// The lock that `this` holds.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new(1));
    /// let guard = lock.clone().try_write_owned().unwrap();
    /// assert!(Arc::ptr_eq(OwnedRwLockWriteGuard::rwlock(&guard), &lock));
    /// ```
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        core::OwnedRwLockWriteGuard::owner(&this.inner)
    }
}

guard_mut!([T: ?Sized] OwnedRwLockWriteGuard<T> => T);

/// A [`RwLockMappedWriteGuard`](super::RwLockMappedWriteGuard) that owns a share of
/// the lock, by [`OwnedRwLockWriteGuard::map`]: of a [`RwLock<T>`], with access to a
/// `U` in the value.
///
/// ```
/// use std::sync::Arc;
/// use anysync_tokio::sync::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
///
/// fn first(list: OwnedRwLockWriteGuard<Vec<u8>>) -> OwnedRwLockMappedWriteGuard<Vec<u8>, u8> {
///     OwnedRwLockWriteGuard::map(list, |list| &mut list[0])
/// }
///
/// let lock = Arc::new(RwLock::new(vec![1]));
/// assert_eq!(*first(lock.try_write_owned().unwrap()), 1);
/// ```
#[clippy::has_significant_drop]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    inner: PartMut<U, core::OwnedRwLockWriteGuard<T, RwLock<T>>>,
    held: Held,
    // Sent and shared where the original is: it asks both of the part.
    part: PhantomData<Arc<U>>,
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    #[inline]
    fn new(inner: PartMut<U, core::OwnedRwLockWriteGuard<T, RwLock<T>>>, held: Held) -> Self {
        Self {
            inner,
            held,
            part: PhantomData,
        }
    }

    /// A guard of a part of the part, which has no lifetimes (`U: 'static`).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new((1, (2, 3))));
    /// let writer = lock.try_write_owned().unwrap();
    /// let pair = OwnedRwLockWriteGuard::map(writer, |all| &mut all.1);
    /// assert_eq!(*OwnedRwLockMappedWriteGuard::map(pair, |pair| &mut pair.1), 3);
    /// ```
    #[inline]
    pub fn map<F, V>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        U: 'static,
        F: FnOnce(&mut U) -> &mut V,
    {
        OwnedRwLockMappedWriteGuard::new(PartMut::map(this.inner, f), this.held)
    }

    /// [`map`](OwnedRwLockMappedWriteGuard::map) where the part may be missing.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<F, V>(this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        U: 'static,
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        match PartMut::try_map(this.inner, f) {
            Ok(inner) => Ok(OwnedRwLockMappedWriteGuard::new(inner, this.held)),
            Err(inner) => Err(Self::new(inner, this.held)),
        }
    }

    /// The lock that `this` holds.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLock};
    ///
    /// let lock = Arc::new(RwLock::new((1, 2)));
    /// let writer = lock.clone().try_write_owned().unwrap();
    /// let first = OwnedRwLockWriteGuard::map(writer, |pair| &mut pair.0);
    /// assert!(Arc::ptr_eq(OwnedRwLockMappedWriteGuard::rwlock(&first), &lock));
    /// ```
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        PartMut::owner(&this.inner)
    }
}

guard_mut!([T: ?Sized, U: ?Sized] OwnedRwLockMappedWriteGuard<T, U> => U);
