//! What kind of thing is attached to an image, in words.

/// Media types by how they begin, and what people call them. The first that fits counts.
const KINDS: [(&str, &str); 14] = [
    ("application/vnd.dev.sigstore.bundle", "signature"),
    ("application/vnd.dev.cosign.artifact.sig", "signature"),
    ("application/vnd.dev.cosign.simplesigning", "signature"),
    ("application/vnd.cncf.notary.signature", "signature"),
    ("application/vnd.cyclonedx", "bill of materials"),
    ("application/spdx", "bill of materials"),
    ("text/spdx", "bill of materials"),
    ("application/vnd.syft", "bill of materials"),
    ("application/vnd.dev.cosign.artifact.sbom", "bill of materials"),
    ("application/vnd.in-toto", "attestation"),
    ("application/vnd.dsse", "attestation"),
    ("application/vnd.openvex", "VEX statement"),
    ("application/sarif", "scan report"),
    ("application/vnd.cncf.helm", "chart"),
];
/// The same for tags by which things were attached before there were subjects.
const SUFFIXES: [(&str, &str); 3] =
    [(".sig", "signature"), (".att", "attestation"), (".sbom", "bill of materials")];

/// What a type is called; where nobody knows it, an artifact.
pub(crate) fn kind(artifact_type: &str, tag: Option<&str>) -> &'static str {
    let by_tag = || SUFFIXES.iter().find(|(end, _)| tag.is_some_and(|tag| tag.ends_with(end)));
    let by_type = KINDS.iter().find(|(start, _)| artifact_type.starts_with(start));
    by_type.or_else(by_tag).map_or("artifact", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_names() {
        for (artifact_type, tag, word) in [
            ("application/vnd.dev.sigstore.bundle.v0.3+json", None, "signature"),
            ("application/vnd.cyclonedx+json", None, "bill of materials"),
            ("application/vnd.oci.image.config.v1+json", Some("sha256-00.att"), "attestation"),
            ("application/vnd.example", None, "artifact"),
            ("", None, "artifact"),
        ] {
            assert_eq!(kind(artifact_type, tag), word, "{artifact_type}");
        }
    }
}
