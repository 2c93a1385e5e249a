//! Every built-in role against every action, in a table that is reviewed: `../data/roles.expected`.

use std::{fmt::Write as _, path::Path};

use boltseal_identity::{Action, Plane, Role, RoleId};
use serde_json::Value;

fn table() -> String {
    let roles = Role::built_in();
    let mut out = String::from("Built-in roles (columns) and what they grant. x: granted.\n\n");
    for (number, role) in roles.iter().enumerate() {
        let condition = if role.condition.is_some() { ", with a condition" } else { "" };
        writeln!(out, "{number:>2}  {}  {}{condition}", role.id, role.name).unwrap();
    }
    let digits = |digit: fn(usize) -> String| (0..roles.len()).map(digit).collect::<String>();
    writeln!(out, "\n{}\n{}", digits(|n| (n / 10).to_string()), digits(|n| (n % 10).to_string())).unwrap();
    for action in Action::ALL {
        let row: String =
            roles.iter().map(|role| if role.permitted().contains(*action) { 'x' } else { '.' }).collect();
        let plane = if action.plane() == Plane::Data { "data   " } else { "control" };
        writeln!(out, "{row}  {plane}  {action}").unwrap();
    }
    out
}

#[test]
fn all_roles_against_all_actions() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/roles.expected");
    let found = table();
    if std::env::var_os("BOLTSEAL_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    for (found, wanted) in found.lines().zip(wanted.lines()) {
        assert_eq!(found, wanted, "BOLTSEAL_BLESS=1 writes the table anew");
    }
    assert_eq!(found, wanted, "BOLTSEAL_BLESS=1 writes the table anew");
}

#[test]
fn managers_see_nothing_inside() {
    for name in ["Owner", "Contributor", "Reader", "User Access Administrator", "SecurityAdmin"] {
        let role = Role::built_in().iter().find(|role| role.name == name).unwrap();
        let inside = role.permitted().iter().filter(|action| action.plane() == Plane::Data);
        assert_eq!(inside.collect::<Vec<_>>(), [], "{name}");
    }
    let auditor = Role::built_in().iter().find(|role| role.name == "Auditor").unwrap();
    let inside = auditor.permitted().iter().filter(|action| action.plane() == Plane::Data);
    assert_eq!(inside.collect::<Vec<_>>(), [Action::AuditRead]);
}

#[test]
fn names_and_numbers_are_azures() {
    let Some(path) = boltseal_testkit::shared("data/secrets/rules/azure-roles.json") else { return };
    let listed: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let listed = listed["roles"].as_array().unwrap();
    assert_eq!(listed.len(), 20);
    for wanted in listed {
        let id: RoleId = wanted["id"].as_str().unwrap().parse().unwrap();
        let role = Role::built_in().iter().find(|role| role.id == id).unwrap_or_else(|| panic!("{wanted}"));
        assert_eq!(role.name, wanted["name"].as_str().unwrap());
        // The list shortens; what it names must be there.
        for data in wanted["data"].as_array().into_iter().flatten() {
            let short = data.as_str().unwrap().replace("secrets/get", "secrets/getSecret");
            let short = short.trim_end_matches('*');
            let has = role
                .permitted()
                .iter()
                .any(|action| action.name().contains(&format!("/{short}")) && action.plane() == Plane::Data);
            assert!(has, "{} lacks {short}", role.name);
        }
    }
}
