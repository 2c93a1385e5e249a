//! How an image was built, as whoever ran the build saw it: SLSA provenance 1 of any command.

use std::collections::BTreeMap;

use boltseal_model::{Digest, Timestamp};
use serde_json::{Value, json};

use crate::Statement;

/// What the other fields of our provenance mean: see docs/guide/signatures.md.
pub const BUILD_TYPE: &str = "urn:boltseal:build-record:1";

/// What went into a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    /// Where it is from: `git+https://…`, `pkg:oci/…`, `file:…`.
    pub uri: String,
    /// Its digests by algorithm, as in-toto names them: `sha256`, `gitCommit`.
    pub digest: BTreeMap<String, String>,
}

/// A build that was done.
#[derive(Clone, Debug)]
pub struct BuildRecord {
    /// Program and arguments.
    pub command: Vec<String>,
    /// The source that was built, with where it was taken after an `@`.
    pub source: Option<String>,
    /// What people call the image.
    pub image: String,
    /// Source, base images, files.
    pub materials: Vec<Material>,
    /// SHA-256 over the variables of the command's environment, and their names.
    pub environment: (Digest, Vec<String>),
    /// Names of variables whose values may be secret. They are not in the hash, from which they could be guessed.
    pub left_out: Vec<String>,
    /// Who built: a URI.
    pub builder: String,
    /// Of this program.
    pub version: String,
    /// From when to when.
    pub ran: (Timestamp, Timestamp),
}

impl BuildRecord {
    /// What can be signed about the image.
    pub fn statement(&self) -> Statement {
        let materials: Vec<Value> =
            self.materials.iter().map(|one| json!({ "uri": one.uri, "digest": one.digest })).collect();
        let (hash, names) = &self.environment;
        let mut asked = json!({ "command": self.command, "image": self.image });
        if let (Some(source), Some(fields)) = (&self.source, asked.as_object_mut()) {
            fields.insert("source".to_owned(), json!(source));
        }
        let predicate = json!({
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": asked,
                "internalParameters": {
                    "environment": { "sha256": hash.hex(), "names": names, "leftOut": self.left_out },
                },
                "resolvedDependencies": materials,
            },
            "runDetails": {
                "builder": { "id": self.builder, "version": { "boltseal": self.version } },
                "metadata": { "startedOn": seconds(self.ran.0), "finishedOn": seconds(self.ran.1) },
            },
        });
        Statement { predicate_type: "https://slsa.dev/provenance/v1".to_owned(), predicate }
    }
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
