//! Tags that were removed while their manifest stayed, and names of what is in the trash.

use boltseal_model::{Digest, Timestamp};
use sqlx::AnyConnection;

use super::{
    super::{
        super::{Facts, Topic, digest, milliseconds},
        against_write,
    },
    DAY, Undeleted, keeps,
    restore::{restore, restore_tag},
};
use crate::Error;

impl Facts {
    /// What a tag pointed to when it was last removed, alone or with its manifest. `None` when it was not, or what it
    /// pointed to is gone for good.
    pub async fn tag_in_trash(&self, repository: &str, tag: &str) -> Result<Option<Digest>, Error> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT digest FROM (SELECT t.digest AS digest, m.deleted AS deleted FROM trash_tags t \
             JOIN trash m ON m.repository = t.repository AND m.digest = t.digest \
             WHERE t.repository = $1 AND t.tag = $2 UNION ALL \
             SELECT r.digest, r.deleted FROM removed_tags r WHERE r.repository = $1 AND r.tag = $2 AND \
             (EXISTS (SELECT 1 FROM manifests m WHERE m.repository = r.repository AND m.digest = r.digest) OR \
             EXISTS (SELECT 1 FROM trash t WHERE t.repository = r.repository AND t.digest = r.digest))) removed \
             ORDER BY deleted DESC, digest LIMIT 1",
        )
        .bind(repository)
        .bind(tag)
        .fetch_optional(&self.readers)
        .await?;
        found.map(|text| digest("removed_tags.digest", &text)).transpose()
    }

    /// Takes the removal of a tag back: it points to `wanted` again, as [`Facts::tag_in_trash`] told, which comes back as
    /// well where it was deleted. `None` when there is nothing to take back.
    pub async fn undelete_tag(
        &self,
        repository: &str,
        tag: &str,
        wanted: &Digest,
        at: Timestamp,
    ) -> Result<Option<Undeleted>, Error> {
        let (name, tag, wanted) = (repository.to_owned(), tag.to_owned(), wanted.clone());
        let (topic, now) = (Topic::Repository(name.clone()), milliseconds(at));
        let done = self
            .writer
            .touching(topic.clone())
            .run_if(
                move |db| {
                    Box::pin(async move {
                        if let Some(refusal) = against_write(db, &name).await? {
                            return Err(refusal.into());
                        }
                        let mut back = Undeleted::default();
                        let restored = restore(db, &name, &wanted, now, 0, &mut back).await?;
                        let tagged =
                            restore_tag(db, &name, &tag, &wanted.to_string(), now, &mut back).await?;
                        Ok((restored || tagged).then_some(back))
                    })
                },
                Option::is_some,
            )
            .await?;
        self.follow.announce(topic);
        Ok(done)
    }

    /// Forgets removed tags whose time is over. Gives how many.
    pub async fn forget_removed_tags(&self, now: Timestamp) -> Result<u64, Error> {
        let days = i64::from(self.trash_days().await?);
        let over = milliseconds(now).saturating_sub(days * DAY);
        let sql = "SELECT 1 FROM removed_tags WHERE deleted <= $1 LIMIT 1";
        let any: Option<i64> = sqlx::query_scalar(sql).bind(over).fetch_optional(&self.readers).await?;
        if any.is_none() {
            return Ok(0);
        }
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let sql = "DELETE FROM removed_tags WHERE deleted <= $1";
                    Ok(sqlx::query(sql).bind(over).execute(db).await?.rows_affected())
                })
            })
            .await
    }
}

/// Notes where a tag points that is about to be removed alone.
pub(in crate::facts) async fn remember_tag(
    db: &mut AnyConnection,
    repository: &str,
    tag: &str,
    now: i64,
) -> Result<(), Error> {
    if !keeps(db).await? {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO removed_tags (repository, tag, digest, deleted) SELECT repository, tag, digest, $3 FROM tags \
         WHERE repository = $1 AND tag = $2 \
         ON CONFLICT (repository, tag) DO UPDATE SET digest = excluded.digest, deleted = excluded.deleted",
    )
    .bind(repository)
    .bind(tag)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}
