//! `--only-new --against`: an earlier image, or the report of one in a file.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use boltseal_flow::baseline;
use boltseal_model::{Report, Timestamp};
use boltseal_scan::Snapshot;

use crate::{cli::Global, console::Console, exit::Failure, target::Target};

/// Bytes of a report: an image with 100,000 packages and as many findings takes half.
const MAX_REPORT: u64 = 256 << 20;
/// Bytes in which the brace of a JSON document has come.
const HEAD: u64 = 64;

/// What to hold an image against.
#[derive(Debug, clap::Args)]
pub struct Against {
    /// Decide only about what is new against the baseline; the rest is counted
    #[arg(long, requires = "against")]
    only_new: bool,
    /// The baseline: an image as TARGET, or a file that an earlier run wrote with `--format json`
    #[arg(long, value_name = "REF", requires = "only_new")]
    against: Option<String>,
}

impl Against {
    /// The report of the baseline, if one was named: from its file, or by scanning it as `target` is scanned.
    pub fn read(
        &self,
        target: &Target,
        snapshot: Option<&Snapshot>,
        now: Timestamp,
        global: &Global,
        console: &Console,
    ) -> Result<Option<Report>, Failure> {
        let Some(against) = &self.against else { return Ok(None) };
        let before = match from_file(Path::new(against))? {
            Some(report) => report,
            None => target
                .beside(against)
                .open(global, console, |wanted| boltseal_flow::scan(wanted, snapshot, now))?,
        };
        if let Some(weakness) = baseline::weakness(&before) {
            console.warning(format_args!("the baseline {against}: {weakness}"));
        }
        Ok(Some(before))
    }

    /// Leaves in `report` only what `before` does not have.
    pub fn apply(&self, report: &mut Report, before: Option<&Report>) {
        if let Some((against, before)) = self.against.as_deref().zip(before) {
            baseline::only_new(report, before, against);
        }
    }
}

/// `None`: it is no file, or no JSON, and so an image.
fn from_file(path: &Path) -> Result<Option<Report>, Failure> {
    if !path.is_file() {
        return Ok(None);
    }
    let unreadable = |wrong: io::Error| {
        Failure::undecided(format_args!("cannot read the baseline {}: {wrong}", path.display()))
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    (&mut file).take(HEAD).read_to_end(&mut bytes).map_err(unreadable)?;
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Ok(None);
    }
    let rest = file.take(MAX_REPORT).read_to_end(&mut bytes).map_err(unreadable)?;
    if rest as u64 == MAX_REPORT {
        let what = format!("the baseline {} is larger than {} MiB", path.display(), MAX_REPORT >> 20);
        return Err(Failure::usage(what));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|wrong| {
        Failure::usage(format_args!("{} is JSON, but no report of boltseal: {wrong}", path.display()))
            .next("`boltseal scan IMAGE --format json --output FILE` writes one")
    })
}
