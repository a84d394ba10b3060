//! For a library that shows our locks with the interface of another one: what lets its
//! types be sent, shared and coerced where that one's may.
//!
//! | | for |
//! |-|-|
//! | [`Exclusive`] | a future that can be shared whatever it waits for |
//! | [`ValueOnly`] | a guard that can be shared where its value can |
//! | [`Part`], [`PartMut`] | a guard of a part, which keeps the guard of the whole |
//!
//! # Invariants
//!
//! - **STABLE**: what a [`Guard`] gives access to stays at its place while the guard
//!   lives, also when the guard moves. Every lifetime of it is in the type of the guard,
//!   where it does not grow, or is longer than one that is. Finding it follows pointers
//!   and changes nothing.
//! - **PARTED**: the pointer of a [`Part`] or a [`PartMut`] was made by the guard that
//!   it keeps, or by a function out of what another such pointer led to; the guard gives
//!   no access meanwhile. A lifetime that such a function may have relied on is in the
//!   guard's type; or in that of the part, where it cannot change; or there is none, as
//!   the part and what it is a part of are `'static`.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// Something that is reached by its only holder, and can therefore be shared
    /// whatever it is: a shared one gives out nothing.
    ///
    /// ```
    /// use anysync::{Mutex, face::Exclusive};
    ///
    /// fn is_shared(_: impl Sync) {}
    ///
    /// let mutex = Mutex::new(std::rc::Rc::new(1));
    /// is_shared(Exclusive::new(mutex.lock_future()));
    /// ```
    pub struct Exclusive<T> {
        #[pin]
        it: T,
    }
}

// SAFETY: by the methods below, and by its `Debug`, a shared one gives out nothing.
unsafe impl<T> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    /// Puts it in.
    #[inline]
    pub const fn new(it: T) -> Self {
        Self { it }
    }

    /// Takes it out.
    #[inline]
    pub fn into_inner(self) -> T {
        self.it
    }

    /// Access for its only holder.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.it
    }

    /// The same, where it is pinned.
    #[inline]
    pub fn as_pin_mut(self: Pin<&mut Self>) -> Pin<&mut T> {
        self.project().it
    }
}

impl<T: Future> Future for Exclusive<T> {
    type Output = T::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Output> {
        self.as_pin_mut().poll(cx)
    }
}

impl<T> fmt::Debug for Exclusive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exclusive").finish_non_exhaustive()
    }
}

mod sealed {
    /// # Safety
    ///
    /// Invariant STABLE.
    pub unsafe trait Sealed: core::ops::Deref {}
}
use sealed::Sealed;

/// A guard of this crate's.
pub trait Guard: Sealed {}

impl<G: Sealed> Guard for G {}

macro_rules! guards {
    ($([$($generics:tt)*] $guard:ty;)*) => {$(
        // SAFETY: invariant STABLE: its value is in the lock, or is a part of that by
        // PART or HELD. The lock is borrowed for a lifetime that the guard names and
        // the value outlives, or is found by PROJECTED, whose types are invariant.
        unsafe impl<$($generics)*> Sealed for $guard {}
    )*};
}

guards! {
    ['a, T: ?Sized] crate::MutexGuard<'a, T>;
    ['a, T: ?Sized] crate::MappedMutexGuard<'a, T>;
    ['a, T: ?Sized] crate::RwLockReadGuard<'a, T>;
    ['a, T: ?Sized] crate::RwLockUpgradableReadGuard<'a, T>;
    ['a, T: ?Sized] crate::RwLockWriteGuard<'a, T>;
    ['a, T: ?Sized] crate::RwLockMappedWriteGuard<'a, T>;
}

#[cfg(feature = "alloc")]
guards! {
    [T: ?Sized, O: ?Sized] crate::OwnedMutexGuard<T, O>;
    [T: ?Sized, O: ?Sized] crate::OwnedRwLockReadGuard<T, O>;
    [T: ?Sized, O: ?Sized] crate::OwnedRwLockUpgradableReadGuard<T, O>;
    [T: ?Sized, O: ?Sized] crate::OwnedRwLockWriteGuard<T, O>;
}

/// A guard that gives out its value and nothing else, so that it can be shared where
/// the value can. A guard that also leads to the lock asks that the value may be sent:
/// by the lock another thread comes to the whole of it.
///
/// ```
/// use anysync::{RwLock, face::ValueOnly};
///
/// fn is_shared(_: &impl Sync) {}
///
/// /// May be shared and not sent.
/// type Here = std::sync::MutexGuard<'static, u8>;
///
/// fn share(lock: &RwLock<Here>) {
///     is_shared(&ValueOnly::new(lock.try_write().unwrap()));
/// }
/// ```
///
/// ```compile_fail,E0277
/// # use anysync::RwLock;
/// # fn is_shared(_: &impl Sync) {}
/// # type Here = std::sync::MutexGuard<'static, u8>;
/// fn share(lock: &RwLock<Here>) {
///     is_shared(&lock.try_write().unwrap()); // Leads to the lock.
/// }
/// ```
///
/// A value that may not be shared:
///
/// ```compile_fail,E0277
/// # use anysync::{RwLock, face::ValueOnly};
/// # fn is_shared(_: &impl Sync) {}
/// fn share(lock: &RwLock<std::cell::Cell<u8>>) {
///     is_shared(&ValueOnly::new(lock.try_write().unwrap()));
/// }
/// ```
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct ValueOnly<G>(G);

// SAFETY: a shared one gives out a `&G::Target`, and by STABLE finding it changes
// nothing. The guard comes out by value only, for which `Send` is asked.
unsafe impl<G: Guard<Target: Sync>> Sync for ValueOnly<G> {}

impl<G: Guard> ValueOnly<G> {
    /// Hides what else the guard leads to.
    #[inline]
    pub fn new(guard: G) -> Self {
        Self(guard)
    }

    /// The guard.
    #[inline]
    pub fn into_guard(this: Self) -> G {
        this.0
    }
}

impl<G: Guard> Deref for ValueOnly<G> {
    type Target = G::Target;

    #[inline]
    fn deref(&self) -> &G::Target {
        &self.0
    }
}

impl<G: Guard + DerefMut> DerefMut for ValueOnly<G> {
    #[inline]
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.0
    }
}

/// Shared access to a part of what a guard gives access to; keeps the guard.
///
/// It is covariant in the part, `U`:
///
/// ```
/// use anysync::{OwnedRwLockReadGuard, RwLock, face::Part};
///
/// type Guard<'x> = OwnedRwLockReadGuard<&'x str>;
///
/// fn shorten<'s, 'l: 's>(part: Part<&'l str, Guard<'l>>) -> Part<&'s str, Guard<'l>> {
///     part
/// }
/// ```
///
/// So a part may have no lifetimes of its own: a function may find one that lasts as
/// long as they do, and in the argument of a function they could grow.
///
/// ```compile_fail
/// use anysync::{OwnedRwLockReadGuard, face::Part};
///
/// type Takes<'x> = fn(&'x u8);
///
/// fn grow<'x>(
///     guard: OwnedRwLockReadGuard<u8>,
///     takes: &'x Takes<'x>,
/// ) -> Part<Takes<'static>, OwnedRwLockReadGuard<u8>> {
///     let part: Part<Takes<'x>, _> = Part::map(Part::whole(guard), |_| takes);
///     part
/// }
/// ```
///
/// Nor may what it is a part of, as these could have become shorter than those of the
/// guard, and would be forgotten:
///
/// ```compile_fail
/// use anysync::{OwnedRwLockReadGuard, face::Part};
///
/// type Guard<'x> = OwnedRwLockReadGuard<&'x str>;
///
/// fn forget<'s, 'l: 's>(guard: Guard<'l>, byte: &'s u8) -> Part<u8, Guard<'l>> {
///     let part: Part<&'s str, Guard<'l>> = Part::whole(guard);
///     Part::map(part, |_| byte)
/// }
/// ```
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct Part<U: ?Sized, G> {
    part: NonNull<U>,
    guard: G,
}

// SAFETY: by PARTED it is an `&U`, and a guard.
unsafe impl<U: ?Sized + Sync, G: Send> Send for Part<U, G> {}
// SAFETY: as above.
unsafe impl<U: ?Sized + Sync, G: Sync> Sync for Part<U, G> {}

impl<G: Guard> Part<G::Target, G> {
    /// The whole.
    #[inline]
    pub fn whole(guard: G) -> Self {
        let part = NonNull::from(&*guard);
        Self { part, guard }
    }

    /// A part of the whole, whose lifetimes stay in the type of the guard.
    #[inline]
    pub fn of<U: ?Sized + 'static>(guard: G, part: impl FnOnce(&G::Target) -> &U) -> Part<U, G> {
        let part = NonNull::from(part(&guard));
        Part { part, guard }
    }

    /// A part of the whole, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    #[inline]
    pub fn try_of<U: ?Sized + 'static>(
        guard: G,
        part: impl FnOnce(&G::Target) -> Option<&U>,
    ) -> Result<Part<U, G>, G> {
        match part(&guard).map(NonNull::from) {
            Some(part) => Ok(Part { part, guard }),
            None => Err(guard),
        }
    }
}

impl<U: ?Sized, G> Part<U, G> {
    /// The guard of the whole.
    #[inline]
    pub fn guard(this: &Self) -> &G {
        &this.guard
    }

    /// A part of the part.
    #[inline]
    pub fn map<V: ?Sized + 'static>(this: Self, part: impl FnOnce(&U) -> &V) -> Part<V, G>
    where
        U: 'static,
    {
        let part = NonNull::from(part(&this));
        let guard = this.guard;
        Part { part, guard }
    }

    /// A part of the part, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    #[inline]
    pub fn try_map<V: ?Sized + 'static>(
        this: Self,
        part: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Part<V, G>, Self>
    where
        U: 'static,
    {
        match part(&this).map(NonNull::from) {
            Some(part) => Ok(Part {
                part,
                guard: this.guard,
            }),
            None => Err(this),
        }
    }
}

impl<U: ?Sized, G> Deref for Part<U, G> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: invariants STABLE and PARTED: it lives as long as the guard, which
        // is here, and no thread writes to it meanwhile.
        unsafe { self.part.as_ref() }
    }
}

/// Exclusive access to a part of what a guard gives access to; keeps the guard.
///
/// ```
/// use std::sync::Arc;
/// use anysync::{Mutex, OwnedMutexGuard, face::PartMut};
///
/// fn name<'x>(
///     mutex: Arc<Mutex<(u8, &'x str)>>,
/// ) -> PartMut<&'x str, OwnedMutexGuard<(u8, &'x str)>> {
///     PartMut::of(mutex.try_lock_owned().unwrap(), |pair| &mut pair.1)
/// }
///
/// let mutex = Arc::new(Mutex::new((1, "one")));
/// *name(mutex.clone()) = "two";
/// assert_eq!(mutex.try_lock().unwrap().1, "two");
/// ```
///
/// The lifetimes of the part cannot change, and so the part of a guard may have some;
/// a part of that may not, as they would be forgotten:
///
/// ```compile_fail
/// use anysync::{OwnedMutexGuard, face::PartMut};
///
/// type Guard = OwnedMutexGuard<u8>;
///
/// fn filled_later<'x>(guard: Guard, text: &'x mut String) -> PartMut<String, Guard> {
///     let mut slot: PartMut<Option<&'x mut String>, Guard> =
///         PartMut::of(guard, |_| Box::leak(Box::new(None)));
///     *slot = Some(text);
///     PartMut::map(slot, |slot| &mut **slot.as_mut().unwrap())
/// }
/// ```
///
/// ```compile_fail
/// # use anysync::{OwnedMutexGuard, face::PartMut};
/// # type Guard = OwnedMutexGuard<u8>;
/// fn shorten<'s, 'l: 's>(part: PartMut<&'l str, Guard>) -> PartMut<&'s str, Guard> {
///     part
/// }
/// ```
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct PartMut<U: ?Sized, G> {
    part: NonNull<U>,
    guard: G,
    // Invariant.
    writes: PhantomData<*mut U>,
}

// SAFETY: by PARTED it is a `&mut U`, and a guard.
unsafe impl<U: ?Sized + Send, G: Send> Send for PartMut<U, G> {}
// SAFETY: by PARTED a shared one is an `&U`, and an `&G`.
unsafe impl<U: ?Sized + Sync, G: Sync> Sync for PartMut<U, G> {}

impl<U: ?Sized, G: Guard + DerefMut> PartMut<U, G> {
    /// A part of the whole, whose lifetimes stay in the type of the guard.
    #[inline]
    pub fn of(mut guard: G, part: impl FnOnce(&mut G::Target) -> &mut U) -> Self {
        let part = NonNull::from(part(&mut guard));
        Self::new(part, guard)
    }

    /// A part of the whole, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    #[inline]
    pub fn try_of(
        mut guard: G,
        part: impl FnOnce(&mut G::Target) -> Option<&mut U>,
    ) -> Result<Self, G> {
        match part(&mut guard).map(NonNull::from) {
            Some(part) => Ok(Self::new(part, guard)),
            None => Err(guard),
        }
    }
}

impl<U: ?Sized, G> PartMut<U, G> {
    #[inline]
    fn new(part: NonNull<U>, guard: G) -> Self {
        Self {
            part,
            guard,
            writes: PhantomData,
        }
    }

    /// A part of the part.
    #[inline]
    pub fn map<V: ?Sized>(mut this: Self, part: impl FnOnce(&mut U) -> &mut V) -> PartMut<V, G>
    where
        U: 'static,
    {
        let part = NonNull::from(part(&mut this));
        PartMut::new(part, this.guard)
    }

    /// A part of the part, if there is such a part.
    ///
    /// # Errors
    ///
    /// Gives the guard back when `part` returns `None`.
    #[inline]
    pub fn try_map<V: ?Sized>(
        mut this: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<PartMut<V, G>, Self>
    where
        U: 'static,
    {
        match part(&mut this).map(NonNull::from) {
            Some(part) => Ok(PartMut::new(part, this.guard)),
            None => Err(this),
        }
    }
}

impl<U: ?Sized, G> Deref for PartMut<U, G> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: invariants STABLE and PARTED: it lives as long as the guard, which
        // is here.
        unsafe { self.part.as_ref() }
    }
}

impl<U: ?Sized, G> DerefMut for PartMut<U, G> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: invariants STABLE and PARTED, and this is borrowed for as long.
        unsafe { self.part.as_mut() }
    }
}

#[cfg(feature = "alloc")]
impl<U: ?Sized, T: ?Sized, O: ?Sized> Part<U, crate::OwnedRwLockWriteGuard<T, O>> {
    /// Makes the guard one that reads. No task writes in between.
    #[inline]
    pub fn downgrade(this: Self) -> Part<U, crate::OwnedRwLockReadGuard<T, O>> {
        Part {
            part: this.part,
            guard: crate::OwnedRwLockWriteGuard::downgrade(this.guard),
        }
    }
}

/// A guard of this crate's that owns a share of what its lock lies in.
#[cfg(feature = "alloc")]
pub trait OwnedGuard: Guard {
    /// What the lock lies in.
    type Owner: ?Sized;

    /// What keeps the lock alive, which is no way to the value.
    fn owner(this: &Self) -> &alloc::sync::Arc<Self::Owner>;
}

#[cfg(feature = "alloc")]
macro_rules! owned_guards {
    ($($guard:ident)*) => {$(
        impl<T: ?Sized, O: ?Sized> OwnedGuard for crate::$guard<T, O> {
            type Owner = O;

            #[inline]
            fn owner(this: &Self) -> &alloc::sync::Arc<O> {
                crate::$guard::owner(this)
            }
        }
    )*};
}

#[cfg(feature = "alloc")]
owned_guards! {
    OwnedMutexGuard OwnedRwLockReadGuard OwnedRwLockUpgradableReadGuard OwnedRwLockWriteGuard
}

#[cfg(feature = "alloc")]
impl<U: ?Sized, G: OwnedGuard> PartMut<U, G> {
    /// What keeps the lock alive.
    #[inline]
    pub fn owner(this: &Self) -> &alloc::sync::Arc<G::Owner> {
        G::owner(&this.guard)
    }
}
