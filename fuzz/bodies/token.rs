//! Any bytes: as the inside of a token, as a token, as registry scopes, as a share. Nothing panics, what is read is
//! written the same, and nothing that we did not seal opens.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_identity::{
    registry_scope::{MAX_SCOPES, RegistryScope, RegistryScopes},
    seal::{Keys, Purpose, RootKey},
    share::Share,
    token::{Claims, Kind, PREFIX},
};
use boltseal_model::Timestamp;

/// Reads `bytes` as each of them.
pub fn body(bytes: &[u8]) {
    static KEYS: LazyLock<Option<Keys>> = LazyLock::new(|| Keys::new(&RootKey::new([7; 32]), None).ok());
    let Some(keys) = KEYS.as_ref() else { return };
    inside(keys, bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for kind in Kind::ALL {
        let opened = keys.open_token(text, kind, "registry.example.com", Timestamp::UNIX_EPOCH);
        assert!(opened.is_err(), "opened what nobody sealed");
    }
    let scopes = RegistryScope::parse_all([text]);
    assert!(scopes.len() <= MAX_SCOPES);
    let written: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    assert_eq!(RegistryScope::parse_all(written.iter().map(String::as_str)), scopes);
    if let Ok(share) = Share::parse(text) {
        let again = Share::parse(share.text().expose()).map(|share| (share.index(), share.set()));
        assert_eq!(again, Ok((share.index(), share.set())));
    }
}

/// A genuine seal around any inside: only a bug of ours would make one, and it must not get further.
fn inside(keys: &Keys, bytes: &[u8]) {
    for kind in Kind::ALL {
        let Some(claims) = opened(keys, bytes, kind) else { continue };
        assert!(claims.grant.kind == kind && claims.expires > Timestamp::UNIX_EPOCH);
        if let RegistryScopes::Listed(list) = &claims.grant.scopes {
            assert!(list.len() <= MAX_SCOPES);
        }
        let longer = [bytes, &[0]].concat();
        assert!(opened(keys, &longer, kind).is_none(), "a byte too many is not noticed");
    }
}

fn opened(keys: &Keys, bytes: &[u8], kind: Kind) -> Option<Claims> {
    let sealed = keys.seal(Purpose::Token, bytes, b"boltseal token 1").ok()?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed));
    keys.open_token(&token, kind, "registry.example.com", Timestamp::UNIX_EPOCH).ok()
}
