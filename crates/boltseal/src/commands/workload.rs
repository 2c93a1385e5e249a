//! `boltseal workload …`: programs without credentials of their own. Others vouch for them: issuers of tokens, and agents
//! for the containers that run as them.

use boltseal_api::access::{Kind, NewPrincipal};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    people,
    reach::Reach,
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
    /// List all workloads
    List(Written),
    /// Show one, with its roles
    Show(Show),
    /// Make one
    Create(Create),
    /// Delete one, with roles and memberships
    Delete(Name),
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the workload
    name: String,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Name of the workload
    name: String,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A container group runs as it by `identity` in its file, where the agent of its node may say so:
  boltseal workload create orders
  boltseal role assign AcrPull --to orders --scope /registries/main/repositories/orders
  boltseal role assign 'Workload Token Issuer' --to node-1 --scope /workloads/orders

A job of a pipeline is it by a token of another issuer:
  boltseal federation add --to orders --issuer https://token.actions.githubusercontent.com …")]
struct Create {
    /// Its name: letters, digits and . _ @ -
    name: String,
    /// A name for people to read
    #[arg(long, value_name = "TEXT", default_value = "")]
    display: String,
    #[command(flatten)]
    written: Written,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    const KIND: Kind = Kind::Workload;
    let client = args.reach.client(global)?;
    match &args.verb {
        Verb::List(written) => people::list(&client, KIND, *written, console),
        Verb::Show(Show { name, written }) => people::show(&client, KIND, name, *written, console),
        Verb::Create(create) => {
            let new = NewPrincipal {
                kind: KIND,
                name: create.name.clone(),
                display: create.display.clone(),
                password: None,
                members: Vec::new(),
                scope_map: None,
                expires: None,
            };
            people::create(&client, &new, create.written, console)
        }
        Verb::Delete(name) => people::delete(&client, KIND, &name.name),
    }
}
