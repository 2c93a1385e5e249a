//! Signatures of Notary Project (`notaryproject/specifications`): JWS and COSE envelopes with a chain of certificates, and a
//! trust policy that says whose are believed and how strictly.
//!
//! ```no_run
//! use boltseal_trust::{Authority, Who, notary::{Document, StoreKind, Stores, Trust}};
//! let document = Document::parse(&std::fs::read_to_string("trustpolicy.json")?)?;
//! let mut stores = Stores::default();
//! stores.add(StoreKind::Authority, "acme", &std::fs::read("acme.crt")?)?;
//! let statement = document.of("registry.example.com/team/app").ok_or("no statement")?;
//! let trust = Trust { statement: statement.clone(), stores: stores.into(), revoked: Default::default() };
//! let who = Who::Notary { trust: trust.into(), now: boltseal_model::Timestamp::now() };
//! let acme = Authority::new(statement.name.clone(), who);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | step | refused when |
//! |---|---|
//! | envelope | it cannot be read, or says something critical that is not known here, such as a plugin |
//! | integrity | the leaf of the chain did not make the signature, or not with the algorithm of its size |
//! | authenticity | no certificate of the chain is in a trust store of the policy, or the subject is not one of its identities |
//! | expiry | the signer's "best before" is over |
//! | authentic timestamp | the chain was not valid when a clock of the policy, or the signing authority, says it was signed |
//! | revocation | a list or an answer of OCSP that the user gave says so of a certificate of the chain, or of the clock |
//!
//! The other direction is [`Holder`]: whoever has a key and its chain of certificates makes a [`Draft`] of an envelope, to which a
//! clock may still say when.
//!
//! What of this changes by itself, and when, [`crate::weigh`] tells: an expiry, the validity of a certificate, the age of a list.
//!
//! What a level only logs is told with the result ([`crate::Signed::remarks`]), and so is what nobody could look up.
//! Nothing is fetched, so revocation is known from files alone. Plugins are not run: a signature that wants one is refused.

mod cose;
mod envelope;
mod jws;
mod policy;
mod sign;
mod stores;

use std::{fmt, sync::Arc};

use boltseal_model::{Digest, Timestamp};
use serde::Deserialize;

use self::envelope::{Envelope, SigningScheme};
use crate::{
    Claim, Evidence, Form, Proof, Refusal, Signer, Statement as Said, Unfit, Who, clock,
    x509::{Certificate, DistinguishedName, Purpose, Revoked, Scheme, check_chain},
};

pub use policy::{Action, Check, Document, Level, PolicyError, TrustStatement, VerifyTimestamp};
pub use sign::{Draft, Holder, MAX_EXPIRY, Target};
pub use stores::{StoreError, StoreKind, Stores};

/// What an artifact that is a signature is called.
pub const SIGNATURE_TYPE: &str = "application/vnd.cncf.notary.signature";
/// The layer of one in JWS, and of one in COSE.
pub const ENVELOPES: [&str; 2] = ["application/jose+json", "application/cose"];
/// What is signed.
const PAYLOAD_TYPE: &str = "application/vnd.cncf.notary.payload.v1+json";

/// Whose signatures of an image are believed.
#[derive(Clone)]
pub struct Trust {
    /// The statement of the trust policy that covers the image: [`Document::of`].
    pub statement: TrustStatement,
    /// Certificates that its trust stores have.
    pub stores: Arc<Stores>,
    /// What was taken back.
    pub revoked: Arc<Revoked>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({})", self.statement.name)
    }
}

/// A signature about an image.
pub(crate) struct Signature {
    envelope: Envelope,
    chain: Vec<Certificate>,
}

/// When something was signed.
struct Told {
    at: Timestamp,
    /// Certificates of the clock that says so; a signing authority has none besides those of the signature.
    clock: Vec<Certificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    target_artifact: Targeted,
}

#[derive(Deserialize)]
struct Targeted {
    digest: String,
}

impl Signature {
    pub fn read(evidence: &Evidence<'_>, image: &Digest) -> Result<Self, Refusal> {
        let malformed = |why: String| Refusal::Malformed { what: "the signature of Notary Project", why };
        let envelope = match evidence.form {
            Form::NotaryCose => cose::read(evidence.bytes),
            _ => jws::read(evidence.bytes),
        }
        .map_err(malformed)?;
        if envelope.content_type != PAYLOAD_TYPE {
            return Err(malformed(format!("it signs a `{}`", envelope.content_type)));
        }
        let payload: Payload =
            serde_json::from_slice(&envelope.payload).map_err(|error| malformed(error.to_string()))?;
        let found = payload.target_artifact.digest;
        if found != image.to_string() {
            return Err(Refusal::OtherImage { image: image.clone(), found });
        }
        envelope.check_times().map_err(malformed)?;
        if let Some(why) = envelope.unknown() {
            return Err(Refusal::Unsupported(why));
        }
        let chain: Result<Vec<_>, _> = envelope.chain.iter().map(|der| Certificate::from_der(der)).collect();
        let chain = chain.map_err(|why| malformed(format!("a certificate: {why}")))?;
        Ok(Self { envelope, chain })
    }

    fn leaf(&self) -> Result<&Certificate, Unfit> {
        self.chain.first().ok_or_else(|| Unfit::Certificate("there is none".to_owned()))
    }

    /// Whether the leaf of the chain made the signature, and the chain holds together.
    fn check_integrity(&self) -> Result<(), Unfit> {
        let leaf = self.leaf()?;
        let key = &leaf.parsed().tbs_certificate.subject_public_key_info;
        let scheme = Scheme::of_key(key).map_err(Unfit::Certificate)?;
        if scheme != self.envelope.algorithm {
            let said = self.envelope.algorithm.name();
            let why = format!("it says {said}, and the key of its certificate signs {}", scheme.name());
            return Err(Unfit::Signature(why));
        }
        scheme.verify(key, &self.envelope.signed, &self.envelope.signature).map_err(Unfit::Signature)?;
        check_chain(&self.chain, Purpose::Code).map_err(Unfit::Certificate)
    }

    fn check_authenticity(&self, trust: &Trust) -> Result<(), Unfit> {
        let kind = match self.envelope.scheme {
            SigningScheme::X509 => StoreKind::Authority,
            SigningScheme::Authority(_) => StoreKind::SigningAuthority,
        };
        let believed = trust.stores.of(&trust.statement, kind).map_err(Unfit::Certificate)?;
        if !self.chain.iter().any(|one| believed.iter().any(|root| root.is(one))) {
            let stores = trust.statement.stores_told(kind);
            let why = format!("no certificate of its chain is in a trust store of the policy ({stores})");
            return Err(Unfit::Certificate(why));
        }
        let Some(identities) = &trust.statement.identities else { return Ok(()) };
        let leaf = self.leaf()?;
        let subject = DistinguishedName::of(&leaf.parsed().tbs_certificate.subject)
            .map_err(|why| Unfit::Certificate(format!("nobody is named by it: {why}")))?;
        if identities.iter().any(|wanted| wanted.is_part_of(&subject)) {
            return Ok(());
        }
        let wanted: Vec<String> = identities.iter().map(ToString::to_string).collect();
        Err(Unfit::Subject { found: leaf.subject(), wanted: wanted.join("` or `") })
    }

    /// When it was signed, as far as somebody who is believed says so, and by whose certificates.
    fn check_time(&self, trust: &Trust, now: Timestamp) -> Result<Option<Told>, Unfit> {
        let at = |at: Timestamp| {
            self.chain.iter().try_for_each(|one| one.check_valid(at)).map_err(Unfit::Certificate)
        };
        if let SigningScheme::Authority(signed) = self.envelope.scheme {
            return at(signed).map(|()| Some(Told { at: signed, clock: Vec::new() }));
        }
        let over = self.chain.iter().any(|one| one.check_valid(now).is_err());
        let wanted = match trust.statement.verify_timestamp {
            VerifyTimestamp::Always => true,
            VerifyTimestamp::AfterCertExpiry => over,
        };
        if !trust.statement.has_clock() || !wanted {
            return at(now).map(|()| None);
        }
        let clocks = trust.stores.of(&trust.statement, StoreKind::Clock).map_err(Unfit::Time)?;
        let token = self.envelope.timestamp.as_deref();
        let token = token.ok_or_else(|| Unfit::Time("it has no timestamp of a clock".to_owned()))?;
        let stamp = clock::check(token, &self.envelope.signature, &clocks, &[]).map_err(Unfit::Time)?;
        // The clock may be wrong by so much; the chain must hold either way.
        at(stamp.earliest)?;
        at(stamp.latest)?;
        Ok(Some(Told { at: stamp.at, clock: stamp.chain }))
    }

    fn believed(&self, trust: &Trust, now: Timestamp) -> Result<Proof, Unfit> {
        let level = &trust.statement.level;
        if level.skips() {
            let why = format!(
                "the trust policy `{}` skips verification: nothing is verified",
                trust.statement.name
            );
            return Err(Unfit::Unsupported(why));
        }
        self.check_integrity()?;
        let mut proof = Proof { by: self.signer()?, at: Vec::new(), logged: false, remarks: Vec::new() };
        let authentic = self.check_authenticity(trust);
        let is_authentic = authentic.is_ok();
        level.take(Check::Authenticity, authentic, &mut proof.remarks)?;
        let expired = match self.envelope.expiry.filter(|expiry| now >= *expiry) {
            Some(at) => Err(Unfit::Expired(at)),
            None => Ok(()),
        };
        level.take(Check::Expiry, expired, &mut proof.remarks)?;
        let mut chains = vec![self.chain.as_slice()];
        let told = self.check_time(trust, now);
        match &told {
            Ok(None) => {}
            Ok(Some(told)) => {
                // What an authority says that nobody believes proves no time.
                proof.at.extend((is_authentic || !told.clock.is_empty()).then_some(told.at));
                chains.push(&told.clock);
            }
            Err(why) => level.take(Check::AuthenticTimestamp, Err(why.clone()), &mut proof.remarks)?,
        }
        if level.action(Check::Revocation) != Action::Skip {
            for chain in chains {
                let standing = trust.revoked.check(chain, now);
                let revoked = standing.revoked.map_or(Ok(()), |why| Err(Unfit::Revoked(why)));
                level.take(Check::Revocation, revoked, &mut proof.remarks)?;
                let unchecked = standing.unchecked.into_iter();
                proof.remarks.extend(unchecked.map(|why| format!("revocation is not checked: {why}")));
            }
        }
        Ok(proof)
    }

    /// The first moment after `now` at which something that was looked at begins or runs out.
    fn turns_after(&self, trust: &Trust, now: Timestamp) -> Option<Timestamp> {
        let level = &trust.statement.level;
        if level.skips() {
            return None;
        }
        let certificates = self.chain.iter().flat_map(Certificate::turns);
        let mut moments: Vec<Timestamp> = certificates.chain(self.envelope.expiry).collect();
        if level.action(Check::Revocation) != Action::Skip {
            moments.extend(trust.revoked.turns());
        }
        moments.into_iter().filter(|moment| *moment > now).min()
    }

    fn signer(&self) -> Result<Signer, Unfit> {
        let issuer = self.chain.last().map(Certificate::subject).unwrap_or_default();
        Ok(Signer::Identity { subject: self.leaf()?.subject(), issuer })
    }
}

impl Claim for Signature {
    fn is_of(&self, who: &Who) -> Result<Proof, Unfit> {
        match who {
            Who::Notary { trust, now } => self.believed(trust, *now),
            Who::Unspoken { about } => Err(Unfit::Unspoken(about.clone())),
            Who::Key { .. } => Err(Unfit::Kind { found: "a certificate of Notary Project", wanted: "a key" }),
            Who::Identity { .. } => Err(Unfit::Kind {
                found: "a certificate of Notary Project",
                wanted: "a certificate of a sigstore instance",
            }),
        }
    }

    fn turns(&self, who: &Who) -> Option<Timestamp> {
        match who {
            Who::Notary { trust, now } => self.turns_after(trust, *now),
            _ => None,
        }
    }

    fn statement(&self) -> Result<Option<Said>, Refusal> {
        Ok(None)
    }
}
