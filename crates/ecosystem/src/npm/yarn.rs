//! `yarn.lock`, of the classic version 1 and of Berry (2 to 4).

use super::locks::version;
use crate::{
    lock::{Lock, Pin},
    outline::{lines, unquote},
};

/// One entry at a time: its patterns, then its version, then (Berry) what it was resolved to.
pub(super) fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let text = lock.text();
    let (mut entry, mut read_any) = (Entry::default(), false);
    for line in lines(&text) {
        // Version 1 writes `version "1.0"`, Berry `version: 1.0`.
        let (key, value) = match line.key.split_once(' ') {
            Some((key, value)) if line.value.is_empty() && line.indent > 0 => (key, unquote(value)),
            _ => (line.key, line.value),
        };
        match (line.indent, unquote(key)) {
            (0, pattern) => {
                out.extend(std::mem::take(&mut entry).pin());
                pattern.clone_into(&mut entry.pattern);
                read_any = true;
            }
            (2, "version") => value.clone_into(&mut entry.version),
            (2, "resolution") => value.clone_into(&mut entry.resolution),
            _ => {}
        }
    }
    out.extend(entry.pin());
    let empty = text.contains("yarn lockfile");
    if read_any || empty { Ok(()) } else { Err("there is no entry and no header".to_owned()) }
}

#[derive(Default)]
struct Entry {
    pattern: String,
    version: String,
    resolution: String,
}

impl Entry {
    /// Nothing for the header of Berry and for the project's own parts, whose files lie beside.
    fn pin(self) -> Option<Pin> {
        if self.pattern.is_empty() || self.pattern == "__metadata" || self.resolution.contains("@workspace:")
        {
            return None;
        }
        let first = self.pattern.split(", ").next().map_or("", unquote).trim_start_matches('"');
        let name = name(if self.resolution.is_empty() { first } else { &self.resolution });
        // `alias@npm:name@range`: version 1 names the package only there.
        let aliased =
            if self.resolution.is_empty() { first.split_once("@npm:").map(|(_, real)| real) } else { None };
        let name = aliased.filter(|real| real.len() > 1).map_or(name, self::name);
        Some(Pin::new(name, version(&self.version)))
    }
}

/// `@scope/name` of `@scope/name@npm:^1.0.0`.
fn name(pattern: &str) -> &str {
    let at = pattern.get(1..).and_then(|rest| rest.find('@')).map_or(pattern.len(), |at| at + 1);
    pattern.get(..at).unwrap_or(pattern)
}
