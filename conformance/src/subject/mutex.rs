//! The kind Mutex.

use std::future::{Future, pending};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{
    Contending, Kept, Promise, Reach, SendFact, Subject, TurnsOf, Waitable, Waiting, turn_of,
};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// Excludes: a lock around a list of numbers, which is empty at first.
#[async_trait]
pub trait MutexSubject: Send + Sync + 'static {
    /// A wait for the lock, whose guard is boxed: see [`boxed_guard`].
    async fn lock<'a>(&'a self, io: &'a DynIo) -> Guard<'a>;

    /// The same, with the guard kept inside the future until that is dropped:
    /// `Box::pin(Kept::new(Box::pin(self.lock(io))))`, with the primitive's own
    /// `lock`, so that its first poll allocates nothing.
    fn hold<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(self.lock(io)))
    }

    /// The lock, if it is free; never waits.
    fn try_lock(&self) -> Option<Guard<'_>>;

    /// A wait for the lock by one that owns a share of it, as does its guard, if it
    /// can ([`Promise::OwnedMutexGuard`](super::Promise::OwnedMutexGuard)).
    fn lock_owned(self: Arc<Self>, io: DynIo) -> Option<BoxFuture<'static, Guard<'static>>> {
        let _ = io;
        None
    }

    /// The lock, if it is free, with a guard for this part of the list alone, if it
    /// can ([`Promise::MappedMutexGuard`](super::Promise::MappedMutexGuard)); when
    /// `part` panics, so does this.
    fn try_lock_mapped(&self, part: fn(&mut Vec<u64>) -> &mut u64) -> Option<MappedGuard<'_>> {
        let _ = part;
        None
    }

    /// How many are queued, if it can tell.
    fn waiter_count(&self) -> Option<usize> {
        None
    }
}

/// What proves that the lock is held.
pub type Guard<'a> = Box<dyn DerefMut<Target = Vec<u64>> + Send + 'a>;

/// What proves that the lock is held, and shows a part.
pub type MappedGuard<'a> = Box<dyn DerefMut<Target = u64> + Send + 'a>;

/// The future of a lock, with its guard in a box: nothing stands between a poll
/// and the primitive's.
pub fn boxed_guard<'a, F, G>(lock: F) -> BoxFuture<'a, Guard<'a>>
where
    F: Future<Output = G> + Send + 'a,
    G: DerefMut<Target = Vec<u64>> + Send + 'a,
{
    let mut lock = Box::pin(lock);
    Box::pin(std::future::poll_fn(move |cx| {
        let polled = lock.as_mut().poll(cx);
        polled.map(|guard| Box::new(guard) as Guard<'a>)
    }))
}

/// The same for a lock that lies in a type of your own, `plug`, since a trait of this
/// crate cannot be implemented for a type of another: the wait and its guard keep the
/// whole of it.
pub fn owned_guard<P, F, G>(plug: Arc<P>, lock: F) -> BoxFuture<'static, Guard<'static>>
where
    P: Send + Sync + 'static,
    F: Future<Output = G> + Send + 'static,
    G: DerefMut<Target = Vec<u64>> + Send + 'static,
{
    boxed_guard(async move {
        let guard = lock.await;
        OwnedGuard { guard, _plug: plug }
    })
}

struct OwnedGuard<G, P> {
    guard: G,
    /// Behind the guard, which is dropped first.
    _plug: Arc<P>,
}

impl<G: Deref, P> Deref for OwnedGuard<G, P> {
    type Target = G::Target;

    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut, P> DerefMut for OwnedGuard<G, P> {
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}

pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_mutex().is_none() {
        return Vec::new();
    }
    vec![Arc::new(MutexWaiting(Arc::clone(subject)))]
}

pub(super) fn contendings(subject: &Arc<dyn Subject>) -> Vec<Contending> {
    if subject.new_mutex().is_none() {
        return Vec::new();
    }
    let ordered = subject.promises().contains(&Promise::FifoMutex);
    let subject = Arc::clone(subject);
    let fresh = move || TurnsOf {
        primitive: subject.mutex(),
        turn: |mutex, io, _, body| turn_of(mutex.lock(io), body),
    };
    let mut contending = Contending::single("Mutex", ordered, fresh);
    contending.starves_nobody = true;
    vec![contending]
}

struct MutexWaiting(Arc<dyn Subject>);

impl Waiting for MutexWaiting {
    fn name(&self) -> &'static str {
        "Mutex by an unlock"
    }

    fn reach(&self) -> Reach {
        Reach::FirstThenNext
    }

    fn is_ordered(&self) -> bool {
        self.0.promises().contains(&Promise::FifoMutex)
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        let mutex = self.0.mutex();
        let holder = hold(&mutex);
        Arc::new(MutexWaitable {
            mutex,
            holder: Mutex::new(Some(holder)),
        })
    }

    fn use_static(&self, io: &DynIo) -> Result<(), String> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let Some(mutex) = self.0.static_mutex() else {
            return Err("the subject has no Mutex in a `static`".to_owned());
        };
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        works(mutex, io);
        Ok(())
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.0.mutex_send_facts()
    }
}

/// Locks a free mutex, and holds it until the result is dropped.
fn hold(mutex: &Arc<dyn MutexSubject>) -> BoxFuture<'static, ()> {
    let mutex = Arc::clone(mutex);
    let mut holder: BoxFuture<'static, ()> = Box::pin(async move {
        let _guard = mutex.try_lock().expect("nobody holds the lock");
        pending().await
    });
    let _ = poll_noop(holder.as_mut());
    holder
}

struct MutexWaitable {
    mutex: Arc<dyn MutexSubject>,
    /// Who has the lock until the signal.
    holder: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Waitable for MutexWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        self.mutex.hold(io)
    }

    fn signal(&self) {
        let holder = self
            .holder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Its guard goes with it.
        drop(holder);
    }

    fn queued(&self) -> Option<usize> {
        self.mutex.waiter_count()
    }

    fn touch(&self, io: &DynIo) {
        let _ = self.mutex.waiter_count();
        drop(self.mutex.try_lock());
        let mut wait = self.mutex.lock(io);
        let _ = poll_noop(wait.as_mut());
    }

    fn check_later(&self, io: &DynIo) {
        self.signal();
        works(&*self.mutex, io);
    }
}

/// Uses a mutex that nobody holds or waits for.
fn works(mutex: &dyn MutexSubject, io: &DynIo) {
    if let Some(count) = mutex.waiter_count() {
        assert_eq!(count, 0, "nobody waits any more");
    }
    let guard = mutex.try_lock().expect("nobody holds the lock");
    assert!(mutex.try_lock().is_none(), "the lock was taken twice");
    let (wakes, waker) = counting();
    let mut wait = mutex.lock(io);
    assert!(
        poll(wait.as_mut(), &waker).is_pending(),
        "a later wait takes a lock that is held"
    );
    drop(guard);
    assert!(wakes.count() >= 1, "a later unlock woke nobody");
    let polled = poll(wait.as_mut(), &waker);
    assert!(
        polled.is_ready(),
        "a later unlock did not let the next have it"
    );
    drop(polled);
    assert!(mutex.try_lock().is_some(), "it stays locked");
}
