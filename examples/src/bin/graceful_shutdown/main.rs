//! A small HTTP server that ends as one wishes: nobody new comes in, whoever has
//! asked gets his answer, and whoever takes too long is cut.
//!
//! The server is hyper's, on sockets that any executor can wait for (`rt.rs`). A
//! [`CancellationToken`] tells it to stop, and the permits of a
//! [`Semaphore`](anysync::Semaphore) tell when the last connection is gone
//! (`server.rs`).

#![forbid(unsafe_code)]

mod client;
mod rt;
mod server;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anysync::{CancellationToken, Runtime};
use anysync_examples::{Failure, PATIENCE, Program, until};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};

use client::Client;
use server::{Answer, Server};

/// How long a request may take that is to be seen being cut.
const SHORT_GRACE: Duration = Duration::from_millis(50);

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "Graceful shutdown: a small HTTP server answers whoever has asked";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        drains(&rt).await?;
        cuts(&rt).await
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

/// What the requests share: how many are being worked on, and the gate that
/// holds them there.
#[derive(Clone)]
struct Work {
    in_flight: Arc<AtomicUsize>,
    gate: CancellationToken,
}

impl Work {
    fn new() -> Self {
        Self {
            in_flight: Arc::default(),
            gate: CancellationToken::new(),
        }
    }

    fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The handler.
    async fn answer<R: Runtime>(self, rt: R, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        let (status, text) = match path.strip_prefix('/') {
            Some("quick") => (StatusCode::OK, "at once".to_owned()),
            Some(work) if work.starts_with("work") => {
                self.in_flight.fetch_add(1, Ordering::Relaxed);
                self.gate.cancelled(&rt).await;
                self.in_flight.fetch_sub(1, Ordering::Relaxed);
                (StatusCode::OK, format!("{work} is done"))
            }
            _ => (StatusCode::NOT_FOUND, "there is no such thing".to_owned()),
        };
        let mut answer = Response::new(Full::from(text));
        *answer.status_mut() = status;
        answer
    }

    /// As a handler that may be called often.
    fn handler<R: Runtime>(
        &self,
        rt: &R,
    ) -> impl Fn(Request<Incoming>) -> futures::future::BoxFuture<'static, Answer> + Clone + Send + use<R>
    {
        let (work, rt) = (self.clone(), rt.clone());
        move |request| Box::pin(work.clone().answer(rt.clone(), request))
    }
}

/// Every request that has begun is answered.
async fn drains<R: Runtime>(rt: &R) -> Result<(), Failure> {
    const REQUESTS: usize = 3;

    let work = Work::new();
    let stop = CancellationToken::new();
    let server = Server::bind()?;
    let address = server.address()?;
    let server = rt.spawn(server.serve(rt.clone(), stop.clone(), work.handler(rt)));

    let mut idle = Client::connect(rt, address).await?;
    println!("quick: {}", idle.get("/quick").await?);
    println!("other: {}", idle.get("/other").await?);
    let mut requests = Vec::new();
    for number in 1..=REQUESTS {
        let mut client = Client::connect(rt, address).await?;
        let request = async move { client.get(&format!("/work-{number}")).await };
        requests.push(rt.spawn(request));
    }
    until(rt, || work.in_flight() == REQUESTS).await?;
    println!("{REQUESTS} requests in flight, 1 connection idle");

    stop.cancel();
    let draining = rt.timeout(PATIENCE, server).await??;
    println!(
        "told to stop; who comes now is refused: {}",
        client::is_refused(rt, address).await?
    );
    until(rt, || idle.is_closed() && draining.open() == REQUESTS).await?;
    println!("the idle connection is closed, {REQUESTS} are open");

    work.gate.cancel();
    let report = draining.finish(rt, PATIENCE).await;
    println!("drained, {} cut", report.cut);
    for request in requests {
        println!("answered: {}", request.await??);
    }
    Ok(())
}

/// A request that does not come to its end is cut when the time is over.
async fn cuts<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let work = Work::new();
    let stop = CancellationToken::new();
    let server = Server::bind()?;
    let address = server.address()?;
    let server = rt.spawn(server.serve(rt.clone(), stop.clone(), work.handler(rt)));

    let mut client = Client::connect(rt, address).await?;
    let request = rt.spawn(async move { client.get("/work-for-ever").await });
    until(rt, || work.in_flight() == 1).await?;
    stop.cancel();
    let draining = rt.timeout(PATIENCE, server).await??;
    let report = draining.finish(rt, SHORT_GRACE).await;
    println!("a request that does not end: {} cut", report.cut);
    println!("its client gets an error: {}", request.await?.is_err());
    Ok(())
}
