//! Any text: as a JWT, a key set, metadata, an answer, an entry of the federation table, a pattern. Nothing panics, and
//! no token is believed that the one key did not sign.

use std::sync::LazyLock;

use boltseal_identity::{
    assertion::{Seen, client, verify},
    credential::{Certificate, Credentials},
    federation::{Federation, Pattern, match_token},
    jwks::{Jwks, MAX_KEYS},
    jwt::{Claims, Expected, Unverified},
    oidc::{Discovery, TokenAnswer},
    seal::{Keys, RootKey},
};
use boltseal_model::Timestamp;

const ISSUER: &str = "https://issuer.example.com";

/// Reads `text` as each of them.
pub fn body(text: &str) {
    let now = Timestamp::UNIX_EPOCH;
    token(text, now);
    if let Ok(keys) = Jwks::parse(text.as_bytes()) {
        assert!(keys.ids().count() <= MAX_KEYS && keys.skipped().len() < MAX_KEYS);
        let expected = Expected { issuer: ISSUER, audiences: &["boltseal"] };
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlLmNvbSJ9.AAAA";
        let believed = Unverified::parse(token).and_then(|token| token.verify(&keys, &expected, now));
        assert!(believed.is_err());
    }
    if let Ok(found) = Discovery::parse(text.as_bytes(), ISSUER) {
        assert_eq!(found.issuer, ISSUER);
        assert!(found.token_endpoint.starts_with("http") && found.jwks_uri.starts_with("http"));
    }
    let _ = Discovery::keys_url(text.as_bytes(), ISSUER);
    let _ = TokenAnswer::parse(text.as_bytes());
    let _ = Certificate::parse(text.as_bytes(), now);
    if let Ok(entry) = serde_json::from_str::<Federation>(text) {
        static CLAIMS: LazyLock<Option<Claims>> = LazyLock::new(claims);
        let _ = entry.check();
        let Some(claims) = CLAIMS.as_ref() else { panic!("a token of ours is not believed") };
        let _ = match_token(&[entry], claims);
    }
    let (pattern, subject) = text.split_once('\n').unwrap_or((text, text));
    if let Ok(pattern) = pattern.parse::<Pattern>() {
        let fits = pattern.fits(subject);
        assert!(fits || pattern.as_str() != subject || !pattern.is_exact(), "a text does not fit itself");
        assert!(!fits || !pattern.is_exact() || pattern.as_str() == subject);
    }
}

fn token(text: &str, now: Timestamp) {
    static KEYS: LazyLock<Option<Jwks>> = LazyLock::new(|| {
        let keys = Keys::new(&RootKey::new([7; 32]), None).ok()?;
        Jwks::parse(keys.jwks().to_string().as_bytes()).ok()
    });
    let Some(keys) = KEYS.as_ref() else { return };
    if let Ok(token) = Unverified::parse(text) {
        let issuer = token.issuer().unwrap_or_default().to_owned();
        let audiences = ["boltseal"];
        let believed = token.verify(keys, &Expected { issuer: &issuer, audiences: &audiences }, now);
        assert!(believed.is_err(), "believed what nobody signed");
    }
    let (subject, nothing) = (client(text).unwrap_or_default(), Credentials::default());
    let proved = verify(text, &subject, &nothing, &["boltseal"], &mut Seen::new(), now);
    assert!(proved.is_err());
}

/// What a token of ours says, which is the only way to have claims.
fn claims() -> Option<Claims> {
    let keys = Keys::new(&RootKey::new([7; 32]), None).ok()?;
    let said = serde_json::json!({
        "iss": ISSUER, "aud": ["boltseal", "b"], "sub": "repo:octo/app:ref:refs/heads/main", "exp": 600,
        "roles": ["a", 1, true, null], "kubernetes.io": { "namespace": "shop", "pod": { "name": "till" } },
    });
    let token = keys.issue_jwt(said.as_object()?).ok()?;
    let keys = Jwks::parse(keys.jwks().to_string().as_bytes()).ok()?;
    let expected = Expected { issuer: ISSUER, audiences: &["boltseal"] };
    Some(Unverified::parse(token.expose()).ok()?.verify(&keys, &expected, Timestamp::UNIX_EPOCH).ok()?.claims)
}
