//! A data folder that is closed, copied, put back and opened again.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use boltseal_server::{
    Recorder,
    recorder::{Config, Error},
};
use boltseal_store::Facts;
use tempfile::TempDir;

/// A data folder with a log, and a folder for anchors outside.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Around the data folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The folder of everything that lasts.
    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Keeps a copy of a part of the data folder.
    pub fn keep(&self, part: &str) {
        let kept = self.0.path().join("kept");
        for second in [format!("{part}-wal"), format!("{part}-shm")] {
            if self.data().join(&second).exists() {
                copy(&self.data().join(&second), &kept.join(&second));
            } else {
                drop(fs::remove_file(kept.join(&second)));
            }
        }
        copy(&self.data().join(part), &self.0.path().join("kept").join(part));
    }

    /// Puts the copy back.
    pub fn restore(&self, part: &str) {
        let (from, to) = (self.0.path().join("kept").join(part), self.data().join(part));
        if to.is_dir() {
            fs::remove_dir_all(&to).unwrap();
        }
        copy(&from, &to);
        for second in [format!("{part}-wal"), format!("{part}-shm")] {
            drop(fs::remove_file(self.data().join(&second)));
            let kept = self.0.path().join("kept").join(&second);
            if kept.exists() {
                copy(&kept, &self.data().join(&second));
            }
        }
    }

    /// Keeps what is remembered of the log outside of the data folder.
    pub fn keep_anchors(&self) {
        copy(&self.0.path().join("anchors"), &self.0.path().join("kept-anchors"));
    }

    /// Puts that back.
    pub fn restore_anchors(&self) {
        copy(&self.0.path().join("kept-anchors"), &self.0.path().join("anchors"));
    }

    /// Opens the log, as at a start.
    pub async fn open(&self, accept: Option<&str>) -> Result<(Facts, Recorder), Error> {
        fs::create_dir_all(self.data()).unwrap();
        let facts = Facts::open(&self.data()).await.unwrap();
        let config = Config {
            keys: self.data().join("keys"),
            data: self.data(),
            origin: "boltseal.example/audit".to_owned(),
            anchors: self.0.path().join("anchors"),
            accept_restored: accept.map(str::to_owned),
        };
        Recorder::open(config, &facts).await.map(|recorder| (facts, recorder))
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        return;
    }
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// Lets go of everything, and waits until SQLite has too: it folds its second file into the first, or, where a reader
/// was the last to leave, lets it be.
pub async fn close(facts: Facts, recorder: Recorder) {
    let second = recorder.folder().with_file_name("facts.db-wal");
    drop((facts, recorder));
    let length = || fs::metadata(&second).map(|meta| meta.len()).ok();
    let (mut same, mut last) = (0, length());
    while last.is_some() && same < 30 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let now = length();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
}
