//! The formats a report is written in, one file each, listed in [`ALL`].
//!
//! Every format is a pure function of the report: the same report gives the same bytes, whenever and wherever.

use std::io::{self, Write};

use boltseal_model::Report;

mod azure;
mod code_quality;
mod cyclonedx;
mod github;
mod gitlab;
mod identity;
mod json;
mod junit;
mod license;
mod markdown;
mod notice;
mod sarif;
mod spdx;

pub(crate) use identity::image_purl;

/// One way to write a report down.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// As used with `--format`: `json`, `sarif`, `junit`, …
    pub name: &'static str,
    /// For HTTP and attestations.
    pub media_type: &'static str,
    /// Of a file's name, without the dot.
    pub extension: &'static str,
    /// One line for help texts.
    pub about: &'static str,
    write: fn(&Report, &mut dyn Write) -> io::Result<()>,
}

/// Every format, in the order of help texts.
pub const ALL: &[Format] = &[
    json::FORMAT,
    sarif::FORMAT,
    cyclonedx::FORMAT,
    spdx::FORMAT,
    markdown::FORMAT,
    junit::FORMAT,
    github::FORMAT,
    gitlab::FORMAT,
    code_quality::FORMAT,
    azure::FORMAT,
];

/// The format called `name`.
pub fn by_name(name: &str) -> Option<&'static Format> {
    ALL.iter().find(|format| format.name == name)
}

impl Format {
    /// Writes `report` to `out`, ending with a line feed.
    pub fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        (self.write)(report, out)
    }

    /// `report` as text.
    pub fn text(&self, report: &Report) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.write(report, &mut bytes)?;
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

/// Pretty-printed JSON and a line feed.
fn pretty(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}
