//! Our own primitives.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use ::anysync::{Bare, Barrier, Notify, action, barrier, notify};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    ActionFailed, BarrierSubject, NotifySubject, NotifyWait, Promise, RawNotifyWaiter, SendFact,
    Subject,
};

/// The primitives of this project.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anysync;

impl Subject for Anysync {
    fn name(&self) -> &str {
        "anysync"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::CountsFromCreation,
            Promise::EnabledWinIsPassedOn,
            Promise::RawWaiters,
            Promise::LeaderAction,
            Promise::FifoMutex,
        ]
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        Some(Arc::new(Notify::new()))
    }

    fn static_notify(&self) -> Option<&'static dyn NotifySubject> {
        static NOTIFY: Notify = Notify::new();
        Some(&NOTIFY)
    }

    fn notify_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Notify: true,
            notify::Wait<'static, Bare>: true,
            notify::Wait<'static, Rc<Bare>>: false,
            notify::OwnedWait<Bare>: true,
            notify::OwnedWait<Rc<Bare>>: false,
            notify::Waiter<'static>: true,
        ]
    }

    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        Some(Arc::new(Barrier::new(parties)))
    }

    fn static_barrier(&self) -> Option<(&'static dyn BarrierSubject, usize)> {
        static BARRIER: Barrier = Barrier::new(3);
        Some((&BARRIER, 3))
    }

    fn barrier_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Barrier: true,
            barrier::Wait<'static, Bare>: true,
            barrier::Wait<'static, Rc<Bare>>: false,
            barrier::WaitThen<'static, action::Call<fn()>, Bare>: true,
            barrier::WaitThen<'static, action::Call<fn()>, Rc<Bare>>: false,
            barrier::WaitThen<'static, action::Call<Box<dyn FnOnce()>>, Bare>: false,
            barrier::Waiter<'static>: true,
        ]
    }
}

impl NotifySubject for Notify {
    fn notify_one(&self) {
        self.notify_one();
    }

    fn notify_all(&self) {
        self.notify_all();
    }

    fn wait<'a>(&'a self, io: &'a DynIo) -> Pin<Box<dyn NotifyWait + 'a>> {
        Box::pin(self.wait(io))
    }

    fn raw_waiter(&self, waker: Waker) -> Option<Box<dyn RawNotifyWaiter + '_>> {
        Some(Box::new(RawWaiter {
            notify: self,
            waiter: Box::pin(notify::Waiter::with_waker(waker)),
        }))
    }

    fn waiter_count(&self) -> Option<usize> {
        Some(self.waiter_count())
    }

    fn has_permit(&self) -> Option<bool> {
        Some(self.has_permit())
    }
}

impl NotifyWait for notify::Wait<'_, &DynIo> {
    fn enable(self: Pin<&mut Self>) -> bool {
        self.enable()
    }
}

struct RawWaiter<'a> {
    notify: &'a Notify,
    waiter: Pin<Box<notify::Waiter<'a>>>,
}

impl RawNotifyWaiter for RawWaiter<'_> {
    fn wait(&mut self) -> bool {
        self.notify.wait_with(self.waiter.as_mut())
    }

    fn is_notified(&self) -> bool {
        self.waiter.is_notified()
    }

    fn is_ready(&self) -> bool {
        self.waiter.is_ready()
    }

    fn cancel(&mut self) -> bool {
        self.notify.cancel_wait(self.waiter.as_mut())
    }

    fn reset(&mut self) {
        self.waiter.as_mut().reset();
    }
}

impl BarrierSubject for Barrier {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, bool> {
        Box::pin(self.wait(io))
    }

    fn wait_then<'a>(
        &'a self,
        io: &'a DynIo,
        action: Box<dyn FnOnce() + Send + 'a>,
    ) -> Option<BoxFuture<'a, bool>> {
        Some(Box::pin(self.wait_then(io, action)))
    }

    fn try_wait_then<'a>(
        &'a self,
        io: &'a DynIo,
        action: BoxFuture<'a, Result<(), ActionFailed>>,
    ) -> Option<BoxFuture<'a, Result<bool, ActionFailed>>> {
        Some(Box::pin(self.try_wait_then_async(io, || action)))
    }

    fn arrived(&self) -> Option<usize> {
        Some(self.arrived())
    }
}
