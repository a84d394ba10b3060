//! A TLS configuration that is made once, from files or by somebody from
//! outside, and shared by every connection. The handshakes are real ones, of
//! rustls over the loopback.

#![forbid(unsafe_code)]

mod config;
mod session;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anysync::once_cell::SetError;
use anysync::{OnceCell, Runtime};
use anysync_examples::{Failure, Program};
use rustls::crypto::ring;

use config::TlsConfig;
use session::Session;

const CONNECTIONS: usize = 8;

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "A TLS configuration: made once, from files or from outside";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        let directory = tempfile::tempdir()?;
        write_certificate(directory.path())?;

        from_files(&rt, directory.path()).await?;
        from_outside(&rt, directory.path()).await?;

        directory.close()?;
        Ok(())
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

/// Where the connections of a service find their configuration.
struct Service {
    config: OnceCell<TlsConfig>,
    directory: PathBuf,
    loads: AtomicUsize,
}

impl Service {
    fn new(directory: &Path) -> Self {
        Self {
            config: OnceCell::new(),
            directory: directory.to_owned(),
            loads: AtomicUsize::new(0),
        }
    }

    /// The configuration; loads it from the files if nobody has done so yet nor
    /// set another.
    async fn config<R: Runtime>(&self, rt: &R) -> Result<&TlsConfig, Failure> {
        let load = || async {
            self.loads.fetch_add(1, Ordering::Relaxed);
            let directory = self.directory.clone();
            rt.spawn_blocking(move || TlsConfig::load(&directory))
                .await?
        };
        self.config.get_or_try_init_async(rt, load).await
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::Relaxed)
    }
}

/// The first connection loads the configuration, the others wait for it.
async fn from_files<R: Runtime>(rt: &R, directory: &Path) -> Result<(), Failure> {
    println!("from files:");
    let service = Arc::new(Service::new(directory));
    connect_all(rt, &service).await?;
    println!("  the files were loaded {} time", service.loads());
    Ok(())
}

/// Set before it is needed, the configuration is not loaded at all; set too
/// late, it is refused and given back.
async fn from_outside<R: Runtime>(rt: &R, directory: &Path) -> Result<(), Failure> {
    println!("set from outside:");
    let service = Arc::new(Service::new(directory));
    let (chain, key) = config::read_certificate(directory)?;
    let config = TlsConfig::new(config::only_aes_128(), chain, key)?;
    println!(
        "  set before the first use: accepted {}",
        service.config.set(config)
    );

    connect_all(rt, &service).await?;
    println!("  the files were loaded {} times", service.loads());

    let (chain, key) = config::read_certificate(directory)?;
    let late = TlsConfig::new(ring::default_provider(), chain, key)?;
    match service.config.try_set(late) {
        Ok(()) => println!("  set again: accepted"),
        Err(SetError::AlreadyInitialized(_config)) => {
            println!("  set again: refused, and the configuration given back");
        }
        Err(SetError::Initializing(_config)) => {
            println!("  set again: refused, somebody is loading it");
        }
    }
    Ok(())
}

/// Many connections at the same time, each of which asks for the configuration.
async fn connect_all<R: Runtime>(rt: &R, service: &Arc<Service>) -> Result<(), Failure> {
    let sessions: Vec<_> = (0..CONNECTIONS)
        .map(|id| {
            let (rt, service) = (rt.clone(), Arc::clone(service));
            rt.clone().spawn(async move {
                let config = service.config(&rt).await?;
                session::exchange(&rt, config, format!("hello from {id}")).await
            })
        })
        .collect();
    for session in sessions {
        let Session {
            version,
            suite,
            answer,
        } = session.await??;
        println!("  {version:?} {suite:?} {answer:?}");
    }
    Ok(())
}

/// Makes a certificate for `localhost` that signs itself, and puts it and its
/// key into two files.
fn write_certificate(directory: &Path) -> Result<(), Failure> {
    let made = rcgen::generate_simple_self_signed([config::SERVER_NAME.to_owned()])?;
    fs::write(directory.join(config::CERTIFICATE), made.cert.pem())?;
    fs::write(
        directory.join(config::KEY),
        made.signing_key.serialize_pem(),
    )?;
    Ok(())
}
