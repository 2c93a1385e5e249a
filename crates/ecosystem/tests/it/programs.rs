//! Programs without a record of a package manager.

use boltseal_ecosystem::{by_id, catalog};

use crate::{catalog::DEBIAN_12, shared::Builder};

/// An ELF file, as far as its first bytes tell, with `text` in it.
fn elf(text: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(256, 0);
    bytes.extend(text);
    bytes
}

#[test]
fn programs_and_who_speaks_about_them() {
    let bitnami = r#"{"spdxVersion": "SPDX-2.3", "packages": [
        {"name": "redis", "versionInfo": "7.2.4-5", "externalRefs": [{"referenceType": "purl",
         "referenceLocator": "pkg:bitnami/redis@7.2.4-5?arch=amd64"}]},
        {"name": "upstream", "versionInfo": "1", "externalRefs": []}]}"#;
    let tree = Builder::default()
        .layer()
        .executable("usr/local/sbin/nginx", elf(b"nginx/1.25.3\0"))
        .executable("usr/local/lib/libssl.so.3", elf(b"\0OpenSSL 3.0.11 19 Sep 2023\0"))
        .executable("usr/local/bin/curl", b"#!/bin/sh\necho curl/8.0.1\n")
        .file("opt/java/release", "JAVA_VERSION=\"17.0.9\"\n")
        .file("opt/bitnami/redis/.spdx-redis.spdx", bitnami)
        .tree();
    let found = catalog(&tree);
    let space = |package| by_id("binary").unwrap().space(package, None).unwrap();
    let rows: Vec<_> = found.packages.iter().map(|package| (&*package.purl, space(package))).collect();
    let rows: Vec<_> = rows.iter().map(|(purl, space)| (*purl, &**space)).collect();
    assert_eq!(
        rows,
        [
            ("pkg:generic/java@17.0.9", "bitnami"),
            ("pkg:generic/nginx@1.25.3", "bitnami"),
            ("pkg:generic/openssl@3.0.11", "binary"),
            ("pkg:bitnami/redis@7.2.4", "bitnami"),
        ]
    );
}

#[test]
fn what_a_package_brought_is_listed_once() {
    let status = "Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: Debian Nginx Maintainers <pkg-nginx-maintainers@alioth-lists.debian.net>\nVersion: 1.22.1-9\n\n";
    let tree = Builder::default()
        .layer()
        .file("etc/os-release", DEBIAN_12)
        .file("var/lib/dpkg/status", status)
        .file("var/lib/dpkg/info/nginx.list", "/.\n/usr/sbin/nginx\n")
        .executable("usr/sbin/nginx", elf(b"nginx/1.22.1\0"))
        .executable("opt/nginx/sbin/nginx", elf(b"nginx/1.25.3\0"))
        .tree();
    let found = catalog(&tree);
    let rows: Vec<_> =
        found.packages.iter().map(|package| (&*package.ecosystem, &*package.version)).collect();
    assert_eq!(rows, [("binary", "1.25.3"), ("debian", "1.22.1-9")]);
}
