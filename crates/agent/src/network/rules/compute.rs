//! From groups to a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use boltseal_runtime::network::{Port, Protocol, To, is_name};

use super::{
    Conflict, MAX_TUPLES, Node, Rules, base,
    disjoint::{Block, disjoint},
    encode::padded,
    language::{Chain, Element, Field, Gives, Set, Target, Value},
};
use crate::network::{METADATA, METADATA_PORT, group::Group, range::Range};

/// Who sends what to whom.
pub(super) const TUPLE: &[Field] = &[Field::From, Field::To, Field::Protocol, Field::Port];
/// What is sent to whom.
pub(super) const DOOR: &[Field] = &[Field::To, Field::Protocol, Field::Port];
/// What is sent.
pub(super) const PORT: &[Field] = &[Field::Protocol, Field::Port];
/// From where to where.
pub(super) const WAY: &[Field] = &[Field::Link, Field::Out];
/// Who a sender is.
pub(super) const SENDER: &[Field] = &[Field::Link, Field::From];

pub(super) fn rules(node: &Node, groups: &BTreeMap<String, Group>) -> Result<Rules, Conflict> {
    let found = collect(node, groups)?;
    let way = |(from, to): &(String, String)| [from, to].map(|name| Value::Named(padded(name))).to_vec();
    let closed = node.closed.iter().map(way).collect();
    let set = |name, key, gives, ranges, elements: Vec<Element>| Set { name, key, gives, ranges, elements };
    let plain =
        |keys: BTreeSet<Vec<Value>>| keys.into_iter().map(|key| Element { key, target: None }).collect();
    let aim = |(key, target)| Element { key, target: Some(target) };
    let sets = vec![
        set("closed", WAY, Gives::Nothing, false, plain(closed)),
        set("senders", SENDER, Gives::Nothing, false, plain(found.senders)),
        set("allowed", TUPLE, Gives::Nothing, false, plain(found.allowed)),
        set("ranges", TUPLE, Gives::Nothing, true, plain(found.ranges)),
        set("doors", DOOR, Gives::Nothing, false, plain(found.doors)),
        set("metadata", TUPLE, Gives::Place, false, found.metadata.into_iter().map(aim).collect()),
        set("tokens", TUPLE, Gives::Nothing, false, plain(found.tokens)),
        set("ports", PORT, Gives::Place, false, found.ports.into_iter().map(aim).collect()),
        set("out", &[Field::From], Gives::Chain, false, found.out.into_iter().map(aim).collect()),
        set("in", &[Field::To], Gives::Chain, false, found.inwards.into_iter().map(aim).collect()),
    ];
    let refused = groups.iter().map(|(id, group)| Chain {
        name: chain(group),
        hook: None,
        rules: base::refusal(&format!("boltseal {id}")),
    });
    let mut chains: Vec<Chain> = refused.collect();
    chains.extend(base::chains(node.range));
    Ok(Rules { sets, chains })
}

/// What the sets hold.
#[derive(Default)]
struct Found {
    senders: BTreeSet<Vec<Value>>,
    allowed: BTreeSet<Vec<Value>>,
    ranges: BTreeSet<Vec<Value>>,
    doors: BTreeSet<Vec<Value>>,
    ports: BTreeMap<Vec<Value>, Target>,
    metadata: BTreeMap<Vec<Value>, Target>,
    tokens: BTreeSet<Vec<Value>>,
    out: BTreeMap<Vec<Value>, Target>,
    inwards: BTreeMap<Vec<Value>, Target>,
}

fn collect(node: &Node, groups: &BTreeMap<String, Group>) -> Result<Found, Conflict> {
    let mut found = Found::default();
    let mut addresses: BTreeMap<Ipv4Addr, &str> = BTreeMap::new();
    let mut published: BTreeMap<(Protocol, u16), &str> = BTreeMap::new();
    for (id, group) in groups {
        if !is_name(id) {
            return Err(Conflict::Name { name: id.clone() });
        }
        let address = address(node.range, id, group)?;
        if let Some(first) = addresses.insert(address, id) {
            return Err(Conflict::Address { first: first.to_owned(), second: id.clone(), address });
        }
        found.senders.insert(vec![Value::Link(group.slot), Value::Address(address)]);
        if group.network.identity.is_some() {
            let gateway = node.range.gateway();
            let asks = |to, port| {
                [Value::Address(address), to, Value::Protocol(Protocol::Tcp), Value::Port(port)].to_vec()
            };
            found.metadata.insert(asks(Value::Address(METADATA), 80), Target::Place(gateway, METADATA_PORT));
            found.tokens.insert(asks(Value::Address(gateway), METADATA_PORT));
        }
        let target = || Target::Chain(chain(group));
        found.out.insert(vec![Value::Address(address)], target());
        found.inwards.insert(vec![Value::Address(address)], target());
        for port in &group.network.ports {
            let inside = [Value::Protocol(port.protocol), Value::Port(port.number)];
            let Some(outside) = port.published else { continue };
            if let Some(first) = published.insert((port.protocol, outside), id) {
                let (first, second) = (first.to_owned(), id.clone());
                return Err(Conflict::Port { first, second, port: outside, protocol: port.protocol.name() });
            }
            let key = vec![Value::Protocol(port.protocol), Value::Port(outside)];
            found.ports.insert(key, Target::Place(address, port.number));
            found.doors.insert([&[Value::Address(address)], &inside[..]].concat());
            // By the address of the machine, it may come back to itself.
            found.allowed.insert([&[Value::Address(address); 2], &inside[..]].concat());
        }
    }
    for (id, group) in groups {
        egress(&mut found, node.range, id, group, groups)?;
    }
    let openings = found.allowed.len() + found.ranges.len();
    if openings > MAX_TUPLES {
        return Err(Conflict::TooMany { openings });
    }
    Ok(found)
}

fn address(range: Range, id: &str, group: &Group) -> Result<Ipv4Addr, Conflict> {
    let place = || Conflict::Place { group: id.to_owned(), place: group.slot.number(), range };
    range.address(group.slot).ok_or_else(place)
}

fn chain(group: &Group) -> String {
    format!("refused-{}", group.slot.number())
}

/// What one group may reach.
fn egress(
    found: &mut Found,
    range: Range,
    id: &str,
    group: &Group,
    groups: &BTreeMap<String, Group>,
) -> Result<(), Conflict> {
    let from = Value::Address(address(range, id, group)?);
    let mut blocks: BTreeMap<Protocol, Vec<Block>> = BTreeMap::new();
    for egress in &group.network.egress {
        let protocol = Value::Protocol(egress.protocol);
        match &egress.to {
            To::Group(name) => {
                for to in groups.values().filter(|to| to.name.eq_ignore_ascii_case(name)) {
                    let there = Value::Address(address(range, name, to)?);
                    let opened = |port: &&Port| {
                        port.protocol == egress.protocol
                            && (egress.ports.0..=egress.ports.1).contains(&port.number)
                    };
                    let listens = to.network.ports.iter().filter(opened);
                    found
                        .allowed
                        .extend(listens.map(|port| vec![from, there, protocol, Value::Port(port.number)]));
                }
            }
            // Other groups are reached by their names.
            To::Addresses(first, last) if first == last && range.slot(*first).is_some() => {}
            To::Addresses(first, last) if first == last && egress.ports.0 == egress.ports.1 => {
                found.allowed.insert(vec![
                    from,
                    Value::Address(*first),
                    protocol,
                    Value::Port(egress.ports.0),
                ]);
            }
            To::Addresses(first, last) => {
                let block = ((first.to_bits(), last.to_bits()), egress.ports);
                blocks.entry(egress.protocol).or_default().push(block);
            }
        }
    }
    for (protocol, blocks) in blocks {
        found.ranges.extend(disjoint(&blocks).into_iter().map(|(to, ports)| {
            let (to, ports) = (Value::Addresses(to.0, to.1), Value::Ports(ports.0, ports.1));
            vec![from, to, Value::Protocol(protocol), ports]
        }));
    }
    Ok(())
}
