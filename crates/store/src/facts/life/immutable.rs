//! Tags that never move and never go, by pattern.

use boltseal_model::Timestamp;
use sqlx::AnyConnection;

use super::{
    super::{Facts, Topic, milliseconds, time},
    Refusal, pattern,
};
use crate::Error;

/// A rule about tags. Patterns know `*` for anything and `?` for one character; commas separate several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImmutableRule {
    /// What it is called.
    pub id: String,
    /// Repositories that it is about.
    pub repositories: String,
    /// Tags that it is about.
    pub tags: String,
    /// Tags that it is not about though they match.
    pub exceptions: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl ImmutableRule {
    /// Whether a tag of a repository can neither move nor go by this rule.
    pub fn holds(&self, repository: &str, tag: &str) -> bool {
        pattern::any(&self.repositories, repository)
            && pattern::any(&self.tags, tag)
            && !pattern::any(&self.exceptions, tag)
    }
}

type Row = (String, String, String, String, String, i64);

const ALL: &str = "SELECT id, repositories, tags, exceptions, by_whom, changed FROM immutable ORDER BY id";

impl Facts {
    /// All rules about immutable tags, by name.
    pub async fn immutable_rules(&self) -> Result<Vec<ImmutableRule>, Error> {
        let rows: Vec<Row> = sqlx::query_as(ALL).fetch_all(&self.readers).await?;
        rows.into_iter().map(read).collect()
    }

    /// Makes or changes a rule.
    pub async fn put_immutable_rule(&self, rule: ImmutableRule) -> Result<(), Error> {
        self.writer
            .touching(Topic::Settings)
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO immutable (id, repositories, tags, exceptions, by_whom, changed) \
                         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET \
                         repositories = excluded.repositories, tags = excluded.tags, \
                         exceptions = excluded.exceptions, by_whom = excluded.by_whom, changed = excluded.changed",
                    )
                    .bind(rule.id)
                    .bind(rule.repositories)
                    .bind(rule.tags)
                    .bind(rule.exceptions)
                    .bind(rule.by)
                    .bind(milliseconds(rule.at))
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Ends a rule; false when there is none of that name.
    pub async fn remove_immutable_rule(&self, id: &str) -> Result<bool, Error> {
        let id = id.to_owned();
        self.writer
            .touching(Topic::Settings)
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let done =
                            sqlx::query("DELETE FROM immutable WHERE id = $1").bind(id).execute(db).await?;
                        Ok(done.rows_affected() > 0)
                    })
                },
                |removed| *removed,
            )
            .await
    }
}

fn read((id, repositories, tags, exceptions, by, changed): Row) -> Result<ImmutableRule, Error> {
    let at = time("immutable.changed", changed)?;
    Ok(ImmutableRule { id, repositories, tags, exceptions, by, at })
}

/// Why these tags of a repository must stay where they are.
pub(super) async fn against(
    db: &mut AnyConnection,
    repository: &str,
    tags: &[String],
) -> Result<Option<Refusal>, Error> {
    if tags.is_empty() {
        return Ok(None);
    }
    let rows: Vec<Row> = sqlx::query_as(ALL).fetch_all(db).await?;
    for rule in rows.into_iter().map(read) {
        let rule = rule?;
        if let Some(tag) = tags.iter().find(|tag| rule.holds(repository, tag)) {
            return Ok(Some(Refusal::Immutable { what: format!("{repository}:{tag}"), rule: rule.id }));
        }
    }
    Ok(None)
}
