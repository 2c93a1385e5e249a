//! Real images and real feeds, pushed and pulled by skopeo: what is vulnerable is refused with the reason, and what
//! was repaired comes back.

use std::{fs::File, io::Read as _, path::Path, process::Command};

use boltseal_testkit::{
    image::{Built, Compression, Image, Layer},
    peer, shared, unzstd,
};
use serde_json::Value;

use crate::{
    binary::User,
    fixtures::layout,
    service::{Service, Skopeo},
};

/// What `apk upgrade` would bring, by secdb v3.11.
const UPGRADED: &[(&str, &str)] = &[
    ("apk-tools", "2.10.7-r0"),
    ("busybox", "1.31.1-r11"),
    ("libcrypto1.1", "1.1.1l-r0"),
    ("libssl1.1", "1.1.1l-r0"),
    ("musl", "1.1.24-r3"),
    ("musl-utils", "1.1.24-r3"),
    ("ssl_client", "1.31.1-r11"),
    ("zlib", "1.2.11-r4"),
];

#[test]
fn alpine_3_11() {
    let Some(archive) = shared("data/fixtures/images/alpine-311-docker-archive.tar.gz") else { return };
    let Some(secdb) = shared("data/vulns/native/alpine/secdb.tar.zst") else { return };
    let Some(kev) = shared("data/vulns/native/kev") else { return };
    let user = User::new();
    let service = Service::start(&user, &[]);
    let Some(skopeo) = Skopeo::new(&user, &service) else { return };
    import(&user, service, &[&secdb, &kev], |_| {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(File::open(&archive).unwrap()).read_to_end(&mut plain).unwrap();
        user.write("alpine.tar", &plain);
        skopeo.push("docker-archive:alpine.tar", "alpine:3.11");
        let refusal = skopeo.pull_until("alpine:3.11", "refused", Result::is_err).unwrap_err();
        for part in [
            "denied",
            "busybox",
            "1.31.1-r9",
            "CVE-2021-42374",
            "policy default",
            "apk add",
            "busybox>=1.31.1-r11",
        ] {
            assert!(refusal.contains(part), "no `{part}` in: {refusal}");
        }

        let layer = member(&plain, |name| name.ends_with("/layer.tar")).expect("a layer");
        let installed = member(&layer, |name| name == "lib/apk/db/installed").expect("installed packages");
        let installed = upgraded(&String::from_utf8(installed).unwrap());
        let repaired = Image::new()
            .tar(layer, Compression::Gzip)
            .layer(Layer::new().file("lib/apk/db/installed", installed))
            .build();
        skopeo.push(&layout(&user, "repaired", &repaired), "alpine:3.11-repaired");
        skopeo.pull_until("alpine:3.11-repaired", "pulled", Result::is_ok).unwrap();
        assert!(skopeo.pull("alpine:3.11", "again").is_err());
    });
}

/// Its fix came as `0.34-4~deb12u1`, but the facts, read out of changelogs, name the `0.34-4` that it was made from,
/// which sorts after it.
const MISJUDGED: &str = "libfile-find-rule-perl";

#[test]
fn debian_bookworm() {
    let path = "data/vulns/native/debian/tracker-bookworm-from-changelogs.json.zst";
    let Some(tracker) = shared(path) else { return };
    let Some(kev) = shared("data/vulns/native/kev") else { return };
    let facts: Value = serde_json::from_slice(&unzstd(path).unwrap()).unwrap();
    let user = User::new();
    let Some(base) = debian(&user) else { return };
    let service = Service::start(&user, &[]);
    let Some(skopeo) = Skopeo::new(&user, &service) else { return };
    import(&user, service, &[&tracker, &kev], |_| {
        let status = member(&base, |name| name.trim_start_matches("./") == "var/lib/dpkg/status")
            .expect("a status file");
        let status = without(&String::from_utf8(status).unwrap(), MISJUDGED);
        let (package, fixed) = vulnerable(&status, &facts).expect("a package that was fixed once");
        println!("lowering {package} below {fixed}");
        let image = |status: &str| -> Built {
            Image::new()
                .tar(base.clone(), Compression::Gzip)
                .layer(Layer::new().file("var/lib/dpkg/status", status))
                .build()
        };
        // With a tilde, a version sorts before itself: the last one that was still vulnerable.
        let lowered = with_version(&status, &package, &format!("{fixed}~"));
        skopeo.push(&layout(&user, "lowered", &image(&lowered)), "debian:lowered");
        let refusal = skopeo.pull_until("debian:lowered", "refused", Result::is_err).unwrap_err();
        for part in ["denied", &package, "CVE-", "apt-get"] {
            assert!(refusal.contains(part), "no `{part}` in: {refusal}");
        }
        skopeo.push(&layout(&user, "repaired", &image(&status)), "debian:repaired");
        skopeo.pull_until("debian:repaired", "pulled", Result::is_ok).unwrap();
    });
}

/// Imports while the service runs, waits until it knows, and goes on.
fn import(user: &User, mut service: Service, feeds: &[&Path], then: impl FnOnce(&Service)) {
    let mut args = vec!["feeds".into(), "import".into()];
    args.extend(feeds.iter().map(|path| path.as_os_str().to_owned()));
    user.run(&args).ended(0);
    service.wait_for("judged again why=\"new feeds\"");
    then(&service);
    service.stop();
}

/// A minimal bookworm as a tar archive; made by mmdebstrap from the Debian mirror.
fn debian(user: &User) -> Option<Vec<u8>> {
    let mmdebstrap = peer("mmdebstrap")?;
    let to = user.home().join("debian.tar");
    let made = Command::new(mmdebstrap)
        .args(["--variant=essential", "--quiet", "bookworm"])
        .arg(&to)
        .args([
            "deb http://deb.debian.org/debian bookworm main",
            "deb http://deb.debian.org/debian-security bookworm-security main",
        ])
        .output()
        .unwrap();
    if !made.status.success() {
        boltseal_testkit::skip(&format!("mmdebstrap: {}", String::from_utf8_lossy(&made.stderr).trim()));
        return None;
    }
    Some(std::fs::read(to).unwrap())
}

/// The first package of `status` whose source was fixed in bookworm itself, and the fixed version.
fn vulnerable(status: &str, facts: &Value) -> Option<(String, String)> {
    status.split("\n\n").find_map(|paragraph| {
        let field =
            |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let package = field("Package")?;
        let source = field("Source").map_or(package, |source| source.split(' ').next().unwrap_or(source));
        if field("Source").is_some_and(|source| source.contains('(')) {
            return None; // its source has another version: lowering the package would not lower that
        }
        let records = facts.get(source)?.as_object()?;
        let mut fixed =
            records.values().filter_map(|cve| cve.pointer("/releases/bookworm/fixed_version")?.as_str());
        Some((package.to_owned(), fixed.find(|version| version.contains("+deb12u"))?.to_owned()))
    })
}

fn without(status: &str, package: &str) -> String {
    let other = |paragraph: &&str| !paragraph.lines().any(|line| line == format!("Package: {package}"));
    status.split("\n\n").filter(other).collect::<Vec<_>>().join("\n\n")
}

fn with_version(status: &str, package: &str, version: &str) -> String {
    let changed = status.split("\n\n").map(|paragraph| {
        if !paragraph.lines().any(|line| line == format!("Package: {package}")) {
            return paragraph.to_owned();
        }
        let line = |line: &str| {
            if line.starts_with("Version: ") { format!("Version: {version}") } else { line.to_owned() }
        };
        paragraph.lines().map(line).collect::<Vec<_>>().join("\n")
    });
    changed.collect::<Vec<_>>().join("\n\n")
}

/// The installed database with the versions of [`UPGRADED`].
fn upgraded(installed: &str) -> String {
    let mut name = "";
    let lines = installed.lines().map(|line| {
        if let Some(package) = line.strip_prefix("P:") {
            name = package;
        }
        match UPGRADED.iter().find(|(package, _)| *package == name) {
            Some((_, version)) if line.starts_with("V:") => format!("V:{version}"),
            _ => line.to_owned(),
        }
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

/// The content of the first member of the archive `tar` whose name fits.
fn member(tar: &[u8], fits: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
    for found in tar::Archive::new(tar).entries().unwrap() {
        let mut entry = found.unwrap();
        if fits(&entry.path().unwrap().to_string_lossy()) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            return Some(content);
        }
    }
    None
}
