//! The place and the network of a group, from its beginning to its end.

use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc};

use boltseal_runtime::start::since;

use super::{
    super::{Error, container::Found, group::Group, keeper},
    Inner, lock,
};
use crate::network::{self, Namespace, Slot};

impl Inner {
    /// A place that no group has.
    pub(super) fn slot(&self) -> Result<u16, Error> {
        let taken: BTreeSet<u16> = lock(&self.groups).values().map(|group| lock(&group.kept).slot).collect();
        let mut newest = lock(&self.newest);
        let is_taken = |slot: Slot| taken.contains(&slot.number());
        let free = lock(&self.network).range().free(*newest, is_taken);
        let free = free.ok_or_else(|| Error::Conflict("no place is left for a group".to_owned()))?;
        *newest = Some(free);
        Ok(free.number())
    }

    /// The group that has an address.
    pub fn group_at(&self, address: Ipv4Addr) -> Option<Arc<Group>> {
        let slot = lock(&self.network).range().slot(address)?.number();
        lock(&self.groups).values().find(|group| lock(&group.kept).slot == slot).cloned()
    }

    /// Gives a group its network, and somebody who keeps it.
    pub async fn begin(self: &Arc<Self>, group: &Arc<Group>, found: Vec<Found>) -> Result<(), Error> {
        let there = network_of(&found);
        let (inner, of_group) = (Arc::clone(self), Arc::clone(group));
        let attached = tokio::task::spawn_blocking(move || inner.attach(&of_group, there));
        attached.await.map_err(|_| Error::Stopping)??;
        group.kept_running.send_replace(true);
        tokio::spawn(keeper::keep(Arc::clone(self), Arc::clone(group), found));
        Ok(())
    }

    fn attach(&self, group: &Group, there: Option<Namespace>) -> Result<(), Error> {
        let failed = |error: network::Error| Error::Runtime(error.to_string());
        let namespace = match there {
            Some(namespace) => namespace,
            None => Namespace::create().map_err(failed)?,
        };
        let of_network = group.of_network();
        let attached = {
            let mut network = lock(&self.network);
            let attached = network.attach(&group.name, of_network, &namespace).map_err(failed)?;
            self.resolver.know(network.names());
            attached
        };
        *lock(&group.network) = Some((namespace, Some(attached)));
        Ok(())
    }

    /// Takes a group's network away: nothing of it runs any more.
    pub async fn let_go_of_network(self: &Arc<Self>, group: &Arc<Group>) {
        let (inner, group) = (Arc::clone(self), Arc::clone(group));
        let done = tokio::task::spawn_blocking(move || {
            *lock(&group.network) = None;
            let mut network = lock(&inner.network);
            let done = network.detach(&group.name);
            inner.resolver.know(network.names());
            done
        });
        if let Ok(Err(error)) = done.await {
            tracing::warn!(%error, "the network of a group that ended");
        }
    }
}

/// The network that what runs of a group is in. Any of it may end while this looks: then nothing of it needs that network.
pub fn network_of(found: &[Found]) -> Option<Namespace> {
    found.iter().find_map(|found| {
        let Found::Runs(started) = found else { return None };
        let namespace = Namespace::of_process(u32::try_from(started.pid).ok()?).ok()?;
        // It was opened while that process was there, not one that has its number now.
        (since(started.pid) == Some(started.since)).then_some(namespace)
    })
}
