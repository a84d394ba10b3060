//! [`Seat`]: a win that has been handed out and can still be taken back.

use core::ptr::{self, NonNull};
use core::task::Waker;

use super::entry::{LockedTicket, Ticket};
use super::ring::{Node, Ring, unlink};
use super::watch::{Met, Relation, Watch};
use super::{CALLED, IDLE, Locked, SEATED};
use crate::primitive::{AtomicPtr, Ordering, const_fn};

/// Where one node sits that has won but whose owner has not been polled since.
///
/// The owner claims its win by one compare-and-swap, without the lock. Until then, the
/// holder of the lock may take the win away: [`Watch`] says when.
///
/// Invariant **SEATED**: a seat belongs to one list and is used with it alone. A
/// seat that is not null points at a node in status SEATED of that list. The thread
/// that swaps the seat to null has the node: the owner, or the holder of the lock,
/// which the owner then awaits at the lock before it frees the node.
pub(crate) struct Seat {
    node: AtomicPtr<Node>,
}

impl Seat {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self { node: AtomicPtr::new(ptr::null_mut()) }
        }
    }

    /// Whether a node sits here. Under the lock a `false` is final until the
    /// lock is opened.
    #[inline]
    pub(crate) fn is_taken(&self) -> bool {
        !self.node.load(Ordering::Relaxed).is_null()
    }

    /// Seats a node that has just been unlinked, under the lock.
    #[inline]
    fn occupy(&self, node: &Node) {
        node.change(SEATED, Ordering::Relaxed);
        // The seat last: an owner that finds itself here may free the node, also
        // one that read SEATED long ago, before the win was taken back.
        self.node
            .store(ptr::from_ref(node).cast_mut(), Ordering::Release);
    }

    /// Frees the seat for the owner of `node`; `false` when the holder of the
    /// lock has the node at the moment.
    #[inline]
    fn leave(&self, node: &Node) -> bool {
        self.node
            .compare_exchange(
                ptr::from_ref(node).cast_mut(),
                ptr::null_mut(),
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .is_ok()
    }
}

impl<S: AsMut<Watch>, R: AsMut<[Ring]> + AsRef<[Ring]>> Locked<'_, S, R> {
    /// Takes the first node out and puts it in `seat`. The result is the waker
    /// to wake once the lock is open.
    #[inline]
    pub(crate) fn seat_front(&mut self, ring: usize, seat: &Seat) -> Option<Option<Waker>> {
        let head = self.head(ring)?;
        self.guard.state.as_mut().clear();
        // SAFETY: invariants PINNED and LINKED: the node is in a ring of this
        // list and we hold the lock.
        unsafe {
            let node = head.as_ref();
            unlink(self.guard.rings.as_mut(), node);
            // The copy that stays behind is the ghost.
            let waker = node.waker.with(|slot| ptr::read(slot));
            seat.occupy(node);
            Some(waker)
        }
    }

    /// An attempt that does not wait found `seat` taken. Whether it has the win now:
    /// attempts count as [`Watch::attempt`] says.
    pub(crate) fn attempt_seated(&mut self, seat: &Seat) -> bool {
        if !seat.is_taken() || !self.guard.state.as_mut().attempt() {
            return false;
        }
        let taken = seat.node.swap(ptr::null_mut(), Ordering::Acquire);
        let Some(node) = NonNull::new(taken) else {
            return false;
        };
        self.guard.state.as_mut().clear();
        // SAFETY: invariants SEATED and PINNED: we took the node from the seat, so
        // it is ours until its status changes.
        unsafe { node.as_ref() }.call();
        true
    }
}

impl<S, R> Ticket<'_, S, R> {
    /// Takes the win that was put in `seat`, without the lock. `false` when the
    /// node is not seated, or the holder of the lock is busy with it: then lock
    /// and look again.
    #[inline]
    pub(crate) fn claim(&mut self, seat: &Seat) -> bool {
        if self.node.status() != SEATED || !seat.leave(self.node) {
            return false;
        }
        self.node.end_ghost();
        true
    }
}

impl<S: AsMut<Watch>, R: AsMut<[Ring]> + AsRef<[Ring]>> LockedTicket<'_, S, R> {
    /// Takes the win that was put in `seat`, under the lock. `false` when the
    /// node is not seated.
    pub(crate) fn claim(&mut self, seat: &Seat) -> bool {
        if self.node.status() != SEATED {
            return false;
        }
        let left = seat.leave(self.node);
        assert!(left, "only the holder of the lock ends a seat for another");
        self.node.end_ghost();
        true
    }

    /// Seats this node, which is in no queue and whose wait has just been won.
    /// `ghost` is the waker by which the task is known.
    pub(crate) fn sit(&mut self, seat: &Seat, ghost: &Waker) {
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        assert!(!seat.is_taken(), "the seat is taken");
        self.locked.guard.state.as_mut().clear();
        // SAFETY: invariant OWNED: the node is in no queue. The copy is a
        // ghost: it is compared, never woken or dropped.
        unsafe {
            let copy = ptr::read(ghost);
            self.node.waker.with_mut(|slot| {
                debug_assert!((*slot).is_none(), "a waker would be leaked");
                slot.write(Some(copy));
            });
        }
        seat.occupy(self.node);
    }

    /// This queued wait meets the win in `seat`, if there is one. If the win is to go
    /// on ([`Met::Own`], [`Met::Stale`]), the seat is empty now, the win is the
    /// caller's, and its wait is CALLED.
    #[inline]
    pub(crate) fn meet_seated(&mut self, seat: &Seat, first: bool, hasty: bool) -> Met {
        assert!(self.status() == super::QUEUED, "the waiter is not queued");
        if seat.is_taken() {
            self.meet_in(seat, first, hasty)
        } else {
            Met::Nothing
        }
    }

    #[cold]
    fn meet_in(&mut self, seat: &Seat, first: bool, hasty: bool) -> Met {
        let taken = seat.node.swap(ptr::null_mut(), Ordering::Acquire);
        let Some(other) = NonNull::new(taken) else {
            return Met::Nothing;
        };
        // SAFETY: invariants SEATED and PINNED: we took the other node from the
        // seat, so until it is there again or its status changes it is ours, and its
        // owner awaits us at the lock. LINKED for this node, whose list is locked. A
        // ghost may be compared, which reads two pointers.
        let (other, relation) = unsafe {
            let other = other.as_ref();
            let relation = self.node.waker.with(|own| {
                other
                    .waker
                    .with(|ghost| Relation::of((*own).as_ref(), (*ghost).as_ref()))
            });
            (other, relation)
        };
        let watch = self.locked.guard.state.as_mut();
        let met = watch.meet(self.node, relation, first, hasty);
        if matches!(met, Met::Own | Met::Stale) {
            watch.clear();
            other.call();
        } else {
            seat.node.store(taken, Ordering::Release);
        }
        met
    }
}

impl Node {
    /// Forgets the ghost of a node that its owner has taken from its seat.
    #[inline]
    fn end_ghost(&self) {
        // SAFETY: invariant SEATED: the caller has taken the node from its
        // seat. The ghost is overwritten, not dropped.
        self.waker.with_mut(|slot| unsafe { slot.write(None) });
        self.change(IDLE, Ordering::Relaxed);
    }

    /// Ends a grant for its owner, which has been woken for it: the owner queues first
    /// when it is polled. By PUBLISHED this is the last access.
    #[inline]
    pub(super) fn call(&self) {
        // SAFETY: invariants SEATED and GRANTED: the caller holds the lock and has
        // taken the node from its seat, or unlinked it from the ring of grants. The
        // ghost is overwritten, not dropped.
        self.waker.with_mut(|slot| unsafe { slot.write(None) });
        self.change(CALLED, Ordering::Release);
    }
}
