//! Proxies, by the environment variables that curl, Go and Python agree on.
//!
//! Every request goes through a tunnel (`CONNECT`, RFC 9110, section 9.3.6), plain `http` included, so that a proxy
//! sees names of hosts and never what is said.

use url::{Host, Url};

use super::error::Error;

/// Which requests go through which proxy. Loopback addresses never do.
#[derive(Clone, Default)]
pub struct Proxies {
    /// For `http` URLs: `http://HOST:PORT`.
    pub http: Option<String>,
    /// For `https` URLs.
    pub https: Option<String>,
    /// Hosts reached directly: `example.org` (and below), `.example.org`, `10.0.0.1`, `host:port`, `*`.
    pub direct: Vec<String>,
}

/// The scheme a proxy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    Http,
    Https,
}

impl Proxies {
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in lower case first.
    pub fn from_environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// The same from any source of variables.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            variable(&name.to_ascii_lowercase()).or_else(|| variable(name)).filter(|value| !value.is_empty())
        };
        let all = either("ALL_PROXY");
        let direct = either("NO_PROXY").unwrap_or_default();
        Self {
            // Inside a CGI program `HTTP_PROXY` is set by whoever sends the header `Proxy:`.
            http: variable("http_proxy")
                .or_else(|| variable("HTTP_PROXY").filter(|_| variable("REQUEST_METHOD").is_none()))
                .filter(|value| !value.is_empty())
                .or_else(|| all.clone()),
            https: either("HTTPS_PROXY").or(all),
            direct: direct
                .split(',')
                .map(|entry| entry.trim().to_ascii_lowercase())
                .filter(|e| !e.is_empty())
                .collect(),
        }
    }

    pub(super) fn each(&self) -> Result<Vec<(For, ureq::Proxy)>, Error> {
        let settings = [(For::Http, &self.http, "HTTP_PROXY"), (For::Https, &self.https, "HTTPS_PROXY")];
        let mut each = Vec::new();
        for (to, setting, name) in settings {
            if let Some(setting) = setting {
                each.push((to, ureq::Proxy::new(setting).map_err(|_| Error::Proxy { name })?));
            }
        }
        Ok(each)
    }

    pub(super) fn choose(&self, url: &Url) -> Option<For> {
        let host = url.host()?;
        let loopback = match &host {
            Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let name = host.to_string();
        if loopback || self.direct.iter().any(|entry| covers(entry, &name, url.port_or_known_default())) {
            return None;
        }
        Some(if url.scheme() == "https" { For::Https } else { For::Http })
    }
}

fn covers(entry: &str, host: &str, port: Option<u16>) -> bool {
    let entry = match entry.rsplit_once(':') {
        Some((name, digits)) if digits.parse::<u16>().is_ok() && !name.contains(':') => {
            if digits.parse().ok() != port {
                return false;
            }
            name
        }
        _ => entry,
    };
    let entry = entry.trim_start_matches("*.").trim_start_matches('.');
    entry == "*" || host == entry || host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.'))
}

impl std::fmt::Debug for Proxies {
    /// A proxy URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxies {{ http: {}, https: {} }}", self.http.is_some(), self.https.is_some())
    }
}
