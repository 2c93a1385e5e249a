//! A table as one batch of messages: the old one is deleted and the new one made, or nothing is.
//!
//! Numbers are those of `linux/netfilter/nf_tables.h`. What the kernel is told is what `nft --debug=netlink` shows of the text.

use boltseal_runtime::network::Protocol;

use super::{
    Rules, TABLE,
    expression::List,
    language::{At, Chain, Element, Field, Gives, Rule, Set, Target, Value},
};
use crate::network::netlink::message::{APPEND, CREATE, Message};

/// `NFNL_SUBSYS_NFTABLES`
const SUBSYSTEM: u16 = 10;
/// `NFPROTO_INET`
const INET: u8 = 1;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NEW_TABLE: u16 = 0;
const DELETE_TABLE: u16 = 2;
const NEW_CHAIN: u16 = 3;
const NEW_RULE: u16 = 6;
const NEW_SET: u16 = 9;
const NEW_ELEMENTS: u16 = 12;
/// Elements of one message: an attribute has at most 64 KB, and one element about 60 bytes.
const CHUNK: usize = 400;
/// `NFTA_LIST_ELEM`
pub(super) const ITEM: u16 = 1;
/// `NFT_GOTO`
const GOTO: u32 = (-4_i32).cast_unsigned();

/// Replaces the whole table.
pub(in crate::network) fn batch(rules: &Rules) -> Vec<Message> {
    let mut batch = vec![frame(BATCH_BEGIN), table(NEW_TABLE), table(DELETE_TABLE), table(NEW_TABLE)];
    batch.extend(rules.chains.iter().map(chain));
    for one in &rules.sets {
        batch.push(set(one));
        batch.extend(one.elements.chunks(CHUNK).map(|chunk| elements(one, chunk)));
    }
    for chain in &rules.chains {
        batch.extend(chain.rules.iter().map(|one| rule(&chain.name, one)));
    }
    batch.push(frame(BATCH_END));
    batch
}

/// Removes the whole table, which may be missing.
pub(in crate::network) fn removal() -> Vec<Message> {
    vec![frame(BATCH_BEGIN), table(NEW_TABLE), table(DELETE_TABLE), frame(BATCH_END)]
}

fn frame(kind: u16) -> Message {
    Message::new(kind, 0, &[0, 0, 0, SUBSYSTEM.to_be_bytes()[1]])
}

fn message(kind: u16, flags: u16) -> Message {
    Message::new(SUBSYSTEM << 8 | kind, flags, &[INET, 0, 0, 0])
}

fn table(kind: u16) -> Message {
    let mut message = message(kind, if kind == NEW_TABLE { CREATE } else { 0 });
    message.text(1, TABLE);
    message
}

fn chain(chain: &Chain) -> Message {
    let mut message = message(NEW_CHAIN, CREATE);
    message.text(1, TABLE);
    message.text(3, &chain.name);
    if let Some(hook) = chain.hook {
        message.nest(4, |inner| {
            inner.big(1, number(hook.at));
            inner.big(2, hook.priority.cast_unsigned());
        });
        // NF_ACCEPT: what is not about the bridge is others' business.
        message.big(5, 1);
        message.text(7, if hook.nat { "nat" } else { "filter" });
    }
    message
}

const fn number(at: At) -> u32 {
    match at {
        At::Prerouting => 0,
        At::Input => 1,
        At::Forward => 2,
        At::Output => 3,
        At::Postrouting => 4,
    }
}

fn set(set: &Set) -> Message {
    /// `NFT_SET_INTERVAL`, `NFT_SET_MAP`, `NFT_SET_CONCAT`
    const INTERVAL: u32 = 0x4;
    const MAP: u32 = 0x8;
    const CONCAT: u32 = 0x80;
    let mut message = message(NEW_SET, CREATE);
    message.text(1, TABLE);
    message.text(2, set.name);
    let map = if set.gives == Gives::Nothing { 0 } else { MAP };
    message.big(3, map | if set.ranges { INTERVAL | CONCAT } else { 0 });
    // What nft calls a type, by which it shows elements: six bits a field.
    message.big(4, set.key.iter().fold(0, |all, field| all << 6 | field.number()));
    message.big(5, set.key.iter().map(|field| field.words() * 4).sum());
    match set.gives {
        Gives::Nothing => {}
        Gives::Place => {
            message.big(6, Field::To.number() << 6 | Field::Port.number());
            message.big(7, 8);
        }
        // NFT_DATA_VERDICT
        Gives::Chain => message.big(6, 0xffff_ff00),
    }
    if set.ranges {
        message.nest(9, |description| {
            description.nest(2, |fields| {
                for field in set.key {
                    fields.nest(ITEM, |one| one.big(1, field.bytes()));
                }
            });
        });
    }
    message.big(10, id(set.name));
    message
}

/// Within a batch, sets are also known by numbers, which must be there and differ.
pub(super) fn id(name: &str) -> u32 {
    name.bytes().fold(0, |all: u32, byte| all.wrapping_mul(31).wrapping_add(u32::from(byte)))
}

fn elements(set: &Set, elements: &[Element]) -> Message {
    let mut message = message(NEW_ELEMENTS, CREATE);
    message.text(1, TABLE);
    message.text(2, set.name);
    message.big(4, id(set.name));
    message.nest(3, |list| {
        for one in elements {
            element(list, one, set.ranges);
        }
    });
    message
}

fn element(list: &mut Message, element: &Element, ranges: bool) {
    list.nest(ITEM, |one| {
        one.nest(1, |key| key.bytes(1, &bytes(&element.key, Side::First)));
        if ranges {
            one.nest(10, |key| key.bytes(1, &bytes(&element.key, Side::Last)));
        }
        match &element.target {
            None => {}
            Some(Target::Place(address, port)) => {
                let place = bytes(&[Value::Address(*address), Value::Port(*port)], Side::First);
                one.nest(2, |data| data.bytes(1, &place));
            }
            Some(Target::Chain(name)) => one.nest(2, |data| {
                data.nest(2, |verdict| {
                    verdict.big(1, GOTO);
                    verdict.text(2, name);
                });
            }),
        }
    });
}

#[derive(Clone, Copy)]
enum Side {
    First,
    Last,
}

/// Each value in whole words.
fn bytes(values: &[Value], side: Side) -> Vec<u8> {
    let mut all = Vec::with_capacity(16);
    for value in values {
        match (value, side) {
            (Value::Link(slot), _) => all.extend(padded(&slot.link())),
            (Value::Named(name), _) => all.extend(name),
            (Value::Address(address), _)
            | (Value::Addresses(address, _), Side::First)
            | (Value::Addresses(_, address), Side::Last) => all.extend(address.octets()),
            (Value::Protocol(protocol), _) => all.push(protocol_number(*protocol)),
            (Value::Port(port), _)
            | (Value::Ports(port, _), Side::First)
            | (Value::Ports(_, port), Side::Last) => {
                all.extend(port.to_be_bytes());
            }
        }
        all.resize(all.len().next_multiple_of(4), 0);
    }
    all
}

/// The name of a link as the kernel keeps it.
pub(super) fn padded(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(name.bytes()).for_each(|(place, byte)| *place = byte);
    bytes
}

pub(super) const fn protocol_number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
    }
}

impl Field {
    /// As nft numbers types.
    const fn number(self) -> u32 {
        match self {
            Self::Link | Self::Out => 41,
            Self::From | Self::To => 7,
            Self::Protocol => 12,
            Self::Port => 13,
        }
    }

    const fn bytes(self) -> u32 {
        match self {
            Self::Link | Self::Out => 16,
            Self::From | Self::To => 4,
            Self::Protocol => 1,
            Self::Port => 2,
        }
    }

    pub(super) const fn words(self) -> u32 {
        self.bytes().div_ceil(4)
    }
}

fn rule(chain: &str, rule: &Rule) -> Message {
    let mut message = message(NEW_RULE, CREATE | APPEND);
    message.text(1, TABLE);
    message.text(2, chain);
    message.nest(4, |all| {
        let mut list = List(all);
        for test in &rule.tests {
            list.test(test);
        }
        list.act(&rule.act);
    });
    message
}
