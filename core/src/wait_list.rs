//! The queue: intrusive, doubly linked, one lock, O(1) to join, to leave and to
//! move aside as a whole. All unsafe code about queues is in this file; the
//! primitives above it use the safe face.
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
//!   IDLE ────────────► QUEUED ──────────► a verdict (3..7) ──────► IDLE
//!     ▲  ◄──────────── │    ▲ ──────────► SEATED ── claim ───────► IDLE
//!            remove    │    └─ unseat ─────┘
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
//! - **PUBLISHED**: only the holder of the lock ends QUEUED. When somebody else
//!   than the node's owner does so, storing the new status (Release) is the last
//!   that they do to the node: the owner who reads it (Acquire) may free it. For
//!   SEATED the seat is stored last, and the owner who leaves it may free it.
//! - **SEATED**: see [`Seat`].
//!
//! # Memory ordering
//!
//! The lock orders everything under it. A verdict is stored with Release and
//! read with Acquire, so what was written before a signal is seen after the
//! wait, also when the owner never takes the lock again.

use core::marker::PhantomPinned;
use core::mem;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::{Pin, pin};
use core::ptr::{self, NonNull};
use core::task::Waker;

use crate::primitive::{AtomicPtr, AtomicUsize, Lock, LockGuard, Ordering, TrackedCell, const_fn};
use crate::wake_batch::{Panicked, WakeBatch};

/// In no queue.
pub(crate) const IDLE: usize = 0;
/// In a ring.
pub(crate) const QUEUED: usize = 1;
/// Has won and sits in the list's [`Seat`]; its owner has not looked yet.
pub(crate) const SEATED: usize = 2;
/// The first status whose meaning the primitive decides; there are five.
pub(crate) const VERDICT: usize = 3;

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

struct Inner<S, R> {
    rings: R,
    state: S,
}

/// One queue of a list: a pointer to the first node of a ring, or null.
///
/// The nodes do not point back at it, so a list may move while nothing borrows
/// it, even if a waiter was leaked.
pub(crate) struct Ring {
    head: *const Node,
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

struct Node {
    word: AtomicUsize,
    links: TrackedCell<Links>,
    // In status SEATED this is a ghost: a copy of a waker that was moved out,
    // to be compared and never woken or dropped.
    waker: TrackedCell<Option<Waker>>,
    _pinned: PhantomPinned,
}

// Nothing of the user's runs while a node is changed, so a panic never leaves one
// half changed.
impl UnwindSafe for Node {}
impl RefUnwindSafe for Node {}

#[derive(Clone, Copy)]
struct Links {
    prev: *const Node,
    next: *const Node,
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
    /// Whether nobody waits in `ring`.
    #[inline]
    pub(crate) fn is_empty(&self, ring: usize) -> bool {
        self.guard.rings.as_ref()[ring].head.is_null()
    }

    /// Takes the first node out and publishes `verdict` to its owner. The
    /// result is the waker to wake once the lock is open.
    #[inline]
    pub(crate) fn pop_front(&mut self, ring: usize, verdict: usize) -> Option<Option<Waker>> {
        let head = NonNull::new(self.guard.rings.as_ref()[ring].head.cast_mut())?;
        Some(self.settle(head, verdict))
    }

    /// Takes the last node out; else like [`pop_front`](Self::pop_front).
    #[inline]
    pub(crate) fn pop_back(&mut self, ring: usize, verdict: usize) -> Option<Option<Waker>> {
        let head = NonNull::new(self.guard.rings.as_ref()[ring].head.cast_mut())?;
        // SAFETY: invariants PINNED and LINKED: the node is in a ring of this
        // list and we hold the lock.
        let last = unsafe { links(head.as_ref()).prev };
        // A ring's links are never null.
        NonNull::new(last.cast_mut()).map(|last| self.settle(last, verdict))
    }

    /// Unlinks a queued node, takes its waker and publishes the verdict.
    #[inline]
    fn settle(&mut self, node: NonNull<Node>, verdict: usize) -> Option<Waker> {
        debug_assert!((VERDICT..=STATUS_MASK).contains(&verdict));
        // SAFETY: invariants PINNED and LINKED: the node is in a ring of this
        // list and we hold the lock. By PUBLISHED, storing the word is the last
        // access.
        unsafe {
            let node = node.as_ref();
            unlink(self.guard.rings.as_mut(), node);
            let waker = node.waker.with_mut(|slot| (*slot).take());
            let tag = node.word.load(Ordering::Relaxed) & !STATUS_MASK;
            node.word.store(tag | verdict, Ordering::Release);
            waker
        }
    }

    /// Takes the first node out and puts it in `seat`. The result is the waker
    /// to wake once the lock is open.
    #[inline]
    pub(crate) fn seat_front(&mut self, ring: usize, seat: &Seat) -> Option<Option<Waker>> {
        let head = NonNull::new(self.guard.rings.as_ref()[ring].head.cast_mut())?;
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

    /// The tags of the nodes of `ring`, changed by `retag`, first to last,
    /// until it returns `None`.
    pub(crate) fn retag(&mut self, ring: usize, mut retag: impl FnMut(usize) -> Option<usize>) {
        let head = self.guard.rings.as_ref()[ring].head;
        let mut node = head;
        while !node.is_null() {
            // SAFETY: invariants PINNED and LINKED: the node is in a ring of
            // this list and we hold the lock; its owner writes the word only
            // while it is not queued.
            unsafe {
                let old = (*node).word.load(Ordering::Relaxed);
                let Some(tag) = retag(old >> TAG_SHIFT) else {
                    return;
                };
                (*node).word.store(word(QUEUED, tag), Ordering::Relaxed);
                node = links(&*node).next;
            }
            if node == head {
                return;
            }
        }
    }

    /// Opens the lock, having taken all of `ring` aside at once, and publishes
    /// `verdict` to its nodes, first to last: whoever joins the ring later is
    /// not among them. Wakers are woken outside the lock, in batches.
    pub(crate) fn settle_all(self, ring: usize, verdict: usize) {
        self.settle_with(
            |locked, anchor| {
                // SAFETY: the anchor is pinned, and stays so until it is empty.
                unsafe { locked.move_aside(ring, anchor) }
            },
            verdict,
        );
    }

    /// Like [`settle_all`](Self::settle_all) for the first `count` nodes.
    pub(crate) fn settle_front(self, ring: usize, count: usize, verdict: usize) {
        self.settle_with(
            |locked, anchor| {
                for _ in 0..count {
                    let head = locked.guard.rings.as_ref()[ring].head;
                    if head.is_null() {
                        return;
                    }
                    // SAFETY: invariants PINNED and LINKED for the node, which
                    // is in a ring of this list and goes over to the anchor's;
                    // the anchor is pinned and stays so until it is empty.
                    unsafe {
                        unlink(locked.guard.rings.as_mut(), &*head);
                        insert_before(anchor, &*head);
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
/// of whoever settles them.
struct Aside<'a, S, R: AsMut<[Ring]> + AsRef<[Ring]>> {
    list: &'a WaitList<S, R>,
    anchor: Node,
    verdict: usize,
}

impl<'a, S, R: AsMut<[Ring]> + AsRef<[Ring]>> Aside<'a, S, R> {
    /// Settles until nothing is left; all wakers are woken even if some panic.
    fn settle(self: Pin<&Self>, mut locked: Locked<'a, S, R>) -> Panicked {
        let mut panicked = Panicked::none();
        let mut batch = WakeBatch::new();
        loop {
            let emptied = loop {
                let Some(next) = self.first(&locked) else {
                    break true;
                };
                if batch.is_full() {
                    break false;
                }
                batch.push(locked.settle(next, self.verdict));
            };
            drop(locked);
            panicked.or(batch.wake_all());
            if emptied {
                return panicked;
            }
            locked = self.list.lock();
        }
    }

    fn first(&self, _locked: &Locked<'_, S, R>) -> Option<NonNull<Node>> {
        // SAFETY: invariant LINKED, the lock is held; the anchor's links are
        // set from the beginning.
        let next = unsafe { links(&self.anchor).next };
        if ptr::eq(next, &self.anchor) {
            None
        } else {
            NonNull::new(next.cast_mut())
        }
    }
}

impl<S, R: AsMut<[Ring]> + AsRef<[Ring]>> Drop for Aside<'_, S, R> {
    fn drop(&mut self) {
        // Only a waker's panic that cannot be caught (without `std`) leaves
        // anything here. The anchor has been pinned since it was made.
        // SAFETY: this value is being dropped and is not moved any more.
        let this = unsafe { Pin::new_unchecked(&*self) };
        let locked = this.list.lock();
        if this.first(&locked).is_some() {
            this.settle(locked).resume();
        }
    }
}

/// Where one node sits that has won but whose owner has not been polled since.
///
/// The owner claims its win by one compare-and-swap, without the lock. Until
/// then, whoever holds the lock may take the win away for another wait of the
/// same task, and put the node back at the head of its ring.
///
/// Invariant **SEATED**: a seat that is not null points at a node in status
/// SEATED. Whoever swaps the seat to null has the node: the owner, or the holder
/// of the lock, whom the owner then awaits at the lock before it frees the node.
pub(crate) struct Seat {
    node: AtomicPtr<Node>,
}

impl Seat {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self { node: AtomicPtr::new(ptr::null_mut()) }
        }
    }

    /// Whether somebody sits here. Under the lock a `false` is final until the
    /// lock is opened.
    #[inline]
    pub(crate) fn is_taken(&self) -> bool {
        !self.node.load(Ordering::Relaxed).is_null()
    }

    /// Seats a node that has just been unlinked, under the lock.
    #[inline]
    fn occupy(&self, node: &Node) {
        let tag = node.word.load(Ordering::Relaxed) & !STATUS_MASK;
        node.word.store(tag | SEATED, Ordering::Relaxed);
        // The seat last: an owner that finds itself here may free the node, also
        // one that read SEATED long ago, before somebody unseated it.
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

/// An owner for a `Waiter`, which learns only later on what it waits.
pub(crate) struct Bound<'a, T: ?Sized>(Option<&'a T>);

impl<'a, T: ?Sized> Bound<'a, T> {
    pub(crate) const fn unbound() -> Self {
        Self(None)
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&'a T> {
        self.0
    }
}

// SAFETY: a shared reference leads to one place; unbound it leads nowhere.
unsafe impl<T: HasList + ?Sized> Owner for Bound<'_, T> {
    type Target = T;

    #[inline]
    fn target(&self) -> &T {
        self.0.expect("an unbound waiter is in no queue")
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
    ([$($generics:tt)*] $primitive:ty, $field:ident: WaitList<$state:ty, $rings:ty>) => {
        // SAFETY: a field is always the same.
        unsafe impl<$($generics)*> crate::wait_list::HasList for $primitive {
            type State = $state;
            type Rings = $rings;

            #[inline]
            fn list(&self) -> &crate::wait_list::WaitList<$state, $rings> {
                &self.$field
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
// SAFETY: a shared entry gives out the word (atomic), the owner, and nothing of
// the node besides.
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

    /// The status, as far as anybody has published it.
    #[inline]
    pub(crate) fn status(&self) -> usize {
        self.node.status()
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
    /// Says on what a waiter waits. The entry is in no queue.
    pub(crate) fn bind(self: Pin<&mut Self>, target: &'a T) {
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        // SAFETY: the owner is not pinned structurally: nothing gives out a
        // `Pin` to it. By PINNED the entry may change while it is in no queue.
        unsafe { self.get_unchecked_mut() }.owner.0 = Some(target);
    }

    /// Whether this waits, or last waited, on `target`.
    #[inline]
    pub(crate) fn is_bound_to(&self, target: &T) -> bool {
        self.owner.0.is_some_and(|bound| ptr::eq(bound, target))
    }

    /// Puts a waker into a waiter that is not pinned yet.
    pub(crate) fn init_waker(&mut self, waker: Waker) {
        // SAFETY: invariant OWNED: by PINNED an entry that is not pinned is in
        // no queue.
        self.node
            .waker
            .with_mut(|slot| unsafe { *slot = Some(waker) });
    }

    /// Puts a waker into a waiter that is in no queue; the result is the old
    /// one.
    pub(crate) fn set_waker(self: Pin<&mut Self>, waker: Waker) -> Option<Waker> {
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        // SAFETY: invariant OWNED: the node is in no queue, and we have its
        // entry for ourselves.
        self.node
            .waker
            .with_mut(|slot| unsafe { mem::replace(&mut *slot, Some(waker)) })
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
    node: &'a Node,
}

/// The ticket of a primitive.
pub(crate) type TicketOf<'a, T> = Ticket<'a, <T as HasList>::State, <T as HasList>::Rings>;

impl<S, R> Ticket<'_, S, R> {
    /// The status, as far as anybody has published it.
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
        assert!(status == IDLE || status >= VERDICT);
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        self.node.word.store(word(status, tag), Ordering::Relaxed);
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

    /// Takes the win that was put in `seat`, without the lock. `false` when the
    /// node is not seated, or the holder of the lock is busy with it: then lock
    /// and look again.
    #[inline]
    pub(crate) fn claim(&mut self, seat: &Seat) -> bool {
        let old = self.node.word.load(Ordering::Acquire);
        if old & STATUS_MASK != SEATED || !seat.leave(self.node) {
            return false;
        }
        self.node.end_ghost(old);
        true
    }
}

impl Node {
    const_fn! {
        #[inline]
        const fn new() -> Self {
            Self::tagged(0)
        }
    }

    const_fn! {
        #[inline]
        const fn tagged(tag: usize) -> Self {
            Self {
                word: AtomicUsize::new(word(IDLE, tag)),
                links: TrackedCell::new(Links { prev: ptr::null(), next: ptr::null() }),
                waker: TrackedCell::new(None),
                _pinned: PhantomPinned,
            }
        }
    }

    #[inline]
    fn status(&self) -> usize {
        self.word.load(Ordering::Acquire) & STATUS_MASK
    }

    #[inline]
    fn tag(&self) -> usize {
        self.word.load(Ordering::Acquire) >> TAG_SHIFT
    }

    /// Whether somebody else may hold a pointer to this node.
    #[inline]
    fn is_pinned_down(&self) -> bool {
        matches!(self.status(), QUEUED | SEATED)
    }

    /// Forgets the ghost of a node that its owner has taken from its seat.
    #[inline]
    fn end_ghost(&self, old: usize) {
        // SAFETY: invariant SEATED: the caller has taken the node from its
        // seat. The ghost is overwritten, not dropped.
        self.waker.with_mut(|slot| unsafe { slot.write(None) });
        self.word
            .store((old & !STATUS_MASK) | IDLE, Ordering::Relaxed);
    }
}

/// A locked list together with one's own node.
pub(crate) struct LockedTicket<'a, S, R = [Ring; 1]> {
    locked: Locked<'a, S, R>,
    node: &'a Node,
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

    /// The node's status, which nobody else changes while the lock is held,
    /// but for a seat that is claimed.
    #[inline]
    pub(crate) fn status(&self) -> usize {
        self.node.status()
    }

    #[inline]
    pub(crate) fn tag(&self) -> usize {
        self.node.tag()
    }

    /// Queues the node as the last of `ring`.
    #[inline]
    pub(crate) fn push_back(&mut self, ring: usize, tag: usize) {
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        // SAFETY: invariant OWNED until here. The node is pinned: a ticket comes
        // from a pinned entry.
        unsafe { self.locked.link(ring, self.node, End::Back) };
        self.node.word.store(word(QUEUED, tag), Ordering::Relaxed);
    }

    /// Takes a queued node out; the result is its waker, to drop once the lock
    /// is open.
    #[inline]
    pub(crate) fn remove(&mut self) -> Option<Waker> {
        assert!(self.status() == QUEUED, "the waiter is not queued");
        // SAFETY: invariant LINKED: the node is in a ring of this list, as its
        // entry has had the same owner since it was pushed, and we hold the
        // lock.
        let waker = unsafe {
            unlink(self.locked.guard.rings.as_mut(), self.node);
            self.node.waker.with_mut(|slot| (*slot).take())
        };
        let tag = self.node.word.load(Ordering::Relaxed) & !STATUS_MASK;
        self.node.word.store(tag | IDLE, Ordering::Relaxed);
        waker
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

    /// Takes the win that was put in `seat`, under the lock. `false` when the
    /// node is not seated.
    pub(crate) fn claim(&mut self, seat: &Seat) -> bool {
        let old = self.node.word.load(Ordering::Acquire);
        if old & STATUS_MASK != SEATED {
            return false;
        }
        let left = seat.leave(self.node);
        debug_assert!(left, "only the holder of the lock ends a seat for another");
        self.node.end_ghost(old);
        true
    }

    /// Seats this node, which is in no queue and whose wait has just been won.
    /// `ghost` is the waker by which the task is known.
    pub(crate) fn sit(&mut self, seat: &Seat, ghost: &Waker) {
        assert!(!self.node.is_pinned_down(), "the waiter is queued");
        assert!(!seat.is_taken(), "the seat is taken");
        // SAFETY: invariant OWNED: the node is in no queue. The copy is a
        // ghost: it is compared, never woken or dropped.
        unsafe {
            let copy = ptr::read(ghost);
            self.node.waker.with_mut(|slot| slot.write(Some(copy)));
        }
        seat.occupy(self.node);
    }

    /// Takes the win away from the node in `seat` if it belongs to the task
    /// that `waker` wakes, and puts that node back, first in `ring`, with
    /// `waker`. Gives the waker back where there is nothing to take.
    pub(crate) fn unseat(&mut self, ring: usize, seat: &Seat, waker: Waker) -> Result<(), Waker> {
        let taken = seat.node.swap(ptr::null_mut(), Ordering::Acquire);
        let Some(node) = NonNull::new(taken) else {
            return Err(waker);
        };
        // SAFETY: invariants SEATED and PINNED: we took the node from the seat,
        // so until we open the lock it is ours and its owner awaits us there.
        // A ghost may be compared, which reads two pointers.
        unsafe {
            let node = node.as_ref();
            let same = node
                .waker
                .with(|slot| (*slot).as_ref().is_some_and(|own| own.will_wake(&waker)));
            if !same {
                seat.node.store(taken, Ordering::Release);
                return Err(waker);
            }
            node.waker.with_mut(|slot| slot.write(Some(waker)));
            self.locked.link(ring, node, End::Front);
            let tag = node.word.load(Ordering::Relaxed) & !STATUS_MASK;
            node.word.store(tag | QUEUED, Ordering::Release);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

impl<S, R: AsMut<[Ring]>> Locked<'_, S, R> {
    /// Links a node into a ring.
    ///
    /// # Safety
    ///
    /// The node is in no ring, belongs to this list, is pinned, and its status
    /// becomes QUEUED before the lock is opened.
    #[inline]
    unsafe fn link(&mut self, ring: usize, node: &Node, end: End) {
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

// What follows is the ring itself. Every function is unsafe for one reason: the
// caller holds the lock of the list in whose ring (or in a ring aside from it)
// the nodes are, so by LINKED the links are the caller's, and by PINNED the
// neighbours are alive.

/// Takes `node` out of the ring in which it is.
#[inline]
unsafe fn unlink(rings: &mut [Ring], node: &Node) {
    // SAFETY: see above.
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

/// Puts `node` between `next` and its predecessor.
#[inline]
unsafe fn insert_before(next: &Node, node: &Node) {
    // SAFETY: see above.
    unsafe {
        let prev = links(next).prev;
        set_links(node, prev, next);
        set_prev(next, node);
        set_next(&*prev, node);
    }
}

#[inline]
unsafe fn links(node: &Node) -> Links {
    // SAFETY: see above.
    node.links.with(|slot| unsafe { *slot })
}

#[inline]
unsafe fn set_links(node: &Node, prev: *const Node, next: *const Node) {
    // SAFETY: see above.
    node.links
        .with_mut(|slot| unsafe { *slot = Links { prev, next } });
}

#[inline]
unsafe fn set_prev(node: &Node, prev: *const Node) {
    // SAFETY: see above.
    node.links.with_mut(|slot| unsafe { (*slot).prev = prev });
}

#[inline]
unsafe fn set_next(node: &Node, next: *const Node) {
    // SAFETY: see above.
    node.links.with_mut(|slot| unsafe { (*slot).next = next });
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
