//! `boltseal sign IMAGE`

use std::path::PathBuf;

use boltseal_trust::Statement;

use super::image::place::Connection;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    signing::{By, Notary, Subject, said},
};

/// Which image, with which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The signature is a bundle of sigstore, stored in the registry as a referrer of the image, as cosign 3 does: `boltseal \
verify` and `cosign verify` find it there. With --form jws or cose it is an envelope of Notary Project, as notation makes. \
What is signed is the digest; of a multi-platform image, that of the index.

With --keyless the signature is of a key that is thrown away: an authority (Fulcio) gives it a certificate with the name that \
an identity token says, and a log keeps both. A log of version 2 tells no time, so a clock must: --tsa.

Examples:
  boltseal key generate
  boltseal sign registry.example.com/team/app:v1 --key boltseal.key
  boltseal sign registry.example.com/team/app:v1 --key boltseal.key --tsa https://clock.example.com/tsa
  boltseal sign sha256:4bcff63911fc… --key boltseal.key --bundle app.sigstore.json    # no registry is asked
  boltseal sign registry.example.com/team/app:v1 --form jws --key acme.key --certificate acme-chain.pem
  boltseal sign registry.example.com/team/app:v1 --keyless --fulcio https://fulcio.example.com \\
    --rekor https://rekor.example.com --tsa https://clock.example.com/api/v1/timestamp

Exit codes: 0 signed; 1 the registry, the authority, the log or a clock said no; 2 usage, or key or token cannot be used; 3 \
not found, not logged in, or somebody cannot be reached; 4 internal fault")]
pub struct Args {
    /// The image; with --bundle, a digest is enough
    #[arg(value_name = "IMAGE")]
    image: String,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    notary: Notary,
    /// Write the signature into this file instead of the registry
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    written: Written,
}

/// Signs.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let form = args.notary.form(args.by.by_key_alone())?;
    let by = args.by.ready(args.connection.ca(), console)?;
    // Notary Project signs size and type as well, which only the registry knows.
    let offline = args.bundle.is_some() && form.is_none();
    let subject = Subject::find(&args.image, offline, &args.connection, global)?;
    let signed = match form {
        Some(form) => args.notary.sign(form, &subject, &by, args.bundle.as_ref())?,
        None => subject.say(&Statement::signature(), &by, args.bundle.as_deref())?,
    };
    args.written.show(&signed, console, said)?;
    Ok(Exit::Pass)
}
