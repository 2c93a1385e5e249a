//! Links: the one that has the address of the gateway, and a pair for each group.
//!
//! There is no bridge between groups. Each has a pair of its own, whose one end is the machine, which routes: so there is no
//! neighbour to pretend to be or to listen to, each packet passes the rules of the machine, and what other software tells the
//! kernel about bridges (`bridge-nf-call-iptables`) is about others.

use std::{net::Ipv4Addr, os::fd::AsFd as _};

use super::{
    Attached, Error, Namespace, Range, Slot,
    netlink::{
        Socket,
        route::{End, Link},
    },
    range::mac,
    settings,
};

/// The link that has the address of the gateway.
pub(super) const GATEWAY: &str = "boltseal0";
/// The link of a group, as it calls it itself.
const INSIDE: &str = "eth0";

/// What the kernel does on the machine's end of a pair, below `/proc/sys/net`. It forwards for groups, knows ports that are
/// published on the machine's own loopback, tells nobody of better ways and hears of none, answers for its own address only, and
/// takes nothing from addresses that are elsewhere.
const SETTINGS: [(&str, &str, &str); 7] = [
    ("ipv6", "disable_ipv6", "1"),
    ("ipv4", "forwarding", "1"),
    ("ipv4", "route_localnet", "1"),
    ("ipv4", "send_redirects", "0"),
    ("ipv4", "accept_redirects", "0"),
    ("ipv4", "arp_ignore", "2"),
    ("ipv4", "rp_filter", "1"),
];

/// The link of the gateway, if it is there and ours.
pub(super) fn gateway(socket: &mut Socket, range: Range) -> Result<Option<Link>, Error> {
    let found = socket.link(GATEWAY).map_err(Error::kernel("asking about links"))?;
    let wanted = mac(range.gateway());
    match found {
        Some(link) if link.mac != wanted => {
            Err(Error::Taken { name: link.name, mac: wanted.map(|byte| format!("{byte:02x}")).join(":") })
        }
        found => Ok(found),
    }
}

/// Makes the link of the gateway, or what is missing of it. With its address come those of all groups: whoever looks for
/// addresses that are free sees that these are not, and those that no group has lead nowhere.
pub(super) fn ensure(socket: &mut Socket, range: Range) -> Result<(), Error> {
    let found = gateway(socket, range)?;
    // Links first: one of ours that goes in between takes its route with it, and is nobody else's meanwhile.
    let links = socket.links().map_err(Error::kernel("asking about links"))?;
    let routes = socket.routes().map_err(Error::kernel("asking about routes"))?;
    let ours = |link: &&Link| link.name == GATEWAY || Slot::of_link(&link.name).is_some();
    let ours: Vec<u32> = links.iter().filter(ours).map(|link| link.index).collect();
    if let Some(route) = range.collision(&routes, &ours) {
        let link = links.into_iter().find(|link| Some(link.index) == route.link);
        let link = link.map_or_else(|| "several links".to_owned(), |link| link.name);
        return Err(Error::Collision { range, to: route.to, prefix: route.prefix, link });
    }
    let doing = || format!("making the link {GATEWAY}");
    let link = if let Some(link) = found {
        link.index
    } else {
        socket.add_nowhere(GATEWAY, mac(range.gateway())).map_err(Error::kernel(doing()))?;
        gateway(socket, range)?.ok_or_else(|| missing(doing()))?.index
    };
    settings::set(&format!("ipv6/conf/{GATEWAY}/disable_ipv6"), "1")?;
    socket.add_address(link, range.gateway(), range.prefix()).map_err(Error::kernel(doing()))?;
    socket.set_up(link).map_err(Error::kernel(doing()))
}

/// Connects a group, or makes what is missing of that. Gives whether its link was missing.
pub(super) fn attach(
    socket: &mut Socket,
    range: Range,
    id: &str,
    slot: Slot,
    namespace: &Namespace,
) -> Result<(Attached, bool), Error> {
    let name = slot.link();
    let text = || format!("connecting {id} by {name}");
    let doing = || Error::kernel(text());
    let address = range.address(slot).ok_or_else(|| missing(text()))?;
    let gateway = range.gateway();
    let found = match socket.link(&name).map_err(doing())? {
        Some(link) if inside(namespace, &link, address)?.is_some() => Some(link),
        Some(link) => {
            socket.delete_link(link.index).map_err(doing())?;
            None
        }
        None => None,
    };
    let made = found.is_none();
    let ours = if let Some(link) = found {
        link
    } else {
        let (ours, theirs) =
            (End { name: &name, mac: mac(gateway) }, End { name: INSIDE, mac: mac(address) });
        namespace.within(|| {
            let mut socket = Socket::route().map_err(doing())?;
            // The other end went away with the network it was in; the kernel takes its time to remove this one.
            socket
                .link(INSIDE)
                .map_err(doing())?
                .map_or(Ok(()), |left| socket.delete_link(left.index).map_err(doing()))
        })?;
        socket.add_pair(&ours, &theirs, namespace.as_fd(), id).map_err(doing())?;
        socket.link(&name).map_err(doing())?.ok_or_else(|| missing(text()))?
    };
    for (family, setting, value) in SETTINGS {
        settings::set(&format!("{family}/conf/{name}/{setting}"), value)?;
    }
    socket.set_up(ours.index).map_err(doing())?;
    socket.add_neighbour(ours.index, address, mac(address)).map_err(doing())?;
    socket.add_route(ours.index, Some(address), None, Some(gateway)).map_err(doing())?;
    let theirs =
        inside(namespace, &ours, address)?.ok_or_else(|| missing(format!("finding {INSIDE} of {id}")))?;
    namespace.within(|| {
        let doing = || Error::kernel(format!("setting up {INSIDE} of {id}"));
        let mut socket = Socket::route().map_err(doing())?;
        socket.add_address(theirs, address, 32).map_err(doing())?;
        socket.set_up(theirs).map_err(doing())?;
        socket.add_neighbour(theirs, gateway, mac(gateway)).map_err(doing())?;
        socket.add_route(theirs, Some(gateway), None, None).map_err(doing())?;
        socket.add_route(theirs, None, Some(gateway), None).map_err(doing())?;
        socket.wait_until_up(theirs).map_err(doing())
    })?;
    socket.wait_until_up(ours.index).map_err(doing())?;
    Ok((Attached { address, gateway }, made))
}

/// The other end of a pair, where it is in this namespace.
fn inside(namespace: &Namespace, ours: &Link, address: Ipv4Addr) -> Result<Option<u32>, Error> {
    let (ours, wanted) = (ours.index, mac(address));
    namespace.within(|| {
        let mut socket = Socket::route().map_err(Error::kernel("asking about links"))?;
        let links = socket.links().map_err(Error::kernel("asking about links"))?;
        let other = |link: &Link| link.name == INSIDE && link.mac == wanted && link.peer == Some(ours);
        Ok(links.into_iter().find(other).map(|link| link.index))
    })
}

/// Removes the link of a place, where there is one.
pub(super) fn remove(socket: &mut Socket, slot: Slot) -> Result<(), Error> {
    let name = slot.link();
    let doing = || Error::kernel(format!("removing {name}"));
    match socket.link(&name).map_err(doing())? {
        Some(link) => socket.delete_link(link.index).map_err(doing()),
        None => Ok(()),
    }
}

fn missing(doing: String) -> Error {
    Error::Kernel { doing, source: std::io::ErrorKind::NotFound.into() }
}
