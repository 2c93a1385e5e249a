//! Variables in Compose files: `${TAG:-1.2}` is its default, `${TAG}` is known where it is run.
//!
//! Grammar: Compose specification, "Interpolation".

use crate::document::{Entry, Node, Value};

/// Defaults within defaults.
const MAX_DEPTH: usize = 8;

/// `node` with every variable in it replaced by its default, or unknown.
pub(super) fn resolved(node: &Node) -> Node {
    let value = match &node.value {
        Value::Text(text) if text.contains('$') => match filled(text, 0) {
            Ok(text) => Value::Text(text),
            Err(why) => Value::Unknown(why),
        },
        Value::List(items) => Value::List(items.iter().map(resolved).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|entry| Entry { key: entry.key.clone(), node: resolved(&entry.node) })
                .collect(),
        ),
        other => other.clone(),
    };
    Node::new(node.line, value)
}

fn filled(text: &str, depth: usize) -> Result<String, String> {
    if depth > MAX_DEPTH {
        return Err("defaults within defaults are not read this deep".to_owned());
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let after = from.get(1..).unwrap_or_default();
        if let Some(escaped) = after.strip_prefix('$') {
            out.push('$');
            rest = escaped;
        } else if let Some(inner) = after.strip_prefix('{') {
            let end = closing(inner).ok_or("a variable that is not closed")?;
            out.push_str(&braced(inner.get(..end).unwrap_or_default(), depth)?);
            rest = inner.get(end + 1..).unwrap_or_default();
        } else if after.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_') {
            let name: String =
                after.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '_').collect();
            return Err(unset(&name));
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn unset(name: &str) -> String {
    format!("variable {name} is set where it is run")
}

/// Where the brace that is open at the beginning of `text` is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `NAME`, `NAME:-default`, `NAME-default`, and forms that have no default.
fn braced(text: &str, depth: usize) -> Result<String, String> {
    let end = text.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-')) {
        Some(default) => filled(default, depth + 1),
        None => Err(unset(name)),
    }
}
