//! The simulator: one thread, virtual time, and a schedule out of the check's
//! seed.

use anysync::Block;
use anysync_sim::Sim;

use crate::backend::{Backend, Capability, Face, Root};

/// The backend `sim`: each seed is another schedule, so the laws run on it in
/// several rounds ([`Suite::rounds`](crate::Suite::rounds)).
#[derive(Clone, Copy, Debug, Default)]
pub struct Simulated;

impl Backend for Simulated {
    fn name(&self) -> &str {
        "sim"
    }

    fn is_drawn(&self) -> bool {
        true
    }

    fn run(&self, root: Root) {
        // Laws poll by hand, and see a budget that is used up as a wait that was
        // not won.
        let options = Sim::builder().exhausted_budgets(0);
        let sim = options.build(root.seed());
        let _shutdown = Shutdown(&sim);
        let face = Face::runtime(sim.clone())
            .spawn_local(sim.clone())
            .lacks(
                Capability::SpawnBlocking,
                "its blocking code is a step of the one thread, and may not wait for a task",
            )
            .lacks(Capability::Budget, super::NO_BUDGET)
            .lacks(
                Capability::Threads,
                "what a thread does outside is not in the seed",
            );
        sim.block_on(root.on(face));
    }
}

/// Drops the tasks that the law left, which hold handles of their world.
struct Shutdown<'a>(&'a Sim);

impl Drop for Shutdown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A second panic would abort.
            let shutdown = std::panic::AssertUnwindSafe(|| self.0.shutdown());
            let _ = std::panic::catch_unwind(shutdown);
        } else {
            self.0.shutdown();
        }
    }
}
