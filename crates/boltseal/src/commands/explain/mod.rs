//! `boltseal explain IMAGE`

mod chain;
mod file;

use std::path::PathBuf;

use boltseal_image::remote::Name;
use boltseal_model::{Digest, Report};

pub use file::{CheckArgs, check};

use super::{
    audit::place::LogServer,
    image::place::{Connection, image},
};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, deliver},
    reach::{Reach, path},
};
use chain::{Chain, people};

/// Which image.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Asks the server where the image is stored: by whom it was pushed, how it was built, who signed it, what it was scanned with, and
by which policy it was judged; each with the record of it in the audit log, and what is missing named. Signatures and builds are
known where the policy asks for them.

Examples:
  boltseal explain registry.example.com/team/app:v1
  boltseal explain registry.example.com/team/app:v1 --proof app.proof.json
  boltseal verify-proof app.proof.json --key \"$(boltseal audit key)\"

Exit codes: 0 done; 1 you may not see it; 2 usage; 3 not stored there, not judged yet, or the server cannot be reached")]
pub struct Args {
    /// The image, or its digest at the server that somebody is logged in to
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Also write one file with the records and their proofs, which `boltseal verify-proof` checks without a server
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    written: Written,
}

/// Explains.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let (server, digest) = meant(args, global)?;
    let report: Report =
        server.client.get(&path(&["images", &digest.to_string(), "report"])).map_err(|wrong| {
            Failure::from(wrong).next("of a multi-platform image, explain one of its images by digest")
        })?;
    let records = chain::records(&server, &digest)?;
    let chain = Chain::of(&digest, &report, &records);
    if let Some(file) = &args.proof {
        let text = file::proof(&server, &chain, &report)?;
        deliver(&text, Some(file), console)?;
    }
    args.written.show(&chain, console, people)?;
    Ok(Exit::Pass)
}

/// The server that has the image, and the image's digest.
fn meant(args: &Args, global: &Global) -> Result<(LogServer, Digest), Failure> {
    if let Ok(digest) = args.image.parse::<Digest>() {
        return Ok((LogServer::at(Reach::last().server(global)?)?, digest));
    }
    let reference = image(&args.image)?;
    let repository = args.connection.repository(&reference, global)?;
    let digest = match reference.digest() {
        Some(digest) => digest.clone(),
        None => repository.head(Name::of(&reference))?.digest,
    };
    Ok((LogServer::at(args.connection.login(reference.registry(), global)?)?, digest))
}
