//! Several waits of one task, as `join!` and `select!` poll them: none starves another
//! and none starves another task. Time is paused, so nothing depends on the machine.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anysync_tokio::Tokio;
use anysync_tokio::sync::{Mutex, Notify, RwLock, Semaphore, mpsc};

type Once = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Takes the resource, holds it for a millisecond, and gives it back.
type Use = Arc<dyn Fn() -> Once + Send + Sync>;

async fn hold() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// What is used, by each primitive that hands over.
fn uses() -> Vec<(&'static str, Use)> {
    fn used<F: Future<Output = ()> + Send + 'static>(
        one: impl Fn() -> F + Send + Sync + 'static,
    ) -> Use {
        Arc::new(move || Box::pin(one()))
    }
    let core = Arc::new(anysync::Mutex::new(()));
    let mutex = Arc::new(Mutex::new(()));
    let lock = Arc::new(RwLock::new(()));
    let permits = Arc::new(Semaphore::new(1));
    let many = Arc::new(Semaphore::new(3));
    let eventual = |fairness| Arc::new(anysync::Semaphore::with_fairness(1, fairness));
    let eventual = eventual(anysync::Fairness::Eventual);
    vec![
        ("core mutex", {
            used(move || {
                let core = core.clone();
                async move {
                    let _guard = core.lock(Tokio).await;
                    hold().await;
                }
            })
        }),
        ("mutex", {
            used(move || {
                let mutex = mutex.clone();
                async move {
                    let _guard = mutex.lock().await;
                    hold().await;
                }
            })
        }),
        ("write", {
            used(move || {
                let lock = lock.clone();
                async move {
                    let _guard = lock.write().await;
                    hold().await;
                }
            })
        }),
        ("acquire", {
            used(move || {
                let permits = permits.clone();
                async move {
                    let _permit = permits.acquire().await.unwrap();
                    hold().await;
                }
            })
        }),
        ("acquire two of three", {
            used(move || {
                let many = many.clone();
                async move {
                    let _permits = many.acquire_many(2).await.unwrap();
                    hold().await;
                }
            })
        }),
        ("eventual acquire", {
            used(move || {
                let eventual = eventual.clone();
                async move {
                    let _permit = eventual.acquire(Tokio).await.unwrap();
                    hold().await;
                }
            })
        }),
    ]
}

/// How often each of three loops has used it in a second: the first two are branches of
/// one task, the third a task of its own.
async fn shares(used: &Use, rotating: bool) -> [usize; 3] {
    let counts: Arc<[AtomicUsize; 3]> = Arc::default();
    let branch = |index: usize| {
        let (used, counts) = (used.clone(), counts.clone());
        async move {
            loop {
                used().await;
                counts[index].fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let (first, second, other) = (branch(0), branch(1), branch(2));
    let siblings = tokio::spawn(async move {
        if rotating {
            tokio::join!(first, second);
        } else {
            let (mut first, mut second) = (Box::pin(first), Box::pin(second));
            std::future::poll_fn(|cx| {
                let _ = first.as_mut().poll(cx);
                second.as_mut().poll(cx)
            })
            .await
        }
    });
    let other = tokio::spawn(other);
    tokio::time::sleep(Duration::from_secs(1)).await;
    siblings.abort();
    other.abort();
    let _ = (siblings.await, other.await);
    [0, 1, 2].map(|index| counts[index].load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn siblings_take_turns() {
    for (name, used) in uses() {
        for rotating in [false, true] {
            let shares = shares(&used, rotating).await;
            let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
            assert!(*least > 100 && *most <= 2 * least, "{name}: {shares:?}");
        }
    }
}

/// A heartbeat beside a poller in one `select!`, over one lock.
#[tokio::test(start_paused = true)]
async fn a_heartbeat_beside_a_poller_beats() {
    let mutex = Mutex::new(());
    let beats = AtomicUsize::new(0);
    let heartbeat = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let _guard = mutex.lock().await;
            beats.fetch_add(1, Ordering::Relaxed);
        }
    };
    let poller = async {
        loop {
            let _guard = mutex.lock().await;
            hold().await;
        }
    };
    tokio::select! {
        () = heartbeat => {}
        () = poller => {}
        () = tokio::time::sleep(Duration::from_secs(10)) => {}
    }
    assert!(beats.into_inner() > 80);
}

/// A task keeps a granted wait, and polls another one.
#[tokio::test(start_paused = true)]
async fn abandoned_win_goes_on() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.lock().await;
    let mut kept = Box::pin(mutex.lock());
    tokio::select! {
        biased;
        _ = &mut kept => unreachable!("the lock is held"),
        () = tokio::task::yield_now() => {}
    }
    let other = tokio::spawn({
        let mutex = mutex.clone();
        async move { drop(mutex.lock().await) }
    });
    tokio::task::yield_now().await;
    drop(guard);
    drop(mutex.lock().await);
    other.await.unwrap();
    drop(kept.await);
}

#[tokio::test(start_paused = true)]
async fn kept_send_goes_on() {
    let (sender, mut receiver) = mpsc::channel(1);
    sender.send(0).await.unwrap();
    let mut kept = Box::pin(sender.send(1));
    tokio::select! {
        biased;
        _ = &mut kept => unreachable!("it is full"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(receiver.recv().await, Some(0));
    sender.send(2).await.unwrap();
    assert_eq!(receiver.recv().await, Some(2));
    kept.await.unwrap();
    assert_eq!(receiver.recv().await, Some(1));
}

/// An executor whose tasks have one waker: each has its turn.
#[test]
fn tasks_of_one_waker_take_turns() {
    let mutex = Mutex::new(());
    let counts = [const { AtomicUsize::new(0) }; 3];
    let notify = Notify::new();
    let mut tasks: Vec<_> = counts
        .iter()
        .map(|count| {
            let (mutex, notify) = (&mutex, &notify);
            Box::pin(async move {
                loop {
                    let guard = mutex.lock().await;
                    count.fetch_add(1, Ordering::Relaxed);
                    notify.notify_one();
                    notify.notified().await;
                    let mut polled = false;
                    std::future::poll_fn(|_| match std::mem::replace(&mut polled, true) {
                        true => std::task::Poll::Ready(()),
                        false => std::task::Poll::Pending,
                    })
                    .await;
                    drop(guard);
                }
            })
        })
        .collect();
    struct Shared;
    impl std::task::Wake for Shared {
        fn wake(self: Arc<Self>) {}
    }
    let waker = Arc::new(Shared).into();
    let mut cx = std::task::Context::from_waker(&waker);
    for _ in 0..225 {
        for task in &mut tasks {
            let polled: std::task::Poll<()> = task.as_mut().poll(&mut cx);
            assert!(polled.is_pending());
        }
    }
    let counts = counts.each_ref().map(|count| count.load(Ordering::Relaxed));
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(*least > 30 && *most <= 2 * least, "{counts:?}");
}
