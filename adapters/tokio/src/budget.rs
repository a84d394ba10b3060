//! tokio's cooperative budget, as a wait spends from it.

use std::cell::Cell;
use std::task::{Context, Poll, ready};

use tokio::runtime::{self, Handle};
use tokio::task::{self, coop};

/// Which task runs; in `block_on` itself none does, but a runtime is known.
type Running = (Option<task::Id>, Option<runtime::Id>);

thread_local! {
    /// The task that was refused last, if nothing has been spent or let through since.
    static REFUSED: Cell<Option<Running>> = const { Cell::new(None) };
}

/// Spends one unit of the budget of the tokio task that is being polled; always
/// ready outside one.
///
/// When the budget is used up it wakes `cx` and refuses, so that the task lets others
/// run. But code in the task may block on a future, or poll it once by `now_or_never`,
/// and the budget comes back when the task returns, not before. So that such a wait
/// ends all the same,
///
/// - a waker without data is not refused: it leads to no task, and nothing would poll
///   again;
/// - each second wait of a task that has nothing left is let through: one that is
///   polled again before the task has returned is in time that one.
///
/// tokio's own waits are woken when the task has returned. A thread that is blocked
/// in between would not be, so here the waker is woken at once.
#[inline]
pub(crate) fn poll_spend(cx: &mut Context<'_>) -> Poll<()> {
    if !coop::has_budget_remaining() {
        return overdraw(cx);
    }
    ready!(coop::poll_proceed(cx)).made_progress();
    REFUSED.set(None);
    Poll::Ready(())
}

#[cold]
fn overdraw(cx: &mut Context<'_>) -> Poll<()> {
    if cx.waker().data().is_null() {
        return Poll::Ready(());
    }
    let runtime = Handle::try_current().ok().map(|handle| handle.id());
    let running = (task::try_id(), runtime);
    if REFUSED.take() == Some(running) {
        return Poll::Ready(());
    }
    REFUSED.set(Some(running));
    cx.waker().wake_by_ref();
    Poll::Pending
}
