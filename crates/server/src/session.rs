//! Browser sessions: a random word in a cookie, its hash in the store.
//!
//! OWASP Session Management: the word has 256 bits, is new at every sign-in, never in an address, and ends after a
//! while of silence as well as after a working day. `__Host-` (RFC 6265bis section 4.1.3) ties the cookie to this
//! host and to TLS; `SameSite=Strict` keeps other sites from using it at all.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderValue, header};
use boltseal_model::Timestamp;
use jiff::SignedDuration;

use crate::{Principal, Site, State, secret};

/// The longest a session lasts: a working day.
pub(crate) const ABSOLUTE_SECONDS: i64 = 12 * 3600;
/// The longest silence in it.
pub(crate) const IDLE_SECONDS: i64 = 2 * 3600;
/// Sessions whose last use is remembered; beyond it the longest silent one has to sign in again.
const MAX_SESSIONS: usize = 10_000;

/// When each session was used last. In memory: after a restart, silence is counted anew; the absolute end is stored.
#[derive(Debug, Default)]
pub(crate) struct LastUse(Mutex<HashMap<String, i64>>);

impl LastUse {
    /// Notes a use; false when the session was silent for too long.
    fn touch(&self, id: &str, now: Timestamp) -> bool {
        let now = now.as_second();
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.get(id).is_some_and(|last| last + IDLE_SECONDS <= now) {
            uses.remove(id);
            return false;
        }
        if uses.len() >= MAX_SESSIONS && !uses.contains_key(id) {
            uses.retain(|_, last| *last + IDLE_SECONDS > now);
            let longest = uses.iter().min_by_key(|(_, last)| **last).map(|(id, _)| id.clone());
            if let Some(longest) = longest.filter(|_| uses.len() >= MAX_SESSIONS) {
                uses.remove(&longest);
            }
        }
        uses.insert(id.to_owned(), now);
        true
    }

    fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Opens a session; the answer is the cookie to set.
pub(crate) async fn open(state: &State, principal: &Principal) -> Result<HeaderValue, boltseal_store::Error> {
    let word = secret::fresh();
    let now = (state.now)();
    let expires = now.saturating_add(SignedDuration::from_secs(ABSOLUTE_SECONDS)).unwrap_or(Timestamp::MAX);
    state.facts.add_session(&id(&word), &principal.name, expires).await?;
    state.sign_in.last_use.touch(&id(&word), now);
    Ok(cookie(&state.site, &word, ABSOLUTE_SECONDS))
}

/// Whose session the request belongs to.
pub(crate) async fn find(
    state: &State,
    headers: &HeaderMap,
) -> Result<Option<Principal>, boltseal_store::Error> {
    let Some(word) = read_cookie(headers, name(&state.site)) else { return Ok(None) };
    let (id, now) = (id(word), (state.now)());
    let Some((name, _)) = state.facts.session(&id, now).await? else { return Ok(None) };
    if !state.sign_in.last_use.touch(&id, now) {
        state.facts.remove_session(&id).await?;
        return Ok(None);
    }
    Ok(Some(Principal { name }))
}

/// Ends the session of the request; the answer is the cookie that takes the word back.
pub(crate) async fn close(state: &State, headers: &HeaderMap) -> Result<HeaderValue, boltseal_store::Error> {
    if let Some(word) = read_cookie(headers, name(&state.site)) {
        state.facts.remove_session(&id(word)).await?;
        state.sign_in.last_use.forget(&id(word));
    }
    Ok(cookie(&state.site, "", 0))
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

fn id(word: &str) -> String {
    hex::encode(secret::hash(word))
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
        let uses = LastUse::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(uses.touch("a", at(0)));
        assert!(uses.touch("a", at(IDLE_SECONDS - 1)));
        assert!(uses.touch("a", at(2 * IDLE_SECONDS - 2)));
        assert!(!uses.touch("a", at(3 * IDLE_SECONDS)));
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
