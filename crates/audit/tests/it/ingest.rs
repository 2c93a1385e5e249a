//! What Kubernetes and Docker report.

use std::collections::BTreeMap;

use boltseal_audit::{
    Record,
    ingest::{IngestError, Ingested, MAX_EVENTS, Seen, docker, kubernetes, node},
    record::{Activity, Kind, Outcome, Severity, Via, Why},
};
use serde_json::{Value, json};

fn sample() -> Option<String> {
    let path = boltseal_testkit::shared("data/admission/audit-sample.jsonl")?;
    Some(std::fs::read_to_string(path).unwrap())
}

fn counted(records: &[Record]) -> BTreeMap<(&str, &str, &str), usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        let key = (record.activity.name(), record.outcome.name(), record.severity.name());
        *counts.entry(key).or_default() += 1;
    }
    counts
}

#[test]
fn every_event_of_a_real_cluster_is_a_record() {
    let Some(lines) = sample() else { return };
    let mut seen = Seen::new(1_000);
    let records = seen.fresh(kubernetes(lines.as_bytes(), "east").unwrap());
    assert_eq!((records.len(), seen.len()), (36, 36));
    let wanted = BTreeMap::from([
        (("connect", "failure", "high"), 2),
        (("create", "denied", "informational"), 1),
        (("create", "failure", "informational"), 2),
        (("create", "success", "informational"), 13),
        (("create", "success", "medium"), 1),
        (("delete", "success", "informational"), 2),
        (("read", "failure", "informational"), 2),
        (("read", "success", "informational"), 9),
        (("update", "success", "informational"), 2),
        (("update", "success", "medium"), 2),
    ]);
    assert_eq!(counted(&records), wanted);
    for record in &records {
        let entry = record.entry();
        assert!(entry.len() < 2_048, "{} bytes", entry.len());
        assert_eq!(Record::parse(&entry).unwrap().original, record.original);
        assert_eq!(record.source.host.as_deref(), Some("east"));
        assert_eq!(record.source.address.map(|ip| ip.to_string()).as_deref(), Some("127.0.0.1"));
        assert_ne!(record.why, Why::Unstated);
    }
    let exec = records.iter().find(|record| record.activity == Activity::Connect).unwrap();
    assert_eq!(exec.action, "Kubernetes/core/pods/exec/get");
    assert_eq!(exec.subject.scope, "/clusters/east/namespaces/shop/pods/plain");
    assert_eq!(exec.status.as_deref(), Some("exec into pod shop/plain: id: 400 BadRequest"));
    assert_eq!((exec.actor.name.as_str(), exec.actor.kind), ("admin", Kind::User));
    assert_eq!(exec.time.to_string(), "2026-11-23T04:17:46.505651Z");
}

#[test]
fn lists_lines_and_repetitions_are_the_same_events() {
    let Some(lines) = sample() else { return };
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events});
    let wanted = kubernetes(lines.as_bytes(), "east").unwrap();
    assert_eq!(kubernetes(list.to_string().as_bytes(), "east").unwrap(), wanted);
    assert_eq!(kubernetes(lines.lines().next().unwrap().as_bytes(), "east").unwrap(), wanted[..1]);
    let mut seen = Seen::new(1_000);
    assert_eq!(seen.fresh(wanted.clone()).len(), 36);
    assert_eq!(seen.fresh(wanted.clone()).len(), 0);
    assert_eq!(seen.fresh(kubernetes(lines.as_bytes(), "west").unwrap()).len(), 36, "another cluster");
    // What could not be written after all is new again.
    seen.forget([&wanted[3].key]);
    assert_eq!(seen.fresh(wanted), [kubernetes(lines.as_bytes(), "east").unwrap()[3].record.clone()]);
}

#[test]
fn seen_forgets_the_oldest_first() {
    let mut seen = Seen::new(2);
    let keys: Vec<_> = ["a", "b", "c"].map(|id| kubernetes_event(&json!({"auditID": id})).key).to_vec();
    assert!(keys.iter().all(|key| seen.insert(*key)));
    assert_eq!(seen.len(), 2);
    assert_eq!(keys.iter().map(|key| seen.insert(*key)).collect::<Vec<_>>(), [true, true, true]);
    assert!(!seen.insert(keys[2]));
}

/// One event with some fields replaced.
fn kubernetes_event(with: &Value) -> Ingested {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "1", "stage": "ResponseComplete",
        "verb": "get", "user": {"username": "alice"}, "sourceIPs": ["10.1.1.1"],
        "stageTimestamp": "2026-03-01T12:00:00Z", "responseStatus": {"code": 200},
        "objectRef": {"resource": "pods", "namespace": "shop", "name": "web"},
    });
    for (name, value) in with.as_object().unwrap() {
        event[name] = value.clone();
    }
    kubernetes(event.to_string().as_bytes(), "east").unwrap().remove(0)
}

/// Verb, resource with subresource, namespace and name; what it means.
const REQUESTS: &str = "
create  pods/exec              shop web   connect high: exec into pod shop/web
get     pods/attach            shop web   connect high: attach to pod shop/web
patch   pods/ephemeralcontainers shop web connect high: patch ephemeralcontainers of pod shop/web
get     pods/ephemeralcontainers shop web read informational: get ephemeralcontainers of pod shop/web
create  pods/portforward       shop web   connect medium: port forward to pod shop/web
get     services/proxy         shop web   connect medium: proxy to service shop/web
get     pods/log               shop web   read informational: get log of pod shop/web
create  serviceaccounts/token  shop web   issue low: create token of serviceaccount shop/web
create  rolebindings           shop web   grant medium: create rolebinding shop/web
delete  clusterrolebindings    -    x     revoke medium: delete clusterrolebinding x
patch   clusterroles           -    x     update medium: patch clusterrole x
get     clusterroles           -    x     read informational: get clusterrole x
bind    roles                  shop web   other medium: bind role shop/web
list    secrets                shop -     read low: list secrets in shop
list    ingresses              -    -     read informational: list ingresses
get     ingresses              a    b     read informational: get ingress a/b
get     networkpolicies        a    b     read informational: get networkpolicy a/b
create  namespaces             shop shop  create informational: create namespace shop
deletecollection pods          shop -     delete informational: deletecollection pods in shop
";

#[test]
fn what_requests_mean() {
    for line in REQUESTS.lines().filter(|line| !line.is_empty()) {
        let (request, words) = line.split_once(": ").unwrap();
        let fields: Vec<&str> = request.split_whitespace().map(|field| field.trim_matches('-')).collect();
        let [verb, resource, namespace, name, activity, severity] = fields[..] else { panic!("{line}") };
        let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
        let object = json!({"resource": resource, "subresource": sub, "namespace": namespace, "name": name});
        let record = kubernetes_event(&json!({"verb": verb, "objectRef": object})).record;
        assert_eq!((record.activity.name(), record.severity.name()), (activity, severity), "{line}");
        assert_eq!(record.status.as_deref(), Some(words));
    }
    let with = json!({"objectRef": null, "requestURI": "/metrics?secret=1", "impersonatedUser": {"username": "bob"}});
    let record = kubernetes_event(&with).record;
    assert_eq!(record.status.as_deref(), Some("get /metrics"));
    assert_eq!(record.subject.name.as_deref(), Some("/metrics"));
    let record = kubernetes_event(&json!({"impersonatedUser": {"username": "bob", "groups": null}})).record;
    assert_eq!((record.severity, &record.detail["impersonated"]), (Severity::Medium, &json!("bob")));
}

#[test]
fn who_and_why_and_how_it_went() {
    let rbac = "RBAC: allowed by ClusterRoleBinding \"edit\" of ClusterRole \"edit\" to User \"alice\"";
    let note = |decision: &str, reason: &str| json!({"authorization.k8s.io/decision": decision, "authorization.k8s.io/reason": reason});
    let granted = Why::granted("ClusterRoleBinding edit", "ClusterRole edit", "/clusters/east");
    let table = [
        (json!({"annotations": note("allow", rbac)}), Outcome::Success, granted),
        (json!({"annotations": note("allow", "by webhook")}), Outcome::Success, Why::rule("by webhook")),
        (json!({"annotations": note("forbid", "no")}), Outcome::Denied, Why::missing("no")),
        (json!({"responseStatus": {"code": 401}}), Outcome::Denied, Why::Unstated),
        (json!({"responseStatus": {"code": 404}, "annotations": null}), Outcome::Failure, Why::Unstated),
        (json!({"responseStatus": {"code": 101}}), Outcome::Success, Why::Unstated),
        (json!({"responseStatus": null, "stage": "RequestReceived"}), Outcome::Unknown, Why::Unstated),
        (json!({"stage": "Panic"}), Outcome::Failure, Why::Unstated),
    ];
    for (with, outcome, why) in table {
        let record = kubernetes_event(&with).record;
        assert_eq!((record.outcome, record.why), (outcome, why), "{with}");
    }
    let extra = |id: &str| json!({"authentication.kubernetes.io/credential-id": [id]});
    let table = [
        (
            json!({"username": "system:serviceaccount:shop:default", "extra": extra("JTI=7")}),
            Kind::Workload,
            Via::Token,
        ),
        (json!({"username": "alice", "extra": extra("X509SHA256=7")}), Kind::User, Via::Certificate),
        (json!({"username": "system:anonymous"}), Kind::Anonymous, Via::None),
        (json!({"username": "system:kube-scheduler"}), Kind::System, Via::Other),
    ];
    for (user, kind, via) in table {
        let actor = kubernetes_event(&json!({"user": user})).record.actor;
        assert_eq!((actor.kind, actor.via), (kind, via), "{user}");
    }
    let source = kubernetes_event(&json!({"sourceIPs": ["6.6.6.6", "10.0.0.1"]})).record;
    assert_eq!(source.source.address.unwrap().to_string(), "10.0.0.1");
    assert_eq!(source.detail["claimed_sources"], json!(["6.6.6.6"]));
}

/// People type secrets into command lines.
#[test]
fn arguments_stay_out() {
    let object = json!({"resource": "pods", "subresource": "exec", "namespace": "shop", "name": "db"});
    for (query, words) in [
        ("command=mysql&command=-phunter2", "exec into pod shop/db: mysql"),
        ("container=c&command=%2Fbin%2Fsh&command=-c&command=echo+hunter2", "exec into pod shop/db: /bin/sh"),
        ("command=sh%20-c%20hunter2", "exec into pod shop/db: sh"),
        ("command=PASSWORD%3Dhunter2", "exec into pod shop/db: PASSWORD"),
        ("command=PASSWORD=hunter2+mysql", "exec into pod shop/db"),
        ("", "exec into pod shop/db"),
    ] {
        let uri = format!("/api/v1/namespaces/shop/pods/db/exec?{query}");
        let record = kubernetes_event(&json!({"objectRef": object, "requestURI": uri})).record;
        assert_eq!(record.status.as_deref(), Some(words), "{query}");
        assert!(!String::from_utf8(record.entry()).unwrap().contains("hunter2"), "{query}");
    }
    for (action, words) in [
        ("exec_create: mysql -phunter2", "exec prepared in container db: mysql"),
        ("exec_start: /bin/sh -c hunter2", "exec into container db: /bin/sh"),
        ("exec_start: PASSWORD=hunter2 mysql", "exec into container db"),
    ] {
        let event = json!({"Type": "container", "Action": action, "Actor": {"ID": "1", "Attributes": {"name": "db"}}, "time": 1});
        let record = docker(event.to_string().as_bytes(), "h").unwrap().remove(0).record;
        assert_eq!(record.status.as_deref(), Some(words));
        assert!(!String::from_utf8(record.entry()).unwrap().contains("hunter2"), "{action}");
    }
}

/// Events as lines: what they mean, of what, in words.
fn lines(events: &[Ingested]) -> Vec<String> {
    events
        .iter()
        .map(|Ingested { record, .. }| {
            let subject = &record.subject;
            let marks = (record.activity.name(), record.outcome.name(), record.severity.name());
            let digest =
                subject.digest.as_ref().map(|digest| format!(" {}", digest.short())).unwrap_or_default();
            format!(
                "{} {} {} {}{digest}: {}",
                marks.0,
                marks.1,
                marks.2,
                record.action,
                record.status.as_ref().unwrap()
            )
        })
        .collect()
}

#[test]
fn events_of_a_node_are_records() {
    let events = node(include_bytes!("ingest/node.jsonl"), "node-1").unwrap();
    let wanted: Vec<&str> = include_str!("ingest/node.txt").lines().collect();
    assert_eq!(lines(&events), wanted);
    let start = &events[1].record;
    assert_eq!(start.subject.scope, "/hosts/node-1/groups/shop/containers/web");
    assert_eq!(start.detail["plan"], format!("sha256:{}", "5".repeat(64)));
    assert_eq!(start.detail["event"], 2);
    assert_eq!(events[0].record.actor.name, "uid 0, logged in as uid 1000, by boltseal");
    for event in &events {
        let entry = String::from_utf8(event.record.entry()).unwrap();
        assert!(!entry.contains("hunter2"), "what was typed behind a program's name stays out: {entry}");
    }
    let mut seen = Seen::new(100);
    assert_eq!(seen.fresh(events).len(), wanted.len());
    assert_eq!(seen.fresh(node(include_bytes!("ingest/node.jsonl"), "node-1").unwrap()), []);
    for wrong in ["{}", r#"{"number":-1,"at":"2026-03-01T12:00:00Z","what":"group.run"}"#, "[]", "\"x\""] {
        assert!(node(wrong.as_bytes(), "node-1").is_err(), "{wrong}");
    }
}

#[test]
fn docker_events_are_records() {
    let events = docker(include_bytes!("ingest/docker.jsonl"), "node-1").unwrap();
    let digest = format!("sha256:{}", "7".repeat(64));
    let wanted: Vec<&str> = include_str!("ingest/docker.txt").lines().collect();
    assert_eq!(lines(&events), wanted);
    assert_eq!(events[0].record.subject.scope, "/hosts/node-1/images");
    assert_eq!(events[1].record.subject.scope, format!("/hosts/node-1/containers/{}", "ab".repeat(32)));
    assert_eq!(events[1].record.time.to_string(), "2026-03-01T12:00:01.000000001Z");
    assert!(events.iter().any(|event| event.record.subject.digest == digest.parse().ok()));
    let mut seen = Seen::new(100);
    let count = events.len();
    assert_eq!(seen.fresh(events).len(), count);
    assert_eq!(seen.fresh(docker(include_bytes!("ingest/docker.jsonl"), "node-1").unwrap()), []);
}

#[test]
fn what_is_not_an_event_is_refused_by_number() {
    let good = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"1","stage":"Panic","verb":"get","stageTimestamp":"2026-03-01T12:00:00Z"}"#;
    let list =
        |items: &str| format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":{items}}}"#);
    let table = [
        (format!("{good}\n{{"), "event 2: EOF while parsing"),
        (format!("{good}\n[]"), "event 2 is a ` `, not an audit.k8s.io/v1 Event"),
        (
            format!("{good}{}", r#"{"kind":"Pod","apiVersion":"v1"}"#),
            "event 2 is a `v1 Pod`, not an audit.k8s.io/v1 Event",
        ),
        (good.replace("/v1", "/v1beta1"), "event 1 is a `audit.k8s.io/v1beta1 Event`"),
        (list(&format!("[{good},{good},7]")), "event 3: invalid type"),
        (list(&format!("[{}]", good.replace("\"1\"", "\"\""))), "event 1: it has no auditID or no verb"),
        (good.replace("stageTimestamp", "x"), "event 1: it has no stageTimestamp"),
        (good.replace("2026-03-01T12:00:00Z", "yesterday"), "event 1: "),
        (list(&"[".repeat(100_000)), "event 1: expected value"),
        (" ".repeat(17 << 20), "the batch has 17825792 bytes, more than the 16777216 allowed"),
        (
            list(&format!("[{}{good}]", format!("{good},").repeat(MAX_EVENTS))),
            "more than the 10000 events allowed",
        ),
    ];
    for (batch, wanted) in table {
        let error = kubernetes(batch.as_bytes(), "east").unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}\nwanted: {wanted}");
    }
    assert_eq!(kubernetes(b"", "east"), Ok(Vec::new()));
    assert_eq!(kubernetes(list("null").as_bytes(), "east"), Ok(Vec::new()));
    let table = [
        (r#"{"Type":"container","Action":"die","Actor":{"ID":"1"}}"#, "event 1: it has no time"),
        (
            r#"{"Type":"container","Action":"die","Actor":{"ID":"1"},"time":1} {"Type":1}"#,
            "event 2: invalid type",
        ),
        (r#"{"status":"die","id":"1","time":1}"#, "event 1: missing field `Type`"),
        (
            r#"{"Type":"container","Action":"die","Actor":{"ID":"1"},"time":9999999999999}"#,
            "event 1: it has no time",
        ),
    ];
    for (batch, wanted) in table {
        let error = docker(batch.as_bytes(), "h").unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}\nwanted: {wanted}");
    }
    assert!(
        matches!(docker(&vec![b'1'; 17 << 20], "h"), Err(IngestError::TooLarge { found }) if found == 17 << 20)
    );
}
