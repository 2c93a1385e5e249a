//! Links to the world outside, which have to forward for groups.

use std::collections::BTreeSet;

use super::{
    Error, Settings, Slot, links,
    netlink::{Socket, route::Link},
    settings,
};

/// Links of a machine that are told apart; one that forwards nothing has a handful.
const MAX_LINKS: usize = 1_000;

/// What forwards, and where to it must not. A machine that forwards everything needs nothing of it; one that forwards nothing
/// goes on doing so between all links that it has now. A link that comes later, like the bridge of an engine that is started,
/// is its owner's business.
#[derive(Default)]
pub(super) struct Outside {
    pub(super) uplinks: Vec<String>,
    /// From one to the other.
    pub(super) closed: Vec<(String, String)>,
}

impl Outside {
    pub(super) fn find(wanted: &Settings) -> Result<Self, Error> {
        if settings::get("ipv4/ip_forward") == "1" {
            return Ok(Self::default());
        }
        let mut socket = Socket::route().map_err(Error::kernel("asking about links"))?;
        let routes = socket.routes().map_err(Error::kernel("asking about routes"))?;
        let links = socket.links().map_err(Error::kernel("asking about links"))?;
        let everywhere = routes.iter().filter(|route| route.prefix == 0);
        let outward: BTreeSet<u32> = everywhere.filter_map(|route| route.link).collect();
        let found = links.iter().filter(|link| outward.contains(&link.index)).map(|link| link.name.clone());
        let uplinks: Vec<String> = wanted.uplinks.clone().unwrap_or_else(|| found.collect());
        let forwards = |name: &str| settings::get(&format!("ipv4/conf/{name}/forwarding")) == "1";
        let is_closed = |link: &&Link| {
            let ours = link.name == links::GATEWAY || Slot::of_link(&link.name).is_some();
            uplinks.contains(&link.name) || !(ours || forwards(&link.name))
        };
        let others: Vec<&Link> = links.iter().filter(is_closed).take(MAX_LINKS).collect();
        let ways =
            |from: &String| others.iter().map(|to| (from.clone(), to.name.clone())).collect::<Vec<_>>();
        let closed = uplinks.iter().flat_map(ways).collect();
        Ok(Self { uplinks, closed })
    }
}
