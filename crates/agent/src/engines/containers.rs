//! What podman, buildah, skopeo and CRI-O read: `containers-policy.json(5)` and `containers-registries.conf(5)`.

use serde_json::{Value, json};

use super::{Approved, File};

const POLICY: &str = "/etc/containers/policy.json";
/// Read after the distribution's own file, and so counts.
const REGISTRIES: &str = "/etc/containers/registries.conf.d/999-boltseal.conf";

/// The files: everything is rejected but what is approved, and a short name means nothing. With `key`, the path of a
/// public key, images must also be signed by it.
pub fn files(approved: &[Approved], key: Option<&str>) -> Vec<File> {
    let requirement = key.map_or_else(
        || json!({ "type": "insecureAcceptAnything" }),
        // Signatures name a repository without its tag.
        |key| json!({ "type": "sigstoreSigned", "keyPath": key, "signedIdentity": { "type": "matchRepository" } }),
    );
    let scopes: serde_json::Map<String, Value> =
        approved.iter().map(|one| (one.as_str().to_owned(), json!([requirement]))).collect();
    let policy = json!({
        "default": [{ "type": "reject" }],
        // The engine's own storage, between its own steps: what is there came in through the line below.
        "transports": { "containers-storage": { "": [{ "type": "insecureAcceptAnything" }] }, "docker": scopes },
    });
    let mut text = serde_json::to_string_pretty(&policy).unwrap_or_default();
    text.push('\n');
    let policy = File { path: POLICY.to_owned(), text, program: false };
    let mut files = vec![policy, registries()];
    if key.is_some() {
        files.extend(hosts(approved).map(attachments));
    }
    files
}

fn registries() -> File {
    let text = "\
# A name without a registry means nothing here, rather than whichever registry has it.
unqualified-search-registries = []
short-name-mode = \"enforcing\"
";
    File { path: REGISTRIES.to_owned(), text: text.to_owned(), program: false }
}

/// Signatures beside images are looked for only where a registry is named (`containers-registries.d(5)`).
fn attachments(host: &str) -> File {
    let text = format!("docker:\n  {host}:\n    use-sigstore-attachments: true\n");
    let name = host.replace(':', "-");
    File { path: format!("/etc/containers/registries.d/{name}.yaml"), text, program: false }
}

/// Each host once.
fn hosts(approved: &[Approved]) -> impl Iterator<Item = &str> {
    let mut hosts: Vec<&str> = approved.iter().map(Approved::host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.into_iter()
}
