//! Waits until tasks have been polled.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anysync::yield_now;

/// Counts the tasks that have been polled. Clones are the same.
#[derive(Clone)]
pub(crate) struct Reached {
    left: Arc<AtomicUsize>,
}

impl Reached {
    /// So many are to come.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            left: Arc::new(AtomicUsize::new(count)),
        }
    }

    /// `future`, which counts when it has been polled once.
    pub(crate) fn count_first_poll<F>(
        &self,
        mut future: Pin<Box<F>>,
    ) -> impl Future<Output = F::Output> + use<F>
    where
        F: Future + ?Sized,
    {
        let mut left = Some(Arc::clone(&self.left));
        poll_fn(move |cx| {
            let polled = future.as_mut().poll(cx);
            if let Some(left) = left.take() {
                left.fetch_sub(1, Ordering::Release);
            }
            polled
        })
    }

    fn is_reached(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }

    /// Blocks until all have come.
    pub(crate) fn wait(&self) {
        while !self.is_reached() {
            std::thread::yield_now();
        }
    }

    /// Lets the tasks of this thread run until all have come.
    pub(crate) async fn turns(&self) {
        while !self.is_reached() {
            yield_now().await;
        }
    }
}
