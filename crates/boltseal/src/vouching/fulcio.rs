//! Certificates for minutes, for whoever an issuer of identities vouches for.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_trust::{Passport, PrivateKey};
use serde_json::{Value, json};

use super::{IdentityToken, Services, check_private, json, strange};
use crate::exit::Failure;

const SERVICE: &str = "the authority";

impl Services {
    /// A certificate for `key`, which is one on P-256, from the authority at `address`.
    pub fn certificate(
        &self,
        address: &str,
        token: &IdentityToken,
        key: &PrivateKey,
    ) -> Result<Passport, Failure> {
        check_private(address)?;
        let body = json!({
            "credentials": { "oidcIdentityToken": token.expose() },
            "publicKeyRequest": {
                "publicKey": { "algorithm": "ECDSA", "content": key.public().to_pem() },
                // That whoever asks holds the key: a signature over whom the token names.
                "proofOfPossession": STANDARD.encode(key.prove(token.subject()).map_err(Failure::fault)?),
            },
        });
        let answer = json(SERVICE, address, self.post(SERVICE, address, "/api/v2/signingCert", &body)?)?;
        let chain =
            |kind: &str| answer.pointer(&format!("/{kind}/chain/certificates/0")).and_then(Value::as_str);
        match (chain("signedCertificateEmbeddedSct"), chain("signedCertificateDetachedSct")) {
            (Some(pem), _) => Passport::read(pem, key).map_err(|why| strange(SERVICE, address, &why)),
            (None, Some(_)) => Err(strange(
                SERVICE,
                address,
                &"its certificates have no proof of a log of certificates in them, and a bundle has no place for it elsewhere",
            )),
            (None, None) => Err(strange(SERVICE, address, &"there is no certificate in its answer")),
        }
    }
}
