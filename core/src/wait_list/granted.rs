//! Grants that can still be taken back, for primitives that let several in at
//! once: what a [`Seat`](super::Seat) is for those that let in one.
//!
//! A wait that is granted moves from the queue to a second ring of the same
//! list. There it is SEATED, and keeps a ghost of its waker, until its owner
//! takes the grant or is dropped. Until then another wait of the same task may
//! have the grant instead: its [`Sibling`].
//!
//! Invariant **GRANTED**: a node in a ring of grants is SEATED, is PINNED and
//! LINKED like a queued one, and leaves the ring under the lock only. So an owner
//! that reads SEATED takes the lock to find out what has become of it.

use core::ptr::{self, NonNull};
use core::task::Waker;

use super::entry::{LockedTicket, Ticket};
use super::ring::{End, Node, Ring, insert_before, links, unlink};
use super::{IDLE, Locked, QUEUED, SEATED, word};
use crate::primitive::Ordering;
use crate::wake_batch::discard;

/// How many grants are looked through for one of the same task, the latest
/// first: the search is under the lock.
const LOOKED_THROUGH: usize = 64;

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

impl<S, R: AsMut<[Ring]> + AsRef<[Ring]>> Ticket<'_, S, R> {
    /// Another waker like the one that a queued wait has, for
    /// [`Sibling::requeue`]. `None` when the wait is not queued any more.
    pub(crate) fn clone_waker(&mut self) -> Option<Waker> {
        // Cloning is foreign code, so the waker is taken out of the node for it.
        // A grant in the meantime wakes nobody, and the caller finds it.
        let mut locked = self.lock();
        if locked.status() != QUEUED {
            return None;
        }
        let own = locked.replace_waker(None);
        drop(locked);
        let copy = own.clone();
        let mut locked = self.lock();
        if locked.status() == QUEUED {
            let none = locked.replace_waker(own);
            debug_assert!(none.is_none(), "only the owner sets a waker");
        } else {
            drop(locked);
            discard(own);
        }
        copy
    }
}

impl<'a, S, R: AsMut<[Ring]> + AsRef<[Ring]>> LockedTicket<'a, S, R> {
    /// Takes this wait's grant; `false` when it has none.
    #[inline]
    pub(crate) fn take_grant(&mut self) -> bool {
        if self.node.status() != SEATED {
            return false;
        }
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

    /// The latest grant of the task that this queued node's waker wakes, among
    /// the latest [`LOOKED_THROUGH`], whose tag is as wanted.
    pub(crate) fn granted_sibling(
        &mut self,
        grants: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Option<Sibling<'_, 'a, S, R>> {
        assert!(self.status() == QUEUED, "the waiter is not queued");
        let head = self.locked.head(grants)?;
        // SAFETY: invariants PINNED, LINKED and GRANTED: own node and those of
        // the ring are in rings of this list and we hold the lock. A ghost may be
        // compared, which reads two pointers.
        unsafe {
            let own = self.node.waker.with(|slot| (*slot).as_ref())?;
            let mut node = links(head.as_ref()).prev;
            for _ in 0..LOOKED_THROUGH {
                let same_task = (*node)
                    .waker
                    .with(|ghost| (*ghost).as_ref().is_some_and(|ghost| own.will_wake(ghost)));
                if same_task && wanted((*node).tag()) {
                    return Some(Sibling {
                        node: NonNull::new(node.cast_mut())?,
                        grants,
                        ticket: self,
                    });
                }
                if ptr::eq(node, head.as_ptr()) {
                    break;
                }
                node = links(&*node).prev;
            }
        }
        None
    }
}

/// A grant of the same task as a queued node, while the list is locked.
pub(crate) struct Sibling<'t, 'a, S, R> {
    // Is in the ring `grants` of the list that `ticket` has locked.
    node: NonNull<Node>,
    grants: usize,
    ticket: &'t mut LockedTicket<'a, S, R>,
}

impl<S, R: AsMut<[Ring]> + AsRef<[Ring]>> Sibling<'_, '_, S, R> {
    pub(crate) fn tag(&self) -> usize {
        // SAFETY: invariants PINNED and GRANTED, and the lock is held.
        unsafe { self.node.as_ref() }.tag()
    }

    /// Makes the queued node the granted one, and the sibling the first of
    /// `ring`, with the other's waker.
    pub(crate) fn exchange(self, ring: usize) {
        let own = self.ticket.node;
        let locked = &mut self.ticket.locked;
        // SAFETY: invariants PINNED, LINKED and GRANTED for the two nodes, whose
        // list is locked. The waker moves to the sibling, whose ghost is
        // overwritten; the copy that stays behind is a ghost.
        unsafe {
            let sibling = self.node.as_ref();
            unlink(locked.guard.rings.as_mut(), own);
            unlink(locked.guard.rings.as_mut(), sibling);
            let waker = own.waker.with(|slot| ptr::read(slot));
            sibling.waker.with_mut(|slot| slot.write(waker));
            locked.link(self.grants, own, End::Back);
            locked.link(ring, sibling, End::Front);
            own.change(SEATED, Ordering::Release);
            sibling.change(QUEUED, Ordering::Release);
        }
    }

    /// Puts the sibling back into the queue, right behind the queued node, with
    /// `waker`.
    pub(crate) fn requeue(self, waker: Waker) {
        let own = self.ticket.node;
        // SAFETY: invariants PINNED, LINKED and GRANTED for the two nodes, whose
        // list is locked. The ghost is overwritten.
        unsafe {
            let sibling = self.node.as_ref();
            unlink(self.ticket.locked.guard.rings.as_mut(), sibling);
            sibling.waker.with_mut(|slot| slot.write(Some(waker)));
            // In a ring, what comes before the next of `own` comes after `own`,
            // also when `own` is the last and the next is the head.
            insert_before(&*links(own).next, sibling);
            sibling.change(QUEUED, Ordering::Release);
        }
    }
}
