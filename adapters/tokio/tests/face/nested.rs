//! A task that polls a wait itself, in one turn of its own: by `now_or_never`, or by
//! an executor that blocks in it. Its budget does not come back meanwhile.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use anysync::{
    Bare, Barrier, Block, CancellationToken, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast,
    channel, oneshot, watch,
};
use anysync_tokio::Tokio;

use crate::support::{Task, ready_in_a_budget, runtime};
use crate::{original, ours};

const WAITS: usize = 1_000;

type Wait = Box<dyn FnMut(&mut Context<'_>) -> Poll<()>>;

/// Runs `work` in one poll of a task.
fn in_a_task<R>(work: impl FnOnce() -> R) -> R {
    runtime().block_on(async {
        tokio::task::yield_now().await;
        work()
    })
}

/// How many of the waits in a row are ready at their only poll, which leads nowhere.
fn now_or_never(wait: &mut Wait) -> usize {
    let mut nobody = Context::from_waker(Waker::noop());
    (0..WAITS)
        .take_while(|_| wait(&mut nobody).is_ready())
        .count()
}

/// How many of the waits in a row an executor ends that polls again when it is woken.
fn ended(wait: &mut Wait) -> usize {
    let ends = |_: &usize| {
        let task = Task::new();
        loop {
            let before = task.wakes();
            if wait(&mut task.context()).is_ready() {
                return true;
            }
            if task.wakes() == before {
                return false;
            }
        }
    };
    (0..WAITS).take_while(ends).count()
}

#[test]
fn the_originals_stop_when_the_budget_is_used_up() {
    for (name, mut wait) in original::budget::that_spend() {
        assert_eq!(in_a_task(|| now_or_never(&mut wait)), 128, "{name}");
    }
    for (name, mut wait) in original::budget::that_spend() {
        assert_eq!(in_a_task(|| ended(&mut wait)), 128, "{name}");
    }
    for (name, mut wait) in original::budget::that_do_not() {
        assert_eq!(in_a_task(|| now_or_never(&mut wait)), WAITS, "{name}");
        assert_eq!(in_a_task(|| ended(&mut wait)), WAITS, "{name}");
    }
}

/// The law of this name, `any::ready_wait_needs_no_executor`.
#[test]
fn ready_wait_needs_no_executor() {
    let all = || {
        let spend = ours::budget::that_spend();
        spend.into_iter().chain(ours::budget::that_do_not())
    };
    for (name, mut wait) in all() {
        assert_eq!(in_a_task(|| now_or_never(&mut wait)), WAITS, "{name}");
    }
    for (name, mut wait) in all() {
        assert_eq!(in_a_task(|| ended(&mut wait)), WAITS, "{name}");
    }
    // By a thread that sleeps until it is woken.
    for (_, mut wait) in all() {
        in_a_task(|| (0..WAITS).for_each(|_| Bare.block_on(std::future::poll_fn(&mut wait))));
    }
}

/// The same of core's own waits with tokio's handle.
#[test]
fn ready_wait_of_core_needs_no_executor() {
    for (name, mut wait) in core_waits() {
        assert_eq!(in_a_task(|| now_or_never(&mut wait)), WAITS, "{name}");
    }
    for (name, mut wait) in core_waits() {
        assert_eq!(in_a_task(|| ended(&mut wait)), WAITS, "{name}");
    }
}

/// And yet a loop of them yields, when the budget is used up.
#[test]
fn core_waits_spend_the_budget_of_a_task() {
    for (name, wait) in core_waits() {
        let count = ready_in_a_budget(wait);
        assert!(count.is_some_and(|count| count <= 128), "{name}: {count:?}");
    }
}

fn core_waits() -> Vec<(&'static str, Wait)> {
    fn wait<F: Future>(mut make: impl FnMut() -> F + 'static) -> Wait {
        Box::new(move |cx| pin!(make()).poll(cx).map(drop))
    }
    vec![
        (
            "Mutex",
            wait(|| async { drop(Mutex::new(()).lock(Tokio).await) }),
        ),
        (
            "RwLock, read",
            wait(|| async { drop(RwLock::new(()).read(Tokio).await) }),
        ),
        (
            "RwLock, write",
            wait(|| async { drop(RwLock::new(()).write(Tokio).await) }),
        ),
        (
            "Semaphore",
            wait(|| async { drop(Semaphore::new(1).acquire(Tokio).await) }),
        ),
        (
            "Notify",
            wait(|| async {
                let notify = Notify::new();
                notify.notify_one();
                notify.wait(Tokio).await;
            }),
        ),
        (
            "Barrier",
            wait(|| async { Barrier::new(1).wait(Tokio).await }),
        ),
        (
            "OnceCell",
            wait(|| async {
                OnceCell::new().get_or_init(Tokio, || 1).await;
            }),
        ),
        (
            "channel",
            wait(|| async {
                let (sender, receiver) = channel::bounded(1);
                sender.try_send(1).unwrap();
                receiver.recv(Tokio).await.unwrap();
            }),
        ),
        (
            "oneshot",
            wait(|| async {
                let (sender, mut receiver) = oneshot::channel();
                sender.send(1).unwrap();
                receiver.recv(Tokio).await.unwrap();
            }),
        ),
        (
            "broadcast",
            wait(|| async {
                let sender = broadcast::Sender::new(1);
                let mut receiver = sender.subscribe();
                sender.send(1).unwrap();
                receiver.recv(Tokio).await.unwrap();
            }),
        ),
        (
            "watch",
            wait(|| async {
                let (sender, mut receiver) = watch::channel(1);
                sender.send(2).unwrap();
                receiver.changed(Tokio).await.unwrap();
            }),
        ),
        (
            "CancellationToken",
            wait(|| async {
                let token = CancellationToken::new();
                token.cancel();
                token.cancelled(Tokio).await;
            }),
        ),
    ]
}

/// Several branches that all ask when nothing is left: each comes to its end.
#[test]
fn siblings_in_a_nested_executor_end() {
    let lock = anysync_tokio::sync::Mutex::new(0);
    let many = || async {
        for _ in 0..WAITS {
            *lock.lock().await += 1;
        }
    };
    in_a_task(|| Bare.block_on(async { tokio::join!(many(), many(), many()) }));
    assert_eq!(lock.into_inner(), 3 * WAITS);
}
