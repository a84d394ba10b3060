//! Models of the channel for loom: each runs a few operations of two or three
//! threads in every order, up to the bound of preemptions that it names, under
//! the memory model of C11. What a message leads to is a tracked cell, and so are
//! the links and wakers of the queues: an access that the orderings do not order
//! fails. A wake-up that is lost is a deadlock.

use core::task::{Context, Poll};
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use loom::cell::UnsafeCell;
use loom::thread;

use super::*;
use crate::io::Bare;
use crate::loom_util::{block_on, counting_waker, model, poll, poll_noop};

/// A message that leads to a cell, which its sender writes before and its
/// receiver reads after.
#[derive(Clone)]
struct Parcel(Arc<UnsafeCell<usize>>);

// SAFETY: the models write the cell before a send and read it after the receive;
// that this is enough is what loom checks.
unsafe impl core::marker::Send for Parcel {}
// SAFETY: as above.
unsafe impl Sync for Parcel {}

impl Parcel {
    fn new(content: usize) -> Self {
        let parcel = Self(Arc::new(UnsafeCell::new(0)));
        // SAFETY: see above.
        parcel.0.with_mut(|cell| unsafe { *cell = content });
        parcel
    }

    fn open(&self) -> usize {
        // SAFETY: see above.
        self.0.with(|cell| unsafe { *cell })
    }
}

/// A handle for futures that move to another thread. It is leaked: a few bytes
/// for each order that is tried.
fn leak<T>(handle: T) -> &'static T {
    Box::leak(Box::new(handle))
}

/// A sender that finds the channel full waits, a receiver that finds it empty
/// waits, and each sees what the other did before.
#[test]
fn loom_send_and_recv_lose_no_wakeup() {
    model(3, || {
        let (sender, receiver) = bounded(1);
        let sending = thread::spawn(move || {
            for content in 1..=2 {
                assert!(block_on(sender.send(Bare, Parcel::new(content))).is_ok());
            }
        });
        for content in 1..=2 {
            assert_eq!(block_on(receiver.recv(Bare)).unwrap().open(), content);
        }
        sending.join().unwrap();
        assert!(receiver.try_recv().is_err_and(|error| error.is_closed()));
    });
}

/// Two senders and two receivers.
#[test]
fn loom_each_message_once() {
    model(2, || {
        let (sender, receiver) = bounded(1);
        let other = sender.clone();
        let sending = thread::spawn(move || {
            block_on(other.send(Bare, Parcel::new(1))).ok().unwrap();
        });
        let another = receiver.clone();
        let receiving = thread::spawn(move || block_on(another.recv(Bare)).unwrap().open());
        block_on(sender.reserve(Bare)).unwrap().send(Parcel::new(2));
        let own = block_on(receiver.recv(Bare)).unwrap().open();
        sending.join().unwrap();
        assert_eq!(own + receiving.join().unwrap(), 3);
    });
}

/// A receive at the head is dropped while a message is sent: if it was promised
/// the message, the next gets it.
#[test]
fn loom_cancelled_recv_and_send_pass_on() {
    model(4, || {
        let (sender, receiver) = bounded(1);
        let receiver = leak(receiver);
        let (_, waker) = counting_waker();
        let mut first = Box::pin(receiver.recv_future());
        assert!(poll(first.as_mut(), &waker).is_pending());
        let (wakes, waker) = counting_waker();
        let mut second = Box::pin(receiver.recv_future());
        assert!(poll(second.as_mut(), &waker).is_pending());
        let cancelling = thread::spawn(move || drop(first));
        sender.try_send(Parcel::new(7)).ok().unwrap();
        cancelling.join().unwrap();
        assert_eq!(wakes.count(), 1, "the wake-up was lost");
        match poll_noop(second.as_mut()) {
            Poll::Ready(Ok(parcel)) => assert_eq!(parcel.open(), 7),
            _ => panic!("the message was lost"),
        }
    });
}

/// The same on the other side: a send at the head is dropped while a slot becomes
/// free.
#[test]
fn loom_cancelled_send_and_recv_pass_on() {
    model(4, || {
        let (sender, receiver) = bounded(1);
        let sender = leak(sender);
        sender.try_send(0).unwrap();
        let (_, waker) = counting_waker();
        let mut first = Box::pin(sender.send_future(1));
        assert!(poll(first.as_mut(), &waker).is_pending());
        let (wakes, waker) = counting_waker();
        let mut second = Box::pin(sender.send_future(2));
        assert!(poll(second.as_mut(), &waker).is_pending());
        let cancelling = thread::spawn(move || first.as_mut().take_value());
        assert_eq!(receiver.try_recv(), Ok(0));
        assert_eq!(cancelling.join().unwrap(), Some(1));
        assert_eq!(wakes.count(), 1, "the wake-up was lost");
        assert_eq!(poll_noop(second.as_mut()), Poll::Ready(Ok(())));
        assert_eq!(receiver.try_recv(), Ok(2));
    });
}

/// A close beside a send that may be before, in or after its first poll: it has
/// sent, and the message is there, or it gives the message back.
#[test]
fn loom_close_and_send_agree() {
    model(3, || {
        let (sender, receiver) = bounded(1);
        sender.try_send(1).unwrap();
        let sending = thread::spawn(move || block_on(sender.send(Bare, 2)));
        let mut received = Vec::new();
        receiver.try_recv().unwrap();
        receiver.close();
        while let Ok(message) = block_on(receiver.recv(Bare)) {
            received.push(message);
        }
        match sending.join().unwrap() {
            Ok(()) => assert_eq!(received, [2]),
            Err(error) => {
                assert_eq!(error.into_inner(), 2);
                assert!(received.is_empty());
            }
        }
    });
}

/// A close beside the drop and the poll of waits that it is about to refuse.
#[test]
fn loom_close_and_cancel_meet() {
    model(4, || {
        let (sender, receiver) = bounded(1);
        let sender = leak(sender);
        sender.try_send(0).unwrap();
        let (_, waker) = counting_waker();
        let mut dropped = Box::pin(sender.send_future(1));
        assert!(poll(dropped.as_mut(), &waker).is_pending());
        let mut polled = Box::pin(sender.closed(Bare));
        assert!(poll(polled.as_mut(), &waker).is_pending());
        let closing = thread::spawn(move || receiver.close());
        drop(dropped);
        let (wakes, waker) = counting_waker();
        let first = poll(polled.as_mut(), &waker);
        assert!(closing.join().unwrap());
        if first.is_pending() {
            assert_eq!(wakes.count(), 1);
            assert!(poll_noop(polled.as_mut()).is_ready());
        }
        assert!(sender.is_closed());
    });
}

/// The last sender is dropped beside two receivers: one gets the message, and
/// both learn that it was the last.
#[test]
fn loom_last_sender_ends_every_recv() {
    model(2, || {
        let (sender, receiver) = bounded(2);
        let another = receiver.clone();
        let receiving = thread::spawn(move || {
            let mut sum = 0;
            while let Ok(parcel) = block_on(another.recv(Bare)) {
                sum += Parcel::open(&parcel);
            }
            sum
        });
        let sending = thread::spawn(move || {
            sender.try_send(Parcel::new(5)).ok().unwrap();
        });
        let mut sum = 0;
        while let Ok(parcel) = block_on(receiver.recv(Bare)) {
            sum += parcel.open();
        }
        sending.join().unwrap();
        assert_eq!(sum + receiving.join().unwrap(), 5);
    });
}

/// The last receiver is dropped beside a send: the message is dropped once, by the
/// thread that has it.
#[test]
fn loom_last_receiver_drops_what_is_left() {
    model(3, || {
        let (sender, receiver) = bounded(2);
        let parcel = Parcel::new(1);
        sender.try_send(parcel.clone()).ok().unwrap();
        let sent = parcel.clone();
        let sending = thread::spawn(move || {
            let sent = block_on(sender.send(Bare, sent));
            block_on(sender.closed(Bare));
            drop(sent);
            sender.len()
        });
        drop(receiver);
        assert_eq!(sending.join().unwrap(), 0);
        assert_eq!(Arc::strong_count(&parcel.0), 1);
    });
}

/// An upgrade beside the drop of the last sender: it fails, or the channel stays
/// open for it.
#[test]
fn loom_upgrade_and_last_drop_agree() {
    model(4, || {
        let (sender, receiver) = bounded(1);
        let weak = sender.downgrade();
        let upgrading = thread::spawn(move || match weak.upgrade() {
            Some(sender) => {
                sender.try_send(1).expect("it is open");
                true
            }
            None => false,
        });
        drop(sender);
        let received = block_on(receiver.recv(Bare)).is_ok();
        assert_eq!(received, upgrading.join().unwrap());
    });
}

/// A poll with a new waker beside the send: the wait has its message when it is
/// polled, or the new waker is woken.
#[test]
fn loom_the_last_waker_is_the_one_woken() {
    model(4, || {
        let (sender, receiver) = bounded(1);
        let mut recv = Box::pin(receiver.recv_future());
        assert!(poll(recv.as_mut(), &counting_waker().1).is_pending());
        let sending = thread::spawn(move || sender.try_send(1).unwrap());
        let (wakes, waker) = counting_waker();
        let polled = poll(recv.as_mut(), &waker);
        sending.join().unwrap();
        if polled.is_pending() {
            assert_eq!(wakes.count(), 1, "the wake-up went to an old waker");
            assert_eq!(poll_noop(recv.as_mut()), Poll::Ready(Ok(1)));
        }
    });
}

/// A promised receive is dropped, polled by its own task, or gives way to another
/// of it: the message is had once.
#[test]
fn loom_a_promise_goes_to_one() {
    model(4, || {
        let (sender, receiver) = bounded(1);
        let receiver = leak(receiver);
        let (_, task) = counting_waker();
        let mut left_alone = Box::pin(receiver.recv_future());
        assert!(poll(left_alone.as_mut(), &task).is_pending());
        sender.try_send(1).unwrap();
        let same_task = task.clone();
        let sibling = thread::spawn(move || {
            let mut sibling = Box::pin(receiver.recv_future());
            poll(sibling.as_mut(), &same_task).is_ready()
        });
        let own = poll(left_alone.as_mut(), &task).is_ready();
        let others = sibling.join().unwrap();
        drop(left_alone);
        let left = receiver.try_recv().is_ok();
        assert_eq!(
            usize::from(own) + usize::from(others) + usize::from(left),
            1
        );
    });
}

/// Two threads end the wait of one handle, which has been promised a message: it is had
/// once, and the thread that ended the wait has seen what was done to it before.
#[test]
fn loom_a_wait_of_a_handle_ends_once() {
    model(3, || {
        let (sender, mut receiver) = bounded(1);
        let (_, waker) = counting_waker();
        let mut cx = Context::from_waker(&waker);
        assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
        sender.try_send(Parcel::new(7)).ok().unwrap();
        let receiver = Arc::new(receiver);
        let other = receiver.clone();
        let receiving = thread::spawn(move || other.try_recv().is_ok());
        let own = receiver.try_recv().is_ok();
        let others = receiving.join().unwrap();
        let left = receiver.try_recv().is_ok();
        assert_eq!(
            usize::from(own) + usize::from(others) + usize::from(left),
            1
        );
    });
}

/// Two sends that both find no room, and allocate it.
#[test]
fn loom_both_make_room() {
    model(3, || {
        let (sender, receiver) = unbounded();
        let other = sender.clone();
        let sending = thread::spawn(move || other.try_send(Parcel::new(1)).is_ok());
        assert!(sender.try_send(Parcel::new(2)).is_ok());
        assert!(sending.join().unwrap());
        let received = [(); 2].map(|()| receiver.try_recv().ok().unwrap().open());
        assert!(received == [1, 2] || received == [2, 1]);
    });
}

/// A thread that sees that the channel is closed sees what was done before the close,
/// without the inner lock.
#[test]
fn loom_close_happens_before_is_closed() {
    model(3, || {
        let (sender, receiver) = bounded::<()>(1);
        let cell = Arc::new(UnsafeCell::new(0));
        let written = Parcel(cell.clone());
        let closing = thread::spawn(move || {
            // SAFETY: no thread reads before the close.
            written.0.with_mut(|cell| unsafe { *cell = 1 });
            receiver.close();
        });
        if sender.is_closed() {
            assert_eq!(Parcel(cell).open(), 1);
        }
        closing.join().unwrap();
    });
}

/// A thread that learns that the last handle of the other side is gone sees what was done
/// with each of them before it was dropped.
#[test]
fn loom_every_drop_happens_before_the_end() {
    fn drop_two<H: core::marker::Send + 'static>(handles: [H; 2]) -> [Parcel; 2] {
        handles.map(|handle| {
            let parcel = Parcel::new(0);
            let written = parcel.clone();
            thread::spawn(move || {
                // SAFETY: no thread reads before the handle is dropped.
                written.0.with_mut(|cell| unsafe { *cell = 1 });
                drop(handle);
            });
            parcel
        })
    }
    model(2, || {
        let (sender, receiver) = bounded::<()>(1);
        let parcels = drop_two([sender.clone(), sender]);
        assert!(block_on(receiver.recv(Bare)).is_err());
        assert!(parcels.iter().all(|parcel| parcel.open() == 1));
    });
    model(2, || {
        let (sender, receiver) = bounded::<()>(1);
        let parcels = drop_two([receiver.clone(), receiver]);
        block_on(sender.closed(Bare));
        assert!(parcels.iter().all(|parcel| parcel.open() == 1));
    });
}

// Fair in the end: a wait that has come in vain once is handed the next, and a grant that
// is met goes on.

fn eventual<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    bounded_with_fairness(capacity, crate::Fairness::Eventual)
}

/// [`loom_each_message_once`].
#[test]
fn loom_eventual_each_message_once() {
    model(2, || {
        let (sender, receiver) = eventual(1);
        let other = sender.clone();
        let sending = thread::spawn(move || {
            block_on(other.send(Bare, Parcel::new(1))).ok().unwrap();
        });
        let another = receiver.clone();
        let receiving = thread::spawn(move || block_on(another.recv(Bare)).unwrap().open());
        block_on(sender.reserve(Bare)).unwrap().send(Parcel::new(2));
        let own = block_on(receiver.recv(Bare)).unwrap().open();
        sending.join().unwrap();
        assert_eq!(own + receiving.join().unwrap(), 3);
    });
}

/// A receive that is being called is dropped beside a receive that does not wait: the next
/// message calls the next.
#[test]
fn loom_eventual_cancelled_recv_meets_an_attempt() {
    model(3, || {
        let (sender, receiver) = eventual(1);
        let receiver = leak(receiver);
        let mut first = Box::pin(receiver.recv_future());
        assert!(poll(first.as_mut(), &counting_waker().1).is_pending());
        let (wakes, waker) = counting_waker();
        let mut second = Box::pin(receiver.recv_future());
        assert!(poll(second.as_mut(), &waker).is_pending());
        sender.try_send(1).unwrap();
        let cancelling = thread::spawn(move || drop(first));
        let trying = thread::spawn(|| receiver.try_recv().is_ok());
        let sent = sender.try_send(2).is_ok();
        cancelling.join().unwrap();
        let left = 1 + usize::from(sent) - usize::from(trying.join().unwrap());
        assert!(left == 0 || wakes.count() >= 1, "the call was lost");
        assert_eq!(poll(second.as_mut(), &waker).is_ready(), left != 0);
    });
}

/// The same on the other side.
#[test]
fn loom_eventual_cancelled_send_meets_an_attempt() {
    model(3, || {
        let (sender, receiver) = eventual(1);
        let sender = leak(sender);
        sender.try_send(0).unwrap();
        let mut first = Box::pin(sender.send_future(1));
        assert!(poll(first.as_mut(), &counting_waker().1).is_pending());
        let (wakes, waker) = counting_waker();
        let mut second = Box::pin(sender.send_future(2));
        assert!(poll(second.as_mut(), &waker).is_pending());
        assert_eq!(receiver.try_recv(), Ok(0));
        let cancelling = thread::spawn(move || drop(first));
        let trying = thread::spawn(|| sender.try_send(3).is_ok());
        let received = receiver.try_recv().is_ok();
        cancelling.join().unwrap();
        let free = trying.join().unwrap() == received;
        assert!(!free || wakes.count() >= 1, "the call was lost");
        assert_eq!(poll(second.as_mut(), &waker).is_ready(), free);
    });
}

/// A wait that is handed a message, after it has come in vain, is polled beside an attempt:
/// the message is had once.
#[test]
fn loom_eventual_a_hand_over_meets_an_attempt() {
    model(3, || {
        let (sender, receiver) = eventual(1);
        let receiver = leak(receiver);
        let (_, task) = counting_waker();
        let mut wait = Box::pin(receiver.recv_future());
        assert!(poll(wait.as_mut(), &task).is_pending());
        sender.try_send(1).unwrap();
        receiver.try_recv().unwrap();
        assert!(poll(wait.as_mut(), &task).is_pending(), "it comes in vain");
        let trying = thread::spawn(|| receiver.try_recv().is_ok());
        sender.try_send(2).unwrap();
        let own = poll(wait.as_mut(), &task).is_ready();
        assert_ne!(own, trying.join().unwrap());
        if !own {
            sender.try_send(3).unwrap();
            assert_eq!(poll(wait.as_mut(), &task), Poll::Ready(Ok(3)));
        }
    });
}

/// The channel is closed beside a wait that comes after it was called.
#[test]
fn loom_eventual_close_meets_the_called() {
    model(3, || {
        let (sender, receiver) = eventual(1);
        let sender = leak(sender);
        sender.try_send(0).unwrap();
        let (wakes, waker) = counting_waker();
        let mut called = Box::pin(sender.send_future(1));
        let mut queued = Box::pin(sender.send_future(2));
        assert!(poll(called.as_mut(), &waker).is_pending());
        assert!(poll(queued.as_mut(), &waker).is_pending());
        receiver.try_recv().unwrap();
        assert_eq!(wakes.count(), 1);
        let closing = thread::spawn(move || {
            receiver.close();
            receiver
        });
        let sent = poll(called.as_mut(), &waker);
        let receiver = closing.join().unwrap();
        let is_sent = sent == Poll::Ready(Ok(()));
        assert!(is_sent || sent == Poll::Ready(Err(SendError(1))));
        assert_eq!(receiver.try_recv().is_ok(), is_sent);
        assert_eq!(wakes.count(), 2, "a refusal was lost");
        assert_eq!(poll_noop(queued.as_mut()), Poll::Ready(Err(SendError(2))));
    });
}
