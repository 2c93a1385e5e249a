//! Whom we ask over the network: their addresses, and the authorities of their certificates.

use std::path::{Path, PathBuf};

use url::{Host, Url};

use super::Error;
use crate::recorder::write_private;

/// Bytes of a certificate authority's PEM.
const MAX_CA: usize = 64 << 10;

/// An address to ask: `https`, or this machine.
pub(super) fn address(text: &str) -> Result<String, Error> {
    let wrong = |why: &str| Error::Asked(format!("the address is not usable: {why}"));
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && local) {
        return Err(wrong("it must be https, unless it is on this machine"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong("credentials go into `authorization`"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Refuses what is no certificate authority.
pub(super) fn check_ca(pem: &str) -> Result<(), Error> {
    if pem.len() > MAX_CA || !pem.contains("BEGIN CERTIFICATE") {
        return Err(Error::Asked(format!("`ca` is PEM with certificates, at most {MAX_CA} bytes")));
    }
    Ok(())
}

/// A certificate authority as a file, which clients want it as.
pub(super) fn authority_file(folder: &Path, name: &str, pem: &str) -> Result<PathBuf, Error> {
    let path = folder.join(format!("{}.pem", hex::encode(name)));
    if std::fs::read(&path).is_ok_and(|known| known == pem.as_bytes()) {
        return Ok(path);
    }
    let unusable = |wrong: std::io::Error| Error::Setting { name: name.to_owned(), why: wrong.to_string() };
    write_private(&path, pem.as_bytes()).map_err(unusable)?;
    Ok(path)
}
