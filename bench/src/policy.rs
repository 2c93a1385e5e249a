//! Decisions: what typed rules, rules in CEL and admission policies cost, in CPU time of this process.
//!
//! The image has 400 packages and 200 findings, the pod two containers. Each figure is the mean of many decisions; reading a
//! policy is counted apart, because it is done once.

use std::{hint::black_box, time::Duration};

use anyhow::{Context as _, Result};
use boltseal_cel::{Budget, Environment, Scope};
use boltseal_model::{Report, Timestamp};
use boltseal_orchestrator::{read::read, validating};
use boltseal_policy::{Facts, Policy, decide};
use nix::time::ClockId;
use serde_json::{Value, json};

use crate::figures::{Figures, print_ratio};

const RUNS: usize = 7;
const PACKAGES: usize = 400;
const FINDINGS: usize = 200;

const TYPED: &str = "version: 1
name: typed
rules:
  - { name: banned, effect: deny, packages: { ban: [{ ecosystem: npm, name: event-stream }] } }
  - { name: gaps, effect: warn, coverage: {} }
";
const CEL: &str = "version: 1
name: cel
rules:
  - name: banned
    effect: deny
    cel: { expression: \"!packages.exists(p, p.ecosystem == 'npm' && p.name == 'event-stream')\" }
  - { name: gaps, effect: warn, coverage: {} }
";
const VALIDATING: &str = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: privileged}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations:
  - expression: object.spec.containers.all(c, !c.?securityContext.?privileged.orValue(false))
";

pub fn run(_: &[String]) -> Result<()> {
    let report = report()?;
    let now = Timestamp::UNIX_EPOCH;
    let judged = |text: &str, times: u32| -> Result<Figures> {
        let policy = Policy::parse(text)?;
        measure(times, || drop(black_box(decide(&policy, &Facts::from(&report), now))))
    };
    let built_in =
        measure(2_000, || drop(black_box(decide(Policy::built_in(), &Facts::from(&report), now))))?;
    built_in.print(&format!("the built-in policy, {FINDINGS} findings"), "us");
    let typed = judged(TYPED, 5_000)?;
    typed.print(&format!("a typed rule over {PACKAGES} packages"), "us");
    let cel = judged(CEL, 500)?;
    cel.print("the same rule in CEL", "us");
    print_ratio("… in typed rules", &cel, &typed);
    measure(2_000, || drop(black_box(Policy::parse(CEL))))?.print("that policy read", "us");

    let pod: Value = serde_json::from_str(POD)?;
    let environment = Environment::new(&["object"]);
    let source = "object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || \
                  !c.securityContext.privileged)";
    measure(20_000, || drop(black_box(environment.compile(source))))?.print("an expression read", "us");
    let program = environment.compile(source)?;
    measure(50_000, || {
        let scope = Scope::new(&environment, vec![(&pod).into()]);
        let _ = black_box(scope.evaluate(&program, &mut Budget::default()).map(|value| value.truth()));
    })?
    .print("… and evaluated over a pod", "us");
    let (pods, policies) = (read("pod.json", POD.as_bytes())?, read("policy.yaml", VALIDATING.as_bytes())?);
    measure(2_000, || drop(black_box(validating::judge(&pods, &policies))))?
        .print("an admission policy read and asked about it", "us");
    let list = json!({ "l": (0..60).collect::<Vec<_>>() });
    let runaway =
        environment.compile("object.l.all(a, object.l.all(b, object.l.all(c, object.l.all(d, d >= 0))))")?;
    measure(1, || {
        let scope = Scope::new(&environment, vec![(&list).into()]);
        let _ = black_box(scope.evaluate(&runaway, &mut Budget::default()).is_err());
    })?
    .print("four comprehensions within each other, ended", "us");
    Ok(())
}

const POD: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}},
  "spec": {"containers": [
    {"name": "web", "image": "nginx:1.25", "ports": [{"containerPort": 80}], "securityContext": {"privileged": false}},
    {"name": "log", "image": "fluentd:1.16", "resources": {"limits": {"memory": "128Mi"}}}]}}"#;

/// Mean CPU time of one `act`, in microseconds.
fn measure(times: u32, mut act: impl FnMut()) -> Result<Figures> {
    let mut figures = Figures::default();
    for _ in 0..RUNS {
        let began = Duration::from(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?);
        for _ in 0..times {
            act();
        }
        let spent = Duration::from(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?) - began;
        figures.push(spent.as_secs_f64() * 1e6 / f64::from(times));
    }
    Ok(figures)
}

/// An image as a scan would have described it.
fn report() -> Result<Report> {
    let package = |number: usize| {
        let name = format!("package-{number}");
        json!({"ecosystem": "debian", "name": name, "version": "1.2.3", "purl": format!("pkg:deb/debian/{name}@1.2.3"),
               "paths": ["var/lib/dpkg/status"], "licenses": ["MIT"]})
    };
    let finding = |number: usize| {
        let name = format!("package-{number}");
        json!({"id": format!("CVE-2026-{number}"), "aliases": [], "package": name,
               "purl": format!("pkg:deb/debian/{name}@1.2.3"), "installed": "1.2.3", "fixed": null, "fixed_on": null,
               "severity": (if number % 5 == 0 { "high" } else { "medium" }), "cvss": [], "kev": null,
               "epss": {"score": 0.01, "percentile": 0.5}, "status": "affected", "fix": null, "title": "a vulnerability",
               "published": null, "references": [],
               "proof": {"layer": null, "path": "var/lib/dpkg/status", "advisory": "x", "feed": "osv:debian",
                         "matched": "debian:12", "range": "< 1.2.4", "comparison": "1.2.3 < 1.2.4"}})
    };
    let report = json!({
        "subject": {"reference": "registry.example.com/shop/web:1", "digest": null, "config": null, "platform": null},
        "snapshot": {"id": "bench", "built": Timestamp::UNIX_EPOCH, "feeds": []},
        "coverage": {"complete": true, "gaps": []},
        "distro": {"id": "debian", "version": "12", "name": "Debian 12", "end_of_life": null},
        "layers": [], "packages": (0..PACKAGES).map(package).collect::<Vec<_>>(), "leaks": [],
        "findings": (0..FINDINGS).map(finding).collect::<Vec<_>>(), "verdict": null,
    });
    serde_json::from_value(report).context("a report")
}
