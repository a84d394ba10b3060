//! [`Entry`], what a future or a `Waiter` holds, and the access to one's own
//! node that it gives.

use core::mem;
use core::ops::{ControlFlow, Deref, DerefMut};
use core::pin::Pin;
use core::ptr;
use core::task::Waker;

use super::ring::{End, Node, Ring, links, unlink};
use super::{CALLED, IDLE, Locked, QUEUED, STATUS_MASK, TAG_SHIFT, VERDICT, WaitList, word};
use crate::primitive::{Ordering, const_fn};
use crate::wake_batch::{discard, wake};

/// Leads to one primitive for as long as it lives.
///
/// # Safety
///
/// `target` returns the same primitive each time, at the same place, until a
/// `&mut` to the owner is used to change that.
pub(crate) unsafe trait Owner {
    /// The primitive.
    type Target: ?Sized + HasList;

    /// The primitive that this leads to.
    fn target(&self) -> &Self::Target;
}

// SAFETY: a shared reference leads to one place.
unsafe impl<T: HasList + ?Sized> Owner for &T {
    type Target = T;

    #[inline]
    fn target(&self) -> &T {
        self
    }
}

#[cfg(feature = "alloc")]
// SAFETY: the content of an `Arc` does not move.
unsafe impl<T: HasList + ?Sized> Owner for alloc::sync::Arc<T> {
    type Target = T;

    #[inline]
    fn target(&self) -> &T {
        self
    }
}

/// An owner for a `Waiter`, which learns only later on what it waits, and keeps
/// its waker from one wait to the next.
pub(crate) struct Bound<'a, T: ?Sized> {
    target: Option<&'a T>,
    // The node has a clone of it while it waits.
    waker: Option<Waker>,
}

impl<'a, T: ?Sized> Bound<'a, T> {
    pub(crate) const fn unbound() -> Self {
        Self {
            target: None,
            waker: None,
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&'a T> {
        self.target
    }
}

// SAFETY: a shared reference leads to one place; unbound it leads nowhere.
unsafe impl<T: HasList + ?Sized> Owner for Bound<'_, T> {
    type Target = T;

    #[inline]
    fn target(&self) -> &T {
        self.target.expect("an unbound waiter is in no queue")
    }
}

#[cfg(feature = "alloc")]
// SAFETY: an owner leads to one place; once it is taken out it leads nowhere.
unsafe impl<L: Owner> Owner for Option<L> {
    type Target = L::Target;

    #[inline]
    fn target(&self) -> &L::Target {
        self.as_ref()
            .expect("a wait without its owner is in no queue")
            .target()
    }
}

/// A primitive with a [`WaitList`]. Implemented by [`has_list!`] alone, which
/// names a field, so that the list is always the same.
///
/// # Safety
///
/// `list` returns the same list each time.
pub(crate) unsafe trait HasList {
    /// What the lock guards beside the rings.
    type State;
    /// The array of rings.
    type Rings: AsMut<[Ring]> + AsRef<[Ring]>;

    fn list(&self) -> &WaitList<Self::State, Self::Rings>;
}

/// Says in which field a primitive keeps its list.
macro_rules! has_list {
    ([$($generics:tt)*] $primitive:ty, $($field:ident).+: WaitList<$state:ty, $rings:ty>) => {
        // SAFETY: a field is always the same.
        unsafe impl<$($generics)*> crate::wait_list::HasList for $primitive {
            type State = $state;
            type Rings = $rings;

            #[inline]
            fn list(&self) -> &crate::wait_list::WaitList<$state, $rings> {
                &self.$($field).+
            }
        }
    };
}
pub(crate) use has_list;

/// A node and the way to its list: what a future or a `Waiter` holds, pinned.
pub(crate) struct Entry<L: Owner> {
    owner: L,
    node: Node,
}

// SAFETY: by LINKED and OWNED, other threads touch a node under the lock, or its
// atomic word, so an entry may move to another thread (before it is pinned, or
// with what it is pinned in) where its owner and the primitive's state may. A
// `Waker` is `Send` and `Sync`.
unsafe impl<L: Owner + Send> Send for Entry<L> {}
// SAFETY: a shared entry gives out the word (atomic) and the owner; by OWNED and
// LINKED the rest of the node is for a `&mut` and for the lock.
unsafe impl<L: Owner + Sync> Sync for Entry<L> {}

impl<L: Owner> Entry<L> {
    const_fn! {
        #[inline]
        pub(crate) const fn new(owner: L, tag: usize) -> Self {
            Self { owner, node: Node::tagged(tag) }
        }
    }

    #[inline]
    pub(crate) fn owner(&self) -> &L {
        &self.owner
    }

    /// The status, as far as it has been published.
    #[inline]
    pub(crate) fn status(&self) -> usize {
        self.node.status()
    }

    #[inline]
    pub(crate) fn tag(&self) -> usize {
        self.node.tag()
    }

    /// Changes one verdict into another through a shared reference; `false`
    /// when the status was not `from` any more.
    #[inline]
    pub(crate) fn advance(&self, from: usize, to: usize) -> bool {
        assert!(from >= VERDICT && to >= VERDICT);
        let old = self.node.word.load(Ordering::Acquire);
        let new = (old & !STATUS_MASK) | to;
        old & STATUS_MASK == from
            && self
                .node
                .word
                .compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    }

    /// The primitive, and the exclusive use of this entry's node.
    #[inline]
    pub(crate) fn parts(self: Pin<&mut Self>) -> (&L::Target, TicketOf<'_, L::Target>) {
        let this = self.into_ref().get_ref();
        let target = this.owner.target();
        let ticket = Ticket {
            list: target.list(),
            node: &this.node,
        };
        (target, ticket)
    }
}

impl<'a, T: HasList + ?Sized> Entry<Bound<'a, T>> {
    /// Says on what a waiter waits, and readies its waker. The entry is in no
    /// queue.
    pub(crate) fn bind(mut self: Pin<&mut Self>, target: &'a T) {
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        self.as_mut().owner_mut().target = Some(target);
        let waker = self.owner.waker.clone();
        discard(self.parts().1.replace_waker(waker));
    }

    /// Whether this waits, or last waited, on `target`.
    #[inline]
    pub(crate) fn is_bound_to(&self, target: &T) -> bool {
        self.owner
            .target
            .is_some_and(|bound| ptr::eq(bound, target))
    }

    /// Gives a waiter that is new its waker.
    pub(crate) fn init_waker(&mut self, waker: Waker) {
        self.owner.waker = Some(waker);
    }

    /// Gives a waiter another waker, whether it is queued or not. If it has won
    /// meanwhile nothing will wake the new one: look at the status afterwards,
    /// and [`wake`](Self::wake).
    pub(crate) fn renew_waker(mut self: Pin<&mut Self>, waker: Waker) {
        let old = self.as_mut().owner_mut().waker.replace(waker);
        discard(old);
        if self.status() == QUEUED {
            let mut outdated = self.owner.waker.clone();
            let mut ticket = self.parts().1;
            let mut locked = ticket.lock();
            if locked.status() == QUEUED {
                outdated = locked.replace_waker(outdated);
            }
            drop(locked);
            discard(outdated);
        }
    }

    /// Wakes the waiter's waker and keeps it.
    pub(crate) fn wake(&self) {
        wake(self.owner.waker.clone());
    }

    /// [`parts`](Self::parts), and the waker that the waiter was given.
    #[inline]
    pub(crate) fn parts_with_waker(self: Pin<&mut Self>) -> (&T, TicketOf<'_, T>, Option<&Waker>) {
        let this = self.into_ref().get_ref();
        let target = this.owner.target();
        let ticket = Ticket {
            list: target.list(),
            node: &this.node,
        };
        (target, ticket, this.owner.waker.as_ref())
    }

    #[inline]
    fn owner_mut(self: Pin<&mut Self>) -> &mut Bound<'a, T> {
        // SAFETY: invariant PINNED is about the node, which stays where it is;
        // nothing gives out a `Pin` to the owner. `bind` changes the target only
        // while the entry is in no queue.
        unsafe { &mut self.get_unchecked_mut().owner }
    }
}

#[cfg(feature = "alloc")]
impl<L: Owner> Entry<Option<L>> {
    /// Takes the owner out of an entry that has been waited with, and which
    /// leads nowhere from now on.
    #[inline]
    pub(crate) fn take_owner(self: Pin<&mut Self>) -> Option<L> {
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        // SAFETY: the owner is not pinned structurally: nothing gives out a
        // `Pin` to it. By PINNED the entry may change while it is in no queue.
        unsafe { self.get_unchecked_mut() }.owner.take()
    }
}

impl<L: Owner> Drop for Entry<L> {
    #[inline]
    fn drop(&mut self) {
        if self.node.is_pinned_down() {
            // Invariant PINNED: going on would leave a dangling pointer behind.
            abort("a waiter was dropped while it was queued");
        }
    }
}

/// One's own node, pinned and for oneself alone, and the list to which it
/// belongs. Comes from [`Entry::parts`].
pub(crate) struct Ticket<'a, S, R = [Ring; 1]> {
    list: &'a WaitList<S, R>,
    pub(super) node: &'a Node,
}

/// The ticket of a primitive.
pub(crate) type TicketOf<'a, T> = Ticket<'a, <T as HasList>::State, <T as HasList>::Rings>;

impl<'a, S, R> Ticket<'a, S, R> {
    /// For a node that is pinned and of this list.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(super) fn new(list: &'a WaitList<S, R>, node: &'a Node) -> Self {
        Self { list, node }
    }
}

impl<S, R> Ticket<'_, S, R> {
    /// The ticket once more, for a callee that takes it by value.
    #[inline]
    pub(crate) fn again(&mut self) -> Ticket<'_, S, R> {
        Ticket {
            list: self.list,
            node: self.node,
        }
    }

    /// The status, as far as it has been published.
    #[inline]
    pub(crate) fn status(&self) -> usize {
        self.node.status()
    }

    #[inline]
    pub(crate) fn tag(&self) -> usize {
        self.node.tag()
    }

    /// The node, if it is idle: then only its owner, which has it here, changes that.
    #[inline]
    pub(crate) fn idle(&mut self) -> Option<Idle<'_>> {
        let word = self.node.word.load(Ordering::Acquire);
        (word & STATUS_MASK == IDLE).then_some(Idle {
            node: self.node,
            tag: word >> TAG_SHIFT,
        })
    }

    /// Sets the status and the tag of a node that is in no queue.
    #[inline]
    pub(crate) fn set(&mut self, status: usize, tag: usize) {
        assert!(status == IDLE || status >= CALLED);
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        self.node.word.store(word(status, tag), Ordering::Relaxed);
    }

    /// Sets the status of a node that is in no queue, and leaves its tag.
    #[inline]
    pub(crate) fn set_status(&mut self, status: usize) {
        assert!(status == IDLE || status >= CALLED);
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        self.node.change(status, Ordering::Relaxed);
    }

    /// Puts a clone of `waker`, if there is one, into an idle node that has none.
    /// Cloning is foreign code, so it comes before the lock is taken.
    #[inline]
    pub(crate) fn give_waker(&mut self, waker: Option<&Waker>) {
        let Some(waker) = waker.cloned() else {
            return;
        };
        assert!(self.status() == IDLE, "the waiter is not idle");
        // SAFETY: invariant OWNED: the node is in no queue, and a ticket is its
        // owner's. What it should not have is leaked.
        self.node.waker.with_mut(|slot| unsafe {
            debug_assert!((*slot).is_none(), "a waker would be leaked");
            slot.write(Some(waker));
        });
    }

    /// [`give_waker`](Self::give_waker) for a node that was CALLED, which is IDLE afterwards
    /// and keeps its tag. First the clone, with the lock open and nothing changed: if it
    /// panics, the call is passed on when the wait is dropped.
    pub(crate) fn bring_waker(&mut self, waker: Option<&Waker>) {
        let fresh = waker.cloned();
        self.set_status(IDLE);
        discard(self.replace_waker(fresh));
    }

    /// Puts a waker into a node that is in no queue; the result is the old one.
    #[inline]
    pub(crate) fn replace_waker(&mut self, waker: Option<Waker>) -> Option<Waker> {
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        // SAFETY: invariant OWNED: the node is in no queue, and a ticket is its
        // owner's.
        self.node
            .waker
            .with_mut(|slot| unsafe { mem::replace(&mut *slot, waker) })
    }

    /// Locks the list and gives access to it and to the node.
    #[inline]
    pub(crate) fn lock(&mut self) -> LockedTicket<'_, S, R> {
        LockedTicket {
            locked: self.list.lock(),
            node: self.node,
        }
    }
}

/// One's own node, which is idle for as long as this is lent.
pub(crate) struct Idle<'a> {
    node: &'a Node,
    tag: usize,
}

impl Idle<'_> {
    #[inline]
    pub(crate) fn tag(&self) -> usize {
        self.tag
    }

    /// Sets the status, which is not that of a queued node, and the tag.
    #[inline]
    pub(crate) fn set(self, status: usize, tag: usize) {
        assert!(status == IDLE || status >= CALLED);
        self.node.word.store(word(status, tag), Ordering::Relaxed);
    }
}

/// A locked list together with one's own node.
pub(crate) struct LockedTicket<'a, S, R = [Ring; 1]> {
    pub(super) locked: Locked<'a, S, R>,
    pub(super) node: &'a Node,
}

impl<'a, S, R> Deref for LockedTicket<'a, S, R> {
    type Target = Locked<'a, S, R>;

    #[inline]
    fn deref(&self) -> &Locked<'a, S, R> {
        &self.locked
    }
}

impl<S, R> DerefMut for LockedTicket<'_, S, R> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.locked
    }
}

impl<'a, S, R: AsMut<[Ring]> + AsRef<[Ring]>> LockedTicket<'a, S, R> {
    /// Keeps the lock and lets go of the node.
    #[inline]
    pub(crate) fn into_locked(self) -> Locked<'a, S, R> {
        self.locked
    }

    /// The node's status, which no other thread changes while the lock is held,
    /// but for a seat that is claimed.
    #[inline]
    pub(crate) fn status(&self) -> usize {
        self.node.status()
    }

    #[inline]
    pub(crate) fn tag(&self) -> usize {
        self.node.tag()
    }

    /// Sets the status and the tag of a node that is in no queue.
    #[inline]
    pub(crate) fn set(&mut self, status: usize, tag: usize) {
        assert!(status == IDLE || status >= CALLED);
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        self.node.word.store(word(status, tag), Ordering::Relaxed);
    }

    /// Visits the nodes behind this queued one in `ring`, first to last, until
    /// `visit` breaks off.
    pub(crate) fn each_behind(
        &mut self,
        ring: usize,
        mut visit: impl FnMut(&mut Queued<'_>) -> ControlFlow<()>,
    ) {
        assert!(self.status() == QUEUED, "the waiter is not queued");
        let head = self.locked.guard.rings.as_ref()[ring].head;
        // SAFETY: invariants PINNED and LINKED for this node and all that are
        // linked with it, we hold the lock. In another ring than `ring` the
        // walk would end at this node.
        unsafe {
            let mut next = links(self.node).next;
            while !ptr::eq(next, head) && !ptr::eq(next, self.node) {
                if visit(&mut Queued { node: &*next }).is_break() {
                    return;
                }
                next = links(&*next).next;
            }
        }
    }

    /// Queues the node as the last of `ring`.
    #[inline]
    pub(crate) fn push_back(&mut self, ring: usize, tag: usize) {
        self.push(ring, tag, End::Back);
    }

    /// Queues the node as the first of `ring`.
    #[inline]
    pub(crate) fn push_front(&mut self, ring: usize, tag: usize) {
        self.push(ring, tag, End::Front);
    }

    /// Queues the node behind the first of `ring`, which is not empty.
    pub(crate) fn push_second(&mut self, ring: usize, tag: usize) {
        let first = self.locked.guard.rings.as_ref()[ring].head;
        assert!(!first.is_null(), "no node is the first");
        self.push(ring, tag, End::Front);
        let rings = self.locked.guard.rings.as_mut();
        // SAFETY: invariants PINNED and LINKED: both nodes are in the ring, and we hold
        // the lock. The first is linked before this node, which stays where it is.
        unsafe {
            unlink(rings, &*first);
            self.locked.link(ring, &*first, End::Front);
        }
    }

    #[inline]
    fn push(&mut self, ring: usize, tag: usize, end: End) {
        assert!(self.status() == IDLE, "the waiter is not idle");
        // SAFETY: invariant OWNED until here. The node is pinned: a ticket comes
        // from a pinned entry.
        unsafe { self.locked.link(ring, self.node, end) };
        self.node.word.store(word(QUEUED, tag), Ordering::Relaxed);
    }

    /// Whether this is the first node of `ring`.
    #[inline]
    pub(crate) fn is_front(&self, ring: usize) -> bool {
        ptr::eq(self.locked.guard.rings.as_ref()[ring].head, self.node)
    }

    /// Moves the queued node to the front of `ring`, in which it is.
    pub(crate) fn move_to_front(&mut self, ring: usize) {
        assert!(self.status() == QUEUED, "the waiter is not queued");
        // SAFETY: invariants PINNED and LINKED: the node is in a ring of this list,
        // whose lock we hold, and its status stays QUEUED.
        unsafe {
            unlink(self.locked.guard.rings.as_mut(), self.node);
            self.locked.link(ring, self.node, End::Front);
        }
    }

    /// Takes a queued node out; the result is its waker, to drop once the lock
    /// is open.
    #[inline]
    pub(crate) fn remove(&mut self) -> Option<Waker> {
        let Some((_, waker)) = self.try_remove() else {
            panic!("the waiter is not queued");
        };
        waker
    }

    /// Takes the node out if it is queued; the result is its tag, and its waker,
    /// to drop once the lock is open.
    #[inline]
    pub(crate) fn try_remove(&mut self) -> Option<(usize, Option<Waker>)> {
        let old = self.node.word.load(Ordering::Acquire);
        if old & STATUS_MASK != QUEUED {
            return None;
        }
        // SAFETY: invariant LINKED: the node is in a ring of this list, as its
        // entry has had the same owner since it was pushed, and we hold the
        // lock.
        let waker = unsafe {
            unlink(self.locked.guard.rings.as_mut(), self.node);
            self.node.waker.with_mut(|slot| (*slot).take())
        };
        let tag = old >> TAG_SHIFT;
        self.node.word.store(word(IDLE, tag), Ordering::Relaxed);
        Some((tag, waker))
    }

    /// Whether the waker of a queued node wakes the same task as `waker`.
    #[inline]
    pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
        assert!(self.status() == QUEUED, "the waiter is not queued");
        // SAFETY: invariant LINKED, we hold the lock. Comparing runs no foreign
        // code.
        self.node
            .waker
            .with(|slot| unsafe { (*slot).as_ref().is_some_and(|own| own.will_wake(waker)) })
    }

    /// Gives a queued node another waker; the result is the old one, to drop
    /// once the lock is open.
    #[inline]
    pub(crate) fn replace_waker(&mut self, waker: Option<Waker>) -> Option<Waker> {
        assert!(self.status() == QUEUED, "the waiter is not queued");
        // SAFETY: invariant LINKED, we hold the lock.
        self.node
            .waker
            .with_mut(|slot| unsafe { mem::replace(&mut *slot, waker) })
    }
}

impl<S, R: AsMut<[Ring]> + AsRef<[Ring]>> Locked<'_, S, R> {
    /// The first node of a ring.
    #[inline]
    pub(crate) fn front(&mut self, ring: usize) -> Option<Queued<'_>> {
        let head = self.head(ring)?;
        // SAFETY: invariants PINNED and LINKED: the node is in a ring of this
        // list, whose lock is held for as long as the result is lent.
        let node = unsafe { head.as_ref() };
        Some(Queued { node })
    }
}

/// A queued node, lent while the lock is held.
pub(crate) struct Queued<'a> {
    pub(super) node: &'a Node,
}

impl Queued<'_> {
    #[inline]
    pub(crate) fn tag(&self) -> usize {
        self.node.tag()
    }

    #[inline]
    pub(crate) fn set_tag(&mut self, tag: usize) {
        // Its owner writes the word only while it is not queued.
        self.node.word.store(word(QUEUED, tag), Ordering::Relaxed);
    }

    /// Takes the waker, to wake it once the lock is open.
    #[inline]
    pub(crate) fn take_waker(&mut self) -> Option<Waker> {
        // SAFETY: invariant LINKED: the node is queued, and this value is lent
        // while the lock is held.
        self.node.waker.with_mut(|slot| unsafe { (*slot).take() })
    }
}

/// Ends the process: the alternative would be undefined behaviour.
#[cold]
#[inline(never)]
fn abort(reason: &str) -> ! {
    #[cfg(feature = "std")]
    {
        std::eprintln!("anysync: {reason}; aborting");
        std::process::abort();
    }
    #[cfg(not(feature = "std"))]
    {
        // A panic while panicking aborts.
        struct Bomb<'a>(&'a str);
        impl Drop for Bomb<'_> {
            fn drop(&mut self) {
                panic!("anysync: {}", self.0);
            }
        }
        let _bomb = Bomb(reason);
        panic!("anysync: {reason}");
    }
}
