//! [`Waiter`]: the third way to wait, without a future.

use core::fmt;
use core::pin::Pin;
use core::task::Waker;

use pin_project_lite::pin_project;

use super::{Barrier, LEADER, ROLE, debug};
use crate::callback::waker_of;
use crate::primitive::const_fn;
use crate::wait_list::{Bound, Entry, QUEUED};

pin_project! {
    /// A place at a [`Barrier`] for code that has no future: hand it to
    /// [`Barrier::wait_with`], pinned.
    ///
    /// Dropped before its generation is released, it withdraws.
    pub struct Waiter<'a> {
        #[pin]
        entry: Entry<Bound<'a, Barrier>>,
    }

    impl<'a> PinnedDrop for Waiter<'a> {
        fn drop(this: Pin<&mut Self>) {
            this.reset();
        }
    }
}

impl<'a> Waiter<'a> {
    const_fn! {
        /// A waiter that wakes no task: ask it by
        /// [`is_released`](Waiter::is_released).
        pub const fn new() -> Self {
            Self { entry: Entry::new(Bound::unbound(), 0) }
        }
    }

    /// A waiter that wakes `waker` when it is released by another.
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when it is released by another,
    /// on the thread that releases, outside any lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this
    /// is checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use anysync::{Barrier, barrier::Waiter};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let barrier = Barrier::new(2);
    /// let mut first = pin!(Waiter::with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// let mut last = pin!(Waiter::new());
    /// barrier.wait_with(first.as_mut());
    /// barrier.wait_with(last.as_mut());
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// ```
    pub fn with_callback<C, F>(context: &'static C, callback: F) -> Self
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        Self::with_waker(waker_of(context, callback))
    }

    /// Wakes `waker` from now on, also while it waits. If it has been released,
    /// `waker` is woken at once: so a release between a look and this call is
    /// not lost.
    pub fn set_waker(self: Pin<&mut Self>, waker: Waker) {
        let mut entry = self.entry();
        entry.as_mut().renew_waker(waker);
        if entry.status() > QUEUED {
            entry.wake();
        }
    }

    /// Whether all of its generation have arrived, and it may go on.
    #[inline]
    pub fn is_released(&self) -> bool {
        self.entry.status() > QUEUED
    }

    /// Whether it is released and was the last of its generation to arrive.
    #[inline]
    pub fn is_leader(&self) -> bool {
        self.is_released() && self.entry.tag() & ROLE == LEADER
    }

    /// Makes it as new, but keeps its waker: withdraws if it has arrived and not
    /// been released.
    pub fn reset(self: Pin<&mut Self>) {
        let entry = self.entry();
        if let Some(barrier) = entry.owner().get() {
            barrier.withdraw(&mut entry.parts().1);
        }
    }
}

impl<'a> Waiter<'a> {
    #[inline]
    pub(super) fn entry<'p>(self: Pin<&'p mut Self>) -> Pin<&'p mut Entry<Bound<'a, Barrier>>> {
        self.project().entry
    }
}

impl Default for Waiter<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Waiter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "Waiter", &self.entry)
    }
}
