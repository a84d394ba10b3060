//! A small single-threaded executor with a flaw.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use anysync::io::{TaskHandle, package, package_blocking};
use anysync::{Bare, Block, Io, SpawnBlocking, SpawnLocal, Timer};

use crate::backend::{Backend, Face, Root};
use crate::backends::threads::{Sleep, Threads};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    YieldStarves,
    ForeignWakesAreLost,
    BlockingRunsInline,
    LocalTasksElsewhere,
}

pub(super) struct OnToy(pub(super) &'static str, pub(super) Flaw);

impl Backend for OnToy {
    fn name(&self) -> &str {
        self.0
    }

    fn run(&self, root: Root) {
        let toy = Toy::new(self.1);
        let face = Face::local(toy.clone()).spawn_blocking_locally(toy.clone());
        let root = root.on(face);
        match self.1 {
            Flaw::LocalTasksElsewhere => {
                let polls = thread::spawn(move || Bare.block_on(root));
                toy.run(async move {
                    while !polls.is_finished() {
                        anysync::yield_now().await;
                    }
                });
            }
            _ => toy.run(root),
        }
    }
}

/// Clones are the same executor.
#[derive(Clone)]
pub(super) struct Toy {
    tasks: Rc<RefCell<Vec<Option<Task>>>>,
    queue: Arc<Queue>,
    threads: Threads,
    flaw: Flaw,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The numbers of the tasks that are ready.
struct Queue {
    ready: Mutex<VecDeque<usize>>,
    pushed: Condvar,
    home: ThreadId,
    flaw: Flaw,
}

impl Queue {
    fn push(&self, task: usize) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        match self.flaw {
            Flaw::YieldStarves => ready.push_front(task),
            _ => ready.push_back(task),
        }
        drop(ready);
        self.pushed.notify_one();
    }

    fn pop(&self) -> usize {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(task) = ready.pop_front() {
                return task;
            }
            ready = self
                .pushed
                .wait(ready)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct TaskWaker {
    task: usize,
    queue: Arc<Queue>,
    queued: AtomicBool,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let is_foreign = thread::current().id() != self.queue.home;
        if is_foreign && self.queue.flaw == Flaw::ForeignWakesAreLost {
            return;
        }
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.queue.push(self.task);
        }
    }
}

impl Toy {
    fn new(flaw: Flaw) -> Self {
        Self {
            tasks: Rc::default(),
            queue: Arc::new(Queue {
                ready: Mutex::default(),
                pushed: Condvar::new(),
                home: thread::current().id(),
                flaw,
            }),
            threads: Threads::new(),
            flaw,
        }
    }

    fn start(&self, future: impl Future<Output = ()> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        let task = tasks.len();
        let queue = Arc::clone(&self.queue);
        let waker = Arc::new(TaskWaker {
            task,
            queue,
            queued: AtomicBool::new(true),
        });
        // A task has one waker of its own for all its polls.
        let mut future = Box::pin(future);
        tasks.push(Some(Box::pin(std::future::poll_fn(move |_| {
            waker.queued.store(false, Ordering::Release);
            let own = Waker::from(Arc::clone(&waker));
            future.as_mut().poll(&mut Context::from_waker(&own))
        }))));
        drop(tasks);
        self.queue.push(task);
    }

    /// Runs everything until `main` is done.
    fn run(&self, main: impl Future<Output = ()> + 'static) {
        let done = Rc::new(RefCell::new(false));
        let sets = Rc::clone(&done);
        self.start(async move {
            main.await;
            *sets.borrow_mut() = true;
        });
        while !*done.borrow() {
            let number = self.queue.pop();
            let Some(mut task) = self.tasks.borrow_mut()[number].take() else {
                continue;
            };
            let polled = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if polled.is_pending() {
                self.tasks.borrow_mut()[number] = Some(task);
            }
        }
        // The unfinished tasks hold clones of this.
        let unfinished = std::mem::take(&mut *self.tasks.borrow_mut());
        drop(unfinished);
    }
}

impl Io for Toy {}

impl Timer for Toy {
    type Instant = Instant;
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        self.threads.now()
    }

    fn deadline(&self, after: Duration) -> Instant {
        self.threads.deadline(after)
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        self.threads.sleep_until(at)
    }
}

impl SpawnLocal for Toy {
    type LocalHandle<T: 'static> = TaskHandle<T>;

    fn spawn_local<F>(&self, future: F) -> Self::LocalHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let (task, handle) = package(future);
        self.start(task);
        handle
    }
}

impl SpawnBlocking for Toy {
    type BlockingHandle<T: Send + 'static> = TaskHandle<T>;

    fn spawn_blocking<F, T>(&self, work: F) -> Self::BlockingHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if self.flaw != Flaw::BlockingRunsInline {
            return self.threads.spawn_blocking(work);
        }
        let (run, handle) = package_blocking(work);
        run();
        handle
    }
}

impl Block for Toy {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        Bare.block_on(future)
    }
}
