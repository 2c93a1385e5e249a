//! How far each notification rule has read the changes, and which images it passed over: moved on in one commit with the
//! message that came of them.

use boltseal_model::{Digest, Timestamp};
use sqlx::{AnyConnection, Row as _};

use super::super::{
    Facts, NewDelivery, count, digest, milliseconds, outbox::insert, signed, sql::Query, time,
};
use crate::Error;

/// Images that one rule remembers as passed over; of more, those with the oldest news are forgotten.
pub const MAX_PASSED_OVER: u64 = 20_000;
/// Rows of one statement: three values each stay below the number that every build of SQLite takes (999).
const ROWS: usize = 300;

/// What changes about the images that a rule passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// Passed over now, each with the number of the first change; one that was passed over before keeps its own.
    pub more: Vec<(Digest, u64)>,
    /// Told of now, or gone.
    pub settled: Vec<Digest>,
    /// None is remembered any more.
    pub forget: bool,
}

impl Facts {
    /// Up to which change a rule has read, and when it told of something last; nothing before it began.
    pub async fn notified(&self, rule: &str) -> Result<Option<(u64, Option<Timestamp>)>, Error> {
        let row = sqlx::query("SELECT position, sent FROM notified WHERE rule = $1")
            .bind(rule)
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let sent: Option<i64> = row.try_get("sent")?;
        let sent = sent.map(|sent| time("notified.sent", sent)).transpose()?;
        Ok(Some((count("notified.position", row.try_get("position")?)?, sent)))
    }

    /// Lets a rule begin at what happens from now on, if it has not begun.
    pub async fn begin_notifying(&self, rule: &str) -> Result<(), Error> {
        let rule = rule.to_owned();
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let sql = "INSERT INTO notified (rule, position) \
                               SELECT $1, COALESCE(MAX(number), 0) FROM finding_changes WHERE 1 = 1 \
                               ON CONFLICT DO NOTHING";
                    sqlx::query(sql).bind(rule).execute(db).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Moves a rule on, with the message that came of what it read, if one did, and with what it passed over. False, and
    /// nothing is written, when somebody else has moved it already.
    pub async fn notify(
        &self,
        rule: &str,
        (from, to): (u64, u64),
        message: Option<NewDelivery>,
        passed: PassedOver,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (rule, now) = (rule.to_owned(), milliseconds(now));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let sent = message.as_ref().map(|_| now);
                    let sql = "UPDATE notified SET position = $1, sent = COALESCE($2, sent) \
                               WHERE rule = $3 AND position = $4";
                    let query = sqlx::query(sql).bind(signed(to)).bind(sent).bind(&rule).bind(signed(from));
                    if query.execute(&mut *db).await?.rows_affected() == 0 {
                        return Ok(false);
                    }
                    write(db, &rule, &passed).await?;
                    if let Some(message) = message {
                        insert(db, &[message], now).await?;
                    }
                    Ok(true)
                })
            })
            .await
    }

    /// The images that a rule passed over, each with the number of the first change that it did not tell of.
    pub async fn passed_over(&self, rule: &str) -> Result<Vec<(Digest, u64)>, Error> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT digest, number FROM passed_over WHERE rule = $1 ORDER BY number, digest LIMIT $2",
        )
        .bind(rule)
        .bind(signed(MAX_PASSED_OVER))
        .fetch_all(&self.readers)
        .await?;
        let one = |(image, number): (String, i64)| {
            Ok((digest("passed_over.digest", &image)?, count("passed_over.number", number)?))
        };
        rows.into_iter().map(one).collect()
    }

    /// Forgets how far a rule has read.
    pub async fn end_notifying(&self, rule: &str) -> Result<(), Error> {
        let rule = rule.to_owned();
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM notified WHERE rule = $1").bind(&rule).execute(&mut *db).await?;
                    sqlx::query("DELETE FROM passed_over WHERE rule = $1").bind(rule).execute(db).await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn write(db: &mut AnyConnection, rule: &str, passed: &PassedOver) -> Result<(), Error> {
    if passed.forget {
        sqlx::query("DELETE FROM passed_over WHERE rule = $1").bind(rule).execute(&mut *db).await?;
    }
    for some in passed.settled.chunks(ROWS) {
        let mut query = Query::new("DELETE FROM passed_over WHERE rule = ");
        query.push_bind(rule).push(" AND digest IN (");
        query.push_list(some.iter().map(ToString::to_string));
        query.push(")");
        query.build().execute(&mut *db).await?;
    }
    for some in passed.more.chunks(ROWS) {
        let mut query = Query::new("INSERT INTO passed_over (rule, digest, number) ");
        query.push_values(some, |row, (image, number)| {
            row.push_bind(rule).push_bind(image.to_string()).push_bind(signed(*number));
        });
        query.push(" ON CONFLICT DO NOTHING");
        query.build().execute(&mut *db).await?;
    }
    if !passed.more.is_empty() {
        sqlx::query(
            "DELETE FROM passed_over WHERE rule = $1 AND digest NOT IN \
             (SELECT digest FROM passed_over WHERE rule = $1 ORDER BY number DESC, digest LIMIT $2)",
        )
        .bind(rule)
        .bind(signed(MAX_PASSED_OVER))
        .execute(db)
        .await?;
    }
    Ok(())
}
