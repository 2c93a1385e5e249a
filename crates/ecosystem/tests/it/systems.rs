//! Operating systems besides Debian, Alpine and those of rpm: where their packages are, whose they are, what feeds
//! call their releases.

use boltseal_ecosystem::{Ecosystem, Owners, by_id, catalog, of_space, space_of_osv};
use boltseal_model::{Catalog, GapKind, Package, Tree};

use crate::{
    catalog::paragraph,
    shared::{self, Builder},
};

fn tree(os: &str, files: &[(&str, &str)]) -> Tree {
    let tree = Builder::default().layer().file("etc/os-release", os);
    files.iter().fold(tree, |tree, (path, text)| tree.file(path, text)).tree()
}

fn space(found: &Catalog) -> Option<String> {
    let package = found.packages.first()?;
    by_id(&package.ecosystem)?.space(package, found.distro.as_ref())
}

fn names(package: &Package) -> Vec<String> {
    by_id(&package.ecosystem)
        .unwrap()
        .known_as(package)
        .into_iter()
        .map(|(name, _)| name.into_owned())
        .collect()
}

/// Files, space of the first package, kinds of gaps.
#[test]
fn releases_and_gaps() {
    let dpkg = ("var/lib/dpkg/status", paragraph("a", "1"));
    let esm = ("var/lib/dpkg/status", paragraph("a", "1") + &paragraph("b", "2-1ubuntu1+esm3"));
    let attached = r#"{"attached": true, "services": [{"name": "esm-infra", "status": "enabled"}]}"#;
    let apk = ("lib/apk/db/installed", "P:a\nV:1-r0\n\n".to_owned());
    let opkg = ("usr/lib/opkg/status", paragraph("a", "1"));
    let pacman = ("var/lib/pacman/local/a-1-1/desc", "%NAME%\na\n\n%VERSION%\n1-1\n\n".to_owned());
    let ebuild = ("var/db/pkg/dev-lang/a-1/PF", "a-1\n".to_owned());
    let inventory = (
        "usr/share/bottlerocket/application-inventory.json",
        r#"{"Content":[{"Name":"kernel-5.15","Publisher":"Bottlerocket","Version":"5.15.160","Release":"1.br1",
            "Epoch":"","Architecture":"x86_64"}]}"#
            .to_owned(),
    );
    let unknown = GapKind::UnknownDistribution;
    for (os, files, expected, gaps) in [
        ("ID=ubuntu\nVERSION_ID=18.04\n", vec![&dpkg], Some("ubuntu:18.04"), vec![]),
        ("ID=ubuntu\nVERSION_ID=18.04\n", vec![&esm], Some("ubuntu:pro:18.04"), vec![]),
        ("ID=raspbian\nVERSION_ID=12\nID_LIKE=debian\n", vec![&dpkg], None, vec![unknown]),
        ("ID=kali\nVERSION_ID=2024.1\n", vec![&dpkg], None, vec![unknown]),
        ("ID=openwrt\nVERSION_ID=23.05\n", vec![&opkg], None, vec![unknown]),
        ("ID=wolfi\nVERSION_ID=20230201\n", vec![&apk], Some("wolfi"), vec![]),
        ("ID=chainguard\nVERSION_ID=20230214\n", vec![&apk], Some("chainguard"), vec![]),
        ("ID=postmarketos\nVERSION_ID=24.06\n", vec![&apk], None, vec![unknown]),
        ("ID=arch\nBUILD_ID=rolling\n", vec![&pacman], Some("arch"), vec![]),
        ("ID=manjaro\n", vec![&pacman], None, vec![unknown]),
        ("ID=gentoo\nVERSION_ID=2.15\n", vec![&ebuild], Some("gentoo"), vec![]),
        ("ID=bottlerocket\nVERSION_ID=1.20.0\n", vec![&inventory], Some("bottlerocket"), vec![]),
    ] {
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let found = catalog(&tree(os, &files));
        assert_eq!(space(&found).as_deref(), expected, "{os}");
        assert_eq!(found.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), gaps, "{os}");
        if let Some(space) = expected {
            assert_eq!(of_space(space).map(Ecosystem::id), Some(&*found.packages[0].ecosystem), "{os}");
        }
    }
    let status = "var/lib/ubuntu-advantage/status.json";
    let found = catalog(&tree("ID=ubuntu\nVERSION_ID=18.04\n", &[(dpkg.0, &dpkg.1), (status, attached)]));
    assert_eq!(space(&found).as_deref(), Some("ubuntu:pro:18.04"));
    assert_eq!(found.packages[0].purl, "pkg:deb/ubuntu/a@1?arch=amd64&distro=ubuntu-18.04");
    assert_eq!(by_id("debian").unwrap().space_below("ubuntu:pro:18.04").as_deref(), Some("ubuntu:18.04"));
}

#[test]
fn spaces_of_osv() {
    for (osv, space) in [
        ("Wolfi", "wolfi"),
        ("Chainguard", "chainguard"),
        ("Rocky Linux:9", "rocky:9"),
        ("Debian:12", "debian:12"),
    ] {
        assert_eq!(space_of_osv(osv).as_deref(), Some(space));
    }
}

#[test]
fn arch() {
    let folder = "var/lib/pacman/local/python-idna-3.7-1";
    let egg = "usr/lib/python3.12/site-packages/idna-3.7.egg-info";
    let tree = Builder::default()
        .layer()
        .file("etc/os-release", "ID=arch\n")
        .file(
            &format!("{folder}/desc"),
            "%NAME%\npython-idna\n\n%VERSION%\n1:3.7-1\n\n%BASE%\nidna\n\n%ARCH%\nany\n\n%LICENSE%\nBSD\nMIT\n\n\
             %VALIDATION%\npgp\n\n",
        )
        .file(&format!("{folder}/files"), format!("%FILES%\nusr/\n{egg}\n\n%BACKUP%\netc/x\tabc\n"))
        .file("var/lib/pacman/local/broken-1-1/desc", "%NAME%\nbroken\n")
        .file("var/lib/pacman/local/ALPM_DB_VERSION", "9\n")
        .file(egg, "Name: idna\nVersion: 3.7\n")
        .tree();
    let found = catalog(&tree);
    let package = &found.packages[0];
    assert_eq!(package.purl, "pkg:alpm/arch/python-idna@1:3.7-1?arch=any&distro=arch&upstream=idna");
    assert_eq!(
        (names(package), &*package.licenses),
        (vec!["python-idna".into(), "idna".into()], &["BSD".into(), "MIT".into()][..])
    );
    assert_eq!(found.packages[1].owner.as_deref(), Some("python-idna"));
    assert_eq!(
        found.gaps.iter().map(|gap| &*gap.subject).collect::<Vec<_>>(),
        ["var/lib/pacman/local/broken-1-1/desc"]
    );
}

#[test]
fn gentoo() {
    let folder = "var/db/pkg/dev-libs/openssl-3.0.13-r2";
    let tree = tree(
        "ID=gentoo\n",
        &[
            (&format!("{folder}/PF"), "openssl-3.0.13-r2\n"),
            (&format!("{folder}/LICENSE"), "Apache-2.0\n"),
            (
                &format!("{folder}/CONTENTS"),
                "dir /usr\nobj /usr/bin/my tool 0123 17\nsym /usr/lib/a.so -> a.so.3 17\n",
            ),
            ("var/db/pkg/sys-apps/gcc-config-2.11/PF", "gcc-config-2.11\n"),
        ],
    );
    let found = catalog(&tree);
    let purls: Vec<_> = found.packages.iter().map(|package| &*package.purl).collect();
    assert_eq!(
        purls,
        [
            "pkg:ebuild/sys-apps/gcc-config@2.11?distro=gentoo",
            "pkg:ebuild/dev-libs/openssl@3.0.13-r2?distro=gentoo"
        ]
    );
    let openssl = &found.packages[1];
    assert_eq!(
        (names(openssl), &*openssl.licenses),
        (vec!["dev-libs/openssl".into()], &["Apache-2.0".into()][..])
    );
    let gentoo = by_id("gentoo").unwrap();
    assert_eq!(
        gentoo.fix_command(openssl, "3.0.14"),
        "emerge --sync && emerge --oneshot '>=dev-libs/openssl-3.0.14'"
    );
    let mut owners = Owners::default();
    gentoo.owners(&tree, &mut owners);
    assert_eq!((owners.of("usr/bin/my tool"), owners.of("usr/lib/a.so")), (Some("openssl"), Some("openssl")));
}

/// A cut of Ubuntu names no source packages: what is there is listed, and what that hides is said.
#[test]
fn chisel() {
    let Some(files) = shared::archive("data/fixtures/catalog-scalibr.tar.zst") else { return };
    let wall = &files["catalog/extractor/filesystem/os/chisel/testdata/chisel/openssl.wall"];
    let manifest = "var/lib/chisel/manifest.wall";
    let tree = Builder::default()
        .layer()
        .file("etc/os-release", "ID=ubuntu\nVERSION_ID=24.04\n")
        .file(manifest, wall)
        .tree();
    let found = catalog(&tree);
    assert_eq!(
        found.packages[3].purl,
        "pkg:deb/ubuntu/openssl@3.0.13-0ubuntu3.5?arch=amd64&distro=ubuntu-24.04"
    );
    assert_eq!((found.gaps.len(), &*found.gaps[0].subject), (1, manifest));
    let mut owners = Owners::default();
    by_id("debian").unwrap().owners(&tree, &mut owners);
    assert_eq!(owners.of("usr/bin/openssl"), Some("openssl"));
    // 64 MiB in some kilobytes.
    let bomb = zstd::encode_all(&*vec![b' '; 64 << 20], 1).unwrap();
    let tree = Builder::default().layer().file("etc/os-release", "ID=ubuntu\n").file(manifest, bomb).tree();
    assert!(catalog(&tree).gaps.iter().any(|gap| gap.kind == GapKind::FileNotParsed));
}
