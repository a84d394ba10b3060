// Included for tokio's own and for the drop-in, with `sync` for their modules: the
// locks and the signals.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use sync::futures::Notified;
use sync::{
    Barrier, BarrierWaitResult, Mutex, MutexGuard, Notify, OnceCell, RwLock, RwLockReadGuard,
    RwLockWriteGuard, Semaphore, SemaphorePermit, SetError, TryAcquireError,
};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    BarrierSubject, Closed, Guard, HeldPermits, Init, InitFailed, Kept, MappedGuard, MutexSubject,
    NoPermits, NotifySubject, NotifyWait, OnceCellSubject, Permits, Reading, RwLockSubject,
    SemaphoreSubject, SendFact, SetRefused, Token, TooMany, TryInit, WriteGuard,     boxed_guard, mapped,
};

pub(super) fn new_notify() -> Option<Arc<dyn NotifySubject>> {
    Some(Arc::new(Notify::new()))
}

pub(super) fn new_barrier(parties: usize) -> Option<Arc<dyn BarrierSubject>> {
    Some(Arc::new(Barrier::new(parties)))
}

pub(super) fn new_once_cell() -> Option<Arc<dyn OnceCellSubject>> {
    Some(Arc::new(OnceCell::<Token>::new()))
}

pub(super) fn new_mutex() -> Option<Arc<dyn MutexSubject>> {
    Some(Arc::new(Mutex::new(Vec::new())))
}

pub(super) fn new_semaphore(permits: usize) -> Option<Arc<dyn SemaphoreSubject>> {
    Some(Arc::new(Semaphore::new(permits)))
}

pub(super) fn new_rwlock() -> Option<Arc<dyn RwLockSubject>> {
    Some(Arc::new(RwLock::new(Vec::new())))
}

pub(super) fn new_rwlock_with_limit(readers: usize) -> Option<Arc<dyn RwLockSubject>> {
    Some(Arc::new(RwLock::with_max_readers(
        Vec::new(),
        u32::try_from(readers).ok()?,
    )))
}

pub(super) fn static_notify() -> Option<&'static dyn NotifySubject> {
    static NOTIFY: Notify = Notify::const_new();
    Some(&NOTIFY)
}

pub(super) fn static_once_cell() -> Option<&'static dyn OnceCellSubject> {
    static CELL: OnceCell<Token> = OnceCell::const_new();
    Some(&CELL)
}

pub(super) fn static_mutex() -> Option<&'static dyn MutexSubject> {
    static MUTEX: Mutex<Vec<u64>> = Mutex::const_new(Vec::new());
    Some(&MUTEX)
}

pub(super) fn static_semaphore() -> Option<&'static dyn SemaphoreSubject> {
    static SEMAPHORE: Semaphore = Semaphore::const_new(1);
    Some(&SEMAPHORE)
}

pub(super) fn static_rwlock() -> Option<&'static dyn RwLockSubject> {
    static LOCK: RwLock<Vec<u64>> = RwLock::const_new(Vec::new());
    Some(&LOCK)
}

pub(super) fn notify_send_facts() -> Vec<SendFact> {
    send_facts![Notify: true, Notified<'static>: true]
}

pub(super) fn barrier_send_facts() -> Vec<SendFact> {
    // The wait is an `async fn` without a name; that it is boxed as `Send`
    // below says the rest.
    send_facts![Barrier: true, BarrierWaitResult: true]
}

pub(super) fn once_cell_send_facts() -> Vec<SendFact> {
    send_facts![
        OnceCell<u32>: true,
        OnceCell<Rc<u32>>: false,
    ]
}

pub(super) fn mutex_send_facts() -> Vec<SendFact> {
    send_facts![
        Mutex<Cell<u32>>: true,
        Mutex<Rc<u32>>: false,
        MutexGuard<'static, Cell<u32>>: true,
        MutexGuard<'static, Rc<u32>>: false,
    ]
}

pub(super) fn semaphore_send_facts() -> Vec<SendFact> {
    send_facts![
        Semaphore: true,
        SemaphorePermit<'static>: true,
    ]
}

pub(super) fn rwlock_send_facts() -> Vec<SendFact> {
    send_facts![
        RwLock<Cell<u32>>: true,
        RwLock<Rc<u32>>: false,
        RwLockReadGuard<'static, u32>: true,
        RwLockReadGuard<'static, Cell<u32>>: false,
        RwLockWriteGuard<'static, u32>: true,
        RwLockWriteGuard<'static, Rc<u32>>: false,
    ]
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
    fn wait<'a, 't>(&'a self, _io: &'a DynIo) -> BoxFuture<'t, bool>
    where
        'a: 't,
        Self: 't,
    {
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

impl OnceCellSubject for OnceCell<Token> {
    fn get(&self) -> Option<&Token> {
        self.get()
    }

    fn is_initialized(&self) -> bool {
        self.initialized()
    }

    fn get_or_init<'a, 't>(&'a self, _: &'a DynIo, init: Init<'a>) -> BoxFuture<'t, &'a Token>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.get_or_init(|| init))
    }

    fn get_or_try_init<'a, 't>(
        &'a self,
        _: &'a DynIo,
        init: TryInit<'a>,
    ) -> BoxFuture<'t, Result<&'a Token, InitFailed>>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.get_or_try_init(|| init))
    }

    fn set(&self, value: Token) -> Result<(), SetRefused> {
        self.set(value).map_err(|error| match error {
            SetError::AlreadyInitializedError(value) => SetRefused::AlreadyInitialized(value),
            SetError::InitializingError(value) => SetRefused::Initializing(value),
        })
    }

    fn take(&mut self) -> Option<Token> {
        self.take()
    }
}

impl MutexSubject for Mutex<Vec<u64>> {
    lock_as_named!(.ok());

    fn lock_owned(self: Arc<Self>, _: DynIo) -> Option<BoxFuture<'static, Guard<'static>>> {
        Some(boxed_guard(self.lock_owned()))
    }

    fn try_lock_mapped(&self, part: fn(&mut Vec<u64>) -> &mut u64) -> Option<MappedGuard<'_>> {
        let guard = self.try_lock().ok()?;
        Some(Box::new(MutexGuard::map(guard, part)))
    }
}

impl RwLockSubject for RwLock<Vec<u64>> {
    read_and_write_as_named!(.ok());

}

impl<'a> WriteGuard<'a> for RwLockWriteGuard<'a, Vec<u64>> {
    fn downgrade(self: Box<Self>) -> Option<Reading<'a>> {
        Some(Box::new(RwLockWriteGuard::downgrade(*self)))
    }
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).expect("the laws acquire few")
}

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        mapped(self.acquire(), |permit| {
            boxed(self, permit).map_err(|_| Closed)
        })
    }

    fn acquire_many<'a>(
        &'a self,
        _: &'a DynIo,
        n: usize,
    ) -> Option<BoxFuture<'a, Result<Permits<'a>, Closed>>> {
        Some(mapped(self.acquire_many(narrow(n)), |permit| {
            boxed(self, permit).map_err(|_| Closed)
        }))
    }

    fn hold<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.acquire())))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        boxed(self, self.try_acquire()).map_err(|error| match error {
            TryAcquireError::NoPermits => NoPermits::Few,
            TryAcquireError::Closed => NoPermits::Closed,
        })
    }

    fn available(&self) -> usize {
        self.available_permits()
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.add_permits(n);
        Ok(())
    }

    fn forget(&self, n: usize) -> Option<usize> {
        Some(self.forget_permits(n))
    }

    fn limit(&self) -> Option<usize> {
        Some(Self::MAX_PERMITS)
    }

    fn close(&self) {
        self.close();
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }
}

/// A permit lends its semaphore for shorter than it could.
struct Held<'a> {
    semaphore: &'a Semaphore,
    permit: SemaphorePermit<'a>,
}

fn boxed<'a, E>(
    semaphore: &'a Semaphore,
    permit: Result<SemaphorePermit<'a>, E>,
) -> Result<Permits<'a>, E> {
    let permit = permit?;
    Ok(Box::new(Held { semaphore, permit }))
}

impl<'a> HeldPermits<'a> for Held<'a> {
    fn count(&self) -> usize {
        self.permit.num_permits()
    }

    fn forget(self: Box<Self>) {
        self.permit.forget();
    }

    fn split(&mut self, n: usize) -> Option<Permits<'a>> {
        let permit = self.permit.split(n)?;
        let semaphore = self.semaphore;
        Some(Box::new(Self { semaphore, permit }))
    }

    fn grow(&mut self, n: usize) -> bool {
        match self.semaphore.try_acquire_many(narrow(n)) {
            Ok(more) => {
                self.permit.merge(more);
                true
            }
            Err(_) => false,
        }
    }
}
