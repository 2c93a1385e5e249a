//! The extension `math` of CEL (version 2): the greatest and the least, rounding, signs, bits.

use std::cmp::Ordering;

use crate::{
    budget::Budget,
    compare,
    error::Stop,
    evaluate::TOO_LARGE,
    functions::{Function, global, refuse},
    value::Value,
};

/// Numbers that are named one by one. More stand in a list.
const MAX_NUMBERS: usize = 32;
/// Bits of a number.
const BITS: i64 = 64;

pub(super) const FUNCTIONS: &[Function] = &[
    global("math.greatest", 1, MAX_NUMBERS, |budget, values| {
        extreme("math.greatest", budget, values, Ordering::Greater)
    }),
    global("math.least", 1, MAX_NUMBERS, |budget, values| {
        extreme("math.least", budget, values, Ordering::Less)
    }),
    global("math.ceil", 1, 1, |_, values| rounded("math.ceil", values, f64::ceil)),
    global("math.floor", 1, 1, |_, values| rounded("math.floor", values, f64::floor)),
    global("math.round", 1, 1, |_, values| rounded("math.round", values, f64::round)),
    global("math.trunc", 1, 1, |_, values| rounded("math.trunc", values, f64::trunc)),
    global("math.isInf", 1, 1, |_, values| asked("math.isInf", values, f64::is_infinite)),
    global("math.isNaN", 1, 1, |_, values| asked("math.isNaN", values, f64::is_nan)),
    global("math.isFinite", 1, 1, |_, values| asked("math.isFinite", values, f64::is_finite)),
    global("math.abs", 1, 1, |_, values| match values {
        [Value::Int(number)] => number.checked_abs().map(Value::Int).ok_or_else(|| TOO_LARGE.into()),
        [Value::Uint(number)] => Ok(Value::Uint(*number)),
        _ => rounded("math.abs", values, f64::abs),
    }),
    global("math.sign", 1, 1, |_, values| match values {
        [Value::Int(number)] => Ok(Value::Int(number.signum())),
        [Value::Uint(number)] => Ok(Value::Uint((*number).min(1))),
        _ => rounded("math.sign", values, |number| if number == 0.0 { 0.0 } else { number.signum() }),
    }),
    global("math.sqrt", 1, 1, sqrt),
    global("math.bitAnd", 2, 2, |_, values| bits("math.bitAnd", values, |a, b| a & b)),
    global("math.bitOr", 2, 2, |_, values| bits("math.bitOr", values, |a, b| a | b)),
    global("math.bitXor", 2, 2, |_, values| bits("math.bitXor", values, |a, b| a ^ b)),
    global("math.bitNot", 1, 1, |_, values| match values {
        [Value::Int(number)] => Ok(Value::Int(!number)),
        [Value::Uint(number)] => Ok(Value::Uint(!number)),
        _ => Err(refuse("math.bitNot", values)),
    }),
    global("math.bitShiftLeft", 2, 2, |_, values| shifted("math.bitShiftLeft", values, |a, by| a << by)),
    // The sign is a bit like the others: from the left come zeros.
    global("math.bitShiftRight", 2, 2, |_, values| shifted("math.bitShiftRight", values, |a, by| a >> by)),
];

fn extreme<'a>(
    name: &str,
    budget: &mut Budget,
    values: &[Value<'a>],
    wanted: Ordering,
) -> Result<Value<'a>, Stop> {
    let all: Vec<Value<'a>> = match values {
        [Value::List(list)] => {
            budget.items(list.len())?;
            list.iter().collect()
        }
        _ => values.to_vec(),
    };
    let mut best: Option<Value<'a>> = None;
    for one in all {
        if !matches!(one, Value::Int(_) | Value::Uint(_) | Value::Double(_)) {
            return Err(refuse(name, &[one]));
        }
        // What is no number (NaN) is neither more nor less than any.
        let better = best.as_ref().is_none_or(|best| compare::numbers(&one, best) == Some(wanted));
        if better {
            best = Some(one);
        }
    }
    best.ok_or_else(|| Stop::Wrong(format!("`{name}` of an empty list")))
}

fn rounded<'a>(name: &str, values: &[Value<'a>], round: fn(f64) -> f64) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Double(number)] => Ok(Value::Double(round(*number))),
        _ => Err(refuse(name, values)),
    }
}

fn asked<'a>(name: &str, values: &[Value<'a>], is: fn(f64) -> bool) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Double(number)] => Ok(Value::Bool(is(*number))),
        _ => Err(refuse(name, values)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "that is what the conversion means")]
fn sqrt<'a>(_: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let number = match values {
        [Value::Double(number)] => *number,
        [Value::Int(number)] => *number as f64,
        [Value::Uint(number)] => *number as f64,
        _ => return Err(refuse("math.sqrt", values)),
    };
    Ok(Value::Double(number.sqrt()))
}

fn bits<'a>(name: &str, values: &[Value<'a>], of: fn(u64, u64) -> u64) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Int(a), Value::Int(b)] => {
            Ok(Value::Int(of(a.cast_unsigned(), b.cast_unsigned()).cast_signed()))
        }
        [Value::Uint(a), Value::Uint(b)] => Ok(Value::Uint(of(*a, *b))),
        _ => Err(refuse(name, values)),
    }
}

fn shifted<'a>(name: &str, values: &[Value<'a>], of: fn(u64, u32) -> u64) -> Result<Value<'a>, Stop> {
    let by = match values {
        [_, Value::Int(by)] if *by < 0 => {
            return Err(Stop::Wrong(format!("`{name}` by {by}: bits are shifted by 0 or more")));
        }
        [_, Value::Int(by)] => *by,
        _ => return Err(refuse(name, values)),
    };
    let out = |bits: u64| if by >= BITS { 0 } else { of(bits, u32::try_from(by).unwrap_or(0)) };
    match values {
        [Value::Int(number), _] => Ok(Value::Int(out(number.cast_unsigned()).cast_signed())),
        [Value::Uint(number), _] => Ok(Value::Uint(out(*number))),
        _ => Err(refuse(name, values)),
    }
}
