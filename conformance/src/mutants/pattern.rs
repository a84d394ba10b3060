//! Subjects with which a program fails that is written as it should be.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anysync::{Barrier, Mutex, Notify};

use super::{Broken, Mutant};
use crate::cx::DynIo;
use crate::subject::{BarrierSubject, MutexSubject, NotifySubject, NotifyWait, Subject};
use crate::wakers::poll_noop;

pub(super) fn all() -> Vec<Mutant> {
    let mutant = |name, flaw, what, killed_by| Mutant {
        name,
        flaw: what,
        what: Broken::Subject(Arc::new(Flawed { name, flaw })),
        killed_by,
    };
    vec![
        mutant(
            "permit-between-look-and-wait",
            Flaw::PermitIsLost,
            "notify_one reaches only who is queued",
            &["pattern::work_queue_delivers_everything"],
        ),
        mutant(
            "dropped-win-is-lost",
            Flaw::DroppedWinIsLost,
            "a wait that is dropped after it was notified takes the signal with it",
            &["pattern::work_queue_survives_a_cancelled_pop"],
        ),
        mutant(
            "all-but-one",
            Flaw::AllButOne,
            "notify_all misses the last in the queue",
            &["pattern::shutdown_reaches_every_worker"],
        ),
        mutant(
            "released-one-too-early",
            Flaw::OneTooEarly,
            "a barrier releases when all but one have arrived",
            &["pattern::checkpointed_sum_is_right"],
        ),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    PermitIsLost,
    DroppedWinIsLost,
    AllButOne,
    OneTooEarly,
}

struct Flawed {
    name: &'static str,
    flaw: Flaw,
}

impl Subject for Flawed {
    fn name(&self) -> &str {
        self.name
    }

    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        let notify = Notify::new();
        let flaw = self.flaw;
        (flaw != Flaw::OneTooEarly).then(|| Arc::new(FlawedNotify { notify, flaw }) as _)
    }

    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        let early = parties.saturating_sub(1);
        (self.flaw == Flaw::OneTooEarly).then(|| Arc::new(Barrier::new(early)) as _)
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Some(Arc::new(Mutex::new(Vec::new())))
    }
}

struct FlawedNotify {
    notify: Notify,
    flaw: Flaw,
}

impl NotifySubject for FlawedNotify {
    fn notify_one(&self) {
        if self.flaw != Flaw::PermitIsLost || self.notify.waiter_count() > 0 {
            self.notify.notify_one();
        }
    }

    fn notify_all(&self) {
        if self.flaw != Flaw::AllButOne {
            self.notify.notify_all();
            return;
        }
        for _ in 1..self.notify.waiter_count() {
            self.notify.notify_one();
        }
    }

    fn wait<'a>(&'a self, io: &'a DynIo) -> Pin<Box<dyn NotifyWait + 'a>> {
        Box::pin(FlawedWait {
            wait: Some(Box::pin(self.notify.wait(io))),
            flaw: self.flaw,
        })
    }
}

struct FlawedWait<'a> {
    /// `None` when it is over.
    wait: Option<Pin<Box<anysync::notify::Wait<'a, &'a DynIo>>>>,
    flaw: Flaw,
}

impl Future for FlawedWait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let wait = self.wait.as_mut().expect("it is not over");
        let polled = wait.as_mut().poll(cx);
        if polled.is_ready() {
            self.wait = None;
        }
        polled
    }
}

impl NotifyWait for FlawedWait<'_> {
    fn enable(mut self: Pin<&mut Self>) -> bool {
        let wait = self.wait.as_mut().expect("it is not over");
        wait.as_mut().enable()
    }
}

impl Drop for FlawedWait<'_> {
    fn drop(&mut self) {
        if self.flaw == Flaw::DroppedWinIsLost {
            if let Some(wait) = &mut self.wait {
                // Takes what it has won.
                let _ = poll_noop(wait.as_mut());
            }
        }
    }
}
