//! `boltseal registry immutable …`: tags that neither move nor go.

use boltseal_api::life::ImmutableRule;
use serde_json::Value;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, life as output},
    reach::{Reach, path},
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add a rule, or change the one of that name
    Add(Add),
    /// List all rules
    Ls(Written),
    /// Remove a rule
    Rm(Name),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
In patterns * stands for anything and ? for one character. Pushing the same image under its tag again is fine.

Examples:
  boltseal registry immutable add releases \\
    --repositories '*' --tags 'v*' --except '*-rc*'
  boltseal registry immutable add prod \\
    --repositories 'prod/*' --tags '*' --except latest")]
struct Add {
    #[command(flatten)]
    name: Name,
    /// Repositories that the rule applies to. May be given several times
    #[arg(long, value_name = "PATTERN", required = true)]
    repositories: Vec<String>,
    /// Tags that cannot be moved or deleted. May be given several times
    #[arg(long, value_name = "PATTERN", required = true)]
    tags: Vec<String>,
    /// Tags that still can. May be given several times
    #[arg(long, value_name = "PATTERN")]
    except: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the rule: lower-case letters, digits and `-`
    name: String,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    match &args.verb {
        Verb::Add(add) => {
            let asked = ImmutableRule {
                name: add.name.name.clone(),
                repositories: add.repositories.join(","),
                tags: add.tags.join(","),
                except: add.except.join(","),
                by: String::new(),
                at: None,
            };
            let _: Value = client.post(&path(&["immutable-tags"]), &asked)?;
        }
        Verb::Ls(written) => {
            let all: Vec<ImmutableRule> = client.get(&path(&["immutable-tags"]))?;
            written.show(&all, console, |all, paint| output::immutable(all, paint))?;
        }
        Verb::Rm(Name { name }) => client.delete(&path(&["immutable-tags", name]))?,
    }
    Ok(Exit::Pass)
}
