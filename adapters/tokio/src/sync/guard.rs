//! What the locks and their guards have in common.

use std::fmt;

/// Lends the value of a guard that is core's inside, and shows it.
macro_rules! guard {
    ([$($generics:tt)*] $guard:ty => $value:ident) => {
        impl<$($generics)*> ::std::ops::Deref for $guard {
            type Target = $value;

            #[inline]
            fn deref(&self) -> &$value {
                &self.inner
            }
        }

        impl<$($generics)*> ::std::fmt::Debug for $guard
        where
            $value: ::std::fmt::Debug,
        {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($generics)*> ::std::fmt::Display for $guard
        where
            $value: ::std::fmt::Display,
        {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}
pub(super) use guard;

/// [`guard!`] for one that may write.
macro_rules! guard_mut {
    ([$($generics:tt)*] $guard:ty => $value:ident) => {
        $crate::sync::guard::guard!([$($generics)*] $guard => $value);

        impl<$($generics)*> ::std::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut $value {
                &mut self.inner
            }
        }
    };
}
pub(super) use guard_mut;

/// Shows a lock by the value in it, if that could be had.
pub(super) fn show_lock<T: ?Sized + fmt::Debug>(
    name: &str,
    value: Option<&T>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    match &value {
        Some(value) => shown.field("data", value),
        None => shown.field("data", &format_args!("<locked>")),
    };
    shown.finish()
}
