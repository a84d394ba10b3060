//! A small Mutex with a flaw, or with none.

use std::collections::VecDeque;
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
use crate::subject::{Guard, MappedGuard, MutexSubject, Promise, Subject, boxed_guard};

pub(super) fn all() -> Vec<Mutant> {
    let mutant = |name, flaw, what, killed_by| Mutant {
        name,
        flaw: what,
        what: Broken::Subject(Arc::new(WithLock { name, flaw })),
        killed_by,
    };
    vec![
        mutant(
            "two-hold-the-lock",
            Flaw::TwoHoldIt,
            "a wait that finds nobody queued takes a lock that is held",
            &["mutex::excludes"],
        ),
        mutant(
            "panic-keeps-the-lock",
            Flaw::PanicKeepsIt,
            "a guard that is dropped by a panic does not unlock",
            &["mutex::unlocks_on_drop_and_unwind"],
        ),
        mutant(
            "try-lock-leaves-a-ghost",
            Flaw::TryLockQueues,
            "try_lock on a held lock leaves a waiter in the queue that nobody polls",
            &["mutex::try_lock_never_waits"],
        ),
        mutant(
            "last-in-first-out",
            Flaw::LastInFirstOut,
            "an unlock hands the lock to who came last",
            &["mutex::is_fifo"],
        ),
        mutant(
            "unlock-lets-anybody-in",
            Flaw::UnlockFrees,
            "an unlock frees the lock and wakes the first, and whoever polls next has it",
            &["mutex::starves_nobody", "mutex::no_barging_past_a_queue"],
        ),
        mutant(
            "a-grant-is-for-ever",
            Flaw::GrantIsForEver,
            "a lock that was handed over waits for that one to be polled, whoever else is there",
            &["mutex::granted_but_unpolled_does_not_block_its_own_task"],
        ),
        mutant(
            "owned-guard-keeps-the-lock-for-ever",
            Flaw::OwnedGuardLeaks,
            "a guard that owns a share of the lock does not let go of it",
            &["mutex::owned_guard_keeps_the_lock_alive"],
        ),
        mutant(
            "mapped-guard-unlocks-twice",
            Flaw::MappedUnlocksTwice,
            "a mapped guard unlocks, and so does the guard that it was made of",
            &["mutex::mapped_guard_unlocks_once"],
        ),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    #[cfg(test)]
    None,
    TwoHoldIt,
    PanicKeepsIt,
    TryLockQueues,
    LastInFirstOut,
    UnlockFrees,
    GrantIsForEver,
    OwnedGuardLeaks,
    MappedUnlocksTwice,
}

/// A subject that has nothing but this lock.
pub(super) struct WithLock {
    pub(super) name: &'static str,
    pub(super) flaw: Flaw,
}

impl Subject for WithLock {
    fn name(&self) -> &str {
        self.name
    }

    fn promises(&self) -> &[Promise] {
        &[
            Promise::FifoMutex,
            Promise::MappedMutexGuard,
            Promise::OwnedMutexGuard,
        ]
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Some(Arc::new(Lock {
            flaw: self.flaw,
            state: Mutex::default(),
        }))
    }
}

struct Lock {
    flaw: Flaw,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: bool,
    /// Who was handed the lock and has not been polled since.
    seated: Option<(u64, Waker)>,
    queue: VecDeque<(u64, Waker)>,
    last: u64,
    /// What the lock protects; its holder has it.
    list: Vec<u64>,
}

impl State {
    fn take_out(&mut self, id: u64) -> Option<(u64, Waker)> {
        let place = self.queue.iter().position(|(known, _)| *known == id)?;
        self.queue.remove(place)
    }
}

impl Lock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard<L: Deref<Target = Self>>(lock: L, state: &mut State) -> ListGuard<L> {
        state.held = true;
        ListGuard {
            lock,
            list: mem::take(&mut state.list),
        }
    }

    fn unlock(&self) {
        let mut state = self.state();
        let next = match self.flaw {
            Flaw::UnlockFrees => {
                state.held = false;
                let first = state.queue.front().map(|(_, waker)| waker.clone());
                drop(state);
                first.into_iter().for_each(Waker::wake);
                return;
            }
            Flaw::LastInFirstOut => state.queue.pop_back(),
            _ => state.queue.pop_front(),
        };
        state.held = next.is_some();
        let waker = next.as_ref().map(|(_, waker)| waker.clone());
        state.seated = next;
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl MutexSubject for Lock {
    fn lock<'a, 't>(&'a self, _: &'a DynIo) -> BoxFuture<'t, Guard<'a>>
    where
        'a: 't,
        Self: 't,
    {
        boxed_guard(Wait {
            lock: self,
            ticket: None,
        })
    }

    fn try_lock(&self) -> Option<Guard<'_>> {
        let mut state = self.state();
        if !state.held {
            return Some(Box::new(Self::guard(self, &mut state)));
        }
        if self.flaw == Flaw::TryLockQueues {
            state.queue.push_back((0, Waker::noop().clone()));
        }
        None
    }

    fn lock_owned(self: Arc<Self>, _: DynIo) -> Option<BoxFuture<'static, Guard<'static>>> {
        if self.flaw == Flaw::OwnedGuardLeaks {
            mem::forget(Arc::clone(&self));
        }
        Some(boxed_guard(Wait {
            lock: self,
            ticket: None,
        }))
    }

    fn try_lock_mapped(&self, part: fn(&mut Vec<u64>) -> &mut u64) -> Option<MappedGuard<'_>> {
        let mut state = self.state();
        if state.held {
            return None;
        }
        let mut guard = Self::guard(self, &mut state);
        drop(state);
        let shown = *part(&mut guard.list);
        Some(Box::new(Mapped { guard, part, shown }))
    }
}

struct Wait<L: Deref<Target = Lock>> {
    lock: L,
    ticket: Option<u64>,
}

impl<L: Deref<Target = Lock> + Clone + Unpin> Future for Wait<L> {
    type Output = ListGuard<L>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ListGuard<L>> {
        let lock = self.lock.clone();
        let mut waker = cx.waker().clone();
        let mut state = lock.state();
        let queue_is_empty = state.queue.is_empty();
        let seat = state.seated.as_ref();
        let seated_here = self.ticket.is_some() && seat.map(|(id, _)| *id) == self.ticket;
        let own_task = seat.is_some_and(|(_, known)| known.will_wake(&waker));

        let free = !state.held || (lock.flaw == Flaw::TwoHoldIt && queue_is_empty);
        let unseats = own_task && lock.flaw != Flaw::GrantIsForEver;
        if free || seated_here || unseats {
            let own = self.ticket.take().and_then(|id| state.take_out(id));
            let seated = state.seated.take();
            let spare = match seated_here {
                true => seated,
                false => {
                    seated.into_iter().for_each(|it| state.queue.push_front(it));
                    None
                }
            };
            let guard = Lock::guard(lock.clone(), &mut state);
            drop(state);
            drop((own, spare));
            return Poll::Ready(guard);
        }
        let queued = state
            .queue
            .iter_mut()
            .find(|(id, _)| Some(*id) == self.ticket);
        if let Some((_, known)) = queued {
            mem::swap(known, &mut waker);
        } else {
            state.last += 1;
            self.ticket = Some(state.last);
            let id = state.last;
            state.queue.push_back((id, waker.clone()));
        }
        drop(state);
        Poll::Pending
    }
}

impl<L: Deref<Target = Lock>> Drop for Wait<L> {
    fn drop(&mut self) {
        let Some(own) = self.ticket else {
            return;
        };
        let mut state = self.lock.state();
        let gone = state.take_out(own);
        let seated = state.seated.take_if(|(id, _)| *id == own);
        drop(state);
        drop(gone);
        if seated.is_some() {
            self.lock.unlock();
        }
    }
}

struct ListGuard<L: Deref<Target = Lock>> {
    lock: L,
    list: Vec<u64>,
}

impl<L: Deref<Target = Lock>> Deref for ListGuard<L> {
    type Target = Vec<u64>;

    fn deref(&self) -> &Vec<u64> {
        &self.list
    }
}

impl<L: Deref<Target = Lock>> DerefMut for ListGuard<L> {
    fn deref_mut(&mut self) -> &mut Vec<u64> {
        &mut self.list
    }
}

impl<L: Deref<Target = Lock>> Drop for ListGuard<L> {
    fn drop(&mut self) {
        if self.lock.flaw == Flaw::PanicKeepsIt && thread::panicking() {
            return;
        }
        self.lock.state().list = mem::take(&mut self.list);
        self.lock.unlock();
    }
}

/// A guard that shows a part: a copy, which is put back in the end.
struct Mapped<'a> {
    guard: ListGuard<&'a Lock>,
    part: fn(&mut Vec<u64>) -> &mut u64,
    shown: u64,
}

impl Deref for Mapped<'_> {
    type Target = u64;

    fn deref(&self) -> &u64 {
        &self.shown
    }
}

impl DerefMut for Mapped<'_> {
    fn deref_mut(&mut self) -> &mut u64 {
        &mut self.shown
    }
}

impl Drop for Mapped<'_> {
    fn drop(&mut self) {
        *(self.part)(&mut self.guard.list) = self.shown;
        if self.guard.lock.flaw == Flaw::MappedUnlocksTwice {
            self.guard.lock.unlock();
        }
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
            .subject(WithLock {
                name: "without a flaw",
                flaw: Flaw::None,
            })
            .backend(TokioCurrentThread)
            .backend(OnThreads)
            .filter("mutex::")
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
