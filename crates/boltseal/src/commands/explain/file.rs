//! One file that proves what the log says about an image, and the check of it: `boltseal verify-proof FILE`.
//!
//! What is proven are the records: that the log, whose key one has from elsewhere, holds them. The rest of the file is what the
//! server said, and is told apart.

use std::{
    fmt::Write as _,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use boltseal_api::custody::Chain;
use boltseal_audit::{
    Record,
    log::{Proof, Verifier},
};
use boltseal_model::{Digest, Report};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    commands::audit::place::{LogServer, key},
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        paint::{Paint, clean},
    },
    reach::path,
};

/// What the file calls itself.
const FORMAT: &str = "boltseal.custody/1";
/// Bytes of a file that is read: some records with their proofs, and a report.
const MAX_FILE: u64 = 64 << 20;
/// Records of a file. A chain has a few for each link.
const MAX_RECORDS: usize = 100;

/// The file.
#[derive(Serialize, Deserialize)]
struct Custody {
    format: String,
    digest: Digest,
    /// What the server said; nothing proves it.
    chain: Value,
    /// Each a proof (C2SP tlog-proof) that holds its entry.
    proofs: Vec<String>,
    /// Of the server, at that moment.
    report: Value,
}

/// Writes the file.
pub fn proof(server: &LogServer, chain: &Chain, report: &Report) -> Result<String, Failure> {
    let mut indexes: Vec<u64> = chain.links.iter().flat_map(|link| link.records.iter().copied()).collect();
    indexes.sort_unstable();
    indexes.dedup();
    let mut proofs = Vec::with_capacity(indexes.len());
    for index in indexes {
        let bytes = server.client.raw(&path(&["audit", "records", &index.to_string(), "proof"]))?;
        proofs.push(String::from_utf8(bytes).map_err(Failure::fault)?);
    }
    let custody = Custody {
        format: FORMAT.to_owned(),
        digest: chain.digest.parse().map_err(Failure::fault)?,
        chain: serde_json::to_value(chain).map_err(Failure::fault)?,
        proofs,
        report: serde_json::to_value(report).map_err(Failure::fault)?,
    };
    Ok(serde_json::to_string_pretty(&custody).map_err(Failure::fault)? + "\n")
}

/// Which file, by which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs no server and no network. The key must come from somewhere that you trust, not from the file.

Example:
  boltseal verify-proof app.proof.json --key boltseal.example/audit+1a2b3c4d+AX…

Exit codes: 0 the log has every record of the file; 1 something is not proven; 2 usage")]
pub struct CheckArgs {
    /// What `boltseal explain --proof` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key of the log, or a file with it
    #[arg(long, value_name = "VKEY", value_parser = key)]
    key: Verifier,
    #[command(flatten)]
    written: Written,
}

/// What is proven.
#[derive(Serialize)]
struct Proven {
    digest: Digest,
    /// In the order of the log.
    records: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    index: u64,
    /// Entries in the log when the proof was made.
    size: u64,
    record: String,
}

/// Checks.
pub fn check(args: &CheckArgs, console: &Console) -> Result<Exit, Failure> {
    let file = args.file.display();
    let refused = |why: String| Failure::denied(format_args!("{file}: {why}"));
    let unreadable = |why: String| Failure::usage(format_args!("{file}: {why}"));
    let custody: Custody =
        serde_json::from_slice(&read(&args.file)?).map_err(|wrong| unreadable(wrong.to_string()))?;
    if custody.format != FORMAT {
        return Err(unreadable(format!("it is a `{}`, not a `{FORMAT}`", custody.format)));
    }
    if custody.proofs.is_empty() || custody.proofs.len() > MAX_RECORDS {
        return Err(refused(format!(
            "it has {} records; a proof has 1 to {MAX_RECORDS}",
            custody.proofs.len()
        )));
    }
    let mut records = Vec::with_capacity(custody.proofs.len());
    for text in &custody.proofs {
        let proof = Proof::parse(text.as_bytes()).map_err(|wrong| refused(wrong.to_string()))?;
        let index = proof.index;
        let wrong = |why: String| refused(format!("entry {index}: {why}"));
        let entry = proof.extra.clone().ok_or_else(|| wrong("the proof does not hold it".to_owned()))?;
        proof.verify(&entry, &args.key).map_err(|why| wrong(why.to_string()))?;
        let record = Record::parse(&entry).map_err(|why| wrong(why.to_string()))?;
        // A record of another image, well proven, says nothing about this one.
        if record.subject.digest.as_ref() != Some(&custody.digest) {
            return Err(wrong(format!("it is not about {}", custody.digest)));
        }
        let size = proof.checkpoint.checkpoint().size;
        records.push(Entry { index, size, record: format!("{} {}", record.time, record.sentence()) });
    }
    records.sort_by_key(|entry| entry.index);
    records.dedup_by_key(|entry| entry.index);
    let is_proven = |index: &u64| records.iter().any(|entry| entry.index == *index);
    if let Some(index) = named(&custody.chain).into_iter().find(|index| !is_proven(index)) {
        return Err(refused(format!(
            "the chain names entry {index} of the log, and the file has no proof of it"
        )));
    }
    args.written.show(&Proven { digest: custody.digest, records }, console, people)?;
    Ok(Exit::Pass)
}

/// The entries that a chain names. Whoever takes a proof out of the file would have to take its number out of the chain, too.
fn named(chain: &Value) -> Vec<u64> {
    let links = chain.get("links").and_then(Value::as_array).into_iter().flatten();
    let records = links.filter_map(|link| link.get("records")?.as_array()).flatten();
    records.filter_map(Value::as_u64).collect()
}

fn people(proven: &Proven, _: Paint) -> String {
    let mut out = format!("{}\n\nproven to be in the log:\n", proven.digest);
    for Entry { index, size, record } in &proven.records {
        let _ = writeln!(out, "  entry {index} of {size}: {}", clean(record));
    }
    out
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |wrong| Failure::usage(format_args!("cannot read {}: {wrong}", path.display()));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Failure::usage(format_args!("{}: more than {MAX_FILE} bytes", path.display())));
    }
    Ok(bytes)
}
