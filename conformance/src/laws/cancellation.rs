//! The laws of Cancellation.

use std::sync::Arc;

use crate::backend::Capability::Spawn;
use crate::cx::{Cx, Dropped, is_planned, planned_panic};
use crate::law::{About, Law};
use crate::laws::hand::Hand;
use crate::run;
use crate::subject::{CancellationSubject, Kind, Promise, Subject};
use crate::wakers::caught;

const ABOUT: About = About::Kinds(&[Kind::Cancellation]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "cancellation::is_sticky",
        ABOUT,
        "Once cancelled, a token is so for good: every wait on it ends, also one that comes \
         later.",
        "Keep a flag, and look at it after the wait is queued.",
        run!(is_sticky),
    )
    .because("Who looks a moment later must see it, too.")
    .needs(&[Spawn]),
    Law::must(
        "cancellation::child_follows_parent_not_the_reverse",
        ABOUT,
        "A token is cancelled with its parent, also one that is made afterwards; its parent and \
         its siblings are not with it.",
        "Walk down from the token that is cancelled; a child is born with its parent's state.",
        run!(child_follows_parent_not_the_reverse),
    )
    .because("A request that is given up ends its own tasks and not the server."),
    Law::must(
        "cancellation::run_until_cancelled_prefers_cancellation",
        ABOUT,
        "When the token is cancelled and the future is ready, it is the cancellation that \
         counts.",
        "Poll the token before the future.",
        run!(run_until_cancelled_prefers_cancellation),
    )
    .because("Whoever cancels relies on nothing being done afterwards.")
    .promised(Promise::CancellationFirst),
    Law::must(
        "cancellation::drop_guard_cancels",
        ABOUT,
        "A guard cancels its token when it is dropped, by a panic too, but not when it was \
         disarmed.",
        "Cancel in the guard's `Drop`.",
        run!(drop_guard_cancels),
    )
    .because("The owner panics, and its workers must not run on."),
    Law::must(
        "cancellation::deep_trees_do_not_overflow",
        ABOUT,
        "A tree 100,000 tokens deep or wide is cancelled and dropped, in any order.",
        "Walk with a list of what is still to do, in place of a call in a call; take nodes apart \
         so in `Drop` as well.",
        run!(deep_trees_do_not_overflow),
    )
    .because(
        "Recursion over a tree that grows with the requests ends in a stack overflow; a tree \
         that is not cut ends in a leak.",
    )
    .seen_in(&["tokio-rs/tokio#4639", "tokio-rs/tokio#4652"])
    .once(),
];

async fn is_sticky(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let token = subject.cancellation();
    let another = token.another();
    assert!(!token.is_cancelled(), "nobody has cancelled");
    let mut waits = [&token, &another].map(|token| Hand::queued(token.cancelled(&io)));
    let mut created = Hand::new(token.cancelled(&io));
    token.cancel();
    for wait in &mut waits {
        assert!(wait.is_woken(), "a cancel woke not all who wait");
        wait.assert_ready("a wait that was cancelled");
    }
    created.assert_ready("a wait that was created before the cancel, and polled after it,");
    for _ in 0..2 {
        assert!(token.is_cancelled(), "the token");
        assert!(another.is_cancelled(), "another handle of it");
        Hand::new(another.cancelled(&io)).assert_ready("a wait that came after the cancel");
        token.cancel();
    }
    drop((waits, created));
    drop(token);
    assert!(another.is_cancelled(), "it stays so");

    // Tasks, early and late.
    let token: Arc<dyn CancellationSubject> = Arc::from(subject.cancellation());
    let wait = || {
        let (token, io) = (Arc::clone(&token), cx.io());
        async move { token.cancelled(&io).await }
    };
    let mut tasks = Vec::new();
    for place in 0..5 {
        tasks.push(cx.spawn_queued(format!("early {place}"), wait()).await);
    }
    for place in 0..5 {
        tasks.push(cx.spawn(format!("in between {place}"), wait()));
    }
    token.cancel();
    for place in 0..5 {
        tasks.push(cx.spawn(format!("late {place}"), wait()));
    }
    for task in tasks {
        task.join().await;
    }
}

async fn child_follows_parent_not_the_reverse(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let root = subject.cancellation();
    let [left, right] = [root.child(), root.child()];
    let below = left.child();
    let mut waits = [&root, &left, &right, &below].map(|token| Hand::queued(token.cancelled(&io)));
    left.cancel();
    let woken: Vec<_> = waits.iter().map(Hand::is_woken).collect();
    assert_eq!(
        woken,
        [false, true, false, true],
        "whom the cancel of the left child woke: root, left, right, below the left"
    );
    waits[3].assert_ready("a wait on a child of what was cancelled");
    let cancelled = [&root, &left, &right, &below].map(|token| token.is_cancelled());
    assert_eq!(cancelled, [false, true, false, true]);
    assert!(
        left.child().is_cancelled(),
        "a child that was made of a cancelled token"
    );
    let late = root.child();
    assert!(!late.is_cancelled(), "a child of one that is not cancelled");

    // A handle that goes cancels nothing, and hides no child from its parent.
    let middle = root.child();
    let orphan = middle.child();
    drop(middle);
    waits[0].assert_pending("a wait on the root, as a child has gone,");
    assert!(!orphan.is_cancelled(), "its parent went, uncancelled");
    root.cancel();
    waits[0].assert_ready("a wait on the root");
    waits[2].assert_ready("a wait on the right child");
    assert!(late.is_cancelled(), "a child of the root");
    assert!(orphan.is_cancelled(), "a grandchild of the root");
    assert!(root.child().is_cancelled(), "a child that came afterwards");
}

async fn run_until_cancelled_prefers_cancellation(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let token = subject.cancellation();
    let run = token.run_until_cancelled(&io, Box::pin(async { 1 }));
    let output = Hand::new(run).assert_ready("a run of a ready future");
    assert_eq!(output, Some(1), "what came of a run that nobody cancelled");

    // Both at once: the gate and the token open between two polls.
    let gate = crate::cx::Gate::new();
    let dropped = Dropped::new();
    let (passed, guard) = (gate.clone(), dropped.guard());
    let future = async move {
        let _guard = guard;
        passed.passed().await;
        2
    };
    let mut run = Hand::queued(token.run_until_cancelled(&io, Box::pin(future)));
    gate.open();
    token.cancel();
    assert!(run.is_woken(), "the cancel woke nobody");
    let output = run.assert_ready("a run that was cancelled");
    assert_eq!(output, None, "what came of a run that was cancelled");
    run.cancel();
    assert_eq!(dropped.count(), 1, "drops of the future that was run");

    // And from the start.
    let late = token.run_until_cancelled(&io, Box::pin(async { 3 }));
    let output = Hand::new(late).assert_ready("a run on a cancelled token");
    assert_eq!(output, None, "what came of a run on a cancelled token");
}

async fn drop_guard_cancels(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let token = subject.cancellation();
    let mut wait = Hand::queued(token.cancelled(&io));
    let guard = token.another().drop_guard();
    wait.assert_pending("a wait, as the guard is there,");
    drop(guard);
    assert!(
        wait.is_woken(),
        "a guard was dropped, and who waits sleeps on"
    );
    wait.assert_ready("a wait whose token's guard was dropped");
    drop(wait);
    assert!(token.is_cancelled(), "its guard was dropped");

    let token = subject.cancellation();
    let guard = token.another().drop_guard();
    let panicked = caught(|| {
        let _guard = guard;
        planned_panic();
    });
    assert!(panicked.is_err_and(|payload| is_planned(&*payload)));
    assert!(token.is_cancelled(), "its guard was dropped by a panic");

    let token = subject.cancellation();
    let back = token.another().drop_guard().disarm();
    assert!(!token.is_cancelled(), "its guard was disarmed");
    drop(back);
    assert!(!token.is_cancelled(), "a handle of it has gone");
}

async fn deep_trees_do_not_overflow(cx: Cx, subject: Arc<dyn Subject>) {
    const TOKENS: usize = 100_000;
    let io = cx.io();
    let chain = || {
        let mut tokens = vec![subject.cancellation()];
        while tokens.len() < TOKENS {
            let child = tokens[tokens.len() - 1].child();
            tokens.push(child);
        }
        tokens
    };

    let tokens = chain();
    let mut wait = Hand::queued(tokens[TOKENS - 1].cancelled(&io));
    tokens[0].cancel();
    assert!(
        wait.is_woken(),
        "the cancel of the root woke nobody at the bottom"
    );
    wait.assert_ready("a wait at the bottom");
    drop(wait);
    let missed = tokens.iter().position(|token| !token.is_cancelled());
    assert_eq!(missed, None, "the depth of a token that is not cancelled");
    drop(tokens);
    cx.yield_turns(1).await;

    // Uncancelled: from the root down, from the bottom up, and the bottom alone.
    drop(chain());
    cx.yield_turns(1).await;
    let mut tokens = chain();
    while tokens.pop().is_some() {}
    cx.yield_turns(1).await;
    let mut bottom = subject.cancellation();
    for _ in 0..TOKENS {
        bottom = bottom.child();
    }
    assert!(!bottom.is_cancelled(), "nobody has cancelled");
    drop(bottom);
    cx.yield_turns(1).await;

    // Wide.
    let root = subject.cancellation();
    let children: Vec<_> = (0..TOKENS).map(|_| root.child()).collect();
    let mut wait = Hand::queued(children[TOKENS - 1].cancelled(&io));
    root.cancel();
    wait.assert_ready("a wait of the last child");
    drop(wait);
    assert!(
        children.iter().all(|child| child.is_cancelled()),
        "all of them"
    );
    drop(root);
    drop(children);
}
