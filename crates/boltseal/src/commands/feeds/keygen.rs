//! `boltseal feeds keygen`

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use boltseal_audit::log::Signer;
use zeroize::Zeroizing;

use crate::{
    console::Console,
    exit::{Exit, Failure},
};

/// A name, a line end and a PKCS#8 key of 83 bytes; a larger file is something else.
const MAX_FILE: u64 = 4096;

/// Make the key that published feeds are signed with.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The private key stays in FILE, which only you can read. What is printed is the public key: give it to those who \
pull, as text or in a file.

Example:
  boltseal feeds keygen feeds.example.com feeds.key > feeds.pub

Exit codes: 0 made; 2 usage, or the file is there already; 4 internal fault")]
pub struct Args {
    /// Whose key it is, such as the name of a host; it stands in every signature
    name: String,
    /// Where to write the private key
    file: PathBuf,
}

/// Does it.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let signer = Signer::generate(&args.name).map_err(Failure::usage)?;
    let mut bytes = Zeroizing::new(format!("{}\n", args.name).into_bytes());
    bytes.extend_from_slice(&signer.to_pkcs8().map_err(Failure::fault)?);
    let path = args.file.display();
    let opened = File::options().write(true).create_new(true).mode(0o600).open(&args.file);
    let mut file = opened.map_err(|wrong| {
        Failure::usage(format_args!("cannot write {path}: {wrong}")).next("a key is never overwritten")
    })?;
    let written = file.write_all(&bytes).and_then(|()| file.sync_all());
    if let Err(wrong) = written {
        let _ = fs::remove_file(&args.file); // half a key is none
        return Err(Failure::fault(format_args!("cannot write {path}: {wrong}")));
    }
    console.data(&format!("{}\n", signer.verifier_key()))?;
    Ok(Exit::Pass)
}

/// The key that [`run`] wrote.
pub fn read(path: &Path) -> Result<Signer, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::usage(format_args!("no key in {}: {why}", path.display()))
            .next("`boltseal feeds keygen NAME FILE` makes one")
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let file = File::open(path).map_err(|error| wrong(&error))?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| wrong(&"no name in it"))?;
    let (name, key) = bytes.split_at_checked(end).ok_or_else(|| wrong(&"no name in it"))?;
    let name = std::str::from_utf8(name).map_err(|error| wrong(&error))?;
    Signer::from_pkcs8(name, key.get(1..).unwrap_or_default()).map_err(|error| wrong(&error))
}
