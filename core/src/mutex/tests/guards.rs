//! Guards that own, and guards of a part.

use core::cell::Cell;
use core::fmt::Debug;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::format;
use std::string::String;
use std::sync::Arc;
use std::thread;
use std::vec;
use std::vec::Vec;

use super::super::{
    LockOwned, MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard,
};
use super::{Budget, boxed, is_untouched, queued, ready};
use crate::io::{Bare, Block};
use crate::test_util::{
    allocations, counting_waker, panic_message, poll, poll_noop, poll_thrice, scope,
};

/// Counts how many of it have been dropped.
struct Dropped<'a>(&'a AtomicUsize);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn owned_guard_keeps_the_lock_alive() {
    let dropped = AtomicUsize::new(0);
    let mutex = Arc::new(Mutex::new(Dropped(&dropped)));
    let guard = mutex.clone().try_lock_owned().unwrap();
    assert!(mutex.clone().try_lock_owned().is_none());
    assert_eq!(Arc::strong_count(&mutex), 2, "a try that fails keeps none");
    drop(mutex);
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    // It unlocks before it lets go.
    drop(guard);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

#[test]
fn owned_guard_keeps_the_lock_alive_inside_another() {
    struct State {
        before: u8,
        lock: Mutex<Vec<u8>>,
    }
    let state = Arc::new(State {
        before: 7,
        lock: Mutex::new(vec![1]),
    });
    let find = |state: &Arc<State>| Mutex::try_lock_owned_by(state.clone(), |state| &state.lock);
    let mut guard = find(&state).unwrap();
    guard.push(2);
    assert!(find(&state).is_none());
    assert!(core::ptr::eq(OwnedMutexGuard::mutex(&guard), &state.lock));
    assert!(Arc::ptr_eq(OwnedMutexGuard::owner(&guard), &state));

    let mut wait = Box::pin(Mutex::lock_owned_by(
        state.clone(),
        |state| &state.lock,
        Bare,
    ));
    assert!(poll_noop(wait.as_mut()).is_pending());
    drop(state);
    drop(guard);
    let guard = ready(poll_noop(wait.as_mut()));
    drop(wait);
    assert_eq!(*guard, [1, 2]);
    assert_eq!(OwnedMutexGuard::owner(&guard).before, 7);
    assert_eq!(Arc::strong_count(OwnedMutexGuard::owner(&guard)), 1);
}

#[test]
fn owned_waits_queue_with_the_others() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.clone().try_lock_owned().unwrap();
    let (wakes, waker) = counting_waker();
    let mut owned = Box::pin(mutex.clone().lock_owned(Bare));
    assert!(poll(owned.as_mut(), &waker).is_pending());
    let mut borrowed = queued(&mutex, 1).pop().unwrap();
    drop(guard);
    assert_eq!(wakes.count(), 1);
    assert!(poll_noop(borrowed.as_mut()).is_pending());
    let mut guard = ready(poll(owned.as_mut(), &waker));
    *guard += 1;
    drop(guard);
    assert_eq!(*ready(poll_noop(borrowed.as_mut())), 1);
    assert!(is_untouched(&mutex));
}

#[test]
fn owned_wait_dropped_leaves_no_trace() {
    let mutex = Arc::new(Mutex::new(()));
    drop(mutex.clone().lock_owned(Bare));
    let guard = mutex.try_lock();
    let mut first = Box::pin(mutex.clone().lock_owned(Bare));
    let mut second = Box::pin(mutex.clone().lock_owned(Bare));
    let (wakes, waker) = counting_waker();
    assert!(poll_noop(first.as_mut()).is_pending());
    assert!(poll(second.as_mut(), &waker).is_pending());
    drop(guard);
    // Its win is passed on.
    drop(first);
    assert_eq!(wakes.count(), 1);
    drop(second);
    let mut done = Box::pin(mutex.clone().lock_owned(Bare));
    drop(poll_noop(done.as_mut()));
    assert!(is_untouched(&mutex));
    let message = panic_message(|| drop(poll_noop(done.as_mut())));
    assert_eq!(
        message,
        "a wait for a `Mutex` was polled after it had finished"
    );
    drop(done);
    assert!(is_untouched(&mutex));
    assert_eq!(Arc::strong_count(&mutex), 1);
}

#[test]
fn owned_wait_spends_budget_after_winning() {
    let mutex = Arc::new(Mutex::new(()));
    let io = Budget::default();
    io.broke.set(true);
    let mut wait = Box::pin(mutex.clone().lock_owned(&io));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert!(mutex.is_locked());
    io.broke.set(false);
    drop(ready(poll_noop(wait.as_mut())));
    assert!(is_untouched(&mutex));
}

#[test]
fn owned_waits_without_allocation() {
    let mutex = Arc::new(Mutex::new(0));
    let spent = allocations(|| {
        let guard = mutex.clone().try_lock_owned().unwrap();
        let mut wait = core::pin::pin!(mutex.clone().lock_owned(Bare));
        assert!(poll(wait.as_mut(), Waker::noop()).is_pending());
        drop(OwnedMutexGuard::map(guard, |value| value));
        drop(ready(poll(wait.as_mut(), Waker::noop())));
    });
    assert_eq!(spent, 0);
}

#[test]
fn mapped_guard_unlocks_once() {
    let mutex = Mutex::new((1, (2, [3, 4])));
    let mut waits = queued(&mutex, 0);
    let inner = MutexGuard::map(mutex.try_lock().unwrap(), |all| &mut all.1);
    for _ in 0..2 {
        let mut wait = boxed(&mutex);
        assert!(poll(wait.as_mut(), &counting_waker().1).is_pending());
        waits.push(wait);
    }
    let list = MappedMutexGuard::map(inner, |inner| &mut inner.1);
    let mut last: MappedMutexGuard<'_, i32> = MappedMutexGuard::map(list, |list| &mut list[1]);
    *last += 1;
    // Mapping has unlocked nothing, nor does it count as another holder.
    assert_eq!(mutex.waiter_count(), 2);
    drop(last);
    assert_eq!(mutex.waiter_count(), 1);
    let guard = ready(poll_noop(waits[0].as_mut()));
    assert_eq!(*guard, (1, (2, [3, 5])));
    drop(guard);
    drop(ready(poll_noop(waits[1].as_mut())));
    assert!(is_untouched(&mutex));
}

#[test]
fn owned_mapped_guard_unlocks_once() {
    let dropped: &'static AtomicUsize = Box::leak(Box::default());
    let mutex = Arc::new(Mutex::new((Dropped(dropped), [3, 4])));
    let guard = mutex.clone().try_lock_owned().unwrap();
    let mut next = Box::pin(mutex.clone().lock_owned(Bare));
    assert!(poll_noop(next.as_mut()).is_pending());
    let list = OwnedMutexGuard::map(guard, |all| &mut all.1[..]);
    assert!(Arc::ptr_eq(OwnedMappedMutexGuard::owner(&list), &mutex));
    let mut first = OwnedMappedMutexGuard::map(list, |list| &mut list[0]);
    *first = 9;
    assert_eq!(mutex.waiter_count(), 1);
    drop(mutex);
    drop(first);
    let guard = ready(poll_noop(next.as_mut()));
    drop(next);
    assert_eq!(guard.1, [9, 4]);
    let part = OwnedMutexGuard::map(guard, |all| &mut all.1);
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    drop(part);
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

#[test]
fn a_part_that_is_missing_gives_the_guard_back() {
    let mutex = Arc::new(Mutex::new(vec![1, 2]));
    let whole = MutexGuard::try_map(mutex.try_lock().unwrap(), |all| all.get_mut(2)).unwrap_err();
    let two = MutexGuard::try_map(whole, |all| all.get_mut(1)).unwrap();
    let two = MappedMutexGuard::try_map(two, |_| None::<&mut u8>).unwrap_err();
    let two = MappedMutexGuard::try_map(two, |two| Some(two)).unwrap();
    assert_eq!((*two, mutex.is_locked()), (2, true));
    drop(two);
    assert!(is_untouched(&mutex));

    let whole = mutex.clone().try_lock_owned().unwrap();
    let whole = OwnedMutexGuard::try_map(whole, |all| all.get_mut(2)).unwrap_err();
    let one = OwnedMutexGuard::try_map(whole, |all| all.get_mut(0)).unwrap();
    let one = OwnedMappedMutexGuard::try_map(one, |_| None::<&mut u8>).unwrap_err();
    let one = OwnedMappedMutexGuard::try_map(one, |one| Some(one)).unwrap();
    assert_eq!((*one, mutex.is_locked()), (1, true));
    drop(one);
    assert!(is_untouched(&mutex));
    assert_eq!(Arc::strong_count(&mutex), 1);
}

#[test]
fn mapping_that_panics_unlocks() {
    fn fail<T, U>(_: &mut T) -> &mut U {
        std::panic::panic_any("no such part")
    }
    let mutex = Arc::new(Mutex::new(1_u8));
    let borrowed = || mutex.try_lock().unwrap();
    let owned = || mutex.clone().try_lock_owned().unwrap();
    let cases: [&dyn Fn(); 6] = [
        &|| drop(MutexGuard::map(borrowed(), fail::<_, u8>)),
        &|| {
            drop(MutexGuard::try_map(borrowed(), |value| {
                Some(fail::<_, u8>(value))
            }))
        },
        &|| drop(OwnedMutexGuard::map(owned(), fail::<_, u8>)),
        &|| {
            drop(OwnedMutexGuard::try_map(owned(), |value| {
                Some(fail::<_, u8>(value))
            }))
        },
        &|| {
            let part = MutexGuard::map(borrowed(), |value| value);
            drop(MappedMutexGuard::map(part, fail::<_, u8>));
        },
        &|| {
            let part = OwnedMutexGuard::map(owned(), |value| value);
            drop(OwnedMappedMutexGuard::map(part, fail::<_, u8>));
        },
    ];
    for case in cases {
        assert_eq!(panic_message(case), "no such part");
        assert!(is_untouched(&mutex));
        assert_eq!(Arc::strong_count(&mutex), 1);
    }
}

#[test]
fn wait_stays_send() {
    // The whole may not be shared, and each guard goes to another thread.
    let mutex = Arc::new(Mutex::new((Cell::new(1), String::new())));
    let wait = mutex.clone().lock_owned(Bare);
    let guard = thread::spawn(move || Bare.block_on(wait)).join().unwrap();
    let part = OwnedMutexGuard::map(guard, |all| &mut all.1);
    thread::spawn(move || {
        let mut part = part;
        part.push('a');
    })
    .join()
    .unwrap();
    scope(|scope| {
        let part = MutexGuard::map(mutex.try_lock().unwrap(), |all| &mut all.0);
        scope.spawn(move || part.set(2));
    });
    let guard = mutex.try_lock().unwrap();
    assert_eq!((guard.0.get(), &guard.1[..]), (2, "a"));
}

#[test]
fn blocking_locks_wait_in_the_same_queue() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.try_lock().unwrap();
    let mut task = Box::pin(mutex.lock_future());
    assert!(poll(task.as_mut(), &counting_waker().1).is_pending());
    scope(|scope| {
        scope.spawn(|| *mutex.blocking_lock() += 1);
        scope.spawn(|| *mutex.clone().blocking_lock_owned() += 1);
        while mutex.waiter_count() < 3 {
            thread::yield_now();
        }
        drop(guard);
        assert_eq!(*ready(poll_noop(task.as_mut())), 0, "the task was first");
    });
    assert_eq!(*mutex.try_lock().unwrap(), 2);
    assert!(is_untouched(&mutex));
}

#[test]
fn hold_values_without_a_size() {
    let slice: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    let guard = ready(poll_noop(Box::pin(slice.clone().lock_owned(Bare)).as_mut()));
    let mut tail = OwnedMutexGuard::map(guard, |all| &mut all[1..]);
    tail[0] = 7;
    assert_eq!(*tail, [7, 3]);
    drop(tail);
    let shown = MutexGuard::map(slice.try_lock().unwrap(), |all| all as &mut [u8]);
    let shown = MappedMutexGuard::map(shown, |all| &mut all[0] as &mut (dyn Debug + Send));
    assert_eq!(format!("{shown:?}"), "1");

    trait HasLock: Send + Sync {
        fn lock(&self) -> &Mutex<[u8]>;
    }
    impl HasLock for Mutex<[u8; 2]> {
        fn lock(&self) -> &Mutex<[u8]> {
            self
        }
    }
    let owner: Arc<dyn HasLock> = Arc::new(Mutex::new([4, 5]));
    let guard = Mutex::try_lock_owned_by(owner, |owner| owner.lock()).unwrap();
    assert_eq!(*guard, [4, 5]);
}

#[test]
fn guards_show_the_value() {
    let mutex = Arc::new(Mutex::new((1, "value")));
    let part = MutexGuard::map(mutex.try_lock().unwrap(), |all| &mut all.1);
    assert_eq!(format!("{part:?} {part}"), r#""value" value"#);
    drop(part);
    let guard = mutex.clone().try_lock_owned().unwrap();
    assert_eq!(format!("{guard:?}"), r#"(1, "value")"#);
    let part = OwnedMutexGuard::map(guard, |all| &mut all.0);
    assert_eq!(format!("{part:?} {part}"), "1 1");
    let wait: LockOwned<_> = mutex.clone().lock_owned(Bare);
    assert_eq!(format!("{wait:?}"), r#"LockOwned { status: "idle", .. }"#);
}

#[test]
fn owned_guard_gives_way_in_its_own_task() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.try_lock();
    let (_, task) = counting_waker();
    let mut left_alone = Box::pin(mutex.clone().lock_owned(Bare));
    assert!(poll(left_alone.as_mut(), &task).is_pending());
    drop(guard);
    let mut polled = Box::pin(mutex.clone().lock_owned(Bare));
    let Poll::Ready(guard) = poll_thrice(polled.as_mut(), &task) else {
        panic!("the task waits for itself");
    };
    drop(guard);
    assert!(poll(left_alone.as_mut(), &task).is_ready());
    assert!(is_untouched(&mutex));
}
