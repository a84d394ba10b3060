// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use lock::futures::{Lock, LockArc};
use lock::{Mutex, MutexGuard, MutexGuardArc};

use crate::support::{Task, now, within_a_minute};

static IN_A_STATIC: Mutex<u8> = Mutex::new(7);

assert_impl_all!(Mutex<Cell<u8>>: Send, Sync, Unpin, UnwindSafe);
assert_not_impl_any!(Mutex<Rc<u8>>: Send, Sync);
assert_impl_all!(MutexGuard<'static, u8>: Send, Sync, Unpin);
assert_impl_all!(MutexGuard<'static, Cell<u8>>: Send);
assert_not_impl_any!(MutexGuard<'static, Cell<u8>>: Sync);
assert_not_impl_any!(MutexGuard<'static, Rc<u8>>: Send, Sync);
assert_impl_all!(MutexGuardArc<u8>: Send, Sync, Unpin);
assert_impl_all!(MutexGuardArc<Cell<u8>>: Send);
assert_not_impl_any!(MutexGuardArc<Cell<u8>>: Sync);
assert_not_impl_any!(MutexGuardArc<Rc<u8>>: Send, Sync);
assert_impl_all!(Lock<'static, u8>: Send, Sync, Future<Output = MutexGuard<'static, u8>>);
assert_impl_all!(Lock<'static, Cell<u8>>: Send);
assert_not_impl_any!(Lock<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(Lock<'static, u8>: Unpin);
assert_impl_all!(LockArc<u8>: Send, Sync, Future<Output = MutexGuardArc<u8>>);
assert_impl_all!(LockArc<Cell<u8>>: Send);
assert_not_impl_any!(LockArc<Rc<u8>>: Send, Sync);
assert_not_impl_any!(LockArc<u8>: Unpin);

#[test]
fn values_go_in_and_come_out() {
    assert_eq!(*IN_A_STATIC.try_lock().unwrap(), 7);
    let mut mutex = Mutex::from(1);
    *mutex.get_mut() += 1;
    assert_eq!(mutex.into_inner(), 2);
    assert_eq!(Mutex::<u8>::default().into_inner(), 0);
}

#[test]
fn every_form_locks() {
    let mutex = Arc::new(Mutex::new(0));
    *now(mutex.lock()) += 1;
    *now(mutex.lock_arc()) += 1;
    *mutex.lock_blocking() += 1;
    *mutex.lock_arc_blocking() += 1;
    *mutex.try_lock().unwrap() += 1;
    *mutex.try_lock_arc().unwrap() += 1;
    assert_eq!(Arc::into_inner(mutex).unwrap().into_inner(), 6);
}

#[test]
fn a_held_lock_is_not_given_twice() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.try_lock();
    assert!(mutex.try_lock().is_none() && mutex.try_lock_arc().is_none());
    drop(guard);
    let guard = mutex.try_lock_arc();
    assert!(mutex.try_lock().is_none() && mutex.try_lock_arc().is_none());
    drop(guard);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn source_is_the_mutex() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = now(mutex.lock());
    let source: &Mutex<i32> = MutexGuard::source(&guard);
    assert!(std::ptr::eq(source, &*mutex));
    drop(guard);
    let guard = now(mutex.lock_arc());
    assert!(Arc::ptr_eq(MutexGuardArc::source(&guard), &mutex));
}

/// The mutex outlives the guard by itself: `source` has the mutex's lifetime.
#[test]
fn source_outlives_the_guard() {
    let mutex = Mutex::new(0);
    let source = {
        let guard = now(mutex.lock());
        MutexGuard::source(&guard)
    };
    assert!(source.try_lock().is_some());
}

#[test]
fn an_owned_guard_keeps_the_mutex() {
    let mutex = Arc::new(Mutex::new(5));
    let guard = mutex.try_lock_arc().unwrap();
    let weak = Arc::downgrade(&mutex);
    drop(mutex);
    assert_eq!(*guard, 5);
    assert!(weak.upgrade().is_some());
    drop(guard);
    assert!(weak.upgrade().is_none());
}

#[test]
fn shows_as_text() {
    let mutex = Arc::new(Mutex::new(5));
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 5 }");
    assert_eq!(format!("{:?}", mutex.lock()), "Lock { .. }");
    let guard = now(mutex.lock());
    assert_eq!(
        format!("{mutex:?} {guard:?} {guard}"),
        "Mutex { data: <locked> } 5 5"
    );
    drop(guard);
    let guard = now(mutex.lock_arc());
    assert_eq!(format!("{guard:?} {guard}"), "5 5");
}

#[test]
fn locks_what_has_no_size() {
    let mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    now(mutex.lock())[0] = 4;
    now(mutex.lock_arc())[1] = 5;
    assert_eq!(*mutex.lock_blocking(), [4, 5, 3]);
    let shown: Arc<Mutex<dyn std::fmt::Debug>> = Arc::new(Mutex::new(1));
    assert_eq!(format!("{shown:?}"), "Mutex { data: 1 }");
}

#[test]
fn those_who_wait_are_served_in_order() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.try_lock();
    let (one, two) = (Task::new(), Task::new());
    let (mut first, mut second) = (pin!(mutex.lock()), pin!(mutex.lock_arc()));
    one.pending(first.as_mut());
    two.pending(second.as_mut());
    drop(guard);
    assert!(one.woken() && !two.woken());
    let guard = one.ready(first);
    drop(guard);
    assert!(two.woken());
    two.ready(second);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_dropped_winner_passes_on() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (one, two) = (Task::new(), Task::new());
    let mut second = pin!(mutex.lock());
    {
        let mut first = pin!(mutex.lock());
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        drop(guard);
        assert!(one.woken() && !two.woken());
    }
    assert!(two.woken());
    two.ready(second);
}

#[test]
fn a_dropped_wait_leaves_no_trace() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.try_lock();
    let task = Task::new();
    drop(mutex.lock());
    for _ in 0..3 {
        task.pending(pin!(mutex.lock()));
        task.pending(pin!(mutex.lock_arc()));
    }
    drop(guard);
    assert!(!task.woken());
    assert!(mutex.try_lock().is_some());
    assert_eq!(Arc::strong_count(&mutex), 1);
}

#[test]
fn the_latest_waker_is_woken() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (old, new) = (Task::new(), Task::new());
    let mut wait = pin!(mutex.lock());
    old.pending(wait.as_mut());
    new.pending(wait.as_mut());
    drop(guard);
    assert!(new.woken() && !old.woken());
    new.ready(wait);
}

#[test]
fn a_panic_unlocks() {
    let mutex = Arc::new(Mutex::new(0));
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = now(mutex.lock());
        *guard = 1;
        panic!("with the guard in hand");
    }));
    assert!(unwound.is_err());
    assert_eq!(*mutex.try_lock().unwrap(), 1);
}

#[test]
fn tasks_and_threads_share_a_lock() {
    within_a_minute(|| {
        let total = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let total = total.clone();
                thread::spawn(move || {
                    for _ in 0..250 {
                        match n % 2 {
                            0 => *total.lock_blocking() += 1,
                            _ => smol::block_on(async { *total.lock().await += 1 }),
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*total.try_lock().unwrap(), 1000);
    });
}
