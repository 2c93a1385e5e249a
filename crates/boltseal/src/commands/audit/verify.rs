//! `boltseal audit verify`

use std::{fs, path::PathBuf};

use boltseal_audit::log::{Broken, Checkpoint, Error, Reader, SignedCheckpoint, Storage, Verifier, verify};
use boltseal_server::recorder;
use serde::Serialize;

use super::{
    folder::LogFolder,
    place::{Place, key},
    web::Web,
};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        access::line,
        deliver,
        paint::{Paint, count},
    },
    progress::Bar,
    reach::Reach,
};

/// Which log, from where on, and by which key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads every entry and every tile, and checks that they lead to the root that was signed. In a data folder \
also that the log continues what is remembered of it outside the folder, and that the database agrees. \
Keep a checkpoint elsewhere with --save, and check from there with --since: then not even whoever has the \
log's key can have changed what was before.

Examples:
  boltseal audit verify
  boltseal audit verify --data /srv/boltseal --save /mnt/usb/checkpoint
  boltseal audit verify --since /mnt/usb/checkpoint
  boltseal audit verify --url https://log.example.com --key log.example.com+530d903a+Aekye…

Exit codes: 0 whole; 1 broken: the first bad entry is named; 2 usage; 3 it cannot be read")]
pub struct Args {
    /// File with an older checkpoint: the log must continue it, and entries before it are not read
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Write the checkpoint that was verified to this file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Any log in C2SP's tlog-tiles format, by its URL
    #[arg(long, value_name = "URL", requires = "key")]
    url: Option<String>,
    /// The key of the log, or a file with it [default: the key in the data folder, or what the server says]
    #[arg(long, value_name = "VKEY", value_parser = key)]
    key: Option<Verifier>,
    /// Folder that remembers the newest checkpoint, as given to `boltseal up`
    #[arg(long, value_name = "DIR")]
    audit_anchors: Option<PathBuf>,
    #[command(flatten)]
    written: Written,
}

/// What was found.
#[derive(Serialize)]
struct Found {
    state: &'static str,
    origin: String,
    /// Entries in the log.
    size: u64,
    root: String,
    /// The first entry that was read.
    first: u64,
    /// Entries that were remembered outside the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<u64>,
    /// Entries that are in the database and not in the log yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<u64>,
}

/// What is wrong.
#[derive(Serialize)]
struct Wrong {
    state: &'static str,
    /// The first bad entry, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    why: String,
}

/// Verifies.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    if let Some(url) = &args.url {
        let key = args.key.clone().ok_or_else(|| Failure::usage("--url needs --key"))?;
        return of_log(args, &Reader::new(Web::new(url, None, None)?, key), console);
    }
    match Place::of(reach, global, args.key.as_ref(), args.audit_anchors.as_deref())? {
        Place::Server(server) => {
            if args.key.is_none() {
                console.note("the key comes from the server itself; give one that you know with --key");
            }
            of_log(args, &server.reader(args.key.as_ref())?, console)
        }
        Place::Folder(folder) => of_folder(args, &folder, console),
    }
}

fn of_log<S: Storage>(args: &Args, reader: &Reader<S>, console: &Console) -> Result<Exit, Failure> {
    match whole(args, reader, console) {
        Ok((found, checkpoint)) => good(args, &found, &checkpoint, console),
        Err(Broken::Unreadable(error @ Error::Missing { .. })) => {
            Err(Failure::undecided(format_args!("{error}")))
        }
        Err(broken) => bad(args, &broken, console),
    }
}

/// The database is asked before and after: while a server runs, entries move from there into the log.
fn of_folder(args: &Args, folder: &LogFolder, console: &Console) -> Result<Exit, Failure> {
    let first = folder.first_pending()?;
    let (mut found, checkpoint) = match whole(args, folder.log.reader(), console) {
        Ok(found) => found,
        Err(broken) => return bad(args, &broken, console),
    };
    let next = folder.next()?;
    if let Some(first) = first.filter(|first| *first > found.size) {
        let old = recorder::Error::OldLog { log: found.size, facts: first };
        return refused(args, Some(found.size), &old.to_string(), console);
    }
    if let Some(next) = next.filter(|next| *next < found.size) {
        let old = recorder::Error::OldFacts { log: found.size, facts: next };
        return refused(args, Some(next), &old.to_string(), console);
    }
    match folder.log.check_anchor() {
        Ok(anchor) => found.anchor = anchor,
        Err(wrong @ recorder::Error::File { .. }) => return Err(Failure::undecided(wrong)),
        Err(wrong) => return refused(args, None, &wrong.to_string(), console),
    }
    found.waiting = next.map(|next| next - found.size);
    if found.anchor.is_none() {
        console
            .note("nothing is remembered of this log outside its folder: an older copy would not be noticed");
    }
    good(args, &found, &checkpoint, console)
}

fn whole<S: Storage>(
    args: &Args,
    reader: &Reader<S>,
    console: &Console,
) -> Result<(Found, SignedCheckpoint), Broken> {
    let since = args.since.as_ref().map(|file| older(file, reader.verifier())).transpose()?;
    let bar = Bar::counting(console, "verifying");
    let size = reader.checkpoint().map(|checkpoint| checkpoint.checkpoint().size).ok();
    let skipped = since.as_ref().map_or(0, |since| since.size / 256 * 256);
    bar.total(size.map(|size| size.saturating_sub(skipped)));
    let verified = verify(reader, since.as_ref(), &mut |done| bar.reach(done))?;
    bar.end();
    let signed = verified.checkpoint.checkpoint();
    let found = Found {
        state: "good",
        origin: signed.origin.clone(),
        size: signed.size,
        root: signed.root.to_string(),
        first: verified.first,
        anchor: None,
        waiting: None,
    };
    Ok((found, verified.checkpoint))
}

/// A checkpoint that was kept, if it is of this log.
fn older(file: &PathBuf, key: &Verifier) -> Result<Checkpoint, Broken> {
    let path = file.display().to_string();
    let bytes = fs::read(file).map_err(|source| Error::Storage { path, source })?;
    Ok(SignedCheckpoint::open(&bytes, key).map_err(Error::Checkpoint)?.checkpoint().clone())
}

fn good(
    args: &Args,
    found: &Found,
    checkpoint: &SignedCheckpoint,
    console: &Console,
) -> Result<Exit, Failure> {
    args.written.show(found, console, people)?;
    if let Some(file) = &args.save {
        deliver(&checkpoint.to_string(), Some(file), console)?;
    }
    Ok(Exit::Pass)
}

fn people(found: &Found, paint: Paint) -> String {
    let mut out = String::new();
    line(&mut out, "log", &found.origin);
    let entries = |number: u64| count(usize::try_from(number).unwrap_or(usize::MAX), "entry");
    let read = match found.first {
        0 => "all of them read".to_owned(),
        first => format!("read from entry {first} on, the tree over all of them"),
    };
    line(&mut out, "entries", &format!("{}, {read}", found.size));
    line(&mut out, "root", &found.root);
    if let Some(anchor) = found.anchor {
        line(&mut out, "remembered", &format!("{}, which the log continues", entries(anchor)));
    }
    if let Some(waiting) = found.waiting {
        line(&mut out, "waiting", &format!("{} to be sealed", entries(waiting)));
    }
    out.push_str(&paint.bold("whole: nothing was changed, dropped or put in between\n"));
    out
}

fn bad(args: &Args, broken: &Broken, console: &Console) -> Result<Exit, Failure> {
    if let Broken::Unreadable(Error::Storage { path, source }) = broken {
        return Err(Failure::undecided(format_args!("{path}: {source}")));
    }
    refused(args, broken.index(), &format!("the audit log is broken: {broken}"), console)
}

fn refused(args: &Args, entry: Option<u64>, why: &str, console: &Console) -> Result<Exit, Failure> {
    if args.written.is_json() {
        let wrong = Wrong { state: "broken", entry, why: why.to_owned() };
        args.written.show(&wrong, console, |_, _| String::new())?;
    }
    let failure = Failure::denied(why);
    Err(if why.contains("\n  next:") {
        failure
    } else {
        failure.next("keep the folder as evidence, and restore the log from a copy that verifies")
    })
}
