//! Settling many nodes at once: they are moved aside under the lock, all in one
//! moment, and then settled and woken in batches.

use core::cell::Cell;
use core::mem;
use core::pin::{Pin, pin};
use core::ptr;

use super::entry::Queued;
use super::ring::{
    Links, Node, Ring, end, insert_before, links, set_links, set_next, set_prev, unlink,
};
use super::{Locked, WaitList};
use crate::wake_batch::{Panicked, WakeBatch, wake};

impl<'a, S, R: AsMut<[Ring]> + AsRef<[Ring]>> Locked<'a, S, R> {
    /// Opens the lock, having taken all of `ring` aside at once, and publishes
    /// `verdict` to its nodes, first to last: a node that joins the ring later is
    /// not among them. Wakers are woken outside the lock, in batches.
    pub(crate) fn settle_all(mut self, ring: usize, verdict: usize) {
        if self.has_one(ring) {
            // Often there is but one, for which nothing needs to be gathered.
            let waker = self.pop_front(ring, verdict);
            drop(self);
            wake(waker.flatten());
            return;
        }
        self.settle_with(
            |locked, anchor| {
                // SAFETY: invariant PINNED: the anchor is pinned, and outlives the
                // time that anything is in its ring.
                unsafe { locked.move_aside(ring, anchor) }
            },
            verdict,
        );
    }

    #[inline]
    fn has_one(&self, ring: usize) -> bool {
        self.head(ring).is_some_and(|head| {
            // SAFETY: invariants PINNED and LINKED: the node is in a ring of this
            // list and we hold the lock.
            let next = unsafe { links(head.as_ref()).next };
            ptr::eq(next, head.as_ptr())
        })
    }

    /// Like [`settle_all`](Self::settle_all) for the first `count` nodes.
    pub(crate) fn settle_front(self, ring: usize, count: usize, verdict: usize) {
        self.settle_front_with(ring, count, verdict, |_, _| {});
    }

    /// [`settle_front`](Self::settle_front), having shown each of the nodes to
    /// `mark`, all in that one moment.
    pub(crate) fn settle_front_with(
        self,
        ring: usize,
        count: usize,
        verdict: usize,
        mut mark: impl FnMut(&mut S, &mut Queued<'_>),
    ) {
        self.settle_with(
            |locked, anchor| {
                for _ in 0..count {
                    let Some(head) = locked.head(ring) else {
                        return;
                    };
                    // SAFETY: invariants PINNED and LINKED: the node is in a ring
                    // of this list, whose lock is held for as long as it is lent.
                    let node = unsafe { head.as_ref() };
                    mark(&mut locked.guard.state, &mut Queued { node });
                    // SAFETY: invariants PINNED and LINKED for the node, which
                    // is in a ring of this list and goes over to the anchor's;
                    // the anchor is pinned and stays so until it is empty.
                    unsafe {
                        unlink(locked.guard.rings.as_mut(), head.as_ref());
                        insert_before(anchor, head.as_ref());
                    }
                }
            },
            verdict,
        );
    }

    fn settle_with(mut self, move_aside: impl FnOnce(&mut Self, &Node), verdict: usize) {
        let aside = pin!(Aside {
            list: self.list,
            anchor: Node::new(),
            verdict,
            emptied: Cell::new(false),
        });
        // The rest is between shared references: the nodes of the ring will
        // point at the anchor.
        let aside = aside.into_ref();
        let anchor: &Node = &aside.get_ref().anchor;
        let own = Links {
            prev: anchor,
            next: anchor,
        };
        // SAFETY: invariant OWNED, the anchor is in no ring yet.
        anchor.links.with_mut(|slot| unsafe { *slot = own });
        move_aside(&mut self, anchor);
        aside.settle(self).resume();
    }

    /// Moves all of `ring` to the ring of `anchor`.
    ///
    /// # Safety
    ///
    /// The anchor does not move, and lives until its ring is empty again.
    unsafe fn move_aside(&mut self, ring: usize, anchor: &Node) {
        let head = mem::replace(&mut self.guard.rings.as_mut()[ring].head, ptr::null());
        if head.is_null() {
            return;
        }
        // SAFETY: invariants PINNED and LINKED: the nodes were in a ring of
        // this list and we hold the lock; the caller vouches for the anchor.
        unsafe {
            let last = links(&*head).prev;
            set_links(anchor, last, head);
            set_prev(&*head, anchor);
            set_next(&*last, anchor);
        }
    }
}

/// Nodes that were moved aside, to be settled in batches. It lives on the stack
/// of the thread that settles them.
struct Aside<'a, S, R: AsMut<[Ring]> + AsRef<[Ring]>> {
    list: &'a WaitList<S, R>,
    anchor: Node,
    verdict: usize,
    emptied: Cell<bool>,
}

impl<'a, S, R: AsMut<[Ring]> + AsRef<[Ring]>> Aside<'a, S, R> {
    /// Settles until nothing is left; all wakers are woken even if some panic.
    fn settle(self: Pin<&Self>, mut locked: Locked<'a, S, R>) -> Panicked {
        let mut panicked = Panicked::none();
        let mut batch = WakeBatch::new();
        loop {
            let emptied = self.gather(&locked, &mut batch);
            // No node joins a ring aside: it stays so.
            self.emptied.set(emptied);
            drop(locked);
            panicked.or(batch.wake_all());
            if emptied {
                return panicked;
            }
            locked = self.list.lock();
        }
    }

    /// Settles as many of the first nodes as the batch has room for, whether they
    /// have wakers or not; `true` if nothing is left.
    fn gather(&self, _locked: &Locked<'_, S, R>, batch: &mut WakeBatch) -> bool {
        let anchor: *const Node = &self.anchor;
        let verdict = self.verdict;
        // SAFETY: invariants PINNED and LINKED: the lock is held, and the nodes are
        // in a ring that was moved aside from this list. A node's links are read
        // before its verdict is published, which by PUBLISHED is the last access;
        // a node that is left in the ring is linked with the anchor again.
        unsafe {
            let mut next = links(&self.anchor).next;
            while !ptr::eq(next, anchor) && !batch.is_full() {
                let node = &*next;
                next = links(node).next;
                batch.push(end(node, verdict));
            }
            set_next(&self.anchor, next);
            set_prev(&*next, anchor);
            ptr::eq(next, anchor)
        }
    }
}

impl<S, R: AsMut<[Ring]> + AsRef<[Ring]>> Drop for Aside<'_, S, R> {
    fn drop(&mut self) {
        // Only a waker's panic that cannot be caught (without `std`) leaves
        // anything here.
        if !self.emptied.get() {
            // SAFETY: invariant PINNED: the anchor has been pinned since it was
            // made, and what is being dropped is not moved any more.
            let this = unsafe { Pin::new_unchecked(&*self) };
            this.settle(this.list.lock()).resume();
        }
    }
}
