//! Java archives to the libraries in them.
//!
//! Archives inside archives are read in memory, one after the other. What is damaged or beyond a limit becomes a line of
//! the record, so that the libraries beside it are not lost.

use super::identity::{Clues, Library};
use crate::unzip::Archive;

/// Archives inside archives: a jar in a war in an ear in a distribution makes four.
pub const MAX_DEPTH: usize = 8;
/// Bytes of an archive inside another that are inflated; the largest fat jars have some 300 MB, those inside them less.
pub const MAX_NESTED: u64 = 256 << 20;
/// Bytes that are inflated for one file of the image altogether.
pub const MAX_INFLATED: u64 = 1 << 30;
/// The same for each byte of the file, beside [`SMALL`]; archives of code come to five.
const MAX_RATIO: u64 = 32;
/// Bytes that any file may come to.
const SMALL: u64 = 64 << 20;
/// Bytes of a file that names libraries.
const MAX_CLUE: u64 = 1 << 20;
/// Members that are looked at in one file of the image, nested archives included. Large application servers have some
/// hundred thousand.
const MAX_MEMBERS: usize = 4_000_000;
/// Libraries in one file of the image.
const MAX_LIBRARIES: usize = 100_000;

/// What archives of Java are called.
const ENDS: [&str; 12] =
    [".jar", ".war", ".ear", ".par", ".sar", ".nar", ".kar", ".aar", ".jpi", ".hpi", ".rar", ".lpkg"];

/// Whether the file at `path` is one by its name; its first bytes decide later.
pub(super) fn is_one(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let end = name.rfind('.').and_then(|at| name.get(at..));
    end.is_some_and(|end| ENDS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// Lines of group (empty where nothing tells it), artifact, version (likewise) and inner path, between tabs; a line of `!` and a sentence where something could not
/// be read.
pub(super) fn distill(path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"PK") {
        return None;
    }
    let inflated = (bytes.len() as u64).saturating_mul(MAX_RATIO).saturating_add(SMALL).min(MAX_INFLATED);
    let mut walk = Walk { out: Vec::new(), libraries: 0, members: MAX_MEMBERS, inflated };
    let name = path.rsplit('/').next().unwrap_or(path);
    walk.archive(name, "", bytes, 0);
    (!walk.out.is_empty()).then_some(walk.out)
}

/// What `distill` wrote, line by line.
pub(super) fn lines(record: &[u8]) -> impl Iterator<Item = Line<'_>> {
    record.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        if let Some(problem) = line.strip_prefix('!') {
            return Some(Line::Problem(problem));
        }
        let mut fields = line.split('\t');
        let (group, artifact, version) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Line::Library { group, artifact, version, inside: fields.next()? })
    })
}

/// A line of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Library { group: &'a str, artifact: &'a str, version: &'a str, inside: &'a str },
    Problem(&'a str),
}

struct Walk {
    out: Vec<u8>,
    libraries: usize,
    members: usize,
    inflated: u64,
}

impl Walk {
    /// Reads the archive called `name`, which lies at `inside` of the outer one.
    fn archive(&mut self, name: &str, inside: &str, bytes: &[u8], depth: usize) {
        let archive = match Archive::open(bytes) {
            Ok(archive) => archive,
            Err(why) => return self.problem(inside, why),
        };
        let (mut clues, mut has_code) = (Clues::of(name), false);
        for member in archive.members() {
            if self.members == 0 {
                return self.problem(inside, "there are too many members");
            }
            self.members -= 1;
            has_code |= member.name.ends_with(".class");
            if Clues::wants(&member.name) {
                match archive.read(&member, MAX_CLUE.min(self.inflated)) {
                    Ok(content) => {
                        self.inflated -= content.len() as u64;
                        clues.add(&member.name, &content);
                    }
                    Err(why) => self.problem(&join(inside, &member.name), why),
                }
            } else if is_one(&member.name) && member.size > 0 {
                let inner = join(inside, &member.name);
                if depth + 1 >= MAX_DEPTH {
                    self.problem(&inner, "archives are nested too deep");
                    continue;
                }
                match archive.read(&member, MAX_NESTED.min(self.inflated)) {
                    Ok(content) => {
                        self.inflated -= content.len() as u64;
                        let name = member.name.rsplit('/').next().unwrap_or_default();
                        self.archive(name, &inner, &content, depth + 1);
                    }
                    Err(why) => self.problem(&inner, why),
                }
            }
        }
        let (libraries, problem) = clues.libraries(has_code && !inside.is_empty());
        for library in libraries {
            self.library(&library, inside);
        }
        if let Some(problem) = problem {
            self.problem(inside, problem);
        }
    }

    fn library(&mut self, library: &Library, inside: &str) {
        self.libraries += 1;
        if self.libraries > MAX_LIBRARIES {
            return;
        }
        let inside = plain(inside);
        let fields = [&library.group, "\t", &library.artifact, "\t", &library.version, "\t", &inside, "\n"];
        self.out.extend(fields.iter().flat_map(|field| field.bytes()));
    }

    fn problem(&mut self, inside: &str, why: &str) {
        self.libraries += 1;
        if self.libraries > MAX_LIBRARIES {
            return;
        }
        let place = if inside.is_empty() { String::new() } else { format!("{}: ", plain(inside)) };
        self.out.extend(format!("!{place}{why}\n").bytes());
    }
}

fn join(inside: &str, name: &str) -> String {
    if inside.is_empty() { name.to_owned() } else { format!("{inside}!/{name}") }
}

/// Names come from strangers: control characters would break lines.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
