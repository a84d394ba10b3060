//! The kind Semaphore.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use super::{
    Contending, Kept, Promise, Reach, SendFact, Subject, TurnsOf, Waitable, Waiting, turn_of,
};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// Has so many permits, for so many at once.
///
/// Its waits poll the primitive's own futures: see [`mapped`](super::mapped).
pub trait SemaphoreSubject: Send + Sync + 'static {
    /// A wait for a permit, which is given back when it is dropped.
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    fn acquire<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>>;

    /// A wait for many at once, if it can
    /// ([`Promise::AcquireMany`](super::Promise::AcquireMany)).
    ///
    /// # Errors
    ///
    /// If the semaphore is closed.
    fn acquire_many<'a>(
        &'a self,
        io: &'a DynIo,
        n: usize,
    ) -> Option<BoxFuture<'a, Result<Permits<'a>, Closed>>> {
        let _ = (io, n);
        None
    }

    /// A wait for a permit that is kept inside the future until that is dropped: a
    /// [`Kept`] of the primitive's own future, so that its first poll allocates
    /// nothing.
    fn hold<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(self.acquire(io)))
    }

    /// A permit, if one is free and nobody waits; never waits.
    ///
    /// # Errors
    ///
    /// If there is none to be had.
    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits>;

    /// How many could be had at this moment.
    fn available(&self) -> usize;

    /// Adds permits that nobody has had.
    ///
    /// # Errors
    ///
    /// If there would be too many; a panic says so as well.
    fn add(&self, n: usize) -> Result<(), TooMany>;

    /// Takes up to so many free permits away: how many it took; `None` if it
    /// cannot.
    fn forget(&self, n: usize) -> Option<usize> {
        let _ = n;
        None
    }

    /// The largest number of permits that it can have, if it has a limit.
    fn limit(&self) -> Option<usize> {
        None
    }

    /// Refuses everybody from now on, if it can
    /// ([`Promise::CloseSemaphore`](super::Promise::CloseSemaphore)).
    fn close(&self) {}

    /// Whether it is closed.
    fn is_closed(&self) -> bool {
        false
    }

    /// How many are queued, if it can tell.
    fn waiter_count(&self) -> Option<usize> {
        None
    }
}

/// Permits, in a box.
pub type Permits<'a> = Box<dyn HeldPermits<'a> + 'a>;

/// Permits that go back when this is dropped.
pub trait HeldPermits<'a>: Send {
    /// How many.
    fn count(&self) -> usize {
        1
    }

    /// They do not go back.
    fn forget(self: Box<Self>);

    /// Takes some out, if it can and has so many
    /// ([`Promise::SplitPermits`](super::Promise::SplitPermits)).
    fn split(&mut self, n: usize) -> Option<Permits<'a>> {
        let _ = n;
        None
    }

    /// Acquires so many more, without waiting, and merges them: whether it could.
    fn grow(&mut self, n: usize) -> bool {
        let _ = n;
        false
    }
}

/// The semaphore is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// There would be more permits than can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPermits {
    /// One may come.
    Few,
    /// None will come.
    Closed,
}

pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_semaphore(1).is_none() {
        return Vec::new();
    }
    let waiting = |by_close| -> Arc<dyn Waiting> {
        Arc::new(SemaphoreWaiting {
            subject: Arc::clone(subject),
            by_close,
        })
    };
    let mut all = vec![waiting(false)];
    if subject.promises().contains(&Promise::CloseSemaphore) {
        all.push(waiting(true));
    }
    all
}

pub(super) fn contendings(subject: &Arc<dyn Subject>) -> Vec<Contending> {
    if subject.new_semaphore(1).is_none() {
        return Vec::new();
    }
    let of_many = subject.promises().contains(&Promise::AcquireMany);
    let one = Arc::clone(subject);
    let mut all = vec![Contending::with_room("Semaphore", of_many, move |room| {
        TurnsOf {
            primitive: one.semaphore(room),
            turn: |semaphore, io, _, body| turn_of(semaphore.acquire(io), body),
        }
    })];
    if of_many {
        let many = Arc::clone(subject);
        all.push(Contending::with_room(
            "Semaphore of many",
            true,
            move |room| TurnsOf {
                primitive: many.semaphore(2 * room + 1),
                turn: |semaphore, io, _, body| {
                    turn_of(semaphore.acquire_many(io, 2).expect("it is promised"), body)
                },
            },
        ));
        let mixed = Arc::clone(subject);
        all.push(Contending::single(
            "Semaphore of one and of many",
            true,
            move || TurnsOf {
                primitive: mixed.semaphore(3),
                turn: |semaphore, io, branch, body| {
                    let wants = 2 + branch % 2;
                    turn_of(
                        semaphore.acquire_many(io, wants).expect("it is promised"),
                        body,
                    )
                },
            },
        ));
    }
    all
}

struct SemaphoreWaiting {
    subject: Arc<dyn Subject>,
    by_close: bool,
}

impl Waiting for SemaphoreWaiting {
    fn name(&self) -> &'static str {
        match self.by_close {
            false => "Semaphore by a release",
            true => "Semaphore by a close",
        }
    }

    fn reach(&self) -> Reach {
        match self.by_close {
            false => Reach::FirstThenNext,
            true => Reach::All,
        }
    }

    fn spends(&self) -> bool {
        // The end of all waits is paid for by nobody.
        !self.by_close
    }

    fn is_ordered(&self) -> bool {
        self.subject.promises().contains(&Promise::AcquireMany)
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        let semaphore = self.subject.semaphore(1);
        let holder = hold(&semaphore);
        Arc::new(SemaphoreWaitable {
            semaphore,
            by_close: self.by_close,
            holder: Mutex::new(Some(holder)),
        })
    }

    fn use_static(&self, io: &DynIo) -> Result<(), String> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let Some(semaphore) = self.subject.static_semaphore() else {
            return Err("the subject has no Semaphore in a `static`".to_owned());
        };
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        works(semaphore, io);
        Ok(())
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.subject.semaphore_send_facts()
    }
}

#[track_caller]
fn take(semaphore: &dyn SemaphoreSubject) -> Permits<'_> {
    match semaphore.try_acquire() {
        Ok(permit) => permit,
        Err(NoPermits::Few) => panic!("a permit is free, and it says that there is none"),
        Err(NoPermits::Closed) => panic!("a permit is free, and it says that it is closed"),
    }
}

/// Has the only permit until the result is dropped.
fn hold(semaphore: &Arc<dyn SemaphoreSubject>) -> BoxFuture<'static, ()> {
    let semaphore = Arc::clone(semaphore);
    let mut holder: BoxFuture<'static, ()> = Box::pin(async move {
        let _permit = take(&*semaphore);
        pending().await
    });
    let _ = poll_noop(holder.as_mut());
    holder
}

/// A semaphore with one permit.
struct SemaphoreWaitable {
    semaphore: Arc<dyn SemaphoreSubject>,
    by_close: bool,
    /// Who has the permit until the signal.
    holder: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl SemaphoreWaitable {
    fn release(&self) {
        let holder = self
            .holder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Its permit goes with it.
        drop(holder);
    }
}

impl Waitable for SemaphoreWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        self.semaphore.hold(io)
    }

    fn signal(&self) {
        match self.by_close {
            false => self.release(),
            true => self.semaphore.close(),
        }
    }

    fn queued(&self) -> Option<usize> {
        self.semaphore.waiter_count()
    }

    fn touch(&self, io: &DynIo) {
        let _ = self.semaphore.waiter_count();
        let _ = self.semaphore.available();
        let _ = self.semaphore.is_closed();
        drop(self.semaphore.try_acquire());
        let _ = poll_noop(self.semaphore.acquire(io).as_mut());
        if let Some(mut wait) = self.semaphore.acquire_many(io, 2) {
            let _ = poll_noop(wait.as_mut());
        }
        // With one more there would be more than one.
        let _ = self.semaphore.add(0);
        let _ = self.semaphore.forget(0);
        if self.by_close {
            self.semaphore.close();
        }
    }

    fn check_later(&self, io: &DynIo) {
        self.release();
        if !self.semaphore.is_closed() {
            works(&*self.semaphore, io);
        }
        if !self.by_close {
            return;
        }
        self.semaphore.close();
        let refused = self.semaphore.try_acquire().err();
        assert_eq!(refused, Some(NoPermits::Closed), "of a closed semaphore");
        let late = poll_noop(self.semaphore.acquire(io).as_mut());
        assert!(
            matches!(late, Poll::Ready(Err(Closed))),
            "a later wait on a closed semaphore does not fail"
        );
    }
}

/// Uses a semaphore whose only permit nobody has or waits for.
fn works(semaphore: &dyn SemaphoreSubject, io: &DynIo) {
    if let Some(count) = semaphore.waiter_count() {
        assert_eq!(count, 0, "nobody waits any more");
    }
    assert_eq!(semaphore.available(), 1, "the free permits");
    let permit = take(semaphore);
    let second = semaphore.try_acquire().err();
    assert_eq!(
        second,
        Some(NoPermits::Few),
        "the permit was given out twice"
    );
    let (wakes, waker) = counting();
    let mut wait = semaphore.acquire(io);
    assert!(
        poll(wait.as_mut(), &waker).is_pending(),
        "a later wait gets a permit that another has"
    );
    drop(permit);
    assert!(wakes.count() >= 1, "a later release woke nobody");
    let polled = poll(wait.as_mut(), &waker);
    assert!(
        matches!(polled, Poll::Ready(Ok(_))),
        "a later release did not let the next have the permit"
    );
    drop(polled);
    drop(wait);
    assert_eq!(semaphore.available(), 1, "the free permits in the end");
}
