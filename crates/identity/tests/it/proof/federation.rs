//! The federation table against tokens as Entra, GitHub Actions and Kubernetes make them.

use boltseal_identity::{
    federation::{Federation, FederationError, Pattern, PatternError, Unmatched, match_token},
    jwt::{Claims, Expected, Unverified},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    NOW, at,
    signer::{jwks, rsa_jwk, sign},
};

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const TENANT: &str = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";
const CLUSTER: &str = "https://kubernetes.default.svc.cluster.local";

fn believed(claims: &Value) -> Claims {
    let token = sign("RS256", &json!({ "alg": "RS256", "kid": "r", "typ": "JWT" }), claims);
    let (issuer, audience) =
        (claims["iss"].as_str().unwrap(), claims["aud"].as_str().or(claims["aud"][0].as_str()));
    let expected = Expected { issuer, audiences: &[audience.unwrap()] };
    Unverified::parse(&token).unwrap().verify(&jwks(&[rsa_jwk("r")]), &expected, at(0)).unwrap().claims
}

fn github() -> Value {
    json!({
        "jti": "8b0f2d0e-6f5a-4f0e-9d4b-0f4b7a1c2d3e",
        "iss": GITHUB, "aud": "boltseal", "sub": "repo:octo/app:ref:refs/heads/main",
        "iat": NOW, "nbf": NOW - 300, "exp": NOW + 300,
        "ref": "refs/heads/main", "ref_type": "branch", "ref_protected": "true", "sha": "0123456789abcdef",
        "repository": "octo/app", "repository_id": "74", "repository_owner": "octo", "repository_owner_id": "65",
        "repository_visibility": "private", "run_id": "1", "run_attempt": "1", "event_name": "push",
        "actor": "octocat", "workflow": "release", "environment": "production", "runner_environment": "github-hosted",
        "job_workflow_ref": "octo/shared/.github/workflows/release.yml@refs/tags/v3",
    })
}

fn entra() -> Value {
    json!({
        "iss": TENANT, "aud": "api://boltseal", "iat": NOW, "nbf": NOW, "exp": NOW + 3599,
        "azp": "11111111-2222-4333-8444-555555555555", "azpacr": "2", "idtyp": "app", "ver": "2.0",
        "oid": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "sub": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "roles": ["Images.Push", "Images.Scan"], "uti": "x",
    })
}

fn kubernetes() -> Value {
    json!({
        "iss": CLUSTER, "aud": ["boltseal", "https://other.example.com"], "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
        "jti": "x", "sub": "system:serviceaccount:shop:till",
        "kubernetes.io": {
            "namespace": "shop",
            "node": { "name": "node-1", "uid": "n" },
            "pod": { "name": "till-7d4b", "uid": "p" },
            "serviceaccount": { "name": "till", "uid": "s" },
        },
    })
}

fn entry(id: u128, issuer: &str, audience: &str, subject: &str, claims: &Value) -> Federation {
    let id = Uuid::from_u128(id);
    let entry = json!({
        "id": id, "issuer": issuer, "audience": audience, "subject": subject, "claims": claims,
        "principal": Uuid::from_u128(99),
    });
    serde_json::from_value(entry).unwrap()
}

#[test]
fn realistic_tokens_fit_their_entries() {
    let check = |claims: Value, issuer: &str, subject: &str, conditions: Value, wanted: Option<&str>| {
        let audience = claims["aud"].as_str().or(claims["aud"][0].as_str()).unwrap().to_owned();
        let table = [entry(1, issuer, &audience, subject, &conditions)];
        let found = match_token(&table, &believed(&claims)).map(|entry| entry.id);
        let found =
            found.err().and_then(|unmatched| unmatched.nearest.map(|(_, difference)| difference.claim));
        assert_eq!(found.as_deref(), wanted, "{subject} {conditions}");
    };
    let is = |name: &str, text: &str| json!({ "name": name, "equals": text });
    let like = |name: &str, text: &str| json!({ "name": name, "pattern": text });

    check(github(), GITHUB, "repo:octo/app:ref:refs/heads/main", json!([]), None);
    check(github(), GITHUB, "repo:octo/app:*", json!([]), None);
    check(
        github(),
        GITHUB,
        "repo:octo/*",
        json!([is("ref", "refs/heads/main"), is("environment", "production")]),
        None,
    );
    check(github(), GITHUB, "repo:octo/*:ref:refs/heads/*", json!([]), None);
    check(
        github(),
        GITHUB,
        "*",
        json!([like("job_workflow_ref", "octo/shared/.github/workflows/*@refs/tags/v*")]),
        None,
    );
    check(github(), GITHUB, "repo:octo/app:environment:production", json!([]), Some("sub"));
    check(github(), GITHUB, "repo:octo/ap", json!([]), Some("sub"));
    check(github(), GITHUB, "repo:octo/app:*", json!([like("ref", "refs/tags/*")]), Some("ref"));
    check(github(), GITHUB, "repo:octo/app:*", json!([is("repository", "Octo/App")]), Some("repository"));
    check(github(), GITHUB, "repo:octo/app:*", json!([is("absent", "x")]), Some("absent"));
    check(
        github(),
        "https://token.actions.githubusercontent.com/",
        "repo:octo/app:*",
        json!([]),
        Some("iss"),
    );

    let (oid, tid) = ("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "72f988bf-86f1-41af-91ab-2d7cd011db47");
    check(entra(), TENANT, "*", json!([is("oid", oid), is("tid", tid)]), None);
    check(entra(), TENANT, "*", json!([is("roles", "Images.Scan")]), None);
    check(entra(), TENANT, "*", json!([like("roles", "Images.*")]), None);
    check(entra(), TENANT, "*", json!([is("roles", "Images.Delete")]), Some("roles"));
    check(entra(), TENANT, "*", json!([is("tid", "another")]), Some("tid"));
    check(entra(), &TENANT.replace("/v2.0", "/"), "*", json!([]), Some("iss"));

    check(kubernetes(), CLUSTER, "system:serviceaccount:shop:till", json!([]), None);
    check(kubernetes(), CLUSTER, "system:serviceaccount:shop:*", json!([]), None);
    check(
        kubernetes(),
        CLUSTER,
        "system:serviceaccount:*:till",
        json!([is("kubernetes.io.namespace", "shop")]),
        None,
    );
    check(
        kubernetes(),
        CLUSTER,
        "system:serviceaccount:*",
        json!([is("kubernetes.io.serviceaccount.name", "till"), like("kubernetes.io.pod.name", "till-*")]),
        None,
    );
    check(kubernetes(), CLUSTER, "system:serviceaccount:bank:*", json!([]), Some("sub"));
    check(
        kubernetes(),
        CLUSTER,
        "system:serviceaccount:*",
        json!([is("kubernetes.io.namespace", "bank")]),
        Some("kubernetes.io.namespace"),
    );
}

#[test]
fn the_entry_that_asks_for_most_is_taken() {
    let condition = json!([{ "name": "ref", "equals": "refs/heads/main" }]);
    let wide = entry(1, GITHUB, "boltseal", "repo:octo/*", &json!([]));
    let narrower = entry(2, GITHUB, "boltseal", "repo:octo/*", &condition);
    let exact = entry(3, GITHUB, "boltseal", "repo:octo/app:ref:refs/heads/main", &json!([]));
    let first = entry(4, GITHUB, "boltseal", "repo:octo/app:*", &json!([]));
    let check = |table: &[&Federation], wanted: u128| {
        let table: Vec<Federation> = table.iter().map(|entry| (*entry).clone()).collect();
        let found = match_token(&table, &believed(&github())).unwrap().id;
        assert_eq!(found, Uuid::from_u128(wanted));
    };
    check(&[&wide, &narrower, &exact], 3);
    check(&[&exact, &narrower, &wide], 3);
    check(&[&wide, &narrower], 2);
    check(&[&first, &wide], 4);
    check(&[&wide, &first], 1);
}

#[test]
fn what_does_not_fit_says_what_is_nearest() {
    assert_eq!(match_token(&[], &believed(&github())), Err(Unmatched { nearest: None }));
    let table = [
        entry(1, TENANT, "boltseal", "*", &json!([])),
        entry(
            2,
            GITHUB,
            "boltseal",
            "repo:octo/app:*",
            &json!([{ "name": "ref", "pattern": "refs/tags/*" }]),
        ),
        entry(3, GITHUB, "other", "repo:octo/app:*", &json!([])),
    ];
    let found = match_token(&table, &believed(&github())).unwrap_err().to_string();
    let wanted = "no federation fits this token: nearest is 00000000-0000-0000-0000-000000000002, which wants `ref` to \
                  be `refs/tags/*`, not `refs/heads/main`";
    assert_eq!(found, wanted);
    let mut nobody = github();
    nobody.as_object_mut().unwrap().remove("sub");
    let table = [entry(1, GITHUB, "boltseal", "*", &json!([{ "name": "repository", "equals": "octo/app" }]))];
    let unmatched = match_token(&table, &believed(&nobody)).unwrap_err();
    assert_eq!(unmatched.nearest.unwrap().1.claim, "sub", "a token about nobody");
}

#[test]
fn stars_in_front_do_not_cross_colons() {
    let check = |pattern: &str, text: &str, wanted: bool| {
        assert_eq!(pattern.parse::<Pattern>().unwrap().fits(text), wanted, "{pattern} on {text}");
    };
    check("repo:octo/*:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/main", true);
    // An environment that somebody named so as to look like a branch.
    check("repo:octo/*:ref:refs/heads/main", "repo:octo/app:environment:x:ref:refs/heads/main", false);
    check("system:serviceaccount:*:till", "system:serviceaccount:shop:till", true);
    check("system:serviceaccount:*:till", "system:serviceaccount:a:b:till", false);
    check("repo:octo/app:*", "repo:octo/app:ref:refs/heads/main", true);
    check("*", "", true);
    check("*", "a:b", true);
    check("a*", "a", true);
    check("*a*b", "xaxxb", true);
    check("*a*b", "xaxxbx", false);
    check("a**b", "axb", true);
    check("?", "x", false);
    check("A", "a", false);
    check("ä*", "äö", true);
    let stars = format!("{}b", "a*".repeat(8));
    check(&stars, &"a".repeat(10_000), false);
    assert_eq!("".parse::<Pattern>(), Err(PatternError::Length { found: 0 }));
    assert_eq!("x".repeat(513).parse::<Pattern>(), Err(PatternError::Length { found: 513 }));
    assert_eq!("*".repeat(9).parse::<Pattern>(), Err(PatternError::Stars { found: 9 }));
}

#[test]
fn entries_that_would_let_in_everybody_are_refused() {
    let check = |issuer: &str, subject: &str, claims: Value, wanted: bool| {
        let found = entry(1, issuer, "boltseal", subject, &claims).check();
        assert_eq!(found.is_ok(), wanted, "{issuer} {subject} {claims}: {found:?}");
        if let Err(error) = found {
            assert!(matches!(error, FederationError::TooWide { .. }), "{error}");
        }
    };
    let is = |name: &str, text: &str| json!([{ "name": name, "equals": text }]);
    check(GITHUB, "*", json!([]), false);
    check(GITHUB, "repo:*", json!([]), false);
    check(GITHUB, "repo:*/app:*", json!([]), false);
    check(GITHUB, "repo:oct*", json!([]), false);
    check(GITHUB, "repo:octo*/app:*", json!([]), false);
    check(GITHUB, "repo:/app", json!([]), false);
    check(GITHUB, "repo:octo/*", json!([]), true);
    check(GITHUB, "*", is("ref", "refs/heads/main"), false);
    check(GITHUB, "*", is("repository_owner", "octo"), true);
    check(GITHUB, "*", json!([{ "name": "repository", "pattern": "*" }]), false);
    check(TENANT, "*", json!([]), false);
    check(TENANT, "*", is("roles", "Images.Push"), true);
    check(TENANT, "someone", json!([]), true);
    check(CLUSTER, "**", json!([]), false);
    check(CLUSTER, "system:serviceaccount:*", json!([]), true);
}

#[test]
fn entries_are_well_formed() {
    let check = |issuer: &str, wanted: bool| {
        let found = entry(1, issuer, "boltseal", "ann", &json!([])).check();
        assert_eq!(found.is_ok(), wanted, "{issuer}: {found:?}");
    };
    check("https://issuer.example.com", true);
    check("https://issuer.example.com:8443/realms/a/", true);
    check("http://127.0.0.1:8080", true);
    check("http://localhost:8080", true);
    check("http://[::1]:8080", true);
    check("http://issuer.example.com", false);
    check("http://127.0.0.1.example.com", false);
    check("https://issuer.example.com?a=b", false);
    check("https://issuer.example.com#a", false);
    check("https://user:word@issuer.example.com", false);
    check("file:///etc/passwd", false);
    check("issuer.example.com", false);
    check("", false);
    let many = json!(vec![json!({ "name": "a", "equals": "b" }); 17]);
    let found = entry(1, TENANT, "boltseal", "*", &many).check();
    assert_eq!(found, Err(FederationError::TooMany { found: 17 }));
    let unknown = json!({ "id": Uuid::nil(), "issuer": "a", "audience": "b", "subject": "c", "principal": Uuid::nil(), "x": 1 });
    assert!(serde_json::from_value::<Federation>(unknown).is_err());
    let both = entry(
        1,
        TENANT,
        "boltseal",
        "a*",
        &json!([{ "name": "a", "pattern": "b*" }, { "name": "c", "equals": "d" }]),
    );
    let again: Federation = serde_json::from_str(&serde_json::to_string(&both).unwrap()).unwrap();
    assert_eq!(again, both);
}
