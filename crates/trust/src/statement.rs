//! What was said about an image: an in-toto statement (in-toto attestation framework, Statement v1 and v0.1).

use std::collections::BTreeMap;

use boltseal_model::Digest;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;

use crate::Refusal;

/// The type of a payload that is a statement.
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// What statements call themselves.
pub(crate) const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const TYPES: [&str; 2] = [STATEMENT, "https://in-toto.io/Statement/v0.1"];
/// What cosign signs when it says no more than "I signed this".
pub(crate) const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// Subjects of one statement. A release with images for many platforms has some hundred.
pub const MAX_SUBJECTS: usize = 10_000;

/// A statement whose signature and subject were checked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statement {
    /// What the predicate is, such as `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// What is said.
    pub predicate: Value,
}

/// All but the predicate, which may be an SBOM of megabytes: it is read only where it counts.
#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default, rename = "predicate")]
    _predicate: IgnoredAny,
}

#[derive(Deserialize)]
struct Whole {
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

impl Statement {
    /// The type of the predicate in `payload`, which must be about `image`.
    pub(crate) fn type_in(payload_type: &str, payload: &[u8], image: &Digest) -> Result<String, Refusal> {
        if payload_type != PAYLOAD_TYPE {
            return Err(malformed(format!("its type is `{payload_type}`, not `{PAYLOAD_TYPE}`")));
        }
        let shape: Shape = serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
        if !TYPES.contains(&shape.kind.as_str()) {
            return Err(malformed(format!("it is a `{}`, not a statement of in-toto", shape.kind)));
        }
        if shape.subject.len() > MAX_SUBJECTS {
            return Err(malformed(format!(
                "it has {} subjects, more than {MAX_SUBJECTS}",
                shape.subject.len()
            )));
        }
        let (algorithm, hex) = (image.algorithm().name(), image.hex());
        if !shape.subject.iter().any(|subject| subject.digest.get(algorithm) == Some(&hex)) {
            let found = shape.subject.first().map_or_else(|| "nothing".to_owned(), Subject::told);
            return Err(Refusal::OtherImage { image: image.clone(), found });
        }
        Ok(shape.predicate_type)
    }

    /// Reads all of a payload of which the type was read.
    pub(crate) fn read(payload: &[u8]) -> Result<Self, Refusal> {
        let Whole { predicate_type, predicate } =
            serde_json::from_slice(payload).map_err(|error| malformed(error.to_string()))?;
        Ok(Self { predicate_type, predicate })
    }
}

fn malformed(why: String) -> Refusal {
    Refusal::Malformed { what: "the statement", why }
}

impl Subject {
    fn told(&self) -> String {
        match self.digest.iter().next() {
            Some((algorithm, hex)) => format!("{algorithm}:{hex}"),
            None => format!("`{}` without a digest", self.name),
        }
    }
}
