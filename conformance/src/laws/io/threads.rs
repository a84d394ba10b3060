//! Where an executor meets plain threads.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};

use crate::backend::Capability;
use crate::cx::{Cx, Gate};
use crate::subject::Subject;

pub(super) async fn block_on_returns_the_value(cx: Cx, _: Arc<dyn Subject>) {
    let seed = cx.seed();
    let (waits, go) = (Gate::new(), Gate::new());
    let (opens, passed, own) = (waits.clone(), go.clone(), cx.clone());
    let blocked = cx.thread("in block_on", move || {
        let text = String::from("borrowed");
        let local = Rc::new(seed);
        let output = own.block_on(async {
            // Woken by itself while it is polled, and then from elsewhere.
            for _ in 0..10 {
                anysync::yield_now().await;
            }
            opens.open();
            passed.passed().await;
            (*local, text.len())
        });
        // A second call, and the value at the first poll.
        assert_eq!(own.block_on(async { text.len() }), output.1);
        output
    });
    cx.waiting("the thread to wait in block_on", waits.passed())
        .await;
    go.open();
    assert_eq!(blocked.join().await, (seed, "borrowed".len()));
}

pub(super) async fn spawn_blocking_does_not_stall_tasks(cx: Cx, _: Arc<dyn Subject>) {
    /// More than the worker threads of most machines that run this.
    const BLOCKED: usize = 4;

    // Each blocks until all of them have started, so they run side by side, and
    // then until the tasks have had their turns.
    let started = Arc::new(AtomicUsize::new(0));
    let (all_started, go) = (Gate::new(), Gate::new());
    let blocked: Vec<_> = (0..BLOCKED)
        .map(|place| {
            let started = Arc::clone(&started);
            let (all_started, go) = (all_started.clone(), go.clone());
            cx.spawn_blocking(format!("blocks {place}"), move || {
                if started.fetch_add(1, Ordering::Relaxed) + 1 == BLOCKED {
                    all_started.open();
                }
                all_started.wait_blocking();
                go.wait_blocking();
                place
            })
        })
        .collect();
    cx.waiting(
        "all the blocking code to have started",
        all_started.passed(),
    )
    .await;
    for turn in 0..20 {
        let task = cx.spawn(format!("task {turn}"), async move {
            anysync::yield_now().await;
            turn
        });
        assert_eq!(task.join().await, turn);
    }
    go.open();
    for (place, handle) in blocked.into_iter().enumerate() {
        assert_eq!(
            handle.join().await,
            place,
            "what the blocking code returned"
        );
    }
}

pub(super) async fn wake_from_another_thread(cx: Cx, _: Arc<dyn Subject>) {
    const WAKES: usize = 60;

    let woken = cx.clone();
    let wakes = || async move {
        for round in 0..WAKES {
            let label = format!("wake-up {round} from a thread");
            woken.waiting(label, woken_elsewhere(&woken, round)).await;
        }
    };
    wakes.clone()().await;
    if cx.has(Capability::Spawn) {
        cx.spawn("woken from threads", wakes()).join().await;
    }
}

/// Pending once, until a thread that has its waker wakes it.
async fn woken_elsewhere(cx: &Cx, round: usize) {
    let (sender, receiver) = std::sync::mpsc::channel::<Waker>();
    let woken = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&woken);
    let waker = cx.thread(format!("wakes {round}"), move || {
        let waker = receiver.recv().expect("a waker is sent at the first poll");
        counts.store(1, Ordering::Release);
        match round % 3 {
            0 => waker.wake(),
            1 => waker.wake_by_ref(),
            _ => {
                let copy = waker.clone();
                drop(waker);
                copy.wake();
            }
        }
    });
    let mut sent = false;
    poll_fn(|task| {
        if woken.load(Ordering::Acquire) == 1 {
            return Poll::Ready(());
        }
        if !sent {
            sent = true;
            sender
                .send(task.waker().clone())
                .expect("the thread waits for it");
        }
        Poll::Pending
    })
    .await;
    waker.join().await;
}

pub(super) async fn local_tasks_stay_on_their_thread(cx: Cx, _: Arc<dyn Subject>) {
    let home = thread::current().id();
    let seen = Arc::new(Mutex::new(Vec::<ThreadId>::new()));
    let handles: Vec<_> = (0..3)
        .map(|place| {
            let (inner, seen) = (cx.clone(), Arc::clone(&seen));
            cx.spawn_local(format!("local {place}"), async move {
                // Not `Send`: the compiler allows it here alone.
                let note = Rc::new(Here(Arc::clone(&seen)));
                for round in 0..10 {
                    note.here();
                    match round % 2 {
                        0 => anysync::yield_now().await,
                        _ => woken_elsewhere(&inner, round).await,
                    }
                    note.here();
                }
            })
        })
        .collect();
    for handle in handles {
        handle.join().await;
    }
    let aborted = Arc::clone(&seen);
    let handle = cx.spawn_local("dropped by abort", async move {
        let _note = Rc::new(Here(aborted));
        std::future::pending::<()>().await;
    });
    anysync::yield_now().await;
    handle.abort();
    let result: Result<(), _> = handle.await;
    assert!(result.is_err_and(|error| error.is_cancelled()));

    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let strays = seen.iter().filter(|thread| **thread != home).count();
    assert_eq!(
        strays,
        0,
        "of {} visits, so many were elsewhere",
        seen.len()
    );
}

/// Writes down the thread on which it is used and dropped.
struct Here(Arc<Mutex<Vec<ThreadId>>>);

impl Here {
    fn here(&self) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(thread::current().id());
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.here();
    }
}
