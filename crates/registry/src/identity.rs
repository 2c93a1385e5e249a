//! Who may come in: one bootstrap principal with a random secret, and short-lived sealed tokens.
//!
//! The secret is 256 random bits, shown once and kept only as a salted HMAC-SHA-256; with that much randomness a slow
//! password hash would protect nothing and cost every request. Tokens are AES-256-GCM sealed with a key that lives as
//! long as the process, so checking one costs about a microsecond and no I/O, and a restart ends them all.

mod scope;
mod token;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;
use boltseal_store::Facts;
use zeroize::Zeroizing;

use crate::Error;
pub(crate) use scope::{Action, Scope, Scopes};
use token::Sealer;

/// The principal made on the first start.
const BOOTSTRAP: &str = "admin";
/// Bytes of randomness in a secret.
const SECRET: usize = 32;
/// So that secret scanners, ours included, can recognise it.
const PREFIX: &str = "bsl_";

/// A secret to be shown once. It cannot be printed by accident; its memory is wiped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself, for the one place that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Checks secrets and tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    principals: RwLock<HashMap<String, Stored>>,
    sealer: Sealer,
}

/// What is kept of a secret.
#[derive(Debug)]
struct Stored {
    name: Arc<str>,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// Who sent a request, and what the way they proved it allows.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) principal: Arc<str>,
    pub(crate) scopes: Scopes,
}

impl Identity {
    /// Reads the bootstrap principal, or makes it: then its secret comes back, for the only time.
    pub async fn open(facts: &Facts) -> Result<(Self, Option<Secret>), Error> {
        let (salt, hash, fresh) = if let Some((salt, hash)) = facts.principal(BOOTSTRAP).await? {
            (salt, hash, None)
        } else {
            let secret = new_secret()?;
            let (salt, hash) = hashed(&secret)?;
            facts.add_principal(BOOTSTRAP, &salt, &hash).await?;
            (salt, hash, Some(secret))
        };
        let name: Arc<str> = BOOTSTRAP.into();
        let principals = HashMap::from([(BOOTSTRAP.to_owned(), Stored { name, salt, hash })]);
        let inner = Inner { principals: RwLock::new(principals), sealer: Sealer::new()? };
        Ok((Self(Arc::new(inner)), fresh))
    }

    /// The name of the bootstrap principal.
    pub const fn bootstrap(&self) -> &'static str {
        BOOTSTRAP
    }

    /// The principal with this name and secret. Takes the same time whatever the guess.
    pub fn secret(&self, name: &str, secret: &str) -> Option<Arc<str>> {
        let principals = self.0.principals.read().unwrap_or_else(PoisonError::into_inner);
        let stored = principals.get(name);
        let (salt, hash) = stored.map_or((&[][..], &[0; 32][..]), |stored| (&stored.salt, &stored.hash));
        let key = hmac::Key::new(hmac::HMAC_SHA256, salt);
        let genuine = hmac::verify(&key, secret.as_bytes(), hash).is_ok();
        stored.filter(|_| genuine).map(|stored| Arc::clone(&stored.name))
    }

    /// The principal of a token that is genuine and has not expired, for whoever needs no scopes.
    pub fn token(&self, token: &str, now: Timestamp) -> Option<Arc<str>> {
        self.open_token(token, now).map(|access| access.principal)
    }

    pub(crate) fn open_token(&self, token: &str, now: Timestamp) -> Option<Access> {
        self.0.sealer.open(token, now)
    }

    pub(crate) fn issue(&self, principal: &str, scopes: &[Scope], now: Timestamp) -> Result<String, Error> {
        self.0.sealer.seal(principal, scopes, now)
    }
}

/// How long a token is good for.
pub(crate) const TOKEN_LIFE: i64 = token::LIFE;

fn new_secret() -> Result<Secret, Error> {
    let mut bytes = Zeroizing::new([0; SECRET]);
    rand::fill(bytes.as_mut_slice()).map_err(|_| Error::Randomness)?;
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
    Ok(Secret(Zeroizing::new(format!("{PREFIX}{}", text.as_str()))))
}

fn hashed(secret: &Secret) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let mut salt = vec![0; 32];
    rand::fill(&mut salt).map_err(|_| Error::Randomness)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salt);
    let hash = hmac::sign(&key, secret.expose().as_bytes()).as_ref().to_vec();
    Ok((salt, hash))
}
