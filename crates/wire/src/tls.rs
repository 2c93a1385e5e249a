//! Certificates: a local authority made on the first start, and a server certificate signed by it.
//!
//! ```no_run
//! # fn example() -> Result<(), boltseal_wire::tls::Error> {
//! use boltseal_wire::tls::Certificates;
//! let certificates = Certificates::open("data/tls".as_ref(), &["registry.example".to_owned()])?;
//! println!("trust {} ({})", certificates.authority().display(), certificates.fingerprint());
//! let config = certificates.server_config()?;
//! # Ok(()) }
//! ```
//!
//! Keys are files of mode 0600 in a folder of mode 0700. The authority signs nothing but this server's certificate; it
//! exists so that clients can be told once whom to trust, while the certificate below it changes.

mod files;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls::{
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// Browsers refuse certificates of more than 398 days.
const SERVER_LIFE: Duration = Duration::from_hours(397 * 24);
/// Renewed this long before the end, so that a server that is started monthly still renews in time.
const RENEW_BEFORE: Duration = Duration::from_hours(60 * 24);
/// Clocks differ: valid from yesterday.
const SKEW: Duration = Duration::from_hours(24);
/// Replacing the authority means visiting every client.
const AUTHORITY_LIFE: Duration = Duration::from_hours(10 * 365 * 24);
/// Names every server certificate has.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is not what its name says.
    #[error("{}: {why}; restore it from a backup, or remove the folder to make a new authority", path.display())]
    Broken {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A certificate cannot be made.
    #[error("certificate for {names}: {why}")]
    Make {
        /// For whom.
        names: String,
        /// Why not.
        why: String,
    },
}

/// The certificates of one server, renewed before they end.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
    names: Vec<String>,
    fingerprint: String,
    current: Arc<Current>,
}

/// What is being served; exchanged while connections come in.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Certificates {
    /// Opens the folder, making what is missing or due. `names` are host names or addresses besides the local ones.
    pub fn open(folder: &Path, names: &[String]) -> Result<Self, Error> {
        files::private_folder(folder)?;
        let mut all: Vec<String> = LOCAL.iter().map(|name| (*name).to_owned()).collect();
        all.extend(names.iter().cloned());
        all.sort();
        all.dedup();
        let (authority, pem) = authority(folder)?;
        let key = serving(folder, &all, &authority)?;
        Ok(Self {
            folder: folder.to_owned(),
            names: all,
            fingerprint: fingerprint(&folder.join("ca.pem"), &pem)?,
            current: Arc::new(Current(RwLock::new(Arc::new(key)))),
        })
    }

    /// The file to give to clients.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// SHA-256 of the authority's certificate, as browsers and `openssl x509 -fingerprint` show it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Makes a new server certificate if the old one is due; call it once a day. True when it did.
    pub fn renew(&self) -> Result<bool, Error> {
        if files::still_good(&self.folder, &self.names, RENEW_BEFORE) {
            return Ok(false);
        }
        let (authority, _) = authority(&self.folder)?;
        let key = Arc::new(serving(&self.folder, &self.names, &authority)?);
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(true)
    }

    /// What [`serve`](crate::server::serve) needs. Renewed certificates are used without a restart.
    pub fn server_config(&self) -> Result<Arc<rustls::ServerConfig>, Error> {
        config(Arc::clone(&self.current) as Arc<dyn ResolvesServerCert>)
    }
}

/// The same for a certificate that somebody else made: PEM files, the chain leaf first.
pub fn from_files(chain: &Path, key: &Path) -> Result<Arc<rustls::ServerConfig>, Error> {
    let loaded = load(chain, key)?;
    config(Arc::new(Current(RwLock::new(Arc::new(loaded)))))
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()))
}

fn config(resolver: Arc<dyn ResolvesServerCert>) -> Result<Arc<rustls::ServerConfig>, Error> {
    let builder =
        rustls::ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| Error::Make { names: "TLS".to_owned(), why: e.to_string() })?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The authority's key and its certificate as PEM, made if absent.
fn authority(folder: &Path) -> Result<(Issuer<'static, KeyPair>, String), Error> {
    let (key_file, file) = (folder.join("ca.key"), folder.join("ca.pem"));
    let key = if let Some(pem) = files::read(&key_file)? {
        KeyPair::from_pem(&pem).map_err(|e| broken(&key_file, &e))?
    } else {
        let key = KeyPair::generate().map_err(|e| unmade(&[], &e))?;
        files::write(&key_file, &key.serialize_pem())?;
        key
    };
    let params = authority_params(&key);
    let pem = if let Some(pem) = files::read(&file)? {
        pem
    } else {
        let pem = params.self_signed(&key).map_err(|e| unmade(&[], &e))?.pem();
        files::write(&file, &pem)?;
        pem
    };
    Ok((Issuer::new(params, key), pem))
}

/// The same parameters whenever the same key is loaded, so that what it signs names it rightly.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    let key_id = params.key_identifier(key);
    let id = key_id.first_chunk().map_or(0, |first| u32::from_be_bytes(*first));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Boltseal local authority {id:08x}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let now = SystemTime::now();
    (params.not_before, params.not_after) = ((now - SKEW).into(), (now + AUTHORITY_LIFE).into());
    params
}

/// The server's certificate and key, made anew when absent, due, or for other names.
fn serving(folder: &Path, names: &[String], authority: &Issuer<'_, KeyPair>) -> Result<CertifiedKey, Error> {
    let (chain, key_file) = (folder.join("server.pem"), folder.join("server.key"));
    if files::still_good(folder, names, RENEW_BEFORE)
        && let Ok(loaded) = load(&chain, &key_file)
    {
        return Ok(loaded);
    }
    let key = KeyPair::generate().map_err(|e| unmade(names, &e))?;
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.iter().map(|name| alternative(name)).collect::<Result<_, _>>()?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "boltseal");
    params.serial_number = Some(SerialNumber::from(files::serial().to_vec()));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let now = SystemTime::now();
    (params.not_before, params.not_after) = ((now - SKEW).into(), (now + SERVER_LIFE).into());
    let certificate = params.signed_by(&key, authority).map_err(|e| unmade(names, &e))?;
    files::write(&key_file, &key.serialize_pem())?;
    files::write(&chain, &certificate.pem())?;
    files::note(folder, names, SERVER_LIFE)?;
    load(&chain, &key_file)
}

fn alternative(name: &str) -> Result<SanType, Error> {
    match name.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => name.try_into().map(SanType::DnsName).map_err(|e| unmade(&[name.to_owned()], &e)),
    }
}

fn load(chain: &Path, key: &Path) -> Result<CertifiedKey, Error> {
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| broken(chain, &e))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| broken(key, &e))?;
    CertifiedKey::from_der(certificates, private, &provider()).map_err(|e| broken(chain, &e))
}

fn fingerprint(file: &Path, pem: &str) -> Result<String, Error> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| broken(file, &e))?;
    let digest = boltseal_model::Digest::of(&der);
    Ok(digest.bytes().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":"))
}

fn broken(path: &Path, why: &impl ToString) -> Error {
    Error::Broken { path: path.to_owned(), why: why.to_string() }
}

fn unmade(names: &[String], why: &impl ToString) -> Error {
    Error::Make { names: names.join(", "), why: why.to_string() }
}
