//! The [`Waiter`], for code without futures.

use core::fmt;
use core::pin::Pin;
use core::task::Waker;

use pin_project_lite::pin_project;

use super::RwLock;
use super::futures::status_name;
use super::hold::Hold;
use super::raw::{GRANTS, HasRaw, READ, Raw, UPGRADABLE_READ, UPGRADE, WRITE, Won};
use crate::callback::waker_of;
use crate::primitive::const_fn;
use crate::wait_list::{Bound, CALLED, Entry, IDLE, QUEUED, SEATED};
use crate::wake_batch::{discard, wake};

pin_project! {
    /// A place in the queue of a [`RwLock`](super::RwLock) for code that has no
    /// future: hand it to [`RwLock::read_with`](super::RwLock::read_with) or one
    /// of the others, pinned.
    ///
    /// It leaves the queue by itself when it is dropped; what it has been granted
    /// and no task has fetched goes on to the next.
    pub struct Waiter<'a> {
        #[pin]
        entry: Entry<Bound<'a, Raw>>,
    }

    impl<'a> PinnedDrop for Waiter<'a> {
        fn drop(this: Pin<&mut Self>) {
            this.reset();
        }
    }
}

impl<'a> Waiter<'a> {
    const_fn! {
        /// A waiter that wakes no task: ask it by [`is_ready`](Waiter::is_ready).
        pub const fn new() -> Self {
            Self { entry: Entry::new(Bound::unbound(), READ) }
        }
    }

    /// A waiter that wakes `waker` when it is granted what it waits for.
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when it is granted what it waits
    /// for, on the thread that makes room for it, outside any inner lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this
    /// is checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use anysync::{RwLock, rwlock::Waiter};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let lock = RwLock::new(());
    /// let reader = lock.try_read();
    /// let mut waiter = pin!(Waiter::with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// assert!(lock.write_with(waiter.as_mut()).is_none());
    /// drop(reader);
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// assert!(lock.write_with(waiter.as_mut()).is_some());
    /// ```
    pub fn with_callback<C, F>(context: &'static C, callback: F) -> Self
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        Self::with_waker(waker_of(context, callback))
    }

    /// Wakes `waker` from now on, also while it is queued. If the waiter is
    /// [ready](Waiter::is_ready) already, `waker` is woken at once.
    pub fn set_waker(self: Pin<&mut Self>, waker: Waker) {
        let mut entry = self.project().entry;
        entry.as_mut().renew_waker(waker.clone());
        if !matches!(entry.status(), SEATED | CALLED) {
            discard(Some(waker));
            return;
        }
        let (_, mut ticket) = entry.parts();
        let kind = ticket.tag();
        let mut locked = ticket.lock();
        if locked.take_grant(GRANTS) {
            locked.keep_grant(GRANTS, kind, &waker);
        }
        drop(locked);
        wake(Some(waker));
    }

    /// Whether it is worth handing this waiter to its call again: it has been granted
    /// what it waits for, or has been called to try again. In the latter case another wait
    /// may be quicker, and the call queues the waiter as the first. Looks, and takes
    /// nothing.
    pub fn is_ready(&self) -> bool {
        matches!(self.entry.status(), SEATED | CALLED)
    }

    /// Makes it as new, but keeps its waker: leaves the queue, or passes on what
    /// it has been granted.
    pub fn reset(self: Pin<&mut Self>) {
        let entry = self.project().entry;
        if let Some(lock) = entry.owner().get() {
            let (_, mut ticket) = entry.parts();
            lock.abandon(ticket.again());
            ticket.set(IDLE, READ);
        }
    }

    /// What has been won of `lock`, or a place in its queue.
    pub(super) fn poll(self: Pin<&mut Self>, lock: &'a Raw, kind: usize) -> Option<Won<'a>> {
        let mut entry = self.project().entry;
        if matches!(entry.status(), QUEUED | SEATED | CALLED) {
            assert!(
                entry.is_bound_to(lock),
                "this `Waiter` waits on another `RwLock`: reset it first"
            );
            let waits_for = entry.tag();
            assert!(
                waits_for == kind || (waits_for, kind) == (UPGRADE, WRITE),
                "this `Waiter` waits to {}, not to {}: reset it first",
                name(waits_for),
                name(kind)
            );
        } else {
            entry.as_mut().bind(lock);
            entry.as_mut().parts().1.set(IDLE, kind);
        }
        fetch(entry, lock)
    }

    /// Uses up an upgradable read: what has been won for it, or a place in the
    /// queue.
    pub(super) fn upgrade<T: ?Sized>(
        self: Pin<&mut Self>,
        hold: Hold<&'a RwLock<T>, UPGRADABLE_READ>,
    ) -> Option<Won<'a>> {
        let mut entry = self.project().entry;
        assert!(
            !matches!(entry.status(), QUEUED | SEATED | CALLED),
            "this `Waiter` waits already: reset it first"
        );
        let lock = (*hold.lock()).raw();
        entry.as_mut().bind(lock);
        entry.as_mut().parts().1.set(IDLE, UPGRADE);
        // From here on the waiter holds it.
        hold.into_lock();
        fetch(entry, lock)
    }
}

/// What has been won of `lock`, or a place in its queue.
fn fetch<'a>(mut entry: Pin<&mut Entry<Bound<'a, Raw>>>, lock: &'a Raw) -> Option<Won<'a>> {
    let (_, ticket, waker) = entry.as_mut().parts_with_waker();
    let won = lock.poll_waiter(ticket, waker);
    if won.is_some() {
        entry.parts().1.set(IDLE, READ);
    }
    won
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

fn name(kind: usize) -> &'static str {
    match kind {
        READ => "read",
        UPGRADABLE_READ => "read upgradably",
        _ => "write",
    }
}
