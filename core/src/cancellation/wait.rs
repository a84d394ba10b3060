//! The futures, and the [`Waiter`] for code without futures.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::CancellationToken;
use super::node::{CANCELLED, Node};
use crate::callback::waker_of;
use crate::io::{Bare, Io};
use crate::primitive::const_fn;
use crate::wait_list::{Bound, Entry, IDLE, QUEUED};

pin_project! {
    /// The future of [`CancellationToken::cancelled`].
    ///
    /// Once ready it stays so, and may be polled again.
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Cancelled<'a, I = Bare> {
        #[pin]
        entry: Entry<&'a Node>,
        io: I,
    }

    impl<'a, I> PinnedDrop for Cancelled<'a, I> {
        fn drop(this: Pin<&mut Self>) {
            let (node, mut ticket) = this.project().entry.parts();
            node.abandon(&mut ticket);
        }
    }
}

pin_project! {
    /// The future of [`CancellationToken::cancelled_owned`].
    ///
    /// Once ready it stays so, and may be polled again.
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct CancelledOwned<I = Bare> {
        #[pin]
        entry: Entry<Arc<Node>>,
        // Keeps the token in its tree.
        token: CancellationToken,
        io: I,
    }

    impl<I> PinnedDrop for CancelledOwned<I> {
        fn drop(this: Pin<&mut Self>) {
            let (node, mut ticket) = this.project().entry.parts();
            node.abandon(&mut ticket);
        }
    }
}

impl<'a, I> Cancelled<'a, I> {
    #[inline]
    pub(super) fn new(token: &'a CancellationToken, io: I) -> Self {
        Self {
            entry: Entry::new(&*token.node, 0),
            io,
        }
    }

    fn is_cancelled(&self) -> bool {
        self.entry.owner().is_cancelled()
    }
}

impl<I> CancelledOwned<I> {
    #[inline]
    pub(super) fn new(token: CancellationToken, io: I) -> Self {
        Self {
            entry: Entry::new(token.node.clone(), 0),
            token,
            io,
        }
    }

    fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }
}

macro_rules! wait {
    ([$($lifetime:lifetime)?] $name:ident) => {
        impl<I: Io> Future for $name<$($lifetime,)? I> {
            type Output = ();

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                let this = self.project();
                let (node, mut ticket) = this.entry.parts();
                if node.poll_cancelled(&mut ticket, cx.waker()) {
                    this.io.poll_spend(cx)
                } else {
                    Poll::Pending
                }
            }
        }

        impl<I> fmt::Debug for $name<$($lifetime,)? I> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("is_cancelled", &self.is_cancelled())
                    .finish_non_exhaustive()
            }
        }
    };
}

wait!(['_] Cancelled);
wait!([] CancelledOwned);

macro_rules! run_until {
    ($(#[$meta:meta])* [$($lifetime:lifetime)?] [$($elided:lifetime)?] $name:ident, $wait:ident) => {
        pin_project! {
            $(#[$meta])*
            #[must_use = "futures do nothing unless they are awaited or polled"]
            pub struct $name<$($lifetime,)? F, I = Bare> {
                #[pin]
                cancelled: $wait<$($lifetime,)? I>,
                #[pin]
                future: F,
                finished: bool,
            }
        }

        impl<$($lifetime,)? F, I> $name<$($lifetime,)? F, I> {
            #[inline]
            pub(super) fn new(cancelled: $wait<$($lifetime,)? I>, future: F) -> Self {
                Self {
                    cancelled,
                    future,
                    finished: false,
                }
            }
        }

        impl<F: Future, I: Io> Future for $name<$($elided,)? F, I> {
            type Output = Option<F::Output>;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let mut this = self.project();
                assert!(
                    !*this.finished,
                    "a `run_until_cancelled` was polled after it had finished"
                );
                let output = match this.cancelled.as_mut().poll(cx) {
                    Poll::Ready(()) => None,
                    // It has won and waits for its budget.
                    Poll::Pending if this.cancelled.is_cancelled() => return Poll::Pending,
                    Poll::Pending => match this.future.poll(cx) {
                        Poll::Ready(output) => Some(output),
                        Poll::Pending => return Poll::Pending,
                    },
                };
                *this.finished = true;
                Poll::Ready(output)
            }
        }

        impl<F, I> fmt::Debug for $name<$($elided,)? F, I> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("is_cancelled", &self.cancelled.is_cancelled())
                    .finish_non_exhaustive()
            }
        }
    };
}

run_until! {
    /// The future of [`CancellationToken::run_until_cancelled`].
    ['a] ['_] RunUntilCancelled, Cancelled
}

run_until! {
    /// The future of [`CancellationToken::run_until_cancelled_owned`].
    [] [] RunUntilCancelledOwned, CancelledOwned
}

pin_project! {
    /// A place in the queue of a [`CancellationToken`] for code that has no future:
    /// hand it to [`CancellationToken::wait_with`], pinned.
    ///
    /// It leaves the queue by itself when it is dropped.
    pub struct Waiter<'a> {
        #[pin]
        entry: Entry<Bound<'a, Node>>,
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
        /// [`is_cancelled`](Waiter::is_cancelled).
        pub const fn new() -> Self {
            Self { entry: Entry::new(Bound::unbound(), 0) }
        }
    }

    /// A waiter that wakes `waker` when the token is cancelled.
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when the token is cancelled, on the
    /// thread that cancels, outside any lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this is
    /// checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use anysync::{CancellationToken, cancellation::Waiter};
    ///
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    ///
    /// let token = CancellationToken::new();
    /// let mut waiter = pin!(Waiter::with_callback(&CALLS, |calls| {
    ///     calls.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// assert!(!token.wait_with(waiter.as_mut()));
    /// token.cancel();
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    /// ```
    pub fn with_callback<C, F>(context: &'static C, callback: F) -> Self
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        Self::with_waker(waker_of(context, callback))
    }

    /// Wakes `waker` from now on, also while it is queued. If the waiter has been
    /// told already, `waker` is woken at once.
    pub fn set_waker(self: Pin<&mut Self>, waker: Waker) {
        let mut entry = self.entry();
        entry.as_mut().renew_waker(waker);
        if entry.status() == CANCELLED {
            entry.wake();
        }
    }

    /// Whether the token for which it waits is cancelled.
    pub fn is_cancelled(&self) -> bool {
        match self.entry.status() {
            IDLE => false,
            QUEUED => self.entry.owner().get().is_some_and(Node::is_cancelled),
            _ => true,
        }
    }

    /// Makes it as new, but keeps its waker: leaves the queue.
    pub fn reset(self: Pin<&mut Self>) {
        let entry = self.entry();
        if let Some(node) = entry.owner().get() {
            node.abandon(&mut entry.parts().1);
        }
    }

    pub(super) fn entry(self: Pin<&mut Self>) -> Pin<&mut Entry<Bound<'a, Node>>> {
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
        f.debug_struct("Waiter")
            .field("is_cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}
