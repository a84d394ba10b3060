//! Where the channels and tokens of the two sides are not the same.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::{WAITS, sides, wakes_all_beside_panics};
use crate::support::{Task, now};

sides! {
    // The original takes the slots one by one, as they come.
    a_reservation_that_waits_holds_nothing_after_the_close(sync, util) -> bool {
        let (sender, mut receiver) = sync::mpsc::channel::<u8>(2);
        let permit = sender.try_reserve().unwrap();
        let mut two = pin!(sender.reserve_many(2));
        Task::new().pending(two.as_mut());
        receiver.close();
        drop(permit);
        let end = Task::new().poll(pin!(receiver.recv()));
        end == Poll::Ready(None)
    }
    original: false, ours: true;

    // A `select!` may leave the one branch unpolled while it waits in another.
    a_send_that_is_not_polled_keeps_no_slot_from_its_task(sync, util) -> bool {
        let (sender, mut receiver) = sync::mpsc::channel(1);
        sender.try_send(0).unwrap();
        let task = Task::new();
        let mut left = pin!(sender.send(1));
        task.pending(left.as_mut());
        receiver.try_recv().unwrap();
        // `left` has been given the slot.
        let mut polled = pin!(sender.send(2));
        (0..3).any(|_| task.poll(polled.as_mut()).is_ready())
    }
    original: false, ours: true;

    a_message_that_nobody_can_receive_is_dropped_at_once(sync, util) -> usize {
        let value = Arc::new(());
        let (sender, receiver) = sync::mpsc::channel(1);
        let permit = sender.try_reserve().unwrap();
        drop(receiver);
        permit.send(value.clone());
        Arc::strong_count(&value)
    }
    original: 2, ours: 1;

    a_panicking_waker_keeps_nobody_from_the_end_of_a_channel(sync, util) -> bool {
        let (sender, mut receiver) = sync::mpsc::channel::<u8>(1);
        let waits = (0..WAITS).map(|_| sender.closed()).collect();
        wakes_all_beside_panics(waits, || receiver.close())
    }
    original: false, ours: true;

    a_panicking_waker_keeps_nobody_from_a_broadcast(sync, util) -> bool {
        let sender = sync::broadcast::Sender::new(4);
        let mut receivers: Vec<_> = (0..WAITS).map(|_| sender.subscribe()).collect();
        let waits = receivers.iter_mut().map(|receiver| receiver.recv()).collect();
        wakes_all_beside_panics(waits, || assert!(sender.send(1).is_ok()))
    }
    original: false, ours: true;

    a_panicking_waker_keeps_nobody_from_a_change(sync, util) -> bool {
        let sender = sync::watch::Sender::new(1);
        let mut receivers: Vec<_> = (0..WAITS).map(|_| sender.subscribe()).collect();
        let waits = receivers.iter_mut().map(|receiver| receiver.changed()).collect();
        wakes_all_beside_panics(waits, || assert!(sender.send(1).is_ok()))
    }
    original: false, ours: true;

    a_panicking_waker_keeps_nobody_from_being_cancelled(sync, util) -> bool {
        let token = util::CancellationToken::new();
        let waits = (0..WAITS).map(|_| token.cancelled()).collect();
        wakes_all_beside_panics(waits, || token.cancel())
    }
    original: false, ours: true;
}

thread_local! {
    static USED: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Uses its channel when it is cloned. The original would wait for itself.
struct Curious;

impl Clone for Curious {
    fn clone(&self) -> Self {
        USED.with_borrow(|used| used.as_ref().expect("it was set")());
        Self
    }
}

#[test]
fn a_clone_of_a_message_may_use_our_broadcast() {
    let (sender, mut receiver) = anysync_tokio::sync::broadcast::channel(2);
    let mut other = sender.subscribe();
    assert!(sender.send(Curious).is_ok());
    USED.set(Some(Box::new(move || assert!(sender.len() <= 1))));
    assert!(receiver.try_recv().is_ok() && now(other.recv()).is_ok());
    USED.take();
}

#[test]
fn a_handle_is_debug_whatever_its_value_is() {
    struct Plain;
    let (sender, receiver) = anysync_tokio::sync::oneshot::channel::<Plain>();
    assert!(format!("{sender:?}{receiver:?}").contains("Sender"));
    let (sender, receiver) = anysync_tokio::sync::watch::channel(Plain);
    assert!(format!("{sender:?}{receiver:?}").contains("Sender"));
}

#[test]
fn ours_are_unwind_safe_where_the_originals_are_not() {
    use std::panic::{RefUnwindSafe, UnwindSafe};
    fn safe<T: UnwindSafe + RefUnwindSafe>() {}
    safe::<anysync_tokio::sync::oneshot::Sender<u8>>();
    safe::<anysync_tokio::sync::oneshot::Receiver<u8>>();
    static_assertions::assert_not_impl_any!(tokio::sync::oneshot::Sender<u8>: UnwindSafe);
    static_assertions::assert_not_impl_any!(tokio::sync::oneshot::Receiver<u8>: UnwindSafe);
}
