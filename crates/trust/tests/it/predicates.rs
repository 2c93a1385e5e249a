//! What statements say, and what may be asked of them.

use boltseal_model::Digest;
use boltseal_trust::{
    BuildRecord, Material, Statement,
    predicate::{Predicate, Provenance, Wanted, is_of, name_of, type_of},
};
use serde_json::{Value, json};

fn says(kind: &str, predicate: Value) -> Predicate {
    Statement { predicate_type: type_of(kind).to_owned(), predicate }.says()
}

fn github() -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": { "workflow": {
                "ref": "refs/heads/main", "repository": "https://github.com/acme/app", "path": ".github/b.yml",
            }},
            "resolvedDependencies": [{ "uri": "git+https://github.com/evil/app@refs/heads/main" }],
        },
        "runDetails": { "builder": { "id": "https://github.com/actions/runner/github-hosted" } },
    })
}

fn older() -> Value {
    json!({
        "builder": { "id": "https://github.com/slsa-framework/generator@refs/tags/v1.2.0" },
        "buildType": "https://github.com/slsa-framework/container@v1",
        "invocation": { "configSource": { "uri": "git+https://github.com/acme/app@refs/tags/v1" } },
        "materials": [{ "uri": "git+https://github.com/acme/app@refs/tags/v1" }, { "uri": "pkg:docker/alpine" }],
        "metadata": { "buildFinishedOn": "2026-10-01T00:00:00Z" },
    })
}

#[test]
fn what_they_say() {
    let Predicate::Provenance(found) = says("slsaprovenance1", github()) else { panic!() };
    assert_eq!(found.builder.as_deref(), Some("https://github.com/actions/runner/github-hosted"));
    assert_eq!(found.source.as_deref(), Some("https://github.com/acme/app"), "not what it needs");
    assert_eq!(found.materials, 1);
    let Predicate::Provenance(found) = says("slsaprovenance", older()) else { panic!() };
    assert_eq!(found.source.as_deref(), Some("git+https://github.com/acme/app@refs/tags/v1"));
    assert_eq!((found.materials, found.finished.as_deref()), (2, Some("2026-10-01T00:00:00Z")));
    let sbom = |format: &str, packages| Predicate::Sbom { format: format.to_owned(), packages };
    assert_eq!(
        says("spdxjson", json!({ "spdxVersion": "SPDX-2.3", "packages": [{}, {}] })),
        sbom("SPDX-2.3", 2)
    );
    assert_eq!(
        says("cyclonedx", json!({ "specVersion": "1.6", "components": [{}] })),
        sbom("CycloneDX 1.6", 1)
    );
    assert_eq!(says("cyclonedx", json!({})), sbom("CycloneDX", 0));
    assert_eq!(
        says("https://openvex.dev/ns/v0.2.0", json!({ "author": "acme", "statements": [{}] })),
        Predicate::Vex { author: Some("acme".to_owned()), statements: 1 }
    );
    assert_eq!(
        says("vuln", json!({ "scanner": { "uri": "pkg:x" }, "metadata": { "scanFinishedOn": "today" } })),
        Predicate::Scan { scanner: Some("pkg:x".to_owned()), finished: Some("today".to_owned()) }
    );
    assert_eq!(says("custom", json!({})), Predicate::Other);
    // Of the right type, and of another shape: nothing is said.
    let nothing = Predicate::Provenance(Provenance::default());
    for odd in [json!({}), json!([]), json!(null), json!({ "builder": "x", "buildDefinition": 1 })] {
        assert_eq!(says("slsaprovenance1", odd.clone()), nothing, "{odd}");
    }
}

#[test]
fn what_may_be_asked() {
    let wanted = |builder: &str, source: &str, build_type: &str| {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Wanted { builder: some(builder), source: some(source), build_type: some(build_type) }
    };
    let hosted = "https://github.com/actions/runner/github-hosted";
    let (new, old) = (says("slsaprovenance1", github()), says("slsaprovenance", older()));
    let cases = [
        (&new, wanted("", "", ""), ""),
        (&new, wanted(hosted, "https://github.com/acme/app", ""), ""),
        (&new, wanted(hosted, "github.com/acme/app", ""), ""),
        (&new, wanted("https://github.com/actions/runner", "", ""), "it was built by `https"),
        (
            &new,
            wanted("", "https://github.com/evil/app", ""),
            "it was built from `https://github.com/acme/app`",
        ),
        (&new, wanted("", "https://github.com/acme/ap", ""), "it was built from"),
        (&new, wanted("", "https://github.com/acme/app/more", ""), "it was built from"),
        (&new, wanted("", "https://github.com/acme/app@refs/heads/main", ""), "it was built from"),
        (&new, wanted("", "", "https://actions.github.io/buildtypes/workflow/v1"), ""),
        (&new, wanted("", "", "https://actions.github.io/buildtypes/workflow/v2"), "it was built as"),
        (&old, wanted("", "https://github.com/acme/app", ""), ""),
        (&old, wanted("", "https://github.com/acme/app.git/", ""), ""),
        (&old, wanted("", "https://github.com/acme/app.git", ""), ""),
        (&old, wanted("", "https://github.com/acme/app@refs/tags/v1", ""), ""),
        (&old, wanted("", "https://github.com/acme/app@refs/tags/v2", ""), "it was built from"),
        (&old, wanted("", "https://user@github.com/acme/app", ""), "it was built from"),
        (&Predicate::Other, wanted(hosted, "", ""), "it does not say how the image was built"),
        (
            &Predicate::Provenance(Provenance::default()),
            wanted(hosted, "", ""),
            "it does not say what it was built by",
        ),
    ];
    for (said, wanted, why) in cases {
        match wanted.check(said) {
            Ok(()) => assert_eq!(why, "", "{wanted:?}"),
            Err(found) => assert!(!why.is_empty() && found.contains(why), "{wanted:?}: {found}"),
        }
    }
}

#[test]
fn types_and_their_names() {
    for (uri, name, is) in [
        ("https://slsa.dev/provenance/v1", "slsaprovenance1", true),
        ("https://slsa.dev/provenance/v1", "slsaprovenance", true),
        ("https://slsa.dev/provenance/v0.2", "slsaprovenance", true),
        ("https://slsa.dev/provenance/v0.2", "slsaprovenance1", false),
        ("https://slsa.dev/provenance/v1", "slsaprovenance02", false),
        ("https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v1", true),
        ("https://slsa.dev/provenance/v1", "https://slsa.dev/provenance", false),
        ("https://spdx.dev/Document/v2.3", "spdxjson", true),
        ("https://spdx.dev/Documentation", "spdxjson", false),
        ("https://spdx.dev/Document/v2/evil", "spdxjson", false),
        ("https://in-toto.io/attestation/vulns/v0.1", "vuln", true),
        ("https://example.com/x", "custom", false),
    ] {
        assert_eq!(is_of(uri, name), is, "{uri} {name}");
    }
    assert_eq!(name_of("https://slsa.dev/provenance/v0.2"), "slsaprovenance");
    assert_eq!(name_of("https://example.com/x"), "https://example.com/x");
}

#[test]
fn a_build_of_our_own() {
    let at = |text: &str| text.parse().unwrap();
    let record = BuildRecord {
        command: vec!["make".to_owned(), "image".to_owned()],
        source: Some("git+https://git.example.com/acme/app@0123".to_owned()),
        image: "registry.example.com/app:1".to_owned(),
        materials: vec![Material {
            uri: "docker://alpine".to_owned(),
            digest: [("sha256".to_owned(), "ab".to_owned())].into(),
        }],
        environment: (Digest::of(b"HOME=/root\0"), vec!["HOME".to_owned()]),
        left_out: vec!["CI_TOKEN".to_owned()],
        builder: "https://ci.example.com".to_owned(),
        version: "0.1.0".to_owned(),
        ran: (at("2026-11-01T12:00:00Z"), at("2026-11-01T12:00:09.5Z")),
    };
    let statement = record.statement();
    let Predicate::Provenance(how) = statement.says() else { panic!("{statement:?}") };
    assert_eq!(how.source.as_deref(), Some("git+https://git.example.com/acme/app@0123"));
    assert_eq!(how.finished.as_deref(), Some("2026-11-01T12:00:09Z"));
    let wanted = Wanted {
        builder: Some("https://ci.example.com".to_owned()),
        source: Some("https://git.example.com/acme/app".to_owned()),
        build_type: Some(boltseal_trust::BUILD_TYPE.to_owned()),
    };
    wanted.check(&statement.says()).unwrap();
}
