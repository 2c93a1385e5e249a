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

/// Events of one request.
const BATCH: usize = 500;
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
                Err(error) => tracing::error!(%error, "the events of this node cannot be reported"),
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
        gather(&mut coming, &mut waiting, &mut is_behind);
        waiting.retain(|event| event.number > sent);
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

/// What has come meanwhile. More than is listened to is read from the file once the rest is reported.
fn gather(coming: &mut Receiver<Event>, waiting: &mut VecDeque<Event>, is_behind: &mut bool) {
    use tokio::sync::broadcast::error::TryRecvError;
    while waiting.len() < BATCH {
        match coming.try_recv() {
            Ok(event) => waiting.push_back(event),
            Err(TryRecvError::Lagged(_)) => *is_behind = true,
            Err(_) => return,
        }
    }
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
