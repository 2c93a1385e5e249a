//! What an expression may cost: counted, so that the same work ends at the same step everywhere.

use boltseal_cel::{Budget, Environment, Scope};
use serde_json::{Value, json};

fn cost(source: &str, object: &Value) -> Result<u64, String> {
    let environment = Environment::new(&["object"]);
    let program = environment.compile(source).map_err(|error| error.sentence())?;
    let scope = Scope::new(&environment, vec![object.into()]);
    let mut budget = Budget::default();
    match scope.evaluate(&program, &mut budget) {
        Ok(_) => Ok(Budget::EXPRESSION - budget.left()),
        Err(error) if error.spent => Err("spent".to_owned()),
        Err(error) => Err(error.sentence()),
    }
}

#[test]
fn work_that_multiplies_ends() {
    let list = json!({"l": (0..200).collect::<Vec<_>>(), "t": "a".repeat(100_000), "big": vec!["a".repeat(1_000); 1_000]});
    for source in [
        // 200 to the fourth.
        "object.l.all(a, object.l.all(b, object.l.all(c, object.l.all(d, d >= 0))))",
        // Long texts, looked at and made.
        "object.l.all(a, object.l.all(b, object.t.contains('b') == false))",
        "object.l.map(a, object.l.map(b, object.t + object.t)).size() > 0",
        "object.l.all(a, object.l.all(b, object.big == object.big))",
        "object.l.all(a, object.l.all(b, object.t.matches('(a|b)*c$') == false))",
        "object.l.all(a, object.t.replace('', object.t) != '')",
        "lists.range(100000000).size() > 0",
        // Patterns that stand in the object are compiled again and again.
        "object.l.all(a, object.l.all(b, !'a'.matches(object.t.substring(0, 900))))",
        // Nothing absorbs this.
        "true || lists.range(100000000).size() > 0 ? lists.range(100000000).exists(a, true) || true : true",
    ] {
        assert_eq!(cost(source, &list), Err("spent".to_owned()), "{source}");
    }
}

#[test]
fn work_is_counted_and_not_timed() {
    let object = json!({"l": [1, 2, 3]});
    let source = "object.l.all(x, x > 0 && object.l.exists(y, y == x))";
    let first = cost(source, &object).unwrap();
    assert_eq!(cost(source, &object).unwrap(), first);
    assert!((40..120).contains(&first), "{first}");
}

#[test]
fn what_is_nested_or_long_is_refused_when_it_is_read() {
    let deep = format!("{}1{}", "(".repeat(100), ")".repeat(100));
    let folds = format!("{}true{}", "object.all(x, ".repeat(5), ")".repeat(5));
    let chain = format!("object{}", ".a".repeat(300));
    let sum = vec!["1"; 300].join(" + ");
    let long = format!("'{}'", "a".repeat(20_000));
    for (source, expected) in [
        (deep, "line 1, column 41: more than 40 brackets within each other"),
        (folds, "line 1, column 64: more than 4 comprehensions within each other"),
        (chain, "line 1, column 406: more than 200 levels"),
        (sum, "line 1, column 799: more than 200 levels"),
        (long, "line 1, column 1: 20002 bytes, more than the 16384 that are read"),
    ] {
        assert_eq!(cost(&source, &Value::Null), Err(expected.to_owned()));
    }
    // What people do write is read: hundreds of conditions side by side.
    let wide = vec!["object == null"; 500].join(" && ");
    assert!(cost(&wide, &Value::Null).is_ok());
}
