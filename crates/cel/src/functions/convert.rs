//! From one type to another, and what a value is.

use crate::{
    budget::Budget,
    error::Stop,
    functions::{Function, global, member, number, refuse},
    show,
    value::{Map, Value},
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("size", 1, 1, size),
    member("size", 0, 0, size),
    global("int", 1, 1, int),
    global("uint", 1, 1, uint),
    global("double", 1, 1, double),
    global("string", 1, 1, string),
    global("bool", 1, 1, bool),
    global("bytes", 1, 1, bytes),
    global("dyn", 1, 1, |_, values| first("dyn", values)),
    global("type", 1, 1, |_, values| first("type", values).map(|value| Value::Type(value.kind()))),
];

fn first<'a>(name: &str, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    values.first().cloned().ok_or_else(|| refuse(name, values))
}

fn size<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Text(text)] => {
            budget.text(text.as_str().len())?;
            Ok(number(text.as_str().chars().count()))
        }
        [Value::Bytes(bytes)] => Ok(number(bytes.len())),
        [Value::List(list)] => Ok(number(list.len())),
        [Value::Map(Map::Borrowed(map))] => Ok(number(map.len())),
        [Value::Map(map)] => Ok(number(map.len())),
        _ => Err(refuse("size", values)),
    }
}

/// Numbers beyond 2^63 as a floating point number.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

fn int<'a>(_: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let found = match values {
        [Value::Timestamp(at)] => Some(at.seconds()),
        // Nanoseconds, as in the reference implementation.
        [Value::Duration(length)] => Some(*length),
        [Value::Int(number)] => Some(*number),
        [Value::Uint(number)] => i64::try_from(*number).ok(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole numbers within the range, without their fraction"
        )]
        [Value::Double(number)] => (number.abs() < LIMIT).then(|| number.trunc() as i64),
        [Value::Text(text)] => text.as_str().parse().ok(),
        _ => return Err(refuse("int", values)),
    };
    found.map(Value::Int).ok_or_else(|| cannot("int", values))
}

fn uint<'a>(_: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let found = match values {
        [Value::Uint(number)] => Some(*number),
        [Value::Int(number)] => u64::try_from(*number).ok(),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole numbers within the range, without their fraction"
        )]
        [Value::Double(number)] => (*number >= 0.0 && *number < 2.0 * LIMIT).then(|| number.trunc() as u64),
        [Value::Text(text)] => text.as_str().parse().ok(),
        _ => return Err(refuse("uint", values)),
    };
    found.map(Value::Uint).ok_or_else(|| cannot("uint", values))
}

#[expect(clippy::cast_precision_loss, reason = "that is what the conversion means")]
fn double<'a>(_: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let found = match values {
        [Value::Double(number)] => Some(*number),
        [Value::Int(number)] => Some(*number as f64),
        [Value::Uint(number)] => Some(*number as f64),
        [Value::Text(text)] => text.as_str().parse().ok(),
        _ => return Err(refuse("double", values)),
    };
    found.map(Value::Double).ok_or_else(|| cannot("double", values))
}

fn string<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    match values {
        [text @ Value::Text(_)] => Ok(text.clone()),
        [Value::Bytes(bytes)] => {
            budget.text(bytes.len())?;
            let text = std::str::from_utf8(bytes).map_err(|_| cannot("string", values))?;
            Ok(Value::made(text))
        }
        [
            value @ (Value::Bool(_)
            | Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::Timestamp(_)
            | Value::Duration(_)
            | Value::Quantity(_)
            | Value::Ip(_)
            | Value::Cidr(_)
            | Value::Url(_)
            | Value::Semver(_)),
        ] => Ok(Value::made(show::shown(value))),
        _ => Err(refuse("string", values)),
    }
}

fn bool<'a>(_: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Bool(truth)] => Ok(Value::Bool(*truth)),
        [Value::Text(text)] => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(cannot("bool", values)),
        },
        _ => Err(refuse("bool", values)),
    }
}

fn bytes<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    match values {
        [bytes @ Value::Bytes(_)] => Ok(bytes.clone()),
        [Value::Text(text)] => {
            budget.text(text.as_str().len())?;
            Ok(Value::Bytes(text.as_str().as_bytes().into()))
        }
        _ => Err(refuse("bytes", values)),
    }
}

fn cannot(name: &str, values: &[Value<'_>]) -> Stop {
    let shown: String = values.first().map(show::shown).unwrap_or_default().chars().take(60).collect();
    Stop::Wrong(format!("`{name}` makes nothing of {shown}"))
}
