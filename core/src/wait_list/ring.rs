//! The ring itself: nodes and how they are linked.
//!
//! Every unsafe function here is so for one reason: its caller holds the lock of
//! the list in whose ring (or in a ring moved aside from it) the nodes are. So by
//! LINKED the links are the caller's, and by PINNED the neighbours are alive.

use core::marker::PhantomPinned;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr;
use core::task::Waker;

use super::{CALLED, IDLE, Locked, QUEUED, SEATED, STATUS_MASK, TAG_SHIFT, word};
use crate::primitive::{AtomicUsize, Ordering, TrackedCell, const_fn};

/// One queue of a list: a pointer to the first node of a ring, or null.
///
/// The nodes do not point back at it, so a list may move while nothing borrows
/// it, even if a waiter was leaked.
pub(crate) struct Ring {
    pub(super) head: *const Node,
}

impl Ring {
    pub(crate) const fn new() -> Self {
        Self { head: ptr::null() }
    }
}

// SAFETY: invariant LINKED. The nodes behind the pointer are touched only under
// the lock of the list that holds the ring, and a node's content (a `Waker`) is
// `Send`.
unsafe impl Send for Ring {}

pub(super) struct Node {
    pub(super) word: AtomicUsize,
    pub(super) links: TrackedCell<Links>,
    // In status SEATED this is a ghost: a copy of a waker that was moved out,
    // to be compared and never woken or dropped. What it points at may be gone,
    // and another task's waker may be at the same address by now: they would
    // be taken for one task.
    pub(super) waker: TrackedCell<Option<Waker>>,
    _pinned: PhantomPinned,
}

// Nothing of the user's runs while a node is changed, so a panic never leaves one
// half changed.
impl UnwindSafe for Node {}
impl RefUnwindSafe for Node {}

#[derive(Clone, Copy)]
pub(super) struct Links {
    pub(super) prev: *const Node,
    pub(super) next: *const Node,
}

impl Node {
    const_fn! {
        #[inline]
        pub(super) const fn new() -> Self {
            Self::tagged(0)
        }
    }

    const_fn! {
        #[inline]
        pub(super) const fn tagged(tag: usize) -> Self {
            Self {
                word: AtomicUsize::new(word(IDLE, tag)),
                links: TrackedCell::new(Links { prev: ptr::null(), next: ptr::null() }),
                waker: TrackedCell::new(None),
                _pinned: PhantomPinned,
            }
        }
    }

    #[inline]
    pub(super) fn status(&self) -> usize {
        self.word.load(Ordering::Acquire) & STATUS_MASK
    }

    #[inline]
    pub(super) fn tag(&self) -> usize {
        self.word.load(Ordering::Acquire) >> TAG_SHIFT
    }

    /// Changes the status and leaves the tag: under the lock, or for the owner of a
    /// node that is in no queue.
    #[inline]
    pub(super) fn change(&self, to: usize, order: Ordering) {
        let tag = self.word.load(Ordering::Relaxed) & !STATUS_MASK;
        self.word.store(tag | to, order);
    }

    /// Whether anything else may hold a pointer to this node.
    #[inline]
    pub(super) fn is_pinned_down(&self) -> bool {
        matches!(self.status(), QUEUED | SEATED)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Front,
    Back,
}

impl<S, R: AsMut<[Ring]>> Locked<'_, S, R> {
    /// Links a node into a ring.
    ///
    /// # Safety
    ///
    /// The node is in no ring, belongs to this list, is pinned, and its status
    /// becomes QUEUED (or that of a grant, in a ring of grants) before the lock is
    /// opened.
    #[inline]
    pub(super) unsafe fn link(&mut self, ring: usize, node: &Node, end: End) {
        let ring = &mut self.guard.rings.as_mut()[ring];
        // SAFETY: invariants PINNED and LINKED for the nodes of the ring, we
        // hold the lock; the caller vouches for `node`.
        unsafe {
            if ring.head.is_null() {
                set_links(node, node, node);
                ring.head = node;
            } else {
                insert_before(&*ring.head, node);
                if end == End::Front {
                    ring.head = node;
                }
            }
        }
    }
}

/// Takes `node` out of the ring in which it is.
#[inline]
pub(super) unsafe fn unlink(rings: &mut [Ring], node: &Node) {
    // SAFETY: invariants LINKED and PINNED, for which the caller vouches.
    unsafe {
        let Links { prev, next } = links(node);
        for ring in rings {
            if ptr::eq(ring.head, node) {
                ring.head = if ptr::eq(next, node) {
                    ptr::null()
                } else {
                    next
                };
            }
        }
        if !ptr::eq(next, node) {
            set_next(&*prev, next);
            set_prev(&*next, prev);
        }
    }
}

/// Takes the waker of a node that is in no ring any more, and publishes the
/// verdict, which by PUBLISHED is the last access.
#[inline]
pub(super) unsafe fn end(node: &Node, verdict: usize) -> Option<Waker> {
    assert!((CALLED..=STATUS_MASK).contains(&verdict), "not a verdict");
    // SAFETY: invariants LINKED and PINNED, for which the caller vouches.
    let waker = node.waker.with_mut(|slot| unsafe { (*slot).take() });
    node.change(verdict, Ordering::Release);
    waker
}

/// Puts `node` between `next` and its predecessor.
#[inline]
pub(super) unsafe fn insert_before(next: &Node, node: &Node) {
    // SAFETY: invariants LINKED and PINNED, for which the caller vouches.
    unsafe {
        let prev = links(next).prev;
        set_links(node, prev, next);
        set_prev(next, node);
        set_next(&*prev, node);
    }
}

#[inline]
pub(super) unsafe fn links(node: &Node) -> Links {
    // SAFETY: invariants LINKED and PINNED, for which the caller vouches.
    node.links.with(|slot| unsafe { *slot })
}

#[inline]
pub(super) unsafe fn set_links(node: &Node, prev: *const Node, next: *const Node) {
    // SAFETY: invariants LINKED and PINNED, for which the caller vouches.
    node.links
        .with_mut(|slot| unsafe { *slot = Links { prev, next } });
}

#[inline]
pub(super) unsafe fn set_prev(node: &Node, prev: *const Node) {
    // SAFETY: invariants LINKED and PINNED, for which the caller vouches.
    node.links.with_mut(|slot| unsafe { (*slot).prev = prev });
}

#[inline]
pub(super) unsafe fn set_next(node: &Node, next: *const Node) {
    // SAFETY: invariants LINKED and PINNED, for which the caller vouches.
    node.links.with_mut(|slot| unsafe { (*slot).next = next });
}
