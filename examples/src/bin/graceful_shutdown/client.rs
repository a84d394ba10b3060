//! [`Client`]: one connection to the server.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anysync::Runtime;
use anysync_examples::Failure;
use async_io::Async;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;

use crate::rt::Socket;

/// A server that is silent for longer is given up.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client<R> {
    rt: R,
    requests: SendRequest<Empty<Bytes>>,
    host: String,
}

impl<R: Runtime> Client<R> {
    pub(crate) async fn connect(rt: &R, server: SocketAddr) -> Result<Self, Failure> {
        let stream = rt
            .timeout(PATIENCE, Async::<TcpStream>::connect(server))
            .await??;
        let (requests, connection) = http1::handshake(Socket::new(stream)).await?;
        // Its errors come back by the requests.
        drop(rt.spawn(async move { drop(connection.await) }));
        Ok(Self {
            rt: rt.clone(),
            requests,
            host: server.to_string(),
        })
    }

    /// Asks for `path`: the answer's status and text.
    pub(crate) async fn get(&mut self, path: &str) -> Result<String, Failure> {
        let request = Request::get(path)
            .header(HOST, &self.host)
            .body(Empty::new())?;
        let answer = async {
            self.requests.ready().await?;
            let response = self.requests.send_request(request).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, Failure>(format!("{status} {}", String::from_utf8_lossy(&body)))
        };
        self.rt.timeout(PATIENCE, answer).await?
    }

    /// Whether the server has closed the connection.
    pub(crate) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }
}

/// Whether there is a server that one can connect to.
pub(crate) async fn is_refused<R: Runtime>(rt: &R, server: SocketAddr) -> Result<bool, Failure> {
    match rt
        .timeout(PATIENCE, Async::<TcpStream>::connect(server))
        .await?
    {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(true),
        Err(error) => Err(error.into()),
    }
}
