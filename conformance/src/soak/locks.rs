//! What is held: the locks and the permits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anysync::yield_now;

use super::{Scene, Sums, Worker};
use crate::cx::Gate;
use crate::subject::{CondvarGuard, Promise};

const TEAM: usize = 4;

/// What a worker has done.
#[derive(Default)]
struct Done {
    entered: u64,
    refused: u64,
    given_up: u64,
}

fn sum(all: &[Done], of: fn(&Done) -> u64) -> u64 {
    all.iter().map(of).sum()
}

#[track_caller]
fn assert_nobody(waiters: Option<usize>) {
    assert_eq!(waiters.unwrap_or(0), 0, "nobody waits any more");
}

/// The holders count in the value itself, by a read, some yields, and a write.
pub(super) async fn mutex(mut scene: Scene) -> Sums {
    let mutex = scene.subject.mutex();
    mutex.try_lock().expect("nobody holds it").push(0);

    let done = Gate::new();
    let aborted = scene.aborted(&done, {
        let mutex = Arc::clone(&mutex);
        move |mut own: Worker| {
            let mutex = Arc::clone(&mutex);
            async move {
                let io = own.io.clone();
                let _guard = mutex.lock(&io).await;
                own.dawdle().await;
            }
        }
    });
    let size = scene.size;
    let team = scene.team(TEAM, |mut own| {
        let mutex = Arc::clone(&mutex);
        async move {
            let io = own.io.clone();
            let mut done = Done::default();
            for _ in 0..size {
                let mut guard = if own.rng.pick(0..8) == 0 {
                    let Some(guard) = mutex.try_lock() else {
                        done.refused += 1;
                        yield_now().await;
                        continue;
                    };
                    guard
                } else {
                    let Some(guard) = own.try_wait(mutex.lock(&io)).await else {
                        done.given_up += 1;
                        continue;
                    };
                    guard
                };
                let seen = guard[0];
                own.dawdle().await;
                guard[0] = seen + 1;
                done.entered += 1;
            }
            done
        }
    });
    let team = team.await;
    done.open();
    let aborted = aborted.join().await;

    assert_nobody(mutex.waiter_count());
    let counted = mutex.try_lock().expect("nobody holds it")[0];
    Sums::default()
        .equal(
            &[("entries", sum(&team, |done| done.entered))],
            &[("counted under the lock", counted)],
        )
        .note("given up", sum(&team, |done| done.given_up))
        .note("aborted", aborted)
}

/// Writers keep two numbers equal, with yields between; readers look.
pub(super) async fn rwlock(mut scene: Scene) -> Sums {
    let lock = scene.subject.rwlock();
    lock.try_write().expect("nobody holds it").extend([0, 0]);

    let done = Gate::new();
    let aborted = scene.aborted(&done, {
        let lock = Arc::clone(&lock);
        move |mut own: Worker| {
            let lock = Arc::clone(&lock);
            async move {
                let io = own.io.clone();
                if own.rng.coin() {
                    let _guard = lock.read(&io).await;
                    own.dawdle().await;
                } else {
                    let _guard = lock.write(&io).await;
                    own.dawdle().await;
                }
            }
        }
    });
    let size = scene.size;
    let team = scene.team(TEAM, |mut own| {
        let lock = Arc::clone(&lock);
        async move {
            let io = own.io.clone();
            let (mut written, mut read, mut given_up) = (0, 0, 0);
            for _ in 0..size {
                let writes = match own.rng.pick(0..6) {
                    0 | 1 => own.try_wait(lock.write(&io)).await,
                    2 => match lock.upgradable_read(&io) {
                        Some(wait) => match own.try_wait(wait).await {
                            Some(guard) => {
                                assert_eq!(guard[0], guard[1], "an upgradable reader's view");
                                own.try_wait(guard.upgrade(&io)).await
                            }
                            None => None,
                        },
                        None => own.try_wait(lock.write(&io)).await,
                    },
                    _ => {
                        let Some(guard) = own.try_wait(lock.read(&io)).await else {
                            given_up += 1;
                            continue;
                        };
                        let seen = guard[0];
                        own.dawdle().await;
                        assert_eq!([seen, seen], guard[..], "a reader's view");
                        read += 1;
                        continue;
                    }
                };
                let Some(mut guard) = writes else {
                    given_up += 1;
                    continue;
                };
                guard[0] += 1;
                own.dawdle().await;
                guard[1] += 1;
                written += 1;
                if own.rng.coin() {
                    let Some(guard) = guard.downgrade() else {
                        continue;
                    };
                    own.dawdle().await;
                    assert_eq!(guard[0], guard[1], "a downgraded writer's view");
                }
            }
            (written, read, given_up)
        }
    });
    let team = team.await;
    done.open();
    let aborted = aborted.join().await;

    assert_nobody(lock.waiter_count());
    let counted = lock.try_write().expect("nobody holds it")[0];
    Sums::default()
        .equal(
            &[("written", team.iter().map(|(written, ..)| written).sum())],
            &[("counted under the lock", counted)],
        )
        .note("read", team.iter().map(|(_, read, _)| read).sum())
        .note("given up", team.iter().map(|(.., given_up)| given_up).sum())
        .note("aborted", aborted)
}

/// Permits are held, forgotten, added and aborted; all are there in the end.
pub(super) async fn semaphore(mut scene: Scene) -> Sums {
    let permits = scene.rng.pick(1..6);
    let many = scene.subject.promises().contains(&Promise::AcquireMany);
    let semaphore = scene.subject.semaphore(permits);
    let held = Arc::new(AtomicUsize::new(0));

    let done = Gate::new();
    let aborted = scene.aborted(&done, {
        let semaphore = Arc::clone(&semaphore);
        move |mut own: Worker| {
            let semaphore = Arc::clone(&semaphore);
            async move {
                let io = own.io.clone();
                let _permit = semaphore.acquire(&io).await;
                own.dawdle().await;
            }
        }
    });
    let size = scene.size;
    let team = scene.team(TEAM, |mut own| {
        let (semaphore, held) = (Arc::clone(&semaphore), Arc::clone(&held));
        async move {
            let io = own.io.clone();
            let (mut acquired, mut forgotten, mut given_up) = (0, 0, 0);
            for _ in 0..size {
                let n = if many {
                    own.rng.pick(1..permits + 1)
                } else {
                    1
                };
                let wait = match n {
                    1 => semaphore.acquire(&io),
                    _ => semaphore.acquire_many(&io, n).expect("it is promised"),
                };
                let Some(got) = own.try_wait(wait).await else {
                    given_up += 1;
                    continue;
                };
                let got = got.expect("nobody closes it");
                acquired += n as u64;
                let now = held.fetch_add(n, Ordering::Relaxed) + n;
                assert!(now <= permits, "{now} permits are held of {permits}");
                own.dawdle().await;
                held.fetch_sub(n, Ordering::Relaxed);
                if own.rng.pick(0..4) == 0 {
                    got.forget();
                    own.dawdle().await;
                    semaphore.add(n).expect("they were there before");
                    forgotten += n as u64;
                }
            }
            (acquired, forgotten, given_up)
        }
    });
    let team = team.await;
    done.open();
    let aborted = aborted.join().await;

    assert_nobody(semaphore.waiter_count());
    assert_eq!(held.load(Ordering::Relaxed), 0, "the permits still held");
    let taken = std::iter::from_fn(|| semaphore.try_acquire().ok());
    let taken: Vec<_> = taken.take(permits + 1).collect();
    Sums::default()
        .equal(
            &[("permits at first", permits as u64)],
            &[("permits at last", taken.len() as u64)],
        )
        .note("acquired", team.iter().map(|(acquired, ..)| acquired).sum())
        .note(
            "forgotten and added",
            team.iter().map(|(_, forgotten, _)| forgotten).sum(),
        )
        .note("given up", team.iter().map(|(.., given_up)| given_up).sum())
        .note("aborted", aborted)
}

/// A queue in a mutex: what was put there is taken, once, by whoever still waits.
pub(super) async fn condvar(mut scene: Scene) -> Sums {
    /// Tells the consumers to go.
    const CLOSED: u64 = u64::MAX;
    let condvar = scene.subject.condvar();
    let size = scene.size;
    let all = (size * 2) as u64;

    let done = Gate::new();
    // They only wait, and pass on what they were notified for.
    let aborted = scene.aborted(&done, {
        let condvar = Arc::clone(&condvar);
        move |own: Worker| {
            let condvar = Arc::clone(&condvar);
            async move {
                let guard = condvar.lock(&own.io).await;
                let empty = |list: &mut Vec<u64>| list.is_empty();
                let _guard = guard.wait_while(&own.io, Box::new(empty)).await;
                condvar.notify_one();
            }
        }
    });
    let took = Arc::new(AtomicUsize::new(0));
    let team = scene.team(TEAM, |mut own| {
        let (condvar, took) = (Arc::clone(&condvar), Arc::clone(&took));
        async move {
            let io = own.io.clone();
            let (mut put, mut taken, mut given_up) = (0, 0, 0);
            if own.number % 2 == 0 {
                while put < size as u64 {
                    let Some(mut guard) = own.try_wait(condvar.lock(&io)).await else {
                        given_up += 1;
                        continue;
                    };
                    guard.push(put);
                    put += 1;
                    drop(guard);
                    if own.rng.pick(0..4) == 0 {
                        condvar.notify_all();
                    } else {
                        condvar.notify_one();
                    }
                    own.dawdle().await;
                }
                return (put, taken, given_up);
            }
            loop {
                let guard: CondvarGuard<'_> = condvar.lock(&io).await;
                let empty = |list: &mut Vec<u64>| list.is_empty();
                let wait = guard.wait_while(&io, Box::new(empty));
                let Some(mut guard) = own.try_wait(wait).await else {
                    given_up += 1;
                    continue;
                };
                if guard.last() == Some(&CLOSED) {
                    return (put, taken, given_up);
                }
                guard.pop();
                taken += 1;
                let taken_by_all = took.fetch_add(1, Ordering::Relaxed) as u64 + 1;
                assert!(taken_by_all <= all, "more was taken than was put");
                if taken_by_all == all {
                    guard.push(CLOSED);
                    drop(guard);
                    condvar.notify_all();
                }
            }
        }
    });
    let team = team.await;
    done.open();
    let aborted = aborted.join().await;

    assert_nobody(condvar.waiter_count());
    Sums::default()
        .equal(
            &[("put", team.iter().map(|(put, ..)| put).sum())],
            &[("taken", team.iter().map(|(_, taken, _)| taken).sum())],
        )
        .note("given up", team.iter().map(|(.., given_up)| given_up).sum())
        .note("aborted", aborted)
}
