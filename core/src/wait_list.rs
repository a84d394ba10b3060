//! The queue: intrusive, doubly linked, one lock, O(1) to join, to leave and to
//! move aside as a whole. All unsafe code about queues is in this module; the
//! primitives above it use the safe face.
//!
//! | file | holds |
//! |-|-|
//! | this | [`WaitList`], and [`Locked`]: what its lock permits |
//! | `ring.rs` | nodes and their links |
//! | `entry.rs` | [`Entry`], which a future holds, and its own node's [`Ticket`] |
//! | `in_order.rs` | queueing in the order of the tags |
//! | `aside.rs` | settling many at once |
//! | `seat.rs` | [`Seat`]: a win that can be taken back |
//! | `granted.rs` | the same for several at once, in a ring of grants |
//! | `kept.rs` | [`Kept`]: as an entry, for a future that outlives what it borrows |
//! | `watch.rs` | [`Watch`]: when a win is taken back |
//!
//! ```text
//!   WaitList ── lock ──┬─ state of the primitive
//!                      └─ ring ─► node ⇄ node ⇄ node ─┐      each node lies inside
//!                                  ▲──────────────────┘      a pinned future or Waiter
//! ```
//!
//! A node lives in an [`Entry`], inside the future that waits. An entry knows
//! its list, so a node cannot be taken out of a list in which it is not. Its
//! **word** holds a status in the low three bits and a tag of the primitive's in
//! the others (a generation, a number of permits):
//!
//! ```text
//!            push                 pop                       take
//!   IDLE ────────────► QUEUED ──────────► a verdict (4..7) ──────► IDLE
//!     ▲  ◄──────────── │      ──────────► SEATED ── claim ───────► IDLE
//!     │      remove                         └────── call ────────► CALLED (3) ─┐
//!     └──────────────── set ────────────────────────────────────────────────────┘
//! ```
//!
//! # Invariants
//!
//! - **PINNED**: a node that is QUEUED or SEATED does not move and is not freed:
//!   it was pinned when it was pushed, and an entry in that state that is
//!   dropped all the same aborts the process (the primitives' `Drop` takes it
//!   out first, so this never happens).
//! - **LINKED**: while the status is QUEUED, the node is in one ring of its own
//!   list, or in one that was moved aside from it, and its links and waker are
//!   touched only under the list's lock.
//! - **OWNED**: in any other status the links and the waker belong to the entry
//!   that holds the node (SEATED: see there), and no ring points at it.
//! - **PUBLISHED**: only the holder of the lock ends QUEUED. When another thread than
//!   the node's owner does so, storing the new status (Release) is the last that it
//!   does to the node: the owner that reads it (Acquire) may free it. For SEATED the
//!   seat is stored last, and the owner that leaves it may free it.
//! - SEATED, for the status of that name: see [`Seat`]; in a list with a ring of
//!   grants, GRANTED in `granted.rs` takes its place.
//!
//! # Memory ordering
//!
//! The lock orders everything under it. A verdict is stored with Release and
//! read with Acquire, so what was written before a signal is seen after the
//! wait, also when the owner never takes the lock again.

use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::task::Waker;

use crate::primitive::{Lock, LockGuard, const_fn};

use ring::{Node, end, links, unlink};

pub(crate) use entry::{Bound, Entry, HasList, LockedTicket, Owner, Ticket, TicketOf, has_list};
pub(crate) use granted::{GrantWatch, Grants};
#[cfg(feature = "alloc")]
pub(crate) use kept::{Kept, Leave, NewTicket};
pub(crate) use ring::Ring;
pub(crate) use seat::Seat;
pub(crate) use watch::{Met, Watch};

mod aside;
mod entry;
mod granted;
mod in_order;
#[cfg(feature = "alloc")]
mod kept;
mod ring;
mod seat;
mod watch;

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

#[cfg(all(test, anysync_loom))]
mod loom_tests;

/// In no queue.
pub(crate) const IDLE: usize = 0;
/// In a ring.
pub(crate) const QUEUED: usize = 1;
/// Has won and sits in the list's [`Seat`], or in its ring of grants; its owner
/// has not looked yet.
pub(crate) const SEATED: usize = 2;
/// In no queue, but woken: when its wait is polled it tries again, and queues as the
/// first. A grant of it has gone on to another wait, or what it waits for was free.
pub(crate) const CALLED: usize = 3;
/// The first status whose meaning the primitive decides; there are four.
pub(crate) const VERDICT: usize = 4;

/// How far a tag is shifted to make room for the status.
const TAG_SHIFT: u32 = 3;
const STATUS_MASK: usize = (1 << TAG_SHIFT) - 1;
/// The largest tag.
pub(crate) const TAG_MAX: usize = usize::MAX >> TAG_SHIFT;

#[inline]
const fn word(status: usize, tag: usize) -> usize {
    (tag << TAG_SHIFT) | status
}

/// A list of waiters, and the primitive's own state, behind one lock.
///
/// `R` is how many rings (queues) there are: an array of [`Ring`].
pub(crate) struct WaitList<S, R = [Ring; 1]> {
    inner: Lock<Inner<S, R>>,
}

// In this order, so that the state lies beside the lock: most uses of it find no wait
// in the queue.
#[repr(C)]
struct Inner<S, R> {
    state: S,
    rings: R,
}

impl<S, R> WaitList<S, R> {
    const_fn! {
        pub(crate) const fn new(rings: R, state: S) -> Self {
            Self { inner: Lock::new(Inner { rings, state }) }
        }
    }

    /// Locks the list: the only way to its rings and state.
    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_, S, R> {
        Locked {
            guard: self.inner.lock(),
            list: self,
        }
    }
}

/// The token for "this list is locked".
pub(crate) struct Locked<'a, S, R = [Ring; 1]> {
    guard: LockGuard<'a, Inner<S, R>>,
    list: &'a WaitList<S, R>,
}

impl<S, R> Deref for Locked<'_, S, R> {
    type Target = S;

    #[inline]
    fn deref(&self) -> &S {
        &self.guard.state
    }
}

impl<S, R> DerefMut for Locked<'_, S, R> {
    #[inline]
    fn deref_mut(&mut self) -> &mut S {
        &mut self.guard.state
    }
}

impl<'a, S, R: AsMut<[Ring]> + AsRef<[Ring]>> Locked<'a, S, R> {
    /// Whether no wait is in `ring`.
    #[inline]
    pub(crate) fn is_empty(&self, ring: usize) -> bool {
        self.head(ring).is_none()
    }

    #[inline]
    fn head(&self, ring: usize) -> Option<NonNull<Node>> {
        NonNull::new(self.guard.rings.as_ref()[ring].head.cast_mut())
    }

    /// Takes the first node out and publishes `verdict` to its owner. The
    /// result is the waker to wake once the lock is open.
    #[inline]
    pub(crate) fn pop_front(&mut self, ring: usize, verdict: usize) -> Option<Option<Waker>> {
        let head = self.head(ring)?;
        Some(self.settle(head, verdict))
    }

    /// Takes the last node out; else like [`pop_front`](Self::pop_front).
    #[inline]
    pub(crate) fn pop_back(&mut self, ring: usize, verdict: usize) -> Option<Option<Waker>> {
        let head = self.head(ring)?;
        // SAFETY: invariants PINNED and LINKED: the node is in a ring of this
        // list and we hold the lock.
        let last = unsafe { links(head.as_ref()).prev };
        // A ring's links are never null.
        NonNull::new(last.cast_mut()).map(|last| self.settle(last, verdict))
    }

    /// Unlinks a queued node, takes its waker and publishes the verdict.
    #[inline]
    fn settle(&mut self, node: NonNull<Node>, verdict: usize) -> Option<Waker> {
        // SAFETY: invariants PINNED and LINKED: the node is in a ring of this
        // list and we hold the lock. By PUBLISHED, `end` is the last access.
        unsafe {
            let node = node.as_ref();
            unlink(self.guard.rings.as_mut(), node);
            end(node, verdict)
        }
    }
}
