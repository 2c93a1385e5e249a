//! What the network has to know of a group.

use boltseal_runtime::network::{Network, To};

use super::range::Slot;

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
