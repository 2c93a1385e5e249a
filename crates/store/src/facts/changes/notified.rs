//! How far each notification rule has read the changes: moved on in one commit with the message that came of them.

use boltseal_model::Timestamp;
use sqlx::Row as _;

use super::super::{Facts, NewDelivery, count, milliseconds, outbox::insert, signed, time};
use crate::Error;

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

    /// Moves a rule on, with the message that came of what it read, if one did. False, and nothing is written, when
    /// somebody else has moved it already.
    pub async fn notify(
        &self,
        rule: &str,
        (from, to): (u64, u64),
        message: Option<NewDelivery>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (rule, now) = (rule.to_owned(), milliseconds(now));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let sent = message.as_ref().map(|_| now);
                    let sql = "UPDATE notified SET position = $1, sent = COALESCE($2, sent) \
                               WHERE rule = $3 AND position = $4";
                    let query = sqlx::query(sql).bind(signed(to)).bind(sent).bind(rule).bind(signed(from));
                    if query.execute(&mut *db).await?.rows_affected() == 0 {
                        return Ok(false);
                    }
                    if let Some(message) = message {
                        insert(db, &[message], now).await?;
                    }
                    Ok(true)
                })
            })
            .await
    }

    /// Forgets how far a rule has read.
    pub async fn end_notifying(&self, rule: &str) -> Result<(), Error> {
        let rule = rule.to_owned();
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM notified WHERE rule = $1").bind(rule).execute(db).await?;
                    Ok(())
                })
            })
            .await
    }
}
