//! smol: its global executor, and the two that one makes oneself.

use std::sync::Arc;
use std::thread;

use ::smol::Executor;
use anysync::Block;
use anysync_smol::{Smol, SmolExecutor, SmolLocal};

use crate::backend::{Backend, Capability, Face, Root};
use crate::cx::Gate;

/// smol's global executor.
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolGlobal;

impl Backend for SmolGlobal {
    fn name(&self) -> &str {
        "smol-global"
    }

    fn run(&self, root: Root) {
        let face = Face::runtime(Smol)
            .lacks(
                Capability::SpawnLocal,
                "its tasks move between threads; smol-local has local ones",
            )
            .lacks(Capability::Budget, super::NO_BUDGET);
        Smol.block_on(root.on(face));
    }
}

/// An `Executor` of one's own, driven by two threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolOwn;

impl Backend for SmolOwn {
    fn name(&self) -> &str {
        "smol-executor"
    }

    fn run(&self, root: Root) {
        let executor = SmolExecutor::new(Arc::new(Executor::new()));
        let face = Face::runtime(executor.clone())
            .lacks(
                Capability::SpawnLocal,
                "its tasks move between threads; smol-local has local ones",
            )
            .lacks(Capability::Budget, super::NO_BUDGET);
        let finished = Gate::new();
        thread::scope(|scope| {
            scope.spawn(|| executor.block_on(finished.passed()));
            executor.block_on(root.on(face));
            finished.open();
        });
    }
}

/// A `LocalExecutor`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnSmolLocal;

impl Backend for OnSmolLocal {
    fn name(&self) -> &str {
        "smol-local"
    }

    fn run(&self, root: Root) {
        let executor = SmolLocal::default();
        let face = Face::local(executor.clone())
            .spawn_blocking_locally(executor.clone())
            .block_on_fresh(SmolLocal::default)
            .lacks(Capability::Budget, super::NO_BUDGET);
        executor.block_on(root.on(face));
    }
}
