//! How often and when manifests were pulled: sums by name and by day, written many at a time.
//!
//! Whoever serves pulls counts them in memory and hands over what gathered; a pull costs no transaction.

use std::collections::BTreeMap;

use boltseal_model::{Digest, Timestamp};
use serde::Serialize;
use sqlx::{AnyConnection, Row as _};

use super::{Facts, count, digest, milliseconds, signed, sql::Query, time};
use crate::Error;

/// Rows of one statement: six values each stay below the number that every build of SQLite takes (999).
const ROWS: usize = 150;
/// Digests that one statement asks for.
const ASKED: usize = 500;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// Days that are kept apart; what is older remains in the sums.
const KEPT_DAYS: i64 = 400;
/// How long the sums of something that was deleted are kept, milliseconds: longer than deletions can be taken back.
const KEPT_WITHOUT: i64 = 100 * DAY;

/// Pulls of one manifest under one name, gathered since the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// Name of the repository.
    pub repository: String,
    /// Of the manifest.
    pub digest: Digest,
    /// The tag that was asked for; `None` where it was the digest.
    pub tag: Option<String>,
    /// How many.
    pub number: u64,
    /// The last of them.
    pub last: Timestamp,
    /// Whose the last was, by name, where that is known.
    pub by: Option<String>,
}

/// Pulls of one manifest of one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pulls {
    /// Name of the repository.
    pub repository: String,
    /// All of them, by whatever name.
    pub number: u64,
    /// The last of them.
    pub last: Timestamp,
    /// By tag: how many and the last; those by digest are the rest.
    pub tags: BTreeMap<String, TagPulls>,
    /// By day, oldest first; days without pulls are left out.
    pub days: Vec<DayPulls>,
}

/// Pulls under one tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagPulls {
    /// How many.
    pub number: u64,
    /// The last of them.
    pub last: Timestamp,
}

/// Pulls of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayPulls {
    /// Its first moment, UTC.
    pub day: Timestamp,
    /// How many.
    pub number: u64,
}

impl Facts {
    /// Adds what gathered, in one change.
    pub async fn count_pulls(&self, pulled: Vec<Pulled>) -> Result<(), Error> {
        if pulled.is_empty() {
            return Ok(());
        }
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    for some in pulled.chunks(ROWS) {
                        add(db, some).await?;
                        add_days(db, some).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Pulls of a manifest, by repository; days from `since` on.
    pub async fn pulls(&self, wanted: &Digest, since: Timestamp) -> Result<Vec<Pulls>, Error> {
        let rows = sqlx::query(
            "SELECT repository, tag, number, last_pull FROM pulls WHERE digest = $1 ORDER BY repository, tag",
        )
        .bind(wanted.to_string())
        .fetch_all(&self.readers)
        .await?;
        let mut found: Vec<Pulls> = Vec::new();
        for row in &rows {
            let (repository, tag): (String, String) = (row.try_get("repository")?, row.try_get("tag")?);
            let number = count("pulls.number", row.try_get("number")?)?;
            let last = time("pulls.last_pull", row.try_get("last_pull")?)?;
            if found.last().is_none_or(|of| of.repository != repository) {
                let (tags, days) = (BTreeMap::new(), self.pull_days(&repository, wanted, since).await?);
                found.push(Pulls { repository, number: 0, last, tags, days });
            }
            let Some(of) = found.last_mut() else { continue };
            of.number = of.number.saturating_add(number);
            of.last = of.last.max(last);
            if !tag.is_empty() {
                of.tags.insert(tag, TagPulls { number, last });
            }
        }
        Ok(found)
    }

    async fn pull_days(
        &self,
        repository: &str,
        wanted: &Digest,
        since: Timestamp,
    ) -> Result<Vec<DayPulls>, Error> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT day, number FROM pull_days WHERE repository = $1 AND digest = $2 AND day >= $3 ORDER BY day",
        )
        .bind(repository)
        .bind(wanted.to_string())
        .bind(milliseconds(since).div_euclid(DAY))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(day, number)| {
                let day = time("pull_days.day", day.saturating_mul(DAY))?;
                Ok(DayPulls { day, number: count("pull_days.number", number)? })
            })
            .collect()
    }

    /// When each manifest of a repository was pulled last; those that never were are left out.
    pub async fn last_pulls(&self, repository: &str) -> Result<Vec<(Digest, Timestamp)>, Error> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT digest, MAX(last_pull) FROM pulls WHERE repository = $1 GROUP BY digest")
                .bind(repository)
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter()
            .map(|(name, last)| Ok((digest("pulls.digest", &name)?, time("pulls.last_pull", last)?)))
            .collect()
    }

    /// When each of these manifests was pulled last, from whatever repository; those that never were are left out.
    pub async fn last_pulls_of(&self, wanted: &[Digest]) -> Result<Vec<(Digest, Timestamp)>, Error> {
        let mut found = Vec::new();
        for some in wanted.chunks(ASKED) {
            let mut query = Query::new("SELECT digest, MAX(last_pull) FROM pulls WHERE digest IN (");
            query.push_list(some.iter().map(ToString::to_string));
            query.push(") GROUP BY digest");
            for row in query.build().fetch_all(&self.readers).await? {
                let last = time("pulls.last_pull", row.try_get(1)?)?;
                found.push((digest("pulls.digest", row.try_get(0)?)?, last));
            }
        }
        Ok(found)
    }

    /// Forgets days that are long gone, and sums of what was deleted long ago.
    pub async fn forget_old_pulls(&self, now: Timestamp) -> Result<(), Error> {
        let now = milliseconds(now);
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM pull_days WHERE day < $1")
                        .bind(now.div_euclid(DAY).saturating_sub(KEPT_DAYS))
                        .execute(&mut *db)
                        .await?;
                    sqlx::query(
                        "DELETE FROM pulls WHERE last_pull < $1 AND NOT EXISTS (SELECT 1 FROM manifests m \
                         WHERE m.repository = pulls.repository AND m.digest = pulls.digest)",
                    )
                    .bind(now.saturating_sub(KEPT_WITHOUT))
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn add(db: &mut AnyConnection, pulled: &[Pulled]) -> Result<(), Error> {
    let mut insert = Query::new("INSERT INTO pulls (repository, digest, tag, number, last_pull, puller) ");
    insert.push_values(pulled, |row, one| {
        row.push_bind(&one.repository)
            .push_bind(one.digest.to_string())
            .push_bind(one.tag.as_deref().unwrap_or_default())
            .push_bind(signed(one.number))
            .push_bind(milliseconds(one.last))
            .push_bind(one.by.clone());
    });
    insert.push(
        " ON CONFLICT (repository, digest, tag) DO UPDATE SET number = pulls.number + excluded.number, \
         puller = CASE WHEN excluded.last_pull >= pulls.last_pull THEN excluded.puller ELSE pulls.puller END, \
         last_pull = CASE WHEN excluded.last_pull > pulls.last_pull THEN excluded.last_pull \
         ELSE pulls.last_pull END",
    );
    insert.build().execute(db).await?;
    Ok(())
}

async fn add_days(db: &mut AnyConnection, pulled: &[Pulled]) -> Result<(), Error> {
    // One row for each: a statement may not change a row twice.
    let mut days: BTreeMap<(&str, String, i64), i64> = BTreeMap::new();
    for one in pulled {
        let day = milliseconds(one.last).div_euclid(DAY);
        *days.entry((&one.repository, one.digest.to_string(), day)).or_default() += signed(one.number);
    }
    let mut insert = Query::new("INSERT INTO pull_days (repository, digest, day, number) ");
    insert.push_values(days, |row, ((repository, digest, day), number)| {
        row.push_bind(repository).push_bind(digest).push_bind(day).push_bind(number);
    });
    insert.push(
        " ON CONFLICT (repository, digest, day) DO UPDATE SET number = pull_days.number + excluded.number",
    );
    insert.build().execute(db).await?;
    Ok(())
}
