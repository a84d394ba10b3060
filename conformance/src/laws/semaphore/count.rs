//! How many there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anysync::{Bare, Block, yield_now};

use super::{got, queued, take};
use crate::backend::Capability::Threads;
use crate::cx::{Cx, DynIo};
use crate::subject::{NoPermits, Permits, Promise, SemaphoreSubject, Subject};
use crate::wakers::caught;

#[track_caller]
fn assert_free(semaphore: &dyn SemaphoreSubject, count: usize, when: &str) {
    assert_eq!(semaphore.available(), count, "the free permits {when}");
    let taken: Vec<_> = std::iter::from_fn(|| semaphore.try_acquire().ok())
        .take(count + 1)
        .collect();
    assert_eq!(taken.len(), count, "the permits that can be had {when}");
}

pub(super) async fn never_over_issues(cx: Cx, subject: Arc<dyn Subject>) {
    const PERMITS: usize = 3;
    const ROUNDS: usize = 25;
    let many = subject.promises().contains(&Promise::AcquireMany);
    let semaphore = subject.semaphore(PERMITS);
    assert_free(&*semaphore, PERMITS, "at first");

    let held = Arc::new(AtomicUsize::new(0));
    let work = |number: usize, io: DynIo| {
        let (semaphore, held) = (Arc::clone(&semaphore), Arc::clone(&held));
        async move {
            for round in 0..ROUNDS {
                let n = if many {
                    (number + round) % PERMITS + 1
                } else {
                    1
                };
                let wait = match n {
                    1 => semaphore.acquire(&io),
                    _ => semaphore.acquire_many(&io, n).expect("it is promised"),
                };
                let permits = wait.await.expect("nobody closes it");
                assert_eq!(permits.count(), n, "the permits that were acquired");
                let now = held.fetch_add(n, Ordering::Relaxed) + n;
                assert!(now <= PERMITS, "{now} permits are held of {PERMITS}");
                for _ in 0..number % 3 {
                    yield_now().await;
                }
                if let Ok(more) = semaphore.try_acquire() {
                    let now = held.fetch_add(1, Ordering::Relaxed) + 1;
                    assert!(now <= PERMITS, "{now} permits are held of {PERMITS}");
                    held.fetch_sub(1, Ordering::Relaxed);
                    drop(more);
                }
                held.fetch_sub(n, Ordering::Relaxed);
                drop(permits);
            }
        }
    };
    let mut threads = Vec::new();
    if cx.has(Threads) {
        for number in 0..2 {
            let work = work(number, DynIo::bare());
            threads.push(cx.thread(format!("thread {number}"), || Bare.block_on(work)));
        }
    }
    let tasks: Vec<_> = (0..6)
        .map(|number| cx.spawn(format!("task {number}"), work(number, cx.io())))
        .collect();
    for task in tasks {
        task.join().await;
    }
    for thread in threads {
        thread.join().await;
    }
    assert_free(&*semaphore, PERMITS, "after everybody has gone");
}

pub(super) async fn forget_and_add_change_the_total(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let semaphore = subject.semaphore(3);
    take(&*semaphore, "of three").forget();
    assert_free(&*semaphore, 2, "after one was forgotten");
    assert_eq!(semaphore.add(3), Ok(()), "three more");
    assert_free(&*semaphore, 5, "after three were added");

    // Free ones may be taken away, and no more than are free.
    if let Some(forgotten) = semaphore.forget(2) {
        assert_eq!(forgotten, 2, "of five, two were to go");
        assert_free(&*semaphore, 3, "after two were taken away");
        let permit = take(&*semaphore, "of three");
        assert_eq!(semaphore.forget(10), Some(2), "the two that were free");
        assert_free(&*semaphore, 0, "after all that were free were taken away");
        drop(permit);
        assert_free(&*semaphore, 1, "after the one that was held came back");
    }

    // Who waits gets what is added, and nothing of what is forgotten.
    let semaphore = subject.semaphore(1);
    let permit = take(&*semaphore, "of one");
    let mut first = queued(&*semaphore, &io, 1);
    let mut second = queued(&*semaphore, &io, 1);
    permit.forget();
    first.assert_pending("a wait, when the permit was forgotten,");
    assert_eq!(semaphore.add(1), Ok(()), "one more");
    assert!(first.is_woken(), "a permit was added and nobody woken");
    let permit = got(&mut first, "the first in the queue");
    second.assert_pending("the second, as one was added,");
    assert_eq!(semaphore.add(2), Ok(()), "two more");
    let another = got(&mut second, "the second, as more were added,");
    assert_free(&*semaphore, 1, "that were added and nobody waited for");
    drop((permit, another));
    assert_free(&*semaphore, 3, "after all have come back");

    // One without any is to be filled.
    let semaphore = subject.semaphore(0);
    let refused = semaphore.try_acquire().err();
    assert_eq!(refused, Some(NoPermits::Few), "of none");
    let mut wait = queued(&*semaphore, &io, 1);
    assert_eq!(semaphore.add(1), Ok(()), "the first one");
    got(&mut wait, "a wait for the first permit").forget();
    assert_free(&*semaphore, 0, "in the end");
}

pub(super) async fn overflow_is_an_error(_: Cx, subject: Arc<dyn Subject>) {
    let refuses = |semaphore: &dyn SemaphoreSubject, n: usize| {
        let added = caught(|| semaphore.add(n));
        assert!(
            !matches!(added, Ok(Ok(()))),
            "{n} permits were added, and {} are left",
            semaphore.available()
        );
    };
    let semaphore = subject.semaphore(2);
    refuses(&*semaphore, usize::MAX);
    assert_free(&*semaphore, 2, "after too many were refused");

    if let Some(limit) = semaphore.limit() {
        refuses(&*semaphore, limit - 1);
        assert_free(&*semaphore, 2, "after one too many was refused");
        assert_eq!(semaphore.add(limit - 2), Ok(()), "as many as can be");
        assert_eq!(semaphore.available(), limit, "the free permits");
        refuses(&*semaphore, 1);
        assert_eq!(semaphore.available(), limit, "the free permits");
        let made = caught(|| subject.semaphore(limit + 1).available());
        assert!(made.is_err(), "it was made with more permits than can be");
        assert_eq!(subject.semaphore(limit).available(), limit);
    }
}

pub(super) async fn split_and_merge_conserve(cx: Cx, subject: Arc<dyn Subject>) {
    const PERMITS: usize = 8;
    let semaphore = subject.semaphore(PERMITS);

    let mut permits = take(&*semaphore, "of eight");
    assert!(permits.grow(4), "there are enough to grow by");
    assert_eq!(permits.count(), 5, "after four were merged");
    assert_free(&*semaphore, 3, "after five were taken");
    assert!(!permits.grow(4), "it grew by more than are free");
    assert_eq!(permits.count(), 5, "after a merge that failed");
    let two = permits.split(2).expect("there are five");
    assert_eq!((permits.count(), two.count()), (3, 2), "after a split");
    assert!(
        permits.split(4).is_none(),
        "more were split off than there are"
    );
    assert_eq!(permits.count(), 3, "after a split that failed");
    assert_free(&*semaphore, 3, "after a split");
    drop(permits);
    assert_free(&*semaphore, 6, "after a part was dropped");
    drop(two);
    assert_free(&*semaphore, PERMITS, "after all were dropped");

    // None may be left, and nothing goes back by it.
    let mut permits = take(&*semaphore, "of eight");
    let all = permits.split(1).expect("there is one");
    let counts = (permits.count(), all.count());
    assert_eq!(counts, (0, 1), "after all were split off");
    drop(permits);
    assert_free(&*semaphore, PERMITS - 1, "after what is empty was dropped");
    drop(all);
    assert_free(&*semaphore, PERMITS, "after all were dropped");

    // At random.
    let mut rng = cx.rng();
    let mut parts: Vec<Permits<'_>> = Vec::new();
    let mut total = PERMITS;
    for _ in 0..300 {
        let held: usize = parts.iter().map(|part| part.count()).sum();
        assert_eq!(semaphore.available() + held, total, "the permits of all");
        if parts.is_empty() || rng.pick(0..4) == 0 {
            parts.extend(semaphore.try_acquire().ok());
            continue;
        }
        let place = rng.pick(0..parts.len());
        match rng.pick(0..5) {
            0 => drop(parts.remove(place)),
            1 if total > 4 => {
                let part = parts.remove(place);
                total -= part.count();
                part.forget();
            }
            2 | 3 => {
                let n = rng.pick(0..4);
                let enough = parts[place].count() >= n;
                let split = parts[place].split(n);
                assert_eq!(split.is_some(), enough, "whether {n} can be split off");
                parts.extend(split);
            }
            _ => {
                let n = rng.pick(0..4);
                let enough = semaphore.available() >= n;
                let grew = parts[place].grow(n);
                assert_eq!(grew, enough, "whether it can grow by {n}");
            }
        }
    }
    drop(parts);
    assert_free(&*semaphore, total, "after all were dropped");
}
