//! Signals that come from another thread while somebody looks at a condition.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cx::{Cx, Gate};
use crate::laws::hand::Hand;
use crate::log::yield_thread;
use crate::subject::Subject;
use crate::wakers::poll_noop;

pub(super) async fn wait_before_check_misses_nothing(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let signals = ["notify_one", "notify_all"];

    // The signal comes right after `enable`, with others about.
    for signal in signals {
        let notify = subject.notify();
        let mut enabled = notify.wait(&io);
        assert!(!enabled.as_mut().enable(), "there is nothing to win");
        let mut behind = Hand::queued(notify.wait(&io));
        match signal {
            "notify_one" => notify.notify_one(),
            _ => notify.notify_all(),
        }
        assert!(
            poll_noop(enabled.as_mut()).is_ready(),
            "a {signal} between `enable` and the first poll was lost"
        );
        if signal == "notify_one" {
            assert!(!behind.is_woken(), "an enabled wait lost its place");
            behind.cancel();
        }
        // And before `enable`.
        let notify = subject.notify();
        notify.notify_one();
        let mut wait = notify.wait(&io);
        assert!(wait.as_mut().enable(), "`enable` takes a permit");
        assert!(wait.as_mut().enable(), "`enable` forgets what it has won");
        assert!(
            poll_noop(wait.as_mut()).is_ready(),
            "what `enable` had won is lost"
        );
    }

    // A task waits for each value of a counter that a thread moves on.
    const ROUNDS: usize = 300;
    for signal in signals {
        let notify = subject.notify();
        let (value, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let gone = Gate::new();
        let waits = {
            let (notify, value, seen, io) = (
                Arc::clone(&notify),
                Arc::clone(&value),
                Arc::clone(&seen),
                cx.io(),
            );
            let (cx, gone) = (cx.clone(), gone.clone());
            async move {
                let _gone = gone.open_on_drop();
                for round in 1..=ROUNDS {
                    loop {
                        let mut wait = notify.wait(&io);
                        wait.as_mut().enable();
                        if value.load(Ordering::Acquire) >= round {
                            break;
                        }
                        let label = format!("the {signal} for round {round}");
                        cx.waiting(label, pin!(wait)).await;
                    }
                    seen.store(round, Ordering::Release);
                }
            }
        };
        let waits = cx.spawn("the waits", waits);
        let changes = cx.thread("the changes", move || {
            for round in 1..=ROUNDS {
                value.store(round, Ordering::Release);
                match signal {
                    "notify_one" => notify.notify_one(),
                    _ => notify.notify_all(),
                }
                while seen.load(Ordering::Acquire) < round {
                    if gone.is_open() {
                        return;
                    }
                    yield_thread();
                }
            }
        });
        waits.join().await;
        changes.join().await;
    }
}
