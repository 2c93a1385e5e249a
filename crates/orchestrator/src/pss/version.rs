//! Levels of the standards, and versions of Kubernetes that they changed with.

use std::{fmt, str::FromStr};

use serde::Serialize;
use thiserror::Error;

/// How strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Everything is allowed.
    Privileged,
    /// What is known to lead to the host is not.
    Baseline,
    /// What is known to be good practice is wanted.
    Restricted,
}

impl Level {
    /// Every level, the loosest first.
    pub const ALL: [Self; 3] = [Self::Privileged, Self::Baseline, Self::Restricted];

    /// As labels of namespaces have it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        Self::ALL.into_iter().find(|level| level.word() == text).ok_or_else(|| LevelError(text.to_owned()))
    }
}

/// Not a level.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a level: use privileged, baseline or restricted")]
pub struct LevelError(String);

/// A version of Kubernetes, 1.0 and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u16);

impl Version {
    /// The newest whose standards are known here; those of later versions are taken to be the same.
    pub const LATEST: Self = Self(37);

    /// `1.minor`
    pub const fn minor(minor: u16) -> Self {
        Self(minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1.{}", self.0)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text == "latest" {
            return Ok(Self::LATEST);
        }
        let numbers = text.strip_prefix('v').unwrap_or(text);
        let minor =
            numbers.strip_prefix("1.").filter(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()));
        minor.and_then(|minor| minor.parse().ok()).map(Self).ok_or_else(|| VersionError(text.to_owned()))
    }
}

/// Not a version of Kubernetes.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a version of Kubernetes: write `v1.31` or `latest`")]
pub struct VersionError(String);
