//! What passes messages and news on, each with a flaw or with none: of a lock, a
//! state, and lines of those who wait.
//!
//! Whoever waits looks at the state at each poll: it may go on if the state has
//! something for its place in the line. So a change of the state wakes as many
//! from the front as it has something for, and a wait that leaves the line lets
//! the next ones move up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::line::{Line, wake};
use super::{Broken, Mutant};
use crate::subject::{
    BroadcastSender, CancellationSubject, Channel, Oneshot, Promise, Subject, WatchSender,
};

mod broadcast;
mod cancellation;
mod channel;
mod oneshot;
mod watch;

pub(super) fn all() -> Vec<Mutant> {
    let flawed = |flawed: &Flawed| {
        let (name, flaw, what, killed_by) = *flawed;
        Mutant {
            name,
            flaw: what,
            what: Broken::Subject(Arc::new(Messages { name, flaw })),
            killed_by,
        }
    };
    let flaws = [
        channel::FLAWS,
        oneshot::FLAWS,
        watch::FLAWS,
        broadcast::FLAWS,
        cancellation::FLAWS,
    ];
    flaws.concat().iter().map(flawed).collect()
}

/// Its name, what is wrong in the code and in words, and the laws that must
/// notice.
type Flawed = (&'static str, Flaw, &'static str, &'static [&'static str]);

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    #[cfg(test)]
    None,
    // Of Channel.
    CloseDropsMessages,
    DoublesOne,
    DroppedRecvTakesOne,
    DroppedSendSends,
    GoneSendersAreForgotten,
    LastInFirstOut,
    LeavesPermits,
    NewSendersPass,
    NewReceiversPass,
    OneTooMany,
    Preallocates,
    UnpolledStops,
    KeepsItsPeak,
    GivesBackAtOnce,
    GrowsByCopying,
    // Of Oneshot.
    CloseWakesNobody,
    GoneSenderIsForgotten,
    LeaksUnreceived,
    ReceivesTwice,
    SendsToNobody,
    // Of Watch.
    ChangeIsSeenTwice,
    ClosedForgets,
    LosesTheThird,
    ReadersGoFirst,
    WaitsForTheNext,
    // Of Broadcast.
    FirstReaderTakesIt,
    FullRefuses,
    KeepsWhatWasRead,
    LagIsOneLess,
    LeavesInOneGo,
    // Of Cancellation.
    ChildCancelsParent,
    FutureFirst,
    GuardDoesNothing,
    LateWaitSleeps,
    StopsInTheDeep,
}

/// A subject that has nothing but these.
struct Messages {
    name: &'static str,
    flaw: Flaw,
}

impl Subject for Messages {
    fn name(&self) -> &str {
        self.name
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::FifoSenders,
            Promise::FifoReceivers,
            Promise::Reserve,
            Promise::CloseChannel,
            Promise::CancellationFirst,
            Promise::CancellationSpends,
        ]
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        Some(channel::new(capacity, self.flaw))
    }

    fn new_oneshot(&self) -> Option<Oneshot> {
        Some(oneshot::new(self.flaw))
    }

    fn new_watch(&self) -> Option<Box<dyn WatchSender>> {
        Some(watch::new(self.flaw))
    }

    fn new_broadcast(&self, capacity: usize) -> Option<Box<dyn BroadcastSender>> {
        Some(broadcast::new(capacity, self.flaw))
    }

    fn new_cancellation(&self) -> Option<Box<dyn CancellationSubject>> {
        Some(cancellation::new(self.flaw))
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
            .subject(Messages {
                name: "without a flaw",
                flaw: Flaw::None,
            })
            .backend(TokioCurrentThread)
            .backend(OnThreads);
        let report = [
            "channel::",
            "oneshot::",
            "watch::",
            "broadcast::",
            "cancellation::",
            "pattern::request_reply",
            "pattern::graceful",
        ]
        .into_iter()
        .fold(suite, Suite::filter)
        .run();
        let passes = |outcome: &Outcome| matches!(outcome, Outcome::Passed);
        let mut results = report.results().iter();
        assert!(results.all(|result| passes(&result.outcome)), "{report}");
    }
}
