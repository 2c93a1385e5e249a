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
//! let releases = Authority::new("releases", Who::key(key));
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
//! An [`Authority`] may have a [`Window`]: a key that ran out or was revoked counts for what is proven to be signed before.
//!
//! Not read: SHA-512 digests in bundles, and envelopes with several signatures. Their refusal says so.
//!
//! The other direction is [`sign`]: the holder of a [`PrivateKey`] says a [`Statement`] about an image, in a bundle that
//! cosign 3 verifies; [`Said`] is the same in steps, between which a log and a clock vouch for it. [`notary::Holder`] signs in
//! Notary Project's form.
//!
//! Cryptography is that of `sigstore-verify` and aws-lc-rs; this crate owns what is believed of it. It must not know: how
//! evidence is found and stored, what a policy asks for, and the time.

mod authority;
mod bundle;
mod clock;
mod key;
pub mod notary;
mod older;
mod pem;
pub mod predicate;
mod record;
mod refusal;
mod sign;
mod statement;
mod window;
mod x509;

use std::{collections::BTreeMap, fmt};

pub use boltseal_model::Window;
use boltseal_model::{Digest, Timestamp};

pub use authority::{Authority, Pattern, PatternError, PublicKey, Root, Who};
pub use clock::{ClockError, Clocks, MAX_ANSWER, Question, Stamped};
pub use key::{
    KeyError, KeyFile, KeyKind, MAX_KEY_FILE, PrivateKey, RemoteKey, RemotePublic, SealedKey, TokenUri,
    TokenUriError, Wanted,
};
pub use record::{BUILD_TYPE, BuildRecord, Material};
pub use refusal::{Refusal, Unfit};
pub use sign::{BUNDLE_TYPE, Passport, Said, sign};
pub use statement::{MAX_SUBJECTS, Statement};
pub use window::within;
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

    /// What a blob of this form is called.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Bundle => BUNDLE_TYPE,
            Self::SimpleSigning => "application/vnd.dev.cosign.simplesigning.v1+json",
            Self::Envelope => "application/vnd.dsse.envelope.v1+json",
            Self::NotaryJws => "application/jose+json",
            Self::NotaryCose => "application/cose",
        }
    }

    /// What a file with these bytes seems to be: a bundle, unless it is plainly an envelope of Notary Project.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct Flattened {
            #[serde(rename = "protected")]
            _protected: serde::de::IgnoredAny,
            #[serde(rename = "payload")]
            _payload: serde::de::IgnoredAny,
        }
        // The tag of a `COSE_Sign1` (RFC 9052, section 2).
        if bytes.first() == Some(&0xd2) {
            return Self::NotaryCose;
        }
        if serde_json::from_slice::<Flattened>(bytes).is_ok() { Self::NotaryJws } else { Self::Bundle }
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
    let claim = read(evidence, image)?;
    let mut found = held(claim.as_ref(), authorities, true)?;
    Ok(found.swap_remove(0)) // there is one, or else a refusal
}

/// What `key` says about `image` in `bundle`: that it can be read, is about the image and is signed by the key, whatever a log,
/// a clock or an authority says. For whoever made it; of who holds the key it proves nothing.
pub fn holds(bundle: &[u8], image: &Digest, key: &PublicKey) -> Result<Option<Statement>, Refusal> {
    if bundle.len() > MAX_EVIDENCE {
        return Err(Refusal::TooLarge { bytes: bundle.len() });
    }
    let claim = bundle::Bundle::read(bundle, image)?;
    let wrong = |why| Refusal::Nobody { tried: vec![("the key itself".to_owned(), why)] };
    claim.signature(key).map_err(wrong)?;
    claim.statement()
}

/// What evidence is worth to several, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// All of the authorities who signed it, in order: at least one.
    pub outcome: Result<Vec<Signed>, Refusal>,
    /// The first moment after which it may be worth something else although nothing changed: a signature runs out, a
    /// certificate begins to be valid. Without one it is worth the same for ever.
    pub until: Option<Timestamp>,
}

/// Who of `authorities` signed it, each of them: a rule may ask for several.
pub fn weigh(evidence: &Evidence<'_>, image: &Digest, authorities: &[Authority]) -> Weighed {
    match read(evidence, image) {
        Err(why) => Weighed { outcome: Err(why), until: None },
        Ok(claim) => {
            let outcome = held(claim.as_ref(), authorities, false);
            let until = authorities.iter().filter_map(|one| claim.turns(&one.who)).min();
            Weighed { outcome, until }
        }
    }
}

/// Holds what was read against each of `authorities`; with `first`, until somebody is found.
fn held(claim: &dyn Claim, authorities: &[Authority], first: bool) -> Result<Vec<Signed>, Refusal> {
    let mut order: Vec<(usize, &Authority)> = authorities.iter().enumerate().collect();
    // The key that the evidence names goes first. That name is nobody's word: it saves work, and decides nothing.
    let named = |who: &Who| matches!(who, Who::Key { key, .. } if claim.hints(&key.digest()));
    order.sort_by_cached_key(|(_, authority)| !named(&authority.who));
    let mut found: Vec<(usize, &Authority, Proof)> = Vec::new();
    let mut tried: Vec<(usize, String, Unfit)> = Vec::new();
    let mut maker: Option<Digest> = None;
    for (place, authority) in order {
        let outcome = match (&authority.who, &maker) {
            // One signature is of one key.
            (Who::Key { key, .. }, Some(maker)) if key.digest() != *maker => {
                Err(Unfit::Signature(format!("the key {} made it", maker.short())))
            }
            (who, _) => claim.is_of(who),
        };
        if let (Who::Key { key, .. }, Ok(_)) = (&authority.who, &outcome) {
            maker = Some(key.digest());
        }
        match outcome.and_then(|proof| within(&authority.window, &proof.at).map(|()| proof)) {
            Ok(proof) => found.push((place, authority, proof)),
            Err(why) => tried.push((place, authority.name.clone(), why)),
        }
        if first && !found.is_empty() {
            break;
        }
    }
    if found.is_empty() {
        tried.sort_by_key(|(place, ..)| *place);
        let tried = tried.into_iter().map(|(_, name, why)| (name, why)).collect();
        return Err(Refusal::Nobody { tried });
    }
    found.sort_by_key(|(place, ..)| *place);
    let statement = claim.statement()?;
    let signed = |(_, authority, proof): (usize, &Authority, Proof)| {
        let Proof { by, at, logged, remarks } = proof;
        Signed { authority: authority.name.clone(), by, at, logged, statement: statement.clone(), remarks }
    };
    Ok(found.into_iter().map(signed).collect())
}

fn read(evidence: &Evidence<'_>, image: &Digest) -> Result<Box<dyn Claim>, Refusal> {
    if evidence.bytes.len() > MAX_EVIDENCE {
        return Err(Refusal::TooLarge { bytes: evidence.bytes.len() });
    }
    Ok(match evidence.form {
        Form::Bundle => Box::new(bundle::Bundle::read(evidence.bytes, image)?),
        Form::SimpleSigning => Box::new(older::Older::payload(evidence, image)?),
        Form::Envelope => Box::new(older::Older::envelope(evidence, image)?),
        Form::NotaryJws | Form::NotaryCose => Box::new(notary::Signature::read(evidence, image)?),
    })
}

/// Evidence that was read, and is about the image.
trait Claim {
    /// Whether `who` made it.
    fn is_of(&self, who: &Who) -> Result<Proof, Unfit>;

    /// When what `who` makes of it may be something else; `None` where that does not depend on the time.
    fn turns(&self, _who: &Who) -> Option<Timestamp> {
        None
    }

    /// Whether it names the key with this digest as its own, which proves nothing.
    fn hints(&self, _key: &Digest) -> bool {
        false
    }

    /// What is said, where that is more than "I signed this".
    fn statement(&self) -> Result<Option<Statement>, Refusal>;
}

/// What is known of a signature besides its being right.
struct Proof {
    by: Signer,
    at: Vec<Timestamp>,
    logged: bool,
    remarks: Vec<String>,
}
