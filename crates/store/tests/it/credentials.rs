//! The inventory of credentials, in both databases alike.

use boltseal_model::{Confidence, Decision, Digest, Fingerprint, Leak, Malware, Place, Report, Timestamp};
use boltseal_store::{CredentialFilter, Facts, Having, ImageFilter, Observations, Outcome, Page};

use crate::{databases::Database, facts::manifest, views::report};

fn fingerprint(first: u8) -> Fingerprint {
    Fingerprint::new([first; Fingerprint::BYTES])
}

fn leak(first: u8, rule: &str, confidence: Confidence, path: &str) -> Leak {
    Leak {
        place: Place::File { path: path.to_owned(), line: 1 },
        rule: rule.to_owned(),
        title: rule.to_uppercase(),
        confidence,
        layer: Some(Digest::of(b"layer")),
        hidden: path.starts_with("gone"),
        package: path.starts_with("lib").then(|| "lib".to_owned()),
        number: Some(u32::from(first)),
        fingerprint: Some(fingerprint(first)),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

async fn judged(facts: &Facts, image: &Digest, report: Report, second: i64) {
    let outcome = Outcome::Judged { report: Box::new(report), catalog_gaps: Vec::new() };
    facts.record(vec![(image.clone(), outcome)], at(second)).await.unwrap();
}

async fn found(facts: &Facts, filter: CredentialFilter) -> Vec<(Fingerprint, String)> {
    let rows = facts.credentials(&filter, None, 10).await.unwrap();
    rows.into_iter().map(|row| (row.fingerprint, row.rule)).collect()
}

async fn places(facts: &Facts, of: Fingerprint) -> Vec<String> {
    let rows = facts.leaks_of(&[of], 100).await.unwrap();
    let hidden = |hidden: bool| if hidden { " hidden" } else { "" };
    rows.iter().map(|row| format!("{} {}{}", row.repository, row.place, hidden(row.hidden))).collect()
}

#[tokio::test]
async fn a_credential_is_one_wherever_it_lies() {
    for database in Database::each() {
        let facts = database.open().await;
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        facts.put_manifest(manifest("team/app", "v1", &one, &[])).await.unwrap();
        facts.put_manifest(manifest("team/copy", "v1", &one, &[])).await.unwrap();
        facts.put_manifest(manifest("team/other", "v1", &two, &[])).await.unwrap();
        let of = |image: &Digest, leaks: Vec<Leak>| Report {
            leaks: Some(leaks),
            ..report(image, Decision::Warn, "s1", Vec::new())
        };
        let token = |path: &str| leak(1, "token", Confidence::Verified, path);
        let first = vec![
            token("app/.env"),
            token("gone/.env"),
            leak(2, "password", Confidence::Medium, "etc/app"),
            leak(3, "key", Confidence::High, "lib/test.pem"),
            leak(4, "value", Confidence::Low, "etc/doubt"),
        ];
        judged(&facts, &one, of(&one, first), 0).await;
        // Elsewhere the same token is less sure, by another rule.
        let again = Leak { fingerprint: Some(fingerprint(1)), ..leak(1, "bearer", Confidence::Medium, "x") };
        judged(&facts, &two, of(&two, vec![again]), 60).await;

        let all = CredentialFilter { published: true, ..CredentialFilter::default() };
        let names = |rows: Vec<(Fingerprint, String)>| rows.into_iter().map(|row| row.1).collect::<Vec<_>>();
        assert_eq!(names(found(&facts, all.clone()).await), ["token", "password", "key", "value"]);
        let medium = CredentialFilter { confidence: Some(Confidence::Medium), ..CredentialFilter::default() };
        assert_eq!(names(found(&facts, medium.clone()).await), ["token", "password"]);
        for (text, expected) in
            [("TOK", vec!["token"]), ("0202", vec!["password"]), ("202", vec![]), ("%", vec![])]
        {
            let filter = CredentialFilter { text: Some(text.to_owned()), ..all.clone() };
            assert_eq!(names(found(&facts, filter).await), expected, "{text}");
        }
        let kind = CredentialFilter { rule: Some("key".to_owned()), ..all.clone() };
        assert_eq!(names(found(&facts, kind).await), ["key"]);

        // Page by page.
        let part = facts.credentials(&all, None, 2).await.unwrap();
        let last = part.last().map(|row| (row.first_seen.as_millisecond(), row.fingerprint));
        let rest = facts.credentials(&all, last, 2).await.unwrap();
        let rest: Vec<&str> = rest.iter().map(|row| row.rule.as_str()).collect();
        assert_eq!(rest, ["key", "value"]);

        let known = facts.credential(fingerprint(1)).await.unwrap().unwrap();
        assert_eq!(
            (known.confidence, known.first_seen, known.last_seen),
            (Confidence::Verified, at(0), at(60))
        );
        assert_eq!(
            facts.images_with(&[fingerprint(1), fingerprint(9)]).await.unwrap(),
            [(fingerprint(1), 2)]
        );
        let places = places(&facts, fingerprint(1)).await;
        assert_eq!(
            places,
            [
                "team/app app/.env:1",
                "team/app gone/.env:1 hidden",
                "team/copy app/.env:1",
                "team/copy gone/.env:1 hidden",
                "team/other x:1",
            ]
        );

        // The first image goes, from one repository after the other; what only it had stays as gone.
        facts.remove_manifest("team/app", &one).await.unwrap();
        assert_eq!(facts.images_with(&[fingerprint(2)]).await.unwrap().len(), 1);
        facts.remove_manifest("team/copy", &one).await.unwrap();
        let gone = |gone| CredentialFilter { gone: Some(gone), ..medium.clone() };
        assert_eq!(names(found(&facts, gone(true)).await), ["password"]);
        assert_eq!(names(found(&facts, gone(false)).await), ["token"]);
        assert_eq!(facts.credential(fingerprint(7)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn images_are_listed_by_what_was_seen_in_them() {
    for database in Database::each() {
        let facts = database.open().await;
        let images = ["leaky", "ill", "old", "blind", "clean"];
        for name in images {
            let image = Digest::of(name.as_bytes());
            facts.put_manifest(manifest(name, "v1", &image, &[])).await.unwrap();
            let mut seen = report(&image, Decision::Warn, "s1", Vec::new());
            match name {
                "leaky" => {
                    // Two places of one, and what does not count.
                    seen.leaks = Some(vec![
                        leak(1, "token", Confidence::High, "a"),
                        leak(1, "token", Confidence::High, "b"),
                        leak(2, "value", Confidence::Low, "c"),
                        leak(3, "key", Confidence::High, "lib/test.pem"),
                    ]);
                }
                "ill" => {
                    let (digest, path) = (Digest::of(b"bad"), "bad".to_owned());
                    seen.malware =
                        vec![Malware { path, name: "Bad".to_owned(), digest, layer: None, hidden: false }];
                }
                "old" => seen.distro.as_mut().unwrap().end_of_life = Some("2023-11-14".parse().unwrap()),
                "blind" => seen.leaks = None,
                _ => {}
            }
            judged(&facts, &image, seen, 0).await;
        }
        // 2023-11-14T22:13:20Z, on the last day of support; and the first moment after it.
        let (before, after) = (at(0), "2023-11-15T00:00:00Z".parse::<Timestamp>().unwrap());
        for (having, expected) in [
            (Having::Secrets, vec!["leaky"]),
            (Having::Malware, vec!["ill"]),
            (Having::Unowned, vec![]),
            (Having::Misconfigurations, vec![]),
            (Having::Unsupported(before.as_millisecond()), vec![]),
            (Having::Unsupported(after.as_millisecond()), vec!["old"]),
            (Having::Unrecognised, vec!["blind"]),
        ] {
            let filter = ImageFilter { having: Some(having), ..ImageFilter::default() };
            let rows = facts.images(&filter, Page::default()).await.unwrap().rows;
            let names: Vec<&str> = rows.iter().map(|row| row.repository.as_str()).collect();
            assert_eq!(names, expected, "{having:?}");
        }
        let expected =
            Observations { credentials: 1, secrets: 1, malware: 1, unsupported: 1, unrecognised: 1 };
        assert_eq!(facts.observations(after).await.unwrap(), expected);
        assert_eq!(facts.observations(before).await.unwrap().unsupported, 0);
    }
}
