//! SPDX 2.3 JSON (ISO/IEC 5962 and its successor): the bill of materials.
//!
//! Vulnerabilities are security references of the packages they are in (annex F.2), where a feed names a page about
//! them. Licences that are no SPDX expression are carried as extracted text, word for word.

mod shape;

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    io::{self, Write},
};

use boltseal_model::{Digest, Finding, Report};

use self::shape::{CreationInfo, Document, ExternalRef, ExtractedLicense, Package, Relationship};
use super::{
    Format,
    identity::{TOOL, TOOL_VERSION, created, image_name, image_purl, is_url, package_refs, uuid},
    license, pretty,
};

/// `spdx`
pub(super) const FORMAT: Format = Format {
    name: "spdx",
    media_type: "application/spdx+json",
    extension: "json",
    about: "SPDX 2.3 JSON: bill of materials, with security references where feeds were used",
    write,
};

const NOBODY_SAID: &str = "NOASSERTION";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const ROOT: &str = "SPDXRef-Image";
const SYSTEM: &str = "SPDXRef-OperatingSystem";

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let ids: Vec<String> =
        package_refs(&report.packages).iter().map(|name| element("Package", name)).collect();
    let image = image_name(&report.subject);
    let uuid = uuid(report)?;
    let mut licenses = Licenses::default();
    let mut packages = vec![root(report, &image)];
    packages.extend(system(report));
    let mut findings: HashMap<&str, Vec<&Finding>> = HashMap::new();
    for finding in &report.findings {
        findings.entry(&finding.purl).or_default().push(finding);
    }
    for (installed, id) in report.packages.iter().zip(&ids) {
        let found = findings.get(installed.purl.as_str()).map_or(&[][..], Vec::as_slice);
        packages.push(package(installed, id, found, &mut licenses));
    }
    let relationships = relationships(&packages);
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: &image,
        // A URI that is nobody's address: RFC 9562 section 4 names it, and nothing has to be served there.
        document_namespace: format!("urn:uuid:{uuid}"),
        creation_info: CreationInfo {
            created: created(report),
            creators: [format!("Tool: {TOOL}-{TOOL_VERSION}")],
            comment: report.snapshot.is_none().then_some(
                "no moment of creation is recorded, so that the same image gives the same document",
            ),
        },
        comment: comment(report),
        packages,
        has_extracted_licensing_infos: licenses.extracted(),
        relationships,
    };
    pretty(&document, out)
}

/// Identifiers may hold letters, digits, `.` and `-` only: a hash of the name is always one, and always the same.
fn element(kind: &str, name: &str) -> String {
    let mut hash = Digest::of(name.as_bytes()).hex();
    hash.truncate(32);
    format!("SPDXRef-{kind}-{hash}")
}

fn comment(report: &Report) -> Option<String> {
    let gaps: Vec<String> = report
        .coverage
        .gaps
        .iter()
        .map(|gap| format!("{}: {}: {}", gap.kind.word(), gap.subject, gap.detail))
        .collect();
    (!gaps.is_empty()).then(|| format!("This document is incomplete:\n{}", gaps.join("\n")))
}

fn bare<'a>(id: &'a str, name: &'a str, purpose: &'static str) -> Package<'a> {
    Package {
        id,
        name,
        version_info: None,
        supplier: NOBODY_SAID,
        download_location: NOBODY_SAID,
        files_analyzed: false,
        source_info: None,
        license_concluded: NOBODY_SAID,
        license_declared: NOBODY_SAID.to_owned(),
        copyright_text: NOBODY_SAID,
        external_refs: Vec::new(),
        primary_package_purpose: purpose,
    }
}

fn purl<'a>(purl: impl Into<Cow<'a, str>>) -> ExternalRef<'a> {
    ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl.into(),
        comment: None,
    }
}

fn root<'a>(report: &'a Report, image: &'a str) -> Package<'a> {
    Package {
        version_info: report.subject.digest.as_ref().map(ToString::to_string),
        source_info: Some(format!("read from {}", report.subject.reference)),
        external_refs: image_purl(&report.subject).map(purl).into_iter().collect(),
        ..bare(ROOT, image, "CONTAINER")
    }
}

fn system(report: &Report) -> Option<Package<'_>> {
    let distro = report.distro.as_ref()?;
    Some(Package {
        version_info: (!distro.version.is_empty()).then(|| distro.version.clone()),
        ..bare(SYSTEM, &distro.id, "OPERATING_SYSTEM")
    })
}

fn package<'a>(
    installed: &'a boltseal_model::Package,
    id: &'a str,
    findings: &[&'a Finding],
    licenses: &mut Licenses,
) -> Package<'a> {
    let mut facts = Vec::new();
    if let Some(source) = &installed.source {
        facts.push(format!("built from source package {} {}", source.name, source.version));
    }
    if let Some(path) = installed.paths.first() {
        facts.push(format!("read from {path}"));
    }
    if let Some(layer) = &installed.layer {
        facts.push(format!("in layer {layer}"));
    }
    let mut refs: Vec<ExternalRef<'a>> =
        (!installed.purl.is_empty()).then(|| purl(installed.purl.as_str())).into_iter().collect();
    refs.extend(findings.iter().filter_map(|finding| security(finding)));
    Package {
        version_info: Some(installed.version.clone()).filter(|version| !version.is_empty()),
        source_info: (!facts.is_empty()).then(|| facts.join(", ")),
        license_declared: licenses.declared(&installed.licenses),
        external_refs: refs,
        ..bare(id, &installed.name, "LIBRARY")
    }
}

fn security(finding: &Finding) -> Option<ExternalRef<'_>> {
    let url = finding.references.iter().find(|url| is_url(url))?;
    let fixed = finding.fixed.as_ref().map(|fixed| format!(", fixed in {fixed}")).unwrap_or_default();
    Some(ExternalRef {
        reference_category: "SECURITY",
        reference_type: "advisory",
        reference_locator: url.as_str().into(),
        comment: Some(format!("{} ({}, {}{fixed})", finding.id, finding.severity, finding.status.word())),
    })
}

fn relationships<'a>(packages: &[Package<'a>]) -> Vec<Relationship<'a>> {
    let describes = Relationship {
        spdx_element_id: DOCUMENT,
        relationship_type: "DESCRIBES",
        related_spdx_element: ROOT,
    };
    let contains = packages.iter().filter(|package| package.id != ROOT).map(|package| Relationship {
        spdx_element_id: ROOT,
        relationship_type: "CONTAINS",
        related_spdx_element: package.id,
    });
    std::iter::once(describes).chain(contains).collect()
}

/// Declarations that are no expression, by the reference that stands for them.
#[derive(Default)]
struct Licenses(BTreeMap<String, String>);

impl Licenses {
    fn declared(&mut self, declared: &[String]) -> String {
        if declared.is_empty() {
            return NOBODY_SAID.to_owned();
        }
        if let Some(expression) = license::expression(declared) {
            return expression;
        }
        let text = declared.join("\n");
        let reference = element("License", &text).replace("SPDXRef-License", "LicenseRef");
        self.0.insert(reference.clone(), text);
        reference
    }

    fn extracted(self) -> Vec<ExtractedLicense> {
        let one = |(license_id, text): (String, String)| ExtractedLicense {
            license_id,
            name: text.lines().next().unwrap_or_default().to_owned(),
            extracted_text: text,
        };
        self.0.into_iter().map(one).collect()
    }
}
