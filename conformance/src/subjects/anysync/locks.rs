//! Semaphore and Condvar.

use std::ops::{Deref, DerefMut};

use ::anysync::{Condvar, Mutex, MutexGuard, Semaphore, SemaphorePermit, TryAcquireError};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{
    Closed, Condition, CondvarAccess, CondvarGuard, CondvarSubject, HeldPermits, Kept, NoPermits,
    Permits, SemaphoreSubject, TooMany, mapped,
};

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        mapped(self.acquire(io), boxed)
    }

    fn acquire_many<'a>(
        &'a self,
        io: &'a DynIo,
        n: usize,
    ) -> Option<BoxFuture<'a, Result<Permits<'a>, Closed>>> {
        Some(mapped(self.acquire_many(io, n), boxed))
    }

    fn hold<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.acquire(io))))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        match self.try_acquire() {
            Ok(permit) => Ok(Box::new(permit)),
            Err(TryAcquireError::NoPermits) => Err(NoPermits::Few),
            Err(TryAcquireError::Closed) => Err(NoPermits::Closed),
        }
    }

    fn available(&self) -> usize {
        self.available_permits()
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.try_add_permits(n).map_err(|_| TooMany)
    }

    fn forget(&self, n: usize) -> Option<usize> {
        Some(self.forget_permits(n))
    }

    fn limit(&self) -> Option<usize> {
        Some(Self::MAX_PERMITS)
    }

    fn close(&self) {
        self.close();
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn waiter_count(&self) -> Option<usize> {
        Some(self.waiter_count())
    }
}

fn boxed<E>(permit: Result<SemaphorePermit<'_>, E>) -> Result<Permits<'_>, Closed> {
    match permit {
        Ok(permit) => Ok(Box::new(permit)),
        Err(_) => Err(Closed),
    }
}

impl<'a> HeldPermits<'a> for SemaphorePermit<'a> {
    fn count(&self) -> usize {
        self.num_permits()
    }

    fn forget(self: Box<Self>) {
        (*self).forget();
    }

    fn split(&mut self, n: usize) -> Option<Permits<'a>> {
        let permits = self.split(n)?;
        Some(Box::new(permits))
    }

    fn grow(&mut self, n: usize) -> bool {
        match self.semaphore().try_acquire_many(n) {
            Ok(more) => {
                self.merge(more);
                true
            }
            Err(_) => false,
        }
    }
}

/// A condition and its lock.
pub(super) struct Pair {
    changed: Condvar,
    list: Mutex<Vec<u64>>,
}

impl Pair {
    pub(super) const fn new() -> Self {
        Self {
            changed: Condvar::new(),
            list: Mutex::new(Vec::new()),
        }
    }

    fn boxed<'a>(&'a self, guard: MutexGuard<'a, Vec<u64>>) -> CondvarGuard<'a> {
        Box::new(Locked { pair: self, guard })
    }
}

impl CondvarSubject for Pair {
    fn lock<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, CondvarGuard<'a>> {
        mapped(self.list.lock(io), |guard| self.boxed(guard))
    }

    fn try_lock(&self) -> Option<CondvarGuard<'_>> {
        let guard = self.list.try_lock()?;
        Some(self.boxed(guard))
    }

    fn notify_one(&self) {
        self.changed.notify_one();
    }

    fn notify_all(&self) {
        self.changed.notify_all();
    }

    fn pass<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            // Without a budget, which may be spent before this has queued.
            let guard = self.list.lock_future().await;
            drop(self.changed.wait(io, guard).await);
        })
    }

    fn waiter_count(&self) -> Option<usize> {
        Some(self.changed.waiter_count())
    }
}

struct Locked<'a> {
    pair: &'a Pair,
    guard: MutexGuard<'a, Vec<u64>>,
}

impl Deref for Locked<'_> {
    type Target = Vec<u64>;

    fn deref(&self) -> &Vec<u64> {
        &self.guard
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Vec<u64> {
        &mut self.guard
    }
}

impl<'a> CondvarAccess<'a> for Locked<'a> {
    fn wait(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, CondvarGuard<'a>> {
        let pair = self.pair;
        let wait = pair.changed.wait(io, self.guard);
        mapped(wait, |guard| pair.boxed(guard))
    }

    fn wait_while(
        self: Box<Self>,
        io: &'a DynIo,
        condition: Condition<'a>,
    ) -> BoxFuture<'a, CondvarGuard<'a>> {
        let pair = self.pair;
        let wait = pair.changed.wait_while(io, self.guard, condition);
        mapped(wait, |guard| pair.boxed(guard))
    }
}
