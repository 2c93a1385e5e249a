//! `boltseal gate TARGET`

use std::path::PathBuf;

use boltseal_flow::rules::Rules;
use boltseal_model::{Decision, Report};

use crate::{
    baseline::Against,
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    ignoring::Ignoring,
    output::{
        self, Also, Format,
        paint::{Paint, clean},
        table, verdict,
    },
    target::{Bases, Clock, Signed, Target, Vex, believe},
};

/// Ten years: a longer grace is no grace.
const MAX_GRACE: i64 = 3_650;

/// What to judge and by which rules.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal gate docker-archive:app.tar --policy policy.yaml && ./deploy app.tar
  boltseal gate oci:build/app --only-new --against registry.example.com/app:main
  boltseal gate oci:build/app --policy policy.yaml --base registry.example.com/bases/debian:12
  boltseal gate oci:build/app --ignore-file .trivyignore --also sarif=app.sarif --also junit=app.xml

Exit codes: 0 allowed, perhaps with a warning; 1 denied; 2 usage; 3 could not decide: treat as a refusal; \
4 internal fault")]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// The rules [default: policy.yaml in the data folder, else the built-in policy: see `boltseal policy show`]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Days of grace after a fix came out, instead of those of the rules about fixable vulnerabilities
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(..=MAX_GRACE))]
    grace_days: Option<u16>,
    #[command(flatten)]
    against: Against,
    #[command(flatten)]
    ignoring: Ignoring,
    #[command(flatten)]
    vex: Vex,
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    bases: Bases,
    /// How to write the verdict; `json` holds the whole report
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = Format::parser())]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    also: Also,
    #[command(flatten)]
    clock: Clock,
}

/// Judges, prints, and answers.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let rules = rules(args, global, console)?;
    let beliefs = args.vex.read()?;
    let ignored = args.ignoring.read()?;
    let snapshot = given::snapshot(global)?;
    let now = args.clock.now();
    let before = args.against.read(&args.target, snapshot.as_ref(), now, global, console)?;
    let mut report = args.target.open(global, console, |wanted| {
        let mut report = boltseal_flow::scan(wanted, snapshot.as_ref(), now)?;
        believe(&beliefs, wanted, &mut report, console)?;
        args.signed.witness(&rules, wanted, &mut report, now, console)?;
        Ok(report)
    })?;
    args.bases.witness(&rules, &args.target, &mut report, global, console)?;
    ignored.apply(&mut report, now, console);
    args.against.apply(&mut report, before.as_ref());
    boltseal_flow::judge(&mut report, &rules.policy, now);
    let file = args.output.as_deref();
    output::deliver(&args.format.text(&report, console.paint(file), people)?, file, console)?;
    args.also.deliver(&report, people, console)?;
    if let Some(verdict) = report.verdict.as_ref().filter(|verdict| !verdict.decision.passes()) {
        // In the words of every other gate.
        console.note(clean(&verdict.sentence()));
    }
    Ok(match report.verdict.map_or(Decision::Unknown, |verdict| verdict.decision) {
        Decision::Allow | Decision::Warn => Exit::Pass,
        Decision::Deny => Exit::Denied,
        Decision::Unknown => Exit::Undecided,
    })
}

fn rules(args: &Args, global: &Global, console: &Console) -> Result<Rules, Failure> {
    let mut rules = args.policy.as_deref().map_or_else(|| given::own_rules(global), given::rules)?;
    let Some(days) = args.grace_days else { return Ok(rules) };
    let (policy, changed) = rules.policy.with_grace(days);
    rules.policy = policy;
    if changed == 0 {
        console.warning("--grace-days changes nothing: the policy has no rule about fixable vulnerabilities");
    }
    Ok(rules)
}

fn people(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    table::head(report, paint, &mut out);
    table::omitted(report, &mut out);
    table::coverage(report, paint, &mut out);
    if let Some(given) = &report.verdict {
        verdict::full(given, paint, &mut out);
    }
    table::ignored(report, paint, &mut out);
    out
}
