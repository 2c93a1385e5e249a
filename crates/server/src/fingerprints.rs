//! The key by which credentials in images are recognised. It is made once and kept sealed in the facts, so that all servers
//! on the same facts have the same one, and whoever only reads the database can test no guess. Nothing shows it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_flow::look::FingerprintKey;
use boltseal_identity::{Authority, RootKey, seal::Purpose};
use boltseal_store::Facts;

use crate::access::Error;

/// The setting, and what it is sealed for.
const NAME: &str = "credentials.key";

/// Reads the key, or makes one. Of several servers at their first start, one at a time may call this.
///
/// It is sealed again after a rotation of the keys, so that the next one does not lose it; otherwise a start asks for no
/// randomness, the first of which takes some 30 ms. Where the key that sealed it is lost,
/// there is a new one: from then on credentials are recognised among images that are looked at from then on.
///
/// # Errors
/// When the facts cannot be read or written, or the system has no randomness.
pub async fn fingerprint_key(authority: &Authority, facts: &Facts) -> Result<FingerprintKey, Error> {
    let kept = facts.setting(NAME).await?.filter(|text| !text.is_empty());
    let known = kept.as_deref().and_then(|text| open(authority, text));
    if kept.is_some() && known.is_none() {
        tracing::warn!("the key by which credentials are recognised cannot be opened: there is a new one");
    }
    let key = match known {
        Some(key) => key,
        None => RootKey::generate().map_err(|_| Error::Randomness)?,
    };
    if !kept.as_deref().is_some_and(|text| is_current(authority, text)) {
        let sealed = authority.keys().seal(Purpose::Setting, key.expose(), NAME.as_bytes())?;
        facts.set(NAME, &STANDARD.encode(sealed)).await?;
    }
    Ok(FingerprintKey::new(key.expose()))
}

fn is_current(authority: &Authority, text: &str) -> bool {
    let sealed = STANDARD.decode(text);
    sealed.is_ok_and(|sealed| authority.keys().is_current(Purpose::Setting, &sealed, NAME.as_bytes()))
}

fn open(authority: &Authority, text: &str) -> Option<RootKey> {
    let sealed = STANDARD.decode(text).ok()?;
    let plain = authority.keys().open(Purpose::Setting, &sealed, NAME.as_bytes()).ok()?;
    <[u8; 32]>::try_from(plain.as_slice()).ok().map(RootKey::new)
}
