//! [`HiddenReadGuard`]: an owned guard that does not name what it owns.
//!
//! Invariant **ALONE**: what a [`OnlyRwLock<T>`] owns is an [`RwLock<T>`] and nothing
//! else, and its drop is that of the lock. So to drop it is to drop a `T`, which may be
//! done under the type of any supertype of `T`, as with every value; and the lock is
//! where its owner is, and not in a reference that lasts no longer than a lifetime of
//! `T`'s. Therefore such a lifetime may shrink, and may even grow, which it can only
//! where it says what `T` takes and not what it holds. A share without its type knows by
//! a function how it ends, which is that of its type.

use alloc::sync::Arc;
use core::fmt;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::ptr::{self, NonNull};

use super::RwLock;
use super::guard::shows_value;
use super::owned::OwnedRwLockReadGuard;
use super::raw::{HasRaw, READ, Raw};

/// An [`RwLock`], or a type that has one as its only field: by
/// [`rwlock_newtype!`](crate::rwlock_newtype).
///
/// # Safety
///
/// The lock is the only field, and there is no `Drop` of the type itself.
pub unsafe trait OnlyRwLock<T: ?Sized> {
    /// The lock.
    fn rwlock(&self) -> &RwLock<T>;
}

// SAFETY: invariant ALONE: it is the lock.
unsafe impl<T: ?Sized> OnlyRwLock<T> for RwLock<T> {
    #[inline]
    fn rwlock(&self) -> &RwLock<T> {
        self
    }
}

/// Declares a type that is an [`RwLock`] of ours with an interface of its own.
///
/// ```
/// use std::sync::Arc;
/// use anysync::OwnedRwLockReadGuard;
///
/// anysync::rwlock_newtype! {
///     /// A lock with an interface of its own.
///     pub struct Lock;
/// }
///
/// let lock = Arc::new(Lock(anysync::RwLock::new(7)));
/// let guard = anysync::RwLock::try_read_owned_by(lock, |lock| &lock.0).unwrap();
/// assert_eq!(*OwnedRwLockReadGuard::hide_owner(guard), 7);
/// ```
///
/// It has no `Drop`:
///
/// ```compile_fail,E0119
/// anysync::rwlock_newtype! {
///     pub struct Lock;
/// }
///
/// impl<T: ?Sized> Drop for Lock<T> {
///     fn drop(&mut self) {}
/// }
/// ```
#[macro_export]
macro_rules! rwlock_newtype {
    ($(#[$meta:meta])* $vis:vis struct $name:ident;) => {
        $(#[$meta])*
        $vis struct $name<T: ?Sized>($crate::RwLock<T>);

        // SAFETY: invariant ALONE: it has that one field, and no `Drop`, see below.
        unsafe impl<T: ?Sized> $crate::rwlock::OnlyRwLock<T> for $name<T> {
            #[inline]
            fn rwlock(&self) -> &$crate::RwLock<T> {
                &self.0
            }
        }

        const _: () = {
            trait HasNoDrop {}
            #[allow(drop_bounds)]
            impl<T: ?Sized + ::core::ops::Drop> HasNoDrop for T {}
            impl<T: ?Sized> HasNoDrop for $name<T> {}
        };
    };
}

/// Room for an `Arc`.
type Place = MaybeUninit<[*const (); 2]>;

/// A share of what a guard locks, without its type: `place` has an `Arc<O>`, and `end` is
/// [`end::<O>`](end), by invariant ALONE.
struct Share {
    place: Place,
    end: fn(&mut Place),
}

impl Share {
    #[inline]
    fn new<O: ?Sized>(owner: Arc<O>) -> Self {
        const { assert!(size_of::<Arc<O>>() <= size_of::<Place>()) };
        const { assert!(align_of::<Arc<O>>() <= align_of::<Place>()) };
        let mut place = Place::uninit();
        // SAFETY: it is large enough and aligned, as asserted.
        unsafe { place.as_mut_ptr().cast::<Arc<O>>().write(owner) };
        Self {
            place,
            end: end::<O>,
        }
    }
}

impl Drop for Share {
    #[inline]
    fn drop(&mut self) {
        (self.end)(&mut self.place);
    }
}

/// Drops the `Arc<O>` that is there. Only the drop of a [`Share`] calls it.
fn end<O: ?Sized>(place: &mut Place) {
    // SAFETY: invariant ALONE: `Share::new` has put it there, and this is its end.
    unsafe { place.as_mut_ptr().cast::<Arc<O>>().drop_in_place() }
}

/// An [`OwnedRwLockReadGuard`] that does not name what owns the lock, and is covariant in
/// the value.
///
/// ```
/// use anysync::rwlock::HiddenReadGuard;
///
/// fn shorten<'s, 'l: 's>(guard: HiddenReadGuard<&'l str>) -> HiddenReadGuard<&'s str> {
///     guard
/// }
/// ```
///
/// It lasts no longer than the value:
///
/// ```compile_fail,E0597
/// use std::sync::Arc;
/// use anysync::{OwnedRwLockReadGuard, RwLock};
///
/// let _guard;
/// let text = String::from("text");
/// let lock = Arc::new(RwLock::new(text.as_str()));
/// _guard = OwnedRwLockReadGuard::hide_owner(lock.try_read_owned().unwrap());
/// ```
#[must_use = "a guard that is not kept unlocks at once: bind it, as in `let guard = ..`"]
#[clippy::has_significant_drop]
pub struct HiddenReadGuard<T: ?Sized> {
    value: NonNull<T>,
    raw: NonNull<Raw>,
    _share: Share,
}

// SAFETY: by HELD it is an `&T`, and by ALONE an `Arc` whose content may be sent and
// shared where the lock may; the last share drops the value.
unsafe impl<T: ?Sized + Send + Sync> Send for HiddenReadGuard<T> {}
// SAFETY: by HELD, shared it gives out no more than an `&T`.
unsafe impl<T: ?Sized + Sync> Sync for HiddenReadGuard<T> {}

impl<T: ?Sized, O: ?Sized + OnlyRwLock<T>> OwnedRwLockReadGuard<T, O> {
    /// The same guard, which does not name the owner.
    ///
    /// # Panics
    ///
    /// If the lock is not the one of the owner, or the guard is of a part.
    #[inline]
    pub fn hide_owner(this: Self) -> HiddenReadGuard<T> {
        let lock = Self::owner(&this).rwlock();
        assert!(
            ptr::eq(lock.raw(), this.raw()) && ptr::addr_eq(lock.value_ptr().as_ptr(), &*this),
            "the guard is of another lock than its owner's, or of a part"
        );
        let (owner, raw, value) = this.into_parts();
        HiddenReadGuard {
            value,
            raw,
            _share: Share::new(owner),
        }
    }
}

impl<T: ?Sized> HiddenReadGuard<T> {
    #[inline]
    fn value(&self) -> NonNull<T> {
        self.value
    }
}

shows_value!([T: ?Sized] HiddenReadGuard<T> => T);

impl<T: ?Sized> Drop for HiddenReadGuard<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: invariant ALONE: it is in what the share keeps, which ends after.
        unsafe { self.raw.as_ref() }.release(READ);
    }
}
