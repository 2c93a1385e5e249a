//! Trees to catalogs: distributions, databases, layers, what cannot be read.

use boltseal_ecosystem::{by_id, catalog};
use boltseal_model::GapKind;

use crate::shared::Builder;

pub const DEBIAN_12: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n";

pub fn paragraph(name: &str, version: &str) -> String {
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
        (vec![os("ID=\"rocky\"\nVERSION_ID=\"9.3\"\n")], Some(("rocky", "9.3")), None, false),
        (vec![os("ID=\"nobara\"\nVERSION_ID=\"39\"\n")], Some(("nobara", "39")), None, true),
        (
            vec![("etc/redhat-release", "CentOS release 6.10 (Final)\n")],
            Some(("centos", "6.10")),
            None,
            false,
        ),
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
    // One that names itself, but whose database was taken out.
    let named = Builder::default().layer().file("etc/os-release", DEBIAN_12);
    assert_eq!(catalog(&named.link("bin/sh", "dash").tree()).gaps[0].subject, "bin/sh");
    let database = Builder::default().layer().file("etc/os-release", DEBIAN_12).link("bin/sh", "dash");
    assert_eq!(catalog(&database.file("var/lib/dpkg/status", "").tree()).gaps, []);
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
        ("maven", "g:a", "mvn versions:use-dep-version -DforceVersion=true -Dincludes=g:a -DdepVersion=2.0"),
        ("nuget", "A.B", "dotnet add package A.B --version 2.0"),
        ("rubygems", "a", "gem install a --version 2.0"),
        ("packagist", "a/b", "composer require 'a/b:^2.0' --with-all-dependencies"),
        ("conda", "a", "conda install 'a>=2.0'"),
        ("cran", "a", "Rscript -e 'remotes::install_version(\"a\", \"2.0\")'"),
        ("pub", "a", "dart pub add 'a:^2.0'"),
        ("hex", "a", "mix deps.update a"),
        ("swift", "github.com/a/b", "swift package resolve --version 2.0 b"),
        ("cocoapods", "A/B", "pod update A"),
        ("conan", "a", "conan install --requires=a/2.0"),
        ("julia", "A", "julia -e 'using Pkg; Pkg.add(name=\"A\", version=\"2.0\")'"),
        ("hackage", "a", "cabal freeze --constraint='a >= 2.0'"),
    ] {
        assert_eq!(by_id(ecosystem).unwrap().fix_command(&package(ecosystem, name), "2.0"), expected);
    }
}
