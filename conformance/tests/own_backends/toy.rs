//! An executor of one's own: one thread, one queue.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Wake, Waker};

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
pub(crate) struct Toy {
    ready: Mutex<VecDeque<Arc<Task>>>,
    pushed: Condvar,
}

struct Task {
    future: Mutex<Option<BoxFuture>>,
    toy: Arc<Toy>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let toy = Arc::clone(&self.toy);
        toy.ready.lock().unwrap().push_back(self);
        toy.pushed.notify_one();
    }
}

impl Toy {
    pub(crate) fn start(self: &Arc<Self>, future: BoxFuture) {
        let (future, toy) = (Mutex::new(Some(future)), Arc::clone(self));
        Arc::new(Task { future, toy }).wake();
    }

    /// Runs everything until `main` has finished.
    pub(crate) fn run(self: &Arc<Self>, main: impl Future<Output = ()> + Send + 'static) {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        self.start(Box::pin(async move {
            main.await;
            ends.store(true, Ordering::Relaxed);
        }));
        while !is_over.load(Ordering::Relaxed) {
            let ready = self.ready.lock().unwrap();
            let mut ready = self
                .pushed
                .wait_while(ready, |ready| ready.is_empty())
                .unwrap();
            let task = ready.pop_front().expect("it is not empty");
            drop(ready);
            let mut future = task.future.lock().unwrap();
            let waker = Waker::from(Arc::clone(&task));
            let mut cx = Context::from_waker(&waker);
            if future
                .as_mut()
                .is_some_and(|future| future.as_mut().poll(&mut cx).is_ready())
            {
                *future = None;
            }
        }
        let left = std::mem::take(&mut *self.ready.lock().unwrap());
        drop(left);
    }
}
