//! A policy as people keep it: a file, and beside it the keys and trusted roots that it names.
//!
//! Those files lie in the folder of the policy or below it: a policy that was sent around must not read anything else.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Component, Path},
};

use boltseal_policy::Policy;

use crate::statements::{Believed, BelievedError};

/// Bytes of one file: a policy may have 1 MiB, and refuses more itself.
const MAX_FILE: u64 = (1 << 20) + 1;
/// Bytes of one beside it: a list of revoked certificates may be the largest; of others the policy refuses more itself.
const MAX_BESIDE: u64 = boltseal_policy::MAX_LIST as u64 + 1;

/// A policy with its text, and whom it believes.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The policy.
    pub policy: Policy,
    /// The text of its file.
    pub text: String,
    /// Its authorities, ready to verify with.
    pub believed: Believed,
}

/// Why a file is not a policy to judge with.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is no policy.
    #[error("{path}: {source}")]
    Policy {
        /// The file.
        path: String,
        /// What is wrong, with the line.
        source: boltseal_policy::Error,
    },
    /// It names somebody whom nobody can recognise.
    #[error("{path}: {source}")]
    Believed {
        /// The file.
        path: String,
        /// Whom, and why.
        source: BelievedError,
    },
}

impl Rules {
    /// Reads the policy in the file at `path`.
    pub fn read(path: &Path) -> Result<Self, RulesError> {
        let shown = || path.display().to_string();
        let text = text(path, MAX_FILE).map_err(|source| RulesError::Io { path: shown(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let policy = Policy::parse_beside(&text, &|name| beside(folder, name))
            .map_err(|source| RulesError::Policy { path: shown(), source })?;
        let believed =
            Believed::of(&policy).map_err(|source| RulesError::Believed { path: shown(), source })?;
        Ok(Self { policy, text, believed })
    }

    /// The policy that applies where nobody chose another. It believes nobody, because it asks nobody.
    pub fn built_in() -> Self {
        let (policy, text) = (Policy::built_in().clone(), Policy::built_in_text().to_owned());
        Self { policy, text, believed: Believed::default() }
    }
}

/// The text of a file in `folder`, or why there is none.
fn beside(folder: &Path, name: &str) -> Result<String, String> {
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(format!("`{name}`: name a file in the folder of the policy, or below it"));
    }
    let path = folder.join(name);
    text(&path, MAX_BESIDE).map_err(|wrong| format!("cannot read {}: {wrong}", path.display()))
}

fn text(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}
