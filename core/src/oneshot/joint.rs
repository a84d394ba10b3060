//! The machine: the state word, the three cells beside it, and the two ends.
//! All unsafe code of the oneshot channel is in this file.
//!
//! # Invariants
//!
//! - **ALIVE**: a [`Joint`] is alive until both ends have left. An end leaves
//!   once, by its own bit of the word, and touches the joint no more; on the heap
//!   the second to leave frees it.
//! - **OWNED**: a cell belongs to the end that the table in the
//!   [module above](super) names for the word's value, which alone reads and
//!   writes it. But the end that has put its waker into a cell may compare it
//!   also while the other end takes it out: both only read, and neither writes there
//!   until the first has seen in the word that it is over. A waker of the receiver that
//!   is there with CLOSED is of the end that clears its bit.

use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::{self, NonNull};
use core::task::Waker;

use crate::primitive::{AtomicUsize, Ordering, TrackedCell, const_fn};
use crate::wake_batch::{discard, wake};

use super::Home;

/// The receiver's waker is in its cell.
const RX_WAKER: usize = 1;
/// The sender's waker is in its cell.
const TX_WAKER: usize = 1 << 1;
const WAKERS: usize = RX_WAKER | TX_WAKER;
/// The sender has sent, or is gone, before the receiver closed.
const DONE: usize = 1 << 2;
/// The sender has sent a value (with DONE).
const SENT: usize = 1 << 3;
/// The receiver closed, or is gone, before the sender was done.
const CLOSED: usize = 1 << 4;
const OVER: usize = DONE | CLOSED;
/// The sender has left.
const TX_LEFT: usize = 1 << 5;
/// The receiver has left.
const RX_LEFT: usize = 1 << 6;
const FREE: usize = TX_LEFT | RX_LEFT;

/// What the two ends share.
pub(super) struct Joint<T> {
    state: AtomicUsize,
    rx_waker: TrackedCell<MaybeUninit<Waker>>,
    tx_waker: TrackedCell<MaybeUninit<Waker>>,
    value: TrackedCell<MaybeUninit<T>>,
}

// SAFETY: by OWNED, sharing a joint hands a value from one thread to another, no
// more; a `Waker` is `Send` and `Sync`.
unsafe impl<T: Send> Sync for Joint<T> {}

impl<T> Joint<T> {
    const_fn! {
        /// One that both ends have left.
        pub(super) const fn free() -> Self {
            Self::with_state(FREE)
        }
    }

    const_fn! {
        const fn with_state(state: usize) -> Self {
            Self {
                state: AtomicUsize::new(state),
                rx_waker: TrackedCell::new(MaybeUninit::uninit()),
                tx_waker: TrackedCell::new(MaybeUninit::uninit()),
                value: TrackedCell::new(MaybeUninit::uninit()),
            }
        }
    }

    /// The ends of one on the heap.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(super) fn on_heap() -> (Tx<T, super::Heap>, Rx<T, super::Heap>) {
        let joint = alloc::boxed::Box::new(Self::with_state(0));
        ends(NonNull::from(alloc::boxed::Box::leak(joint)))
    }

    /// The ends, if both have left; else `None`.
    #[inline]
    pub(super) fn lend(&self) -> Option<(Tx<T, super::Lent<'_>>, Rx<T, super::Lent<'_>>)> {
        let state = self.state.load(Ordering::Relaxed);
        // ORDERING: Acquire. The last end left with Release, having acquired
        // what the other one released: their uses of the cells come before
        // those of the new ends.
        let lent = state & FREE == FREE
            && self
                .state
                .compare_exchange(state, 0, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        lent.then(|| ends(NonNull::from(self)))
    }

    /// The ends, whatever there was before.
    #[inline]
    pub(super) fn lend_mut(&mut self) -> (Tx<T, super::Lent<'_>>, Rx<T, super::Lent<'_>>) {
        self.reclaim();
        self.state.store(0, Ordering::Relaxed);
        ends(NonNull::from(&*self))
    }

    /// Makes it one that both ends have left, also if they were leaked.
    pub(super) fn reclaim(&mut self) {
        // ORDERING: Relaxed. The holder of a `&mut` has synchronised with the holders
        // of the ends.
        let state = self.state.load(Ordering::Relaxed);
        if state & FREE == FREE {
            return;
        }
        // SAFETY: invariant OWNED: the ends are gone, so all is ours; the word
        // says what there is. The receiver takes the value before it leaves.
        let (rx_waker, tx_waker, value) = unsafe {
            (
                (state & RX_WAKER != 0).then(|| take(&self.rx_waker)),
                (state & TX_WAKER != 0).then(|| take(&self.tx_waker)),
                (state & (SENT | RX_LEFT) == SENT).then(|| take(&self.value)),
            )
        };
        self.state.store(FREE, Ordering::Relaxed);
        let _last = Discard(tx_waker);
        let _then = Discard(rx_waker);
        drop(value);
    }
}

/// The ends of a joint whose word is 0.
#[inline]
fn ends<T, H: Home>(joint: NonNull<Joint<T>>) -> (Tx<T, H>, Rx<T, H>) {
    let tx = Tx {
        joint,
        home: PhantomData,
    };
    let rx = Rx {
        joint: Some(joint),
        home: PhantomData,
    };
    (tx, rx)
}

/// The sender's end. It leaves when it is dropped.
pub(super) struct Tx<T, H: Home> {
    joint: NonNull<Joint<T>>,
    home: PhantomData<H>,
}

/// The receiver's end. It leaves when it has received, or is dropped.
pub(super) struct Rx<T, H: Home> {
    // `None` once it has left.
    joint: Option<NonNull<Joint<T>>>,
    home: PhantomData<H>,
}

// SAFETY: an end hands a value to another thread, so `T: Send`; by ALIVE it is
// like a share of an `Arc`, by OWNED all else is ordered by the word.
unsafe impl<T: Send, H: Home> Send for Tx<T, H> {}
// SAFETY: by OWNED the cells are reached through a `&mut` to an end; through a
// shared one the word is, which is atomic.
unsafe impl<T: Send, H: Home> Sync for Tx<T, H> {}
// SAFETY: by ALIVE and OWNED, as for `Tx`.
unsafe impl<T: Send, H: Home> Send for Rx<T, H> {}
// SAFETY: by OWNED, as for `Tx`.
unsafe impl<T: Send, H: Home> Sync for Rx<T, H> {}

impl<T, H: Home> Tx<T, H> {
    /// What it shares with the other end.
    #[inline]
    fn joint(&self) -> &Joint<T> {
        // SAFETY: invariant ALIVE: an end that exists has not left.
        unsafe { self.joint.as_ref() }
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        // ORDERING: Acquire: what came before the closing is visible.
        self.joint().state.load(Ordering::Acquire) & CLOSED != 0
    }

    #[inline]
    pub(super) fn is_connected_to(&self, rx: &Rx<T, H>) -> bool {
        rx.joint == Some(self.joint)
    }

    /// Whether the receiver has closed; else `waker` will be woken when it does.
    #[inline]
    pub(super) fn watch(&mut self, waker: &Waker) -> bool {
        let joint = self.joint();
        // SAFETY: invariant ALIVE: we have not left. The receiver ends the
        // sender's turn with its waker by CLOSED.
        unsafe { register(&joint.state, &joint.tx_waker, TX_WAKER, CLOSED, waker) }
    }

    /// Takes the waker of [`watch`](Self::watch) back.
    #[inline(never)]
    pub(super) fn unwatch(&mut self) {
        let joint = self.joint();
        // SAFETY: by ALIVE, as in `watch`.
        let waker = unsafe { withdraw(&joint.state, &joint.tx_waker, TX_WAKER, CLOSED) };
        discard(waker);
    }

    /// Sends, unless the receiver has closed.
    #[inline]
    pub(super) fn send(self, value: T) -> Result<(), T> {
        let joint = ManuallyDrop::new(self).joint;
        // SAFETY: invariants ALIVE, and OWNED: the value's cell is the sender's
        // until it says SENT, which it has not; if it may not, the value is
        // still there.
        unsafe {
            put(&joint.as_ref().value, value);
            Self::end(joint, DONE | SENT).map_err(|state| {
                let value = take(&joint.as_ref().value);
                Self::leave_closed(joint, state);
                value
            })
        }
    }

    /// Is done, and leaves. An error is the word that says that the receiver had
    /// closed; then it has not left.
    ///
    /// # Safety
    ///
    /// The sender has not left. With SENT, the value is in its cell.
    #[inline]
    unsafe fn end(joint: NonNull<Joint<T>>, outcome: usize) -> Result<(), usize> {
        // SAFETY: invariant ALIVE until the change that says TX_LEFT.
        let word = unsafe { &(*joint.as_ptr()).state };
        let mut state = word.load(Ordering::Acquire);
        loop {
            if state & CLOSED != 0 {
                return Err(state);
            }
            // With a waker to take out we leave only afterwards.
            let left = if state & WAKERS == 0 { TX_LEFT } else { 0 };
            // ORDERING: Release gives the receiver the value, and the joint to
            // free. Acquire takes over its waker. On failure Acquire, for what
            // came before CLOSED.
            match word.compare_exchange_weak(
                state,
                (state & !WAKERS) | outcome | left,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => break,
                Err(actual) => state = actual,
            }
        }
        if state & WAKERS != 0 {
            // SAFETY: invariants ALIVE, as we have not left, and OWNED: DONE without
            // CLOSED has made both wakers the sender's.
            unsafe { Self::end_waits(joint, state) };
        }
        Ok(())
    }

    /// Takes the wakers out that there were by `state`, leaves, and wakes.
    ///
    /// # Safety
    ///
    /// The sender has not left. By OWNED the wakers are its own, and there is one.
    #[inline(never)]
    unsafe fn end_waits(joint: NonNull<Joint<T>>, state: usize) {
        // SAFETY: invariants ALIVE and OWNED, the caller's promise.
        unsafe {
            if state & WAKERS == RX_WAKER {
                let theirs = take(&joint.as_ref().rx_waker);
                leave::<T, H>(joint, state, TX_LEFT);
                wake(Some(theirs));
            } else {
                let wakers = Wakers {
                    own: Some(take(&joint.as_ref().tx_waker)),
                    theirs: (state & RX_WAKER != 0).then(|| take(&joint.as_ref().rx_waker)),
                };
                leave::<T, H>(joint, state, TX_LEFT);
                wakers.let_go();
            }
        }
    }
}

impl<T, H: Home> Tx<T, H> {
    /// Leaves what the receiver has closed, and wakes the task that had polled the
    /// receiver before, if another one closed it.
    ///
    /// # Safety
    ///
    /// The sender has not left. The word said CLOSED when `state` was read.
    #[cold]
    #[inline(never)]
    unsafe fn leave_closed(joint: NonNull<Joint<T>>, state: usize) {
        let theirs = if state & RX_WAKER == 0 {
            None
        } else {
            // SAFETY: invariants ALIVE, and OWNED: with CLOSED no thread puts a waker
            // there, and the one that is there is of the end that clears its bit.
            unsafe {
                let joint = joint.as_ref();
                withdraw(&joint.state, &joint.rx_waker, RX_WAKER, 0)
            }
        };
        // SAFETY: invariant ALIVE: we have not left.
        unsafe { leave::<T, H>(joint, state, TX_LEFT) };
        wake(theirs);
    }
}

impl<T, H: Home> Drop for Tx<T, H> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: invariant ALIVE: what is dropped has not left, and is not used
        // again.
        unsafe {
            if let Err(state) = Self::end(self.joint, DONE) {
                Self::leave_closed(self.joint, state);
            }
        }
    }
}

impl<T, H: Home> Rx<T, H> {
    /// What it shares with the other end, until it leaves.
    #[inline]
    fn joint(&self) -> Option<&Joint<T>> {
        // SAFETY: invariant ALIVE: the pointer is there until this leaves.
        self.joint.map(|joint| unsafe { joint.as_ref() })
    }

    /// The word, as if closed for one that has left.
    #[inline]
    fn state(&self) -> usize {
        // ORDERING: Acquire, from the sender's Release: its value, and what
        // came before.
        self.joint()
            .map_or(CLOSED, |joint| joint.state.load(Ordering::Acquire))
    }

    #[inline]
    pub(super) fn has_left(&self) -> bool {
        self.joint.is_none()
    }

    /// Whether a value is there to be received.
    #[inline]
    pub(super) fn has_value(&self) -> bool {
        self.state() & SENT != 0
    }

    /// Whether there is an outcome: [`finish`](Self::finish) may be called.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.state() & OVER != 0
    }

    /// Whether there is an outcome; else `waker` will be woken when there is.
    #[inline]
    pub(super) fn watch(&mut self, waker: &Waker) -> bool {
        self.joint().is_none_or(|joint| {
            // SAFETY: invariant ALIVE: we have not left. The sender ends the
            // receiver's turn with its waker by DONE, and the receiver itself by
            // CLOSED.
            unsafe { register(&joint.state, &joint.rx_waker, RX_WAKER, OVER, waker) }
        })
    }

    /// Takes the waker of [`watch`](Self::watch) back.
    #[inline(never)]
    pub(super) fn unwatch(&mut self) {
        if let Some(joint) = self.joint() {
            // SAFETY: by ALIVE, as in `watch`.
            let waker = unsafe { withdraw(&joint.state, &joint.rx_waker, RX_WAKER, OVER) };
            discard(waker);
        }
    }

    /// Takes the outcome, and leaves: the value, or `None` if there is none and
    /// never will be.
    ///
    /// Call it when [it is over](Self::is_over).
    #[inline]
    pub(super) fn finish(&mut self) -> Option<T> {
        let state = self.state();
        assert!(state & OVER != 0, "a oneshot channel without an outcome");
        let joint = self.joint.take()?;
        // If it is over without a value there never will be one: the sender is done,
        // or sees CLOSED.
        if state & SENT == 0 {
            // SAFETY: invariant ALIVE: we have not left, and forgot the pointer.
            unsafe { Self::finish_without(joint, state) };
            return None;
        }
        // SAFETY: invariant ALIVE, we have not left. OWNED: a value that was
        // sent is the receiver's.
        let value = unsafe { take(&joint.as_ref().value) };
        // SAFETY: invariant ALIVE: we have not left, and forgot the pointer.
        unsafe { leave::<T, H>(joint, state, RX_LEFT) };
        Some(value)
    }

    /// Leaves what is over without a value.
    ///
    /// # Safety
    ///
    /// The receiver has not left, and uses the joint no more. The word said DONE or
    /// CLOSED when `state` was read.
    #[cold]
    #[inline(never)]
    unsafe fn finish_without(joint: NonNull<Joint<T>>, state: usize) {
        let _own = Discard(if state & RX_WAKER == 0 {
            None
        } else {
            // SAFETY: invariants ALIVE, and OWNED: only with CLOSED is it still
            // there, and of the end that clears its bit.
            unsafe {
                let joint = joint.as_ref();
                withdraw(&joint.state, &joint.rx_waker, RX_WAKER, 0)
            }
        });
        // SAFETY: invariant ALIVE: we have not left.
        unsafe { leave::<T, H>(joint, state, RX_LEFT) };
    }

    /// Closes and leaves, without the value. Apart from the drop, which most often
    /// finds that this has left.
    #[inline(never)]
    fn give_up(&mut self, joint: NonNull<Joint<T>>) {
        // SAFETY: invariant ALIVE: it has not left yet; if `shut` makes it, the
        // pointer is not used again.
        match unsafe { Self::shut(joint, true) } {
            Ok(wakers) => wakers.let_go(),
            Err(_) => drop(self.finish()),
        }
    }

    /// Tells the sender that no value is wanted, unless it is done already. A waker of
    /// [`watch`](Self::watch) stays: the sender wakes it as it goes.
    pub(super) fn close(&mut self) {
        let Some(joint) = self.joint else { return };
        // SAFETY: invariant ALIVE: we do not leave.
        if let Ok(wakers) = unsafe { Self::shut(joint, false) } {
            wakers.let_go();
        }
    }

    /// Closes; with `and_leave`, also leaves. An error is the word that says that it
    /// is over already; then nothing was done.
    ///
    /// # Safety
    ///
    /// The receiver has not left, and, with `and_leave`, uses the joint no more.
    #[inline]
    unsafe fn shut(joint: NonNull<Joint<T>>, and_leave: bool) -> Result<Wakers, usize> {
        // SAFETY: invariant ALIVE until the change that says RX_LEFT.
        let word = unsafe { &(*joint.as_ptr()).state };
        let mut state = word.load(Ordering::Acquire);
        loop {
            if state & OVER != 0 {
                return Err(state);
            }
            let at_once = and_leave && state & WAKERS == 0;
            // Another task than the one that closes may wait by our waker.
            let taken = if and_leave { WAKERS } else { TX_WAKER };
            // ORDERING: Release is what `closed` acquires, and hands over the
            // joint. Acquire takes over the sender's waker. On failure Acquire,
            // for the value that came with DONE.
            match word.compare_exchange_weak(
                state,
                (state & !taken) | CLOSED | if at_once { RX_LEFT } else { 0 },
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) if at_once => return Ok(Wakers::default()),
                Ok(_) => break,
                Err(actual) => state = actual,
            }
        }
        let takes_own = and_leave && state & RX_WAKER != 0;
        // SAFETY: invariants ALIVE, as we have not left, and OWNED: CLOSED
        // without DONE has made those wakers the receiver's whose bits it has
        // cleared, and the word said which there were.
        let wakers = unsafe {
            Wakers {
                own: takes_own.then(|| take(&joint.as_ref().rx_waker)),
                theirs: (state & TX_WAKER != 0).then(|| take(&joint.as_ref().tx_waker)),
            }
        };
        if and_leave {
            // SAFETY: invariant ALIVE: we have not left yet.
            unsafe { leave::<T, H>(joint, state, RX_LEFT) };
        }
        Ok(wakers)
    }
}

impl<T, H: Home> Drop for Rx<T, H> {
    #[inline]
    fn drop(&mut self) {
        if let Some(joint) = self.joint {
            self.give_up(joint);
        }
    }
}

/// Wakers that were taken out of their cells by the end that made it over.
#[derive(Default)]
struct Wakers {
    own: Option<Waker>,
    theirs: Option<Waker>,
}

impl Wakers {
    #[inline]
    fn let_go(self) {
        let _own = Discard(self.own);
        wake(self.theirs);
    }
}

/// A waker that is dropped last, also if another one panics, and then without a
/// second panic.
struct Discard(Option<Waker>);

impl Drop for Discard {
    #[inline]
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

/// Whether it is over; else sees to it that `waker` is in the cell.
///
/// # Safety
///
/// The caller is the end whose waker's cell this is, and has not left; `bit` is
/// that of the cell, and `over` what ends this end's turn with it.
#[inline]
unsafe fn register(
    word: &AtomicUsize,
    cell: &TrackedCell<MaybeUninit<Waker>>,
    bit: usize,
    over: usize,
    waker: &Waker,
) -> bool {
    // ORDERING: Acquire, for what the other end released when it was over.
    let state = word.load(Ordering::Acquire);
    if state & over != 0 {
        return true;
    }
    if state & bit == 0 {
        // Foreign code, which may use the other end: before anything is changed.
        let waker = waker.clone();
        // SAFETY: the caller's promise.
        return unsafe { insert(word, cell, bit, over, state, waker) };
    }
    // SAFETY: invariant OWNED: we put it there and compare. If the other end takes
    // it at this moment it reads as well.
    if cell.with(|slot| unsafe { (*slot).assume_init_ref().will_wake(waker) }) {
        return false;
    }
    // SAFETY: the caller's promise.
    unsafe { renew(word, cell, bit, over, waker) }
}

/// [`register`] with another waker in place of the one that is there.
///
/// # Safety
///
/// As of [`register`].
#[cold]
unsafe fn renew(
    word: &AtomicUsize,
    cell: &TrackedCell<MaybeUninit<Waker>>,
    bit: usize,
    over: usize,
    waker: &Waker,
) -> bool {
    // As in `register`, and the other is dropped when all is done.
    let mut fresh = Discard(Some(waker.clone()));
    // SAFETY: by OWNED, the caller's promise.
    let _outdated = Discard(unsafe { withdraw(word, cell, bit, over) });
    let state = word.load(Ordering::Acquire);
    state & over != 0
        || fresh.0.take().is_some_and(|fresh| {
            // SAFETY: invariant OWNED: neither is the bit there, nor is it over.
            unsafe { insert(word, cell, bit, over, state, fresh) }
        })
}

/// Puts a waker into the cell, which is empty, unless it is over meanwhile; then
/// drops it. `state` is what the word was.
///
/// # Safety
///
/// As of [`register`]; and the word had not `bit`, nor was it over.
#[inline]
unsafe fn insert(
    word: &AtomicUsize,
    cell: &TrackedCell<MaybeUninit<Waker>>,
    bit: usize,
    over: usize,
    mut state: usize,
    waker: Waker,
) -> bool {
    // SAFETY: invariant OWNED: without `bit` the cell is ours, also if it is over by
    // now: the other end takes no waker that the word does not tell of.
    unsafe { put(cell, waker) };
    loop {
        // ORDERING: Release gives the other end the waker. On failure Acquire,
        // as in `register`.
        match word.compare_exchange_weak(state, state | bit, Ordering::Release, Ordering::Acquire) {
            Ok(_) => return false,
            Err(actual) => state = actual,
        }
        if state & over != 0 {
            // SAFETY: by OWNED, as above.
            discard(Some(unsafe { take(cell) }));
            return true;
        }
    }
}

/// Takes one's own waker back, if it is there and the other end has not taken
/// it. Or, with CLOSED and no bit for `over`, the receiver's, by either end.
///
/// # Safety
///
/// As of [`register`].
#[inline]
unsafe fn withdraw(
    word: &AtomicUsize,
    cell: &TrackedCell<MaybeUninit<Waker>>,
    bit: usize,
    over: usize,
) -> Option<Waker> {
    let mut state = word.load(Ordering::Relaxed);
    while state & over == 0 && state & bit != 0 {
        // ORDERING: Relaxed: we alone have touched the cell, and the other end
        // learns nothing from this. A thread that sees that it is over reads the word
        // again. The sender, which takes the receiver's, has seen CLOSED with
        // Acquire, and so what was put there before; neither end touches the cell
        // again, and what it has read there comes before it leaves, with Release.
        match word.compare_exchange_weak(state, state & !bit, Ordering::Relaxed, Ordering::Relaxed)
        {
            // SAFETY: invariant OWNED: without `bit` the cell is ours.
            Ok(_) => return Some(unsafe { take(cell) }),
            Err(actual) => state = actual,
        }
    }
    None
}

/// Moves something into a cell.
///
/// # Safety
///
/// By OWNED the cell is the caller's, and it is empty.
#[inline]
unsafe fn put<V>(cell: &TrackedCell<MaybeUninit<V>>, content: V) {
    // SAFETY: by OWNED, the caller's promise.
    cell.with_mut(|slot| unsafe { (*slot).write(content) });
}

/// Moves something out of a cell.
///
/// # Safety
///
/// By OWNED the content is the caller's, and it is there.
#[inline]
unsafe fn take<V>(cell: &TrackedCell<MaybeUninit<V>>) -> V {
    // SAFETY: by OWNED, the caller's promise. It reads, so that the content may still be
    // compared.
    cell.with(|slot| unsafe { ptr::read(slot).assume_init() })
}

/// Leaves, having read `state` from the word a while ago; on the heap the second
/// to leave frees the joint.
///
/// # Safety
///
/// The end whose bit `own` is has not left, and uses the joint no more. `state`
/// was read with Acquire.
#[inline]
unsafe fn leave<T, H: Home>(joint: NonNull<Joint<T>>, state: usize, own: usize) {
    let other = FREE ^ own;
    let alone = state & other != 0;
    if alone && !H::HEAP {
        // ORDERING: Release: what both ends did to the cells comes before they
        // are lent again. No other thread changes the word now.
        // SAFETY: invariant ALIVE, up to this change.
        unsafe { (*joint.as_ptr()).state.store(FREE, Ordering::Release) };
        return;
    }
    // On the heap, an end that is alone need not tell.
    let alone = alone || {
        // ORDERING: Release: what we did to the cells comes before they are
        // freed, or lent again. Acquire: so does what the other end did.
        // SAFETY: invariant ALIVE, up to this change: the bit is not there yet.
        let before = unsafe { (*joint.as_ptr()).state.fetch_add(own, Ordering::AcqRel) };
        before & other != 0
    };
    #[cfg(feature = "alloc")]
    if H::HEAP && alone {
        // SAFETY: invariant ALIVE: both have left, and ends whose home is `Heap`
        // are of a `Box`.
        drop(unsafe { alloc::boxed::Box::from_raw(joint.as_ptr()) });
    }
    #[cfg(not(feature = "alloc"))]
    let _ = alone;
}
