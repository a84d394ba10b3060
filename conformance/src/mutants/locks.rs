//! Semaphore and Condvar, each with a flaw or with none: of a lock, a state, and
//! a line of those who wait.
//!
//! Whoever waits for permits looks at the state at each poll: it may go on if all
//! before it in the line can, and enough is left then. So a change of the state
//! wakes the first ones who can go on together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::line::{Line, wake};
use super::{Broken, Mutant};
use crate::subject::{CondvarSubject, Promise, SemaphoreSubject, Subject};

mod condvar;
mod semaphore;

pub(super) fn all() -> Vec<Mutant> {
    let flawed = |flawed: &Flawed| {
        let (name, flaw, what, killed_by) = *flawed;
        Mutant {
            name,
            flaw: what,
            what: Broken::Subject(Arc::new(Locks { name, flaw })),
            killed_by,
        }
    };
    let flaws = semaphore::FLAWS.iter().chain(condvar::FLAWS);
    flaws.map(flawed).collect()
}

/// Its name, what is wrong in the code and in words, and the laws that must
/// notice.
type Flawed = (&'static str, Flaw, &'static str, &'static [&'static str]);

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    #[cfg(test)]
    None,
    // Of Semaphore.
    AddWraps,
    CloseWakesNobody,
    DropIsSilent,
    ForgetReturns,
    OnePermitTooMany,
    ReleaseReopens,
    ReturnsSilently,
    SmallOnesPass,
    SplitDoubles,
    UnpolledBlocks,
    // Of Condvar.
    KeepsTheLock,
    UnlocksFirst,
}

/// A subject that has nothing but these.
struct Locks {
    name: &'static str,
    flaw: Flaw,
}

impl Subject for Locks {
    fn name(&self) -> &str {
        self.name
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::AcquireMany,
            Promise::CloseSemaphore,
            Promise::SplitPermits,
        ]
    }

    fn new_semaphore(&self, permits: usize) -> Option<Arc<dyn SemaphoreSubject>> {
        Some(semaphore::new(permits, self.flaw))
    }

    fn new_condvar(&self) -> Option<Arc<dyn CondvarSubject>> {
        Some(condvar::new(self.flaw))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Suite;
    use crate::backends::threads::OnThreads;
    use crate::backends::tokio::TokioCurrentThread;
    use crate::report::Outcome;

    /// Else a law might kill the mutants for what is no flaw of theirs.
    #[test]
    fn without_a_flaw_they_keep_the_laws() {
        let suite = Suite::new()
            .subject(Locks {
                name: "without a flaw",
                flaw: Flaw::None,
            })
            .backend(TokioCurrentThread)
            .backend(OnThreads);
        let report = ["semaphore::", "condvar::", "pattern::rate_limiter"]
            .into_iter()
            .fold(suite, Suite::filter)
            .run();
        let passes = |outcome: &Outcome| matches!(outcome, Outcome::Passed);
        let mut results = report.results().iter();
        assert!(results.all(|result| passes(&result.outcome)), "{report}");
    }
}
