// Programs that pass the drop check: what is kept is dropped after what it came from,
// or after what that holds. A future is polled before, so that it waits meanwhile.

use std::sync::Arc;

use anysync_adapter_tests::face::Task;

use channel::{mpsc, oneshot};

/// A future that has been polled.
fn polled<F: Future>(future: F) -> std::pin::Pin<Box<F>> {
    let mut future = Box::pin(future);
    let _ = Task::new().poll(future.as_mut());
    future
}

#[test]
fn owned_guards_and_waits_outlive_their_handles() {
    let mut kept = None;
    let mutex = Arc::new(lock::Mutex::new(String::new()));
    kept = Some((mutex.try_lock_owned(), polled(mutex.clone().lock_owned())));
}

#[test]
fn a_cancellation_outlives_its_sender() {
    let mut kept = Vec::new();
    let text = String::from("text");
    let (mut sender, _receiver) = oneshot::channel::<&str>();
    if text.is_empty() {
        sender.send(&text).unwrap();
        return;
    }
    kept.push(polled(sender.cancellation()));
}

#[test]
fn a_receive_outlives_its_receiver() {
    let mut bounded = Vec::new();
    let mut unbounded = Vec::new();
    let text = String::from("text");
    let (mut sender, mut receiver) = mpsc::channel::<&str>(1);
    bounded.push(polled(receiver.recv()));
    sender.try_send(&text).unwrap();
    let (sender, mut receiver) = mpsc::unbounded::<&str>();
    unbounded.push(polled(receiver.recv()));
    sender.unbounded_send(&text).unwrap();
}

#[test]
fn locks_outlive_what_they_hold() {
    let mut kept = None;
    let text = String::from("text");
    kept = Some(lock::Mutex::new(text.as_str()));
}
