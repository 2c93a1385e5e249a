//! Quantities of Kubernetes: `1500m`, `128Mi`, `1e3`.

use std::fmt;

use crate::{
    error::Stop,
    functions::{Function, global, member, refuse},
    value::Value,
};

/// A billionth is the smallest amount that Kubernetes knows.
const NANO: i128 = 1_000_000_000;
/// Digits of a number: more is no amount of anything.
const MAX_DIGITS: usize = 60;

/// An amount, in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

/// Suffixes with what they stand for: a base and an exponent.
const SUFFIXES: [(&str, i128, u32); 13] = [
    ("Ki", 1024, 1),
    ("Mi", 1024, 2),
    ("Gi", 1024, 3),
    ("Ti", 1024, 4),
    ("Pi", 1024, 5),
    ("Ei", 1024, 6),
    ("k", 1000, 1),
    ("M", 1000, 2),
    ("G", 1000, 3),
    ("T", 1000, 4),
    ("P", 1000, 5),
    ("E", 1000, 6),
    ("", 1, 0),
];

impl Quantity {
    fn parse(text: &str) -> Option<Self> {
        let (sign, rest) = match text.as_bytes().first()? {
            b'-' => (-1, text.get(1..)?),
            b'+' => (1, text.get(1..)?),
            _ => (1, text),
        };
        let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(rest.len());
        let (number, suffix) = (rest.get(..end)?, rest.get(end..)?);
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + part.len() == 0 || number.len() > MAX_DIGITS || part.contains('.') {
            return None;
        }
        let digits: i128 = format!("0{whole}{part}").parse().ok()?;
        let places = u32::try_from(part.len()).ok()?;
        Some(Self(sign * amount(digits, places, suffix)?))
    }

    /// Whole units, if there are no parts.
    fn whole(self) -> Option<i64> {
        (self.0 % NANO == 0).then(|| i64::try_from(self.0 / NANO).ok()).flatten()
    }
}

/// `digits` with so many of them behind the point, times what the suffix stands for, in billionths; rounded up.
fn amount(digits: i128, places: u32, suffix: &str) -> Option<i128> {
    let (up, down) = match suffix {
        "m" => (1, 1_000),
        "u" => (1, 1_000_000),
        "n" => (1, NANO),
        _ => {
            if let Some((_, base, exponent)) = SUFFIXES.iter().find(|(known, ..)| *known == suffix) {
                (base.checked_pow(*exponent)?, 1)
            } else {
                let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
                let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
                if exponent < 0 { (1, power) } else { (power, 1) }
            }
        }
    };
    let top = digits.checked_mul(NANO)?.checked_mul(up)?;
    let bottom = 10_i128.checked_pow(places)?.checked_mul(down)?;
    Some(top / bottom + i128::from(top % bottom != 0))
}

#[expect(clippy::cast_precision_loss, reason = "an approximate number is asked for")]
fn approximate(quantity: Quantity) -> f64 {
    quantity.0 as f64 / NANO as f64
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / NANO, (self.0 % NANO).abs());
        match part {
            0 => write!(f, "{whole}"),
            part if part % 1_000_000 == 0 => write!(f, "{}m", self.0 / 1_000_000),
            part if part % 1_000 == 0 => write!(f, "{}u", self.0 / 1_000),
            _ => write!(f, "{}n", self.0),
        }
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("quantity", 1, 1, |_, values| match values {
        [Value::Text(text)] => match Quantity::parse(text.as_str()) {
            Some(quantity) => Ok(Value::Quantity(quantity)),
            None => Err(Stop::Wrong(format!("`{}` is no quantity", text.as_str()))),
        },
        _ => Err(refuse("quantity", values)),
    }),
    global("isQuantity", 1, 1, |_, values| match values {
        [Value::Text(text)] => Ok(Value::Bool(Quantity::parse(text.as_str()).is_some())),
        _ => Err(refuse("isQuantity", values)),
    }),
    member("isInteger", 0, 0, |_, values| match values {
        [Value::Quantity(quantity)] => Ok(Value::Bool(quantity.whole().is_some())),
        _ => Err(refuse("isInteger", values)),
    }),
    member("asInteger", 0, 0, |_, values| match values {
        [Value::Quantity(quantity)] => {
            quantity.whole().map(Value::Int).ok_or_else(|| Stop::Wrong(format!("{quantity} is not whole")))
        }
        _ => Err(refuse("asInteger", values)),
    }),
    member("asApproximateFloat", 0, 0, |_, values| match values {
        [Value::Quantity(quantity)] => Ok(Value::Double(approximate(*quantity))),
        _ => Err(refuse("asApproximateFloat", values)),
    }),
    member("sign", 0, 0, |_, values| match values {
        [Value::Quantity(Quantity(number))] => Ok(Value::Int(i64::try_from(number.signum()).unwrap_or(0))),
        _ => Err(refuse("sign", values)),
    }),
    member("add", 1, 1, |_, values| calculate("add", values, i128::checked_add)),
    member("sub", 1, 1, |_, values| calculate("sub", values, i128::checked_sub)),
];

fn calculate<'a>(
    name: &str,
    values: &[Value<'a>],
    with: fn(i128, i128) -> Option<i128>,
) -> Result<Value<'a>, Stop> {
    let (a, b) = match values {
        [Value::Quantity(a), Value::Quantity(b)] => (a.0, b.0),
        [Value::Quantity(a), Value::Int(b)] => (a.0, i128::from(*b) * NANO),
        _ => return Err(refuse(name, values)),
    };
    with(a, b).map(|sum| Value::Quantity(Quantity(sum))).ok_or_else(|| "a quantity that is too large".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_what_kubernetes_takes_them_for() {
        for (text, nano) in [
            ("1", NANO),
            ("1500m", NANO * 3 / 2),
            ("0.5", NANO / 2),
            (".5", NANO / 2),
            ("5.", NANO * 5),
            ("1Ki", NANO * 1024),
            ("-1.5Gi", -NANO * 1024 * 1024 * 1536),
            ("1e3", NANO * 1000),
            ("1E3", NANO * 1000),
            ("1E", NANO * 1_000_000_000_000_000_000),
            ("1n", 1),
            ("0.1n", 1),
        ] {
            assert_eq!(Quantity::parse(text), Some(Quantity(nano)), "{text}");
        }
        for text in ["", "-", ".", "1.2.3", "1 Ki", "1ki", "Mi", "1e", "1e99", "0x10", "1Kim"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
        assert_eq!(Quantity::parse("1.5").unwrap().to_string(), "1500m");
    }
}
