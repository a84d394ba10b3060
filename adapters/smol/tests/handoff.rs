//! Waits that are kept and not polled, as `buffered`, `select` and `timeout` leave them:
//! each program ends, as with the originals.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anysync_smol::channel;
use anysync_smol::lock::{Mutex, RwLock, Semaphore};
use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream;

fn yield_once() -> impl Future<Output = ()> + Unpin {
    let mut polled = false;
    futures::future::poll_fn(move |cx: &mut Context<'_>| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Runs a program to its end, or panics when it stands still.
fn ends(name: &str, program: impl Future<Output = ()> + Send + 'static) {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        smol::block_on(program);
        let _ = sender.send(());
    });
    let ended = receiver.recv_timeout(Duration::from_secs(60));
    ended.unwrap_or_else(|_| panic!("{name} does not end"));
}

macro_rules! buffered {
    ($name:literal, $lock:expr, |$inner:ident| $acquire:expr) => {
        ends($name, async {
            let lock = $lock;
            let $inner = &lock;
            let waits = stream::iter(0..9).map(|_| async move {
                let guard = $acquire.await;
                yield_once().await;
                drop(guard);
            });
            let mut done = Box::pin(waits.buffered(3));
            while done.next().await.is_some() {
                drop($acquire.await);
            }
        });
    };
}

#[test]
fn buffered_waits_end() {
    buffered!("mutex", Mutex::new(()), |lock| lock.lock());
    buffered!("semaphore", Semaphore::new(1), |lock| lock.acquire());
    buffered!("write", RwLock::new(()), |lock| lock.write());
    buffered!("upgradable", RwLock::new(()), |lock| lock.upgradable_read());
    buffered!("core mutex", anysync::Mutex::new(()), |lock| lock
        .lock_future());
    buffered!("core semaphore", anysync::Semaphore::new(1), |lock| lock
        .acquire_future());
    buffered!("core write", anysync::RwLock::new(()), |lock| lock
        .write_future());
}

async fn keep<F: Future + Unpin>(wait: F) -> F {
    match select(wait, yield_once()).await {
        Either::Left(_) => panic!("it is not there yet"),
        Either::Right(((), kept)) => kept,
    }
}

#[test]
fn kept_sends_and_receives_stop_no_task() {
    ends("a kept send", async {
        let (sender, receiver) = channel::bounded::<u8>(1);
        sender.send(0).await.unwrap();
        let kept = keep(Box::pin(sender.send(1))).await;
        receiver.recv().await.unwrap();
        let task = smol::spawn({
            let sender = sender.clone();
            async move { sender.send(2).await }
        });
        assert_eq!(receiver.recv().await, Ok(2));
        task.await.unwrap();
        drop(kept);
    });
    ends("a kept receive", async {
        let (sender, receiver) = channel::unbounded::<u8>();
        let kept = keep(Box::pin(receiver.recv())).await;
        sender.send(1).await.unwrap();
        let task = smol::spawn({
            let receiver = receiver.clone();
            async move { receiver.recv().await }
        });
        assert_eq!(task.await, Ok(1));
        drop(kept);
    });
    ends("an idle stream", async {
        let (sender, receiver) = channel::unbounded::<u8>();
        let mut idle = Box::pin(receiver.clone());
        let next = keep(idle.next()).await;
        drop(next);
        sender.send(1).await.unwrap();
        assert_eq!(receiver.recv().await, Ok(1));
    });
}

#[test]
fn kept_waits_of_locks_stop_no_task() {
    ends("a kept acquire", async {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.acquire().await;
        let kept = keep(Box::pin(semaphore.acquire())).await;
        drop(permit);
        assert!(semaphore.try_acquire().is_some());
        drop(semaphore.acquire().await);
        drop(kept);
    });
    ends("a kept read", async {
        let lock = RwLock::new(());
        let guard = lock.write().await;
        let kept = keep(Box::pin(lock.read())).await;
        drop(guard);
        assert!(lock.try_write().is_some());
        drop(lock.write().await);
        drop(kept);
    });
    ends("a kept read before a writer that sleeps", async {
        let lock = std::sync::Arc::new(RwLock::new(()));
        let guard = lock.write().await;
        let kept = keep(Box::pin(lock.read())).await;
        let mut writer = Box::pin(lock.write_arc());
        let writer = keep(&mut writer).await;
        drop(guard);
        drop(writer.await);
        drop(kept);
    });
}

/// Polls both, first to last, until both are ready.
struct Both<A, B>(Option<Pin<Box<A>>>, Option<Pin<Box<B>>>);

impl<A: Future<Output = ()>, B: Future<Output = ()>> Future for Both<A, B> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self(first, second) = &mut *self;
        if first
            .as_mut()
            .is_some_and(|first| first.as_mut().poll(cx).is_ready())
        {
            *first = None;
        }
        if second
            .as_mut()
            .is_some_and(|second| second.as_mut().poll(cx).is_ready())
        {
            *second = None;
        }
        if first.is_none() && second.is_none() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

#[test]
fn siblings_take_turns() {
    // Each branch counts its uses until both have had a hundred.
    macro_rules! turns {
        ($name:literal, $lock:expr, |$inner:ident| $acquire:expr) => {
            ends($name, async {
                let lock = $lock;
                let $inner = &lock;
                let counts = [const { std::sync::atomic::AtomicUsize::new(0) }; 2];
                let counts = &counts;
                let branch = |index: usize| async move {
                    let count =
                        |index: usize| counts[index].load(std::sync::atomic::Ordering::Relaxed);
                    while count(0) < 100 || count(1) < 100 {
                        let guard = $acquire.await;
                        yield_once().await;
                        counts[index].fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        drop(guard);
                    }
                };
                Both(Some(Box::pin(branch(0))), Some(Box::pin(branch(1)))).await;
                let [one, two] =
                    [0, 1].map(|index| counts[index].load(std::sync::atomic::Ordering::Relaxed));
                assert!(one <= 2 * two && two <= 2 * one, "{}: {one}, {two}", $name);
            });
        };
    }
    turns!("mutex", Mutex::new(()), |lock| lock.lock());
    turns!("semaphore", Semaphore::new(1), |lock| lock.acquire());
    turns!("write", RwLock::new(()), |lock| lock.write());
    turns!("core mutex", anysync::Mutex::new(()), |lock| lock
        .lock_future());
    turns!("core semaphore", anysync::Semaphore::new(1), |lock| lock
        .acquire_future());
    turns!("core write", anysync::RwLock::new(()), |lock| lock
        .write_future());
    turns!(
        "core read",
        anysync::RwLock::with_max_readers((), 1),
        |lock| lock.read_future()
    );
}
