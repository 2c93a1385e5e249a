//! Envelopes in COSE: a tagged `COSE_Sign1` (RFC 9052, section 4.2; `signature-envelope-cose.md`).

use boltseal_model::Timestamp;
use coset::{
    CoseSign1, Label, RegisteredLabel, RegisteredLabelWithPrivate, TaggedCborSerializable as _,
    cbor::Value,
    iana::{Algorithm, HeaderParameter},
};

use super::envelope::{
    AUTHENTIC_SIGNING_TIME, EXPIRY, Envelope, PLUGIN, SIGNING_SCHEME, SIGNING_TIME, TIMESTAMP, Times,
};
use crate::x509::{MAX_CHAIN, Scheme};

/// Certificates (RFC 9360, section 2).
const CHAIN: Label = Label::Int(33);
/// Seconds since 1970 (RFC 8949, section 3.4.2).
const EPOCH: u64 = 1;

/// Reads one.
pub fn read(bytes: &[u8]) -> Result<Envelope, String> {
    let message = CoseSign1::from_tagged_slice(bytes).map_err(|error| error.to_string())?;
    let signed = message.tbs_data(&[]);
    let header = &message.protected.header;
    let algorithm = match &header.alg {
        Some(RegisteredLabelWithPrivate::Assigned(Algorithm::PS256)) => Scheme::Ps256,
        Some(RegisteredLabelWithPrivate::Assigned(Algorithm::PS384)) => Scheme::Ps384,
        Some(RegisteredLabelWithPrivate::Assigned(Algorithm::PS512)) => Scheme::Ps512,
        Some(RegisteredLabelWithPrivate::Assigned(Algorithm::ES256)) => Scheme::Es256,
        Some(RegisteredLabelWithPrivate::Assigned(Algorithm::ES384)) => Scheme::Es384,
        Some(RegisteredLabelWithPrivate::Assigned(Algorithm::ES512)) => Scheme::Es512,
        other => return Err(format!("{other:?} is no algorithm of Notary Project")),
    };
    let Some(RegisteredLabel::Text(content_type)) = header.content_type.clone() else {
        return Err("it does not say what it signs".to_owned());
    };
    let signed_attribute = |name: &str| attribute(&header.rest, name);
    let critical = names(&header.crit, &header.rest)?;
    let times = Times {
        scheme: signed_attribute(SIGNING_SCHEME).and_then(Value::as_text).unwrap_or_default().to_owned(),
        signing: time(&header.rest, SIGNING_TIME)?,
        authentic: time(&header.rest, AUTHENTIC_SIGNING_TIME)?,
    };
    Ok(Envelope {
        algorithm,
        signed,
        content_type,
        chain: chain(&message.unprotected.rest)?,
        timestamp: attribute(&message.unprotected.rest, TIMESTAMP).and_then(Value::as_bytes).cloned(),
        scheme: times.scheme()?,
        signing_time: times.signing,
        expiry: time(&header.rest, EXPIRY)?,
        critical,
        plugin: signed_attribute(PLUGIN).map(|name| name.as_text().unwrap_or_default().to_owned()),
        signature: message.signature,
        payload: message.payload.ok_or("what it signs is not in it")?,
    })
}

/// Names of critical attributes, each of which must be there.
fn names(
    critical: &[RegisteredLabelWithPrivate<HeaderParameter>],
    attributes: &[(Label, Value)],
) -> Result<Vec<String>, String> {
    if critical.is_empty() {
        return Err("it calls nothing critical".to_owned());
    }
    let mut names = Vec::new();
    for label in critical {
        match label {
            RegisteredLabelWithPrivate::Text(name) if attribute(attributes, name).is_some() => {
                names.push(name.clone());
            }
            RegisteredLabelWithPrivate::Text(name) => {
                return Err(format!("`{name}` is marked as critical, and not there"));
            }
            // What everybody who reads COSE knows.
            RegisteredLabelWithPrivate::Assigned(HeaderParameter::Alg | HeaderParameter::ContentType) => {}
            other => names.push(format!("{other:?}")),
        }
    }
    Ok(names)
}

/// The value of the attribute, if it is there once.
fn attribute<'v>(attributes: &'v [(Label, Value)], name: &str) -> Option<&'v Value> {
    let mut found = attributes.iter().filter(|(label, _)| matches!(label, Label::Text(text) if text == name));
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

fn chain(attributes: &[(Label, Value)]) -> Result<Vec<Vec<u8>>, String> {
    let found = attributes.iter().find(|(label, _)| *label == CHAIN).map(|(_, value)| value);
    let one =
        |value: &Value| value.as_bytes().cloned().ok_or("a certificate is not made of bytes".to_owned());
    match found {
        Some(Value::Array(all)) if all.len() > MAX_CHAIN => {
            Err(format!("{} certificates are more than {MAX_CHAIN} for a chain", all.len()))
        }
        Some(Value::Array(all)) => all.iter().map(one).collect(),
        Some(single) => Ok(vec![one(single)?]),
        None => Ok(Vec::new()),
    }
}

fn time(attributes: &[(Label, Value)], name: &str) -> Result<Option<Timestamp>, String> {
    let Some(value) = attribute(attributes, name) else { return Ok(None) };
    let seconds = match value {
        Value::Tag(EPOCH, inside) => inside.as_integer().and_then(|number| i64::try_from(number).ok()),
        _ => None,
    };
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map(Some).ok_or_else(|| format!("`{name}` is no time"))
}
