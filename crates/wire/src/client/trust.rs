//! Whose certificates count.

use std::{fmt, fs, sync::Arc};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem};
use zeroize::Zeroizing;

use super::{Options, error::Error};

/// A CA file larger than this is something else; the whole Mozilla bundle is 0.2 MB.
const MAX_CA_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// A certificate and its private key.
#[derive(Clone)]
pub struct Identity {
    /// In PEM, with those between it and an authority.
    pub certificate: String,
    /// In PEM: PKCS #8, PKCS #1 or SEC 1.
    pub key: Zeroizing<String>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

pub(super) fn config(options: &Options) -> Result<TlsConfig, Error> {
    let roots = match (&options.authorities, &options.ca_file) {
        (Some(pem), _) => RootCerts::Specific(Arc::new(certificates("the authorities given", pem)?)),
        (None, None) => RootCerts::PlatformVerifier,
        (None, Some(path)) => {
            let mut roots = read(path)?;
            // The system's own stay trusted, where it has any.
            let system = rustls_native_certs::load_native_certs().certs;
            roots.extend(system.iter().map(|der| Certificate::from_der(der).to_owned()));
            RootCerts::Specific(Arc::new(roots))
        }
    };
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider())
        .root_certs(roots)
        .client_cert(options.identity.as_ref().map(identity).transpose()?)
        .disable_verification(options.any_certificate)
        .build())
}

fn read(path: &std::path::Path) -> Result<Vec<Certificate<'static>>, Error> {
    let refused = |why: String| Error::CaFile { path: path.display().to_string(), why };
    let size = fs::metadata(path).map_err(|error| refused(error.to_string()))?.len();
    if size > MAX_CA_FILE_BYTES {
        return Err(refused(format!("{size} bytes is more than the limit of {MAX_CA_FILE_BYTES}")));
    }
    let pem = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    certificates(&path.display().to_string(), &pem)
}

/// All certificates of a text; there must be one.
fn certificates(name: &str, pem: &str) -> Result<Vec<Certificate<'static>>, Error> {
    let refused = |why: String| Error::CaFile { path: name.to_owned(), why };
    let mut certificates = Vec::new();
    for item in parse_pem(pem.as_bytes()) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| refused(error.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(refused("no certificate in it".to_owned()));
    }
    Ok(certificates)
}

fn identity(given: &Identity) -> Result<ClientCert, Error> {
    let refused = |what: &str, why: String| Error::CaFile { path: what.to_owned(), why };
    let what = "the certificate to prove oneself with";
    let chain = certificates(what, &given.certificate)?;
    let no_key = || refused("the private key", "it is no key in PEM".to_owned());
    let key = PrivateKeyDer::from_pem_slice(given.key.as_bytes()).map_err(|_| no_key())?;
    // What TLS cannot use is found here; the crate that speaks HTTP would panic over it.
    let der = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_root_certificates(rustls::RootCertStore::empty()).with_client_auth_cert(der, key)
        })
        .map_err(|wrong| refused(what, wrong.to_string()))?;
    let key = PrivateKey::from_pem(given.key.as_bytes()).map_err(|_| no_key())?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
