// Programs that pass the drop check: what is kept is dropped after what it came from,
// or after what that holds. A future is polled before, so that it waits meanwhile.

use std::sync::Arc;

use anysync_adapter_tests::face::Task;

use sync::{broadcast, mpsc};

/// A future that has been polled.
fn polled<F: Future>(future: F) -> std::pin::Pin<Box<F>> {
    let mut future = Box::pin(future);
    let _ = Task::new().poll(future.as_mut());
    future
}

#[test]
fn owned_guards_and_waits_outlive_their_handles() {
    let mut kept = None;
    let mutex = Arc::new(sync::Mutex::new(String::new()));
    let rwlock = Arc::new(sync::RwLock::new(String::new()));
    let written = Arc::new(sync::RwLock::new(String::new()));
    let semaphore = Arc::new(sync::Semaphore::new(0));
    let notify = Arc::new(sync::Notify::new());
    kept = Some((
        mutex.clone().try_lock_owned(),
        polled(mutex.clone().lock_owned()),
        rwlock.clone().try_read_owned(),
        polled(rwlock.clone().write_owned()),
        polled(rwlock.clone().read_owned()),
        sync::OwnedRwLockWriteGuard::into_mapped(written.clone().try_write_owned().unwrap()),
        semaphore.clone().try_acquire_owned(),
        polled(semaphore.clone().acquire_owned()),
        polled(notify.clone().notified_owned()),
    ));
}

#[test]
fn handles_outlive_the_channel() {
    let mut kept = None;
    let (sender, _receiver) = mpsc::channel::<String>(1);
    let (broadcaster, _listener) = broadcast::channel::<String>(1);
    kept = Some((
        sender.clone(),
        sender.downgrade(),
        sender.clone().try_reserve_owned(),
        polled(sender.clone().reserve_owned()),
        broadcaster.downgrade(),
        broadcaster.subscribe(),
    ));
}

#[test]
fn locks_outlive_what_they_hold() {
    let mut kept = None;
    let text = String::from("text");
    kept = Some((
        sync::Mutex::new(text.as_str()),
        sync::RwLock::new(text.as_str()),
        sync::SetError::InitializingError(text.as_str()),
    ));
}
