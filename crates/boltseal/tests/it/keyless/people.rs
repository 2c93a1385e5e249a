//! People who sign in for a signature: in a browser that comes back, and elsewhere by a code.

use std::sync::Arc;

use boltseal_wire::client::{Client, Options};
use serde_json::json;
use url::Url;

use super::{
    CI, World,
    asking::Asking,
    issuer::{Issuer, USER_CODE, agreed},
    services::Rekor,
    texts,
};

/// What a browser is shown there.
pub fn open(address: &Url) -> (u16, String) {
    let client = Client::new(&Options { redirects: 0, ..Options::default() }).unwrap();
    let answer = client.get(address.as_str()).unwrap();
    assert!(
        answer
            .header("content-security-policy")
            .is_some_and(|policy| policy.starts_with("default-src 'none'"))
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    (answer.status(), answer.text(64 << 10).unwrap())
}

pub fn world() -> Option<(World, Issuer)> {
    let world = World::new(Rekor::One)?;
    let issuer = Issuer::start(Arc::clone(&world.services.issued));
    Some((world, issuer))
}

#[test]
fn in_a_browser_that_comes_back() {
    let Some((world, issuer)) = world() else { return };
    let begin = || {
        let mut asking = Asking::start(&world, &issuer, &["--oidc-flow", "browser"]);
        let told = asking.line();
        assert!(
            told.starts_with("please: to sign in, open this address in a browser on this machine"),
            "{told}"
        );
        let (redirect, state) = issuer.visit(&asking.line());
        (asking, redirect, state)
    };
    let open_back = |redirect: &Url, query: &str| {
        let mut address = redirect.clone();
        address.set_query(Some(query));
        open(&address)
    };

    // Whoever knocks without the state changes nothing; the browser that was sent away is still expected.
    let (asking, redirect, state) = begin();
    for query in ["", "code=c0de", "code=c0de&state=other", "error=access_denied&state=other&x=%3Cb%3E"] {
        let (status, page) = open_back(&redirect, query);
        assert!(status == 400 && page.contains("<h1>Not signed in</h1>"), "{query}: {status} {page}");
    }
    let (status, page) = open_back(&redirect, &agreed(&state));
    assert!(status == 200 && page.contains("<h1>Signed in</h1>"), "{status} {page}");
    let (code, said) = asking.ended();
    assert_eq!(code, Some(0), "{said}");
    world.user.run(&[&["verify", &world.image], &CI[..]].concat()).ended(0).said(&["verified: 1 signature"]);

    // What comes back as it should, and ends in a no.
    for (query, more, wanted, words) in [
        (Some("error=access_denied&error_description=%3Cb%3Enot+you"), json!({}), 1, "access_denied"),
        (None, json!({ "nonce": "of another sign-in" }), 3, "nonce"),
        (None, json!({ "aud": "another" }), 3, "aud"),
        (None, json!({ "sub": "somebody else" }), 1, "error processing the identity token"),
        (
            None,
            json!({ "email": "a@example.com", "email_verified": false }),
            2,
            "has not verified the address",
        ),
        (Some("code=wrong"), json!({}), 1, "invalid_grant"),
    ] {
        *issuer.more.lock().unwrap() = more.clone();
        let (asking, redirect, state) = begin();
        let query = query.map_or_else(|| agreed(&state), |query| format!("{query}&state={state}"));
        let (_, page) = open_back(&redirect, &query);
        assert!(!page.contains("<b>"), "{page}");
        let (code, said) = asking.ended();
        assert_eq!(code, Some(wanted), "{query} {more}: {said}");
        assert!(said.contains(words), "{query} {more}: {said}");
    }
}

#[test]
fn elsewhere_by_a_code() {
    let Some((world, issuer)) = world() else { return };
    for (refusals, life, wanted, words) in [
        (vec![], 600, 0, ""),
        (vec!["authorization_pending", "authorization_pending"], 600, 0, ""),
        (vec!["access_denied"], 600, 1, "access_denied"),
        (vec!["expired_token"], 600, 3, "nobody signed in before the code was over"),
        // It is over before anybody would ask again.
        (vec!["slow_down"], 4, 3, "nobody signed in before the code was over"),
        (vec!["authorization_pending"; 9], 4, 3, "nobody signed in before the code was over"),
    ] {
        issuer.refusals.lock().unwrap().clone_from(&refusals);
        *issuer.life.lock().unwrap() = life;
        // It is told what to do even where it should be quiet.
        let mut asking = Asking::start(&world, &issuer, &["--oidc-flow", "device", "--quiet"]);
        let told = asking.line();
        assert!(
            told.contains(&format!("{}/activate on any device and type in the code {USER_CODE}", issuer.url)),
            "{told}"
        );
        let (code, said) = asking.ended();
        assert_eq!(code, Some(wanted), "{refusals:?}: {said}");
        assert!(said.contains(words), "{refusals:?}: {said}");
    }
    world.user.run(&[&["verify", &world.image], &CI[..]].concat()).ended(0).said(&["verified: 2 signatures"]);
}

#[test]
fn issuers_that_cannot_be_used() {
    let Some((world, issuer)) = world() else { return };
    let keyless = world.keyless();
    let sign = |issuer: &str, more: &[&str]| {
        let args = ["--oidc-issuer", issuer];
        world.user.run(&[&["sign", &world.image], &texts(&keyless)[..], &args, more].concat())
    };
    let browser = ["--oidc-flow", "browser"];
    sign("http://issuer.invalid", &browser).ended(2).complained(&["would go there without encryption"]);
    sign("issuer.invalid", &browser).ended(2).complained(&["is no address for a secret"]);
    sign(&format!("{}/nowhere", issuer.url), &browser)
        .ended(3)
        .complained(&["the issuer of identities", "404"]);
    sign(&format!("{}/", issuer.url), &browser).ended(3).complained(&["it is the metadata of"]);
    sign(&format!("{}/browsers", issuer.url), &["--oidc-flow", "device"])
        .ended(3)
        .complained(&["it signs in no devices without a browser", "--oidc-flow browser"]);
    sign(&issuer.url, &["--identity-token", "token"]).ended(2).complained(&["cannot be used with"]);
}
