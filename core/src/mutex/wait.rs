//! The futures of the lock, and the [`Waiter`] for code without futures.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

#[cfg(feature = "alloc")]
use alloc::sync::Arc;

use pin_project_lite::pin_project;

#[cfg(feature = "alloc")]
use super::OwnedMutexGuard;
use super::raw::TAKEN;
use super::{Mutex, MutexGuard};
use crate::callback::waker_of;
use crate::io::{Bare, Io};
#[cfg(feature = "alloc")]
use crate::owner::Projected;
use crate::primitive::const_fn;
use crate::wait_list::{Bound, CALLED, Entry, IDLE, QUEUED, SEATED};
use crate::wake_batch::{discard, wake};

pin_project! {
    /// The future of [`Mutex::lock`] and [`Mutex::lock_future`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Lock<'a, T: ?Sized, I = Bare> {
        #[pin]
        entry: Entry<&'a Mutex<T>>,
        io: I,
    }

    impl<'a, T: ?Sized, I> PinnedDrop for Lock<'a, T, I> {
        fn drop(this: Pin<&mut Self>) {
            let (mutex, ticket) = this.project().entry.parts();
            mutex.raw.abandon(ticket);
        }
    }
}

impl<'a, T: ?Sized, I> Lock<'a, T, I> {
    #[inline]
    pub(crate) fn new(mutex: &'a Mutex<T>, io: I) -> Self {
        Self {
            entry: Entry::new(mutex, 0),
            io,
        }
    }
}

impl<'a, T: ?Sized, I> Lock<'a, T, I> {
    /// The mutex that it waits for.
    ///
    /// ```
    /// # use anysync::Mutex;
    /// let mutex = Mutex::new(1);
    /// assert!(std::ptr::eq(mutex.lock_future().mutex(), &mutex));
    /// ```
    #[inline]
    pub fn mutex(&self) -> &'a Mutex<T> {
        self.entry.owner()
    }

    /// Whether it has returned its guard, and may not be polled any more.
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use anysync::{Bare, Block, Mutex};
    /// let mutex = Mutex::new(1);
    /// let mut lock = pin!(mutex.lock_future());
    /// assert!(!lock.is_finished());
    /// drop(Bare.block_on(lock.as_mut()));
    /// assert!(lock.is_finished());
    /// ```
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.entry.status() == TAKEN
    }

    #[inline]
    pub(crate) fn io(&self) -> &I {
        &self.io
    }

    /// Makes a wait that has finished ready to wait again.
    #[inline]
    pub(crate) fn restart(self: Pin<&mut Self>) {
        self.project().entry.parts().1.set(IDLE, 0);
    }
}

impl<'a, T: ?Sized, I: Io> Future for Lock<'a, T, I> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        let this = self.project();
        let mutex: &'a Mutex<T> = this.entry.owner();
        let (_, mut ticket) = this.entry.parts();
        mutex
            .raw
            .poll_lock(&mut ticket, this.io, cx)
            .map(|held| MutexGuard::new(mutex, held))
    }
}

impl<T: ?Sized, I> fmt::Debug for Lock<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "alloc")]
pin_project! {
    /// The future of [`Mutex::lock_owned`] and [`Mutex::lock_owned_by`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct LockOwned<T: ?Sized, O: ?Sized = Mutex<T>, I = Bare> {
        // `None` once the guard has it.
        #[pin]
        entry: Entry<Option<Projected<O, Mutex<T>>>>,
        io: I,
    }

    impl<T: ?Sized, O: ?Sized, I> PinnedDrop for LockOwned<T, O, I> {
        fn drop(this: Pin<&mut Self>) {
            let entry = this.project().entry;
            if matches!(entry.status(), QUEUED | SEATED | CALLED) {
                let (mutex, ticket) = entry.parts();
                mutex.raw.abandon(ticket);
            }
        }
    }
}

#[cfg(feature = "alloc")]
impl<T: ?Sized, O: ?Sized, I> LockOwned<T, O, I> {
    #[inline]
    pub(super) fn new(mutex: Projected<O, Mutex<T>>, io: I) -> Self {
        Self {
            entry: Entry::new(Some(mutex), 0),
            io,
        }
    }
}

#[cfg(feature = "alloc")]
impl<T: ?Sized, O: ?Sized, I> LockOwned<T, O, I> {
    /// What keeps the mutex alive that it waits for; `None` once it has returned its
    /// guard, which has it, and may not be polled any more.
    ///
    /// ```
    /// # use std::{pin::pin, sync::Arc};
    /// # use anysync::{Bare, Block, Mutex};
    /// let mutex = Arc::new(Mutex::new(1));
    /// let mut lock = pin!(mutex.clone().lock_owned(Bare));
    /// assert!(lock.owner().is_some_and(|owner| Arc::ptr_eq(owner, &mutex)));
    /// drop(Bare.block_on(lock.as_mut()));
    /// assert!(lock.owner().is_none());
    /// ```
    #[inline]
    pub fn owner(&self) -> Option<&Arc<O>> {
        self.entry.owner().as_ref().map(Projected::owner)
    }
}

#[cfg(feature = "alloc")]
impl<T: ?Sized, O: ?Sized, I: Io> Future for LockOwned<T, O, I> {
    type Output = OwnedMutexGuard<T, O>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const FINISHED: &str = "a wait for a `Mutex` was polled after it had finished";
        let mut this = self.project();
        assert!(this.entry.owner().is_some(), "{FINISHED}");
        let (mutex, mut ticket) = this.entry.as_mut().parts();
        let polled = mutex.raw.poll_lock(&mut ticket, this.io, cx);
        // The lock stays held; the guard that is made of the owner is its holder.
        let won = polled.map(|held| {
            held.into_raw();
        });
        won.map(|()| OwnedMutexGuard::new(this.entry.take_owner().expect(FINISHED)))
    }
}

#[cfg(feature = "alloc")]
impl<T: ?Sized, O: ?Sized, I> fmt::Debug for LockOwned<T, O, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockOwned")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// A place in the queue of a [`Mutex`] for code that has no future: hand it
    /// to [`Mutex::lock_with`], pinned.
    ///
    /// It leaves the queue by itself when it is dropped; a lock that it has been
    /// handed or called for, and has not fetched, goes on to the next.
    pub struct Waiter<'a, T: ?Sized> {
        #[pin]
        entry: Entry<Bound<'a, Mutex<T>>>,
    }

    impl<'a, T: ?Sized> PinnedDrop for Waiter<'a, T> {
        fn drop(this: Pin<&mut Self>) {
            this.reset();
        }
    }
}

impl<'a, T: ?Sized> Waiter<'a, T> {
    const_fn! {
        /// A waiter without a waker: ask it by [`is_ready`](Waiter::is_ready).
        pub const fn new() -> Self {
            Self { entry: Entry::new(Bound::unbound(), 0) }
        }
    }

    /// A waiter that wakes `waker` when it [is ready](Waiter::is_ready).
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when it [is
    /// ready](Waiter::is_ready), on the thread that unlocks, outside any inner
    /// lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this
    /// is checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use anysync::{Mutex, mutex::Waiter};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let mutex = Mutex::new(());
    /// let guard = mutex.try_lock();
    /// let mut waiter = pin!(Waiter::with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// assert!(mutex.lock_with(waiter.as_mut()).is_none());
    /// drop(guard);
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// assert!(mutex.lock_with(waiter.as_mut()).is_some());
    /// ```
    pub fn with_callback<C, F>(context: &'static C, callback: F) -> Self
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        Self::with_waker(waker_of(context, callback))
    }

    /// Wakes `waker` from now on, also while it is queued. If it has been called
    /// for already, as [`is_ready`](Waiter::is_ready) tells, `waker` is woken at
    /// once.
    pub fn set_waker(self: Pin<&mut Self>, waker: Waker) {
        let mut entry = self.project().entry;
        entry.as_mut().renew_waker(waker.clone());
        if entry.status() == SEATED {
            let (mutex, mut ticket) = entry.as_mut().parts();
            let mut locked = ticket.lock();
            if locked.claim(&mutex.raw.seat) {
                locked.sit(&mutex.raw.seat, &waker);
                drop(locked);
                return wake(Some(waker));
            }
            drop(locked);
        }
        if entry.status() == CALLED {
            wake(Some(waker));
        } else {
            discard(Some(waker));
        }
    }

    #[inline]
    pub(super) fn entry(self: Pin<&mut Self>) -> Pin<&mut Entry<Bound<'a, Mutex<T>>>> {
        self.project().entry
    }

    /// Whether [`Mutex::lock_with`] is to be called: the lock has been handed to
    /// this waiter, so that it will return the guard, or (if it is
    /// [`Eventual`](super::Fairness::Eventual)) the waiter has been called because
    /// the lock is free, so that it will if no task is quicker. Looks, and takes
    /// nothing.
    pub fn is_ready(&self) -> bool {
        matches!(self.entry.status(), SEATED | CALLED)
    }

    /// Makes it as new, but keeps its waker: leaves the queue, or passes on what
    /// it has been handed or called for.
    pub fn reset(self: Pin<&mut Self>) {
        let entry = self.project().entry;
        if let Some(mutex) = entry.owner().get() {
            let (_, mut ticket) = entry.parts();
            mutex.raw.abandon(ticket.again());
            ticket.set(IDLE, 0);
        }
    }
}

impl<T: ?Sized> Default for Waiter<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ?Sized> fmt::Debug for Waiter<'_, T> {
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
        SEATED | CALLED => "ready",
        _ => "finished",
    }
}
