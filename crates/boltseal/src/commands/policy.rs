//! `boltseal policy show|check`

use std::path::PathBuf;

use boltseal_policy::{Policy, describe};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{packages::grid, paint::count},
};

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
    /// Check that policy files can be read, and say in words what they want
    Check(Check),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Instead of policy.yaml in the data folder or the built-in policy
    file: Option<PathBuf>,
    /// Print the rules in words instead
    #[arg(long)]
    rules: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all files are policies; 2 one is not")]
struct Check {
    /// Policy files
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Shows or checks.
pub fn run(args: Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    match args.verb {
        Verb::Show(show) => {
            let own = match &show.file {
                Some(file) => given::rules(file)?,
                None => given::own_rules(global)?,
            };
            console.data(&if show.rules { rules(&own.policy, console) } else { own.text })?;
        }
        Verb::Check(check) => {
            for file in &check.files {
                let policy = given::rules(file)?.policy;
                let rules = count(describe(&policy).len(), "rule");
                console.data(&format!("{}: policy {} with {rules}\n", file.display(), policy.name()))?;
            }
        }
    }
    Ok(Exit::Pass)
}

fn rules(policy: &Policy, console: &Console) -> String {
    let rules = describe(policy);
    let rows = rules.into_iter().map(|rule| {
        [
            rule.name,
            rule.effect.word().to_owned(),
            rule.kind.to_owned(),
            rule.wants,
            rule.why.unwrap_or_default(),
        ]
    });
    grid(&["rule", "effect", "about", "wants", "why"], rows, console.paint(None))
}
