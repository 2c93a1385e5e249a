//! `boltseal policy apply FILE` and `boltseal policy history`

use std::{collections::BTreeMap, path::PathBuf};

use boltseal_api::policies::{Apply, Version};
use boltseal_flow::endorsed::bundle_of;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{Written, packages::grid_without_gaps, paint::Paint},
    reach::{Reach, path},
};

/// What to put in force.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The policy is sent with the files that it names and, where there is one, its signature (`boltseal policy sign`). It is in force on \
every server of the installation within a moment, and stored images are judged again. Every version is counted, kept and in \
the audit log. A server that was started with --policy FILE uses that file and nothing else.

A policy that is older than the one in force is refused: by its `revision`, by when it was signed, or because it was in force \
before. With --rollback it is not, which needs Boltseal/policies/rollback/action.

Example:
  boltseal policy diff <(boltseal policy show --in-force) policy.yaml
  boltseal policy apply policy.yaml

Exit codes: 0 in force; 1 the server does not allow it; 2 no policy, or it is older or not signed; 3 not logged in, or the server \
cannot be reached; 4 internal fault")]
pub struct Args {
    /// The policy
    file: PathBuf,
    /// Also if it is older than the one in force
    #[arg(long)]
    rollback: bool,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    reach: Reach,
}

/// Whose history.
#[derive(Debug, clap::Args)]
pub struct History {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    reach: Reach,
}

/// Puts it in force.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let rules = given::rules(&args.file)?;
    let folder = args.file.parent().map(PathBuf::from).unwrap_or_default();
    let mut files = BTreeMap::new();
    for name in rules.policy.files() {
        files.insert(name.clone(), given::text(&folder.join(name))?);
    }
    let bundle = bundle_of(&args.file);
    let bundle = if bundle.exists() { Some(given::text(&bundle)?) } else { None };
    let asked = Apply { text: rules.text, files, bundle, rollback: args.rollback };
    let version: Version = args.reach.client(global)?.post(&path(&["policy", "versions"]), &asked)?;
    args.written.show(&version, console, |version, _| {
        format!("version: {}\npolicy: {}\ndigest: {}\n", version.version, version.name, version.digest)
    })?;
    Ok(Exit::Pass)
}

/// Lists what was put in force.
pub fn history(args: &History, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let all: Vec<Version> = args.reach.client(global)?.get(&path(&["policy", "versions"]))?;
    args.written.show(&all, console, |all, paint| table(all, paint))?;
    Ok(Exit::Pass)
}

fn table(all: &[Version], paint: Paint) -> String {
    let rows = all.iter().map(|one| {
        let digest: String = one.digest.chars().take("sha256:".len() + 12).collect();
        let revision = one.revision.map(|revision| revision.to_string()).unwrap_or_default();
        let at = one.at.strftime("%Y-%m-%d %H:%M").to_string();
        [
            one.version.to_string(),
            one.name.clone(),
            revision,
            at,
            one.by.clone(),
            one.signed_by.clone().unwrap_or_default(),
            one.rollback.clone().unwrap_or_default(),
            digest,
        ]
    });
    grid_without_gaps(
        &["version", "policy", "revision", "at", "by", "signed by", "rolled back", "digest"],
        rows,
        paint,
    )
}
