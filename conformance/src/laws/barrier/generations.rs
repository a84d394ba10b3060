//! Arriving, being released, and starting over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cx::{Cx, DynIo, Gate};
use crate::erased::BoxFuture;
use crate::laws::hand::Hand;
use crate::subject::{BarrierSubject, Subject};

/// A wait with everything that it borrows, for a task.
pub(super) fn owned(barrier: &Arc<dyn BarrierSubject>, io: DynIo) -> BoxFuture<'static, bool> {
    let barrier = Arc::clone(barrier);
    Box::pin(async move { barrier.wait(&io).await })
}

#[track_caller]
pub(super) fn assert_arrived(barrier: &dyn BarrierSubject, expected: usize) {
    if let Some(arrived) = barrier.arrived() {
        assert_eq!(arrived, expected, "how many have arrived");
    }
}

/// The last to arrive releases `others`; whether it led. It is ready within two
/// polls: that it is in one is a law of its own.
#[track_caller]
pub(super) fn release(
    barrier: &dyn BarrierSubject,
    io: &DynIo,
    others: &mut [Hand<'_, bool>],
) -> Vec<bool> {
    let mut last = Hand::new(barrier.wait(io));
    let led = match last.poll() {
        std::task::Poll::Ready(led) => led,
        std::task::Poll::Pending => last.assert_ready("the last to arrive"),
    };
    let mut leads = Vec::new();
    for other in others {
        assert!(
            other.is_woken(),
            "the last has arrived and one was not woken"
        );
        leads.push(other.assert_ready("a wait whose generation is complete"));
        other.cancel();
    }
    leads.push(led);
    leads
}

pub(super) async fn nobody_passes_before_the_last(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    for parties in [2, 3, 50] {
        let barrier = subject.barrier(parties);
        let mut hands = Vec::new();
        for arrived in 1..parties {
            hands.push(Hand::queued(barrier.wait(&io)));
            assert_arrived(&*barrier, arrived);
            for hand in &mut hands {
                hand.assert_pending("a wait whose generation is not complete");
                assert!(!hand.is_woken(), "it was woken before the last had come");
            }
        }
        release(&*barrier, &io, &mut hands);
        assert_arrived(&*barrier, 0);
        cx.yield_turns(1).await;
    }
    // One that never opens.
    let endless = subject.barrier(usize::MAX >> 4);
    let mut hands = [0; 3].map(|_| Hand::queued(endless.wait(&io)));
    for hand in &mut hands {
        hand.assert_pending("a wait at a barrier for more than will ever come");
    }
    drop(hands);

    // Tasks that race each other.
    const TASKS: usize = 6;
    for round in 0..20 {
        let barrier = subject.barrier(TASKS);
        let arrived = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (wait, arrived) = (owned(&barrier, cx.io()), Arc::clone(&arrived));
                cx.spawn(format!("task {task} of {round}"), async move {
                    arrived.fetch_add(1, Ordering::Relaxed);
                    wait.await;
                    // Relaxed: the barrier has to order it all.
                    arrived.load(Ordering::Relaxed)
                })
            })
            .collect();
        for task in tasks {
            let seen = task.join().await;
            assert_eq!(seen, TASKS, "how many had arrived when one went on");
        }
    }
}

pub(super) async fn exactly_one_leader_per_generation(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let barrier = subject.barrier(4);
    for _ in 0..3 {
        let mut hands = [0; 3].map(|_| Hand::queued(barrier.wait(&io)));
        let leads = release(&*barrier, &io, &mut hands);
        assert_eq!(
            leads,
            [false, false, false, true],
            "who leads, in the order of arrival"
        );
    }

    const TASKS: usize = 5;
    const GENERATIONS: usize = 40;
    let barrier = subject.barrier(TASKS);
    let leaders: Arc<Vec<AtomicUsize>> =
        Arc::new((0..GENERATIONS).map(|_| AtomicUsize::new(0)).collect());
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (barrier, leaders, io) = (Arc::clone(&barrier), Arc::clone(&leaders), cx.io());
            cx.spawn(format!("task {task}"), async move {
                for count in leaders.iter() {
                    let led = barrier.wait(&io).await;
                    count.fetch_add(usize::from(led), Ordering::SeqCst);
                }
            })
        })
        .collect();
    for task in tasks {
        task.join().await;
    }
    let counts: Vec<usize> = leaders
        .iter()
        .map(|count| count.load(Ordering::SeqCst))
        .collect();
    assert_eq!(counts, [1; GENERATIONS], "the leaders of each generation");
}

pub(super) async fn is_reusable(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    // One that is quick to come back waits for all of the next generation, also
    // for those who have not looked yet.
    let barrier = subject.barrier(3);
    let mut slow = Hand::queued(barrier.wait(&io));
    let mut quick = Hand::queued(barrier.wait(&io));
    let mut last = Hand::new(barrier.wait(&io));
    let _ = last.poll();
    quick.assert_ready("a released wait");
    let mut again = Hand::queued(barrier.wait(&io));
    let mut and_again = Hand::queued(barrier.wait(&io));
    slow.assert_ready("a released wait that looks late");
    for hand in [&mut again, &mut and_again] {
        hand.assert_pending("a wait of the next generation");
    }
    assert_arrived(&*barrier, 2);
    release(&*barrier, &io, &mut [again, and_again]);

    const TASKS: usize = 4;
    const GENERATIONS: usize = 60;
    let barrier = subject.barrier(TASKS);
    let arrived = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (barrier, arrived, io) = (Arc::clone(&barrier), Arc::clone(&arrived), cx.io());
            let cx2 = cx.clone();
            cx.spawn(format!("task {task}"), async move {
                for generation in 0..GENERATIONS {
                    arrived.fetch_add(1, Ordering::SeqCst);
                    barrier.wait(&io).await;
                    let seen = arrived.load(Ordering::SeqCst);
                    let all = (generation + 1) * TASKS;
                    assert!(seen >= all, "generation {generation} went on with {seen}");
                    // This task has not arrived again, so the next generation is
                    // not complete.
                    let most = all + TASKS - 1;
                    assert!(seen <= most, "somebody lapped: {seen} in {generation}");
                    // Each is slow at another time.
                    if generation % TASKS == task {
                        cx2.yield_turns(3).await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.join().await;
    }
    assert_arrived(&*barrier, 0);
}

pub(super) async fn of_one_never_waits(cx: Cx, subject: Arc<dyn Subject>) {
    alone(cx, &*subject.barrier(1)).await;
}

pub(super) async fn of_zero_behaves_as_one(cx: Cx, subject: Arc<dyn Subject>) {
    alone(cx, &*subject.barrier(0)).await;
}

async fn alone(cx: Cx, barrier: &dyn BarrierSubject) {
    let io = cx.io();
    for _ in 0..20 {
        let mut wait = Hand::new(barrier.wait(&io));
        let led = wait.assert_ready("a wait at a barrier of one");
        assert!(led, "who is alone leads");
        assert_arrived(barrier, 0);
    }
    let led = cx.waiting("a barrier of one", barrier.wait(&io)).await;
    assert!(led, "who is alone leads");
}

pub(super) async fn dropped_arrival_withdraws(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    // Whoever it was.
    for place in 0..3 {
        let barrier = subject.barrier(4);
        let mut hands = Vec::from([0; 3].map(|_| Hand::queued(barrier.wait(&io))));
        hands.remove(place).cancel();
        assert_arrived(&*barrier, 2);
        let mut newcomer = Hand::new(barrier.wait(&io));
        newcomer.assert_pending("the third of four, after another was dropped,");
        hands.push(newcomer);
        for hand in &mut hands {
            hand.assert_pending("a wait of a generation with one dropped");
        }
        release(&*barrier, &io, &mut hands);
        assert_arrived(&*barrier, 0);
    }

    // An unpolled wait has not arrived, and one that was released is through.
    let barrier = subject.barrier(2);
    drop(barrier.wait(&io));
    assert_arrived(&*barrier, 0);
    let mut released = Hand::queued(barrier.wait(&io));
    let mut last = Hand::new(barrier.wait(&io));
    let _ = last.poll();
    assert!(released.is_woken(), "the last has arrived");
    let mut next = Hand::queued(barrier.wait(&io));
    released.cancel();
    last.cancel();
    assert_arrived(&*barrier, 1);
    next.assert_pending("a wait of the next generation");
    release(&*barrier, &io, &mut [next]);

    // Tasks that are aborted.
    let barrier = subject.barrier(3);
    for round in 0..5 {
        let first = cx
            .spawn_queued(format!("first of {round}"), owned(&barrier, cx.io()))
            .await;
        let dropped = Gate::new();
        let (wait, announce) = (owned(&barrier, cx.io()), dropped.clone());
        let aborted = cx.spawn_queued(format!("aborted of {round}"), async move {
            let _announce = announce.open_on_drop();
            wait.await
        });
        let aborted = aborted.await;
        aborted.abort();
        cx.waiting("the drop of the aborted wait", dropped.passed())
            .await;
        assert!(aborted.await.is_err(), "an aborted wait cannot have ended");
        let second = cx
            .spawn_queued(format!("second of {round}"), owned(&barrier, cx.io()))
            .await;
        let third = cx.spawn(format!("third of {round}"), owned(&barrier, cx.io()));
        let leads = [first.join().await, second.join().await, third.join().await];
        assert_eq!(leads, [false, false, true], "who leads");
    }
}

pub(super) async fn leader_arrives_without_waiting(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    for parties in [1, 2, 40] {
        let barrier = subject.barrier(parties);
        let mut hands: Vec<_> = (1..parties)
            .map(|_| Hand::queued(barrier.wait(&io)))
            .collect();
        let mut last = Hand::new(barrier.wait(&io));
        last.assert_ready("the first poll of the last to arrive");
        for hand in &mut hands {
            hand.assert_ready("a wait whose generation is complete");
        }
        cx.yield_turns(1).await;
    }
}
