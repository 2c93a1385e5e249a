//! Trust policies that make sense, and those that do not.

use boltseal_trust::{
    DistinguishedName,
    notary::{
        Action::{Enforce, Log, Skip},
        Check, Document,
    },
};
use serde_json::{Value, json};

use super::policy;

#[test]
fn the_statement_of_an_image() {
    let mut document =
        policy(&json!({ "registryScopes": ["registry.example.com/app", "registry.example.com/db"] }));
    let other = policy(&json!({ "name": "rest" }))["trustPolicies"][0].clone();
    document["trustPolicies"].as_array_mut().unwrap().push(other);
    let document = Document::parse(&document.to_string()).unwrap();
    for (repository, name) in [
        ("registry.example.com/app", "any"),
        ("registry.example.com/db", "any"),
        ("registry.example.com/app/more", "rest"),
        ("registry.example.com/ap", "rest"),
    ] {
        assert_eq!(document.of(repository).unwrap().name, name, "{repository}");
    }
    let narrow = policy(&json!({ "registryScopes": ["registry.example.com/app"] }));
    assert!(Document::parse(&narrow.to_string()).unwrap().of("registry.example.com/db").is_none());
}

#[test]
fn levels() {
    let of = |verification: Value| {
        let document =
            Document::parse(&policy(&json!({ "signatureVerification": verification })).to_string());
        document.unwrap().of("a/b").unwrap().level.clone()
    };
    let checks =
        [Check::Integrity, Check::Authenticity, Check::AuthenticTimestamp, Check::Expiry, Check::Revocation];
    for (verification, actions) in [
        (json!({ "level": "strict" }), [Enforce, Enforce, Enforce, Enforce, Enforce]),
        (json!({ "level": "permissive" }), [Enforce, Enforce, Log, Log, Log]),
        (json!({ "level": "audit" }), [Enforce, Log, Log, Log, Log]),
        (
            json!({ "level": "audit", "override": { "authenticity": "enforce", "revocation": "skip" } }),
            [Enforce, Enforce, Log, Log, Skip],
        ),
    ] {
        let level = of(verification.clone());
        assert_eq!(checks.map(|check| level.action(check)), actions, "{verification}");
    }
}

#[test]
fn policies_that_make_no_sense() {
    let level = |level: Value| json!({ "signatureVerification": level });
    let twice = |other: Value| {
        let mut document = policy(&json!({}));
        let statement = policy(&other)["trustPolicies"][0].clone();
        document["trustPolicies"].as_array_mut().unwrap().push(statement);
        document
    };
    let cases = [
        (json!({ "version": "2.0", "trustPolicies": [] }), "its version is `2.0`"),
        (json!({ "version": "1.0", "trustPolicies": [] }), "it has 0 statements"),
        (policy(&json!({ "name": "" })), "has no name"),
        (policy(&json!({ "registryScopes": [] })), "has no scope"),
        (policy(&json!({ "registryScopes": ["*", "a/b"] })), "`*` beside others"),
        (policy(&json!({ "registryScopes": ["registry.example.com"] })), "no registry with a repository"),
        (policy(&json!({ "registryScopes": ["registry.example.com/*"] })), "no registry with a repository"),
        (policy(&level(json!({ "level": "lenient" }))), "unknown variant `lenient`"),
        (policy(&level(json!({ "level": "skip" }))), "names stores or identities all the same"),
        (
            policy(&level(json!({ "level": "strict", "override": { "integrity": "log" } }))),
            "which nobody may",
        ),
        (policy(&level(json!({ "level": "strict", "override": { "expiry": "skip" } }))), "only revocation"),
        (
            policy(&level(json!({ "level": "strict", "override": { "luck": "log" } }))),
            "unknown variant `luck`",
        ),
        (policy(&level(json!({ "level": "strict", "verifyTimestamp": "never" }))), "unknown variant `never`"),
        (policy(&json!({ "trustStore": ["ca:acme"] })), "unknown field `trustStore`"),
        (
            policy(&level(json!({ "level": "audit", "overide": { "expiry": "enforce" } }))),
            "unknown field `overide`",
        ),
        (policy(&json!({ "trustStores": [] })), "names no trust stores"),
        (policy(&json!({ "trustedIdentities": [] })), "names no trust stores or no trusted identities"),
        (policy(&json!({ "trustStores": ["acme"] })), "write ca:NAME"),
        (policy(&json!({ "trustStores": ["ca:../../etc"] })), "write ca:NAME"),
        (policy(&json!({ "trustStores": ["other:acme"] })), "write ca:NAME"),
        (
            policy(&json!({ "trustedIdentities": ["*", "x509.subject: C=US, ST=WA, O=A"] })),
            "anybody (`*`) beside",
        ),
        (policy(&json!({ "trustedIdentities": ["did:web:acme"] })), "only `x509.subject: …` is known"),
        (policy(&json!({ "trustedIdentities": ["x509.subject: C=US, O=A"] })), "needs C, ST and O"),
        (
            policy(
                &json!({ "trustedIdentities": ["x509.subject: C=US, ST=WA, O=A", "x509.subject: C=US, ST=WA, O=A, CN=b"] }),
            ),
            "a part of another identity",
        ),
        (twice(json!({})), "has the name of another"),
        (twice(json!({ "name": "other" })), "has the scope `*` of another"),
    ];
    for (document, why) in cases {
        let error = Document::parse(&document.to_string()).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[test]
fn names() {
    let whole = DistinguishedName::parse("CN=a, C=US, ST=WA, O=Acme\\, Inc., OU=b").unwrap();
    for (text, expected) in [
        ("C=US, ST=WA, O=Acme\\, Inc.", Ok(true)),
        ("c=US,s=WA,O=Acme\\2C Inc. ", Ok(true)),
        ("C=US, ST=WA, O=Acme\\, Inc., CN=a", Ok(true)),
        ("C=US, ST=WA, O=Acme\\, Inc., CN=b", Ok(false)),
        ("C=US, ST=WA, O=acme\\, inc.", Ok(false)),
        ("C=US, ST=WA, O=Acme\\, Inc.\\ ", Ok(false)),
        ("C=US, ST=WA", Err("needs C, ST and O")),
        ("C=US, C=DE, ST=WA, O=Acme", Err("`C` is there twice")),
        ("C=US, ST=WA, O=Acme+CN=a", Err("several values")),
        ("C=US, ST=WA, O=#0c0141", Err("`=#` are not read")),
        ("C=US, ST=WA, O=\"Acme\"", Err("quotes are not read")),
        ("C=US, ST=WA, O=Acme\\", Err("ends in `\\`")),
        ("C=US, ST=WA, O", Err("has no `=`")),
        ("C=US, ST=WA, O=", Err("is not complete")),
        ("", Err("has no `=`")),
    ] {
        match (DistinguishedName::parse(text), expected) {
            (Ok(name), Ok(part)) => assert_eq!(name.is_part_of(&whole), part, "{text}: {name}"),
            (Err(error), Err(why)) => assert!(error.contains(why), "{text}: {error}"),
            (found, _) => panic!("{text}: {found:?}, not {expected:?}"),
        }
    }
}
