//! The kind Condvar.

use std::future::poll_fn;
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use super::{Contending, Promise, Reach, SendFact, Subject, TurnsOf, Waitable, Waiting};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// A condition, and the lock around a list of numbers (empty at first) that it is
/// about.
pub trait CondvarSubject: Send + Sync + 'static {
    /// A wait for the lock.
    fn lock<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, CondvarGuard<'a>>;

    /// The lock, if it is free; never waits.
    fn try_lock(&self) -> Option<CondvarGuard<'_>>;

    /// Notifies the first of those who wait, if there is one.
    fn notify_one(&self);

    /// Notifies all who wait.
    fn notify_all(&self);

    /// Locks by any executor, waits for a notification, and unlocks again: all in
    /// one future of the primitives' own, so that it allocates only when it is
    /// created.
    fn pass<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()>;

    /// How many are queued, if it can tell.
    fn waiter_count(&self) -> Option<usize> {
        None
    }
}

/// What proves that the lock is held, in a box.
pub type CondvarGuard<'a> = Box<dyn CondvarAccess<'a> + 'a>;

/// What a wait is for, as long as it is true of the list.
pub type Condition<'a> = Box<dyn FnMut(&mut Vec<u64>) -> bool + Send + 'a>;

/// What proves that the lock is held, and can be given up to wait.
pub trait CondvarAccess<'a>: DerefMut<Target = Vec<u64>> + Send {
    /// Gives up the lock, waits for a notification, and locks again. It polls the
    /// primitive's own future: see [`mapped`](super::mapped).
    fn wait(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, CondvarGuard<'a>>;

    /// The same, as long as `condition` holds.
    fn wait_while(
        self: Box<Self>,
        io: &'a DynIo,
        condition: Condition<'a>,
    ) -> BoxFuture<'a, CondvarGuard<'a>>;
}

pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_condvar().is_none() {
        return Vec::new();
    }
    let waiting = |all| -> Arc<dyn Waiting> {
        Arc::new(CondvarWaiting {
            subject: Arc::clone(subject),
            all,
        })
    };
    vec![waiting(false), waiting(true)]
}

pub(super) fn contendings(subject: &Arc<dyn Subject>) -> Vec<Contending> {
    if subject.new_condvar().is_none() {
        return Vec::new();
    }
    let ordered = subject.promises().contains(&Promise::FifoMutex);
    let subject = Arc::clone(subject);
    let fresh = move || TurnsOf {
        primitive: subject.condvar(),
        turn: |condvar, io, _, body| relock(&**condvar, io, body),
    };
    vec![Contending::single("Condvar, to lock again", ordered, fresh)]
}

/// A turn with the lock that a wait takes again when it has been notified, which it is
/// as soon as it has given up the lock.
fn relock<'a>(
    condvar: &'a dyn CondvarSubject,
    io: &'a DynIo,
    body: BoxFuture<'a, ()>,
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let mut wait = condvar.lock(io).await.wait(io);
        let first = poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx))).await;
        let _guard = match first {
            Poll::Ready(guard) => guard,
            Poll::Pending => {
                condvar.notify_all();
                wait.await
            }
        };
        body.await;
    })
}

struct CondvarWaiting {
    subject: Arc<dyn Subject>,
    all: bool,
}

impl Waiting for CondvarWaiting {
    fn name(&self) -> &'static str {
        match self.all {
            false => "Condvar by notify_one",
            true => "Condvar by notify_all",
        }
    }

    fn reach(&self) -> Reach {
        match self.all {
            false => Reach::First,
            true => Reach::All,
        }
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        Arc::new(CondvarWaitable {
            condvar: self.subject.condvar(),
            all: self.all,
        })
    }

    fn use_static(&self, io: &DynIo) -> Result<(), String> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let Some(condvar) = self.subject.static_condvar() else {
            return Err("the subject has no Condvar in a `static`".to_owned());
        };
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        works(condvar, io);
        Ok(())
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.subject.condvar_send_facts()
    }
}

struct CondvarWaitable {
    condvar: Arc<dyn CondvarSubject>,
    all: bool,
}

impl Waitable for CondvarWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        self.condvar.pass(io)
    }

    fn signal(&self) {
        match self.all {
            false => self.condvar.notify_one(),
            true => self.condvar.notify_all(),
        }
    }

    fn queued(&self) -> Option<usize> {
        self.condvar.waiter_count()
    }

    fn touch(&self, io: &DynIo) {
        let _ = self.condvar.waiter_count();
        // Its own wait may have the lock.
        if let Some(guard) = self.condvar.try_lock() {
            let _ = poll_noop(guard.wait(io).as_mut());
        }
        let _ = poll_noop(self.condvar.lock(io).as_mut());
        self.condvar.notify_one();
        self.condvar.notify_all();
    }

    fn check_later(&self, io: &DynIo) {
        works(&*self.condvar, io);
    }
}

/// Uses a condition that nobody waits for; the lock is free.
fn works(condvar: &dyn CondvarSubject, io: &DynIo) {
    if let Some(count) = condvar.waiter_count() {
        assert_eq!(count, 0, "nobody waits any more");
    }
    // Nobody is there to be notified, and nothing is kept.
    condvar.notify_one();
    condvar.notify_all();
    for all in [false, true] {
        let guard = condvar.try_lock().expect("nobody has the lock");
        let (wakes, waker) = counting();
        let mut wait = guard.wait(io);
        assert!(
            poll(wait.as_mut(), &waker).is_pending(),
            "a later wait ends, and nobody has notified"
        );
        drop(condvar.try_lock().expect("a later wait gives up the lock"));
        match all {
            false => condvar.notify_one(),
            true => condvar.notify_all(),
        }
        assert!(wakes.count() >= 1, "a later notification woke nobody");
        let polled = poll(wait.as_mut(), &waker);
        assert!(polled.is_ready(), "a later notification ends no wait");
        assert!(
            condvar.try_lock().is_none(),
            "a later wait ends without the lock"
        );
        drop(polled);
    }
    drop(condvar.try_lock().expect("nobody has the lock"));
}
