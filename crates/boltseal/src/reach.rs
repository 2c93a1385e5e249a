//! Which server a command talks to, and as whom.

use std::{
    env,
    fmt::Write as _,
    net::IpAddr,
    path::{Path, PathBuf},
};

use boltseal_api::client::{Client, Server};
use boltseal_model::Timestamp;
use url::{Host, Url};

use crate::{cli::Global, exit::Failure, given, servers::Servers};

/// Where `boltseal up` listens unless told otherwise.
pub const LOCAL: &str = "https://127.0.0.1:8443";
/// The environment variable with a token; not an argument, since those are seen by everyone on the machine.
const TOKEN: &str = "BOLTSEAL_TOKEN";

/// Which server.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct Reach {
    /// Server to ask [default: the last `boltseal login`]. With a token in `BOLTSEAL_TOKEN` no login is needed
    #[arg(long, global = true, value_name = "ADDRESS", env = "BOLTSEAL_SERVER", hide_env_values = true)]
    server: Option<String>,
    /// PEM file of the authority that vouches for the server [default: as at the login]
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Reach {
    /// That of the last login.
    pub fn last() -> Self {
        Self { server: env::var("BOLTSEAL_SERVER").ok(), ca: None }
    }

    /// The server, as whoever logged in.
    pub fn client(&self, global: &Global) -> Result<Client, Failure> {
        self.server(global).and_then(|server| Ok(Client::new(&server)?))
    }

    /// Whether a server was named.
    pub const fn is_named(&self) -> bool {
        self.server.is_some()
    }

    /// Whether a server was named, or somebody is logged in to one.
    pub fn is_known(&self) -> Result<bool, Failure> {
        Ok(self.is_named() || Servers::read()?.last().is_some())
    }

    /// Where to ask, and as whom.
    pub fn server(&self, global: &Global) -> Result<Server, Failure> {
        let servers = Servers::read()?;
        let token = env::var(TOKEN).ok().filter(|token| !token.is_empty());
        let address = match (&self.server, servers.last()) {
            (Some(named), _) => address(named)?,
            (None, Some(last)) => last.address.clone(),
            (None, None) if token.is_some() => LOCAL.to_owned(),
            (None, None) => {
                return Err(Failure::undecided("no server: nobody is logged in").next("run `boltseal login`"));
            }
        };
        let known = servers.at(&address);
        let token = match (token, known) {
            (Some(token), _) => token,
            (None, Some(known)) if known.expires > Timestamp::now() => known.token.clone(),
            (None, Some(known)) => {
                return Err(Failure::undecided(format_args!(
                    "the login of {} at {address} ended at {}",
                    known.principal,
                    known.expires.strftime("%Y-%m-%d %H:%M UTC")
                ))
                .next(format!("run `boltseal login {address}`")));
            }
            (None, None) => {
                return Err(Failure::undecided(format_args!("nobody is logged in to {address}"))
                    .next(format!("run `boltseal login {address}`")));
            }
        };
        let ca = self.ca.clone().or_else(|| known.and_then(|known| known.ca.clone()));
        let ca = ca.or_else(|| local_authority(&address, global));
        Ok(Server { address, token: Some(token), ca })
    }
}

/// The server whose registry is at `host`, as whoever logged in there.
pub fn at_registry(host: &str, global: &Global) -> Result<Option<Server>, Failure> {
    let Ok(address) = address(host) else { return Ok(None) };
    let servers = Servers::read()?;
    let known = servers.at(&address).or_else(|| servers.of_registry(host));
    let address = known.map_or(address, |known| known.address.clone());
    let named = env::var("BOLTSEAL_SERVER").ok().and_then(|named| self::address(&named).ok());
    let token = env::var(TOKEN).ok().filter(|token| !token.is_empty() && named.as_ref() == Some(&address));
    let remembered =
        || known.filter(|known| known.expires > Timestamp::now()).map(|known| known.token.clone());
    let ca = known.and_then(|known| known.ca.clone()).or_else(|| local_authority(&address, global));
    let token = token.or_else(remembered);
    Ok((token.is_some() || ca.is_some()).then_some(Server { address, token, ca }))
}

/// The name of its registry that a server at `address` gave, if it can be believed: another port of the same machine. A server
/// that could claim any name would be asked about the images of others.
pub fn claimed(address: &str, registry: &str) -> Option<String> {
    let server = Url::parse(address).ok()?;
    let named = Url::parse(&format!("https://{registry}")).ok()?;
    let is_same = server.host() == named.host() || (is_loopback(&server) && is_loopback(&named));
    (is_same && matches!(named.path(), "" | "/")).then(|| registry.to_owned())
}

/// Where to ask without being anybody.
impl Reach {
    /// The server named, or of the last login, or of this machine.
    pub fn unproven(&self, global: &Global) -> Result<Server, Failure> {
        let servers = Servers::read()?;
        let address = match (&self.server, servers.last()) {
            (Some(named), _) => address(named)?,
            (None, Some(last)) => last.address.clone(),
            (None, None) => LOCAL.to_owned(),
        };
        let remembered = || servers.at(&address).and_then(|known| known.ca.clone());
        let ca = self.ca.clone().or_else(|| local_authority(&address, global)).or_else(remembered);
        Ok(Server { address, token: None, ca })
    }
}

/// An address as it is remembered: with a scheme, without anything after the port. Tokens go over TLS, or to this
/// machine.
pub fn address(given: &str) -> Result<String, Failure> {
    let wrong = |why: &str| {
        Failure::usage(format_args!("`{given}` is no address of a server: {why}"))
            .next("give one such as https://registry.example.com:8443")
    };
    let with_scheme = if given.contains("://") { given.to_owned() } else { format!("https://{given}") };
    let url = Url::parse(&with_scheme).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.path(), "" | "/") || url.query().is_some() || !url.username().is_empty() {
        return Err(wrong("it must end after the host and port"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(wrong("secrets would go there without encryption")),
        _ => return Err(wrong("it is neither https nor http")),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The authority of a server on this machine, where its data folder is at hand.
pub fn local_authority(address: &str, global: &Global) -> Option<PathBuf> {
    let url = Url::parse(address).ok().filter(is_loopback)?;
    let file = given::data(global).ok()?.join("tls").join("ca.pem");
    (url.scheme() == "https" && Path::exists(&file)).then_some(file)
}

/// Whether it is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}

/// A path of the API, from its parts below `/api/v1`: each is one segment whatever is in it (RFC 3986 section 3.3).
pub fn path(parts: &[&str]) -> String {
    let mut path = "/api/v1".to_owned();
    for part in parts {
        path.push('/');
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    path
}

/// A path of the API with a query; what has no value is left out.
pub fn query(parts: &[&str], pairs: &[(&str, Option<&str>)]) -> String {
    let given = pairs.iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    if query.is_empty() { path(parts) } else { format!("{}?{query}", path(parts)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (given, expected) in [
            ("127.0.0.1:8443", Some("https://127.0.0.1:8443")),
            ("https://registry.example.com/", Some("https://registry.example.com")),
            ("registry.example.com", Some("https://registry.example.com")),
            ("http://localhost:8080", Some("http://localhost:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("http://registry.example.com", None),
            ("https://registry.example.com/v2/", None),
            ("https://me@registry.example.com", None),
            ("ftp://registry.example.com", None),
            ("", None),
        ] {
            assert_eq!(address(given).ok().as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn claims() {
        for (server, registry, believed) in [
            ("https://127.0.0.1:8443", "127.0.0.1:5000", true),
            ("https://localhost:8443", "127.0.0.1:5000", true),
            ("https://r.example.com:8443", "r.example.com", true),
            ("https://r.example.com", "docker.io", false),
            ("https://r.example.com", "127.0.0.1:5000", false),
            ("https://127.0.0.1:8443", "r.example.com", false),
            ("https://r.example.com", "r.example.com/x", false),
            ("https://r.example.com", "", false),
        ] {
            assert_eq!(claimed(server, registry).is_some(), believed, "{server} {registry}");
        }
    }

    #[test]
    fn paths() {
        assert_eq!(path(&["principals", "a/../b c"]), "/api/v1/principals/a%2F..%2Fb%20c");
        assert_eq!(query(&["roles"], &[("a", None)]), "/api/v1/roles");
        assert_eq!(query(&["roles"], &[("a", Some("x&y")), ("b", None)]), "/api/v1/roles?a=x%26y");
    }
}
