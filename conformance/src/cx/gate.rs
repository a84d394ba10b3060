//! What laws wait on beside their subjects: it must not be built out of what it
//! tests, and it must work on every thread.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// A gate that is opened once, for tasks and threads to wait at. Clones are the
/// same gate.
#[derive(Clone, Default)]
pub struct Gate {
    inner: Arc<GateInner>,
}

#[derive(Default)]
struct GateInner {
    state: Mutex<GateState>,
    opened: Condvar,
}

#[derive(Default)]
struct GateState {
    open: bool,
    wakers: Vec<Waker>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens it, for ever.
    pub fn open(&self) {
        let mut state = self.lock();
        state.open = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.inner.opened.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Opens it when what this returns is dropped.
    pub fn open_on_drop(&self) -> OpenOnDrop {
        OpenOnDrop(self.clone())
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.lock().open
    }

    /// Waits until it is open.
    pub async fn passed(&self) {
        poll_fn(|cx| {
            if self.is_open() {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            let mut state = self.lock();
            if state.open {
                return Poll::Ready(());
            }
            if !state.wakers.iter().any(|known| known.will_wake(&waker)) {
                state.wakers.push(waker);
            }
            Poll::Pending
        })
        .await;
    }

    /// Blocks this thread until it is open.
    pub fn wait_blocking(&self) {
        let mut state = self.lock();
        while !state.open {
            state = self
                .inner
                .opened
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("open", &self.is_open())
            .finish()
    }
}

/// Opens its gate when it is dropped.
#[derive(Debug)]
#[must_use = "the gate is opened when this is dropped"]
pub struct OpenOnDrop(Gate);

impl Drop for OpenOnDrop {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A place for one value that a thread leaves for a task.
pub(crate) struct Slot<T> {
    value: Arc<Mutex<Option<T>>>,
    there: Gate,
}

/// The two ends of a slot.
pub(crate) fn slot<T>() -> (Slot<T>, Slot<T>) {
    let value = Arc::new(Mutex::new(None));
    let there = Gate::new();
    let other = Slot {
        value: Arc::clone(&value),
        there: there.clone(),
    };
    (Slot { value, there }, other)
}

impl<T> Slot<T> {
    pub(crate) fn put(&self, value: T) {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        self.there.open();
    }

    pub(crate) async fn take(&self) -> T {
        self.there.passed().await;
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        value.take().expect("a slot is taken from once")
    }
}
