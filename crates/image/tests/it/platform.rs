//! Choosing from an index.

use boltseal_image::{Error, Options, manifest};
use boltseal_testkit::image::{Built, Image, Layer, index};

use crate::tree::{All, view};

fn image(platform: &str) -> Built {
    Image::new().platform(platform).layer(Layer::new().file("arch", platform)).build()
}

fn open(built: &Built, platform: Option<&str>) -> Result<Vec<String>, Error> {
    let folder = tempfile::tempdir().unwrap();
    built.write_oci(folder.path(), None);
    let mut options = Options::default();
    options.platform = platform.map(|platform| platform.parse().unwrap());
    let target = format!("oci:{}", folder.path().display());
    boltseal_image::open(&target, &All, &options).map(|opened| view(&opened.tree))
}

#[test]
fn takes_what_fits() {
    let many = index(&[
        image("unknown/unknown"),
        image("linux/arm/v6"),
        image("linux/arm/v7"),
        image("linux/amd64"),
        image("linux/arm64"),
    ]);
    for (wanted, found) in [
        ("linux/amd64", "linux/amd64"),
        ("linux/arm", "linux/arm/v6"),
        ("linux/arm/v7", "linux/arm/v7"),
        ("linux/arm64/v8", "linux/arm64"),
    ] {
        assert_eq!(open(&many, Some(wanted)).unwrap(), [format!("arch={found}@0")], "{wanted}");
    }
    let error = open(&many, Some("linux/s390x")).unwrap_err().to_string();
    assert!(
        error.contains("no image for linux/s390x")
            && error.contains("linux/arm/v6, linux/arm/v7, linux/amd64"),
        "{error}"
    );
}

#[test]
fn an_index_of_one_offers_no_choice() {
    let one = index(&[image("linux/s390x"), image("unknown/unknown")]);
    assert_eq!(open(&one, None).unwrap(), ["arch=linux/s390x@0"]);
    assert!(matches!(open(&one, Some("linux/amd64")), Err(Error::Platform { .. })));
    assert!(matches!(open(&image("linux/s390x"), Some("linux/amd64")), Err(Error::Platform { .. })));
}

#[test]
fn indexes_inside_each_other() {
    let mut nested = index(&[image("linux/amd64"), image("linux/arm64")]);
    for _ in 0..3 {
        nested = index(&[nested]);
    }
    assert_eq!(open(&nested, Some("linux/arm64")).unwrap(), ["arch=linux/arm64@0"]);
    for _ in 0..3 {
        nested = index(&[nested]);
    }
    assert!(
        open(&nested, Some("linux/arm64")).unwrap_err().to_string().contains("indexes inside each other")
    );
}

#[test]
fn documents_that_are_two_things_are_refused() {
    let digest = "sha256:".to_owned() + &"0".repeat(64);
    let blob = format!(r#"{{"mediaType": "x", "digest": "{digest}", "size": 1}}"#);
    for (text, media_type, words) in [
        ("{".to_owned(), None, "EOF"),
        ("[]".to_owned(), None, "not a JSON object"),
        (r#"{"schemaVersion": 1, "fsLayers": []}"#.to_owned(), None, "schema version 1 is obsolete"),
        (r#"{"schemaVersion": 2}"#.to_owned(), None, "neither `layers` nor `manifests`"),
        (
            format!(r#"{{"schemaVersion": 2, "config": {blob}, "layers": [], "manifests": []}}"#),
            None,
            "neither an image nor an index",
        ),
        (
            r#"{"schemaVersion": 2, "manifests": []}"#.to_owned(),
            Some(manifest::OCI_MANIFEST),
            "content is an index",
        ),
        (
            format!(r#"{{"schemaVersion": 2, "config": {blob}, "layers": []}}"#),
            Some(manifest::DOCKER_LIST),
            "content is an image manifest",
        ),
        (r#"{"schemaVersion": 2, "schemaVersion": 2, "manifests": []}"#.to_owned(), None, "duplicate field"),
        (
            format!(r#"{{"schemaVersion": 2, "config": {}, "layers": []}}"#, blob.replace(": 1", ": -1")),
            None,
            "invalid value",
        ),
        (
            format!(r#"{{"schemaVersion": 2, "config": {}, "layers": []}}"#, blob.replace("sha256", "md5")),
            None,
            "md5",
        ),
    ] {
        let error = manifest::parse(text.as_bytes(), media_type).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let fine = format!(r#"{{"schemaVersion": 2, "config": {blob}, "layers": null, "annotations": null}}"#);
    assert!(manifest::parse(fine.as_bytes(), Some("application/json; charset=utf-8")).is_ok());
}
