//! Bodies as the engine reads them.
//!
//! The engine is written in Go, whose decoder takes `hostconfig`, `HOSTCONFIG` and `ho\u{17f}tConfig` for `HostConfig`, and
//! merges a name that comes twice. Whoever looks only at `HostConfig`, or only at the last of two, can be talked past. So
//! names are compared as Go compares them (`encoding/json`, "preferring exact but accepting case-insensitive"), and an
//! object in which a name that we need comes twice is refused.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

/// A JSON value with every name it has, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// Whichever: none opens anything.
    Number,
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Why a body is not looked at further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the body is not JSON: {0}")]
    Syntax(String),
    #[error("the body names `{0}` more than once, and engines differ in which one counts")]
    Twice(String),
    #[error("`{name}` is not {wanted}, as the engine's API has it")]
    Kind { name: String, wanted: &'static str },
}

impl Value {
    /// Reads a body; nothing may come after it. Depth is bounded by the parser (128).
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| Error::Syntax(error.to_string()))
    }

    /// What has this name, in an object; null is as good as nothing.
    pub fn get(&self, name: &str) -> Result<Option<&Self>, Error> {
        let members = match self {
            Self::Object(members) => members,
            Self::Null => return Ok(None),
            _ => return Err(Error::Kind { name: name.to_owned(), wanted: "inside an object" }),
        };
        let mut found = members.iter().filter(|(key, _)| folds_to(key, name));
        let value = found.next().map(|(_, value)| value);
        if found.next().is_some() {
            return Err(Error::Twice(name.to_owned()));
        }
        Ok(value.filter(|value| **value != Self::Null))
    }

    /// What is at the end of these names.
    pub fn at(&self, names: &[&str]) -> Result<Option<&Self>, Error> {
        let mut value = Some(self);
        for name in names {
            value = match value {
                Some(value) => value.get(name)?,
                None => return Ok(None),
            };
        }
        Ok(value)
    }

    pub fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.get(name)? {
            None => Ok(None),
            Some(Self::Text(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(Error::Kind { name: name.to_owned(), wanted: "a string" }),
        }
    }

    /// Absent is false, as in Go.
    pub fn is_true(&self, name: &str) -> Result<bool, Error> {
        match self.get(name)? {
            None => Ok(false),
            Some(Self::Bool(value)) => Ok(*value),
            Some(_) => Err(Error::Kind { name: name.to_owned(), wanted: "true or false" }),
        }
    }

    pub fn list(&self, name: &str) -> Result<&[Self], Error> {
        match self.get(name)? {
            None => Ok(&[]),
            Some(Self::List(values)) => Ok(values),
            Some(_) => Err(Error::Kind { name: name.to_owned(), wanted: "a list" }),
        }
    }

    /// A list of strings.
    pub fn texts(&self, name: &str) -> Result<Vec<&str>, Error> {
        let wrong = || Error::Kind { name: name.to_owned(), wanted: "a list of strings" };
        self.list(name)?
            .iter()
            .map(|value| if let Self::Text(text) = value { Ok(text.as_str()) } else { Err(wrong()) })
            .collect()
    }

    /// A map: its names are data, and compared with nothing.
    pub fn map(&self, name: &str) -> Result<&[(String, Self)], Error> {
        match self.get(name)? {
            None => Ok(&[]),
            Some(Self::Object(members)) => Ok(members),
            Some(_) => Err(Error::Kind { name: name.to_owned(), wanted: "an object" }),
        }
    }
}

/// Whether Go's decoder takes `key` for the field `name`: simple case folding, which knows two letters beyond ASCII
/// that fold into it (the long s and the sign of Kelvin).
fn folds_to(key: &str, name: &str) -> bool {
    let fold = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => letter.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
            if object.len() > MAX_MEMBERS {
                return Err(A::Error::custom(format!("an object of more than {MAX_MEMBERS} members")));
            }
        }
        Ok(Value::Object(object))
    }
}

/// Members of an object. Labels and environment are tens; names are looked up by walking.
const MAX_MEMBERS: usize = 10_000;
