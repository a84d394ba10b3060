// Which traits each public type has, and each future that has no name.

use anysync_adapter_tests::compile::Row;
use anysync_adapter_tests::{conversions, rows};
use std::future::Ready;
use std::sync::Arc;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    locks(&mut rows);
    cells(&mut rows);
    channels(&mut rows);
    events(&mut rows);
    conversions(&mut rows);
    rows
}

fn locks(rows: &mut Vec<Row>) {
    rows!(rows, any T, types {
        lock::Mutex<T>;
        lock::MutexGuard<'static, T>;
        lock::MutexGuardArc<T>;
        lock::RwLock<T>;
        lock::RwLockReadGuard<'static, T>;
        lock::RwLockUpgradableReadGuard<'static, T>;
        lock::RwLockUpgradableReadGuardArc<T>;
        lock::RwLockWriteGuard<'static, T>;
        lock::RwLockWriteGuardArc<T>;
        lock::futures::Lock<'static, T>;
        lock::futures::LockArc<T>;
        lock::futures::Read<'static, T>;
        lock::futures::UpgradableRead<'static, T>;
        lock::futures::UpgradableReadArc<'static, T>;
        lock::futures::Upgrade<'static, T>;
        lock::futures::UpgradeArc<T>;
        lock::futures::Write<'static, T>;
        lock::futures::WriteArc<'static, T>;
    } functions {});
    rows!(rows, sized T, types {
        lock::RwLockReadGuardArc<T>;
        lock::futures::ReadArc<'static, T>;
    } functions {});
    rows!(rows, none, types {
        lock::Barrier;
        lock::BarrierWaitResult;
        lock::Semaphore;
        lock::SemaphoreGuard<'static>;
        lock::SemaphoreGuardArc;
        lock::futures::Acquire<'static>;
        lock::futures::AcquireArc;
        lock::futures::BarrierWait<'static>;
    } functions {});
}

fn cells(rows: &mut Vec<Row>) {
    rows!(rows, sized T, types {
        lock::OnceCell<T>;
    } functions {
        "OnceCell::get_or_init":
            |(it, init): (&'static lock::OnceCell<T>, fn() -> Ready<T>)| it.get_or_init(init);
        "OnceCell::get_or_try_init":
            |(it, init): (&'static lock::OnceCell<T>, fn() -> Ready<Result<T, u8>>)|
                it.get_or_try_init(init);
        "OnceCell::set": |(it, value): (&'static lock::OnceCell<T>, T)| it.set(value);
        "OnceCell::wait": |it: &'static lock::OnceCell<T>| it.wait();
    });
}

fn channels(rows: &mut Vec<Row>) {
    rows!(rows, sized T, types {
        channel::Sender<T>;
        channel::Receiver<T>;
        channel::WeakSender<T>;
        channel::WeakReceiver<T>;
        channel::Send<'static, T>;
        channel::Recv<'static, T>;
        channel::Closed<'static, T>;
        channel::SendError<T>;
        channel::TrySendError<T>;
    } functions {});
    rows!(rows, none, types {
        channel::RecvError;
        channel::TryRecvError;
    } functions {});
}

fn events(rows: &mut Vec<Row>) {
    use event::IntoNotification;
    rows!(rows, sized T, types {
        event::Event<T>;
        event::EventListener<T>;
        listened::StackListener<'static, 'static, T>;
        listened::StackSlot<'static, T>;
    } functions {
        "IntoNotification::tag_with":
            |make: fn() -> T| 1.tag_with(make);
    });
    rows!(rows, clone T, types {} functions {
        "IntoNotification::tag": |tag: T| 1.tag(tag);
    });
    rows!(rows, none, types {} functions {
        "IntoNotification::additional": |count: usize| count.additional();
        "IntoNotification::relaxed": |count: usize| count.relaxed();
        "IntoNotification::into_notification": |count: usize| count.into_notification();
    });
}

fn conversions(rows: &mut Vec<Row>) {
    conversions!(rows,
        u8;
        usize;
        Option<u8>;
        Arc<u8>;
        lock::Barrier;
        lock::BarrierWaitResult;
        lock::Mutex<u8>;
        lock::MutexGuard<'static, u8>;
        lock::MutexGuardArc<u8>;
        lock::OnceCell<u8>;
        lock::RwLock<u8>;
        lock::RwLockReadGuard<'static, u8>;
        lock::RwLockReadGuardArc<u8>;
        lock::RwLockUpgradableReadGuard<'static, u8>;
        lock::RwLockWriteGuard<'static, u8>;
        lock::Semaphore;
        lock::SemaphoreGuard<'static>;
        channel::Receiver<u8>;
        channel::RecvError;
        channel::SendError<u8>;
        channel::Sender<u8>;
        channel::TryRecvError;
        channel::TrySendError<u8>;
        event::Event;
        event::EventListener;
        std::io::Error;
    );
}
