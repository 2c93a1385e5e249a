//! Rules in CEL, where no typed rule reaches: an expression over what a report says, which has to be true.
//!
//! The globals are the parts of a report under their names in `docs/reference/report.schema.json`, and `params` of the rule.
//! An expression that cannot be worked out never lets an image pass: the rule says what went wrong and where.

use std::sync::Arc;

use boltseal_cel::{Budget, Environment, Program, Scope, Value};
use boltseal_model::Decision;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    Facts,
    exception::Hit,
    judge::{Case, Judge},
    rule::Rule,
    text::Line,
};

/// What an expression may look at, in the order in which it is given.
pub(crate) const GLOBALS: [&str; 13] = [
    "subject",
    "distro",
    "snapshot",
    "gaps",
    "packages",
    "leaks",
    "misconfigurations",
    "unowned",
    "malware",
    "signatures",
    "bases",
    "findings",
    "params",
];
/// Characters of an expression that is shown in place of a message.
const SHOWN: usize = 200;

/// `cel:` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpressionFile {
    expression: String,
    message: Option<Line>,
    #[serde(rename = "messageExpression")]
    message_expression: Option<String>,
    #[serde(default)]
    variables: Vec<VariableFile>,
    #[serde(default)]
    params: Json,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VariableFile {
    name: String,
    expression: String,
}

/// `cel:` hits an image of which the expression is not true.
#[derive(Clone, Debug)]
pub(crate) struct Expression(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    environment: Environment,
    test: Program,
    message: Option<String>,
    made: Option<Program>,
    params: Json,
}

impl ExpressionFile {
    pub(crate) fn compile(self) -> Result<Expression, String> {
        let wrong = |what: String, error: &boltseal_cel::Error| format!("cel: {what}: {error}");
        let mut environment = Environment::new(&GLOBALS);
        for variable in &self.variables {
            environment
                .define(&variable.name, &variable.expression)
                .map_err(|error| wrong(format!("variable {}", variable.name), &error))?;
        }
        let test =
            environment.compile(&self.expression).map_err(|error| wrong("expression".to_owned(), &error))?;
        let made = self.message_expression.as_ref().map(|source| environment.compile(source)).transpose();
        let made = made.map_err(|error| wrong("messageExpression".to_owned(), &error))?;
        let message = self.message.map(|line| line.0);
        Ok(Expression(Arc::new(Compiled { environment, test, message, made, params: self.params })))
    }
}

impl Expression {
    /// What it wants, in one sentence.
    pub(crate) fn wants(&self) -> String {
        let shown: Vec<&str> = self.0.test.source().split_whitespace().collect();
        let shown: String = shown.join(" ").chars().take(SHOWN).collect();
        format!("an image of which this is true: {shown}")
    }

    /// All that it says.
    pub(crate) fn whole(&self) -> String {
        let compiled = &*self.0;
        let made = compiled.made.as_ref().map_or("", Program::source);
        let variables: Vec<(&str, &str)> = compiled.environment.variables().collect();
        format!("{} {made} {:?} {variables:?} {}", compiled.test.source(), compiled.message, compiled.params)
    }

    /// Whether it looks at what is inside an image, so that what was not looked at matters.
    pub(crate) fn looks_inside(&self) -> bool {
        let inside = ["packages", "leaks", "misconfigurations", "unowned", "malware", "findings"];
        inside.iter().any(|global| self.uses(global))
    }

    /// Whether it looks at this global.
    pub(crate) fn uses(&self, global: &str) -> bool {
        self.0.test.uses(global) || self.0.made.as_ref().is_some_and(|made| made.uses(global))
    }
}

/// One reason at most.
pub(crate) fn judge<'a>(judge: &mut Judge<'a>, rule: &'a Rule, check: &Expression, facts: &Facts<'_>) {
    let compiled = &*check.0;
    let globals = globals(check, facts);
    let scope = Scope::new(&compiled.environment, globals.iter().map(Value::from).collect());
    let (decision, found) = match told(judge, &scope, &compiled.test) {
        Ok(value) => match value.truth() {
            Some(true) => return,
            Some(false) => {
                let made = compiled.made.as_ref().and_then(|made| told(judge, &scope, made).ok());
                let made = made.and_then(|value| value.text().map(ToOwned::to_owned));
                let said = made.filter(|text| !text.trim().is_empty()).or_else(|| compiled.message.clone());
                (rule.effect, said.unwrap_or_else(|| "its expression is not true".to_owned()))
            }
            None => (closed(rule.effect), format!("its expression gives {value} and not true or false")),
        },
        Err(error) => (closed(rule.effect), format!("its expression could not be worked out: {error}")),
    };
    let pardon = judge.pardon(rule, Hit::default());
    let fix = rule.why.clone().or_else(|| Some("make it so, or ask who wrote the rule".to_owned()));
    judge.add(rule, Case { decision, pardon, found, wanted: None, fix });
}

/// What cannot be worked out refuses, also where the rule only warns.
fn closed(effect: Decision) -> Decision {
    effect.max(Decision::Unknown)
}

fn told<'a>(judge: &mut Judge<'_>, scope: &Scope<'a>, program: &'a Program) -> Result<Value<'a>, String> {
    let mut own = Budget::new(Budget::EXPRESSION.min(judge.budget.left()));
    let before = own.left();
    let value = scope.evaluate(program, &mut own);
    judge.budget.take(before - own.left());
    value.map_err(|error| error.sentence())
}

/// What the expression looks at, as JSON; null stands in for the rest.
fn globals(check: &Expression, facts: &Facts<'_>) -> Vec<Json> {
    let findings = || facts.findings.iter().collect::<Vec<_>>();
    let global = |name: &&str| {
        if !check.uses(name) {
            return Json::Null;
        }
        match *name {
            "subject" => json(facts.subject),
            "distro" => json(&facts.distro),
            "snapshot" => json(&facts.snapshot),
            "gaps" => json(facts.gaps),
            "packages" => json(facts.packages),
            "leaks" => json(&facts.leaks),
            "misconfigurations" => json(facts.misconfigurations),
            "unowned" => json(facts.unowned),
            "malware" => json(facts.malware),
            "signatures" => json(&facts.signatures),
            "bases" => json(&facts.bases),
            "findings" => json(&findings()),
            _ => check.0.params.clone(),
        }
    };
    GLOBALS.iter().map(global).collect()
}

/// The published form. Facts are plain values: they cannot fail to be written, and null would refuse.
fn json<T: Serialize + ?Sized>(value: &T) -> Json {
    serde_json::to_value(value).unwrap_or_default()
}
