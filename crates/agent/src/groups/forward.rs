//! The events of this node in the server's audit log as well: in their order, each until the server has it on disk.
//!
//! Nothing waits for that: a node goes on while its server cannot be asked, and reports afterwards. Events are kept in a file
//! of some 100,000; those that leave it before the server could be reached are missing there, and their numbers show it.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};

use boltseal_api::groups::Event;
use boltseal_audit::log::write_private;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{Error, engine::Inner};
use crate::Gate;

/// Events of one request: even of the longest, so many stay below the 16 MiB that a server takes at once.
const BATCH: usize = 100;
/// How long the first wait is after a report that did not arrive, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LAST_WAIT: Duration = Duration::from_mins(1);
/// File with the number of the last one that the server has.
const SENT: &str = "events.sent";

/// Reports for as long as the engine is there.
pub async fn run(inner: Weak<Inner>, gate: Gate) {
    let Some(there) = inner.upgrade() else { return };
    let (place, host) = (there.settings.data.join(SENT), there.settings.host.clone());
    let mut coming = there.events.listen();
    drop(there);
    let mut sent = read(&place);
    let mut waiting = VecDeque::new();
    let mut is_behind = true;
    let mut wait = FIRST_WAIT;
    loop {
        if std::mem::take(&mut is_behind) {
            let Some(there) = inner.upgrade() else { return };
            match past(&there, sent).await {
                Ok(events) => waiting = events,
                Err(error) => {
                    tracing::error!(%error, "the events of this node cannot be reported");
                    is_behind = true;
                    tokio::time::sleep(LAST_WAIT).await;
                    continue;
                }
            }
        }
        if waiting.is_empty() {
            match coming.recv().await {
                Ok(event) => waiting.push_back(event),
                Err(RecvError::Lagged(_)) => is_behind = true,
                Err(RecvError::Closed) => return,
            }
            continue;
        }
        waiting.retain(|event| event.number > sent);
        is_behind = !gather(&mut coming, &mut waiting);
        if is_behind {
            // What comes after what was missed must not be reported before it: nobody would look for that again.
            continue;
        }
        let batch: Vec<Event> = waiting.iter().take(BATCH).cloned().collect();
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { continue };
        if first.number > sent + 1 {
            tracing::error!(from = sent + 1, to = first.number - 1, "events that the server will never have");
        }
        match report(&gate, &host, &batch).await {
            Ok(()) => {
                if wait > FIRST_WAIT {
                    tracing::info!("the server has the events of this node again");
                }
                (sent, wait) = (last.number, FIRST_WAIT);
                if let Err(error) = write_private(&place, sent.to_string().as_bytes()) {
                    // They are reported again after a restart, and the server takes each once.
                    tracing::warn!(%error, "{}", place.display());
                }
            }
            Err(error) => {
                if wait == FIRST_WAIT {
                    tracing::warn!(%error, "events are not reported; this is tried until they are");
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LAST_WAIT);
            }
        }
    }
}

/// What has come meanwhile; false where some of it was missed, and has to be read from the file.
fn gather(coming: &mut Receiver<Event>, waiting: &mut VecDeque<Event>) -> bool {
    use tokio::sync::broadcast::error::TryRecvError;
    while waiting.len() < BATCH {
        match coming.try_recv() {
            Ok(event) => waiting.push_back(event),
            Err(TryRecvError::Lagged(_)) => return false,
            Err(_) => return true,
        }
    }
    true
}

async fn report(gate: &Gate, host: &str, batch: &[Event]) -> Result<(), crate::Error> {
    let mut lines = Vec::new();
    for event in batch {
        // Maps of texts can always be written.
        let _ = serde_json::to_writer(&mut lines, event);
        lines.push(b'\n');
    }
    let host: String = url::form_urlencoded::byte_serialize(host.as_bytes()).collect();
    gate.record_all(format!("/api/v1/audit/ingest/node?host={host}"), lines).await
}

async fn past(inner: &Arc<Inner>, sent: u64) -> Result<VecDeque<Event>, Error> {
    let inner = Arc::clone(inner);
    let read = tokio::task::spawn_blocking(move || inner.events.past()).await.map_err(|_| Error::Stopping)?;
    let events = read.map_err(Error::io("the events of this node"))?;
    Ok(events.into_iter().filter(|event| event.number > sent).collect())
}

fn read(place: &Path) -> u64 {
    std::fs::read_to_string(place).ok().and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use boltseal_model::Timestamp;
    use tokio::sync::broadcast;

    use super::*;

    #[test]
    fn what_comes_after_something_missed_waits_for_it() {
        let (told, mut coming) = broadcast::channel(4);
        let event = |number| Event {
            number,
            at: Timestamp::UNIX_EPOCH,
            what: String::new(),
            group: String::new(),
            container: None,
            details: std::collections::BTreeMap::new(),
        };
        let tell = |numbers: std::ops::RangeInclusive<u64>| {
            numbers.for_each(|number| drop(told.send(event(number))));
        };
        let mut waiting = VecDeque::new();
        tell(1..=4);
        assert!(gather(&mut coming, &mut waiting));
        tell(5..=12);
        assert!(!gather(&mut coming, &mut waiting), "5 to 8 were missed");
        assert_eq!(waiting.iter().map(|event| event.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}
