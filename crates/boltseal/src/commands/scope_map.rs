//! `boltseal scope-map …`: what tokens for some repositories may do.

use boltseal_api::access::ScopeMap;
use serde_json::Value;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, access as output},
    reach::{Reach, path},
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List all scope maps
    List(Written),
    /// Make a scope map
    Create(Create),
    /// Delete a scope map that no token has
    Delete(Name),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
An action is repositories/NAME/content/read (also content/write, content/delete, metadata/read, \
metadata/write), as in Azure Container Registry; a * at the end of NAME stands for any rest.

Example:
  boltseal scope-map create pull-team 'repositories/team/*/content/read' 'repositories/team/*/metadata/read'")]
struct Create {
    /// Its name
    name: String,
    /// What it allows
    #[arg(required = true, value_name = "ACTION")]
    actions: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the scope map
    name: String,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    match &args.verb {
        Verb::List(written) => {
            let mut all: Vec<ScopeMap> = client.get(&path(&["scope-maps"]))?;
            all.sort_by(|a, b| a.name.cmp(&b.name));
            written.show(&all, console, |all, paint| output::scope_maps(all, paint))?;
        }
        Verb::Create(Create { name, actions }) => {
            let map = ScopeMap { name: name.clone(), actions: actions.clone() };
            let _: Value = client.post(&path(&["scope-maps"]), &map)?;
        }
        Verb::Delete(name) => client.delete(&path(&["scope-maps", &name.name]))?,
    }
    Ok(Exit::Pass)
}
