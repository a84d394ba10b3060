//! The 21 rows of the benchmark that comes with the API from which ours grew, that
//! of `volt` for Zig: what it calls them, does and counts in `bench/rust_bench`,
//! where tokio stands for itself. Here we stand beside tokio.
//!
//! - The first eight are one operation that does not wait, by `try_` where tokio has
//!   that. Those of `Notify`, `Barrier` and setting a `OnceCell` are each of a new
//!   one. Who has to be awaited is, in `block_on` of a runtime.
//! - The six of channels do not wait either. Sending fills a queue of 100,000 and
//!   receiving drains it, of which one message is an operation; for a broadcast it
//!   is one message, sent and received four times. What makes the queue is not timed.
//! - Of the four where tasks meet, 10,000 operations are shared out among tasks that
//!   are spawned, awaited, and timed with that. A guard is held while a counter goes
//!   up. tokio has no channel of many consumers: async-channel takes its place.
//! - The three of spawning run tasks that do nothing.
//!
//! It has a runtime of four workers, however many cores there are, and so have we. It
//! counts 10,000 operations also where the tasks share a few less, as six do; here
//! what is counted was done. Rounds and medians are those of all rows here.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anysync::{Spawn, SpawnBlocking};
use anysync_tokio::Tokio;

use crate::harness::{Contender, OURS, Row, does, timed};
use crate::rows::tasks;

/// Messages that fill a queue.
const CHANNEL: u32 = 100_000;
/// Operations that tasks share.
const SHARED: u32 = 10_000;
/// Tasks that are spawned before the first is awaited.
const BATCH: u32 = 100;
/// Who receives a broadcast.
const RECEIVERS: usize = 4;

pub(super) fn rows() -> Vec<Row> {
    let row = |what, contenders: fn() -> Vec<Contender>| Row::new("seed", what, contenders);
    vec![
        row("mutex, try_lock", mutex),
        row("rwlock, try_read", rwlock_read),
        row("rwlock, try_write", rwlock_write),
        row("semaphore, try_acquire", semaphore),
        row("once_cell, get", once_cell_get),
        row("once_cell, set a new one", once_cell_set),
        row("notify, a permit of a new one", notify),
        row("barrier, a new one of 1", barrier),
        row("channel, send", channel_send).operations(CHANNEL),
        row("channel, receive", channel_recv).operations(CHANNEL),
        row("channel, round trip with room for 1", channel_round_trip),
        row("oneshot, send and receive", oneshot),
        row("broadcast, to 4 receivers", broadcast).operations(CHANNEL),
        row("watch, send and borrow", watch),
        row("channel, 4 tasks to 4", channel_contended)
            .operations(SHARED)
            .on_other_threads(),
        row("mutex, 4 tasks", mutex_contended)
            .operations(SHARED)
            .on_other_threads(),
        row("rwlock, 4 tasks read and 2 write", rwlock_contended)
            .operations(SHARED / 6 * 6)
            .on_other_threads(),
        row("semaphore, 8 tasks for 2 permits", semaphore_contended)
            .operations(SHARED)
            .on_other_threads(),
        row("spawn and await a task", spawn).on_other_threads(),
        row("spawn 100 tasks, then await them", spawn_batch)
            .operations(BATCH)
            .on_other_threads(),
        row("spawn and await blocking work", spawn_blocking).on_other_threads(),
    ]
}

fn mutex() -> Vec<Contender> {
    let ours = anysync::Mutex::new(());
    let tokio = tokio::sync::Mutex::new(());
    vec![
        does(OURS, move || {
            drop(black_box(&ours).try_lock().expect("free"))
        }),
        does("tokio", move || {
            drop(black_box(&tokio).try_lock().expect("free"))
        }),
    ]
}

fn rwlock_read() -> Vec<Contender> {
    let ours = anysync::RwLock::new(());
    let tokio = tokio::sync::RwLock::new(());
    vec![
        does(OURS, move || {
            drop(black_box(&ours).try_read().expect("free"))
        }),
        does("tokio", move || {
            drop(black_box(&tokio).try_read().expect("free"))
        }),
    ]
}

fn rwlock_write() -> Vec<Contender> {
    let ours = anysync::RwLock::new(());
    let tokio = tokio::sync::RwLock::new(());
    vec![
        does(OURS, move || {
            drop(black_box(&ours).try_write().expect("free"))
        }),
        does("tokio", move || {
            drop(black_box(&tokio).try_write().expect("free"))
        }),
    ]
}

fn semaphore() -> Vec<Contender> {
    let ours = anysync::Semaphore::new(10);
    let tokio = tokio::sync::Semaphore::new(10);
    vec![
        does(OURS, move || {
            drop(black_box(&ours).try_acquire().expect("free"))
        }),
        does("tokio", move || {
            drop(black_box(&tokio).try_acquire().expect("free"))
        }),
    ]
}

fn once_cell_get() -> Vec<Contender> {
    let ours = anysync::OnceCell::with_value(42_u64);
    let tokio = tokio::sync::OnceCell::new_with(Some(42_u64));
    vec![
        does(OURS, move || {
            black_box(black_box(&ours).get());
        }),
        does("tokio", move || {
            black_box(black_box(&tokio).get());
        }),
    ]
}

fn once_cell_set() -> Vec<Contender> {
    vec![
        does(OURS, || {
            let cell = anysync::OnceCell::new();
            assert!(black_box(&cell).set(42_u64));
        }),
        does("tokio", || {
            let cell = tokio::sync::OnceCell::new();
            black_box(&cell).set(42_u64).expect("a new one");
        }),
    ]
}

/// A contender that does its work in `block_on` of a runtime of its own.
fn awaits(name: &'static str, work: impl AsyncFnMut() + 'static) -> Contender {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .expect("a runtime without a driver");
    tasks::awaits(name, runtime, work)
}

fn notify() -> Vec<Contender> {
    vec![
        awaits(OURS, async || {
            let notify = anysync::Notify::new();
            notify.notify_one();
            notify.wait(Tokio).await;
        }),
        awaits("tokio", async || {
            let notify = tokio::sync::Notify::new();
            notify.notify_one();
            notify.notified().await;
        }),
    ]
}

fn barrier() -> Vec<Contender> {
    vec![
        awaits(OURS, async || {
            black_box(anysync::Barrier::new(1).wait(Tokio).await);
        }),
        awaits("tokio", async || {
            black_box(tokio::sync::Barrier::new(1).wait().await);
        }),
    ]
}

/// What of a queue's life is timed.
#[derive(Clone, Copy)]
enum Half {
    Fill,
    Drain,
}

macro_rules! fills {
    ($name:expr, $channel:path, $half:expr) => {
        timed($name, |times| {
            let mut taken = Duration::ZERO;
            for _ in 0..times {
                #[allow(unused_mut, reason = "some receive by `&mut`")]
                let (sender, mut receiver) = $channel(CHANNEL as usize);
                let start = Instant::now();
                for message in 0..u64::from(CHANNEL) {
                    sender.try_send(message).expect("room");
                }
                let filled = Instant::now();
                for _ in 0..CHANNEL {
                    black_box(receiver.try_recv().expect("a message"));
                }
                taken += match $half {
                    Half::Fill => filled - start,
                    Half::Drain => filled.elapsed(),
                };
            }
            taken
        })
    };
}

fn channel_send() -> Vec<Contender> {
    vec![
        fills!(OURS, anysync::channel::bounded, Half::Fill),
        fills!("tokio", tokio::sync::mpsc::channel, Half::Fill),
    ]
}

fn channel_recv() -> Vec<Contender> {
    vec![
        fills!(OURS, anysync::channel::bounded, Half::Drain),
        fills!("tokio", tokio::sync::mpsc::channel, Half::Drain),
    ]
}

fn channel_round_trip() -> Vec<Contender> {
    let ours = anysync::channel::bounded(1);
    let (tokio, mut tokio_rx) = tokio::sync::mpsc::channel(1);
    vec![
        does(OURS, move || {
            ours.0.try_send(7_u64).expect("room");
            black_box(ours.1.try_recv().expect("a message"));
        }),
        does("tokio", move || {
            tokio.try_send(7_u64).expect("room");
            black_box(tokio_rx.try_recv().expect("a message"));
        }),
    ]
}

fn oneshot() -> Vec<Contender> {
    vec![
        does(OURS, || {
            let (sender, mut receiver) = anysync::oneshot::channel();
            sender.send(7_u64).expect("a receiver");
            black_box(receiver.try_recv().expect("a value"));
        }),
        does("tokio", || {
            let (sender, mut receiver) = tokio::sync::oneshot::channel();
            sender.send(7_u64).expect("a receiver");
            black_box(receiver.try_recv().expect("a value"));
        }),
    ]
}

/// All messages are sent, and then each receiver takes all of them.
macro_rules! broadcasts {
    ($name:expr, $channel:path) => {
        timed($name, |times| {
            let mut taken = Duration::ZERO;
            for _ in 0..times {
                let (sender, receiver) = $channel(CHANNEL as usize);
                drop(receiver);
                let mut receivers: Vec<_> = (0..RECEIVERS).map(|_| sender.subscribe()).collect();
                let start = Instant::now();
                for message in 0..u64::from(CHANNEL) {
                    sender.send(message).expect("receivers");
                }
                for receiver in &mut receivers {
                    for _ in 0..CHANNEL {
                        black_box(receiver.try_recv().expect("a message"));
                    }
                }
                taken += start.elapsed();
            }
            taken
        })
    };
}

fn broadcast() -> Vec<Contender> {
    vec![
        broadcasts!(OURS, anysync::broadcast::channel),
        broadcasts!("tokio", tokio::sync::broadcast::channel),
    ]
}

fn watch() -> Vec<Contender> {
    let (ours, ours_rx) = anysync::watch::channel(0_u64);
    let (tokio, tokio_rx) = tokio::sync::watch::channel(0_u64);
    vec![
        does(OURS, move || {
            ours.send(7).expect("a receiver");
            black_box(*ours_rx.borrow());
        }),
        does("tokio", move || {
            tokio.send(7).expect("a receiver");
            black_box(*tokio_rx.borrow());
        }),
    ]
}

/// Spawns the tasks of one repetition, and awaits them all.
async fn all(tasks: Vec<tokio::task::JoinHandle<()>>) {
    for task in tasks {
        task.await.expect("no panic");
    }
}

macro_rules! four_to_four {
    ($name:expr, $new:expr, |$s:ident, $message:ident| $send:expr, |$r:ident| $recv:expr) => {
        awaits($name, || {
            let (sender, receiver) = $new;
            let mut tasks = Vec::new();
            for _ in 0..4 {
                let $s = sender.clone();
                tasks.push(tokio::spawn(async move {
                    for $message in 0..u64::from(SHARED / 4) {
                        $send.await.expect("receivers");
                    }
                }));
            }
            for _ in 0..4 {
                let $r = receiver.clone();
                tasks.push(tokio::spawn(async move {
                    while let Ok(message) = $recv.await {
                        black_box(message);
                    }
                }));
            }
            // Once the tasks' clones are gone, the channel is closed.
            all(tasks)
        })
    };
}

fn channel_contended() -> Vec<Contender> {
    const ROOM: usize = 1_024;
    vec![
        four_to_four!(
            OURS,
            anysync::channel::bounded(ROOM),
            |s, message| s.send(Tokio, message),
            |r| r.recv(Tokio)
        ),
        four_to_four!(
            "async-channel",
            async_channel::bounded(ROOM),
            |s, message| s.send(message),
            |r| r.recv()
        ),
    ]
}

/// So many tasks of each kind share the operations, each of which takes a guard.
macro_rules! contended {
    ($name:expr, $new:expr, $($count:literal of |$s:ident| $take:expr),+) => {{
        let shared = Arc::new(($new, AtomicUsize::new(0)));
        let each = SHARED / (0 $(+ $count)+);
        awaits($name, move || {
            let mut tasks = Vec::new();
            $(for _ in 0..$count {
                let shared = Arc::clone(&shared);
                tasks.push(tokio::spawn(async move {
                    let ($s, counter) = &*shared;
                    for _ in 0..each {
                        let _guard = $take;
                        counter.fetch_add(1, Ordering::Relaxed);
                    }
                }));
            })+
            all(tasks)
        })
    }};
}

fn mutex_contended() -> Vec<Contender> {
    vec![
        contended!(OURS, anysync::Mutex::new(()), 4 of |m| m.lock(Tokio).await),
        contended!("tokio", tokio::sync::Mutex::new(()), 4 of |m| m.lock().await),
    ]
}

fn rwlock_contended() -> Vec<Contender> {
    vec![
        contended!(
            OURS,
            anysync::RwLock::new(()),
            4 of |lock| lock.read(Tokio).await,
            2 of |lock| lock.write(Tokio).await
        ),
        contended!(
            "tokio",
            tokio::sync::RwLock::new(()),
            4 of |lock| lock.read().await,
            2 of |lock| lock.write().await
        ),
    ]
}

fn semaphore_contended() -> Vec<Contender> {
    vec![
        contended!(
            OURS,
            anysync::Semaphore::new(2),
            8 of |semaphore| semaphore.acquire(Tokio).await.expect("open")
        ),
        contended!(
            "tokio",
            tokio::sync::Semaphore::new(2),
            8 of |semaphore| semaphore.acquire().await.expect("open")
        ),
    ]
}

fn spawn() -> Vec<Contender> {
    vec![
        awaits(OURS, async || {
            Tokio.spawn(async {}).await.expect("no panic");
        }),
        awaits("tokio", async || {
            tokio::spawn(async {}).await.expect("no panic");
        }),
    ]
}

fn spawn_batch() -> Vec<Contender> {
    vec![
        awaits(OURS, async || {
            let tasks: Vec<_> = (0..BATCH).map(|_| Tokio.spawn(async {})).collect();
            for task in tasks {
                task.await.expect("no panic");
            }
        }),
        awaits("tokio", async || {
            let tasks: Vec<_> = (0..BATCH).map(|_| tokio::spawn(async {})).collect();
            for task in tasks {
                task.await.expect("no panic");
            }
        }),
    ]
}

fn spawn_blocking() -> Vec<Contender> {
    vec![
        awaits(OURS, async || {
            Tokio.spawn_blocking(|| {}).await.expect("no panic");
        }),
        awaits("tokio", async || {
            tokio::task::spawn_blocking(|| {}).await.expect("no panic");
        }),
    ]
}
