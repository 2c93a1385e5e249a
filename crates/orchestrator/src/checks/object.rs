//! What stands beside workloads in a cluster: roles, services, namespaces.

use boltseal_model::Severity;

use super::{Check, Look};
use crate::{document::At, hit::Hits, read::Object};

const ROLE: Check = Check {
    id: "",
    severity: Severity::Medium,
    title: "",
    why: "",
    fix: "name the verbs, resources and names that are needed, in a Role of one namespace",
    sources: &["NSA authorisation"],
    standard: None,
    only: &["kubernetes"],
    look: Look::Object(|_, _| ()),
};

pub(super) const DEFAULT_NAMESPACE: Check = Check {
    id: "default-namespace",
    severity: Severity::Low,
    title: "in the namespace `default`",
    why: "Rules, quotas and rights hold for namespaces; what shares one shares them all.",
    fix: "set `metadata.namespace`",
    sources: &["CIS Kubernetes 5.7.4"],
    look: Look::Object(default_namespace),
    ..ROLE
};

/// Kinds that belong to the whole cluster have no namespace.
const OF_THE_CLUSTER: [&str; 17] = [
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "RuntimeClass",
    "SecurityContextConstraints",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

fn default_namespace(object: &Object, hits: &mut Hits) {
    // The cluster itself keeps these there.
    if OF_THE_CLUSTER.contains(&object.kind.as_str()) || object.kind.ends_with("Review") {
        return;
    }
    if matches!(
        (object.kind.as_str(), object.name.as_str()),
        ("Service", "kubernetes") | ("ServiceAccount", "default")
    ) {
        return;
    }
    // Silence means the namespace of whoever applies it, which nobody can tell from the file.
    hits.forbid(&object.namespace, "it", |namespace| {
        (namespace == "default").then(|| "is in the namespace default".to_owned())
    });
}

pub(super) const EXPOSED: Check = Check {
    id: "exposed-service",
    title: "service outside the cluster",
    severity: Severity::Low,
    why: "It is reachable on every node, or from the internet, past ingress rules and TLS.",
    fix: "use `type: ClusterIP` behind an Ingress or a Gateway",
    sources: &["NSA network"],
    look: Look::Object(exposed),
    ..ROLE
};

fn exposed(object: &Object, hits: &mut Hits) {
    if object.kind != "Service" {
        return;
    }
    let spec = object.at().get("spec");
    hits.forbid(&spec.get("type").text(), "it", |kind| {
        matches!(kind.as_str(), "NodePort" | "LoadBalancer").then(|| format!("is a {kind}"))
    });
    let addresses = spec.get("externalIPs");
    if !addresses.items().is_empty() {
        hits.say(&addresses.place(), "it takes over addresses outside the cluster (externalIPs)");
    }
}

pub(super) const INGRESS: Check = Check {
    id: "ingress-without-tls",
    title: "entry without TLS",
    why: "Everybody on the way reads passwords and cookies.",
    fix: "set `spec.tls` with a secret that holds a certificate",
    sources: &["NSA network"],
    look: Look::Object(|object, hits| {
        let tls = object.at().down(&["spec", "tls"]);
        if object.kind == "Ingress" && tls.items().is_empty() {
            hits.say(&tls.place(), "it has no `spec.tls`");
        }
    }),
    ..ROLE
};

pub(super) const WILDCARD: Check = Check {
    id: "wildcard-role",
    severity: Severity::High,
    title: "role with a wildcard",
    why: "A wildcard grants what exists now and whatever is added later.",
    sources: &["CIS Kubernetes 5.1.3", "NSA authorisation"],
    look: Look::Object(|object, hits| {
        for rule in rules(object) {
            for key in ["apiGroups", "resources", "verbs"] {
                for item in rule.get(key).items() {
                    if item.word() == Some("*") {
                        hits.say(&item.place(), format!("it grants all {key}"));
                    }
                }
            }
        }
    }),
    ..ROLE
};

pub(super) const SECRETS: Check = Check {
    id: "role-reads-secrets",
    title: "role that reads secrets",
    why: "Whoever reads all secrets of a namespace is everybody whose credentials are in it.",
    fix: "name the secrets with `resourceNames`, or mount them instead",
    sources: &["CIS Kubernetes 5.1.2"],
    look: Look::Object(|object, hits| {
        granted(object, hits, &["get", "list", "watch"], &["secrets"], "lets read secrets");
    }),
    ..ROLE
};

pub(super) const PODS: Check = Check {
    id: "role-creates-pods",
    title: "role that makes pods",
    why: "Whoever makes pods can mount every secret and use every service account of the namespace.",
    sources: &["CIS Kubernetes 5.1.4"],
    look: Look::Object(|object, hits| {
        granted(object, hits, &["create"], &["pods"], "lets make pods");
    }),
    ..ROLE
};

pub(super) const EXEC: Check = Check {
    id: "role-enters-pods",
    title: "role that enters pods",
    why: "Whoever may run commands in a pod has what the pod has.",
    sources: &["NSA authorisation"],
    look: Look::Object(|object, hits| {
        let inside =
            ["pods/attach", "pods/ephemeralcontainers", "pods/exec", "pods/portforward", "nodes/proxy"];
        granted(object, hits, &["create", "get", "patch", "update"], &inside, "lets enter pods");
    }),
    ..ROLE
};

pub(super) const ESCALATE: Check = Check {
    id: "role-escalates",
    severity: Severity::High,
    title: "role that grants more than it has",
    why: "With `escalate` or `bind` one gives oneself any right there is.",
    sources: &["CIS Kubernetes 5.1.8"],
    look: Look::Object(|object, hits| {
        let roles = ["roles", "clusterroles", "rolebindings", "clusterrolebindings"];
        granted(object, hits, &["bind", "escalate"], &roles, "lets grant rights one does not have");
        granted(
            object,
            hits,
            &["approve", "update", "patch"],
            &["certificatesigningrequests/approval", "signers"],
            "lets approve certificates",
        );
        granted(
            object,
            hits,
            &["create"],
            &["serviceaccounts/token"],
            "lets make tokens of service accounts",
        );
        granted(
            object,
            hits,
            &["create", "delete", "patch", "update"],
            &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            "lets change admission",
        );
    }),
    ..ROLE
};

pub(super) const IMPERSONATE: Check = Check {
    id: "role-impersonates",
    severity: Severity::High,
    title: "role that acts as others",
    why: "What is done as somebody else is allowed and logged as theirs.",
    sources: &["CIS Kubernetes 5.1.8"],
    look: Look::Object(|object, hits| {
        let others = ["users", "groups", "serviceaccounts"];
        granted(object, hits, &["impersonate"], &others, "lets act as others");
    }),
    ..ROLE
};

pub(super) const ADMIN: Check = Check {
    id: "cluster-admin",
    severity: Severity::High,
    title: "somebody who may do everything",
    why: "Whoever has this role owns the cluster and every node.",
    fix: "bind a role with the rights that are needed",
    sources: &["CIS Kubernetes 5.1.1"],
    look: Look::Object(|object, hits| {
        let name = object.at().down(&["roleRef", "name"]);
        if object.kind.ends_with("RoleBinding") && name.word() == Some("cluster-admin") {
            hits.say(&name.place(), format!("it makes {} the owner of the cluster", subjects(object)));
        }
    }),
    ..ROLE
};

pub(super) const ANONYMOUS: Check = Check {
    id: "anonymous-access",
    severity: Severity::High,
    title: "rights for everybody",
    why: "Whoever reaches the API server has these rights, without any proof of who they are.",
    fix: "bind the role to users, groups or service accounts that exist",
    sources: &["CIS Kubernetes 1.2.1"],
    look: Look::Object(|object, hits| {
        if !object.kind.ends_with("RoleBinding") {
            return;
        }
        for subject in object.at().get("subjects").items() {
            let name = subject.get("name");
            if matches!(name.word(), Some("system:anonymous" | "system:unauthenticated")) {
                hits.say(&name.place(), "it grants rights to people who did not sign in");
            }
        }
    }),
    ..ROLE
};

fn subjects(object: &Object) -> String {
    let names: Vec<String> = object
        .at()
        .get("subjects")
        .items()
        .iter()
        .map(|one| {
            let text = |key: &str| one.get(key).word().unwrap_or("?").to_owned();
            format!("{} {}", text("kind"), text("name"))
        })
        .collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

fn rules(object: &Object) -> Vec<At<'_>> {
    let of = matches!(object.kind.as_str(), "Role" | "ClusterRole");
    if of { object.at().get("rules").items() } else { Vec::new() }
}

/// Rules that grant one of `verbs` on one of `resources`, by name or by wildcard, without naming which ones.
fn granted(object: &Object, hits: &mut Hits, verbs: &[&str], resources: &[&str], found: &str) {
    for rule in rules(object) {
        let has = |key: &str, wanted: &[&str]| {
            rule.get(key)
                .items()
                .iter()
                .any(|one| one.word().is_some_and(|word| word == "*" || wanted.contains(&word)))
        };
        let named = !rule.get("resourceNames").items().is_empty();
        if has("verbs", verbs) && has("resources", resources) && !named {
            hits.say(&rule.place(), format!("it {found}"));
        }
    }
}
