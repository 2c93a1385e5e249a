//! `boltseal audit prove ENTRY`

use std::{fs, path::PathBuf};

use boltseal_audit::log::{Error, Proof};

use super::place::{LogServer, Place, failed};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::deliver,
    reach::{Reach, path},
};

/// Which entry.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The proof (C2SP tlog-proof) holds the entry, its path to the root and the signed checkpoint. Together with \
the log's key (`boltseal audit key`) it shows anybody that the entry is in the log.

Examples:
  boltseal audit prove 4711 -o 4711.tlog-proof
  boltseal audit check-proof 4711.tlog-proof --key \"$(boltseal audit key)\"

Exit codes: 0 done; 1 the log does not prove it: it is broken; 2 no such entry; 3 it cannot be read")]
pub struct Args {
    /// Number of the entry, as `boltseal audit log` prints it
    #[arg(value_name = "ENTRY")]
    entry: u64,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also write the entry itself, byte for byte, to this file
    #[arg(long, value_name = "FILE")]
    entry_output: Option<PathBuf>,
}

/// Proves, and does not hand out what it has not checked.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let proof = match Place::of(reach, global, None, None)? {
        Place::Server(server) => of_server(args, &server)?,
        Place::Folder(folder) => {
            let proof = Proof::make(folder.log.reader(), args.entry);
            let waits = || folder.next().ok().flatten().is_some_and(|next| args.entry < next);
            match proof {
                Err(Error::NoEntry { .. }) if waits() => {
                    return Err(Failure::undecided(format_args!("entry {} is not sealed yet", args.entry))
                        .next("try again in a second, while the server runs"));
                }
                other => other.map_err(|wrong| failed(&wrong))?,
            }
        }
    };
    deliver(&proof.to_string(), args.output.as_deref(), console)?;
    if let (Some(file), Some(entry)) = (&args.entry_output, &proof.extra) {
        fs::write(file, entry)
            .map_err(|wrong| Failure::fault(format_args!("cannot write {}: {wrong}", file.display())))?;
    }
    Ok(Exit::Pass)
}

fn of_server(args: &Args, server: &LogServer) -> Result<Proof, Failure> {
    let bytes = server.client.raw(&path(&["audit", "records", &args.entry.to_string(), "proof"]))?;
    let unusable = |wrong: &dyn std::fmt::Display| {
        Failure::undecided(format_args!("what {} answered proves nothing: {wrong}", server.client.address()))
    };
    let proof = Proof::parse(&bytes).map_err(|wrong| unusable(&wrong))?;
    let entry = proof.extra.clone().unwrap_or_default();
    proof.verify(&entry, &server.key()?).map_err(|wrong| unusable(&wrong))?;
    Ok(proof)
}
