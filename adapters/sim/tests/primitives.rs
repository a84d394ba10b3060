//! Small programs of anysync's primitives, each in every schedule that there is
//! when one task is cancelled of those that allow it, one is polled without need,
//! one budget is used up between a wait that is won and its return, and two yields
//! are unfair.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anysync::mutex::Fairness;
use anysync::{
    Barrier, CancellationToken, Condvar, Join, JoinError, Mutex, Notify, OnceCell, RwLock,
    Semaphore, Spawn, broadcast, channel, oneshot, watch, yield_now,
};
use anysync_sim::{JoinHandle, Sim};

/// More schedules than any of these has.
const LIMIT: u64 = 200_000;

/// Runs `test` in every schedule; there are `least` at least.
#[track_caller]
fn in_every_schedule<F: Future<Output = ()>>(least: u64, test: impl Fn(Sim) -> F) {
    let options = Sim::builder()
        .cancellations(1)
        .exhausted_budgets(1)
        .spurious_polls(1)
        .unfair_yields(2);
    let explored = options.explore(LIMIT, test);
    assert!(explored.is_complete, "{explored:?}");
    assert!(explored.schedules >= least, "{explored:?}");
}

/// What a task came to that may have been cancelled.
async fn unless_cancelled<T>(task: JoinHandle<T>) -> Option<T> {
    match task.await {
        Ok(value) => Some(value),
        Err(error) if error.is_cancelled() => None,
        Err(error) => panic!("{error}"),
    }
}

/// Counts who is inside, and how many came out.
#[derive(Default)]
struct Room {
    inside: AtomicU32,
    left: AtomicU32,
}

struct Visit<'a>(&'a Room);

impl Room {
    fn enter(&self, most: u32) -> Visit<'_> {
        assert!(self.inside.fetch_add(1, Relaxed) < most, "too many inside");
        Visit(self)
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Relaxed);
        self.0.left.fetch_add(1, Relaxed);
    }
}

async fn lock_has_one_holder_and_is_never_lost(io: Sim, fairness: Fairness) {
    let lock = Arc::new((Mutex::with_fairness((), fairness), Room::default()));
    let visit = || {
        let (io, lock) = (io.clone(), lock.clone());
        async move {
            let _guard = lock.0.lock(&io).await;
            let _visit = lock.1.enter(1);
            yield_now().await;
        }
    };
    let safe = [io.spawn(visit()), io.spawn(visit())];
    let victim = io.task("victim").cancellable().spawn(visit());
    for task in safe {
        task.await.unwrap();
    }
    unless_cancelled(victim).await;
    assert!(lock.0.try_lock().is_some());
    assert!(lock.1.left.load(Relaxed) >= 2);
}

#[test]
fn mutex_has_one_holder_and_is_never_lost() {
    in_every_schedule(15_000, |io| {
        lock_has_one_holder_and_is_never_lost(io, Fairness::Fifo)
    });
}

#[test]
fn eventual_mutex_has_one_holder_and_is_never_lost() {
    in_every_schedule(15_000, |io| {
        lock_has_one_holder_and_is_never_lost(io, Fairness::Eventual)
    });
}

#[test]
fn rwlock_writer_is_alone_and_is_never_lost() {
    in_every_schedule(20_000, |io| async move {
        let lock = Arc::new(RwLock::new((0, 0)));
        let read = || {
            let (io, lock) = (io.clone(), lock.clone());
            async move {
                let pair = lock.read(&io).await;
                assert_eq!(pair.0, pair.1, "a writer is half done");
                yield_now().await;
                assert_eq!(pair.0, pair.1, "a writer came in");
            }
        };
        let reader = io.spawn(read());
        let writer = io.task("writer").cancellable().spawn({
            let (io, lock) = (io.clone(), lock.clone());
            async move {
                let mut pair = lock.write(&io).await;
                pair.0 += 1;
                pair.1 += 1;
            }
        });
        let victim = io.task("reader").cancellable().spawn(read());
        reader.await.unwrap();
        unless_cancelled(victim).await;
        let wrote = unless_cancelled(writer).await;
        assert!(wrote.is_none() || lock.read(&io).await.0 == 1);
        assert!(lock.try_write().is_some());
    });
}

#[test]
fn semaphore_neither_loses_nor_makes_permits() {
    in_every_schedule(40_000, |io| async move {
        let permits = Arc::new((Semaphore::new(2), Room::default()));
        let take = |n: usize| {
            let (io, permits) = (io.clone(), permits.clone());
            async move {
                let _permit = permits.0.acquire_many(&io, n).await.unwrap();
                let _visit = permits.1.enter(if n == 2 { 1 } else { 2 });
                yield_now().await;
            }
        };
        let one = io.spawn(take(1));
        let two = io.task("takes two").cancellable().spawn(take(2));
        let another = io.task("takes one").cancellable().spawn(take(1));
        one.await.unwrap();
        unless_cancelled(two).await;
        unless_cancelled(another).await;
        assert_eq!(permits.0.available_permits(), 2);
    });
}

#[test]
fn notify_one_of_a_cancelled_wait_goes_to_the_next() {
    in_every_schedule(2_000, |io| async move {
        let notify = Arc::new(Notify::new());
        let wait = || {
            let (io, notify) = (io.clone(), notify.clone());
            async move { notify.wait(&io).await }
        };
        let victim = io.task("victim").cancellable().spawn(wait());
        let waiter = io.spawn(wait());
        let first = io.spawn({
            let notify = notify.clone();
            async move { notify.notify_one() }
        });
        first.await.unwrap();
        // Two permits at once would be one.
        while notify.has_permit() {
            yield_now().await;
        }
        notify.notify_one();
        waiter.await.unwrap();
        unless_cancelled(victim).await;
    });
}

#[test]
fn notify_all_reaches_whoever_waits() {
    in_every_schedule(50, |io| async move {
        let notify = Arc::new(Notify::new());
        let created = notify.wait_future();
        let victim = io.task("victim").cancellable().spawn({
            let (io, notify) = (io.clone(), notify.clone());
            async move { notify.wait(&io).await }
        });
        let teller = io.spawn({
            let notify = notify.clone();
            async move { notify.notify_all() }
        });
        created.await;
        teller.await.unwrap();
        notify.notify_one();
        unless_cancelled(victim).await;
    });
}

#[test]
fn barrier_releases_a_whole_generation_with_one_leader() {
    in_every_schedule(2_000, |io| async move {
        let barrier = Arc::new(Barrier::new(2));
        let arrive = || {
            let (io, barrier) = (io.clone(), barrier.clone());
            async move { barrier.wait(&io).await }
        };
        let tasks = [io.spawn(arrive()), io.spawn(arrive())];
        let other = io.spawn(yield_now());
        let mut leaders = 0;
        for task in tasks {
            leaders += u32::from(task.await.unwrap());
        }
        assert_eq!(leaders, 1);
        other.await.unwrap();
    });
}

#[test]
fn barrier_takes_a_cancelled_arrival_back() {
    in_every_schedule(300, |io| async move {
        let barrier = Arc::new(Barrier::new(2));
        let arrive = || {
            let (io, barrier) = (io.clone(), barrier.clone());
            async move { barrier.wait(&io).await }
        };
        let victim = io.task("victim").cancellable().spawn(arrive());
        let first = io.spawn(arrive());
        let second = match unless_cancelled(victim).await {
            // It was released with the first, or cancelled when it was.
            Some(_) => None,
            None => Some(io.task("second").cancellable().spawn(arrive())),
        };
        first.await.unwrap();
        if let Some(second) = second {
            second.abort();
            unless_cancelled(second).await;
        }
        // And the next generation is a whole one.
        let third = io.spawn(arrive());
        let leads = barrier.wait(&io).await;
        assert_ne!(third.await.unwrap(), leads);
    });
}

#[test]
fn once_cell_is_made_once_whoever_gives_up() {
    in_every_schedule(8_000, |io| async move {
        let cell = Arc::new((OnceCell::new(), AtomicU32::new(0)));
        let get = || {
            let (io, cell) = (io.clone(), cell.clone());
            async move {
                let init = || async {
                    yield_now().await;
                    cell.1.fetch_add(1, Relaxed);
                    7
                };
                *cell.0.get_or_init_async(&io, init).await
            }
        };
        let victim = io.task("victim").cancellable().spawn(get());
        let safe = [io.spawn(get()), io.spawn(get())];
        for task in safe {
            assert_eq!(task.await.unwrap(), 7);
        }
        unless_cancelled(victim).await;
        assert_eq!(cell.1.load(Relaxed), 1);
    });
}

#[test]
fn condvar_loses_no_signal_between_unlock_and_wait() {
    in_every_schedule(300, |io| async move {
        let queue = Arc::new((Mutex::new(0), Condvar::new()));
        let take = || {
            let (io, queue) = (io.clone(), queue.clone());
            async move {
                let guard = queue.0.lock(&io).await;
                let mut items = queue.1.wait_while(&io, guard, |items| *items == 0).await;
                *items -= 1;
            }
        };
        let victim = io.task("victim").cancellable().spawn(take());
        let taker = io.spawn(take());
        for _ in 0..2 {
            *queue.0.lock(&io).await += 1;
            queue.1.notify_one();
        }
        taker.await.unwrap();
        let taken = unless_cancelled(victim).await.is_some();
        let left = *queue.0.lock(&io).await;
        assert!(left == 0 || !taken, "{left} left, and nobody was cancelled");
    });
}

#[test]
fn channel_delivers_what_was_sent_and_nothing_else() {
    in_every_schedule(100, |io| async move {
        let (sender, receiver) = channel::bounded(1);
        let send = |message: u32| {
            let (io, sender) = (io.clone(), sender.clone());
            async move { sender.send(&io, message).await.unwrap() }
        };
        let safe = io.spawn(send(1));
        let victim = io.task("victim").cancellable().spawn(send(2));
        drop(sender);
        let mut received = Vec::new();
        while let Ok(message) = receiver.recv(&io).await {
            received.push(message);
        }
        safe.await.unwrap();
        let sent = unless_cancelled(victim).await.is_some();
        received.sort_unstable();
        assert!(
            received == [1, 2] || (received == [1] && !sent),
            "{received:?}"
        );
    });
}

#[test]
fn channel_message_of_a_cancelled_receive_goes_to_the_next() {
    in_every_schedule(150, |io| async move {
        let (sender, receiver) = channel::bounded(2);
        let receive = |count: u32| {
            let (io, receiver) = (io.clone(), receiver.clone());
            async move {
                for _ in 0..count {
                    receiver.recv(&io).await.unwrap();
                }
            }
        };
        let victim = io.task("victim").cancellable().spawn(receive(1));
        let receiving = io.spawn(receive(1));
        for message in 0..2 {
            sender.send(&io, message).await.unwrap();
        }
        receiving.await.unwrap();
        let got = unless_cancelled(victim).await.is_some();
        assert!(got || receiver.len() <= 1);
    });
}

#[test]
fn oneshot_value_arrives_or_comes_back() {
    in_every_schedule(50, |io| async move {
        let (sender, mut receiver) = oneshot::channel();
        let victim = io.task("victim").cancellable().spawn({
            let io = io.clone();
            async move { receiver.recv(&io).await }
        });
        let sending = io.spawn(async move { sender.send(7) });
        let sent = sending.await.unwrap();
        match unless_cancelled(victim).await {
            Some(received) => assert_eq!((received, sent), (Ok(7), Ok(()))),
            // It was sent before the receiver was dropped, or it came back.
            None => assert!(sent.is_ok() || sent.unwrap_err().into_inner() == 7),
        }
    });
}

#[test]
fn watch_loses_no_change_between_look_and_wait() {
    in_every_schedule(500, |io| async move {
        let (sender, receiver) = watch::channel(0);
        let watcher = |mut receiver: watch::Receiver<u32>| {
            let io = io.clone();
            async move {
                while *receiver.borrow_and_update() < 2 {
                    receiver.changed(&io).await.unwrap();
                }
            }
        };
        let safe = io.spawn(watcher(receiver.clone()));
        let victim = io.task("victim").cancellable().spawn(watcher(receiver));
        sender.send(1).unwrap();
        yield_now().await;
        let _ = sender.send(2);
        safe.await.unwrap();
        unless_cancelled(victim).await;
    });
}

#[test]
fn broadcast_reaches_each_receiver() {
    in_every_schedule(2_000, |io| async move {
        let (sender, receiver) = broadcast::channel(4);
        let listen = |mut receiver: broadcast::Receiver<u32>| {
            let io = io.clone();
            async move {
                let mut heard = Vec::new();
                while let Ok(message) = receiver.recv(&io).await {
                    heard.push(message);
                }
                heard
            }
        };
        let second = sender.subscribe();
        let safe = io.spawn(listen(receiver));
        let victim = io.task("victim").cancellable().spawn(listen(second));
        sender.send(1).unwrap();
        yield_now().await;
        sender.send(2).unwrap();
        drop(sender);
        assert_eq!(safe.await.unwrap(), [1, 2]);
        let heard = unless_cancelled(victim).await;
        assert!(heard.is_none_or(|heard| heard == [1, 2]));
    });
}

#[test]
fn cancellation_reaches_children_whenever_they_come() {
    in_every_schedule(1_500, |io| async move {
        let token = CancellationToken::new();
        let wait = |token: CancellationToken| {
            let io = io.clone();
            async move { token.child_token().cancelled(&io).await }
        };
        let victim = io.task("victim").cancellable().spawn(wait(token.clone()));
        let child = io.spawn(wait(token.clone()));
        let canceller = io.spawn(async move { token.cancel() });
        canceller.await.unwrap();
        child.await.unwrap();
        unless_cancelled(victim).await;
    });
}

#[test]
fn task_and_its_handle_agree_on_how_it_ended() {
    in_every_schedule(100, |io| async move {
        let done = Arc::new(AtomicU32::new(0));
        let task = io.spawn({
            let done = done.clone();
            async move {
                yield_now().await;
                done.store(1, Relaxed);
            }
        });
        let other = io.spawn(yield_now());
        yield_now().await;
        task.abort();
        let ended: Result<(), JoinError> = task.await;
        assert_eq!(ended.is_ok(), done.load(Relaxed) == 1);
        other.await.unwrap();
    });
}
