//! Our own primitives.

use std::pin::Pin;
use std::sync::Arc;

use ::anysync::Notify;

use crate::cx::DynIo;
use crate::subject::{NotifySubject, NotifyWait, Promise, Subject};

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
        &[Promise::CountsFromCreation, Promise::FifoMutex]
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        Some(Arc::new(Notify::new()))
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

    fn waiter_count(&self) -> Option<usize> {
        Some(self.waiter_count())
    }

    fn has_permit(&self) -> Option<bool> {
        Some(self.has_permit())
    }
}

impl NotifyWait for ::anysync::notify::Wait<'_, &DynIo> {
    fn enable(self: Pin<&mut Self>) -> bool {
        self.enable()
    }
}
