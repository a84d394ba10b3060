// Included for both kinds of channel, each with its `make` and `send`; see
// `mpsc.rs`.

#[test]
fn messages_come_in_order_and_once() {
    let (sender, mut receiver) = make();
    let clone = sender.clone();
    send(&sender, 1).unwrap();
    send(&clone, 2).unwrap();
    assert_eq!((receiver.len(), receiver.is_empty()), (2, false));
    assert_eq!(now(is_send(receiver.recv())), Some(1));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!((receiver.len(), receiver.is_empty()), (0, true));
}

#[test]
fn a_receive_is_woken_by_a_message() {
    let (sender, mut receiver) = make();
    let (first, second) = (Task::new(), Task::new());
    let mut receiving = Box::pin(receiver.recv());
    first.pending(receiving.as_mut());
    second.pending(receiving.as_mut());
    send(&sender, 1).unwrap();
    assert!(!first.woken() && second.woken());
    assert_eq!(second.ready(receiving.as_mut()), Some(1));
}

#[test]
fn a_receive_that_is_given_up_loses_no_message() {
    let (sender, mut receiver) = make();
    for how in 0..4 {
        let task = Task::new();
        let mut given_up = Box::pin(receiver.recv());
        task.pending(given_up.as_mut());
        send(&sender, how).unwrap();
        assert!(task.woken());
        drop(given_up);
        assert_eq!((receiver.len(), receiver.is_empty()), (1, false));
        let mut many = Vec::new();
        match how {
            0 => assert_eq!(now(receiver.recv()), Some(how)),
            1 => assert_eq!(receiver.try_recv(), Ok(how)),
            2 => assert_eq!(receiver.poll_recv(&mut task.context()), Poll::Ready(Some(how))),
            _ => {
                assert_eq!(now(receiver.recv_many(&mut many, 3)), 1);
                assert_eq!(many, [how]);
            }
        }
    }
}

#[test]
fn a_receive_made_anew_for_each_poll_is_woken() {
    let (sender, mut receiver) = make();
    let task = Task::new();
    task.pending(pin!(receiver.recv()));
    send(&sender, 1).unwrap();
    assert!(task.woken());
    assert_eq!(task.ready(pin!(receiver.recv())), Some(1));
    task.pending(pin!(receiver.recv_many(&mut Vec::new(), 2)));
    send(&sender, 2).unwrap();
    assert_eq!(task.wakes(), 2);
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn poll_recv_wakes_the_task_that_polled_last() {
    let (sender, mut receiver) = make();
    let (first, second) = (Task::new(), Task::new());
    assert!(receiver.poll_recv(&mut first.context()).is_pending());
    assert!(receiver.poll_recv(&mut second.context()).is_pending());
    // It moves while it waits.
    let mut receiver = receiver;
    send(&sender, 1).unwrap();
    assert!(!first.woken() && second.woken());
    assert_eq!(receiver.poll_recv(&mut first.context()), Poll::Ready(Some(1)));
    drop(sender);
    assert_eq!(receiver.poll_recv(&mut first.context()), Poll::Ready(None));
    assert_eq!(receiver.poll_recv(&mut first.context()), Poll::Ready(None));
}

#[test]
fn a_try_does_not_end_a_wait() {
    let (sender, mut receiver) = make();
    let task = Task::new();
    assert!(receiver.poll_recv(&mut task.context()).is_pending());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    send(&sender, 1).unwrap();
    assert!(task.woken());
    // What the wait was woken for can be had so as well.
    send(&sender, 2).unwrap();
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let task = Task::new();
    assert!(receiver.poll_recv(&mut task.context()).is_pending());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    drop(sender);
    assert!(task.woken());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(receiver.poll_recv(&mut task.context()), Poll::Ready(None));
}

#[test]
fn many_are_received_at_once() {
    let (sender, mut receiver) = make();
    let task = Task::new();
    let mut received = vec![0];
    {
        let mut receiving = pin!(is_send(receiver.recv_many(&mut received, 3)));
        task.pending(receiving.as_mut());
        for n in 1..=4 {
            send(&sender, n).unwrap();
        }
        assert!(task.woken());
        assert_eq!(task.ready(receiving), 3);
    }
    assert_eq!(received, [0, 1, 2, 3]);
    assert_eq!(now(receiver.recv_many(&mut received, 0)), 0);
    let polled = receiver.poll_recv_many(&mut task.context(), &mut received, 9);
    assert_eq!(polled, Poll::Ready(1));
    assert!(receiver.poll_recv_many(&mut task.context(), &mut received, 9).is_pending());
    drop(sender);
    assert_eq!(now(receiver.recv_many(&mut received, 9)), 0);
    assert_eq!(now(receiver.recv_many(&mut received, 0)), 0);
    assert_eq!(received, [0, 1, 2, 3, 4]);
}

#[test]
fn what_was_sent_outlives_its_senders() {
    let (sender, mut receiver) = make();
    send(&sender, 1).unwrap();
    send(&sender, 2).unwrap();
    assert!(!receiver.is_closed());
    drop(sender);
    assert!(receiver.is_closed());
    assert_eq!(now(receiver.recv()), Some(1));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(now(receiver.recv()), None);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(now(receiver.recv()), None);
}

#[test]
fn the_last_sender_wakes_the_receiver() {
    let (sender, mut receiver) = make::<u8>();
    let clone = sender.clone();
    let task = Task::new();
    let mut receiving = pin!(receiver.recv());
    task.pending(receiving.as_mut());
    drop(sender);
    assert!(!task.woken());
    drop(clone);
    assert!(task.woken());
    assert_eq!(task.ready(receiving), None);
}

#[test]
fn closing_lets_what_is_there_be_received() {
    let (sender, mut receiver) = make();
    send(&sender, 1).unwrap();
    receiver.close();
    receiver.close();
    assert!(sender.is_closed() && receiver.is_closed());
    assert_eq!(send(&sender, 2), Err(SendError(2)));
    assert_eq!(now(receiver.recv()), Some(1));
    assert_eq!(now(receiver.recv()), None);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn dropping_the_receiver_drops_what_is_there() {
    let value = Arc::new(());
    let (sender, receiver) = make();
    send(&sender, value.clone()).unwrap();
    send(&sender, value.clone()).unwrap();
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
    assert!(sender.is_closed());
    assert_eq!(send(&sender, value.clone()), Err(SendError(value.clone())));
}

#[test]
fn closed_waits_for_the_end() {
    let (sender, mut receiver) = make::<u8>();
    let (one, two) = (Task::new(), Task::new());
    let mut closed = pin!(is_send(sender.closed()));
    let mut also = pin!(sender.closed());
    one.pending(closed.as_mut());
    two.pending(also.as_mut());
    receiver.close();
    assert!(one.woken() && two.woken());
    one.ready(closed);
    two.ready(also);
    now(sender.closed());

    let (sender, receiver) = make::<u8>();
    let mut closed = pin!(sender.closed());
    one.pending(closed.as_mut());
    drop(receiver);
    one.ready(closed);
}

#[test]
fn weak_senders_keep_nothing_open() {
    let (sender, receiver) = make::<u8>();
    assert_eq!((sender.strong_count(), sender.weak_count()), (1, 0));
    let weak = sender.downgrade();
    let other = weak.clone();
    assert_eq!((weak.strong_count(), weak.weak_count()), (1, 2));
    let strong = weak.upgrade().unwrap();
    assert!(strong.same_channel(&sender));
    assert_eq!((receiver.sender_strong_count(), receiver.sender_weak_count()), (2, 2));
    drop(other);
    assert_eq!((sender.strong_count(), sender.weak_count()), (2, 1));
    drop((sender, strong));
    assert!(receiver.is_closed());
    assert!(weak.upgrade().is_none());
    assert_eq!((weak.strong_count(), weak.weak_count()), (0, 1));
    drop(weak);
    assert_eq!((receiver.sender_strong_count(), receiver.sender_weak_count()), (0, 0));
}

#[test]
fn a_weak_sender_outlives_a_close() {
    let (sender, mut receiver) = make::<u8>();
    let weak = sender.downgrade();
    receiver.close();
    assert!(weak.upgrade().unwrap().is_closed());
    drop(receiver);
    assert!(weak.upgrade().is_some());
    drop(sender);
    assert!(weak.upgrade().is_none());
}

#[test]
fn handles_know_their_channel() {
    let (sender, _receiver) = make::<u8>();
    let (other, _other_receiver) = make::<u8>();
    assert!(sender.same_channel(&sender.clone()));
    assert!(!sender.same_channel(&other));
}

#[test]
fn threads_receive_too() {
    let (sender, mut receiver) = make();
    let sends = thread::spawn(move || {
        for n in 0..10 {
            send(&sender, n).unwrap();
        }
    });
    let mut received = Vec::from_iter(receiver.blocking_recv());
    while receiver.blocking_recv_many(&mut received, 100) != 0 {}
    assert_eq!(received, Vec::from_iter(0..10));
    assert_eq!(receiver.blocking_recv(), None);
    sends.join().unwrap();
}

#[test]
fn blocking_receives_panic_in_a_task() {
    let (sender, mut receiver) = make();
    send(&sender, 1).unwrap();
    let runtime = runtime();
    let (text, blamed) = runtime.block_on(async { blamed_panic_of(|| receiver.blocking_recv()) });
    assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
    let (text, blamed) = runtime.block_on(async {
        blamed_panic_of(|| receiver.blocking_recv_many(&mut Vec::new(), 1))
    });
    assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
    assert_eq!(receiver.blocking_recv(), Some(1));
}

#[test]
fn receives_within_the_budget_of_a_task() {
    let (sender, mut receiver) = make();
    runtime().block_on(poll_fn(|cx| {
        let mut polls = 0;
        loop {
            send(&sender, 1).unwrap();
            if receiver.poll_recv(cx).is_pending() {
                // What could not be paid for is still there.
                assert_eq!(receiver.len(), 1);
                return Poll::Ready(());
            }
            polls += 1;
            assert!(polls < 10_000, "no budget is spent");
        }
    }));
    runtime().block_on(poll_fn(|cx| {
        let mut polls = 0;
        while receiver.poll_recv_many(cx, &mut Vec::new(), 0).is_ready() {
            polls += 1;
            assert!(polls < 10_000, "no budget is spent");
        }
        Poll::Ready(())
    }));
}

#[test]
fn each_message_arrives_once_across_threads() {
    let (sender, mut receiver) = make();
    let senders: Vec<_> = (0..4)
        .map(|part| {
            let sender = sender.clone();
            thread::spawn(move || {
                runtime().block_on(async {
                    for n in 0..500 {
                        send_in_task(&sender, part * 500 + n).await;
                    }
                });
            })
        })
        .collect();
    drop(sender);
    let received = runtime().block_on(async {
        let mut received = Vec::new();
        while let Some(value) = receiver.recv().await {
            received.push(value);
        }
        received
    });
    for part in 0..4 {
        let of_one = received.iter().filter(|value| **value / 500 == part);
        assert!(of_one.copied().eq(part * 500..(part + 1) * 500));
    }
    assert_eq!(received.len(), 2_000);
    senders.into_iter().for_each(|thread| thread.join().unwrap());
}
