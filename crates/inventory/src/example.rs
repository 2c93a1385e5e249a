//! A finding for examples, which has more fields than an example has lines.

use boltseal_model::{Finding, Package, Proof, Severity, Status};

/// That `package` has the critical vulnerability `id`.
pub fn finding(id: &str, package: &Package) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: Vec::new(),
        package: package.name.clone(),
        purl: package.purl.clone(),
        installed: package.version.clone(),
        fixed: None,
        fixed_on: None,
        severity: Severity::Critical,
        cvss: Vec::new(),
        kev: None,
        epss: None,
        status: Status::Affected,
        fix: None,
        title: String::new(),
        published: None,
        references: Vec::new(),
        proof: Proof {
            layer: None,
            path: String::new(),
            advisory: String::new(),
            feed: String::new(),
            matched: String::new(),
            range: String::new(),
            comparison: String::new(),
        },
        statements: Vec::new(),
    }
}
