//! A tree to a value. What cannot be worked out is an error with its place, which only `&&`, `||` and comprehensions over
//! them may absorb, where the other side decides alone.

use std::{cmp::Ordering, rc::Rc};

use regex::Regex;

use crate::{
    budget::Budget,
    compare,
    environment::Scope,
    error::{Halt, Stop},
    functions::{Function, time},
    tree::{Kind, Node, Operator},
    value::{List, Map, Text, Value},
};

/// One evaluation.
pub(crate) struct Run<'r, 'a> {
    pub(crate) scope: &'r Scope<'a>,
    pub(crate) budget: &'r mut Budget,
    pub(crate) locals: Vec<Value<'a>>,
}

pub(crate) type Found<'a> = Result<Value<'a>, Halt>;

impl<'a> Run<'_, 'a> {
    pub(crate) fn value(&mut self, node: &'a Node) -> Found<'a> {
        self.budget.step(1).map_err(|stop| stop.at(node.at))?;
        let at = node.at;
        Ok(match &node.kind {
            Kind::Null => Value::Null,
            Kind::Bool(truth) => Value::Bool(*truth),
            Kind::Int(number) => Value::Int(*number),
            Kind::Uint(number) => Value::Uint(*number),
            Kind::Double(number) => Value::Double(*number),
            Kind::Text(text) => Value::Text(Text::Borrowed(text)),
            Kind::Bytes(bytes) => {
                self.budget.text(bytes.len()).map_err(|stop| stop.at(at))?;
                Value::Bytes(Rc::from(&bytes[..]))
            }
            Kind::Type(name) => Value::Type(name),
            Kind::Global(index) => self.scope.globals.get(*index).cloned().unwrap_or(Value::Null),
            Kind::Variable(index) => return self.scope.variable(*index, at, self.budget),
            Kind::Local(slot) => self.locals.get(*slot).cloned().unwrap_or(Value::Null),
            Kind::List(items) => return self.list(items, at),
            Kind::Map(entries) => return self.map(entries, at),
            Kind::Select { of, field, optional } => return self.select(of, field, *optional, at),
            Kind::Has { of, field } => return self.has(of, field, at),
            Kind::Index { of, index, optional } => return self.index(of, index, *optional, at),
            Kind::Or(nodes) => return self.logic(nodes, true),
            Kind::And(nodes) => return self.logic(nodes, false),
            Kind::Not(inside) => Value::Bool(!self.truth(inside)?),
            Kind::Minus(inside) => return self.minus(inside, at),
            Kind::Choose(nodes) => {
                let [condition, then, otherwise] = &**nodes;
                return if self.truth(condition)? { self.value(then) } else { self.value(otherwise) };
            }
            Kind::Binary(operator, sides) => return self.binary(*operator, sides, at),
            Kind::Call(function, arguments) => return self.call(function, arguments, at),
            Kind::Matches(of, regex) => return self.matches(of, regex, at),
            Kind::Fold(fold) => return self.fold(fold, at),
            Kind::Bind(nodes) => {
                let [value, body] = &**nodes;
                let value = self.value(value)?;
                return self.with(value, body);
            }
            Kind::Optional { of, body, flat } => return self.optional(of, body, *flat, at),
            Kind::Else { of, other, flat } => return self.otherwise(of, other, *flat),
        })
    }

    /// Whatever a function does with a text, it looks at all of it.
    fn call(&mut self, function: &'static Function, arguments: &'a [Node], at: u32) -> Found<'a> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let value = self.value(argument)?;
            if let Value::Text(text) = &value {
                self.budget.text(text.as_str().len()).map_err(|stop| stop.at(at))?;
            }
            values.push(value);
        }
        (function.run)(self.budget, &values).map_err(|stop| stop.at(at))
    }

    fn matches(&mut self, of: &'a Node, regex: &Regex, at: u32) -> Found<'a> {
        let value = self.value(of)?;
        let Some(text) = value.text() else {
            return Err(wrong(at, format!("`matches` does not take {}", value.kind())));
        };
        self.budget.text(text.len()).map_err(|stop| stop.at(at))?;
        Ok(Value::Bool(regex.is_match(text)))
    }

    /// With one more local.
    fn with(&mut self, value: Value<'a>, body: &'a Node) -> Found<'a> {
        self.locals.push(value);
        let done = self.value(body);
        self.locals.pop();
        done
    }

    /// A condition.
    pub(crate) fn truth(&mut self, node: &'a Node) -> Result<bool, Halt> {
        let value = self.value(node)?;
        value
            .truth()
            .ok_or_else(|| wrong(node.at, format!("true or false is needed here, not {}", value.kind())))
    }

    /// `||` where `decides` is true, `&&` where it is false.
    fn logic(&mut self, nodes: &'a [Node], decides: bool) -> Found<'a> {
        let mut first = None;
        for node in nodes {
            match self.truth(node) {
                Ok(truth) if truth == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(halt @ Halt { stop: Stop::Spent, .. }) => return Err(halt),
                Err(halt) => first = first.or(Some(halt)),
            }
        }
        first.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn list(&mut self, items: &'a [(bool, Node)], at: u32) -> Found<'a> {
        let mut out = Vec::with_capacity(items.len());
        for (optional, node) in items {
            match (optional, self.value(node)?) {
                (false, value) => out.push(value),
                (true, Value::Optional(value)) => out.extend(value.map(|value| (*value).clone())),
                (true, value) => {
                    return Err(wrong(at, format!("`?` needs an optional, not {}", value.kind())));
                }
            }
        }
        Ok(Value::list(out))
    }

    fn map(&mut self, entries: &'a [(bool, Node, Node)], at: u32) -> Found<'a> {
        let mut out: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (optional, key, value) in entries {
            let key = self.value(key)?;
            if !matches!(key, Value::Text(_) | Value::Int(_) | Value::Uint(_) | Value::Bool(_)) {
                return Err(wrong(at, format!("{} cannot be a key", key.kind())));
            }
            let value = match (optional, self.value(value)?) {
                (false, value) => value,
                (true, Value::Optional(Some(value))) => (*value).clone(),
                (true, Value::Optional(None)) => continue,
                (true, value) => {
                    return Err(wrong(at, format!("`?` needs an optional, not {}", value.kind())));
                }
            };
            for (own, _) in &out {
                if compare::equal(own, &key, self.budget).map_err(|stop| stop.at(at))? {
                    return Err(wrong(at, format!("the key {key} stands twice")));
                }
            }
            out.push((key, value));
        }
        Ok(Value::Map(Map::Made(Rc::new(out))))
    }

    fn select(&mut self, of: &'a Node, field: &str, optional: bool, at: u32) -> Found<'a> {
        let value = self.value(of)?;
        let chained = matches!(value, Value::Optional(_));
        let length = match &value {
            // A map that was made is looked through.
            Value::Map(Map::Made(entries)) => entries.len(),
            _ => 0,
        };
        self.budget.items(length).map_err(|stop| stop.at(at))?;
        let found = match &value {
            Value::Map(map) => map.field(field),
            Value::Optional(None) => return Ok(Value::NONE),
            Value::Optional(Some(inside)) => match &**inside {
                Value::Map(map) => map.field(field),
                other => return Err(wrong(at, format!("{} has no field `{field}`", other.kind()))),
            },
            other => return Err(wrong(at, format!("{} has no field `{field}`", other.kind()))),
        };
        match (found, optional || chained) {
            (Some(value), true) => Ok(Value::some(value)),
            (None, true) => Ok(Value::NONE),
            (Some(value), false) => Ok(value),
            (None, false) => Err(wrong(at, format!("no such key: {field}"))),
        }
    }

    fn has(&mut self, of: &'a Node, field: &str, at: u32) -> Found<'a> {
        let value = self.value(of)?;
        let inside = match &value {
            Value::Optional(None) => return Ok(Value::Bool(false)),
            Value::Optional(Some(inside)) => &**inside,
            other => other,
        };
        match inside {
            Value::Map(map) => Ok(Value::Bool(map.field(field).is_some())),
            other => Err(wrong(at, format!("{} has no field `{field}`", other.kind()))),
        }
    }

    fn index(&mut self, of: &'a Node, index: &'a Node, optional: bool, at: u32) -> Found<'a> {
        let value = self.value(of)?;
        let key = self.value(index)?;
        let chained = matches!(value, Value::Optional(_));
        let inside = match &value {
            Value::Optional(None) => return Ok(Value::NONE),
            Value::Optional(Some(inside)) => &**inside,
            other => other,
        };
        let found = match inside {
            Value::List(list) => {
                position(&key).map_err(|stop| stop.at(at))?.and_then(|index| list.get(index))
            }
            Value::Map(map) => compare::find(map, &key, self.budget).map_err(|stop| stop.at(at))?,
            other => return Err(wrong(at, format!("{} has no elements", other.kind()))),
        };
        match (found, optional || chained) {
            (Some(value), true) => Ok(Value::some(value)),
            (None, true) => Ok(Value::NONE),
            (Some(value), false) => Ok(value),
            (None, false) if matches!(inside, Value::List(_)) => {
                Err(wrong(at, format!("index out of bounds: {key}")))
            }
            (None, false) => Err(wrong(at, format!("no such key: {key}"))),
        }
    }

    fn minus(&mut self, inside: &'a Node, at: u32) -> Found<'a> {
        match self.value(inside)? {
            Value::Int(number) => number.checked_neg().map(Value::Int).ok_or_else(|| wrong(at, TOO_LARGE)),
            Value::Double(number) => Ok(Value::Double(-number)),
            other => Err(wrong(at, format!("`-` does not take {}", other.kind()))),
        }
    }

    fn optional(&mut self, of: &'a Node, body: &'a Node, flat: bool, at: u32) -> Found<'a> {
        let value = match self.value(of)? {
            Value::Optional(None) => return Ok(Value::NONE),
            Value::Optional(Some(value)) => (*value).clone(),
            other => return Err(wrong(at, format!("an optional is needed here, not {}", other.kind()))),
        };
        let made = self.with(value, body)?;
        match (flat, made) {
            (false, made) => Ok(Value::some(made)),
            (true, made @ Value::Optional(_)) => Ok(made),
            (true, other) => Err(wrong(at, format!("an optional is needed here, not {}", other.kind()))),
        }
    }

    /// What is no optional stands for itself, as in the reference implementation.
    fn otherwise(&mut self, of: &'a Node, other: &'a Node, flat: bool) -> Found<'a> {
        match (self.value(of)?, flat) {
            (Value::Optional(None), _) => self.value(other),
            (Value::Optional(Some(value)), false) => Ok((*value).clone()),
            (value, _) => Ok(value),
        }
    }

    fn binary(&mut self, operator: Operator, sides: &'a [Node; 2], at: u32) -> Found<'a> {
        let [left, right] = sides;
        let a = self.value(left)?;
        // A list that stands there is not made to look for something in it.
        if let (Operator::In, Kind::List(items)) = (operator, &right.kind)
            && items.iter().all(|(optional, _)| !optional)
        {
            for (_, item) in items {
                let item = self.value(item)?;
                if compare::equal(&a, &item, self.budget).map_err(|stop| stop.at(at))? {
                    return Ok(Value::Bool(true));
                }
            }
            return Ok(Value::Bool(false));
        }
        let b = self.value(right)?;
        operate(operator, &a, &b, self.budget).map_err(|stop| stop.at(at))
    }
}

pub(crate) const TOO_LARGE: &str = "a number that is too large";

pub(crate) fn wrong(at: u32, problem: impl Into<String>) -> Halt {
    Stop::Wrong(problem.into()).at(at)
}

/// A whole number as a position; `None` where no list is as long or it is negative.
fn position(key: &Value<'_>) -> Result<Option<usize>, Stop> {
    match key {
        Value::Int(number) => Ok(usize::try_from(*number).ok()),
        Value::Uint(number) => Ok(usize::try_from(*number).ok()),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number, and far beyond any list it saturates"
        )]
        Value::Double(number) if number.fract() == 0.0 => Ok(usize::try_from(*number as i64).ok()),
        other => Err(Stop::Wrong(format!("a list has no element {}", other.kind()))),
    }
}

fn operate<'a>(
    operator: Operator,
    a: &Value<'a>,
    b: &Value<'a>,
    budget: &mut Budget,
) -> Result<Value<'a>, Stop> {
    let mut ordered = |fits: fn(Ordering) -> bool| -> Result<Value<'a>, Stop> {
        match compare::order(a, b, budget)? {
            Some(order) => Ok(Value::Bool(fits(order))),
            None if matches!((a, b), (Value::Double(_), Value::Double(_))) => Ok(Value::Bool(false)),
            None => Err(mismatch(operator, a, b)),
        }
    };
    match operator {
        Operator::Equal => Ok(Value::Bool(compare::equal(a, b, budget)?)),
        Operator::Unequal => Ok(Value::Bool(!compare::equal(a, b, budget)?)),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::LessOrEqual => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(Ordering::is_ge),
        Operator::In => contains(a, b, budget),
        Operator::Add => add(a, b, budget),
        _ => calculate(operator, a, b),
    }
}

fn mismatch(operator: Operator, a: &Value<'_>, b: &Value<'_>) -> Stop {
    Stop::Wrong(format!("`{}` does not take {} and {}", operator.sign(), a.kind(), b.kind()))
}

fn contains<'a>(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Result<Value<'a>, Stop> {
    match b {
        Value::Map(map) => Ok(Value::Bool(compare::find(map, a, budget)?.is_some())),
        Value::List(list) => {
            for item in list.iter() {
                if compare::equal(a, &item, budget)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        _ => Err(mismatch(Operator::In, a, b)),
    }
}

fn add<'a>(a: &Value<'a>, b: &Value<'a>, budget: &mut Budget) -> Result<Value<'a>, Stop> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            budget.text(a.len() + b.len())?;
            Ok(Value::made([a, b].concat()))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.text(a.len() + b.len())?;
            Ok(Value::Bytes([&a[..], &b[..]].concat().into()))
        }
        (Value::List(a), Value::List(b)) => {
            budget.items(a.len() + b.len())?;
            Ok(Value::List(match (a.len(), b.len()) {
                (0, _) => b.clone(),
                (_, 0) => a.clone(),
                _ => List::Made(Rc::new(a.iter().chain(b.iter()).collect())),
            }))
        }
        _ => calculate(Operator::Add, a, b),
    }
}

fn calculate<'a>(operator: Operator, a: &Value<'_>, b: &Value<'_>) -> Result<Value<'a>, Stop> {
    if let Some(found) = time::calculate(operator, a, b) {
        return found;
    }
    let zero = || Stop::Wrong("division by zero".to_owned());
    let value = match (a, b) {
        (Value::Int(a), Value::Int(b)) => {
            let (a, b) = (*a, *b);
            match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                Operator::Divide | Operator::Rest if b == 0 => return Err(zero()),
                Operator::Divide => a.checked_div(b),
                _ => a.checked_rem(b),
            }
            .map(Value::Int)
        }
        (Value::Uint(a), Value::Uint(b)) => {
            let (a, b) = (*a, *b);
            match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                Operator::Divide | Operator::Rest if b == 0 => return Err(zero()),
                Operator::Divide => a.checked_div(b),
                _ => a.checked_rem(b),
            }
            .map(Value::Uint)
        }
        (Value::Double(a), Value::Double(b)) => match operator {
            Operator::Add => Some(Value::Double(a + b)),
            Operator::Subtract => Some(Value::Double(a - b)),
            Operator::Multiply => Some(Value::Double(a * b)),
            Operator::Divide => Some(Value::Double(a / b)),
            _ => return Err(mismatch(operator, &Value::Double(*a), &Value::Double(*b))),
        },
        _ => return Err(mismatch(operator, a, b)),
    };
    value.ok_or_else(|| TOO_LARGE.into())
}
