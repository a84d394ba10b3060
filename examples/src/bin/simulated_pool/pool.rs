//! The same pool on a `Semaphore`: [`Pool`].

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use anysync::{Io, OwnedSemaphorePermit, Semaphore};

/// A permit stands for a connection. A wait that has won its permit and is given
/// up hands the permit on, so there is nothing to forget here.
pub(crate) struct Pool<C> {
    free: Arc<Semaphore>,
    idle: Mutex<Vec<C>>,
}

impl<C> Pool<C> {
    pub(crate) fn new(connections: impl IntoIterator<Item = C>) -> Arc<Self> {
        let idle: Vec<_> = connections.into_iter().collect();
        Arc::new(Self {
            free: Arc::new(Semaphore::new(idle.len())),
            idle: Mutex::new(idle),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<C>> {
        self.idle.lock().expect("no holder of the lock panics")
    }

    pub(crate) async fn get(self: &Arc<Self>, io: impl Io) -> Lease<C> {
        let free = Arc::clone(&self.free);
        let permit = free.acquire_owned(io).await;
        let permit = permit.expect("the semaphore is never closed");
        let connection = self.lock().pop();
        Lease {
            connection: Some(connection.expect("as many connections as permits")),
            pool: Arc::clone(self),
            _permit: permit,
        }
    }
}

/// A connection on loan; it goes back when this is dropped.
pub(crate) struct Lease<C> {
    connection: Option<C>,
    pool: Arc<Pool<C>>,
    // Dropped after the connection has gone back.
    _permit: OwnedSemaphorePermit,
}

impl<C> Deref for Lease<C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.connection.as_ref().expect("it is there until the end")
    }
}

impl<C> Drop for Lease<C> {
    fn drop(&mut self) {
        let connection = self.connection.take();
        self.pool.lock().extend(connection);
    }
}
