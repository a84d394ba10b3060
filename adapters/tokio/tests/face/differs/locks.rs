//! Where the locks and signals of the two sides are not the same.

use std::cell::Cell;
use std::future::ready;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::sync::Arc;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use super::{WAITS, sides, wakes_all_beside_panics};
use crate::support::{Task, Unsent, now, panic_of};

sides! {
    // A `select!` may leave the one branch unpolled while it waits in another.
    a_lock_that_is_not_polled_for_keeps_nothing_from_its_task(sync, util) -> bool {
        let mutex = sync::Mutex::new(());
        let guard = now(mutex.lock());
        let task = Task::new();
        let mut left = pin!(mutex.lock());
        task.pending(left.as_mut());
        drop(guard);
        // `left` has been handed the lock.
        let mut polled = pin!(mutex.lock());
        (0..3).any(|_| task.poll(polled.as_mut()).is_ready())
    }
    original: false, ours: true;

    a_read_that_is_not_polled_for_keeps_nothing_from_its_task(sync, util) -> bool {
        let lock = sync::RwLock::new(());
        let guard = now(lock.write());
        let task = Task::new();
        let mut left = pin!(lock.write());
        task.pending(left.as_mut());
        drop(guard);
        let mut polled = pin!(lock.read());
        (0..3).any(|_| task.poll(polled.as_mut()).is_ready())
    }
    original: false, ours: true;

    a_permit_that_is_not_polled_for_keeps_nothing_from_its_task(sync, util) -> bool {
        let semaphore = sync::Semaphore::new(0);
        let task = Task::new();
        let mut left = pin!(semaphore.acquire());
        task.pending(left.as_mut());
        semaphore.add_permits(1);
        let mut polled = pin!(semaphore.acquire());
        (0..3).any(|_| task.poll(polled.as_mut()).is_ready())
    }
    original: false, ours: true;

    a_permit_that_was_granted_outlives_the_close(sync, util) -> bool {
        let semaphore = sync::Semaphore::new(0);
        let task = Task::new();
        let mut granted = pin!(semaphore.acquire());
        task.pending(granted.as_mut());
        semaphore.add_permits(1);
        semaphore.close();
        task.ready(granted).is_ok()
    }
    original: false, ours: true;

    too_many_permits_leave_the_count_as_it_is(sync, util) -> bool {
        let semaphore = sync::Semaphore::new(sync::Semaphore::MAX_PERMITS);
        panic_of(|| semaphore.add_permits(1));
        semaphore.available_permits() == sync::Semaphore::MAX_PERMITS
    }
    original: false, ours: true;

    a_dropped_arrival_no_longer_counts(sync, util) -> bool {
        let barrier = sync::Barrier::new(2);
        let mut gone = Box::pin(barrier.wait());
        Task::new().pending(gone.as_mut());
        drop(gone);
        Task::new().poll(pin!(barrier.wait())).is_pending()
    }
    original: false, ours: true;

    a_turn_that_is_not_fetched_is_kept(sync, util) -> bool {
        let cell = sync::OnceCell::new();
        let mut running = Box::pin(cell.get_or_init(std::future::pending));
        let mut kept = pin!(cell.get_or_init(|| ready(1)));
        Task::new().pending(running.as_mut());
        Task::new().pending(kept.as_mut());
        drop(running);
        let another = Task::new().poll(pin!(cell.get_or_init(|| ready(2)))).is_pending();
        assert_eq!(another, cell.set(3).is_err_and(|error| error.is_initializing_err()));
        another
    }
    original: true, ours: false;

    a_panicking_waker_keeps_nobody_from_a_signal(sync, util) -> bool {
        let notify = sync::Notify::new();
        let waits = (0..WAITS).map(|_| notify.notified()).collect();
        wakes_all_beside_panics(waits, || notify.notify_waiters())
    }
    original: false, ours: true;

    a_panicking_waker_keeps_nobody_from_a_permit(sync, util) -> bool {
        let semaphore = sync::Semaphore::new(0);
        let waits = (0..WAITS).map(|_| semaphore.acquire()).collect();
        wakes_all_beside_panics(waits, || semaphore.add_permits(WAITS))
    }
    original: false, ours: true;

    a_panicking_waker_keeps_nobody_from_the_close(sync, util) -> bool {
        let semaphore = sync::Semaphore::new(0);
        let waits = (0..WAITS).map(|_| semaphore.acquire()).collect();
        wakes_all_beside_panics(waits, || semaphore.close())
    }
    original: false, ours: true;

    a_panicking_waker_keeps_nobody_from_passing_the_barrier(sync, util) -> bool {
        let barrier = sync::Barrier::new(WAITS + 1);
        let waits = (0..WAITS).map(|_| barrier.wait()).collect();
        wakes_all_beside_panics(waits, || assert!(now(barrier.wait()).is_leader()))
    }
    original: false, ours: true;

    a_panicking_waker_keeps_nobody_from_reading(sync, util) -> bool {
        let lock = sync::RwLock::new(());
        let writer = now(lock.write());
        let waits = (0..WAITS).map(|_| lock.read()).collect();
        wakes_all_beside_panics(waits, || drop(writer))
    }
    original: false, ours: true;

    a_panicking_waker_keeps_nobody_from_what_is_set(sync, util) -> bool {
        let cell = sync::SetOnce::new();
        let waits = (0..WAITS).map(|_| cell.wait()).collect();
        wakes_all_beside_panics(waits, || cell.set(1).unwrap())
    }
    original: false, ours: true;

    // In a constant neither compiles.
    a_limit_that_is_too_high_says_what_it_may_be(sync, util) -> String {
        panic_of(|| sync::RwLock::const_with_max_readers(1, u32::MAX))
    }
    original: "assertion failed: max_reads <= MAX_READS",
    ours: "a RwLock may not be created with more than 536870911 readers";
}

#[test]
fn our_panics_are_blamed_on_who_asked_for_too_much() {
    use crate::support::blamed_panic_of;
    use anysync_tokio::sync::Semaphore;

    let semaphore = Semaphore::new(1);
    let most = Semaphore::MAX_PERMITS;
    assert!(blamed_panic_of(|| semaphore.add_permits(most)).1);
    assert!(blamed_panic_of(|| Semaphore::new(most + 1)).1);
}

#[test]
fn our_constructors_are_constant() {
    use anysync_tokio::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, SetOnce};

    static BARRIER: Barrier = Barrier::new(1);
    static MUTEX: Mutex<u8> = Mutex::new(1);
    static NOTIFY: Notify = Notify::new();
    static CELL: OnceCell<u8> = OnceCell::new();
    static SET: SetOnce<u8> = SetOnce::new();
    static LOCK: RwLock<u8> = RwLock::with_max_readers(1, 2);
    assert!(now(BARRIER.wait()).is_leader());
    NOTIFY.notify_one();
    now(NOTIFY.notified());
    assert_eq!(CELL.set(*now(MUTEX.lock())), Ok(()));
    assert_eq!(SET.set(*now(LOCK.read())), Ok(()));
}

// Ours are unwind safe where the originals are not, and shared or moved where the
// value allows it, though the originals ask for more.
mod ours_have_more {
    use super::*;
    use anysync_tokio::sync as ours;
    use std::marker::PhantomPinned;
    use tokio::sync as original;

    assert_impl_all!(ours::OnceCell<u8>: RefUnwindSafe);
    assert_not_impl_any!(original::OnceCell<u8>: RefUnwindSafe);
    assert_impl_all!(ours::SetOnce<u8>: RefUnwindSafe);
    assert_not_impl_any!(original::SetOnce<u8>: RefUnwindSafe);
    assert_impl_all!(ours::futures::Notified<'static>: UnwindSafe, RefUnwindSafe);
    assert_not_impl_any!(original::futures::Notified<'static>: UnwindSafe, RefUnwindSafe);
    assert_impl_all!(ours::RwLockReadGuard<'static, Unsent>: Sync);
    assert_not_impl_any!(original::RwLockReadGuard<'static, Unsent>: Sync);
    assert_impl_all!(ours::OwnedRwLockReadGuard<u8, Unsent>: Sync);
    assert_not_impl_any!(original::OwnedRwLockReadGuard<u8, Unsent>: Sync);
    assert_impl_all!(ours::OwnedMappedMutexGuard<u8, Unsent>: Sync);
    assert_not_impl_any!(original::OwnedMappedMutexGuard<u8, Unsent>: Sync);
    assert_impl_all!(ours::OwnedRwLockReadGuard<PhantomPinned>: Unpin);
    assert_not_impl_any!(original::OwnedRwLockReadGuard<PhantomPinned>: Unpin);
    assert_impl_all!(ours::OwnedRwLockWriteGuard<PhantomPinned>: Unpin);
    assert_not_impl_any!(original::OwnedRwLockWriteGuard<PhantomPinned>: Unpin);
    // Not even what is `Cell` inside is shared by either.
    assert_not_impl_any!(ours::OwnedMappedMutexGuard<u8, Cell<u8>>: Sync);
}

// Two steps with the original give a guard of what may be gone: the lifetime in the
// slot is in no type any more. It compiles, so nobody may call it. With ours it does
// not compile; see `OwnedMappedMutexGuard::map`.
#[allow(dead_code)]
fn the_original_forgets_a_lifetime(
    text: &mut String,
) -> tokio::sync::OwnedMappedMutexGuard<u8, String> {
    use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

    let guard = Arc::new(Mutex::new(0)).try_lock_owned().unwrap();
    let mut slot = OwnedMutexGuard::map(guard, |_| Box::leak(Box::new(None)));
    *slot = Some(text);
    OwnedMappedMutexGuard::map(slot, |slot| &mut **slot.as_mut().unwrap())
}
