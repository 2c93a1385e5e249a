//! What `can-i` is told.

use boltseal_identity::{Action, MAX_CONSIDERED, Scope, Subject};

use super::world::{id, now, world};

#[test]
fn every_assignment_with_what_came_of_it() {
    let directory = world(
        "user | ada
        group | team | ada
        group | closed | ada
        give | AcrPull | ada | /registries/main/repositories/other
        give | AcrPull | ada | /registries/main | if repository like 'x*'
        give | AcrPull | ada | /registries/main | until 2026-11-25T12:30:00Z
        give | Reader | team | /
        give | AcrPush | team | /registries/main/repositories/app
        give | AcrPull | closed | /
        disable | closed",
    );
    let scope = Scope::repository("main", "app").unwrap();
    let later = "2026-11-25T13:00:00Z".parse().unwrap();
    let told = directory.explain(id("ada"), Action::ContentRead, &scope, later);
    let lines: Vec<String> = told
        .considered
        .iter()
        .map(|one| {
            let through = one.through.as_ref().map(|group| format!(" through {group}")).unwrap_or_default();
            format!("{:?}: {} at {}{through}", one.outcome, one.role, one.scope)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "Grants: AcrPush at /registries/main/repositories/app through team",
            "Condition: AcrPull at /registries/main",
            "Expired: AcrPull at /registries/main",
            "Disabled: AcrPull at / through closed",
            "OtherAction: Reader at / through team",
            "OtherScope: AcrPull at /registries/main/repositories/other",
        ]
    );
    assert!(told.decision.is_granted() && told.subject == Subject::Active && told.left_out == 0);
    let names: Vec<_> = told.would_grant.iter().map(|role| role.name).collect();
    assert_eq!(
        names,
        [
            "AcrPull",
            "Container Registry Repository Reader",
            "AcrPush",
            "Container Registry Repository Writer",
            "Container Registry Repository Contributor",
        ]
    );
}

#[test]
fn the_unknown_and_the_disabled() {
    let directory = world("user | ada\ngive | AcrPull | ada | /\ndisable | ada");
    let told = |who| directory.explain(id(who), Action::ContentRead, &Scope::root(), now());
    let ada = told("ada");
    assert!(ada.subject == Subject::Disabled && !ada.decision.is_granted());
    assert_eq!(ada.considered.len(), 1, "what would be, were it not disabled: {ada:?}");
    assert_eq!(told("nobody").subject, Subject::Unknown);
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let lines: Vec<String> =
        (0..MAX_CONSIDERED + 7).map(|n| format!("give | AcrPull | ada | /clusters/c{n}")).collect();
    let directory = world(&format!("user | ada\n{}\ngive | AcrPull | ada | /registries", lines.join("\n")));
    let scope = Scope::registry("main").unwrap();
    let told = directory.explain(id("ada"), Action::ContentRead, &scope, now());
    assert_eq!((told.considered.len(), told.left_out), (MAX_CONSIDERED, 8));
    assert_eq!(told.considered[0].scope.as_str(), "/registries", "the one that counts comes first");
}
