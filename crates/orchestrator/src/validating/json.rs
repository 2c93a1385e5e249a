//! A document as the JSON that an API server would have made of it.

use serde_json::{Map, Number, Value as Json};

use crate::document::{Node, Value};

/// The JSON of a document. What cannot be told is null: manifests have nothing of that kind.
pub(super) fn of(node: &Node) -> Json {
    match &node.value {
        Value::Null | Value::Unknown(_) => Json::Null,
        Value::Flag(flag) => Json::Bool(*flag),
        Value::Number(text) => number(text),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(of).collect()),
        Value::Map(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.clone(), of(&entry.node)));
            Json::Object(pairs.collect::<Map<String, Json>>())
        }
    }
}

fn number(text: &str) -> Json {
    let plain = text.strip_prefix('+').unwrap_or(text);
    let based =
        |prefix: &str, base| plain.strip_prefix(prefix).and_then(|hex| i64::from_str_radix(hex, base).ok());
    if let Some(whole) = plain.parse().ok().or_else(|| based("0x", 16)).or_else(|| based("0o", 8)) {
        return Json::Number(Number::from(whole));
    }
    match plain.parse().ok().and_then(Number::from_f64) {
        Some(number) => Json::Number(number),
        None => Json::String(text.to_owned()),
    }
}
