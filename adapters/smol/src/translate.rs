//! What every drop-in is made with: futures and guards that are core's inside.

/// Declares a future that is core's inside, and makes the original's type of
/// what that returns. `shown` is what its `Debug` prints, as the original's.
macro_rules! future {
    (
        $(#[$meta:meta])*
        $name:ident [$($generics:tt)*] [$($args:tt)*] ($($field:ident: $type:ty),*)
        $inner:ty => $output:ty, |$won:ident $(, $kept:ident)*| $made:expr, shown $shown:literal
    ) => {
        pin_project_lite::pin_project! {
            $(#[$meta])*
            #[must_use = "futures do nothing unless they are awaited or polled"]
            pub struct $name<$($generics)*> {
                #[pin]
                inner: $inner,
                $($field: $type,)*
            }
        }

        impl<$($generics)*> ::core::future::Future for $name<$($args)*> {
            type Output = $output;

            #[inline]
            fn poll(
                self: ::core::pin::Pin<&mut Self>,
                cx: &mut ::core::task::Context<'_>,
            ) -> ::core::task::Poll<$output> {
                let this = self.project();
                $(let $kept = this.$kept;)*
                this.inner.poll(cx).map(|$won| $made)
            }
        }

        impl<$($generics)*> ::core::fmt::Debug for $name<$($args)*> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str($shown)
            }
        }
    };
}
pub(crate) use future;

/// Shows a guard as the value that it gives access to, and lends it.
macro_rules! guard {
    ([$($generics:tt)*] $guard:ty => $value:ty) => {
        impl<$($generics)*> ::core::ops::Deref for $guard {
            type Target = $value;

            #[inline]
            fn deref(&self) -> &$value {
                &self.inner
            }
        }

        impl<$($generics)*> ::core::fmt::Debug for $guard
        where
            $value: ::core::fmt::Debug,
        {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($generics)*> ::core::fmt::Display for $guard
        where
            $value: ::core::fmt::Display,
        {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}
pub(crate) use guard;

/// [`guard!`] for one that may write.
macro_rules! guard_mut {
    ([$($generics:tt)*] $guard:ty => $value:ty) => {
        crate::translate::guard!([$($generics)*] $guard => $value);

        impl<$($generics)*> ::core::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut $value {
                &mut self.inner
            }
        }
    };
}
pub(crate) use guard_mut;
