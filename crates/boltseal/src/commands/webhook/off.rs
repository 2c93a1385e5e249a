//! `boltseal webhook off`: the glass to break when a cluster cannot be brought back otherwise.
//!
//! Configurations stay, emptied, with who switched them off, when and why, so that the cluster itself says it. The server is
//! told first; where it does not answer, which may be why somebody is here, the next `install` tells it.

use boltseal_api::admission::{Switch, Switched};
use boltseal_model::Timestamp;

use super::installed::{self, Installed, Kind};
use crate::{
    cli::Global,
    cluster::{Access, Cluster},
    console::Console,
    exit::{Exit, Failure},
    reach::{Reach, path},
};

/// Characters of a reason.
const MAX_REASON: usize = 500;

/// What to switch off.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Only what this program installed is switched off: the configurations `boltseal` with its label. They stay in the cluster, \
empty, with who did it, when and why; --remove takes them away. The server's log gets a record; if the server does not answer, \
that is done all the same, and `boltseal webhook install` records it later.

What is admitted meanwhile: boltseal webhook gap --since MOMENT

Examples:
  boltseal webhook off --reason 'the server is down, INC-1234'
  boltseal webhook off --remove --reason 'moved to another cluster' --context prod

Exit codes: 0 it is off; 1 the API server says no; 2 usage, or it is not ours; 3 the API server cannot be asked")]
pub struct Args {
    /// Why: it is in the log and in the cluster
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Take the configurations away instead of emptying them
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    cluster: Access,
    #[command(flatten)]
    reach: Reach,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let cluster = args.cluster.open()?;
    let mut found = Vec::new();
    for kind in Kind::ALL {
        found.extend(installed::find(&cluster, kind)?);
    }
    if found.is_empty() || (!args.remove && found.iter().all(|one| one.off().is_some())) {
        console.note(format_args!("nothing of this program is on in {}", cluster.name));
        return Ok(Exit::Pass);
    }
    let state = if args.remove { Switch::Removed } else { Switch::Off };
    let at = Timestamp::now();
    let switched = Switched { state, at, user: cluster.user.clone(), reason: Some(args.reason.clone()) };
    let told = tell(&args.reach, global, &cluster, &switched);
    if let Err(why) = &told {
        console.warning(format_args!("this is not in the server's log yet: {why}"));
    }
    for one in &found {
        switch(&cluster, one, &switched, args.remove, told.is_err())?;
        console.note(format_args!("{} of {} asks nobody now", one.kind.word(), cluster.name));
    }
    console.note(format_args!("what is admitted meanwhile: boltseal webhook gap --since {}", shown(at)));
    Ok(Exit::Pass)
}

fn switch(
    cluster: &Cluster,
    one: &Installed,
    switched: &Switched,
    remove: bool,
    unrecorded: bool,
) -> Result<(), Failure> {
    if remove {
        return installed::remove(cluster, one.kind);
    }
    let reason = switched.reason.as_deref().unwrap_or_default();
    let empty = one.switched_off([&shown(switched.at), &switched.user, reason], unrecorded);
    installed::put(cluster, one.kind, empty, Some(one))
}

/// Has the server record it.
pub fn tell(reach: &Reach, global: &Global, cluster: &Cluster, switched: &Switched) -> Result<(), Failure> {
    let client = reach.client(global)?;
    Ok(client.tell(&path(&["clusters", &cluster.name, "webhook"]), switched)?)
}

/// To the second.
pub fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_REASON || text.chars().any(char::is_control) {
        return Err(format!("one line of at most {MAX_REASON} characters"));
    }
    Ok(text.to_owned())
}
