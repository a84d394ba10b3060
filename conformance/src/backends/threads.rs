//! No executor at all: each task is a parked thread on `Bare`.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use anysync::io::{TaskHandle, package, package_blocking, saturating_deadline};
use anysync::{Bare, Block, Io, Spawn, SpawnBlocking, Timer};

use crate::backend::{Backend, Capability, Face, Root};

/// The backend `threads`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnThreads;

impl Backend for OnThreads {
    fn name(&self) -> &str {
        "threads"
    }

    fn run(&self, root: Root) {
        let threads = Threads::new();
        let face = Face::runtime(threads.clone())
            .lacks(
                Capability::SpawnLocal,
                "each task has a thread to itself, so no two share one",
            )
            .lacks(Capability::Budget, "the system shares the processors out");
        threads.block_on(root.on(face));
    }
}

/// A runtime of plain threads, with one more thread as its timer, which ends
/// with the last handle.
#[derive(Clone, Debug)]
pub struct Threads {
    timer: Arc<TimerHandle>,
}

impl Threads {
    /// Starts the timer's thread.
    pub fn new() -> Self {
        let clock = Arc::new(Clock::default());
        let own = Arc::clone(&clock);
        thread::Builder::new()
            .name("timer".to_owned())
            .spawn(move || own.run())
            .expect("the system has a thread left");
        Self {
            timer: Arc::new(TimerHandle { clock }),
        }
    }
}

impl Default for Threads {
    fn default() -> Self {
        Self::new()
    }
}

impl Io for Threads {}

impl Block for Threads {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        Bare.block_on(future)
    }
}

impl Spawn for Threads {
    type Handle<T: Send + 'static> = TaskHandle<T>;

    fn spawn<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = package(future);
        start(move || Bare.block_on(task));
        handle
    }
}

impl SpawnBlocking for Threads {
    type BlockingHandle<T: Send + 'static> = TaskHandle<T>;

    fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (work, handle) = package_blocking(work);
        start(work);
        handle
    }
}

fn start(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new()
        .name("task".to_owned())
        .spawn(work)
        .expect("the system has a thread left");
}

impl Timer for Threads {
    type Instant = Instant;
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn deadline(&self, after: Duration) -> Instant {
        saturating_deadline(self.now(), after)
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep {
            at,
            clock: Arc::clone(&self.timer.clock),
            id: None,
        }
    }
}

/// Tells the timer's thread to end when the last `Threads` goes.
#[derive(Debug)]
struct TimerHandle {
    clock: Arc<Clock>,
}

impl Drop for TimerHandle {
    fn drop(&mut self) {
        self.clock.lock().closed = true;
        self.clock.changed.notify_one();
    }
}

#[derive(Debug, Default)]
struct Clock {
    state: Mutex<Alarms>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Alarms {
    // The number breaks ties, in the order of the first polls.
    due: BTreeMap<(Instant, u64), Waker>,
    next: u64,
    closed: bool,
}

impl Clock {
    fn lock(&self) -> MutexGuard<'_, Alarms> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut alarms = self.lock();
        loop {
            let Some((&(at, id), _)) = alarms.due.first_key_value() else {
                if alarms.closed {
                    return;
                }
                alarms = self
                    .changed
                    .wait(alarms)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let waker = alarms.due.remove(&(at, id));
                drop(alarms);
                waker.into_iter().for_each(Waker::wake);
                alarms = self.lock();
            } else {
                (alarms, _) = self
                    .changed
                    .wait_timeout(alarms, left)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// The future of a sleep on [`Threads`].
#[derive(Debug)]
pub struct Sleep {
    at: Instant,
    clock: Arc<Clock>,
    id: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let clock = Arc::clone(&self.clock);
        let mut alarms = clock.lock();
        let id = match self.id {
            Some(id) => id,
            None => {
                alarms.next += 1;
                alarms.next
            }
        };
        self.id = Some(id);
        let outdated = alarms.due.insert((self.at, id), waker);
        drop(alarms);
        drop(outdated);
        clock.changed.notify_one();
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let waker = self.clock.lock().due.remove(&(self.at, id));
            drop(waker);
        }
    }
}
