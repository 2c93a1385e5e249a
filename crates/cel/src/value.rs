//! What an expression works with and what comes out of it.

use std::{net::IpAddr, rc::Rc};

use serde_json::Value as Json;

use crate::functions::{address::Network, format::Format, quantity::Quantity, semver::Semver, time::Moment};

/// A value; JSON is borrowed for `'a`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number without a sign.
    Uint(u64),
    /// Any number.
    Double(f64),
    /// Text.
    Text(Text<'a>),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
    /// A value or none.
    Optional(Option<Rc<Value<'a>>>),
    /// The name of a type.
    Type(&'static str),
    /// A moment.
    Timestamp(Moment),
    /// A length of time, in nanoseconds.
    Duration(i64),
    /// An amount, as of memory or processors.
    Quantity(Quantity),
    /// An IP address.
    Ip(IpAddr),
    /// A network of IP addresses.
    Cidr(Network),
    /// A URL.
    Url(Rc<url::Url>),
    /// A version.
    Semver(Rc<Semver>),
    /// A format that texts are held to.
    Format(&'static Format),
}

/// Text that stands in JSON or in the expression, or that was made.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// It stands somewhere.
    Borrowed(&'a str),
    /// It was made.
    Made(Rc<str>),
}

/// A list of JSON, or one that was made.
#[derive(Clone, Debug)]
pub enum List<'a> {
    /// It stands somewhere.
    Borrowed(&'a [Json]),
    /// It was made.
    Made(Rc<Vec<Value<'a>>>),
}

/// A map of JSON, or one that was made.
#[derive(Clone, Debug)]
pub enum Map<'a> {
    /// It stands somewhere.
    Borrowed(&'a serde_json::Map<String, Json>),
    /// It was made.
    Made(Rc<Vec<(Value<'a>, Value<'a>)>>),
}

impl Value<'_> {
    /// `true` or `false`, if it is one of them.
    pub const fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub(crate) fn made(text: impl AsRef<str>) -> Self {
        Self::Text(Text::Made(Rc::from(text.as_ref())))
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(List::Made(Rc::new(items)))
    }

    pub(crate) fn some(value: Self) -> Self {
        Self::Optional(Some(Rc::new(value)))
    }

    pub(crate) const NONE: Self = Self::Optional(None);

    /// The name of its type.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
        }
    }
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(truth) => Self::Bool(*truth),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(int), _) => Self::Int(int),
                (None, Some(uint)) => Self::Uint(uint),
                (None, None) => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::Text(Text::Borrowed(text)),
            Json::Array(items) => Self::List(List::Borrowed(items)),
            Json::Object(entries) => Self::Map(Map::Borrowed(entries)),
        }
    }
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Borrowed(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Borrowed(items) => items.get(index).map(Value::from),
            Self::Made(items) => items.get(index).cloned(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Value<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<'a> Map<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Borrowed(entries) => entries.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    /// What stands under a text.
    pub(crate) fn field(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Self::Borrowed(entries) => entries.get(name).map(Value::from),
            Self::Made(entries) => {
                let found = entries.iter().find(|(key, _)| key.text() == Some(name));
                found.map(|(_, value)| value.clone())
            }
        }
    }

    /// Keys with what stands under them, in order.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = (Value<'a>, Value<'a>)> + '_> {
        match self {
            Self::Borrowed(entries) => Box::new(
                entries.iter().map(|(key, value)| (Value::Text(Text::Borrowed(key)), Value::from(value))),
            ),
            Self::Made(entries) => Box::new(entries.iter().cloned()),
        }
    }

    /// All of them.
    pub(crate) fn entries(&self) -> Vec<(Value<'a>, Value<'a>)> {
        self.iter().collect()
    }
}
