//! Versions as semver.org has them, and how they and quantities compare.

use std::{cmp::Ordering, fmt, rc::Rc};

use crate::{
    error::Stop,
    functions::{Function, global, member, refuse},
    value::Value,
};

/// A version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semver {
    numbers: [u64; 3],
    /// Identifiers behind `-`.
    before: Vec<String>,
    text: String,
}

impl Semver {
    /// Reads a version; where `lenient`, with `v` before it, with fewer than three numbers and with zeros before them.
    fn parse(text: &str, lenient: bool) -> Option<Self> {
        let rest = if lenient { text.strip_prefix('v').unwrap_or(text) } else { text };
        let (rest, build) = rest.split_once('+').map_or((rest, None), |(rest, build)| (rest, Some(build)));
        let (core, before) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
        let mut numbers = [0; 3];
        let parts: Vec<&str> = core.split('.').collect();
        if parts.len() > 3 || (parts.len() < 3 && !lenient) {
            return None;
        }
        for (number, part) in numbers.iter_mut().zip(&parts) {
            *number = digits(part, lenient)?;
        }
        let sound = |list: &str, strict: bool| {
            list.split('.').all(|one| {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                let numeric = one.bytes().all(|byte| byte.is_ascii_digit());
                !one.is_empty()
                    && one.bytes().all(plain)
                    && !(strict && numeric && one.len() > 1 && one.starts_with('0'))
            })
        };
        if before.is_some_and(|list| !sound(list, true)) || build.is_some_and(|list| !sound(list, false)) {
            return None;
        }
        let before = before.map(|list| list.split('.').map(ToOwned::to_owned).collect()).unwrap_or_default();
        Some(Self { numbers, before, text: text.to_owned() })
    }
}

fn digits(text: &str, lenient: bool) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let zeros = text.len() > 1 && text.starts_with('0') && !lenient;
    if plain && !zeros { text.parse().ok() } else { None }
}

impl Ord for Semver {
    fn cmp(&self, other: &Self) -> Ordering {
        let identifier = |a: &String, b: &String| match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        };
        let before = || match (self.before.is_empty(), other.before.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let pairs = self.before.iter().zip(&other.before).map(|(a, b)| identifier(a, b));
                pairs
                    .into_iter()
                    .find(|order| order.is_ne())
                    .unwrap_or_else(|| self.before.len().cmp(&other.before.len()))
            }
        };
        self.numbers.cmp(&other.numbers).then_with(before)
    }
}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Semver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("semver", 1, 2, |_, values| match read("semver", values)? {
        (_, Some(version)) => Ok(Value::Semver(Rc::new(version))),
        (text, None) => Err(Stop::Wrong(format!("`{text}` is no version"))),
    }),
    global("isSemver", 1, 2, |_, values| Ok(Value::Bool(read("isSemver", values)?.1.is_some()))),
    member("major", 0, 0, |_, values| part("major", values, 0)),
    member("minor", 0, 0, |_, values| part("minor", values, 1)),
    member("patch", 0, 0, |_, values| part("patch", values, 2)),
    member("isLessThan", 1, 1, |_, values| Ok(Value::Bool(order("isLessThan", values)?.is_lt()))),
    member("isGreaterThan", 1, 1, |_, values| Ok(Value::Bool(order("isGreaterThan", values)?.is_gt()))),
    member("compareTo", 1, 1, |_, values| Ok(Value::Int(order("compareTo", values)? as i64))),
];

fn read(name: &str, values: &[Value<'_>]) -> Result<(String, Option<Semver>), Stop> {
    let (text, lenient) = match values {
        [Value::Text(text)] => (text, false),
        [Value::Text(text), Value::Bool(lenient)] => (text, *lenient),
        _ => return Err(refuse(name, values)),
    };
    Ok((text.as_str().chars().take(60).collect(), Semver::parse(text.as_str(), lenient)))
}

fn part<'a>(name: &str, values: &[Value<'a>], index: usize) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Semver(version)] => {
            let number = version.numbers.get(index).copied().unwrap_or_default();
            Ok(Value::Int(i64::try_from(number).unwrap_or(i64::MAX)))
        }
        _ => Err(refuse(name, values)),
    }
}

fn order(name: &str, values: &[Value<'_>]) -> Result<Ordering, Stop> {
    match values {
        [Value::Semver(a), Value::Semver(b)] => Ok(a.cmp(b)),
        [Value::Quantity(a), Value::Quantity(b)] => Ok(a.cmp(b)),
        _ => Err(refuse(name, values)),
    }
}
