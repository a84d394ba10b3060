//! A small OnceCell with a flaw, or with none.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use super::{Broken, Mutant};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{Init, InitFailed, OnceCellSubject, SetRefused, Subject, Token, TryInit};

pub(super) fn all() -> Vec<Mutant> {
    let mutant = |name, flaw, what, killed_by| Mutant {
        name,
        flaw: what,
        what: Broken::Subject(Arc::new(WithCell { name, flaw })),
        killed_by,
    };
    vec![
        mutant(
            "everybody-initialises",
            Flaw::EverybodyInitialises,
            "a call does not wait for the initialiser of another, it runs its own",
            &[
                "once_cell::initialises_once",
                "pattern::pool_is_created_once",
            ],
        ),
        mutant(
            "cell-is-ready-too-early",
            Flaw::ReadyTooEarly,
            "it says that it is initialised as soon as an initialiser has begun",
            &["once_cell::get_is_lock_free_and_ordered"],
        ),
        mutant(
            "get-takes-the-lock",
            Flaw::GetTakesTheLock,
            "get waits while an initialiser is being polled",
            &["once_cell::get_is_lock_free_and_ordered"],
        ),
        mutant(
            "panic-keeps-the-turn",
            Flaw::PanicKeepsTheTurn,
            "after an initialiser has panicked, nobody else gets a turn",
            &["once_cell::panicking_init_leaves_it_empty"],
        ),
        mutant(
            "cancel-keeps-the-turn",
            Flaw::CancelKeepsTheTurn,
            "after a call was dropped while it initialised, nobody else gets a turn",
            &["once_cell::cancelled_init_passes_the_turn"],
        ),
        mutant(
            "error-keeps-the-turn",
            Flaw::ErrorKeepsTheTurn,
            "after an initialiser has failed, nobody else gets a turn",
            &["once_cell::failed_init_passes_the_turn"],
        ),
        mutant(
            "set-drops-what-it-refuses",
            Flaw::SetReportsSuccess,
            "set says that it stored the value also when it did not",
            &[
                "once_cell::set_wins_or_gives_back",
                "pattern::config_set_from_outside_wins",
            ],
        ),
        mutant(
            "cancelled-wait-passes-the-turn",
            Flaw::CancelledWaitPassesTheTurn,
            "a call that waits and is dropped ends the turn of the one that initialises",
            &["once_cell::cancelled_waiter_does_not_cancel_init"],
        ),
        mutant(
            "turn-is-for-ever",
            Flaw::TurnIsForEver,
            "a turn waits for the call that has got it, whatever other calls are polled",
            &["once_cell::abandoned_turn_goes_on"],
        ),
        mutant(
            "value-is-leaked",
            Flaw::ValueIsLeaked,
            "a cell does not drop its value",
            &["once_cell::drops_its_value_once"],
        ),
        mutant(
            "reentry-panics",
            Flaw::ReentryPanics,
            "an initialiser that waits for its own cell panics, though it may give the wait up",
            &["once_cell::wait_for_its_own_cell_may_be_bounded"],
        ),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    #[cfg(test)]
    None,
    EverybodyInitialises,
    ReadyTooEarly,
    GetTakesTheLock,
    PanicKeepsTheTurn,
    CancelKeepsTheTurn,
    ErrorKeepsTheTurn,
    SetReportsSuccess,
    CancelledWaitPassesTheTurn,
    ValueIsLeaked,
    ReentryPanics,
    TurnIsForEver,
}

/// A subject that has nothing but this cell.
pub(super) struct WithCell {
    pub(super) name: &'static str,
    pub(super) flaw: Flaw,
}

impl Subject for WithCell {
    fn name(&self) -> &str {
        self.name
    }

    fn new_once_cell(&self) -> Option<Arc<dyn OnceCellSubject>> {
        Some(Arc::new(Cell {
            flaw: self.flaw,
            value: OnceLock::new(),
            state: Mutex::default(),
            polling: Mutex::new(()),
        }))
    }
}

struct Cell {
    flaw: Flaw,
    value: OnceLock<Token>,
    state: Mutex<State>,
    /// Held while an initialiser is polled, by [`Flaw::GetTakesTheLock`].
    polling: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Somebody has the turn: a call that runs its initialiser, or `chosen`.
    busy: bool,
    /// The call that has got the turn and was not polled since.
    chosen: Option<u64>,
    queue: VecDeque<(u64, Waker)>,
    last: u64,
    /// A call that waits, and how often it has met the turn of `chosen`.
    watch: Option<(u64, usize)>,
    /// Who polls an initialiser at this moment.
    inside: Option<(ThreadId, Waker)>,
}

/// How often a call meets the turn of another that does not come, until it takes it.
const LOOKS: usize = 2_000;

impl State {
    /// Whether a call that waits is the one that watches a turn which no call has come
    /// for; it has met it once more then.
    fn meets_a_turn(&mut self, own: u64) -> bool {
        if self.chosen.is_none() {
            return false;
        }
        let queued = |id: u64| self.queue.iter().any(|(known, _)| *known == id);
        let looks = match self.watch {
            Some((by, looks)) if by == own => looks + 1,
            Some((by, _)) if queued(by) => return false,
            _ => 1,
        };
        self.watch = Some((own, looks));
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Begun {
    Ready,
    Turn,
    Waiting,
    Reentered,
}

impl Cell {
    /// A poll of a call that does not run its initialiser.
    fn begin(&self, ticket: &mut Option<u64>, waker: &Waker) -> Begun {
        let mut spare = Some(waker.clone());
        let mut state = lock(&self.state);
        if self.value.get().is_some() {
            return Begun::Ready;
        }
        if !state.busy || self.flaw == Flaw::EverybodyInitialises {
            state.busy = true;
            return Begun::Turn;
        }
        if ticket.is_some() && state.chosen == *ticket {
            state.chosen = None;
            state.watch = None;
            return Begun::Turn;
        }
        let here = thread::current().id();
        let reenters = state
            .inside
            .as_ref()
            .is_some_and(|(thread, outer)| *thread == here && outer.will_wake(waker));
        if reenters && self.flaw == Flaw::ReentryPanics {
            return Begun::Reentered;
        }
        let queued = state.queue.iter_mut().find(|(id, _)| Some(*id) == *ticket);
        if let Some((_, known)) = queued {
            mem::swap(known, spare.as_mut().expect("it was not used"));
        } else {
            state.last += 1;
            let id = state.last;
            *ticket = Some(id);
            state
                .queue
                .push_back((id, spare.take().expect("it was not used")));
        }
        let own = ticket.expect("it is queued");
        if self.flaw == Flaw::TurnIsForEver || !state.meets_a_turn(own) {
            drop(state);
            return Begun::Waiting;
        }
        let takes = state.watch.is_some_and(|(_, looks)| looks >= LOOKS);
        let mut gone = None;
        if takes {
            // The one that did not come queues again when it does.
            state.chosen = None;
            state.watch = None;
            let place = state.queue.iter().position(|(id, _)| *id == own);
            gone = place.and_then(|place| state.queue.remove(place));
        }
        drop(state);
        drop(gone);
        if takes {
            return Begun::Turn;
        }
        waker.wake_by_ref();
        Begun::Waiting
    }

    /// Ends a turn without a value.
    fn pass_on(&self) {
        let mut state = lock(&self.state);
        let next = state.queue.pop_front();
        state.chosen = next.as_ref().map(|(id, _)| *id);
        state.watch = None;
        state.busy = next.is_some();
        drop(state);
        if let Some((_, waker)) = next {
            waker.wake();
        }
    }

    /// Ends a turn with a value.
    fn publish(&self, value: Token) -> &Token {
        let mut state = lock(&self.state);
        let late = self.value.set(value);
        state.busy = false;
        let waiting = mem::take(&mut state.queue);
        drop(state);
        drop(late);
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
        self.value.get().expect("it was just set")
    }

    fn call<'a>(&'a self, init: TryInit<'a>) -> Call<'a> {
        Call {
            cell: self,
            init,
            ticket: None,
            runs: false,
        }
    }
}

impl OnceCellSubject for Cell {
    fn get(&self) -> Option<&Token> {
        if self.flaw == Flaw::GetTakesTheLock {
            drop(lock(&self.polling));
        }
        self.value.get()
    }

    fn is_initialized(&self) -> bool {
        self.value.get().is_some() || (self.flaw == Flaw::ReadyTooEarly && lock(&self.state).busy)
    }

    fn get_or_init<'a, 't>(&'a self, _: &'a DynIo, init: Init<'a>) -> BoxFuture<'t, &'a Token>
    where
        'a: 't,
        Self: 't,
    {
        let mut call = self.call(Box::pin(async { Ok(init.await) }));
        Box::pin(std::future::poll_fn(move |cx| {
            let polled = Pin::new(&mut call).poll(cx);
            polled.map(|result| result.expect("the initialiser cannot fail"))
        }))
    }

    fn get_or_try_init<'a, 't>(
        &'a self,
        _: &'a DynIo,
        init: TryInit<'a>,
    ) -> BoxFuture<'t, Result<&'a Token, InitFailed>>
    where
        'a: 't,
        Self: 't,
    {
        Box::pin(self.call(init))
    }

    fn set(&self, value: Token) -> Result<(), SetRefused> {
        let state = lock(&self.state);
        let refused = if self.value.get().is_some() {
            SetRefused::AlreadyInitialized(value)
        } else if state.busy {
            SetRefused::Initializing(value)
        } else {
            drop(state);
            self.publish(value);
            return Ok(());
        };
        drop(state);
        match self.flaw {
            Flaw::SetReportsSuccess => Ok(()),
            _ => Err(refused),
        }
    }

    fn take(&mut self) -> Option<Token> {
        self.value.take()
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        if self.flaw == Flaw::ValueIsLeaked {
            mem::forget(self.value.take());
        }
    }
}

struct Call<'a> {
    cell: &'a Cell,
    init: TryInit<'a>,
    ticket: Option<u64>,
    runs: bool,
}

impl<'a> Future for Call<'a> {
    type Output = Result<&'a Token, InitFailed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let cell = this.cell;
        if !this.runs {
            match cell.begin(&mut this.ticket, cx.waker()) {
                Begun::Waiting => return Poll::Pending,
                Begun::Reentered => panic!("an initialiser waits for its own cell"),
                Begun::Turn => {}
                Begun::Ready => {
                    return Poll::Ready(Ok(cell.value.get().expect("it is ready")));
                }
            }
        }
        this.runs = false;
        this.ticket = None;
        let turn = Turn(cell);
        let polled = {
            let polling = (cell.flaw == Flaw::GetTakesTheLock).then(|| lock(&cell.polling));
            let outside = lock(&cell.state)
                .inside
                .replace((thread::current().id(), cx.waker().clone()));
            drop(outside);
            let polled = this.init.as_mut().poll(cx);
            lock(&cell.state).inside = None;
            drop(polling);
            polled
        };
        match polled {
            Poll::Pending => {
                mem::forget(turn);
                this.runs = true;
                Poll::Pending
            }
            Poll::Ready(Ok(value)) => {
                mem::forget(turn);
                Poll::Ready(Ok(cell.publish(value)))
            }
            Poll::Ready(Err(error)) => {
                match cell.flaw {
                    Flaw::ErrorKeepsTheTurn => mem::forget(turn),
                    _ => drop(turn),
                }
                Poll::Ready(Err(error))
            }
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let flaw = self.cell.flaw;
        if self.runs {
            // What the initialiser holds goes before somebody else's starts.
            self.init = Box::pin(std::future::pending());
            if flaw != Flaw::CancelKeepsTheTurn {
                self.cell.pass_on();
            }
            return;
        }
        let Some(own) = self.ticket else {
            return;
        };
        let mut state = lock(&self.cell.state);
        let chosen = state.chosen == Some(own);
        let place = state.queue.iter().position(|(id, _)| *id == own);
        let gone = place.and_then(|place| state.queue.remove(place));
        drop(state);
        let queued = gone.is_some();
        drop(gone);
        if chosen || (queued && flaw == Flaw::CancelledWaitPassesTheTurn) {
            self.cell.pass_on();
        }
    }
}

/// Passes the turn on if the initialiser panics.
struct Turn<'a>(&'a Cell);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.state).inside = None;
            if self.0.flaw == Flaw::PanicKeepsTheTurn {
                return;
            }
        }
        self.0.pass_on();
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
            .subject(WithCell {
                name: "without a flaw",
                flaw: Flaw::None,
            })
            .backend(TokioCurrentThread)
            .backend(OnThreads)
            .filter("once_cell::")
            .filter("pattern::pool_is_created_once")
            .filter("pattern::config_set_from_outside_wins")
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
