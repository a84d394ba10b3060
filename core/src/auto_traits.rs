//! Which auto traits each public type has, in one place. A line that does not
//! hold does not compile.
//!
//! Wrong bounds here are how a lock that looks right is unsound: so the absent
//! traits are stated as well as the present ones.

use core::cell::Cell;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::action::{Call, CallAsync};
use crate::{
    Bare, Barrier, Mutex, MutexGuard, Notify, OnceCell, Semaphore, SemaphorePermit, barrier, mutex,
    notify, once_cell, semaphore,
};

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

// Barrier
assert_impl_all!(Barrier: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(barrier::Wait<'static>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(barrier::Wait<'static>: Unpin);
assert_not_impl_any!(barrier::Wait<'static, Local>: Send, Sync);
assert_impl_all!(barrier::Wait<'static, Unshared>: Send);
assert_not_impl_any!(barrier::Wait<'static, Unshared>: Sync);
assert_impl_all!(barrier::WaitThen<'static, Call<fn()>>: Send, Sync, UnwindSafe);
assert_not_impl_any!(barrier::WaitThen<'static, Call<fn()>>: Unpin);
assert_not_impl_any!(barrier::WaitThen<'static, Call<fn()>, Local>: Send, Sync);
type Act<F> = barrier::WaitThen<'static, CallAsync<fn() -> F, F>>;
assert_impl_all!(Act<core::future::Ready<()>>: Send, Sync);
assert_not_impl_any!(Act<core::pin::Pin<std::boxed::Box<dyn Future<Output = ()>>>>: Send, Sync);
assert_impl_all!(barrier::Waiter<'static>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(barrier::Waiter<'static>: Unpin);

// OnceCell
assert_impl_all!(OnceCell<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
// A value that may be sent and not shared: so the cell.
assert_impl_all!(OnceCell<Cell<u8>>: Send, UnwindSafe);
assert_not_impl_any!(OnceCell<Cell<u8>>: Sync, RefUnwindSafe);
assert_not_impl_any!(OnceCell<Rc<u8>>: Send, Sync);
// A value that may be shared and not sent: a shared cell takes values in.
assert_not_impl_any!(OnceCell<std::sync::MutexGuard<'static, u8>>: Send, Sync);
assert_not_impl_any!(OnceCell<core::marker::PhantomPinned>: Unpin);
assert_impl_all!(once_cell::Wait<'static, u8>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(once_cell::Wait<'static, u8>: Unpin);
assert_not_impl_any!(once_cell::Wait<'static, Cell<u8>>: Send, Sync);
assert_not_impl_any!(once_cell::Wait<'static, u8, Local>: Send, Sync);
assert_impl_all!(once_cell::Wait<'static, u8, Unshared>: Send);
assert_not_impl_any!(once_cell::Wait<'static, u8, Unshared>: Sync);
assert_impl_all!(once_cell::InitWaiter<'static, u8>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(once_cell::InitWaiter<'static, u8>: Unpin);
assert_not_impl_any!(once_cell::InitWaiter<'static, Cell<u8>>: Send, Sync);
type Init = fn() -> u8;
type Later<F> = once_cell::GetOrInit<'static, u8, CallAsync<fn() -> F, F>>;
assert_impl_all!(once_cell::GetOrInit<'static, u8, Call<Init>>: Send, Sync, UnwindSafe);
assert_not_impl_any!(once_cell::GetOrInit<'static, u8, Call<Init>>: Unpin);
assert_not_impl_any!(once_cell::GetOrInit<'static, u8, Call<Init>, Local>: Send, Sync);
assert_impl_all!(Later<core::future::Ready<u8>>: Send, Sync);
assert_not_impl_any!(Later<core::pin::Pin<std::boxed::Box<dyn Future<Output = u8>>>>: Send, Sync);
assert_impl_all!(once_cell::SetError<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);

// Mutex: a lock hands its value from thread to thread, so `T: Send` makes it
// `Sync`; a guard also lends the lock, so it asks for both to be shared.
type Unsent = std::sync::MutexGuard<'static, ()>;
assert_impl_all!(Mutex<u8>: Send, Sync, Unpin, UnwindSafe);
assert_not_impl_any!(Mutex<u8>: RefUnwindSafe);
assert_impl_all!(Mutex<Cell<u8>>: Send, Sync);
assert_not_impl_any!(Mutex<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Mutex<Unsent>: Send, Sync);
assert_not_impl_any!(Mutex<&'static mut u8>: UnwindSafe);
assert_impl_all!(Mutex<[u8]>: Send, Sync);
assert_impl_all!(MutexGuard<'static, u8>: Send, Sync, Unpin);
assert_impl_all!(MutexGuard<'static, Cell<u8>>: Send);
assert_not_impl_any!(MutexGuard<'static, Cell<u8>>: Sync);
assert_not_impl_any!(MutexGuard<'static, Unsent>: Send, Sync);
assert_not_impl_any!(MutexGuard<'static, Rc<u8>>: Send, Sync);
assert_impl_all!(mutex::Lock<'static, Cell<u8>>: Send, Sync);
assert_not_impl_any!(mutex::Lock<'static, u8>: Unpin);
assert_not_impl_any!(mutex::Lock<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(mutex::Lock<'static, u8, Local>: Send, Sync);
assert_impl_all!(mutex::Lock<'static, u8, Unshared>: Send);
assert_not_impl_any!(mutex::Lock<'static, u8, Unshared>: Sync);
assert_impl_all!(mutex::Waiter<'static, Cell<u8>>: Send, Sync);
assert_not_impl_any!(mutex::Waiter<'static, u8>: Unpin);
assert_not_impl_any!(mutex::Waiter<'static, Rc<u8>>: Send, Sync);

// Semaphore: what owns a share of an `Arc` may be sent and shared where that
// `Arc` may.
type Shared<O> = semaphore::OwnedSemaphorePermit<O>;
type SharedWait<O, I = Bare> = semaphore::AcquireOwned<O, I>;
assert_impl_all!(Semaphore: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(SemaphorePermit<'static>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Shared<Semaphore>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Shared<[u8]>: Send, Sync, Unpin);
assert_not_impl_any!(Shared<Cell<u8>>: Send, Sync, UnwindSafe);
assert_not_impl_any!(Shared<Unsent>: Send, Sync);
assert_not_impl_any!(Shared<Rc<u8>>: Send, Sync);
assert_impl_all!(semaphore::Acquire<'static>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(semaphore::Acquire<'static>: Unpin);
assert_not_impl_any!(semaphore::Acquire<'static, Local>: Send, Sync);
assert_impl_all!(semaphore::Acquire<'static, Unshared>: Send);
assert_not_impl_any!(semaphore::Acquire<'static, Unshared>: Sync);
assert_impl_all!(SharedWait<Semaphore>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(SharedWait<Semaphore>: Unpin);
assert_not_impl_any!(SharedWait<Cell<u8>>: Send, Sync);
assert_not_impl_any!(SharedWait<Unsent>: Send, Sync);
assert_not_impl_any!(SharedWait<Semaphore, Local>: Send, Sync);
assert_impl_all!(SharedWait<Semaphore, Unshared>: Send);
assert_not_impl_any!(SharedWait<Semaphore, Unshared>: Sync);
assert_impl_all!(semaphore::Waiter<'static>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(semaphore::Waiter<'static>: Unpin);
assert_impl_all!(semaphore::AcquireError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(semaphore::AddPermitsError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(semaphore::TryAcquireError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
