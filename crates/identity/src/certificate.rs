//! Certificates that a service principal registers to sign client assertions with.
//!
//! Only the key counts, and until when: it was registered by hand, so nobody else vouches for it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use x509_cert::{
    Certificate as X509,
    der::{Decode as _, DecodePem as _, Encode as _, oid::ObjectIdentifier},
};

use crate::primitive::{sha1, sha256};

/// Larger ones are refused; 4096-bit RSA with many names takes 2 KiB.
pub const MAX_CERTIFICATE: usize = 16 << 10;
/// Fewer bits of RSA are not safe any more (NIST SP 800-57), more cost us too much to check.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// Why a certificate cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Too many bytes.
    #[error("the certificate has {found} bytes, more than {MAX_CERTIFICATE}")]
    TooLarge {
        /// Bytes.
        found: usize,
    },
    /// Neither DER nor PEM of an X.509 certificate.
    #[error("this is not an X.509 certificate in PEM or DER: {problem}")]
    Malformed {
        /// What the parser says.
        problem: String,
    },
    /// A key that cannot sign assertions here.
    #[error("the certificate has a key of type {found}: RSA of 2048 to 8192 bits or EC P-256 is needed")]
    Key {
        /// What it is.
        found: String,
    },
    /// Over, or not yet begun.
    #[error("the certificate is valid from {from} to {until}, which is not now")]
    Validity {
        /// First moment.
        from: Timestamp,
        /// Last moment.
        until: Timestamp,
    },
}

/// A registered certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    sha1: [u8; 20],
    sha256: [u8; 32],
    from: Timestamp,
    until: Timestamp,
    key: Key,
}

/// Its public key, as the JWT library takes it.
#[derive(Clone, PartialEq, Eq)]
enum Key {
    /// `RSAPublicKey` (RFC 8017 appendix A.1.1).
    Rsa(Vec<u8>),
    /// An uncompressed point.
    P256(Vec<u8>),
}

impl Certificate {
    /// Reads PEM or DER, and refuses what has expired.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn parse(bytes: &[u8], now: Timestamp) -> Result<Self, CertificateError> {
        let certificate = Self::read(bytes)?;
        if certificate.is_valid(now) {
            Ok(certificate)
        } else {
            Err(CertificateError::Validity { from: certificate.from, until: certificate.until })
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLarge { found: bytes.len() });
        }
        let malformed =
            |error: x509_cert::der::Error| CertificateError::Malformed { problem: error.to_string() };
        let pem = bytes.trim_ascii_start().starts_with(b"-----BEGIN");
        let parsed = if pem { X509::from_pem(bytes.trim_ascii()) } else { X509::from_der(bytes) };
        let parsed = parsed.map_err(malformed)?;
        let der = parsed.to_der().map_err(malformed)?;
        let (validity, key) = (parsed.tbs_certificate().validity(), key(&parsed)?);
        let moment = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
            Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
        };
        let (from, until) = (moment(validity.not_before), moment(validity.not_after));
        Ok(Self { sha1: sha1(&der), sha256: sha256(&der), der, from, until, key })
    }

    /// SHA-1 of the DER, which clients send as `x5t` (RFC 7515 section 4.1.7).
    pub const fn thumbprint_sha1(&self) -> &[u8; 20] {
        &self.sha1
    }

    /// SHA-256 of the DER, which clients send as `x5t#S256` (RFC 7515 section 4.1.8).
    pub const fn thumbprint(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// The certificate itself.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The last moment at which it works.
    pub const fn expires(&self) -> Timestamp {
        self.until
    }

    /// Whether it works at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.from <= now && now <= self.until
    }

    /// The algorithms that its key may sign an assertion with.
    pub(crate) const fn algorithms(&self) -> &'static [Algorithm] {
        match self.key {
            Key::Rsa(_) => &[Algorithm::RS256, Algorithm::PS256],
            Key::P256(_) => &[Algorithm::ES256],
        }
    }

    pub(crate) fn decoding_key(&self) -> DecodingKey {
        match &self.key {
            Key::Rsa(der) => DecodingKey::from_rsa_der(der),
            Key::P256(point) => DecodingKey::from_ec_der(point),
        }
    }
}

fn key(certificate: &X509) -> Result<Key, CertificateError> {
    let info = certificate.tbs_certificate().subject_public_key_info();
    let bytes = info.subject_public_key.as_bytes().unwrap_or_default();
    if info.algorithm.oid == RSA {
        let public = x509_cert::spki::der::asn1::AnyRef::from_der(bytes);
        let bits = public.ok().and_then(|any| modulus_bits(any.value()));
        return match bits {
            Some(bits) if RSA_BITS.contains(&bits) => Ok(Key::Rsa(bytes.to_vec())),
            Some(bits) => Err(CertificateError::Key { found: format!("RSA of {bits} bits") }),
            None => Err(CertificateError::Key { found: "RSA, malformed".to_owned() }),
        };
    }
    let curve = info.algorithm.parameters.as_ref().and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    if info.algorithm.oid == EC && curve == Some(P256) && bytes.len() == 65 && bytes.first() == Some(&4) {
        return Ok(Key::P256(bytes.to_vec()));
    }
    let named = curve.map_or_else(String::new, |curve| format!(" with {curve}"));
    Err(CertificateError::Key { found: format!("{}{named}", info.algorithm.oid) })
}

/// Bits of the modulus, which is the first number inside an `RSAPublicKey`.
fn modulus_bits(inside: &[u8]) -> Option<usize> {
    let (modulus, _) = x509_cert::der::asn1::UintRef::from_der_partial(inside).ok()?;
    let bytes = modulus.as_bytes();
    let leading = bytes.first()?.leading_zeros();
    (bytes.len() * 8).checked_sub(usize::try_from(leading).ok()?)
}

impl Serialize for Certificate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.der))
    }
}

impl<'de> Deserialize<'de> for Certificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let der = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        // An expired one may well be in the database: it just does not work any more.
        Self::read(&der).map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, until {})", hex::encode(self.sha256), self.until)
    }
}
