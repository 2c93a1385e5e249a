//! How a container ended, written by its first process, since nobody else is its parent.

use std::{
    fs,
    io::{self, Seek as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::ExitStatus,
};

use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};

/// Bytes of a status that are read.
const MAX: u64 = 4_096;

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// What it said, where it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Status {
    /// Of a process that ended.
    pub fn of(ended: ExitStatus) -> Self {
        Self { exit: ended.code(), signal: ended.signal(), at: None }
    }

    /// Ended from outside, so that nobody could write how: `SIGKILL`.
    pub const fn killed() -> Self {
        Self { exit: None, signal: Some(9), at: None }
    }

    /// As shells count: 128 and the signal's number where that ended it.
    pub fn code(&self) -> i32 {
        self.exit.unwrap_or_else(|| 128_i32.saturating_add(self.signal.unwrap_or(9)))
    }

    /// Writes it into a file that was opened before.
    ///
    /// # Errors
    /// As write(2).
    pub fn write(&self, mut to: &fs::File) -> io::Result<()> {
        to.rewind()?;
        to.write_all(&serde_json::to_vec(self)?)?;
        to.sync_all()
    }

    /// Reads it. None where nothing, or not all of it, was written: the first process was killed.
    pub fn read(path: &Path) -> Option<Self> {
        use io::Read as _;
        let mut text = Vec::new();
        fs::File::open(path).ok()?.take(MAX).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_as_shells_count() {
        for (raw, code) in [(0, 0), (3 << 8, 3), (9, 137), (15, 143), (127 << 8, 127)] {
            assert_eq!(Status::of(ExitStatus::from_raw(raw)).code(), code, "{raw}");
        }
        assert_eq!(Status::killed().code(), 137);
    }

    #[test]
    fn half_a_status_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status");
        assert_eq!(Status::read(&path), None);
        fs::write(&path, "").unwrap();
        assert_eq!(Status::read(&path), None);
        fs::write(&path, r#"{"exit":"#).unwrap();
        assert_eq!(Status::read(&path), None);
        let status = Status { exit: Some(7), signal: None, at: Some(Timestamp::UNIX_EPOCH) };
        status.write(&fs::File::create(&path).unwrap()).unwrap();
        assert_eq!(Status::read(&path), Some(status));
    }
}
