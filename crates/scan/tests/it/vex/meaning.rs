//! What a statement is about, and who is right.

use boltseal_model::{Digest, VexStatus::*};
use boltseal_scan::vex::{self, Origin};

use super::{given, openvex, outcome, report, says};

const BASH: &str = "CVE-1=GHSA-1 pkg:deb/debian/bash@5.2?arch=amd64&distro=debian-12";
const HIT: &str = "CVE-1 gone: not_affected";
const MISS: &str = "CVE-1:";

#[test]
fn products() {
    let it = Digest::of(b"it").hex();
    let other = Digest::of(b"other").hex();
    for (product, image, expected) in [
        (r#"{"@id":"pkg:deb/debian/bash"}"#.to_owned(), "a:1", HIT),
        (r#""pkg:deb/debian/bash""#.to_owned(), "a:1", HIT),
        (r#"{"@id":"pkg:deb/debian/bash@5.2"}"#.to_owned(), "a:1", HIT),
        (r#"{"@id":"pkg:deb/debian/bash@5.1"}"#.to_owned(), "a:1", MISS),
        (r#"{"@id":"pkg:deb/debian/bash?arch=arm64"}"#.to_owned(), "a:1", MISS),
        (r#"{"@id":"pkg:deb/debian/bash?arch=amd64"}"#.to_owned(), "a:1", HIT),
        (r#"{"@id":"https://e.com/x","identifiers":{"purl":"pkg:deb/debian/bash"}}"#.to_owned(), "a:1", HIT),
        // The image, by name, tag, registry, platform and digest.
        (r#"{"@id":"pkg:oci/app"}"#.to_owned(), "example.com/team/app:1", HIT),
        (r#"{"@id":"pkg:oci/app"}"#.to_owned(), "example.com/team/other:1", MISS),
        (r#"{"@id":"pkg:oci/app"}"#.to_owned(), "", MISS),
        (r#"{"@id":"pkg:oci/app?tag=1"}"#.to_owned(), "example.com/team/app:1", HIT),
        (r#"{"@id":"pkg:oci/app?tag=2"}"#.to_owned(), "example.com/team/app:1", MISS),
        (r#"{"@id":"pkg:oci/app?arch=arm64"}"#.to_owned(), "example.com/team/app:1", HIT),
        (r#"{"@id":"pkg:oci/app?arch=amd64"}"#.to_owned(), "example.com/team/app:1", MISS),
        (
            r#"{"@id":"pkg:oci/app?repository_url=example.com/team/app"}"#.to_owned(),
            "example.com/team/app:1",
            HIT,
        ),
        (
            r#"{"@id":"pkg:oci/app?repository_url=example.com/team"}"#.to_owned(),
            "example.com/team/app:1",
            HIT,
        ),
        (
            r#"{"@id":"pkg:oci/app?repository_url=example.org/team/app"}"#.to_owned(),
            "example.com/team/app:1",
            MISS,
        ),
        (
            r#"{"@id":"pkg:oci/debian?repository_url=index.docker.io/library/debian"}"#.to_owned(),
            "debian:12",
            HIT,
        ),
        (r#"{"@id":"pkg:docker/library/debian@12"}"#.to_owned(), "debian:12", HIT),
        (r#"{"@id":"pkg:docker/library/debian@11"}"#.to_owned(), "debian:12", MISS),
        (format!(r#"{{"@id":"pkg:oci/app@sha256%3A{it}"}}"#), "example.com/team/app:1", HIT),
        (format!(r#"{{"@id":"pkg:oci/app@sha256:{it}"}}"#), "elsewhere.example.com/copy:1", HIT),
        (format!(r#"{{"@id":"pkg:oci/app@sha256%3A{other}"}}"#), "example.com/team/app:1", MISS),
        (format!(r#"{{"@id":"urn:it","hashes":{{"sha-256":"{it}"}}}}"#), "a:1", HIT),
        (format!(r#"{{"@id":"urn:it","hashes":{{"sha-256":"{other}"}}}}"#), "a:1", MISS),
        // Parts of the image, of another image, of a package beside it.
        (r#"{"@id":"pkg:oci/a","subcomponents":[{"@id":"pkg:deb/debian/bash"}]}"#.to_owned(), "a:1", HIT),
        (r#"{"@id":"pkg:oci/b","subcomponents":[{"@id":"pkg:deb/debian/bash"}]}"#.to_owned(), "a:1", MISS),
        (r#"{"@id":"pkg:oci/a","subcomponents":["pkg:deb/debian/zsh"]}"#.to_owned(), "a:1", MISS),
        (
            r#"{"@id":"pkg:deb/debian/bash","subcomponents":[{"@id":"pkg:deb/debian/bash"}]}"#.to_owned(),
            "a:1",
            MISS,
        ),
        ("\"app\"".to_owned(), "app:1", MISS),
    ] {
        let (_, lines) = outcome(&[openvex("A", "01", &says(NotAffected, &product))], report(image, &[BASH]));
        assert_eq!(lines, [expected], "{product} in {image}");
    }
}

#[test]
fn source_packages_stand_for_what_is_built_from_them() {
    for (product, expected) in [
        ("pkg:deb/debian/openssl?arch=source", HIT),
        ("pkg:deb/debian/openssl@3.0-1?arch=source&distro=debian-12", HIT),
        ("pkg:deb/debian/openssl@3.0-2?arch=source", MISS),
        ("pkg:deb/ubuntu/openssl?arch=source", MISS),
        ("pkg:deb/debian/openssl", MISS),
    ] {
        let mut report =
            report("a:1", &["CVE-1 pkg:deb/debian/libssl3@3.0-1+b1?arch=amd64&distro=debian-12"]);
        let source = boltseal_model::Source { name: "openssl".to_owned(), version: "3.0-1".to_owned() };
        report.packages[0].source = Some(source);
        let document = openvex("A", "01", &says(NotAffected, &format!("\"{product}\"")));
        assert_eq!(outcome(&[document], report).1, [expected], "{product}");
    }
}

#[test]
fn modules_in_the_folder_of_the_application() {
    for (path, expected) in [
        ("app/node_modules/x/package.json", HIT),
        ("app/node_modules/y/node_modules/x/package.json", HIT),
        ("other/node_modules/x/package.json", MISS),
    ] {
        let mut report = report("a:1", &[&format!("CVE-1 pkg:npm/x@1 {path}")]);
        super::installed(&mut report, "pkg:npm/shop@2", "app/package.json");
        let product = r#"{"@id":"pkg:npm/shop","subcomponents":["pkg:npm/x"]}"#;
        assert_eq!(
            outcome(&[openvex("A", "01", &says(NotAffected, product))], report).1,
            [expected],
            "{path}"
        );
    }
}

/// Each document: author, day, status, product. What becomes of the finding.
#[test]
fn who_is_right() {
    let (any, exact) = ("\"pkg:deb/debian/bash\"", "\"pkg:deb/debian/bash@5.2\"");
    for (documents, expected) in [
        (vec![("A", "01", Affected, any), ("A", "02", NotAffected, any)], HIT),
        (vec![("A", "02", NotAffected, any), ("A", "01", Affected, any)], HIT),
        (vec![("A", "01", NotAffected, any), ("A", "02", Affected, any)], "CVE-1: affected"),
        (
            vec![("A", "01", NotAffected, any), ("a", "02", UnderInvestigation, any)],
            "CVE-1: under_investigation",
        ),
        (vec![("A", "01", Affected, any), ("A", "01", Fixed, exact)], "CVE-1 gone: fixed"),
        (vec![("A", "01", Affected, any), ("A", "01", NotAffected, any)], "CVE-1: affected"),
        (vec![("A", "01", Affected, any), ("B", "02", NotAffected, any)], "CVE-1: affected, not_affected"),
        (vec![("A", "03", UnderInvestigation, any), ("B", "02", NotAffected, any)], HIT),
        (vec![("A", "01", NotAffected, any), ("B", "02", Fixed, any)], "CVE-1 gone: fixed"),
        (vec![("A", "01", UnderInvestigation, any)], "CVE-1: under_investigation"),
    ] {
        let read: Vec<_> = documents
            .iter()
            .map(|(author, day, status, product)| openvex(author, day, &says(*status, product)))
            .collect();
        assert_eq!(outcome(&read, report("a:1", &[BASH])).1, [expected], "{documents:?}");
    }
}

#[test]
fn what_anybody_can_attach_does_not_replace_what_was_given() {
    let mine = openvex("A", "01", &says(Affected, "\"pkg:oci/a\""));
    let mut theirs = openvex("A", "02", &says(NotAffected, "\"pkg:oci/a\""));
    theirs.origin = Origin::Attached;
    let (_, lines) = outcome(&[mine.clone(), theirs.clone()], report("a:1", &[BASH]));
    assert_eq!(lines, ["CVE-1: affected, not_affected"]);
    assert_eq!(outcome(&[theirs.clone()], report("a:1", &[BASH])).1, [HIT]);
    // The same document again, an edition later, is another word of the same place only.
    theirs.id.clone_from(&mine.id);
    theirs.version = 9;
    assert_eq!(outcome(&[mine, theirs], report("a:1", &[BASH])).1, ["CVE-1: affected, not_affected"]);
}

#[test]
fn of_two_editions_the_later_counts() {
    let first = openvex("A", "02", &says(NotAffected, "\"pkg:oci/a\""));
    let mut second = openvex("A", "02", &says(Fixed, "\"pkg:oci/b\""));
    second.version = 2;
    assert_eq!(outcome(&[first, second], report("a:1", &[BASH])).1, [MISS]);
}

#[test]
fn aliases_and_the_index_an_image_was_chosen_from() {
    let alias = says(NotAffected, "\"pkg:oci/a\"").replace("CVE-1", "ghsa-1");
    assert_eq!(outcome(&[openvex("A", "01", &alias)], report("a:1", &[BASH])).1, [HIT]);
    let page =
        says(NotAffected, "\"pkg:oci/a\"").replace(r#""name":"CVE-1""#, r#""@id":"https://e.com/?id=CVE-1""#);
    assert_eq!(outcome(&[openvex("A", "01", &page)], report("a:1", &[BASH])).1, [HIT]);
    let index = Digest::of(b"index");
    let document = openvex("A", "01", &says(NotAffected, &format!("\"pkg:oci/a@{index}\"")));
    for (also, gone) in [(vec![], 0), (vec![index], 1)] {
        let applied = vex::apply(std::slice::from_ref(&document), &mut report("a:1", &[BASH]), &also);
        assert_eq!((applied.set_aside, applied.claims, applied.unused), (gone, 1, 1 - gone));
    }
}

#[test]
fn what_counts_for_nothing_is_told() {
    let bare = says(NotAffected, "\"pkg:oci/a\"").replace(r#","justification":"component_not_present""#, "");
    for (statement, why) in [
        (bare, "statements[0]: says not_affected and neither justification nor impact_statement"),
        (says(Fixed, ""), "statements[0]: names no product"),
        (says(Fixed, "\"pkg:oci/a\"").replace("CVE-1", " "), "statements[0]: names no vulnerability"),
        (says(Fixed, "\"pkg:oci/a\"").replace("fixed", "gone"), "statements[0]: `gone` is no status"),
    ] {
        let document = openvex("A", "01", &statement);
        assert_eq!(document.unsound, [why]);
        assert_eq!(outcome(&[document], report("a:1", &[BASH])).1, [MISS]);
    }
}

#[test]
fn errors_say_where() {
    let head = r#""@context":"https://openvex.dev/ns/v0.2.0","author":"A""#;
    for (text, why) in [
        ("{".to_owned(), "a.json, line 1, column 1: EOF while parsing an object"),
        ("7".to_owned(), "a.json, line 1, column 1: invalid type: integer `7`, expected"),
        (r#"{"@context":"https://example.com"}"#.to_owned(), "a.json: neither OpenVEX"),
        (
            r#"{"@context":"https://openvex.dev/ns"}"#.to_owned(),
            "a.json: author: a document must say who speaks",
        ),
        (format!(r#"{{{head},"timestamp":"today"}}"#), "a.json: timestamp: is no point in time of RFC 3339"),
        (
            format!(r#"{{{head},"statements":[{{"timestamp":"x","vulnerability":"CVE-1"}}]}}"#),
            "a.json: statements[0].timestamp: is no point in time of RFC 3339",
        ),
        (r#"{"document":{"category":"csaf_base"}}"#.to_owned(), "a.json: neither OpenVEX"),
        (
            r#"{"document":{"category":"csaf_vex"}}"#.to_owned(),
            "a.json: document.publisher.name: says not who speaks",
        ),
        (r#"{"bomFormat":"x"}"#.to_owned(), "a.json: neither OpenVEX"),
    ] {
        let error = vex::read(text.as_bytes(), "a.json", Origin::Given).unwrap_err().to_string();
        assert!(error.starts_with(why), "{text}\n{error}");
    }
    let branches = format!("{}{}", r#"{"branches":["#.repeat(500), "]}".repeat(500));
    let text = format!(r#"{{"document":{{"category":"csaf_vex"}},"product_tree":{branches}}}"#);
    let error = vex::read(text.as_bytes(), "a.json", Origin::Given).unwrap_err().to_string();
    assert!(
        error.starts_with("a.json, line 1, column") && error.ends_with("recursion limit exceeded"),
        "{error}"
    );
}

#[test]
fn too_much_is_refused() {
    let statement = says(Fixed, &vec!["\"pkg:a/b\""; 200].join(","));
    let many = vec![statement.as_str(); 5_001].join(",");
    let text = format!(r#"{{"@context":"https://openvex.dev/ns","author":"A","statements":[{many}]}}"#);
    let error = vex::read(text.as_bytes(), "a.json", Origin::Given).unwrap_err();
    assert_eq!(error.to_string(), "a.json: more than 1000000 products");
    let group = format!(r#"{{"group_id":"g","product_ids":[{}]}}"#, vec!["\"p\""; 2_000].join(","));
    let flags = vec![r#"{"label":"x","group_ids":["g"]}"#; 1_000].join(",");
    let text = format!(
        r#"{{"document":{{"category":"csaf_vex","publisher":{{"name":"A"}}}},"product_tree":{{"product_groups":[{group}]}},
            "vulnerabilities":[{{"cve":"CVE-1","flags":[{flags}]}}]}}"#
    );
    let error = vex::read(text.as_bytes(), "a.json", Origin::Given).unwrap_err();
    assert_eq!(error.to_string(), "a.json: more than 1000000 products");
    assert!(vex::read(&vec![b' '; vex::MAX_BYTES + 1], "a.json", Origin::Given).is_err());
}

#[test]
fn csaf() {
    let seed = include_str!("../../../../../fuzz/seeds/vex/csaf.json");
    let bash = "CVE-2022-3715 pkg:deb/debian/bash@5.2";
    let document = given(seed.as_bytes());
    let statement =
        &document.claims.iter().find(|claim| claim.statement.status == NotAffected).unwrap().statement;
    assert_eq!(statement.justification.as_deref(), Some("vulnerable_code_not_present"));
    assert_eq!((statement.reason.as_deref(), statement.author.as_str()), (Some("none"), "Example Inc."));
    for (text, image, expected) in [
        (seed.to_owned(), "debian:12", "CVE-2022-3715 gone: fixed"),
        (seed.replace(r#","fixed":["b"]"#, ""), "debian:12", "CVE-2022-3715 gone: not_affected"),
        (seed.replace(r#","fixed":["b"]"#, ""), "ubuntu:12", "CVE-2022-3715:"),
        (
            seed.replace(r#""fixed":["b"]"#, r#""known_affected":["b"]"#),
            "debian:12",
            "CVE-2022-3715: affected",
        ),
        (seed.replace(r#""fixed":["b"]"#, r#""recommended":["b"]"#), "ubuntu:12", "CVE-2022-3715:"),
        // An operating system without a name that we could check: a version of the part must do.
        (
            seed.replace(r#""purl":"pkg:oci/debian""#, r#""cpe":"cpe:/o:x""#),
            "ubuntu:12",
            "CVE-2022-3715 gone: fixed",
        ),
        (
            seed.replace(r#""purl":"pkg:oci/debian""#, r#""cpe":"cpe:/o:x""#)
                .replace("bash@5.2", "bash")
                .replace(r#","fixed":["b"]"#, ""),
            "debian:12",
            "CVE-2022-3715:",
        ),
    ] {
        assert_eq!(outcome(&[given(text.as_bytes())], report(image, &[bash])).1, [expected], "{text}");
    }
    let bare = seed.replace("impact", "other").replace("flags", "no");
    assert_eq!(given(bare.as_bytes()).unsound.len(), 1);
}

#[test]
fn cyclonedx() {
    let seed = include_str!("../../../../../fuzz/seeds/vex/cyclonedx.json");
    let line = "CVE-2022-3715 pkg:deb/debian/bash@5.2";
    for (text, image, expected) in [
        (seed.to_owned(), "debian:12", "CVE-2022-3715 gone: not_affected"),
        (seed.to_owned(), "ubuntu:12", "CVE-2022-3715:"),
        (seed.replace(r#""version":"5.2""#, r#""version":"5.3""#), "debian:12", "CVE-2022-3715:"),
        (seed.replace("\"not_affected\"", "\"resolved\""), "debian:12", "CVE-2022-3715 gone: fixed"),
        (
            seed.replace("\"not_affected\"", "\"in_triage\""),
            "debian:12",
            "CVE-2022-3715: under_investigation",
        ),
        (seed.replace("\"not_affected\"", "\"exploitable\""), "debian:12", "CVE-2022-3715: affected"),
        (
            seed.replace("\"not_affected\"", "\"false_positive\""),
            "debian:12",
            "CVE-2022-3715 gone: not_affected",
        ),
    ] {
        assert_eq!(outcome(&[given(text.as_bytes())], report(image, &[line])).1, [expected], "{text}");
    }
}

/// Whoever writes conclusions into our own bill of materials gets them back.
#[test]
fn our_own_bill_of_materials_is_understood() {
    let example = crate::format::example();
    let mut bom = crate::format::document(boltseal_scan::format::by_name("cyclonedx").unwrap(), &example);
    for vulnerability in bom["vulnerabilities"].as_array_mut().unwrap() {
        vulnerability["analysis"] =
            serde_json::json!({"state": "not_affected", "justification": "code_not_present"});
    }
    let mut report = example.clone();
    let applied = vex::apply(&[given(bom.to_string().as_bytes())], &mut report, &[]);
    assert_eq!((applied.set_aside, report.findings.len()), (example.findings.len(), 0));
}
