//! [`Watch`]: finds out that a granted wait is not polled, so that what it was
//! granted can go on.
//!
//! A grant stays with its wait until that is polled or dropped. A task may leave a
//! granted wait unpolled, and poll another wait on the same primitive instead: that
//! one would wait for its own task, for ever. So a queued wait that is polled beside
//! an unclaimed grant *meets* it, and each meeting counts. When a grant has been met
//! often enough, it is taken from its wait, which becomes [`CALLED`](super::CALLED):
//! in no queue, owed no wake-up, and the first in the queue when it is polled again.
//!
//! | the grant's wait | how it is known | the wait that meets it | the grant goes on at |
//! |-|-|-|-|
//! | of the same task | an equal waker that carries data | wakes itself | its third poll, to itself |
//! | unknown | a waker of another kind, or without data | wakes itself | the 8,192nd meeting, to the first in the queue |
//! | of another task | a waker of the same kind, with other data | does not wake itself | the 8,192nd meeting, to the first in the queue |
//!
//! One poll is not enough to tell: a combinator may poll the branches of one task in
//! any order, and the granted branch may be polled next. Three polls of the *same* wait
//! are three turns of its task. That a task of the same executor comes when it is woken
//! is taken for granted, so a wait that meets its grant needs no extra turn; a waker of
//! another kind may belong to a branch of the same task, in a combinator that gives each
//! branch a waker of its own. A waker without data (a no-op waker) says nothing about
//! its task.

use core::ptr;
use core::task::Waker;

use super::ring::Node;

/// How often a grant is met before it goes on. So many polls, of waits that wake
/// themselves, take longer than an executor's thread needs to come to a task that was
/// woken. Fewer in tests, and one under loom.
const LIMIT: u32 = if cfg!(anysync_loom) {
    1
} else if cfg!(test) {
    128
} else {
    8_192
};

/// After so many meetings each, a thread that meets a grant lets others run: some thirty
/// times in all, as each may take a time slice of the system's.
const OFTEN: u32 = LIMIT / 32 + 1;

/// How much a meeting counts of a wait whose own task has the grant: the third goes
/// beyond the limit.
const OWN_TASK: u32 = LIMIT / 3 + 1;

/// How often one grant has been met.
pub(crate) struct Watch {
    /// The address of the wait whose polls are turns of the grant's task; 0 if none.
    watcher: usize,
    score: u32,
}

/// What a queued wait found beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Met {
    /// No grant, or one whose task will come.
    Nothing,
    /// A grant that may be left unclaimed: the wait has to be polled again, and so
    /// wakes itself. With `true` its thread yields first: the thread of the grant's task
    /// may need the processor to come for it.
    Again(bool),
    /// A grant of its own task, which is to be its own.
    Own,
    /// A grant that is to go to the first in the queue.
    Stale,
}

/// What two wakers say about their tasks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    SameTask,
    OtherTask,
    Unknown,
}

impl Relation {
    /// Compares two wakers, without running any of their code.
    #[inline]
    pub(super) fn of(own: Option<&Waker>, other: Option<&Waker>) -> Self {
        match (own, other) {
            (Some(own), Some(other))
                if ptr::eq(own.vtable(), other.vtable()) && !own.data().is_null() =>
            {
                if ptr::eq(own.data(), other.data()) {
                    Self::SameTask
                } else {
                    Self::OtherTask
                }
            }
            _ => Self::Unknown,
        }
    }
}

impl Watch {
    pub(crate) const fn new() -> Self {
        Self {
            watcher: 0,
            score: 0,
        }
    }

    /// Forgets all meetings: there is another grant, or none.
    #[inline]
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Whether a wait of the same task has met the grant.
    #[inline]
    pub(super) fn is_of_own_task(&self) -> bool {
        self.watcher != 0
    }

    /// Counts a meeting of `node`; what that wait is to do. `first`: it has not been
    /// in the queue before. `hasty`: every meeting counts as of the same task, as in a
    /// lock that keeps an order only for those that come at once.
    #[inline]
    pub(super) fn meet(
        &mut self,
        node: &Node,
        relation: Relation,
        first: bool,
        hasty: bool,
    ) -> Met {
        let comes = relation == Relation::OtherTask && !hasty;
        if first && comes {
            return Met::Nothing;
        }
        let address = ptr::from_ref(node).addr();
        let is_own = relation == Relation::SameTask;
        let is_watcher = is_own && (self.watcher == 0 || self.watcher == address);
        let weight = if hasty || is_watcher { OWN_TASK } else { 1 };
        if is_own && self.watcher == 0 {
            self.watcher = address;
        }
        self.score = self.score.saturating_add(weight);
        if self.score >= LIMIT {
            return if is_own { Met::Own } else { Met::Stale };
        }
        if comes {
            Met::Nothing
        } else {
            Met::Again(self.score % OFTEN == 0)
        }
    }

    /// Counts an attempt that does not wait, in a hasty lock; whether the grant is to
    /// go on.
    pub(super) fn attempt(&mut self) -> bool {
        self.score = self.score.saturating_add(OWN_TASK);
        self.score >= LIMIT
    }
}

impl AsMut<Watch> for Watch {
    #[inline]
    fn as_mut(&mut self) -> &mut Watch {
        self
    }
}
