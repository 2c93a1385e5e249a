//! `boltseal audit check-proof FILE`

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use boltseal_api::audit::Recorded;
use boltseal_audit::log::{MAX_PROOF_FILE, Proof, Verifier};
use serde::Serialize;

use super::{place::key, search::recorded};
use crate::{
    console::Console,
    exit::{Exit, Failure},
    output::{Written, access::line, paint::Paint, records},
};

/// Which proof, of what, by which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs no server and no network. The key must come from somewhere that you trust, not from the proof.

Examples:
  boltseal audit check-proof 4711.tlog-proof --key boltseal.example/audit+1a2b3c4d+AX…
  boltseal audit check-proof 4711.tlog-proof --entry 4711.json --key key.txt

Exit codes: 0 the entry is in the log; 1 it is not proven; 2 usage")]
pub struct Args {
    /// The proof
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// File with the entry, byte for byte [default: the one in the proof]
    #[arg(long, value_name = "FILE")]
    entry: Option<PathBuf>,
    /// The key of the log, or a file with it
    #[arg(long, value_name = "VKEY", value_parser = key)]
    key: Verifier,
    /// The key of a witness that must have cosigned, or a file with it. May be given several times
    #[arg(long, value_name = "VKEY", value_parser = key)]
    witness: Vec<Verifier>,
    #[command(flatten)]
    written: Written,
}

/// What is proven.
#[derive(Serialize)]
struct Proven {
    origin: String,
    /// Entries in the log when the proof was made.
    size: u64,
    root: String,
    /// Names of the witnesses that cosigned.
    witnesses: Vec<String>,
    #[serde(flatten)]
    entry: Recorded,
}

/// Checks.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let file = args.file.display();
    let refused = |why: String| Failure::denied(format_args!("{file}: {why}"));
    let proof = Proof::parse(&read(&args.file)?).map_err(|wrong| refused(wrong.to_string()))?;
    let entry = match (&args.entry, &proof.extra) {
        (Some(file), _) => read(file)?,
        (None, Some(extra)) => extra.clone(),
        (None, None) => {
            return Err(Failure::usage(format_args!("{file} does not hold the entry"))
                .next("give it with --entry FILE"));
        }
    };
    let check = |entry: &[u8]| proof.verify_cosigned(entry, &args.key, &args.witness);
    // Editors and shells end a file with a line end, entries never do.
    let cosigned = check(&entry).or_else(|wrong| entry.strip_suffix(b"\n").map_or(Err(wrong), check));
    let cosigned = cosigned.map_err(|wrong| refused(wrong.to_string()))?;
    if let Some(missing) = args.witness.iter().find(|key| cosigned.iter().all(|one| one.name != key.name())) {
        return Err(refused(format!("the witness {} has not cosigned", missing.name())));
    }
    let checkpoint = proof.checkpoint.checkpoint();
    let proven = Proven {
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        root: checkpoint.root.to_string(),
        witnesses: cosigned.into_iter().map(|one| one.name).collect(),
        entry: recorded(proof.index, true, entry.strip_suffix(b"\n").unwrap_or(&entry)),
    };
    args.written.show(&proven, console, people)?;
    Ok(Exit::Pass)
}

fn people(proven: &Proven, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "log", &proven.origin);
    line(&mut out, "proven", &format!("entry {} of {}", proven.entry.index, proven.size));
    line(&mut out, "cosigned by", &proven.witnesses.join(", "));
    records::line(&proven.entry, paint, &mut out);
    out
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |wrong| Failure::usage(format_args!("cannot read {}: {wrong}", path.display()));
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_PROOF_FILE).unwrap_or(u64::MAX);
    File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    Ok(bytes)
}
