//! What edits need, and that nobody can make themselves more than they are.

use boltseal_identity::{Action, AssignmentId, Directory, Edit, Role, RoleId, credential::Credentials};

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

fn may(directory: &Directory, who: &str, edit: &Edit) -> bool {
    let needs = directory.needs(edit, id(who));
    needs.iter().all(|need| directory.permits(id(who), need, now()).is_granted())
}

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

#[test]
fn who_may_make_which_edit() {
    let directory = world(WORLD);
    let give = |role: &str, to: &str, scope: &str| Edit::Assign(assignment(&directory, role, to, scope));
    let custom = {
        let mut role = Role::new(RoleId(number("r")), "Custom");
        role.data_actions = vec!["*".to_owned()];
        role
    };
    let directory = directory.apply(Edit::CreateRole(custom.clone()), now()).unwrap().directory;
    let held = directory.apply(give("AcrPull", "ada", "/"), now()).unwrap().directory;
    let mut own = assignment(&held, "Custom", "admin", "/registries/main");
    own.id = AssignmentId(number("own"));
    let held = held.apply(Edit::Assign(own), now()).unwrap().directory;
    let token = |map: &str| {
        let mut token = principal("token", "u");
        token.scope_map = Some(map.to_owned());
        Edit::CreatePrincipal(token.into())
    };
    let federation = |to: &str| {
        Edit::PutFederation(
            serde_json::from_value(serde_json::json!({
                "id": number("f"), "issuer": "https://issuer.example.com", "audience": "a",
                "subject": "s", "principal": id(to),
            }))
            .unwrap(),
        )
    };
    for (directory, who, edit, wanted) in [
        // Managing principals is not becoming one of them.
        (&directory, "admin", Edit::CreatePrincipal(principal("user", "new").into()), true),
        (&directory, "admin", join("admin", "owners"), false),
        (&directory, "root", join("admin", "owners"), true),
        (&directory, "admin", leave("root", "owners"), true),
        (&directory, "admin", join("admin", "harmless"), true),
        (&directory, "admin", join("owners", "harmless"), true),
        (&directory, "admin", set_credentials("root"), false),
        (&directory, "admin", set_credentials("ci"), false),
        (&directory, "admin", set_credentials("ada"), true),
        (&directory, "ada", set_credentials("ada"), true),
        (&directory, "ada", set_credentials("root"), false),
        (&directory, "ada", Edit::EndSessions { principal: id("ada") }, true),
        (&directory, "ada", Edit::EndSessions { principal: id("root") }, false),
        (&directory, "admin", federation("root"), false),
        (&directory, "admin", federation("ada"), true),
        (&directory, "root", federation("root"), true),
        (&directory, "admin", token("m"), false),
        (&directory, "root", token("m"), true),
        // Roles: making one is not having it, and widening one is giving it to all who have it.
        (&directory, "admin", Edit::UpdateRole(custom.clone()), true),
        (&held, "admin", Edit::UpdateRole(custom.clone()), false),
        (&held, "root", Edit::UpdateRole(custom), true),
        (&directory, "admin", give("Owner", "admin", "/"), false),
        (&directory, "root", give("Owner", "admin", "/"), true),
        // Only below one's own scope, and stars are worth what they stand for.
        (&directory, "access", give("AcrPull", "ada", "/registries/main/repositories/team"), true),
        (&directory, "access", give("AcrPull", "ada", "/registries/main/repositories/team/*"), true),
        (&directory, "access", give("AcrPull", "ada", "/registries/main/repositories/*"), false),
        (&directory, "access", give("AcrPull", "ada", "/registries/main"), false),
        (&directory, "access", give("AcrPull", "ada", "/registries/*/repositories/shared/*"), true),
        (&directory, "access", give("AcrPull", "ada", "/registries/*/repositories/shared"), false),
        (&directory, "access", give("AcrPull", "ada", "/registries/main/repositories/shared/x"), true),
        // Only roles for vaults.
        (&directory, "vaults", give("Key Vault Secrets User", "ada", "/vaults/prod"), true),
        (&directory, "vaults", give("Key Vault Secrets User", "ada", "/vaults/prod/secrets/x"), true),
        (&directory, "vaults", give("Key Vault Secrets User", "ada", "/vaults/test"), false),
        (&directory, "vaults", give("Owner", "vaults", "/vaults/prod"), false),
        (&directory, "vaults", give("Key Vault Certificate User", "ada", "/vaults/prod"), false),
        (
            &directory,
            "vaults",
            Edit::Unassign {
                assignment: assignment(&directory, "Key Vault Secrets User", "ci", "/vaults/prod/secrets/db")
                    .id,
            },
            true,
        ),
        (
            &directory,
            "vaults",
            Edit::Unassign { assignment: assignment(&directory, "Owner", "owners", "/").id },
            false,
        ),
        (&directory, "ada", Edit::DeletePrincipal { principal: id("ci") }, false),
        (&directory, "admin", Edit::DeletePrincipal { principal: id("ci") }, true),
        (&directory, "admin", Edit::DeleteScopeMap { name: "m".to_owned() }, true),
        (&directory, "ada", Edit::DeleteScopeMap { name: "m".to_owned() }, false),
        // A scope map that tokens have is theirs.
        (&directory, "admin", Edit::PutScopeMap(directory.scope_map("m").unwrap().clone()), false),
    ] {
        let needs = directory.needs(&edit, id(who));
        assert_eq!(may(directory, who, &edit), wanted, "{who}: {edit:?} needs {needs:?}");
    }
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
