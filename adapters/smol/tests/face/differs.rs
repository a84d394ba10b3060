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
    fn ours_come_as_one() {
        let semaphore = Arc::new(Semaphore::new(2));
        let (one, two) = (Task::new(), Task::new());
        let (mut many, mut single) = (pin!(semaphore.acquire_many(3)), pin!(semaphore.acquire()));
        one.pending(many.as_mut());
        semaphore.add_permits(1);
        assert!(one.woken());
        let many = one.ready(many);
        assert_eq!(format!("{many:?}"), "SemaphoreGuard { permits: 3, .. }");
        two.pending(single.as_mut());
        drop(many);
        two.ready(single).forget();
        let owned = now(semaphore.acquire_many_arc(2));
        assert!(semaphore.try_acquire_many(1).is_none());
        drop(owned);
        semaphore.try_acquire_many_arc(2).unwrap().forget();
        assert!(semaphore.try_acquire_many_arc(1).is_none());
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
    use crate::support::panic_of;

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

/// A caller that was woken to initialise, and finds that another fails again and again.
mod a_turn_that_others_take {
    use super::*;
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::task::Poll;

    macro_rules! turns_of_the_other {
        ($cell:expr) => {{
            let (cell, gate) = ($cell, Cell::new(false));
            let fail = || {
                poll_fn(|_| match gate.replace(false) {
                    true => Poll::Ready(Err::<u8, _>(())),
                    false => Poll::Pending,
                })
            };
            // One that tries again at once when it has failed, and one that waits.
            let tries = async { while cell.get_or_try_init(fail).await.is_err() {} };
            let (one, two) = (Task::new(), Task::new());
            let (mut tries, mut waits) = (Box::pin(tries), pin!(cell.get_or_init(|| async { 7 })));
            one.pending(tries.as_mut());
            two.pending(waits.as_mut());
            for _ in 0..10 {
                gate.set(true);
                _ = one.poll(tries.as_mut());
                if two.poll(waits.as_mut()).is_ready() {
                    break;
                }
            }
            cell.get().copied()
        }};
    }

    #[test]
    fn original_never_comes() {
        assert_eq!(turns_of_the_other!(async_lock::OnceCell::new()), None);
    }

    #[test]
    fn ours_comes_soon() {
        assert_eq!(
            turns_of_the_other!(anysync_smol::lock::OnceCell::new()),
            Some(7)
        );
    }
}

/// Messages that nobody can receive any more.
mod messages_without_receivers {
    use std::sync::Arc;

    #[test]
    fn original_keeps_them_for_the_senders() {
        let message = Arc::new(());
        let (sender, receiver) = async_channel::unbounded();
        sender.try_send(message.clone()).unwrap();
        drop(receiver);
        assert_eq!((Arc::strong_count(&message), sender.len()), (2, 1));
    }

    #[test]
    fn ours_drops_them() {
        let message = Arc::new(());
        let (sender, receiver) = anysync_smol::channel::unbounded();
        sender.try_send(message.clone()).unwrap();
        drop(receiver);
        assert_eq!((Arc::strong_count(&message), sender.len()), (1, 0));
    }
}

/// When nobody listens any more.
mod is_notified_of_an_event_without_listeners {
    #[test]
    fn original_says_yes() {
        let event = event_listener::Event::new();
        drop(event.listen());
        assert!(event.is_notified());
    }

    #[test]
    fn ours_says_no() {
        let event = anysync_smol::event::Event::new();
        drop(event.listen());
        assert!(!event.is_notified());
    }
}

/// A waker that uses the event that wakes it. (The original waits for its own lock
/// for ever, which cannot be shown by a test that ends.)
mod a_waker_that_listens {
    use anysync_smol::event::Event;
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};

    struct Listens(Event);

    impl Wake for Listens {
        fn wake(self: Arc<Self>) {
            drop(self.0.listen());
            self.0.notify(1);
        }
    }

    #[test]
    fn ours_is_fine() {
        let waker = Arc::new(Listens(Event::new()));
        let mut listener = waker.0.listen();
        let as_waker = Waker::from(waker.clone());
        let mut cx = Context::from_waker(&as_waker);
        assert!(Pin::new(&mut listener).poll(&mut cx).is_pending());
        assert_eq!(waker.0.notify(1), 1);
        assert!(Pin::new(&mut listener).poll(&mut cx).is_ready());
    }
}
