//! The laws of an adapter: what a program may rely on, whichever executor it
//! runs on.

use crate::backend::Capability::{Block, Budget, Spawn, SpawnBlocking, SpawnLocal, Threads, Timer};
use crate::law::{About, Law};
use crate::run;

mod tasks;
mod threads;
mod time;

/// A law about the backend.
const fn must(
    id: &'static str,
    sentence: &'static str,
    hint: &'static str,
    run: crate::law::Run,
) -> Law {
    Law::must(id, About::Backend, sentence, hint, run)
}

pub(super) const LAWS: &[Law] = &[
    must(
        "io::sleep_never_ends_early",
        "A sleep ends at its deadline or later, on the clock that `now` reads.",
        "Read `now` and wait on one clock; round a deadline up to the timer's tick, never down.",
        run!(time::sleep_never_ends_early),
    )
    .because("A retry before its time is refused again.")
    .needs(&[Timer]),
    must(
        "io::sleeps_end_in_deadline_order",
        "When a sleep has ended, so have all that had an earlier deadline.",
        "Keep the deadlines sorted, and fire every one that is past before the next sleep.",
        run!(time::sleeps_end_in_deadline_order),
    )
    .because("Whoever sleeps longer relies on what the shorter sleep has done.")
    .needs(&[Timer]),
    must(
        "io::timeout_cancels_the_inner_future",
        "When a timeout is over, its future is dropped before the error is returned.",
        "Use the provided `timeout`; a sleep must wake the task that polled it last.",
        run!(time::timeout_cancels_the_inner_future),
    )
    .because("After the error its resources are expected to be free.")
    .needs(&[Timer]),
    must(
        "io::ready_future_beats_an_elapsed_timeout",
        "A future that is ready when its timeout is polled wins, even if the time is over.",
        "Poll the future first and the sleep second; take a deadline in the past as ready.",
        run!(time::ready_future_beats_an_elapsed_timeout),
    )
    .because("A result that is there must not be thrown away because the task was scheduled late.")
    .seen_in(&["tokio-rs/tokio#4314"])
    .needs(&[Timer]),
    must(
        "io::spawned_task_runs_without_being_awaited",
        "A task runs from the moment it is spawned, whether its handle is polled or not.",
        "Give the task to the executor in `spawn`, not in the handle's first poll.",
        run!(tasks::spawned_task_runs_without_being_awaited),
    )
    .because(
        "It is what spawning is for; lazily started tasks never run if only their effect is \
         wanted.",
    )
    .needs(&[Spawn]),
    must(
        "io::dropped_handle_detaches",
        "Dropping a handle lets its task, or its blocking code, run on.",
        "Call the executor's `detach` where dropping its handle would cancel.",
        run!(tasks::dropped_handle_detaches),
    )
    .because("Runtimes differ here, and so one of both meanings has to be chosen for all.")
    .seen_in(&["tokio-rs/tokio#1830"])
    .needs(&[Spawn]),
    must(
        "io::abort_drops_the_future",
        "`abort` drops a task's future, and its handle then ends as cancelled.",
        "Wake the aborted task, drop its future at its next turn, and only then end the handle.",
        run!(tasks::abort_drops_the_future),
    )
    .because("An abort that only detaches keeps what the task holds.")
    .seen_in(&["awslabs/shuttle#91"])
    .needs(&[Spawn]),
    must(
        "io::panic_becomes_join_error",
        "A panic inside a task is an error of its handle, with its payload, and of nobody else.",
        "Catch the panic where the task is polled, and put the payload into the `JoinError`.",
        run!(tasks::panic_becomes_join_error),
    )
    .because("One request that panics must not take the server with it, nor be forgotten.")
    .needs(&[Spawn]),
    must(
        "io::finished_task_survives_abort",
        "`abort` after a task has finished changes nothing: its output is still there.",
        "Let `abort` look at whether there is an output before it marks the task as cancelled.",
        run!(tasks::finished_task_survives_abort),
    )
    .because("The result is there, and whoever aborts to be sure must not lose it.")
    .needs(&[Spawn]),
    must(
        "io::block_on_returns_the_value",
        "`block_on` runs a borrowing future to its end, through any number of wake-ups, and \
         returns its output.",
        "Clear the flag that says `woken` before the future is polled, not after.",
        run!(threads::block_on_returns_the_value),
    )
    .because("Wake-ups that come while the thread is not asleep yet are lost easily.")
    .needs(&[Block, Threads]),
    must(
        "io::spawn_blocking_does_not_stall_tasks",
        "While blocking code blocks, tasks and other blocking code go on.",
        "Run blocking code on threads of its own, never on a worker, and start more when all of \
         them are busy.",
        run!(threads::spawn_blocking_does_not_stall_tasks),
    )
    .because("Otherwise one slow file stops all tasks of the thread.")
    .needs(&[SpawnBlocking, Spawn]),
    must(
        "io::yield_now_lets_others_run",
        "A task that yields lets every other ready task run before it starves it.",
        "Put a task that wakes itself while it runs behind those that are ready.",
        run!(tasks::yield_now_lets_others_run),
    )
    .because("A yield that polls the same task again is none.")
    .seen_in(&["tokio-rs/tokio-core#165"])
    .needs(&[Spawn]),
    must(
        "io::wake_from_another_thread",
        "A waker works from a plain thread, by value and by reference, cloned or not.",
        "Let `wake` reach a thread that sleeps in the system, and queue by means that any thread \
         may use.",
        run!(threads::wake_from_another_thread),
    )
    .because("Threads, signals and foreign runtimes wake tasks, and the executor may be asleep.")
    .needs(&[Threads]),
    must(
        "io::local_tasks_stay_on_their_thread",
        "A local task is polled and dropped on the thread that spawned it.",
        "Drive local tasks where their executor was made, whoever wakes them.",
        run!(threads::local_tasks_stay_on_their_thread),
    )
    .because("Its contents are not `Send`: dropped elsewhere they are a data race.")
    .needs(&[SpawnLocal, Threads]),
    Law::should(
        "io::budget_is_finite",
        About::Backend,
        "A task that spends for ever is told to let the others run, and may go on later.",
        "Forward `poll_spend` to the executor's budget, and wake the task when you answer pending.",
        run!(tasks::budget_is_finite),
    )
    .because("Without it a task with enough to do is the only one.")
    .seen_in(&["tokio-rs/tokio#6855", "tokio-rs/tokio#5686"])
    .needs(&[Budget, Spawn]),
];
