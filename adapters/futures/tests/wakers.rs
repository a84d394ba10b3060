//! Wakers that panic, or use the channel that wakes them.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use anysync_adapter_tests::face::{Task, panic_of};
use anysync_futures::channel::mpsc::{self, Receiver, Sender};
use futures::Stream;

/// Calls this when it is woken.
struct Calls<F>(F);

impl<F: Fn() + Send + Sync + 'static> Wake for Calls<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn calls(when_woken: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Calls(when_woken)))
}

const PANIC: &str = "the waker panics";

fn panics() -> Waker {
    calls(|| panic!("{PANIC}"))
}

fn poll_ready(sender: &mut Sender<u32>, waker: &Waker) -> bool {
    sender
        .poll_ready(&mut Context::from_waker(waker))
        .is_ready()
}

fn poll_next(receiver: &mut Receiver<u32>, waker: &Waker) -> Poll<Option<u32>> {
    Pin::new(receiver).poll_next(&mut Context::from_waker(waker))
}

/// Parked senders, each with a waker.
fn parked<const N: usize>(wakers: [&Waker; N]) -> ([Sender<u32>; N], Receiver<u32>) {
    let (sender, receiver) = mpsc::channel(0);
    let mut number = 0;
    let senders = wakers.map(|waker| {
        let mut sender = sender.clone();
        sender.try_send(number).unwrap();
        number += 1;
        assert!(!poll_ready(&mut sender, waker));
        sender
    });
    (senders, receiver)
}

#[test]
fn a_senders_waker_that_panics_loses_no_message() {
    let task = Task::new();
    let (mut senders, mut receiver) = parked([&panics(), task.context().waker()]);
    assert_eq!(panic_of(|| receiver.try_recv()), PANIC);
    assert_eq!(receiver.size_hint(), (2, None));
    assert!(poll_ready(&mut senders[0], Waker::noop()), "it was let go");
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!(task.wakes(), 1);
    assert_eq!(receiver.try_recv(), Ok(1));
    // As before: one message each.
    for sender in &mut senders {
        sender.try_send(2).unwrap();
        assert!(sender.try_send(3).unwrap_err().is_full());
    }
}

#[test]
fn a_waker_that_panics_as_the_receiver_goes_stops_no_other() {
    for closes in [false, true] {
        let (first, second) = (Task::new(), Task::new());
        let wakers = [
            first.context().waker(),
            &panics(),
            &panics(),
            second.context().waker(),
        ];
        let (senders, mut receiver) = parked(wakers);
        let message = panic_of(|| {
            if closes {
                receiver.close()
            } else {
                drop(receiver)
            }
        });
        assert_eq!(message, PANIC);
        assert_eq!((first.wakes(), second.wakes()), (1, 1));
        assert!(senders.iter().all(Sender::is_closed));
    }
}

#[test]
fn a_receivers_waker_that_panics_loses_no_message() {
    let (mut sender, mut receiver) = mpsc::channel(1);
    assert!(poll_next(&mut receiver, &panics()).is_pending());
    assert_eq!(panic_of(|| sender.try_send(1)), PANIC);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(poll_next(&mut receiver, &panics()).is_pending());
    assert_eq!(panic_of(|| drop(sender)), PANIC);
    assert_eq!(poll_next(&mut receiver, Waker::noop()), Poll::Ready(None));
}

#[test]
fn ends_that_are_dropped_as_a_thread_unwinds_do_not_panic_again() {
    let (sender, mut receiver) = mpsc::channel(1);
    assert!(poll_next(&mut receiver, &panics()).is_pending());
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _sender = sender;
        panic!("first");
    }));
    assert!(unwound.is_err());
    assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Closed));

    let (senders, receiver) = parked([&panics()]);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _receiver = receiver;
        panic!("first");
    }));
    assert!(unwound.is_err());
    assert!(senders[0].is_closed());
}

#[test]
fn a_waker_may_use_the_channel() {
    let (sender, receiver) = mpsc::channel::<u32>(0);
    let receiver = Arc::new(Mutex::new(receiver));
    let seen = Arc::new(Mutex::new(Vec::new()));
    // Woken by a send, it receives at once, and sends by another sender.
    let waker = calls({
        let (sender, receiver) = (Mutex::new(sender.clone()), receiver.clone());
        let seen = seen.clone();
        move || {
            let mut receiver = receiver.lock().unwrap();
            seen.lock().unwrap().push(receiver.try_recv());
            let sent = sender.lock().unwrap().try_send(2);
            seen.lock()
                .unwrap()
                .push(sent.map(|()| 0).map_err(|_| unreachable!()));
        }
    });
    assert!(poll_next(&mut receiver.lock().unwrap(), &waker).is_pending());
    let mut own = sender;
    own.try_send(1).unwrap();
    assert_eq!(*seen.lock().unwrap(), [Ok(1), Ok(0)]);
    assert_eq!(receiver.lock().unwrap().try_recv(), Ok(2));

    // Woken by a receive, it sends at once.
    let sender = Arc::new(Mutex::new(own));
    let waker = calls({
        let sender = sender.clone();
        move || sender.lock().unwrap().try_send(4).unwrap()
    });
    sender.lock().unwrap().try_send(3).unwrap();
    assert!(!poll_ready(&mut sender.lock().unwrap(), &waker));
    assert_eq!(receiver.lock().unwrap().try_recv(), Ok(3));
    assert_eq!(receiver.lock().unwrap().try_recv(), Ok(4));
}
