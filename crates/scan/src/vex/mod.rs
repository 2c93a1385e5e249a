//! VEX: what people and vendors say about vulnerabilities in products, read, applied to a report, and written.
//!
//! ```
//! use boltseal_scan::vex;
//!
//! let text = br#"{
//!   "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex-1", "version": 1,
//!   "author": "Example Inc.", "timestamp": "2026-01-02T03:04:05Z",
//!   "statements": [{
//!     "vulnerability": {"name": "CVE-2026-1"}, "status": "not_affected",
//!     "justification": "vulnerable_code_not_in_execute_path",
//!     "products": [{"@id": "pkg:oci/app", "subcomponents": [{"@id": "pkg:deb/debian/bash"}]}]
//!   }]
//! }"#;
//! let document = vex::read(text, "vex.json", vex::Origin::Given)?;
//! assert_eq!(document.claims[0].vulnerabilities, ["CVE-2026-1"]);
//! # Ok::<(), vex::Error>(())
//! ```
//!
//! [`read`] takes OpenVEX 0.0.1 to 0.2.0, CSAF 2.0 and 2.1 of the profile VEX, and CycloneDX 1.4 to 1.7; [`apply`] holds
//! the claims of documents against the findings of a report:
//!
//! * **About which product** ([`Product`]): a claim is about an image (`pkg:oci/…`, or its digest) or a package, or about
//!   packages in an image. A package URL without a version means every version; qualifiers must agree where both sides
//!   have them. A claim about parts of a product that is neither this image nor a file around the part is not about
//!   this finding.
//! * **Who is right**: of what one author says, the latest counts. One author who says `affected` outweighs others
//!   who say that it does no harm: the finding stays.
//! * **Nothing disappears**: a finding that does no harm moves to `omitted.ignored`, with the statement; every other
//!   statement stands beside its finding.
//!
//! Nobody checks here who wrote a document; [`Origin`] keeps apart what the user gave from what lay in a registry, so
//! that the second never replaces the first. This module must not know: files, registries, the clock.

mod apply;
mod csaf;
mod cyclonedx;
mod error;
mod openvex;
mod product;
mod purl;
pub mod repository;
pub mod write;

use boltseal_model::{Statement, Timestamp};
use serde::{Deserialize, de::IgnoredAny};

pub use apply::{Applied, apply};
pub use error::Error;
pub use product::{Product, Thing};

/// Bytes of one document. Vendors' largest, about one vulnerability in thousands of products, have some 30 MB.
pub const MAX_BYTES: usize = 64 << 20;
/// Claims of one document. The largest known have a few thousand.
pub const MAX_CLAIMS: usize = 200_000;
/// Products of one document, counted once for each claim about them.
pub const MAX_PRODUCTS: usize = 1_000_000;
/// Characters of a text that goes into a report.
const MAX_TEXT: usize = 4_000;

/// The three formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// <https://github.com/openvex/spec>
    OpenVex,
    /// OASIS CSAF, profile VEX.
    Csaf,
    /// CycloneDX with vulnerabilities that were analysed.
    CycloneDx,
}

impl Kind {
    /// What people call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OpenVex => "OpenVEX",
            Self::Csaf => "CSAF VEX",
            Self::CycloneDx => "CycloneDX VEX",
        }
    }
}

/// How a document came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Attached to the image, by anybody who may push.
    Attached,
    /// Given by the user.
    Given,
}

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its format.
    pub kind: Kind,
    /// How it came to us.
    pub origin: Origin,
    /// Where it was read: a file, or a referrer.
    pub source: String,
    /// Its own id; empty where it has none.
    pub id: String,
    /// Who says all this.
    pub author: String,
    /// Which edition of it; 0 where it says none.
    pub version: u64,
    /// When it was last changed.
    pub changed: Option<Timestamp>,
    /// What it says.
    pub claims: Vec<Claim>,
    /// What it says in a way that counts for nothing, by place and why.
    pub unsound: Vec<String>,
}

/// One thing that a document says.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Every id of the vulnerability.
    pub vulnerabilities: Vec<String>,
    /// What it is about.
    pub products: Vec<Product>,
    /// The statement.
    pub statement: Statement,
}

#[derive(Deserialize)]
struct Peek {
    #[serde(rename = "@context")]
    context: Option<IgnoredAny>,
    #[serde(rename = "bomFormat")]
    bom_format: Option<IgnoredAny>,
    document: Option<IgnoredAny>,
}

/// Reads one document of any format. `source` is what messages and reports call it.
pub fn read(bytes: &[u8], source: &str, origin: Origin) -> Result<Document, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLong { source_name: source.to_owned(), limit: MAX_BYTES });
    }
    let peek: Peek = parse(bytes, source)?;
    let mut document = match (peek.context, peek.bom_format, peek.document) {
        (Some(_), _, _) => openvex::read(bytes, source)?,
        (None, Some(_), _) => cyclonedx::read(bytes, source)?,
        (None, None, Some(_)) => csaf::read(bytes, source)?,
        (None, None, None) => return Err(Error::NotVex { source_name: source.to_owned() }),
    };
    document.origin = origin;
    Ok(document)
}

fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], source: &str) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|why| error::json(source, &why))
}

/// A point in time, if `text` says one.
fn moment(text: &str, source: &str, place: &str) -> Result<Option<Timestamp>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| error::field(source, place, "is no point in time of RFC 3339"))
}

/// A text of strangers, no longer than a report wants it.
fn text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(MAX_TEXT).collect())
}

/// Counts what a document says, so that none says too much.
struct Budget<'a> {
    source: &'a str,
    claims: usize,
    products: usize,
}

impl<'a> Budget<'a> {
    const fn new(source: &'a str) -> Self {
        Self { source, claims: 0, products: 0 }
    }

    fn claim(&mut self) -> Result<(), Error> {
        self.claims += 1;
        self.check(self.claims, MAX_CLAIMS, "statements")
    }

    fn products(&mut self, more: usize) -> Result<(), Error> {
        self.products = self.products.saturating_add(more);
        self.check(self.products, MAX_PRODUCTS, "products")
    }

    fn check(&self, number: usize, limit: usize, what: &'static str) -> Result<(), Error> {
        if number <= limit {
            return Ok(());
        }
        Err(Error::TooMany { source_name: self.source.to_owned(), what, limit })
    }
}
