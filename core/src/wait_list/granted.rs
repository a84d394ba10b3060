//! Grants that can still be taken back, for primitives that let several in at
//! once: what a [`Seat`](super::Seat) is for those that let in one.
//!
//! A wait that is granted moves from the queue to a second ring of the same
//! list. There it is SEATED, and keeps a ghost of its waker, until its owner
//! takes the grant or is dropped, or the grant goes on: see [`Watch`].
//!
//! Invariant **GRANTED**: a node in a ring of grants is SEATED, is PINNED and
//! LINKED like a queued one, and leaves the ring under the lock only. So an owner
//! that reads SEATED takes the lock to find out what has become of it. The grant of
//! a [`GrantWatch`] is null, or a node in its ring.

use core::ptr::{self, NonNull};
use core::task::Waker;

use super::entry::LockedTicket;
use super::ring::{End, Node, Ring, links, unlink};
use super::watch::{Met, Relation, Watch};
use super::{IDLE, Locked, QUEUED, SEATED, word};
use crate::primitive::Ordering;

/// How many grants a poll looks through for one of its own task: the search is under
/// the lock. The next poll goes on with those behind.
const LOOKED_THROUGH: usize = 64;

/// Which grant of a ring is watched, and how often it has been met.
pub(crate) struct GrantWatch {
    grant: *const Node,
    watch: Watch,
}

// SAFETY: invariant GRANTED: the pointer is followed under the lock of the list that
// has the ring.
unsafe impl Send for GrantWatch {}

impl GrantWatch {
    pub(crate) const fn new() -> Self {
        Self {
            grant: ptr::null(),
            watch: Watch::new(),
        }
    }

    fn begin(&mut self, grant: NonNull<Node>) {
        self.grant = grant.as_ptr();
        self.watch.clear();
    }

    /// `node` leaves the ring.
    #[inline]
    fn forget(&mut self, node: &Node) {
        if ptr::eq(self.grant, node) {
            *self = Self::new();
        }
    }
}

/// The state of a list with rings of grants.
pub(crate) trait Grants {
    /// The watch over the ring `grants`.
    fn watch(&mut self, grants: usize) -> &mut GrantWatch;
}

impl Grants for GrantWatch {
    #[inline]
    fn watch(&mut self, _: usize) -> &mut GrantWatch {
        self
    }
}

impl<S, R: AsMut<[Ring]> + AsRef<[Ring]>> Locked<'_, S, R> {
    /// The tag of the first node.
    #[inline]
    pub(crate) fn first_tag(&self, ring: usize) -> Option<usize> {
        let head = self.head(ring)?;
        // SAFETY: invariants PINNED and LINKED: the node is in a ring of this
        // list and we hold the lock.
        Some(unsafe { head.as_ref() }.tag())
    }

    /// How many nodes there are, counted one by one.
    pub(crate) fn count(&self, ring: usize) -> usize {
        let Some(head) = self.head(ring) else {
            return 0;
        };
        let (mut count, mut node) = (0, head.as_ptr().cast_const());
        loop {
            count += 1;
            // SAFETY: invariants PINNED and LINKED: the node is in a ring of
            // this list and we hold the lock.
            node = unsafe { links(&*node).next };
            if ptr::eq(node, head.as_ptr()) {
                return count;
            }
        }
    }

    /// Moves the first node of `ring` to the ring of grants. The result is the
    /// waker to wake once the lock is open.
    #[inline]
    pub(crate) fn grant_front(&mut self, ring: usize, grants: usize) -> Option<Option<Waker>> {
        let head = self.head(ring)?;
        // SAFETY: invariants PINNED and LINKED: the node is in a ring of this
        // list and we hold the lock.
        unsafe {
            let node = head.as_ref();
            unlink(self.guard.rings.as_mut(), node);
            self.link(grants, node, End::Back);
            node.change(SEATED, Ordering::Release);
            // The copy that stays behind is the ghost.
            Some(node.waker.with(|slot| ptr::read(slot)))
        }
    }
}

impl<S: Grants, R: AsMut<[Ring]> + AsRef<[Ring]>> Locked<'_, S, R> {
    /// Takes the watched grant back: its wait is CALLED. The result is its tag.
    pub(crate) fn call_watched(&mut self, grants: usize) -> usize {
        let watch = self.guard.state.watch(grants);
        let node = watch.grant;
        assert!(!node.is_null(), "no grant is watched");
        *watch = GrantWatch::new();
        // SAFETY: invariant GRANTED: the node is in the ring, and we hold the lock.
        unsafe {
            let node = &*node;
            unlink(self.guard.rings.as_mut(), node);
            let tag = node.tag();
            node.call();
            tag
        }
    }

    /// An attempt that does not wait found all of a hasty primitive granted. Whether a
    /// grant is to go on, by [`call_watched`](Self::call_watched).
    pub(crate) fn attempt_granted(&mut self, grants: usize) -> bool {
        let Some(head) = self.head(grants) else {
            return false;
        };
        let watch = self.guard.state.watch(grants);
        if watch.grant.is_null() {
            watch.begin(head);
        }
        watch.watch.attempt()
    }
}

impl<S: Grants, R: AsMut<[Ring]> + AsRef<[Ring]>> LockedTicket<'_, S, R> {
    /// Takes this wait's grant, which is in the ring `grants`; `false` when it has
    /// none.
    #[inline]
    pub(crate) fn take_grant(&mut self, grants: usize) -> bool {
        if self.node.status() != SEATED {
            return false;
        }
        self.locked.guard.state.watch(grants).forget(self.node);
        // SAFETY: invariant GRANTED, and we hold the lock. The ghost is
        // overwritten, not dropped.
        unsafe {
            unlink(self.locked.guard.rings.as_mut(), self.node);
            self.node.waker.with_mut(|slot| slot.write(None));
        }
        self.node.change(IDLE, Ordering::Release);
        true
    }

    /// Makes a grant of this wait, which is in no queue and has just been won.
    /// `ghost` is the waker by which the task is known.
    pub(crate) fn keep_grant(&mut self, grants: usize, tag: usize, ghost: &Waker) {
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        // SAFETY: invariant OWNED until here; the node is pinned, as a ticket
        // comes from a pinned entry. The copy is a ghost: it is compared, never
        // woken or dropped.
        unsafe {
            let copy = ptr::read(ghost);
            self.node.waker.with_mut(|slot| slot.write(Some(copy)));
            self.locked.link(grants, self.node, End::Back);
        }
        self.node.word.store(word(SEATED, tag), Ordering::Relaxed);
    }

    /// Whether all grants of the ring with this head are of other tasks, which come for
    /// theirs.
    #[inline]
    fn are_of_others(&self, head: NonNull<Node>) -> bool {
        let mut grant = head;
        for _ in 0..LOOKED_THROUGH {
            if self.relation(grant) != Relation::OtherTask {
                return false;
            }
            match self.behind(grant, head) {
                Some(next) => grant = next,
                None => return true,
            }
        }
        false
    }

    /// The grant behind this one, of the ring with this head.
    #[inline]
    fn behind(&self, grant: NonNull<Node>, head: NonNull<Node>) -> Option<NonNull<Node>> {
        // SAFETY: invariants PINNED and GRANTED: the node is in the ring, and we
        // hold the lock.
        let next = unsafe { links(grant.as_ref()).next };
        NonNull::new(next.cast_mut()).filter(|next| *next != head)
    }

    /// This queued wait meets the grants that no task has claimed. If one is to go on
    /// ([`Met::Own`], [`Met::Stale`]), it is the watched one.
    #[inline]
    pub(crate) fn meet_grants(&mut self, grants: usize, first: bool, hasty: bool) -> Met {
        assert!(self.status() == QUEUED, "the waiter is not queued");
        match self.locked.head(grants) {
            None => Met::Nothing,
            Some(head) if first && !hasty && self.are_of_others(head) => Met::Nothing,
            Some(head) => self.meet_from(head, grants, first, hasty),
        }
    }

    #[cold]
    fn meet_from(&mut self, head: NonNull<Node>, grants: usize, first: bool, hasty: bool) -> Met {
        let watch = self.locked.guard.state.watch(grants);
        let (watched, is_busy) = (watch.grant, watch.watch.is_of_own_task());
        let mine = NonNull::new(watched.cast_mut()).filter(|&grant| self.is_own(grant));
        let (own, more) = match mine {
            Some(_) => (mine, false),
            None => self.seek_own(head, grants),
        };
        let target = match own {
            // Another task is about to get its own, which comes first.
            Some(_) if mine.is_none() && is_busy => None,
            Some(own) => Some(own),
            None if !watched.is_null() => None,
            None => Some(head),
        };
        let node = self.node;
        let watch = self.locked.guard.state.watch(grants);
        if let Some(target) = target.filter(|target| !ptr::eq(target.as_ptr(), watched)) {
            watch.begin(target);
        }
        let Some(grant) = NonNull::new(watch.grant.cast_mut()) else {
            return Met::Nothing;
        };
        let relation = self.relation(grant);
        let watch = self.locked.guard.state.watch(grants);
        match watch.watch.meet(node, relation, first, hasty) {
            // It goes on with its search, or its own task's grant comes next.
            Met::Nothing if more || own.is_some() => Met::Again(false),
            met => met,
        }
    }

    /// Looks for a grant of this wait's task among the first ones of the ring, which
    /// go behind the others if there is none. Whether there are others.
    fn seek_own(&mut self, head: NonNull<Node>, grants: usize) -> (Option<NonNull<Node>>, bool) {
        let mut grant = head;
        for _ in 0..LOOKED_THROUGH {
            if self.is_own(grant) {
                return (Some(grant), false);
            }
            match self.behind(grant, head) {
                Some(next) => grant = next,
                None => return (None, false),
            }
        }
        self.locked.guard.rings.as_mut()[grants].head = grant.as_ptr();
        (None, true)
    }

    #[inline]
    fn is_own(&self, grant: NonNull<Node>) -> bool {
        self.relation(grant) == Relation::SameTask
    }

    /// What the wakers say of this wait's task and that of a grant.
    #[inline]
    fn relation(&self, grant: NonNull<Node>) -> Relation {
        // SAFETY: invariants PINNED, LINKED and GRANTED: both nodes are in rings of
        // this list and we hold the lock. A ghost may be compared, which reads two
        // pointers.
        unsafe {
            self.node.waker.with(|own| {
                grant
                    .as_ref()
                    .waker
                    .with(|ghost| Relation::of((*own).as_ref(), (*ghost).as_ref()))
            })
        }
    }
}
