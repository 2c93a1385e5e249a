//! JWTs that others verify: OIDC-shaped answers signed with ES256, and the JWKS to check them with.
//!
//! The signing key is derived from the root key, so every replica has the same one and nothing is stored.

use std::fmt;

use aws_lc_rs::{
    agreement::{ECDH_P256, PrivateKey},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{
    primitive::sha256,
    seal::{Keys, RootKey, SealError},
    secret::Secret,
};

/// Tries to hit a number below the order of P-256; each misses once in 2³².
const MAX_TRIES: u8 = 8;

/// Signs with ES256 (RFC 7518 section 3.4).
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    x: String,
    y: String,
    id: String,
}

impl SigningKey {
    pub(crate) fn derive(root: &RootKey) -> Result<Self, SealError> {
        for attempt in 0..MAX_TRIES {
            let scalar = root.derive(&[b"boltseal identity 1 es256 ".as_slice(), &[attempt]].concat())?;
            let Ok(private) = PrivateKey::from_private_key(&ECDH_P256, scalar.as_slice()) else { continue };
            let public = private.compute_public_key().map_err(|_| SealError::Library)?;
            let pair = EcdsaKeyPair::from_private_key_and_public_key(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                scalar.as_slice(),
                public.as_ref(),
            );
            let pair = pair.map_err(|_| SealError::Library)?;
            // An uncompressed point (SEC 1 section 2.3.3): 4, then x and y of 32 bytes each.
            let (x, y) =
                public.as_ref().get(1..).and_then(|xy| xy.split_at_checked(32)).ok_or(SealError::Library)?;
            let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
            // The thumbprint of RFC 7638 section 3 names the key.
            let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
            let id = URL_SAFE_NO_PAD.encode(sha256(canonical.as_bytes()));
            return Ok(Self { pair, x, y, id });
        }
        Err(SealError::Library)
    }

    fn jwk(&self) -> Value {
        let Self { x, y, id, .. } = self;
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id, "x": x, "y": y })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

impl Keys {
    /// A JWT of `claims`, signed with ES256. The caller writes `iss`, `aud`, `iat` and `exp`.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn issue_jwt(&self, claims: &Map<String, Value>) -> Result<Secret, SealError> {
        let (key, _) = self.signing();
        let header = json!({ "alg": "ES256", "kid": key.id, "typ": "JWT" });
        let claims = serde_json::to_vec(claims).map_err(|_| SealError::Library)?;
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let mut text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature =
            key.pair.sign(&SystemRandom::new(), text.as_bytes()).map_err(|_| SealError::Library)?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut text);
        Ok(Secret::new(text))
    }

    /// The public keys to check our JWTs with (RFC 7517), also those from before a rotation.
    pub fn jwks(&self) -> Value {
        let (current, previous) = self.signing();
        let keys: Vec<Value> = std::iter::once(current).chain(previous).map(SigningKey::jwk).collect();
        json!({ "keys": keys })
    }
}
