//! Clocks that sign what they saw when (RFC 3161): asking one, and whose word counts.
//!
//! ```no_run
//! use boltseal_trust::{Question, Stamped};
//! # fn post(_: &[u8]) -> Vec<u8> { Vec::new() }
//! let question = Question::about(b"the bytes of a signature");
//! let answer: Vec<u8> = post(question.der()); // `application/timestamp-query`
//! let stamped: Stamped = question.answered(answer)?;
//! # Ok::<(), boltseal_trust::ClockError>(())
//! ```
//!
//! A question has no number that the answer must repeat: it is about a signature that was made for it, so an older answer is about
//! something else.

mod token;

use std::{fmt, str::FromStr};

use boltseal_model::Timestamp;
use cms::cert::x509::der::{Decode as _, Reader as _, SliceReader, Tag, asn1::Utf8StringRef};

use crate::{
    Refusal,
    x509::{Certificate, Hash},
};

pub(crate) use token::check;

/// Bytes of an answer. With the chain of the clock it has some 6 kB.
pub const MAX_ANSWER: usize = 256 << 10;
/// Certificates in a file of clocks. Those of all public clocks are some dozens.
const MAX_CERTIFICATES: usize = 1000;

/// `TimeStampReq` (RFC 3161, section 2.4.1) before the hash: version 1, SHA-256, and 32 bytes to come.
const BEFORE: [u8; 24] = [
    0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
    0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
/// Behind the hash: the certificate of the clock is wanted.
const BEHIND: [u8; 3] = [0x01, 0x01, 0xff];

/// Why there is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The clock says no.
    #[error("the clock refuses: {0}")]
    Refused(String),
    /// The answer cannot be read, or is about something else.
    #[error("the answer of the clock cannot be used: {0}")]
    Malformed(String),
}

/// What is asked of a clock.
#[derive(Clone, Debug)]
pub struct Question {
    der: Vec<u8>,
    hash: Vec<u8>,
}

/// An answer that is about the right signature. Whether anybody believes the clock is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// `TimeStampResp`, as bundles of sigstore keep it.
    pub(crate) response: Vec<u8>,
    /// The token in it, as envelopes of Notary Project keep it.
    pub(crate) token: Vec<u8>,
}

impl Question {
    /// When was `signature` there?
    pub fn about(signature: &[u8]) -> Self {
        let hash = Hash::Sha256.of(signature);
        Self { der: [&BEFORE[..], &hash, &BEHIND].concat(), hash }
    }

    /// What is sent.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Reads what came back.
    pub fn answered(&self, response: Vec<u8>) -> Result<Stamped, ClockError> {
        let token = token_of(&response)?;
        let (hash, imprint) = token::imprint(&token).map_err(ClockError::Malformed)?;
        if (hash, imprint.as_slice()) != (Hash::Sha256, self.hash.as_slice()) {
            return Err(ClockError::Malformed("it is about something else".to_owned()));
        }
        Ok(Stamped { response, token })
    }
}

/// The token of a `TimeStampResp` (RFC 3161, section 2.4.2).
pub(crate) fn token_of(response: &[u8]) -> Result<Vec<u8>, ClockError> {
    let malformed = |why: String| ClockError::Malformed(why);
    if response.len() > MAX_ANSWER {
        return Err(malformed(format!("{} bytes are more than {MAX_ANSWER}", response.len())));
    }
    let mut reader = SliceReader::new(response).map_err(|error| malformed(error.to_string()))?;
    let read = reader.sequence(|inside| {
        let (status, said) = inside.sequence(|status| {
            let number = u8::decode(status)?;
            let mut said = Vec::new();
            if !status.is_finished() && status.peek_tag()? == Tag::Sequence {
                status.sequence(|texts| {
                    while !texts.is_finished() {
                        said.push(Utf8StringRef::decode(texts)?.as_str().to_owned());
                    }
                    Ok(())
                })?;
            }
            status.read_slice(status.remaining_len())?;
            Ok((number, said.join(" ")))
        })?;
        let token = if inside.is_finished() { None } else { Some(inside.tlv_bytes()?.to_vec()) };
        Ok((status, said, token))
    });
    match read.map_err(|error: cms::cert::x509::der::Error| malformed(error.to_string()))? {
        // Granted, perhaps with changes that nobody asked for and nothing here looks at.
        (0 | 1, _, Some(token)) => Ok(token),
        (0 | 1, _, None) => Err(malformed("it has no timestamp".to_owned())),
        (status, said, _) if said.is_empty() => Err(ClockError::Refused(format!("status {status}"))),
        (_, said, _) => Err(ClockError::Refused(said)),
    }
}

/// Clocks whose word counts, by the roots of their authorities.
#[derive(Clone)]
pub struct Clocks {
    roots: Vec<Certificate>,
    between: Vec<Certificate>,
}

impl Clocks {
    /// When `signature` was there, as far as the token in `response` proves it.
    pub(crate) fn check(&self, response: &[u8], signature: &[u8]) -> Result<Timestamp, String> {
        let token = token_of(response).map_err(|why| why.to_string())?;
        Ok(check(&token, signature, &self.roots, &self.between)?.at)
    }
}

impl FromStr for Clocks {
    type Err = Refusal;

    /// From PEM: the chains of clocks, with their roots.
    fn from_str(pem: &str) -> Result<Self, Refusal> {
        let malformed = |why: String| Refusal::Malformed { what: "the file of clocks", why };
        let all = Certificate::all(pem.as_bytes()).map_err(malformed)?;
        if all.len() > MAX_CERTIFICATES {
            return Err(malformed(format!("more than {MAX_CERTIFICATES} certificates")));
        }
        let (roots, between): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| one.is_authority() && one.is_self_signed());
        if roots.is_empty() {
            return Err(malformed(
                "it has no root of an authority: a certificate that is its own issuer".to_owned(),
            ));
        }
        Ok(Self { roots, between })
    }
}

impl fmt::Debug for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clocks({})", self.roots.len())
    }
}
