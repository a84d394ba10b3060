// Included for the originals and for the drop-in, with `lock` and `channel` for
// their modules.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use channel::{TryRecvError, TrySendError};
use lock::{
    Barrier, BarrierWaitResult, Mutex, MutexGuard, OnceCell, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, Semaphore, SemaphoreGuard,
};

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    BarrierSubject, Channel, ChannelReceiver, ChannelSender, Closed, Guard, HeldPermits, Init,
    InitFailed, Kept, Message, MutexSubject, NoMessage, NoPermits, OnceCellSubject, Permits,
    Reading, RwLockSubject, SemaphoreSubject, SendFact, SendRefused, SetRefused, Token, TooMany,
    TryInit, Upgradable, UpgradableGuard, WriteGuard, Writing, boxed_guard, mapped,
};

pub(super) fn new_barrier(parties: usize) -> Option<Arc<dyn BarrierSubject>> {
    Some(Arc::new(Barrier::new(parties)))
}

pub(super) fn new_once_cell() -> Option<Arc<dyn OnceCellSubject>> {
    Some(Arc::new(OnceCell::<Token>::new()))
}

pub(super) fn new_mutex() -> Option<Arc<dyn MutexSubject>> {
    Some(Arc::new(Mutex::new(Vec::new())))
}

pub(super) fn new_rwlock() -> Option<Arc<dyn RwLockSubject>> {
    Some(Arc::new(RwLock::new(Vec::new())))
}

pub(super) fn new_semaphore(permits: usize) -> Option<Arc<dyn SemaphoreSubject>> {
    Some(Arc::new(Semaphore::new(permits)))
}

pub(super) fn new_channel(capacity: usize) -> Option<Channel> {
    let (sender, receiver) = channel::bounded(capacity);
    Some((Box::new(sender), Box::new(receiver)))
}

pub(super) fn static_barrier() -> Option<(&'static dyn BarrierSubject, usize)> {
    static BARRIER: Barrier = Barrier::new(3);
    Some((&BARRIER, 3))
}

pub(super) fn static_once_cell() -> Option<&'static dyn OnceCellSubject> {
    static CELL: OnceCell<Token> = OnceCell::new();
    Some(&CELL)
}

pub(super) fn static_mutex() -> Option<&'static dyn MutexSubject> {
    static MUTEX: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    Some(&MUTEX)
}

pub(super) fn static_rwlock() -> Option<&'static dyn RwLockSubject> {
    static LOCK: RwLock<Vec<u64>> = RwLock::new(Vec::new());
    Some(&LOCK)
}

pub(super) fn static_semaphore() -> Option<&'static dyn SemaphoreSubject> {
    static SEMAPHORE: Semaphore = Semaphore::new(1);
    Some(&SEMAPHORE)
}

pub(super) fn barrier_send_facts() -> Vec<SendFact> {
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

pub(super) fn rwlock_send_facts() -> Vec<SendFact> {
    send_facts![
        RwLock<u32>: true,
        RwLock<Rc<u32>>: false,
        RwLockReadGuard<'static, u32>: true,
        RwLockReadGuard<'static, Cell<u32>>: false,
        RwLockReadGuard<'static, Rc<u32>>: false,
        RwLockUpgradableReadGuard<'static, u32>: true,
        RwLockUpgradableReadGuard<'static, Rc<u32>>: false,
        RwLockWriteGuard<'static, u32>: true,
        RwLockWriteGuard<'static, Rc<u32>>: false,
    ]
}

pub(super) fn semaphore_send_facts() -> Vec<SendFact> {
    send_facts![
        Semaphore: true,
        SemaphoreGuard<'static>: true,
    ]
}

pub(super) fn channel_send_facts() -> Vec<SendFact> {
    send_facts![
        channel::Sender<Cell<u32>>: true,
        channel::Sender<Rc<u32>>: false,
        channel::Receiver<Cell<u32>>: true,
        channel::Receiver<Rc<u32>>: false,
        channel::Send<'static, Cell<u32>>: true,
        channel::Send<'static, Rc<u32>>: false,
        channel::Recv<'static, Cell<u32>>: true,
        channel::Recv<'static, Rc<u32>>: false,
    ]
}

impl MutexSubject for Mutex<Vec<u64>> {
    lock_as_named!();

    fn lock_owned(self: Arc<Self>, _: DynIo) -> Option<BoxFuture<'static, Guard<'static>>> {
        Some(boxed_guard(self.lock_arc()))
    }
}

impl RwLockSubject for RwLock<Vec<u64>> {
    read_and_write_as_named!();

    fn upgradable_read<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, Upgradable<'a>>> {
        Some(mapped(self.upgradable_read(), |guard| {
            Box::new(guard) as Upgradable<'a>
        }))
    }

    fn hold_upgradable<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, ()>> {
        Some(Box::pin(Kept::new(Box::pin(self.upgradable_read()))))
    }

    fn try_upgradable_read(&self) -> Option<Upgradable<'_>> {
        let guard = self.try_upgradable_read()?;
        Some(Box::new(guard))
    }
}

impl<'a> WriteGuard<'a> for RwLockWriteGuard<'a, Vec<u64>> {
    fn downgrade(self: Box<Self>) -> Option<Reading<'a>> {
        Some(Box::new(RwLockWriteGuard::downgrade(*self)))
    }
}

impl<'a> UpgradableGuard<'a> for RwLockUpgradableReadGuard<'a, Vec<u64>> {
    fn upgrade(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Writing<'a>> {
        let upgrade = RwLockUpgradableReadGuard::upgrade(*self);
        mapped(upgrade, |guard| Box::new(guard) as Writing<'a>)
    }

    fn try_upgrade(self: Box<Self>) -> Result<Writing<'a>, Upgradable<'a>> {
        match RwLockUpgradableReadGuard::try_upgrade(*self) {
            Ok(guard) => Ok(Box::new(guard)),
            Err(guard) => Err(Box::new(guard)),
        }
    }
}

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        mapped(self.acquire(), |permit| Ok(Box::new(permit) as Permits<'a>))
    }

    fn hold<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.acquire())))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        match self.try_acquire() {
            Some(permit) => Ok(Box::new(permit)),
            None => Err(NoPermits::Few),
        }
    }

    fn available(&self) -> usize {
        self.available_permits()
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.add_permits(n);
        Ok(())
    }
}

impl<'a> HeldPermits<'a> for SemaphoreGuard<'a> {
    fn forget(self: Box<Self>) {
        (*self).forget();
    }
}

impl BarrierSubject for Barrier {
    fn wait<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, bool>
    where
        'a: 't,
        Self: 't,
    {
        mapped(self.wait(), |result| result.is_leader())
    }
}

impl OnceCellSubject for OnceCell<Token> {
    fn get(&self) -> Option<&Token> {
        self.get()
    }

    fn is_initialized(&self) -> bool {
        self.is_initialized()
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
        // Which of the two it was it does not say.
        self.try_set(value).map_err(|value| match self.get() {
            Some(_) => SetRefused::AlreadyInitialized(value),
            None => SetRefused::Initializing(value),
        })
    }

    fn wait<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, &'a Token>> {
        Some(Box::pin(self.wait()))
    }

    fn take(&mut self) -> Option<Token> {
        self.take()
    }
}

impl ChannelSender for channel::Sender<Message> {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        self.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => SendRefused::Full(message),
            TrySendError::Closed(message) => SendRefused::Closed(message),
        })
    }

    fn send<'a>(&'a self, _: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        mapped(self.send(message), |sent| sent.map_err(|error| error.0))
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        Box::new(self.clone())
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

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(self.recv(), Result::ok)
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { (*self).recv().await.ok() })
    }

    fn close(&self) {
        self.close();
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        Some(Box::new(self.clone()))
    }
}
