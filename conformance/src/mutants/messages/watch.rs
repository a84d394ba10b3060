//! The Watch.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use super::{Flaw, Flawed, Line, lock, wake};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{WatchReceiver, WatchSender};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "third-value-is-lost",
        Flaw::LosesTheThird,
        "every third value wakes the receivers and is not stored",
        &["watch::latest_value_wins"],
    ),
    (
        "change-is-seen-twice",
        Flaw::ChangeIsSeenTwice,
        "`changed` does not take the change as seen",
        &["watch::change_is_seen_once"],
    ),
    (
        "waits-for-the-next",
        Flaw::WaitsForTheNext,
        "`changed` waits for a change after its first poll",
        &["watch::no_lost_change_between_check_and_wait"],
    ),
    (
        "readers-go-first",
        Flaw::ReadersGoFirst,
        "a sender waits for a moment at which nobody looks at the value",
        &["watch::readers_do_not_stop_a_sender"],
    ),
    (
        "closed-forgets",
        Flaw::ClosedForgets,
        "the value goes with the sender",
        &["watch::closed_still_shows_last"],
    ),
];

pub(super) fn new(flaw: Flaw) -> Box<dyn WatchSender> {
    Box::new(Sender(Arc::new(Shared {
        flaw,
        state: Mutex::default(),
        shown: AtomicU64::new(0),
        looking: AtomicUsize::new(0),
    })))
}

struct Shared {
    flaw: Flaw,
    state: Mutex<State>,
    /// The value once more, so that a task that looks at it takes no lock.
    shown: AtomicU64,
    /// How many look at the value, for [`Flaw::ReadersGoFirst`].
    looking: AtomicUsize,
}

#[derive(Default)]
struct State {
    value: u64,
    version: u64,
    closed: bool,
    waiting: Line,
}

struct Sender(Arc<Shared>);

impl WatchSender for Sender {
    fn send(&self, value: u64) {
        while self.0.looking.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
        let mut state = lock(&self.0.state);
        state.version += 1;
        if self.0.flaw != Flaw::LosesTheThird || state.version % 3 != 0 {
            state.value = value;
            self.0.shown.store(value, Ordering::SeqCst);
        }
        let wakers = state.waiting.all();
        drop(state);
        wake(wakers);
    }

    fn subscribe(&self) -> Box<dyn WatchReceiver> {
        Box::new(Receiver {
            seen: lock(&self.0.state).version,
            ticket: None,
            shared: Arc::clone(&self.0),
        })
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.closed = true;
        if self.0.flaw == Flaw::ClosedForgets {
            state.value = 0;
            self.0.shown.store(0, Ordering::SeqCst);
        }
        let wakers = state.waiting.all();
        drop(state);
        wake(wakers);
    }
}

struct Receiver {
    seen: u64,
    /// Of the wait that is under way, or was dropped.
    ticket: Option<u64>,
    shared: Arc<Shared>,
}

impl Receiver {
    fn leave(&mut self) {
        let mut state = lock(&self.shared.state);
        let waker = state.waiting.leave(&mut self.ticket);
        drop(state);
        drop(waker);
    }

    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let waker = cx.waker().clone();
        let mut state = lock(&self.shared.state);
        if self.shared.flaw == Flaw::WaitsForTheNext && self.ticket.is_none() && !state.closed {
            self.seen = state.version;
        }
        let changed = self.seen != state.version;
        if !changed && !state.closed {
            let old = state.waiting.stand(&mut self.ticket, (), waker);
            drop(state);
            drop(old);
            return Poll::Pending;
        }
        if self.shared.flaw != Flaw::ChangeIsSeenTwice {
            self.seen = state.version;
        }
        drop(state);
        self.leave();
        Poll::Ready(changed)
    }
}

impl WatchReceiver for Receiver {
    fn changed<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, bool> {
        self.leave();
        Box::pin(poll_fn(|cx| self.poll_changed(cx)))
    }

    fn into_changed<'a>(mut self: Box<Self>, _: &'a DynIo) -> BoxFuture<'a, bool> {
        Box::pin(poll_fn(move |cx| self.poll_changed(cx)))
    }

    fn get(&self) -> u64 {
        if self.shared.flaw != Flaw::ReadersGoFirst {
            return self.shared.shown.load(Ordering::SeqCst);
        }
        self.shared.looking.fetch_add(1, Ordering::SeqCst);
        let value = self.shared.shown.load(Ordering::SeqCst);
        (0..100).for_each(|_| std::hint::spin_loop());
        self.shared.looking.fetch_sub(1, Ordering::SeqCst);
        value
    }

    fn get_and_see(&mut self) -> u64 {
        let state = lock(&self.shared.state);
        self.seen = state.version;
        state.value
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.leave();
    }
}
