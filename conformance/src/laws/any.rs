//! The laws of every primitive that waits. Each is run for each
//! [`Waiting`] of the subject.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use crate::backend::Capability::{Budget, Spawn, Threads, Timer};
use crate::cx::Cx;
use crate::law::{About, Law};
use crate::log::message_of;
use crate::subject::{Subject, Waiting};
use crate::wakers::caught;

mod costs;
mod drops;
mod executors;
mod types;
mod wakers;

/// Makes a law's `run` out of an `async fn(Cx, Arc<dyn Waiting>)`.
macro_rules! each {
    ($function:path) => {
        |cx, subject| Box::pin(for_each(cx, subject, $function))
    };
}

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "any::dropped_wait_leaves_no_trace",
        About::EveryWait,
        "After a wait that was dropped unpolled, queued, woken or done, later operations behave \
         as if it had never waited.",
        "Unlink the node in the future's `Drop`, and take back whatever it counts for.",
        each!(drops::dropped_wait_leaves_no_trace),
    )
    .needs(&[Spawn]),
    Law::should(
        "any::timed_out_wait_leaves_no_trace",
        About::EveryWait,
        "After a wait that a timeout ended, later operations behave as if it had never waited.",
        "Nothing but `Drop` runs when time is up: unlink there, and take back what was counted.",
        each!(drops::timed_out_wait_leaves_no_trace),
    )
    .needs(&[Timer]),
    Law::must(
        "any::dropped_win_is_passed_on",
        About::EveryWait,
        "A wait that had won and is dropped before it returns gives its win to the next in the \
         queue.",
        "In `Drop`, look under the lock whether the wait has won, and signal once more if so.",
        each!(drops::dropped_win_is_passed_on),
    )
    .needs(&[Spawn]),
    Law::must(
        "any::last_waker_is_the_one_woken",
        About::EveryWait,
        "A wait that is polled again with another waker wakes the newest.",
        "Compare the stored waker by `will_wake` at each poll, and replace it.",
        each!(wakers::last_waker_is_the_one_woken),
    )
    .needs(&[Spawn]),
    Law::must(
        "any::waker_may_reenter",
        About::EveryWait,
        "A waker that calls any method of the same primitive from wake, clone or drop neither \
         deadlocks nor panics.",
        "Clone the waker before the lock is taken; wake and drop wakers after it is released.",
        each!(wakers::waker_may_reenter),
    ),
    Law::must(
        "any::panicking_waker_loses_no_wakeup",
        About::EveryWait,
        "When a waker panics, every other waiter of the batch is still woken; then the panic goes \
         on.",
        "Catch each waker's panic while the batch is woken, and resume the first afterwards.",
        each!(wakers::panicking_waker_loses_no_wakeup),
    ),
    Law::must(
        "any::spurious_poll_is_harmless",
        About::EveryWait,
        "A wait that is polled without a wake-up stays pending and keeps its place.",
        "A poll of a queued wait looks whether it has won and renews its waker, and no more.",
        each!(wakers::spurious_poll_is_harmless),
    )
    .needs(&[Spawn]),
    Law::must(
        "any::completed_future_is_fused_or_panics_clearly",
        About::EveryWait,
        "A second poll after Ready corrupts nothing.",
        "Give the future a last state in which it touches nothing: panic with a message there.",
        each!(wakers::completed_future_is_fused_or_panics_clearly),
    ),
    Law::must(
        "any::moves_between_executors",
        About::EveryWait,
        "A wait that was polled on one executor is woken from another, and from a plain thread.",
        "Keep nothing of the executor in the wait but its latest waker.",
        each!(executors::moves_between_executors),
    )
    .needs(&[Spawn, Threads]),
    Law::must(
        "any::happens_before",
        About::EveryWait,
        "What was written before the signal is visible after the wait.",
        "Store the wait's verdict with Release and load it with Acquire; end no wait before it is \
         signalled.",
        each!(executors::happens_before),
    )
    .needs(&[Spawn, Threads]),
    Law::should(
        "any::waits_without_allocation",
        About::EveryWait,
        "A wait allocates nothing from its first poll to its end.",
        "Keep the queue's node inside the future.",
        each!(costs::waits_without_allocation),
    ),
    Law::should(
        "any::cancel_is_constant_time",
        About::EveryWait,
        "Cancelling in the middle of 100,000 waiters costs what it does among few.",
        "Link the queue both ways, so that a node leaves it without a search.",
        each!(costs::cancel_is_constant_time),
    )
    .once(),
    Law::should(
        "any::spends_budget_after_winning",
        About::EveryWait,
        "A loop of ready waits yields to others on executors with a budget, and never loses its \
         place by it.",
        "Call `io.poll_spend` when the wait has won, and keep the win while it is pending.",
        each!(executors::spends_budget_after_winning),
    )
    .needs(&[Spawn, Budget]),
    Law::should(
        "any::usable_in_a_static",
        About::EveryWait,
        "The constructor is `const`.",
        "Make `new` a `const fn`, and show the subject's `static` to the kit.",
        each!(types::usable_in_a_static),
    ),
    Law::must(
        "any::wait_stays_send",
        About::EveryWait,
        "Futures and guards are Send exactly where their content allows.",
        "Bound `unsafe impl Send` by the content; a `PhantomData` takes it away where it must go.",
        each!(types::wait_stays_send),
    ),
];

/// Runs a law for each of the subject's waitings, and fails with all that break
/// it, not only the first.
async fn for_each<L, F>(cx: Cx, subject: Arc<dyn Subject>, law: L)
where
    L: Fn(Cx, Arc<dyn Waiting>) -> F + Send,
    F: Future<Output = ()> + Send,
{
    let mut broken = Vec::new();
    let mut skipped = None;
    for waiting in subject.waitings() {
        let name = waiting.name();
        cx.note(name);
        // With a fresh budget, where there is one.
        cx.yield_turns(1).await;
        match catching(law(cx.clone(), waiting)).await {
            Ok(()) => {}
            Err(payload) if is_message(&*payload) => {
                broken.push(format!("{name}: {}", message_of(&*payload)));
            }
            Err(payload) => skipped = Some(payload),
        }
    }
    if !broken.is_empty() {
        // Without another panic: the report is to name the place of the first.
        resume_unwind(Box::new(broken.join("\n")));
    }
    if let Some(skipped) = skipped {
        resume_unwind(skipped);
    }
}

fn is_message(payload: &(dyn Any + Send)) -> bool {
    payload.is::<String>() || payload.is::<&'static str>()
}

async fn catching<F: Future + Send>(future: F) -> std::thread::Result<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match caught(|| future.as_mut().poll(cx)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(payload) => Poll::Ready(Err(payload)),
    })
    .await
}
