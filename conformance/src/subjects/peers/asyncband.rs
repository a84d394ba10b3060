//! Apache Asyncband.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use ::asyncband::barrier::{Barrier, BarrierWaitResult};
use ::asyncband::condvar::Condvar;
use ::asyncband::mpmc::{self, BoundedReceiver, BoundedSender, TryRecvError, TrySendError};
use ::asyncband::mutex::{Mutex, MutexGuard};
use ::asyncband::once::OnceCell;
use ::asyncband::rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use ::asyncband::semaphore::{Semaphore, SemaphorePermit};
use ::asyncband::watch;

use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    BarrierSubject, Channel, ChannelReceiver, ChannelSender, Closed, Condition, CondvarAccess,
    CondvarGuard, CondvarSubject, Guard, HeldPermits, Init, InitFailed, Kept, MappedGuard, Message,
    MutexSubject, NoMessage, NoPermits, OnceCellSubject, Permit, Permits, Promise, Reading,
    RwLockSubject, SemaphoreSubject, SendFact, SendRefused, SetRefused, Subject, Token, TooMany,
    TryInit, WatchReceiver, WatchSender, WriteGuard, boxed_guard, mapped,
};
use crate::wakers::poll_noop;

/// `asyncband`.
///
/// Its locks and semaphores serve in the order of arrival ("Lock requests complete
/// in the order they begin waiting", module `mutex`; "Waiting requests are served
/// in queue order", module `rwlock`), and so do the senders of its `mpmc` ("Pending
/// `send` and `reserve` operations receive capacity in wait-queue order",
/// `mpmc::bounded`). Of those who wait to receive it does not say so. Its events
/// are no Notify: one wakes one, the other all. The receiver of its oneshot is
/// spent by the wait, and its broadcast makes the sender wait: neither is of the
/// kind that the laws are about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asyncband;

/// Its barrier makes room for all of them at once, and more never come.
const MOST_PARTIES: usize = 1 << 20;

impl Subject for Asyncband {
    fn name(&self) -> &str {
        "asyncband"
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::FifoMutex,
            Promise::MappedMutexGuard,
            Promise::OwnedMutexGuard,
            Promise::AcquireMany,
            Promise::SplitPermits,
            Promise::FifoRwLock,
            Promise::Downgrade,
            Promise::ReaderLimit,
            Promise::FifoSenders,
            Promise::Reserve,
        ]
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::super::WAKER_CALLS_BACK,
            super::super::WAKER_PANICS,
            (
                "any::dropped_wait_leaves_no_trace",
                "`Barrier::wait` says: \"This method is not cancellation safe. … Once recorded, the arrival is not retracted\". Nor is it said that those who wait for a `OnceCell` are woken all at once: each that goes on wakes the next.",
            ),
            (
                "any::spurious_poll_is_harmless",
                "it is not said that those who wait for a `OnceCell` are woken all at once: each that goes on wakes the next.",
            ),
        ]
    }

    fn adapted(&self) -> &str {
        "`OnceCell::set` waits while an initialiser runs: its wait is polled once and given up, and \
         what is given back then is a copy. To take the value of a watch as seen at once, its \
         `recv` is polled once."
    }

    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        let parties = u32::try_from(parties.min(MOST_PARTIES)).ok()?;
        Some(Arc::new(Barrier::new(parties)))
    }

    fn barrier_send_facts(&self) -> Vec<SendFact> {
        send_facts![Barrier: true, BarrierWaitResult: true]
    }

    fn new_once_cell(&self) -> Option<Arc<dyn OnceCellSubject>> {
        Some(Arc::new(OnceCell::<Token>::new()))
    }

    fn static_once_cell(&self) -> Option<&'static dyn OnceCellSubject> {
        static CELL: OnceCell<Token> = OnceCell::new();
        Some(&CELL)
    }

    fn once_cell_send_facts(&self) -> Vec<SendFact> {
        send_facts![OnceCell<u32>: true, OnceCell<Rc<u32>>: false]
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

    fn new_rwlock_with_limit(&self, readers: usize) -> Option<Arc<dyn RwLockSubject>> {
        let readers = NonZeroUsize::new(readers)?;
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
            RwLockReadGuard<'static, Rc<u32>>: false,
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
        send_facts![Semaphore: true, SemaphorePermit<'static>: true]
    }

    fn new_condvar(&self) -> Option<Arc<dyn CondvarSubject>> {
        Some(Arc::new(Pair::new()))
    }

    fn static_condvar(&self) -> Option<&'static dyn CondvarSubject> {
        static PAIR: Pair = Pair::new();
        Some(&PAIR)
    }

    fn condvar_send_facts(&self) -> Vec<SendFact> {
        send_facts![Condvar: true]
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let (sender, receiver) = mpmc::bounded(capacity);
        Some((Box::new(sender), Box::new(receiver)))
    }

    fn channel_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            BoundedSender<Cell<u32>>: true,
            BoundedSender<Rc<u32>>: false,
            BoundedReceiver<Cell<u32>>: true,
            BoundedReceiver<Rc<u32>>: false,
        ]
    }

    fn new_watch(&self) -> Option<Box<dyn WatchSender>> {
        Some(Box::new(watch::channel(0).0))
    }

    fn watch_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            watch::Sender<u32>: true,
            watch::Sender<Rc<u32>>: false,
            watch::Receiver<u32>: true,
            watch::Receiver<Rc<u32>>: false,
        ]
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
        self.get().is_some()
    }

    fn get_or_init<'a, 't>(&'a self, _: &'a DynIo, init: Init<'a>) -> BoxFuture<'t, &'a Token>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.get_or_init(move || init))
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
        Box::pin(self.get_or_try_init(move || init))
    }

    fn set(&self, value: Token) -> Result<(), SetRefused> {
        // Its own waits for an initialiser, with the value.
        let number = value.number();
        match poll_noop(Box::pin(self.set(value)).as_mut()) {
            Poll::Ready(set) => set.map_err(SetRefused::AlreadyInitialized),
            Poll::Pending => Err(SetRefused::Initializing(Token::new(number))),
        }
    }

    fn take(&mut self) -> Option<Token> {
        self.take()
    }
}

impl MutexSubject for Mutex<Vec<u64>> {
    lock_as_named!();

    fn lock_owned(self: Arc<Self>, _: DynIo) -> Option<BoxFuture<'static, Guard<'static>>> {
        Some(boxed_guard(self.lock_owned()))
    }

    fn try_lock_mapped(&self, part: fn(&mut Vec<u64>) -> &mut u64) -> Option<MappedGuard<'_>> {
        let guard = self.try_lock()?;
        Some(Box::new(MutexGuard::map(guard, part)))
    }
}

impl RwLockSubject for RwLock<Vec<u64>> {
    read_and_write_as_named!();
}

impl<'a> WriteGuard<'a> for RwLockWriteGuard<'a, Vec<u64>> {
    fn downgrade(self: Box<Self>) -> Option<Reading<'a>> {
        Some(Box::new(RwLockWriteGuard::downgrade(*self)))
    }
}

impl SemaphoreSubject for Semaphore {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        mapped(self.acquire(1), |permit| Ok(held(self, permit)))
    }

    fn acquire_many<'a>(
        &'a self,
        _: &'a DynIo,
        n: usize,
    ) -> Option<BoxFuture<'a, Result<Permits<'a>, Closed>>> {
        Some(mapped(self.acquire(n), |permit| Ok(held(self, permit))))
    }

    fn hold<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(Box::pin(self.acquire(1))))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        let permit = self.try_acquire(1).ok_or(NoPermits::Few)?;
        Ok(held(self, permit))
    }

    fn available(&self) -> usize {
        self.available_permits()
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.release(n);
        Ok(())
    }

    fn forget(&self, n: usize) -> Option<usize> {
        Some(self.drain_permits(n))
    }
}

fn held<'a>(semaphore: &'a Semaphore, permit: SemaphorePermit<'a>) -> Permits<'a> {
    Box::new(Held { semaphore, permit })
}

struct Held<'a> {
    semaphore: &'a Semaphore,
    permit: SemaphorePermit<'a>,
}

impl<'a> HeldPermits<'a> for Held<'a> {
    fn count(&self) -> usize {
        self.permit.permits()
    }

    fn forget(self: Box<Self>) {
        self.permit.forget();
    }

    fn split(&mut self, n: usize) -> Option<Permits<'a>> {
        let permit = self.permit.split(n)?;
        Some(held(self.semaphore, permit))
    }

    fn grow(&mut self, n: usize) -> bool {
        match self.semaphore.try_acquire(n) {
            Some(more) => {
                self.permit.merge(more);
                true
            }
            None => false,
        }
    }
}

/// A condition with its lock.
struct Pair {
    changed: Condvar,
    list: Mutex<Vec<u64>>,
}

impl Pair {
    const fn new() -> Self {
        Self {
            changed: Condvar::new(),
            list: Mutex::new(Vec::new()),
        }
    }

    fn boxed<'a>(&'a self, guard: MutexGuard<'a, Vec<u64>>) -> CondvarGuard<'a> {
        Box::new(Locked { pair: self, guard })
    }
}

impl CondvarSubject for Pair {
    fn lock<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, CondvarGuard<'a>> {
        mapped(self.list.lock(), |guard| self.boxed(guard))
    }

    fn try_lock(&self) -> Option<CondvarGuard<'_>> {
        let guard = self.list.try_lock()?;
        Some(self.boxed(guard))
    }

    fn notify_one(&self) {
        self.changed.notify_one();
    }

    fn notify_all(&self) {
        self.changed.notify_all();
    }

    fn pass<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let guard = self.list.lock().await;
            drop(self.changed.wait(guard).await);
        })
    }
}

struct Locked<'a> {
    pair: &'a Pair,
    guard: MutexGuard<'a, Vec<u64>>,
}

impl Deref for Locked<'_> {
    type Target = Vec<u64>;

    fn deref(&self) -> &Vec<u64> {
        &self.guard
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Vec<u64> {
        &mut self.guard
    }
}

impl<'a> CondvarAccess<'a> for Locked<'a> {
    fn wait(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, CondvarGuard<'a>> {
        let pair = self.pair;
        let wait = pair.changed.wait(self.guard);
        mapped(wait, |guard| pair.boxed(guard))
    }

    fn wait_while(
        self: Box<Self>,
        _: &'a DynIo,
        condition: Condition<'a>,
    ) -> BoxFuture<'a, CondvarGuard<'a>> {
        let pair = self.pair;
        let wait = pair.changed.wait_while(self.guard, condition);
        mapped(wait, |guard| pair.boxed(guard))
    }
}

impl ChannelSender for BoundedSender<Message> {
    fn try_send(&self, message: Message) -> Result<(), SendRefused> {
        self.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => SendRefused::Full(message),
            TrySendError::Disconnected(message) => SendRefused::Closed(message),
        })
    }

    fn send<'a>(&'a self, _: &'a DynIo, message: Message) -> BoxFuture<'a, Result<(), Message>> {
        mapped(self.send(message), |sent| {
            sent.map_err(|error| error.into_inner())
        })
    }

    fn reserve<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, Option<Box<dyn Permit + 'a>>>> {
        Some(mapped(self.reserve(), |permit| {
            let permit = permit.ok()?;
            Some(Box::new(permit) as Box<dyn Permit + 'a>)
        }))
    }

    fn another(&self) -> Box<dyn ChannelSender> {
        Box::new(self.clone())
    }
}

impl Permit for mpmc::Permit<'_, Message> {
    fn send(self: Box<Self>, message: Message) {
        // Without receivers it gives the message back.
        let _ = (*self).send(message);
    }
}

impl ChannelReceiver for BoundedReceiver<Message> {
    fn try_recv(&self) -> Result<Message, NoMessage> {
        self.try_recv().map_err(|error| match error {
            TryRecvError::Empty => NoMessage::Empty,
            TryRecvError::Disconnected => NoMessage::Closed,
        })
    }

    fn recv<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        mapped(self.recv(), Result::ok)
    }

    fn into_recv<'a>(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Option<Message>> {
        Box::pin(async move { (*self).recv().await.ok() })
    }

    fn another(&self) -> Option<Box<dyn ChannelReceiver>> {
        Some(Box::new(self.clone()))
    }
}

impl WatchSender for watch::Sender<u64> {
    fn send(&self, value: u64) {
        self.send_replace(value);
    }

    fn subscribe(&self) -> Box<dyn WatchReceiver> {
        Box::new(self.subscribe())
    }
}

impl WatchReceiver for watch::Receiver<u64> {
    fn changed<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, bool> {
        mapped(self.changed(), |changed| changed.is_ok())
    }

    fn into_changed<'a>(mut self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, bool> {
        Box::pin(async move { (*self).changed().await.is_ok() })
    }

    fn get(&self) -> u64 {
        self.get()
    }

    fn get_and_see(&mut self) -> u64 {
        let seen = poll_noop(Box::pin(self.recv()).as_mut());
        match seen {
            Poll::Ready(Ok(value)) => value,
            _ => self.get(),
        }
    }
}
