//! What `sign`, `attest` and `build-record` share: who signs, which image, and where what was signed goes.

mod by;
mod checked;
mod key;
mod notary;
mod token;

use std::{fs, path::Path};

use boltseal_flow::signing::attach;
use boltseal_image::remote::{Name, Repository};
use boltseal_model::{Digest, Reference, Timestamp};
use boltseal_trust::{BUNDLE_TYPE, Signer, Statement};
use serde::Serialize;

use crate::{
    cli::Global,
    commands::image::place::{Connection, image},
    exit::Failure,
    output::paint::{Paint, clean},
};

pub use by::{By, Ready};
pub use checked::root;
pub use key::{Key, open as open_key, password};
pub use notary::Notary;

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
        let name = Name::of(&reference);
        let digest = repository.head(name).map(|head| head.digest).or_else(|refused| {
            // A gate that holds an image back because it is not signed lets whoever may sign it read that much.
            let held = refused.status() == Some(403);
            let read = held.then(|| repository.subject(name).ok()).flatten();
            read.map(|subject| subject.digest).ok_or(refused)
        })?;
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
    pub fn say(&self, statement: &Statement, by: &Ready, file: Option<&Path>) -> Result<Said, Failure> {
        let name = self.reference.as_ref().map(Reference::name);
        let bundle = by.bundle(statement, &self.digest, name.as_deref())?;
        let mut said = Said::of(self, by, BUNDLE_TYPE);
        said.predicate_type = Some(statement.predicate_type.clone());
        match (file, &self.repository) {
            (Some(path), _) => said.keep(path, &bundle)?,
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

/// What was signed, by whom, who vouches for it, and where that is.
#[derive(Serialize)]
pub struct Said {
    image: String,
    digest: Digest,
    /// What the signature is written as.
    media_type: &'static str,
    /// Of a statement in a bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<String>,
    /// SHA-256 of the public half in DER.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Digest>,
    /// Whom the certificate of the key is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    /// Whom a certificate for minutes names, and who vouches for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    /// The log that took it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    /// Clocks that saw it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clocks: Vec<String>,
    /// The artifact beside the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    referrer: Option<Digest>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
}

#[derive(Serialize)]
struct Identity {
    subject: String,
    issuer: String,
}

impl Said {
    fn of(subject: &Subject, by: &Ready, media_type: &'static str) -> Self {
        let (key, identity) = match by.signer() {
            Signer::Key(key) => (Some(key), None),
            Signer::Identity { subject, issuer } => (None, Some(Identity { subject, issuer })),
        };
        Self {
            image: subject.told(),
            digest: subject.digest.clone(),
            media_type,
            predicate_type: None,
            key,
            certificate: None,
            identity,
            log: by.log().map(str::to_owned),
            clocks: by.clocks().to_vec(),
            referrer: None,
            bundle: None,
        }
    }

    /// Writes it into a file.
    fn keep(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        fs::write(path, bytes)
            .map_err(|wrong| Failure::fault(format_args!("cannot write {}: {wrong}", path.display())))?;
        self.bundle = Some(path.display().to_string());
        Ok(())
    }

    fn by(&self) -> String {
        match (&self.identity, &self.certificate, &self.key) {
            (Some(Identity { subject, issuer }), ..) => format!("{subject}, says {issuer}"),
            (_, Some(subject), Some(key)) => format!("{subject} with the key {}", key.short()),
            (_, _, Some(key)) => format!("the key {}", key.short()),
            _ => "nobody".to_owned(),
        }
    }
}

/// For people.
pub fn said(said: &Said, paint: Paint) -> String {
    let kind = said.predicate_type.as_deref().map(boltseal_trust::predicate::name_of);
    let what = match kind {
        Some(kind) if !kind.ends_with("/cosign/sign/v1") => kind,
        Some(_) => "signature",
        None => "signature of Notary Project",
    };
    let mut lines = vec![
        paint.bold(&format!("signed {}", clean(&said.image))),
        said.digest.to_string(),
        format!("{} by {}", clean(what), clean(&said.by())),
    ];
    lines.extend(said.log.iter().map(|log| format!("taken in by the log {}", clean(log))));
    lines.extend(said.clocks.iter().map(|clock| format!("seen by the clock {}", clean(clock))));
    lines.extend(said.referrer.iter().map(|referrer| format!("referrer {referrer}")));
    lines.extend(said.bundle.iter().map(|file| format!("file {file}")));
    format!("{}\n", lines.join("\n  "))
}
