//! [`Projected`]: an `Arc` and a primitive somewhere inside it, for guards and
//! futures that own a share of what they lock.

use alloc::sync::Arc;
use core::ops::Deref;
use core::ptr::NonNull;

use crate::wait_list::{HasList, Owner};

/// A share of `owner`, and the `target` that was found in it.
///
/// Invariant **PROJECTED**: `target` was made from the content of `owner` by a
/// function that does so for every lifetime. So it points to what lives, at one
/// place, and is only shared, for as long as the content of `owner` lives, is not
/// moved and is not borrowed mutably: an `Arc` never moves its content, and
/// lends it mutably only where there is no other share.
pub(crate) struct Projected<O: ?Sized, L: ?Sized> {
    owner: Arc<O>,
    target: NonNull<L>,
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
        Self { owner, target }
    }

    #[inline]
    pub(crate) fn owner(&self) -> &Arc<O> {
        &self.owner
    }

    /// The same share, with what is found in the target.
    #[inline]
    pub(crate) fn map<M: ?Sized>(
        self,
        project: impl for<'a> FnOnce(&'a L) -> &'a M,
    ) -> Projected<O, M> {
        let target = NonNull::from(project(&self));
        Projected {
            owner: self.owner,
            target,
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
