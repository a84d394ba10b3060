//! The shim: the few things that a primitive is made of, from the standard
//! library, from `core` alone, or from loom's model checker.
//!
//! | name | `std` | `no_std` | loom |
//! |-|-|-|-|
//! | [`AtomicPtr`], [`AtomicUsize`], [`Ordering`] | `core` | `core` | loom |
//! | [`Lock`] | a bit, and sleep | a bit, or a critical section | loom |
//! | [`TrackedCell`] | `core`'s `UnsafeCell` | the same | loom's, which finds races |
//!
//! No other module mentions any of the three worlds.

#[cfg(anysync_loom)]
pub(crate) use loom::sync::atomic::Ordering;
#[cfg(anysync_loom)]
pub(crate) use loom_atomic::{AtomicPtr, AtomicUsize};

#[cfg(not(anysync_loom))]
pub(crate) use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

#[cfg(all(test, feature = "std", not(anysync_loom)))]
pub(crate) use lock::one_at_a_time::has_guard;
pub(crate) use lock::{Lock, LockGuard};

/// Leaves a lock open for a moment that this thread has had for long and takes again at
/// once: else the threads that wait for it would hardly ever find it open.
#[cfg(feature = "alloc")]
pub(crate) fn give_way() {
    if cfg!(not(anysync_loom)) {
        for _ in 0..64 {
            core::hint::spin_loop();
        }
    }
}

#[cfg(anysync_loom)]
mod loom_atomic;

/// Declares a `const fn`, which under loom is an ordinary one because loom's
/// atomics are not made in constants.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
        #[cfg(not(anysync_loom))]
        $(#[$meta])*
        $vis const fn $($rest)*

        #[cfg(anysync_loom)]
        $(#[$meta])*
        $vis fn $($rest)*
    };
}
pub(crate) use const_fn;

/// An `UnsafeCell` that lends its content to closures, so that loom can see
/// when two accesses overlap.
#[cfg(anysync_loom)]
pub(crate) use loom::cell::UnsafeCell as TrackedCell;

#[cfg(not(anysync_loom))]
pub(crate) use tracked_cell::TrackedCell;

#[cfg(not(anysync_loom))]
mod tracked_cell {
    use core::cell::UnsafeCell;

    #[derive(Debug)]
    pub(crate) struct TrackedCell<T: ?Sized>(UnsafeCell<T>);

    impl<T> TrackedCell<T> {
        #[inline]
        pub(crate) const fn new(value: T) -> Self {
            Self(UnsafeCell::new(value))
        }

        #[inline]
        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }

    impl<T: ?Sized> TrackedCell<T> {
        /// Lends a pointer for reading.
        #[inline]
        pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
            read(self.0.get())
        }

        /// Lends a pointer for writing.
        #[inline]
        pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
            write(self.0.get())
        }
    }
}

/// The inner lock: held for a few instructions, never while any code of the
/// user's runs.
#[cfg(not(anysync_loom))]
mod lock;

/// The same under loom. A panic inside is a bug of this crate's, so poison is ignored.
#[cfg(anysync_loom)]
mod lock {
    use loom::sync::{Mutex, MutexGuard};
    use std::sync::PoisonError;

    pub(crate) type LockGuard<'a, T> = MutexGuard<'a, T>;

    #[derive(Debug)]
    pub(crate) struct Lock<T>(Mutex<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        #[inline]
        pub(crate) fn lock(&self) -> LockGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
