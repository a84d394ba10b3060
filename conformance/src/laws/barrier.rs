//! The laws of Barrier.

use crate::backend::Capability::Spawn;
use crate::law::{About, Law};
use crate::run;
use crate::subject::{Kind, Promise};

mod actions;
mod generations;

const BARRIER: About = About::Kinds(&[Kind::Barrier]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "barrier::nobody_passes_before_the_last",
        BARRIER,
        "No wait ends before as many have arrived as the barrier is for.",
        "Release under the lock, when the count of those who have arrived reaches the number.",
        run!(generations::nobody_passes_before_the_last),
    )
    .because("It is what a barrier is for.")
    .needs(&[Spawn]),
    Law::must(
        "barrier::exactly_one_leader_per_generation",
        BARRIER,
        "Of each generation the last to arrive is told that it leads, and nobody else.",
        "The wait that completes the count is the leader; the others return false.",
        run!(generations::exactly_one_leader_per_generation),
    )
    .because("The leader does the work of the phase: done twice or never, the result is wrong.")
    .needs(&[Spawn]),
    Law::must(
        "barrier::is_reusable",
        BARRIER,
        "It serves many generations, and a fast task never laps a slow one.",
        "Give each wait its generation, and release by generation and not by a flag.",
        run!(generations::is_reusable),
    )
    .because(
        "A task that comes back quickly must not be counted among those who have not left \
         yet.",
    )
    .needs(&[Spawn]),
    Law::must(
        "barrier::of_one_never_waits",
        BARRIER,
        "On a barrier of one each wait is ready at once, and leads.",
        "Look whether an arrival is the last before it queues.",
        run!(generations::of_one_never_waits),
    )
    .because("The number of workers comes from a configuration, and is sometimes one."),
    Law::must(
        "barrier::of_zero_behaves_as_one",
        BARRIER,
        "A barrier of zero is one of one.",
        "Take the number as `max(1)` in the constructor.",
        run!(generations::of_zero_behaves_as_one),
    )
    .because("`std` and tokio define it so."),
    Law::should(
        "barrier::dropped_arrival_withdraws",
        BARRIER,
        "A wait that is dropped before the release no longer counts; after it, it changes nothing.",
        "Take the arrival back in `Drop`, under the lock, if its generation is not released.",
        run!(generations::dropped_arrival_withdraws),
    )
    .because(
        "Most barriers go on counting a task that has timed out, and then release the others \
         one too early or hang the next generation; their documentation says so.",
    )
    .seen_in(&["tokio-rs/tokio#6494", "apache/asyncband#135"])
    .needs(&[Spawn]),
    Law::must(
        "barrier::leader_action_runs_before_release",
        BARRIER,
        "The leader's action runs once in a generation, before anybody is released, and everybody \
         sees what it wrote.",
        "Run the action outside the lock while nobody is released, then release under the lock.",
        run!(actions::leader_action_runs_before_release),
    )
    .because("A checkpoint that is written after the workers have gone on is no checkpoint.")
    .needs(&[Spawn])
    .promised(Promise::LeaderAction),
    Law::must(
        "barrier::failed_leader_action_withdraws",
        BARRIER,
        "A leader's action that panics, fails or is cancelled takes its arrival back; the others \
         go on waiting for another last one.",
        "Withdraw the leader in a guard's `Drop` that the action's success disarms.",
        run!(actions::failed_leader_action_withdraws),
    )
    .because(
        "A phase whose closing step failed is not closed, and those who wait for it must \
         neither pass nor hang.",
    )
    .needs(&[Spawn])
    .promised(Promise::LeaderAction),
    Law::should(
        "barrier::leader_arrives_without_waiting",
        BARRIER,
        "The last to arrive is ready on its first poll.",
        "Return Ready from the poll that completes the count.",
        run!(generations::leader_arrives_without_waiting),
    )
    .because("The last to arrive has nobody to wait for."),
];
