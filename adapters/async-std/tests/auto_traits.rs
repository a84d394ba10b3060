//! What may be sent, shared, copied and moved.

use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};

use anysync::{Runtime, SpawnLocal};
use anysync_async_std::{AsyncStd, Sleep};
use static_assertions::assert_impl_all;

assert_impl_all!(AsyncStd: Runtime, SpawnLocal, Copy, Default, Debug, Send, Sync, Unpin);
assert_impl_all!(AsyncStd: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Sleep: Future<Output = ()>, Debug, Send, Sync, Unpin);
