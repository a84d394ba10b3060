//! The kind Barrier.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Kept, Reach, SendFact, Subject, Waitable, Waiting};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// Holds until all have arrived.
#[async_trait]
pub trait BarrierSubject: Send + Sync + 'static {
    /// A wait, which arrives when it is first polled: `true` for the leader.
    async fn wait<'a>(&'a self, io: &'a DynIo) -> bool;

    /// A wait that runs `action` before anybody is released, if it is the last
    /// to arrive; if it has such ([`Promise::LeaderAction`](super::Promise)).
    fn wait_then<'a>(
        &'a self,
        io: &'a DynIo,
        action: Box<dyn FnOnce() + Send + 'a>,
    ) -> Option<BoxFuture<'a, bool>> {
        let _ = (io, action);
        None
    }

    /// The same with an async action that may fail.
    fn try_wait_then<'a>(
        &'a self,
        io: &'a DynIo,
        action: BoxFuture<'a, Result<(), ActionFailed>>,
    ) -> Option<BoxFuture<'a, Result<bool, ActionFailed>>> {
        let _ = (io, action);
        None
    }

    /// How many have arrived, if it can tell.
    fn arrived(&self) -> Option<usize> {
        None
    }
}

/// How a leader's action fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionFailed;

pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_barrier(1).is_none() {
        return Vec::new();
    }
    vec![Arc::new(BarrierWaiting(Arc::clone(subject)))]
}

struct BarrierWaiting(Arc<dyn Subject>);

impl Waiting for BarrierWaiting {
    fn name(&self) -> &'static str {
        "Barrier by the last arrival"
    }

    fn reach(&self) -> Reach {
        Reach::All
    }

    fn fresh(&self, waits: usize) -> Arc<dyn Waitable> {
        let parties = waits + 1;
        Arc::new(BarrierWaitable {
            barrier: self.0.barrier(parties),
            parties,
            early: Mutex::default(),
        })
    }

    fn use_static(&self, io: &DynIo) -> Result<(), String> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let Some((barrier, parties)) = self.0.static_barrier() else {
            return Err("the subject has no Barrier in a `static`".to_owned());
        };
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        one_generation(barrier, parties, io);
        Ok(())
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.0.barrier_send_facts()
    }
}

struct BarrierWaitable {
    barrier: Arc<dyn BarrierSubject>,
    parties: usize,
    /// Signals that came before the waits: they have arrived.
    early: Mutex<Vec<BoxFuture<'static, bool>>>,
}

impl Waitable for BarrierWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Kept::new(self.barrier.wait(io)))
    }

    fn signal(&self) {
        let barrier = Arc::clone(&self.barrier);
        let io = DynIo::bare();
        let mut arrival: BoxFuture<'_, _> = Box::pin(async move { barrier.wait(&io).await });
        if poll_noop(arrival.as_mut()).is_pending() {
            let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
            early.push(arrival);
        }
    }

    fn queued(&self) -> Option<usize> {
        self.barrier.arrived()
    }

    fn touch(&self, io: &DynIo) {
        let _ = self.barrier.arrived();
        let mut wait = self.barrier.wait(io);
        let _ = poll_noop(wait.as_mut());
        drop(wait);
        if let Some(mut wait) = self.barrier.wait_then(io, Box::new(|| ())) {
            let _ = poll_noop(wait.as_mut());
        }
    }

    fn check_later(&self, io: &DynIo) {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        let early = std::mem::take(&mut *early);
        drop(early);
        one_generation(&*self.barrier, self.parties, io);
    }
}

/// A generation on a barrier at which nobody waits.
fn one_generation(barrier: &dyn BarrierSubject, parties: usize, io: &DynIo) {
    if let Some(count) = barrier.arrived() {
        assert_eq!(count, 0, "nobody waits any more");
    }
    let (wakes, waker) = counting();
    let mut others: Vec<_> = (1..parties).map(|_| barrier.wait(io)).collect();
    for wait in &mut others {
        assert!(
            poll(wait.as_mut(), &waker).is_pending(),
            "a later generation is released before all have arrived"
        );
    }
    // Two polls, for those that let the leader wait.
    let mut last = barrier.wait(io);
    let mut led = poll(last.as_mut(), &waker);
    if led.is_pending() {
        led = poll(last.as_mut(), &waker);
    }
    assert!(led.is_ready(), "a later generation is not released");
    assert!(wakes.count() >= parties - 1, "a released wait is not woken");
    for wait in &mut others {
        assert!(
            poll(wait.as_mut(), &waker).is_ready(),
            "a later generation is not released as a whole"
        );
    }
}
