//! A small RwLock with a flaw, or with none.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::{Broken, Mutant};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{
    Promise, Reading, RwLockSubject, Subject, Upgradable, UpgradableGuard, WriteGuard, Writing,
    mapped,
};

pub(super) fn all() -> Vec<Mutant> {
    let mutant = |name, flaw, what, killed_by| Mutant {
        name,
        flaw: what,
        what: Broken::Subject(Arc::new(WithRwLock { name, flaw })),
        killed_by,
    };
    vec![
        mutant(
            "one-reads-at-a-time",
            Flaw::ReadersExclude,
            "who reads keeps out others who read",
            &["rwlock::readers_share"],
        ),
        mutant(
            "reader-ignores-a-writer",
            Flaw::ReaderIgnoresWriter,
            "with nobody queued one may read while another writes",
            &["rwlock::writer_excludes_all"],
        ),
        mutant(
            "reader-passes-the-queue",
            Flaw::ReaderPassesQueue,
            "one may start to read beside others who do, whoever waits to write",
            &["rwlock::waiting_writer_stops_new_readers"],
        ),
        mutant(
            "last-comes-first",
            Flaw::LastComesFirst,
            "an unlock lets in who came last",
            &["rwlock::is_fifo"],
        ),
        mutant(
            "cancel-lets-nobody-in",
            Flaw::CancelLetsNobodyIn,
            "a wait that leaves the queue does not let in who is first then",
            &["rwlock::cancelled_writer_lets_readers_in"],
        ),
        mutant(
            "downgrade-unlocks",
            Flaw::DowngradeUnlocks,
            "a downgrade unlocks, lets in the next, and then reads",
            &["rwlock::downgrade_lets_no_writer_in_between"],
        ),
        mutant(
            "upgradable-keeps-readers-out",
            Flaw::UpgradableExcludes,
            "beside one who reads upgradably nobody reads",
            &["rwlock::upgradable_coexists_with_readers"],
        ),
        mutant(
            "upgrade-lets-go",
            Flaw::UpgradeLetsGo,
            "an upgrade stops reading, and queues last to write",
            &["rwlock::upgrade_is_atomic"],
        ),
        mutant(
            "no-limit-to-readers",
            Flaw::NoLimit,
            "the limit to those who read is ignored",
            &["rwlock::reader_limit_is_enforced"],
        ),
        mutant(
            "what-is-granted-is-for-ever",
            Flaw::GrantIsForEver,
            "what was granted waits for that one to be polled, whoever else is there",
            &["rwlock::granted_but_unpolled_does_not_block_its_own_task"],
        ),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    #[cfg(test)]
    None,
    ReadersExclude,
    ReaderIgnoresWriter,
    ReaderPassesQueue,
    LastComesFirst,
    CancelLetsNobodyIn,
    DowngradeUnlocks,
    UpgradableExcludes,
    UpgradeLetsGo,
    NoLimit,
    GrantIsForEver,
}

/// A subject that has nothing but this lock.
struct WithRwLock {
    name: &'static str,
    flaw: Flaw,
}

impl WithRwLock {
    fn lock(&self, limit: usize) -> Option<Arc<dyn RwLockSubject>> {
        Some(Arc::new(Lock {
            flaw: self.flaw,
            limit,
            state: Mutex::default(),
        }))
    }
}

impl Subject for WithRwLock {
    fn name(&self) -> &str {
        self.name
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::FifoRwLock,
            Promise::Downgrade,
            Promise::UpgradableRead,
            Promise::ReaderLimit,
        ]
    }

    fn new_rwlock(&self) -> Option<Arc<dyn RwLockSubject>> {
        self.lock(usize::MAX)
    }

    fn new_rwlock_with_limit(&self, readers: usize) -> Option<Arc<dyn RwLockSubject>> {
        self.lock(readers)
    }
}

struct Lock {
    flaw: Flaw,
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many read, but for the one that does so upgradably.
    readers: usize,
    upgradable: bool,
    writer: bool,
    queue: VecDeque<Entry>,
    /// Who was let in and has not been polled since.
    granted: Vec<Entry>,
    last: u64,
    /// What the lock protects; who reads shares it, who writes puts in another.
    list: Arc<Vec<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Read,
    Upgradable,
    Write,
    /// To write, by who reads upgradably.
    Upgrade,
}

struct Entry {
    id: u64,
    way: Way,
    waker: Waker,
}

impl State {
    /// Lets one in, who fits.
    fn enter(&mut self, way: Way) {
        match way {
            Way::Read => self.readers += 1,
            Way::Upgradable => self.upgradable = true,
            Way::Write => self.writer = true,
            Way::Upgrade => (self.upgradable, self.writer) = (false, true),
        }
    }

    fn leave(&mut self, way: Way) {
        match way {
            Way::Read => self.readers -= 1,
            Way::Upgradable => self.upgradable = false,
            Way::Write | Way::Upgrade => self.writer = false,
        }
    }
}

fn take_out(entries: &mut VecDeque<Entry>, id: u64) -> Option<Entry> {
    let place = entries.iter().position(|entry| entry.id == id)?;
    entries.remove(place)
}

impl Lock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one could go on beside those who are inside.
    fn fits(&self, state: &State, way: Way) -> bool {
        let reads = state.readers + usize::from(state.upgradable);
        let below_limit = reads < self.limit || self.flaw == Flaw::NoLimit;
        match way {
            Way::Read => {
                let in_the_way = match self.flaw {
                    Flaw::ReadersExclude => reads > 0,
                    Flaw::UpgradableExcludes => state.upgradable,
                    _ => false,
                };
                !state.writer && below_limit && !in_the_way
            }
            Way::Upgradable => !state.writer && !state.upgradable && below_limit,
            Way::Write => !state.writer && reads == 0,
            Way::Upgrade => state.readers == 0,
        }
    }

    /// Whether one that comes now gets in at once.
    fn fits_now(&self, state: &State, way: Way) -> bool {
        let passes = match self.flaw {
            Flaw::ReaderPassesQueue => way == Way::Read,
            _ => way == Way::Upgrade,
        };
        let ignores = self.flaw == Flaw::ReaderIgnoresWriter && way == Way::Read;
        (state.queue.is_empty() || passes)
            && (self.fits(state, way) || (ignores && state.queue.is_empty()))
    }

    /// Lets in the first ones, as long as they fit, and returns their wakers.
    fn grant(&self, state: &mut State) -> Vec<Waker> {
        let mut wakers = Vec::new();
        loop {
            let last_first = self.flaw == Flaw::LastComesFirst;
            let next = match last_first {
                true => state.queue.back(),
                false => state.queue.front(),
            };
            let way = next.map(|entry| entry.way);
            if !way.is_some_and(|way| self.fits(state, way)) {
                return wakers;
            }
            let next = match last_first {
                true => state.queue.pop_back(),
                false => state.queue.pop_front(),
            };
            if let Some(entry) = next {
                state.enter(entry.way);
                wakers.push(entry.waker.clone());
                state.granted.push(entry);
            }
        }
    }

    fn leave(&self, way: Way) {
        let mut state = self.state();
        state.leave(way);
        let wakers = self.grant(&mut state);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn part(&self, state: &State, way: Way) -> Part<'_> {
        Part {
            lock: self,
            way,
            list: Arc::clone(&state.list),
        }
    }

    fn try_enter(&self, way: Way) -> Option<Part<'_>> {
        let mut state = self.state();
        if !self.fits_now(&state, way) {
            return None;
        }
        state.enter(way);
        Some(self.part(&state, way))
    }

    fn wait(&self, way: Way) -> Wait<'_> {
        Wait {
            lock: self,
            way,
            ticket: None,
            done: false,
        }
    }
}

impl RwLockSubject for Lock {
    fn read<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, Reading<'a>>
    where
        'a: 't,
        Self: 't,
    {
        mapped(self.wait(Way::Read), |part| Box::new(part) as Reading<'a>)
    }

    fn write<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, Writing<'a>>
    where
        'a: 't,
        Self: 't,
    {
        mapped(self.wait(Way::Write), |part| Box::new(part) as Writing<'a>)
    }

    fn upgradable_read<'a>(&'a self, _: &'a DynIo) -> Option<BoxFuture<'a, Upgradable<'a>>> {
        Some(mapped(self.wait(Way::Upgradable), |part| {
            Box::new(part) as Upgradable<'a>
        }))
    }

    fn try_read(&self) -> Option<Reading<'_>> {
        Some(Box::new(self.try_enter(Way::Read)?))
    }

    fn try_write(&self) -> Option<Writing<'_>> {
        Some(Box::new(self.try_enter(Way::Write)?))
    }

    fn try_upgradable_read(&self) -> Option<Upgradable<'_>> {
        Some(Box::new(self.try_enter(Way::Upgradable)?))
    }

    fn waiter_count(&self) -> Option<usize> {
        Some(self.state().queue.len())
    }
}

struct Wait<'a> {
    lock: &'a Lock,
    way: Way,
    ticket: Option<u64>,
    /// Whether it has returned its guard.
    done: bool,
}

impl<'a> Future for Wait<'a> {
    type Output = Part<'a>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Part<'a>> {
        let lock = self.lock;
        let mut waker = cx.waker().clone();
        let mut guard = lock.state();
        let state = &mut *guard;
        let id = match self.ticket {
            Some(id) => id,
            None if lock.fits_now(state, self.way) => {
                state.enter(self.way);
                self.done = true;
                return Poll::Ready(lock.part(state, self.way));
            }
            None => {
                state.last += 1;
                let (id, way, waker) = (state.last, self.way, waker.clone());
                let entry = Entry { id, way, waker };
                match way {
                    Way::Upgrade => state.queue.push_front(entry),
                    _ => state.queue.push_back(entry),
                }
                self.ticket = Some(id);
                id
            }
        };
        let mut wakers = Vec::new();
        if let Some(own) = state.queue.iter_mut().find(|entry| entry.id == id) {
            mem::swap(&mut own.waker, &mut waker);
            let task = own.waker.clone();
            // What its own task has left goes back into the queue, behind it.
            let mut left = Vec::new();
            for entry in mem::take(&mut state.granted) {
                let of_this_task = entry.way != Way::Upgrade && entry.waker.will_wake(&task);
                match of_this_task && lock.flaw != Flaw::GrantIsForEver {
                    true => left.push(entry),
                    false => state.granted.push(entry),
                }
            }
            if !left.is_empty() {
                let own = take_out(&mut state.queue, id);
                for entry in left {
                    state.leave(entry.way);
                    state.queue.push_front(entry);
                }
                own.into_iter().for_each(|own| state.queue.push_front(own));
            }
            wakers = lock.grant(state);
        }
        let place = state.granted.iter().position(|entry| entry.id == id);
        let own = place.map(|place| state.granted.swap_remove(place));
        let part = own.is_some().then(|| lock.part(state, self.way));
        drop(guard);
        drop(own);
        wakers.into_iter().for_each(Waker::wake);
        match part {
            Some(part) => {
                self.done = true;
                Poll::Ready(part)
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let lock = self.lock;
        let mut state = lock.state();
        let queued = self.ticket.and_then(|id| take_out(&mut state.queue, id));
        let granted = state
            .granted
            .iter()
            .position(|entry| Some(entry.id) == self.ticket);
        let granted = granted.map(|place| state.granted.swap_remove(place));
        if granted.is_some() {
            state.leave(self.way);
        } else if self.way == Way::Upgrade {
            state.leave(Way::Upgradable);
        }
        let wakers = match lock.flaw {
            Flaw::CancelLetsNobodyIn if queued.is_some() => Vec::new(),
            _ => lock.grant(&mut state),
        };
        drop(state);
        drop((queued, granted));
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// A guard of any way.
struct Part<'a> {
    lock: &'a Lock,
    way: Way,
    list: Arc<Vec<u64>>,
}

impl<'a> Part<'a> {
    /// Goes on in another way, of which the lock's state knows.
    fn turned(mut self, way: Way) -> Self {
        self.way = way;
        self
    }

    /// Gives up what it had without leaving.
    fn forgotten(mut self) -> &'a Lock {
        self.list = Arc::default();
        let lock = self.lock;
        mem::forget(self);
        lock
    }
}

impl Deref for Part<'_> {
    type Target = Vec<u64>;

    fn deref(&self) -> &Vec<u64> {
        &self.list
    }
}

impl DerefMut for Part<'_> {
    fn deref_mut(&mut self) -> &mut Vec<u64> {
        Arc::make_mut(&mut self.list)
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if matches!(self.way, Way::Write | Way::Upgrade) {
            self.lock.state().list = Arc::clone(&self.list);
        }
        self.lock.leave(self.way);
    }
}

impl<'a> WriteGuard<'a> for Part<'a> {
    fn downgrade(self: Box<Self>) -> Option<Reading<'a>> {
        let lock = self.lock;
        let mut state = lock.state();
        state.list = Arc::clone(&self.list);
        state.leave(Way::Write);
        let mut wakers = Vec::new();
        if lock.flaw == Flaw::DowngradeUnlocks {
            wakers = lock.grant(&mut state);
        }
        state.enter(Way::Read);
        wakers.extend(lock.grant(&mut state));
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        Some(Box::new(self.turned(Way::Read)))
    }
}

impl<'a> UpgradableGuard<'a> for Part<'a> {
    fn upgrade(self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, Writing<'a>> {
        let lock = self.lock;
        let way = match lock.flaw {
            Flaw::UpgradeLetsGo => {
                drop(self);
                Way::Write
            }
            _ => {
                self.forgotten();
                Way::Upgrade
            }
        };
        mapped(lock.wait(way), |part| Box::new(part) as Writing<'a>)
    }

    fn try_upgrade(self: Box<Self>) -> Result<Writing<'a>, Upgradable<'a>> {
        let mut state = self.lock.state();
        if !self.lock.fits_now(&state, Way::Upgrade) {
            drop(state);
            return Err(self);
        }
        state.enter(Way::Upgrade);
        drop(state);
        Ok(Box::new(self.turned(Way::Upgrade)))
    }
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
    fn without_a_flaw_it_keeps_the_laws() {
        let report = Suite::new()
            .subject(WithRwLock {
                name: "without a flaw",
                flaw: Flaw::None,
            })
            .backend(TokioCurrentThread)
            .backend(OnThreads)
            .filter("rwlock::")
            .run();
        let passes = |outcome: &Outcome| matches!(outcome, Outcome::Passed);
        assert!(
            report
                .results()
                .iter()
                .all(|result| passes(&result.outcome)),
            "{report}"
        );
    }
}
