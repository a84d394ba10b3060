//! Our own primitives.

use std::cell::Cell;
use std::future::Ready;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use ::anysync::channel::{self, TryRecvError, TrySendError};
use ::anysync::once_cell::{self, SetError};
use ::anysync::{
    Bare, Barrier, CancellationToken, Condvar, Fairness, Mutex, MutexGuard, Notify, OnceCell,
    RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit, action, barrier,
    broadcast, cancellation, condvar, mutex, notify, oneshot, rwlock, semaphore, watch,
};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    ActionFailed, BarrierSubject, BroadcastSender, CancellationSubject, Channel, ChannelReceiver,
    ChannelSender, CondvarSubject, Contending, Guard, Init, InitFailed, Kept, LongCall,
    MappedGuard, Message, MutexSubject, NoMessage, NotifySubject, NotifyWait, OnceCellSubject,
    Oneshot, Permit, Promise, RawNotifyWaiter, RwLockSubject, SemaphoreSubject, SendFact,
    SendRefused, SetRefused, Subject, Token, TryInit, Waiting, WatchSender, boxed_guard, mapped,
};

mod locks;
mod news;
mod read_write;
mod ways;

use locks::Pair;

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
        &[
            Promise::CountsFromCreation,
            Promise::EnabledWinIsPassedOn,
            Promise::RawWaiters,
            Promise::LeaderAction,
            Promise::FifoMutex,
            Promise::FifoOnceCell,
            Promise::MappedMutexGuard,
            Promise::OwnedMutexGuard,
            Promise::AcquireMany,
            Promise::CloseSemaphore,
            Promise::SplitPermits,
            Promise::FifoRwLock,
            Promise::Downgrade,
            Promise::ReaderLimit,
            Promise::UpgradableRead,
            Promise::FifoSenders,
            Promise::FifoReceivers,
            Promise::Reserve,
            Promise::CloseChannel,
            Promise::CancellationFirst,
            Promise::CancellationSpends,
        ]
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        Some(Arc::new(Notify::new()))
    }

    fn static_notify(&self) -> Option<&'static dyn NotifySubject> {
        static NOTIFY: Notify = Notify::new();
        Some(&NOTIFY)
    }

    fn notify_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Notify: true,
            notify::Wait<'static, Bare>: true,
            notify::Wait<'static, Rc<Bare>>: false,
            notify::OwnedWait<Bare>: true,
            notify::OwnedWait<Rc<Bare>>: false,
            notify::Waiter<'static>: true,
        ]
    }

    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        Some(Arc::new(Barrier::new(parties)))
    }

    fn static_barrier(&self) -> Option<(&'static dyn BarrierSubject, usize)> {
        static BARRIER: Barrier = Barrier::new(3);
        Some((&BARRIER, 3))
    }

    fn barrier_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Barrier: true,
            barrier::Wait<'static, Bare>: true,
            barrier::Wait<'static, Rc<Bare>>: false,
            barrier::WaitThen<'static, action::Call<fn()>, Bare>: true,
            barrier::WaitThen<'static, action::Call<fn()>, Rc<Bare>>: false,
            barrier::WaitThen<'static, action::Call<Box<dyn FnOnce()>>, Bare>: false,
            barrier::Waiter<'static>: true,
        ]
    }

    fn new_once_cell(&self) -> Option<Arc<dyn OnceCellSubject>> {
        Some(Arc::new(OnceCell::<Token>::new()))
    }

    fn static_once_cell(&self) -> Option<&'static dyn OnceCellSubject> {
        static CELL: OnceCell<Token> = OnceCell::new();
        Some(&CELL)
    }

    fn once_cell_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            OnceCell<u32>: true,
            OnceCell<Rc<u32>>: false,
            once_cell::Wait<'static, u32, Bare>: true,
            once_cell::Wait<'static, u32, Rc<Bare>>: false,
            once_cell::Wait<'static, Cell<u32>, Bare>: false,
            once_cell::GetOrInit<'static, u32, action::Call<fn() -> u32>, Bare>: true,
            once_cell::GetOrInit<'static, u32, action::Call<fn() -> u32>, Rc<Bare>>: false,
            once_cell::GetOrInit<'static, u32, action::Call<Box<dyn FnOnce() -> u32>>, Bare>: false,
            once_cell::InitWaiter<'static, u32>: true,
            once_cell::InitWaiter<'static, Cell<u32>>: false,
        ]
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
            mutex::Lock<'static, u32, Bare>: true,
            mutex::Lock<'static, u32, Rc<Bare>>: false,
            mutex::Lock<'static, Rc<u32>, Bare>: false,
            mutex::Waiter<'static, u32>: true,
            mutex::Waiter<'static, Rc<u32>>: false,
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
        send_facts![
            Semaphore: true,
            SemaphorePermit<'static>: true,
            semaphore::Acquire<'static, Bare>: true,
            semaphore::Acquire<'static, Rc<Bare>>: false,
            semaphore::Waiter<'static>: true,
        ]
    }

    fn new_condvar(&self) -> Option<Arc<dyn CondvarSubject>> {
        Some(Arc::new(Pair::new()))
    }

    fn static_condvar(&self) -> Option<&'static dyn CondvarSubject> {
        static PAIR: Pair = Pair::new();
        Some(&PAIR)
    }

    fn condvar_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Condvar: true,
            condvar::Wait<'static, Cell<u32>, Bare>: true,
            condvar::Wait<'static, u32, Rc<Bare>>: false,
            condvar::Wait<'static, Rc<u32>, Bare>: false,
            condvar::WaitWhile<'static, u32, fn(&mut u32) -> bool, Bare>: true,
            condvar::WaitWhile<'static, u32, Box<dyn FnMut(&mut u32) -> bool>, Bare>: false,
            condvar::Waiter<'static>: true,
        ]
    }

    fn new_rwlock(&self) -> Option<Arc<dyn RwLockSubject>> {
        Some(Arc::new(RwLock::new(Vec::new())))
    }

    fn new_rwlock_with_limit(&self, readers: usize) -> Option<Arc<dyn RwLockSubject>> {
        Some(Arc::new(RwLock::with_max_readers(Vec::new(), readers)))
    }

    fn static_rwlock(&self) -> Option<&'static dyn RwLockSubject> {
        static LOCK: RwLock<Vec<u64>> = RwLock::new(Vec::new());
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
            rwlock::Read<'static, u32, Bare>: true,
            rwlock::Read<'static, u32, Rc<Bare>>: false,
            rwlock::Read<'static, Cell<u32>, Bare>: false,
            rwlock::Write<'static, u32, Bare>: true,
            rwlock::Write<'static, u32, Rc<Bare>>: false,
            rwlock::UpgradableRead<'static, u32, Bare>: true,
            rwlock::Upgrade<'static, u32, Bare>: true,
            rwlock::Upgrade<'static, Rc<u32>, Bare>: false,
            rwlock::Waiter<'static>: true,
        ]
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let (sender, receiver) = channel::bounded(capacity);
        Some((Box::new(sender), Box::new(receiver)))
    }

    fn channel_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            channel::Sender<Cell<u32>>: true,
            channel::Sender<Rc<u32>>: false,
            channel::Receiver<Cell<u32>>: true,
            channel::Receiver<Rc<u32>>: false,
            channel::Send<'static, Cell<u32>, Bare>: true,
            channel::Send<'static, u32, Rc<Bare>>: false,
            channel::Send<'static, Rc<u32>, Bare>: false,
            channel::Recv<'static, Cell<u32>, Bare>: true,
            channel::Recv<'static, u32, Rc<Bare>>: false,
            channel::Recv<'static, Rc<u32>, Bare>: false,
            channel::Permit<'static, u32>: true,
            channel::Permit<'static, Rc<u32>>: false,
            channel::Waiter<'static, u32>: true,
            channel::Waiter<'static, Rc<u32>>: false,
        ]
    }

    fn new_oneshot(&self) -> Option<Oneshot> {
        let (sender, receiver) = oneshot::channel();
        Some((Box::new(sender), Box::new(receiver)))
    }

    fn oneshot_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            oneshot::Sender<Cell<u32>>: true,
            oneshot::Sender<Rc<u32>>: false,
            oneshot::Receiver<Cell<u32>>: true,
            oneshot::Receiver<Rc<u32>>: false,
            oneshot::Recv<'static, Cell<u32>, oneshot::Heap, Bare>: true,
            oneshot::Recv<'static, u32, oneshot::Heap, Rc<Bare>>: false,
            oneshot::Recv<'static, Rc<u32>, oneshot::Heap, Bare>: false,
            oneshot::Closed<'static, u32, oneshot::Heap, Bare>: true,
            oneshot::Closed<'static, u32, oneshot::Heap, Rc<Bare>>: false,
        ]
    }

    fn new_watch(&self) -> Option<Box<dyn WatchSender>> {
        Some(Box::new(watch::Sender::new(0)))
    }

    fn watch_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            watch::Sender<u32>: true,
            watch::Sender<Cell<u32>>: false,
            watch::Sender<Rc<u32>>: false,
            watch::Receiver<u32>: true,
            watch::Receiver<Cell<u32>>: false,
            watch::Receiver<Rc<u32>>: false,
            watch::Changed<'static, u32, Bare>: true,
            watch::Changed<'static, u32, Rc<Bare>>: false,
            watch::Changed<'static, Cell<u32>, Bare>: false,
        ]
    }

    fn new_broadcast(&self, capacity: usize) -> Option<Box<dyn BroadcastSender>> {
        let (sender, _) = broadcast::channel(capacity);
        Some(Box::new(sender))
    }

    fn broadcast_send_facts(&self) -> Vec<SendFact> {
        // Receivers clone a value side by side.
        send_facts![
            broadcast::Sender<u32>: true,
            broadcast::Sender<Cell<u32>>: false,
            broadcast::Sender<Rc<u32>>: false,
            broadcast::Receiver<u32>: true,
            broadcast::Receiver<Cell<u32>>: false,
            broadcast::Receiver<Rc<u32>>: false,
            broadcast::Recv<'static, u32, Bare>: true,
            broadcast::Recv<'static, Cell<u32>, Bare>: false,
            broadcast::Recv<'static, u32, Rc<Bare>>: false,
            broadcast::Recv<'static, Rc<u32>, Bare>: false,
            broadcast::SendWait<'static, u32, Bare>: true,
            broadcast::SendWait<'static, Cell<u32>, Bare>: false,
            broadcast::SendWait<'static, u32, Rc<Bare>>: false,
            broadcast::SendWait<'static, Rc<u32>, Bare>: false,
        ]
    }

    fn new_cancellation(&self) -> Option<Box<dyn CancellationSubject>> {
        Some(Box::new(CancellationToken::new()))
    }

    fn cancellation_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            CancellationToken: true,
            cancellation::Cancelled<'static, Bare>: true,
            cancellation::Cancelled<'static, Rc<Bare>>: false,
            cancellation::CancelledOwned<Bare>: true,
            cancellation::CancelledOwned<Rc<Bare>>: false,
            cancellation::RunUntilCancelled<'static, Ready<u32>, Bare>: true,
            cancellation::RunUntilCancelled<'static, Ready<u32>, Rc<Bare>>: false,
            cancellation::RunUntilCancelled<'static, Ready<Rc<u32>>, Bare>: false,
            cancellation::DropGuard: true,
            cancellation::Waiter<'static>: true,
        ]
    }

    fn more_waitings(&self) -> Vec<Arc<dyn Waiting>> {
        ways::all()
    }

    fn more_long_calls(&self, size: usize) -> Vec<LongCall> {
        ways::long_calls(size)
    }

    fn more_contendings(&self) -> Vec<Contending> {
        ways::contendings()
    }
}

/// Our mutex as it is when it is made to be fair in the long run only.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnysyncEventual;

impl Subject for AnysyncEventual {
    fn name(&self) -> &str {
        "anysync-eventual"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn promises(&self) -> &[Promise] {
        &[Promise::MappedMutexGuard, Promise::OwnedMutexGuard]
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        let mutex = Mutex::with_fairness(Vec::new(), Fairness::Eventual);
        Some(Arc::new(mutex))
    }

    fn static_mutex(&self) -> Option<&'static dyn MutexSubject> {
        static MUTEX: Mutex<Vec<u64>> = Mutex::with_fairness(Vec::new(), Fairness::Eventual);
        Some(&MUTEX)
    }

    fn mutex_send_facts(&self) -> Vec<SendFact> {
        Anysync.mutex_send_facts()
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

    fn raw_waiter(&self, waker: Waker) -> Option<Box<dyn RawNotifyWaiter + '_>> {
        Some(Box::new(RawWaiter {
            notify: self,
            waiter: Box::pin(notify::Waiter::with_waker(waker)),
        }))
    }

    fn waiter_count(&self) -> Option<usize> {
        Some(self.waiter_count())
    }

    fn has_permit(&self) -> Option<bool> {
        Some(self.has_permit())
    }
}

impl NotifyWait for notify::Wait<'_, &DynIo> {
    fn enable(self: Pin<&mut Self>) -> bool {
        self.enable()
    }
}

struct RawWaiter<'a> {
    notify: &'a Notify,
    waiter: Pin<Box<notify::Waiter<'a>>>,
}

impl RawNotifyWaiter for RawWaiter<'_> {
    fn wait(&mut self) -> bool {
        self.notify.wait_with(self.waiter.as_mut())
    }

    fn is_notified(&self) -> bool {
        self.waiter.is_notified()
    }

    fn is_ready(&self) -> bool {
        self.waiter.is_ready()
    }

    fn cancel(&mut self) -> bool {
        self.notify.cancel_wait(self.waiter.as_mut())
    }

    fn reset(&mut self) {
        self.waiter.as_mut().reset();
    }
}

impl BarrierSubject for Barrier {
    fn wait<'a, 't>(&'a self, io: &'a DynIo) -> BoxFuture<'t, bool>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.wait(io))
    }

    fn wait_then<'a>(
        &'a self,
        io: &'a DynIo,
        action: Box<dyn FnOnce() + Send + 'a>,
    ) -> Option<BoxFuture<'a, bool>> {
        Some(Box::pin(self.wait_then(io, action)))
    }

    fn try_wait_then<'a>(
        &'a self,
        io: &'a DynIo,
        action: BoxFuture<'a, Result<(), ActionFailed>>,
    ) -> Option<BoxFuture<'a, Result<bool, ActionFailed>>> {
        Some(Box::pin(self.try_wait_then_async(io, || action)))
    }

    fn arrived(&self) -> Option<usize> {
        Some(self.arrived())
    }
}

impl OnceCellSubject for OnceCell<Token> {
    fn get(&self) -> Option<&Token> {
        self.get()
    }

    fn is_initialized(&self) -> bool {
        self.is_initialized()
    }

    fn get_or_init<'a, 't>(&'a self, io: &'a DynIo, init: Init<'a>) -> BoxFuture<'t, &'a Token>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.get_or_init_async(io, || init))
    }

    fn get_or_try_init<'a, 't>(
        &'a self,
        io: &'a DynIo,
        init: TryInit<'a>,
    ) -> BoxFuture<'t, Result<&'a Token, InitFailed>>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.get_or_try_init_async(io, || init))
    }

    fn get_or_init_now<'a, 't>(
        &'a self,
        io: &'a DynIo,
        init: Box<dyn FnOnce() -> Token + Send + 'a>,
    ) -> BoxFuture<'t, &'a Token>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.get_or_init(io, init))
    }

    fn set(&self, value: Token) -> Result<(), SetRefused> {
        self.try_set(value).map_err(|error| match error {
            SetError::AlreadyInitialized(value) => SetRefused::AlreadyInitialized(value),
            SetError::Initializing(value) => SetRefused::Initializing(value),
        })
    }

    fn wait<'a>(&'a self, io: &'a DynIo) -> Option<BoxFuture<'a, &'a Token>> {
        Some(Box::pin(self.wait(io)))
    }

    fn take(&mut self) -> Option<Token> {
        self.take()
    }
}

impl MutexSubject for Mutex<Vec<u64>> {
    fn lock<'a, 't>(&'a self, io: &'a DynIo) -> BoxFuture<'t, Guard<'a>>
    where
        'a: 't,
        Self: 't,
    {
        boxed_guard(self.lock(io))
    }

    fn hold<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.lock(io))))
    }

    fn try_lock(&self) -> Option<Guard<'_>> {
        let guard = self.try_lock()?;
        Some(Box::new(guard))
    }

    fn lock_owned(self: Arc<Self>, io: DynIo) -> Option<BoxFuture<'static, Guard<'static>>> {
        Some(boxed_guard(self.lock_owned(io)))
    }

    fn try_lock_mapped(&self, part: fn(&mut Vec<u64>) -> &mut u64) -> Option<MappedGuard<'_>> {
        let guard = self.try_lock()?;
        Some(Box::new(MutexGuard::map(guard, part)))
    }

    fn waiter_count(&self) -> Option<usize> {
        Some(self.waiter_count())
    }
}

impl ChannelSender for channel::Sender<Message> {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        self.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => SendRefused::Full(message),
            TrySendError::Closed(message) => SendRefused::Closed(message),
        })
    }

    fn send<'a>(&'a self, io: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        mapped(self.send(io, message), |sent| sent.map_err(|error| error.0))
    }

    fn reserve<'a>(&'a self, io: &'a DynIo) -> Option<BoxFuture<'a, Option<Box<dyn Permit + 'a>>>> {
        Some(mapped(self.reserve(io), |permit| {
            let permit = permit.ok()?;
            Some(Box::new(permit) as Box<dyn Permit + 'a>)
        }))
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        Box::new(self.clone())
    }
}

impl Permit for channel::Permit<'_, Message> {
    fn send(self: Box<Self>, message: Message) {
        (*self).send(message);
    }
}

impl ChannelReceiver for channel::Receiver<Message> {
    fn count(&self) -> Option<usize> {
        Some(self.len())
    }

    fn try_recv(&self) -> Result<Message, NoMessage> {
        self.try_recv().map_err(|error| match error {
            TryRecvError::Empty => NoMessage::Empty,
            TryRecvError::Closed => NoMessage::Closed,
        })
    }

    fn recv<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(self.recv(io), Result::ok)
    }

    fn into_recv<'a>(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { (*self).recv(io).await.ok() })
    }

    fn close(&self) {
        self.close();
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        Some(Box::new(self.clone()))
    }
}
