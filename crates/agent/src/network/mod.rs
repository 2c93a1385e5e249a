//! The network of the groups of a node: everything is closed that no line of a group's file opens.
//!
//! ```no_run
//! use boltseal_agent::network::{Group, Namespace, Network, Settings, Slot};
//!
//! # fn main() -> Result<(), boltseal_agent::network::Error> {
//! let mut network = Network::open(Settings::default())?;
//! network.recover(&[])?;                               // after a start: what is left of groups that nobody wants is gone
//! let namespace = Namespace::create()?;
//! let slot = Slot::new(0);
//! let group = Group { slot, name: "shop".into(), containers: vec!["web".into()], network: Default::default() };
//! let attached = network.attach("shop", group, &namespace)?;
//! println!("{} by {}", attached.address, attached.gateway);
//! network.detach("shop")?;
//! # Ok(()) }
//! ```
//!
//! | module | what it has |
//! |---|---|
//! | [`Namespace`] | the network namespace of a group, made or found again |
//! | [`Range`], [`Slot`] | which address a group has |
//! | [`Rules`] | the firewall as a value, computed from groups and nothing else |
//! | [`dns`] | the resolver of groups |
//! | [`Refusals`] | what was not let through, as it happens |
//! | [`Network`] | acts: links, addresses and routes, and the rules in the kernel |
//!
//! A group has one address without neighbours (`/32`) on a link of its own to the machine, which routes: so each packet of it, to
//! other groups too, passes the rules of the machine, and there is no network to listen to or to pretend on. Containers have no
//! power over any of it: their network namespace belongs to the first user namespace.
//!
//! All of it is idempotent and none of it is remembered: whoever was killed half way calls [`Network::recover`] with what is
//! wanted, and what the kernel has is made into that. Calls work on the network namespace that the calling thread is in.
//!
//! What it changes on the machine beside its own links and table: links to the outside forward packets (`forwarding`)
//! as soon as a group publishes a port or reaches an address outside; on a machine that forwards nothing else, rules keep it so.
//! Other firewalls have their say too: a machine whose own rules drop what is forwarded (as Docker's do) drops this as well.
//! [`Network::obstacles`] names them.
//!
//! This must not know: containers, images, files of groups.

pub mod dns;
mod group;
mod links;
mod namespace;
mod netlink;
mod obstacles;
mod outside;
mod range;
mod refused;
mod rules;
mod settings;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::Ipv4Addr,
};

/// Where groups that have an identity ask for tokens, at port 80: where clouds have the service for that.
pub const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// Where that leads: the port of the gateway. Below those that the kernel gives out (`ip_local_port_range`).
pub const METADATA_PORT: u16 = 16_925;

pub use group::{Group, Unmet};
pub use namespace::{Namespace, enter};
use netlink::Socket;
pub use obstacles::Obstacle;
use outside::Outside;
pub use range::{Range, RangeError, Slot};
pub use refused::{Heard, Refusals, Refused};
use rules::TABLE;
pub use rules::{Conflict, MAX_TUPLES, Node, Rules};

/// How the network of a node is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Addresses of groups.
    pub range: Range,
    /// Links to the outside; those of the default routes where nobody says.
    pub uplinks: Option<Vec<String>>,
}

/// The network of a node.
#[derive(Debug)]
pub struct Network {
    settings: Settings,
    groups: BTreeMap<String, Group>,
}

/// What a group has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Its address.
    pub address: Ipv4Addr,
    /// By which it reaches all others, and where its DNS is.
    pub gateway: Ipv4Addr,
}

/// What [`Network::recover`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Links that nobody wants any more, and that are gone.
    pub removed: Vec<String>,
    /// Groups that lacked their link or a part of it.
    pub repaired: Vec<String>,
}

/// Why something of the network could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error("{doing}: {source}")]
    Kernel {
        /// What was tried.
        doing: String,
        /// Its answer.
        source: io::Error,
    },
    /// Somebody else has these addresses.
    #[error(
        "the addresses {range} of groups are taken: this machine has a route to {to}/{prefix} by {link}; set another range"
    )]
    Collision {
        /// Addresses of groups.
        range: Range,
        /// Where the route leads.
        to: Ipv4Addr,
        /// How many bits of it count.
        prefix: u8,
        /// By which link.
        link: String,
    },
    /// There is a link of this name that is none of ours.
    #[error("there is a link {name} already, which is not ours: its address is not {mac}")]
    Taken {
        /// Its name.
        name: String,
        /// What ours would have.
        mac: String,
    },
    /// The process is in the namespace of whoever asks.
    #[error("process {process} is in the network of the machine itself, which is no group's")]
    Same {
        /// Which.
        process: u32,
    },
    /// Groups want what cannot be.
    #[error(transparent)]
    Conflict(#[from] Conflict),
}

impl Error {
    fn kernel(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Kernel { doing: doing.into(), source }
    }
}

impl Network {
    /// Makes the link of the gateway, with rules that let nothing pass, where there is none.
    ///
    /// # Errors
    /// Where its addresses or its name are taken, or the kernel refuses.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let network = Self { settings, groups: BTreeMap::new() };
        let mut socket = Socket::route().map_err(Error::kernel("asking about links"))?;
        if links::gateway(&mut socket, network.range())?.is_none() {
            network.apply(&network.groups)?;
        }
        links::ensure(&mut socket, network.range())?;
        Ok(network)
    }

    /// Addresses of groups.
    pub const fn range(&self) -> Range {
        self.settings.range
    }

    /// What groups open and what leads nowhere: nobody is there who would be reached by it.
    pub fn unmet(&self) -> Vec<Unmet> {
        group::unmet(self.range(), &self.groups)
    }

    /// Other firewalls of the machine that may be in the way.
    ///
    /// # Errors
    /// Where the kernel does not say.
    pub fn obstacles(&self) -> Result<Vec<Obstacle>, Error> {
        obstacles::find()
    }

    /// The names that groups know, for [`dns::Resolver::know`].
    pub fn names(&self) -> dns::Names {
        dns::Names::of(self.range(), &self.groups)
    }

    /// The groups that have a network.
    pub const fn groups(&self) -> &BTreeMap<String, Group> {
        &self.groups
    }

    /// Gives a group its link, its address and its rules; the same once more where it has them. Rules come first.
    ///
    /// # Errors
    /// Where it wants what another has, or the kernel refuses; then it has nothing.
    pub fn attach(&mut self, id: &str, group: Group, namespace: &Namespace) -> Result<Attached, Error> {
        let slot = group.slot;
        let mut groups = self.groups.clone();
        groups.insert(id.to_owned(), group);
        self.apply(&groups)?;
        let mut socket = Socket::route().map_err(Error::kernel("asking about links"))?;
        match links::attach(&mut socket, self.range(), id, slot, namespace) {
            Ok((attached, _)) => {
                self.groups = groups;
                Ok(attached)
            }
            Err(error) => {
                // What is left over is nothing that passes: the rules do not know it any more.
                let _ = links::remove(&mut socket, slot);
                self.groups.remove(id);
                let _ = self.apply(&self.groups);
                Err(error)
            }
        }
    }

    /// Takes it from a group. A group that has none has none afterwards either.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn detach(&mut self, id: &str) -> Result<(), Error> {
        let Some(group) = self.groups.get(id) else { return Ok(()) };
        let mut socket = Socket::route().map_err(Error::kernel("asking about links"))?;
        links::remove(&mut socket, group.slot)?;
        let mut groups = self.groups.clone();
        groups.remove(id);
        self.apply(&groups)?;
        self.groups = groups;
        Ok(())
    }

    /// Changes what attached groups open, at one moment: how a published port moves from one group to another. What a group
    /// has of links stays as it is; groups that have no network yet are left out.
    ///
    /// # Errors
    /// Where two want the same, or the kernel refuses; then all is as before.
    pub fn change(&mut self, changed: BTreeMap<String, Group>) -> Result<(), Error> {
        let mut groups = self.groups.clone();
        for (id, group) in changed {
            if let Some(place) = groups.get_mut(&id) {
                *place = Group { slot: place.slot, ..group };
            }
        }
        self.apply(&groups)?;
        self.groups = groups;
        Ok(())
    }

    /// Makes of what there is what is wanted: after a start, whatever happened before.
    ///
    /// # Errors
    /// Where two groups want the same, or the kernel refuses.
    pub fn recover(&mut self, wanted: &[(String, Group, Namespace)]) -> Result<Recovered, Error> {
        let mut socket = Socket::route().map_err(Error::kernel("asking about links"))?;
        let groups = wanted.iter().map(|(id, group, _)| (id.clone(), group.clone())).collect();
        self.apply(&groups)?;
        let mut recovered = Recovered::default();
        let slots: BTreeSet<Slot> = groups.values().map(|group| group.slot).collect();
        for link in socket.links().map_err(Error::kernel("asking about links"))? {
            if Slot::of_link(&link.name).is_some_and(|slot| !slots.contains(&slot)) {
                socket.delete_link(link.index).map_err(Error::kernel(format!("removing {}", link.name)))?;
                recovered.removed.push(link.name);
            }
        }
        links::ensure(&mut socket, self.range())?;
        for (id, group, namespace) in wanted {
            let (_, repaired) = links::attach(&mut socket, self.range(), id, group.slot, namespace)?;
            recovered.repaired.extend(repaired.then(|| id.clone()));
        }
        self.groups = groups;
        Ok(recovered)
    }

    /// Removes all of it from the machine: links of groups, that of the gateway, the table.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn remove(self) -> Result<(), Error> {
        let mut socket = Socket::route().map_err(Error::kernel("asking about links"))?;
        for link in socket.links().map_err(Error::kernel("asking about links"))? {
            if Slot::of_link(&link.name).is_some() || link.name == links::GATEWAY {
                socket.delete_link(link.index).map_err(Error::kernel(format!("removing {}", link.name)))?;
            }
        }
        send(rules::removal(), "removing the rules")
    }

    /// The rules for what is attached.
    ///
    /// # Errors
    /// Where the kernel does not say which links there are.
    pub fn rules(&self) -> Result<Rules, Error> {
        let outside = Outside::find(&self.settings)?;
        Ok(Rules::of(&Node { range: self.range(), closed: outside.closed }, &self.groups)?)
    }

    fn apply(&self, groups: &BTreeMap<String, Group>) -> Result<(), Error> {
        let outside = Outside::find(&self.settings)?;
        let rules = Rules::of(&Node { range: self.range(), closed: outside.closed }, groups)?;
        send(rules::batch(&rules), "replacing the rules")?;
        // After the rules, which keep what this opens to groups.
        let wanted = groups.values().any(Group::is_about_outside);
        for link in outside.uplinks.iter().filter(|_| wanted) {
            settings::set(&format!("ipv4/conf/{link}/forwarding"), "1")?;
        }
        Ok(())
    }
}

fn send(batch: Vec<netlink::message::Message>, doing: &str) -> Result<(), Error> {
    let mut socket = Socket::filter().map_err(Error::kernel(doing))?;
    // The end of a batch is not answered by every kernel: what comes before it is.
    socket.batch(batch, 1).map_err(Error::kernel(doing))
}
