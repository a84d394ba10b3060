//! The primitives that smol brings, by what their documentation promises.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use async_lock::{
    Barrier, BarrierWaitResult, Mutex, MutexGuard, OnceCell, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, Semaphore, SemaphoreGuard,
};

use crate::send_facts;
use crate::subject::{
    BarrierSubject, Channel, MutexSubject, OnceCellSubject, Promise, RwLockSubject,
    SemaphoreSubject, SendFact, Subject, Token,
};

mod channel;
mod lock;

/// `async-lock` and `async-channel`.
///
/// It promises no order of those who wait: its mutex is fair in the long run, its
/// `RwLock` prefers writers. It has no handle of an executor: its waits spend
/// nothing of any budget. What `event-listener` has is no Notify, as it stores no
/// permit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Subject for Smol {
    fn name(&self) -> &str {
        "smol"
    }

    fn promises(&self) -> &[Promise] {
        &[Promise::UpgradableRead]
    }

    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        Some(Arc::new(Barrier::new(parties)))
    }

    fn static_barrier(&self) -> Option<(&'static dyn BarrierSubject, usize)> {
        static BARRIER: Barrier = Barrier::new(3);
        Some((&BARRIER, 3))
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
        send_facts![
            OnceCell<u32>: true,
            OnceCell<Rc<u32>>: false,
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
            RwLockReadGuard<'static, Rc<u32>>: false,
            RwLockUpgradableReadGuard<'static, u32>: true,
            RwLockUpgradableReadGuard<'static, Rc<u32>>: false,
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
        send_facts![
            Semaphore: true,
            SemaphoreGuard<'static>: true,
        ]
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let (sender, receiver) = async_channel::bounded(capacity);
        Some((Box::new(sender), Box::new(receiver)))
    }

    fn channel_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            async_channel::Sender<Cell<u32>>: true,
            async_channel::Sender<Rc<u32>>: false,
            async_channel::Receiver<Cell<u32>>: true,
            async_channel::Receiver<Rc<u32>>: false,
            async_channel::Send<'static, Cell<u32>>: true,
            async_channel::Send<'static, Rc<u32>>: false,
            async_channel::Recv<'static, Cell<u32>>: true,
            async_channel::Recv<'static, Rc<u32>>: false,
        ]
    }
}
