//! Tokens: AES-256-GCM over `version, expiry, principal, scopes`. Opaque to clients, checked without I/O.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;
use zeroize::Zeroizing;

use super::{Access, Scope, Scopes};
use crate::Error;

/// Seconds a token lives: long enough for a push over a slow line between two requests, short enough to be forgotten.
pub(super) const LIFE: i64 = 30 * 60;
/// Longer ones are not ours.
const MAX_TOKEN: usize = 8 << 10;
/// Bound to every token, so that nothing else sealed by the same key could pass for one.
const PURPOSE: &[u8] = b"boltseal registry token 1";

/// Seals and opens tokens with a key that only this process knows.
pub(super) struct Sealer(RandomizedNonceKey);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    pub(super) fn new() -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; 32]);
        rand::fill(key.as_mut_slice()).map_err(|_| Error::Randomness)?;
        RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).map(Self).map_err(|_| Error::Randomness)
    }

    pub(super) fn seal(&self, principal: &str, scopes: &[Scope], now: Timestamp) -> Result<String, Error> {
        let expires = now.as_second().saturating_add(LIFE);
        let mut sealed = format!("{expires}\n{principal}").into_bytes();
        for scope in scopes {
            sealed.extend_from_slice(format!("\n{scope}").as_bytes());
        }
        let nonce = self.0.seal_in_place_append_tag(Aad::from(PURPOSE), &mut sealed);
        let nonce = nonce.map_err(|_| Error::Randomness)?;
        let mut token = nonce.as_ref().to_vec();
        token.append(&mut sealed);
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    pub(super) fn open(&self, token: &str, now: Timestamp) -> Option<Access> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.0.open_in_place(nonce, Aad::from(PURPOSE), sealed).ok()?;
        let mut lines = std::str::from_utf8(plain).ok()?.split('\n');
        let expires: i64 = lines.next()?.parse().ok()?;
        if expires <= now.as_second() {
            return None;
        }
        let principal = lines.next()?.into();
        Some(Access { principal, scopes: Scopes::Listed(lines.filter_map(Scope::parse).collect()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Action;

    #[test]
    fn opens_what_it_sealed_until_it_expires() {
        let (sealer, now) = (Sealer::new().unwrap(), Timestamp::from_second(1_000_000).unwrap());
        let scopes = Scope::parse_all(["repository:a:pull"].into_iter());
        let token = sealer.seal("admin", &scopes, now).unwrap();
        let access = sealer.open(&token, now).unwrap();
        assert_eq!(&*access.principal, "admin");
        assert!(access.scopes.allow("a", Action::Pull) && !access.scopes.allow("a", Action::Push));

        let later = Timestamp::from_second(1_000_000 + LIFE).unwrap();
        assert!(sealer.open(&token, later).is_none(), "expired");
        assert!(Sealer::new().unwrap().open(&token, now).is_none(), "another key");
        for place in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let opened = sealer.open(std::str::from_utf8(&forged).unwrap(), now);
            assert!(opened.is_none(), "changed at {place}");
        }
        for foreign in ["", "x", "äöü", &"A".repeat(100_000)] {
            assert!(sealer.open(foreign, now).is_none());
        }
    }
}
