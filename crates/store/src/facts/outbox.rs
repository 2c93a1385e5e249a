//! Events on their way to other systems. Whoever makes them reads the log, and writes what comes of it in one commit
//! with how far it has read: so each event is written once, whatever crashes, and is sent until it arrives.

use boltseal_model::{Digest, Timestamp};
use serde::Serialize;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{Facts, count, milliseconds, signed, sql::Query, time};
use crate::Error;

/// Up to where the log was read.
const POSITION: &str = "webhooks.position";
/// Deliveries written in one statement: eight values each stay below the number that every build of SQLite takes (999).
const ROWS: usize = 100;

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// To be sent, perhaps again.
    Waiting,
    /// It arrived.
    Delivered,
    /// It did not arrive in the time there was.
    Dead,
}

/// One event for one other system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Unique; the same in every attempt.
    pub id: String,
    /// Name of the webhook.
    pub webhook: String,
    /// What happened, in one word.
    pub event: String,
    /// What is sent.
    pub body: String,
    /// When the event was written.
    pub created: Timestamp,
    /// When it is tried next.
    pub due: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u64,
    /// How far it is.
    pub state: DeliveryState,
    /// HTTP status of the last answer.
    pub status: Option<u64>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it arrived, or was given up.
    pub ended: Option<Timestamp>,
}

/// An event about to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Unique.
    pub id: String,
    /// Name of the webhook.
    pub webhook: String,
    /// What happened, in one word.
    pub event: String,
    /// What is sent.
    pub body: String,
}

/// What one part of the log made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// To be sent.
    pub deliveries: Vec<NewDelivery>,
    /// Pushes of images that may not be pulled yet: repository, digest, and what is to be known of them later.
    pub held: Vec<(String, Digest, String)>,
    /// Those that are held no longer.
    pub released: Vec<(String, Digest)>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It arrived.
    Delivered {
        /// HTTP status.
        status: u64,
    },
    /// It did not; it is tried again then, or never.
    Failed {
        /// HTTP status, if there was an answer.
        status: Option<u64>,
        /// Why.
        error: String,
        /// When it is tried again.
        again: Option<Timestamp>,
    },
}

impl DeliveryState {
    /// As stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    fn read(word: &str) -> Result<Self, Error> {
        [Self::Waiting, Self::Delivered, Self::Dead]
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or_else(|| Error::corrupt("deliveries.state", word))
    }
}

const COLUMNS: &str =
    "SELECT id, webhook, event, body, created, due, attempts, state, status, error, ended FROM deliveries ";

impl Facts {
    /// Up to which entry the log was read for webhooks; nothing before the first time.
    pub async fn webhook_position(&self) -> Result<Option<u64>, Error> {
        Ok(self.setting(POSITION).await?.and_then(|text| text.parse().ok()))
    }

    /// Writes what the entries from `from` to `to` made. False, and nothing is written, when somebody else has read
    /// them already.
    pub async fn put_outgoing(
        &self,
        from: Option<u64>,
        to: u64,
        outgoing: Outgoing,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let now = milliseconds(now);
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    if !advance(db, from, to).await? {
                        return Ok(false);
                    }
                    for some in outgoing.deliveries.chunks(ROWS) {
                        insert(db, some, now).await?;
                    }
                    for (repository, digest, entry) in outgoing.held {
                        let sql = "INSERT INTO held_pushes (repository, digest, entry) VALUES ($1, $2, $3) \
                                   ON CONFLICT (repository, digest) DO UPDATE SET entry = excluded.entry";
                        let query = sqlx::query(sql).bind(repository).bind(digest.to_string()).bind(entry);
                        query.execute(&mut *db).await?;
                    }
                    for (repository, digest) in outgoing.released {
                        let sql = "DELETE FROM held_pushes WHERE repository = $1 AND digest = $2";
                        sqlx::query(sql).bind(repository).bind(digest.to_string()).execute(&mut *db).await?;
                    }
                    Ok(true)
                })
            })
            .await
    }

    /// Writes one event that no entry made, such as a ping.
    pub async fn put_delivery(&self, delivery: NewDelivery, now: Timestamp) -> Result<(), Error> {
        let now = milliseconds(now);
        self.writer.run(move |db| Box::pin(async move { insert(db, &[delivery], now).await })).await
    }

    /// Whether an event of this id was written, and not forgotten yet.
    pub async fn has_delivery(&self, id: &str) -> Result<bool, Error> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM deliveries WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        Ok(found.is_some())
    }

    /// Where pushes of an image are held, and what was noted of each.
    pub async fn held_pushes(&self, wanted: &Digest) -> Result<Vec<(String, String)>, Error> {
        sqlx::query_as("SELECT repository, entry FROM held_pushes WHERE digest = $1 ORDER BY repository")
            .bind(wanted.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(Error::from)
    }

    /// Repositories that have a manifest, a hundred of them at most, and its tags there.
    pub async fn places_of(&self, wanted: &Digest) -> Result<Vec<(String, Vec<String>)>, Error> {
        let repositories: Vec<String> = sqlx::query_scalar(
            "SELECT repository FROM manifests WHERE digest = $1 ORDER BY repository LIMIT 100",
        )
        .bind(wanted.to_string())
        .fetch_all(&self.readers)
        .await?;
        let mut places = Vec::with_capacity(repositories.len());
        for repository in repositories {
            let tags = self.tags_of(&repository, wanted).await?;
            places.push((repository, tags));
        }
        Ok(places)
    }

    /// Takes what is due, so that nobody else does until `until`; nothing of the webhooks in `except`.
    pub async fn claim_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        except: &[String],
        limit: u64,
    ) -> Result<Vec<Delivery>, Error> {
        let (now, until, except) = (milliseconds(now), milliseconds(until), except.to_vec());
        let due = move || {
            let mut query = Query::new(COLUMNS);
            query.push("WHERE due <= ").push_bind(now);
            for webhook in &except {
                query.push(" AND webhook <> ").push_bind(webhook.clone());
            }
            query.push(" ORDER BY due, id LIMIT ").push_bind(signed(limit));
            query.build()
        };
        // Most of the time there is nothing; looking costs no transaction.
        if due().fetch_optional(&self.readers).await?.is_none() {
            return Ok(Vec::new());
        }
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let rows = due().fetch_all(&mut *db).await?;
                    let taken: Vec<Delivery> = rows.iter().map(read).collect::<Result<_, _>>()?;
                    if !taken.is_empty() {
                        let mut update = Query::new("UPDATE deliveries SET due = ");
                        update.push_bind(until).push(" WHERE id IN (");
                        update.push_list(taken.iter().map(|one| one.id.clone()));
                        update.push(")");
                        update.build().execute(db).await?;
                    }
                    Ok(taken)
                })
            })
            .await
    }

    /// Writes down what came of an attempt.
    pub async fn attempted(&self, id: &str, attempt: Attempt, now: Timestamp) -> Result<(), Error> {
        let (id, now) = (id.to_owned(), milliseconds(now));
        let (state, status, error, due) = match attempt {
            Attempt::Delivered { status } => (DeliveryState::Delivered, Some(status), None, None),
            Attempt::Failed { status, error, again: None } => {
                (DeliveryState::Dead, status, Some(error), None)
            }
            Attempt::Failed { status, error, again } => (DeliveryState::Waiting, status, Some(error), again),
        };
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "UPDATE deliveries SET state = $1, status = $2, error = $3, due = $4, ended = $5, \
                         attempts = attempts + 1 WHERE id = $6",
                    )
                    .bind(state.word())
                    .bind(status.map(signed))
                    .bind(error)
                    .bind(due.map(milliseconds))
                    .bind((state != DeliveryState::Waiting).then_some(now))
                    .bind(id)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Has a delivery of a webhook sent again, at once. False when there is none of this id.
    pub async fn redeliver(&self, webhook: &str, id: &str, now: Timestamp) -> Result<bool, Error> {
        let (webhook, id, now) = (webhook.to_owned(), id.to_owned(), milliseconds(now));
        self.writer
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let done = sqlx::query(
                            "UPDATE deliveries SET state = 'waiting', due = $1, created = $1, ended = NULL \
                             WHERE id = $2 AND webhook = $3",
                        )
                        .bind(now)
                        .bind(id)
                        .bind(webhook)
                        .execute(db)
                        .await?;
                        Ok(done.rows_affected() > 0)
                    })
                },
                |found| *found,
            )
            .await
    }

    /// Deliveries of a webhook, the newest first; those in one state, or all.
    pub async fn deliveries(
        &self,
        webhook: &str,
        state: Option<DeliveryState>,
        limit: u64,
    ) -> Result<Vec<Delivery>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push("WHERE webhook = ").push_bind(webhook.to_owned());
        if let Some(state) = state {
            query.push(" AND state = ").push_bind(state.word());
        }
        query.push(" ORDER BY created DESC, id LIMIT ").push_bind(signed(limit));
        query.build().fetch_all(&self.readers).await?.iter().map(read).collect()
    }

    /// Forgets all deliveries of a webhook.
    pub async fn forget_deliveries_of(&self, webhook: &str) -> Result<(), Error> {
        let webhook = webhook.to_owned();
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM deliveries WHERE webhook = $1")
                        .bind(webhook)
                        .execute(db)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Forgets deliveries that ended before `before`, and those of webhooks that are not among `webhooks`.
    pub async fn forget_deliveries(&self, before: Timestamp, webhooks: Vec<String>) -> Result<(), Error> {
        let before = milliseconds(before);
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM deliveries WHERE ended < $1")
                        .bind(before)
                        .execute(&mut *db)
                        .await?;
                    let mut orphans = Query::new("DELETE FROM deliveries WHERE webhook NOT IN (''");
                    for webhook in webhooks {
                        orphans.push(", ").push_bind(webhook);
                    }
                    orphans.push(")");
                    orphans.build().execute(db).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// Moves the position on, if it is where the caller thinks.
async fn advance(db: &mut AnyConnection, from: Option<u64>, to: u64) -> Result<bool, Error> {
    let moved = if let Some(from) = from {
        let sql = "UPDATE settings SET value = $1 WHERE name = $2 AND value = $3";
        sqlx::query(sql).bind(to.to_string()).bind(POSITION).bind(from.to_string()).execute(db).await?
    } else {
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        sqlx::query(sql).bind(POSITION).bind(to.to_string()).execute(db).await?
    };
    Ok(moved.rows_affected() > 0)
}

/// Writes events to be sent at once.
pub(super) async fn insert(db: &mut AnyConnection, new: &[NewDelivery], now: i64) -> Result<(), Error> {
    let mut insert =
        Query::new("INSERT INTO deliveries (id, webhook, event, body, created, due, attempts, state) ");
    insert.push_values(new, |row, one| {
        row.push_bind(&one.id)
            .push_bind(&one.webhook)
            .push_bind(&one.event)
            .push_bind(&one.body)
            .push_bind(now)
            .push_bind(now)
            .push_bind(0_i64)
            .push_bind(DeliveryState::Waiting.word());
    });
    insert.push(" ON CONFLICT DO NOTHING");
    insert.build().execute(db).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Delivery, Error> {
    let moment = |column: &'static str| {
        let value: Option<i64> = row.try_get(column)?;
        value.map(|value| time(column, value)).transpose()
    };
    let status: Option<i64> = row.try_get("status")?;
    Ok(Delivery {
        id: row.try_get("id")?,
        webhook: row.try_get("webhook")?,
        event: row.try_get("event")?,
        body: row.try_get("body")?,
        created: time("deliveries.created", row.try_get("created")?)?,
        due: moment("due")?,
        attempts: count("deliveries.attempts", row.try_get("attempts")?)?,
        state: DeliveryState::read(row.try_get("state")?)?,
        status: status.map(|value| count("deliveries.status", value)).transpose()?,
        error: row.try_get("error")?,
        ended: moment("ended")?,
    })
}
