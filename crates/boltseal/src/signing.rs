//! What `sign`, `attest` and `build-record` share: which key, which image, and where the bundle goes.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use boltseal_flow::signing::attach;
use boltseal_image::remote::{Name, Repository};
use boltseal_model::{Digest, Reference, Timestamp};
use boltseal_trust::{KeyFile, MAX_KEY_FILE, PrivateKey, Statement, sign};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    cli::Global,
    commands::image::place::{Connection, image},
    exit::Failure,
    given,
    output::paint::{Paint, clean},
    terminal::ask_secret,
};

/// Where cosign looks for the password.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// With which key.
#[derive(Debug, clap::Args)]
pub struct Key {
    /// Private key in PEM: PKCS#8, or the encrypted form of `boltseal key generate` and cosign
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// File whose first line is the password of the key [default: `COSIGN_PASSWORD`, or asks]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Key {
    /// The key, after asking for its password where it needs one.
    pub fn open(&self) -> Result<PrivateKey, Failure> {
        let path = self.key.display();
        let wrong = |why: &dyn std::fmt::Display| Failure::usage(format_args!("{path}: {why}"));
        let text = Zeroizing::new(given::bounded(&self.key, MAX_KEY_FILE)?);
        let file = KeyFile::parse(&text).map_err(|why| wrong(&why))?;
        let password = match (&self.password_file, file.is_sealed()) {
            (_, false) => Zeroizing::default(),
            (given, true) => password(given.as_deref(), &format!("Password of {path}"))?,
        };
        file.open(&password).map_err(|why| wrong(&why))
    }
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

/// The repository of the image that people call `text`, with its registry; a bare digest is in none.
pub fn repository_of(text: &str) -> Result<Option<String>, Failure> {
    match text.parse::<Digest>() {
        Ok(_) => Ok(None),
        Err(_) => Ok(Some(image(text)?.name())),
    }
}

/// The image that something is said about.
pub struct Subject {
    /// As people wrote it; a bare digest is in no registry.
    reference: Option<Reference>,
    /// Where it is, if anybody had to ask.
    repository: Option<Repository>,
    /// Its manifest.
    pub digest: Digest,
}

impl Subject {
    /// Reads `text`. With `offline`, an image that is named by its digest is not looked for.
    pub fn find(
        text: &str,
        offline: bool,
        connection: &Connection,
        global: &Global,
    ) -> Result<Self, Failure> {
        if let Ok(digest) = text.parse::<Digest>() {
            if offline {
                return Ok(Self { reference: None, repository: None, digest });
            }
            return Err(Failure::usage(format_args!("`{text}` is a digest, and says no registry"))
                .next("write REGISTRY/REPOSITORY@DIGEST, or keep the signature in a file with --bundle"));
        }
        let reference = image(text)?;
        if let (true, Name::Digest(digest)) = (offline, Name::of(&reference)) {
            let digest = digest.clone();
            return Ok(Self { reference: Some(reference), repository: None, digest });
        }
        let repository = connection.repository(&reference, global)?;
        let digest = repository.head(Name::of(&reference))?.digest;
        Ok(Self { reference: Some(reference), repository: Some(repository), digest })
    }

    /// Where it is. Whoever is offline has not asked.
    pub const fn repository(&self) -> Option<&Repository> {
        self.repository.as_ref()
    }

    /// As people wrote it.
    pub fn told(&self) -> String {
        self.reference.as_ref().map_or_else(|| self.digest.to_string(), ToString::to_string)
    }

    /// Signs `statement` about the image; the bundle goes into `file`, or else beside the image.
    pub fn say(&self, statement: &Statement, key: &PrivateKey, file: Option<&Path>) -> Result<Said, Failure> {
        let name = self.reference.as_ref().map(Reference::name);
        let bundle = sign(statement, &self.digest, name.as_deref(), key).map_err(Failure::usage)?;
        let mut said = Said {
            image: self.told(),
            digest: self.digest.clone(),
            predicate_type: statement.predicate_type.clone(),
            key: key.public().digest(),
            referrer: None,
            bundle: None,
        };
        match (file, &self.repository) {
            (Some(path), _) => {
                fs::write(path, bundle).map_err(|wrong| {
                    Failure::fault(format_args!("cannot write {}: {wrong}", path.display()))
                })?;
                said.bundle = Some(path.display().to_string());
            }
            (None, Some(repository)) => {
                let kind = &statement.predicate_type;
                let attached = attach(repository, &self.digest, &bundle, kind, Timestamp::now())?;
                said.referrer = Some(attached.digest);
            }
            (None, None) => return Err(Failure::usage("the signature has nowhere to go")),
        }
        Ok(said)
    }
}

/// What was signed, and where that is.
#[derive(Serialize)]
pub struct Said {
    image: String,
    digest: Digest,
    predicate_type: String,
    /// SHA-256 of the public half in DER.
    key: Digest,
    /// The artifact beside the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    referrer: Option<Digest>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
}

/// For people.
pub fn said(said: &Said, paint: Paint) -> String {
    let place = match (&said.referrer, &said.bundle) {
        (Some(referrer), _) => format!("referrer {referrer}"),
        (None, Some(file)) => format!("file {file}"),
        (None, None) => String::new(),
    };
    let kind = boltseal_trust::predicate::name_of(&said.predicate_type);
    let what = if kind.ends_with("/cosign/sign/v1") { "signature" } else { kind };
    format!(
        "{}\n  {}\n  {} by the key {}\n  {place}\n",
        paint.bold(&format!("signed {}", clean(&said.image))),
        said.digest,
        clean(what),
        said.key.short(),
    )
}
