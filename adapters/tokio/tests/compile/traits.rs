// Which traits each public type has, and each future that has no name.

use anysync_adapter_tests::compile::Row;
use anysync_adapter_tests::{conversions, rows};
use std::future::Ready;
use std::sync::Arc;

use sync::{broadcast, mpsc, oneshot, watch};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    locks(&mut rows);
    cells(&mut rows);
    channels(&mut rows);
    broadcasts(&mut rows);
    signals(&mut rows);
    conversions(&mut rows);
    rows
}

fn locks(rows: &mut Vec<Row>) {
    rows!(rows, any T, types {
        sync::Mutex<T>;
        sync::MutexGuard<'static, T>;
        sync::OwnedMutexGuard<T>;
        sync::MappedMutexGuard<'static, T>;
        sync::OwnedMappedMutexGuard<T, T>;
        sync::OwnedMappedMutexGuard<T, u8>;
        sync::OwnedMappedMutexGuard<u8, T>;
        sync::RwLock<T>;
        sync::RwLockReadGuard<'static, T>;
        sync::RwLockWriteGuard<'static, T>;
        sync::RwLockMappedWriteGuard<'static, T>;
        sync::OwnedRwLockReadGuard<T, T>;
        sync::OwnedRwLockReadGuard<T, u8>;
        sync::OwnedRwLockReadGuard<u8, T>;
        sync::OwnedRwLockWriteGuard<T>;
        sync::OwnedRwLockMappedWriteGuard<T, T>;
        sync::OwnedRwLockMappedWriteGuard<T, u8>;
        sync::OwnedRwLockMappedWriteGuard<u8, T>;
    } functions {
        "Mutex::lock": |it: &'static sync::Mutex<T>| it.lock();
        "Mutex::lock_owned": |it: Arc<sync::Mutex<T>>| it.lock_owned();
        "Mutex::try_lock": |it: &'static sync::Mutex<T>| it.try_lock();
        "RwLock::read": |it: &'static sync::RwLock<T>| it.read();
        "RwLock::read_owned": |it: Arc<sync::RwLock<T>>| it.read_owned();
        "RwLock::write": |it: &'static sync::RwLock<T>| it.write();
        "RwLock::write_owned": |it: Arc<sync::RwLock<T>>| it.write_owned();
    });
}

fn cells(rows: &mut Vec<Row>) {
    rows!(rows, sized T, types {
        sync::OnceCell<T>;
        sync::SetError<T>;
        sync::SetOnce<T>;
        sync::SetOnceError<T>;
    } functions {
        "OnceCell::get_or_init":
            |(it, init): (&'static sync::OnceCell<T>, fn() -> Ready<T>)| it.get_or_init(init);
        "OnceCell::get_or_try_init":
            |(it, init): (&'static sync::OnceCell<T>, fn() -> Ready<Result<T, u8>>)|
                it.get_or_try_init(init);
        "SetOnce::wait": |it: &'static sync::SetOnce<T>| it.wait();
    });
}

fn channels(rows: &mut Vec<Row>) {
    rows!(rows, sized T, types {
        mpsc::Sender<T>;
        mpsc::WeakSender<T>;
        mpsc::Receiver<T>;
        mpsc::Permit<'static, T>;
        mpsc::PermitIterator<'static, T>;
        mpsc::OwnedPermit<T>;
        mpsc::UnboundedSender<T>;
        mpsc::WeakUnboundedSender<T>;
        mpsc::UnboundedReceiver<T>;
        mpsc::error::SendError<T>;
        mpsc::error::TrySendError<T>;
        mpsc::error::SendTimeoutError<T>;
        oneshot::Sender<T>;
        oneshot::Receiver<T>;
        watch::Sender<T>;
        watch::Receiver<T>;
        watch::Ref<'static, T>;
        watch::error::SendError<T>;
    } functions {
        "mpsc::Sender::send": |(it, message): (&'static mpsc::Sender<T>, T)| it.send(message);
        "mpsc::Sender::send_timeout":
            |(it, message): (&'static mpsc::Sender<T>, T)|
                it.send_timeout(message, std::time::Duration::ZERO);
        "mpsc::Sender::reserve": |it: &'static mpsc::Sender<T>| it.reserve();
        "mpsc::Sender::reserve_many": |it: &'static mpsc::Sender<T>| it.reserve_many(1);
        "mpsc::Sender::reserve_owned": |it: mpsc::Sender<T>| it.reserve_owned();
        "mpsc::Sender::closed": |it: &'static mpsc::Sender<T>| it.closed();
        "mpsc::Receiver::recv": |it: &'static mut mpsc::Receiver<T>| it.recv();
        "mpsc::Receiver::recv_many":
            |(it, all): (&'static mut mpsc::Receiver<T>, &'static mut Vec<T>)|
                it.recv_many(all, 1);
        "mpsc::UnboundedSender::closed": |it: &'static mpsc::UnboundedSender<T>| it.closed();
        "mpsc::UnboundedReceiver::recv":
            |it: &'static mut mpsc::UnboundedReceiver<T>| it.recv();
        "mpsc::UnboundedReceiver::recv_many":
            |(it, all): (&'static mut mpsc::UnboundedReceiver<T>, &'static mut Vec<T>)|
                it.recv_many(all, 1);
        "oneshot::Sender::closed": |it: &'static mut oneshot::Sender<T>| it.closed();
        "watch::Sender::closed": |it: &'static watch::Sender<T>| it.closed();
        "watch::Receiver::changed": |it: &'static mut watch::Receiver<T>| it.changed();
        "watch::Receiver::wait_for":
            |(it, is): (&'static mut watch::Receiver<T>, fn(&T) -> bool)| it.wait_for(is);
    });
}

fn broadcasts(rows: &mut Vec<Row>) {
    rows!(rows, sized T, types {
        broadcast::Sender<T>;
        broadcast::WeakSender<T>;
        broadcast::Receiver<T>;
        broadcast::error::SendError<T>;
    } functions {
        "broadcast::Sender::closed": |it: &'static broadcast::Sender<T>| it.closed();
    });
    rows!(rows, clone T, types {} functions {
        "broadcast::Receiver::recv": |it: &'static mut broadcast::Receiver<T>| it.recv();
    });
}

fn signals(rows: &mut Vec<Row>) {
    rows!(rows, sized T, types {} functions {
        "CancellationToken::run_until_cancelled":
            |(it, run): (&'static util::CancellationToken, Ready<T>)| it.run_until_cancelled(run);
        "CancellationToken::run_until_cancelled_owned":
            |(it, run): (util::CancellationToken, Ready<T>)| it.run_until_cancelled_owned(run);
    });
    rows!(rows, none, types {
        sync::AcquireError;
        sync::Barrier;
        sync::BarrierWaitResult;
        sync::Notify;
        sync::OwnedSemaphorePermit;
        sync::Semaphore;
        sync::SemaphorePermit<'static>;
        sync::TryAcquireError;
        sync::TryLockError;
        sync::futures::Notified<'static>;
        sync::futures::OwnedNotified;
        broadcast::error::RecvError;
        broadcast::error::TryRecvError;
        mpsc::error::TryRecvError;
        oneshot::error::RecvError;
        oneshot::error::TryRecvError;
        watch::error::RecvError;
        util::CancellationToken;
        util::DropGuard;
        util::DropGuardRef<'static>;
        util::WaitForCancellationFuture<'static>;
        util::WaitForCancellationFutureOwned;
    } functions {
        "Barrier::wait": |it: &'static sync::Barrier| it.wait();
        "Semaphore::acquire": |it: &'static sync::Semaphore| it.acquire();
        "Semaphore::acquire_many": |it: &'static sync::Semaphore| it.acquire_many(1);
        "Semaphore::acquire_owned": |it: Arc<sync::Semaphore>| it.acquire_owned();
        "Semaphore::acquire_many_owned": |it: Arc<sync::Semaphore>| it.acquire_many_owned(1);
    });
}

fn conversions(rows: &mut Vec<Row>) {
    conversions!(rows,
        u8;
        Option<u8>;
        Arc<u8>;
        sync::AcquireError;
        sync::Mutex<u8>;
        sync::MutexGuard<'static, u8>;
        sync::Notify;
        sync::OnceCell<u8>;
        sync::RwLock<u8>;
        sync::Semaphore;
        sync::SetError<u8>;
        sync::SetOnce<u8>;
        sync::SetOnceError<u8>;
        sync::TryAcquireError;
        sync::TryLockError;
        broadcast::Receiver<u8>;
        broadcast::Sender<u8>;
        broadcast::error::RecvError;
        broadcast::error::SendError<u8>;
        broadcast::error::TryRecvError;
        mpsc::OwnedPermit<u8>;
        mpsc::Receiver<u8>;
        mpsc::Sender<u8>;
        mpsc::UnboundedReceiver<u8>;
        mpsc::UnboundedSender<u8>;
        mpsc::error::SendError<u8>;
        mpsc::error::SendTimeoutError<u8>;
        mpsc::error::TryRecvError;
        mpsc::error::TrySendError<u8>;
        oneshot::Receiver<u8>;
        oneshot::Sender<u8>;
        oneshot::error::RecvError;
        oneshot::error::TryRecvError;
        watch::Receiver<u8>;
        watch::Sender<u8>;
        watch::error::RecvError;
        watch::error::SendError<u8>;
        util::CancellationToken;
        util::DropGuard;
        std::io::Error;
    );
}
