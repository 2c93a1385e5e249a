//! What a policy or a binding is about: resources, operations, names, labels.

use serde_json::Value as Json;

use crate::document::At;

/// `matchConstraints` or `matchResources`.
#[derive(Clone, Debug, Default)]
pub(super) struct Constraints {
    rules: Vec<Rule>,
    excluded: Vec<Rule>,
    objects: Selector,
    namespaces: Selector,
}

/// One of `resourceRules`.
#[derive(Clone, Debug, Default)]
struct Rule {
    groups: Vec<String>,
    resources: Vec<String>,
    operations: Vec<String>,
    names: Vec<String>,
    scope: String,
}

/// `matchLabels` and `matchExpressions`; without any, everything.
#[derive(Clone, Debug, Default)]
struct Selector {
    labels: Vec<(String, String)>,
    expressions: Vec<(String, String, Vec<String>)>,
}

/// What is asked about.
pub(super) struct Resource<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) namespace: Option<&'a str>,
    /// The object's labels.
    pub(super) labels: Option<&'a Json>,
    /// The labels of its namespace, where that is known.
    pub(super) around: Option<&'a Json>,
}

/// Whether a policy is about something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matches {
    Yes,
    No,
    /// The namespace is not known, and the policy asks for its labels.
    Unknown,
}

impl Constraints {
    pub(super) fn read(at: &At<'_>) -> Self {
        let rules = |key: &str| at.get(key).items().iter().map(Rule::read).collect();
        Self {
            rules: rules("resourceRules"),
            excluded: rules("excludeResourceRules"),
            objects: Selector::read(&at.get("objectSelector")),
            namespaces: Selector::read(&at.get("namespaceSelector")),
        }
    }

    /// Whether it is about the creation of `resource`.
    pub(super) fn matches(&self, resource: &Resource<'_>) -> Matches {
        let any = |rules: &[Rule]| rules.iter().any(|rule| rule.covers(resource));
        if (!self.rules.is_empty() && !any(&self.rules)) || any(&self.excluded) {
            return Matches::No;
        }
        if self.objects.covers(resource.labels) == Some(false) {
            return Matches::No;
        }
        let Some(namespace) = resource.namespace else {
            return Matches::Yes;
        };
        match (self.namespaces.is_empty(), resource.around) {
            (true, _) => Matches::Yes,
            (false, around @ Some(_)) => {
                if self.namespaces.covers(around) == Some(false) {
                    Matches::No
                } else {
                    Matches::Yes
                }
            }
            // Every namespace has its name as a label.
            (false, None) => match self.namespaces.by_name(namespace) {
                Some(true) => Matches::Yes,
                Some(false) => Matches::No,
                None => Matches::Unknown,
            },
        }
    }
}

impl Rule {
    fn read(at: &At<'_>) -> Self {
        Self {
            groups: texts(&at.get("apiGroups")),
            resources: texts(&at.get("resources")),
            operations: texts(&at.get("operations")),
            names: texts(&at.get("resourceNames")),
            scope: at.get("scope").word().unwrap_or("*").to_owned(),
        }
    }

    /// Versions are not compared: an API server converts (`matchPolicy: Equivalent`).
    fn covers(&self, resource: &Resource<'_>) -> bool {
        let among = |list: &[String], wanted: &str| list.iter().any(|one| one == "*" || one == wanted);
        let plural = plural(resource.kind);
        let scope = match self.scope.as_str() {
            "Namespaced" => resource.namespace.is_some() || !is_of_cluster(resource.kind),
            "Cluster" => resource.namespace.is_none() && is_of_cluster(resource.kind),
            _ => true,
        };
        among(&self.groups, resource.group)
            && (among(&self.resources, &plural) || self.resources.iter().any(|one| one == "*/*"))
            && among(&self.operations, "CREATE")
            && (self.names.is_empty() || self.names.iter().any(|name| name == resource.name))
            && scope
    }
}

impl Selector {
    fn read(at: &At<'_>) -> Self {
        let labels = at.get("matchLabels").entries();
        let expression = |at: &At<'_>| {
            let word = |key: &str| at.get(key).word().unwrap_or_default().to_owned();
            (word("key"), word("operator"), texts(&at.get("values")))
        };
        Self {
            labels: labels
                .into_iter()
                .map(|(key, at)| (key.to_owned(), at.word().unwrap_or_default().to_owned()))
                .collect(),
            expressions: at.get("matchExpressions").items().iter().map(expression).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }

    fn covers(&self, labels: Option<&Json>) -> Option<bool> {
        let of = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Json::as_str);
        self.holds(|key| Some(of(key)))
    }

    /// The same where only the name of a namespace is known.
    fn by_name(&self, namespace: &str) -> Option<bool> {
        self.holds(|key| (key == "kubernetes.io/metadata.name").then_some(Some(namespace)))
    }

    /// `label` gives a label, if it is known whether there is one.
    fn holds<'a>(&self, label: impl Fn(&str) -> Option<Option<&'a str>>) -> Option<bool> {
        let mut unknown = false;
        let exact = self.labels.iter().map(|(key, value)| label(key).map(|found| found == Some(value)));
        let others = self.expressions.iter().map(|(key, operator, values)| {
            let found = label(key)?;
            let among = found.is_some_and(|found| values.iter().any(|value| value == found));
            Some(match operator.as_str() {
                "In" => among,
                "NotIn" => !among,
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => return None,
            })
        });
        for holds in exact.chain(others) {
            match holds {
                Some(false) => return Some(false),
                Some(true) => {}
                None => unknown = true,
            }
        }
        (!unknown).then_some(true)
    }
}

/// Whether a parameter is one that `selector` means.
pub(super) fn selects(selector: &At<'_>, object: &Json) -> bool {
    Selector::read(selector).covers(object.pointer("/metadata/labels")) != Some(false)
}

fn texts(at: &At<'_>) -> Vec<String> {
    at.items().iter().filter_map(|item| item.word().map(ToOwned::to_owned)).collect()
}

/// `deployments`: what an API server calls a kind in its paths.
pub(super) fn plural(kind: &str) -> String {
    let mut word = kind.to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| word.ends_with(end));
    if word == "endpoints" {
        return word;
    }
    if ends(&["ay", "ey", "oy", "uy"]) {
        word.push('s');
    } else if word.ends_with('y') {
        word.pop();
        word.push_str("ies");
    } else if ends(&["s", "x", "z", "ch", "sh"]) {
        word.push_str("es");
    } else {
        word.push('s');
    }
    word
}

/// Kinds that are in no namespace.
const OF_CLUSTER: [&str; 18] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "FlowSchema",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

pub(super) fn is_of_cluster(kind: &str) -> bool {
    OF_CLUSTER.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::plural;

    #[test]
    fn kinds_have_the_plural_of_their_paths() {
        for (kind, expected) in [
            ("Pod", "pods"),
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Endpoints", "endpoints"),
            ("Gateway", "gateways"),
            ("StorageClass", "storageclasses"),
        ] {
            assert_eq!(plural(kind), expected);
        }
    }
}
