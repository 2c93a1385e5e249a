//! What the network has to know of a group.

use std::collections::BTreeMap;

use boltseal_runtime::network::{Egress, Network, To};

use super::range::{Range, Slot};

/// A group of containers, for the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its place on the node.
    pub slot: Slot,
    /// By which other groups know it.
    pub name: String,
    /// Names of its containers: each is a name of the group, for the group.
    pub containers: Vec<String>,
    /// What it opens.
    pub network: Network,
}

impl Group {
    /// Whether it reaches the world outside, or is reached from there.
    pub(super) fn is_about_outside(&self) -> bool {
        let Network { ports, egress, .. } = &self.network;
        ports.iter().any(|port| port.published.is_some())
            || egress.iter().any(|one| matches!(one.to, To::Addresses(..)))
    }
}

/// Something that a group opens and that leads nowhere as things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Whose opening it is.
    pub group: String,
    /// As it is written: `tcp://cache:6379`.
    pub opening: String,
    /// Why.
    pub why: &'static str,
}

/// What leads nowhere of what groups open: they may come and go, so it is no error.
pub(super) fn unmet(range: Range, groups: &BTreeMap<String, Group>) -> Vec<Unmet> {
    let mut found = Vec::new();
    for (id, group) in groups {
        for egress in &group.network.egress {
            let why = match &egress.to {
                To::Group(name) => nowhere(name, egress, groups),
                To::Addresses(first, last) if first == last && range.slot(*first).is_some() => {
                    Some("it is the address of a group: those are reached by their names")
                }
                To::Addresses(..) => None,
            };
            found.extend(why.map(|why| Unmet { group: id.clone(), opening: egress.to_string(), why }));
        }
    }
    found
}

fn nowhere(name: &str, egress: &Egress, groups: &BTreeMap<String, Group>) -> Option<&'static str> {
    let mut named = groups.values().filter(|group| group.name.eq_ignore_ascii_case(name)).peekable();
    if named.peek().is_none() {
        return Some("there is no group of this name");
    }
    let (first, last) = egress.ports;
    let mut ports = named.flat_map(|group| &group.network.ports);
    let listens = ports.any(|port| port.protocol == egress.protocol && (first..=last).contains(&port.number));
    (!listens).then_some("that group has no such port under `ipAddress.ports`")
}
