//! Finding things by their names, in both databases alike.

use boltseal_model::{Decision, Digest, Severity};
use boltseal_store::{About, NewManifest};

use crate::{
    databases::Database,
    facts::manifest,
    views::{finding, judged, report},
};

#[tokio::test]
async fn things_are_found_by_name() {
    for database in Database::each() {
        let facts = database.open().await;
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        let labels =
            vec![("team".to_owned(), "blue".to_owned()), ("licence".to_owned(), "Apache-2.0".to_owned())];
        let about = About { labels, ..About::default() };
        let push = NewManifest { about: Some(about), ..manifest("team/app", "v1.0", &one, &[]) };
        facts.put_manifest(push).await.unwrap();
        facts.put_manifest(manifest("team/app_2", "v1.1", &two, &[])).await.unwrap();
        facts.put_manifest(manifest("other", "nightly", &one, &[])).await.unwrap();
        facts.put_manifest(manifest("other", "1-v", &two, &[])).await.unwrap();
        let hit = finding("CVE-2024-3094", "xz-utils", Severity::Critical, None, true);
        judged(&facts, &one, report(&one, Decision::Deny, "s1", vec![hit])).await;

        for (text, expected) in [
            ("app", vec!["team/app", "team/app_2"]),
            ("p_2", vec!["team/app_2"]),
            ("a%", vec![]),
            ("!", vec![]),
        ] {
            let found = facts.find_repositories(text, "", 10).await.unwrap();
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(facts.find_repositories("app", "team/app", 10).await.unwrap(), ["team/app_2"]);
        let tags = |text: &'static str| facts.find_tags(text, 10);
        let names =
            |rows: Vec<(String, String, String)>| rows.into_iter().map(|row| row.1).collect::<Vec<_>>();
        assert_eq!(names(tags("v1").await.unwrap()), ["v1.0", "v1.1"]);
        assert_eq!(names(tags("IGHT").await.unwrap()), ["nightly"], "any part, whatever case");
        assert_eq!(names(tags("1").await.unwrap()), ["1-v", "v1.0", "v1.1"], "what begins so first");
        assert_eq!(names(facts.find_tags("1", 2).await.unwrap()), ["1-v", "v1.0"]);
        assert_eq!(names(tags("%").await.unwrap()), Vec::<String>::new());
        let short: String = one.to_string().chars().take(20).collect();
        assert_eq!(facts.find_digests(&short, 10).await.unwrap().len(), 2);
        assert_eq!(facts.find_digests(&short, 1).await.unwrap().len(), 1);

        for (text, expected) in [
            ("blue", "team=blue"),
            ("LUE", "team=blue"),
            ("lic", "licence=Apache-2.0"),
            ("cence", "licence=Apache-2.0"),
            ("he-2", "licence=Apache-2.0"),
        ] {
            let found = facts.find_labels(text, 10).await.unwrap();
            assert_eq!(found.len(), 2, "{text}: in two repositories");
            assert_eq!(format!("{}={}", found[0].2, found[0].3), expected);
        }
        assert_eq!(facts.find_label("team", "bl", 10).await.unwrap().len(), 2);
        assert_eq!(facts.find_label("team", "ue", 10).await.unwrap().len(), 2);
        assert_eq!(facts.find_label("licence", "%", 10).await.unwrap(), []);
        assert_eq!(facts.find_label("team", "red", 10).await.unwrap(), []);

        let found = facts.find_packages("open", None, 10).await.unwrap();
        assert_eq!((found.len(), found[0].2.as_str(), found[0].3.as_str()), (2, "openssl", "1"));
        assert_eq!(facts.find_packages("openssl", Some("1"), 10).await.unwrap().len(), 2);
        assert_eq!(facts.find_packages("openssl", Some("2"), 10).await.unwrap(), []);
        assert_eq!(facts.find_vulnerable("CVE-2024-3", 10).await.unwrap().len(), 2);

        for repository in ["team/app", "other"] {
            facts.remove_manifest(repository, &one).await.unwrap();
        }
        assert_eq!(facts.find_packages("openssl", None, 10).await.unwrap(), []);
        assert_eq!(facts.find_labels("blue", 10).await.unwrap(), []);
    }
}

/// What a search costs where nothing begins with the text: `cargo test -p boltseal-store --test it -- --ignored
/// --nocapture a_hundred_thousand_repositories` prints it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a million tags take minutes to write"]
async fn a_hundred_thousand_repositories() {
    const REPOSITORIES: u32 = 100_000;
    for database in Database::each() {
        let facts = database.open().await;
        let mut tasks = tokio::task::JoinSet::new();
        for part in 0..64 {
            let facts = facts.clone();
            tasks.spawn(async move {
                for number in (part..REPOSITORIES).step_by(64) {
                    let digest = Digest::of(&number.to_le_bytes());
                    let labels = vec![
                        ("org.opencontainers.image.revision".to_owned(), digest.to_string()),
                        ("maintainer".to_owned(), format!("team-{}", number % 500)),
                    ];
                    let mut one = manifest(&format!("org-{}/app-{number}", number % 100), "", &digest, &[]);
                    one.tags = (0..10).map(|tag| format!("v{tag}.{}.{}", number % 30, number % 7)).collect();
                    one.about = Some(About { labels, ..About::default() });
                    facts.put_manifest(one).await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        println!("{}", if matches!(database, Database::Sqlite(_)) { "SQLite" } else { "PostgreSQL" });
        for text in ["v9.29", ".29.6", "no such text"] {
            for _ in 0..3 {
                let start = std::time::Instant::now();
                let tags = facts.find_tags(text, 2_000).await.unwrap().len();
                let tags_took = start.elapsed();
                let start = std::time::Instant::now();
                let labels = facts.find_labels(text, 2_000).await.unwrap().len();
                println!("{text:?}: {tags} tags {tags_took:?}, {labels} labels {:?}", start.elapsed());
            }
        }
    }
}
