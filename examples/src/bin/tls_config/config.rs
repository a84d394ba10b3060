//! [`TlsConfig`]: both ends' configuration, from a certificate and its key.

use std::path::Path;
use std::sync::Arc;

use anysync_examples::Failure;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

pub(crate) const SERVER_NAME: &str = "localhost";
/// The file with the certificates, the server's own first.
pub(crate) const CERTIFICATE: &str = "certificate.pem";
/// The file with the server's private key.
pub(crate) const KEY: &str = "key.pem";

/// What is costly to make and cheap to share.
#[derive(Debug)]
pub(crate) struct TlsConfig {
    pub(crate) server: Arc<ServerConfig>,
    /// Trusts the server's certificate and no other.
    pub(crate) client: Arc<ClientConfig>,
}

impl TlsConfig {
    /// Makes it from the files in `directory`. Blocks.
    pub(crate) fn load(directory: &Path) -> Result<Self, Failure> {
        let (chain, key) = read_certificate(directory)?;
        Self::new(ring::default_provider(), chain, key)
    }

    pub(crate) fn new(
        provider: CryptoProvider,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, Failure> {
        let provider = Arc::new(provider);
        let mut roots = RootCertStore::empty();
        roots.add(chain.first().ok_or("the file has no certificate")?.clone())?;

        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Self {
            server: Arc::new(server),
            client: Arc::new(client),
        })
    }
}

/// Reads the certificates and the key. Blocks.
pub(crate) fn read_certificate(
    directory: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Failure> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(directory.join(CERTIFICATE))?.collect();
    let key = PrivateKeyDer::from_pem_file(directory.join(KEY))?;
    Ok((chain?, key))
}

/// Cryptography with one cipher suite, which is not the one that is chosen by
/// default: so that it can be seen which configuration was in use.
pub(crate) fn only_aes_128() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        ..ring::default_provider()
    }
}
