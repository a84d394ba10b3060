// Which traits each public type has.

use anysync_adapter_tests::compile::Row;
use anysync_adapter_tests::{conversions, rows};

use channel::{mpsc, oneshot};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    locks(&mut rows);
    channels(&mut rows);
    conversions(&mut rows);
    rows
}

fn locks(rows: &mut Vec<Row>) {
    rows!(rows, any T, types {
        lock::Mutex<T>;
        lock::MutexGuard<'static, T>;
        lock::OwnedMutexGuard<T>;
        lock::MappedMutexGuard<'static, T, T>;
        lock::MappedMutexGuard<'static, T, u8>;
        lock::MappedMutexGuard<'static, u8, T>;
        lock::MutexLockFuture<'static, T>;
        lock::OwnedMutexLockFuture<T>;
    } functions {});
}

fn channels(rows: &mut Vec<Row>) {
    rows!(rows, sized T, types {
        oneshot::Sender<T>;
        oneshot::Receiver<T>;
        oneshot::Cancellation<'static, T>;
        mpsc::Sender<T>;
        mpsc::Receiver<T>;
        mpsc::UnboundedSender<T>;
        &'static mpsc::UnboundedSender<T>;
        mpsc::UnboundedReceiver<T>;
        mpsc::Recv<'static, mpsc::Receiver<T>>;
        mpsc::Recv<'static, mpsc::UnboundedReceiver<T>>;
        mpsc::TrySendError<T>;
    } functions {});
    rows!(rows, none, types {
        oneshot::Canceled;
        mpsc::SendError;
        mpsc::RecvError;
        mpsc::TryRecvError;
    } functions {});
}

fn conversions(rows: &mut Vec<Row>) {
    conversions!(rows,
        u8;
        Option<u8>;
        lock::Mutex<u8>;
        lock::MutexGuard<'static, u8>;
        lock::OwnedMutexGuard<u8>;
        mpsc::Receiver<u8>;
        mpsc::RecvError;
        mpsc::SendError;
        mpsc::Sender<u8>;
        mpsc::TryRecvError;
        mpsc::TrySendError<u8>;
        mpsc::UnboundedReceiver<u8>;
        mpsc::UnboundedSender<u8>;
        oneshot::Canceled;
        oneshot::Receiver<u8>;
        oneshot::Sender<u8>;
        std::io::Error;
    );
}
