//! A place in a document, and what is read there: [`At`] walks down, and remembers path and line on the way.

use super::{Entry, Node, Value};
use crate::leaf::{Leaf, Place};

/// A place in a document, whether or not anything stands there.
#[derive(Clone, Debug)]
pub struct At<'a> {
    what: What<'a>,
    line: u32,
    path: String,
    /// Whether `memoryInGb` is `memoryInGB` too.
    folds: bool,
}

#[derive(Clone, Debug)]
enum What<'a> {
    There(&'a Node),
    Missing,
    Unknown(&'a str),
}

impl<'a> At<'a> {
    /// The top of a document.
    pub fn top(node: &'a Node) -> Self {
        Self { what: what(node), line: node.line, path: String::new(), folds: false }
    }

    /// The top of what stands at `path` of a larger document.
    pub fn under(node: &'a Node, path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::top(node) }
    }

    /// The same place, from which keys are found whatever their case.
    #[must_use]
    pub fn folding(self) -> Self {
        Self { folds: true, ..self }
    }

    /// What stands under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Self {
        let path = joined(&self.path, key);
        let below = match &self.what {
            What::There(Node { value: Value::Map(entries), .. }) => {
                let same =
                    |entry: &&Entry| entry.key == key || (self.folds && entry.key.eq_ignore_ascii_case(key));
                entries.iter().rev().find(same).map(|entry| &entry.node)
            }
            What::Unknown(why) => {
                return Self { what: What::Unknown(why), line: self.line, path, folds: self.folds };
            }
            _ => None,
        };
        self.below(below, path)
    }

    /// What stands under several keys, one below the other.
    #[must_use]
    pub fn down(&self, keys: &[&str]) -> Self {
        keys.iter().fold(self.clone(), |at, key| at.get(key))
    }

    /// The elements of a list; none where there is no list.
    pub fn items(&self) -> Vec<Self> {
        let What::There(Node { value: Value::List(items), .. }) = &self.what else { return Vec::new() };
        let element = |(index, node)| self.below(Some(node), format!("{}[{index}]", self.path));
        items.iter().enumerate().map(element).collect()
    }

    /// The keys of a mapping with what they stand for; none where there is no mapping.
    pub fn entries(&self) -> Vec<(&'a str, Self)> {
        let What::There(Node { value: Value::Map(entries), .. }) = &self.what else { return Vec::new() };
        let entry = |entry: &'a Entry| {
            (entry.key.as_str(), self.below(Some(&entry.node), joined(&self.path, &entry.key)))
        };
        entries.iter().map(entry).collect()
    }

    /// Whether anything stands here, known or not.
    pub const fn is_set(&self) -> bool {
        !matches!(self.what, What::Missing)
    }

    /// Why nobody can tell what stands here.
    pub fn unknown(&self) -> Option<&'a str> {
        match self.what {
            What::Unknown(why) => Some(why),
            _ => None,
        }
    }

    /// Whether a list stands here.
    pub const fn is_list(&self) -> bool {
        matches!(self.what, What::There(Node { value: Value::List(_), .. }))
    }

    /// Whether a mapping stands here.
    pub const fn is_map(&self) -> bool {
        matches!(self.what, What::There(Node { value: Value::Map(_), .. }))
    }

    /// What stands here.
    pub const fn node(&self) -> Option<&'a Node> {
        match self.what {
            What::There(node) => Some(node),
            _ => None,
        }
    }

    /// Where this is; for what is missing, the line of what should have it.
    pub fn place(&self) -> Place {
        Place { line: self.line, path: self.path.clone() }
    }

    /// The text here. Numbers and flags are text too, as they were written.
    pub fn text(&self) -> Leaf<String> {
        self.leaf(|value| match value {
            Value::Text(text) | Value::Number(text) => Ok(text.clone()),
            Value::Flag(flag) => Ok(flag.to_string()),
            _ => Err("a text"),
        })
    }

    /// The text here, if it is known.
    pub fn word(&self) -> Option<&'a str> {
        match self.what {
            What::There(Node { value: Value::Text(text) | Value::Number(text), .. }) => Some(text),
            _ => None,
        }
    }

    /// The flag here. A flag that was written as text is what its author meant by it.
    pub fn flag(&self) -> Leaf<bool> {
        self.leaf(|value| match value {
            Value::Flag(flag) => Ok(*flag),
            Value::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => Ok(true),
                "false" | "no" | "off" | "n" => Ok(false),
                _ => Err("true or false"),
            },
            _ => Err("true or false"),
        })
    }

    /// The whole number here, also where it was written as text.
    pub fn integer(&self) -> Leaf<i64> {
        self.leaf(|value| match value {
            Value::Number(text) | Value::Text(text) => text.trim().parse().map_err(|_| "a whole number"),
            _ => Err("a whole number"),
        })
    }

    /// The texts in the list here, each with its place.
    pub fn texts(&self) -> Leaf<Vec<Item>> {
        self.leaf(|value| match value {
            Value::List(_) => {
                Ok(self.items().iter().map(|at| Item { value: at.text(), place: at.place() }).collect())
            }
            _ => Err("a list"),
        })
    }

    fn leaf<T>(&self, read: impl FnOnce(&Value) -> Result<T, &'static str>) -> Leaf<T> {
        match self.what {
            What::Missing => Leaf::Unset(self.place()),
            What::Unknown(why) => Leaf::Unknown(why.to_owned(), self.place()),
            What::There(node) => match read(&node.value) {
                Ok(value) => Leaf::Set(value, self.place()),
                Err(wanted) => Leaf::Unknown(format!("not {wanted}"), self.place()),
            },
        }
    }

    fn below(&self, node: Option<&'a Node>, path: String) -> Self {
        Self {
            what: node.map_or(What::Missing, what),
            line: node.map_or(self.line, |node| node.line),
            path,
            folds: self.folds,
        }
    }
}

/// A text of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The text.
    pub value: Leaf<String>,
    /// Where it stands.
    pub place: Place,
}

const fn what(node: &Node) -> What<'_> {
    match &node.value {
        Value::Null => What::Missing,
        Value::Unknown(why) => What::Unknown(why.as_str()),
        _ => What::There(node),
    }
}

/// Keys with dots in them stand in brackets, as annotations and labels have them.
fn joined(path: &str, key: &str) -> String {
    if key.contains(['.', '/', '[']) {
        format!("{path}['{key}']")
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
