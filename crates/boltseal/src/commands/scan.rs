//! `boltseal scan TARGET`

use std::path::PathBuf;

use boltseal_model::{Decision, Report, Severity};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    ignoring::Ignoring,
    output::{self, Format, table},
    target::{Bases, Clock, Signed, Target, Vex, believe},
};

/// What to scan and what to say about it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal scan docker://debian:12
  boltseal scan docker-archive:app.tar --severity high --fixable
  boltseal scan oci:build/app --format sarif --output app.sarif

Exit codes: 0 done; 1 --policy or --fail-on said no; 2 usage; 3 no feeds at all, an unreadable \
image, or --require-complete and something was not covered; 4 internal fault")]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// List only findings of this severity and worse; the rest is counted
    #[arg(long, value_name = "SEVERITY", value_parser = given::severity())]
    severity: Option<Severity>,
    /// List only findings that have a fix; the rest is counted
    #[arg(long)]
    fixable: bool,
    #[command(flatten)]
    ignoring: Ignoring,
    #[command(flatten)]
    vex: Vex,
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    bases: Bases,
    /// Also ask this policy; its answer decides the exit code
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// End with exit code 1 where there is a finding of this severity or worse that is not ignored
    #[arg(long, value_name = "SEVERITY", value_parser = given::severity())]
    fail_on: Option<Severity>,
    /// End with exit code 3 where anything was not covered
    #[arg(long)]
    require_complete: bool,
    /// How to write the report
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = Format::parser())]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    clock: Clock,
}

/// Scans, prints, and answers.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let beliefs = args.vex.read()?;
    let ignored = args.ignoring.read()?;
    let rules = args.policy.as_deref().map(given::rules).transpose()?;
    let snapshot = given::snapshot(global)?;
    let now = args.clock.now();
    let mut report = args.target.open(global, console, |wanted| {
        let mut report = boltseal_flow::scan(wanted, snapshot.as_ref(), now)?;
        believe(&beliefs, wanted, &mut report, console)?;
        if let Some(rules) = &rules {
            args.signed.witness(rules, wanted, &mut report, now, console)?;
        }
        Ok(report)
    })?;
    ignored.apply(&mut report, now, console);
    if let Some(rules) = &rules {
        args.bases.witness(rules, &args.target, &mut report, global, console)?;
        boltseal_flow::judge(&mut report, &rules.policy, now);
    }
    let exit = exit(args, &report);
    filter(args, &mut report);
    let file = args.output.as_deref();
    output::deliver(&args.format.text(&report, console.paint(file), table::report)?, file, console)?;
    Ok(exit)
}

/// What the user did not want to see is counted, so that a short list is never taken for the whole.
fn filter(args: &Args, report: &mut Report) {
    let before = report.findings.len();
    report.findings.retain(|finding| {
        args.severity.is_none_or(|least| finding.severity >= least)
            && (!args.fixable || finding.fix.is_some())
    });
    report.omitted.filtered += (before - report.findings.len()) as u64;
}

/// A refusal weighs more than not knowing, and both more than passing.
fn exit(args: &Args, report: &Report) -> Exit {
    let decision = report.verdict.as_ref().map_or(Decision::Allow, |verdict| verdict.decision);
    let bad = |least| report.findings.iter().any(|finding| finding.severity >= least);
    if decision == Decision::Deny || args.fail_on.is_some_and(bad) {
        Exit::Denied
    } else if decision == Decision::Unknown
        || report.snapshot.is_none()
        || (args.require_complete && !report.coverage.complete)
    {
        Exit::Undecided
    } else {
        Exit::Pass
    }
}
