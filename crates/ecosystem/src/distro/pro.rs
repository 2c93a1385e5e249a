//! Whether an Ubuntu system gets the fixes of Ubuntu Pro (ESM), which live in name spaces of their own.
//!
//! It does where its contract is attached (`status.json` of the client says so), where apt has a source of ESM, or
//! where a package of ESM is installed: images are often built with a contract and detached again afterwards. The
//! version of such a package ends with `esm` and a number.

use boltseal_model::Tree;
use serde::Deserialize;

const STATUS: &str = "var/lib/ubuntu-advantage/status.json";
const SOURCES: [&str; 4] = [
    "etc/apt/sources.list.d/ubuntu-esm-infra.list",
    "etc/apt/sources.list.d/ubuntu-esm-infra.sources",
    "etc/apt/sources.list.d/ubuntu-esm-apps.list",
    "etc/apt/sources.list.d/ubuntu-esm-apps.sources",
];
const DPKG: &str = "var/lib/dpkg/status";

pub(super) fn wants(path: &str) -> bool {
    path == STATUS || SOURCES.contains(&path)
}

pub(super) fn is_attached(tree: &Tree) -> bool {
    let text = |path: &&str| tree.content(path).map(String::from_utf8_lossy);
    text(&STATUS).is_some_and(|status| says_attached(&status))
        || SOURCES.iter().filter_map(text).any(|list| list.lines().any(is_source))
        || text(&DPKG).is_some_and(|status| status.lines().any(is_esm_version))
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    attached: bool,
    #[serde(default)]
    services: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
}

fn says_attached(status: &str) -> bool {
    let Ok(status) = serde_json::from_str::<Status>(status) else { return false };
    let esm = |service: &Service| service.name.starts_with("esm-") && service.status == "enabled";
    status.attached && status.services.iter().any(esm)
}

fn is_source(line: &str) -> bool {
    let line = line.trim();
    !line.starts_with('#') && line.contains("esm.ubuntu.com")
}

/// `Version: 2.27-3ubuntu1.6+esm1`
fn is_esm_version(line: &str) -> bool {
    let esm = |version: &str| {
        let (_, number) = version.rsplit_once("esm")?;
        Some(!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
    };
    line.strip_prefix("Version: ").and_then(|version| esm(version.trim())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_a_contract() {
        for (line, expected) in [
            ("Version: 2.27-3ubuntu1.6+esm1", true),
            ("Version: 1:8.2-4ubuntu0.11~esm2", true),
            ("Version: 2.27-3ubuntu1.6", false),
            ("Version: 1.0-esmeralda", false),
            ("Description: 1+esm1", false),
        ] {
            assert_eq!(is_esm_version(line), expected, "{line}");
        }
        let service = |status| format!(r#"{{"name":"esm-infra","status":"{status}"}}"#);
        for (status, expected) in [
            (format!(r#"{{"attached":true,"services":[{}]}}"#, service("enabled")), true),
            (format!(r#"{{"attached":true,"services":[{}]}}"#, service("disabled")), false),
            (format!(r#"{{"attached":false,"services":[{}]}}"#, service("enabled")), false),
            ("{".to_owned(), false),
        ] {
            assert_eq!(says_attached(&status), expected, "{status}");
        }
        assert!(is_source("deb https://esm.ubuntu.com/infra/ubuntu bionic-infra-security main"));
        assert!(!is_source("# deb https://esm.ubuntu.com/infra/ubuntu bionic-infra-security main"));
    }
}
