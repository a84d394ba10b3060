//! The [`CancellationToken`] of tokio-util, with its futures and guards.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use anysync::{Bare, cancellation as core};
use pin_project_lite::pin_project;

/// Tells any number of tasks to stop, once and for ever: the drop-in for
/// tokio-util's, so change `use tokio_util::sync::CancellationToken` to
/// `use anysync_tokio::sync::CancellationToken`.
///
/// Clones are the same token. A [`child_token`](CancellationToken::child_token) is
/// cancelled with its parent, and not the other way round.
///
/// ```
/// use anysync_tokio::sync::CancellationToken;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let stop = CancellationToken::new();
/// let worker = tokio::spawn({
///     let stop = stop.clone();
///     async move {
///         tokio::select! {
///             () = stop.cancelled() => "stopped",
///             () = std::future::pending() => "done",
///         }
///     }
/// });
/// stop.cancel();
/// assert_eq!(worker.await.unwrap(), "stopped");
/// # }
/// ```
///
/// # Fairness
///
/// All who wait are woken together.
///
/// # Cancel safety
///
/// Every wait may be dropped at any moment.
///
/// # Memory ordering
///
/// What was done before the cancel is visible to who sees the token cancelled.
///
/// # Better than the original
///
/// - Trees may be as deep or wide as memory allows.
/// - [`is_cancelled`](CancellationToken::is_cancelled) takes no lock.
/// - A waker that panics keeps nobody else asleep, and leaves every child
///   cancelled.
///
/// # Differences
///
/// None that are known.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct CancellationToken(core::CancellationToken);

impl CancellationToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self(core::CancellationToken::new())
    }

    /// A token that is cancelled with this one, and can be cancelled by itself.
    /// It is cancelled already if this one is.
    ///
    /// ```
    /// let parent = anysync_tokio::sync::CancellationToken::new();
    /// let (one, two) = (parent.child_token(), parent.child_token());
    /// one.cancel();
    /// assert!(!parent.is_cancelled() && !two.is_cancelled());
    /// parent.cancel();
    /// assert!(two.is_cancelled());
    /// ```
    pub fn child_token(&self) -> Self {
        Self(self.0.child_token())
    }

    /// Cancels the token and all its descendants, and wakes all who wait. It stays
    /// so.
    ///
    /// When it returns all are cancelled; meanwhile another thread may see some
    /// that are and some that are not yet.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether the token is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the token is cancelled; ready at once if it is.
    ///
    /// It does not spend from the budget of its task: once the token is cancelled
    /// every poll is ready.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any moment.
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        WaitForCancellationFuture {
            inner: self.0.cancelled(Bare),
        }
    }

    /// [`cancelled`](CancellationToken::cancelled) with a future that owns the
    /// token.
    ///
    /// ```
    /// use anysync_tokio::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let stop = CancellationToken::new();
    /// let waits = tokio::spawn(stop.clone().cancelled_owned());
    /// stop.cancel();
    /// waits.await.unwrap();
    /// # }
    /// ```
    pub fn cancelled_owned(self) -> WaitForCancellationFutureOwned {
        WaitForCancellationFutureOwned {
            inner: self.0.cancelled_owned(Bare),
        }
    }

    /// A guard that cancels the token when it is dropped.
    ///
    /// ```
    /// let stop = anysync_tokio::sync::CancellationToken::new();
    /// let guard = stop.clone().drop_guard();
    /// assert!(!guard.token().is_cancelled());
    /// drop(guard);
    /// assert!(stop.is_cancelled());
    /// ```
    pub fn drop_guard(self) -> DropGuard {
        DropGuard { inner: Some(self) }
    }

    /// A guard that borrows the token and cancels it when it is dropped.
    ///
    /// ```
    /// let stop = anysync_tokio::sync::CancellationToken::new();
    /// stop.drop_guard_ref().disarm();
    /// assert!(!stop.is_cancelled());
    /// drop(stop.drop_guard_ref());
    /// assert!(stop.is_cancelled());
    /// ```
    pub fn drop_guard_ref(&self) -> DropGuardRef<'_> {
        DropGuardRef { inner: Some(self) }
    }

    /// Runs `fut` until it ends, or the token is cancelled: then `None`, and `fut`
    /// is dropped where it stands.
    ///
    /// If the token is cancelled from the beginning `fut` is never polled. If both
    /// are so in a later poll `fut` wins. (In `anysync` itself the token does.)
    ///
    /// ```
    /// use anysync_tokio::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let stop = CancellationToken::new();
    /// assert_eq!(stop.run_until_cancelled(async { 1 }).await, Some(1));
    /// stop.cancel();
    /// assert_eq!(stop.run_until_cancelled(async { 1 }).await, None);
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// That of `fut`.
    pub async fn run_until_cancelled<F>(&self, fut: F) -> Option<F::Output>
    where
        F: Future,
    {
        if self.is_cancelled() {
            return None;
        }
        // Known before the futures are dropped: so it is not leaked if that panics.
        let ended;
        {
            let mut fut = pin!(fut);
            let mut cancelled = pin!(self.cancelled());
            ended = poll_fn(|cx| match fut.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => cancelled.as_mut().poll(cx).map(|()| None),
            })
            .await;
        }
        ended
    }

    /// [`run_until_cancelled`](CancellationToken::run_until_cancelled) with a
    /// future that owns the token.
    pub async fn run_until_cancelled_owned<F>(self, fut: F) -> Option<F::Output>
    where
        F: Future,
    {
        self.run_until_cancelled(fut).await
    }
}

impl UnwindSafe for CancellationToken {}
impl RefUnwindSafe for CancellationToken {}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pin_project! {
    /// The future of [`CancellationToken::cancelled`].
    ///
    /// Once ready it stays so, and may be polled again.
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct WaitForCancellationFuture<'a> {
        #[pin]
        inner: core::Cancelled<'a, Bare>,
    }
}

impl Future for WaitForCancellationFuture<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().inner.poll(cx)
    }
}

impl fmt::Debug for WaitForCancellationFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitForCancellationFuture")
    }
}

pin_project! {
    /// The future of [`CancellationToken::cancelled_owned`].
    ///
    /// Once ready it stays so, and may be polled again.
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct WaitForCancellationFutureOwned {
        #[pin]
        inner: core::CancelledOwned<Bare>,
    }
}

impl Future for WaitForCancellationFutureOwned {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().inner.poll(cx)
    }
}

impl fmt::Debug for WaitForCancellationFutureOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitForCancellationFutureOwned")
    }
}

/// Cancels its token when it is dropped, unless it is disarmed; made by
/// [`CancellationToken::drop_guard`].
#[derive(Debug)]
pub struct DropGuard {
    // `None` once it is disarmed.
    inner: Option<CancellationToken>,
}

impl DropGuard {
    /// The token that it will cancel.
    pub fn token(&self) -> &CancellationToken {
        self.inner.as_ref().expect("a guard is disarmed once")
    }

    /// The token, which is not cancelled then.
    ///
    /// ```
    /// let guard = anysync_tokio::sync::CancellationToken::new().drop_guard();
    /// assert!(!guard.disarm().is_cancelled());
    /// ```
    pub fn disarm(mut self) -> CancellationToken {
        self.inner.take().expect("a guard is disarmed once")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.inner {
            token.cancel();
        }
    }
}

/// Cancels the token that it borrows when it is dropped, unless it is disarmed;
/// made by [`CancellationToken::drop_guard_ref`].
#[derive(Debug)]
pub struct DropGuardRef<'a> {
    // `None` once it is disarmed.
    inner: Option<&'a CancellationToken>,
}

impl<'a> DropGuardRef<'a> {
    /// The token that it will cancel.
    pub fn token(&self) -> &CancellationToken {
        self.inner.expect("a guard is disarmed once")
    }

    /// The token, which is not cancelled then.
    pub fn disarm(mut self) -> &'a CancellationToken {
        self.inner.take().expect("a guard is disarmed once")
    }
}

impl Drop for DropGuardRef<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.inner {
            token.cancel();
        }
    }
}
