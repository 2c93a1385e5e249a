//! A client for registries: everything that the OCI distribution specification 1.1 offers, typed and bounded.
//!
//! ```no_run
//! use boltseal_image::remote::{Access, Name, Remote};
//! # fn main() -> Result<(), boltseal_image::remote::Error> {
//! let remote = Remote::connect("registry.example.com:8443", &Access::default())?;
//! let app = remote.repository("team/app")?;
//! let manifest = app.manifest(Name::Tag("v1"))?;
//! for other in app.referrers(&manifest.digest, None)? {
//!     let _ = (other.artifact_type, other.digest);
//! }
//! # Ok(()) }
//! ```
//!
//! The types: a [`Remote`] is a registry and who we are there; a [`Repository`] of it has manifests, blobs, tags and
//! referrers. [`copy::copy`] carries images from one [`copy::Place`] to another, [`Repository::attach`] adds an
//! artifact to an image, [`Repository::discover`] shows what was added. [`Error`] says whether to wait, to log in or to
//! give up.
//!
//! What it takes care of:
//!
//! * HTTPS always, except for registries on this machine and where [`Access::plain_http`] allows more.
//! * Name and password, tokens with scopes, identity tokens: sent to the registry's own origin and token address only.
//! * Requests that change nothing when sent twice are sent again after lost connections, 429, 502, 503 and 504, at most
//!   [`Access::retries`] times; `Retry-After` is obeyed up to [`Access::patience`].
//! * Every digest is checked, every answer has its limit, every list its end.

mod attach;
mod auth;
mod blobs;
mod challenge;
pub mod copy;
mod credentials;
mod error;
mod exchange;
mod link;
mod lists;
mod manifests;
mod referrers;
mod uploads;

pub use attach::{Attached, Attachment, Blob, Content};
pub use blobs::Download;
pub use challenge::Challenge;
pub use error::{Error, Refusal, Word};
pub use link::next_page;
pub use lists::Pages;
pub use manifests::{Fetched, Head, Name, Stored};
pub use referrers::Referrer;
pub use uploads::{Mounted, Upload};

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use boltseal_model::Reference;
use boltseal_wire::client::{self, Client};
use url::Url;

use self::auth::Login;
use crate::Credentials;

/// Where Docker Hub really is.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// How to reach a registry. The default finds credentials where podman and Docker keep them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Access {
    /// Who we are. Without it, `auth.json` and `config.json` of the user are looked at, unless `anonymous`.
    pub credentials: Option<Credentials>,
    /// Looks for no credentials at all.
    pub anonymous: bool,
    /// Lets registries that are not on this machine speak plain HTTP.
    pub plain_http: bool,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Accepts any certificate. Only for registries that somebody called insecure by name.
    pub any_certificate: bool,
    /// How often a request is sent again that may succeed later. None for whoever has a better answer than waiting.
    pub retries: u32,
    /// The longest `Retry-After` that is obeyed; with a longer one the refusal comes back at once.
    pub patience: Duration,
    /// For name lookup, connection and TLS handshake together.
    pub connect: Duration,
    /// From the sent request to the start of the answer. Registries hash whole layers in that time.
    pub answer: Duration,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            credentials: None,
            anonymous: false,
            plain_http: false,
            ca_file: None,
            any_certificate: false,
            retries: 3,
            patience: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            answer: Duration::from_mins(5),
        }
    }
}

/// A registry, and who we are there. Cheap to clone; clones share connections and tokens.
#[derive(Clone)]
pub struct Remote(Arc<Inner>);

struct Inner {
    client: Client,
    /// Scheme, host and port; the origin that may see credentials.
    base: Url,
    /// For messages, as the user knows it.
    host: String,
    login: Login,
    retries: u32,
    patience: Duration,
    /// Whether it ever answered. Who never did is more likely a wrong name than a registry that restarts.
    reached: AtomicBool,
}

impl Remote {
    /// Reaches the registry at `place`: `HOST[:PORT]`, or a reference in it, which tells credentials of a repository
    /// from those of the whole registry. Only finds out which protocol it speaks; nobody is logged in yet.
    pub fn connect(place: &str, access: &Access) -> Result<Self, Error> {
        let host = match place.split_once('/') {
            None if place.contains(['.', ':', '[']) || place == "localhost" => place.to_owned(),
            _ => return Self::of(&parsed(place)?, access),
        };
        // Any repository will do to see that it is a host.
        parsed(&format!("{host}/x"))?;
        Self::at(&host, &host, access)
    }

    /// Reaches the registry of `reference`.
    pub fn of(reference: &Reference, access: &Access) -> Result<Self, Error> {
        Self::at(reference.registry(), &reference.name(), access)
    }

    /// `name` is what credentials are looked up by.
    fn at(host: &str, name: &str, access: &Access) -> Result<Self, Error> {
        let fail = |source| Error::unreachable(host, "connecting", source);
        let options = client::Options {
            ca_file: access.ca_file.clone(),
            any_certificate: access.any_certificate,
            connect: access.connect,
            head: access.answer,
            ..client::Options::default()
        };
        let client = Client::new(&options).map_err(fail)?;
        let address = if host == DOCKER_HUB.0 { DOCKER_HUB.1 } else { host };
        let mut base = format!("https://{address}");
        if access.plain_http || is_loopback(address) {
            // Ask without credentials which of the two it speaks.
            let secure = client.get(&format!("{base}/v2/"));
            let plain = format!("http://{address}");
            if secure.is_err()
                && client.get(&format!("{plain}/v2/")).is_ok_and(|answer| answer.status() != 400)
            {
                base = plain;
            }
        }
        let base =
            Url::parse(&base).map_err(|_| Error::answer(host, "connecting", "this is no host and port"))?;
        let credentials = match &access.credentials {
            Some(credentials) => Some(credentials.clone()),
            None if access.anonymous => None,
            None => credentials::find(name),
        };
        Ok(Self(Arc::new(Inner {
            client,
            base,
            host: host.to_owned(),
            login: Login::new(credentials),
            retries: access.retries,
            patience: access.patience,
            reached: AtomicBool::new(false),
        })))
    }

    /// Host and port, as the user knows it.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The repository `name`, whether it exists or not.
    pub fn repository(&self, name: &str) -> Result<Repository, Error> {
        if Reference::is_repository(name) {
            Ok(Repository { remote: self.clone(), name: name.to_owned() })
        } else {
            let why = "use lower-case letters, digits and . _ - between slashes";
            Err(Error::Name { name: crate::error::shown(name), why })
        }
    }

    /// Whether both are the same registry, so that blobs need not travel.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.base.origin() == other.0.base.origin()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.0.base.as_str()).finish()
    }
}

/// A repository of a registry.
#[derive(Clone, Debug)]
pub struct Repository {
    remote: Remote,
    name: String,
}

impl Repository {
    /// The registry it is in.
    pub const fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Its name in the registry.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn scope(&self, actions: &str) -> String {
        format!("repository:{}:{actions}", self.name)
    }
}

/// As people write it: host and name.
impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.remote.host(), self.name)
    }
}

fn parsed(place: &str) -> Result<Reference, Error> {
    place.parse().map_err(Error::Reference)
}

/// Whether `address` (host and perhaps port) is this machine.
fn is_loopback(address: &str) -> bool {
    let host = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => address,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_this_machine() {
        for (address, here) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.1.2.3", true),
            ("[::1]:5000", true),
            ("localhost.example.org", false),
            ("127.0.0.1.example.org:5000", false),
            ("10.0.0.1:5000", false),
            ("example.org", false),
        ] {
            assert_eq!(is_loopback(address), here, "{address}");
        }
    }
}
