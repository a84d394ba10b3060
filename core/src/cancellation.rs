//! [`CancellationToken`]: tells any number of tasks to stop, once and for good.
//!
//! A token can be asked, waited for, cloned and cancelled. Its children are
//! cancelled with it, but not the other way round.
//!
//! ```text
//!            cancel, of this token or of one above it
//!     LIVE ───────────────────────────────────────────► CANCELLED, for ever
//! ```
//!
//! | | LIVE | CANCELLED |
//! |-|-|-|
//! | `cancel` | cancels this and all below, wakes the tasks that wait | nothing |
//! | `cancelled` | waits | ready |
//! | `child_token` | a child that is LIVE | a token that is CANCELLED |
//! | last clone dropped | its children become those of its parent | – |
//!
//! | file | holds |
//! |-|-|
//! | `node.rs` | what the clones of a token share: the mark, and the queue of waits |
//! | `tree.rs` | which token is the child of which; invariant **MARKED** |
//! | `wait.rs` | the futures, and the [`Waiter`] |
//! | `guard.rs` | the drop guards |
//!
//! # Memory ordering
//!
//! What is written before the call that cancels a token is visible to a thread that
//! sees it cancelled: the mark is stored with Release and read with Acquire, and a
//! thread that helps with a cancel has got its entries under the tree's lock.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::hash::{Hash, Hasher};
use core::pin::Pin;

use crate::io::{Bare, Io};
use crate::wait_list::IDLE;

use node::Node;

pub use guard::{DropGuard, DropGuardRef};
pub use wait::{Cancelled, CancelledOwned, RunUntilCancelled, RunUntilCancelledOwned, Waiter};

mod guard;
mod node;
mod tree;
mod wait;

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod model_tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;
#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod walk_tests;

#[cfg(all(test, anysync_loom))]
mod loom_tests;

/// Tells any number of tasks to stop, once and for good.
///
/// Clones are one token: whichever is cancelled, all are. A
/// [child](CancellationToken::child_token) is cancelled with its parent, and may be
/// cancelled alone. Unlike a [`Notify`](crate::Notify) it is sticky: a task that comes
/// late finds it cancelled.
///
/// ```
/// use anysync::{Bare, Block, CancellationToken, Io};
///
/// async fn worker(io: impl Io, stop: CancellationToken) -> &'static str {
///     let job = std::future::pending::<()>();
///     match stop.run_until_cancelled(io, job).await {
///         Some(()) => "finished",
///         None => "stopped",
///     }
/// }
///
/// let shutdown = CancellationToken::new();
/// let stop = shutdown.child_token();
/// let worker = std::thread::spawn(|| Bare.block_on(worker(Bare, stop)));
/// shutdown.cancel();
/// assert_eq!(worker.join().unwrap(), "stopped");
/// ```
///
/// On a machine of 64 bits a token is 8 bytes, and one allocation of 72; a wait is
/// 48 bytes, or 56 where it owns its token. A tree has an entry of 32 bytes for each token that is
/// not cancelled; entries are used again, and are freed with the last token of the
/// tree. Waiting allocates nothing.
/// Trees may be of any depth and width: making a token, and dropping one, takes
/// constant time, and cancelling takes time in proportion to what is cancelled.
///
/// Tokens are equal if they are clones of each other.
pub struct CancellationToken {
    node: Arc<Node>,
}

impl CancellationToken {
    /// A token that is not cancelled and has no parent.
    ///
    /// ```
    /// let token = anysync::CancellationToken::new();
    /// assert!(!token.is_cancelled());
    /// ```
    pub fn new() -> Self {
        Self { node: Node::root() }
    }

    /// A token that is cancelled when this one is, or before. A child of a cancelled
    /// token is cancelled.
    ///
    /// If all clones of this token are dropped, the child hears from the parent of
    /// this token, if that has one.
    ///
    /// ```
    /// let parent = anysync::CancellationToken::new();
    /// let (first, second) = (parent.child_token(), parent.child_token());
    /// first.cancel();
    /// assert!(first.is_cancelled() && !parent.is_cancelled());
    /// parent.cancel();
    /// assert!(second.is_cancelled());
    /// ```
    ///
    /// # Panics
    ///
    /// If there are 2^32 - 2 tokens in one tree.
    #[doc(alias("child"))]
    pub fn child_token(&self) -> Self {
        Self {
            node: self.node.child(),
        }
    }

    /// Cancels this token, its clones, and all below, for good; then wakes the tasks
    /// that wait.
    ///
    /// When it returns, all of them are cancelled. It is not one event: while it
    /// goes on some are cancelled and others not yet, a parent before its children.
    /// No task is woken before all are cancelled.
    ///
    /// Where several threads cancel at the same time what is below this token, they
    /// share that work: each returns when all below its own token is cancelled, and
    /// each wakes the tasks that wait for the tokens that it has cancelled itself. What
    /// is not below this token takes none of its time, whichever thread cancels that: a
    /// token without children is cancelled in constant time.
    ///
    /// ```
    /// let token = anysync::CancellationToken::new();
    /// token.cancel();
    /// token.cancel();
    /// assert!(token.is_cancelled());
    /// ```
    ///
    /// # Memory ordering
    ///
    /// The first call releases what was written before to a task that sees the token
    /// cancelled.
    ///
    /// # Panics
    ///
    /// If a waker panics, all the others are woken first; then the first panic goes
    /// on.
    pub fn cancel(&self) {
        self.node.cancel();
    }

    /// Whether the token is cancelled: one load.
    ///
    /// # Memory ordering
    ///
    /// `true` acquires what was written before the cancel.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.node.is_cancelled()
    }

    /// Waits until the token is cancelled; `io` is the executor that it runs on.
    /// Ready at once if it is.
    ///
    /// ```
    /// use anysync::{Bare, Block, CancellationToken};
    ///
    /// let token = CancellationToken::new();
    /// let clone = token.clone();
    /// std::thread::spawn(move || clone.cancel());
    /// Bare.block_on(token.cancelled(Bare));
    /// assert!(token.is_cancelled());
    /// ```
    ///
    /// # Fairness
    ///
    /// All that wait are woken, in the order in which they came.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves the queue in constant time. The token stays cancelled, so
    /// nothing can be lost.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was written before the cancel.
    #[inline]
    #[doc(alias("stopped"))]
    pub fn cancelled<I: Io>(&self, io: I) -> Cancelled<'_, I> {
        Cancelled::new(self, io)
    }

    /// [`cancelled`](CancellationToken::cancelled) on any executor.
    #[inline]
    pub fn cancelled_future(&self) -> Cancelled<'_> {
        self.cancelled(Bare)
    }

    /// [`cancelled`](CancellationToken::cancelled) with a future that owns the
    /// token, and so may be spawned or stored.
    ///
    /// ```
    /// use anysync::{Bare, Block, CancellationToken};
    ///
    /// let token = CancellationToken::new();
    /// let wait = token.clone().cancelled_owned(Bare);
    /// std::thread::spawn(move || token.cancel());
    /// Bare.block_on(wait);
    /// ```
    #[inline]
    pub fn cancelled_owned<I: Io>(self, io: I) -> CancelledOwned<I> {
        CancelledOwned::new(self, io)
    }

    /// Waits without a future: queues `waiter`, whose waker or callback will be
    /// called, and returns at once. `true` says that the token is cancelled already,
    /// and nothing will be called.
    ///
    /// ```
    /// use std::pin::pin;
    /// use anysync::{CancellationToken, cancellation::Waiter};
    ///
    /// let token = CancellationToken::new();
    /// let mut waiter = pin!(Waiter::new());
    /// assert!(!token.wait_with(waiter.as_mut()));
    /// token.cancel();
    /// assert!(waiter.is_cancelled());
    /// ```
    ///
    /// # Panics
    ///
    /// If the waiter waits on another token, or has been told of its cancellation,
    /// and was not [`reset`](Waiter::reset) since. A clone is not another token.
    pub fn wait_with<'a>(&'a self, waiter: Pin<&mut Waiter<'a>>) -> bool {
        let mut entry = waiter.entry();
        if entry.status() == IDLE {
            entry.as_mut().bind(&*self.node);
            let (node, mut ticket) = entry.as_mut().parts();
            if node.queue(&mut ticket) {
                ticket.set(node::CANCELLED, 0);
            }
        } else {
            assert!(
                entry.is_bound_to(&self.node),
                "this `Waiter` waits on another `CancellationToken`: `reset` it first"
            );
        }
        self.is_cancelled()
    }

    /// Ends a wait that [`wait_with`](CancellationToken::wait_with) began. `true`
    /// when the waiter was still waiting; `false` when the token was cancelled, or
    /// the waiter does not wait for it.
    pub fn cancel_wait<'a>(&'a self, waiter: Pin<&mut Waiter<'a>>) -> bool {
        let entry = waiter.entry();
        entry.is_bound_to(&self.node) && self.node.abandon(&mut entry.parts().1)
    }

    /// Runs `future` until it ends, or the token is cancelled: then `None`, and the
    /// future is dropped where it stands. If both are so in one poll the token wins;
    /// if it is cancelled from the beginning the future is never polled.
    ///
    /// ```
    /// use anysync::{Bare, Block, CancellationToken};
    ///
    /// let token = CancellationToken::new();
    /// let done = Bare.block_on(token.run_until_cancelled(Bare, async { 42 }));
    /// assert_eq!(done, Some(42));
    /// token.cancel();
    /// let done = Bare.block_on(token.run_until_cancelled(Bare, async { 42 }));
    /// assert_eq!(done, None);
    /// ```
    ///
    /// # Fairness
    ///
    /// As [`cancelled`](CancellationToken::cancelled).
    ///
    /// # Cancel safety
    ///
    /// That of `future`.
    ///
    /// # Memory ordering
    ///
    /// `None` acquires what was written before the cancel.
    ///
    /// # Panics
    ///
    /// When it is polled after it has finished.
    #[inline]
    pub fn run_until_cancelled<I: Io, F: Future>(
        &self,
        io: I,
        future: F,
    ) -> RunUntilCancelled<'_, F, I> {
        RunUntilCancelled::new(self.cancelled(io), future)
    }

    /// [`run_until_cancelled`](CancellationToken::run_until_cancelled) with a future
    /// that owns the token.
    #[inline]
    pub fn run_until_cancelled_owned<I: Io, F: Future>(
        self,
        io: I,
        future: F,
    ) -> RunUntilCancelledOwned<F, I> {
        RunUntilCancelledOwned::new(self.cancelled_owned(io), future)
    }

    /// A guard that cancels the token when it is dropped.
    ///
    /// ```
    /// let token = anysync::CancellationToken::new();
    /// drop(token.clone().drop_guard());
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard(self) -> DropGuard {
        DropGuard::new(self)
    }

    /// A guard that borrows the token and cancels it when it is dropped.
    ///
    /// ```
    /// let token = anysync::CancellationToken::new();
    /// token.drop_guard_ref().disarm();
    /// assert!(!token.is_cancelled());
    /// ```
    pub fn drop_guard_ref(&self) -> DropGuardRef<'_> {
        DropGuardRef::new(self)
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for CancellationToken {
    /// The same token once more.
    #[inline]
    fn clone(&self) -> Self {
        self.node.add_token();
        Self {
            node: self.node.clone(),
        }
    }
}

impl Drop for CancellationToken {
    #[inline]
    fn drop(&mut self) {
        self.node.remove_token();
    }
}

impl PartialEq for CancellationToken {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.node, &other.node)
    }
}

impl Eq for CancellationToken {}

impl Hash for CancellationToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.node).hash(state);
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken")
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}
