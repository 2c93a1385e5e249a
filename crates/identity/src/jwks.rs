//! The public keys of an issuer (JWKS, RFC 7517), each pinned to the algorithms that it may be used with.
//!
//! The header of a token never decides how it is verified: a key is RSA, P-256, P-384 or Ed25519, and an algorithm of
//! another family does not fit it. Symmetric keys are not taken, so no public key can pass for a shared secret.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use crate::json::{object, shown};

/// Bytes of a key set. Entra's, with certificates, has about 20 KiB.
pub const MAX_JWKS: usize = 256 << 10;
/// Keys in a set. Issuers have two to ten.
pub const MAX_KEYS: usize = 64;
/// Characters of a key id.
pub const MAX_KEY_ID: usize = 256;
/// Fewer bits of RSA are not safe any more (NIST SP 800-57), more cost us too much to check.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Bytes of an RSA exponent: 65537 has three.
const MAX_EXPONENT: usize = 4;

/// The keys of one issuer that can be used.
#[derive(Clone, Debug)]
pub struct Jwks {
    keys: Vec<Key>,
    skipped: Vec<Skipped>,
}

/// A key with the algorithms that it is pinned to.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    id: Option<String>,
    algorithms: &'static [Algorithm],
    public: DecodingKey,
}

/// A key that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its id, where it has one; made fit to be shown.
    pub id: Option<String>,
    /// Why it is left out.
    pub why: String,
}

/// Why a text is not a key set to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// Too many bytes.
    #[error("the key set has {found} bytes, more than {MAX_JWKS}")]
    TooLarge {
        /// Bytes.
        found: usize,
    },
    /// Not a JSON object with a list `keys`.
    #[error("this is not a key set (RFC 7517): {problem}")]
    Malformed {
        /// What is wrong.
        problem: String,
    },
    /// Too many keys.
    #[error("the key set has {found} keys, more than {MAX_KEYS}")]
    TooMany {
        /// Keys.
        found: usize,
    },
    /// Keys, but none that signs in a way that we accept.
    #[error("no key of the set can be used{}", .skipped.first().map(|first| format!(": {}", first.why)).unwrap_or_default())]
    NoneUsable {
        /// Each with its reason.
        skipped: Vec<Skipped>,
    },
}

/// Why no key fits a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// None has this id.
    Unknown,
    /// One has, for other algorithms.
    Algorithm,
}

impl Jwks {
    /// Reads a key set. Keys that cannot be used are left out, with the reason.
    ///
    /// # Errors
    /// See [`JwksError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, JwksError> {
        if bytes.len() > MAX_JWKS {
            return Err(JwksError::TooLarge { found: bytes.len() });
        }
        let set = object(bytes).map_err(|problem| JwksError::Malformed { problem })?;
        let Some(Value::Array(list)) = set.get("keys") else {
            return Err(JwksError::Malformed { problem: "there is no list `keys`".to_owned() });
        };
        if list.len() > MAX_KEYS {
            return Err(JwksError::TooMany { found: list.len() });
        }
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for value in list {
            match value.as_object().ok_or("not an object".to_owned()).and_then(Key::read) {
                Ok(key) => keys.push(key),
                Err(why) => {
                    let id = value.get("kid").and_then(Value::as_str).map(shown);
                    skipped.push(Skipped { id, why });
                }
            }
        }
        if keys.is_empty() { Err(JwksError::NoneUsable { skipped }) } else { Ok(Self { keys, skipped }) }
    }

    /// Keys that were left out.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Ids of the keys, in their order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.id.as_deref())
    }

    /// Whether there is a key of this id.
    pub fn has(&self, id: &str) -> bool {
        self.ids().any(|known| known == id)
    }

    /// The key for a token. Without an id there must be no choice (`OpenID` Connect Core section 10.1).
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&DecodingKey, NoKey> {
        let mut named =
            self.keys.iter().filter(|key| id.is_none_or(|id| key.id.as_deref() == Some(id))).peekable();
        if named.peek().is_none() {
            return Err(NoKey::Unknown);
        }
        let mut fitting = named.filter(|key| key.algorithms.contains(&algorithm));
        let key = fitting.next().ok_or(NoKey::Algorithm)?;
        if fitting.next().is_some() {
            // Two keys that both fit: trying each would let a token choose.
            return Err(NoKey::Unknown);
        }
        Ok(&key.public)
    }
}

impl Key {
    fn read(jwk: &Map<String, Value>) -> Result<Self, String> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let id = match jwk.get("kid") {
            None => None,
            Some(Value::String(id)) if id.len() <= MAX_KEY_ID => Some(id.clone()),
            Some(_) => return Err("its id is no text, or too long".to_owned()),
        };
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return Err("it is not for signatures".to_owned());
        }
        let may_verify = |list: &Vec<Value>| list.iter().any(|op| op == "verify");
        if jwk.get("key_ops").is_some_and(|ops| !ops.as_array().is_some_and(may_verify)) {
            return Err("it is not for verifying".to_owned());
        }
        if jwk.contains_key("d") {
            return Err("it shows its private half, so anybody can sign with it".to_owned());
        }
        let (family, public) = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => (RSA, rsa(text("n"), text("e"))?),
            (Some("EC"), Some("P-256")) => (&[Algorithm::ES256][..], point(text("x"), text("y"), 32)?),
            (Some("EC"), Some("P-384")) => (&[Algorithm::ES384][..], point(text("x"), text("y"), 48)?),
            (Some("OKP"), Some("Ed25519")) => (&[Algorithm::EdDSA][..], edwards(text("x"))?),
            (Some("oct"), _) => {
                return Err("it is symmetric, and whoever verifies with it can sign".to_owned());
            }
            (kind, curve) => {
                let found = [kind, curve].into_iter().flatten().collect::<Vec<_>>().join(" ");
                return Err(format!("its type `{}` is not known here", shown(&found)));
            }
        };
        let algorithms = match jwk.get("alg") {
            None => family,
            Some(named) => pinned(family, named.as_str().unwrap_or_default()).ok_or_else(|| {
                format!("its algorithm `{}` does not fit its type", shown(&named.to_string()))
            })?,
        };
        Ok(Self { id, algorithms, public })
    }
}

/// What an RSA key may be used with that names no algorithm.
const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// The one algorithm of `family` that has this name.
fn pinned(family: &'static [Algorithm], name: &str) -> Option<&'static [Algorithm]> {
    let named = algorithm(name)?;
    family.iter().position(|known| *known == named).and_then(|place| family.get(place..=place))
}

/// The algorithm of a name (RFC 7518 section 3.1, RFC 8037, RFC 9864), where it is asymmetric and safe.
pub(crate) fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" | "Ed25519" => Algorithm::EdDSA,
        _ => return None,
    })
}

fn rsa(modulus: Option<&str>, exponent: Option<&str>) -> Result<DecodingKey, String> {
    let (n, e) = (number(modulus, "n")?, number(exponent, "e")?);
    let leading = n.first().map_or(0, |byte| byte.leading_zeros());
    let bits = (n.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or_default());
    if !RSA_BITS.contains(&bits) {
        return Err(format!("it has {bits} bits: RSA needs 2048 to 8192"));
    }
    let odd = e.last().is_some_and(|last| last & 1 == 1);
    if !odd || e.len() > MAX_EXPONENT || e == [1] {
        return Err("its exponent is not an odd number from 3".to_owned());
    }
    Ok(DecodingKey::from_rsa_raw_components(&n, &e))
}

fn point(x: Option<&str>, y: Option<&str>, size: usize) -> Result<DecodingKey, String> {
    let (x, y) = (decoded(x, "x")?, decoded(y, "y")?);
    if x.len() != size || y.len() != size {
        return Err(format!("its coordinates are not of {size} bytes"));
    }
    Ok(DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat()))
}

fn edwards(x: Option<&str>) -> Result<DecodingKey, String> {
    let x = decoded(x, "x")?;
    if x.len() != 32 {
        return Err("its key is not of 32 bytes".to_owned());
    }
    Ok(DecodingKey::from_ed_der(&x))
}

/// An unsigned number without leading zeros (`Base64urlUInt`, RFC 7518 section 2; some issuers write the zeros).
fn number(text: Option<&str>, name: &str) -> Result<Vec<u8>, String> {
    let bytes = decoded(text, name)?;
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    Ok(bytes.get(start..).unwrap_or_default().to_vec())
}

fn decoded(text: Option<&str>, name: &str) -> Result<Vec<u8>, String> {
    let text = text.ok_or_else(|| format!("it has no `{name}`"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("its `{name}` is not base64url"))
}
