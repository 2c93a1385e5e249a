//! `boltseal sign IMAGE`

use std::path::PathBuf;

use boltseal_trust::Statement;

use super::image::place::Connection;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    signing::{Key, Subject, said},
};

/// Which image, with which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The signature is a bundle of sigstore, stored in the registry as a referrer of the image, as cosign 3 does: `boltseal \
verify` and `cosign verify` find it there. What is signed is the digest; of a multi-platform image, that of the index.

Keys in files only: signing without a key, through an identity of a sigstore instance, is not there yet.

Examples:
  boltseal key generate
  boltseal sign registry.example.com/team/app:v1 --key boltseal.key
  boltseal sign sha256:4bcff63911fc… --key boltseal.key --bundle app.sigstore.json    # no registry is asked

Exit codes: 0 signed; 1 the registry said no; 2 usage, or the key cannot be used; 3 not found, not logged in, or the \
registry cannot be reached; 4 internal fault")]
pub struct Args {
    /// The image; with --bundle, a digest is enough
    #[arg(value_name = "IMAGE")]
    image: String,
    #[command(flatten)]
    key: Key,
    /// Write the bundle into this file instead of the registry
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    written: Written,
}

/// Signs.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let key = args.key.open()?;
    let subject = Subject::find(&args.image, args.bundle.is_some(), &args.connection, global)?;
    let signed = subject.say(&Statement::signature(), &key, args.bundle.as_deref())?;
    args.written.show(&signed, console, said)?;
    Ok(Exit::Pass)
}
