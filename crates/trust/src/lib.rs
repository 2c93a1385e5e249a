//! Who signed an image, and what they said about it.
//!
//! Somebody attaches bytes to an image: a bundle of sigstore, or an envelope of Notary Project. That is [`Evidence`], and
//! anybody may attach any. Whom the user believes is an [`Authority`]: the holder of a key, an identity to whom a certificate
//! authority gave a certificate for minutes, or who a trust policy names. [`verify`] holds one against the other:
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
//! annotations of a referrer are never evidence of anything; in cosign's older forms they hold the signature itself, and what
//! belongs to it, and are checked like everything else.
//! A signature that nobody vouches for is refused; so is one whose proof of the log was taken away from it where a log is
//! asked for.
//!
//! | form | from | specification |
//! |---|---|---|
//! | [`Form::Bundle`] | cosign 3, GitHub, npm, `PyPI` | sigstore bundle 0.1 to 0.3, DSSE 1.0, in-toto Statement 0.1 and 1 |
//! | [`Form::SimpleSigning`] | cosign 1 and 2 | containers/image "simple signing", `cosign/specs/SIGNATURE_SPEC.md` |
//! | [`Form::Envelope`] | attestations of cosign 1 and 2 | DSSE 1.0, `cosign/specs/ATTESTATION_SPEC.md` |
//! | [`Form::NotaryJws`], [`Form::NotaryCose`] | notation | Notary Project, see [`notary`] |
//!
//! Not read: SHA-512 digests in bundles, and envelopes with several signatures. Their refusal says so.
//!
//! The other direction is [`sign`]: the holder of a [`PrivateKey`] says a [`Statement`] about an image, in a bundle that
//! cosign 3 verifies.
//!
//! Cryptography is that of `sigstore-verify` and aws-lc-rs; this crate owns what is believed of it. It must not know: how
//! evidence is found and stored, what a policy asks for, and the time.

mod authority;
mod bundle;
mod key;
pub mod notary;
mod older;
mod pem;
pub mod predicate;
mod record;
mod refusal;
mod sign;
mod statement;
mod x509;

use std::{collections::BTreeMap, fmt};

use boltseal_model::{Digest, Timestamp};

pub use authority::{Authority, Pattern, PatternError, PublicKey, Root, Who};
pub use key::{KeyError, KeyFile, KeyKind, MAX_KEY_FILE, PrivateKey, SealedKey};
pub use record::{BUILD_TYPE, BuildRecord, Material};
pub use refusal::{Refusal, Unfit};
pub use sign::{BUNDLE_TYPE, sign};
pub use statement::{MAX_SUBJECTS, Statement};
pub use x509::{Certificate, DistinguishedName, MAX_CHAIN, Revoked, RevokedError};

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
    /// An envelope of DSSE around a statement; with a certificate, that is in an annotation.
    Envelope,
    /// An envelope of Notary Project, in JWS.
    NotaryJws,
    /// The same in COSE.
    NotaryCose,
}

impl Form {
    /// That of a blob of `media_type`.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.dev.cosign.simplesigning.v1+json" => Some(Self::SimpleSigning),
            "application/vnd.dsse.envelope.v1+json" => Some(Self::Envelope),
            "application/jose+json" => Some(Self::NotaryJws),
            "application/cose" => Some(Self::NotaryCose),
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
    /// What the user lets pass though it does not hold, and what nobody could look up, each in a sentence.
    pub remarks: Vec<String>,
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
        Form::SimpleSigning => Box::new(older::Older::payload(evidence, image)?),
        Form::Envelope => Box::new(older::Older::envelope(evidence, image)?),
        Form::NotaryJws | Form::NotaryCose => Box::new(notary::Signature::read(evidence, image)?),
    };
    let mut tried = Vec::new();
    for authority in authorities {
        match read.is_of(&authority.who) {
            Ok(Proof { by, at, logged, remarks }) => {
                let (authority, statement) = (authority.name.clone(), read.statement());
                return Ok(Signed { authority, by, at, logged, statement, remarks });
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
    remarks: Vec<String>,
}
