//! Keys that are not in the memory of this process: in a token or a module that signs and never gives them away.

use cms::cert::x509::{der::Decode as _, spki::SubjectPublicKeyInfoOwned};
use sigstore_verify::types::DerPublicKey;

use super::{KeyError, PrivateKey, pair::Pair};
use crate::{
    PublicKey,
    x509::{Hash, Scheme},
};

/// DER of `rsaEncryption` with its absent parameters (RFC 3279, section 2.3.1).
const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// DER of the object identifier `id-ecPublicKey` (RFC 5480, section 2.1.1).
const EC: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// DER of the object identifier `id-Ed25519` (RFC 8410, section 3).
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];
/// What tokens call its curve: PKCS#11 3.0 (section 2.3.5) wants a printable string, later versions the object identifier; and
/// before there was any, an identifier of the GNU project was used.
const EDWARDS25519: [&[u8]; 3] =
    [b"\x13\x0cedwards25519", &ED25519, b"\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01"];
/// Bytes of its points, and half of its signatures.
const POINT: usize = 32;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// Bytes of an RSA key below which it counts for nothing, with whoever verifies.
const MIN_RSA: usize = 256;

/// Somebody who signs with a key that nobody sees.
pub trait RemoteKey: Send + Sync {
    /// The signature, or why there is none.
    fn sign(&self, wanted: Wanted<'_>) -> Result<Vec<u8>, String>;
}

/// What is to be signed, and how.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'m> {
    /// ECDSA over this hash: two numbers of the length of the curve.
    Ecdsa(&'m [u8]),
    /// Ed25519 over this message, without a context (RFC 8032, section 5.1).
    Ed25519(&'m [u8]),
    /// RSA of PKCS#1 1.5 with SHA-256 over this message.
    RsaPkcs1(&'m [u8]),
    /// RSA with PSS over this hash (SHA-256, SHA-384 or SHA-512 by its length), with a salt as long as the hash and MGF1 of the
    /// same.
    RsaPss(&'m [u8]),
}

/// The public half of such a key, in the words of PKCS#11.
#[derive(Clone, Debug)]
pub enum RemotePublic {
    /// `CKA_EC_PARAMS` (DER of the name of a curve) and `CKA_EC_POINT` (DER of an octet string, or the point itself).
    Ec {
        /// The curve.
        params: Vec<u8>,
        /// The point.
        point: Vec<u8>,
    },
    /// The same two of a curve of Edwards' form.
    Edwards {
        /// The curve.
        params: Vec<u8>,
        /// The point.
        point: Vec<u8>,
    },
    /// `CKA_MODULUS` and `CKA_PUBLIC_EXPONENT`, without a sign.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The exponent.
        exponent: Vec<u8>,
    },
}

/// What such a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// With the length of its numbers in bytes.
    Ec(usize),
    Ed25519,
    /// With the length of its modulus in bytes.
    Rsa(usize),
}

/// A key somewhere else.
pub(super) struct Remote {
    pub(super) kind: Kind,
    key: Box<dyn RemoteKey>,
}

impl PrivateKey {
    /// A key that somebody else holds and signs with.
    pub fn remote(public: &RemotePublic, key: Box<dyn RemoteKey>) -> Result<Self, KeyError> {
        let malformed = |why: String| KeyError::Malformed(format!("its public half: {why}"));
        if let RemotePublic::Edwards { params, point } = public {
            if !EDWARDS25519.contains(&params.as_slice()) {
                return Err(KeyError::Unsupported(
                    "another curve of Edwards' form than that of Ed25519".to_owned(),
                ));
            }
            let length = inside(point).len();
            if length != POINT {
                return Err(malformed(format!("{length} bytes are no point of Ed25519")));
            }
        }
        let der = public.spki();
        let spki = SubjectPublicKeyInfoOwned::from_der(&der).map_err(|why| malformed(why.to_string()))?;
        let kind = match public {
            RemotePublic::Rsa { modulus, .. } => Kind::Rsa(stripped(modulus).len()),
            RemotePublic::Edwards { .. } => Kind::Ed25519,
            RemotePublic::Ec { .. } => match Scheme::of_key(&spki).map_err(malformed)? {
                Scheme::Es256 => Kind::Ec(32),
                Scheme::Es384 => Kind::Ec(48),
                _ => Kind::Ec(66),
            },
        };
        if matches!(kind, Kind::Rsa(bytes) if bytes < MIN_RSA) {
            return Err(KeyError::Unsupported("an RSA key of less than 2048 bits".to_owned()));
        }
        let pair = Pair::Remote(Remote { kind, key });
        Ok(Self { pair, public: PublicKey(DerPublicKey::new(der)) })
    }
}

impl RemotePublic {
    /// `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
    fn spki(&self) -> Vec<u8> {
        let (algorithm, key) = match self {
            Self::Ec { params, point } => {
                (tagged(SEQUENCE, &[&EC[..], params].concat()), inside(point).to_vec())
            }
            Self::Edwards { point, .. } => (tagged(SEQUENCE, &ED25519), inside(point).to_vec()),
            Self::Rsa { modulus, exponent } => {
                let numbers = [number(modulus), number(exponent)].concat();
                (RSA.to_vec(), tagged(SEQUENCE, &numbers))
            }
        };
        // No bit of the last byte is unused.
        let bits = tagged(BIT_STRING, &[&[0], &key[..]].concat());
        tagged(SEQUENCE, &[algorithm, bits].concat())
    }
}

impl Remote {
    /// As sigstore does: ECDSA in DER, RSA of PKCS#1 1.5 with SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self.kind {
            Kind::Ec(length) => Ok(in_der(&self.numbers(length, message)?)),
            Kind::Ed25519 => {
                let signature = self.asked(Wanted::Ed25519(message))?;
                if signature.len() == 2 * POINT {
                    return Ok(signature);
                }
                Err(KeyError::Remote(format!("{} bytes are no signature of Ed25519", signature.len())))
            }
            Kind::Rsa(_) => self.asked(Wanted::RsaPkcs1(message)),
        }
    }

    pub(super) fn sign_as(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self.kind {
            Kind::Ec(length) => self.numbers(length, message),
            Kind::Ed25519 => Err(KeyError::Failed("sign for Notary Project")),
            Kind::Rsa(_) => {
                let hash = match scheme {
                    Scheme::Ps384 => Hash::Sha384,
                    Scheme::Ps512 => Hash::Sha512,
                    _ => Hash::Sha256,
                };
                self.asked(Wanted::RsaPss(&hash.of(message)))
            }
        }
    }

    fn numbers(&self, length: usize, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let hash = match length {
            32 => Hash::Sha256,
            48 => Hash::Sha384,
            _ => Hash::Sha512,
        };
        let numbers = self.asked(Wanted::Ecdsa(&hash.of(message)))?;
        if numbers.len() == 2 * length {
            return Ok(numbers);
        }
        Err(KeyError::Remote(format!("{} bytes are no signature by this curve", numbers.len())))
    }

    fn asked(&self, wanted: Wanted<'_>) -> Result<Vec<u8>, KeyError> {
        self.key.sign(wanted).map_err(KeyError::Remote)
    }
}

/// Two numbers as `ECDSA-Sig-Value` (RFC 3279, section 2.2.3).
fn in_der(numbers: &[u8]) -> Vec<u8> {
    let (r, s) = numbers.split_at(numbers.len() / 2);
    tagged(SEQUENCE, &[number(r), number(s)].concat())
}

/// What is in an octet string; what is none stands for itself, as some modules give it.
fn inside(point: &[u8]) -> &[u8] {
    match point {
        [OCTET_STRING, length, rest @ ..] if usize::from(*length) == rest.len() => rest,
        [OCTET_STRING, 0x81, length, rest @ ..] if usize::from(*length) == rest.len() => rest,
        other => other,
    }
}

fn stripped(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// A number that is not negative.
fn number(bytes: &[u8]) -> Vec<u8> {
    let bytes = stripped(bytes);
    let sign: &[u8] = if bytes.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    tagged(INTEGER, &[sign, bytes].concat())
}

/// A value with its tag and its length (X.690, section 8.1).
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let mut all = vec![tag];
    if let (0..0x80, Ok(length)) = (content.len(), u8::try_from(content.len())) {
        all.push(length);
    } else {
        let length = stripped(&length);
        all.push(0x80 | u8::try_from(length.len()).unwrap_or(u8::MAX));
        all.extend_from_slice(length);
    }
    all.extend_from_slice(content);
    all
}
