//! Semaphore.

use ::tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{
    Closed, HeldPermits, Kept, NoPermits, Permits, SemaphoreSubject, TooMany, mapped,
};

fn narrow(n: usize) -> u32 {
    u32::try_from(n).expect("the laws acquire few")
}

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        mapped(self.acquire(), |permit| {
            boxed(self, permit).map_err(|_| Closed)
        })
    }

    fn acquire_many<'a>(
        &'a self,
        _: &'a DynIo,
        n: usize,
    ) -> Option<BoxFuture<'a, Result<Permits<'a>, Closed>>> {
        Some(mapped(self.acquire_many(narrow(n)), |permit| {
            boxed(self, permit).map_err(|_| Closed)
        }))
    }

    fn hold<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.acquire())))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        boxed(self, self.try_acquire()).map_err(|error| match error {
            TryAcquireError::NoPermits => NoPermits::Few,
            TryAcquireError::Closed => NoPermits::Closed,
        })
    }

    fn available(&self) -> usize {
        self.available_permits()
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.add_permits(n);
        Ok(())
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
}

/// A permit lends its semaphore for shorter than it could.
struct Held<'a> {
    semaphore: &'a Semaphore,
    permit: SemaphorePermit<'a>,
}

fn boxed<'a, E>(
    semaphore: &'a Semaphore,
    permit: Result<SemaphorePermit<'a>, E>,
) -> Result<Permits<'a>, E> {
    let permit = permit?;
    Ok(Box::new(Held { semaphore, permit }))
}

impl<'a> HeldPermits<'a> for Held<'a> {
    fn count(&self) -> usize {
        self.permit.num_permits()
    }

    fn forget(self: Box<Self>) {
        self.permit.forget();
    }

    fn split(&mut self, n: usize) -> Option<Permits<'a>> {
        let permit = self.permit.split(n)?;
        let semaphore = self.semaphore;
        Some(Box::new(Self { semaphore, permit }))
    }

    fn grow(&mut self, n: usize) -> bool {
        match self.semaphore.try_acquire_many(narrow(n)) {
            Ok(more) => {
                self.permit.merge(more);
                true
            }
            Err(_) => false,
        }
    }
}
