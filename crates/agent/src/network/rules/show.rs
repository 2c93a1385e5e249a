//! A table as `nft` writes it.

use std::fmt::{self, Display, Formatter, Write as _};

use super::{
    LOG_GROUP, Rules, TABLE,
    language::{Act, At, Chain, Element, Field, Gives, Hook, Is, Rule, Set, Target, Test, Value},
};
use crate::network::range::LINKS;

impl Display for Rules {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        writeln!(to, "table inet {TABLE} {{")?;
        // Maps name chains, so these come first.
        let (plain, maps): (Vec<_>, Vec<_>) = self.sets.iter().partition(|set| set.gives != Gives::Chain);
        plain.iter().try_for_each(|set| write!(to, "{set}"))?;
        let (aside, hooked): (Vec<_>, Vec<_>) = self.chains.iter().partition(|chain| chain.hook.is_none());
        aside.iter().try_for_each(|chain| write!(to, "{chain}"))?;
        maps.iter().try_for_each(|set| write!(to, "{set}"))?;
        hooked.iter().try_for_each(|chain| write!(to, "{chain}"))?;
        writeln!(to, "}}")
    }
}

impl Display for Set {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let (kind, gives) = match self.gives {
            Gives::Nothing => ("set", ""),
            Gives::Place => ("map", " : ipv4_addr . inet_service"),
            Gives::Chain => ("map", " : verdict"),
        };
        writeln!(to, "\t{kind} {} {{", self.name)?;
        writeln!(to, "\t\ttype {}{gives}", joined(self.key.iter().map(|field| field.kind())))?;
        if self.ranges {
            writeln!(to, "\t\tflags interval")?;
        }
        if !self.elements.is_empty() {
            let elements: Vec<_> = self.elements.iter().map(ToString::to_string).collect();
            writeln!(to, "\t\telements = {{ {} }}", elements.join(",\n\t\t\t     "))?;
        }
        writeln!(to, "\t}}")
    }
}

impl Display for Element {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        write!(to, "{}", joined(&self.key))?;
        match &self.target {
            None => Ok(()),
            Some(Target::Place(address, port)) => write!(to, " : {address} . {port}"),
            Some(Target::Chain(name)) => write!(to, " : goto {name}"),
        }
    }
}

impl Display for Value {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(slot) => write!(to, "\"{}\"", slot.link()),
            Self::Named(name) => write!(to, "\"{}\"", String::from_utf8_lossy(name).trim_end_matches('\0')),
            Self::Address(address) => write!(to, "{address}"),
            Self::Addresses(first, last) if first == last => write!(to, "{first}"),
            Self::Addresses(first, last) => write!(to, "{first}-{last}"),
            Self::Protocol(protocol) => to.write_str(protocol.name()),
            Self::Port(port) => write!(to, "{port}"),
            Self::Ports(first, last) if first == last => write!(to, "{first}"),
            Self::Ports(first, last) => write!(to, "{first}-{last}"),
        }
    }
}

impl Display for Chain {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        writeln!(to, "\tchain {} {{", self.name)?;
        if let Some(hook) = self.hook {
            writeln!(to, "\t\t{hook}; policy accept;")?;
        }
        self.rules.iter().try_for_each(|rule| writeln!(to, "\t\t{rule}"))?;
        writeln!(to, "\t}}")
    }
}

impl Display for Hook {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let kind = if self.nat { "nat" } else { "filter" };
        let at = match self.at {
            At::Prerouting => "prerouting",
            At::Input => "input",
            At::Forward => "forward",
            At::Output => "output",
            At::Postrouting => "postrouting",
        };
        write!(to, "type {kind} hook {at} priority {}", self.priority)
    }
}

impl Display for Rule {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        self.tests.iter().try_for_each(|test| write!(to, "{test} "))?;
        match &self.act {
            Act::Accept => to.write_str("accept"),
            Act::Drop => to.write_str("drop"),
            Act::Masquerade => to.write_str("masquerade"),
            Act::Sender(address) => write!(to, "snat ip to {address}"),
            Act::Translate(fields, map) => write!(to, "dnat ip to {} map @{map}", words(fields)),
            Act::Goto(fields, map) => write!(to, "{} vmap @{map}", words(fields)),
            Act::Report(name, rate) => write!(
                to,
                "limit rate {rate}/second burst {rate} packets log prefix \"{name}\" group {LOG_GROUP} snaplen 64"
            ),
        }
    }
}

impl Display for Test {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::FromGroup(is) => write!(to, "iifname {is}\"{LINKS}*\""),
            Self::ToGroup(is) => write!(to, "oifname {is}\"{LINKS}*\""),
            Self::Answers => to.write_str("ct state established ct direction reply"),
            Self::Errors => to.write_str("ct state related meta l4proto icmp"),
            Self::Invalid => to.write_str("ct state invalid"),
            Self::Translated => to.write_str("ct status dnat"),
            Self::Local => to.write_str("fib daddr type local"),
            Self::Redirect => to.write_str("icmp type redirect"),
            Self::Address(field, is, address) => write!(to, "{} {is}{address}", field.word()),
            Self::Prefix(field, is, address, prefix) => write!(to, "{} {is}{address}/{prefix}", field.word()),
            Self::Protocol(protocol) => write!(to, "meta l4proto {}", protocol.name()),
            Self::Port(port) => write!(to, "th dport {port}"),
            Self::Member(fields, set) => write!(to, "{} @{set}", words(fields)),
        }
    }
}

impl Display for Is {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str(if *self == Self::Equal { "" } else { "!= " })
    }
}

impl Field {
    fn word(self) -> &'static str {
        match self {
            Self::Link => "iifname",
            Self::Out => "oifname",
            Self::From => "ip saddr",
            Self::To => "ip daddr",
            Self::Protocol => "meta l4proto",
            Self::Port => "th dport",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Link | Self::Out => "ifname",
            Self::From | Self::To => "ipv4_addr",
            Self::Protocol => "inet_proto",
            Self::Port => "inet_service",
        }
    }
}

fn words(fields: &[Field]) -> String {
    joined(fields.iter().map(|field| field.word()))
}

fn joined(parts: impl IntoIterator<Item = impl Display>) -> String {
    let mut text = String::new();
    for part in parts {
        let gap = if text.is_empty() { "" } else { " . " };
        // Writing to a string never fails.
        let _ = write!(text, "{gap}{part}");
    }
    text
}
