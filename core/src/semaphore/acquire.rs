//! The futures of the acquires, and the [`Waiter`] for code without futures.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

#[cfg(feature = "alloc")]
use super::OwnedSemaphorePermit;
use super::{AcquireError, GRANTS, Semaphore, SemaphorePermit, TAKEN};
use crate::callback::waker_of;
use crate::io::{Bare, Io};
#[cfg(feature = "alloc")]
use crate::owner::Projected;
use crate::primitive::const_fn;
use crate::wait_list::{Bound, CALLED, Entry, IDLE, QUEUED, SEATED};
use crate::wake_batch::{discard, wake};

pin_project! {
    /// The future of [`Semaphore::acquire`] and the other acquires that borrow.
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Acquire<'a, I = Bare> {
        #[pin]
        entry: Entry<&'a Semaphore>,
        io: I,
    }

    impl<'a, I> PinnedDrop for Acquire<'a, I> {
        fn drop(this: Pin<&mut Self>) {
            let (semaphore, ticket) = this.project().entry.parts();
            semaphore.abandon(ticket);
        }
    }
}

impl<'a, I> Acquire<'a, I> {
    #[inline]
    pub(super) fn new(semaphore: &'a Semaphore, permits: usize, io: I) -> Self {
        Self {
            entry: Entry::new(semaphore, permits),
            io,
        }
    }

    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn io(&self) -> &I {
        &self.io
    }

    /// Leaves the queue, or passes on what it was granted: as if it had not been
    /// polled.
    #[cfg(feature = "alloc")]
    pub(crate) fn cancel(self: Pin<&mut Self>) {
        let (semaphore, mut ticket) = self.project().entry.parts();
        let permits = ticket.tag();
        semaphore.abandon(ticket.again());
        ticket.set(IDLE, permits);
    }
}

impl<'a, I: Io> Future for Acquire<'a, I> {
    type Output = Result<SemaphorePermit<'a>, AcquireError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let semaphore: &'a Semaphore = this.entry.owner();
        let (_, ticket) = this.entry.parts();
        semaphore.poll_acquire(ticket, this.io, cx)
    }
}

impl<I> fmt::Debug for Acquire<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "alloc")]
pin_project! {
    /// The future of [`Semaphore::acquire_owned`] and the other acquires that
    /// own a share of what the semaphore lies in.
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct AcquireOwned<O: ?Sized = Semaphore, I = Bare> {
        // `None` once the permit has it.
        #[pin]
        entry: Entry<Option<Projected<O, Semaphore>>>,
        io: I,
    }

    impl<O: ?Sized, I> PinnedDrop for AcquireOwned<O, I> {
        fn drop(this: Pin<&mut Self>) {
            let entry = this.project().entry;
            if matches!(entry.status(), QUEUED | SEATED | CALLED) {
                let (semaphore, ticket) = entry.parts();
                semaphore.abandon(ticket);
            }
        }
    }
}

#[cfg(feature = "alloc")]
impl<O: ?Sized, I> AcquireOwned<O, I> {
    #[inline]
    pub(super) fn new(semaphore: Projected<O, Semaphore>, permits: usize, io: I) -> Self {
        Self {
            entry: Entry::new(Some(semaphore), permits),
            io,
        }
    }
}

#[cfg(feature = "alloc")]
impl<O: ?Sized, I: Io> Future for AcquireOwned<O, I> {
    type Output = Result<OwnedSemaphorePermit<O>, AcquireError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const FINISHED: &str = "an acquire of a `Semaphore` was polled after it had finished";
        let mut this = self.project();
        assert!(this.entry.owner().is_some(), "{FINISHED}");
        let (semaphore, ticket) = this.entry.as_mut().parts();
        let permits = semaphore
            .poll_acquire(ticket, this.io, cx)
            .map_ok(|mut permit| permit.take());
        permits.map_ok(|permits| {
            let semaphore = this.entry.take_owner().expect(FINISHED);
            OwnedSemaphorePermit::new(semaphore, permits)
        })
    }
}

#[cfg(feature = "alloc")]
impl<O: ?Sized, I> fmt::Debug for AcquireOwned<O, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireOwned")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// A place in the queue of a [`Semaphore`] for code that has no future: hand
    /// it to [`Semaphore::acquire_with`], pinned.
    ///
    /// It leaves the queue by itself when it is dropped; permits that it has
    /// been granted and that no task has fetched go on to the next.
    pub struct Waiter<'a> {
        #[pin]
        pub(super) entry: Entry<Bound<'a, Semaphore>>,
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
            Self { entry: Entry::new(Bound::unbound(), 0) }
        }
    }

    /// A waiter that wakes `waker` when it is granted its permits, or the
    /// semaphore is closed.
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when it is granted its permits or
    /// the semaphore is closed, on the thread that does so, outside any inner
    /// lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this
    /// is checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use anysync::{Semaphore, semaphore::Waiter};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let semaphore = Semaphore::new(0);
    /// let mut waiter = pin!(Waiter::with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// assert!(semaphore.acquire_with(1, waiter.as_mut()).is_none());
    /// semaphore.add_permits(1);
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// assert!(semaphore.acquire_with(1, waiter.as_mut()).is_some());
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
        if matches!(entry.status(), IDLE | QUEUED) {
            discard(Some(waker));
            return;
        }
        let (_, mut ticket) = entry.parts();
        let permits = ticket.tag();
        let mut locked = ticket.lock();
        if locked.take_grant(GRANTS) {
            locked.keep_grant(GRANTS, permits, &waker);
        }
        drop(locked);
        wake(Some(waker));
    }

    /// Whether this waiter has been granted its permits, or refused them because
    /// the semaphore was closed, so that [`Semaphore::acquire_with`] will return
    /// something. Looks, and takes nothing.
    pub fn is_ready(&self) -> bool {
        self.entry.status() > QUEUED
    }

    /// Makes it as new, but keeps its waker: leaves the queue, or passes on the
    /// permits that it has been granted.
    pub fn reset(self: Pin<&mut Self>) {
        let entry = self.project().entry;
        if let Some(semaphore) = entry.owner().get() {
            let (_, mut ticket) = entry.parts();
            semaphore.abandon(ticket.again());
            ticket.set(IDLE, 0);
        }
    }
}

impl Semaphore {
    /// [`reset`](Waiter::reset)s a waiter, unless it waits on another semaphore.
    #[cfg(feature = "alloc")]
    pub(crate) fn cancel_acquire<'a>(&'a self, waiter: Pin<&mut Waiter<'a>>) {
        if waiter.entry.is_bound_to(self) {
            waiter.reset();
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

fn status_name(status: usize) -> &'static str {
    match status {
        IDLE => "idle",
        QUEUED => "queued",
        SEATED => "granted",
        CALLED => "called",
        TAKEN => "finished",
        _ => "refused",
    }
}
