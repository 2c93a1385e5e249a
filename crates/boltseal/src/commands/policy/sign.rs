//! `boltseal policy sign FILE`

use std::{fs, path::PathBuf};

use boltseal_flow::endorsed::{bundle_of, endorsement};
use boltseal_model::Timestamp;
use boltseal_trust::Signer;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    given,
    output::paint::clean,
    signing::By,
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

Exit codes: 0 signed; 1 an authority said no; 2 no policy, or the key cannot be used; 3 a service could not be asked; 4 internal \
fault")]
pub struct Args {
    /// The policy
    file: PathBuf,
    #[command(flatten)]
    by: By,
    /// Authorities in PEM that vouch for the authority, the log and the clocks, beside those of the system
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Signs.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let policy = given::rules(&args.file)?.policy;
    let by = args.by.ready(args.ca.as_ref(), console)?;
    let bundle =
        by.bundle(&endorsement(&policy, Timestamp::now()), policy.text_digest(), Some(policy.name()))?;
    let path = bundle_of(&args.file);
    fs::write(&path, bundle)
        .map_err(|wrong| Failure::fault(format_args!("cannot write {}: {wrong}", path.display())))?;
    let signer = match by.signer() {
        Signer::Key(key) => format!("key: {key}"),
        Signer::Identity { subject, issuer } => {
            format!("identity: {}\nissuer: {}", clean(&subject), clean(&issuer))
        }
    };
    console.data(&format!(
        "policy: {}\ndigest: {}\n{signer}\nbundle: {}\n",
        policy.name(),
        policy.text_digest(),
        path.display()
    ))?;
    Ok(Exit::Pass)
}
