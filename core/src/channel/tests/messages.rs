//! What becomes of the messages themselves: each is dropped once, by the task that has
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

/// Whatever receives, a message that it has taken is not lost with the panic of a waker
/// that it wakes.
#[test]
fn panicking_waker_costs_no_message() {
    let bad = panicking_waker();
    // Each takes the oldest of three messages, while a send waits.
    type Receive = fn(&mut Receiver<usize>, &Waker);
    let receives: [Receive; 4] = [
        |receiver, _| {
            let _ = receiver.try_recv();
        },
        |receiver, _| {
            let _ = poll_noop(pin!(receiver.recv_future()));
        },
        |receiver, _| {
            let _ = receiver.recv_with(pin!(Waiter::new()));
        },
        |receiver, waker| {
            let _ = receiver.poll_recv(&Bare, &mut Context::from_waker(waker));
        },
    ];
    for receive in receives {
        let (sender, mut receiver) = full(3);
        let mut send = Box::pin(sender.send_future(3));
        assert!(poll(send.as_mut(), &bad).is_pending());
        let message = panic_message(|| receive(&mut receiver, &bad));
        assert_eq!(message, WAKER_PANIC);
        // It is there, and so may be what has been granted its slot.
        assert_eq!(receiver.len(), 3);
        assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
        assert!(poll_noop(send.as_mut()).is_ready());
        assert_eq!(receiver.len(), 4);
        assert_eq!(receiver.try_recv(), Ok(0));
        // One too many has gone: the capacity is a bound as before.
        assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(sender.try_send(9), Ok(()));
        assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
        drop(send);
        assert_eq!(drain(&receiver), [2, 3, 9]);
        idle(sender.chan());
    }
}

/// The message that comes back goes to a receive that waits by then.
#[test]
fn a_message_that_comes_back_is_promised_to_the_next() {
    let (sender, receiver) = full(1);
    let mut send = Box::pin(sender.send_future(1));
    let waiting = Arc::new(std::sync::Mutex::new(None));
    let waker = {
        let (waiting, receiver) = (waiting.clone(), receiver.downgrade());
        crate::test_util::hooked_waker(move |event| {
            if event == crate::test_util::Event::Wake {
                let receiver: &'static Receiver<usize> =
                    Box::leak(Box::new(receiver.upgrade().unwrap()));
                *waiting.lock().unwrap() = Some(Queued::new(receiver.recv_future()));
                std::panic::panic_any(WAKER_PANIC);
            }
        })
    };
    assert!(poll(send.as_mut(), &waker).is_pending());
    let message = panic_message(|| {
        let _ = receiver.try_recv();
    });
    assert_eq!(message, WAKER_PANIC);
    let mut waiting = waiting.lock().unwrap().take().unwrap();
    assert_eq!(waiting.won(), Ok(0));
    assert!(poll_noop(send.as_mut()).is_ready());
    assert_eq!(drain(&receiver), [1]);
}

/// Many that are taken are the caller's when a waker panics.
#[test]
fn panicking_waker_costs_none_of_many() {
    let (sender, receiver) = full(3);
    let bad = panicking_waker();
    let mut send = Box::pin(sender.send_future(3));
    assert!(poll(send.as_mut(), &bad).is_pending());
    let mut batch = vec![];
    let message = panic_message(|| {
        let _ = poll_noop(pin!(receiver.recv_many(Bare, &mut batch, 2)));
    });
    assert_eq!((message.as_str(), batch), (WAKER_PANIC, vec![0, 1]));
    assert!(poll_noop(send.as_mut()).is_ready());
    assert_eq!(drain(&receiver), [2, 3]);
    idle(sender.chan());
}

/// A send that is taken back, and passes its slot on to a waker that panics, still has
/// its value.
#[test]
fn panicking_waker_costs_no_value_of_a_send() {
    let (sender, receiver) = full(1);
    let mut granted = Queued::new(sender.send_future(1));
    let mut next = Box::pin(sender.send_future(2));
    assert!(poll(next.as_mut(), &panicking_waker()).is_pending());
    receiver.try_recv().unwrap();
    assert!(granted.is_woken());
    let message = panic_message(|| {
        let _ = granted.wait.as_mut().take_value();
    });
    assert_eq!(message, WAKER_PANIC);
    assert_eq!(granted.wait.as_mut().take_value(), Some(1));
    assert!(poll_noop(next.as_mut()).is_ready());
    assert_eq!(drain(&receiver), [2]);
}

/// A message that comes back when the receivers are gone is dropped.
#[test]
fn a_message_that_comes_back_to_nobody_is_dropped() {
    let drops = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = bounded(1);
    sender.try_send(Traced::new(&drops)).ok().unwrap();
    let mut send = Box::pin(sender.send_future(Traced::new(&drops)));
    assert!(poll(send.as_mut(), &panicking_waker()).is_pending());
    let outcome = catch_unwind(AssertUnwindSafe(|| drop(receiver.try_recv())));
    assert!(outcome.is_err());
    assert_eq!(drops.load(Ordering::Relaxed), 0);
    drop(receiver);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    assert!(poll_noop(send.as_mut()).is_ready());
    drop(send);
    assert_eq!(drops.load(Ordering::Relaxed), 2);
}
