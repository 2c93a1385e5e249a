//! The firewall of a node, computed: one table of nftables, from nothing but the groups that are wanted.
//!
//! Everything of a group is closed. A packet passes only if it answers one that passed, or if sender, receiver, protocol and
//! port are in a set: one look-up however many there are. What is sent is looked up again with every packet, so an opening that
//! is gone closes what it let through. [`Rules`] is a plain value: two can be compared, and one is printed as `nft` writes it.

mod base;
mod compute;
mod disjoint;
mod encode;
mod expression;
mod language;
mod show;

use std::{collections::BTreeMap, net::Ipv4Addr};

pub(super) use encode::{batch, removal};
use language::{Chain, Set};

use super::{group::Group, range::Range};

/// The name of the table.
pub(super) const TABLE: &str = "boltseal";
/// The group of NFLOG to which packets are reported that were not let through.
pub(super) const LOG_GROUP: u16 = 181;

/// What the rules are about, apart from groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Addresses of groups.
    pub range: Range,
    /// Links from which nothing is forwarded to others, first and second: links to the outside forward for groups, and on a
    /// machine that forwards nothing else it stays so.
    pub closed: Vec<(String, String)>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    sets: Vec<Set>,
    chains: Vec<Chain>,
}

/// Why there are no rules for these groups.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Two groups have the same place.
    #[error("{first} and {second} have the same address, {address}")]
    Address {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// Of both.
        address: Ipv4Addr,
    },
    /// Two groups publish the same port.
    #[error("{first} and {second} both publish port {port}/{protocol} of this machine")]
    Port {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// Of the machine.
        port: u16,
        /// `tcp`, `udp`
        protocol: &'static str,
    },
    /// The range has no such place.
    #[error("{group} has place {place}, and {range} has no more than {}", range.places())]
    Place {
        /// Which group.
        group: String,
        /// Its place.
        place: u16,
        /// Addresses of groups.
        range: Range,
    },
    /// More than a set is meant to hold.
    #[error("{openings} openings of all groups of this machine are more than {}", MAX_TUPLES)]
    TooMany {
        /// How many.
        openings: usize,
    },
    /// A name that nothing can be called by.
    #[error("`{name}` is no name of a group: letters, digits and - of at most 63 characters")]
    Name {
        /// Which.
        name: String,
    },
}

/// Openings of all groups of a node: 3 MB of messages.
pub const MAX_TUPLES: usize = 100_000;

impl Rules {
    /// What holds for these groups.
    ///
    /// # Errors
    /// Where two groups want the same, or too much is wanted.
    pub fn of(node: &Node, groups: &BTreeMap<String, Group>) -> Result<Self, Conflict> {
        compute::rules(node, groups)
    }

    /// How many openings there are.
    pub fn openings(&self) -> usize {
        self.sets.iter().filter(|set| set.is_openings()).map(|set| set.elements.len()).sum()
    }
}
