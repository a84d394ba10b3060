//! Where ours is not as the original: a test for each side.

use std::pin::pin;

use crate::support::{Task, now, panic_of};

/// async-lock's documentation: "a barrier will block n-1 tasks". A wait that was
/// dropped counts as one that has come.
mod a_dropped_arrival {
    use super::*;

    #[test]
    fn original_counts_it() {
        let barrier = async_lock::Barrier::new(2);
        Task::new().pending(pin!(barrier.wait()));
        assert!(now(barrier.wait()).is_leader(), "released, and alone");
    }

    #[test]
    fn ours_withdraws_it() {
        let barrier = anysync_smol::lock::Barrier::new(2);
        Task::new().pending(pin!(barrier.wait()));
        Task::new().pending(pin!(barrier.wait()));
        let (task, mut wait) = (Task::new(), pin!(barrier.wait()));
        task.pending(wait.as_mut());
        assert!(now(barrier.wait()).is_leader());
        assert!(!task.ready(wait).is_leader());
    }
}

/// Who comes later does not get a permit before who waits.
mod a_released_permit {
    use super::*;

    #[test]
    fn original_goes_to_who_comes_first() {
        let semaphore = async_lock::Semaphore::new(0);
        let (task, mut wait) = (Task::new(), pin!(semaphore.acquire()));
        task.pending(wait.as_mut());
        semaphore.add_permits(1);
        let thief = semaphore.try_acquire();
        assert!(thief.is_some());
        task.pending(wait);
    }

    #[test]
    fn ours_goes_to_the_first_in_the_queue() {
        let semaphore = anysync_smol::lock::Semaphore::new(0);
        let (task, mut wait) = (Task::new(), pin!(semaphore.acquire()));
        task.pending(wait.as_mut());
        semaphore.add_permits(1);
        assert!(semaphore.try_acquire().is_none());
        task.ready(wait);
    }
}

mod more_permits_than_a_word_holds {
    use super::*;

    #[test]
    fn original_wraps_around() {
        let semaphore = async_lock::Semaphore::new(usize::MAX);
        semaphore.add_permits(2);
        assert_eq!(semaphore.available_permits(), 1);
    }

    #[test]
    fn ours_refuses() {
        use anysync_smol::lock::Semaphore;

        let semaphore = Semaphore::new(usize::MAX);
        assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
        let text = panic_of(|| semaphore.add_permits(2));
        assert!(
            text.contains("2 more permits") && text.contains(&Semaphore::MAX_PERMITS.to_string())
        );
        assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    }
}

/// Several permits as one are ours alone.
mod many_permits {
    use super::*;
    use anysync_smol::lock::Semaphore;
    use std::sync::Arc;

    #[test]
    fn ours_come_as_one_and_in_order() {
        let semaphore = Arc::new(Semaphore::new(2));
        let (one, two) = (Task::new(), Task::new());
        let (mut many, mut single) = (pin!(semaphore.acquire_many(3)), pin!(semaphore.acquire()));
        one.pending(many.as_mut());
        two.pending(single.as_mut());
        semaphore.add_permits(1);
        assert!(one.woken() && !two.woken());
        let many = one.ready(many);
        assert_eq!(format!("{many:?}"), "SemaphoreGuard { permits: 3, .. }");
        drop(many);
        two.ready(single).forget();
        let owned = now(semaphore.acquire_many_arc(2));
        assert!(semaphore.try_acquire_many(1).is_none());
        drop(owned);
        semaphore.try_acquire_many_arc(2).unwrap().forget();
        assert!(semaphore.try_acquire_many_arc(1).is_none());
    }
}

/// While an upgradable read is held, a writer that waits.
mod a_writer_behind_an_upgradable_read {
    use super::*;

    #[test]
    fn original_lets_readers_pass() {
        let lock = async_lock::RwLock::new(());
        let _upgradable = now(lock.upgradable_read());
        let mut write = pin!(lock.write());
        Task::new().pending(write.as_mut());
        assert!(lock.try_read().is_some());
    }

    #[test]
    fn ours_stops_them() {
        let lock = anysync_smol::lock::RwLock::new(());
        let _upgradable = now(lock.upgradable_read());
        let mut write = pin!(lock.write());
        Task::new().pending(write.as_mut());
        assert!(lock.try_read().is_none());
    }
}

mod an_upgrade_that_is_not_polled {
    use super::*;

    #[test]
    fn original_stops_readers() {
        use async_lock::{RwLock, RwLockUpgradableReadGuard};

        let lock = RwLock::new(());
        let _upgrade = RwLockUpgradableReadGuard::upgrade(now(lock.upgradable_read()));
        assert!(lock.try_read().is_none());
    }

    #[test]
    fn ours_stops_them_when_it_is_polled() {
        use anysync_smol::lock::{RwLock, RwLockUpgradableReadGuard};

        let lock = RwLock::new(());
        let reader = now(lock.read());
        let mut upgrade = pin!(RwLockUpgradableReadGuard::upgrade(now(
            lock.upgradable_read()
        )));
        assert!(lock.try_read().is_some());
        Task::new().pending(upgrade.as_mut());
        assert!(lock.try_read().is_none());
        drop(reader);
        now(upgrade);
    }
}

/// A wait that is over, and is not dropped yet.
mod a_finished_acquire {
    use super::*;

    #[test]
    fn original_keeps_a_wake_up_from_the_next() {
        let semaphore = async_lock::Semaphore::new(0);
        let (one, two) = (Task::new(), Task::new());
        let (mut first, mut second) = (pin!(semaphore.acquire()), pin!(semaphore.acquire()));
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        semaphore.add_permits(1);
        drop(one.ready(first.as_mut()));
        assert!(!two.woken(), "a permit is free, and it sleeps");
    }

    #[test]
    fn ours_has_let_go() {
        let semaphore = anysync_smol::lock::Semaphore::new(0);
        let (one, two) = (Task::new(), Task::new());
        let (mut first, mut second) = (pin!(semaphore.acquire()), pin!(semaphore.acquire()));
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        semaphore.add_permits(1);
        drop(one.ready(first.as_mut()));
        assert!(two.woken());
        two.ready(second);
    }
}

/// A future that is polled after its end.
mod a_finished_lock {
    use super::*;

    #[test]
    fn original_locks_once_more() {
        let mutex = async_lock::Mutex::new(());
        let mut lock = pin!(mutex.lock());
        drop(now(lock.as_mut()));
        drop(now(lock));
    }

    #[test]
    fn ours_panics() {
        let mutex = anysync_smol::lock::Mutex::new(());
        let mut lock = pin!(mutex.lock());
        drop(now(lock.as_mut()));
        let text = panic_of(|| drop(now(lock)));
        assert!(text.contains("polled after it had finished"), "{text}");
    }
}

mod get_unchecked {
    use super::*;

    // The original's is unsafe, and undefined in an empty cell.
    #[test]
    fn ours_is_safe() {
        let cell = anysync_smol::lock::OnceCell::new();
        let text = panic_of(|| *cell.get_unchecked());
        assert_eq!(
            text,
            "`OnceCell::get_unchecked` of a cell that has no value"
        );
        cell.set_blocking(1).unwrap();
        assert_eq!(cell.get_unchecked(), &1);
    }
}

mod an_initialiser_that_needs_its_own_cell {
    use super::*;

    #[test]
    fn original_waits_for_ever() {
        let cell = async_lock::OnceCell::new();
        Task::new().pending(pin!(cell.get_or_init(|| async { *cell.wait().await })));
        assert_eq!(cell.get(), None::<&u8>);
    }

    #[test]
    fn ours_panics() {
        let cell = anysync_smol::lock::OnceCell::<u8>::new();
        let text = panic_of(|| *now(cell.get_or_init(|| async { *cell.wait().await })));
        assert!(text.contains("waits for that same cell"), "{text}");
    }
}
