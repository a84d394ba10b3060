//! [`Place`]: the wait that a handle itself has, from one poll to the next, when
//! it is polled as a `Stream` or `Sink`.
//!
//! It is in a box of its own, so that a handle can move while it waits. The box
//! is allocated when the handle waits in this way for the first time, or before
//! that if it is asked to, and kept.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::chan::{Chan, List};
use super::wait::{Refused, Side, Turn, abandon};
use crate::io::{Bare, Io};
use crate::primitive::Lock;
use crate::wait_list::{Entry, IDLE};
use crate::wake_batch::discard;

/// Where a handle's standing wait is, if it has one.
///
/// Only `&mut` methods wait here. With `&self` the wait may be ended, which is
/// why there is a lock; it is made by the first wait, so a handle that never
/// waits in this way looks at a flag and no more.
pub(super) struct Place<T>(Option<Lock<Option<Boxed<T>>>>);

type Boxed<T> = Pin<Box<Standing<T>>>;

impl<T> Place<T> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Allocates the box, if it is not there.
    pub(super) fn allocate(&mut self, chan: &Arc<Chan<T>>, side: Side) -> Pin<&mut Standing<T>> {
        let lock = self.0.get_or_insert_with(|| Lock::new(None));
        let new = || Box::pin(Standing::new(chan.clone(), side));
        lock.get_mut().get_or_insert_with(new).as_mut()
    }

    /// Polls the wait, a new one if there is none.
    #[inline]
    pub(super) fn poll<I: Io, O>(
        &mut self,
        chan: &Arc<Chan<T>>,
        side: Side,
        io: &I,
        cx: &mut Context<'_>,
        act: impl FnOnce(List<'_, T>) -> O,
    ) -> Poll<Result<O, Refused>> {
        self.allocate(chan, side).poll(side, Some((io, cx)), act)
    }

    /// Polls the wait without a task; `None` if there is none.
    #[inline]
    pub(super) fn look<O>(
        &mut self,
        act: impl FnOnce(List<'_, T>) -> O,
    ) -> Option<Poll<Result<O, Refused>>> {
        let standing = self.0.as_mut()?.get_mut().as_mut()?.as_mut();
        let side = standing.side;
        standing
            .is_waiting()
            .then(|| standing.poll(side, None::<(&Bare, _)>, act))
    }

    /// Ends the wait, and passes on what it has won.
    #[inline]
    pub(super) fn leave(&self) {
        if let Some(lock) = &self.0 {
            Self::leave_there(lock);
        }
    }

    #[cold]
    fn leave_there(lock: &Lock<Option<Boxed<T>>>) {
        let mut place = lock.lock();
        if place.as_ref().is_some_and(|standing| standing.is_waiting()) {
            let standing = place.take();
            drop(place);
            if let Some(mut standing) = standing {
                // Wakes: outside the lock.
                standing.as_mut().leave();
                *lock.lock() = Some(standing);
            }
        }
    }
}

pin_project! {
    pub(super) struct Standing<T> {
        #[pin]
        entry: Entry<Arc<Chan<T>>>,
        side: Side,
        spent: bool,
    }

    impl<T> PinnedDrop for Standing<T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            abandon(*this.side, this.entry);
        }
    }
}

impl<T> Standing<T> {
    fn new(chan: Arc<Chan<T>>, side: Side) -> Self {
        Self {
            entry: Entry::new(chan, 1),
            side,
            spent: false,
        }
    }

    fn is_waiting(&self) -> bool {
        self.entry.status() != IDLE
    }

    /// Ends the wait: then it can begin anew.
    fn leave(self: Pin<&mut Self>) {
        let this = self.project();
        let mut entry = this.entry;
        abandon(*this.side, entry.as_mut());
        let (_, mut ticket) = entry.parts();
        ticket.set(IDLE, 1);
        discard(ticket.replace_waker(None));
        *this.spent = false;
    }

    /// Polls for the side for which it is; without a turn it looks.
    #[inline]
    fn poll<I: Io, O>(
        self: Pin<&mut Self>,
        side: Side,
        turn: Option<(&I, &mut Context<'_>)>,
        act: impl FnOnce(List<'_, T>) -> O,
    ) -> Poll<Result<O, Refused>> {
        let this = self.project();
        let (chan, mut ticket) = this.entry.parts();
        let turn = turn.map(|(io, cx)| Turn {
            io,
            cx,
            spent: this.spent,
        });
        let polled = chan.poll_wait(side, ticket.again(), turn, act);
        if polled.is_ready() {
            ticket.set(IDLE, 1);
            *this.spent = false;
        }
        polled
    }
}
