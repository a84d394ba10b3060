//! `anysync_async_std::{sync, channel}`, the drop-ins for those of async-std.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use anysync_async_std::channel;
use anysync_async_std::sync::{Barrier, Condvar, Mutex, MutexGuard, RwLock};

use super::SmolDropIn;
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::send_facts;
use crate::subject::{
    BarrierSubject, Channel, Condition, CondvarAccess, CondvarGuard, CondvarSubject, MutexSubject,
    Promise, RwLockSubject, SendFact, Subject, mapped,
};

/// `anysync_async_std::{sync, channel}`.
///
/// Its locks and channels are the types of [`SmolDropIn`], as the originals are those
/// of async-lock and async-channel; the Condvar is its own. It has no handle of an
/// executor, so that its waits spend nothing of any budget.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStdDropIn;

impl Subject for AsyncStdDropIn {
    fn name(&self) -> &str {
        "async-std-drop-in"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        SmolDropIn.not_promised()
    }

    fn promises(&self) -> &[Promise] {
        SmolDropIn.promises()
    }

    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        Some(Arc::new(Barrier::new(parties)))
    }

    fn static_barrier(&self) -> Option<(&'static dyn BarrierSubject, usize)> {
        static BARRIER: Barrier = Barrier::new(3);
        Some((&BARRIER, 3))
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Some(Arc::new(Mutex::new(Vec::new())))
    }

    fn static_mutex(&self) -> Option<&'static dyn MutexSubject> {
        static MUTEX: Mutex<Vec<u64>> = Mutex::new(Vec::new());
        Some(&MUTEX)
    }

    fn new_rwlock(&self) -> Option<Arc<dyn RwLockSubject>> {
        Some(Arc::new(RwLock::new(Vec::new())))
    }

    fn static_rwlock(&self) -> Option<&'static dyn RwLockSubject> {
        static LOCK: RwLock<Vec<u64>> = RwLock::new(Vec::new());
        Some(&LOCK)
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
        let (sender, receiver) = channel::bounded(capacity);
        Some((Box::new(sender), Box::new(receiver)))
    }
}

/// What a condition variable is about, and the variable.
struct Pair {
    list: Mutex<Vec<u64>>,
    changed: Condvar,
}

impl Pair {
    const fn new() -> Self {
        Self {
            list: Mutex::new(Vec::new()),
            changed: Condvar::new(),
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
        mapped(pair.changed.wait(self.guard), |guard| pair.boxed(guard))
    }

    fn wait_while(
        self: Box<Self>,
        _: &'a DynIo,
        mut condition: Condition<'a>,
    ) -> BoxFuture<'a, CondvarGuard<'a>> {
        let pair = self.pair;
        let until = move |list: &mut Vec<u64>| !condition(list);
        let wait = pair.changed.wait_until(self.guard, until);
        mapped(wait, |guard| pair.boxed(guard))
    }
}
