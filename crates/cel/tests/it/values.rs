//! What expressions come to.

use crate::told;

fn come_to(cases: &str, least: usize) {
    let mut wrong = Vec::new();
    let mut number = 0;
    for line in cases.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (source, expected) = line.rsplit_once(" => ").unwrap_or_else(|| panic!("no ` => ` in: {line}"));
        number += 1;
        let found = told(source);
        if found != expected {
            wrong.push(format!("{source}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {number} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(number > least, "only {number} cases");
}

#[test]
fn expressions_come_to_what_the_specification_says() {
    come_to(include_str!("../data/values.txt"), 150);
}

#[test]
fn times_and_numbers_come_to_what_the_specification_says() {
    come_to(include_str!("../data/times.txt"), 120);
}
