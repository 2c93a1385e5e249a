//! What statements are about: SLSA provenance 1 and 0.2, SBOMs, VEX, scans; and the names that people have for these.
//!
//! A predicate is what somebody who is believed said; whether that is true of the image is between them and whoever believes
//! them. So what is read here is short: what a policy can ask for, and what a person wants to see.

use serde::Serialize;
use serde_json::Value;

use crate::Statement;

const PROVENANCE_1: &str = "https://slsa.dev/provenance/v1";
const PROVENANCE_02: &str = "https://slsa.dev/provenance/v0.2";
const SPDX: &str = "https://spdx.dev/Document";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const OPENVEX: &str = "https://openvex.dev/ns";
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
const VULNS: &str = "https://in-toto.io/attestation/vulns";

/// Names that cosign gives to types. Of several names of a type, the first is shown.
const KINDS: [(&str, &str); 10] = [
    ("slsaprovenance", PROVENANCE_02),
    ("slsaprovenance02", PROVENANCE_02),
    ("slsaprovenance1", PROVENANCE_1),
    ("spdxjson", SPDX),
    ("spdx", SPDX),
    ("cyclonedx", CYCLONEDX),
    ("openvex", OPENVEX),
    ("vuln", VULN),
    ("link", "https://in-toto.io/Link/v1"),
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
];

/// The type that people call `name`; what is no name is a type already.
pub fn type_of(name: &str) -> &str {
    KINDS.iter().find(|(known, _)| *known == name).map_or(name, |(_, uri)| uri)
}

/// What people call the type `uri`, where they have a name for it.
pub fn name_of(uri: &str) -> &str {
    KINDS.iter().find(|(_, known)| *known == uri).map_or(uri, |(name, _)| name)
}

/// Whether a statement of type `uri` is one of what people call `name`, or of that type. `slsaprovenance` is provenance of
/// either version, and a type without a version is any version of it.
pub fn is_of(uri: &str, name: &str) -> bool {
    let wanted = type_of(name);
    let version = |rest: &str| rest.strip_prefix('/').is_some_and(|rest| !rest.contains('/'));
    uri == wanted
        || (name == "slsaprovenance" && uri == PROVENANCE_1)
        || (name == "vuln" && uri.strip_prefix(VULNS).is_some_and(version))
        || ([SPDX, CYCLONEDX, OPENVEX].contains(&wanted) && uri.strip_prefix(wanted).is_some_and(version))
}

/// What a statement says, as far as this program knows its type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Predicate {
    /// How the image was built.
    Provenance(Provenance),
    /// What is in the image.
    Sbom {
        /// `SPDX-2.3`, `CycloneDX 1.6`.
        format: String,
        /// How many packages or components it lists.
        packages: usize,
    },
    /// What vulnerabilities do, or do not do, in the image.
    Vex {
        /// Who says so.
        author: Option<String>,
        /// About how many.
        statements: usize,
    },
    /// What a scanner found.
    Scan {
        /// Which.
        scanner: Option<String>,
        /// When it was done.
        finished: Option<String>,
    },
    /// Something else.
    Other,
}

/// How an image was built. What is missing was not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Who built it: `builder.id`.
    pub builder: Option<String>,
    /// Of what: the source that the build was asked for, not what that one needed.
    pub source: Option<String>,
    /// How: `buildType`, which says what the other fields mean.
    pub build_type: Option<String>,
    /// How many things went into it.
    pub materials: usize,
    /// When it was done.
    pub finished: Option<String>,
}

impl Statement {
    /// What it says.
    pub fn says(&self) -> Predicate {
        let predicate = &self.predicate;
        let text = |path: &str| at(predicate, path);
        let count = |path: &str| predicate.pointer(path).and_then(Value::as_array).map_or(0, Vec::len);
        let kind = self.predicate_type.as_str();
        if kind == PROVENANCE_1 {
            return Predicate::Provenance(provenance(predicate));
        }
        if kind == PROVENANCE_02 {
            return Predicate::Provenance(provenance_02(predicate));
        }
        if is_of(kind, "spdx") {
            let format = text("/spdxVersion").unwrap_or_else(|| "SPDX".to_owned());
            return Predicate::Sbom { format, packages: count("/packages") };
        }
        if is_of(kind, "cyclonedx") {
            let version = text("/specVersion").unwrap_or_default();
            let format = format!("CycloneDX {version}").trim_end().to_owned();
            return Predicate::Sbom { format, packages: count("/components") };
        }
        if is_of(kind, "openvex") {
            return Predicate::Vex { author: text("/author"), statements: count("/statements") };
        }
        if is_of(kind, "vuln") {
            return Predicate::Scan {
                scanner: text("/scanner/uri"),
                finished: text("/metadata/scanFinishedOn"),
            };
        }
        Predicate::Other
    }
}

/// SLSA provenance 1. Where the source stands is up to the build type; these are those of GitHub, `BuildKit` and ours.
fn provenance(predicate: &Value) -> Provenance {
    let text = |path: &str| at(predicate, path);
    let sources = ["/source/uri", "/source", "/configSource/uri", "/workflow/repository", "/repository"];
    let source = sources.iter().find_map(|path| text(&format!("/buildDefinition/externalParameters{path}")));
    let materials = predicate.pointer("/buildDefinition/resolvedDependencies").and_then(Value::as_array);
    Provenance {
        builder: text("/runDetails/builder/id"),
        source,
        build_type: text("/buildDefinition/buildType"),
        materials: materials.map_or(0, Vec::len),
        finished: text("/runDetails/metadata/finishedOn"),
    }
}

/// SLSA provenance 0.2.
fn provenance_02(predicate: &Value) -> Provenance {
    let text = |path: &str| at(predicate, path);
    Provenance {
        builder: text("/builder/id"),
        source: text("/invocation/configSource/uri"),
        build_type: text("/buildType"),
        materials: predicate.get("materials").and_then(Value::as_array).map_or(0, Vec::len),
        finished: text("/metadata/buildFinishedOn"),
    }
}

fn at(value: &Value, path: &str) -> Option<String> {
    value.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// What provenance must say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Letter by letter.
    pub builder: Option<String>,
    /// A repository, in any of the ways to write one; with `@REF`, at that.
    pub source: Option<String>,
    /// Letter by letter.
    pub build_type: Option<String>,
}

impl Wanted {
    /// Whether nothing in particular is wanted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why `predicate` does not say it. What is not said is not so.
    pub fn check(&self, predicate: &Predicate) -> Result<(), String> {
        if self.is_empty() {
            return Ok(());
        }
        let Predicate::Provenance(found) = predicate else {
            return Err("it does not say how the image was built".to_owned());
        };
        let exact = |wanted: &str, found: &str| wanted == found;
        check(self.builder.as_deref(), found.builder.as_deref(), "by", exact)?;
        check(self.source.as_deref(), found.source.as_deref(), "from", is_same_source)?;
        check(self.build_type.as_deref(), found.build_type.as_deref(), "as", exact)
    }
}

fn check(
    wanted: Option<&str>,
    found: Option<&str>,
    word: &str,
    is: impl Fn(&str, &str) -> bool,
) -> Result<(), String> {
    match (wanted, found) {
        (None, _) => Ok(()),
        (Some(wanted), Some(found)) if is(wanted, found) => Ok(()),
        (Some(wanted), Some(found)) => Err(format!("it was built {word} `{found}`, not {word} `{wanted}`")),
        (Some(wanted), None) => {
            Err(format!("it does not say what it was built {word}, which must be `{wanted}`"))
        }
    }
}

/// Whether `found` is the repository `wanted`. `git+https://host/a/b.git@refs/heads/main` is `https://host/a/b`, and
/// `host/a/b`, and nothing that only begins so.
fn is_same_source(wanted: &str, found: &str) -> bool {
    let (wanted, wanted_at) = parts(wanted);
    let (found, found_at) = parts(found);
    wanted == found && (wanted_at.is_none() || wanted_at == found_at)
}

fn parts(text: &str) -> (&str, Option<&str>) {
    let text = text.strip_prefix("git+").unwrap_or(text);
    let text = text.strip_prefix("https://").unwrap_or(text);
    // A name of a user stands before the first slash; what comes after it is where the source was taken.
    let path = text.find('/').unwrap_or(text.len());
    let place = text.get(path..).and_then(|rest| rest.find(['@', '#'])).map(|found| path + found);
    let (repository, at) = match place.and_then(|place| text.split_at_checked(place)) {
        Some((repository, at)) => (repository, at.get(1..)),
        None => (text, None),
    };
    let repository = repository.strip_suffix('/').unwrap_or(repository);
    (repository.strip_suffix(".git").unwrap_or(repository), at)
}
