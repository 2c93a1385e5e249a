//! `boltseal audit witness …` and `boltseal audit witnessed …`: servers that cosign each other's checkpoints.

use std::path::PathBuf;

use boltseal_api::audit::{NewWitness, NewWitnessedLog, WitnessSetting, WitnessedLogs};
use boltseal_audit::log::Verifier;

use super::place::key;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{
        Written,
        access::line,
        paint::{Paint, clean},
    },
    reach::{Reach, path, query},
    terminal::Lines,
};

/// Who cosigns ours.
#[derive(Debug, clap::Args)]
pub struct Witness {
    #[command(subcommand)]
    verb: WitnessVerb,
}

#[derive(Debug, clap::Subcommand)]
enum WitnessVerb {
    /// List the servers that cosign our checkpoints
    List(Written),
    /// Have another server cosign our checkpoints
    Add(Add),
    /// Ask a server no longer
    Remove(WitnessName),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Its key is what `boltseal audit witnessed list` prints there. If it is a Boltseal server, it wants to be \
signed in to, by somebody with the role Witness Client; give what to send as Authorization on standard input.

Example:
  printf 'Basic %s' \"$(printf 'east:%s' \"$SECRET\" | base64 -w0)\" |
    boltseal audit witness add https://west.example.com:8443/audit/witness --key \"$KEY\" --authorization-stdin")]
struct Add {
    /// Where it is: the URL to which /add-checkpoint is appended
    url: String,
    /// The key that it cosigns with, or a file with it
    #[arg(long, value_name = "VKEY", value_parser = key)]
    key: Verifier,
    /// Read what to send as Authorization from standard input
    #[arg(long)]
    authorization_stdin: bool,
    /// PEM file of the authority that vouches for it, where the system does not know it
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct WitnessName {
    /// Name of its key
    name: String,
}

/// Whose we cosign.
#[derive(Debug, clap::Args)]
pub struct Witnessed {
    #[command(subcommand)]
    verb: WitnessedVerb,
}

#[derive(Debug, clap::Subcommand)]
enum WitnessedVerb {
    /// List the logs that are cosigned here, and the key that they are cosigned with
    List(Written),
    /// Cosign another server's log
    Add(AddLog),
    /// Cosign a log no longer, and forget what was seen of it
    Remove(Origin),
}

#[derive(Debug, clap::Args)]
struct AddLog {
    /// The log's key, as `boltseal audit key` prints it there, or a file with it
    #[arg(value_name = "VKEY", value_parser = key)]
    key: Verifier,
}

#[derive(Debug, clap::Args)]
struct Origin {
    /// Name of the log
    origin: String,
}

/// Changes who cosigns ours.
pub fn witness(args: &Witness, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    const WITNESSES: [&str; 2] = ["audit", "witnesses"];
    let client = reach.client(global)?;
    match &args.verb {
        WitnessVerb::List(written) => {
            let all: Vec<WitnessSetting> = client.get(&path(&WITNESSES))?;
            written.show(&all, console, |all, paint| witnesses(all, paint))?;
        }
        WitnessVerb::Add(add) => {
            let authorization =
                add.authorization_stdin.then(|| Lines::new().need("Authorization")).transpose()?;
            let new = NewWitness {
                url: add.url.clone(),
                key: add.key.to_string(),
                authorization: authorization.map(|text| text.to_string()),
                ca: add.authority.as_deref().map(given::text).transpose()?,
            };
            client.tell(&path(&WITNESSES), &new)?;
        }
        WitnessVerb::Remove(WitnessName { name }) => {
            client.delete(&query(&WITNESSES, &[("name", Some(name))]))?;
        }
    }
    Ok(Exit::Pass)
}

/// Changes whose we cosign.
pub fn witnessed(
    args: &Witnessed,
    reach: &Reach,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    const LOGS: [&str; 2] = ["audit", "witnessed-logs"];
    let client = reach.client(global)?;
    match &args.verb {
        WitnessedVerb::List(written) => {
            let all: WitnessedLogs = client.get(&path(&LOGS))?;
            written.show(&all, console, logs)?;
        }
        WitnessedVerb::Add(AddLog { key }) => {
            client.tell(&path(&LOGS), &NewWitnessedLog { key: key.to_string() })?;
        }
        WitnessedVerb::Remove(Origin { origin }) => {
            client.delete(&query(&LOGS, &[("origin", Some(origin))]))?;
        }
    }
    Ok(Exit::Pass)
}

fn witnesses(all: &[WitnessSetting], paint: Paint) -> String {
    let mut out = String::new();
    for one in all {
        out.push_str(&paint.bold(&clean(&one.name)));
        out.push('\n');
        line(&mut out, "url", &one.url);
        line(&mut out, "key", &one.key);
    }
    out
}

fn logs(all: &WitnessedLogs, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "key", &all.key);
    for one in &all.logs {
        out.push('\n');
        out.push_str(&paint.bold(&clean(&one.origin)));
        out.push('\n');
        line(&mut out, "log's key", &one.key);
        line(&mut out, "entries seen", &one.size.to_string());
    }
    out
}
