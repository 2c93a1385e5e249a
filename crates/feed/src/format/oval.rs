//! OVAL definitions about RPM packages: Oracle, Red Hat, SUSE, `AlmaLinux`, Photon, Azure Linux and CBL-Mariner.
//!
//! Source: OVAL 5.11, <https://oval.mitre.org/language/version5.11/>, definitions and the Linux schema. A definition is a tree
//! of criteria; a criterion names a test, a test an object (the name of a package) and a state (its version, its CPU),
//! and those stand behind all definitions. So definitions are held, in short, until the end of the file: some 2 KB
//! each, and 40 bytes for each test. Which release and which module stream is meant only the comments of criteria say
//! in a way that all vendors share: `Oracle Linux 8 is installed`, `Module nodejs:16 is enabled`.
//!
//! `class="patch"` lists fixes. In `class="vulnerability"` a package that merely `is installed` is hit in every version; Red
//! Hat's `unaffected` definitions and SUSE's `is not affected` say the opposite.

use boltseal_model::{Advisory, Date, Severity, Status, Timestamp};

use super::{Document, Format, Tally};
use crate::{
    Error, Sink, limits, rpm,
    xml::{Element, Xml},
};

mod criteria;
mod items;

use criteria::Fact;
use items::Items;

/// The format.
pub struct Oval;

const ID: &str = "oval";

/// One definition, in short.
struct Definition {
    id: String,
    aliases: Vec<String>,
    summary: String,
    details: String,
    references: Vec<String>,
    severity: Option<Severity>,
    published: Option<Timestamp>,
    patch: bool,
    unaffected: bool,
    facts: Vec<Fact>,
}

impl Format for Oval {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "OVAL definitions about RPM packages: Oracle, Red Hat, SUSE, AlmaLinux, Photon, Azure Linux"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |key: &[u8]| super::has(head, key);
        has(b"<oval_definitions") || has(b":oval_definitions")
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let name = document.name;
        let mut tally = Tally::default();
        let (mut definitions, mut items) = (Vec::new(), Items::default());
        let mut xml = Xml::new(document, ID)?;
        let mut seen = false;
        while let Some(element) = xml.next(&items::wanted())? {
            seen = true;
            match element.name.as_str() {
                "timestamp" => tally.published = tally.published.max(moment(&element.text)),
                "definition" => definitions.extend(definition(&element, sink, &mut tally)),
                _ => items.add(&element, name)?,
            }
        }
        if !seen {
            return Err(Error::broken(name, ID, "no definition in it"));
        }
        for definition in definitions {
            tell(definition, &items, feed, sink, &mut tally);
        }
        Ok(tally)
    }
}

/// Reads one definition; nothing where it tells of no vulnerability.
fn definition(element: &Element, sink: &mut dyn Sink, tally: &mut Tally) -> Option<Definition> {
    let class = element.attribute("class");
    if !matches!(class, "patch" | "vulnerability") {
        tally.skip("of another class");
        return None;
    }
    let Some(metadata) = element.child("metadata") else {
        let id = Some(element.attribute("id")).filter(|id| !id.is_empty());
        tally.reject(sink, id.unwrap_or("definition"), "no metadata");
        return None;
    };
    let title = metadata.text_of("title").split_whitespace().collect::<Vec<_>>().join(" ");
    let advisory = metadata.child("advisory").unwrap_or(metadata);
    let mut cves: Vec<String> = Vec::new();
    let mut own = None;
    for reference in metadata.all("reference") {
        let found = super::cves(reference.attribute("ref_id"));
        if found.is_empty() && own.is_none() && !reference.attribute("ref_id").contains(' ') {
            own = Some(reference.attribute("ref_id").to_owned()).filter(|id| !id.is_empty());
        }
        cves.extend(found.into_iter().map(str::to_owned));
    }
    cves.extend(advisory.all("cve").flat_map(|cve| super::cves(&cve.text)).map(str::to_owned));
    if cves.is_empty() {
        cves.extend(super::cves(&title).into_iter().map(str::to_owned));
    }
    cves.sort();
    cves.dedup();
    let facts = element.child("criteria").map(criteria::facts).unwrap_or_default();
    // An erratum keeps its own id; a definition about one CVE is that CVE.
    let own = own.or_else(|| erratum(&title));
    // Some security updates are about something that has no CVE, such as a certificate authority gone bad.
    if cves.is_empty() && !own.as_ref().is_some_and(|own| own.contains("SA-")) {
        tally.skip("without a CVE");
        return None;
    }
    let id = match (class, own, cves.first()) {
        ("patch", Some(own), _) => own,
        (_, _, Some(cve)) if cves.len() == 1 => cve.clone(),
        (_, own, _) => own.unwrap_or_else(|| element.attribute("id").to_owned()),
    };
    if id.is_empty() {
        tally.reject(sink, "definition", "no id");
        return None;
    }
    cves.retain(|cve| *cve != id);
    let word = advisory.text_of("severity");
    let day =
        ["issued", "updated"].iter().filter_map(|name| advisory.child(name)).map(|e| e.attribute("date"));
    let published = day.chain([advisory.text_of("advisory_date")]).find_map(moment);
    let mut references: Vec<String> = metadata
        .all("reference")
        .map(|reference| reference.attribute("ref_url").to_owned())
        .filter(|url| !url.is_empty())
        .collect();
    references.dedup();
    references.truncate(limits::MAX_REFERENCES);
    Some(Definition {
        id: super::cut(&id, limits::MAX_NAME_BYTES),
        aliases: cves,
        summary: super::cut(&title, limits::MAX_SUMMARY_BYTES),
        details: super::cut(metadata.text_of("description"), limits::MAX_OVAL_DETAILS_BYTES),
        references,
        severity: Severity::of_vendor_word(word),
        published,
        patch: class == "patch",
        unaffected: element.attribute("id").contains("unaffected"),
        facts,
    })
}

/// `ELSA-2007-0057:  Moderate: bind security update` is `ELSA-2007-0057`.
fn erratum(title: &str) -> Option<String> {
    let word = title.split_whitespace().next()?.trim_end_matches(':');
    (word.contains('-') && word.contains(|c: char| c.is_ascii_digit())).then(|| word.to_owned())
}

/// A time, or a day.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let day = || text.get(..10)?.parse::<Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| day().map(|day| day.timestamp()))
}

fn tell(definition: Definition, items: &Items, feed: &str, sink: &mut dyn Sink, tally: &mut Tally) {
    let mut gathered = rpm::Gathered::default();
    let day = definition.published.filter(|_| definition.patch).map(day);
    let mut unresolved = 0_usize;
    let mut facts = definition.facts.as_slice();
    while let Some(first) = facts.first() {
        let same = facts.iter().take_while(|fact| fact.group == first.group).count();
        let (group, rest) = facts.split_at(same);
        facts = rest;
        unresolved += one_group(&definition, group, items, day, &mut gathered, tally);
    }
    if gathered.is_empty() {
        if unresolved > 0 {
            tally.reject(sink, &definition.id, "its tests are not in the file");
        } else {
            tally.skip("of releases not supported, or without package versions");
        }
        return;
    }
    tally.records += 1;
    for space in gathered.spaces() {
        if !tally.spaces.contains(space) {
            tally.spaces.insert(space.clone());
        }
    }
    sink.advisory(Advisory {
        id: definition.id,
        aliases: definition.aliases,
        feed: feed.to_owned(),
        summary: definition.summary,
        details: definition.details,
        published: definition.published,
        severity: definition.severity,
        references: definition.references,
        affected: gathered.affected(),
        ..Advisory::default()
    });
}

/// Facts that must all hold: about one package, its lowest and its highest version. Gives how many tests are missing.
fn one_group(
    definition: &Definition,
    facts: &[Fact],
    items: &Items,
    day: Option<Date>,
    gathered: &mut rpm::Gathered,
    tally: &mut Tally,
) -> usize {
    let mut missing = 0;
    let mut ranges: Vec<(String, rpm::Span, String, &Fact)> = Vec::new();
    for fact in facts {
        let said = || {
            let (name, evr) = fact.earlier.as_ref()?;
            Some(items::Item { name, bound: items::Bound::Before(evr), architecture: "" })
        };
        let Some(item) = items.get(fact.test).or_else(said) else {
            missing += 1;
            continue;
        };
        let place = ranges.iter().position(|(name, _, _, other)| {
            name == item.name && other.module == fact.module && other.architecture == fact.architecture
        });
        let at = place.unwrap_or_else(|| {
            ranges.push((item.name.to_owned(), rpm::Span::default(), item.architecture.to_owned(), fact));
            ranges.len() - 1
        });
        let Some((_, span, _, _)) = ranges.get_mut(at) else { continue };
        match item.bound {
            items::Bound::Before(evr) => {
                span.fixed = Some(evr.to_owned());
                span.on = day;
            }
            items::Bound::UpTo(evr) => span.last = Some(evr.to_owned()),
            items::Bound::From(evr) if evr.bytes().any(|b| matches!(b, b'1'..=b'9')) && !zero(evr) => {
                span.introduced = Some(evr.to_owned());
            }
            items::Bound::From(_) | items::Bound::Any => {}
        }
    }
    for (package, span, cpus, fact) in ranges {
        if definition.patch && span.fixed.is_none() {
            continue; // `is installed` beside the fixes
        }
        let whole = span.fixed.is_none() && span.last.is_none();
        let status = if whole && (fact.not_affected || definition.unaffected) {
            Status::NotAffected
        } else {
            Status::Affected
        };
        let tagged = || {
            span.fixed
                .as_deref()
                .or(span.last.as_deref())
                .or(span.introduced.as_deref())
                .and_then(rpm::tag_space)
        };
        let spaces =
            if fact.spaces.is_empty() { tagged().into_iter().collect() } else { fact.spaces.to_vec() };
        if spaces.is_empty() {
            tally.unsupported("OVAL definitions of other products");
        }
        for space in spaces {
            let version = span.fixed.as_deref().or(span.last.as_deref());
            let key =
                rpm::Key { package: rpm::named(&package, fact.module.as_deref(), version), space, status };
            let cpus = fact.architecture.as_deref().unwrap_or(&cpus);
            for cpu in cpus.split('|') {
                gathered.add(key.clone(), span.clone(), cpu.trim_matches(['(', ')', '^', '$']));
            }
        }
    }
    missing
}

fn zero(evr: &str) -> bool {
    let version = evr.split_once(':').map_or(evr, |(_, version)| version);
    version.starts_with("0.0.0") || version.starts_with("0-0") || version == "0"
}

fn day(moment: Timestamp) -> Date {
    moment.to_zoned(jiff::tz::TimeZone::UTC).date()
}
