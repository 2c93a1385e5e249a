//! Three images, four containers, and what is asked about them.

use boltseal_inventory::{
    Answer, Container, File, How, Image, Inventory, Kind, MAX_SEEN, Use, Why, example::finding,
};
use boltseal_model::{Digest, Package, Severity, Timestamp};

fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

fn package(name: &str, version: &str) -> Package {
    let purl = format!("pkg:deb/debian/{name}@{version}");
    Package { name: name.into(), version: version.into(), purl, ..Package::default() }
}

fn file(path: &str, package: Option<usize>) -> File {
    File { path: path.into(), sha256: digest(path), package }
}

fn container(name: &str, image: &str) -> Container {
    Container {
        id: format!("id-{name}"),
        name: name.into(),
        node: "node-1".into(),
        image: digest(image),
        since: Timestamp::UNIX_EPOCH,
        is_watched: true,
    }
}

/// `web` has openssl and a python library, `old` an older openssl and no index of files, `tool` neither.
fn inventory() -> Inventory {
    let mut inventory = Inventory::default();
    let packages = [package("openssl", "3.0.1"), package("requests", "2.0"), package("bash", "5.2")];
    let mut ssl = finding("CVE-2024-1", &packages[0]);
    ssl.aliases.push("GHSA-aaaa".into());
    ssl.fixed = Some("3.0.2".into());
    let requests = finding("CVE-2024-2", &packages[1]);
    let files = [
        file("usr/bin/openssl", Some(0)),
        file("usr/lib/libssl.so.3", Some(0)),
        file("bin/bash", Some(2)),
        file("app", None),
    ];
    inventory.put(&Image {
        digest: &digest("web"),
        names: &["shop/web:1".into()],
        layers: &[digest("base"), digest("app layer")],
        packages: &packages,
        findings: &[ssl, requests],
        keys: &["release".into()],
        files: Some(&files),
        is_complete: true,
    });
    let packages = [package("openssl", "1.1.1")];
    let mut ssl = finding("CVE-2024-1", &packages[0]);
    ssl.severity = Severity::High;
    inventory.put(&Image {
        digest: &digest("old"),
        names: &[],
        layers: &[digest("base")],
        packages: &packages,
        findings: &[ssl],
        keys: &[],
        files: None,
        is_complete: true,
    });
    inventory.put(&Image {
        digest: &digest("tool"),
        names: &["tool:1".into()],
        layers: &[],
        packages: &[package("bash", "5.2")],
        findings: &[],
        keys: &["release".into(), "bash".into()],
        files: Some(&[file("bin/bash", Some(0))]),
        is_complete: false,
    });
    for (name, image) in
        [("a/web", "web"), ("b/web", "web"), ("c/old", "old"), ("d/foreign", "nobody looked into it")]
    {
        inventory.start(container(name, image));
    }
    inventory
}

/// An answer in short: kinds, images, `container use`.
fn short(answer: &Answer) -> String {
    let kinds: Vec<String> = answer.kinds.iter().map(|kind| format!("{kind:?}")).collect();
    let named = |of: &Digest| ["web", "old", "tool"].into_iter().find(|name| digest(name) == *of).unwrap();
    let mut images: Vec<&str> = answer.images.iter().map(|has| named(&has.digest)).collect();
    images.sort_unstable();
    let running: Vec<String> = answer
        .running
        .iter()
        .map(|one| match &one.used {
            Use::Executed { path } => format!("{} executed {path}", one.container.name),
            Use::Loaded { path } => format!("{} loaded {path}", one.container.name),
            Use::Present { why } => format!("{} {why:?}", one.container.name),
        })
        .collect();
    format!(
        "{}: {}; {}; {} unknown, {} incomplete",
        kinds.join("+"),
        images.join(" "),
        running.join(", "),
        answer.unknown.len(),
        answer.incomplete
    )
}

#[test]
fn who_has_what() {
    let mut inventory = inventory();
    inventory.saw("id-a/web", "/usr/lib/libssl.so.3", How::Loaded);
    inventory.saw("id-b/web", "/bin/bash", How::Executed);
    inventory.saw("id-b/web", "/tmp/of/no/image", How::Executed);
    let app = format!("{}", digest("app"));
    for (asked, wanted) in [
        (
            "CVE-2024-1",
            "Vulnerability: old web; a/web loaded usr/lib/libssl.so.3, b/web NotSeen, c/old NoIndex; 1 unknown, 1 incomplete",
        ),
        (
            "cve-2024-1",
            "Vulnerability: old web; a/web loaded usr/lib/libssl.so.3, b/web NotSeen, c/old NoIndex; 1 unknown, 1 incomplete",
        ),
        (
            "GHSA-aaaa",
            "Vulnerability: web; a/web loaded usr/lib/libssl.so.3, b/web NotSeen; 1 unknown, 1 incomplete",
        ),
        ("CVE-2024-2", "Vulnerability: web; a/web NoFiles, b/web NoFiles; 1 unknown, 1 incomplete"),
        ("CVE-2024-9", ": ; ; 1 unknown, 1 incomplete"),
        (
            "openssl",
            "Package: old web; a/web loaded usr/lib/libssl.so.3, b/web NotSeen, c/old NoIndex; 1 unknown, 1 incomplete",
        ),
        ("openssl@1.1.1", "Package: old; c/old NoIndex; 1 unknown, 1 incomplete"),
        ("openssl@9", ": ; ; 1 unknown, 1 incomplete"),
        (
            "pkg:deb/debian/openssl@3.0.1",
            "Package: web; a/web loaded usr/lib/libssl.so.3, b/web NotSeen; 1 unknown, 1 incomplete",
        ),
        (
            "release",
            "Key: tool web; b/web executed bin/bash, a/web loaded usr/lib/libssl.so.3; 1 unknown, 0 incomplete",
        ),
        ("bash", "Package+Key: tool web; b/web executed bin/bash, a/web NotSeen; 1 unknown, 0 incomplete"),
        (
            &digest("base").to_string(),
            "Layer: old web; b/web executed bin/bash, a/web loaded usr/lib/libssl.so.3, c/old NoIndex; 1 unknown, 1 incomplete",
        ),
        (
            &digest("web").to_string(),
            "Image: web; b/web executed bin/bash, a/web loaded usr/lib/libssl.so.3; 0 unknown, 0 incomplete",
        ),
        (&app, "File: web; a/web NotSeen, b/web NotSeen; 1 unknown, 1 incomplete"),
        (&digest("nobody looked into it").to_string(), "Image: ; d/foreign NoIndex; 0 unknown, 0 incomplete"),
        ("", ": ; ; 1 unknown, 1 incomplete"),
    ] {
        assert_eq!(short(&inventory.find(asked)), wanted, "{asked}");
    }
    let found = &inventory.find("GHSA-aaaa").images[0].found[0];
    let told =
        (found.vulnerability.as_deref(), found.version.as_str(), found.fixed.as_deref(), found.severity);
    assert_eq!(told, (Some("CVE-2024-1"), "3.0.1", Some("3.0.2"), Some(Severity::Critical)));
    // To be executed says more than to be loaded, in whatever order.
    for path in ["usr/bin/openssl", "/usr/lib/libssl.so.3"] {
        inventory.saw("id-a/web", path, How::Executed);
        inventory.saw("id-a/web", path, How::Loaded);
    }
    let used = inventory.find("openssl@3.0.1").running[0].used.clone();
    assert_eq!(used, Use::Executed { path: "usr/bin/openssl".into() });
}

#[test]
fn why_nothing_was_seen() {
    let mut inventory = inventory();
    let why = |inventory: &Inventory| inventory.find("openssl@3.0.1").running[1].used.clone();
    assert_eq!(why(&inventory), Use::Present { why: Why::NotSeen });
    inventory.lost("id-b/web");
    assert_eq!(why(&inventory), Use::Present { why: Why::Lost });
    inventory.start(Container { is_watched: false, ..container("b/web", "web") });
    assert_eq!(why(&inventory), Use::Present { why: Why::NotWatched });
    // It was seen before anybody knew what its image has.
    let files = [file("opt/late", Some(0))];
    let packages = [package("late", "1")];
    let image = Image {
        digest: &digest("nobody looked into it"),
        names: &[],
        layers: &[],
        packages: &packages,
        findings: &[],
        keys: &[],
        files: Some(&files),
        is_complete: true,
    };
    inventory.saw("id-d/foreign", "/opt/late", How::Executed);
    inventory.put(&image);
    assert_eq!(inventory.find("late").running[0].used, Use::Present { why: Why::Lost });
    inventory.saw("id-d/foreign", "/opt/late", How::Executed);
    assert_eq!(inventory.find("late").running[0].used, Use::Executed { path: "opt/late".into() });
}

/// A container that uses more files than anybody remembers has lost the rest.
#[test]
fn what_is_remembered_of_a_container_is_limited() {
    let mut inventory = inventory();
    let files: Vec<File> = (0..=MAX_SEEN).map(|at| file(&format!("f{at}"), None)).collect();
    let image = Image {
        digest: &digest("large"),
        names: &[],
        layers: &[],
        packages: &[package("openssl", "9")],
        findings: &[],
        keys: &[],
        files: Some(&[files, vec![file("ssl", Some(0))]].concat()),
        is_complete: true,
    };
    inventory.put(&image);
    inventory.start(container("e", "large"));
    for at in 0..=MAX_SEEN {
        inventory.saw("id-e", &format!("f{at}"), How::Executed);
    }
    assert_eq!(inventory.find("openssl@9").running[0].used, Use::Present { why: Why::Lost });
}

#[test]
fn what_changes_is_told_anew() {
    let mut inventory = inventory();
    inventory.stop("id-a/web");
    inventory.forget(&digest("old"));
    assert_eq!(
        short(&inventory.find("CVE-2024-1")),
        "Vulnerability: web; b/web NotSeen; 2 unknown, 1 incomplete"
    );
    // Found again, and fixed meanwhile.
    inventory.put(&Image {
        digest: &digest("web"),
        names: &[],
        layers: &[],
        packages: &[package("openssl", "3.0.2")],
        findings: &[],
        keys: &[],
        files: None,
        is_complete: true,
    });
    assert_eq!(short(&inventory.find("CVE-2024-1")), ": ; ; 2 unknown, 1 incomplete");
    assert_eq!(short(&inventory.find("release")), "Key: tool; ; 2 unknown, 0 incomplete");
    assert_eq!(short(&inventory.find(&digest("base").to_string())), ": ; ; 2 unknown, 1 incomplete");
    assert_eq!(short(&inventory.find(&digest("app").to_string())), ": ; ; 2 unknown, 1 incomplete");
    assert_eq!((inventory.len(), inventory.find("openssl").images.len()), (2, 1));
}

#[test]
fn every_container_and_its_findings() {
    let mut inventory = inventory();
    inventory.saw("id-a/web", "/usr/bin/openssl", How::Executed);
    inventory.saw("id-b/web", "/usr/lib/libssl.so.3", How::Loaded);
    let rows: Vec<String> = inventory
        .running()
        .iter()
        .map(|row| {
            let counts = row.findings.as_ref().map(|counts| {
                let one = counts.iter().map(|count| {
                    format!("{} {}/{}/{}", count.severity.word(), count.all, count.executed, count.loaded)
                });
                one.collect::<Vec<_>>().join(" ")
            });
            format!("{} {}", row.container.name, counts.as_deref().unwrap_or("unknown"))
        })
        .collect();
    assert_eq!(
        rows,
        ["a/web critical 2/1/0", "b/web critical 2/0/1", "c/old high 1/0/0", "d/foreign unknown"]
    );
    let kinds: Vec<Kind> = inventory.find(&digest("web").to_string()).kinds;
    assert_eq!(kinds, [Kind::Image]);
}
