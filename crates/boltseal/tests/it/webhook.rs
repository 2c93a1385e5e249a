//! `boltseal webhook render`: narrow configurations, as a real API server takes them.

use serde_json::Value;

use crate::binary::User;

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
