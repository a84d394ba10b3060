//! Who is let in next.

use super::*;
use crate::erased::BoxFuture;
use crate::wakers::poll;

pub(super) async fn waiting_writer_stops_new_readers(_: Cx, subject: Arc<dyn Subject>) {
    let lock = subject.rwlock();
    let io = DynIo::bare();
    let inside = [
        reading(&*lock, "at first"),
        reading(&*lock, "beside another"),
    ];
    let mut writer = Hand::queued(lock.write(&io));
    let mut newcomer = Hand::new(lock.read(&io));
    // Also when some of those inside have ended.
    for guard in inside {
        assert_no_read(&*lock, "past a writer that waits");
        assert!(
            lock.try_upgradable_read().is_none(),
            "an upgradable reader got in past a writer that waits"
        );
        newcomer.assert_pending("a reader, past a writer that waits,");
        writer.assert_pending("a writer beside a reader");
        drop(guard);
    }
    assert!(writer.is_woken(), "the last reader let in nobody");
    assert_no_read(&*lock, "past a writer that comes next");
    newcomer.assert_pending("a reader, past a writer that comes next,");
    let guard = writer.assert_ready("the writer, with nobody left,");
    newcomer.assert_pending("a reader beside a writer");
    drop(guard);
    assert!(newcomer.is_woken(), "the writer let in nobody");
    drop(newcomer.assert_ready("the reader after the writer"));
    drop(writing(&*lock, "at the end"));
}

pub(super) async fn cancelled_writer_lets_readers_in(_: Cx, subject: Arc<dyn Subject>) {
    let lock = subject.rwlock();
    let io = DynIo::bare();
    // The writer leaves the queue, or leaves what it was granted.
    for granted in [false, true] {
        let reads = (!granted).then(|| reading(&*lock, "at first"));
        let writes = granted.then(|| writing(&*lock, "at first"));
        let mut writer = Hand::queued(lock.write(&io));
        let mut readers: Vec<_> = (0..3).map(|_| Hand::queued(lock.read(&io))).collect();
        drop(writes);
        assert_eq!(writer.is_woken(), granted);
        // Who prefers writers only while they wait may let readers go before one
        // that it has told.
        if !granted || subject.promises().contains(&Promise::FifoRwLock) {
            readers[0].assert_pending("a reader behind a writer");
        }
        writer.cancel();
        let guards: Vec<_> = readers
            .iter_mut()
            .map(|reader| {
                assert!(
                    reader.is_woken(),
                    "a reader behind a cancelled writer sleeps"
                );
                reader.assert_ready("a reader behind a cancelled writer")
            })
            .collect();
        drop(reading(&*lock, "with nobody waiting to write"));
        assert_no_write(&*lock, "beside readers");
        drop((reads, guards));
        drop(writing(&*lock, "after all readers"));
    }
    // One that was never polled is nobody.
    let guard = reading(&*lock, "at the end");
    let writer = lock.write(&io);
    drop(reading(&*lock, "past a wait that was never polled"));
    drop(writer);
    drop(guard);
}

/// A wait of either way.
enum Either<'a> {
    Read(Hand<'a, Reading<'a>>),
    Write(Hand<'a, Writing<'a>>),
}

impl<'a> Either<'a> {
    fn queued(lock: &'a dyn RwLockSubject, writes: bool, io: &'a DynIo) -> Self {
        match writes {
            true => Self::Write(Hand::queued(lock.write(io))),
            false => Self::Read(Hand::queued(lock.read(io))),
        }
    }

    fn writes(&self) -> bool {
        matches!(self, Self::Write(_))
    }

    fn assert_pending(&mut self, what: &str) {
        match self {
            Self::Read(hand) => hand.assert_pending(what),
            Self::Write(hand) => hand.assert_pending(what),
        }
    }

    fn assert_ready(&mut self, what: &str) -> Inside<'a> {
        match self {
            Self::Read(hand) => Inside::Reads(hand.assert_ready(what)),
            Self::Write(hand) => Inside::Writes(hand.assert_ready(what)),
        }
    }

    fn is_woken(&self) -> bool {
        match self {
            Self::Read(hand) => hand.is_woken(),
            Self::Write(hand) => hand.is_woken(),
        }
    }
}

/// A guard of either way, which is only to be dropped.
enum Inside<'a> {
    Reads(#[expect(dead_code)] Reading<'a>),
    Writes(#[expect(dead_code)] Writing<'a>),
}

pub(super) async fn is_fifo(cx: Cx, subject: Arc<dyn Subject>) {
    // Tasks, each queued before the next is started.
    let lock = subject.rwlock();
    let log = Arc::new(Mutex::new(Vec::new()));
    let ways = [
        false, false, true, true, false, true, false, false, false, true,
    ];
    let guard = writing(&*lock, "at first");
    let mut tasks = Vec::new();
    for (number, writes) in ways.into_iter().enumerate() {
        let (lock, log, io) = (Arc::clone(&lock), Arc::clone(&log), cx.io());
        let enter = move || {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(number);
        };
        let task = async move {
            match writes {
                true => {
                    let _guard = lock.write(&io).await;
                    enter();
                }
                false => {
                    let _guard = lock.read(&io).await;
                    enter();
                }
            }
        };
        tasks.push(cx.spawn_queued(format!("waiter {number}"), task).await);
    }
    drop(guard);
    for task in tasks {
        task.join().await;
    }
    let mut order = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // Neighbours who read are let in together, and come in any order.
    let neighbours = |one: usize, other: usize| !ways[one] && !ways[other];
    for group in order.chunk_by_mut(|one, other| neighbours(*one, *other)) {
        group.sort_unstable();
    }
    assert_eq!(order, Vec::from_iter(0..ways.len()), "the order of service");

    // By hand: some are polled for nothing, and some leave.
    let mut rng = cx.rng();
    let io = DynIo::bare();
    for _ in 0..10 {
        let lock = subject.rwlock();
        let guard = writing(&*lock, "at first");
        let mut waits: Vec<_> = (0..20)
            .map(|_| Either::queued(&*lock, rng.pick(0..3) == 0, &io))
            .collect();
        for _ in 0..10 {
            let place = rng.pick(0..waits.len());
            match rng.coin() {
                true => drop(waits.remove(place)),
                false => waits[place].assert_pending("who waits"),
            }
        }
        if let Some(count) = lock.waiter_count() {
            assert_eq!(count, waits.len(), "so many are queued");
        }
        drop(guard);
        while !waits.is_empty() {
            let readers = waits.iter().take_while(|wait| !wait.writes()).count();
            let next = readers.max(1);
            for wait in &mut waits[next..] {
                assert!(!wait.is_woken(), "one that is not next is woken");
                wait.assert_pending("one that is not next");
            }
            let mut inside = Vec::new();
            for mut wait in waits.drain(..next) {
                assert!(wait.is_woken(), "one that is next sleeps");
                // Some leave with what they were granted.
                if rng.pick(0..4) > 0 {
                    inside.push(wait.assert_ready("one that is next"));
                }
            }
            if inside.is_empty() {
                continue;
            }
            if !waits.is_empty() {
                assert_no_read(&*lock, "past the queue");
                assert_no_write(&*lock, "past the queue");
                waits[0].assert_pending("one that is not next");
            }
        }
        drop(writing(&*lock, "after everybody has gone"));
        // Each round with a budget of its own.
        cx.yield_turns(1).await;
    }

    // A writer that leaves lets in those behind it, up to the next writer.
    let lock = subject.rwlock();
    let guard = reading(&*lock, "at first");
    let mut leaves = Hand::queued(lock.write(&io));
    let mut readers: Vec<_> = (0..2).map(|_| Hand::queued(lock.read(&io))).collect();
    let mut writer = Hand::queued(lock.write(&io));
    let mut last = Hand::queued(lock.read(&io));
    leaves.cancel();
    last.assert_pending("a reader behind another writer");
    writer.assert_pending("a writer beside a reader");
    let hands = readers.iter_mut();
    let guards: Vec<_> = hands
        .map(|reader| reader.assert_ready("a reader behind who left"))
        .collect();
    drop((guard, guards));
    last.assert_pending("a reader behind a writer");
    drop(writer.assert_ready("the next writer"));
    drop(last.assert_ready("the last"));
    drop(writing(&*lock, "at the end"));
}

/// A wait that may be of either way; its guard stays inside.
fn kept<'a>(lock: &'a dyn RwLockSubject, writes: bool, io: &'a DynIo) -> BoxFuture<'a, ()> {
    match writes {
        true => lock.hold_write(io),
        false => lock.hold_read(io),
    }
}

pub(super) async fn granted_but_unpolled_does_not_block_its_own_task(
    _: Cx,
    subject: Arc<dyn Subject>,
) {
    let io = DynIo::bare();
    let (wakes, task) = counting();
    // Beside one that reads another may read anyhow.
    for (left_writes, other_writes) in [(true, true), (true, false), (false, true)] {
        for queued_before in [false, true] {
            let lock = subject.rwlock();
            let guard = writing(&*lock, "at first");
            // Two branches of one task; the first is left unpolled.
            let mut left = kept(&*lock, left_writes, &io);
            let mut other = kept(&*lock, other_writes, &io);
            let is_pending = |wait: &mut BoxFuture<'_, ()>| poll(wait.as_mut(), &task).is_pending();
            assert!(is_pending(&mut left), "the branch that is left got in");
            if queued_before {
                assert!(is_pending(&mut other), "the other branch got in");
            }
            let woken = wakes.count();
            drop(guard);
            assert!(wakes.count() > woken, "the task is woken");
            let mut other = Hand::with_waker(other, Arc::clone(&wakes), task.clone());
            other.goes_on("the branch that its task polls");
            assert_no_write(&*lock, "beside a branch that got in");
            if left_writes || other_writes {
                assert!(is_pending(&mut left), "both branches got in");
            }
            drop(other);
            assert!(!is_pending(&mut left), "the branch that was left waits on");
            drop(left);
            drop(writing(&*lock, "at the end"));
        }
    }
}
