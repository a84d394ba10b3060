//! Memory follows what is unread, and a rhythm allocates nothing.

use super::{Overflow, Receiver, Sender, TryRecvError, channel, channel_with};
use crate::test_util::allocations;

type Message = [u8; 256];

/// What 16 KiB hold, and what is in use.
const LITTLE: usize = 64;

fn burst(sender: &Sender<Message>, receivers: &mut [Receiver<Message>], messages: usize) {
    for _ in 0..messages {
        assert!(sender.send([0; 256]).is_ok());
    }
    for receiver in receivers {
        (0..messages).for_each(|_| assert!(receiver.try_recv().is_ok()));
    }
}

fn room(sender: &Sender<Message>) -> usize {
    sender.shared.lock().room()
}

/// `broadcast::memory_follows_its_content`
#[test]
fn memory_follows_its_content() {
    const MANY: usize = 20_000;
    for overflow in [Overflow::Lag, Overflow::Wait] {
        let (sender, mut receiver) = channel_with(2 * MANY, overflow);
        let mut slow = sender.subscribe();
        for _ in 0..MANY {
            sender.send([0; 256]).unwrap();
            receiver.try_recv().unwrap();
        }
        assert!((MANY..MANY + LITTLE).contains(&room(&sender)));
        (1..MANY).for_each(|_| assert!(slow.try_recv().is_ok()));
        assert!(room(&sender) <= LITTLE, "it has drained: {}", room(&sender));
        assert_eq!(sender.len(), 1);
        drop(slow);
        // What a receiver leaves behind.
        burst(&sender, &mut [], MANY);
        drop(receiver);
        // The second burst: twice as much is kept.
        assert!(
            room(&sender) <= 2 * LITTLE,
            "it has gone: {}",
            room(&sender)
        );
    }
    // What is pushed out.
    let (sender, mut receiver) = channel(4);
    burst(&sender, &mut [], MANY);
    assert!(room(&sender) <= 8);
    let lagged = TryRecvError::Lagged(MANY as u64 - 4);
    assert_eq!(receiver.try_recv(), Err(lagged));
}

/// `broadcast::steady_rhythm_allocates_nothing`
#[test]
fn steady_rhythm_allocates_nothing() {
    for messages in [1, 2, 3, 20, 64, 500, 3_000] {
        let sender = Sender::new(messages);
        let mut receivers = [sender.subscribe(), sender.subscribe()];
        // More is kept after each of the first.
        (0..8).for_each(|_| burst(&sender, &mut receivers, messages));
        let count = allocations(|| {
            (0..20).for_each(|_| burst(&sender, &mut receivers, messages));
        });
        assert_eq!(count, 0, "bursts of {messages}");
        assert!(room(&sender) <= 2 * messages + LITTLE);
        // Then it is quiet, and what was kept is freed.
        for _ in 0..20 * messages + 20 * LITTLE {
            burst(&sender, &mut receivers, 1);
        }
        assert!(room(&sender) <= LITTLE, "{} of {messages}", room(&sender));
        let count = allocations(|| {
            (0..100).for_each(|_| burst(&sender, &mut receivers, 1));
        });
        assert_eq!(count, 0);
    }
}

/// A single burst is freed as it drains, however often there was none.
#[test]
fn full_ring_that_is_pushed_out_allocates_nothing() {
    for capacity in [1, 2, 3, 64, 1_000] {
        let (sender, receiver) = channel(capacity);
        burst(&sender, &mut [], 2 * capacity + 8);
        assert_eq!(allocations(|| burst(&sender, &mut [], 2 * capacity + 8)), 0);
        assert!(room(&sender) <= capacity + 8);
        drop(receiver);
    }
}

/// Receivers that come and go with messages unread are a rhythm too.
#[test]
fn receivers_that_come_and_go_allocate_nothing() {
    let (sender, mut stays) = channel(64);
    let mut round = || {
        let goes = sender.subscribe();
        burst(&sender, core::slice::from_mut(&mut stays), 10);
        drop(goes);
    };
    (0..3).for_each(|_| round());
    assert_eq!(allocations(|| (0..10).for_each(|_| round())), 0);
}
