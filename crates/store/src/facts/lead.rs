//! Work that one of several servers does at a time: sealing the log, serving its sinks. A lock that lasts as long as a
//! connection says who; when that server dies, the database ends the connection and the next one takes over.

use sqlx::{AnyConnection, Connection as _};

use super::{Facts, database::Dialect};
use crate::Error;

/// The right to do something alone, until it is dropped or its connection breaks.
#[derive(Debug)]
pub struct Lead {
    /// None where there are no others.
    connection: Option<AnyConnection>,
}

impl Facts {
    /// Takes the lead in `what`, a number that names it. `None`: another server has it.
    pub async fn lead(&self, what: i64) -> Result<Option<Lead>, Error> {
        let place = self.writer.place();
        if place.dialect == Dialect::Sqlite {
            return Ok(Some(Lead { connection: None }));
        }
        let mut connection = place.connect().await?;
        let got: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(what)
            .fetch_one(&mut connection)
            .await?;
        Ok(got.then_some(Lead { connection: Some(connection) }))
    }
}

impl Lead {
    /// Whether it still holds.
    pub async fn holds(&mut self) -> bool {
        match &mut self.connection {
            Some(connection) => connection.ping().await.is_ok(),
            None => true,
        }
    }
}
