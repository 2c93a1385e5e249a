//! Where credentials lie in an image, and whether they are still there.

use boltseal_flow::{Wanted, sbom};
use boltseal_image::Options;
use boltseal_model::{Confidence, Leak, Place, Report};
use boltseal_testkit::image::{Image, Layer};
use serde_json::json;

fn look(image: &Image) -> Report {
    let folder = tempfile::tempdir().unwrap();
    image.build().write_oci(folder.path(), None);
    let target = format!("oci:{}", folder.path().display());
    sbom(&Wanted { target: &target, options: &Options::default(), cache: None, finder: None }).unwrap()
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
    };
    let json = serde_json::to_string(&one).unwrap();
    assert_eq!(json, r#"{"place":{"kind":"command"},"rule":"a","title":"A","confidence":"verified"}"#);
}
