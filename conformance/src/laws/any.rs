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
use crate::run;
use crate::subject::{Contending, Subject, Waiting};
use crate::wakers::caught;

mod costs;
mod drops;
mod executors;
mod kept;
mod ready;
mod siblings;
mod stalls;
mod types;
mod wakers;

/// Makes a law's `run` out of an `async fn(Cx, Arc<dyn Waiting>)`.
macro_rules! each {
    ($function:path) => {
        |cx, subject| Box::pin(for_each(cx, subject, $function))
    };
}

/// The same out of an `async fn(Cx, Contending)`.
macro_rules! each_contending {
    ($function:path) => {
        |cx, subject| Box::pin(for_each_contending(cx, subject, |_| true, $function))
    };
    ($function:path, only $kind:expr) => {
        |cx, subject| Box::pin(for_each_contending(cx, subject, $kind, $function))
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
    .because(
        "Timeouts and `select!` drop waits at every moment. One that leaves its place behind \
         stops those behind it, or is written to when it is gone.",
    )
    .seen_in(&[
        "tokio-rs/tokio#2637",
        "embassy-rs/embassy#6964",
        "asomers/futures-locks#1",
    ])
    .needs(&[Spawn]),
    Law::should(
        "any::timed_out_wait_leaves_no_trace",
        About::EveryWait,
        "After a wait that a timeout ended, later operations behave as if it had never waited.",
        "Nothing but `Drop` runs when time is up: unlink there, and take back what was counted.",
        each!(drops::timed_out_wait_leaves_no_trace),
    )
    .because("A timeout is how most waits are given up in programs.")
    .seen_in(&["embassy-rs/embassy#6964"])
    .needs(&[Timer]),
    Law::must(
        "any::dropped_win_is_passed_on",
        About::EveryWait,
        "A wait that had won and is dropped before it returns gives its win to the next in the \
         queue.",
        "In `Drop`, look under the lock whether the wait has won, and signal once more if so.",
        each!(drops::dropped_win_is_passed_on),
    )
    .because(
        "Between the wake-up and the poll the wait has won and nobody knows. Dropped there, \
         it takes a signal, a lock or a message with it, and the next one sleeps for ever: \
         the bug that comes back most often.",
    )
    .seen_in(&[
        "n0-computer/iroh#2536",
        "zesterer/flume#104",
        "tenzir/tenzir#6432",
        "asomers/futures-locks#1",
    ])
    .needs(&[Spawn]),
    Law::must(
        "any::last_waker_is_the_one_woken",
        About::EveryWait,
        "A wait that is polled again with another waker wakes the newest.",
        "Compare the stored waker by `will_wake` at each poll, and replace it.",
        each!(wakers::last_waker_is_the_one_woken),
    )
    .because(
        "A future moves between tasks, as in `select!` and `FuturesUnordered`, and the waker \
         of its first poll then wakes nobody.",
    )
    .seen_in(&["AmitPr/async-oneshot-channel#1"])
    .needs(&[Spawn]),
    Law::must(
        "any::waker_may_reenter",
        About::EveryWait,
        "A waker that calls any method of the same primitive from wake, clone or drop neither \
         deadlocks nor panics.",
        "Clone the waker before the lock is taken; wake and drop wakers after it is released.",
        each!(wakers::waker_may_reenter),
    )
    .because(
        "Wakers are foreign code: they run other tasks, drop their last owners, and come back \
         to the same primitive while its lock is held.",
    )
    .seen_in(&[
        "tokio-rs/tokio#5429",
        "tokio-rs/tokio#5578",
        "apache/asyncband#125",
    ]),
    Law::must(
        "any::panicking_waker_loses_no_wakeup",
        About::EveryWait,
        "When a waker panics, every other waiter of the batch is still woken; then the panic goes \
         on.",
        "Catch each waker's panic while the batch is woken, and resume the first afterwards.",
        each!(wakers::panicking_waker_loses_no_wakeup),
    )
    .because("One bad waker in the queue must not put all who stand behind it to sleep.")
    .seen_in(&[
        "tokio-rs/tokio#4055",
        "tokio-rs/tokio#3689",
        "apache/asyncband#125",
    ]),
    Law::must(
        "any::spurious_poll_is_harmless",
        About::EveryWait,
        "A wait that is polled without a wake-up stays pending and keeps its place.",
        "A poll of a queued wait looks whether it has won and renews its waker, and no more.",
        each!(wakers::spurious_poll_is_harmless),
    )
    .because("`join!` and `select!` poll all of their futures whenever one is woken.")
    .needs(&[Spawn]),
    Law::must(
        "any::completed_future_is_fused_or_panics_clearly",
        About::EveryWait,
        "A second poll after Ready corrupts nothing.",
        "Give the future a last state in which it touches nothing: panic with a message there.",
        each!(wakers::completed_future_is_fused_or_panics_clearly),
    )
    .because(
        "Combinators poll once too often, and what is polled then may have lent out its \
         memory.",
    ),
    Law::must(
        "any::moves_between_executors",
        About::EveryWait,
        "A wait that was polled on one executor is woken from another, and from a plain thread.",
        "Keep nothing of the executor in the wait but its latest waker.",
        each!(executors::moves_between_executors),
    )
    .because(
        "A library does not know whose tasks use it: a wait in one runtime is ended from \
         another, or from a signal handler's thread.",
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
    .because("A signal that arrives before the data that it announces is a data race in safe code.")
    .seen_in(&["tokio-rs/tokio#4225"])
    .needs(&[Spawn, Threads]),
    Law::should(
        "any::waits_without_allocation",
        About::EveryWait,
        "A wait allocates nothing from its first poll to its end.",
        "Keep the queue's node inside the future.",
        each!(costs::waits_without_allocation),
    )
    .because(
        "An allocation for each wait costs more than the wait, can fail, and is not to be had \
         everywhere.",
    )
    .seen_in(&["tokio-rs/tokio#2637"]),
    Law::should(
        "any::cancel_is_constant_time",
        About::EveryWait,
        "Cancelling in the middle of 100,000 waiters costs what it does among few.",
        "Link the queue both ways, so that a node leaves it without a search.",
        each!(costs::cancel_is_constant_time),
    )
    .because(
        "A server that sheds its load cancels everybody at once: with a search through the \
         queue that is quadratic, at the worst moment.",
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
    .because(
        "A loop of waits that are always ready never lets go of its thread; and who spends \
         before it queues loses its place to those who come later.",
    )
    .seen_in(&[
        "tokio-rs/tokio#6855",
        "tokio-rs/tokio#8371",
        "tokio-rs/tokio#2542",
        "tokio-rs/tokio#4612",
    ])
    .needs(&[Spawn, Budget]),
    Law::should(
        "any::usable_in_a_static",
        About::EveryWait,
        "The constructor is `const`.",
        "Make `new` a `const fn`, and show the subject's `static` to the kit.",
        each!(types::usable_in_a_static),
    )
    .because(
        "Without a `const` constructor each static needs a second primitive around it, to \
         make the first.",
    ),
    Law::must(
        "any::wait_stays_send",
        About::EveryWait,
        "Futures and guards are Send exactly where their content allows.",
        "Bound `unsafe impl Send` by the content; a `PhantomData` takes it away where it must go.",
        each!(types::wait_stays_send),
    )
    .because(
        "Bounds that are written by hand are wrong silently: too wide, they are unsound; too \
         narrow, the task cannot be spawned.",
    )
    .seen_in(&[
        "rust-lang/futures-rs#2239",
        "Matthias247/futures-intrusive#53",
        "tokio-rs/tokio#3344",
    ]),
    Law::should(
        "any::siblings_take_turns",
        About::EveryWait,
        "Branches of one task that wait for the same thing, and are all polled, are served as \
         tasks of their own would be: none has more than twice as many turns as another.",
        "Let no wait take what was granted to another of its task while that one may still come \
         for it: only when it has met the same grant at several of its polls.",
        each_contending!(siblings::siblings_take_turns, only | it | it.starves_nobody),
    )
    .because(
        "A heartbeat beside a worker, two requests of one `join!`: the branch that is polled \
         first, or last, would have the lock for itself, and the other never.",
    )
    .needs(&[Spawn]),
    Law::should(
        "any::a_task_of_many_waits_takes_no_more_than_its_shares",
        About::EveryWait,
        "Where turns go in order, the branches of one task and another task have the same share \
         each.",
        "Pass what is not come for to the next in the queue, not to another wait of the same \
         task.",
        each_contending!(
            siblings::a_task_of_many_waits_takes_no_more_than_its_shares,
            only | it | it.is_ordered
        ),
    )
    .because(
        "A task whose waits hand to each other keeps all other tasks out, however long the \
         queue is.",
    )
    .needs(&[Spawn])
    .timed(),
    Law::should(
        "any::abandoned_win_goes_on",
        About::EveryWait,
        "A task that keeps waits which were granted their turn, without polling them, and polls \
         another, gets its turn there after a bounded number of polls.",
        "Let a wait that meets a grant which nobody has come for wake itself, and pass the grant \
         on when it has met it several times, however many there are and whatever wakers they \
         have.",
        each_contending!(kept::abandoned_win_goes_on),
    )
    .because(
        "An arm of a `select!` that is left by `&mut`, the futures of a `FuturesUnordered` or \
         `buffered` while the loop's body awaits: the task waits for itself, for ever.",
    )
    .seen_in(&[
        "tokio-rs/tokio#6450",
        "smol-rs/async-lock#91",
        "tokio-rs/tokio#7892",
    ])
    .once(),
    Law::should(
        "any::kept_wait_stops_no_task",
        About::EveryWait,
        "A wait that was granted its turn and is not polled stops no wait of another task that is \
         polled again and again: at once where no order is kept, after a bounded number of polls \
         where it is.",
        "Pass on what is not come for when the same wait has met it many times; where no order is \
         kept, bind nothing to a wait: free it, and wake.",
        each_contending!(kept::kept_wait_stops_no_task),
    )
    .because("One task that is busy elsewhere stops all that need the same lock.")
    .seen_in(&["tokio-rs/tokio#6450", "smol-rs/async-lock#91"])
    .once(),
    Law::should(
        "any::ready_wait_needs_no_executor",
        About::EveryWait,
        "A thousand waits that are ready end one after the other, in one poll: by `now_or_never` \
         without an executor, and by a `block_on` within a task, which has no handle of it.",
        "Let nothing but the executor's own handle decide that a wait which has won is pending; \
         without one, a wait that has won is ready.",
        run!(ready::ready_wait_needs_no_executor),
    )
    .because(
        "Code that is not async calls `block_on` inside a task: a wait that asks for a turn of the \
         executor there never gets one.",
    )
    .once(),
    Law::should(
        "any::inner_lock_is_short",
        About::EveryWait,
        "No call holds up others for long: not when a channel grows, nor when much is received at \
         once, nor when a receiver leaves that is far behind.",
        "Grow by blocks and not by copying; in long work let go of the inner lock after some \
         dozens.",
        run!(stalls::inner_lock_is_short),
    )
    .because("A lock that is held for milliseconds stops the threads of an executor, one by one.")
    .needs(&[Threads])
    .once()
    .timed(),
    Law::should(
        "any::noop_waker_is_nobody",
        About::EveryWait,
        "Waits that are polled with a waker that wakes nobody are not waits of one task: each \
         keeps what it was granted.",
        "Where a waker tells tasks apart, let one without data be that of no task.",
        each_contending!(kept::noop_waker_is_nobody, only kept::keeps_one_turn),
    )
    .because(
        "Whoever polls by hand, or by `now_or_never`, uses the same waker as all others who do, \
         on other threads too.",
    )
    .once(),
];

/// Runs a law for each of the subject's waitings, and fails with all that break
/// it, not only the first.
async fn for_each<L, F>(cx: Cx, subject: Arc<dyn Subject>, law: L)
where
    L: Fn(Cx, Arc<dyn Waiting>) -> F + Send,
    F: Future<Output = ()> + Send,
{
    let all = subject.waitings().into_iter();
    let named = all.map(|waiting| (waiting.name(), waiting));
    for_all(cx, named, law).await;
}

async fn for_all<W, L, F>(cx: Cx, all: impl Iterator<Item = (&'static str, W)> + Send, law: L)
where
    W: Send,
    L: Fn(Cx, W) -> F + Send,
    F: Future<Output = ()> + Send,
{
    let mut broken = Vec::new();
    let mut skipped = None;
    for (name, waiting) in all {
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

/// Runs a law for each way in which waits of the subject take turns.
async fn for_each_contending<L, F>(
    cx: Cx,
    subject: Arc<dyn Subject>,
    kind: fn(&Contending) -> bool,
    law: L,
) where
    L: Fn(Cx, Contending) -> F + Send,
    F: Future<Output = ()> + Send,
{
    let mut all = subject.contendings();
    all.retain(kind);
    if all.is_empty() {
        cx.skip(format!(
            "{} hands nothing over that this is about",
            subject.name()
        ));
    }
    let named = all.into_iter().map(|it| (it.name, it));
    for_all(cx, named, law).await;
}

/// Runs what polls by hand where no budget is, which the subject may take from the
/// executor that it finds around it: one that is used up would be a wait that was not won.
async fn by_hand(cx: &Cx, code: impl FnOnce() + Send + 'static) {
    match cx.has(Threads) {
        true => cx.thread("polling by hand", code).join().await,
        false => code(),
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
