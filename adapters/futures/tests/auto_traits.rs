//! What may be sent, shared, copied and moved.

use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};

use anysync::{Block, Runtime, SpawnBlocking, SpawnLocal, Timer};
use anysync_futures::{Futures, FuturesLocal, FuturesPool, Sleep};
use static_assertions::{assert_impl_all, assert_not_impl_any};

assert_impl_all!(Futures: Runtime, Copy, Default, Debug, Send, Sync, Unpin);
assert_impl_all!(Futures: UnwindSafe, RefUnwindSafe);

assert_impl_all!(FuturesPool: Runtime, Clone, Debug, Send, Sync, Unpin);
assert_impl_all!(FuturesPool: UnwindSafe, RefUnwindSafe);

assert_impl_all!(FuturesLocal: SpawnLocal, SpawnBlocking, Block, Timer, Clone, Default, Debug, Unpin);
assert_not_impl_any!(FuturesLocal: Send, Sync);

assert_impl_all!(Sleep: Future<Output = ()>, Debug, Send, Sync, Unpin);
