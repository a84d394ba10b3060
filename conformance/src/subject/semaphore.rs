//! The kind Semaphore.

use crate::cx::DynIo;
use crate::erased::BoxFuture;

/// Has so many permits, for so many at once.
pub trait SemaphoreSubject: Send + Sync + 'static {
    /// A wait for a permit, which is given back when it is dropped.
    fn acquire<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, SemaphorePermit<'a>>;

    /// A permit, if one is free and nobody waits; never waits.
    fn try_acquire(&self) -> Option<SemaphorePermit<'_>>;
}

/// A permit, in a box.
pub type SemaphorePermit<'a> = Box<dyn Held + 'a>;

/// What gives something back when it is dropped.
pub trait Held: Send {}

impl<T: Send> Held for T {}
