//! Who is next, and who is refused.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Outcome, got, hand, queued, take};
use crate::cx::{Cx, DynIo};
use crate::laws::hand::Hand;
use crate::subject::{Closed, NoPermits, Promise, SemaphoreSubject, Subject};
use crate::wakers::counting;

#[track_caller]
fn assert_nothing_for_newcomers(semaphore: &dyn SemaphoreSubject) {
    let refused = semaphore.try_acquire().err();
    assert_eq!(
        refused,
        Some(NoPermits::Few),
        "try_acquire passed the queue"
    );
}

pub(super) async fn is_fifo_even_for_many(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let many = subject.promises().contains(&Promise::AcquireMany);

    // What is given back is the first one's, however late it comes for it.
    let semaphore = subject.semaphore(1);
    let permit = take(&*semaphore, "at first");
    let mut first = queued(&*semaphore, &io, 1);
    let mut second = queued(&*semaphore, &io, 1);
    drop(permit);
    assert!(first.is_woken(), "a release woke nobody");
    assert_nothing_for_newcomers(&*semaphore);
    second.assert_pending("the second, before the first,");
    let mut late = queued(&*semaphore, &io, 1);
    drop(got(&mut first, "the first"));
    assert_nothing_for_newcomers(&*semaphore);
    late.assert_pending("the last, before the second,");
    drop(got(&mut second, "the second"));
    drop(got(&mut late, "the last"));

    if many {
        // The large one at the head collects what comes back.
        let semaphore = subject.semaphore(4);
        let mut held: Vec<_> = (0..4).map(|_| take(&*semaphore, "of four")).collect();
        let mut large = queued(&*semaphore, &io, 3);
        let mut small = queued(&*semaphore, &io, 1);
        for _ in 0..2 {
            held.pop();
            small.assert_pending("a small request behind a large one");
            large.assert_pending("a large request, with less than it needs,");
            assert_nothing_for_newcomers(&*semaphore);
        }
        held.pop();
        assert!(
            large.is_woken(),
            "the last permit that it needs woke nobody"
        );
        small.assert_pending("a small request, as the large one has all,");
        let permits = got(&mut large, "the large request");
        assert_eq!(permits.count(), 3, "what the large request got");
        drop(permits);
        drop(got(&mut small, "the small request behind it"));
    }

    // At random, against the count.
    let mut rng = cx.rng();
    for _ in 0..20 {
        // With a fresh budget, where there is one.
        cx.yield_turns(1).await;
        let semaphore = subject.semaphore(0);
        let mut queue: VecDeque<(usize, Hand<'_, Outcome<'_>>)> = (0..12)
            .map(|_| {
                let n = if many { rng.pick(1..5) } else { 1 };
                (n, queued(&*semaphore, &io, n))
            })
            .collect();
        for _ in 0..6 {
            let place = rng.pick(0..queue.len());
            if rng.coin() {
                queue.remove(place);
            } else {
                queue[place]
                    .1
                    .assert_pending("a wait, with no permit at all,");
            }
        }
        if let Some(count) = semaphore.waiter_count() {
            assert_eq!(count, queue.len(), "so many are queued");
        }
        let mut free = 0;
        while !queue.is_empty() {
            let more = rng.pick(1..4);
            assert_eq!(semaphore.add(more), Ok(()), "a few more");
            free += more;
            let mut served = 0;
            for (n, _) in &queue {
                if *n > free {
                    break;
                }
                free -= n;
                served += 1;
            }
            // The last is asked first.
            for (n, wait) in queue.iter_mut().skip(served).rev() {
                wait.assert_pending(&format!("a request for {n} that is not next"));
            }
            let served: Vec<_> = queue.drain(..served).collect();
            for (n, mut wait) in served.into_iter().rev() {
                assert!(wait.is_woken(), "a request that is served was not woken");
                got(&mut wait, &format!("a request for {n} that is next")).forget();
            }
        }
    }
}

pub(super) async fn cancelled_partial_acquire_returns_its_share(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let semaphore = subject.semaphore(4);

    // With a share of what was free, and of what has come back.
    for come_back in 0..2 {
        let mut held: Vec<_> = (0..3).map(|_| take(&*semaphore, "of four")).collect();
        let mut large = queued(&*semaphore, &io, 4);
        for _ in 0..come_back {
            held.pop();
        }
        let share = 1 + come_back;
        let mut small: Vec<_> = (0..share).map(|_| queued(&*semaphore, &io, 1)).collect();
        let mut last = queued(&*semaphore, &io, 1);
        large.cancel();
        let mut got_some = Vec::new();
        for wait in &mut small {
            assert!(wait.is_woken(), "the share was given back and nobody woken");
            got_some.push(got(wait, "a small request, when the large one has gone,"));
        }
        last.assert_pending("one more request than there are permits");
        drop(last);
        drop((got_some, held));
        assert_eq!(semaphore.available(), 4, "the free permits in the end");
    }

    // With nobody behind it.
    let held = take(&*semaphore, "of four");
    let mut large = queued(&*semaphore, &io, 4);
    large.cancel();
    assert_eq!(semaphore.available(), 3, "the free permits, with the share");
    drop(held);
    assert_eq!(semaphore.available(), 4, "the free permits in the end");

    // As a task that is aborted.
    let held = take(&*semaphore, "of four");
    let large = {
        let (semaphore, io) = (Arc::clone(&semaphore), cx.io());
        let wait = async move {
            let wait = semaphore.acquire_many(&io, 4).expect("it is promised");
            drop(wait.await);
        };
        cx.spawn_queued("large, aborted", wait).await
    };
    let small = {
        let (semaphore, io) = (Arc::clone(&semaphore), cx.io());
        let wait = async move { drop(semaphore.acquire(&io).await) };
        cx.spawn_queued("small", wait).await
    };
    large.abort();
    small.join().await;
    assert!(
        large.await.is_err(),
        "a large request cannot have been served"
    );
    drop(held);
    assert_eq!(semaphore.available(), 4, "the free permits in the end");
}

#[track_caller]
fn assert_refuses(semaphore: &dyn SemaphoreSubject, io: &DynIo, when: &str) {
    assert!(
        semaphore.is_closed(),
        "it does not say that it is closed {when}"
    );
    let refused = semaphore.try_acquire().err();
    assert_eq!(refused, Some(NoPermits::Closed), "try_acquire {when}");
    for n in [1, 2] {
        if n == 1 || semaphore.acquire_many(io, n).is_some() {
            let outcome = hand(semaphore, io, n).assert_ready("a request to a closed semaphore");
            assert!(outcome.is_err(), "a request for {n} is served {when}");
        }
    }
}

pub(super) async fn close_wakes_all_with_an_error(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let many = subject.promises().contains(&Promise::AcquireMany);

    let semaphore = subject.semaphore(2);
    let (kept, given_back) = (take(&*semaphore, "of two"), take(&*semaphore, "of two"));
    assert!(!semaphore.is_closed(), "it was not closed yet");
    let mut waits = vec![queued(&*semaphore, &io, if many { 2 } else { 1 })];
    // With many, what comes back is the first one's share, and too little.
    let given_back = (!many).then_some(given_back);
    waits.extend((0..4).map(|_| queued(&*semaphore, &io, 1)));
    let mut unpolled = hand(&*semaphore, &io, 1);
    semaphore.close();
    for wait in &mut waits {
        assert!(wait.is_woken(), "the close did not wake all who waited");
        let outcome = wait.assert_ready("a wait on a closed semaphore");
        assert!(
            outcome.is_err(),
            "a wait on a closed semaphore got a permit"
        );
    }
    let outcome = unpolled.assert_ready("a wait that is polled after the close");
    assert_eq!(outcome.err(), Some(Closed));
    assert_refuses(&*semaphore, &io, "after a close");
    semaphore.close();
    assert_refuses(&*semaphore, &io, "after two");
    drop((kept, given_back));

    // One that was granted its permit before may have it or not; it ends.
    let semaphore = subject.semaphore(1);
    let held = take(&*semaphore, "of one");
    let mut granted = queued(&*semaphore, &io, 1);
    let mut behind = queued(&*semaphore, &io, 1);
    drop(held);
    semaphore.close();
    drop(granted.assert_ready("a wait that had been granted its permit"));
    let outcome = behind.assert_ready("a wait on a closed semaphore");
    assert!(
        outcome.is_err(),
        "a wait on a closed semaphore got a permit"
    );

    // In tasks.
    let semaphore = subject.semaphore(0);
    let mut tasks = Vec::new();
    for number in 0..5 {
        let (semaphore, io) = (Arc::clone(&semaphore), cx.io());
        let wait = async move { semaphore.acquire(&io).await.is_err() };
        tasks.push(cx.spawn_queued(format!("waiter {number}"), wait).await);
    }
    semaphore.close();
    for task in tasks {
        assert!(task.join().await, "a closed semaphore gave out a permit");
    }
}

pub(super) async fn release_after_close_keeps_it_closed(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let semaphore = subject.semaphore(2);
    let first = take(&*semaphore, "of two");
    let second = take(&*semaphore, "of two");
    let mut wait = queued(&*semaphore, &io, 1);
    semaphore.close();
    assert!(wait.assert_ready("a wait, as it closes,").is_err());
    drop(first);
    assert_refuses(&*semaphore, &io, "after a release");
    assert_eq!(semaphore.add(5), Ok(()), "five more");
    assert_refuses(&*semaphore, &io, "after permits were added");
    second.forget();
    let _ = semaphore.forget(1);
    assert_refuses(&*semaphore, &io, "after permits were forgotten");
}

pub(super) async fn granted_but_unpolled_does_not_block_its_own_task(
    cx: Cx,
    subject: Arc<dyn Subject>,
) {
    let many = subject.promises().contains(&Promise::AcquireMany);
    let sizes: &[usize] = if many { &[1, 2] } else { &[1] };
    for queued_before in [false, true] {
        for left in sizes {
            for polled in sizes {
                cx.note(format_args!(
                    "{left} left, {polled} polled; queued before: {queued_before}"
                ));
                one_is_left(&*subject.semaphore(2), &cx, *left, *polled, queued_before);
            }
        }
    }
}

/// Two branches of one task wait, and one is left when it was granted what it
/// wants.
fn one_is_left(
    semaphore: &dyn SemaphoreSubject,
    cx: &Cx,
    left: usize,
    polled: usize,
    queued_before: bool,
) {
    let io = cx.io();
    let (wakes, task) = counting();
    let held = [take(semaphore, "of two"), take(semaphore, "of two")];
    let of_task = |n| {
        let wait = match n {
            1 => semaphore.acquire(&io),
            _ => semaphore.acquire_many(&io, n).expect("it is promised"),
        };
        Hand::with_waker(wait, Arc::clone(&wakes), task.clone())
    };
    let (mut unpolled, mut other) = (of_task(left), of_task(polled));
    unpolled.assert_pending("the branch that is left");
    if queued_before {
        other.assert_pending("the other branch");
    }
    drop(held);
    assert!(wakes.count() > 0, "the task was not woken");
    let permits = other.goes_on("the branch that its task polls");
    let permits = permits.expect("it is open");
    assert_eq!(permits.count(), polled, "the permits of that branch");
    drop(permits);
    drop(unpolled.goes_on("the branch that was left"));
    assert_eq!(semaphore.available(), 2, "the free permits in the end");
}
