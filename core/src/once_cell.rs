//! [`OnceCell`]: a value that is made once, by the first caller that needs it, while
//! the others wait.
//!
//! ```text
//!            get_or_init, set                 made, set
//!   EMPTY ────────────────────► RUNNING ──────────────────► READY
//!     ▲                            │
//!     └────────── failed ──────────┘ the first in line is woken
//! ```
//!
//! *Failed* means: the initialiser panicked, returned an error, or was dropped.
//!
//! | | EMPTY | RUNNING | READY |
//! |-|-|-|-|
//! | `get` | `None` | `None` | the value |
//! | `get_or_init` | takes the turn, runs its initialiser | queues for a turn | the value |
//! | `wait` | queues | queues | the value |
//! | `set` | stores | gives the value back | gives the value back |
//! | drop of the wait that has the turn | – | the turn is free, and offered | – |
//! | drop of a wait that was offered the turn | the next is offered it | nothing | nothing |
//! | drop of another wait | leaves its queue | leaves its queue | nothing |
//!
//! There are two rings: waits that bring an initialiser stand in the first, in the
//! order in which they came; waits that only want the value stand in the second.
//!
//! A turn is *offered*, and bound to no wait. When it ends without a value, the first
//! in line leaves its ring and is woken. It takes the turn when it comes, and so does
//! any other wait with an initialiser that is polled before, a new one or one that
//! stands in line: a wait that is woken may never be polled. What comes too late
//! queues again at its old place. `line.rs` says what keeps the order all the same.
//!
//! # Invariants
//!
//! - **READY**: when the state is READY the value is there, complete, and is
//!   neither written nor dropped until one owner has the cell for itself.
//! - **TURN**: while the state is RUNNING, one `Turn` exists, or one wait has
//!   the status `RUNNING_INIT`, from which a `Turn` is made. Only its owner
//!   touches the value's place, and only it ends RUNNING.
//! - **WAITING**: unless the state is READY, the bit is set when a ring is not
//!   empty. It is set and cleared under the lock alone.
//! - **OFFER**: while the state is EMPTY and the lock is free, a wait has the status
//!   `OFFERED` if the first ring is not empty. It was woken since, and passes the offer
//!   on when it is dropped before it is polled. While the state is EMPTY, the bit OFFER
//!   says that there is such a wait; beside RUNNING, that the turn was taken by
//!   another than that. It is set under the lock alone.
//!
//! # Memory ordering
//!
//! The state becomes READY by a swap with Release, after the value has been
//! written, and every `get` loads it with Acquire. A turn ends with Release and
//! begins with Acquire, so that an initialiser sees what a failed one before it
//! has done; whatever else changes the state meanwhile does so by a
//! read-modify-write, which carries the release on. A wait that queues and an
//! initialiser that ends meet in the state word: each changes it by a
//! read-modify-write. If the wait comes first, the other sees the bit WAITING and
//! takes the lock, under which the wait stands in its ring; if it comes second, it
//! sees READY, or takes the turn. So no fence is needed. A wait that comes for what
//! it was offered may still see RUNNING, of the turn that has just ended; then it
//! takes the lock, under which that turn ends.

use core::future::Future;
use core::mem::{self, MaybeUninit};
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;

use crate::action::{Action, Call, CallAsync, TryCall, TryCallAsync};
use crate::io::{Bare, Io};
use crate::primitive::{AtomicUsize, Ordering, TrackedCell, const_fn};
use crate::wait_list::{Entry, Ring, WaitList, has_list};

mod error;
mod line;
mod machine;
mod traits;
mod wait;

pub use error::SetError;
pub use wait::{GetOrInit, InitWaiter, Wait};

use line::Line;
use machine::{Begun, EMPTY, KIND, READY, RUNNING, Rings};

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod offer_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod runner;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod turn_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod waiter_tests;

#[cfg(all(test, anysync_loom))]
mod loom_tests;

/// A value that is made once, by the first caller that needs it, while the others
/// wait for it.
///
/// The initialiser is brought by each call and may be a closure or an async
/// block, and may fail:
///
/// | | cannot fail | may fail |
/// |-|-|-|
/// | a closure | [`get_or_init`](OnceCell::get_or_init) | [`get_or_try_init`](OnceCell::get_or_try_init) |
/// | an async closure | [`get_or_init_async`](OnceCell::get_or_init_async) | [`get_or_try_init_async`](OnceCell::get_or_try_init_async) |
///
/// One runs at a time. If it panics, fails or is dropped unfinished, the cell
/// stays empty and the next caller runs its own.
///
/// ```
/// use anysync::{Bare, Block, Io, OnceCell};
///
/// static CONFIG: OnceCell<Vec<String>> = OnceCell::new();
///
/// async fn config(io: impl Io) -> &'static [String] {
///     CONFIG.get_or_init(io, || vec!["read once".to_string()]).await
/// }
///
/// assert_eq!(CONFIG.get(), None);
/// assert_eq!(Bare.block_on(config(Bare)), ["read once"]);
/// assert!(CONFIG.is_initialized());
/// ```
///
/// # Fairness
///
/// When an initialiser has failed, the caller that has waited for longest is woken
/// and offered the turn. It is not kept for that caller, since its task may be busy
/// with something else (a `select!` that goes on with another branch keeps the wait
/// and does not poll it): a caller that comes first may take it. The other keeps its
/// place. Order returns by itself: once the line has been passed, the others give a
/// caller that was woken some time to come, by waking themselves a few times first.
/// So tasks and branches that try again and again take turns.
///
/// A caller that sleeps, in a task that is not polled for another reason, goes on
/// when a turn ends that it is offered, or when the value is there.
///
/// The value reaches all at once.
///
/// # Cancel safety
///
/// Every wait may be dropped at any moment. One that is initialising drops its
/// initialiser, and then the next is offered the turn; the others keep their places.
///
/// # Memory ordering
///
/// What the initialiser (or the caller of [`set`](OnceCell::set)) did before is
/// visible to each caller that gets the value.
///
/// # An initialiser that needs its own cell
///
/// An initialiser that waits for its own cell waits for itself: for ever, unless
/// something bounds that wait, such as a timeout or another branch of a `select!`.
/// That cannot be known from within, so it is no error.
///
/// # Size
///
/// On a 64-bit target at most 40 bytes beside the value; a wait at most 56, an
/// [`InitWaiter`] at most 72.
pub struct OnceCell<T> {
    state: AtomicUsize,
    list: WaitList<Line, Rings>,
    value: TrackedCell<MaybeUninit<T>>,
}

has_list!([T] OnceCell<T>, list: WaitList<Line, [Ring; 2]>);

// SAFETY: by READY a shared cell gives out `&T`, to any thread: `T: Sync`. By
// TURN a value may be put in through a shared cell and taken out or dropped on
// another thread: `T: Send`. Everything else is atomic or behind a lock.
unsafe impl<T: Send + Sync> Sync for OnceCell<T> {}

// A panicking initialiser leaves the cell empty, so a panic shows nothing half
// made but what `T` itself shows.
impl<T: UnwindSafe> UnwindSafe for OnceCell<T> {}
impl<T: UnwindSafe + RefUnwindSafe> RefUnwindSafe for OnceCell<T> {}

impl<T> OnceCell<T> {
    const_fn! {
        /// An empty cell.
        ///
        /// ```
        /// static CELL: anysync::OnceCell<u32> = anysync::OnceCell::new();
        /// assert!(!CELL.is_initialized());
        /// ```
        pub const fn new() -> Self {
            Self {
                state: AtomicUsize::new(EMPTY),
                list: WaitList::new([Ring::new(), Ring::new()], Line::new()),
                value: TrackedCell::new(MaybeUninit::uninit()),
            }
        }
    }

    const_fn! {
        /// A cell that has its value from the beginning.
        ///
        /// ```
        /// static CELL: anysync::OnceCell<u32> = anysync::OnceCell::with_value(7);
        /// assert_eq!(CELL.get(), Some(&7));
        /// ```
        pub const fn with_value(value: T) -> Self {
            Self {
                state: AtomicUsize::new(READY),
                list: WaitList::new([Ring::new(), Ring::new()], Line::new()),
                value: TrackedCell::new(MaybeUninit::new(value)),
            }
        }
    }

    /// The value, if it is there. Never waits: one load.
    ///
    /// ```
    /// use anysync::OnceCell;
    ///
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.get(), None);
    /// cell.set("here");
    /// assert_eq!(cell.get(), Some(&"here"));
    /// ```
    ///
    /// # Memory ordering
    ///
    /// `Some` acquires all that was done before the value was stored.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        if self.is_initialized() {
            // SAFETY: invariant READY.
            Some(self.value.with(|slot| unsafe { (*slot).assume_init_ref() }))
        } else {
            None
        }
    }

    /// The value, to change, if it is there.
    ///
    /// ```
    /// use anysync::OnceCell;
    ///
    /// let mut cell = OnceCell::with_value(1);
    /// *cell.get_mut().unwrap() += 1;
    /// assert_eq!(cell.get(), Some(&2));
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        if self.is_initialized() {
            // SAFETY: invariant READY, and the cell is ours alone.
            Some(
                self.value
                    .with_mut(|slot| unsafe { (*slot).assume_init_mut() }),
            )
        } else {
            None
        }
    }

    /// Whether the value is there.
    #[inline]
    #[doc(alias("initialized"))]
    pub fn is_initialized(&self) -> bool {
        self.state.load(Ordering::Acquire) == READY
    }

    /// Whether an initialiser is running at this moment.
    ///
    /// ```
    /// use anysync::OnceCell;
    ///
    /// let cell = OnceCell::new();
    /// let seen = std::cell::Cell::new(false);
    /// anysync::io::block_on(cell.get_or_init_future(|| seen.set(cell.is_initializing())));
    /// assert!(seen.get() && !cell.is_initializing());
    /// ```
    #[inline]
    pub fn is_initializing(&self) -> bool {
        self.state.load(Ordering::Relaxed) & KIND == RUNNING
    }

    /// The value, made by `init` if there is none yet; `io` is the
    /// executor that this runs on.
    ///
    /// While another's initialiser runs, this waits. On a cell that is
    /// initialised it is as good as [`get`](OnceCell::get): it is ready at once
    /// and spends nothing of the executor's budget; otherwise it spends once,
    /// when the value is there.
    ///
    /// ```
    /// use anysync::{Bare, Block, OnceCell};
    ///
    /// let cell = OnceCell::new();
    /// Bare.block_on(async {
    ///     assert_eq!(*cell.get_or_init(Bare, || 1).await, 1);
    ///     assert_eq!(*cell.get_or_init(Bare, || 2).await, 1);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on a panic of `init`: the cell stays empty, and the next caller is
    /// offered the turn.
    ///
    /// # Fairness
    ///
    /// The turn is offered in the order in which callers came; a caller that comes
    /// before the one that was woken may take it, see
    /// [there](OnceCell#fairness).
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves the queue in constant time; if it had the turn or was
    /// offered it, the next is.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was done before the value was stored, and what an
    /// initialiser that failed before this one did.
    #[inline]
    pub fn get_or_init<F, I>(&self, io: I, init: F) -> GetOrInit<'_, T, Call<F>, I>
    where
        F: FnOnce() -> T,
        I: Io,
    {
        self.get_or_run(io, Call::new(init))
    }

    /// The value, made by the future that `init` returns if there is
    /// none yet. The future runs inside this one, in the same task. Otherwise like
    /// [`get_or_init`](OnceCell::get_or_init).
    ///
    /// ```
    /// use anysync::{Bare, Block, OnceCell};
    ///
    /// # async fn connect() -> u32 { 7 }
    /// let connection = OnceCell::new();
    /// Bare.block_on(async {
    ///     let first = connection.get_or_init_async(Bare, || connect()).await;
    ///     assert_eq!(*first, 7);
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    ///
    /// # Fairness
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    ///
    /// # Cancel safety
    ///
    /// As [`get_or_init`](OnceCell::get_or_init). Dropped while it initialises,
    /// it drops the initialiser's future first, and then the turn is free.
    ///
    /// # Memory ordering
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    #[inline]
    pub fn get_or_init_async<F, Fut, I>(
        &self,
        io: I,
        init: F,
    ) -> GetOrInit<'_, T, CallAsync<F, Fut>, I>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
        I: Io,
    {
        self.get_or_run(io, CallAsync::new(init))
    }

    /// The value, made by `init` if there is none yet, which may fail.
    /// Otherwise like [`get_or_init`](OnceCell::get_or_init).
    ///
    /// ```
    /// use anysync::{Bare, Block, OnceCell};
    ///
    /// let cell = OnceCell::new();
    /// Bare.block_on(async {
    ///     assert!(cell.get_or_try_init(Bare, || "no".parse::<u32>()).await.is_err());
    ///     assert_eq!(cell.get_or_try_init(Bare, || "7".parse::<u32>()).await, Ok(&7));
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// What this call's own `init` returned: the cell stays empty, and the next
    /// caller runs its own.
    ///
    /// # Panics
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    ///
    /// # Fairness
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    ///
    /// # Cancel safety
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    ///
    /// # Memory ordering
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    #[inline]
    pub fn get_or_try_init<F, E, I>(&self, io: I, init: F) -> GetOrInit<'_, T, TryCall<F>, I>
    where
        F: FnOnce() -> Result<T, E>,
        I: Io,
    {
        self.get_or_run(io, TryCall::new(init))
    }

    /// The value, made by the future that `init` returns if there is
    /// none yet, which may fail. Otherwise like
    /// [`get_or_init_async`](OnceCell::get_or_init_async).
    ///
    /// ```
    /// use anysync::{Bare, Block, OnceCell};
    ///
    /// # async fn connect() -> Result<u32, &'static str> { Err("refused") }
    /// let connection = OnceCell::new();
    /// Bare.block_on(async {
    ///     let outcome = connection.get_or_try_init_async(Bare, || connect()).await;
    ///     assert_eq!(outcome, Err("refused"));
    /// });
    /// assert!(!connection.is_initialized());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`get_or_try_init`](OnceCell::get_or_try_init).
    ///
    /// # Panics
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    ///
    /// # Fairness
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    ///
    /// # Cancel safety
    ///
    /// As [`get_or_init_async`](OnceCell::get_or_init_async).
    ///
    /// # Memory ordering
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    #[inline]
    pub fn get_or_try_init_async<F, Fut, E, I>(
        &self,
        io: I,
        init: F,
    ) -> GetOrInit<'_, T, TryCallAsync<F, Fut>, I>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        I: Io,
    {
        self.get_or_run(io, TryCallAsync::new(init))
    }

    /// The value, made by `init` if there is none yet, on any executor:
    /// [`get_or_init`](OnceCell::get_or_init) with [`Bare`].
    #[inline]
    pub fn get_or_init_future<F>(&self, init: F) -> GetOrInit<'_, T, Call<F>>
    where
        F: FnOnce() -> T,
    {
        self.get_or_init(Bare, init)
    }

    #[inline]
    fn get_or_run<A: Action<Value = T>, I>(&self, io: I, action: A) -> GetOrInit<'_, T, A, I> {
        GetOrInit {
            action,
            entry: Entry::new(self, 0),
            io,
        }
    }

    /// The value without a future: if it is there, or if it is free to be made
    /// and so `init` makes it now. Otherwise queues `waiter`, whose waker or
    /// callback will be called, and returns `None` at once.
    ///
    /// Call it again when the waiter [`is_ready`](InitWaiter::is_ready): then
    /// the value is there, or this waiter is offered the turn and `init` runs,
    /// unless another came first; then it queues again, at its old place. An
    /// `init` that is not needed is dropped.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{OnceCell, once_cell::InitWaiter};
    ///
    /// let cell = OnceCell::new();
    /// let mut waiter = pin!(InitWaiter::new());
    /// assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 7), Some(&7));
    /// assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 8), Some(&7));
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on a panic of `init`, as [`get_or_init`](OnceCell::get_or_init)
    /// does. Panics if the waiter is queued on another cell, or was offered the turn
    /// there.
    ///
    /// # Fairness
    ///
    /// In one queue with the futures. It does not give others time to come first,
    /// as those do, since it has no task that it could wake to try again.
    ///
    /// # Cancel safety
    ///
    /// A waiter that is dropped or [`reset`](InitWaiter::reset) leaves the queue;
    /// if it was offered the turn, the next is.
    ///
    /// # Memory ordering
    ///
    /// As [`get_or_init`](OnceCell::get_or_init).
    pub fn get_or_init_with<'a, F>(
        &'a self,
        waiter: Pin<&mut InitWaiter<'a, T>>,
        init: F,
    ) -> Option<&'a T>
    where
        F: FnOnce() -> T,
    {
        waiter.advance(self, init)
    }

    /// Stores `value` if the cell is empty and no initialiser runs;
    /// `false` says that it is not so, and `value` has been dropped. Never
    /// waits.
    ///
    /// ```
    /// use anysync::OnceCell;
    ///
    /// let cell = OnceCell::new();
    /// assert!(cell.set(1));
    /// assert!(!cell.set(2));
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    ///
    /// # Panics
    ///
    /// Passes on a panic of a waker that it wakes; the value is stored.
    #[inline]
    pub fn set(&self, value: T) -> bool {
        self.try_set(value).is_ok()
    }

    /// Stores `value` if the cell is empty and no initialiser runs, and
    /// gives it back otherwise. Never waits.
    ///
    /// ```
    /// use anysync::{OnceCell, once_cell::SetError};
    ///
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.try_set(1), Ok(()));
    /// assert_eq!(cell.try_set(2), Err(SetError::AlreadyInitialized(2)));
    /// ```
    ///
    /// # Errors
    ///
    /// [`SetError::AlreadyInitialized`] or [`SetError::Initializing`], with the
    /// value.
    ///
    /// # Panics
    ///
    /// Passes on a panic of a waker that it wakes; the value is stored.
    #[inline]
    pub fn try_set(&self, value: T) -> Result<(), SetError<T>> {
        match self.begin(0) {
            Begun::Turn(turn) => {
                turn.publish(value);
                Ok(())
            }
            Begun::Busy => Err(SetError::Initializing(value)),
            Begun::Ready => Err(SetError::AlreadyInitialized(value)),
        }
    }

    /// Waits until another caller has initialised the cell; `io` is the executor
    /// that this runs on.
    ///
    /// It waits on through initialisers that fail, and while there is none. It
    /// always spends once from the executor's budget.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use anysync::{Bare, Block, OnceCell};
    ///
    /// let cell = Arc::new(OnceCell::new());
    /// let setter = cell.clone();
    /// std::thread::spawn(move || setter.set(7));
    /// assert_eq!(*Bare.block_on(cell.wait(Bare)), 7);
    /// ```
    ///
    /// # Fairness
    ///
    /// The value reaches all at once.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves its queue in constant time.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was done before the value was stored.
    #[inline]
    #[doc(alias("wait_initialized"))]
    pub fn wait<I: Io>(&self, io: I) -> Wait<'_, T, I> {
        Wait {
            entry: Entry::new(self, 0),
            io,
        }
    }

    /// Waits until another caller has initialised the cell, on any executor:
    /// [`wait`](OnceCell::wait) with [`Bare`].
    #[inline]
    pub fn wait_future(&self) -> Wait<'_, T> {
        self.wait(Bare)
    }

    /// Takes the value out and leaves the cell empty, to be initialised again.
    ///
    /// ```
    /// use anysync::OnceCell;
    ///
    /// let mut cell = OnceCell::with_value(7);
    /// assert_eq!(cell.take(), Some(7));
    /// assert_eq!(cell.take(), None);
    /// assert!(cell.set(8));
    /// ```
    pub fn take(&mut self) -> Option<T> {
        if !self.is_initialized() {
            return None;
        }
        self.state.store(EMPTY, Ordering::Relaxed);
        // SAFETY: invariant READY, and the cell is ours alone. It is EMPTY now,
        // so the value is not given out again.
        Some(
            self.value
                .with(|slot| unsafe { (*slot).assume_init_read() }),
        )
    }

    /// The value, if it is there.
    ///
    /// ```
    /// use anysync::OnceCell;
    ///
    /// assert_eq!(OnceCell::with_value(7).into_inner(), Some(7));
    /// assert_eq!(OnceCell::<u32>::new().into_inner(), None);
    /// ```
    pub fn into_inner(mut self) -> Option<T> {
        self.take()
    }
}

impl<T> Drop for OnceCell<T> {
    #[inline]
    fn drop(&mut self) {
        if mem::needs_drop::<T>() {
            drop(self.take());
        }
    }
}
