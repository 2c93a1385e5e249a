//! Whom the user believes.

use std::{fmt, str::FromStr, sync::Arc};

use boltseal_model::{Digest, Timestamp};
use cms::cert::x509::{der::Decode as _, spki::SubjectPublicKeyInfoOwned};
use regex::Regex;
use sigstore_verify::{Verifier, crypto::KeyAlgorithm, trust_root::TrustedRoot, types::DerPublicKey};

use crate::{
    Clocks, Refusal, Window,
    notary::Trust,
    pem,
    x509::{Hash, Scheme},
};

/// Bytes of a pattern once it is compiled.
const MAX_PATTERN: usize = 64 << 10;

/// Somebody who is believed.
#[derive(Clone, Debug)]
pub struct Authority {
    /// What people call it: in messages, and in policies.
    pub name: String,
    /// Who that is.
    pub who: Who,
    /// When what they signed counts.
    pub window: Window,
}

impl Authority {
    /// Somebody who is believed whenever they signed.
    pub fn new(name: impl Into<String>, who: Who) -> Self {
        Self { name: name.into(), who, window: Window::default() }
    }
}

/// How one is known.
#[derive(Clone, Debug)]
pub enum Who {
    /// By a key.
    Key {
        /// The public half.
        key: PublicKey,
        /// With a root, the signature must be proven to be in its log; times that its authorities give are checked.
        root: Option<Arc<Root>>,
        /// Without a root: whose word counts about when it was signed. Then what a clock says must be right.
        clocks: Option<Arc<Clocks>>,
    },
    /// By an identity in a certificate of the root's authority.
    Identity {
        /// An address or a URI.
        subject: Pattern,
        /// Who vouches for it, such as `https://token.actions.githubusercontent.com`.
        issuer: Pattern,
        /// Whose certificates, logs and clocks are believed.
        root: Arc<Root>,
    },
    /// By a trust policy of Notary Project.
    Notary {
        /// The policy's statement for the image, and its stores.
        trust: Arc<Trust>,
        /// When signatures and certificates must not have expired.
        now: Timestamp,
    },
    /// By a trust policy of Notary Project that says nothing about the image: nobody.
    Unspoken {
        /// What it says nothing about: a repository with its registry, or in words what the image is instead.
        about: String,
    },
}

impl Who {
    /// The holder of `key`; nobody vouches for more than that.
    pub const fn key(key: PublicKey) -> Self {
        Self::Key { key, root: None, clocks: None }
    }
}

/// A public key: ECDSA P-256, P-384 or P-521, Ed25519, RSA.
#[derive(Clone)]
pub struct PublicKey(pub(crate) DerPublicKey);

impl PublicKey {
    /// SHA-256 of the key in DER (`SubjectPublicKeyInfo`, RFC 5280 section 4.1.2.7).
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// In DER.
    pub fn der(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// How logs of sigstore name it and the signatures that it makes (`PublicKeyDetails` of `sigstore_common.proto`).
    pub fn details(&self) -> Option<&'static str> {
        match KeyAlgorithm::from_spki(&self.0).ok()? {
            KeyAlgorithm::EcdsaP256 => Some("PKIX_ECDSA_P256_SHA_256"),
            KeyAlgorithm::EcdsaP384 => Some("PKIX_ECDSA_P384_SHA_384"),
            KeyAlgorithm::Ed25519 => Some("PKIX_ED25519"),
            KeyAlgorithm::Rsa => {
                match Scheme::of_key(&SubjectPublicKeyInfoOwned::from_der(self.der()).ok()?).ok()? {
                    Scheme::Ps256 => Some("PKIX_RSA_PKCS1V15_2048_SHA256"),
                    Scheme::Ps384 => Some("PKIX_RSA_PKCS1V15_3072_SHA256"),
                    Scheme::Ps512 => Some("PKIX_RSA_PKCS1V15_4096_SHA256"),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What its signatures in bundles hash with.
    pub(crate) fn hash(&self) -> Option<Hash> {
        match KeyAlgorithm::from_spki(&self.0).ok()? {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::Rsa => Some(Hash::Sha256),
            KeyAlgorithm::EcdsaP384 => Some(Hash::Sha384),
            _ => None,
        }
    }

    /// As PEM, which [`FromStr`] reads.
    pub fn to_pem(&self) -> String {
        pem::written("PUBLIC KEY", self.0.as_bytes()).to_string()
    }
}

impl FromStr for PublicKey {
    type Err = Refusal;

    /// From PEM.
    fn from_str(pem: &str) -> Result<Self, Refusal> {
        let malformed = |why: String| Refusal::Malformed { what: "the public key", why };
        let key = DerPublicKey::from_pem(pem).map_err(|error| malformed(error.to_string()))?;
        sigstore_verify::crypto::VerificationKey::from_spki(&key)
            .map_err(|error| malformed(error.to_string()))?;
        Ok(Self(key))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.digest().short())
    }
}

/// Certificate authorities, logs and clocks with the times of their keys: `trusted_root.json` of a sigstore instance.
pub struct Root(pub(crate) Verifier);

impl Root {
    /// Reads the file's text.
    pub fn parse(json: &str) -> Result<Self, Refusal> {
        let malformed = |why: String| Refusal::Malformed { what: "the trusted root", why };
        let root = TrustedRoot::from_json(json).map_err(|error| malformed(error.to_string()))?;
        Ok(Self(Verifier::new(&root).map_err(|error| malformed(error.to_string()))?))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Root")
    }
}

/// What an identity or an issuer must be.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// This, letter by letter.
    Exact(String),
    /// All of it matches; see [`Pattern::anchored`].
    Matching(Regex),
}

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern: {why}")]
pub struct PatternError {
    /// As written.
    pub pattern: String,
    /// What is wrong.
    pub why: String,
}

impl Pattern {
    /// From a regular expression that must match the whole text. Without that,
    /// `https://github.com/acme/` would also accept `https://evil.example/?https://github.com/acme/`.
    pub fn anchored(pattern: &str) -> Result<Self, PatternError> {
        let broken =
            |error: regex::Error| PatternError { pattern: pattern.to_owned(), why: error.to_string() };
        // Alone first: `a)|(b` would become valid, and mean something else, inside of the group below.
        let compile = |text: &str| regex::RegexBuilder::new(text).size_limit(MAX_PATTERN).build();
        compile(pattern).map_err(broken)?;
        compile(&format!(r"\A(?:{pattern})\z")).map(Self::Matching).map_err(broken)
    }

    /// Whether `text` is it.
    pub fn is(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Matching(pattern) => pattern.is_match(text),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(wanted) => f.write_str(wanted),
            Self::Matching(pattern) => {
                let text = pattern.as_str();
                f.write_str(
                    text.strip_prefix(r"\A(?:").and_then(|text| text.strip_suffix(r")\z")).unwrap_or(text),
                )
            }
        }
    }
}
