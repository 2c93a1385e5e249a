//! What can go wrong, with the digest, path or session it went wrong with.

use std::{io, path::PathBuf, sync::Arc};

use boltseal_model::Digest;

use crate::facts::Refusal;

/// Why storing or reading failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The file system said no.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: Arc<io::Error>,
    },
    /// The bytes are not those that were announced.
    #[error("the bytes have digest {actual}, not {announced}: send them again")]
    DigestMismatch {
        /// What the client said.
        announced: Digest,
        /// What the bytes say.
        actual: Digest,
    },
    /// No such blob.
    #[error("blob {0} is not stored here")]
    NoBlob(Digest),
    /// No such upload session: never started, finished, cancelled or expired.
    #[error("upload session {0} does not exist: start a new one")]
    NoUpload(String),
    /// A chunk that does not continue where the last one ended.
    #[error("upload session {id} continues at byte {expected}, not {found}")]
    Offset {
        /// The session.
        id: String,
        /// Bytes acknowledged so far.
        expected: u64,
        /// What the client sent.
        found: u64,
    },
    /// The session is being written by another request.
    #[error("upload session {0} is being written by another request: wait for that one")]
    Busy(String),
    /// More sessions than are kept.
    #[error("{limit} uploads have begun and not ended: finish or cancel some, or wait until they expire")]
    TooManyUploads {
        /// The limit.
        limit: usize,
    },
    /// More bytes than one blob may have.
    #[error("more than {limit} bytes in one blob: raise the limit or split the layer")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The object store said no, or nothing.
    #[error("object store: cannot {what} {place}: {detail}")]
    Objects {
        /// What was tried.
        what: &'static str,
        /// The key, without the prefix.
        place: String,
        /// Why not, without secrets.
        detail: String,
    },
    /// Not an address of an object store, or not enough to reach it.
    #[error("address of the object store: {0}")]
    Address(String),
    /// The database said no.
    #[error("facts database: {0}")]
    Database(Arc<sqlx::Error>),
    /// A value in the database that this version does not understand.
    #[error("facts database: {what} holds a value this version cannot read: {detail}")]
    Corrupt {
        /// Table and column.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The database was made by a newer version, or its migration failed.
    #[error(
        "facts database cannot be brought to this version: {0}; restore a backup or use the newer program"
    )]
    Migration(String),
    /// PostgreSQL has no text with such a character, so nothing has it.
    #[error("a text with the character NUL is neither stored nor looked for")]
    Nul,
    /// A lock, a rule or a quota stands against it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// More than the log can hold in one entry.
    #[error(
        "an entry of {bytes} bytes does not fit into the log, whose limit is {limit}: nothing was changed"
    )]
    EntryTooLong {
        /// What was to be written.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The log of what was done cannot be trusted or written, so nothing may be done that belongs into it.
    #[error("refused, because it could not be recorded: {0}")]
    LogClosed(String),
    /// The writer dropped the change: the process is ending, or the database refuses transactions (see the log).
    #[error("the store took no change: it is closing, or its database cannot be written")]
    Closed,
}

impl Error {
    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::File { what, path: path.into(), source: Arc::new(source.into()) }
    }

    /// Whether there is no room left: on the disk, within a quota of it, or in the database. What failed was not done.
    pub fn is_full(&self) -> bool {
        match self {
            Self::File { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Database(_) => matches!(self.code().as_deref(), Some("13" | "53100")),
            _ => false,
        }
    }

    /// Whether what keeps bytes or facts failed: a disk, a bucket, a database. The same request may succeed later.
    pub fn is_of_the_storage(&self) -> bool {
        match self {
            Self::File { .. } | Self::Objects { .. } | Self::Closed => true,
            Self::Database(error) => match &**error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                sqlx::Error::Database(_) => self.code().is_some_and(|code| is_of_the_database(&code)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether the database could not read or write its files: then a transaction may have ended by itself.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        self.code().and_then(|code| sqlite(&code)).is_some_and(|code| matches!(code, 10 | 13))
    }

    fn code(&self) -> Option<String> {
        let Self::Database(error) = self else { return None };
        Some(error.as_database_error()?.code()?.into_owned())
    }

    pub(crate) fn corrupt(what: &'static str, detail: &(impl ToString + ?Sized)) -> Self {
        Self::Corrupt { what, detail: detail.to_string() }
    }
}

/// The primary code of SQLite, which is the low byte of an extended one; `None` for PostgreSQL's, which have five signs.
fn sqlite(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff)
}

/// Whether a database that says this failed itself, and not what it was asked.
fn is_of_the_database(code: &str) -> bool {
    match sqlite(code) {
        // SQLITE_BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
        Some(code) => matches!(code, 5 | 6 | 8 | 10 | 13 | 14),
        // Connections, conflicts of transactions, resources, operators, the system; a standby that takes no changes.
        None => ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class)) || code == "25006",
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        // SQLSTATE character_not_in_repertoire: our texts are UTF-8, whose only such character is NUL.
        let error = Self::Database(Arc::new(source));
        if error.code().as_deref() == Some("22021") { Self::Nul } else { error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_full_disk_and_a_broken_one_from_a_wrong_request() {
        // ENOSPC, EDQUOT, EIO, EROFS, EMFILE.
        for (number, full) in [(28, true), (122, true), (5, false), (30, false), (24, false)] {
            let error = Error::file("write", "blobs", io::Error::from_raw_os_error(number));
            assert_eq!((error.is_full(), error.is_of_the_storage()), (full, true), "{error}");
        }
        for (error, storage) in [
            (Error::from(sqlx::Error::PoolTimedOut), true),
            (Error::from(sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into())), true),
            (Error::from(sqlx::Error::RowNotFound), false),
            (Error::Closed, true),
            (Error::NoUpload("x".to_owned()), false),
            (Error::Nul, false),
        ] {
            assert_eq!((error.is_full(), error.is_of_the_storage()), (false, storage), "{error}");
        }
        for (code, expected) in [
            ("5", true),
            ("261", true),
            ("13", true),
            ("19", false),
            ("1555", false),
            ("08006", true),
            ("57P01", true),
            ("53100", true),
            ("23505", false),
            ("42P01", false),
        ] {
            assert_eq!(is_of_the_database(code), expected, "{code}");
        }
    }
}
