//! What can go wrong between two hosts, and what to do about it.

use std::io;

use url::Url;

/// Why there is no response, or only a part of one. URLs are shown without user name and query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not an absolute `http` or `https` URL.
    #[error("`{url}` cannot be fetched: {why}; give an absolute http:// or https:// URL")]
    Url {
        /// As given, shortened.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A header with a forbidden character.
    #[error("request to {url} cannot be written: {why}")]
    Request {
        /// Where to.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file of certificate authorities.
    #[error("CA file {path}: {why}; it must hold PEM certificates (-----BEGIN CERTIFICATE-----)")]
    CaFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A proxy setting that is no URL.
    #[error("proxy setting `{name}` is not a proxy URL; write http://HOST:PORT, or unset it")]
    Proxy {
        /// `HTTPS_PROXY` or `HTTP_PROXY`; the value may hold a password.
        name: &'static str,
    },
    /// No such host.
    #[error("{host}: host name not found; check the name, the DNS server and the proxy settings")]
    Resolve {
        /// The name.
        host: String,
    },
    /// No connection.
    #[error(
        "{url}: no connection: {source}; check that the server runs and that a firewall or proxy lets you through"
    )]
    Connect {
        /// Where to.
        url: String,
        /// What the system said.
        source: io::Error,
    },
    /// No trust.
    #[error("{url}: TLS failed: {why}; if the server uses a private certificate authority, name its CA file")]
    Tls {
        /// Where to.
        url: String,
        /// What the TLS library said.
        why: String,
    },
    /// A deadline passed.
    #[error("{url}: no answer in time ({phase}); try again, or raise the limit on a slow line")]
    Timeout {
        /// Where to.
        url: String,
        /// Which deadline.
        phase: Phase,
    },
    /// Redirected in circles, or nearly.
    #[error("{url}: more than {max} redirects; the server redirects in a circle, or the URL is wrong")]
    Redirects {
        /// Where it stopped.
        url: String,
        /// How many were followed.
        max: u32,
    },
    /// A redirect that must not be followed.
    #[error("{from}: will not follow the redirect to {to}: {why}")]
    Redirect {
        /// Who redirects.
        from: String,
        /// Where to.
        to: String,
        /// Which rule forbids it.
        why: &'static str,
    },
    /// A body beyond its limit.
    #[error("{url}: the answer is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Whose body.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// The connection ended early.
    #[error("{url}: the connection broke: {source}; try again, a download goes on where it stopped")]
    Broken {
        /// Whose body.
        url: String,
        /// What the system said.
        source: io::Error,
    },
    /// The peer does not speak HTTP/1.1 as we know it.
    #[error("{url}: not a usable HTTP answer: {why}")]
    Protocol {
        /// Where to.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The answer came, but is a refusal.
    #[error("{url}: the server answered {status}{excerpt}")]
    Status {
        /// Where to.
        url: String,
        /// 400 and above, or another that the caller cannot use.
        status: u16,
        /// `: ` and the first words of a text answer, or nothing.
        excerpt: String,
    },
}

/// Which deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Name lookup, connection, TLS.
    Connect,
    /// Waiting for the response head.
    Head,
    /// Silence in the middle.
    Idle,
    /// The whole exchange.
    Total,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "while connecting",
            Self::Head => "while waiting for the answer to start",
            Self::Idle => "the peer fell silent",
            Self::Total => "the whole took too long",
        })
    }
}

impl Error {
    /// Whether the same request may well succeed later: lost connections, timeouts, and 429 or 5xx answers.
    pub const fn passing(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Timeout { .. } | Self::Broken { .. } | Self::Resolve { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    pub(super) fn of_exchange(url: &Url, error: ureq::Error) -> Self {
        use ureq::{Error as Ureq, Timeout};
        let shown = shown(url);
        match error {
            Ureq::HostNotFound => Self::Resolve { host: url.host_str().unwrap_or_default().to_owned() },
            Ureq::Timeout(which) => {
                let phase = match which {
                    Timeout::Resolve | Timeout::Connect => Phase::Connect,
                    Timeout::RecvResponse | Timeout::SendRequest => Phase::Head,
                    Timeout::PerRead | Timeout::PerWrite => Phase::Idle,
                    _ => Phase::Total,
                };
                Self::Timeout { url: shown, phase }
            }
            Ureq::Tls(why) => Self::Tls { url: shown, why: why.to_owned() },
            Ureq::Rustls(why) => Self::Tls { url: shown, why: why.to_string() },
            Ureq::Io(source) => Self::of_io(shown, source),
            Ureq::ConnectionFailed => {
                Self::Connect { url: shown, source: io::Error::from(io::ErrorKind::NotConnected) }
            }
            Ureq::ConnectProxyFailed(why) => {
                Self::Connect { url: shown, source: io::Error::other(format!("the proxy refused: {why}")) }
            }
            Ureq::Http(why) => Self::Request { url: shown, why: why.to_string() },
            other => Self::Protocol { url: shown, why: other.to_string() },
        }
    }

    /// rustls reports a refused certificate as an I/O error of the handshake; tell it from a lost line.
    fn of_io(url: String, source: io::Error) -> Self {
        if let Some(tls) = source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::Tls { url, why: tls.to_string() };
        }
        match source.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::NotConnected => Self::Connect { url, source },
            _ => Self::Broken { url, source },
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Timeout { .. } => io::ErrorKind::TimedOut,
            Error::Broken { source, .. } | Error::Connect { source, .. } => source.kind(),
            Error::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// A URL as it may be shown: no user name, password, query or fragment.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}
