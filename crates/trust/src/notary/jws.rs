//! Envelopes in JWS, JSON, flattened (RFC 7515, section 7.2.2; `signature-envelope-jws.md`).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use boltseal_model::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::envelope::{
    AUTHENTIC_SIGNING_TIME, EXPIRY, Envelope, PLUGIN, SIGNING_SCHEME, SIGNING_TIME, Times,
};
use crate::x509::{MAX_CHAIN, Scheme};

#[derive(Deserialize)]
struct Flattened {
    payload: String,
    protected: String,
    header: Unprotected,
    signature: String,
}

#[derive(Deserialize)]
struct Unprotected {
    #[serde(default)]
    x5c: Vec<String>,
    #[serde(default, rename = "io.cncf.notary.timestampSignature")]
    timestamp: Option<String>,
}

/// Reads one.
pub fn read(bytes: &[u8]) -> Result<Envelope, String> {
    let Flattened { payload, protected, header, signature } =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let attributes: Map<String, Value> =
        serde_json::from_slice(&url(&protected, "protected")?).map_err(|error| error.to_string())?;
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    let algorithm = text("alg").unwrap_or_default();
    let algorithm = Scheme::of_name(algorithm)
        .ok_or_else(|| format!("`{algorithm}` is no algorithm of Notary Project"))?;
    if header.x5c.len() > MAX_CHAIN {
        return Err(format!("{} certificates are more than {MAX_CHAIN} for a chain", header.x5c.len()));
    }
    let standard = |text: &String| STANDARD.decode(text).map_err(|error| format!("a certificate: {error}"));
    let times = Times {
        scheme: text(SIGNING_SCHEME).unwrap_or_default().to_owned(),
        signing: time(&attributes, SIGNING_TIME)?,
        authentic: time(&attributes, AUTHENTIC_SIGNING_TIME)?,
    };
    let critical = match attributes.get("crit") {
        Some(Value::Array(names)) if !names.is_empty() => names,
        _ => return Err("it calls nothing critical".to_owned()),
    };
    let mut names = Vec::new();
    for name in critical {
        let name = name.as_str().ok_or("the name of a critical attribute is no text")?;
        if !attributes.contains_key(name) {
            return Err(format!("`{name}` is marked as critical, and not there"));
        }
        names.push(name.to_owned());
    }
    Ok(Envelope {
        algorithm,
        signature: url(&signature, "signature")?,
        chain: header.x5c.iter().map(standard).collect::<Result<_, _>>()?,
        timestamp: header.timestamp.as_ref().map(standard).transpose()?,
        content_type: text("cty").unwrap_or_default().to_owned(),
        scheme: times.scheme()?,
        signing_time: times.signing,
        expiry: time(&attributes, EXPIRY)?,
        critical: names,
        plugin: attributes.get(PLUGIN).map(|name| name.as_str().unwrap_or_default().to_owned()),
        signed: format!("{protected}.{payload}").into_bytes(),
        payload: url(&payload, "payload")?,
    })
}

fn url(text: &str, what: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| format!("`{what}`: {error}"))
}

/// RFC 3339.
fn time(attributes: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, String> {
    let Some(value) = attributes.get(name) else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| format!("`{name}` is no text"))?;
    text.parse().map(Some).map_err(|_| format!("`{name}` is no time"))
}
