//! The fields of a CSAF document that we read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use boltseal_model::{Cvss, Status};
use serde::Deserialize;

use crate::format::osv;

type Text<'a> = Cow<'a, str>;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Csaf<'a> {
    #[serde(borrow)]
    pub document: Head<'a>,
    pub product_tree: Tree<'a>,
    pub vulnerabilities: Vec<Vulnerability<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub category: Text<'a>,
    pub title: Text<'a>,
    pub tracking: Tracking<'a>,
    pub publisher: Publisher<'a>,
    pub aggregate_severity: Word<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Publisher<'a> {
    #[serde(borrow)]
    pub namespace: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Word<'a> {
    #[serde(borrow)]
    pub text: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Tracking<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    pub current_release_date: Text<'a>,
    pub initial_release_date: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Tree<'a> {
    #[serde(borrow)]
    pub branches: Vec<Branch<'a>>,
    pub full_product_names: Vec<Product<'a>>,
    pub relationships: Vec<Relationship<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Branch<'a> {
    #[serde(borrow)]
    pub branches: Vec<Branch<'a>>,
    pub product: Option<Product<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Product<'a> {
    #[serde(borrow, rename = "product_id")]
    pub id: Text<'a>,
    pub name: Text<'a>,
    #[serde(rename = "product_identification_helper")]
    pub helper: Helper<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Helper<'a> {
    #[serde(borrow)]
    pub cpe: Text<'a>,
    pub purl: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Relationship<'a> {
    #[serde(borrow)]
    pub product_reference: Text<'a>,
    pub relates_to_product_reference: Text<'a>,
    pub full_product_name: Product<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Vulnerability<'a> {
    #[serde(borrow)]
    pub cve: Text<'a>,
    pub title: Text<'a>,
    pub release_date: Text<'a>,
    pub notes: Vec<Note<'a>>,
    pub references: Vec<Reference<'a>>,
    pub product_status: Statuses<'a>,
    pub remediations: Vec<Remediation<'a>>,
    pub threats: Vec<Threat<'a>>,
    pub scores: Vec<Score<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Note<'a> {
    #[serde(borrow)]
    pub category: Text<'a>,
    pub text: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    pub url: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Statuses<'a> {
    #[serde(borrow)]
    pub fixed: Vec<Text<'a>>,
    pub first_fixed: Vec<Text<'a>>,
    pub recommended: Vec<Text<'a>>,
    pub known_affected: Vec<Text<'a>>,
    pub known_not_affected: Vec<Text<'a>>,
    pub under_investigation: Vec<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Remediation<'a> {
    #[serde(borrow)]
    pub category: Text<'a>,
    pub details: Text<'a>,
    pub product_ids: Vec<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Threat<'a> {
    #[serde(borrow)]
    pub category: Text<'a>,
    pub details: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Score<'a> {
    #[serde(borrow, rename = "cvss_v2")]
    pub v2: Option<Vector<'a>>,
    #[serde(rename = "cvss_v3")]
    pub v3: Option<Vector<'a>>,
    #[serde(rename = "cvss_v4")]
    pub v4: Option<Vector<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Vector<'a> {
    #[serde(borrow, rename = "vectorString")]
    pub text: Text<'a>,
}

impl Vulnerability<'_> {
    /// Every vector, each once.
    pub(super) fn vectors(&self) -> Vec<Cvss> {
        let mut vectors: Vec<Cvss> = Vec::new();
        let all = self.scores.iter().flat_map(|score| [&score.v4, &score.v3, &score.v2]);
        for vector in all.flatten().filter_map(|vector| osv::vector(&vector.text)) {
            if !vectors.iter().any(|known| known.vector == vector.vector) {
                vectors.push(vector);
            }
        }
        vectors
    }

    /// What the vendor intends for products that it has not fixed, in Red Hat's words.
    pub(super) fn remedies(&self) -> BTreeMap<&str, Status> {
        let mut remedies = BTreeMap::new();
        for remediation in &self.remediations {
            let status = match (remediation.category.as_ref(), remediation.details.trim()) {
                (_, "Out of support scope") => Status::EndOfLife,
                (_, "Will not fix" | "Fix deferred") | ("no_fix_planned", _) => Status::WillNotFix,
                (_, "Under investigation") => Status::UnderInvestigation,
                _ => continue,
            };
            remedies.extend(remediation.product_ids.iter().map(|id| (id.as_ref(), status)));
        }
        remedies
    }
}
