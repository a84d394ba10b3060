//! The inner lock is short: what is looked at while it is held once does not grow
//! with what is in the ring. And a receiver that goes, goes at once.

use core::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::vec::Vec;

use super::ring::visits;
use super::{
    Overflow, Receiver, RecvError, SendError, Sender, TryRecvError, channel, channel_with,
};
use crate::io::{Bare, Block};
use crate::test_util::{allocations, counting_waker, poll, scope};

const MANY: usize = 10_000;

/// No operation looks at more slots at a time than a block has, or than these.
const FEW: usize = 3;

fn with_many(overflow: Overflow) -> (Sender<usize>, Receiver<usize>) {
    let (sender, receiver) = channel_with(MANY, overflow);
    (0..MANY).for_each(|n| assert_eq!(sender.send(n), Ok(1)));
    (sender, receiver)
}

/// `any::inner_lock_is_short`
#[test]
fn inner_lock_is_short() {
    for overflow in [Overflow::Lag, Overflow::Wait] {
        let most = visits::most(|| {
            // It fills, and grows.
            let (sender, mut slow) = with_many(overflow);
            let quick = sender.subscribe();
            let middle = slow.resubscribe();
            let _ = sender.send(0);
            assert!(slow.len() >= MANY);
            if overflow == Overflow::Lag {
                assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(1)));
            }
            slow.try_recv().unwrap();
            drop(quick);
            drop(slow);
            drop(middle);
            assert!(sender.is_empty());
            // The last sender goes before the last receiver, which has not read.
            let receiver = sender.subscribe();
            (0..MANY).for_each(|n| assert_eq!(sender.send(n), Ok(1)));
            assert_eq!(receiver.len(), MANY);
            drop(sender);
            assert!(receiver.is_closed());
            drop(receiver);
        });
        assert!(most <= FEW, "{most} slots at a time");
    }
}

/// `broadcast::lagging_receiver_leaves_at_once`
#[test]
fn lagging_receiver_leaves_at_once() {
    // Others need the same messages.
    let (sender, slow) = channel(MANY);
    let slower = sender.subscribe();
    (0..MANY).for_each(|n| assert_eq!(sender.send(n), Ok(2)));
    assert!(visits::total(|| drop(slow)) <= 1);
    assert_eq!(sender.len(), MANY);
    // Behind by more than the ring holds, and alone.
    (0..MANY).for_each(|n| assert_eq!(sender.send(n), Ok(1)));
    assert!(visits::most(|| drop(slower)) <= FEW);
    assert_eq!(sender.len(), 0);
}

/// No other task is held up between two values that a receiver leaves behind: it is not
/// there any more, and what others do meanwhile is done.
#[test]
fn others_act_while_a_receiver_leaves() {
    #[derive(Clone)]
    struct Acts(Arc<dyn Fn() + Send + Sync>);

    impl Drop for Acts {
        fn drop(&mut self) {
            (self.0)();
        }
    }

    let calls = Arc::new(AtomicUsize::new(0));
    let (sender, leaves) = channel::<Acts>(16);
    let weak = sender.downgrade();
    let count = calls.clone();
    let act = Acts(Arc::new(move || {
        let Some(sender) = weak.upgrade() else { return };
        let call = count.fetch_add(1, Ordering::SeqCst);
        if call >= 8 {
            return;
        }
        // Only the one that came while the other left is there.
        let quiet = Acts(Arc::new(|| ()));
        assert!(matches!(
            sender.send(quiet.clone()),
            Err(SendError::Closed(_))
        ));
        let mut late = sender.subscribe();
        assert_eq!(sender.send(quiet.clone()).ok(), Some(1));
        assert_eq!(sender.send(quiet).ok(), Some(1));
        assert!(late.try_recv().is_ok());
        assert_eq!(late.len(), 1);
        drop(late);
        assert_eq!(sender.receiver_count(), 0);
    }));
    for _ in 0..8 {
        assert!(sender.send(Acts(act.0.clone())).is_ok());
    }
    drop(leaves);
    assert_eq!(calls.load(Ordering::SeqCst), 8);
    assert!(sender.is_empty());
}

/// A sender that waits goes on as soon as there is one place, and needs not wait for
/// all that is left behind.
#[test]
fn sender_goes_on_while_a_receiver_leaves() {
    let (sender, slow) = channel_with(4, Overflow::Wait);
    let mut quick = sender.subscribe();
    for n in 0..4 {
        sender.send(n).unwrap();
        quick.try_recv().unwrap();
    }
    let (wakes, waker) = counting_waker();
    let mut wait = pin!(sender.send_wait(Bare, 4));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(slow);
    assert_eq!(wakes.count(), 1);
    assert!(poll(wait, &waker).is_ready());
    assert_eq!(quick.try_recv(), Ok(4));
    let free = sender.shared.room.available_permits();
    assert_eq!(free, 4);
}

/// Receivers come, read a little, and go with the rest unread.
fn come_and_go<T: Clone>(sender: &Sender<T>, rounds: usize, seed: usize) {
    for round in 0..rounds {
        let mut receivers: Vec<_> = (0..3).map(|_| sender.subscribe()).collect();
        for receiver in &mut receivers {
            for _ in 0..(round * seed) % 5 {
                let _ = receiver.try_recv();
            }
        }
        let at = round % receivers.len();
        drop(receivers.swap_remove(at));
    }
}

/// What a receiver has seen, and missed, until the end.
fn count_all<T: Clone>(receiver: &mut Receiver<(usize, T)>) -> usize {
    let mut next = 0;
    loop {
        match receiver.blocking_recv() {
            Ok((n, _)) => {
                assert_eq!(n, next);
                next += 1;
            }
            Err(RecvError::Lagged(missed)) => next += missed as usize,
            Err(RecvError::Closed) => return next,
        }
    }
}

#[test]
fn threads_come_and_go_while_others_send() {
    const ROUNDS: usize = 300;
    for overflow in [Overflow::Lag, Overflow::Wait] {
        let value = Arc::new(());
        let (sender, mut stays) = channel_with(7, overflow);
        scope(|scope| {
            for seed in 1..3_usize {
                let sender = sender.clone();
                scope.spawn(move || come_and_go(&sender, ROUNDS, seed));
            }
            let value = value.clone();
            scope.spawn(move || {
                for n in 0..2 * ROUNDS {
                    let sent = Bare.block_on(sender.send_wait(Bare, (n, value.clone())));
                    assert!(sent.is_ok());
                }
            });
            assert_eq!(count_all(&mut stays), 2 * ROUNDS);
        });
        drop(stays);
        assert_eq!(Arc::strong_count(&value), 1, "each is dropped once");
    }
}

/// Nothing is allocated to leave.
#[test]
fn leaving_allocates_nothing() {
    let (sender, receiver) = with_many(Overflow::Lag);
    assert_eq!(allocations(|| drop(receiver)), 0);
    drop(sender);
}
