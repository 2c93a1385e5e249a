//! XML as a tree: an element is a mapping of its attributes, with `@` before them, and of its children, which are always
//! lists; the text of an element that has nothing else is under `#text`. Names lose their prefixes.
//!
//! Declarations of entities are refused: nothing of ours has them, and they can grow without end.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{Budget, DocumentError, Entry, MAX_DEPTH, Node, Value};

struct Open {
    line: u32,
    name: String,
    entries: Vec<Entry>,
    text: String,
}

/// The root of `text`: a mapping from its name to what it is.
pub(super) fn read(text: &str, nodes: usize) -> Result<Node, DocumentError> {
    let mut reader = Reader::from_str(text);
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut budget = Budget::new(nodes);
    let mut open = vec![Open { line: 1, name: String::new(), entries: Vec::new(), text: String::new() }];
    loop {
        let event = reader.read_event();
        let line = lines.at(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
        let event = event.map_err(|wrong| DocumentError::Syntax { line, problem: wrong.to_string() })?;
        budget.take(1, line)?;
        match event {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(DocumentError::Limit { line, what: "levels", limit: MAX_DEPTH });
                }
                open.push(opened(&start, line, &mut budget)?);
            }
            Event::Empty(start) => {
                let element = opened(&start, line, &mut budget)?;
                close(&mut open, element);
            }
            Event::End(_) if open.len() > 1 => {
                if let Some(element) = open.pop() {
                    close(&mut open, element);
                }
            }
            Event::Text(text) => {
                if let (Some(element), Ok(text)) = (open.last_mut(), text.decode()) {
                    element.text.push_str(text.trim());
                }
            }
            Event::CData(text) => {
                if let (Some(element), Ok(text)) = (open.last_mut(), text.decode()) {
                    element.text.push_str(&text);
                }
            }
            Event::GeneralRef(name) => {
                if let (Some(element), Ok(name)) = (open.last_mut(), name.decode()) {
                    element.text.push_str(character(&name));
                }
            }
            Event::DocType(_) => {
                return Err(DocumentError::Syntax {
                    line,
                    problem: "a document type is not read".to_owned(),
                });
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if open.len() > 1 {
        let problem = "an element is not closed".to_owned();
        return Err(DocumentError::Syntax { line: lines.line, problem });
    }
    let entries = open.pop().map(|root| root.entries).unwrap_or_default();
    Ok(Node::new(1, Value::Map(entries)))
}

/// The five entities that XML has without a declaration; others stand for nothing.
fn character(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

fn opened(start: &BytesStart<'_>, line: u32, budget: &mut Budget) -> Result<Open, DocumentError> {
    let wrong = |problem: String| DocumentError::Syntax { line, problem };
    let local = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut entries = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| wrong(error.to_string()))?;
        budget.take(1, line)?;
        let value = String::from_utf8_lossy(&attribute.value);
        let value = quick_xml::escape::unescape(&value).map_err(|error| wrong(error.to_string()))?;
        let key = format!("@{}", local(attribute.key.local_name().as_ref()));
        entries.push(Entry { key, node: Node::new(line, Value::Text(value.into_owned())) });
    }
    Ok(Open { line, name: local(start.local_name().as_ref()), entries, text: String::new() })
}

/// Puts an element that is complete into the one around it.
fn close(open: &mut [Open], mut element: Open) {
    if !element.text.is_empty() {
        let node = Node::new(element.line, Value::Text(element.text));
        element.entries.push(Entry { key: "#text".to_owned(), node });
    }
    let node = Node::new(element.line, Value::Map(element.entries));
    let Some(parent) = open.last_mut() else { return };
    let same = parent.entries.iter_mut().rev().find(|entry| entry.key == element.name);
    match same {
        Some(Entry { node: Node { value: Value::List(items), .. }, .. }) => items.push(node),
        _ => parent
            .entries
            .push(Entry { key: element.name, node: Node::new(element.line, Value::List(vec![node])) }),
    }
}

/// Counts lines along the way.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn at(&mut self, to: usize) -> u32 {
        let passed = self.text.as_bytes().get(self.at..to.max(self.at)).unwrap_or_default();
        for byte in passed {
            self.line = self.line.saturating_add(u32::from(*byte == b'\n'));
        }
        self.at = to.max(self.at);
        self.line
    }
}
