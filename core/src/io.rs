//! [`Io`]: what a primitive may ask of the executor it waits on, and the
//! capabilities that a program may ask for beside it.
//!
//! A capability is a small trait. A function's bound says what it uses and no
//! more: a primitive needs [`Io`] alone, a program that sleeps needs [`Timer`],
//! one that starts tasks needs [`Spawn`], and [`Runtime`] is the sum that a
//! whole program usually wants. Nothing here detects a runtime and nothing is
//! global: the handle that you pass is the executor that is used.
//!
//! | capability | asks for | needed by |
//! |-|-|-|
//! | [`Io`] | a budget to spend from, nothing else | every primitive |
//! | [`Timer`] | a clock, and a future that ends at an instant of it | `sleep`, `timeout`, `timeout_at` |
//! | [`Spawn`] | tasks that may move between threads | programs |
//! | [`SpawnLocal`] | tasks that stay on their thread | programs with `Rc` |
//! | [`SpawnBlocking`] | a thread to block on | programs that call into blocking code |
//! | [`Block`] | running a future to its end on this thread | `main`, tests, threads |

#[cfg(feature = "std")]
mod block;
#[cfg(feature = "alloc")]
mod join;
#[cfg(feature = "alloc")]
mod spawn;
#[cfg(feature = "std")]
mod task;
mod timer;
mod yield_now;

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

#[cfg(feature = "std")]
pub use block::{block_on, block_on_until};
#[cfg(feature = "alloc")]
pub use join::{Join, JoinError};
#[cfg(feature = "alloc")]
pub use spawn::{Runtime, Spawn, SpawnBlocking, SpawnLocal};
#[cfg(feature = "std")]
pub use task::{Packaged, TaskHandle, package, package_blocking};
#[cfg(feature = "std")]
pub use timer::saturating_deadline;
pub use timer::{Elapsed, Timeout, Timer};
pub use yield_now::{YieldNow, yield_now};

use core::future::Future;
use core::task::{Context, Poll};

/// What a primitive may ask of the executor on which it waits.
///
/// There is one question, and most executors answer it with the default: has
/// this task still got time to go on, or should it let the others run? tokio
/// gives each task a *cooperative budget*; without spending from it, a loop of
/// operations that never have to wait would keep a thread for itself for ever.
///
/// The trait is object safe and is forwarded for `&T`, `Box<T>`, `Rc<T>` and
/// `Arc<T>`, so a function may take `io: impl Io`, `io: &dyn Io` or nothing at
/// all (see [`Bare`]).
///
/// # Examples
///
/// A lock for code that does not know what will run it:
///
/// ```
/// use anysync::{Bare, Io, Mutex};
///
/// async fn increment(counter: &Mutex<u64>, io: impl Io) -> u64 {
///     let mut count = counter.lock(io).await;
///     *count += 1;
///     *count
/// }
///
/// # #[cfg(feature = "std")] {
/// # use anysync::Block;
/// let counter = Mutex::new(41);
/// assert_eq!(Bare.block_on(increment(&counter, Bare)), 42);
/// # }
/// ```
pub trait Io {
    /// Spends one unit of the running task's budget.
    ///
    /// A wait calls this once, after it has been won and before it returns
    /// [`Poll::Ready`], never before it has queued: so an exhausted budget
    /// costs a task a turn of the executor, but not its place in a queue.
    ///
    /// `Poll::Pending` means that the budget is used up, and that the task is to
    /// let others run. The wait asks again in its next poll. The default has no
    /// budget and is always ready.
    ///
    /// # For implementors
    ///
    /// A budget comes back when the task has returned to its executor. A wait may also
    /// be polled by something else: code in a task may block on a future, or poll
    /// it once to see whether it is ready. A wait that is ready must come to its end
    /// there too, although the budget stays used up. So an implementation
    ///
    /// - wakes the waker of `cx` before it returns `Pending`, itself: what the
    ///   executor would do when the task has returned is not done while a thread
    ///   blocks in that task;
    /// - does not refuse again and again before the task has returned: of two waits
    ///   in a row that come with nothing left it lets one through. A loop of ready
    ///   waits yields all the same, at the first that is refused; a branch of a
    ///   `join!` goes one wait further than it should; and a nested executor, which
    ///   polls a refused wait again at once, finds that it is ready. To count
    ///   refusals is enough: the waker does not tell what polls, since an executor and a
    ///   combinator of futures both make wakers of their own;
    /// - does not refuse a waker without data ([`Waker::data`] is null), such as
    ///   [`Waker::noop`]: it leads to no task, so nothing would poll again. A wait
    ///   that is polled by it is a look, as `try_lock` is one, and looks are free.
    ///
    /// [`Waker::data`]: core::task::Waker::data
    /// [`Waker::noop`]: core::task::Waker::noop
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }
}

/// An [`Io`] that asks nothing: any executor, any thread, no
/// executor at all.
///
/// `lock_future()` and the other waits without an `Io` argument mean
/// `lock(Bare)`. With the `std` feature, `Bare` also implements [`Block`] by
/// parking the thread, so that plain threads share primitives with tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bare;

impl Io for Bare {}

/// The capability to run a future to its end on the calling thread.
///
/// For `main`, tests and threads; a primitive never uses it.
pub trait Block: Io {
    /// Runs `future` on this thread until it is done, and returns its output.
    ///
    /// # Panics
    ///
    /// Some executors cannot be entered twice: tokio and `futures` panic when
    /// this is called from inside one of their own tasks. Their message is kept.
    #[track_caller]
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

#[cfg(feature = "std")]
impl Block for Bare {
    /// Parks the thread while the future is pending.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        block_on(future)
    }
}

/// Forwards the capabilities that need no more than `&self`, for one kind of
/// pointer.
macro_rules! forward {
    ($(#[$cfg:meta])* $pointer:ty) => {
        $(#[$cfg])*
        impl<T: Io + ?Sized> Io for $pointer {
            #[inline]
            fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
                (**self).poll_spend(cx)
            }
        }

        $(#[$cfg])*
        impl<T: Timer + ?Sized> Timer for $pointer {
            type Instant = T::Instant;
            type Sleep = T::Sleep;

            #[inline]
            fn now(&self) -> Self::Instant {
                (**self).now()
            }

            #[inline]
            fn deadline(&self, after: core::time::Duration) -> Self::Instant {
                (**self).deadline(after)
            }

            #[inline]
            fn sleep_until(&self, at: Self::Instant) -> Self::Sleep {
                (**self).sleep_until(at)
            }
        }

        $(#[$cfg])*
        impl<T: Block + ?Sized> Block for $pointer {
            fn block_on<F: Future>(&self, future: F) -> F::Output {
                (**self).block_on(future)
            }
        }

        #[cfg(feature = "alloc")]
        impl<T: SpawnLocal + ?Sized> SpawnLocal for $pointer {
            type LocalHandle<R: 'static> = T::LocalHandle<R>;

            fn spawn_local<F>(&self, future: F) -> Self::LocalHandle<F::Output>
            where
                F: Future + 'static,
                F::Output: 'static,
            {
                (**self).spawn_local(future)
            }
        }

        #[cfg(feature = "alloc")]
        impl<T: SpawnBlocking + ?Sized> SpawnBlocking for $pointer {
            type BlockingHandle<R: Send + 'static> = T::BlockingHandle<R>;

            fn spawn_blocking<F, R>(&self, work: F) -> Self::BlockingHandle<R>
            where
                F: FnOnce() -> R + Send + 'static,
                R: Send + 'static,
            {
                (**self).spawn_blocking(work)
            }
        }
    };
}

forward!(&T);
forward!(
    #[cfg(feature = "alloc")]
    alloc::boxed::Box<T>
);
forward!(
    #[cfg(feature = "alloc")]
    alloc::rc::Rc<T>
);
forward!(
    #[cfg(feature = "alloc")]
    alloc::sync::Arc<T>
);

/// [`Spawn`] needs a handle that is `Clone + Send + Sync + 'static`, which a
/// shared reference is for ever and an `Arc` is by itself.
#[cfg(feature = "alloc")]
macro_rules! forward_spawn {
    ($pointer:ty, $($bound:tt)*) => {
        impl<T: $($bound)*> Spawn for $pointer {
            type Handle<R: Send + 'static> = T::Handle<R>;

            fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                (**self).spawn(future)
            }
        }
    };
}

#[cfg(feature = "alloc")]
forward_spawn!(&'static T, Spawn);
#[cfg(feature = "alloc")]
forward_spawn!(alloc::boxed::Box<T>, Spawn);
#[cfg(feature = "alloc")]
forward_spawn!(alloc::sync::Arc<T>, Spawn);
