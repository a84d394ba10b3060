//! [`Waiter`]: a place in a channel's queue for code without futures.

use core::fmt;
use core::pin::Pin;
use core::task::{Poll, Waker};

use pin_project_lite::pin_project;

use super::chan::{Chan, List, REFUSED};
use super::wait::{Refused, Side, Turn, abandon};
use crate::callback::waker_of;
use crate::io::Bare;
use crate::primitive::const_fn;
use crate::wait_list::{Bound, CALLED, Entry, IDLE, QUEUED, SEATED};
use crate::wake_batch::{discard, wake};

pin_project! {
    /// A place in the queue of a channel for code that has no future: hand it to
    /// [`Receiver::recv_with`](super::Receiver::recv_with) or
    /// [`Sender::reserve_with`](super::Sender::reserve_with), pinned.
    ///
    /// It leaves the queue by itself when it is dropped; a message or slot that it
    /// has been granted and that no task has fetched goes on to the next.
    pub struct Waiter<'a, T> {
        #[pin]
        entry: Entry<Bound<'a, Chan<T>>>,
        side: Side,
    }

    impl<'a, T> PinnedDrop for Waiter<'a, T> {
        fn drop(this: Pin<&mut Self>) {
            this.reset();
        }
    }
}

impl<'a, T> Waiter<'a, T> {
    const_fn! {
        /// A waiter that wakes no task: ask it by [`is_ready`](Waiter::is_ready).
        pub const fn new() -> Self {
            Self { entry: Entry::new(Bound::unbound(), 1), side: Side::Receiver }
        }
    }

    /// A waiter that wakes `waker` when it is granted a message or a slot, or
    /// there will be none.
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when it is granted a message or a
    /// slot, or there will be none: on the thread that sends, receives or closes,
    /// outside any inner lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this
    /// is checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use anysync::channel::{self, Waiter};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let (sender, receiver) = channel::bounded(1);
    /// let mut waiter = pin!(Waiter::with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// assert!(receiver.recv_with(waiter.as_mut()).is_none());
    /// sender.try_send("message").unwrap();
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// assert_eq!(receiver.recv_with(waiter.as_mut()), Some(Ok("message")));
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
        let this = self.project();
        let mut entry = this.entry;
        entry.as_mut().renew_waker(waker.clone());
        if matches!(entry.status(), IDLE | QUEUED) {
            discard(Some(waker));
            return;
        }
        let (_, mut ticket) = entry.parts();
        let tag = ticket.tag();
        let mut locked = ticket.lock();
        if let Some(grants) = this.side.grants() {
            if locked.take_grant(grants) {
                locked.keep_grant(grants, tag, &waker);
            }
        }
        drop(locked);
        wake(Some(waker));
    }

    /// Whether it is worth handing this waiter to its call again: it has been granted a
    /// message or a slot, there will be none, or it has been called to try again. In the
    /// last case another wait may be quicker, and the call queues the waiter as the
    /// first. Looks, and takes nothing.
    pub fn is_ready(&self) -> bool {
        self.entry.status() > QUEUED
    }

    /// Makes it as new, but keeps its waker: leaves the queue, or passes on what
    /// it has been granted.
    pub fn reset(self: Pin<&mut Self>) {
        let this = self.project();
        let mut entry = this.entry;
        if entry.owner().get().is_some() {
            abandon(*this.side, entry.as_mut());
            entry.parts().1.set(IDLE, 1);
        }
    }

    /// Waits on `chan`: a poll without a future.
    pub(super) fn wait<O>(
        self: Pin<&mut Self>,
        chan: &'a Chan<T>,
        side: Side,
        act: impl FnOnce(List<'_, T>) -> O,
    ) -> Option<Result<O, Refused>> {
        let this = self.project();
        let mut entry = this.entry;
        if entry.status() == IDLE {
            entry.as_mut().bind(chan);
            *this.side = side;
        } else {
            assert!(
                entry.is_bound_to(chan),
                "this `Waiter` waits on another channel: reset it first"
            );
            assert!(
                *this.side == side,
                "this `Waiter` waits on the other side of the channel: reset it first"
            );
        }
        let (_, ticket, waker) = entry.parts_with_waker();
        match chan.poll_wait_as(side, ticket, None::<Turn<'_, '_, Bare>>, waker, act) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }
}

impl<T> Default for Waiter<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Waiter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

pub(super) fn status_name(status: usize) -> &'static str {
    match status {
        IDLE => "idle",
        QUEUED => "queued",
        SEATED => "granted",
        CALLED => "called",
        REFUSED => "refused",
        _ => "finished",
    }
}
