//! What may be sent, shared, copied and moved.

use std::cell::Cell;
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use anysync::{Block, Join, Runtime, SpawnBlocking, SpawnLocal, Timer};
use anysync_tokio::{Sleep, Tokio, TokioHandle, TokioJoin, TokioLocal, TokioRuntime};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Tokio: Runtime, SpawnLocal, Copy, Default, Debug, Send, Sync, Unpin);
assert_impl_all!(Tokio: UnwindSafe, RefUnwindSafe);

assert_impl_all!(TokioHandle: Runtime, Clone, Debug, Send, Sync, Unpin);
assert_impl_all!(TokioHandle: UnwindSafe, RefUnwindSafe);

assert_impl_all!(TokioRuntime: Runtime, Clone, Debug, Send, Sync, Unpin);
assert_impl_all!(TokioRuntime: UnwindSafe, RefUnwindSafe);

assert_impl_all!(TokioLocal: SpawnLocal, SpawnBlocking, Block, Timer, Clone, Debug, Unpin);
assert_not_impl_any!(TokioLocal: Send, Sync);

assert_impl_all!(TokioJoin<Cell<u8>>: Join<Cell<u8>>, Debug, Send, Sync, Unpin);
assert_impl_all!(TokioJoin<Rc<u8>>: Join<Rc<u8>>, Unpin);
assert_not_impl_any!(TokioJoin<Rc<u8>>: Send, Sync);

assert_impl_all!(Sleep: Future<Output = ()>, Debug, Send, Sync);
assert_not_impl_any!(Sleep: Unpin);

/// The published numbers, and no more where another crate turns `futures-sink` on.
#[test]
fn channel_handles_are_small() {
    use anysync_tokio::sync::mpsc::{
        OwnedPermit, Receiver, Sender, UnboundedReceiver, UnboundedSender, WeakSender,
    };

    assert!(size_of::<Sender<u64>>() <= 16 && size_of::<Receiver<u64>>() <= 16);
    assert!(size_of::<UnboundedSender<u64>>() <= 16);
    assert!(size_of::<UnboundedReceiver<u64>>() <= 16);
    assert!(size_of::<OwnedPermit<u64>>() <= 16 && size_of::<WeakSender<u64>>() <= 8);
}
