//! The laws of RwLock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anysync::{Bare, Block, yield_now};

use super::hand::Hand;
use crate::backend::Capability::{Spawn, Threads};
use crate::cx::{Cx, DynIo};
use crate::law::{About, Law};
use crate::run;
use crate::subject::{Kind, Promise, Reading, RwLockSubject, Subject, Upgradable, Writing};
use crate::wakers::counting;

mod order;
mod upgrade;

const RWLOCK: About = About::Kinds(&[Kind::RwLock]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "rwlock::readers_share",
        RWLOCK,
        "Any number read at the same time, and an unlock lets in all who wait to read.",
        "Count those who read; when the first in the queue reads, let in all before the next \
         writer.",
        run!(readers_share),
    )
    .because("Otherwise it is a mutex.")
    .needs(&[Spawn]),
    Law::must(
        "rwlock::writer_excludes_all",
        RWLOCK,
        "Who writes is alone, whoever and wherever the others are.",
        "Let one write only when the same atomic step sees that nobody reads or writes; release \
         with Release, take with Acquire.",
        run!(writer_excludes_all),
    )
    .because("It is what the lock is for.")
    .seen_in(&["tokio-rs/tokio#2957", "tokio-rs/loom#140"])
    .needs(&[Spawn]),
    Law::must(
        "rwlock::waiting_writer_stops_new_readers",
        RWLOCK,
        "While somebody waits to write, nobody starts to read.",
        "Look at the queue, or at a bit that says that one waits to write, before you let one \
         read.",
        run!(order::waiting_writer_stops_new_readers),
    )
    .because("Readers that overlap for ever keep the writer out for ever.")
    .seen_in(&["rust-lang/futures-rs#2082", "asomers/futures-locks#34"]),
    Law::must(
        "rwlock::is_fifo",
        RWLOCK,
        "All are served in the order of the first polls, those who read together with their \
         neighbours.",
        "One queue for all; queue at the first poll, push at the end, let in from the front.",
        run!(order::is_fifo),
    )
    .because("Neither side starves the other.")
    .seen_in(&["tokio-rs/tokio#6901", "asomers/futures-locks#34"])
    .needs(&[Spawn])
    .promised(Promise::FifoRwLock),
    Law::must(
        "rwlock::cancelled_writer_lets_readers_in",
        RWLOCK,
        "When a wait to write is dropped, those who waited behind it to read are let in.",
        "A wait that leaves the queue lets in whoever is first then and fits.",
        run!(order::cancelled_writer_lets_readers_in),
    )
    .because("The readers stood behind a writer that has gone, and nobody else will wake them.")
    .seen_in(&["embassy-rs/embassy#6964"]),
    Law::must(
        "rwlock::downgrade_lets_no_writer_in_between",
        RWLOCK,
        "Nobody writes between the writing and the reading of a downgrade, and others may read \
         after it.",
        "Go from writing to one that reads in one atomic step, and only then let in others.",
        run!(downgrade_lets_no_writer_in_between),
    )
    .because(
        "Who downgrades reads what it wrote; and a count that is off by one lets a writer in \
         beside a reader.",
    )
    .seen_in(&["tokio-rs/tokio#2957", "rust-lang/rust#128219"])
    .needs(&[Spawn])
    .promised(Promise::Downgrade),
    Law::must(
        "rwlock::upgradable_coexists_with_readers",
        RWLOCK,
        "One reads upgradably beside any number who just read, and no second one does.",
        "Keep a bit for the one that may upgrade beside the count of those who read.",
        run!(upgrade::upgradable_coexists_with_readers),
    )
    .because(
        "It is there so that a rare write does not keep out the many reads; a second \
         upgradable one would be a deadlock of two upgrades.",
    )
    .seen_in(&["Amanieu/parking_lot#101"])
    .promised(Promise::UpgradableRead),
    Law::must(
        "rwlock::upgrade_is_atomic",
        RWLOCK,
        "Nobody writes between the reading and the writing of an upgrade, whoever waits.",
        "An upgrade keeps its part while it waits for the others to end, and goes before all in \
         the queue.",
        run!(upgrade::upgrade_is_atomic),
    )
    .because("Check and act: what was read must still be so when it is written.")
    .needs(&[Spawn])
    .promised(Promise::UpgradableRead),
    Law::must(
        "rwlock::reader_limit_is_enforced",
        RWLOCK,
        "No more than the limit read at once; one that ends lets in one.",
        "Compare the count with the limit in the step that changes it; one at the limit queues.",
        run!(reader_limit_is_enforced),
    )
    .because("A count that overflows is an exclusion that is none.")
    .promised(Promise::ReaderLimit),
    Law::should(
        "rwlock::granted_but_unpolled_does_not_block_its_own_task",
        RWLOCK,
        "A task that leaves a wait unpolled after it was let in, and waits for the same lock \
         elsewhere, gets it there after a few turns.",
        "What is granted and not yet taken is passed on when a wait has met it again and again, \
         waking itself meanwhile; the former goes back to the front of the queue.",
        run!(order::granted_but_unpolled_does_not_block_its_own_task),
    )
    .because("The same as for the mutex; of a lock that several share it is found later.")
    .seen_in(&["tokio-rs/tokio#6450", "smol-rs/async-lock#91"]),
];

fn reading<'a>(lock: &'a dyn RwLockSubject, when: &str) -> Reading<'a> {
    match lock.try_read() {
        Some(guard) => guard,
        None => panic!("nobody may read {when}"),
    }
}

fn writing<'a>(lock: &'a dyn RwLockSubject, when: &str) -> Writing<'a> {
    match lock.try_write() {
        Some(guard) => guard,
        None => panic!("nobody may write {when}"),
    }
}

fn upgradable<'a>(lock: &'a dyn RwLockSubject, when: &str) -> Upgradable<'a> {
    match lock.try_upgradable_read() {
        Some(guard) => guard,
        None => panic!("nobody may read upgradably {when}"),
    }
}

fn assert_no_read(lock: &dyn RwLockSubject, when: &str) {
    assert!(lock.try_read().is_none(), "try_read got in {when}");
}

fn assert_no_write(lock: &dyn RwLockSubject, when: &str) {
    assert!(lock.try_write().is_none(), "try_write got in {when}");
}

async fn readers_share(cx: Cx, subject: Arc<dyn Subject>) {
    let lock = subject.rwlock();
    let io = DynIo::bare();

    // By hand: beside those who read, and after one who wrote.
    let first = reading(&*lock, "at first");
    let second = reading(&*lock, "beside another");
    let third = Hand::new(lock.read(&io)).assert_ready("a reader beside two");
    assert_no_write(&*lock, "beside readers");
    drop((first, second));
    assert_no_write(&*lock, "beside a reader");
    drop(third);

    let mut guard = writing(&*lock, "after all readers");
    guard.push(7);
    let mut waits: Vec<_> = (0..5).map(|_| Hand::queued(lock.read(&io))).collect();
    drop(guard);
    let guards: Vec<_> = waits
        .iter_mut()
        .map(|wait| {
            assert!(wait.is_woken(), "an unlock woke not all who wait to read");
            wait.assert_ready("who waited to read")
        })
        .collect();
    assert!(guards.iter().all(|guard| guard[..] == [7]));
    drop((guards, waits));

    // In tasks and threads, which leave when all are in.
    let inside = Arc::new(AtomicUsize::new(0));
    let guard = writing(&*lock, "after all readers");
    let threads = if cx.has(Threads) { 2 } else { 0 };
    let all = 5 + threads;
    let work = |io: DynIo| {
        let (lock, inside) = (Arc::clone(&lock), Arc::clone(&inside));
        async move {
            let guard = lock.read(&io).await;
            inside.fetch_add(1, Ordering::SeqCst);
            while inside.load(Ordering::SeqCst) < all {
                yield_now().await;
            }
            assert_eq!(guard[..], [7]);
        }
    };
    let threads: Vec<_> = (0..threads)
        .map(|number| {
            let work = work(DynIo::bare());
            cx.thread(format!("thread {number}"), || Bare.block_on(work))
        })
        .collect();
    let mut tasks = Vec::new();
    for number in 0..5 {
        let task = work(cx.io());
        tasks.push(cx.spawn_queued(format!("reader {number}"), task).await);
    }
    assert_eq!(
        inside.load(Ordering::SeqCst),
        0,
        "they read what is written"
    );
    drop(guard);
    for task in tasks {
        task.join().await;
    }
    for thread in threads {
        thread.join().await;
    }
    drop(writing(&*lock, "at the end"));
}

async fn writer_excludes_all(cx: Cx, subject: Arc<dyn Subject>) {
    let lock = subject.rwlock();
    let io = DynIo::bare();

    // By hand: each finds somebody inside and nobody in the queue.
    let guard = writing(&*lock, "at first");
    assert_no_read(&*lock, "beside a writer");
    assert_no_write(&*lock, "beside a writer");
    Hand::new(lock.read(&io)).assert_pending("a reader beside a writer");
    Hand::new(lock.write(&io)).assert_pending("a writer beside a writer");
    drop(guard);
    let guard = reading(&*lock, "after a writer");
    assert_no_write(&*lock, "beside a reader");
    Hand::new(lock.write(&io)).assert_pending("a writer beside a reader");
    drop(guard);

    // Some read and others write, and let the others run meanwhile.
    const ROUNDS: usize = 25;
    let inside = Arc::new(AtomicBool::new(false));
    let work = |number: usize, io: DynIo| {
        let (lock, inside) = (Arc::clone(&lock), Arc::clone(&inside));
        async move {
            for _ in 0..ROUNDS {
                if number % 2 == 0 {
                    let list = lock.read(&io).await;
                    let before = list.len();
                    for _ in 0..number % 3 {
                        yield_now().await;
                    }
                    let alone = !inside.load(Ordering::Relaxed);
                    assert!(alone, "one reads while another writes");
                    assert_eq!(list.len(), before, "the list changed under a reader");
                    continue;
                }
                let mut list = lock.write(&io).await;
                let alone = !inside.swap(true, Ordering::Relaxed);
                assert!(alone, "two write");
                let mut copy = list.to_vec();
                for _ in 0..number % 3 {
                    yield_now().await;
                }
                copy.push(0);
                **list = copy;
                inside.store(false, Ordering::Relaxed);
            }
        }
    };
    let mut threads = Vec::new();
    if cx.has(Threads) {
        for number in 0..3 {
            let work = work(number, DynIo::bare());
            threads.push(cx.thread(format!("thread {number}"), || Bare.block_on(work)));
        }
    }
    let tasks: Vec<_> = (0..8)
        .map(|number| cx.spawn(format!("task {number}"), work(number, cx.io())))
        .collect();
    let writers = tasks.len() / 2 + threads.len() / 2;
    for task in tasks {
        task.join().await;
    }
    for thread in threads {
        thread.join().await;
    }
    let list = writing(&*lock, "after everybody has gone");
    assert_eq!(list.len(), ROUNDS * writers, "writes were lost");
}

fn downgraded(guard: Writing<'_>) -> Reading<'_> {
    guard.downgrade().expect("it promises a downgrade")
}

async fn downgrade_lets_no_writer_in_between(cx: Cx, subject: Arc<dyn Subject>) {
    let lock = subject.rwlock();
    let io = DynIo::bare();

    // Who waits to write waits on; who waits to read before it need not.
    for reader_first in [false, true] {
        let mut guard = writing(&*lock, "at first");
        guard.push(1);
        let before = guard.len();
        let mut reader = reader_first.then(|| Hand::queued(lock.read(&io)));
        let mut writer = Hand::queued(lock.write(&io));
        let guard = downgraded(guard);
        assert_no_write(&*lock, "after a downgrade");
        if let Some(reader) = &mut reader {
            assert!(reader.is_woken(), "a downgrade woke nobody who reads");
            let shared = reader.assert_ready("the first, which reads");
            assert_eq!(shared.len(), before);
        }
        writer.assert_pending("a writer, after a downgrade,");
        assert_eq!(guard.len(), before, "the list changed by a downgrade");
        drop(guard);
        assert!(
            writer.is_woken(),
            "the end of a downgraded guard woke nobody"
        );
        drop(writer.assert_ready("the writer, with nobody left,"));
    }
    let guard = downgraded(writing(&*lock, "with nobody left"));
    drop(reading(&*lock, "beside a downgraded guard"));
    drop(guard);

    // In tasks and threads, all of which write, downgrade and read.
    const ROUNDS: usize = 25;
    let work = |number: u64, io: DynIo| {
        let lock = Arc::clone(&lock);
        async move {
            for _ in 0..ROUNDS {
                let mut guard = lock.write(&io).await;
                guard.push(number);
                let written = guard.len();
                let guard = downgraded(guard);
                for _ in 0..number % 3 {
                    yield_now().await;
                }
                assert_eq!(guard.len(), written, "another wrote in between");
                assert_eq!(guard.last(), Some(&number), "another wrote in between");
            }
        }
    };
    let mut threads = Vec::new();
    if cx.has(Threads) {
        for number in 10..12 {
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
    drop(writing(&*lock, "at the end"));
}

async fn reader_limit_is_enforced(_: Cx, subject: Arc<dyn Subject>) {
    const LIMIT: usize = 3;
    let lock = subject.rwlock_with_limit(LIMIT);
    let io = DynIo::bare();
    let mut guards: Vec<_> = (0..LIMIT)
        .map(|_| reading(&*lock, "below the limit"))
        .collect();
    for _ in 0..2 {
        assert_no_read(&*lock, "at the limit");
        let mut fourth = Hand::queued(lock.read(&io));
        let mut fifth = Hand::queued(lock.read(&io));
        drop(guards.pop());
        assert!(fourth.is_woken(), "one that ended let in nobody");
        assert!(!fifth.is_woken(), "one that ended let in two");
        fifth.assert_pending("one at the limit");
        guards.push(fourth.assert_ready("the first that waits"));
        fifth.cancel();
    }
    // One granted and dropped lets in the next.
    let mut left = Hand::queued(lock.read(&io));
    let mut next = Hand::queued(lock.read(&io));
    drop(guards.pop());
    left.cancel();
    assert!(next.is_woken(), "a dropped grant let in nobody");
    guards.push(next.assert_ready("the next"));

    assert_no_write(&*lock, "beside readers at the limit");
    guards.clear();
    if subject.promises().contains(&Promise::UpgradableRead) {
        let counts = upgradable(&*lock, "with nobody inside");
        guards.extend((1..LIMIT).map(|_| reading(&*lock, "below the limit")));
        assert_no_read(&*lock, "at the limit, with an upgradable reader");
        drop(counts);
        guards.push(reading(&*lock, "below the limit"));
        assert!(
            lock.try_upgradable_read().is_none(),
            "an upgradable reader got in at the limit"
        );
        guards.clear();
    }
    let guard = writing(&*lock, "with nobody inside");
    let mut waits: Vec<_> = (0..=LIMIT).map(|_| Hand::queued(lock.read(&io))).collect();
    drop(guard);
    let mut one_too_many = waits.pop().expect("there are some");
    guards.extend(
        waits
            .iter_mut()
            .map(|wait| wait.assert_ready("one of so many")),
    );
    one_too_many.assert_pending("one too many");
    guards.clear();
    drop(one_too_many.assert_ready("one too many, with nobody left,"));
    drop(writing(&*lock, "at the end"));
}
