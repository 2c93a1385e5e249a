//! Links, addresses, routes and neighbours (`rtnetlink(7)`).

use std::{
    io,
    net::Ipv4Addr,
    os::fd::{AsRawFd as _, BorrowedFd},
    thread,
    time::{Duration, Instant},
};

use super::{
    PATIENCE, Socket,
    message::{self, ACK, CREATE, DUMP, EXCLUSIVE, Message, REPLACE},
};

const NEW_LINK: u16 = 16;
const DELETE_LINK: u16 = 17;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;
const NEW_NEIGHBOUR: u16 = 28;

const INET: u8 = 2;
/// `IFF_UP`
const UP: u32 = 1;
/// `RT_TABLE_MAIN`
const MAIN: u8 = 254;
/// `RT_SCOPE_LINK`: without a gateway.
const LINK: u8 = 253;

/// `linux/if_link.h`
const IFLA_ADDRESS: u16 = 1;
const IFLA_NAME: u16 = 3;
const IFLA_PEER: u16 = 5;
const IFLA_STATE: u16 = 16;
const IFLA_INFO: u16 = 18;
const IFLA_ALIAS: u16 = 20;
const IFLA_NAMESPACE: u16 = 28;

/// `IF_OPER_UP`
const STATE_UP: u8 = 6;

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::network) struct Link {
    pub(in crate::network) index: u32,
    pub(in crate::network) name: String,
    pub(in crate::network) mac: Vec<u8>,
    /// The other end of a pair, by its number in its own namespace.
    pub(in crate::network) peer: Option<u32>,
    pub(in crate::network) alias: String,
}

/// A route of the main table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::network) struct Route {
    pub(in crate::network) to: Ipv4Addr,
    pub(in crate::network) prefix: u8,
    pub(in crate::network) link: Option<u32>,
}

/// One end of a pair.
pub(in crate::network) struct End<'a> {
    pub(in crate::network) name: &'a str,
    pub(in crate::network) mac: [u8; 6],
}

impl Socket {
    /// All links.
    pub(in crate::network) fn links(&mut self) -> io::Result<Vec<Link>> {
        let answers = self.dump(Message::new(GET_LINK, DUMP, &about(0, 0)))?;
        Ok(answers.iter().filter_map(|answer| link(&answer.body)).collect())
    }

    /// The link of this name.
    pub(in crate::network) fn link(&mut self, name: &str) -> io::Result<Option<Link>> {
        Ok(self.links()?.into_iter().find(|link| link.name == name))
    }

    /// A bridge without ports: a link that leads nowhere, to have addresses. Kernels that run containers have bridges; not all
    /// have dummies.
    pub(in crate::network) fn add_nowhere(&mut self, name: &str, mac: [u8; 6]) -> io::Result<()> {
        let mut message = Message::new(NEW_LINK, CREATE | EXCLUSIVE, &about(0, 0));
        message.text(IFLA_NAME, name);
        message.bytes(IFLA_ADDRESS, &mac);
        message.nest(IFLA_INFO, |info| info.text(1, "bridge"));
        self.ask(message)
    }

    /// A pair: `ours` here, still down, `theirs` in the other namespace.
    pub(in crate::network) fn add_pair(
        &mut self,
        ours: &End<'_>,
        theirs: &End<'_>,
        namespace: BorrowedFd<'_>,
        alias: &str,
    ) -> io::Result<()> {
        let mut message = Message::new(NEW_LINK, CREATE | EXCLUSIVE, &about(0, 0));
        message.text(IFLA_NAME, ours.name);
        message.bytes(IFLA_ADDRESS, &ours.mac);
        message.text(IFLA_ALIAS, alias);
        message.nest(IFLA_INFO, |info| {
            info.text(1, "veth");
            info.nest(2, |data| {
                data.nest(1, |peer| {
                    peer.raw(&about(0, 0));
                    peer.text(IFLA_NAME, theirs.name);
                    peer.bytes(IFLA_ADDRESS, &theirs.mac);
                    peer.number(IFLA_NAMESPACE, namespace.as_raw_fd().cast_unsigned());
                });
            });
        });
        self.ask(message)
    }

    /// `address` is `mac`, whoever says otherwise.
    pub(in crate::network) fn add_neighbour(
        &mut self,
        link: u32,
        address: Ipv4Addr,
        mac: [u8; 6],
    ) -> io::Result<()> {
        let mut message = Message::new(NEW_NEIGHBOUR, CREATE | REPLACE, &neighbour(link));
        message.address(1, address);
        message.bytes(2, &mac);
        self.ask(message)
    }

    /// Takes it into use.
    pub(in crate::network) fn set_up(&mut self, link: u32) -> io::Result<()> {
        self.ask(Message::new(NEW_LINK, 0, &about(link, UP)))
    }

    /// Waits until it takes packets. A link whose other end comes up later is told so aside, and swallows what is sent until then:
    /// the first question for a name, of which the next one is asked after seconds.
    pub(in crate::network) fn wait_until_up(&mut self, link: u32) -> io::Result<()> {
        let began = Instant::now();
        loop {
            let answers = self.dump(Message::new(GET_LINK, ACK, &about(link, 0)))?;
            let rest = answers.first().and_then(|answer| answer.body.get(16..)).unwrap_or_default();
            if message::attribute(rest, IFLA_STATE) == Some(&[STATE_UP]) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// It and the other end are gone.
    pub(in crate::network) fn delete_link(&mut self, link: u32) -> io::Result<()> {
        gone(self.ask(Message::new(DELETE_LINK, 0, &about(link, 0))))
    }

    /// An address of a link; nothing where it has it.
    pub(in crate::network) fn add_address(
        &mut self,
        link: u32,
        address: Ipv4Addr,
        prefix: u8,
    ) -> io::Result<()> {
        let [a, b, c, d] = link.to_ne_bytes();
        let mut message = Message::new(NEW_ADDRESS, CREATE | REPLACE, &[INET, prefix, 0, 0, a, b, c, d]);
        message.address(2, address);
        message.address(1, address);
        self.ask(message)
    }

    /// A route to one address without a gateway, or to everywhere by one; what goes there without a sender is `from`.
    pub(in crate::network) fn add_route(
        &mut self,
        link: u32,
        to: Option<Ipv4Addr>,
        by: Option<Ipv4Addr>,
        from: Option<Ipv4Addr>,
    ) -> io::Result<()> {
        let (prefix, scope) = (if to.is_some() { 32 } else { 0 }, if by.is_some() { 0 } else { LINK });
        // RTPROT_STATIC, RTN_UNICAST
        let mut message =
            Message::new(NEW_ROUTE, CREATE | REPLACE, &[INET, prefix, 0, 0, MAIN, 4, scope, 1, 0, 0, 0, 0]);
        if let Some(to) = to {
            message.address(1, to);
        }
        if let Some(by) = by {
            message.address(5, by);
        }
        if let Some(from) = from {
            message.address(7, from);
        }
        message.number(4, link);
        self.ask(message)
    }

    /// Routes of the main table.
    pub(in crate::network) fn routes(&mut self) -> io::Result<Vec<Route>> {
        let answers = self.dump(Message::new(GET_ROUTE, DUMP, &[INET, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))?;
        Ok(answers.iter().filter_map(|answer| route(&answer.body)).collect())
    }
}

/// What is not there need not be removed.
fn gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        // ENODEV
        Err(error) if error.raw_os_error() == Some(19) => Ok(()),
        done => done,
    }
}

/// `struct ifinfomsg`
fn about(link: u32, flags: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    let flags = flags.to_ne_bytes();
    write(&mut bytes, &[(4, &link.to_ne_bytes()), (8, &flags), (12, &flags)]);
    bytes
}

/// Fields at their places.
fn write(bytes: &mut [u8], fields: &[(usize, &[u8])]) {
    for (at, field) in fields {
        if let Some(place) = bytes.get_mut(*at..at + field.len()) {
            place.copy_from_slice(field);
        }
    }
}

/// `struct ndmsg` of a neighbour that stays (`NUD_PERMANENT`).
fn neighbour(link: u32) -> [u8; 12] {
    let mut bytes = [0; 12];
    write(&mut bytes, &[(0, &[INET]), (4, &link.to_ne_bytes()), (8, &0x80_u16.to_ne_bytes())]);
    bytes
}

fn link(body: &[u8]) -> Option<Link> {
    let index = message::number(body, 4)?;
    let rest = body.get(16..)?;
    let number = |kind| message::attribute(rest, kind).and_then(|value| message::number(value, 0));
    let text = |kind| message::attribute(rest, kind).map(message::text).unwrap_or_default();
    Some(Link {
        index,
        name: text(IFLA_NAME),
        mac: message::attribute(rest, IFLA_ADDRESS).unwrap_or_default().to_vec(),
        peer: number(IFLA_PEER),
        alias: text(IFLA_ALIAS),
    })
}

fn route(body: &[u8]) -> Option<Route> {
    let (prefix, table) = (*body.get(1)?, *body.get(4)?);
    let rest = body.get(12..)?;
    let to = message::attribute(rest, 1).and_then(message::address).unwrap_or(Ipv4Addr::UNSPECIFIED);
    let link = message::attribute(rest, 4).and_then(|value| message::number(value, 0));
    (table == MAIN).then_some(Route { to, prefix, link })
}
