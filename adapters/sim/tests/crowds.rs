//! Larger programs of anysync's primitives, in some schedules of very many: tasks
//! that may be cancelled, spurious polls, late wake-ups, used-up budgets.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use anysync::mutex::Fairness;
use anysync::{
    Barrier, Condvar, Mutex, OnceCell, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard,
    Semaphore, Spawn, Timer, broadcast, channel, watch, yield_now,
};
use anysync_sim::{JoinHandle, Sim};

const ROUNDS: u64 = 1_000;

/// What a task came to that may have been cancelled.
async fn unless_cancelled<T>(task: JoinHandle<T>) -> Option<T> {
    match task.await {
        Ok(value) => Some(value),
        Err(error) if error.is_cancelled() => None,
        Err(error) => panic!("{error}"),
    }
}

async fn all_of<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.extend(unless_cancelled(task).await);
    }
    outputs
}

#[test]
fn rwlock_keeps_its_value_whole_through_upgrades_and_downgrades() {
    Sim::check(ROUNDS, |io| async move {
        let lock = Arc::new(RwLock::new((0_u32, 0_u32)));
        let mut tasks = Vec::new();
        for number in 0..8 {
            let (own, lock) = (io.clone(), lock.clone());
            let user = async move {
                let whole = |pair: &(u32, u32)| assert_eq!(pair.0, pair.1, "half written");
                match number % 4 {
                    0 => {
                        let pair = lock.read(&own).await;
                        whole(&pair);
                        yield_now().await;
                        whole(&pair);
                    }
                    1 => {
                        let mut pair = lock.write(&own).await;
                        whole(&pair);
                        pair.0 += 1;
                        pair.1 += 1;
                        let pair = RwLockWriteGuard::downgrade(pair);
                        yield_now().await;
                        whole(&pair);
                    }
                    2 => {
                        let pair = lock.upgradable_read(&own).await;
                        let before = pair.0;
                        yield_now().await;
                        let mut pair = RwLockUpgradableReadGuard::upgrade(pair, &own).await;
                        assert_eq!(pair.0, before, "somebody wrote before the upgrade");
                        pair.0 += 1;
                        pair.1 += 1;
                    }
                    _ => {
                        let limit = Duration::from_micros(10);
                        if let Ok(mut pair) = own.timeout(limit, lock.write(&own)).await {
                            pair.0 += 1;
                            own.sleep(limit).await;
                            pair.1 += 1;
                        }
                    }
                }
            };
            let task = io.task(format!("user {number}"));
            // A cancelled writer of the last kind would leave half a value.
            tasks.push(match number % 4 {
                3 => task.spawn(user),
                _ => task.cancellable().spawn(user),
            });
        }
        all_of(tasks).await;
        assert!(lock.try_write().is_some());
    });
}

#[test]
fn semaphore_serves_many_sizes_and_ends_with_all_permits() {
    Sim::check(ROUNDS, |io| async move {
        let permits = Arc::new((Semaphore::new(3), AtomicU32::new(0)));
        let mut tasks = Vec::new();
        for number in 0..9 {
            let (own, permits) = (io.clone(), permits.clone());
            let size = 1 + number % 3;
            let user = async move {
                let wait = permits.0.acquire_many(&own, size);
                let permit = match number {
                    0..6 => wait.await.unwrap(),
                    _ => match own.timeout(Duration::from_micros(50), wait).await {
                        Ok(permit) => permit.unwrap(),
                        Err(_) => return,
                    },
                };
                let size = size as u32;
                assert!(permits.1.fetch_add(size, Relaxed) + size <= 3);
                own.sleep(Duration::from_micros(20)).await;
                permits.1.fetch_sub(size, Relaxed);
                drop(permit);
            };
            let task = io.task(format!("user {number}"));
            // One that was cancelled inside would be counted for ever.
            tasks.push(task.spawn(user));
        }
        let victim = io.task("victim").cancellable().spawn({
            let (own, permits) = (io.clone(), permits.clone());
            async move { drop(permits.0.acquire_many(&own, 3).await) }
        });
        all_of(tasks).await;
        unless_cancelled(victim).await;
        assert_eq!(permits.0.available_permits(), 3);
    });
}

#[test]
fn channel_delivers_each_message_once_in_the_order_of_its_sender() {
    Sim::check(ROUNDS, |io| async move {
        let (sender, receiver) = channel::bounded(2);
        let mut senders = Vec::new();
        for number in 0..3 {
            let (own, sender) = (io.clone(), sender.clone());
            let task = io.task(format!("sender {number}"));
            let task = if number == 0 {
                task.cancellable()
            } else {
                task
            };
            senders.push(task.spawn(async move {
                for count in 0..4 {
                    sender.send(&own, (number, count)).await.unwrap();
                }
            }));
        }
        drop(sender);
        let mut receivers = Vec::new();
        for number in 0..2 {
            let (own, receiver) = (io.clone(), receiver.clone());
            receivers.push(io.task(format!("receiver {number}")).spawn(async move {
                let mut got = Vec::new();
                loop {
                    // Impatient, with what was won on the way.
                    let limit = Duration::from_micros(1);
                    match own.timeout(limit, receiver.recv(&own)).await {
                        Ok(Ok(message)) => got.push(message),
                        Ok(Err(_)) => return got,
                        Err(_) => {}
                    }
                }
            }));
        }
        drop(receiver);
        all_of(senders).await;
        let mut all = Vec::new();
        for got in all_of(receivers).await {
            for number in 0..3 {
                let own: Vec<_> = got.iter().filter(|message| message.0 == number).collect();
                assert!(own.is_sorted(), "{got:?}");
            }
            all.extend(got);
        }
        all.sort_unstable();
        let complete = (1..3).flat_map(|number| (0..4).map(move |count| (number, count)));
        let of_victim = all.iter().filter(|message| message.0 == 0).count();
        let expected: Vec<_> = (0..of_victim as i32)
            .map(|count| (0, count))
            .chain(complete)
            .collect();
        assert_eq!(all, expected);
    });
}

#[test]
fn once_cell_is_made_by_whoever_succeeds() {
    Sim::check(ROUNDS, |io| async move {
        let cell = Arc::new((OnceCell::new(), AtomicU32::new(0), AtomicU32::new(0)));
        let mut tasks = Vec::new();
        for number in 0..6 {
            let (own, cell) = (io.clone(), cell.clone());
            let task = io.task(format!("caller {number}"));
            let task = if number < 3 { task.cancellable() } else { task };
            tasks.push(task.spawn(async move {
                let init = || async {
                    yield_now().await;
                    if cell.1.fetch_add(1, Relaxed) == 0 {
                        return Err("the first attempt fails");
                    }
                    cell.2.fetch_add(1, Relaxed);
                    Ok(7)
                };
                cell.0.get_or_try_init_async(&own, init).await.copied()
            }));
        }
        let outcomes = all_of(tasks).await;
        let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert!(failed <= 1, "{outcomes:?}");
        assert_eq!((cell.0.get(), cell.2.load(Relaxed)), (Some(&7), 1));
    });
}

#[test]
fn barrier_runs_its_action_before_it_releases_anybody() {
    Sim::check(ROUNDS, |io| async move {
        let barrier = Arc::new((Barrier::new(3), AtomicU32::new(0)));
        let mut tasks = Vec::new();
        for number in 0..3 {
            let (own, barrier) = (io.clone(), barrier.clone());
            tasks.push(io.task(format!("worker {number}")).spawn(async move {
                for generation in 1..4 {
                    let action = || async {
                        yield_now().await;
                        barrier.1.fetch_add(1, Relaxed);
                    };
                    barrier.0.wait_then_async(&own, action).await;
                    assert_eq!(barrier.1.load(Relaxed), generation, "released too early");
                    // Nobody is a generation ahead while this one looks.
                    barrier.0.wait(&own).await;
                }
            }));
        }
        all_of(tasks).await;
    });
}

#[test]
fn condvar_with_an_eventual_mutex_wakes_whoever_can_go_on() {
    Sim::check(ROUNDS, |io| async move {
        let store = Arc::new((
            Mutex::with_fairness(0_u32, Fairness::Eventual),
            Condvar::new(),
        ));
        let mut takers = Vec::new();
        for number in 0..4 {
            let (own, store) = (io.clone(), store.clone());
            let task = io.task(format!("taker {number}"));
            let task = if number == 0 {
                task.cancellable()
            } else {
                task
            };
            takers.push(task.spawn(async move {
                let guard = store.0.lock(&own).await;
                let mut items = store.1.wait_while(&own, guard, |items| *items == 0).await;
                *items -= 1;
            }));
        }
        for _ in 0..2 {
            let (own, store) = (io.clone(), store.clone());
            drop(io.spawn(async move {
                *store.0.lock(&own).await += 2;
                store.1.notify_all();
            }));
        }
        let took = all_of(takers).await.len();
        let left = *store.0.lock(&io).await as usize;
        assert!(
            took + left == 4 || (took == 3 && left <= 1),
            "{took} took, {left} left"
        );
    });
}

#[test]
fn broadcast_senders_that_wait_lose_nothing_for_anybody() {
    Sim::check(ROUNDS, |io| async move {
        let (sender, receiver) = broadcast::channel_with(2, broadcast::Overflow::Wait);
        let mut receivers = Vec::new();
        for number in 0..3 {
            let own = io.clone();
            let mut receiver = sender.subscribe();
            let task = io.task(format!("receiver {number}"));
            let task = if number == 0 {
                task.cancellable()
            } else {
                task
            };
            receivers.push(task.spawn(async move {
                let mut heard = Vec::new();
                while let Ok(message) = receiver.recv(&own).await {
                    heard.push(message);
                    yield_now().await;
                }
                heard
            }));
        }
        drop(receiver);
        for message in 0..6 {
            sender.send_wait(&io, message).await.unwrap();
        }
        drop(sender);
        for heard in all_of(receivers).await {
            assert_eq!(heard, [0, 1, 2, 3, 4, 5]);
        }
    });
}

#[test]
fn watch_shows_everybody_the_last_value() {
    Sim::check(ROUNDS, |io| async move {
        let (sender, receiver) = watch::channel(0);
        let mut watchers = Vec::new();
        for number in 0..3 {
            let (own, mut receiver) = (io.clone(), receiver.clone());
            let task = io.task(format!("watcher {number}"));
            let task = if number == 0 {
                task.cancellable()
            } else {
                task
            };
            watchers.push(
                task.spawn(
                    async move { receiver.wait_for(&own, |value| *value == 5).await.is_ok() },
                ),
            );
        }
        drop(receiver);
        for value in 1..=5 {
            // Nobody may be left to see it, once all have seen the last.
            let _ = sender.send(value);
            yield_now().await;
        }
        assert!(all_of(watchers).await.into_iter().all(|saw| saw));
    });
}

#[test]
fn thousands_of_tasks_are_no_burden() {
    const TASKS: u32 = 3_000;
    let start = std::time::Instant::now();
    Sim::check(1, |io| async move {
        let count = Arc::new(Mutex::new(0));
        let tasks = (0..TASKS).map(|_| {
            let (own, count) = (io.clone(), count.clone());
            io.spawn(async move {
                for _ in 0..3 {
                    yield_now().await;
                }
                *count.lock(&own).await += 1;
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(*count.lock(&io).await, TASKS);
    });
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}
