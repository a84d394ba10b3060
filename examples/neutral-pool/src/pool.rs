//! The pool and its guard.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anysync::{Bare, Block, Io, Semaphore, SemaphorePermit, Timer};

use crate::TimedOut;

#[cfg(test)]
mod tests;

/// A number of objects, each lent to one caller at a time.
///
/// # Fairness
///
/// First in, first out: the object that comes back goes to the caller who has
/// waited longest. Objects rotate: the one that has been idle longest is lent
/// next.
///
/// # Cancel safety
///
/// A wait may be dropped at any moment; it leaves no trace, and an object that
/// was meant for it goes to the next.
pub struct Pool<T> {
    /// A lock of the standard library's: it is held for a push or a pop, never
    /// across an `await`, and a guard that is dropped takes it without waiting.
    idle: Mutex<VecDeque<T>>,
    /// A permit for each object that is idle. An object is put back before its
    /// permit and taken after it, so whoever has a permit finds an object.
    permits: Semaphore,
}

impl<T> Pool<T> {
    /// A pool of `objects`. Without any, everybody waits until one is
    /// [`add`](Pool::add)ed.
    pub fn new(objects: impl IntoIterator<Item = T>) -> Self {
        let idle: VecDeque<T> = objects.into_iter().collect();
        Self {
            permits: Semaphore::new(idle.len()),
            idle: Mutex::new(idle),
        }
    }

    /// Waits for an object; `io` is the executor that it runs on, or
    /// [`Bare`] for any.
    ///
    /// # Examples
    ///
    /// ```
    /// use anysync::Block;
    /// use anysync_example_pool::Pool;
    /// use anysync_smol::Smol;
    ///
    /// let pool = Pool::new([vec![0_u8; 4096]]);
    /// Smol.block_on(async {
    ///     let mut buffer = pool.get(Smol).await;
    ///     buffer[0] = 1;
    /// });
    /// ```
    pub async fn get(&self, io: impl Io) -> Pooled<'_, T> {
        let permit = self.permits.acquire(io).await;
        self.lend(permit.expect("the semaphore is never closed"))
    }

    /// Waits for an object on any executor: [`get`](Pool::get) with [`Bare`].
    pub fn get_future(&self) -> impl Future<Output = Pooled<'_, T>> + use<'_, T> {
        self.get(Bare)
    }

    /// Waits for an object, for `limit` at most, by the clock of `io`.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] when no object has come back by then. An object that comes
    /// in the last moment is taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use anysync::Block;
    /// use anysync_example_pool::{Pool, TimedOut};
    /// use anysync_smol::Smol;
    ///
    /// let pool = Pool::new(["the only one"]);
    /// let limit = Duration::from_millis(1);
    /// Smol.block_on(async {
    ///     let _taken = pool.get(Smol).await;
    ///     let outcome = pool.get_timeout(Smol, limit).await;
    ///     assert_eq!(outcome.err(), Some(TimedOut { limit }));
    /// });
    /// ```
    pub async fn get_timeout(
        &self,
        io: impl Timer,
        limit: Duration,
    ) -> Result<Pooled<'_, T>, TimedOut> {
        let in_time = io.timeout(limit, self.get(&io)).await;
        in_time.map_err(|_| TimedOut { limit })
    }

    /// Waits for an object, and parks the thread meanwhile. Not for async code:
    /// it would keep the executor's thread from running other tasks.
    pub fn get_blocking(&self) -> Pooled<'_, T> {
        Bare.block_on(self.get(Bare))
    }

    /// Takes an object if one is idle and nobody waits.
    pub fn try_get(&self) -> Option<Pooled<'_, T>> {
        let permit = self.permits.try_acquire().ok()?;
        Some(self.lend(permit))
    }

    /// Puts one more object into the pool.
    pub fn add(&self, object: T) {
        self.put(object);
        self.permits.add_permits(1);
    }

    /// How many objects can be taken without waiting, at this moment.
    pub fn idle(&self) -> usize {
        self.permits.available_permits()
    }

    /// How many callers wait, at this moment.
    pub fn waiting(&self) -> usize {
        self.permits.waiter_count()
    }

    fn lend<'a>(&'a self, permit: SemaphorePermit<'a>) -> Pooled<'a, T> {
        let object = self.lock().pop_front();
        debug_assert!(object.is_some(), "a permit without an object");
        Pooled {
            object,
            pool: self,
            permit: Some(permit),
        }
    }

    fn put(&self, object: T) {
        self.lock().push_back(object);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        // Nothing that could panic half-way runs under it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("idle", &self.idle())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

/// An object on loan. It goes back when this is dropped, also by a panic of the
/// code that uses it.
#[must_use = "the object goes back at once if it is not kept"]
pub struct Pooled<'a, T> {
    /// Both `None` only while this is taken apart.
    object: Option<T>,
    permit: Option<SemaphorePermit<'a>>,
    pool: &'a Pool<T>,
}

impl<T> Pooled<'_, T> {
    /// Takes the object out of the pool for good, because it is broken or of use
    /// elsewhere. Another may be [`add`](Pool::add)ed for it.
    pub fn remove(mut self) -> T {
        if let Some(permit) = self.permit.take() {
            permit.forget();
        }
        self.object.take().expect("present until the drop")
    }
}

impl<T> Deref for Pooled<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.object.as_ref().expect("present until the drop")
    }
}

impl<T> DerefMut for Pooled<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.object.as_mut().expect("present until the drop")
    }
}

impl<T> Drop for Pooled<'_, T> {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            self.pool.put(object);
        }
        // And then the permit, by itself.
    }
}

impl<T: fmt::Debug> fmt::Debug for Pooled<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pooled").field(&**self).finish()
    }
}
