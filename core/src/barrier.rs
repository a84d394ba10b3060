//! [`Barrier`]: the point that no task passes before `n` have reached it.
//!
//! Each wait that is polled *arrives*. The last of `n` to arrive is the leader:
//! it releases the others and the barrier is as new, for the next *generation*.
//! A leader that brings an action runs it before it releases any wait.
//!
//! ```text
//!     arrive (not the last), drop                 arrive or drop, behind
//!          ┌──┐                                         ┌──┐
//!          │  ▼      the last arrives, with an action   │  ▼
//!        GATHERING ──────────────────────────────────► ACTING
//!        │  ▲   ▲                                      │  │
//!        └──┘   └── the action ends well: release ─────┤  │ ... and the waits
//!  the last     │   ... or not: the leader withdraws   │  │ queued behind make
//!  arrives,     └──────────────────────────────────────┘  │ n again: the n-th
//!  without: release                                       ▼ has the lead
//!                                                       ACTING
//! ```
//!
//! The ring holds the waits in the order in which they arrived, and each has a
//! role. While a leader acts, it is itself in the ring: it marks the
//! place where its generation ends.
//!
//! ```text
//!   GATHERING   MEMBER*            members < n
//!   ACTING      MEMBER* LEADER LATE*
//! ```
//!
//! | | GATHERING | ACTING |
//! |-|-|-|
//! | arrive, not the last | queues as MEMBER | queues as LATE |
//! | arrive, the last, without an action | releases all, ready at once | – |
//! | arrive, the last, with an action | queues as LEADER, runs the action | – |
//! | drop of a MEMBER | no longer counts | the same; the generation is complete all the same |
//! | drop of a LATE | – | leaves the ring |
//! | the action ends well | – | releases the members; the late become members |
//! | the action fails, or the LEADER is dropped | – | the leader leaves the ring; the late become members |
//! | drop of a released wait | nothing | nothing |
//!
//! When the late become members and the `n`-th of them comes up, it is the
//! leader: without an action its generation is released there and then, and
//! the rest of the late are looked at; with one it is woken, and has the lead.
//!
//! Invariant **LEAD**: the state says *acting* exactly when one node in the ring
//! is LEADER; nodes behind it are LATE, all others MEMBER, and `members` counts
//! these. A thread that ends a leader's turn looks for the next one under the same
//! lock, so no generation that is complete is ever left without a leader.
//!
//! Invariant **GENERATION**: a node carries the generation in which it became
//! MEMBER or LEADER. One that is queued and of another generation than the
//! state's has been released, and is on its way out in a ring moved aside.
//!
//! # Memory ordering
//!
//! Each task arrives under the lock, and the leader comes to it after its action
//! once more: so what any of them wrote before is seen by the one that releases.
//! A released wait reads its verdict with Acquire, which was stored with
//! Release, or finds itself released under the lock.

use core::fmt;
use core::future::Future;
use core::mem;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use crate::action::{Action, Call, CallAsync, TryCall, TryCallAsync};
use crate::io::{Bare, Io};
use crate::primitive::const_fn;
use crate::wait_list::{
    Entry, IDLE, LockedTicket, QUEUED, Ring, TAG_MAX, Ticket, VERDICT, WaitList, has_list,
};
use crate::wake_batch::{discard, wake};

mod waiter;

pub use waiter::Waiter;

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod action_tests;
#[cfg(all(test, anysync_loom))]
mod loom_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

// The verdicts on a node.
/// The generation was released; the tag says whether the wait led it.
const RELEASED: usize = VERDICT;
/// The wait has told its owner how it ended.
const TAKEN: usize = VERDICT + 1;

// The tag of a node: its role, whether it brings an action, its generation.
const MEMBER: usize = 0;
const LEADER: usize = 1;
const LATE: usize = 2;
const ROLE: usize = 0b11;
const ACTS: usize = 0b100;
const TAG_SHIFT: u32 = 3;
/// Generations are counted round. To be mistaken for one that has not been
/// released, a wait would have to stay in a ring aside, behind a waker that takes
/// so long, while 2^31 generations pass (2^26 on a 32-bit machine), exactly.
const GENERATIONS: usize = {
    let bits = TAG_MAX >> TAG_SHIFT;
    let most = (u32::MAX >> 1) as usize;
    if bits < most { bits } else { most }
};

/// Lets `n` tasks wait for each other, again and again.
///
/// Every wait returns once `n` have arrived, and tells the last to arrive that it
/// is the *leader*. The barrier then serves the next generation of `n`: a task
/// that comes back early waits for all of them.
///
/// By [`wait_then`](Barrier::wait_then) the last task to arrive does something before
/// any goes on:
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use std::thread;
/// use anysync::{Bare, Barrier, Block};
///
/// static PARTS: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];
/// static TOTAL: AtomicU64 = AtomicU64::new(0);
/// static CHECKPOINT: Barrier = Barrier::new(PARTS.len());
///
/// thread::scope(|scope| {
///     for (worker, part) in PARTS.iter().enumerate() {
///         scope.spawn(move || {
///             part.store(worker as u64 + 1, Relaxed);
///             let sum = || TOTAL.store(PARTS.iter().map(|part| part.load(Relaxed)).sum(), Relaxed);
///             Bare.block_on(CHECKPOINT.wait_then(Bare, sum));
///             assert_eq!(TOTAL.load(Relaxed), 10); // whichever was the last
///         });
///     }
/// });
/// ```
///
/// A barrier of one never has to wait for others, and a barrier of zero is one
/// of one. Any other number is taken as it is: a barrier of `usize::MAX` is
/// valid, and never opens.
///
/// # Fairness
///
/// A generation is released as one; the waits make up generations in the order
/// in which they arrived.
///
/// # Cancel safety
///
/// A wait that is dropped before its generation is released withdraws: it no
/// longer counts. Dropped after the release, it changes nothing: a leader that has
/// used up its task's budget and is dropped before its next poll has led, and no task
/// is told so.
///
/// # Memory ordering
///
/// What any task wrote before arriving, and what the leader's action wrote, is
/// visible to all of the generation after the wait.
///
/// # Size
///
/// On a 64-bit target 32 bytes; a wait 48, a [`Waiter`] 64.
pub struct Barrier {
    list: WaitList<State>,
    parties: usize,
}

has_list!([] Barrier, list: WaitList<State, [Ring; 1]>);

/// What the lock guards. Small, so that a barrier is.
#[derive(Clone, Copy)]
pub(crate) struct State {
    /// How many have arrived of this generation, without a leader that acts.
    members: u32,
    /// The generation, and in the lowest bit whether a leader acts.
    phase: u32,
}

impl State {
    fn is_acting(self) -> bool {
        self.phase & 1 == 1
    }

    fn set_acting(&mut self, acting: bool) {
        self.phase = (self.phase & !1) | u32::from(acting);
    }

    fn generation(self) -> usize {
        (self.phase >> 1) as usize
    }

    /// The tag of a wait of this generation.
    fn tag(self, role: usize, acts: bool) -> usize {
        (self.generation() << TAG_SHIFT) | if acts { ACTS } else { 0 } | role
    }

    /// The generation is over; the result is how many members it had.
    fn release(&mut self) -> usize {
        let next = (self.generation() + 1) & GENERATIONS;
        // `GENERATIONS` leaves room for the lowest bit.
        self.phase = (next as u32) << 1;
        mem::take(&mut self.members) as usize
    }
}

/// How a wait stands after it was polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It waits for others.
    Waits,
    /// It is to run its action.
    Leads,
    /// It is over.
    Released,
}

impl Barrier {
    const_fn! {
        /// A barrier for `parties` waits; zero counts as one.
        ///
        /// Any number is valid. More waits than the memory holds never come
        /// together, so a barrier of `usize::MAX` never opens.
        ///
        /// ```
        /// static START: anysync::Barrier = anysync::Barrier::new(8);
        /// assert_eq!(START.parties(), 8);
        /// assert_eq!(anysync::Barrier::new(0).parties(), 1);
        /// ```
        pub const fn new(parties: usize) -> Self {
            Self {
                list: WaitList::new([Ring::new()], State { members: 0, phase: 0 }),
                parties: if parties == 0 { 1 } else { parties },
            }
        }
    }

    /// How many waits make up a generation: at least one.
    #[inline]
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many waits of the coming generation have arrived, at this moment: at
    /// most [`parties`](Barrier::parties).
    ///
    /// A leader whose action runs is counted, those that queue behind it are not.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{Barrier, barrier::Waiter};
    ///
    /// let barrier = Barrier::new(2);
    /// let mut waiter = pin!(Waiter::new());
    /// barrier.wait_with(waiter.as_mut());
    /// assert_eq!(barrier.arrived(), 1);
    /// waiter.reset();
    /// assert_eq!(barrier.arrived(), 0);
    /// ```
    pub fn arrived(&self) -> usize {
        let state = *self.list.lock();
        state.members as usize + usize::from(state.is_acting())
    }

    /// Arrives, and waits until all have; `true` for the last to arrive, the
    /// leader. `io` is the executor that it runs on.
    ///
    /// The wait arrives when it is polled for the first time. The leader's first
    /// poll is ready. While an action runs (see
    /// [`wait_then`](Barrier::wait_then)), a new wait belongs to the next
    /// generation, even on a barrier of one.
    ///
    /// ```
    /// use anysync::{Barrier, Io};
    ///
    /// async fn worker(io: impl Io, phase: &Barrier) {
    ///     // The first half of the work, then:
    ///     if phase.wait(io).await {
    ///         println!("all are here, and one says so");
    ///     }
    /// }
    /// ```
    ///
    /// # Fairness
    ///
    /// All of a generation are released as one.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the release it withdraws, in constant time; after it,
    /// it changes nothing.
    ///
    /// # Memory ordering
    ///
    /// Acquires what all of the generation released by arriving.
    ///
    /// # Panics
    ///
    /// The poll that arrives panics when 2^32 - 1 waits are there already.
    /// The leader passes on a panic of a waker, once all are woken.
    #[inline]
    pub fn wait<I: Io>(&self, io: I) -> Wait<'_, I> {
        Wait {
            entry: Entry::new(self, 0),
            io,
        }
    }

    /// Arrives and waits, on any executor: [`wait`](Barrier::wait) with
    /// [`Bare`].
    #[inline]
    pub fn wait_future(&self) -> Wait<'_> {
        self.wait(Bare)
    }

    /// Like [`wait`](Barrier::wait); if it is the last to arrive, it calls
    /// `action` before any wait is released.
    ///
    /// Of each generation one action is called to its end: that of the last to
    /// arrive, if it brings one. All of the generation see what it did.
    ///
    /// If the action panics, the arrival is taken back and no wait is released:
    /// the others wait for another last one. The panic goes on to the caller that polled.
    ///
    /// A wait that arrives while the action runs belongs to the next generation. Should
    /// the action fail, such waits take the leader's place, in the order in which
    /// they came; the one that completes the generation is woken, and runs its
    /// own action.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{Bare, Barrier, Block, barrier::Waiter};
    ///
    /// let barrier = Barrier::new(2);
    /// let mut other = pin!(Waiter::new());
    /// barrier.wait_with(other.as_mut());
    ///
    /// let leader = Bare.block_on(barrier.wait_then(Bare, || {
    ///     assert!(!other.is_released(), "nobody has passed yet");
    /// }));
    /// assert!(leader);
    /// assert!(other.is_released());
    /// ```
    ///
    /// # Fairness
    ///
    /// As [`wait`](Barrier::wait).
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Barrier::wait). A member that is dropped while the leader's
    /// action runs does not hold up the release, as its generation is complete;
    /// should the action fail, it no longer counts.
    ///
    /// # Memory ordering
    ///
    /// As [`wait`](Barrier::wait); the action sees what all wrote before
    /// arriving, and all see what it wrote.
    ///
    /// # Panics
    ///
    /// As [`wait`](Barrier::wait), and when the action panics.
    #[inline]
    pub fn wait_then<F, I>(&self, io: I, action: F) -> WaitThen<'_, Call<F>, I>
    where
        F: FnOnce(),
        I: Io,
    {
        self.wait_and(io, Call::new(action))
    }

    /// [`wait_then`](Barrier::wait_then) with an async action.
    ///
    /// The action is cancelled by dropping this future: it then withdraws, as
    /// when the action panics.
    ///
    /// ```
    /// use anysync::{Barrier, Io, yield_now};
    ///
    /// async fn worker(io: impl Io, phase: &Barrier) {
    ///     let leader = phase.wait_then_async(io, async || {
    ///         yield_now().await; // say, write the results to a file
    ///     });
    ///     leader.await;
    /// }
    /// # anysync::io::block_on(worker(anysync::Bare, &Barrier::new(1)));
    /// ```
    ///
    /// Fairness, cancel safety, memory ordering and panics are those of
    /// [`wait_then`](Barrier::wait_then).
    #[inline]
    pub fn wait_then_async<F, Fut, I>(&self, io: I, action: F) -> WaitThen<'_, CallAsync<F, Fut>, I>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = ()>,
        I: Io,
    {
        self.wait_and(io, CallAsync::new(action))
    }

    /// [`wait_then`](Barrier::wait_then) with an action that may fail: then it
    /// withdraws, and its own wait returns the error.
    ///
    /// ```
    /// use anysync::{Bare, Barrier, Block};
    ///
    /// let barrier = Barrier::new(1);
    /// let failed = Bare.block_on(barrier.try_wait_then(Bare, || Err("no space left")));
    /// assert_eq!(failed, Err("no space left"));
    /// assert_eq!(barrier.arrived(), 0);
    ///
    /// let done = Bare.block_on(barrier.try_wait_then(Bare, || Ok::<(), &str>(())));
    /// assert_eq!(done, Ok(true));
    /// ```
    ///
    /// Fairness, cancel safety, memory ordering and panics are those of
    /// [`wait_then`](Barrier::wait_then).
    #[inline]
    pub fn try_wait_then<F, E, I>(&self, io: I, action: F) -> WaitThen<'_, TryCall<F>, I>
    where
        F: FnOnce() -> Result<(), E>,
        I: Io,
    {
        self.wait_and(io, TryCall::new(action))
    }

    /// [`wait_then_async`](Barrier::wait_then_async) with an action that may
    /// fail: then it withdraws, and its own wait returns the error.
    ///
    /// ```
    /// use anysync::{Bare, Barrier, Block};
    ///
    /// let barrier = Barrier::new(1);
    /// let wait = barrier.try_wait_then_async(Bare, async || Err("connection lost"));
    /// assert_eq!(Bare.block_on(wait), Err("connection lost"));
    /// ```
    ///
    /// Fairness, cancel safety, memory ordering and panics are those of
    /// [`wait_then`](Barrier::wait_then).
    #[inline]
    pub fn try_wait_then_async<F, Fut, E, I>(
        &self,
        io: I,
        action: F,
    ) -> WaitThen<'_, TryCallAsync<F, Fut>, I>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<(), E>>,
        I: Io,
    {
        self.wait_and(io, TryCallAsync::new(action))
    }

    #[inline]
    fn wait_and<A: Action, I>(&self, io: I, action: A) -> WaitThen<'_, A, I> {
        WaitThen {
            entry: Entry::new(self, 0),
            acting: false,
            action,
            io,
        }
    }

    /// Arrives without a future and returns at once. `true` says that it was the
    /// last, and that all are released; else the waker or callback of
    /// `waiter` is called when that happens.
    ///
    /// A waiter that has arrived stays where it is, and a released one stays
    /// released until it is [`reset`](Waiter::reset); the result is then
    /// [`Waiter::is_leader`].
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{Barrier, barrier::Waiter};
    ///
    /// let barrier = Barrier::new(2);
    /// let (mut first, mut last) = (pin!(Waiter::new()), pin!(Waiter::new()));
    /// assert!(!barrier.wait_with(first.as_mut()));
    /// assert!(barrier.wait_with(last.as_mut()));
    /// assert!(first.is_released() && !first.is_leader());
    /// assert!(last.is_released() && last.is_leader());
    /// ```
    ///
    /// # Panics
    ///
    /// If the waiter waits on another `Barrier`, or was released by it, and was
    /// not [`reset`](Waiter::reset) since; and as [`wait`](Barrier::wait).
    pub fn wait_with<'a>(&'a self, waiter: Pin<&mut Waiter<'a>>) -> bool {
        let mut entry = waiter.entry();
        if entry.status() == IDLE {
            entry.as_mut().bind(self);
            return self.arrive(entry.parts().1, false) == Turn::Released;
        }
        assert!(
            entry.is_bound_to(self),
            "this `Waiter` waits on another `Barrier`: `reset` it first"
        );
        entry.status() == RELEASED && entry.tag() & ROLE == LEADER
    }

    // What follows is the machine of a single wait. It is the same for the
    // futures and a `Waiter`.

    /// Arrives, if the wait has not; else looks how it stands and makes sure
    /// that `waker` is the one that will be woken.
    #[inline]
    fn poll_turn(&self, ticket: &mut Ticket<'_, State>, waker: &Waker, acts: bool) -> Turn {
        match ticket.status() {
            IDLE => {
                ticket.give_waker(Some(waker));
                let turn = self.arrive(ticket.again(), acts);
                if turn == Turn::Released {
                    discard(ticket.replace_waker(None));
                }
                turn
            }
            QUEUED => self.look_again(ticket.again(), waker),
            TAKEN => panic!("a wait on a `Barrier` was polled after it had finished"),
            _ => Turn::Released,
        }
    }

    /// Counts a wait in. The last of a generation that has no action releases
    /// it.
    fn arrive(&self, mut ticket: Ticket<'_, State>, acts: bool) -> Turn {
        let mut locked = ticket.lock();
        let state: &mut State = &mut locked;
        if state.is_acting() {
            let tag = state.tag(LATE, acts);
            locked.push_back(0, tag);
            return Turn::Waits;
        }
        if (state.members as usize) < self.parties - 1 {
            let Some(members) = state.members.checked_add(1) else {
                drop(locked);
                panic!(
                    "too many waits on a `Barrier`: there are {} already",
                    u32::MAX
                );
            };
            state.members = members;
            let tag = state.tag(MEMBER, acts);
            locked.push_back(0, tag);
            return Turn::Waits;
        }
        let tag = state.tag(LEADER, acts);
        if acts {
            state.set_acting(true);
            locked.push_back(0, tag);
            return Turn::Leads;
        }
        let others = state.release();
        locked.set(RELEASED, tag);
        if others > 0 {
            locked.into_locked().settle_all(0, RELEASED);
        }
        Turn::Released
    }

    /// A queued wait is polled again.
    #[cold]
    fn look_again(&self, mut ticket: Ticket<'_, State>, waker: &Waker) -> Turn {
        let mut fresh = None;
        loop {
            let mut locked = ticket.lock();
            if locked.status() != QUEUED {
                drop(locked);
                discard(fresh);
                return Turn::Released;
            }
            if is_aside(&locked) {
                // Its generation is released, and the news on its way.
                let own = locked.remove();
                let tag = locked.tag();
                locked.set(RELEASED, tag);
                drop(locked);
                discard(own);
                discard(fresh);
                return Turn::Released;
            }
            if locked.tag() & ROLE == LEADER {
                drop(locked);
                discard(fresh);
                return Turn::Leads;
            }
            if locked.will_wake(waker) {
                drop(locked);
                discard(fresh);
                return Turn::Waits;
            }
            if let Some(fresh) = fresh {
                let outdated = locked.replace_waker(Some(fresh));
                drop(locked);
                discard(outdated);
                return Turn::Waits;
            }
            drop(locked);
            fresh = Some(waker.clone());
        }
    }

    /// Takes back an arrival, unless the wait has been released.
    #[inline]
    fn withdraw(&self, ticket: &mut Ticket<'_, State>) {
        if ticket.status() == QUEUED {
            self.unqueue(ticket.again());
        }
        ticket.set(IDLE, 0);
    }

    fn unqueue(&self, mut ticket: Ticket<'_, State>) {
        let mut locked = ticket.lock();
        if locked.status() != QUEUED {
            return;
        }
        let aside = is_aside(&locked);
        let role = locked.tag() & ROLE;
        if role == LEADER && !aside {
            self.end_lead(locked, Outcome::Withdrawn);
            return;
        }
        let own = locked.remove();
        if role == MEMBER && !aside {
            locked.members -= 1;
        }
        drop(locked);
        discard(own);
    }

    /// A leader in the ring has done what it came for, or never will: its
    /// generation is released, or goes on without it. Those that queued behind it move
    /// up, as far as to the next leader with an action.
    fn end_lead(&self, mut locked: LockedTicket<'_, State>, outcome: Outcome) {
        let mut state: State = **locked;
        state.set_acting(false);
        let mut released = 0;
        if outcome == Outcome::Done {
            released += state.release();
        }
        let mut news = News::default();
        locked.each_behind(0, |late| {
            let acts = late.tag() & ACTS != 0;
            if (state.members as usize) < self.parties - 1 {
                late.set_tag(state.tag(MEMBER, acts));
                // Fits: there has been a leader, so `parties - 1` was reached.
                state.members += 1;
                return ControlFlow::Continue(());
            }
            late.set_tag(state.tag(LEADER, acts));
            if acts {
                state.set_acting(true);
                news.wake = late.take_waker();
                return ControlFlow::Break(());
            }
            released += state.release() + 1;
            ControlFlow::Continue(())
        });
        let tag = locked.tag();
        news.discard = locked.remove();
        locked.set(outcome.status(), tag);
        **locked = state;
        if released == 0 {
            drop(locked);
        } else if state.members == 0 && !state.is_acting() {
            locked.into_locked().settle_all(0, RELEASED);
        } else {
            locked.into_locked().settle_front(0, released, RELEASED);
        }
    }
}

/// Whether a queued wait is in a ring that was moved aside: invariant
/// GENERATION. No wait is late in such a ring.
fn is_aside(locked: &LockedTicket<'_, State>) -> bool {
    let tag = locked.tag();
    tag & ROLE != LATE && tag >> TAG_SHIFT != locked.generation()
}

/// How a leader's turn ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Its action has been run.
    Done,
    /// Its action has failed, or it was dropped.
    Withdrawn,
}

impl Outcome {
    fn status(self) -> usize {
        match self {
            Self::Done => RELEASED,
            Self::Withdrawn => TAKEN,
        }
    }
}

/// Wakers to be seen to when the lock is open, also while a panic of another
/// unwinds.
#[derive(Default)]
struct News {
    wake: Option<Waker>,
    discard: Option<Waker>,
}

impl Drop for News {
    fn drop(&mut self) {
        wake(self.wake.take());
        discard(self.discard.take());
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("parties", &self.parties)
            .field("arrived", &self.arrived())
            .finish()
    }
}

pin_project! {
    /// The future of [`Barrier::wait`] and [`Barrier::wait_future`]: `true` for
    /// the leader.
    #[must_use = "a wait arrives when it is first polled"]
    pub struct Wait<'a, I = Bare> {
        #[pin]
        entry: Entry<&'a Barrier>,
        io: I,
    }

    impl<I> PinnedDrop for Wait<'_, I> {
        fn drop(this: Pin<&mut Self>) {
            let (barrier, ticket) = this.project().entry.parts();
            if ticket.status() == QUEUED {
                barrier.unqueue(ticket);
            }
        }
    }
}

impl<I: Io> Future for Wait<'_, I> {
    type Output = bool;

    /// # Panics
    ///
    /// When it has finished.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let this = self.project();
        let (barrier, mut ticket) = this.entry.parts();
        if barrier.poll_turn(&mut ticket, cx.waker(), false) != Turn::Released {
            return Poll::Pending;
        }
        ready!(this.io.poll_spend(cx));
        Poll::Ready(take(&mut ticket))
    }
}

pin_project! {
    /// The future of [`Barrier::wait_then`] and its kin. The output is `true`
    /// for the leader, or a `Result` of that where the action may fail.
    #[must_use = "a wait arrives when it is first polled"]
    pub struct WaitThen<'a, A, I = Bare>
    where
        A: Action,
    {
        #[pin]
        entry: Entry<&'a Barrier>,
        // This wait leads, and has begun to run its action.
        acting: bool,
        #[pin]
        action: A,
        io: I,
    }

    impl<A: Action, I> PinnedDrop for WaitThen<'_, A, I> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let (barrier, ticket) = this.entry.as_mut().parts();
            // Withdraws after the action is gone, also if that panics.
            let _withdrawal = Withdrawal { barrier, ticket };
            if *this.acting {
                this.action.cancel();
            }
        }
    }
}

impl<A: Action<Value = ()>, I: Io> Future for WaitThen<'_, A, I> {
    type Output = A::Outcome<bool>;

    /// # Panics
    ///
    /// When it has finished, and when the action panics.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (barrier, mut ticket) = this.entry.parts();
        if !*this.acting {
            match barrier.poll_turn(&mut ticket, cx.waker(), true) {
                Turn::Waits => return Poll::Pending,
                Turn::Leads => *this.acting = true,
                Turn::Released => {}
            }
        }
        if *this.acting {
            let mut lead = Lead {
                barrier,
                ticket: &mut ticket,
                acting: this.acting,
                outcome: Some(Outcome::Withdrawn),
            };
            match this.action.poll_run(cx) {
                Poll::Pending => {
                    lead.outcome = None;
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) => lead.outcome = Some(Outcome::Done),
                Poll::Ready(Err(error)) => {
                    drop(lead);
                    return Poll::Ready(A::outcome(Err(error)));
                }
            }
        }
        // The others are released: what is left concerns this task alone.
        ready!(this.io.poll_spend(cx));
        Poll::Ready(A::outcome(Ok(take(&mut ticket))))
    }
}

/// Ends a leader's turn when it goes: also by a panic of the action.
struct Lead<'a, 'b> {
    barrier: &'a Barrier,
    ticket: &'b mut Ticket<'a, State>,
    acting: &'b mut bool,
    /// `None` while the action is to go on.
    outcome: Option<Outcome>,
}

impl Drop for Lead<'_, '_> {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome {
            *self.acting = false;
            self.barrier.end_lead(self.ticket.lock(), outcome);
        }
    }
}

struct Withdrawal<'a> {
    barrier: &'a Barrier,
    ticket: Ticket<'a, State>,
}

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        self.barrier.withdraw(&mut self.ticket);
    }
}

/// Tells the owner of a released wait whether it led.
#[inline]
fn take(ticket: &mut Ticket<'_, State>) -> bool {
    let tag = ticket.tag();
    ticket.set(TAKEN, tag);
    tag & ROLE == LEADER
}

impl<I> fmt::Debug for Wait<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "Wait", &self.entry)
    }
}

impl<A: Action, I> fmt::Debug for WaitThen<'_, A, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "WaitThen", &self.entry)
    }
}

fn debug<L: crate::wait_list::Owner>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    entry: &Entry<L>,
) -> fmt::Result {
    let status = match entry.status() {
        IDLE => "idle",
        QUEUED => "arrived",
        RELEASED => "released",
        _ => "finished",
    };
    f.debug_struct(name)
        .field("status", &status)
        .finish_non_exhaustive()
}
