//! `boltseal registry retention …`: rules about which images are kept and which are deleted.

use boltseal_api::retention::{NewRun, Plan, Rule, Run};
use serde_json::Value;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, retention as output},
    reach::{Reach, path, query},
};

const RULES: [&str; 2] = ["retention", "rules"];
/// Ten years.
const MAX_DAYS: u32 = 3_660;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add a rule, or change the one of that name
    Add(Box<Add>),
    /// List all rules
    Ls(Written),
    /// Remove a rule
    Rm(Name),
    /// Show what would be deleted now, and why
    Plan(PlanArgs),
    /// Delete now what the rules say, without waiting for the daily run
    Run(RunArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
An image that fits all conditions of a rule is deleted, once a day. What a rule keeps stays whatever other \
rules say; so do locked images, parts of an index that stays, and signatures of images that stay. What was \
deleted can be taken back for as long as the trash keeps it.

Examples:
  boltseal registry retention add old-builds \\
    --repositories 'team/*' --tag 'build-*' --older-than 90d
  boltseal registry retention add few \\
    --repositories '*' --beyond-newest 20 --keep 'v*' --keep latest
  boltseal registry retention add untagged \\
    --repositories '*' --untagged --older-than 7d
  boltseal registry retention add denied \\
    --repositories '*' --denied 30d --not-pulled 30d
  boltseal registry retention plan")]
struct Add {
    /// Name of the rule: lower-case letters, digits and `-`
    name: String,
    /// Repositories that the rule applies to; * stands for any text
    #[arg(long, value_name = "PATTERN")]
    repositories: String,
    /// Only images all of whose tags match. May be given several times
    #[arg(long = "tag", value_name = "PATTERN")]
    tags: Vec<String>,
    /// Only images without tags
    #[arg(long)]
    untagged: bool,
    /// Only images pushed longer ago than this, such as 90d
    #[arg(long, value_name = "DAYS", value_parser = days)]
    older_than: Option<u32>,
    /// Not the newest of them: keep this many
    #[arg(long, value_name = "NUMBER")]
    beyond_newest: Option<u32>,
    /// Only images neither pulled nor pushed for this long
    #[arg(long, value_name = "DAYS", value_parser = days)]
    not_pulled: Option<u32>,
    /// Only images that were denied for longer than this
    #[arg(long, value_name = "DAYS", value_parser = days)]
    denied: Option<u32>,
    /// Keep images with a tag that matches, whatever any rule says. May be given several times
    #[arg(long, value_name = "PATTERN")]
    keep: Vec<String>,
    /// Do not apply the rule for now
    #[arg(long)]
    disabled: bool,
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the rule
    name: String,
}

#[derive(Debug, clap::Args)]
struct PlanArgs {
    /// Only by this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Only in this repository
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    /// Only by this rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    match &args.verb {
        Verb::Add(add) => {
            let _: Value = client.post(&path(&RULES), &rule(add))?;
        }
        Verb::Ls(written) => {
            let all: Vec<Rule> = client.get(&path(&RULES))?;
            written.show(&all, console, |all, paint| output::rules(all, paint))?;
        }
        Verb::Rm(Name { name }) => client.delete(&path(&["retention", "rules", name]))?,
        Verb::Plan(plan) => {
            let pairs = [("rule", plan.rule.as_deref()), ("repository", plan.repository.as_deref())];
            let found: Plan = client.get(&query(&["retention", "plan"], &pairs))?;
            plan.written.show(&found, console, output::plan)?;
        }
        Verb::Run(RunArgs { rule }) => {
            let begun: Run = client.post(&path(&["retention", "runs"]), &NewRun { rule: rule.clone() })?;
            console.data(&format!("{}\n", begun.job))?;
        }
    }
    Ok(Exit::Pass)
}

fn rule(add: &Add) -> Rule {
    Rule {
        name: add.name.clone(),
        repositories: add.repositories.clone(),
        tags: add.tags.clone(),
        untagged: add.untagged,
        older_than_days: add.older_than,
        beyond_newest: add.beyond_newest,
        not_pulled_days: add.not_pulled,
        denied_days: add.denied,
        keep: add.keep.clone(),
        disabled: add.disabled,
    }
}

/// `90d`, `12w`.
pub fn days(text: &str) -> Result<u32, String> {
    let wrong = || "expected a number of days such as 90d, or of weeks such as 12w".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let many = match unit {
        "d" => 1,
        "w" => 7,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(many).filter(|days| *days <= MAX_DAYS).ok_or_else(wrong)
}
