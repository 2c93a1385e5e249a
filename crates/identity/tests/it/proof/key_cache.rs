//! Remembered key sets: fresh, stale, missing, and when to fetch.

use boltseal_identity::key_cache::{FRESH, KeyCache, MAX_ISSUERS, STALE, State, UNKNOWN_KEY_PAUSE};

use super::{
    at,
    signer::{jwks, p256_jwk},
};

const ISSUER: &str = "https://issuer.example.com";

fn word(state: &State) -> &'static str {
    match state {
        State::Fresh(_) => "fresh",
        State::Stale(_) => "stale",
        State::Missing => "missing",
    }
}

#[test]
fn a_set_grows_stale_and_is_used_for_a_day() {
    let mut cache = KeyCache::new();
    let check = |cache: &mut KeyCache, seconds: i64, state: &str, fetch: bool| {
        assert_eq!(word(&cache.state(ISSUER, at(seconds))), state, "at {seconds}");
        assert_eq!(cache.should_fetch(ISSUER, at(seconds)), fetch, "at {seconds}");
    };
    check(&mut cache, 0, "missing", true);
    check(&mut cache, 0, "missing", false);
    cache.put(ISSUER, jwks(&[p256_jwk("p")]), at(1));
    check(&mut cache, 1, "fresh", false);
    check(&mut cache, FRESH, "fresh", false);
    check(&mut cache, FRESH + 1, "stale", true);
    check(&mut cache, FRESH + 2, "stale", false);
    assert_eq!(cache.failed(ISSUER, at(FRESH + 2)), 5);
    check(&mut cache, FRESH + 6, "stale", false);
    check(&mut cache, FRESH + 7, "stale", true);
    check(&mut cache, STALE, "stale", true);
    check(&mut cache, STALE + 1, "missing", false);
    cache.put(ISSUER, jwks(&[p256_jwk("q")]), at(STALE + 2));
    let State::Fresh(keys) = cache.state(ISSUER, at(STALE + 2)) else { panic!("not fresh") };
    assert!(keys.has("q") && !keys.has("p"));
}

#[test]
fn failures_are_tried_again_ever_more_seldom() {
    let mut cache = KeyCache::new();
    let pauses: Vec<i64> = (0..8).map(|_| cache.failed(ISSUER, at(0))).collect();
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300]);
    assert!(!cache.should_fetch(ISSUER, at(299)) && cache.should_fetch(ISSUER, at(300)));
    cache.put(ISSUER, jwks(&[p256_jwk("p")]), at(301));
    assert_eq!(cache.failed(ISSUER, at(302)), 5, "success forgives");
}

#[test]
fn an_unknown_key_is_worth_one_fetch_a_minute() {
    let mut cache = KeyCache::new();
    cache.put(ISSUER, jwks(&[p256_jwk("p")]), at(0));
    assert!(cache.should_fetch_unknown_key(ISSUER, at(1)));
    cache.put(ISSUER, jwks(&[p256_jwk("p")]), at(2));
    for seconds in 2..=UNKNOWN_KEY_PAUSE {
        assert!(!cache.should_fetch_unknown_key(ISSUER, at(seconds)), "at {seconds}");
    }
    assert!(cache.should_fetch_unknown_key(ISSUER, at(UNKNOWN_KEY_PAUSE + 1)));
    cache.failed(ISSUER, at(UNKNOWN_KEY_PAUSE + 2));
    assert_eq!(word(&cache.state(ISSUER, at(UNKNOWN_KEY_PAUSE + 3))), "fresh", "a failure loses nothing");
}

#[test]
fn issuers_are_bounded() {
    let mut cache = KeyCache::new();
    for n in 0..=MAX_ISSUERS {
        cache.put(&format!("https://{n}.example.com"), jwks(&[p256_jwk("p")]), at(i64::try_from(n).unwrap()));
    }
    let now = at(300);
    assert_eq!(word(&cache.state("https://0.example.com", now)), "missing", "the longest unused makes room");
    assert_eq!(word(&cache.state("https://1.example.com", now)), "fresh");
    assert_eq!(word(&cache.state(&format!("https://{MAX_ISSUERS}.example.com"), now)), "fresh");
}
