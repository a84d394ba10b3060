//! What the leader does before anybody is released.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::generations::{assert_arrived, owned, release};
use crate::cx::{Cx, DynIo, Gate, is_planned, planned_panic};
use crate::erased::BoxFuture;
use crate::laws::hand::Hand;
use crate::subject::{ActionFailed, BarrierSubject, Subject};
use crate::wakers::caught;

const PROMISED: &str = "the subject promises a leader's action";

fn wait_then<'a>(
    barrier: &'a dyn BarrierSubject,
    io: &'a DynIo,
    action: impl FnOnce() + Send + 'a,
) -> BoxFuture<'a, bool> {
    barrier.wait_then(io, Box::new(action)).expect(PROMISED)
}

fn try_wait_then<'a>(
    barrier: &'a dyn BarrierSubject,
    io: &'a DynIo,
    action: impl Future<Output = Result<(), ActionFailed>> + Send + 'a,
) -> BoxFuture<'a, Result<bool, ActionFailed>> {
    barrier.try_wait_then(io, Box::pin(action)).expect(PROMISED)
}

pub(super) async fn leader_action_runs_before_release(cx: Cx, subject: Arc<dyn Subject>) {
    let io = &cx.io();

    // While the action runs nobody is woken, and whoever looks stays.
    let barrier = &*subject.barrier(3);
    for _ in 0..3 {
        let members = Mutex::new([0; 2].map(|_| Hand::queued(barrier.wait(io))));
        let runs = AtomicUsize::new(0);
        let mut last = Hand::new(wait_then(barrier, io, || {
            runs.fetch_add(1, Ordering::SeqCst);
            let mut members = members.lock().unwrap_or_else(PoisonError::into_inner);
            for member in &mut *members {
                assert!(!member.is_woken(), "one is woken before the action");
                member.assert_pending("a wait before the leader's action has ended");
            }
        }));
        let led = last.assert_ready("the last to arrive");
        assert!(led, "the last to arrive leads");
        assert_eq!(runs.load(Ordering::SeqCst), 1, "how often the action ran");
        drop(last);
        let members = members.into_inner().unwrap_or_else(PoisonError::into_inner);
        for mut member in members {
            assert!(member.is_woken(), "the action has ended");
            let led = member.assert_ready("a wait after the leader's action");
            assert!(!led, "one leads, and it is the last");
        }
    }

    // An action that takes its time. Newcomers are of the next generation.
    let barrier = &*subject.barrier(2);
    let finished = Gate::new();
    let mut member = Hand::queued(barrier.wait(io));
    let mut leader = Hand::new(try_wait_then(barrier, io, async {
        finished.passed().await;
        Ok(())
    }));
    leader.assert_pending("the leader, whose action has not ended,");
    member.assert_pending("a wait before the leader's action has ended");
    let mut newcomer = Hand::queued(barrier.wait(io));
    assert!(
        !member.is_woken(),
        "one is woken before the action has ended"
    );
    finished.open();
    assert!(leader.is_woken(), "the action wakes its leader");
    let led = leader.assert_ready("the leader, whose action has ended,");
    assert_eq!(led, Ok(true), "how the leader's wait ended");
    assert!(member.is_woken(), "the action has ended");
    member.assert_ready("a wait after the leader's action");
    newcomer.assert_pending("a wait of the next generation");
    drop((leader, member));
    release(barrier, io, &mut [newcomer]);

    // Tasks that all bring one: it runs once, and everybody sees what it wrote.
    const TASKS: usize = 4;
    const GENERATIONS: usize = 30;
    let barrier = subject.barrier(TASKS);
    let runs = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (barrier, runs, io) = (Arc::clone(&barrier), Arc::clone(&runs), cx.io());
            cx.spawn(format!("task {task}"), async move {
                for generation in 1..=GENERATIONS {
                    // Relaxed: the barrier has to order it all.
                    let act = || {
                        let before = runs.load(Ordering::Relaxed);
                        runs.store(before + 1, Ordering::Relaxed);
                    };
                    if task % 2 == 0 {
                        wait_then(&*barrier, &io, act).await;
                    } else {
                        let act = async {
                            anysync::yield_now().await;
                            act();
                            Ok(())
                        };
                        let wait = try_wait_then(&*barrier, &io, act);
                        wait.await.expect("the action succeeds");
                    }
                    let seen = runs.load(Ordering::Relaxed);
                    assert_eq!(seen, generation, "how many actions a task has seen");
                    // Nobody acts again before all have looked.
                    barrier.wait(&io).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.join().await;
    }
}

pub(super) async fn failed_leader_action_withdraws(cx: Cx, subject: Arc<dyn Subject>) {
    let io = &cx.io();
    for how in ["panics", "panics later", "fails", "is cancelled"] {
        cx.note(format_args!("an action that {how}"));
        let barrier = &*subject.barrier(3);
        let mut members = Vec::from([0; 2].map(|_| Hand::queued(barrier.wait(io))));
        for _ in 0..2 {
            fail(barrier, io, how);
            assert_arrived(barrier, 2);
            for member in &mut members {
                assert!(!member.is_woken(), "a failed action released somebody");
                member.assert_pending("a wait after the leader's action failed");
            }
        }
        let leads = release(barrier, io, &mut members);
        assert_eq!(leads, [false, false, true], "another last one leads");
        assert_arrived(barrier, 0);
        cx.yield_turns(1).await;
    }

    // Those who queued behind the leader take its place.
    let barrier = &*subject.barrier(2);
    let mut member = Hand::queued(barrier.wait(io));
    let mut leader = Hand::new(try_wait_then(barrier, io, pending()));
    leader.assert_pending("the leader, whose action has not ended,");
    let mut behind = Hand::queued(barrier.wait(io));
    leader.cancel();
    assert!(behind.is_woken(), "it has become the last of a generation");
    assert!(
        behind.assert_ready("the new last one"),
        "the new last one leads"
    );
    member.assert_ready("a wait whose generation is complete");
    assert_arrived(barrier, 0);

    // On the executor: a leader's task panics, and another completes the rest.
    let barrier = subject.barrier(3);
    for round in 0..5 {
        let mut members = Vec::new();
        for member in 0..2 {
            let label = format!("member {member} of {round}");
            let wait = owned(&barrier, cx.io());
            members.push(cx.spawn_queued(label, wait).await);
        }
        let (failing, own_io) = (Arc::clone(&barrier), cx.io());
        let failing = cx.spawn(format!("the failing leader of {round}"), async move {
            wait_then(&*failing, &own_io, || planned_panic()).await
        });
        let error = failing.await.expect_err("its action panics");
        let payload = error.try_into_panic().expect("it was not aborted");
        assert!(is_planned(&*payload), "another panic came of it");
        let last = cx.spawn(
            format!("the other last of {round}"),
            owned(&barrier, cx.io()),
        );
        assert!(last.join().await, "the other last one leads");
        for member in members {
            assert!(!member.join().await, "one leads, and it is the last");
        }
    }
}

/// The last to arrive brings an action that does not succeed.
fn fail(barrier: &dyn BarrierSubject, io: &DynIo, how: &str) {
    let panicked = match how {
        "panics" => {
            let mut last = Hand::new(wait_then(barrier, io, || planned_panic()));
            caught(|| last.poll()).is_err()
        }
        "panics later" => {
            let go_on = Gate::new();
            let mut last = Hand::new(try_wait_then(barrier, io, async {
                go_on.passed().await;
                planned_panic()
            }));
            last.assert_pending("the leader, whose action has not ended,");
            go_on.open();
            caught(|| last.poll()).is_err()
        }
        "fails" => {
            let failing = async { Err(ActionFailed) };
            let mut last = Hand::new(try_wait_then(barrier, io, failing));
            let result = last.assert_ready("the leader, whose action has failed,");
            assert_eq!(result, Err(ActionFailed), "how the leader's wait ended");
            return;
        }
        _ => {
            let mut last = Hand::new(try_wait_then(barrier, io, pending()));
            last.assert_pending("the leader, whose action has not ended,");
            last.cancel();
            return;
        }
    };
    assert!(panicked, "the panic of the action was swallowed");
}
