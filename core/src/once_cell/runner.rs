//! Runs a few tasks on one thread, first woken first run, for tests.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Waker};
use std::boxed::Box;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::Wake;
use std::vec::Vec;

type Queue = Arc<Mutex<VecDeque<usize>>>;

/// Wakes a task: puts it behind the others, unless it is there.
struct Place {
    task: usize,
    queued: AtomicBool,
    queue: Queue,
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.queue.lock().unwrap().push_back(self.task);
        }
    }
}

type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

pub(super) struct Runner<'a> {
    queue: Queue,
    tasks: Vec<(Option<Task<'a>>, Arc<Place>)>,
}

impl<'a> Runner<'a> {
    pub(super) fn new() -> Self {
        Self {
            queue: Queue::default(),
            tasks: Vec::new(),
        }
    }

    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + 'a) {
        let place = Arc::new(Place {
            task: self.tasks.len(),
            queued: AtomicBool::new(false),
            queue: self.queue.clone(),
        });
        self.tasks.push((Some(Box::pin(task)), place.clone()));
        place.wake();
    }

    /// Polls tasks that are woken, up to `polls` times; how many have not ended
    /// when none of them is woken any more.
    pub(super) fn run(&mut self, polls: usize) -> Option<usize> {
        for _ in 0..polls {
            let Some(next) = self.queue.lock().unwrap().pop_front() else {
                return Some(self.tasks.iter().filter(|(task, _)| task.is_some()).count());
            };
            let (task, place) = &mut self.tasks[next];
            place.queued.store(false, Ordering::Relaxed);
            let waker = Waker::from(place.clone());
            if let Some(running) = task {
                if running
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_ready()
                {
                    *task = None;
                }
            }
        }
        None
    }
}
