//! Everything by which a principal can prove who it is, as the database keeps it.
//!
//! Nothing in here proves anything to whoever reads it: secrets and codes are hashed, seeds are sealed, certificates
//! are public.

use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::certificate::{Certificate, CertificateError};
use crate::{
    password::PasswordHash,
    primitive::NoRandomness,
    secret::{Secret, StoredSecret},
    totp::{RECOVERY_CODES, SealedTotp, StoredCode},
};

/// Secrets of a principal: the one in use, and its successor while it is rolled out.
pub const MAX_SECRETS: usize = 2;
/// Certificates of a principal: two in use, two to follow.
pub const MAX_CERTIFICATES: usize = 4;

/// Why a credential could not be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Both slots are taken.
    #[error("there are {MAX_SECRETS} secrets already: rotate, or delete one first")]
    TooManySecrets,
    /// Every slot is taken.
    #[error("there are {MAX_CERTIFICATES} certificates already: delete one first")]
    TooManyCertificates,
    /// Registered already.
    #[error("the certificate {thumbprint} is registered already")]
    Repeated {
        /// SHA-256 in hexadecimal.
        thumbprint: String,
    },
    /// See [`NoRandomness`].
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// The credentials of one principal. JSON in the database; `Debug` shows no hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// Of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordHash>,
    /// Of a user with a second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totp: Option<SealedTotp>,
    /// Instead of the second factor, once each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<StoredCode>,
    /// Of a service principal, oldest first; no more than [`MAX_SECRETS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<StoredSecret>,
    /// Of a service principal; no more than [`MAX_CERTIFICATES`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
}

impl Credentials {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds a fresh secret, which comes back for the only time.
    ///
    /// # Errors
    /// [`CredentialError::TooManySecrets`]
    pub fn add_secret(
        &mut self,
        now: Timestamp,
        expires: Option<Timestamp>,
    ) -> Result<Secret, CredentialError> {
        if self.secrets.len() >= MAX_SECRETS {
            return Err(CredentialError::TooManySecrets);
        }
        let secret = Secret::generate()?;
        self.secrets.push(StoredSecret::new(&secret, now, expires)?);
        Ok(secret)
    }

    /// Adds a fresh secret, and lets go of the oldest where both slots are taken.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn rotate_secret(
        &mut self,
        now: Timestamp,
        expires: Option<Timestamp>,
    ) -> Result<Secret, CredentialError> {
        let secret = Secret::generate()?;
        let stored = StoredSecret::new(&secret, now, expires)?;
        let superfluous = (self.secrets.len() + 1).saturating_sub(MAX_SECRETS);
        self.secrets.drain(..superfluous);
        self.secrets.push(stored);
        Ok(secret)
    }

    /// Whether a secret of this id was there; it is not afterwards.
    pub fn remove_secret(&mut self, id: Uuid) -> bool {
        let before = self.secrets.len();
        self.secrets.retain(|secret| secret.id() != id);
        self.secrets.len() < before
    }

    /// Registers a certificate.
    ///
    /// # Errors
    /// [`CredentialError::TooManyCertificates`], [`CredentialError::Repeated`]
    pub fn add_certificate(&mut self, certificate: Certificate) -> Result<(), CredentialError> {
        if self.certificates.iter().any(|known| known.thumbprint() == certificate.thumbprint()) {
            return Err(CredentialError::Repeated { thumbprint: hex::encode(certificate.thumbprint()) });
        }
        if self.certificates.len() >= MAX_CERTIFICATES {
            return Err(CredentialError::TooManyCertificates);
        }
        self.certificates.push(certificate);
        Ok(())
    }

    /// Whether a certificate of this SHA-256 was there; it is not afterwards.
    pub fn remove_certificate(&mut self, thumbprint: &[u8; 32]) -> bool {
        let before = self.certificates.len();
        self.certificates.retain(|certificate| certificate.thumbprint() != thumbprint);
        self.certificates.len() < before
    }

    /// Fresh recovery codes instead of the ones there are; they come back for the only time.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn renew_recovery(&mut self) -> Result<Vec<Secret>, NoRandomness> {
        let fresh: Vec<_> = (0..RECOVERY_CODES).map(|_| StoredCode::generate()).collect::<Result<_, _>>()?;
        let (shown, kept) = fresh.into_iter().unzip();
        self.recovery = kept;
        Ok(shown)
    }

    /// Whether `typed` is a recovery code; it is not afterwards.
    pub fn use_recovery(&mut self, typed: &str) -> bool {
        // Each is asked, so that the time does not tell which one it was.
        let mut right = None;
        for (place, code) in self.recovery.iter().enumerate() {
            if code.verify(typed) {
                right = Some(place);
            }
        }
        let Some(place) = right else { return false };
        self.recovery.remove(place);
        true
    }
}

/// The id of the secret that `guess` is. Takes the same time for every principal, also for one that does not exist.
pub fn verify_secret(credentials: Option<&Credentials>, guess: &str, now: Timestamp) -> Option<Uuid> {
    let secrets = credentials.map_or(&[][..], |credentials| &credentials.secrets);
    let mut right = None;
    for secret in secrets {
        if secret.verify(guess, now) {
            right = Some(secret.id());
        }
    }
    for _ in secrets.len()..MAX_SECRETS {
        StoredSecret::verify_nothing(guess);
    }
    right
}
