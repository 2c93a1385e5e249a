//! What is refused when an expression is read, and where.

use boltseal_cel::Environment;

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    let environment = Environment::new(&["object"]);
    for (source, expected) in [
        ("", "line 1, column 1: the end is not expected here"),
        ("1 +", "line 1, column 4: the end is not expected here"),
        ("(1", "line 1, column 3: `)` is expected here, not the end"),
        ("1 2", "line 1, column 3: a number is not expected here"),
        ("'a", "line 1, column 1: a text that is not closed"),
        ("'\\q'", "line 1, column 1: `\\q` is no escape"),
        ("1 # 2", "line 1, column 3: `#` has no meaning here"),
        ("99999999999999999999", "line 1, column 1: a number that is too large"),
        ("9223372036854775808", "line 1, column 1: a number that is too large"),
        ("objekt.spec", "line 1, column 1: there is no `objekt` here; there is object"),
        ("object.spec\n  .foo(1)", "line 2, column 4: `foo` is no function or macro here"),
        ("for", "line 1, column 1: `for` is a word of the language"),
        ("variables.x", "line 1, column 11: there is no variable `x` before this; there is "),
        (
            "authorizer.group('')",
            "line 1, column 1: `authorizer` asks the cluster who may do what: that cannot be told here",
        ),
        (
            "now()",
            "line 1, column 1: `now`: no rule knows what time it is: the same facts give the same answer",
        ),
        ("math.greatest()", "line 1, column 1: `math.greatest` takes 1 to 32 arguments, not 0"),
        ("math.median([1])", "line 1, column 1: there is no `math` here; there is object"),
        ("object.size(1)", "line 1, column 8: `size` takes 0 arguments, not 1"),
        ("size()", "line 1, column 1: `size` takes 1 arguments, not 0"),
        ("trim('a')", "line 1, column 1: `trim` is called as `value.trim()`"),
        ("'a'.quantity()", "line 1, column 5: `quantity` is called as `quantity(value)`"),
        ("'a'.matches('[')", "line 1, column 5: no regular expression: error: unclosed character class"),
        ("has(object)", "line 1, column 1: `has` asks for a field, such as `has(object.spec)`"),
        ("object.all(true, true)", "line 1, column 12: `true` cannot be given to something else"),
        ("object.all(x)", "line 1, column 13: `,` is expected here, not `)`"),
        ("object.all(x, x == 1, true)", "line 1, column 8: too many arguments for `all`"),
        ("[1].all(x, x > 0) && x > 0", "line 1, column 22: there is no `x` here; there is object"),
        ("Pod{name: 'a'}", "line 1, column 1: there is no `Pod` here; there is object"),
    ] {
        match environment.compile(source) {
            Ok(_) => panic!("{source} was read"),
            Err(error) => assert_eq!(error.sentence(), expected, "{source}"),
        }
    }
}

#[test]
fn a_caret_stands_under_the_place() {
    let environment = Environment::new(&["object"]);
    let error = environment.compile("object.kind == 'Pod' &&\n  objekt.x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2, column 3: there is no `objekt` here; there is object\n    objekt.x\n    ^"
    );
}
