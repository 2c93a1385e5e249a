//! What is different between the plan of a group that runs and another one of it.
//!
//! ```text
//! containers[web].limits.memory     runs 134217728, planned 268435456
//! network.ports[8080]               not there, planned {"number":8080,…}
//! ```
//!
//! Both are compared as they are written for programs, so nothing of a plan can be forgotten here. What is in a list is found
//! again by its name, however the list is ordered; lists of words are compared as they are. On which line of a file something
//! stands is no part of it. A plan has the names of variables and of secrets, not their values, so another value is no change.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What things in lists are called, the first that they all have.
const NAMES: [&str; 5] = ["name", "target", "number", "what", "path"];
/// Of a file, not of what it says.
const PLACE: &str = "line";

/// All that is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The group.
    pub group: String,
    /// One by one.
    pub changes: Vec<Change>,
}

/// Something that is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where in the plan: `containers[web].limits.memory`.
    pub path: String,
    /// What there is; absent where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Value>,
    /// What there would be; absent where there would be nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<Value>,
}

impl Changes {
    /// Compares two plans as they are written for programs.
    pub fn between(group: &str, runs: &Value, planned: &Value) -> Self {
        let mut found = Vec::new();
        compare("", Some(runs), Some(planned), &mut found);
        Self { group: group.to_owned(), changes: found }
    }
}

fn compare(path: &str, runs: Option<&Value>, planned: Option<&Value>, found: &mut Vec<Change>) {
    let both = match (runs, planned) {
        (Some(Value::Object(runs)), Some(Value::Object(planned))) => {
            let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let of = |all: &serde_json::Map<String, Value>| -> BTreeMap<String, Value> {
                all.iter()
                    .filter(|(name, _)| *name != PLACE)
                    .map(|(name, one)| (below(name), one.clone()))
                    .collect()
            };
            Some((of(runs), of(planned)))
        }
        (Some(Value::Array(runs)), Some(Value::Array(planned))) => {
            NAMES.iter().find_map(|name| Some((named(path, name, runs)?, named(path, name, planned)?)))
        }
        _ => None,
    };
    let Some((runs_below, planned_below)) = both else {
        let (runs, planned) = (runs.map(placeless), planned.map(placeless));
        if runs != planned {
            found.push(Change { path: path.to_owned(), runs, planned });
        }
        return;
    };
    let mut paths: Vec<&String> = runs_below.keys().chain(planned_below.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        compare(path, runs_below.get(path), planned_below.get(path), found);
    }
}

/// Things of a list by what they are called, if each of them is called differently.
fn named(path: &str, name: &str, list: &[Value]) -> Option<BTreeMap<String, Value>> {
    let mut all = BTreeMap::new();
    for one in list {
        let called = match one.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        if all.insert(format!("{path}[{called}]"), one.clone()).is_some() {
            return None;
        }
    }
    Some(all)
}

fn placeless(value: &Value) -> Value {
    match value {
        Value::Object(all) => all
            .iter()
            .filter(|(name, _)| *name != PLACE)
            .map(|(name, one)| (name.clone(), placeless(one)))
            .collect(),
        Value::Array(all) => all.iter().map(placeless).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_different() {
        let runs = json!({
            "name": "shop",
            "containers": [
                {"name": "web", "limits": {"memory": 1, "cpu": 500}, "command": ["a", "b"], "digest": null},
                {"name": "log", "openings": [{"what": "CAP_KILL", "path": "x", "line": 3}]},
            ],
            "mounts": [{"target": "/a", "options": ["ro"]}, {"target": "/b", "options": []}],
            "egress": [{"to": "a"}, {"to": "b"}],
        });
        assert_eq!(Changes::between("shop", &runs, &runs).changes, []);
        let planned = json!({
            "name": "shop",
            "containers": [
                {"name": "log", "openings": [{"what": "CAP_KILL", "path": "x", "line": 4}]},
                {"name": "web", "limits": {"memory": 2, "cpu": 500}, "command": ["b", "a"], "digest": null, "input": true},
                {"name": "new", "line": 7, "deep": [{"line": 1, "it": 2}]},
            ],
            "mounts": [{"target": "/b", "options": []}],
            "egress": [{"to": "a"}],
        });
        let change = |path: &str, runs: Option<Value>, planned: Option<Value>| Change {
            path: path.to_owned(),
            runs,
            planned,
        };
        let expected = [
            change("containers[new]", None, Some(json!({"name": "new", "deep": [{"it": 2}]}))),
            change("containers[web].command", Some(json!(["a", "b"])), Some(json!(["b", "a"]))),
            change("containers[web].input", None, Some(json!(true))),
            change("containers[web].limits.memory", Some(json!(1)), Some(json!(2))),
            change("egress", Some(json!([{"to": "a"}, {"to": "b"}])), Some(json!([{"to": "a"}]))),
            change("mounts[/a]", Some(json!({"target": "/a", "options": ["ro"]})), None),
        ];
        assert_eq!(Changes::between("shop", &runs, &planned).changes, expected);
    }
}
