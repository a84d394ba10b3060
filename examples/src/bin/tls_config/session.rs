//! A connection: a server that answers in capitals, and a client that asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anysync::SpawnBlocking;
use anysync_examples::Failure;
use rustls::pki_types::ServerName;
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, ProtocolVersion, ServerConfig, ServerConnection,
    StreamOwned,
};

use crate::config::{SERVER_NAME, TlsConfig};

/// A peer who is silent for longer is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest line that the server reads, in bytes.
const MAX_LINE: u64 = 1024;

/// What the client saw.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: CipherSuite,
    pub(crate) answer: String,
}

/// Connects a client to a server and sends `line`. The sockets block, so each
/// end has a thread of its own on which that is allowed.
pub(crate) async fn exchange<S: SpawnBlocking>(
    rt: &S,
    config: &TlsConfig,
    line: String,
) -> Result<Session, Failure> {
    let (client_socket, server_socket) = rt.spawn_blocking(connected_sockets).await??;
    let (client_config, server_config) = (Arc::clone(&config.client), Arc::clone(&config.server));
    let server = rt.spawn_blocking(move || serve(server_config, server_socket));
    let client = rt.spawn_blocking(move || ask(client_config, client_socket, &line));
    match (client.await?, server.await?) {
        (Ok(session), Ok(())) => Ok(session),
        // What one end finds wrong, the other hears as an alert.
        (Err(client), Err(server)) => Err(format!("client: {client}; server: {server}").into()),
        (Err(error), Ok(())) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Two ends of one connection over the loopback.
fn connected_sockets() -> Result<(TcpStream, TcpStream), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    // The connection is complete before it is accepted, so to connect first
    // makes sure that there is something to accept and nothing to wait for.
    let client = TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE)?;
    let (server, _) = listener.accept()?;
    for socket in [&client, &server] {
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
    }
    Ok((client, server))
}

/// The server: reads a line and sends it back in capitals.
fn serve(config: Arc<ServerConfig>, socket: TcpStream) -> Result<(), Failure> {
    let mut stream = StreamOwned::new(ServerConnection::new(config)?, socket);
    let mut line = String::new();
    BufReader::new((&mut stream).take(MAX_LINE)).read_line(&mut line)?;
    stream.write_all(line.to_uppercase().as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(())
}

/// The client: sends a line and reads until the server says that it was all.
fn ask(config: Arc<ClientConfig>, socket: TcpStream, line: &str) -> Result<Session, Failure> {
    let name = ServerName::try_from(SERVER_NAME)?;
    let mut stream = StreamOwned::new(ClientConnection::new(config, name)?, socket);
    stream.write_all(format!("{line}\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;

    let version = stream
        .conn
        .protocol_version()
        .ok_or("no protocol version")?;
    let suite = stream
        .conn
        .negotiated_cipher_suite()
        .ok_or("no cipher suite")?;
    Ok(Session {
        version,
        suite: suite.suite(),
        answer: answer.trim_end().to_owned(),
    })
}
