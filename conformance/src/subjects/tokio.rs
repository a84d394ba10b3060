//! The primitives of `tokio::sync`, by what their documentation promises.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::tokio::sync::futures::Notified;
use ::tokio::sync::{Barrier, BarrierWaitResult, Notify};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{BarrierSubject, NotifySubject, NotifyWait, Promise, SendFact, Subject};

/// `tokio::sync`.
///
/// It says of its `Barrier` that `wait` is not cancel safe, so this breaks what
/// the laws ask of a dropped wait; and of `Notified::enable` that it is a poll, so
/// that what it has won is returned and not passed on any more. It has no handle of an executor: its waits
/// spend the budget of tokio's tasks by themselves, where they do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Subject for Tokio {
    fn name(&self) -> &str {
        "tokio"
    }

    fn promises(&self) -> &[Promise] {
        &[Promise::CountsFromCreation, Promise::FifoMutex]
    }

    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        Some(Arc::new(Notify::new()))
    }

    fn static_notify(&self) -> Option<&'static dyn NotifySubject> {
        static NOTIFY: Notify = Notify::const_new();
        Some(&NOTIFY)
    }

    fn notify_send_facts(&self) -> Vec<SendFact> {
        send_facts![Notify: true, Notified<'static>: true]
    }

    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        Some(Arc::new(Barrier::new(parties)))
    }

    fn barrier_send_facts(&self) -> Vec<SendFact> {
        // The wait is an `async fn` without a name; that it is boxed as `Send`
        // below says the rest.
        send_facts![Barrier: true, BarrierWaitResult: true]
    }
}

impl NotifySubject for Notify {
    fn notify_one(&self) {
        self.notify_one();
    }

    fn notify_all(&self) {
        self.notify_waiters();
    }

    fn wait<'a>(&'a self, _io: &'a DynIo) -> Pin<Box<dyn NotifyWait + 'a>> {
        Box::pin(self.notified())
    }
}

impl NotifyWait for Notified<'_> {
    fn enable(self: Pin<&mut Self>) -> bool {
        self.enable()
    }
}

impl BarrierSubject for Barrier {
    fn wait<'a>(&'a self, _io: &'a DynIo) -> BoxFuture<'a, bool> {
        Box::pin(IsLeader(Box::pin(self.wait())))
    }
}

/// Without an `async` block of its own, so that a poll after the end is tokio's
/// affair.
struct IsLeader<'a>(BoxFuture<'a, BarrierWaitResult>);

impl Future for IsLeader<'_> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let polled = self.0.as_mut().poll(cx);
        polled.map(|result| result.is_leader())
    }
}
