//! What hyper asks of an executor, by what `async-io` and [`anysync::Timer`]
//! offer: sockets and sleeps.
//!
//! hyper's own timers and streams stand for whole runtimes; here they stand for
//! any. `async-io` waits for sockets on a thread of its own, so its sockets work
//! in the tasks of every executor.

use std::fmt;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_io::Async;
use hyper::rt::ReadBufCursor;

/// How many bytes are read at a time.
const CHUNK: usize = 8 * 1024;

/// A socket for hyper.
pub(crate) struct Socket {
    stream: Async<TcpStream>,
    /// hyper's buffer may be uninitialized, and to read into that needs
    /// `unsafe`. So bytes are read into this, and copied.
    chunk: Box<[u8; CHUNK]>,
}

impl Socket {
    pub(crate) fn new(stream: Async<TcpStream>) -> Self {
        Self {
            stream,
            chunk: Box::new([0; CHUNK]),
        }
    }
}

impl hyper::rt::Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut target: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, chunk } = &mut *self;
        let room = target.remaining().min(CHUNK);
        let count = loop {
            match stream.get_ref().read(&mut chunk[..room]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(stream.poll_readable(cx))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        target.put_slice(&chunk[..count]);
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.stream.get_ref().write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.stream.poll_writable(cx))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is kept back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.stream.get_ref().shutdown(Shutdown::Write) {
            // The peer was quicker.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            outcome => Poll::Ready(outcome),
        }
    }
}

/// A timer for hyper, which is that of the executor.
#[derive(Clone, Debug)]
pub(crate) struct Timer<T>(pub(crate) T);

impl<T> hyper::rt::Timer for Timer<T>
where
    T: anysync::Timer<Sleep: Send> + Send + Sync + 'static,
{
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        let sleep = Box::pin(self.0.sleep(duration));
        Box::pin(Sleep(Mutex::new(sleep)))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        // The executor's clock may be another one than hyper's.
        self.sleep(deadline.saturating_duration_since(Instant::now()))
    }
}

/// hyper wants its sleeps to be `Sync`, for which the lock is; it is never held.
struct Sleep<S>(Mutex<Pin<Box<S>>>);

impl<S: Future<Output = ()>> Future for Sleep<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        sleep.as_mut().poll(cx)
    }
}

impl<S: Future<Output = ()> + Send> hyper::rt::Sleep for Sleep<S> {}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Socket").field(&self.stream).finish()
    }
}
