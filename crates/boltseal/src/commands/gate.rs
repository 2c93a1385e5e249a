//! `boltseal gate TARGET`

use std::path::PathBuf;

use boltseal_model::{Decision, Report};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{self, Format, paint::Paint, table, verdict},
    target::{Clock, Target},
};

/// What to judge and by which rules.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal gate docker-archive:app.tar --policy policy.yaml && ./deploy app.tar

Exit codes: 0 allowed, perhaps with a warning; 1 denied; 2 usage; 3 could not decide: treat as a refusal; \
4 internal fault")]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// The rules [default: policy.yaml in the data folder, else the built-in policy: see `boltseal policy show`]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How to write the verdict; all but the table hold the whole report
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = Format::parser())]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    clock: Clock,
}

/// Judges, prints, and answers.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let policy = args.policy.as_deref().map_or_else(|| given::own_policy(global), given::policy)?;
    let snapshot = given::snapshot(global)?;
    let now = args.clock.now();
    let report = args
        .target
        .open(global, console, |wanted| boltseal_flow::admit(wanted, snapshot.as_ref(), &policy, now))?;
    let file = args.output.as_deref();
    output::deliver(&args.format.text(&report, console.paint(file), people)?, file, console)?;
    Ok(match report.verdict.map_or(Decision::Unknown, |verdict| verdict.decision) {
        Decision::Allow | Decision::Warn => Exit::Pass,
        Decision::Deny => Exit::Denied,
        Decision::Unknown => Exit::Undecided,
    })
}

fn people(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    table::head(report, paint, &mut out);
    table::coverage(report, paint, &mut out);
    if let Some(given) = &report.verdict {
        verdict::full(given, paint, &mut out);
    }
    out
}
