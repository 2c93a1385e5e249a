//! Texts: of the specification, of the extension for strings, and regular expressions.

use crate::{
    budget::Budget,
    error::Stop,
    functions::{Function, format, global, member, number, refuse, regex, texts},
    value::{List, Value},
};

pub(super) const FUNCTIONS: &[Function] = &[
    member("contains", 1, 1, |budget, values| two("contains", budget, values, |a, b| a.contains(b))),
    member("startsWith", 1, 1, |budget, values| two("startsWith", budget, values, |a, b| a.starts_with(b))),
    member("endsWith", 1, 1, |budget, values| two("endsWith", budget, values, |a, b| a.ends_with(b))),
    global("matches", 2, 2, matches),
    member("matches", 1, 1, matches),
    member("charAt", 1, 1, char_at),
    member("lowerAscii", 0, 0, |budget, values| map("lowerAscii", budget, values, str::to_ascii_lowercase)),
    member("upperAscii", 0, 0, |budget, values| map("upperAscii", budget, values, str::to_ascii_uppercase)),
    member("trim", 0, 0, |budget, values| map("trim", budget, values, |text| text.trim().to_owned())),
    member("replace", 2, 3, replace),
    member("split", 1, 2, split),
    member("substring", 1, 2, substring),
    member("join", 0, 1, join),
    member("format", 1, 1, format::write),
    global("strings.quote", 1, 1, |budget, values| map("strings.quote", budget, values, quoted)),
    member("find", 1, 1, find),
    member("findAll", 1, 2, find_all),
];

fn two<'a>(
    name: &str,
    budget: &mut Budget,
    values: &[Value<'a>],
    test: fn(&str, &str) -> bool,
) -> Result<Value<'a>, Stop> {
    let [Value::Text(a), Value::Text(b)] = values else { return Err(refuse(name, values)) };
    budget.text(a.as_str().len())?;
    Ok(Value::Bool(test(a.as_str(), b.as_str())))
}

fn map<'a>(
    name: &str,
    budget: &mut Budget,
    values: &[Value<'a>],
    make: fn(&str) -> String,
) -> Result<Value<'a>, Stop> {
    let [Value::Text(text)] = values else { return Err(refuse(name, values)) };
    budget.text(text.as_str().len())?;
    Ok(Value::made(make(text.as_str())))
}

/// As it would be written in an expression.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for sign in text.chars() {
        let short = match sign {
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{b}' => "\\v",
            '\\' => "\\\\",
            '"' => "\\\"",
            _ => {
                out.push(sign);
                continue;
            }
        };
        out.push_str(short);
    }
    out.push('"');
    out
}

/// Steps that compiling a pattern costs, for each byte of it.
const COMPILING: usize = 64;

fn searched(budget: &mut Budget, text: &str, pattern: &str) -> Result<regex::Regex, Stop> {
    budget.text(text.len() + COMPILING * 8 * pattern.len())?;
    Ok(regex(pattern)?)
}

fn matches<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let [Value::Text(text), Value::Text(pattern)] = values else { return Err(refuse("matches", values)) };
    let regex = searched(budget, text.as_str(), pattern.as_str())?;
    Ok(Value::Bool(regex.is_match(text.as_str())))
}

fn find<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let [Value::Text(text), Value::Text(pattern)] = values else { return Err(refuse("find", values)) };
    let regex = searched(budget, text.as_str(), pattern.as_str())?;
    Ok(Value::made(regex.find(text.as_str()).map_or("", |found| found.as_str())))
}

fn find_all<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let (text, pattern, most) = match values {
        [Value::Text(text), Value::Text(pattern)] => (text, pattern, usize::MAX),
        [Value::Text(text), Value::Text(pattern), Value::Int(most)] => {
            (text, pattern, usize::try_from(*most).unwrap_or(usize::MAX))
        }
        _ => return Err(refuse("findAll", values)),
    };
    let regex = searched(budget, text.as_str(), pattern.as_str())?;
    budget.items(text.as_str().len())?;
    let found = regex.find_iter(text.as_str()).take(most).map(|found| Value::made(found.as_str()));
    Ok(Value::list(found.collect()))
}

fn char_at<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let [Value::Text(text), Value::Int(at)] = values else { return Err(refuse("charAt", values)) };
    budget.text(text.as_str().len())?;
    let length = text.as_str().chars().count();
    match usize::try_from(*at).ok().filter(|at| *at <= length) {
        Some(at) => Ok(Value::made(text.as_str().chars().skip(at).take(1).collect::<String>())),
        None => Err(Stop::Wrong(format!("index out of bounds: {at}"))),
    }
}

/// A count that may be left out; negative means all.
fn most(values: &[Value<'_>], index: usize) -> Option<usize> {
    match values.get(index) {
        Some(Value::Int(most)) => usize::try_from(*most).ok(),
        _ => None,
    }
}

fn replace<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let ([Value::Text(text), Value::Text(from), Value::Text(to)]
    | [Value::Text(text), Value::Text(from), Value::Text(to), Value::Int(_)]) = values
    else {
        return Err(refuse("replace", values));
    };
    let (text, from, to) = (text.as_str(), from.as_str(), to.as_str());
    // Between any two letters there is an empty text.
    let hits = if from.is_empty() { text.len() + 1 } else { text.matches(from).count() };
    budget.text(text.len().saturating_add(hits.saturating_mul(to.len())))?;
    Ok(Value::made(match most(values, 3) {
        Some(most) => text.replacen(from, to, most),
        None => text.replace(from, to),
    }))
}

fn split<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let ([Value::Text(text), Value::Text(by)] | [Value::Text(text), Value::Text(by), Value::Int(_)]) = values
    else {
        return Err(refuse("split", values));
    };
    let (text, by) = (text.as_str(), by.as_str());
    budget.items(text.len())?;
    let most = most(values, 2).unwrap_or(usize::MAX);
    let parts: Vec<Value<'a>> = if most == 0 {
        Vec::new()
    } else if by.is_empty() {
        text.chars().take(most).map(|sign| Value::made(sign.encode_utf8(&mut [0; 4]))).collect()
    } else {
        text.splitn(most, by).map(Value::made).collect()
    };
    Ok(Value::list(parts))
}

fn substring<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let (text, start, end) = match values {
        [Value::Text(text), Value::Int(start)] => (text, start, None),
        [Value::Text(text), Value::Int(start), Value::Int(end)] => (text, start, Some(*end)),
        _ => return Err(refuse("substring", values)),
    };
    budget.text(text.as_str().len())?;
    let length = text.as_str().chars().count();
    let within = |number: i64| usize::try_from(number).ok().filter(|number| *number <= length);
    match (within(*start), end.map_or(Some(length), within)) {
        (Some(start), Some(end)) if start <= end => {
            Ok(Value::made(text.as_str().chars().skip(start).take(end - start).collect::<String>()))
        }
        _ => Err(Stop::Wrong(format!("index out of bounds: {start}"))),
    }
}

fn join<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let between = match values {
        [Value::List(_)] => "",
        [Value::List(_), Value::Text(between)] => between.as_str(),
        _ => return Err(refuse("join", values)),
    };
    let Some(list) = values.first() else { return Err(refuse("join", values)) };
    let parts = texts("join", list)?;
    let length: usize = parts.iter().map(|part| part.len() + between.len()).sum();
    budget.text(length)?;
    budget.items(parts.len())?;
    Ok(Value::made(parts.join(between)))
}

/// `indexOf` and `lastIndexOf` of a text, in characters; `from` may be left out.
pub(super) fn index_of<'a>(budget: &mut Budget, values: &[Value<'a>], last: bool) -> Result<Value<'a>, Stop> {
    let name = if last { "lastIndexOf" } else { "indexOf" };
    let ([Value::Text(text), Value::Text(part)] | [Value::Text(text), Value::Text(part), Value::Int(_)]) =
        values
    else {
        return Err(refuse(name, values));
    };
    let (text, part) = (text.as_str(), part.as_str());
    // Going back looks for the part at every place.
    budget.text(if last { text.len().saturating_mul(part.len().max(1)) } else { text.len() })?;
    let length = text.chars().count();
    let from = match values.get(2) {
        Some(Value::Int(from)) => match usize::try_from(*from).ok().filter(|from| *from <= length) {
            Some(from) => Some(text.char_indices().nth(from).map_or(text.len(), |(at, _)| at)),
            None => return Err(Stop::Wrong(format!("index out of bounds: {from}"))),
        },
        _ => None,
    };
    let found = match (last, from) {
        (false, from) => {
            let from = from.unwrap_or(0);
            text.get(from..).and_then(|rest| rest.find(part)).map(|at| from + at)
        }
        (true, None) => text.rfind(part),
        (true, Some(from)) => {
            let starts = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(part));
            (0..=from).rev().find(starts)
        }
    };
    let chars = found.and_then(|at| text.get(..at)).map(|head| head.chars().count());
    Ok(chars.map_or(Value::Int(-1), number))
}

/// A list of texts, backwards, for `reverse`.
pub(super) fn backwards<'a>(list: &List<'a>) -> Value<'a> {
    let mut items: Vec<Value<'a>> = list.iter().collect();
    items.reverse();
    Value::list(items)
}
