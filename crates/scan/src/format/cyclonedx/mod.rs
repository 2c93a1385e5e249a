//! CycloneDX 1.6 JSON (ECMA-424): the bill of materials, with its vulnerabilities where it was matched with feeds.
//!
//! What coverage lacks is said with a composition (`incomplete`) and a property per gap. A report without a snapshot
//! is a bare bill of materials: it has no list of vulnerabilities at all, because an empty one would claim something.

mod analysis;
mod shape;
mod vulnerability;

use std::{
    borrow::Cow,
    io::{self, Write},
};

use boltseal_model::{Gap, Package, Report};

use self::shape::{
    Bom, Component, Composition, Dependency, Evidence, License, LicenseName, Metadata, Occurrence, Property,
    Tools,
};
use super::{
    Format,
    identity::{TOOL, TOOL_VERSION, image_name, image_purl, package_refs, uuid},
    license, pretty,
};

/// `cyclonedx`
pub(super) const FORMAT: Format = Format {
    name: "cyclonedx",
    media_type: "application/vnd.cyclonedx+json;version=1.6",
    extension: "json",
    about: "CycloneDX 1.6 JSON: bill of materials, and vulnerabilities where feeds were used",
    write,
};

/// `bom-ref` of the image itself; no purl looks like this.
const ROOT: &str = "image";
/// `bom-ref` of the operating system.
const SYSTEM: &str = "operating-system";

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let refs = package_refs(&report.packages);
    let image = image_name(&report.subject);
    let mut components: Vec<Component<'_>> = system(report).into_iter().collect();
    components.extend(report.packages.iter().zip(&refs).map(|(package, name)| component(package, name)));
    let mut contained: Vec<&str> = components.iter().filter_map(|component| component.bom_ref).collect();
    contained.sort_unstable();
    let matched = report.snapshot.is_some() || !report.findings.is_empty();
    let bom = Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!("urn:uuid:{}", uuid(report)?),
        version: 1,
        metadata: Metadata {
            timestamp: report.snapshot.as_ref().map(|snapshot| snapshot.built),
            tools: Tools {
                components: [Component {
                    kind: "application",
                    name: TOOL,
                    version: Some(TOOL_VERSION.to_owned()),
                    ..Component::default()
                }],
            },
            component: root(report, &image),
            properties: facts(report),
        },
        components,
        dependencies: vec![Dependency { from: ROOT, depends_on: contained }],
        compositions: vec![Composition {
            aggregate: if report.coverage.complete { "complete" } else { "incomplete" },
            assemblies: [ROOT],
        }],
        vulnerabilities: matched.then(|| vulnerability::all(report, &refs)),
    };
    pretty(&bom, out)
}

fn property<'a>(name: &'static str, value: impl Into<Cow<'a, str>>) -> Property<'a> {
    Property { name, value: value.into() }
}

fn root<'a>(report: &'a Report, image: &'a str) -> Component<'a> {
    let subject = &report.subject;
    let platform =
        subject.platform.as_ref().map(|platform| property("boltseal:platform", platform.to_string()));
    let config = subject.config.as_ref().map(|digest| property("boltseal:image-id", digest.to_string()));
    let layers = report.layers.iter().filter_map(|layer| layer.digest.as_ref().or(layer.diff_id.as_ref()));
    let layers = layers.map(|digest| property("boltseal:layer", digest.to_string()));
    Component {
        bom_ref: Some(ROOT),
        kind: "container",
        name: image,
        version: subject.digest.as_ref().map(ToString::to_string),
        purl: image_purl(subject),
        properties: platform.into_iter().chain(config).chain(layers).collect(),
        ..Component::default()
    }
}

fn facts(report: &Report) -> Vec<Property<'_>> {
    let mut facts = vec![property("boltseal:reference", report.subject.reference.as_str())];
    if let Some(snapshot) = &report.snapshot {
        facts.push(property("boltseal:snapshot", snapshot.id.as_str()));
    }
    if let Some(verdict) = &report.verdict {
        facts.push(property("boltseal:verdict", verdict.sentence()));
    }
    if report.omitted.filtered > 0 {
        facts.push(property("boltseal:findings-left-out", report.omitted.filtered.to_string()));
    }
    let gap =
        |gap: &Gap| property("boltseal:gap", format!("{}: {}: {}", gap.kind.word(), gap.subject, gap.detail));
    facts.extend(report.coverage.gaps.iter().map(gap));
    facts
}

fn system(report: &Report) -> Option<Component<'_>> {
    let distro = report.distro.as_ref()?;
    let end = distro.end_of_life.map(|day| property("boltseal:end-of-life", day.to_string()));
    Some(Component {
        bom_ref: Some(SYSTEM),
        kind: "operating-system",
        name: &distro.id,
        version: (!distro.version.is_empty()).then(|| distro.version.clone()),
        description: (!distro.name.is_empty()).then_some(distro.name.as_str()),
        properties: end.into_iter().collect(),
        ..Component::default()
    })
}

fn component<'a>(package: &'a Package, bom_ref: &'a str) -> Component<'a> {
    let mut properties = vec![property("boltseal:ecosystem", package.ecosystem.as_str())];
    if let Some(source) = &package.source {
        properties.push(property("boltseal:source:name", source.name.as_str()));
        properties.push(property("boltseal:source:version", source.version.as_str()));
    }
    if let Some(layer) = &package.layer {
        properties.push(property("boltseal:layer", layer.to_string()));
    }
    if let Some(owner) = &package.owner {
        properties.push(property("boltseal:owner", owner.as_str()));
    }
    let occurrences: Vec<Occurrence<'_>> =
        package.paths.iter().map(|location| Occurrence { location }).collect();
    Component {
        bom_ref: Some(bom_ref),
        kind: "library",
        name: &package.name,
        version: Some(package.version.clone()).filter(|version| !version.is_empty()),
        licenses: licenses(package),
        purl: (!package.purl.is_empty()).then(|| package.purl.clone()),
        evidence: (!occurrences.is_empty()).then_some(Evidence { occurrences }),
        properties,
        ..Component::default()
    }
}

/// One expression where the declarations are one, otherwise their names as they are.
fn licenses(package: &Package) -> Vec<License<'_>> {
    license::expression(&package.licenses).map_or_else(
        || package.licenses.iter().map(|name| License::License(LicenseName { name })).collect(),
        |expression| vec![License::Expression(expression)],
    )
}
