//! Erlang and Elixir packages.
//!
//! | what | where |
//! |---|---|
//! | lock files | `mix.lock`, `rebar.lock`, Gleam's `manifest.toml` |
//! | advisories | by name: `hex` |
//! | order | semantic versions |
//!
//! What is installed leaves no record that tells versions apart from those of other packages; releases carry `.app`
//! files, which are for a later time.

mod locks;

use std::cmp::Ordering;

use boltseal_model::Package;

use crate::{Ecosystem, VersionError, lock, semver, shell};

/// See the [module](self).
pub struct Hex;

const ORDER: semver::Dialect = semver::Dialect { name: "Hex semver order", prefix: &[], short: true };

impl Ecosystem for Hex {
    fn id(&self) -> &'static str {
        "hex"
    }

    fn lock(&self, path: &str) -> Option<lock::Reader> {
        locks::reader(path)
    }

    fn compare(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        semver::compare(ORDER, a, b)
    }

    fn order_name(&self) -> &'static str {
        ORDER.name
    }

    fn osv_space(&self, osv_ecosystem: &str) -> Option<String> {
        (osv_ecosystem == "Hex").then(|| "hex".to_owned())
    }

    fn fix_command(&self, package: &Package, _fixed: &str) -> String {
        format!("mix deps.update {}", shell::quote(&package.name))
    }
}
