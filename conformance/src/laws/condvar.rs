//! The laws of Condvar.

use std::sync::Arc;
use std::task::Waker;

use anysync::{Bare, Block};

use crate::backend::Capability::{Spawn, Threads};
use crate::cx::{Cx, DynIo};
use crate::law::{About, Law};
use crate::laws::hand::Hand;
use crate::run;
use crate::subject::{CondvarGuard, CondvarSubject, Kind, Subject};
use crate::wakers::{Event, hooked, poll};

const CONDVAR: About = About::Kinds(&[Kind::Condvar]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "condvar::wait_releases_and_reacquires",
        CONDVAR,
        "While it waits, a wait has not the lock; when it ends, it has it, alone.",
        "Unlock after the wait has queued; lock again after it was notified, and end only then.",
        run!(wait_releases_and_reacquires),
    )
    .because(
        "A wait that keeps the lock waits for ever; one that returns without it is a data \
         race.",
    )
    .needs(&[Spawn]),
    Law::must(
        "condvar::notify_between_unlock_and_wait_is_not_lost",
        CONDVAR,
        "Who changes the value under the lock, after a wait has given it up, and then notifies, \
         reaches that wait.",
        "Queue first and unlock then, so that nobody has the lock before the wait is in the queue.",
        run!(notify_between_unlock_and_wait_is_not_lost),
    )
    .because("Unlocking and waiting are two steps, and the notification comes between them.")
    .seen_in(&["tokio-rs/tokio#2134"])
    .needs(&[Spawn]),
];

#[track_caller]
fn take<'a>(condvar: &'a dyn CondvarSubject, when: &str) -> CondvarGuard<'a> {
    match condvar.try_lock() {
        Some(guard) => guard,
        None => panic!("the lock is not free {when}"),
    }
}

/// A wait that has given up the lock.
#[track_caller]
fn waits<'a>(condvar: &'a dyn CondvarSubject, io: &'a DynIo) -> Hand<'a, CondvarGuard<'a>> {
    Hand::queued(take(condvar, "for one that is to wait").wait(io))
}

async fn wait_releases_and_reacquires(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let condvar = subject.condvar();
    has_the_lock_when_it_ends(&*condvar, &io);
    cx.yield_turns(1).await;
    has_no_lock_when_it_is_dropped(&*condvar, &io);
    waits_while_a_condition_holds(&*condvar, &io);

    // Each task of a ring hands on to the next.
    const ROUNDS: u64 = 10;
    const TASKS: u64 = 4;
    let condvar = subject.condvar();
    take(&*condvar, "at first").push(0);
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let (condvar, io) = (Arc::clone(&condvar), cx.io());
            cx.spawn(format!("task {number}"), async move {
                for round in 0..ROUNDS {
                    let turn = round * TASKS + number;
                    let mut guard = condvar.lock(&io).await;
                    while guard[0] != turn {
                        guard = guard.wait(&io).await;
                    }
                    guard[0] += 1;
                    drop(guard);
                    condvar.notify_all();
                }
            })
        })
        .collect();
    for task in tasks {
        task.join().await;
    }
    assert_eq!(take(&*condvar, "at the end")[0], ROUNDS * TASKS);
}

fn has_the_lock_when_it_ends(condvar: &dyn CondvarSubject, io: &DynIo) {
    let mut wait = waits(condvar, io);
    let mut guard = take(condvar, "while one waits");
    guard.push(1);
    condvar.notify_one();
    wait.assert_pending("a wait that was notified, while another has the lock,");
    assert!(wait.is_woken(), "notify_one woke nobody");
    guard.push(2);
    drop(guard);
    let mut guard = wait.assert_ready("a wait that was notified, and the lock is free,");
    assert_eq!(guard[..], [1, 2], "what was done under the lock");
    assert!(condvar.try_lock().is_none(), "two have the lock");
    guard.push(3);
    drop(guard);
    drop(take(condvar, "after the guard was dropped"));

    // All are notified, and come one after the other.
    let mut all: Vec<_> = (0..3).map(|_| waits(condvar, io)).collect();
    condvar.notify_all();
    for wait in &mut all {
        assert!(wait.is_woken(), "notify_all woke not all");
    }
    let guard = all[0].assert_ready("the first that was notified");
    all[1].assert_pending("the second, while the first has the lock,");
    all[2].assert_pending("the third, while the first has the lock,");
    drop(guard);
    let guard = all[1].assert_ready("the second");
    all[2].assert_pending("the third, while the second has the lock,");
    drop(guard);
    drop(all[2].assert_ready("the third"));
    drop(take(condvar, "after all have ended"));
}

fn has_no_lock_when_it_is_dropped(condvar: &dyn CondvarSubject, io: &DynIo) {
    let guard = take(condvar, "before the drops");
    drop(guard.wait(io));
    drop(take(condvar, "after the drop of a wait never polled"));
    waits(condvar, io).cancel();
    drop(take(condvar, "after the drop of a wait in the queue"));
    let mut wait = waits(condvar, io);
    condvar.notify_one();
    wait.cancel();
    drop(take(condvar, "after the drop of a wait that was notified"));
    let mut wait = waits(condvar, io);
    let guard = take(condvar, "while one waits");
    condvar.notify_one();
    wait.assert_pending("a wait, while another has the lock,");
    drop(guard);
    wait.cancel();
    drop(take(condvar, "after the drop of a wait that was to lock"));
}

fn waits_while_a_condition_holds(condvar: &dyn CondvarSubject, io: &DynIo) {
    // It looks first of all.
    let guard = take(condvar, "before it looks");
    let is_empty = Box::new(|list: &mut Vec<u64>| list.is_empty());
    let guard = Hand::new(guard.wait_while(io, is_empty)).assert_ready("a wait for what is true");
    let lacks_four = Box::new(|list: &mut Vec<u64>| !list.contains(&4));
    let mut wait = Hand::queued(guard.wait_while(io, lacks_four));
    condvar.notify_all();
    wait.assert_pending("a wait for what is not true yet");
    take(condvar, "while a condition is waited for").push(4);
    condvar.notify_all();
    let guard = wait.assert_ready("a wait for what is true by now");
    assert!(guard.contains(&4), "what was waited for");
    assert!(condvar.try_lock().is_none(), "two have the lock");
    drop(guard);
    drop(take(condvar, "after a wait for a condition"));
}

async fn notify_between_unlock_and_wait_is_not_lost(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();

    // At once when the lock is given up: by the waker of who gets it next.
    for all in [false, true] {
        let condvar = subject.condvar();
        let guard = take(&*condvar, "at first");
        let notifies = Arc::clone(&condvar);
        let waker: Waker = hooked(move |event| match event {
            Event::Wake if all => notifies.notify_all(),
            Event::Wake => notifies.notify_one(),
            _ => {}
        });
        let mut next = condvar.lock(&io);
        assert!(
            poll(next.as_mut(), &waker).is_pending(),
            "two have the lock"
        );
        let mut wait = Hand::new(guard.wait(&io));
        wait.assert_pending("a wait that is polled for the first time");
        assert!(
            wait.is_woken(),
            "who was woken by the unlock notified, and the wait was not in the queue"
        );
        drop(next);
        drop(wait.assert_ready("a wait that was notified as it gave up the lock"));
    }

    // A task, and a thread where there is one, hand over one number after the
    // other.
    const NUMBERS: u64 = 200;
    let condvar = subject.condvar();
    let producer = |condvar: Arc<dyn CondvarSubject>, io: DynIo| async move {
        for number in 0..NUMBERS {
            // As soon as the one before has been taken.
            let guard = condvar.lock(&io).await;
            let is_full = Box::new(|list: &mut Vec<u64>| !list.is_empty());
            let mut guard = guard.wait_while(&io, is_full).await;
            guard.push(number);
            drop(guard);
            condvar.notify_all();
        }
    };
    let consumer = |condvar: Arc<dyn CondvarSubject>, io: DynIo| async move {
        let mut taken = Vec::new();
        while taken.len() < NUMBERS as usize {
            let mut guard = condvar.lock(&io).await;
            while guard.is_empty() {
                guard = guard.wait(&io).await;
            }
            taken.append(&mut guard);
            drop(guard);
            condvar.notify_all();
        }
        taken
    };
    let consumer = cx.spawn("the consumer", consumer(Arc::clone(&condvar), cx.io()));
    if cx.has(Threads) {
        let producer = producer(condvar, DynIo::bare());
        let producer = cx.thread("the producer", || Bare.block_on(producer));
        producer.join().await;
    } else {
        let producer = cx.spawn("the producer", producer(condvar, cx.io()));
        producer.join().await;
    }
    let taken = consumer.join().await;
    assert!(
        taken.into_iter().eq(0..NUMBERS),
        "each number once, in order"
    );
}
