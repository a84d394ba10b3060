//! [`ConnectionPool`]: a [`Semaphore`] in front of a few connections.

use std::error::Error;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anysync::{
    AcquireError, Elapsed, JoinError, OwnedSemaphorePermit, Semaphore, SpawnBlocking, Timer,
};
use rusqlite::Connection;

#[cfg(test)]
mod tests;

/// How long a writer waits for another connection's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// A fixed number of connections to an SQLite file.
pub(crate) struct ConnectionPool {
    /// A permit for each connection that is idle. The semaphore does the waiting:
    /// in order, with a limit, until the pool is closed.
    permits: Semaphore,
    /// A lock of the standard library's, held for a push or a pop. A connection
    /// is put here before its permit goes back and taken after it has come, so
    /// whoever has a permit finds one.
    idle: Mutex<Vec<Connection>>,
    size: usize,
}

/// Why the database did not do what it was to.
#[derive(Debug)]
pub(crate) enum PoolError {
    /// No connection came back in time.
    TimedOut,
    /// The pool is closed.
    Closed,
    /// The code that was to use the connection panicked.
    Panicked(JoinError),
    /// SQLite says no.
    Sqlite(rusqlite::Error),
}

impl ConnectionPool {
    /// Opens `size` connections to the file at `path`, which is made if it does
    /// not exist. Blocks.
    pub(crate) fn open(path: &Path, size: usize) -> Result<Self, PoolError> {
        let connections: rusqlite::Result<Vec<_>> = (0..size).map(|_| connect(path)).collect();
        Ok(Self {
            permits: Semaphore::new(size),
            idle: Mutex::new(connections?),
            size,
        })
    }

    /// Runs `work` with a connection, on a thread where it may block. Waits in
    /// line for the connection, for `limit` at most; `work` may take its time.
    ///
    /// Dropped before `work` has started, it leaves no trace. Dropped later, it
    /// lets `work` run to its end, and the connection comes back by itself.
    pub(crate) async fn run<R, T>(
        self: &Arc<Self>,
        rt: &R,
        limit: Duration,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PoolError>
    where
        R: Timer + SpawnBlocking,
        T: Send + 'static,
    {
        let mut lease = self.lease(rt, limit).await?;
        Ok(rt.spawn_blocking(move || work(&mut lease)).await??)
    }

    /// Takes a connection, and waits in line for it, for `limit` at most.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        io: impl Timer,
        limit: Duration,
    ) -> Result<Lease, PoolError> {
        // The permit owns a share of the whole pool, not of the semaphore alone:
        // so the lease may go to another thread, and needs nothing beside it to
        // find its way back.
        let permit = Semaphore::acquire_owned_by(Arc::clone(self), |pool| &pool.permits, &io, 1);
        let permit = io.timeout(limit, permit).await??;
        let connection = self.idle().pop();
        debug_assert!(connection.is_some(), "a permit without a connection");
        Ok(Lease { connection, permit })
    }

    /// Waits until nobody uses a connection, and runs `work` with one of them
    /// while nobody can. It is not overtaken by those who want one connection,
    /// however many they are: the semaphore is first in, first out.
    pub(crate) async fn run_alone<R, T>(
        self: &Arc<Self>,
        rt: &R,
        limit: Duration,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PoolError>
    where
        R: Timer + SpawnBlocking,
        T: Send + 'static,
    {
        let all =
            Semaphore::acquire_owned_by(Arc::clone(self), |pool| &pool.permits, rt, self.size);
        let mut all = rt.timeout(limit, all).await??;
        // One permit goes with the connection, the rest stay here.
        let permit = all.split(1).expect("the pool has a connection");
        let mut lease = Lease {
            connection: self.idle().pop(),
            permit,
        };
        Ok(rt
            .spawn_blocking(move || {
                let _the_rest = all;
                work(&mut lease)
            })
            .await??)
    }

    /// How many connections can be had without waiting, at this moment.
    pub(crate) fn available(&self) -> usize {
        self.permits.available_permits()
    }

    /// How many callers wait, at this moment.
    pub(crate) fn waiting(&self) -> usize {
        self.permits.waiter_count()
    }

    /// Closes the pool: whoever waits gets an error, and whoever comes later.
    /// Connections in use are closed when they come back, by the last who has
    /// a share of the pool. Returns how many were closed at once.
    pub(crate) fn close(&self) -> Result<usize, PoolError> {
        self.permits.close();
        let connections = std::mem::take(&mut *self.idle());
        let closed = connections.len();
        for connection in connections {
            connection.close().map_err(|(_, error)| error)?;
        }
        Ok(closed)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // No code that could panic runs under it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Readers and one writer at the same time.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    Ok(connection)
}

/// A connection on loan. It goes back when it is dropped, also by a panic of
/// the code that uses it.
pub(crate) struct Lease {
    /// `None` only while it is dropped.
    connection: Option<Connection>,
    /// Dropped after the connection has gone back.
    permit: OwnedSemaphorePermit<ConnectionPool>,
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("present until the drop")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("present until the drop")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.permit.owner().idle().extend(self.connection.take());
    }
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no connection came back in time"),
            Self::Closed => f.write_str("the pool is closed"),
            Self::Panicked(error) => write!(f, "the database code failed: {error}"),
            Self::Sqlite(error) => error.fmt(f),
        }
    }
}

impl Error for PoolError {}

impl From<Elapsed> for PoolError {
    fn from(_: Elapsed) -> Self {
        Self::TimedOut
    }
}

impl From<AcquireError> for PoolError {
    fn from(_: AcquireError) -> Self {
        Self::Closed
    }
}

impl From<JoinError> for PoolError {
    fn from(error: JoinError) -> Self {
        Self::Panicked(error)
    }
}

impl From<rusqlite::Error> for PoolError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
