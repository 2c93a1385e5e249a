//! Values that may be absent.

use crate::{
    functions::{Function, global, member, refuse},
    value::Value,
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("optional.none", 0, 0, |_, _| Ok(Value::NONE)),
    global("optional.of", 1, 1, |_, values| match values {
        [value] => Ok(Value::some(value.clone())),
        _ => Err(refuse("optional.of", values)),
    }),
    global("optional.ofNonZeroValue", 1, 1, |_, values| match values {
        [value] if is_zero(value) => Ok(Value::NONE),
        [value] => Ok(Value::some(value.clone())),
        _ => Err(refuse("optional.ofNonZeroValue", values)),
    }),
    member("hasValue", 0, 0, |_, values| match values {
        [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
        _ => Err(refuse("hasValue", values)),
    }),
    member("value", 0, 0, |_, values| match values {
        [Value::Optional(Some(value))] => Ok((**value).clone()),
        [Value::Optional(None)] => {
            Err("there is no value: ask `hasValue()` first, or use `orValue(…)`".into())
        }
        _ => Err(refuse("value", values)),
    }),
    // Read as `Kind::Else`, because the other side is not evaluated where there is a value.
    member("or", 1, 1, |_, values| Err(refuse("or", values))),
    member("orValue", 1, 1, |_, values| Err(refuse("orValue", values))),
];

fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Null | Value::Optional(None) => true,
        Value::Bool(truth) => !truth,
        Value::Int(number) | Value::Duration(number) => *number == 0,
        Value::Uint(number) => *number == 0,
        Value::Double(number) => *number == 0.0,
        Value::Text(text) => text.as_str().is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(list) => list.len() == 0,
        Value::Map(map) => map.len() == 0,
        _ => false,
    }
}
