//! A document as a tree in which every value knows its line, whatever it was written in.
//!
//! | written as | read by | what is particular |
//! |---|---|---|
//! | YAML 1.2, several documents | [`yaml`] | aliases are copied and counted; `<<` merges |
//! | JSON | [`json`] | comments and line breaks inside strings, as Azure's templates have them |
//! | XML | [`xml`] | attributes have `@` before them, children are lists |
//!
//! Limits hold over the whole text, and over what aliases make of it: see [`MAX_BYTES`], [`MAX_NODES`], [`MAX_DEPTH`].

mod at;
mod json;
mod xml;
mod yaml;

pub use at::{At, Item};

use thiserror::Error;

/// The largest text: ten times the largest object that etcd stores.
pub const MAX_BYTES: usize = 16 << 20;
/// Values of one text, with what aliases stand for: a megabyte of Kubernetes lists has some 50,000.
pub const MAX_NODES: usize = 1_000_000;
/// Levels: schemas of custom resources have about 40.
pub const MAX_DEPTH: usize = 100;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Counted from one.
    pub line: u32,
    /// What stands there.
    pub value: Value,
}

/// What can stand in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number as it was written: `0.5`, `0x1f`.
    Number(String),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order in which it was written.
    Map(Vec<Entry>),
    /// Something that stands here when it runs and that cannot be told from the text, and why.
    Unknown(String),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key; keys that are no text are written out.
    pub key: String,
    /// What it stands for.
    pub node: Node,
}

impl Node {
    /// A node without a place of its own.
    pub const fn new(line: u32, value: Value) -> Self {
        Self { line, value }
    }

    /// What stands under `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => {
                entries.iter().rev().find(|entry| entry.key == key).map(|entry| &entry.node)
            }
            _ => None,
        }
    }

    /// The text that stands here.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Why a text is no document.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DocumentError {
    /// It does not follow the grammar.
    #[error("line {line}: {problem}")]
    Syntax {
        /// Counted from one.
        line: u32,
        /// What the grammar says.
        problem: String,
    },
    /// It is larger than anything we know to be real.
    #[error("line {line}: more than {limit} {what}")]
    Limit {
        /// Where the limit was passed.
        line: u32,
        /// Bytes, values, levels.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// It is not UTF-8.
    #[error("not UTF-8 from byte {at}")]
    Encoding {
        /// The first byte that is none.
        at: usize,
    },
}

/// The documents in `bytes`: JSON or XML where it begins like that, else YAML.
pub fn read(bytes: &[u8]) -> Result<Vec<Node>, DocumentError> {
    read_within(bytes, MAX_NODES)
}

/// The same with at most `nodes` values, for who reads many at a time.
pub fn read_within(bytes: &[u8], nodes: usize) -> Result<Vec<Node>, DocumentError> {
    if bytes.len() > MAX_BYTES {
        return Err(DocumentError::Limit { line: 1, what: "bytes", limit: MAX_BYTES });
    }
    let text =
        std::str::from_utf8(bytes).map_err(|wrong| DocumentError::Encoding { at: wrong.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with(['{', '[']) {
        // A flow mapping of YAML begins like JSON too: what is no JSON may still be YAML.
        match json::read(text, nodes) {
            Ok(node) => return Ok(vec![node]),
            Err(DocumentError::Syntax { line, problem }) => {
                return yaml::read(text, nodes).map_err(|_| DocumentError::Syntax { line, problem });
            }
            Err(other) => return Err(other),
        }
    }
    if text.trim_start().starts_with('<') {
        return xml::read(text, nodes).map(|node| vec![node]);
    }
    yaml::read(text, nodes)
}

/// How many values may still come.
#[derive(Debug)]
struct Budget {
    left: usize,
    limit: usize,
}

impl Budget {
    const fn new(limit: usize) -> Self {
        Self { left: limit, limit }
    }

    fn take(&mut self, nodes: usize, line: u32) -> Result<(), DocumentError> {
        let limit = self.limit;
        self.left =
            self.left.checked_sub(nodes).ok_or(DocumentError::Limit { line, what: "values", limit })?;
        Ok(())
    }
}
