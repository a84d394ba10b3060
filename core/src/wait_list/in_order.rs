//! Queueing at a place that is neither the first nor the last.

use core::ptr;

use super::entry::LockedTicket;
use super::ring::{Ring, insert_before, links};
use super::{IDLE, QUEUED, word};
use crate::primitive::Ordering;

impl<S, R: AsMut<[Ring]> + AsRef<[Ring]>> LockedTicket<'_, S, R> {
    /// Queues the node in `ring`, whose tags ascend, behind all that have a smaller
    /// one. It walks over those.
    pub(crate) fn push_in_order(&mut self, ring: usize, tag: usize) {
        let first = self.locked.front(ring).map(|first| first.tag());
        if first.is_none_or(|first| tag < first) {
            return self.push_front(ring, tag);
        }
        assert!(self.status() == IDLE, "the waiter is not idle");
        let head = self.locked.guard.rings.as_ref()[ring].head;
        // SAFETY: invariants PINNED and LINKED: there is a first node, all that are
        // linked with it are in the ring, and we hold the lock. By OWNED this node
        // is in none; it is pinned, as a ticket comes from a pinned entry.
        unsafe {
            let mut next = links(&*head).next;
            while !ptr::eq(next, head) && (*next).tag() < tag {
                next = links(&*next).next;
            }
            // Before the head is behind the last.
            insert_before(&*next, self.node);
        }
        self.node.word.store(word(QUEUED, tag), Ordering::Relaxed);
    }
}
