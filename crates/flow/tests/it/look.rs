//! Where credentials lie in an image, and whether they are still there.

use boltseal_flow::{
    Looking, Wanted,
    look::{Finder, FingerprintKey, Rules},
    sbom,
};
use boltseal_image::Options;
use boltseal_model::{Confidence, Leak, Place, Report};
use boltseal_testkit::image::{Image, Layer};
use serde_json::json;

fn look(image: &Image) -> Report {
    look_for(image, Looking::default())
}

fn look_for(image: &Image, looking: Looking<'_>) -> Report {
    let folder = tempfile::tempdir().unwrap();
    image.build().write_oci(folder.path(), None);
    let target = format!("oci:{}", folder.path().display());
    sbom(&Wanted { target: &target, options: &Options::default(), cache: None, looking }).unwrap()
}

/// Place, rule, number of the layer, and what is to be said of it.
fn told(report: &Report) -> Vec<String> {
    let one = |leak: &Leak| {
        let layer = report.layers.iter().position(|layer| layer.digest == leak.layer && leak.layer.is_some());
        let layer = layer.map_or_else(|| "-".to_owned(), |layer| layer.to_string());
        let hidden = if leak.hidden { " hidden" } else { "" };
        let package = leak.package.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        format!("{} {} {layer}{hidden}{package}", leak.place, leak.rule)
    };
    report.leaks.as_ref().unwrap().iter().map(one).collect()
}

const DPKG: &str = "Package: demo\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\
                    Maintainer: Debian Developers <a@debian.org>\n";
const KEY: &str = "api_key = 9f8d7c6b5a4e3d2c1b0a\n";

#[test]
fn every_place_is_looked_at_and_nothing_is_kept_of_it() {
    let binary = [b"\x7fELF\0\0\0\0".as_slice(), KEY.as_bytes()].concat();
    let report = look(
        &Image::new()
            .layer(
                Layer::new()
                    .file("etc/os-release", "ID=debian\nVERSION_ID=12\n")
                    .file("var/lib/dpkg/status", DPKG)
                    .file("var/lib/dpkg/info/demo.list", "/usr/share/demo/key\n/usr/share/demo/other\n")
                    .file("usr/share/demo/key", KEY)
                    .file("usr/share/demo/other", "nothing")
                    .file("app/.env", "A=1\nDB_PASSWORD=qjzw7Rkx2b\n")
                    .file("app/deleted", KEY)
                    .file("app/replaced", KEY)
                    .file("app/program", binary)
                    .file("app/node_modules/x/test/key", KEY)
                    // Three megabytes, so that it comes in pieces.
                    .file("app/long", format!("{}{KEY}", "a line of text\n".repeat(210_000))),
            )
            .layer(
                Layer::new()
                    .whiteout("app/deleted")
                    .file("app/replaced", "nothing")
                    .file("usr/share/demo/other", KEY),
            )
            .config("Env", json!(["PATH=/bin", "TOKEN=87a5506313df3c1287a5506313df3c12"]))
            .config("Labels", json!({"org.example.secret": "9f8d7c6b5a4e3d2c1b0a"}))
            .config("Cmd", json!(["serve", "--password", "qjzw7Rkx2b"])),
    );
    assert_eq!(
        told(&report),
        [
            "app/.env:2 password 0",
            "app/deleted:1 secret-value 0 hidden",
            "app/long:210001 secret-value 0",
            "app/node_modules/x/test/key:1 secret-value 0 of x",
            "app/replaced:1 secret-value 0 hidden",
            "usr/share/demo/key:1 secret-value 0 of demo",
            "usr/share/demo/other:1 secret-value 1",
            "variable TOKEN secret-value -",
            "label org.example.secret secret-value -",
            "command password -",
        ]
    );
    let text = serde_json::to_string(&report.leaks).unwrap();
    for value in ["qjzw7Rkx2b", "9f8d7c6b", "87a55063"] {
        assert!(!text.contains(value), "{value} is in the report");
    }
}

#[test]
fn an_image_without_credentials_says_so() {
    let report = look(&Image::new().layer(Layer::new().file("etc/motd", "hello")));
    assert_eq!(report.leaks, Some(Vec::new()));
    let one = Leak {
        place: Place::Command,
        rule: "a".to_owned(),
        title: "A".to_owned(),
        confidence: Confidence::Verified,
        layer: None,
        hidden: false,
        package: None,
        number: None,
        fingerprint: None,
    };
    let json = serde_json::to_string(&one).unwrap();
    assert_eq!(json, r#"{"place":{"kind":"command"},"rule":"a","title":"A","confidence":"verified"}"#);
}

/// What a server with the key of these bytes sees; without, what the command line does.
fn look_by(image: &Image, key: Option<[u8; 32]>) -> Vec<Leak> {
    let folder = tempfile::tempdir().unwrap();
    image.build().write_oci(folder.path(), None);
    let target = format!("oci:{}", folder.path().display());
    let key = key.map(|bytes| FingerprintKey::new(&bytes));
    let looking = Looking { fingerprints: key.as_ref(), ..Looking::default() };
    let options = Options::default();
    sbom(&Wanted { target: &target, options: &options, cache: None, looking }).unwrap().leaks.unwrap()
}

#[test]
fn the_same_credential_is_recognised_wherever_it_lies() {
    // The same one twice in a line before another, in a file of pieces, and in the configuration.
    let twice = "password=Zq8vLw3nTk secret=\"qjzw7Rkx2b\" token=Zq8vLw3nTk\n";
    let long = format!("{}password=qjzw7Rkx2b\n", "a line of text\n".repeat(210_000));
    let one = Image::new()
        .layer(Layer::new().file("app/a", twice).file("app/long", long))
        .config("Env", json!(["DB_PASSWORD=qjzw7Rkx2b"]));
    let other = Image::new().layer(Layer::new().file("srv/url", "postgres://app:qjzw7Rkx2b@db/app\n"));
    let (ours, theirs) = (look_by(&one, Some([1; 32])), look_by(&other, Some([1; 32])));
    let told: Vec<(String, Option<u32>)> =
        ours.iter().map(|leak| (leak.place.to_string(), leak.number)).collect();
    let is_second = |leak: &&Leak| leak.number == Some(2);
    let fingerprint = ours.iter().find(is_second).and_then(|leak| leak.fingerprint).unwrap();
    assert!(ours.iter().all(|leak| (leak.fingerprint == Some(fingerprint)) == is_second(&leak)), "{told:?}");
    let numbers = |place: &str| -> Vec<Option<u32>> {
        told.iter().filter(|one| one.0 == place).map(|one| one.1).collect()
    };
    assert_eq!(numbers("app/long:210001"), [Some(2)], "{told:?}");
    assert_eq!(numbers("variable DB_PASSWORD"), [Some(2)], "{told:?}");
    assert!(numbers("app/a:1").contains(&Some(1)) && numbers("app/a:1").contains(&Some(2)), "{told:?}");
    assert_eq!(theirs.iter().map(|leak| leak.fingerprint).collect::<Vec<_>>(), [Some(fingerprint)]);

    // Another key, other fingerprints; the same numbers under every key, and without one neither.
    let otherwise = look_by(&one, Some([2; 32]));
    assert!(otherwise.iter().all(|leak| leak.fingerprint != Some(fingerprint)));
    let without = |leaks: &[Leak]| -> Vec<Leak> {
        leaks.iter().map(|leak| Leak { fingerprint: None, ..leak.clone() }).collect()
    };
    assert_eq!(without(&ours), without(&otherwise));
    let unknown = look_by(&one, None);
    assert!(unknown.iter().all(|leak| leak.fingerprint.is_none() && leak.number.is_none()), "{unknown:?}");
    assert_eq!(look_by(&one, None), unknown);
}

/// Any bytes that begin as an executable does.
fn program(seed: u8) -> Vec<u8> {
    [b"\x7fELF\x02\x01\x01".as_slice(), &[seed; 300]].concat()
}

#[test]
fn every_executable_is_accounted_for_or_listed_with_its_hash() {
    let report = look(
        &Image::new().layer(
            Layer::new()
                .file("etc/os-release", "ID=debian\nVERSION_ID=12\n")
                .file("var/lib/dpkg/status", DPKG)
                .file("var/lib/dpkg/info/demo.list", "/usr/bin/demo\n")
                .executable("usr/bin/demo", program(1))
                .executable("usr/local/bin/tool", program(2))
                .file("usr/local/lib/libtool.so.1", program(3))
                .executable("app/node_modules/x/build/x.node", program(4))
                .executable("usr/local/bin/script", "#!/bin/sh\n"),
        ),
    );
    let unowned: Vec<(&str, String)> =
        report.unowned.iter().map(|file| (file.path.as_str(), file.digest.to_string())).collect();
    let digest = |seed| boltseal_model::Digest::of(&program(seed)).to_string();
    assert_eq!(unowned, [("usr/local/bin/tool", digest(2)), ("usr/local/lib/libtool.so.1", digest(3))]);
    assert_eq!(report.unowned[0].layer, report.layers[0].digest);
}

#[test]
fn malware_is_told_where_it_is_and_where_it_was() {
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let hashes = format!("{} Bad\n{} Worse\n", boltseal_model::Digest::of(&program(7)).hex(), "0".repeat(64));
    let hashes = boltseal_flow::look::Hashes::parse(&hashes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    Image::new()
        .layer(
            Layer::new()
                .file("tmp/eicar.com", &eicar)
                .file("srv/eicar.com", &eicar)
                .executable("bin/bad", program(7))
                .executable("bin/gone", program(7)),
        )
        .layer(Layer::new().whiteout("tmp/eicar.com").whiteout("bin/gone"))
        .build()
        .write_oci(folder.path(), None);
    let target = format!("oci:{}", folder.path().display());
    let looking = Looking { malware: Some(&hashes), ..Looking::default() };
    let report =
        sbom(&Wanted { target: &target, options: &Options::default(), cache: None, looking }).unwrap();
    let told = |file: &boltseal_model::Malware| (file.path.clone(), file.name.clone(), file.hidden);
    let told: Vec<(String, String, bool)> = report.malware.iter().map(told).collect();
    let one = |path: &str, name: &str, hidden| (path.to_owned(), name.to_owned(), hidden);
    assert_eq!(
        told,
        [
            one("bin/bad", "Bad", false),
            one("bin/gone", "Bad", true),
            one("srv/eicar.com", "EICAR test file", false),
            one("tmp/eicar.com", "EICAR test file", true),
        ]
    );
}

#[test]
fn how_an_image_is_made() {
    use boltseal_testkit::image::Entry;
    let bytes = "x".repeat(2 << 20);
    let setuid = |path| Entry { mode: 0o4755, ..Entry::file(path, b"#!/bin/sh\n") };
    let open = |path| Entry { mode: 0o666, ..Entry::file(path, b"open") };
    let bad = Image::new()
        .layer(
            Layer::new()
                .entry(&setuid("usr/bin/su"))
                .entry(&open("etc/app.conf"))
                .entry(&open("tmp/shared"))
                .file("var/lib/apt/lists/packages", &bytes),
        )
        .config("ExposedPorts", json!({"22/tcp": {}, "8080/tcp": {}}))
        .config("Labels", json!({"org.opencontainers.image.base.name": "docker.io/library/debian"}));
    let checks = |image: &Image| -> Vec<String> {
        look(image).misconfigurations.iter().map(|one| format!("{}: {}", one.check, one.found)).collect()
    };
    assert_eq!(
        checks(&bad),
        [
            "root-user: no user is set, so it runs as root",
            "ssh-server: port 22 is exposed",
            "world-writable: etc/app.conf",
            "no-healthcheck: it listens on 22/tcp, 8080/tcp and has no HEALTHCHECK",
            "package-cache: apt's lists, 3 MB",
            "setuid-files: usr/bin/su",
            "unpinned-base: the base is docker.io/library/debian",
        ]
    );
    let good = Image::new()
        .layer(Layer::new().file("app/run", "#!/bin/sh\n"))
        .config("User", json!("10001:10001"))
        .config("ExposedPorts", json!({"8080/tcp": {}}))
        .config("Healthcheck", json!({"Test": ["CMD", "/app/run", "--check"]}))
        .config("Labels", json!({"org.opencontainers.image.base.name": "debian:12.9@sha256:0"}));
    assert_eq!(checks(&good), [""; 0]);
}

/// A key store is a secret whatever is in it: also where it is no text, empty, or deleted later.
#[test]
fn rules_of_a_path_alone_are_about_files_of_any_kind() {
    let rules = "[[rules]]\nid = 'store'\npath = '\\.(p12|jks)$'\n[[rules]]\nid = 'text'\nregex = 'never'\n";
    let finder = Finder::with(Rules::parse(rules).unwrap()).unwrap();
    let image = Image::new()
        .layer(Layer::new().file("etc/gone.jks", b"\xfe\xed\xfe\xed\0\0").file("etc/key.p12", b"0\x82\0\0"))
        .layer(Layer::new().whiteout("etc/gone.jks").file("srv/empty.p12", "").file("srv/notes.txt", "p12"));
    let report = look_for(&image, Looking { finder: Some(&finder), ..Looking::default() });
    assert_eq!(
        told(&report),
        ["etc/gone.jks:1 store 0 hidden", "etc/key.p12:1 store 0", "srv/empty.p12:1 store 1"]
    );
}
