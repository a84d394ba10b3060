//! The drop-ins for `tokio::sync` and for the token of `tokio_util`.
//!
//! What is ready is awaited in a task of tokio, whose budget both spend. What waits
//! is polled by hand, outside of a runtime. Where tasks meet, they are four, on one
//! thread of tokio.

use super::group;
use crate::harness::Row;
use crate::rows::notify::waits;
use crate::rows::tasks::TURNS;

group! {
    "drop-in tokio", ours, theirs,
    "mutex, lock, free" => mutex_free,
    "mutex, try_lock, free" => mutex_try,
    "mutex, lock_owned, free" => mutex_owned,
    "mutex, queue and hand over" => mutex_waits,
    "mutex, 4 tasks, held over a yield" => mutex_tasks of 4 * TURNS,
    "rwlock, read, free" => read_free,
    "rwlock, write, free" => write_free,
    "rwlock, a read waits for a write" => read_waits,
    "rwlock, 4 tasks, nine reads to a write" => rwlock_tasks of 40 * TURNS,
    "semaphore, acquire, free" => semaphore_free,
    "semaphore, acquire_owned, free" => semaphore_owned,
    "semaphore, queue and hand over" => semaphore_waits,
    "semaphore, 4 tasks, 2 permits held over a yield" => semaphore_tasks of 4 * TURNS,
    "notify, a stored permit" => notify_permit,
    "notify, wait and notify_one" => notify_waits,
    "notify, 100 wait, notify_waiters" => notify_all of waits(100),
    "once_cell, get" => once_cell_get,
    "once_cell, get_or_init of a cell that is set" => once_cell_set,
    "once_cell, a new cell, initialised" => once_cell_cold,
    "barrier, a generation of 8" => barrier of 8,
    "mpsc, try_send and try_recv" => mpsc_try,
    "mpsc, send and receive, ready" => mpsc_ready,
    "mpsc, unbounded, send and receive, ready" => mpsc_unbounded,
    "mpsc, receive waits, then send" => mpsc_waits,
    "mpsc, send waits for room, then receive" => mpsc_full,
    "mpsc, 4 tasks to 1" => mpsc_tasks of 4 * TURNS,
    "oneshot, send, then receive" => oneshot_ready,
    "oneshot, receive waits, then send" => oneshot_waits,
    "watch, send and borrow" => watch_borrow,
    "watch, send, changed, borrow_and_update" => watch_ready,
    "watch, changed waits, then send" => watch_waits,
    "broadcast, send, received by one" => broadcast_one,
    "broadcast, send, received by eight" => broadcast_eight,
    "broadcast, receive waits, then send" => broadcast_waits,
    "cancellation_token, is_cancelled" => token_looks,
    "cancellation_token, wait and cancel a new one" => token_waits,
}

macro_rules! contenders {
    ($module:ident, $name:expr, $sync:path, $token:path) => {
        mod $module {
            use std::hint::black_box;
            use std::pin::pin;
            use std::sync::Arc;

            use sync::{
                Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc, oneshot,
                watch,
            };
            use $sync as sync;
            use $token as CancellationToken;

            use crate::harness::{Contender, does};
            use crate::rows::notify::wakes;
            use crate::rows::tasks::{AnyTask, Executor, TURNS};
            use crate::rows::{barrier, tasks};
            use crate::task::{finished, queued, ready, round_trip, waker};

            /// Room for so many messages.
            const ROOM: usize = 64;

            fn awaits(name: &'static str, work: impl AsyncFnMut() + 'static) -> Contender {
                tasks::awaits(name, tasks::one_thread(), work)
            }

            fn leak<T>(value: T) -> &'static T {
                Box::leak(Box::new(value))
            }

            pub(super) fn mutex_free() -> Contender {
                let mutex = Mutex::new(0_u64);
                awaits($name, async move || *mutex.lock().await += 1)
            }

            pub(super) fn mutex_try() -> Contender {
                let mutex = Mutex::new(0_u64);
                does($name, move || {
                    *black_box(&mutex).try_lock().expect("free") += 1
                })
            }

            pub(super) fn mutex_owned() -> Contender {
                let mutex = Arc::new(Mutex::new(0_u64));
                awaits($name, async move || {
                    *Arc::clone(&mutex).lock_owned().await += 1
                })
            }

            pub(super) fn mutex_waits() -> Contender {
                let (mutex, waker) = (Mutex::new(0_u64), waker());
                does($name, move || {
                    let guard = ready(mutex.lock());
                    let mut next = pin!(mutex.lock());
                    queued(next.as_mut(), &waker);
                    drop(guard);
                    *finished(next, &waker) += 1;
                })
            }

            pub(super) fn mutex_tasks() -> Contender {
                tasks::contended(
                    $name,
                    Executor::Tokio,
                    4,
                    Mutex::new(0_u64),
                    |mutex| async move {
                        let mut guard = mutex.lock().await;
                        *guard += 1;
                        tasks::leave(guard, true).await;
                    },
                )
            }

            pub(super) fn read_free() -> Contender {
                let lock = RwLock::new(1_u64);
                awaits($name, async move || {
                    black_box(*lock.read().await);
                })
            }

            pub(super) fn write_free() -> Contender {
                let lock = RwLock::new(1_u64);
                awaits($name, async move || *lock.write().await += 1)
            }

            pub(super) fn read_waits() -> Contender {
                let (lock, waker) = (RwLock::new(1_u64), waker());
                does($name, move || {
                    let guard = ready(lock.write());
                    let mut next = pin!(lock.read());
                    queued(next.as_mut(), &waker);
                    drop(guard);
                    black_box(*finished(next, &waker));
                })
            }

            pub(super) fn rwlock_tasks() -> Contender {
                tasks::contended(
                    $name,
                    Executor::Tokio,
                    4,
                    RwLock::new(1_u64),
                    |lock| async move {
                        for _ in 0..9 {
                            tasks::leave(lock.read().await, true).await;
                        }
                        let mut guard = lock.write().await;
                        *guard += 1;
                        tasks::leave(guard, true).await;
                    },
                )
            }

            pub(super) fn semaphore_free() -> Contender {
                let semaphore = Semaphore::new(4);
                awaits($name, async move || {
                    drop(semaphore.acquire().await.expect("open"));
                })
            }

            pub(super) fn semaphore_owned() -> Contender {
                let semaphore = Arc::new(Semaphore::new(4));
                awaits($name, async move || {
                    drop(Arc::clone(&semaphore).acquire_owned().await.expect("open"));
                })
            }

            pub(super) fn semaphore_waits() -> Contender {
                let (semaphore, waker) = (Semaphore::new(1), waker());
                does($name, move || {
                    let permit = ready(semaphore.acquire());
                    let mut next = pin!(semaphore.acquire());
                    queued(next.as_mut(), &waker);
                    drop(permit);
                    drop(finished(next, &waker));
                })
            }

            pub(super) fn semaphore_tasks() -> Contender {
                tasks::contended(
                    $name,
                    Executor::Tokio,
                    4,
                    Semaphore::new(2),
                    |semaphore| async move {
                        tasks::leave(semaphore.acquire().await.expect("open"), true).await;
                    },
                )
            }

            pub(super) fn notify_permit() -> Contender {
                let notify = Notify::new();
                awaits($name, async move || {
                    notify.notify_one();
                    notify.notified().await;
                })
            }

            pub(super) fn notify_waits() -> Contender {
                let (notify, waker) = (Notify::new(), waker());
                does($name, move || {
                    round_trip(notify.notified(), &waker, || notify.notify_one());
                })
            }

            pub(super) fn notify_all() -> Contender {
                let notify = leak(Notify::new());
                wakes($name, 100, || notify.notified(), || notify.notify_waiters())
            }

            pub(super) fn once_cell_get() -> Contender {
                let cell = OnceCell::new_with(Some(7_u64));
                does($name, move || {
                    black_box(black_box(&cell).get());
                })
            }

            pub(super) fn once_cell_set() -> Contender {
                let cell = OnceCell::new_with(Some(7_u64));
                awaits($name, async move || {
                    black_box(black_box(&cell).get_or_init(async || 8).await);
                })
            }

            pub(super) fn once_cell_cold() -> Contender {
                awaits($name, async move || {
                    let cell = OnceCell::new();
                    black_box(cell.get_or_init(async || 8_u64).await);
                })
            }

            pub(super) fn barrier() -> Contender {
                let barrier = leak(Barrier::new(8));
                barrier::generation($name, 8, || barrier.wait())
            }

            pub(super) fn mpsc_try() -> Contender {
                let (sender, mut receiver) = mpsc::channel(ROOM);
                does($name, move || {
                    sender.try_send(7_u64).expect("room");
                    black_box(receiver.try_recv().expect("a message"));
                })
            }

            pub(super) fn mpsc_ready() -> Contender {
                let (sender, mut receiver) = mpsc::channel(ROOM);
                awaits($name, async move || {
                    sender.send(7_u64).await.expect("a receiver");
                    black_box(receiver.recv().await.expect("a message"));
                })
            }

            pub(super) fn mpsc_unbounded() -> Contender {
                let (sender, mut receiver) = mpsc::unbounded_channel();
                awaits($name, async move || {
                    sender.send(7_u64).expect("a receiver");
                    black_box(receiver.recv().await.expect("a message"));
                })
            }

            pub(super) fn mpsc_waits() -> Contender {
                let (sender, mut receiver) = mpsc::channel(ROOM);
                let waker = waker();
                does($name, move || {
                    let got = round_trip(receiver.recv(), &waker, || {
                        ready(sender.send(7_u64)).expect("a receiver");
                    });
                    black_box(got.expect("a message"));
                })
            }

            pub(super) fn mpsc_full() -> Contender {
                let (sender, mut receiver) = mpsc::channel(1);
                sender.try_send(7_u64).expect("room");
                let waker = waker();
                does($name, move || {
                    round_trip(sender.send(7_u64), &waker, || {
                        black_box(ready(receiver.recv()).expect("a message"));
                    })
                    .expect("a receiver");
                })
            }

            pub(super) fn mpsc_tasks() -> Contender {
                tasks::meet($name, Executor::Tokio, || {
                    let (sender, mut receiver) = mpsc::channel(ROOM);
                    let receive: AnyTask = Box::pin(async move {
                        while let Some(message) = receiver.recv().await {
                            black_box(message);
                        }
                    });
                    let mut all = vec![receive];
                    for sender in vec![sender; 4] {
                        all.push(Box::pin(async move {
                            for _ in 0..TURNS {
                                sender.send(7_u64).await.expect("a receiver");
                            }
                        }));
                    }
                    all
                })
            }

            pub(super) fn oneshot_ready() -> Contender {
                awaits($name, async move || {
                    let (sender, receiver) = oneshot::channel();
                    sender.send(7_u64).expect("a receiver");
                    black_box(receiver.await.expect("a value"));
                })
            }

            pub(super) fn oneshot_waits() -> Contender {
                let waker = waker();
                does($name, move || {
                    let (sender, receiver) = oneshot::channel();
                    let got = round_trip(receiver, &waker, || {
                        sender.send(7_u64).expect("a receiver");
                    });
                    black_box(got.expect("a value"));
                })
            }

            pub(super) fn watch_borrow() -> Contender {
                let (sender, receiver) = watch::channel(0_u64);
                does($name, move || {
                    sender.send(7).expect("a receiver");
                    black_box(*receiver.borrow());
                })
            }

            pub(super) fn watch_ready() -> Contender {
                let (sender, mut receiver) = watch::channel(0_u64);
                awaits($name, async move || {
                    sender.send(7).expect("a receiver");
                    receiver.changed().await.expect("a sender");
                    black_box(*receiver.borrow_and_update());
                })
            }

            pub(super) fn watch_waits() -> Contender {
                let (sender, mut receiver) = watch::channel(0_u64);
                let waker = waker();
                does($name, move || {
                    round_trip(receiver.changed(), &waker, || {
                        sender.send(7).expect("a receiver");
                    })
                    .expect("a sender");
                })
            }

            fn broadcast(receivers: usize) -> Contender {
                let sender = broadcast::Sender::new(ROOM);
                let mut receivers: Vec<_> = (0..receivers).map(|_| sender.subscribe()).collect();
                awaits($name, async move || {
                    sender.send(7_u64).expect("receivers");
                    for receiver in &mut receivers {
                        black_box(receiver.recv().await.expect("a message"));
                    }
                })
            }

            pub(super) fn broadcast_one() -> Contender {
                broadcast(1)
            }

            pub(super) fn broadcast_eight() -> Contender {
                broadcast(8)
            }

            pub(super) fn broadcast_waits() -> Contender {
                let (sender, mut receiver) = broadcast::channel(ROOM);
                let waker = waker();
                does($name, move || {
                    let got = round_trip(receiver.recv(), &waker, || {
                        sender.send(7_u64).expect("a receiver");
                    });
                    black_box(got.expect("a message"));
                })
            }

            pub(super) fn token_looks() -> Contender {
                let token = CancellationToken::new();
                does($name, move || {
                    black_box(black_box(&token).is_cancelled());
                })
            }

            pub(super) fn token_waits() -> Contender {
                let waker = waker();
                does($name, move || {
                    let token = CancellationToken::new();
                    round_trip(token.cancelled(), &waker, || token.cancel());
                })
            }
        }
    };
}

contenders!(
    ours,
    crate::harness::OURS,
    anysync_tokio::sync,
    anysync_tokio::sync::CancellationToken
);
contenders!(
    theirs,
    "tokio",
    tokio::sync,
    tokio_util::sync::CancellationToken
);
