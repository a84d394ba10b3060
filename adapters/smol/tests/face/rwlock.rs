// Included for each side, see `main.rs`.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use lock::futures::{
    Read, ReadArc, UpgradableRead, UpgradableReadArc, Upgrade, UpgradeArc, Write, WriteArc,
};
use lock::{
    RwLock, RwLockReadGuard, RwLockReadGuardArc, RwLockUpgradableReadGuard,
    RwLockUpgradableReadGuardArc, RwLockWriteGuard, RwLockWriteGuardArc,
};

use crate::support::{Task, now, within_a_minute};

static IN_A_STATIC: RwLock<u8> = RwLock::new(7);

assert_impl_all!(RwLock<u8>: Send, Sync, Unpin, UnwindSafe);
assert_impl_all!(RwLock<Cell<u8>>: Send);
assert_not_impl_any!(RwLock<Cell<u8>>: Sync);
assert_not_impl_any!(RwLock<Rc<u8>>: Send, Sync);

macro_rules! guards {
    ($($guard:ident $(<$lifetime:lifetime>)?),*) => {$(
        assert_impl_all!($guard<$($lifetime,)? u8>: Send, Sync, Unpin);
        assert_not_impl_any!($guard<$($lifetime,)? Cell<u8>>: Sync);
        assert_not_impl_any!($guard<$($lifetime,)? Rc<u8>>: Send, Sync);
    )*};
}
guards!(
    RwLockReadGuard<'static>,
    RwLockUpgradableReadGuard<'static>,
    RwLockWriteGuard<'static>
);
guards!(
    RwLockReadGuardArc,
    RwLockUpgradableReadGuardArc,
    RwLockWriteGuardArc
);

macro_rules! waits {
    ($($wait:ident $(<$lifetime:lifetime>)? => $guard:ty),*) => {$(
        assert_impl_all!($wait<$($lifetime,)? u8>: Send, Sync, Future<Output = $guard>);
        assert_not_impl_any!($wait<$($lifetime,)? Cell<u8>>: Sync);
        assert_not_impl_any!($wait<$($lifetime,)? Rc<u8>>: Send, Sync);
        assert_not_impl_any!($wait<$($lifetime,)? u8>: Unpin);
    )*};
}
waits!(
    Read<'static> => RwLockReadGuard<'static, u8>,
    UpgradableRead<'static> => RwLockUpgradableReadGuard<'static, u8>,
    Write<'static> => RwLockWriteGuard<'static, u8>,
    Upgrade<'static> => RwLockWriteGuard<'static, u8>,
    ReadArc<'static> => RwLockReadGuardArc<u8>,
    UpgradableReadArc<'static> => RwLockUpgradableReadGuardArc<u8>,
    WriteArc<'static> => RwLockWriteGuardArc<u8>,
    UpgradeArc => RwLockWriteGuardArc<u8>
);

#[test]
fn values_go_in_and_come_out() {
    assert_eq!(*IN_A_STATIC.try_read().unwrap(), 7);
    let mut lock = RwLock::from(1);
    *lock.get_mut() += 1;
    assert_eq!(lock.into_inner(), 2);
    assert_eq!(RwLock::<u8>::default().into_inner(), 0);
}

#[test]
fn every_form_reads() {
    let lock = Arc::new(RwLock::new(1));
    let readers = (
        now(lock.read()),
        now(lock.read_arc()),
        lock.read_blocking(),
        lock.read_arc_blocking(),
        lock.try_read().unwrap(),
        lock.try_read_arc().unwrap(),
    );
    assert_eq!(
        *readers.0 + *readers.1 + *readers.2 + *readers.3 + *readers.4 + *readers.5,
        6
    );
    assert!(lock.try_write().is_none() && lock.try_write_arc().is_none());
    drop(readers);
    assert!(lock.try_write().is_some());
}

#[test]
fn every_form_reads_upgradably() {
    let lock = Arc::new(RwLock::new(1));
    assert_eq!(*now(lock.upgradable_read()), 1);
    assert_eq!(*now(lock.upgradable_read_arc()), 1);
    assert_eq!(*lock.upgradable_read_blocking(), 1);
    assert_eq!(*lock.upgradable_read_arc_blocking(), 1);
    assert_eq!(*lock.try_upgradable_read_arc().unwrap(), 1);
    let upgradable = lock.try_upgradable_read().unwrap();
    assert!(lock.try_upgradable_read().is_none() && lock.try_upgradable_read_arc().is_none());
    assert!(lock.try_write().is_none());
    assert!(lock.try_read().is_some());
    drop(upgradable);
    assert!(lock.try_write().is_some());
}

#[test]
fn every_form_writes() {
    let lock = Arc::new(RwLock::new(0));
    *now(lock.write()) += 1;
    *now(lock.write_arc()) += 1;
    *lock.write_blocking() += 1;
    *lock.write_arc_blocking() += 1;
    *lock.try_write_arc().unwrap() += 1;
    let mut writer = lock.try_write().unwrap();
    *writer += 1;
    assert!(lock.try_write().is_none() && lock.try_write_arc().is_none());
    assert!(lock.try_read().is_none() && lock.try_read_arc().is_none());
    assert!(lock.try_upgradable_read().is_none() && lock.try_upgradable_read_arc().is_none());
    drop(writer);
    assert_eq!(Arc::into_inner(lock).unwrap().into_inner(), 6);
}

#[test]
fn guards_become_others() {
    let lock = RwLock::new(0);
    let upgradable = now(lock.upgradable_read());
    let reader = RwLockUpgradableReadGuard::downgrade(upgradable);
    let upgradable = lock.try_upgradable_read().expect("downgraded");
    let upgradable = RwLockUpgradableReadGuard::try_upgrade(upgradable).expect_err("read");
    drop(reader);
    let mut writer = RwLockUpgradableReadGuard::try_upgrade(upgradable).expect("alone");
    *writer += 1;
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writer);
    assert!(lock.try_read().is_some() && lock.try_upgradable_read().is_none());
    let mut writer = now(RwLockUpgradableReadGuard::upgrade(upgradable));
    *writer += 1;
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writer);
    let mut writer = RwLockUpgradableReadGuard::upgrade_blocking(upgradable);
    *writer += 1;
    let reader = RwLockWriteGuard::downgrade(writer);
    assert!(lock.try_read().is_some() && lock.try_upgradable_read().is_some());
    assert_eq!(*reader, 3);
}

#[test]
fn owned_guards_become_others() {
    let lock = Arc::new(RwLock::new(0));
    let upgradable = now(lock.upgradable_read_arc());
    let reader = RwLockUpgradableReadGuardArc::downgrade(upgradable);
    let upgradable = lock.try_upgradable_read_arc().expect("downgraded");
    let upgradable = RwLockUpgradableReadGuardArc::try_upgrade(upgradable).expect_err("read");
    drop(reader);
    let mut writer = RwLockUpgradableReadGuardArc::try_upgrade(upgradable).expect("alone");
    *writer += 1;
    let upgradable = RwLockWriteGuardArc::downgrade_to_upgradable(writer);
    assert!(lock.try_read().is_some() && lock.try_upgradable_read().is_none());
    let mut writer = now(RwLockUpgradableReadGuardArc::upgrade(upgradable));
    *writer += 1;
    let upgradable = RwLockWriteGuardArc::downgrade_to_upgradable(writer);
    let mut writer = RwLockUpgradableReadGuardArc::upgrade_blocking(upgradable);
    *writer += 1;
    let reader = RwLockWriteGuardArc::downgrade(writer);
    assert!(lock.try_read().is_some() && lock.try_upgradable_read().is_some());
    let weak = Arc::downgrade(&lock);
    drop(lock);
    assert_eq!(*reader, 3);
    drop(reader);
    assert!(weak.upgrade().is_none());
}

#[test]
fn shows_as_text() {
    let lock = Arc::new(RwLock::new(5));
    assert_eq!(format!("{lock:?}"), "RwLock { value: 5 }");
    let texts = [
        (format!("{:?}", lock.read()), "Read { .. }"),
        (format!("{:?}", lock.read_arc()), "ReadArc { .. }"),
        (
            format!("{:?}", lock.upgradable_read()),
            "UpgradableRead { .. }",
        ),
        (
            format!("{:?}", lock.upgradable_read_arc()),
            "UpgradableReadArc { .. }",
        ),
        (format!("{:?}", lock.write()), "Write { .. }"),
        (format!("{:?}", lock.write_arc()), "WriteArc { .. }"),
    ];
    for (text, expected) in texts {
        assert_eq!(text, expected);
    }
    let upgrade = RwLockUpgradableReadGuard::upgrade(now(lock.upgradable_read()));
    assert_eq!(format!("{upgrade:?}"), "Upgrade");
    drop(upgrade);
    let upgrade = RwLockUpgradableReadGuardArc::upgrade(now(lock.upgradable_read_arc()));
    assert_eq!(format!("{upgrade:?}"), "ArcUpgrade");
    drop(upgrade);

    macro_rules! shows {
        ($($guard:expr),*) => {$({
            let guard = $guard;
            assert_eq!(format!("{guard:?} {guard}"), "5 5");
        })*};
    }
    shows!(
        now(lock.read()),
        now(lock.upgradable_read()),
        now(lock.write())
    );
    shows!(
        now(lock.read_arc()),
        now(lock.upgradable_read_arc()),
        now(lock.write_arc())
    );
    let _writer = now(lock.write());
    assert_eq!(format!("{lock:?}"), "RwLock { value: <locked> }");
}

#[test]
fn locks_what_has_no_size() {
    let lock: Arc<RwLock<[u8]>> = Arc::new(RwLock::new([1, 2, 3]));
    now(lock.write())[0] = 4;
    now(lock.write_arc())[1] = 5;
    assert_eq!(now(lock.upgradable_read_arc()).len(), 3);
    assert_eq!(*now(lock.read()), [4, 5, 3]);
}

#[test]
fn a_waiting_writer_stops_new_readers() {
    let lock = RwLock::new(());
    let reader = now(lock.read());
    let (one, two) = (Task::new(), Task::new());
    let (mut write, mut read) = (pin!(lock.write()), pin!(lock.read()));
    one.pending(write.as_mut());
    assert!(lock.try_read().is_none());
    two.pending(read.as_mut());
    drop(reader);
    assert!(one.woken() && !two.woken());
    let writer = one.ready(write);
    drop(writer);
    assert!(two.woken());
    two.ready(read);
}

#[test]
fn a_dropped_writer_lets_readers_in() {
    let lock = RwLock::new(());
    let _reader = now(lock.read());
    let (one, two, three) = (Task::new(), Task::new(), Task::new());
    let (mut read, mut other) = (pin!(lock.read()), pin!(lock.read()));
    {
        let mut write = pin!(lock.write());
        one.pending(write.as_mut());
        two.pending(read.as_mut());
        three.pending(other.as_mut());
    }
    assert!(two.woken());
    two.ready(read);
    assert!(three.woken());
    three.ready(other);
}

#[test]
fn an_upgrade_waits_for_readers_and_nobody_writes_before_it() {
    let lock = RwLock::new(0);
    let upgradable = now(lock.upgradable_read());
    let reader = now(lock.read());
    let (one, two) = (Task::new(), Task::new());
    let mut write = pin!(lock.write());
    two.pending(write.as_mut());
    let mut upgrade = pin!(RwLockUpgradableReadGuard::upgrade(upgradable));
    one.pending(upgrade.as_mut());
    assert!(lock.try_read().is_none() && lock.try_write().is_none());
    drop(reader);
    assert!(one.woken() && !two.woken());
    let mut writer = one.ready(upgrade);
    *writer = 1;
    drop(writer);
    assert!(two.woken());
    assert_eq!(*two.ready(write), 1);
}

#[test]
fn a_dropped_upgrade_gives_everything_back() {
    let lock = Arc::new(RwLock::new(()));
    drop(RwLockUpgradableReadGuard::upgrade(now(
        lock.upgradable_read()
    )));
    assert!(lock.try_write().is_some());
    drop(RwLockUpgradableReadGuardArc::upgrade(now(
        lock.upgradable_read_arc()
    )));
    assert!(lock.try_write().is_some());
    let reader = now(lock.read());
    Task::new().pending(pin!(RwLockUpgradableReadGuard::upgrade(now(
        lock.upgradable_read()
    ))));
    Task::new().pending(pin!(RwLockUpgradableReadGuardArc::upgrade(now(
        lock.upgradable_read_arc()
    ))));
    drop(reader);
    assert!(lock.try_write().is_some());
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn a_dropped_winner_passes_on() {
    let lock = RwLock::new(());
    let writer = lock.try_write();
    let (one, two) = (Task::new(), Task::new());
    let mut second = pin!(lock.write());
    {
        let mut first = pin!(lock.write());
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        drop(writer);
        assert!(one.woken() && !two.woken());
    }
    assert!(two.woken());
    two.ready(second);
}

#[test]
fn a_dropped_wait_leaves_no_trace() {
    let lock = Arc::new(RwLock::new(()));
    let writer = lock.try_write();
    let task = Task::new();
    task.pending(pin!(lock.read()));
    task.pending(pin!(lock.read_arc()));
    task.pending(pin!(lock.upgradable_read()));
    task.pending(pin!(lock.upgradable_read_arc()));
    task.pending(pin!(lock.write()));
    task.pending(pin!(lock.write_arc()));
    drop(writer);
    assert!(!task.woken());
    assert!(lock.try_write().is_some());
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn a_panic_unlocks() {
    let lock = RwLock::new(0);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        *now(lock.write()) = 1;
        let _upgradable = now(lock.upgradable_read());
        let _reader = now(lock.read());
        panic!("with guards in hand");
    }));
    assert!(unwound.is_err());
    assert_eq!(*lock.try_write().unwrap(), 1);
}

#[test]
fn tasks_and_threads_share_a_lock() {
    within_a_minute(|| {
        let pair = Arc::new(RwLock::new((0, 0)));
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let pair = pair.clone();
                thread::spawn(move || {
                    for _ in 0..100 {
                        let mut writer = match n % 2 {
                            0 => pair.write_blocking(),
                            _ => RwLockUpgradableReadGuard::upgrade_blocking(
                                pair.upgradable_read_blocking(),
                            ),
                        };
                        writer.0 += 1;
                        writer.1 += 1;
                        drop(writer);
                        let reader = smol::block_on(pair.read());
                        assert_eq!(reader.0, reader.1);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(pair.try_read().unwrap().0, 400);
    });
}

/// A task that has an upgradable read may read once more while another waits to write.
#[test]
fn a_writer_behind_an_upgradable_read_stops_no_reader() {
    let lock = RwLock::new(1);
    let upgradable = now(lock.upgradable_read());
    let (task, mut write) = (Task::new(), pin!(lock.write()));
    task.pending(write.as_mut());
    assert_eq!(*now(lock.read()), 1);
    assert!(lock.try_read().is_some());
    drop(upgradable);
    drop(task.ready(write));
}
