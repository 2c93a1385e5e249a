//! Browser sessions: a sealed token in a cookie. Signing in writes nothing but its record.
//!
//! OWASP Session Management: the token is new at every sign-in, never in an address, and ends after a while of silence
//! as well as after a working day. `__Host-` (RFC 6265bis section 4.1.3) ties the cookie to this host and to TLS;
//! `SameSite=Strict` keeps other sites from using it at all. Signing out voids the token for good.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderValue, header};
use boltseal_identity::{
    Caller,
    registry_scope::RegistryScopes,
    token::{Kind, TokenError, TokenId},
};
use boltseal_model::Timestamp;

use crate::{Site, State};

/// The longest silence in a session.
pub(crate) const IDLE_SECONDS: i64 = 30 * 60;
/// Sessions whose last use is remembered; beyond it the longest silent one has to sign in again.
const MAX_SESSIONS: usize = 10_000;

/// When each session was used last. In memory: after a restart, silence is counted anew; the absolute end is in the
/// token.
#[derive(Debug, Default)]
pub struct LastUse(Mutex<HashMap<TokenId, i64>>);

impl LastUse {
    /// Notes a use; false when the session was silent for too long.
    fn touch(&self, id: TokenId, now: Timestamp) -> bool {
        let now = now.as_second();
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.get(&id).is_some_and(|last| last + IDLE_SECONDS <= now) {
            // Kept, so that the next request with the same cookie does not begin anew.
            return false;
        }
        if uses.len() >= MAX_SESSIONS && !uses.contains_key(&id) {
            let longest = uses.iter().min_by_key(|(_, last)| **last).map(|(id, _)| *id);
            if let Some(longest) = longest {
                uses.remove(&longest);
            }
        }
        uses.insert(id, now);
        true
    }

    fn forget(&self, id: TokenId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// Opens a session; the answer is the cookie to set.
pub(crate) fn open(state: &State, caller: &Caller) -> Result<HeaderValue, TokenError> {
    let now = (state.now)();
    let life = Kind::Session.life();
    let issued = state.access.authority().issue(caller, Kind::Session, RegistryScopes::All, life, now)?;
    state.last_use.touch(issued.claims.id, now);
    Ok(cookie(&state.site, issued.token.expose(), life))
}

/// Whose session the request belongs to.
pub(crate) fn find(state: &State, headers: &HeaderMap) -> Option<Caller> {
    let word = read_cookie(headers, name(&state.site))?;
    let now = (state.now)();
    let caller = state.access.authority().token(word, Kind::Session, now).ok()?;
    caller.token.is_some_and(|id| state.last_use.touch(id, now)).then_some(caller)
}

/// The cookie that takes a session's token back.
pub(crate) fn close(state: &State, caller: &Caller) -> HeaderValue {
    if let Some(id) = caller.token {
        state.last_use.forget(id);
    }
    cookie(&state.site, "", 0)
}

/// A cookie of the request.
pub(crate) fn read_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| {
            pair.trim().split_once('=').filter(|(this, _)| *this == name).map(|(_, value)| value)
        })
}

const fn name(site: &Site) -> &'static str {
    if site.tls { "__Host-boltseal" } else { "boltseal" }
}

fn cookie(site: &Site, word: &str, seconds: i64) -> HeaderValue {
    let secure = if site.tls { "; Secure" } else { "" };
    let text = format!("{}={word}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}", name(site));
    // Only our own alphabet goes in, which is all valid.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_ends_a_session() {
        let (uses, id) = (LastUse::default(), TokenId::new([1; 16]));
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(uses.touch(id, at(0)));
        assert!(uses.touch(id, at(IDLE_SECONDS - 1)));
        assert!(uses.touch(id, at(2 * IDLE_SECONDS - 2)));
        assert!(!uses.touch(id, at(3 * IDLE_SECONDS)));
        assert!(!uses.touch(id, at(3 * IDLE_SECONDS)), "and stays ended");
    }

    #[test]
    fn memory_is_bounded() {
        let uses = LastUse::default();
        for n in 0..=u128::try_from(MAX_SESSIONS).unwrap() {
            uses.touch(TokenId::new(n.to_be_bytes()), Timestamp::from_second(0).unwrap());
        }
        assert_eq!(uses.0.lock().unwrap().len(), MAX_SESSIONS);
    }

    #[test]
    fn reads_one_cookie_of_many() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; theme=dark"));
        headers.append(header::COOKIE, HeaderValue::from_static("boltseal=x=y"));
        assert_eq!(read_cookie(&headers, "theme"), Some("dark"));
        assert_eq!(read_cookie(&headers, "boltseal"), Some("x=y"));
        assert_eq!(read_cookie(&headers, "them"), None);
    }
}
