//! `boltseal sp …`: service principals, programs with secrets or certificates of their own.

use std::path::PathBuf;

use boltseal_api::{
    access::{Kind, Made, NewCertificate, NewPrincipal, NewSecret},
    client::Client,
};
use boltseal_model::Timestamp;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given, moment,
    output::{Written, access as output},
    people,
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
    /// List all service principals
    List(Written),
    /// Show one, with credentials (never the secrets themselves) and roles
    Show(Show),
    /// Make one; prints its first secret, once
    Create(Create),
    /// Delete one, with roles and memberships
    Delete(Name),
    /// Add and remove secrets: two at a time, so that one can be replaced without a gap
    Secret {
        #[command(subcommand)]
        verb: Secret,
    },
    /// Add and remove certificates, whose keys prove who the program is
    Certificate {
        #[command(subcommand)]
        verb: Certificate,
    },
}

#[derive(Debug, clap::Subcommand)]
enum Secret {
    /// Make another secret; prints it, once
    Add(AddSecret),
    /// Remove a secret; what it proved until now ends at its own time
    Remove(Remove),
}

#[derive(Debug, clap::Subcommand)]
enum Certificate {
    /// Accept a certificate
    Add(AddCertificate),
    /// Accept a certificate no longer
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the service principal
    name: String,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Name of the service principal
    name: String,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal sp create ci --expires 90d
  boltseal sp create ci --format json | jq -r .secret")]
struct Create {
    /// Its name: letters, digits and . _ @ -
    name: String,
    /// A name for people to read
    #[arg(long, value_name = "TEXT", default_value = "")]
    display: String,
    /// When the secret ends: a moment, a date, or a span such as 90d [default: never]
    #[arg(long, value_name = "WHEN", value_parser = moment::future)]
    expires: Option<Timestamp>,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal sp secret add ci --expires 90d --replace-oldest")]
struct AddSecret {
    /// Name of the service principal
    name: String,
    /// When it ends: a moment, a date, or a span such as 90d [default: never]
    #[arg(long, value_name = "WHEN", value_parser = moment::future)]
    expires: Option<Timestamp>,
    /// Where there are two already, remove the older one
    #[arg(long)]
    replace_oldest: bool,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
struct AddCertificate {
    /// Name of the service principal
    name: String,
    /// PEM file with one X.509 certificate; no private key
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// Name of the service principal
    name: String,
    /// Id of the secret, or SHA-256 thumbprint of the certificate, as `boltseal sp show` prints it
    id: String,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    const KIND: Kind = Kind::ServicePrincipal;
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
                expires: create.expires,
            };
            people::create(&client, &new, create.written, console)
        }
        Verb::Delete(name) => people::delete(&client, KIND, &name.name),
        Verb::Secret { verb: Secret::Add(add) } => add_secret(add, &client, console),
        Verb::Secret { verb: Secret::Remove(Remove { name, id }) } => {
            client.delete(&path(&["principals", name, "secrets", id]))?;
            Ok(Exit::Pass)
        }
        Verb::Certificate { verb: Certificate::Add(AddCertificate { name, file }) } => {
            let body = NewCertificate { pem: given::text(file)? };
            client.tell(&path(&["principals", name, "certificates"]), &body)?;
            Ok(Exit::Pass)
        }
        Verb::Certificate { verb: Certificate::Remove(Remove { name, id }) } => {
            client.delete(&path(&["principals", name, "certificates", id]))?;
            Ok(Exit::Pass)
        }
    }
}

fn add_secret(add: &AddSecret, client: &Client, console: &Console) -> Result<Exit, Failure> {
    let new = NewSecret { expires: add.expires, replace_oldest: add.replace_oldest };
    let made: Made = client.post(&path(&["principals", &add.name, "secrets"]), &new)?;
    console.note("the secret is shown now and never again");
    add.written.show(&made, console, |made, _| output::made(made, client.address()))?;
    Ok(Exit::Pass)
}
