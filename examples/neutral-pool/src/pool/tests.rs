use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use anysync::{Bare, Block};
use anysync_smol::Smol;
use anysync_tokio::Tokio;

use super::{Pool, Pooled};
use crate::TimedOut;

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls as a task of its own. Two waits of one task help each other out: what
/// one is granted, the other may take if it is polled first.
fn poll_as<F: Future>(task: &Waker, future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(task))
}

struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

fn task() -> Waker {
    Waker::from(Arc::new(Task))
}

fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn what_comes_back_goes_to_who_has_waited_longest() {
    let pool = Pool::new(['a']);
    let taken = pool.try_get().unwrap();
    let (one, other) = (task(), task());
    let mut first = pin!(pool.get(Bare));
    let mut second = pin!(pool.get(Bare));
    assert!(poll_as(&one, first.as_mut()).is_pending());
    assert!(poll_as(&other, second.as_mut()).is_pending());
    assert_eq!(pool.waiting(), 2);
    drop(taken);
    // It looks first, but is behind in the line.
    assert!(poll_as(&other, second.as_mut()).is_pending());
    assert!(pool.try_get().is_none());
    drop(ready(poll_as(&one, first)));
    drop(ready(poll_as(&other, second)));
    assert_eq!((pool.idle(), pool.waiting()), (1, 0));
}

#[test]
fn objects_rotate() {
    let pool = Pool::new([1, 2, 3]);
    let lent: Vec<_> = (0..6).map(|_| *pool.get_blocking()).collect();
    assert_eq!(lent, [1, 2, 3, 1, 2, 3]);
}

#[test]
fn changes_to_an_object_stay_with_it() {
    let pool = Pool::new([String::new()]);
    pool.get_blocking().push_str("used");
    assert_eq!(*pool.get_blocking(), "used");
}

#[test]
fn a_wait_that_is_cancelled_takes_no_object_with_it() {
    let pool = Pool::new(['a']);
    let taken = pool.try_get();
    let mut second = pin!(pool.get(Bare));
    {
        let mut first = pin!(pool.get_future());
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        // Granted to the first, who goes away without it.
        drop(taken);
    }
    assert_eq!(*ready(poll(second)), 'a');
}

#[test]
fn a_wait_that_times_out_leaves_no_trace() {
    let pool = Pool::new(['a']);
    let limit = Duration::from_millis(1);
    let taken = pool.try_get();
    let outcome = Smol.block_on(pool.get_timeout(Smol, limit));
    assert_eq!(outcome.err(), Some(TimedOut { limit }));
    assert_eq!(pool.waiting(), 0);
    drop(taken);
    assert!(Smol.block_on(pool.get_timeout(Smol, limit)).is_ok());
    assert_eq!(pool.idle(), 1);
}

#[test]
fn the_message_of_a_timeout_tells_the_limit() {
    let limit = Duration::from_millis(250);
    assert_eq!(
        TimedOut { limit }.to_string(),
        "no object of the pool came back within 250ms"
    );
}

#[test]
fn a_panic_gives_the_object_back() {
    let pool = Pool::new(['a']);
    thread::scope(|scope| {
        let user = scope.spawn(|| {
            let _taken = pool.get_blocking();
            panic!("as the test wants");
        });
        assert!(user.join().is_err());
    });
    assert_eq!(pool.idle(), 1);
}

#[test]
fn what_is_removed_does_not_come_back_and_what_is_added_is_lent() {
    let pool = Pool::new(['a']);
    assert_eq!(pool.get_blocking().remove(), 'a');
    assert_eq!(pool.idle(), 0);
    let mut waiting = pin!(pool.get(Bare));
    assert!(poll(waiting.as_mut()).is_pending());
    pool.add('b');
    assert_eq!(*ready(poll(waiting)), 'b');
}

#[test]
fn an_empty_pool_waits_for_its_first_object() {
    let pool = Pool::new([]);
    assert!(pool.try_get().is_none());
    pool.add(());
    assert!(pool.try_get().is_some());
}

#[test]
fn threads_and_executors_share_one_pool() {
    const SIZE: usize = 2;
    const ROUNDS: usize = 200;
    let pool = Pool::new(0..SIZE);
    let out = AtomicUsize::new(0);
    let use_it = |object: Pooled<'_, usize>| {
        assert!(out.fetch_add(1, Ordering::Relaxed) < SIZE);
        out.fetch_sub(1, Ordering::Relaxed);
        drop(object);
    };
    thread::scope(|scope| {
        scope.spawn(|| (0..ROUNDS).for_each(|_| use_it(pool.get_blocking())));
        scope.spawn(|| {
            Smol.block_on(async {
                for _ in 0..ROUNDS {
                    use_it(pool.get(Smol).await);
                }
            });
        });
        scope.spawn(|| {
            Tokio.block_on(async {
                for _ in 0..ROUNDS {
                    let limit = Duration::from_secs(60);
                    use_it(pool.get_timeout(Tokio, limit).await.unwrap());
                }
            });
        });
    });
    assert_eq!(pool.idle(), SIZE);
}

/// Nothing but the user's own handle and objects may take `Send` away.
#[test]
fn the_waits_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let pool = Pool::new([String::new()]);
    is_send(&pool.get(Bare));
    is_send(&pool.get_future());
    is_send(&pool.get_timeout(Tokio, Duration::ZERO));
    is_send(&pool.get_timeout(Smol, Duration::ZERO));
    is_send(&pool.try_get());
}
