//! A policy and a binding, out of their objects.

use std::sync::Arc;

use boltseal_cel::{Environment, Program};

use crate::{
    document::{At, Node},
    leaf::Place,
    read::Object,
    validating::matching::Constraints,
};

/// Globals of an expression, in the order in which they are given.
pub(super) const GLOBALS: [&str; 5] = ["object", "oldObject", "request", "params", "namespaceObject"];
/// Expressions of one policy: an API server takes as many conditions, and bounds the rest by their cost.
const MAX_EXPRESSIONS: usize = 200;

/// A policy.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) file: Arc<str>,
    pub(super) line: u32,
    pub(super) constraints: Constraints,
    pub(super) environment: Environment,
    pub(super) conditions: Vec<(String, Program)>,
    pub(super) validations: Vec<Validation>,
    /// Whether an expression that cannot be worked out refuses.
    pub(super) fails_closed: bool,
    /// `apiVersion` and `kind` of its parameters.
    pub(super) param: Option<(String, String)>,
    /// Kyverno's say themselves what follows.
    actions: Option<Vec<Action>>,
}

/// One of `validations`.
#[derive(Debug)]
pub(super) struct Validation {
    pub(super) test: Program,
    pub(super) message: Option<String>,
    pub(super) made: Option<Program>,
}

/// What follows where a policy does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Deny,
    Warn,
    Audit,
}

/// A binding.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) policy: String,
    pub(super) actions: Vec<Action>,
    pub(super) constraints: Constraints,
    /// `paramRef`
    pub(super) param: Option<Arc<Node>>,
    /// Whether nobody bound the policy, so that every parameter that is there counts.
    pub(super) everywhere: bool,
}

type Wrong = (Place, String);

/// Whether an object is a policy or a binding, by its API.
pub(super) fn is_one(object: &Object) -> bool {
    match object.kind.as_str() {
        "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding" => {
            object.api.starts_with("admissionregistration.k8s.io/")
        }
        "ValidatingPolicy" => object.api.starts_with("policies.kyverno.io/"),
        _ => false,
    }
}

impl Policy {
    pub(super) fn read(object: &Object) -> Result<Self, Wrong> {
        let spec = object.at().get("spec");
        let mut environment = Environment::new(&GLOBALS);
        for at in expressions(&spec.get("variables"))? {
            let name = at.get("name").word().unwrap_or_default().to_owned();
            compiled(&at.get("expression"), |source| environment.define(&name, source))?;
        }
        let mut conditions = Vec::new();
        for at in expressions(&spec.get("matchConditions"))? {
            let name = at.get("name").word().unwrap_or_default().to_owned();
            conditions.push((name, compiled(&at.get("expression"), |source| environment.compile(source))?));
        }
        let mut validations = Vec::new();
        for at in expressions(&spec.get("validations"))? {
            let made = at.get("messageExpression");
            validations.push(Validation {
                test: compiled(&at.get("expression"), |source| environment.compile(source))?,
                message: at.get("message").word().map(|text| text.trim().to_owned()),
                made: if made.is_set() {
                    Some(compiled(&made, |source| environment.compile(source))?)
                } else {
                    None
                },
            });
        }
        if validations.is_empty() {
            return Err((spec.get("validations").place(), "there are none, so it says nothing".to_owned()));
        }
        let param = spec.get("paramKind");
        let word = |key: &str| param.get(key).word().unwrap_or_default().to_owned();
        let kyverno = object.kind == "ValidatingPolicy";
        Ok(Self {
            name: object.name.clone(),
            file: object.file.clone(),
            line: object.line,
            constraints: Constraints::read(&spec.get("matchConstraints")),
            environment,
            conditions,
            validations,
            fails_closed: spec.get("failurePolicy").word() != Some("Ignore"),
            param: param.is_map().then(|| (word("apiVersion"), word("kind"))),
            actions: kyverno.then(|| actions(&spec.get("validationActions"))),
        })
    }

    /// Whether it needs no binding.
    pub(super) const fn binds_itself(&self) -> bool {
        self.actions.is_some()
    }
}

impl Binding {
    pub(super) fn read(object: &Object) -> Self {
        let spec = object.at().get("spec");
        Self {
            policy: spec.get("policyName").word().unwrap_or_default().to_owned(),
            actions: actions(&spec.get("validationActions")),
            constraints: Constraints::read(&spec.get("matchResources")),
            param: spec.get("paramRef").node().map(|node| Arc::new(node.clone())),
            everywhere: false,
        }
    }

    /// What stands in for a binding where there is none.
    pub(super) fn everywhere(policy: &Policy) -> Self {
        Self {
            policy: policy.name.clone(),
            actions: policy.actions.clone().unwrap_or_else(|| vec![Action::Deny]),
            constraints: Constraints::default(),
            param: None,
            everywhere: true,
        }
    }
}

fn actions(at: &At<'_>) -> Vec<Action> {
    let action = |at: &At<'_>| match at.word() {
        Some("Warn") => Action::Warn,
        Some("Audit") => Action::Audit,
        // What is not known is taken for the strictest.
        _ => Action::Deny,
    };
    let list: Vec<Action> = at.items().iter().map(action).collect();
    if list.is_empty() { vec![Action::Deny] } else { list }
}

fn expressions<'a>(at: &At<'a>) -> Result<Vec<At<'a>>, Wrong> {
    let items = at.items();
    if items.len() > MAX_EXPRESSIONS {
        return Err((at.place(), format!("more than {MAX_EXPRESSIONS} expressions")));
    }
    Ok(items)
}

fn compiled<T>(at: &At<'_>, read: impl FnOnce(&str) -> Result<T, boltseal_cel::Error>) -> Result<T, Wrong> {
    let source = match at.node().map(|node| &node.value) {
        Some(crate::document::Value::Text(text)) => text.clone(),
        // `expression: true` is YAML for a flag.
        _ => at.text().known().cloned().unwrap_or_default(),
    };
    read(&source).map_err(|error| (at.place(), error.to_string()))
}
