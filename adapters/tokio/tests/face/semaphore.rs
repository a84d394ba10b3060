// Included for each side, see `main.rs`.

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert_eq};

use sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError};

use crate::support::{poll_without_budget, 
    MAY_NOT_BLOCK, Task, blamed_panic_of, is_send, now, panic_of, ready_in_a_budget, runtime,
};

assert_impl_all!(Semaphore: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug);
assert_not_impl_any!(Semaphore: Clone, Default);
assert_impl_all!(SemaphorePermit<'static>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug);
assert_not_impl_any!(SemaphorePermit<'static>: Clone);
assert_impl_all!(OwnedSemaphorePermit: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug);
assert_not_impl_any!(OwnedSemaphorePermit: Clone);
assert_impl_all!(AcquireError: Send, Sync, Unpin, UnwindSafe, Debug, Error);
assert_not_impl_any!(AcquireError: Clone, PartialEq);
assert_impl_all!(TryAcquireError: Send, Sync, Unpin, UnwindSafe, Debug, Eq, Error);
assert_not_impl_any!(TryAcquireError: Clone);
const_assert_eq!(Semaphore::MAX_PERMITS, usize::MAX >> 3);

static SLOTS: Semaphore = Semaphore::const_new(1);

#[test]
fn works_in_a_static() {
    let permit: SemaphorePermit<'static> = now(SLOTS.acquire()).unwrap();
    assert_eq!(SLOTS.available_permits(), 0);
    drop(permit);
    assert_eq!(SLOTS.available_permits(), 1);
}

#[test]
fn permits_go_back() {
    let semaphore = Arc::new(Semaphore::new(5));
    let one = now(is_send(semaphore.acquire())).unwrap();
    let two = now(is_send(semaphore.acquire_many(2))).unwrap();
    let owned = now(is_send(semaphore.clone().acquire_owned())).unwrap();
    let last = now(is_send(semaphore.clone().acquire_many_owned(1))).unwrap();
    assert_eq!((one.num_permits(), two.num_permits()), (1, 2));
    assert_eq!((owned.num_permits(), last.num_permits()), (1, 1));
    assert_eq!(semaphore.available_permits(), 0);
    drop((one, last));
    assert_eq!(semaphore.available_permits(), 2);
    drop((two, owned));
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn tries_never_wait() {
    let semaphore = Arc::new(Semaphore::new(3));
    let all = semaphore.try_acquire_many(3).unwrap();
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    assert_eq!(semaphore.try_acquire_many(1).unwrap_err(), TryAcquireError::NoPermits);
    let owned = semaphore.clone().try_acquire_owned();
    assert_eq!(owned.unwrap_err(), TryAcquireError::NoPermits);
    drop(all);
    let owned = semaphore.clone().try_acquire_many_owned(2).unwrap();
    let error = semaphore.clone().try_acquire_many_owned(2).unwrap_err();
    assert_eq!(error, TryAcquireError::NoPermits);
    let one = semaphore.clone().try_acquire_owned().unwrap();
    assert_eq!(semaphore.available_permits(), 0);
    drop((owned, one));
    assert!(semaphore.try_acquire().is_ok());
    // None can be had of none.
    let none = semaphore.try_acquire_many(0).unwrap();
    assert_eq!((none.num_permits(), semaphore.available_permits()), (0, 3));
}

#[test]
fn is_fifo_even_for_many() {
    let semaphore = Semaphore::new(2);
    let tasks = [(); 3].map(|()| Task::new());
    let held = now(semaphore.acquire_many(2)).unwrap();
    let (mut many, mut one) = (pin!(semaphore.acquire_many(3)), pin!(semaphore.acquire()));
    let mut none = pin!(semaphore.acquire_many(0));
    tasks[0].pending(many.as_mut());
    tasks[1].pending(one.as_mut());
    assert_eq!(tasks[2].ready(none.as_mut()).unwrap().num_permits(), 0);
    drop(held);
    assert!(!tasks[0].woken() && !tasks[1].woken());
    assert!(semaphore.try_acquire().is_err());
    assert_eq!(semaphore.available_permits(), 0);
    semaphore.add_permits(1);
    assert!(tasks[0].woken() && !tasks[1].woken());
    drop(tasks[0].ready(many).unwrap());
    assert!(tasks[1].woken());
    drop(tasks[1].ready(one).unwrap());
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn cancelled_acquire_returns_its_share() {
    let semaphore = Arc::new(Semaphore::new(2));
    let (first, second) = (Task::new(), Task::new());
    let mut many = Box::pin(semaphore.clone().acquire_many_owned(3));
    first.pending(many.as_mut());
    let mut one = pin!(semaphore.acquire());
    second.pending(one.as_mut());
    drop(many);
    assert!(second.woken());
    drop(second.ready(one).unwrap());
    assert_eq!(semaphore.available_permits(), 2);

    // Granted, and dropped.
    let held = semaphore.try_acquire_many(2).unwrap();
    let mut granted = Box::pin(semaphore.acquire());
    let mut next = pin!(semaphore.acquire_many(2));
    let (first, second) = (Task::new(), Task::new());
    first.pending(granted.as_mut());
    second.pending(next.as_mut());
    drop(held);
    assert!(first.woken() && !second.woken());
    drop(granted);
    assert!(second.woken());
    assert_eq!(second.ready(next).unwrap().num_permits(), 2);
}

#[test]
fn forget_and_add_change_the_total() {
    let semaphore = Arc::new(Semaphore::new(3));
    now(semaphore.acquire()).unwrap().forget();
    semaphore.clone().try_acquire_owned().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 1);
    semaphore.add_permits(4);
    semaphore.add_permits(0);
    assert_eq!(semaphore.available_permits(), 5);
    assert_eq!(semaphore.forget_permits(2), 2);
    assert_eq!(semaphore.forget_permits(0), 0);
    assert_eq!(semaphore.forget_permits(9), 3);
    assert_eq!(semaphore.forget_permits(9), 0);
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn split_and_merge_conserve() {
    let semaphore = Arc::new(Semaphore::new(5));
    let mut permits = semaphore.try_acquire_many(3).unwrap();
    let one = permits.split(1).unwrap();
    assert_eq!((permits.num_permits(), one.num_permits()), (2, 1));
    assert!(permits.split(3).is_none());
    assert_eq!(permits.split(0).unwrap().num_permits(), 0);
    let two = permits.split(2).unwrap();
    assert_eq!(permits.num_permits(), 0);
    permits.merge(one);
    permits.merge(two);
    assert!(std::ptr::eq(permits.semaphore(), &*semaphore));
    assert_eq!((permits.num_permits(), semaphore.available_permits()), (3, 2));
    drop(permits);

    let mut permits = semaphore.clone().try_acquire_many_owned(3).unwrap();
    let one = permits.split(1).unwrap();
    assert!(permits.split(3).is_none());
    assert!(Arc::ptr_eq(one.semaphore(), &semaphore));
    assert_eq!((permits.num_permits(), one.num_permits()), (2, 1));
    permits.merge(one);
    assert_eq!((permits.num_permits(), semaphore.available_permits()), (3, 2));
    drop(permits);
    assert_eq!(semaphore.available_permits(), 5);
}

#[test]
fn permits_of_others_are_not_merged() {
    const STRANGERS: &str = "merging permits from different semaphore instances";
    let (one, other) = (Arc::new(Semaphore::new(2)), Arc::new(Semaphore::new(2)));
    let mut permit = one.try_acquire().unwrap();
    let stranger = other.try_acquire().unwrap();
    let (text, blamed) = blamed_panic_of(|| permit.merge(stranger));
    assert_eq!((text.as_str(), blamed), (STRANGERS, true));
    drop(permit);
    let mut permit = one.clone().try_acquire_owned().unwrap();
    let stranger = other.clone().try_acquire_owned().unwrap();
    let (text, blamed) = blamed_panic_of(|| permit.merge(stranger));
    assert_eq!((text.as_str(), blamed), (STRANGERS, true));
    drop(permit);
    assert_eq!((one.available_permits(), other.available_permits()), (2, 2));
}

#[test]
fn close_fails_all_that_wait_and_that_come() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = semaphore.try_acquire().unwrap();
    let (first, second) = (Task::new(), Task::new());
    let (mut one, mut two) = (pin!(semaphore.acquire()), pin!(semaphore.clone().acquire_owned()));
    first.pending(one.as_mut());
    second.pending(two.as_mut());
    assert!(!semaphore.is_closed());
    semaphore.close();
    semaphore.close();
    assert!(semaphore.is_closed() && first.woken() && second.woken());
    let error: AcquireError = first.ready(one).unwrap_err();
    assert_eq!(error.to_string(), "semaphore closed");
    assert_eq!(format!("{error:?}"), "AcquireError(())");
    assert!(error.source().is_none());
    assert!(second.ready(two).is_err());
    drop(permit);
    semaphore.add_permits(1);
    assert_eq!(semaphore.available_permits(), 2);
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    assert_eq!(semaphore.try_acquire_many(0).unwrap_err(), TryAcquireError::Closed);
    assert_eq!(semaphore.clone().try_acquire_owned().unwrap_err(), TryAcquireError::Closed);
    assert!(now(semaphore.acquire()).is_err() && now(semaphore.acquire_many(0)).is_err());
    assert!(now(semaphore.clone().acquire_many_owned(1)).is_err());
    assert!(semaphore.blocking_acquire().is_err());
    assert_eq!(semaphore.forget_permits(1), 1);
    assert!(semaphore.is_closed());
}

#[test]
fn errors_read_as_they_do() {
    assert_eq!(TryAcquireError::Closed.to_string(), "semaphore closed");
    assert_eq!(TryAcquireError::NoPermits.to_string(), "no permits available");
    assert_eq!(format!("{:?}", TryAcquireError::Closed), "Closed");
    assert_eq!(format!("{:?}", TryAcquireError::NoPermits), "NoPermits");
}

#[test]
fn too_many_are_refused() {
    let most = Semaphore::MAX_PERMITS;
    let semaphore = Semaphore::new(most);
    assert_eq!(semaphore.available_permits(), most);
    assert_eq!(
        panic_of(|| Semaphore::new(most + 1)),
        format!("a semaphore may not have more than MAX_PERMITS permits ({most})")
    );
    panic_of(|| Semaphore::const_new(most + 1));
    assert_eq!(
        panic_of(|| semaphore.add_permits(1)),
        format!("number of added permits (1) would overflow MAX_PERMITS ({most})")
    );
    assert_eq!(
        panic_of(|| Semaphore::new(0).add_permits(most + 1)),
        format!("cannot add more than MAX_PERMITS permits ({most})")
    );
}

#[test]
fn permit_goes_back_by_a_panic() {
    let semaphore = Semaphore::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _permit = now(semaphore.acquire());
        panic!("with a permit");
    }));
    assert!(panicked.is_err());
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn threads_wait_in_the_queue() {
    let semaphore = Arc::new(Semaphore::new(2));
    let threads = [0, 1, 2, 3].map(|form| {
        let semaphore = semaphore.clone();
        thread::spawn(move || {
            for _ in 0..100 {
                let count = match form {
                    0 => semaphore.blocking_acquire().unwrap().num_permits(),
                    1 => semaphore.blocking_acquire_many(2).unwrap().num_permits(),
                    2 => semaphore.clone().blocking_acquire_owned().unwrap().num_permits(),
                    _ => semaphore.clone().blocking_acquire_many_owned(2).unwrap().num_permits(),
                };
                assert_eq!(count, 1 + form % 2);
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn blocking_panics_in_a_task_and_not_on_a_blocking_thread() {
    let semaphore = Arc::new(Semaphore::new(2));
    runtime().block_on(async {
        let (text, blamed) = blamed_panic_of(|| drop(semaphore.blocking_acquire()));
        assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
        let (text, blamed) = blamed_panic_of(|| drop(semaphore.blocking_acquire_many(2)));
        assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
        let (text, blamed) = blamed_panic_of(|| drop(semaphore.clone().blocking_acquire_owned()));
        assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
        let (text, blamed) =
            blamed_panic_of(|| drop(semaphore.clone().blocking_acquire_many_owned(2)));
        assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
        let blocked = semaphore.clone();
        let acquired = tokio::task::spawn_blocking(move || blocked.blocking_acquire_many_owned(2));
        assert_eq!(acquired.await.unwrap().unwrap().num_permits(), 2);
    });
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn waits_spend_budget() {
    let semaphore = Arc::new(Semaphore::new(2));
    let counts = [
        ready_in_a_budget(|cx| pin!(semaphore.acquire()).poll(cx).map(drop)),
        ready_in_a_budget(|cx| pin!(semaphore.acquire_many(2)).poll(cx).map(drop)),
        ready_in_a_budget(|cx| pin!(semaphore.clone().acquire_owned()).poll(cx).map(drop)),
        ready_in_a_budget(|cx| pin!(semaphore.clone().acquire_many_owned(2)).poll(cx).map(drop)),
    ];
    assert!(counts.iter().all(|count| count.is_some_and(|count| count > 0)), "{counts:?}");
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn who_has_no_budget_keeps_its_place_and_what_it_won() {
    let semaphore = Arc::new(Semaphore::new(0));
    let (mut first, mut second) = (pin!(semaphore.acquire()), pin!(semaphore.acquire()));
    assert!(poll_without_budget(first.as_mut()).is_pending());
    let task = Task::new();
    task.pending(second.as_mut());
    semaphore.add_permits(1);
    assert!(!task.woken());
    drop(now(first).unwrap());
    drop(task.ready(second).unwrap());

    let mut won = Box::pin(semaphore.clone().acquire_owned());
    assert!(poll_without_budget(won.as_mut()).is_pending());
    assert_eq!(semaphore.available_permits(), 0);
    drop(won);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_second_poll_panics() {
    let semaphore = Arc::new(Semaphore::new(1));
    let mut wait = pin!(semaphore.acquire());
    drop(now(wait.as_mut()));
    assert_eq!(panic_of(|| drop(now(wait))), "`async fn` resumed after completion");
    let mut wait = pin!(semaphore.clone().acquire_owned());
    drop(now(wait.as_mut()));
    assert_eq!(panic_of(|| drop(now(wait))), "`async fn` resumed after completion");
}

#[test]
fn shows_its_permits() {
    let semaphore = Arc::new(Semaphore::new(3));
    let shown = "Semaphore { ll_sem: Semaphore { permits: 3 } }";
    assert_eq!(format!("{semaphore:?}"), shown);
    let permit = semaphore.try_acquire().unwrap();
    let shown = "sem: Semaphore { ll_sem: Semaphore { permits: 2 } }, permits: 1 }";
    assert_eq!(format!("{permit:?}"), format!("SemaphorePermit {{ {shown}"));
    drop(permit);
    let permit = semaphore.clone().try_acquire_owned().unwrap();
    assert_eq!(format!("{permit:?}"), format!("OwnedSemaphorePermit {{ {shown}"));
}
