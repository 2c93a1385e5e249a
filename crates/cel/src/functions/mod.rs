//! What can be called: every function is one line in a table of its file, with what it is called on and how many arguments
//! it takes. `docs/guide/cel.md` is held to [`names`] by a test.

pub(crate) mod address;
mod convert;
pub(crate) mod format;
mod list;
mod math;
mod optional;
pub(crate) mod quantity;
pub(crate) mod semver;
mod set;
mod text;
pub(crate) mod time;
mod url;
mod zone;

use regex::{Regex, RegexBuilder};

use crate::{
    budget::Budget,
    error::Stop,
    tree::{Kind, Node},
    value::Value,
};

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `name(value)`
    Global,
    /// `value.name()`
    Member,
}

type Body = for<'a> fn(&mut Budget, &[Value<'a>]) -> Result<Value<'a>, Stop>;

/// One function, called in one way.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    style: Style,
    /// Arguments at least and at most; of a member, with what it is called on.
    least: usize,
    most: usize,
    pub(crate) run: Body,
}

const fn global(name: &'static str, least: usize, most: usize, run: Body) -> Function {
    Function { name, style: Style::Global, least, most, run }
}

const fn member(name: &'static str, least: usize, most: usize, run: Body) -> Function {
    Function { name, style: Style::Member, least: least + 1, most: most + 1, run }
}

static ALL: &[&[Function]] = &[
    convert::FUNCTIONS,
    text::FUNCTIONS,
    list::FUNCTIONS,
    set::FUNCTIONS,
    optional::FUNCTIONS,
    quantity::FUNCTIONS,
    address::FUNCTIONS,
    url::FUNCTIONS,
    semver::FUNCTIONS,
    format::FUNCTIONS,
    time::FUNCTIONS,
    math::FUNCTIONS,
];

/// Functions that are known elsewhere and not here, and why.
const ABSENT: &[(&str, &str)] = &[
    ("now", "no rule knows what time it is: the same facts give the same answer"),
    ("image", "a function of Kyverno: nothing here asks a registry"),
    ("verifyImageSignatures", "a function of Kyverno: nothing here asks a registry"),
];

/// Every function: its name, and how it is called.
pub fn names() -> impl Iterator<Item = (&'static str, Style)> {
    ALL.iter().flat_map(|table| table.iter()).map(|function| (function.name, function.style))
}

pub(crate) fn find(name: &str, style: Style) -> Option<&'static Function> {
    ALL.iter().flat_map(|table| table.iter()).find(|one| one.name == name && one.style == style)
}

/// Whether there is such a function, or why not.
pub(crate) fn known(name: &str, style: Style) -> Result<(), String> {
    if find(name, style).is_some() { Ok(()) } else { Err(missing(name, style)) }
}

/// A call of `name`, if there is such a function.
pub(crate) fn call(name: &str, style: Style, mut arguments: Vec<Node>) -> Result<Kind, String> {
    let Some(function) = find(name, style) else { return Err(missing(name, style)) };
    let given = arguments.len();
    if !(function.least..=function.most).contains(&given) {
        let receiver = usize::from(style == Style::Member);
        let (given, least, most) = (given - receiver, function.least - receiver, function.most - receiver);
        let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
        return Err(format!("`{name}` takes {wanted} arguments, not {given}"));
    }
    if name == "matches"
        && let Some(Node { kind: Kind::Text(pattern), .. }) = arguments.get(1)
    {
        let regex = regex(pattern)?;
        arguments.truncate(1);
        if let Some(of) = arguments.pop() {
            return Ok(Kind::Matches(Box::new(of), Box::new(regex)));
        }
    }
    if style == Style::Member && matches!(name, "or" | "orValue") {
        let mut arguments = arguments.into_iter();
        if let (Some(of), Some(other)) = (arguments.next(), arguments.next()) {
            return Ok(Kind::Else { of: Box::new(of), other: Box::new(other), flat: name == "or" });
        }
        return Err(missing(name, style));
    }
    Ok(Kind::Call(function, arguments))
}

fn missing(name: &str, style: Style) -> String {
    if let Some((_, why)) = ABSENT.iter().find(|(known, _)| *known == name) {
        return format!("`{name}`: {why}");
    }
    let other = if style == Style::Member { Style::Global } else { Style::Member };
    if find(name, other).is_some() {
        let how = if other == Style::Global { format!("{name}(value)") } else { format!("value.{name}()") };
        return format!("`{name}` is called as `{how}`");
    }
    format!("`{name}` is no function or macro here")
}

/// Compiled expressions are bounded: some kilobytes of pattern can ask for gigabytes.
const MAX_REGEX: usize = 1 << 20;

pub(crate) fn regex(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(MAX_REGEX).build();
    built.map_err(|wrong| {
        let last = wrong.to_string();
        format!("no regular expression: {}", last.lines().last().unwrap_or_default().trim())
    })
}

/// What a function is told that does not take what it was given.
pub(crate) fn refuse(name: &str, values: &[Value<'_>]) -> Stop {
    let kinds: Vec<&str> = values.iter().map(Value::kind).collect();
    Stop::Wrong(format!("`{name}` does not take {}", kinds.join(", ")))
}

/// The texts in a list.
pub(crate) fn texts(name: &str, value: &Value<'_>) -> Result<Vec<String>, Stop> {
    let Value::List(list) = value else { return Err(refuse(name, std::slice::from_ref(value))) };
    let text = |item: Value<'_>| item.text().map(ToOwned::to_owned).ok_or_else(|| refuse(name, &[item]));
    list.iter().map(text).collect()
}

/// A length as a number.
pub(crate) fn number<'a>(length: usize) -> Value<'a> {
    Value::Int(i64::try_from(length).unwrap_or(i64::MAX))
}
