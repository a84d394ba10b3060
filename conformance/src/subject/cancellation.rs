//! The kind Cancellation.

use std::any::Any;
use std::sync::Arc;

use super::{Promise, Reach, SendFact, Subject, Waitable, Waiting};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// A token that is cancelled once, for good, with its children.
pub trait CancellationSubject: Send + Sync + 'static {
    /// Cancels it.
    fn cancel(&self);

    /// Whether it is cancelled.
    fn is_cancelled(&self) -> bool;

    /// Waits until it is; the primitive's own future but for a box.
    fn cancelled<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()>;

    /// A token that is cancelled with this one, or alone.
    fn child(&self) -> Box<dyn CancellationSubject>;

    /// Another handle of the same token.
    fn another(&self) -> Box<dyn CancellationSubject>;

    /// What `future` returns, or `None` once this is cancelled.
    fn run_until_cancelled<'a>(
        &'a self,
        io: &'a DynIo,
        future: BoxFuture<'a, u64>,
    ) -> BoxFuture<'a, Option<u64>>;

    /// What cancels it when it is dropped.
    fn drop_guard(self: Box<Self>) -> Box<dyn CancelGuard>;
}

/// Cancels a token when it is dropped.
pub trait CancelGuard: Any + Send {
    /// The token, which stays as it is.
    fn disarm(self: Box<Self>) -> Box<dyn CancellationSubject>;
}

pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_cancellation().is_none() {
        return Vec::new();
    }
    vec![Arc::new(CancellationWaiting(Arc::clone(subject)))]
}

struct CancellationWaiting(Arc<dyn Subject>);

impl Waiting for CancellationWaiting {
    fn name(&self) -> &'static str {
        "Cancellation"
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn spends(&self) -> bool {
        self.0.promises().contains(&Promise::CancellationSpends)
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        Arc::new(CancellationWaitable {
            token: self.0.cancellation(),
        })
    }

    fn use_static(&self, _: &DynIo) -> Result<(), String> {
        Err("handles share what is on the heap".to_owned())
    }

    fn fits_a_static(&self) -> bool {
        false
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.0.cancellation_send_facts()
    }
}

struct CancellationWaitable {
    token: Box<dyn CancellationSubject>,
}

impl Waitable for CancellationWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        self.token.cancelled(io)
    }

    fn signal(&self) {
        self.token.cancel();
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let token = &*self.token;
        let _ = token.is_cancelled();
        let (another, child) = (token.another(), token.child());
        let _ = poll_noop(child.cancelled(io).as_mut());
        let _ = poll_noop(token.cancelled(io).as_mut());
        let run = token.run_until_cancelled(io, Box::pin(std::future::pending()));
        let _ = poll_noop({ run }.as_mut());
        drop((another, child));
        token.cancel();
    }

    fn check_later(&self, io: &DynIo) {
        let (wakes, waker) = counting();
        if !self.token.is_cancelled() {
            let mut wait = self.token.cancelled(io);
            assert!(
                poll(wait.as_mut(), &waker).is_pending(),
                "a later wait ends, and nobody has cancelled"
            );
            self.token.cancel();
            assert!(wakes.count() >= 1, "a later cancel woke nobody");
            assert!(poll(wait.as_mut(), &waker).is_ready(), "it does not end");
        }
        assert!(self.token.is_cancelled(), "a cancelled token");
        let late = poll_noop(self.token.cancelled(io).as_mut());
        assert!(late.is_ready(), "a wait on a cancelled token does not end");
    }
}
