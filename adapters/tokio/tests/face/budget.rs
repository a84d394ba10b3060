// Which waits that are ready spend from the budget of a task, and how much.

use std::collections::VecDeque;
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sync::{
    Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce, broadcast, mpsc, oneshot, watch,
};
use util::CancellationToken;

use crate::support::ready_in_a_budget;

/// A wait that is ready at each poll.
pub(crate) type Wait = Box<dyn FnMut(&mut Context<'_>) -> Poll<()>>;

fn wait(poll: impl FnMut(&mut Context<'_>) -> Poll<()> + 'static) -> Wait {
    Box::new(poll)
}

fn once<F: Future>(future: F, cx: &mut Context<'_>) -> Poll<()> {
    pin!(future).poll(cx).map(drop)
}

/// Keeps a wait that was not ready for the next poll, as an `await` does.
fn kept<F: Future + 'static>(mut make: impl FnMut() -> F + 'static) -> Wait {
    let mut begun = None;
    wait(move |cx| {
        let mut future = begun.take().unwrap_or_else(|| Box::pin(make()));
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        begun = Some(future);
        Poll::Pending
    })
}

/// Every wait there is that spends one unit when it is ready.
pub(crate) fn that_spend() -> Vec<(&'static str, Wait)> {
    let mut waits = locks_that_spend();
    waits.extend(messages_that_spend());
    waits
}

fn locks_that_spend() -> Vec<(&'static str, Wait)> {
    let mutex = Arc::new(Mutex::new(()));
    let lock = Arc::new(RwLock::new(()));
    let semaphore = Arc::new(Semaphore::new(2));
    vec![
        ("Mutex::lock", {
            let mutex = mutex.clone();
            kept(move || {
                let mutex = mutex.clone();
                async move { drop(mutex.lock().await) }
            })
        }),
        ("Mutex::lock_owned", kept(move || mutex.clone().lock_owned())),
        ("RwLock::read", {
            let lock = lock.clone();
            kept(move || {
                let lock = lock.clone();
                async move { drop(lock.read().await) }
            })
        }),
        ("RwLock::write", {
            let lock = lock.clone();
            kept(move || {
                let lock = lock.clone();
                async move { drop(lock.write().await) }
            })
        }),
        ("RwLock::read_owned", {
            let lock = lock.clone();
            kept(move || lock.clone().read_owned())
        }),
        ("RwLock::write_owned", kept(move || lock.clone().write_owned())),
        ("Semaphore::acquire", {
            let semaphore = semaphore.clone();
            kept(move || {
                let semaphore = semaphore.clone();
                async move { drop(semaphore.acquire().await) }
            })
        }),
        ("Semaphore::acquire_many", {
            let semaphore = semaphore.clone();
            kept(move || {
                let semaphore = semaphore.clone();
                async move { drop(semaphore.acquire_many(2).await) }
            })
        }),
        ("Semaphore::acquire_owned", {
            let semaphore = semaphore.clone();
            kept(move || semaphore.clone().acquire_owned())
        }),
        (
            "Semaphore::acquire_many_owned",
            kept(move || semaphore.clone().acquire_many_owned(2)),
        ),
        (
            "OnceCell::get_or_init",
            kept(|| async {
                OnceCell::new().get_or_init(|| ready(1)).await;
            }),
        ),
        (
            "OnceCell::get_or_try_init, made",
            kept(|| async {
                let cell = OnceCell::new();
                cell.get_or_try_init(|| ready(Ok::<_, ()>(1))).await.map(drop)
            }),
        ),
        (
            "OnceCell::get_or_try_init, failed",
            kept(|| async {
                let cell = OnceCell::<u8>::new();
                cell.get_or_try_init(|| ready(Err(()))).await.map(drop)
            }),
        ),
    ]
}

fn messages_that_spend() -> Vec<(&'static str, Wait)> {
    let sender_of = || {
        let (sender, receiver) = mpsc::channel::<u8>(10_000);
        std::mem::forget(receiver);
        sender
    };
    vec![
        ("mpsc::Sender::send", {
            let sender = sender_of();
            kept(move || {
                let sender = sender.clone();
                async move { sender.send(1).await }
            })
        }),
        ("mpsc::Sender::reserve", {
            let sender = sender_of();
            kept(move || {
                let sender = sender.clone();
                async move { drop(sender.reserve().await) }
            })
        }),
        ("mpsc::Sender::reserve_many", {
            let sender = sender_of();
            kept(move || {
                let sender = sender.clone();
                async move { drop(sender.reserve_many(2).await) }
            })
        }),
        ("mpsc::Sender::reserve_owned", {
            let sender = sender_of();
            kept(move || sender.clone().reserve_owned())
        }),
        ("mpsc::Receiver::recv", {
            let (sender, mut receiver) = mpsc::channel(10_000);
            (0..10_000).for_each(|n| sender.try_send(n).unwrap());
            wait(move |cx| {
                let _ = &sender;
                once(receiver.recv(), cx)
            })
        }),
        ("mpsc::Receiver::recv, closed", {
            let mut receiver = mpsc::channel::<u8>(1).1;
            wait(move |cx| once(receiver.recv(), cx))
        }),
        ("mpsc::Receiver::recv_many", {
            let (sender, mut receiver) = mpsc::channel(10_000);
            (0..10_000).for_each(|n| sender.try_send(n).unwrap());
            wait(move |cx| {
                let _ = &sender;
                once(receiver.recv_many(&mut Vec::new(), 2), cx)
            })
        }),
        ("mpsc::Receiver::recv_many, none", {
            let (sender, mut receiver) = mpsc::channel::<u8>(1);
            wait(move |cx| {
                let _ = &sender;
                once(receiver.recv_many(&mut Vec::new(), 0), cx)
            })
        }),
        ("mpsc::UnboundedReceiver::recv", {
            let (sender, mut receiver) = mpsc::unbounded_channel();
            (0..10_000).for_each(|n| sender.send(n).unwrap());
            wait(move |cx| {
                let _ = &sender;
                once(receiver.recv(), cx)
            })
        }),
        ("broadcast::Receiver::recv", {
            let (sender, mut receiver) = broadcast::channel(16_384);
            (0..10_000).for_each(|n| assert!(sender.send(n).is_ok()));
            wait(move |cx| {
                let _ = &sender;
                once(receiver.recv(), cx)
            })
        }),
        ("broadcast::Receiver::recv, closed", {
            let mut receiver = broadcast::channel::<u8>(1).1;
            wait(move |cx| once(receiver.recv(), cx))
        }),
        ("oneshot::Receiver", {
            let make = || {
                let (sender, receiver) = oneshot::channel();
                sender.send(1).unwrap();
                receiver
            };
            kept(make)
        }),
        ("oneshot::Receiver, closed", kept(|| oneshot::channel::<u8>().1)),
        ("oneshot::Sender::closed", {
            let mut sender = oneshot::channel::<u8>().0;
            wait(move |cx| once(sender.closed(), cx))
        }),
        ("watch::Receiver::changed", {
            let (sender, mut receiver) = watch::channel(1);
            wait(move |cx| {
                let _ = &sender;
                receiver.mark_changed();
                once(receiver.changed(), cx)
            })
        }),
        ("watch::Receiver::changed, closed", {
            let mut receiver = watch::channel(1).1;
            wait(move |cx| once(receiver.changed(), cx))
        }),
        ("watch::Receiver::wait_for", {
            let (sender, mut receiver) = watch::channel(1);
            wait(move |cx| {
                let _ = &sender;
                once(receiver.wait_for(|_| true), cx)
            })
        }),
        ("watch::Sender::closed", {
            let sender = watch::channel(1).0;
            wait(move |cx| once(sender.closed(), cx))
        }),
    ]
}

/// Every wait there is that spends nothing when it is ready.
pub(crate) fn that_do_not() -> Vec<(&'static str, Wait)> {
    let notify = Arc::new(Notify::new());
    let closed = Arc::new(Semaphore::new(1));
    closed.close();
    let deserted = mpsc::channel::<u8>(1).0;
    let token = CancellationToken::new();
    token.cancel();
    vec![
        ("Notify::notified", {
            let notify = notify.clone();
            wait(move |cx| {
                notify.notify_one();
                once(notify.notified(), cx)
            })
        }),
        ("Notify::notified_owned", {
            let notify = notify.clone();
            wait(move |cx| {
                notify.notify_one();
                once(notify.clone().notified_owned(), cx)
            })
        }),
        (
            "Notify::notify_waiters",
            wait(move |cx| {
                let notified = notify.notified();
                notify.notify_waiters();
                once(notified, cx)
            }),
        ),
        ("Barrier::wait of the leader", {
            let barrier = Barrier::new(1);
            wait(move |cx| once(barrier.wait(), cx))
        }),
        ("OnceCell::get_or_init of a cell that is set", {
            let cell = OnceCell::new_with(Some(1));
            wait(move |cx| once(cell.get_or_init(|| ready(2)), cx))
        }),
        ("SetOnce::wait of a cell that is set", {
            let cell = SetOnce::new_with(Some(1));
            wait(move |cx| once(cell.wait(), cx))
        }),
        ("SetOnce::wait", {
            let mut waits = VecDeque::new();
            wait(move |cx| {
                let cell = Arc::new(SetOnce::new());
                let own = cell.clone();
                let mut waiting = Box::pin(async move { *own.wait().await });
                assert!(waiting.as_mut().poll(cx).is_pending());
                cell.set(1).unwrap();
                waits.push_back(waiting);
                waits.pop_front().expect("it has one").as_mut().poll(cx).map(drop)
            })
        }),
        ("Semaphore::acquire, closed", {
            let closed = closed.clone();
            wait(move |cx| once(closed.acquire(), cx))
        }),
        ("Semaphore::acquire_many, closed", {
            let closed = closed.clone();
            wait(move |cx| once(closed.acquire_many(2), cx))
        }),
        ("Semaphore::acquire_owned, closed", {
            let closed = closed.clone();
            wait(move |cx| once(closed.clone().acquire_owned(), cx))
        }),
        (
            "Semaphore::acquire_many_owned, closed",
            wait(move |cx| once(closed.clone().acquire_many_owned(2), cx)),
        ),
        ("mpsc::Sender::send, closed", {
            let deserted = deserted.clone();
            wait(move |cx| once(deserted.send(1), cx))
        }),
        ("mpsc::Sender::reserve, closed", {
            let deserted = deserted.clone();
            wait(move |cx| once(deserted.reserve(), cx))
        }),
        ("mpsc::Sender::reserve_many, closed", {
            let deserted = deserted.clone();
            wait(move |cx| once(deserted.reserve_many(1), cx))
        }),
        ("mpsc::Sender::reserve_owned, closed", {
            let deserted = deserted.clone();
            wait(move |cx| once(deserted.clone().reserve_owned(), cx))
        }),
        ("mpsc::Sender::closed", wait(move |cx| once(deserted.closed(), cx))),
        ("mpsc::UnboundedSender::closed", {
            let sender = mpsc::unbounded_channel::<u8>().0;
            wait(move |cx| once(sender.closed(), cx))
        }),
        ("broadcast::Sender::closed", {
            let sender = broadcast::channel::<u8>(1).0;
            wait(move |cx| once(sender.closed(), cx))
        }),
        ("CancellationToken::cancelled", {
            let token = token.clone();
            wait(move |cx| once(token.cancelled(), cx))
        }),
        (
            "CancellationToken::cancelled_owned",
            wait(move |cx| once(token.clone().cancelled_owned(), cx)),
        ),
    ]
}

#[test]
fn waits_that_are_ready_spend_as_they_do() {
    for (name, wait) in that_spend() {
        assert_eq!(ready_in_a_budget(wait), Some(128), "{name}");
    }
    for (name, wait) in that_do_not() {
        assert_eq!(ready_in_a_budget(wait), None, "{name}");
    }
}

/// A follower of a barrier spends, and its leader does not: so a task that leads and
/// follows in turn goes round as often as it may follow.
#[test]
fn followers_of_a_barrier_spend() {
    let barrier = Barrier::new(2);
    let rounds = ready_in_a_budget(|cx| {
        let mut follower = pin!(barrier.wait());
        assert!(follower.as_mut().poll(cx).is_pending());
        assert!(pin!(barrier.wait()).poll(cx).is_ready());
        follower.poll(cx).map(drop)
    });
    assert!(rounds.is_some_and(|rounds| rounds <= 128), "{rounds:?}");
}
