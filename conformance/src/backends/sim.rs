//! The simulator: one thread, virtual time, and a schedule out of the check's
//! seed.

use std::sync::Arc;

use anysync::Block;
use anysync_sim::{Builder, Sim};

use crate::backend::{Backend, Capability, Explored, Face, Root};
use crate::erased::{BoxFuture, DynSpawn, Handle, Value};
use crate::report::Failure;

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
        let sim = options().build(root.seed());
        let _shutdown = Shutdown(&sim);
        sim.block_on(root.on(face(&sim)));
    }

    fn retell(&self, check: &dyn Fn() -> Root) -> Option<String> {
        let seed = check().seed();
        let retold = options().try_replay(seed, |sim| {
            let face = face(&sim);
            check().law(face)
        });
        retold.err()?.story()
    }

    fn explore(&self, check: &dyn Fn() -> Root, limit: u64) -> Option<Explored> {
        let explored = options().try_explore(limit, |sim| {
            let face = face(&sim);
            check().law(face)
        });
        Some(match explored {
            Ok(explored) => Explored {
                schedules: explored.schedules,
                is_complete: explored.is_complete,
                failure: None,
            },
            Err(failure) => Explored {
                schedules: 0,
                is_complete: false,
                failure: Some(Failure {
                    message: failure.message().to_owned(),
                    location: String::new(),
                    dump: failure.to_string(),
                }),
            },
        })
    }
}

/// Laws poll by hand, and see a budget that is used up as a wait that was not won.
fn options() -> Builder {
    Sim::builder().exhausted_budgets(0)
}

fn face(sim: &Sim) -> Face {
    let mut face = Face::runtime(sim.clone())
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
    face.spawn = Some(Arc::new(Named(sim.clone())));
    face
}

/// Tells the simulator the names of the tasks.
struct Named(Sim);

impl DynSpawn for Named {
    fn spawn(&self, name: &str, task: BoxFuture<'static, Value>) -> Handle {
        Box::new(self.0.task(name).spawn(task))
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
