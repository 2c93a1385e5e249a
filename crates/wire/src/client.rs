//! A blocking HTTP client: deadlines, size limits, careful redirects, proxies, and errors that say what to do.
//!
//! ```no_run
//! use std::io::Read as _;
//! use boltseal_wire::client::{Client, Method, Options, Request};
//! # fn main() -> Result<(), boltseal_wire::client::Error> {
//! let client = Client::new(&Options::default())?;
//! let request = Request::new(Method::Get, "https://example.org/v2/")?.header("Accept", "application/json");
//! let mut response = client.send(request)?;
//! if response.status() == 200 {
//!     let text = response.text(64 * 1024)?;
//! }
//! # Ok(()) }
//! ```
//!
//! The types: [`Client`] holds connections and rules ([`Options`], [`Proxies`]); it turns a [`Request`] into a
//! [`Response`], whose [`Body`] streams. A status of 400 and above is an answer, not an [`Error`];
//! [`Response::success`] turns it into one where it is.
//!
//! What it takes care of:
//!
//! * Each phase has its deadline: name lookup and connection, response head, every single read, and the whole.
//! * `Authorization` and `Cookie` never follow a redirect to another origin, and `https` never becomes `http`.
//! * Certificates are checked against the system's roots and, where given, a file of further ones.
//! * Bodies are handed out as they are sent: nothing is decompressed, so ranges and digests mean what they say.
//! * Messages never hold a query string or user name of a URL, since both may be secrets.
//!
//! It must not know what is said over it: registries, feeds and tokens live with their callers.
//! HTTP as in RFC 9110 (semantics; redirects in 15.4) and RFC 9112 (HTTP/1.1), by the crate `ureq`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::DefaultConnector;
use url::Url;

mod error;
mod message;
mod proxy;
pub(crate) mod public;
mod redirect;
mod trust;

pub use error::{Error, Phase};
pub use message::{Body, Method, Payload, Request, Response};
pub use proxy::Proxies;
pub use trust::Identity;

/// The rules of a client. The defaults suit downloads from the Internet.
#[derive(Clone, Debug)]
pub struct Options {
    /// For name lookup, connection and TLS handshake together.
    pub connect: Duration,
    /// From the sent request to the end of the response head.
    pub head: Duration,
    /// For any single read or write: how long a peer may be silent.
    pub idle: Duration,
    /// For everything, the body included; [`Request::deadline`] overrides it.
    pub total: Duration,
    /// How many redirects in a row.
    pub redirects: u32,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub ca_file: Option<std::path::PathBuf>,
    /// Authorities in PEM that alone count, instead of the system's and `ca_file`.
    pub authorities: Option<String>,
    /// What to prove oneself with to servers that ask for a certificate.
    pub identity: Option<Identity>,
    /// Accept any certificate. Only for registries that the user called insecure by name.
    pub any_certificate: bool,
    /// Which proxies to go through; by default as the environment says.
    pub proxies: Proxies,
    /// Connect to public addresses only, and through no proxy: for addresses that strangers may choose.
    pub public_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            head: Duration::from_mins(1),
            idle: Duration::from_mins(1),
            // A full OSV export or a 10 GB layer over a slow line; `idle` catches a dead peer long before.
            total: Duration::from_hours(2),
            redirects: 8,
            ca_file: None,
            authorities: None,
            identity: None,
            any_certificate: false,
            proxies: Proxies::from_environment(),
            public_only: false,
        }
    }
}

/// What we call ourselves in `User-Agent`.
pub const USER_AGENT: &str = concat!("boltseal/", env!("CARGO_PKG_VERSION"));

/// A head larger than this is not one: real ones are below 16 KiB.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Sends requests. Cheap to clone; clones share idle connections.
#[derive(Clone, Debug)]
pub struct Client {
    direct: ureq::Agent,
    proxied: Arc<[(proxy::For, ureq::Agent)]>,
    proxies: Arc<Proxies>,
    options: Arc<Options>,
}

impl Client {
    /// Reads the CA file and the proxy settings; opens no connection.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let tls = trust::config(options)?;
        let agent = |proxy| {
            let config = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .tls_config(tls.clone())
                .proxy(proxy)
                .max_redirects(0)
                .user_agent(USER_AGENT)
                .accept_encoding("identity")
                .max_response_header_size(MAX_HEAD_BYTES)
                .timeout_connect(Some(options.connect))
                .timeout_recv_response(Some(options.head))
                .timeout_per_read(Some(options.idle))
                .timeout_per_write(Some(options.idle))
                .build();
            if options.public_only {
                ureq::Agent::with_parts(config, DefaultConnector::new(), public::PublicOnly)
            } else {
                config.new_agent()
            }
        };
        let proxies = if options.public_only { Vec::new() } else { options.proxies.each()? };
        let agents = proxies.into_iter().map(|(to, proxy)| (to, agent(Some(proxy)))).collect();
        Ok(Self {
            direct: agent(None),
            proxied: agents,
            proxies: Arc::new(options.proxies.clone()),
            options: Arc::new(options.clone()),
        })
    }

    /// Sends `request`, follows redirects, and hands back whatever the last server answered.
    pub fn send(&self, mut request: Request<'_>) -> Result<Response, Error> {
        let end = Instant::now() + request.deadline.unwrap_or(self.options.total);
        let mut followed = 0;
        loop {
            let response = self.exchange(&mut request, end)?;
            let Some(target) = redirect::target(&request, &response)? else { return Ok(response) };
            followed += 1;
            if followed > self.options.redirects {
                return Err(Error::Redirects {
                    url: error::shown(&request.url),
                    max: self.options.redirects,
                });
            }
            redirect::follow(&mut request, target, response.status())?;
        }
    }

    /// GET without further headers.
    pub fn get(&self, url: &str) -> Result<Response, Error> {
        self.send(Request::new(Method::Get, url)?)
    }

    fn exchange(&self, request: &mut Request<'_>, end: Instant) -> Result<Response, Error> {
        let left = end.saturating_duration_since(Instant::now());
        let url = request.url.clone();
        let failed = |source| Error::of_exchange(&url, source);
        let mut nothing = ();
        let message = request.message(&mut nothing).map_err(failed)?;
        let agent = self.agent(&url);
        let message = agent.configure_request(message).timeout_global(Some(left)).build();
        let answer = agent.run(message).map_err(failed)?;
        Ok(Response::new(url.clone(), answer))
    }

    fn agent(&self, url: &Url) -> &ureq::Agent {
        let wanted = self.proxies.choose(url);
        let proxied = self.proxied.iter().find(|(to, _)| Some(*to) == wanted);
        proxied.map_or(&self.direct, |(_, agent)| agent)
    }
}

#[cfg(test)]
mod tests;
