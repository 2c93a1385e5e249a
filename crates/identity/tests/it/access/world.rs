//! Directories for tests, in a few words.

use boltseal_identity::{
    Assignment, AssignmentId, Directory, Edit, Principal, PrincipalId, PrincipalKind, RoleId, ScopeMap,
};
use boltseal_model::Timestamp;
use uuid::Uuid;

/// When the tests take place.
pub(crate) fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

/// The same number for the same name, so that a failing test can be read.
pub(crate) fn number(name: &str) -> Uuid {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(29)
    });
    Uuid::from_u128(hash)
}

/// The principal of a name; well-known ones have their own numbers.
pub(crate) fn id(name: &str) -> PrincipalId {
    match name {
        "anonymous" => PrincipalId::ANONYMOUS,
        "authenticated" => PrincipalId::AUTHENTICATED,
        "system" => PrincipalId::SYSTEM,
        "break-glass" => PrincipalId::BREAK_GLASS,
        name => PrincipalId(number(name)),
    }
}

pub(crate) fn role(directory: &Directory, name: &str) -> RoleId {
    directory.role_named(name).unwrap_or_else(|| panic!("no role {name}")).id
}

/// An assignment, whose number is that of its words.
pub(crate) fn assignment(directory: &Directory, role_name: &str, to: &str, scope: &str) -> Assignment {
    Assignment {
        id: AssignmentId(number(&format!("{role_name} {to} {scope}"))),
        principal: id(to),
        role: role(directory, role_name),
        scope: scope.parse().unwrap(),
        condition: None,
        created: now(),
        by: PrincipalId::SYSTEM,
        expires: None,
        reason: String::new(),
    }
}

pub(crate) fn principal(kind: &str, name: &str) -> Principal {
    let kind = match kind {
        "user" => PrincipalKind::User,
        "sp" => PrincipalKind::ServicePrincipal,
        "workload" => PrincipalKind::Workload,
        "group" => PrincipalKind::Group,
        "token" => PrincipalKind::Token,
        other => panic!("no kind {other}"),
    };
    Principal::new(id(name), kind, name.parse().unwrap())
}

/// Makes a directory by edits, one a line, with `|` between the parts:
///
/// ```text
/// user | ada
/// group | ops | ada ci
/// map | samples | repositories/samples/*/content/read
/// token | t | samples
/// give | AcrPull | ada | /registries/main | until 2027-01-01T00:00:00Z | if repository like 'team/*'
/// disable | ada
/// ```
pub(crate) fn world(lines: &str) -> Directory {
    let mut directory = Directory::empty().unwrap();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let edit = edit(&directory, &parts);
        directory = match directory.apply(edit, now()) {
            Ok(change) => change.directory,
            Err(error) => panic!("{line}: {error}"),
        };
    }
    directory
}

fn edit(directory: &Directory, parts: &[&str]) -> Edit {
    match parts {
        ["give", name, to, scope, rest @ ..] => {
            let mut given = assignment(directory, name, to, scope);
            for part in rest {
                match part.split_once(' ') {
                    Some(("until", moment)) => given.expires = Some(moment.parse().unwrap()),
                    Some(("if", condition)) => given.condition = Some(condition.parse().unwrap()),
                    _ => panic!("{part}"),
                }
                given.id = AssignmentId(number(&format!("{} {part}", given.id)));
            }
            Edit::Assign(given)
        }
        ["map", name, entries] => Edit::PutScopeMap(ScopeMap {
            id: AssignmentId(number(name)),
            name: (*name).to_owned(),
            description: String::new(),
            registry: "main".to_owned(),
            actions: entries.split_whitespace().map(str::to_owned).collect(),
        }),
        ["disable", name] => Edit::UpdatePrincipal {
            principal: id(name),
            display: None,
            disabled: Some(true),
            scope_map: None,
        },
        [kind, name, rest @ ..] => {
            let mut made = principal(kind, name);
            match (*kind, rest) {
                ("group", [members]) => made.members = members.split_whitespace().map(id).collect(),
                ("token", [map]) => made.scope_map = Some((*map).to_owned()),
                _ => assert!(rest.is_empty(), "{parts:?}"),
            }
            Edit::CreatePrincipal(made.into())
        }
        _ => panic!("{parts:?}"),
    }
}
