//! Role definitions as Azure's tools write them.

use boltseal_identity::{Action, Role, RoleId};

use super::world::number;

const ARM: &str = r#"{
    "id": "/subscriptions/6a2c9c4e-3c67-4d3c-8f0b-1f2d1f1c0a01/providers/Microsoft.Authorization/roleDefinitions/88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    "name": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    "type": "Microsoft.Authorization/roleDefinitions",
    "properties": {
        "roleName": "Image Releaser",
        "type": "CustomRole",
        "description": "Pulls everything, pushes nothing, releases what is held back",
        "assignableScopes": ["/subscriptions/6a2c9c4e-3c67-4d3c-8f0b-1f2d1f1c0a01"],
        "permissions": [{
            "actions": ["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.Insights/alertRules/*"],
            "notActions": [],
            "dataActions": ["Microsoft.ContainerRegistry/registries/quarantinedArtifacts/*"],
            "notDataActions": ["Microsoft.ContainerRegistry/registries/quarantinedArtifacts/read"]
        }]
    }
}"#;

const LISTED: &str = r#"[
    {
        "assignableScopes": ["/"], "description": "", "roleName": "AcrPull", "roleType": "BuiltInRole",
        "id": "/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "name": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "permissions": [{ "actions": ["Microsoft.ContainerRegistry/registries/pull/read"] }]
    },
    {
        "assignableScopes": ["/vaults/prod"], "description": "d", "roleName": "Rotator", "roleType": "CustomRole",
        "id": "/providers/Microsoft.Authorization/roleDefinitions/88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
        "name": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
        "permissions": [{ "actions": [], "dataActions": ["Microsoft.KeyVault/vaults/keys/rotate/action"] }]
    }
]"#;

const CREATED: &str = r#"{
    "Name": "Secret Lister", "IsCustom": true, "Description": "Lists",
    "Actions": [], "NotActions": [],
    "DataActions": ["Microsoft.KeyVault/vaults/secrets/readMetadata/action"], "NotDataActions": [],
    "AssignableScopes": ["/providers/Microsoft.Management/managementGroups/prod"]
}"#;

fn fresh() -> RoleId {
    RoleId(number("fresh"))
}

#[test]
fn three_shapes() {
    for (json, name, id, actions, notes) in [
        (
            ARM,
            "Image Releaser",
            "88d8e3e3-8f55-4a1e-953a-9b9898b8876b".parse().unwrap(),
            vec![Action::ContentRead, Action::MetadataRead, Action::QuarantineWrite],
            vec![
                "Image Releaser: `/subscriptions/6a2c9c4e-3c67-4d3c-8f0b-1f2d1f1c0a01` became `/`: there are no subscriptions here",
                "Image Releaser: these actions mean nothing here: Microsoft.Insights/alertRules/*",
            ],
        ),
        (
            LISTED,
            "Rotator",
            "88d8e3e3-8f55-4a1e-953a-9b9898b8876b".parse().unwrap(),
            vec![Action::KeyRotate],
            vec!["AcrPull: built in already, nothing to import"],
        ),
        (
            CREATED,
            "Secret Lister",
            fresh(),
            vec![Action::SecretReadMetadata],
            vec![
                "Secret Lister: `/providers/Microsoft.Management/managementGroups/prod` became `/`: there are no subscriptions here",
            ],
        ),
    ] {
        let imported = Role::import(json, fresh).unwrap();
        assert_eq!(imported.notes, notes, "{name}");
        let [role] = imported.roles.as_slice() else { panic!("{imported:?}") };
        assert_eq!((role.name.as_str(), role.id), (name, id));
        assert_eq!(role.permitted().iter().collect::<Vec<_>>(), actions, "{name}");
        // What is stored reads back.
        let stored = serde_json::to_string(role).unwrap();
        assert_eq!(&serde_json::from_str::<Role>(&stored).unwrap(), role);
    }
    let rotator = &Role::import(LISTED, fresh).unwrap().roles[0];
    assert_eq!(rotator.assignable_scopes[0].as_str(), "/vaults/prod");
}

#[test]
fn what_a_person_reads() {
    let role = |inner: &str| format!(r#"{{ "roleName": "R", {inner} }}"#);
    let many = format!(r#""actions": [{}]"#, vec![r#""*""#; 513].join(","));
    for (json, wanted) in [
        ("{".to_owned(), "the definition is not JSON: line 1, column 1"),
        ("3".to_owned(), "role ``: `definition` is an object, or a list of objects"),
        ("[3]".to_owned(), "role ``: `definition` is an object"),
        ("{}".to_owned(), "role ``: `roleName` has 1 to 128 characters, none of them control characters"),
        (role(r#""actions": "*""#), "role `R`: `actions` is a list of texts"),
        (role(r#""actions": [1]"#), "role `R`: `actions` is a list of texts"),
        (
            role(r#""actions": ["a b/c"]"#),
            "role `R`: `actions` has the entry `a b/c`: an action has letters, digits and . / * _ -",
        ),
        (
            role(r#""dataActions": ["read"]"#),
            "role `R`: `dataActions` has the entry `read`: an action is `*`, or has a `/` in it",
        ),
        (role(&many), "role `R`: `actions` has at most 512 entries"),
        (role(r#""permissions": [{}, {}]"#), "role `R` has 2 blocks of permissions: make one role of each"),
        (
            role(r#""permissions": [{ "condition": "x" }]"#),
            "role `R` has a condition: put it on the assignments",
        ),
        (
            role(r#""assignableScopes": ["registries"]"#),
            "role `R`: `assignableScopes` `registries`: a scope starts with `/`, such as /registries/main/repositories/team",
        ),
    ] {
        let found =
            Role::import(&json, fresh).map_or_else(|error| error.to_string(), |_| "accepted".to_owned());
        assert_eq!(found, wanted, "{json}");
    }
    let large = " ".repeat(5 << 20);
    assert!(
        Role::import(&large, fresh).unwrap_err().to_string().starts_with("the definition has 5242880 bytes")
    );
}

#[test]
fn exclusions_reach_old_names_too() {
    for (actions, excluded, not_data, wanted) in [
        (&["Microsoft.ContainerRegistry/registries/pull/read"][..], &[][..], &[][..], 2),
        (&["Microsoft.ContainerRegistry/registries/pull/read"], &["Microsoft.ContainerRegistry/*"], &[], 0),
        (&["Microsoft.ContainerRegistry/registries/pull/read"], &["*/push/write"], &[], 2),
        (&["Microsoft.ContainerRegistry/registries/pull/read"], &[], &["*/metadata/*"], 1),
    ] {
        let list = |entries: &[&str]| entries.iter().copied().map(str::to_owned).collect();
        let mut role = Role::new(fresh(), "R");
        role.actions = list(actions);
        role.not_actions = list(excluded);
        role.not_data_actions = list(not_data);
        assert_eq!(role.permitted().len(), wanted, "{role:?}");
    }
}
