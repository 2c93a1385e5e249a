//! Why evidence is none.

use boltseal_model::{Digest, Timestamp};

/// Why evidence does not say what it seems to say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More bytes than any signature has.
    #[error("{bytes} bytes are more than {} for a signature", crate::MAX_EVIDENCE)]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// It cannot be read.
    #[error("{what} cannot be read: {why}")]
    Malformed {
        /// The part.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// It is about something else: a signature that was copied from another image.
    #[error("it was signed for {found}, not for {image}")]
    OtherImage {
        /// What was asked for.
        image: Digest,
        /// What is signed.
        found: String,
    },
    /// It may be right; nobody here can tell.
    #[error("{0}")]
    Unsupported(String),
    /// Nobody who is believed signed it.
    #[error("{}", nobody(tried))]
    Nobody {
        /// Names of authorities, and why it is not theirs.
        tried: Vec<(String, Unfit)>,
    },
}

/// Why a signature is not somebody's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is not made by that key, or what it signs was changed.
    #[error("the signature is not right: {0}")]
    Signature(String),
    /// Signed by a key where a certificate is wanted, or the other way round.
    #[error("it is signed by {found}, not by {wanted}")]
    Kind {
        /// What was found.
        found: &'static str,
        /// What was wanted.
        wanted: &'static str,
    },
    /// By somebody else.
    #[error("it is signed by `{found}`, not by `{wanted}`")]
    Subject {
        /// In the certificate.
        found: String,
        /// Asked for.
        wanted: String,
    },
    /// The identity is vouched for by somebody else.
    #[error("`{found}` vouches for who signed, not `{wanted}`")]
    Issuer {
        /// In the certificate.
        found: String,
        /// Asked for.
        wanted: String,
    },
    /// The certificate is not of the trusted authority, or was not valid when it was used.
    #[error("the certificate is not to be trusted: {0}")]
    Certificate(String),
    /// There is no proof that it is in the log, or a wrong one.
    #[error("it is not proven to be in the log: {0}")]
    Log(String),
    /// There is no trusted time, or a wrong one.
    #[error("the time of the signature is not proven: {0}")]
    Time(String),
    /// Before the authority counted.
    #[error("it was signed at {at}, and the authority counts from {from} only")]
    Early {
        /// Proven.
        at: Timestamp,
        /// As the user says.
        from: Timestamp,
    },
    /// After the authority ceased to count.
    #[error("it was signed at {at}, and the authority counts until {until} only")]
    Late {
        /// Proven.
        at: Timestamp,
        /// As the user says.
        until: Timestamp,
    },
    /// After the key was taken back.
    #[error("it was signed at {at}, and the authority was revoked at {revoked}")]
    AfterRevocation {
        /// Proven.
        at: Timestamp,
        /// As the user says.
        revoked: Timestamp,
    },
    /// Its signer said until when it counts.
    #[error("it expired at {0}")]
    Expired(Timestamp),
    /// Its authority took the certificate back.
    #[error("the certificate was revoked: {0}")]
    Revoked(String),
    /// The trust policy has no statement for the image.
    #[error("the trust policy says nothing about {0}")]
    Unspoken(String),
    /// Something that this program cannot check.
    #[error("{0}")]
    Unsupported(String),
}

fn nobody(tried: &[(String, Unfit)]) -> String {
    match tried {
        [] => "nobody is believed: name a key or an identity".to_owned(),
        [(name, why)] => format!("not by {name}: {why}"),
        all => {
            let each: Vec<String> = all.iter().map(|(name, why)| format!("not by {name}: {why}")).collect();
            each.join("; ")
        }
    }
}
