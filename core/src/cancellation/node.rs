//! [`Node`]: what all clones of one token share.

use alloc::sync::Arc;
use core::task::Waker;

use super::tree::Tree;
use crate::primitive::{AtomicUsize, Ordering};
use crate::wait_list::{IDLE, QUEUED, Ring, Ticket, VERDICT, WaitList, has_list};
use crate::wake_batch::discard;

/// The verdict on a wait: the token is cancelled.
pub(super) const CANCELLED: usize = VERDICT;

/// A node is cancelled.
const MARKED: usize = 1;
/// And all below it are, so that it has no entry in its tree any more.
const DONE: usize = 2;

pub(super) struct Node {
    /// 0, or [`MARKED`], or then [`DONE`].
    cancelled: AtomicUsize,
    /// How many tokens lead here. The table of the tree has another share of the
    /// node, which the last token takes away.
    tokens: AtomicUsize,
    list: WaitList<Inner>,
}

/// What the lock guards.
pub(super) struct Inner {
    /// A token that has neither parent nor children is in no tree.
    place: Option<Place>,
    /// The next in a [`Marked`].
    next: Option<Arc<Node>>,
}

#[derive(Clone)]
struct Place {
    tree: Arc<Tree>,
    index: u32,
}

has_list!([] Node, list: WaitList<Inner, [Ring; 1]>);

impl Node {
    fn new(cancelled: bool) -> Arc<Self> {
        Arc::new(Self {
            cancelled: AtomicUsize::new(cancelled.into()),
            tokens: AtomicUsize::new(1),
            list: WaitList::new(
                [Ring::new()],
                Inner {
                    place: None,
                    next: None,
                },
            ),
        })
    }

    /// A node for one token.
    pub(super) fn root() -> Arc<Self> {
        Self::new(false)
    }

    #[inline]
    pub(super) fn is_cancelled(&self) -> bool {
        // ORDERING: Acquire, from the Release of `mark`: what came before the
        // cancel is visible.
        self.cancelled.load(Ordering::Acquire) != 0
    }

    /// Marks the node as cancelled; those that wait are woken later. The caller
    /// holds the lock of its tree or, if it is in none, of its list.
    pub(super) fn mark(&self) {
        self.cancelled.store(MARKED, Ordering::Release);
    }

    /// Marks the node as cancelled, with all below it. The caller holds the lock of
    /// its tree.
    pub(super) fn mark_done(&self) {
        self.cancelled.store(DONE, Ordering::Release);
    }

    /// Whether it and all below it are cancelled.
    pub(super) fn is_done(&self) -> bool {
        // ORDERING: as in `is_cancelled`; they were marked before.
        self.cancelled.load(Ordering::Acquire) == DONE
    }

    #[inline]
    pub(super) fn add_token(&self) {
        // ORDERING: as in `Arc`: a thread that makes another token has one.
        self.tokens.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn remove_token(&self) {
        // ORDERING: as in `Arc`: the last comes after all others.
        if self.tokens.fetch_sub(1, Ordering::AcqRel) == 1 && !self.is_cancelled() {
            let place = self.list.lock().place.take();
            if let Some(place) = place {
                place.tree.leave(place.index, self);
            }
        }
    }

    /// A node for one token, below this.
    pub(super) fn child(self: &Arc<Self>) -> Arc<Self> {
        let Some(place) = self.place_of_parent() else {
            return Self::new(true);
        };
        let child = Self::new(false);
        match place.tree.add_child(place.index, self, &child) {
            // No other thread has the child yet but a cancel, which asks for no place.
            Some(index) => {
                let tree = place.tree;
                child.list.lock().place = Some(Place { tree, index });
            }
            None => child.mark(),
        }
        child
    }

    /// The place of a node that is to have children; `None` if it is cancelled.
    fn place_of_parent(self: &Arc<Self>) -> Option<Place> {
        if self.is_cancelled() {
            return None;
        }
        if let Some(place) = self.list.lock().place.clone() {
            return Some(place);
        }
        // Made while the lock is open; in vain if another thread is quicker.
        let (tree, index) = Tree::new(self.clone());
        let fresh = Place {
            tree: Arc::new(tree),
            index,
        };
        let mut inner = self.list.lock();
        if self.is_cancelled() {
            return None;
        }
        Some(inner.place.get_or_insert(fresh).clone())
    }

    /// How many entries the tree has, if it is in one.
    #[cfg(all(test, feature = "std", not(anysync_loom)))]
    pub(super) fn entries_of_tree(&self) -> Option<usize> {
        let place = self.list.lock().place.clone()?;
        Some(place.tree.entries())
    }

    /// Cancels this and all below.
    pub(super) fn cancel(self: &Arc<Self>) {
        self.cancel_and(|| ());
    }

    /// Cancels this and all below, and calls `each` after each that was marked in a
    /// tree, when no lock is held.
    pub(super) fn cancel_and(self: &Arc<Self>, mut each: impl FnMut()) {
        let inner = self.list.lock();
        let Some(place) = inner.place.clone() else {
            if !self.is_cancelled() {
                self.mark();
                inner.settle_all(0, CANCELLED);
            }
            return;
        };
        drop(inner);
        let mut marked = Marked(None);
        place.tree.cancel(place.index, self, |node| {
            marked.push(node);
            each();
        });
        marked.wake_all();
    }

    /// Whether it is cancelled; else queues the wait, or renews its waker.
    #[inline]
    pub(super) fn poll_cancelled(&self, ticket: &mut Ticket<'_, Inner>, waker: &Waker) -> bool {
        self.is_cancelled() || self.poll_queued(ticket, waker)
    }

    fn poll_queued(&self, ticket: &mut Ticket<'_, Inner>, waker: &Waker) -> bool {
        if ticket.status() == QUEUED {
            return self.renew(ticket, waker);
        }
        // Cloned before the lock is taken: it is foreign code.
        discard(ticket.replace_waker(Some(waker.clone())));
        if !self.queue(ticket) {
            return false;
        }
        discard(ticket.replace_waker(None));
        true
    }

    /// Queues a wait that is in no queue, unless it is cancelled: `true`.
    pub(super) fn queue(&self, ticket: &mut Ticket<'_, Inner>) -> bool {
        let mut locked = ticket.lock();
        // A thread that marks the node takes this lock afterwards to see which tasks
        // wait: so either it sees this wait, or this wait sees the mark.
        if self.is_cancelled() {
            return true;
        }
        locked.push_back(0, 0);
        false
    }

    fn renew(&self, ticket: &mut Ticket<'_, Inner>, waker: &Waker) -> bool {
        let mut fresh = None;
        loop {
            let mut locked = ticket.lock();
            if locked.status() != QUEUED || self.is_cancelled() {
                drop(locked);
                discard(fresh);
                return true;
            }
            if locked.will_wake(waker) {
                drop(locked);
                discard(fresh);
                return false;
            }
            if let Some(fresh) = fresh {
                let outdated = locked.replace_waker(Some(fresh));
                drop(locked);
                discard(outdated);
                return false;
            }
            drop(locked);
            fresh = Some(waker.clone());
        }
    }

    /// Takes a wait out of the queue; `true` if it had not been cancelled.
    pub(super) fn abandon(&self, ticket: &mut Ticket<'_, Inner>) -> bool {
        let mut in_time = false;
        if ticket.status() == QUEUED {
            let mut locked = ticket.lock();
            if locked.status() == QUEUED {
                let waker = locked.remove();
                drop(locked);
                in_time = !self.is_cancelled();
                discard(waker);
            }
        }
        ticket.set(IDLE, 0);
        in_time
    }
}

/// Nodes that a cancel has marked, and on which a task waits: to be woken when
/// all are marked. So a waker finds everything cancelled, and one that cancels
/// again does not recurse.
struct Marked(Option<Arc<Node>>);

impl Marked {
    fn push(&mut self, node: Arc<Node>) {
        // A node is marked once, so it is in one chain at a time.
        let mut inner = node.list.lock();
        if !inner.is_empty(0) {
            inner.next = self.0.take();
            drop(inner);
            self.0 = Some(node);
        }
    }

    fn wake_all(&mut self) {
        while let Some(node) = self.0.take() {
            let mut inner = node.list.lock();
            self.0 = inner.next.take();
            inner.settle_all(0, CANCELLED);
        }
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        // Something is left after a waker's panic, which goes on.
        self.wake_all();
    }
}
