//! Executors that the kit does not know, plugged in as a stranger would: one
//! that can only run a future, and one that is a `Runtime`.

#![forbid(unsafe_code)]

use anysync::{Bare, Block};
use anysync_conformance::backend::{Backend, Capability, Face, Root, of_runtime};
use anysync_tokio::TokioRuntime;

/// Blocks on one future, and that is all.
struct OneFuture;

impl Backend for OneFuture {
    fn name(&self) -> &str {
        "one-future"
    }

    fn run(&self, root: Root) {
        let face = Face::new(Bare)
            .lacks(Capability::Timer, "it has no clock")
            .lacks(Capability::Spawn, "it runs one future at a time");
        Bare.block_on(root.on(face));
    }
}

fn own_runtime() -> TokioRuntime {
    TokioRuntime::current_thread().expect("the system has what a runtime needs")
}

anysync_conformance::main!(OneFuture, of_runtime("own-runtime", own_runtime));
