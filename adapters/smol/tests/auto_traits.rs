//! What may be sent, shared, copied and moved.

use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};

use anysync::{Block, Runtime, SpawnBlocking, SpawnLocal, Timer};
use anysync_smol::{Sleep, Smol, SmolExecutor, SmolLocal};
use smol::{Executor, LocalExecutor};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Smol: Runtime, Copy, Default, Debug, Send, Sync, Unpin);
assert_impl_all!(Smol: UnwindSafe, RefUnwindSafe);

assert_impl_all!(SmolExecutor: Runtime, Clone, Default, Debug, Send, Sync, Unpin);
assert_impl_all!(SmolExecutor: UnwindSafe, RefUnwindSafe);
assert_impl_all!(SmolExecutor<&'static Executor<'static>>: Runtime, Copy, Debug);

assert_impl_all!(SmolLocal: SpawnLocal, SpawnBlocking, Block, Timer, Clone, Default, Debug, Unpin);
assert_impl_all!(SmolLocal<&'static LocalExecutor<'static>>: SpawnLocal, Copy);
assert_not_impl_any!(SmolLocal: Send, Sync);

assert_impl_all!(Sleep: Future<Output = ()>, Debug, Send, Sync, Unpin);

/// The published numbers, and no more where another crate turns `futures-sink` on.
#[test]
fn channel_handles_are_small() {
    use anysync_smol::channel::{Receiver, Sender, WeakReceiver, WeakSender};

    assert!(size_of::<Sender<u64>>() <= 16 && size_of::<Receiver<u64>>() <= 16);
    assert!(size_of::<WeakSender<u64>>() <= 8 && size_of::<WeakReceiver<u64>>() <= 8);
}
