//! Which auto traits each public type has, in one place. A line that does not
//! hold does not compile.
//!
//! Wrong bounds here are how a lock that looks right is unsound: so the absent
//! traits are stated as well as the present ones.

use core::cell::Cell;
use core::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::action::{Call, CallAsync, TryCall, TryCallAsync};
use crate::{
    Bare, Barrier, CancellationToken, Condvar, Fairness, MappedMutexGuard, Mutex, MutexGuard,
    Notify, OnceCell, OwnedMappedMutexGuard, OwnedMutexGuard, RwLock, Semaphore, SemaphorePermit,
    barrier, cancellation, condvar, mutex, notify, once_cell, oneshot, rwlock, semaphore,
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
assert_not_impl_any!(notify::OwnedWait<Bare, Cell<u8>>: Send, Sync);
assert_not_impl_any!(notify::OwnedWait<Bare, Unsent>: Send, Sync);
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
assert_impl_all!(barrier::WaitThen<'static, TryCall<fn() -> Result<(), u8>>>: Send, Sync);
type TryAct<F> = barrier::WaitThen<'static, TryCallAsync<fn() -> F, F>>;
assert_impl_all!(TryAct<core::future::Ready<Result<(), u8>>>: Send, Sync);
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
assert_impl_all!(Fairness: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);

// The guard of a part knows nothing of the rest: it is a `&mut U`.
assert_impl_all!(MappedMutexGuard<'static, u8>: Send, Sync, Unpin);
assert_impl_all!(MappedMutexGuard<'static, Cell<u8>>: Send);
assert_not_impl_any!(MappedMutexGuard<'static, Cell<u8>>: Sync);
assert_impl_all!(MappedMutexGuard<'static, Unsent>: Sync);
assert_not_impl_any!(MappedMutexGuard<'static, Unsent>: Send);
assert_not_impl_any!(MappedMutexGuard<'static, Rc<u8>>: Send, Sync);

// What owns a share of an `Arc<O>` may be the last to drop the `O`, on whatever
// thread, while others share it: so `O` has to be both, whatever the value is.
type Owned<T, O = Mutex<T>> = OwnedMutexGuard<T, O>;
assert_impl_all!(Owned<u8>: Send, Sync, Unpin);
assert_impl_all!(Owned<Cell<u8>>: Send);
assert_not_impl_any!(Owned<Cell<u8>>: Sync);
assert_not_impl_any!(Owned<Unsent>: Send, Sync);
assert_not_impl_any!(Owned<Rc<u8>>: Send, Sync);
assert_impl_all!(Owned<u8, [u8]>: Send, Sync);
assert_not_impl_any!(Owned<u8, Cell<u8>>: Send, Sync);
assert_not_impl_any!(Owned<u8, Unsent>: Send, Sync);
assert_not_impl_any!(Owned<Unsent, u8>: Send, Sync);
type OwnedPart<U, O> = OwnedMappedMutexGuard<U, O>;
assert_impl_all!(OwnedPart<u8, Mutex<Cell<u8>>>: Send, Sync, Unpin);
assert_impl_all!(OwnedPart<Cell<u8>, Mutex<u8>>: Send);
assert_not_impl_any!(OwnedPart<Cell<u8>, Mutex<u8>>: Sync);
assert_impl_all!(OwnedPart<Unsent, u8>: Sync);
assert_not_impl_any!(OwnedPart<Unsent, u8>: Send);
assert_not_impl_any!(OwnedPart<u8, Cell<u8>>: Send, Sync);
assert_not_impl_any!(OwnedPart<u8, Unsent>: Send, Sync);
assert_not_impl_any!(OwnedPart<u8, Rc<u8>>: Send, Sync);
type LockOwned<T, O = Mutex<T>, I = Bare> = mutex::LockOwned<T, O, I>;
assert_impl_all!(LockOwned<Cell<u8>>: Send, Sync);
assert_not_impl_any!(LockOwned<u8>: Unpin);
assert_not_impl_any!(LockOwned<Unsent>: Send, Sync);
assert_not_impl_any!(LockOwned<u8, Cell<u8>>: Send, Sync);
assert_not_impl_any!(LockOwned<u8, Unsent>: Send, Sync);
assert_not_impl_any!(LockOwned<u8, Mutex<u8>, Local>: Send, Sync);
assert_impl_all!(LockOwned<u8, Mutex<u8>, Unshared>: Send);
assert_not_impl_any!(LockOwned<u8, Mutex<u8>, Unshared>: Sync);

// Condvar: a wait has a guard, and a way to the lock.
type Waits<T, I = Bare> = condvar::Wait<'static, T, I>;
type WaitsWhile<T, F, I = Bare> = condvar::WaitWhile<'static, T, F, I>;
assert_impl_all!(Condvar: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Waits<u8>: Send, Sync);
assert_impl_all!(Waits<Cell<u8>>: Send);
assert_not_impl_any!(Waits<Cell<u8>>: Sync);
assert_not_impl_any!(Waits<u8>: Unpin);
assert_not_impl_any!(Waits<Unsent>: Send, Sync);
assert_not_impl_any!(Waits<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Waits<u8, Local>: Send, Sync);
assert_impl_all!(Waits<u8, Unshared>: Send);
assert_not_impl_any!(Waits<u8, Unshared>: Sync);
assert_impl_all!(WaitsWhile<u8, fn(&mut u8) -> bool>: Send, Sync);
assert_not_impl_any!(WaitsWhile<u8, fn(&mut u8) -> bool>: Unpin);
assert_not_impl_any!(WaitsWhile<u8, Rc<()>>: Send, Sync);
assert_not_impl_any!(WaitsWhile<Rc<u8>, fn(&mut Rc<u8>) -> bool>: Send, Sync);
assert_impl_all!(condvar::Waiter<'static>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(condvar::Waiter<'static>: Unpin);

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

// Event: a tag goes from thread to thread, like a message.
mod event {
    use super::*;
    use crate::event::{Event, Listener, OwnedListener};

    assert_impl_all!(Event<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_not_impl_any!(Event<Rc<u8>>: Send, Sync);
    assert_impl_all!(Listener<'static, Cell<u8>>: Send, Sync, UnwindSafe, RefUnwindSafe);
    assert_not_impl_any!(Listener<'static, Rc<u8>>: Send, Sync);
    assert_not_impl_any!(Listener<'static>: Unpin);
    assert_not_impl_any!(Listener<'static, (), Local>: Send, Sync);
    assert_impl_all!(OwnedListener<Cell<u8>>: Send, Sync, UnwindSafe, RefUnwindSafe);
    assert_not_impl_any!(OwnedListener<Rc<u8>>: Send, Sync);
    assert_not_impl_any!(OwnedListener: Unpin);
    assert_not_impl_any!(OwnedListener<(), Local>: Send, Sync);
}

// RwLock: it hands its value from thread to thread and lends it to several, so it
// asks for both. A read guard is a `&T`, a mapped write guard a `&mut T`; the
// others lead to the lock as well. What owns a share also asks for the `Arc`'s.
assert_impl_all!(RwLock<u8>: Send, Sync, Unpin, UnwindSafe);
assert_not_impl_any!(RwLock<u8>: RefUnwindSafe);
assert_impl_all!(RwLock<Cell<u8>>: Send);
assert_not_impl_any!(RwLock<Cell<u8>>: Sync);
assert_not_impl_any!(RwLock<Unsent>: Send, Sync);
assert_not_impl_any!(RwLock<Rc<u8>>: Send, Sync);
assert_not_impl_any!(RwLock<&'static mut u8>: UnwindSafe);
assert_impl_all!(RwLock<[u8]>: Send, Sync);
type ReadGuard<T> = rwlock::RwLockReadGuard<'static, T>;
assert_impl_all!(ReadGuard<u8>: Send, Sync, Unpin);
assert_impl_all!(ReadGuard<Unsent>: Send, Sync);
assert_not_impl_any!(ReadGuard<Cell<u8>>: Send, Sync);
type UpgradableGuard<T> = rwlock::RwLockUpgradableReadGuard<'static, T>;
assert_impl_all!(UpgradableGuard<u8>: Send, Sync, Unpin);
assert_not_impl_any!(UpgradableGuard<Unsent>: Send, Sync);
assert_not_impl_any!(UpgradableGuard<Cell<u8>>: Send, Sync);
type WriteGuard<T> = rwlock::RwLockWriteGuard<'static, T>;
assert_impl_all!(WriteGuard<u8>: Send, Sync, Unpin);
assert_not_impl_any!(WriteGuard<Unsent>: Send, Sync);
assert_not_impl_any!(WriteGuard<Cell<u8>>: Send, Sync);
type MappedGuard<T> = rwlock::RwLockMappedWriteGuard<'static, T>;
assert_impl_all!(MappedGuard<u8>: Send, Sync, Unpin);
assert_impl_all!(MappedGuard<Cell<u8>>: Send);
assert_not_impl_any!(MappedGuard<Cell<u8>>: Sync);
assert_impl_all!(MappedGuard<Unsent>: Sync);
assert_not_impl_any!(MappedGuard<Unsent>: Send);
assert_not_impl_any!(MappedGuard<Rc<u8>>: Send, Sync);
type OwnedRead<T, O = RwLock<T>> = rwlock::OwnedRwLockReadGuard<T, O>;
assert_impl_all!(OwnedRead<u8>: Send, Sync, Unpin);
assert_impl_all!(OwnedRead<[u8], RwLock<u8>>: Send, Sync, Unpin);
assert_not_impl_any!(OwnedRead<Cell<u8>, u8>: Send, Sync);
assert_not_impl_any!(OwnedRead<u8, Cell<u8>>: Send, Sync);
assert_not_impl_any!(OwnedRead<u8, Unsent>: Send, Sync);
type OwnedUpgradable<T, O = RwLock<T>> = rwlock::OwnedRwLockUpgradableReadGuard<T, O>;
assert_impl_all!(OwnedUpgradable<u8>: Send, Sync, Unpin);
assert_not_impl_any!(OwnedUpgradable<Cell<u8>, u8>: Send, Sync);
assert_not_impl_any!(OwnedUpgradable<Unsent, u8>: Send, Sync);
assert_not_impl_any!(OwnedUpgradable<u8, Unsent>: Send, Sync);
type OwnedWrite<T, O = RwLock<T>> = rwlock::OwnedRwLockWriteGuard<T, O>;
assert_impl_all!(OwnedWrite<u8>: Send, Sync, Unpin);
assert_not_impl_any!(OwnedWrite<Cell<u8>, u8>: Send, Sync);
assert_not_impl_any!(OwnedWrite<Unsent, u8>: Send, Sync);
assert_not_impl_any!(OwnedWrite<u8, Cell<u8>>: Send, Sync);
type OwnedMapped<T, O = RwLock<T>> = rwlock::OwnedRwLockMappedWriteGuard<T, O>;
assert_impl_all!(OwnedMapped<u8>: Send, Sync, Unpin);
assert_impl_all!(OwnedMapped<Cell<u8>, u8>: Send);
assert_not_impl_any!(OwnedMapped<Cell<u8>, u8>: Sync);
assert_impl_all!(OwnedMapped<Unsent, u8>: Sync);
assert_not_impl_any!(OwnedMapped<Unsent, u8>: Send);
assert_not_impl_any!(OwnedMapped<u8, Cell<u8>>: Send, Sync);
macro_rules! waits_of_rwlock {
    ($($wait:ident)*; $($owned:ident)*) => {
        $(
            assert_impl_all!(rwlock::$wait<'static, u8>: Send, Sync);
            assert_not_impl_any!(rwlock::$wait<'static, u8>: Unpin);
            assert_not_impl_any!(rwlock::$wait<'static, Cell<u8>>: Send, Sync);
            assert_not_impl_any!(rwlock::$wait<'static, u8, Local>: Send, Sync);
            assert_impl_all!(rwlock::$wait<'static, u8, Unshared>: Send);
            assert_not_impl_any!(rwlock::$wait<'static, u8, Unshared>: Sync);
        )*
        $(
            assert_impl_all!(rwlock::$owned<u8>: Send, Sync);
            assert_not_impl_any!(rwlock::$owned<u8>: Unpin);
            assert_not_impl_any!(rwlock::$owned<Cell<u8>, u8>: Send, Sync);
            assert_not_impl_any!(rwlock::$owned<u8, Cell<u8>>: Send, Sync);
            assert_not_impl_any!(rwlock::$owned<u8, u8, Local>: Send, Sync);
            assert_impl_all!(rwlock::$owned<u8, u8, Unshared>: Send);
            assert_not_impl_any!(rwlock::$owned<u8, u8, Unshared>: Sync);
        )*
    };
}
waits_of_rwlock!(
    Read UpgradableRead Write Upgrade;
    ReadOwned UpgradableReadOwned WriteOwned UpgradeOwned
);
// What reads becomes an `&T` and leads to nothing else, what writes can become both.
assert_impl_all!(rwlock::Read<'static, Unsent>: Send, Sync);
assert_not_impl_any!(rwlock::UpgradableRead<'static, Unsent>: Send, Sync);
assert_not_impl_any!(rwlock::Write<'static, Unsent>: Send, Sync);
assert_not_impl_any!(rwlock::Upgrade<'static, Unsent>: Send, Sync);
// The owner may go with the guard that does not name it.
assert_impl_all!(rwlock::HiddenReadGuard<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(rwlock::HiddenReadGuard<Unsent>: Sync);
assert_not_impl_any!(rwlock::HiddenReadGuard<Unsent>: Send);
assert_not_impl_any!(rwlock::HiddenReadGuard<Cell<u8>>: Send, Sync);
assert_not_impl_any!(rwlock::HiddenReadGuard<Rc<u8>>: Send, Sync);
assert_impl_all!(rwlock::Waiter<'static>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(rwlock::Waiter<'static>: Unpin);

// What a face of another interface is made of: it adds what the original's types have,
// and no way to what they do not lead to.
mod face {
    use super::*;
    use crate::face::{Exclusive, Part, PartMut, ValueOnly};

    assert_impl_all!(Exclusive<Cell<u8>>: Send, Sync, Unpin, UnwindSafe);
    assert_impl_all!(Exclusive<Unsent>: Sync);
    assert_not_impl_any!(Exclusive<Unsent>: Send);
    assert_impl_all!(Exclusive<Rc<u8>>: Sync);
    assert_not_impl_any!(Exclusive<Rc<u8>>: Send);
    assert_not_impl_any!(Exclusive<core::marker::PhantomPinned>: Unpin);
    assert_impl_all!(ValueOnly<MutexGuard<'static, Unsent>>: Sync);
    assert_not_impl_any!(ValueOnly<MutexGuard<'static, Unsent>>: Send);
    assert_not_impl_any!(ValueOnly<MutexGuard<'static, Cell<u8>>>: Sync);
    assert_impl_all!(ValueOnly<MutexGuard<'static, Cell<u8>>>: Send);
    assert_impl_all!(ValueOnly<WriteGuard<Unsent>>: Sync);
    assert_not_impl_any!(ValueOnly<WriteGuard<Unsent>>: Send);
    assert_not_impl_any!(ValueOnly<WriteGuard<Cell<u8>>>: Send, Sync);
    assert_not_impl_any!(ValueOnly<OwnedWrite<Rc<u8>>>: Send, Sync);
    assert_impl_all!(Part<u8, OwnedRead<u8>>: Send, Sync, Unpin);
    assert_impl_all!(Part<Unsent, OwnedRead<u8>>: Send, Sync);
    assert_not_impl_any!(Part<Cell<u8>, OwnedRead<u8>>: Send, Sync);
    assert_not_impl_any!(Part<u8, OwnedRead<Cell<u8>>>: Send, Sync);
    assert_not_impl_any!(Part<u8, OwnedRead<u8, Unsent>>: Send, Sync);
    assert_impl_all!(PartMut<u8, Owned<u8>>: Send, Sync, Unpin);
    assert_impl_all!(PartMut<Cell<u8>, Owned<u8>>: Send);
    assert_not_impl_any!(PartMut<Cell<u8>, Owned<u8>>: Sync);
    assert_impl_all!(PartMut<Unsent, Owned<u8>>: Sync);
    assert_not_impl_any!(PartMut<Unsent, Owned<u8>>: Send);
    assert_not_impl_any!(PartMut<u8, Owned<u8, Cell<u8>>>: Send, Sync);
}

// Channel: a message goes from thread to thread, so `T: Send` makes everything
// about it `Send` and `Sync`, but a future that has a message with it is `Sync`
// only where the message is.
mod channel {
    use super::*;
    use crate::channel::{
        Closed, OwnedPermit, Permit, Permits, Receiver, Recv, RecvError, RecvMany, Reserve,
        ReserveMany, ReserveOwned, Send as Sending, SendError, Sender, TryRecvError, TrySendError,
        Waiter, WeakReceiver, WeakSender,
    };
    use core::marker::PhantomPinned;

    macro_rules! as_the_message {
        ($($handle:ident$(<$lifetime:lifetime>)?),*) => {$(
            assert_impl_all!($handle<$($lifetime,)? Cell<u8>>: Send, Sync);
            assert_not_impl_any!($handle<$($lifetime,)? Rc<u8>>: Send, Sync);
            assert_not_impl_any!($handle<$($lifetime,)? Unsent>: Send, Sync);
            assert_impl_all!($handle<$($lifetime,)? u8>: UnwindSafe, RefUnwindSafe);
        )*};
    }
    as_the_message!(Sender, Receiver, WeakSender, WeakReceiver, OwnedPermit);
    as_the_message!(
        Permit<'static>,
        Permits<'static>,
        Waiter<'static>,
        Recv<'static>
    );
    as_the_message!(
        Reserve<'static>,
        ReserveMany<'static>,
        ReserveOwned,
        Closed<'static>
    );

    // A handle moves while it waits as a stream, and so do what it sends.
    macro_rules! unpin {
        ($($handle:ident$(<$lifetime:lifetime>)?),*) => {$(
            assert_impl_all!($handle<$($lifetime,)? PhantomPinned>: Unpin);
        )*};
    }
    unpin!(
        Sender,
        Receiver,
        WeakSender,
        WeakReceiver,
        OwnedPermit,
        Permit<'static>,
        Permits<'static>
    );
    assert_not_impl_any!(Waiter<'static, u8>: Unpin);
    assert_not_impl_any!(Recv<'static, u8>: Unpin);
    assert_not_impl_any!(ReserveOwned<u8>: Unpin);

    assert_impl_all!(Sending<'static, u8>: Send, Sync, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(Sending<'static, Cell<u8>>: Send);
    assert_not_impl_any!(Sending<'static, Cell<u8>>: Sync);
    assert_not_impl_any!(Sending<'static, Rc<u8>>: Send, Sync);
    assert_not_impl_any!(Sending<'static, u8>: Unpin);
    assert_impl_all!(RecvMany<'static, u8>: Send, Sync);
    assert_not_impl_any!(RecvMany<'static, Rc<u8>>: Send, Sync);
    assert_not_impl_any!(RecvMany<'static, u8>: Unpin);

    // The executor's handle counts, too.
    macro_rules! as_the_io {
        ($($future:ident$(<$lifetime:lifetime>)?),*) => {$(
            assert_not_impl_any!($future<$($lifetime,)? u8, Local>: Send, Sync);
            assert_impl_all!($future<$($lifetime,)? u8, Unshared>: Send);
            assert_not_impl_any!($future<$($lifetime,)? u8, Unshared>: Sync);
        )*};
    }
    as_the_io!(
        Sending<'static>,
        Recv<'static>,
        RecvMany<'static>,
        Reserve<'static>
    );
    as_the_io!(ReserveMany<'static>, ReserveOwned, Closed<'static>);

    assert_impl_all!(SendError<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(TrySendError<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(RecvError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(TryRecvError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
}

// Oneshot: a value goes from thread to thread, so it has to be sent; an end that
// is shared reaches no value.
type Ends<H, T> = (oneshot::Sender<T, H>, oneshot::Receiver<T, H>);
type Heap<T> = Ends<oneshot::Heap, T>;
type Lent<T> = Ends<oneshot::Lent<'static>, T>;
assert_impl_all!(Heap<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Heap<Cell<u8>>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Heap<core::marker::PhantomPinned>: Unpin);
assert_not_impl_any!(oneshot::Sender<Rc<u8>>: Send, Sync);
assert_not_impl_any!(oneshot::Receiver<Rc<u8>>: Send, Sync);
assert_not_impl_any!(oneshot::Sender<Unsent>: Send, Sync);
assert_not_impl_any!(oneshot::Receiver<Unsent>: Send, Sync);
assert_impl_all!(Lent<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(oneshot::SlotSender<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(oneshot::SlotReceiver<'static, Rc<u8>>: Send, Sync);
assert_impl_all!(oneshot::Slot<Cell<u8>>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(oneshot::Slot<Rc<u8>>: Send, Sync);
assert_not_impl_any!(oneshot::Slot<Unsent>: Send, Sync);
type OneshotWaits<T, I = Bare> = (
    oneshot::Recv<'static, T, oneshot::Heap, I>,
    oneshot::Closed<'static, T, oneshot::Heap, I>,
);
assert_impl_all!(OneshotWaits<Cell<u8>>: Send, Sync, Unpin);
assert_not_impl_any!(oneshot::Recv<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(oneshot::Closed<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(oneshot::Recv<'static, u8, oneshot::Heap, Local>: Send, Sync);
assert_not_impl_any!(oneshot::Closed<'static, u8, oneshot::Heap, Local>: Send, Sync);
assert_impl_all!(OneshotWaits<u8, Unshared>: Send);
assert_not_impl_any!(oneshot::Recv<'static, u8, oneshot::Heap, Unshared>: Sync);
assert_not_impl_any!(oneshot::Closed<'static, u8, oneshot::Heap, Unshared>: Sync);
assert_impl_all!(oneshot::SendError<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(oneshot::RecvError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(oneshot::TryRecvError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);

// CancellationToken: nothing of the user's is in it. What runs until it is
// cancelled may go where the future may.
assert_impl_all!(CancellationToken: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(cancellation::DropGuard: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(cancellation::DropGuardRef<'static>: Send, Sync, Unpin, UnwindSafe);
macro_rules! waits_of_cancellation {
    ($($wait:ident$(<$lifetime:lifetime>)?),*) => {$(
        assert_impl_all!(cancellation::$wait<$($lifetime)?>: Send, Sync, UnwindSafe, RefUnwindSafe);
        assert_not_impl_any!(cancellation::$wait<$($lifetime)?>: Unpin);
        assert_not_impl_any!(cancellation::$wait<$($lifetime,)? Local>: Send, Sync);
        assert_impl_all!(cancellation::$wait<$($lifetime,)? Unshared>: Send);
        assert_not_impl_any!(cancellation::$wait<$($lifetime,)? Unshared>: Sync);
    )*};
}
waits_of_cancellation!(Cancelled<'static>, CancelledOwned);
type Runs<F> = cancellation::RunUntilCancelled<'static, F>;
type RunsOwned<F> = cancellation::RunUntilCancelledOwned<F>;
assert_impl_all!(Runs<core::future::Ready<u8>>: Send, Sync);
assert_not_impl_any!(Runs<core::future::Ready<u8>>: Unpin);
assert_not_impl_any!(Runs<core::future::Ready<Rc<u8>>>: Send, Sync);
assert_impl_all!(RunsOwned<core::future::Ready<Cell<u8>>>: Send);
assert_not_impl_any!(RunsOwned<core::future::Ready<Cell<u8>>>: Sync, Unpin);
assert_impl_all!(cancellation::Waiter<'static>: Send, Sync, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(cancellation::Waiter<'static>: Unpin);

// Watch: the value is lent to several threads at once, and is dropped on any.
mod watches {
    use super::*;
    use crate::watch::{Changed, Closed, Receiver, RecvError, Ref, SendError, Sender, WaitFor};

    assert_impl_all!(Sender<u8>: Send, Sync, Unpin);
    assert_impl_all!(Receiver<u8>: Send, Sync, Unpin);
    assert_not_impl_any!(Sender<Cell<u8>>: Send, Sync);
    assert_not_impl_any!(Receiver<Cell<u8>>: Send, Sync);
    assert_not_impl_any!(Sender<Rc<u8>>: Send, Sync);
    assert_impl_all!(Ref<'static, u8>: Send, Sync, Unpin);
    assert_not_impl_any!(Ref<'static, Cell<u8>>: Send, Sync);
    type Looks = fn(&u8) -> bool;
    assert_impl_all!(Changed<'static, u8>: Send, Sync);
    assert_not_impl_any!(Changed<'static, u8>: Unpin);
    assert_not_impl_any!(Changed<'static, Cell<u8>>: Send, Sync);
    assert_not_impl_any!(Changed<'static, u8, Local>: Send, Sync);
    assert_impl_all!(WaitFor<'static, u8, Looks>: Send, Sync);
    assert_not_impl_any!(WaitFor<'static, u8, Looks>: Unpin);
    assert_impl_all!(Closed<'static, u8>: Send, Sync);
    assert_not_impl_any!(Closed<'static, Cell<u8>>: Send, Sync);
    assert_impl_all!(SendError<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(RecvError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
}

// Broadcast: a message is lent to several threads at once, which clone it.
mod broadcasts {
    use super::*;
    use crate::broadcast::{
        Closed, Overflow, Receiver, Recv, RecvError, SendError, SendWait, Sender, TryRecvError,
        WeakSender,
    };

    assert_impl_all!(Overflow: Send, Sync, Unpin, Copy, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(Sender<u8>: Send, Sync, Unpin);
    assert_impl_all!(WeakSender<u8>: Send, Sync, Unpin);
    assert_impl_all!(Receiver<u8>: Send, Sync, Unpin);
    assert_not_impl_any!(Sender<Cell<u8>>: Send, Sync);
    assert_not_impl_any!(WeakSender<Cell<u8>>: Send, Sync);
    assert_not_impl_any!(Receiver<Cell<u8>>: Send, Sync);
    assert_impl_all!(Recv<'static, u8>: Send, Sync);
    assert_not_impl_any!(Recv<'static, u8>: Unpin);
    assert_not_impl_any!(Recv<'static, Cell<u8>>: Send, Sync);
    assert_not_impl_any!(Recv<'static, u8, Local>: Send, Sync);
    assert_impl_all!(SendWait<'static, u8>: Send, Sync);
    assert_not_impl_any!(SendWait<'static, u8>: Unpin);
    assert_not_impl_any!(SendWait<'static, Cell<u8>>: Send, Sync);
    assert_impl_all!(Closed<'static, u8>: Send, Sync);
    assert_impl_all!(SendError<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(RecvError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    assert_impl_all!(TryRecvError: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
}
