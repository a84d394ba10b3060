//! [`DbPool`]: a few connections to an SQLite file, for any number of tasks.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use anysync::{Io, Mutex, Notify, SpawnBlocking};
use anysync_examples::Failure;
use rusqlite::Connection;

#[cfg(test)]
mod tests;

/// How long a writer waits for another connection's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// A fixed number of connections, each used by one task at a time.
pub(crate) struct DbPool {
    /// A lock of the standard library's: it is held for a push or a pop, never
    /// across an `await`, and a [`Lease`] that is dropped must be able to take
    /// it without waiting.
    idle: std::sync::Mutex<Vec<Connection>>,
    returned: Notify,
    /// The line of those who want a connection. An anysync `Mutex` is first in,
    /// first out, so nobody is overtaken. And only the head of the line listens
    /// to `returned`, so it does no harm that two returns may merge into one
    /// permit: the next head looks before it listens.
    line: Mutex<()>,
}

impl DbPool {
    /// Opens `size` connections to the file at `path`, which is made if it does
    /// not exist. Blocks.
    pub(crate) fn open(path: &Path, size: usize) -> rusqlite::Result<Self> {
        let connections: rusqlite::Result<Vec<_>> = (0..size).map(|_| connect(path)).collect();
        Ok(Self {
            idle: std::sync::Mutex::new(connections?),
            returned: Notify::new(),
            line: Mutex::new(()),
        })
    }

    /// Runs `work` with a connection, on a thread where it may block.
    ///
    /// Dropped after `work` has started, it lets it run to its end; the
    /// connection comes back by itself.
    pub(crate) async fn run<S, T>(
        &'static self,
        rt: &S,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure>
    where
        S: SpawnBlocking,
        T: Send + 'static,
    {
        let mut lease = self.lease(rt).await;
        Ok(rt.spawn_blocking(move || work(&mut lease)).await??)
    }

    /// Takes a connection, and waits in line for it.
    pub(crate) async fn lease(&self, io: impl Io) -> Lease<'_> {
        let _head_of_the_line = self.line.lock(&io).await;
        loop {
            let connection = self.idle().pop();
            if connection.is_some() {
                return Lease {
                    connection,
                    pool: self,
                };
            }
            self.returned.wait(&io).await;
        }
    }

    /// Closes the connections that nobody uses, and tells how many.
    pub(crate) fn close(&self) -> rusqlite::Result<usize> {
        let connections = std::mem::take(&mut *self.idle());
        let closed = connections.len();
        for connection in connections {
            connection.close().map_err(|(_, error)| error)?;
        }
        Ok(closed)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // No code that could panic runs under it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Readers and one writer at the same time.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS visits (
            id      INTEGER PRIMARY KEY,
            visitor TEXT NOT NULL,
            minutes INTEGER NOT NULL
        )",
    )?;
    Ok(connection)
}

/// A connection on loan. It goes back when it is dropped, also by a panic of
/// the code that uses it.
pub(crate) struct Lease<'a> {
    /// `None` only while it is dropped.
    connection: Option<Connection>,
    pool: &'a DbPool,
}

impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("present until the drop")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("present until the drop")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.pool.idle().extend(self.connection.take());
        self.pool.returned.notify_one();
    }
}
