//! CVRF 1.1 documents of SUSE.
//!
//! Source: <http://docs.oasis-open.org/csaf/csaf-cvrf/v1.2/csaf-cvrf-v1.2.html> and its 1.1 predecessor; SUSE's files,
//! <https://ftp.suse.com/pub/projects/security/cvrf/>. A document is an update or a CVE, with a status for each package of each
//! product. Versions carry no CPU, which SUSE's packages rarely differ by.

use std::collections::HashMap;

use boltseal_model::{Advisory, Severity, Status};

use super::{Bundle, Document, Format, Tally, oval::moment};
use crate::{
    Error, Sink, limits, rpm,
    xml::{Element, Xml},
};

/// The format.
pub struct Cvrf;

const ID: &str = "cvrf";

impl Format for Cvrf {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "CVRF documents of SUSE; single files, folders, archives"
    }

    fn bundle(&self) -> Bundle {
        Bundle::Separated
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |key: &[u8]| super::has(head, key);
        has(b"<cvrfdoc") || has(b":cvrfdoc")
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let name = document.name;
        document.texts(limits::MAX_ELEMENT_BYTES, ID, &mut |text| {
            let mut input = text;
            let mut xml = Document { name, input: &mut input };
            let mut xml = Xml::new(&mut xml, ID)?;
            let mut found = false;
            while let Some(document) = xml.next(&["cvrfdoc"])? {
                found = true;
                one(&document, feed, sink, &mut tally);
            }
            if found { Ok(()) } else { Err(Error::broken(name, ID, "no `cvrfdoc` in it")) }
        })?;
        Ok(tally)
    }
}

fn one(document: &Element, feed: &str, sink: &mut dyn Sink, tally: &mut Tally) {
    let tracking = document.child("DocumentTracking");
    let id = tracking.and_then(|t| t.child("Identification")).map_or("", |i| i.text_of("ID"));
    if id.is_empty() {
        return tally.reject(sink, "document", "no id");
    }
    let date = |name| tracking.and_then(|tracking| moment(tracking.text_of(name)));
    let (initial, current) = (date("InitialReleaseDate"), date("CurrentReleaseDate"));
    tally.published = tally.published.max(current.or(initial));
    let mut joint: HashMap<&str, (&str, &str)> = HashMap::new();
    for relationship in document.child("ProductTree").iter().flat_map(|tree| tree.all("Relationship")) {
        if let Some(full) = relationship.child("FullProductName") {
            let parts = (
                relationship.attribute("ProductReference"),
                relationship.attribute("RelatesToProductReference"),
            );
            joint.insert(full.attribute("ProductID"), parts);
        }
    }
    let title = document.text_of("DocumentTitle");
    let day = initial.map(|initial| initial.to_zoned(jiff::tz::TimeZone::UTC).date());
    let mut told = false;
    for vulnerability in document.all("Vulnerability") {
        let cve = vulnerability.text_of("CVE");
        if !super::is_cve(cve) {
            tally.skip("without a CVE");
            continue;
        }
        let (gathered, foreign) = gather(vulnerability, &joint, day);
        if foreign {
            tally.unsupported("SUSE products other than SLES, Micro, Leap and Tumbleweed");
        }
        if gathered.is_empty() {
            continue;
        }
        told = true;
        tally.records += 1;
        for space in gathered.spaces() {
            if !tally.spaces.contains(space) {
                tally.spaces.insert(space.clone());
            }
        }
        let summary = if id == cve { title.to_owned() } else { format!("{id}: {title}") };
        let word = vulnerability.child("Threats").and_then(|threats| {
            threats.all("Threat").find(|threat| threat.attribute("Type").eq_ignore_ascii_case("impact"))
        });
        sink.advisory(Advisory {
            id: cve.to_owned(),
            feed: feed.to_owned(),
            summary: super::cut(&summary, limits::MAX_SUMMARY_BYTES),
            details: super::cut(note(vulnerability), limits::MAX_DETAILS_BYTES),
            published: initial,
            severity: word.and_then(|word| Severity::of_vendor_word(word.text_of("Description"))),
            cvss: vectors(vulnerability),
            references: vec![format!("https://www.suse.com/security/cve/{cve}.html")],
            affected: gathered.affected(),
            ..Advisory::default()
        });
    }
    if !told {
        tally.skip("of products not supported, or without a vulnerability");
    }
}

fn gather(
    vulnerability: &Element,
    joint: &HashMap<&str, (&str, &str)>,
    day: Option<boltseal_model::Date>,
) -> (rpm::Gathered, bool) {
    let mut gathered = rpm::Gathered::default();
    let mut foreign = false;
    for status in vulnerability.child("ProductStatuses").iter().flat_map(|all| all.all("Status")) {
        let state = match status.attribute("Type") {
            "Fixed" | "First Fixed" | "Recommended" => None,
            "Known Affected" => Some(Status::Affected),
            "Known Not Affected" => Some(Status::NotAffected),
            "Under Investigation" => Some(Status::UnderInvestigation),
            _ => continue,
        };
        for product in status.all("ProductID") {
            let Some((package, release)) = joint.get(product.text.as_str()) else { continue };
            let Some(space) = rpm::release_space(release) else {
                foreign = true;
                continue;
            };
            let nevra = rpm::Nevra::of(package);
            let name = nevra.map_or(*package, |nevra| nevra.name);
            let fixed = match (state, nevra) {
                (None, Some(nevra)) => Some(nevra.evr()),
                (None, None) => continue,
                (Some(_), _) => None,
            };
            let on = day.filter(|_| fixed.is_some());
            let key = rpm::Key { space, package: name.to_owned(), status: state.unwrap_or_default() };
            gathered.add(key, rpm::Span { fixed, on, ..rpm::Span::default() }, "");
        }
    }
    (gathered, foreign)
}

fn note(vulnerability: &Element) -> &str {
    let notes = vulnerability.child("Notes");
    notes
        .and_then(|notes| notes.all("Note").find(|note| note.attribute("Type") == "General"))
        .map_or("", |n| &n.text)
}

fn vectors(vulnerability: &Element) -> Vec<boltseal_model::Cvss> {
    let mut found = Vec::new();
    for name in ["Vector", "VectorV3", "VectorV2"] {
        vulnerability.below(name, &mut found);
    }
    found.into_iter().filter_map(|vector| super::osv::vector(&vector.text)).take(8).collect()
}
