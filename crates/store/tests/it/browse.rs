//! What people look through: repositories with their sums, and what is attached to what.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Attached, Facts, Kind, Page, Pulled, RepositorySort, Verdicts};

use crate::{databases::Database, facts::manifest};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_006_400 + seconds).unwrap()
}

async fn stocked(database: &Database) -> Facts {
    let facts = database.open().await;
    let (layer, large) = (Digest::of(b"layer"), Digest::of(b"large"));
    facts.add_blob("team/app", &layer, 500).await.unwrap();
    facts.add_blob("team/Web", &layer, 500).await.unwrap();
    facts.add_blob("team/Web", &large, 9_000).await.unwrap();
    for (repository, tag, content, seconds) in
        [("team/app", "v1", "a", 30), ("team/app", "v2", "b", 10), ("team/Web", "v1", "c", 20)]
    {
        let mut one = manifest(repository, tag, &Digest::of(content.as_bytes()), &[&layer]);
        one.at = at(seconds);
        facts.put_manifest(one).await.unwrap();
    }
    let pulled = |number| Pulled {
        repository: "team/Web".to_owned(),
        digest: Digest::of(b"c"),
        tag: Some("v1".to_owned()),
        number,
        last: at(40),
        by: None,
    };
    facts.count_pulls(vec![pulled(3)]).await.unwrap();
    facts.count_pulls(vec![Pulled { tag: None, ..pulled(4) }]).await.unwrap();
    facts
}

#[tokio::test]
async fn repositories_have_sums_and_orders() {
    for database in Database::each() {
        let facts = stocked(&database).await;
        for (sort, first) in [
            (RepositorySort::Name, "team/Web"),
            (RepositorySort::Pushed, "team/app"),
            (RepositorySort::Size, "team/Web"),
            (RepositorySort::Pulls, "team/Web"),
            (RepositorySort::Tags, "team/app"),
            (RepositorySort::Verdict, "team/Web"),
        ] {
            let listing = facts.repository_rows("team", sort, Page::default()).await.unwrap();
            assert_eq!((listing.total, listing.rows.len()), (2, 2), "{sort:?}");
            assert_eq!(listing.rows.first().map(|row| row.name.as_str()), Some(first), "{sort:?}");
        }
        for (text, total) in [("WEB", 1), ("_", 0), ("%", 0), ("", 2)] {
            let rows = facts.repository_rows(text, RepositorySort::Name, Page { offset: 0, limit: 1 }).await;
            assert_eq!(rows.unwrap().total, total, "{text}");
        }
        let app = facts.repository_row("team/app").await.unwrap().unwrap();
        assert_eq!((app.tags, app.images, app.bytes, app.pushed), (2, 2, 520, Some(at(30))));
        assert_eq!((app.pulls, app.pulled), (0, None));
        assert_eq!(app.verdicts, Verdicts { pending: 2, ..Verdicts::default() });
        let web = facts.repository_row("team/Web").await.unwrap().unwrap();
        assert_eq!((web.bytes, web.pulls, web.pulled), (9_510, 7, Some(at(40))));
        assert_eq!(facts.repository_row("team").await.unwrap(), None);

        let sums = facts.pull_sums("team/Web", &[Digest::of(b"c"), Digest::of(b"a")]).await.unwrap();
        assert_eq!(sums.iter().map(|sum| (sum.number, sum.last)).collect::<Vec<_>>(), [(7, at(40))]);
        let days = facts.repository_pulls("team/Web", at(0)).await.unwrap();
        assert_eq!(days.iter().map(|day| day.number).collect::<Vec<_>>(), [7]);
    }
}

#[tokio::test]
async fn what_is_attached_is_a_tree() {
    for database in Database::each() {
        let facts = database.open().await;
        let image = Digest::of(b"image");
        facts.put_manifest(manifest("app", "v1", &image, &[])).await.unwrap();
        let attach = async |content: &str, to: &Digest, kind: &str| {
            let mut one = manifest("app", "", &Digest::of(content.as_bytes()), &[]);
            (one.kind, one.subject, one.artifact_type) =
                (Kind::Artifact, Some(to.clone()), Some(kind.to_owned()));
            facts.put_manifest(one).await.unwrap();
        };
        attach("sbom", &image, "application/spdx+json").await;
        attach("signature of the sbom", &Digest::of(b"sbom"), "signature").await;
        // Before there were subjects.
        let old_tag = format!("{}.sig", image.to_string().replace(':', "-"));
        let mut old = manifest("app", "", &Digest::of(b"old"), &[]);
        (old.kind, old.tags) = (Kind::Artifact, vec![old_tag.clone()]);
        facts.put_manifest(old).await.unwrap();

        let found = facts.attached(&image).await.unwrap();
        assert_eq!(found.len(), 2);
        let by_digest = |name: &str| found.iter().find(|one| one.digest == Digest::of(name.as_bytes()));
        let sbom = by_digest("sbom").unwrap();
        let below: Vec<&Attached> = sbom.attached.iter().collect();
        assert_eq!(
            below.iter().map(|one| one.artifact_type.as_deref()).collect::<Vec<_>>(),
            [Some("signature")]
        );
        assert_eq!(by_digest("old").unwrap().tag.as_ref(), Some(&old_tag));
        assert_eq!(facts.attached(&Digest::of(b"signature of the sbom")).await.unwrap(), []);
    }
}
