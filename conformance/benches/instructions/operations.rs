//! What is counted. The work of a name that `versus` has too is the same as there.

use std::hint::black_box;
use std::pin::pin;

use anysync::{Bare, Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore};
use anysync::{broadcast, channel, oneshot, watch};

use crate::task::{finished, queued, ready, round_trip, waker, wakers, yield_now};

/// Room for so many messages.
const ROOM: usize = 64;

/// A piece of work that can be repeated.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// How many operations one repetition is.
    pub(crate) each: u32,
    /// Does the work so often.
    pub(crate) repeat: fn(u32),
}

/// What the optimiser knows nothing about.
fn opaque<T>(value: T) -> &'static T {
    black_box(Box::leak(Box::new(value)))
}

fn repeat(times: u32, mut work: impl FnMut()) {
    for _ in 0..times {
        work();
    }
}

pub(crate) fn all() -> Vec<Operation> {
    let one = |name, repeat| Operation {
        name,
        each: 1,
        repeat,
    };
    let many = |name, each, repeat| Operation { name, each, repeat };
    vec![
        one("notify: a stored permit", stored_permit),
        one("notify: register, notify, complete", notify_one),
        one("notify: register and cancel behind 0", notify_cancel),
        many(
            "notify: register 1000, wake all, complete",
            1_000,
            notify_all,
        ),
        one("mutex: lock, free", mutex_lock),
        one("mutex: queue and hand over", mutex_hand_over),
        one("rwlock: read, free", rwlock_read),
        one("rwlock: write, free", rwlock_write),
        one("semaphore: acquire and release, free", semaphore_free),
        one("semaphore: queue and hand over", semaphore_hand_over),
        one("semaphore: queue and cancel", semaphore_cancel),
        many("barrier: a generation of 2", 2, barrier),
        one("once_cell: get", cell_get),
        one("once_cell: get_or_init of a cell that is set", cell_set),
        one("once_cell: a new cell, initialised", cell_cold),
        many("once_cell: a new cell, with 100 waiting", 100, cell_crowd),
        one("oneshot: send, then receive", oneshot_sent),
        one("oneshot: send, then receive, lent slot", slot_sent),
        one("oneshot: receive waits, then send", oneshot_waits),
        one("oneshot: receive waits, then send, lent slot", slot_waits),
        one("channel: try_send and try_recv", channel_tries),
        one("channel: send and receive, ready", channel_ready),
        one("channel: receive waits, then send", channel_waits),
        one("broadcast: send, received by one", |times| {
            broadcast(times, 1)
        }),
        one("broadcast: send, received by eight", |times| {
            broadcast(times, 8)
        }),
        one("watch: send and borrow", watch_borrow),
        one("watch: send, changed, borrow_and_update", watch_changed),
    ]
}

fn stored_permit(times: u32) {
    let notify = opaque(Notify::new());
    repeat(times, || {
        notify.notify_one();
        ready(notify.wait_future());
    });
}

fn notify_one(times: u32) {
    let (notify, task) = (opaque(Notify::new()), waker());
    repeat(times, || {
        round_trip(notify.wait_future(), &task, || notify.notify_one());
    });
}

fn notify_cancel(times: u32) {
    let (notify, task) = (opaque(Notify::new()), waker());
    repeat(times, || queued(pin!(notify.wait_future()), &task));
}

fn notify_all(times: u32) {
    let (notify, tasks) = (opaque(Notify::new()), wakers(1_000));
    let mut line: Vec<_> = tasks
        .iter()
        .map(|_| Box::pin(notify.wait_future()))
        .collect();
    repeat(times, || {
        for (wait, task) in line.iter_mut().zip(&tasks) {
            // In the same place, for it is not allocations that are counted.
            wait.set(notify.wait_future());
            queued(wait.as_mut(), task);
        }
        notify.notify_all();
        for (wait, task) in line.iter_mut().zip(&tasks) {
            finished(wait.as_mut(), task);
        }
    });
}

fn mutex_lock(times: u32) {
    let mutex = opaque(Mutex::new(0_u64));
    repeat(times, || *ready(mutex.lock_future()) += 1);
}

fn mutex_hand_over(times: u32) {
    let (mutex, task) = (opaque(Mutex::new(0_u64)), waker());
    repeat(times, || {
        let guard = ready(mutex.lock_future());
        *round_trip(mutex.lock_future(), &task, || drop(guard)) += 1;
    });
}

fn rwlock_read(times: u32) {
    let lock = opaque(RwLock::new(1_u64));
    repeat(times, || {
        black_box(*ready(lock.read_future()));
    });
}

fn rwlock_write(times: u32) {
    let lock = opaque(RwLock::new(1_u64));
    repeat(times, || *ready(lock.write_future()) += 1);
}

fn semaphore_free(times: u32) {
    let semaphore = opaque(Semaphore::new(4));
    repeat(times, || {
        drop(ready(semaphore.acquire_future()).expect("open"));
    });
}

fn semaphore_hand_over(times: u32) {
    let (semaphore, task) = (opaque(Semaphore::new(1)), waker());
    repeat(times, || {
        let permit = ready(semaphore.acquire_future());
        let next = round_trip(semaphore.acquire_future(), &task, || drop(permit));
        drop(next.expect("open"));
    });
}

fn semaphore_cancel(times: u32) {
    let (semaphore, task) = (opaque(Semaphore::new(0)), waker());
    repeat(times, || queued(pin!(semaphore.acquire_future()), &task));
}

fn barrier(times: u32) {
    let (barrier, task) = (opaque(Barrier::new(2)), waker());
    repeat(times, || {
        round_trip(barrier.wait_future(), &task, || {
            ready(barrier.wait_future());
        });
    });
}

fn cell_get(times: u32) {
    let cell = OnceCell::with_value(7_u64);
    repeat(times, || {
        black_box(black_box(&cell).get());
    });
}

fn cell_set(times: u32) {
    let cell = OnceCell::with_value(7_u64);
    repeat(times, || {
        black_box(ready(
            black_box(&cell).get_or_init_async(Bare, || async { 8 }),
        ));
    });
}

fn cell_cold(times: u32) {
    repeat(times, || {
        let cell = OnceCell::new();
        black_box(ready(cell.get_or_init_async(Bare, || async { 8_u64 })));
    });
}

/// The first initialises and yields meanwhile; the others wait.
fn cell_crowd(times: u32) {
    let tasks = wakers(100);
    repeat(times, || {
        let cell = OnceCell::new();
        let slow = || async {
            yield_now().await;
            8_u64
        };
        let mut waits: Vec<_> = tasks
            .iter()
            .map(|_| Box::pin(cell.get_or_init_async(Bare, slow)))
            .collect();
        for (wait, task) in waits.iter_mut().zip(&tasks) {
            queued(wait.as_mut(), task);
        }
        for (wait, task) in waits.iter_mut().zip(&tasks) {
            black_box(finished(wait.as_mut(), task));
        }
    });
}

fn oneshot_sent(times: u32) {
    repeat(times, || {
        let (sender, mut receiver) = oneshot::channel();
        sender.send(7_u64).expect("a receiver");
        black_box(ready(receiver.recv(Bare)).expect("a value"));
    });
}

fn slot_sent(times: u32) {
    repeat(times, || {
        let mut slot = oneshot::Slot::new();
        let (sender, mut receiver) = slot.split();
        sender.send(7_u64).expect("a receiver");
        black_box(ready(receiver.recv(Bare)).expect("a value"));
    });
}

fn oneshot_waits(times: u32) {
    let task = waker();
    repeat(times, || {
        let (sender, mut receiver) = oneshot::channel();
        let value = round_trip(receiver.recv(Bare), &task, || {
            sender.send(7_u64).expect("a receiver");
        });
        black_box(value.expect("a value"));
    });
}

fn slot_waits(times: u32) {
    let task = waker();
    repeat(times, || {
        let mut slot = oneshot::Slot::new();
        let (sender, mut receiver) = slot.split();
        let value = round_trip(receiver.recv(Bare), &task, || {
            sender.send(7_u64).expect("a receiver");
        });
        black_box(value.expect("a value"));
    });
}

fn channel_tries(times: u32) {
    let (sender, receiver) = opaque(channel::bounded(ROOM));
    repeat(times, || {
        sender.try_send(7_u64).expect("room");
        black_box(receiver.try_recv().expect("a message"));
    });
}

fn channel_ready(times: u32) {
    let (sender, receiver) = opaque(channel::bounded(ROOM));
    repeat(times, || {
        ready(sender.send_future(7_u64)).expect("a receiver");
        black_box(ready(receiver.recv_future()).expect("a message"));
    });
}

fn channel_waits(times: u32) {
    let (sender, receiver) = opaque(channel::bounded(ROOM));
    let task = waker();
    repeat(times, || {
        let message = round_trip(receiver.recv_future(), &task, || {
            ready(sender.send_future(7_u64)).expect("a receiver");
        });
        black_box(message.expect("a message"));
    });
}

fn broadcast(times: u32, receivers: usize) {
    let sender = opaque(broadcast::Sender::new(ROOM));
    let mut receivers: Vec<_> = (0..receivers).map(|_| sender.subscribe()).collect();
    repeat(times, || {
        sender.send(7_u64).expect("receivers");
        for receiver in &mut receivers {
            black_box(ready(receiver.recv_future()).expect("a message"));
        }
    });
}

fn watch_borrow(times: u32) {
    let (sender, receiver) = opaque(watch::channel(0_u64));
    repeat(times, || {
        sender.send(7).expect("a receiver");
        black_box(*receiver.borrow());
    });
}

fn watch_changed(times: u32) {
    let (sender, mut receiver) = watch::channel(0_u64);
    let sender = black_box(sender);
    repeat(times, || {
        sender.send(7).expect("a receiver");
        ready(receiver.changed_future()).expect("a sender");
        black_box(*receiver.borrow_and_update());
    });
}
