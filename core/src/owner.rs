//! [`Projected`]: an `Arc` and a primitive somewhere inside it, for guards and
//! futures that own a share of what they lock.

use alloc::sync::Arc;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;

use crate::wait_list::{HasList, Owner};

/// A share of `owner`, and the `target` that was found in it.
///
/// Invariant **PROJECTED**: `target` was made from the content of `owner` by a
/// function that does so for every lifetime `'a` that `O` and `L` outlive. So it
/// points to what lives, at one place, and is only shared, for as long as
///
/// - the content of `owner` lives, is not moved and is not borrowed mutably: an
///   `Arc` never moves its content, and lends it mutably only where there is no
///   other share; and
/// - every lifetime in `O` and in `L` lasts: a function may have found the target
///   elsewhere, in a reference of its own that lasts no longer than these.
///
/// Therefore this is invariant in both, lest a lifetime grow; whatever touches the
/// target in its drop says `O` and `L` in its type, lest one end before; and `L`
/// may be left out of a type only where it has no lifetimes, or is a part of an
/// `O` that is not left out.
///
/// What a lock that ends before its guard would need does not compile. A part
/// without the lifetimes of the whole:
///
/// ```compile_fail
/// use std::sync::Arc;
/// use anysync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
///
/// fn part<'x>(mutex: &'x Mutex<(u8, &'x u8)>) -> OwnedMappedMutexGuard<u8, ()> {
///     let guard = Mutex::try_lock_owned_by(Arc::new(()), |_: &()| mutex).unwrap();
///     OwnedMutexGuard::map(guard, |pair| &mut pair.0)
/// }
/// ```
///
/// The same in two steps, with a lifetime that only the first part had:
///
/// ```compile_fail
/// use std::sync::Arc;
/// use anysync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};
///
/// fn filled_later<'x>(text: &'x mut String) -> OwnedMappedMutexGuard<String, Mutex<u8>> {
///     let guard = Arc::new(Mutex::new(0)).try_lock_owned().unwrap();
///     let mut slot: OwnedMappedMutexGuard<Option<&'x mut String>, Mutex<u8>> =
///         OwnedMutexGuard::map(guard, |_| Box::leak(Box::new(None)));
///     *slot = Some(text);
///     OwnedMappedMutexGuard::map(slot, |slot| &mut **slot.as_mut().unwrap())
/// }
/// ```
///
/// A lifetime that grows, in the owner or in the value, because more is less in
/// the argument of a function:
///
/// ```compile_fail
/// use std::sync::Arc;
/// use anysync::{OwnedSemaphorePermit, Semaphore};
///
/// type Takes<'x> = fn(&'x u8);
///
/// fn grow<'x>(semaphore: &'x Semaphore, owner: Takes<'x>) -> OwnedSemaphorePermit<Takes<'static>> {
///     let permit: OwnedSemaphorePermit<Takes<'x>> =
///         Semaphore::try_acquire_owned_by(Arc::new(owner), |_: &Takes<'x>| semaphore, 1).unwrap();
///     permit
/// }
/// ```
///
/// ```compile_fail
/// use std::sync::Arc;
/// use anysync::{OwnedRwLockReadGuard, RwLock};
///
/// type Takes<'x> = fn(&'x u8);
///
/// fn grow<'x>(lock: &'x RwLock<Takes<'x>>) -> OwnedRwLockReadGuard<Takes<'static>, ()> {
///     let guard: OwnedRwLockReadGuard<Takes<'x>, ()> =
///         RwLock::try_read_owned_by(Arc::new(()), |_: &()| lock).unwrap();
///     guard
/// }
/// ```
///
/// A guard that is dropped after the lock (`read`, or `write` and `into_mapped`):
///
/// ```compile_fail,E0597
/// use std::sync::Arc;
/// use anysync::{OwnedRwLockReadGuard, RwLock};
///
/// fn read<'x>(lock: &'x RwLock<&'x u8>) -> OwnedRwLockReadGuard<&'x u8, ()> {
///     RwLock::try_read_owned_by(Arc::new(()), |_: &()| lock).unwrap()
/// }
///
/// let _guard;
/// let lock = RwLock::new(&7);
/// _guard = read(&lock);
/// ```
///
/// ```compile_fail,E0597
/// use std::sync::Arc;
/// use anysync::{OwnedRwLockWriteGuard, RwLock, rwlock::OwnedRwLockMappedWriteGuard};
///
/// fn write<'x>(lock: &'x RwLock<&'x u8>) -> OwnedRwLockMappedWriteGuard<&'x u8, ()> {
///     let guard = RwLock::try_write_owned_by(Arc::new(()), |_: &()| lock).unwrap();
///     OwnedRwLockWriteGuard::into_mapped(guard)
/// }
///
/// let _guard;
/// let lock = RwLock::new(&7);
/// _guard = write(&lock);
/// ```
///
/// The same where the lock lives long enough:
///
/// ```
/// use std::sync::Arc;
/// use anysync::{OwnedRwLockReadGuard, RwLock};
///
/// fn read<'x>(lock: &'x RwLock<&'x u8>) -> OwnedRwLockReadGuard<&'x u8, ()> {
///     RwLock::try_read_owned_by(Arc::new(()), |_: &()| lock).unwrap()
/// }
///
/// let lock = RwLock::new(&7);
/// assert_eq!(**read(&lock), 7);
/// ```
pub(crate) struct Projected<O: ?Sized, L: ?Sized> {
    owner: Arc<O>,
    target: NonNull<L>,
    invariant: PhantomData<(*mut O, *mut L)>,
}

// SAFETY: it is an `Arc<O>` and, by PROJECTED, an `&L`. `O` need not be what makes
// `L` shareable (the function may find it elsewhere), so both are asked for.
unsafe impl<O: ?Sized + Send + Sync, L: ?Sized + Sync> Send for Projected<O, L> {}
// SAFETY: as above.
unsafe impl<O: ?Sized + Send + Sync, L: ?Sized + Sync> Sync for Projected<O, L> {}

impl<O: ?Sized, L: ?Sized> Projected<O, L> {
    #[inline]
    pub(crate) fn new(owner: Arc<O>, project: impl for<'a> FnOnce(&'a O) -> &'a L) -> Self {
        let target = NonNull::from(project(&owner));
        Self {
            owner,
            target,
            invariant: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn owner(&self) -> &Arc<O> {
        &self.owner
    }

    /// The share alone.
    #[inline]
    pub(crate) fn into_owner(self) -> Arc<O> {
        self.owner
    }

    /// The same share, with what is found in the target. `L` leaves the type;
    /// see PROJECTED for when it may.
    #[inline]
    pub(crate) fn map<M: ?Sized>(
        self,
        project: impl for<'a> FnOnce(&'a L) -> &'a M,
    ) -> Projected<O, M> {
        let target = NonNull::from(project(&self));
        Projected {
            owner: self.owner,
            target,
            invariant: PhantomData,
        }
    }
}

impl<L: ?Sized> Projected<L, L> {
    /// The whole content.
    #[inline]
    pub(crate) fn whole(owner: Arc<L>) -> Self {
        Self::new(owner, |content| content)
    }
}

impl<O: ?Sized, L: ?Sized> Clone for Projected<O, L> {
    #[inline]
    fn clone(&self) -> Self {
        Self {
            owner: self.owner.clone(),
            target: self.target,
            invariant: PhantomData,
        }
    }
}

impl<O: ?Sized, L: ?Sized> Deref for Projected<O, L> {
    type Target = L;

    #[inline]
    fn deref(&self) -> &L {
        // SAFETY: invariant PROJECTED, and `owner` is shared until `self` ends:
        // nothing gives out a `&mut` to it, or it by value.
        unsafe { self.target.as_ref() }
    }
}

// SAFETY: invariant PROJECTED: one place.
unsafe impl<O: ?Sized, L: HasList + ?Sized> Owner for Projected<O, L> {
    type Target = L;

    #[inline]
    fn target(&self) -> &L {
        self
    }
}
