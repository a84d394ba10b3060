//! [`Waiter`]: the third way to wait, without a future.

use core::fmt;
use core::pin::Pin;
use core::task::Waker;

use pin_project_lite::pin_project;

use super::{BY_ALL, Notify, TAKEN, status_name};
use crate::callback::waker_of;
use crate::primitive::const_fn;
use crate::wait_list::{Bound, Entry, IDLE, QUEUED};

pin_project! {
    /// A place in the queue of a [`Notify`] for code that has no future: hand
    /// it to [`Notify::wait_with`], pinned.
    ///
    /// It leaves the queue by itself when it is dropped. A notification counts
    /// as taken once [`is_notified`](Waiter::is_notified) has told of it;
    /// dropped before, it passes the notification on.
    pub struct Waiter<'a> {
        #[pin]
        pub(super) entry: Entry<Bound<'a, Notify>>,
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
        /// [`is_notified`](Waiter::is_notified).
        pub const fn new() -> Self {
            Self { entry: Entry::new(Bound::unbound(), 0) }
        }
    }

    /// A waiter that wakes `waker` when it is notified.
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when it is notified, on the
    /// thread that notifies, outside any lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this
    /// is checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use anysync::{Notify, notify::Waiter};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let notify = Notify::new();
    /// let mut waiter = pin!(Waiter::with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// notify.wait_with(waiter.as_mut());
    /// notify.notify_one();
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// ```
    pub fn with_callback<C, F>(context: &'static C, callback: F) -> Self
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        Self::with_waker(waker_of(context, callback))
    }

    /// Wakes `waker` from now on, also while it is queued. If it has been
    /// notified and no task has looked yet, `waker` is woken at once: so a
    /// notification that comes between a look and this call is not lost.
    pub fn set_waker(self: Pin<&mut Self>, waker: Waker) {
        let mut entry = self.project().entry;
        entry.as_mut().renew_waker(waker);
        if !matches!(entry.status(), IDLE | QUEUED | TAKEN) {
            entry.wake();
        }
    }

    /// Whether it has been notified. Looks, and takes nothing.
    pub fn is_ready(&self) -> bool {
        !matches!(self.verdict(), IDLE | QUEUED)
    }

    /// Whether it has been notified; `true` takes the notification, which then
    /// is not passed on any more.
    pub fn is_notified(&self) -> bool {
        match self.verdict() {
            IDLE | QUEUED => false,
            verdict => {
                // Fails if another thread took it first, or if it is a
                // `notify_all` on its way, which is passed on to no other.
                let _ = verdict == TAKEN || self.entry.advance(verdict, TAKEN);
                true
            }
        }
    }

    fn verdict(&self) -> usize {
        let status = self.entry.status();
        if status == QUEUED {
            let notify = self.entry.owner().get();
            if notify.is_some_and(|notify| notify.current_calls() != self.entry.tag()) {
                // A `notify_all` has happened and is on its way here, if no other came
                // before it.
                let status = self.entry.status();
                return if status == QUEUED { BY_ALL } else { status };
            }
        }
        status
    }

    /// Makes it as new, but keeps its waker: leaves the queue, passes on a
    /// notification that no task has seen.
    pub fn reset(self: Pin<&mut Self>) {
        let entry = self.project().entry;
        if let Some(notify) = entry.owner().get() {
            notify.abandon(entry.parts().1);
        }
    }
}

impl Default for Waiter<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Waiter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}
