//! Edits: what comes of them, and what they may not do.

use boltseal_identity::{
    Action, AssignmentId, Directory, DocumentChange, Edit, EditError, Principal, Role, RoleId, Scope,
    ScopeMap, credential::Credentials, federation::Federation,
};

use super::world::{assignment, id, now, number, principal, role, world};

/// The message of an edit that cannot be.
fn refused(directory: &Directory, edit: Edit) -> String {
    match directory.apply(edit, now()) {
        Ok(change) => panic!("accepted: {:?}", change.summary),
        Err(error) => error.to_string(),
    }
}

fn set_disabled(name: &str, disabled: bool) -> Edit {
    Edit::UpdatePrincipal { principal: id(name), display: None, disabled: Some(disabled), scope_map: None }
}

fn members(group: &str, add: &[&str], remove: &[&str]) -> Edit {
    let ids = |names: &[&str]| names.iter().map(|name| id(name)).collect();
    Edit::ChangeMembers { group: id(group), add: ids(add), remove: ids(remove) }
}

fn custom(name: &str, actions: &[&str]) -> Role {
    let mut role = Role::new(RoleId(number(name)), name);
    role.actions = actions.iter().copied().map(str::to_owned).collect();
    role
}

fn federation(name: &str, to: &str) -> Federation {
    serde_json::from_value(serde_json::json!({
        "id": number(name),
        "issuer": "https://issuer.example.com",
        "audience": "boltseal",
        "subject": "system:serviceaccount:shop:web",
        "principal": id(to),
    }))
    .unwrap()
}

#[test]
fn what_cannot_be() {
    let directory = world(
        "user | ada
        user | bob
        group | team | ada
        group | ops | team
        map | samples | repositories/a/content/read
        token | t | samples
        give | Owner | ada | /
        give | AcrPull | bob | /registries/main",
    );
    let with = |change: fn(&mut boltseal_identity::Assignment)| {
        let mut given = assignment(&directory, "AcrPull", "bob", "/registries/other");
        change(&mut given);
        Edit::Assign(given)
    };
    for (edit, wanted) in [
        (Edit::CreatePrincipal(principal("user", "ADA").into()), "another principal is called `ADA`"),
        (
            Edit::CreatePrincipal(Principal { id: id("shadow"), ..principal("user", "System") }.into()),
            "another principal is called `system`",
        ),
        (Edit::CreatePrincipal(principal("user", "ada").into()), "is there already"),
        (Edit::CreatePrincipal(principal("token", "u").into()), "u: a token has a scope map"),
        (members("ops", &["nobody"], &[]), "there is no principal"),
        (members("team", &["ops"], &[]), "is in itself, through its members"),
        (members("team", &["t"], &[]), "t: a token or a well-known principal is in no group"),
        (members("team", &["anonymous"], &[]), "anonymous: a token or a well-known principal is in no group"),
        (members("ada", &["bob"], &[]), "ada: only a group has members"),
        (
            members("authenticated", &["bob"], &[]),
            "principal authenticated is built in and cannot be changed",
        ),
        (set_disabled("system", true), "principal system is built in and cannot be changed"),
        (set_disabled("nobody", true), "there is no principal"),
        (with(|given| given.role = RoleId(number("none"))), "there is no role"),
        (with(|given| given.principal = id("nobody")), "there is no principal"),
        (with(|given| given.principal = id("t")), "t: a token is given a scope map, not a role"),
        (with(|given| given.principal = id("system")), "system: nothing can be given to it"),
        (with(|given| given.principal = id("break-glass")), "break-glass: nothing can be given to it"),
        (with(|given| given.expires = Some(now())), "the assignment ends in the past"),
        (with(|given| given.reason = "a\nb".to_owned()), "a reason has at most 512 characters"),
        (with(|given| given.id = AssignmentId::BREAK_GLASS), "is there already"),
        (
            Edit::Assign(assignment(&directory, "AcrPush", "anonymous", "/")),
            "`AcrPush` cannot be given to everybody: only roles that list and pull images can",
        ),
        (Edit::Unassign { assignment: AssignmentId::BREAK_GLASS }, "is built in and cannot be changed"),
        (Edit::Unassign { assignment: AssignmentId(number("none")) }, "there is no assignment"),
        (Edit::DeleteRole { role: RoleId::OWNER }, "role Owner is built in and cannot be changed"),
        (Edit::UpdateRole(custom("none", &["*"])), "there is no role"),
        (Edit::CreateRole(Role::new(RoleId(number("x")), "acrPULL")), "another role is called `AcrPull`"),
        (
            Edit::CreateRole(custom("odd", &["read everything"])),
            "role `odd`: `actions` has the entry `read everything`",
        ),
        (Edit::DeleteScopeMap { name: "samples".to_owned() }, "scope map samples is in use 1 times"),
        (Edit::PutFederation(federation("f", "team")), "team: foreign tokens stand for a user"),
        (Edit::PutFederation(federation("f", "nobody")), "there is no principal"),
        (Edit::DeleteFederation { federation: number("f") }, "there is no federation"),
    ] {
        let shown = format!("{edit:?}");
        let found = refused(&directory, edit);
        assert!(found.contains(wanted), "{shown}\n found {found}\nwanted {wanted}");
    }
}

#[test]
fn somebody_stays_owner() {
    let last = |directory: &Directory, edit: Edit| {
        assert_eq!(directory.apply(edit, now()).err(), Some(EditError::LastOwner));
    };
    let directory =
        world("user | ada\nuser | bob\ngive | Owner | ada | /\ngive | Owner | bob | /registries/main");
    let owner = assignment(&directory, "Owner", "ada", "/").id;
    last(&directory, Edit::Unassign { assignment: owner });
    last(&directory, Edit::DeletePrincipal { principal: id("ada") });
    last(&directory, set_disabled("ada", true));
    // Somebody else who owns for a while, or on a condition, is not enough.
    let directory = world(
        "user | ada
        user | bob
        group | empty
        give | Owner | ada | /
        give | Owner | bob | / | until 2027-01-01T00:00:00Z
        give | Owner | bob | / | if repository like '*'
        give | Owner | empty | /
        give | Owner | authenticated | /",
    );
    last(&directory, Edit::Unassign { assignment: owner });
    // Through a group it is.
    let directory = directory.apply(members("empty", &["bob"], &[]), now()).unwrap().directory;
    let directory = directory.apply(Edit::Unassign { assignment: owner }, now()).unwrap().directory;
    last(&directory, members("empty", &[], &["bob"]));
    last(&directory, set_disabled("empty", true));
    last(&directory, set_disabled("bob", true));
    last(&directory, Edit::DeletePrincipal { principal: id("empty") });
}

#[test]
fn somebody_who_can_sign_in_stays_owner() {
    let mut credentials = Credentials::default();
    credentials.add_secret(now(), None).unwrap();
    let set = |of: &str, credentials: &Credentials| Edit::SetCredentials {
        principal: id(of),
        credentials: credentials.clone().into(),
        end_sessions: false,
    };
    let directory = world("sp | ci\nuser | bob\ngive | Owner | ci | /\ngive | Owner | bob | /");
    let apply = |directory: &Directory, edit| directory.apply(edit, now()).map(|change| change.directory);
    let directory = apply(&directory, set("ci", &credentials)).unwrap();
    // Bob owns as well, and cannot sign in.
    let none = Credentials::default();
    assert_eq!(apply(&directory, set("ci", &none)).err(), Some(EditError::LastOwner));
    assert_eq!(apply(&directory, set_disabled("ci", true)).err(), Some(EditError::LastOwner));
    let directory = apply(&directory, Edit::PutFederation(federation("f", "bob"))).unwrap();
    let directory = apply(&directory, set("ci", &none)).unwrap();
    let gone = Edit::DeleteFederation { federation: number("f") };
    assert_eq!(apply(&directory, gone).err(), Some(EditError::LastOwner));
    assert_eq!(refused(&directory, set("team", &none)), format!("there is no principal {}", id("team")));
    let directory = world("group | team");
    assert_eq!(
        refused(&directory, set("team", &credentials)),
        "team: a group does not sign in, so it has no credentials"
    );
}

#[test]
fn a_principal_leaves_with_everything_that_names_it() {
    let directory = world(
        "user | ada\nsp | ci\ngroup | team | ada ci\ngive | AcrPull | ci | /\ngive | AcrPull | ada | /",
    );
    let directory = directory.apply(Edit::PutFederation(federation("f", "ci")), now()).unwrap().directory;
    let change = directory.apply(Edit::DeletePrincipal { principal: id("ci") }, now()).unwrap();
    assert!(change.directory.principal(id("ci")).is_none());
    assert_eq!(change.directory.principal(id("team")).unwrap().members.len(), 1);
    assert_eq!(change.directory.federations(), []);
    assert_eq!(change.directory.assignments().count(), 2, "ada's and break-glass");
    let kinds: Vec<_> = change
        .documents
        .iter()
        .map(|change| match change {
            DocumentChange::Put(document) => format!("put {}", document.kind),
            DocumentChange::Delete { kind, .. } => format!("delete {kind}"),
        })
        .collect();
    assert_eq!(kinds, ["delete principal", "delete assignment", "put principal", "delete federation"]);
    assert_eq!((change.summary.verb, change.summary.name.as_str()), ("principal.delete", "ci"));
    // The directory before is as it was.
    assert!(directory.principal(id("ci")).is_some());
}

#[test]
fn sessions_end_when_they_should() {
    let directory = world("user | ada\nuser | bob\ngive | Owner | bob | /");
    let epoch = |directory: &Directory| directory.principal(id("ada")).unwrap().epoch;
    let set = |end_sessions| Edit::SetCredentials {
        principal: id("ada"),
        credentials: Credentials::default().into(),
        end_sessions,
    };
    for (edit, steps) in [
        (Edit::EndSessions { principal: id("ada") }, 1),
        (set(true), 1),
        (set(false), 0),
        (set_disabled("ada", true), 1),
        (set_disabled("ada", false), 0),
    ] {
        let shown = format!("{edit:?}");
        let after = directory.apply(edit, now()).unwrap().directory;
        assert_eq!(epoch(&after), steps, "{shown}");
    }
}

#[test]
fn summaries_tell_what_changed_and_no_secret() {
    let directory = world("sp | ci");
    let mut credentials = Credentials::default();
    let secret = credentials.add_secret(now(), None).unwrap();
    let edit =
        Edit::SetCredentials { principal: id("ci"), credentials: credentials.into(), end_sessions: true };
    let change = directory.apply(edit, now()).unwrap();
    let told = serde_json::to_string(&change.summary).unwrap();
    let [DocumentChange::Put(stored)] = change.documents.as_slice() else { panic!("{:?}", change.documents) };
    let stored: serde_json::Value = serde_json::from_str(&stored.body).unwrap();
    for field in ["salt", "hmac"] {
        let value = stored["credentials"]["secrets"][0][field].as_str().unwrap();
        assert!(!told.contains(value) && !told.contains(field), "{told}");
    }
    assert!(!told.contains(secret.expose()), "{told}");
    let (before, after) = (change.summary.before.unwrap(), change.summary.after.unwrap());
    assert_eq!(before["credentials"]["secrets"].as_array().map(Vec::len), Some(0));
    assert_eq!(after["credentials"]["secrets"].as_array().map(Vec::len), Some(1));
    assert_eq!((&before["epoch"], &after["epoch"]), (&0.into(), &1.into()));
}

#[test]
fn custom_roles_and_scope_maps_change_for_everybody_who_has_them() {
    let directory = world("user | ada\nmap | m | repositories/a/content/read\ntoken | t | m");
    let directory = directory
        .apply(Edit::CreateRole(custom("Rescuer", &["Boltseal/images/read"])), now())
        .unwrap()
        .directory;
    let given = assignment(&directory, "Rescuer", "ada", "/clusters/east");
    let directory = directory.apply(Edit::Assign(given), now()).unwrap().directory;
    let in_use = Edit::DeleteRole { role: role(&directory, "rescuer") };
    assert_eq!(refused(&directory, in_use), "role Rescuer is in use 1 times: remove those first");
    let cluster = Scope::cluster("east").unwrap();
    let repository = Scope::repository("main", "a").unwrap();
    let may = |directory: &Directory, who: &str, action, scope: &Scope| {
        directory.decide(id(who), action, scope, now()).is_granted()
    };
    assert!(may(&directory, "ada", Action::ImageRead, &cluster));
    assert!(may(&directory, "t", Action::ContentRead, &repository));
    let narrower = Edit::UpdateRole(custom("Rescuer", &["Boltseal/images/rescan/action"]));
    let directory = directory.apply(narrower, now()).unwrap().directory;
    let map = ScopeMap {
        id: AssignmentId(number("another")),
        actions: vec!["repositories/b/content/read".to_owned()],
        ..directory.scope_map("m").unwrap().clone()
    };
    let change = directory.apply(Edit::PutScopeMap(map), now()).unwrap();
    let directory = change.directory;
    assert!(!may(&directory, "ada", Action::ImageRead, &cluster));
    assert!(may(&directory, "ada", Action::ImageRescan, &cluster));
    assert!(!may(&directory, "t", Action::ContentRead, &repository));
    assert_eq!(directory.scope_map("m").unwrap().id, AssignmentId(number("m")), "a change keeps the number");
    let mut elsewhere = custom("Rescuer", &["Boltseal/images/rescan/action"]);
    elsewhere.assignable_scopes = vec!["/registries".parse().unwrap()];
    assert_eq!(
        refused(&directory, Edit::UpdateRole(elsewhere)),
        "role `Rescuer` may not be given at /clusters/east"
    );
}
