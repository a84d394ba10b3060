//! The kind Notify.

use std::future::Future;
use std::pin::Pin;

use crate::cx::DynIo;

/// Wakes one waiting task or all of them, without data.
pub trait NotifySubject: Send + Sync + 'static {
    /// Wakes the first in the queue, or stores a permit.
    fn notify_one(&self);

    /// Wakes all of them.
    fn notify_all(&self);

    /// A wait; `Box::pin` of the primitive's own future.
    fn wait<'a>(&'a self, io: &'a DynIo) -> Pin<Box<dyn NotifyWait + 'a>>;

    /// How many are queued, if it can tell.
    fn waiter_count(&self) -> Option<usize> {
        None
    }

    /// Whether a permit is stored, if it can tell.
    fn has_permit(&self) -> Option<bool> {
        None
    }
}

/// A wait on a Notify.
pub trait NotifyWait: Future<Output = ()> + Send {
    /// Queues without polling; `true` if the wait has won already.
    fn enable(self: Pin<&mut Self>) -> bool;
}
