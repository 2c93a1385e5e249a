//! OpenVEX documents of our own: made, and extended by later statements.
//!
//! A document speaks for one author. What it said before stays; a later statement about the same product and vulnerability
//! replaces it by its time. Its id stays the same, its version counts up.

use boltseal_model::{Digest, Timestamp, VexStatus};
use serde_json::{Map, Value, json};

use super::{Origin, openvex::CONTEXT, purl::Purl, read};

pub use super::openvex::JUSTIFICATIONS;

/// The version that is written.
const VERSION: &str = "https://openvex.dev/ns/v0.2.0";
/// What OpenVEX documents are called in registries.
pub const MEDIA_TYPE: &str = "application/openvex+json";

/// What is to be said.
#[derive(Clone, Copy, Debug)]
pub struct Addition<'a> {
    /// About what: package URLs.
    pub products: &'a [String],
    /// Only about these parts of it: package URLs.
    pub parts: &'a [String],
    /// The id of the vulnerability.
    pub vulnerability: &'a str,
    /// What about it.
    pub status: VexStatus,
    /// One of [`JUSTIFICATIONS`], for `not_affected` only.
    pub justification: Option<&'a str>,
    /// Who says so.
    pub author: &'a str,
    /// Why, in words: impact, action or notes, as the status wants.
    pub reason: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The document to extend cannot be read.
    #[error(transparent)]
    Existing(#[from] super::Error),
    /// It is no OpenVEX 0.2.0.
    #[error("the document to extend is no OpenVEX 0.2.0: write a new one")]
    OtherFormat,
    /// Its author is somebody else.
    #[error("the document speaks for `{author}`: write a document of your own")]
    OtherAuthor {
        /// Who.
        author: String,
    },
    /// It was changed later than that.
    #[error("the document was changed at {changed}, after {at}: the statement would not count")]
    Earlier {
        /// Last change of the document.
        changed: Timestamp,
        /// Of the statement.
        at: Timestamp,
    },
    /// Not what such a field holds.
    #[error("`{text}` is no package URL, such as pkg:deb/debian/bash or pkg:oci/app@sha256:…")]
    Product {
        /// As given.
        text: String,
    },
    /// Something must be said.
    #[error("{what} must not be empty")]
    Empty {
        /// Which part.
        what: &'static str,
    },
    /// `not_affected` says why.
    #[error("not_affected needs a justification: one of {}", JUSTIFICATIONS.join(", "))]
    NoJustification,
    /// Not a word of OpenVEX.
    #[error("`{word}` is no justification: one of {}", JUSTIFICATIONS.join(", "))]
    UnknownJustification {
        /// As given.
        word: String,
    },
    /// Only `not_affected` is justified.
    #[error("a justification goes with not_affected only, not with {}", .status.word())]
    NeedlessJustification {
        /// As given.
        status: VexStatus,
    },
}

/// The text of a document that says `addition`, and what `existing` said.
pub fn add(existing: Option<&[u8]>, addition: &Addition<'_>) -> Result<String, WriteError> {
    check(addition)?;
    let at = addition.at.to_string();
    let mut document = match existing {
        Some(bytes) => extended(bytes, addition)?,
        None => fresh(addition),
    };
    let statement = statement(addition, &at);
    match document.get_mut("statements").and_then(Value::as_array_mut) {
        Some(statements) => statements.push(statement),
        None => drop(document.insert("statements".to_owned(), json!([statement]))),
    }
    let mut text = format!("{:#}", Value::Object(document));
    text.push('\n');
    Ok(text)
}

fn check(addition: &Addition<'_>) -> Result<(), WriteError> {
    let empty = |what| Err(WriteError::Empty { what });
    if addition.author.trim().is_empty() {
        return empty("the author");
    }
    if addition.reason.trim().is_empty() {
        return empty("the reason");
    }
    if addition.vulnerability.trim().is_empty() {
        return empty("the vulnerability");
    }
    if addition.products.is_empty() {
        return empty("the product");
    }
    let mut purls = addition.products.iter().chain(addition.parts);
    if let Some(text) = purls.find(|text| Purl::parse(text).is_none()) {
        return Err(WriteError::Product { text: text.chars().take(200).collect() });
    }
    match (addition.status, addition.justification) {
        (VexStatus::NotAffected, None) => Err(WriteError::NoJustification),
        (VexStatus::NotAffected, Some(word)) if !JUSTIFICATIONS.contains(&word) => {
            Err(WriteError::UnknownJustification { word: word.chars().take(80).collect() })
        }
        (VexStatus::NotAffected, Some(_)) | (_, None) => Ok(()),
        (status, Some(_)) => Err(WriteError::NeedlessJustification { status }),
    }
}

/// A new document, whose name is made of its first words.
fn fresh(addition: &Addition<'_>) -> Map<String, Value> {
    let at = addition.at.to_string();
    let words = [addition.author, &addition.products.join(" "), addition.vulnerability, &at];
    let mut document = Map::new();
    for (name, value) in [
        ("@context", json!(VERSION)),
        ("@id", json!(name(&words.join("\n")))),
        ("author", json!(addition.author)),
        ("timestamp", json!(at)),
        ("version", json!(1)),
        ("tooling", json!(concat!("boltseal/", env!("CARGO_PKG_VERSION")))),
    ] {
        document.insert(name.to_owned(), value);
    }
    document
}

/// `urn:uuid:` of version 8 (RFC 9562): the bits come from a SHA-256.
fn name(words: &str) -> String {
    let mut hash = Digest::of(words.as_bytes()).hex();
    hash.replace_range(12..13, "8");
    hash.replace_range(16..17, "8");
    let parts =
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hash.get(part).unwrap_or_default().to_owned());
    format!("urn:uuid:{}", parts.join("-"))
}

/// The document of before, one version later.
fn extended(bytes: &[u8], addition: &Addition<'_>) -> Result<Map<String, Value>, WriteError> {
    let known = read(bytes, "the document to extend", Origin::Given)?;
    let Ok(Value::Object(mut document)) = serde_json::from_slice(bytes) else {
        return Err(WriteError::OtherFormat);
    };
    if document.get("@context").and_then(Value::as_str).is_none_or(|context| !is_ours(context)) {
        return Err(WriteError::OtherFormat);
    }
    if known.author != addition.author {
        return Err(WriteError::OtherAuthor { author: known.author });
    }
    if let Some(changed) = known.changed.filter(|changed| *changed > addition.at) {
        return Err(WriteError::Earlier { changed, at: addition.at });
    }
    document.insert("version".to_owned(), json!(known.version.saturating_add(1)));
    document.insert("last_updated".to_owned(), json!(addition.at.to_string()));
    Ok(document)
}

fn is_ours(context: &str) -> bool {
    context.strip_prefix(CONTEXT).is_some_and(|version| version.starts_with("/v0.2."))
}

fn statement(addition: &Addition<'_>, at: &str) -> Value {
    let parts: Vec<Value> = addition.parts.iter().map(|part| component(part)).collect();
    let product = |purl: &String| {
        let mut product = component(purl);
        if let Some(fields) = product.as_object_mut().filter(|_| !parts.is_empty()) {
            fields.insert("subcomponents".to_owned(), json!(parts));
        }
        product
    };
    let products: Vec<Value> = addition.products.iter().map(product).collect();
    let mut statement = json!({
        "vulnerability": { "name": addition.vulnerability.trim() },
        "products": products,
        "status": addition.status.word(),
        "timestamp": at,
    });
    let said = match addition.status {
        VexStatus::NotAffected => "impact_statement",
        VexStatus::Affected => "action_statement",
        VexStatus::Fixed | VexStatus::UnderInvestigation => "status_notes",
    };
    if let Some(fields) = statement.as_object_mut() {
        fields.insert(said.to_owned(), json!(addition.reason.trim()));
        if let Some(word) = addition.justification {
            fields.insert("justification".to_owned(), json!(word));
        }
        if addition.status == VexStatus::Affected {
            fields.insert("action_statement_timestamp".to_owned(), json!(at));
        }
    }
    statement
}

fn component(purl: &str) -> Value {
    let mut component = json!({ "@id": purl, "identifiers": { "purl": purl } });
    let digest =
        Purl::parse(purl).filter(Purl::is_image).and_then(|purl| purl.version().parse::<Digest>().ok());
    if let (Some(digest), Some(fields)) = (digest, component.as_object_mut()) {
        let name = match digest.algorithm().name() {
            "sha512" => "sha-512",
            _ => "sha-256",
        };
        fields.insert("hashes".to_owned(), json!({ name: digest.hex() }));
    }
    component
}
