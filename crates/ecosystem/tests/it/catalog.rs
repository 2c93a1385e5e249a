//! Package files to packages: cases with known answers, and trees made here.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_ecosystem::{by_id, catalog};
use boltseal_model::{Catalog, GapKind};
use serde_json::Value;

use crate::shared::{self, Builder};

const CASES: &str = "data/fixtures/catalog-scalibr.tar.zst";

/// Cases whose expectation is not ours, each with the reason. Reviewed.
const EXCEPTIONS: &str = include_str!("data/catalog-exceptions.txt");

/// Folder of cases, ecosystem, and where a file of that folder lies in an image; `*` is the file's own name.
const PLACES: &[(&str, &str, &str)] = &[
    ("os/dpkg/testdata/dpkg/status.d/", "debian", "var/lib/dpkg/status.d/*"),
    ("os/dpkg/testdata/", "debian", "var/lib/dpkg/status"),
    ("os/apk/testdata/", "alpine", "lib/apk/db/installed"),
    ("language/python/wheelegg/testdata/egginfo", "pypi", "usr/lib/python3/dist-packages/x.egg-info"),
    ("language/python/wheelegg/testdata/monotonic", "pypi", "usr/lib/python3/dist-packages/*"),
    ("language/python/wheelegg/testdata/", "pypi", "usr/lib/python3/dist-packages/x.dist-info/METADATA"),
    ("language/javascript/packagejson/testdata/", "npm", "app/package.json"),
    ("language/golang/gobinary/testdata/", "golang", "usr/bin/*"),
    ("language/rust/cargoauditable/testdata/", "cargo", "usr/bin/*"),
];

#[test]
fn cases_of_scalibr() {
    let Some(files) = shared::archive(CASES) else { return };
    let cases: serde_json::Map<String, Value> =
        serde_json::from_slice(&files["catalog/expected.json"]).unwrap();
    let (mut passed, mut problems) = (0, Vec::new());
    for (name, case) in &cases {
        let Some(relative) = name.strip_prefix("extractor/filesystem/") else { continue };
        let Some((_, ecosystem, place)) = PLACES.iter().find(|(folder, _, _)| relative.starts_with(folder))
        else {
            continue;
        };
        let file = name.split('#').next().unwrap();
        let own_name = file.rsplit('/').next().unwrap();
        let tree = Builder::default()
            .layer()
            .file("etc/os-release", os_release(case))
            .with_mode(&place.replace('*', own_name), 0o755, &files[&format!("catalog/{file}")])
            .tree();
        let problem = check(case, ecosystem, &catalog(&tree));
        let excepted = EXCEPTIONS.lines().any(|line| line.split('\t').next() == Some(relative));
        match (problem, excepted) {
            (None, false) => passed += 1,
            (Some(_), true) => {}
            (None, true) => problems.push(format!("{relative}: passes, remove the exception")),
            (Some(problem), false) => problems.push(format!("{relative}: {problem}")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(passed >= 25, "only {passed} cases were read");
}

fn os_release(case: &Value) -> String {
    match case["os_release"].as_str() {
        None | Some("DebianBookworm" | "OpkgRelease") => "ID=debian\nVERSION_ID=\"12\"\n".to_owned(),
        Some(literal) => literal.trim_matches(['`', '"']).to_owned(),
    }
}

/// What differs from the expectation.
fn check(case: &Value, ecosystem: &str, found: &Catalog) -> Option<String> {
    let expected: BTreeSet<(&str, &str)> = case["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package[0].as_str().unwrap(), package[1].as_str().unwrap()))
        .collect();
    let packages: BTreeSet<(&str, &str)> = found
        .packages
        .iter()
        .filter(|package| package.ecosystem == ecosystem)
        .map(|package| (&*package.name, &*package.version))
        .collect();
    let refused = found.gaps.iter().any(|gap| gap.kind == GapKind::FileNotParsed);
    if packages != expected {
        return Some(format!("found {packages:?}, expected {expected:?}, gaps {:?}", found.gaps));
    }
    (case["error"] == true && !refused).then(|| "should have been refused".to_owned())
}

const DEBIAN_12: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n";

fn paragraph(name: &str, version: &str) -> String {
    format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n")
}

#[test]
fn a_package_of_a_database_belongs_to_the_layer_that_brought_it() {
    let status = "var/lib/dpkg/status";
    let base = paragraph("libc6", "2.36-9") + &paragraph("curl", "7.88.1-10");
    let upgraded = paragraph("libc6", "2.36-9") + &paragraph("curl", "7.88.1-10+deb12u5");
    let added = upgraded.clone() + &paragraph("jq", "1.6-2.1");
    let tree = Builder::default()
        .layer()
        .file("etc/os-release", DEBIAN_12)
        .file(status, base)
        .layer()
        .file(status, upgraded)
        .layer()
        .file(status, added)
        .tree();
    for (package, layer) in catalog(&tree).packages.iter().zip([1, 2, 0]) {
        assert_eq!(package.layer, tree.layers[layer].digest, "{}", package.name);
    }
}

#[test]
fn distroless_lists_packages_in_files_of_their_own() {
    let tree = Builder::default()
        .layer()
        .file("usr/lib/os-release", DEBIAN_12)
        .link("etc/os-release", "../usr/lib/os-release")
        .file("var/lib/dpkg/status.d/bmV0YmFzZQ==", "Package: netbase\nVersion: 6.4\nArchitecture: all\n")
        .file(
            "var/lib/dpkg/status.d/bmV0YmFzZQ==.md5sums",
            "0123456789abcdef  usr/lib/python3/a-1.egg-info\n",
        )
        .file("usr/lib/python3/a-1.egg-info", "Name: A\nVersion: 1\n")
        .tree();
    let found = catalog(&tree);
    assert_eq!(found.gaps, []);
    assert_eq!(found.packages[0].purl, "pkg:deb/debian/netbase@6.4?arch=all&distro=debian-12");
    assert_eq!(
        (&*found.packages[1].purl, found.packages[1].owner.as_deref()),
        ("pkg:pypi/a@1", Some("netbase"))
    );
}

#[test]
fn language_packages_know_the_system_package_that_brought_them() {
    let metadata =
        |name: &str| format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\nBody\nName: no\n");
    let tree = Builder::default()
        .layer()
        .file("etc/os-release", DEBIAN_12)
        .file(
            "var/lib/dpkg/status",
            paragraph("python3-idna", "3.3-1")
                + &paragraph("node-once", "1.4.0-7")
                + &paragraph("broken", "1"),
        )
        .file(
            "var/lib/dpkg/info/not-installed.list",
            "/usr/local/lib/python3.11/site-packages/idna-3.4.dist-info/METADATA\n",
        )
        .file(
            "var/lib/dpkg/info/python3-idna.list",
            "/.\n/usr/lib/python3/dist-packages/idna.egg-info/PKG-INFO\n",
        )
        .file("var/lib/dpkg/info/node-once:all.list", "/lib/nodejs/node_modules/once/package.json\n")
        .file("usr/lib/python3/dist-packages/idna.egg-info/PKG-INFO", metadata("idna"))
        .file("usr/lib/nodejs/node_modules/once/package.json", r#"{"name": "once", "version": "1.4.0"}"#)
        .file("usr/local/lib/python3.11/site-packages/idna-3.4.dist-info/METADATA", metadata("idna"))
        .file("var/lib/dpkg/info/broken.list", "/usr/lib/python3/broken.egg-info\n")
        .file("usr/lib/python3/broken.egg-info", "")
        .tree();
    assert_eq!(catalog(&tree).gaps, [], "the vendor speaks for a file that cannot be read");
    let owners: Vec<_> =
        catalog(&tree).packages.into_iter().map(|package| (package.name, package.owner)).collect();
    let owned = |name: &str, owner: Option<&str>| (name.to_owned(), owner.map(str::to_owned));
    assert_eq!(
        owners,
        [
            owned("broken", None),
            owned("node-once", None),
            owned("python3-idna", None),
            owned("once", Some("node-once")),
            owned("idna", Some("python3-idna")),
            owned("idna", None),
        ]
    );
}

#[test]
fn what_a_later_layer_replaced_is_the_vendors_no_more() {
    let path = "usr/lib/python3/dist-packages/idna.egg-info/PKG-INFO";
    let base = Builder::default()
        .layer()
        .file("etc/os-release", DEBIAN_12)
        .file("var/lib/dpkg/status", paragraph("python3-idna", "3.3-1"))
        .file("var/lib/dpkg/info/python3-idna.list", format!("/{path}\n"))
        .file(path, "Name: idna\nVersion: 3.3\n");
    let copied = base.layer().file(path, "Name: idna\nVersion: 3.3\n\n");
    let owner = |tree: &boltseal_model::Tree| catalog(tree).packages[1].owner.clone();
    let tree = copied.tree();
    assert_eq!(owner(&tree).as_deref(), Some("python3-idna"));
    let replaced = Builder::from(tree).layer().file(path, "Name: idna\nVersion: 3.1\n").tree();
    assert_eq!(owner(&replaced), None);
}

#[test]
fn what_cannot_be_read_is_a_gap_and_hides_nothing_else() {
    let broken = "usr/lib/python3/dist-packages/broken.dist-info/METADATA";
    let tree = Builder::default()
        .layer()
        .file("etc/os-release", DEBIAN_12)
        .file("var/lib/dpkg/status", "no field here\n\n".to_owned() + &paragraph("jq", "1.6"))
        .file(broken, "Metadata-Version: 2.1\n")
        .file("app/package.json", "{")
        .file("app/node_modules/resolve/test/broken/package.json", "{")
        .file("app/node_modules/once/package.json", r#"{"name": "once; rm -rf", "version": "1"}"#)
        .tree();
    let found = catalog(&tree);
    assert_eq!(found.packages.len(), 1);
    let subjects: Vec<_> = found.gaps.iter().map(|gap| gap.subject.as_str()).collect();
    let expected = ["app/node_modules/once/package.json", "app/package.json", broken, "var/lib/dpkg/status"];
    assert_eq!(subjects, expected);
    assert!(found.gaps[3].detail.starts_with("line 1: "), "{}", found.gaps[3].detail);
}

#[test]
fn removed_packages_are_gone_and_unpacked_ones_are_there() {
    let with = |name: &str, status: &str| format!("Package: {name}\nStatus: {status}\nVersion: 1\n\n");
    let status = with("a", "deinstall ok config-files")
        + &with("b", "purge ok not-installed")
        + &with("c", "install ok unpacked")
        + &with("d", "install ok triggers-pending");
    let tree = Builder::default()
        .layer()
        .file("etc/os-release", DEBIAN_12)
        .file("var/lib/dpkg/status", status)
        .tree();
    let names: Vec<_> = catalog(&tree).packages.into_iter().map(|package| package.name).collect();
    assert_eq!(names, ["c", "d"]);
}

#[test]
fn distributions() {
    let dpkg = ("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n");
    let os = |text: &'static str| ("etc/os-release", text);
    // Files, id and version, name space of its system packages, whether there is a gap.
    for (files, named, space, gap) in [
        (vec![os(DEBIAN_12), dpkg], Some(("debian", "12")), Some("debian:12"), false),
        (
            vec![os("ID=ubuntu\nVERSION_ID='22.04'\n"), dpkg],
            Some(("ubuntu", "22.04")),
            Some("ubuntu:22.04"),
            false,
        ),
        (
            vec![os("PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nID=debian\n"), dpkg],
            Some(("debian", "13")),
            Some("debian:13"),
            false,
        ),
        (vec![("etc/debian_version", "11.7\n"), dpkg], Some(("debian", "11")), Some("debian:11"), false),
        (vec![os("ID=debian\n"), dpkg], Some(("debian", "")), None, true),
        (
            vec![os("ID=kali\nVERSION_ID=2024.1\nID_LIKE=debian\n"), dpkg],
            Some(("kali", "2024.1")),
            None,
            true,
        ),
        (vec![os("ID=\"rocky\"\nVERSION_ID=\"9.3\"\n")], Some(("rocky", "9.3")), None, true),
        (vec![dpkg], None, None, true),
        (vec![], None, None, false),
    ] {
        let tree =
            files.iter().fold(Builder::default().layer(), |tree, (path, text)| tree.file(path, text)).tree();
        let found = catalog(&tree);
        let distro = found.distro.as_ref();
        assert_eq!(distro.map(|d| (&*d.id, &*d.version)), named, "{files:?}");
        let spaces = found.packages.first().and_then(|p| by_id("debian").unwrap().space(p, distro));
        assert_eq!(spaces.as_deref(), space, "{files:?}");
        let gaps: Vec<_> = found.gaps.iter().map(|gap| gap.kind).collect();
        assert_eq!(gaps, if gap { vec![GapKind::UnknownDistribution] } else { vec![] }, "{files:?}");
    }
}

#[test]
fn alpine_branches() {
    for (release, version, space) in [
        ("ID=alpine\nVERSION_ID=3.19.1\n", "3.19.1", "alpine:v3.19"),
        (
            "ID=alpine\nVERSION_ID=3.21.0_alpha20240923\nPRETTY_NAME=\"Alpine Linux edge\"\n",
            "edge",
            "alpine:edge",
        ),
    ] {
        let tree = Builder::default()
            .layer()
            .file("etc/os-release", release)
            .file("lib/apk/db/installed", "P:libssl3\nV:3.1.4-r5\nA:x86_64\no:openssl\nL:Apache-2.0\n\n")
            .tree();
        let found = catalog(&tree);
        let package = &found.packages[0];
        assert_eq!(package.source_name(), "openssl");
        assert_eq!(package.licenses, ["Apache-2.0"]);
        assert_eq!(found.distro.as_ref().unwrap().version, version);
        assert_eq!(by_id("alpine").unwrap().space(package, found.distro.as_ref()).as_deref(), Some(space));
    }
}

#[test]
fn an_operating_system_without_a_name_is_a_gap() {
    let shell = Builder::default().layer().link("bin/sh", "/bin/busybox").tree();
    assert_eq!(catalog(&shell).gaps[0].kind, GapKind::UnknownDistribution);
    let mut library = b"\x7fELF".to_vec();
    library.resize(4096, 0);
    let library = Builder::default().layer().executable("lib/ld-musl-x86_64.so.1", library).tree();
    assert_eq!(catalog(&library).gaps[0].subject, "lib/ld-musl-x86_64.so.1");
}

#[test]
fn commands_that_people_paste_hold_strange_names_together() {
    let package = |ecosystem: &str, name: &str| boltseal_model::Package {
        ecosystem: ecosystem.to_owned(),
        name: name.to_owned(),
        version: "1.0".to_owned(),
        purl: String::new(),
        source: None,
        architecture: None,
        licenses: Vec::new(),
        paths: Vec::new(),
        layer: None,
        owner: None,
    };
    for (ecosystem, name, expected) in [
        ("debian", "libssl3", "apt-get update && apt-get install --yes --only-upgrade libssl3"),
        ("alpine", "libssl3", "apk add --no-cache --upgrade 'libssl3>=2.0'"),
        ("pypi", "requests", "pip install --upgrade 'requests>=2.0'"),
        ("npm", "@a/b", "npm install @a/b@2.0"),
        ("npm", "$(id)", "npm install '$(id)@2.0'"),
        ("golang", "golang.org/x/net", "go get golang.org/x/net@v2.0 && go mod tidy"),
        ("golang", "stdlib", "go get toolchain@go2.0 && go mod tidy"),
        ("cargo", "serde", "cargo update serde@1.0 --precise 2.0"),
    ] {
        assert_eq!(by_id(ecosystem).unwrap().fix_command(&package(ecosystem, name), "2.0"), expected);
    }
}

/// What is installed in the end-to-end repositories of Trivy; most hold only lock files.
const REPOSITORIES: &[(&str, &[&str])] =
    &[("pnpm", &["jquery@3.3.9", "lodash@4.17.4"]), ("yarn", &["integration@1.0.0", "jquery@3.2.1"])];

/// Those without packages of ours, each with the reason. Reviewed.
const REPOSITORY_EXCEPTIONS: &str = include_str!("data/repository-exceptions.txt");

#[test]
fn repositories_of_trivy() {
    let Some(files) = shared::archive("data/fixtures/trivy-e2e.tar.zst") else { return };
    let mut trees: BTreeMap<&str, Builder> = BTreeMap::new();
    for (path, bytes) in &files {
        let Some((repository, path)) =
            path.strip_prefix("trivy-e2e/repo/").and_then(|path| path.split_once('/'))
        else {
            continue;
        };
        let tree = trees.remove(repository).unwrap_or_else(|| Builder::default().layer());
        trees.insert(repository, tree.file(path, bytes));
    }
    assert_eq!(trees.len(), 15);
    for (repository, tree) in trees {
        let found = catalog(&tree.tree());
        let names: Vec<_> =
            found.packages.iter().map(|package| format!("{}@{}", package.name, package.version)).collect();
        let expected =
            REPOSITORIES.iter().find(|(name, _)| *name == repository).map_or(&[][..], |(_, names)| names);
        assert_eq!(names, expected, "{repository}");
        assert_eq!(found.gaps, [], "{repository}");
        let excepted = REPOSITORY_EXCEPTIONS.lines().any(|line| line.split('\t').next() == Some(repository));
        assert_eq!(names.is_empty(), excepted, "{repository} must have packages or a reason why not");
    }
}
