//! `boltseal attest IMAGE`

use std::path::PathBuf;

use boltseal_trust::{MAX_EVIDENCE, Statement, predicate::type_of};
use serde_json::Value;

use super::image::place::Connection;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::Written,
    signing::{By, Subject, said},
};

/// What is said, about which image, with which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The statement is one of in-toto, in a bundle of sigstore, stored in the registry as a referrer of the image, as cosign 3 \
does: `boltseal verify --type` and `cosign verify-attestation --type` find it there.

Types by cosign's names: slsaprovenance, slsaprovenance1, spdxjson, cyclonedx, openvex, vuln, link, custom; or any URI.

Example:
  boltseal sbom docker://registry.example.com/team/app:v1 --format cyclonedx > sbom.json
  boltseal attest registry.example.com/team/app:v1 --predicate sbom.json --type cyclonedx --key boltseal.key

Exit codes: 0 signed; 1 the registry said no; 2 usage, or the key cannot be used; 3 not found, not logged in, or the \
registry cannot be reached; 4 internal fault")]
pub struct Args {
    /// The image; with --bundle, a digest is enough
    #[arg(value_name = "IMAGE")]
    image: String,
    /// What is said, in JSON
    #[arg(long, value_name = "FILE")]
    predicate: PathBuf,
    /// What kind of statement it is: a URI, or cosign's name for one
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,
    #[command(flatten)]
    by: By,
    /// Write the bundle into this file instead of the registry
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    written: Written,
}

/// Attests.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let statement = statement(args)?;
    let by = args.by.ready(args.connection.ca(), console)?;
    let subject = Subject::find(&args.image, args.bundle.is_some(), &args.connection, global)?;
    let signed = subject.say(&statement, &by, args.bundle.as_deref())?;
    args.written.show(&signed, console, said)?;
    Ok(Exit::Pass)
}

fn statement(args: &Args) -> Result<Statement, Failure> {
    let path = args.predicate.display();
    let predicate_type = type_of(&args.kind);
    if !predicate_type.contains("://") {
        return Err(Failure::usage(format_args!("`{predicate_type}` is no type of statement"))
            .next("give a URI, or cosign's name for one, such as slsaprovenance1 or cyclonedx"));
    }
    let text = given::bounded(&args.predicate, MAX_EVIDENCE)?;
    let predicate: Value =
        serde_json::from_str(&text).map_err(|why| Failure::usage(format_args!("{path}: {why}")))?;
    if !predicate.is_object() {
        return Err(Failure::usage(format_args!("{path}: the predicate is no object of JSON")));
    }
    // A whole statement would become the predicate of another one, which nobody finds.
    if predicate.get("_type").is_some() && predicate.get("predicateType").is_some() {
        return Err(Failure::usage(format_args!("{path}: this is a whole statement, not a predicate"))
            .next("give only what is below `predicate`"));
    }
    Ok(Statement { predicate_type: predicate_type.to_owned(), predicate })
}
