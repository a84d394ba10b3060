//! Broken primitives: ours, each with one flaw.

use std::pin::Pin;
use std::sync::Arc;

use anysync::Notify;

use super::{Broken, Mutant};
use crate::cx::DynIo;
use crate::subject::{NotifySubject, NotifyWait, Subject};

pub(super) fn all() -> Vec<Mutant> {
    vec![Mutant {
        name: "permit-is-forgotten",
        flaw: "notify_one with nobody waiting does nothing",
        what: Broken::Subject(Arc::new(PermitIsForgotten)),
        killed_by: &["notify::permit_is_stored"],
    }]
}

struct PermitIsForgotten;

impl Subject for PermitIsForgotten {
    fn name(&self) -> &str {
        "permit-is-forgotten"
    }

    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        Some(Arc::new(Forgetful(Notify::new())))
    }
}

struct Forgetful(Notify);

impl NotifySubject for Forgetful {
    fn notify_one(&self) {
        if self.0.waiter_count() > 0 {
            self.0.notify_one();
        }
    }

    fn notify_all(&self) {
        self.0.notify_all();
    }

    fn wait<'a>(&'a self, io: &'a DynIo) -> Pin<Box<dyn NotifyWait + 'a>> {
        Box::pin(self.0.wait(io))
    }
}
