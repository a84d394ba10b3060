//! The drop-ins for async-lock, async-channel and event-listener.
//!
//! smol has no budget, so that what is ready and what waits are polled by hand alike.
//! Where tasks meet, they are four, on one thread of async-executor.

use super::group;
use crate::harness::Row;
use crate::rows::notify::waits;
use crate::rows::tasks::TURNS;

group! {
    "drop-in smol", ours, theirs,
    "mutex, lock, free" => mutex_free,
    "mutex, try_lock, free" => mutex_try,
    "mutex, lock_arc, free" => mutex_arc,
    "mutex, queue and hand over" => mutex_waits,
    "mutex, 4 tasks, held over a yield" => mutex_tasks of 4 * TURNS,
    "rwlock, read, free" => read_free,
    "rwlock, write, free" => write_free,
    "rwlock, upgradable_read, free" => upgradable_free,
    "rwlock, a read waits for a write" => read_waits,
    "rwlock, 4 tasks, nine reads to a write" => rwlock_tasks of 40 * TURNS,
    "semaphore, acquire, free" => semaphore_free,
    "semaphore, queue and hand over" => semaphore_waits,
    "semaphore, 4 tasks, 2 permits held over a yield" => semaphore_tasks of 4 * TURNS,
    "once_cell, get" => once_cell_get,
    "once_cell, get_or_init of a cell that is set" => once_cell_set,
    "once_cell, a new cell, initialised" => once_cell_cold,
    "barrier, a generation of 8" => barrier of 8,
    "channel, try_send and try_recv" => channel_try,
    "channel, send and receive, ready" => channel_ready,
    "channel, unbounded, send and receive, ready" => channel_unbounded,
    "channel, receive waits, then send" => channel_waits,
    "channel, 4 tasks to 4" => channel_tasks of 4 * TURNS,
    "event, notify nobody" => event_nobody,
    "event, listen, notify, complete" => event_waits,
    "event, listen on the stack, notify, complete" => event_stack,
    "event, 100 listen, notify all" => event_all of waits(100),
}

macro_rules! contenders {
    ($module:ident, $lock:expr, $channel:expr, $event:expr,
     $lock_path:path, $channel_path:path, $event_path:path) => {
        mod $module {
            use std::hint::black_box;
            use std::pin::pin;
            use std::sync::Arc;

            use lock::{Barrier, Mutex, OnceCell, RwLock, Semaphore};
            use $channel_path as channel;
            use $event_path as event;
            use $lock_path as lock;

            use crate::harness::{Contender, does};
            use crate::rows::notify::wakes;
            use crate::rows::tasks::{AnyTask, Executor, TURNS};
            use crate::rows::{barrier, tasks};
            use crate::task::{finished, queued, ready, round_trip, waker};

            /// Room for so many messages.
            const ROOM: usize = 64;

            fn leak<T>(value: T) -> &'static T {
                Box::leak(Box::new(value))
            }

            pub(super) fn mutex_free() -> Contender {
                let mutex = Mutex::new(0_u64);
                does($lock, move || *ready(mutex.lock()) += 1)
            }

            pub(super) fn mutex_try() -> Contender {
                let mutex = Mutex::new(0_u64);
                does($lock, move || {
                    *black_box(&mutex).try_lock().expect("free") += 1
                })
            }

            pub(super) fn mutex_arc() -> Contender {
                let mutex = Arc::new(Mutex::new(0_u64));
                does($lock, move || *ready(mutex.lock_arc()) += 1)
            }

            pub(super) fn mutex_waits() -> Contender {
                let (mutex, waker) = (Mutex::new(0_u64), waker());
                does($lock, move || {
                    let guard = ready(mutex.lock());
                    let mut next = pin!(mutex.lock());
                    queued(next.as_mut(), &waker);
                    drop(guard);
                    *finished(next, &waker) += 1;
                })
            }

            pub(super) fn mutex_tasks() -> Contender {
                let executor = Executor::AsyncExecutor;
                tasks::contended($lock, executor, 4, Mutex::new(0_u64), |mutex| async move {
                    let mut guard = mutex.lock().await;
                    *guard += 1;
                    tasks::leave(guard, true).await;
                })
            }

            pub(super) fn read_free() -> Contender {
                let lock = RwLock::new(1_u64);
                does($lock, move || {
                    black_box(*ready(lock.read()));
                })
            }

            pub(super) fn write_free() -> Contender {
                let lock = RwLock::new(1_u64);
                does($lock, move || *ready(lock.write()) += 1)
            }

            pub(super) fn upgradable_free() -> Contender {
                let lock = RwLock::new(1_u64);
                does($lock, move || {
                    black_box(*ready(lock.upgradable_read()));
                })
            }

            pub(super) fn read_waits() -> Contender {
                let (lock, waker) = (RwLock::new(1_u64), waker());
                does($lock, move || {
                    let guard = ready(lock.write());
                    let mut next = pin!(lock.read());
                    queued(next.as_mut(), &waker);
                    drop(guard);
                    black_box(*finished(next, &waker));
                })
            }

            pub(super) fn rwlock_tasks() -> Contender {
                let executor = Executor::AsyncExecutor;
                tasks::contended($lock, executor, 4, RwLock::new(1_u64), |lock| async move {
                    for _ in 0..9 {
                        tasks::leave(lock.read().await, true).await;
                    }
                    let mut guard = lock.write().await;
                    *guard += 1;
                    tasks::leave(guard, true).await;
                })
            }

            pub(super) fn semaphore_free() -> Contender {
                let semaphore = Semaphore::new(4);
                does($lock, move || drop(ready(semaphore.acquire())))
            }

            pub(super) fn semaphore_waits() -> Contender {
                let (semaphore, waker) = (Semaphore::new(1), waker());
                does($lock, move || {
                    let permit = ready(semaphore.acquire());
                    let mut next = pin!(semaphore.acquire());
                    queued(next.as_mut(), &waker);
                    drop(permit);
                    drop(finished(next, &waker));
                })
            }

            pub(super) fn semaphore_tasks() -> Contender {
                let executor = Executor::AsyncExecutor;
                tasks::contended($lock, executor, 4, Semaphore::new(2), |it| async move {
                    tasks::leave(it.acquire().await, true).await;
                })
            }

            pub(super) fn once_cell_get() -> Contender {
                let cell = OnceCell::from(7_u64);
                does($lock, move || {
                    black_box(black_box(&cell).get());
                })
            }

            pub(super) fn once_cell_set() -> Contender {
                let cell = OnceCell::from(7_u64);
                does($lock, move || {
                    black_box(ready(black_box(&cell).get_or_init(async || 8)));
                })
            }

            pub(super) fn once_cell_cold() -> Contender {
                does($lock, || {
                    let cell = OnceCell::new();
                    black_box(ready(cell.get_or_init(async || 8_u64)));
                })
            }

            pub(super) fn barrier() -> Contender {
                let barrier = leak(Barrier::new(8));
                barrier::again($lock, 8, || barrier.wait())
            }

            pub(super) fn channel_try() -> Contender {
                let (sender, receiver) = channel::bounded(ROOM);
                does($channel, move || {
                    sender.try_send(7_u64).expect("room");
                    black_box(receiver.try_recv().expect("a message"));
                })
            }

            pub(super) fn channel_ready() -> Contender {
                let (sender, receiver) = channel::bounded(ROOM);
                does($channel, move || {
                    ready(sender.send(7_u64)).expect("a receiver");
                    black_box(ready(receiver.recv()).expect("a message"));
                })
            }

            pub(super) fn channel_unbounded() -> Contender {
                let (sender, receiver) = channel::unbounded();
                does($channel, move || {
                    ready(sender.send(7_u64)).expect("a receiver");
                    black_box(ready(receiver.recv()).expect("a message"));
                })
            }

            pub(super) fn channel_waits() -> Contender {
                let (sender, receiver) = channel::bounded(ROOM);
                let waker = waker();
                does($channel, move || {
                    let got = round_trip(receiver.recv(), &waker, || {
                        ready(sender.send(7_u64)).expect("a receiver");
                    });
                    black_box(got.expect("a message"));
                })
            }

            pub(super) fn channel_tasks() -> Contender {
                tasks::meet($channel, Executor::AsyncExecutor, || {
                    let (sender, receiver) = channel::bounded(ROOM);
                    let mut all: Vec<AnyTask> = Vec::new();
                    for receiver in vec![receiver; 4] {
                        all.push(Box::pin(async move {
                            while let Ok(message) = receiver.recv().await {
                                black_box(message);
                            }
                        }));
                    }
                    for sender in vec![sender; 4] {
                        all.push(Box::pin(async move {
                            for _ in 0..TURNS {
                                sender.send(7_u64).await.expect("receivers");
                            }
                        }));
                    }
                    all
                })
            }

            pub(super) fn event_nobody() -> Contender {
                // Somebody has listened, so that there is what a listener needs.
                let event = event::Event::new();
                drop(event.listen());
                does($event, move || {
                    black_box(black_box(&event).notify(1));
                })
            }

            pub(super) fn event_waits() -> Contender {
                let (event, waker) = (event::Event::new(), waker());
                does($event, move || {
                    round_trip(event.listen(), &waker, || {
                        event.notify(1);
                    });
                })
            }

            pub(super) fn event_stack() -> Contender {
                let (event, waker) = (event::Event::new(), waker());
                does($event, move || {
                    event::listener!(event => listener);
                    let mut listener = pin!(listener);
                    queued(listener.as_mut(), &waker);
                    event.notify(1);
                    finished(listener, &waker);
                })
            }

            pub(super) fn event_all() -> Contender {
                let event = leak(event::Event::new());
                wakes(
                    $event,
                    100,
                    || event.listen(),
                    || {
                        event.notify(usize::MAX);
                    },
                )
            }
        }
    };
}

contenders!(
    ours,
    crate::harness::OURS,
    crate::harness::OURS,
    crate::harness::OURS,
    anysync_smol::lock,
    anysync_smol::channel,
    anysync_smol::event
);
contenders!(
    theirs,
    "async-lock",
    "async-channel",
    "event-listener",
    async_lock,
    async_channel,
    event_listener
);
