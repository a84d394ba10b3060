//! The futures: one for each kind of access, borrowing or owning a share.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::RwLock;
use super::guard::{RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};
use super::hold::Hold;
#[cfg(feature = "alloc")]
use super::owned::{OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard};
#[cfg(feature = "alloc")]
use super::raw::TAKEN;
use super::raw::{HasRaw, READ, Raw, UPGRADABLE_READ, UPGRADE, WRITE};
use crate::io::{Bare, Io};
#[cfg(feature = "alloc")]
use crate::owner::Projected;
use crate::wait_list::{CALLED, Entry, IDLE, QUEUED, SEATED};

/// Declares a future that borrows the lock.
macro_rules! borrowing {
    ($(#[$meta:meta])* $name:ident, $kind:ident, $guard:ident, $end:ident) => {
        pin_project! {
            $(#[$meta])*
            #[must_use = "futures do nothing unless they are awaited or polled"]
            pub struct $name<'a, T: ?Sized, I = Bare> {
                #[pin]
                entry: Entry<&'a RwLock<T>>,
                io: I,
            }

            impl<'a, T: ?Sized, I> PinnedDrop for $name<'a, T, I> {
                fn drop(this: Pin<&mut Self>) {
                    let (lock, ticket) = this.project().entry.parts();
                    lock.raw().$end(ticket);
                }
            }
        }

        impl<'a, T: ?Sized, I> $name<'a, T, I> {
            #[inline]
            pub(super) fn new(lock: &'a RwLock<T>, io: I) -> Self {
                Self {
                    entry: Entry::new(lock, $kind),
                    io,
                }
            }
        }

        impl<'a, T: ?Sized, I: Io> Future for $name<'a, T, I> {
            type Output = $guard<'a, T>;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let this = self.project();
                let lock: &'a RwLock<T> = this.entry.owner();
                let (_, ticket) = this.entry.parts();
                lock.raw().poll($kind, ticket, this.io, cx).map(|won| {
                    won.accept();
                    $guard::new(lock)
                })
            }
        }

        impl<T: ?Sized, I> fmt::Debug for $name<'_, T, I> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("status", &status_name(self.entry.status()))
                    .finish_non_exhaustive()
            }
        }
    };
}

pin_project! {
    /// The future of [`RwLock::read`] and [`RwLock::read_future`].
    ///
    /// As the guard that it returns, it is covariant in the value.
    ///
    /// ```
    /// use anysync::rwlock::Read;
    ///
    /// fn shorten<'s, 'l: 's>(read: Read<'l, &'l str>) -> Read<'s, &'s str> {
    ///     read
    /// }
    /// ```
    ///
    /// One that writes is not, since it could write what does not live long enough:
    ///
    /// ```compile_fail
    /// use anysync::rwlock::Write;
    ///
    /// fn shorten<'s, 'l: 's>(write: Write<'s, &'l str>) -> Write<'s, &'s str> {
    ///     write
    /// }
    /// ```
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Read<'a, T: ?Sized, I = Bare> {
        #[pin]
        entry: Entry<&'a Raw>,
        // That of the lock.
        value: NonNull<T>,
        io: I,
        reads: PhantomData<&'a T>,
    }

    impl<'a, T: ?Sized, I> PinnedDrop for Read<'a, T, I> {
        fn drop(this: Pin<&mut Self>) {
            let (raw, ticket) = this.project().entry.parts();
            raw.abandon(ticket);
        }
    }
}

// SAFETY: by HELD it becomes an `&T`, and that where it is polled. Of the lock it has
// the part without the value, which is bound to no thread.
unsafe impl<T: ?Sized + Sync, I: Send> Send for Read<'_, T, I> {}
// SAFETY: by HELD as above; a shared one gives out nothing.
unsafe impl<T: ?Sized + Sync, I: Sync> Sync for Read<'_, T, I> {}

impl<'a, T: ?Sized, I> Read<'a, T, I> {
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>, io: I) -> Self {
        Self {
            entry: Entry::new(lock.raw(), READ),
            value: lock.value_ptr(),
            io,
            reads: PhantomData,
        }
    }
}

impl<'a, T: ?Sized, I: Io> Future for Read<'a, T, I> {
    type Output = RwLockReadGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let lock: &'a Raw = this.entry.owner();
        let (raw, ticket) = this.entry.parts();
        raw.poll(READ, ticket, this.io, cx).map(|won| {
            won.accept();
            RwLockReadGuard::of(*this.value, Hold::new(lock))
        })
    }
}

impl<T: ?Sized, I> fmt::Debug for Read<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

borrowing! {
    /// The future of [`RwLock::upgradable_read`] and
    /// [`RwLock::upgradable_read_future`].
    UpgradableRead, UPGRADABLE_READ, RwLockUpgradableReadGuard, abandon
}
borrowing! {
    /// The future of [`RwLock::write`] and [`RwLock::write_future`].
    Write, WRITE, RwLockWriteGuard, abandon
}
borrowing! {
    /// The future of [`RwLockUpgradableReadGuard::upgrade`].
    Upgrade, UPGRADE, RwLockWriteGuard, abandon_upgrade
}

/// Declares a future that owns a share of what the lock lies in.
#[cfg(feature = "alloc")]
macro_rules! owning {
    ($(#[$meta:meta])* $name:ident, $kind:ident, $guard:ident, $end:ident) => {
        pin_project! {
            $(#[$meta])*
            #[must_use = "futures do nothing unless they are awaited or polled"]
            pub struct $name<T: ?Sized, O: ?Sized = RwLock<T>, I = Bare> {
                // `None` once the guard has it.
                #[pin]
                entry: Entry<Option<Projected<O, RwLock<T>>>>,
                io: I,
            }

            impl<T: ?Sized, O: ?Sized, I> PinnedDrop for $name<T, O, I> {
                fn drop(this: Pin<&mut Self>) {
                    let entry = this.project().entry;
                    if entry.status() != TAKEN {
                        let (lock, ticket) = entry.parts();
                        lock.raw().$end(ticket);
                    }
                }
            }
        }

        impl<T: ?Sized, O: ?Sized, I> $name<T, O, I> {
            #[inline]
            pub(super) fn new(lock: Projected<O, RwLock<T>>, io: I) -> Self {
                Self {
                    entry: Entry::new(Some(lock), $kind),
                    io,
                }
            }
        }

        impl<T: ?Sized, O: ?Sized, I: Io> Future for $name<T, O, I> {
            type Output = $guard<T, O>;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                const FINISHED: &str = "a wait for a `RwLock` was polled after it had finished";
                let mut this = self.project();
                assert!(this.entry.owner().is_some(), "{FINISHED}");
                let (lock, ticket) = this.entry.as_mut().parts();
                let polled = lock.raw().poll($kind, ticket, this.io, cx);
                polled.map(|won| won.accept()).map(|()| {
                    let lock = this.entry.take_owner().expect(FINISHED);
                    $guard::new(lock)
                })
            }
        }

        impl<T: ?Sized, O: ?Sized, I> fmt::Debug for $name<T, O, I> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("status", &status_name(self.entry.status()))
                    .finish_non_exhaustive()
            }
        }
    };
}

#[cfg(feature = "alloc")]
owning! {
    /// The future of [`RwLock::read_owned`] and [`RwLock::read_owned_by`].
    ReadOwned, READ, OwnedRwLockReadGuard, abandon
}
#[cfg(feature = "alloc")]
owning! {
    /// The future of [`RwLock::upgradable_read_owned`] and
    /// [`RwLock::upgradable_read_owned_by`].
    UpgradableReadOwned, UPGRADABLE_READ, OwnedRwLockUpgradableReadGuard, abandon
}
#[cfg(feature = "alloc")]
owning! {
    /// The future of [`RwLock::write_owned`] and [`RwLock::write_owned_by`].
    WriteOwned, WRITE, OwnedRwLockWriteGuard, abandon
}
#[cfg(feature = "alloc")]
owning! {
    /// The future of [`OwnedRwLockUpgradableReadGuard::upgrade`].
    UpgradeOwned, UPGRADE, OwnedRwLockWriteGuard, abandon_upgrade
}

pub(super) fn status_name(status: usize) -> &'static str {
    match status {
        IDLE => "idle",
        QUEUED => "queued",
        SEATED => "granted",
        CALLED => "called",
        _ => "finished",
    }
}
