//! Who signed, what was said, and what it is built on: every way in which it is not as the rule wants has its own words.

use boltseal_model::{Base, Decision, Digest, Fault, FaultKind, Provenance, Report, Signature, Verdict};
use boltseal_policy::{Facts, Known, Policy, decide};

use crate::{NOW, files};

const SLSA: &str = "https://slsa.dev/provenance/v1";

fn report() -> Report {
    let (_, json) = files("reports").into_iter().find(|(name, _)| name == "clean-debian").unwrap();
    let mut report: Report = serde_json::from_str(&json).unwrap();
    report.coverage.gaps.clear();
    report
}

/// The rules of a policy with three authorities; keys are not looked at here.
fn policy(rules: &str) -> Policy {
    let key = |text: &str| {
        format!("\n      -----BEGIN PUBLIC KEY-----\n      {text}\n      -----END PUBLIC KEY-----\n")
    };
    let text = format!(
        "version: 1\nname: prod\nauthorities:\n  - name: releases\n    key: |{}  - name: security\n    key: |{}  \
         - name: ci\n    identity_regexp: https://ci.example/.*\n    issuer: https://issuer.example\n    \
         trusted_root: root.json\nrules:\n{rules}",
        key("AAAA"),
        key("BBBB"),
    );
    Policy::parse_beside(&text, &|name| Ok(format!("content of {name}"))).unwrap()
}

fn signature(by: &[&str], signer: &str) -> Signature {
    Signature {
        place: format!("referrer {signer}"),
        digest: Digest::of(signer.as_bytes()),
        by: by.iter().map(|name| (*name).to_owned()).collect(),
        signer: Some(signer.to_owned()),
        at: Vec::new(),
        logged: false,
        until: None,
        remarks: Vec::new(),
        predicate_type: None,
        provenance: None,
        fault: None,
    }
}

fn faulty(kind: FaultKind, why: &str) -> Signature {
    Signature {
        by: Vec::new(),
        signer: None,
        fault: Some(Fault { kind, why: why.to_owned() }),
        ..signature(&[], "x")
    }
}

fn built(by: &[&str], builder: &str, source: &str) -> Signature {
    let provenance = Provenance {
        builder: Some(builder.to_owned()),
        build_type: None,
        source: Some(source.to_owned()).filter(|source| !source.is_empty()),
    };
    Signature { predicate_type: Some(SLSA.to_owned()), provenance: Some(provenance), ..signature(by, "ci") }
}

fn verdict(rule: &str, report: &Report) -> Verdict {
    let policy = policy(&format!("  - name: r\n    effect: deny\n    {rule}\n"));
    decide(&policy, &Facts::from(report), NOW.parse().unwrap())
}

#[test]
fn signatures_are_missing_bad_strange_or_unchecked() {
    use Decision::{Allow, Deny, Unknown};
    let one = "signatures: { by: [releases] }";
    let two = "signatures: { by: [releases, security, ci], at_least: 2 }";
    let releases = || signature(&["releases"], "key 1");
    let both = || signature(&["security", "ci"], "key 2");
    let check = |rule: &str, signatures: Option<Vec<Signature>>, decision: Decision, words: &[&str]| {
        let mut report = report();
        report.signatures = signatures;
        let verdict = verdict(rule, &report);
        let found: Vec<&str> = verdict.reasons.iter().map(|reason| reason.found.as_str()).collect();
        assert_eq!(verdict.decision, decision, "{rule}: {found:?}");
        assert_eq!(found.len(), words.len(), "{rule}: {found:?}");
        for (found, words) in found.iter().zip(words) {
            assert!(found.contains(words), "{rule}: {found} has no {words}");
        }
        for reason in &verdict.reasons {
            let fix = reason.fix.as_deref().unwrap();
            assert!(fix.contains("cosign sign --key KEY") && fix.contains("boltseal sign"), "{fix}");
        }
    };
    check(one, None, Unknown, &["nobody has looked for signatures"]);
    check(one, Some(vec![]), Deny, &["it is not signed"]);
    check(one, Some(vec![releases()]), Allow, &[]);
    // An attestation is no signature, whoever signed it.
    check(one, Some(vec![built(&["releases"], "b", "s")]), Deny, &["it is not signed"]);
    let bad = || faulty(FaultKind::Bad, "it was signed for sha256:ab, not for sha256:cd");
    let strange = || faulty(FaultKind::Stranger, "not by releases: the signature is not right");
    let unchecked = || faulty(FaultKind::Unchecked, "signatures of Notary Project are not read");
    check(one, Some(vec![bad()]), Deny, &["1 signature is not right: it was signed for"]);
    check(one, Some(vec![strange()]), Deny, &["1 signature is not by whom the rule names: not by releases"]);
    check(one, Some(vec![both()]), Deny, &["is not by whom the rule names: by security, ci"]);
    check(
        one,
        Some(vec![unchecked()]),
        Unknown,
        &["1 signature is not to be checked here: signatures of Notary"],
    );
    check(
        one,
        Some(vec![bad(), strange(), unchecked()]),
        Deny,
        &["not right", "not by whom", "not to be checked"],
    );
    // Whatever else is attached takes nothing away from a good one.
    check(one, Some(vec![bad(), strange(), unchecked(), releases()]), Allow, &[]);
    check(two, Some(vec![releases()]), Deny, &["1 of 2 signatures: by releases; missing: security, ci"]);
    check(two, Some(vec![releases(), releases()]), Deny, &["1 of 2"]);
    // One signer who fits two names is one.
    check(two, Some(vec![both()]), Deny, &["1 of 2 signatures: by security, ci; missing: releases"]);
    check(two, Some(vec![releases(), both()]), Allow, &[]);
    check(two, Some(vec![signature(&["releases", "security"], "key 1"), both()]), Allow, &[]);
}

#[test]
fn statements_are_of_the_types_builders_and_sources_that_the_rule_wants() {
    use Decision::{Allow, Deny, Unknown};
    let plain = "attestations: { by: [ci], types: [provenance] }";
    let exact = "attestations: { by: [ci], types: [provenance], builders: [\"https://ci.example/*\"], \
                 sources: [\"https://git.example/acme/*\"] }";
    let more = "attestations: { by: [ci], types: [provenance, sbom] }";
    let good =
        || built(&["ci"], "https://ci.example/1", "git+https://git.example/acme/app.git@refs/heads/main");
    let check = |rule: &str, signatures: Option<Vec<Signature>>, decision: Decision, words: &str| {
        let mut report = report();
        report.signatures = signatures;
        let verdict = verdict(rule, &report);
        let found: Vec<&str> = verdict.reasons.iter().map(|reason| reason.found.as_str()).collect();
        assert_eq!(
            (verdict.decision, found.join("; ").contains(words)),
            (decision, true),
            "{rule}: {found:?}"
        );
    };
    check(plain, None, Unknown, "nobody has looked for provenance");
    check(plain, Some(vec![]), Deny, "it has no provenance");
    check(plain, Some(vec![signature(&["ci"], "ci")]), Deny, "it has no provenance");
    check(plain, Some(vec![good()]), Allow, "");
    check(plain, Some(vec![built(&["releases"], "b", "s")]), Deny, "it has no provenance");
    check(exact, Some(vec![good()]), Allow, "");
    let elsewhere = built(&["ci"], "https://evil.example/1", "https://git.example/acme/app");
    check(exact, Some(vec![elsewhere.clone()]), Deny, "it was built by https://evil.example/1");
    // One that is right is enough.
    check(exact, Some(vec![elsewhere, good()]), Allow, "");
    for (source, words) in [
        ("https://git.example/acme-evil/app", "it was built from https://git.example/acme-evil/app"),
        ("https://evil.example/?https://git.example/acme/app", "it was built from https://evil.example"),
        ("https://git.example/acme/app@evil", ""),
        ("", "its provenance names no source"),
    ] {
        let decision = if words.is_empty() { Allow } else { Deny };
        check(exact, Some(vec![built(&["ci"], "https://ci.example/1", source)]), decision, words);
    }
    check(more, Some(vec![good()]), Deny, "it has no SBOM");
    let sbom = Signature {
        predicate_type: Some("https://spdx.dev/Document/v2.3".to_owned()),
        ..signature(&["ci"], "ci")
    };
    check(more, Some(vec![good(), sbom]), Allow, "");
    let unchecked =
        Signature { predicate_type: Some(SLSA.to_owned()), ..faulty(FaultKind::Unchecked, "too new") };
    check(plain, Some(vec![unchecked]), Unknown, "1 provenance is not to be checked here: too new");
}

#[test]
fn bases_are_sanctioned_by_digest_or_by_where_they_are_kept() {
    use Decision::{Allow, Deny, Unknown};
    let image = Digest::of(b"base");
    let base = |name: &str| Base {
        digest: image.clone(),
        indexes: vec![Digest::of(b"index")],
        names: vec![name.parse().unwrap()],
        layers: 1,
    };
    let check = |allow: &str, bases: Option<Vec<Base>>, decision: Decision, words: &str| {
        let mut report = report();
        report.bases = bases;
        let verdict = verdict(&format!("base_images: {{ allow: [{allow}] }}"), &report);
        let found: Vec<&str> = verdict.reasons.iter().map(|reason| reason.found.as_str()).collect();
        assert_eq!(
            (verdict.decision, found.join("; ").contains(words)),
            (decision, true),
            "{allow}: {found:?}"
        );
    };
    let ours = "registry.example.com/bases";
    check(ours, None, Unknown, "nobody here knows what it was built on");
    check(ours, Some(vec![]), Unknown, "begin with those of no image");
    check(ours, Some(vec![base("registry.example.com/bases/python")]), Allow, "");
    check(
        ours,
        Some(vec![base("registry.example.com/basesx/python")]),
        Deny,
        "built on registry.example.com/basesx/python",
    );
    let deeper = vec![base("registry.example.com/shop/middle"), base("registry.example.com/bases/python")];
    check(ours, Some(deeper), Allow, "");
    check(&format!("\"{image}\""), Some(vec![base("x.example/y")]), Allow, "");
    check(&format!("\"{}\"", Digest::of(b"index")), Some(vec![base("x.example/y")]), Allow, "");
    check(&format!("\"{}\"", Digest::of(b"other")), Some(vec![base("x.example/y")]), Deny, "built on");
    // What is sanctioned itself needs no base.
    check("docker.io/library/debian", None, Allow, "");
}

#[test]
fn rules_about_some_images_leave_others_alone() {
    use Decision::{Allow, Deny, Unknown};
    let about = |images: &str| format!("signatures: {{ images: [{images}], by: [releases] }}");
    let mut named = report();
    named.signatures = Some(Vec::new());
    let mut nameless = named.clone();
    nameless.subject.name = None;
    for (rule, report, decision) in [
        (about("docker.io/library"), &named, Deny),
        (about("registry.example.com/prod"), &named, Allow),
        (about("registry.example.com/prod"), &nameless, Unknown),
        (
            "signatures: { images: [registry.example.com], unnamed: allow, by: [releases] }".to_owned(),
            &nameless,
            Allow,
        ),
    ] {
        assert_eq!(verdict(&rule, report).decision, decision, "{rule}");
    }
}

#[test]
fn files_beside_a_policy_are_a_part_of_it() {
    let text =
        "version: 1\nname: p\nrules:\n  - { name: signed, effect: deny, signatures: { keys: [a.pub] } }\n";
    let with = |key: &str| Policy::parse_beside(text, &|_| Ok(key.to_owned())).unwrap();
    let policy = with("one");
    assert_eq!(policy.files(), ["a.pub"]);
    assert_eq!(policy.authorities()[0].name, "a.pub");
    assert_eq!(policy.authorities()[0].who, Known::Key { pem: "one".to_owned(), root: None, clocks: None });
    assert!(policy.asks_for_signatures() && !policy.asks_for_bases());
    assert_eq!(policy.digest(), with("one").digest());
    assert_ne!(policy.digest(), with("two").digest(), "another key is another policy");
    let alone = Policy::parse(text).unwrap_err().to_string();
    assert!(alone.contains("line 4") && alone.contains("no folder"), "{alone}");
    let missing = Policy::parse_beside(text, &|name| Err(format!("there is no {name}"))).unwrap_err();
    assert!(missing.to_string().contains("rule `signed`: there is no a.pub"), "{missing}");
}

#[test]
fn authorities_that_run_out() {
    let read = |more: &str| {
        let text = format!("version: 1\nname: prod\nauthorities:\n  - name: a\n{more}");
        Policy::parse_beside(&text, &|name| Ok(format!("content of {name}")))
    };
    let key = "    key: a.pub\n    clocks: clocks.pem\n";
    let policy = read(&format!("{key}    not_before: 2026-01-01\n    not_after: 2026-12-31\n")).unwrap();
    let mut files = policy.files().to_vec();
    files.sort_unstable();
    assert_eq!(files, ["a.pub", "clocks.pem"]);
    let window = policy.authorities()[0].window;
    assert_eq!(window.to_string(), "counts from 2026-01-01T00:00:00Z and counts until 2026-12-31T23:59:59Z");
    let policy = read(&format!("{key}    revoked_at: 2026-03-04T05:06:07Z\n")).unwrap();
    assert_eq!(policy.authorities()[0].window.to_string(), "was revoked at 2026-03-04T05:06:07Z");
    let identity = "    identity: a\n    issuer: b\n    trusted_root: root.json\n";
    read(&format!("{identity}    revoked_at: 2026-03-04\n")).unwrap();
    read("    key: a.pub\n    trusted_root: root.json\n    not_after: 2026-03-04\n").unwrap();
    for (more, why) in [
        ("    key: a.pub\n    revoked_at: 2026-03-04\n", "write `trusted_root` or `clocks`"),
        ("    key: a.pub\n    not_after: 2026-03-04\n", "write `trusted_root` or `clocks`"),
        (
            "    key: a.pub\n    trusted_root: root.json\n    clocks: c.pem\n",
            "`clocks` belongs to a key without",
        ),
        (
            "    identity: a\n    issuer: b\n    trusted_root: r\n    clocks: c\n",
            "`clocks` belongs to a key without",
        ),
        ("    key: a.pub\n    clocks: c.pem\n    not_after: tomorrow\n", "`tomorrow` is no moment"),
        (
            "    key: a.pub\n    clocks: c.pem\n    not_before: 2026-03-05\n    not_after: 2026-03-04\n",
            "and until 2026-03-04T23:59:59Z, which is never",
        ),
    ] {
        let told = read(more).unwrap_err().to_string();
        assert!(told.contains(why), "{more}: {told}");
    }
}
