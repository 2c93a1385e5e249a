//! One line, and what is found in it: the input and the expectation side by side.

use boltseal_check::secret::{Confidence, Finder, MAX_HITS, Rules};
use proptest::prelude::*;

/// What the built-in rules find in `text`: rule and value.
fn found(text: &str) -> Vec<(String, String, Confidence)> {
    let mut hits = Vec::new();
    Finder::new().find("etc/file", text.as_bytes(), &mut hits);
    let value = |span: std::ops::Range<usize>| String::from_utf8_lossy(&text.as_bytes()[span]).into_owned();
    hits.into_iter().map(|hit| (hit.rule, value(hit.span), hit.confidence)).collect()
}

#[test]
fn lines_with_a_secret() {
    use Confidence::{High, Medium, Verified};
    for (text, rule, value, confidence) in [
        ("POSTGRES_PASSWORD=qjzw7Rkx2b", "password", "qjzw7Rkx2b", Medium),
        ("  db-password: \"qjzw7Rkx2b\"", "password", "qjzw7Rkx2b", Medium),
        ("{\\\"pass\\\":\\\"t7qk9fzx\\\"}", "password", "t7qk9fzx", Medium),
        ("<password>qjzw7Rkx2b</password>", "password", "qjzw7Rkx2b", Medium),
        ("<add key=\"Password\" value=\"qjzw7Rkx2b\"/>", "password", "qjzw7Rkx2b", Medium),
        ("mysqldump --password qjzw7Rkx2b db", "password", "qjzw7Rkx2b", Medium),
        (
            "CREATE USER a IDENTIFIED BY 'x'; let adminPassword: String = \"qjzw7Rkx2b\";",
            "password",
            "qjzw7Rkx2b",
            Medium,
        ),
        ("api_key = '9f8d7c6b5a4e3d2c1b0a'", "secret-value", "9f8d7c6b5a4e3d2c1b0a", Medium),
        ("\"tokens\":[\"87a5506313df3c12\"]", "secret-value", "87a5506313df3c12", Medium),
        (
            "CLIENT_SECRET=3fbd5eec-3890-4299-a35f-bdee0047b28b",
            "secret-value",
            "3fbd5eec-3890-4299-a35f-bdee0047b28b",
            Medium,
        ),
        ("postgres://app:kxmyqk99@db:5432/x", "url-password", "kxmyqk99", Medium),
        (
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "basic-authorization",
            "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            High,
        ),
        (
            "- Bearer 72c65e5f559b69600ee72bbeaf7d7b61",
            "bearer-authorization",
            "72c65e5f559b69600ee72bbeaf7d7b61",
            Medium,
        ),
        (
            "root:$6$52450745$k5ka2p8bFuSmoVT1tzOyyuaREkkKBcCNqoDKzYiJL9RaE8yMnPgh2XzzF0NDrUhgrcLwg78xs1w5pJiypEdFX/:1",
            "password-hash",
            "$6$52450745$k5ka2p8bFuSmoVT1tzOyyuaREkkKBcCNqoDKzYiJL9RaE8yMnPgh2XzzF0NDrUhgrcLwg78xs1w5pJiypEdFX/",
            Medium,
        ),
        // The check of six digits is the CRC-32 of the thirty before it.
        (
            "GH=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",
            "github-personal-access-token",
            "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",
            Verified,
        ),
    ] {
        let all = found(text);
        assert!(all.contains(&(rule.to_owned(), value.to_owned(), confidence)), "{text}: {all:?}");
    }
}

#[test]
fn lines_without_one() {
    for text in [
        "PASSWORD_FILE=/run/secrets/db",
        "password: ${POSTGRES_PASSWORD}",
        "password: ${POSTGRES_PASSWORD:-qjzw7Rkx2b}",
        "PASSWORD=changeme",
        "one of \"md5\", \"password\", \"scram-sha-256\"",
        "sdk-for-the-management-of-containers-on-x",
        "password = getpass.getpass(\"Password: \")",
        "if password == other_password:",
        "token = self.next_token()",
        "\"LABEL_CURRENT_PASSWORD\": \"Enter your current password\"",
        "public_key = \"9f8d7c6b5a4e3d2c1b0a\"",
        "key_id: 9f8d7c6b5a4e3d2c1b0a",
        "primary_key = id",
        "sha256_password = 8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918",
        "http://user:password@example.com/",
        "git@github.com:owner/repo.git",
        "Authorization: Bearer <token>",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "AKIAIOSFODNN7EXAMPLE",
        "a UUID alone: 3fbd5eec-3890-4299-a35f-bdee0047b28b",
    ] {
        let sure: Vec<_> = found(text).into_iter().filter(|hit| hit.2 >= Confidence::Medium).collect();
        assert!(sure.is_empty(), "{text}: {sure:?}");
    }
}

#[test]
fn a_checksum_that_does_not_fit_is_no_token() {
    let all = found("ghp_9Kx2mQv7LpR4tYw8ZbN3sHd6FgJ5cU1DWiHe");
    assert_eq!(all.first().map(|hit| hit.2), Some(Confidence::Low), "{all:?}");
}

#[test]
fn rules_that_people_bring() {
    let rules = r#"
        [allowlist]
        paths = ['''^docs/''']
        [[rules]]
        id = "acme"
        description = "Acme token"
        regex = '''\bacme_([a-z0-9]{8})\b'''
        keywords = ["acme_"]
        [[rules.allowlists]]
        stopwords = ["00000000"]
        [[rules]]
        id = "keystore"
        path = '''\.p12$'''
        [rules.allowlist]
        paths = ['''test''']
    "#;
    let finder = Finder::with(Rules::parse(rules).unwrap()).unwrap();
    for (path, text, expected) in [
        ("src/a", "x acme_1234abcd", Some("acme")),
        ("src/a", "x acme_00000000", None),
        ("docs/a", "x acme_1234abcd", None),
        ("src/a.p12", "\u{0}", None),
    ] {
        let mut hits = Vec::new();
        finder.find(path, text.as_bytes(), &mut hits);
        assert_eq!(hits.first().map(|hit| hit.rule.as_str()), expected, "{path} {text}");
    }
    for (path, expected) in [("src/a.p12", 1), ("src/a.p12x", 0), ("docs/a.p12", 0), ("src/test.p12", 0)] {
        let mut hits = Vec::new();
        finder.find_named(path, &mut hits);
        assert_eq!(hits.len(), expected, "{path}");
        assert!(hits.iter().all(|hit| (hit.rule.as_str(), hit.line) == ("keystore", 1)));
    }
    let error = Rules::parse("[[rules]]\nid = 'a'\nregex = '('\n").unwrap_err().to_string();
    assert!(error.starts_with("rule `a`: its expression cannot be used"), "{error}");
}

#[test]
fn hits_are_bounded() {
    let text = "PASSWORD=qjzw7Rkx2b\n".repeat(3 * MAX_HITS);
    assert_eq!(found(&text).len(), MAX_HITS);
}

proptest! {
    #[test]
    fn places_lie_in_the_text(text in "(?s)((password|token|eyJ|://|Bearer |-----BEGIN |ghp_|SUA|Q~|\\$6\\$|key)?[ -~\\n\u{e9}]{0,12}){0,20}") {
        let mut hits = Vec::new();
        Finder::new().find("a", text.as_bytes(), &mut hits);
        let mut end = 0;
        for hit in hits {
            prop_assert!(hit.span.start >= end && hit.span.end <= text.len());
            end = hit.span.end;
        }
    }
}
