//! Any text: reading it as an expression never panics, and whatever is one ends within its budget, twice at the same step.

use boltseal_cel::{Budget, Environment, Scope};
use serde_json::json;

/// Steps that are enough to reach everything.
const STEPS: u64 = 20_000;

/// Reads `text` as an expression and evaluates it.
pub fn body(text: &str) {
    let mut environment = Environment::new(&["object", "params"]);
    if let Err(error) = environment.define("names", "object.list.map(item, item.name)") {
        panic!("{error}");
    }
    let program = match environment.compile(text) {
        Ok(program) => program,
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1);
            assert!(error.to_string().lines().count() == 3, "{error}");
            return;
        }
    };
    let object = json!({
        "kind": "Pod",
        "number": 3,
        "share": 0.5,
        "long": "a".repeat(2_000),
        "list": [{"name": "a", "on": true}, {"name": "b", "limits": {"memory": "128Mi"}}],
        "map": {"a": 1, "b": [1, 2, [3]]},
    });
    let ends = || {
        let scope = Scope::new(&environment, vec![(&object).into()]);
        let mut budget = Budget::new(STEPS);
        let value = scope.evaluate(&program, &mut budget).map(|value| value.to_string());
        (value.map_err(|error| error.to_string()), budget.left())
    };
    let (value, left) = ends();
    assert_eq!((value, left), ends());
}
