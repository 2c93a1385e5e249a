//! Certificates (RFC 5280), as far as Notary Project looks at them: who issued whom, with which key, for what.
//!
//! A chain is given in order, leaf first; nobody looks for paths, except from a clock to its root ([`path_to`]). Only basic
//! constraints and key usages are honoured, as the specification of signatures wants it ("Certificate Requirements").

mod algorithm;
mod chain;
mod list;
mod name;
mod ocsp;
mod revoked;
mod walk;

use std::fmt;

use boltseal_model::Timestamp;
use cms::cert::x509::{
    Certificate as Parsed,
    der::{Decode as _, Reader as _, SliceReader, asn1::ObjectIdentifier},
    ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage},
    time::Time,
};

use crate::pem;

pub(crate) use algorithm::{Hash, Scheme, verify_hashed, verify_with};
pub(crate) use chain::{Purpose, check_chain, path_to};
pub use name::DistinguishedName;
pub use revoked::{Revoked, RevokedError};

/// Certificates in a chain. Public authorities use four at most.
pub const MAX_CHAIN: usize = 10;
/// Bytes of a certificate. Those with hundreds of names have some 20 kB.
const MAX_CERTIFICATE: usize = 256 << 10;

/// A certificate that was read, and is not trusted for that.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    /// The part of `der` that is signed.
    signed: Vec<u8>,
    parsed: Parsed,
}

impl Certificate {
    /// Reads DER.
    pub fn from_der(der: &[u8]) -> Result<Self, String> {
        if der.len() > MAX_CERTIFICATE {
            return Err(format!("{} bytes are more than {MAX_CERTIFICATE} for a certificate", der.len()));
        }
        let parsed = Parsed::from_der(der).map_err(|error| error.to_string())?;
        let signed = first_inside(der).ok_or("it is no sequence")?.to_vec();
        Ok(Self { der: der.to_vec(), signed, parsed })
    }

    /// Reads all certificates of a file: PEM, or DER one after the other.
    pub fn all(bytes: &[u8]) -> Result<Vec<Self>, String> {
        if let Ok(text) = std::str::from_utf8(bytes)
            && text.contains("-----BEGIN ")
        {
            let blocks = pem::blocks(text)?;
            let other = blocks.iter().find(|block| block.label != "CERTIFICATE");
            if let Some(other) = other {
                return Err(format!("`{}` is no certificate", other.label));
            }
            if blocks.is_empty() {
                return Err("it has no block of PEM".to_owned());
            }
            return blocks.iter().map(|block| Self::from_der(&block.bytes)).collect();
        }
        let mut reader = SliceReader::new(bytes).map_err(|error| error.to_string())?;
        let mut found = Vec::new();
        while !reader.is_finished() && found.len() < pem::MAX_BLOCKS {
            found.push(Self::from_der(reader.tlv_bytes().map_err(|error| error.to_string())?)?);
        }
        if found.is_empty() { Err("it is empty".to_owned()) } else { Ok(found) }
    }

    /// Whom it is for, as RFC 4514 writes names.
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate.subject.to_string()
    }

    /// Whether both are the same bytes.
    pub fn is(&self, other: &Self) -> bool {
        self.der == other.der
    }

    pub(crate) const fn parsed(&self) -> &Parsed {
        &self.parsed
    }

    /// As it was read.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// From when on it is valid, and until when: `None` is beyond what can be told.
    pub(crate) fn validity(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let validity = &self.parsed.tbs_certificate.validity;
        (moment(validity.not_before), moment(validity.not_after))
    }

    /// Why it is not valid at `at`.
    pub(crate) fn check_valid(&self, at: Timestamp) -> Result<(), String> {
        let (Some(from), Some(until)) = self.validity() else {
            return Err(format!("the certificate of `{}` has no validity that can be told", self.subject()));
        };
        if at < from {
            return Err(format!("the certificate of `{}` is valid from {from} only", self.subject()));
        }
        if at > until {
            return Err(format!("the certificate of `{}` was valid until {until} only", self.subject()));
        }
        Ok(())
    }

    /// When it begins to be valid, and when it is valid no more.
    pub(crate) fn turns(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (from, until) = self.validity();
        from.into_iter().chain(until.and_then(after))
    }

    /// Whether `issuer` signed it, and is named as who did.
    pub(crate) fn check_issued_by(&self, issuer: &Self) -> Result<(), String> {
        let (ours, theirs) = (&self.parsed.tbs_certificate, &issuer.parsed.tbs_certificate);
        if ours.issuer != theirs.subject {
            return Err(format!("`{}` was not issued by `{}`", self.subject(), issuer.subject()));
        }
        if ours.signature != self.parsed.signature_algorithm {
            return Err(format!("`{}` names two algorithms", self.subject()));
        }
        let signature = self.parsed.signature.raw_bytes();
        let key = &theirs.subject_public_key_info;
        verify_with(key, &self.parsed.signature_algorithm, &self.signed, signature)
            .map_err(|why| format!("`{}` was not signed by `{}`: {why}", self.subject(), issuer.subject()))
    }

    /// Whether it is its own issuer.
    pub fn is_self_signed(&self) -> bool {
        self.check_issued_by(self).is_ok()
    }

    /// Whether it may issue others.
    pub fn is_authority(&self) -> bool {
        self.basic().is_ok_and(|basic| basic.is_some_and(|(_, basic)| basic.ca))
    }

    fn basic(&self) -> Result<Option<(bool, BasicConstraints)>, String> {
        self.extension("basic constraints")
    }

    fn usage(&self) -> Result<Option<(bool, KeyUsage)>, String> {
        self.extension("key usage")
    }

    fn purposes(&self) -> Result<Option<(bool, ExtendedKeyUsage)>, String> {
        self.extension("extended key usage")
    }

    fn extension<'a, T>(&'a self, what: &str) -> Result<Option<(bool, T)>, String>
    where
        T: cms::cert::x509::der::Decode<'a> + cms::cert::x509::der::oid::AssociatedOid,
    {
        let found = self.parsed.tbs_certificate.get::<T>();
        found.map_err(|error| format!("the {what} of `{}` cannot be read: {error}", self.subject()))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.subject())
    }
}

/// The first element inside of the sequence `der`, as it is.
fn first_inside(der: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(der).ok()?;
    let _length = cms::cert::x509::der::Header::decode(&mut reader).ok()?;
    reader.tlv_bytes().ok()
}

pub(crate) fn moment(time: Time) -> Option<Timestamp> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
    Timestamp::from_second(seconds).ok()
}

/// The first moment after the last one at which something counts; stored verdicts count milliseconds.
pub(crate) fn after(last: Timestamp) -> Option<Timestamp> {
    last.checked_add(std::time::Duration::from_millis(1)).ok()
}

/// Whether two values have one DER form.
pub(crate) fn same(a: &impl cms::cert::x509::der::Encode, b: &impl cms::cert::x509::der::Encode) -> bool {
    matches!((a.to_der(), b.to_der()), (Ok(a), Ok(b)) if a == b)
}

pub(crate) const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}
