//! `boltseal policy sign FILE`

use std::{fs, path::PathBuf};

use boltseal_flow::endorsed::{bundle_of, endorse};
use boltseal_model::Timestamp;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    given,
    signing::Key,
};

/// Which policy, with which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The signature lies beside the policy, in a file of the same name with `.sigstore.json` behind it, and holds for the policy and every \
file that it names. A server that was started with --policy-signed-by uses no other.

Examples:
  boltseal policy sign policy.yaml --key boltseal.key
  boltseal policy check policy.yaml --signed-by boltseal.pub
  boltseal up --policy-signed-by boltseal.pub

Exit codes: 0 signed; 2 no policy, or the key cannot be used; 4 internal fault")]
pub struct Args {
    /// The policy
    file: PathBuf,
    #[command(flatten)]
    key: Key,
}

/// Signs.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let policy = given::rules(&args.file)?.policy;
    let key = args.key.open()?;
    let bundle = endorse(&policy, &key, Timestamp::now()).map_err(Failure::usage)?;
    let path = bundle_of(&args.file);
    fs::write(&path, bundle)
        .map_err(|wrong| Failure::fault(format_args!("cannot write {}: {wrong}", path.display())))?;
    console.data(&format!(
        "policy: {}\ndigest: {}\nkey: {}\nbundle: {}\n",
        policy.name(),
        policy.text_digest(),
        key.public().digest(),
        path.display()
    ))?;
    Ok(Exit::Pass)
}
