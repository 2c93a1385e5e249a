//! Facts about an image that exists in a test only: parts of a report as its schema has them, with everything that a test
//! does not care about filled in.

use boltseal_model::{Report, Subject, Timestamp};
use serde_json::{Map, Value, json};

/// Parts of a report that a test may give.
const PARTS: [&str; 12] = [
    "distro",
    "gaps",
    "packages",
    "leaks",
    "misconfigurations",
    "unowned",
    "malware",
    "signatures",
    "bases",
    "findings",
    "snapshot",
    "platform",
];

/// `facts:`
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Given(Map<String, Value>);

impl Given {
    /// A report about `image`. Data is fresh and nothing is missing, unless the test says otherwise.
    pub(crate) fn report(self, image: &str, at: Timestamp) -> Result<Report, String> {
        let mut parts = self.0;
        if let Some(name) = parts.keys().find(|name| !PARTS.contains(&name.as_str())) {
            return Err(format!("facts: there is no `{name}`; there is {}", PARTS.join(", ")));
        }
        let snapshot = json!({"id": "test", "built": at, "feeds": []});
        let finding = json!({
            "aliases": [], "package": "", "purl": "", "installed": "", "fixed": null, "fixed_on": null,
            "severity": "unknown", "cvss": [], "kev": null, "epss": null, "status": "affected", "fix": null, "title": "",
            "published": null, "references": [], "statements": [],
            "proof": {"layer": null, "path": "", "advisory": "", "feed": "test", "matched": "", "range": "",
                      "comparison": ""},
        });
        let package = json!({
            "ecosystem": "", "version": "", "purl": "", "source": null, "architecture": null, "licenses": [],
            "paths": [], "layer": null, "owner": null,
        });
        let mut take = |name: &str| parts.remove(name);
        let gaps = filled("gaps", take("gaps"), &["kind"], &json!({"subject": "", "detail": ""}))?;
        let mut packages = filled("packages", take("packages"), &["name"], &package)?;
        packages.iter_mut().for_each(identified);
        let mut findings = filled("findings", take("findings"), &["id"], &finding)?;
        findings.iter_mut().for_each(known);
        let distro = match take("distro") {
            Some(distro) => {
                let nameless = json!({"version": "", "name": distro.get("id"), "end_of_life": null});
                filled("distro", Some(json!([distro])), &["id"], &nameless)?.pop()
            }
            None => None,
        };
        let platform = take("platform");
        let report = json!({
            "subject": {"reference": image, "digest": null, "config": null, "platform": platform},
            "snapshot": take("snapshot").unwrap_or(snapshot),
            "coverage": {"complete": gaps.is_empty(), "gaps": gaps},
            "distro": distro,
            "layers": [],
            "packages": packages,
            "leaks": take("leaks").unwrap_or_else(|| json!([])),
            "misconfigurations": take("misconfigurations").unwrap_or_else(|| json!([])),
            "unowned": take("unowned").unwrap_or_else(|| json!([])),
            "malware": take("malware").unwrap_or_else(|| json!([])),
            "signatures": take("signatures"),
            "bases": take("bases"),
            "findings": findings,
            "verdict": null,
        });
        let mut report: Report = serde_json::from_value(report).map_err(|error| format!("facts: {error}"))?;
        name(&mut report.subject, image);
        Ok(report)
    }
}

/// Calls an image so.
pub(crate) fn name(subject: &mut Subject, image: &str) {
    image.clone_into(&mut subject.reference);
    subject.name = image.parse().ok();
    subject.digest = image.split_once('@').and_then(|(_, digest)| digest.parse().ok());
}

/// The entries of a part, each with what it does not say itself.
fn filled(part: &str, given: Option<Value>, needs: &[&str], rest: &Value) -> Result<Vec<Value>, String> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let Value::Array(entries) = given else { return Err(format!("facts: `{part}` is a list")) };
    let mut out = Vec::with_capacity(entries.len());
    for entry in entries {
        let (Value::Object(own), Value::Object(rest)) = (entry, rest) else {
            return Err(format!("facts: an entry of `{part}` has fields, such as `{}`", needs.join("`, `")));
        };
        if let Some(missing) = needs.iter().find(|name| !own.contains_key(**name)) {
            return Err(format!("facts: an entry of `{part}` needs `{missing}`"));
        }
        let known = |name: &String| needs.contains(&name.as_str()) || rest.contains_key(name);
        if let Some(name) = own.keys().find(|name| !known(name)) {
            let all: Vec<&str> = needs.iter().copied().chain(rest.keys().map(String::as_str)).collect();
            return Err(format!("facts: an entry of `{part}` has no `{name}`; it has {}", all.join(", ")));
        }
        let mut whole = rest.clone();
        whole.extend(own);
        out.push(Value::Object(whole));
    }
    Ok(out)
}

/// A package that says no purl has the obvious one.
fn identified(package: &mut Value) {
    let text = |name: &str| package.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if text("purl").is_empty() {
        let purl = format!("pkg:{}/{}@{}", text("ecosystem"), text("name"), text("version"));
        if let Some(fields) = package.as_object_mut() {
            fields.insert("purl".to_owned(), Value::String(purl));
        }
    }
}

/// `kev: true` and `epss: 0.9` say enough.
fn known(finding: &mut Value) {
    let Some(fields) = finding.as_object_mut() else { return };
    match fields.get("kev") {
        Some(Value::Bool(true)) => {
            let listed = json!({"added": "2024-01-01", "due": null, "ransomware": false});
            fields.insert("kev".to_owned(), listed);
        }
        Some(Value::Bool(false)) => drop(fields.insert("kev".to_owned(), Value::Null)),
        _ => {}
    }
    if let Some(score) = fields.get("epss").filter(|epss| epss.is_number()).cloned() {
        fields.insert("epss".to_owned(), json!({"score": score, "percentile": score}));
    }
}
