//! maitake-sync.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::maitake_sync::semaphore::{Permit, TryAcquireError};
use ::maitake_sync::wait_queue::Wait;
use ::maitake_sync::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, WaitQueue,
};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    Closed, Guard, HeldPermits, Kept, MutexSubject, NoPermits, NotifySubject, NotifyWait, Permits,
    Promise, RwLockSubject, SemaphoreSubject, SendFact, Subject, TooMany, WriteGuard, boxed_guard,
    mapped,
};

/// `maitake-sync`, with the spin locks that it has inside by default.
///
/// Its mutex is "always acquired in a first-in, first-out order", its `RwLock` has
/// "a first-in, first-out queue for the tasks awaiting the lock", and its semaphore
/// assigns permits "in the order that those tasks requested permits": see each
/// type. A `WaitQueue` is the Notify.
#[derive(Clone, Copy, Debug, Default)]
pub struct Maitake;

impl Subject for Maitake {
    fn name(&self) -> &str {
        "maitake-sync"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::super::WAKER_CALLS_BACK,
            super::super::WAKER_PANICS,
            (
                "notify::all_wakes_exactly_those_before",
                "nothing is said of a wait that queues while `wake_all` runs.",
            ),
        ]
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::FifoMutex,
            Promise::OwnedMutexGuard,
            Promise::AcquireMany,
            Promise::CloseSemaphore,
            Promise::FifoRwLock,
        ]
    }

    fn adapted(&self) -> &str {
        "The Notify is a `WaitQueue`: `notify_one` is `wake`, `notify_all` is `wake_all`, `enable` \
         is `subscribe`."
    }

    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        Some(Arc::new(WaitQueue::new()))
    }

    fn static_notify(&self) -> Option<&'static dyn NotifySubject> {
        static QUEUE: WaitQueue = WaitQueue::new();
        Some(&QUEUE)
    }

    fn notify_send_facts(&self) -> Vec<SendFact> {
        send_facts![WaitQueue: true, Wait<'static>: true]
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Some(Arc::new(Mutex::new(Vec::new())))
    }

    fn static_mutex(&self) -> Option<&'static dyn MutexSubject> {
        static MUTEX: Mutex<Vec<u64>> = Mutex::new(Vec::new());
        Some(&MUTEX)
    }

    fn mutex_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Mutex<Cell<u32>>: true,
            Mutex<Rc<u32>>: false,
            MutexGuard<'static, Cell<u32>>: true,
            MutexGuard<'static, Rc<u32>>: false,
        ]
    }

    fn new_rwlock(&self) -> Option<Arc<dyn RwLockSubject>> {
        Some(Arc::new(RwLock::new(Vec::new())))
    }

    fn static_rwlock(&self) -> Option<&'static dyn RwLockSubject> {
        static LOCK: RwLock<Vec<u64>> = RwLock::new(Vec::new());
        Some(&LOCK)
    }

    fn rwlock_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            RwLock<u32>: true,
            RwLock<Rc<u32>>: false,
            RwLockReadGuard<'static, u32>: true,
            RwLockReadGuard<'static, Cell<u32>>: false,
            RwLockWriteGuard<'static, u32>: true,
            RwLockWriteGuard<'static, Rc<u32>>: false,
        ]
    }

    fn new_semaphore(&self, permits: usize) -> Option<Arc<dyn SemaphoreSubject>> {
        Some(Arc::new(Semaphore::new(permits)))
    }

    fn static_semaphore(&self) -> Option<&'static dyn SemaphoreSubject> {
        static SEMAPHORE: Semaphore = Semaphore::new(1);
        Some(&SEMAPHORE)
    }

    fn semaphore_send_facts(&self) -> Vec<SendFact> {
        send_facts![Semaphore: true, Permit<'static>: true]
    }
}

impl NotifySubject for WaitQueue {
    fn notify_one(&self) {
        self.wake();
    }

    fn notify_all(&self) {
        self.wake_all();
    }

    fn wait<'a>(&'a self, _: &'a DynIo) -> Pin<Box<dyn NotifyWait + 'a>> {
        Box::pin(Waits(Box::pin(self.wait())))
    }
}

/// The wait, which says no more that the queue is open.
struct Waits<'a>(Pin<Box<Wait<'a>>>);

impl Future for Waits<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx).map(|_| ())
    }
}

impl NotifyWait for Waits<'_> {
    fn enable(mut self: Pin<&mut Self>) -> bool {
        self.0.as_mut().subscribe().is_ready()
    }
}

impl MutexSubject for Mutex<Vec<u64>> {
    lock_as_named!();

    fn lock_owned(self: Arc<Self>, _: DynIo) -> Option<BoxFuture<'static, Guard<'static>>> {
        Some(boxed_guard(self.lock_owned()))
    }
}

impl RwLockSubject for RwLock<Vec<u64>> {
    read_and_write_as_named!();
}

impl<'a> WriteGuard<'a> for RwLockWriteGuard<'a, Vec<u64>> {}

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        mapped(self.acquire(1), held)
    }

    fn acquire_many<'a>(
        &'a self,
        _: &'a DynIo,
        n: usize,
    ) -> Option<BoxFuture<'a, Result<Permits<'a>, Closed>>> {
        Some(mapped(self.acquire(n), held))
    }

    fn hold<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.acquire(1))))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        match self.try_acquire(1) {
            Ok(permit) => Ok(Box::new(permit)),
            Err(TryAcquireError::InsufficientPermits) => Err(NoPermits::Few),
            Err(TryAcquireError::Closed) => Err(NoPermits::Closed),
        }
    }

    fn available(&self) -> usize {
        self.available_permits()
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.add_permits(n);
        Ok(())
    }

    fn limit(&self) -> Option<usize> {
        Some(Self::MAX_PERMITS)
    }

    fn close(&self) {
        self.close();
    }

    fn is_closed(&self) -> bool {
        // It does not tell otherwise.
        matches!(self.try_acquire(0), Err(TryAcquireError::Closed))
    }
}

fn held<'a, E>(permit: Result<Permit<'a>, E>) -> Result<Permits<'a>, Closed> {
    match permit {
        Ok(permit) => Ok(Box::new(permit)),
        Err(_) => Err(Closed),
    }
}

impl<'a> HeldPermits<'a> for Permit<'a> {
    fn count(&self) -> usize {
        self.permits()
    }

    fn forget(self: Box<Self>) {
        (*self).forget();
    }
}
