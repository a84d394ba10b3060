//! [`ParallelJob`]: two phases with a barrier between, in two forms.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anysync::{Barrier, Io};

#[cfg(test)]
mod tests;

/// How many take part.
pub(crate) const WORKERS: usize = 4;

/// How the workers meet between the phases.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// The last to arrive sums up before anyone goes on.
    WaitThen,
    /// All meet, the leader sums up, all meet again.
    TwoWaits,
}

/// What a worker knows after the second phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) partial: u64,
    pub(crate) total: u64,
    pub(crate) is_leader: bool,
}

/// The state that the workers share.
///
/// The numbers are atomics so that all may write through a shared reference,
/// and `Relaxed` is enough for them: the order comes from the barrier. What is
/// written before an arrival is seen by the leader's action, and what the
/// action writes is seen by whoever has been released.
pub(crate) struct ParallelJob {
    barrier: Barrier,
    /// Each worker writes its own slot.
    partials: [AtomicU64; WORKERS],
    total: AtomicU64,
    sums_made: AtomicUsize,
}

impl ParallelJob {
    pub(crate) const fn new() -> Self {
        Self {
            barrier: Barrier::new(WORKERS),
            partials: [const { AtomicU64::new(0) }; WORKERS],
            total: AtomicU64::new(0),
            sums_made: AtomicUsize::new(0),
        }
    }

    /// Both phases of the worker `id`, who is responsible for `chunk`.
    pub(crate) async fn run_worker(
        &self,
        io: impl Io,
        id: usize,
        chunk: &[u64],
        form: Form,
    ) -> Share {
        // Phase 1: everybody for himself.
        let partial = chunk.iter().sum();
        self.partials[id].store(partial, Ordering::Relaxed);

        let is_leader = match form {
            Form::WaitThen => self.meet_with_wait_then(&io).await,
            Form::TwoWaits => self.meet_with_two_waits(&io).await,
        };

        // Phase 2: everybody with the sum of all.
        let total = self.total.load(Ordering::Relaxed);
        Share {
            partial,
            total,
            is_leader,
        }
    }

    /// The leader's work is done when the others are released: nobody can read
    /// the total too early.
    async fn meet_with_wait_then(&self, io: impl Io) -> bool {
        self.barrier.wait_then(io, || self.sum_up()).await
    }

    /// The same with plain waits. `if wait().await { sum_up() }` alone is a
    /// race: the wait that makes one the leader has released the others too,
    /// and they may read before the leader has written. A second meeting holds
    /// them until then.
    async fn meet_with_two_waits(&self, io: impl Io) -> bool {
        let is_leader = self.barrier.wait(&io).await;
        if is_leader {
            self.sum_up();
        }
        self.barrier.wait(&io).await;
        is_leader
    }

    fn sum_up(&self) {
        let partials = self.partials.iter();
        let total = partials
            .map(|partial| partial.load(Ordering::Relaxed))
            .sum();
        self.total.store(total, Ordering::Relaxed);
        self.sums_made.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the partial results were summed up.
    pub(crate) fn sums_made(&self) -> usize {
        self.sums_made.load(Ordering::Relaxed)
    }
}
