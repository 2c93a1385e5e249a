//! Who signed an image, and what they said about it.
//!
//! Somebody attaches bytes to an image: a bundle of sigstore, or the payload of cosign with its signature. That is
//! [`Evidence`], and anybody may attach any. Whom the user believes is an [`Authority`]: the holder of a key, or an identity
//! to whom a certificate authority gave a certificate for minutes. [`verify`] holds one against the other:
//!
//! ```text
//! Evidence ─┐
//! Digest   ─┼─verify─▶ Signed { by, at, logged, statement }   or Refusal, with a sentence for every authority
//! [Authority]┘
//! ```
//!
//! ```no_run
//! use std::collections::BTreeMap;
//! use boltseal_trust::{Authority, Evidence, Form, Who, verify};
//! let image = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".parse()?;
//! let bundle = std::fs::read("bundle.json")?;
//! let evidence = Evidence { form: Form::Bundle, bytes: &bundle, annotations: &BTreeMap::new() };
//! let key = std::fs::read_to_string("cosign.pub")?.parse()?;
//! let releases = Authority { name: "releases".into(), who: Who::Key { key, root: None } };
//! let signed = verify(&evidence, &image, &[releases])?;
//! println!("signed by {}", signed.by);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What counts is only what is signed: the digest in the payload or statement must be the one that was asked for, and the
//! annotations of a referrer are never evidence of anything but, in cosign's older form, of where the signature itself is.
//! A signature that nobody vouches for is refused; so is one whose proof of the log was taken away from it where a log is
//! asked for.
//!
//! | form | from | specification |
//! |---|---|---|
//! | [`Form::Bundle`] | cosign 3, GitHub, npm, `PyPI` | sigstore bundle 0.1 to 0.3, DSSE 1.0, in-toto Statement 0.1 and 1 |
//! | [`Form::SimpleSigning`] | cosign 1 and 2, signed by a key | containers/image "simple signing", `cosign/specs/SIGNATURE_SPEC.md` |
//!
//! Not read: cosign's older form with a certificate in annotations, Notary Project's JWS and COSE, SHA-512 digests. Their
//! refusal says so.
//!
//! Cryptography is that of `sigstore-verify` and aws-lc-rs; this crate owns what is believed of it. It must not know: how
//! evidence is found and stored, what a policy asks for, and the time.

mod authority;
mod bundle;
mod refusal;
mod simple;
mod statement;

use std::{collections::BTreeMap, fmt};

use boltseal_model::{Digest, Timestamp};

pub use authority::{Authority, Pattern, PatternError, PublicKey, Root, Who};
pub use refusal::{Refusal, Unfit};
pub use statement::{MAX_SUBJECTS, Statement};

/// Bytes of one piece of evidence. An SBOM of a large image, signed as an attestation, has some MB.
pub const MAX_EVIDENCE: usize = 32 << 20;

/// What somebody attached to an image.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'e> {
    /// What it claims to be.
    pub form: Form,
    /// The blob.
    pub bytes: &'e [u8],
    /// Of the descriptor of the blob. Anybody can write these.
    pub annotations: &'e BTreeMap<String, String>,
}

/// What evidence can look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A bundle of sigstore.
    Bundle,
    /// A payload whose signature is in an annotation.
    SimpleSigning,
}

impl Form {
    /// That of a blob of `media_type`.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.dev.cosign.simplesigning.v1+json" => Some(Self::SimpleSigning),
            _ if media_type.starts_with("application/vnd.dev.sigstore.bundle") => Some(Self::Bundle),
            _ => None,
        }
    }
}

/// A signature that somebody who is believed made.
#[derive(Clone, Debug, PartialEq)]
pub struct Signed {
    /// [`Authority::name`].
    pub authority: String,
    /// Who exactly.
    pub by: Signer,
    /// Moments at which others saw it, proven by log or timestamp; with a key alone there is none.
    pub at: Vec<Timestamp>,
    /// Whether it is proven to be in the log.
    pub logged: bool,
    /// What was said, where it was more than "I signed this".
    pub statement: Option<Statement>,
}

/// Who made a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The holder of a key: SHA-256 of its DER form (`SubjectPublicKeyInfo`).
    Key(Digest),
    /// Whoever an issuer of identities said it was.
    Identity {
        /// An address or a URI, as in the certificate.
        subject: String,
        /// Who said so.
        issuer: String,
    },
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(digest) => write!(f, "the key {}", digest.short()),
            Self::Identity { subject, issuer } => write!(f, "{subject}, says {issuer}"),
        }
    }
}

/// Who of `authorities` signed the image whose manifest is `image`, the first of them in order.
pub fn verify(evidence: &Evidence<'_>, image: &Digest, authorities: &[Authority]) -> Result<Signed, Refusal> {
    if evidence.bytes.len() > MAX_EVIDENCE {
        return Err(Refusal::TooLarge { bytes: evidence.bytes.len() });
    }
    let read: Box<dyn Claim> = match evidence.form {
        Form::Bundle => Box::new(bundle::Bundle::read(evidence.bytes, image)?),
        Form::SimpleSigning => Box::new(simple::Payload::read(evidence, image)?),
    };
    let mut tried = Vec::new();
    for authority in authorities {
        match read.is_of(&authority.who) {
            Ok(Proof { by, at, logged }) => {
                let (authority, statement) = (authority.name.clone(), read.statement());
                return Ok(Signed { authority, by, at, logged, statement });
            }
            Err(why) => tried.push((authority.name.clone(), why)),
        }
    }
    Err(Refusal::Nobody { tried })
}

/// Evidence that was read, and is about the image.
trait Claim {
    /// Whether `who` made it.
    fn is_of(&self, who: &Who) -> Result<Proof, Unfit>;

    fn statement(&self) -> Option<Statement>;
}

/// What is known of a signature besides its being right.
struct Proof {
    by: Signer,
    at: Vec<Timestamp>,
    logged: bool,
}
