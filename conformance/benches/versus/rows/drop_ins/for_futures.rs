//! The drop-ins for the locks and channels of `futures`.
//!
//! What is ready and what waits are polled by hand. Where tasks meet, they are four,
//! on one thread of async-executor.

use super::group;
use crate::harness::Row;
use crate::rows::tasks::TURNS;

group! {
    "drop-in futures", ours, theirs,
    "mutex, lock, free" => mutex_free,
    "mutex, try_lock, free" => mutex_try,
    "mutex, queue and hand over" => mutex_waits,
    "mutex, 4 tasks, held over a yield" => mutex_tasks of 4 * TURNS,
    "mpsc, try_send and try_recv" => mpsc_try,
    "mpsc, send and next, ready" => mpsc_ready,
    "mpsc, unbounded, send and next, ready" => mpsc_unbounded,
    "mpsc, next waits, then send" => mpsc_waits,
    "mpsc, 4 tasks to 1" => mpsc_tasks of 4 * TURNS,
    "oneshot, send, then receive" => oneshot_ready,
    "oneshot, receive waits, then send" => oneshot_waits,
}

macro_rules! contenders {
    ($module:ident, $name:expr, $lock:path, $channel:path) => {
        mod $module {
            use std::hint::black_box;
            use std::pin::pin;

            use channel::{mpsc, oneshot};
            use futures::{SinkExt, StreamExt};
            use lock::Mutex;
            use $channel as channel;
            use $lock as lock;

            use crate::harness::{Contender, does};
            use crate::rows::tasks::{self, AnyTask, Executor, TURNS};
            use crate::task::{finished, queued, ready, round_trip, waker};

            /// Room for so many messages, and one for each sender.
            const ROOM: usize = 64;

            pub(super) fn mutex_free() -> Contender {
                let mutex = Mutex::new(0_u64);
                does($name, move || *ready(mutex.lock()) += 1)
            }

            pub(super) fn mutex_try() -> Contender {
                let mutex = Mutex::new(0_u64);
                does($name, move || {
                    *black_box(&mutex).try_lock().expect("free") += 1
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
                let executor = Executor::AsyncExecutor;
                tasks::contended($name, executor, 4, Mutex::new(0_u64), |mutex| async move {
                    let mut guard = mutex.lock().await;
                    *guard += 1;
                    tasks::leave(guard, true).await;
                })
            }

            pub(super) fn mpsc_try() -> Contender {
                let (mut sender, mut receiver) = mpsc::channel(ROOM);
                does($name, move || {
                    sender.try_send(7_u64).expect("room");
                    black_box(receiver.try_recv().expect("a message"));
                })
            }

            pub(super) fn mpsc_ready() -> Contender {
                let (mut sender, mut receiver) = mpsc::channel(ROOM);
                does($name, move || {
                    ready(sender.send(7_u64)).expect("a receiver");
                    black_box(ready(receiver.next()).expect("a message"));
                })
            }

            pub(super) fn mpsc_unbounded() -> Contender {
                let (sender, mut receiver) = mpsc::unbounded();
                does($name, move || {
                    sender.unbounded_send(7_u64).expect("a receiver");
                    black_box(ready(receiver.next()).expect("a message"));
                })
            }

            pub(super) fn mpsc_waits() -> Contender {
                let (mut sender, mut receiver) = mpsc::channel(ROOM);
                let waker = waker();
                does($name, move || {
                    let got = round_trip(receiver.next(), &waker, || {
                        ready(sender.send(7_u64)).expect("a receiver");
                    });
                    black_box(got.expect("a message"));
                })
            }

            pub(super) fn mpsc_tasks() -> Contender {
                tasks::meet($name, Executor::AsyncExecutor, || {
                    let (sender, mut receiver) = mpsc::channel(ROOM);
                    let receive: AnyTask = Box::pin(async move {
                        while let Some(message) = receiver.next().await {
                            black_box(message);
                        }
                    });
                    let mut all = vec![receive];
                    for mut sender in vec![sender; 4] {
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
                does($name, || {
                    let (sender, receiver) = oneshot::channel();
                    sender.send(7_u64).expect("a receiver");
                    black_box(ready(receiver).expect("a value"));
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
        }
    };
}

contenders!(
    ours,
    crate::harness::OURS,
    anysync_futures::lock,
    anysync_futures::channel
);
contenders!(theirs, "futures", futures::lock, futures::channel);
