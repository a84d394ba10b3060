//! async-std, whose executor is global.

use anysync::Block;
use anysync_async_std::AsyncStd;

use crate::backend::{Backend, Capability, Face, Root};

/// async-std's executor.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnAsyncStd;

impl Backend for OnAsyncStd {
    fn name(&self) -> &str {
        "async-std"
    }

    fn run(&self, root: Root) {
        let face = Face::runtime(AsyncStd)
            .spawn_local(AsyncStd)
            .lacks(Capability::Budget, super::NO_BUDGET);
        AsyncStd.block_on(root.on(face));
    }
}
