//! Memory: how much the channel has of it, when it is allocated and freed, and what is
//! done under the inner lock.

use super::super::buffer::Buffer;
use super::*;
use crate::test_util::{live_bytes, under_lock};

type Large = [u64; 32];

#[test]
fn idle_size_is_bounded() {
    // The published numbers; an `Arc` adds two counts.
    let sink = usize::from(cfg!(feature = "futures-sink"));
    assert_eq!(size_of::<Sender<u64>>(), 8 + 8 * sink);
    assert_eq!(size_of::<Receiver<u64>>(), 16);
    assert_eq!(size_of::<WeakSender<u64>>(), 8);
    assert_eq!(size_of::<WeakReceiver<u64>>(), 8);
    assert!(size_of::<OwnedPermit<u64>>() <= 8 + 8 * sink);
    assert!(size_of::<Chan<u64>>() + 2 * size_of::<usize>() <= 256);
    assert!(size_of::<Recv<'_, u64>>() <= 56);
    assert!(size_of::<Send<'_, [u64; 9]>>() <= 56 + 8 + 9 * 8);

    fn kept<T: Default>(sender: &Sender<T>, receiver: &Receiver<T>) -> usize {
        for _ in 0..10_000 {
            let _ = sender.try_send(T::default());
        }
        drain(receiver);
        sender.chan().lock().buffer.room() * size_of::<T>()
    }
    let (sender, receiver) = unbounded::<u64>();
    assert_eq!(
        sender.chan().lock().buffer.room(),
        0,
        "allocated in advance"
    );
    assert!(kept(&sender, &receiver) <= 16 * 1024);
    let (sender, receiver) = bounded::<u64>(5_000);
    assert!(kept(&sender, &receiver) <= 16 * 1024);
    let (sender, receiver) = bounded::<u64>(3);
    assert!(kept(&sender, &receiver) <= 128, "more than its capacity");
    let (sender, receiver) = bounded::<[u64; 32]>(3);
    assert!(
        kept(&sender, &receiver) <= 3 * 256,
        "more than its capacity"
    );
    let (sender, receiver) = unbounded::<[[u64; 32]; 8]>();
    assert!(kept(&sender, &receiver) <= 2 * 4 * 2048);
    let (sender, receiver) = unbounded::<()>();
    assert_eq!(kept(&sender, &receiver), 0);
    assert_eq!(Buffer::<u64>::SLOTS, 1024);
    assert_eq!(Buffer::<[u8; 3000]>::SLOTS, 4);
}

#[test]
fn memory_follows_its_content() {
    for capacity in [None, Some(100_000)] {
        let before = live_bytes();
        let (sender, receiver) = capacity.map_or_else(unbounded::<Large>, bounded);
        for number in 0..100_000 {
            sender.try_send([number; 32]).unwrap();
        }
        assert!(live_bytes() - before < 2 * 100_000 * 256);
        // Down to half, to a tenth, to one.
        for left in [50_000_usize, 10_000, 1_000, 1] {
            while receiver.len() > left {
                receiver.try_recv().unwrap();
            }
            let bytes = live_bytes() - before;
            assert!(
                bytes < 2 * left as isize * 256 + 24 * 1024,
                "{bytes} for {left}"
            );
        }
        // And it stays so.
        for number in 0..10_000 {
            sender.try_send([number; 32]).unwrap();
            receiver.try_recv().unwrap();
        }
        let bytes = live_bytes() - before;
        assert!(bytes < 20 * 1024, "{bytes} for one");
        drain(&receiver);
        assert!(live_bytes() - before < 20 * 1024);
        drop((sender, receiver));
        assert_eq!(live_bytes(), before);
    }
}

/// The same bursts again and again leave a bounded room, which goes when they are
/// over.
#[test]
fn bursts_that_have_ended_leave_little() {
    let (sender, receiver) = unbounded::<Large>();
    let before = live_bytes();
    for _ in 0..20 {
        for number in 0..10_000 {
            sender.try_send([number; 32]).unwrap();
        }
        drain(&receiver);
        assert!(live_bytes() - before <= 34 * 1024);
    }
    for number in 0..100_000 {
        sender.try_send([number; 32]).unwrap();
        receiver.try_recv().unwrap();
    }
    assert!(live_bytes() - before <= 17 * 1024);
}

#[test]
fn steady_rhythm_allocates_nothing() {
    fn rhythm<T: Default>(burst: usize, left: usize, capacity: Option<usize>) {
        let (sender, receiver) = capacity.map_or_else(unbounded::<T>, bounded);
        for _ in 0..left {
            sender.try_send(T::default()).ok().unwrap();
        }
        let round = || {
            for _ in 0..burst {
                sender.try_send(T::default()).ok().unwrap();
            }
            for _ in 0..burst {
                receiver.try_recv().ok().unwrap();
            }
        };
        // Once through all blocks of those that stay, and as often as a burst takes to
        // be known as one that comes again.
        for _ in 0..40 + 2 * left / burst {
            round();
        }
        let count = allocations(|| {
            for _ in 0..200 {
                round();
            }
        });
        assert_eq!(count, 0, "{burst} beside {left}, {} bytes", size_of::<T>());
    }
    for capacity in [None, Some(40_000)] {
        for burst in [1, 2, 20, 256, 1_000, 2_000, 4_000] {
            rhythm::<u64>(burst, 0, capacity);
            rhythm::<u64>(burst, 1, capacity);
            rhythm::<u64>(burst, 20_000, capacity);
        }
        for burst in [1, 20, 256, 500] {
            rhythm::<[u64; 8]>(burst, 0, capacity);
            rhythm::<[u64; 8]>(burst, 3, capacity);
            rhythm::<[u64; 8]>(burst, burst, capacity);
        }
        for burst in [1, 20, 120] {
            rhythm::<Large>(burst, 0, capacity);
            rhythm::<Large>(burst, burst, capacity);
            rhythm::<Large>(burst, 5_000, capacity);
        }
    }
    for capacity in [1_usize, 2, 3, 7, 100, 1_000] {
        for burst in [1, capacity.div_ceil(2), capacity] {
            rhythm::<u64>(burst, 0, Some(capacity));
            rhythm::<u64>(burst, capacity - burst, Some(capacity));
        }
    }
}

#[test]
fn inner_lock_is_short() {
    const MANY: usize = 100_000;
    let (sender, receiver) = unbounded();
    let count = under_lock(|| {
        for number in 0..MANY {
            sender.try_send(Box::new(number)).unwrap();
        }
        let mut batch = Vec::new();
        let taken = Bare.block_on(receiver.recv_many(Bare, &mut batch, MANY / 2));
        assert_eq!((taken, *batch[taken - 1]), (MANY / 2, MANY / 2 - 1));
        drop(batch);
        for _ in 0..MANY / 10 {
            receiver.try_recv().unwrap();
        }
        let mut send = pin!(sender.send_future(Box::new(0)));
        assert!(poll_noop(send.as_mut()).is_ready());
        sender.try_reserve().unwrap().send(Box::new(1));
        sender.force_send(Box::new(2)).unwrap();
        drop(receiver);
        drop(sender.try_send(Box::new(3)));
    });
    assert_eq!(count, 0, "allocated or freed under the lock");

    let (sender, receiver) = bounded(MANY);
    let count = under_lock(|| {
        for number in 0..2 * MANY {
            sender.force_send(number).unwrap();
        }
        let mut recv = pin!(receiver.recv_future());
        assert!(poll_noop(recv.as_mut()).is_ready());
    });
    assert_eq!(count, 0, "allocated or freed under the lock");
}

/// Tasks that see the channel between two rounds of a receive of many see how many each
/// has moved.
#[test]
fn many_are_received_in_rounds() {
    let (sender, receiver) = full(1_000);
    let round = Chan::<usize>::ROUND;
    let seen = Arc::new(std::sync::Mutex::new(vec![1_000]));
    let wakes = (0..1_000).map(|_| {
        let (seen, weak) = (seen.clone(), receiver.downgrade());
        let waker = reentrant_waker(move || {
            if let Some(receiver) = weak.upgrade() {
                seen.lock().unwrap().push(receiver.len());
            }
        });
        let mut send = Box::pin(sender.send_future(0));
        assert!(poll(send.as_mut(), &waker).is_pending());
        send
    });
    let sends: Vec<_> = wakes.collect();
    let mut batch = Vec::new();
    let taken = Bare.block_on(receiver.recv_many(Bare, &mut batch, 5_000));
    assert_eq!(taken, 1_000);
    assert!(batch.iter().copied().eq(0..1_000));
    drop(sends);
    let mut seen = seen.lock().unwrap();
    seen.dedup();
    assert!(
        seen.windows(2).all(|pair| pair[0] - pair[1] <= round),
        "{seen:?}"
    );
    assert!(seen.len() >= 1_000 / round);
}

/// What is sent between the rounds is not for this receive.
#[test]
fn many_are_as_many_as_there_were() {
    let (sender, receiver) = full(600);
    let weak = sender.downgrade();
    let waker = reentrant_waker(move || {
        if let Some(sender) = weak.upgrade() {
            while sender.try_send(7).is_ok() {}
        }
    });
    let mut send = Box::pin(sender.send_future(0));
    assert!(poll(send.as_mut(), &waker).is_pending());
    let mut batch = Vec::new();
    assert_eq!(
        Bare.block_on(receiver.recv_many(Bare, &mut batch, 5_000)),
        600
    );
    assert!(!receiver.is_empty());
    drop(send);
    drain(&receiver);
    idle(receiver.chan());
}
