use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anysync::{CancellationToken, Runtime, Spawn, SpawnBlocking, Timer};
use anysync_smol::Smol;
use anysync_tokio::Tokio;

use super::{CONNECTIONS, Report, Server};
use crate::Work;
use crate::client::Client;

const LONG: Duration = Duration::from_secs(60);

async fn until(state: impl Fn() -> bool) {
    while !state() {
        Smol.sleep(Duration::from_millis(1)).await;
    }
}

/// Starts a server, and runs `test` with it.
fn with_server<R: Runtime>(
    rt: R,
    test: impl AsyncFnOnce(
        &R,
        std::net::SocketAddr,
        Work,
        CancellationToken,
        R::Handle<super::Draining>,
    ),
) {
    rt.block_on(async {
        let (work, stop) = (Work::new(), CancellationToken::new());
        let server = Server::bind().unwrap();
        let address = server.address().unwrap();
        let serving = rt.spawn(server.serve(rt.clone(), stop.clone(), work.handler(&rt)));
        test(&rt, address, work, stop, serving).await;
    });
}

#[test]
fn a_connection_carries_many_requests() {
    with_server(Tokio, async |rt, address, _, stop, serving| {
        let mut client = Client::connect(rt, address).await.unwrap();
        for _ in 0..100 {
            assert_eq!(client.get("/quick").await.unwrap(), "200 at once");
        }
        stop.cancel();
        let report = serving.await.unwrap().finish(rt, LONG).await;
        assert_eq!(report, Report { cut: 0 });
    });
}

#[test]
fn a_request_in_flight_is_answered_after_the_stop() {
    with_server(Smol, async |rt, address, work, stop, serving| {
        let mut client = Client::connect(rt, address).await.unwrap();
        let request = rt.spawn(async move { client.get("/work").await });
        until(|| work.in_flight() == 1).await;
        stop.cancel();
        let draining = serving.await.unwrap();
        assert_eq!(draining.open(), 1);
        work.gate.cancel();
        assert_eq!(draining.finish(rt, LONG).await, Report { cut: 0 });
        assert_eq!(request.await.unwrap().unwrap(), "200 work is done");
    });
}

#[test]
fn what_takes_too_long_is_cut_and_nothing_is_left() {
    with_server(Smol, async |rt, address, work, stop, serving| {
        let mut client = Client::connect(rt, address).await.unwrap();
        let request = rt.spawn(async move { client.get("/work").await });
        until(|| work.in_flight() == 1).await;
        stop.cancel();
        let draining = serving.await.unwrap();
        let permits = draining.connections.permits.clone();
        let report = draining.finish(rt, Duration::from_millis(1)).await;
        assert_eq!(report, Report { cut: 1 });
        assert_eq!(permits.available_permits(), CONNECTIONS);
        assert!(request.await.unwrap().is_err());
    });
}

#[test]
fn nonsense_closes_its_own_connection_and_no_other() {
    with_server(Tokio, async |rt, address, _, stop, serving| {
        let text = rt
            .spawn_blocking(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(LONG)).unwrap();
                stream.write_all(b"nonsense\r\n\r\n").unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).unwrap();
                text
            })
            .await
            .unwrap();
        assert!(text.starts_with("HTTP/1.1 400"), "{text}");
        let mut client = Client::connect(rt, address).await.unwrap();
        assert_eq!(client.get("/quick").await.unwrap(), "200 at once");
        stop.cancel();
        let report = serving.await.unwrap().finish(rt, LONG).await;
        assert_eq!(report, Report { cut: 0 });
    });
}

#[test]
fn a_stop_before_the_first_connection_ends_at_once() {
    with_server(Smol, async |rt, _, _, stop, serving| {
        stop.cancel();
        let report = serving.await.unwrap().finish(rt, LONG).await;
        assert_eq!(report, Report { cut: 0 });
    });
}
