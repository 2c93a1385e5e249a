//! Signatures with the keys in certificates. SHA-1 counts for nothing, and neither do RSA keys under 2048 bits.

use aws_lc_rs::{
    digest::{self, SHA256, SHA384, SHA512},
    signature::{self as sig, UnparsedPublicKey, VerificationAlgorithm},
};
use cms::cert::x509::{
    der::{
        Reader as _, SliceReader,
        asn1::{ObjectIdentifier, UintRef},
    },
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

use super::oid;

const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = oid("1.2.840.10045.2.1");
const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = oid("1.3.132.0.34");
const P521: ObjectIdentifier = oid("1.3.132.0.35");

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// By its object identifier (RFC 5754).
    pub fn of_oid(wanted: &ObjectIdentifier) -> Option<Self> {
        const KNOWN: [(ObjectIdentifier, Hash); 3] = [
            (oid("2.16.840.1.101.3.4.2.1"), Hash::Sha256),
            (oid("2.16.840.1.101.3.4.2.2"), Hash::Sha384),
            (oid("2.16.840.1.101.3.4.2.3"), Hash::Sha512),
        ];
        KNOWN.iter().find(|(known, _)| known == wanted).map(|(_, hash)| *hash)
    }

    /// Of `bytes`.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// What a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// With so many bits.
    Rsa(usize),
    P256,
    P384,
    P521,
}

/// How envelopes of Notary Project are signed ("Algorithm Selection"): the size of the key says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
}

impl Scheme {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Ps256, "PS256"),
        (Self::Ps384, "PS384"),
        (Self::Ps512, "PS512"),
        (Self::Es256, "ES256"),
        (Self::Es384, "ES384"),
        (Self::Es512, "ES512"),
    ];

    /// By its name in JWS (RFC 7518, section 3.1).
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(scheme, _)| *scheme)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(scheme, _)| *scheme == self).map_or("", |(_, name)| name)
    }

    /// The only one that a key of this kind signs with.
    pub fn of_key(key: &SubjectPublicKeyInfoOwned) -> Result<Self, String> {
        Ok(match kind(key)? {
            Kind::Rsa(2048) => Self::Ps256,
            Kind::Rsa(3072) => Self::Ps384,
            Kind::Rsa(4096) => Self::Ps512,
            Kind::Rsa(bits) => return Err(format!("RSA keys of {bits} bits sign nothing in Notary Project")),
            Kind::P256 => Self::Es256,
            Kind::P384 => Self::Es384,
            Kind::P521 => Self::Es512,
        })
    }

    /// Whether `key` signed `message`; ECDSA as two numbers of fixed length (RFC 7518, section 3.4).
    pub fn verify(
        self,
        key: &SubjectPublicKeyInfoOwned,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), String> {
        let algorithm: &'static dyn VerificationAlgorithm = match self {
            Self::Ps256 => &sig::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &sig::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &sig::RSA_PSS_2048_8192_SHA512,
            Self::Es256 => &sig::ECDSA_P256_SHA256_FIXED,
            Self::Es384 => &sig::ECDSA_P384_SHA384_FIXED,
            Self::Es512 => &sig::ECDSA_P521_SHA512_FIXED,
        };
        check(algorithm, key, message, signature)
    }
}

/// Whether `key` signed `message`, with an algorithm of X.509.
pub fn verify_with(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    message: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    const KNOWN: [(ObjectIdentifier, bool, Hash); 6] = [
        (oid("1.2.840.113549.1.1.11"), true, Hash::Sha256),
        (oid("1.2.840.113549.1.1.12"), true, Hash::Sha384),
        (oid("1.2.840.113549.1.1.13"), true, Hash::Sha512),
        (oid("1.2.840.10045.4.3.2"), false, Hash::Sha256),
        (oid("1.2.840.10045.4.3.3"), false, Hash::Sha384),
        (oid("1.2.840.10045.4.3.4"), false, Hash::Sha512),
    ];
    let Some((_, rsa, hash)) = KNOWN.iter().find(|(known, ..)| *known == algorithm.oid) else {
        return Err(format!("signatures of the kind {} are not believed", algorithm.oid));
    };
    verify_hashed(key, *rsa, *hash, message, signature)
}

/// The same where only the kind of key and the hash are named, as in CMS.
pub fn verify_hashed(
    key: &SubjectPublicKeyInfoOwned,
    rsa: bool,
    hash: Hash,
    message: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    let algorithm: &'static dyn VerificationAlgorithm = match (kind(key)?, rsa, hash) {
        (Kind::Rsa(_), true, Hash::Sha256) => &sig::RSA_PKCS1_2048_8192_SHA256,
        (Kind::Rsa(_), true, Hash::Sha384) => &sig::RSA_PKCS1_2048_8192_SHA384,
        (Kind::Rsa(_), true, Hash::Sha512) => &sig::RSA_PKCS1_2048_8192_SHA512,
        (Kind::P256, false, Hash::Sha256) => &sig::ECDSA_P256_SHA256_ASN1,
        (Kind::P256, false, Hash::Sha384) => &sig::ECDSA_P256_SHA384_ASN1,
        (Kind::P256, false, Hash::Sha512) => &sig::ECDSA_P256_SHA512_ASN1,
        (Kind::P384, false, Hash::Sha256) => &sig::ECDSA_P384_SHA256_ASN1,
        (Kind::P384, false, Hash::Sha384) => &sig::ECDSA_P384_SHA384_ASN1,
        (Kind::P384, false, Hash::Sha512) => &sig::ECDSA_P384_SHA512_ASN1,
        (Kind::P521, false, Hash::Sha256) => &sig::ECDSA_P521_SHA256_ASN1,
        (Kind::P521, false, Hash::Sha384) => &sig::ECDSA_P521_SHA384_ASN1,
        (Kind::P521, false, Hash::Sha512) => &sig::ECDSA_P521_SHA512_ASN1,
        _ => return Err("the key is of another kind than the signature".to_owned()),
    };
    check(algorithm, key, message, signature)
}

fn check(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &SubjectPublicKeyInfoOwned,
    message: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    UnparsedPublicKey::new(algorithm, key.subject_public_key.raw_bytes())
        .verify(message, signature)
        .map_err(|_| "the signature does not fit the key and what is signed".to_owned())
}

fn kind(key: &SubjectPublicKeyInfoOwned) -> Result<Kind, String> {
    let unknown = || format!("keys of the kind {} are not believed", key.algorithm.oid);
    if key.algorithm.oid == RSA {
        return bits(key.subject_public_key.raw_bytes()).map(Kind::Rsa).ok_or_else(unknown);
    }
    if key.algorithm.oid != EC {
        return Err(unknown());
    }
    let curve = key.algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    match curve {
        Some(P256) => Ok(Kind::P256),
        Some(P384) => Ok(Kind::P384),
        Some(P521) => Ok(Kind::P521),
        _ => Err("keys on this elliptic curve are not believed".to_owned()),
    }
}

/// Bits of the modulus of an `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn bits(key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(key).ok()?;
    let modulus = reader.sequence(|inside| {
        let modulus: UintRef<'_> = inside.decode()?;
        let _exponent: UintRef<'_> = inside.decode()?;
        Ok(modulus.as_bytes().to_vec())
    });
    let modulus = modulus.ok()?;
    let first = modulus.first()?;
    Some(modulus.len() * 8 - first.leading_zeros() as usize)
}
