//! `boltseal audit status|key`

use boltseal_api::audit::{Status, Verified};
use serde::Serialize;

use super::{
    folder::LogFolder,
    place::{Place, failed},
};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        access::{line, moment},
        paint::Paint,
    },
    reach::Reach,
};

/// How to answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal audit status

Exit codes: 0 nothing is known to be wrong; 1 the log is broken; 3 it cannot be read")]
pub struct Args {
    #[command(flatten)]
    written: Written,
}

/// Of which log.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Give it to whoever checks proofs, in a way that they trust.

Example:
  boltseal audit key > key.txt")]
pub struct Key {}

/// How the log of a folder stands, as far as can be told by looking.
#[derive(Serialize)]
struct Standing {
    origin: String,
    key: String,
    size: u64,
    root: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<u64>,
    /// Entries that are remembered outside the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    remembered: Option<u64>,
}

/// Shows how the log stands.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    match Place::of(reach, global, None, None)? {
        Place::Server(server) => {
            let status = server.status()?;
            args.written.show(&status, console, of_server)?;
            let broken = matches!(status.verified, Verified::Broken { .. });
            Ok(if broken { Exit::Denied } else { Exit::Pass })
        }
        Place::Folder(folder) => {
            args.written.show(&of_folder(&folder)?, console, people)?;
            Ok(Exit::Pass)
        }
    }
}

/// Prints the key.
pub fn key(_: &Key, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let key = match Place::of(reach, global, None, None)? {
        Place::Server(server) => server.status()?.key,
        Place::Folder(folder) => folder.log.reader().verifier().to_string(),
    };
    console.data(&format!("{key}\n"))?;
    Ok(Exit::Pass)
}

fn of_folder(folder: &LogFolder) -> Result<Standing, Failure> {
    let reader = folder.log.reader();
    let checkpoint = reader.checkpoint().map_err(|wrong| failed(&wrong))?;
    let checkpoint = checkpoint.checkpoint();
    Ok(Standing {
        origin: checkpoint.origin.clone(),
        key: reader.verifier().to_string(),
        size: checkpoint.size,
        root: checkpoint.root.to_string(),
        waiting: folder.next()?.map(|next| next.saturating_sub(checkpoint.size)),
        remembered: folder.log.check_anchor().map_err(Failure::denied)?,
    })
}

fn people(standing: &Standing, _: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "log", &standing.origin);
    line(&mut out, "key", &standing.key);
    line(&mut out, "entries", &standing.size.to_string());
    line(&mut out, "root", &standing.root);
    line(&mut out, "waiting", &standing.waiting.map(|waiting| waiting.to_string()).unwrap_or_default());
    let remembered = standing.remembered.map_or_else(
        || "nothing, outside the folder".to_owned(),
        |size| format!("{size} entries, which the log continues"),
    );
    line(&mut out, "remembered", &remembered);
    line(&mut out, "verified", "not by looking: `boltseal audit verify`");
    out
}

fn of_server(status: &Status, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "log", &status.origin);
    line(&mut out, "key", &status.key);
    line(&mut out, "entries", &status.size.to_string());
    line(&mut out, "root", &status.root);
    line(&mut out, "signed", &status.signed.map(moment).unwrap_or_default());
    line(&mut out, "waiting", &status.waiting.to_string());
    match &status.verified {
        Verified::Running { checked } => line(&mut out, "verified", &format!("under way, {checked} so far")),
        Verified::Good { checked, at } => {
            line(&mut out, "verified", &format!("{checked} entries at {}", moment(*at)));
        }
        Verified::Broken { why } => {
            out.push_str(&paint.alarm(&format!("broken:      {}\n", crate::output::paint::clean(why))));
        }
    }
    for witness in &status.witnesses {
        let at = witness.at.map(|at| format!(" at {}", moment(at))).unwrap_or_default();
        let wrong = witness.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        line(&mut out, "witness", &format!("{} has cosigned {}{at}{wrong}", witness.name, witness.size));
    }
    out
}
