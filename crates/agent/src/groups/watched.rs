//! What groups ask of names, and what their network refuses: told as events, counted rather than one by one, since a group
//! that is shut out goes on trying.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use super::{Error, engine::Inner};
use crate::network::{
    Heard, Refusals, Refused,
    dns::{Resolver, resolvers},
};

/// How often what was refused is told.
const OFTEN: Duration = Duration::from_secs(10);
/// How long the kernel is listened to before it is looked whether anybody still wants to know.
const PATIENCE: Duration = Duration::from_secs(1);
/// Kinds of packets that are told apart at once; more are told as more.
const MAX_KINDS: usize = 256;
/// Where the machine's resolvers stand.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// A resolver for groups, by those of the machine.
pub fn resolver() -> Resolver {
    let text = fs::read_to_string(RESOLV_CONF).unwrap_or_default();
    Resolver::new(resolvers(&text), |asked| {
        tracing::debug!(group = asked.group, name = asked.name, kind = asked.kind, code = ?asked.code, "asked for a name");
    })
}

/// Tells what is refused, as long as there is an engine.
///
/// # Errors
/// Where somebody else listens, or the kernel reports nothing.
pub fn refusals(inner: &Arc<Inner>) -> Result<(), Error> {
    let mut refusals = Refusals::open().map_err(|error| Error::Runtime(error.to_string()))?;
    let inner: Weak<Inner> = Arc::downgrade(inner);
    let thread = std::thread::Builder::new().name("refusals".to_owned()).spawn(move || {
        let (mut seen, mut lost, mut told) = (BTreeMap::new(), 0_u64, Instant::now());
        loop {
            let Ok(heard) = refusals.next(PATIENCE) else { return };
            for one in heard {
                match one {
                    Heard::Refused(refused) => count(&mut seen, &refused, &mut lost),
                    Heard::Lost => lost += 1,
                }
            }
            let Some(inner) = inner.upgrade() else { return };
            if told.elapsed() >= OFTEN && !(seen.is_empty() && lost == 0) {
                tell(&inner, std::mem::take(&mut seen), std::mem::take(&mut lost));
                told = Instant::now();
            }
        }
    });
    thread.map(drop).map_err(Error::io("listening to what is refused"))
}

/// By group, and by what was tried.
type Seen = BTreeMap<(String, String), u64>;

fn count(seen: &mut Seen, refused: &Refused, lost: &mut u64) {
    let protocol = match refused.protocol {
        1 => "icmp".to_owned(),
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        other => format!("protocol {other}"),
    };
    let port = refused.port.map_or_else(String::new, |port| format!(":{port}"));
    let what = format!("{protocol}://{}{port}", refused.to);
    let group = refused.group.clone().unwrap_or_else(|| format!("(somebody as {})", refused.from));
    let key = (group, what);
    if seen.len() < MAX_KINDS || seen.contains_key(&key) {
        *seen.entry(key).or_default() += 1;
    } else {
        *lost += 1;
    }
}

fn tell(inner: &Inner, seen: Seen, lost: u64) {
    for ((group, what), times) in seen {
        let details = [("what", what), ("times", times.to_string())];
        if let Err(error) = inner.write("network.refused", &group, None, &details) {
            tracing::error!(%error, "not written down");
        }
    }
    if lost > 0 {
        let details = [("what", "more than can be told apart".to_owned()), ("times", lost.to_string())];
        if let Err(error) = inner.write("network.refused", "", None, &details) {
            tracing::error!(%error, "not written down");
        }
    }
}
