//! Keys that sign notes, and keys that check them: C2SP signed-note "Verifier keys", types 0x01 and 0x04.

use std::{fmt, str::FromStr};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Timestamp;
use zeroize::Zeroizing;

use super::{hash::sha256, note::Signature};

/// The longest key name. Names are schema-less URLs and stand in every checkpoint.
pub const MAX_NAME: usize = 255;
/// Bytes of an Ed25519 public key.
const PUBLIC_KEY: usize = 32;
/// Bytes of an Ed25519 signature.
const SIGNATURE: usize = 64;
/// Bytes of the time before the signature in a cosignature.
const TIME: usize = 8;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// 0x01: Ed25519 over the text of the note. A log's own key.
    Note,
    /// 0x04: Ed25519 over the text and the time (C2SP tlog-cosignature, `cosignature/v1`). A witness's key.
    Cosignature,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// Why something is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, too long, or with a space, a plus or a control character.
    #[error("a key name has 1 to {MAX_NAME} bytes, without spaces, `+` and control characters")]
    Name,
    /// Not `NAME+ID+KEY`.
    #[error("a verifier key is NAME+ID+KEY: 8 lower-case hex digits, then the type and the key in base64")]
    Form,
    /// A type of key that we cannot check.
    #[error("the key of `{name}` has type {found:#04x}; known are 0x01 (Ed25519) and 0x04 (cosignature/v1)")]
    Unknown {
        /// Name of the key.
        name: String,
        /// First byte of the key.
        found: u8,
    },
    /// The id does not belong to the name and the key: a typing error, or two keys mixed up.
    #[error("the id {found:08x} does not belong to the key of `{name}`, which has {wanted:08x}")]
    Id {
        /// Name of the key.
        name: String,
        /// The id in the text.
        found: u32,
        /// The id of the key.
        wanted: u32,
    },
    /// The private key is not Ed25519 in PKCS#8.
    #[error("not an Ed25519 private key in PKCS#8")]
    Private,
    /// The library could not make a key or a signature.
    #[error("the cryptographic library failed")]
    Library,
}

/// Whether `name` may be the name of a key.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn id(name: &str, kind: KeyKind, key: &[u8]) -> u32 {
    let mut text = name.as_bytes().to_vec();
    text.extend_from_slice(&[b'\n', kind.byte()]);
    text.extend_from_slice(key);
    let [a, b, c, d, ..] = *sha256(&text).as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// A public key with its name. Its text is the verifier key, `NAME+ID+KEY`.
///
/// ```
/// use boltseal_audit::log::Verifier;
/// let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
/// let verifier: Verifier = key.parse()?;
/// assert_eq!((verifier.name(), verifier.to_string().as_str()), ("example.com/foo", key));
/// # Ok::<(), boltseal_audit::log::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    kind: KeyKind,
    id: u32,
    key: [u8; PUBLIC_KEY],
}

impl Verifier {
    fn new(name: &str, kind: KeyKind, key: [u8; PUBLIC_KEY]) -> Self {
        Self { name: name.to_owned(), kind, id: id(name, kind, &key), key }
    }

    /// Its name; for a log's own key the origin of the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether `signature` says that it is by this key.
    pub(super) fn is_named_by(&self, signature: &Signature) -> bool {
        signature.id == self.id && signature.name == self.name
    }

    /// Whether `signature` is by this key over the text of a note. For a cosignature also when it was made, in
    /// seconds since 1970; 0 for others.
    pub(super) fn check(&self, text: &str, signature: &Signature) -> Option<u64> {
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        match self.kind {
            KeyKind::Note => {
                key.verify(text.as_bytes(), &signature.bytes).ok()?;
                Some(0)
            }
            KeyKind::Cosignature => {
                let (time, bytes) = signature.bytes.split_first_chunk::<TIME>()?;
                let time = u64::from_be_bytes(*time);
                i64::try_from(time).ok()?;
                key.verify(cosigned(text, time).as_bytes(), bytes).ok()?;
                Some(time)
            }
        }
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(&self.key);
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl FromStr for Verifier {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // The key itself is base64 and may contain a plus.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hex), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if hex.len() != 8 || !hex.bytes().all(lower) || key.len() > 2 * PUBLIC_KEY {
            return Err(KeyError::Form);
        }
        let found = u32::from_str_radix(hex, 16).map_err(|_| KeyError::Form)?;
        let key = STANDARD.decode(key).map_err(|_| KeyError::Form)?;
        let (kind, key) = key.split_first().ok_or(KeyError::Form)?;
        let kind = match *kind {
            0x01 => KeyKind::Note,
            0x04 => KeyKind::Cosignature,
            found => return Err(KeyError::Unknown { name: name.to_owned(), found }),
        };
        let verifier = Self::new(name, kind, key.try_into().map_err(|_| KeyError::Form)?);
        if verifier.id != found {
            return Err(KeyError::Id { name: verifier.name, found, wanted: verifier.id });
        }
        Ok(verifier)
    }
}

/// A private Ed25519 key with its name. The library wipes the key when it is dropped.
struct Private {
    pair: Ed25519KeyPair,
    verifier: Verifier,
}

impl Private {
    fn new(name: &str, kind: KeyKind, pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let key = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Private)?;
        Ok(Self { verifier: Verifier::new(name, kind, key), pair })
    }

    fn generate(name: &str, kind: KeyKind) -> Result<Self, KeyError> {
        Self::new(name, kind, Ed25519KeyPair::generate().map_err(|_| KeyError::Library)?)
    }

    fn from_pkcs8(name: &str, kind: KeyKind, bytes: &[u8]) -> Result<Self, KeyError> {
        Self::new(name, kind, Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| KeyError::Private)?)
    }

    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let document = self.pair.to_pkcs8().map_err(|_| KeyError::Library)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    fn sign(&self, prefix: &[u8], text: &str) -> Result<Signature, KeyError> {
        let mut bytes = prefix.to_vec();
        bytes.reserve_exact(SIGNATURE);
        bytes.extend_from_slice(self.pair.try_sign(text.as_bytes()).map_err(|_| KeyError::Library)?.as_ref());
        Ok(Signature { name: self.verifier.name.clone(), id: self.verifier.id, bytes })
    }
}

/// A log's own key (type 0x01), which signs its checkpoints. Its name is the origin of the log.
pub struct Signer(Private);

impl Signer {
    /// A new random key.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        Private::generate(name, KeyKind::Note).map(Self)
    }

    /// A key that was kept. `bytes` are PKCS#8, version 1 or 2.
    pub fn from_pkcs8(name: &str, bytes: &[u8]) -> Result<Self, KeyError> {
        Private::from_pkcs8(name, KeyKind::Note, bytes).map(Self)
    }

    /// The key as PKCS#8, to keep it in a secret place.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.0.to_pkcs8()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.verifier.name
    }

    /// The public half.
    pub const fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// The public half as others are configured with it.
    pub fn verifier_key(&self) -> String {
        self.0.verifier.to_string()
    }

    /// Signs the text of a note.
    pub fn sign(&self, text: &str) -> Result<Signature, KeyError> {
        self.0.sign(&[], text)
    }
}

/// A witness's key (type 0x04). It must not be the key of a log.
pub struct Cosigner(Private);

impl Cosigner {
    /// A new random key.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        Private::generate(name, KeyKind::Cosignature).map(Self)
    }

    /// A key that was kept. `bytes` are PKCS#8, version 1 or 2.
    pub fn from_pkcs8(name: &str, bytes: &[u8]) -> Result<Self, KeyError> {
        Private::from_pkcs8(name, KeyKind::Cosignature, bytes).map(Self)
    }

    /// The key as PKCS#8, to keep it in a secret place.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.0.to_pkcs8()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.verifier.name
    }

    /// The public half.
    pub const fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// The public half as others are configured with it.
    pub fn verifier_key(&self) -> String {
        self.0.verifier.to_string()
    }

    /// States that at `now` the text of this checkpoint is the largest consistent one that was seen of its log.
    /// Moments before 1970 count as 1970.
    pub fn cosign(&self, text: &str, now: Timestamp) -> Result<Signature, KeyError> {
        let time = u64::try_from(now.as_second()).unwrap_or(0);
        self.0.sign(&time.to_be_bytes(), &cosigned(text, time))
    }
}

/// What a `cosignature/v1` signs.
fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.0.verifier)
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.0.verifier)
    }
}
