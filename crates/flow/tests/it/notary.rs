//! Trust policies and stores in folders, with those of Notary Project's own tests.

use std::{fs, os::unix::fs::symlink, path::Path};

use boltseal_flow::notary::trust;
use boltseal_testkit::shared;

const STORES: &str = "data/signing/notation-go/verifier/testdata/truststore/x509";

/// A folder with a policy that names this store.
fn folder(store: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let policy = format!(
        r#"{{ "version": "1.0", "trustPolicies": [{{ "name": "a", "registryScopes": ["registry.example.com/app"],
            "signatureVerification": {{ "level": "strict" }}, "trustedIdentities": ["*"],
            "trustStores": ["{store}"] }}] }}"#
    );
    fs::write(folder.path().join("trustpolicy.json"), policy).unwrap();
    folder
}

/// Copies `from` with all that is in it, but not what it links to.
fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn told(folder: &Path) -> Result<bool, String> {
    trust(folder, "registry.example.com/app").map(|found| found.is_some()).map_err(|why| why.to_string())
}

#[test]
fn stores_of_others() {
    for (kind, store, expected) in [
        ("ca", "valid-trust-store", Ok(true)),
        ("ca", "valid-trust-store-self-signed", Ok(true)),
        ("signingAuthority", "valid-trust-store", Ok(true)),
        ("tsa", "test-timestamp", Ok(true)),
        ("ca", "trust-store-with-leaf-certs", Err("neither an authority nor signed by itself")),
        (
            "ca",
            "trust-store-with-leaf-certs-in-single-file",
            Err("neither an authority nor signed by itself"),
        ),
        ("ca", "trust-store-with-invalid-certs", Err("no certificate")),
        ("tsa", "test-nonSelfIssued", Err("trust store `tsa:")),
        ("tsa", "test-nonCA", Err("is no root of an authority")),
        ("", "trust-store-with-directories", Err("it is no plain file")),
    ] {
        let path = [STORES, kind, store].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        let Some(from) = shared(&path.join("/")) else { return };
        let kind = if kind.is_empty() { "ca" } else { kind };
        let folder = folder(&format!("{kind}:{store}"));
        copied(&from, &folder.path().join("truststore/x509").join(kind).join(store));
        match (told(folder.path()), expected) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{kind}:{store}"),
            (Err(found), Err(why)) => assert!(found.contains(why), "{kind}:{store}: {found}"),
            (found, _) => assert_eq!(found.is_ok(), expected.is_ok(), "{kind}:{store}: {found:?}"),
        }
    }
}

#[test]
fn folders_that_nobody_can_follow() {
    let Some(from) = shared(&format!("{STORES}/ca/valid-trust-store")) else { return };
    let empty = tempfile::tempdir().unwrap();
    assert!(told(empty.path()).unwrap_err().contains("there is no trustpolicy.oci.json"));
    let folder = folder("ca:a");
    let store = folder.path().join("truststore/x509/ca/a");
    assert!(told(folder.path()).unwrap_err().contains("No such file"));
    fs::create_dir_all(store.parent().unwrap()).unwrap();
    symlink(&from, &store).unwrap();
    assert!(told(folder.path()).unwrap_err().contains("it is no folder, or a link to one"));
    fs::remove_file(&store).unwrap();
    fs::create_dir(&store).unwrap();
    assert!(told(folder.path()).unwrap_err().contains("is empty"));
    symlink(from.join("GlobalSign.der"), store.join("link.crt")).unwrap();
    assert!(told(folder.path()).unwrap_err().contains("it is no plain file"));
    fs::remove_file(store.join("link.crt")).unwrap();
    fs::copy(from.join("GlobalSign.der"), store.join("a.crt")).unwrap();
    assert_eq!(told(folder.path()), Ok(true));
    assert!(trust(folder.path(), "registry.example.com/other").unwrap().is_none());
    fs::create_dir(folder.path().join("revocation")).unwrap();
    fs::write(folder.path().join("revocation/a.crl"), "x").unwrap();
    assert!(told(folder.path()).unwrap_err().contains("neither a list of revoked certificates"));
}
