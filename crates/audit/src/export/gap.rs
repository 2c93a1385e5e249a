//! Records that a sink did not get.

use boltseal_model::Timestamp;

use super::{Format, write};
use crate::{
    Record,
    record::{Activity, Outcome, Severity, Subject},
};

/// A run of records that were not sent, and never will be to this sink. They are still in the log, or in its archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first index that is missing.
    pub from: u64,
    /// The first index that is not missing any more; more than `from`.
    pub to: u64,
    /// Why, in words.
    pub reason: String,
}

impl Gap {
    /// The action of the record that tells of it.
    pub const ACTION: &'static str = "Boltseal/audit/export/gap";

    /// The gap as a record, not one of the log: a sink shows it among the others, and alerts.
    pub fn record(&self, now: Timestamp) -> Record {
        let (from, to) = (self.from, self.to);
        let count = to.saturating_sub(from);
        Record::new(now, Activity::Other, Self::ACTION)
            .subject(Subject::new("/audit").name(format!("records {from} to {}", to.saturating_sub(1))))
            .outcome(Outcome::Failure)
            .status(format!("{count} records from index {from} on were not sent: {}", self.reason))
            .detail("from", from)
            .detail("to", to)
            .severity(Severity::High)
            .alert()
    }

    /// Appends the gap as one line of a format, as [`write()`] appends a record. `now` is when it is told.
    pub fn write(&self, format: Format, origin: &str, now: Timestamp, out: &mut Vec<u8>) {
        let record = self.record(now);
        let entry = record.entry();
        // What the entry says, id and all.
        let record = Record::parse(&entry).unwrap_or(record);
        write(format, self.from, origin, &record, &entry, out);
    }
}
