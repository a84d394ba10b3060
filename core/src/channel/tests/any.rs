//! The laws of every primitive that waits.

use super::*;

#[test]
fn dropped_wait_leaves_no_trace() {
    let (wakes, waker) = counting_waker();
    let (sender, receiver) = full(1);
    drop(sender.send_future(1));
    let mut queued = Box::pin(sender.send_future(1));
    assert!(poll(queued.as_mut(), &waker).is_pending());
    drop(queued);
    let mut granted = Box::pin(sender.send_future(1));
    assert!(poll(granted.as_mut(), &waker).is_pending());
    receiver.try_recv().unwrap();
    drop(granted);
    idle(sender.chan());
    drop(receiver.recv_future());
    let mut queued = Box::pin(receiver.recv_future());
    assert!(poll(queued.as_mut(), &waker).is_pending());
    drop(queued);
    let mut promised = Box::pin(receiver.recv_future());
    assert!(poll(promised.as_mut(), &waker).is_pending());
    sender.try_send(2).unwrap();
    drop(promised);
    idle(sender.chan());
    let mut watcher = Box::pin(sender.closed(Bare));
    assert!(poll(watcher.as_mut(), &waker).is_pending());
    drop(watcher);
    idle(sender.chan());
    assert_eq!(drain(&receiver), [2]);
    drop(waker);
    assert_eq!(wakes.count(), 2);
    assert_eq!(Arc::strong_count(&wakes), 1, "a waker was leaked");
}

#[test]
fn dropped_from_the_middle_the_others_keep_their_order() {
    let (sender, receiver) = full(1);
    let mut sends: Vec<_> = (1..6).map(|n| Queued::new(sender.send_future(n))).collect();
    for gone in [2, 0, 2] {
        drop(sends.remove(gone));
    }
    assert_eq!(receiver.try_recv(), Ok(0));
    sends[0].won().unwrap();
    assert_eq!(receiver.try_recv(), Ok(2));
    sends[1].won().unwrap();
    assert_eq!(drain(&receiver), [4]);
    let mut receives: Vec<_> = (0..5)
        .map(|_| Queued::new(receiver.recv_future()))
        .collect();
    for gone in [2, 0, 2] {
        drop(receives.remove(gone));
    }
    for (number, wait) in receives.iter_mut().enumerate() {
        sender.try_send(number).unwrap();
        assert_eq!(wait.won(), Ok(number));
    }
    idle(sender.chan());
}

#[test]
fn last_waker_is_the_one_woken() {
    let (old_wakes, old) = counting_waker();
    let (new_wakes, new) = counting_waker();
    let (sender, receiver) = full(1);
    let mut send = Box::pin(sender.send_future(1));
    assert!(poll(send.as_mut(), &old).is_pending());
    assert!(poll(send.as_mut(), &new).is_pending());
    assert_eq!(drain(&receiver), [0]);
    assert_eq!(new_wakes.count(), 1);
    assert!(poll(send.as_mut(), &new).is_ready());
    assert_eq!(drain(&receiver), [1]);
    let mut recv = Box::pin(receiver.recv_future());
    assert!(poll(recv.as_mut(), &old).is_pending());
    assert!(poll(recv.as_mut(), &new).is_pending());
    let mut watcher = Box::pin(sender.closed(Bare));
    assert!(poll(watcher.as_mut(), &old).is_pending());
    assert!(poll(watcher.as_mut(), &new).is_pending());
    drop(old);
    assert_eq!(Arc::strong_count(&old_wakes), 1, "the old one was kept");
    sender.try_send(2).unwrap();
    assert_eq!((old_wakes.count(), new_wakes.count()), (0, 2));
    sender.close();
    assert_eq!((old_wakes.count(), new_wakes.count()), (0, 3));
}

#[test]
fn a_waker_may_deny_its_own_clones() {
    let waker = crate::test_util::denying_waker();
    let (sender, receiver) = full(1);
    let mut send = pin!(sender.send_future(1));
    let mut closed = pin!(sender.closed(Bare));
    for _ in 0..3 {
        assert!(poll(send.as_mut(), &waker).is_pending());
        assert!(poll(closed.as_mut(), &waker).is_pending());
    }
    assert_eq!(drain(&receiver), [0]);
    assert!(poll(send.as_mut(), &waker).is_ready());
    sender.close();
    assert!(poll(closed.as_mut(), &waker).is_ready());
}

#[test]
fn spurious_poll_is_harmless() {
    let (sender, receiver) = bounded(1);
    let mut waits = [(); 2].map(|()| Queued::new(receiver.recv_future()));
    for _ in 0..3 {
        assert!(waits[1].poll().is_pending());
        assert!(waits[0].poll().is_pending());
    }
    sender.try_send(0).unwrap();
    assert!(waits[1].poll().is_pending());
    assert_eq!(waits[0].won(), Ok(0));
    drop(waits);
    sender.try_send(1).unwrap();
    let mut waits = [2, 3].map(|n| Queued::new(sender.send_future(n)));
    for _ in 0..3 {
        assert!(waits[1].poll().is_pending());
        assert!(waits[0].poll().is_pending());
    }
    assert_eq!(drain(&receiver), [1]);
    assert!(waits[1].poll().is_pending());
    waits[0].won().unwrap();
}

#[test]
fn waker_may_reenter() {
    static RAN: AtomicUsize = AtomicUsize::new(0);

    let (sender, receiver) = full(2);
    let waker = |sender: &Sender<usize>, receiver: &Receiver<usize>| {
        let (sender, receiver) = (sender.downgrade(), receiver.downgrade());
        reentrant_waker(move || {
            RAN.fetch_add(1, Ordering::Relaxed);
            let (Some(sender), Some(receiver)) = (sender.upgrade(), receiver.upgrade()) else {
                return;
            };
            let (_, waker) = counting_waker();
            let _ = poll(pin!(sender.send_future(1)), &waker);
            let _ = poll(pin!(receiver.recv_future()), &waker);
            drop(poll(pin!(sender.reserve_many(Bare, 2)), &waker));
            let _ = poll(pin!(sender.closed(Bare)), &waker);
            let _ = receiver.recv_with(pin!(Waiter::new()));
            let _ = (
                sender.try_send(1),
                receiver.try_recv(),
                sender.force_send(1),
            );
            drop((
                sender.clone(),
                receiver.clone(),
                format!("{sender:?} {receiver:?}"),
            ));
        })
    };
    let new = || waker(&sender, &receiver);
    let mut send = Box::pin(sender.send_future(7));
    let queued = |wait: &mut Pin<Box<Send<'_, usize>>>| poll(wait.as_mut(), &new()).is_pending();
    let _ = queued(&mut send) && queued(&mut send); // cloned, then replaced
    while receiver.try_recv().is_ok() {}
    let mut recv = Box::pin(receiver.recv_future());
    if poll(recv.as_mut(), &new()).is_pending() {
        let _ = poll(recv.as_mut(), &new());
    }
    sender.force_send(1).unwrap();
    drop(recv);
    drop(send);
    let mut watcher = Box::pin(sender.closed(Bare));
    assert!(poll(watcher.as_mut(), &new()).is_pending());
    let mut queue = Vec::new();
    while receiver.try_recv().is_ok() {}
    for _ in 0..3 {
        let mut recv = Box::pin(receiver.recv_future());
        let _ = poll(recv.as_mut(), &new());
        queue.push(recv);
    }
    sender.close();
    drop(queue);
    assert!(poll(watcher.as_mut(), &new()).is_ready());
    assert!(RAN.load(Ordering::Relaxed) >= 8);
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let bad = panicking_waker();
    for by_close in [false, true] {
        // Many senders, let in by one `recv_many`, or refused.
        let (sender, receiver) = full(2 * BATCH);
        let mut first = Box::pin(sender.send_future(0));
        assert!(poll(first.as_mut(), &bad).is_pending());
        let mut sends: Vec<_> = (1..2 * BATCH)
            .map(|n| Queued::new(sender.send_future(n)))
            .collect();
        let mut watcher = Queued::new(sender.closed(Bare));
        let mut batch = Vec::new();
        let message = panic_message(|| {
            if by_close {
                receiver.close();
            } else {
                let _ = poll_noop(pin!(receiver.recv_many(Bare, &mut batch, 2 * BATCH)));
            }
        });
        assert_eq!(message, WAKER_PANIC);
        for send in &mut sends {
            assert_eq!(send.won().is_err(), by_close);
        }
        assert_eq!(
            poll_noop(first.as_mut()).map(|sent| sent.is_err()),
            Poll::Ready(by_close)
        );
        assert_eq!(watcher.is_woken(), by_close);
        if by_close {
            watcher.won();
        } else {
            assert_eq!(batch.len(), 2 * BATCH);
        }
    }
    // Receivers, by the drop of the last sender; and its count is right.
    let (sender, receiver) = bounded::<u8>(1);
    let mut first = Box::pin(receiver.recv_future());
    assert!(poll(first.as_mut(), &bad).is_pending());
    let mut second = Queued::new(receiver.recv_future());
    assert_eq!(panic_message(|| drop(sender)), WAKER_PANIC);
    assert_eq!(second.won(), Err(RecvError));
    assert_eq!(receiver.sender_count(), 0);
    assert_eq!(poll_noop(first.as_mut()), Poll::Ready(Err(RecvError)));
}

#[test]
fn completed_future_panics_clearly() {
    const TEXT: &str = "a wait of a channel was polled after it had finished";
    let (sender, receiver) = bounded(2);
    let mut send = Box::pin(sender.send_future(1));
    assert!(poll_noop(send.as_mut()).is_ready());
    assert_eq!(
        panic_message(|| {
            let _ = poll_noop(send.as_mut());
        }),
        TEXT
    );
    let mut recv = Box::pin(receiver.recv_future());
    assert!(poll_noop(recv.as_mut()).is_ready());
    assert_eq!(
        panic_message(|| {
            let _ = poll_noop(recv.as_mut());
        }),
        TEXT
    );
    let mut owned = Box::pin(sender.clone().reserve_owned(Bare));
    drop(poll_noop(owned.as_mut()));
    assert_eq!(panic_message(|| drop(poll_noop(owned.as_mut()))), TEXT);
    sender.close();
    let mut closed = Box::pin(sender.closed(Bare));
    assert!(poll_noop(closed.as_mut()).is_ready());
    assert_eq!(
        panic_message(|| {
            let _ = poll_noop(closed.as_mut());
        }),
        TEXT
    );
    let mut recv = Box::pin(receiver.recv_future());
    assert_eq!(poll_noop(recv.as_mut()), Poll::Ready(Err(RecvError)));
    assert_eq!(
        panic_message(|| {
            let _ = poll_noop(recv.as_mut());
        }),
        TEXT
    );
    idle(sender.chan());
}

#[test]
fn moves_between_executors() {
    let (sender, receiver) = bounded(1);
    let mut recv = Box::pin(receiver.recv_future());
    assert!(poll(recv.as_mut(), &counting_waker().1).is_pending());
    scope(|scope| {
        let receiving = scope.spawn(move || Bare.block_on(recv));
        sender.send_blocking(5).unwrap();
        assert_eq!(receiving.join().unwrap(), Ok(5));
    });
}

#[test]
fn waits_without_allocation() {
    let (sender, mut receiver) = full(2);
    let waker = counting_waker().1;
    let count = allocations(|| {
        let mut sends = pin!(sender.send_future(2));
        assert!(poll(sends.as_mut(), &waker).is_pending());
        let mut many = pin!(sender.reserve_many(Bare, 2));
        assert!(poll(many.as_mut(), &waker).is_pending());
        assert!(receiver.try_recv().is_ok());
        assert!(poll(sends.as_mut(), &waker).is_ready());
        let mut watcher = pin!(sender.closed(Bare));
        assert!(poll(watcher.as_mut(), &waker).is_pending());
        while receiver.try_recv().is_ok() {}
        match poll(many.as_mut(), &waker) {
            Poll::Ready(permits) => drop(permits),
            Poll::Pending => panic!("its slots are free"),
        }
        let mut recv = pin!(receiver.recv_future());
        assert!(poll(recv.as_mut(), &waker).is_pending());
        sender.try_send(3).unwrap();
        assert!(poll(recv.as_mut(), &waker).is_ready());
    });
    assert_eq!(count, 0);

    // The handle's own place is allocated once.
    let mut cx = Context::from_waker(&waker);
    let mut round = |receiver: &mut Receiver<usize>| {
        allocations(|| {
            assert!(receiver.poll_recv(&Bare, &mut cx).is_pending());
            sender.try_send(4).unwrap();
            assert!(receiver.poll_recv(&Bare, &mut cx).is_ready());
        })
    };
    assert_eq!(round(&mut receiver), 1);
    assert_eq!(round(&mut receiver), 0);
    let mut other = receiver.clone();
    other.allocate_place();
    assert_eq!(round(&mut other), 0);
    // It is kept also if another receive ends the wait.
    let left = allocations(|| {
        assert!(
            receiver
                .poll_recv(&Bare, &mut Context::from_waker(&waker))
                .is_pending()
        );
        assert!(receiver.try_recv().is_err());
    });
    assert_eq!((left, round(&mut receiver)), (0, 0));
    idle(sender.chan());
}

#[test]
fn cancel_is_constant_time() {
    const MANY: usize = 100_000;
    fn cancel_all(waits: usize) -> core::time::Duration {
        let (sender, receiver) = full(1);
        let waker = counting_waker().1;
        let mut sends: Vec<_> = (0..waits)
            .map(|n| Box::pin(sender.send_future(n)))
            .collect();
        for send in &mut sends {
            assert!(poll(send.as_mut(), &waker).is_pending());
        }
        let (other, waiting) = bounded::<u8>(1);
        let mut receives: Vec<_> = (0..waits)
            .map(|_| Box::pin(waiting.recv_future()))
            .collect();
        for recv in &mut receives {
            assert!(poll(recv.as_mut(), &waker).is_pending());
        }
        let start = Instant::now();
        // From the middle outwards.
        while !sends.is_empty() {
            drop(sends.swap_remove(sends.len() / 2));
            drop(receives.swap_remove(receives.len() / 2));
        }
        let took = start.elapsed();
        drop(receives);
        idle(other.chan());
        drop((sends, receiver));
        took
    }
    let few = cancel_all(MANY / 100).max(core::time::Duration::from_micros(50));
    let many = cancel_all(MANY);
    // 100 times as many: a scan would take 10,000 times as long.
    assert!(many < few * 2_500, "{few:?} for few, {many:?} for many");
}

#[test]
fn spends_budget_after_winning() {
    let io = Budget::default();
    let (sender, receiver) = bounded(1);
    // A ready wait pays once; one that queues pays when it has won.
    assert!(poll_noop(pin!(sender.send(&io, 1))).is_ready());
    assert_eq!(io.asked.replace(0), 1);
    let mut send = Queued::new(sender.send(&io, 2));
    assert_eq!(io.asked.get(), 0);
    assert!(poll_noop(pin!(receiver.recv(&io))).is_ready());
    assert_eq!(io.asked.replace(0), 1);
    send.won().unwrap();
    assert_eq!(io.asked.replace(0), 1);
    drop(send);
    assert_eq!(drain(&receiver), [2]);
    let mut recv = Queued::new(receiver.recv(&io));
    assert_eq!(io.asked.get(), 0);
    sender.try_send(3).unwrap();

    // Without budget the win is kept, and no other passes.
    io.broke.set(true);
    assert!(recv.poll().is_pending());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let mut later = Queued::new(receiver.recv_future());
    io.broke.set(false);
    assert_eq!(recv.poll(), Poll::Ready(Ok(3)));
    drop(recv);
    io.broke.set(true);
    let mut reserve = Box::pin(sender.reserve(&io));
    assert!(poll_noop(reserve.as_mut()).is_pending());
    assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
    io.broke.set(false);
    match poll_noop(reserve.as_mut()) {
        Poll::Ready(permit) => permit.unwrap().send(4),
        Poll::Pending => panic!("it had its slot"),
    };
    assert_eq!(later.won(), Ok(4));

    // Out of budget and in need to wait, it has its place from the first poll.
    sender.try_send(5).unwrap();
    io.broke.set(true);
    let mut first = Box::pin(sender.send(&io, 6));
    assert!(poll_noop(first.as_mut()).is_pending());
    let mut second = Queued::new(sender.send_future(7));
    assert_eq!(drain(&receiver), [5]);
    assert!(!second.is_woken());
    io.broke.set(false);
    assert!(poll_noop(first.as_mut()).is_ready());
    assert_eq!(drain(&receiver), [6]);
    second.won().unwrap();
    drop(second);
    assert_eq!(drain(&receiver), [7]);

    // The refusal costs as well.
    sender.close();
    io.asked.set(0);
    assert!(poll_noop(pin!(receiver.recv(&io))).is_ready());
    assert!(poll_noop(pin!(sender.closed(&io))).is_ready());
    assert_eq!(io.asked.get(), 2);
    idle(sender.chan());
}

#[test]
fn raw_waiter_reports_state() {
    let (sender, receiver) = bounded(1);
    let (stranger, _) = bounded(1);
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(Waiter::with_waker(waker.clone()));
    assert!(receiver.recv_with(waiter.as_mut()).is_none());
    assert!(receiver.recv_with(waiter.as_mut()).is_none());
    assert!(!waiter.is_ready());
    let (other_wakes, other) = counting_waker();
    waiter.as_mut().set_waker(other);
    sender.try_send(1).unwrap();
    assert_eq!((wakes.count(), other_wakes.count()), (0, 1));
    assert!(waiter.is_ready());
    waiter.as_mut().set_waker(waker.clone());
    assert_eq!(wakes.count(), 1, "it is ready: woken at once");
    let mut newcomer = pin!(Waiter::new());
    assert!(receiver.recv_with(newcomer.as_mut()).is_none());
    waiter.as_mut().reset();
    assert!(newcomer.is_ready());
    assert_eq!(receiver.recv_with(newcomer.as_mut()), Some(Ok(1)));
    sender.try_send(2).unwrap();
    assert_eq!(receiver.recv_with(waiter.as_mut()), Some(Ok(2)));
    assert!(receiver.recv_with(waiter.as_mut()).is_none());
    sender.try_send(3).unwrap();
    // The same task, of which one waiter has been promised the message.
    let mut sibling = pin!(Waiter::with_waker(waker));
    let before = wakes.count();
    assert!(receiver.recv_with(sibling.as_mut()).is_none());
    assert!(receiver.recv_with(sibling.as_mut()).is_none());
    assert_eq!(wakes.count(), before + 2, "it has to be asked again");
    assert_eq!(receiver.recv_with(sibling.as_mut()), Some(Ok(3)));
    // It is worth a try, and is the first in the queue by it.
    assert!(waiter.is_ready());
    assert!(receiver.recv_with(waiter.as_mut()).is_none());
    assert!(!waiter.is_ready());
    let message = panic_message(|| drop(sender.reserve_with(waiter.as_mut())));
    assert!(message.contains("other side"), "{message}");
    let message = panic_message(|| drop(stranger.reserve_with(waiter.as_mut())));
    assert!(message.contains("another channel"), "{message}");
    sender.close();
    assert_eq!(receiver.recv_with(waiter.as_mut()), Some(Err(RecvError)));
    assert_eq!(
        sender.reserve_with(newcomer.as_mut()).unwrap().unwrap_err(),
        SendError(())
    );
    idle(sender.chan());
}
