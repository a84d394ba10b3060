//! [`Barrier`] over [`anysync::Barrier`].

use std::fmt;
use std::future::poll_fn;

use super::trace::{Change, Hold, Resource, What};
use crate::poll_spend;

/// A point that so many tasks must reach before any of them goes on: the drop-in
/// for [`tokio::sync::Barrier`].
///
/// ```
/// use std::sync::Arc;
/// use anysync_tokio::sync::Barrier;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let barrier = Arc::new(Barrier::new(3));
/// let tasks = (0..3).map(|_| {
///     let barrier = barrier.clone();
///     tokio::spawn(async move { barrier.wait().await })
/// });
/// let mut leaders = 0;
/// for task in tasks.collect::<Vec<_>>() {
///     leaders += usize::from(task.await.unwrap().is_leader());
/// }
/// assert_eq!(leaders, 1);
/// # }
/// ```
///
/// # Cancel safety
///
/// A wait that is dropped before the release no longer counts; after it, it changes
/// nothing.
///
/// # Memory ordering
///
/// What each did before it arrived is visible to all after the release.
///
/// # Better than the original
///
/// - A wait may be dropped. In the original it stays counted, and the others are
///   released one too early.
/// - A waker that panics keeps nobody else from being released.
/// - [`new`](Barrier::new) is `const`.
/// - An action before the release: [`anysync::Barrier::wait_then`].
///
/// # Differences
///
/// The text of `Debug`.
pub struct Barrier {
    resource: Resource,
    inner: anysync::Barrier,
}

impl Barrier {
    /// A barrier for `n` tasks; 0 counts as 1.
    ///
    /// ```
    /// use anysync_tokio::sync::Barrier;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert!(Barrier::new(0).wait().await.is_leader());
    /// # }
    /// ```
    #[inline]
    #[track_caller]
    pub const fn new(n: usize) -> Self {
        Self {
            resource: Resource::new(What::Barrier { size: n }),
            inner: anysync::Barrier::new(n),
        }
    }

    /// Arrives, and waits until as many have arrived as the barrier is for. Then it
    /// may be used again.
    ///
    /// The last to arrive leads, and does not wait.
    ///
    /// ```
    /// use anysync_tokio::sync::Barrier;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let barrier = Barrier::new(2);
    /// let (one, other) = tokio::join!(barrier.wait(), barrier.wait());
    /// assert!(one.is_leader() != other.is_leader());
    /// # }
    /// ```
    ///
    /// # Fairness
    ///
    /// All are released at once.
    ///
    /// # Cancel safety
    ///
    /// Dropped before the release, it no longer counts.
    ///
    /// # Memory ordering
    ///
    /// Acquires what all that arrived did before.
    pub async fn wait(&self) -> BarrierWaitResult {
        let arrival = self.resource.hold(Hold::Arrival);
        let wait = async {
            let is_leader = self.inner.wait_future().await;
            if !is_leader {
                // As in the original, the leader spends nothing.
                poll_fn(poll_spend).await;
            }
            is_leader
        };
        let is_leader = self.resource.wait("Barrier::wait", wait).await;
        arrival.forget();
        if is_leader {
            self.resource.change(Change::Led);
        }
        BarrierWaitResult(is_leader)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// What [`Barrier::wait`] returns: whether this task leads.
#[derive(Clone, Debug)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this task was the last to arrive, which one of them is.
    ///
    /// ```
    /// use anysync_tokio::sync::Barrier;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert!(Barrier::new(1).wait().await.is_leader());
    /// # }
    /// ```
    pub fn is_leader(&self) -> bool {
        self.0
    }
}
