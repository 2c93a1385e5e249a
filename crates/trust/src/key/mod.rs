//! Keys that sign, and the files that they are in.
//!
//! ```no_run
//! use boltseal_trust::{KeyFile, KeyKind, PrivateKey};
//! let (file, public) = PrivateKey::generate(KeyKind::EcdsaP256, "correct horse")?;
//! let key = KeyFile::parse(&file)?.open("correct horse")?;
//! assert_eq!(key.public().digest(), public.digest());
//! # Ok::<(), boltseal_trust::KeyError>(())
//! ```
//!
//! A key that stays in a token is a [`RemoteKey`]: whoever speaks with the token signs, and [`PrivateKey::remote`] is used as any other.
//! Which one it is, a [`TokenUri`] says.

mod pair;
mod remote;
mod sealed;
mod uri;

use std::fmt;

use aws_lc_rs::{
    pkcs8::Document,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    },
};
use zeroize::Zeroizing;

use self::{pair::Pair, sealed::Sealed};
pub use self::{
    remote::{RemoteKey, RemotePublic, Wanted},
    uri::{TokenUri, TokenUriError},
};
use crate::{PublicKey, pem, x509::Scheme};

/// Bytes of a file with a key. cosign's encrypted form of a key has about 700.
pub const MAX_KEY_FILE: usize = 64 << 10;

/// What keys are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256 with SHA-256: what cosign makes, and every verifier knows.
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
}

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("the private key cannot be read: {0}")]
    Malformed(String),
    /// A kind of key or file that this program has no use for.
    #[error(
        "{0} is not a private key that this program signs with: take ECDSA P-256, P-384 or P-521, Ed25519, or RSA of 2048 bits \
         or more, as PKCS#8"
    )]
    Unsupported(String),
    /// The password does not open it, or somebody changed the file.
    #[error("the password of the private key is wrong, or its file was changed")]
    Password,
    /// The cryptographic library failed.
    #[error("cannot {0} with the private key")]
    Failed(&'static str),
    /// Whoever holds the key did not sign.
    #[error("whoever holds the key did not sign: {0}")]
    Remote(String),
    /// What is to be signed is about something that has no place in a bundle.
    #[error("{0}")]
    Unfit(String),
}

/// A file with a private key, which may need a password.
pub enum KeyFile {
    /// PKCS#8, SEC 1 or PKCS#1, in DER.
    Plain(Zeroizing<Vec<u8>>),
    /// cosign's encrypted form.
    Sealed(Box<SealedKey>),
}

/// A key under a password.
pub struct SealedKey(Sealed);

impl KeyFile {
    /// Reads PEM: `PRIVATE KEY`, `EC PRIVATE KEY`, `RSA PRIVATE KEY`, or cosign's `ENCRYPTED SIGSTORE PRIVATE KEY`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY_FILE {
            return Err(KeyError::Malformed(format!("{} bytes are more than {MAX_KEY_FILE}", text.len())));
        }
        let mut other = None;
        for block in pem::blocks(text).map_err(KeyError::Malformed)? {
            match block.label.as_str() {
                "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => return Ok(Self::Plain(block.bytes)),
                "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                    return Ok(Self::Sealed(Box::new(SealedKey(Sealed::parse(&block.bytes)?))));
                }
                "EC PARAMETERS" => {} // openssl writes these above the key
                label => other = Some(label.to_owned()),
            }
        }
        Err(match other {
            Some(label) => KeyError::Unsupported(format!("a block `{label}`")),
            None => KeyError::Malformed("there is no block of PEM".to_owned()),
        })
    }

    /// Whether it needs a password.
    pub const fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// The key. Without need for a password, none is looked at.
    pub fn open(&self, password: &str) -> Result<PrivateKey, KeyError> {
        match self {
            Self::Plain(der) => PrivateKey::from_der(der),
            Self::Sealed(sealed) => PrivateKey::from_der(&sealed.0.open(password.as_bytes())?),
        }
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_sealed() { "KeyFile(sealed)" } else { "KeyFile(plain)" })
    }
}

/// A key that signs. It cannot be printed.
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
}

impl PrivateKey {
    /// Makes a key, and the text of a file that holds it under `password`, in cosign's form.
    pub fn generate(kind: KeyKind, password: &str) -> Result<(Zeroizing<String>, PublicKey), KeyError> {
        let failed = |_| KeyError::Failed("make one");
        let document: Document = match kind {
            KeyKind::EcdsaP256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
            }
            KeyKind::EcdsaP384 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &SystemRandom::new())
            }
            // The older version of PKCS#8: Go reads no other.
            KeyKind::Ed25519 => Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()),
        }
        .map_err(failed)?;
        let key = Self::from_der(document.as_ref())?;
        Ok((sealed::seal(document.as_ref(), password.as_bytes())?, key.public))
    }

    /// Makes a key that lives as long as this process.
    pub fn passing() -> Result<Self, KeyError> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        Self::from_der(made.map_err(|_| KeyError::Failed("make one"))?.as_ref())
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let pair = Pair::from_der(der).ok_or_else(|| KeyError::Unsupported("this".to_owned()))?;
        let public = pair.public().ok_or(KeyError::Failed("find the public half"))?;
        Ok(Self { pair, public: PublicKey(public) })
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` as sigstore does: ECDSA signatures are in DER, RSA's are of PKCS#1 1.5 with SHA-256.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.pair.sign(message)
    }

    /// Proves to whoever asks that its holder is here: a signature over what they ask for.
    pub fn prove(&self, challenge: &str) -> Result<Vec<u8>, KeyError> {
        self.sign(challenge.as_bytes())
    }

    /// How envelopes of Notary Project are signed with it.
    pub(crate) fn scheme(&self) -> Result<Scheme, KeyError> {
        self.pair.scheme().ok_or_else(|| {
            KeyError::Unfit(
                "this key signs nothing in Notary Project: take RSA of 2048, 3072 or 4096 bits, or ECDSA P-256, P-384 or P-521"
                    .to_owned(),
            )
        })
    }

    /// Signs `message` so: ECDSA as two numbers of fixed length, RSA with PSS.
    pub(crate) fn sign_as(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.pair.sign_as(scheme, message)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {:?})", self.public)
    }
}
