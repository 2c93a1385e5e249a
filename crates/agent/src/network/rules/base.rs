//! What holds whoever is there. Chains accept what is not about groups: the machine's own firewall decides about that.

use std::net::Ipv4Addr;

use boltseal_runtime::network::Protocol;

use super::{
    compute::{DOOR, PORT, SENDER, TUPLE, WAY},
    language::{Act, At, Chain, Field, Hook, Is, Rule, Test},
};
use crate::network::range::Range;

/// Reports of one group a second: enough to see what is tried, too few to keep anybody busy.
const REPORTS: u32 = 100;
/// Where names are resolved.
const DNS: u16 = 53;

/// Before conversations are told apart; `raw` of nft.
const BEFORE: i32 = -300;
/// Where receivers are translated; `dstnat` of nft.
const TRANSLATING: i32 = -100;
/// Where senders are translated; `srcnat` of nft.
const LEAVING: i32 = 100;
/// Addresses of the machine for itself, and those of neighbours alone.
const LOOPBACK: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 0);
const NEIGHBOURS: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 0);

/// What becomes of what a group is not allowed.
pub(super) fn refusal(name: &str) -> Vec<Rule> {
    vec![report(name), rule(vec![], Act::Drop)]
}

/// The chains that packets enter by themselves.
pub(super) fn chains(range: Range) -> Vec<Chain> {
    vec![
        hooked("senders-only", false, At::Prerouting, BEFORE, senders()),
        hooked("forwarded", false, At::Forward, 0, forwarded()),
        hooked("to-machine", false, At::Input, 0, inwards(range)),
        hooked("from-machine", false, At::Output, 0, outwards()),
        hooked("published", true, At::Prerouting, TRANSLATING, arriving(range)),
        hooked("published-here", true, At::Output, TRANSLATING, published_here(range)),
        hooked("leaving", true, At::Postrouting, LEAVING, leaving(range)),
    ]
}

fn hooked(name: &str, nat: bool, at: At, priority: i32, rules: Vec<Rule>) -> Chain {
    Chain { name: name.to_owned(), hook: Some(Hook { nat, at, priority }), rules }
}

fn rule(tests: Vec<Test>, act: Act) -> Rule {
    Rule { tests, act }
}

fn report(name: &str) -> Rule {
    rule(vec![], Act::Report(name.to_owned(), REPORTS))
}

fn senders() -> Vec<Rule> {
    vec![
        rule(vec![Test::FromGroup(Is::Different)], Act::Accept),
        // Ports that are published on the machine's own loopback make it reachable by links of groups.
        rule(vec![Test::Prefix(Field::To, Is::Equal, LOOPBACK, 8)], Act::Drop),
        rule(vec![Test::Member(SENDER, "senders")], Act::Accept),
        report("boltseal spoofed"),
        rule(vec![], Act::Drop),
    ]
}

fn forwarded() -> Vec<Rule> {
    let (from, elsewhere) = (Test::FromGroup(Is::Equal), Test::FromGroup(Is::Different));
    // Ranges are about the world outside: neither other groups, who say themselves what they listen on, nor what only
    // neighbours of the machine reach, like the service that hands out its identity in a cloud.
    let beyond = Test::Prefix(Field::To, Is::Different, NEIGHBOURS, 16);
    vec![
        rule(vec![Test::Member(WAY, "closed")], Act::Drop),
        rule(vec![elsewhere.clone(), Test::ToGroup(Is::Different)], Act::Accept),
        rule(vec![Test::Answers], Act::Accept),
        rule(vec![Test::Errors], Act::Accept),
        rule(vec![Test::Invalid], Act::Drop),
        rule(vec![from.clone(), Test::Member(TUPLE, "allowed")], Act::Accept),
        rule(
            vec![from.clone(), Test::ToGroup(Is::Different), beyond, Test::Member(TUPLE, "ranges")],
            Act::Accept,
        ),
        rule(vec![elsewhere, Test::Translated, Test::Member(DOOR, "doors")], Act::Accept),
        rule(vec![from], Act::Goto(&[Field::From], "out")),
        rule(vec![], Act::Goto(&[Field::To], "in")),
        rule(vec![], Act::Drop),
    ]
}

fn inwards(range: Range) -> Vec<Rule> {
    let dns = |protocol| {
        let gateway = Test::Address(Field::To, Is::Equal, range.gateway());
        rule(vec![gateway, Test::Protocol(protocol), Test::Port(DNS)], Act::Accept)
    };
    vec![
        rule(vec![Test::FromGroup(Is::Different)], Act::Accept),
        rule(vec![Test::Answers], Act::Accept),
        rule(vec![Test::Errors], Act::Accept),
        dns(Protocol::Udp),
        dns(Protocol::Tcp),
        rule(vec![Test::Member(TUPLE, "tokens")], Act::Accept),
        rule(vec![], Act::Goto(&[Field::From], "out")),
        rule(vec![], Act::Drop),
    ]
}

fn outwards() -> Vec<Rule> {
    vec![
        rule(vec![Test::ToGroup(Is::Different)], Act::Accept),
        // Nobody is told of a shorter way: there is none.
        rule(vec![Test::Redirect], Act::Drop),
        rule(vec![Test::Answers], Act::Accept),
        rule(vec![Test::Errors], Act::Accept),
        rule(vec![Test::Translated, Test::Member(DOOR, "doors")], Act::Accept),
        rule(vec![], Act::Goto(&[Field::To], "in")),
        rule(vec![], Act::Drop),
    ]
}

/// Groups that have an identity find the service that hands out tokens where clouds have it.
fn arriving(range: Range) -> Vec<Rule> {
    let mut rules = published(range);
    rules.insert(0, rule(vec![Test::FromGroup(Is::Equal)], Act::Translate(TUPLE, "metadata")));
    rules
}

/// The address of the gateway is for names and tokens only.
fn published(range: Range) -> Vec<Rule> {
    let gateway = Test::Address(Field::To, Is::Equal, range.gateway());
    vec![rule(vec![gateway], Act::Accept), rule(vec![Test::Local], Act::Translate(PORT, "ports"))]
}

/// Resolvers of the machine listen on other addresses of its loopback, for the machine alone.
fn published_here(range: Range) -> Vec<Rule> {
    let mut rules = published(range);
    let others = vec![
        Test::Prefix(Field::To, Is::Equal, LOOPBACK, 8),
        Test::Address(Field::To, Is::Different, Ipv4Addr::LOCALHOST),
    ];
    rules.insert(1, rule(others, Act::Accept));
    rules
}

fn leaving(range: Range) -> Vec<Rule> {
    let group = Test::Prefix(Field::From, Is::Equal, range.network(), range.prefix());
    let gateway = Act::Sender(range.gateway());
    vec![
        rule(vec![group, Test::ToGroup(Is::Different)], Act::Masquerade),
        // The machine's loopback has no way back from elsewhere, and neither has a group to itself.
        rule(
            vec![Test::Prefix(Field::From, Is::Equal, LOOPBACK, 8), Test::ToGroup(Is::Equal)],
            gateway.clone(),
        ),
        rule(vec![Test::FromGroup(Is::Equal), Test::ToGroup(Is::Equal), Test::Translated], gateway),
    ]
}
