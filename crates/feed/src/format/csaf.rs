//! CSAF 2.0 documents of distributions: Red Hat's VEX files and advisories, SUSE's advisories.
//!
//! Source: <https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>; Red Hat's use of it,
//! <https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/>. A document names products in a tree, joins
//! packages to the releases they are part of by relationships, and gives each joint product a status for each CVE. The
//! reader keeps what is about RPM packages of releases that we match, module streams included.
//!
//! A VEX file is the vendor's whole word about one CVE. An advisory is about one update: several may speak of one CVE,
//! and what they say adds up.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_model::{Advisory, Severity, Status, Timestamp};

use super::{Bundle, Document, Format, Tally, is_cve};
use crate::{Error, Sink, limits, rpm};

mod document;
mod product;

use document::{Csaf as Whole, Vulnerability};
use product::{Component, Products};

/// The format.
pub struct Csaf;

const ID: &str = "csaf";

impl Format for Csaf {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "CSAF 2.0: VEX files and advisories of Red Hat, advisories of SUSE; folders, archives, JSON lines"
    }

    fn bundle(&self) -> Bundle {
        Bundle::Lines
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |key: &[u8]| super::has(head, key);
        head.trim_ascii_start().starts_with(b"{") && has(b"\"csaf_version\"")
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let mut line = Vec::new();
        let mut first = true;
        while document.line(&mut line, limits::MAX_RECORD_BYTES, ID)? {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let mut read = one(&line, document.name, feed, sink, &mut tally);
            if first && read.is_err() {
                // A document over several lines: then it is the only one.
                line.push(b'\n');
                line.extend(document.whole(limits::MAX_RECORD_BYTES, ID)?);
                read = one(&line, document.name, feed, sink, &mut tally);
            }
            read.map_err(|error| Error::broken(document.name, ID, error))?;
            first = false;
        }
        Ok(tally)
    }
}

/// Reads one document. An error means that `text` is not (whole) JSON.
fn one(
    text: &[u8],
    name: &str,
    feed: &str,
    sink: &mut dyn Sink,
    tally: &mut Tally,
) -> Result<(), serde_json::Error> {
    let whole = match serde_json::from_slice::<Whole<'_>>(text) {
        Ok(whole) => whole,
        Err(error) if error.is_data() => {
            serde_json::from_slice::<serde::de::IgnoredAny>(text)?;
            tally.reject(sink, name, &error.to_string());
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let modified = super::oval::moment(&whole.document.tracking.current_release_date);
    tally.published = tally.published.max(modified);
    let products = Products::of(&whole.product_tree);
    for vulnerability in &whole.vulnerabilities {
        tell(vulnerability, &whole, &products, feed, sink, tally);
    }
    if whole.vulnerabilities.is_empty() {
        tally.skip("without a vulnerability");
    }
    Ok(())
}

fn tell(
    vulnerability: &Vulnerability<'_>,
    whole: &Whole<'_>,
    products: &Products<'_>,
    feed: &str,
    sink: &mut dyn Sink,
    tally: &mut Tally,
) {
    let tracking = &whole.document.tracking;
    let id = if vulnerability.cve.is_empty() { &tracking.id } else { &vulnerability.cve };
    if id.is_empty() || id.len() > limits::MAX_NAME_BYTES {
        return tally.reject(sink, "document", "no CVE, and no id");
    }
    let gathered = gather(vulnerability, products);
    if gathered.is_empty() {
        return tally.skip("of products not supported");
    }
    tally.records += 1;
    for space in gathered.spaces() {
        if !tally.spaces.contains(space) {
            tally.spaces.insert(space.clone());
        }
    }
    let vex = whole.document.category == "csaf_vex";
    let title = if vulnerability.title.is_empty() { &whole.document.title } else { &vulnerability.title };
    let summary = if vex { title.to_string() } else { format!("{}: {}", tracking.id, whole.document.title) };
    let details = vulnerability.notes.iter().find(|note| note.category == "description");
    let moment = |text: &str| super::oval::moment(text);
    let page = is_cve(id) && feed_of(whole) == Some("redhat");
    let mut references: Vec<String> =
        page.then(|| format!("https://access.redhat.com/security/cve/{id}")).into_iter().collect();
    references.extend(vulnerability.references.iter().map(|one| one.url.to_string()));
    references.sort();
    references.dedup();
    references.truncate(limits::MAX_REFERENCES);
    sink.advisory(Advisory {
        id: id.to_string(),
        feed: feed.to_owned(),
        summary: super::cut(&summary, limits::MAX_SUMMARY_BYTES),
        details: super::cut(details.map_or("", |note| &note.text), limits::MAX_DETAILS_BYTES),
        published: moment(&vulnerability.release_date).or_else(|| moment(&tracking.initial_release_date)),
        // Of two VEX files about a CVE the newer counts; two advisories both do.
        modified: moment(&tracking.current_release_date).filter(|_: &Timestamp| vex),
        severity: severity(vulnerability, whole),
        cvss: vulnerability.vectors(),
        references,
        affected: gathered.affected(),
        ..Advisory::default()
    });
}

/// `redhat`, `suse`.
fn feed_of(whole: &Whole<'_>) -> Option<&'static str> {
    let name = &whole.document.publisher.namespace;
    [("redhat.com", "redhat"), ("suse.com", "suse")]
        .into_iter()
        .find_map(|(host, vendor)| name.trim_end_matches('/').ends_with(host).then_some(vendor))
}

fn severity(vulnerability: &Vulnerability<'_>, whole: &Whole<'_>) -> Option<Severity> {
    let impact = vulnerability.threats.iter().find(|threat| threat.category == "impact");
    impact
        .and_then(|threat| Severity::of_vendor_word(&threat.details))
        .or_else(|| Severity::of_vendor_word(&whole.document.aggregate_severity.text))
}

/// Everything the vendor says, by package. A fix says more than `affected`, and both more than `not affected`: the same
/// package stands in several repositories of a release.
fn gather(vulnerability: &Vulnerability<'_>, products: &Products<'_>) -> rpm::Gathered {
    let about = |component: &Component<'_>| (component.space.clone(), component.name.clone());
    let status = &vulnerability.product_status;
    let mut gathered = rpm::Gathered::default();
    let mut said: BTreeSet<(String, String)> = BTreeSet::new();
    let fixes = status.fixed.iter().chain(&status.first_fixed).chain(&status.recommended);
    for component in fixes.filter_map(|id| products.component(id)) {
        let Some(evr) = component.evr.clone() else { continue };
        said.insert(about(&component));
        let span = rpm::Span { fixed: Some(evr), ..rpm::Span::default() };
        gathered.add(component.key(Status::Affected), span, component.architecture);
    }
    let remedies: BTreeMap<&str, Status> = vulnerability.remedies();
    let mut rest: Vec<(Status, Component<'_>)> = Vec::new();
    for id in &status.known_affected {
        let state = remedies.get(id.as_ref()).copied().unwrap_or(Status::Affected);
        rest.extend(products.component(id).map(|component| (state, component)));
    }
    for id in &status.under_investigation {
        rest.extend(products.component(id).map(|component| (Status::UnderInvestigation, component)));
    }
    for id in &status.known_not_affected {
        rest.extend(products.component(id).map(|component| (Status::NotAffected, component)));
    }
    // Who was spoken of with more weight already is not spoken of again.
    for weight in [Status::Affected, Status::NotAffected] {
        let mut now: Vec<(String, String)> = Vec::new();
        for (state, component) in &rest {
            if (*state == Status::NotAffected) != (weight == Status::NotAffected) {
                continue;
            }
            let about = about(component);
            if said.contains(&about) {
                continue;
            }
            gathered.add(component.key(*state), rpm::Span::default(), "");
            now.push(about);
        }
        said.extend(now);
    }
    gathered
}
