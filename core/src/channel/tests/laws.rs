//! Several waits of one task, and waits that their task does not poll any more.

use core::pin::Pin;

use super::*;
use crate::Fairness;
use crate::fairness::PATIENCE;
use crate::test_util::tasks::{Branch, Order, Task, have_equal_shares, looping, run, yield_now};
use crate::test_util::{Event, hooked_waker};

const BOTH: [Fairness; 2] = [Fairness::Fifo, Fairness::Eventual];

/// More polls than it takes until a grant goes on, whatever the wakers are.
const MANY: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Recv,
    Send,
    Reserve,
}

const KINDS: [Kind; 3] = [Kind::Recv, Kind::Send, Kind::Reserve];

type Ends = (Sender<usize>, Receiver<usize>);
type Wait<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What a wait of `kind` waits for is not there.
fn channel_for(kind: Kind, fairness: Fairness, capacity: usize) -> Ends {
    let ends = bounded_with_fairness(capacity, fairness);
    if kind != Kind::Recv {
        (0..capacity).for_each(|number| ends.0.try_send(number).unwrap());
    }
    ends
}

/// A wait that uses what it gets: a permit sends.
fn wait(ends: &Ends, kind: Kind) -> Wait<'_> {
    let (sender, receiver) = ends;
    match kind {
        Kind::Recv => Box::pin(async { _ = receiver.recv_future().await.unwrap() }),
        Kind::Send => Box::pin(async { sender.send_future(0).await.unwrap() }),
        Kind::Reserve => Box::pin(async { sender.reserve(Bare).await.unwrap().send(0) }),
    }
}

/// Makes what one wait of `kind` waits for.
fn make(ends: &Ends, kind: Kind) {
    match kind {
        Kind::Recv => ends.0.try_send(0).unwrap(),
        Kind::Send | Kind::Reserve => _ = ends.1.try_recv().unwrap(),
    }
}

fn attempt(ends: &Ends, kind: Kind) -> bool {
    match kind {
        Kind::Recv => ends.1.try_recv().is_ok(),
        Kind::Send => ends.0.try_send(0).is_ok(),
        Kind::Reserve => ends.0.try_reserve().map(|permit| permit.send(0)).is_ok(),
    }
}

fn is_ready(wait: &mut Wait<'_>, waker: &Waker) -> bool {
    poll(wait.as_mut(), waker).is_ready()
}

/// How many polls it takes.
#[track_caller]
fn polls(wait: &mut Wait<'_>, waker: &Waker) -> usize {
    let polls = (1..=10 * MANY).find(|_| is_ready(wait, waker));
    polls.expect("it waits for a wait that is not polled")
}

fn grants(ends: &Ends) -> usize {
    let list = ends.0.chan().lock();
    list.count(SLOTS) + list.count(PROMISES)
}

/// A wait that is granted what it waits for, and then is not polled any more.
fn granted<'a>(ends: &'a Ends, kind: Kind, fairness: Fairness, waker: &Waker) -> Wait<'a> {
    let mut left_alone = wait(ends, kind);
    assert!(!is_ready(&mut left_alone, waker));
    if fairness == Fairness::Eventual {
        // It comes in vain so often that it is handed the next.
        for _ in 0..PATIENCE {
            make(ends, kind);
            assert!(attempt(ends, kind));
            assert!(!is_ready(&mut left_alone, waker));
        }
    }
    make(ends, kind);
    assert_eq!(grants(ends), 1);
    left_alone
}

/// Two branches of one task in a loop, and if there is to be, a second task; and one that
/// makes what they wait for.
fn shares(kind: Kind, fairness: Fairness, order: Order, has_other: bool) {
    let ends = channel_for(kind, fairness, 1);
    let counts = [const { Cell::new(0) }; 3];
    let counts = if has_other { &counts[..] } else { &counts[..2] };
    let once = || async {
        wait(&ends, kind).await;
        yield_now().await;
    };
    let mut branches: Vec<Branch<'_>> = counts.iter().map(|count| looping(count, once)).collect();
    let other = branches.split_off(2);
    let made = Cell::new(0);
    let maker = looping(&made, || async {
        match kind {
            Kind::Recv => ends.0.send_future(0).await.unwrap(),
            Kind::Send | Kind::Reserve => drop(ends.1.recv_future().await.unwrap()),
        }
        yield_now().await;
    });
    let mut tasks = vec![Task::new(order, branches), Task::new(order, vec![maker])];
    if has_other {
        tasks.push(Task::new(order, other));
    }
    run(&mut tasks, 3_000);
    // A branch that runs already is quicker, until the next one is handed over.
    let factor = match fairness {
        Fairness::Fifo => 2,
        Fairness::Eventual if has_other => 2 * (PATIENCE + 1),
        Fairness::Eventual => PATIENCE + 2,
    };
    have_equal_shares(counts, 290, factor);
}

#[test]
fn siblings_take_turns() {
    for fairness in BOTH {
        for kind in KINDS {
            for order in [Order::Fixed, Order::Rotating] {
                shares(kind, fairness, order, false);
            }
        }
    }
}

#[test]
fn a_task_of_many_waits_takes_no_more_than_its_shares() {
    for fairness in BOTH {
        for kind in KINDS {
            for order in [Order::Fixed, Order::Rotating] {
                shares(kind, fairness, order, true);
            }
        }
    }
}

#[test]
fn abandoned_win_goes_on() {
    let task = counting_waker().1;
    for fairness in BOTH {
        for kind in KINDS {
            let ends = channel_for(kind, fairness, 1);
            let mut left_alone = granted(&ends, kind, fairness, &task);
            assert_eq!(polls(&mut wait(&ends, kind), &task), 3, "{kind:?}");
            // The other waits for the next, as the first.
            assert!(!is_ready(&mut left_alone, &task));
            let mut newcomer = wait(&ends, kind);
            assert!(!is_ready(&mut newcomer, &counting_waker().1));
            make(&ends, kind);
            assert!(is_ready(&mut left_alone, &task));
            drop((left_alone, newcomer));
            make(&ends, kind);
            assert!(attempt(&ends, kind));
        }
    }
}

#[test]
fn abandoned_win_of_a_send_goes_on_to_a_reserve_of_more() {
    let task = counting_waker().1;
    for count in [1, 63, 64, 65, 1_000] {
        let ends = channel_for(Kind::Send, Fairness::Fifo, count);
        let mut sends: Vec<_> = (0..count).map(|_| wait(&ends, Kind::Send)).collect();
        for send in &mut sends {
            assert!(!is_ready(send, &task));
        }
        assert_eq!(drain(&ends.1).len(), count);
        let mut many = Box::pin(ends.0.reserve_many(Bare, count));
        let polls = (1..).find(|_| poll(many.as_mut(), &task).is_ready());
        assert!(polls.unwrap() <= 3 * count, "{polls:?} for {count}");
        assert_eq!(grants(&ends), 0);
    }
}

#[test]
fn abandoned_win_goes_on_among_many() {
    for kind in KINDS {
        for count in [1, 63, 64, 65, 1_000] {
            let ends = channel_for(kind, Fairness::Fifo, count);
            let task = counting_waker().1;
            let waits = (1..=count).map(|number| {
                let waker = if number == count {
                    task.clone()
                } else {
                    counting_waker().1
                };
                let mut wait = wait(&ends, kind);
                assert!(!is_ready(&mut wait, &waker));
                (wait, waker)
            });
            let waits: Vec<_> = waits.collect();
            (0..count).for_each(|_| make(&ends, kind));
            assert_eq!(grants(&ends), count);
            // It looks through 64 at a time for one of its own task.
            let polls = polls(&mut wait(&ends, kind), &task);
            assert!(polls <= 3 + count / 64 + 1, "{polls} of {count}");
            drop(waits);
            let list = ends.0.chan().lock();
            assert_eq!((list.promised, list.reserved), (0, 0));
        }
    }
}

#[test]
fn abandoned_win_goes_on_though_wakers_differ() {
    // Of a combinator that gives each branch a waker of its own; and of another task.
    let (own, other) = (counting_waker().1, hooked_waker(|_: Event| {}));
    let strangers = [other, counting_waker().1, Waker::noop().clone()];
    for fairness in BOTH {
        for kind in KINDS {
            for stranger in &strangers {
                let ends = channel_for(kind, fairness, 1);
                let left_alone = granted(&ends, kind, fairness, stranger);
                assert!(polls(&mut wait(&ends, kind), &own) <= MANY);
                drop(left_alone);
                make(&ends, kind);
                assert!(attempt(&ends, kind));
            }
        }
    }
}

#[test]
fn noop_waker_is_nobody() {
    for kind in KINDS {
        let ends = channel_for(kind, Fairness::Fifo, 1);
        let mut left_alone = granted(&ends, kind, Fairness::Fifo, Waker::noop());
        let mut other = wait(&ends, kind);
        for _ in 0..100 {
            assert!(
                poll_noop(other.as_mut()).is_pending(),
                "it is another task's"
            );
        }
        assert!(poll_noop(left_alone.as_mut()).is_ready());
        make(&ends, kind);
        assert!(poll_noop(other.as_mut()).is_ready());
    }
}

#[test]
fn a_granted_wait_is_not_passed_over_while_its_task_comes() {
    for kind in KINDS {
        let ends = channel_for(kind, Fairness::Fifo, 1);
        let task = counting_waker().1;
        let mut granted = granted(&ends, kind, Fairness::Fifo, &task);
        let others = (0..2 * MANY).map(|_| {
            let (wakes, waker) = counting_waker();
            let mut other = wait(&ends, kind);
            assert!(!is_ready(&mut other, &waker));
            assert_eq!(wakes.count(), 0, "it sleeps");
            other
        });
        let others: Vec<_> = others.collect();
        assert!(is_ready(&mut granted, &task));
        drop(others);
        make(&ends, kind);
        assert!(attempt(&ends, kind));
    }
}

#[test]
fn kept_wait_stops_no_task() {
    let (own, stranger) = (counting_waker().1, counting_waker().1);
    for kind in KINDS {
        // Called: others have it at once, by a poll or an attempt.
        let ends = channel_for(kind, Fairness::Eventual, 1);
        let mut left_alone = wait(&ends, kind);
        assert!(!is_ready(&mut left_alone, &stranger));
        make(&ends, kind);
        assert!(is_ready(&mut wait(&ends, kind), &own));
        make(&ends, kind);
        assert!(attempt(&ends, kind));
        make(&ends, kind);
        assert!(is_ready(&mut left_alone, &stranger));

        // Handed over: at the third poll, or attempt.
        let left_alone = granted(&ends, kind, Fairness::Eventual, &stranger);
        assert_eq!(polls(&mut wait(&ends, kind), &own), 3);
        drop(left_alone);
        let left_alone = granted(&ends, kind, Fairness::Eventual, &stranger);
        assert_eq!((1..=3).find(|_| attempt(&ends, kind)), Some(3));
        drop(left_alone);

        // Granted in order: after a bounded number of its own turns.
        let ends = channel_for(kind, Fairness::Fifo, 1);
        let left_alone = granted(&ends, kind, Fairness::Fifo, &stranger);
        assert!(polls(&mut wait(&ends, kind), &own) <= MANY);
        drop(left_alone);
    }
}

#[test]
fn kept_wait_stops_no_task_that_sleeps() {
    // Each message and each slot calls one wait, also if those that were called before
    // have not come: a kept one costs one call.
    for kind in KINDS {
        let ends = channel_for(kind, Fairness::Eventual, 1);
        let mut kept = wait(&ends, kind);
        assert!(!is_ready(&mut kept, &counting_waker().1));
        let (wakes, waker) = counting_waker();
        let mut asleep = wait(&ends, kind);
        assert!(!is_ready(&mut asleep, &waker));
        make(&ends, kind);
        assert_eq!(wakes.count(), 0);
        assert!(attempt(&ends, kind));
        make(&ends, kind);
        assert_eq!(wakes.count(), 1, "{kind:?}");
        assert!(is_ready(&mut asleep, &waker));
    }
}

#[test]
fn a_kept_wait_that_was_called_takes_no_turn_of_one_that_waits_long() {
    // One that was called and does not come is not counted on when the next is handed
    // over.
    for kind in KINDS {
        let ends = channel_for(kind, Fairness::Eventual, 1);
        let mut kept = wait(&ends, kind);
        assert!(!is_ready(&mut kept, &counting_waker().1));
        make(&ends, kind);
        assert!(attempt(&ends, kind));
        let left_alone = granted(&ends, kind, Fairness::Eventual, &counting_waker().1);
        drop((left_alone, kept));
        assert!(attempt(&ends, kind));
    }
}

#[test]
fn no_wait_starves() {
    for kind in KINDS {
        let ends = channel_for(kind, Fairness::Eventual, 1);
        let (wakes, waker) = counting_waker();
        let mut patient = wait(&ends, kind);
        assert!(!is_ready(&mut patient, &waker));
        let mut rounds = 0;
        loop {
            make(&ends, kind);
            let is_taken = attempt(&ends, kind);
            assert_ne!(wakes.count(), rounds, "it is called");
            rounds = wakes.count();
            if is_ready(&mut patient, &waker) {
                assert!(!is_taken);
                break;
            }
            assert!(rounds <= PATIENCE);
        }
    }
}

#[test]
fn a_called_wait_that_is_dropped_calls_the_next() {
    for kind in KINDS {
        let ends = channel_for(kind, Fairness::Eventual, 1);
        let mut first = wait(&ends, kind);
        assert!(!is_ready(&mut first, &counting_waker().1));
        let (wakes, waker) = counting_waker();
        let mut second = wait(&ends, kind);
        assert!(!is_ready(&mut second, &waker));
        make(&ends, kind);
        assert_eq!(wakes.count(), 0, "one is called for each");
        drop(first);
        assert_eq!(wakes.count(), 1);
        assert!(is_ready(&mut second, &waker));
    }
}

#[test]
fn a_waker_that_panics_when_it_is_cloned_loses_no_call() {
    for kind in KINDS {
        let ends = channel_for(kind, Fairness::Eventual, 1);
        let bad = hooked_waker(|event| assert!(event != Event::Clone, "no clone"));
        let mut first = wait(&ends, kind);
        assert!(!is_ready(&mut first, &counting_waker().1));
        let (wakes, waker) = counting_waker();
        let mut second = wait(&ends, kind);
        assert!(!is_ready(&mut second, &waker));
        make(&ends, kind);
        assert!(attempt(&ends, kind), "{kind:?}");
        let message = panic_message(|| _ = poll(first.as_mut(), &bad));
        assert_eq!(message, "no clone");
        make(&ends, kind);
        drop(first);
        assert_eq!(wakes.count(), 1, "the call was lost");
        assert!(is_ready(&mut second, &waker));
    }
}

#[test]
fn free_slots_are_those_that_an_attempt_gets() {
    for fairness in BOTH {
        let ends = channel_for(Kind::Reserve, fairness, 2);
        let mut many = Box::pin(ends.0.reserve_many(Bare, 2));
        assert!(poll_noop(many.as_mut()).is_pending());
        make(&ends, Kind::Send);
        let is_open = fairness == Fairness::Eventual;
        assert_eq!(ends.0.free_slots(), Some(usize::from(is_open)));
        assert_eq!(ends.0.is_full(), !is_open);
        assert_eq!(attempt(&ends, Kind::Send), is_open);
    }
}

#[test]
fn messages_keep_their_order_if_eventual() {
    let (sender, receiver) = bounded_with_fairness(3, Fairness::Eventual);
    let waker = counting_waker().1;
    let mut first = Box::pin(receiver.recv_future());
    let mut second = Box::pin(receiver.recv_future());
    assert!(poll(first.as_mut(), &waker).is_pending());
    assert!(poll(second.as_mut(), &waker).is_pending());
    (1..=3).for_each(|number| sender.try_send(number).unwrap());
    assert_eq!(poll(second.as_mut(), &waker), Poll::Ready(Ok(1)));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(poll(first.as_mut(), &waker), Poll::Ready(Ok(3)));
    idle(sender.chan());
}

#[test]
fn a_close_refuses_called_waits() {
    let (sender, receiver) = bounded_with_fairness(1, Fairness::Eventual);
    sender.try_send(0).unwrap();
    let waker = counting_waker().1;
    let mut called = Box::pin(sender.send_future(1));
    let mut queued = Box::pin(sender.send_future(2));
    assert!(poll(called.as_mut(), &waker).is_pending());
    assert!(poll(queued.as_mut(), &waker).is_pending());
    assert_eq!(receiver.try_recv(), Ok(0));
    receiver.close();
    assert_eq!(
        poll(called.as_mut(), &waker),
        Poll::Ready(Err(SendError(1)))
    );
    assert_eq!(
        poll(queued.as_mut(), &waker),
        Poll::Ready(Err(SendError(2)))
    );
    assert!(receiver.try_recv().is_err_and(|error| error.is_closed()));

    // A receiver that was called gets what is left; one that was not learns the end.
    let (sender, receiver) = bounded_with_fairness(1, Fairness::Eventual);
    let mut called = Box::pin(receiver.recv_future());
    assert!(poll(called.as_mut(), &waker).is_pending());
    let mut queued = Queued::new(receiver.recv_future());
    sender.try_send(1).unwrap();
    sender.close();
    assert_eq!(poll(called.as_mut(), &waker), Poll::Ready(Ok(1)));
    assert_eq!(queued.won(), Err(RecvError));
}
