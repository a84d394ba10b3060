//! Panics of foreign code leak nothing, and cost no receiver a message.

use core::pin::pin;
use core::task::Poll;
use std::boxed::Box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Overflow, SendError, TryRecvError, WeakSender, channel, channel_with};
use crate::io::Bare;
use crate::test_util::{
    Brittle, DROP_PANIC, WAKER_PANIC, counting_waker, panic_message, panicking_waker, poll,
    poll_noop,
};

#[test]
fn panicking_waker_of_a_sender_costs_no_message() {
    for (by_future, copies) in [(false, 0), (true, 0), (false, 2), (true, 2)] {
        let value = Arc::new(());
        let (sender, mut receiver) = channel_with(1, Overflow::Wait);
        let mut others = [(); 2].map(|()| sender.subscribe());
        sender.send((0, value.clone())).unwrap();
        let mut send = Box::pin(sender.send_wait(Bare, (1, value.clone())));
        assert!(poll(send.as_mut(), &panicking_waker()).is_pending());
        for other in &mut others {
            assert_eq!(other.try_recv().unwrap().0, 0);
        }
        let message = if by_future {
            let mut recv = pin!(receiver.recv_future());
            let message = panic_message(|| drop(poll_noop(recv.as_mut())));
            // It goes on where it stood.
            assert!(matches!(poll_noop(recv), Poll::Ready(Ok((0, _)))));
            message
        } else {
            panic_message(|| drop(receiver.try_recv()))
        };
        assert_eq!(message, WAKER_PANIC, "the panic goes on");
        if !by_future {
            assert_eq!(receiver.len(), 1, "it is there still");
            assert_eq!(sender.len(), 0, "and has left its place");
            if copies == 0 {
                assert_eq!(receiver.try_recv().unwrap().0, 0);
            }
        }
        // The sender was told.
        assert!(matches!(poll_noop(send.as_mut()), Poll::Ready(Ok(3))));
        drop(send);
        for mut receiver in others {
            assert_eq!(receiver.try_recv().unwrap().0, 1);
        }
        if copies == 0 {
            assert_eq!(receiver.try_recv().unwrap().0, 1);
            assert_eq!(receiver.try_recv().unwrap_err(), TryRecvError::Empty);
        }
        // Or it goes with what it was given back.
        drop((sender, receiver));
        assert_eq!(Arc::strong_count(&value), 1);
    }
}

/// Is pushed out while it is cloned; then its own `Drop` panics.
struct PushedOut {
    number: u32,
    sender: WeakSender<PushedOut>,
    drops: Arc<AtomicUsize>,
    panics: bool,
}

impl Clone for PushedOut {
    fn clone(&self) -> Self {
        let copy = |number| Self {
            number,
            sender: self.sender.clone(),
            drops: self.drops.clone(),
            panics: false,
        };
        if let Some(sender) = self.sender.upgrade().filter(|_| self.panics) {
            assert!(sender.send(copy(self.number + 1)).is_ok());
        }
        copy(self.number)
    }
}

impl Drop for PushedOut {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics, "{DROP_PANIC}");
    }
}

#[test]
fn panicking_drop_of_the_original_costs_no_clone() {
    for is_read in [true, false] {
        let drops = Arc::new(AtomicUsize::new(0));
        let (sender, mut receiver) = channel(1);
        let mut other = sender.subscribe();
        let message = PushedOut {
            number: 1,
            sender: sender.downgrade(),
            drops: drops.clone(),
            panics: true,
        };
        assert!(sender.send(message).is_ok());
        assert_eq!(panic_message(|| drop(receiver.try_recv())), DROP_PANIC);
        assert_eq!(drops.load(Ordering::Relaxed), 1, "the original");
        assert_eq!(receiver.len(), 2);
        if is_read {
            let clone = receiver.try_recv().ok().unwrap();
            assert_eq!((clone.number, receiver.len()), (1, 1));
            assert_eq!(receiver.try_recv().ok().unwrap().number, 2);
            assert!(matches!(other.try_recv(), Err(TryRecvError::Lagged(1))));
            assert_eq!(other.try_recv().ok().unwrap().number, 2);
        }
        drop((receiver, other));
        let made = if is_read { 4 } else { 3 };
        assert_eq!(drops.load(Ordering::Relaxed), made);
        assert!(sender.is_empty());
    }
}

#[test]
fn two_panics_at_once_do_not_abort() {
    let drops = Arc::new(AtomicUsize::new(0));
    let new = |panics| Brittle {
        drops: drops.clone(),
        panics,
    };
    // A waker, and what is pushed out.
    let (sender, slow) = channel(1);
    sender.send(Arc::new(new(true))).ok().unwrap();
    let mut waits = sender.subscribe();
    let mut recv = Box::pin(waits.recv_future());
    assert!(poll(recv.as_mut(), &panicking_waker()).is_pending());
    let message = panic_message(|| drop(sender.send(Arc::new(new(false)))));
    assert_eq!(message, WAKER_PANIC);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    assert!(poll_noop(recv.as_mut()).is_ready());
    drop(recv);
    drop((waits, slow));

    // Several values that are left behind, and a task that waits for the end.
    drops.store(0, Ordering::Relaxed);
    let (sender, receiver) = channel(8);
    for number in 0..5 {
        sender.send(Arc::new(new(number % 2 == 0))).ok().unwrap();
    }
    let mut closed = pin!(sender.closed(Bare));
    assert!(poll(closed.as_mut(), &panicking_waker()).is_pending());
    assert_eq!(panic_message(|| drop(receiver)), WAKER_PANIC);
    assert_eq!(drops.load(Ordering::Relaxed), 5);
    assert!(sender.is_empty());
    assert!(poll_noop(closed).is_ready());
}

#[test]
fn panicking_waker_of_the_next_keeps_what_is_given_back() {
    let (sender, mut receiver) = channel_with(1, Overflow::Wait);
    sender.send(0).unwrap();
    let mut first = Box::pin(sender.send_wait(Bare, 1));
    let mut second = Box::pin(sender.send_wait(Bare, 2));
    let (wakes, waker) = counting_waker();
    assert!(poll(first.as_mut(), &waker).is_pending());
    assert!(poll(second.as_mut(), &panicking_waker()).is_pending());
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!(wakes.count(), 1);
    drop(receiver);
    // It gives its place on.
    let message = panic_message(|| assert!(poll_noop(first.as_mut()).is_pending()));
    assert_eq!(message, WAKER_PANIC);
    let closed = |n| Poll::Ready(Err(SendError::Closed(n)));
    assert_eq!(poll_noop(first.as_mut()), closed(1));
    assert_eq!(poll_noop(second.as_mut()), closed(2));
}
