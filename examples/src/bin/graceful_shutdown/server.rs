//! [`Server`]: HTTP/1 over any executor, which ends without dropping what it has
//! begun.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anysync::{CancellationToken, OwnedSemaphorePermit, Runtime, Semaphore};
use async_io::Async;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};

use crate::rt::{Socket, Timer};

#[cfg(test)]
mod tests;

/// How many clients are connected at the same time; more wait in the backlog of
/// the operating system.
const CONNECTIONS: usize = 100;
/// How long a client may take to send the head of a request.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// How long the server rests when the system has no more sockets for it.
const REST: Duration = Duration::from_millis(50);

/// What a handler answers.
pub(crate) type Answer = Response<Full<Bytes>>;

/// A server that listens.
pub(crate) struct Server {
    listener: Async<TcpListener>,
    connections: Connections,
}

/// A server that listens no more, and may still be answering.
pub(crate) struct Draining {
    connections: Connections,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Connections that were cut because they took too long.
    pub(crate) cut: usize,
}

/// The connections that are open.
#[derive(Clone)]
struct Connections {
    /// Each has a permit. So this bounds them, and who has acquired all permits
    /// knows that there is none: no list of tasks to keep.
    permits: Arc<Semaphore>,
    /// Cuts them, wherever they stand.
    cut: CancellationToken,
}

impl Server {
    /// A server on the loopback, on a port that is free.
    pub(crate) fn bind() -> io::Result<Self> {
        Ok(Self {
            listener: Async::<TcpListener>::bind((Ipv4Addr::LOCALHOST, 0))?,
            connections: Connections {
                permits: Arc::new(Semaphore::new(CONNECTIONS)),
                cut: CancellationToken::new(),
            },
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.get_ref().local_addr()
    }

    /// Serves until `stop` is cancelled. Then nobody can connect any more,
    /// connections that are idle are closed, and the others as soon as they have
    /// their answer.
    pub(crate) async fn serve<R, H, F>(self, rt: R, stop: CancellationToken, handle: H) -> Draining
    where
        R: Runtime,
        H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        loop {
            let next = self.accept(&rt);
            match stop.run_until_cancelled(&rt, next).await {
                None => break,
                Some(Ok((stream, permit))) => {
                    let connection = Connection {
                        rt: rt.clone(),
                        stream,
                        stop: stop.clone(),
                        cut: self.connections.cut.clone(),
                        permit,
                    };
                    // Dropped, the handle lets the task run on.
                    drop(rt.spawn(connection.serve(handle.clone())));
                }
                // A client that was gone again, or too many open files. The
                // server goes on, but does not run hot.
                Some(Err(_)) => {
                    let _ = stop.run_until_cancelled(&rt, rt.sleep(REST)).await;
                }
            }
        }
        // The listener goes here.
        Draining {
            connections: self.connections,
        }
    }

    /// The permit comes first: a client that cannot be served is not accepted.
    async fn accept<R: Runtime>(
        &self,
        rt: &R,
    ) -> io::Result<(Async<TcpStream>, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.connections.permits).acquire_owned(rt);
        let permit = permit.await.map_err(io::Error::other)?;
        let (stream, _) = self.listener.accept().await?;
        Ok((stream, permit))
    }
}

impl Draining {
    /// How many connections are open, at this moment.
    pub(crate) fn open(&self) -> usize {
        CONNECTIONS - self.connections.permits.available_permits()
    }

    /// Waits until all that has been begun is answered, for `grace` at most; what
    /// takes longer is cut.
    pub(crate) async fn finish<R: Runtime>(self, rt: &R, grace: Duration) -> Report {
        let permits = &self.connections.permits;
        let drained = rt
            .timeout(grace, permits.acquire_many(rt, CONNECTIONS))
            .await;
        if drained.is_ok() {
            return Report { cut: 0 };
        }
        // The wait that has timed out is gone, so those permits count again.
        let cut = self.open();
        self.connections.cut.cancel();
        // The tasks drop their connections at their next turn.
        let _all = permits.acquire_many(rt, CONNECTIONS).await;
        Report { cut }
    }
}

struct Connection<R> {
    rt: R,
    stream: Async<TcpStream>,
    stop: CancellationToken,
    cut: CancellationToken,
    permit: OwnedSemaphorePermit,
}

impl<R: Runtime> Connection<R> {
    async fn serve<H, F>(self, handle: H)
    where
        H: Fn(Request<Incoming>) -> F + Send + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        // Dropped after everything else, also by a panic in the handler.
        let _permit = self.permit;
        let service = service_fn(move |request| {
            let answer = handle(request);
            async { Ok::<_, Infallible>(answer.await) }
        });
        let http = http1::Builder::new()
            .timer(Timer(self.rt.clone()))
            .header_read_timeout(HEAD_LIMIT)
            .serve_connection(Socket::new(self.stream), service);
        let (rt, stop) = (&self.rt, &self.stop);
        let until_the_end = async {
            let mut http = pin!(http);
            if stop.run_until_cancelled(rt, http.as_mut()).await.is_none() {
                http.as_mut().graceful_shutdown();
                // An error is the client's, who has gone away or talks nonsense.
                let _ = http.await;
            }
        };
        let _ = self.cut.run_until_cancelled(rt, until_the_end).await;
    }
}
