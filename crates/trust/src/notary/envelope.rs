//! What both kinds of envelopes have ("Signed Attributes" and "Unsigned Attributes" of the specification of signatures).

use boltseal_model::Timestamp;

use crate::x509::Scheme;

pub const SIGNING_SCHEME: &str = "io.cncf.notary.signingScheme";
pub const SIGNING_TIME: &str = "io.cncf.notary.signingTime";
pub const AUTHENTIC_SIGNING_TIME: &str = "io.cncf.notary.authenticSigningTime";
pub const EXPIRY: &str = "io.cncf.notary.expiry";
pub const PLUGIN: &str = "io.cncf.notary.verificationPlugin";
pub const TIMESTAMP: &str = "io.cncf.notary.timestampSignature";

/// Critical attributes of one envelope. The specification has four.
pub const MAX_CRITICAL: usize = 100;

/// An envelope, read and not yet believed.
pub struct Envelope {
    pub algorithm: Scheme,
    /// The bytes that the signature is over.
    pub signed: Vec<u8>,
    pub signature: Vec<u8>,
    pub payload: Vec<u8>,
    pub content_type: String,
    /// In DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// A token of RFC 3161.
    pub timestamp: Option<Vec<u8>>,
    pub scheme: SigningScheme,
    /// What the signer says; with a signing authority, what that says.
    pub signing_time: Option<Timestamp>,
    pub expiry: Option<Timestamp>,
    /// Names of critical attributes.
    pub critical: Vec<String>,
    /// The plugin that is to verify it.
    pub plugin: Option<String>,
}

/// Whose time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningScheme {
    /// `notary.x509`: that of a clock, if any.
    X509,
    /// `notary.x509.signingAuthority`: that of the authority which signed.
    Authority(Timestamp),
}

/// The attributes of an envelope by which the scheme is known.
pub struct Times {
    pub scheme: String,
    pub signing: Option<Timestamp>,
    pub authentic: Option<Timestamp>,
}

impl Times {
    /// Each scheme has its own time, and not the other's.
    pub fn scheme(&self) -> Result<SigningScheme, String> {
        match (self.scheme.as_str(), self.signing, self.authentic) {
            ("notary.x509", _, None) => Ok(SigningScheme::X509),
            ("notary.x509.signingAuthority", None, Some(at)) => Ok(SigningScheme::Authority(at)),
            ("notary.x509" | "notary.x509.signingAuthority", ..) => {
                Err(format!("the times in it are not those of the scheme `{}`", self.scheme))
            }
            (other, ..) => Err(format!("its scheme is `{other}`")),
        }
    }
}

impl Envelope {
    /// That it tells a time, and that what must be critical is.
    pub fn check_times(&self) -> Result<(), String> {
        let signed = match self.scheme {
            SigningScheme::X509 => self.signing_time.ok_or("it has no time of signing")?,
            SigningScheme::Authority(at) => at,
        };
        if self.expiry.is_some_and(|expiry| expiry <= signed) {
            return Err("it expired before it was signed".to_owned());
        }
        if self.critical.len() > MAX_CRITICAL {
            return Err(format!("{} critical attributes are more than {MAX_CRITICAL}", self.critical.len()));
        }
        let needed = [
            (SIGNING_SCHEME, true),
            (EXPIRY, self.expiry.is_some()),
            (AUTHENTIC_SIGNING_TIME, matches!(self.scheme, SigningScheme::Authority(_))),
        ];
        for (name, needed) in needed {
            let there = self.critical.iter().any(|one| one == name);
            if needed && !there {
                return Err(format!("`{name}` is not marked as critical"));
            }
            if there && !needed {
                return Err(format!("`{name}` is marked as critical, and not there"));
            }
        }
        Ok(())
    }

    /// Why nobody here can verify it: what its signer calls critical and this program does not know.
    pub fn unknown(&self) -> Option<String> {
        if let Some(plugin) = &self.plugin {
            return Some(format!(
                "it wants to be verified by the plugin `{plugin}`, and plugins are not run"
            ));
        }
        let known = [SIGNING_SCHEME, EXPIRY, AUTHENTIC_SIGNING_TIME];
        let unknown = self.critical.iter().find(|name| !known.contains(&name.as_str()))?;
        Some(format!("its signer calls `{unknown}` critical, which is not known here"))
    }
}
