//! Filters from pairs of names and values, and back.

use boltseal_model::{Date, Timestamp};
use jiff::tz::TimeZone;

use super::{Filter, Pattern, needle::Needles};
use crate::record::{Activity, Class, Outcome, Severity};

/// Longer values are mistakes, and each is looked for in every entry.
const MAX_VALUE: usize = 1024;
/// The names that a filter knows.
const NAMES: [&str; 11] = [
    "who", "action", "activity", "class", "since", "until", "subject", "outcome", "severity", "alert", "text",
];

/// Why pairs are not a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A name that a filter does not have.
    #[error("`{name}` is no filter; known are: {}", NAMES.join(", "))]
    Name {
        /// The name.
        name: String,
    },
    /// The same name twice.
    #[error("the filter `{name}` stands there twice: keep one")]
    Twice {
        /// The name.
        name: &'static str,
    },
    /// A value that makes no sense.
    #[error("the filter {name} is `{value}`: expected {wanted}")]
    Value {
        /// The filter's name.
        name: &'static str,
        /// The beginning of the value.
        value: String,
        /// What makes sense there.
        wanted: String,
    },
}

pub(super) fn read<K: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<Filter, FilterError> {
    let mut filter = Filter::default();
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in pairs {
        let (name, value) = (name.as_ref(), value.as_ref().trim());
        let Some(name) = NAMES.into_iter().find(|known| *known == name) else {
            return Err(FilterError::Name { name: shown(name) });
        };
        if value.is_empty() {
            continue;
        }
        if seen.contains(&name) {
            return Err(FilterError::Twice { name });
        }
        seen.push(name);
        if value.len() > MAX_VALUE {
            return Err(wrong(name, value, format!("at most {MAX_VALUE} bytes")));
        }
        set(&mut filter, name, value)?;
    }
    filter.needles = Needles::of(&filter);
    Ok(filter)
}

fn set(filter: &mut Filter, name: &'static str, value: &str) -> Result<(), FilterError> {
    match name {
        "who" => filter.who = Some(value.to_owned()),
        "action" => {
            let (start, open) = value.strip_suffix('*').map_or((value, false), |start| (start, true));
            filter.action = Some(Pattern { start: start.to_owned(), open });
        }
        "activity" => {
            filter.activity = Some(word(name, value, Activity::named, Activity::ALL.map(Activity::name))?);
        }
        "class" => filter.class = Some(word(name, value, Class::named, Class::ALL.map(Class::name))?),
        "since" => filter.since = Some(moment(name, value)?),
        "until" => filter.until = Some(moment(name, value)?),
        "subject" => filter.subject = Some(value.to_owned()),
        "outcome" => {
            filter.outcome = Some(word(name, value, Outcome::named, Outcome::ALL.map(Outcome::name))?);
        }
        "severity" => {
            filter.severity = Some(word(name, value, Severity::named, Severity::ALL.map(Severity::name))?);
        }
        "alert" if value == "true" => filter.alert = true,
        "alert" if value == "false" => filter.alert = false,
        "alert" => return Err(wrong(name, value, "true or false".to_owned())),
        _ => filter.text = Some(value.to_owned()),
    }
    Ok(())
}

fn word<T, const N: usize>(
    name: &'static str,
    value: &str,
    named: impl Fn(&str) -> Option<T>,
    words: [&str; N],
) -> Result<T, FilterError> {
    named(value).ok_or_else(|| wrong(name, value, format!("one of {}", words.join(", "))))
}

fn moment(name: &'static str, value: &str) -> Result<Timestamp, FilterError> {
    let day = || value.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    value.parse::<Timestamp>().ok().or_else(day).ok_or_else(|| {
        wrong(name, value, "a moment such as 2026-03-01T12:00:00Z, or a date such as 2026-03-01".to_owned())
    })
}

pub(super) fn pairs(filter: &Filter) -> Vec<(&'static str, String)> {
    let action = filter.action.as_ref();
    let action = action.map(|pattern| format!("{}{}", pattern.start, if pattern.open { "*" } else { "" }));
    let all = [
        ("who", filter.who.clone()),
        ("action", action),
        ("activity", filter.activity.map(|activity| activity.name().to_owned())),
        ("class", filter.class.map(|class| class.name().to_owned())),
        ("since", filter.since.map(|since| since.to_string())),
        ("until", filter.until.map(|until| until.to_string())),
        ("subject", filter.subject.clone()),
        ("outcome", filter.outcome.map(|outcome| outcome.name().to_owned())),
        ("severity", filter.severity.map(|severity| severity.name().to_owned())),
        ("alert", filter.alert.then(|| "true".to_owned())),
        ("text", filter.text.clone()),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn wrong(name: &'static str, value: &str, wanted: String) -> FilterError {
    FilterError::Value { name, value: shown(value), wanted }
}

/// Messages go to terminals, and the value may be anybody's.
fn shown(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
