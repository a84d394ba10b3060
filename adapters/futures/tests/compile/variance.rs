// What may be taken for one of a shorter lifetime.

use anysync_adapter_tests::covariant;

use channel::{mpsc, oneshot};

covariant! {
    'x mutex_guard: lock::MutexGuard<'x, u8>;
    'x mapped_mutex_guard: lock::MappedMutexGuard<'x, u8, u8>;
    'x lock_future: lock::MutexLockFuture<'x, u8>;
    'x cancellation: oneshot::Cancellation<'x, u8>;
    'x recv: mpsc::Recv<'x, mpsc::Receiver<u8>>;
    'x try_send_error: mpsc::TrySendError<&'x u8>;
}
