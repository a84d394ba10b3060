// Included for each side, see `main.rs`.

use std::cell::Cell;
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
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};

use crate::support::{poll_without_budget, 
    MAY_NOT_BLOCK, Task, Unsent, blamed_panic_of, is_send, now, panic_of, ready_in_a_budget, runtime,
};

assert_impl_all!(RwLock<u8>: Send, Sync, Unpin, UnwindSafe, Debug, Default, From<u8>);
assert_impl_all!(RwLock<[u8]>: Send, Sync);
assert_impl_all!(RwLock<Cell<u8>>: Send);
assert_not_impl_any!(RwLock<Cell<u8>>: Sync);
assert_not_impl_any!(RwLock<u8>: Clone, std::panic::RefUnwindSafe);
assert_not_impl_any!(RwLock<Rc<u8>>: Send, Sync);
assert_not_impl_any!(RwLock<Unsent>: Send, Sync);
assert_not_impl_any!(RwLock<PhantomPinned>: Unpin);

assert_impl_all!(RwLockReadGuard<'static, u8>: Send, Sync, Unpin, UnwindSafe, Debug, Display);
assert_impl_all!(RwLockReadGuard<'static, PhantomPinned>: Unpin);
assert_not_impl_any!(RwLockReadGuard<'static, u8>: DerefMut, Clone);
assert_not_impl_any!(RwLockReadGuard<'static, Cell<u8>>: Send, Sync, UnwindSafe);
assert_not_impl_any!(RwLockReadGuard<'static, Rc<u8>>: Send, Sync);
assert_impl_all!(RwLockReadGuard<'static, Unsent>: Send);

assert_impl_all!(RwLockWriteGuard<'static, u8>: Send, Sync, Unpin, Debug, Display, DerefMut);
assert_impl_all!(RwLockWriteGuard<'static, PhantomPinned>: Unpin);
assert_not_impl_any!(RwLockWriteGuard<'static, u8>: UnwindSafe);
assert_not_impl_any!(RwLockWriteGuard<'static, Cell<u8>>: Send, Sync);
assert_not_impl_any!(RwLockWriteGuard<'static, Unsent>: Send, Sync);

assert_impl_all!(RwLockMappedWriteGuard<'static, u8>: Send, Sync, Unpin, Debug, Display, DerefMut);
assert_impl_all!(RwLockMappedWriteGuard<'static, PhantomPinned>: Unpin);
assert_not_impl_any!(RwLockMappedWriteGuard<'static, u8>: UnwindSafe);
assert_not_impl_any!(RwLockMappedWriteGuard<'static, Cell<u8>>: Send, Sync);
assert_not_impl_any!(RwLockMappedWriteGuard<'static, Unsent>: Send, Sync);

assert_impl_all!(OwnedRwLockReadGuard<u8>: Send, Sync, Unpin, Debug, Display);
assert_impl_all!(OwnedRwLockReadGuard<u8, [u8]>: Send, Sync, Unpin);
assert_not_impl_any!(OwnedRwLockReadGuard<u8>: DerefMut, Clone, UnwindSafe);
assert_not_impl_any!(OwnedRwLockReadGuard<Cell<u8>>: Send, Sync);
assert_not_impl_any!(OwnedRwLockReadGuard<Cell<u8>, u8>: Send, Sync);
assert_not_impl_any!(OwnedRwLockReadGuard<u8, Cell<u8>>: Send, Sync);
assert_not_impl_any!(OwnedRwLockReadGuard<Unsent, u8>: Send, Sync);
assert_impl_all!(OwnedRwLockReadGuard<u8, Unsent>: Send);

assert_impl_all!(OwnedRwLockWriteGuard<u8>: Send, Sync, Unpin, Debug, Display, DerefMut);
assert_not_impl_any!(OwnedRwLockWriteGuard<u8>: UnwindSafe);
assert_not_impl_any!(OwnedRwLockWriteGuard<Cell<u8>>: Send, Sync);
assert_not_impl_any!(OwnedRwLockWriteGuard<Unsent>: Send, Sync);

assert_impl_all!(OwnedRwLockMappedWriteGuard<u8>: Send, Sync, Unpin, Debug, Display, DerefMut);
assert_impl_all!(OwnedRwLockMappedWriteGuard<u8, [u8]>: Send, Sync, Unpin);
assert_not_impl_any!(OwnedRwLockMappedWriteGuard<u8>: UnwindSafe);
assert_not_impl_any!(OwnedRwLockMappedWriteGuard<Cell<u8>, u8>: Send, Sync);
assert_not_impl_any!(OwnedRwLockMappedWriteGuard<u8, Cell<u8>>: Send, Sync);
assert_not_impl_any!(OwnedRwLockMappedWriteGuard<Unsent, u8>: Send, Sync);
assert_not_impl_any!(OwnedRwLockMappedWriteGuard<u8, Unsent>: Send, Sync);

const MAX_READS: u32 = u32::MAX >> 3;

static LOCK: RwLock<u8> = RwLock::const_new(1);
static NARROW: RwLock<u8> = RwLock::const_with_max_readers(1, 1);

#[test]
fn works_in_a_static() {
    *now(LOCK.write()) += 1;
    assert_eq!(*now(LOCK.read()), 2);
    let reader = now(NARROW.read());
    assert!(NARROW.try_read().is_err());
    drop(reader);
}

#[test]
fn is_made_of_its_value_and_gives_it_back() {
    for mut lock in [
        RwLock::new(1),
        RwLock::const_new(1),
        RwLock::from(1),
        RwLock::with_max_readers(1, MAX_READS),
        RwLock::const_with_max_readers(1, MAX_READS),
    ] {
        *lock.get_mut() += 1;
        assert_eq!(lock.into_inner(), 2);
    }
    assert_eq!(RwLock::<String>::default().into_inner(), "");
}

#[test]
fn a_bad_limit_is_refused() {
    let (text, blamed) = blamed_panic_of(|| RwLock::with_max_readers(1, 0));
    assert!(text.contains("a RwLock may not be created with 0 readers") && blamed, "{text}");
    let (text, blamed) = blamed_panic_of(|| RwLock::with_max_readers(1, MAX_READS + 1));
    assert_eq!(text, "a RwLock may not be created with more than 536870911 readers");
    assert!(blamed);
    let text = panic_of(|| RwLock::const_with_max_readers(1, 0));
    assert_eq!(text, "a RwLock may not be created with 0 readers");
    panic_of(|| RwLock::const_with_max_readers(1, MAX_READS + 1));
}

#[test]
fn readers_share_and_a_writer_excludes() {
    let lock = Arc::new(RwLock::new(1));
    let (one, other) = (now(is_send(lock.read())), now(is_send(lock.clone().read_owned())));
    assert_eq!(*one + *other, 2);
    let error: TryLockError = lock.try_write().unwrap_err();
    assert_eq!(error.to_string(), "operation would block");
    assert!(lock.clone().try_write_owned().is_err());
    assert!(lock.try_read().is_ok() && lock.clone().try_read_owned().is_ok());
    drop((one, other));
    let mut writer = now(is_send(lock.write()));
    *writer = 2;
    assert!(lock.try_read().is_err() && lock.try_write().is_err());
    assert!(lock.clone().try_read_owned().is_err());
    drop(writer);
    let mut writer = now(is_send(lock.clone().write_owned()));
    *writer += 1;
    assert!(lock.try_read().is_err());
    drop(writer);
    *lock.try_write().unwrap() += 1;
    *lock.clone().try_write_owned().unwrap() += 1;
    assert_eq!(*lock.try_read().unwrap(), 5);
}

#[test]
fn is_fifo_and_a_waiting_writer_stops_new_readers() {
    let lock = Arc::new(RwLock::new(0));
    let tasks = [(); 4].map(|()| Task::new());
    let reader = now(lock.read());
    let mut writer = pin!(lock.write());
    let (mut one, mut two) = (pin!(lock.read()), pin!(lock.clone().read_owned()));
    let mut last = pin!(lock.clone().write_owned());
    tasks[0].pending(writer.as_mut());
    assert!(lock.try_read().is_err());
    tasks[1].pending(one.as_mut());
    tasks[2].pending(two.as_mut());
    tasks[3].pending(last.as_mut());
    let woken = || tasks.iter().map(Task::woken).collect::<Vec<_>>();
    drop(reader);
    assert_eq!(woken(), [true, false, false, false]);
    drop(tasks[0].ready(writer));
    assert_eq!(woken(), [true, true, true, false]);
    let readers = (tasks[1].ready(one), tasks[2].ready(two));
    assert!(!tasks[3].woken());
    drop(readers);
    drop(tasks[3].ready(last));
    assert!(lock.try_write().is_ok());
}

#[test]
fn cancelled_writer_lets_readers_in() {
    let lock = RwLock::new(0);
    let (first, second) = (Task::new(), Task::new());
    let reader = now(lock.read());
    let mut writer = Box::pin(lock.write());
    first.pending(writer.as_mut());
    let mut waiting = pin!(lock.read());
    second.pending(waiting.as_mut());
    drop(writer);
    assert!(second.woken());
    drop((second.ready(waiting), reader));

    // Granted, and dropped.
    let held = now(lock.write());
    let mut granted = Box::pin(lock.write());
    let mut next = pin!(lock.read());
    let (first, second) = (Task::new(), Task::new());
    first.pending(granted.as_mut());
    second.pending(next.as_mut());
    drop(held);
    assert!(first.woken() && !second.woken());
    drop(granted);
    assert!(second.woken());
    drop(second.ready(next));
}

#[test]
fn reader_limit_is_enforced() {
    let lock = RwLock::with_max_readers(0, 2);
    let (one, two) = (now(lock.read()), lock.try_read().unwrap());
    assert!(lock.try_read().is_err());
    let task = Task::new();
    let mut three = pin!(lock.read());
    task.pending(three.as_mut());
    drop(one);
    drop((task.ready(three), two));
    drop(now(lock.write()));
}

#[test]
fn downgrade_lets_no_writer_in_between() {
    let lock = Arc::new(RwLock::new(0));
    for owned in [false, true] {
        let (writes, reads) = (Task::new(), Task::new());
        let (mut read, mut write) = (pin!(lock.read()), pin!(lock.write()));
        if owned {
            let writer = now(lock.clone().write_owned());
            reads.pending(read.as_mut());
            writes.pending(write.as_mut());
            let reader: OwnedRwLockReadGuard<i32> = writer.downgrade();
            assert!(reads.woken() && !writes.woken());
            drop((reads.ready(read), reader));
        } else {
            let writer = now(lock.write());
            reads.pending(read.as_mut());
            writes.pending(write.as_mut());
            let reader: RwLockReadGuard<'_, i32> = writer.downgrade();
            assert!(reads.woken() && !writes.woken());
            drop((reads.ready(read), reader));
        }
        drop(writes.ready(write));
    }
}

#[test]
fn unlocks_by_a_panic_and_is_not_poisoned() {
    let lock = Arc::new(RwLock::new(1));
    let panics: [&dyn Fn(); 4] = [
        &|| {
            let _guard = now(lock.write());
            panic!("under the lock")
        },
        &|| drop(RwLockReadGuard::map(now(lock.read()), |_| -> &u8 { panic!("in the map") })),
        &|| drop(RwLockWriteGuard::map(now(lock.write()), |_| -> &mut u8 { panic!("in the map") })),
        &|| {
            let writer = now(lock.clone().write_owned());
            drop(OwnedRwLockWriteGuard::downgrade_map(writer, |_| -> &u8 { panic!("in the map") }))
        },
    ];
    for panics in panics {
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert!(lock.try_write().is_ok());
    }
}

#[test]
fn guards_of_a_part() {
    let lock = RwLock::new((1, vec![2, 3]));
    let list: RwLockReadGuard<'_, Vec<i32>> = RwLockReadGuard::map(now(lock.read()), |all| &all.1);
    let list = RwLockReadGuard::try_map(list, |list| list.get(9)).unwrap_err();
    let second = RwLockReadGuard::try_map(list, |list| list.get(1)).unwrap();
    assert!(*second == 3 && lock.try_write().is_err());
    drop(second);

    let all: RwLockWriteGuard<'_, _> = now(lock.write());
    let all = RwLockWriteGuard::try_map(all, |_| None::<&mut u8>).unwrap_err();
    let mut list: RwLockMappedWriteGuard<'_, Vec<i32>> = RwLockWriteGuard::map(all, |all| &mut all.1);
    list.push(4);
    let list = RwLockMappedWriteGuard::try_map(list, |list| list.get_mut(9)).unwrap_err();
    let third = RwLockMappedWriteGuard::try_map(list, |list| list.get_mut(2)).unwrap();
    let mut third = RwLockMappedWriteGuard::map(third, |third| third);
    *third += 1;
    assert!(lock.try_read().is_err());
    drop(third);
    let first = RwLockWriteGuard::try_map(now(lock.write()), |all| Some(&mut all.0)).unwrap();
    assert_eq!(*first, 1);
    drop(first);
    // The generics stand in this order.
    let slice = RwLockWriteGuard::map::<_, [i32]>(now(lock.write()), |all| &mut all.1[..]);
    assert_eq!(*slice, [2, 3, 5]);
    drop(slice);
    let mut whole: RwLockMappedWriteGuard<'_, _> = RwLockWriteGuard::into_mapped(now(lock.write()));
    whole.0 = 7;
    drop(whole);

    let writer = now(lock.write());
    let writer = RwLockWriteGuard::try_downgrade_map(writer, |_| None::<&u8>).unwrap_err();
    assert!(lock.try_read().is_err());
    let first: RwLockReadGuard<'_, i32> = RwLockWriteGuard::downgrade_map(writer, |all| &all.0);
    assert!(*first == 7 && lock.try_read().is_ok());
    drop(first);
    let writer = now(lock.write());
    let first = RwLockWriteGuard::try_downgrade_map::<_, i32>(writer, |all| Some(&all.0)).unwrap();
    assert!(*first == 7 && lock.try_read().is_ok() && lock.try_write().is_err());
}

#[test]
fn owned_guards_of_a_part() {
    type All = (i32, Vec<i32>);
    let lock = Arc::new(RwLock::new((1, vec![2, 3])));
    let read = || lock.clone().try_read_owned().unwrap();
    let write = || lock.clone().try_write_owned().unwrap();
    let list: OwnedRwLockReadGuard<All, Vec<i32>> = OwnedRwLockReadGuard::map(read(), |all| &all.1);
    assert!(Arc::ptr_eq(OwnedRwLockReadGuard::rwlock(&list), &lock));
    let list = OwnedRwLockReadGuard::try_map(list, |list| list.get(9)).unwrap_err();
    let second = OwnedRwLockReadGuard::try_map::<_, i32>(list, |list| list.get(1)).unwrap();
    assert!(*second == 3 && lock.try_write().is_err());
    drop(second);

    let all: OwnedRwLockWriteGuard<All> = write();
    assert!(Arc::ptr_eq(OwnedRwLockWriteGuard::rwlock(&all), &lock));
    let all = OwnedRwLockWriteGuard::try_map(all, |_| None::<&mut u8>).unwrap_err();
    let mut list: OwnedRwLockMappedWriteGuard<All, Vec<i32>> =
        OwnedRwLockWriteGuard::map(all, |all| &mut all.1);
    assert!(Arc::ptr_eq(OwnedRwLockMappedWriteGuard::rwlock(&list), &lock));
    list.push(4);
    let list = OwnedRwLockMappedWriteGuard::try_map(list, |list| list.get_mut(9)).unwrap_err();
    let third = OwnedRwLockMappedWriteGuard::try_map(list, |list| list.get_mut(2)).unwrap();
    let mut third = OwnedRwLockMappedWriteGuard::map::<_, i32>(third, |third| third);
    *third += 1;
    assert!(lock.try_read().is_err());
    drop(third);
    let first = OwnedRwLockWriteGuard::try_map(write(), |all| Some(&mut all.0)).unwrap();
    assert_eq!(*first, 1);
    drop(first);
    let mut whole: OwnedRwLockMappedWriteGuard<All> = OwnedRwLockWriteGuard::into_mapped(write());
    whole.0 = 7;
    drop(whole);

    let writer = OwnedRwLockWriteGuard::try_downgrade_map(write(), |_| None::<&u8>).unwrap_err();
    assert!(lock.try_read().is_err());
    let first: OwnedRwLockReadGuard<All, i32> =
        OwnedRwLockWriteGuard::downgrade_map(writer, |all| &all.0);
    assert!(*first == 7 && lock.try_read().is_ok());
    drop(first);
    let first = OwnedRwLockWriteGuard::try_downgrade_map(write(), |all| Some(&all.0)).unwrap();
    assert!(*first == 7 && lock.try_read().is_ok() && lock.try_write().is_err());
}

#[test]
fn owned_guard_keeps_the_lock_alive() {
    let lock = Arc::new(RwLock::new(1));
    let weak = Arc::downgrade(&lock);
    let writer = lock.try_write_owned().unwrap();
    assert!(weak.upgrade().is_some());
    let reader = OwnedRwLockReadGuard::map(writer.downgrade(), |number| number);
    assert!(weak.upgrade().is_some());
    drop(reader);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_lock_without_a_known_size_is_locked() {
    let lock: Arc<RwLock<[u8]>> = Arc::new(RwLock::new([1, 2]));
    now(lock.write())[0] = 3;
    assert_eq!(*now(lock.clone().read_owned()), [3, 2]);
    assert_eq!(format!("{lock:?}"), "RwLock { data: [3, 2] }");
}

#[test]
fn threads_wait_in_the_queue() {
    let lock = Arc::new(RwLock::new(0));
    let threads = [(); 2].map(|()| {
        let lock = lock.clone();
        thread::spawn(move || {
            for _ in 0..100 {
                let before = *lock.blocking_read();
                *lock.blocking_write() += 1;
                assert!(*lock.blocking_read() > before);
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*lock.blocking_read(), 200);
}

#[test]
fn blocking_panics_in_a_task_and_not_on_a_blocking_thread() {
    let lock = Arc::new(RwLock::new(0));
    runtime().block_on(async {
        let (text, blamed) = blamed_panic_of(|| drop(lock.blocking_read()));
        assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
        let (text, blamed) = blamed_panic_of(|| drop(lock.blocking_write()));
        assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
        let blocked = lock.clone();
        let held = tokio::task::spawn_blocking(move || {
            *blocked.blocking_write() += 1;
            *blocked.blocking_read()
        });
        assert_eq!(held.await.unwrap(), 1);
    });
    assert!(lock.try_write().is_ok());
}

#[test]
fn waits_spend_budget() {
    let lock = Arc::new(RwLock::new(0));
    let counts = [
        ready_in_a_budget(|cx| pin!(lock.read()).poll(cx).map(drop)),
        ready_in_a_budget(|cx| pin!(lock.write()).poll(cx).map(drop)),
        ready_in_a_budget(|cx| pin!(lock.clone().read_owned()).poll(cx).map(drop)),
        ready_in_a_budget(|cx| pin!(lock.clone().write_owned()).poll(cx).map(drop)),
    ];
    assert!(counts.iter().all(|count| count.is_some_and(|count| count > 0)), "{counts:?}");
    assert!(lock.try_write().is_ok());
}

#[test]
fn who_has_no_budget_keeps_its_place_and_what_it_won() {
    let lock = Arc::new(RwLock::new(0));
    let reader = now(lock.read());
    let mut writer = pin!(lock.write());
    assert!(poll_without_budget(writer.as_mut()).is_pending());
    assert!(lock.try_read().is_err());
    let task = Task::new();
    let mut second = pin!(lock.write());
    task.pending(second.as_mut());
    drop(reader);
    assert!(!task.woken());
    drop(now(writer));
    drop(task.ready(second));

    let mut won = Box::pin(lock.clone().read_owned());
    assert!(poll_without_budget(won.as_mut()).is_pending());
    assert!(lock.try_write().is_err());
    drop(won);
    assert!(lock.try_write().is_ok());
}

#[test]
fn a_second_poll_panics() {
    let lock = RwLock::new(0);
    let mut wait = pin!(lock.read());
    drop(now(wait.as_mut()));
    assert_eq!(panic_of(|| drop(now(wait))), "`async fn` resumed after completion");
    let mut wait = pin!(lock.write());
    drop(now(wait.as_mut()));
    assert_eq!(panic_of(|| drop(now(wait))), "`async fn` resumed after completion");
}

#[test]
fn shows_its_value_or_that_it_is_locked() {
    let lock = Arc::new(RwLock::new(1.5));
    let reader = now(lock.read());
    assert_eq!(format!("{lock:?}"), "RwLock { data: 1.5 }");
    assert_eq!(format!("{reader:?} {reader:.2}"), "1.5 1.50");
    drop(reader);
    let writer = now(lock.write());
    assert_eq!(format!("{lock:?}"), "RwLock { data: <locked> }");
    assert_eq!(format!("{writer:?} {writer:.2}"), "1.5 1.50");
    let mapped = RwLockWriteGuard::into_mapped(writer);
    assert_eq!(format!("{mapped:?} {mapped:.2}"), "1.5 1.50");
    drop(mapped);
    let writer = now(lock.clone().write_owned());
    assert_eq!(format!("{writer:?} {writer:.2}"), "1.5 1.50");
    let mapped = OwnedRwLockWriteGuard::into_mapped(writer);
    assert_eq!(format!("{mapped:?} {mapped:.2}"), "1.5 1.50");
    drop(mapped);
    let reader = now(lock.clone().read_owned());
    assert_eq!(format!("{reader:?} {reader:.2}"), "1.5 1.50");
}
