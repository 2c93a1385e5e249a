//! What people look through: repositories with their sums, what an index points to, how often things were pulled.

use std::collections::BTreeMap;

use boltseal_model::{Decision, Digest, Timestamp};
use sqlx::Row as _;

use super::{
    DayPulls, Facts, ImageRow, Listing, Page, State, count, digest, milliseconds, rows::read_decision,
    signed, sql::Query, time, views::contains,
};
use crate::Error;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A repository as a list shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryRow {
    /// Its name.
    pub name: String,
    /// How many tags it has.
    pub tags: u64,
    /// How many images, those that only an index names included.
    pub images: u64,
    /// Bytes of its blobs and manifests, shared with others or not.
    pub bytes: u64,
    /// When something was pushed last; absent when nothing is left.
    pub pushed: Option<Timestamp>,
    /// Its images by what the gate says of them.
    pub verdicts: Verdicts,
    /// How often anything of it was pulled.
    pub pulls: u64,
    /// When anything of it was pulled last.
    pub pulled: Option<Timestamp>,
}

/// Images by what the gate says of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// May be pulled without remark.
    pub allowed: u64,
    /// May be pulled, with something to look at.
    pub warned: u64,
    /// A rule forbids them.
    pub denied: u64,
    /// The facts do not suffice, or they could not be read.
    pub unknown: u64,
    /// Waiting for their first judgement.
    pub pending: u64,
}

/// The order of a list of repositories. Ties go by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepositorySort {
    /// By name.
    #[default]
    Name,
    /// The last pushed to first.
    Pushed,
    /// The largest first.
    Size,
    /// The most pulled first.
    Pulls,
    /// Those with the most tags first.
    Tags,
    /// The most denied images first.
    Verdict,
}

/// How often one manifest of a repository was pulled, by whatever name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullSum {
    /// Of the manifest.
    pub digest: Digest,
    /// How many.
    pub number: u64,
    /// The last of them.
    pub last: Timestamp,
}

impl Verdicts {
    /// What the worst of them are; nothing where there are none.
    pub fn worst(&self) -> Option<(State, Option<Decision>)> {
        [
            (self.denied, State::Judged, Some(Decision::Deny)),
            (self.unknown, State::Judged, Some(Decision::Unknown)),
            (self.pending, State::Pending, None),
            (self.warned, State::Judged, Some(Decision::Warn)),
            (self.allowed, State::Judged, Some(Decision::Allow)),
        ]
        .into_iter()
        .find(|(number, ..)| *number > 0)
        .map(|(_, state, decision)| (state, decision))
    }

    fn add(&mut self, state: State, decision: Option<Decision>, number: u64) {
        let sum = match (state, decision) {
            (State::Pending, _) => &mut self.pending,
            (State::Failed, _) | (State::Judged, None | Some(Decision::Unknown)) => &mut self.unknown,
            (State::Judged, Some(Decision::Allow)) => &mut self.allowed,
            (State::Judged, Some(Decision::Warn)) => &mut self.warned,
            (State::Judged, Some(Decision::Deny)) => &mut self.denied,
        };
        *sum = sum.saturating_add(number);
    }
}

impl Facts {
    /// Repositories whose name has `text` in it. Sums are made for those of the page only; orders other than by name
    /// read all of what they order by.
    pub async fn repository_rows(
        &self,
        text: &str,
        sort: RepositorySort,
        page: Page,
    ) -> Result<Listing<RepositoryRow>, Error> {
        let mut counting = Query::new("SELECT COUNT(*) FROM repositories r WHERE 1 = 1");
        named_like(&mut counting, text);
        let total: i64 = counting.scalar::<i64>().fetch_one(&self.readers).await?;
        let mut query = Query::new("SELECT r.name FROM repositories r");
        query.push(measure(sort)).push(" WHERE 1 = 1");
        named_like(&mut query, text);
        query.push(order(sort));
        query.push(" LIMIT ").push_bind(signed(page.limit.min(Page::MAX)));
        query.push(" OFFSET ").push_bind(signed(page.offset));
        let names: Vec<String> = query.scalar::<String>().fetch_all(&self.readers).await?;
        Ok(Listing { rows: self.sums(names).await?, total: count("repositories", total)? })
    }

    /// One repository with its sums, or nothing when there is none of this name.
    pub async fn repository_row(&self, name: &str) -> Result<Option<RepositoryRow>, Error> {
        let known: Option<String> = sqlx::query_scalar("SELECT name FROM repositories WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await?;
        Ok(self.sums(known.into_iter().collect()).await?.pop())
    }

    /// What an index of a repository points to, by platform.
    pub async fn index_children(&self, repository: &str, index: &Digest) -> Result<Vec<ImageRow>, Error> {
        self.children(repository, index).await
    }

    /// How often manifests of a repository were pulled; those that never were are left out.
    pub async fn pull_sums(&self, repository: &str, wanted: &[Digest]) -> Result<Vec<PullSum>, Error> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = Query::new(
            "SELECT digest, CAST(SUM(number) AS BIGINT) AS number, MAX(last_pull) AS last FROM pulls WHERE repository = ",
        );
        query.push_bind(repository.to_owned()).push(" AND digest IN (");
        query.push_list(wanted.iter().map(ToString::to_string));
        query.push(") GROUP BY digest");
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(PullSum {
                    digest: digest("pulls.digest", row.try_get("digest")?)?,
                    number: count("pulls.number", row.try_get("number")?)?,
                    last: time("pulls.last_pull", row.try_get("last")?)?,
                })
            })
            .collect()
    }

    /// Pulls from a repository by day, from `since` on, oldest first; days without pulls are left out.
    pub async fn repository_pulls(&self, repository: &str, since: Timestamp) -> Result<Vec<DayPulls>, Error> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT day, CAST(SUM(number) AS BIGINT) FROM pull_days WHERE repository = $1 AND day >= $2 \
             GROUP BY day ORDER BY day",
        )
        .bind(repository)
        .bind(milliseconds(since).div_euclid(DAY))
        .fetch_all(&self.readers)
        .await?;
        let read = |(day, number): (i64, i64)| {
            let day = time("pull_days.day", day.saturating_mul(DAY))?;
            Ok(DayPulls { day, number: count("pull_days.number", number)? })
        };
        rows.into_iter().map(read).collect()
    }

    /// The repositories of these names, in this order, with their sums.
    async fn sums(&self, names: Vec<String>) -> Result<Vec<RepositoryRow>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let among = |start: &'static str, end: &'static str| {
            let mut query = Query::new(start);
            query.push_list(names.iter().cloned());
            query.push(end);
            query.build()
        };
        let mut sums: BTreeMap<String, RepositoryRow> = BTreeMap::new();
        for row in among(TAGS, ") GROUP BY repository").fetch_all(&self.readers).await? {
            let sum = sums.entry(row.try_get("repository")?).or_default();
            sum.tags = count("tags", row.try_get("number")?)?;
        }
        for row in among(MANIFESTS, ") GROUP BY repository").fetch_all(&self.readers).await? {
            let sum = sums.entry(row.try_get("repository")?).or_default();
            sum.images = count("manifests", row.try_get("images")?)?;
            sum.bytes = count("manifests.size", row.try_get("bytes")?)?;
            let pushed: Option<i64> = row.try_get("pushed")?;
            sum.pushed = pushed.map(|value| time("manifests.pushed_at", value)).transpose()?;
        }
        for row in among(BLOBS, ") GROUP BY repository").fetch_all(&self.readers).await? {
            let sum = sums.entry(row.try_get("repository")?).or_default();
            sum.bytes = sum.bytes.saturating_add(count("blobs.size", row.try_get("bytes")?)?);
        }
        for row in
            among(VERDICTS, ") GROUP BY m.repository, j.state, j.decision").fetch_all(&self.readers).await?
        {
            let decision: Option<&str> = row.try_get("decision")?;
            let (state, decision) =
                (State::read(row.try_get("state")?)?, decision.map(read_decision).transpose()?);
            let sum = sums.entry(row.try_get("repository")?).or_default();
            sum.verdicts.add(state, decision, count("judgements", row.try_get("number")?)?);
        }
        for row in among(PULLS, ") GROUP BY repository").fetch_all(&self.readers).await? {
            let sum = sums.entry(row.try_get("repository")?).or_default();
            sum.pulls = count("pulls.number", row.try_get("number")?)?;
            sum.pulled = Some(time("pulls.last_pull", row.try_get("last")?)?);
        }
        let mut filled = |name: &String| {
            let sum = sums.remove(name).unwrap_or_default();
            RepositoryRow { name: name.clone(), ..sum }
        };
        Ok(names.iter().map(&mut filled).collect())
    }
}

const TAGS: &str = "SELECT repository, COUNT(*) AS number FROM tags WHERE repository IN (";
const MANIFESTS: &str = "SELECT repository, COUNT(CASE WHEN kind = 'image' THEN 1 END) AS images, \
                         CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes, MAX(pushed_at) AS pushed FROM manifests \
                         WHERE repository IN (";
const BLOBS: &str =
    "SELECT repository, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM blobs WHERE repository IN (";
const VERDICTS: &str = "SELECT m.repository, j.state, j.decision, COUNT(*) AS number FROM manifests m \
                        JOIN judgements j ON j.digest = m.digest WHERE m.kind = 'image' AND m.repository IN (";
const PULLS: &str = "SELECT repository, CAST(SUM(number) AS BIGINT) AS number, MAX(last_pull) AS last FROM pulls \
                     WHERE repository IN (";

fn named_like(query: &mut Query, text: &str) {
    if !text.is_empty() {
        query.push(" AND LOWER(r.name) LIKE ").push_bind(contains(text)).push(" ESCAPE '\\'");
    }
}

/// What a list is ordered by, joined to it as `o.value`.
const fn measure(sort: RepositorySort) -> &'static str {
    match sort {
        RepositorySort::Name => "",
        RepositorySort::Pushed => {
            " LEFT JOIN (SELECT repository, MAX(pushed_at) AS value FROM manifests GROUP BY repository) AS o \
             ON o.repository = r.name"
        }
        RepositorySort::Size => {
            " LEFT JOIN (SELECT repository, SUM(size) AS value FROM blobs GROUP BY repository) AS o \
             ON o.repository = r.name"
        }
        RepositorySort::Pulls => {
            " LEFT JOIN (SELECT repository, SUM(number) AS value FROM pulls GROUP BY repository) AS o \
             ON o.repository = r.name"
        }
        RepositorySort::Tags => {
            " LEFT JOIN (SELECT repository, COUNT(*) AS value FROM tags GROUP BY repository) AS o \
             ON o.repository = r.name"
        }
        RepositorySort::Verdict => {
            " LEFT JOIN (SELECT m.repository, SUM(CASE WHEN j.decision = 'deny' THEN 1000000 \
             WHEN j.state = 'failed' OR j.decision = 'unknown' THEN 1000 ELSE 0 END) AS value FROM manifests m \
             JOIN judgements j ON j.digest = m.digest WHERE m.kind = 'image' GROUP BY m.repository) AS o \
             ON o.repository = r.name"
        }
    }
}

const fn order(sort: RepositorySort) -> &'static str {
    match sort {
        RepositorySort::Name => " ORDER BY r.name",
        _ => " ORDER BY COALESCE(o.value, 0) DESC, r.name",
    }
}
