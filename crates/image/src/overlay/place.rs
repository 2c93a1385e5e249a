//! Where a directory really is, once symbolic links below it are followed.

use super::{Node, Overlay};
use crate::Error;

/// Symbolic links followed for one name, as Linux does (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// The directory of the entry before: entries mostly come directory by directory.
#[derive(Default)]
pub struct Parent {
    known: bool,
    written: String,
    real: Option<String>,
}

impl Parent {
    /// Something changed that may lie on the way.
    pub fn forget(&mut self) {
        self.known = false;
    }
}

impl Overlay<'_> {
    /// `dir` with its links replaced, never leaving the root; `None` when they lead nowhere.
    ///
    /// An entry below `dir` makes `dir` a directory: a file in the way is removed, as by containers' unpacking.
    pub(super) fn place(&mut self, dir: &str) -> Result<Option<String>, Error> {
        if dir.is_empty() {
            return Ok(Some(String::new()));
        }
        if self.parent.known && self.parent.written == dir {
            return Ok(self.parent.real.clone());
        }
        let real = if self.straight(dir)? { Some(dir.to_owned()) } else { self.winding(dir)? };
        self.parent = Parent { known: true, written: dir.to_owned(), real: real.clone() };
        Ok(real)
    }

    /// Whether no link lies on the way, which is nearly always so.
    fn straight(&mut self, dir: &str) -> Result<bool, Error> {
        let ends = dir.match_indices('/').map(|(at, _)| at).chain([dir.len()]);
        for end in ends {
            self.step(1 + end as u64 / 64, dir)?;
            let prefix = dir.get(..end).unwrap_or(dir);
            match self.nodes.get(prefix) {
                None => {}
                Some(Node::Link { .. }) => return Ok(false),
                Some(_) => self.remove(prefix),
            }
        }
        Ok(true)
    }

    fn winding(&mut self, dir: &str) -> Result<Option<String>, Error> {
        let mut todo: Vec<String> = dir.rsplit('/').map(str::to_owned).collect();
        let mut done = String::new();
        let mut followed = 0;
        while let Some(part) = todo.pop() {
            self.step(1 + done.len() as u64 / 64, dir)?;
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.truncate(done.rfind('/').unwrap_or(0));
                    continue;
                }
                name => {
                    if !done.is_empty() {
                        done.push('/');
                    }
                    done.push_str(name);
                }
            }
            let target = match self.nodes.get(done.as_str()) {
                None => continue,
                Some(Node::Link { target, .. }) => target.clone(),
                Some(_) => {
                    self.remove(&done);
                    continue;
                }
            };
            followed += 1;
            if followed > MAX_LINKS || done.len() > self.limits.path {
                return Ok(None);
            }
            if target.starts_with('/') {
                done.clear();
            } else {
                done.truncate(done.rfind('/').unwrap_or(0));
            }
            todo.extend(target.rsplit('/').map(str::to_owned));
        }
        Ok((done.len() <= self.limits.path).then_some(done))
    }

    /// Counts looks at names, which are what an archive can ask for many of with few bytes.
    pub(super) fn step(&mut self, looks: u64, path: &str) -> Result<(), Error> {
        self.steps += looks;
        let limit = self.limits.steps;
        if self.steps > limit {
            return Err(self.limit("names looked at to find the place of entries", limit, path));
        }
        Ok(())
    }
}
