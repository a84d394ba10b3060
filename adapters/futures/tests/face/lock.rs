// Included for the original and for ours, with `lock` for its module.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use anysync_adapter_tests::face::{Task, panic_of};
use futures::future::{Either, FusedFuture, FutureExt, pending, ready, select};
use lock::{
    MappedMutexGuard, Mutex, MutexGuard, MutexLockFuture, OwnedMutexGuard, OwnedMutexLockFuture,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

static STATIC: Mutex<u8> = Mutex::new(1);

#[test]
fn the_value_is_there_in_every_way() {
    assert_eq!(*STATIC.try_lock().unwrap(), 1);
    let mut mutex = Mutex::from(1);
    *mutex.get_mut() += 1;
    *mutex.try_lock().unwrap() += 1;
    assert_eq!(mutex.into_inner(), 3);
    assert_eq!(Mutex::<u8>::default().into_inner(), 0);
    let unsized_one: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2]));
    assert_eq!(unsized_one.try_lock().unwrap().len(), 2);
}

#[test]
fn one_has_it_at_a_time() {
    let mutex = Mutex::new(0);
    let (first, second) = (Task::new(), Task::new());
    let mut lock: std::pin::Pin<Box<MutexLockFuture<'_, i32>>> = Box::pin(mutex.lock());
    assert!(!lock.is_terminated());
    let mut guard: MutexGuard<'_, i32> = first.ready(lock.as_mut());
    assert!(lock.is_terminated());
    assert!(mutex.try_lock().is_none());
    let mut wait = pin!(mutex.lock());
    second.pending(wait.as_mut());
    *guard = 5;
    drop(guard);
    assert!(second.woken());
    assert_eq!(*second.ready(wait), 5);
}

#[test]
fn a_dropped_wait_lets_the_next_have_it() {
    let mutex = Mutex::new(0);
    let (first, second) = (Task::new(), Task::new());
    let guard = mutex.try_lock().unwrap();
    let mut dropped = Box::pin(mutex.lock());
    let mut next = pin!(mutex.lock());
    first.pending(dropped.as_mut());
    second.pending(next.as_mut());
    drop(guard);
    drop(dropped);
    drop(second.ready(next));
    assert!(mutex.try_lock().is_some());
}

#[test]
fn owned_guards_go_anywhere() {
    let mutex = Arc::new(Mutex::new(0));
    let task = Task::new();
    let mut lock: std::pin::Pin<Box<OwnedMutexLockFuture<i32>>> =
        Box::pin(mutex.clone().lock_owned());
    assert!(!lock.is_terminated());
    let guard: OwnedMutexGuard<i32> = task.ready(lock.as_mut());
    assert!(lock.is_terminated());
    assert!(mutex.try_lock_owned().is_none());
    std::thread::spawn(move || {
        let mut guard = guard;
        *guard = 3;
    })
    .join()
    .unwrap();
    assert_eq!(*mutex.try_lock_owned().unwrap(), 3);
}

/// A wait may be moved, at any moment: so these compile, and go on.
#[test]
fn a_wait_may_be_moved() {
    let mutex = Arc::new(Mutex::new(0));
    let task = Task::new();
    let mut lock = mutex.lock();
    drop(task.poll(Pin::new(&mut lock)));
    assert!(lock.is_terminated());

    let guard = mutex.try_lock().unwrap();
    let (mut lock, mut owned) = (mutex.lock(), mutex.clone().lock_owned());
    assert!(lock.poll_unpin(&mut task.context()).is_pending());
    assert!(owned.poll_unpin(&mut task.context()).is_pending());
    assert!(!lock.is_terminated() && !owned.is_terminated());
    let (mut lock, mut owned) = (Box::new(lock), vec![owned]);
    drop(guard);
    let Poll::Ready(guard) = lock.poll_unpin(&mut task.context()) else {
        panic!("the first that waits has it");
    };
    assert!(lock.is_terminated());
    assert!(owned[0].poll_unpin(&mut task.context()).is_pending());
    drop(guard);
    assert!(owned.pop().unwrap().now_or_never().is_some());
    assert!(mutex.try_lock().is_some(), "nothing is left of them");
}

#[test]
fn a_wait_is_selected_by_name() {
    let mutex = Mutex::new(5);
    futures::executor::block_on(async {
        let chosen = select(mutex.lock(), ready(())).await;
        let Either::Left((guard, _)) = chosen else {
            panic!("it is free");
        };
        let chosen = select(mutex.lock(), ready(())).await;
        let Either::Right(((), mut kept)) = chosen else {
            panic!("it is held");
        };
        drop(guard);
        let mut other = pending::<()>();
        futures::select! {
            guard = kept => assert_eq!(*guard, 5),
            () = other => panic!("it is never ready"),
            complete => panic!("it is not over"),
        }
        assert!(kept.is_terminated());
        futures::select! {
            _ = kept => panic!("it is over"),
            complete => {}
        }
    });
}

#[test]
fn a_wait_counts_for_one_owner() {
    let mutex = Arc::new(Mutex::new(0));
    let task = Task::new();
    let guard = mutex.clone().try_lock_owned().unwrap();
    let mut lock = mutex.clone().lock_owned();
    assert_eq!(Arc::strong_count(&mutex), 3);
    task.pending(Pin::new(&mut lock));
    assert_eq!(Arc::strong_count(&mutex), 3);
    drop(guard);
    let guard = task.ready(Pin::new(&mut lock));
    assert_eq!(Arc::strong_count(&mutex), 2);
    drop((guard, lock));
    assert_eq!(Arc::strong_count(&mutex), 1);
}

/// A longer borrow does for a shorter one.
#[test]
fn lifetimes_shorten() {
    fn lock<'a, 'b: 'a>(lock: MutexLockFuture<'b, u8>, _: &'a u8) -> MutexLockFuture<'a, u8> {
        lock
    }
    fn guard<'a, 'b: 'a>(guard: MutexGuard<'b, u8>, _: &'a u8) -> MutexGuard<'a, u8> {
        guard
    }
    static MUTEX: Mutex<u8> = Mutex::new(1);
    let task = Task::new();
    let short = 0;
    assert_eq!(
        *guard(task.ready(pin!(lock(MUTEX.lock(), &short))), &short),
        1
    );
}

#[test]
fn a_part_keeps_the_whole_locked() {
    let mutex = Mutex::new((1, [2, 3]));
    let guard = mutex.try_lock().unwrap();
    let part: MappedMutexGuard<'_, (i32, [i32; 2]), [i32; 2]> =
        MutexGuard::map(guard, |whole| &mut whole.1);
    let mut part = MappedMutexGuard::map(part, |pair| &mut pair[1]);
    *part = 4;
    assert!(mutex.try_lock().is_none());
    drop(part);
    assert_eq!(mutex.into_inner(), (1, [2, 4]));
}

#[test]
fn a_wait_that_is_over_is_not_polled() {
    let mutex = Arc::new(Mutex::new(0));
    let task = Task::new();
    let mut lock = pin!(mutex.lock());
    drop(task.ready(lock.as_mut()));
    let message = panic_of(|| _ = task.poll(lock.as_mut()));
    assert_eq!(message, "polled MutexLockFuture after completion");
    let mut lock = pin!(mutex.clone().lock_owned());
    drop(task.ready(lock.as_mut()));
    let message = panic_of(|| _ = task.poll(lock.as_mut()));
    assert_eq!(message, "polled OwnedMutexLockFuture after completion");
}

#[test]
fn they_show_themselves() {
    let mutex = Arc::new(Mutex::new(5));
    assert_eq!(
        format!("{mutex:?}"),
        "Mutex { is_locked: false, has_waiters: false }"
    );
    let guard = mutex.try_lock().unwrap();
    let locked = "Mutex { is_locked: true, has_waiters: false }";
    assert_eq!(
        format!("{guard:?}"),
        format!("MutexGuard {{ value: 5, mutex: {locked} }}")
    );
    let part = MutexGuard::map(guard, |value| value);
    assert_eq!(
        format!("{part:?}"),
        format!("MappedMutexGuard {{ value: 5, mutex: {locked} }}")
    );
    let task = Task::new();
    let mut lock = pin!(mutex.lock());
    task.pending(lock.as_mut());
    assert_eq!(
        format!("{mutex:?}"),
        "Mutex { is_locked: true, has_waiters: true }"
    );
    assert!(format!("{lock:?}").starts_with("MutexLockFuture { was_acquired: false, mutex: Some("));
    drop(part);
    let _ = task.ready(lock);
    let guard = mutex.try_lock_owned().unwrap();
    assert_eq!(
        format!("{guard:?}"),
        format!("OwnedMutexGuard {{ value: 5, mutex: {locked} }}")
    );
    let lock = mutex.clone().lock_owned();
    assert!(
        format!("{lock:?}").starts_with("OwnedMutexLockFuture { was_acquired: false, mutex: Some(")
    );
}

assert_impl_all!(Mutex<Cell<u8>>: Send, Sync);
assert_not_impl_any!(Mutex<Rc<u8>>: Send, Sync);
assert_impl_all!(MutexGuard<'static, u8>: Send, Sync);
assert_not_impl_any!(MutexGuard<'static, Cell<u8>>: Sync);
assert_not_impl_any!(MutexGuard<'static, Rc<u8>>: Send);
assert_impl_all!(MappedMutexGuard<'static, u8, u8>: Send, Sync);
assert_not_impl_any!(MappedMutexGuard<'static, u8, Rc<u8>>: Send, Sync);
assert_impl_all!(OwnedMutexGuard<u8>: Send, Sync);
assert_not_impl_any!(OwnedMutexGuard<Rc<u8>>: Send);
assert_impl_all!(MutexLockFuture<'static, u8>: Send, Sync);
assert_impl_all!(MutexLockFuture<'static, Pinned>: Unpin, FusedFuture);
assert_not_impl_any!(MutexLockFuture<'static, Rc<u8>>: Send);
assert_impl_all!(OwnedMutexLockFuture<u8>: Send, Sync);
assert_impl_all!(OwnedMutexLockFuture<Pinned>: Unpin, FusedFuture);
assert_not_impl_any!(OwnedMutexLockFuture<Rc<u8>>: Send);

/// A value that may not be moved.
type Pinned = std::marker::PhantomPinned;
