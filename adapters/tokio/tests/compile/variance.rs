// What may be taken for one of a shorter lifetime.

use anysync_adapter_tests::covariant;

use sync::{broadcast, mpsc, watch};

covariant! {
    'x mutex_guard: sync::MutexGuard<'x, u8>;
    'x mutex_guard_of_some: sync::MutexGuard<'x, &'static str>;
    'x mapped_mutex_guard: sync::MappedMutexGuard<'x, u8>;
    'x read_guard: sync::RwLockReadGuard<'x, &'x u8>;
    'x read_guard_of_slice: sync::RwLockReadGuard<'x, [&'x u8]>;
    'x write_guard: sync::RwLockWriteGuard<'x, u8>;
    'x mapped_write_guard: sync::RwLockMappedWriteGuard<'x, u8>;
    'x owned_read_guard: sync::OwnedRwLockReadGuard<u8, &'x u8>;
    'x owned_read_guard_of_dyn: sync::OwnedRwLockReadGuard<u8, dyn std::fmt::Debug + 'x>;
    'x owned_read_guard_of_slice: sync::OwnedRwLockReadGuard<[&'static u8], [&'x u8]>;
    'x owned_read_guard_whole: sync::OwnedRwLockReadGuard<&'static u8, &'x u8>;
    'x set_error: sync::SetError<&'x u8>;
    'x set_once_error: sync::SetOnceError<&'x u8>;
    'x permit: mpsc::Permit<'x, u8>;
    'x permits: mpsc::PermitIterator<'x, u8>;
    'x send_error: mpsc::error::SendError<&'x u8>;
    'x try_send_error: mpsc::error::TrySendError<&'x u8>;
    'x send_timeout_error: mpsc::error::SendTimeoutError<&'x u8>;
    'x watch_ref: watch::Ref<'x, &'x u8>;
    'x watch_send_error: watch::error::SendError<&'x u8>;
    'x broadcast_send_error: broadcast::error::SendError<&'x u8>;
    'x semaphore_permit: sync::SemaphorePermit<'x>;
    'x notified: sync::futures::Notified<'x>;
    'x drop_guard_ref: util::DropGuardRef<'x>;
    'x cancelled: util::WaitForCancellationFuture<'x>;
}

/// As above, and the lifetimes of the whole stay as they are.
pub(crate) fn part<'long: 'short, 'short>(
    guard: sync::OwnedRwLockReadGuard<&'long str, &'long str>,
) -> sync::OwnedRwLockReadGuard<&'long str, &'short str> {
    guard
}

/// A part of what has lifetimes.
pub(crate) fn locked_part(
    mutex: sync::OwnedMutexGuard<(u8, &str)>,
) -> sync::OwnedMappedMutexGuard<(u8, &str), &str> {
    sync::OwnedMutexGuard::map(mutex, |pair| &mut pair.1)
}

/// A part of what has lifetimes.
pub(crate) fn written_part(
    rwlock: sync::OwnedRwLockWriteGuard<(u8, &str)>,
) -> sync::OwnedRwLockMappedWriteGuard<(u8, &str), u8> {
    sync::OwnedRwLockWriteGuard::map(rwlock, |pair| &mut pair.0)
}

/// What is read of what has lifetimes.
pub(crate) fn read_part(
    rwlock: sync::OwnedRwLockWriteGuard<(u8, &str)>,
) -> sync::OwnedRwLockReadGuard<(u8, &str), u8> {
    sync::OwnedRwLockWriteGuard::downgrade_map(rwlock, |pair| &pair.0)
}
