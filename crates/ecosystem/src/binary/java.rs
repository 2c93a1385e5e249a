//! `release` of a Java runtime: lines of `KEY="value"` that every build since Java 8 writes.

use boltseal_model::{Catalog, Package, Tree};

use super::Binary;
use crate::{Ecosystem as _, lock::file_name, origin, word::is_word};

/// Whether the file at `path` may be one; other programs call files so, too.
pub(super) fn is_one(path: &str) -> bool {
    file_name(path) == "release" && path.contains('/')
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for (path, file) in tree.files.iter().filter(|(path, _)| is_one(path)) {
        let Some(version) = version(&file.content) else { continue };
        let same = |old: &[u8]| self::version(old).as_ref() == Some(&version);
        out.packages.push(Package {
            paths: vec![path.to_string()],
            layer: origin::layer(tree, origin::since(file, same)),
            ..Binary.named("java", &version)
        });
    }
}

/// `17.0.15`; `1.8.0_392` of Java 8 becomes `1.8.0-392`, as advisories write it.
fn version(content: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(content).ok()?;
    let quoted = text.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    Some(quoted.trim().trim_matches('"').replace('_', "-")).filter(|version| is_word(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        for (text, expected) in [
            ("IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.15\"\n", Some("17.0.15")),
            ("JAVA_VERSION=\"1.8.0_392\"\n", Some("1.8.0-392")),
            ("VERSION=1\n", None),
            ("JAVA_VERSION=\"\"\n", None),
        ] {
            assert_eq!(version(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}
