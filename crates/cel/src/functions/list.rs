//! Lists: what API servers add, and the extension for lists.

use std::cmp::Ordering;

use crate::{
    budget::Budget,
    compare,
    error::Stop,
    functions::{Function, global, member, number, refuse, text},
    value::Value,
};

pub(super) const FUNCTIONS: &[Function] = &[
    member("indexOf", 1, 2, |budget, values| index_of(budget, values, false)),
    member("lastIndexOf", 1, 2, |budget, values| index_of(budget, values, true)),
    member("isSorted", 0, 0, |budget, values| {
        let items = items("isSorted", budget, values)?;
        for pair in items.windows(2) {
            if let [a, b] = pair
                && less("isSorted", b, a, budget)?
            {
                return Ok(Value::Bool(false));
            }
        }
        Ok(Value::Bool(true))
    }),
    member("min", 0, 0, |budget, values| extreme("min", budget, values)),
    member("max", 0, 0, |budget, values| extreme("max", budget, values)),
    member("sum", 0, 0, sum),
    member("distinct", 0, 0, |budget, values| {
        let mut out = Vec::new();
        'items: for item in items("distinct", budget, values)? {
            for known in &out {
                if compare::equal(known, &item, budget)? {
                    continue 'items;
                }
            }
            out.push(item);
        }
        Ok(Value::list(out))
    }),
    member("reverse", 0, 0, |budget, values| match values {
        [Value::List(list)] => {
            budget.items(list.len())?;
            Ok(text::backwards(list))
        }
        [Value::Text(text)] => {
            budget.text(text.as_str().len())?;
            Ok(Value::made(text.as_str().chars().rev().collect::<String>()))
        }
        _ => Err(refuse("reverse", values)),
    }),
    member("slice", 2, 2, slice),
    member("flatten", 0, 1, flatten),
    member("first", 0, 0, |_, values| match values {
        [Value::List(list)] => Ok(list.get(0).map_or(Value::NONE, Value::some)),
        _ => Err(refuse("first", values)),
    }),
    member("last", 0, 0, |_, values| match values {
        [Value::List(list)] => {
            Ok(list.len().checked_sub(1).and_then(|at| list.get(at)).map_or(Value::NONE, Value::some))
        }
        _ => Err(refuse("last", values)),
    }),
    member("sort", 0, 0, sort),
    global("lists.range", 1, 1, range),
];

/// The elements of the first value, paid for.
fn items<'a>(name: &str, budget: &mut Budget, values: &[Value<'a>]) -> Result<Vec<Value<'a>>, Stop> {
    match values.first() {
        Some(Value::List(list)) => {
            budget.items(list.len())?;
            Ok(list.iter().collect())
        }
        _ => Err(refuse(name, values)),
    }
}

fn less(name: &str, a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Result<bool, Stop> {
    let order = match (a, b) {
        (Value::Quantity(a), Value::Quantity(b)) => Some(a.cmp(b)),
        (Value::Semver(a), Value::Semver(b)) => Some(a.cmp(b)),
        _ => compare::order(a, b, budget)?,
    };
    order.map(Ordering::is_lt).ok_or_else(|| refuse(name, &[a.clone(), b.clone()]))
}

fn index_of<'a>(budget: &mut Budget, values: &[Value<'a>], last: bool) -> Result<Value<'a>, Stop> {
    let [Value::List(all), wanted] = values else { return text::index_of(budget, values, last) };
    let mut found = None;
    for (index, item) in all.iter().enumerate() {
        if compare::equal(&item, wanted, budget)? {
            found = Some(index);
            if !last {
                break;
            }
        }
    }
    Ok(found.map_or(Value::Int(-1), number))
}

fn extreme<'a>(name: &str, budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let mut best: Option<Value<'a>> = None;
    for item in items(name, budget, values)? {
        let better = match &best {
            None => true,
            Some(best) if name == "min" => less(name, &item, best, budget)?,
            Some(best) => less(name, best, &item, budget)?,
        };
        if better {
            best = Some(item);
        }
    }
    best.ok_or_else(|| Stop::Wrong(format!("`{name}` of an empty list")))
}

fn sum<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let mut whole: i64 = 0;
    let mut double = None;
    let items = items("sum", budget, values)?;
    if let Some(Value::Duration(_)) = items.first() {
        return lengths(&items);
    }
    for item in &items {
        match item {
            Value::Int(number) => {
                whole = whole.checked_add(*number).ok_or("a number that is too large")?;
            }
            Value::Double(number) => double = Some(double.unwrap_or(0.0) + number),
            Value::Uint(number) => {
                let number = i64::try_from(*number).map_err(|_| "a number that is too large")?;
                whole = whole.checked_add(number).ok_or("a number that is too large")?;
            }
            other => return Err(refuse("sum", std::slice::from_ref(other))),
        }
    }
    Ok(match (double, items.first()) {
        (Some(double), _) => Value::Double(double),
        (None, Some(Value::Uint(_))) => Value::Uint(u64::try_from(whole).unwrap_or_default()),
        (None, _) => Value::Int(whole),
    })
}

/// Durations are added to durations alone.
fn lengths<'a>(items: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let mut whole: i64 = 0;
    for item in items {
        let Value::Duration(length) = item else { return Err(refuse("sum", std::slice::from_ref(item))) };
        whole = whole.checked_add(*length).ok_or("a duration that is too long")?;
    }
    Ok(Value::Duration(whole))
}

fn slice<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let [Value::List(list), Value::Int(start), Value::Int(end)] = values else {
        return Err(refuse("slice", values));
    };
    let within = |number: i64| usize::try_from(number).ok().filter(|number| *number <= list.len());
    match (within(*start), within(*end)) {
        (Some(start), Some(end)) if start <= end => {
            budget.items(end - start)?;
            Ok(Value::list((start..end).filter_map(|index| list.get(index)).collect()))
        }
        _ => Err(Stop::Wrong(format!("index out of bounds: {start} to {end}"))),
    }
}

/// Levels that `flatten` takes away at most.
const MAX_LEVELS: i64 = 16;

fn flatten<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let levels = match values.get(1) {
        None => 1,
        Some(Value::Int(levels)) if (0..=MAX_LEVELS).contains(levels) => *levels,
        _ => return Err(refuse("flatten", values)),
    };
    let mut current = items("flatten", budget, values)?;
    for _ in 0..levels {
        let mut next = Vec::new();
        for item in current {
            match item {
                Value::List(list) => {
                    budget.items(list.len())?;
                    next.extend(list.iter());
                }
                other => next.push(other),
            }
        }
        current = next;
    }
    Ok(Value::list(current))
}

fn sort<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let mut items = items("sort", budget, values)?;
    for pair in items.windows(2) {
        if let [a, b] = pair {
            less("sort", a, b, budget)?;
        }
    }
    // Comparing costs; a list that could not be paid for is not sorted at all.
    let mut trouble = None;
    items.sort_by(|a, b| {
        let compared = |a: &Value<'_>, b: &Value<'_>, budget: &mut Budget| less("sort", a, b, budget);
        match (compared(a, b, budget), compared(b, a, budget)) {
            (Ok(true), _) => Ordering::Less,
            (_, Ok(true)) => Ordering::Greater,
            (Ok(false), Ok(false)) => Ordering::Equal,
            (Err(stop), _) | (_, Err(stop)) => {
                trouble.get_or_insert(stop);
                Ordering::Equal
            }
        }
    });
    trouble.map_or(Ok(Value::list(items)), Err)
}

fn range<'a>(budget: &mut Budget, values: &[Value<'a>]) -> Result<Value<'a>, Stop> {
    let [Value::Int(end)] = values else { return Err(refuse("lists.range", values)) };
    budget.items(usize::try_from(*end).unwrap_or(0))?;
    Ok(Value::list((0..*end).map(Value::Int).collect()))
}
