//! What may be sent, shared, copied and moved.

use std::fmt::Debug;
use std::hash::Hash;
use std::rc::Rc;

use anysync::{Block, Runtime, SpawnBlocking, SpawnLocal};
use anysync_sim::{
    Builder, Explored, Failure, Instant, JoinHandle, Sim, Sleep, Strategy, TaskBuilder, Waiting,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Sim: Runtime, SpawnLocal, SpawnBlocking, Block, Clone, Debug, Send, Sync, Unpin);
assert_impl_all!(Sleep: Future<Output = ()>, Debug, Send, Sync, Unpin);
assert_impl_all!(Instant: Copy, Ord, Hash, Debug, Send, Sync, Unpin);
assert_impl_all!(JoinHandle<u8>: Send, Sync, Unpin, Debug);
assert_impl_all!(JoinHandle<Rc<u8>>: Unpin);
assert_not_impl_any!(JoinHandle<Rc<u8>>: Send, Sync);
assert_impl_all!(Waiting<std::future::Ready<u8>>: Send, Sync, Unpin, Debug);
assert_not_impl_any!(Waiting<std::future::Ready<Rc<u8>>>: Send, Sync);
assert_impl_all!(TaskBuilder<'_>: Send, Sync, Unpin, Debug);
assert_impl_all!(Builder: Clone, Default, Debug, Send, Sync, Unpin);
assert_impl_all!(Strategy: Copy, Default, Debug, Send, Sync, Unpin);
assert_impl_all!(Explored: Copy, Debug, Send, Sync, Unpin);
assert_impl_all!(Failure: std::error::Error, Send, Sync, Unpin);
