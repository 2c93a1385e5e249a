//! Small documents that somebody else knows the meaning of: principals, roles, assignments; and small settings.

use boltseal_model::Timestamp;
use sqlx::AnyConnection;

use super::{Facts, Topic, milliseconds, time};
use crate::Error;

/// A document of some kind, under its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What kind of thing it is.
    pub kind: String,
    /// Unique within the kind.
    pub id: String,
    /// What it says; `None` in a change removes it.
    pub body: Option<String>,
}

impl Facts {
    /// All documents about access, by kind and id: those whose kind does not begin with `registry.`.
    pub async fn documents(&self) -> Result<Vec<Document>, Error> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT kind, id, body FROM documents WHERE kind NOT LIKE 'registry.%' ORDER BY kind, id",
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(|(kind, id, body)| Document { kind, id, body: Some(body) }).collect())
    }

    /// Writes and removes documents, all or none.
    pub async fn change_documents(&self, changes: Vec<Document>) -> Result<(), Error> {
        self.change(Topic::Access, changes).await
    }

    pub(super) async fn change(&self, about: Topic, changes: Vec<Document>) -> Result<(), Error> {
        self.writer.touching(about).run(move |db| Box::pin(write(db, changes))).await
    }

    /// Documents of one kind, by id.
    pub async fn documents_of(&self, kind: &str) -> Result<Vec<Document>, Error> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT id, body FROM documents WHERE kind = $1 ORDER BY id")
                .bind(kind)
                .fetch_all(&self.readers)
                .await?;
        let kind = kind.to_owned();
        Ok(rows.into_iter().map(|(id, body)| Document { kind: kind.clone(), id, body: Some(body) }).collect())
    }

    /// The body of one document.
    pub async fn document(&self, kind: &str, id: &str) -> Result<Option<String>, Error> {
        sqlx::query_scalar("SELECT body FROM documents WHERE kind = $1 AND id = $2")
            .bind(kind)
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::from)
    }

    /// As [`Facts::change_documents`], for documents that are not about access: the registry's own settings,
    /// whose kind begins with `registry.`.
    pub async fn change_settings(&self, changes: Vec<Document>) -> Result<(), Error> {
        self.change(Topic::Settings, changes).await
    }

    /// As [`Facts::change_settings`], for what verdicts depend on: whoever follows is told in this very process, too. Where
    /// there is a document of the kind and id of `unless` already, nothing changes, nothing is recorded, and it says so.
    pub async fn change_rules(
        &self,
        changes: Vec<Document>,
        unless: Option<(&'static str, &str)>,
    ) -> Result<bool, Error> {
        let unless = unless.map(|(kind, id)| (kind, id.to_owned()));
        let happened = self
            .writer
            .touching(Topic::Settings)
            .run_if(
                move |db| {
                    Box::pin(async move {
                        if let Some((kind, id)) = unless {
                            let known: Option<String> =
                                sqlx::query_scalar("SELECT id FROM documents WHERE kind = $1 AND id = $2")
                                    .bind(kind)
                                    .bind(id)
                                    .fetch_optional(&mut *db)
                                    .await?;
                            if known.is_some() {
                                return Ok(false);
                            }
                        }
                        write(db, changes).await?;
                        Ok(true)
                    })
                },
                |happened| *happened,
            )
            .await?;
        if happened {
            self.follow.announce(Topic::Settings);
        }
        Ok(happened)
    }

    /// Makes these changes where the document of this kind and id says what is `known`, `None` being that there is none;
    /// otherwise nothing changes, and it says so. Of several servers that do so at once one is first, and all others see what it
    /// wrote.
    pub async fn exchange_settings(
        &self,
        (kind, id): (&'static str, &'static str),
        known: Option<String>,
        changes: Vec<Document>,
    ) -> Result<bool, Error> {
        let writer = self.writer.touching(Topic::Settings);
        let change = writer.run_if(
            move |db| {
                Box::pin(async move {
                    let found: Option<String> =
                        sqlx::query_scalar("SELECT body FROM documents WHERE kind = $1 AND id = $2")
                            .bind(kind)
                            .bind(id)
                            .fetch_optional(&mut *db)
                            .await?;
                    let is_known = found == known;
                    if is_known {
                        write(db, changes).await?;
                    }
                    Ok(is_known)
                })
            },
            |happened| *happened,
        );
        change.await
    }

    /// Ends one token before its time: remembers its id until `expires`.
    pub async fn revoke(&self, token: &str, expires: Timestamp) -> Result<(), Error> {
        let (token, now, expires) = (token.to_owned(), milliseconds(Timestamp::now()), milliseconds(expires));
        self.writer
            .touching(Topic::Access)
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM revoked WHERE expires <= $1")
                        .bind(now)
                        .execute(&mut *db)
                        .await?;
                    sqlx::query(
                        "INSERT INTO revoked (token, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    )
                    .bind(token)
                    .bind(expires)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Tokens that were ended before their time and would not have expired yet.
    pub async fn revoked(&self, now: Timestamp) -> Result<Vec<(String, Timestamp)>, Error> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT token, expires FROM revoked WHERE expires > $1")
                .bind(milliseconds(now))
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter().map(|(token, expires)| Ok((token, time("revoked.expires", expires)?))).collect()
    }

    /// A setting.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::from)
    }

    /// Changes a setting.
    pub async fn set(&self, name: &str, value: &str) -> Result<(), Error> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO settings (name, value) VALUES ($1, $2) \
                         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    )
                    .bind(name)
                    .bind(value)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn write(db: &mut AnyConnection, changes: Vec<Document>) -> Result<(), Error> {
    for Document { kind, id, body } in changes {
        let query = match body {
            Some(body) => sqlx::query(
                "INSERT INTO documents (kind, id, body) VALUES ($1, $2, $3) \
                 ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            )
            .bind(kind)
            .bind(id)
            .bind(body),
            None => sqlx::query("DELETE FROM documents WHERE kind = $1 AND id = $2").bind(kind).bind(id),
        };
        query.execute(&mut *db).await?;
    }
    Ok(())
}
