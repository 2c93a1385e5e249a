//! Azure's templates: parameters, variables and expressions worked out as far as a file tells.
//!
//! What depends on Azure (`reference`, `listKeys`, `resourceGroup`), on who deploys (parameters without a default) or on a
//! loop is [`Value::Unknown`] with the reason, never left out. A default may be overridden when somebody deploys: it is what
//! happens when nobody says otherwise.
//!
//! Limits: what all expressions of a template come to together ([`MAX_PRODUCED`]); variables that name each other in
//! a circle are unknown; the length and depth of an expression.

mod expression;
mod functions;

use std::{cell::RefCell, collections::HashMap};

use crate::document::{At, Entry, Node, Value};
use expression::{Expression, Written, parse, written};

/// Bytes that all expressions of a template come to together: eight times what Azure accepts as a template.
const MAX_PRODUCED: usize = 32 << 20;
/// Variables of variables.
const MAX_CHAIN: usize = 16;

/// A template whose expressions can be worked out.
#[derive(Debug)]
pub(crate) struct Template<'a> {
    parameters: HashMap<String, &'a Node>,
    variables: HashMap<String, &'a Node>,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    done: HashMap<String, Value>,
    open: Vec<String>,
    produced: usize,
}

/// What an expression comes to, or why nobody can tell.
type Answer = Result<Value, String>;

impl<'a> Template<'a> {
    /// The template that `top` is.
    pub(crate) fn new(top: &At<'a>) -> Self {
        let table = |key: &str| -> HashMap<String, &'a Node> {
            let entries = top.get(key).entries().into_iter();
            entries.filter_map(|(name, at)| Some((name.to_ascii_lowercase(), at.node()?))).collect()
        };
        Self { parameters: table("parameters"), variables: table("variables"), state: RefCell::default() }
    }

    /// `node` with every expression in it worked out.
    pub(crate) fn resolved(&self, node: &Node) -> Node {
        let value = match &node.value {
            Value::Text(text) => self.text(text),
            Value::List(items) => Value::List(items.iter().map(|item| self.resolved(item)).collect()),
            Value::Map(entries) => Value::Map(self.entries(entries)),
            other => other.clone(),
        };
        Node::new(node.line, value)
    }

    /// A loop makes the list that it names. How many there are is not worked out: one stands for all of them, and what is
    /// different in each is unknown.
    fn entries(&self, entries: &[Entry]) -> Vec<Entry> {
        let mut out = Vec::with_capacity(entries.len());
        for entry in entries {
            if entry.key.eq_ignore_ascii_case("copy") && matches!(entry.node.value, Value::List(_)) {
                for made in At::top(&entry.node).folding().items() {
                    if let Some(name) = made.get("name").word() {
                        let one = made.get("input").node().map(|input| self.resolved(input));
                        let all = one.map_or_else(
                            || Value::Unknown("made by a loop of the template".to_owned()),
                            |one| Value::List(vec![one]),
                        );
                        out.push(Entry { key: name.to_owned(), node: Node::new(made.place().line, all) });
                    }
                }
            } else {
                out.push(Entry { key: entry.key.clone(), node: self.resolved(&entry.node) });
            }
        }
        out
    }

    fn text(&self, text: &str) -> Value {
        match written(text) {
            Written::Plain(text) => Value::Text(text.to_owned()),
            Written::Expression(inner) => {
                parse(inner).and_then(|expression| self.value(&expression)).unwrap_or_else(Value::Unknown)
            }
        }
    }

    fn value(&self, expression: &Expression) -> Answer {
        let value = match expression {
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Number(number) => Value::Number(number.clone()),
            Expression::Property(of, name) => property(self.value(of)?, name)?,
            Expression::Index(of, index) => match self.value(index)? {
                Value::Text(name) => property(self.value(of)?, &name)?,
                Value::Number(number) => element(self.value(of)?, &number)?,
                _ => return Err("an index that is neither text nor number".to_owned()),
            },
            Expression::Call(name, arguments) => self.call(name, arguments)?,
        };
        self.spend(&value)?;
        match value {
            Value::Unknown(why) => Err(why),
            value => Ok(value),
        }
    }

    /// Text that is joined with itself again and again would grow without end.
    fn spend(&self, value: &Value) -> Result<(), String> {
        let mut state = self.state.borrow_mut();
        state.produced = state.produced.saturating_add(weight(value));
        if state.produced > MAX_PRODUCED {
            return Err(format!("the expressions of the template come to more than {MAX_PRODUCED} bytes"));
        }
        Ok(())
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Answer {
        match (name, arguments) {
            ("parameters", [Expression::Text(name)]) => self.named("parameter", name),
            ("variables", [Expression::Text(name)]) => self.named("variable", name),
            // Only one side of a choice needs to be known.
            ("if", [condition, yes, no]) => match self.value(condition)? {
                Value::Flag(true) => self.value(yes),
                Value::Flag(false) => self.value(no),
                _ => Err("a condition that is no flag".to_owned()),
            },
            ("coalesce", _) => {
                for argument in arguments {
                    match self.value(argument)? {
                        Value::Null => {}
                        value => return Ok(value),
                    }
                }
                Ok(Value::Null)
            }
            _ => {
                let values: Result<Vec<Value>, String> =
                    arguments.iter().map(|argument| self.value(argument)).collect();
                functions::call(name, &values?)
            }
        }
    }

    fn named(&self, kind: &str, name: &str) -> Answer {
        let key = format!("{kind} {}", name.to_ascii_lowercase());
        if let Some(done) = self.state.borrow().done.get(&key) {
            return Ok(done.clone());
        }
        {
            let mut state = self.state.borrow_mut();
            if state.open.contains(&key) {
                return Err(format!("{kind} `{name}` stands for itself"));
            }
            if state.open.len() >= MAX_CHAIN {
                return Err(format!("{kind} `{name}` is reached by more than {MAX_CHAIN} others"));
            }
            state.open.push(key.clone());
        }
        let value = match kind {
            "parameter" => self.parameter(name),
            _ => self.variables.get(&name.to_ascii_lowercase()).map_or_else(
                || Value::Unknown(format!("variable `{name}` is not defined")),
                |node| self.resolved(node).value,
            ),
        };
        let mut state = self.state.borrow_mut();
        state.open.pop();
        state.done.insert(key, value.clone());
        Ok(value)
    }

    fn parameter(&self, name: &str) -> Value {
        let Some(node) = self.parameters.get(&name.to_ascii_lowercase()) else {
            return Value::Unknown(format!("parameter `{name}` is not defined"));
        };
        let at = At::top(node);
        // A template within a template is given values; a template by itself has defaults.
        let given = at.get("value");
        match given.node().or_else(|| at.get("defaultValue").node()) {
            Some(node) => self.resolved(node).value,
            None => Value::Unknown(format!("parameter `{name}` has no default")),
        }
    }
}

fn property(of: Value, name: &str) -> Answer {
    match of {
        Value::Map(entries) => entries
            .into_iter()
            .find(|entry| entry.key.eq_ignore_ascii_case(name))
            .map(|entry| entry.node.value)
            .ok_or_else(|| format!("no property `{name}`")),
        _ => Err(format!("no object that could have a property `{name}`")),
    }
}

fn element(of: Value, index: &str) -> Answer {
    match (of, index.parse::<usize>()) {
        (Value::List(items), Ok(index)) => {
            items.into_iter().nth(index).map(|item| item.value).ok_or_else(|| format!("no element {index}"))
        }
        _ => Err(format!("no list that could have an element {index}")),
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Number(text) | Value::Unknown(text) => text.len() + 8,
        Value::List(items) => items.iter().map(|item| weight(&item.value)).sum::<usize>() + 8,
        Value::Map(entries) => {
            entries.iter().map(|entry| entry.key.len() + weight(&entry.node.value)).sum::<usize>() + 8
        }
        Value::Null | Value::Flag(_) => 8,
    }
}
