// Included for each side, see `main.rs`.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use lock::futures::{Acquire, AcquireArc};
use lock::{Semaphore, SemaphoreGuard, SemaphoreGuardArc};

use crate::support::{Task, now, within_a_minute};

static IN_A_STATIC: Semaphore = Semaphore::new(2);

assert_impl_all!(Semaphore: Send, Sync, Unpin);
assert_impl_all!(SemaphoreGuard<'static>: Send, Sync, Unpin);
assert_impl_all!(SemaphoreGuardArc: Send, Sync, Unpin);
assert_impl_all!(Acquire<'static>: Send, Sync, Future<Output = SemaphoreGuard<'static>>);
assert_impl_all!(AcquireArc: Send, Sync, Future<Output = SemaphoreGuardArc>);
assert_not_impl_any!(Acquire<'static>: Unpin);
assert_not_impl_any!(AcquireArc: Unpin);

#[test]
fn every_form_takes_a_permit() {
    let semaphore = Arc::new(Semaphore::new(6));
    let _permits = (
        now(semaphore.acquire()),
        now(semaphore.acquire_arc()),
        semaphore.acquire_blocking(),
        semaphore.acquire_arc_blocking(),
        semaphore.try_acquire().unwrap(),
        semaphore.try_acquire_arc().unwrap(),
    );
    assert_eq!(semaphore.available_permits(), 0);
    assert!(semaphore.try_acquire().is_none() && semaphore.try_acquire_arc().is_none());
}

#[test]
fn permits_go_back() {
    let permit = IN_A_STATIC.try_acquire().unwrap();
    assert_eq!(IN_A_STATIC.available_permits(), 1);
    drop(permit);
    assert_eq!(IN_A_STATIC.available_permits(), 2);
}

#[test]
fn forgotten_permits_do_not_go_back() {
    let semaphore = Arc::new(Semaphore::new(2));
    semaphore.try_acquire().unwrap().forget();
    semaphore.try_acquire_arc().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(Arc::strong_count(&semaphore), 1);
    semaphore.add_permits(3);
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn an_owned_permit_keeps_the_semaphore() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = semaphore.try_acquire_arc();
    let weak = Arc::downgrade(&semaphore);
    drop(semaphore);
    assert!(weak.upgrade().is_some());
    drop(permit);
    assert!(weak.upgrade().is_none());
}

#[test]
fn shows_as_text() {
    let semaphore = Arc::new(Semaphore::new(1));
    assert!(format!("{semaphore:?}").starts_with("Semaphore { count: 1, "));
    assert_eq!(format!("{:?}", semaphore.acquire()), "Acquire { .. }");
    assert_eq!(
        format!("{:?}", semaphore.acquire_arc()),
        "AcquireArc { .. }"
    );
    assert!(format!("{:?}", semaphore.try_acquire().unwrap()).starts_with("SemaphoreGuard"));
    assert!(format!("{:?}", semaphore.try_acquire_arc().unwrap()).starts_with("SemaphoreGuardArc"));
}

#[test]
fn added_permits_wake_that_many() {
    let semaphore = Arc::new(Semaphore::new(0));
    let tasks = [Task::new(), Task::new(), Task::new()];
    let mut first = Box::pin(semaphore.acquire());
    let mut second = Box::pin(semaphore.acquire_arc());
    let mut third = Box::pin(semaphore.acquire());
    tasks[0].pending(first.as_mut());
    tasks[1].pending(second.as_mut());
    tasks[2].pending(third.as_mut());
    semaphore.add_permits(2);
    assert!(tasks[0].woken() && tasks[1].woken() && !tasks[2].woken());
    tasks[0].ready(first.as_mut()).forget();
    drop(first);
    let permit = tasks[1].ready(second.as_mut());
    drop(second);
    tasks[2].pending(third.as_mut());
    drop(permit);
    assert!(tasks[2].woken());
    tasks[2].ready(third.as_mut()).forget();
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn a_dropped_winner_passes_on() {
    let semaphore = Semaphore::new(0);
    let (one, two) = (Task::new(), Task::new());
    let mut second = pin!(semaphore.acquire());
    {
        let mut first = pin!(semaphore.acquire());
        one.pending(first.as_mut());
        two.pending(second.as_mut());
        semaphore.add_permits(1);
        assert!(one.woken() && !two.woken());
    }
    assert!(two.woken());
    two.ready(second);
}

#[test]
fn a_dropped_wait_leaves_no_trace() {
    let semaphore = Arc::new(Semaphore::new(0));
    let task = Task::new();
    drop(semaphore.acquire());
    task.pending(pin!(semaphore.acquire()));
    task.pending(pin!(semaphore.acquire_arc()));
    semaphore.add_permits(1);
    assert!(!task.woken());
    assert_eq!(semaphore.available_permits(), 1);
    assert_eq!(Arc::strong_count(&semaphore), 1);
}

#[test]
fn a_panic_gives_permits_back() {
    let semaphore = Semaphore::new(1);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _permit = now(semaphore.acquire());
        panic!("with the permit in hand");
    }));
    assert!(unwound.is_err());
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn bounds_threads() {
    within_a_minute(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        let inside = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (semaphore, inside) = (semaphore.clone(), inside.clone());
                thread::spawn(move || {
                    use std::sync::atomic::Ordering::SeqCst;
                    for _ in 0..100 {
                        let _permit = semaphore.acquire_blocking();
                        assert!(inside.fetch_add(1, SeqCst) < 2);
                        inside.fetch_sub(1, SeqCst);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(semaphore.available_permits(), 2);
    });
}
