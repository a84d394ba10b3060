//! What becomes of the messages themselves: each is dropped once, by whoever has
//! it, outside the inner lock.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// A message that counts its drop, uses the channel in it, and panics if it is
/// told to.
struct Traced {
    drops: Arc<AtomicUsize>,
    panics: bool,
    sender: Option<WeakSender<Traced>>,
}

impl Traced {
    fn new(drops: &Arc<AtomicUsize>) -> Self {
        Self {
            drops: drops.clone(),
            panics: false,
            sender: None,
        }
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
        if let Some(sender) = self.sender.take() {
            // Deadlocks if the inner lock is held.
            let _ = (
                sender.sender_count(),
                sender.upgrade().map(|sender| sender.len()),
            );
        }
        if self.panics {
            std::panic::panic_any("a message panics in its drop");
        }
    }
}

#[test]
fn dropped_once_wherever_they_are() {
    let drops = Arc::new(AtomicUsize::new(0));
    let new = || Traced::new(&drops);
    let (sender, receiver) = bounded(3);
    sender.try_send(new()).ok().unwrap();
    drop(receiver.try_recv());
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    for _ in 0..3 {
        sender.try_send(new()).ok().unwrap();
    }
    drop(Queued::new(sender.send_future(new())));
    assert_eq!(drops.load(Ordering::Relaxed), 2, "of the cancelled send");
    drop(sender.try_send(new()));
    drop(sender.force_send(new()));
    assert_eq!(drops.load(Ordering::Relaxed), 4);
    drop(sender);
    drop(receiver);
    assert_eq!(drops.load(Ordering::Relaxed), 7);
}

#[test]
fn dropped_with_the_last_receiver() {
    let drops = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = bounded(4);
    let permit = sender.try_reserve().unwrap();
    for _ in 0..3 {
        let mut message = Traced::new(&drops);
        message.sender = Some(sender.downgrade());
        sender.try_send(message).ok().unwrap();
    }
    drop(receiver);
    assert_eq!(drops.load(Ordering::Relaxed), 3);
    assert_eq!(sender.len(), 0);
    // A permit that comes too late drops its message, outside the lock.
    let mut message = Traced::new(&drops);
    message.sender = Some(sender.downgrade());
    permit.send(message);
    assert_eq!(drops.load(Ordering::Relaxed), 4);
    idle(sender.chan());
}

#[test]
fn dropped_once_also_when_one_panics() {
    let drops = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = bounded(9);
    for number in 0..5 {
        let mut message = Traced::new(&drops);
        message.panics = number == 2;
        sender.try_send(message).ok().unwrap();
    }
    let mut watcher = Queued::new(sender.closed(Bare));
    let outcome = catch_unwind(AssertUnwindSafe(|| drop(receiver)));
    assert!(outcome.is_err(), "the panic goes on");
    assert_eq!(drops.load(Ordering::Relaxed), 5);
    watcher.won();
    assert_eq!(sender.receiver_count(), 0);
    let back = sender.try_send(Traced::new(&drops));
    assert!(back.is_err_and(|error| error.is_closed()));
    idle(sender.chan());
}

#[test]
fn a_leaked_wait_does_no_harm() {
    let (sender, receiver) = bounded(2);
    let leaked = Box::leak(Box::new(receiver.clone()));
    let mut promised = Queued::new(leaked.recv_future());
    sender.try_send(1).unwrap();
    assert!(promised.is_woken());
    let _ = promised.poll();
    let promised = Queued::new(leaked.recv_future());
    sender.try_send(2).unwrap();
    std::mem::forget(promised);
    sender.try_send(3).unwrap();
    assert_eq!(receiver.try_recv(), Ok(2));
    std::mem::forget(sender.try_reserve());
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}
