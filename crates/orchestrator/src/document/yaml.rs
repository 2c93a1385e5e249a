//! YAML: events of the parser to nodes. Plain scalars are resolved by the core schema of YAML 1.2; the words of YAML 1.1
//! (`yes`, `on`) stay text, and [`At::flag`](super::At::flag) understands them where a flag is wanted.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::{Budget, DocumentError, Entry, MAX_DEPTH, Node, Value};

/// The key that merges another mapping into this one.
const MERGE: &str = "<<";

struct Open {
    line: u32,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, merged: Vec<Node>, key: Option<String> },
}

struct Loader {
    budget: Budget,
    open: Vec<Open>,
    /// What an anchor stands for, and how many values and levels that is.
    anchors: HashMap<usize, (Node, Size)>,
    done: Vec<Node>,
}

/// Every document in `text`; documents without content are left out.
pub(super) fn read(text: &str, nodes: usize) -> Result<Vec<Node>, DocumentError> {
    let mut loader =
        Loader { budget: Budget::new(nodes), open: Vec::new(), anchors: HashMap::new(), done: Vec::new() };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|wrong| DocumentError::Syntax {
            line: line_of(wrong.marker().line()),
            problem: wrong.info(),
        })?;
        loader.take(event, span)?;
    }
    loader.done.retain(|node| node.value != Value::Null);
    Ok(loader.done)
}

fn line_of(line: usize) -> u32 {
    u32::try_from(line.max(1)).unwrap_or(u32::MAX)
}

impl Loader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), DocumentError> {
        let line = line_of(span.start.line());
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                self.budget.take(1, line)?;
                let is_text = tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let value = if style == ScalarStyle::Plain && !is_text {
                    resolved(&text)
                } else {
                    Value::Text(text.into_owned())
                };
                self.put(Node::new(line, value), anchor)?;
            }
            Event::SequenceStart(_, anchor, _) => self.push(line, anchor, Kind::List(Vec::new()))?,
            Event::MappingStart(_, anchor, _) => {
                self.push(line, anchor, Kind::Map { entries: Vec::new(), merged: Vec::new(), key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let value = match open.kind {
                        Kind::List(items) => Value::List(items),
                        Kind::Map { entries, merged, .. } => Value::Map(with(entries, merged)),
                    };
                    self.put(Node::new(open.line, value), open.anchor)?;
                }
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err(DocumentError::Syntax {
                        line,
                        problem: "an alias within what it stands for".to_owned(),
                    });
                };
                self.budget.take(size.values, line)?;
                // All later work walks down recursively, and an alias brings levels of its own.
                if self.open.len() + size.levels > MAX_DEPTH {
                    return Err(DocumentError::Limit { line, what: "levels", limit: MAX_DEPTH });
                }
                self.put(node, 0)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, line: u32, anchor: usize, kind: Kind) -> Result<(), DocumentError> {
        self.budget.take(1, line)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(DocumentError::Limit { line, what: "levels", limit: MAX_DEPTH });
        }
        self.open.push(Open { line, anchor, kind });
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize) -> Result<(), DocumentError> {
        if anchor != 0 {
            let size = size(&node);
            self.budget.take(size.values, node.line)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            None => self.done.push(node),
            Some(Open { kind: Kind::List(items), .. }) => items.push(node),
            Some(Open { kind: Kind::Map { entries, merged, key }, .. }) => match key.take() {
                None => *key = Some(written(&node)),
                Some(key) if key == MERGE => merged.push(node),
                Some(key) => entries.push(Entry { key, node }),
            },
        }
        Ok(())
    }
}

/// What the mapping has itself wins over what is merged into it, wherever `<<` stands; what is merged first wins over
/// what is merged later.
fn with(mut entries: Vec<Entry>, merged: Vec<Node>) -> Vec<Entry> {
    if merged.is_empty() {
        return entries;
    }
    let mut own: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    let mappings = merged.into_iter().flat_map(|node| match node.value {
        Value::List(items) => items,
        _ => vec![node],
    });
    for mapping in mappings {
        if let Value::Map(brought) = mapping.value {
            entries.extend(brought.into_iter().filter(|entry| own.insert(entry.key.clone())));
        }
    }
    entries
}

fn written(node: &Node) -> String {
    match &node.value {
        Value::Text(text) | Value::Number(text) => text.clone(),
        Value::Flag(flag) => flag.to_string(),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) => String::new(),
    }
}

/// How much an alias brings.
#[derive(Clone, Copy)]
struct Size {
    values: usize,
    levels: usize,
}

fn size(node: &Node) -> Size {
    let sum = |all: Size, one: Size| Size {
        values: all.values + one.values,
        levels: all.levels.max(one.levels + 1),
    };
    let start = Size { values: 1, levels: 1 };
    match &node.value {
        Value::List(items) => items.iter().map(size).fold(start, sum),
        Value::Map(entries) => entries.iter().map(|entry| size(&entry.node)).fold(start, sum),
        _ => start,
    }
}

fn resolved(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = digits.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(octal) = digits.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    }
    digits.starts_with(|sign: char| sign.is_ascii_digit() || sign == '.') && text.parse::<f64>().is_ok()
}
