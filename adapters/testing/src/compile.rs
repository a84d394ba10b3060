//! What compiles with a drop-in and with its original: which traits each type has, for
//! which contents.
//!
//! A body names the types, and the functions that return what has no name; it is
//! compiled over both. [`differences`] compares the two tables.

use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::marker::{PhantomData, PhantomPinned};
use std::rc::Rc;

/// Tells which traits `T` has, by methods that are its own where it has them, and else
/// those of [`Lacks`]. `C` is what `T` is about.
#[derive(Debug)]
pub struct Probe<C: ?Sized, T: ?Sized>(PhantomData<C>, PhantomData<T>);

impl<C: ?Sized, T: ?Sized> Probe<C, T> {
    /// Of a type that has a name.
    pub fn named() -> Self {
        Self(PhantomData, PhantomData)
    }

    /// Whether a drop of it does anything.
    pub fn needs_drop(&self) -> bool {
        std::mem::needs_drop::<T>()
    }
}

impl<C: ?Sized, T> Probe<C, T> {
    /// Of what a function returns, which is not called.
    pub fn returned<A>(_: impl FnOnce(A) -> T) -> Self {
        Self(PhantomData, PhantomData)
    }
}

macro_rules! traits {
    ($dollar:tt $($method:ident $name:literal: $($bound:path)?, $($lifetime:lifetime)?;)+) => {
        /// The answers for what has a trait not.
        pub trait Lacks {
            $(
                #[doc = concat!("Whether it is `", $name, "`.")]
                fn $method(&self) -> bool {
                    false
                }
            )+
        }

        impl<C: ?Sized, T: ?Sized> Lacks for Probe<C, T> {}

        $(
            impl<C: ?Sized, T: ?Sized + $($bound)? $($lifetime)?> Probe<C, T> {
                #[doc = concat!("Whether it is `", $name, "`.")]
                pub fn $method(&self) -> bool {
                    true
                }
            }
        )+

        /// The names of the traits that a probe finds.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! __found {
            ($dollar probe:expr) => {{
                let probe = $dollar probe;
                let mut found = Vec::new();
                if !probe.needs_drop() {
                    found.push("free of drop");
                }
                $(
                    if probe.$method() {
                        found.push($name);
                    }
                )+
                found
            }};
        }
    };
}

traits! { $
    is_send "Send": Send,;
    is_sync "Sync": Sync,;
    is_unpin "Unpin": Unpin,;
    is_unwind_safe "UnwindSafe": std::panic::UnwindSafe,;
    is_ref_unwind_safe "RefUnwindSafe": std::panic::RefUnwindSafe,;
    is_clone "Clone": Clone,;
    is_copy "Copy": Copy,;
    is_debug "Debug": std::fmt::Debug,;
    is_display "Display": std::fmt::Display,;
    is_default "Default": Default,;
    is_partial_eq "PartialEq": PartialEq,;
    is_eq "Eq": Eq,;
    is_partial_ord "PartialOrd": PartialOrd,;
    is_ord "Ord": Ord,;
    is_hash "Hash": std::hash::Hash,;
    is_error "Error": std::error::Error,;
    is_future "Future": Future,;
    is_fused_future "FusedFuture": futures_core::FusedFuture,;
    is_stream "Stream": futures_core::Stream,;
    is_fused_stream "FusedStream": futures_core::FusedStream,;
    is_iterator "Iterator": Iterator,;
    is_exact "ExactSizeIterator": ExactSizeIterator,;
    is_fused "FusedIterator": std::iter::FusedIterator,;
    is_into_iterator "IntoIterator": IntoIterator,;
    is_deref "Deref": std::ops::Deref,;
    derefs_to_content "Deref to the content": std::ops::Deref<Target = C>,;
    is_deref_mut "DerefMut": std::ops::DerefMut,;
    is_from_content "From of the content": FromContent<C>,;
    is_as_ref "AsRef of the content": AsRef<C>,;
    is_borrow "Borrow of the content": std::borrow::Borrow<C>,;
    is_sink "Sink of the content": SinkOf<C>,;
    is_static "'static": ,'static;
}

/// `From<C>`, where that can be asked.
pub trait FromContent<C: ?Sized> {}
impl<C, T: From<C>> FromContent<C> for T {}

/// `Sink<C>`, where that can be asked.
pub trait SinkOf<C: ?Sized> {}
impl<C, T: futures_sink::Sink<C>> SinkOf<C> for T {}

/// What has no trait but the auto traits.
#[allow(missing_debug_implementations, reason = "that is what it is for")]
pub struct Plain;

/// May be sent and not shared.
pub type SendOnly = Cell<u8>;
/// May be shared and not sent.
pub type SyncOnly = std::sync::MutexGuard<'static, u8>;
/// May be neither.
pub type Neither = Rc<u8>;
/// May not be moved once it is pinned.
pub type Pinned = PhantomPinned;
/// Is not safe to unwind past.
pub type Exclusive = &'static mut u8;
/// Has no size that is known, and may be neither sent nor shared.
pub type DynNeither = dyn Any;
/// Has no size that is known, and may be sent.
pub type DynSend = dyn Any + Send;
/// Has no size that is known, and may be shared.
pub type DynSync = dyn Any + Sync;
/// Has no size that is known, and may be both.
pub type DynBoth = dyn Display + Send + Sync;

/// A type, what it is about, and its traits.
pub type Row = (&'static str, &'static str, Vec<&'static str>);

/// Appends the rows of types, and of what functions return, for each content of a kind:
/// `clone` for those that can be cloned, `sized` for these and the others of a known
/// size, `any` for all, `none` where there is none.
#[macro_export]
macro_rules! rows {
    ($rows:ident, none, $($what:tt)*) => {
        $crate::rows!(@ $rows [nothing u8] T $($what)*);
    };
    ($rows:ident, clone $content:ident, $($what:tt)*) => {
        $crate::rows!(@ $rows [u8 u8] $content $($what)*);
        $crate::rows!(@ $rows [str &'static str] $content $($what)*);
        $crate::rows!(@ $rows [String String] $content $($what)*);
        $crate::rows!(@ $rows [unit ()] $content $($what)*);
        $crate::rows!(@ $rows [SendOnly $crate::compile::SendOnly] $content $($what)*);
        $crate::rows!(@ $rows [Neither $crate::compile::Neither] $content $($what)*);
    };
    ($rows:ident, sized $content:ident, $($what:tt)*) => {
        $crate::rows!($rows, clone $content, $($what)*);
        $crate::rows!(@ $rows [Plain $crate::compile::Plain] $content $($what)*);
        $crate::rows!(@ $rows [SyncOnly $crate::compile::SyncOnly] $content $($what)*);
        $crate::rows!(@ $rows [Pinned $crate::compile::Pinned] $content $($what)*);
        $crate::rows!(@ $rows [Exclusive $crate::compile::Exclusive] $content $($what)*);
    };
    ($rows:ident, any $content:ident, $($what:tt)*) => {
        $crate::rows!($rows, sized $content, $($what)*);
        $crate::rows!(@ $rows [slice [u8]] $content $($what)*);
        $crate::rows!(@ $rows [DynNeither $crate::compile::DynNeither] $content $($what)*);
        $crate::rows!(@ $rows [DynSend $crate::compile::DynSend] $content $($what)*);
        $crate::rows!(@ $rows [DynSync $crate::compile::DynSync] $content $($what)*);
        $crate::rows!(@ $rows [DynBoth $crate::compile::DynBoth] $content $($what)*);
    };
    (
        @ $rows:ident [$label:ident $type:ty] $content:ident
        types { $($named:ty;)* } functions { $($name:literal: $function:expr;)* }
    ) => {{
        fn append(rows: &mut Vec<$crate::compile::Row>) {
            #[allow(unused)]
            use $crate::compile::{Lacks as _, Probe};
            #[allow(unused)]
            type $content = $type;
            let label = stringify!($label);
            $(
                let found = $crate::__found!(Probe::<$type, $named>::named());
                rows.push((stringify!($named), label, found));
            )*
            $(
                let found = $crate::__found!(Probe::<$type, _>::returned($function));
                rows.push(($name, label, found));
            )*
        }
        append($rows);
    }};
}

/// Appends a row for each pair of the types: whether one is made of the other.
#[macro_export]
macro_rules! conversions {
    ($rows:ident, $($type:ty;)*) => {
        $crate::conversions!(@ $rows [$($type;)*] [$($type;)*]);
    };
    (@ $rows:ident [$($from:ty;)*] $all:tt) => {$(
        $crate::conversions!(@from $rows $from, $all);
    )*};
    (@from $rows:ident $from:ty, [$($to:ty;)*]) => {{
        fn append(rows: &mut Vec<$crate::compile::Row>) {
            use $crate::compile::{Lacks as _, Probe};
            $(
                let is_made = Probe::<$from, $to>::named().is_from_content();
                let found = is_made.then_some("From").into_iter().collect();
                rows.push((stringify!($to), stringify!($from), found));
            )*
        }
        append($rows);
    }};
}

/// Says that a type which names a lifetime may be taken for one of a shorter life: what
/// does not compile may not.
#[macro_export]
macro_rules! covariant {
    ($($lifetime:lifetime $name:ident: $type:ty;)*) => {$(
        #[allow(unused)]
        mod $name {
            use super::*;

            type Of<$lifetime> = $type;

            fn shorten<'short, 'long: 'short>(it: Of<'long>) -> Of<'short> {
                it
            }
        }
    )*};
}

/// What the rows of `ours` lack and what they have beyond those of `original`: a line
/// for each type and trait, with the contents for which it is so. To be safe to share or
/// to unwind past where the original is not, to move, to be shown, or to drop nothing,
/// is no difference: it only lets more compile.
pub fn differences(original: &[Row], ours: &[Row]) -> Vec<String> {
    const HARMLESS: [&str; 7] = [
        "Send",
        "Sync",
        "Unpin",
        "UnwindSafe",
        "RefUnwindSafe",
        "Debug",
        "free of drop",
    ];
    assert_eq!(original.len(), ours.len(), "the body is one");
    let mut lines = BTreeMap::<(&str, &str, &str), Vec<&str>>::new();
    for (theirs, own) in original.iter().zip(ours) {
        let (name, content, traits) = theirs;
        assert_eq!((name, content), (&own.0, &own.1), "the body is one");
        let lost = traits.iter().filter(|it| !own.2.contains(it));
        let lost = lost.map(|it| (it, "lacks"));
        let gained = own
            .2
            .iter()
            .filter(|it| !traits.contains(it) && !HARMLESS.contains(it));
        for (it, how) in lost.chain(gained.map(|it| (it, "has"))) {
            lines.entry((name, how, it)).or_default().push(content);
        }
    }
    let lines = lines.into_iter();
    lines
        .map(|((name, how, what), contents)| format!("{name} {how} {what}: {}", contents.join(" ")))
        .collect()
}
