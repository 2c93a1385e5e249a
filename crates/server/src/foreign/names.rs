//! What principals and hosts are called.

use std::net::{IpAddr, Ipv4Addr};

use boltseal_audit::record::Source;
use boltseal_identity::{Directory, Principal};

/// A principal by its id or name. Ids first: a name could be made to look like somebody's id.
pub(crate) fn named<'a>(directory: &'a Directory, text: &str) -> Option<&'a Principal> {
    let by_id = text.parse().ok().and_then(|id| directory.principal(id));
    by_id.or_else(|| directory.principal_named(text))
}

/// A host without its port and brackets.
pub(crate) fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    if name.contains(':') || port.parse::<u16>().is_err() { host } else { name }
}

/// The address that attempts are counted under where there is none.
pub(crate) fn address(source: &Source) -> IpAddr {
    source.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lose_their_ports() {
        for (host, name) in [
            ("localhost", "localhost"),
            ("localhost:8443", "localhost"),
            ("[::1]:8443", "::1"),
            ("[::1]", "::1"),
            ("::1", "::1"),
            ("a.example:x", "a.example:x"),
            ("", ""),
        ] {
            assert_eq!(host_name(host), name, "{host}");
        }
    }
}
