//! Expressions with what they come to: values, refusals with their place, and what they may cost.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects in the plainest way")]

mod bounds;
mod guide;
mod mutations;
mod refused;
mod values;

use boltseal_cel::{Budget, Environment, Scope};
use serde_json::{Value, json};

/// A pod with something of everything.
fn pod() -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "shop", "app.kubernetes.io/name": "web"}},
        "spec": {
            "hostNetwork": false,
            "replicas": 3,
            "share": 0.5,
            "nothing": null,
            "containers": [
                {"name": "web", "image": "nginx:1.25", "resources": {"limits": {"memory": "128Mi", "cpu": "500m"}},
                 "securityContext": {"privileged": false, "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}},
                {"name": "log", "image": "registry.example.com/log@sha256:00", "ports": [{"containerPort": 80}, {"containerPort": 8080}]},
            ],
        },
    })
}

/// What an expression over that pod comes to, in words.
fn told(source: &str) -> String {
    let pod = pod();
    let mut environment = Environment::new(&["object", "oldObject"]);
    environment.define("names", "object.spec.containers.map(c, c.name)").unwrap();
    environment.define("broken", "object.spec.missing").unwrap();
    let program = match environment.compile(source) {
        Ok(program) => program,
        Err(error) => return format!("refused: {}", error.sentence()),
    };
    let scope = Scope::new(&environment, vec![(&pod).into()]);
    match scope.evaluate(&program, &mut Budget::default()) {
        Ok(value) => value.to_string(),
        Err(error) => format!("error: {}", error.sentence()),
    }
}
