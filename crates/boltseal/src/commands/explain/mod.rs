//! `boltseal explain IMAGE|DIGEST|CONTAINER`

mod file;

use std::{fmt::Write as _, path::PathBuf};

use boltseal_api::{custody::Chain, running::Places};
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
    output::{
        Written, deliver,
        paint::{Paint, clean},
    },
    reach::{Reach, path, query},
};

/// Which image.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Asks the server where the image is stored: by whom it was pushed, how it was built, who signed it, what it was scanned with, and
by which policy it was judged, where it runs; each with the record of it in the audit log, and what is missing named. Signatures and builds are
known where the policy asks for them.

Examples:
  boltseal explain registry.example.com/team/app:v1
  boltseal explain registry.example.com/team/app:v1 --proof app.proof.json
  boltseal explain shop/web                                    # a container of a group, on whichever node it runs
  boltseal verify-proof app.proof.json --key \"$(boltseal audit key)\"

Exit codes: 0 done; 1 you may not see it; 2 usage; 3 not stored there, not judged yet, or the server cannot be reached")]
pub struct Args {
    /// The image; or its digest, or a container that runs it (GROUP/CONTAINER), at the server that somebody is logged in to
    #[arg(value_name = "IMAGE|DIGEST|CONTAINER")]
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
    let chain: Chain = server.client.get(&path(&["images", &digest.to_string(), "custody"]))?;
    if let Some(file) = &args.proof {
        let report: Report = server.client.get(&path(&["images", &digest.to_string(), "report"]))?;
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
    if is_container(&args.image) {
        let server = LogServer::at(Reach::last().server(global)?)?;
        let digest = of_container(&server, &args.image)?;
        return Ok((server, digest));
    }
    let reference = image(&args.image)?;
    let repository = args.connection.repository(&reference, global)?;
    let digest = match reference.digest() {
        Some(digest) => digest.clone(),
        None => repository.head(Name::of(&reference))?.digest,
    };
    Ok((LogServer::at(args.connection.login(reference.registry(), global)?)?, digest))
}

/// Whether it names a container rather than an image: images say in which registry they are.
fn is_container(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or(text);
    !text.contains([':', '@']) && !first.contains('.') && first != "localhost"
}

/// The image that a container runs, or all of a group do, on whichever node.
fn of_container(server: &LogServer, name: &str) -> Result<Digest, Failure> {
    let found: Places = server.client.get(&query(&["running"], &[("container", Some(name))]))?;
    let mut digests: Vec<&str> = found.containers.iter().map(|one| one.container.digest.as_str()).collect();
    digests.sort_unstable();
    digests.dedup();
    match digests.as_slice() {
        [digest] => digest.parse().map_err(Failure::fault),
        [] => {
            let of = match found.nodes.len() {
                0 => "no node tells the server what it runs".to_owned(),
                1 => "1 node tells the server what it runs".to_owned(),
                nodes => format!("{nodes} nodes tell the server what they run"),
            };
            Err(Failure::undecided(format_args!("no container or group `{name}` runs: {of}"))
                .next("write GROUP/CONTAINER as `boltseal where --everywhere` shows it, or REGISTRY/REPOSITORY:TAG for an image"))
        }
        _ => {
            let mut list = String::new();
            for one in &found.containers {
                let _ = write!(list, "\n  {}: {} {}", one.host, one.container.name, one.container.digest);
            }
            Err(Failure::usage(format_args!("containers called so run different images:{}", clean(&list)))
                .next("name one of them, or its digest"))
        }
    }
}

/// For people.
fn people(chain: &Chain, _: Paint) -> String {
    let mut out = format!("{}\n\n", chain.digest);
    for link in &chain.links {
        for (place, fact) in link.facts.iter().enumerate() {
            let head = if place == 0 { link.step.word() } else { "" };
            let missing = if link.known { "" } else { "missing: " };
            let _ = writeln!(out, "{head:<9}{missing}{}", clean(fact));
        }
        if !link.records.is_empty() {
            let entries: Vec<String> = link.records.iter().map(ToString::to_string).collect();
            let _ = writeln!(out, "{:<9}audit log: entry {}", "", entries.join(", "));
        }
    }
    out
}
