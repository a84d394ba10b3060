//! The Condvar, over our Mutex.

use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use anysync::MutexGuard;

use super::{Flaw, Flawed, Line, lock, wake};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{Condition, CondvarAccess, CondvarGuard, CondvarSubject};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "waits-with-the-lock",
        Flaw::KeepsTheLock,
        "a wait does not give up the lock",
        &["condvar::wait_releases_and_reacquires"],
    ),
    (
        "unlocks-before-it-queues",
        Flaw::UnlocksFirst,
        "a wait gives up the lock and queues then",
        &["condvar::notify_between_unlock_and_wait_is_not_lost"],
    ),
];

pub(super) fn new(flaw: Flaw) -> Arc<dyn CondvarSubject> {
    Arc::new(Condvar {
        flaw,
        list: anysync::Mutex::default(),
        line: Mutex::default(),
    })
}

struct Condvar {
    flaw: Flaw,
    list: anysync::Mutex<Vec<u64>>,
    /// Those who wait; who is not in it any more was notified.
    line: Mutex<Line>,
}

impl Condvar {
    fn boxed<'a>(&'a self, guard: MutexGuard<'a, Vec<u64>>) -> CondvarGuard<'a> {
        Box::new(Locked {
            condvar: self,
            guard,
        })
    }

    fn notify(&self, count: usize) {
        let wakers = lock(&self.line).take_first(count);
        wake(wakers);
    }

    async fn wait<'a>(
        &'a self,
        io: &'a DynIo,
        guard: MutexGuard<'a, Vec<u64>>,
    ) -> MutexGuard<'a, Vec<u64>> {
        let mut ticket = Ticket {
            condvar: self,
            id: None,
        };
        let mut guard = Some(guard);
        let notified = poll_fn(|cx: &mut Context<'_>| {
            if self.flaw == Flaw::UnlocksFirst {
                guard = None;
            }
            let polled = ticket.poll(cx);
            if self.flaw != Flaw::KeepsTheLock {
                guard = None;
            }
            polled
        });
        notified.await;
        match guard {
            Some(guard) => guard,
            None => self.list.lock(io).await,
        }
    }
}

impl CondvarSubject for Condvar {
    fn lock<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, CondvarGuard<'a>> {
        Box::pin(async move { self.boxed(self.list.lock(io).await) })
    }

    fn try_lock(&self) -> Option<CondvarGuard<'_>> {
        let guard = self.list.try_lock()?;
        Some(self.boxed(guard))
    }

    fn notify_one(&self) {
        self.notify(1);
    }

    fn notify_all(&self) {
        self.notify(usize::MAX);
    }

    fn pass<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let guard = self.list.lock_future().await;
            drop(self.wait(io, guard).await);
        })
    }
}

/// The place of a wait, which it leaves when it is dropped.
struct Ticket<'a> {
    condvar: &'a Condvar,
    id: Option<u64>,
}

impl Ticket<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut line = lock(&self.condvar.line);
        if self.id.is_some() && line.before(self.id) == line.len() {
            return Poll::Ready(());
        }
        let old = line.stand(&mut self.id, (), waker);
        drop(line);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let own = lock(&self.condvar.line).leave(&mut self.id);
        drop(own);
    }
}

struct Locked<'a> {
    condvar: &'a Condvar,
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
    fn wait(self: Box<Self>, io: &'a DynIo) -> BoxFuture<'a, CondvarGuard<'a>> {
        let condvar = self.condvar;
        Box::pin(async move { condvar.boxed(condvar.wait(io, self.guard).await) })
    }

    fn wait_while(
        self: Box<Self>,
        io: &'a DynIo,
        mut condition: Condition<'a>,
    ) -> BoxFuture<'a, CondvarGuard<'a>> {
        let condvar = self.condvar;
        Box::pin(async move {
            let mut guard = self.guard;
            while condition(&mut guard) {
                guard = condvar.wait(io, guard).await;
            }
            condvar.boxed(guard)
        })
    }
}
