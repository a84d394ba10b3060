//! [`Timer`], and the futures that it makes.

use core::error::Error;
use core::fmt;
use core::future::Future;
use core::ops::Add;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::Io;

/// The capability to know the time and to wait for it.
///
/// `now` and `sleep_until` share one clock, so a clock that is paused (tokio's
/// in tests) or virtual (a simulator's) stays consistent with itself.
///
/// `timeout` works with every wait of this crate and leaves no trace of it,
/// because every wait is cancel safe.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use anysync::{Notify, Timer};
///
/// /// Waits for `ready`, but not longer than 50 ms.
/// async fn is_ready_soon(io: impl Timer, ready: &Notify) -> bool {
///     io.timeout(Duration::from_millis(50), ready.wait(&io)).await.is_ok()
/// }
/// ```
pub trait Timer: Io {
    /// A point on this clock.
    type Instant: Copy + Ord + Add<Duration, Output = Self::Instant>;

    /// The future of [`sleep_until`](Timer::sleep_until). A caller that needs it
    /// to be `Send` bounds this type.
    type Sleep: Future<Output = ()>;

    /// What time it is.
    fn now(&self) -> Self::Instant;

    /// A future that is ready at `at` or a little later, never earlier. An
    /// instant in the past is ready at the first poll.
    #[track_caller]
    fn sleep_until(&self, at: Self::Instant) -> Self::Sleep;

    /// The instant that lies `after` from now.
    ///
    /// The default adds. An implementation whose addition can overflow
    /// overrides it and answers with an instant as far away as its clock can
    /// tell, so that a timeout of `Duration::MAX` means "never" instead of a
    /// panic (see [`saturating_deadline`](super::saturating_deadline)).
    fn deadline(&self, after: Duration) -> Self::Instant {
        self.now() + after
    }

    /// A future that is ready once `duration` has passed.
    #[track_caller]
    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.sleep_until(self.deadline(duration))
    }

    /// Gives `future` at most `limit` to finish.
    ///
    /// # Errors
    ///
    /// [`Elapsed`] when the time is over first. A future that is ready in the
    /// same poll in which the time is over wins.
    ///
    /// # Cancel safety
    ///
    /// When the time is over, `future` is dropped before the error is returned.
    #[track_caller]
    fn timeout<F: Future>(&self, limit: Duration, future: F) -> Timeout<F, Self::Sleep> {
        Timeout::new(future, self.sleep(limit))
    }

    /// Gives `future` until `at` to finish; see [`timeout`](Timer::timeout).
    ///
    /// # Errors
    ///
    /// [`Elapsed`] when the time is over first.
    #[track_caller]
    fn timeout_at<F: Future>(&self, at: Self::Instant, future: F) -> Timeout<F, Self::Sleep> {
        Timeout::new(future, self.sleep_until(at))
    }
}

pin_project! {
    /// The future of [`Timer::timeout`] and [`Timer::timeout_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited or polled"]
    pub struct Timeout<F, S> {
        // `None` once it is done: a future that ran out of time is dropped at
        // that moment, even if this value lives on.
        #[pin]
        future: Option<F>,
        #[pin]
        sleep: S,
    }
}

impl<F, S> Timeout<F, S> {
    fn new(future: F, sleep: S) -> Self {
        Self {
            future: Some(future),
            sleep,
        }
    }
}

impl<F: Future, S: Future<Output = ()>> Future for Timeout<F, S> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = this
            .future
            .as_mut()
            .as_pin_mut()
            .expect("`Timeout` was polled after it had finished");
        let output = match future.poll(cx) {
            Poll::Ready(value) => Ok(value),
            Poll::Pending => match this.sleep.poll(cx) {
                Poll::Ready(()) => Err(Elapsed(())),
                Poll::Pending => return Poll::Pending,
            },
        };
        this.future.set(None);
        Poll::Ready(output)
    }
}

/// The time given to [`Timer::timeout`] was over before the future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(pub(super) ());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time limit was reached before the future was ready")
    }
}

impl Error for Elapsed {}

/// `now + after`, or an instant far beyond every program's life where the
/// platform's clock cannot count as far as that.
///
/// For adapters whose [`Timer::Instant`] is the standard library's.
#[cfg(feature = "std")]
pub fn saturating_deadline(now: std::time::Instant, after: Duration) -> std::time::Instant {
    /// About thirty years: what every platform's `Instant` can still express.
    const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);
    now.checked_add(after).unwrap_or_else(|| now + FAR)
}
