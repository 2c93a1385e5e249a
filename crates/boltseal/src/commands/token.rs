//! `boltseal token`, and tokens for some repositories.

use boltseal_api::access::{Kind, NewPrincipal};
use boltseal_model::Timestamp;
use serde::Deserialize;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    moment,
    output::Written,
    people,
    reach::Reach,
};

/// A token of one's own, or tokens for others.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Without a subcommand, prints a token that stands for your login at a container client, which takes it as \
the secret of the user 00000000-0000-0000-0000-000000000000.

Examples:
  boltseal token | podman login --username 00000000-0000-0000-0000-000000000000 --password-stdin \\
    registry.example.com:8443
  boltseal token create camera --scope-map pull-team"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a token for the repositories of a scope map; prints its secret, once
    Create(Create),
    /// List all tokens with scope maps
    List(Written),
    /// Delete a token with a scope map
    Delete(Name),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal token create camera --scope-map pull-team --expires 30d")]
struct Create {
    /// Its name, which is the user name for `docker login`
    name: String,
    /// What it may do: see `boltseal scope-map`
    #[arg(long, value_name = "NAME")]
    scope_map: String,
    /// When its secret ends: a moment, a date, or a span such as 90d [default: never]
    #[arg(long, value_name = "WHEN", value_parser = moment::future)]
    expires: Option<Timestamp>,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the token
    name: String,
}

/// What `/oauth2/exchange` answers.
#[derive(Deserialize)]
struct Exchanged {
    refresh_token: String,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    match &args.verb {
        None => {
            let token = args.reach.server(global)?.token.unwrap_or_default();
            let service = client.address().split_once("://").map_or("", |(_, host)| host);
            let fields =
                [("grant_type", "access_token"), ("service", service), ("access_token", token.as_str())];
            let exchanged: Exchanged = client.form("/oauth2/exchange", &fields)?;
            console.data(&format!("{}\n", exchanged.refresh_token))?;
            Ok(Exit::Pass)
        }
        Some(Verb::Create(create)) => {
            let new = NewPrincipal {
                kind: Kind::Token,
                name: create.name.clone(),
                display: String::new(),
                password: None,
                members: Vec::new(),
                scope_map: Some(create.scope_map.clone()),
                expires: create.expires,
            };
            people::create(&client, &new, create.written, console)
        }
        Some(Verb::List(written)) => people::list(&client, Kind::Token, *written, console),
        Some(Verb::Delete(name)) => people::delete(&client, Kind::Token, &name.name),
    }
}
