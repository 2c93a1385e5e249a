//! CycloneDX 1.4 to 1.7 with `vulnerabilities` that somebody analysed (ECMA-424).
//!
//! `affects` names components by `bom-ref`, in the same document or, by a BOM-Link, in another. In the same document
//! the component tells what it is; a `bom-ref` of another one does only where it is a package URL, as everybody writes
//! it. If the document describes a product (`metadata.component` with a package URL or hash), its components are parts of
//! that product only.

use std::{collections::HashMap, sync::Arc};

use boltseal_model::{Statement, Timestamp, VexStatus};
use serde::Deserialize;

use super::{
    Budget, Claim, Document, Error, Kind, Origin, Product, Thing, error::field, moment, parse, text,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Whole {
    bom_format: String,
    serial_number: String,
    version: u64,
    metadata: Metadata,
    components: Vec<Component>,
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    timestamp: String,
    authors: Vec<Party>,
    manufacturer: Option<Party>,
    manufacture: Option<Party>,
    supplier: Option<Party>,
    component: Option<Component>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Party {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Component {
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    name: String,
    purl: String,
    hashes: Vec<Hash>,
    components: Vec<Component>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Hash {
    content: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Vulnerability {
    id: String,
    source: Party,
    references: Vec<Reference>,
    updated: String,
    analysis: Option<Analysis>,
    affects: Vec<Affect>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Analysis {
    state: String,
    justification: String,
    detail: String,
    response: Vec<String>,
    first_issued: String,
    last_updated: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Affect {
    #[serde(rename = "ref")]
    target: String,
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    version: String,
}

pub(super) fn read(bytes: &[u8], source: &str) -> Result<Document, Error> {
    let whole: Whole = parse(bytes, source)?;
    if whole.bom_format != "CycloneDX" {
        return Err(Error::NotVex { source_name: source.to_owned() });
    }
    let metadata = &whole.metadata;
    let changed = moment(&metadata.timestamp, source, "metadata.timestamp")?;
    let mut document = Document {
        kind: Kind::CycloneDx,
        origin: Origin::Attached,
        source: source.to_owned(),
        id: whole.serial_number.clone(),
        author: author(metadata).unwrap_or_else(|| "not named".to_owned()),
        version: whole.version,
        changed,
        claims: Vec::new(),
        unsound: Vec::new(),
    };
    let components = Components::of(&whole);
    let mut budget = Budget::new(source);
    for (index, vulnerability) in whole.vulnerabilities.iter().enumerate() {
        budget.claim()?;
        let place = format!("vulnerabilities[{index}]");
        let Some(analysis) = &vulnerability.analysis else { continue };
        match claim(vulnerability, analysis, &components, &document, &place, &mut budget)? {
            Ok(claim) => document.claims.push(claim),
            Err(why) => document.unsound.push(format!("{place}: {why}")),
        }
    }
    Ok(document)
}

fn author(metadata: &Metadata) -> Option<String> {
    let single = [&metadata.manufacturer, &metadata.manufacture, &metadata.supplier];
    metadata.authors.iter().chain(single.into_iter().flatten()).find_map(|party| text(&party.name))
}

/// The components of a document by their references.
struct Components<'a> {
    root: Option<(&'a str, Arc<Thing>)>,
    by_ref: HashMap<&'a str, Arc<Thing>>,
}

impl<'a> Components<'a> {
    fn of(whole: &'a Whole) -> Self {
        let root = whole.metadata.component.as_ref();
        let mut by_ref = HashMap::new();
        let mut rest: Vec<&Component> = whole.components.iter().collect();
        rest.extend(root.into_iter().flat_map(|root| &root.components));
        while let Some(component) = rest.pop() {
            if !component.bom_ref.is_empty() {
                by_ref.entry(component.bom_ref.as_str()).or_insert_with(|| Arc::new(thing(component)));
            }
            rest.extend(&component.components);
        }
        Self { root: root.map(|root| (root.bom_ref.as_str(), Arc::new(thing(root)))), by_ref }
    }

    /// What `target` is, and in what; with a version if only that one is meant.
    fn product(&self, target: &str, version: &str) -> Option<Product> {
        // BOM-Link: `urn:cdx:SERIAL/VERSION#BOM-REF`.
        let linked = target.starts_with("urn:cdx:");
        let name = if linked { target.split_once('#').map_or("", |(_, name)| name) } else { target };
        if let Some((root, thing)) = self.root.as_ref().filter(|(root, _)| !linked && *root == name) {
            return (!root.is_empty() && thing.is_known()).then(|| Product::all(Arc::clone(thing)));
        }
        let thing = match self.by_ref.get(name).filter(|_| !linked) {
            Some(thing) => Arc::clone(thing),
            None => Arc::new(Thing::named(name)),
        };
        let thing = thing.at(version)?;
        if !thing.is_known() {
            return None;
        }
        let whole = self.root.as_ref().filter(|(_, root)| !linked && root.is_known());
        Some(match whole {
            Some((_, root)) => Product { whole: Some(Arc::clone(root)), parts: vec![thing] },
            None => Product::all(thing),
        })
    }
}

fn thing(component: &Component) -> Thing {
    let label = if component.purl.is_empty() { &component.name } else { &component.purl };
    let mut thing = Thing::named(label);
    for hash in &component.hashes {
        thing.hash(&hash.content);
    }
    thing
}

fn status(state: &str) -> Option<VexStatus> {
    Some(match state {
        "not_affected" | "false_positive" => VexStatus::NotAffected,
        "resolved" | "resolved_with_pedigree" => VexStatus::Fixed,
        "exploitable" => VexStatus::Affected,
        "in_triage" => VexStatus::UnderInvestigation,
        _ => return None,
    })
}

fn claim(
    vulnerability: &Vulnerability,
    analysis: &Analysis,
    components: &Components<'_>,
    document: &Document,
    place: &str,
    budget: &mut Budget<'_>,
) -> Result<Result<Claim, String>, Error> {
    let Some(status) = status(&analysis.state) else {
        return Ok(Err(format!("`{}` is no state", analysis.state.chars().take(40).collect::<String>())));
    };
    let ids = std::iter::once(&vulnerability.id).chain(vulnerability.references.iter().map(|one| &one.id));
    let vulnerabilities: Vec<String> = ids.filter(|id| !id.is_empty()).cloned().collect();
    let said = said(vulnerability, analysis, document, place)?;
    let mut products = Vec::new();
    for affect in &vulnerability.affects {
        budget.products(affect.versions.len().max(1))?;
        if affect.versions.is_empty() {
            products.extend(components.product(&affect.target, ""));
        }
        // Ranges are of every package manager's own kind; versions that are listed are compared as they stand.
        let versions = affect.versions.iter().filter(|version| !version.version.is_empty());
        products.extend(versions.filter_map(|one| components.product(&affect.target, &one.version)));
    }
    if vulnerabilities.is_empty() || products.is_empty() {
        return Ok(Err("names no vulnerability, or no component with package URL or hash".to_owned()));
    }
    let response = (!analysis.response.is_empty()).then(|| analysis.response.join(", "));
    let statement = Statement {
        status,
        author: match document.author.as_str() {
            "not named" => text(&vulnerability.source.name).unwrap_or_else(|| document.author.clone()),
            author => author.to_owned(),
        },
        said,
        source: document.source.clone(),
        document: document.id.clone(),
        justification: text(&analysis.justification),
        reason: text(&analysis.detail).or_else(|| text(&response.unwrap_or_default())),
    };
    Ok(Ok(Claim { vulnerabilities, products, statement }))
}

fn said(
    vulnerability: &Vulnerability,
    analysis: &Analysis,
    document: &Document,
    place: &str,
) -> Result<Option<Timestamp>, Error> {
    let times = [&analysis.last_updated, &analysis.first_issued, &vulnerability.updated];
    let Some(time) = times.into_iter().find(|time| !time.is_empty()) else { return Ok(document.changed) };
    moment(time, &document.source, place)
        .map_err(|_| field(&document.source, place, "a time is not of RFC 3339"))
}
