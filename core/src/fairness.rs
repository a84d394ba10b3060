//! [`Fairness`]: whether what is released goes to the first in the queue, or to the
//! first that comes. And [`Queue`], by which primitives that let several in keep count.

use crate::wait_list::{GrantWatch, Grants};

/// Which wait gets what is released while waits are queued: in order, or the first
/// that comes.
///
/// ```
/// use anysync::{Fairness, Mutex, Semaphore};
///
/// static HOT: Mutex<u64> = Mutex::with_fairness(0, Fairness::Eventual);
/// static SLOTS: Semaphore = Semaphore::with_fairness(3, Fairness::Eventual);
/// assert_eq!(HOT.fairness(), Fairness::Eventual);
/// assert_eq!(SLOTS.fairness(), Fairness::Eventual);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fairness {
    /// In order: a release hands over to the first wait in the queue, and no task
    /// passes it. So each release with a queue costs a switch to another task.
    ///
    /// What has been handed to a wait stays with it until its task polls or drops it.
    /// A wait that its task does not poll any more is passed over, as soon as another
    /// wait on the same primitive has been polled beside it often enough: at the third
    /// poll of a wait of the same task, which gets it; else at the 8,192nd, and then it
    /// goes to the first in the queue.
    #[default]
    Fifo,
    /// First come, first served: a release frees, and wakes the first in the queue. A
    /// task that runs already may be quicker, so that short uses follow one another
    /// without a switch between tasks. That is several times faster under contention,
    /// and less even.
    ///
    /// No wait starves: one that has been woken and has found nothing keeps its place,
    /// and after the fourth time the next release is handed to it, as in
    /// [`Fifo`](Fairness::Fifo). If its task does not come for it then, other waits get
    /// it at their third poll, so that a wait that is not polled stops no task.
    Eventual,
}

/// How often in a row waits are woken and find nothing, before the first in the queue
/// is handed what it waits for. One under loom, so that few rounds show it.
pub(crate) const PATIENCE: usize = if cfg!(anysync_loom) { 1 } else { 4 };

/// What the inner lock of a primitive that lets several in guards, beside the rings.
pub(crate) struct Queue {
    watch: GrantWatch,
    is_eventual: bool,
    /// How often waits that were called have found nothing, since the last that was
    /// handed something.
    in_vain: u8,
}

impl Queue {
    pub(crate) const fn new(fairness: Fairness) -> Self {
        Self {
            watch: GrantWatch::new(),
            is_eventual: matches!(fairness, Fairness::Eventual),
            in_vain: 0,
        }
    }

    #[inline]
    pub(crate) fn is_eventual(&self) -> bool {
        self.is_eventual
    }

    pub(crate) fn fairness(&self) -> Fairness {
        if self.is_eventual {
            Fairness::Eventual
        } else {
            Fairness::Fifo
        }
    }

    /// A wait that was called found nothing, or a release has not sufficed for the
    /// first in the queue.
    pub(crate) fn count_in_vain(&mut self) {
        self.in_vain = self.in_vain.saturating_add(1);
    }

    /// Whether the first in the queue is to be handed what it waits for.
    #[inline]
    pub(crate) fn is_out_of_patience(&self) -> bool {
        self.in_vain as usize >= PATIENCE
    }

    pub(crate) fn end_patience(&mut self) {
        self.in_vain = 0;
    }
}

impl Grants for Queue {
    #[inline]
    fn watch(&mut self, _: usize) -> &mut GrantWatch {
        &mut self.watch
    }
}
