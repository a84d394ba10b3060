//! The pool that one makes at home, to be seen failing: [`NaivePool`].

use std::collections::VecDeque;
use std::future::poll_fn;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

/// Connections, and the wakers of those who wait for one.
///
/// It is right as long as nobody gives up. Whoever gives a connection back wakes
/// the first in the queue and takes it out; when that one is cancelled before it
/// has come to take the connection, nobody is told that there is one.
pub(crate) struct NaivePool<C> {
    state: Mutex<State<C>>,
}

struct State<C> {
    idle: Vec<C>,
    waiting: VecDeque<Waker>,
}

impl<C> NaivePool<C> {
    pub(crate) fn new(connections: impl IntoIterator<Item = C>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                idle: connections.into_iter().collect(),
                waiting: VecDeque::new(),
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().expect("no holder of the lock panics")
    }

    pub(crate) async fn get(self: &Arc<Self>) -> Lease<C> {
        let connection = poll_fn(|cx| {
            let mut state = self.lock();
            match state.idle.pop() {
                Some(connection) => Poll::Ready(connection),
                None => {
                    state.waiting.push_back(cx.waker().clone());
                    Poll::Pending
                }
            }
        });
        Lease {
            connection: Some(connection.await),
            pool: Arc::clone(self),
        }
    }
}

/// A connection on loan; it goes back when this is dropped.
pub(crate) struct Lease<C> {
    connection: Option<C>,
    pool: Arc<NaivePool<C>>,
}

impl<C> Deref for Lease<C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.connection.as_ref().expect("it is there until the end")
    }
}

impl<C> Drop for Lease<C> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.idle.extend(self.connection.take());
        let next = state.waiting.pop_front();
        drop(state);
        if let Some(waker) = next {
            waker.wake();
        }
    }
}
