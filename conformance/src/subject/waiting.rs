//! What all primitives that wait have in common: the face that the laws of the
//! group `any::` are about.

use std::sync::Arc;

use super::NotifySubject;
use crate::cx::DynIo;
use crate::erased::BoxFuture;

/// A primitive on which somebody waits until somebody else signals.
pub trait Waiting: Send + Sync + 'static {
    /// The kind's name, for messages.
    fn name(&self) -> &'static str;

    /// A wait; it queues when it is first polled.
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()>;

    /// Lets the first in the queue through, or all of them: see
    /// [`signals_one`](Waiting::signals_one).
    fn signal(&self);

    /// Whether a signal lets one wait through and a dropped win goes to the
    /// next. Otherwise a signal is for everybody who waits.
    fn signals_one(&self) -> bool;

    /// How many are queued, if it can tell.
    fn queued(&self) -> Option<usize>;
}

struct NotifyWaiting(Arc<dyn NotifySubject>);

pub(super) fn of_notify(notify: Arc<dyn NotifySubject>) -> Arc<dyn Waiting> {
    Arc::new(NotifyWaiting(notify))
}

impl Waiting for NotifyWaiting {
    fn name(&self) -> &'static str {
        "Notify"
    }

    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        let wait = self.0.wait(io);
        Box::pin(wait)
    }

    fn signal(&self) {
        self.0.notify_one();
    }

    fn signals_one(&self) -> bool {
        true
    }

    fn queued(&self) -> Option<usize> {
        self.0.waiter_count()
    }
}
