//! Other firewalls of the machine. What one of them drops is dropped, whatever ours lets pass, and ours changes no other.

use std::fmt;

use super::{
    Error, TABLE,
    netlink::{
        Socket,
        message::{self, DUMP, Message},
    },
};

/// `NFT_MSG_GETCHAIN` of `NFNL_SUBSYS_NFTABLES`
const GET_CHAIN: u16 = 10 << 8 | 4;
/// Chains that are looked at: a machine has some dozens.
const MAX_CHAINS: usize = 10_000;
/// What passes such a chain (`NF_INET_LOCAL_IN`, `NF_INET_FORWARD`, `NF_INET_LOCAL_OUT`).
const HOOKS: [(u32, &str); 3] =
    [(1, "what reaches the machine"), (2, "what is forwarded"), (3, "what the machine sends")];

/// A chain of somebody else that drops what it does not know, groups among it, unless its own rules let them pass. Docker has
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// `ip`, `inet`
    pub family: &'static str,
    /// Its table.
    pub table: String,
    /// Its name.
    pub chain: String,
    /// What it is about.
    pub about: &'static str,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, table, chain, about } = self;
        write!(
            to,
            "the chain {chain} of the table {family} {table} drops {about} unless its own rules let it pass: add some for links whose names begin with boltseal-"
        )
    }
}

/// Those that the kernel has. Rules of the older `ip_tables` are not among them.
pub(super) fn find() -> Result<Vec<Obstacle>, Error> {
    let doing = || Error::kernel("asking about other firewalls");
    let mut socket = Socket::filter().map_err(doing())?;
    let chains = socket.dump(Message::new(GET_CHAIN, DUMP, &[0; 4])).map_err(doing())?;
    Ok(chains.iter().take(MAX_CHAINS).filter_map(|answer| obstacle(&answer.body)).collect())
}

fn obstacle(body: &[u8]) -> Option<Obstacle> {
    let family = match body.first()? {
        1 => "inet",
        2 => "ip",
        _ => return None,
    };
    let rest = body.get(4..)?;
    let text = |kind| message::attribute(rest, kind).map(message::text).unwrap_or_default();
    let big = |bytes: &[u8]| bytes.get(..4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
    // NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY: NF_DROP
    let hook = message::attribute(rest, 4).and_then(|hook| message::attribute(hook, 1)).and_then(big)?;
    let drops = message::attribute(rest, 5).and_then(big)? == 0;
    let about = HOOKS.iter().find(|(number, _)| *number == hook).map(|(_, about)| *about)?;
    let found = Obstacle { family, table: text(1), chain: text(3), about };
    (drops && found.table != TABLE).then_some(found)
}
