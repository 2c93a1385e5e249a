//! What edits need, and that nobody can make themselves more than they are.

use boltseal_identity::{Action, Directory, Edit, Principal, Role, RoleId, credential::Credentials};

use super::world::{assignment, id, now, number, principal, world};

const WORLD: &str = "
    user | root
    user | admin
    user | access
    user | vaults
    user | ada
    sp | ci
    group | owners | root
    group | harmless | ada
    map | m | repositories/a/content/read
    token | t | m
    give | Owner | owners | /
    give | SecurityAdmin | admin | /
    give | User Access Administrator | access | /registries/main/repositories/team
    give | User Access Administrator | access | /registries/*/repositories/shared/*
    give | Key Vault Data Access Administrator | vaults | /vaults/prod
    give | Key Vault Secrets User | ci | /vaults/prod/secrets/db
";

fn join(who: &str, group: &str) -> Edit {
    Edit::ChangeMembers { group: id(group), add: [id(who)].into(), remove: [].into() }
}

fn leave(who: &str, group: &str) -> Edit {
    Edit::ChangeMembers { group: id(group), add: [].into(), remove: [id(who)].into() }
}

fn set_credentials(of: &str) -> Edit {
    Edit::SetCredentials {
        principal: id(of),
        credentials: Credentials::default().into(),
        end_sessions: false,
    }
}

fn check(directory: &Directory, who: &str, edit: &Edit, wanted: bool) {
    let needs = directory.needs(edit, id(who));
    let found = needs.iter().all(|need| directory.permits(id(who), need, now()).is_granted());
    assert_eq!(found, wanted, "{who}: {edit:?} needs {needs:?}");
}

#[test]
fn managing_principals_is_not_becoming_one_of_them() {
    let directory = world(WORLD);
    let token = || {
        let token = Principal { scope_map: Some("m".to_owned()), ..principal("token", "u") };
        Edit::CreatePrincipal(token.into())
    };
    let federation = |to: &str| {
        let federation = serde_json::json!({
            "id": number("f"), "issuer": "https://issuer.example.com", "audience": "a", "subject": "s",
            "principal": id(to),
        });
        Edit::PutFederation(serde_json::from_value(federation).unwrap())
    };
    let delete = |who: &str| Edit::DeletePrincipal { principal: id(who) };
    let delete_map = || Edit::DeleteScopeMap { name: "m".to_owned() };
    for (who, edit, wanted) in [
        ("admin", Edit::CreatePrincipal(principal("user", "new").into()), true),
        ("admin", join("admin", "owners"), false),
        ("root", join("admin", "owners"), true),
        ("admin", leave("root", "owners"), true),
        ("admin", join("admin", "harmless"), true),
        ("admin", join("owners", "harmless"), true),
        ("admin", set_credentials("root"), false),
        ("admin", set_credentials("ci"), false),
        ("admin", set_credentials("ada"), true),
        ("ada", set_credentials("ada"), true),
        ("ada", set_credentials("root"), false),
        ("ada", Edit::EndSessions { principal: id("ada") }, true),
        ("ada", Edit::EndSessions { principal: id("root") }, false),
        ("admin", federation("root"), false),
        ("admin", federation("ada"), true),
        ("root", federation("root"), true),
        ("admin", token(), false),
        ("root", token(), true),
        ("ada", delete("ci"), false),
        ("admin", delete("ci"), true),
        ("admin", delete_map(), true),
        ("ada", delete_map(), false),
        // A scope map that tokens have is theirs.
        ("admin", Edit::PutScopeMap(directory.scope_map("m").unwrap().clone()), false),
        ("root", Edit::PutScopeMap(directory.scope_map("m").unwrap().clone()), true),
    ] {
        check(&directory, who, &edit, wanted);
    }
}

/// Making a role is not having it; widening one is giving it to all who have it.
#[test]
fn widening_a_role_is_giving_it() {
    let directory = world(WORLD);
    let mut custom = Role::new(RoleId(number("r")), "Custom");
    custom.data_actions = vec!["*".to_owned()];
    let directory = directory.apply(Edit::CreateRole(custom.clone()), now()).unwrap().directory;
    let given = Edit::Assign(assignment(&directory, "Custom", "admin", "/registries/main"));
    let held = directory.apply(given, now()).unwrap().directory;
    let update = Edit::UpdateRole(custom);
    for (directory, who, wanted) in [
        (&directory, "admin", true),
        (&held, "admin", false),
        (&held, "root", true),
        (&directory, "access", false),
    ] {
        check(directory, who, &update, wanted);
    }
}

/// Only below one's own scope, and stars are worth what they stand for.
#[test]
fn giving_roles() {
    let directory = world(WORLD);
    for (who, role, scope, wanted) in [
        ("admin", "Owner", "/", false),
        ("root", "Owner", "/", true),
        ("access", "AcrPull", "/registries/main/repositories/team", true),
        ("access", "AcrPull", "/registries/main/repositories/team/*", true),
        ("access", "AcrPull", "/registries/main/repositories/*", false),
        ("access", "AcrPull", "/registries/main", false),
        ("access", "AcrPull", "/registries/*/repositories/shared/*", true),
        ("access", "AcrPull", "/registries/*/repositories/shared", false),
        ("access", "AcrPull", "/registries/main/repositories/shared/x", true),
        // Some roles only.
        ("vaults", "Key Vault Secrets User", "/vaults/prod", true),
        ("vaults", "Key Vault Secrets User", "/vaults/prod/secrets/x", true),
        ("vaults", "Key Vault Secrets User", "/vaults/test", false),
        ("vaults", "Owner", "/vaults/prod", false),
        ("vaults", "Key Vault Certificate User", "/vaults/prod", false),
    ] {
        check(&directory, who, &Edit::Assign(assignment(&directory, role, "ada", scope)), wanted);
    }
    let take = |role: &str, from: &str, scope: &str| Edit::Unassign {
        assignment: assignment(&directory, role, from, scope).id,
    };
    let secret = take("Key Vault Secrets User", "ci", "/vaults/prod/secrets/db");
    check(&directory, "vaults", &secret, true);
    check(&directory, "vaults", &take("Owner", "owners", "/"), false);
    check(&directory, "access", &secret, false);
}

#[test]
fn needs_name_role_and_scope() {
    let directory = world(WORLD);
    let needs = directory.needs(&join("ada", "owners"), id("admin"));
    let told: Vec<String> =
        needs.iter().map(|need| format!("{} {} {:?}", need.action, need.scope, need.role)).collect();
    assert_eq!(
        told,
        [
            format!("{} / None", Action::PrincipalWrite),
            format!("{} / Some({:?})", Action::AssignmentWrite, RoleId::OWNER),
        ]
    );
    // Asked without a role, whoever may give only some roles may not give any.
    let scope = "/vaults/prod".parse().unwrap();
    assert!(!directory.decide(id("vaults"), Action::AssignmentWrite, &scope, now()).is_granted());
}
