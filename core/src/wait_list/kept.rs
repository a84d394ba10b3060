//! [`Kept`]: what a future holds that may be dropped after what it borrows.
//!
//! The drop check lets a future outlive a lifetime if its drop does not touch what has
//! that lifetime. A future that waits has to leave its queue when it is dropped; so it
//! takes a share of the primitive first, which must be in an `Arc`: one that is borrowed
//! itself might have moved meanwhile.
//!
//! Invariant **KEPT**: `place` is what `Kept::new` was given, an `&'a Arc<P>`, as long as
//! there is no `leave`, and the node is queued only after: by a ticket of
//! [`Kept::parts`], which puts a share into `place`, an `Arc<P>`, and the function for its
//! type into `leave`. The drop uses these two and nothing that has a lifetime: to leave
//! touches no value that was put into the primitive, by [`Leave`], and when the last
//! share ends there is none.

use alloc::sync::Arc;
use core::marker::PhantomData;
use core::pin::Pin;

use super::entry::{HasList, Ticket, TicketOf};
use super::ring::Node;
use super::{CALLED, IDLE, QUEUED, SEATED, VERDICT, word};
use crate::primitive::Ordering;

/// A primitive that a wait can leave when the lifetimes in it are over.
///
/// # Safety
///
/// `leave` touches no value that was put in; and if there is no handle any more, there is
/// no value, and the drop of the primitive touches none. `SIDE` is what the wait is for.
pub(crate) unsafe trait Leave<const SIDE: usize>: HasList {
    /// Takes a wait, which is queued or has been granted something or called, out.
    fn leave(&self, ticket: TicketOf<'_, Self>);
}

/// A node and the way to its list, as an [`Entry`](super::Entry), for a primitive in an
/// `Arc`; and a flag, whether the wait has paid.
pub(crate) struct Kept<'a, P, const SIDE: usize> {
    own: Own,
    owner: PhantomData<&'a Arc<P>>,
}

/// What is dropped of it, without lifetimes.
struct Own {
    node: Node,
    // With the flag in its lowest bit.
    place: *const (),
    leave: Option<fn(&Own)>,
}

const PAID: usize = 1;

// SAFETY: by KEPT it is a reference to an `Arc`, or an `Arc`, and a node, which may move
// as that of an `Entry`.
unsafe impl<P: Send + Sync, const SIDE: usize> Send for Kept<'_, P, SIDE> {}
// SAFETY: shared, it gives out the primitive and the node's word.
unsafe impl<P: Send + Sync, const SIDE: usize> Sync for Kept<'_, P, SIDE> {}

impl<'a, P: Leave<SIDE>, const SIDE: usize> Kept<'a, P, SIDE> {
    #[inline]
    pub(crate) fn new(owner: &'a Arc<P>, tag: usize) -> Self {
        const { assert!(align_of::<Arc<P>>() > PAID && align_of::<P>() > PAID) };
        let own = Own {
            node: Node::tagged(tag),
            place: (&raw const *owner).cast(),
            leave: None,
        };
        Self {
            own,
            owner: PhantomData,
        }
    }

    /// The primitive, and the node, if it has never been queued; it is not by this.
    #[inline]
    pub(crate) fn first_parts(self: Pin<&mut Self>) -> Option<(&'a P, NewTicket<'_>)> {
        let own = &self.into_ref().get_ref().own;
        if own.leave.is_some() || own.node.status() != IDLE {
            return None;
        }
        // SAFETY: invariant KEPT: there is no `leave`, so it is an `&'a Arc<P>`.
        let owner: &'a Arc<P> = unsafe { &*own.address().cast() };
        Some((owner, NewTicket { node: &own.node }))
    }

    /// The primitive, and the exclusive use of the node.
    #[inline]
    pub(crate) fn parts(mut self: Pin<&mut Self>) -> (&'a P, TicketOf<'_, P>) {
        if self.own.leave.is_none() {
            self.as_mut().take_share();
        }
        let own = &self.into_ref().get_ref().own;
        // SAFETY: invariant KEPT: it is an `Arc<P>` now, whose content lives for `'a`: what
        // it was made of has a share for so long.
        let primitive: &'a P = unsafe { &*own.address().cast() };
        (primitive, Ticket::new(primitive.list(), &own.node))
    }

    #[inline]
    fn take_share(self: Pin<&mut Self>) {
        // SAFETY: invariant PINNED is about the node, which stays where it is.
        let own = unsafe { &mut self.get_unchecked_mut().own };
        // SAFETY: invariant KEPT: there is no `leave`, so it is an `&'a Arc<P>`.
        let owner: &'a Arc<P> = unsafe { &*own.address().cast() };
        let paid = own.place.addr() & PAID;
        let share: *const () = Arc::into_raw(owner.clone()).cast();
        own.place = share.map_addr(|address| address | paid);
        own.leave = Some(leave::<P, SIDE>);
    }

    /// Leaves at once, where it is queued or has been granted something.
    #[inline]
    pub(crate) fn leave(self: Pin<&mut Self>) {
        if self.own.is_waiting() {
            let (primitive, ticket) = self.parts();
            primitive.leave(ticket);
        }
    }
}

impl<P, const SIDE: usize> Kept<'_, P, SIDE> {
    /// The status, as far as it has been published.
    #[inline]
    pub(crate) fn status(&self) -> usize {
        self.own.node.status()
    }

    /// Whether the wait has paid.
    #[inline]
    pub(crate) fn has_paid(&self) -> bool {
        self.own.place.addr() & PAID != 0
    }

    /// Says that the wait has paid.
    #[inline]
    pub(crate) fn set_paid(self: Pin<&mut Self>) {
        // SAFETY: invariant PINNED is about the node, which stays where it is.
        let own = unsafe { &mut self.get_unchecked_mut().own };
        own.place = own.place.map_addr(|address| address | PAID);
    }
}

impl Own {
    /// Whether it is in a queue, or has been granted something or called.
    #[inline]
    fn is_waiting(&self) -> bool {
        matches!(self.node.status(), QUEUED | SEATED | CALLED)
    }

    #[inline]
    fn address(&self) -> *const () {
        self.place.map_addr(|address| address & !PAID)
    }
}

/// The end of an [`Own`] that has a share.
#[cold]
fn leave<P: Leave<SIDE>, const SIDE: usize>(own: &Own) {
    // SAFETY: invariant KEPT: it is a share of a `P`, and this is its end.
    let share = unsafe { Arc::from_raw(own.address().cast::<P>()) };
    if own.is_waiting() {
        share.leave(Ticket::new(share.list(), &own.node));
    }
}

impl Drop for Own {
    #[inline]
    fn drop(&mut self) {
        if let Some(leave) = self.leave {
            leave(self);
        }
    }
}

/// The use of one's own node, which is idle and has never been queued.
pub(crate) struct NewTicket<'a> {
    node: &'a Node,
}

impl NewTicket<'_> {
    /// Sets the status, which is not that of a queued node, and the tag.
    #[inline]
    pub(crate) fn set(self, status: usize, tag: usize) {
        assert!(status >= VERDICT);
        self.node.word.store(word(status, tag), Ordering::Relaxed);
    }
}
