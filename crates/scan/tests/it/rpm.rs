//! Packages of rpm distributions: streams of modules, names of packages and sources, other vendors' packages.

use boltseal_model::{Advisory, Catalog, Package, Source, Status};
use boltseal_scan::{Builder, Snapshot, findings};

use crate::support::{NOW, advisory, bytes, catalog, feed, open, real};

/// A package of `AlmaLinux` 8; `module` is the label, if it is of one.
fn package(name: &str, version: &str, source: &str, module: &str) -> Package {
    let module =
        if module.is_empty() { String::new() } else { format!("?rpmmod={module}:8090020231114:a75119d5") };
    Package {
        ecosystem: "rpm".to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        purl: format!("pkg:rpm/almalinux/{name}@{version}{module}"),
        source: Some(Source { name: source.to_owned(), version: version.to_owned() }),
        ..Package::default()
    }
}

fn system(package: Package) -> Catalog {
    catalog("almalinux 8.9", vec![package])
}

/// Advisories of `almalinux:8`: id, package, fixed version and status.
fn snapshot(lines: &[(&str, &str, &str, Status)]) -> Snapshot {
    let mut builder = Builder::new().unwrap();
    builder.feed(feed("osv:AlmaLinux", &["almalinux:8"]));
    for (id, package, fixed, status) in lines {
        let mut one: Advisory = advisory("osv:AlmaLinux", &format!("{id} almalinux:8/x ..{fixed}"));
        for affected in &mut one.affected {
            (*package).clone_into(&mut affected.package);
            affected.status = *status;
        }
        builder.advisory(one).unwrap();
    }
    open(bytes(builder))
}

#[test]
fn what_is_said_of_another_stream_does_not_apply() {
    let snapshot = snapshot(&[
        ("A-1", "nodejs:16/nodejs", "1:16.20.2-2.module_el8.8.0", Status::Affected),
        ("A-2", "nodejs:18/nodejs", "1:18.19.0-1.module_el8.9.0", Status::Affected),
        ("A-3", "*/nodejs", "1:99-1.module_el8.9.0", Status::Affected),
        ("A-4", "nodejs", "1:99-1.el8", Status::Affected),
    ]);
    for (version, module, expected) in [
        ("1:14.21.3-1.module_el8.7.0", "nodejs:14", vec!["A-3"]),
        ("1:16.1.0-1.module_el8.7.0", "nodejs:16", vec!["A-1", "A-3"]),
        ("1:18.18.0-1.module_el8.7.0", "nodejs:18", vec!["A-2", "A-3"]),
        ("1:18.19.0-1.module_el8.9.0", "nodejs:18", vec!["A-3"]),
        ("1:18.18.0-1.el8", "", vec!["A-4"]),
    ] {
        let found = findings(&system(package("nodejs", version, "nodejs", module)), &snapshot, NOW);
        let ids: Vec<&str> = found.findings.iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!((ids, found.gaps.len()), (expected, 0), "{version} of {module:?}");
    }
    let found = findings(&system(package("nodejs", "1:16.1.0-1", "nodejs", "nodejs:16")), &snapshot, NOW);
    assert_eq!(found.findings[0].proof.matched, "almalinux:8/nodejs:16/nodejs");
}

/// Oracle's ksplice builds have epoch 2, its FIPS builds epoch 10: a plain package never gets there.
#[test]
fn what_is_said_of_another_kind_of_build_does_not_apply() {
    let snapshot = snapshot(&[
        ("A-1", "glibc", "2.28-236.el8", Status::Affected),
        ("A-2", "ksplice/glibc", "2:2.28-236.ksplice1.el8", Status::Affected),
    ]);
    for (version, expected) in
        [("2.28-200.el8", "A-1"), ("2:2.28-200.ksplice1.el8", "A-2"), ("10:2.28-200.el8_fips", "")]
    {
        let found = findings(&system(package("glibc", version, "glibc", "")), &snapshot, NOW);
        let ids: Vec<&str> = found.findings.iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!(ids.concat(), expected, "{version}");
    }
}

#[test]
fn a_package_is_known_by_its_own_name_and_by_its_source() {
    let snapshot = snapshot(&[
        ("A-1", "util-linux", "2.32.1-43.el8", Status::Affected),
        ("A-2", "libuuid", "2.32.1-43.el8", Status::Affected),
        ("A-3", "util-linux", "2.32.1-43.el8", Status::Affected),
        ("A-3", "libuuid", "2.32.1-43.el8", Status::NotAffected),
        ("A-4", "libmount", "2.32.1-43.el8", Status::Affected),
    ]);
    let found = findings(&system(package("libuuid", "2.32.1-42.el8", "util-linux", "")), &snapshot, NOW);
    let matched: Vec<_> =
        found.findings.iter().map(|finding| (finding.id.as_str(), finding.proof.matched.as_str())).collect();
    // What is said about the package itself outweighs what is said about its source.
    assert_eq!(matched, [("A-1", "almalinux:8/util-linux"), ("A-2", "almalinux:8/libuuid")]);
}

#[test]
fn other_vendors_packages_are_not_silently_clean() {
    let snapshot = snapshot(&[("A-1", "docker-ce", "99-1", Status::Affected)]);
    let foreign = Package {
        purl: "pkg:rpm/docker/docker-ce@24-1".to_owned(),
        ..package("docker-ce", "24-1", "docker-ce", "")
    };
    let found = findings(&system(foreign), &snapshot, NOW);
    assert_eq!(found.findings, []);
    assert_eq!(found.gaps[0].subject, "rpm:docker");
}

#[test]
fn streams_of_almalinux() {
    let Some(snapshot) = real(&["osv/AlmaLinux/all.zip"]) else { return };
    for (stream, version) in [("14", "1:14.16.0-1.module_el8.4.0"), ("16", "1:16.1.0-1.module_el8.5.0")] {
        let module = format!("nodejs:{stream}");
        let found = findings(&system(package("nodejs", version, "nodejs", &module)), &snapshot, NOW);
        assert!(found.findings.len() >= 5, "{module}: {}", found.findings.len());
        for finding in &found.findings {
            assert_eq!(
                finding.proof.matched,
                format!("almalinux:8/{module}/nodejs"),
                "{}",
                finding.proof.advisory
            );
        }
    }
}
