//! What flow does with findings once it has them, on plain values; and plans of what goes by rules.
#![expect(
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "tests say what they expect in the plainest way"
)]

mod baseline;
mod diff;
mod ignore;
mod layers;
mod look;
mod mutations;
mod notary;
mod published;
mod retention;
mod upgrades;
mod uses;

use boltseal_model::{Finding, Fix, Proof, Severity, Status};

/// A finding in `package`, which was built from `matched`.
fn finding(id: &str, package: &str, matched: &str, installed: &str, fixed: Option<&str>) -> Finding {
    let name = package;
    Finding {
        id: id.to_owned(),
        aliases: Vec::new(),
        package: name.to_owned(),
        purl: format!("pkg:generic/{name}@{installed}"),
        installed: installed.to_owned(),
        fixed: fixed.map(str::to_owned),
        fixed_on: None,
        severity: Severity::High,
        cvss: Vec::new(),
        kev: None,
        epss: None,
        status: Status::Affected,
        fix: fixed
            .map(|version| Fix { version: version.to_owned(), command: format!("get {name} {version}") }),
        title: String::new(),
        published: None,
        references: Vec::new(),
        proof: Proof {
            layer: None,
            path: "var/lib/dpkg/status".to_owned(),
            advisory: id.to_owned(),
            feed: "test".to_owned(),
            matched: matched.to_owned(),
            range: String::new(),
            comparison: String::new(),
        },
        statements: Vec::new(),
    }
}
