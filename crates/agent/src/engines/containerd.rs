//! What containerd reads: `hosts.toml` of each registry, and a folder of programs that it asks about every image it pulls
//! ("Image verifier plugin", since 2.0).
//!
//! containerd goes on to the next host whenever one answers with an error, "denied" included, and at last to the registry
//! that a name means, unless `server` says another. So our registry is both: a host, without which versions before 1.7 do
//! not read the file, and the last one.

use super::{File, Mirrored};

const CERTS: &str = "/etc/containerd/certs.d";
const VERIFIER: &str = "/opt/containerd/image-verifier/bin/boltseal";

/// The files. `registry` is our registry's address with its scheme; images of `mirrored` come through it, all others come
/// from it or not at all.
pub fn files(registry: &str, ca: Option<&str>, mirrored: &[Mirrored]) -> Vec<File> {
    let registry = registry.trim_end_matches('/');
    let mut files = vec![hosts("_default", registry, "/v2", ca)];
    files.extend(
        mirrored.iter().map(|one| hosts(&one.upstream, registry, &format!("/v2/{}", one.prefix), ca)),
    );
    files
}

/// The program, which asks `server` for the verdict about each digest as the service principal `name`.
pub fn verifier(boltseal: &str, server: &str, ca: Option<&str>, name: &str, secret_file: &str) -> File {
    let ca = ca.map(|ca| format!(" --ca {}", quoted(ca))).unwrap_or_default();
    let text = format!(
        "#!/bin/sh\n# containerd asks this program about every image: exit code 0 lets it in. What it prints is told to whoever pulls.\n\
         exec {} admit --server {}{ca} --name {} --secret-file {} --containerd -- \"$@\" 2>&1\n",
        quoted(boltseal),
        quoted(server),
        quoted(name),
        quoted(secret_file)
    );
    File { path: VERIFIER.to_owned(), text, program: true }
}

fn hosts(of: &str, registry: &str, path: &str, ca: Option<&str>) -> File {
    let at = format!("{registry}{path}");
    let ca = ca.map(|ca| format!("ca = {ca:?}\n")).unwrap_or_default();
    let settings = format!("capabilities = [\"pull\", \"resolve\"]\noverride_path = true\n{ca}");
    let text = format!(
        "# No other registry is asked when this one refuses.\nserver = {at:?}\n{settings}\n[host.{at:?}]\n{settings}"
    );
    File { path: format!("{CERTS}/{of}/hosts.toml"), text, program: false }
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
