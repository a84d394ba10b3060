use std::fs;
use std::sync::Arc;

use anysync::Block;
use anysync_tokio::Tokio;
use rustls::crypto::ring;

use super::{Service, config, session, write_certificate};
use config::TlsConfig;

fn load() -> TlsConfig {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path()).unwrap();
    TlsConfig::load(directory.path()).unwrap()
}

#[test]
fn a_session_carries_a_line_and_its_answer() {
    let session = Tokio.block_on(session::exchange(&Tokio, &load(), "grüße".into()));
    assert_eq!(session.unwrap().answer, "GRÜSSE");
}

#[test]
fn a_line_of_any_length_is_answered_or_cut_and_ends() {
    for length in [0, 1, 1_023, 100_000] {
        let line = "x".repeat(length);
        let session = Tokio.block_on(session::exchange(&Tokio, &load(), line));
        if let Ok(session) = session {
            assert_eq!(session.answer, "X".repeat(length.min(1_024)));
        } else {
            // The server has closed a socket with unread bytes.
            assert!(length > 1_024);
        }
    }
}

#[test]
fn a_server_that_is_not_trusted_is_an_error_on_both_sides() {
    let mut config = load();
    config.client = load().client;
    let session = Tokio.block_on(session::exchange(&Tokio, &config, "hello".into()));
    let message = session.unwrap_err().to_string();
    assert!(
        message.starts_with("client: invalid peer certificate"),
        "{message}"
    );
    assert!(
        message.contains("server: received fatal alert"),
        "{message}"
    );
}

#[test]
fn a_load_that_fails_leaves_the_cell_empty_for_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::new(directory.path());
    Tokio.block_on(async {
        assert!(service.config(&Tokio).await.is_err());
        assert!(!service.config.is_initialized());
        write_certificate(directory.path()).unwrap();
        assert!(service.config(&Tokio).await.is_ok());
    });
    assert_eq!(service.loads(), 2);
}

#[test]
fn what_was_set_before_is_used_and_nothing_is_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::new(&directory.path().join("missing"));
    let config = load();
    let server = Arc::clone(&config.server);
    assert!(service.config.set(config));
    let used = Tokio.block_on(service.config(&Tokio)).unwrap();
    assert!(Arc::ptr_eq(&used.server, &server));
    assert_eq!(service.loads(), 0);
}

#[test]
fn files_without_a_certificate_are_an_error() {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path()).unwrap();
    fs::write(directory.path().join(config::CERTIFICATE), "").unwrap();
    let message = TlsConfig::load(directory.path()).unwrap_err().to_string();
    assert_eq!(message, "the file has no certificate");
}

#[test]
fn a_key_of_another_certificate_is_an_error() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_certificate(one.path()).unwrap();
    write_certificate(other.path()).unwrap();
    let (chain, _) = config::read_certificate(one.path()).unwrap();
    let (_, key) = config::read_certificate(other.path()).unwrap();
    assert!(TlsConfig::new(ring::default_provider(), chain, key).is_err());
}
