//! Whose certificates count.

use std::{fs, sync::Arc};

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use super::{Options, error::Error};

/// A CA file larger than this is something else; the whole Mozilla bundle is 0.2 MB.
const MAX_CA_FILE_BYTES: u64 = 8 * 1024 * 1024;

pub(super) fn config(options: &Options) -> Result<TlsConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = match &options.ca_file {
        None => RootCerts::PlatformVerifier,
        Some(path) => {
            let mut roots = read(path)?;
            // The system's own stay trusted, where it has any.
            let system = rustls_native_certs::load_native_certs().certs;
            roots.extend(system.iter().map(|der| Certificate::from_der(der).to_owned()));
            RootCerts::Specific(Arc::new(roots))
        }
    };
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(roots)
        .disable_verification(options.any_certificate)
        .build())
}

fn read(path: &std::path::Path) -> Result<Vec<Certificate<'static>>, Error> {
    let refused = |why: String| Error::CaFile { path: path.display().to_string(), why };
    let size = fs::metadata(path).map_err(|error| refused(error.to_string()))?.len();
    if size > MAX_CA_FILE_BYTES {
        return Err(refused(format!("{size} bytes is more than the limit of {MAX_CA_FILE_BYTES}")));
    }
    let pem = fs::read(path).map_err(|error| refused(error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| refused(error.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(refused("no certificate in it".to_owned()));
    }
    Ok(certificates)
}
