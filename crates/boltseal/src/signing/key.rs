//! Keys in files and in tokens, and their passwords.

use std::{
    env,
    path::{Path, PathBuf},
};

use boltseal_trust::{KeyFile, MAX_KEY_FILE, PrivateKey, TokenUri};
use zeroize::Zeroizing;

use super::token;
use crate::{exit::Failure, given, terminal::ask_secret};

/// Where cosign looks for the password.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// With which key.
#[derive(Debug, clap::Args)]
pub struct Key {
    /// Private key in PEM: PKCS#8, or the encrypted form of `boltseal key generate` and cosign; or where it is in a token:
    /// `pkcs11:token=…;object=…?module-path=…` (RFC 7512)
    #[arg(long, value_name = "FILE|URI")]
    key: PathBuf,
    /// File whose first line is the password of the key, or the PIN of the token [default: `COSIGN_PASSWORD`, or asks]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Key {
    /// The key, after asking for its password where it needs one.
    pub fn open(&self) -> Result<PrivateKey, Failure> {
        open(&self.key, self.password_file.as_deref())
    }
}

/// The key in the file at `path`, whose password may be in another file; or in the token that `path` is a URI of.
pub fn open(path: &Path, password_file: Option<&Path>) -> Result<PrivateKey, Failure> {
    if let Some(uri) = path.to_str().filter(|_| TokenUri::is(path)) {
        return token::open(uri, password_file);
    }
    let shown = path.display();
    let wrong = |why: &dyn std::fmt::Display| Failure::usage(format_args!("{shown}: {why}"));
    let text = Zeroizing::new(given::bounded(path, MAX_KEY_FILE)?);
    let file = KeyFile::parse(&text).map_err(|why| wrong(&why))?;
    let password = match (password_file, file.is_sealed()) {
        (_, false) => Zeroizing::default(),
        (given, true) => password(given, &format!("Password of {shown}"))?,
    };
    file.open(&password).map_err(|why| wrong(&why))
}

/// The password from a file, from the environment, or from the terminal.
pub fn password(file: Option<&Path>, what: &str) -> Result<Zeroizing<String>, Failure> {
    if let Some(path) = file {
        let text = Zeroizing::new(given::bounded(path, MAX_KEY_FILE)?);
        return Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()));
    }
    match env::var(PASSWORD) {
        Ok(password) => Ok(Zeroizing::new(password)),
        Err(_) => ask_secret(what, "give --password-file FILE, or set COSIGN_PASSWORD"),
    }
}
