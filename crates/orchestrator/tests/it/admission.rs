//! Reviews that a real API server sent, and those that nobody should send.

use boltseal_orchestrator::{
    admission::{Answer, Patch, Review, ReviewError},
    pss::{Level, Version},
};
use serde_json::{Value, json};

use crate::files;

/// What each recorded review would run, and what of baseline it breaks.
#[test]
fn recorded_reviews() {
    const WANTED: &[(&str, &[&str], &[&str])] = &[
        ("001-CREATE-namespaces-shop", &[], &[]),
        ("002-CREATE-pods-plain", &["registry.example.com/team/app:1.2"], &[]),
        (
            "003-CREATE-pods-restricted",
            &["registry.example.com/team/init@", "registry.example.com/team/app@"],
            &[],
        ),
        ("004-CREATE-pods-gen-nlms8", &["docker.io/library/nginx"], &["hostNamespaces", "hostPathVolumes"]),
        ("005-CREATE-deployments-web", &["nginx:1.25"], &["capabilities_baseline"]),
        ("006-CREATE-statefulsets-db", &["postgres:15"], &[]),
        ("007-CREATE-daemonsets-agent", &["agent:latest"], &["hostNamespaces", "hostPathVolumes"]),
        ("008-CREATE-jobs-j", &["busybox"], &[]),
        ("009-CREATE-cronjobs-cj", &["busybox:1"], &[]),
        ("010-CREATE-services-web", &[], &[]),
        ("011-CREATE-pods-bad", &["x"], &["privileged"]),
        ("012-CREATE-pods-dry", &["x:1"], &[]),
        ("013-UPDATE-pods-plain", &["registry.example.com/team/app:1.3"], &[]),
        ("014-UPDATE-deployments-scale-web", &[], &[]),
        ("015-CONNECT-pods-exec-plain", &[], &[]),
        ("016-CONNECT-pods-exec-plain", &[], &[]),
        ("017-DELETE-pods-plain", &[], &[]),
        ("018-DELETE-pods-plain", &[], &[]),
        ("019-DELETE-jobs-j", &[], &[]),
    ];
    let Some(folder) = boltseal_testkit::shared("data/admission/reviews") else { return };
    let all = files(&folder);
    assert_eq!(all.len(), WANTED.len());
    for ((name, body), (wanted, images, broken)) in all.iter().zip(WANTED) {
        assert_eq!(name.trim_end_matches(".json"), *wanted);
        let review = Review::read(body).unwrap();
        let found: Vec<String> =
            review.images().iter().map(|image| image.reference.known().unwrap().clone()).collect();
        assert_eq!(found.len(), images.len(), "{name}: {found:?}");
        assert!(found.iter().zip(*images).all(|(one, other)| one.starts_with(other)), "{name}: {found:?}");
        let json: Value = serde_json::from_slice(body).unwrap();
        for image in review.images() {
            let there = json["request"]["object"].pointer(&image.pointer).unwrap();
            assert_eq!(there.as_str(), image.reference.known().map(String::as_str), "{name}");
        }
        let mut ids: Vec<&str> =
            review.broken(Level::Baseline, Version::LATEST).iter().map(|(control, _)| control.id).collect();
        ids.dedup();
        assert_eq!(ids, *broken, "{name}");
        assert_eq!(review.dry_run, name.contains("-dry"), "{name}");
    }
}

fn review(operation: &str, object: &Value, before: &Value) -> Vec<u8> {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "operation": operation, "kind": {"group": "", "version": "v1", "kind": "Pod"}, "namespace": "n",
        "object": object, "oldObject": before}})
    .to_string()
    .into_bytes()
}

fn pod(spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
}

#[test]
fn only_what_is_new() {
    let before = pod(
        &json!({"containers": [{"name": "a", "image": "one"}, {"name": "b", "image": "two"}], "hostPID": true}),
    );
    let after = pod(
        &json!({"containers": [{"name": "a", "image": "one"}, {"name": "b", "image": "three"}], "hostPID": true,
        "ephemeralContainers": [{"name": "e", "image": "one", "securityContext": {"privileged": true}}],
        "volumes": [{"name": "v", "image": {"reference": "models"}}]}),
    );
    let review = Review::read(&review("UPDATE", &after, &before)).unwrap();
    let found: Vec<(String, String)> = review
        .images()
        .into_iter()
        .map(|one| (one.pointer, one.reference.known().unwrap().clone()))
        .collect();
    let wanted = [
        ("/spec/containers/1/image", "three"),
        ("/spec/ephemeralContainers/0/image", "one"),
        ("/spec/volumes/0/image/reference", "models"),
    ];
    assert_eq!(found, wanted.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let broken = review.broken(Level::Baseline, Version::LATEST);
    assert_eq!(broken.iter().map(|(control, _)| control.id).collect::<Vec<_>>(), ["privileged"]);
}

#[test]
fn what_is_no_review() {
    let good = pod(&json!({"containers": []}));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "one document"),
        (b"{}".to_vec(), "kind"),
        (
            b"{\"kind\": \"AdmissionReview\", \"apiVersion\": \"admission.k8s.io/v1beta1\"}".to_vec(),
            "apiVersion",
        ),
        (
            b"{\"kind\": \"AdmissionReview\", \"apiVersion\": \"admission.k8s.io/v1\"}".to_vec(),
            "request.operation",
        ),
        (review("CREATE", &Value::Null, &Value::Null), "request.object"),
        (review("CREATE", &json!("text"), &Value::Null), "request.object"),
        (review("", &good, &Value::Null), "request.operation"),
        (review("FROB", &good, &Value::Null), "request.operation"),
    ];
    for (body, wanted) in cases {
        match Review::read(&body) {
            Err(ReviewError::Shape(what)) => assert_eq!(what, wanted),
            other => assert!(matches!(other, Err(ReviewError::Document(_))), "{other:?}"),
        }
    }
    assert_eq!(Review::read(&vec![b' '; 5 << 20]).unwrap_err(), ReviewError::Long);
    for (body, id) in [
        (&br#"{"kind":"AdmissionReview","request":{"uid":"a-1","object":{"#[..], Some("a-1")),
        (br#"{"request" : { "x": 1, "uid" : "b.2" }"#, Some("b.2")),
        (br#"{"uid":"outside","request":{}}"#, None),
        (br#"{"request":{"uid":"a\"b"}}"#, None),
        (br#"{"request":{"uid":""}}"#, None),
        (br#"{"request":{"uid":"a"#, None),
        (b"\xff\xfe", None),
    ] {
        assert_eq!(Review::id(body).as_deref(), id, "{}", String::from_utf8_lossy(body));
    }
}

/// Whatever is too much to be looked at is no review, and not one of which the rest is let in.
#[test]
fn what_is_too_much_is_not_looked_at_in_part() {
    let group = |index: usize| json!({"template": {"spec": {"containers": [{"name": "c", "image": format!("i:{index}")}]}}});
    let set = |count: usize| {
        let groups: Vec<Value> = (0..count).map(group).collect();
        json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "r"}, "spec": {"groups": groups}})
    };
    let read = |object: &Value| Review::read(&review("CREATE", object, &Value::Null));
    assert_eq!(read(&set(1_000)).unwrap().images().len(), 1_000);
    assert!(matches!(read(&set(1_001)), Err(ReviewError::Many(_))));
    let containers: Vec<Value> =
        (0..1_001).map(|index| json!({"name": format!("c{index}"), "image": "i"})).collect();
    assert!(matches!(read(&pod(&json!({"containers": containers}))), Err(ReviewError::Many(_))));

    // A kind of another group may be called like one of Kubernetes, and have its pods elsewhere and further down.
    let mut deep = json!({"containers": [{"name": "c", "image": "deep:1"}]});
    for _ in 0..20 {
        deep = json!({"below": deep});
    }
    for spec in [json!({"tasks": [group(7)]}), deep] {
        let job = json!({"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec});
        assert_eq!(read(&job).unwrap().images().len(), 1, "{job}");
    }
}

#[test]
fn answers() {
    let parsed = |answer: &Answer| -> Value { serde_json::from_str(&answer.body("u")).unwrap() };
    let allowed = Answer {
        warnings: vec!["w".repeat(400)],
        patches: vec![Patch::replace("/spec".to_owned(), "x".to_owned())],
        ..Answer::default()
    };
    let body = parsed(&allowed);
    assert_eq!(body["response"]["allowed"], true);
    assert_eq!(body["response"]["warnings"][0].as_str().unwrap().chars().count(), 250);
    assert_eq!(body["response"]["patch"], "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zcGVjIiwidmFsdWUiOiJ4In1d");
    let refused = Answer { refused: vec!["ä".repeat(900); 30], ..allowed };
    let body = parsed(&refused);
    assert_eq!(body["response"]["status"]["code"], 403);
    assert_eq!(body["response"]["patch"], Value::Null, "what is refused is not changed");
    assert!(body["response"]["status"]["message"].as_str().unwrap().len() < 8_300);
}
