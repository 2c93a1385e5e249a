//! Whatever the directory: the quick answers are those of a slow and obvious one.

#![expect(clippy::indexing_slicing, reason = "numbers are made to fit their lists")]

use std::collections::{BTreeMap, BTreeSet};

use boltseal_identity::{
    Action, Actions, Assignment, AssignmentId, Decision, Directory, Edit, Outcome, PrincipalId,
    PrincipalKind, RoleId, Scope,
};
use boltseal_model::Timestamp;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::world::{id, now, number, principal, role};

const PEOPLE: &[&str] = &["p0", "p1", "p2", "p3"];
const GROUPS: &[&str] = &["g0", "g1", "g2", "g3"];
const ROLES: &[&str] = &[
    "Owner",
    "Reader",
    "AcrPull",
    "AcrPush",
    "Container Registry Repository Writer",
    "Key Vault Secrets User",
    "Key Vault Administrator",
    "Auditor",
];
const PATTERNS: &[&str] = &[
    "/",
    "/registries/main",
    "/registries/*",
    "/registries/main/repositories/a",
    "/registries/main/repositories/a/*",
    "/registries/*/repositories/a",
    "/*/main/*/b",
    "/vaults/prod",
    "/vaults/*/secrets/*",
];
const SCOPES: &[&str] = &[
    "/",
    "/registries/main",
    "/registries/main/repositories/a",
    "/registries/main/repositories/a/b",
    "/registries/main/repositories/a/b/c",
    "/registries/east/repositories/a",
    "/registries/main/repositories/b",
    "/vaults/prod",
    "/vaults/prod/secrets/db",
    "/vaults/test/secrets/db/1",
];
const ACTIONS: &[Action] = &[
    Action::ContentRead,
    Action::ContentWrite,
    Action::CatalogRead,
    Action::SecretGet,
    Action::PolicyRead,
    Action::AssignmentWrite,
    Action::AuditRead,
];

/// A condition, and what it means in Rust.
type Meaning = (&'static str, fn(Action, Option<&str>) -> bool);
const CONDITIONS: &[Meaning] = &[
    ("repository like 'a*'", |_, name| name.is_some_and(|name| name.starts_with('a'))),
    ("!(ActionMatches{'*/content/write'}) OR repository like 'a/b'", |action, name| {
        action != Action::ContentWrite || name == Some("a/b")
    }),
    ("@Resource[Microsoft.ContainerRegistry/registries/repositories:name] StringNotEquals 'a'", |_, name| {
        name.is_some_and(|name| name != "a")
    }),
];

#[derive(Clone, Debug)]
struct Given {
    to: usize,
    role: usize,
    scope: usize,
    condition: Option<usize>,
    hours: Option<i64>,
}

fn given() -> impl Strategy<Value = Given> {
    let condition = proptest::option::weighted(0.3, 0..CONDITIONS.len());
    let hours = proptest::option::weighted(0.3, 1..4_i64);
    (0..PEOPLE.len() + GROUPS.len() + 1, 0..ROLES.len(), 0..PATTERNS.len(), condition, hours)
        .prop_map(|(to, role, scope, condition, hours)| Given { to, role, scope, condition, hours })
}

fn name(number: usize) -> &'static str {
    PEOPLE.iter().chain(GROUPS).nth(number).copied().unwrap_or("authenticated")
}

fn build(members: &[(usize, usize)], disabled: &[usize], all: &[Given]) -> Directory {
    let mut edits: Vec<Edit> = Vec::new();
    edits.extend(PEOPLE.iter().map(|name| Edit::CreatePrincipal(principal("user", name).into())));
    edits.extend(GROUPS.iter().map(|name| Edit::CreatePrincipal(principal("group", name).into())));
    for (group, member) in members {
        // A group holds only people and groups after it, so there is no circle.
        let member = member % (PEOPLE.len() + GROUPS.len());
        if member < PEOPLE.len() || member - PEOPLE.len() > *group {
            let add = [id(name(member))].into();
            edits.push(Edit::ChangeMembers { group: id(GROUPS[*group]), add, remove: BTreeSet::new() });
        }
    }
    let mut directory = Directory::empty().unwrap();
    for edit in edits {
        directory = directory.apply(edit, now()).unwrap().directory;
    }
    for (at, given) in all.iter().enumerate() {
        let assignment = Assignment {
            id: AssignmentId(number(&at.to_string())),
            principal: id(name(given.to)),
            role: role(&directory, ROLES[given.role]),
            scope: PATTERNS[given.scope].parse().unwrap(),
            condition: given.condition.map(|at| CONDITIONS[at].0.parse().unwrap()),
            created: now(),
            by: PrincipalId::SYSTEM,
            expires: given.hours.map(|hours| now() + SignedDuration::from_hours(hours)),
            reason: String::new(),
        };
        directory = directory.apply(Edit::Assign(assignment), now()).unwrap().directory;
    }
    for number in disabled {
        let principal = id(name(*number));
        let edit = Edit::UpdatePrincipal { principal, display: None, disabled: Some(true), scope_map: None };
        // The last owner cannot be disabled, and then is not.
        directory = directory.apply(edit, now()).map_or(directory, |change| change.directory);
    }
    directory
}

/// A directory, and what its roles grant.
struct Slow<'a> {
    directory: &'a Directory,
    granted: BTreeMap<RoleId, Actions>,
}

/// Everything read off the facts, with no index in sight.
fn slow(facts: &Slow<'_>, who: PrincipalId, action: Action, scope: &str, now: Timestamp) -> bool {
    let directory = facts.directory;
    let Some(principal) = directory.principal(who).filter(|principal| !principal.disabled) else {
        return false;
    };
    let mut holders = BTreeSet::from([who]);
    loop {
        let groups =
            directory.principals().filter(|group| !group.disabled && !group.members.is_disjoint(&holders));
        let groups: Vec<PrincipalId> = groups.map(|group| group.id).collect();
        let before = holders.len();
        holders.extend(groups);
        if holders.len() == before {
            break;
        }
    }
    if principal.kind != PrincipalKind::Group {
        holders.extend([PrincipalId::AUTHENTICATED, PrincipalId::ANONYMOUS]);
    }
    let covers = |pattern: &str| {
        let parts = |text: &str| -> Vec<String> {
            text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let (pattern, scope) = (parts(pattern), parts(scope));
        pattern.len() <= scope.len()
            && pattern.iter().zip(&scope).all(|(ours, theirs)| ours == "*" || ours == theirs)
    };
    let repository = scope
        .split_once("/repositories/")
        .filter(|(before, _)| before.starts_with("/registries/"))
        .map(|(_, name)| name);
    directory.assignments().any(|assignment| {
        let condition = assignment.condition.as_ref().map(ToString::to_string);
        let means = condition.map(|text| CONDITIONS.iter().find(|(known, _)| *known == text).unwrap().1);
        holders.contains(&assignment.principal)
            && assignment.expires.is_none_or(|end| now < end)
            && facts.granted[&assignment.role].contains(action)
            && covers(assignment.scope.as_str())
            && means.is_none_or(|means| means(action, repository))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn quick_and_slow_answers_agree(
        members in proptest::collection::vec((0..GROUPS.len(), 0..16_usize), 0..10),
        disabled in proptest::collection::vec(0..PEOPLE.len() + GROUPS.len(), 0..3),
        all in proptest::collection::vec(given(), 0..14),
        later in 0..5_i64,
    ) {
        let directory = build(&members, &disabled, &all);
        let now = now() + SignedDuration::from_hours(later);
        let granted = directory.roles().map(|role| (role.id, role.permitted())).collect();
        let facts = Slow { directory: &directory, granted };
        for who in PEOPLE.iter().chain(GROUPS).copied().chain(["nobody"]) {
            for action in ACTIONS {
                let visible = directory.visible(id(who), *action, now);
                for scope in SCOPES {
                    let place: Scope = scope.parse().unwrap();
                    let wanted = slow(&facts, id(who), *action, scope, now);
                    let decision = directory.decide(id(who), *action, &place, now);
                    prop_assert_eq!(decision.is_granted(), wanted, "{} {:?} {}: {:?}", who, action, scope, decision);
                    prop_assert_eq!(visible.contains(&place), wanted, "visible: {} {:?} {}", who, action, scope);
                    prop_assert!(!visible.is_all_of(&place) || wanted);
                    let told = directory.explain(id(who), *action, &place, now);
                    let grants = told.considered.iter().filter(|one| one.outcome == Outcome::Grants);
                    let granting: Vec<AssignmentId> = grants.map(|one| one.assignment).collect();
                    match &decision {
                        Decision::Granted { assignment, .. } => prop_assert!(granting.contains(assignment)),
                        Decision::Missing { .. } => prop_assert_eq!(granting.len(), 0, "{:?}", told),
                    }
                    prop_assert_eq!(told.decision, decision);
                }
            }
        }
        // What is stored makes the same directory again.
        let again = Directory::from_documents(directory.documents().unwrap()).unwrap();
        prop_assert_eq!(again.documents().unwrap(), directory.documents().unwrap());
    }
}
