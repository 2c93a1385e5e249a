//! Timestamps and durations (`langdef.md`, "Timestamp and Duration", and the abstract types of the list of standard definitions),
//! as the API server's library has them: a duration is a number of nanoseconds in 64 bits.
//!
//! No function says what time it is: the same facts give the same answer. Zones are offsets, or names ([`zone`]).

use std::fmt;

use jiff::{SignedDuration, civil::DateTime};

use crate::{
    budget::Budget,
    error::Stop,
    functions::{Function, global, member, refuse, zone},
    show,
    tree::Operator,
    value::Value,
};

const NANOSECOND: i64 = 1;
const SECOND: i64 = 1_000_000_000;
/// Digits behind the point of a part of a duration: more are below a nanosecond of every unit.
const MAX_DIGITS: usize = 18;
/// The widest zone there is.
const MAX_OFFSET: i64 = 14 * 60;

/// A moment of the years 1 to 9999, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(DateTime);

pub(super) const FUNCTIONS: &[Function] = &[
    global("timestamp", 1, 1, timestamp),
    global("duration", 1, 1, duration),
    member("getFullYear", 0, 1, |budget, values| field(budget, "getFullYear", values, |at| at.year().into())),
    member("getMonth", 0, 1, |budget, values| {
        field(budget, "getMonth", values, |at| i64::from(at.month()) - 1)
    }),
    member("getDate", 0, 1, |budget, values| field(budget, "getDate", values, |at| at.day().into())),
    member("getDayOfMonth", 0, 1, |budget, values| {
        field(budget, "getDayOfMonth", values, |at| i64::from(at.day()) - 1)
    }),
    member("getDayOfWeek", 0, 1, |budget, values| {
        field(budget, "getDayOfWeek", values, |at| at.weekday().to_sunday_zero_offset().into())
    }),
    member("getDayOfYear", 0, 1, |budget, values| {
        field(budget, "getDayOfYear", values, |at| i64::from(at.date().day_of_year()) - 1)
    }),
    member("getHours", 0, 1, |budget, values| {
        part(budget, "getHours", values, 3_600 * SECOND, |at| at.hour().into())
    }),
    member("getMinutes", 0, 1, |budget, values| {
        part(budget, "getMinutes", values, 60 * SECOND, |at| at.minute().into())
    }),
    member("getSeconds", 0, 1, |budget, values| {
        part(budget, "getSeconds", values, SECOND, |at| at.second().into())
    }),
    member("getMilliseconds", 0, 1, |budget, values| {
        part(budget, "getMilliseconds", values, SECOND / 1_000, |at| at.millisecond().into())
    }),
];

impl Moment {
    fn of(at: DateTime) -> Option<Self> {
        (1..=9999).contains(&at.year()).then_some(Self(at))
    }

    /// By the seconds since 1970.
    fn from_seconds(seconds: i64) -> Option<Self> {
        Self::of(epoch().checked_add(SignedDuration::from_secs(seconds)).ok()?)
    }

    /// Whole seconds since 1970; of a moment before that, the earlier one.
    pub(crate) fn seconds(self) -> i64 {
        let since = self.0.duration_since(epoch());
        since.as_secs() - i64::from(since.subsec_nanos() < 0)
    }

    fn plus(self, nanoseconds: i64) -> Option<Self> {
        Self::of(self.0.checked_add(SignedDuration::from_nanos(nanoseconds)).ok()?)
    }

    /// RFC 3339, in capitals.
    fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, length: usize| -> Option<i16> {
            let digits =
                text.get(from..from + length).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
            digits.parse().ok()
        };
        let sign = |at: usize, wanted: u8| (bytes.get(at) == Some(&wanted)).then_some(());
        let small = |from: usize| i8::try_from(number(from, 2)?).ok();
        sign(4, b'-')?;
        sign(7, b'-')?;
        sign(10, b'T')?;
        sign(13, b':')?;
        sign(16, b':')?;
        let mut end = 19;
        let mut nanoseconds = 0;
        if bytes.get(end) == Some(&b'.') {
            let digits: String = text.get(end + 1..)?.chars().take_while(char::is_ascii_digit).collect();
            end += 1 + digits.len();
            if digits.is_empty() {
                return None;
            }
            let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
            nanoseconds = nine.parse().ok()?;
        }
        let minutes = match text.get(end..)? {
            "Z" => 0,
            zone => offset(zone).filter(|_| zone.starts_with(['+', '-']))?,
        };
        let [month, day, hour, minute, second] = [small(5)?, small(8)?, small(11)?, small(14)?, small(17)?];
        let at = DateTime::new(number(0, 4)?, month, day, hour, minute, second, nanoseconds).ok()?;
        Self::of(at.checked_sub(SignedDuration::from_mins(minutes)).ok()?)
    }

    /// The same moment as clocks of a zone show it.
    fn local(self, budget: &mut Budget, zone: &str) -> Result<DateTime, Stop> {
        let seconds = match zone {
            "" | "UTC" => Some(0),
            zone => match offset(zone) {
                Some(minutes) => Some(60 * minutes),
                None => zone::offset(budget, zone, self.seconds())?,
            },
        };
        let seconds = seconds.ok_or_else(|| {
            let zone = clean(zone);
            Stop::Wrong(format!(
                "`{zone}` is no zone here: write UTC, Europe/Zurich, or an offset such as +02:00"
            ))
        })?;
        self.0.checked_add(SignedDuration::from_secs(seconds)).map_err(|_| range())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.0;
        write!(f, "{:04}-{:02}-{:02}T", at.year(), at.month(), at.day())?;
        write!(f, "{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())?;
        let nanoseconds = format!("{:09}", at.subsec_nanosecond());
        match nanoseconds.trim_end_matches('0') {
            "" => f.write_str("Z"),
            digits => write!(f, ".{digits}Z"),
        }
    }
}

/// A duration as the language writes it: seconds, and parts of one behind a point.
#[expect(clippy::cast_precision_loss, reason = "shown as the reference implementation shows it")]
pub(crate) fn shown(nanoseconds: i64) -> String {
    let seconds = (nanoseconds / SECOND) as f64 + (nanoseconds % SECOND) as f64 / SECOND as f64;
    format!("{}s", show::double(seconds))
}

/// `+` and `-` where one side is a timestamp or a duration; `None` where neither is.
pub(crate) fn calculate<'a>(
    operator: Operator,
    a: &Value<'_>,
    b: &Value<'_>,
) -> Option<Result<Value<'a>, Stop>> {
    let moment = |moment: Option<Moment>| moment.map(Value::Timestamp).ok_or_else(range);
    let length = |length: Option<i64>| length.map(Value::Duration).ok_or_else(range);
    Some(match (operator, a, b) {
        (Operator::Add, Value::Timestamp(at), Value::Duration(by))
        | (Operator::Add, Value::Duration(by), Value::Timestamp(at)) => moment(at.plus(*by)),
        (Operator::Subtract, Value::Timestamp(at), Value::Duration(by)) => {
            moment(by.checked_neg().and_then(|by| at.plus(by)))
        }
        (Operator::Subtract, Value::Timestamp(a), Value::Timestamp(b)) => {
            length(i64::try_from(a.0.duration_since(b.0).as_nanos()).ok())
        }
        (Operator::Add, Value::Duration(a), Value::Duration(b)) => length(a.checked_add(*b)),
        (Operator::Subtract, Value::Duration(a), Value::Duration(b)) => length(a.checked_sub(*b)),
        _ => return None,
    })
}

const fn epoch() -> DateTime {
    jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)
}

fn range() -> Stop {
    Stop::Wrong("a time out of range: years are 1 to 9999, durations some 292 years".to_owned())
}

fn clean(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_control()).take(60).collect()
}

/// Minutes east of UTC of `+02:00`, `-09:30`, `02:00`.
fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.as_bytes().first()? {
        b'-' => (-1, zone.get(1..)?),
        b'+' => (1, zone.get(1..)?),
        _ => (1, zone),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two = |text: &str| -> Option<i64> {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse().ok() } else { None }
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= MAX_OFFSET).then_some(sign * all)
}

fn timestamp<'a>(_: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let found = match values {
        [Value::Timestamp(at)] => Some(*at),
        [Value::Int(seconds)] => Some(Moment::from_seconds(*seconds).ok_or_else(range)?),
        [Value::Text(text)] => Moment::parse(text.as_str()),
        _ => return Err(refuse("timestamp", values)),
    };
    let shown = || clean(&values.first().map(show::shown).unwrap_or_default());
    found.map(Value::Timestamp).ok_or_else(|| {
        Stop::Wrong(format!("`{}` is no timestamp: write 2026-11-26T12:00:00Z (years 1 to 9999)", shown()))
    })
}

fn duration<'a>(_: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Duration(length)] => Ok(Value::Duration(*length)),
        [Value::Text(text)] => length(text.as_str()).map(Value::Duration).ok_or_else(|| {
            let text = clean(text.as_str());
            Stop::Wrong(format!("`{text}` is no duration: write 1h30m, 90s or 1.5ms (292 years at most)"))
        }),
        _ => Err(refuse("duration", values)),
    }
}

/// `1h30m`, `-1.5s`, `0`: numbers with their units, each with an optional fraction.
fn length(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut all: i128 = 0;
    while !rest.is_empty() {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole, after) = rest.split_at_checked(digits(rest))?;
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at_checked(digits(after))?,
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|sign: char| sign == '.' || sign.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let unit = i128::from(match unit {
            "ns" => NANOSECOND,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3_600 * SECOND,
            _ => return None,
        });
        let number: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let fraction = fraction.get(..fraction.len().min(MAX_DIGITS))?;
        let parts: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        all = all.checked_add(number.checked_mul(unit)?)?.checked_add(parts * unit / scale)?;
        rest = after;
    }
    i64::try_from(sign * all).ok()
}

/// A field of a moment, in the zone that is given.
fn field<'a>(
    budget: &mut Budget,
    name: &str,
    values: &[Value<'a>],
    get: fn(DateTime) -> i64,
) -> Result<Value<'a>, Stop> {
    let (at, zone) = match values {
        [Value::Timestamp(at)] => (at, ""),
        [Value::Timestamp(at), Value::Text(zone)] => (at, zone.as_str()),
        _ => return Err(refuse(name, values)),
    };
    at.local(budget, zone).map(|at| Value::Int(get(at)))
}

/// The same, which of a duration is all of it in whole units.
fn part<'a>(
    budget: &mut Budget,
    name: &str,
    values: &[Value<'a>],
    unit: i64,
    get: fn(DateTime) -> i64,
) -> Result<Value<'a>, Stop> {
    match values {
        [Value::Duration(length)] => Ok(Value::Int(length / unit)),
        _ => field(budget, name, values, get),
    }
}
