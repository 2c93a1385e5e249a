//! Functions of template expressions that need nothing but their arguments.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::Answer;
use crate::document::{Node, Value};

/// Placeholders in the text of `format`.
const MAX_PLACES: usize = 100;

/// What `name` makes of `values`.
pub(super) fn call(name: &str, values: &[Value]) -> Answer {
    match (name, values) {
        ("concat", [Value::List(_), ..]) => lists(values),
        ("concat", _) => Ok(Value::Text(joined(values)?)),
        ("format", [Value::Text(pattern), arguments @ ..]) => filled(pattern, arguments),
        ("base64", [value]) => Ok(Value::Text(STANDARD.encode(text(value)?))),
        ("base64tostring", [value]) => decoded(&text(value)?),
        ("tolower", [value]) => Ok(Value::Text(text(value)?.to_lowercase())),
        ("toupper", [value]) => Ok(Value::Text(text(value)?.to_uppercase())),
        ("trim", [value]) => Ok(Value::Text(text(value)?.trim().to_owned())),
        ("string", [value]) => Ok(Value::Text(text(value)?)),
        ("int" | "float", [value]) => number(&text(value)?),
        ("bool", [value]) => Ok(Value::Flag(matches!(text(value)?.to_lowercase().as_str(), "true" | "1"))),
        ("true", []) => Ok(Value::Flag(true)),
        ("false", []) => Ok(Value::Flag(false)),
        ("null", []) => Ok(Value::Null),
        ("not", [Value::Flag(flag)]) => Ok(Value::Flag(!flag)),
        ("and" | "or", values) => logic(name == "and", values),
        ("equals", [one, other]) => Ok(Value::Flag(same(one, other))),
        ("empty", [value]) => Ok(Value::Flag(length(value)? == 0)),
        ("length", [value]) => Ok(Value::Number(length(value)?.to_string())),
        ("createarray" | "array", values) => {
            Ok(Value::List(values.iter().map(|value| Node::new(0, value.clone())).collect()))
        }
        ("first", [Value::List(items)]) => items.first().map(|one| one.value.clone()).ok_or_else(empty),
        ("last", [Value::List(items)]) => items.last().map(|one| one.value.clone()).ok_or_else(empty),
        ("replace", [value, from, to]) => replaced(&text(value)?, &text(from)?, &text(to)?),
        ("split", [value, by]) => Ok(split(&text(value)?, &text(by)?)),
        ("join", [Value::List(items), by]) => {
            let texts: Result<Vec<String>, String> = items.iter().map(|item| text(&item.value)).collect();
            Ok(Value::Text(texts?.join(&text(by)?)))
        }
        ("substring", [value, rest @ ..]) => part(&text(value)?, rest),
        ("startswith", [value, with]) => {
            Ok(Value::Flag(text(value)?.to_lowercase().starts_with(&text(with)?.to_lowercase())))
        }
        ("endswith", [value, with]) => {
            Ok(Value::Flag(text(value)?.to_lowercase().ends_with(&text(with)?.to_lowercase())))
        }
        _ => Err(format!("`{name}()` is known when it is deployed")),
    }
}

fn empty() -> String {
    "nothing in an empty list".to_owned()
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(text) | Value::Number(text) => Ok(text.clone()),
        // As .NET writes them.
        Value::Flag(true) => Ok("True".to_owned()),
        Value::Flag(false) => Ok("False".to_owned()),
        Value::Unknown(why) => Err(why.clone()),
        Value::Null | Value::List(_) | Value::Map(_) => Err("a text made of an object".to_owned()),
    }
}

fn joined(values: &[Value]) -> Result<String, String> {
    values.iter().map(text).collect()
}

fn lists(values: &[Value]) -> Answer {
    let mut all = Vec::new();
    for value in values {
        match value {
            Value::List(items) => all.extend(items.iter().cloned()),
            _ => return Err("a list joined with something else".to_owned()),
        }
    }
    Ok(Value::List(all))
}

/// `{0}` and `{0:N2}`; `{{` is a brace.
fn filled(pattern: &str, arguments: &[Value]) -> Answer {
    let mut out = String::new();
    let mut rest = pattern;
    for _ in 0..=MAX_PLACES {
        let Some(at) = rest.find(['{', '}']) else {
            out.push_str(rest);
            return Ok(Value::Text(out));
        };
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            out.push_str(from.get(..1).unwrap_or_default());
            rest = after;
            continue;
        }
        let place = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((inside, after)) = place else {
            return Err("a brace in `format` that is not closed".to_owned());
        };
        let index = inside.split([':', ',']).next().unwrap_or_default();
        let argument = index.parse::<usize>().ok().and_then(|index| arguments.get(index));
        let Some(argument) = argument else { return Err(format!("`format` has no argument {index}")) };
        out.push_str(&text(argument)?);
        rest = after;
    }
    Err(format!("more than {MAX_PLACES} places in `format`"))
}

fn decoded(text: &str) -> Answer {
    let bytes = STANDARD.decode(text.trim()).map_err(|_| "not base64".to_owned())?;
    String::from_utf8(bytes).map(Value::Text).map_err(|_| "base64 of something that is no text".to_owned())
}

fn number(text: &str) -> Answer {
    match text.trim().parse::<f64>() {
        Ok(_) => Ok(Value::Number(text.trim().to_owned())),
        Err(_) => Err("not a number".to_owned()),
    }
}

fn logic(all: bool, values: &[Value]) -> Answer {
    let mut answer = all;
    for value in values {
        match value {
            Value::Flag(flag) if all => answer &= flag,
            Value::Flag(flag) => answer |= flag,
            _ => return Err("a condition that is no flag".to_owned()),
        }
    }
    Ok(Value::Flag(answer))
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        // Where something stands does not make it different.
        (Value::List(ones), Value::List(others)) => {
            ones.len() == others.len()
                && ones.iter().zip(others).all(|(one, other)| same(&one.value, &other.value))
        }
        _ => one == other,
    }
}

fn length(value: &Value) -> Result<usize, String> {
    match value {
        Value::Text(text) => Ok(text.chars().count()),
        Value::List(items) => Ok(items.len()),
        Value::Map(entries) => Ok(entries.len()),
        Value::Null => Ok(0),
        _ => Err("the length of something that has none".to_owned()),
    }
}

/// A text may grow by what replaces each of its signs.
fn replaced(text: &str, from: &str, to: &str) -> Answer {
    const MAX: usize = 1 << 20;
    if from.is_empty() || text.len().saturating_mul(to.len().max(1)) > MAX {
        return Err("a replacement that is too large".to_owned());
    }
    Ok(Value::Text(text.replace(from, to)))
}

fn split(text: &str, by: &str) -> Value {
    let parts: Vec<&str> = if by.is_empty() { vec![text] } else { text.split(by).collect() };
    Value::List(parts.into_iter().map(|part| Node::new(0, Value::Text(part.to_owned()))).collect())
}

fn part(text: &str, rest: &[Value]) -> Answer {
    let whole = |value: &Value| match value {
        Value::Number(number) => number.parse::<usize>().map_err(|_| "not a whole number".to_owned()),
        _ => Err("not a number".to_owned()),
    };
    let (start, length) = match rest {
        [start] => (whole(start)?, usize::MAX),
        [start, length] => (whole(start)?, whole(length)?),
        _ => return Err("`substring` takes two or three arguments".to_owned()),
    };
    Ok(Value::Text(text.chars().skip(start).take(length).collect()))
}
