//! The token.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};

use super::{Flaw, Flawed, Line, lock, wake};
use crate::cx::DynIo;
use crate::erased::BoxFuture;
use crate::subject::{CancelGuard, CancellationSubject};

pub(super) const FLAWS: &[Flawed] = &[
    (
        "late-wait-sleeps",
        Flaw::LateWaitSleeps,
        "a wait that comes after the cancel waits for another one",
        &["cancellation::is_sticky"],
    ),
    (
        "child-cancels-parent",
        Flaw::ChildCancelsParent,
        "a token is cancelled with its child",
        &["cancellation::child_follows_parent_not_the_reverse"],
    ),
    (
        "future-goes-first",
        Flaw::FutureFirst,
        "run_until_cancelled polls the future before the token",
        &["cancellation::run_until_cancelled_prefers_cancellation"],
    ),
    (
        "guard-does-nothing",
        Flaw::GuardDoesNothing,
        "a guard that is dropped cancels nothing",
        &["cancellation::drop_guard_cancels"],
    ),
    (
        "stops-in-the-deep",
        Flaw::StopsInTheDeep,
        "a cancel reaches the first thousand levels of the tree",
        &["cancellation::deep_trees_do_not_overflow"],
    ),
];

pub(super) fn new(flaw: Flaw) -> Box<dyn CancellationSubject> {
    Box::new(Token(Node::new(flaw, None, false)))
}

/// A node knows its children, and keeps its parents: so a tree is dropped from
/// the bottom up.
struct Node {
    flaw: Flaw,
    parent: Mutex<Option<Arc<Node>>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cancelled: bool,
    children: Vec<Weak<Node>>,
    waiting: Line,
}

impl Node {
    fn new(flaw: Flaw, parent: Option<Arc<Self>>, cancelled: bool) -> Arc<Self> {
        Arc::new(Self {
            flaw,
            parent: Mutex::new(parent),
            state: Mutex::new(State {
                cancelled,
                ..State::default()
            }),
        })
    }

    fn cancel(self: &Arc<Self>) {
        let mut wakers = Vec::new();
        let mut rest = vec![(0, Arc::clone(self))];
        if self.flaw == Flaw::ChildCancelsParent {
            let parent = lock(&self.parent).clone();
            rest.extend(parent.map(|parent| (0, parent)));
        }
        while let Some((depth, node)) = rest.pop() {
            let mut state = lock(&node.state);
            state.cancelled = true;
            wakers.extend(state.waiting.all());
            if node.flaw == Flaw::StopsInTheDeep && depth == 1_000 {
                continue;
            }
            let children = state.children.drain(..);
            rest.extend(children.filter_map(|child| Some((depth + 1, child.upgrade()?))));
        }
        wake(wakers);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // One after the other, as far as this was the last to keep them.
        let mut next = lock(&self.parent).take();
        while let Some(node) = next.and_then(Arc::into_inner) {
            next = lock(&node.parent).take();
        }
    }
}

struct Token(Arc<Node>);

impl CancellationSubject for Token {
    fn cancel(&self) {
        self.0.cancel();
    }

    fn is_cancelled(&self) -> bool {
        lock(&self.0.state).cancelled
    }

    fn cancelled<'a>(&'a self, _: &'a DynIo) -> BoxFuture<'a, ()> {
        Box::pin(Cancelled {
            node: &self.0,
            ticket: None,
        })
    }

    fn child(&self) -> Box<dyn CancellationSubject> {
        let mut state = lock(&self.0.state);
        let parent = Some(Arc::clone(&self.0));
        let child = Node::new(self.0.flaw, parent, state.cancelled);
        state.children.push(Arc::downgrade(&child));
        Box::new(Self(child))
    }

    fn another(&self) -> Box<dyn CancellationSubject> {
        Box::new(Self(Arc::clone(&self.0)))
    }

    fn run_until_cancelled<'a>(
        &'a self,
        io: &'a DynIo,
        mut future: BoxFuture<'a, u64>,
    ) -> BoxFuture<'a, Option<u64>> {
        let mut cancelled = self.cancelled(io);
        let future_first = self.0.flaw == Flaw::FutureFirst;
        Box::pin(std::future::poll_fn(move |cx| {
            if future_first {
                if let Poll::Ready(output) = future.as_mut().poll(cx) {
                    return Poll::Ready(Some(output));
                }
            }
            if cancelled.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            future.as_mut().poll(cx).map(Some)
        }))
    }

    fn drop_guard(self: Box<Self>) -> Box<dyn CancelGuard> {
        Box::new(Guard(Some(self)))
    }
}

struct Cancelled<'a> {
    node: &'a Node,
    ticket: Option<u64>,
}

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let waker = cx.waker().clone();
        let mut state = lock(&this.node.state);
        let is_late = this.node.flaw == Flaw::LateWaitSleeps && this.ticket.is_none();
        if state.cancelled && !is_late {
            return Poll::Ready(());
        }
        let old = state.waiting.stand(&mut this.ticket, (), waker);
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.node.state);
        let waker = state.waiting.leave(&mut self.ticket);
        drop(state);
        drop(waker);
    }
}

struct Guard(Option<Box<Token>>);

impl CancelGuard for Guard {
    fn disarm(mut self: Box<Self>) -> Box<dyn CancellationSubject> {
        self.0.take().expect("it is disarmed once")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let armed = self.0.take();
        let cancels = armed.filter(|token| token.0.flaw != Flaw::GuardDoesNothing);
        if let Some(token) = cancels {
            token.cancel();
        }
    }
}
