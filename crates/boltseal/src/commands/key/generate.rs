//! `boltseal key generate`

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use boltseal_trust::{KeyKind, PrivateKey};
use clap::ValueEnum;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    signing::password,
};

/// What key to make.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes NAME.key, which only you can read and which is encrypted under the password, and NAME.pub for those who verify. \
cosign reads both, and `boltseal sign` reads those that `cosign generate-key-pair` makes.

Example:
  boltseal key generate releases

Exit codes: 0 made; 2 usage, or a file is there already; 4 internal fault")]
pub struct Args {
    /// Name of both files, without `.key` and `.pub`
    #[arg(value_name = "NAME", default_value = "boltseal")]
    name: PathBuf,
    /// What it is made of; cosign itself makes the first
    #[arg(long, value_name = "KIND", default_value = "ecdsa-p256")]
    kind: Kind,
    /// File whose first line is the password [default: `COSIGN_PASSWORD`, or asks]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    EcdsaP256,
    EcdsaP384,
    Ed25519,
}

/// Makes it.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let [key_file, public_file] = ["key", "pub"].map(|end| {
        let mut name = args.name.clone().into_os_string();
        name.push(".");
        name.push(end);
        PathBuf::from(name)
    });
    for path in [&key_file, &public_file] {
        if path.exists() {
            return Err(Failure::usage(format_args!("{} is there already", path.display()))
                .next("a key is never overwritten: choose another name"));
        }
    }
    let password = password(args.password_file.as_deref(), "Password for the key")?;
    let kind = match args.kind {
        Kind::EcdsaP256 => KeyKind::EcdsaP256,
        Kind::EcdsaP384 => KeyKind::EcdsaP384,
        Kind::Ed25519 => KeyKind::Ed25519,
    };
    let (key, public) = PrivateKey::generate(kind, &password).map_err(Failure::fault)?;
    write(&key_file, key.as_bytes(), 0o600)?;
    if let Err(wrong) = write(&public_file, public.to_pem().as_bytes(), 0o644) {
        let _ = fs::remove_file(&key_file); // half a pair is none
        return Err(wrong);
    }
    console.data(&format!(
        "private key: {}\npublic key:  {} ({})\n",
        key_file.display(),
        public_file.display(),
        public.digest().short()
    ))?;
    Ok(Exit::Pass)
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let opened = File::options().write(true).create_new(true).mode(mode).open(path);
    let mut file =
        opened.map_err(|wrong| Failure::usage(format_args!("cannot write {}: {wrong}", path.display())))?;
    if let Err(wrong) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        let _ = fs::remove_file(path); // half a key is none
        return Err(Failure::fault(format_args!("cannot write {}: {wrong}", path.display())));
    }
    Ok(())
}
