//! A Notify and a Barrier that are made here, of a lock and a list: sound, or
//! with one flaw each.
//!
//! That the sound ones keep every law is what says that a mutant dies of its
//! flaw and of nothing else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::{Broken, Mutant};
use crate::subject::{BarrierSubject, MutexSubject, NotifySubject, Promise, SendFact, Subject};
use crate::subjects::Anysync;
use crate::wakers::all_of;

mod barrier;
mod notify;
mod slots;

use barrier::HomeBarrier;
use notify::HomeNotify;

/// The subject without a flaw, which keeps every law.
pub(super) fn sound() -> Arc<dyn Subject> {
    Arc::new(HomeMade {
        name: "home-made",
        flaw: Flaw::None,
    })
}

pub(super) fn all() -> Vec<Mutant> {
    let flawed = |flawed: &Flawed| {
        let (name, flaw, what, killed_by) = *flawed;
        Mutant {
            name,
            flaw: what,
            what: Broken::Subject(Arc::new(HomeMade { name, flaw })),
            killed_by,
        }
    };
    let flaws = notify::FLAWS.iter().chain(barrier::FLAWS);
    flaws.map(flawed).collect()
}

/// Its name, what is wrong in the code and in words, and the laws that must
/// notice.
type Flawed = (&'static str, Flaw, &'static str, &'static [&'static str]);

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    // Of Notify.
    AllClearsPermit,
    AllLeavesQueue,
    AllMissesTheLast,
    AllMissesTheUnpolled,
    AllStoresPermit,
    AllSweepsNewcomers,
    AllocatesToQueue,
    BudgetBeforeQueue,
    ClonesUnderLock,
    CountsPermits,
    DropEatsWin,
    DropLeavesNode,
    EnableDoesNothing,
    FirstWakerStays,
    GivesUpWaiting,
    LastFirst,
    LinearCancel,
    LosesTheFifth,
    NeverSpends,
    NoStatic,
    NotSend,
    PermitIsForgotten,
    PollMovesBack,
    ResetRemembers,
    StaleKey,
    StopsAtPanic,
    WakesTwo,
    WakesUnderLock,
    // Of Barrier.
    ActsAfterRelease,
    ArrivalStays,
    FailureReleases,
    FirstLeads,
    LeaderYields,
    OneShort,
    OneWaits,
    StaysOpen,
    ZeroNeverOpens,
}

struct HomeMade {
    name: &'static str,
    flaw: Flaw,
}

impl Subject for HomeMade {
    fn name(&self) -> &str {
        self.name
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::CountsFromCreation,
            Promise::EnabledWinIsPassedOn,
            Promise::RawWaiters,
            Promise::LeaderAction,
            Promise::FifoMutex,
            Promise::MappedMutexGuard,
            Promise::OwnedMutexGuard,
        ]
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        Some(Arc::new(HomeNotify::new(self.flaw).with_room()))
    }

    fn static_notify(&self) -> Option<&'static dyn NotifySubject> {
        static NOTIFY: HomeNotify = HomeNotify::new(Flaw::None);
        (self.flaw != Flaw::NoStatic).then_some(&NOTIFY)
    }

    fn notify_send_facts(&self) -> Vec<SendFact> {
        notify::send_facts(self.flaw)
    }

    fn new_barrier(&self, parties: usize) -> Option<Arc<dyn BarrierSubject>> {
        Some(Arc::new(HomeBarrier::new(parties, self.flaw).with_room()))
    }

    fn static_barrier(&self) -> Option<(&'static dyn BarrierSubject, usize)> {
        static BARRIER: HomeBarrier = HomeBarrier::new(2, Flaw::None);
        Some((&BARRIER, 2))
    }

    fn barrier_send_facts(&self) -> Vec<SendFact> {
        barrier::send_facts()
    }

    // Ours, for the programs that need a Mutex beside the one that is flawed.

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Anysync.new_mutex()
    }

    fn static_mutex(&self) -> Option<&'static dyn MutexSubject> {
        Anysync.static_mutex()
    }

    fn mutex_send_facts(&self) -> Vec<SendFact> {
        Anysync.mutex_send_facts()
    }
}

/// A waker that panics poisons a lock only in a mutant that wakes under it, and
/// that is dead by then.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes all of them, and then goes on with the first panic.
fn wake_all(wakers: Vec<Waker>) {
    all_of(wakers.into_iter().map(|waker| || waker.wake()));
}
