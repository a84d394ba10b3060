//! The Broadcast.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use super::{Flaw, Flawed, Line, lock, wake};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{BroadcastReceiver, BroadcastSender, Missed, Token};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "first-reader-takes-it",
        Flaw::FirstReaderTakesIt,
        "a message that one receiver has read is gone for the others",
        &["broadcast::everyone_gets_everything_in_order"],
    ),
    (
        "lag-is-one-less",
        Flaw::LagIsOneLess,
        "a receiver that was left behind is told of one message less",
        &["broadcast::lag_is_counted_exactly"],
    ),
    (
        "full-ring-refuses",
        Flaw::FullRefuses,
        "a message is dropped when the slowest receiver leaves no place for it",
        &["broadcast::slow_receiver_blocks_nobody"],
    ),
    (
        "leaves-in-one-go",
        Flaw::LeavesInOneGo,
        "a receiver that goes counts itself off all that it has not read under one lock",
        &[
            "broadcast::lagging_receiver_leaves_at_once",
            "any::inner_lock_is_short",
        ],
    ),
    (
        "keeps-what-was-read",
        Flaw::KeepsWhatWasRead,
        "a message stays until another takes its place",
        &["broadcast::value_dropped_after_last_reader"],
    ),
];

pub(super) fn new(capacity: usize, flaw: Flaw) -> Box<dyn BroadcastSender> {
    let state = State {
        capacity,
        first: 0,
        ring: VecDeque::new(),
        senders: 1,
        receivers: 0,
        waiting: Line::default(),
    };
    Box::new(Sender(Arc::new(Shared {
        flaw,
        state: Mutex::new(state),
    })))
}

struct Shared {
    flaw: Flaw,
    state: Mutex<State>,
}

struct State {
    capacity: usize,
    /// The number of the oldest message in the ring.
    first: u64,
    ring: VecDeque<Slot>,
    senders: usize,
    receivers: usize,
    waiting: Line,
}

struct Slot {
    message: Option<Arc<Token>>,
    /// How many receivers are still to read it.
    unread: usize,
}

impl State {
    fn end(&self) -> u64 {
        self.first + self.ring.len() as u64
    }

    /// One receiver less is to read a slot; what it drops by it.
    fn read(&mut self, place: usize, flaw: Flaw) -> Option<Arc<Token>> {
        let slot = &mut self.ring[place];
        slot.unread -= 1;
        match flaw {
            Flaw::KeepsWhatWasRead => None,
            Flaw::FirstReaderTakesIt => slot.message.take(),
            _ if slot.unread == 0 => slot.message.take(),
            _ => None,
        }
    }
}

struct Sender(Arc<Shared>);

impl BroadcastSender for Sender {
    fn send(&self, message: Arc<Token>) -> Result<(), Arc<Token>> {
        let mut state = lock(&self.0.state);
        if state.receivers == 0 {
            return Err(message);
        }
        let mut gone = None;
        if state.ring.len() == state.capacity {
            let is_unread = state.ring[0].unread > 0;
            if self.0.flaw == Flaw::FullRefuses && is_unread {
                return Ok(());
            }
            gone = state.ring.pop_front();
            state.first += 1;
        }
        let unread = state.receivers;
        state.ring.push_back(Slot {
            message: Some(message),
            unread,
        });
        let wakers = state.waiting.all();
        drop(state);
        drop(gone);
        wake(wakers);
        Ok(())
    }

    fn subscribe(&self) -> Box<dyn BroadcastReceiver> {
        let mut state = lock(&self.0.state);
        state.receivers += 1;
        Box::new(Receiver {
            next: state.end(),
            ticket: None,
            shared: Arc::clone(&self.0),
        })
    }

    fn another(&self) -> Box<dyn BroadcastSender> {
        lock(&self.0.state).senders += 1;
        Box::new(Self(Arc::clone(&self.0)))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.senders -= 1;
        let wakers = match state.senders {
            0 => state.waiting.all(),
            _ => Vec::new(),
        };
        drop(state);
        wake(wakers);
    }
}

struct Receiver {
    next: u64,
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

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arc<Token>, Missed>> {
        match self.try_recv() {
            Err(Missed::Empty) => {}
            other => {
                self.leave();
                return Poll::Ready(other);
            }
        }
        let waker = cx.waker().clone();
        let mut state = lock(&self.shared.state);
        let old = state.waiting.stand(&mut self.ticket, (), waker.clone());
        let is_over = self.next != state.end() || state.senders == 0;
        drop(state);
        drop(old);
        if is_over {
            // It came in between.
            waker.wake();
        }
        Poll::Pending
    }
}

impl BroadcastReceiver for Receiver {
    fn recv<'a>(&'a mut self, _: &'a DynIo) -> BoxFuture<'a, Result<Arc<Token>, Missed>> {
        self.leave();
        Box::pin(poll_fn(|cx| self.poll_recv(cx)))
    }

    fn into_recv<'a>(
        mut self: Box<Self>,
        _: &'a DynIo,
    ) -> BoxFuture<'a, Result<Arc<Token>, Missed>> {
        Box::pin(poll_fn(move |cx| self.poll_recv(cx)))
    }

    fn try_recv(&mut self) -> Result<Arc<Token>, Missed> {
        let flaw = self.shared.flaw;
        let mut state = lock(&self.shared.state);
        if self.next < state.first {
            let missed = state.first - self.next;
            self.next = state.first;
            let less = u64::from(flaw == Flaw::LagIsOneLess);
            return Err(Missed::Lagged(missed - less));
        }
        while self.next < state.end() {
            let place = (self.next - state.first) as usize;
            self.next += 1;
            let message = state.ring[place].message.clone();
            let gone = state.read(place, flaw);
            if let Some(message) = message {
                drop(state);
                drop(gone);
                return Ok(message);
            }
        }
        Err(match state.senders {
            0 => Missed::Closed,
            _ => Missed::Empty,
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.leave();
        let mut state = lock(&self.shared.state);
        state.receivers -= 1;
        let end = state.end();
        drop(state);
        let flaw = self.shared.flaw;
        let at_once = match flaw {
            Flaw::LeavesInOneGo => u64::MAX,
            _ => 4_096,
        };
        while self.next < end {
            let mut state = lock(&self.shared.state);
            self.next = self.next.max(state.first);
            let until = end.min(self.next.saturating_add(at_once));
            let first = state.first;
            let left = self.next..until;
            let gone: Vec<_> = left
                .map(|number| state.read((number - first) as usize, flaw))
                .collect();
            self.next = until.max(self.next);
            drop(state);
            drop(gone);
            // The lock itself is not fair.
            std::thread::yield_now();
        }
    }
}
