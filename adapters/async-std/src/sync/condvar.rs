//! [`Condvar`] with async-std's timer.

use std::fmt;
use std::time::Duration;

use anysync::Timer;
use anysync_smol::lock;

use super::MutexGuard;
use crate::AsyncStd;

/// A condition variable for [`Mutex`](super::Mutex): the drop-in for
/// `async_std::sync::Condvar`.
///
/// ```
/// use anysync_async_std::sync::{Arc, Condvar, Mutex};
///
/// # async_std::task::block_on(async {
/// let pair = Arc::new((Mutex::new(false), Condvar::new()));
/// let other = Arc::clone(&pair);
/// async_std::task::spawn(async move {
///     *other.0.lock().await = true;
///     other.1.notify_one();
/// });
/// let started = pair.1.wait_until(pair.0.lock().await, |started| *started).await;
/// assert!(*started);
/// # });
/// ```
///
/// # Better than the original
///
/// - Waiting does not allocate, and [`new`](Condvar::new) is `const`.
/// - [`notify_one`](Condvar::notify_one) notifies the first in the queue.
/// - What it has given to a wait that is dropped goes to the next, also while that
///   one waits for the lock.
pub struct Condvar(lock::Condvar);

/// Whether the time was up before the notification came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was up.
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// One on which nobody waits.
    ///
    /// ```
    /// static CHANGED: anysync_async_std::sync::Condvar = anysync_async_std::sync::Condvar::new();
    /// CHANGED.notify_all();
    /// ```
    pub const fn new() -> Self {
        Self(lock::Condvar::new())
    }

    /// Gives up the lock, waits for a notification, and takes the lock again; see
    /// [`anysync_smol::lock::Condvar::wait`].
    ///
    /// # Cancel safety
    ///
    /// Dropped, it passes on what it was notified for; the lock is not held.
    pub async fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).await
    }

    /// Waits until `condition` holds, at each notification.
    ///
    /// # Panics
    ///
    /// Passes on a panic of `condition`; the lock is given up.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Condvar::wait).
    pub async fn wait_until<'a, T, F>(
        &self,
        guard: MutexGuard<'a, T>,
        condition: F,
    ) -> MutexGuard<'a, T>
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.0.wait_until(guard, condition).await
    }

    /// [`wait`](Condvar::wait) for at most `dur`, plus the time for the lock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use anysync_async_std::sync::{Condvar, Mutex};
    ///
    /// # async_std::task::block_on(async {
    /// let (mutex, changed) = (Mutex::new(0), Condvar::new());
    /// let guard = mutex.lock().await;
    /// let (guard, result) = changed.wait_timeout(guard, Duration::from_millis(1)).await;
    /// assert!(result.timed_out());
    /// assert_eq!(*guard, 0);
    /// # });
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Condvar::wait).
    pub async fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult) {
        let source = MutexGuard::source(&guard);
        match AsyncStd.timeout(dur, self.wait(guard)).await {
            Ok(guard) => (guard, WaitTimeoutResult(false)),
            Err(_) => (source.lock().await, WaitTimeoutResult(true)),
        }
    }

    /// [`wait_until`](Condvar::wait_until) for at most `dur`, plus the time for the
    /// lock.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Condvar::wait).
    pub async fn wait_timeout_until<'a, T, F>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
        condition: F,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        let source = MutexGuard::source(&guard);
        match AsyncStd
            .timeout(dur, self.wait_until(guard, condition))
            .await
        {
            Ok(guard) => (guard, WaitTimeoutResult(false)),
            Err(_) => (source.lock().await, WaitTimeoutResult(true)),
        }
    }

    /// Notifies the first in the queue, if there is one.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Notifies all in the queue.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
