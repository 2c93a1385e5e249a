//! `boltseal policy show|check|explain|test|diff|replay|apply|history|sign`

use std::path::PathBuf;

use boltseal_policy::{Policy, believed, describe, exceptions};

use crate::{
    cli::Global,
    console::Console,
    endorsers::SignedBy,
    exit::{Exit, Failure},
    given,
    output::{packages::grid, paint::count},
    reach::{Reach, path},
};

mod apply;
mod diff;
mod replay;
mod sign;
mod test;

/// How a policy comes to be signed.
pub const SIGN: &str = "have somebody who may sign it: boltseal policy sign FILE --key KEY";

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print the policy that is in force, or the one in FILE, as YAML to start your own from
    Show(Show),
    /// Check that policy files can be read
    Check(Check),
    /// Say in words what a policy wants, what it excepts and whom it believes
    Explain(Explain),
    /// Run the tests that lie beside a policy
    Test(test::Args),
    /// Say in words what differs between two policies
    Diff(diff::Args),
    /// List what a draft would have decided otherwise about the images of a server
    Replay(replay::Args),
    /// Put a policy in force on a server, as its next version
    Apply(apply::Args),
    /// List the versions that were put in force on a server
    History(apply::History),
    /// Sign a policy, for servers that use signed ones only
    Sign(sign::Args),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Instead of policy.yaml in the data folder or the built-in policy
    file: Option<PathBuf>,
    /// Print rules, exceptions and whom it believes in words instead
    #[arg(long)]
    rules: bool,
    /// Of the server that one is logged in to: the policy in force there
    #[arg(long, conflicts_with_all = ["file", "rules"])]
    in_force: bool,
    /// Of the server that one is logged in to: this version, of `boltseal policy history`
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["file", "rules", "in_force"])]
    applied: Option<u64>,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Args)]
struct Explain {
    /// Instead of policy.yaml in the data folder or the built-in policy
    file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 all files are policies; 1 one is not signed as asked; 2 one is no policy"
)]
struct Check {
    #[command(flatten)]
    signed_by: SignedBy,
    /// Policy files
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Shows, checks, tests or compares.
pub fn run(args: Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    match args.verb {
        Verb::Show(show) if show.in_force || show.applied.is_some() => {
            #[derive(serde::Deserialize)]
            struct Shown {
                text: String,
            }
            let client = show.reach.client(global)?;
            let shown: Shown = match show.applied.map(|version| version.to_string()) {
                Some(version) => client.get(&path(&["policy", "versions", &version]))?,
                None => client.get(&path(&["policy"]))?,
            };
            console.data(&shown.text)?;
        }
        Verb::Show(show) => {
            let own = match &show.file {
                Some(file) => given::rules(file)?,
                None => given::own_rules(global)?,
            };
            console.data(&if show.rules { in_words(&own.policy, console) } else { own.text })?;
        }
        Verb::Explain(Explain { file }) => {
            let own = file.map_or_else(|| given::own_rules(global), |file| given::rules(&file))?;
            console.data(&in_words(&own.policy, console))?;
        }
        Verb::Check(check) => {
            let endorsers = check.signed_by.endorsers()?;
            for file in &check.files {
                let policy = given::rules(file)?.policy;
                let rules = count(describe(&policy).len(), "rule");
                let signed =
                    endorsers.check(file, &policy).map_err(|wrong| Failure::denied(wrong).next(SIGN))?;
                let signed =
                    signed.map(|endorsed| format!(", signed by {}", endorsed.by)).unwrap_or_default();
                console.data(&format!(
                    "{}: policy {} with {rules}{signed}\n",
                    file.display(),
                    policy.name()
                ))?;
            }
        }
        Verb::Test(args) => return test::run(&args, console),
        Verb::Diff(args) => return diff::run(&args, console),
        Verb::Sign(args) => return sign::run(&args, console),
        Verb::Apply(args) => return apply::run(&args, global, console),
        Verb::History(args) => return apply::history(&args, global, console),
        Verb::Replay(args) => return replay::run(&args, global, console),
    }
    Ok(Exit::Pass)
}

fn in_words(policy: &Policy, console: &Console) -> String {
    let paint = console.paint(None);
    let rules = describe(policy).into_iter().map(|rule| {
        [
            rule.name,
            rule.effect.word().to_owned(),
            rule.kind.to_owned(),
            rule.wants,
            rule.why.unwrap_or_default(),
        ]
    });
    let mut out = grid(&["rule", "effect", "about", "wants", "why"], rules, paint);
    let pardons = exceptions(policy);
    if !pardons.is_empty() {
        let rows = pardons.into_iter().map(|one| {
            let until = match one.missing_approvals {
                0 => one.expires.to_string(),
                missing => format!("does not count: {} missing", count(missing, "approval")),
            };
            [one.name, one.scope, one.reason, one.owner, until]
        });
        out.push('\n');
        out.push_str(&grid(&["exception", "pardons", "why", "owner", "until"], rows, paint));
    }
    let believed = believed(policy);
    if !believed.is_empty() {
        out.push('\n');
        out.push_str(&grid(&["authority", "who"], believed.into_iter().map(<[String; 2]>::from), paint));
    }
    out
}
