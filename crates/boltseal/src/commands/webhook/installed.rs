//! What a cluster has of our configurations.

use boltseal_wire::client::Method;
use serde_json::{Value, json};

use super::configuration::{MADE_BY, NAME};
use crate::{cluster::Cluster, exit::Failure};

/// Where configurations are.
const API: &str = "/apis/admissionregistration.k8s.io/v1";
/// Since when, by whom and why a configuration is switched off.
pub const OFF: [&str; 3] = ["boltseal.io/off-since", "boltseal.io/off-by", "boltseal.io/off-reason"];
/// Set where a switch is not in the server's log yet.
pub const UNRECORDED: &str = "boltseal.io/off-unrecorded";

/// The two kinds of configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Validating,
    Mutating,
}

/// A configuration of a cluster that is ours.
#[derive(Clone, Debug)]
pub struct Installed {
    pub kind: Kind,
    pub object: Value,
}

impl Kind {
    /// The one that decides last: it is the first to be switched off.
    pub const ALL: [Self; 2] = [Self::Validating, Self::Mutating];

    /// As Kubernetes calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Validating => "ValidatingWebhookConfiguration",
            Self::Mutating => "MutatingWebhookConfiguration",
        }
    }

    /// Of all of them.
    pub const fn collection(self) -> &'static str {
        match self {
            Self::Validating => "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
            Self::Mutating => "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
        }
    }

    fn path(self) -> String {
        format!("{}/{NAME}", self.collection())
    }
}

/// Ours, if there is one. Somebody else's of the same name is not touched.
pub fn find(cluster: &Cluster, kind: Kind) -> Result<Option<Installed>, Failure> {
    debug_assert!(kind.collection().starts_with(API));
    let Some(object) = cluster.get(&kind.path())? else { return Ok(None) };
    let label = object.pointer("/metadata/labels").and_then(|labels| labels.get(MADE_BY.0));
    if label.and_then(Value::as_str) != Some(MADE_BY.1) {
        return Err(Failure::usage(format_args!(
            "{} has a {} `{NAME}` that is not of this program: it lacks the label {}={}",
            cluster.name,
            kind.word(),
            MADE_BY.0,
            MADE_BY.1
        ))
        .next(format!("look at it: kubectl get {} {NAME} -o yaml", kind.word().to_lowercase())));
    }
    Ok(Some(Installed { kind, object }))
}

/// Makes the cluster have this configuration.
pub fn put(
    cluster: &Cluster,
    kind: Kind,
    mut wanted: Value,
    before: Option<&Installed>,
) -> Result<(), Failure> {
    match before {
        None => cluster.write(Method::Post, kind.collection(), &wanted)?,
        Some(before) => {
            // What changed in between is not written over: the API server says so.
            let version = before.object.pointer("/metadata/resourceVersion").cloned().unwrap_or(Value::Null);
            if let Some(metadata) = wanted.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("resourceVersion".to_owned(), version);
            }
            cluster.write(Method::Put, &kind.path(), &wanted)?
        }
    };
    Ok(())
}

/// Takes it away.
pub fn remove(cluster: &Cluster, kind: Kind) -> Result<(), Failure> {
    cluster.delete(&kind.path())
}

impl Installed {
    /// Since when, by whom and why it is off; nothing while it is on.
    pub fn off(&self) -> Option<[String; 3]> {
        let is_off = self.webhook().is_none();
        is_off.then(|| OFF.map(|name| self.annotation(name).unwrap_or_else(|| "-".to_owned())))
    }

    /// The only webhook of it.
    pub fn webhook(&self) -> Option<&Value> {
        self.object.get("webhooks").and_then(Value::as_array).and_then(|all| all.first())
    }

    /// Whether that it was switched off is not in the server's log.
    pub fn is_unrecorded(&self) -> bool {
        self.annotation(UNRECORDED).is_some()
    }

    fn annotation(&self, name: &str) -> Option<String> {
        let all = self.object.pointer("/metadata/annotations")?;
        all.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// The same, asking nobody, and saying why.
    pub fn switched_off(&self, since_by_reason: [&str; 3], unrecorded: bool) -> Value {
        let mut annotations: serde_json::Map<String, Value> =
            OFF.iter().zip(since_by_reason).map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
        if unrecorded {
            annotations.insert(UNRECORDED.to_owned(), json!("true"));
        }
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": self.kind.word(),
            "metadata": {"name": NAME, "labels": {MADE_BY.0: MADE_BY.1}, "annotations": annotations},
            "webhooks": [],
        })
    }
}
