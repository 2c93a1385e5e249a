//! The question that an API server would have asked about something it has stored.

use serde_json::{Value, json};

/// A review of something that is stored already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `Pod`
    pub kind: String,
    /// Where it is.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// When it was made, as the API server wrote it.
    pub created: Option<String>,
    /// The question.
    pub review: Value,
}

impl Asked {
    /// What would be asked about `object`; nothing if it does not say what it is.
    pub fn about(object: &Value) -> Option<Self> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
        let (api, kind) = (text("/apiVersion")?, text("/kind")?);
        let name = text("/metadata/name")?;
        let namespace = text("/metadata/namespace").unwrap_or_default();
        let (group, version) = api.split_once('/').unwrap_or(("", &api));
        let review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": text("/metadata/uid").unwrap_or_else(|| name.clone()),
                "operation": "CREATE",
                "kind": {"group": group, "version": version, "kind": kind},
                "namespace": namespace,
                "name": name,
                "object": object,
                "oldObject": null,
                "dryRun": true,
            },
        });
        Some(Self { kind, namespace, name, created: text("/metadata/creationTimestamp"), review })
    }
}
