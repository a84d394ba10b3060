//! [`Condvar`] over [`anysync::Condvar`].

use ::core::fmt;
use ::core::future::poll_fn;
use ::core::pin::pin;
use ::core::task::Poll;

use anysync::condvar::Waiter;

use super::MutexGuard;

/// A condition variable for [`Mutex`](super::Mutex): async-lock has none, async-std
/// has.
///
/// ```
/// use anysync_smol::lock::{Condvar, Mutex};
///
/// static LIST: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// static FILLED: Condvar = Condvar::new();
///
/// let filler = std::thread::spawn(|| {
///     LIST.lock_blocking().push(7);
///     FILLED.notify_one();
/// });
/// let mut list = smol::block_on(async {
///     FILLED.wait_until(LIST.lock().await, |list| !list.is_empty()).await
/// });
/// assert_eq!(list.pop(), Some(7));
/// # filler.join().unwrap();
/// ```
///
/// # Fairness
///
/// [`notify_one`](Condvar::notify_one) notifies the first in the queue, and no
/// allocation is needed to wait in it.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment, and the mutex is not held afterwards. What
/// `notify_one` had given to it goes to the next in the queue, also when it was
/// dropped while it waited for the lock.
pub struct Condvar(anysync::Condvar);

impl Condvar {
    /// One on which nobody waits.
    ///
    /// ```
    /// static CHANGED: anysync_smol::lock::Condvar = anysync_smol::lock::Condvar::new();
    /// CHANGED.notify_all();
    /// ```
    pub const fn new() -> Self {
        Self(anysync::Condvar::new())
    }

    /// Gives up the lock, waits for a notification, and takes the lock again. It
    /// queues before the lock is free, so that no notification in between is lost.
    ///
    /// ```
    /// use anysync_smol::lock::{Condvar, Mutex};
    ///
    /// let (mutex, changed) = (Mutex::new(1), Condvar::new());
    /// # smol::block_on(async {
    /// let waiting = async { *changed.wait(mutex.lock().await).await };
    /// let changing = async {
    ///     *mutex.lock().await = 2;
    ///     changed.notify_one();
    /// };
    /// # let waiting = async { smol::future::zip(waiting, changing).await.0 };
    /// assert_eq!(waiting.await, 2);
    /// # });
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As the [type](Condvar#cancel-safety) says.
    ///
    /// # Memory ordering
    ///
    /// Acquires what was released by the notification and by the holder of the lock
    /// before it.
    pub async fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let source = MutexGuard::source(&guard);
        let mut guard = Some(guard);
        let mut waiter = pin!(Waiter::new());
        poll_fn(|cx| {
            if waiter.is_ready() {
                return Poll::Ready(());
            }
            waiter.as_mut().set_waker(cx.waker().clone());
            if let Some(guard) = guard.take() {
                self.0.wait_with(guard.inner, waiter.as_mut());
            }
            Poll::Pending
        })
        .await;
        // Dropped before it has the lock, it passes the notification on.
        let guard = source.lock().await;
        let _taken = waiter.is_notified();
        guard
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
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> MutexGuard<'a, T>
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        while !condition(&mut *guard) {
            guard = self.wait(guard).await;
        }
        guard
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
        f.pad("Condvar { .. }")
    }
}
