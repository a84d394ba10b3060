//! The drop-ins beside the originals. What async-std re-exports is the original of
//! `anysync_smol`, and what we re-export is that crate's: the bodies of its face
//! tests hold for both. What is async-std's own has a body here.

#![forbid(unsafe_code)]

mod channel;
mod condvar;
mod names;

use std::any::TypeId;

/// `original: path as path, ours: path as path` are the same types.
macro_rules! same {
    ($($left:ty = $right:ty;)+) => {$(
        assert_eq!(TypeId::of::<$left>(), TypeId::of::<$right>(), stringify!($left));
    )+};
}

#[test]
fn the_bodies_of_smol_are_about_these_types() {
    use anysync_async_std::sync as ours;
    use anysync_smol::lock;
    use async_std::sync as original;

    same! {
        original::Arc<u8> = ours::Arc<u8>;
        original::Weak<u8> = ours::Weak<u8>;
        original::Mutex<u8> = async_lock::Mutex<u8>;
        ours::Mutex<u8> = lock::Mutex<u8>;
        original::MutexGuard<'static, u8> = async_lock::MutexGuard<'static, u8>;
        ours::MutexGuard<'static, u8> = lock::MutexGuard<'static, u8>;
        original::MutexGuardArc<u8> = async_lock::MutexGuardArc<u8>;
        ours::MutexGuardArc<u8> = lock::MutexGuardArc<u8>;
        original::RwLock<u8> = async_lock::RwLock<u8>;
        ours::RwLock<u8> = lock::RwLock<u8>;
        original::RwLockReadGuard<'static, u8> = async_lock::RwLockReadGuard<'static, u8>;
        ours::RwLockReadGuard<'static, u8> = lock::RwLockReadGuard<'static, u8>;
        original::RwLockUpgradableReadGuard<'static, u8>
            = async_lock::RwLockUpgradableReadGuard<'static, u8>;
        ours::RwLockUpgradableReadGuard<'static, u8>
            = lock::RwLockUpgradableReadGuard<'static, u8>;
        original::RwLockWriteGuard<'static, u8> = async_lock::RwLockWriteGuard<'static, u8>;
        ours::RwLockWriteGuard<'static, u8> = lock::RwLockWriteGuard<'static, u8>;
        original::Barrier = async_lock::Barrier;
        ours::Barrier = lock::Barrier;
        original::BarrierWaitResult = async_lock::BarrierWaitResult;
        ours::BarrierWaitResult = lock::BarrierWaitResult;
    }
    use anysync_async_std::channel as our_channel;
    same! {
        our_channel::Sender<u8> = anysync_smol::channel::Sender<u8>;
        our_channel::Receiver<u8> = anysync_smol::channel::Receiver<u8>;
    }
}
