//! What the primitives' parts show of themselves, and the small questions that
//! they answer, both ways.

use core::future::pending;
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Poll, Waker};
use std::boxed::Box;
use std::format;
use std::string::ToString;
use std::sync::Arc;
use std::vec::Vec;

use crate::io::package;
use crate::test_util::{counting_waker, poll_noop};
use crate::{
    Bare, Barrier, CancellationToken, Condvar, Event, Mutex, Notify, OnceCell, Semaphore,
    broadcast, cancellation, channel, notify, once_cell, oneshot, semaphore, watch,
};

/// A callback that counts its calls.
fn count(calls: &AtomicUsize) {
    calls.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn semaphore_shows_its_waits() {
    let semaphore = Arc::new(Semaphore::new(0));
    let mut owned = pin!(semaphore.clone().acquire_owned(Bare));
    assert_eq!(
        format!("{owned:?}"),
        r#"AcquireOwned { status: "idle", .. }"#
    );
    assert!(poll_noop(owned.as_mut()).is_pending());
    assert_eq!(
        format!("{owned:?}"),
        r#"AcquireOwned { status: "queued", .. }"#
    );
    let waiter = semaphore::Waiter::with_waker(Waker::noop().clone());
    assert_eq!(format!("{waiter:?}"), r#"Waiter { status: "idle", .. }"#);
}

#[test]
fn notify_shows_its_waiter() {
    let notify = Notify::new();
    let mut waiter = pin!(notify::Waiter::with_waker(Waker::noop().clone()));
    let shown = |waiter: &notify::Waiter<'_>, status| {
        assert_eq!(
            format!("{waiter:?}"),
            format!("Waiter {{ status: {status:?}, .. }}")
        );
    };
    shown(&waiter, "idle");
    assert!(!notify.wait_with(waiter.as_mut()));
    shown(&waiter, "queued");
    notify.notify_one();
    shown(&waiter, "notified");
    assert!(notify.wait_with(waiter.as_mut()));
    shown(&waiter, "finished");
}

#[test]
fn watch_shows_its_parts() {
    let (sender, mut receiver) = watch::channel(7);
    assert_eq!(
        format!("{sender:?}"),
        "Sender { version: 0, receiver_count: 1, .. }"
    );
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { has_changed: false, is_closed: false, .. }"
    );
    for value in [8, 9, 10] {
        sender.send(value).unwrap();
    }
    assert_eq!(
        format!("{sender:?}"),
        "Sender { version: 3, receiver_count: 1, .. }"
    );
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { has_changed: true, is_closed: false, .. }"
    );
    assert_eq!(format!("{:?}", sender.borrow()), "10");
    assert_eq!(format!("{:?}", receiver.changed(Bare)), "Changed { .. }");
    let wait = receiver.wait_for(Bare, |value| *value == 0);
    assert_eq!(format!("{wait:?}"), "WaitFor { .. }");
    drop(wait);
    assert_eq!(format!("{:?}", sender.closed(Bare)), "Closed { .. }");
    assert_eq!(format!("{:?}", watch::SendError(())), "SendError { .. }");
    drop(sender);
    let error = receiver.has_changed().unwrap_err();
    assert_eq!(
        error.to_string(),
        "all senders of the watched value are gone"
    );
}

#[test]
fn channel_shows_its_parts() {
    use channel::{RecvError, SendError, TryRecvError};
    assert_eq!(
        SendError(()).to_string(),
        "the channel is closed: nothing can be sent any more"
    );
    let (empty, closed) = (TryRecvError::Empty, TryRecvError::from(RecvError));
    assert_eq!(empty.to_string(), "the channel has no message to take");
    assert_eq!(closed.to_string(), "the channel is closed and empty");
    assert_eq!((empty.is_empty(), empty.is_closed()), (true, false));
    assert_eq!((closed.is_empty(), closed.is_closed()), (false, true));

    let (sender, receiver) = channel::bounded::<u32>(3);
    let permit = sender.try_reserve().unwrap();
    assert_eq!(format!("{permit:?}"), "Permit { .. }");
    let permits = sender.try_reserve_many(2).unwrap();
    assert_eq!(format!("{permits:?}"), "Permits { left: 2, .. }");
    drop((permit, permits));
    let owned = sender.clone().try_reserve_owned().unwrap();
    assert_eq!(format!("{owned:?}"), "OwnedPermit { .. }");
    drop(owned);

    let send = sender.send(Bare, 1);
    assert_eq!(format!("{send:?}"), r#"Send { status: "idle", .. }"#);
    let reserve = sender.clone().reserve_owned(Bare);
    assert_eq!(
        format!("{reserve:?}"),
        r#"ReserveOwned { status: "idle", .. }"#
    );
    let mut messages = Vec::new();
    let many = receiver.recv_many(Bare, &mut messages, 5);
    assert_eq!(
        format!("{many:?}"),
        r#"RecvMany { status: "idle", limit: 5, .. }"#
    );
}

#[test]
fn channel_shows_its_waiter() {
    let shown = |waiter: &channel::Waiter<'_, u32>, status| {
        assert_eq!(
            format!("{waiter:?}"),
            format!("Waiter {{ status: {status:?}, .. }}")
        );
    };
    let (sender, receiver) = channel::bounded(1);
    let mut told = pin!(channel::Waiter::with_waker(Waker::noop().clone()));
    let mut refused = pin!(channel::Waiter::with_waker(Waker::noop().clone()));
    shown(&told, "idle");
    assert!(receiver.recv_with(told.as_mut()).is_none());
    shown(&told, "queued");
    sender.try_send(1).unwrap();
    shown(&told, "granted");
    assert_eq!(receiver.recv_with(told.as_mut()), Some(Ok(1)));
    shown(&told, "idle");
    assert!(receiver.recv_with(refused.as_mut()).is_none());
    drop(sender);
    shown(&refused, "refused");
}

#[test]
fn channels_know_their_own() {
    let (sender, receiver) = channel::bounded::<u32>(2);
    let (other, other_receiver) = channel::bounded::<u32>(2);
    assert!(sender.same_channel_as(&receiver));
    assert!(!sender.same_channel_as(&other_receiver));
    assert!(receiver.same_channel(&receiver.clone()));
    assert!(!receiver.same_channel(&other_receiver));
    let permits = [
        sender.clone().try_reserve_owned().unwrap(),
        sender.clone().try_reserve_owned().unwrap(),
        other.clone().try_reserve_owned().unwrap(),
    ];
    assert!(permits[0].same_channel(&permits[1]));
    assert!(!permits[0].same_channel(&permits[2]));
    assert!(permits[0].same_channel_as_sender(&sender));
    assert!(!permits[0].same_channel_as_sender(&other));

    let (sender, receiver) = broadcast::channel::<u32>(2);
    let (other, other_receiver) = broadcast::channel::<u32>(2);
    assert!(sender.same_channel(&sender.clone()));
    assert!(!sender.same_channel(&other));
    assert!(receiver.same_channel(&sender.subscribe()));
    assert!(!receiver.same_channel(&other_receiver));
}

#[test]
fn broadcast_shows_its_parts() {
    let (sender, mut receiver) = broadcast::channel::<u32>(2);
    assert!(sender.is_empty() && receiver.is_empty());
    sender.send(1).unwrap();
    assert!(!sender.is_empty() && !receiver.is_empty());
    assert_eq!(
        format!("{sender:?}"),
        "Sender { len: 1, capacity: 2, receiver_count: 1, .. }"
    );
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { len: 1, is_closed: false, .. }"
    );
    let weak = [sender.downgrade(), receiver.weak_sender()];
    assert_eq!(weak[0].weak_count(), 2);
    assert_eq!(receiver.sender_weak_count(), 2);
    assert_eq!(format!("{:?}", weak[0]), "WeakSender { .. }");
    assert_eq!(format!("{:?}", receiver.recv(Bare)), "Recv { .. }");
    assert_eq!(
        format!("{:?}", sender.send_wait(Bare, 1)),
        "SendWait { .. }"
    );
    assert_eq!(format!("{:?}", sender.closed(Bare)), "Closed { .. }");
    for (error, text) in [
        (
            broadcast::TryRecvError::Empty,
            "the broadcast has no message for the receiver now",
        ),
        (broadcast::TryRecvError::Closed, "the broadcast is closed"),
        (
            broadcast::TryRecvError::Lagged(3),
            "the receiver missed 3 messages",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn broadcast_raw_waiter_is_told_of_a_message() {
    let (sender, mut receiver) = broadcast::channel::<u32>(2);
    {
        let mut waiter = pin!(notify::Waiter::with_waker(Waker::noop().clone()));
        assert!(!receiver.recv_with(waiter.as_mut()));
        sender.send(1).unwrap();
        assert!(receiver.recv_with(waiter.as_mut()));
    }
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn broadcast_to_nobody_is_closed_also_when_it_is_full() {
    let (sender, receiver) = broadcast::channel_with::<u32>(1, broadcast::Overflow::Wait);
    sender.send(1).unwrap();
    assert_eq!(sender.send(2), Err(broadcast::SendError::Full(2)));
    // What no receiver reads leaves its place.
    drop(receiver);
    assert_eq!(sender.send(3), Err(broadcast::SendError::Closed(3)));
}

#[test]
fn oneshot_shows_its_parts() {
    use oneshot::{RecvError, TryRecvError};
    let (empty, closed) = (TryRecvError::Empty, TryRecvError::from(RecvError));
    assert_eq!((empty.is_empty(), empty.is_closed()), (true, false));
    assert_eq!((closed.is_empty(), closed.is_closed()), (false, true));

    let (mut sender, mut receiver) = oneshot::channel::<u32>();
    assert_eq!(
        format!("{:?}", sender.closed(Bare)),
        "Closed { is_finished: false, .. }"
    );
    assert_eq!(
        format!("{:?}", receiver.recv(Bare)),
        "Recv { is_finished: false, .. }"
    );
    let mut cx = core::task::Context::from_waker(Waker::noop());
    assert_eq!(sender.poll_closed(&mut cx), Poll::Pending);
    receiver.close();
    assert_eq!(sender.poll_closed(&mut cx), Poll::Ready(()));
    assert_eq!(format!("{:?}", oneshot::Slot::<u32>::new()), "Slot { .. }");
}

#[test]
fn once_cell_shows_its_waiter() {
    let cell = OnceCell::<u32>::new();
    let first = once_cell::InitWaiter::<u32>::with_waker(Waker::noop().clone());
    let mut second = pin!(once_cell::InitWaiter::with_waker(Waker::noop().clone()));
    assert_eq!(format!("{first:?}"), r#"InitWaiter { status: "idle", .. }"#);
    // Its initialiser never ends: it is dropped.
    let mut turn = Box::pin(cell.get_or_init_async(Bare, pending::<u32>));
    assert!(poll_noop(turn.as_mut()).is_pending());
    assert_eq!(cell.get_or_init_with(second.as_mut(), || 1), None);
    assert_eq!(
        format!("{second:?}"),
        r#"InitWaiter { status: "queued", .. }"#
    );
    drop(turn);
    assert_eq!(
        format!("{second:?}"),
        r#"InitWaiter { status: "offered the turn", .. }"#
    );
    assert_eq!(cell.get_or_init_with(second.as_mut(), || 1), Some(&1));
}

#[test]
fn once_cell_gives_its_value_out() {
    let mut cell = OnceCell::new();
    assert_eq!(cell.get_mut(), None);
    assert!(cell.set(1));
    *cell.get_mut().unwrap() += 1;
    assert_eq!(cell.into_inner(), Some(2));
    assert_eq!(OnceCell::<u32>::new().into_inner(), None);
}

#[test]
fn event_shows_its_counts() {
    let event = Event::new();
    let mut listeners = [event.listener_future(), event.listener_future()].map(Box::pin);
    for listener in &mut listeners {
        listener.as_mut().listen();
    }
    event.notify(1);
    assert_eq!(
        format!("{event:?}"),
        "Event { notified_count: 1, listener_count: 2 }"
    );
}

#[test]
fn tasks_show_themselves() {
    let (packaged, handle) = package(async {});
    assert_eq!(format!("{packaged:?}"), "Packaged { .. }");
    assert_eq!(format!("{handle:?}"), "TaskHandle { is_finished: false }");
    assert!(poll_noop(pin!(packaged)).is_ready());
    assert_eq!(format!("{handle:?}"), "TaskHandle { is_finished: true }");
}

/// Each raw waiter with a callback in place of a waker.
#[test]
fn waiters_call_back() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let called = |what: &str| assert_eq!(CALLS.swap(0, Ordering::SeqCst), 1, "{what}");

    let barrier = Barrier::new(2);
    let mut waiter = pin!(crate::barrier::Waiter::with_callback(&CALLS, count));
    assert!(!barrier.wait_with(waiter.as_mut()));
    assert!(poll_noop(pin!(barrier.wait_future())).is_ready());
    called("a barrier");

    let mutex = Mutex::new(());
    let held = mutex.try_lock().unwrap();
    let mut waiter = pin!(crate::mutex::Waiter::with_callback(&CALLS, count));
    assert!(mutex.lock_with(waiter.as_mut()).is_none());
    drop(held);
    called("a mutex");

    let condvar = Condvar::new();
    let mut waiter = pin!(crate::condvar::Waiter::with_callback(&CALLS, count));
    let free = Mutex::new(());
    condvar.wait_with(free.try_lock().unwrap(), waiter.as_mut());
    condvar.notify_one();
    called("a condvar");

    let (sender, receiver) = channel::bounded(1);
    let mut waiter = pin!(channel::Waiter::with_callback(&CALLS, count));
    assert!(receiver.recv_with(waiter.as_mut()).is_none());
    sender.try_send(1).unwrap();
    called("a channel");

    let cell = OnceCell::<u32>::new();
    let mut turn = Box::pin(cell.get_or_init_async(Bare, pending::<u32>));
    assert!(poll_noop(turn.as_mut()).is_pending());
    let mut waiter = pin!(once_cell::InitWaiter::with_callback(&CALLS, count));
    assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 1), None);
    drop(turn);
    called("a cell");

    let token = CancellationToken::new();
    let mut waiter = pin!(cancellation::Waiter::with_callback(&CALLS, count));
    assert!(!token.wait_with(waiter.as_mut()));
    assert!(!waiter.is_cancelled());
    token.cancel();
    assert!(waiter.is_cancelled());
    called("a token");
}

#[test]
fn waiter_of_a_cell_that_has_the_turn_wakes_its_new_waker_at_once() {
    let cell = OnceCell::<u32>::new();
    let mut turn = Box::pin(cell.get_or_init_async(Bare, pending::<u32>));
    assert!(poll_noop(turn.as_mut()).is_pending());
    let mut waiter = pin!(once_cell::InitWaiter::new());
    assert_eq!(cell.get_or_init_with(waiter.as_mut(), || 1), None);
    let (early, waker) = counting_waker();
    waiter.as_mut().set_waker(waker);
    assert_eq!(early.count(), 0);
    drop(turn);
    assert_eq!(early.count(), 1);
    let (late, waker) = counting_waker();
    waiter.as_mut().set_waker(waker);
    assert_eq!(late.count(), 1);
}
