//! Who knows which names: decided from groups and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use boltseal_runtime::network::To;

use super::message::{A, Code, PTR, Question, Record};
use crate::network::{group::Group, range::Range};

/// Names by who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    range: Option<Range>,
    askers: BTreeMap<Ipv4Addr, Asker>,
}

/// What one group knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asker {
    group: String,
    names: BTreeMap<String, BTreeSet<Ipv4Addr>>,
    /// Whether others are asked for it.
    open: bool,
}

/// What is done about a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This is answered.
    Answer(Code, Vec<Record>),
    /// The resolvers of the machine are asked.
    Forward,
}

impl Names {
    /// What groups know: their own names and those of their containers, and the groups that they may reach.
    pub fn of(range: Range, groups: &BTreeMap<String, Group>) -> Self {
        let mut askers = BTreeMap::new();
        let mut known: BTreeMap<String, BTreeSet<Ipv4Addr>> = BTreeMap::new();
        for group in groups.values() {
            let address = range.address(group.slot);
            known.entry(group.name.to_ascii_lowercase()).or_default().extend(address);
        }
        for (id, group) in groups {
            let Some(address) = range.address(group.slot) else { continue };
            let reached = group.network.egress.iter().filter_map(|egress| match &egress.to {
                To::Group(name) => Some(name.to_ascii_lowercase()),
                To::Addresses(..) => None,
            });
            let mut names: BTreeMap<_, _> =
                reached.filter_map(|name| known.get(&name).map(|at| (name, at.clone()))).collect();
            let own = group.containers.iter().chain([&group.name]).map(|name| name.to_ascii_lowercase());
            names.extend(own.map(|name| (name, BTreeSet::from([address]))));
            names.insert("localhost".to_owned(), BTreeSet::from([Ipv4Addr::LOCALHOST]));
            askers.insert(address, Asker { group: id.clone(), names, open: group.network.dns.is_some() });
        }
        Self { range: Some(range), askers }
    }

    /// The group that has an address.
    pub fn group(&self, from: Ipv4Addr) -> Option<&str> {
        self.askers.get(&from).map(|asker| asker.group.as_str())
    }

    /// What is done about a question of `from`. Whether there is a group that it may not reach is not told.
    pub fn decide(&self, from: Ipv4Addr, question: &Question) -> Decision {
        let answer = |code| Decision::Answer(code, Vec::new());
        let Some(asker) = self.askers.get(&from) else { return answer(Code::Refused) };
        if let Some(addresses) = asker.names.get(&question.name) {
            let found = addresses.iter().filter(|_| question.kind == A);
            return Decision::Answer(Code::Fine, found.map(|at| Record::Address(*at)).collect());
        }
        if let Some(address) = reversed(&question.name).filter(|at| self.is_ours(*at)) {
            let mut known = asker.names.iter().filter(|(_, at)| at.contains(&address));
            return match known.next() {
                Some((name, _)) if question.kind == PTR => {
                    Decision::Answer(Code::Fine, vec![Record::Name(name.clone())])
                }
                Some(_) => answer(Code::Fine),
                None => answer(Code::NoSuchName),
            };
        }
        // Names without a dot are those of groups, everywhere.
        if !question.name.is_empty() && !question.name.contains('.') {
            return answer(Code::NoSuchName);
        }
        if asker.open { Decision::Forward } else { answer(Code::Refused) }
    }

    fn is_ours(&self, address: Ipv4Addr) -> bool {
        let within = |range: Range| range.gateway() == address || range.slot(address).is_some();
        address.is_loopback() || self.range.is_some_and(within)
    }
}

/// The address that `2.0.213.10.in-addr.arpa` is about.
fn reversed(name: &str) -> Option<Ipv4Addr> {
    let address: Ipv4Addr = name.strip_suffix(".in-addr.arpa")?.parse().ok()?;
    let [a, b, c, d] = address.octets();
    Some(Ipv4Addr::new(d, c, b, a))
}
