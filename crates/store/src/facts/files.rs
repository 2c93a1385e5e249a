//! Files of the log, where several servers share it. One of them writes; that it is still the one whose turn it is shows
//! when it puts the new checkpoint in the place of the one it knows.

use super::Facts;
use crate::Error;

impl Facts {
    /// The bytes of a file; `None` where there is none.
    pub async fn log_file(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        sqlx::query_scalar("SELECT body FROM log_files WHERE path = $1")
            .bind(path)
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::from)
    }

    /// Writes files, new or in place of others, all in one commit.
    pub async fn write_log_files(&self, files: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    for (path, body) in files {
                        sqlx::query(
                            "INSERT INTO log_files (path, body) VALUES ($1, $2) \
                             ON CONFLICT (path) DO UPDATE SET body = excluded.body",
                        )
                        .bind(path)
                        .bind(body)
                        .execute(&mut *db)
                        .await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Puts `new` in the place of `old`, if `old` is what is there (`None`: nothing is). Gives whether it was.
    pub async fn swap_log_file(&self, path: &str, old: Option<Vec<u8>>, new: Vec<u8>) -> Result<bool, Error> {
        let path = path.to_owned();
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let changed = match old {
                        Some(old) => {
                            sqlx::query("UPDATE log_files SET body = $1 WHERE path = $2 AND body = $3")
                                .bind(new)
                                .bind(path)
                                .bind(old)
                        }
                        None => sqlx::query(
                            "INSERT INTO log_files (body, path) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                        )
                        .bind(new)
                        .bind(path),
                    };
                    Ok(changed.execute(db).await?.rows_affected() > 0)
                })
            })
            .await
    }

    /// Removes a file, or everything below a folder.
    pub async fn remove_log_files(&self, path: &str) -> Result<(), Error> {
        let (path, below) = (path.to_owned(), format!("{path}/"));
        // The sign after `/`: what lies between the two begins with `below`.
        let after = format!("{path}0");
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM log_files WHERE path = $1 OR (path >= $2 AND path < $3)")
                        .bind(path)
                        .bind(below)
                        .bind(after)
                        .execute(db)
                        .await?;
                    Ok(())
                })
            })
            .await
    }
}
