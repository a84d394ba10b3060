//! The kind Notify.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use super::{Reach, SendFact, Subject, Waitable, Waiting};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// Wakes one waiting task or all of them, without data.
pub trait NotifySubject: Send + Sync + 'static {
    /// Wakes the first in the queue, or stores a permit.
    fn notify_one(&self);

    /// Wakes all of them.
    fn notify_all(&self);

    /// A wait; `Box::pin` of the primitive's own future.
    fn wait<'a>(&'a self, io: &'a DynIo) -> Pin<Box<dyn NotifyWait + 'a>>;

    /// A waiter that is no future, in a box, if it has such
    /// ([`Promise::RawWaiters`](super::Promise::RawWaiters)).
    fn raw_waiter(&self, waker: Waker) -> Option<Box<dyn RawNotifyWaiter + '_>> {
        let _ = waker;
        None
    }

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
    /// Queues without polling; `true` if the wait has won already, and its next
    /// poll is ready.
    fn enable(self: Pin<&mut Self>) -> bool;
}

/// A waiter on a Notify that is no future.
pub trait RawNotifyWaiter {
    /// Queues it; whether it has been notified already.
    fn wait(&mut self) -> bool;

    /// Whether it has been notified; `true` takes the notification.
    fn is_notified(&self) -> bool;

    /// Whether it has been notified, taking nothing.
    fn is_ready(&self) -> bool;

    /// Ends the wait; `true` if it was still waiting.
    fn cancel(&mut self) -> bool;

    /// Makes it as new; an untaken notification goes to the next.
    fn reset(&mut self);
}

/// A Notify waits for `notify_one` and for `notify_all`.
pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_notify().is_none() {
        return Vec::new();
    }
    let by = |signal| -> Arc<dyn Waiting> {
        Arc::new(NotifyWaiting {
            subject: Arc::clone(subject),
            signal,
        })
    };
    vec![by(Signal::One), by(Signal::All)]
}

#[derive(Clone, Copy, PartialEq)]
enum Signal {
    One,
    All,
}

struct NotifyWaiting {
    subject: Arc<dyn Subject>,
    signal: Signal,
}

impl Waiting for NotifyWaiting {
    fn name(&self) -> &'static str {
        match self.signal {
            Signal::One => "Notify by notify_one",
            Signal::All => "Notify by notify_all",
        }
    }

    fn reach(&self) -> Reach {
        match self.signal {
            Signal::One => Reach::First,
            Signal::All => Reach::All,
        }
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        Arc::new(NotifyWaitable {
            notify: self.subject.notify(),
            signal: self.signal,
        })
    }

    fn use_static(&self, io: &DynIo) -> Result<(), String> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let Some(notify) = self.subject.static_notify() else {
            return Err("the subject has no Notify in a `static`".to_owned());
        };
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        works(notify, self.signal, io);
        Ok(())
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.subject.notify_send_facts()
    }
}

struct NotifyWaitable {
    notify: Arc<dyn NotifySubject>,
    signal: Signal,
}

impl Waitable for NotifyWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(self.notify.wait(io))
    }

    fn signal(&self) {
        signal(&*self.notify, self.signal);
    }

    fn queued(&self) -> Option<usize> {
        self.notify.waiter_count()
    }

    fn touch(&self, io: &DynIo) {
        let notify = &*self.notify;
        let _ = (notify.waiter_count(), notify.has_permit());
        let mut wait = notify.wait(io);
        let _ = wait.as_mut().enable();
        let _ = poll_noop(wait.as_mut());
        drop(wait);
        let mut raw = notify.raw_waiter(Waker::noop().clone());
        if let Some(raw) = &mut raw {
            let _ = raw.wait();
            let _ = raw.is_ready();
            let _ = raw.cancel();
        }
        notify.notify_all();
        notify.notify_one();
    }

    fn check_later(&self, io: &DynIo) {
        works(&*self.notify, self.signal, io);
    }
}

fn signal(notify: &dyn NotifySubject, signal: Signal) {
    match signal {
        Signal::One => notify.notify_one(),
        Signal::All => notify.notify_all(),
    }
}

/// Uses a Notify on which nobody waits; a permit may be left.
fn works(notify: &dyn NotifySubject, by: Signal, io: &DynIo) {
    let (wakes, waker) = counting();
    if poll_noop(pin!(notify.wait(io))).is_ready() {
        let second = poll_noop(pin!(notify.wait(io)));
        assert!(second.is_pending(), "one permit let two waits through");
    }
    if let Some(count) = notify.waiter_count() {
        assert_eq!(count, 0, "nobody waits any more");
    }
    let mut wait = notify.wait(io);
    assert!(
        poll(wait.as_mut(), &waker).is_pending(),
        "a later wait finds something that is not there"
    );
    signal(notify, by);
    assert!(wakes.count() >= 1, "a later signal woke nobody");
    assert!(
        poll(wait.as_mut(), &waker).is_ready(),
        "a later signal did not end the wait"
    );
}
