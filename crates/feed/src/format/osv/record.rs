//! The fields of an OSV record that we read.

use serde::{Deserialize, Deserializer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub id: String,
    pub modified: Option<String>,
    pub published: Option<String>,
    pub withdrawn: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub summary: String,
    #[serde(deserialize_with = "nullable")]
    pub details: String,
    #[serde(deserialize_with = "nullable")]
    pub aliases: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub upstream: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub related: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub severity: Vec<Score>,
    #[serde(deserialize_with = "nullable")]
    pub affected: Vec<Affected>,
    #[serde(deserialize_with = "nullable")]
    pub references: Vec<Reference>,
    #[serde(deserialize_with = "nullable")]
    pub database_specific: Specific,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Affected {
    pub package: Option<Package>,
    #[serde(deserialize_with = "nullable")]
    pub ranges: Vec<Range>,
    #[serde(deserialize_with = "nullable")]
    pub versions: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub severity: Vec<Score>,
    #[serde(deserialize_with = "nullable")]
    pub ecosystem_specific: Specific,
    #[serde(deserialize_with = "nullable")]
    pub database_specific: Specific,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub ecosystem: String,
    pub name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Range {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(deserialize_with = "nullable")]
    pub events: Vec<Event>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    pub introduced: Option<String>,
    pub fixed: Option<String>,
    pub last_affected: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Score {
    #[serde(rename = "type")]
    pub kind: String,
    pub score: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference {
    pub url: String,
}

/// What databases add on their own: only the words that grade a record.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Specific {
    /// GitHub, Bitnami, Ubuntu: a word. Others put anything here.
    pub severity: serde_json::Value,
    /// Debian.
    pub urgency: serde_json::Value,
    /// `RustSec`, Haskell: a vector.
    pub cvss: serde_json::Value,
    /// `RustSec`: `unmaintained`, `unsound`, `notice`.
    pub informational: serde_json::Value,
}

/// Some writers say `null` for an empty list.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
