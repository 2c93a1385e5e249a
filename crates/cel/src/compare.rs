//! When two values are equal, and which is less. Numbers are compared by what they mean, whatever their type; values of
//! other different types are never equal.

use std::cmp::Ordering;

use crate::{
    budget::Budget,
    error::Stop,
    value::{Map, Value},
};

/// Levels that are compared: JSON of an object has fewer.
const MAX_DEPTH: usize = 128;

/// Whether two values are equal; costs by what is looked at.
pub(crate) fn equal(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Result<bool, Stop> {
    deep(a, b, budget, 0)
}

fn deep(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget, depth: usize) -> Result<bool, Stop> {
    budget.step(1)?;
    if depth > MAX_DEPTH {
        return Err("values that are nested too deep to be compared".into());
    }
    Ok(match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            budget.text(a.len().min(b.len()))?;
            a == b
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.text(a.len().min(b.len()))?;
            a == b
        }
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Quantity(a), Value::Quantity(b)) => a == b,
        (Value::Ip(a), Value::Ip(b)) => a == b,
        (Value::Cidr(a), Value::Cidr(b)) => a == b,
        (Value::Url(a), Value::Url(b)) => a == b,
        (Value::Semver(a), Value::Semver(b)) => a == b,
        (Value::Format(a), Value::Format(b)) => a.name == b.name,
        (Value::Optional(a), Value::Optional(b)) => match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => deep(a, b, budget, depth + 1)?,
            _ => false,
        },
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                if !deep(&a, &b, budget, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, value) in a.iter() {
                match find(b, &key, budget)? {
                    Some(other) if deep(&value, &other, budget, depth + 1)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => numbers(a, b) == Some(Ordering::Equal),
    })
}

/// What stands in a map under a key of any type.
pub(crate) fn find<'a>(
    map: &Map<'a>,
    key: &Value<'_>,
    budget: &mut Budget,
) -> Result<Option<Value<'a>>, Stop> {
    match (map, key.text()) {
        (Map::Borrowed(_), Some(name)) => {
            budget.step(1)?;
            Ok(map.field(name))
        }
        (Map::Borrowed(_), None) => Ok(None),
        (Map::Made(entries), _) => {
            for (own, value) in entries.iter() {
                if equal(own, key, budget)? {
                    return Ok(Some(value.clone()));
                }
            }
            Ok(None)
        }
    }
}

/// Which of two numbers is less; `None` where one is no number.
pub(crate) fn numbers(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    let whole = |value: &Value<'_>| match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    };
    match (whole(a), whole(b), a, b) {
        (Some(a), Some(b), _, _) => Some(a.cmp(&b)),
        (Some(a), None, _, Value::Double(b)) => mixed(a, *b),
        (None, Some(b), Value::Double(a), _) => mixed(b, *a).map(Ordering::reverse),
        (None, None, Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        _ => None,
    }
}

/// A whole number and any number, exactly.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the number that is lost is looked at where the rest is equal"
)]
fn mixed(whole: i128, double: f64) -> Option<Ordering> {
    let first = (whole as f64).partial_cmp(&double)?;
    Some(if first == Ordering::Equal && double.is_finite() { whole.cmp(&(double as i128)) } else { first })
}

/// Which is less; `None` where that has no meaning.
pub(crate) fn order(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Result<Option<Ordering>, Stop> {
    budget.step(1)?;
    Ok(match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            budget.text(a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.text(a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) if a.is_nan() || b.is_nan() => None,
        _ => numbers(a, b),
    })
}
