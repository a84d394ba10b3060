//! What the bodies share.

use std::cell::Cell;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll};

pub(crate) use anysync_adapter_tests::face::{Task, now, panic_of};

thread_local! {
    static LAST_PANIC: Cell<Option<(&'static str, u32)>> = const { Cell::new(None) };
}

/// What `work` panics with, and whether the panic is blamed on the caller of
/// this: a method with `#[track_caller]`.
#[track_caller]
pub(crate) fn blamed_panic_of<R>(work: impl FnOnce() -> R) -> (String, bool) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(|at| (file_name(at.file()), at.line()));
            LAST_PANIC.set(place);
            before(panic);
        }));
    });
    let here = Location::caller();
    let text = panic_of(work);
    let (file, line) = LAST_PANIC.take().expect("the hook has seen it");
    // The closure stands in the lines from the call on.
    let near = (here.line()..here.line() + 5).contains(&line);
    (text, file == file_name(here.file()) && near)
}

fn file_name(path: &str) -> &'static str {
    let name = path.rsplit('/').next().expect("a name");
    Box::leak(name.to_owned().into_boxed_str())
}

/// A runtime of one thread, with its clock.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
}

/// What tokio says where a thread that runs tasks would be blocked.
pub(crate) const MAY_NOT_BLOCK: &str = "Cannot block the current thread from within a runtime. \
    This happens because a function attempted to block the current thread while the thread is \
    being used to drive asynchronous tasks.";

/// How often `poll` is ready in a task's one budget; `None` if it spends nothing.
pub(crate) fn ready_in_a_budget(mut poll: impl FnMut(&mut Context<'_>) -> Poll<()>) -> Option<u32> {
    runtime().block_on(async {
        // The next poll begins with a whole budget.
        tokio::task::yield_now().await;
        std::future::poll_fn(|cx| {
            let mut count = 0;
            while poll(cx).is_ready() {
                count += 1;
                if count == 10_000 {
                    return Poll::Ready(None);
                }
            }
            Poll::Ready(Some(count))
        })
        .await
    })
}

/// Polls `future` once in a task that has no budget left.
pub(crate) fn poll_without_budget<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    use tokio::task::coop::{has_budget_remaining, poll_proceed};

    runtime().block_on(std::future::poll_fn(|cx| {
        while has_budget_remaining() {
            if let Poll::Ready(unit) = poll_proceed(cx) {
                unit.made_progress();
            }
        }
        Poll::Ready(future.as_mut().poll(cx))
    }))
}

/// Whether a future may be sent, as a wait whose value allows it.
pub(crate) fn is_send<F: Send>(future: F) -> F {
    future
}

/// A value that may be shared and not sent.
pub(crate) type Unsent = std::sync::MutexGuard<'static, ()>;

/// A runtime of two threads.
pub(crate) fn many_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime")
}
