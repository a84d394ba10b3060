// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::marker::PhantomPinned;
use std::ops::DerefMut;
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use sync::{
    MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard, TryLockError,
};

use crate::support::{poll_without_budget, 
    MAY_NOT_BLOCK, Task, Unsent, blamed_panic_of, is_send, now, panic_of, ready_in_a_budget, runtime,
};

assert_impl_all!(Mutex<u8>: Send, Sync, Unpin, UnwindSafe, Debug, Default, From<u8>);
assert_impl_all!(Mutex<Cell<u8>>: Send, Sync);
assert_impl_all!(Mutex<[u8]>: Send, Sync);
assert_not_impl_any!(Mutex<u8>: Clone, std::panic::RefUnwindSafe);
assert_not_impl_any!(Mutex<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Mutex<Unsent>: Send, Sync);
assert_not_impl_any!(Mutex<PhantomPinned>: Unpin);
assert_not_impl_any!(Mutex<&'static mut u8>: UnwindSafe);

assert_impl_all!(MutexGuard<'static, u8>: Send, Sync, Unpin, Debug, Display, DerefMut);
assert_impl_all!(MutexGuard<'static, PhantomPinned>: Unpin);
assert_impl_all!(MutexGuard<'static, Cell<u8>>: Send);
assert_not_impl_any!(MutexGuard<'static, Cell<u8>>: Sync, Display);
assert_not_impl_any!(MutexGuard<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(MutexGuard<'static, Unsent>: Send, Sync);
assert_not_impl_any!(MutexGuard<'static, u8>: UnwindSafe, Clone);

assert_impl_all!(OwnedMutexGuard<u8>: Send, Sync, Unpin, Debug, Display, DerefMut);
assert_impl_all!(OwnedMutexGuard<PhantomPinned>: Unpin);
assert_impl_all!(OwnedMutexGuard<Cell<u8>>: Send);
assert_not_impl_any!(OwnedMutexGuard<Cell<u8>>: Sync);
assert_not_impl_any!(OwnedMutexGuard<Rc<u8>>: Send, Sync);
assert_not_impl_any!(OwnedMutexGuard<Unsent>: Send, Sync);
assert_not_impl_any!(OwnedMutexGuard<u8>: UnwindSafe);

assert_impl_all!(MappedMutexGuard<'static, u8>: Send, Sync, Unpin, Debug, Display, DerefMut);
assert_impl_all!(MappedMutexGuard<'static, PhantomPinned>: Unpin);
assert_impl_all!(MappedMutexGuard<'static, Cell<u8>>: Send);
assert_not_impl_any!(MappedMutexGuard<'static, Cell<u8>>: Sync);
assert_not_impl_any!(MappedMutexGuard<'static, Rc<u8>>: Send, Sync);
assert_impl_all!(MappedMutexGuard<'static, Unsent>: Sync);
assert_not_impl_any!(MappedMutexGuard<'static, Unsent>: Send);
assert_not_impl_any!(MappedMutexGuard<'static, u8>: UnwindSafe);

assert_impl_all!(OwnedMappedMutexGuard<u8>: Send, Sync, Unpin, Debug, Display, DerefMut);
assert_impl_all!(OwnedMappedMutexGuard<u8, [u8]>: Send, Sync, Unpin, DerefMut<Target = [u8]>);
assert_impl_all!(OwnedMappedMutexGuard<PhantomPinned, PhantomPinned>: Unpin);
assert_impl_all!(OwnedMappedMutexGuard<Cell<u8>, u8>: Send);
assert_not_impl_any!(OwnedMappedMutexGuard<Cell<u8>, u8>: Sync);
assert_impl_all!(OwnedMappedMutexGuard<u8, Cell<u8>>: Send);
assert_not_impl_any!(OwnedMappedMutexGuard<u8, Cell<u8>>: Sync);
assert_not_impl_any!(OwnedMappedMutexGuard<Rc<u8>, u8>: Send, Sync);
assert_not_impl_any!(OwnedMappedMutexGuard<u8, Rc<u8>>: Send, Sync);
assert_not_impl_any!(OwnedMappedMutexGuard<Unsent, u8>: Send, Sync);
assert_not_impl_any!(OwnedMappedMutexGuard<u8, Unsent>: Send);
assert_not_impl_any!(OwnedMappedMutexGuard<u8>: UnwindSafe);

assert_impl_all!(TryLockError: Send, Sync, Unpin, UnwindSafe, Debug, Error);
assert_not_impl_any!(TryLockError: Clone, PartialEq);

static TOTAL: Mutex<u8> = Mutex::const_new(1);

#[test]
fn works_in_a_static() {
    *now(TOTAL.lock()) += 1;
    assert_eq!(*now(TOTAL.lock()), 2);
}

#[test]
fn is_made_of_its_value_and_gives_it_back() {
    for mut mutex in [Mutex::new(1), Mutex::const_new(1), Mutex::from(1)] {
        *mutex.get_mut() += 1;
        assert_eq!(mutex.into_inner(), 2);
    }
    assert_eq!(Mutex::<String>::default().into_inner(), "");
}

#[test]
fn excludes_and_is_fifo() {
    let mutex = Arc::new(Mutex::new(0));
    let tasks = [(); 3].map(|()| Task::new());
    let guard = now(is_send(mutex.lock()));
    let (mut first, mut second) = (pin!(mutex.lock()), pin!(is_send(mutex.clone().lock_owned())));
    let mut third = pin!(mutex.lock());
    tasks[0].pending(first.as_mut());
    tasks[1].pending(second.as_mut());
    tasks[2].pending(third.as_mut());
    let woken = || tasks.iter().map(Task::woken).collect::<Vec<_>>();
    drop(guard);
    assert_eq!(woken(), [true, false, false]);
    // Handed over: nobody else gets it.
    assert!(mutex.try_lock().is_err());
    drop(tasks[0].ready(first));
    assert_eq!(woken(), [true, true, false]);
    drop(tasks[1].ready(second));
    drop(tasks[2].ready(third));
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn dropped_winner_passes_the_lock_on() {
    let mutex = Arc::new(Mutex::new(0));
    let (first, second) = (Task::new(), Task::new());
    let guard = now(mutex.lock());
    let mut winner = Box::pin(mutex.clone().lock_owned());
    let mut next = pin!(mutex.lock());
    first.pending(winner.as_mut());
    second.pending(next.as_mut());
    drop(guard);
    assert!(first.woken() && !second.woken());
    drop(winner);
    assert!(second.woken());
    drop(second.ready(next));

    let guard = now(mutex.lock());
    let mut queued = Box::pin(mutex.lock());
    first.pending(queued.as_mut());
    drop(queued);
    drop(guard);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn try_lock_never_waits() {
    let mutex = Arc::new(Mutex::new(1));
    let guard = mutex.try_lock().unwrap();
    let error: TryLockError = mutex.try_lock().unwrap_err();
    assert_eq!(error.to_string(), "operation would block");
    assert_eq!(format!("{error:?}"), "TryLockError(())");
    assert!(error.source().is_none());
    assert!(mutex.clone().try_lock_owned().is_err());
    drop(guard);
    let owned: OwnedMutexGuard<i32> = mutex.clone().try_lock_owned().unwrap();
    assert!(mutex.try_lock().is_err());
    drop(owned);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn unlocks_by_a_panic_and_is_not_poisoned() {
    let mutex = Arc::new(Mutex::new(1));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = now(mutex.lock());
        *guard = 2;
        panic!("under the lock");
    }));
    assert!(panicked.is_err());
    assert_eq!(*mutex.try_lock().unwrap(), 2);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        drop(MutexGuard::map(now(mutex.lock()), |_| -> &mut i32 { panic!("in the map") }));
    }));
    assert!(panicked.is_err());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let guard = now(mutex.clone().lock_owned());
        drop(OwnedMutexGuard::map(guard, |_| -> &mut i32 { panic!("in the map") }));
    }));
    assert!(panicked.is_err());
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn guards_know_their_mutex() {
    let mutex = Arc::new(Mutex::new(1));
    let guard = now(mutex.lock());
    let lock: &Mutex<i32> = MutexGuard::mutex(&guard);
    assert!(std::ptr::eq(lock, &*mutex));
    drop(guard);
    assert!(lock.try_lock().is_ok());
    let guard = now(mutex.clone().lock_owned());
    assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
}

#[test]
fn owned_guard_keeps_the_lock_alive() {
    let mutex = Arc::new(Mutex::new(1));
    let weak = Arc::downgrade(&mutex);
    let guard = mutex.try_lock_owned().unwrap();
    assert!(weak.upgrade().is_some());
    let part = OwnedMutexGuard::map(guard, |number| number);
    assert!(weak.upgrade().is_some());
    drop(part);
    assert!(weak.upgrade().is_none());
}

#[test]
fn guards_of_a_part() {
    let mutex = Mutex::new((1, vec![2, 3]));
    let all: MutexGuard<'_, _> = now(mutex.lock());
    let mut list: MappedMutexGuard<'_, Vec<i32>> = MutexGuard::map(all, |all| &mut all.1);
    list.push(4);
    let list = MappedMutexGuard::try_map(list, |list| list.get_mut(9)).unwrap_err();
    let mut third = MappedMutexGuard::try_map(list, |list| list.get_mut(2)).unwrap();
    *third += 1;
    let again = MappedMutexGuard::map(third, |third| third);
    assert!(mutex.try_lock().is_err());
    drop(again);
    let all = now(mutex.lock());
    let all = MutexGuard::try_map(all, |_| None::<&mut u8>).unwrap_err();
    assert!(std::ptr::eq(MutexGuard::mutex(&all), &mutex));
    let first = MutexGuard::try_map(all, |all| Some(&mut all.0)).unwrap();
    assert_eq!(*first, 1);
    drop(first);
    // The generics stand in this order.
    let slice = MutexGuard::map::<[i32], _>(now(mutex.lock()), |all| &mut all.1[..]);
    assert_eq!(*slice, [2, 3, 5]);
    drop(slice);
    assert_eq!(mutex.into_inner(), (1, vec![2, 3, 5]));
}

#[test]
fn owned_guards_of_a_part() {
    let mutex = Arc::new(Mutex::new((1, vec![2, 3])));
    let lock = || mutex.clone().try_lock_owned().unwrap();
    let mut list: OwnedMappedMutexGuard<(i32, Vec<i32>), Vec<i32>> =
        OwnedMutexGuard::map(lock(), |all| &mut all.1);
    list.push(4);
    let list = OwnedMappedMutexGuard::try_map(list, |list| list.get_mut(9)).unwrap_err();
    let mut third = OwnedMappedMutexGuard::try_map(list, |list| list.get_mut(2)).unwrap();
    *third += 1;
    let again: OwnedMappedMutexGuard<(i32, Vec<i32>), i32> =
        OwnedMappedMutexGuard::map(third, |third| third);
    assert!(mutex.try_lock().is_err());
    drop(again);
    let all = OwnedMutexGuard::try_map(lock(), |_| None::<&mut u8>).unwrap_err();
    assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&all), &mutex));
    let first = OwnedMutexGuard::try_map::<i32, _>(all, |all| Some(&mut all.0)).unwrap();
    assert_eq!(*first, 1);
    drop(first);
    let slice = OwnedMutexGuard::map::<[i32], _>(lock(), |all| &mut all.1[..]);
    assert_eq!(*slice, [2, 3, 5]);
}

#[test]
fn a_mutex_without_a_known_size_is_locked() {
    let mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2]));
    now(mutex.lock())[0] = 3;
    assert_eq!(*now(mutex.clone().lock_owned()), [3, 2]);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: [3, 2] }");
}

#[test]
fn threads_wait_in_the_queue() {
    let mutex = Arc::new(Mutex::new(0));
    let threads = [false, true].map(|owned| {
        let mutex = mutex.clone();
        thread::spawn(move || {
            for _ in 0..100 {
                if owned {
                    *mutex.clone().blocking_lock_owned() += 1;
                } else {
                    *mutex.blocking_lock() += 1;
                }
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*mutex.blocking_lock(), 200);
}

#[test]
fn blocking_panics_in_a_task_and_not_on_a_blocking_thread() {
    let mutex = Arc::new(Mutex::new(0));
    runtime().block_on(async {
        let (text, blamed) = blamed_panic_of(|| drop(mutex.blocking_lock()));
        assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
        let (text, blamed) = blamed_panic_of(|| drop(mutex.clone().blocking_lock_owned()));
        assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
        let blocked = mutex.clone();
        let held = tokio::task::spawn_blocking(move || *blocked.blocking_lock() + 1);
        assert_eq!(held.await.unwrap(), 1);
    });
    // Nothing is held or queued after the panics.
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn waits_spend_budget() {
    let mutex = Arc::new(Mutex::new(0));
    let count = ready_in_a_budget(|cx| pin!(mutex.lock()).poll(cx).map(drop));
    assert!(count.is_some_and(|count| count > 0));
    let count = ready_in_a_budget(|cx| pin!(mutex.clone().lock_owned()).poll(cx).map(drop));
    assert!(count.is_some_and(|count| count > 0));
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn who_has_no_budget_keeps_its_place_and_what_it_won() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = now(mutex.lock());
    let mut first = pin!(mutex.lock());
    assert!(poll_without_budget(first.as_mut()).is_pending());
    let (one, other) = (Task::new(), Task::new());
    let mut second = pin!(mutex.lock());
    other.pending(second.as_mut());
    drop(guard);
    assert!(!other.woken());
    drop(one.ready(first));
    assert!(other.woken());
    drop(other.ready(second));

    let mut won = Box::pin(mutex.clone().lock_owned());
    assert!(poll_without_budget(won.as_mut()).is_pending());
    assert!(mutex.try_lock().is_err());
    drop(won);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn a_second_poll_panics() {
    let mutex = Arc::new(Mutex::new(0));
    let mut wait = pin!(mutex.lock());
    drop(now(wait.as_mut()));
    assert_eq!(panic_of(|| drop(now(wait))), "`async fn` resumed after completion");
    let mut wait = pin!(mutex.clone().lock_owned());
    drop(now(wait.as_mut()));
    assert_eq!(panic_of(|| drop(now(wait))), "`async fn` resumed after completion");
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn shows_its_value_or_that_it_is_locked() {
    let mutex = Arc::new(Mutex::new(1.5));
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 1.5 }");
    let guard = now(mutex.lock());
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), "1.5 1.5");
    let part = MutexGuard::map(guard, |number| number);
    assert_eq!(format!("{part:?} {part:.2}"), "1.5 1.50");
    drop(part);
    let guard = now(mutex.clone().lock_owned());
    assert_eq!(format!("{guard:?} {guard}"), "1.5 1.5");
    let part = OwnedMutexGuard::map(guard, |number| number);
    assert_eq!(format!("{part:?} {part:.2}"), "1.5 1.50");
}
