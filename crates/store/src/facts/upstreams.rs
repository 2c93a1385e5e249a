//! What came from other registries: manifests whose parts come when somebody asks for them, when each tag was last
//! compared with the registry it came from, and when mirrors last began.

use boltseal_model::Timestamp;

use super::{
    Facts, Topic,
    content::{Missing, NewManifest, link, put_manifest},
    milliseconds, time,
};
use crate::Error;

/// What another registry said the last time it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// When.
    pub at: Timestamp,
    /// Its answer, in the words of whoever asked; none where the answer is stored as content.
    pub body: Option<String>,
}

impl Facts {
    /// As [`Facts::put_manifest`], except that the manifests it lists need not be here: they are linked all the same,
    /// and come when somebody asks for them.
    pub async fn put_sparse_manifest(&self, mut manifest: NewManifest) -> Result<Missing, Error> {
        let topic = Topic::Repository(manifest.repository.clone());
        self.writer
            .touching(topic)
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let children = std::mem::take(&mut manifest.manifests);
                        let (repository, digest) = (manifest.repository.clone(), manifest.digest.to_string());
                        let missing = put_manifest(db, manifest).await?;
                        if missing.is_empty() {
                            for child in children {
                                link(db, &repository, &digest, &child.to_string()).await?;
                            }
                        }
                        Ok(missing)
                    })
                },
                Vec::is_empty,
            )
            .await
    }

    /// When the registry behind `repository` was last asked for `name`, and what it said.
    pub async fn upstream_check(&self, repository: &str, name: &str) -> Result<Option<Checked>, Error> {
        let row: Option<(i64, Option<String>)> =
            sqlx::query_as("SELECT checked, body FROM upstream_checks WHERE repository = $1 AND name = $2")
                .bind(repository)
                .bind(name)
                .fetch_optional(&self.readers)
                .await?;
        row.map(|(at, body)| Ok(Checked { at: time("upstream_checks.checked", at)?, body })).transpose()
    }

    /// Notes that it was asked, and what it said.
    pub async fn note_upstream_check(
        &self,
        repository: &str,
        name: &str,
        checked: Checked,
    ) -> Result<(), Error> {
        let (repository, name) = (repository.to_owned(), name.to_owned());
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO upstream_checks (repository, name, checked, body) VALUES ($1, $2, $3, $4) \
                         ON CONFLICT (repository, name) DO UPDATE SET checked = excluded.checked, \
                         body = excluded.body",
                    )
                    .bind(repository)
                    .bind(name)
                    .bind(milliseconds(checked.at))
                    .bind(checked.body)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// A repository whose name begins with `prefix` and a slash, and that no upstream was ever asked about.
    pub async fn own_repository_below(&self, prefix: &str) -> Result<Option<String>, Error> {
        // `0` is the sign after the slash.
        let (first, end) = (format!("{prefix}/"), format!("{prefix}0"));
        sqlx::query_scalar(
            "SELECT name FROM repositories WHERE name > $1 AND name < $2 AND NOT EXISTS \
             (SELECT 1 FROM upstream_checks c WHERE c.repository = repositories.name) ORDER BY name LIMIT 1",
        )
        .bind(first)
        .bind(end)
        .fetch_optional(&self.readers)
        .await
        .map_err(Error::from)
    }

    /// When a mirror last began by its schedule.
    pub async fn mirror_started(&self, mirror: &str) -> Result<Option<Timestamp>, Error> {
        let started: Option<i64> = sqlx::query_scalar("SELECT started FROM mirror_starts WHERE mirror = $1")
            .bind(mirror)
            .fetch_optional(&self.readers)
            .await?;
        started.map(|started| time("mirror_starts.started", started)).transpose()
    }

    /// Whether a mirror is to begin now: it has not since `before`. Whoever is told yes begins; nobody else is.
    pub async fn start_mirror(&self, mirror: &str, before: Timestamp, now: Timestamp) -> Result<bool, Error> {
        let (mirror, before, now) = (mirror.to_owned(), milliseconds(before), milliseconds(now));
        self.writer
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let done = sqlx::query(
                            "INSERT INTO mirror_starts (mirror, started) VALUES ($1, $2) \
                             ON CONFLICT (mirror) DO UPDATE SET started = excluded.started \
                             WHERE mirror_starts.started <= $3",
                        )
                        .bind(mirror)
                        .bind(now)
                        .bind(before)
                        .execute(db)
                        .await?;
                        Ok(done.rows_affected() > 0)
                    })
                },
                |began| *began,
            )
            .await
    }
}
