//! Configuration of engines that have a gate of their own, so that they fetch from approved registries only.
//!
//! ```
//! use boltseal_agent::engines::{Approved, containers};
//!
//! let approved = Approved::read("registry.example.com/team")?;
//! let files = containers::files(&[approved], None);
//! assert!(files[0].text.contains("\"registry.example.com/team\""));
//! # Ok::<(), boltseal_agent::engines::Error>(())
//! ```
//!
//! | module | engines |
//! |---|---|
//! | [`containers`] | podman, buildah, skopeo and CRI-O: `policy.json` and `registries.conf` |
//! | [`containerd`] | containerd: `hosts.toml` without fallback, and the program that it asks about every image |
//! | [`install`] | all, and Docker: told to start containers through [`wrapper`](crate::wrapper), and told otherwise again |
//!
//! Engines know registries and signatures, not verdicts: our registry refuses what a verdict refuses, and containerd asks.

pub mod containerd;
pub mod containers;
pub mod install;
mod json;
mod toml;

use boltseal_model::Reference;

/// A file of an engine's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it belongs, from the root.
    pub path: String,
    /// What stands in it.
    pub text: String,
    /// Whether it is a program.
    pub program: bool,
}

/// A registry, or a path in one, whose images may be fetched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Approved(String);

/// An upstream and where our registry has it: `docker.io=hub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// Host of the upstream.
    pub upstream: String,
    /// The prefix of its repositories in our registry.
    pub prefix: String,
}

/// Why something is no registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A path alone names no registry, since every engine adds another one.
    #[error("`{0}` is no registry, or registry and path: write such as `registry.example.com/team`")]
    Registry(String),
    /// A mirror without a place.
    #[error("`{0}` is no upstream and prefix: write such as `docker.io=hub`")]
    Mirrored(String),
}

impl Approved {
    /// Reads `HOST[:PORT][/PATH]`.
    pub fn read(text: &str) -> Result<Self, Error> {
        let text = text.trim_end_matches('/');
        let parsed: Result<Reference, _> = format!("{text}/x").parse();
        match parsed {
            Ok(_) if is_host(text.split('/').next().unwrap_or_default()) => Ok(Self(text.to_owned())),
            _ => Err(Error::Registry(text.to_owned())),
        }
    }

    /// `HOST[:PORT][/PATH]`
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `HOST[:PORT]`
    pub fn host(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
}

impl Mirrored {
    /// Reads `UPSTREAM=PREFIX`.
    pub fn read(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Mirrored(text.to_owned());
        let (upstream, prefix) = text.split_once('=').ok_or_else(wrong)?;
        let is_right =
            is_host(upstream) && Approved::read(upstream).is_ok() && Reference::is_repository(prefix);
        if is_right {
            Ok(Self { upstream: upstream.to_owned(), prefix: prefix.to_owned() })
        } else {
            Err(wrong())
        }
    }
}

/// As everywhere: with a dot, a port, or `localhost`.
fn is_host(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost"
}
