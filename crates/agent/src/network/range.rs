//! Addresses of groups: which, and of whom.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use super::netlink::route::Route;

/// Where nobody says otherwise: not what podman (10.88), Docker (172.17 and following), Kubernetes (10.244, 10.96) and home
/// networks (192.168) take.
const DEFAULT: Range = Range { network: Ipv4Addr::new(10, 213, 0, 0), prefix: 16 };
/// Addresses that no group has: of the network, of the gateway, and of everybody.
const RESERVED: u32 = 3;

/// The range of addresses of the groups of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    network: Ipv4Addr,
    prefix: u8,
}

/// Which of the places of a node a group has: its address, its MAC and the name of its link follow from it. It stays the same
/// as long as the group lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

/// Why a text is no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no range of private addresses, like 10.213.0.0/16, with a prefix of 16 to 28")]
pub struct RangeError(String);

impl Default for Range {
    fn default() -> Self {
        DEFAULT
    }
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let error = || RangeError(text.to_owned());
        let (network, prefix) = text.split_once('/').ok_or_else(error)?;
        let range = Self {
            network: network.parse().map_err(|_| error())?,
            prefix: prefix.parse().map_err(|_| error())?,
        };
        let fits = (16..=28).contains(&range.prefix)
            && range.network.is_private()
            && range.network.to_bits() & !range.mask() == 0;
        fits.then_some(range).ok_or_else(error)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}/{}", self.network, self.prefix)
    }
}

impl Range {
    /// The address by which groups reach all others, and where their DNS is.
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network.to_bits() + 1)
    }

    /// The first address.
    pub const fn network(self) -> Ipv4Addr {
        self.network
    }

    /// How many bits all of it share.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// The address of a group; nothing where the range has no such place.
    pub fn address(self, slot: Slot) -> Option<Ipv4Addr> {
        let place = u32::from(slot.0);
        (place < self.places()).then(|| Ipv4Addr::from_bits(self.network.to_bits() + 2 + place))
    }

    /// The place of an address.
    pub fn slot(self, address: Ipv4Addr) -> Option<Slot> {
        let place = address.to_bits().checked_sub(self.network.to_bits())?.checked_sub(2)?;
        u16::try_from(place).ok().filter(|_| place < self.places()).map(Slot)
    }

    /// How many groups there can be.
    pub fn places(self) -> u32 {
        (1_u32 << (32 - u32::from(self.prefix).clamp(16, 28))) - RESERVED
    }

    /// The first place from `after` on, and then from the start, that is not `taken`. Whoever goes round does not give the
    /// address of a group to the next one while others still remember it.
    pub fn free(self, after: Option<Slot>, taken: impl Fn(Slot) -> bool) -> Option<Slot> {
        let places = u16::try_from(self.places()).unwrap_or(u16::MAX);
        let start = after.map_or(0, |slot| slot.0.saturating_add(1));
        (start..places).chain(0..start.min(places)).map(Slot).find(|slot| !taken(*slot))
    }

    /// A route to some of these addresses by none of `ours`.
    pub(super) fn collision<'a>(self, routes: &'a [Route], ours: &[u32]) -> Option<&'a Route> {
        routes.iter().find(|route| {
            let prefix = route.prefix.min(self.prefix);
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            let shared = (route.to.to_bits() ^ self.network.to_bits()) & mask == 0;
            // The way to everywhere is no claim to these.
            route.prefix > 0 && shared && !route.link.is_some_and(|link| ours.contains(&link))
        })
    }

    fn mask(self) -> u32 {
        u32::MAX << (32 - u32::from(self.prefix.clamp(1, 32)))
    }
}

impl Slot {
    /// By its number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The name of the link of the group on the node.
    pub(super) fn link(self) -> String {
        format!("{LINKS}{}", self.0)
    }

    /// The place that a link of this name is of.
    pub(super) fn of_link(name: &str) -> Option<Self> {
        let slot = Self(name.strip_prefix(LINKS)?.parse().ok()?);
        (slot.link() == name).then_some(slot)
    }
}

/// Names of links begin so.
pub(super) const LINKS: &str = "boltseal-";

/// The MAC that belongs to an address: of those that nobody sells (bit 1 of the first byte).
pub(super) const fn mac(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x02, 0xb5, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_they_are_written() {
        for text in ["10.213.0.0/16", "192.168.7.0/24", "172.16.0.16/28"] {
            assert_eq!(text.parse::<Range>().unwrap().to_string(), text);
        }
        for text in [
            "10.213.0.0",
            "10.213.0.1/16",
            "8.8.8.0/24",
            "10.0.0.0/8",
            "10.0.0.0/29",
            "::/64",
            "a/16",
            "10.0.0.0/-1",
        ] {
            assert_eq!(text.parse::<Range>(), Err(RangeError(text.to_owned())), "{text}");
        }
        assert_eq!(Range::default().to_string().parse(), Ok(Range::default()));
    }

    #[test]
    fn places_and_addresses() {
        let small: Range = "10.9.0.16/28".parse().unwrap();
        assert_eq!((small.gateway().to_string().as_str(), small.places()), ("10.9.0.17", 13));
        let all: Vec<_> = (0..20).filter_map(|place| small.address(Slot(place))).collect();
        assert_eq!(
            (all.len(), all[0].to_string(), all[12].to_string()),
            (13, "10.9.0.18".into(), "10.9.0.30".into())
        );
        assert!(all.iter().zip(0..).all(|(at, place)| small.slot(*at) == Some(Slot(place))));
        for strange in ["10.9.0.16", "10.9.0.17", "10.9.0.31", "10.9.0.2", "255.255.255.255"] {
            assert_eq!(small.slot(strange.parse().unwrap()), None, "{strange}");
        }
        assert_eq!(small.free(None, |slot| slot.0 < 2), Some(Slot(2)));
        assert_eq!(small.free(Some(Slot(4)), |slot| slot.0 == 5), Some(Slot(6)));
        assert_eq!(small.free(Some(Slot(12)), |_| false), Some(Slot(0)));
        assert_eq!(small.free(Some(Slot(3)), |_| true), None);
        assert_eq!(Slot::of_link(&Slot(65_000).link()), Some(Slot(65_000)));
        assert!(Slot(u16::MAX).link().len() < 16, "what a name of a link has room for");
        for strange in ["boltseal-", "boltseal-01", "boltseal-+1", "boltseal-65536", "boltseal0"] {
            assert_eq!(Slot::of_link(strange), None, "{strange}");
        }
    }

    #[test]
    fn a_range_that_somebody_has() {
        let range = Range::default();
        for (to, prefix, collides) in [
            ("0.0.0.0", 0, false),
            ("10.0.0.0", 8, true),
            ("10.213.7.0", 24, true),
            ("10.213.0.0", 16, true),
            ("10.213.9.9", 32, true),
            ("10.212.0.0", 16, false),
            ("192.168.0.0", 16, false),
        ] {
            let routes = [Route { to: to.parse().unwrap(), prefix, link: Some(3) }];
            assert_eq!(range.collision(&routes, &[9]).is_some(), collides, "{to}/{prefix}");
            assert_eq!(range.collision(&routes, &[3]), None, "our own: {to}/{prefix}");
        }
    }
}
