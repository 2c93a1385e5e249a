//! Bundles that other implementations made, right and wrong ones.

use std::fs;

use super::{anybody, data, root, subject, verified};

/// What is expected: who signed (the beginning of it), or a part of the reason why it must be refused.
type Expected = Result<&'static str, &'static str>;

/// Bundle, root, and what is to come of them.
const BUNDLES: &[(&str, &str, Expected)] = &[
    ("bundles/bundle_v3_github.whl.sigstore", PUBLIC, Ok("https://github.com/trailofbits/rfc8785.py/")),
    (
        "bundles/conda-attestation.sigstore.json",
        PUBLIC,
        Ok("https://github.com/prefix-dev/sigstore-example/"),
    ),
    (
        "timestamps/valid_bundle.json",
        "timestamps/valid_trusted_root.json",
        Ok("https://github.com/sigstore-conformance/"),
    ),
    (
        "sct-multi-intermediate/staging_bundle.sigstore.json",
        "sct-multi-intermediate/staging_trusted_root.json",
        Ok("https://github.com/sigstore/root-signing-staging/"),
    ),
    (
        "invalid-ct-key_fail/bundle.sigstore.json",
        "invalid-ct-key_fail/trusted_root.json",
        Err("certificate timestamp"),
    ),
    // Of other instances than the root is of.
    ("bundles/cosign-v3-blob.sigstore.json", PUBLIC, Err("does not match any trusted TSA")),
    ("bundles/conda-attestation-rekor2.sigstore.json", PUBLIC, Err("does not match any trusted TSA")),
    ("bundles/othername.sigstore.json", PUBLIC, Err("No log key valid")),
    ("bundles/bundle_cve_2022_36056.txt.sigstore", PUBLIC, Err("No log key valid")),
    // Something is missing.
    ("bundles/bundle_no_log_entry.txt.sigstore", PUBLIC, Err("no entry of it")),
    ("bundles/bundle_v3_no_signed_time.txt.sigstore.json", PUBLIC, Err("No verified timestamp")),
    ("bundles/bundle_no_cert_v1.txt.sigstore", PUBLIC, Err("no checkpoint")),
    ("bundles/bundle_no_checkpoint.txt.sigstore", PUBLIC, Err("no checkpoint")),
    ("bundles/bundle_invalid_version.txt.sigstore", PUBLIC, Err("Invalid media type")),
    ("bundles/dsse-2sigs.sigstore.json", PUBLIC, Err("cannot be read")),
    // About something that has no SHA-256 here, so not about an image of ours.
    ("bundles/dsse.sigstore.json", PUBLIC, Err("it was signed for sha512:")),
    ("bundles/sigstore.js@2.0.0-provenance.sigstore.json", PUBLIC, Err("it was signed for sha512:")),
    ("bundles/github-private-attestation.sigstore.json", PUBLIC, Err("it was signed for sha1:")),
    (
        "timestamps/github_sha384_bundle.json",
        "timestamps/github_trusted_root.json",
        Err("it was signed for sha1:"),
    ),
];

const PUBLIC: &str = "trusted_roots/public-good.json";

#[test]
fn bundles_of_others() {
    for (name, trusted, expected) in BUNDLES {
        let Some(file) = data(&format!("sigstore-rust/{name}")) else { return };
        let bytes = fs::read(file).unwrap();
        let root = root(&format!("sigstore-rust/{trusted}")).unwrap();
        let image = subject(&serde_json::from_slice(&bytes).unwrap());
        let found = verified(&bytes, &image, &[anybody(&root)]);
        match (&found, expected) {
            (Ok(signed), Ok(by)) => {
                assert!(signed.by.to_string().starts_with(by), "{name}: {signed:?}");
                assert!(signed.logged && !signed.at.is_empty(), "{name}: {signed:?}");
            }
            (Err(refusal), Err(why)) => {
                println!("{name}: {refusal}");
                assert!(refusal.to_string().contains(why), "{name}: {refusal}");
            }
            _ => panic!("{name}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn an_attestation_of_an_image() {
    let Some(folder) = data("cosign/pkg/cosign/testdata") else { return };
    let bytes = fs::read(folder.join("oci-attestation.sigstore.json")).unwrap();
    let image = subject(&serde_json::from_slice(&bytes).unwrap());
    let root = root("cosign/pkg/cosign/testdata/trusted_root_pgi.json").unwrap();
    let signed = verified(&bytes, &image, &[anybody(&root)]).unwrap();
    assert_eq!(signed.by.to_string(), "cody@soyland.com, says https://github.com/login/oauth");
    assert_eq!(signed.statement.unwrap().predicate_type, "https://cosign.sigstore.dev/attestation/v1");
}

#[test]
fn an_attestation_says_what_it_says() {
    let Some(file) = data("sigstore-rust/bundles/conda-attestation.sigstore.json") else { return };
    let bytes = fs::read(file).unwrap();
    let image = subject(&serde_json::from_slice(&bytes).unwrap());
    let root = root("sigstore-rust/trusted_roots/public-good.json").unwrap();
    let signed = verified(&bytes, &image, &[anybody(&root)]).unwrap();
    let statement = signed.statement.unwrap();
    assert_eq!(statement.predicate_type, "https://schemas.conda.org/attestations-publish-1.schema.json");
    assert!(statement.predicate.is_object());
}
