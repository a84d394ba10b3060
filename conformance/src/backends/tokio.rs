//! tokio, with each of its schedulers.

use anysync::Block;
use anysync_tokio::{Tokio, TokioHandle, TokioLocal, TokioRuntime};

use crate::backend::{Backend, Capability, Face, Root};

/// A single-threaded runtime, with a `LocalSet` for tasks that are not `Send`;
/// used through the ambient handle.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioCurrentThread;

impl Backend for TokioCurrentThread {
    fn name(&self) -> &str {
        "tokio-current-thread"
    }

    fn run(&self, root: Root) {
        let runtime = TokioLocal::new().expect("the system has what a runtime needs");
        let face = Face::runtime(Tokio)
            .spawn_local(Tokio)
            .block_on(TokioHandle::new(runtime.handle().clone()))
            .budget();
        runtime.block_on(root.on(face));
    }
}

/// A runtime with worker threads, used through its handle.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioMultiThread;

impl Backend for TokioMultiThread {
    fn name(&self) -> &str {
        "tokio-multi-thread"
    }

    fn run(&self, root: Root) {
        let runtime = TokioRuntime::multi_thread().expect("the system has what a runtime needs");
        let face = Face::runtime(TokioHandle::new(runtime.handle().clone()))
            .lacks(
                Capability::SpawnLocal,
                "its tasks move between the workers; tokio-current-thread has a `LocalSet`",
            )
            .budget();
        runtime.block_on(root.on(face));
    }
}
