// What may be taken for one of a shorter lifetime.

use anysync_adapter_tests::covariant;

covariant! {
    'x mutex_guard: lock::MutexGuard<'x, u8>;
    'x read_guard: lock::RwLockReadGuard<'x, &'x u8>;
    'x read_guard_of_slice: lock::RwLockReadGuard<'x, [&'x u8]>;
    'x read_guard_arc: lock::RwLockReadGuardArc<&'x u8>;
    'x upgradable_guard: lock::RwLockUpgradableReadGuard<'x, u8>;
    'x write_guard: lock::RwLockWriteGuard<'x, u8>;
    'x lock_future: lock::futures::Lock<'x, u8>;
    'x read: lock::futures::Read<'x, &'x u8>;
    'x read_of_slice: lock::futures::Read<'x, [&'x u8]>;
    'x read_arc: lock::futures::ReadArc<'x, u8>;
    'x upgradable_read: lock::futures::UpgradableRead<'x, u8>;
    'x upgradable_read_arc: lock::futures::UpgradableReadArc<'x, u8>;
    'x upgrade: lock::futures::Upgrade<'x, u8>;
    'x write: lock::futures::Write<'x, u8>;
    'x write_arc: lock::futures::WriteArc<'x, u8>;
    'x semaphore_guard: lock::SemaphoreGuard<'x>;
    'x acquire: lock::futures::Acquire<'x>;
    'x barrier_wait: lock::futures::BarrierWait<'x>;
    'x send: channel::Send<'x, u8>;
    'x recv: channel::Recv<'x, u8>;
    'x closed: channel::Closed<'x, u8>;
    'x send_error: channel::SendError<&'x u8>;
    'x try_send_error: channel::TrySendError<&'x u8>;
    'x slot: listened::StackSlot<'x, u8>;
    'x listener: listened::StackListener<'static, 'x, u8>;
}
