//! One policy asked about one thing, as one binding wants it.

use boltseal_cel::{Budget, Program, Scope, Value};
use serde_json::{Value as Json, json};

use crate::{
    document::At,
    read::Object,
    validating::{
        Subject,
        matching::{Matches, Resource, is_of_cluster, plural, selects},
        policy::{Action, Binding, Policy},
    },
};

/// Characters of a message.
const MAX_MESSAGE: usize = 1_000;

/// What does not hold.
pub(super) struct Answer {
    pub(super) action: Action,
    pub(super) found: String,
    pub(super) sure: bool,
}

pub(super) struct Asked<'a> {
    pub(super) policy: &'a Policy,
    pub(super) binding: &'a Binding,
    pub(super) subject: &'a Subject<'a>,
    /// Everything that was read, among it namespaces and parameters.
    pub(super) known: &'a [(&'a Object, Json)],
}

/// What the globals stand for besides the object.
struct Around<'a> {
    request: &'a Json,
    /// What is known of the namespace.
    namespace: &'a Json,
    /// Whether that is all of it.
    known: bool,
    /// Whether labels of the namespace were asked for that are not known.
    unsure: bool,
}

impl Asked<'_> {
    /// Everything that does not hold.
    pub(super) fn answers(&self, budget: &mut Budget) -> Vec<Answer> {
        let subject = self.subject;
        let namespace = self.namespace();
        let of_cluster = is_of_cluster(&subject.kind);
        let text = |pointer: &str| subject.json.pointer(pointer).and_then(Json::as_str);
        let around = namespace.and_then(|name| self.object("v1", "Namespace", Some(name), None));
        let resource = Resource {
            group: &subject.group,
            kind: &subject.kind,
            name: text("/metadata/name").unwrap_or_default(),
            namespace: namespace.filter(|_| !of_cluster),
            labels: subject.json.pointer("/metadata/labels"),
            around: around.and_then(|object| object.pointer("/metadata/labels")),
        };
        let mut unsure = false;
        for constraints in [&self.policy.constraints, &self.binding.constraints] {
            match constraints.matches(&resource) {
                Matches::Yes => {}
                Matches::No => return Vec::new(),
                Matches::Unknown => unsure = true,
            }
        }
        let request = request(subject, &resource);
        let name_alone = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let known = around.is_some() || namespace.is_none();
        let nothing = Json::Null;
        let own = if namespace.is_some() { around.unwrap_or(&name_alone) } else { &nothing };
        let around = Around { request: &request, namespace: own, known, unsure };
        let params = match self.params(namespace) {
            Ok(params) => params,
            Err(found) => return self.answered(&found, false),
        };
        params.into_iter().flat_map(|params| self.asked(params, &around, budget)).collect()
    }

    /// Where the thing would be: what says nothing goes where its user works, mostly `default`.
    fn namespace(&self) -> Option<&str> {
        if is_of_cluster(&self.subject.kind) {
            return None;
        }
        let said = self.subject.json.pointer("/metadata/namespace").and_then(Json::as_str);
        said.or(Some("default"))
    }

    fn object(&self, api: &str, kind: &str, name: Option<&str>, namespace: Option<&str>) -> Option<&Json> {
        self.objects(api, kind, name, namespace).next()
    }

    fn objects(
        &self,
        api: &str,
        kind: &str,
        name: Option<&str>,
        namespace: Option<&str>,
    ) -> impl Iterator<Item = &Json> {
        let fits = move |object: &Object| {
            let own = object.namespace.known().map(String::as_str);
            object.api == api
                && object.kind == kind
                && name.is_none_or(|name| object.name == name)
                && namespace.is_none_or(|wanted| own.unwrap_or("default") == wanted || own.is_none())
        };
        self.known.iter().filter(move |(object, _)| fits(object)).map(|(_, json)| json)
    }

    /// The parameters, one after the other; `None` where there are none to be. Err: they are not in the files.
    fn params(&self, namespace: Option<&str>) -> Result<Vec<Option<&Json>>, String> {
        let Some((api, kind)) = &self.policy.param else { return Ok(vec![None]) };
        let node = self.binding.param.as_deref();
        let (Some(node), false) = (node, self.binding.everywhere) else {
            let all: Vec<Option<&Json>> = self.objects(api, kind, None, None).map(Some).collect();
            return if all.is_empty() {
                Err(format!("no {kind} for its parameters in the files"))
            } else {
                Ok(all)
            };
        };
        let at = At::top(node);
        let wanted = at.get("namespace").word().or(namespace);
        let named = at.get("name").word();
        let selector = at.get("selector");
        let all: Vec<Option<&Json>> = self
            .objects(api, kind, named, wanted)
            .filter(|object| named.is_some() || selects(&selector, object))
            .map(Some)
            .collect();
        match (all.is_empty(), at.get("parameterNotFoundAction").word()) {
            (false, _) => Ok(all),
            (true, Some("Allow")) => Ok(Vec::new()),
            (true, _) => {
                Err(format!("{kind} {} for its parameters is not in the files", named.unwrap_or("*")))
            }
        }
    }

    fn asked(&self, params: Option<&Json>, around: &Around<'_>, budget: &mut Budget) -> Vec<Answer> {
        let null = Json::Null;
        let globals: Vec<Value<'_>> = vec![
            (&*self.subject.json).into(),
            (&null).into(),
            around.request.into(),
            params.unwrap_or(&null).into(),
            around.namespace.into(),
        ];
        let scope = Scope::new(&self.policy.environment, globals);
        for (name, condition) in &self.policy.conditions {
            match told(&scope, condition, budget) {
                Ok(value) if value.truth() == Some(true) => {}
                Ok(_) if self.guesses(condition, around).is_none() => return Vec::new(),
                Ok(_) => return self.failed(&format!("condition {name}"), condition, around),
                Err(error) => {
                    return self.failed(&format!("condition {name}: {error}"), condition, around);
                }
            }
        }
        let mut out = Vec::new();
        for validation in &self.policy.validations {
            if let Some(what) = self.guesses(&validation.test, around) {
                out.extend(self.answered(&format!("it looks at {what}"), false));
                continue;
            }
            match told(&scope, &validation.test, budget) {
                Ok(value) if value.truth() == Some(true) => {}
                Ok(value) if value.truth() == Some(false) => {
                    let made = validation.made.as_ref().and_then(|made| told(&scope, made, budget).ok());
                    let made = made.and_then(|value| value.text().map(|text| text.trim().to_owned()));
                    let said = made.filter(|text| !text.is_empty()).or_else(|| validation.message.clone());
                    let said = said.unwrap_or_else(|| format!("failed: {}", validation.test.source().trim()));
                    out.extend(self.answered(&said, !around.unsure));
                }
                Ok(value) => out.extend(self.failed(
                    &format!("its expression gives {value} and not true or false"),
                    &validation.test,
                    around,
                )),
                Err(error) => out.extend(self.failed(&error, &validation.test, around)),
            }
        }
        out
    }

    /// An expression that could not be worked out: a refusal, unless the policy says otherwise.
    fn failed(&self, error: &str, program: &Program, around: &Around<'_>) -> Vec<Answer> {
        let guessed = self.guesses(program, around).map(|what| format!("{error} (it looks at {what})"));
        if !self.policy.fails_closed && guessed.is_none() {
            return Vec::new();
        }
        self.answered(guessed.as_deref().unwrap_or(error), !around.unsure && guessed.is_none())
    }

    /// What an expression looks at that no file tells.
    fn guesses(&self, program: &Program, around: &Around<'_>) -> Option<String> {
        let source = program.source();
        if program.uses("request") && source.contains("userInfo") {
            return Some("who asks, which no file tells".to_owned());
        }
        let namespace = self.namespace()?;
        if around.known || !program.uses("namespaceObject") {
            return None;
        }
        // The name is known.
        let (all, names) = ("namespaceObject", "namespaceObject.metadata.name");
        let only_name = source.contains(all) && source.matches(all).count() == source.matches(names).count();
        (!only_name).then(|| format!("the namespace {namespace}, which is not in the files"))
    }

    fn answered(&self, found: &str, sure: bool) -> Vec<Answer> {
        let plain = |sign: char| if sign.is_control() { ' ' } else { sign };
        let found: String = found.chars().take(MAX_MESSAGE).map(plain).collect();
        // `Deny` says it already; of the others each says something else.
        let worst = |wanted: Action| self.binding.actions.iter().copied().find(|action| *action == wanted);
        let action = worst(Action::Deny).or_else(|| worst(Action::Audit)).unwrap_or(Action::Warn);
        vec![Answer { action, found: found.split_whitespace().collect::<Vec<_>>().join(" "), sure }]
    }
}

fn told<'a>(scope: &Scope<'a>, program: &'a Program, budget: &mut Budget) -> Result<Value<'a>, String> {
    let mut own = Budget::new(Budget::EXPRESSION.min(budget.left()));
    let before = own.left();
    let value = scope.evaluate(program, &mut own);
    budget.take(before - own.left());
    value.map_err(|error| error.sentence())
}

/// What an API server would be asked.
fn request(subject: &Subject<'_>, resource: &Resource<'_>) -> Json {
    let kind = json!({"group": subject.group, "version": subject.version, "kind": subject.kind});
    let plural =
        json!({"group": subject.group, "version": subject.version, "resource": plural(&subject.kind)});
    json!({
        "operation": "CREATE",
        "kind": kind,
        "requestKind": kind,
        "resource": plural,
        "requestResource": plural,
        "name": resource.name,
        "namespace": resource.namespace.unwrap_or_default(),
        "dryRun": false,
    })
}
