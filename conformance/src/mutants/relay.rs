//! A Mutex and a Semaphore that hand over: what comes free is granted to the first wait
//! in the queue, which comes for it at its next poll. They are sound, or have one flaw
//! each in what becomes of a grant that no wait comes for.
//!
//! The sound one: a wait that meets a grant at its poll watches it, if no other wait
//! does, and wakes itself. When the same wait has met the same grant at [`LOOKS`] of
//! its polls, the grant is passed to the next in the queue, and the wait that did not
//! come keeps its place, but is passed over until it is polled.

use std::future::Future;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use super::{Broken, Mutant};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{
    Closed, Guard, HeldPermits, MutexSubject, NoPermits, Permits, Promise, SemaphoreSubject,
    Subject, TooMany, boxed_guard, mapped,
};

/// How many polls of one wait a grant outlives.
const LOOKS: usize = 4_000;
/// After so many of them the thread lets others have the processor: the one that was
/// granted something may need it to come.
const GLANCES: usize = 100;

/// The largest number of permits.
const LIMIT: usize = usize::MAX / 4;

/// How many grants are remembered by [`Flaw::LooksAtTheLatest`].
const REMEMBERED: u64 = 64;

pub(super) fn all() -> Vec<Mutant> {
    let flawed = |flawed: &(&'static str, Flaw, &'static str, &'static [&'static str])| {
        let (name, flaw, what, killed_by) = *flawed;
        Mutant {
            name,
            flaw: what,
            what: Broken::Subject(Arc::new(WithRelay { name, flaw })),
            killed_by,
        }
    };
    FLAWS.iter().map(flawed).collect()
}

const FLAWS: &[(&str, Flaw, &str, &[&str])] = &[
    (
        "grant-goes-to-who-is-polled",
        Flaw::TakesOver,
        "what is granted to a wait is taken by the first wait with the same waker that is polled",
        &[
            "any::siblings_take_turns",
            "any::a_task_of_many_waits_takes_no_more_than_its_shares",
            "any::noop_waker_is_nobody",
        ],
    ),
    (
        "grant-waits-for-ever",
        Flaw::WaitsForEver,
        "what is granted to a wait is kept for it, for ever",
        &["any::abandoned_win_goes_on", "any::kept_wait_stops_no_task"],
    ),
    (
        "grant-goes-on-in-the-task",
        Flaw::OnlyInTheTask,
        "what nobody comes for is passed on by waits with the same waker alone",
        &["any::abandoned_win_goes_on", "any::kept_wait_stops_no_task"],
    ),
    (
        "old-grants-are-forgotten",
        Flaw::LooksAtTheLatest,
        "only the latest 64 grants are looked at",
        &["any::abandoned_win_goes_on"],
    ),
    (
        "watcher-falls-asleep",
        Flaw::WatcherSleeps,
        "a wait that meets a grant does not wake itself",
        &["any::abandoned_win_goes_on"],
    ),
    (
        "watcher-is-gone",
        Flaw::WatcherStays,
        "a grant is watched by one wait, also when that is dropped",
        &["any::kept_wait_stops_no_task"],
    ),
    (
        "one-look-is-enough",
        Flaw::OneLook,
        "a grant that is met once is passed on",
        &["any::siblings_take_turns", "any::noop_waker_is_nobody"],
    ),
    (
        "task-keeps-it",
        Flaw::StaysInTheTask,
        "what comes free goes to a wait of the task that had it, if there is one",
        &["any::a_task_of_many_waits_takes_no_more_than_its_shares"],
    ),
    (
        "rests-at-times",
        Flaw::RestsAtTimes,
        "one in 128 waits that could go on asks for another turn of the executor first",
        &["any::ready_wait_needs_no_executor"],
    ),
    (
        "nobody-is-a-task",
        Flaw::NobodyIsATask,
        "what is granted to a wait with a waker that does nothing is taken by another such wait",
        &["any::noop_waker_is_nobody"],
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    #[cfg(test)]
    None,
    LooksAtTheLatest,
    NobodyIsATask,
    OneLook,
    OnlyInTheTask,
    RestsAtTimes,
    StaysInTheTask,
    TakesOver,
    WaitsForEver,
    WatcherSleeps,
    WatcherStays,
}

/// A subject that has nothing but these.
struct WithRelay {
    name: &'static str,
    flaw: Flaw,
}

impl Subject for WithRelay {
    fn name(&self) -> &str {
        self.name
    }

    fn promises(&self) -> &[Promise] {
        &[Promise::FifoMutex, Promise::AcquireMany]
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Some(Arc::new(List {
            relay: Relay::new(1, self.flaw),
            list: Mutex::default(),
        }))
    }

    fn new_semaphore(&self, permits: usize) -> Option<Arc<dyn SemaphoreSubject>> {
        Some(Arc::new(Relay::new(permits, self.flaw)))
    }
}

struct Relay {
    flaw: Flaw,
    state: Mutex<State>,
}

struct State {
    free: usize,
    /// In the order in which they came, also those that were granted what they want.
    waits: Vec<Place>,
    last: u64,
    /// How many polls there have been, for [`Flaw::RestsAtTimes`].
    polls: u64,
    /// How many grants there have been.
    grants: u64,
    /// The task that had something last, for [`Flaw::StaysInTheTask`].
    latest: Option<Waker>,
}

struct Place {
    id: u64,
    wants: usize,
    waker: Waker,
    stands: Stands,
}

enum Stands {
    Waiting,
    /// Was passed over, and has not been polled since.
    Passed,
    Granted {
        number: u64,
        /// The wait that watches, and how often it has met the grant.
        watched: Option<(u64, usize)>,
    },
}

impl State {
    /// Grants what is free, from the front; the wakers are to be woken without the lock.
    fn hand_out(&mut self, flaw: Flaw) -> Vec<Waker> {
        let mut woken = Vec::new();
        if self.free == 0 {
            return woken;
        }
        while let Some(next) = self.next(flaw) {
            let place = &mut self.waits[next];
            let Some(left) = self.free.checked_sub(place.wants) else {
                break;
            };
            self.free = left;
            self.grants += 1;
            place.stands = Stands::Granted {
                number: self.grants,
                watched: None,
            };
            woken.push(place.waker.clone());
        }
        woken
    }

    fn next(&self, flaw: Flaw) -> Option<usize> {
        let waits = |place: &Place| matches!(place.stands, Stands::Waiting);
        if let (Flaw::StaysInTheTask, Some(task)) = (flaw, &self.latest) {
            let of_task = |place: &Place| waits(place) && place.waker.will_wake(task);
            let own = self.waits.iter().position(of_task);
            if own.is_some() {
                return own;
            }
        }
        self.waits.iter().position(waits)
    }

    fn place(&mut self, id: u64) -> Option<usize> {
        // None ever changes its place.
        self.waits.binary_search_by_key(&id, |place| place.id).ok()
    }

    /// Takes out a wait that was granted what it wants.
    fn claim(&mut self, id: u64) -> Option<Place> {
        let place = self.place(id)?;
        match self.waits[place].stands {
            Stands::Granted { .. } => Some(self.waits.remove(place)),
            _ => None,
        }
    }

    /// Looks at the grants of others, in the name of a wait. Returns how often it has met
    /// the one that it watches.
    fn look(&mut self, flaw: Flaw, id: u64, waker: &Waker) -> Option<usize> {
        let newest = self.grants;
        for place in &mut self.waits {
            let Stands::Granted { number, watched } = &mut place.stands else {
                continue;
            };
            let same_task = place.waker.will_wake(waker);
            let ignores = match flaw {
                Flaw::WaitsForEver => true,
                Flaw::OnlyInTheTask => !same_task,
                Flaw::LooksAtTheLatest => *number + REMEMBERED <= newest,
                _ => false,
            };
            if ignores || watched.is_some_and(|(other, _)| other != id) {
                continue;
            }
            let looks = watched.map_or(0, |(_, looks)| looks) + 1;
            *watched = Some((id, looks));
            let at_once = match flaw {
                Flaw::OneLook => true,
                Flaw::TakesOver => same_task,
                Flaw::NobodyIsATask => same_task && waker.data().is_null(),
                _ => false,
            };
            if at_once || looks >= LOOKS {
                place.stands = match at_once && flaw != Flaw::OneLook {
                    true => Stands::Waiting,
                    false => Stands::Passed,
                };
                self.free += place.wants;
                if at_once && flaw != Flaw::OneLook {
                    self.take_over(id);
                }
            }
            return Some(looks);
        }
        None
    }

    /// Grants a wait what it wants, whichever wait is before it.
    fn take_over(&mut self, id: u64) {
        let place = self.place(id).expect("it is queued");
        self.free -= self.waits[place].wants;
        self.waits[place].stands = Stands::Granted {
            number: self.grants,
            watched: None,
        };
    }
}

impl Relay {
    fn new(free: usize, flaw: Flaw) -> Self {
        assert!(free <= LIMIT, "{free} permits are too many");
        Self {
            flaw,
            state: Mutex::new(State {
                free,
                waits: Vec::new(),
                last: 0,
                polls: 0,
                grants: 0,
                latest: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let output = change(&mut state);
        let woken = state.hand_out(self.flaw);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        output
    }

    fn wait(&self, wants: usize) -> Acquire<'_> {
        Acquire {
            relay: self,
            wants,
            ticket: None,
        }
    }

    fn try_take(&self, wants: usize) -> Option<Held<'_>> {
        let mut state = self.state();
        if state.next(self.flaw).is_some() {
            return None;
        }
        state.free = state.free.checked_sub(wants)?;
        Some(Held {
            relay: self,
            count: wants,
        })
    }
}

struct Acquire<'a> {
    relay: &'a Relay,
    wants: usize,
    ticket: Option<u64>,
}

impl<'a> Future for Acquire<'a> {
    type Output = Held<'a>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Held<'a>> {
        let (relay, wants, flaw) = (self.relay, self.wants, self.relay.flaw);
        let mut waker = cx.waker().clone();
        let mut state = relay.state();
        if flaw == Flaw::RestsAtTimes {
            state.polls += 1;
            if state.polls % 128 == 0 {
                drop(state);
                waker.wake();
                return Poll::Pending;
            }
        }
        let place = self.ticket.and_then(|id| state.place(id));
        let id = match place {
            Some(place) => {
                let known = &mut state.waits[place];
                mem::swap(&mut known.waker, &mut waker);
                if let Stands::Passed = known.stands {
                    known.stands = Stands::Waiting;
                }
                known.id
            }
            None => {
                state.last += 1;
                let id = state.last;
                state.waits.push(Place {
                    id,
                    wants,
                    waker: waker.clone(),
                    stands: Stands::Waiting,
                });
                id
            }
        };
        self.ticket = Some(id);
        let mut woken = state.hand_out(flaw);
        let mut own = state.claim(id);
        let mut looks = None;
        if own.is_none() {
            looks = state.look(flaw, id, cx.waker());
            woken.extend(state.hand_out(flaw));
            own = state.claim(id);
            if own.is_none() && looks.is_some() && flaw != Flaw::WatcherSleeps {
                woken.push(cx.waker().clone());
            }
        }
        let mut gone = None;
        if own.is_some() {
            gone = state.latest.replace(cx.waker().clone());
        }
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        drop((gone, waker));
        if looks.is_some_and(|looks| looks % GLANCES == 0) {
            thread::yield_now();
        }
        if own.is_none() {
            return Poll::Pending;
        }
        self.ticket = None;
        Poll::Ready(Held {
            relay,
            count: wants,
        })
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        let Some(id) = self.ticket else {
            return;
        };
        let flaw = self.relay.flaw;
        let gone = self.relay.change(|state| {
            let place = state.place(id)?;
            let gone = state.waits.remove(place);
            if let Stands::Granted { .. } = gone.stands {
                state.free += gone.wants;
            }
            if flaw != Flaw::WatcherStays {
                for place in &mut state.waits {
                    if let Stands::Granted { watched, .. } = &mut place.stands {
                        watched.take_if(|(watcher, _)| *watcher == id);
                    }
                }
            }
            Some(gone)
        });
        drop(gone);
    }
}

struct Held<'a> {
    relay: &'a Relay,
    count: usize,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.relay.change(|state| state.free += self.count);
    }
}

impl<'a> HeldPermits<'a> for Held<'a> {
    fn count(&self) -> usize {
        self.count
    }

    fn forget(mut self: Box<Self>) {
        self.count = 0;
    }
}

fn permits(held: Held<'_>) -> Result<Permits<'_>, Closed> {
    Ok(Box::new(held))
}

impl SemaphoreSubject for Relay {
    fn acquire<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, Result<Permits<'a>, Closed>> {
        mapped(self.wait(1), permits)
    }

    fn acquire_many<'a>(
        &'a self,
        _: &'a DynIo,
        n: usize,
    ) -> Option<BoxFuture<'a, Result<Permits<'a>, Closed>>> {
        Some(mapped(self.wait(n), permits))
    }

    fn try_acquire(&self) -> Result<Permits<'_>, NoPermits> {
        let held = self.try_take(1).ok_or(NoPermits::Few)?;
        Ok(Box::new(held))
    }

    fn available(&self) -> usize {
        self.state().free
    }

    fn add(&self, n: usize) -> Result<(), TooMany> {
        self.change(|state| {
            let more = state.free.checked_add(n).filter(|free| *free <= LIMIT);
            state.free = more.ok_or(TooMany)?;
            Ok(())
        })
    }

    fn forget(&self, n: usize) -> Option<usize> {
        let mut state = self.state();
        let gone = n.min(state.free);
        state.free -= gone;
        Some(gone)
    }

    fn limit(&self) -> Option<usize> {
        Some(LIMIT)
    }

    fn waiter_count(&self) -> Option<usize> {
        let granted = |place: &&Place| matches!(place.stands, Stands::Granted { .. });
        let state = self.state();
        Some(state.waits.len() - state.waits.iter().filter(granted).count())
    }
}

/// A list with one permit to change it.
struct List {
    relay: Relay,
    list: Mutex<Vec<u64>>,
}

/// The list, which the holder of the permit takes out.
struct ListGuard<'a> {
    taken: Vec<u64>,
    list: &'a Mutex<Vec<u64>>,
    _held: Held<'a>,
}

impl List {
    fn guard<'a>(&'a self, held: Held<'a>) -> ListGuard<'a> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        ListGuard {
            taken: mem::take(&mut list),
            list: &self.list,
            _held: held,
        }
    }
}

impl MutexSubject for List {
    fn lock<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, Guard<'a>>
    where
        'a: 't,
        Self: 't,
    {
        let wait = self.relay.wait(1);
        boxed_guard(mapped(wait, |held| self.guard(held)))
    }

    fn try_lock(&self) -> Option<Guard<'_>> {
        let held = self.relay.try_take(1)?;
        Some(Box::new(self.guard(held)))
    }

    fn waiter_count(&self) -> Option<usize> {
        SemaphoreSubject::waiter_count(&self.relay)
    }
}

impl Deref for ListGuard<'_> {
    type Target = Vec<u64>;

    fn deref(&self) -> &Vec<u64> {
        &self.taken
    }
}

impl DerefMut for ListGuard<'_> {
    fn deref_mut(&mut self) -> &mut Vec<u64> {
        &mut self.taken
    }
}

impl Drop for ListGuard<'_> {
    fn drop(&mut self) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        *list = mem::take(&mut self.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Suite;
    use crate::backends::sim::Simulated;
    use crate::backends::threads::OnThreads;
    use crate::backends::tokio::{TokioCurrentThread, TokioMultiThread};
    use crate::report::Outcome;

    /// Else a law might kill the mutants for what is no flaw of theirs.
    #[test]
    fn without_a_flaw_they_keep_the_laws() {
        let suite = Suite::new()
            .subject(WithRelay {
                name: "without a flaw",
                flaw: Flaw::None,
            })
            .backend(TokioCurrentThread)
            .backend(TokioMultiThread)
            .backend(Simulated)
            .backend(OnThreads);
        let filters = [
            "semaphore::",
            "mutex::",
            "any::siblings",
            "any::a_task_of_many",
            "any::abandoned",
            "any::kept",
            "any::noop",
        ];
        let report = filters.into_iter().fold(suite, Suite::filter).run();
        let broken = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
        let mut results = report.results().iter();
        assert!(!results.any(|result| broken(&result.outcome)), "{report}");
    }
}
