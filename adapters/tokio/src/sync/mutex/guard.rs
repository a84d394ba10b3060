//! The guards of [`Mutex`].

use std::sync::Arc;

use anysync::face::PartMut;

use super::Mutex;
use crate::sync::guard::guard_mut;
use crate::sync::trace::{Held, Hold};

/// Access to the value of a [`Mutex`]; unlocks when it is dropped, also by a panic
/// that unwinds. There is no poisoning.
///
/// ```
/// use anysync_tokio::sync::Mutex;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mutex = Mutex::new(vec![1]);
/// let mut list = mutex.lock().await;
/// list.push(2);
/// assert_eq!(format!("{list:?}"), "[1, 2]");
/// # }
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    inner: anysync::MutexGuard<'a, T>,
    held: Held,
    // Core's guard knows core's mutex only.
    mutex: &'a Mutex<T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline]
    pub(super) fn new(inner: anysync::MutexGuard<'a, T>, mutex: &'a Mutex<T>) -> Self {
        let held = mutex.resource.hold(Hold::Lock);
        Self { inner, held, mutex }
    }

    /// A guard of a part of the value, which `f` finds. The whole stays locked.
    ///
    /// An associated function, so that it hides no method of the value's.
    ///
    /// ```
    /// use anysync_tokio::sync::{Mutex, MutexGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = Mutex::new((1, "one"));
    /// let mut number = MutexGuard::map(mutex.lock().await, |pair| &mut pair.0);
    /// *number += 1;
    /// # drop(number);
    /// # assert_eq!(mutex.into_inner().0, 2);
    /// # }
    /// ```
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        let inner = anysync::MutexGuard::map(this.inner, f);
        let held = this.held;
        MappedMutexGuard { inner, held }
    }

    /// [`map`](MutexGuard::map) where the part may be missing.
    ///
    /// ```
    /// use anysync_tokio::sync::{Mutex, MutexGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = Mutex::new(vec![1, 2]);
    /// let all = MutexGuard::try_map(mutex.lock().await, |list| list.get_mut(7)).unwrap_err();
    /// let last = MutexGuard::try_map(all, |list| list.last_mut()).unwrap();
    /// assert_eq!(*last, 2);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let Self { inner, held, mutex } = this;
        match anysync::MutexGuard::try_map(inner, f) {
            Ok(inner) => Ok(MappedMutexGuard { inner, held }),
            Err(inner) => Err(Self { inner, held, mutex }),
        }
    }

    /// The mutex that `this` holds.
    ///
    /// ```
    /// use anysync_tokio::sync::{Mutex, MutexGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.lock().await;
    /// assert!(std::ptr::eq(MutexGuard::mutex(&guard), &mutex));
    /// # }
    /// ```
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.mutex
    }
}

guard_mut!([T: ?Sized] MutexGuard<'_, T> => T);

/// A [`MutexGuard`] that owns a share of the mutex, and has no lifetime.
///
/// ```
/// use std::sync::Arc;
/// use anysync_tokio::sync::Mutex;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let guard = Arc::new(Mutex::new(1)).lock_owned().await;
/// tokio::spawn(async move { assert_eq!(*guard, 1) }).await.unwrap();
/// # }
/// ```
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    inner: anysync::OwnedMutexGuard<T, Mutex<T>>,
    held: Held,
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    #[inline]
    pub(super) fn new(inner: anysync::OwnedMutexGuard<T, Mutex<T>>) -> Self {
        let mutex = anysync::OwnedMutexGuard::owner(&inner);
        let held = mutex.resource.hold(Hold::Lock);
        Self { inner, held }
    }

    /// A guard of a part of the value, which `f` finds. The whole stays locked,
    /// and alive.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{Mutex, OwnedMutexGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = Arc::new(Mutex::new((1, "one")));
    /// let guard = mutex.clone().lock_owned().await;
    /// *OwnedMutexGuard::map(guard, |pair| &mut pair.0) += 1;
    /// assert_eq!(mutex.lock().await.0, 2);
    /// # }
    /// ```
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedMappedMutexGuard {
            inner: PartMut::of(this.inner, f),
            held: this.held,
        }
    }

    /// [`map`](OwnedMutexGuard::map) where the part may be missing.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{Mutex, OwnedMutexGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let all = Arc::new(Mutex::new(vec![1, 2])).lock_owned().await;
    /// let all = OwnedMutexGuard::try_map(all, |list| list.get_mut(7)).unwrap_err();
    /// let last = OwnedMutexGuard::try_map(all, |list| list.last_mut()).unwrap();
    /// assert_eq!(*last, 2);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let Self { inner, held } = this;
        match PartMut::try_of(inner, f) {
            Ok(inner) => Ok(OwnedMappedMutexGuard { inner, held }),
            Err(inner) => Err(Self { inner, held }),
        }
    }

    /// The mutex that `this` holds.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{Mutex, OwnedMutexGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = mutex.clone().lock_owned().await;
    /// assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
    /// # }
    /// ```
    #[inline]
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        anysync::OwnedMutexGuard::owner(&this.inner)
    }
}

guard_mut!([T: ?Sized] OwnedMutexGuard<T> => T);

/// Access to a part of the value of a [`Mutex`], by [`MutexGuard::map`]; unlocks
/// the whole when it is dropped.
///
/// ```
/// use anysync_tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
///
/// fn first<'a>(list: MutexGuard<'a, Vec<u8>>) -> MappedMutexGuard<'a, u8> {
///     MutexGuard::map(list, |list| &mut list[0])
/// }
///
/// let mutex = Mutex::new(vec![1]);
/// assert_eq!(*first(mutex.try_lock().unwrap()), 1);
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    inner: anysync::MappedMutexGuard<'a, T>,
    held: Held,
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// A guard of a part of the part.
    ///
    /// ```
    /// use anysync_tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, (2, 3)));
    /// let pair = MutexGuard::map(mutex.try_lock().unwrap(), |all| &mut all.1);
    /// let three = MappedMutexGuard::map(pair, |pair| &mut pair.1);
    /// assert_eq!(*three, 3);
    /// ```
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        let inner = anysync::MappedMutexGuard::map(this.inner, f);
        let held = this.held;
        MappedMutexGuard { inner, held }
    }

    /// [`map`](MappedMutexGuard::map) where the part may be missing.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let Self { inner, held } = this;
        match anysync::MappedMutexGuard::try_map(inner, f) {
            Ok(inner) => Ok(MappedMutexGuard { inner, held }),
            Err(inner) => Err(Self { inner, held }),
        }
    }
}

guard_mut!([T: ?Sized] MappedMutexGuard<'_, T> => T);

/// A [`MappedMutexGuard`] that owns a share of the mutex, by
/// [`OwnedMutexGuard::map`]: of a [`Mutex<T>`], with access to a `U` in the value.
///
/// ```
/// use std::sync::Arc;
/// use anysync_tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
///
/// fn first(list: OwnedMutexGuard<Vec<u8>>) -> OwnedMappedMutexGuard<Vec<u8>, u8> {
///     OwnedMutexGuard::map(list, |list| &mut list[0])
/// }
///
/// let mutex = Arc::new(Mutex::new(vec![1]));
/// assert_eq!(*first(mutex.try_lock_owned().unwrap()), 1);
/// ```
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    inner: PartMut<U, anysync::OwnedMutexGuard<T, Mutex<T>>>,
    held: Held,
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// A guard of a part of the part, which has no lifetimes (`U: 'static`).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
    ///
    /// let mutex = Arc::new(Mutex::new((1, (2, 3))));
    /// let pair = OwnedMutexGuard::map(mutex.try_lock_owned().unwrap(), |all| &mut all.1);
    /// let three = OwnedMappedMutexGuard::map(pair, |pair| &mut pair.1);
    /// assert_eq!(*three, 3);
    /// ```
    ///
    /// Without that bound this would compile, as it does with the original, and
    /// return a guard of a text that may be gone:
    ///
    /// ```compile_fail
    /// use std::sync::Arc;
    /// use anysync_tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
    ///
    /// fn forgets(text: &mut String) -> OwnedMappedMutexGuard<u8, String> {
    ///     let guard = Arc::new(Mutex::new(0)).try_lock_owned().unwrap();
    ///     let mut slot = OwnedMutexGuard::map(guard, |_| Box::leak(Box::new(None)));
    ///     *slot = Some(text);
    ///     OwnedMappedMutexGuard::map(slot, |slot| &mut **slot.as_mut().unwrap())
    /// }
    /// ```
    #[inline]
    pub fn map<S, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        U: 'static,
        S: ?Sized,
        F: FnOnce(&mut U) -> &mut S,
    {
        OwnedMappedMutexGuard {
            inner: PartMut::map(this.inner, f),
            held: this.held,
        }
    }

    /// [`map`](OwnedMappedMutexGuard::map) where the part may be missing.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `f` returns `None`.
    #[inline]
    pub fn try_map<S, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        U: 'static,
        S: ?Sized,
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        let Self { inner, held } = this;
        match PartMut::try_map(inner, f) {
            Ok(inner) => Ok(OwnedMappedMutexGuard { inner, held }),
            Err(inner) => Err(Self { inner, held }),
        }
    }
}

guard_mut!([T: ?Sized, U: ?Sized] OwnedMappedMutexGuard<T, U> => U);
