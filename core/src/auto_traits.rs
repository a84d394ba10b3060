//! Which auto traits each public type has, in one place. A line that does not
//! hold does not compile.
//!
//! Wrong bounds here are how a lock that looks right is unsound: so the absent
//! traits are stated as well as the present ones.

use core::cell::Cell;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::{Bare, Notify, notify};

/// An `Io` of one thread alone.
type Local = Rc<Bare>;
/// An `Io` that may be sent and not shared.
type Unshared = Cell<Bare>;

// Notify
assert_impl_all!(Notify: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(notify::Wait<'static>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(notify::Wait<'static>: Unpin);
assert_not_impl_any!(notify::Wait<'static, Local>: Send, Sync);
assert_impl_all!(notify::Wait<'static, Unshared>: Send);
assert_not_impl_any!(notify::Wait<'static, Unshared>: Sync);
assert_impl_all!(notify::OwnedWait: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(notify::OwnedWait: Unpin);
assert_not_impl_any!(notify::OwnedWait<Local>: Send, Sync);
assert_impl_all!(notify::Waiter<'static>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(notify::Waiter<'static>: Unpin);
