//! A credential in an image, where everybody who can pull the image can read it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Digest, Fingerprint};

/// A credential that was found. Holds where it lies and never what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Leak {
    /// Where.
    pub place: Place,
    /// The rule that found it: `github-personal-access-token`, `password`, …
    pub rule: String,
    /// What people call it.
    pub title: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// The layer that brought it; absent for what stands in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
    /// A later layer deleted or replaced the file: no container shows it, every pull brings it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The published package that the file belongs to: then it was public before, an example or a test key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Which of the image's different credentials it is, from 1: places with the same number hold the same one. Known
    /// where fingerprints are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// What a server recognises it by in all its images. Nobody without the server's key can test a guess with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

impl Leak {
    /// Whether somebody has to act: at least as likely as not a credential, and not public before.
    pub fn counts(&self) -> bool {
        self.package.is_none() && self.confidence >= Confidence::Medium
    }
}

/// Where in an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Place {
    /// A line of a file.
    File {
        /// Clean, without leading slash.
        path: String,
        /// From 1.
        line: usize,
    },
    /// `config.Env`.
    Variable {
        /// Left of the equals sign.
        name: String,
    },
    /// `config.Labels`.
    Label {
        /// The key.
        name: String,
    },
    /// `config.Entrypoint` or `config.Cmd`.
    Command,
    /// A build step.
    History {
        /// Its number, from 1.
        step: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Variable { name } => write!(f, "variable {name}"),
            Self::Label { name } => write!(f, "label {name}"),
            Self::Command => f.write_str("command"),
            Self::History { step } => write!(f, "build step {step}"),
        }
    }
}

/// How sure it is that something is a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Has the shape, but something speaks against it: a checksum that does not fit, a word where chance should be.
    Low,
    /// A name that says secret and a value that looks like chance.
    Medium,
    /// Nothing else looks like this: an issuer's own prefix, a private key.
    High,
    /// The checksum or the structure within the value fits.
    Verified,
}

impl Confidence {
    /// Every one, least sure first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Verified];

    /// The word as used in JSON and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Verified => "verified",
        }
    }
}
