//! What a group may reach, and who may reach it: nothing and nobody but what its file opens.
//!
//! Ports that it listens on stand under `ipAddress`, as everywhere where container groups run; a public address publishes them
//! on the machine. What it reaches has no place in the format, so it stands in tags, which every reader of such files keeps:
//!
//! ```yaml
//! tags:
//!   boltseal.egress: tcp://10.0.0.5:5432, tcp://cache:6379, dns
//! ```

use std::{fmt, net::Ipv4Addr};

use serde::{Serialize, Serializer};

use crate::plan::Opening;

/// Openings of one group: a group that needs more is not one service.
pub const MAX_OPENINGS: usize = 1_000;
/// Characters of a name of a group, as a label of DNS has (RFC 1035 2.3.4).
const MAX_NAME: usize = 63;

/// The network of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Ports that others may reach.
    pub ports: Vec<Port>,
    /// What it may reach.
    pub egress: Vec<Egress>,
    /// The line that lets it resolve names of others than groups.
    pub dns: Option<Line>,
    /// The line that has it run as somebody: it may ask for tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Line>,
}

/// A protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Of streams.
    Tcp,
    /// Of datagrams.
    Udp,
}

/// A port of a group that others may reach, where their own files open it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Of which protocol.
    pub protocol: Protocol,
    /// Within the group.
    pub number: u16,
    /// The port of the machine by which everybody reaches it.
    pub published: Option<u16>,
    /// Where it is asked for.
    #[serde(flatten)]
    pub line: Line,
}

/// Something that a group may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Egress {
    /// By which protocol.
    pub protocol: Protocol,
    /// Whom.
    pub to: To,
    /// At which ports: the first and the last.
    pub ports: (u16, u16),
    /// Where it is asked for.
    #[serde(flatten)]
    pub line: Line,
}

/// Whom a group may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// Another group of the machine, by its name.
    Group(String),
    /// Addresses: the first and the last.
    Addresses(Ipv4Addr, Ipv4Addr),
}

/// A place in the file of the group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// `tags['boltseal.egress']`
    pub path: String,
    /// The line.
    pub line: u32,
}

/// One thing that a tag opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Names of others are resolved.
    Dns,
    /// Something can be reached.
    Egress(Protocol, To, (u16, u16)),
}

impl Network {
    /// What it opens, as a plan says it.
    pub fn openings(&self) -> Vec<Opening> {
        let opening = |what, line: &Line| Opening { what, path: line.path.clone(), line: line.line };
        let ports = self.ports.iter().map(|port| {
            let name = format!("{}/{}", port.number, port.protocol.name());
            let whom = match port.published {
                Some(outside) => format!("{name} for everybody, by port {outside} of the machine"),
                None => format!("{name} for groups that open it"),
            };
            opening(whom, &port.line)
        });
        let egress = self.egress.iter().map(|one| opening(one.to_string(), &one.line));
        let dns = self.dns.iter().map(|line| opening("names of the world are resolved".to_owned(), line));
        let words = "tokens of its identity, at 169.254.169.254";
        let identity = self.identity.iter().map(|line| opening(words.to_owned(), line));
        ports.chain(egress).chain(dns).chain(identity).collect()
    }
}

impl Protocol {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// By its name, in whichever case.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Tcp, Self::Udp].into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }
}

impl Serialize for To {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for To {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => to.write_str(name),
            Self::Addresses(first, last) if first == last => write!(to, "{first}"),
            Self::Addresses(first, last) => {
                let prefix = (first.to_bits() ^ last.to_bits()).leading_zeros();
                write!(to, "{first}/{prefix}")
            }
        }
    }
}

impl fmt::Display for Egress {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = self.ports;
        write!(to, "{}://{}:{first}", self.protocol.name(), self.to)?;
        if first == last { Ok(()) } else { write!(to, "-{last}") }
    }
}

/// What one word of a tag opens: `dns`, or `tcp://10.0.0.5:5432`, `udp://10.0.0.0/8:514`, `tcp://cache:6379`,
/// `tcp://10.0.0.5:8000-8010`.
///
/// # Errors
/// Says what is wrong with it.
pub fn opened(word: &str) -> Result<Opened, String> {
    if word == "dns" {
        return Ok(Opened::Dns);
    }
    let wrong = || {
        format!(
            "`{word}` opens nothing: write tcp://ADDRESS:PORT, udp://ADDRESS/PREFIX:FIRST-LAST, tcp://GROUP:PORT, or dns"
        )
    };
    let (protocol, rest) = word.split_once("://").ok_or_else(wrong)?;
    let protocol = Protocol::of(protocol).ok_or_else(wrong)?;
    let (to, ports) = rest.rsplit_once(':').ok_or_else(wrong)?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let ports = match (port(first), port(last)) {
        (Some(first), Some(last)) if first <= last => (first, last),
        _ => return Err(wrong()),
    };
    let to = whom(to).ok_or_else(|| {
        if to.contains('.') && !to.contains('/') {
            format!("`{to}` is a name, whose addresses change: write the address, or the range it is in")
        } else {
            wrong()
        }
    })?;
    Ok(Opened::Egress(protocol, to, ports))
}

fn port(text: &str) -> Option<u16> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| plain && *port > 0)
}

fn whom(text: &str) -> Option<To> {
    if is_name(text) {
        return Some(To::Group(text.to_ascii_lowercase()));
    }
    let (address, prefix) = text.split_once('/').unwrap_or((text, "32"));
    let (address, prefix): (Ipv4Addr, u32) =
        (address.parse().ok()?, prefix.parse().ok().filter(|bits| *bits <= 32)?);
    let rest = u32::MAX.checked_shr(prefix).unwrap_or(0);
    let reachable = !address.is_loopback() && !address.is_multicast() && address.to_bits() & rest == 0;
    reachable.then(|| To::Addresses(address, Ipv4Addr::from_bits(address.to_bits() | rest)))
}

/// Whether it can be the name of a group: a label of DNS that is no number.
pub fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(letter)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_words_open() {
        assert_eq!(opened("dns"), Ok(Opened::Dns));
        for (word, shown) in [
            ("tcp://10.0.0.5:5432", "tcp://10.0.0.5:5432"),
            ("TCP://10.0.0.5/32:5432", "tcp://10.0.0.5:5432"),
            ("udp://10.0.0.0/8:514", "udp://10.0.0.0/8:514"),
            ("tcp://0.0.0.0/0:443", "tcp://0.0.0.0/0:443"),
            ("tcp://cache:8000-8010", "tcp://cache:8000-8010"),
            ("tcp://My-DB:1", "tcp://my-db:1"),
            ("tcp://169.254.169.254:80", "tcp://169.254.169.254:80"),
        ] {
            let Ok(Opened::Egress(protocol, to, ports)) = opened(word) else { panic!("{word}") };
            let egress = Egress { protocol, to, ports, line: Line::default() };
            assert_eq!(egress.to_string(), shown);
        }
        for (word, why) in [
            ("", "opens nothing"),
            ("DNS", "opens nothing"),
            ("10.0.0.5:5432", "opens nothing"),
            ("icmp://10.0.0.5:1", "opens nothing"),
            ("tcp://10.0.0.5", "opens nothing"),
            ("tcp://10.0.0.5:0", "opens nothing"),
            ("tcp://10.0.0.5:+1", "opens nothing"),
            ("tcp://10.0.0.5:65536", "opens nothing"),
            ("tcp://10.0.0.5:9-8", "opens nothing"),
            ("tcp://10.0.0.5/8:1", "opens nothing"),
            ("tcp://10.0.0.0/33:1", "opens nothing"),
            ("tcp://127.0.0.1:80", "is a name"),
            ("tcp://[::1]:80", "opens nothing"),
            ("tcp://db.example.com:5432", "is a name, whose addresses change"),
            ("tcp://-a:1", "opens nothing"),
            ("tcp://a_b:1", "opens nothing"),
        ] {
            let found = opened(word).unwrap_err();
            assert!(found.contains(why), "{word}: {found}");
        }
    }
}
