//! Modules: several versions of one program, of which a system enables one stream (dnf.modularity(7)).
//!
//! A fix for `nodejs:18` says nothing about `nodejs:16`, though both are packages called nodejs. So advisories name a
//! package of a module together with its stream, as Red Hat does: `nodejs:18/nodejs`. A `/` is in no package's name.

/// What an advisory calls package `name` of a module; `stream` is `nodejs:18`.
///
/// A feed that says a package is of a module, but not of which stream, passes `None`: it is matched with every stream.
///
/// ```
/// # use boltseal_ecosystem::rpm::in_module;
/// assert_eq!(in_module(Some("nodejs:18"), "npm"), "nodejs:18/npm");
/// assert_eq!(in_module(None, "npm"), "*/npm");
/// ```
pub fn in_module(stream: Option<&str>, name: &str) -> String {
    format!("{}/{name}", stream.unwrap_or("*"))
}

/// Whether `version` was built as part of a module: `1:16.20.2-2.module_el8.8.0+3611+6c4d0aa6`.
pub fn is_modular(version: &str) -> bool {
    version.contains(".module_") || version.contains(".module+")
}

/// The kind of a build that has versions of its own, beside the plain package of the same name: Oracle's `ksplice`
/// (patched while running, epoch 2) and `fips` (validated, epoch 10).
///
/// Advisories about one say nothing about the other, so they are told apart as streams are: `ksplice/glibc`.
pub fn variant(version: &str) -> Option<&'static str> {
    if version.contains(".ksplice") {
        Some("ksplice")
    } else if version.ends_with("_fips") {
        Some("fips")
    } else {
        None
    }
}

/// The stream that a text speaks about: `nodejs:18` of "Important: nodejs:18 security update".
pub fn stream_in(text: &str) -> Option<&str> {
    text.split_whitespace().map(|word| word.trim_matches(['(', ')', ',', '[', ']', '"'])).find(|word| {
        let plain = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'))
        };
        word.split_once(':').is_some_and(|(module, stream)| {
            // `CVE:` and the like have nothing after the colon, versions with an epoch a digit before it.
            plain(module) && plain(stream) && module.starts_with(|c: char| c.is_ascii_lowercase())
        })
    })
}

/// `nodejs:18` of the label `nodejs:18:8080020230718144107:63b34585`.
pub(super) fn stream_of(label: &str) -> Option<&str> {
    let end = label.match_indices(':').nth(1).map_or(label.len(), |(end, _)| end);
    label.get(..end).filter(|stream| stream.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants() {
        for (version, expected) in [
            ("2:2.28-251.0.2.ksplice1.el8_10.2", Some("ksplice")),
            ("10:1.1.1k-12.el8_9_fips", Some("fips")),
            ("1:1.1.1k-12.el8_9", None),
        ] {
            assert_eq!(variant(version), expected, "{version}");
        }
    }

    #[test]
    fn streams() {
        for (text, stream) in [
            ("Important: nodejs:18 security, bug fix, and enhancement update", Some("nodejs:18")),
            ("container-tools:rhel8 bug fix update", Some("container-tools:rhel8")),
            ("Moderate: Satellite/tooling (perl:5.30)", Some("perl:5.30")),
            ("Low: git security update", None),
            ("see https://example.com/x", None),
        ] {
            assert_eq!(stream_in(text), stream, "{text}");
        }
        for (label, stream) in [
            ("nodejs:18:808:63b3", Some("nodejs:18")),
            ("nodejs:18", Some("nodejs:18")),
            ("nodejs", None),
            ("", None),
        ] {
            assert_eq!(stream_of(label), stream, "{label}");
        }
    }
}
