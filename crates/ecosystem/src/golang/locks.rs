//! `go.mod` and `vendor/modules.txt` (go.dev/ref/mod).

use std::collections::BTreeMap;

use super::installed::STDLIB;
use crate::lock::{Lock, Pin, Reader, file_name};

pub(super) fn reader(path: &str) -> Option<Reader> {
    match file_name(path) {
        "go.mod" => Some(go_mod),
        "modules.txt" if path == "vendor/modules.txt" || path.ends_with("/vendor/modules.txt") => {
            Some(vendored)
        }
        _ => None,
    }
}

/// Since Go 1.17 the file names every module that is built in; before, `go.sum` fills in what others need.
fn go_mod(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = GoMod::parse(&lock.text())?;
    let release = file.toolchain.as_deref().or(file.go.as_deref());
    let is_old = file.go.as_deref().is_none_or(|go| minor(go) < 17);
    let mut modules = file.modules();
    if let Some(sums) = lock.beside("go.sum").filter(|_| is_old) {
        for (path, version) in sums.text().lines().filter_map(sum) {
            modules.entry(path.to_owned()).or_insert_with(|| version.to_owned());
        }
    }
    out.extend(modules.into_iter().map(|(path, version)| Pin::new(path, version)));
    out.extend(release.map(|release| Pin::new(STDLIB, release)));
    Ok(())
}

/// `17` of `1.17.3`.
fn minor(go: &str) -> u32 {
    let digits = go.split('.').nth(1).unwrap_or_default();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Module and version of a line of `go.sum` that is about content; the other is about a `go.mod` alone.
fn sum(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ');
    let (path, version) = (words.next()?, words.next()?);
    (!version.ends_with("/go.mod")).then_some((path, version))
}

#[derive(Default)]
struct GoMod {
    go: Option<String>,
    toolchain: Option<String>,
    required: Vec<(String, String)>,
    replaced: Vec<([String; 2], [String; 2])>,
}

impl GoMod {
    fn parse(text: &str) -> Result<Self, String> {
        let mut file = Self::default();
        let mut block = String::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split("//").next().unwrap_or(line).trim();
            if line == ")" {
                block.clear();
            } else if let Some(word) = line.strip_suffix('(') {
                word.trim().clone_into(&mut block);
            } else if !line.is_empty() {
                let (word, rest) = if block.is_empty() {
                    line.split_once([' ', '\t']).unwrap_or((line, ""))
                } else {
                    (&*block, line)
                };
                file.directive(word, rest).ok_or_else(|| format!("line {} is no `{word}`", number + 1))?;
            }
        }
        Ok(file)
    }

    fn directive(&mut self, word: &str, rest: &str) -> Option<()> {
        let words: Vec<String> =
            rest.split_whitespace().map(|word| word.trim_matches(['"', '`']).to_owned()).collect();
        match word {
            "go" => self.go = Some(words.first()?.clone()),
            "toolchain" => self.toolchain = words.first()?.strip_prefix("go").map(str::to_owned),
            "require" => self.required.push((words.first()?.clone(), words.get(1)?.clone())),
            "replace" => {
                let arrow = words.iter().position(|word| word == "=>")?;
                let (old, new) = (words.get(..arrow)?, words.get(arrow + 1..)?);
                let pair =
                    |side: &[String]| Some([side.first()?.clone(), side.get(1).cloned().unwrap_or_default()]);
                self.replaced.push((pair(old)?, pair(new)?));
            }
            _ => {}
        }
        Some(())
    }

    /// What is required, the highest version of each, replacements applied. A folder has no version.
    fn modules(&self) -> BTreeMap<String, String> {
        let mut modules: BTreeMap<String, String> = BTreeMap::new();
        for (path, version) in &self.required {
            let by = self
                .replaced
                .iter()
                .find(|([old, only], _)| old == path && (only.is_empty() || only == version));
            // A folder on the builder's disk: still that module, in a version nobody knows.
            let (path, version) = match by {
                Some((_, [new, version])) if !version.is_empty() => (new, version.as_str()),
                Some(_) => (path, ""),
                None => (path, version.as_str()),
            };
            let known = modules.entry(path.clone()).or_default();
            if super::version::compare(known, version).is_ok_and(std::cmp::Ordering::is_lt)
                || known.is_empty()
            {
                version.clone_into(known);
            }
        }
        modules
    }
}

/// Headers `# path version [=> path version]`; a module is there if a package of it is listed below.
#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn vendored(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let text = lock.text();
    let mut header = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            header = module(rest);
        } else if !line.starts_with('#') && !line.trim().is_empty() {
            out.extend(header.take());
        }
    }
    Ok(())
}

fn module(header: &str) -> Option<Pin> {
    let (old, new) = header.split_once("=>").map_or((header, None), |(old, new)| (old, Some(new)));
    let words = |side: &str| {
        let mut words = side.split_whitespace().map(str::to_owned);
        Some((words.next()?, words.next().filter(|version| version.starts_with('v'))?))
    };
    let (path, version) = new.and_then(words).or_else(|| words(old))?;
    Some(Pin::new(path, version))
}
