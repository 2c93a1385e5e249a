//! Records in the formats of other systems.
//!
//! ```
//! use boltseal_audit::{Record, export::{self, Format}, record::Activity};
//!
//! let record = Record::new("2026-03-01T12:00:00Z".parse()?, Activity::Start, "Boltseal/serve");
//! let mut line = Vec::new();
//! export::write(Format::Syslog, 7, "boltseal.example/audit", &record, &record.entry(), &mut line);
//! assert!(line.starts_with(b"<110>1 2026-03-01T12:00:00.000Z boltseal.example boltseal - start [boltseal@32473 "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`write()`] makes one line of a record, [`batch`] what a receiver of many wants. Whatever strangers put into names and
//! User-Agents, a line stays one line and a field one field: every format has its own escapes, and what a format cannot
//! carry becomes U+FFFD. Texts are cut to what receivers take; the whole is in the log, under the index.
//!
//! A sink is a [`Queue`]: a place in the log, not a copy of it. What a sink lost is a [`Gap`], told in its own format.

mod azure;
mod cef;
mod cloudevents;
mod gap;
mod otlp;
mod queue;
mod syslog;
mod text;

use crate::Record;

pub use gap::Gap;
pub use queue::{Queue, QueueError, Step};

/// A format that other systems read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// The entries themselves.
    Ocsf,
    /// `ArcSight`'s Common Event Format.
    Cef,
    /// RFC 5424.
    Syslog,
    /// `CloudEvents` 1.0 in JSON.
    CloudEvents,
    /// OpenTelemetry's logs in OTLP/JSON.
    Otlp,
    /// Azure Monitor's resource logs, category `AuditEvent`.
    Azure,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::Ocsf, Self::Cef, Self::Syslog, Self::CloudEvents, Self::Otlp, Self::Azure];

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ocsf => "ocsf",
            Self::Cef => "cef",
            Self::Syslog => "syslog",
            Self::CloudEvents => "cloudevents",
            Self::Otlp => "otlp",
            Self::Azure => "azure",
        }
    }

    /// What it is and who reads it.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Ocsf => "OCSF 1.8 events as JSON lines: the entries of the log, byte for byte",
            Self::Cef => "ArcSight Common Event Format, one line each, for SIEMs",
            Self::Syslog => "RFC 5424 messages with structured data, one line each",
            Self::CloudEvents => "CloudEvents 1.0 in JSON, with the OCSF event as data",
            Self::Otlp => "OpenTelemetry logs in OTLP/JSON, for collectors",
            Self::Azure => "Azure Monitor resource logs (AuditEvent), as diagnostic settings deliver them",
        }
    }

    /// Of what [`write()`] makes.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ocsf | Self::Otlp | Self::Azure => "application/json",
            Self::Cef | Self::Syslog => "text/plain; charset=utf-8",
            Self::CloudEvents => "application/cloudevents+json",
        }
    }

    /// Of what [`batch`] makes.
    pub const fn batch_media_type(self) -> &'static str {
        match self {
            Self::Ocsf => "application/x-ndjson",
            Self::CloudEvents => "application/cloudevents-batch+json",
            other => other.media_type(),
        }
    }

    /// The format with this word.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == text)
    }
}

/// One record on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its number in the log, from 0.
    pub index: u64,
    /// The record.
    pub record: &'a Record,
    /// The bytes of its entry, which [`Record::parse`] read.
    pub raw: &'a [u8],
}

/// Appends one record as one line, without a newline at its end and without one inside.
///
/// `origin` is the log's name (C2SP `tlog-checkpoint`), such as `boltseal.example/audit`; the part before its first `/`
/// is the host in formats that want one.
pub fn write(format: Format, index: u64, origin: &str, record: &Record, raw: &[u8], out: &mut Vec<u8>) {
    let item = Item { index, record, raw };
    match format {
        Format::Ocsf => text::write_json(raw, out),
        Format::Cef => cef::write(item, origin, out),
        Format::Syslog => syslog::write(item, origin, out),
        Format::CloudEvents => cloudevents::write(item, origin, out),
        Format::Otlp => otlp::write(&[item], origin, out),
        Format::Azure => azure::write(&[item], origin, out),
    }
}

/// Appends many records as one document, the way receivers of the format want it: lines with a newline each, a JSON
/// array for `CloudEvents`, one `resourceLogs` for OTLP, one `records` for Azure. Nothing for no records.
pub fn batch(format: Format, origin: &str, items: &[Item<'_>], out: &mut Vec<u8>) {
    if items.is_empty() {
        return;
    }
    match format {
        Format::Otlp => otlp::write(items, origin, out),
        Format::Azure => azure::write(items, origin, out),
        Format::CloudEvents => {
            out.push(b'[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                cloudevents::write(*item, origin, out);
            }
            out.push(b']');
        }
        Format::Ocsf | Format::Cef | Format::Syslog => {
            for item in items {
                write(format, item.index, origin, item.record, item.raw, out);
                out.push(b'\n');
            }
        }
    }
}
