mod block_on;
mod forwarding;
mod join;
mod tasks;
mod timers;

use core::cell::Cell;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use static_assertions::{assert_impl_all, assert_not_impl_any, assert_obj_safe};

use super::*;

assert_obj_safe!(Io);
assert_impl_all!(JoinError: Send, Sync, Unpin, std::error::Error);
assert_impl_all!(Elapsed: Send, Sync, Unpin, Copy, std::error::Error);
assert_impl_all!(YieldNow: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);

// A handle hands values over, so it may be shared when they may be sent.
assert_impl_all!(TaskHandle<Cell<u8>>: Send, Sync, Unpin);
assert_not_impl_any!(TaskHandle<Rc<u8>>: Send, Sync);
assert_impl_all!(TaskHandle<Rc<u8>>: Unpin);
assert_impl_all!(Packaged<core::future::Pending<u8>>: Send, Sync);
assert_not_impl_any!(Packaged<core::future::Pending<Rc<u8>>>: Send, Sync);
assert_impl_all!(Timeout<core::future::Ready<u8>, YieldNow>: Send, Sync, Unpin);
assert_not_impl_any!(Timeout<core::future::Ready<Rc<u8>>, YieldNow>: Send, Sync);
