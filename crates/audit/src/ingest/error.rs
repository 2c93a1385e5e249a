//! Why a batch of events was refused.

/// Why a batch of events was refused; nothing of it was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// More bytes than a batch may have.
    #[error("the batch has {found} bytes, more than the {} allowed: send smaller ones", super::MAX_BYTES)]
    TooLarge {
        /// Bytes of the batch.
        found: usize,
    },
    /// More events than a batch may have.
    #[error("the batch has more than the {limit} events allowed: send smaller ones")]
    TooMany {
        /// Events allowed.
        limit: usize,
    },
    /// An event that cannot be read.
    #[error("event {event}: {problem}")]
    Event {
        /// Its number in the batch, from 1.
        event: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Something else than events.
    #[error("event {event} is a `{found}`, not an audit.k8s.io/v1 Event or EventList")]
    Kind {
        /// Its number in the batch, from 1.
        event: usize,
        /// Its version and kind.
        found: String,
    },
}

impl IngestError {
    pub(super) fn event(event: usize, problem: &str) -> Self {
        Self::Event { event, problem: shown(problem) }
    }

    pub(super) fn kind(event: usize, version: &str, kind: &str) -> Self {
        Self::Kind { event, found: shown(&format!("{version} {kind}")) }
    }
}

/// Messages go to terminals, and the batch may be anybody's.
fn shown(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
