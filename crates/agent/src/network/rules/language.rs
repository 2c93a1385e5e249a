//! The words of the table: as much of nftables as is needed.

use std::net::Ipv4Addr;

use boltseal_runtime::network::Protocol;

use crate::network::range::Slot;

/// A set, or a map where its elements have something behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) name: &'static str,
    pub(super) key: &'static [Field],
    pub(super) gives: Gives,
    /// Whether elements are ranges.
    pub(super) ranges: bool,
    pub(super) elements: Vec<Element>,
}

/// What an element of a set has behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Nothing,
    /// An address and a port.
    Place,
    /// Where the packet goes on.
    Chain,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) key: Vec<Value>,
    pub(super) target: Option<Target>,
}

/// Something of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// The link it came in by.
    Link,
    /// The link it goes out by.
    Out,
    /// The address of the sender.
    From,
    /// The address of the receiver.
    To,
    Protocol,
    /// The port of the receiver.
    Port,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    /// The link of a group.
    Link(Slot),
    /// Any link, as the kernel keeps its name.
    Named([u8; 16]),
    Address(Ipv4Addr),
    Addresses(Ipv4Addr, Ipv4Addr),
    Protocol(Protocol),
    Port(u16),
    Ports(u16, u16),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Place(Ipv4Addr, u16),
    Chain(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) name: String,
    /// Where packets enter it by themselves; none where others send them.
    pub(super) hook: Option<Hook>,
    pub(super) rules: Vec<Rule>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hook {
    /// Whether addresses are translated there.
    pub(super) nat: bool,
    pub(super) at: At,
    pub(super) priority: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Prerouting,
    Input,
    Forward,
    Output,
    Postrouting,
}

/// A rule: what must be true, and what is done then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) tests: Vec<Test>,
    pub(super) act: Act,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    /// It comes from a group.
    FromGroup(Is),
    /// It goes to a group.
    ToGroup(Is),
    /// It answers one that passed.
    Answers,
    /// It says that one that passed got lost.
    Errors,
    /// It belongs to no conversation.
    Invalid,
    /// Its receiver was translated.
    Translated,
    /// The receiver is the machine itself.
    Local,
    /// It tells of a better way.
    Redirect,
    Address(Field, Is, Ipv4Addr),
    Prefix(Field, Is, Ipv4Addr, u8),
    Protocol(Protocol),
    Port(u16),
    Member(&'static [Field], &'static str),
}

/// Whether a test is turned round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    Equal,
    Different,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Accept,
    Drop,
    /// The sender becomes the machine, by whatever address it has there.
    Masquerade,
    /// The sender becomes this.
    Sender(Ipv4Addr),
    /// The receiver becomes what the map has for these.
    Translate(&'static [Field], &'static str),
    /// On in the chain that the map has for these.
    Goto(&'static [Field], &'static str),
    /// Reported under this name, so many times a second.
    Report(String, u32),
}

impl Set {
    pub(super) fn is_openings(&self) -> bool {
        matches!(self.name, "allowed" | "ranges")
    }
}
