//! VEX repositories: folders of documents with an `index.json` that says which is about which package.
//!
//! Written after <https://github.com/aquasecurity/vex-repo-spec>, version 0.1: an index maps package URLs without
//! version to files below the index.

use std::collections::BTreeSet;

use boltseal_model::Report;
use serde::Deserialize;

use super::{Error, error::field, parse, purl::Purl};

/// Name of the index in its folder.
pub const INDEX: &str = "index.json";
/// Packages of one index. The largest known has some thousand.
const MAX_ENTRIES: usize = 500_000;

/// Which documents there are.
#[derive(Debug)]
pub struct Index {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    location: String,
}

#[derive(Deserialize)]
struct Whole {
    packages: Vec<Entry>,
}

impl Index {
    /// Reads an index. A location that leads out of its folder is an error.
    pub fn parse(bytes: &[u8], source: &str) -> Result<Self, Error> {
        if bytes.len() > super::MAX_BYTES {
            return Err(Error::TooLong { source_name: source.to_owned(), limit: super::MAX_BYTES });
        }
        let Whole { packages } = parse(bytes, source)?;
        if packages.len() > MAX_ENTRIES {
            let source_name = source.to_owned();
            return Err(Error::TooMany { source_name, what: "packages", limit: MAX_ENTRIES });
        }
        for (index, entry) in packages.iter().enumerate() {
            let is_inside = |part: &str| !part.is_empty() && part != "." && part != "..";
            if !entry.location.split('/').all(is_inside) || entry.location.contains(['\\', '\0', ':']) {
                let place = format!("packages[{index}].location");
                return Err(field(source, place, "leads out of the folder of the index"));
            }
        }
        Ok(Self { entries: packages })
    }

    /// The documents about packages with findings in `report`, or about images; sorted.
    pub fn about(&self, report: &Report) -> Vec<&str> {
        let findings = report.findings.iter().filter_map(|finding| Purl::parse(&finding.purl));
        let names: BTreeSet<String> = findings.map(|purl| purl.key()).collect();
        let wanted = |entry: &&Entry| {
            Purl::parse(&entry.id).is_some_and(|purl| purl.is_image() || names.contains(&purl.key()))
        };
        let locations: BTreeSet<&str> =
            self.entries.iter().filter(wanted).map(|entry| entry.location.as_str()).collect();
        locations.into_iter().collect()
    }
}
