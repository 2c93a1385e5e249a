//! `boltseal image diff BEFORE AFTER`

use boltseal_flow::{
    Cache, Looking, Wanted,
    contents::{Contents, contents},
    diff::{Side, diff},
};
use boltseal_model::{Platform, Report};
use boltseal_scan::Snapshot;

use super::place::Connection;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{
        Written,
        images::{Compared, compared},
    },
    progress::LayerBar,
    target::Clock,
};

/// Which two images.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal image diff 127.0.0.1:5000/team/app:v1 127.0.0.1:5000/team/app:v2
  boltseal image diff debian:12.7 debian:12.8 --no-files
  boltseal image diff docker-archive:old.tar oci:build/app --format json")]
pub struct Args {
    /// The first image: in a registry, or as `boltseal scan` takes it
    #[arg(value_name = "BEFORE")]
    before: String,
    /// The second image
    #[arg(value_name = "AFTER")]
    after: String,
    /// Which image of a multi-platform one, as os/architecture[/variant] [default: linux on this machine]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// Compare no files, which spares reading every byte of images that were scanned before
    #[arg(long)]
    no_files: bool,
    /// How many of the changed files a table lists; JSON has all
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    top: usize,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    clock: Clock,
}

/// Reads both and shows what differs.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let snapshot = given::snapshot(global)?;
    let (before_report, before) = read(&args.before, args, connection, global, console, snapshot.as_ref())?;
    let (after_report, after) = read(&args.after, args, connection, global, console, snapshot.as_ref())?;
    let before_side = Side { report: &before_report, contents: &before };
    let after_side = Side { report: &after_report, contents: &after };
    let mut compared_both = Compared {
        before: before_report.subject.clone(),
        after: after_report.subject.clone(),
        diff: diff(before_side, after_side),
        gaps: Vec::new(),
    };
    let gaps = [before.gaps, before_report.coverage.gaps, after.gaps, after_report.coverage.gaps];
    for gap in gaps.into_iter().flatten() {
        if !compared_both.gaps.contains(&gap) {
            compared_both.gaps.push(gap);
        }
    }
    args.written.show(&compared_both, console, |both, paint| compared(both, args.top, paint))?;
    Ok(Exit::Pass)
}

fn read(
    target: &str,
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
    snapshot: Option<&Snapshot>,
) -> Result<(Report, Contents), Failure> {
    let bar = LayerBar::new(console);
    let mut options = connection.options(target, args.platform.as_ref(), global)?;
    options.progress = Some(&bar);
    let cache = Cache::at(&given::data(global)?);
    let wanted = Wanted { target, options: &options, cache: Some(&cache), looking: Looking::default() };
    let report = boltseal_flow::scan(&wanted, snapshot, args.clock.now())?;
    Ok((report, contents(&wanted, !args.no_files)?))
}
