//! Java archives, made by another program than the one that reads them.

use std::io::{Cursor, Write as _};

use boltseal_ecosystem::catalog;
use boltseal_model::{Catalog, GapKind};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::shared::Builder;

fn zip(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn properties(artifact: &str) -> String {
    format!("#Generated\ngroupId=org.acme\nartifactId={artifact}\nversion=1.0\n")
}

fn read(path: &str, content: &[u8]) -> Catalog {
    catalog(&Builder::default().layer().file(path, content).tree())
}

fn names(found: &Catalog) -> Vec<String> {
    found.packages.iter().map(|package| format!("{}@{}", package.name, package.version)).collect()
}

#[test]
fn archives_in_archives() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let lib =
            zip(&[("META-INF/maven/org.acme/inner/pom.properties", properties("inner").as_bytes())], method);
        let pom = b"<project><parent><groupId>org.acme</groupId><version>7</version></parent>\
                    <artifactId>shaded</artifactId></project>";
        let spring = zip(&[("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n")], method);
        let war = zip(
            &[
                ("WEB-INF/lib/inner-1.0.jar", &lib),
                ("WEB-INF/lib/spring-core-5.3.1.jar", &spring),
                ("META-INF/maven/org.acme/app/pom.properties", properties("app").as_bytes()),
                ("META-INF/maven/org.acme/shaded/pom.xml", pom),
            ],
            method,
        );
        let ear = zip(&[("app-1.0.war", &war)], method);
        // A script in front of the archive starts it: the archive is found from its end.
        let started = [&b"PK is for later\n"[..], &ear].concat();
        for content in [ear, started] {
            let found = read("opt/app.ear", &content);
            assert_eq!(found.gaps, []);
            let expected = [
                "org.acme:app@1.0",
                "org.acme:inner@1.0",
                "org.acme:shaded@7",
                "org.springframework:spring-core@5.3.1",
            ];
            assert_eq!(names(&found), expected);
            assert_eq!(found.packages[1].purl, "pkg:maven/org.acme/inner@1.0");
            let paths = ["opt/app.ear", "opt/app.ear!/app-1.0.war!/WEB-INF/lib/inner-1.0.jar"];
            assert_eq!(found.packages[1].paths, paths);
        }
    }
}

#[test]
fn what_cannot_be_read_is_a_gap_and_hides_nothing_beside_it() {
    let good = zip(
        &[("META-INF/maven/org.acme/a/pom.properties", properties("a").as_bytes())],
        CompressionMethod::Deflated,
    );
    let outer =
        zip(&[("lib/broken-1.jar", b"PK\x03\x04 no end"), ("lib/a.jar", &good)], CompressionMethod::Deflated);
    let found = read("srv/outer.war", &outer);
    assert_eq!(names(&found), ["org.acme:a@1.0"]);
    assert_eq!(found.gaps.len(), 1);
    assert_eq!((found.gaps[0].kind, &*found.gaps[0].subject), (GapKind::FileNotParsed, "srv/outer.war"));
    assert!(found.gaps[0].detail.starts_with("lib/broken-1.jar: "), "{}", found.gaps[0].detail);
}

#[test]
fn archives_nested_without_end_are_a_gap() {
    let mut content = zip(&[("x", b"y")], CompressionMethod::Deflated);
    for _ in 0..20 {
        content = zip(&[("a.jar", &content)], CompressionMethod::Deflated);
    }
    let found = read("a.jar", &content);
    assert_eq!(found.gaps.len(), 1);
    assert!(found.gaps[0].detail.contains("nested too deep"), "{}", found.gaps[0].detail);
}

#[test]
fn archives_that_were_unpacked() {
    let path = "srv/app/META-INF/maven/org.acme/app/pom.properties";
    let found = read(path, properties("app").as_bytes());
    assert_eq!(names(&found), ["org.acme:app@1.0"]);
    assert_eq!(found.packages[0].paths, [path]);
}

/// What a library does not tell is said, and the library is listed with what it does tell.
#[test]
fn a_library_that_does_not_tell_its_group_is_listed_and_a_gap() {
    let jar = zip(&[("A.class", b"")], CompressionMethod::Deflated);
    let found = read("lib/strange-1.0.jar", &jar);
    assert_eq!((names(&found), found.gaps.len()), (vec!["strange@1.0".to_owned()], 1));
    assert_eq!(found.packages[0].purl, "pkg:generic/strange@1.0");
    assert!(found.gaps[0].detail.contains("group"), "{:?}", found.gaps);
    // The application's own code is no library; its file is told by its hash. One inside another would be told by nobody.
    assert_eq!(read("lib/application.jar", &jar), Catalog::default());
    let war = zip(
        &[("WEB-INF/lib/helper.jar", &jar), ("WEB-INF/lib/odd-2.jar", &jar)],
        CompressionMethod::Deflated,
    );
    let found = read("app.war", &war);
    assert_eq!((names(&found), found.gaps.len()), (vec!["helper@".to_owned(), "odd@2".to_owned()], 1));
    assert_eq!(found.packages[0].purl, "pkg:generic/helper");
    assert_eq!(found.packages[0].paths[1], "app.war!/WEB-INF/lib/helper.jar");
}
