//! The primitives of `tokio::sync`, by what their documentation promises.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::tokio::sync::futures::Notified;
use ::tokio::sync::{
    Barrier, BarrierWaitResult, Mutex, MutexGuard, Notify, OnceCell, RwLock, RwLockReadGuard,
    RwLockWriteGuard, Semaphore, SemaphorePermit, SetError,
};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    BarrierSubject, Guard, Init, InitFailed, Kept, MappedGuard, MutexSubject, NotifySubject,
    NotifyWait, OnceCellSubject, Promise, RwLockSubject, SemaphoreSubject, SendFact, SetRefused,
    Subject, Token, TryInit, boxed_guard,
};

mod read_write;
mod semaphore;

/// What passes messages, in one body for tokio's own and for the drop-in.
mod messages {
    use ::tokio::sync;
    use ::tokio_util::sync as util;

    include!("tokio/messages.rs");
}

/// `tokio::sync`, and the token of `tokio-util`.
///
/// It says of its `Barrier` that `wait` is not cancel safe, so this breaks what
/// the laws ask of a dropped wait; and of `Notified::enable` that it is a poll, so
/// that what it has won is returned and not passed on any more. It has no handle of an executor: its waits
/// spend the budget of tokio's tasks by themselves, where they do. Of
/// `run_until_cancelled` it says that it prefers the future.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Subject for Tokio {
    fn name(&self) -> &str {
        "tokio"
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::CountsFromCreation,
            Promise::FifoMutex,
            Promise::MappedMutexGuard,
            Promise::AcquireMany,
            Promise::CloseSemaphore,
            Promise::SplitPermits,
            Promise::FifoRwLock,
            Promise::ReaderLimit,
            Promise::FifoSenders,
            Promise::Reserve,
        ]
    }

    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        Some(Arc::new(Notify::new()))
    }

    fn static_notify(&self) -> Option<&'static dyn NotifySubject> {
        static NOTIFY: Notify = Notify::const_new();
        Some(&NOTIFY)
    }

    fn notify_send_facts(&self) -> Vec<SendFact> {
        send_facts![Notify: true, Notified<'static>: true]
    }

    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        Some(Arc::new(Barrier::new(parties)))
    }

    fn barrier_send_facts(&self) -> Vec<SendFact> {
        // The wait is an `async fn` without a name; that it is boxed as `Send`
        // below says the rest.
        send_facts![Barrier: true, BarrierWaitResult: true]
    }

    fn new_once_cell(&self) -> Option<Arc<dyn OnceCellSubject>> {
        Some(Arc::new(OnceCell::<Token>::new()))
    }

    fn static_once_cell(&self) -> Option<&'static dyn OnceCellSubject> {
        static CELL: OnceCell<Token> = OnceCell::const_new();
        Some(&CELL)
    }

    fn once_cell_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            OnceCell<u32>: true,
            OnceCell<Rc<u32>>: false,
        ]
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Some(Arc::new(Mutex::new(Vec::new())))
    }

    fn static_mutex(&self) -> Option<&'static dyn MutexSubject> {
        static MUTEX: Mutex<Vec<u64>> = Mutex::const_new(Vec::new());
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

    fn new_semaphore(&self, permits: usize) -> Option<Arc<dyn SemaphoreSubject>> {
        Some(Arc::new(Semaphore::new(permits)))
    }

    fn static_semaphore(&self) -> Option<&'static dyn SemaphoreSubject> {
        static SEMAPHORE: Semaphore = Semaphore::const_new(1);
        Some(&SEMAPHORE)
    }

    fn semaphore_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Semaphore: true,
            SemaphorePermit<'static>: true,
        ]
    }

    fn new_rwlock(&self) -> Option<Arc<dyn RwLockSubject>> {
        Some(Arc::new(RwLock::new(Vec::new())))
    }

    fn new_rwlock_with_limit(&self, readers: usize) -> Option<Arc<dyn RwLockSubject>> {
        Some(Arc::new(RwLock::with_max_readers(
            Vec::new(),
            u32::try_from(readers).ok()?,
        )))
    }

    fn static_rwlock(&self) -> Option<&'static dyn RwLockSubject> {
        static LOCK: RwLock<Vec<u64>> = RwLock::const_new(Vec::new());
        Some(&LOCK)
    }

    fn rwlock_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            RwLock<Cell<u32>>: true,
            RwLock<Rc<u32>>: false,
            RwLockReadGuard<'static, u32>: true,
            RwLockReadGuard<'static, Cell<u32>>: false,
            RwLockWriteGuard<'static, u32>: true,
            RwLockWriteGuard<'static, Rc<u32>>: false,
        ]
    }

    messages!();
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
    fn lock<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, Guard<'a>>
    where
        'a: 't,
        Self: 't,
    {
        boxed_guard(self.lock())
    }

    fn hold<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.lock())))
    }

    fn try_lock(&self) -> Option<Guard<'_>> {
        let guard = self.try_lock().ok()?;
        Some(Box::new(guard))
    }

    fn lock_owned(self: Arc<Self>, _: DynIo) -> BoxFuture<'static, Guard<'static>> {
        boxed_guard(self.lock_owned())
    }

    fn try_lock_mapped(&self, part: fn(&mut Vec<u64>) -> &mut u64) -> Option<MappedGuard<'_>> {
        let guard = self.try_lock().ok()?;
        Some(Box::new(MutexGuard::map(guard, part)))
    }
}
