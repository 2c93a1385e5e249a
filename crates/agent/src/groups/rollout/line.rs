//! Which group serves a name: one file for each name, so that it changes at one moment whatever is killed meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::PathBuf,
    sync::Mutex,
};

use boltseal_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::groups::{
    Error,
    engine::lock,
    group::{private, replace},
};

/// The groups of one name, by their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who has the name and its ports.
    pub serving: String,
    /// Who is tried.
    #[serde(default)]
    pub coming: Option<String>,
    /// Who served before.
    #[serde(default)]
    pub kept: Option<String>,
    /// Until when the one that served before may end its conversations; then it is stopped. None: it is not to be stopped.
    #[serde(default)]
    pub retires: Option<Timestamp>,
}

/// All of them. A name without one is served by the group that has it as its id.
#[derive(Debug)]
pub struct Lines {
    folder: PathBuf,
    known: Mutex<BTreeMap<String, Line>>,
    /// Names of which a group is being replaced.
    busy: Mutex<BTreeSet<String>>,
}

impl Lines {
    /// Those in a folder.
    pub fn open(folder: PathBuf) -> Result<Self, Error> {
        private(&folder)?;
        let mut known = BTreeMap::new();
        for entry in fs::read_dir(&folder).map_err(Error::io(folder.display()))?.flatten() {
            let path = entry.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json")) else {
                continue;
            };
            let text = fs::read(&path).map_err(Error::io(path.display()))?;
            let line = serde_json::from_slice(&text)
                .map_err(|error: serde_json::Error| Error::io(path.display())(error.into()))?;
            known.insert(name.to_owned(), line);
        }
        Ok(Self { folder, known: Mutex::new(known), busy: Mutex::default() })
    }

    /// That of a name.
    pub fn get(&self, name: &str) -> Option<Line> {
        lock(&self.known).get(name).cloned()
    }

    /// All, by their names.
    pub fn all(&self) -> BTreeMap<String, Line> {
        lock(&self.known).clone()
    }

    /// Whether the group `id` serves `name`.
    pub fn serves(&self, name: &str, id: &str) -> bool {
        lock(&self.known).get(name).map_or(name == id, |line| line.serving == id)
    }

    /// The id of the group that people call so: the one that serves, or one of those beside it, `NAME--NUMBER`.
    pub fn id(&self, called: &str) -> String {
        let known = lock(&self.known);
        if let Some(line) = known.get(called) {
            return line.serving.clone();
        }
        // The first one of a name has that as its id, which is another's name now.
        called.strip_suffix(FIRST).filter(|name| known.contains_key(*name)).unwrap_or(called).to_owned()
    }

    /// Remembers it; it is on its way to the disk when this comes back, and all or nothing of it is there.
    pub fn set(&self, name: &str, line: Line) -> Result<(), Error> {
        let path = self.folder.join(format!("{name}.json"));
        let text = serde_json::to_vec(&line).map_err(|error| Error::io(path.display())(error.into()))?;
        replace(&path, &text).map_err(Error::io(path.display()))?;
        lock(&self.known).insert(name.to_owned(), line);
        Ok(())
    }

    /// Forgets it.
    pub fn forget(&self, name: &str) -> Result<(), Error> {
        let path = self.folder.join(format!("{name}.json"));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(path.display())(error));
            }
            _ => {}
        }
        lock(&self.known).remove(name);
        Ok(())
    }

    /// The right to replace the group of a name, which one at a time has.
    pub fn turn(&self, name: &str) -> Result<Turn<'_>, Error> {
        if lock(&self.busy).insert(name.to_owned()) {
            return Ok(Turn { lines: self, name: name.to_owned() });
        }
        Err(Error::Conflict(format!("{name} is being replaced already")))
    }
}

/// What the first group of a name is called where another serves.
pub const FIRST: &str = "--1";

/// The right to replace the group of a name.
#[derive(Debug)]
pub struct Turn<'a> {
    lines: &'a Lines,
    name: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.lines.busy).remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_serves() {
        let folder = tempfile::tempdir().unwrap();
        let lines = Lines::open(folder.path().join("lines")).unwrap();
        assert!(lines.serves("shop", "shop") && !lines.serves("shop", "shop--2"));
        let line = Line { serving: "shop--2".into(), coming: None, kept: Some("shop".into()), retires: None };
        lines.set("shop", line.clone()).unwrap();
        for lines in [&lines, &Lines::open(folder.path().join("lines")).unwrap()] {
            assert!(!lines.serves("shop", "shop") && lines.serves("shop", "shop--2"));
            for (called, id) in
                [("shop", "shop--2"), ("shop--1", "shop"), ("shop--2", "shop--2"), ("other--1", "other--1")]
            {
                assert_eq!(lines.id(called), id, "{called}");
            }
            assert_eq!(lines.get("shop"), Some(line.clone()));
        }
        let turn = lines.turn("shop").unwrap();
        assert!(lines.turn("shop").is_err() && lines.turn("other").is_ok());
        drop(turn);
        assert!(lines.turn("shop").is_ok());
        lines.forget("shop").unwrap();
        assert_eq!(Lines::open(folder.path().join("lines")).unwrap().get("shop"), None);
    }
}
