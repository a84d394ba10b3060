//! The three forms of a wait: the future that brings an initialiser, the one
//! that does not, and the `Waiter` without a future.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::OnceCell;
use super::machine::{
    Begun, CellTicket, FINISHED, INITIALISERS, OFFERED, ONLOOKERS, Progress, RUNNING_INIT, Turn,
    WON,
};
use crate::action::Action;
use crate::callback::waker_of;
use crate::io::{Bare, Io};
use crate::primitive::const_fn;
use crate::wait_list::{Bound, Entry, IDLE, QUEUED};
use crate::wake_batch::discard;

pin_project! {
    /// The future of [`OnceCell::get_or_init`] and its sisters; `A` is the form
    /// of its initialiser.
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct GetOrInit<'a, T, A: Action, I = Bare> {
        #[pin]
        pub(super) action: A,
        #[pin]
        pub(super) entry: Entry<&'a OnceCell<T>>,
        pub(super) io: I,
    }

    impl<'a, T, A: Action, I> PinnedDrop for GetOrInit<'a, T, A, I> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if matches!(this.entry.status(), QUEUED | OFFERED | RUNNING_INIT) {
                let (cell, ticket) = this.entry.parts();
                give_up(cell, ticket, this.action);
            }
        }
    }
}

/// Ends a wait that is queued, was offered the turn, or initialises.
#[cold]
fn give_up<T, A: Action>(cell: &OnceCell<T>, mut ticket: CellTicket<'_>, action: Pin<&mut A>) {
    if ticket.status() == RUNNING_INIT {
        // It ends also if the initialiser panics in its drop.
        let _turn = Turn::of(cell);
        action.cancel();
    } else {
        cell.abandon(&mut ticket);
    }
}

impl<'a, T, A, I> Future for GetOrInit<'a, T, A, I>
where
    A: Action<Value = T>,
    I: Io,
{
    type Output = A::Outcome<&'a T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let cell: &'a OnceCell<T> = this.entry.owner();
        let (_, mut ticket) = this.entry.parts();
        if ticket.status() == IDLE {
            if let Some(value) = cell.get() {
                ticket.set(FINISHED, 0);
                return Poll::Ready(A::outcome(Ok(value)));
            }
        }
        match cell.advance(ticket.again(), INITIALISERS, cx.waker()) {
            Progress::Waiting => return Poll::Pending,
            Progress::Ready => {}
            Progress::Turn(turn) => {
                // What is left if the initialiser panics; the turn is free then.
                ticket.set(FINISHED, 0);
                match this.action.poll_run(cx) {
                    Poll::Pending => {
                        ticket.set(RUNNING_INIT, 0);
                        turn.keep();
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(value)) => {
                        ticket.set(WON, 0);
                        turn.publish(value);
                    }
                    Poll::Ready(Err(error)) => {
                        drop(turn);
                        return Poll::Ready(A::outcome(Err(error)));
                    }
                }
            }
        }
        if this.io.poll_spend(cx).is_pending() {
            return Poll::Pending;
        }
        ticket.set(FINISHED, 0);
        Poll::Ready(A::outcome(Ok(cell.won())))
    }
}

impl<T, A: Action, I> fmt::Debug for GetOrInit<'_, T, A, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetOrInit")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`OnceCell::wait`] and [`OnceCell::wait_future`].
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Wait<'a, T, I = Bare> {
        #[pin]
        pub(super) entry: Entry<&'a OnceCell<T>>,
        pub(super) io: I,
    }

    impl<'a, T, I> PinnedDrop for Wait<'a, T, I> {
        fn drop(this: Pin<&mut Self>) {
            let (cell, mut ticket) = this.project().entry.parts();
            if ticket.status() == QUEUED {
                cell.abandon(&mut ticket);
            }
        }
    }
}

impl<'a, T, I: Io> Future for Wait<'a, T, I> {
    type Output = &'a T;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<&'a T> {
        let this = self.project();
        let cell: &'a OnceCell<T> = this.entry.owner();
        let (_, mut ticket) = this.entry.parts();
        match cell.advance(ticket.again(), ONLOOKERS, cx.waker()) {
            Progress::Ready if this.io.poll_spend(cx).is_ready() => {
                ticket.set(FINISHED, 0);
                Poll::Ready(cell.won())
            }
            _ => Poll::Pending,
        }
    }
}

impl<T, I> fmt::Debug for Wait<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// A place in the queue of a [`OnceCell`] for code that has no future: hand
    /// it to [`OnceCell::get_or_init_with`], pinned.
    ///
    /// It leaves the queue by itself when it is dropped; if it was offered the turn
    /// and has not come for it, the next is.
    pub struct InitWaiter<'a, T> {
        #[pin]
        pub(super) entry: Entry<Bound<'a, OnceCell<T>>>,
    }

    impl<'a, T> PinnedDrop for InitWaiter<'a, T> {
        fn drop(this: Pin<&mut Self>) {
            this.reset();
        }
    }
}

impl<T> InitWaiter<'_, T> {
    const_fn! {
        /// A waiter that wakes no task: ask it by
        /// [`is_ready`](InitWaiter::is_ready).
        pub const fn new() -> Self {
            Self { entry: Entry::new(Bound::unbound(), 0) }
        }
    }

    /// A waiter that wakes `waker` when the value is there or it is offered the
    /// turn.
    pub fn with_waker(waker: Waker) -> Self {
        let mut waiter = Self::new();
        waiter.entry.init_waker(waker);
        waiter
    }

    /// A waiter that calls `callback(context)` when the value is there or it is
    /// offered the turn: on the thread that did it, outside any lock.
    ///
    /// `callback` must be a function or a closure that captures nothing (this
    /// is checked when the program is compiled): what it needs is in `context`.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use std::task::{Context, Poll, Waker};
    /// use anysync::{Bare, OnceCell, once_cell::InitWaiter};
    ///
    /// static CALLED: AtomicBool = AtomicBool::new(false);
    ///
    /// let cell = OnceCell::new();
    /// let mut waiter = pin!(InitWaiter::with_callback(&CALLED, |called| {
    ///     called.store(true, Ordering::Relaxed);
    /// }));
    /// let mut slow = Box::pin(cell.get_or_init_async(Bare, std::future::pending::<u32>));
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert!(slow.as_mut().poll(&mut cx).is_pending());
    ///
    /// assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 7), None);
    /// drop(slow);
    /// assert!(CALLED.load(Ordering::Relaxed) && waiter.is_ready());
    /// assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 7), Some(&7));
    /// ```
    pub fn with_callback<C, F>(context: &'static C, callback: F) -> Self
    where
        C: Sync,
        F: Fn(&'static C) + Copy + Send + Sync + 'static,
    {
        Self::with_waker(waker_of(context, callback))
    }

    /// Wakes `waker` from now on, also while it is queued. If it is ready
    /// already, `waker` is woken at once.
    pub fn set_waker(self: Pin<&mut Self>, waker: Waker) {
        let mut entry = self.project().entry;
        entry.as_mut().renew_waker(waker);
        if entry.status() > QUEUED {
            entry.wake();
        }
    }

    /// Whether it has stopped waiting: the value is there, or it is offered the
    /// turn. Call [`OnceCell::get_or_init_with`] again.
    pub fn is_ready(&self) -> bool {
        self.entry.status() > QUEUED
    }

    /// Makes it as new, but keeps its waker: leaves the queue; if it was offered the
    /// turn, the next is.
    pub fn reset(self: Pin<&mut Self>) {
        let entry = self.project().entry;
        if let Some(cell) = entry.owner().get() {
            cell.abandon(&mut entry.parts().1);
        }
    }
}

impl<'a, T> InitWaiter<'a, T> {
    /// What [`OnceCell::get_or_init_with`] does.
    pub(super) fn advance<F>(self: Pin<&mut Self>, cell: &'a OnceCell<T>, init: F) -> Option<&'a T>
    where
        F: FnOnce() -> T,
    {
        let mut entry = self.project().entry;
        if !entry.is_bound_to(cell) {
            assert!(
                !matches!(entry.status(), QUEUED | OFFERED),
                "this `InitWaiter` waits on another `OnceCell`: reset it first"
            );
            entry.as_mut().bind(cell);
            entry.as_mut().parts().1.set(IDLE, 0);
        }
        let turn = match seek(entry.as_mut(), cell) {
            Progress::Turn(turn) => turn,
            Progress::Ready => return cell.get(),
            Progress::Waiting => return None,
        };
        let mut ticket = entry.parts().1;
        // What is left if `init` panics.
        ticket.set(IDLE, 0);
        let value = init();
        ticket.set(WON, 0);
        turn.publish(value);
        cell.get()
    }
}

/// How far a waiter without a future has come; queues it if it has to wait.
fn seek<'a, T>(
    mut entry: Pin<&mut Entry<Bound<'a, OnceCell<T>>>>,
    cell: &'a OnceCell<T>,
) -> Progress<'a, T> {
    loop {
        let mut ticket = entry.as_mut().parts().1;
        match ticket.status() {
            status @ (IDLE | OFFERED) => match cell.begin(0) {
                Begun::Turn(turn) => return Progress::Turn(turn),
                Begun::Ready => {
                    ticket.set(WON, 0);
                    return Progress::Ready;
                }
                Begun::Busy => {
                    let offered = (status == OFFERED).then(|| ticket.tag());
                    // It clones the waker while the offer is still ours to pass on.
                    entry.as_mut().bind(cell);
                    let mut ticket = entry.parts().1;
                    ticket.set(IDLE, 0);
                    return cell.join(ticket, INITIALISERS, None, offered);
                }
            },
            QUEUED => {
                let mut locked = ticket.lock();
                if locked.status() != QUEUED {
                    continue;
                }
                let Some((progress, own)) = cell.look(&mut locked, INITIALISERS, None) else {
                    return Progress::Waiting;
                };
                drop(locked);
                discard(own);
                return progress;
            }
            _ => return Progress::Ready,
        }
    }
}

impl<T> Default for InitWaiter<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for InitWaiter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitWaiter")
            .field("status", &status_name(self.entry.status()))
            .finish_non_exhaustive()
    }
}

fn status_name(status: usize) -> &'static str {
    match status {
        IDLE => "idle",
        QUEUED => "queued",
        OFFERED => "offered the turn",
        RUNNING_INIT => "initialising",
        WON => "ready",
        _ => "finished",
    }
}
