//! [`Place`]: the wait that a handle itself has, from one poll to the next, when
//! it is polled as a `Stream` or `Sink`.
//!
//! It is in a box of its own, so that a handle can move while it waits, and takes no
//! more than a pointer for it. The box is allocated when the handle waits in this way
//! for the first time, or before that if it is asked to, and kept.
//!
//! Only `&mut` methods wait here. With `&self` the wait may be ended, also by several
//! threads at once: one of them takes the box out, and puts it back afterwards.
//!
//! Invariant **BOXED**: the pointer is null, or leads to a `Standing` in a box, which
//! is pinned. The box belongs to the place: a `&mut` to the place may use it; a `&`
//! must swap null for it first, and is its owner then.
//!
//! ORDERING: a box is put back with Release and taken out with Acquire, so that what
//! the last owner did to it is seen by the next. A `&mut` has been handed from thread
//! to thread by other means.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::chan::{Chan, List};
use super::wait::{Refused, Side, Turn, abandon};
use crate::io::{Bare, Io};
use crate::primitive::{AtomicPtr, Lock, Ordering};
use crate::wait_list::{Entry, IDLE};
use crate::wake_batch::{Finally, discard};

/// Where a handle's standing wait is, if it has one.
pub(super) struct Place<T> {
    standing: AtomicPtr<Standing<T>>,
    /// It goes from thread to thread as what is under a lock does.
    owns: PhantomData<Lock<Boxed<T>>>,
}

type Boxed<T> = Pin<Box<Standing<T>>>;

impl<T> Place<T> {
    pub(super) fn new() -> Self {
        Self {
            standing: AtomicPtr::new(ptr::null_mut()),
            owns: PhantomData,
        }
    }

    /// Allocates the box, if it is not there.
    pub(super) fn allocate(&mut self, chan: &Arc<Chan<T>>, side: Side) -> Pin<&mut Standing<T>> {
        let mut standing = self.standing.load(Ordering::Relaxed);
        if standing.is_null() {
            standing = into_raw(Box::pin(Standing::new(chan.clone(), side)));
            self.standing.store(standing, Ordering::Relaxed);
        }
        // SAFETY: BOXED, and the place is borrowed mutably.
        unsafe { Pin::new_unchecked(&mut *standing) }
    }

    /// The wait, if the box is there.
    #[inline]
    fn get_mut(&mut self) -> Option<Pin<&mut Standing<T>>> {
        let standing = self.standing.load(Ordering::Relaxed);
        // SAFETY: BOXED, and the place is borrowed mutably.
        unsafe {
            standing
                .as_mut()
                .map(|standing| Pin::new_unchecked(standing))
        }
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
        let standing = self.get_mut()?;
        let side = standing.side;
        standing
            .is_waiting()
            .then(|| standing.poll(side, None::<(&Bare, _)>, act))
    }

    /// Ends the wait, and passes on what it has won.
    #[inline]
    pub(super) fn leave(&self) {
        if !self.standing.load(Ordering::Relaxed).is_null() {
            self.leave_there();
        }
    }

    #[cold]
    fn leave_there(&self) {
        let Some(mut standing) = self.take() else {
            return;
        };
        if standing.is_waiting() {
            // Wakes; meanwhile a waker may use the handle, and finds no box.
            standing.as_mut().leave();
        }
        self.standing.store(into_raw(standing), Ordering::Release);
    }

    fn take(&self) -> Option<Boxed<T>> {
        let standing = self.standing.swap(ptr::null_mut(), Ordering::Acquire);
        if standing.is_null() {
            return None;
        }
        // SAFETY: BOXED, and null was swapped for it. It is pinned again at once.
        Some(Box::into_pin(unsafe { Box::from_raw(standing) }))
    }

    /// Ends the wait with all that it holds, and frees its box.
    #[inline]
    pub(super) fn clear(&mut self) {
        if !self.standing.load(Ordering::Relaxed).is_null() {
            drop(self.take());
        }
    }

    /// Whether the wait has been won and holds the slot.
    #[cfg(feature = "futures-sink")]
    pub(super) fn holds(&mut self) -> bool {
        self.get_mut()
            .is_some_and(|standing| *standing.project().holds)
    }

    /// Whether the wait holds its slot, which it has won; and from now on.
    #[cfg(feature = "futures-sink")]
    pub(super) fn set_holds(&mut self, holds: bool) -> bool {
        self.get_mut()
            .is_some_and(|standing| core::mem::replace(standing.project().holds, holds))
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The box, of which a place is the owner now.
fn into_raw<T>(standing: Boxed<T>) -> *mut Standing<T> {
    // SAFETY: it stays where it is until it is dropped, by BOXED.
    Box::into_raw(unsafe { Pin::into_inner_unchecked(standing) })
}

pin_project! {
    pub(super) struct Standing<T> {
        #[pin]
        entry: Entry<Arc<Chan<T>>>,
        side: Side,
        spent: bool,
        // A slot that was won is reserved for the next message of a sink.
        holds: bool,
    }

    impl<T> PinnedDrop for Standing<T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let holder = this.holds.then(|| this.entry.owner().clone());
            // Also if a waker panics.
            let _slot = Finally(|| {
                if let Some(chan) = &holder {
                    chan.release(1);
                }
            });
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
            holds: false,
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
