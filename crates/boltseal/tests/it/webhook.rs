//! `boltseal webhook render`: narrow configurations, as a real API server takes them.

use serde_json::Value;

use crate::{binary::User, login::as_admin, service::Service};

const CA: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

fn documents(text: &str) -> Vec<Value> {
    text.split("---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

#[test]
fn configurations_are_narrow() {
    let user = User::new();
    user.write("ca.pem", CA);
    let ran = user.run(&[
        "webhook",
        "render",
        "--service",
        "security/boltseal",
        "--ca",
        "ca.pem",
        "--except",
        "flux",
    ]);
    let all = documents(&ran.ended(0).out);
    let kinds: Vec<&str> = all.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"]);
    for (configuration, failure) in all.iter().zip(["Fail", "Ignore"]) {
        let webhook = &configuration["webhooks"][0];
        assert_eq!(webhook["failurePolicy"], failure);
        assert_eq!(webhook["sideEffects"], "None");
        assert_eq!(webhook["timeoutSeconds"], 5);
        assert_eq!(webhook["clientConfig"]["service"]["namespace"], "security");
        let selector = &webhook["namespaceSelector"]["matchExpressions"][0];
        assert_eq!(selector["operator"], "NotIn");
        assert_eq!(selector["values"], serde_json::json!(["flux", "kube-system", "security"]));
        for rule in webhook["rules"].as_array().unwrap() {
            assert_eq!(rule["scope"], "Namespaced");
            let text = rule.to_string();
            assert!(
                !text.contains("DELETE")
                    && !text.contains("CONNECT")
                    && !text.contains("\"resources\":[\"*\"]"),
                "{text}"
            );
        }
    }
    let ran = user.run(&[
        "webhook",
        "render",
        "--url",
        "https://boltseal.example:8443/",
        "--ca",
        "ca.pem",
        "--no-mutate",
        "--failure-policy",
        "ignore",
    ]);
    let all = documents(&ran.ended(0).out);
    assert_eq!(all.len(), 1);
    let webhook = &all[0]["webhooks"][0];
    assert_eq!(webhook["clientConfig"]["url"], "https://boltseal.example:8443/admission/validate");
    assert_eq!(
        (webhook["failurePolicy"].as_str(), webhook["timeoutSeconds"].as_i64()),
        (Some("Ignore"), Some(5))
    );
}

#[test]
fn wrong_use_is_explained() {
    let user = User::new();
    user.write("ca.pem", CA);
    user.write("key.pem", format!("{CA}-----BEGIN PRIVATE KEY-----\n"));
    for (args, parts) in [
        (&["--ca", "ca.pem"][..], &["--service <SERVICE>"][..]),
        (&["--service", "boltseal", "--ca", "ca.pem"], &["NAMESPACE/NAME"]),
        (&["--service", "a/b\nc", "--ca", "ca.pem"], &["is no name"]),
        (&["--url", "http://boltseal.example", "--ca", "ca.pem"], &["https only"]),
        (&["--url", "https://a.example", "--service", "a/b", "--ca", "ca.pem"], &["cannot be used with"]),
        (&["--service", "a/b", "--ca", "no.pem"], &["cannot read no.pem"]),
        (&["--service", "a/b", "--ca", "key.pem"], &["no PEM file of certificates alone", "tls/ca.pem"]),
        (&["--service", "a/b", "--ca", "ca.pem", "--timeout", "60"], &["2..=30"]),
    ] {
        user.run(&[&["webhook", "render"], args].concat()).ended(2).complained(parts);
    }
    user.run(&["webhook", "show"]).ended(3).complained(&["boltseal login"]);
}

/// What runs already, asked about as if it were new.
#[test]
fn what_was_admitted_meanwhile() {
    let user = User::new();
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let pod = |namespace: &str, name: &str, created: &str| {
        format!(
            r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"namespace": "{namespace}", "name": "{name}",
            "creationTimestamp": "{created}"}}, "spec": {{"containers": [{{"name": "c", "image": "nginx:1"}}]}}}}"#
        )
    };
    let list = [
        pod("shop", "old", "2026-01-01T00:00:00Z"),
        pod("shop", "new", "2026-03-01T00:00:00Z"),
        pod("kube-system", "dns", "2026-03-01T00:00:00Z"),
        r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "web"}}"#
            .to_owned(),
    ];
    user.write(
        "list.json",
        format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{}]}}"#, list.join(",")),
    );
    let ran = user.run(&["webhook", "gap", "list.json", "--since", "2026-02-01"]).ended(1);
    ran.said(&["Pod shop/new", "made 2026-03-01", "nginx:1", "1 object would be refused, of 2 asked about"]);
    let json = user.run(&["webhook", "gap", "list.json", "--format", "json"]).ended(1).json();
    assert_eq!(json["refused"].as_array().unwrap().len(), 2);
    user.run(&["webhook", "set", "--namespace", "shop", "--unknown", "allow", "--registry", "r.example.com"])
        .ended(2);
    user.run(&["webhook", "set", "--namespace", "shop", "--unknown", "allow"]).ended(0);
    user.run(&["webhook", "set", "--level", "baseline", "--registry", "r.example.com"]).ended(0);
    user.run(&["webhook", "show"]).ended(0).said(&[
        "baseline of latest",
        "r.example.com",
        "in shop: unknown images run",
    ]);
    user.run(&["webhook", "gap", "list.json"]).ended(0).said(&["0 objects would be refused"]);
    user.run(&["webhook", "set", "--level", "none"]).ended(2).complained(&["`none` is not a level"]);
    user.feed(&["webhook", "gap"], "no").ended(2).complained(&["standard input is no list"]);
    service.stop();
}
