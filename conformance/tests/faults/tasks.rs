//! Tasks that are aborted, and tasks that panic with what they have won.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anysync_conformance::cx::{DynIo, Rng, is_planned, planned_panic};
use anysync_conformance::harness::SEED;
use anysync_conformance::subject::{Reach, Waitable, Waiting, owned_wait};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::reached::Reached;

const WAITS: usize = 64;

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).build().expect("a runtime")
}

/// Runs `test` with random numbers; a failure tells the seed that repeats them.
fn seeded(test: impl FnOnce(Rng)) {
    use std::hash::{BuildHasher, RandomState};
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().expect("a seed is a number"),
        Err(_) => RandomState::new().hash_one(()) >> 32,
    };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| test(Rng::new(seed)))) {
        eprintln!("{SEED}={seed} draws the same numbers");
        resume_unwind(payload);
    }
}

struct Crowd {
    runtime: Runtime,
    primitive: Arc<dyn Waitable>,
    finished: Arc<AtomicUsize>,
}

impl Crowd {
    fn new(waiting: &dyn Waiting) -> Self {
        Self {
            runtime: runtime(),
            primitive: waiting.fresh(WAITS),
            finished: Arc::default(),
        }
    }

    /// So many more that wait, once they are queued.
    fn queue(&self, count: usize) -> Vec<JoinHandle<()>> {
        let polled = Reached::new(count);
        let tasks = (0..count).map(|_| {
            let wait = polled.count_first_poll(owned_wait(&self.primitive, DynIo::bare()));
            let finished = Arc::clone(&self.finished);
            self.runtime.spawn(async move {
                wait.await;
                finished.fetch_add(1, Ordering::Relaxed);
            })
        });
        let tasks = tasks.collect();
        polled.wait();
        tasks
    }

    fn finished(&self) -> usize {
        self.finished.load(Ordering::Relaxed)
    }

    fn join(&self, tasks: Vec<JoinHandle<()>>) {
        for task in tasks {
            match self.runtime.block_on(task) {
                Ok(()) => {}
                Err(error) => assert!(error.is_cancelled(), "{error}"),
            }
        }
    }

    /// Nobody is there any more.
    fn check_later(self) {
        drop(self.runtime);
        assert_eq!(self.primitive.queued().unwrap_or(0), 0, "who is queued");
        self.primitive.check_later(&DynIo::bare());
    }
}

/// Half of those who wait are aborted, in any order, while signals come: each signal
/// still ends a wait.
pub(crate) fn aborted_at_random(waiting: &dyn Waiting) {
    seeded(|mut rng| {
        let crowd = Crowd::new(waiting);
        let mut tasks = crowd.queue(WAITS);
        rng.shuffle(&mut tasks);
        let survivors = tasks.split_off(WAITS / 2);
        let aborted = tasks;
        match waiting.reach() {
            Reach::All => {
                for task in &aborted {
                    task.abort();
                }
                crowd.join(aborted);
                // A barrier has to be full again.
                let more = crowd.queue(WAITS / 2);
                crowd.primitive.signal();
                crowd.join(survivors);
                crowd.join(more);
                assert_eq!(crowd.finished(), WAITS, "who was reached");
            }
            Reach::First => {
                std::thread::scope(|scope| {
                    scope.spawn(|| aborted.iter().for_each(JoinHandle::abort));
                    for _ in 0..WAITS / 2 {
                        crowd.primitive.signal();
                    }
                });
                crowd.join(aborted);
                while crowd.finished() < WAITS / 2 {
                    std::thread::yield_now();
                }
                for task in &survivors {
                    task.abort();
                }
                crowd.join(survivors);
                assert_eq!(crowd.finished(), WAITS / 2, "one for each signal");
            }
            Reach::FirstThenNext => {
                std::thread::scope(|scope| {
                    scope.spawn(|| aborted.iter().for_each(JoinHandle::abort));
                    crowd.primitive.signal();
                });
                crowd.join(aborted);
                crowd.join(survivors);
                assert!(crowd.finished() >= WAITS / 2, "who was reached");
            }
        }
        crowd.check_later();
    });
}

/// Whoever wins panics with what it has: the next has it all the same.
pub(crate) fn winner_panics(waiting: &dyn Waiting) {
    let (runtime, primitive) = (runtime(), waiting.fresh(WAITS));
    let polled = Reached::new(WAITS);
    let tasks: Vec<_> = (0..WAITS)
        .map(|_| {
            let primitive = Arc::clone(&primitive);
            let polled = polled.clone();
            runtime.spawn(async move {
                let io = DynIo::bare();
                // What it has won stays in it.
                polled.count_first_poll(primitive.wait(&io)).await;
                planned_panic();
            })
        })
        .collect();
    polled.wait();
    let signals = match waiting.reach() {
        Reach::First => WAITS,
        Reach::All | Reach::FirstThenNext => 1,
    };
    for _ in 0..signals {
        primitive.signal();
    }
    for task in tasks {
        let error = runtime.block_on(task).expect_err("all panic");
        assert!(is_planned(&*error.into_panic()), "another panic");
    }
    drop(runtime);
    assert_eq!(primitive.queued().unwrap_or(0), 0, "who is queued");
    primitive.check_later(&DynIo::bare());
}
