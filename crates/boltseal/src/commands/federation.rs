//! `boltseal federation …`: whose tokens stand for which principal.

use std::path::PathBuf;

use boltseal_api::access::Federation;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
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
    /// List whose tokens stand for whom
    List(Written),
    /// Let tokens of an issuer stand for a principal
    Add(Add),
    /// Stop that
    Remove(Id),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Issuer and audience must be exactly those of the token; its keys are fetched from the issuer unless a file \
is given.

Examples:
  boltseal federation add --to ci --issuer https://token.actions.githubusercontent.com \\
    --audience boltseal --subject 'repo:octo/app:ref:refs/heads/main'
  boltseal federation add --to web --issuer https://kubernetes.default.svc --audience boltseal \\
    --subject system:serviceaccount:web:default --jwks keys.json")]
struct Add {
    /// Name of the principal that the tokens stand for
    #[arg(long, value_name = "NAME")]
    to: String,
    /// The `iss` of the tokens
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The `aud` of the tokens
    #[arg(long, value_name = "TEXT")]
    audience: String,
    /// The `sub` of the tokens, exact or with *
    #[arg(long, value_name = "PATTERN")]
    subject: String,
    /// Another condition, such as repository=octo/*. May be given several times
    #[arg(long, value_name = "NAME=PATTERN")]
    claim: Vec<String>,
    /// JSON file with the issuer's keys (JWKS), for issuers that cannot be reached from the server
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
struct Id {
    /// Id of the federation, as `boltseal federation list` prints it
    id: String,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    match &args.verb {
        Verb::List(written) => {
            let all: Vec<Federation> = client.get(&path(&["federations"]))?;
            written.show(&all, console, |all, paint| output::federations(all, paint))?;
        }
        Verb::Add(add) => {
            let made: Federation = client.post(&path(&["federations"]), &new(add)?)?;
            add.written
                .show(&made, console, |made, paint| output::federations(std::slice::from_ref(made), paint))?;
        }
        Verb::Remove(id) => client.delete(&path(&["federations", &id.id]))?,
    }
    Ok(Exit::Pass)
}

fn new(add: &Add) -> Result<Federation, Failure> {
    let jwks: Option<Value> = match &add.jwks {
        Some(file) => Some(
            serde_json::from_str(&given::text(file)?)
                .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", file.display())))?,
        ),
        None => None,
    };
    Ok(Federation {
        // The server makes the real one.
        id: Uuid::nil(),
        issuer: add.issuer.clone(),
        audience: add.audience.clone(),
        subject: add.subject.clone(),
        claims: add.claim.clone(),
        principal: add.to.clone(),
        jwks,
    })
}
