//! Lists as sets.

use crate::{
    budget::Budget,
    compare,
    error::Stop,
    functions::{Function, global, refuse},
    value::{List, Value},
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("sets.contains", 2, 2, |budget, values| match values {
        [Value::List(a), Value::List(b)] => Ok(Value::Bool(covers(a, b, budget)?)),
        _ => Err(refuse("sets.contains", values)),
    }),
    global("sets.equivalent", 2, 2, |budget, values| match values {
        [Value::List(a), Value::List(b)] => Ok(Value::Bool(covers(a, b, budget)? && covers(b, a, budget)?)),
        _ => Err(refuse("sets.equivalent", values)),
    }),
    global("sets.intersects", 2, 2, |budget, values| match values {
        [Value::List(a), Value::List(b)] => {
            for item in b.iter() {
                if has(a, &item, budget)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        _ => Err(refuse("sets.intersects", values)),
    }),
];

/// Whether every element of `b` is in `a`.
fn covers(a: &List<'_>, b: &List<'_>, budget: &mut Budget) -> Result<bool, Stop> {
    for item in b.iter() {
        if !has(a, &item, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn has(list: &List<'_>, value: &Value<'_>, budget: &mut Budget) -> Result<bool, Stop> {
    for item in list.iter() {
        if compare::equal(&item, value, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}
