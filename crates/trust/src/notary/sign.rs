//! Signing in Notary Project's form: the holder of a key with its chain of certificates makes an envelope about an image.
//!
//! What would be refused by those who verify is refused before anything is signed: a chain that does not hold together, a leaf
//! that is for something else than code, a key that is not the leaf's.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use boltseal_model::{Digest, Timestamp};
use cms::cert::x509::der::Encode as _;
use coset::{
    CoseSign1Builder, HeaderBuilder, RegisteredLabelWithPrivate, TaggedCborSerializable as _,
    cbor::Value as Cbor, iana::Algorithm,
};
use serde_json::{Map, Value, json};

use super::{
    PAYLOAD_TYPE,
    envelope::{EXPIRY, SIGNING_SCHEME, SIGNING_TIME, TIMESTAMP},
};
use crate::{
    Form, KeyError, PrivateKey, Stamped,
    x509::{Certificate, Purpose, Scheme, check_chain},
};

/// Who made the envelope, for people: nobody checks it.
const AGENT: &str = "io.cncf.notary.signingAgent";
const AGENT_NAME: &str = concat!("boltseal/", env!("CARGO_PKG_VERSION"));
/// Times in COSE are seconds since 1970 (RFC 8949, section 3.4.2).
const EPOCH: u64 = 1;
/// Seconds after which a signature may expire at most: a hundred years. Nobody plans for longer.
pub const MAX_EXPIRY: u64 = 100 * 365 * 86_400;

/// An artifact as Notary Project names it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// Of its manifest.
    pub media_type: &'t str,
    /// Of its manifest.
    pub digest: &'t Digest,
    /// Bytes of its manifest.
    pub size: u64,
}

/// Somebody who holds a key, and certificates that say whose it is.
#[derive(Debug)]
pub struct Holder<'k> {
    key: &'k PrivateKey,
    /// Leaf first, up to the root.
    chain: Vec<Certificate>,
    scheme: Scheme,
}

/// An envelope to which a clock may still say when.
#[derive(Debug)]
pub struct Draft {
    parts: Parts,
    signature: Vec<u8>,
    chain: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum Parts {
    Jws { protected: String, payload: String },
    Cose { protected: coset::Header, payload: Vec<u8> },
}

impl<'k> Holder<'k> {
    /// The holder of `key`, by `certificates` in any order, of which those that belong to it are taken.
    pub fn new(key: &'k PrivateKey, certificates: &[Certificate], now: Timestamp) -> Result<Self, KeyError> {
        let unfit = |why: String| KeyError::Unfit(format!("the certificates cannot be used: {why}"));
        let scheme = key.scheme()?;
        let is_its = |one: &&Certificate| {
            let spki = one.parsed().tbs_certificate.subject_public_key_info.to_der();
            spki.is_ok_and(|der| Digest::of(&der) == key.public().digest())
        };
        let leaf = certificates
            .iter()
            .find(is_its)
            .ok_or_else(|| unfit("none of them is of this key".to_owned()))?;
        let mut chain = vec![leaf.clone()];
        while let Some(last) = chain.last().filter(|last| !last.is_self_signed()) {
            let issuer = certificates.iter().find(|one| !one.is(last) && last.check_issued_by(one).is_ok());
            let Some(issuer) = issuer.filter(|_| chain.len() < crate::MAX_CHAIN) else {
                let why = format!(
                    "the issuer of `{}` is not among them: the chain must reach a root",
                    last.subject()
                );
                return Err(unfit(why));
            };
            chain.push(issuer.clone());
        }
        check_chain(&chain, Purpose::Code).map_err(unfit)?;
        chain.iter().try_for_each(|one| one.check_valid(now)).map_err(unfit)?;
        Ok(Self { key, chain, scheme })
    }

    /// Whom the leaf is for.
    pub fn subject(&self) -> String {
        self.chain.first().map(Certificate::subject).unwrap_or_default()
    }

    /// SHA-256 of each certificate in hex, by which registries are searched for a signer.
    pub fn thumbprints(&self) -> Vec<String> {
        self.chain.iter().map(|one| Digest::of(one.der()).hex()).collect()
    }

    /// Signs: `form` is one of the two that Notary Project has.
    pub fn sign(
        &self,
        form: Form,
        target: Target<'_>,
        now: Timestamp,
        expiry: Option<Timestamp>,
    ) -> Result<Draft, KeyError> {
        // No part of a second is in either form.
        let whole = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        let (now, expiry) = (whole(now), expiry.map(whole));
        if expiry.is_some_and(|expiry| expiry <= now) {
            return Err(KeyError::Unfit("the signature would expire before it is made".to_owned()));
        }
        let payload = json!({ "targetArtifact": {
            "mediaType": target.media_type, "digest": target.digest, "size": target.size,
        }})
        .to_string();
        let chain = self.chain.iter().map(|one| one.der().to_vec()).collect();
        let (parts, signed) = match form {
            Form::NotaryJws => {
                let protected = URL_SAFE_NO_PAD.encode(self.attributes(now, expiry).to_string());
                let payload = URL_SAFE_NO_PAD.encode(payload);
                let signed = format!("{protected}.{payload}").into_bytes();
                (Parts::Jws { protected, payload }, signed)
            }
            Form::NotaryCose => {
                let protected = self.header(now, expiry);
                let payload = payload.into_bytes();
                let message =
                    CoseSign1Builder::new().protected(protected.clone()).payload(payload.clone()).build();
                (Parts::Cose { protected, payload }, message.tbs_data(&[]))
            }
            other => return Err(KeyError::Unfit(format!("{other:?} is no form of Notary Project"))),
        };
        let signature = self.key.sign_as(self.scheme, &signed)?;
        Ok(Draft { parts, signature, chain })
    }

    /// The protected header in JWS.
    fn attributes(&self, now: Timestamp, expiry: Option<Timestamp>) -> Value {
        let mut critical = vec![SIGNING_SCHEME];
        let mut all = BTreeMap::from([
            ("alg", json!(self.scheme.name())),
            ("cty", json!(PAYLOAD_TYPE)),
            (SIGNING_SCHEME, json!("notary.x509")),
            (SIGNING_TIME, json!(now)),
        ]);
        if let Some(expiry) = expiry {
            critical.push(EXPIRY);
            all.insert(EXPIRY, json!(expiry));
        }
        all.insert("crit", json!(critical));
        json!(all)
    }

    /// The same in COSE.
    fn header(&self, now: Timestamp, expiry: Option<Timestamp>) -> coset::Header {
        let time = |at: Timestamp| Cbor::Tag(EPOCH, Box::new(Cbor::from(at.as_second())));
        let critical = |name: &str| RegisteredLabelWithPrivate::Text(name.to_owned());
        let mut header = HeaderBuilder::new()
            .algorithm(match self.scheme {
                Scheme::Ps256 => Algorithm::PS256,
                Scheme::Ps384 => Algorithm::PS384,
                Scheme::Ps512 => Algorithm::PS512,
                Scheme::Es256 => Algorithm::ES256,
                Scheme::Es384 => Algorithm::ES384,
                Scheme::Es512 => Algorithm::ES512,
            })
            .content_type(PAYLOAD_TYPE.to_owned())
            .text_value(SIGNING_SCHEME.to_owned(), Cbor::from("notary.x509"))
            .text_value(SIGNING_TIME.to_owned(), time(now))
            .add_critical_label(critical(SIGNING_SCHEME));
        if let Some(expiry) = expiry {
            header = header.text_value(EXPIRY.to_owned(), time(expiry)).add_critical_label(critical(EXPIRY));
        }
        header.build()
    }
}

impl Draft {
    /// What a clock is asked about.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The envelope, with what a clock said where one was asked.
    pub fn finish(self, stamped: Option<&Stamped>) -> Result<Vec<u8>, KeyError> {
        let token = stamped.map(|stamped| &stamped.token);
        match self.parts {
            Parts::Jws { protected, payload } => {
                let chain: Vec<String> = self.chain.iter().map(|der| STANDARD.encode(der)).collect();
                let mut header =
                    Map::from_iter([("x5c".to_owned(), json!(chain)), (AGENT.to_owned(), json!(AGENT_NAME))]);
                header.extend(token.map(|token| (TIMESTAMP.to_owned(), json!(STANDARD.encode(token)))));
                let signature = URL_SAFE_NO_PAD.encode(&self.signature);
                let envelope = json!({
                    "payload": payload, "protected": protected, "header": header, "signature": signature,
                });
                Ok(envelope.to_string().into_bytes())
            }
            Parts::Cose { protected, payload } => {
                let chain = Cbor::Array(self.chain.into_iter().map(Cbor::from).collect());
                let mut header = HeaderBuilder::new()
                    .value(33, chain) // RFC 9360, section 2
                    .text_value(AGENT.to_owned(), Cbor::from(AGENT_NAME));
                if let Some(token) = token {
                    header = header.text_value(TIMESTAMP.to_owned(), Cbor::from(token.clone()));
                }
                let message = CoseSign1Builder::new()
                    .protected(protected)
                    .unprotected(header.build())
                    .payload(payload)
                    .signature(self.signature)
                    .build();
                message.to_tagged_vec().map_err(|_| KeyError::Failed("write what was signed"))
            }
        }
    }
}
