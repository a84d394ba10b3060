// Programs that pass the drop check: what is kept is dropped after what it came from,
// or after what that holds. A future is polled before, so that it waits meanwhile.

use std::sync::Arc;

use anysync_adapter_tests::face::Task;

/// A future that has been polled.
fn polled<F: Future>(future: F) -> std::pin::Pin<Box<F>> {
    let mut future = Box::pin(future);
    let _ = Task::new().poll(future.as_mut());
    future
}

#[test]
fn a_receive_outlives_its_channel() {
    let mut kept = Vec::new();
    let (sender, receiver) = channel::bounded::<u8>(1);
    kept.push(polled(receiver.recv()));
    kept.push(polled(receiver.recv()));
    sender.try_send(1).unwrap();
}

#[test]
fn a_receive_outlives_what_is_sent() {
    let mut kept = Vec::new();
    let message = String::from("text");
    let (sender, receiver) = channel::unbounded::<&str>();
    kept.push(polled(receiver.recv()));
    kept.push(polled(receiver.recv()));
    sender.try_send(&message).unwrap();
}

#[test]
fn a_receive_outlives_a_receiver_that_moves_on() {
    let (sender, receiver) = channel::bounded::<String>(1);
    let kept = polled(receiver.recv());
    let moved = receiver;
    assert_eq!(moved.receiver_count(), 1);
    drop(moved);
    assert!(sender.is_closed());
    drop(sender);
}

#[test]
fn a_receive_that_never_waited_outlives_its_channel() {
    let mut kept = None;
    let (sender, receiver) = channel::bounded::<u8>(1);
    kept = Some(receiver.recv());
}

#[test]
fn a_receive_that_is_over_outlives_its_channel() {
    let mut kept = Vec::new();
    let (sender, receiver) = channel::bounded::<u8>(1);
    sender.try_send(1).unwrap();
    kept.push(polled(receiver.recv()));
    assert!(receiver.is_empty());
}

#[test]
fn a_send_outlives_its_channel() {
    let mut kept = Vec::new();
    let (sender, receiver) = channel::bounded::<u8>(1);
    sender.try_send(1).unwrap();
    kept.push(polled(sender.send(2)));
    kept.push(polled(sender.send(3)));
    receiver.try_recv().unwrap();
}

#[test]
fn a_send_outlives_a_sender_that_moves_on() {
    let (sender, receiver) = channel::bounded::<u8>(1);
    sender.try_send(1).unwrap();
    let kept = polled(sender.send(2));
    drop(sender);
    drop(receiver);
}

#[test]
fn a_send_outlives_what_is_sent() {
    let mut kept = Vec::new();
    let message = String::from("text");
    let (sender, receiver) = channel::bounded::<&str>(1);
    sender.try_send(&message).unwrap();
    kept.push(polled(sender.send(&message)));
    receiver.try_recv().unwrap();
}

#[test]
fn a_wait_for_the_close_outlives_its_channel() {
    let mut kept = Vec::new();
    let message = String::from("text");
    let (sender, receiver) = channel::bounded::<&str>(1);
    sender.try_send(&message).unwrap();
    kept.push(polled(sender.closed()));
}

#[test]
fn a_channel_holds_its_own_wait() {
    struct Both<'a> {
        receiver: channel::Receiver<String>,
        waits: std::cell::RefCell<Vec<std::pin::Pin<Box<channel::Recv<'a, String>>>>>,
    }
    let (sender, receiver) = channel::unbounded();
    let both = Both {
        receiver,
        waits: Default::default(),
    };
    both.waits.borrow_mut().push(polled(both.receiver.recv()));
    sender.try_send("text".to_owned()).unwrap();
}

#[test]
fn owned_guards_and_waits_outlive_their_handles() {
    let mut kept = None;
    let mutex = Arc::new(lock::Mutex::new(String::new()));
    let rwlock = Arc::new(lock::RwLock::new(String::new()));
    let semaphore = Arc::new(lock::Semaphore::new(0));
    let event = event::Event::new();
    kept = Some((
        (mutex.try_lock_arc(), polled(mutex.lock_arc())),
        (rwlock.try_read_arc(), rwlock.try_upgradable_read_arc()),
        (semaphore.try_acquire_arc(), polled(semaphore.acquire_arc())),
        polled(event.listen()),
    ));
}

#[test]
fn an_owned_upgrade_outlives_its_lock() {
    let mut kept = Vec::new();
    let rwlock = Arc::new(lock::RwLock::new(String::new()));
    let reader = rwlock.try_read_arc();
    let upgradable = rwlock.try_upgradable_read_arc().unwrap();
    kept.push(polled(lock::RwLockUpgradableReadGuardArc::upgrade(
        upgradable,
    )));
}

#[test]
fn a_wait_for_an_owned_read_outlives_the_handle() {
    let mut kept = Vec::new();
    let rwlock = Arc::new(lock::RwLock::new(String::new()));
    let writer = rwlock.try_write_arc();
    kept.push(polled(rwlock.read_arc()));
}

#[test]
fn weak_handles_outlive_the_channel() {
    let mut kept = None;
    let (sender, receiver) = channel::bounded::<String>(1);
    kept = Some((sender.downgrade(), receiver.downgrade()));
}

#[test]
fn locks_outlive_what_they_hold() {
    let mut kept = None;
    let text = String::from("text");
    kept = Some((
        lock::Mutex::new(text.as_str()),
        lock::RwLock::new(text.as_str()),
    ));
}
