//! IP addresses and networks of them.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::{
    error::Stop,
    functions::{Function, global, member, refuse},
    value::Value,
};

/// A network: an address and how many of its bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address = parse(address)?;
        let plain = bits.bytes().all(|byte| byte.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
        let bits: u8 = bits.parse().ok().filter(|_| plain)?;
        (bits <= width(address)).then_some(Self { address, bits })
    }

    fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(u32::from(32 - self.bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(u32::from(128 - self.bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
            }
        };
        Self { address, ..self }
    }

    fn contains(self, address: IpAddr) -> bool {
        width(address) == width(self.address) && Self { address, bits: self.bits }.masked() == self.masked()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Addresses of version 4 within version 6 are refused by API servers: one text, one meaning.
fn parse(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    match address {
        IpAddr::V6(six) if six.to_ipv4_mapped().is_some() => None,
        address => Some(address),
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("ip", 1, 1, |_, values| match values {
        [Value::Text(text)] => match parse(text.as_str()) {
            Some(address) => Ok(Value::Ip(address)),
            None => Err(Stop::Wrong(format!("`{}` is no IP address", text.as_str()))),
        },
        _ => Err(refuse("ip", values)),
    }),
    global("isIP", 1, 1, |_, values| match values {
        [Value::Text(text)] => Ok(Value::Bool(parse(text.as_str()).is_some())),
        _ => Err(refuse("isIP", values)),
    }),
    global("ip.isCanonical", 1, 1, |_, values| match values {
        [Value::Text(text)] => match parse(text.as_str()) {
            Some(address) => Ok(Value::Bool(address.to_string() == text.as_str())),
            None => Err(Stop::Wrong(format!("`{}` is no IP address", text.as_str()))),
        },
        _ => Err(refuse("ip.isCanonical", values)),
    }),
    member("family", 0, 0, |_, values| match values {
        [Value::Ip(address)] => Ok(Value::Int(if address.is_ipv4() { 4 } else { 6 })),
        _ => Err(refuse("family", values)),
    }),
    member("isUnspecified", 0, 0, |_, values| {
        is("isUnspecified", values, |address| address.is_unspecified())
    }),
    member("isLoopback", 0, 0, |_, values| is("isLoopback", values, |address| address.is_loopback())),
    member("isLinkLocalUnicast", 0, 0, |_, values| is("isLinkLocalUnicast", values, link_local)),
    member("isLinkLocalMulticast", 0, 0, |_, values| {
        is("isLinkLocalMulticast", values, |address| match address {
            IpAddr::V4(four) => matches!(four.octets(), [224, 0, 0, _]),
            IpAddr::V6(six) => six.segments()[0] & 0xff0f == 0xff02,
        })
    }),
    member("isGlobalUnicast", 0, 0, |_, values| {
        is("isGlobalUnicast", values, |address| {
            let broadcast = matches!(address, IpAddr::V4(four) if four.is_broadcast());
            let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
            !broadcast && !special && !link_local(address)
        })
    }),
    global("cidr", 1, 1, |_, values| match values {
        [Value::Text(text)] => match Network::parse(text.as_str()) {
            Some(network) => Ok(Value::Cidr(network)),
            None => Err(Stop::Wrong(format!("`{}` is no network of IP addresses", text.as_str()))),
        },
        _ => Err(refuse("cidr", values)),
    }),
    global("isCIDR", 1, 1, |_, values| match values {
        [Value::Text(text)] => Ok(Value::Bool(Network::parse(text.as_str()).is_some())),
        _ => Err(refuse("isCIDR", values)),
    }),
    member("containsIP", 1, 1, |_, values| match values {
        [Value::Cidr(network), Value::Ip(address)] => Ok(Value::Bool(network.contains(*address))),
        [Value::Cidr(network), Value::Text(text)] => match parse(text.as_str()) {
            Some(address) => Ok(Value::Bool(network.contains(address))),
            None => Err(Stop::Wrong(format!("`{}` is no IP address", text.as_str()))),
        },
        _ => Err(refuse("containsIP", values)),
    }),
    member("containsCIDR", 1, 1, |_, values| {
        let (outer, inner) = match values {
            [Value::Cidr(outer), Value::Cidr(inner)] => (*outer, Some(*inner)),
            [Value::Cidr(outer), Value::Text(inner)] => (*outer, Network::parse(inner.as_str())),
            _ => return Err(refuse("containsCIDR", values)),
        };
        let inner = inner.ok_or("no network of IP addresses")?;
        Ok(Value::Bool(inner.bits >= outer.bits && outer.contains(inner.address)))
    }),
    member("ip", 0, 0, |_, values| match values {
        [Value::Cidr(network)] => Ok(Value::Ip(network.address)),
        _ => Err(refuse("ip", values)),
    }),
    member("masked", 0, 0, |_, values| match values {
        [Value::Cidr(network)] => Ok(Value::Cidr(network.masked())),
        _ => Err(refuse("masked", values)),
    }),
    member("prefixLength", 0, 0, |_, values| match values {
        [Value::Cidr(network)] => Ok(Value::Int(i64::from(network.bits))),
        _ => Err(refuse("prefixLength", values)),
    }),
];

fn is<'a>(name: &str, values: &[Value<'a>], test: fn(IpAddr) -> bool) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Ip(address)] => Ok(Value::Bool(test(*address))),
        _ => Err(refuse(name, values)),
    }
}

const fn link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.is_link_local(),
        IpAddr::V6(six) => six.segments()[0] & 0xffc0 == 0xfe80,
    }
}
